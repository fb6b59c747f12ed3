"""Class totals of the second implementation, handed to the payment of the C++ core."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from reference.payment_country import as_counts
from reference.payment_rules import Rules
from reference.payment_steps import Country, Days

from anderhalf import _core
from anderhalf.model import Model

TABLES = (
    "variable",
    "ggz",
    "ggz_hcc",
    "nursing",
    "deductible",
    "variable_ex_post",
    "ggz_ex_post",
    "deductible_ex_post",
)
MODELS = ("nl-2015", "nl-2019", "nl-2020", "nl-2021", "nl-2021-structural")


def tables_of(model: Model) -> dict[str, Any]:
    """The tables of weights that the model has."""
    return {name: getattr(model, name) for name in TABLES if getattr(model, name).criteria}


def columns(share: Any) -> list[tuple[str, int]]:
    """Criterion and code of each column: the criteria one after the other, a column per class."""
    return [(criterion.name, k.code) for criterion in share.criteria for k in criterion.classes]


def matrix(share: Any, days: list[Days], extra: list[int] | None = None) -> np.ndarray:
    """Insured days, insurers x columns; `extra`: a last column."""
    at = {column: i for i, column in enumerate(columns(share))}
    result = np.zeros((len(days), len(at) + (extra is not None)), dtype=np.int64)
    for insurer, own in enumerate(days):
        for column, n in own.items():
            result[insurer, at[column]] = n
    if extra is not None:
        result[:, -1] = extra
    return result


def totals(rules: Rules, tables: dict[str, Any], country: Country) -> Any:
    """The class totals as the core reads them."""
    shares = [
        _core.ShareTotals(
            name,
            matrix(tables[name], country.shares[name].days),
            matrix(tables[name], country.shares[name].abroad) if country.shares[name].abroad else None,
            country.shares[name].cost,
            [_whole(x * 1_000_000) for x in country.shares[name].excess],
        )
        for name in rules.shares
    ]
    result = _core.Totals(
        shares, country.days, country.adult_days, matrix(tables["deductible"], country.deductible, country.forfait_days)
    )
    result.under_18, result.cost_fixed = country.under_18, country.cost_fixed
    result.detained_days = country.detained_days
    result.fixed_history = [
        _whole(h * Fraction(d, rules.days_in_year)) for h, d in zip(country.history, country.days, strict=False)
    ]
    result.own_payments_mandatory = country.own_payments
    result.premium_forgone, result.own_payments_forgone = country.premium_forgone, country.own_payments_forgone
    return result


def _whole(value: Fraction) -> int:
    assert value.denominator == 1
    return int(value)


def counts(share: Any, expected: tuple[Days, int], days_in_year: int) -> Any:
    """Expected counts in days of the year that is settled; those of the forfait do not matter to any rule."""
    days, years = expected
    forfait = [0] if share.name.startswith("deductible") else []
    return _core.Counts([days.get(column, 0) for column in columns(share)] + forfait, days_in_year, years)


def core_pay(
    model: Model,
    rules: Rules,
    country: Country,
    stage: str,
    mode: str = "exact",
    expected: dict[str, tuple[Days, int]] | None = None,
) -> Any:
    """The statement of the core."""
    tables = tables_of(model)
    ahead = (
        [] if expected is None else [counts(tables[name], expected[name], rules.days_in_year) for name in rules.shares]
    )
    return _core.pay(
        model.core,
        totals(rules, tables, country),
        getattr(_core.Stage, stage),
        getattr(_core.Rounding, mode),
        ahead,
        None if expected is None else counts(tables["deductible"], expected["deductible"], rules.days_in_year),
    )


def lines_of(statement: Any) -> dict[tuple[str, str], list[int]]:
    """Share and item to cents; lines of nothing but zeros are left out."""
    lines = {(line.share, line.item.name): list(line.cents) for line in statement.lines}
    assert len(lines) == len(statement.lines), "an item twice in one share"
    return {key: cents for key, cents in lines.items() if any(cents)}


__all__ = ["MODELS", "as_counts", "columns", "core_pay", "lines_of", "tables_of", "totals"]
