"""Programme files of one's own: what `check` says of them, and what their values become in the core."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anderhalf
from anderhalf import _core, programme
from anderhalf._paths import data_directory
from anderhalf.errors import NotFoundError, ParameterError

TEMPLATE = data_directory("scenarios") / "template.toml"
WHY = 'tag = "assumption", reason = "ours"'
HEAD = f"""
[programme]
name = "own"
title = "Own"
id = 4001
region = "mijnstreek"
[value]
start_year = {{ value = 2021, {WHY} }}
ramp = {{ value = [1.0], {WHY} }}
running_cost_per_insured_eur = {{ value = 0, {WHY} }}
investment_eur = {{ value = 0, {WHY} }}
avoidable_share = {{ value = 0.5, {WHY} }}
pass_through = {{ value = 1.0, {WHY} }}
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(ParameterError) as caught:
        anderhalf.load_programme(written(folder, text))
    return {p.what: p.expected for p in caught.value.problems}


@functools.cache
def world() -> anderhalf.World:
    people = anderhalf.synthesise(12_000, (2015, 2027), region="mijnstreek", seed=4)
    return anderhalf.World(people, anderhalf.load_model("nl-2021-structural"), anderhalf.Rules(horizon=7), threads=2)


def tables(at: Any, place: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every table of a document: its place without numbers, and its keys."""
    if isinstance(at, dict):
        yield place, set(at)
        for key, value in at.items():
            yield from tables(value, f"{place}.{key}")
    if isinstance(at, list):
        for value in at:
            yield from tables(value, place)


def test_the_template_is_a_programme_and_shows_every_key(tmp_path: Path) -> None:
    mine = anderhalf.load_programme(written(tmp_path, TEMPLATE.read_text(encoding="utf-8")))
    assert {rule.act for rule in mine.file.rule} == set(programme.ACTS)
    assert {contract.kind for contract in mine.file.contract} == set(programme.CONTRACTS) - {"fee"}  # as lump_sum
    shown: dict[str, set[str]] = {}
    for place, keys in tables(tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))):
        shown.setdefault(place, set()).update(keys)

    def keys_of(model: Any) -> set[str]:
        return {f.alias or name for name, f in model.model_fields.items()}

    text = TEMPLATE.read_text(encoding="utf-8")
    in_comments = {key for key in keys_of(programme.Values) - shown[".value"] if key in text}
    assert keys_of(programme.Head) == shown[".programme"]
    assert keys_of(programme.Values) == shown[".value"] | in_comments
    assert keys_of(programme.RuleFile) == shown[".rule"]
    assert keys_of(programme.SelectorFile) == shown[".rule.claims"]
    assert keys_of(programme.WhoFile) == shown[".rule.who"]
    assert keys_of(programme.WithFile) == shown[".rule.with"]
    assert keys_of(programme.ContractFile) == shown[".contract"]
    assert keys_of(programme.Check) == shown[".check"]
    assert keys_of(programme.Evidence) == shown[".evidence"]


def test_the_template_is_no_programme_of_its_own() -> None:
    with pytest.raises(NotFoundError, match="pluspunt"):
        anderhalf.load_programme("template")
    assert "template" not in programme.programme_names()
    assert {"pluspunt", "farmacie"} <= set(programme.programme_names())


def test_every_problem_of_a_file_comes_at_once_and_says_what_to_do(tmp_path: Path) -> None:
    text = HEAD.replace("id = 4001", "id = 0").replace('region = "mijnstreek"', 'region = "ozl"\nmhk = 1')
    text = (
        text.replace("pass_through", "pass_trough")
        + f"""
    running_cost_eur = {{ value = 1, {WHY} }}
    end_year = {{ value = 2019, tag = "sourced", reason = "no source" }}
    price = {{ value = 3, {WHY} }}
    [[rule]]
    key = "fewer"
    act = "reprice"
    [rule.claims]
    category = ["hospitals"]
    weight = 5
    min_eur = 50
    max_eur = 10
    care_products = [[5, 2]]
    [[rule]]
    key = "fewer"
    act = "replace"
    share = {{ value = "much", {WHY} }}
    factor = {{ value = 0.9, {WHY} }}
    [[contract]]
    hospital = "one"
    insurer = "CZ"
    kind = "ceiling"
    pass_through = {{ value = 0.1, {WHY} }}
    from_year = 2025
    to_year = 2021
    """
    )
    found = problems(tmp_path, text)
    assert found == {
        "programme.id": "greater than or equal to 1",
        "programme.mhk": "nothing: rules act on claims, and classes, weights and own payments follow from them",
        "value.pass_through": "a value",
        "value.pass_trough": "pass_through, or nothing",
        "value.running_cost_eur": "either running_cost_eur or running_cost_per_insured_eur",
        "value.end_year": "start_year (2021) or later",
        "value.end_year.source": "where it comes from, for its tag is sourced",
        "value.price": "nothing: only a centre, with [[line]], uses it",
        "rule.fewer.claims.category.1": found["rule.fewer.claims.category.1"],
        "rule.fewer.claims.weight": found["programme.mhk"],
        "rule.fewer.claims.min_eur": "max_eur or less",
        "rule.fewer.claims.care_products.1": "first and last care product, the lower one first",
        "rule.fewer.share": "a value",
        "rule.fewer.share.value": "a valid number, unable to parse string as a number",
        "rule.fewer.factor": "nothing: it belongs to reprice, and the act is replace",
        "rule.fewer.with": "[[rule.with]]: the claims that it makes, for the act is replace",
        "rule.fewer.claims": "[rule.claims]: the claims that it acts on, for the act is replace",
        "rule.fewer.key": "another key for each rule",
        "contract.1.over_ceiling": "a value, for the kind is ceiling",
        "contract.1.pass_through": "nothing: it has no meaning in a contract of the kind ceiling",
        "contract.1.from_year": "to_year or earlier",
    }
    assert "'hospital'" in found["rule.fewer.claims.category.1"]


@pytest.mark.parametrize(
    ("before", "after", "where", "expected"),
    [
        ("range = [0.02, 0.12]", "range = [0.12, 0.02]", "share.range", "[lowest, highest]"),
        (
            "range = [0.02, 0.12]",
            "range = [0.1, 0.2]",
            "share.range",
            "[lowest, highest], with the value between them: 0.07",
        ),
        ("range = [0.02, 0.12]", "range = [0.02, 2]", "share.range", "ends that the value could take"),
        ("consult = true", 'consult = "yes"', "claims.consult", "a valid boolean"),
        ("specialism = [310, 320]", "specialism = 310", "claims.specialism", "a list"),
    ],
)
def test_a_range_holds_its_value_and_values_have_the_type_that_is_asked(
    tmp_path: Path, before: str, after: str, where: str, expected: str
) -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert before in text
    found = problems(tmp_path, text.replace(before, after, 1))
    assert found == {f"rule.fewer_referrals.{where}": expected}


def test_a_file_that_is_not_there_is_named_as_that(tmp_path: Path) -> None:
    for read in (anderhalf.load_programme, anderhalf.load_scenario):
        with pytest.raises(NotFoundError if read is anderhalf.load_programme else ParameterError) as refused:
            read(str(tmp_path / "none.toml"))
        [problem] = refused.value.problems
        assert (problem.what, problem.expected) == ("file", "one that is there")


def test_a_file_needs_a_rule_or_a_line_and_a_year_with_its_hand_over(tmp_path: Path) -> None:
    assert problems(tmp_path, HEAD) == {"rule": "at least one [[rule]], or a [[line]] of a centre"}
    centre = '[[line]]\nspecialty = "ent"\nspecialism = 302\ndiagnoses = [1]\n' + f"refer_on = {{ value = 0.2, {WHY} }}"
    assert set(problems(tmp_path, HEAD + centre)) == {f"value.{key}" for key in programme.CENTRE}
    half = HEAD.replace('title = "Own"', 'title = "Own"\nhand_over_region = "wm"')
    rule = f'[[rule]]\nkey = "a"\nact = "avoid"\nshare = {{ value = 1, {WHY} }}\nclaims = {{ category = ["gp"] }}\n'
    assert set(problems(tmp_path, half + rule)) == {"value.hand_over_year"}


def test_values_of_rules_and_contracts_reach_the_core_and_can_be_changed(tmp_path: Path) -> None:
    mine = anderhalf.load_programme(written(tmp_path, TEMPLATE.read_text(encoding="utf-8")))
    values = {
        "share.cheaper_drug": 0.25,
        "factor.cheaper_drug": 0.7,
        "ddd_factor.cheaper_drug": 0.9,
        "ramp.cheaper_drug": (0.1, 0.2),
        "start_after.cheaper_drug": 3,
        "with.fewer_referrals.1.price": 31.5,
        "with.fewer_referrals.1.probability": 0.75,
        "contract.1.pass_through": 0.3,
        "contract.2.over_ceiling": 0.02,
        "contract.3.rebase_share": 0.4,
        "contract.3.rebase_years": 2,
        "end_year": 2028,
        "hand_over_year": 2024,
    }
    assert set(values) < set(mine.values)

    def core(of: anderhalf.Programme) -> Any:
        return of.core([1, 2], [], 1000.0, hand_over=[3], insurer_code=lambda name: {"CZ": 7}[name])

    before, after = core(mine), core(mine.with_values(**values))
    fewer, drug, centre, new = after.rules
    assert (drug.share_ppm, drug.factor_ppm, drug.ddd_factor_ppm) == (250_000, 700_000, 900_000)
    assert (drug.ramp_ppm, drug.start_after, drug.per) == ([100_000, 200_000], 3, _core.Per.person)
    assert (fewer.with_claims[0].price, fewer.with_claims[0].probability_ppm) == (31_50, 750_000)
    assert fewer.with_claims[0].effect == _core.Effect.downstream
    assert (fewer.claims.consult, fewer.claims.max_cents) == (_core.Consult.yes, 1000_00)
    assert (fewer.who.min_age, fewer.who.sex, fewer.who.has) == (18, 2, None)
    assert fewer.who.has_not.categories == [_core.Category.nursing]
    assert centre.with_claims[0].effect == _core.Effect.replacement
    assert (new.act, new.with_claims[0].effect) == (_core.Act.add, _core.Effect.added)
    assert new.who.onset.categories == [_core.Category.chain_care]
    lump, ceiling, rebase = after.contracts
    assert (lump.kind, lump.pass_through_ppm, lump.insurers) == (_core.ContractKind.lump_sum, 300_000, [7])
    assert ceiling.over_ceiling_ppm == 20_000
    assert (rebase.rebase_ppm, rebase.rebase_years) == (400_000, 2)
    assert (after.end_year, after.hand_over_year, after.hand_over_municipalities) == (2028, 2024, [3])
    assert (before.rules[1].share_ppm, before.end_year) == (300_000, 2029)
    with pytest.raises(NotFoundError, match=r"share\.fewer"):
        mine.with_values(**{"share.fewer": 0.1})
    with pytest.raises(ParameterError) as caught:
        mine.with_values(**{"share.cheaper_drug": 1.5, "with.fewer_referrals.1.price": -1, "end_year": 2019})
    assert len(caught.value.problems) == 2  # end_year is looked at when each value is one
    with pytest.raises(ParameterError, match="end_year"):
        mine.with_values(end_year=2019)
    rows = {row["key"]: row["value"] for row in mine.with_values(**values).assumptions()}
    assert rows["mine.share.cheaper_drug"] == 0.25


def test_a_name_or_a_file_stands_for_its_programme() -> None:
    assert [p.name for p in world().run("pluspunt", "region").programmes] == ["pluspunt"]
    assert [p.name for p in world().run(["grz", data_directory("scenarios") / "pluspunt.toml"]).programmes] == [
        "grz",
        "pluspunt",
    ]
    with pytest.raises(NotFoundError, match="pluspunts"):
        world().run(["pluspunts"])


def test_several_programmes_share_claims_and_contracts_and_keep_their_names(tmp_path: Path) -> None:
    rule = f"""
    [[rule]]
    key = "all_of_it"
    act = "avoid"
    share = {{ value = 1.0, {WHY} }}
    claims = {{ category = ["hospital"] }}
    [[contract]]
    hospital = "Zuyderland"
    insurer = "all"
    kind = "price_rebase"
    pass_through = {{ value = 0.5, {WHY} }}
    rebase_share = {{ value = 0.5, {WHY} }}
    rebase_years = {{ value = 2, {WHY} }}
    from_year = 2021
    to_year = 2030
    """
    own = anderhalf.load_programme(written(tmp_path, HEAD + rule)).with_values(ramp=(0.5,))
    centre = anderhalf.load_programme("pluspunt")
    run = world().run([own, centre], "region")
    moves = run.movements
    assert set(moves.programme) == {"own", "pluspunt"}
    assert set(moves.rule) == {"all_of_it", "centre", "contract"}
    assert set(moves[moves.rule == "contract"].effect) == {"price_rebase"}
    # Each hospital claim of the region is avoided once at most: by the one or by the other.
    avoided = moves[moves.effect == "avoided"]
    alone = world().run(own.with_values(ramp=(1.0,)), "region").movements
    assert -avoided.claimed_cents.sum() < -alone[alone.effect == "avoided"].claimed_cents.sum()
    first = world().run([centre, own], "region").movements
    centre_alone = world().run(centre, "region").movements.query("effect == 'avoided'").claimed_cents.sum()
    assert first.query("effect == 'avoided' and programme == 'pluspunt'").claimed_cents.sum() == centre_alone
    assert moves.query("effect == 'avoided' and programme == 'pluspunt'").claimed_cents.sum() > centre_alone
    # The contract of the first holds for the second, up to a cent per row and year.
    paid = -avoided.groupby("programme")[["settled_cents", "claimed_cents"]].sum()
    assert list(paid.settled_cents / paid.claimed_cents) == pytest.approx([0.5, 0.5], abs=0.001)
    # A full pass over everybody sees the same.
    substitutions = [_core.Substitution(core) for core in run.cores]
    area = _core.survey(world().core, substitutions)
    for year in (run.years[1], run.years[-1]):
        totals, _ = _core.full_pass_equals(world().core, substitutions, area, year["year"])
        assert sum(totals["cost_variable"]) == year["scenario"]["variable_cost"]
        assert totals["own_payments"] == year["scenario"]["own_payments"]
    one = world().run([own, centre], "region", threads=1)
    assert one.years == run.years
    assert one.outcome.movements == run.outcome.movements
    with pytest.raises(ParameterError, match="id"):
        world().run([own, own], "region")
    nobody = written(tmp_path, (HEAD + rule).replace('insurer = "all"', 'insurer = "Nobody"'))
    with pytest.raises(NotFoundError, match=r"programme own, contract: insurer, expected one of .*CZ.* got Nobody"):
        world().run(anderhalf.load_programme(nobody), "region")


def test_the_null_programme_of_rules_reaches_thousands_and_changes_nothing() -> None:
    lines = ("ouderen", "farmacie", "chronisch_zieken", "spoed", "grz", "zuyderland_price_rebase")
    run = world().run([anderhalf.load_programme(name).null() for name in lines], "region")
    assert run.outcome.patients_rows > 1_000
    effects = run.movements.groupby("effect")["settled_cents"].sum()
    assert effects["avoided"] < -1_000_000
    assert effects["avoided"] + effects["replacement"] == 0
    for year in run.years:
        assert year["baseline"] == year["scenario"]
        for avoided, replaced, *others in (*year["forward"], *year["reverse"]):
            assert avoided + replaced == 0
            assert not any(others)


def test_a_rule_for_who_is_new_does_not_start_in_the_first_simulated_year() -> None:
    prevention = anderhalf.load_programme("preventie_heerlen")
    first = {f"start_after.{rule.key}": 0 for rule in prevention.file.rule if rule.who.onset is not None}
    with pytest.raises(ParameterError, match="everybody is new") as caught:
        world().run(prevention.with_values(**first))
    assert [p.got for p in caught.value.problems] == ["2021"] * len(first)
