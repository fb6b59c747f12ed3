"""Countries made column by column: everybody insured all year with one insurer, one address each, claims by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bridge
import numpy as np
from reference.country import Category, Criterion, Mapping, Model, RiskClass, Share, day

from anderhalf import _core

START = 2021
SEED = 5


@dataclass
class Plain:
    """Persons 1..n over some years; every column has one entry a person."""

    insurer: np.ndarray
    birth_month: np.ndarray
    years: range = range(START - 6, START + 8)
    represents: int = 1
    municipality: np.ndarray | None = None
    sex: np.ndarray | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)

    @property
    def persons(self) -> int:
        return len(self.insurer)

    def care(self, person: Any, year: Any, category: Category, cents: Any, **more: Any) -> None:
        """Claims of some persons (positions) in one year or in several; everything else broadcasts."""
        for y in [year] if isinstance(year, int) else year:
            self.claims.append({"person": person, "year": y, "category": int(category), "cents": cents, **more})

    def records(self) -> np.ndarray:
        n, years = self.persons, len(self.years)
        rows = np.zeros(n * years, dtype=_core.record_dtype)
        who = np.repeat(np.arange(n), years)
        when = np.tile(np.array(self.years), n)
        first = {y: day(y) for y in range(self.years[0], self.years[-1] + 2)}
        rows["person"] = rows["address"] = who + 1
        rows["first_day"] = [first[y] for y in when]
        rows["last_day"] = [first[y + 1] - 1 for y in when]
        rows["birth_month"], rows["insurer"] = self.birth_month[who], self.insurer[who]
        rows["represents"], rows["region"], rows["ses"] = self.represents, 1, 1
        rows["municipality"] = 1 if self.municipality is None else self.municipality[who]
        rows["sex"] = 1 if self.sex is None else self.sex[who]
        rows["income_source"], rows["household"] = 8, 4
        return rows

    def claim_rows(self) -> np.ndarray:
        parts = []
        for line in self.claims:
            person = np.atleast_1d(np.asarray(line["person"]))
            part = np.zeros(len(person), dtype=_core.claim_dtype)
            part["person"] = person + 1
            part["opened"] = part["closed"] = day(line["year"], 3, 1)
            part["category"], part["insurer"] = line["category"], self.insurer[person]
            part["claimed_cents"] = part["settled_cents"] = line["cents"]
            part["title"] = 1
            for name in set(line) - {"person", "year", "category", "cents"}:
                part[name] = line[name]
            parts.append(part)
        rows = np.concatenate(parts) if parts else np.zeros(0, dtype=_core.claim_dtype)
        rows = rows[np.lexsort((rows["claimed_cents"], rows["category"], rows["opened"], rows["person"]))]
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows["person"][1:] != rows["person"][:-1]) | (rows["opened"][1:] != rows["opened"][:-1])
        begin = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))
        rows["claim"] = np.arange(len(rows)) - begin
        return rows

    def baseline(self, model: Any, mapping: Any, **options: Any) -> tuple[Any, Any]:
        """The country in the core; `model` and `mapping` are those of the core or of the reference."""
        return baseline_of(_core.Block(self.records(), self.claim_rows()), self, model, mapping, **options)


def baseline_of(block: Any, country: Plain, model: Any, mapping: Any, **options: Any) -> tuple[Any, Any]:
    o = _core.Options()
    o.first_year, o.last_year = country.years[0], country.years[-1]
    o.start, o.horizon, o.seed = START, country.years[-1] - START + 1, SEED
    o.insurers = sorted({int(i) for i in country.insurer})
    o.estimates = False
    for name, value in options.items():
        kinds = {"expected_counts": _core.ExpectedCounts, "macro": _core.MacroRule}
        setattr(o, name, getattr(kinds[name], value) if name in kinds else value)
    core_model = bridge.filled("Model", model) if isinstance(model, Model) else model
    if isinstance(model, Model):
        core_model.forfait_ex_post = model.forfait
    scheme = _core.Scheme(core_model, bridge.core_mapping(mapping) if isinstance(mapping, Mapping) else mapping)
    return _core.baseline(_core.blocks_source([block]), scheme, o, 1)[0], scheme


def share_of(*criteria: Criterion) -> Share:
    return Share("variable", list(criteria))


def bands(*first: int) -> Criterion:
    """Age and sex as age bands alone, each from an age on."""
    last = [*[a - 1 for a in first[1:]], 999]
    return Criterion(
        "age_sex",
        "single",
        1,
        [RiskClass(k + 1, age_min=a, age_max=b) for k, (a, b) in enumerate(zip(first, last, strict=True))],
    )


def born_at(age: Any, year: int = START) -> np.ndarray:
    """Birth months of who is `age` in the middle of a year: born in January."""
    return 12 * (year - np.asarray(age))
