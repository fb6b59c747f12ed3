"""Columns of real numbers, alone and beside classes: against NumPy, statsmodels, NIST and our own exact sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from small_world import CRITERIA, dense, records

import anderhalf.estimation
from anderhalf.errors import AnderhalfError, DomainError
from anderhalf.estimation import estimate
from anderhalf.moments import Moments


def world(n: int = 3_000) -> dict[str, NDArray[Any]]:
    data = records(n)
    rng = np.random.default_rng(5)
    return {**data, "income": rng.lognormal(10, 1, n), "distance": rng.normal(0, 3, n).astype(np.float32)}


def test_longley_has_the_digits_that_nist_certifies() -> None:
    # National Institute of Standards and Technology, Statistical Reference Datasets, Longley: certified values.
    longley = sm.datasets.longley.load_pandas().data
    frame = {
        "one": np.ones(16),
        **{name: longley[name].to_numpy() for name in ("GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR")},
        "cost_cents": (100 * longley.TOTEMP).astype(np.int64).to_numpy(),
        "days": np.full(16, 365),
    }
    fit = estimate(frame, continuous=list(frame)[:7])
    certified = [-3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
                 -0.0511041056535807, 1829.15146461355]  # fmt: skip
    errors = [890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699, 0.214274163161675,
              0.226073200069370, 455.478499142212]  # fmt: skip
    assert fit.params.to_numpy() == pytest.approx(certified, rel=1e-12)
    assert fit.bse.to_numpy() == pytest.approx(errors, rel=1e-11)
    assert fit.rsquared == pytest.approx(0.995479004577296, rel=1e-13)
    assert fit.df_resid == 9
    assert fit.method == "QR, double precision"
    assert "QR, double precision" in fit.summary()
    assert "GNPDEFL  " in fit.summary()
    assert "QR, double precision" in fit._repr_html_()


def test_classes_and_real_numbers_are_the_regression_of_numpy_and_statsmodels() -> None:
    data = world()
    fit = estimate(data, CRITERIA, represents="represents", continuous=["income", "distance"])
    x = np.column_stack([dense(data), data["income"], data["distance"]])
    years = data["represents"] * data["days"] / 365
    y = data["cost_cents"] / 100 / (data["days"] / 365)
    rules = []
    for group in (range(6, 10), range(10, 13), range(13, 17), range(17, 20)):
        row = np.zeros(22)
        row[list(group)] = (years @ x)[list(group)]
        rules.append(row / np.linalg.norm(row))
    z = np.linalg.svd(np.array(rules))[2][4:].T
    theirs = sm.WLS(y, x @ z, weights=years).fit()
    assert fit.params.to_numpy() == pytest.approx(z @ theirs.params, rel=1e-8, abs=1e-8)
    assert fit.bse.to_numpy() == pytest.approx(np.sqrt(np.diag(z @ theirs.cov_params() @ z.T)), rel=1e-7)
    root = np.sqrt(years)
    plain = np.linalg.lstsq(root[:, None] * (x @ z), root * y, rcond=None)[0]
    assert fit.params.to_numpy() == pytest.approx(z @ plain, rel=1e-8, abs=1e-8)
    assert fit.df_resid == theirs.df_resid
    residual = y - x @ fit.params.to_numpy()
    mean = np.average(y, weights=years)
    assert fit.rsquared == pytest.approx(1 - years @ residual**2 / (years @ (y - mean) ** 2), abs=1e-12)
    assert fit.cpm == pytest.approx(1 - years @ abs(residual) / (years @ abs(y - mean)), abs=1e-12)
    assert fit.mape == pytest.approx(years @ abs(residual) / years.sum(), rel=1e-12)
    assert fit.index[-2:].tolist() == [("income", ""), ("distance", "")]
    assert fit.predict(data) == pytest.approx(x @ fit.params.to_numpy())
    assert fit.weights.insured_years.to_numpy()[:20] == pytest.approx(years @ x[:, :20])


def test_a_flag_as_a_real_number_weighs_what_exact_sums_say() -> None:
    data = world()
    by_sums = estimate(data, [CRITERIA[0], anderhalf.Criterion("fkg", columns=["fkg_1"], multi=True)])
    by_qr = estimate(data, [CRITERIA[0]], continuous=["fkg_1"])
    assert by_qr.params.to_numpy() == pytest.approx(by_sums.params.to_numpy(), rel=1e-11)
    assert by_qr.bse.to_numpy() == pytest.approx(by_sums.bse.to_numpy(), rel=1e-10)
    assert (by_qr.cpm, by_qr.mape) == pytest.approx((by_sums.cpm, by_sums.mape), rel=1e-8)
    assert (by_qr.df_resid, by_qr.nobs, by_qr.rank) == (by_sums.df_resid, by_sums.nobs, by_sums.rank)


def test_equalities_hold_and_the_budget_is_kept() -> None:
    data = world()
    free = estimate(data, CRITERIA[:2], continuous=["income"])
    assert not free.core.budget_row
    equal = [f"age_sex[{k}] == {500 + 100 * k}" for k in range(6)]
    fit = estimate(data, CRITERIA[:2], continuous=["income"], constraints=equal)
    assert fit.params["age_sex"].to_numpy() == pytest.approx(500 + 100 * np.arange(6), rel=1e-10)
    years = data["days"] / 365
    assert fit.predict(data) @ years == pytest.approx(data["cost_cents"].sum() / 100, rel=1e-10)
    assert "a constraint of its own" in fit.summary()
    loose = estimate(data, CRITERIA[:2], continuous=["income"], constraints=equal, keep_budget=False)
    assert loose.predict(data) @ years != pytest.approx(data["cost_cents"].sum() / 100, rel=1e-6)
    assert loose.df_resid == fit.df_resid - 1


def test_an_empty_class_weighs_nothing_and_files_give_the_same(tmp_path: Any) -> None:
    data = world()
    data["mhk"] %= 3
    fit = estimate(data, CRITERIA[:2], continuous=["income"])
    assert fit.params["mhk"][3] == 0
    assert "1 class has no insured time and weighs 0: mhk[3]." in fit.notes
    pl.DataFrame(data)[:1_000].write_parquet(tmp_path / "a.parquet")
    pl.DataFrame(data)[1_000:].write_parquet(tmp_path / "b.parquet")
    again = estimate(tmp_path, CRITERIA[:2], continuous=["income"])
    assert (again.params == fit.params).all()


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({"income": np.where(np.arange(3_000) == 7, np.nan, 1.0)}, {}, r"income: 1 value that is not finite \(row 7\)"),
        ({"income": np.array(["a"] * 3_000)}, {}, "column income: cannot be read as numbers"),
        ({"income": np.full(3_000, 2.0)}, {}, "depend on each other"),
        ({"days": np.full(3_000, 400)}, {}, "days, expected 1..366, got 3000 rows"),
        ({}, {"constraints": "mhk[1] >= 0"}, "is an inequality, and columns are continuous, expected =="),
        ({}, {"robust": True, "levels": {"cost": 2.0}}, "does not go with levels.*does not go with robust"),
        ({}, {"continuous": ["income", "income"]}, "column income: is given twice"),
        ({}, {"continuous": ["incme"]}, "no column 'incme', expected"),
    ],
)
def test_what_a_regression_cannot_do_is_refused(change: Any, arguments: Any, words: str) -> None:
    with pytest.raises(AnderhalfError) as error:
        estimate({**world(), **change}, CRITERIA[:2], **{"continuous": ["income"], **arguments})
    assert error.match(f"(?s){words}")


def test_more_memory_than_stated_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anderhalf.estimation, "CONTINUOUS_BYTES", 1 << 20)
    with pytest.raises(DomainError, match="3,000 records and more of 11 columns take over"):
        estimate(world(), CRITERIA[:2], continuous=["income"])


def test_moments_cannot_be_regressed_on_real_numbers() -> None:
    with pytest.raises(AnderhalfError, match="does not go with moments"):
        estimate(Moments.from_records(world(), CRITERIA[:2]), continuous=["income"])
