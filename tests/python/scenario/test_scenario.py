"""A programme in the synthetic population: what must hold between both arms, the ledger and the decomposition."""

from __future__ import annotations

import functools
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import anderhalf
from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.errors import DomainError, NotFoundError, ParameterError
from anderhalf.simulation import CHANNELS, Rules, World

ADOPTION = "region"
HORIZON = 7


@functools.cache
def world(threads: int = 1, **rules: Any) -> anderhalf.World:
    # A seed in which a national line passes somebody: a row of the rest stands for 1,650 insured, so it seldom does.
    return anderhalf.World(
        anderhalf.synthesise(20_000, years=(2015, 2027), seed=4),
        anderhalf.load_model("nl-2021-structural"),
        anderhalf.Rules(horizon=HORIZON, **rules),
        threads=threads,
    )


@functools.cache
def pluspunt(adoption: str = ADOPTION, threads: int = 1) -> anderhalf.Simulation:
    return world(threads).run(anderhalf.load_programme("pluspunt"), adoption)


def changed(run: anderhalf.Simulation) -> pd.Series:
    """Change in result per year and insurer."""
    result = run.statements.set_index(["year", "insurer", "arm"])["result"].unstack("arm")
    return result["scenario"] - result["baseline"]


@pytest.mark.invariant
def test_the_null_programme_has_postings_and_every_difference_is_zero() -> None:
    run = world().run(anderhalf.load_programme("pluspunt").null(), ADOPTION)
    assert run.outcome.patients > 1_000
    assert run.outcome.replaced == run.outcome.patients
    effects = run.movements.groupby("effect")["settled_cents"].sum()
    assert effects["avoided"] < 0
    assert effects["avoided"] + effects["replacement"] == 0
    assert set(effects.index) == {"avoided", "replacement"}
    for year in run.years:
        assert year["baseline"] == year["scenario"]
        assert not any(year["weight_change"])
    assert run.class_changes.empty
    channels = run.decomposition.pivot_table(index=["year", "insurer"], columns="channel", values="cents")
    assert (channels["a1_hospital_avoided"] > 0).any()
    assert (channels["a1_hospital_avoided"] + channels["a2_replacement"] == 0).all()
    assert not channels[list(CHANNELS[2:])].to_numpy().any()
    assert run.incentives["npv_cents"] == run.incentives["saving_cents"] == 0
    arms = run.ledger.groupby(["year", "from", "to", "reason", "arm"])["cents"].sum().unstack("arm")
    assert (arms["baseline"] == arms["scenario"]).all()


@pytest.mark.invariant
def test_the_channels_of_a_year_sum_to_the_change_in_result_both_ways() -> None:
    run = pluspunt()
    sums = run.decomposition.groupby(["year", "insurer"])[["cents", "cents_reverse"]].sum()
    change = changed(run)
    assert change.abs().sum() > 0
    assert (sums["cents"] == change).all()
    assert (sums["cents_reverse"] == change).all()
    moved = run.decomposition.groupby("channel")["cents"].apply(lambda c: c.abs().sum())
    silent = {channel for channel in CHANNELS if moved[channel] == 0}
    # No 1.5-line care is fixed cost, no programme price moves mental care, and premiums do not respond by default.
    assert silent <= {"a3_downstream", "h_settlement", "j_premium"}


@pytest.mark.invariant
def test_new_weights_at_the_macro_total_of_the_baseline_are_a_transfer_between_insurers() -> None:
    f = pluspunt().decomposition.query("channel == 'f_weights'")
    assert f["cents"].abs().sum() > 0
    assert not f.groupby("year")["cents"].sum().any()
    assert not f[f["year"] < world().rules.start + world().rules.lag]["cents"].any()


