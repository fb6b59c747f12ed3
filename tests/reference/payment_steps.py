"""Payment of any equalization year from class totals, step by step, in Fractions of cents (section 6).

Written from the texts (`payment_rules`) and model.md alone. Each share is a chain of exact cumulative amounts per
insurer; a line is the difference of two successive amounts, each brought to whole cents by largest remainder.

Readings:
1. Insured years = class days / days of the year (art. 10(1)). An insured abroad counts in class 0 of a criterion with
   a percentage for that percentage, in the normative amount and in neutrality alike (B15 18(2)-(3) and 21(2):
   "waarbij rekening wordt gehouden met het gewicht van de verzekerden woonachtig in het buitenland"). Expected counts
   are given as they count.
2. Steps of a share: normative amount on the printed weights of the stage; neutrality; times C/N; minus phi (C - N')
   a_i; high-cost compensation; its financing in proportion to the shares that result (Bzv 3.12a(4)); bandwidth. N' is
   N brought to the macro amount with the flanking policy, N (M + f)/M: the corrected "geraamde kosten" of Bzv 1bb and
   3.11(4). It only tells in the flat step: C/N with the weights' ratios (R15 11(2)) leaves the distribution of C as
   it was.
3. C/N of a share without normative amount and without cost is 1; with cost, or below zero, it is undefined. The flat
   step needs adults only when there is something to divide.
4. Bandwidth, Bzv 3.17: result per insured adult minus the mean of all insurers, what lies beyond the amount times the
   percentage, taken off above and added below. B15 23(2)-(3) and 31(2)-(3) word the lower side in four ways (with
   "5,-" for "-5,00", "het verschil" for what lies beyond it, in 23(3)d without the mean, in 31(3)b with the
   paragraphs exchanged); the Besluit decides. The mean is (sum of shares - C) / adults, which with phi = 1 is (N' -
   C) / adults, as 23(2)b has it. An insurer without adults has no result per adult and no bandwidth.
5. What the bandwidth costs or yields stays with the fund in 2015; where a year finances it, it is flat over all
   adults.
6. Neutrality: every re-set weight is rounded once, to cents (mode legal) or to millionths of a euro (mode exact). A
   class without insured keeps its weight; a rule whose `reset` classes are empty changes nothing.
7. Fixed care: deelbedrag before, the difference with realised cost after ("100 procent nacalculatie"). Deelbedrag of
   2019-2021: the macro amount over insured years (Bzv 3.5). Of 2015 ex ante (B15 8): the cost per insured of the
   history year times insured years, brought to the macro amount by one factor; ex post (R15 15(1), B15 19(2)): the
   cost per insured of the year before times insured years, no factor. Without history in both: the macro amount over
   insured years.
8. Revenue (calculation premium, own payments) is rounded as revenue and then taken off. Insured in detention (Zvw
   24): ex ante 2015 both revenues less 0.07443% (B15 11(2), 11(7), 12(3)); ex post less what the insurer accounts for
   as forgone (B15 22(3), 23(5)). Of the other years the counts leave them out (art. 7(3), 8(1), 16, 17).
9. A provisional settlement may leave the high-cost compensation out (art. 16(2) of 2020 and 2021); we read: the first
   one does, with the weights of the tables without it. The bandwidth of 2015 is in every settlement (B15 23(2)-(3)).
10. Under-18 administration: heads on 1 July (Bzv 3.22(2)).
11. The premium of 2015 is that of all adults, those in detention included, less what is forgone (B15 12(2)-(3),
   23(4)-(5)); where what is forgone is not known they are left out (R15 8(3), 17(1)), as they are among the adults of
   the flat step, of the bandwidth and of the premium of later years.
12. High-cost compensation looks at a person's cost over all insurers; what is compensated is divided by the cost with
   each, so that merging insurers changes nothing for the others (art. 16(1) names one insurer, and says nothing).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .country import Share
from .payment import Neutral, Undefined, allocate, neutral_weights, printed_weights, round_half
from .payment_rules import Band, Rules

Column = tuple[str, int]
Days = dict[Column, int]
Counts = dict[Column, Fraction]
Exact = list[Fraction]


@dataclass
class ShareDays:
    """Class days of a share per insurer; `abroad` is the part of them of insured living abroad. Money in cents."""

    days: list[Days]
    abroad: list[Days] = field(default_factory=list)
    cost: list[int] = field(default_factory=list)
    excess: list[Fraction] = field(default_factory=list)


@dataclass
class Country:
    """Class totals of a year: what payment knows of the insured."""

    shares: dict[str, ShareDays]
    deductible: list[Days]
    forfait_days: list[int]
    days: list[int]
    adult_days: list[int]
    under_18: list[int]
    cost_fixed: list[int] = field(default_factory=list)
    history: list[Fraction] = field(default_factory=list)
    """Fixed cost per insured year of the history year, in cents; empty: none."""
    own_payments: list[int] = field(default_factory=list)
    detained_days: list[int] = field(default_factory=list)
    """Adults in detention, not in adult_days; empty: nobody."""
    premium_forgone: list[int] = field(default_factory=list)
    own_payments_forgone: list[int] = field(default_factory=list)


@dataclass
class Step:
    """Cumulative exact amounts after an item."""

    share: str
    item: str
    amount: Exact


@dataclass
class ShareResult:
    weights: Counts = field(default_factory=dict)
    factor: Fraction = Fraction(1)
    rounding_gap: Fraction = Fraction(0)
    target: int = 0
    macro_gap: int = 0


@dataclass
class Paid:
    """lines: share and item to cents as they add to the contribution."""

    steps: list[Step]
    lines: dict[tuple[str, str], list[int]]
    shares: dict[str, ShareResult]
    contribution: list[int]
    exact: Exact


REVENUE = ("premium", "deductible")


# Counts ---------------------------------------------------------------------------------------------------------


def effective(own: Days, abroad: Days, rules: Rules) -> Counts:
    """Insured years as they count: reading 1."""
    result: Counts = {}
    for column, n in own.items():
        part = rules.abroad.get(column[0], Fraction(1)) if column[1] == 0 else Fraction(1)
        away = abroad.get(column, 0)
        result[column] = (n - away + part * away) / Fraction(rules.days_in_year)
    return result


def counts_of(data: ShareDays, rules: Rules) -> list[Counts]:
    """Per insurer."""
    none: list[Days] = [{} for _ in data.days]
    return [effective(own, away, rules) for own, away in zip(data.days, data.abroad or none, strict=True)]


def summed(counts: list[Counts]) -> Counts:
    """National counts."""
    total: Counts = {}
    for own in counts:
        for column, n in own.items():
            total[column] = total.get(column, Fraction(0)) + n
    return total


def normative(counts: list[Counts], weights: Counts) -> Exact:
    """N_i in cents."""
    return [_products(own, weights) for own in counts]


def _products(own: Counts, weights: Counts) -> Fraction:
    """sum_k n_k w_k; products of one denominator are added as whole numbers."""
    by: dict[int, int] = {}
    for column, n in own.items():
        w = weights[column]
        by[n.denominator * w.denominator] = by.get(n.denominator * w.denominator, 0) + n.numerator * w.numerator
    return sum((Fraction(value, denominator) for denominator, value in by.items()), Fraction(0))


# High cost ------------------------------------------------------------------------------------------------------


def compensated(cost: Fraction, steps: list[tuple[Fraction, Fraction]]) -> Fraction:
    """Of one person: steps are (threshold, part), ascending; the last part holds above its threshold.

    2021: [(T, 0.9)]; 2026: [(400,000, 0.75), (1,250,000, 0.90)].
    """
    total = Fraction(0)
    for at, (threshold, part) in enumerate(steps):
        upper = steps[at + 1][0] if at + 1 < len(steps) else cost
        total += part * max(Fraction(0), min(cost, upper) - threshold)
    return total


def excess_of_persons(
    costs: list[dict[int, int]], represents: list[int], steps: list[tuple[Fraction, Fraction]], insurers: int
) -> list[Fraction]:
    """Per insurer, in cents: of a person's cost over all insurers, divided by what each of them paid (reading 12)."""
    result = [Fraction(0)] * insurers
    for own, n in zip(costs, represents, strict=True):
        total = Fraction(sum(own.values()))
        received = compensated(total, steps) if total > 0 else Fraction(0)
        for insurer, cents in own.items():
            result[insurer] += received * n * cents / total if received else 0
    return result


