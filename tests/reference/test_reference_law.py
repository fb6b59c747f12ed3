"""The law read twice, and the worked examples of the specification on official weights."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest

from .cases import YEAR, insured
from .country import Criterion, Mapping, Model, NeutralityRule, Share, from_dict, to_dict
from .groupers import Row, class_rows, has_morbidity
from .law_2021 import nl_2021
from .law_toml import load_model
from .payment import ex_ante

pytestmark = pytest.mark.published

FOLDER = Path(__file__).parents[2] / "params" / "nl" / "2021"


def _bare(criterion: Criterion) -> Criterion:
    for c in criterion.classes:
        c.key = c.label = c.source = ""
    criterion.exclusions.sort(key=lambda e: (e.keep, e.drop))
    return criterion


def _rule(rule: NeutralityRule) -> tuple[str, ...]:
    return (rule.share, rule.criterion, rule.rule, str(sorted(rule.reset)), str(sorted(rule.of)), rule.article)


def test_the_law_as_data_equals_a_second_transcription() -> None:
    ours, theirs = nl_2021(), load_model(FOLDER)
    assert theirs is not None, "params/nl/2021 is not there"
    for f in fields(Model):
        a, b = getattr(ours, f.name), getattr(theirs, f.name)
        if isinstance(a, Share):
            assert [_bare(c) for c in a.criteria] == [_bare(c) for c in b.criteria], f.name
        elif f.name == "neutrality":
            assert sorted(map(_rule, a)) == sorted(map(_rule, b))
        else:
            assert a == b, f.name


def test_a_model_survives_plain_dicts() -> None:
    assert from_dict(Model, to_dict(nl_2021())) == nl_2021()


def test_macro_amounts_add_up() -> None:
    m = nl_2021()  # 45,128.6 + 283.6 + 2,819.2 = 48,231.4 (art. 2)
    assert m.macro_variable + m.macro_fixed + m.macro_ggz == m.macro_total


# Section 12: man of 40-44, reference income, other household, no morbidity, one insured year.


def _man() -> Row:
    country = insured([1])
    return class_rows(country, nl_2021(structural=True), Mapping())[0]


def _contribution(row: Row) -> dict[str, Fraction]:
    """Ex ante euros without region, SES and fixed share. The deductible model follows the classes set by the test."""
    model = nl_2021(structural=True)
    variable = row.classes["variable"]
    for share, name in (("variable", "region"), ("variable", "ses"), ("deductible", "region")):
        row.classes[share][name] = ()
    if has_morbidity(model, variable):
        row.classes["deductible"] = {c.name: () for c in model.deductible.criteria}
    else:
        row.classes["deductible"]["mhk"] = variable["mhk"]
    paid = ex_ante([row], model, YEAR, fixed_per_insured=Fraction(0))
    exact = {part: amounts[1] / 100 for part, amounts in paid["exact"].items()}
    return exact | {"contribution": paid["contribution_exact"][1] / 100}


def _with(**codes: tuple[int, ...]) -> dict[str, Fraction]:
    row = _man()
    row.classes["variable"].update(codes)
    return _contribution(row)


def test_man_without_morbidity() -> None:
    # 2,055.80 - 279.95 - 380.53 - 80.84 - 28.18 + 2.05 - 598.55 - 24.17 - 187.13 = 478.50
    # 138.46 - 0.23 - 30.78 = 107.45
    result = _with()
    assert result["variable"] == Fraction("478.50")
    assert result["own_payments"] == Fraction("107.45")
    assert result["premium"] == 1417


def test_mhk_1_to_none_costs_672_92_when_the_forfait_is_left_alone() -> None:
    # 166.47 + 598.55 = 765.02; own payment 61.32 + 30.78 = 92.10 higher with MHK 1; 765.02 - 92.10 = 672.92
    none, one = _with(), _with(mhk=(1,))
    assert one["variable"] - none["variable"] == Fraction("765.02")
    assert one["contribution"] - none["contribution"] == Fraction("672.92")
    # with another flag both have the forfait of 357.26
    flagged = _with(mhk=(1,), fdg=(1,))["contribution"] - _with(fdg=(1,))["contribution"]
    assert flagged == Fraction("765.02")


def test_only_dkg_1_to_none() -> None:
    # 334.63 + 380.53 = 715.16; the forfait goes with it: 357.26 - 107.45 = 249.81; 715.16 - 249.81 = 465.35
    assert _with(dkg=(1,))["variable"] - _with()["variable"] == Fraction("715.16")
    assert _with(dkg=(1,))["contribution"] - _with()["contribution"] == Fraction("465.35")
    # with MHK 1: 357.26 - (107.45 + 92.10) = 157.71; 715.16 - 157.71 = 557.45
    assert _with(dkg=(1,), mhk=(1,))["contribution"] - _with(mhk=(1,))["contribution"] == Fraction("557.45")


def test_one_dkg_of_several_and_only_dkg_3() -> None:
    assert _with(dkg=(1, 1, 5))["variable"] - _with(dkg=(1, 5))["variable"] == Fraction("334.63")
    assert _with(dkg=(3,))["variable"] - _with()["variable"] == Fraction("1531.53")  # 1,151.00 + 380.53
