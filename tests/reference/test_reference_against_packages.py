"""The exact estimation against LAPACK, quadprog and statsmodels, so that it may judge others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest

from . import packages
from .estimation import (
    Constraint,
    Contradiction,
    Design,
    Levels,
    NotDetermined,
    Record,
    Totals,
    combine,
    estimate,
    independent,
    moments,
    random_design,
    random_levels,
    random_records,
    robust_covariance,
    seen,
    zero_sums,
)

pytestmark = pytest.mark.oracle

CLOSE = 1e-8
"""Relative to the largest weight: the packages work in double on records of a few days, up to 10^4 in condition."""


def near(found: Sequence[Any], expected: Any, close: float = CLOSE) -> None:
    exact = np.array(found, dtype=float)
    np.testing.assert_allclose(expected, exact, rtol=0, atol=close * max(1.0, float(np.abs(exact).max())))


def problem(seed: int) -> tuple[Design, list[Record], Levels, Totals, list[Constraint]]:
    """Random records, zero-sums and one or two equalities more."""
    rng = random.Random(seed)
    while True:
        design = random_design(rng)
        records = random_records(rng, design, rng.randint(25, 60))
        levels = random_levels(rng, design)
        t = combine(moments(design, records), levels)
        p = len(t.names)
        rules = zero_sums(design, t, "age_sex")
        for k in range(rng.randint(0, 2)):
            chosen = rng.sample([j for j in range(p) if t.xx[j][j]], 1)
            rules.append(Constraint(f"r{k}", {j: F(rng.randint(1, 3)) for j in chosen}, "=", rng.randint(-99, 9999)))
        try:
            fit = estimate(t, rules)
        except (NotDetermined, Contradiction):
            continue
        if not fit.free:  # packages need something to estimate
            continue
        return design, records, levels, t, independent(rules, p)


@pytest.mark.parametrize("seed", range(60))
def test_equalities_as_in_lapack_and_errors_as_in_statsmodels(seed: int) -> None:
    design, records, levels, t, rules = problem(seed)
    fit = estimate(t, rules)
    d = packages.dense(design, records, levels)
    near(fit.weights, packages.by_lapack(d, rules))
    classical, weights, covariance = packages.by_statsmodels(d, rules)
    near(fit.weights, weights)
    assert float(fit.rss) == pytest.approx(classical.ssr, rel=1e-9)
    near(fit.covariance(), covariance)
    people = seen(design, records, fit.weights, levels)
    _, _, robust = packages.by_statsmodels(d, rules, cov_type="HC1")
    near(robust_covariance(fit, people, lambda q: q.weight**2), robust)
    _, _, by_person = packages.by_statsmodels(d, rules, cov_type="cluster", cov_kwds={"groups": d.person})
    near(robust_covariance(fit, people, lambda q: q.weight**2, cluster=True), by_person)


@pytest.mark.parametrize("seed", range(60))
def test_inequalities_as_in_quadprog(seed: int) -> None:
    design, records, levels, t, rules = problem(seed)
    rng = random.Random(seed)
    start = estimate(t, rules).weights
    for k in range(rng.randint(1, 5)):
        filled = [j for j in range(len(t.names)) if t.xx[j][j]]
        terms = {j: F(rng.choice([-1, 1])) for j in rng.sample(filled, min(2, len(filled)))}
        at = sum((v * start[j] for j, v in terms.items()), F(0))
        rules.append(Constraint(f"i{k}", terms, rng.choice([">=", "<="]), at + rng.randint(-300, 300)))
    d = packages.dense(design, records, levels)
    try:
        fit = estimate(t, rules)
    except Contradiction:
        with pytest.raises(ValueError, match="inconsistent"):
            packages.by_quadprog(d, rules)
        return
    near(fit.weights, packages.by_quadprog(d, rules))