# A share --------------------------------------------------------------------------------------------------------


def share_table(rules: Rules, name: str, stage: str) -> str:
    """Which table of weights holds for a share in a stage."""
    if stage == "ex_ante":
        return name
    without = stage not in rules.hcc.get(name, ()) and name in rules.tables_without_hcc
    return rules.tables_without_hcc[name] if without else rules.tables.get(name, name)


def bandwidth(share: Exact, cost: list[int], adults: Exact, band: Band, payers: Exact | None = None) -> Exact:
    """What is taken off (-) or added (+) per insurer, before rounding, in cents (readings 4, 5).

    adults: in years, or all insured where the band is per insured; payers: the adults that finance it.
    """
    total = sum(adults, Fraction(0))
    if not total:
        return [Fraction(0)] * len(share)
    mean = (sum(share, Fraction(0)) - sum(cost)) / total
    moved = []
    for own, spent, n in zip(share, cost, adults, strict=True):
        if not n:
            moved.append(Fraction(0))
            continue
        distance = (own - spent) / n - mean
        beyond = max(Fraction(0), abs(distance) - band.euros * 100)
        moved.append(-band.part * beyond * n if distance > 0 else band.part * beyond * n)
    if band.financed and (paid := sum(moved, Fraction(0))):
        shared = adults if payers is None else payers
        everybody = sum(shared, Fraction(0))
        if not everybody:
            raise Undefined("no adults to finance the bandwidth")
        moved = [m - paid * n / everybody for m, n in zip(moved, shared, strict=True)]
    return moved


