"""Estimates through the facade against exact rational arithmetic.

The core solves in double and refines with residuals in long double (64 bits of mantissa), where moments are exact:
about 1e-19 times the condition is left, below 1e-12 up to a condition of 10^7. A weight is as precise as the largest of
its fit, so that differences are taken relative to that; a covariance as the variance of a mean. Levels are binary
fractions: both sides start from equal numbers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest
from estimation_bridge import (
    arguments,
    core_fit,
    core_moments,
    criteria,
    expected_fit,
    frame,
    text,
    weights,
    zero_sum_rules,
)
from reference.estimation import (
    Constraint,
    Contradiction,
    Criterion,
    Design,
    Fit,
    Levels,
    NotDetermined,
    Record,
    Totals,
    budget,
    combine,
    estimate,
    group_total,
    measures,
    moments,
    random_design,
    random_levels,
    random_records,
    robust_covariance,
    seen,
    zero_sum,
)

import anderhalf as ah
from anderhalf.errors import DomainError

pytestmark = pytest.mark.oracle

WEIGHTS = 1e-12
ERRORS = 1e-9


def case(seed: int, fewest: int = 12) -> tuple[random.Random, Design, list[Record], Levels, Totals]:
    rng = random.Random(seed)
    design = random_design(rng, absorbed=seed % 5 == 0)
    records = random_records(rng, design, rng.randint(fewest, 50))
    levels = random_levels(rng, design)
    return rng, design, records, levels, combine(moments(design, records), levels)


def near(found: Sequence[Any], exact: Sequence[Any], close: float) -> None:
    """Within `close` of the largest figure."""
    wanted = np.array([[float(v) for v in row] if isinstance(row, list) else float(row) for row in exact])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=close * max(1.0, float(np.abs(wanted).max(initial=0))))


def same_fit(fit: Any, exact: Fit, *, errors: bool = True) -> None:
    near(weights(fit), exact.weights, max(WEIGHTS, 1e-19 * fit.condition))
    assert (fit.rank, fit.nobs) == (exact.rank, exact.rows)
    assert fit.insured_years == pytest.approx(float(exact.years), rel=1e-15)
    assert fit.mean_cost == pytest.approx(float(exact.mean_cost), rel=1e-14, abs=1e-12)
    if exact.tss:
        assert fit.rsquared == pytest.approx(float(exact.r2), abs=1e-12)
    if errors:
        same_errors(fit, exact)


def same_errors(fit: Any, exact: Fit) -> None:
    p = len(fit.params)
    assert fit.df_resid == exact.rows - exact.free
    if exact.rows > exact.free:
        empty = [exact.names[j] in exact.empty for j in range(p)]
        covariance = [row[:p] for row in exact.covariance()[:p]]
        found = fit.cov_params().to_numpy()
        assert np.isnan(fit.bse.to_numpy()).tolist() == np.isnan(np.diag(found)).tolist() == empty
        # a weight that the constraints settle has a variance of 0, known to the precision of that of a mean
        of_a_mean = exact.rss / (exact.rows - exact.free) / exact.years
        largest = float(max([of_a_mean, *(abs(v) for row in covariance for v in row)]))
        wanted = np.array([[float(v) for v in row] for row in covariance])
        np.testing.assert_allclose(np.nan_to_num(found), wanted, rtol=0, atol=ERRORS * largest)
        if fit.absorbed is not None:
            full = exact.covariance()
            own = [np.nan if n in exact.empty else float(full[p + a][p + a]) for a, n in enumerate(exact.names[p:])]
            np.testing.assert_allclose(fit.absorbed_bse.to_numpy() ** 2, own, rtol=0, atol=ERRORS * largest)
        settled = [j for j in range(p) if not empty[j] and not exact.projector[j][j]]
        assert not fit.bse.iloc[settled].any()
        assert not found[settled][:, [not e for e in empty]].any()
        errors = np.sqrt(np.diag(wanted))
        if errors.max() ** 2 > 1e-3 * float(of_a_mean):
            near(np.nan_to_num(fit.bse.to_numpy())[errors > 0], errors[errors > 0].tolist(), ERRORS)


def with_constraints(rng: random.Random, design: Design, t: Totals, relations: str) -> list[Constraint]:
    """Up to three constraints on classes that are not empty; one on an empty class is set aside by the core."""
    own = sum(len(c.classes) for c in design.criteria if not c.absorbed)
    filled = [j for j in range(own) if t.xx[j][j]]
    rules = []
    for k in range(rng.randint(0, 3)):
        terms = {j: F(rng.choice([-2, -1, 1, 1, 3])) for j in rng.sample(filled, min(len(filled), rng.randint(1, 3)))}
        rules.append(Constraint(f"r{k}", terms, rng.choice(relations.split()), F(rng.randint(-2_000, 5_000))))
    return rules


# The same weights or refused by both


@pytest.mark.parametrize("seed", range(200))
def test_zero_sum_weights_r2_rank_and_errors_are_exact(seed: int) -> None:
    rng, design, records, levels, t = case(seed)
    fit = core_fit(core_moments(design, records, rng), design, (), levels)
    exact = expected_fit(t, zero_sum_rules(design, t))
    same_fit(fit, exact)
    names = [f"{c}={k}" for c, k in fit.index]
    assert [n for n, w in zip(names, fit.weights.insured_years, strict=True) if w == 0] == [
        n for n in exact.empty if n in names
    ]


@pytest.mark.parametrize("keep_budget", [True, False])
@pytest.mark.parametrize("relations", ["=", ">= <=", "= >= <="])
def test_constrained_weights_are_exact_or_refused_by_both(relations: str, keep_budget: bool) -> None:
    outcomes = {"fit": 0, "free": 0, "clash": 0}
    for seed in range(120):
        rng, design, records, levels, t = case(10_000 + seed, fewest=3)
        more = with_constraints(rng, design, t, relations)
        rules = zero_sum_rules(design, t) + more
        found = core_moments(design, records, rng)
        try:
            exact = expected_fit(t, rules, keep_budget=keep_budget)
        except NotDetermined as free:
            with pytest.raises(DomainError) as caught:
                core_fit(found, design, more, levels, keep_budget=keep_budget)
            names_the_free_columns(str(caught.value), free.columns, design)
            outcomes["free"] += 1
        except Contradiction:
            with pytest.raises(DomainError) as caught:
                core_fit(found, design, more, levels, keep_budget=keep_budget)
            names_what_clashes(str(caught.value), design, t, more)
            outcomes["clash"] += 1
        else:
            fit = core_fit(found, design, more, levels, keep_budget=keep_budget)
            assert fit.converged
            same_fit(fit, exact)
            names_what_binds(fit, exact, design, more)
            outcomes["fit"] += 1
    assert outcomes["fit"] > 60
    assert outcomes["clash"] > 5
    assert outcomes["free"] > 1


def test_an_inequality_that_does_not_bind_changes_no_error() -> None:
    _, design, records, levels, t = case(31)
    found = core_moments(design, records)
    slack = Constraint("slack", {0: F(1)}, ">=", F(-(10**7)))
    same_fit(core_fit(found, design, [slack], levels), expected_fit(t, zero_sum_rules(design, t)))


def degenerate(seed: int) -> tuple[Design, list[Record], Totals, list[Constraint]]:
    """Constraints that repeat, reverse, scale and touch each other."""
    rng = random.Random(seed)
    design = random_design(rng, plain=True)
    records = random_records(rng, design, rng.randint(8, 40))
    t = combine(moments(design, records))
    filled = [j for j in range(len(t.names)) if t.xx[j][j]]
    rules: list[Constraint] = []
    for k in range(rng.randint(2, 7)):
        kind, r = rng.randint(0, 4), rng.choice(rules) if rules else None
        terms, value = {rng.choice(filled): F(rng.choice([1, -1]))}, F(rng.choice([0, 0, 1_000, -500]))
        if kind == 0:
            a, b = rng.choice(filled), rng.choice(filled)
            terms, value = ({a: F(1), b: F(-1)} if a != b else {a: F(1)}), F(0)
        elif kind <= 2 and r:
            by = rng.choice([F(2), F(1, 2), F(1024)]) if kind == 1 else F(-1)
            terms, value = {j: F(v) * by for j, v in r.terms.items()}, r.value * by
        rules.append(Constraint(f"r{k}", terms, rng.choice([">=", "<=", ">=", "<=", "="]), value))
    return design, records, t, rules


def test_constraints_that_repeat_and_touch_are_solved_or_refused_by_both() -> None:
    outcomes = {"fit": 0, "refused": 0, "zero": 0}
    for seed in range(120):
        design, records, t, rules = degenerate(seed)
        found = core_moments(design, records)
        for keep_budget in (True, False):
            try:
                exact = expected_fit(t, zero_sum_rules(design, t) + rules, keep_budget=keep_budget)
            except (NotDetermined, Contradiction):
                with pytest.raises(DomainError):
                    core_fit(found, design, rules, keep_budget=keep_budget)
                outcomes["refused"] += 1
                continue
            if not any(exact.weights):  # below
                outcomes["zero"] += 1
                continue
            fit = core_fit(found, design, rules, keep_budget=keep_budget)
            assert fit.converged
            same_fit(fit, exact, errors=False)
            outcomes["fit"] += 1
    assert min(outcomes["fit"], outcomes["refused"]) > 40
    assert 0 < outcomes["zero"] < 20


def test_weights_that_the_constraints_hold_at_zero_are_zero() -> None:
    solved = 0
    for seed in range(250):
        design, records, t, rules = degenerate(seed)
        try:
            exact = expected_fit(t, zero_sum_rules(design, t) + rules, keep_budget=False)
        except (NotDetermined, Contradiction):
            continue
        if not any(exact.weights):
            fit = core_fit(core_moments(design, records), design, rules, keep_budget=False)
            assert fit.converged
            near(weights(fit), exact.weights, 1e-9)
            solved += 1
    assert solved > 3


def names_the_free_columns(message: str, free: Sequence[str], design: Design) -> None:
    absorbed = {f"{c.name}={k}" for c in design.criteria if c.absorbed for k in c.classes}
    assert set(re.findall(r"\w+=\w+", message)) == set(free) - absorbed
    assert ("absorbed classes" in message) == bool(set(free) & absorbed)


def names_what_clashes(message: str, design: Design, t: Totals, rules: Sequence[Constraint]) -> None:
    """What is named no weights satisfy: those with the smallest sum of squares do not exist."""
    named = [r for r in rules if text(r, design) in message] + ([budget(t)] if "total cost" in message else [])
    assert named
    p = len(t.names)
    anything = replace(t, xx=[[F(int(i == j)) for i in range(p)] for j in range(p)], xy=[F(0)] * p)
    with pytest.raises(Contradiction):
        estimate(anything, zero_sum_rules(design, t) + named)


def names_what_binds(fit: Any, exact: Fit, design: Design, rules: Sequence[Constraint]) -> None:
    binding = set(fit.constraints.name)
    for r in rules:
        gap = sum((v * exact.weights[j] for j, v in r.terms.items()), F(0)) - r.value
        if r.relation != "=" and gap:
            assert text(r, design) not in binding
        if r.name in exact.active and exact.multipliers[r.name]:
            assert text(r, design) in binding


@pytest.mark.parametrize("seed", range(60))
def test_group_totals_are_exact_and_the_budget_stays(seed: int) -> None:
    rng, design, records, levels, t = case(20_000 + seed, fewest=20)
    share = F(rng.choice([64, 60, 72]), 64)
    group = [r for r in records if rng.random() < 0.4] or records[:1]
    rule = group_total("group", combine(moments(design, group), levels), share)
    rules = [*zero_sum_rules(design, t), rule]
    found = core_moments(design, records, rng)
    constraint = ah.group_total("group", core_moments(design, group), float(share))
    if design.criteria[-1].absorbed:  # its weights are not among those that a constraint may name
        with pytest.raises(DomainError, match="without an absorbed criterion"):
            ah.estimate(found, constraints=[constraint])
        return
    options = {
        "factors": dict(zip(design.strata, map(float, levels.strata), strict=True)),
        "levels": dict(zip(design.categories, map(float, levels.categories), strict=True)),
    }
    try:
        exact = expected_fit(t, rules)
    except (NotDetermined, Contradiction):
        with pytest.raises(DomainError):
            ah.estimate(found, constraints=[constraint], **options)
        return
    fit = ah.estimate(found, constraints=[constraint], **options)
    same_fit(fit, exact)
    predicted = float(sum(a * b for a, b in zip(t.xd, map(F, weights(fit)), strict=True)))
    assert predicted == pytest.approx(float(t.cost), rel=1e-12)


def test_bands_are_a_zero_sum_each() -> None:
    design = Design((Criterion("age_sex", ("0", "1")), Criterion("ses", ("0", "1", "2", "3"))))
    rng = random.Random(2)
    records = [
        Record((age, 2 * age + rng.randint(0, 1)), rng.randint(1, 365), (rng.randint(0, 10**6),)) for age in [0, 1] * 20
    ]
    t = combine(moments(design, records))
    found = core_moments(design, records)
    fit = ah.estimate(found, bands={"ses": {"young": [0, 1], "old": [2, 3]}})
    same_fit(fit, expected_fit(t, [zero_sum("young", [2, 3], t), zero_sum("old", [4, 5], t)]))
    with pytest.raises(DomainError) as caught:  # the rank trap: nested in age
        ah.estimate(found)
    with pytest.raises(NotDetermined) as free:
        expected_fit(t, zero_sum_rules(design, t))
    names_the_free_columns(str(caught.value), free.value.columns, design)


def test_multipliers_are_the_rise_of_half_the_squares_per_euro() -> None:
    _, design, records, levels, t = case(31)
    found = core_moments(design, records)
    own = [j for j in range(len(design.criteria[0].classes)) if t.xx[j][j]]
    base = expected_fit(t, zero_sum_rules(design, t))

    def squares(value: F) -> F:
        rule = Constraint("cap", {own[0]: 1}, "<=", value)
        return expected_fit(t, [*zero_sum_rules(design, t), rule], keep_budget=False).rss

    at = F(round(base.weights[own[0]]) - 500)
    rule = Constraint("cap", {own[0]: 1}, "<=", at)
    fit = core_fit(found, design, [rule], levels, keep_budget=False)
    row = fit.constraints[fit.constraints.name == text(rule, design)].iloc[0]
    slope = (squares(at + 1) - squares(at - 1)) / 4  # exact for a quadratic
    assert abs(row.multiplier) == pytest.approx(abs(float(slope)), rel=1e-10)


# Borders


def test_one_person_has_a_weight_and_no_errors() -> None:
    design = Design((Criterion("age_sex", ("0", "1")),))
    fit = core_fit(core_moments(design, [Record((1,), 73, (5_000,))]), design)
    assert fit.params.tolist() == [0.0, 250.0]
    assert fit.df_resid == 0
    assert np.isnan(fit.bse.to_numpy()).all()


def test_nobody_is_refused() -> None:
    design = Design((Criterion("age_sex", ("0", "1")),))
    some = core_moments(design, [Record((1,), 73, (5_000,))])
    with pytest.raises(DomainError):
        core_fit(some - some, design)


def test_costs_below_zero_are_costs() -> None:
    design = Design((Criterion("age_sex", ("0", "1")),))
    records = [Record((0,), 365, (-5_000,)), Record((0,), 73, (1_000,)), Record((1,), 366, (-1,))]
    same_fit(core_fit(core_moments(design, records), design), estimate(combine(moments(design, records))))


def test_two_records_of_a_person_are_two_records_and_a_row_for_two_is_one() -> None:
    design = Design((Criterion("age_sex", ("0",)),))
    split = [Record((0,), 100, (700,)), Record((0,), 265, (90_000,))]
    once = [Record((0,), 365, (5_000,), represents=2), Record((0,), 365, (7_000,))]
    for records in (split, once):
        fit = core_fit(core_moments(design, records), design)
        same_fit(fit, estimate(combine(moments(design, records))))
        assert fit.nobs == 2


def test_a_zero_factor_leaves_a_stratum_out_and_a_zero_level_a_category() -> None:
    design = Design((Criterion("age_sex", ("0", "1")), Criterion("mhk", ("0", "1"))), ("a", "b"), ("s", "t"))
    records = random_records(random.Random(6), design, 60)
    levels = Levels((1, 0), (0, 1))
    t = combine(moments(design, records), levels)
    fit = core_fit(core_moments(design, records), design, (), levels)
    exact = expected_fit(t, zero_sum_rules(design, t))
    near(weights(fit), exact.weights, WEIGHTS)
    assert fit.rsquared == pytest.approx(float(exact.r2), abs=1e-12)


def test_an_estimate_from_records_moments_or_parts_is_the_same_to_the_bit() -> None:
    rng, design, records, levels, _ = case(44)
    named = arguments(design)
    options = {
        "factors": dict(zip(design.strata, map(float, levels.strata), strict=True)),
        "levels": dict(zip(design.categories, map(float, levels.categories), strict=True)),
    }
    direct = ah.estimate(frame(design, records), **named, **options)
    parts = core_moments(design, records[:9]) + core_moments(design, records[9:])
    shuffled = ah.estimate(frame(design, rng.sample(records, len(records))), **named, **options, threads=2)
    for other in (core_fit(parts, design, (), levels), shuffled):
        assert other.params.tolist() == direct.params.tolist()
        assert other.rsquared == direct.rsquared
        np.testing.assert_array_equal(other.bse.to_numpy(), direct.bse.to_numpy())
    assert (shuffled.cpm, shuffled.mape) == (direct.cpm, direct.mape)


# Second pass


def second(seed: int, *, levelled: bool, **options: Any) -> tuple[Any, Fit, list[Any], list[Any]]:
    """A fit from records, the exact one, and the people at exact and at rounded weights; strata all alike."""
    rng, design, records, levels, _ = case(30_000 + seed)
    levels = Levels((), levels.categories if levelled else ())
    fit = core_fit(frame(design, records, rng), design, (), levels, **arguments(design), **options, threads=1)
    t = combine(moments(design, records), levels)
    exact = expected_fit(t, zero_sum_rules(design, t))
    rounded = [F(int(w), 10**6) for w in fit.micro_euros]
    assert all(abs(r - w) <= F(1, 2 * 10**6) + abs(w) / 10**15 for r, w in zip(rounded, exact.weights, strict=True))
    return fit, exact, seen(design, records, exact.weights, levels), seen(design, records, rounded, levels)


@pytest.mark.parametrize("levelled", [False, True])
@pytest.mark.parametrize("seed", range(80))
def test_cpm_and_mape_are_those_of_weights_in_millionths_of_a_euro(seed: int, levelled: bool) -> None:
    """Exact, but for levels: levelled cost is rounded to a millionth of a euro per record, and its mean is a double."""
    fit, exact, _, rounded = second(seed, levelled=levelled)
    wanted = measures(rounded)
    persons = sum(p.record.represents for p in rounded)
    rounding = 0.5e-6 * len(rounded[0].record.cents) * persons / float(exact.years) if levelled else 0.0
    assert fit.mape == pytest.approx(float(wanted.mape), rel=1e-14, abs=rounding)
    deviation = float(wanted.mape / (1 - wanted.cpm))
    allowed = (1e-6 + rounding) * (1 + float(1 - wanted.cpm)) / deviation if levelled else 0.0
    assert fit.cpm == pytest.approx(float(wanted.cpm), abs=1e-13 + allowed)


@pytest.mark.parametrize("seed", [seed for seed in range(80) if seed % 5])
def test_robust_errors_are_exact(seed: int) -> None:
    fit, exact, people, _ = second(seed, levelled=True, robust=True)
    assert fit.robust
    covariance = robust_covariance(exact, people, lambda q: q.weight**2)
    p = len(fit.params)
    empty = [exact.names[j] in exact.empty for j in range(p)]
    found = fit.cov_params().to_numpy()
    assert np.isnan(fit.bse.to_numpy()).tolist() == empty
    wanted = np.array([[float(v) for v in row[:p]] for row in covariance[:p]])
    largest = max(float(np.abs(wanted).max()), float(exact.rss / (exact.rows - exact.free) / exact.years))
    np.testing.assert_allclose(np.nan_to_num(found), wanted, rtol=0, atol=ERRORS * largest)
    np.testing.assert_allclose(
        np.nan_to_num(fit.bse.to_numpy()) ** 2, np.diag(wanted), rtol=0, atol=2 * ERRORS * largest
    )


@pytest.mark.parametrize("seed", range(20))
def test_predictions_are_the_weights_of_the_classes(seed: int) -> None:
    rng, design, records, levels, t = case(40_000 + seed)
    fit = core_fit(core_moments(design, records), design, (), levels)
    exact = expected_fit(t, zero_sum_rules(design, t))
    near(
        fit.predict(frame(design, records, rng)),
        [p.predicted for p in seen(design, records, exact.weights, levels)],
        WEIGHTS,
    )


def test_criteria_of_the_bridge_are_those_of_the_design() -> None:
    _, design, records, *_ = case(3)
    assert core_moments(design, records).column_names == design.names()
    assert [c.name for c in criteria(design)] == [c.name for c in design.criteria]
