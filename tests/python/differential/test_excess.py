"""`_core.excess`, the compensated high cost of persons, against the second implementation."""

from __future__ import annotations

import dataclasses
import random
from fractions import Fraction

import numpy as np
import pytest
from reference.payment import high_cost_threshold
from reference.payment_steps import excess_of_persons

from anderhalf import _core
from anderhalf.model import HighCost, load_model

pytestmark = pytest.mark.oracle

TWO_STEPS = [(Fraction(40_000_000), Fraction(3, 4)), (Fraction(125_000_000), Fraction(9, 10))]
"""2026, somatic care: 75% above EUR 400,000 and 90% above 1,250,000 (facts 2.6)."""


def persons(rng: random.Random, insurers: int) -> tuple[list[dict[int, int]], list[int]]:
    costs, represents = [], []
    for _ in range(rng.choice((1, 400, 600))):
        own = {
            rng.randrange(insurers): rng.choice((0, 5_000, 300_000, 50_000_000, 200_000_001)) + rng.randint(-900, 900)
        }
        if rng.random() < 0.2:
            own[rng.randrange(insurers)] = rng.randint(-40_000, 60_000_000)
        costs.append(own)
        represents.append(rng.choice((1, 1, 2, 40)))
    return costs, represents


def core_excess(
    name: str, share: str, rows: tuple[HighCost, ...], costs: list[dict[int, int]], represents: list[int], insurers: int
) -> _core.Excess:
    model = dataclasses.replace(load_model(name), high_cost=rows)
    table = [(p, i, c, represents[p]) for p, own in enumerate(costs) for i, c in own.items()]
    person, insurer, cost, number = (list(column) for column in zip(*table, strict=True))
    return _core.excess(
        model.core,
        share,
        np.array(person, dtype=np.uint64),
        np.array(insurer, dtype=np.int64),
        np.array(cost, dtype=np.int64),
        np.array(number, dtype=np.int64),
        insurers,
    )


def close(core: list[int], exact: list[Fraction], represents: list[int]) -> bool:
    """Rounded down in millionths of a cent for each person and insurer, times the insured that the row stands for."""
    return all(abs(c - x * 1_000_000) <= sum(represents) for c, x in zip(core, exact, strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_two_steps_of_a_threshold_in_euros(seed: int) -> None:
    rng = random.Random(seed)
    insurers = rng.randint(1, 5)
    costs, represents = persons(rng, insurers)
    rows = tuple(HighCost("variable", 0, int(t), int(part * 1_000_000), "") for t, part in TWO_STEPS)
    core = core_excess("nl-2026-structural", "variable", rows, costs, represents, insurers)
    exact = excess_of_persons(costs, represents, TWO_STEPS, insurers)
    assert close(list(core.per_insurer), exact, represents)
    assert list(core.threshold) == [40_000_000, 125_000_000]


@pytest.mark.parametrize(("name", "part"), [("nl-2020", Fraction(3, 4)), ("nl-2021", Fraction(9, 10))])
def test_the_threshold_of_half_a_percent_of_users(name: str, part: Fraction) -> None:
    assert [(h.share, h.top_per_myriad, h.ppm) for h in load_model(name).high_cost] == [("ggz", 50, part * 1_000_000)]
    above = 0
    for seed in range(60):
        rng = random.Random(seed)
        insurers = rng.randint(1, 5)
        costs, represents = persons(rng, insurers)
        total = {p: Fraction(sum(own.values())) for p, own in enumerate(costs)}
        threshold = high_cost_threshold(total, dict(enumerate(represents)), 50)
        core = core_excess(name, "ggz", load_model(name).high_cost, costs, represents, insurers)
        exact = [Fraction(0)] * insurers
        if threshold is not None:
            exact = excess_of_persons(costs, represents, [(threshold, part)], insurers)
            assert list(core.threshold) == [threshold]
        assert close(list(core.per_insurer), exact, represents)
        above += any(exact)
    assert above > 10