@pytest.mark.invariant
def test_the_ledger_closes_and_each_party_has_what_an_independent_account_says() -> None:
    run = pluspunt()
    ledger = run.ledger
    received = ledger.groupby(["year", "arm", "to"])["cents"].sum().rename_axis(["year", "arm", "party"])
    paid = ledger.groupby(["year", "arm", "from"])["cents"].sum().rename_axis(["year", "arm", "party"])
    balance = received.sub(paid, fill_value=0).astype("int64")
    assert not balance.groupby(["year", "arm"]).sum().any()
    # An insurer has four flows in, 18 categories of claims, two of contracts and one per programme; then come funding,
    # 18 kinds of production, stranded cost, and the running of each programme.
    assert len(ledger) == 2 * HORIZON * (25 * len(run.world.insurers) + 21)

    for row in run.statements.itertuples():
        assert balance[row.year, row.arm, f"insurer:{row.insurer}"] == row.result
        assert row.contribution == (
            row.variable + row.ggz + row.fixed - row.premium_deducted - row.expected_own_payments + row.administration
        )
        assert row.result == (
            row.premium + row.contribution + row.own_payments - row.claims - row.programme_cost + row.premium_response
        )
    per_arm = run.statements.groupby(["year", "arm"])[["own_payments", "premium", "premium_response", "claims"]].sum()
    for (year, arm), sums in per_arm.iterrows():
        assert balance[year, arm, "patients"] == -sums["own_payments"]
        assert balance[year, arm, "premium_payers"] == -sums["premium"] - sums["premium_response"]
        assert balance[year, arm, "gps_and_others"] == 0
        assert balance[year, arm, "one_and_a_half_line_providers"] == 0

    # The hospitals lose revenue by the movements, and avoid the programme's share of it.
    hospital = run.movements.query("category == 'hospital'").groupby("year")["settled_cents"].sum()
    for year in run.years:
        hospital_at = list(_core.Category.__members__).index("hospital")
        claims, before = (
            year[k][hospital_at :: len(_core.Category.__members__)] for k in ("category_claims", "category_claims_base")
        )
        revenue = sum(claims) - sum(before)
        assert revenue == hospital[year["year"]]
        avoided = year["hospital_avoided_claimed"] * run.core.avoidable_ppm // 1_000_000
        assert balance[year["year"], "scenario", "hospitals"] == revenue + avoided


@pytest.mark.oracle
def test_claims_change_by_the_movements_and_nothing_else() -> None:
    run = pluspunt()
    claims = run.statements.set_index(["year", "insurer", "arm"])["claims"].unstack("arm")
    moved = run.movements.groupby(["year", "insurer"])["settled_cents"].sum()
    change = claims["scenario"] - claims["baseline"]
    assert (change == moved.reindex(change.index, fill_value=0)).all()
    by_effect = run.movements.groupby("effect")["claims"].sum()
    assert by_effect["avoided"] == run.outcome.replaced
    assert by_effect["added"] == run.outcome.added
    assert by_effect["referred_on"] == run.outcome.referred_on


@pytest.mark.oracle
def test_persons_insured_and_reached_are_counted_once_each() -> None:
    run = pluspunt()
    codes = list(run.world.insurers)
    for year in run.years:
        frame = run.world.core.frame(year["year"])
        pairs = {(int(p), int(i)) for p, i in zip(frame["person"], frame["insurer"], strict=True)}
        assert year["insured"] == [sum(i == code for _, i in pairs) for code in codes]
        moved = [(m[1], m[6], m[9]) for m in run.outcome.movements if m[0] == year["year"]]
        assert all(0 < persons <= claims for _, claims, persons in moved)
        for code, reached, insured in zip(codes, year["reached"], year["insured"], strict=True):
            own = [persons for insurer, _, persons in moved if insurer == code]
            assert max(own, default=0) <= reached <= min(sum(own), insured)
    assert sum(sum(year["reached"]) for year in run.years) >= run.outcome.touched_person_years > 100
    assert all(
        0 < persons <= run.years[0]["insured"][codes.index(insurer)] for _, insurer, *_, persons in run.outcome.classes
    )


@pytest.mark.oracle
def test_patients_are_as_many_as_the_programme_wants() -> None:
    run = pluspunt()
    wanted = 0.0
    area = run.world._areas[next(iter(run.world._areas))]
    for volumes, ramp in zip(area.volumes[0], [0.0625, 0.165, 0.37, 0.68, 1.0, 1.0, 1.0], strict=True):
        wanted += volumes["insured_days"] / 365.25 * 0.0322 * ramp
    rows = run.outcome.patients_rows
    # Four standard errors of a Poisson count of rows; rows stand for about the same number of insured each.
    assert abs(run.outcome.patients / wanted - 1) < 4 / np.sqrt(rows) + 0.01
    assert abs(run.outcome.added / run.outcome.patients - 0.146) < 4 * np.sqrt(0.146 * 0.854 / rows)


