"""Programmes of the second implementation: drawn, and handed to the C++ core."""

from __future__ import annotations

import random
from typing import Any

import bridge
from reference.country import Category, Country, Mapping, Model
from reference.programmes import Consequence, Contract, Programme, Rule, Selector, Who

from anderhalf import _core

SHARES = (0, 1_000_000, 1_000_000, 700_000, 500_000, 123_456)
RAMPS = ([1_000_000], [250_000, 1_000_000], [62_500, 370_000, 1_000_000], [1_000_000, 0])
MUNICIPALITIES = range(1, 10)
"""Of the random country."""


# To the core ----------------------------------------------------------------------------------------------------


def core_selector(selector: Selector | None) -> Any:
    if selector is None:
        return None
    s = _core.Selector()
    s.categories = [_core.Category(c) for c in selector.categories]
    s.specialisms, s.diagnoses = selector.specialisms, selector.diagnoses
    s.products = selector.products
    s.consult = (
        _core.Consult.any if selector.consult is None else (_core.Consult.no, _core.Consult.yes)[selector.consult]
    )
    s.min_cents, s.max_cents = selector.min_cents, selector.max_cents
    return s


def core_who(who: Who) -> Any:
    w = _core.Who()
    w.min_age, w.max_age, w.sex = who.min_age, who.max_age, who.sex
    w.has, w.has_not, w.onset = (core_selector(s) for s in (who.has, who.has_not, who.onset))
    return w


def core_consequence(of: Consequence) -> Any:
    c = _core.Consequence()
    c.category, c.title = _core.Category(of.category), _core.Title(of.title)
    c.effect = getattr(_core.Effect, of.effect)
    for name in ("price", "probability_ppm", "specialism", "diagnosis", "product", "consult", "ddd"):
        setattr(c, name, getattr(of, name))
    return c


def core_rule(rule: Rule) -> Any:
    r = _core.Rule()
    r.claims, r.who = core_selector(rule.claims), core_who(rule.who)
    r.act, r.per = getattr(_core.Act, rule.act), getattr(_core.Per, rule.per)
    r.with_claims = [core_consequence(c) for c in rule.consequences]
    for name in ("key", "share_ppm", "factor_ppm", "ddd_factor_ppm", "start_after", "ramp_ppm"):
        setattr(r, name, getattr(rule, name))
    return r


def core_contract(contract: Contract) -> Any:
    c = _core.Contract()
    c.kind = getattr(_core.ContractKind, contract.kind)
    for name in (
        "insurers",
        "pass_through_ppm",
        "over_ceiling_ppm",
        "rebase_ppm",
        "rebase_years",
        "from_year",
        "to_year",
    ):
        setattr(c, name, getattr(contract, name))
    return c


def core_programme(programme: Programme, name: str = "drawn") -> Any:
    p = _core.Programme()
    p.name = name
    for field in (
        "id",
        "start_year",
        "ramp_ppm",
        "end_year",
        "municipalities",
        "hand_over_year",
        "hand_over_municipalities",
        "insurers",
        "pass_through_ppm",
    ):
        setattr(p, field, getattr(programme, field))
    p.rules = [core_rule(r) for r in programme.rules]
    p.contracts = [core_contract(c) for c in programme.contracts]
    return p


def simulate(base: Any, programmes: list[Any], decompose: bool = False, threads: int = 1) -> Any:
    """Core programmes on a baseline."""
    substitutions = [_core.Substitution(p) for p in programmes]
    return _core.simulate(base, substitutions, _core.survey(base, substitutions), decompose, threads)


def baseline(
    country: Country, model: Model, mapping: Mapping, start: int, horizon: int, first_year: int, **options: Any
) -> tuple[Any, Any]:
    """The country in the core over several simulated years."""
    o = _core.Options()
    o.start, o.horizon, o.first_year, o.last_year = start, horizon, first_year, start + horizon - 1
    o.insurers = sorted({r.insurer for r in country.records})
    o.seed = bridge.TIE_SEED
    o.expected_counts, o.macro = _core.ExpectedCounts.actual, _core.MacroRule.fixed
    o.expected_lag = o.macro_lag = o.estimation_lag = 0
    o.estimates = False
    for name, value in options.items():
        setattr(o, name, value)
    scheme = _core.Scheme(bridge.core_model(model), bridge.core_mapping(mapping))
    return _core.baseline(_core.blocks_source([bridge.block(country)]), scheme, o, 1)[0], scheme


# Drawn ----------------------------------------------------------------------------------------------------------


def random_selector(rng: random.Random, mapping: Mapping, hospital: bool = False) -> Selector:
    s = Selector()
    if hospital or rng.random() < 0.4:
        s.categories = [int(Category.hospital)]
    elif rng.random() < 0.8:
        s.categories = sorted({int(rng.choice(list(Category))) for _ in range(rng.randint(1, 4))})
    if mapping.diagnoses and rng.random() < 0.2:
        s.specialisms = sorted({rng.choice(mapping.diagnoses).specialism for _ in range(2)})
    if mapping.diagnoses and rng.random() < 0.1:
        s.diagnoses = sorted({rng.choice(mapping.diagnoses).diagnosis for _ in range(20)})
    if rng.random() < 0.2:
        first = rng.randint(0, 900)
        s.products = [(first, first + rng.choice((0, 99, 400))), (500, 520)]
    s.consult = rng.choice((None, None, None, None, True, False))
    if rng.random() < 0.3:
        s.min_cents = rng.choice((1, 900, 1_000, 50_000))
    if rng.random() < 0.2:
        s.max_cents = s.min_cents + rng.choice((0, 1, 100_000))
    return s


