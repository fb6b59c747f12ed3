"""Macro amounts 2012-2026 against the texts, against the model years, and against each other."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

import anderhalf as ah
from anderhalf._paths import data_directory
from anderhalf.errors import ParameterError
from anderhalf.macro import macro_year, read_macro_amounts
from anderhalf.parameters import model_names, read_law

LAW = os.environ.get("ANDERHALF_LAW", "")
needs_law = pytest.mark.skipif(not LAW, reason="set ANDERHALF_LAW to the folder with the texts")
FILE = data_directory("params") / "nl" / "macro_amounts.toml"
YEARS = range(2012, 2027)


@pytest.mark.published
def test_every_published_sum_closes_but_for_the_rounding_of_the_print() -> None:
    # Sums of the table in the order of the years, added here by hand of pandas and not by the reader of the file.
    frame = ah.macro_amounts()
    gaps: dict[tuple[int, str], float] = {}
    for key, parts in frame[frame.adds_to != ""].groupby(["year", "adds_to"]):
        year, target = key  # type: ignore[misc]  # two keys, two values
        whole = frame[(frame.year == year) & (frame.name == ("total" if target == "funding" else target))].value
        if parts.value.notna().all() and whole.notna().all():
            gaps[(int(str(year)), str(target))] = round(parts.value.sum() - whole.iloc[0], 6)
    print(f"macro amounts: {len(gaps)} printed sums close")
    assert len(gaps) == 22
    assert {key: gap for key, gap in gaps.items() if gap} == {
        (2012, "funding"): 0.1,
        (2013, "funding"): -0.1,
        (2021, "funding"): -0.1,
        (2024, "total"): -0.1,
    }
    assert [year for year, target in gaps if target == "total"] == [*range(2012, 2016), *range(2017, 2022), 2023, 2024,
                                                                   2025]  # fmt: skip
    assert [year for year, target in gaps if target == "funding"] == [*range(2012, 2016), *range(2018, 2022)]
    assert [year for year, target in gaps if target == "ggz"] == [2012, 2013]


def printed(text: str) -> Decimal:
    return Decimal(re.sub(r"[.\s]", "", text).replace(",", "."))


@needs_law
@pytest.mark.oracle
def test_45_of_45_amounts_of_2012_to_2015_equal_a_second_reading_of_the_texts() -> None:
    order = {
        2012: "total free_segment hospital_variable hospital_fixed ggz other_care ggz_under_18 ggz_adults",
        2013: "total medical_specialist fixed ggz other_care ggz_under_18 ggz_adults",
        2014: "total medical_specialist fixed ggz other_care",
        2015: "total variable fixed ggz nursing",
    }
    compared = 0
    for year, names in order.items():
        text = (Path(LAW) / f"regeling-risicoverevening-{year}.md").read_text(encoding="utf-8")
        found = [printed(amount) for amount in re.findall(r"€\s*([\d.\s]+,\d)\s*miljoen", text)]
        premium = re.search(r"nominale rekenpremie per jaar bedraagt €\s*([\d.\s]+?)\s*per", text)
        forfait = re.search(r"bedoeld in het eerste lid, bedraagt.*?€\s*([\d,]+?)\s*(?:per|voor)", text)
        assert premium is not None
        assert forfait is not None
        found += [printed(premium.group(1)), printed(forfait.group(1))]
        row = macro_year(year)
        assert row is not None
        wanted = [*names.split(), "premium", "deductible", "fund_payment", "calculation_premium", "forfait"]
        assert list(row.values) == wanted
        assert found == list(row.values.values()), year
        compared += len(found)
    print(f"macro amounts: {compared} of {compared} equal the texts of 2012-2015")
    assert compared == 45


@pytest.mark.oracle
def test_amounts_equal_those_of_the_model_years() -> None:
    compared = {}
    for name in model_names(data_directory("params") / "nl"):
        if not name.removeprefix("nl-").isdecimal():
            continue
        law = read_law(data_directory("params") / "nl", name)
        row = macro_year(law.source.year)
        assert row is not None
        budget, revenue = law.macro_budget.macro_budget, law.macro_budget.revenue
        pairs = {
            "total": budget.total, "variable": budget.variable_care, "fixed": budget.fixed_care,
            "ggz": budget.mental_care, "nursing": budget.nursing_care, "premium": revenue.premium,
            "deductible": revenue.deductible, "fund_payment": revenue.fund_payment,
            "calculation_premium": law.premium_and_deductible.premium.calculation_premium,
            "forfait": law.premium_and_deductible.deductible.forfait,
        }  # fmt: skip
        same = {key: value.value for key, value in pairs.items() if value is not None and key in row.values}
        assert same == {key: row.values[key] for key in same}, name
        assert (row.url, row.status) == (law.source.url, "final")
        compared[law.source.year] = len(same)
    print(f"macro amounts: equal to params/nl/<year>: {compared}")
    assert {year: compared[year] for year in (2015, 2019, 2020, 2021)} == {2015: 10, 2019: 9, 2020: 9, 2021: 9}


def test_what_was_not_found_has_no_value_and_says_so() -> None:
    frame = ah.macro_amounts()
    assert list(dict.fromkeys(frame.year)) == list(YEARS)
    assert (frame.value.isna() == (frame.status == "expected")).all()
    assert frame.status.value_counts().to_dict() == {"final": 88, "expected": 43, "draft": 14}
    known = frame[frame.value.notna()]
    assert ((known.article != "") & (known.url != "") & (known.term != "")).all()
    assert set(frame[frame.year == 2026].status) == {"expected"}
    assert set(frame[frame.status == "draft"].year) == {2023, 2024, 2025}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("45128.6", "45128.7", "amounts that add up to total but for 0, not for 0.1"),
        ("rounding = { funding = 0.1 }", "", "amounts that add up to funding but for 0, not for 0.1"),
        ("value = 642.9", 'value = 642.9, status = "expected"', "either a value, or status expected"),
        ('status   = "draft"', 'status   = "expected"', "values, or status expected"),
        ("year     = 2016", "year     = 2015", "years that count up"),
        ('name = "premium", value = 18178.5', 'name = "premium", amount = 18178.5', "unknown key"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "macro_amounts.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_macro_amounts(tmp_path / "macro_amounts.toml")
    assert said in str(caught.value)


def test_models_show_the_macro_total_of_their_year() -> None:
    frame = ah.models().set_index("name")
    assert frame.loc["nl-2021", "macro_eur_million"] == 48231.4
    assert frame.loc["nl-2021", "macro_status"] == "final"
