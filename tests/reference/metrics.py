"""Measures of fit by their definitions, in Fractions, row by row: annualised amounts, weights, plain sums.

Written from the formulas alone. Roots are the one thing that is no fraction: they are taken to 60 digits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal, getcontext
from fractions import Fraction

CENTS = 100


@dataclass(frozen=True)
class Row:
    cost: int
    payment: int
    days: int
    represents: int = 1

    def weight(self, year: int) -> Fraction:
        """Insured years that the row stands for."""
        return Fraction(self.represents * self.days, year)

    def y(self, year: int) -> Fraction:
        """Cost per insured year, euros."""
        return Fraction(self.cost * year, self.days * CENTS)

    def z(self, year: int) -> Fraction:
        """Payment per insured year, euros."""
        return Fraction(self.payment * year, self.days * CENTS)


def root(x: Fraction) -> float:
    """The square root, rounded to a double."""
    getcontext().prec = 60
    return float((Decimal(x.numerator) / Decimal(x.denominator)).sqrt())


def mean(values: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction:
    return sum((v * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / sum(weights, Fraction(0))


def variance(values: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction:
    middle = mean(values, weights)
    return mean([(v - middle) ** 2 for v in values], weights)


def correlation(a: Sequence[Fraction], b: Sequence[Fraction], weights: Sequence[Fraction]) -> float | None:
    ma, mb = mean(a, weights), mean(b, weights)
    together = mean([(x - ma) * (y - mb) for x, y in zip(a, b, strict=True)], weights)
    apart = variance(a, weights) * variance(b, weights)
    if apart == 0:
        return None
    size = root(together**2 / apart)
    return size if together >= 0 else -size


def r2(actual: Sequence[Fraction], predicted: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction | None:
    middle = mean(actual, weights)
    total = mean([(y - middle) ** 2 for y in actual], weights)
    left = mean([(y - z) ** 2 for y, z in zip(actual, predicted, strict=True)], weights)
    return None if total == 0 else 1 - left / total


def cpm(actual: Sequence[Fraction], predicted: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction | None:
    middle = mean(actual, weights)
    total = mean([abs(y - middle) for y in actual], weights)
    left = mean([abs(y - z) for y, z in zip(actual, predicted, strict=True)], weights)
    return None if total == 0 else 1 - left / total


@dataclass(frozen=True)
class Measures:
    r2: Fraction | None
    cpm: Fraction | None
    mape: Fraction
    sd: float


def of_persons(rows: Sequence[Row], year: int = 365) -> Measures:
    y, z = [r.y(year) for r in rows], [r.z(year) for r in rows]
    w = [r.weight(year) for r in rows]
    gaps = [b - a for a, b in zip(y, z, strict=True)]
    return Measures(r2(y, z, w), cpm(y, z, w), mean([abs(g) for g in gaps], w), root(variance(gaps, w)))


@dataclass(frozen=True)
class Group:
    insured_years: Fraction
    cost: Fraction
    payment: Fraction
    overcompensation: Fraction
    standard_error: float | None
    predictive_ratio: Fraction | None


def of_group(rows: Sequence[Row], year: int = 365) -> Group:
    w = [r.weight(year) for r in rows]
    time = sum(w, Fraction(0))
    cost, payment = mean([r.y(year) for r in rows], w), mean([r.z(year) for r in rows], w)
    gap = payment - cost
    n = len(rows)
    error = None
    if n > 1:
        # Weighted residuals around the mean result: each row is one draw.
        spread = sum(((v * (r.z(year) - r.y(year) - gap)) ** 2 for r, v in zip(rows, w, strict=True)), Fraction(0))
        error = root(Fraction(n, n - 1) * spread / time**2)
    return Group(time, cost, payment, gap, error, None if cost == 0 else payment / cost)


@dataclass(frozen=True)
class Level:
    groups: int
    r2: Fraction | None
    ggaa: Fraction
    sd: float
    bandwidth: Fraction


def parts(rows: Sequence[Row], labels: Sequence[Hashable]) -> dict[Hashable, list[Row]]:
    found: dict[Hashable, list[Row]] = {}
    for row, label in zip(rows, labels, strict=True):
        found.setdefault(label, []).append(row)
    return found


def between(rows: Sequence[Row], labels: Sequence[Hashable], year: int = 365) -> Level:
    groups = [of_group(part, year) for part in parts(rows, labels).values()]
    w = [g.insured_years for g in groups]
    gaps = [g.overcompensation for g in groups]
    return Level(
        len(groups),
        r2([g.cost for g in groups], [g.payment for g in groups], w),
        mean([abs(g) for g in gaps], w),
        root(variance(gaps, w)),
        max(gaps) - min(gaps),
    )
