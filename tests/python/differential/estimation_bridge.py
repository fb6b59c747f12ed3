"""Designs, records and constraints of the second implementation, handed to the facade; and its sums handed back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from reference.estimation import (
    Constraint,
    Design,
    Fit,
    Levels,
    Moments,
    NotDetermined,
    Record,
    Totals,
    budget,
    estimate,
    zero_sums,
)

import anderhalf as ah

Frame = dict[str, np.ndarray]

CODES = (np.uint8, np.uint16, np.uint32, np.int64)
DAYS = (np.uint16, np.int32, np.int64)
CENTS = (np.int32, np.int64)


def criteria(design: Design, *, masks: bool = False) -> list[Any]:
    """The criteria of a design; with `masks`, flags are read from one column of 64-bit masks."""
    result = []
    for c in design.criteria:
        if c.labels == "single":
            result.append(ah.Criterion(c.name, classes=list(c.classes), absorbed=c.absorbed))
            continue
        columns = [c.name] if masks and c.labels == "flags" else [f"{c.name}_{k}" for k in c.read()]
        kind = {"multi": True} if c.labels == "flags" else {"counts": True}
        result.append(ah.Criterion(c.name, columns=columns, classes=list(c.classes), none=c.none_derived, **kind))
    return result


def frame(design: Design, records: Sequence[Record], rng: random.Random | None = None, *, masks: bool = False) -> Frame:
    """Columns of every type that the door takes, chosen by `rng`."""
    choose = rng.choice if rng else lambda of: of[0 if of is CODES else -1]
    columns: Frame = {}
    for i, c in enumerate(design.criteria):
        codes = [r.codes[i] for r in records]
        if c.labels == "single":
            columns[c.name] = np.array(codes, choose(CODES))
        elif masks and c.labels == "flags":
            columns[c.name] = np.array([sum(n << k for k, n in enumerate(code)) for code in codes], np.uint64)
        else:
            for k, name in enumerate(c.read()):
                columns[f"{c.name}_{name}"] = np.array([code[k] for code in codes], choose(CODES))
    columns["days"] = np.array([r.days for r in records], choose(DAYS))
    for k, name in enumerate(design.categories):
        columns[f"{name}_cents"] = np.array([r.cents[k] for r in records], choose(CENTS))
    columns["represents"] = np.array([r.represents for r in records], np.uint16)
    columns["stratum"] = np.array([r.stratum for r in records], choose(CODES[:3]))
    columns["person"] = np.array([r.person for r in records], np.int64)
    return columns


def arguments(design: Design, *, masks: bool = False) -> dict[str, Any]:
    """How the columns of `frame` are called and what they hold."""
    return {
        "criteria": criteria(design, masks=masks),
        "categories": {name: f"{name}_cents" for name in design.categories},
        "represents": "represents",
        "stratum": ah.Criterion("stratum", classes=list(design.strata)),
        "days_in_year": design.days_in_year,
        "days_max": design.days_max,
    }


def core_moments(
    design: Design,
    records: Sequence[Record],
    rng: random.Random | None = None,
    *,
    masks: bool = False,
    threads: int | None = 1,
) -> Any:
    return ah.Moments.from_records(
        frame(design, records, rng, masks=masks), **arguments(design, masks=masks), threads=threads
    )


def sums(found: Any, design: Design) -> Moments:
    """All sums of the core as the second implementation keeps them, without the zeros."""
    core = found.core
    absorbed = len(design.criteria[-1].classes) if design.criteria[-1].absorbed else 0
    m, p = Moments(design), len(design.names()) - absorbed
    assert (core.design.columns, core.design.absorbed_classes) == (p, absorbed)
    for s in range(len(design.strata)):
        xx, xd, xn = core.xx(s), core.xd(s), core.xn(s)
        m.xx.update({(s, j, k): int(xx[j][k]) for j in range(p) for k in range(p)})
        m.xd.update({(s, j): int(xd[j]) for j in range(p)})
        m.xn.update({(s, j): int(xn[j]) for j in range(p)})
        m.days[s], m.rows[s] = core.days_of(s), core.rows_of(s)
        if absorbed:
            m.xd.update({(s, p + a): int(v) for a, v in enumerate(core.absorbed_days(s))})
            m.xn.update({(s, p + a): int(v) for a, v in enumerate(core.absorbed_rows(s))})
        for c in range(len(design.categories)):
            m.cents[s, c] = core.cents_of(c, s)
            m.xc.update({(s, j, c): int(v) for j, v in enumerate(core.xc(c, s))})
            if absorbed:
                m.xc.update({(s, p + a, c): int(v) for a, v in enumerate(core.absorbed_cents(c, s))})
            for other in range(len(design.categories)):
                m.squares.update({(s, d, c, other): v for d, v in core.squares(c, other, s).items()})
    for part in Moments.PARTS:
        setattr(m, part, Counter({k: v for k, v in getattr(m, part).items() if v}))
    return m


def without_absorbed_products(m: Moments) -> Moments:
    """The sums that the core shows: the days that absorbed classes share with columns are seen in estimates only."""
    if not m.design.criteria[-1].absorbed:
        return m
    p = len(m.design.names()) - len(m.design.criteria[-1].classes)
    kept = Counter({(s, j, k): v for (s, j, k), v in m.xx.items() if j < p and k < p})
    return Moments(m.design, kept, m.xd, m.xn, m.xc, m.squares, m.days, m.cents, m.rows)


# Estimates ----------------------------------------------------------------------------------------------------------


def carrier_of(design: Design) -> str:
    """An absorbed criterion carries the total, else age and sex."""
    return next((c.name for c in design.criteria if c.absorbed), "age_sex")


def zero_sum_rules(design: Design, totals: Totals, carrier: str | None = None) -> list[Constraint]:
    """As the facade defines them: none for a set of flags or counts without a class of its own for none of them."""
    many = {c.name for c in design.criteria if c.labels != "single" and not c.none_derived}
    return [r for r in zero_sums(design, totals, carrier or carrier_of(design)) if r.name not in many]


def text(rule: Constraint, design: Design) -> str:
    """A constraint as users type it."""
    label = [f"{c.name}[{k}]" for c in design.criteria for k in c.classes]
    left = " + ".join(f"{float(v)!r} * {label[j]}" for j, v in rule.terms.items()).replace("+ -", "- ")
    return f"{left} {'==' if rule.relation == '=' else rule.relation} {float(rule.value)!r}"


def core_fit(
    data: Any, design: Design, rules: Sequence[Constraint] = (), levels: Levels | None = None, **options: Any
) -> Any:
    """The estimate of the facade with the zero-sums of its default carrier."""
    levels = levels or Levels()
    return ah.estimate(
        data,
        constraints=[text(r, design) for r in rules],
        factors=dict(zip(design.strata, map(float, levels.strata), strict=True)) if levels.strata else None,
        levels=dict(zip(design.categories, map(float, levels.categories), strict=True)) if levels.categories else None,
        **options,
    )


def weights(fit: Any) -> np.ndarray:
    """Weights in the order of the design, absorbed classes last."""
    found = fit.params.to_numpy()
    return found if fit.absorbed is None else np.concatenate([found, fit.absorbed.to_numpy()])


def expected_fit(totals: Totals, rules: Sequence[Constraint], *, keep_budget: bool = True) -> Fit:
    """The exact estimate: the budget is a constraint of its own only where it does not hold of itself."""
    try:
        fit = estimate(totals, rules)
        held = sum((a * b for a, b in zip(totals.xd, fit.weights, strict=True)), Fraction(0)) == totals.cost
    except NotDetermined:
        if not keep_budget:
            raise
        held = False
    return fit if held or not keep_budget else estimate(totals, [*rules, budget(totals)])
