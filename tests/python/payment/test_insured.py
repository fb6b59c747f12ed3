"""From a frame to the totals of a payment: against a plain loop, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pay_country import country, counts

import anderhalf as ah
from anderhalf.columns import source
from anderhalf.errors import DomainError, NotFoundError
from anderhalf.insured import Totals, Wanted, classes_of, column_names, shares_of, totals
from anderhalf.model import Model

YEARS = ("nl-2015", "nl-2019", "nl-2020", "nl-2021")
ALL = Wanted(costs=("variable", "ggz"), money=("fixed_cents",), under_18=True, users=("ggz",))


def read(model: Model, frame: Any, wanted: Wanted = ALL) -> Totals:
    data = source(frame)
    return totals(data, classes_of(model, data.names), wanted)


@pytest.mark.parametrize("name", YEARS)
def test_class_days_are_those_of_a_plain_loop_over_records(name: str) -> None:
    model = ah.load_model(name)
    frame = country(model, 400)
    result, expected = read(model, frame), counts(model, frame)
    seen = 0
    for share, law in shares_of(model).items():
        column = 0
        for criterion, code in [(c.name, k.code) for c in law.criteria for k in c.classes] + (
            [("forfait", 0)] if share == "deductible" else []
        ):
            for i, insurer in enumerate(result.insurers):
                found = expected.get((share, criterion, code, str(insurer)), {})
                here, away = int(found.get(False, 0)), int(found.get(True, 0))
                assert result.shares[share].classes[i, column] == here + away, (share, criterion, code)
                assert result.shares[share].abroad[i, column] == away, (share, criterion, code)
                seen += here + away > 0
            column += 1
        assert column == result.shares[share].classes.shape[1]
    assert seen > 300


def test_days_heads_and_money_are_sums_over_records() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 300)
    result = read(model, frame)
    by = frame.assign(**{c: frame[c] * frame.represents for c in ("days", "under_18", "variable_cents", "fixed_cents")})
    ages = {c.code: c.age_min for c in model.variable.criterion("age_sex").classes}
    by["adult_days"] = by.days * (frame.age_sex.map(ages) >= 18)
    sums = by.groupby("insurer").sum(numeric_only=True)
    assert list(result.insurers) == list(sums.index)
    assert result.days.tolist() == sums.days.tolist()
    assert result.adult_days.tolist() == sums.adult_days.tolist()
    assert result.under_18.tolist() == sums.under_18.tolist()
    assert result.shares["variable"].cost.tolist() == sums.variable_cents.tolist()
    assert result.money["fixed_cents"].tolist() == sums.fixed_cents.tolist()
    assert result.records.sum() == 300
    assert len(result.users["ggz"].person) == (frame.ggz_cents > 0).sum()


def test_order_slices_and_kinds_of_frames_leave_no_trace(tmp_path: Path) -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 200)
    one = read(model, frame)
    for k, part in enumerate((frame[:70], frame[70:])):
        (tmp_path / "data").mkdir(exist_ok=True)
        part.to_csv(tmp_path / "data" / f"{k}.csv", index=False)
    shuffled = frame.sample(frac=1, random_state=3)
    for other in (tmp_path / "data", shuffled, {c: shuffled[c].to_numpy() for c in shuffled.columns}):
        two = read(model, other)
        assert two.insurers == one.insurers
        for share in one.shares:
            assert np.array_equal(two.shares[share].classes, one.shares[share].classes)
            assert np.array_equal(two.shares[share].cost, one.shares[share].cost)


def test_insurers_of_numbers_stand_in_their_own_order() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 60, insurers=12)
    frame["insurer"] = frame.insurer.str.removeprefix("insurer ").astype(int)
    assert read(model, frame).insurers == tuple(sorted(frame.insurer.unique()))


def test_detained_adults_pay_no_premium_and_no_deductible() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 100, abroad=0)
    adult = frame.age_sex.map({c.code: c.age_min for c in model.variable.criterion("age_sex").classes}) >= 18
    held = frame.assign(detained=(adult & (frame.person % 7 == 0)).astype(int))
    days = held.days * held.represents
    result, free = read(model, held), read(model, held[held.detained == 0])
    assert result.detained_days.sum() == (days * held.detained).sum() > 0
    assert result.adult_days.sum() == free.adult_days.sum()
    assert np.array_equal(result.shares["deductible"].classes, free.shares["deductible"].classes)
    assert result.shares["ggz"].classes.sum() > free.shares["ggz"].classes.sum()


def test_columns_of_its_own_go_before_what_would_be_derived() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 80)
    own = frame.assign(deductible_forfait=0)
    result = read(model, own)
    assert result.shares["deductible"].classes[:, -1].sum() == 0
    assert read(model, frame).shares["deductible"].classes[:, -1].sum() > 0


def test_everything_missing_is_named_at_once() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 20).drop(columns=["mhk", "fkg_3", "ggz_mhk"])
    with pytest.raises(NotFoundError, match="3 class columns are missing: fkg_3, mhk, ggz_mhk"):
        read(model, frame)
    with pytest.raises(NotFoundError, match="fixed_cents"):
        read(model, country(model, 20).drop(columns=["fixed_cents"]))
    with pytest.raises(NotFoundError, match="under_18"):
        read(model, country(model, 20).drop(columns=["under_18"]))


def spoiled(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    wrong = frame.copy()
    for name, value in values.items():
        wrong.loc[wrong.index[3], name] = value
    return wrong


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"days": 366}, "column days: 1 value outside 1..365 \\(row 3\\)"),
        ({"age_sex": 43}, "column age_sex: 1 code that is no class \\(row 3\\), expected 1..42"),
        ({"fkg_2": 2}, "column fkg_2: 1 value outside its range \\(row 3\\), expected 0 or 1"),
        ({"abroad": 1, "hkg_1": 1}, "column hkg_1: 1 insured abroad has a class"),
        ({"abroad": 1, "fdg": 2}, "column fdg: 1 insured abroad has a class"),
        ({"avi": 1}, "column avi: 1 class of another age or sex"),
        ({"under_18": 1, "age_sex": 10}, "column under_18: 1 adult counted"),
        ({"person": 4, "days": 365}, "column person: 1 person is insured for more days than the year has"),
        ({"abroad": 3}, "column abroad: 1 value other than 0 and 1"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, dict) else "",
)
def test_a_value_outside_its_range_is_refused_with_its_row(values: dict[str, int], words: str) -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 12, abroad=0)
    frame["age_sex"], frame["under_18"] = 10, 0
    frame["avi"] = next(c.code for c in model.variable.criterion("avi").classes if c.age_min <= 35 <= c.age_max)
    for name in ("ses", "ppa"):
        frame[name] = next(c.code for c in model.variable.criterion(name).classes if c.age_min <= 35 <= c.age_max)
    frame["mvv"] = frame["ggz_region"] = 1
    frame["days"] = 365
    read(model, frame)
    with pytest.raises(DomainError, match=words):
        read(model, spoiled(frame, **values))


def test_all_problems_of_a_frame_come_at_once_and_tell_no_value() -> None:
    model = ah.load_model("nl-2021")
    frame = country(model, 30)
    frame.loc[2, "days"], frame.loc[5, "mhk"], frame.loc[7, "represents"] = 4321, 99, 0
    with pytest.raises(DomainError) as caught:
        read(model, frame)
    assert {p.where for p in caught.value.problems} == {"column days", "column mhk", "column represents"}
    assert "4321" not in str(caught.value)
    assert "99" not in str(caught.value)


def test_the_columns_of_a_share_carry_its_name() -> None:
    model = ah.load_model("nl-2015")
    names = {share: column_names(share, law.criteria[0])[0] for share, law in shares_of(model).items()}
    assert names == {
        "variable": "age_sex",
        "ggz": "ggz_age_sex",
        "nursing": "nursing_age_sex",
        "deductible": "deductible_age_sex",
    }
