"""What is refused at the door of moments and estimates: messages say where, what, what was expected and what came.

No message may hold a value of a person: the columns carry costs, days and codes that occur nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import anderhalf as ah
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, ShapeError

COST = 987_654_321
DAYS = 353


def good() -> dict[str, np.ndarray]:
    """Six records in a model of three criteria, determined under zero-sums."""
    return {
        "age_sex": np.array([0, 1, 0, 1, 0, 1], np.uint8),
        "mhk": np.array([0, 0, 1, 1, 0, 1], np.uint8),
        "fkg_1": np.array([0, 1, 0, 0, 0, 1], np.uint8),
        "fkg_2": np.array([0, 1, 1, 0, 0, 0], np.uint8),
        "days": np.array([365, DAYS, 365, 20, 365, 365], np.int32),
        "cost_cents": np.array([COST, 0, 1_234_567, 7_777_777, 31_415_926, 5], np.int64),
        "represents": np.array([1, 2, 1, 1, 1, 1], np.uint16),
        "stratum": np.zeros(6, np.uint8),
    }


def model() -> list[Any]:
    return [
        ah.Criterion("age_sex", classes=2),
        ah.Criterion("mhk", classes=["none", "high"]),
        ah.Criterion("fkg", columns=["fkg_1", "fkg_2"], multi=True, none=True),
    ]


def moments(frame: Any = None, **options: Any) -> Any:
    return ah.Moments.from_records(
        good() if frame is None else frame,
        **{"criteria": model(), "represents": "represents", "stratum": ah.Criterion("stratum", classes=2)} | options,
    )


def refused(kind: type[AnderhalfError], call: Callable[[], Any], *problems: tuple[str, str, str, str]) -> None:
    """The call is refused with exactly these problems; of where, what, expected and got the beginning is given."""
    with pytest.raises(kind) as caught:
        call()
    found = [(p.where, p.what, p.expected, p.got) for p in caught.value.problems]
    assert len(found) == len(problems), str(caught.value)
    for got, wanted in zip(found, problems, strict=True):
        for part, beginning in zip(got, wanted, strict=True):
            assert part.startswith(beginning), str(caught.value)
            assert beginning or not part, str(caught.value)
    message = str(caught.value)
    for p in caught.value.problems:
        assert str(p) in message
    for value in (COST, DAYS, 1_234_567, 7_777_777, 31_415_926, "hidden"):
        assert str(value) not in message


Bad = tuple[str, Any, type[AnderhalfError], list[tuple[str, str, str, str]]]

COLUMNS: dict[str, Bad] = {
    "a code beyond the classes": (
        "mhk",
        np.array([0, 0, 1, 77, 0, 1], np.uint8),
        DomainError,
        [("records", "mhk: unknown classes", "codes 0..1", "1 row (first: 3)")],
    ),
    "codes beyond the classes in many rows": (
        "mhk",
        np.full(6, 255, np.uint8),
        DomainError,
        [("records", "mhk: unknown classes", "codes 0..1", "6 rows (first: 0, 1, 2, 3, 4)")],
    ),
    "a code below zero": (
        "mhk",
        np.array([0, 0, 1, -77, 0, 1]),
        DomainError,
        [("column mhk", "1 code", "0..1", "")],
    ),
    "a label that is no class": (
        "mhk",
        np.array(["none", "high", "none", "hidden", "high", "none"]),
        DomainError,
        [("column mhk", "1 label", "one of 2 classes, such as none, high", "")],
    ),
    "a label that is missing": (
        "mhk",
        np.array(["none", "high", "none", None, "high", "none"], object),
        DomainError,
        [("column mhk", "1 value is missing (row 3)", "a value in every row", "")],
    ),
    "codes as floats": (
        "mhk",
        np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        DomainError,
        [("column mhk", "holds floating-point numbers, which are never cut", "class codes", "float64")],
    ),
    "codes as floats with a NaN": (
        "mhk",
        np.array([0.0, 1.0, 0.0, np.nan, 0.0, 1.0]),
        DomainError,
        [("column mhk", "holds floating-point numbers, which are never cut", "class codes", "float64")],
    ),
    "a flag of two": (
        "fkg_1",
        np.array([0, 0, 0, 2, 0, 0], np.uint8),
        DomainError,
        [("records", "fkg=1: flags", "0..1", "1 row (first: 3)")],
    ),
    "cost as floats": (
        "cost_cents",
        np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        DomainError,
        [("column cost_cents", "holds floating-point numbers, which are never cut", "whole cents", "float64")],
    ),
    "cost as text": (
        "cost_cents",
        np.array(["hidden"] * 6),
        ShapeError,
        [("column cost_cents", "cannot be read as numbers", "whole numbers", "labels")],
    ),
    "cost beyond 2^46": (
        "cost_cents",
        np.array([0, 0, 0, 2**46 + 1, -(2**46) - 1, 0]),
        DomainError,
        [("records", "cost: cost", "at most 2^46 cents, either sign", "2 rows (first: 3, 4)")],
    ),
    "cost beyond 64 bits": (
        "cost_cents",
        np.array([0, 0, 0, 2**63, 0, 0], np.uint64),
        DomainError,
        [("column cost_cents", "1 value", "whole cents", "")],
    ),
    "cost as true and false": (
        "cost_cents",
        np.array([True, False, True, True, False, True]),
        ShapeError,
        [("column cost_cents", "cannot be read as numbers", "whole cents", "a column of type bool")],
    ),
    "days as true and false": (
        "days",
        np.array([True, True, True, True, True, True]),
        ShapeError,
        [("column days", "cannot be read as numbers", "whole days", "a column of type bool")],
    ),
    "a day too many": (
        "days",
        np.array([1, 366, 365, 367, 20, 1]),
        DomainError,
        [("records", "days", "1..366", "1 row (first: 3)")],
    ),
    "days below zero": (
        "days",
        np.array([1, 366, 365, -3, 20, 1]),
        DomainError,
        [("records", "days", "1..366", "1 row (first: 3)")],
    ),
    "no days, with cost": (
        "days",
        np.array([1, 366, 365, 0, 20, 1]),
        DomainError,
        [
            ("records", "days", "1..366", "1 row (first: 3)"),
            ("records", "zero days with cost", "insured days where there is cost", "1 row (first: 3)"),
        ],
    ),
    "no days, without cost": (
        "days",
        np.array([1, 0, 365, 3, 20, 1]),
        DomainError,
        [("records", "days", "1..366", "1 row (first: 1)")],
    ),
    "days as floats": (
        "days",
        np.array([1.0, 366.0, 365.0, 3.0, 20.0, 1.0]),
        DomainError,
        [("column days", "holds floating-point numbers, which are never cut", "whole days", "float64")],
    ),
    "days as dates": (
        "days",
        np.array(["2021-01-01"] * 6, "datetime64[D]"),
        ShapeError,
        [("column days", "cannot be read as numbers", "whole days", "a column of type datetime64[D]")],
    ),
    "a row that stands for nobody": (
        "represents",
        np.array([1, 1, 1, 0, 1, 1], np.uint16),
        DomainError,
        [("records", "represents", "1..65535", "1 row (first: 3)")],
    ),
    "a row that stands for too many": (
        "represents",
        np.array([1, 1, 1, 65_536, 1, 1]),
        DomainError,
        [("column represents", "1 value", "1..65535", "")],
    ),
    "a stratum that is not there": (
        "stratum",
        np.array([0, 0, 0, 2, 0, 0], np.uint8),
        DomainError,
        [("records", "stratum", "0..1", "1 row (first: 3)")],
    ),
    "a column that is too short": (
        "cost_cents",
        np.array([1, 2, 3]),
        ShapeError,
        [("column cost_cents", "has another length than the others", "6 rows", "3")],
    ),
    "a matrix for a column": (
        "mhk",
        np.zeros((6, 2), np.uint8),
        ShapeError,
        [("column mhk", "is no column", "one dimension", "2 dimensions")],
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_refused_with_count_and_rows_and_no_value(name: str) -> None:
    column, values, kind, problems = COLUMNS[name]
    refused(kind, lambda: moments(good() | {column: values}), *problems)
    refused(
        kind,
        lambda: ah.estimate(
            good() | {column: values},
            model(),
            represents="represents",
            stratum=ah.Criterion("stratum", classes=2),
        ),
        *problems,
    )


def test_a_stratum_that_is_not_the_only_one_is_refused() -> None:
    frame = good() | {"stratum": np.array([0, 0, 0, 1, 0, 0], np.uint8)}
    with pytest.raises(DomainError, match="stratum"):
        moments(frame, stratum=ah.Criterion("stratum", classes=1))


@pytest.mark.parametrize("column", ["mhk", "fkg_2", "days", "cost_cents", "represents", "stratum"])
def test_a_null_is_refused_in_every_frame_and_column(column: str) -> None:
    problem = (f"column {column}", "1 value is missing (row 2)", "a value in every row", "")
    values = [*good()[column].tolist()]
    values[2] = None
    frames = {
        "pandas": pd.DataFrame(good()).assign(**{column: pd.array(values, dtype="Int64")}),
        "polars": pl.DataFrame(good()).with_columns(pl.Series(column, values)),
        "pyarrow": pa.table(good() | {column: pa.array(values)}),
    }
    for frame in frames.values():
        refused(DomainError, lambda frame=frame: moments(frame), problem)


def test_missing_columns_are_named_all_at_once() -> None:
    frame = {k: v for k, v in good().items() if k not in ("fkg_2", "days", "cost_cents")}
    refused(
        NotFoundError,
        lambda: moments(frame),
        *(("frame", f"no column '{name}'", "one of", "") for name in ("fkg_2", "days", "cost_cents")),
    )


def test_all_problems_of_the_records_come_at_once() -> None:
    frame = good() | {
        "mhk": np.array([0, 0, 1, 9, 0, 1], np.uint8),
        "days": np.array([0, 400, 365, 20, 366, 40], np.int32),
        "fkg_2": np.array([0, 1, 0, 0, 0, 9], np.uint8),
    }
    refused(
        DomainError,
        lambda: moments(frame),
        ("records", "mhk: unknown classes", "codes 0..1", "1 row (first: 3)"),
        ("records", "fkg=2: flags", "0..1", "1 row (first: 5)"),
        ("records", "days", "1..366", "2 rows (first: 0, 1)"),
        ("records", "zero days with cost", "insured days where there is cost", "1 row (first: 0)"),
    )


def test_floats_pass_only_when_all_are_whole_and_the_caller_says_so() -> None:
    whole = good() | {"cost_cents": good()["cost_cents"].astype(float)}
    assert moments(whole, whole_floats=True) == moments()
    for wrong in (0.5, np.nan, np.inf):
        values = good()["cost_cents"].astype(float)
        values[3] = wrong
        refused(
            DomainError,
            lambda values=values: moments(good() | {"cost_cents": values}, whole_floats=True),
            ("column cost_cents", "1 value", "whole cents", ""),
        )


def test_sums_beyond_64_bits_are_refused_and_one_less_is_not() -> None:
    largest = {
        "age_sex": np.zeros(1, np.uint8),
        "days": np.array([365]),
        "cost_cents": np.array([2**46]),
        "represents": np.array([65_535], np.uint16),
    }
    one = ah.Moments.from_records(largest, criteria=[ah.Criterion("age_sex", classes=1)], represents="represents")
    two = one + one
    assert two.cost_cents == 2 * 65_535 * 2**46 < 2**63
    assert two.core.squares()[365] == 2 * 65_535 * 2**92
    before = two.to_bytes()

    def beyond() -> None:
        nonlocal two
        two += one

    with pytest.raises(DomainError, match="beyond 64 bits"):
        beyond()
    assert two.to_bytes() == before  # nothing half-added
    many = {k: np.repeat(v, 3) for k, v in largest.items()}
    refused(
        DomainError,
        lambda: ah.Moments.from_records(many, criteria=[ah.Criterion("age_sex", classes=1)], represents="represents"),
        ("records", "a sum of days or cents beyond 64 bits", "fewer records", ""),
    )


def test_months_have_their_own_border() -> None:
    refused(
        DomainError,
        lambda: moments(days_in_year=12, days_max=12),
        ("records", "days", "1..12", "6 rows (first: 0, 1, 2, 3, 4)"),
    )


CRITERIA: dict[str, tuple[Callable[[], Any], type[AnderhalfError], tuple[str, str, str, str]]] = {
    "two classes in a criterion of one": (
        lambda: ah.Criterion("x", columns=["a", "b"], classes=["1", "2"]),
        ShapeError,
        ("criterion x", "2 columns", "one column of codes", ""),
    ),
    "flags and counts": (
        lambda: ah.Criterion("x", columns=["a"], multi=True, counts=True),
        ShapeError,
        ("criterion x", "is both multi and counts", "one of them", ""),
    ),
    "none beside codes": (
        lambda: ah.Criterion("x", none=True),
        ShapeError,
        ("criterion x", "none", "only with multi or counts", ""),
    ),
    "a class twice": (
        lambda: ah.Criterion("x", classes=["a", "a"]),
        ShapeError,
        ("criterion x", "classes named twice: a", "each class once", ""),
    ),
    "no classes": (
        lambda: ah.Criterion("x", classes=0),
        ShapeError,
        ("criterion x", "number of classes", "1 or more", "0"),
    ),
    "flags absorbed": (
        lambda: ah.Criterion("x", columns=["a"], multi=True, absorbed=True),
        ShapeError,
        ("criterion x", "absorbed", "a column of codes", ""),
    ),
    "no name": (
        lambda: ah.Criterion(""),
        ShapeError,
        ("criterion", "has no name", "a text", "''"),
    ),
    "a criterion twice": (
        lambda: moments(criteria=["age_sex", "age_sex"]),
        ShapeError,
        ("criterion age_sex", "is given twice", "once", ""),
    ),
    "no table": (
        lambda: moments(42),
        ShapeError,
        ("frame", "is no table", "a mapping of columns, a frame, a path or an Arrow stream", "int"),
    ),
}


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_that_contradicts_itself_is_refused(name: str) -> None:
    call, kind, problem = CRITERIA[name]
    refused(kind, call, problem)


ESTIMATES: dict[str, tuple[dict[str, Any], type[AnderhalfError], list[tuple[str, str, str, str]]]] = {
    "a criterion that is not there": (
        {"constraints": "dkg[1] >= 0"},
        NotFoundError,
        [("constraint 'dkg[1] >= 0'", "no criterion 'dkg'", "one of fkg", "")],
    ),
    "a class that is not there": (
        {"constraints": "mhk[2] >= 0"},
        NotFoundError,
        [("constraint 'mhk[2] >= 0'", "no class of mhk '2'", "one of 2 names, such as none, high", "")],
    ),
    "a carrier that is not there": (
        {"carrier": "age"},
        NotFoundError,
        [("carrier", "no criterion 'age'", "one of", "")],
    ),
    "a zero-sum that is not there": (
        {"zero_sum": ["age"]},
        NotFoundError,
        [("zero_sum", "no criterion 'age'", "one of", "")],
    ),
    "a stratum that is not there": (
        {"factors": {"north": 1.1}},
        NotFoundError,
        [("factors", "no stratum 'north'", "one of", "")],
    ),
    "a category that is not there": (
        {"levels": {"drugs": 1.1}},
        NotFoundError,
        [("levels", "no cost category 'drugs'", "one of", "")],
    ),
    "a band without all classes": (
        {"bands": {"mhk": {"young": ["none"]}}},
        ShapeError,
        [("criterion mhk, bands", "classes in no band: high", "a band for each class", "")],
    ),
    "constraints that are a number": (
        {"constraints": 5},
        ParameterError,
        [("constraints", "cannot be read", "texts, or what sign, order, cap and group_total return", "int")],
    ),
    "no relation": (
        {"constraints": "mhk[high]"},
        ParameterError,
        [("constraint 'mhk[high]'", "a relation (<=, >=, ==) is missing", "such as", "")],
    ),
    "a strict relation": (
        {"constraints": "mhk[high] > 3"},
        ParameterError,
        [("constraint 'mhk[high] > 3'", "a strict relation cannot hold", "such as", "")],
    ),
    "nothing on the right": (
        {"constraints": "mhk[high] >="},
        ParameterError,
        [("constraint 'mhk[high] >='", "a weight or a number is missing", "such as", "")],
    ),
    "no weight": (
        {"constraints": "3 >= 4"},
        ParameterError,
        [("constraint '3 >= 4'", "holds no weight", "at least one", "")],
    ),
    "a product of weights": (
        {"constraints": "mhk[high] * mhk[none] == 0"},
        ParameterError,
        [("constraint 'mhk[high] * mhk[none] == 0'", "cannot be read at '* mhk[none] == 0'", "such as", "")],
    ),
    "code": (
        {"constraints": "__import__('os') >= 0"},
        ParameterError,
        [("constraint ", "cannot be read at", "such as", "")],
    ),
    "a number for a constraint": (
        {"constraints": [5]},
        ParameterError,
        [("constraints", "cannot be read", "texts, or what", "int")],
    ),
    "a value that is not finite": (
        {"constraints": "mhk[high] >= 1e999"},
        DomainError,
        [("estimate", 'value of constraint "mhk[high] >= 1e999"', "a finite number", "inf")],
    ),
    "equalities that contradict": (
        {"constraints": ["mhk[high] == 1", "mhk[high] == 2"]},
        DomainError,
        [("estimate", 'constraint "mhk[high] == 2" contradicts', "a value that follows", "mhk[high] == 1")],
    ),
    "inequalities that leave no room": (
        {"constraints": ["mhk[high] >= 10", "mhk[high] <= 9"]},
        DomainError,
        [("estimate", 'inequality "mhk[high] <= 9" is impossible', "room beside", "mhk[high] >= 10")],
    ),
    "robust errors from moments": (
        {"robust": True},
        ShapeError,
        [("estimate, robust", "needs records", "a frame or files", "moments")],
    ),
    "a level that is no number": (
        {"levels": {"cost": float("nan")}},
        DomainError,
        [("levels, cost", "outside its range", "a number, 0 or more", "nan")],
    ),
    "a level below zero": (
        {"levels": {"cost": -1.0}},
        DomainError,
        [("levels, cost", "outside its range", "a number, 0 or more", "-1.0")],
    ),
    "nobody": (
        {"factors": {"0": 0.0}},
        DomainError,
        [("estimate", "insured days of the moments", "at least 1", "none")],
    ),
}


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_estimate_that_cannot_be_made_says_why(name: str) -> None:
    options, kind, problems = ESTIMATES[name]
    refused(kind, lambda: ah.estimate(moments(), **options), *problems)


def free(call: Callable[[], Any]) -> list[str]:
    """What the message says about each direction that is left free."""
    with pytest.raises(DomainError) as caught:
        call()
    texts = [" ".join(filter(None, (p.what, p.expected, p.got))) for p in caught.value.problems]
    assert all("left free" in t for t in texts)
    return texts


def test_collinear_criteria_and_absent_zero_sums_are_refused_with_their_columns() -> None:
    frame = good() | {"again": good()["mhk"]}
    twice = moments(frame, criteria=[*model(), ah.Criterion("again", classes=2)])
    (text,) = free(lambda: ah.estimate(twice))
    assert all(name in text for name in ("again=0", "again=1", "mhk=none", "mhk=high"))
    assert "fkg" not in text
    texts = free(lambda: ah.estimate(moments(), zero_sum=False))
    assert len(texts) == 2
    assert "mhk=none, mhk=high" in texts[0]
    assert "fkg=0, fkg=1, fkg=2" in texts[1]


def test_a_group_that_takes_the_whole_budget_elsewhere_is_refused() -> None:
    everybody = moments()
    with pytest.raises(DomainError) as caught:
        ah.estimate(everybody, constraints=[ah.group_total("everybody", everybody, 0.9)])
    message = str(caught.value)
    assert "total cost" in message
    assert "everybody" in message
    same = ah.estimate(everybody, constraints=[ah.group_total("everybody", everybody, 1.0)])
    np.testing.assert_allclose(same.params, ah.estimate(everybody).params, rtol=1e-12)
    loose = ah.estimate(everybody, constraints=[ah.group_total("everybody", everybody, 0.9)], keep_budget=False)
    predicted = (loose.weights.insured_years * loose.weights.weight_eur)[:2].sum()
    assert predicted == pytest.approx(0.9 * everybody.cost_cents / 100, rel=1e-12)


def test_a_class_that_nobody_has_weighs_zero_and_is_said() -> None:
    wide = [ah.Criterion("age_sex", classes=4), ah.Criterion("mhk", classes=5)]
    fit = ah.estimate(moments(criteria=wide))
    assert fit.params[("age_sex", 3)] == 0.0
    assert np.isnan(fit.bse[("age_sex", 3)])
    (note,) = fit.notes
    assert note.startswith("5 classes have no insured time and weigh 0: age_sex[2], age_sex[3], mhk[2]")
    aside = ah.estimate(moments(criteria=wide), constraints="mhk[4] == 3")
    assert aside.params.tolist() == fit.params.tolist()
    assert any("set aside: mhk[4] == 3" in n for n in aside.notes)


def test_predictions_refuse_what_moments_refuse() -> None:
    fit = ah.estimate(moments())
    refused(
        NotFoundError,
        lambda: fit.predict({"age_sex": [0]}),
        *(("frame", f"no column '{name}'", "one of", "") for name in ("mhk", "fkg_1", "fkg_2")),
    )
    unknown = good() | {"age_sex": np.array([0, 0, 0, 77, 0, 0], np.uint8)}
    with pytest.raises(DomainError) as caught:
        fit.predict(unknown)
    assert "age_sex" in str(caught.value)
    assert "0..1" in str(caught.value)
    assert "77" not in str(caught.value)


def test_what_is_no_moments_file_is_refused(tmp_path: Any) -> None:
    (tmp_path / "text").write_text("hidden")
    with pytest.raises(DomainError) as caught:
        ah.Moments.load(tmp_path / "text")
    assert "hidden" not in str(caught.value)
    with pytest.raises(NotFoundError):
        ah.Moments.load(tmp_path / "nothing")
