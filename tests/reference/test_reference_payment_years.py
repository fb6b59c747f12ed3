"""The rules of 2015, 2019 and 2020, and the steps that no 2021 case reaches, on numbers to check by hand."""

from __future__ import annotations

import random
from fractions import Fraction as F
from typing import Any

import pytest

from .cases import criterion
from .country import NeutralityRule, Share
from .payment import Undefined
from .payment_rules import Band, Rules, class_codes
from .payment_steps import (
    Country,
    Days,
    ShareDays,
    bandwidth,
    compensated,
    effective,
    fixed_care,
    history_per_insured,
    pay,
    share_table,
    whole_cents,
)

YEAR = 365


def rules(**changes: Any) -> Rules:
    """Two shares, phi = 1, EUR 1,000 premium, no rule of any kind."""
    base: dict[str, Any] = {
        "name": "small",
        "days_in_year": YEAR,
        "macro": {"variable": 1_000_000, "ggz": 100_000, "nursing": 100_000, "fixed": 30_000},
        "premium": 100_000,
        "administration": 4_500,
        "forfait": 35_000,
        "forfait_ex_post": 36_000,
        "phi": {"variable": F(1), "ggz": F(1), "nursing": F(1)},
    }
    return Rules(**base | changes)


TABLES = {
    "variable": Share("variable", [criterion("age_sex", {1: 10}), criterion("dkg", {0: -1, 1: 40})]),
    "ggz": Share("ggz", [criterion("ggz_age_sex", {1: 2})]),
    "ggz_hcc": Share("ggz_hcc", [criterion("ggz_age_sex", {1: 3})]),
    "deductible": Share("deductible", [criterion("age_sex", {1: 100})]),
}


def years(**numbers: dict[int, int]) -> Days:
    """Whole insured years as days: years(dkg={0: 90, 1: 10})."""
    return {(name, k): n * YEAR for name, own in numbers.items() for k, n in own.items()}


def country(**changes: Any) -> Country:
    """Insurer 0 with 10 insured, 2 of them in DKG 1; insurer 1 with 30 in none; all adults."""
    variable = [years(age_sex={1: 10}, dkg={0: 8, 1: 2}), years(age_sex={1: 30}, dkg={0: 30})]
    ggz = [years(ggz_age_sex={1: 10}), years(ggz_age_sex={1: 30})]
    base: dict[str, Any] = {
        "shares": {"variable": ShareDays(variable, cost=[30_000, 30_000]), "ggz": ShareDays(ggz, cost=[4_000, 6_000])},
        "deductible": [years(age_sex={1: 4}), years(age_sex={1: 20})],
        "forfait_days": [6 * YEAR, 10 * YEAR],
        "days": [10 * YEAR, 30 * YEAR],
        "adult_days": [10 * YEAR, 30 * YEAR],
        "under_18": [0, 3],
        "cost_fixed": [5_000, 27_000],
    }
    return Country(**base | changes)


def test_ex_ante_line_by_line() -> None:
    # variable: 10 x 10 - 8 x 1 + 2 x 40 = 172 euros; 30 x 10 - 30 = 270. ggz 20 and 60. fixed 300: 75, 225
    # premium 10,000 and 30,000; own payments 4 x 100 + 6 x 350 = 2,500 and 20 x 100 + 10 x 350 = 5,500; 3 x 45 = 135
    paid = pay(rules(), TABLES, country(), "ex_ante")
    assert paid.lines == {
        ("variable", "normative"): [17_200, 27_000],
        ("ggz", "normative"): [2_000, 6_000],
        ("fixed", "normative"): [7_500, 22_500],
        ("premium", "calculation_premium"): [-1_000_000, -3_000_000],
        ("deductible", "expected_own_payments"): [-250_000, -550_000],
        ("administration", "administration"): [0, 13_500],
    }
    assert paid.contribution == [17_200 + 2_000 + 7_500 - 1_250_000, 27_000 + 6_000 + 22_500 + 13_500 - 3_550_000]
    assert paid.shares["variable"].macro_gap == 44_200 - 1_000_000