@pytest.mark.published
def test_a_small_change_of_price_moves_a2_in_proportion_and_no_class_of_the_first_year() -> None:
    # Closed design: price 130 and 50 or 100 cents less, GP-care title (no deductible), first year (no class yet).
    base = anderhalf.load_programme("pluspunt")
    runs = [world().run(base.with_values(price=price), ADOPTION) for price in (130.0, 129.5, 129.0)]
    first = [
        run.decomposition.query("year == 2021").pivot_table(index="insurer", columns="channel", values="cents")
        for run in runs
    ]
    contacts = runs[0].movements.query("year == 2021 and effect != 'avoided'").groupby("insurer")["claims"].sum()
    assert contacts.sum() > 100
    for one, other in pairwise(first):
        difference = other - one
        assert (difference["a2_replacement"] == 50 * contacts.reindex(difference.index, fill_value=0)).all()
        others = [c for c in CHANNELS if c not in ("a2_replacement", "e2_scaling")]
        assert not difference[others].to_numpy().any()
    # Scaling gives back the saving in proportion: halves of it at half the change, to the rounding of one cent each.
    scaling = [f["e2_scaling"] for f in first]
    assert ((scaling[2] - scaling[0]) - 2 * (scaling[1] - scaling[0])).abs().max() <= 3
    # In later years the same classes at the same lines are worth the same; where a line moved they may not be.
    later = [{row[:3]: row[3:] for row in run.outcome.classes} for run in runs]
    for year in range(2022, 2021 + HORIZON):
        same = all(
            {k: v for k, v in later[0].items() if k[0] == year} == {k: v for k, v in o.items() if k[0] == year}
            for o in later[1:]
        )
        if same:
            tables = [run.decomposition for run in runs]
            worth = [t[(t["year"] == year) & (t["channel"] == "c1_classes")]["cents"].to_numpy() for t in tables]
            assert (worth[0] == worth[1]).all()
            assert (worth[0] == worth[2]).all()


@pytest.mark.threads
def test_one_and_two_threads_give_the_same_outcome() -> None:
    one, two = pluspunt(), pluspunt(threads=2)
    assert len(two.world.work_per_thread) == 2
    assert one.years == two.years
    assert one.outcome.movements == two.outcome.movements
    assert one.outcome.classes == two.outcome.classes
    assert one.ledger.equals(two.ledger)
    for year in range(2018, 2021 + HORIZON):
        a, b = world().core.totals(year), world(2).core.totals(year)
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[k], b[k]) for k in a), year


@pytest.mark.oracle
def test_the_delta_has_the_totals_of_a_full_pass() -> None:
    run = pluspunt()
    substitution = [_core.Substitution(core) for core in run.cores]
    area = _core.survey(run.world.core, substitution)
    moved = 0
    for year in run.years:
        totals, moments = _core.full_pass_equals(run.world.core, substitution, area, year["year"])
        scenario = year["scenario"]
        assert scenario["own_payments"] == totals["own_payments"]
        assert scenario["variable_cost"] == sum(totals["cost_variable"])
        own = [sum(x) for x in zip(totals["cost_variable"], totals["cost_ggz"], totals["cost_fixed"], strict=True)]
        assert scenario["claims"] == own
        assert moments.cents == sum(totals["cost_variable"])
        baseline = run.world.core.totals(year["year"])["variable"]
        moved += not np.array_equal(totals["variable"], baseline)
        own_changes = (run.class_changes["year"] == year["year"]).any()
        assert own_changes == (not np.array_equal(totals["variable"], baseline))
        assert not moved or year["year"] > run.world.rules.start
    assert moved >= HORIZON - 2


@pytest.mark.invariant
def test_another_horizon_on_the_same_insured_has_an_area_of_its_own() -> None:
    shorter = world().under(anderhalf.Rules(horizon=3))
    run = shorter.run(anderhalf.load_programme("pluspunt"), ADOPTION)
    assert [y["year"] for y in run.years] == [2021, 2022, 2023]
    for short, long in zip(run.years, pluspunt().years, strict=False):
        assert short["scenario"]["claims"] == long["scenario"]["claims"]


# Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adoption", ["insurer:Nobody", "insurers:CZ+Nobody"])
def test_an_unknown_insurer_is_named(adoption: str) -> None:
    with pytest.raises(NotFoundError, match="Nobody") as caught:
        world().run(anderhalf.load_programme("pluspunt"), adoption)
    assert "CZ" in caught.value.problems[0].expected


@pytest.mark.parametrize("adoption", ["everybody", "insurer:", "Region"])
def test_an_unknown_adoption_is_named(adoption: str) -> None:
    with pytest.raises(ParameterError, match="who takes part"):
        world().run(anderhalf.load_programme("pluspunt"), adoption)