def settle_share(
    rules: Rules,
    tables: dict[str, Any],
    name: str,
    country: Country,
    stage: str,
    expected: Counts | None,
    mode: str,
) -> tuple[list[Step], ShareResult]:
    """The chain of one share ex post."""
    data = country.shares[name]
    counts = counts_of(data, rules)
    realised = summed(counts)
    table = _as_share(tables[share_table(rules, name, stage)], name)
    own_rules = [r for r in rules.neutrality if r.share == name]
    neutral: Neutral = neutral_weights(table, own_rules, realised, expected, "micro" if mode == "exact" else mode)
    before, amounts = normative(counts, printed_weights(table)), normative(counts, neutral.weights)
    cost, total = sum(data.cost), sum(amounts, Fraction(0))
    if total < 0 or (not total and cost):
        raise Undefined(f"{name}: cost and no normative amount")
    factor = Fraction(cost) / total if total else Fraction(1)
    scaled = [n * factor for n in amounts]
    flat = _flat(rules, name, cost, total, country.adult_days)
    resulting = [s - f for s, f in zip(scaled, flat, strict=True)]
    steps = [
        Step(name, "normative", before),
        Step(name, "neutrality", amounts),
        Step(name, "scaling", scaled),
        Step(name, "flat_step", resulting),
    ]
    if stage in rules.hcc.get(name, ()) and data.excess:
        base, paid = sum(resulting, Fraction(0)), sum(data.excess, Fraction(0))
        if paid and base <= 0:
            raise Undefined(f"{name}: high-cost compensation over a share of zero")
        rate = paid / base if paid else Fraction(0)
        compensated_too = [s + x for s, x in zip(resulting, data.excess, strict=True)]
        resulting = [c - rate * s for c, s in zip(compensated_too, resulting, strict=True)]
        steps += [
            Step(name, "high_cost_compensation", compensated_too),
            Step(name, "high_cost_financing", resulting),
        ]
    band = rules.bands.get(name)
    if band and stage in band.stages:
        adults = [Fraction(d, rules.days_in_year) for d in country.adult_days]
        base_years = adults if band.per_adult else [Fraction(d, rules.days_in_year) for d in country.days]
        measured = scaled if band.before_flat_step else resulting
        moved = bandwidth(measured, data.cost, base_years, band, adults)
        resulting = [s + b for s, b in zip(resulting, moved, strict=True)]
        steps.append(Step(name, "bandwidth", resulting))
    target = round_half(sum(resulting, Fraction(0)))
    result = ShareResult(
        neutral.weights, factor, neutral.gap, target, target - rules.macro[name] - rules.flanking.get(name, 0)
    )
    return steps, result


