"""`_core.pay` of 2012 to 2014 against the second implementation: every line of every insurer, to the cent.

The grant of all three years and every settlement of 2014; its rules by hand from the texts: Regeling risicoverevening
2012, 2013, 2014 (R12, R13, R14) and the Beleidsregels of these years (B12, B13, B14).
"""

from __future__ import annotations

import dataclasses
import random
from fractions import Fraction
from typing import Any

import pytest
from payment_bridge import as_counts, columns, counts, lines_of, totals
from reference.country import NeutralityRule
from reference.payment import Undefined
from reference.payment_country import random_country, random_expected
from reference.payment_rules import STAGES, Band, Rules
from reference.payment_steps import Country, Days, pay

from anderhalf import _core
from anderhalf.errors import DomainError, NotFoundError, ParameterError
from anderhalf.model import Model, load_model

pytestmark = pytest.mark.oracle

MILLION = 100_000_000
COUNTRIES = 60
GRANT = [("nl-2012", "ex_ante"), ("nl-2013", "ex_ante"), ("nl-2014", "ex_ante")]
SETTLEMENTS = [("nl-2014", stage) for stage in STAGES if stage != "ex_ante"]


def tables_of(model: Model) -> dict[str, Any]:
    return {share.name: share for share in model.shares}


def rules_of(name: str, tables: dict[str, Any]) -> Rules:
    """R12 2, 7, 8, 22 and B12 7-13; R13 2, 7, 8, 21 and B13 7-12; R14 2, 8, 9, 11(4), 16, 18, 20 and B14 7-38."""
    tenth = MILLION // 10
    settings: dict[str, dict[str, Any]] = {
        "nl-2012": {
            "days_in_year": 366,
            "macro": {"free_segment": 133_464, "hospital_variable": 30_621, "fixed": 24_649, "ggz_under_18": 6_429,
                      "ggz": 32_189, "other_care": 128_988},
            "shares": ("free_segment", "hospital_variable", "ggz_under_18", "ggz", "other_care"),
            "premium": 105_000, "administration": 5_000, "forfait": 22_000, "forfait_ex_post": 22_000,
            "abroad": {"fkg": Fraction(45, 100), "dkg": Fraction(55, 100)},
            "detained": Fraction(8_258, 10_000_000),
        },
        "nl-2013": {
            "days_in_year": 365,
            "macro": {"medical_specialist": 180_783, "fixed": 28_430, "ggz_under_18": 6_615, "ggz": 34_831,
                      "other_care": 135_377},
            "shares": ("medical_specialist", "ggz_under_18", "ggz", "other_care"),
            "premium": 115_400, "administration": 5_000, "forfait": 31_351, "forfait_ex_post": 31_351,
            "abroad": {"fkg": Fraction(45, 100), "dkg": Fraction(55, 100), "ggz_fkg": Fraction(1, 2)},
            "detained": Fraction(8_258, 10_000_000),
        },
        "nl-2014": {
            "days_in_year": 365,
            "macro": {"medical_specialist": 191_366, "fixed": 32_949, "ggz": 37_390, "other_care": 136_633},
            "shares": ("medical_specialist", "ggz", "other_care"),
            "premium": 112_100, "administration": 5_000, "forfait": 33_848, "forfait_ex_post": 33_848,
            "abroad": {"fkg": Fraction(55, 100), "dkg": Fraction(1, 2), "hkg": Fraction(0), "ggz_fkg": Fraction(1, 2),
                       "ggz_dkg": Fraction(0)},
            "detained": Fraction(7_479, 10_000_000),
            "tables": {"ggz": "ggz_hcc"},
            "tables_without_hcc": {"ggz": "ggz"},
            "hcc": {"ggz": ("second_provisional", "final")},
            "phi": dict.fromkeys(("medical_specialist", "ggz", "other_care"), Fraction(1)),
            "bands": {"medical_specialist": Band(Fraction(40), Fraction(9, 10)),
                      "ggz": Band(Fraction(25, 2), Fraction(9, 10))},
        },
    }  # fmt: skip
    own = settings[name]
    own["macro"] = {share: amount * tenth for share, amount in own["macro"].items()}
    rules = Rules(name=name, fixed_by_history=True, **own)
    if name == "nl-2014":  # B14 18(2)-(4), 20(2)-(3), 21(2)-(4): class 0; of the low threshold classes 0 and 2 alike
        somatic = ("medical_specialist", "other_care")
        zero = [(share, criterion, [0]) for share in somatic for criterion in ("dkg", "hkg", "mhk")]
        zero += [("ggz", "ggz_dkg", [0]), ("ggz", "ggz_low_threshold", [0, 2])]
        rules.neutrality = [NeutralityRule(*row[:2], "zero_sum", row[2], [], "11(4)") for row in zero]
        assert all(r.criterion in {c.name for c in tables[r.share].criteria} for r in rules.neutrality)
    return rules