def test_ex_post_line_by_line() -> None:
    # variable: N = 172 + 270 = 442 euros, C = 600: factor 600/442; (C - N) = 158 over adults 1/4, 3/4: 39.50, 118.50
    # 172 x 600/442 = 233.4841..., 270 x 600/442 = 366.5158... -> 233.48, 366.52; minus the flat step 193.98, 248.02
    # fixed: 75 and 225, settled on 50 and 270. own payments with the forfait of 360: 2,560 and 5,600
    paid = pay(rules(), TABLES, country())
    assert paid.lines["variable", "normative"] == [17_200, 27_000]
    assert paid.lines["variable", "neutrality"] == [0, 0]
    assert paid.lines["variable", "scaling"] == [23_348 - 17_200, 36_652 - 27_000]
    assert paid.lines["variable", "flat_step"] == [-3_950, -11_850]
    assert paid.shares["variable"].target == 44_200
    assert paid.shares["variable"].factor == F(600, 442)
    assert paid.lines["fixed", "settled_cost"] == [5_000 - 7_500, 27_000 - 22_500]
    assert paid.lines["deductible", "expected_own_payments"] == [-256_000, -560_000]
    assert [sum(line[i] for line in paid.lines.values()) for i in (0, 1)] == paid.contribution
    assert sum(paid.contribution) == 44_200 + 8_000 + 32_000 + 13_500 - 4_000_000 - 816_000


def test_abroad_counts_for_its_percentage_in_the_amount_and_in_neutrality() -> None:
    # B15 18(2), 7(1)e: 38 in DKG 0, 10 of them abroad at 50%: 28 + 5 = 33; w_0 = -(2 x 40)/33 = -2.4242... -> -2.42
    # insurer 1: 20 at home + 10 abroad: (20 + 5) x -2.42 = -60.50
    two = country()
    two.shares["variable"].abroad = [{}, years(dkg={0: 10})]
    rule = [NeutralityRule("variable", "dkg", "zero_sum", [0])]
    own = rules(abroad={"dkg": F(1, 2)}, neutrality=rule)
    paid = pay(own, TABLES, two, mode="legal")
    assert paid.shares["variable"].weights["dkg", 0] == -242
    steps = {s.item: s.amount for s in paid.steps if s.share == "variable"}
    assert steps["normative"][1] == 30_000 - 2_500
    assert steps["neutrality"] == [10_000 + 8_000 - 8 * 242, 30_000 - 25 * 242]
    assert paid.shares["variable"].rounding_gap == 33 * (F(8_000, 33) - 242)  # what rounding left of the sum zero
    assert effective(years(fkg={0: 4}), years(fkg={0: 4}), rules(abroad={"fkg": F(55, 100)})) == {("fkg", 0): F(22, 10)}


def test_gsm_is_made_neutral_per_age_band() -> None:
    # B15 18(5)-(6): below 65: 4 with morbidity x 300 over 16 without: -75; 65 and older: 6 x 100 over 2: -300
    gsm = Share("variable", [criterion("gsm", {1: -80, 2: -310, 3: 300, 4: 100})])
    both = [NeutralityRule("variable", "gsm", "zero_sum", [k], [k + 2]) for k in (1, 2)]
    one = country(shares={"variable": ShareDays([years(gsm={1: 16, 2: 2, 3: 4, 4: 6})], cost=[100])})
    one.deductible, one.forfait_days, one.days, one.adult_days = [{}], [0], [28 * YEAR], [28 * YEAR]
    one.under_18, one.cost_fixed = [0], [0]
    own = rules(neutrality=both, shares=("variable",))
    # everything sums to zero, so that no cost can be divided: the factor is undefined
    with pytest.raises(Undefined, match="no normative amount"):
        pay(own, TABLES | {"variable": gsm}, one)
    one.shares["variable"].cost = [0]
    weights = pay(own, TABLES | {"variable": gsm}, one).shares["variable"].weights
    assert weights == {("gsm", 1): -7_500, ("gsm", 2): -30_000, ("gsm", 3): 30_000, ("gsm", 4): 10_000}