def test_an_unknown_region_or_municipality_is_named() -> None:
    with pytest.raises(NotFoundError, match="Atlantis"):
        anderhalf.synthesise(10_000, region="Atlantis")
    with pytest.raises(NotFoundError, match="Atlantis"):
        world().people.municipality_codes("Atlantis")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"price": -1.0}, "price"),
        ({"added_demand": 1.2}, "added_demand"),
        ({"pass_through": -0.1}, "pass_through"),
        ({"ramp": (0.5, 1.5)}, "ramp"),
        ({"payment_title": "free"}, "payment_title"),
        ({"price": float("nan")}, "price"),
    ],
)
def test_a_value_outside_its_range_is_refused(values: dict[str, Any], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        anderhalf.load_programme("pluspunt").with_values(**values)


def test_a_programme_file_is_refused_with_every_problem_at_once(tmp_path: Path) -> None:
    text = (data_directory("scenarios") / "pluspunt.toml").read_text(encoding="utf-8")
    text = text.replace("price = { value = 130.00", "price = { value = -130.00")
    text = text.replace("added_demand = { value = 0.146", "added_demand = { value = 1.46")
    text = text.replace("[programme]", "[programme]\nmhk = 1", 1).replace("id       = 1\n", "", 1)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        anderhalf.load_programme(path)
    whats = {problem.what for problem in caught.value.problems}
    wrong = {"value.price.value", "value.added_demand.value", "programme.mhk", "programme.id"}
    assert whats == wrong | {"value.price.range", "value.added_demand.range"}  # ranges that leave their value out
    assert len(caught.value.problems) == len(whats)
    path.write_text("[programme\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"mine\.toml"):
        anderhalf.load_programme(path)


def test_more_than_one_problem_of_the_rules_comes_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        anderhalf.Rules(expected_counts="guess", macro="never", dkg_share=1.5, threshold_factor=0)
    assert [p.what for p in caught.value.problems] == ["expected_counts", "macro", "dkg_share", "threshold_factor"]


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-7, 1_000.1, 2e7, float("inf"), float("nan")])
def test_a_threshold_factor_that_cannot_be_is_refused(factor: float) -> None:
    with pytest.raises(ParameterError, match="threshold_factor"):
        anderhalf.Rules(threshold_factor=factor)
    assert anderhalf.Rules(threshold_factor=1_000).threshold_factor == 1_000


def test_overlapping_records_and_negative_days_come_in_one_error_without_personal_values() -> None:
    people = world().people
    block = people.block(0)
    records, claims = block.records.copy(), block.claims.copy()
    records["last_day"][5] = records["first_day"][5] - 3
    again = np.concatenate([records[:20], records[19:]])  # the 20th row twice
    again["insurer"][40] = 999
    with pytest.raises(DomainError) as caught:
        _core.baseline(_core.blocks_source([_core.Block(again, claims)]), world().scheme, world().options)
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "two insurers on the same day" in text
    assert "one calendar year" in text
    assert "1 row (first: 20)" in text
    assert str(int(again["person"][20])) not in text


def test_an_unknown_class_in_a_mapping_is_refused_with_every_problem() -> None:
    mapping = anderhalf.load_mapping().core()
    drug, diagnosis = _core.Mapping.Drug(), _core.Mapping.Diagnosis()
    drug.drug, drug.fkg = 65_000, 99
    diagnosis.specialism, diagnosis.diagnosis, diagnosis.dkg = 999, 99, -1
    mapping.drugs = [*mapping.drugs, drug]
    mapping.diagnoses = [*mapping.diagnoses, diagnosis]
    with pytest.raises(ParameterError) as caught:
        _core.Scheme(anderhalf.load_model("nl-2021").core, mapping)
    assert [p.got for p in caught.value.problems] == ["99", "-1"]


def test_insurers_out_of_order_or_twice_are_refused() -> None:
    options = _core.Options()
    options.first_year, options.last_year, options.horizon = 2015, 2027, HORIZON
    for insurers in ([2, 1], [1, 2, 2]):
        options.insurers = insurers
        with pytest.raises(ParameterError, match="ascending"):
            _core.baseline(_core.blocks_source([world().people.block(0)]), world().scheme, options)


def test_a_year_without_classes_is_refused_in_words() -> None:
    people, law = anderhalf.synthesise(1_000, (2015, 2021)), anderhalf.load_model("nl-2021")
    world = World(people, law, Rules(start=2021, horizon=1), estimates=False)
    first = world.core.first_class_year
    for year in (first - 1, 2022):
        for part in (world.core.fit, world.core.moments, world.core.totals):
            with pytest.raises(DomainError, match=rf"year, expected {first}..2021, got {year}"):
                part(year)
