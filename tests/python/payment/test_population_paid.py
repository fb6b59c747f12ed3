"""A synthetic population is paid through its frame as the scenario pays it from its own totals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import anderhalf as ah
from anderhalf.columns import source
from anderhalf.insured import Wanted, classes_of, totals
from anderhalf.simulation import Rules, World

SCENARIO = {  # of the scenario's statement: shares of the payment, with their sign
    "variable": ("variable", 1),
    "ggz": ("ggz", 1),
    "fixed": ("fixed", 1),
    "premium_deducted": ("premium", -1),
    "expected_own_payments": ("deductible", -1),
    "administration": ("administration", 1),
}


@pytest.fixture(scope="module")
def world() -> World:
    people = ah.synthesise(12_000, (2015, 2021), seed=3)
    rules = Rules(start=2021, horizon=1, expected_counts="actual", macro="fixed")
    return World(people, ah.load_model("nl-2021"), rules)


@pytest.fixture(scope="module")
def records(world: World) -> pd.DataFrame:
    return world.records()


def test_the_frame_has_the_classes_that_the_scheme_gives(world: World, records: pd.DataFrame) -> None:
    """Those of the deductible are derived here and grouped there."""
    data = source(records)
    found = totals(data, classes_of(world.model, data.names), Wanted())
    own = world.core.totals(2021)
    order = [list(world.insurers.values()).index(str(name)) for name in found.insurers]
    for share in ("variable", "ggz", "deductible"):
        assert np.array_equal(found.shares[share].classes, np.asarray(own[share])[order]), share
    assert found.adult_days.tolist() == [own["adult_days"][k] for k in order]


@pytest.mark.parametrize(("stage", "of_scenario"), [("ex_post", "ex_post"), ("ex_ante", "ex_ante")])
def test_pay_agrees_with_the_scenario_to_the_cent(
    world: World, records: pd.DataFrame, stage: str, of_scenario: str
) -> None:
    paid = ah.pay(records, world.model, stage)
    other = getattr(world.core, of_scenario)(2021)
    names = list(world.insurers.values())
    for i, name in enumerate(paid.names):
        k = names.index(str(name))
        for key, (share, sign) in SCENARIO.items():
            cents = sum(step.cents[i] for step in paid.steps if step.share == share)
            if (stage, share) == ("ex_ante", "fixed"):
                continue  # the scenario grants what it will settle; the law grants the macro amount per insured year
            assert cents == sign * other[key][k], (name, key)


def test_synthesise_writes_what_pay_reads(tmp_path: Path) -> None:
    def anderhalf(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "anderhalf.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    made = anderhalf("synthesise", "--persons", 2000, "--model", "nl-2021", "--out", tmp_path / "people")
    assert made.returncode == 0, made.stderr
    paid = anderhalf("pay", tmp_path / "people" / "insured.parquet", "--model", "nl-2021")
    assert paid.returncode == 0, paid.stderr
    people = ah.synthesise(2000, (2015, 2021))
    direct = ah.pay(people.records("nl-2021"), "nl-2021")
    read = ah.pay(tmp_path / "people" / "insured.parquet", "nl-2021")
    assert read.lines.equals(direct.lines)


@pytest.mark.parametrize("name", ["nl-2015", "nl-2019", "nl-2020"])
def test_classes_of_older_years_are_those_of_their_scheme(name: str) -> None:
    """Their law on people of 2021; nursing classes of 2015 too."""
    model = ah.load_model(name)
    people = ah.synthesise(3_000, (2015, 2021), seed=5)
    rules = Rules(start=2021, horizon=1, expected_counts="actual", macro="fixed")
    country = World(people, model, rules)
    records = country.records()
    data = source(records)
    found = totals(data, classes_of(model, data.names), Wanted(), year=2021)
    own = country.core.totals(2021)
    order = [list(country.insurers.values()).index(str(insurer)) for insurer in found.insurers]
    for share, part in found.shares.items():
        assert np.array_equal(part.classes, np.asarray(own[share])[order]), share
    paid = ah.pay(records, model, year=2021)
    other = country.core.ex_post(2021)
    assert paid.total_cents == sum(other["contribution"])
    for i, insurer in enumerate(paid.names):
        k = list(country.insurers.values()).index(str(insurer))
        assert paid.contribution[i] == other["contribution"][k]


def test_the_law_of_2015_is_paid_on_people_of_2015() -> None:
    people = ah.synthesise(3_000, (2011, 2015), region=None, seed=2)
    records = people.records("nl-2015")
    assert len(records) > 2_900
    paid = ah.pay(records, "nl-2015")
    assert paid.total_cents > 0
    flagged = [c for c in records.columns if c.startswith("fkg_")]
    assert (records["mhk"] > 0).any()
    assert any((records[c] > 0).any() for c in flagged)


def test_an_older_law_is_read_in_the_last_year_of_a_population_that_begins_too_late_for_it(tmp_path: Path) -> None:
    people = ah.synthesise(3_000, (2016, 2022))
    assert people.year_of(ah.load_model("nl-2021")) == 2021
    assert ah.synthesise(3_000, (2011, 2022)).year_of(ah.load_model("nl-2015")) == 2015
    assert people.year_of(ah.load_model("nl-2015")) == 2022

    def anderhalf(*arguments: object) -> str:
        command = [sys.executable, "-m", "anderhalf.cli", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = anderhalf("synthesise", "--persons", 3_000, "--years", "2017:2022", "--model", "nl-2020", "--out", "people")
    assert "insured of 2022 under nl-2020" in said
    anderhalf("pay", "people/insured.parquet", "--model", "nl-2020", "--year", 2022, "--out", "paid")
    paid = ah.pay(people.records("nl-2020"), "nl-2020", year=2022)
    total = int(pd.read_csv(tmp_path / "paid/tables/lines.csv").cents.sum())
    assert total == paid.total_cents != ah.pay(people.records("nl-2020"), "nl-2020").total_cents  # 2020 has 366 days
