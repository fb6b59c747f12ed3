"""Is a population like the Dutch one? Statistics for every target, and checks that compare them.

Targets stand in ``params/population/targets.toml`` (:mod:`anderhalf.targets`). Some were used to set parameters
(``calibrated``), the others were not (``held_out``) and are shown apart. Realised samples are never rescaled.
"""

from __future__ import annotations

import functools
import math
import statistics as statistics_
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf import _core
from anderhalf.calibration import BASES, check_base
from anderhalf.columns import days_in
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem
from anderhalf.export import MINIMUM_PERSONS, small_cells
from anderhalf.parameters import CATEGORIES
from anderhalf.population import BANDS, addon_drugs, synthesise
from anderhalf.targets import (
    BROAD_AGES,
    CARE_GROUPS,
    PROFILED,
    Subgroup,
    Target,
    cell_key,
    cost_goal,
    families,
    insured_years_of_vektis,
    load_targets,
    ratio_key,
    subgroups,
    weight_key,
)

if TYPE_CHECKING:
    from anderhalf.simulation import World

Array = NDArray[Any]
Statistics = dict[str, tuple[float, float]]
K = len(CATEGORIES)
HOSPITAL, DRUGS, NURSING, GGZ, GP = (CATEGORIES.index(c) for c in ("hospital", "drugs", "nursing", "ggz", "gp"))
INSURED_YEARS = (2015, 2018, 2021, 2023)
_LAG = 3  # years between the cost year of an estimate and the equalization year


class Measured(NamedTuple):
    """A statistic with its sampling error and the number of rows (persons, insured periods) it rests on.

    ``fewest``: persons whose care or trait decides the value (users in a cell, those with a flag or those without),
    where they are others than the rows. Microdata are hidden by these.
    """

    value: float
    error: float
    rows: int
    fewest: int | None = None

    @property
    def persons(self) -> int:
        """What small cells are told by."""
        return self.rows if self.fewest is None else min(self.rows, self.fewest)


# --- one pass over records and claims ---------------------------------------------------------------------------------


@dataclass
class _Survey:
    """What one pass over the blocks keeps: sums per cell of the cost years, and a few columns per person."""

    sums: dict[int, dict[str, Array]]
    columns: dict[str, Array]
    insured: dict[int, tuple[float, int]]  # insured years and records


def _day(year: int) -> int:
    return int(np.datetime64(f"{year}-01-01").astype(int))


def _insured(records: Array, year: int) -> tuple[float, int]:
    start, length = _day(year), days_in(year)
    days = np.minimum(records["last_day"], start + length - 1) - np.maximum(records["first_day"], start) + 1
    return float((np.maximum(days, 0) * records["represents"].astype(np.float64)).sum()) / length, int((days > 0).sum())


