"""Small random countries as frames, for any model year, and their totals by a plain loop over records."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pandas as pd

from anderhalf.model import Criterion, Model, RiskClass

HOME = ("region", "ses", "ppa", "one_person")
IN_KIND = ("fkg", "dkg", "dkg_primary", "dkg_secondary", "hkg", "fdg")


def plain(name: str) -> str:
    return name.removeprefix("ggz_").removeprefix("nursing_")


def covers(outer: RiskClass, inner: RiskClass) -> bool:
    return (
        outer.age_min <= inner.age_min
        and inner.age_max <= outer.age_max
        and outer.sex in (0, inner.sex)
        and outer.born in (0, inner.born)
    )


def country(model: Model, rows: int, seed: int = 1, insurers: int = 3, abroad: float = 0.1) -> pd.DataFrame:
    """Records with consistent classes: everything a settlement of the year asks for."""
    draw = random.Random(f"{model.name} {seed}")
    found = []
    for person in range(rows):
        age = draw.choice(model.variable.criterion("age_sex").classes)
        away = draw.random() < abroad
        adult = age.age_min >= model.adult_age
        row: dict[str, Any] = {
            "person": person,
            "insurer": f"insurer {draw.randrange(insurers)}",
            "days": draw.randint(1, 365),
            "represents": draw.randint(1, 3),
            "abroad": int(away),
            "under_18": int(not adult and draw.random() < 0.9),
            "variable_cents": draw.randint(0, 900_000),
            "ggz_cents": draw.randint(1, 5_000_000) if adult and draw.random() < 0.4 else 0,
            "nursing_cents": draw.randint(0, 300_000),
            "fixed_cents": draw.randint(0, 20_000),
            "own_payments_mandatory_cents": draw.randint(0, 38_500) if adult else 0,
            "age_sex": age.code,
        }
        for criterion in model.variable.criteria[1:]:
            if criterion.name != "gsm":
                row |= classes(criterion, criterion.name, age, away, draw)
        for criterion in model.ggz.criteria:
            if plain(criterion.name) not in ("age_sex", "avi", "ses", "ppa"):
                row |= classes(criterion, criterion.name, age, away, draw, adult)
        for criterion in model.nursing.criteria:
            if criterion.name.startswith("nursing_"):
                row |= classes(criterion, criterion.name, age, away, draw)
        found.append(row)
    return pd.DataFrame(found)


def classes(
    criterion: Criterion, name: str, age: RiskClass, away: bool, draw: random.Random, given: bool = True
) -> dict[str, int]:
    healthy = draw.random() < 0.6 or (away and plain(criterion.name) in IN_KIND)
    if criterion.assignment == "single":
        fits = [c.code for c in criterion.classes if covers(c, age)]
        if not given or not fits or (away and plain(criterion.name) in HOME):
            return {name: 0}
        return {name: 0 if healthy and 0 in fits else draw.choice(fits)}
    most = 1 if criterion.assignment == "all" else 3
    return {
        f"{name}_{c.code}": draw.randint(1, most) if given and not healthy and draw.random() < 0.1 else 0
        for c in criterion.classes
        if c.code
    }


def counts(model: Model, frame: pd.DataFrame) -> dict[tuple[str, str, int, str], Counter[bool]]:
    """Insured days by share, criterion, code and insurer, home and abroad apart, record by record.

    The forfait is criterion ``forfait``, code 0.
    """
    total: dict[tuple[str, str, int, str], Counter[bool]] = {}
    ages = {c.code: c for c in model.variable.criterion("age_sex").classes}
    groups = {c.name: {k.code: k.group for k in c.classes} for c in model.variable.criteria if c.assignment == "single"}
    for row in frame.to_dict("records"):
        age, away, days = ages[row["age_sex"]], bool(row["abroad"]), row["days"] * row["represents"]
        adult = age.age_min >= model.adult_age

        def add(share: str, criterion: str, code: int, times: int = 1) -> None:
            key = (share, criterion, code, row["insurer"])  # noqa: B023
            total.setdefault(key, Counter())[away] += days * times  # noqa: B023

        def some(name: str) -> bool:
            criterion = model.variable.criterion(name)
            if criterion.assignment == "single":
                return bool(row[name] != 0)  # noqa: B023
            return any(row[f"{name}_{c.code}"] for c in criterion.classes if c.code)  # noqa: B023

        def own(share: str, criterion: Criterion) -> None:
            if away and plain(criterion.name) in HOME:  # noqa: B023
                return
            if criterion.assignment != "single":
                times = {c.code: row[f"{criterion.name}_{c.code}"] for c in criterion.classes if c.code}  # noqa: B023
                for code, n in times.items():
                    if n:
                        add(share, criterion.name, code, n)
                if not any(times.values()):
                    add(share, criterion.name, 0)
            elif any(covers(c, age) for c in criterion.classes):  # noqa: B023
                add(share, criterion.name, row[criterion.name])  # noqa: B023

        def like(share: str, criterion: Criterion) -> None:
            """The class of the same person, by age, sex and group."""
            name = plain(criterion.name)
            if away and name in HOME:  # noqa: B023
                return
            for c in criterion.classes:
                same = name == "age_sex" or (
                    c.code == row["mhk"] if name == "mhk" else c.group == groups[name][row[name]]  # noqa: B023
                )
                if same and covers(c, age):  # noqa: B023
                    add(share, criterion.name, c.code)

        for criterion in model.variable.criteria:
            if criterion.name == "gsm":
                ill = any(some(name) for name in ("fkg", "dkg", "hkg", "mhk"))
                key = f"{'morbidity' if ill else 'no_morbidity'}_{'65_plus' if age.age_min >= 65 else '0_64'}"
                add("variable", "gsm", next(c.code for c in criterion.classes if c.key == key))
            else:
                own("variable", criterion)
        for criterion in model.nursing.criteria:
            (own if criterion.name.startswith("nursing_") else like)("nursing", criterion)
        if not adult:
            continue
        for criterion in model.ggz.criteria:
            (like if plain(criterion.name) in ("age_sex", "avi", "ses", "ppa") else own)("ggz", criterion)
        if any(some(name) for name in model.morbidity_criteria) or row["mhk"] >= model.forfait_from_mhk:
            add("deductible", "forfait", 0)
        else:
            for criterion in model.deductible.criteria:
                like("deductible", criterion)
    return total
