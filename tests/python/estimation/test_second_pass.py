"""What needs the records a second time: CPM, MAPE, robust errors; and what resampled groups give without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from small_world import CRITERIA, dense, records

import anderhalf as ah
import anderhalf.moments
from anderhalf.errors import ShapeError
from anderhalf.estimation import bootstrap, estimate
from anderhalf.moments import Criterion, Moments, RandomGroups


def measures(data: dict[str, NDArray[Any]], prediction: NDArray[np.float64]) -> tuple[float, float]:
    weight = data["days"] / 365
    y = data["cost_cents"] / 100 / weight
    error = np.abs(y - prediction) @ weight
    return float(1 - error / (np.abs(y - np.average(y, weights=weight)) @ weight)), float(error / weight.sum())


def test_cpm_and_mape_are_those_of_the_predictions() -> None:
    data = records()
    fit = estimate(data, CRITERIA)
    cpm, mape = measures(data, fit.predict(data))
    assert fit.cpm == pytest.approx(cpm, abs=1e-8)  # amounts are whole millionths of a euro
    assert fit.mape == pytest.approx(mape, abs=1e-5)
    assert "needs records" not in fit.summary()


def test_slices_give_the_same_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    data = records()
    whole = estimate(data, CRITERIA, robust=True)
    monkeypatch.setattr(anderhalf.moments, "JOIN_ROWS", 500)
    frame = pl.concat([pl.DataFrame(data)[k : k + 250] for k in range(0, 5_000, 250)], rechunk=False)
    parts = estimate(frame, CRITERIA, robust=True)
    assert (parts.params == whole.params).all()
    assert parts.cpm == pytest.approx(whole.cpm, rel=1e-14)
    assert parts.mape == pytest.approx(whole.mape, rel=1e-14)
    assert parts.bse.to_numpy() == pytest.approx(whole.bse.to_numpy(), rel=1e-10)


def test_robust_errors_are_those_of_statsmodels() -> None:
    data = records()
    fit = estimate(data, [CRITERIA[0], Criterion("fkg", columns=CRITERIA[3].columns, multi=True)], robust=True)
    years = data["days"] / 365
    x = dense(data)[:, [*range(6), 14, 15, 16]]
    theirs = sm.WLS(data["cost_cents"] / 100 / years, x, weights=years).fit(cov_type="HC1")
    assert fit.bse.to_numpy() == pytest.approx(theirs.bse, rel=1e-6)
    assert fit.robust
    assert "robust (HC1)" in fit.summary()
    classical = estimate(data, fit.layout.criteria)
    assert (classical.bse != fit.bse).all()


def test_other_records_than_those_of_the_estimate_are_refused() -> None:
    data = records()
    fit = estimate(Moments.from_records(data, CRITERIA))
    assert fit.with_records(data).cpm == estimate(data, CRITERIA).cpm
    with pytest.raises(ShapeError, match="expected 5,000, got 4,000"):
        fit.with_records({name: values[:4_000] for name, values in data.items()})


def test_a_cross_validation_forecasts_each_fold_from_the_others() -> None:
    data = {**records(), "fold": np.arange(5_000) % 4}
    moments = Moments.from_records(data, CRITERIA, stratum="fold")
    result = estimate(moments).cross_validate()
    fold = data["fold"] == 2
    rest = {name: values[~fold] for name, values in data.items()}
    test = {name: values[fold] for name, values in data.items()}
    weight = test["days"] / 365
    y = test["cost_cents"] / 100 / weight
    other = estimate(rest, CRITERIA)
    expected = 1 - weight @ (y - other.predict(test)) ** 2 / (weight @ (y - other.mean_cost) ** 2)
    assert result["2"] == pytest.approx(expected, abs=1e-10)
    assert result["out_of_sample"] < result["in_sample"]
    with pytest.raises(ShapeError, match="RandomGroups"):
        estimate(Moments.from_records(data, CRITERIA)).cross_validate()


def test_a_bootstrap_of_groups_spreads_as_the_robust_errors_do() -> None:
    data = records()
    moments = Moments.from_records(data, CRITERIA[:2], stratum=RandomGroups(200))
    draws = bootstrap(estimate(moments), 300, seed=3)
    assert draws.shape == (300, 10)
    robust = estimate(data, CRITERIA[:2], robust=True)
    # 200 groups and 300 draws: each spread is good to about 1 / sqrt(2 * 200) + 1 / sqrt(2 * 300), a tenth.
    assert draws.std().to_numpy() == pytest.approx(robust.bse.to_numpy(), rel=0.4)
    assert (bootstrap(estimate(moments), 300, seed=3, threads=1) == draws).all(axis=None)
    assert not (ah.bootstrap(estimate(moments), 300, seed=4) == draws).any(axis=None)