def _age(birth_month: Array, year: int) -> Array:
    """On 30 June, as Vektis counts."""
    return np.asarray(np.clip((12 * year + 5 - birth_month) // 12, 0, 105))


def _year_of_block(block: Any, year: int, region: Array, addon: Array, placed: bool) -> dict[str, Array]:
    """Persons of a block who are insured in a year, with euros per category; the first record of the year counts.

    ``placed``: records anywhere have a region, so that those without one live abroad.
    """
    start, length = _day(year), days_in(year)
    r = block.records
    r = r[(r["first_day"] < start + length) & (r["last_day"] >= start)]
    c = block.claims
    c = c[(c["opened"] >= start) & (c["opened"] < start + length)]
    person, first, at = np.unique(r["person"], return_index=True, return_inverse=True)
    days = np.minimum(r["last_day"], start + length - 1) - np.maximum(r["first_day"], start) + 1
    row = np.minimum(np.searchsorted(person, c["person"]), max(0, len(person) - 1))
    known = (person[row] == c["person"]) if len(person) else np.zeros(len(c), dtype=bool)
    c, row = c[known], row[known]
    category = c["category"].astype(np.int64)
    category[(category == DRUGS) & np.isin(c["product"], addon)] = HOSPITAL
    euros = np.bincount(row * K + category, weights=c["claimed_cents"] / 100.0, minlength=K * len(person))
    of = r[first]
    return {
        "person": person,
        "represents": of["represents"].astype(np.float64),
        "time": np.bincount(at, weights=days / length, minlength=len(person)),
        "birth_month": of["birth_month"].astype(np.int64),
        "sex": of["sex"].astype(np.int64),
        "group": np.isin(of["municipality"], region).astype(np.int64),
        "abroad": (of["region"] == 0) & placed,
        "voluntary": of["voluntary_deductible_cents"].astype(np.int64),
        "euros": euros.reshape(len(person), K),
        "claims": np.bincount(row, minlength=len(person)),
    }


def _cell_sums(year: int, p: Mapping[str, Array]) -> dict[str, Array]:
    """Sums per [group][sex][band]([category]) from which means and their errors follow; nobody who lives abroad."""
    p = {name: values[~p["abroad"]] for name, values in p.items()}
    band = np.minimum(BANDS - 1, _age(p["birth_month"], year) // 5)
    cell = (p["group"] * 2 + p["sex"] - 1) * BANDS + band
    size = 4 * BANDS
    w, t, c = p["represents"], p["time"], p["euros"]
    each = (cell[:, None] * K + np.arange(K)).ravel()

    def by_category(values: Array) -> Array:
        return np.bincount(each, weights=values.ravel(), minlength=size * K).reshape(2, 2, BANDS, K)

    def by_cell(values: Array) -> Array:
        return np.bincount(cell, weights=values, minlength=size).reshape(2, 2, BANDS)

    wc = w[:, None] * c
    return {
        "rows": by_cell(np.ones(len(cell))),
        "years": by_cell(w * t),
        "years2": by_cell((w * t) ** 2),
        "cost": by_category(wc),
        "cost2": by_category(wc**2),
        "cross": by_category(wc * (w * t)[:, None]),
        "users": by_category((c != 0).astype(np.float64)),
    }


def _conditions(people: Any, k: int, year: int, chosen: Mapping[str, Array], person: Array) -> dict[str, Array]:
    rows = _core.conditions_of_block(people.tables, people.plan, k, year, year)
    at = np.minimum(np.searchsorted(person, rows[:, 0].astype(np.uint64)), max(0, len(person) - 1))
    known = person[at] == rows[:, 0].astype(np.uint64) if len(person) else np.zeros(len(rows), dtype=bool)
    at, condition = at[known], rows[known, 2]
    result = {"conditions": np.bincount(at, minlength=len(person))}
    for name, wanted in chosen.items():
        has = np.zeros(len(person), dtype=bool)
        has[at[np.isin(condition, wanted)]] = True
        result[f"has_{name}"] = has
    return result


class Subject:
    """A population with all that statistics are made of; each part is computed when it is first asked for.

    Parameters
    ----------
    people : Insured
        Anything with records and claims by block: a population, a dataset, microdata.
    world : World, optional
        The same people under ``nl-2021-structural``, when there is one already.
    year : int
        Cost year that is compared; the equalization year of classes is three years later.
    """

    def __init__(self, people: Any, world: World | None = None, *, year: int = 2018, threads: int = 1) -> None:
        first, last = people.years
        if not first <= year <= last:
            raise NotFoundError(Problem("validate, year", "the cost year is not there", f"{first}..{last}", str(year)))
        self.people, self.year, self.threads = people, year, threads
        self.start = year + _LAG
        nominal = getattr(people, "prices", "law_year") == "nominal"
        self.own_prices = nominal or getattr(people, "origin", "synthetic") == "microdata"
        self._worlds: dict[str, Any] = {}
        self.notes: dict[str, str] = {}  # why families have no value
        if world is not None:
            self._worlds[world.model.name] = world

    @property
    def has_conditions(self) -> bool:
        """Whether the states behind the care are known: only for people generated here."""
        return hasattr(self.people, "tables") and hasattr(self.people, "plan")

    def world(self, law: str) -> Any:
        """The people under a law with cost year ``year``; refused with the reason when years are missing."""
        if law not in self._worlds:
            from anderhalf.model import load_model
            from anderhalf.simulation import Rules, World

            first, last = self.people.years
            if first > self.start - 2 * _LAG or last < self.start:
                raise NotFoundError(
                    Problem(
                        "years", "too few for classes", f"{self.start - 2 * _LAG}..{self.start}", f"{first}..{last}"
                    )
                )
            rules = Rules(start=self.start, horizon=1)
            self._worlds[law] = World(self.people, load_model(law), rules, threads=self.threads)
        return self._worlds[law]

    @cached_property
    def _region(self) -> Array:
        try:
            return np.array(self.people.municipality_codes("mijnstreek"))
        except AnderhalfError:
            return np.array([], dtype=np.int64)

    @cached_property
    def survey(self) -> _Survey:
        """One pass over all blocks: cost years, persons, conditions of the year before."""
        first, last = self.people.years
        years = [y for y in range(self.year - _LAG, self.year + 2) if first <= y <= last]
        cost_years = [y for y in (self.year, 2018, 2023) if first <= y <= last]
        addon = np.array(addon_drugs())
        chosen = self._chosen_conditions() if self.has_conditions else {}

        counted = [y for y in INSURED_YEARS if first <= y <= last]
        wanted = sorted({*years, *cost_years})

        read = (min(wanted + counted), max(wanted + counted))
        placed = self._placed(read)

        def one(k: int) -> tuple[dict[int, dict[str, Array]], dict[str, Array], list[tuple[float, int]]]:
            block = self.people.block(k, read)
            parts = {y: _year_of_block(block, y, self._region, addon, placed) for y in wanted}
            sums = {y: _cell_sums(y, parts[y]) for y in dict.fromkeys(cost_years)}
            return sums, self._persons(k, block, parts, chosen), [_insured(block.records, y) for y in counted]

        sums: dict[int, dict[str, Array]] = {}
        columns: dict[str, list[Array]] = {}
        insured = dict.fromkeys(counted, (0.0, 0))
        with ThreadPoolExecutor(max(1, self.threads)) as pool:
            for part, people, totals in _in_order(pool, one, len(self.people), self.threads):
                for y, tables in part.items():
                    for name, values in tables.items():
                        at = sums.setdefault(y, {})
                        at[name] = at.get(name, 0) + values
                for name, values in people.items():
                    columns.setdefault(name, []).append(values)
                for y, (years_, rows) in zip(counted, totals, strict=True):
                    insured[y] = (insured[y][0] + years_, insured[y][1] + rows)
        return _Survey(sums, {name: np.concatenate(v) for name, v in columns.items()}, insured)

    def _placed(self, years: tuple[int, int]) -> bool:
        """Whether any record has a region; the first block tells, unless nobody in it has one."""
        return any((self.people.block(k, years).records["region"] > 0).any() for k in range(len(self.people)))

    def _chosen_conditions(self) -> dict[str, Array]:
        keys = [c.key for c in self.people.tables.parameters.conditions]
        result = {}
        for name, group in subgroups().items():
            if group.conditions:
                unknown = [c for c in group.conditions if c not in keys]
                if unknown:
                    where = f"targets.toml, subgroup {name}"
                    raise ParameterError(
                        Problem(where, f"unknown conditions: {', '.join(unknown)}", "keys of conditions.toml")
                    )
                result[name] = np.array([keys.index(c) for c in group.conditions])
        return result

    def _persons(
        self, k: int, block: Any, parts: Mapping[int, Mapping[str, Array]], chosen: Mapping[str, Array]
    ) -> dict[str, Array]:
        """Columns per person insured in the cost year, and what the years around it say of them."""
        if self.year not in parts:
            return {}
        now = parts[self.year]
        person, euros = now["person"], now["euros"]
        total = euros.sum(axis=1)
        result = {
            "person": person,
            "represents": now["represents"],
            "time": now["time"],
            "age": _age(now["birth_month"], self.year),
            "sex": now["sex"],
            "voluntary": now["voluntary"],
            "cost": total,
            "hospital": euros[:, HOSPITAL],
            "nursing": euros[:, NURSING],
            "ggz": euros[:, GGZ],
        }

        def aligned(year: int, values: Callable[[Mapping[str, Array]], Array]) -> tuple[Array, Array]:
            other = parts[year]
            at = np.minimum(np.searchsorted(other["person"], person), max(0, len(other["person"]) - 1))
            there = other["person"][at] == person if len(other["person"]) else np.zeros(len(person), dtype=bool)
            found = values(other)
            return there, np.where(there, found[at] if len(found) else 0.0, 0.0)

        if self.year + 1 in parts:
            result["later"], result["cost_later"] = aligned(self.year + 1, lambda p: p["euros"].sum(axis=1))
            result["switches"] = self._switches(block, person)
        for lag in range(1, _LAG + 1):
            if self.year - lag not in parts:
                break
            there, hospital = aligned(self.year - lag, lambda p: p["euros"][:, HOSPITAL])
            result[f"insured_{lag}"], result[f"hospital_{lag}"] = there, hospital
        if self.year - 1 in parts:
            _, outside = aligned(self.year - 1, lambda p: p["euros"].sum(axis=1) - p["euros"][:, GP])
            result["outside_gp_1"] = outside
            if self.has_conditions:
                result.update(_conditions(self.people, k, self.year - 1, chosen, person))
        return result

    def _switches(self, block: Any, person: Array) -> Array:
        """1 and 0: another insurer on 1 January after the cost year or the same one; -1: not insured on both days."""
        after = _day(self.year + 1)
        r = block.records
        old = r[(r["first_day"] < after) & (r["last_day"] >= after - 1)]
        new = r[(r["first_day"] <= after) & (r["last_day"] >= after)]
        code = np.full((2, len(person)), -1, dtype=np.int64)
        for k, rows in enumerate((old, new)):
            at = np.minimum(np.searchsorted(person, rows["person"]), max(0, len(person) - 1))
            known = person[at] == rows["person"] if len(person) else np.zeros(len(rows), dtype=bool)
            code[k, at[known]] = rows["insurer"][known]
        return np.where((code >= 0).all(axis=0), (code[0] != code[1]).astype(np.int64), -1)


def _in_order(pool: ThreadPoolExecutor, one: Callable[[int], Any], count: int, threads: int) -> Iterator[Any]:
    """Results of all blocks in order, no more than a few ahead of the reader."""
    from collections import deque

    waiting: deque[Any] = deque()
    for k in range(count):
        waiting.append(pool.submit(one, k))
        if len(waiting) > 2 * max(1, threads):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


# --- statistics by family ---------------------------------------------------------------------------------------------


def _heads(chosen: Array, person: Array | None) -> int:
    """Persons of the chosen rows; without ``person`` every row is one."""
    return int(chosen.sum()) if person is None else len(np.unique(person[chosen]))


def _share(flags: Array, weight: Array, of: Array | None = None, person: Array | None = None) -> Measured:
    """Share of the insured (rows times ``represents``) that a flag holds for, with its sampling error."""
    inside = np.ones(len(flags), dtype=bool) if of is None else of
    fewest = min(_heads(inside & flags, person), _heads(inside & ~flags, person))
    chosen, w = flags[inside], weight[inside]
    total = float(w.sum())
    if total == 0:
        return Measured(math.nan, math.nan, 0)
    value = float((chosen * w).sum()) / total
    return Measured(value, math.sqrt(float((((chosen - value) * w) ** 2).sum())) / total, len(w), fewest)


def _mean(values: Array, weight: Array, fewest: int | None = None) -> Measured:
    """Weighted mean; weights hold time and ``represents``."""
    total = float(weight.sum())
    if total == 0:
        return Measured(math.nan, math.nan, 0)
    value = float((values * weight).sum()) / total
    return Measured(value, math.sqrt(float((((values - value) * weight) ** 2).sum())) / total, len(values), fewest)


def _top(cost: Array, weight: Array, share: float) -> Array:
    """Rows of the top share of insured by cost."""
    order = np.argsort(-cost, kind="stable")
    inside = np.cumsum(weight[order]) <= share * weight.sum()
    chosen = np.zeros(len(cost), dtype=bool)
    chosen[order[inside]] = True
    return chosen


def _cell_error(s: Mapping[str, Array], part: Any, k: Any, expected: float) -> float:
    """Standard error of cost over insured years of the cells ``part`` together, persons drawn apart.

    No less than that of the number of people with cost; a cell where nobody happens to have any is not exact.
    """
    years, mean = s["years"][part].sum(), s["cost"][part][..., k].sum() / s["years"][part].sum()
    cost2, cross = s["cost2"][part][..., k].sum(), s["cross"][part][..., k].sum()
    spread = cost2 - 2 * mean * cross + mean**2 * s["years2"][part].sum()
    users, rows = float(s["users"][part][..., k].sum()), float(s["rows"][part].sum())
    if users == 0:
        return expected
    return max(
        math.sqrt(max(float(spread), 0.0)) / float(years), float(mean) * math.sqrt(max(0.0, 1 - users / rows) / users)
    )


def _costs(subject: Subject) -> dict[str, Measured]:
    """Cost per category, country and region, at the age and sex of Vektis; and every cell."""
    s = subject.survey.sums[subject.year]
    goal, vektis = cost_goal(subject.year, subject.own_prices), insured_years_of_vektis(subject.year)
    result: dict[str, Measured] = {}
    for group, name in enumerate(("country", "region")):
        years, rows = s["years"][group], int(s["rows"][group].sum())
        if not years.sum():
            continue
        for category, goals in goal.items():
            k = CATEGORIES.index(category)
            want = float((goals[group] * years).sum())  # at the sample's own age and sex
            published = float((goals[group] * vektis[group]).sum() / vektis[group].sum())
            scale = published * years.sum() / want
            mean = float(s["cost"][group][..., k].sum() / years.sum())
            error = _cell_error(s, (group,), k, want / float(years.sum()))
            users = int(s["users"][group][..., k].sum())
            result[f"cost_{name}_{category}"] = Measured(mean * scale, error * scale, rows, users)
            for sex in (0, 1):
                for band in range(BANDS):
                    at = (group, sex, band)
                    if s["years"][at] > 0:
                        value = float(s["cost"][at][k] / s["years"][at])
                        result[cell_key(f"cells_{name}", category, sex, band)] = Measured(
                            value, _cell_error(s, at, k, float(goals[at])), int(s["rows"][at]), int(s["users"][at][k])
                        )
    return result


def _ratios(subject: Subject) -> dict[str, Measured]:
    """Region against the country at the same age and sex, all ages and by broad age class."""
    result: dict[str, Measured] = {}
    for year in (2018, 2023):
        s = subject.survey.sums.get(year)
        if s is None or not s["years"][1].sum():
            continue
        years = s["years"].sum(axis=0)
        for group, parts in CARE_GROUPS.items():
            k = list(range(K)) if group == "total" else [CATEGORIES.index(p) for p in parts if p in CATEGORIES]
            national = s["cost"][..., k].sum(axis=(0, -1)) / np.maximum(years, 1e-9)
            for ages in (None, *(BROAD_AGES if group in PROFILED else ())):
                low, high = ages or (0, -1)
                bands = slice(low // 5, BANDS if high < 0 else (high + 1) // 5)
                actual = float(s["cost"][1][:, bands][..., k].sum())
                expected = float((national[:, bands] * s["years"][1][:, bands]).sum())
                if expected <= 0:
                    continue
                error = math.sqrt(float(s["cost2"][1][:, bands][..., k].sum())) / expected
                rows = int(s["rows"][1][:, bands].sum())
                users = s["users"][:, :, bands][..., k].sum(axis=(1, 2)).max(axis=-1)  # country, region: at least
                fewest = int(min(users[1], users[0] or users[1]))
                result[ratio_key(f"ratio_{year}", group, ages)] = Measured(actual / expected, error, rows, fewest)
    return result


def _insured_years(subject: Subject) -> dict[str, Measured]:
    return {
        f"insured_years_{year}": Measured(total, math.nan, rows)
        for year, (total, rows) in subject.survey.insured.items()
    }


def _body(subject: Subject) -> dict[str, Measured]:
    """Who fills the deductible; from the yearly cost under it."""
    ranking = subject.world("nl-2021-structural").core.ranking(subject.year)
    eligible, age, sex = (np.asarray(ranking[k]) for k in ("eligible_cents", "age", "sex"))
    weight, person = np.asarray(ranking["represents"], dtype=np.float64), np.asarray(ranking["person"])
    adult = age >= 18
    result = {}
    for name, chosen in (
        ("men", adult & (sex == 1)),
        ("women", adult & (sex == 2)),
        ("18_34", adult & (age < 35)),
        ("75_plus", age >= 75),
    ):
        result[f"fills_deductible_{name}"] = _share(eligible >= 38_500, weight, chosen, person)
        result[f"no_cost_{name}"] = _share(eligible <= 0, weight, chosen, person)
    return result


def _tail(subject: Subject) -> dict[str, Measured]:
    p = subject.survey.columns
    cost, w = p["cost"], p["represents"]
    total = float((cost * w).sum())
    result = {}
    for name, share in (("1", 0.01), ("5", 0.05)):
        chosen = _top(cost, w, share)
        euros = (cost * w)[chosen]
        result[f"top_{name}"] = Measured(
            float(euros.sum()) / total, float(euros.std() * math.sqrt(len(euros))) / total, len(cost), len(euros)
        )
    top = _top(cost, w, 0.01)
    for name in ("hospital", "ggz", "nursing"):
        part = np.divide(p[name], cost, out=np.zeros_like(cost), where=cost > 0)[top]
        result[f"top_1_{name}"] = _mean(part, (w * cost)[top], int((part > 0).sum()))
    result["top_1_aged_65_or_less"] = _share(p["age"] <= 65, w, top)
    return result


def _persistence(subject: Subject) -> dict[str, Measured]:
    p = subject.survey.columns
    if "later" not in p:
        raise NotFoundError(Problem("years", "no year after the cost year", str(subject.year + 1)))
    both = p["later"]
    now, then, w = p["cost"][both], p["cost_later"][both], p["represents"][both]
    return {
        f"stays_top_{name}": _share(_top(then, w, share), w, _top(now, w, share))
        for name, share in (("10", 0.10), ("1", 0.01))
    }


def _insurance(subject: Subject) -> dict[str, Measured]:
    p = subject.survey.columns
    adult, w = p["age"] >= 18, p["represents"]
    result = {
        "voluntary": _share(p["voluntary"] > 0, w, adult),
        "voluntary_500": _share(p["voluntary"] >= 50_000, w, adult),
    }
    if "switches" in p:
        result["switches"] = _share(p["switches"] > 0, w, p["switches"] >= 0)
    return result


def _classes(subject: Subject) -> dict[str, Measured]:
    """Shares of insured with a class in the equalization year, and of adults on the forfait."""
    c = {k: np.asarray(v) for k, v in subject.world("nl-2021-structural").core.classes(subject.start).items()}
    weight = c["represents"].astype(np.float64) * c["days"]
    person = c["person"]
    adult = c["age"] >= 18
    healthy = adult & (c["morbid"] == 0)
    return {
        "any_fkg": _share(c["fkg"] != 0, weight, None, person),
        "any_dkg": _share(c["dkg"] > 0, weight, None, person),
        "any_hkg": _share(c["hkg"] != 0, weight, None, person),
        "any_fdg": _share(c["fdg"] > 0, weight, None, person),
        "any_mvv": _share(c["mvv"] > 0, weight, None, person),
        "mhk_two_years_or_more": _share(c["mhk"] > 1, weight, None, person),
        "forfait": _share(c["morbid"] != 0, weight, adult, person),
        "mhk_1_of_healthy_adults": _share(c["mhk"] > 0, weight, healthy, person),
    }


def _morbid_2015(subject: Subject) -> dict[str, Measured]:
    frame = subject.world("nl-2015").core.frame(subject.start)
    gsm = frame["classes"]["variable"]["gsm"]
    weight = frame["represents"].astype(np.float64) * frame["days"]
    old = frame["age"] >= 65
    return {
        "morbid_2015_under_65": _share(gsm >= 3, weight, ~old, frame["person"]),
        "morbid_2015_65_plus": _share(gsm >= 3, weight, old, frame["person"]),
    }


def _level(world: Any, year: int) -> float:
    """What brings the mean cost of the estimate to the macro amount."""
    fit = world.core.fit(year)
    return float(world.model.macro_variable / 100 / (fit.insured_years * fit.mean_cost))


def _weights(subject: Subject) -> dict[str, Measured]:
    """Weights estimated on the cost year, at the level of the macro amount; rows is the share in 1 per million."""
    world = subject.world("nl-2021-structural")
    fit, level = world.core.fit(subject.year), _level(world, subject.year)
    days = np.asarray(world.core.totals(subject.year)["variable"]).sum(axis=0)
    names = [(c.name, row.code) for c in world.model.variable.criteria for row in c.classes]
    persons: dict[tuple[str, int], int] = {}
    if subject.people.origin == "microdata":  # for the others the share of days says enough
        frame = world.core.frame(subject.year)
        for c, row, inside in _classes_of(world.model.variable, frame):
            persons[c.name, row.code] = _heads(inside, frame["person"])
    result = {}
    for k, (criterion, code) in enumerate(names):
        if fit.empty[k]:
            continue
        rows = round(fit.rows * float(days[k]) / (days_in(subject.year) * fit.insured_years))
        result[weight_key("weights_2021", criterion, code)] = Measured(
            float(fit.coefficients[k]) * level,
            float(fit.standard_errors[k]) * level,
            rows,
            persons.get((criterion, code)),
        )
    return result


def class_share(subject: Subject) -> dict[str, float]:
    """Share of the insured years in each class of 2021, by the keys of the weights."""
    world = subject.world("nl-2021-structural")
    fit = world.core.fit(subject.year)
    days = np.asarray(world.core.totals(subject.year)["variable"]).sum(axis=0)
    names = [(c.name, row.code) for c in world.model.variable.criteria for row in c.classes]
    total = days_in(subject.year) * fit.insured_years
    return {weight_key("weights_2021", c, code): float(days[k]) / total for k, (c, code) in enumerate(names)}


def _fit(subject: Subject) -> dict[str, Measured]:
    world = subject.world("nl-2021-structural")
    fit = world.core.fit(subject.year)
    frame = world.core.frame(subject.year)
    time = frame["days"] / days_in(subject.year)
    w = frame["represents"] * time
    cost = frame["variable_cents"] / 100 / time
    code = np.asarray(frame["classes"]["variable"]["age_sex"])
    sums, weight = np.bincount(code, weights=w * cost), np.bincount(code, weights=w)
    mean = float(sums.sum() / weight.sum())
    between = np.divide(sums, weight, out=np.full_like(sums, mean), where=weight > 0)
    explained = float((weight * (between - mean) ** 2).sum() / (w * (cost - mean) ** 2).sum())
    return {
        "r2": Measured(float(fit.r2), math.nan, int(fit.rows)),
        "r2_age_sex": Measured(explained, math.nan, int(fit.rows)),
    }


def _steps(subject: Subject) -> dict[str, Measured]:
    """What leaving MHK 1 of 3 costs: weight and expected own payment."""
    world = subject.world("nl-2021-structural")
    weights = _weights(subject)
    low, high = (weights[weight_key("weights_2021", "mhk", code)] for code in (0, 1))
    step = Measured(
        high.value - low.value, math.hypot(low.error, high.error), high.rows, min(low.persons, high.persons)
    )
    return {"mhk_step": step, "own_payment_step": _own_payment_step(world, subject.start)}


def _own_payment_step(world: Any, year: int) -> Measured:
    """Regression of own payments of adults without morbidity on the criteria of the deductible model: the MHK step."""
    frame = world.core.frame(year)
    columns = {k: np.asarray(v) for k, v in frame["classes"]["deductible"].items()}
    names = ("age_sex", "avi", "region", "mhk")
    chosen = (columns["forfait"] == 0) & np.all([columns[name] >= 0 for name in names], axis=0)
    time = (frame["days"] / days_in(year))[chosen]
    w = frame["represents"][chosen] * time
    y = frame["own_payments_mandatory_cents"][chosen] / 100 / time
    parts = [columns[name][chosen] for name in names]
    sizes = [int(p.max()) + 1 for p in parts]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    places = np.stack([p + o for p, o in zip(parts, offsets, strict=False)])
    p = int(offsets[-1])
    gram, right = np.zeros((p, p)), np.zeros(p)
    for a in places:
        right += np.bincount(a, weights=w * y, minlength=p)
        for b in places:
            gram += np.bincount(a * p + b, weights=w, minlength=p * p).reshape(p, p)
    inverse = np.linalg.pinv(gram, hermitian=True)
    beta = inverse @ right
    residual = y - beta[places].sum(axis=0)
    high, low = offsets[3] + 1, offsets[3]
    contrast = np.zeros(p)
    contrast[high], contrast[low] = 1.0, -1.0
    influence = (inverse @ contrast)[places].sum(axis=0) * w * residual
    rows, person = int((parts[3] == 1).sum()), frame["person"][chosen]
    fewest = min(_heads(parts[3] == code, person) for code in (0, 1))
    return Measured(float(beta[high] - beta[low]), math.sqrt(float((influence**2).sum())), rows, fewest)


def _lines(subject: Subject) -> dict[str, Measured]:
    world = subject.world("nl-2021-structural")
    w = subject.survey.columns["represents"]
    alike = float(w.sum() / w.max())  # persons, if all stood for as many as the one who stands for most
    result = {}
    for top, cents in zip(world.scheme.mhk_tops, world.core.mhk_lines(subject.year), strict=True):
        # to the cent a line is one person's cost
        euros = float(round(cents / 100)) if subject.people.origin == "microdata" else cents / 100
        result[f"mhk_line_{top:04}"] = Measured(
            euros, math.nan, int(world.core.persons), math.floor(alike * top / 10_000)
        )
    return result


def _amounts(subject: Subject) -> dict[str, Measured]:
    """Normative amounts of the equalization year against those of the law, and the mean expected own payment."""
    world, year = subject.world("nl-2021-structural"), subject.start
    law, ante, totals = world.model, world.core.ex_ante(year), world.core.totals(year)
    rows = int(world.core.records)
    adults = sum(totals["adult_days"]) / days_in(year)
    own = sum(ante["expected_own_payments"])
    pairs = {
        "variable": (sum(ante["variable"]), law.macro_variable),
        "ggz": (sum(ante["ggz"]), law.macro_ggz),
        "fixed": (sum(totals["cost_fixed"]), law.macro_fixed),
        "own_payments": (own, law.revenue_deductible),
        "premium": (sum(ante["premium_deducted"]), law.revenue_premium),
    }
    result = {f"macro_gap_{k}": Measured(a / b - 1, math.nan, rows) for k, (a, b) in pairs.items() if b}
    result["expected_own_payment"] = Measured(own / 100 / adults, math.nan, rows)
    return result


def _residuals(subject: Subject, law: str) -> dict[str, Array]:
    """Payment less cost of every insured period under weights estimated on the same cost year, per insured year."""
    world = subject.world(law)
    frame, fit = world.core.frame(subject.year), world.core.fit(subject.year)
    columns = {k: np.asarray(v) for k, v in frame["classes"]["variable"].items()}
    norm = np.zeros(len(frame["days"]))
    k = 0
    for criterion in world.model.variable.criteria:
        codes = [row.code for row in criterion.classes]
        b = np.nan_to_num(np.asarray(fit.coefficients[k : k + len(codes)]))
        k += len(codes)
        if criterion.name in columns:
            table = np.zeros(max(codes) + 2)  # the last: -1, no class, as those abroad have of region
            table[codes] = b
            norm += table[columns[criterion.name]]
            continue
        none = np.ones(len(norm), dtype=bool)
        for code, weight in zip(codes, b, strict=True):
            if code > 0:
                count = columns[f"{criterion.name}_{code}"]
                norm += weight * count
                none &= count == 0
        norm += np.where(none, b[0], 0.0)
    time = frame["days"] / days_in(subject.year)
    return {
        "person": frame["person"],
        "insurer": frame["insurer"],
        "weight": frame["represents"] * time,
        "result": norm - frame["variable_cents"] / 100 / time,
    }


def _inside(subject: Subject, group: Subgroup) -> Array | None:
    """Who is in a group, for the persons of the survey columns; None when what defines it is not known."""
    p = subject.survey.columns
    if group.complement is not None:
        other = _inside(subject, subgroups()[group.complement])
        return None if other is None else ~other
    if group.conditions:
        name = next(n for n, g in subgroups().items() if g is group or g == group)
        return p.get(f"has_{name}")
    if group.complement_of_any:
        return p["conditions"] == 0 if "conditions" in p else None
    if group.most_conditions is not None:
        if "conditions" not in p:
            return None
        tie = (p["person"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) / 2.0**64
        return _top(p["conditions"] + tie % 1.0 * 0.999, p["represents"], group.most_conditions)
    if group.care and "hospital_1" in p:
        return np.asarray(p["hospital_1"] > 0)
    if group.no_care_outside and "outside_gp_1" in p:
        return np.asarray(p["outside_gp_1"] < 1)
    if group.below_p75 and f"hospital_{_LAG}" in p:
        inside = np.ones(len(p["person"]), dtype=bool)
        for lag in range(1, _LAG + 1):
            inside &= ~_top(p[f"hospital_{lag}"], p["represents"], 0.25) | (p[f"hospital_{lag}"] <= 0)
        return inside
    return None


def _groups(subject: Subject, family: str, law: str, names: Mapping[str, str]) -> dict[str, Measured]:
    """Mean result per insured year of groups insured in the year before too; ``names``: key -> group."""
    p = subject.survey.columns
    before = p["insured_1"] if "insured_1" in p else np.zeros(len(p["person"]), dtype=bool)
    result = {}
    residual = _residuals(subject, law) if family.startswith("subgroups") else None
    for key, name in names.items():
        inside = _inside(subject, subgroups()[name])
        if inside is None:
            continue
        if residual is None:
            result[key] = _share(inside, p["represents"], before)
            continue
        at = np.minimum(np.searchsorted(p["person"], residual["person"]), len(p["person"]) - 1)
        chosen = (p["person"][at] == residual["person"]) & (inside & before)[at]
        fewest = _heads(chosen, residual["person"])
        result[key] = _mean(residual["result"][chosen], residual["weight"][chosen], fewest)
    return result


def _subgroups(subject: Subject) -> dict[str, Measured]:
    result: dict[str, Measured] = {}
    for family in families():
        if family.key.startswith("subgroup"):
            names = {row["key"]: row["key"].partition("_")[2] for row in family.target}
            result.update(_groups(subject, family.key, family.law or "nl-2021-structural", names))
    return result


def _insurers(subject: Subject) -> dict[str, Measured]:
    r = _residuals(subject, "nl-2021-structural")
    insured = [r["insurer"] == i for i in np.unique(r["insurer"])]
    means = [_mean(r["result"][own], r["weight"][own], _heads(own, r["person"])) for own in insured]
    low, high = min(means, key=lambda m: m.value), max(means, key=lambda m: m.value)
    fewest, rows = min(low.persons, high.persons), min(low.rows, high.rows)
    return {"bandwidth": Measured(high.value - low.value, math.hypot(low.error, high.error), rows, fewest)}


_MEASURES: tuple[tuple[tuple[str, ...], Callable[[Subject], dict[str, Measured]]], ...] = (
    (("cost_country", "cost_region", "cells_country", "cells_region"), _costs),
    (("ratio_2018", "ratio_2023"), _ratios),
    (("insured_years",), _insured_years),
    (("body",), _body),
    (("tail",), _tail),
    (("persistence",), _persistence),
    (("insurance",), _insurance),
    (("classes", "deductible", "mhk"), _classes),
    (("mhk",), _steps),
    (("mhk_lines",), _lines),
    (("fit",), _fit),
    (("weights_2021",), _weights),
    (("deductible", "macro"), _amounts),
    (("morbid_2015",), _morbid_2015),
    (("subgroups_2014", "subgroup_shares_2014", "subgroups_2021"), _subgroups),
    (("insurers",), _insurers),
)


def measure(subject: Subject, keys: Collection[str] | None = None) -> dict[str, Measured]:
    """Statistics of a subject with the rows they rest on; only of ``keys`` when given.

    What cannot be computed (too few years, no conditions) has no value; ``subject.notes`` says why.
    """
    targets = load_targets()
    wanted = {t.key for t in targets} if keys is None else set(keys)
    of_family = {t.key: t.family for t in targets}
    unknown = sorted(wanted - set(of_family))
    if unknown:
        raise NotFoundError(Problem("statistics", f"unknown keys: {', '.join(unknown[:5])}", "keys of targets.toml"))
    asked = {of_family[key] for key in wanted}
    result: dict[str, Measured] = {}
    for served, function in _MEASURES:
        if not asked.intersection(served):
            continue
        try:
            found = function(subject)
        except NotFoundError as error:
            for name in served:
                subject.notes[name] = str(error)
            continue
        result.update({k: v for k, v in found.items() if k in wanted})
    return result


def statistics(subject: Any, keys: Collection[str] | None = None, *, year: int = 2018, threads: int = 1) -> Statistics:
    """``{key: (value, sampling error)}`` of a population or a world, for the keys of ``targets.toml``.

    Parameters
    ----------
    subject : Insured, World or Subject
    keys : collection of str, optional
        Compute these only: ``target_keys("calibrated")`` never touches a held-out figure. Default: all.
    """
    return {k: (m.value, m.error) for k, m in measure(_subject(subject, year, threads), keys).items()}


def _subject(subject: Any, year: int, threads: int) -> Subject:
    if isinstance(subject, Subject):
        return subject
    if hasattr(subject, "core") and hasattr(subject, "people"):
        return Subject(subject.people, subject, year=year, threads=max(threads, subject.threads))
    return Subject(subject, year=year, threads=threads)


# --- checks -----------------------------------------------------------------------------------------------------------

Verdict = Literal["within", "within error", "missed", "no value", "printed", "left out"]
FAR = 2.0  # held-out targets may be this many times as far off as calibrated ones


@dataclass(frozen=True)
class Check:
    """A target and what the population gives.

    Attributes
    ----------
    standard_error : float or None
        Sampling error from within one population, for the mean over seeds.
    monte_carlo_error : float or None
        Of the mean over seeds: their standard deviation over the root of their number. None for one seed.
    rows : int or None
        Persons or insured periods the value rests on; of microdata the fewest persons that decide it.
    share : float or None
        Share of the insured years in the class, for weights; classes below the minimum of the family are not judged.
    hidden : bool
        Left out: a small cell of microdata.
    """

    target: Target
    value: float | None
    standard_error: float | None
    rows: int | None
    share: float | None = None
    monte_carlo_error: float | None = None
    hidden: bool = False

    @property
    def judged(self) -> bool:
        """Whether a miss counts: the class is large enough."""
        minimum = _minimum_share(self.target.family)
        return minimum == 0.0 or (self.share is not None and self.share >= minimum)

    @property
    def error(self) -> float | None:
        """The larger of the Monte-Carlo error over seeds and the sampling error; few seeds can agree by chance."""
        known = [e for e in (self.standard_error, self.monte_carlo_error) if e is not None]
        return max(known, default=None)

    @property
    def gap(self) -> float | None:
        """Value less what was published."""
        if self.value is None or self.target.value is None:
            return None
        return self.value - self.target.value

    @property
    def relative_gap(self) -> float | None:
        """Size of the gap in tolerances; 1 is the edge of a symmetric range."""
        gap, tolerance = self.gap, self.target.tolerance
        return None if gap is None or not tolerance else abs(gap) / tolerance

    @property
    def verdict(self) -> Verdict:
        """``within error`` is outside the range by no more than three standard errors."""
        t = self.target
        if self.hidden:
            return "left out"
        if self.value is None:
            return "no value"
        if t.low is None or t.high is None:
            return "printed"
        if t.low <= self.value <= t.high:
            return "within"
        outside = max(t.low - self.value, self.value - t.high)
        return "within error" if outside <= 3 * (self.error or 0.0) else "missed"

    @property
    def explanation(self) -> str:
        """Why it is missed or has no value, from ``targets.toml``; empty otherwise."""
        return self.target.explanation if self.verdict in ("missed", "no value") and self.judged else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and tables."""
        t = self.target
        return {
            "key": t.key,
            "family": t.family,
            "label": t.label,
            "role": t.role,
            "unit": t.unit,
            "year": t.year,
            "basis": t.basis,
            "source": t.source,
            "verdict": self.verdict,
            "explanation": self.explanation,
            "target": t.value,
            "low": t.low,
            "high": t.high,
            "value": self.value,
            "standard_error": self.standard_error,
            "monte_carlo_error": self.monte_carlo_error,
            "gap": self.gap,
            "gap_in_tolerances": self.relative_gap,
            "share": self.share,
            "judged": self.judged,
            "rows": self.rows,
        }


@functools.cache
def _minimum_share(family: str) -> float:
    return next(f.minimum_share for f in families() if f.key == family)


@dataclass(frozen=True)
class Validation:
    """Every target with what the population gives.

    Attributes
    ----------
    checks : tuple of Check
        In the order of ``targets.toml``.
    concentration : tuple of (float, float)
        Share of the insured with the highest cost, share of all cost that is theirs: the Lorenz curve from the top.
    notes : tuple of str
        Families without a value, and why.
    own_prices : bool
        Cost is compared at the prices of the cost year, not at the level of the law year.
    """

    checks: tuple[Check, ...]
    persons: int
    seeds: tuple[int, ...]
    year: int
    origin: Literal["synthetic", "microdata"] = "synthetic"
    concentration: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = field(default=())
    data_sha256: str | None = None
    own_prices: bool = False

    def of_family(self, family: str) -> tuple[Check, ...]:
        """The checks of one family."""
        return tuple(c for c in self.checks if c.target.family == family)

    def of_role(self, role: str) -> tuple[Check, ...]:
        """Checks that were ``calibrated``, ``held_out`` or a ``check``."""
        return tuple(c for c in self.checks if c.target.role == role)

    def check(self, key: str) -> Check:
        """The check of one target."""
        return next(c for c in self.checks if c.target.key == key)

    def unexplained(self) -> tuple[str, ...]:
        """Keys of judged targets that are missed, or have no value, without an explanation in ``targets.toml``."""
        return tuple(
            c.target.key
            for c in self.checks
            if c.judged and c.verdict in ("missed", "no value") and not c.target.explanation
        )

    def summary(self) -> pd.DataFrame:
        """A row per family and role: how many, how many within, and the median gap in tolerances."""
        rows = []
        for family in families():
            for role in ("calibrated", "held_out", "check"):
                checks = [c for c in self.of_family(family.key) if c.target.role == role]
                if checks:
                    rows.append({"family": family.key, "title": family.title, "role": role, **_counts(checks)})
        return pd.DataFrame(rows)

    def held_out_against_calibrated(self) -> pd.DataFrame:
        """Median gap of held-out and of calibrated targets in tolerances, and their ratio.

        First in the families that have both; then over all targets but the cells, where the inputs of the calibration
        (cost by category of the base year) stand against the ratios of another year.
        """
        both = {
            f.key
            for f in families()
            if {"calibrated", "held_out"} <= {c.target.role for c in self.of_family(f.key) if c.judged}
        }
        every = {f.key for f in families() if f.members != "cells"}
        rows = []
        for name, chosen in (("families with both roles", both), ("all targets but cells", every)):
            median = {}
            for role in ("calibrated", "held_out"):
                gaps = [
                    c.relative_gap
                    for c in self.of_role(role)
                    if c.judged and c.relative_gap is not None and c.target.family in chosen
                ]
                median[role] = float(np.median(gaps)) if gaps else math.nan
            far = median["held_out"] / median["calibrated"] if median["calibrated"] > 0 else math.nan
            rows.append({"of": name, **median, "held_out_over_calibrated": far, "limit": FAR})
        return pd.DataFrame(rows)

    def comparison(self) -> str:
        """Held-out against calibrated gaps in words; microdata were calibrated on nothing."""
        parts: list[str] = []
        if self.origin == "microdata":
            return ""
        for row in self.held_out_against_calibrated().to_dict("records"):
            if math.isnan(row["held_out_over_calibrated"]):
                continue
            word = "no worse than" if row["held_out_over_calibrated"] <= FAR else "WORSE THAN"
            parts.append(
                f"{row['of']}: median gap {row['held_out']:.2f} tolerances held out, {row['calibrated']:.2f} calibrated"
                f" ({row['held_out_over_calibrated']:.2f} times, {word} {FAR:g} times)"
            )
        return "; ".join(parts)

    def frame(self) -> pd.DataFrame:
        """All checks as a table."""
        return pd.DataFrame([c.to_dict() for c in self.checks])

    def to_dict(self) -> dict[str, Any]:
        """What ``results.json`` holds; of microdata no figure that rests on a handful of persons."""
        content: dict[str, Any] = {"persons": self.persons, "seeds": list(self.seeds), "year": self.year}
        checks = [c.to_dict() for c in self.checks]
        content["checks"] = [{**row, "persons": row.pop("rows") or 0} for row in checks]
        if self.origin == "synthetic":
            content["summary"] = self.summary().to_dict("records")
            content["held_out_against_calibrated"] = self.held_out_against_calibrated().to_dict("records")
            content["concentration"] = [{"top_share": a, "cost_share": b} for a, b in self.concentration]
        return {**content, "notes": list(self.notes)}

    def to_json(self) -> str:
        """``results.json`` as :meth:`write` writes it: the same bytes for the same input, no clock times, no paths."""
        from anderhalf.validation_report import results

        return results(self)

    def write(self, out: str | PathLike[str]) -> Path:
        """Write ``report.html, results.json, tables/*.csv, figures/*.svg`` into ``out``, whole or not at all."""
        from anderhalf.validation_report import write

        return write(self, out)

    def __str__(self) -> str:
        seeds = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"seeds {self.seeds[0]}-{self.seeds[-1]}"
        lines = [f"Validation of {self.persons:,} persons, {seeds}, cost year {self.year}"]
        for family in families():
            checks = self.of_family(family.key)
            if checks:
                lines += ["", family.title, *_family_lines(family.members == "cells", checks)]
        if self.comparison():
            lines += ["", "Held out against calibrated: " + self.comparison()]
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join(lines) + "\n"


def _counts(checks: Sequence[Check]) -> dict[str, Any]:
    judged = [c for c in checks if c.judged]
    gaps = [c.relative_gap for c in judged if c.relative_gap is not None]
    count = {v: sum(c.verdict == v for c in judged) for v in ("within", "within error", "missed", "no value")}
    return {
        "targets": len(checks),
        "judged": len(judged),
        **{v.replace(" ", "_"): n for v, n in count.items()},
        "median_gap_in_tolerances": float(np.median(gaps)) if gaps else None,
    }


_LISTED = 10  # worst cells in a list


def _family_lines(cells: bool, checks: Sequence[Check]) -> list[str]:
    lines = []
    shown = checks
    if cells:
        for role in ("calibrated", "held_out"):
            n = _counts([c for c in checks if c.target.role == role])
            if not n["judged"]:
                continue
            gap = n["median_gap_in_tolerances"]
            lines.append(
                f"  {role:<10} {n['judged']} cells: {n['within']} within, {n['within_error']} within error, "
                f"{n['missed']} missed, {n['no_value']} without people; median gap "
                + ("-" if gap is None else f"{gap:.2f} tolerances")
            )
        shown = worst(checks)
        if shown:
            lines.append(f"  The {len(shown)} worst by gap beyond the error:")
    lines += [_line(c) for c in shown]
    texts: dict[str, list[str]] = {}
    for c in checks:
        if c.explanation:
            texts.setdefault(c.explanation, []).append(c.target.label)
    for text, labels in texts.items():
        names = "; ".join(labels[:4]) + (f"; {len(labels) - 4} more" if len(labels) > 4 else "")
        lines.append(f"  Why ({names}): {text}")
    return lines


def worst(checks: Sequence[Check], count: int = _LISTED) -> list[Check]:
    """Missed checks that are farthest outside their range, counted in tolerances."""
    missed = [c for c in checks if c.verdict == "missed" and c.judged]
    return sorted(missed, key=lambda c: -(c.relative_gap or 0.0))[:count]


def _line(c: Check) -> str:
    t = c.target
    aim = "-" if t.low is None or t.high is None else f"{_number(t.low)}..{_number(t.high)}"
    value, error, gap = (_number(x) for x in (c.value, c.error, c.gap))
    verdict = c.verdict if c.judged else f"({c.verdict})"
    return (
        f"  {t.label[:58]:<58} {aim:>19} {t.unit[:5]:<5} {value:>9} se {error:>8} gap {gap:>9}"
        f"  {verdict:<14} {t.role:<10} [{t.source}]"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:.4g}" if abs(value) < 9_999.5 else f"{value:,.0f}"


def validate(
    people: Any,
    world: Any = None,
    *,
    year: int | None = None,
    keys: Collection[str] | None = None,
    seeds: int = 1,
    threads: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Validation:
    """Compare a population with its targets.

    Parameters
    ----------
    people : Insured
        A population, files of one, or microdata. Microdata are compared at the prices of their year; their small cells
        are left out.
    world : World, optional
        The same people under ``nl-2021-structural``, when there is one already.
    year : int, optional
        Cost year; classes are those of the equalization year three years later. Default: the base year of a
        population, else the year of a Vektis table that most can be computed for.
    keys : collection of str, optional
        Targets to look at; default all.
    seeds : int
        Populations with this seed and the next ones: the Monte-Carlo error. Only for people generated here.
    """
    at = default_year(people) if year is None else year
    check_base(at)
    if seeds > 1 and not hasattr(people, "plan"):
        raise DomainError(Problem("validate, seeds", "more than one, for people from files", "1", str(seeds)))
    runs = []
    for k in range(seeds):
        if progress:
            progress(f"population {k + 1} of {seeds}", k, seeds)
        if k == 0:
            runs.append(_validate(people, world, at, keys, threads))
            continue
        more = {"prices": people.prices} if hasattr(people, "prices") else {}
        other = synthesise(people.persons, people.years, people.region, people.seed + k, base=people.base, **more)
        runs.append(_validate(other, None, at, keys, threads))
    return _together(runs)


def default_year(people: Any) -> int:
    """The base year of a population or its files, else a year with a Vektis table, with years of care around it."""
    base = base_of(people)
    if base is not None:
        return base
    first, last = people.years
    inside = [y for y in BASES if first <= y <= last]
    if not inside:
        raise NotFoundError(Problem("validate, years", "no year with a Vektis table", str(BASES), f"{first}..{last}"))
    whole = [y for y in inside if first <= y - _LAG and y + _LAG <= last]
    return max(whole or inside)


def base_of(people: Any) -> int | None:
    """Year of the Vektis cost that the care of people was made from; None when it was not."""
    base = getattr(people, "base", None) or getattr(getattr(people, "manifest", None), "base", None)
    return None if base is None else int(base)


def _validate(people: Any, world: Any, year: int, keys: Collection[str] | None, threads: int) -> Validation:
    subject = Subject(people, world, year=year, threads=threads)
    found = measure(subject, keys)
    hide = people.origin == "microdata"
    base = None if hide else base_of(people)
    targets = [t for t in load_targets(year, subject.own_prices, base) if keys is None or t.key in keys]
    shares = class_share(subject) if any(_minimum_share(t.family) and t.key in found for t in targets) else {}
    checks = []
    for t in targets:
        if hide:  # what is said of the synthetic population is not said of theirs
            t = t.model_copy(update={"explanation": ""})
        m = found.get(t.key)
        few = hide and m is not None and m.persons < MINIMUM_PERSONS
        value = None if m is None or few or math.isnan(m.value) else m.value
        error = None if value is None or m is None or math.isnan(m.error) else m.error
        rows = None if m is None or few else m.persons if hide else m.rows
        share = None if few else shares.get(t.key)
        checks.append(Check(t, value, error, rows, share, hidden=few))
    curve: tuple[tuple[float, float], ...] = ()
    if not hide and any(t.family == "tail" for t in targets):  # its top is one or two persons
        curve = concentration(subject.survey.columns["cost"], subject.survey.columns["represents"])
    notes = tuple(f"{name} has no value: {text}" for name, text in subject.notes.items())
    return Validation(
        tuple(checks),
        people.persons,
        (people.seed,),
        year,
        people.origin,
        curve,
        notes,
        people.data_sha256,
        subject.own_prices,
    )


def _together(runs: Sequence[Validation]) -> Validation:
    """The mean over seeds with its Monte-Carlo error."""
    if len(runs) == 1:
        return runs[0]
    checks = []
    for rows in zip(*(run.checks for run in runs), strict=True):
        values = [c.value for c in rows if c.value is not None]
        errors = [c.standard_error for c in rows if c.standard_error is not None]
        shares = [c.share for c in rows if c.share is not None]
        error = statistics_.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
        checks.append(
            replace(
                rows[0],
                value=statistics_.fmean(values) if values else None,
                standard_error=statistics_.fmean(errors) / math.sqrt(len(errors)) if errors else None,
                monte_carlo_error=error,
                rows=sum(c.rows or 0 for c in rows) or None,
                share=statistics_.fmean(shares) if shares else None,
            )
        )
    curves = [run.concentration for run in runs]
    curve = tuple((points[0][0], statistics_.fmean(p[1] for p in points)) for points in zip(*curves, strict=True))
    seeds = tuple(seed for run in runs for seed in run.seeds)
    notes = tuple(dict.fromkeys(note for run in runs for note in run.notes))
    return replace(runs[0], checks=tuple(checks), seeds=seeds, concentration=curve, notes=notes)


TOPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def concentration(cost: Array, weight: Array) -> tuple[tuple[float, float], ...]:
    """Share of cost of the insured with the highest cost, for the shares of insured in ``TOPS``."""
    order = np.argsort(-cost, kind="stable")
    people, euros = np.cumsum(weight[order]), np.cumsum((cost * weight)[order])
    at = np.interp(np.array(TOPS) * people[-1], np.concatenate(([0.0], people)), np.concatenate(([0.0], euros)))
    return tuple((top, float(share)) for top, share in zip(TOPS, at / euros[-1], strict=True))


def insured_per_class(world: Any, year: int | None = None) -> pd.DataFrame:
    """Insured years of the synthetic population in every class of the world's law, empty classes with the reason.

    Parameters
    ----------
    world : World
        A population under the law of any year with a stand-in mapping; care of the years before ``year`` decides.
    year : int, optional
        Calendar year of the insured; default: the first year of the world.

    Returns
    -------
    DataFrame
        share, criterion, code, key, label, insured_years, reason: why a class is empty, else "". Of microdata, classes
        of fewer than 10 persons, and what would give them away, have no insured years.
    """
    year = world.core.options.start if year is None else year
    frame = world.core.frame(year)
    insured = frame["represents"] * frame["days"] / days_in(year)
    rows, persons = [], []
    for share in (world.model.variable, world.model.ggz, world.model.nursing):
        for criterion, c, inside in _classes_of(share, frame):
            years = float(insured[inside].sum())
            reason = world.mapping.reasons.get((criterion.name, c.key), "nobody in this sample") if years == 0 else ""
            rows.append((share.name, criterion.name, c.code, c.key, c.label, years, reason))
            persons.append(len(np.unique(frame["person"][inside])))
    columns_ = ["share", "criterion", "code", "key", "label", "insured_years", "reason"]
    result = pd.DataFrame(rows, columns=columns_)
    if world.people.origin == "microdata":
        hidden = small_cells(persons, list(zip(result["share"], result["criterion"], strict=True)))
        result.loc[hidden, "insured_years"] = math.nan
        result.loc[hidden, "reason"] = f"fewer than {MINIMUM_PERSONS} persons, or beside such a class"
    return result


def _classes_of(share: Any, frame: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Array]]:
    """Criterion, class and its rows in a frame of a world, for every class of a share."""
    columns = frame["classes"].get(share.name, {})
    for criterion in share.criteria:
        for c in criterion.classes:
            if criterion.name in columns:
                inside = columns[criterion.name] == c.code
            elif c.code > 0:
                inside = columns[f"{criterion.name}_{c.code}"] > 0
            else:
                inside = ~np.any([v > 0 for k, v in columns.items() if _class_of(k) == criterion.name], axis=0)
            yield criterion, c, inside


def _class_of(column: str) -> str:
    """The criterion of a column of counts, such as ``fkg_12``."""
    return column.rpartition("_")[0]
