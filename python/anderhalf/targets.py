"""What a population is compared with: ``params/population/targets.toml``, with roles by a rule and members from tables.

Within a family, sorted by key, the 1st, 3rd, 5th, ... target is held out of the calibration and the others are
calibrated. A target that tests no calibration is a ``check``.
"""

from __future__ import annotations

import csv
import functools
import tomllib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from anderhalf._paths import data_directory
from anderhalf.errors import ParameterError, Problem

Basis = Literal["claims", "survey", "weights", "assumption"]
Role = Literal["calibrated", "held_out", "check"]
Array = NDArray[Any]

BROAD_AGES = ((0, 19), (20, 44), (45, 64), (65, 74), (75, 84), (85, -1))
PROFILED = ("total", "hospital", "drugs", "gp", "nursing", "ggz")  # ratios that have an age profile


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Strict):
    """One figure and its range; ``value`` is what was published, ``None`` when nothing was."""

    key: str
    family: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    year: int
    basis: Basis
    source: str
    role: Role
    unit: str
    explanation: str = ""

    @property
    def tolerance(self) -> float | None:
        """Half the width of the range: the measure of a gap."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Family(_Strict):
    """Targets that belong together."""

    key: str
    title: str
    year: int | None = None
    basis: Basis | None = None
    source: str = ""
    unit: str = ""
    value: float | None = None
    tolerance: float | None = None
    relative: float | None = None
    role: Role | None = None
    members: Literal["categories", "cells", "ratios", "weights", "mhk_lines"] | None = None
    group: Literal["country", "region"] | None = None
    law: str | None = None
    minimum_share: float = 0.0
    target: list[dict[str, Any]] = Field(default_factory=list)


class Subgroup(_Strict):
    """A group of a survey, and how the generated people are put in it."""

    definition: str
    here: str
    conditions: tuple[str, ...] = ()
    complement: str | None = None
    complement_of_any: bool = False
    most_conditions: float | None = None
    care: tuple[str, ...] = ()
    no_care_outside: tuple[str, ...] = ()
    below_p75: tuple[str, ...] = ()


class _Explanation(_Strict):
    keys: list[str]
    text: str


class _File(_Strict):
    family: list[Family]
    subgroup: dict[str, Subgroup]
    explanation: list[_Explanation] = Field(default_factory=list)
    sources: dict[str, str]


@functools.cache
def _document(path: Path) -> _File:
    with path.open("rb") as file:
        return _File.model_validate(tomllib.load(file))


def _path() -> Path:
    return data_directory("params") / "population" / "targets.toml"


def families() -> tuple[Family, ...]:
    """The families in the order of the file."""
    return tuple(_document(_path()).family)


def subgroups() -> dict[str, Subgroup]:
    """The groups of people by name."""
    return dict(_document(_path()).subgroup)


def sources() -> dict[str, str]:
    """What the short names of sources stand for."""
    return dict(_document(_path()).sources)


def load_targets(year: int | None = None, own_prices: bool = False, base: int | None = None) -> tuple[Target, ...]:
    """Every target, members of tables included.

    Parameters
    ----------
    year : int, optional
        Cost year of the Vektis tables; default that of the family.
    own_prices : bool
        Cost at the prices of that year, as microdata have it; default at the level of the law year.
    base : int, optional
        Year whose Vektis tables the people were made from: what follows from tables of that year is calibrated, from
        tables of another year held out. Default: roles as the file has them, those of base 2018.
    """
    document = _document(_path())
    rows: list[Target] = []
    for family in document.family:
        drafts = [_named(family, row) for row in family.target]
        if family.members in ("categories", "cells"):
            drafts += _costs(family, year, own_prices)
        elif family.members == "ratios":
            drafts += _ratios(family)
        elif family.members == "weights":
            drafts += _weights(family)
        elif family.members == "mhk_lines":
            drafts += _lines(family)
        if base is not None and family.members in ("categories", "cells", "ratios"):
            drafts = [{**d, "role": "calibrated" if d["year"] == base else "held_out"} for d in drafts]
        judged = 0
        for draft in sorted(drafts, key=lambda d: d["key"]):
            if draft["role"] is None:
                draft["role"] = "calibrated" if judged % 2 else "held_out"
                judged += 1
            rows.append(Target(**draft, explanation=_explained(draft["key"], document.explanation)))
    _refuse_twins(rows)
    return tuple(rows)


def target_keys(role: Role) -> frozenset[str]:
    """Keys of the targets of a role: what ``tools/calibrate`` may read, and what it may not."""
    return frozenset(t.key for t in load_targets() if t.role == role)


def _refuse_twins(rows: list[Target]) -> None:
    seen: set[str] = set()
    twins = [t.key for t in rows if t.key in seen or seen.add(t.key)]  # type: ignore[func-returns-value]
    if twins:
        raise ParameterError(Problem("targets.toml", f"keys used twice: {', '.join(twins[:5])}", "every key once"))


def _explained(key: str, rows: list[_Explanation]) -> str:
    from fnmatch import fnmatchcase

    return next((row.text for row in rows if any(fnmatchcase(key, pattern) for pattern in row.keys)), "")


def _draft(family: Family, key: str, label: str, value: float | None, **own: Any) -> dict[str, Any]:
    """One target: what it says itself before what its family says; the wider of the two tolerances."""
    low, high = own.get("low"), own.get("high")
    alone = "tolerance" in own or "relative" in own
    tolerance = own.get("tolerance") if alone else family.tolerance
    relative = own.get("relative") if alone else family.relative
    if low is None and high is None and value is not None and (tolerance is not None or relative is not None):
        width = max(tolerance or 0.0, (relative or 0.0) * abs(value))
        low, high = value - width, value + width
    if value is None and low is not None and high is not None:
        value = (low + high) / 2
    return {
        "key": key,
        "family": family.key,
        "label": label,
        "value": value,
        "low": low,
        "high": high,
        "year": own.get("year", family.year),
        "basis": own.get("basis", family.basis),
        "source": own.get("source", family.source),
        "role": own.get("role", family.role),
        "unit": own.get("unit", family.unit),
    }


_KNOWN = {"key", "label", "value", "low", "high", "tolerance", "relative", "year", "basis", "source", "role", "unit"}


def _named(family: Family, row: dict[str, Any]) -> dict[str, Any]:
    strange = sorted(set(row) - _KNOWN)
    if strange:
        raise ParameterError(Problem(f"targets.toml, {family.key}", f"unknown: {', '.join(strange)}", "known fields"))
    value = row.get("value", family.value)
    return _draft(
        family, row["key"], row["label"], value, **{k: v for k, v in row.items() if k not in ("key", "label", "value")}
    )


def cost_goal(year: int = 2018, own_prices: bool = False) -> dict[str, Array]:
    """Published euros per insured year by category, [group][sex][band]; group 0 the country, 1 the Mijnstreek.

    At the price level of the law year as people generated here are, or at the prices of the year itself.
    """
    from anderhalf import population

    goal = population.targets(base=year)
    if not own_prices:
        return goal
    level = population._read("society.toml", data_directory("params") / "population")["price_level"][str(year)]
    factor = population.price_factor(base=year)
    return {c: table / (level["ggz_factor"] if c == "ggz" else factor) for c, table in goal.items()}


def insured_years_of_vektis(year: int = 2018) -> Array:
    """Insured years of Vektis, [group][sex][band]."""
    from anderhalf import population

    folder = data_directory("params") / "population"
    table = population._population(f"vektis_population_{year}.csv", folder)
    names = population._read("society.toml", folder)["region"]["mijnstreek"]["municipalities"]
    region = sum((table[n] for n in names), np.zeros((2, population.BANDS)))
    return np.stack([table["Netherlands"] - region, region])


def _costs(family: Family, year: int | None, own_prices: bool) -> list[dict[str, Any]]:
    at = year or family.year or 2018
    goal, years = cost_goal(at, own_prices), insured_years_of_vektis(at)
    group = 1 if family.group == "region" else 0
    place = "Mijnstreek" if group else "rest of the country"
    source = family.source.replace("2018", str(at))
    if own_prices:
        source = f"Vektis {at} by age class and sex, at the prices of that year"
    rows = []
    for category, table in goal.items():
        if family.members == "categories":
            value = float((table[group] * years[group]).sum() / years[group].sum())
            label = f"{category} per insured year, {place}"
            rows.append(_draft(family, f"{family.key}_{category}", label, value, year=at, source=source))
            continue
        for sex in (0, 1):
            for band in range(table.shape[2]):
                key = cell_key(family.key, category, sex, band)
                ages = f"{5 * band}+" if band == table.shape[2] - 1 else f"{5 * band}-{5 * band + 4}"
                label = f"{category}, {'women' if sex else 'men'} {ages}, {place}"
                rows.append(_draft(family, key, label, float(table[group, sex, band]), year=at, source=source))
    return rows


def cell_key(family: str, category: str, sex: int, band: int) -> str:
    """The key of a cell of age, sex and category."""
    return f"{family}.{category}.{'mf'[sex]}.{5 * band:02}"


# The categories of Vektis as care categories: it books diagnostics mostly under hospital care and sensory care, care
# abroad and care for special groups apart from or under other.
VEKTIS_GROUPS = {
    "hospital": ("hospital", "diagnostics"),
    "other": ("other", "cross_border", "gzsp"),
    "total": ("total",),
    **{
        name: (name,)
        for name in (
            "drugs", "gp", "chain_care", "devices", "paramedical", "nursing", "grz", "elv", "ggz", "dental",
            "transport", "obstetric", "maternity",
        )
    },
}  # fmt: skip
CARE_GROUPS = {**VEKTIS_GROUPS, "other": ("other", "sensory")}


def ratio_key(family: str, group: str, ages: tuple[int, int] | None) -> str:
    """The key of a ratio: a category, with a broad age class or all ages."""
    return (
        f"{family}.{group}" if ages is None else f"{family}.{group}.{ages[0]:02}{'+' if ages[1] < 0 else f'-{ages[1]}'}"
    )


def _ratios(family: Family) -> list[dict[str, Any]]:
    path = data_directory("params") / "population" / f"vektis_region_ratios_{family.year}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        table = {
            (int(r["age_from"]), int(r["age_to"]), r["category"]): (float(r["actual_eur"]), float(r["expected_eur"]))
            for r in csv.DictReader(line for line in file if not line.startswith("#"))
            if r["municipality"] == "Mijnstreek"
        }
    rows = []
    for group, parts in VEKTIS_GROUPS.items():
        for ages in (None, *(BROAD_AGES if group in PROFILED else ())):
            low, high = ages or (0, -1)
            pairs = [table[low, high, part] for part in parts if (low, high, part) in table]
            actual, expected = sum(a for a, _ in pairs), sum(e for _, e in pairs)
            if expected < 1.0:  # a ratio to less than a euro says nothing
                continue
            words = "all ages" if ages is None else f"{low}+" if high < 0 else f"{low}-{high}"
            rows.append(
                _draft(
                    family,
                    ratio_key(family.key, group, ages),
                    f"{group}, {words}, Mijnstreek / country",
                    actual / expected,
                )
            )
    return rows


def _weights(family: Family) -> list[dict[str, Any]]:
    from anderhalf.model import load_model

    law = load_model(family.law or "nl-2021-structural")
    return [
        _draft(family, weight_key(family.key, c.name, row.code), f"{c.name} {row.code}: {row.label}", row.weight / 1e6)
        for c in law.variable.criteria
        for row in c.classes
    ]


def weight_key(family: str, criterion: str, code: int) -> str:
    """The key of a class of the law."""
    return f"{family}.{criterion}.{code:02}"


def _lines(family: Family) -> list[dict[str, Any]]:
    tops = (3000, 1500, 1000, 700, 400, 150, 50)  # per 10,000 insured
    return [_draft(family, f"mhk_line_{t:04}", f"euros at the top {t / 100:g}%", None) for t in tops]


__all__ = [
    "BROAD_AGES",
    "CARE_GROUPS",
    "PROFILED",
    "Basis",
    "Family",
    "Role",
    "Subgroup",
    "Target",
    "cell_key",
    "cost_goal",
    "families",
    "insured_years_of_vektis",
    "load_targets",
    "ratio_key",
    "sources",
    "subgroups",
    "target_keys",
    "weight_key",
]
