"""The exact estimation by hand-worked figures, closed forms and the conditions of an optimum."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction as F

import pytest

from .estimation import (
    Constraint,
    Contradiction,
    Criterion,
    Design,
    Fit,
    Levels,
    NotDetermined,
    Record,
    Refused,
    Totals,
    budget,
    clash,
    combine,
    dot,
    estimate,
    group_total,
    indicators,
    kinds_refused,
    measures,
    micro_euro,
    moments,
    null_space,
    out_of_sample,
    random_design,
    random_levels,
    random_records,
    rank,
    robust_covariance,
    seen,
    solve,
    times,
    zero_sum,
    zero_sums,
)

AGE = Criterion("age_sex", ("young", "old"))
MHK = Criterion("mhk", ("0", "1"))


def person(*codes: int | tuple[int, ...], euros: int = 0, days: int = 365, **more: int) -> Record:
    return Record(codes, days, (100 * euros,), **more)


def fitted(design: Design, records: list[Record], carrier: str = "age_sex", levels: Levels | None = None) -> Fit:
    t = combine(moments(design, records), levels)
    return estimate(t, zero_sums(design, t, carrier))


def determined(seed: int, **shape: bool) -> tuple[Design, list[Record], Levels, Totals, Fit]:
    """A random design and records whose zero-sum estimate is determined."""
    rng = random.Random(seed)
    while True:
        design = random_design(rng, **shape)
        records = random_records(rng, design, rng.randint(12, 40))
        levels = random_levels(rng, design)
        t = combine(moments(design, records), levels)
        try:
            return design, records, levels, t, estimate(t, zero_sums(design, t, "age_sex"))
        except NotDetermined:
            continue


# Linear algebra


def test_a_two_by_two_system_and_a_null_space_by_hand() -> None:
    # x + y/2 = 2, x - y = 1/2  ->  y = 1, x = 3/2
    assert solve([[F(1), F(1, 2)], [F(1), F(-1)]], [[F(2)], [F(1, 2)]]) == [[F(3, 2)], [F(1)]]
    with pytest.raises(ZeroDivisionError):
        solve([[1, 2], [2, 4]], [[1], [2]])
    assert rank([[1, 2], [2, 4]]) == 1
    assert null_space([[1, 2], [2, 4]], 2) == [[-2, 1]]
    assert null_space([[1, 0, F(1, 3)]], 3) == [[0, 1, 0], [F(-1, 3), 0, 1]]


def test_rank_and_null_space_add_up() -> None:
    rng = random.Random(3)
    for _ in range(50):
        rows = [[F(rng.randint(-2, 2), rng.randint(1, 3)) for _ in range(5)] for _ in range(rng.randint(1, 6))]
        basis = null_space(rows, 5)
        assert len(basis) + rank(rows) == 5
        assert all(dot(row, z) == 0 for row in rows for z in basis)


# Moments


def test_indicators_of_every_kind_of_criterion() -> None:
    design = Design(
        (
            AGE,
            Criterion("fkg", ("none", "a", "b"), "flags", none_derived=True),
            Criterion("aid", ("a", "b"), "flags"),
            Criterion("dkg", ("none", "1", "2"), "counts", none_derived=True),
        )
    )
    assert design.names()[2:5] == ["fkg=none", "fkg=a", "fkg=b"]
    assert indicators(design, person(1, (0, 0), (0, 0), (0, 0))) == {1: 1, 2: 1, 7: 1}
    assert indicators(design, person(0, (1, 1), (0, 1), (2, 0))) == {0: 1, 3: 1, 4: 1, 6: 1, 8: 2}


def test_moments_by_hand() -> None:
    # 365 days, 10 euros, twice, class 2 times; 100 days, 7 euros, none
    design = Design((AGE, Criterion("dkg", ("none", "1"), "counts", none_derived=True)))
    m = moments(design, [person(0, (2,), euros=10, represents=2), person(1, (0,), euros=7, days=100)])
    assert m.xx[0, 0, 3] == m.xx[0, 3, 0] == 365 * 2 * 2
    assert (m.xx[0, 3, 3], m.xx[0, 1, 2], m.xx[0, 0, 2]) == (365 * 2 * 4, 100, 0)
    assert [m.xd[0, j] for j in range(4)] == [730, 100, 100, 1460]
    assert [m.xn[0, j] for j in range(4)] == [1, 1, 1, 1]
    assert [m.xc[0, j, 0] for j in range(4)] == [2_000, 700, 700, 4_000]
    assert m.squares == {(0, 365, 0, 0): 2 * 1_000**2, (0, 100, 0, 0): 700**2}
    assert (m.days[0], m.rows[0], m.cents[0, 0]) == (830, 2, 2_700)


def test_moments_of_parts_add_and_subtract() -> None:
    design, records, *_ = determined(5)
    a, b = moments(design, records[:7]), moments(design, records[7:])
    assert a + b == b + a == moments(design, records) == moments(design, records[::-1])
    assert a + b - b == a
    assert a != b


def test_a_stratum_factor_of_two_is_everybody_twice_and_a_level_of_three_is_cost_times_three() -> None:
    design = Design((AGE, MHK), ("a", "b"), ("here", "there"))
    rng = random.Random(8)
    records = random_records(rng, design, 30)
    t = combine(moments(design, records), Levels((1, 2), (1, 3)))
    by_hand = [
        replace(r, represents=r.represents * (1 + r.stratum), cents=(r.cents[0], 3 * r.cents[1])) for r in records
    ]
    assert t == combine(moments(design, by_hand))


def test_records_that_are_no_records_are_refused_in_every_way() -> None:
    design = Design((AGE, Criterion("fkg", ("a",), "flags")))
    bad = {
        "class": person(2, (0,)),
        "cost without days": person(0, (0,), euros=1, days=0),
        "days": person(0, (0,), days=367),
        "represents": person(0, (0,), represents=0),
        "stratum": person(0, (0,), stratum=1),
        "cost": Record((0, (0,)), 1, (2**46 + 1,)),
    }
    for kind, record in bad.items():
        assert kinds_refused(design, [person(0, (1,)), record]) == {kind}
    assert kinds_refused(design, [person(0, (2,)), person(0, (0,), days=0)]) == {"class", "days"}
    with pytest.raises(Refused, match="class, days"):
        moments(design, [person(0, (2,)), person(0, (0,), days=-1)])


# Closed forms


def test_one_criterion_gives_means_per_insured_year_with_their_classical_and_robust_errors() -> None:
    # young: 100 in 365 days, 50 in 73 days (0.2 years, 250 a year): 150 / 1.2 = 125; old: 10
    design = Design((AGE,))
    records = [person(0, euros=100), person(0, euros=50, days=73), person(1, euros=10), person(1, euros=10)]
    fit = fitted(design, records)
    assert fit.weights == [125, 10]
    # residuals -25 (weight 1) and 125 (weight 1/5), 0, 0: rss = 625 + 3125 = 3750
    assert fit.rss == 3_750
    assert fit.covariance()[0][0] == F(3_750, 4 - 2) / F(6, 5)
    robust = robust_covariance(fit, seen(design, records, fit.weights, None), lambda q: q.weight**2)
    assert robust[0][0] == F(4, 4 - 2) * (625 + F(1, 25) * 125**2) / F(6, 5) ** 2
    assert robust[1][1] == robust[0][1] == 0
    # mean 170 / 3.2; R2 by hand
    mean = F(1_700, 32)
    tss = (100 - mean) ** 2 + (250 - mean) ** 2 / 5 + 2 * (10 - mean) ** 2
    assert fit.r2 == 1 - 3_750 / tss


def test_zero_sum_by_hand() -> None:
    # 3 insured years in none at 10, 1 in class 1 at 50: mean 20; none -10, class 1 +30
    design = Design((Criterion("age_sex", ("all",)), MHK))
    fit = fitted(design, [person(0, 0, euros=10, represents=3), person(0, 1, euros=50)])
    assert fit.weights == [20, -10, 30]
    assert (fit.rank, fit.free, fit.empty) == (2, 2, [])


def test_an_empty_class_weighs_nothing_and_is_named() -> None:
    design = Design((AGE, Criterion("mhk", ("0", "1", "2"))))
    rich = [person(a, k, euros=e) for a, k, e in [(0, 0, 5), (0, 1, 9), (1, 0, 2), (1, 1, 7)]]
    fit = fitted(design, rich)
    assert fit.empty == ["mhk=2"]
    assert fit.weights[4] == 0
    assert fit.weights[:4] == fitted(Design((AGE, MHK)), rich).weights


def test_a_group_total_by_hand_moves_the_level_and_the_budget_stays() -> None:
    # means 10 and 50; the group is one of the two persons in class 1, who costs 80: class 1 must be 80, class 0 free
    design = Design((MHK,))
    records = [person(0, euros=10), person(1, euros=80), person(1, euros=20)]
    t = combine(moments(design, records))
    group = combine(moments(design, records[1:2]))
    rule = group_total("ill", group)
    assert estimate(t, [rule]).weights == [10, 80]
    assert estimate(t, [rule, budget(t)]).weights == [110 - 160, 80]
    everybody = group_total("everybody", t, F(9, 10))
    with pytest.raises(Contradiction) as caught:
        estimate(t, [rule, everybody, budget(t)])
    assert caught.value.constraints == ("everybody", "budget")


def test_the_rank_trap_names_the_columns_that_one_zero_sum_leaves_free() -> None:
    # income nested in age: young y0/y1, old o0/o1; per band the classes add up to the age column
    design = Design((AGE, Criterion("avi", ("y0", "y1", "o0", "o1"))))
    records = [person(a, 2 * a + k, euros=e) for a, k, e in [(0, 0, 5), (0, 1, 9), (1, 0, 2), (1, 1, 70)]]
    t = combine(moments(design, records))
    assert rank(t.xx) == 4
    with pytest.raises(NotDetermined) as caught:
        estimate(t, [zero_sum("avi", design.span("avi"), t)])
    assert set(caught.value.columns) == set(design.names())
    with pytest.raises(NotDetermined) as caught:
        estimate(t, [zero_sum("young", [2, 3], t)])
    assert caught.value.columns == ("age_sex=old", "avi=o0", "avi=o1")
    fit = estimate(t, [zero_sum("young", [2, 3], t), zero_sum("old", [4, 5], t)])
    assert fit.weights == [7, 36, -2, 2, -34, 34]


def test_contradictory_constraints_are_named_and_the_innocent_are_not() -> None:
    rules = [
        Constraint("a", {0: 1}, "=", 1),
        Constraint("b", {1: 1}, "=", 5),
        Constraint("c", {0: 1, 1: 1}, "=", 7),
        Constraint("d", {2: 1}, "=", 3),
    ]
    assert clash(rules, 3) == ("a", "b", "c")
    assert clash([rules[0], rules[1], rules[3]], 3) == ()


def test_order_pools_two_classes_and_a_cap_cuts_one() -> None:
    # means 10 (3 years) and 50 (1 year)
    design = Design((MHK,))
    records = [person(0, euros=10, represents=3), person(1, euros=50), person(1, euros=50, days=73), person(0, euros=9)]
    t = combine(moments(design, records))
    pooled = estimate(t, [Constraint("order", {0: 1, 1: -1}, ">=")])
    assert pooled.weights == [t.cost / t.years] * 2
    assert pooled.active == ["order"]
    capped = estimate(t, [Constraint("cap", {1: 1}, "<=", 40)])
    assert capped.weights == [F(39, 4), 40]
    assert estimate(t, [Constraint("floor", {1: 1}, ">=", 40)]).active == []
    with pytest.raises(Contradiction):
        estimate(t, [Constraint("cap", {1: 1}, "<=", 40), Constraint("floor", {1: 1}, ">=", 41)])


def test_a_perfect_predictor_has_r2_and_cpm_one_and_the_mean_has_zero() -> None:
    design, records, levels, t, _ = determined(11)
    people = seen(design, records, [F(0)] * len(t.names), levels)
    perfect = measures([replace(p, predicted=p.target) for p in people])
    assert [perfect.r2, perfect.cpm, perfect.mape] == [1, 1, 0]
    mean = measures([replace(p, predicted=t.cost / t.years) for p in people])
    assert [mean.r2, mean.cpm] == [0, 0]


def test_cpm_and_mape_by_hand() -> None:
    # 100 in a year, 50 in 73 days (250 a year), 10, 10; predicted 125, 125, 10, 10
    design = Design((AGE,))
    records = [person(0, euros=100), person(0, euros=50, days=73), person(1, euros=10, represents=2)]
    m = measures(seen(design, records, [F(125), F(10)], None))
    assert m.mape == F(25 + 25) / F(32, 10)
    mean = F(1_700, 32)
    assert m.cpm == 1 - F(50) / ((100 - mean) + (250 - mean) / 5 + 2 * (mean - 10))


def test_two_folds_of_one_class_predict_each_other_by_their_means() -> None:
    design = Design((Criterion("age_sex", ("all",)),))
    records = [person(0, euros=e) for e in (10, 30, 50, 110)]
    people = out_of_sample(design, records, [0, 0, 1, 1], lambda t: [])
    assert [p.predicted for p in people] == [80, 80, 20, 20]
    # mean 50: 1 - (4900 + 2500 + 900 + 8100) / (1600 + 400 + 0 + 3600)
    assert measures(people).r2 == 1 - F(16_400, 5_600)


def test_micro_euros_round_half_away_from_zero() -> None:
    assert micro_euro(F(1, 3)) == F(333_333, 10**6)
    assert micro_euro(F(-5, 10**7)) == F(-1, 10**6)
    assert micro_euro(F(5, 10**7)) == F(1, 10**6)


# On random records


@pytest.mark.parametrize("seed", range(40))
def test_the_estimate_satisfies_the_conditions_of_an_optimum(seed: int) -> None:
    design, records, levels, t, fit = determined(seed, absorbed=seed % 4 == 0)
    rules = zero_sums(design, t, "age_sex")
    assert all(r.holds(fit.weights) for r in rules)
    # the gradient is a combination of the constraints: orthogonal to every direction they allow
    gradient = [v - dot(row, fit.weights) for v, row in zip(t.xy, t.xx, strict=True)]
    full = [j for j in range(len(t.names)) if t.xx[j][j]]
    for z in null_space([[r.row(len(t.names))[j] for j in full] for r in rules], len(full)):
        assert dot(z, (gradient[j] for j in full)) == 0
    # what is predicted adds up to what was spent, as the carrier is free; R2 from totals is R2 from the records
    people = seen(design, records, fit.weights, levels)
    assert sum(p.weight * p.predicted for p in people) == sum(p.weight * p.target for p in people) == t.cost
    if fit.tss:
        assert fit.r2 == measures(people).r2
    # rank: directions that no record sees, counted through the rows of the design
    rows = [[F(p.x.get(j, 0)) for j in range(len(t.names))] for p in people]
    assert fit.rank == rank(rows)


@pytest.mark.parametrize("seed", range(25))
def test_an_inequality_estimate_is_no_worse_than_any_feasible_point_near_it(seed: int) -> None:
    rng = random.Random(seed)
    design, _, _, t, unbound = determined(seed + 500, plain=True)
    p = len(t.names)
    rules = zero_sums(design, t, "age_sex")
    for k in range(rng.randint(1, 4)):
        terms = {j: F(rng.choice([-1, 1, 2])) for j in rng.sample(range(p), min(p, rng.randint(1, 2)))}
        at = sum((v * unbound.weights[j] for j, v in terms.items()), F(0))
        # the point with every weight of the unbound estimate halved stays feasible, so that a solution exists
        half = at / 2
        rules.append(Constraint(f"r{k}", terms, ">=" if half >= at else "<=", half))
    fit = estimate(t, rules)
    assert all(r.holds(fit.weights) for r in rules)
    assert fit.rss >= unbound.rss

    def rss(b: list[F]) -> F:
        return t.yy - 2 * dot(b, t.xy) + dot(b, [dot(row, b) for row in t.xx])

    equalities = [r.row(p) for r in rules if r.relation == "="] + [
        [F(int(i == j)) for i in range(p)] for j in range(p) if not t.xx[j][j]
    ]
    directions = null_space(equalities, p)
    for _ in range(40):
        step = [F(rng.randint(-5, 5), rng.choice([1, 100])) for _ in directions]
        point = [
            b + sum((s * z[j] for s, z in zip(step, directions, strict=True)), F(0)) for j, b in enumerate(fit.weights)
        ]
        if all(r.holds(point) for r in rules):
            assert rss(point) >= fit.rss


def test_robust_errors_by_person_with_one_record_each_are_the_robust_errors() -> None:
    design, records, levels, _, fit = determined(21)
    people = seen(design, [replace(r, person=i) for i, r in enumerate(records)], fit.weights, levels)
    alone = robust_covariance(fit, people, lambda q: q.weight**2)
    assert robust_covariance(fit, people, lambda q: q.weight**2, cluster=True) == alone
    together = [replace(p, record=replace(p.record, person=p.record.person // 2)) for p in people]
    assert robust_covariance(fit, together, lambda q: q.weight**2, cluster=True) != alone


def test_the_projector_leaves_no_direction_that_the_constraints_forbid() -> None:
    design, _, _, t, fit = determined(22)
    for r in zero_sums(design, t, "age_sex"):
        assert all(dot(r.row(len(t.names)), row) == 0 for row in fit.projector)
    assert times(times(fit.projector, t.xx), fit.projector) == fit.projector


def test_an_absorbed_criterion_is_the_same_as_costs_less_their_means_per_class() -> None:
    # Frisch and Waugh, unweighted: regress on x less its class mean
    design = Design((MHK, Criterion("canton", ("a", "b", "c"), absorbed=True)))
    rng = random.Random(1)
    records = [person(rng.randint(0, 1), i % 3, euros=rng.randint(0, 900)) for i in range(24)]
    t = combine(moments(design, records))
    fit = estimate(t, [Constraint("reference", {0: 1})])

    def centred(values: list[F], c: int) -> list[F]:
        inside = [v for v, r in zip(values, records, strict=True) if r.codes[1] == c]
        return [v - sum(inside, F(0)) / len(inside) for v in inside]

    x = [F(r.codes[0]) for r in records]  # type: ignore[arg-type]
    y = [F(r.cents[0], 100) for r in records]
    top = sum(dot(centred(x, c), centred(y, c)) for c in range(3))
    assert fit.weights[1] == top / sum(dot(centred(x, c), centred(x, c)) for c in range(3))
