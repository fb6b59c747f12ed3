"""Risk models as data: three that come along, against NumPy; and everything wrong with a file at once."""

from __future__ import annotations

import doctest
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

import anderhalf.specification
from anderhalf.errors import NotFoundError, ParameterError
from anderhalf.specification import load_specification, specification_of

EXAMPLES = Path(__file__).parents[3] / "examples" / "specifications"


def test_the_examples_of_the_docstrings_run() -> None:
    assert doctest.testmod(anderhalf.specification).failed == 0


def test_the_textbook_model_gives_the_weights_worked_out_by_hand() -> None:
    data = {
        "age": ["young", "old", "old"],
        "chronic_1": [0, 0, 1],
        "cost_cents": [1_000_00, 3_000_00, 8_000_00],
        "days": [365, 365, 365],
        "persons": [50, 30, 20],
    }
    fit = load_specification(EXAMPLES / "textbook.toml").estimate(data)
    assert fit.params.to_dict() == pytest.approx(
        {("age", "young"): 2_000, ("age", "old"): 4_000, ("chronic", 0): -1_000, ("chronic", 1): 4_000}, abs=1e-9
    )
    assert fit.rsquared == pytest.approx(1, abs=1e-12)
    assert fit.cpm == pytest.approx(1)
    assert fit.mean_cost == pytest.approx(3_000)


def swiss(n: int = 6_000) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(26)
    data: dict[str, NDArray[Any]] = {
        "group": rng.integers(0, 120, n).astype(np.uint16) * 13,
        "months": rng.integers(1, 13, n).astype(np.uint16),
    }
    yearly = 2_000 + 20.0 * (data["group"] % 60)
    for k, (share, amount) in enumerate([(0.1, 800), (0.05, 1_500), (0.04, 3_000), (0.03, 6_000), (0.05, -900)], 1):
        data[f"pcg_{k}"] = rng.random(n) < share
        yearly = yearly + amount * data[f"pcg_{k}"]
    data["cost_cents"] = np.rint(yearly * rng.uniform(0.2, 1.8, n) * data["months"] / 12 * 100).astype(np.int64)
    return data


def test_the_swiss_model_is_the_regression_on_all_its_dummies() -> None:
    data = swiss()
    fit = load_specification(EXAMPLES / "swiss.toml").estimate(data)
    years = data["months"] / 12
    groups, place = np.unique(data["group"], return_inverse=True)
    flags = np.column_stack([data[f"pcg_{k}"] for k in range(1, 6)]).astype(float)
    y = data["cost_cents"] / 100 / years
    # Group 5 lowers cost in these data: its weight is held at 0, so the dummies are regressed without it. Predicted
    # cost stays at actual cost by itself: the groups carry it.
    x = np.column_stack([np.eye(len(groups))[place], flags[:, :4]])
    theirs = sm.WLS(y, x, weights=years).fit()
    assert fit.params["pcg"].to_numpy() == pytest.approx([*theirs.params[-4:], 0], rel=1e-8, abs=1e-8)
    assert fit.absorbed is not None
    assert fit.absorbed.to_numpy()[groups] == pytest.approx(theirs.params[:-4], rel=1e-8)
    assert "pcg[5] >= 0" in set(fit.constraints.name)
    assert (fit.predict(data) * years).sum() == pytest.approx(data["cost_cents"].sum() / 100, rel=1e-10)
    assert len(fit.absorbed) == 1560


def german(n: int = 8_000) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(49)
    data: dict[str, NDArray[Any]] = {
        "age_sex": rng.integers(0, 40, n).astype(np.uint8),
        "region": np.array(["city", "country", "mixed"])[rng.integers(0, 3, n)],
        "sample": np.array(["base", "boost"])[rng.integers(0, 2, n)],
        "days": rng.integers(1, 366, n).astype(np.int32),
        "persons": rng.integers(1, 5, n).astype(np.uint16),
    }
    first = rng.choice(4, n, p=[0.85, 0.04, 0.05, 0.06])  # of a hierarchy only the heaviest group counts
    second = rng.choice(3, n, p=[0.9, 0.05, 0.05])
    yearly = 800 + 60.0 * data["age_sex"]
    for k, (drawn, code, amount) in enumerate(
        [(first, 1, 9_000), (first, 2, 3_000), (first, 3, 3_600), (second, 1, 4_000), (second, 2, 1_000)], 1
    ):
        data[f"hmg_{k}"] = drawn == code
        yearly = yearly + amount * data[f"hmg_{k}"]
    cost = np.rint(yearly * rng.uniform(0.5, 1.5, n) * data["days"] / 365 * 100).astype(np.int64)
    data["drugs_cents"] = cost // 3
    data["hospital_cents"] = cost - data["drugs_cents"]
    return data