def test_bandwidth_takes_off_above_and_adds_below() -> None:
    # adults 10, 10, 20; shares 1,000, 400, 1,000; cost 400, 600, 1,200: results 60, -20, -10 per adult; mean 200/40 = 5
    # distances 55, -25, -15; beyond 15: 40, -10, 0; 90%: -0.9 x 40 x 10 = -360, +0.9 x 10 x 10 = 90, 0
    share, cost, adults = [F(100_000), F(40_000), F(100_000)], [40_000, 60_000, 120_000], [F(10), F(10), F(20)]
    assert bandwidth(share, cost, adults, Band(F(15), F(9, 10))) == [-36_000, 9_000, 0]
    # financed: 270 euros were taken off in sum, and go back over 40 adults: 67.50, 67.50, 135
    flat = bandwidth(share, cost, adults, Band(F(15), F(9, 10), financed=True))
    assert flat == [-36_000 + 6_750, 9_000 + 6_750, 13_500]
    assert sum(flat) == 0


def test_bandwidth_of_nobody_and_of_children_only() -> None:
    assert bandwidth([F(500), F(0)], [0, 0], [F(0), F(0)], Band(F(5), F(1))) == [0, 0]
    # the insurer without adults has no result per adult; mean over all adults: (50,000 + 1,000)/10 = 5,100
    assert bandwidth([F(50_000), F(1_000)], [0, 0], [F(10), F(0)], Band(F(0), F(1))) == [1_000, 0]


def test_flanking_policy_moves_the_flat_step_only() -> None:
    # Bzv 1bb, 3.12(2): N = 442, macro 10,000 less 1,000: N' = 397.80; (C - N') = 202.20: 50.55 and 151.65
    paid = pay(rules(flanking={"variable": -100_000}), TABLES, country())
    assert paid.lines["variable", "flat_step"] == [-5_055, -15_165]
    assert paid.lines["variable", "scaling"] == pay(rules(), TABLES, country()).lines["variable", "scaling"]
    assert paid.shares["variable"].target == 60_000 - 20_220


def test_high_cost_of_one_and_of_two_steps() -> None:
    # 2021: 90% above 600 of 1,000: 360. 2026: 75% from 400,000 to 1,250,000 and 90% above: 637,500 + 0.9 x 750,000
    assert compensated(F(1_000), [(F(600), F(9, 10))]) == 360
    two = [(F(400_000), F(3, 4)), (F(1_250_000), F(9, 10))]
    assert [compensated(F(c), two) for c in (300_000, 500_000, 2_000_000)] == [0, 75_000, 637_500 + 675_000]


def test_high_cost_compensation_is_financed_by_every_share() -> None:
    # ggz on the weights of annex 3: 30 and 90, C = 100: 25 and 75 minus the flat step of -20 (5, 15): 30 and 90
    # excess 24 and 0: 54 and 90; 24/120 = 20% of 30 and 90: 48 and 72
    two = country()
    two.shares["ggz"].excess = [F(2_400), F(0)]
    own = rules(tables={"ggz": "ggz_hcc"}, tables_without_hcc={"ggz": "ggz"}, hcc={"ggz": ("final",)})
    paid = pay(own, TABLES, two)
    assert [s.amount for s in paid.steps if s.share == "ggz"][-2:] == [[5_400, 9_000], [4_800, 7_200]]
    assert paid.lines["ggz", "high_cost_compensation"] == [2_400, 0]
    assert paid.lines["ggz", "high_cost_financing"] == [-600, -1_800]
    # a provisional settlement without it: the weights of annex 2 (art. 16(2)) and no such lines
    early = pay(own, TABLES, two, "first_provisional")
    assert early.lines["ggz", "normative"] == [2_000, 6_000]
    assert ("ggz", "high_cost_compensation") not in early.lines
    assert [share_table(own, "ggz", s) for s in ("ex_ante", "first_provisional", "final")] == ["ggz", "ggz", "ggz_hcc"]