def random_who(rng: random.Random, mapping: Mapping) -> Who:
    who = Who()
    if rng.random() < 0.3:
        who.min_age = rng.choice((0, 18, 65, 75))
        who.max_age = rng.choice((who.min_age, who.min_age + 20, 200))
    if rng.random() < 0.15:
        who.sex = rng.randint(1, 2)
    if rng.random() < 0.2:
        who.has = random_selector(rng, mapping)
    if rng.random() < 0.15:
        who.has_not = random_selector(rng, mapping, hospital=True)
    if rng.random() < 0.15:
        who.onset = random_selector(rng, mapping)
    return who


def random_consequence(rng: random.Random, mapping: Mapping, effect: str) -> Consequence:
    c = Consequence(int(rng.choice(list(Category))), rng.choice((0, 1, 2_500, 13_000, 250_000)))
    if rng.random() < 0.4:
        c.category = int(Category.one_and_a_half_line)
    c.probability_ppm = rng.choice((1_000_000, 1_000_000, 500_000, 0))
    c.title, c.effect = rng.randint(0, 2), effect
    if c.category in (Category.hospital, Category.one_and_a_half_line):
        c.consult = rng.random() < 0.3
        if mapping.diagnoses and rng.random() < 0.7:
            found = rng.choice(mapping.diagnoses)
            c.specialism, c.diagnosis = found.specialism, found.diagnosis
    if c.category == Category.drugs and mapping.drugs:
        c.product, c.ddd = rng.choice(mapping.drugs).drug, rng.choice((90, 181))
    return c


def random_rule(rng: random.Random, mapping: Mapping, key: str) -> Rule:
    act = rng.choice(("avoid", "avoid", "reprice", "replace", "add"))
    rule = Rule(key, random_selector(rng, mapping), random_who(rng, mapping), act, rng.choice(("claim", "person")))
    rule.share_ppm = rng.choice(SHARES)
    if act == "reprice":
        rule.factor_ppm = rng.choice((0, 500_000, 800_000, 999_999, 1_000_000, 1_300_000, 333_333))
        rule.ddd_factor_ppm = rng.choice((1_000_000, 500_000, 333_333))
        if rng.random() < 0.3:
            rule.consequences = [random_consequence(rng, mapping, "downstream")]
    else:
        effects = {"avoid": ("downstream",), "replace": ("replacement", "downstream"), "add": ("added", "downstream")}
        count = rng.randint(0 if act == "avoid" else 1, 2)
        rule.consequences = [random_consequence(rng, mapping, rng.choice(effects[act])) for _ in range(count)]
        if act == "replace" and rule.consequences:
            rule.consequences[0].effect = "replacement"
        if act == "add" and rng.random() < 0.3:
            rule.claims = Selector()
    if rng.random() < 0.2:
        rule.start_after = rng.randint(1, 2)
    if rng.random() < 0.2:
        rule.ramp_ppm = rng.choice(RAMPS)
    return rule


def random_contracts(rng: random.Random, insurers: list[int], start: int) -> list[Contract]:
    """At most one contract for an insurer and year."""
    if rng.random() < 0.2:
        return []
    contracts = []
    free = rng.sample(insurers, rng.randint(1, len(insurers)))
    for kind in rng.sample(("fee", "ceiling", "lump_sum", "price_rebase", "price_rebase"), 5):
        if not free:
            break
        c = Contract([], kind, rng.choice((0, 150_000, 300_000, 777_777, 1_000_000)))
        c.insurers = sorted(free[: rng.randint(1, len(free))])
        free = [i for i in free if i not in c.insurers]
        if kind == "ceiling":
            c.over_ceiling_ppm = rng.choice((0, 50_000, 200_000, 1_000_000))
        if kind == "price_rebase":
            c.rebase_ppm, c.rebase_years = rng.choice((0, 500_000, 333_333, 1_000_000)), rng.randint(1, 3)
        if rng.random() < 0.3:
            c.from_year = start + rng.randint(0, 2)
        if rng.random() < 0.3:
            c.to_year = max(c.from_year, start + rng.randint(0, 2))
        contracts.append(c)
    return contracts


def random_programmes(
    rng: random.Random, mapping: Mapping, insurers: list[int], start: int, contracts: bool = True
) -> list[Programme]:
    """One to three programmes that may overlap; contracts stand in the first."""
    programmes = []
    for number in range(rng.choice((1, 1, 2, 3))):
        rules = [random_rule(rng, mapping, f"rule {k}") for k in range(rng.randint(1, 4))]
        p = Programme(10 + 7 * number, start + rng.choice((0, 0, 0, 1)), rules, rng.choice(RAMPS))
        if rng.random() < 0.2:
            p.end_year = p.start_year + rng.randint(0, 2)
        if rng.random() < 0.5:
            p.municipalities = sorted(rng.sample(MUNICIPALITIES, rng.randint(2, 8)))
        if rng.random() < 0.2:
            p.hand_over_year = p.start_year + rng.randint(0, 2)
            p.hand_over_municipalities = sorted(rng.sample(MUNICIPALITIES, rng.randint(1, 8)))
        if rng.random() < 0.3:
            p.insurers = sorted(rng.sample(insurers, rng.randint(1, len(insurers))))
        if contracts:
            p.pass_through_ppm = rng.choice((1_000_000, 1_000_000, 300_000, 0))
        programmes.append(p)
    if contracts:
        programmes[0].contracts = random_contracts(rng, insurers, start)
        hospital = Rule("hospital", Selector([int(Category.hospital)]), act=rng.choice(("avoid", "reprice")))
        hospital.share_ppm, hospital.factor_ppm = rng.choice((300_000, 500_000)), rng.choice((0, 700_000))
        programmes[-1].rules.insert(0, hospital)
    return programmes
