"""The synthetic population under the law of every year: which classes have insured, which have none and why."""

from __future__ import annotations

import functools

import pandas as pd
import pytest

from anderhalf.mapping import CRITERIA, load_mapping
from anderhalf.model import load_model
from anderhalf.population import synthesise
from anderhalf.simulation import Rules, World
from anderhalf.validation import insured_per_class

YEARS = (2015, 2019, 2020, 2021)
# A row stands for 290 insured; these classes have fewer than a few thousand in the country.
RARE = {"pulmonary_hypertension", "dkg_24", "dkg_25", *(f"extreme_cost_{k}" for k in range(1, 5))}


@functools.cache
def classes(year: int) -> pd.DataFrame:
    people = synthesise(60_000, (2015, 2021), region=None, seed=3)
    world = World(people, load_model(f"nl-{year}"), Rules(start=2021, horizon=1), threads=2)
    return insured_per_class(world)


@pytest.mark.slow
@pytest.mark.parametrize("year", YEARS)
def test_every_class_has_insured_or_says_why_not(year: int) -> None:
    frame = classes(year)
    model = load_model(f"nl-{year}")
    assert len(frame) == sum(len(c.classes) for s in (model.variable, model.ggz, model.nursing) for c in s.criteria)
    unreached = set(zip(load_mapping(year).unreached().criterion, load_mapping(year).unreached().key, strict=True))
    of_mapping = frame[frame.criterion.isin(CRITERIA)]
    empty = of_mapping[of_mapping.insured_years == 0]
    listed = {(row.criterion, row.key) for row in empty.itertuples()} & unreached
    assert listed == unreached  # nobody is in a class that no care leads to
    by_chance = empty[[(c, k) not in unreached for c, k in zip(empty.criterion, empty.key, strict=True)]]
    assert (by_chance.reason == "nobody in this sample").all()
    assert set(by_chance.key) <= RARE, by_chance.to_string()


@pytest.mark.slow
@pytest.mark.parametrize("year", YEARS)
def test_a_criterion_with_one_class_a_person_adds_up_to_the_insured(year: int) -> None:
    frame = classes(year)
    total = frame[frame.criterion == "age_sex"].groupby("share").insured_years.sum()["variable"]
    assert 1.6e7 < total < 1.9e7
    model = load_model(f"nl-{year}")
    for criterion in model.variable.criteria:
        sum_ = frame[(frame.share == "variable") & (frame.criterion == criterion.name)].insured_years.sum()
        if criterion.assignment == "single" and criterion.name not in ("region", "ses", "ppa", "gsm"):
            assert sum_ == pytest.approx(total, rel=1e-9), criterion.name
        elif criterion.assignment != "single":
            assert sum_ > total, criterion.name  # some are in several classes


@pytest.mark.slow
def test_the_share_of_insured_with_a_dkg_hardly_moves_between_the_years() -> None:
    """[oracle] The same dx groups lead to a DKG in all years; 2015 and 2021 look at one year, 2019 and 2020 at two."""
    without = {}
    for year in YEARS:
        variable = classes(year)[classes(year).share == "variable"]
        frame = variable.set_index(["criterion", "code"]).insured_years
        total = frame["age_sex"].sum()
        names = [n for n in ("dkg", "dkg_primary", "dkg_secondary") if n in frame.index.get_level_values(0)]
        without[year] = {name: frame[name, 0] / total for name in names}
    assert without[2015]["dkg"] == pytest.approx(without[2021]["dkg"], abs=0.01)
    for year in (2019, 2020):
        either = 2 - without[year]["dkg_primary"] - without[year]["dkg_secondary"]
        assert 1 - without[2021]["dkg"] < either < 2.5 * (1 - without[2021]["dkg"])
