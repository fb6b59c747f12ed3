"""The C++ core against the second implementation in tests/reference, country by country, class by class, in cents.

Everything compared here is a whole number or is rounded once to one, so that there is no tolerance: a difference of one
insured day or one cent fails.
"""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from typing import Any

import bridge
import numpy as np
import pytest
from reference.cases import random_case, small_share
from reference.country import Country, Model, Share, day, days_in_year, from_dict, to_dict
from reference.groupers import Readings, Row, class_rows
from reference.moments import (
    Moments,
    NotDetermined,
    assign_claims,
    cluster_categories,
    estimate_exact,
    moments,
    settled_by_category,
)
from reference.moments import class_days as moment_days
from reference.payment import (
    Expected,
    Undefined,
    class_counts,
    ex_ante,
    ex_post,
    expected_of,
    realised_own_payments,
)

from anderhalf import _core
from anderhalf.errors import DomainError

pytestmark = pytest.mark.oracle

STATEMENT = {
    "variable": "variable",
    "fixed": "fixed",
    "ggz": "ggz",
    "premium": "premium_deducted",
    "own_payments": "expected_own_payments",
    "administration": "administration",
}
"""Part of the contribution in the reference, and its name in the core."""


def readings(model: Model) -> Readings:
    """Readings of the model: class 1 of GGZ-DKG looks at one year when its class says so."""
    dkg = next(c for c in model.ggz.criteria if c.name == "ggz_dkg")
    return Readings(ggz_basic_last_year=any(k.of_years == 1 for k in dkg.classes if k.code == 1))


def case(seed: int, **shape: Any) -> tuple[Country, Model, Any]:
    """A random country; in every other model basic mental care counts in the year before only (table 2.3, class 1)."""
    country, model, mapping = random_case(seed, **shape)
    if seed % 2:
        for share in (model.ggz, model.ggz_hcc):
            dkg = next(c for c in share.criteria if c.name == "ggz_dkg")
            dkg.classes = [dataclasses.replace(k, of_years=1 if k.code == 1 else 0) for k in dkg.classes]
    return country, model, mapping


def class_days(rows: list[Row], share: Share, year: int, insurers: list[int], layout: Any, columns: int) -> np.ndarray:
    """Insured days per insurer and column of the core."""
    offset = {name: (begin, first) for name, begin, first, _ in layout}
    days = np.zeros((len(insurers), columns), dtype=np.int64)
    for insurer, counts in class_counts(rows, share, year).items():
        for (name, code), n in counts.items():
            begin, first = offset[name]
            whole = n * days_in_year(year)
            assert whole.denominator == 1
            days[insurers.index(insurer), begin + code - first] += whole.numerator
    return days


def by_insurer(amounts: dict[int, Any], insurers: list[int]) -> list[Any]:
    return [amounts.get(i, 0) for i in insurers]


def check_totals(base: Any, scheme: Any, rows: list[Row], claims: Any, model: Model, insurers: list[int]) -> None:
    year, totals = model.year, base.totals(model.year)
    for name, share in (("variable", model.variable), ("ggz", model.ggz)):
        ours = class_days(rows, share, year, insurers, getattr(scheme, f"{name}_layout"), totals[name].shape[1])
        assert np.array_equal(totals[name], ours), f"{name}: {differences(totals[name], ours, scheme, name)}"
    ours = class_days(rows, model.deductible, year, insurers, scheme.deductible_layout, totals["deductible"].shape[1])
    for r in rows:  # adults outside the deductible model are on the forfait: the last column
        if r.adult and not any(r.classes["deductible"].values()):
            ours[insurers.index(r.insurer), -1] += r.days * r.represents
    assert np.array_equal(totals["deductible"], ours)

    days, adults, young = (dict.fromkeys(insurers, 0) for _ in range(3))
    first_of_july = day(year, 7, 1)
    for r in rows:
        days[r.insurer] += r.days * r.represents
        adults[r.insurer] += r.days * r.represents * r.adult
        young[r.insurer] += r.represents * (not r.adult and r.first_day <= first_of_july <= r.last_day)
    assert totals["days"] == by_insurer(days, insurers)
    assert totals["adult_days"] == by_insurer(adults, insurers)
    assert totals["under_18"] == by_insurer(young, insurers)

    for cluster in ("variable", "ggz", "fixed"):
        cost = dict.fromkeys(insurers, 0)
        for r in rows:
            cost[r.insurer] += r.represents * sum(
                c.settled_cents for c in claims[r.index] if model.cluster[c.category] == cluster
            )
        assert totals[f"cost_{cluster}"] == by_insurer(cost, insurers), cluster
    paid = realised_own_payments(rows, claims, model, year)
    assert totals["own_payments"] == by_insurer(paid["total"], insurers)
    assert totals["own_payments_mandatory"] == by_insurer(paid["mandatory"], insurers)


