"""Cost of records, moments and the constrained estimate."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from .cases import YEAR, claim, criterion, record, row
from .country import Category, Country, Mapping, Share, day
from .groupers import Classes, class_rows
from .law_2021 import nl_2021
from .moments import (
    NotDetermined,
    class_days,
    estimate_exact,
    fitted_cents,
    micro_euro,
    moments,
    reference_constraints,
    settled_by_category,
)

HOSPITAL = int(Category.hospital)


def _one(**codes: int | tuple[int, ...]) -> Classes:
    return {"variable": {name: c if isinstance(c, tuple) else (c,) for name, c in codes.items()}}


def test_a_claim_belongs_to_the_record_at_its_insurer() -> None:
    # insurer 1 January-March and July-December, insurer 2 April-June
    country = Country(
        [
            record(1, last_day=day(YEAR, 3, 31)),
            record(1, first_day=day(YEAR, 4, 1), last_day=day(YEAR, 6, 30), insurer=2),
            record(1, first_day=day(YEAR, 7, 1)),
        ],
        [],
    )
    country.claims = [
        claim(1, YEAR, 5, opened=day(YEAR, 2, 1)),  # first record
        claim(1, YEAR, 70, opened=day(YEAR, 8, 1)),  # third
        claim(1, YEAR, 600, opened=day(YEAR, 5, 1)),  # insurer 1, no record there: the last
        claim(1, YEAR, 9_000, opened=day(YEAR, 12, 1), insurer=2),  # only record at insurer 2
        claim(1, YEAR, 80_000, opened=day(YEAR - 1, 12, 31)),
    ]  # another cost year
    rows = class_rows(country, nl_2021(), Mapping())
    cents = settled_by_category(country, rows, YEAR)
    assert [cents[i].get(HOSPITAL) for i in range(3)] == [5, 9_000, 670]
    country.claims.append(claim(1, YEAR, 1, insurer=3))
    with pytest.raises(ValueError, match="no record"):
        settled_by_category(country, rows, YEAR)


def test_moments_by_hand() -> None:
    # rows: 365 days x 2 in age 1, dkg {3, 3}, 10 cents; 100 days x 1 in age 2, dkg none, 7 cents
    share = Share("variable", [criterion("age_sex", {1: 0, 2: 0}), criterion("dkg", {0: 0, 3: 0}, "count")])
    rows = [row(0, 1, _one(age_sex=1, dkg=(3, 3)), represents=2), row(1, 1, _one(age_sex=2, dkg=0), days=100)]
    m = moments(rows, share, {0: {HOSPITAL: 10}, 1: {HOSPITAL: 7}}, YEAR)
    assert m.columns == [("age_sex", 1), ("age_sex", 2), ("dkg", 0), ("dkg", 3)]
    assert m.xdx == [[730, 0, 0, 1460], [0, 100, 100, 0], [0, 100, 100, 0], [1460, 0, 0, 2920]]
    assert m.xdc == {HOSPITAL: [20, 7, 7, 40]}
    assert m.days == 830
    assert class_days(m, rows, share) == [730, 100, 100, 1460]


def test_age_and_sex_alone_give_the_mean_cost_per_insured_year() -> None:
    # 100.00 in 365 days and 50.00 in 100 days: 150.00 x 365/465 per year
    share = Share("variable", [criterion("age_sex", {1: 0, 2: 0})])
    rows = [row(0, 1, _one(age_sex=1)), row(1, 1, _one(age_sex=1), days=100)]
    m = moments(rows, share, {0: {HOSPITAL: 10_000}, 1: {HOSPITAL: 5_000}}, YEAR)
    found = estimate_exact(m, share, [HOSPITAL], class_days(m, rows, share))
    assert found.weights == {("age_sex", 1): F(15_000 * 365, 465), ("age_sex", 2): 0}
    assert found.pinned == [("age_sex", 2)]


def test_zero_sum_by_hand() -> None:
    # 3 insured years in none at 10, 1 in class 1 at 50: mean 20; none -10, class 1 +30; 3 x -10 + 30 = 0
    share = Share("variable", [criterion("age_sex", {1: 0}), criterion("mhk", {0: 0, 1: 0})])
    rows = [row(0, 1, _one(age_sex=1, mhk=0), represents=3), row(1, 1, _one(age_sex=1, mhk=1))]
    m = moments(rows, share, {0: {HOSPITAL: 1_000}, 1: {HOSPITAL: 5_000}}, YEAR)
    n = class_days(m, rows, share)
    found = estimate_exact(m, share, [HOSPITAL], n).weights
    assert found == {("age_sex", 1): 2_000, ("mhk", 0): -1_000, ("mhk", 1): 3_000}
    # with none as reference class age/sex carries 10 and class 1 has 40; every row is paid the same
    rules = reference_constraints(share, dict(zip(m.columns, n, strict=True)), {"mhk": 0})
    other = estimate_exact(m, share, [HOSPITAL], n, rules).weights
    assert other == {("age_sex", 1): 1_000, ("mhk", 0): 0, ("mhk", 1): 4_000}
    assert [fitted_cents(r, share, other) for r in rows] == [fitted_cents(r, share, found) for r in rows]


def test_the_fkg_rule_is_a_true_restriction() -> None:
    # Sets none, {1}, {2}, {1, 2} cost 20, 60, 100, 120; insured years none 1, class 1: 2, class 2: 2, so the rule is
    # b0 + 2 b1 + 2 b2 = 0. Residuals r are orthogonal to a, and to b1 and b2 with b0 = -2 b1 - 2 b2:
    # sum r = 0, -2 r0 + r1 + r3 = 0, -2 r0 + r2 + r3 = 0, so r1 = r2 = -3 r0, r3 = 5 r0. From the fitted values
    # a = f1 + f2 - f3 = 40 + 11 r0, b1 + b2 = f3 - a = 80 - 16 r0, f0 = a - 2 (b1 + b2) = 20 - r0: r0 = 35/11, a = 75.
    share = Share("variable", [criterion("age_sex", {1: 0}), criterion("fkg", {0: 0, 1: 0, 2: 0}, "all")])
    sets, costs = [(0,), (1,), (2,), (1, 2)], [2_000, 6_000, 10_000, 12_000]
    rows = [row(i, 1, _one(age_sex=1, fkg=s)) for i, s in enumerate(sets)]
    m = moments(rows, share, {i: {HOSPITAL: c} for i, c in enumerate(costs)}, YEAR)
    n = class_days(m, rows, share)
    b = estimate_exact(m, share, [HOSPITAL], n).weights
    euros = {("age_sex", 1): F(75), ("fkg", 0): F(-640, 11), ("fkg", 1): F(-60, 11), ("fkg", 2): F(380, 11)}
    assert b == {c: 100 * w for c, w in euros.items()}
    free = estimate_exact(m, share, [HOSPITAL], n, []).weights  # full rank without any constraint
    assert [fitted_cents(r, share, free) for r in rows] != [fitted_cents(r, share, b) for r in rows]


def test_weights_that_are_not_determined_are_named() -> None:
    share = Share("variable", [criterion("age_sex", {1: 0, 2: 0}), criterion("mhk", {0: 0, 1: 0})])
    rows = [row(0, 1, _one(age_sex=1, mhk=0)), row(1, 1, _one(age_sex=2, mhk=1))]
    m = moments(rows, share, {0: {HOSPITAL: 1}, 1: {HOSPITAL: 5}}, YEAR)
    with pytest.raises(NotDetermined, match="mhk"):
        estimate_exact(m, share, [HOSPITAL], class_days(m, rows, share))


def test_weights_are_rounded_once_to_micro_euro() -> None:
    assert [micro_euro(F(1, 3)), micro_euro(F(-1, 20_000)), micro_euro(F(33_463))] == [3_333, -1, 334_630_000]
