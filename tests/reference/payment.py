"""Ex ante and ex post payment of 2021 in Fractions of cents (section 6; Regeling art. 7, 8, 10-19; Bzv 3.5-3.22).

Order ex post, per share (Bzv 3.11-3.12a): realised counts -> weights after neutrality -> N_i -> times C/N -> minus
phi (C - N) a_i -> high-cost compensation (GGZ) -> integer cents. Everything stays exact until that last step.

Readings:
1. Insured years = days x represents / days in the year (art. 10(1)), also for adults, premium payers and a_i.
2. Adult = 18 or older on the reference date, for the whole year.
3. `class_totals` with a class expected but not realised, and `reset` classes without insured: the weight stays as
   printed; the rule cannot be met and is listed under "unmet".
4. `offset` (art. 11(4), 11(9), 11(11)-(13), 17(3)): sum_of (n_real - n_exp) w + shift sum_reset n_real = 0: the money
   that the named classes surprise with is taken from or given to the reset classes as they are realised.
5. Rounding is arithmetic (rekenkundig): half away from zero, for weights and for cents.
6. Fixed share ex ante: the macro amount over insured years (Bzv 3.5) unless a fixed amount per insured year is given;
   ex post 100% of realised cost (art. 15(4)), whatever the ex ante amount.
7. Own payments realised, R: the mandatory deductible only ("verplicht eigen risico", Bzv 3.19(3)a); the voluntary part
   belongs to the insurer and is returned beside it. The mandatory part is met first.
8. One insured record is one insurance for the pro rata of the deductible (Zvw 19): limit per record = round(amount x
   days / days in the year) to cents. (Zvw rounds to whole euros: limit_unit = 100.) Negative eligible cost counts as 0.
9. High-cost compensation, art. 16: the cost of the insured over all insurers, realised (settled); the threshold is the
   cost of the last user, cost descending, that fits within floor(0.5% x users); the compensated excess of a person is
   split over insurers in proportion to its cost with each, so that merging insurers changes nothing for the others.
10. Under-18 administration: heads on 1 July (Bzv 3.22(2)), not insured years.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .country import Category, Claim, Country, Mapping, Model, NeutralityRule, Share, day, days_in_year
from .groupers import DEFAULT, Readings, Row, Tie, by_person_number, class_rows, share_of
from .moments import Column, assign_claims, indicators

Amounts = dict[int, Fraction]
Counts = dict[Column, Fraction]
Expected = dict[str, Counts]
"""Share name to expected insured years per class, national."""


class Undefined(ValueError):
    """A quotient of the law has no denominator: no adults, or a normative amount of zero against realised cost."""


def round_half(value: Fraction) -> int:
    """Nearest integer, half away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value.numerator) + value.denominator) // (2 * value.denominator))


