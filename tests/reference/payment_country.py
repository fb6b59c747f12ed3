"""Random countries as class totals: groups of insured with one set of classes each, spread over a list of insurers."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from .payment_rules import Rules
from .payment_steps import Country, Counts, Days, ShareDays, counts_of, effective, summed

ABROAD_NOT_IN = ("region", "ses", "ppa", "ggz_region", "ggz_ses", "ggz_ppa", "ggz_one_person", "nursing_region", "mvv")
"""No class at all for who lives abroad (art. 6, 8(3); B15 15(28), 16(26), 17(11))."""
FOR_65_PLUS = (("nursing", "nursing_region"), ("nursing", "mhk"))
"""B15 9(3)-(4)."""


def random_country(rng: random.Random, rules: Rules, tables: dict[str, Any], stage: str) -> Country:
    """Any list of insurers: one, an empty one among others, one person, twenty-five."""
    insurers = rng.choice((1, 1, 2, 3, 4, 6, 25))
    sizes = rng.choice(((1,), (1, 30, 366), (365, 36_500, 3_650_000), (20_000_000, 1_400_000_000)))
    groups = rng.choice((1, 3, 8, 20))
    country = Country(
        shares={n: ShareDays([{} for _ in range(insurers)], [{} for _ in range(insurers)]) for n in rules.shares},
        deductible=[{} for _ in range(insurers)],
        forfait_days=[0] * insurers,
        days=[0] * insurers,
        adult_days=[0] * insurers,
        under_18=[0] * insurers,
    )
    empty = rng.randrange(insurers) if insurers > 1 and rng.random() < 0.5 else None
    for insurer in range(insurers):
        if insurer == empty:
            continue
        for at in range(1 if len(sizes) == 1 else rng.randint(1, groups)):
            _add_group(rng, rules, tables, country, insurer, rng.randint(1, rng.choice(sizes)), adult=not at)
    _money(rng, rules, country, stage)
    return country


def _add_group(
    rng: random.Random, rules: Rules, tables: dict[str, Any], country: Country, insurer: int, days: int, *, adult: bool
) -> None:
    adult = adult or rng.random() < 0.75
    old = adult and rng.random() < 0.3
    abroad = rng.random() < 0.2
    country.days[insurer] += days
    country.adult_days[insurer] += days if adult and rng.random() < 0.98 else 0
    country.under_18[insurer] += 0 if adult else max(1, days // rules.days_in_year)
    for name in rules.shares:
        if name == "ggz" and not adult:
            continue
        share = country.shares[name]
        for criterion in tables[name].criteria:
            if (abroad and criterion.name in ABROAD_NOT_IN) or ((name, criterion.name) in FOR_65_PLUS and not old):
                continue
            none = abroad and criterion.name in _none_abroad(rules)
            for code, n in _codes(rng, criterion, none=none).items():
                column = (criterion.name, code)
                share.days[insurer][column] = share.days[insurer].get(column, 0) + n * days
                if none:
                    share.abroad[insurer][column] = share.abroad[insurer].get(column, 0) + days
    if adult and rng.random() < 0.6:
        for criterion in tables["deductible"].criteria:
            if not (abroad and criterion.name in ABROAD_NOT_IN):
                for code, n in _codes(rng, criterion, none=False, single=True).items():
                    column = (criterion.name, code)
                    country.deductible[insurer][column] = country.deductible[insurer].get(column, 0) + n * days
    elif adult:
        country.forfait_days[insurer] += days


def _none_abroad(rules: Rules) -> set[str]:
    return set(rules.abroad) or {"fkg", "dkg", "dkg_primary", "dkg_secondary", "hkg", "fdg", "ggz_fkg", "ggz_dkg"}


def _codes(rng: random.Random, criterion: Any, *, none: bool, single: bool = False) -> dict[int, int]:
    codes = [k.code for k in criterion.classes]
    if none:
        return {0: 1}
    if codes[0] == 0 and rng.random() < 0.5:
        return {0: 1}
    found: dict[int, int] = {}
    for _ in range(1 if single or criterion.assignment == "single" else rng.randint(1, 3)):
        code = rng.choice([c for c in codes if c or single or criterion.assignment == "single"])
        found[code] = found.get(code, 0) + 1 if criterion.assignment == "count" else 1
    return found


def _money(rng: random.Random, rules: Rules, country: Country, stage: str) -> None:
    if rules.fixed_by_history and rng.random() < 0.8:
        cents = [rng.randint(0, 50_000) * d // rules.days_in_year for d in country.days]
        country.history = [
            Fraction(c * rules.days_in_year, d) if d else Fraction(0) for c, d in zip(cents, country.days, strict=True)
        ]
    if rules.detained and rng.random() < 0.6:
        country.detained_days = [rng.randint(0, d // 50) for d in country.adult_days]
    if stage == "ex_ante":
        return
    for name in rules.shares:
        share, level = country.shares[name], rng.choice((20, 300_000))
        share.cost = [rng.randint(0, 2 * level) * d // rules.days_in_year for d in country.days]
        if name in rules.hcc and rng.random() < 0.8:
            share.excess = [Fraction(rng.randint(0, c * 1_000_000 // 3), 1_000_000) for c in share.cost]
    country.cost_fixed = [rng.randint(0, 5_000) * d // rules.days_in_year for d in country.days]
    country.own_payments = [rng.randint(0, 38_500) * d // rules.days_in_year for d in country.adult_days]
    if rules.detained and rng.random() < 0.7:
        country.premium_forgone = [rng.randint(0, 1 + d // 400) for d in country.adult_days]
        country.own_payments_forgone = [rng.randint(0, 1 + d // 900) for d in country.adult_days]


def random_expected(rng: random.Random, rules: Rules, country: Country) -> dict[str, tuple[Days, int]]:
    """National class days per share and for the deductible, near the realised ones, over a denominator of years."""
    denominator = rules.days_in_year + rng.choice((-1, 0, 1))
    result = {}
    own = {name: national_days(counts_of(share, rules), rules) for name, share in country.shares.items()}
    own["deductible"] = national_days([effective(d, {}, rules) for d in country.deductible], rules)
    for name, days in own.items():
        result[name] = (
            {c: max(0, n * rng.randint(70, 140) // 100 + rng.choice((0, 0, 365))) for c, n in days.items()},
            denominator,
        )
    return result


def national_days(counts: list[Counts], rules: Rules) -> Days:
    """National insured days as they count, rounded down."""
    return {c: int(n * rules.days_in_year) for c, n in summed(counts).items()}


def as_counts(expected: dict[str, tuple[Days, int]]) -> dict[str, Counts]:
    """Insured years per class."""
    return {name: {c: Fraction(n, years) for c, n in days.items()} for name, (days, years) in expected.items()}
