"""Ready-made classes under the names of others: OT-2020 as it is, maps of one's own, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

import anderhalf as ah
from anderhalf.class_map import check_classes
from anderhalf.cli import app
from anderhalf.errors import AnderhalfError

COST = ("verv", "huis", "parm", "farm", "vlos", "kraam", "hulp", "tand", "keten", "varb", "diag", "grz", "zg", "vv",
        "elv")  # fmt: skip
YEAR = foreign.people(8000).year_of(ah.load_model("nl-2020"))  # in which these people are read under the law of 2020


@pytest.fixture(scope="module")
def ours() -> pd.DataFrame:
    frame = foreign.people(8000).records("nl-2020")
    return frame.assign(cost_cents=frame.variable_cents)


def test_some_of_these_insured_live_abroad_and_have_no_class_of_where_they_live(ours: pd.DataFrame) -> None:
    assert (ours.abroad == 1).sum() > 10
    assert set(ours.region[ours.abroad == 1]) == {-1}


@pytest.fixture(scope="module")
def theirs(ours: pd.DataFrame) -> pd.DataFrame:
    """The same insured in the shape of OT-2020, cost divided over its 15 categories."""
    codes = {ours: int(t) for t, ours in ah.column_map("ot-2020").classes.codes["avi"].items()}
    frame = ours.drop(columns=["variable_cents", "cost_cents"]).assign(avi=ours.avi.map(codes))
    rng, left = np.random.default_rng(1), ours.variable_cents.to_numpy().copy()
    for name in COST[:-1]:
        part = left // 4 * rng.integers(0, 2, len(left))
        frame[name] = part
        left = left - part
    frame[COST[-1]] = left
    names = {
        "person": "Pseudoniem BSN", "insurer": "rdragnw", "days": "induur", "age_sex": "lgnw", "dkg_primary": "pdkg",
        "dkg_secondary": "sdkg", "avi": "avinw", "region": "regsom", "ses": "sesnw", "ppa": "ppanw",
        "fixed_cents": "vast", **{f"fkg_{k}": f"fkg{k}" for k in range(1, 38)},
    }  # fmt: skip
    return frame.rename(columns=names)


def written(frame: pd.DataFrame, folder: Path, suffix: str) -> Path:
    path = folder / f"ot.{suffix}"
    if suffix in ("dta", "xpt"):
        frame = frame.rename(columns={"Pseudoniem BSN": "Pseudoniem_BSN"})
    foreign.write(pl.from_pandas(frame), path)
    return path


@pytest.mark.parametrize("suffix", ["frame", "csv", "parquet", "feather", "dta", "xpt"])
def test_an_ot_2020_file_goes_in_as_it_is(
    suffix: str, ours: pd.DataFrame, theirs: pd.DataFrame, tmp_path: Path
) -> None:
    data: Any = theirs if suffix == "frame" else written(theirs, tmp_path, suffix)
    a, b = ah.estimate(ours, model="nl-2020"), ah.estimate(data, model="nl-2020", columns="ot-2020")
    assert a.params.equals(b.params)
    assert (a.rsquared, a.cpm, a.nobs) == (b.rsquared, b.cpm, b.nobs)
    assert a.params.abs().max() > 100
    for stage in ("ex_ante", "ex_post"):
        x = ah.pay(ours, "nl-2020", stage, year=YEAR)
        y = ah.pay(data, "nl-2020", stage, year=YEAR, columns="ot-2020")
        assert x.insurers.equals(y.insurers)
        assert x.total_cents == y.total_cents > 0


def test_fkg_with_leading_zeros_and_names_in_capitals(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    frame = theirs.rename(columns={f"fkg{k}": f"fkg{k:02}" for k in range(1, 10)})
    frame.columns = [c.upper() for c in frame.columns]
    frame = frame.drop(columns=[c for c in frame.columns if c.startswith("GGZ")])
    a, b = ah.estimate(ours, model="nl-2020"), ah.estimate(frame, model="nl-2020", columns="ot-2020")
    assert a.params.equals(b.params)


def test_every_class_of_2020_has_a_code_in_ot_2020() -> None:
    codes = ah.column_map("ot-2020").classes.codes["avi"]
    avi = ah.load_model("nl-2020").variable.criterion("avi")
    assert sorted(codes.values()) == [c.code for c in avi.classes]
    bands = {c.code: (c.group, c.age_min) for c in avi.classes}
    places = {int(t): bands[o] for t, o in codes.items() if o != 0}
    for low in range(1, 43, 6):  # six age bands per source of income, as the zero-sum rules of the published code
        rows = {places[k] for k in range(low, low + 6) if k in places}
        assert len({group for group, _ in rows}) == 1
    for band in range(1, 7):
        assert len({places[k][1] for k in range(band, 43, 6) if k in places}) == 1


# --- a map of one's own -----------------------------------------------------------------------------------------------

OWN: dict[str, Any] = {
    "classes": {
        "model": "nl-2020",
        "columns": {"days": "duur", "hkg": "hulp1..hulp10", "mhk": "mhk", "cost_cents": ["a", "b"], "sex": "s"},
        "codes": {"sex": {"M": 0, "V": 1}},
        "units": {"cents": "euros"},
    }
}


def own(**changes: Any) -> dict[str, list[Any]]:
    frame: dict[str, list[Any]] = {"duur": [365, 10, 200], "mhk": [0, 8, 1], "a": [1.5, 0, 2], "b": [0.25, 1, 0],
                                   "s": ["M", "V", "V"]}  # fmt: skip
    frame |= {f"hulp{k}": [0, 0, 0] for k in range(1, 11)}
    frame["hulp3"] = [0, 1, 0]
    return frame | changes


def refused(frame: dict[str, list[Any]], options: dict[str, Any] | None = None, **classes: Any) -> list[str]:
    spec = {"classes": {**OWN["classes"], **classes}, "options": options or {}}
    with pytest.raises(AnderhalfError) as found:
        check_classes(frame, spec)
    return [str(p) for p in found.value.problems]


def read(frame: dict[str, list[Any]], name: str, options: dict[str, Any] | None = None, **classes: Any) -> Any:
    found = ah.mapped(frame, {"classes": {**OWN["classes"], **classes}, "options": options or {}})
    pieces = [piece.read(name) for piece in found.slices([name])]
    return [v for p in pieces for v in p.values.tolist()], {a["option"]: a["count"] for a in found.accepted}


def test_flags_become_codes_and_euros_cents() -> None:
    assert read(own(), "hkg")[0] == [0, 3, 0]
    assert read(own(), "cost_cents")[0] == [175, 100, 200]
    assert read(own(), "sex")[0] == [0, 1, 1]


def test_two_classes_of_a_criterion_with_one() -> None:
    frame = own(hulp5=[0, 1, 0])
    assert refused(frame) == [
        "columns hulp1..hulp10: 1 record has two classes (row 1), expected at most one class of hkg, or "
        'options.two_classes = "highest"'
    ]
    assert read(frame, "hkg", {"two_classes": "highest"}) == ([0, 5, 0], {"two_classes=highest": 1})


def test_a_missing_class() -> None:
    frame = own(mhk=[0.0, np.nan, 1.0])
    assert refused(frame) == [
        "column mhk: 1 cell is empty (row 1), expected a value in every row, or classes.missing.mhk in the map"
    ]
    assert read(frame, "mhk", missing={"mhk": 0}) == ([0, 0, 1], {"classes.missing.mhk": 1})


def test_a_code_that_is_no_class() -> None:
    frame = own(mhk=[0, 9, 1])
    assert refused(frame) == [
        "column mhk: 1 code is no class (row 1), expected 0..8 (mhk of nl-2020), or options.unknown_code_is_none = "
        "['mhk']"
    ]
    assert read(frame, "mhk", {"unknown_code_is_none": ["mhk"]}) == ([0, 0, 1], {"unknown_code_is_none=mhk": 1})


def test_days_beyond_the_year_below_zero_and_none() -> None:
    frame = own(duur=[367, -1, 0])
    assert refused(frame) == [
        "column duur: 1 record has a negative number of days (row 1), expected 1..366",
        "column duur: 1 record has more days than the year (row 0), expected at most 366, or options.clip_days_to_year",
        "column duur: 1 record has no days (row 2), expected 1 or more, or options.drop_records_without_days",
    ]
    options = {"clip_days_to_year": True, "drop_records_without_days": True}
    found = read(own(duur=[367, 5, 0]), "days", options)
    assert found == ([366, 5], {"clip_days_to_year": 1, "drop_records_without_days": 1})


def test_constants_stand_in_every_row() -> None:
    assert read(own(), "insurer", constants={"insurer": "Een", "represents": 3})[0] == [0, 0, 0]
    assert read(own(), "represents", constants={"represents": 3})[0] == [3, 3, 3]


def test_keys_that_no_column_has() -> None:
    spec = {
        "classes": {**OWN["classes"], "codes": {"hgk": {"1": 1}}, "missing": {"mhkk": 0}, "constants": {"mhk": 1}},
        "options": {"unknown_code_is_none": ["mkh"]},
    }
    with pytest.raises(AnderhalfError) as found:
        ah.column_map(spec)
    assert [str(p) for p in found.value.problems][:3] == [
        "column map classes.codes.hgk: is no column of the map, expected a key of [classes.columns]",
        "column map classes.missing.mhkk: is no column of the map, expected a key of [classes.columns]",
        "column map classes.mhk: stands in columns and in constants, expected one of them",
    ]
    assert "options.unknown_code_is_none: is no column with a code none" in str(found.value)


def test_a_join_that_doubled_persons() -> None:
    spec = {"classes": {"columns": {"person": "rin", "days": "duur"}}}
    frame = {"rin": ["a", "b", "a", "c", "c"], "duur": [365, 365, 365, 100, 200]}
    with pytest.raises(AnderhalfError) as found:
        check_classes(frame, spec)
    assert [str(p) for p in found.value.problems] == [
        "column rin: 1 person is insured for more days than the year has (rows 0, 2), expected at most 366 days over "
        "all insurers"
    ]
    assert check_classes({k: v[1:] for k, v in frame.items()}, spec) == 4


def test_years_of_insured_time_become_days() -> None:
    with pytest.raises(AnderhalfError, match="number is not whole"):
        read(own(duur=[1.0, 0.5, 0.2]), "days", units={"days": "years"})
    assert read(own(duur=[1.0, 0.2, 31 / 365]), "days", units={"days": "years"})[0] == [365, 73, 31]


def test_a_column_that_the_map_names_and_the_frame_lacks() -> None:
    frame = own()
    del frame["mhk"], frame["a"]
    assert refused(frame) == [
        "frame: has no column 'mhk' for mhk, expected the columns of column map",
        "frame: has no column 'a' for cost_cents, expected the columns of column map",
    ]


def test_what_options_let_pass_stands_in_results(theirs: pd.DataFrame, tmp_path: Path) -> None:
    frame = theirs.copy()
    frame.loc[frame.index[:5], "mhk"] = 77
    frame.to_csv(tmp_path / "ot.csv", index=False)
    text = (Path(ah.column_map.__globals__["data_directory"]("params")) / "microdata" / "ot_2020.toml").read_text()
    (tmp_path / "map.toml").write_text(text + '\n[options]\nunknown_code_is_none = ["mhk"]\n')
    args = [str(tmp_path / "ot.csv"), "--model", "nl-2020", "--columns", str(tmp_path / "map.toml"), "--json"]
    plain = CliRunner().invoke(app, ["estimate", args[0], "--model", "nl-2020", "--columns", "ot-2020"])
    assert isinstance(plain.exception, AnderhalfError)
    for command in (["estimate", *args], ["pay", *args, "--year", str(YEAR)]):
        found = CliRunner().invoke(app, command, catch_exceptions=False)
        assert found.exit_code == 0, found.output
        assert json.loads(found.stdout)["accepted"] == [{"option": "unknown_code_is_none=mhk", "count": 5}]
    done = CliRunner().invoke(app, ["check", args[0], "--columns", "ot-2020"])
    assert done.exit_code == 1
    assert "column mhk: 5 codes are no class (rows 0, 1, 2, 3, 4), expected 0..8" in done.stderr


def test_evaluate_reads_through_a_map(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k1": [100, 300, 500], "k2": [50, 0, 10], "betaald": [200, 280, 490], "duur": [365, 365, 73]})
    frame.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "m.toml").write_text(
        '[classes]\n[classes.columns]\ndays = "duur"\ncost_cents = ["k1", "k2"]\npaid_cents = "betaald"\n'
    )
    args = ["evaluate", str(tmp_path / "d.csv"), "--cost", "cost_cents", "--payment", "paid_cents", "--days", "days",
            "--columns", str(tmp_path / "m.toml"), "--json"]  # fmt: skip
    found = CliRunner().invoke(app, args, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    direct = ah.evaluate(frame.k1 + frame.k2, frame.betaald, frame.duur)
    assert json.loads(found.stdout)["r2"] == pytest.approx(direct.r2)
    named = ah.evaluate("cost_cents", "paid_cents", "days", data=frame, columns=tmp_path / "m.toml")
    assert named.r2 == direct.r2