def test_fixed_care_by_history() -> None:
    # B15 8: 6 and 2 euros per insured in 2013, 10 and 30 insured: 60 and 60; macro 300: factor 2.5: 150 and 150
    own, two = rules(fixed_by_history=True), country(history=[F(600), F(200)])
    assert fixed_care(own, two, "ex_ante")[0].amount == [15_000, 15_000]
    # B15 19(2)-(3): the amount of 2014 without a factor, then the cost itself: 60, 60 -> 50, 270
    paid = pay(own, TABLES, two)
    assert paid.lines["fixed", "normative"] == [6_000, 6_000]
    assert paid.lines["fixed", "settled_cost"] == [-1_000, 21_000]
    # B15 8(2): 9,999 insured is too few; the mean is that of all: (50,000 + 30,000)/19,999 and 30,000/10,000
    per = history_per_insured([50_000, 30_000], [F(9_999), F(10_000)])
    assert per == [F(80_000, 19_999), F(3)]


def test_insured_in_detention() -> None:
    # ex ante less 1%: premium 10,000 -> 9,900; own payments 2,500 -> 2,475. Ex post less what was forgone: 700 and 0
    own = rules(detained=F(1, 100))
    before = pay(own, TABLES, country(), "ex_ante").lines
    assert before["premium", "detained"] == [10_000, 30_000]
    assert before["deductible", "detained"] == [2_500, 5_500]
    two = country(premium_forgone=[70_000, 0], own_payments_forgone=[0, 300])
    after = pay(own, TABLES, two).lines
    assert after["premium", "detained"] == [70_000, 0]
    assert after["deductible", "detained"] == [0, 300]
    # B15 23(4): the premium of everybody of 18 and older, one of them in detention, before what is forgone: 11 x 1,000
    two.detained_days = [YEAR, 0]
    assert pay(own, TABLES, two).lines["premium", "calculation_premium"] == [-1_100_000, -3_000_000]
    assert pay(rules(), TABLES, two).lines["premium", "calculation_premium"] == [-1_000_000, -3_000_000]


def test_whole_cents_go_to_the_largest_remainder_and_ties_to_the_first() -> None:
    assert whole_cents([F(1, 2), F(1, 2), F(1)]) == [1, 0, 1]
    assert whole_cents([F(-1, 3), F(4, 3)]) == [0, 1]  # floors -1 and 1, remainders 2/3 and 1/3, 1 in sum


def test_a_class_is_named_by_the_beginning_of_its_label() -> None:
    share = Share("variable", [criterion("avi", {1: 1, 2: 2, 3: 3})])
    for at, (label, age) in enumerate(
        (("Zelfstandigen, 18–34 jaar", 18), ("Zelfstandigen, 35–44 jaar", 35), ("Overig", 0))
    ):
        share.criteria[0].classes[at].label, share.criteria[0].classes[at].age_min = label, age
    assert class_codes(share, "avi", "Zelfstandigen") == [1, 2]
    assert class_codes(share, "avi", "Zelfstandigen", age_min=35) == [2]
    with pytest.raises(ValueError, match="are the classes"):
        class_codes(share, "avi", "Studenten")


@pytest.mark.parametrize("seed", range(40))
def test_lines_sum_to_within_a_cent_of_each_cumulative_amount(seed: int) -> None:
    rng = random.Random(seed)
    n = rng.choice((1, 2, 5, 25))
    two = country(
        shares={
            "variable": ShareDays(
                [years(age_sex={1: rng.randint(0, 9)}, dkg={0: rng.randint(0, 9), 1: 2}) for _ in range(n)],
                cost=[rng.randint(0, 99_999) for _ in range(n)],
            ),
            "ggz": ShareDays(
                [years(ggz_age_sex={1: 1}) for _ in range(n)], cost=[rng.randint(0, 999) for _ in range(n)]
            ),
        },
        deductible=[{}] * n,
        forfait_days=[rng.randint(0, 999) for _ in range(n)],
        days=[rng.randint(1, 9_999) for _ in range(n)],
        adult_days=[rng.randint(1, 9_999) for _ in range(n)],
        under_18=[1] * n,
        cost_fixed=[rng.randint(0, 99) for _ in range(n)],
    )
    paid = pay(rules(bands={"variable": Band(F(1), F(1, 3))}), TABLES, two)
    for name in ("variable", "ggz", "fixed"):
        running = [0] * n
        for step in (s for s in paid.steps if s.share == name):
            running = [r + c for r, c in zip(running, paid.lines[name, step.item], strict=True)]
            assert all(abs(r - a) < 1 for r, a in zip(running, step.amount, strict=True))
