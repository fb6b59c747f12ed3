"""How well payments follow cost: measures per person, insurer and group, on plain columns.

Every measure is per insured year: a row of cost c, payment p and d insured days that stands for r persons has
y = D c / d, z = D p / d and the weight w = r d / D, with D the days in a year. Sums are exact integers, so no measure
depends on the order of the rows or the number of threads. Formulas and sources: ``include/anderhalf/metrics`` and
``docs/decisions/0010-measures.md``.

For a measure out of sample give the rows that were held out of the estimate (:func:`held_out`).
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from anderhalf import _core
from anderhalf.columns import Column, Source, cents, codes, days_, represents_, rows_that, source
from anderhalf.errors import AnderhalfError, DomainError, Problem, ShapeError, not_found
from anderhalf.export import MINIMUM_PERSONS, Bundle, html_table, small_cells

_DIRECT_CODES = 1 << 16  # codes below this are used as they are; higher ones are numbered anew


@dataclass(frozen=True)
class Evaluation:
    """Measures of a set of payments. Prints as a table; euros are per insured year.

    Attributes
    ----------
    n : int
        Records.
    insured_years, cost_eur, payment_eur, predictive_ratio : float
        Insured time, mean cost, mean payment, and payment over cost.
    overcompensation_eur, se_eur : float
        Mean payment minus mean cost, and its standard error.
    r2 : float
        1 - sum w (y - z)^2 / sum w (y - mean y)^2. With revenue after risk sharing: the payment-system fit.
    cpm : float
        Cumming's prediction measure, 1 - sum w |y - z| / sum w |y - mean y|.
    mape : float
        sum w |y - z| / sum w, in euros; ``ggaa`` is the same figure under its Dutch name.
    sd : float
        Standard deviation of z - y, in euros.
    levels : DataFrame
        ``level, groups, r2, ggaa_eur, sd_eur, bandwidth_eur`` of persons, insurers and each column of groups.
    insurers, groups : DataFrame
        ``n, days, cost_cents, payment_cents, insured_years, cost_eur, payment_eur, overcompensation_eur, se_eur,
        predictive_ratio`` per insurer, and per class of each column of groups. With ``person`` also ``persons``.
    """

    n: int
    insured_years: float
    cost_eur: float
    payment_eur: float
    overcompensation_eur: float
    se_eur: float
    predictive_ratio: float
    r2: float
    cpm: float
    mape: float
    sd: float
    levels: pd.DataFrame
    insurers: pd.DataFrame
    groups: pd.DataFrame
    days_in_year: int = field(default=365, repr=False)

    @property
    def ggaa(self) -> float:
        """Mean absolute difference between payment and cost of persons, weighted: ``mape``."""
        return self.mape

    @property
    def bandwidth(self) -> float | None:
        """Highest minus lowest result per insured year of an insurer, in euros; None without insurers."""
        return self._of_insurers("bandwidth_eur")

    @property
    def ggaa_insurers(self) -> float | None:
        """Mean absolute result of insurers, weighted by insured time, in euros; None without insurers."""
        return self._of_insurers("ggaa_eur")

    @property
    def r2_insurers(self) -> float | None:
        """R2 between insurers; None without insurers."""
        return self._of_insurers("r2")

    def _of_insurers(self, measure: str) -> float | None:
        return float(self.levels[measure].iloc[1]) if len(self.insurers) else None

    def ggarv(self, before: Evaluation) -> float:
        """Mean absolute change of the results of insurers since ``before``, weighted by insured time, in euros.

        Raises
        ------
        ShapeError
            Other insurers, or other insured days.
        """
        ours, theirs = list(self.insurers["insurer"]), list(before.insurers["insurer"])
        if ours != theirs or not ours:
            raise ShapeError(
                Problem("ggarv", "insurers differ" if ours else "no insurers", "the same insurers in both evaluations")
            )

        def totals(e: Evaluation) -> list[tuple[int, int, int]]:
            columns = (e.insurers[c].tolist() for c in ("cost_cents", "payment_cents", "days"))
            return list(zip(*columns, strict=True))

        return float(_core.result_change(totals(before), totals(self), self.days_in_year))

    def to_dict(self, *, minimum_persons: int = MINIMUM_PERSONS) -> dict[str, Any]:
        """The measures as one object for JSON.

        Groups of fewer than ``minimum_persons`` persons lose their figures, and so does what would give them away:
        another group, and the measures between the groups of that column. Pass 0 to keep all.
        """
        parts = [("insurer", self.insurers)] if len(self.insurers) else []
        parts += [(str(name), part.drop(columns="column")) for name, part in self.groups.groupby("column", sort=False)]
        tables: list[list[dict[str, Any]]] = []
        levels = _records(self.levels)  # of persons, then of each part
        for (_, frame), level in zip(parts, levels[1:], strict=True):
            small = small_cells(frame["persons" if "persons" in frame else "n"].to_numpy(), minimum=minimum_persons)
            shown = frame.drop(columns=["days", "cost_cents", "payment_cents"])
            key = shown.columns[0]
            tables.append(
                [
                    {name: None if hide and name != key else value for name, value in row.items()}
                    for row, hide in zip(_records(shown), small, strict=True)
                ]
            )
            if small.any():
                level.update({name: None for name in level if name not in ("level", "groups")})
        insured = len(self.insurers) > 0
        return {
            "n": self.n,
            "insured_years": self.insured_years,
            "cost_eur": self.cost_eur,
            "payment_eur": self.payment_eur,
            "overcompensation_eur": self.overcompensation_eur,
            "se_eur": _finite(self.se_eur),
            "predictive_ratio": _finite(self.predictive_ratio),
            "r2": _finite(self.r2),
            "cpm": _finite(self.cpm),
            "mape_eur": self.mape,
            "ggaa_eur": self.ggaa,
            "sd_eur": self.sd,
            "bandwidth_eur": levels[1]["bandwidth_eur"] if insured else None,
            "levels": levels,
            "insurers": tables[0] if insured else [],
            "groups": {name: rows for (name, _), rows in list(zip(parts, tables, strict=True))[insured:]},
        }

    def __str__(self) -> str:
        return _as_text(self.to_dict(minimum_persons=0))

    def _repr_html_(self) -> str:
        measures = pd.DataFrame(
            [
                ("Records", f"{self.n:,}"),
                ("Insured years", f"{self.insured_years:,.1f}"),
                ("Cost, EUR a year", f"{self.cost_eur:,.2f}"),
                ("Payment, EUR a year", f"{self.payment_eur:,.2f}"),
                ("R2", f"{self.r2:.4f}"),
                ("CPM", f"{self.cpm:.4f}"),
                ("MAPE (GGAA), EUR", f"{self.mape:,.2f}"),
                ("SD of results, EUR", f"{self.sd:,.2f}"),
            ],
            columns=["measure", "value"],
        )
        cents_columns = ["days", "cost_cents", "payment_cents"]
        tables = [measures, self.levels, self.insurers.drop(columns=cents_columns, errors="ignore")]
        tables.append(self.groups.drop(columns=cents_columns, errors="ignore"))
        return "\n".join(html_table(table) for table in tables if len(table))


def _finite(value: Any) -> Any:
    """None for what is not defined, as JSON has it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _finite(value) for name, value in row.items()} for row in frame.to_dict("records")]


