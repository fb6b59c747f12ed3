"""Who gains and who loses: parties computed two ways, parts that sum, and measures made of further runs."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import anderhalf
from anderhalf import health_gap, incentives, parties
from anderhalf.errors import NotFoundError, ParameterError

HORIZON = 7
ASSUMED = 'tag = "assumption", reason = "of this test"'
WIDE = f"""
[programme]
name = "wide"
title = "every kind of care"
id = 77
region = "ozl"
paid_to = "municipality"
[value]
start_year = {{ value = 2021, {ASSUMED} }}
ramp = {{ value = [0.5, 1.0], {ASSUMED} }}
running_cost_eur = {{ value = 500000, {ASSUMED} }}
investment_eur = {{ value = 100000, {ASSUMED} }}
avoidable_share = {{ value = 0.3, {ASSUMED} }}
pass_through = {{ value = 1.0, {ASSUMED} }}
[[rule]]
key = "drugs"
act = "reprice"
share = {{ value = 0.5, range = [0.0, 1.0], {ASSUMED} }}
factor = {{ value = 0.8, {ASSUMED} }}
[rule.claims]
category = ["drugs"]
[[rule]]
key = "mental"
act = "avoid"
share = {{ value = 0.2, {ASSUMED} }}
[rule.claims]
category = ["ggz"]
[[rule.with]]
category = "gp"
price = {{ value = 120, range = [0, 400], {ASSUMED} }}
[[rule]]
key = "rehabilitation"
act = "replace"
share = {{ value = 0.3, {ASSUMED} }}
[rule.claims]
category = ["grz"]
[[rule.with]]
category = "nursing"
price = {{ value = 4000, {ASSUMED} }}
[[rule]]
key = "hospital"
act = "avoid"
share = {{ value = 0.1, {ASSUMED} }}
[rule.claims]
category = ["hospital"]
[[contract]]
hospital = "Zuyderland"
insurer = "all"
kind = "price_rebase"
pass_through = {{ value = 0.8, {ASSUMED} }}
rebase_share = {{ value = 0.5, {ASSUMED} }}
rebase_years = {{ value = 3, {ASSUMED} }}
from_year = 2021
to_year = 2030
"""


@functools.cache
def world(**rules: Any) -> anderhalf.World:
    if rules:
        return world().under(anderhalf.Rules(horizon=HORIZON, **rules))
    people = anderhalf.synthesise(20_000, years=(2015, 2027), seed=4)
    return anderhalf.World(people, anderhalf.load_model("nl-2021-structural"), anderhalf.Rules(horizon=HORIZON))


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> anderhalf.Programme:
    path: Path = tmp_path_factory.mktemp("programmes") / "wide.toml"
    path.write_text(WIDE, encoding="utf-8")
    return anderhalf.load_programme(path)


@pytest.fixture(scope="session")
def both(wide: anderhalf.Programme) -> anderhalf.Simulation:
    return world().run([anderhalf.load_programme("pluspunt"), wide], "region")


@functools.cache
def pluspunt() -> anderhalf.Simulation:
    return world().run(anderhalf.load_programme("pluspunt"), "region")


# --- parties ----------------------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_each_party_has_what_statements_and_movements_say(both: anderhalf.Simulation) -> None:
    for run in (pluspunt(), both):
        ledger, apart = run.parties, run.recompute_parties()
        pd.testing.assert_frame_equal(ledger, apart)
        assert parties.check(run) == {"parties_cents": 0, "ledger_cents": 0}
        sums = ledger.groupby("year")[["baseline_cents", "scenario_cents", "change_cents"]].sum()
        assert not sums.to_numpy().any()
    moved = both.parties.groupby("party")["change_cents"].apply(lambda c: c.abs().sum())
    assert (
        moved[["hospitals", "patients", "fund", "government", "premium_payers", "resources", "insurer:CZ"]] > 0
    ).all()


@pytest.mark.oracle
def test_a_wrong_posting_is_found_by_the_second_way(both: anderhalf.Simulation) -> None:
    run = anderhalf.Simulation(both.world, both.programmes, both.adoption, both.judged, both.cores, both.outcome)
    wrong = both.ledger.copy()
    of = wrong.index[(wrong["reason"] == "claims_drugs") & (wrong["arm"] == "scenario") & (wrong["cents"] > 0)][0]
    wrong.loc[of, "cents"] += 1
    run.__dict__["ledger"] = wrong
    assert parties.check(run)["parties_cents"] == 2
    assert parties.check(run)["ledger_cents"] == 0


@pytest.mark.invariant
def test_providers_are_paid_what_moves_in_their_category(both: anderhalf.Simulation) -> None:
    moved = both.movements.groupby("category")["settled_cents"].sum()
    change = both.revenue.groupby("party")["change_cents"].sum()
    cost = both.statements.query("arm == 'scenario'")["programme_cost"].sum()
    pluspunt_cost = sum(sum(year["programme_cost_by"][0]) for year in both.years)
    for party, category in (
        ("pharmacies", "drugs"),
        ("nursing_providers", "nursing"),
        ("rehabilitation_providers", "grz"),
        ("mental_care_providers", "ggz"),
        ("hospitals", "hospital"),
        ("gps_and_others", "gp"),
    ):
        assert moved[category] != 0
        assert change[party] == moved[category]
    assert change["one_and_a_half_line_providers"] == moved["one_and_a_half_line"] + pluspunt_cost
    assert change["municipality"] == cost - pluspunt_cost > 0
    assert change["short_stay_providers"] == 0


@pytest.mark.oracle
def test_claimed_and_settled_part_by_contract_and_rebase(both: anderhalf.Simulation) -> None:
    scenario = both.ledger.query("arm == 'scenario'").groupby("reason")["cents"].sum()
    hospital = both.movements.query("category == 'hospital'")
    rebase = hospital.query("effect == 'price_rebase'")
    rest = hospital.query("effect != 'price_rebase'")
    assert scenario["price_rebase"] == rebase["settled_cents"].sum() > 0
    assert scenario["contract_correction"] == (rest["settled_cents"] - rest["claimed_cents"]).sum() > 0
    baseline = both.ledger.query("arm == 'baseline'").groupby("reason")["cents"].sum()
    assert scenario["claims_hospital"] == baseline["claims_hospital"] + rest["claimed_cents"].sum()
    lost = -hospital["claimed_cents"].sum()
    assert scenario["production"] < baseline["production"]
    assert 0 < scenario["stranded"] < lost


@pytest.mark.oracle
def test_who_keeps_the_rest_closes_in_cents(both: anderhalf.Simulation) -> None:
    table = both.who_keeps().set_index("party")["change_cents"]
    assert table.sum() == 0
    rate = both.world.rules.discount_rate
    for party in ("hospitals", "insurer:CZ", "resources"):
        own = both.parties.query("party == @party")
        value = sum(c / (1 + rate) ** k for k, c in enumerate(own["change_cents"]))
        assert abs(table[party] - value) <= 1
    assert abs(sum(table[f"insurer:{n}"] for n in both.world.insurers.values()) - both.incentives["npv_cents"]) <= len(
        both.world.insurers
    )
    assert parties.largest_remainder([Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]) == [1, 0, 0]


@pytest.mark.invariant
def test_the_null_programme_has_postings_and_no_party_changes() -> None:
    run = world().run(anderhalf.load_programme("pluspunt").null(), "region")
    assert run.outcome.patients > 1_000
    assert (run.movements["claims"] > 0).all()
    assert not run.parties["change_cents"].any()
    assert run.parties["baseline_cents"].any()
    pd.testing.assert_frame_equal(run.parties, run.recompute_parties())
    assert not run.revenue["change_cents"].any()
    assert run.criteria.empty
    assert not run.visits["visits_freed"].any()
    assert run.marginal_power() is None
    gap = run.health_gap.set_index(["year", "municipality", "arm"]).unstack("arm")
    for column in ("insured_years", "cost_eur", "expected_eur", "morbidity"):
        assert (gap[column]["baseline"] == gap[column]["scenario"]).all()


# --- decomposition ----------------------------------------------------------------------------------------------------


@pytest.mark.invariant
def test_losses_and_gains_of_the_criteria_sum_to_channel_c1(both: anderhalf.Simulation) -> None:
    sums = both.criteria.groupby(["year", "insurer"])[["loss_cents", "gain_cents"]].sum().sum(axis=1)
    channel = both.decomposition.query("channel == 'c1_classes'").set_index(["year", "insurer"])["cents"]
    assert channel.abs().sum() > 0
    assert (sums.reindex(channel.index, fill_value=0) == channel).all()
    per = both.criteria.groupby("criterion")[["loss_cents", "gain_cents"]].sum()
    assert {"dkg", "mhk", "ggz_mhk"} <= set(per.index)
    assert (per.loc[["dkg", "mhk"], "loss_cents"] < 0).all()
    table = both.by("criterion").set_index("criterion")
    assert (table.loc[per.index] == per).all().all()


@pytest.mark.invariant
def test_programmes_in_order_sum_to_the_run_and_alone_to_their_own(both: anderhalf.Simulation) -> None:
    frame = both.by_programme()
    keys = ["year", "insurer", "channel"]
    whole = both.decomposition.set_index(keys)["cents"]
    assert (frame.groupby(keys)["cents_in_order"].sum().reindex(whole.index) == whole).all()
    alone = frame.query("programme == 'pluspunt'").set_index(keys)
    assert (alone["cents_alone"] == pluspunt().decomposition.set_index(keys)["cents"].reindex(alone.index)).all()
    assert (alone["cents_in_order"] == alone["cents_alone"]).all()
    wide = frame.query("programme == 'wide'")
    # What PlusPunt took is not there for the second one: care that both would take counts once.
    avoided = wide.query("channel == 'a1_hospital_avoided'")
    assert avoided["cents_in_order"].sum() < avoided["cents_alone"].sum()


@pytest.mark.invariant
def test_a_programme_of_every_kind_of_care_closes_and_the_rule_of_the_premium_too(wide: anderhalf.Programme) -> None:
    run = world(premium_pass_through=0.5, premium_lag=2, enrolment_elasticity=1.0).run([wide], "insurer:CZ")
    parts = run.decomposition.groupby(["year", "insurer"])[["cents", "cents_reverse"]].sum()
    result = run.statements.set_index(["year", "insurer", "arm"])["result"].unstack("arm")
    change = result["scenario"] - result["baseline"]
    assert (parts["cents"] == change).all()
    assert (parts["cents_reverse"] == change).all()
    response = run.decomposition.query("channel == 'j_premium'").set_index("year")["cents"].abs().groupby("year").sum()
    assert (response[[2021, 2022]] == 0).all()
    assert (response.drop([2021, 2022]) > 0).all()
    assert parties.check(run) == {"parties_cents": 0, "ledger_cents": 0}
    fixed = world().run([wide], "insurer:CZ")
    for of in ("claims", "contribution", "premium", "own_payments"):
        with_rule = run.statements.groupby(["year", "arm"])[of].sum()
        assert (with_rule == fixed.statements.groupby(["year", "arm"])[of].sum()).all()
    assert (run.statements["claims"] != fixed.statements["claims"]).any()


@pytest.mark.parametrize("values", [{"premium_lag": -1}, {"enrolment_elasticity": -0.1}])
def test_a_premium_rule_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(values))):
        anderhalf.Rules(**values)


# --- measures ---------------------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_power_at_the_margin_is_the_difference_of_two_runs() -> None:
    run = pluspunt()
    value = run.marginal_power(0.2)
    fewer = world().run(run.programme.with_values(patients_share=run.programme.get("patients_share") * 0.8), "region")
    rate, cost, paid = run.world.rules.discount_rate, 0.0, 0.0
    for k, (a, b) in enumerate(zip(run.years, fewer.years, strict=True)):
        cost += (sum(a["scenario"]["claims"]) - sum(b["scenario"]["claims"])) / (1 + rate) ** k
        for part in ("contribution", "premium"):
            paid += (sum(a["scenario"][part]) - sum(b["scenario"][part])) / (1 + rate) ** k
    assert value == pytest.approx(1 - paid / cost)
    with pytest.raises(ParameterError, match="step"):
        run.marginal_power(1.0)


@pytest.mark.oracle
def test_the_sign_turns_at_the_break_even_and_none_is_an_answer(both: anderhalf.Simulation) -> None:
    def npv(**values: float) -> int:
        chosen = [both.programmes[0], both.programmes[1].with_values(**values)]
        return int(both.world.run(chosen, "region", decompose=False).incentives["npv_cents"])

    price = both.break_even("with.mental.1.price", high=100_000, tolerance=0.5)
    assert price is not None
    assert npv(**{"with.mental.1.price": price - 1}) > 0 > npv(**{"with.mental.1.price": price + 1})
    assert both.break_even("with.mental.1.price", low=0, high=1) is None
    share = both.break_even("share.drugs", high=1.0)
    assert share is None or (npv(**{"share.drugs": share - 1e-3}) > 0) != (npv(**{"share.drugs": share + 1e-3}) > 0)
    with pytest.raises(NotFoundError, match=r"share\.drugs"):
        both.break_even("share.nothing")
    with pytest.raises(ParameterError, match="any value"):
        both.break_even("start_year", programme=both.programme.name)
    with pytest.raises(
        ParameterError, match=r"running_cost_eur of several programmes, expected programme=, one of \w+"
    ):
        both.break_even("running_cost_eur")
    with pytest.raises(NotFoundError, match=r"programme, expected one of .*, got nobody"):
        both.break_even("running_cost_eur", programme="nobody")


@pytest.mark.published
def test_a_root_between_equal_ends_is_found_in_the_first_part_that_has_one() -> None:
    def hump(x: float) -> int:
        return round(1000 * (0.04 - (x - 0.35) ** 2))  # above zero between 0.15 and 0.55

    bracket = incentives._bracket(hump, 0.0, 1.0, parts=10)
    assert bracket is not None
    assert incentives._root(hump, *bracket, 1e-4) == pytest.approx(0.15, abs=2e-3)
    assert incentives._bracket(lambda _: -1, 0.0, 1.0, parts=10) is None


@pytest.mark.oracle
def test_the_run_cut_by_insurer_year_specialism_and_patient(both: anderhalf.Simulation) -> None:
    npv = sum(both.incentives["by_year_cents"])
    for what in ("insurer", "year"):
        assert both.by(what)["result_cents"].sum() == npv
    claims = both.by("specialism")
    assert -claims["settled_cents"].sum() == both.by("year")["saving_cents"].sum()
    hospital = claims["category"].isin(["hospital", "one_and_a_half_line"])  # other care has no product type
    assert set(claims.loc[hospital, "product"]) == {"consult", "heavier"}
    assert set(claims.loc[~hospital, "product"]) == {""}
    patient = both.by("patient")
    reached = both.movements[both.movements["effect"].isin(["avoided", "added", "referred_on", "repriced"])]
    assert patient["claims_reached"].sum() == reached["claims"].sum()
    year = both.by("year").set_index("year")
    first = patient.iloc[0]
    assert first["result_eur"] == pytest.approx(year.loc[2021, "result_cents"] / 100 / first["claims_reached"])
    channel = both.by("programme").groupby("channel")["cents_in_order"].sum()
    assert channel.sum() == npv
    with pytest.raises(NotFoundError, match="criterion"):
        both.by("colour")


@pytest.mark.oracle
def test_a_part_brings_what_the_run_is_worth_more_with_it() -> None:
    run = pluspunt()
    parts = run.by("part").set_index(["specialty", "product"])
    lines = {line.specialty for line in run.programme.file.line}
    assert set(parts.index) == {(name, product) for name in lines for product in ("consult", "heavier")} | {
        ("", "added")
    }
    part = ("cardiology", "heavier")
    left_out = world().run(run.programme.with_values(without=[part]), "region")
    keys = ["year", "insurer", "specialty", "product", "effect"]
    before, after = (r.movements.set_index(keys)["claims"] for r in (run, left_out))
    gone = before[~before.index.isin(after.index)]
    # Draws are addressed: all that is left out is this part, and not a claim of another moves.
    assert (before.reindex(after.index) == after).all()
    assert {(s, p) for _, _, s, p, _ in gone.index} == {part}
    assert parts.loc[part, "result_cents"] == run.incentives["npv_cents"] - left_out.incentives["npv_cents"] != 0
    assert parts.loc[part, "saving_cents"] == run.incentives["saving_cents"] - left_out.incentives["saving_cents"]
    assert parts.loc[("", "added"), "saving_cents"] < 0
    with pytest.raises(ParameterError, match="without"):
        run.programme.with_values(without=[("cardiology", "all")])


# --- health gap and visits --------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_the_health_gap_is_what_records_say_one_by_one() -> None:
    run = pluspunt()
    year = 2023
    frame = run.world.core.frame(year)
    classes = frame["classes"]["variable"]
    days = (frame["days"] * frame["represents"]).astype(np.float64) / 365
    money = sum(frame[f"{c}_cents"] for c in ("variable", "ggz", "fixed", "nursing")) * frame["represents"] / 100
    weights = {(c.name, k.code): k.weight / 1_000_000 for c in run.world.model.variable.criteria for k in c.classes}
    burden = np.zeros(len(days))
    for criterion in run.world.model.variable.criteria:
        if not any(lag > 0 for lag in criterion.data_years):
            continue
        if criterion.name in classes:
            codes = classes[criterion.name]
            burden += [weights.get((criterion.name, int(k)), 0.0) for k in codes]
        else:
            none = np.ones(len(days), dtype=bool)
            for k in criterion.classes:
                if (name := f"{criterion.name}_{k.code}") in classes:
                    burden += classes[name] * weights[(criterion.name, k.code)]
                    none &= classes[name] == 0
            burden += none * weights.get((criterion.name, 0), 0.0)
    age_sex = classes["age_sex"]
    where = municipality_of(run, year)
    expected = run.health_gap.query("year == @year and arm == 'baseline'").set_index("municipality")
    nation = {k: money[age_sex == k].sum() / days[age_sex == k].sum() for k in set(age_sex)}
    for name in ("Heerlen", "Kerkrade"):
        inside = where == name
        years = days[inside].sum()
        assert expected.loc[name, "insured_years"] == pytest.approx(years)
        assert expected.loc[name, "cost_eur"] == pytest.approx(money[inside].sum() / years)
        normal = sum(days[inside & (age_sex == k)].sum() * nation[k] for k in set(age_sex)) / years
        assert expected.loc[name, "expected_eur"] == pytest.approx(normal)
        heavier = {k: (burden * days)[age_sex == k].sum() / days[age_sex == k].sum() for k in set(age_sex)}
        normal = sum(days[inside & (age_sex == k)].sum() * heavier[k] for k in set(age_sex))
        own = (burden * days)[inside].sum()
        assert expected.loc[name, "morbidity"] == pytest.approx((own - normal) / years)
    everybody = expected["insured_years"].sum()
    assert everybody == pytest.approx(days.sum())


def municipality_of(run: anderhalf.Simulation, year: int) -> np.ndarray[Any, Any]:
    names = run.world.people.municipalities
    found = []
    for block in run.world.people.blocks((year, year)):
        found += [names[int(m)] for m in block.records["municipality"]]
    return np.array(found)


@pytest.mark.invariant
def test_visits_and_municipalities_follow_the_hand_over_of_an_area() -> None:
    mine = anderhalf.load_programme("pluspraktijken").with_values(hand_over_year=2023)
    run = pluspunt().world.run(mine, "region", decompose=False)
    area = run.visits.groupby("year")["region"].unique().apply(list)
    assert area.to_dict() == {y: ["ozl" if y < 2023 else "mijnstreek"] for y in area.index}
    assert {2021, 2023} <= set(area.index)
    assert {"Heerlen", "Sittard-Geleen"} <= set(run.health_gap["municipality"])


def test_costs_fall_in_the_region_and_a_hospital_visit_is_freed_per_claim_avoided() -> None:
    run = pluspunt()
    gap = run.health_gap.query("year == 2027").set_index(["municipality", "arm"])
    assert gap.loc[("Heerlen", "scenario"), "insured_years"] == gap.loc[("Heerlen", "baseline"), "insured_years"]
    assert gap.loc[("Heerlen", "scenario"), "morbidity"] < gap.loc[("Heerlen", "baseline"), "morbidity"]
    per = health_gap.visits_per_claim()
    avoided = run.movements.query("effect == 'avoided'").groupby("product")["claims"].sum()
    visits = run.visits
    assert visits["visits_freed"].sum() == pytest.approx(sum(avoided[k] * per[k].value for k in avoided.index))
    assert set(visits["region"]) == {"ozl"}
    assert (visits["visits_low"] <= visits["visits_freed"]).all()
    assert (visits["visits_freed"] <= visits["visits_high"]).all()
    assert not math.isnan(visits["visits_freed"].sum())