def core_pay(
    model: Model,
    rules: Rules,
    country: Country,
    stage: str,
    mode: str,
    expected: dict[str, tuple[Days, int]] | None,
) -> Any:
    tables = tables_of(model)
    ahead = [] if expected is None else [counts(tables[n], expected[n], rules.days_in_year) for n in rules.shares]
    own = None if expected is None else counts(tables["deductible"], expected["deductible"], rules.days_in_year)
    given = totals(rules, tables, country)
    return _core.pay(model.core, given, getattr(_core.Stage, stage), getattr(_core.Rounding, mode), ahead, own)


def case(name: str, seed: int, stage: str) -> tuple[Model, Rules, Country, dict[str, tuple[Days, int]] | None]:
    model = load_model(name)
    tables = tables_of(model)
    rules = rules_of(name, tables)
    rng = random.Random(f"{name} {seed} {stage}")
    country = random_country(rng, rules, tables, stage)
    expected = random_expected(rng, rules, country) if stage != "ex_ante" and rng.random() < 0.8 else None
    return model, rules, country, expected


@pytest.mark.parametrize(("name", "stage"), [*GRANT, *SETTLEMENTS])
def test_every_line_is_that_of_the_second_implementation(name: str, stage: str) -> None:
    paid, items = 0, set()
    for seed in range(COUNTRIES):
        model, rules, country, expected = case(name, seed, stage)
        for mode in ("exact", "legal"):
            try:
                ahead = None if expected is None else as_counts(expected)
                wanted = pay(rules, tables_of(model), country, stage, mode=mode, expected=ahead)
            except Undefined:
                with pytest.raises(DomainError):
                    core_pay(model, rules, country, stage, mode, expected)
                continue
            statement = core_pay(model, rules, country, stage, mode, expected)
            where = (name, seed, stage, mode)
            assert lines_of(statement) == {key: c for key, c in wanted.lines.items() if any(c)}, where
            assert list(statement.contribution) == wanted.contribution, where
            paid += 1
            items |= set(lines_of(statement))
    assert paid > COUNTRIES  # most countries have an amount in both ways of rounding
    assert {share for share, item in items if item == "normative"} == {*rules.shares, "fixed"}
    if stage in ("second_provisional", "final"):
        assert {("ggz", "high_cost_compensation"), ("ggz", "bandwidth"), ("medical_specialist", "bandwidth")} <= items


def test_another_amount_is_found() -> None:
    model, rules, country, _ = case("nl-2014", 1, "ex_ante")
    changed = dataclasses.replace(rules, premium=2 * rules.premium)
    wanted = pay(changed, tables_of(model), country, "ex_ante", mode="exact", expected=None)
    statement = core_pay(model, rules, country, "ex_ante", "exact", None)
    assert lines_of(statement) != {key: c for key, c in wanted.lines.items() if any(c)}


@pytest.mark.parametrize("name", ["nl-2012", "nl-2013"])
def test_a_settlement_with_rules_that_are_not_there_is_refused(name: str) -> None:
    model, rules, country, _ = case(name, 0, "final")
    with pytest.raises(ParameterError, match="steps of stage final"):
        core_pay(model, rules, country, "final", "exact", None)


def test_a_share_of_another_year_is_refused() -> None:
    model, rules, country, _ = case("nl-2014", 0, "ex_ante")
    given = totals(rules, tables_of(model), country)
    other = load_model("nl-2013")
    with pytest.raises(NotFoundError, match="totals of share ggz_under_18"):
        _core.pay(other.core, given, _core.Stage.ex_ante, _core.Rounding.exact, [], None)


def test_columns_of_a_share_are_those_of_its_annex() -> None:
    assert len(columns(load_model("nl-2012").historical[1])) == 127
