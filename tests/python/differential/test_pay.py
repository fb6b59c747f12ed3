"""`_core.pay` against the second implementation: every line of every insurer, every weight, in cents and micro-euro.

60 random countries for each model year, ex ante and ex post, in both ways of rounding; one in four with the
provisional settlements. ANDERHALF_COUNTRIES asks for more (`tools/soak payments`: 1,000). No tolerance: one cent fails.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from payment_bridge import MODELS, as_counts, columns, core_pay, lines_of, tables_of
from reference.payment import Undefined, round_half
from reference.payment_country import random_country, random_expected
from reference.payment_rules import STAGES, Band, Rules, rules_of, rules_of_structure
from reference.payment_steps import Country, Days, Paid, ShareDays, counts_of, normative, pay, share_table

from anderhalf.errors import DomainError
from anderhalf.model import AbroadWeight, Model, load_model

pytestmark = pytest.mark.oracle

COUNTRIES = int(os.environ.get("ANDERHALF_COUNTRIES", "60"))
BLOCK = 20
BLOCKS = [(name, first) for name in MODELS for first in range(0, COUNTRIES, BLOCK)]
Expected = dict[str, tuple[Days, int]]


@functools.cache
def law(name: str) -> tuple[Model, Rules]:
    model = load_model(name)
    return model, rules_of(name, tables_of(model))


def stages(seed: int) -> tuple[str, ...]:
    """The provisional settlements in one country of four."""
    return STAGES if seed % 4 == 0 else ("ex_ante", "final")


def case(name: str, seed: int, stage: str) -> tuple[Model, Rules, Country, Expected | None]:
    model, rules = law(name)
    rng = random.Random(f"{name} {seed} {stage}")
    country = random_country(rng, rules, tables_of(model), stage)
    expected = random_expected(rng, rules, country) if stage != "ex_ante" and rng.random() < 0.8 else None
    return model, rules, country, expected


def reference(
    model: Model, rules: Rules, country: Country, stage: str, mode: str, expected: Expected | None
) -> Paid | None:
    """None where the law has no amount: a quotient without a denominator."""
    try:
        ahead = None if expected is None else as_counts(expected)
        return pay(rules, tables_of(model), country, stage, mode=mode, expected=ahead)
    except Undefined:
        return None


@pytest.mark.parametrize(("name", "first"), BLOCKS)
def test_every_line_and_every_weight_is_that_of_the_second_implementation(name: str, first: int) -> None:
    for seed in range(first, first + BLOCK):
        for stage in stages(seed):
            model, rules, country, expected = case(name, seed, stage)
            gaps: dict[str, Fraction] = {}
            for mode in ("exact", "legal"):
                where = (name, seed, stage, mode)
                paid = reference(model, rules, country, stage, mode, expected)
                if paid is None:
                    with pytest.raises(DomainError):
                        core_pay(model, rules, country, stage, mode, expected)
                    continue
                statement = core_pay(model, rules, country, stage, mode, expected)
                wanted = {key: cents for key, cents in paid.lines.items() if any(cents)}
                assert lines_of(statement) == wanted, where
                assert list(statement.contribution) == paid.contribution, where
                _compare_shares(statement, paid, tables_of(model), rules, stage, where, gaps)
                gaps = {share: own.rounding_gap for share, own in paid.shares.items()}


def _compare_shares(
    statement: Any,
    paid: Paid,
    tables: dict[str, Any],
    rules: Rules,
    stage: str,
    where: tuple[str, int, str, str],
    gaps: dict[str, Fraction],
) -> None:
    """`gaps`: what rounding to millionths of a euro adds to the normative amounts; the core counts from there."""
    shares = {s.name: s for s in statement.shares}
    for name in (*rules.shares, "deductible"):
        core, own = shares[name], paid.shares[name]
        table = tables[share_table(rules, name, stage)]
        weights = list(core.weights)
        if name == "deductible":
            assert weights.pop() == 10_000 * (rules.forfait if stage == "ex_ante" else rules.forfait_ex_post), where
        assert weights == [own.weights[column] * 10_000 for column in columns(table)], (*where, name)
        assert core.target == own.target, (*where, name)
        assert core.factor == pytest.approx(float(own.factor), rel=1e-14), (*where, name)
        if name != "deductible":
            assert core.macro_gap == own.macro_gap, (*where, name)
        gap = own.rounding_gap - gaps[name] if where[-1] == "legal" else Fraction(0)
        assert core.rounding_gap == round_half(gap), (*where, name)


STRUCTURES = (
    "nl-2022-structural",
    "nl-2023-structural",
    "nl-2024-structural",
    "nl-2025-structural",
    "nl-2026-structural",
)


def weighted(rng: random.Random, model: Model) -> Model:
    """The model with weights of our own in every class, in whole cents: these years have no official ones."""

    def share(own: Any) -> Any:
        criteria = []
        for criterion in own.criteria:
            level = (1_000, 4_000) if criterion.name.endswith("age_sex") else (-300, 20_000)
            classes = tuple(
                dataclasses.replace(
                    k, weight=10_000 * (rng.randint(*level) * 100 if k.code else -rng.randint(0, 9_999))
                )
                for k in criterion.classes
            )
            criteria.append(dataclasses.replace(criterion, classes=classes))
        return dataclasses.replace(own, criteria=tuple(criteria))

    changed = {name: share(getattr(model, name)) for name in ("variable", "ggz", "ggz_hcc", "deductible")}
    return dataclasses.replace(model, **changed, weighted=True)


@pytest.mark.parametrize("name", STRUCTURES)
def test_bandwidth_and_high_cost_compensation_of_2022_to_2026_in_any_share(name: str) -> None:
    """phi of 0.30, a bandwidth per insured before the flat step that all adults pay, compensation in two shares."""
    moved: dict[str, int] = {}
    for seed in range(max(12, COUNTRIES // 8)):
        rng = random.Random(f"{name} {seed}")
        model = weighted(rng, load_model(name))
        rules = rules_of_structure(model, 365 + (model.year % 4 == 0))
        for stage in STAGES:
            country = random_country(rng, rules, tables_of(model), stage)
            expected = random_expected(rng, rules, country) if stage != "ex_ante" else None
            for mode in ("exact", "legal"):
                paid = reference(model, rules, country, stage, mode, expected)
                if paid is None:
                    with pytest.raises(DomainError):
                        core_pay(model, rules, country, stage, mode, expected)
                    continue
                lines = lines_of(core_pay(model, rules, country, stage, mode, expected))
                assert lines == {key: cents for key, cents in paid.lines.items() if any(cents)}, (name, seed, stage)
                for share, item in lines:
                    moved[f"{share} {item}"] = moved.get(f"{share} {item}", 0) + 1
                if ("variable", "bandwidth") in lines:
                    assert sum(lines["variable", "bandwidth"]) == 0  # financed: the insurers pay it among themselves
    wanted = {f"{share} bandwidth" for share in rules.bands} | {f"{share} high_cost_financing" for share in rules.hcc}
    assert wanted <= set(moved), moved


@pytest.mark.parametrize("name", ["nl-2019", "nl-2021"])
def test_a_percentage_abroad_holds_in_every_kind_of_neutrality(name: str) -> None:
    """2019-2021 print no percentages (art. 6): with those of 2015, in class totals, offset and zero sum."""
    parts = {
        "fkg": 55,
        "dkg": 50,
        "dkg_primary": 50,
        "dkg_secondary": 45,
        "hkg": 65,
        "fdg": 30,
        "ggz_fkg": 50,
        "ggz_dkg": 40,
    }
    abroad = tuple(AbroadWeight(criterion, 10_000 * percent) for criterion, percent in parts.items())
    model = dataclasses.replace(law(name)[0], abroad=abroad)
    rules = dataclasses.replace(law(name)[1], abroad={c: Fraction(percent, 100) for c, percent in parts.items()})
    compared = 0
    for seed in range(24):
        rng = random.Random(f"abroad {name} {seed}")
        country = random_country(rng, rules, tables_of(model), "final")
        expected = random_expected(rng, rules, country)
        for mode in ("exact", "legal"):
            paid = reference(model, rules, country, "final", mode, expected)
            if paid is None:
                continue
            lines = lines_of(core_pay(model, rules, country, "final", mode, expected))
            assert lines == {key: cents for key, cents in paid.lines.items() if any(cents)}, (seed, mode)
            compared += any(any(own.values()) for own in country.shares["variable"].abroad)
    assert compared > 12


# Sums, from the statement and the class totals alone ---------------------------------------------------------------


def _target(rules: Rules, name: str, country: Country, weights: dict[tuple[str, int], Fraction]) -> Fraction:
    """C - phi (C - N'), section 6; N of the weights that were used."""
    share = country.shares[name]
    total = sum(normative(counts_of(share, rules), weights), Fraction(0))
    macro = rules.macro[name]
    return sum(share.cost) - rules.phi[name] * (sum(share.cost) - total * (macro + rules.flanking.get(name, 0)) / macro)


@pytest.mark.parametrize("name", MODELS)
def test_shares_of_a_thousand_countries_sum_to_their_targets_to_the_cent(name: str) -> None:
    """200 a model year, five model years, both ways of rounding."""
    tables, closed = tables_of(law(name)[0]), 0
    for seed in range(200):
        model, rules, country, expected = case(name, seed, "final")
        for mode in ("exact", "legal"):
            try:
                statement = core_pay(model, rules, country, "final", mode, expected)
            except DomainError:
                continue
            closed += 1
            weights = {s.name: s.weights for s in statement.shares}
            lines = lines_of(statement)
            for share in rules.shares:
                cents = [Fraction(w, 10_000) for w in weights[share]]
                used = dict(zip(columns(tables[share_table(rules, share, "final")]), cents, strict=True))
                own = {item: sum(c) for (s, item), c in lines.items() if s == share}
                band = own.pop("bandwidth", 0)
                assert sum(own.values()) == round_half(_target(rules, share, country, used)), (seed, mode, share)
                assert share in rules.bands or not band
            assert sum(sum(c) for (s, _), c in lines.items() if s == "fixed") == sum(country.cost_fixed)
            assert sum(statement.contribution) == sum(sum(c) for c in lines.values())
    assert closed > 360  # the law has no amount for a country without adults or with a negative normative amount


def test_the_countries_have_every_kind_of_insurer_list() -> None:
    seen: dict[str, int] = {}
    for name in MODELS:
        for seed in range(60):
            days = case(name, seed, "final")[2].days
            kinds = {
                "one insurer": len(days) == 1,
                "an empty one": len(days) > 1 and 0 in days,
                "one person": len(days) == 1 and days[0] <= 366,
                "twenty-five": len(days) == 25,
                "a country": sum(days) > 10_000_000 * 365,
            }
            for kind, there in kinds.items():
                seen[kind] = seen.get(kind, 0) + there
    assert min(seen.values()) >= 10, seen


# The law, transcribed twice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_the_rules_of_both_transcriptions_agree(name: str) -> None:
    model, rules = law(name)

    def key(rule: Any) -> tuple[Any, ...]:
        share = rule.share.removesuffix("_hcc").removesuffix("_ex_post")
        return share, rule.criterion, str(rule.rule), tuple(sorted(rule.reset)), tuple(sorted(rule.of))

    assert sorted(map(key, rules.neutrality)) == sorted({key(r) for r in model.neutrality})
    assert (rules.premium, rules.administration) == (model.calculation_premium, model.administration_under_18)
    assert (rules.forfait, rules.forfait_ex_post) == (model.forfait, model.forfait_ex_post or model.forfait)
    macro = {n: getattr(model, f"macro_{n}") for n in ("variable", "fixed", "ggz", "nursing")}
    assert rules.macro == {n: cents for n, cents in macro.items() if cents}
    phi = {n: Fraction(getattr(model, f"flat_ppm_{n}"), 1_000_000) for n in rules.shares}
    assert rules.phi == phi


# Invariants of section 12.3 ---------------------------------------------------------------------------------------


def merged(country: Country, a: int, b: int) -> Country:
    """Insurer b taken over by a."""

    def add(x: Any, y: Any) -> Any:
        return {k: x.get(k, 0) + y.get(k, 0) for k in x | y} if isinstance(x, dict) else x + y

    def both(values: list[Any]) -> list[Any]:
        if not values:
            return values
        joined = [add(v, values[b]) if i == a else v for i, v in enumerate(values)]
        return joined[:b] + joined[b + 1 :]

    years = [Fraction(d) for d in country.days]
    history = both([h * n for h, n in zip(country.history, years, strict=False)])
    rest = {
        f: both(getattr(country, f))
        for f in (
            "deductible",
            "forfait_days",
            "days",
            "adult_days",
            "under_18",
            "cost_fixed",
            "own_payments",
            "detained_days",
            "premium_forgone",
            "own_payments_forgone",
        )
    }
    shares = {
        n: ShareDays(both(s.days), both(s.abroad), both(s.cost), both(s.excess)) for n, s in country.shares.items()
    }
    per = [h / n if n else Fraction(0) for h, n in zip(history, rest["days"], strict=False)]
    return Country(shares=shares, history=per, **rest)


def several(name: str, seeds: range) -> list[tuple[Model, Rules, Country, Expected | None]]:
    found = [case(name, seed, "final") for seed in seeds]
    return [c for c in found if len(c[2].days) > 2]


@pytest.mark.parametrize("name", MODELS)
def test_merging_or_splitting_insurers_leaves_the_others_unchanged(name: str) -> None:
    """Exact before rounding; a cent per line and share after. Not with bandwidth rules, which are left out here."""
    compared = 0
    for model, own_rules, country, expected in several(name, range(60)):
        rules = dataclasses.replace(own_rules, bands={})
        paid = reference(model, rules, country, "final", "exact", expected)
        if paid is None:
            continue
        country.history = []  # per insured in whole cents, which a merger does not keep
        a, b = random.Random(len(country.days)).sample(range(len(country.days)), 2)
        one = merged(country, a, b)
        apart, joined = (
            reference(model, rules, c, "final", "exact", expected) or pytest.fail("undefined") for c in (country, one)
        )
        others = [i for i in range(len(country.days)) if i not in (a, b)]
        where = {i: i - (i > b) for i in others}
        for before, after in zip(apart.steps, joined.steps, strict=True):
            for i in others:
                assert before.amount[i] == after.amount[where[i]], (before.share, before.item)
            assert before.amount[a] + before.amount[b] == after.amount[a - (a > b)]
        old, new = (running(core_pay(model, rules, c, "final", "exact", expected)) for c in (country, one))
        for key, amounts in old.items():
            if key[0] not in own_rules.bands or key[1] != "bandwidth":
                assert all(abs(amounts[i] - new[key][where[i]]) <= 1 for i in others), key
                compared += len(others)
    assert compared > 1_000


def running(statement: Any) -> dict[tuple[str, str], list[int]]:
    """Cumulative cents after each item of each share."""
    total: dict[str, np.ndarray] = {}
    result = {}
    for line in statement.lines:
        total[line.share] = total.get(line.share, 0) + np.array(line.cents)
        result[line.share, line.item.name] = total[line.share].tolist()
    return result


def reordered(country: Country, order: list[int]) -> Country:
    def pick(values: list[Any]) -> list[Any]:
        return [values[i] for i in order] if values else values

    shares = {
        n: ShareDays(pick(s.days), pick(s.abroad), pick(s.cost), pick(s.excess)) for n, s in country.shares.items()
    }
    rest = {f: pick(v) for f, v in vars(country).items() if f != "shares"}
    return Country(shares=shares, **rest)


@pytest.mark.parametrize("name", MODELS)
def test_another_order_of_insurers_moves_only_cents_that_tie(name: str) -> None:
    same = moved = 0
    for at, (model, rules, country, expected) in enumerate(several(name, range(60))):
        order = list(range(len(country.days)))
        random.Random(at).shuffle(order)
        try:
            old = running(core_pay(model, rules, country, "final", "exact", expected))
        except DomainError:
            continue
        new = running(core_pay(model, rules, reordered(country, order), "final", "exact", expected))
        for key, amounts in old.items():
            for j, i in enumerate(order):
                assert abs(new[key][j] - amounts[i]) <= 1, key
                same, moved = same + (new[key][j] == amounts[i]), moved + (new[key][j] != amounts[i])
    assert same > 20 * moved


SHIFTED = {
    "nl-2015": ("avi", "hkg"),
    "nl-2019": ("hkg", "dkg_primary"),
    "nl-2020": ("hkg", "dkg_secondary"),
    "nl-2021": ("ppa", "mhk"),
    "nl-2021-structural": ("ppa", "mhk"),
}
"""A criterion of one class an insured that no rule of neutrality touches, and one that a rule does."""


@pytest.mark.parametrize("name", MODELS)
def test_a_shift_between_a_criterion_and_age_and_sex_never_changes_a_payment(name: str) -> None:
    """Ex ante for every criterion of one class an insured; ex post where no rule of neutrality sets the level."""
    model, rules = law(name)
    free, ruled = SHIFTED[name]
    assert free not in [r.criterion for r in rules.neutrality]
    rng = random.Random(name)
    for stage, criterion in (("ex_ante", free), ("ex_ante", ruled), ("final", free)):
        shifted = _shifted(model, criterion, 12_340_000)
        country = _one_class_each(rng, model, rules, stage)
        old, new = (core_pay(m, rules, country, stage) for m in (model, shifted))
        assert list(old.contribution) == list(new.contribution), (stage, criterion)
    country = _one_class_each(rng, model, rules, "final")
    old, new = (core_pay(m, rules, country, "final") for m in (model, _shifted(model, ruled, 12_340_000)))
    if next(r for r in rules.neutrality if r.criterion == ruled).rule == "zero_sum":
        # art. 11 sets the level itself: a sum of zero before and after, so that what age and sex lose is lost
        assert list(old.contribution) != list(new.contribution)


def _shifted(model: Model, criterion: str, micro: int) -> Model:
    def share(own: Any) -> Any:
        by = {criterion: micro, "age_sex": -micro}
        criteria = tuple(
            dataclasses.replace(
                c,
                classes=tuple(dataclasses.replace(k, weight=k.weight + by.get(c.name, 0)) for k in c.classes),
            )
            for c in own.criteria
        )
        return dataclasses.replace(own, criteria=criteria)

    return dataclasses.replace(model, variable=share(model.variable), variable_ex_post=share(model.variable_ex_post))


def _one_class_each(rng: random.Random, model: Model, rules: Rules, stage: str) -> Country:
    """Four insurers, everybody at home with one class in each criterion of the variable share."""
    while True:
        country = random_country(rng, rules, tables_of(model), stage)
        if len(country.days) > 2 and sum(country.days) > 10**6:
            break
    share = country.shares["variable"]
    share.days, share.abroad = [], []
    for days in country.days:
        own: Days = {}
        for criterion in model.variable.criteria:
            left = days
            for k in criterion.classes[1:]:
                own[(criterion.name, k.code)] = part = rng.randint(0, left // 3)
                left -= part
            own[(criterion.name, criterion.classes[0].code)] = left
        share.days.append(own)
    return country


@pytest.mark.parametrize("name", MODELS)
def test_the_printed_weight_of_none_is_without_effect_where_the_criterion_is_made_to_sum_to_zero(name: str) -> None:
    model, rules = law(name)
    ruled = {"nl-2015": "mhk", "nl-2019": "mvv", "nl-2020": "", "nl-2021": "mvv", "nl-2021-structural": "hkg"}[name]
    if not ruled:
        assert not [r for r in rules.neutrality if r.share == "variable" and r.rule == "zero_sum"]
        return
    at = [c.name for c in model.variable.criteria].index(ruled)
    criteria = list(model.variable.criteria)
    none, *others = criteria[at].classes
    changed = (dataclasses.replace(none, weight=-999_000_000), *others)
    criteria[at] = dataclasses.replace(criteria[at], classes=changed)
    other = dataclasses.replace(model, variable=dataclasses.replace(model.variable, criteria=tuple(criteria)))
    country = _one_class_each(random.Random(name), model, rules, "final")
    old, new = (core_pay(m, rules, country, "final") for m in (model, other))
    assert list(old.contribution) == list(new.contribution)
    assert lines_of(old)["variable", "neutrality"] != lines_of(new)["variable", "neutrality"]


@pytest.mark.parametrize("name", MODELS)
def test_a_bandwidth_is_what_stops_a_merger_from_leaving_the_others_alone(name: str) -> None:
    """With bands, two that merge pool their results; the exact amounts of the others differ when the mean does not."""
    model, own_rules = law(name)
    rules = dataclasses.replace(own_rules, bands=dict.fromkeys(own_rules.shares, BAND))
    pooled = others_moved = 0
    for seed in range(60):
        _, _, country, expected = case(name, seed, "final")
        if len(country.days) < 3:
            continue
        country.history = []
        apart = reference(model, rules, country, "final", "exact", expected)
        joined = reference(model, rules, merged(country, 0, 1), "final", "exact", expected)
        if apart is None or joined is None:
            continue
        pooled += apart.exact[0] + apart.exact[1] != joined.exact[0]
        others_moved += apart.exact[2:] != joined.exact[1:]
    assert pooled > 5
    assert others_moved == 0  # the mean of all is that of all; a financed bandwidth would move them


BAND = Band(Fraction(5), Fraction(9, 10))


def test_the_time_and_the_threads_of_a_payment_do_not_matter() -> None:
    """pay is a function of its arguments: called from four threads at once, over and over, the same statement."""
    model, rules, country, expected = next(iter(several("nl-2021", range(20))))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: core_pay(model, rules, country, "final", "legal", expected), range(24)))
    assert len({str([list(line.cents) for line in run.lines]) for run in runs}) == 1
