"""A world that keeps one region gives what a world that keeps everybody gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

import anderhalf as ah
from anderhalf.errors import ParameterError

PEOPLE, LAW = ah.synthesise(3_000), ah.load_model("nl-2021-structural")
PLUSPUNT = ah.load_programme("pluspunt").with_values(patients_share=0.04)


@pytest.fixture(scope="module")
def worlds() -> tuple[ah.World, ah.World]:
    rules = ah.Rules(macro="fixed")
    return ah.World(PEOPLE, LAW, rules), ah.World(PEOPLE, LAW, rules, keep="mijnstreek", threads=2)


def said(simulation: ah.Simulation) -> list[object]:
    years = [{k: v for k, v in year.items() if k != "full_pass"} for year in simulation.outcome.years]
    return [years, list(simulation.outcome.movements), list(simulation.outcome.classes), simulation.incentives]


def test_the_same_bits(worlds: tuple[ah.World, ah.World]) -> None:
    full, lean = worlds
    assert lean.core.held < full.core.held == full.core.persons == lean.core.persons
    assert lean.core.claims_read == full.core.claims_read
    for adoption in ("insurer:CZ", "region"):
        ours = lean.run(PLUSPUNT, adoption)
        assert said(ours) == said(full.run(PLUSPUNT, adoption))
        assert ours.outcome.touched_person_years > 10


def test_other_rules_read_the_people_again(worlds: tuple[ah.World, ah.World]) -> None:
    full, lean = worlds
    rules = replace(full.rules, threshold_factor=1.2)
    assert said(lean.under(rules).run(PLUSPUNT, "region")) == said(full.under(rules).run(PLUSPUNT, "region"))


def test_what_is_not_kept_is_refused(worlds: tuple[ah.World, ah.World]) -> None:
    _, lean = worlds
    with pytest.raises(ParameterError, match="among the 10 that the baseline keeps, got the whole country"):
        lean.run(PLUSPUNT, "national")
    with pytest.raises(ParameterError, match="one that keeps everybody"):
        lean.records()
