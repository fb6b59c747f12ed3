"""model.md 12.5(e): what a small fall of cost costs in MHK, from the distribution of cost alone.

    loss / gross cost fall = density of the treated patients' cost at the threshold
                             x chance that no other year flags x discounted steps

Cost of a year is lognormal, around one of two levels that a person keeps for life; years are independent given the
level. So threshold, density and chance are formulas, and nothing in them was read off the run. The engine takes a
claim of EUR 20 away from 20,000 treated patients in one year, and its channel c1 over the three years after is
compared. Error: 3%, of which 2% is the sampling of about 150 persons on the step (their costs are spread evenly, not
drawn) and the rest the width of the step.
"""

from __future__ import annotations

from math import erf, exp, log, pi, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from plain import START, Plain, bands, born_at, share_of
from reference.country import Category, Criterion, Mapping, RiskClass
from rules import MARK, change, channel, programme, rule, run, selector
from test_new_weights import law

PERSONS = 40_000
LEVELS = {0: log(600.0), 1: log(2_400.0)}
"""Log of the median cost in euros; a quarter of the insured is at the higher level."""
HIGH = 0.25
SPREAD = 0.9
CLAIM_EUR = 20
STEP_EUR = 800
RATE = 0.03
TOP = 0.30


def below(cost: float, level: int) -> float:
    """Share of a level with less cost."""
    return 0.5 * (1 + erf((log(cost) - LEVELS[level]) / SPREAD / sqrt(2))) if cost > 0 else 0.0


def density(cost: float, level: int) -> float:
    return exp(-0.5 * ((log(cost) - LEVELS[level]) / SPREAD) ** 2) / (cost * SPREAD * sqrt(2 * pi))


def line(shift: float) -> float:
    """Threshold of the top share when half of all have `shift` euros on top."""
    low, high = 1.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        share = sum(p * 0.5 * (2 - below(middle, g) - below(middle - shift, g)) for g, p in ((0, 1 - HIGH), (1, HIGH)))
        low, high = (middle, high) if share > TOP else (low, middle)
    return (low + high) / 2


def even(year: int, n: int) -> np.ndarray:
    """n points spread evenly in (0, 1): in order in the year of the programme, by multiples of a root in another
    one."""
    if year == START:
        return (np.arange(n) + 0.5) / n
    root = sqrt((2, 3, 5, 7, 11, 13, 17, 19, 23, 29)[year - START + 6])
    return (0.5 + np.arange(1, n + 1) * root) % 1.0


def country() -> Plain:
    """Insured of two insurers, the first one's treated; per insurer and level a sequence of its own."""
    level = np.arange(PERSONS) % round(1 / HIGH) == 0
    insurer = 1 + (np.arange(PERSONS) // round(1 / HIGH)) % 2
    people = Plain(insurer, born_at(np.full(PERSONS, 30)), range(START - 6, START + 4))
    inverse = NormalDist().inv_cdf
    for year in people.years:
        cents = np.zeros(PERSONS, dtype=int)
        for g in LEVELS:
            for i in (1, 2):
                who = np.flatnonzero((level == g) & (insurer == i))
                z = np.array([inverse(u) for u in even(year, len(who))])
                cents[who] = np.rint(100 * np.exp(LEVELS[g] + SPREAD * z)).astype(int)
        people.care(np.arange(PERSONS), year, Category.gp, cents)
    people.care(np.flatnonzero(insurer == 1), START, Category.gp, CLAIM_EUR * 100, specialism=MARK)
    return people


@pytest.mark.oracle
def test_a_small_fall_of_cost_costs_density_times_chance_times_steps() -> None:
    mhk = Criterion(
        "mhk",
        "single",
        0,
        [RiskClass(0), RiskClass(1, weight=STEP_EUR * 1_000_000, years=1, top_per_myriad=round(TOP * 10_000))],
        data_years=[1, 2, 3],
    )
    model = law(share_of(bands(0, 45), mhk))
    model.neutrality = []
    model.forfait_from_mhk = 9
    for k in model.variable.criteria[0].classes:
        k.weight = 900_000_000
    people = country()
    base, _ = people.baseline(model, Mapping(), expected_counts="actual")
    outcome = run(base, programme(rule("avoid", selector(specialisms=[MARK])), start=START, end_year=START))

    treated = PERSONS // 2
    fall = -change(outcome.years[0], "claims")[0] / 100
    assert fall == treated * CLAIM_EUR
    seen = 0.0
    for k, year in enumerate(outcome.years):
        lost = -channel(year, "c1_classes")[0] / year["baseline"]["variable_factor"] / 100
        seen += lost / (1 + RATE) ** k
        assert (lost > 0) == (k in (1, 2, 3))

    at, usual = line(CLAIM_EUR), line(0)
    steps = STEP_EUR * sum((1 + RATE) ** -k for k in (1, 2, 3))
    per_euro = sum(
        p * density(at - CLAIM_EUR / 2, g) * below(usual, g) ** 2 * steps for g, p in ((0, 1 - HIGH), (1, HIGH))
    )
    assert abs(base.mhk_lines(START)[0] / 100 - at) < 0.002 * at
    assert abs(seen / fall / per_euro - 1) < 0.03, (seen / fall, per_euro)
    assert 0.05 < per_euro < 1
