"""Countries of a few insurers with round numbers, paid by the core; model years with round weights."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

from payment_bridge import core_pay, tables_of
from reference.payment_rules import rules_of
from reference.payment_steps import Country, Days, ShareDays

from anderhalf.model import Model, load_model

YEAR = 365
MAN = "age_sex"
SETTLED = {("nl-2021", "ggz"): "ggz_hcc", ("nl-2021-structural", "ggz"): "ggz_hcc"}


def years(**numbers: dict[int, int]) -> Days:
    """Whole insured years as days: years(dkg={0: 90, 1: 10})."""
    return {(name, k): n * YEAR for name, own in numbers.items() for k, n in own.items()}


def with_weights(name: str, **euros: dict[int, float]) -> Model:
    """The model year with these weights in its variable share; euros per criterion and code."""
    model = load_model(name)
    criteria = tuple(
        dataclasses.replace(
            criterion,
            classes=tuple(
                dataclasses.replace(k, weight=int(Fraction(str(euros[criterion.name][k.code])) * 1_000_000))
                if k.code in euros.get(criterion.name, {})
                else k
                for k in criterion.classes
            ),
        )
        for criterion in model.variable.criteria
    )
    return dataclasses.replace(model, variable=dataclasses.replace(model.variable, criteria=criteria))


def country(model: Model, insured: list[Days], cost: list[int], abroad: list[Days] | None = None) -> Country:
    """Adults only, without deductible; cost of the variable share in euros, the other shares cost what they bring."""
    tables = tables_of(model)
    days = [sum(n for (name, _), n in own.items() if name == MAN) for own in insured]
    zeros = [0] * len(insured)
    shares = {}
    for name in rules_of(model.name, tables).shares:
        age_sex = tables[SETTLED.get((model.name, name), name)].criteria[0]
        first = age_sex.classes[0]
        each = first.weight // 10_000
        shares[name] = ShareDays([{(age_sex.name, first.code): n} for n in days], cost=[n // YEAR * each for n in days])
    shares["variable"] = ShareDays(insured, abroad or [], [100 * c for c in cost])
    result = Country(shares, [{} for _ in insured], days, days, days, zeros, zeros)
    result.own_payments = [n // YEAR * model.forfait for n in days]
    return result


def expected_of(insured: list[Days]) -> dict[str, tuple[Days, int]]:
    """The insured of a country as the counts expected at the grant."""
    total: Days = {}
    for own in insured:
        for column, n in own.items():
            total[column] = total.get(column, 0) + n
    return {"variable": (total, YEAR), "ggz": ({}, YEAR), "nursing": ({}, YEAR), "deductible": ({}, YEAR)}


def settled(
    model: Model, insured: list[Days], cost: list[int], expected: list[Days], *, abroad: list[Days] | None = None
) -> Any:
    """The final settlement of the core."""
    rules = rules_of(model.name, tables_of(model))
    return core_pay(model, rules, country(model, insured, cost, abroad), "final", expected=expected_of(expected))


def normative(statement: Any) -> list[int]:
    """N_i after neutrality, in cents: the two first lines of the variable share."""
    own = [li for li in statement.lines if li.share == "variable" and li.item.name in ("normative", "neutrality")]
    return [sum(cents) for cents in zip(*(li.cents for li in own), strict=True)]


def share_paid(statement: Any) -> list[int]:
    """The variable share of each insurer, in cents."""
    return [sum(c) for c in zip(*(li.cents for li in statement.lines if li.share == "variable"), strict=True)]
