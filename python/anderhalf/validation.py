"""Is the synthetic population like the Dutch one? Every target with the value reached, its error and its source.

Targets stand in ``params/population/targets.toml``. Some of them were used to set parameters (``calibrated``), the
others were not (``held_out``) and are shown apart. Model means are compared, realised samples are never rescaled.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from anderhalf._paths import data_directory
from anderhalf.columns import days_in
from anderhalf.parameters import CATEGORIES
from anderhalf.population import addon_drugs, targets

if TYPE_CHECKING:
    from anderhalf.population import Population

Array = NDArray[Any]


class Target(BaseModel):
    """One row of ``targets.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    label: str
    low: float
    high: float
    year: int
    basis: Literal["claims", "survey", "weights", "assumption"]
    source: str
    role: Literal["calibrated", "held_out"]
    unit: str = "share"


@dataclass(frozen=True)
class Check:
    """A target and what the population gives."""

    key: str
    label: str
    low: float
    high: float
    value: float | None
    standard_error: float | None
    gap: float | None
    unit: str
    year: int
    basis: str
    source: str
    role: str

    @property
    def met(self) -> bool | None:
        """Within the range, or within 3 standard errors of it; None when there is no value."""
        if self.value is None or self.gap is None:
            return None
        return abs(self.gap) <= 3 * (self.standard_error or 0)


@dataclass(frozen=True)
class Validation:
    """All checks; calibrated and held-out ones apart."""

    checks: tuple[Check, ...]
    persons: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    def of_role(self, role: str) -> tuple[Check, ...]:
        """Checks that were ``calibrated`` or ``held_out``."""
        return tuple(c for c in self.checks if c.role == role)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "persons": self.persons,
            "seed": self.seed,
            "checks": [{**asdict(c), "met": c.met} for c in self.checks],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = []
        for role, title in (("calibrated", "used in the calibration"), ("held_out", "held out of the calibration")):
            lines.append(f"Targets {title}")
            for c in self.of_role(role):
                value = "-" if c.value is None else f"{c.value:.4g}"
                error = "-" if c.standard_error is None else f"{c.standard_error:.2g}"
                mark = {True: "met", False: "NOT MET", None: "no value"}[c.met]
                lines.append(
                    f"  {c.label:<66} {c.low:g}..{c.high:g} {c.unit:<6} value {value:>9} se {error:>8}"
                    f"  {mark}  [{c.source}]"
                )
        return "\n".join([*lines, *self.notes])


def load_targets() -> tuple[Target, ...]:
    """The rows of ``targets.toml``."""
    path = data_directory("params") / "population" / "targets.toml"
    with path.open("rb") as file:
        document = tomllib.load(file)
    return tuple(Target.model_validate(row) for row in document["target"])


Statistics = dict[str, tuple[float, float]]


def _share(flags: Array, weight: Array, of: Array | None = None) -> tuple[float, float]:
    """Share of the insured (rows times ``represents``) that a flag holds for, with its sampling error."""
    chosen, w = (flags, weight) if of is None else (flags[of], weight[of])
    total = float(w.sum())
    if total == 0:
        return math.nan, math.nan
    value = float((chosen * w).sum()) / total
    return value, math.sqrt(float((((chosen - value) * w) ** 2).sum())) / total


def _top(cost: Array, weight: Array, share: float) -> tuple[Array, float]:
    """Rows of the top share of insured by cost, and the cost of the last of them."""
    order = np.argsort(-cost, kind="stable")
    inside = np.cumsum(weight[order]) <= share * weight.sum()
    chosen = np.zeros(len(cost), dtype=bool)
    chosen[order[inside]] = True
    return chosen, float(cost[order[inside]].min()) if inside.any() else math.inf