def differences(theirs: np.ndarray, ours: np.ndarray, scheme: Any, share: str) -> list[Any]:
    found = []
    for i, k in np.argwhere(theirs != ours):
        name, offset, first, _ = next(c for c in reversed(getattr(scheme, f"{share}_layout")) if c[1] <= k)
        found.append((int(i), name, int(k) - offset + first, int(theirs[i, k]), int(ours[i, k])))
    return found


def check_moments(base: Any, country: Country, rows: list[Row], model: Model) -> None:
    """xx, xc, xd, the squares of cost per number of days, and the totals."""
    cents = settled_by_category(country, rows, model.year)
    categories = cluster_categories(model, "variable")
    ours: Moments = moments(rows, model.variable, cents, model.year)
    theirs = base.moments(model.year)
    assert np.array_equal(theirs.xx(), np.array(ours.xdx, dtype=np.int64))
    assert theirs.xc().tolist() == ours.total(categories)
    assert theirs.days == ours.days
    assert theirs.rows == len(rows)
    diagonal = [sum(row[j] for j in range(*of_age)) for row, of_age in ((r, age_range(model)) for r in ours.xdx)]
    assert theirs.xd().tolist() == diagonal  # everybody has one class of age and sex
    squares: dict[int, int] = {}
    total = 0
    for r in rows:
        cost = sum(cents[r.index].get(c, 0) for c in categories)
        squares[r.days] = squares.get(r.days, 0) + r.represents * cost * cost
        total += r.represents * cost
    assert {d: int(v) for d, v in theirs.squares_str().items()} == {d: v for d, v in squares.items() if v}
    assert theirs.cents == total


def age_range(model: Model) -> tuple[int, int]:
    begin = 0
    for c in model.variable.criteria:
        if c.name == "age_sex":
            return begin, begin + len(c.classes)
        begin += len(c.classes)
    raise AssertionError("no age and sex")


def check_statement(theirs: dict[str, Any], ours: dict[str, Any], insurers: list[int]) -> None:
    for part, name in STATEMENT.items():
        assert theirs[name] == by_insurer(ours["cents"][part], insurers), name
    assert theirs["contribution"] == by_insurer(ours["contribution"], insurers)


def lagged(earlier: list[Row], rows: list[Row], model: Model, lag: int) -> Expected:
    """Counts of `lag` years earlier, scaled to the insured of the year."""
    t = model.year
    ratio = Fraction(
        sum(r.days * r.represents for r in rows) * days_in_year(t - lag),
        sum(r.days * r.represents for r in earlier) * days_in_year(t),
    )
    return {name: {c: n * ratio for c, n in own.items()} for name, own in expected_of(earlier, model, t - lag).items()}


def settled(
    base: Any, rows: list[Row], claims: Any, model: Model, insurers: list[int], expected: Expected | None, rounding: str
) -> bool:
    """Compares the settlement; False where the law has no denominator, and then the core must say so."""
    mode = "legal" if rounding == "legal" else "micro"
    try:
        ours = ex_post(rows, claims, model, model.year, expected=expected, mode=mode)
        usable = ours["variable"]["N"] > 0 and ours["ggz"]["N"] > 0
        usable &= not model.own_payments_macro_corrected or ours["own_payments"]["E"] > 0
        usable &= not any(ours["hcc"]["excess_i"].values()) or sum(ours["ggz"]["exact_i"].values()) > 0
    except Undefined:
        usable = False
    if not usable:
        with pytest.raises(DomainError, match=r"normative amount|sum of amounts"):
            base.ex_post(model.year)
        return False
    theirs = base.ex_post(model.year)
    check_statement(theirs, ours, insurers)
    assert theirs["variable_target"] == ours["variable"]["target"]
    assert theirs["ggz_target"] == ours["ggz"]["target"]
    assert theirs["own_payments"] == by_insurer(ours["own_payments"]["realised_total_i"], insurers)
    return True


