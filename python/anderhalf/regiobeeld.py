"""How a region's care costs compare with the Netherlands, after correction for age and sex (a *regiobeeld*)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf.datasets import VektisData, hundredths, plain_name
from anderhalf.errors import DomainError, ParameterError, Problem, not_found


@dataclass(frozen=True)
class Region:
    """A named list of municipalities, from ``params/regions.toml``."""

    key: str
    name: str
    municipalities: tuple[str, ...]


def load_regions() -> dict[str, Region]:
    """The regions that anderhalf knows, by key."""
    here = Path(__file__).resolve()
    places = [here.parent / "params" / "regions.toml", here.parents[2] / "params" / "regions.toml"]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise ParameterError("the file is not installed with anderhalf", "regions.toml")
    found: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["regions"]
    return {key: Region(key, entry["name"], tuple(entry["municipalities"])) for key, entry in found.items()}


def find_region(key: str) -> Region:
    """The region of that key or name; NotFoundError with what looks like it."""
    regions = load_regions()
    for region in regions.values():
        if plain_name(key) in (plain_name(region.key), plain_name(region.name)):
            return region
    raise not_found("regiobeeld, region", "region", [key], list(regions))


def find_municipalities(data: VektisData, names: Iterable[str]) -> list[str]:
    """The names as the data spell them, in the order asked for; NotFoundError names all that are not there."""
    known = {plain_name(name): name for name in data.municipalities}
    asked = list(dict.fromkeys(names))
    unknown = [name for name in asked if plain_name(name) not in known]
    if unknown:
        raise not_found(f"Vektis {data.year}, municipality", "municipality", unknown, list(known.values()))
    return list(dict.fromkeys(known[plain_name(name)] for name in asked))


@dataclass(frozen=True)
class Comparison:
    """Actual and expected cost of groups of cells: rows groups, columns categories.

    ``expected[g, c] = sum over cells i of g of years[i] * rate[age and sex of i, c]`` with ``rate`` the national cost
    per insured year of that age and sex.
    """

    groups: tuple[str, ...]
    categories: tuple[str, ...]
    insured_years: NDArray[np.float64]  # (groups)
    actual: NDArray[np.float64]         # (groups, categories) euros
    expected: NDArray[np.float64]       # (groups, categories) euros

    def ratio(self) -> NDArray[np.float64]:
        """Actual over expected per group and category; NaN where nothing is expected."""
        return np.divide(self.actual, self.expected, out=np.full_like(self.actual, np.nan), where=self.expected > 0)


def compare(data: VektisData, group: Sequence[str] | pd.Series[Any]) -> Comparison:
    """Actual and expected cost of each group; ``group`` names the group of each cell, "" for none."""
    if len(group) != len(data.cells):
        raise DomainError(Problem("compare: group", "another length than the cells", str(len(data.cells)), str(len(group))))
    cells = data.cells
    age_sex = cells["sex"].astype(str) + " " + cells["age"].astype(str)
    years = hundredths(cells["insured_years"])
    cents = cells[[f"{c}_cents" for c in data.categories]].to_numpy(dtype=np.int64)

    cell_code, cell_names = pd.factorize(age_sex)
    nation_years = np.zeros(len(cell_names), dtype=np.int64)
    np.add.at(nation_years, cell_code, years)
    nation_cents = np.zeros((len(cell_names), cents.shape[1]), dtype=np.int64)
    np.add.at(nation_cents, cell_code, cents)
    rate = np.divide(nation_cents, nation_years[:, None], out=np.zeros(nation_cents.shape), where=nation_years[:, None] > 0)

    labels = pd.Series(list(group), dtype=object)
    names = [str(g) for g in pd.unique(labels) if g != ""]
    code = labels.map({g: k for k, g in enumerate(names)}).to_numpy()
    inside = labels.to_numpy() != ""
    group_code = code[inside].astype(np.int64)
    counts = np.zeros((len(names), len(cell_names)), dtype=np.int64)
    np.add.at(counts, (group_code, cell_code[inside]), years[inside])
    actual = np.zeros((len(names), cents.shape[1]), dtype=np.int64)
    np.add.at(actual, group_code, cents[inside])
    # rate is cents per hundredth of a year: euros are rate * hundredths / 100; einsum sums in a fixed order.
    expected = np.einsum("gk,kc->gc", counts.astype(np.float64), rate, optimize=False) / 100.0
    return Comparison(tuple(names), data.categories, counts.sum(axis=1) / 100.0, actual / 100.0, expected)