def _as_share(table: Any, name: str) -> Any:
    """The table of annex 3, 5, ... has the classes of the share it belongs to."""
    return Share(name, list(table.criteria))


def _flat(rules: Rules, name: str, cost: int, total: Fraction, adult_days: list[int]) -> Exact:
    macro, flanking = rules.macro[name], rules.flanking.get(name, 0)
    corrected = total * (macro + flanking) / macro if flanking else total
    gap = rules.phi[name] * (cost - corrected)
    adults = sum(adult_days)
    if not gap:
        return [Fraction(0)] * len(adult_days)
    if not adults:
        raise Undefined("no adults")
    return [gap * n / adults for n in adult_days]


# Fixed care, revenue, administration ----------------------------------------------------------------------------


def fixed_care(rules: Rules, country: Country, stage: str) -> list[Step]:
    """Reading 7."""
    years = [Fraction(d, rules.days_in_year) for d in country.days]
    macro, total = Fraction(rules.macro["fixed"]), sum(years, Fraction(0))
    if rules.fixed_by_history and country.history:
        amount = [h * n for h, n in zip(country.history, years, strict=True)]
        if stage == "ex_ante":
            base = sum(amount, Fraction(0))
            amount = [a * macro / base if base else Fraction(0) for a in amount]
    else:
        amount = [macro * n / total if total else Fraction(0) for n in years]
    steps = [Step("fixed", "normative", amount)]
    if stage != "ex_ante":
        steps.append(Step("fixed", "settled_cost", [Fraction(c) for c in country.cost_fixed]))
    return steps


def history_per_insured(cost: list[int], insured_years: list[Fraction], least: int = 10_000) -> Exact:
    """B15 8(1)a and 8(2): cost per insured; below 10,000 insured the mean of all insurers."""
    mean = Fraction(sum(cost)) / sum(insured_years, Fraction(0))
    return [Fraction(c) / n if n >= least else mean for c, n in zip(cost, insured_years, strict=True)]


def premium(rules: Rules, country: Country, stage: str) -> list[Step]:
    """Art. 7 (8 in 2015), 17(1); B15 12(2)-(3), 23(4)-(5)."""
    payers = country.adult_days
    known = bool(rules.detained if stage == "ex_ante" else country.premium_forgone)
    if rules.detained and known and country.detained_days:
        payers = [a + d for a, d in zip(payers, country.detained_days, strict=True)]
    amount = [rules.premium * Fraction(d, rules.days_in_year) for d in payers]
    steps = [Step("premium", "calculation_premium", amount)]
    return steps + _detained(rules, "premium", amount, country.premium_forgone, stage)


def _detained(rules: Rules, share: str, amount: Exact, forgone: list[int], stage: str) -> list[Step]:
    if stage == "ex_ante":
        return [Step(share, "detained", [a * (1 - rules.detained) for a in amount])] if rules.detained else []
    return [Step(share, "detained", [a - f for a, f in zip(amount, forgone, strict=True)])] if forgone else []


