"""Programmes of rules, several at once, under contracts: the core against tests/reference/programmes.py, to the cent.

The second implementation changes the claims of a drawn country and groups and pays it anew, year by year; the core
does the same by small deltas. Compared are the movements of claims, class totals and settlement of both arms.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import bridge
import programme_bridge
import pytest
from reference.cases import random_case
from reference.country import Country, Mapping, Model, from_dict, to_dict
from reference.groupers import class_rows
from reference.moments import assign_claims
from reference.payment import Undefined, ex_post, realised_cost
from reference.programmes import EFFECTS, Programme, World

from anderhalf.errors import DomainError

pytestmark = pytest.mark.oracle

HORIZON = 3
SHARES = ("variable", "ggz", "fixed")


def drawn(seed: int, contracts: bool = True) -> tuple[Country, Model, Mapping, list[Programme], int]:
    """A country of nine years, programmes in the last three."""
    country, model, mapping = random_case(
        seed, persons=(8, 30), insurers=(1, 4), years=6 + HORIZON, abroad=seed % 4 == 0
    )
    rng = random.Random(seed + 1)
    start = model.year - HORIZON + 1
    insurers = sorted({r.insurer for r in country.records})
    return country, model, mapping, programme_bridge.random_programmes(rng, mapping, insurers, start, contracts), start


def of_year(model: Model, year: int) -> Model:
    other = from_dict(Model, to_dict(model))
    other.year = year
    return other


def movements_of(world: World) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    """Represented claims and cents per year, insurer, product, effect, category, programme and rule."""
    total: dict[tuple[Any, ...], list[int]] = {}
    for m in world.movements:
        key = (m.year, m.insurer, m.specialism, m.consult, m.effect, m.category, m.programme, m.rule)
        sums = total.setdefault(key, [0, 0, 0])
        for k, value in enumerate((1, m.settled, m.claimed)):
            sums[k] += value * m.represents
    return {k: tuple(v) for k, v in total.items()}


def core_movements(outcome: Any) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    found = {}
    for y, i, specialism, consult, effect, category, claims, settled, claimed, _, programme, rule in outcome.movements:
        key = (y, i, specialism, consult, EFFECTS[effect], category, programme, rule)
        assert key not in found
        found[key] = (claims, settled, claimed)
    return found


def compare(seed: int, contracts: bool) -> Counter[str]:
    country, model, mapping, programmes, start = drawn(seed, contracts)
    first = model.year - 5 - HORIZON
    insurers = sorted({r.insurer for r in country.records})
    base, _ = programme_bridge.baseline(country, model, mapping, start, HORIZON, first)
    cores = [programme_bridge.core_programme(p) for p in programmes]
    world = World(country, programmes, start, model.year, _seed(base))
    seen: Counter[str] = Counter(m.effect for m in world.movements)
    seen["falls"] = len(world.falls)
    try:
        outcome = programme_bridge.simulate(base, cores)
    except DomainError as error:  # a share that cannot be paid
        if not any(text in str(error) for text in ("normative amount", "sum of amounts")):
            raise
        seen["refused"] += 1
        return seen
    assert core_movements(outcome) == movements_of(world)
    for year in outcome.years:
        law = of_year(model, year["year"])
        seen.update(check_arm(year["scenario"], world.changed, law, mapping, insurers))
        if seed % 5 == 0:
            seen.update(check_arm(year["baseline"], country, law, mapping, insurers))
    return seen


def check_arm(
    theirs: dict[str, Any], country: Country, model: Model, mapping: Mapping, insurers: list[int]
) -> list[str]:
    t = model.year
    rows = class_rows(country, model, mapping, t, bridge.tie)
    claims = assign_claims(country, rows, t)
    try:
        ours = ex_post(rows, claims, model, t, mode="micro")
    except Undefined:
        return ["undefined"]
    cents = ours["cents"]
    names = {"premium": "premium_deducted", "own_payments": "expected_own_payments"}
    for part, own in cents.items():
        assert theirs[names.get(part, part)] == [own.get(i, 0) for i in insurers], (t, part)
    assert theirs["contribution"] == [ours["contribution"].get(i, 0) for i in insurers]
    paid = ours["own_payments"]["realised_total_i"]
    assert theirs["own_payments"] == [paid.get(i, 0) for i in insurers]
    cost = [realised_cost(rows, claims, model, c) for c in SHARES]
    assert theirs["claims"] == [sum(c.get(i, 0) for c in cost) for i in insurers]
    return ["compared"]


def _seed(base: Any) -> int:
    return int(base.options.seed)


@pytest.mark.parametrize("contracts", [False, True], ids=["rules", "contracts"])
def test_programmes_are_those_of_the_second_implementation(contracts: bool) -> None:
    seen: Counter[str] = Counter()
    for seed in range(70_000, 70_150):
        try:
            seen.update(compare(seed, contracts))
        except AssertionError as error:
            raise AssertionError(f"country {seed}: {error}") from error
    assert {"avoided", "replacement", "added", "downstream", "repriced"} <= set(seen)
    assert (seen["price_rebase"] > 10) == contracts
    assert seen["falls"] > 100
    assert seen["compared"] > 400
