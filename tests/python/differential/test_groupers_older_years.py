"""Classes of 2015, 2019 and 2020: the C++ core against the second implementation, record by record, class by class.

Everything is a whole number: a class, an insured day, a cent. Nothing has a tolerance. The number of classes compared
is printed (pytest -s).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import bridge
import numpy as np
import pytest
from reference import country as country_module
from reference.cases import OLDER_YEARS, law_of, random_case_of
from reference.country import Claim, Country, Mapping, Model, Record, Share
from reference.groupers import Row, class_rows
from reference.moments import assign_claims
from test_differential import check_moments, check_totals, class_days, differences

from anderhalf.mapping import load_mapping
from anderhalf.population import synthesise

pytestmark = pytest.mark.oracle

COUNTRIES = 1_000
"""Per year."""

COLUMNS = {2015: 52, 2019: 68, 2020: 68}
"""Compared per record: a criterion with one class once, one with several once per class."""


def frame_columns(rows: list[Row], share: Share) -> dict[str, list[int]]:
    """The classes of the rows as the core hands them out.

    A criterion with one class is a column of codes, -1 where none applies; another one a column of counts per class.
    """
    columns: dict[str, list[int]] = {}
    for criterion in share.criteria:
        codes = [r.classes[share.name][criterion.name] for r in rows]
        if criterion.assignment == "single":
            assert all(len(k) <= 1 for k in codes), criterion.name
            columns[criterion.name] = [k[0] if k else -1 for k in codes]
        else:
            for c in criterion.classes:
                if c.code > 0:
                    columns[f"{criterion.name}_{c.code}"] = [k.count(c.code) for k in codes]
    return columns


def check_classes(frame: Any, rows: list[Row], model: Model) -> Counter[str]:
    """Every class of every record; the number of classes other than none met per criterion."""
    assert frame["person"].tolist() == [r.person for r in rows]
    assert frame["first_day"].tolist() == [r.first_day for r in rows]
    compared: Counter[str] = Counter()
    for share in (model.variable, model.ggz, model.nursing, model.deductible):
        if not share.criteria:
            continue
        theirs, ours = frame["classes"][share.name], frame_columns(rows, share)
        assert set(ours) <= set(theirs), f"{share.name}: columns"
        for name, column in ours.items():
            if theirs[name].tolist() != column:
                wrong = [
                    (r.person, a, b) for r, a, b in zip(rows, theirs[name].tolist(), column, strict=True) if a != b
                ]
                raise AssertionError(f"{share.name}.{name}: person, core, reference {wrong[:5]}")
            compared[share.name] += len(column)
            compared["met"] += sum(k > 0 for k in column)
    return compared


def check_nursing(totals: Any, scheme: Any, rows: list[Row], claims: Any, model: Model, insurers: list[int]) -> None:
    """Class totals and cost of the share that 2015 alone has."""
    if not model.nursing.criteria:
        return
    theirs = totals["nursing"]
    ours = class_days(rows, model.nursing, model.year, insurers, scheme.nursing_layout, theirs.shape[1])
    assert np.array_equal(theirs, ours), f"nursing: {differences(theirs, ours, scheme, 'nursing')}"
    cost = dict.fromkeys(insurers, 0)
    for r in rows:
        cost[r.insurer] += r.represents * sum(
            c.settled_cents for c in claims[r.index] if model.cluster[c.category] == "nursing"
        )
    assert totals["cost_nursing"] == [cost[i] for i in insurers]


@pytest.mark.parametrize("year", OLDER_YEARS)
@pytest.mark.parametrize("first", range(0, COUNTRIES, 250))
def test_random_countries_have_the_same_classes(year: int, first: int) -> None:
    compared: Counter[str] = Counter()
    for seed in range(first, first + 250):
        country, model, mapping = random_case_of(40_000 + seed, year, abroad=seed % 4 == 0, persons=(1, 50))
        insurers = sorted({r.insurer for r in country.records})
        base, scheme = bridge.baseline(country, model, mapping, blocks=1 + seed % 3, threads=1 + seed % 2)
        rows = class_rows(country, model, mapping, tie=bridge.tie)
        claims = assign_claims(country, rows, year)
        try:
            compared += check_classes(base.frame(year), rows, model)
            check_totals(base, scheme, rows, claims, model, insurers)
            check_nursing(base.totals(year), scheme, rows, claims, model, insurers)
            check_moments(base, country, rows, model)
        except AssertionError as error:
            raise AssertionError(f"country {seed} ({year}): {error}") from error
        compared["records"] += len(rows)
    print(f"\n{year}, countries {first} to {first + 249}: {dict(compared)}")
    classes = sum(compared[s] for s in ("variable", "ggz", "nursing", "deductible"))
    assert classes == COLUMNS[year] * compared["records"]
    assert compared["met"] > classes // 10


def reference_mapping(year: int) -> Mapping:
    """The stand-in mapping of a law year, for the second implementation."""
    core = load_mapping(year).core()
    tables: dict[str, Any] = {}
    for table, name in bridge.NESTED.items():
        kind = getattr(country_module, name)
        tables[table] = [kind(**{f.name: getattr(row, f.name) for f in fields(kind)}) for row in getattr(core, table)]
    return Mapping(**tables, nursing_region=list(core.nursing_region), light_product_percent=core.light_product_percent)


def reference_country(blocks: list[Any]) -> Country:
    """Records and claims of the core as those of the second implementation."""
    records = [Record(**dict(zip(r.dtype.names, r.tolist(), strict=True))) for b in blocks for r in b.records]
    claims = [Claim(**dict(zip(c.dtype.names, c.tolist(), strict=True))) for b in blocks for c in b.claims]
    return Country(records, claims)


@pytest.mark.parametrize("law", OLDER_YEARS)
def test_synthetic_insured_have_the_same_classes_by_the_stand_in_mapping(law: int) -> None:
    """The year 2020 of the synthetic population, grouped by the law of 2015, of 2019 and of 2020."""
    model, year = law_of(law), 2020
    model.year = year
    blocks = list(synthesise(1_500, (2015, year), block_persons=512).blocks())
    country, mapping = reference_country(blocks), reference_mapping(law)
    base, _ = bridge.baseline_of(blocks, model, mapping, sorted({r.insurer for r in country.records}))
    rows = class_rows(country, model, mapping, tie=bridge.tie)
    compared = check_classes(base.frame(year), rows, model)
    print(f"\nlaw of {law}: {len(rows)} records, {dict(compared)}")
    assert len(rows) > 1_300
    assert compared["met"] > 8 * len(rows)
