"""Weights from moments against NumPy and statsmodels on the dense design; what is said, and what is refused."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from small_world import CRITERIA, dense, records

import anderhalf as ah
import anderhalf.estimation
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, ShapeError
from anderhalf.estimation import Constraint, estimate, parse
from anderhalf.moments import Criterion, Moments

GROUPS = (range(6, 10), range(10, 13), range(13, 17), range(17, 20))  # mhk, region, fkg, dkg


def reference(
    data: dict[str, NDArray[Any]], rules: list[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], Any]:
    """Weights and errors under homogeneous constraints: statsmodels WLS in the null space of the constraints."""
    x = dense(data)
    years = data["days"] / 365
    y = data["cost_cents"] / 100 / years
    rows = np.array(rules)
    _, s, vt = np.linalg.svd(rows)
    z = vt[int((s > 1e-12 * s[0]).sum()) :].T
    fit = sm.WLS(y, x @ z, weights=years).fit()
    return z @ fit.params, np.sqrt(np.diag(z @ fit.cov_params() @ z.T)), fit


def zero_sums(data: dict[str, NDArray[Any]]) -> list[NDArray[np.float64]]:
    prevalence = dense(data).T @ data["days"]
    rows = []
    for group in GROUPS:
        row = np.zeros(20)
        row[list(group)] = prevalence[list(group)]
        rows.append(row / np.linalg.norm(row))
    return rows


def test_the_examples_of_the_docstrings_run() -> None:
    assert doctest.testmod(anderhalf.estimation).failed == 0


def test_weights_and_errors_are_those_of_statsmodels() -> None:
    data = records()
    fit = estimate(data, CRITERIA)
    weights, errors, theirs = reference(data, zero_sums(data))
    # Doubles on 5,000 rows of thousands of euros: ten digits agree.
    assert fit.params.to_numpy() == pytest.approx(weights, rel=1e-9, abs=1e-7)
    assert fit.bse.to_numpy() == pytest.approx(errors, rel=1e-8)
    assert fit.df_resid == theirs.df_resid
    prediction = dense(data) @ weights
    years = data["days"] / 365
    y = data["cost_cents"] / 100 / years
    mean = np.average(y, weights=years)
    r2 = 1 - (years * (y - prediction) ** 2).sum() / (years * (y - mean) ** 2).sum()
    assert fit.rsquared == pytest.approx(r2, abs=1e-12)
    assert fit.mean_cost == pytest.approx(mean)


def test_t_p_and_intervals_are_those_of_statsmodels() -> None:
    data = {name: values[:60] for name, values in records().items()}  # few degrees of freedom: not the normal's
    fit = estimate(data, [Criterion("age_sex", classes=6)])
    x = dense(data)[:, :6]
    years = data["days"] / 365
    theirs = sm.WLS(data["cost_cents"] / 100 / years, x, weights=years).fit()
    assert fit.tvalues.to_numpy() == pytest.approx(theirs.tvalues, rel=1e-9)
    assert fit.pvalues.to_numpy() == pytest.approx(theirs.pvalues, rel=1e-7)
    assert fit.conf_int(0.1).to_numpy() == pytest.approx(np.asarray(theirs.conf_int(0.1)), rel=1e-9)
    assert fit.cov_params().to_numpy() == pytest.approx(theirs.cov_params(), rel=1e-8, abs=1e-8)
    assert fit.rsquared == pytest.approx(theirs.rsquared, abs=1e-12)
    assert fit.nobs == theirs.nobs


def test_predicted_cost_adds_up_to_actual_cost_and_reads_any_frame() -> None:
    data = records()
    fit = estimate(data, CRITERIA)
    predicted = fit.predict(data)
    assert predicted == pytest.approx(dense(data) @ fit.params.to_numpy())
    assert (predicted * data["days"] / 365).sum() == pytest.approx(data["cost_cents"].sum() / 100, rel=1e-12)
    classes = pl.DataFrame(data).drop("cost_cents", "days")
    assert (fit.predict(classes) == predicted).all()
    assert len(fit.predict(classes[:0])) == 0


def test_moments_and_records_give_the_same_weights() -> None:
    data = records()
    from_records = estimate(data, CRITERIA)
    from_moments = estimate(Moments.from_records(data, CRITERIA))
    assert (from_records.params == from_moments.params).all()
    assert from_moments.cpm is None
    assert from_moments.mape is None
    assert "needs records" in from_moments.summary()


def test_zero_sum_rules_hold_and_the_carrier_has_none() -> None:
    data = records()
    fit = estimate(data, CRITERIA)
    prevalence = dense(data).T @ data["days"]
    for group in GROUPS:
        chosen = list(group)
        scale = np.abs(prevalence[chosen] * fit.params.to_numpy()[chosen]).max()
        assert abs(prevalence[chosen] @ fit.params.to_numpy()[chosen]) < 1e-10 * scale
    assert set(fit.constraints.name) >= {"mhk", "region", "fkg", "dkg"}
    assert "age_sex" not in set(fit.constraints.name)


def test_flags_without_none_come_on_top_and_have_no_rule() -> None:
    data = records()
    fit = estimate(data, [CRITERIA[0], Criterion("fkg", columns=CRITERIA[3].columns, multi=True)])
    x = dense(data)[:, [*range(6), 14, 15, 16]]
    years = data["days"] / 365
    theirs = sm.WLS(data["cost_cents"] / 100 / years, x, weights=years).fit()
    assert fit.params.to_numpy() == pytest.approx(theirs.params, rel=1e-9)
    assert [code for _, code in fit.index[6:]] == [1, 2, 3]


def test_age_bands_have_a_zero_sum_rule_each() -> None:
    data = records()
    # Income within the young (0, 1, 2) and the old (3, 4, 5): nested in age, so one rule is too few.
    young = data["age_sex"] < 3
    data["income"] = np.where(young, 0, 2).astype(np.uint8) + (data["mhk"] > 0).astype(np.uint8)
    bands = {"young": [0, 1], "old": [2, 3]}
    fit = estimate(data, ["age_sex", Criterion("income", bands=bands)])
    assert list(fit.constraints.name) == ["income young", "income old"]
    days = np.bincount(data["income"], weights=data["days"])
    weights = fit.params["income"].to_numpy()
    assert days[:2] @ weights[:2] == pytest.approx(0, abs=1e-6 * days.max())
    assert days[2:] @ weights[2:] == pytest.approx(0, abs=1e-6 * days.max())
    moments = Moments.from_records(data, ["age_sex", "income"])
    assert (estimate(moments, bands={"income": bands}).params == fit.params).all()
    with pytest.raises(DomainError, match="income=0, income=1"):
        estimate(data, ["age_sex", "income"])
    with pytest.raises(ShapeError, match="classes in no band: 3"):
        estimate(data, ["age_sex", Criterion("income", bands={"young": [0, 1], "old": [2]})])
    with pytest.raises(ShapeError, match="class 1 is in band young too"):
        estimate(data, ["age_sex", Criterion("income", bands={"young": [0, 1], "old": [1, 2, 3]})])


def test_constraints_that_bind_hold_and_those_that_do_not_change_nothing() -> None:
    data = records()
    free = estimate(data, CRITERIA)
    loose = estimate(data, CRITERIA, constraints="mhk[1] >= -100000")
    assert loose.params.to_numpy() == pytest.approx(free.params.to_numpy(), rel=1e-12)
    assert "mhk[1] >= -100000" not in set(loose.constraints.name)
    limit = round(free.params["mhk"][3]) - 500
    held = estimate(data, CRITERIA, constraints=[f"mhk[3] <= {limit}", ah.order("region", ["North", "South", "West"])])
    assert held.params["mhk"][3] == pytest.approx(limit, rel=1e-12)
    assert held.params["region"]["South"] >= held.params["region"]["North"] - 1e-9
    row = held.constraints.set_index("name").loc[f"mhk[3] <= {limit}"]
    assert row["relation"] == "<="
    assert row["multiplier"] != 0
    assert held.rsquared < free.rsquared
    assert (held.predict(data) * data["days"] / 365).sum() == pytest.approx(data["cost_cents"].sum() / 100, rel=1e-10)


def test_an_equality_is_the_null_space_regression_of_statsmodels() -> None:
    data = records()
    row = np.zeros(20)
    row[14], row[15] = 1, -2
    fit = estimate(data, CRITERIA, constraints="fkg[1] == 2 * fkg[2]")
    weights, errors, _ = reference(data, [*zero_sums(data), row])
    assert fit.params.to_numpy() == pytest.approx(weights, rel=1e-8, abs=1e-6)
    assert fit.bse.to_numpy() == pytest.approx(errors, rel=1e-7)


def test_a_group_total_brings_its_compensation_to_zero() -> None:
    data = records()
    chosen = (data["mhk"] == 0) & (data["fkg_1"] > 0)
    group = {name: values[chosen] for name, values in data.items()}
    moments = Moments.from_records(group, CRITERIA)
    fit = estimate(data, CRITERIA, constraints=ah.group_total("ill but cheap", moments))
    predicted = (fit.predict(group) * group["days"] / 365).sum()
    assert predicted == pytest.approx(group["cost_cents"].sum() / 100, rel=1e-10)
    assert "ill but cheap" in set(fit.constraints.name)


def test_an_absorbed_criterion_gives_the_weights_of_its_dummies() -> None:
    data = records()
    group = (data["age_sex"] * 7 + np.random.default_rng(3).integers(0, 7, 5_000)).astype(np.uint16)
    data["cell"] = group
    fit = estimate(data, [Criterion("cell", absorbed=True), "mhk", CRITERIA[3]])
    plain = estimate(data, ["cell", "mhk", CRITERIA[3]], carrier="cell")
    assert fit.params.to_numpy() == pytest.approx(plain.params[42:].to_numpy(), rel=1e-8)
    assert fit.absorbed is not None
    assert fit.absorbed.to_numpy() == pytest.approx(plain.params[:42].to_numpy(), rel=1e-8)
    assert fit.bse.to_numpy() == pytest.approx(plain.bse[42:].to_numpy(), rel=1e-7)
    assert fit.rsquared == pytest.approx(plain.rsquared, abs=1e-12)
    assert fit.rank == plain.rank
    assert fit.predict(data) == pytest.approx(plain.predict(data))


def test_levels_and_factors_are_those_of_the_records_multiplied() -> None:
    data = records()
    data["drugs_cents"] = data["cost_cents"] // 4
    data["care_cents"] = data["cost_cents"] - data["drugs_cents"]
    fit = estimate(
        data, CRITERIA, categories=["care_cents", "drugs_cents"], stratum="region",
        levels={"drugs": 3.0}, factors={"West": 2.0},
    )  # fmt: skip
    heavy = {**data, "cost_cents": data["care_cents"] + 3 * data["drugs_cents"]}
    heavy["represents"] = np.where(data["region"] == "West", 2, 1).astype(np.uint16)
    same = estimate(heavy, CRITERIA, represents="represents")
    assert fit.params.to_numpy() == pytest.approx(same.params.to_numpy(), rel=1e-9)
    assert fit.rsquared == pytest.approx(same.rsquared, abs=1e-12)


def test_months_are_a_twelfth_of_a_year() -> None:
    data = records()
    data["months"] = np.minimum(12, data["days"] // 30 + 1)
    fit = estimate(data, CRITERIA, days="months", days_in_year=12)
    years = data["months"] / 12
    prediction = fit.predict(data)
    assert (prediction * years).sum() == pytest.approx(data["cost_cents"].sum() / 100)
    assert fit.insured_years == pytest.approx(years.sum())


def test_an_empty_class_weighs_nothing_and_is_said() -> None:
    data = records()
    fit = estimate(data, [CRITERIA[0], Criterion("mhk", classes=6)])
    assert fit.params["mhk"][5] == 0
    assert np.isnan(fit.bse["mhk"][5])
    assert fit.notes == ["2 classes have no insured time and weigh 0: mhk[4], mhk[5]."]
    assert "[1] 2 classes have no insured time" in fit.summary()


def test_a_model_year_brings_its_columns_bands_and_rules() -> None:
    model = ah.load_model("nl-2021")
    rng = np.random.default_rng(5)
    n = 4_000
    data: dict[str, Any] = {"days": np.full(n, 365), "cost_cents": rng.integers(0, 10**6, n)}
    for c in model.variable.criteria:
        codes = np.array([row.code for row in c.classes])
        if c.assignment == "single":
            data[c.name] = rng.choice(codes, n).astype(np.uint8)
        else:
            for k in codes[codes > 0]:
                data[f"{c.name}_{k}"] = (rng.random(n) < 0.02).astype(np.uint8)
    fit = estimate(data, model="nl-2021")
    assert fit.layout.model == "nl-2021"
    assert len(fit.params) == 218
    official = [(c.name, row.code) for c in model.variable.criteria for row in c.classes]
    assert list(fit.index) == official
    names = set(fit.constraints.name)
    bands = {f"{c.name} {r.age_min}-{r.age_max}" for c in model.variable.criteria if c.age_bands_zero_sum
             for r in c.classes if r.age_max < 999}  # fmt: skip
    assert bands <= names
    assert {"fkg", "dkg", "hkg", "region", "mhk", "fdg", "mvv"} <= names
    with pytest.raises(ShapeError, match="not of this model year"):
        estimate(Moments.from_records(records(), CRITERIA), model="nl-2021")
    moments = Moments.from_bytes(Moments.from_records(data, model="nl-2021").to_bytes())
    assert (estimate(moments, model="nl-2021").params == fit.params).all()


# --- shown


def test_the_tables_have_the_words_that_others_use() -> None:
    fit = estimate(records(), CRITERIA)
    assert list(fit.tidy().columns) == ["Estimate", "Std. Error", "t value", "Pr(>|t|)", "2.5%", "97.5%"]
    assert fit.tidy().index.name == "Coefficient"
    assert fit.params.index.names == ["criterion", "code"]
    assert fit.params["region"]["West"] == fit.tidy().loc["region[West]", "Estimate"]
    assert list(fit.weights.columns) == ["criterion", "code", "weight_eur", "se_eur", "insured_years", "persons"]
    assert fit.weights.insured_years[:6].sum() == pytest.approx(fit.insured_years)
    text = fit.summary()
    assert max(map(len, text.splitlines())) <= 100
    assert "exact integer moments" in text
    assert "mhk[3]" in fit._repr_html_()
    table = fit.__maketables_coef_table__
    assert list(table.columns) == ["b", "se", "t", "p", "ci95l", "ci95u"]
    assert fit.__maketables_stat__("N") == 5_000
    assert fit.__maketables_stat__("unknown") is None


def test_micro_euros_are_the_weights_rounded_once() -> None:
    fit = estimate(records(), CRITERIA)
    assert np.abs(fit.micro_euros / 1e6 - fit.params.to_numpy()).max() <= 5.1e-7


def test_a_code_that_is_no_class_is_refused_with_its_rows_by_predict(tmp_path: Path) -> None:
    data = records(100)
    fit = estimate(data, [Criterion("age_sex", classes=6)])
    data["age_sex"][[7, 41]] = 6
    with pytest.raises(DomainError, match=r"predict: age_sex: 2 codes that are no class \(rows 7, 41\), expected 0..5"):
        fit.predict(data)
    pl.DataFrame(data).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DomainError, match=r"x.parquet: age_sex: 2 codes that are no class \(rows 7, 41\)"):
        fit.predict(tmp_path / "x.parquet")


# --- constraints as text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mhk[1] >= 0", [Constraint("mhk[1] >= 0", (("mhk", "1", 1.0),), ">=", 0.0)]),
        ("fkg[3] <= 5_000", [Constraint("fkg[3] <= 5_000", (("fkg", "3", 1.0),), "<=", 5000.0)]),
        ("10 <= a[x y] ", [Constraint("10 <= a[x y]", (("a", "x y", -1.0),), "<=", -10.0)]),
        ("a[1]=b[2]", [Constraint("a[1] == b[2]", (("a", "1", 1.0), ("b", "2", -1.0)), "==", 0.0)]),
        (
            "2*a[1] - a[2] + 5 <= -1.5e1",
            [Constraint("2*a[1] - a[2] + 5 <= -1.5e1", (("a", "1", 2.0), ("a", "2", -1.0)), "<=", -20.0)],
        ),
        ("a[1] + a[1] >= a[1]", [Constraint("a[1] + a[1] >= a[1]", (("a", "1", 1.0),), ">=", 0.0)]),
    ],
)
def test_a_constraint_reads_as_it_is_written(text: str, expected: list[Constraint]) -> None:
    assert list(parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["", "mhk[1]", "mhk[1] >", "mhk[1] > 0", "mhk[1 >= 0", "mhk1] >= 0", ">= 0", "mhk[1] >= ", "mhk[1] >= 0 0",
     "mhk[1] mhk[2] >= 0", "3 >= 2", "mhk[1] - mhk[1] >= 0", "mhk[1] * 2 >= 0", "2 * 3 * mhk[1] >= 0", "mhk[] >= 0",
     "mhk[1] => 0", "mhk[1] >= 0; mhk[2] >= 0", "- - mhk[1] >= 0", "2 * >= 0", "mhk[1] != 0"],
)  # fmt: skip
def test_a_text_that_is_no_constraint_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ParameterError, match="constraint '"):
        parse(text)


def test_all_wrong_constraints_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        estimate(records(), CRITERIA, constraints=["mhk[1", "mhk[1] > 0", "mhk[2] >= 0"])
    assert len(error.value.problems) == 2
    with pytest.raises(NotFoundError) as unknown:
        estimate(records(), CRITERIA, constraints=["mhk[9] >= 0", "mkh[1] >= 0"])
    assert "no class of mhk '9'" in str(unknown.value)
    assert "no criterion 'mkh', expected one of mhk" in str(unknown.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"zero_sum": False}, "left free"),
        ({"zero_sum": ["mhk"]}, "region=North, region=South, region=West"),
        ({"zero_sum": ["mhk", "reg"]}, "no criterion 'reg', expected one of region"),
        ({"zero_sum": ["age_sex"], "carrier": "age_sex"}, "holds the carrier"),
        ({"carrier": "age"}, "carrier: no criterion 'age', expected one of age_sex"),
        ({"constraints": ["mhk[1] >= 0", "mhk[1] <= -5"]}, "impossible"),
        ({"constraints": ["mhk[1] == 0", "mhk[1] == 5"]}, "mhk\\[1\\] == 5"),
        ({"factors": {"East": 2.0}}, "no stratum 'East'"),
        ({"levels": {"drugs": 2.0}}, "no cost category 'drugs'"),
        ({"bands": {"income": {}}}, "no criterion 'income'"),
        ({"constraints": [3]}, "got int"),
    ],
)
def test_a_specification_that_cannot_hold_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AnderhalfError, match=words):
        estimate(records(), CRITERIA, **arguments)


def test_moments_with_columns_and_robust_errors_without_records_are_refused() -> None:
    moments = Moments.from_records(records(), CRITERIA)
    with pytest.raises(ShapeError, match="moments and criteria, cost"):
        estimate(moments, CRITERIA, cost="x")
    with pytest.raises(ShapeError, match="needs records"):
        estimate(moments, robust=True)


def test_a_model_without_age_sex_asks_which_criterion_carries_the_total() -> None:
    data = records()
    with pytest.raises(ShapeError, match="carrier: not given, expected the criterion that carries the total"):
        estimate(data, ["mhk", "region"])
    assert estimate(data, ["mhk", "region"], carrier="mhk").rank == 6


def test_frames_of_pandas_and_polars_give_the_same_bits() -> None:
    data = records()
    first = estimate(data, CRITERIA)
    for frame in (pd.DataFrame(data), pl.DataFrame(data), pl.DataFrame(data).to_arrow()):
        assert (estimate(frame, CRITERIA).params == first.params).all()
