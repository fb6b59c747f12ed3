"""Several programmes at once: order, overlap, threads, and who takes part."""

from __future__ import annotations

import random
from typing import Any

import programme_bridge
import pytest
import test_random_scenarios as drawn
from reference.cases import random_case
from reference.country import Category, Country, Mapping, Model, year_of
from reference.programmes import Consequence, Programme, Rule, Selector

from anderhalf import _core
from anderhalf.errors import AnderhalfError

HORIZON = 3


def world(seed: int, **options: Any) -> tuple[Any, Country, Model, Mapping, list[int], int]:
    country, model, mapping = random_case(seed, persons=(10, 30), insurers=(2, 5), years=6 + HORIZON)
    insurers = sorted({r.insurer for r in country.records})
    start = model.year - HORIZON + 1
    base, _ = programme_bridge.baseline(
        country,
        model,
        mapping,
        start,
        HORIZON,
        model.year - 5 - HORIZON,
        expected_counts=_core.ExpectedCounts.actual,
        **options,
    )
    return base, country, model, mapping, insurers, start


def simulated(base: Any, programmes: list[Any], **more: Any) -> Any | None:
    """None for a share that cannot be paid."""
    try:
        return programme_bridge.simulate(base, programmes, decompose=True, **more)
    except AnderhalfError as error:
        if not any(text in str(error) for text in drawn.REFUSALS):
            raise
        return None


def without_place(outcome: Any, order: list[int]) -> list[tuple[Any, ...]]:
    """Movements with the position that a programme has in the first list."""
    return sorted((*m[:10], order[m[10]], m[11]) for m in outcome.movements)


@pytest.mark.threads
def test_one_two_and_seven_threads_give_the_same_bits() -> None:
    compared = 0
    for seed in range(110_001, 110_041):
        found = None
        for threads in (1, 2, 7):
            try:
                base, _, o, insurers, mapping = drawn.world(seed, threads)
                programmes = drawn.programmes_of(random.Random(seed), mapping, insurers, o.start)
            except AnderhalfError:
                break
            outcome = simulated(base, programmes, threads=threads)
            if outcome is None:
                break
            ledger = _core.ledger(outcome, [(p.avoidable_ppm, 3) for p in programmes])
            seen = (outcome.years, outcome.movements, outcome.classes, ledger)
            assert found is None or seen == found, (seed, threads)
            found = seen
        else:
            compared += 1
    assert compared > 25


@pytest.mark.invariant
def test_programmes_on_different_claims_may_come_in_any_order() -> None:
    """Disjoint by category of claims; where they meet only in a person, each finds the claims of the baseline."""
    compared = 0
    for seed in range(111_000, 111_040):
        base, _, _, mapping, _, start = world(seed)
        rng = random.Random(seed)
        groups = ([Category.hospital], [Category.drugs, Category.devices], [Category.ggz, Category.nursing])
        programmes = []
        for k, group in enumerate(groups):
            rules = [programme_bridge.random_rule(rng, mapping, f"rule {j}") for j in range(2)]
            for rule in rules:
                rule.claims.categories = [int(c) for c in group]
                rule.who.has = rule.who.has_not = None
            programmes.append(programme_bridge.core_programme(Programme(20 + k, start, rules), f"programme {k}"))
        one = simulated(base, programmes)
        if one is None:
            continue
        for order in ([2, 1, 0], [1, 2, 0]):
            other = simulated(base, [programmes[k] for k in order])
            assert without_place(other, order) == without_place(one, [0, 1, 2])
            for a, b in zip(one.years, other.years, strict=True):
                for part in ("baseline", "scenario", "forward", "reverse", "criteria", "weight_change"):
                    assert a[part] == b[part], (seed, part)
        compared += bool(one.movements)
    assert compared > 25


