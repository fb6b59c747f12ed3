"""Outcomes of a run beside what is stated: measured the same way whatever the rules were."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

import anderhalf
from anderhalf.errors import ParameterError
from anderhalf.programme_checks import Measures, checks, verdict
from anderhalf.programme_page import measure, page

TAG = 'tag = "assumption", reason = "a test"'


@functools.cache
def world() -> anderhalf.World:
    people = anderhalf.synthesise(8_000, (2015, 2027), region="mijnstreek", seed=3)
    return anderhalf.World(people, anderhalf.load_model("nl-2021-structural"), anderhalf.Rules(horizon=7), threads=2)


def own(folder: Path, rule: str, check: str = "") -> anderhalf.Programme:
    path = folder / "own.toml"
    path.write_text(
        f"""
[programme]
name = "own"
title = "Own"
id = 900
region = "mijnstreek"
[value]
start_year = {{ value = 2021, {TAG} }}
ramp = {{ value = [1.0], {TAG} }}
running_cost_eur = {{ value = 0, {TAG} }}
investment_eur = {{ value = 0, {TAG} }}
avoidable_share = {{ value = 0.5, {TAG} }}
pass_through = {{ value = 1.0, {TAG} }}
[[rule]]
key = "all"
share = {{ value = 1.0, {TAG} }}
{rule}
{check}
""",
        encoding="utf-8",
    )
    return anderhalf.load_programme(path)


@pytest.mark.oracle
@pytest.mark.parametrize("adoption", ["region", "insurer:CZ", "national"])
def test_what_takes_a_whole_category_away_changes_it_by_one_hundred_percent(tmp_path: Path, adoption: str) -> None:
    """The cost without the programme is read from the people, the change from the run: they must meet."""
    programme = own(tmp_path, 'act = "avoid"\n[rule.claims]\ncategory = ["hospital"]')
    measures = Measures(world().run(programme, adoption, decompose=False), 0)
    assert measures.value("category_change_pct:hospital")[0] == pytest.approx(-100, abs=1e-9)
    assert measures.value("claims_change_pct:all")[0] == pytest.approx(-100, abs=1e-9)
    assert measures.value("category_change_pct:drugs")[0] == 0


@pytest.mark.oracle
def test_without_any_drug_every_class_of_fkg_is_lost(tmp_path: Path) -> None:
    programme = own(tmp_path, 'act = "avoid"\n[rule.claims]\ncategory = ["drugs"]')
    measures = Measures(world().run(programme, "national"), 0)
    assert measures.value("class_change_pct:fkg")[0] == pytest.approx(-100, abs=1e-9)
    assert measures.value("class_change_pct:hkg")[0] == 0
    assert measures.value("class_change_pct:ggz_fkg")[0] < -90  # in euros, of full settlements


@pytest.mark.oracle
def test_a_group_is_told_by_age_and_by_claims(tmp_path: Path) -> None:
    who = '[rule.who]\nmin_age = 70\nsex = "f"\nhas = { category = ["nursing"] }\nhas_not = { category = ["grz"] }'
    rule = f'act = "reprice"\nfactor = {{ value = 1.25, {TAG} }}\n[rule.claims]\ncategory = ["nursing"]\n{who}'
    measures = Measures(world().run(own(tmp_path, rule), "region", decompose=False), 0)
    assert measures.value("target_change_pct:nursing")[0] == pytest.approx(25, abs=0.01)  # half cents round up
    assert 0 < measures.value("category_change_pct:nursing")[0] < 24


def test_an_outcome_nobody_knows_is_refused_and_named(tmp_path: Path) -> None:
    check = '[[check]]\nname = "happiness"\nvalue = 1\nrange = [0, 2]\nsource = "a test"'
    programme = own(tmp_path, 'act = "avoid"\n[rule.claims]\ncategory = ["grz"]', check)
    with pytest.raises(ParameterError, match="happiness"):
        checks(world().run(programme, "region", decompose=False))


def test_a_file_of_ones_own_has_a_page_too(tmp_path: Path) -> None:
    rule = f'act = "reprice"\nfactor = {{ value = 0.9, {TAG} }}\n[rule.claims]\ncategory = ["grz"]'
    check = '[[check]]\nname = "category_change_pct:grz"\nvalue = 5\nrange = [4, 6]\nsource = "a test"'
    programme = own(tmp_path, rule, check)
    text = page(programme, measure(world(), programme), "a test")
    assert "# Own\n\n## What it does" in text
    assert "| all | Geriatric rehabilitation (GRZ) gets another price, times 0.9 | 100% of claims | everybody |" in text
    assert "-10 lies below what is stated, 5 (4 to 6)" in text


def test_classes_of_several_programmes_together_are_not_judged() -> None:
    pair = [anderhalf.load_programme(name) for name in ("farmacie", "grz")]
    found = {row["name"]: row for row in checks(world().run(pair, "region"))}
    assert found["class_change_pct:dkg"]["verdict"] == "not measured"
    assert found["category_change_pct:pharmacy"]["verdict"] == "inside"
    assert {row["programme"] for row in found.values()} == {"farmacie", "grz"}


@pytest.mark.parametrize(
    ("ours", "error", "said"),
    [
        (1.0, None, "inside"),
        (2.0, None, "inside"),
        (2.01, None, "outside"),
        (2.3, 0.1, "within error"),
        (2.31, 0.1, "outside"),
        (0.8, 0.1, "within error"),
        (None, None, "not measured"),
    ],
)
def test_a_verdict_says_whether_ours_lies_in_the_range(ours: float | None, error: float | None, said: str) -> None:
    assert verdict(ours, 1.0, 2.0, error) == said