def own_payments(
    rules: Rules, tables: dict[str, Any], country: Country, stage: str, expected: Counts | None, mode: str
) -> tuple[list[Step], ShareResult]:
    """Art. 8 (9 in 2015), 17; Bzv 3.19; B15 11, 22."""
    name = "deductible"
    at = share_table(rules, "deductible", stage)
    table = _as_share(tables[at], "deductible")
    forfait = rules.forfait if stage == "ex_ante" else rules.forfait_ex_post
    counts = [effective(own, {}, rules) for own in country.deductible]
    flat = [forfait * Fraction(d, rules.days_in_year) for d in country.forfait_days]

    def revenue(weights: Counts) -> Exact:
        return [n + f for n, f in zip(normative(counts, weights), flat, strict=True)]

    printed = printed_weights(table)
    amount = revenue(printed)
    steps = [Step(name, "expected_own_payments", amount)]
    result = ShareResult(printed)
    if stage != "ex_ante":
        own_rules = [r for r in rules.neutrality if r.share == "deductible"]
        neutral = neutral_weights(table, own_rules, summed(counts), expected, "micro" if mode == "exact" else mode)
        amount = revenue(neutral.weights)
        result = ShareResult(neutral.weights, rounding_gap=neutral.gap)
        if own_rules:
            steps.append(Step(name, "own_payments_neutrality", amount))
        if rules.own_payments_phi is not None:
            amount, result.factor = _macro_corrected(rules.own_payments_phi, amount, country)
            steps.append(Step(name, "own_payments_macro", amount))
    detained = _detained(rules, name, amount, country.own_payments_forgone, stage)
    result.target = round_half(sum((detained or steps)[-1].amount, Fraction(0)))
    return steps + detained, result


def _macro_corrected(phi: Fraction, amount: Exact, country: Country) -> tuple[Exact, Fraction]:
    """Bzv 3.19(3): E_i R/E - phi (R - E) a_i."""
    total, realised, adults = sum(amount, Fraction(0)), sum(country.own_payments), sum(country.adult_days)
    if total < 0 or (not total and realised) or (phi and not adults and realised != total):
        raise Undefined("own payments without expectation or adults")
    factor = Fraction(realised) / total if total else Fraction(1)
    gap = phi * (realised - total)
    parts = [gap * n / adults if gap else Fraction(0) for n in country.adult_days]
    return [a * factor - p for a, p in zip(amount, parts, strict=True)], factor


def administration(rules: Rules, country: Country) -> list[Step]:
    """Bzv 3.22."""
    return [Step("administration", "administration", [Fraction(rules.administration * n) for n in country.under_18])]


# The payment ----------------------------------------------------------------------------------------------------


def pay(
    rules: Rules,
    tables: dict[str, Any],
    country: Country,
    stage: str = "final",
    *,
    mode: str = "exact",
    expected: dict[str, Counts] | None = None,
) -> Paid:
    """All steps of a stage; `expected`: share (and "deductible") to counts, none: realised ones."""
    steps: list[Step] = []
    results: dict[str, ShareResult] = {}
    for name in rules.shares:
        if stage == "ex_ante":
            table = _as_share(tables[name], name)
            amount = normative(counts_of(country.shares[name], rules), printed_weights(table))
            steps.append(Step(name, "normative", amount))
            target = round_half(sum(amount, Fraction(0)))
            results[name] = ShareResult(printed_weights(table), target=target, macro_gap=target - rules.macro[name])
        else:
            chain, results[name] = settle_share(
                rules, tables, name, country, stage, None if expected is None else expected[name], mode
            )
            steps += chain
    steps += fixed_care(rules, country, stage)
    steps += premium(rules, country, stage)
    chain, results["deductible"] = own_payments(
        rules, tables, country, stage, None if expected is None else expected["deductible"], mode
    )
    steps += chain + administration(rules, country)
    return _lines(steps, results)


def whole_cents(amount: Exact) -> list[int]:
    """Largest remainder, ties by insurer."""
    return list(allocate(dict(enumerate(amount))).values())


def _lines(steps: list[Step], results: dict[str, ShareResult]) -> Paid:
    lines: dict[tuple[str, str], list[int]] = {}
    insurers = len(steps[0].amount)
    last: dict[str, Step] = {}
    cents: dict[str, list[int]] = {}
    for step in steps:
        sign = -1 if step.share in REVENUE else 1
        now, before = whole_cents(step.amount), cents.get(step.share, [0] * insurers)
        lines[step.share, step.item] = [sign * (n - b) for n, b in zip(now, before, strict=True)]
        cents[step.share], last[step.share] = now, step
    contribution = [sum(line[i] for line in lines.values()) for i in range(insurers)]
    exact = [
        sum((-s.amount[i] if name in REVENUE else s.amount[i] for name, s in last.items()), Fraction(0))
        for i in range(insurers)
    ]
    return Paid(steps, lines, results, contribution, exact)
