"""Who gains when x patients of insurer 1 leave class k for none (model.md section 6), each amount worked by hand.

One country, but for what a case says. Four insurers with 420, 340, 220 and 100 insured men, EUR 2,000 each by age and
sex. Of them 40, 40, 20 and 0 are in class k, and 380, 300, 200 and 100 in none: 100 and 980. Then x = 20 patients of
insurer 1 leave class k: 20, 40, 20, 0 and 400, 300, 200, 100: 80 and 1,000. Cost is what it was: EUR 2,160,000, EUR
2,000 for each. The counts of before are those expected at the grant.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction as F

import pytest
from payment_bridge import core_pay, tables_of
from reference.payment_rules import rules_of
from reference.payment_steps import Days
from small_payments import Model, country, normative, settled, share_paid, with_weights, years

X = 20
MEN = [420, 340, 220, 100]
IN_K, IN_NONE = [40, 40, 20, 0], [380, 300, 200, 100]
COST = [2_000 * n for n in MEN]


def insured(criterion: str, k: int, *, left: int = 0, none: int = 0) -> list[Days]:
    """The country with `left` patients of insurer 1 gone from class k to none."""
    gone = [left, 0, 0, 0]
    return [
        years(age_sex={11: men}, **{criterion: {none: zero + x, k: ill - x}})
        for men, ill, zero, x in zip(MEN, IN_K, IN_NONE, gone, strict=True)
    ]


def amounts(model: Model, criterion: str, k: int, **which: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """N_i before and after and the variable share before and after, in cents."""
    before, after = insured(criterion, k, **which), insured(criterion, k, left=X, **which)
    old, new = settled(model, before, COST, before), settled(model, after, COST, before)
    return normative(old), normative(new), share_paid(old), share_paid(new)


def euros(*values: float) -> list[int]:
    return [round(100 * v) for v in values]


# Each class keeps its euro total: DKG of 2021 ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nl-2021", "nl-2021-structural"])
def test_dkg_2021_the_gain_goes_to_others_in_the_class_and_others_without_dkg(name: str) -> None:
    # w_k = 400, w_0 = -50. DKG amounts before: 40 x 400 - 380 x 50 = 16,000 - 19,000 = -3,000; 16,000 - 15,000 = 1,000;
    #   8,000 - 10,000 = -2,000; -5,000. Sum 100 x 400 - 980 x 50 = -9,000.
    # After: w_k' = 400 x 100/80 = 500, w_0' = -50 x 980/1,000 = -49: 20 x 500 - 400 x 49 = 10,000 - 19,600 = -9,600;
    #   40 x 500 - 300 x 49 = 5,300; 20 x 500 - 200 x 49 = 200; -4,900. Sum -9,000 again.
    model = with_weights(name, age_sex={11: 2000}, dkg={0: -50, 3: 400})
    n_before, n_after, paid_before, paid_after = amounts(model, "dkg", 3)
    assert n_before == euros(840_000 - 3_000, 680_000 + 1_000, 440_000 - 2_000, 200_000 - 5_000)
    assert n_after == euros(840_000 - 9_600, 680_000 + 5_300, 440_000 + 200, 200_000 - 4_900)
    # i loses 6,600 = x [w_k (1 - s_k) - w_0 (1 - s_0)] = 20 [400 (1 - 20/80) + 50 (1 - 400/1,000)] = 20 [300 + 30]
    assert n_before[0] - n_after[0] == 100 * X * (F(400) * (1 - F(20, 80)) + F(50) * (1 - F(400, 1_000)))
    # gainers: 40/60 and 20/60 of 20 x 400 x 60/80 = 6,000, and 300, 200, 100 of 600 times 20 x 50 x 600/1,000 = 600
    assert [b - a for a, b in zip(n_before[1:], n_after[1:], strict=True)] == euros(4_000 + 300, 2_000 + 200, 100)
    # N stays 2,151,000, so the factor stays and the share moves by C/N = 2,160/2,151 times as much: -6,627.62 for i
    assert sum(n_before) == sum(n_after) == 215_100_000
    for at in range(4):
        assert abs(paid_after[at] - paid_before[at] - (n_after[at] - n_before[at]) * F(2_160, 2_151)) < 2
    assert sum(paid_after) == sum(paid_before)


# None re-set so that the criterion sums to zero -------------------------------------------------------------------

ZERO_SUM = [
    ("nl-2015", "dkg", 3, 0),
    ("nl-2015", "mhk", 1, 0),
    ("nl-2015", "hkg", 2, 0),
    ("nl-2015", "gsm", 3, 1),
    ("nl-2021", "mhk", 1, 0),
    ("nl-2021", "mvv", 4, 0),
    ("nl-2021", "hkg", 7, 0),
    ("nl-2021-structural", "mhk", 2, 0),
]


@pytest.mark.parametrize(("name", "criterion", "k", "none"), ZERO_SUM)
def test_zero_sum_the_gain_goes_to_insurers_of_those_in_none(name: str, criterion: str, k: int, none: int) -> None:
    # w_k = 980. Before: w_0 = -100 x 980/980 = -100: 40 x 980 - 380 x 100 = 39,200 - 38,000 = 1,200;
    #   39,200 - 30,000 = 9,200; 19,600 - 20,000 = -400; -10,000. Sum 0.
    # After: w_0 = -80 x 980/1,000 = -78.40: 19,600 - 400 x 78.40 = 19,600 - 31,360 = -11,760; 39,200 - 23,520 = 15,680;
    #   19,600 - 15,680 = 3,920; -7,840. Sum 0.
    model = with_weights(name, age_sex={11: 2000}, **{criterion: {none: -100, k: 980}})
    n_before, n_after, paid_before, paid_after = amounts(model, criterion, k, none=none)
    assert n_before == euros(840_000 + 1_200, 680_000 + 9_200, 440_000 - 400, 200_000 - 10_000)
    assert n_after == euros(840_000 - 11_760, 680_000 + 15_680, 440_000 + 3_920, 200_000 - 7_840)
    # i loses 12,960 = x (w_k - w_0)(1 - s_0) = 20 (980 + 100)(1 - 400/1,000)
    assert n_before[0] - n_after[0] == 100 * X * (980 + 100) * (1 - F(400, 1_000))
    # gainers: 300, 200 and 100 of 600 of it, those with many in class k no more than others: 21.60 for each in none
    assert [b - a for a, b in zip(n_before[1:], n_after[1:], strict=True)] == euros(6_480, 4_320, 2_160)
    # N = C = 2,160,000 before and after: factor 1, flat step 0, and the share is the normative amount
    assert (paid_before, paid_after) == (n_before, n_after)


def test_2015_losing_the_last_flag_also_loses_gsm() -> None:
    # The 20 lose MHK 1 (980 over -100 -> -78.40, as above: 12,960) and with it "Wel morbiditeit 65-": w = 490, so that
    # "Geen morbiditeit 65-" is -50 before and -80 x 490/1,000 = -39.20 after: 20 x (490 + 50) x 0.6 = 6,480 more.
    model = with_weights("nl-2015", age_sex={11: 2000}, mhk={0: -100, 1: 980}, gsm={1: -50, 3: 490})

    def both(left: int) -> list[Days]:
        mhk, gsm = insured("mhk", 1, left=left), insured("gsm", 3, left=left, none=1)
        return [a | b for a, b in zip(mhk, gsm, strict=True)]

    old, new = settled(model, both(0), COST, both(0)), settled(model, both(X), COST, both(0))
    change = [b - a for a, b in zip(normative(old), normative(new), strict=True)]
    assert change == euros(-12_960 - 6_480, 6_480 + 3_240, 4_320 + 2_160, 2_160 + 1_080)
    assert sum(change) == 0


def test_2015_insured_abroad_count_for_half_in_dkg_0() -> None:
    # B15 18(2), 7(1)e. In none: 380, 300, 250 at home, and 100 abroad of insurer 4 that count for 50: 980, then 1,000.
    # w_0 = -100 and -78.40 as above; insurer 3 gains 250 x 21.60 = 5,400, insurer 4 only 50 x 21.60 = 1,080.
    model = with_weights("nl-2015", age_sex={11: 2000}, dkg={0: -100, 3: 980})
    before, after = insured("dkg", 3), insured("dkg", 3, left=X)
    for own in (before, after):
        own[2][("dkg", 0)] = 250 * 365
    abroad: list[Days] = [{}, {}, {}, years(dkg={0: 100})]
    old, new = (settled(model, own, COST, before, abroad=abroad) for own in (before, after))
    assert normative(old)[3] == euros(200_000 - 50 * 100)[0]
    assert normative(new)[3] == euros(200_000 - 50 * 78.40)[0]
    change = [b - a for a, b in zip(normative(old), normative(new), strict=True)]
    assert change == euros(-12_960, 6_480, 5_400, 1_080)


# No neutrality: through N only ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "criterion", "k"),
    [("nl-2015", "fkg", 11), ("nl-2021-structural", "fkg", 5), ("nl-2021-structural", "fdg", 1)],
)
def test_without_neutrality_and_phi_1_the_fund_gains(name: str, criterion: str, k: int) -> None:
    # w_k = 980, w_0 = -100. Before as under zero sum: N_i = 841,200, 689,200, 439,600, 190,000; N = C = 2,160,000.
    # After: N_1 = 841,200 - 20 x 1,080 = 819,600; N = 2,138,400; C/N = 100/99; C - N = 21,600, over the adults 420,
    #   340, 220, 100 of 1,080: 8,400, 6,800, 4,400, 2,000.
    # Shares: 819,600 x 100/99 - 8,400 = 827,878.79 - 8,400 = 819,478.79; 696,161.62 - 6,800 = 689,361.62;
    #   444,040.40 - 4,400 = 439,640.40; 191,919.19 - 2,000 = 189,919.19. Sum N = 2,138,400: the fund keeps 21,600.
    model = with_weights(name, age_sex={11: 2000}, **{criterion: {0: -100, k: 980}})
    n_before, n_after, paid_before, paid_after = amounts(model, criterion, k)
    assert n_before == paid_before == euros(841_200, 689_200, 439_600, 190_000)
    assert n_after == euros(819_600, 689_200, 439_600, 190_000)
    assert paid_after == euros(819_478.79, 689_361.62, 439_640.40, 189_919.19)
    assert sum(paid_before) - sum(paid_after) == euros(21_600)[0]
    # i loses x (w_k - w_0)(1 - n_i + a_i) = 21,600 (1 - 819,600/2,138,400 + 420/1,080) = 21,721.21; j moves by
    # 21,600 (n_j - a_j), nothing when its share of N is that of the adults: 161.62, 40.40, -80.81
    exact = 21_600 * (1 - F(819_600, 2_138_400) + F(420, 1_080))
    assert abs(paid_before[0] - paid_after[0] - 100 * exact) < 1
    for j in (1, 2, 3):
        expected = 2_160_000 * (F(n_after[j], sum(n_after)) - F(MEN[j], 1_080))
        assert abs(paid_after[j] - paid_before[j] - expected) < 1


@pytest.mark.parametrize(("criterion", "k"), [("fkg", 5), ("fdg", 1), ("fdg", 3), ("fdg", 4)])
def test_without_neutrality_in_2021_others_gain_85_percent(criterion: str, k: int) -> None:
    # phi = 0.15 of 2021: 827,878.79 - 0.15 x 8,400 = 826,618.79; 696,161.62 - 1,020 = 695,141.62; 444,040.40 - 660 =
    # 443,380.40; 191,919.19 - 300 = 191,619.19. Sum 2,160,000 - 0.15 x 21,600 = 2,156,760: the fund keeps 3,240 only.
    model = with_weights("nl-2021", age_sex={11: 2000}, **{criterion: {0: -100, k: 980}})
    _, _, paid_before, paid_after = amounts(model, criterion, k)
    assert paid_after == euros(826_618.79, 695_141.62, 443_380.40, 191_619.19)
    assert sum(paid_before) - sum(paid_after) == euros(3_240)[0]


def test_2015_knows_no_fdg() -> None:
    assert "fdg" not in [c.name for c in with_weights("nl-2015").variable.criteria]


@pytest.mark.parametrize(("criterion", "k"), [("fkg", 24), ("fkg", 35), ("fdg", 2)])
def test_offset_none_takes_over_what_the_named_classes_lose(criterion: str, k: int) -> None:
    # Art. 11(4), 11(9): w_0' = -100 + 20 x 980/1,000 = -80.40. N_1: 840,000 + 20 x 980 - 400 x 80.40 = 827,440;
    #   39,200 - 300 x 80.40 = 15,080; 19,600 - 16,080 = 3,520; -8,040. Sum -2,000: the 20 who came to none at -100.
    # i loses x [w_k (1 - s_0) - w_0] = 20 [980 x 0.6 + 100] = 13,760; others 19.60 per insured in none: 5,880 ...
    model = with_weights("nl-2021-structural", age_sex={11: 2000}, **{criterion: {0: -100, k: 980}})
    n_before, n_after, _, _ = amounts(model, criterion, k)
    assert n_after == euros(840_000 - 12_560, 680_000 + 15_080, 440_000 + 3_520, 200_000 - 8_040)
    assert n_before[0] - n_after[0] == 100 * X * (980 * (1 - F(400, 1_000)) + 100)
    assert [b - a for a, b in zip(n_before[1:], n_after[1:], strict=True)] == euros(5_880, 3_920, 1_960)


# Closed forms of section 12 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "phi", "falls"), [("nl-2015", F(1), 60), ("nl-2021", F(15, 100), 35_760), ("nl-2021-structural", F(1), 60)]
)
def test_5a_a_saver_keeps_1_minus_n_plus_phi_a(name: str, phi: F, falls: int) -> None:
    # N_1 = 841,200 of N = C = 2,160,000. Insurer 1 saves 108,000: C = 2,052,000, factor 0.95, C - N = -108,000.
    # phi = 1: 841,200 x 0.95 + 108,000 x 420/1,080 = 799,140 + 42,000 = 841,140: 60 less. phi = 0.15: 799,140 + 6,300 =
    # 805,440: 35,760 less. Kept: 108,000 (1 - 841.2/2,160 + phi 420/1,080)
    model = with_weights(name, age_sex={11: 2000}, mhk={0: -100, 1: 980})
    own = insured("mhk", 1)
    saved = [COST[0] - 108_000, *COST[1:]]
    before, after = share_paid(settled(model, own, COST, own)), share_paid(settled(model, own, saved, own))
    assert before[0] == euros(841_200)[0]
    assert before[0] - after[0] == euros(falls)[0]
    kept = 108_000 - F(before[0] - after[0], 100)
    assert kept == 108_000 * (1 - F(841_200, 2_160_000) + phi * F(420, 1_080))
    # who else gains: j's share changes by 108,000 (phi a_j - n_j); the contributions fall by (1 - phi) S
    assert sum(before) - sum(after) == 100 * (1 - phi) * 108_000


@pytest.mark.parametrize(("name", "phi"), [("nl-2015", F(1)), ("nl-2021", F(15, 100))])
def test_5d_when_all_save_alike_they_keep_phi_until_the_macro_amount_follows(name: str, phi: F) -> None:
    # Everybody saves 100 for each insured, S = 108,000. Contributions: C - phi (C - N), 2,160,000 before, and after
    # 2,052,000 + phi 108,000: together they keep phi S: 108,000 in 2015, 16,200 in 2021.
    model = with_weights(name, age_sex={11: 2000}, mhk={0: -100, 1: 980})
    own = insured("mhk", 1)
    saved = [c - 100 * n for c, n in zip(COST, MEN, strict=True)]
    before, after = share_paid(settled(model, own, COST, own)), share_paid(settled(model, own, saved, own))
    assert sum(before) == euros(2_160_000)[0]
    assert 108_000 - F(sum(before) - sum(after), 100) == phi * 108_000
    # The macro amount follows by 100 an insured: N = C = 2,052,000, the contributions fall by all of S.
    lower = with_weights(name, age_sex={11: 1900}, mhk={0: -100, 1: 980})
    later = share_paid(settled(lower, own, saved, own))
    assert sum(before) - sum(later) == euros(108_000)[0]
    assert later == euros(*(1_900 * n + m for n, m in zip(MEN, (1_200, 9_200, -400, -10_000), strict=True)))


# Merging, splitting: not with bandwidth rules ---------------------------------------------------------------------


def test_bandwidth_of_2015_merging_two_insurers_moves_money_of_theirs() -> None:
    # Nursing 2015: EUR 5 and 95%. Insurers of 100, 100 and 200 adults, EUR 40 each: N_i = 4,000, 4,000 and 8,000.
    # Cost 3,000, 5,000 and 8,000, C = N: results +10, -10 and 0 an adult, mean 0. Apart: 95% of (10 - 5) x 100 = 475
    # off the first and on to the second. Merged: result 0, nothing moves. The third is left alone in both; the two get
    # 8,000 together in both, only because their corrections cancel.
    model = load_nursing()
    apart = _nursing(model, [100, 100, 200], [3_000, 5_000, 8_000])
    assert apart == euros(4_000 - 475, 4_000 + 475, 8_000)
    assert _nursing(model, [200, 200], [8_000, 8_000]) == euros(8_000, 8_000)
    # Cost 2,400, 3,600 and 10,000, C = N: results +16, +4 and -10. Apart: -0.95 x (16 - 5) x 100 = -1,045; 4 is within
    # 5; +0.95 x 5 x 200 = 950. Merged: result (16 + 4)/2 = 10: -0.95 x 5 x 200 = -950: the two gain 95 by merging,
    # and the fund pays it.
    apart = _nursing(model, [100, 100, 200], [2_400, 3_600, 10_000])
    assert apart == euros(4_000 - 1_045, 4_000, 8_000 + 950)
    assert _nursing(model, [200, 200], [6_000, 10_000]) == euros(8_000 - 950, 8_000 + 950)


def load_nursing() -> Model:
    """2015 with EUR 40 of nursing for a man of the first class."""
    model = with_weights("nl-2015", age_sex={11: 2000})
    first, *rest = model.nursing.criteria
    classes = (dataclasses.replace(first.classes[0], weight=40_000_000), *first.classes[1:])
    nursing = dataclasses.replace(model.nursing, criteria=(dataclasses.replace(first, classes=classes), *rest))
    return dataclasses.replace(model, nursing=nursing, flanking_nursing=0)


def _nursing(model: Model, men: list[int], cost: list[int]) -> list[int]:
    insured = [years(age_sex={11: n}) for n in men]
    own = country(model, insured, [2_000 * n for n in men])
    own.shares["nursing"].cost = [100 * c for c in cost]
    statement = core_pay(model, rules_of(model.name, tables_of(model)), own, "final")
    return [sum(c) for c in zip(*(li.cents for li in statement.lines if li.share == "nursing"), strict=True)]


def test_the_flat_step_is_over_adults_not_over_insured() -> None:
    # Two insurers of 100 insured, EUR 2,000 each; 50 of the second are children. N = 400,000, C = 440,000: factor 1.1:
    # 220,000 each; C - N = 40,000 over 100 + 50 adults: 26,666.67 and 13,333.33: 193,333.33 and 206,666.67.
    model = with_weights("nl-2015", age_sex={11: 2000})
    own = country(model, [years(age_sex={11: 100})] * 2, [220_000, 220_000])
    own.adult_days = [100 * 365, 50 * 365]
    statement = core_pay(model, rules_of(model.name, tables_of(model)), own, "final")
    assert share_paid(statement) == euros(193_333.33, 206_666.67)
