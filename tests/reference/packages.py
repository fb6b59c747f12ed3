"""The same estimates by packages that know nothing of moments: a dense matrix with a row per record, in double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import quadprog
import scipy.linalg
import statsmodels.api as sm

from .estimation import Constraint, Design, Levels, Record, seen

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Dense:
    """Rows of the design, weights [insured years] and targets [EUR per year] without the empty columns."""

    names: list[str]
    kept: list[int]
    x: Array
    weight: Array
    target: Array
    person: Array

    def root(self) -> tuple[Array, Array]:
        scale = np.sqrt(self.weight)
        return self.x * scale[:, None], self.target * scale

    def full(self, kept: Array) -> Array:
        """A value per column, 0 for the empty ones."""
        result = np.zeros(len(self.names))
        result[self.kept] = kept
        return result

    def rules(self, rules: Sequence[Constraint]) -> tuple[Array, Array]:
        c = [[float(r.terms.get(j, 0)) for j in self.kept] for r in rules]
        return np.array(c).reshape(len(rules), len(self.kept)), np.array([float(r.value) for r in rules])


def dense(design: Design, records: Sequence[Record], levels: Levels | None = None) -> Dense:
    names = design.names()
    people = seen(design, records, [0] * len(names), levels)  # type: ignore[list-item]
    x = np.zeros((len(people), len(names)))
    for i, p in enumerate(people):
        for j, n in p.x.items():
            x[i, j] = n
    kept = [j for j in range(len(names)) if x[:, j].any()]
    return Dense(
        names,
        kept,
        x[:, kept],
        np.array([float(p.weight) for p in people]),
        np.array([float(p.target) for p in people]),
        np.array([p.record.person for p in people]),
    )


def by_lapack(d: Dense, equalities: Sequence[Constraint]) -> Array:
    """Least squares under equalities by LAPACK dgglse (generalized RQ factorization)."""
    a, y = d.root()
    c, value = d.rules(equalities)
    if not len(value):
        found, *_ = scipy.linalg.lstsq(a, y)
        return d.full(found)
    scale = np.linalg.norm(c, axis=1)
    *_, found, info = scipy.linalg.lapack.dgglse(a, c / scale[:, None], y, value / scale)
    assert info == 0
    return d.full(found)


def within(d: Dense, equalities: Sequence[Constraint]) -> tuple[Array, Array]:
    """A point that satisfies the equalities, and an orthonormal basis of the directions they leave."""
    c, value = d.rules(equalities)
    if not len(value):
        return np.zeros(len(d.kept)), np.eye(len(d.kept))
    point, *_ = scipy.linalg.lstsq(c, value)
    return point, scipy.linalg.null_space(c)


def by_quadprog(d: Dense, rules: Sequence[Constraint]) -> Array:
    """Least squares under equalities and inequalities by quadprog (Goldfarb and Idnani), columns at unit length."""
    point, z = within(d, [r for r in rules if r.relation == "="])
    a, y = d.root()
    inequalities = [r for r in rules if r.relation != "="]
    c, value = d.rules(inequalities)
    sign = np.array([1.0 if r.relation == ">=" else -1.0 for r in inequalities])
    reduced, target = a @ z, y - a @ point
    size = np.linalg.norm(reduced, axis=0)
    reduced = reduced / size
    left, right = sign[:, None] * (c @ (z / size)), sign * (value - c @ point)
    length = np.linalg.norm(left, axis=1)
    settled = np.linalg.norm(c @ z, axis=1) < 1e-9 * np.linalg.norm(c, axis=1)  # by the equalities
    if np.any(right[settled] > 1e-9 * np.abs(value[settled])):
        raise ValueError("constraints are inconsistent, no solution")
    left, right, length = left[~settled], right[~settled], length[~settled]
    bounds = ((left / length[:, None]).T, right / length) if len(right) else ()
    found, *_ = quadprog.solve_qp(reduced.T @ reduced, reduced.T @ target, *bounds)
    return d.full(point + (z / size) @ found)


def by_statsmodels(d: Dense, equalities: Sequence[Constraint], **options: Any) -> tuple[Any, Array, Array]:
    """WLS on the directions that the equalities leave: the results, the weights and their covariance."""
    point, z = within(d, equalities)
    fit = sm.WLS(d.target - d.x @ point, d.x @ z, weights=d.weight).fit(**options)
    covariance = np.zeros((len(d.names), len(d.names)))
    covariance[np.ix_(d.kept, d.kept)] = z @ fit.cov_params() @ z.T
    return fit, d.full(point + z @ fit.params), covariance
