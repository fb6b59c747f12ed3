"""The constrained solver against independent packages: LAPACK's dgglse for equalities, quadprog for inequalities."""

from __future__ import annotations

import numpy as np
import pytest
import quadprog
from numpy.typing import NDArray
from scipy.linalg import lapack

from anderhalf import _core

Floats = NDArray[np.float64]
pytestmark = pytest.mark.oracle


def portfolio(rng: np.random.Generator, columns: int, rows: int) -> tuple[_core.Moments, Floats, Floats, Floats]:
    """Moments of random counts, and the same rows as X, y [EUR per insured year] and insured years."""
    moments = _core.Moments(columns)
    x = rng.integers(0, 4, size=(rows, columns))
    days = rng.integers(1, 366, size=rows)
    cents = rng.integers(0, 2_000_000, size=rows)
    for i in range(rows):
        entries = [(int(j), int(x[i, j])) for j in np.flatnonzero(x[i])]
        moments.add(entries, int(days[i]), int(cents[i]))
    return moments, x.astype(float), cents / 100 * 365 / days, days / 365


def rule(name: str, coefficients: Floats, relation: _core.Relation, value: float) -> _core.Constraint:
    return _core.Constraint(name, [(j, float(c)) for j, c in enumerate(coefficients)], relation, value)


# LAPACK solves by QR, condition here below 100: twelve digits of the largest weight are safe.
@pytest.mark.parametrize("seed", range(40))
def test_equalities_equal_dgglse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns, rules = int(rng.integers(2, 12)), int(rng.integers(0, 6))
    rules = min(rules, columns - 1)
    moments, x, y, years = portfolio(rng, columns, 60)
    c = rng.normal(size=(rules, columns))
    value = rng.normal(scale=500, size=rules)
    root = np.sqrt(years)[:, None]
    if rules:
        _, _, _, wanted, info = lapack.dgglse(root * x, c, root[:, 0] * y, value)
        assert info == 0
    else:
        wanted = np.linalg.lstsq(root * x, root[:, 0] * y, rcond=None)[0]
    constraints = [rule(str(k), c[k], _core.Relation.equal, float(value[k])) for k in range(rules)]
    fit = _core.estimate(
        moments, [f"x={k}" for k in range(columns)], [], constraints=constraints, keep_budget=False, covariance=True
    )
    assert fit.converged
    np.testing.assert_allclose(fit.coefficients, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())
    # classical covariance by the null space of the rules
    span = np.linalg.svd(c)[2][rules:].T if rules else np.eye(columns)
    z = root * x @ span
    residual = root[:, 0] * (y - x @ np.array(fit.coefficients))
    variance = residual @ residual / (60 - columns + rules)
    covariance = variance * span @ np.linalg.inv(z.T @ z) @ span.T
    assert fit.freedom == 60 - columns + rules
    assert fit.variance == pytest.approx(variance, rel=1e-11)
    np.testing.assert_allclose(
        np.reshape(fit.covariance, (columns, columns)), covariance, rtol=0, atol=1e-11 * np.abs(covariance).max()
    )


# quadprog works in double on the normal equations: condition squared, ten digits are left.
@pytest.mark.parametrize("seed", range(60))
def test_inequalities_equal_quadprog(seed: int) -> None:
    rng = np.random.default_rng(1_000 + seed)
    columns = int(rng.integers(3, 15))
    equal, unequal = int(rng.integers(0, 3)), int(rng.integers(1, 25))
    moments, x, y, years = portfolio(rng, columns, 80)
    inside = rng.normal(scale=500, size=columns)  # a point that all constraints allow
    c = rng.normal(size=(equal + unequal, columns))
    c[rng.random(c.shape) < 0.5] = 0  # sparse, but never all zero
    c[np.arange(len(c)), rng.integers(0, columns, size=len(c))] = 1
    bound = c @ inside
    bound[equal:] -= rng.exponential(scale=300, size=unequal) * (rng.random(unequal) < 0.8)
    g, v = (x * years[:, None]).T @ x, (x * years[:, None]).T @ y
    if np.linalg.matrix_rank(c[:equal]) < equal:
        pytest.skip("equalities that depend on each other")
    size = 1e3  # quadprog looks at absolute sizes
    wanted, _, _, _, multipliers, _ = quadprog.solve_qp(g, v / size, c.T.copy(), bound / size, equal)
    wanted, multipliers = wanted * size, multipliers * size

    flip = rng.random(equal + unequal) < 0.5  # a'b >= v is also -a'b <= -v
    constraints = []
    for k in range(equal + unequal):
        relation = _core.Relation.equal if k < equal else _core.Relation.at_most if flip[k] else _core.Relation.at_least
        sign = -1.0 if relation == _core.Relation.at_most else 1.0
        constraints.append(rule(str(k), sign * c[k], relation, float(sign * bound[k])))
    fit = _core.estimate(
        moments, [f"x={k}" for k in range(columns)], [], constraints=constraints, keep_budget=False, inference=False
    )
    assert fit.converged
    np.testing.assert_allclose(fit.coefficients, wanted, rtol=0, atol=1e-8 * np.abs(wanted).max())
    ours = np.zeros(equal + unequal)
    for b in fit.binding:
        ours[int(b.name)] = b.multiplier * (-1 if b.relation == _core.Relation.at_most else 1)
    assert (ours[equal:] >= 0).all()
    np.testing.assert_allclose(ours[equal:], multipliers[equal:], rtol=0, atol=1e-7 * np.abs(multipliers).max() + 1e-6)


def test_inequalities_without_a_common_point_are_refused_as_quadprog_does() -> None:
    rng = np.random.default_rng(5)
    moments, x, _, years = portfolio(rng, 4, 40)
    c = rng.normal(size=(3, 4))
    both = np.vstack([c, -c.sum(axis=0)])
    bound = np.array([1.0, 1.0, 1.0, 0.0])  # the first three add up to 3 or more, the last says 0 or less
    with pytest.raises(ValueError, match="inconsistent"):
        quadprog.solve_qp((x * years[:, None]).T @ x, np.zeros(4), both.T.copy(), bound)
    constraints = [rule(f"rule {k}", both[k], _core.Relation.at_least, float(bound[k])) for k in range(4)]
    with pytest.raises(ValueError, match="is impossible") as caught:
        _core.estimate(moments, list("abcd"), [], constraints=constraints, keep_budget=False)
    assert all(f"rule {k}" in str(caught.value) for k in range(4))
