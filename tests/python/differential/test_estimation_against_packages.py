"""Estimates through the facade against LAPACK, quadprog and statsmodels on thousands of records with a dense matrix.

The packages work on the records in double, the core on whole sums refined beyond double: what differs is theirs, some
1e-10 of the largest weight. All of them together are wrong in no way that the exact estimates would not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from reference import packages
from reference.estimation import Constraint
from scipy import stats

import anderhalf as ah

pytestmark = pytest.mark.oracle

CLOSE = 1e-9
AGES, REGIONS, STEPS, FLAGS, COUNTS = 12, 5, 6, 7, 4
RECORDS = 800


@dataclass
class Problem:
    frame: dict[str, np.ndarray]
    criteria: list[Any]
    dense: packages.Dense
    zero_sum: list[Constraint]
    budget: Constraint
    person: np.ndarray

    def moments(self) -> Any:
        return ah.Moments.from_records(self.frame, criteria=self.criteria, represents="represents")

    def label(self, column: int) -> str:
        return self.dense.names[column].replace("=", "[") + "]"

    def text(self, rule: Constraint) -> str:
        left = " + ".join(f"{float(v)!r} * {self.label(j)}" for j, v in rule.terms.items()).replace("+ -", "- ")
        return f"{left} {'==' if rule.relation == '=' else rule.relation} {float(rule.value)!r}"


def problem(seed: int, represents: bool = True) -> Problem:
    """Risk classes that go together, cost with a long tail and a share of zeros."""
    rng = np.random.default_rng(seed)
    n = RECORDS
    age = rng.integers(0, AGES, n)
    ill = rng.random(n) < 0.1 + 0.05 * age
    region = rng.integers(0, REGIONS, n)
    step = np.where(ill, rng.integers(0, STEPS, n), 0)
    flags = (rng.random((n, FLAGS)) < np.where(ill, 0.2, 0.02)[:, None]).astype(np.uint8)
    counts = rng.poisson(np.where(ill, 0.4, 0.02)[:, None], (n, COUNTS)).astype(np.uint8)
    days = np.where(rng.random(n) < 0.8, 365, rng.integers(1, 366, n))
    stands = rng.integers(1, 4, n) if represents else np.ones(n, int)
    level = 400 + 150 * age + 900 * step + flags @ (1_000.0 * np.arange(1, FLAGS + 1)) + 2_000 * counts.sum(axis=1)
    cost = np.rint(100 * level * rng.gamma(0.7, 1.4, n) * (rng.random(n) < 0.9) * days / 365).astype(np.int64)
    frame = {
        "age_sex": age.astype(np.uint8),
        "region": region.astype(np.uint16),
        "mhk": step.astype(np.uint8),
        **{f"fkg_{k + 1}": flags[:, k] for k in range(FLAGS)},
        **{f"dkg_{k + 1}": counts[:, k] for k in range(COUNTS)},
        "days": days.astype(np.int32),
        "cost_cents": cost,
        "represents": stands.astype(np.uint16),
    }
    criteria = [
        ah.Criterion("age_sex", classes=AGES),
        ah.Criterion("region", classes=REGIONS),
        ah.Criterion("mhk", classes=STEPS),
        ah.Criterion("fkg", columns=[f"fkg_{k + 1}" for k in range(FLAGS)], multi=True, none=True),
        ah.Criterion("dkg", columns=[f"dkg_{k + 1}" for k in range(COUNTS)], counts=True, none=True),
    ]
    one = np.eye(max(AGES, REGIONS, STEPS))
    none = [(~flags.any(axis=1)).astype(float)[:, None], (~counts.any(axis=1)).astype(float)[:, None]]
    x = np.hstack([one[age, :AGES], one[region, :REGIONS], one[step, :STEPS], none[0], flags, none[1], counts])
    sizes = {"age_sex": AGES, "region": REGIONS, "mhk": STEPS, "fkg": FLAGS + 1, "dkg": COUNTS + 1}
    names = [f"{c}={k}" for c, size in sizes.items() for k in range(size)]
    weight, target = stands * days / 365, cost / 100 * 365 / days
    dense = packages.Dense(names, list(range(len(names))), x.astype(float), weight, target, np.arange(n) // 2)
    years, begin, rules = weight @ x, 0, []
    for c, size in sizes.items():
        if c != "age_sex":
            rules.append(Constraint(c, {j: years[j] for j in range(begin, begin + size)}))
        begin += size
    budget = Constraint("budget", dict(enumerate(years)), "=", weight @ target)
    return Problem(frame, criteria, dense, rules, budget, np.arange(n) // 2)


def near(found: Any, wanted: Any, close: float = CLOSE) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=close * float(np.abs(wanted).max()))


@pytest.mark.parametrize("seed", range(8))
def test_equalities_as_by_lapack(seed: int) -> None:
    p, rng = problem(seed), np.random.default_rng(seed)
    free = packages.by_lapack(p.dense, p.zero_sum)
    near(ah.estimate(p.moments()).params, free)
    more = []
    for k, j in enumerate(rng.choice(AGES + REGIONS, 4, replace=False)):
        other = AGES + REGIONS + int(rng.integers(1, STEPS))
        rule = {int(j): 1.0, other: float(rng.choice([-1, 2]))}
        more.append(Constraint(f"r{k}", rule, "=", round(sum(v * free[i] for i, v in rule.items()) * 0.9)))
    texts = [p.text(r) for r in more]
    without = ah.estimate(p.moments(), constraints=texts, keep_budget=False)
    near(without.params, packages.by_lapack(p.dense, [*p.zero_sum, *more]))
    kept = ah.estimate(p.moments(), constraints=texts)
    near(kept.params, packages.by_lapack(p.dense, [*p.zero_sum, *more, p.budget]))
    _, _, covariance = packages.by_statsmodels(p.dense, [*p.zero_sum, *more, p.budget])
    near(kept.cov_params(), covariance, 1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_groups_brought_to_their_own_cost_as_by_lapack(seed: int) -> None:
    p, rng = problem(100 + seed), np.random.default_rng(seed)
    rules, given = [*p.zero_sum, p.budget], []
    for k in range(2):
        chosen = rng.random(RECORDS) < 0.2 + 0.3 * (p.frame["mhk"] > 0)
        inside = {name: values[chosen] for name, values in p.frame.items()}
        group = ah.Moments.from_records(inside, criteria=p.criteria, represents="represents")
        given.append(ah.group_total(f"g{k}", group))
        weight = p.dense.weight[chosen]
        rules.append(
            Constraint(f"g{k}", dict(enumerate(weight @ p.dense.x[chosen])), "=", weight @ p.dense.target[chosen])
        )
    near(ah.estimate(p.moments(), constraints=given).params, packages.by_lapack(p.dense, rules))


@pytest.mark.parametrize("seed", range(20))
def test_sign_order_and_caps_as_by_quadprog(seed: int) -> None:
    p, rng = problem(200 + seed), np.random.default_rng(seed)
    free = packages.by_lapack(p.dense, p.zero_sum)
    fkg = AGES + REGIONS + STEPS
    mhk = AGES + REGIONS
    rules = [Constraint(f"age{k}", {k: 1, k - 1: -1}, ">=") for k in range(1, AGES) if rng.random() < 0.6]
    rules += [Constraint(f"mhk{k}", {mhk + k: 1, mhk + k - 1: -1}, ">=", 50) for k in range(1, STEPS)]
    rules += [Constraint(f"fkg{k}", {fkg + k: 1}, ">=", 0) for k in range(1, FLAGS + 1)]
    rules += [Constraint(f"cap{k}", {fkg + k: 1}, "<=", round(0.8 * abs(free[fkg + k]))) for k in (2, 3, 5)]
    rules += [Constraint("region", {AGES: 1, AGES + 1: -2, fkg + 1: 0.5}, "<=", round(float(rng.normal(0, 500))))]
    rng.shuffle(rules)  # type: ignore[arg-type]
    texts = [p.text(r) for r in rules]
    for keep, base in ((False, p.zero_sum), (True, [*p.zero_sum, p.budget])):
        fit = ah.estimate(p.moments(), constraints=texts, keep_budget=keep)
        assert fit.converged
        near(fit.params, packages.by_quadprog(p.dense, [*base, *rules]), 1e-7)
        weights = fit.params.to_numpy()
        for r in rules:
            gap = sum(v * weights[j] for j, v in r.terms.items()) - r.value
            assert (gap if r.relation == ">=" else -gap) > -1e-7
    assert any(name in texts for name in fit.constraints.name)


@pytest.mark.parametrize("seed", range(4))
def test_classical_results_as_by_statsmodels(seed: int) -> None:
    p = problem(300 + seed)
    found, weights, covariance = packages.by_statsmodels(p.dense, p.zero_sum)
    fit = ah.estimate(p.moments())
    near(fit.params, weights)
    near(fit.cov_params(), covariance)
    near(fit.bse, np.sqrt(np.diag(covariance)))
    assert fit.df_resid == found.df_resid
    assert fit.nobs == found.nobs == RECORDS
    t = weights / np.sqrt(np.diag(covariance))
    near(fit.tvalues, t)
    np.testing.assert_allclose(fit.pvalues, 2 * stats.t.sf(np.abs(t), found.df_resid), rtol=1e-6, atol=1e-14)
    half = stats.t.ppf(0.95, found.df_resid) * np.sqrt(np.diag(covariance))
    near(fit.conf_int(0.1)[0], weights - half)
    near(fit.conf_int(0.1)[1], weights + half)
    total = p.dense.weight @ (p.dense.target - np.average(p.dense.target, weights=p.dense.weight)) ** 2
    assert fit.rsquared == pytest.approx(1 - found.ssr / total, abs=1e-12)
    near(fit.tidy()["Estimate"], weights)


@pytest.mark.parametrize("seed", range(4))
def test_robust_errors_as_by_statsmodels(seed: int) -> None:
    p = problem(400 + seed)
    _, weights, covariance = packages.by_statsmodels(p.dense, p.zero_sum, cov_type="HC1")
    fit = ah.estimate(p.frame, p.criteria, represents="represents", robust=True)
    near(fit.params, weights)
    assert fit.robust
    near(fit.bse, np.sqrt(np.diag(covariance)))
    near(fit.cov_params(), covariance)
    capped = [Constraint("cap", {AGES + REGIONS + 1: 1}, "=", 100)]
    _, weights, covariance = packages.by_statsmodels(p.dense, [*p.zero_sum, *capped], cov_type="HC1")
    fit = ah.estimate(
        p.frame, p.criteria, represents="represents", robust=True, constraints=[p.text(r) for r in capped]
    )
    near(fit.params, weights)
    near(fit.cov_params(), covariance)
    near(fit.predict(p.frame), p.dense.x @ weights)
    absolute = p.dense.weight @ np.abs(p.dense.target - p.dense.x @ weights)
    assert fit.mape == pytest.approx(absolute / p.dense.weight.sum(), rel=1e-8)
