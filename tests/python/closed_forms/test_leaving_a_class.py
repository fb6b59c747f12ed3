"""Leaving one class costs what `anderhalf patient --to` says: one person, a run of the engine, before neutrality.

A programme takes one claim away, the person leaves one class in the year after, and channels c1 and d of that year are
the difference of the two amounts of `explain`. Person 0 stands for a thousand insured, so that cents of a share are no
error; neutrality rules are left out of the law, as in the worked examples of model.md 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from plain import START, Plain, born_at
from reference.country import Category, Diagnosis, Drug, Mapping
from reference.law_2021 import nl_2021
from rules import MARK, change, channel, programme, rule, run, selector

import anderhalf
from anderhalf import _core

STANDS_FOR = 1_000
BEFORE = START - 1
COUNTS = 100
AFTER = START + 1
MAPPING = Mapping(
    drugs=[Drug(12, fkg=12)],
    diagnoses=[Diagnosis(MARK, k, k, 3 if k == 3 else 1) for k in (1, 2, 3)],
    light_product_percent=100,
)


@dataclass
class Case:
    """Whom it is about, its claims (the first one goes), its classes before and after."""

    age: int
    goes: dict[str, Any]
    stays: list[dict[str, Any]]
    classes: dict[str, Any]
    to: dict[str, Any]
    printed: float | None = None
    sex: int = 1
    only: dict[str, Any] = field(default_factory=dict)


DRUGS = {"categories": [_core.Category.drugs]}


def hospital(cents: int, year: int = START, **more: Any) -> dict[str, Any]:
    line = {"category": Category.hospital, "cents": cents, "year": year, "specialism": MARK}
    return line | more


def dkg(diagnosis: int, **more: Any) -> dict[str, Any]:
    return hospital(10_00, diagnosis=diagnosis, **more)


HIGH = 100_000_00
"""Above the top 30% of every year, below the top 15%, as the other persons are made."""
DRUG = {"category": Category.drugs, "cents": 1_00, "year": START, "product": 12, "ddd": 365}
NURSE = {"category": Category.nursing, "cents": 50_000_00, "year": START, "specialism": MARK}

CASES = {
    "MHK 1, adult": Case(42, hospital(HIGH), [], {"mhk": 1}, {"mhk": 0}, -672.92),
    "MHK 1, child": Case(12, hospital(HIGH), [], {"mhk": 1}, {"mhk": 0}, -765.02),
    "MHK 1, forfait stays": Case(42, hospital(HIGH), [DRUG], {"mhk": 1, "fkg": [12]}, {"mhk": 0}, -765.02),
    "DKG 1 alone": Case(42, dkg(1), [], {"dkg": 1}, {"dkg": 0}, -465.35),
    "DKG 1 alone, MHK 1": Case(
        42, dkg(1), [hospital(HIGH, BEFORE, specialism=1)], {"dkg": 1, "mhk": 1}, {"dkg": 0}, -557.45
    ),
    "DKG 1 of several": Case(42, dkg(1), [dkg(2)], {"dkg": [1, 1]}, {"dkg": [1]}, -334.63, only={"diagnoses": [1]}),
    "DKG 3 alone": Case(42, dkg(3), [DRUG], {"dkg": 3, "fkg": [12]}, {"dkg": 0}, -1_531.53),
    "FKG 12, man": Case(42, {**DRUG, "specialism": MARK}, [], {"fkg": [12]}, {"fkg": 0}),
    "FKG 12, woman, DKG stays": Case(
        67, {**DRUG, "specialism": MARK}, [dkg(1)], {"fkg": [12], "dkg": 1}, {"fkg": 0}, sex=2, only=DRUGS
    ),
    "MVV, woman": Case(80, NURSE, [], {"mvv": 6}, {"mvv": 0}, sex=2),
}


def country(case: Case) -> Plain:
    """The person with an insurer of its own, and a hundred others with GP care of EUR 500 to 5,000 in every year, a
    row standing for a thousand."""
    random = np.random.default_rng(3)
    ages = np.concatenate([[case.age], random.integers(20, 80, COUNTS)])
    sex = np.concatenate([[case.sex], random.integers(1, 3, COUNTS)])
    insurer = np.concatenate([[1], random.integers(2, 4, COUNTS)])
    people = Plain(insurer, born_at(ages, AFTER), range(START - 6, AFTER + 1), STANDS_FOR, sex=sex)
    others = np.arange(1, 1 + COUNTS)
    for year in people.years:
        people.care(others, year, Category.gp, random.integers(500_00, 5_000_00, COUNTS))
    for claim in (case.goes, *case.stays):
        people.care(0, **claim)
    return people


def without_neutrality() -> Any:
    model = nl_2021(structural=True)
    model.neutrality = []
    return model


def classes_of(base: Any, year: int) -> dict[str, Any]:
    """Morbidity classes of person 0."""
    frame = base.frame(year)
    at = int(np.flatnonzero(frame["person"] == 1)[0])
    found: dict[str, Any] = {}
    for name, column in frame["classes"]["variable"].items():
        criterion, _, code = name.rpartition("_")
        if column[at] <= 0:
            continue
        if name in ("mhk", "mvv", "hkg", "fdg"):
            found[name] = int(column[at])
        elif criterion in ("fkg", "dkg"):
            found.setdefault(criterion, []).extend([int(code)] * int(column[at]))
    return found


def listed(classes: dict[str, Any]) -> dict[str, Any]:
    both = ("fkg", "dkg")
    return {k: [v] if k in both and isinstance(v, int) else v for k, v in classes.items() if v not in (0, [0])}


def said(case: Case, **more: Any) -> Any:
    """What `anderhalf patient --to` says; region and SES are left out when they are not given."""
    sex = "m" if case.sex == 1 else "f"
    return anderhalf.explain("nl-2021-structural", sex, case.age, {**case.classes, **more}, case.to).difference


@pytest.mark.published
@pytest.mark.parametrize("name", CASES)
def test_leaving_a_class_costs_what_anderhalf_patient_says(name: str) -> None:
    case = CASES[name]
    people = country(case)
    base, _ = people.baseline(without_neutrality(), MAPPING)
    assert classes_of(base, AFTER) == listed(case.classes)
    gone = programme(
        rule("avoid", selector(specialisms=[MARK], max_cents=case.goes["cents"], **case.only)), start=START
    )
    outcome = run(base, gone)
    first, after = outcome.years
    assert first["year"] == START
    assert change(first, "claims") == [-case.goes["cents"] * STANDS_FOR, 0, 0]
    assert not any(channel(first, "c1_classes", "d_expected_own_payments"))

    difference = said(case, region=1, ses=1 + (case.age >= 18) + (case.age >= 70))
    factor = after["baseline"]["variable_factor"]
    lost = channel(after, "c1_classes")
    expected = channel(after, "d_expected_own_payments")
    assert max(map(abs, lost[1:])) <= 1
    assert abs(lost[0] / STANDS_FOR / factor - difference.variable_eur * 100) < 0.01
    assert abs(-expected[0] / STANDS_FOR - difference.expected_own_payment_eur * 100) < 0.01
    in_all = lost[0] / factor + expected[0]
    assert abs(in_all / STANDS_FOR - difference.contribution_eur * 100) < 0.01
    if case.printed is not None:
        assert said(case).contribution_eur == case.printed

    # The second way: the country without the claim, granted ex ante.
    changed = Plain(people.insurer, people.birth_month, people.years, STANDS_FOR, sex=people.sex)
    changed.claims = [c for c in people.claims if c is not people.claims[len(people.years)]]
    again, _ = changed.baseline(without_neutrality(), MAPPING)
    left = [v for k, v in {**case.classes, **case.to}.items()]
    assert classes_of(again, AFTER) == listed({**case.classes, **case.to}), left
