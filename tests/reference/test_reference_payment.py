"""The payment rules, each on numbers small enough to check by hand."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from .cases import YEAR, claim, counts, criterion, insured, record, row
from .country import Category, Country, Mapping, NeutralityRule, Share, Title, day
from .groupers import class_rows
from .law_2021 import nl_2021
from .moments import assign_claims
from .payment import (
    Counts,
    Undefined,
    allocate,
    expected_own_payments,
    high_cost_compensation,
    high_cost_threshold,
    neutral_weights,
    own_payment,
    printed_weights,
    realised_own_payments,
    round_half,
    scaled,
    settle,
    settle_own_payments,
    under_18,
)

# Two insurers before and after x = 2 insured of insurer 1 leave class 1 for none.
SHARE = Share("variable", [criterion("c", {0: -100, 1: 400, 2: 900})])
BEFORE = {1: counts(c={0: 36, 1: 4}), 2: counts(c={0: 50, 1: 6, 2: 4})}
AFTER = {1: counts(c={0: 38, 1: 2}), 2: BEFORE[2]}


def _all(own: dict[int, Counts]) -> Counts:
    return {k: sum((n.get(k, F(0)) for n in own.values()), F(0)) for k in printed_weights(SHARE)}


def _euros(rules: list[NeutralityRule], own: dict[int, Counts], mode: str = "exact") -> dict[int, F]:
    neutral = neutral_weights(SHARE, rules, _all(own), _all(BEFORE), mode)
    return {i: sum((x * neutral.weights[k] for k, x in n.items()), F(0)) / 100 for i, n in own.items()}


def _change(rules: list[NeutralityRule]) -> dict[int, F]:
    before, after = _euros(rules, BEFORE), _euros(rules, AFTER)
    return {i: after[i] - before[i] for i in before}


def test_class_totals_the_gain_goes_to_others_in_the_class_and_in_none() -> None:
    # class 1: expected 10, realised 8: 400 x 10/8 = 500; none: expected 86, realised 88: -100 x 86/88
    rules = [NeutralityRule("variable", "c", "class_totals")]
    weights = neutral_weights(SHARE, rules, _all(AFTER), _all(BEFORE)).weights
    assert weights["c", 1] == 50_000
    assert weights["c", 0] == F(-10_000 * 86, 88)
    assert weights["c", 2] == 90_000
    # x [w_1 (1 - s_1) - w_0 (1 - s_0)] with s = share of the class after the change:
    # s_1 = 2/8, s_0 = 38/88: 2 [400 x 6/8 + 100 x 50/88] = 600 + 113.636... = 713.636...
    change = _change(rules)
    assert -change[1] == 2 * (F(400) * (1 - F(2, 8)) + 100 * (1 - F(38, 88)))
    assert change[1] + change[2] == 0


def test_zero_sum_the_gain_goes_to_insurers_of_those_in_none() -> None:
    # before: w_0 = -(10 x 400 + 4 x 900)/86 = -7600/86; after: -(8 x 400 + 3600)/88 = -6800/88
    rules = [NeutralityRule("variable", "c", "zero_sum", [0])]
    assert neutral_weights(SHARE, rules, _all(BEFORE), None).weights["c", 0] == F(-760_000, 86)
    assert neutral_weights(SHARE, rules, _all(AFTER), None).weights["c", 0] == F(-680_000, 88)
    # x (w_1 - w_0)(1 - s_0), w_0 before, s_0 after: 2 (400 + 7600/86)(1 - 38/88)
    change = _change(rules)
    assert -change[1] == 2 * (400 + F(7600, 86)) * (1 - F(38, 88))
    assert change[1] + change[2] == 0
    assert sum(_euros(rules, AFTER).values()) == 0


def test_no_neutrality_the_loss_is_nobodys_gain_before_scaling() -> None:
    assert _change([]) == {1: F(-2 * (400 + 100)), 2: F(0)}


def test_offset_none_cancels_the_surprise_of_the_named_classes() -> None:
    # art. 11(4), 11(9): of class 1, 2 fewer than expected: -800 euros; none (88) moves by +800/88
    rules = [NeutralityRule("variable", "c", "offset", [0], [1])]
    weights = neutral_weights(SHARE, rules, _all(AFTER), _all(BEFORE)).weights
    assert weights["c", 0] == -10_000 + F(80_000, 88)
    # a class that is not named leaves `none` alone
    other = [NeutralityRule("variable", "c", "offset", [0], [2])]
    assert neutral_weights(SHARE, other, _all(AFTER), _all(BEFORE)).weights == printed_weights(SHARE)


def test_offset_moves_several_classes_by_the_same_amount() -> None:
    # art. 11(12): of: 10 expected, 14 realised, 300 each: 1,200 euros over 20 + 40 insured = 20 each
    share = Share("variable", [criterion("avi", {1: 300, 2: -90, 3: 10})])
    rule = NeutralityRule("variable", "avi", "offset", [2, 3], [1])
    weights = neutral_weights(share, [rule], counts(avi={1: 14, 2: 20, 3: 40}), counts(avi={1: 10})).weights
    assert weights == {("avi", 1): 30_000, ("avi", 2): -11_000, ("avi", 3): -1_000}


def test_legal_mode_rounds_re_set_weights_to_cents_half_away_from_zero() -> None:
    # -334.63 x 1/2 = -167.315 -> -167.32, 334.63 x 1/2 = 167.315 -> 167.32; untouched weights stay
    share = Share("variable", [criterion("dkg", {0: "-334.63", 1: "334.63"}), criterion("x", {0: "0.01"})])
    rule = [NeutralityRule("variable", "dkg", "class_totals")]
    neutral = neutral_weights(share, rule, counts(dkg={0: 2, 1: 4}), counts(dkg={0: 1, 1: 2}), "legal")
    assert neutral.weights == {("dkg", 0): -16_732, ("dkg", 1): 16_732, ("x", 0): 1}
    assert neutral.exact["dkg", 1] == F(33_463, 2)
    assert neutral.gap == 2 * F(-1, 2) + 4 * F(1, 2)


def test_a_rule_without_insured_to_work_on_is_reported() -> None:
    rule = [NeutralityRule("variable", "c", "zero_sum", [0], article="11(6)")]
    neutral = neutral_weights(SHARE, rule, counts(c={1: 5}), None)
    assert neutral.unmet == ["11(6)"]
    assert neutral.weights == printed_weights(SHARE)
    totals = [NeutralityRule("variable", "c", "class_totals", article="11(5)")]
    assert neutral_weights(SHARE, totals, counts(c={0: 5}), counts(c={0: 4, 1: 1})).unmet == ["11(5)"]


# Scaling and flat step ------------------------------------------------------------------------------------------


def test_scaling_with_phi_1_keeps_the_national_sum_at_n() -> None:
    # N = 6,000 + 4,000, C = 11,000: factor 1.1; (C - N) = 1,000 over adults 1/4, 3/4:
    # 6,600 - 250 = 6,350; 4,400 - 750 = 3,650; sum 10,000
    s = scaled({1: F(6_000), 2: F(4_000)}, 11_000, {1: F(1), 2: F(3)}, 1_000_000)
    assert s["factor"] == F(11, 10)
    assert s["exact_i"] == {1: 6_350, 2: 3_650}
    assert s["target"] == 10_000


def test_scaling_with_phi_15_percent() -> None:
    # 6,600 - 0.15 x 250 = 6,562.5; 4,400 - 112.5 = 4,287.5; sum 11,000 - 150 = 10,850
    s = scaled({1: F(6_000), 2: F(4_000)}, 11_000, {1: F(1), 2: F(3)}, 150_000)
    assert s["exact_i"] == {1: F(13_125, 2), 2: F(8_575, 2)}
    assert s["target"] == 10_850
    assert allocate(s["exact_i"], s["target"]) == {1: 6_563, 2: 4_287}


@pytest.mark.parametrize("ppm", [150_000, 1_000_000])
def test_a_saver_keeps_1_minus_n_plus_phi_a(ppm: int) -> None:
    # section 12, 5(a): saving 1,000: keeps 1 - n_1 + phi a_1, n_1 = 0.6, a_1 = 0.25
    own, adults = {1: F(6_000), 2: F(4_000)}, {1: F(1), 2: F(3)}
    paid = [scaled(own, cost, adults, ppm)["exact_i"][1] for cost in (11_000, 10_000)]
    assert 1_000 - (paid[0] - paid[1]) == 1_000 * (1 - F(6, 10) + F(ppm, 1_000_000) * F(1, 4))


def test_scaling_without_normative_amount_or_adults_is_undefined() -> None:
    with pytest.raises(Undefined):
        scaled({1: F(0)}, 5, {1: F(1)}, 0)
    with pytest.raises(Undefined):
        scaled({1: F(5)}, 6, {1: F(0)}, 1_000_000)
    assert scaled({1: F(0)}, 0, {1: F(0)}, 1_000_000)["exact_i"] == {1: 0}


# Integer cents --------------------------------------------------------------------------------------------------


def test_largest_remainder() -> None:
    assert allocate({1: F(100, 3), 2: F(100, 3), 3: F(100, 3)}) == {1: 34, 2: 33, 3: 33}  # ties by insurer code
    assert allocate({9: F(21, 2), 4: F(21, 2), 7: F(5)}) == {4: 11, 7: 5, 9: 10}  # 26
    assert allocate({1: F(-15, 10), 2: F(37, 10)}) == {1: -2, 2: 4}  # 2.2 -> 2
    with pytest.raises(ValueError, match="more than a cent"):
        allocate({1: F(1, 2)}, 2)


def test_half_cents_go_away_from_zero() -> None:
    assert [round_half(F(n, 2)) for n in (-3, -1, 1, 3, 4)] == [-2, -1, 1, 2, 2]


# Own payments ---------------------------------------------------------------------------------------------------

MODEL = nl_2021()


def _pays(
    cents: int,
    *,
    year: int = YEAR,
    voluntary: int = 0,
    days: int = 365,
    unit: int = 1,
    adult: bool = True,
    **changes: int,
) -> tuple[int, int]:
    r = row(0, 1, {}, days=days, voluntary_deductible_cents=voluntary, adult=adult)
    paid = own_payment(r, [claim(0, year, cents, **changes)], MODEL, year, unit)
    return paid["mandatory"], paid["total"]


def test_own_payment_is_the_deductible_or_the_cost() -> None:
    assert _pays(30_000) == (30_000, 30_000)
    assert _pays(90_000) == (38_500, 38_500)
    assert _pays(90_000, voluntary=50_000) == (38_500, 88_500)
    assert _pays(40_000, voluntary=50_000) == (38_500, 40_000)
    assert _pays(-100) == (0, 0)
    assert _pays(90_000, adult=False) == (0, 0)


def test_deductible_is_pro_rata_to_insured_days() -> None:
    # 385 x 100/365 = 105.4794... -> 105.48; in a leap year 385 x 100/366 = 105.1912... -> 105.19
    assert _pays(90_000, days=100) == (10_548, 10_548)
    assert _pays(90_000, days=100, year=2020) == (10_519, 10_519)
    # with 100 voluntary: 485 x 100/365 = 132.8767 -> 132.88; on whole euros (Zvw 19): 105 and 133
    assert _pays(90_000, days=100, voluntary=10_000) == (10_548, 13_288)
    assert _pays(90_000, days=100, voluntary=10_000, unit=100) == (10_500, 13_300)


def test_exempt_care_and_titles() -> None:
    for category in (Category.gp, Category.obstetric, Category.maternity, Category.chain_care, Category.nursing):
        assert _pays(9_000, category=int(category)) == (0, 0)
    for title, paid in ((Title.gp_care, 0), (Title.specialist_care, 9_000), (Title.designated, 0)):
        assert _pays(9_000, category=int(Category.one_and_a_half_line), title=int(title)) == (paid, paid)
    assert _pays(9_000, category=int(Category.ggz)) == (9_000, 9_000)


def test_a_hospital_visit_within_the_deductible_costs_the_insurer_nothing() -> None:
    # section 12: hospital 300 is paid by the patient; the exempt 1.5-line consult of 100 by the insurer
    assert 30_000 - _pays(30_000)[1] == 0
    exempt = _pays(10_000, category=int(Category.one_and_a_half_line), title=int(Title.gp_care))[1]
    assert 10_000 - exempt == 10_000


def test_switching_splits_the_deductible_over_both_insurers() -> None:
    # 90 and 275 days: 385 x 90/365 = 94.93, 385 x 275/365 = 290.07; both fill it; represents 3
    country = insured([1], represents=3)
    country.records[-1].last_day = day(YEAR, 3, 31)
    country.records.append(record(1, first_day=day(YEAR, 4, 1), insurer=2, represents=3))
    country.claims = [claim(1, YEAR, 50_000, insurer=1), claim(1, YEAR, 50_000, insurer=2, opened=day(YEAR, 6, 1))]
    rows = class_rows(country, MODEL, Mapping())
    paid = realised_own_payments(rows, assign_claims(country, rows, YEAR), MODEL, YEAR)
    assert paid["mandatory"] == {1: 3 * 9_493, 2: 3 * 29_007}


def test_expected_own_payment_is_the_forfait_or_the_deductible_model() -> None:
    healthy = class_rows(insured([1]), MODEL, Mapping())[0]
    # man 40-44, reference, region 1, MHK none: 138.46 - 0.23 + 6.55 - 30.78 = 114.00; half a year: 57.00
    assert expected_own_payments([healthy], MODEL, printed_weights(MODEL.deductible), YEAR) == {1: 11_400}
    ill = row(1, 1, {"deductible": {c.name: () for c in MODEL.deductible.criteria}}, represents=2)
    child = row(2, 1, ill.classes, adult=False)
    assert expected_own_payments([ill, child], MODEL, printed_weights(MODEL.deductible), YEAR) == {1: 71_452}


def test_own_payments_macro_correction_of_2021() -> None:
    # E = 100 + 300, R = 440: R/E = 1.1; 0.15 (R - E) = 6, adults half each: 110 - 3 = 107, 330 - 3 = 327
    result = settle_own_payments({1: F(100), 2: F(300)}, {1: 400, 2: 40}, {1: F(5), 2: F(5)}, MODEL)
    assert result["exact_i"] == {1: 107, 2: 327}
    assert result["target"] == 434
    plain = settle_own_payments({1: F(100), 2: F(300)}, {1: 400, 2: 40}, {1: F(5), 2: F(5)}, nl_2021(structural=True))
    assert plain["exact_i"] == {1: 100, 2: 300}


def test_avi_of_the_deductible_model_is_re_set_per_age_band() -> None:
    # art. 17(3), band 35-44: assistance 47.41, 12 realised, 10 expected: 94.82 over self-employed 6 + higher 6 + ref 8
    share = MODEL.deductible
    avi = next(c for c in share.criteria if c.name == "avi")
    of_group = {c.group: c.code for c in avi.classes if c.age_min == 35}
    real = counts(avi={of_group[3]: 12, of_group[6]: 6, of_group[7]: 6, of_group[8]: 8})
    neutral = neutral_weights(share, MODEL.neutrality, real, counts(avi={of_group[3]: 10}), "legal")
    moved = {g: neutral.weights["avi", of_group[g]] - printed_weights(share)["avi", of_group[g]] for g in (6, 7, 8)}
    assert set(moved.values()) == {F(-474)}  # -94.82 / 20 = -4.741, in weights -6.96, -11.98, -0.23 rounded: -4.74
    assert neutral.weights["avi", of_group[3]] == 4_741


def test_the_macro_correction_looks_at_the_mandatory_part_only() -> None:
    # one adult with a voluntary deductible of 500 and 600 of cost pays 600, of which 385 mandatory (Bzv 3.19(3)a)
    country = insured([1], range(YEAR, YEAR + 1), voluntary_deductible_cents=50_000)
    country.claims = [claim(1, YEAR, 60_000)]
    own = settle(country, MODEL, Mapping())["ex_post"]["own_payments"]
    assert own["R"] == 38_500
    assert own["realised_total_i"] == {1: 60_000}


# Administration, high cost --------------------------------------------------------------------------------------


def test_under_18_counts_heads_on_the_first_of_july() -> None:
    def child(index: int, first: int, last: int) -> object:
        r = row(index, 1, {}, adult=False, represents=2)
        r.first_day, r.last_day, r.days = first, last, last - first + 1
        return r

    rows = [child(0, day(YEAR, 7, 1), day(YEAR, 7, 1)), child(1, day(YEAR, 7, 2), day(YEAR, 12, 31)), row(2, 1, {})]
    assert under_18(rows, YEAR) == {1: 2}  # type: ignore[arg-type]
    assert under_18(rows, YEAR, "years") == {1: F(2 * (1 + 183), 365)}  # type: ignore[arg-type]


def test_high_cost_compensation() -> None:
    # 400 users: k = 2: threshold = cost of the second = 600; 90% x (1,000 - 600) = 360; shares 700 and 300: 36%
    # insurer 1: 700 + 360 - 252 = 808; insurer 2: 300 - 108 = 192
    country = insured([1], range(YEAR, YEAR + 1))
    country.records += [record(2, insurer=2), record(3, insurer=2, represents=398)]
    country.claims = [
        claim(p, YEAR, c, category=Category.ggz, insurer=i) for p, c, i in ((1, 1_000, 1), (2, 600, 2), (3, 100, 2))
    ]
    rows = class_rows(country, MODEL, Mapping())
    result = high_cost_compensation({1: F(700), 2: F(300)}, rows, assign_claims(country, rows, YEAR), MODEL)
    assert result["threshold"] == 600
    assert result["exact_i"] == {1: 808, 2: 192}


def test_high_cost_of_a_switcher_is_that_of_the_person_split_by_cost() -> None:
    # 900 at insurer 1 and 300 at insurer 2 = 1,200; threshold 600: excess 540, split 405 and 135
    country = Country(
        [
            record(1, last_day=day(YEAR, 6, 30)),
            record(1, first_day=day(YEAR, 7, 1), insurer=2),
            record(2, insurer=2),
            record(3, insurer=2, represents=398),
        ],
        [],
    )
    country.claims = [
        claim(1, YEAR, 900, category=Category.ggz),
        claim(1, YEAR, 300, category=Category.ggz, insurer=2, opened=day(YEAR, 8, 1)),
        claim(2, YEAR, 600, category=Category.ggz, insurer=2),
        claim(3, YEAR, 100, category=Category.ggz, insurer=2),
    ]
    rows = class_rows(country, MODEL, Mapping())
    result = high_cost_compensation({1: F(1), 2: F(1)}, rows, assign_claims(country, rows, YEAR), MODEL)
    assert result["excess_i"] == {1: 405, 2: 135}


def test_high_cost_threshold_needs_two_hundred_users() -> None:
    costs = {p: F(p) for p in range(1, 200)}
    assert high_cost_threshold(costs, dict.fromkeys(costs, 1), 50) is None
    costs[200], costs[201] = F(200), F(0)
    assert high_cost_threshold(costs, dict.fromkeys(costs, 1), 50) == 200