# 2,000 countries in all, in parts so that a failure names a small range of seeds.
@pytest.mark.parametrize("first", range(0, 1_600, 200))
def test_random_countries_have_the_same_classes_and_payments(first: int) -> None:
    compared = 0
    for seed in range(first, first + 200):
        country, model, mapping = case(seed, abroad=seed % 4 == 0, persons=(1, 40))
        rounding = "legal" if seed % 3 == 0 else "exact"
        insurers = sorted({r.insurer for r in country.records})
        base, scheme = bridge.baseline(country, model, mapping, rounding=rounding, blocks=1 + seed % 3)
        rows = class_rows(country, model, mapping, tie=bridge.tie, readings=readings(model))
        claims = assign_claims(country, rows, model.year)
        try:
            check_totals(base, scheme, rows, claims, model, insurers)
            check_moments(base, country, rows, model)
            check_statement(base.ex_ante(model.year), ex_ante(rows, model, model.year), insurers)
            compared += settled(base, rows, claims, model, insurers, None, rounding)
        except AssertionError as error:
            raise AssertionError(f"country {seed} ({model.name}, {model.year}): {error}") from error
    assert compared > 180  # the rest: a share whose national normative amount is not above 0


@pytest.mark.parametrize("first", range(10_000, 10_400, 100))
def test_settlement_is_the_same_with_expected_counts_of_earlier_years(first: int) -> None:
    """Two to eight years more, larger countries, few of them without an insured in a class of the lines."""
    compared = 0
    for seed in range(first, first + 100):
        lag = 1 + seed % 3
        country, model, mapping = case(seed, years=6 + lag, persons=(15, 40))
        first_year = model.year - 5 - lag
        rounding = "legal" if seed % 2 else "exact"
        insurers = sorted({r.insurer for r in country.records})
        base, _ = bridge.baseline(
            country, model, mapping, lag=lag, first_year=first_year, counts="lagged", rounding=rounding
        )
        rows, earlier = (
            class_rows(country, model, mapping, year, bridge.tie, readings(model))
            for year in (model.year, model.year - lag)
        )
        claims = assign_claims(country, rows, model.year)
        try:
            compared += settled(base, rows, claims, model, insurers, lagged(earlier, rows, model, lag), rounding)
        except AssertionError as error:
            raise AssertionError(f"country {seed} ({model.name}, {model.year}): {error}") from error
    assert compared > 80


# Estimation: normal equations in double lose about condition x 2^-53; designs with a condition below a million are
# therefore good to 1e-9 of the largest weight, and the others are compared with what their condition leaves.
def test_estimates_equal_the_exact_solution_on_small_designs() -> None:
    solved = refused = sharp = 0
    for seed in range(20_000, 20_150):
        country, model, mapping = random_case(seed, small_share(), persons=(40, 60))
        base, _ = bridge.baseline(country, model, mapping)
        rows = class_rows(country, model, mapping, tie=bridge.tie, readings=readings(model))
        m = moments(rows, model.variable, settled_by_category(country, rows, model.year), model.year)
        exact, error = None, None
        try:
            exact = estimate_exact(
                m, model.variable, cluster_categories(model, "variable"), moment_days(m, rows, model.variable)
            )
        except NotDetermined as found:
            error = found
        arguments = (base.moments(model.year), base.columns, base.zero_sum, days_in_year(model.year))
        if exact is None:
            refused += 1
            with pytest.raises(DomainError, match="left free") as caught:
                _core.estimate(*arguments)
            loose = re.findall(r"\('(\w+)', (\d+)\)", str(error))
            assert len(caught.value.problems) == len(loose)  # a direction each, and its column in it
            for (name, code), problem in zip(loose, caught.value.problems, strict=True):
                assert f"{name}={code}" in re.split(r"[ ,]+", problem.what)
            continue
        solved += 1
        fit = _core.estimate(*arguments)
        largest = max(abs(float(w)) for w in exact.weights.values()) / 100
        tolerance = 1e-9 if fit.condition < 1e6 else 1e-15 * fit.condition
        sharp += fit.condition < 1e6
        for column, theirs in zip(m.columns, fit.coefficients, strict=True):
            assert abs(theirs - float(exact.weights[column] / 100)) <= tolerance * largest, (seed, column)
        assert [c for c, gone in zip(m.columns, fit.empty, strict=True) if gone] == exact.pinned
    assert solved > 75
    assert refused > 3
    assert sharp > 70


