"""What must always hold (section 12), on random small countries."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction as F
from functools import cache
from typing import Any

import pytest

from .cases import random_case, small_share
from .country import Category, Country, Mapping, Model, days_in_year, from_dict, to_dict, year_of
from .groupers import class_rows, group, in_top
from .moments import (
    NotDetermined,
    assign_claims,
    class_days,
    cluster_categories,
    estimate_exact,
    fitted_cents,
    moments,
    reference_constraints,
    settled_by_category,
)
from .payment import (
    Expected,
    Undefined,
    class_counts,
    ex_ante,
    ex_post,
    expected_of,
    normative,
    printed_weights,
    settle,
)

pytestmark = pytest.mark.invariant

SEEDS = range(300)


@cache
def _case(seed: int) -> tuple[Country, Model, Mapping, Expected, dict[str, Any]]:
    """A country, counts expected ex ante that differ from the realised ones, and its settlement."""
    country, model, mapping = random_case(seed, late_claims=seed % 2 == 0)
    rng = random.Random(-seed)
    rows = class_rows(country, model, mapping)
    expected = {
        name: {c: n * F(rng.randint(80, 120), 100) for c, n in own.items()}
        for name, own in expected_of(rows, model, model.year).items()
    }
    mode = "legal" if seed % 3 == 0 else "exact"
    return country, model, mapping, expected, settle(country, model, mapping, mode=mode, expected=expected)


def test_cents_sum_to_the_target_and_are_within_a_cent() -> None:
    for seed in SEEDS:
        model, paid = _case(seed)[1], _case(seed)[4]["ex_post"]
        for name in ("variable", "ggz"):
            s = paid[name]
            step = F(model.flat_ppm_variable if name == "variable" else model.flat_ppm_ggz, 1_000_000)
            assert sum(paid["exact"][name].values()) == s["C"] - step * (s["C"] - s["N"]) == s["target_exact"]
            assert sum(paid["cents"][name].values()) == s["target"]
        for part, cents in paid["cents"].items():
            assert all(abs(cents[i] - paid["exact"][part][i]) < 1 for i in cents), part
        own = paid["own_payments"]
        assert own["R"] == sum(own["R_i"].values()) <= sum(own["realised_total_i"].values())
        assert abs(sum(own["exact_i"].values()) - own["target"]) <= F(1, 2)


def test_neutral_criteria_meet_their_rule() -> None:
    for seed in SEEDS:
        _, model, _, expected, settled = _case(seed)
        for name, share in (("variable", "variable"), ("ggz", "ggz_hcc")):
            s = settled["ex_post"][name]
            exact, printed = s["weights_exact"], printed_weights(next(x for x in model.shares() if x.name == share))
            n, ahead = s["realised"], expected[share]
            for rule in (r for r in model.neutrality if r.share == share and r.article not in s["unmet"]):
                mine = [c for c in exact if c[0] == rule.criterion]
                if rule.rule == "zero_sum":
                    assert sum(n.get(c, F(0)) * exact[c] for c in mine) == 0
                elif rule.rule == "class_totals":
                    assert all(n.get(c, F(0)) * exact[c] == ahead.get(c, F(0)) * printed[c] for c in mine)
                else:
                    of = [(rule.criterion, k) for k in rule.of]
                    reset = [(rule.criterion, k) for k in rule.reset]
                    surprise = sum((n.get(c, F(0)) - ahead.get(c, F(0))) * printed[c] for c in of)
                    assert surprise + sum(n.get(c, F(0)) * (exact[c] - printed[c]) for c in reset) == 0


def test_without_surprise_class_totals_and_offset_change_nothing() -> None:
    for seed in range(0, 300, 10):
        country, model, mapping, *_ = _case(seed)
        model = replace(model, neutrality=[r for r in model.neutrality if r.rule != "zero_sum"])
        paid = settle(country, model, mapping)["ex_post"]
        assert paid["variable"]["weights"] == printed_weights(model.variable)
        assert paid["own_payments"]["weights"] == printed_weights(model.deductible)


def test_merging_two_insurers_leaves_the_others_unchanged_before_rounding() -> None:
    compared = 0
    for seed in range(1, 300, 2):  # claims within their record
        country, model, mapping, expected, _ = _case(seed)
        country = from_dict(Country, to_dict(country))
        # Of who is insured with both, a merger makes one deductible of two: here everybody stays with one insurer.
        first: dict[int, int] = {}
        for r in country.records:
            first.setdefault(r.person, r.insurer)
        for x in (*country.records, *country.claims):
            x.insurer = first[x.person]
        insurers = sorted({r.insurer for r in country.records})
        if len(insurers) < 3:
            continue
        keep, gone = insurers[0], insurers[-1]
        merged = from_dict(Country, to_dict(country))
        for x in (*merged.records, *merged.claims):
            x.insurer = keep if x.insurer == gone else x.insurer
        one, two = (settle(c, model, mapping, expected=expected)["ex_post"] for c in (country, merged))
        for part, amounts in one["exact"].items():
            for i in set(amounts) - {keep, gone}:
                assert two["exact"][part][i] == amounts[i], (seed, part, i)
                compared += 1
            assert two["exact"][part].get(keep, 0) == amounts.get(keep, 0) + amounts.get(gone, 0), (seed, part)
    assert compared > 200


def test_a_shift_between_a_criterion_and_age_and_sex_changes_no_payment() -> None:
    """The reference class: adding d to every class of a criterion and taking it off age/sex pays everybody the same."""
    for seed in range(0, 300, 5):
        country, model, mapping, *_ = _case(seed)
        rows = class_rows(country, model, mapping)
        before = ex_ante(rows, model, model.year)["exact"]["variable"]
        name = ("mhk", "mvv", "fdg", "region", "ses", "ppa", "avi")[seed // 5 % 7]
        moved = from_dict(Model, to_dict(model))
        for c in moved.variable.criteria:
            for k in c.classes:
                k.weight += {name: 123_456_789, "age_sex": -123_456_789}.get(c.name, 0)
        assert ex_ante(rows, moved, model.year)["exact"]["variable"] == before, name


def test_the_order_of_records_and_claims_and_the_codes_of_insurers_do_not_matter() -> None:
    for seed in range(0, 300, 5):
        country, model, mapping, expected, settled = _case(seed)
        rng = random.Random(seed)
        shuffled = Country(list(country.records), list(country.claims))
        rng.shuffle(shuffled.records)
        rng.shuffle(shuffled.claims)
        assert group(shuffled, model, mapping) == group(country, model, mapping)
        mode = "legal" if seed % 3 == 0 else "exact"
        paid = settle(shuffled, model, mapping, mode=mode, expected=expected)["ex_post"]
        assert paid["contribution"] == settled["ex_post"]["contribution"]
        renamed = from_dict(Country, to_dict(country))
        for x in (*renamed.records, *renamed.claims):
            x.insurer = 1_000 - x.insurer
        other = settle(renamed, model, mapping, mode=mode, expected=expected)["ex_post"]["exact"]["variable"]
        assert {1_000 - i: a for i, a in other.items()} == settled["ex_post"]["exact"]["variable"]


def test_splitting_a_record_in_two_at_one_insurer_moves_no_class_and_no_count() -> None:
    for seed in range(0, 300, 5):
        country, model, mapping, *_ = _case(seed)
        split = from_dict(Country, to_dict(country))
        for r in list(split.records):
            if r.last_day > r.first_day:
                middle = (r.first_day + r.last_day) // 2
                split.records.append(replace(r, first_day=middle + 1))
                r.last_day = middle
        one, two = (class_rows(c, model, mapping) for c in (country, split))
        for share in model.shares():
            assert class_counts(one, share, model.year) == class_counts(two, share, model.year)


def test_every_adult_has_every_single_criterion_and_all_insured_time_is_counted() -> None:
    for seed in SEEDS:
        model, settled = _case(seed)[1], _case(seed)[4]
        for r in settled["rows"]:
            for c in model.variable.criteria:
                codes = r.classes["variable"][c.name]
                assert len(codes) == 1 if c.assignment == "single" else len(codes) >= 1
                assert (0 not in codes) or codes == (0,) or c.assignment == "single"
            assert all(bool(codes) == r.adult for codes in r.classes["ggz"].values())
        years = sum(settled["ex_post"]["insured_years"].values())
        assert years == sum(F(r.days * r.represents, days_in_year(model.year)) for r in settled["rows"])


def test_tops_never_hold_more_than_their_share_of_the_insured() -> None:
    for seed in range(0, 300, 3):
        country, model, _mapping, *_ = _case(seed)
        year = model.year - 1
        represents = {r.person: r.represents for r in country.records if year_of(r.first_day) == year}
        cost = dict.fromkeys(represents, 0)
        for c in country.claims:
            if year_of(c.opened) == year:
                cost[c.person] += c.claimed_cents
        last: set[int] = set()
        for top in (50, 150, 1_000, 3_000, 10_000):
            found = in_top(cost, represents, top, lambda p: p)
            assert last <= found
            assert sum(represents[p] for p in found) * 10_000 <= top * sum(represents.values())
            last = found
        assert last == {p for p, c in cost.items() if c > 0}


def test_abroad_is_settled_too() -> None:
    for seed in range(1_000, 1_030):
        country, model, mapping = random_case(seed, abroad=True)
        paid = settle(country, model, mapping)["ex_post"]
        assert sum(paid["cents"]["variable"].values()) == paid["variable"]["target"]


def test_a_null_replacement_changes_nothing_and_a_country_of_children_is_named() -> None:
    for seed in range(0, 300, 20):
        country, model, mapping, *_ = _case(seed)
        same = from_dict(Country, to_dict(country))
        assert (
            settle(same, model, mapping)["ex_post"]["contribution"]
            == settle(country, model, mapping)["ex_post"]["contribution"]
        )
    country, model, mapping = random_case(5, persons=(20, 20))
    for r in country.records:
        r.birth_month = 12 * (model.year - 5)
    rows = class_rows(country, model, mapping)
    with pytest.raises(Undefined):
        ex_post(rows, assign_claims(country, rows, model.year), model, model.year)


# Estimation -----------------------------------------------------------------------------------------------------


def test_estimates_sum_to_the_cost_are_zero_sum_and_do_not_depend_on_the_reference_class() -> None:
    solved = 0
    for seed in SEEDS[:150]:
        country, model, mapping = random_case(seed, small_share(), persons=(40, 60))
        rows = class_rows(country, model, mapping)
        cents = settled_by_category(country, rows, model.year)
        m = moments(rows, model.variable, cents, model.year)
        n = class_days(m, rows, model.variable)
        categories = cluster_categories(model, "variable")
        try:
            found = estimate_exact(m, model.variable, categories, n)
        except NotDetermined:
            continue
        solved += 1
        assert all(sum(k * found.weights[c] for c, k in rule.items()) == 0 for rule in found.constraints)
        paid = sum(r.days * r.represents * fitted_cents(r, model.variable, found.weights) for r in rows)
        total = sum(r.represents * cents[r.index].get(c, 0) for r in rows for c in categories)
        assert paid == days_in_year(model.year) * total
        present = {c: k for c, k in zip(m.columns, n, strict=True) if k}
        reference = {"mhk": max(code for name, code in present if name == "mhk")}
        rules = reference_constraints(model.variable, dict(zip(m.columns, n, strict=True)), reference)
        other = estimate_exact(m, model.variable, categories, n, rules)
        assert all(
            fitted_cents(r, model.variable, found.weights) == fitted_cents(r, model.variable, other.weights)
            for r in rows
        )
    assert solved > 75


def test_own_weights_ex_ante_sum_to_the_cost_of_the_year() -> None:
    country, model, mapping = random_case(8, small_share(), persons=(50, 60))
    rows = class_rows(country, model, mapping)
    m = moments(rows, model.variable, settled_by_category(country, rows, model.year), model.year)
    found = estimate_exact(m, model.variable, [int(Category.hospital)], class_days(m, rows, model.variable))
    paid = normative(class_counts(rows, model.variable, model.year), found.weights)
    assert sum(paid.values()) == sum(
        r.represents * c.settled_cents
        for r in rows
        for c in assign_claims(country, rows, model.year)[r.index]
        if c.category == Category.hospital
    )
