"""Programmes of one rule, as structs of the core."""

from __future__ import annotations

from typing import Any

from reference.country import Category

from anderhalf import _core

FULL = 1_000_000
MARK = 9_999
"""A specialism of our own: claims that a rule of a test looks for."""


def selector(*categories: Category, **fields: Any) -> Any:
    s = _core.Selector()
    s.categories = [_core.Category(int(c)) for c in categories]
    for name, value in fields.items():
        setattr(s, name, value)
    return s


def rule(act: str, claims: Any, **fields: Any) -> Any:
    r = _core.Rule()
    r.key, r.act, r.claims, r.share_ppm = act, getattr(_core.Act, act), claims, FULL
    r.per = _core.Per.claim
    for name, value in fields.items():
        setattr(r, name, value)
    return r


def programme(*rules: Any, start: int, name: str = "closed form", **fields: Any) -> Any:
    p = _core.Programme()
    p.name, p.id, p.start_year, p.ramp_ppm = name, 1, start, [FULL]
    p.rules = list(rules)
    for key, value in fields.items():
        setattr(p, key, value)
    return p


def run(base: Any, *programmes: Any, decompose: bool = True, threads: int = 1) -> Any:
    substitutions = [_core.Substitution(p) for p in programmes]
    return _core.simulate(base, substitutions, _core.survey(base, substitutions), decompose, threads)


def channel(year: dict[str, Any], *names: str) -> list[int]:
    """Sum of channels by insurer, in the fixed order."""
    at = [list(_core.channel_names).index(n) for n in names]
    return [sum(row[k] for k in at) for row in year["forward"]]


def change(year: dict[str, Any], part: str = "result") -> list[int]:
    return [b - a for a, b in zip(year["baseline"][part], year["scenario"][part], strict=True)]