# What must always hold (model.md 12.3), on the same random countries


def _one_of_two(country: Country, keep: int, gone: int) -> Country:
    """Nobody is insured with both: with one deductible per insurer a merger would really change own payments."""
    both = {
        p
        for p in {r.person for r in country.records}
        if {keep, gone} <= {r.insurer for r in country.records if r.person == p}
    }
    return Country(
        [
            dataclasses.replace(r, insurer=keep) if r.person in both and r.insurer == gone else r
            for r in country.records
        ],
        [dataclasses.replace(c, insurer=keep) if c.person in both and c.insurer == gone else c for c in country.claims],
    )


@pytest.mark.invariant
def test_merging_two_insurers_leaves_the_others_unchanged_within_a_cent_per_share() -> None:
    compared = 0
    for seed in range(30_000, 30_200):
        country, model, mapping = case(seed, late_claims=False, insurers=(3, 6), persons=(10, 40))
        insurers = sorted({r.insurer for r in country.records})
        if len(insurers) < 3:
            continue
        keep, gone = insurers[0], insurers[-1]
        country = _one_of_two(country, keep, gone)
        if gone not in {r.insurer for r in country.records}:
            continue
        merged = Country(
            [dataclasses.replace(r, insurer=keep if r.insurer == gone else r.insurer) for r in country.records],
            [dataclasses.replace(c, insurer=keep if c.insurer == gone else c.insurer) for c in country.claims],
        )
        one, two = (bridge.baseline(c, model, mapping)[0] for c in (country, merged))
        try:
            paid = [(b.ex_ante(model.year), b.ex_post(model.year)) for b in (one, two)]
        except DomainError:
            continue
        for before, after in zip(*paid, strict=True):
            for name in STATEMENT.values():
                others = list(zip(before[name][1:-1], after[name][1:], strict=True))
                assert all(abs(a - b) <= 1 for a, b in others), (seed, name)
                assert abs(before[name][0] + before[name][-1] - after[name][0]) <= len(insurers), (seed, name)
                compared += len(others)
    assert compared > 1_000


@pytest.mark.invariant
def test_the_reference_class_changes_no_payment() -> None:
    """An amount added to every class of a criterion and taken off age and sex: everybody has one class of each."""
    for seed in range(31_000, 31_060):
        country, model, mapping = random_case(seed, persons=(10, 40))
        moved = from_dict(Model, to_dict(model))
        moved.name += " moved"
        for c in moved.variable.criteria:
            for k in c.classes:
                k.weight += {"region": 123_456_789, "age_sex": -123_456_789}.get(c.name, 0)
        one, two = (bridge.baseline(country, m, mapping)[0] for m in (model, moved))
        assert one.ex_ante(model.year)["variable"] == two.ex_ante(model.year)["variable"]
        try:
            settled_one = one.ex_post(model.year)
        except DomainError:
            continue
        assert settled_one["contribution"] == two.ex_post(model.year)["contribution"]


@pytest.mark.invariant
def test_blocks_threads_and_a_second_panel_give_the_same_totals() -> None:
    for seed in range(32_000, 32_030):
        country, model, mapping = case(seed, persons=(10, 40))
        bases = [bridge.baseline(country, model, mapping, blocks=b, threads=t)[0] for b, t in ((1, 1), (5, 2), (3, 1))]
        totals = [b.totals(model.year) for b in bases]
        for other in totals[1:]:
            assert all(np.array_equal(totals[0][k], other[k]) for k in other), seed
        assert bases[0].moments(model.year) == bases[1].moments(model.year)