def allocate(exact: Amounts, target: int | None = None) -> dict[int, int]:
    """Integer cents by largest remainder, ties by insurer code, summing to `target` (default: the rounded sum).

    Every amount is its floor or its floor + 1; a target that needs more is an error.
    """
    total = sum(exact.values(), Fraction(0))
    goal = round_half(total) if target is None else target
    floors = {i: value.numerator // value.denominator for i, value in exact.items()}
    left = goal - sum(floors.values())
    if not 0 <= left <= len(exact):
        raise ValueError(f"target {goal} is more than a cent per insurer from {float(total)}")
    order = sorted(exact, key=lambda i: (floors[i] - exact[i], i))
    return {i: floors[i] + (i in order[:left]) for i in sorted(exact)}


# Counts ---------------------------------------------------------------------------------------------------------


def years_of(row: Row, year: int) -> Fraction:
    """Insured years of a record, times the number of insured it stands for (art. 10(1))."""
    return Fraction(row.days * row.represents, days_in_year(year))


def add(into: dict[Any, Fraction], key: Any, value: Fraction) -> None:
    """into[key] += value."""
    into[key] = into.get(key, Fraction(0)) + value


def class_counts(rows: list[Row], share: Share, year: int) -> dict[int, Counts]:
    """Insured years per insurer and class; a class that a person has twice counts twice (art. 9(4)a)."""
    counts: dict[int, Counts] = {row.insurer: {} for row in rows}
    for row in rows:
        for column, n in indicators(row, share).items():
            add(counts[row.insurer], column, n * years_of(row, year))
    return counts


def national(counts: dict[int, Counts]) -> Counts:
    """Sum over insurers."""
    total: Counts = {}
    for own in counts.values():
        for column, n in own.items():
            add(total, column, n)
    return total


def printed_weights(share: Share) -> Counts:
    """Weights in cents per insured year."""
    return {(c.name, k.code): Fraction(k.weight, 10_000) for c in share.criteria for k in c.classes}


def normative(counts: dict[int, Counts], weights: Counts) -> Amounts:
    """N_i = sum_k n_ik w_k."""
    return {i: sum((n * weights[c] for c, n in own.items()), Fraction(0)) for i, own in counts.items()}


# Neutrality -----------------------------------------------------------------------------------------------------


@dataclass
class Neutral:
    """Weights after neutrality; unmet: articles whose rule has no insured to work on; gap: rounding, in cents."""

    weights: Counts
    exact: Counts
    unmet: list[str] = field(default_factory=list)
    gap: Fraction = Fraction(0)


def neutral_weights(
    share: Share, rules: list[NeutralityRule], realised: Counts, expected: Counts | None, mode: str = "exact"
) -> Neutral:
    """Art. 11(4)-(14), 17(3). Mode `legal` rounds every re-set weight to two decimals of a euro (11(14)), `micro` to
    millionths of a euro: the unit in which the core keeps weights.
    """
    unit = {"exact": 0, "micro": 10_000, "legal": 1}[mode]
    printed = printed_weights(share)
    result = Neutral(dict(printed), dict(printed))
    ahead = realised if expected is None else expected
    for rule in (r for r in rules if r.share == share.name):
        changed, met = _reset(rule, printed, realised, ahead)
        if not met:
            result.unmet.append(rule.article)
        result.exact.update(changed)
        result.weights.update({c: Fraction(round_half(w * unit), unit) if unit else w for c, w in changed.items()})
    result.gap = sum((n * (result.weights[c] - result.exact[c]) for c, n in realised.items()), Fraction(0))
    return result


def _reset(rule: NeutralityRule, printed: Counts, realised: Counts, expected: Counts) -> tuple[Counts, bool]:
    """The weights that change, and whether the rule could be met."""
    zero = Fraction(0)
    mine = [c for c in printed if c[0] == rule.criterion]
    if rule.rule == "class_totals":
        met = all(realised.get(c) or not expected.get(c) for c in mine)
        return {c: printed[c] * expected.get(c, zero) / realised[c] for c in mine if realised.get(c)}, met
    if rule.rule == "zero_sum":
        among = [(rule.criterion, code) for code in (*rule.reset, *rule.of)] if rule.of else mine
        surplus = sum((realised.get(c, zero) * printed[c] for c in among), zero)
    elif rule.rule == "offset":
        of = [(rule.criterion, code) for code in rule.of]
        surplus = sum(((realised.get(c, zero) - expected.get(c, zero)) * printed[c] for c in of), zero)
    else:
        raise ValueError(f"unknown rule {rule.rule}")
    reset = [(rule.criterion, code) for code in rule.reset]
    people = sum((realised.get(c, zero) for c in reset), zero)
    if not people:
        return {}, not surplus
    return {c: printed[c] - surplus / people for c in reset}, True


# Scaling and flat step ------------------------------------------------------------------------------------------


def scaled(own: Amounts, cost: int, adults: Amounts, flat_ppm: int) -> dict[str, Any]:
    """Bzv 3.12(1)b, (2), (3): amount_i = N_i C/N - phi (C - N) a_i; the sum is C - phi (C - N)."""
    total, gap_share = sum(own.values(), Fraction(0)), Fraction(flat_ppm, 1_000_000)
    if not total and cost:
        raise Undefined("normative amount of zero against realised cost")
    factor = Fraction(cost) / total if total else Fraction(1)
    difference = gap_share * (cost - total)
    a = adult_shares(adults) if difference else {i: Fraction(0) for i in own}
    flat = {i: difference * a[i] for i in own}
    exact = {i: own[i] * factor - flat[i] for i in own}
    return {
        "N_i": own,
        "N": total,
        "C": cost,
        "factor": factor,
        "phi": gap_share,
        "flat_i": flat,
        "exact_i": exact,
        "target_exact": Fraction(cost) - difference,
        "target": round_half(Fraction(cost) - difference),
    }


def adult_shares(adults: Amounts) -> Amounts:
    """a_i: insurer's share of insured years of 18+ (no insured of art. 24 Zvw in the data)."""
    total = sum(adults.values(), Fraction(0))
    if not total:
        raise Undefined("no adults")
    return {i: n / total for i, n in adults.items()}


# High-cost compensation of the GGZ share ------------------------------------------------------------------------


def person_costs(rows: list[Row], claims: dict[int, list[Claim]], model: Model, cluster: str) -> dict[int, Amounts]:
    """Person to insurer to settled cents of a cluster, one insured."""
    result: dict[int, Amounts] = {}
    for row in rows:
        cents = sum(c.settled_cents for c in claims[row.index] if model.cluster[c.category] == cluster)
        add(result.setdefault(row.person, {}), row.insurer, Fraction(cents))
    return result


def high_cost_threshold(costs: dict[int, Fraction], represents: dict[int, int], per_myriad: int) -> Fraction | None:
    """Art. 16(1)a: 0.5% of the insured with GGZ cost have that much or more; None when not one person fits."""
    users = sorted((p for p, c in costs.items() if c > 0), key=lambda p: (-costs[p], p))
    line = per_myriad * sum(represents[p] for p in users) // 10_000
    threshold, used = None, 0
    for p in users:
        used += represents[p]
        if used > line:
            break
        threshold = costs[p]
    return threshold


def high_cost_compensation(
    share: Amounts, rows: list[Row], claims: dict[int, list[Claim]], model: Model
) -> dict[str, Any]:
    """Art. 16(1): plus 90% of the excess, minus the same percentage of every share; the national sum stays."""
    costs = person_costs(rows, claims, model, "ggz")
    represents = {row.person: row.represents for row in rows}
    totals = {p: sum(own.values(), Fraction(0)) for p, own in costs.items()}
    threshold = high_cost_threshold(totals, represents, model.hcc_ggz_top_per_myriad)
    excess = {i: Fraction(0) for i in share}
    if threshold is not None:
        for p, own in costs.items():
            if totals[p] > threshold:
                over = Fraction(model.hcc_ggz_ppm, 1_000_000) * (totals[p] - threshold) * represents[p]
                for i, cents in own.items():
                    excess[i] += over * cents / totals[p]
    paid, base = sum(excess.values(), Fraction(0)), sum(share.values(), Fraction(0))
    if paid and not base:
        raise Undefined("high-cost compensation over a share of zero")
    rate = paid / base if paid else Fraction(0)
    exact = {i: share[i] + excess[i] - rate * share[i] for i in share}
    return {"threshold": threshold, "excess_i": excess, "rate": rate, "exact_i": exact}


# Own payments ---------------------------------------------------------------------------------------------------


def is_eligible(claim: Claim, model: Model) -> bool:
    """Under the deductible (Bzv 2.17): not an exempt category; 1.5-line care by its title."""
    if claim.category == Category.one_and_a_half_line:
        return not model.title_deductible_exempt[claim.title]
    return not model.deductible_exempt[claim.category]


def own_payment(row: Row, claims: list[Claim], model: Model, year: int, limit_unit: int = 1) -> dict[str, int]:
    """Cents that one adult of the record pays: mandatory first, then voluntary; 0 below 18."""
    eligible = max(0, sum(c.claimed_cents for c in claims if is_eligible(c, model))) if row.adult else 0
    part = Fraction(row.days, days_in_year(year))
    both = model.deductible_amount + row.voluntary_deductible_cents
    limit = limit_unit * round_half(both * part / limit_unit)
    mandatory = min(limit_unit * round_half(model.deductible_amount * part / limit_unit), eligible)
    total = min(limit, eligible)
    return {"eligible": eligible, "limit": limit, "mandatory": mandatory, "total": total}


def realised_own_payments(
    rows: list[Row], claims: dict[int, list[Claim]], model: Model, year: int, limit_unit: int = 1
) -> dict[str, dict[int, int]]:
    """Per insurer, times represents: the mandatory part (R_i) and with the voluntary part."""
    result: dict[str, dict[int, int]] = {k: {row.insurer: 0 for row in rows} for k in ("mandatory", "total")}
    together: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows:
        together[row.person, row.insurer].append(row)
    for (_, insurer), own in together.items():  # one deductible per insurer and year, whatever changed in between
        whole = replace(own[0], days=sum(row.days for row in own))
        paid = own_payment(whole, [c for row in own for c in claims[row.index]], model, year, limit_unit)
        for key, per_insurer in result.items():
            per_insurer[insurer] += whole.represents * paid[key]
    return result


def expected_own_payments(rows: list[Row], model: Model, weights: Counts, year: int) -> Amounts:
    """E_i (art. 8): deductible model for adults of art. 8(2), forfait for all other adults."""
    result: Amounts = {row.insurer: Fraction(0) for row in rows}
    for row in rows:
        if row.adult:
            x = indicators(row, model.deductible)
            each = sum((n * weights[c] for c, n in x.items()), Fraction(0)) if x else Fraction(model.forfait)
            result[row.insurer] += years_of(row, year) * each
    return result


def settle_own_payments(expected: Amounts, realised: dict[int, int], adults: Amounts, model: Model) -> dict[str, Any]:
    """E_i, or where macro corrected (Bzv 3.19(3), (4)) E_i R/E - x (R - E) a_i."""
    total, paid = sum(expected.values(), Fraction(0)), sum(realised.values())
    result: dict[str, Any] = {"E_i": expected, "E": total, "R_i": realised, "R": paid}
    if not model.own_payments_macro_corrected:
        return result | {"exact_i": expected, "target": round_half(total)}
    step = scaled(expected, paid, adults, model.own_payments_flat_ppm)
    return result | {k: step[k] for k in ("factor", "flat_i", "exact_i", "target_exact", "target")}


# Premium, administration ----------------------------------------------------------------------------------------


def adult_years(rows: list[Row], year: int) -> Amounts:
    """Insured years of 18+ per insurer: premium payers (art. 7(3), 17(1)) and the flat steps."""
    result: Amounts = {row.insurer: Fraction(0) for row in rows}
    for row in rows:
        if row.adult:
            result[row.insurer] += years_of(row, year)
    return result


def insured_years(rows: list[Row], year: int) -> Amounts:
    """Insured years per insurer."""
    result: Amounts = {row.insurer: Fraction(0) for row in rows}
    for row in rows:
        result[row.insurer] += years_of(row, year)
    return result


def under_18(rows: list[Row], year: int, basis: str = "heads") -> Amounts:
    """Insured below 18: heads on 1 July (Bzv 3.22(2)), or insured years with basis = "years"."""
    first_of_july = day(year, 7, 1)
    result: Amounts = {row.insurer: Fraction(0) for row in rows}
    for row in rows:
        if not row.adult and basis == "years":
            result[row.insurer] += years_of(row, year)
        elif not row.adult and row.first_day <= first_of_july <= row.last_day:
            result[row.insurer] += row.represents
    return result


def realised_cost(rows: list[Row], claims: dict[int, list[Claim]], model: Model, cluster: str) -> dict[int, int]:
    """Settled cents per insurer of a cluster, times represents."""
    result = {row.insurer: 0 for row in rows}
    for row in rows:
        cents = sum(c.settled_cents for c in claims[row.index] if model.cluster[c.category] == cluster)
        result[row.insurer] += row.represents * cents
    return result


# The two payments -----------------------------------------------------------------------------------------------


def expected_of(rows: list[Row], model: Model, year: int) -> Expected:
    """National counts of some rows as the expected counts of the neutrality rules."""
    return {s.name: national(class_counts(rows, s, year)) for s in model.shares()}


def ex_ante(
    rows: list[Row], model: Model, year: int, fixed_per_insured: Fraction | None = None, basis: str = "heads"
) -> dict[str, Any]:
    """Bzv 3.4-3.10, 3.22: weight x insured years, never scaled; every part in exact cents and allocated cents."""
    years, adults = insured_years(rows, year), adult_years(rows, year)
    each = fixed_per_insured
    if each is None:
        each = Fraction(model.macro_fixed) / sum(years.values(), Fraction(0))
    exact = {
        "variable": normative(class_counts(rows, model.variable, year), printed_weights(model.variable)),
        "fixed": {i: each * n for i, n in years.items()},
        "ggz": normative(class_counts(rows, model.ggz, year), printed_weights(model.ggz)),
        "premium": {i: model.calculation_premium * n for i, n in adults.items()},
        "own_payments": expected_own_payments(rows, model, printed_weights(model.deductible), year),
        "administration": {i: model.administration_under_18 * n for i, n in under_18(rows, year, basis).items()},
    }
    return {"insured_years": years, "adult_years": adults, "exact": exact} | _total(exact, {})


_SIGN = {"variable": 1, "fixed": 1, "ggz": 1, "premium": -1, "own_payments": -1, "administration": 1}


def _total(exact: dict[str, Amounts], targets: dict[str, int]) -> dict[str, Any]:
    cents = {part: allocate(amounts, targets.get(part)) for part, amounts in exact.items()}
    insurers = sorted(next(iter(exact.values())))
    return {
        "cents": cents,
        "contribution_exact": {i: sum((_SIGN[p] * exact[p][i] for p in exact), Fraction(0)) for i in insurers},
        "contribution": {i: sum(_SIGN[p] * cents[p][i] for p in cents) for i in insurers},
    }


def _share_ex_post(
    name: str,
    rows: list[Row],
    model: Model,
    year: int,
    costs: dict[int, int],
    adults: Amounts,
    expected: Expected | None,
    mode: str,
) -> dict[str, Any]:
    share = share_of(model, name)
    counts = class_counts(rows, share, year)
    realised = national(counts)
    neutral = neutral_weights(share, model.neutrality, realised, None if expected is None else expected[name], mode)
    own = normative(counts, neutral.weights)
    ppm = model.flat_ppm_variable if name == "variable" else model.flat_ppm_ggz
    return {
        "counts": counts,
        "realised": realised,
        "weights": neutral.weights,
        "weights_exact": neutral.exact,
        "unmet": neutral.unmet,
        "rounding_gap": neutral.gap,
        "C_i": costs,
    } | scaled(own, sum(costs.values()), adults, ppm)


def ex_post(
    rows: list[Row],
    claims: dict[int, list[Claim]],
    model: Model,
    year: int,
    *,
    expected: Expected | None = None,
    mode: str = "exact",
    basis: str = "heads",
    limit_unit: int = 1,
) -> dict[str, Any]:
    """The settlement of a year with every intermediate; claims: row index to the claims of the year that it bears.

    expected = None: expected counts equal to realised counts, so that class_totals and offset change nothing.
    """
    years, adults = insured_years(rows, year), adult_years(rows, year)
    cost = {c: realised_cost(rows, claims, model, c) for c in ("variable", "fixed", "ggz")}
    variable = _share_ex_post("variable", rows, model, year, cost["variable"], adults, expected, mode)
    ggz = _share_ex_post("ggz_hcc", rows, model, year, cost["ggz"], adults, expected, mode)
    hcc = high_cost_compensation(ggz["exact_i"], rows, claims, model)
    own = _own_payments_ex_post(rows, claims, model, year, adults, expected, mode, limit_unit)
    exact = {
        "variable": variable["exact_i"],
        "fixed": {i: Fraction(c) for i, c in cost["fixed"].items()},
        "ggz": hcc["exact_i"],
        "premium": {i: model.calculation_premium * n for i, n in adults.items()},
        "own_payments": own["exact_i"],
        "administration": {i: model.administration_under_18 * n for i, n in under_18(rows, year, basis).items()},
    }
    targets = {"variable": variable["target"], "ggz": ggz["target"], "own_payments": own["target"]}
    gap = {
        "variable": model.macro_variable - variable["target"],
        "fixed": model.macro_fixed - sum(cost["fixed"].values()),
        "ggz": model.macro_ggz - ggz["target"],
    }
    return {
        "insured_years": years,
        "adult_years": adults,
        "variable": variable,
        "ggz": ggz,
        "hcc": hcc,
        "own_payments": own,
        "fund_gap": gap,
        "exact": exact,
    } | _total(exact, targets)


def _own_payments_ex_post(
    rows: list[Row],
    claims: dict[int, list[Claim]],
    model: Model,
    year: int,
    adults: Amounts,
    expected: Expected | None,
    mode: str,
    limit_unit: int,
) -> dict[str, Any]:
    share = model.deductible
    realised = national(class_counts(rows, share, year))
    ahead = None if expected is None else expected[share.name]
    neutral = neutral_weights(share, model.neutrality, realised, ahead, mode)
    paid = realised_own_payments(rows, claims, model, year, limit_unit)
    result = settle_own_payments(
        expected_own_payments(rows, model, neutral.weights, year), paid["mandatory"], adults, model
    )
    return result | {
        "weights": neutral.weights,
        "weights_exact": neutral.exact,
        "unmet": neutral.unmet,
        "realised": realised,
        "realised_total_i": paid["total"],
    }


def settle(
    country: Country,
    model: Model,
    mapping: Mapping,
    *,
    year: int | None = None,
    mode: str = "exact",
    expected: Expected | None = None,
    tie: Tie = by_person_number,
    readings: Readings = DEFAULT,
    basis: str = "heads",
    limit_unit: int = 1,
) -> dict[str, Any]:
    """From records and claims to both payments."""
    year = model.year if year is None else year
    rows = class_rows(country, model, mapping, year, tie, readings)
    claims = assign_claims(country, rows, year)
    return {
        "rows": rows,
        "claims": claims,
        "ex_ante": ex_ante(rows, model, year, basis=basis),
        "ex_post": ex_post(rows, claims, model, year, expected=expected, mode=mode, basis=basis, limit_unit=limit_unit),
    }