@pytest.mark.invariant
def test_a_programme_twice_takes_a_claim_once() -> None:
    """Two programmes that replace all hospital claims by others do what one of them does; the second finds nothing."""
    compared = 0
    for seed in range(112_000, 112_040):
        base, _, _, _, _, start = world(seed)
        other = Consequence(int(Category.hospital), 20_000, effect="replacement")
        take = [Rule("take", Selector([int(Category.hospital)]), act="replace", consequences=[other])]
        both = [programme_bridge.core_programme(Programme(k, start, take)) for k in (31, 32)]
        one, two = simulated(base, both[:1]), simulated(base, both)
        if one is None or two is None:
            continue
        assert one.movements == two.movements
        assert {m[10] for m in two.movements} <= {0}
        for a, b in zip(one.years, two.years, strict=True):
            assert a["scenario"] == b["scenario"]
            assert a["forward"] == b["forward"]
        compared += bool(one.movements)
    assert compared > 25


@pytest.mark.invariant
def test_half_by_one_programme_and_the_rest_by_another_is_all_of_it() -> None:
    """Overlap: whatever the first left is there for the second, and what it took is not."""
    compared = 0
    for seed in range(113_000, 113_020):
        base, country, _, _, _, start = world(seed)
        half = Rule("half", Selector([int(Category.hospital)]), share_ppm=500_000)
        rest = Rule("rest", Selector([int(Category.hospital)]))
        outcome = simulated(
            base, [programme_bridge.core_programme(Programme(41 + k, start, [r])) for k, r in enumerate((half, rest))]
        )
        if outcome is None:
            continue
        represented = {(r.person, r.first_day): r.represents for r in country.records}
        of = {p: n for (p, _), n in represented.items()}
        claimed = {}
        for c in country.claims:
            year = year_of(c.opened)
            if c.category == Category.hospital and c.claimed_cents > 0 and year >= start:
                claimed[year] = claimed.get(year, 0) + c.claimed_cents * of[c.person]
        for year in outcome.years:
            moved = [m for m in outcome.movements if m[0] == year["year"]]
            assert -sum(m[8] for m in moved) == claimed.get(year["year"], 0)
            change = sum(year["scenario"]["claims"]) - sum(year["baseline"]["claims"])
            assert change == sum(m[7] for m in moved)
            compared += {m[10] for m in moved} == {0, 1}
    assert compared > 20


# Adoption --------------------------------------------------------------------------------------------------------


def taking_part(base: Any, start: int, rules: list[Rule], insurers: list[int], municipalities: list[int]) -> Any:
    p = Programme(50, start, rules, insurers=insurers, municipalities=municipalities)
    return simulated(base, [programme_bridge.core_programme(p)])


@pytest.mark.invariant
def test_only_the_claims_of_those_who_take_part_move_one_a_set_or_all() -> None:
    """One insurer, a set, a region, all: the parts of a partition of insurers or of places make up the whole."""
    compared = 0
    for seed in range(114_000, 114_030):
        base, _, _, mapping, insurers, start = world(seed)
        rng = random.Random(seed)
        rules = [programme_bridge.random_rule(rng, mapping, f"rule {j}") for j in range(3)]
        for rule in rules:
            rule.act = "avoid" if rule.act == "add" else rule.act  # added demand falls on one insurer of several
            rule.who.has = rule.who.has_not = None
        everybody = taking_part(base, start, rules, [], [])
        if everybody is None:
            continue
        some = sorted(rng.sample(insurers, rng.randint(1, len(insurers))))
        rest = [i for i in insurers if i not in some]
        here = sorted(rng.sample(programme_bridge.MUNICIPALITIES, 4))
        there = [m for m in programme_bridge.MUNICIPALITIES if m not in here]
        by_insurer = [(some, []), (rest, [])] if rest else [(some, [])]
        by_area = [([], here), ([], there)]
        for parts in (by_insurer, by_area, [([i], []) for i in insurers]):
            outcomes = [taking_part(base, start, rules, *part) for part in parts]
            for (who, _), outcome in zip(parts, outcomes, strict=True):
                assert not who or {m[1] for m in outcome.movements} <= set(who)
            for what in (6, 7, 8):
                together = sum(m[what] for o in outcomes for m in o.movements)
                assert together == sum(m[what] for m in everybody.movements), seed
        compared += bool(everybody.movements)
    assert compared > 20