# --- columns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Classes:
    """Codes 0..len(labels)-1 of a column, and what they mean; labels that no row has are left out of results."""

    name: str
    codes: NDArray[Any]
    labels: Sequence[Any]


def _threads(threads: int | None) -> int:
    if threads is not None:
        return max(1, int(threads))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _columns(values: Mapping[str, Any]) -> dict[str, Column]:
    """The columns of a call, each read once; refuses missing values and columns of another length, all at once."""
    problems: list[Problem] = []
    found: dict[str, Column] = {}
    for name, column in values.items():
        try:
            (part,) = source({name: column if hasattr(column, "__len__") else list(column)}).slices([name])
            found[name] = part.read(name)
        except AnderhalfError as error:
            problems += [Problem(p.where.removeprefix("column "), p.what, p.expected, p.got) for p in error.problems]
    sizes = {name: len(column.values) for name, column in found.items()}
    first = next(iter(sizes), "")
    problems += [
        Problem(f"evaluate: {name}", "has another length", f"{sizes[first]} rows, as {first}", str(size))
        for name, size in sizes.items()
        if size != sizes[first]
    ]
    if problems:
        raise (ShapeError if any(size != sizes[first] for size in sizes.values()) else DomainError)(problems)
    return found


class _Door:
    """Turns columns into what the core reads, and keeps every problem until the end."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.problems: list[Problem] = []

    def _number(self, name: str, convert: Any) -> Any:
        column = self.columns[name]
        if column.labels is not None:
            self.problems.append(Problem(name, "cannot be read as numbers", "whole numbers", "labels"))
            return None
        try:
            return convert(column.values, where=name, whole_floats=True)
        except AnderhalfError as error:
            self.problems += error.problems
            return None

    def cents(self, name: str) -> Any:
        array = self._number(name, cents)
        return None if array is None else array.astype(np.int64, copy=False)

    def days(self, name: str = "days") -> Any:
        array = self._number(name, days_)
        if array is None or array.dtype == np.int32:
            return array
        return np.clip(array, -1, 1 << 20).astype(np.int32)  # the core refuses what lies outside 1..366

    def represents(self) -> Any:
        return self._number("represents", represents_) if "represents" in self.columns else None

    def classes(self, key: str, name: str) -> _Classes | None:
        column = self.columns[key]
        if column.labels is not None:
            order = sorted(range(len(column.labels)), key=lambda k: str(column.labels[k]))  # type: ignore[index]
            rank = np.empty(len(order), dtype=np.uint32)
            rank[order] = np.arange(len(order), dtype=np.uint32)
            return _Classes(name, rank[column.values], [column.labels[k] for k in order])
        values = column.values
        if values.dtype.kind in "iub" and len(values) and values.min() >= 0 and values.max() < _DIRECT_CODES:
            return _Classes(name, codes(values, where=name), range(int(values.max()) + 1))
        if values.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                wrong = ~(np.abs(values) < 2.0**53) | (values != np.floor(values))
            if wrong.any():
                text = f"{int(wrong.sum())} values are missing or no whole numbers ({rows_that(wrong)})"
                self.problems.append(Problem(name, text, "codes or labels"))
                return None
        labels, positions = np.unique(values, return_inverse=True)
        return _Classes(name, positions.astype(np.uint32), [int(label) for label in labels])

    def close(self) -> None:
        if self.problems:
            raise DomainError(self.problems)


def _named(groups: Any) -> dict[str, Any]:
    """Columns of groups by name: a mapping, or a frame."""
    if groups is None:
        return {}
    if isinstance(groups, Mapping):
        return {str(name): column for name, column in groups.items()}
    names = getattr(groups, "column_names", None) or getattr(groups, "columns", None)
    if names is None:
        raise ShapeError(
            Problem("evaluate: groups", "no columns by name", "a mapping or a frame", type(groups).__name__)
        )
    return {str(name): groups[name] for name in names}


# --- the measures -----------------------------------------------------------------------------------------------------


def evaluate(
    cost: ArrayLike,
    payment: ArrayLike,
    days: ArrayLike,
    *,
    insurer: Any = None,
    groups: Any = None,
    represents: ArrayLike | None = None,
    person: Any = None,
    days_in_year: int = 365,
    threads: int | None = None,
    data: Any = None,
    columns: Any = None,
) -> Evaluation:
    """How well payments follow cost: per person, per insurer and per group, with standard errors.

    Parameters
    ----------
    cost, payment : array_like of int, shape (n,)
        Cents of the insured period. Floats are taken when all are whole.
    days : array_like of int, shape (n,)
        Insured days, 1..366; or months with ``days_in_year=12``.
    insurer : array_like, shape (n,), optional
        Code or name of the insurer of each record.
    groups : mapping of str to array_like, or frame, optional
        Columns of codes or names; each divides all records into groups.
    represents : array_like of int, shape (n,), optional
        Persons that each record stands for, 1..65535. Default: 1.
    person : array_like, shape (n,), optional
        Who each record belongs to; only to count the persons of a group when small groups are left out of files.
    days_in_year : int
        D: what counts as one insured year.
    threads : int, optional
        Default: the processors this process may use. The result does not depend on it.
    data : frame or path, optional
        Where the other arguments are names of columns: ``evaluate("cost_cents", "payment_cents", "days", data=frame)``.
    columns : str, path, mapping or ColumnMap, optional
        With ``data``: how it names what we name otherwise, ``"ot-2020"`` or a MAP.toml with ``[classes]``.

    Returns
    -------
    Evaluation

    Raises
    ------
    ShapeError, DomainError
        Columns of different length; values missing or out of range, all problems at once. Both are a ValueError.

    Notes
    -----
    NumPy, pandas, polars and Arrow columns are borrowed; a copy is made only when the type differs (cents: int64, days:
    int32, codes: unsigned integers of 8, 16 or 32 bits). Rows go by position, not by the index of pandas.

    The standard error of a group is that of a ratio of totals,
    ``D / T * sqrt(n / (n - 1) * sum (r (p - c - d X / T))^2)`` with X the total gap and T the insured days: rows are
    independent draws. In ``levels``, each measure between groups weighs them by insured time.

    Examples
    --------
    >>> e = evaluate([80000, 360000, 50000], [100000, 300000, 60000], [365, 365, 365], groups={"g": ["a", "b", "a"]})
    >>> e.groups[["group", "n", "overcompensation_eur", "se_eur"]]
      group  n  overcompensation_eur  se_eur
    0     a  2                 150.0    50.0
    1     b  1                -600.0     NaN
    >>> round(e.r2, 4), round(e.cpm, 4), e.mape
    (0.9299, 0.7712, 300.0)
    """
    if data is not None:
        texts: Any = (cost, payment, days, insurer, groups or (), represents, person)
        found, _ = _read(_source(data, columns), *texts)
        return _evaluate(found, list(dict.fromkeys(texts[4])), days_in_year, threads)
    given = {"cost": cost, "payment": payment, "days": days}
    if represents is not None:
        given["represents"] = represents
    if insurer is not None:
        given["insurer"] = insurer
    if person is not None:
        given["person"] = person
    named = _named(groups)
    columns = _columns({**given, **{f"group {name}": column for name, column in named.items()}})
    return _evaluate(columns, list(named), days_in_year, threads)


def _evaluate(
    columns: Mapping[str, Column], names: Sequence[str], days_in_year: int, threads: int | None
) -> Evaluation:
    door = _Door(columns)
    numbers = (door.cents("cost"), door.cents("payment"), door.days(), door.represents())
    parts = [door.classes("insurer", "insurer")] if "insurer" in columns else []
    parts += [door.classes(f"group {name}", name) for name in names]
    people = door.classes("person", "person") if "person" in columns else None
    door.close()
    classes = [part for part in parts if part is not None]
    found = _core.evaluate(
        *numbers,
        int(days_in_year),
        [(part.name, part.codes, len(part.labels)) for part in classes],
        _threads(threads),
    )
    frames = [
        _frame(part, result, None if people is None else people.codes)
        for part, result in zip(classes, found.groups, strict=True)
    ]
    first = 1 if "insurer" in columns else 0
    levels = [("persons", found.all.rows, found.r2, found.mape_eur, found.sd_eur, np.nan)] + [
        (part.name, at.groups, at.r2, at.ggaa_eur, at.sd_eur, at.bandwidth_eur)
        for part, at in zip(classes, found.levels, strict=True)
    ]
    by_group = [frame.assign(column=part.name) for part, frame in zip(classes[first:], frames[first:], strict=True)]
    empty = _frame(_Classes("", np.zeros(0, np.uint8), []), [], None)
    everything = pd.concat(by_group, ignore_index=True) if by_group else empty.assign(column=[])
    return Evaluation(
        n=found.all.rows,
        insured_years=found.all.insured_years,
        cost_eur=found.all.cost_eur,
        payment_eur=found.all.payment_eur,
        overcompensation_eur=found.all.overcompensation_eur,
        se_eur=found.all.standard_error_eur,
        predictive_ratio=found.all.predictive_ratio,
        r2=found.r2,
        cpm=found.cpm,
        mape=found.mape_eur,
        sd=found.sd_eur,
        levels=pd.DataFrame(levels, columns=["level", "groups", "r2", "ggaa_eur", "sd_eur", "bandwidth_eur"]),
        insurers=(frames[0] if first else empty).rename(columns={"group": "insurer"}),
        groups=everything[["column", *(c for c in everything.columns if c != "column")]],
        days_in_year=int(days_in_year),
    )


def _frame(part: _Classes, groups: Iterable[Any], person: NDArray[Any] | None) -> pd.DataFrame:
    kept = [(code, group) for code, group in enumerate(groups) if group.rows]
    frame = pd.DataFrame(
        {
            "group": pd.Series([part.labels[code] for code, _ in kept], dtype=object),
            "n": np.array([g.rows for _, g in kept], dtype=np.int64),
            "days": np.array([g.days for _, g in kept], dtype=np.int64),
            "cost_cents": np.array([g.cost_cents for _, g in kept], dtype=np.int64),
            "payment_cents": np.array([g.payment_cents for _, g in kept], dtype=np.int64),
            **{
                name: np.array([getattr(g, at) for _, g in kept], dtype=np.float64)
                for name, at in (
                    ("insured_years", "insured_years"),
                    ("cost_eur", "cost_eur"),
                    ("payment_eur", "payment_eur"),
                    ("overcompensation_eur", "overcompensation_eur"),
                    ("se_eur", "standard_error_eur"),
                    ("predictive_ratio", "predictive_ratio"),
                )
            },
        }
    )
    if person is not None:
        pairs = np.unique(part.codes.astype(np.uint64) << np.uint64(32) | person.astype(np.uint64))
        per_code = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(part.labels))
        frame.insert(2, "persons", per_code[[code for code, _ in kept]])
    return frame


def overcompensation(
    group: ArrayLike, payment: ArrayLike, cost: ArrayLike, days: ArrayLike, *, groups: int, threads: int | None = None
) -> NDArray[np.float64]:
    """Mean over- (+) or under- (-) compensation of each group of insured persons.

    Parameters
    ----------
    group : array_like of unsigned int, shape (n,)
        Group of each record; 0 for none.
    payment, cost : array_like of int64, shape (n,)
        Cents in the insured period.
    days : array_like of int32, shape (n,)
        Insured days, 1..366.
    groups : int
        Number of groups, 0 included.
    threads : int, optional
        Default: the processors this process may use. The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (groups,)
        Euros per insured year; NaN for an empty group.

    Raises
    ------
    ShapeError, DomainError
        Columns of different length; values out of range. Both are a ValueError.

    Examples
    --------
    >>> overcompensation([1, 2, 1], [100000, 300000, 60000], [80000, 360000, 50000], [365, 365, 365], groups=3)
    array([  nan,  150., -600.])
    """
    columns = _columns({"group": group, "payment": payment, "cost": cost, "days": days})
    door = _Door(columns)
    coded = door._number("group", codes)
    numbers = (door.cents("payment"), door.cents("cost"), door.days())
    door.close()
    return np.asarray(_core.overcompensation(coded, *numbers, int(groups), _threads(threads)))


def payment_system_fit(
    cost: ArrayLike,
    revenue: ArrayLike,
    days: ArrayLike,
    *,
    represents: ArrayLike | None = None,
    days_in_year: int = 365,
    threads: int | None = None,
) -> float:
    """Payment-system fit: R2 with all revenue of the insurer, after risk sharing, in the place of the prediction.

    ``1 - sum w (y - revenue)^2 / sum w (y - mean y)^2``; revenue takes in premiums, payments from the fund, high-cost
    compensation and whatever else depends on who is insured (Layton et al. 2018, ch. 5 of McGuire and van Kleef).

    Examples
    --------
    >>> payment_system_fit([20000, 160000], [24000, 156000], [73, 365])
    0.84
    """
    return evaluate(cost, revenue, days, represents=represents, days_in_year=days_in_year, threads=threads).r2


@dataclass(frozen=True)
class FitPowerBalance:
    """Three measures of a payment system.

    Attributes
    ----------
    fit : float
        The payment-system fit.
    power : float
        Part of an extra euro of cost that the insurer bears, over all services together.
    balance : float
        1 minus the difference between the highest and the lowest power of a service; 1 when all are alike.
    services : DataFrame
        ``service, cost_change_cents, power``.
    """

    fit: float
    power: float
    balance: float
    services: pd.DataFrame


def fit_power_balance(
    cost: ArrayLike,
    payment: ArrayLike,
    days: ArrayLike,
    services: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    represents: ArrayLike | None = None,
    days_in_year: int = 365,
    threads: int | None = None,
) -> FitPowerBalance:
    """Fit, power and balance of a payment system (Geruso and McGuire, J Health Econ 47 (2016) 1-19).

    Parameters
    ----------
    cost, payment, days : array_like of int, shape (n,)
        As for :func:`evaluate`; payment is all revenue, after risk sharing.
    services : mapping of str to (cost, payment)
        Cost and payment of each record after a little more of one service, the payment computed by the whole payment
        system: classes, high-cost compensation, bandwidth.
    represents, days_in_year, threads
        As for :func:`evaluate`.

    Notes
    -----
    ``power = 1 - sum r (payment' - payment) / sum r (cost' - cost)``. The article calls a system balanced when power is
    equal across services; as one figure, ``balance = 1 - (highest power - lowest power)`` is our reading.

    Examples
    --------
    >>> found = fit_power_balance([10000, 20000], [11000, 19000], [365, 365],
    ...                           {"drugs": ([14000, 20000], [12000, 19000]), "gp": ([10000, 20100], [11000, 19000])})
    >>> found.fit, found.balance, found.services["power"].tolist()
    (0.96, 0.75, [0.75, 1.0])
    """
    given: dict[str, Any] = {"cost": cost, "payment": payment, "days": days}
    if represents is not None:
        given["represents"] = represents
    for name, (cost_after, payment_after) in services.items():
        given[f"{name}: cost"], given[f"{name}: payment"] = cost_after, payment_after
    door = _Door(_columns(given))
    c, p, d, r = door.cents("cost"), door.cents("payment"), door.days(), door.represents()
    after = {name: (door.cents(f"{name}: cost"), door.cents(f"{name}: payment")) for name in services}
    door.close()
    run = _threads(threads)
    fit = _core.evaluate(c, p, d, r, int(days_in_year), [], run).r2
    if not after:
        raise ShapeError(Problem("fit_power_balance: services", "empty", "at least one service"))
    rows = [
        (name, int(((a - c) * (1 if r is None else r.astype(np.int64))).sum()), _core.power(c, p, a, b, r, run))
        for name, (a, b) in after.items()
    ]
    frame = pd.DataFrame(rows, columns=["service", "cost_change_cents", "power"])
    all_cost, all_payment = sum((a - c for a, _ in after.values()), c), sum((b - p for _, b in after.values()), p)
    total = _core.power(c, p, all_cost, all_payment, r, run)
    return FitPowerBalance(fit, total, 1.0 - float(frame["power"].max() - frame["power"].min()), frame)


def selection_incentives(
    predicted: Mapping[str, ArrayLike],
    total: ArrayLike,
    days: ArrayLike,
    *,
    elasticity: Mapping[str, float] | None = None,
    represents: ArrayLike | None = None,
    days_in_year: int = 365,
    threads: int | None = None,
) -> pd.DataFrame:
    """Predictability and predictiveness of services (Ellis and McGuire, J Health Econ 26 (2007) 25-48).

    Parameters
    ----------
    predicted : mapping of str to array_like of int, shape (n,)
        Predicted cost of each service in the insured period, cents.
    total : array_like of int, shape (n,)
        Total cost in the insured period, cents.
    days, represents, days_in_year, threads
        As for :func:`evaluate`.
    elasticity : mapping of str to float, optional
        Demand response of each service; without it all are 1.

    Returns
    -------
    DataFrame
        ``service, mean_eur, predictability, predictiveness, selection_index``: the coefficient of variation of
        predicted cost, its correlation with total cost, and the product of both with the elasticity. Only the order of
        services has a meaning in the index.

    Examples
    --------
    >>> selection_incentives({"drugs": [10000, 20000, 30000]}, [20000, 30000, 70000], [365] * 3).round(4)
      service  mean_eur  predictability  predictiveness  selection_index
    0   drugs     200.0          0.4082          0.9449           0.3858
    """
    if elasticity is not None and (missing := [name for name in predicted if name not in elasticity]):
        raise not_found("selection_incentives: elasticity", "service", missing, list(elasticity))
    given: dict[str, Any] = {"total": total, "days": days, **{f"service {k}": v for k, v in predicted.items()}}
    if represents is not None:
        given["represents"] = represents
    door = _Door(_columns(given))
    t, d, r = door.cents("total"), door.days(), door.represents()
    services = {name: door.cents(f"service {name}") for name in predicted}
    door.close()
    rows = []
    for name, service in services.items():
        found = _core.comovement(service, t, d, r, int(days_in_year), _threads(threads))
        variation = found.sd_first_eur / found.mean_first_eur if found.mean_first_eur else float("nan")
        index = variation * found.correlation * (1.0 if elasticity is None else float(elasticity[name]))
        rows.append((name, found.mean_first_eur, variation, found.correlation, index))
    return pd.DataFrame(rows, columns=["service", "mean_eur", "predictability", "predictiveness", "selection_index"])


def weight_change(before: ArrayLike, after: ArrayLike, insured_years: ArrayLike) -> float:
    """GGAV: mean absolute change of weights, each class weighing its insured years, in euros.

    ``sum n |after - before| / sum n`` over the classes of a model; weights are rounded to micro-euro, insured years to
    millionths. Our reading of a measure whose formula is not public: ``docs/decisions/0010-measures.md``.

    Examples
    --------
    >>> weight_change([10.0, -5.0], [13.0, -5.0], [1.0, 2.0])
    1.0
    """
    problems = []
    parts = []
    for name, values in (("before", before), ("after", after), ("insured_years", insured_years)):
        array = np.asarray(values, dtype=np.float64)
        wrong = ~(np.abs(array) < 2.0**32)
        if wrong.any():
            problems.append(Problem(f"weight_change: {name}", f"{int(wrong.sum())} values missing or too large "
                                    f"({rows_that(wrong)})", "below 2^32"))  # fmt: skip
        else:
            parts.append(np.rint(array * 1e6).astype(np.int64))
    if problems:
        raise DomainError(problems)
    return float(_core.weight_change(*parts))


def held_out(person: Any, share: float = 0.3, *, seed: int = 0) -> NDArray[np.bool_]:
    """Which records to keep out of an estimate: all records of a person or none, whatever their order.

    Parameters
    ----------
    person : array_like, shape (n,)
        Whole numbers or texts. The same person is held out in every file, year and order of rows.
    share : float
        Expected share of persons, 0..1. Who is held out at a smaller share stays so at a larger one.
    seed : int
        Another seed, another draw (Philox, addressed by person).

    Examples
    --------
    >>> out = held_out(["ann", "bob", "ann", "eve"], 0.5, seed=3)
    >>> bool(out[0] == out[2])
    True
    """
    column = _columns({"person": person})["person"]
    if column.labels is not None:
        digests = [hashlib.blake2b(str(label).encode(), digest_size=8).digest() for label in column.labels]
        numbers = np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)[column.values]
    elif column.values.dtype.kind in "iub":
        numbers = column.values.astype(np.int64 if column.values.dtype.kind == "i" else np.uint64).view(np.uint64)
    else:
        raise DomainError(Problem("held_out: person", "cannot be read", "whole numbers or texts",
                                  str(column.values.dtype)))  # fmt: skip
    return np.asarray(_core.held_out(np.ascontiguousarray(numbers), float(share), int(seed)))


# --- the command ------------------------------------------------------------------------------------------------------


def evaluate_command(
    data: Path,
    *,
    cost: str,
    payment: str,
    days: str,
    insurer: str | None = None,
    groups: Sequence[str] = (),
    represents: str | None = None,
    person: str | None = None,
    days_in_year: int = 365,
    threads: int | None = None,
    as_json: bool = False,
    columns: str | None = None,
) -> int:
    """``anderhalf evaluate``: prints a table, or one JSON object; figures of small groups are left out of both.

    Returns the exit status: 0 done, 1 refused input (the reason on stderr).
    """
    try:
        files = _source(Path(data), columns)
        found, digest = _read(files, cost, payment, days, insurer, groups, represents, person)
        content = _evaluate(found, list(dict.fromkeys(groups)), days_in_year, threads).to_dict()
        if columns is not None:
            content["accepted"] = getattr(files, "accepted", [])
    except AnderhalfError as error:
        print(f"anderhalf evaluate: {error}", file=sys.stderr)
        return 1
    bundle = Bundle(origin="microdata", data_sha256=digest)
    sys.stdout.write(bundle.results(content, count="n") if as_json else _as_text(content) + "\n")
    return 0


def _source(data: Any, columns: Any) -> Source:
    if columns is None:
        return source(data)
    from anderhalf.class_map import mapped

    return mapped(data, columns)


def _read(
    files: Source,
    cost: str,
    payment: str,
    days: str,
    insurer: str | None,
    groups: Sequence[str],
    represents: str | None,
    person: str | None,
) -> tuple[dict[str, Column], str]:
    """The columns of one or more files, put together, and the SHA-256 of those files."""
    wanted = {"cost": cost, "payment": payment, "days": days}
    wanted |= {k: v for k, v in (("insurer", insurer), ("represents", represents), ("person", person)) if v}
    wanted |= {f"group {name}": name for name in groups}
    parts: dict[str, list[Column]] = {name: [] for name in wanted.values()}
    for part in files.slices(list(wanted.values())):
        for name in parts:
            parts[name].append(part.read(name))
    digest = hashlib.sha256()
    for file in files.files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    if len(files.files) == 1:
        with files.files[0].open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
    joined = {name: _joined(columns) for name, columns in parts.items()}
    return {key: joined[name] for key, name in wanted.items()}, digest.hexdigest()


def _joined(columns: Sequence[Column]) -> Column:
    if not columns:
        return Column(np.zeros(0, dtype=np.int64))
    if all(column.labels is None for column in columns):
        return Column(np.concatenate([column.values for column in columns]))
    # Slices may number their labels apart.
    number: dict[str, int] = {}
    values = []
    for column in columns:
        labels = column.labels if column.labels is not None else ()
        places = np.array([number.setdefault(label, len(number)) for label in labels], dtype=np.uint32)
        values.append(places[column.values])
    return Column(np.concatenate(values), tuple(number))


def _as_text(content: Mapping[str, Any]) -> str:
    def text(value: Any, decimals: int) -> str:
        return "-" if value is None else f"{value:,.{decimals}f}"

    lines = [
        f"{label:<24}{text(content[key], decimals):>18}"
        for label, key, decimals in (
            ("Records", "n", 0),
            ("Insured years", "insured_years", 2),
            ("Cost, EUR a year", "cost_eur", 2),
            ("Payment, EUR a year", "payment_eur", 2),
            ("Standard error, EUR", "se_eur", 2),
            ("R2", "r2", 4),
            ("CPM", "cpm", 4),
            ("MAPE (GGAA), EUR", "mape_eur", 2),
            ("SD of results, EUR", "sd_eur", 2),
            ("Bandwidth, EUR", "bandwidth_eur", 2),
        )
    ]
    tables = [("levels", content["levels"]), ("insurers", content["insurers"]), *content["groups"].items()]
    for name, rows in tables:
        if rows:
            key = next(iter(rows[0]))
            frame = pd.DataFrame(rows)
            decimals = {"n": 0, "persons": 0, "groups": 0, "r2": 4, "predictive_ratio": 4}
            shown = {
                c: [v if isinstance(v, str) or c == key else text(_finite(v), decimals.get(c, 2)) for v in frame[c]]
                for c in map(str, frame.columns)
            }
            lines += ["", str(name), pd.DataFrame(shown).to_string(index=False)]
    if any(row["n"] is None for rows in (content["insurers"], *content["groups"].values()) for row in rows):
        lines += ["", f"-: groups of fewer than {MINIMUM_PERSONS} persons, and what would give them away"]
    return "\n".join(lines)


__all__ = [
    "Evaluation",
    "FitPowerBalance",
    "evaluate",
    "fit_power_balance",
    "held_out",
    "overcompensation",
    "payment_system_fit",
    "selection_incentives",
    "weight_change",
]