def cost_by_category(people: Population, year: int) -> tuple[dict[str, tuple[float, float]], Statistics]:
    """Euros per insured year and category: (reached, target at the sample's own age and sex), and distances."""
    goal, addon = targets(base=people.base), np.array(addon_drugs())
    region = {m.code for m in people.tables.parameters.municipalities if m.group == 1}
    start = int(np.datetime64(f"{year}-01-01").astype(int))
    length = int(np.datetime64(f"{year + 1}-01-01").astype(int)) - start
    size = len(CATEGORIES)
    cost, years, square = np.zeros((76, size)), np.zeros(76), np.zeros((76, size))
    for block in people.blocks((year, year)):
        r, c = block.records, block.claims
        band = np.minimum(18, np.clip((12 * year + 5 - r["birth_month"]) // 12, 0, 105) // 5)
        cell = (np.isin(r["municipality"], list(region)) * 2 + r["sex"] - 1) * 19 + band
        years += np.bincount(
            cell, weights=(r["last_day"] - r["first_day"] + 1) / length * r["represents"], minlength=76
        )
        row = np.searchsorted(r["person"], c["person"])
        category = c["category"].astype(np.int64)
        category[(category == CATEGORIES.index("drugs")) & np.isin(c["product"], addon)] = CATEGORIES.index("hospital")
        euros = c["claimed_cents"] / 100.0 * r["represents"][row]
        cost += np.bincount(cell[row] * size + category, weights=euros, minlength=76 * size).reshape(76, size)
        square += np.bincount(cell[row] * size + category, weights=euros**2, minlength=76 * size).reshape(76, size)
    table: dict[str, tuple[float, float]] = {}
    result: Statistics = {}
    for group, name in ((0, "country"), (1, "region")):
        part = slice(38 * group, 38 * group + 38)
        insured = years[part].sum()
        if insured == 0:
            continue
        for kind, goals in goal.items():
            k = CATEGORIES.index(kind)
            want = float((goals[group].reshape(38) * years[part]).sum() / insured)
            got = float(cost[part, k].sum() / insured)
            table[f"{name}.{kind}"] = (got, want)
            result[f"cost_{name}_{kind}"] = (got / want - 1, float(np.sqrt(square[part, k].sum())) / insured / want)
    return table, result


class _Wanted:
    """Computes the statistics asked for and no others: the calibration never sees a target that is held out."""

    def __init__(self, keys: Collection[str] | None) -> None:
        self.keys, self.result = keys, Statistics()

    def __contains__(self, key: str) -> bool:
        return self.keys is None or key in self.keys

    def put(self, key: str, compute: Callable[[], tuple[float, float]]) -> None:
        if key in self:
            self.result[key] = compute()


def distribution(
    ranking: Mapping[str, Array], following: Mapping[str, Array], keys: Collection[str] | None = None
) -> Statistics:
    """Deductible, concentration and persistence, from the yearly cost of each person; only ``keys`` if given."""
    wanted = _Wanted(keys)
    cost, eligible, age, sex = (np.asarray(ranking[k]) for k in ("cost_cents", "eligible_cents", "age", "sex"))
    weight = np.asarray(ranking["represents"], dtype=np.float64)
    adult = age >= 18
    for name, chosen in (
        ("men", adult & (sex == 1)),
        ("women", adult & (sex == 2)),
        ("18_34", adult & (age < 35)),
        ("75_plus", age >= 75),
    ):
        wanted.put(f"fills_deductible_{name}", partial(_share, eligible >= 38_500, weight, chosen))
        wanted.put(f"no_cost_{name}", partial(_share, eligible == 0, weight, chosen))
    total = float((cost * weight).sum())

    def concentration(share: float) -> tuple[float, float]:
        euros = (cost * weight)[_top(cost, weight, share)[0]]
        return float(euros.sum()) / total, float(euros.std() * math.sqrt(len(euros))) / total

    for name, share in (("1", 0.01), ("5", 0.05), ("10", 0.10)):
        wanted.put(f"top_{name}", partial(concentration, share))
    later = {int(p): float(x) for p, x in zip(following["person"], following["cost_cents"], strict=True)}
    both = np.array([int(p) in later for p in ranking["person"]])
    now, w = cost[both].astype(np.float64), weight[both]
    then = np.array([later[int(p)] for p in np.asarray(ranking["person"])[both]])

    def stays(share: float) -> tuple[float, float]:
        return _share(_top(then, w, share)[0], w, _top(now, w, share)[0])

    for name, share in (("10", 0.10), ("1", 0.01)):
        wanted.put(f"stays_top_{name}", partial(stays, share))
    return wanted.result


def class_shares(classes: Mapping[str, Array], keys: Collection[str] | None = None) -> Statistics:
    """Shares of insured with a class, from the classes of one year (``World.core.classes``); only ``keys`` if given."""
    c = {k: np.asarray(v) for k, v in classes.items()}
    wanted = _Wanted(keys)
    weight = c["represents"] * c["days"]
    adult = c["age"] >= 18
    healthy = adult & (c["morbid"] == 0)
    old_rule = (c["fkg"] != 0) | (c["dkg"] > 0) | (c["hkg"] != 0) | (c["mhk"] > 1)
    wanted.put("any_fkg", lambda: _share(c["fkg"] != 0, weight))
    wanted.put("any_dkg", lambda: _share(c["dkg"] > 0, weight))
    wanted.put("any_hkg", lambda: _share(c["hkg"] != 0, weight))
    wanted.put("any_fdg", lambda: _share(c["fdg"] > 0, weight))
    wanted.put("any_mvv", lambda: _share(c["mvv"] > 0, weight))
    wanted.put("mhk_two_years_or_more", lambda: _share(c["mhk"] > 1, weight))
    wanted.put("forfait", lambda: _share(c["morbid"] != 0, weight, adult))
    wanted.put("mhk_1_of_healthy_adults", lambda: _share(c["mhk"] > 0, weight, healthy))
    wanted.put("morbid_2015_under_65", lambda: _share(old_rule, weight, c["age"] < 65))
    wanted.put("morbid_2015_65_plus", lambda: _share(old_rule, weight, c["age"] >= 65))
    return wanted.result


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
        share, criterion, code, key, label, insured_years, reason: why a class is empty, else "".
    """
    year = world.core.options.start if year is None else year
    frame = world.core.frame(year)
    insured = frame["represents"] * frame["days"] / days_in(year)
    rows = []
    for share in (world.model.variable, world.model.ggz, world.model.nursing):
        columns = frame["classes"].get(share.name, {})
        for criterion in share.criteria:
            for c in criterion.classes:
                if criterion.name in columns:
                    inside = columns[criterion.name] == c.code
                elif c.code > 0:
                    inside = columns[f"{criterion.name}_{c.code}"] > 0
                else:
                    inside = ~np.any([v > 0 for k, v in columns.items() if _class_of(k) == criterion.name], axis=0)
                years = float(insured[inside].sum())
                reason = (
                    world.mapping.reasons.get((criterion.name, c.key), "nobody in this sample") if years == 0 else ""
                )
                rows.append((share.name, criterion.name, c.code, c.key, c.label, years, reason))
    columns_ = ["share", "criterion", "code", "key", "label", "insured_years", "reason"]
    return pd.DataFrame(rows, columns=columns_)


def _class_of(column: str) -> str:
    """The criterion of a column of counts, such as ``fkg_12``."""
    return column.rpartition("_")[0]


def of_world(world: Any, year: int = 2018, keys: Collection[str] | None = None) -> Statistics:
    """Statistics that need the scheme: classes, fit, estimated steps; ``world`` is a ``simulation.World``.

    With ``keys`` no other statistic is computed.
    """
    core = world.core
    start = core.options.start
    wanted = _Wanted(keys)
    wanted.result = {
        **distribution(core.ranking(year), core.ranking(year + 1), keys),
        **class_shares(core.classes(start), keys),
    }

    def mhk_step() -> tuple[float, float]:
        at = 0
        for criterion in world.model.core.variable.criteria:
            if criterion.name == "mhk":
                step = fit.coefficients[at + 1] - fit.coefficients[at]
                return float(step), math.nan
            at += len(criterion.classes)
        return math.nan, math.nan

    if "r2" in wanted or "mhk_step" in wanted:
        fit = core.fit(core.first_class_year)
        wanted.put("r2", lambda: (float(fit.r2), math.nan))
        wanted.put("mhk_step", mhk_step)

    def own_payment() -> tuple[float, float]:
        adult_years = sum(core.totals(start)["adult_days"]) / days_in(start)
        return sum(core.ex_ante(start)["expected_own_payments"]) / 100 / adult_years, math.nan

    wanted.put("expected_own_payment", own_payment)
    return wanted.result


def validate(people: Population, world: Any = None, *, year: int = 2018) -> Validation:
    """Compare a population with its targets.

    Parameters
    ----------
    people : Population
        Years must include ``year``; 2015 to 2021 for the targets that need classes.
    world : World, optional
        The same population under a model year; without it targets on classes, fit and deductible have no value.
    """
    _, statistics = cost_by_category(people, year)
    notes = ["Cost targets: Vektis 2018 at the price level of the law year, at the sample's own age and sex."]
    if world is not None:
        statistics.update(of_world(world, year))
    else:
        notes.append("No world given: targets on classes, fit and deductible were not computed.")
    checks = []
    for t in load_targets():
        value, error = statistics.get(t.key, (None, None))
        if value is not None and math.isnan(value):
            value = None
        gap = None if value is None else max(0.0, value - t.high) + min(0.0, value - t.low)
        error = None if error is None or math.isnan(error) else error
        checks.append(
            Check(t.key, t.label, t.low, t.high, value, error, gap, t.unit, t.year, t.basis, t.source, t.role)
        )
    return Validation(tuple(checks), people.persons, people.seed, tuple(notes))
