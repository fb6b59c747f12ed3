"""Model years whose weights are not public: a structure without weights, until they are estimated."""

from __future__ import annotations

import math
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import anderhalf as ah
from anderhalf._paths import data_directory
from anderhalf.errors import ParameterError
from anderhalf.model import Model, model_of
from anderhalf.moments import model_criteria
from anderhalf.parameters import CATEGORIES, Reform, read_law

YEARS = range(2022, 2027)


def name(year: int) -> str:
    return f"nl-{year}-structural"


def criteria(year: int) -> list[str]:
    return [c.name for c in ah.load_model(name(year)).variable.criteria]


def records(model: Model, rows: int, seed: int = 1) -> pd.DataFrame:
    """Records with every class of the variable share, and costs that depend on some of them."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {"days": np.full(rows, 365)}
    for c in model_criteria(model):
        if c.many and not c.optional:
            for column in c.columns:
                columns[column] = (draw.random(rows) < 0.1).astype(np.uint8)
        else:
            codes = np.array([int(k) for k in c.named])
            columns[c.name] = codes[draw.integers(0, len(codes), rows)].astype(np.uint8)
    columns["cost_cents"] = draw.integers(0, 1_000_000, rows) + 250_000 * columns["hsm"].astype(np.int64)
    return pd.DataFrame(columns)


@pytest.mark.published
def test_each_year_has_the_criteria_of_its_law() -> None:
    base = [c.name for c in ah.load_model("nl-2021").variable.criteria]
    assert criteria(2022) == criteria(2023) == [*base, "hsm", "mfk", "sei"]  # Bzv 3.4(4)
    assert criteria(2024) == [*base, "hsm", "sei", "ibz"]  # Bzv 3.4(1)
    without = [c for c in base if c != "hkg"]
    assert criteria(2025) == [*without, "hsm", "sei", "ibz"]  # Beleidsregels 2025 2.2(1)
    assert criteria(2026) == [*without, "hsm", "sei", "ibz", "hhk", "okh"]
    for year in YEARS:
        model = ah.load_model(name(year))
        assert (model.year, model.official, model.law.structure.base_year) == (year, False, 2021)  # type: ignore[union-attr]
        assert model.variable.criterion("dkg").data_years == (1,)
        assert model.variable.criterion("hsm").data_years == (3,)
        assert {r.criterion for r in model.neutrality} <= {c.name for s in model.shares for c in s.criteria}
        assert set(model.morbidity_criteria) <= {c.name for c in model.variable.criteria}


@pytest.mark.published
def test_hsm_looks_at_five_criteria_and_sei_at_the_working_ages() -> None:
    model = ah.load_model(name(2025))
    rows = {row.name: row for row in model.law.assignment.criterion}
    assert rows["hsm"].of == ["fkg", "dkg", "fdg", "mhk", "mvv"]  # Beleidsregels 2025 4.9(1)b
    assert rows["ibz"].categories == ["obstetric", "maternity"]  # 4.8(1)b
    sei = model.variable.criterion("sei").by_code(1)
    assert (sei.age_min, sei.age_max) == (18, 64)  # 1.1, seizoenarbeider


@pytest.mark.published
def test_mhk_of_2025_is_that_of_the_beleidsregels() -> None:
    before, after = (ah.load_model(name(year)) for year in (2024, 2025))
    old, new = (m.variable.criterion("mhk").by_code(2) for m in (before, after))
    assert (old.key, old.years, old.top_per_myriad) == ("top_10_in_2", 2, 1000)
    assert (new.key, new.years, new.top_per_myriad) == ("top_15_in_2", 2, 1500)  # Beleidsregels 2025 2.4(1)
    assert before.forfait_from_mhk == after.forfait_from_mhk == 2
    excluded = [
        {c for c, yes in zip(CATEGORIES, ah.load_model(name(y)).mhk_excluded, strict=True) if yes} for y in YEARS
    ]
    births = {"nursing", "obstetric", "maternity"}  # 2.13(1), 4.10(1)
    assert excluded == [{"nursing"}, {"nursing"}, {"nursing"}, births, births | {"devices"}]


@pytest.mark.published
def test_settlement_of_each_year() -> None:
    models = {year: ah.load_model(name(year)) for year in YEARS}
    assert [m.flat_ppm_variable for m in models.values()] == [300_000, *[1_000_000] * 4]  # Bzv 3.12(4)b: 2022 only
    assert [m.flat_ppm_ggz for m in models.values()] == [1_000_000] * 5
    assert [m.own_payments_macro_corrected for m in models.values()] == [True, False, False, False, False]
    bands = {y: [(b.share, b.amount, b.ppm, b.per_adult, b.before_flat_step, b.financed) for b in m.bandwidth]
             for y, m in models.items()}  # fmt: skip
    ggz = ("ggz", 10_00, 900_000, True, False, False)  # Bzv 3.16; Beleidsregels 2025 4.23(8)
    assert bands == {2022: [], 2023: [("variable", 50_00, 750_000, False, True, True), ggz], 2024: [ggz], 2025: [ggz],
                     2026: []}  # fmt: skip
    high = {y: [(h.share, h.threshold, h.ppm) for h in m.high_cost if h.share == "variable"] for y, m in models.items()}
    first, second = ("variable", 400_000_00, 750_000), ("variable", 1_250_000_00, 900_000)
    assert high == {2022: [], 2023: [], 2024: [], 2025: [first], 2026: [first, second]}
    for year, model in models.items():
        for share, rules, item in (
            ("variable", high[year], "high_cost_compensation"),
            ("ggz", bands[year], "bandwidth"),
        ):
            of_share = [rule for rule in rules if rule[0] == share]
            steps = [s.stage for s in model.steps if (s.share, s.item) == (share, item)]
            assert bool(of_share) <= bool(steps), (year, share, item)
            assert len(steps) == len(set(steps))


@pytest.mark.parametrize("year", YEARS)
def test_a_structure_has_no_weights_and_says_so(year: int) -> None:
    model = ah.load_model(name(year))
    frame = model.weights
    variable = frame[frame.share == "variable"]
    assert variable.weight_eur.isna().all()
    assert set(variable.status) == {"estimated: none yet"}
    assert variable.source.str.contains("estimated: none yet").all()
    assert set(frame[frame.share != "variable"].status) == {"printed"}
    printed = ah.load_model("nl-2021").weights
    columns = ["share", "criterion", "code", "weight_eur"]
    ggz = frame[frame.share == "ggz"][columns].reset_index(drop=True)
    assert ggz.equals(printed[printed.share == "ggz"][columns].reset_index(drop=True))
    with pytest.raises(ParameterError) as caught:
        ah.explain(name(year), "m", 42)
    assert str(caught.value) == (
        f"explain: {name(year)} has no weights (estimated: none yet), expected a model made by "
        f"model.with_weights(ah.estimate(frame, model='{name(year)}'))"
    )


@pytest.mark.parametrize("year", YEARS)
def test_weights_are_estimated_on_its_criteria_and_then_explain(year: int) -> None:
    pytest.importorskip("anderhalf._core", reason="the compiled module is not built")
    model = ah.load_model(name(year))
    frame = records(model, 4_000)
    fit = ah.estimate(frame, model=name(year))
    weighted = model.with_weights(fit)
    assert weighted.name == f"{name(year)}+estimated"
    assert weighted.weights_status == "estimated on 4,000.0 insured years of the user"
    assert not weighted.official
    assert weighted.parameters_sha256 != model.parameters_sha256
    variable = weighted.weights[weighted.weights.share == "variable"]
    assert np.abs(variable.weight_eur.to_numpy() - fit.params.to_numpy()).max() <= 0.005 + 1e-9
    assert set(variable.status) == {weighted.weights_status}
    assert variable.source.str.contains("estimated on 4,000.0 insured years").all()
    # Zero-sum per criterion holds on the records, as the constraints of the model year ask.
    hsm = variable[variable.criterion == "hsm"].weight_eur.to_numpy()
    share = float((frame.hsm == 1).mean())
    assert hsm[0] * (1 - share) + hsm[1] * share == pytest.approx(0, abs=0.0101)  # cents
    step = ah.explain(weighted, "m", 42, {"hsm": 1}, {"hsm": 0})
    assert step.difference is not None
    assert step.difference.variable_eur == pytest.approx(hsm[0] - hsm[1], abs=0.0101)
    assert any("estimated on" in row.source for row in step.before.classes)
    assert step.to_dict()["model"] == f"{name(year)}+estimated"
    assert pickle.loads(pickle.dumps(weighted)) == weighted


def test_weights_that_do_not_fit_the_structure_are_refused() -> None:
    model = ah.load_model(name(2024))
    index = [(c.name, row.code) for c in model.variable.criteria for row in c.classes]
    series = pd.Series(1.0, index=pd.MultiIndex.from_tuples(index))
    assert model.with_weights(series, on="ones").weights_status == "estimated on ones"
    with pytest.raises(ParameterError, match=r"no weight of hsm 1"):
        model.with_weights(series.drop(("hsm", 1)))
    with pytest.raises(ParameterError, match=r"no class 1 of mfk in nl-2024-structural"):
        model.with_weights(pd.concat([series, pd.Series({("mfk", 1): 2.0})]))
    series[("hsm", 1)] = math.inf
    with pytest.raises(ParameterError, match=r"weight of hsm 1, expected a finite number"):
        model.with_weights(series)
    with pytest.raises(ParameterError, match=r"nl-2021 has printed weights"):
        ah.load_model("nl-2021").with_weights(series)


def test_models_list_what_is_official_estimated_and_assumed() -> None:
    frame = ah.models().set_index("name")
    for year in YEARS:
        row = frame.loc[name(year)]
        assert (row.year, row.official, row.weights) == (year, False, "estimated: none yet")
        assert "hsm added (Bzv 1 nn; Beleidsregels 2025 4.9), assumption:" in row.structure
        assert "sei added (Bzv 1 oo; Regeling 2022 1c-d), as printed" in row.structure
    assert "2024: mfk dropped (Bzv 3.4(1), (4))" in frame.loc[name(2026), "structure"]
    assert "2025: mhk top_10_in_2 is top_15_in_2" in frame.loc[name(2026), "structure"]
    assert (frame.loc["nl-2021", "weights"], frame.loc["nl-2021", "structure"]) == ("printed", "")
    assert (frame.loc[name(2025), "macro_eur_million"], frame.loc[name(2025), "macro_status"]) == (63069.0, "draft")
    assert math.isnan(frame.loc[name(2026), "macro_eur_million"])


def test_every_criterion_of_a_structure_is_printed_or_an_assumption_with_a_reason() -> None:
    for year in YEARS:
        for note in ah.load_model(name(year)).law.structure.notes:  # type: ignore[union-attr]
            assert note.startswith(tuple(f"{y}: " for y in YEARS)), note
    model = ah.load_model(name(2026), Reform({"settlement.flat_step.variable_care.value": {"2026": 0.5}}))
    assert (model.flat_ppm_variable, model.weighted) == (500_000, False)


@pytest.mark.parametrize(
    ("year", "old", "new", "said"),
    [
        (2022, 'base    = "nl-2021-structural"', 'base    = "nl-2022-structural"', "no such model year"),
        (2022, 'name    = "nl-2022-structural"', 'name    = "nl-2022"', "not the name of the folder"),
        (2024, 'criterion = "mfk"', 'criterion = "mfx"', "drop.mfx: no such criterion"),
        (2024, 'name       = "ibz"', 'name       = "hsm"', "a criterion that the base has already"),
        (2025, 'key       = "top_10_in_2"', 'key       = "top_11_in_2"', "class_change.mhk.top_11_in_2: no such class"),
        (2026, "code = 2", "code = 3", "codes that count up from 0"),
        (2024, 'reason     = "printed: insured', 'because    = "printed: insured', "unknown key"),
        (2025, "threshold       = { value = 400000", "line = { value = 400000", "unknown key"),
    ],
)
def test_a_wrong_structure_is_refused(tmp_path: Path, year: int, old: str, new: str, said: str) -> None:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    path = tmp_path / "nl" / f"{year}-structural" / "structure.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        model_of(read_law(tmp_path / "nl", name(year)))
    assert said in str(caught.value)