def test_the_german_model_is_the_regression_with_its_hierarchy_held_level() -> None:
    data = german()
    fit = load_specification(EXAMPLES / "german.toml").estimate(data)
    weight = data["persons"] * data["days"] / 365 * np.where(data["sample"] == "base", 1.0, 0.25)
    y = (1.04 * data["hospital_cents"] + data["drugs_cents"]) / 100 / (data["days"] / 365)
    flags = {k: data[f"hmg_{k}"].astype(float) for k in range(1, 6)}
    regions = np.column_stack([data["region"] == name for name in ("city", "country", "mixed")]).astype(float)
    prevalence = regions.T @ weight
    z = np.linalg.svd(prevalence[None, :])[2][1:].T
    # Group 3 costs more than group 2 in these data: the two are held equal, one column for both.
    x = np.column_stack(
        [np.eye(40)[data["age_sex"]], flags[1], flags[2] + flags[3], flags[4], flags[5], regions @ z]
    )  # fmt: skip
    theirs = sm.WLS(y, x, weights=weight).fit().params
    a, b, d, e = theirs[40:44]
    assert fit.params["age_sex"].to_numpy() == pytest.approx(theirs[:40], rel=1e-8)
    assert fit.params["hmg"].to_numpy() == pytest.approx([a, b, b, d, e], rel=1e-8)
    assert fit.params["region"].to_numpy() == pytest.approx(z @ theirs[44:], rel=1e-6, abs=1e-7)
    assert "hmg[3] <= hmg[2]" in set(fit.constraints.name)
    predicted = fit.predict(data)
    apart = np.abs(y - np.average(y, weights=weight)) @ weight
    assert fit.cpm == pytest.approx(1 - np.abs(y - predicted) @ weight / apart, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model]\nname = 'x'\n", ["criterion: is missing"]),
        (
            "[model]\nnam = 'x'\n[records]\ncst = 'a'\n[[criterion]]\nname = 'mhk'\nclases = 3\n[estimat]\n",
            ["model.name: is missing", "model.nam: unknown key, expected name",
             "records.cst: unknown key, expected cost", "criterion.mhk.clases: unknown key, expected classes",
             "estimat: unknown key, expected estimate"],
        ),
        (
            "[model]\nname = 'x'\n[[criterion]]\nname = 'mhk'\nclasses = 3\n[[criterion]]\nname = 'age'\n"
            "[estimate]\ncarrier = 'agee'\nconstraints = ['mhk[7] >= 0', 'mhk[1] > 3', 'zz[1] >= 0']\n",
            ["carrier: no criterion 'agee', expected one of age", "no class of mhk '7'", "a strict relation",
             "no criterion 'zz'"],
        ),
        (
            "[model]\nname = 'x'\n[[criterion]]\nname = 'a'\nnone = true\n[[criterion]]\nname = 'b'\n"
            "columns = ['b_1..c_2']\nmulti = true\n",
            ["criterion a: none", "b.columns: cannot be read, expected a range"],
        ),
        (
            "[model]\nname = 'x'\n[records]\ncost = 'c'\n[[category]]\nname = 'd'\ncolumn = 'd'\n"
            "[[criterion]]\nname = 'age_sex'\n",
            ["records.cost: is given beside [[category]]"],
        ),
        ("[model]\nname = 'x'\n[[criterion]]\nname = 'age_sex'\nmulti = 1\n", ["criterion.age_sex.multi: refused"]),
    ],
)  # fmt: skip
def test_everything_wrong_with_a_file_comes_at_once(text: str, words: list[str]) -> None:
    with pytest.raises(ParameterError) as error:
        specification_of(tomllib.loads(text), "SPEC.toml")
    for word in words:
        assert word in str(error.value)
    assert len(error.value.problems) == len(words)


def test_a_file_that_is_no_toml_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[model\n")
    with pytest.raises(ParameterError, match=r"x\.toml: is no TOML"):
        load_specification(tmp_path / "x.toml")
    with pytest.raises(NotFoundError):
        load_specification(tmp_path / "y.toml")


def test_a_factor_of_an_unknown_stratum_is_refused() -> None:
    text = (EXAMPLES / "german.toml").read_text(encoding="utf-8").replace("boost = 0.25", "extra = 0.25")
    with pytest.raises(NotFoundError, match=r"strata\.factors\.extra"):
        specification_of(tomllib.loads(text)).estimate(german(100))
