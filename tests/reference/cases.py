"""Small hand-made countries and rows for the reference tests."""

from __future__ import annotations

import copy
import random
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from .country import (
    Category,
    Claim,
    Country,
    Criterion,
    Mapping,
    Model,
    Record,
    RiskClass,
    Shape,
    Share,
    day,
    random_country,
    random_mapping,
    widened,
)
from .groupers import Classes, Row
from .law_2021 import nl_2021
from .law_toml import load_model

YEAR = 2021
FOLDER = Path(__file__).parents[2] / "params" / "nl"
OLDER_YEARS = (2015, 2019, 2020)


def record(person: int, year: int = YEAR, **changes: Any) -> Record:
    """A man of 41 on 30 June 2021, insured all year with insurer 1."""
    base: dict[str, Any] = {
        "person": person,
        "address": person,
        "first_day": day(year),
        "last_day": day(year + 1) - 1,
        "birth_month": 12 * 1980,
    }
    return Record(**base | changes)


def claim(person: int, year: int, cents: int, **changes: Any) -> Claim:
    """A hospital claim opened on 1 March."""
    opened = changes.pop("opened", day(year, 3, 1))
    base: dict[str, Any] = {
        "person": person,
        "opened": opened,
        "closed": opened,
        "claimed_cents": cents,
        "settled_cents": cents,
    }
    return Claim(**base | changes)


def insured(persons: range | list[int], years: range = range(YEAR - 3, YEAR + 1), **changes: Any) -> Country:
    """Persons with one record in each of the years and no claims."""
    return Country([record(p, y, **changes) for p in persons for y in years], [])


def row(index: int, insurer: int, classes: Classes, *, days: int = 365, represents: int = 1, **changes: Any) -> Row:
    """A class row of an adult."""
    base: dict[str, Any] = {"age": 41, "adult": True, "voluntary_deductible_cents": 0, "person": index}
    base |= changes
    first = day(YEAR)
    return Row(
        index=index,
        insurer=insurer,
        first_day=first,
        last_day=first + days - 1,
        days=days,
        represents=represents,
        classes=classes,
        **base,
    )


def criterion(name: str, euros: dict[int, float | str], assignment: str = "single") -> Criterion:
    """A criterion with weights in euros per code."""
    classes = [RiskClass(code=k, weight=int(Fraction(str(w)) * 1_000_000)) for k, w in euros.items()]
    return Criterion(name, assignment, min(euros), classes)


def counts(**criteria: dict[int, int]) -> dict[tuple[str, int], Fraction]:
    """National or own counts: counts(dkg={0: 90, 1: 10})."""
    return {(name, k): Fraction(n) for name, own in criteria.items() for k, n in own.items()}


def random_case(seed: int, variable: Share | None = None, **shape: Any) -> tuple[Country, Model, Mapping]:
    """A random country with the classes of 2021, in 2020, 2021 or 2024; `other` care is fixed cost."""
    rng = random.Random(seed)
    model = nl_2021(structural=rng.random() < 0.5, year=rng.choice((2020, 2021, 2024)))
    model.variable = variable or model.variable
    model.cluster[Category.other] = "fixed"
    if rng.random() < 0.5:
        widened(model, 8)
    mapping = random_mapping(rng, model)
    return random_country(rng, model, mapping, Shape(**shape)), model, mapping


@lru_cache
def _law(year: int) -> Model:
    model = load_model(FOLDER / str(year))
    assert model is not None, f"params/nl/{year} is not there"
    return model


def law_of(year: int) -> Model:
    """A fresh copy of the model of params/nl/<year>."""
    return copy.deepcopy(_law(year))


def random_case_of(seed: int, year: int, **shape: Any) -> tuple[Country, Model, Mapping]:
    """A random country under the law of an older year, with crowded addresses."""
    rng = random.Random(seed)
    model = law_of(year)
    if rng.random() < 0.6:
        widened(model, 8)
    mapping = random_mapping(rng, model)
    return random_country(rng, model, mapping, Shape(**{"crowded": 0.15, "steady": 0.05} | shape)), model, mapping


def small_share() -> Share:
    """Few enough classes to estimate on sixty persons: age, SES per age band, FKG (several), MHK."""
    halves = ((0, 49), (50, 999))
    age_sex = Criterion("age_sex", "single", 1, [RiskClass(1, age_max=49), RiskClass(2, age_min=50)])
    ses = Criterion(
        "ses",
        "single",
        1,
        [
            RiskClass(1 + 4 * b + g, group=g + 1, age_min=low, age_max=high)
            for b, (low, high) in enumerate(halves)
            for g in range(4)
        ],
        age_bands_zero_sum=True,
    )
    fkg = Criterion("fkg", "all", 0, [RiskClass(k) for k in range(4)], data_years=[1])
    mhk = Criterion(
        "mhk",
        "single",
        0,
        [RiskClass(0), RiskClass(1, years=1, top_per_myriad=3_000), RiskClass(2, years=2, top_per_myriad=1_000)],
        data_years=[1, 2, 3],
    )
    return Share("variable", [age_sex, ses, fkg, mhk])
