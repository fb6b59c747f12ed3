"""What docs/microdata.md shows works as it stands, with Stata and SAS transport files in the place of sas7bdat."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import foreign
import numpy as np
import polars as pl
import pytest
from test_classes import COST
from typer.testing import CliRunner

import anderhalf as ah
from anderhalf.cli import app
from anderhalf.column_maps import CLAIMS, CLASS_UNITS, DATES, RECORDS, OptionsTable, column_map
from anderhalf.microdata import municipality_numbers

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "microdata.md").read_text(encoding="utf-8")


def write_tables(folder: Path) -> None:
    people = foreign.people(16_000)
    r, c = foreign.rows(people)
    names = {**{number: name for name, number in municipality_numbers().items()}, 0: "0"}
    foreign.write(
        pl.DataFrame({
            "rinpersoon": r["person"].astype(np.int64), "uzovi": r["insurer"].astype(np.int32),
            "begin": r["first_day"].astype("M8[D]"), "eind": r["last_day"].astype("M8[D]"),
            "geboortemaand": r["birth_month"] // 12 * 100 + r["birth_month"] % 12 + 1,
            "geslacht": np.where(r["sex"] == 1, "M", "V"), "gemeente": [names[int(k)] for k in r["municipality"]],
            "regio": r["region"].astype(np.int32), "inkomen": r["income_source"].astype(np.int32),
            "ses": r["ses"].astype(np.int32), "huishouden": np.array([5, 3, 4, 1, 2])[r["household"]],
            "wlz": r["wlz"].astype(np.int32),
        }), folder / "insured.dta",
    )  # fmt: skip
    foreign.write(
        pl.DataFrame({
            "rinpersoon": c["person"].astype(np.int64), "soort": c["category"].astype(np.int32),
            "open": c["opened"].astype("M8[D]"), "sluit": c["closed"].astype("M8[D]"),
            "bedrag": c["claimed_cents"] / 100, "product": c["product"].astype(np.int64),
            "specialisme": c["specialism"].astype(np.int32), "diagnose": c["diagnosis"].astype(np.int32),
            "consult": c["consult"].astype(np.int32), "ddd": c["ddd"].astype(np.int32),
            "recepten": c["prescriptions"].astype(np.int32),
        }), folder / "claims.dta",
    )  # fmt: skip
    frame = people.records("nl-2020")
    codes = {ours: int(t) for t, ours in column_map("ot-2020").classes.codes["avi"].items()}
    names = {
        "person": "Pseudoniem_BSN", "insurer": "rdragnw", "days": "induur", "age_sex": "lgnw", "dkg_primary": "pdkg",
        "dkg_secondary": "sdkg", "avi": "avinw", "region": "regsom", "ses": "sesnw", "ppa": "ppanw",
        "fixed_cents": "vast", "variable_cents": "verv", **{f"fkg_{k}": f"fkg{k}" for k in range(1, 38)},
    }  # fmt: skip
    frame = frame.assign(avi=frame.avi.map(codes)).rename(columns=names).assign(**dict.fromkeys(COST[1:], 0))
    foreign.write(pl.from_pandas(frame), folder / "ot.xpt")


def test_the_maps_the_commands_and_the_python_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("ot.sas7bdat", "ot.xpt").replace(".sas7bdat", ".dta")
    classes, whole = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    Path("map.toml").write_text(classes)
    assert column_map("map.toml").classes.model == "nl-2021"
    Path("map.toml").write_text(whole)
    lines = re.findall(r"^anderhalf (.*)$", text, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["check", "estimate", "pay", "check", "import", "simulate"]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(blocks[0], "microdata.md", "exec"), {})
    for line in lines:
        found = CliRunner().invoke(app, shlex.split(line), catch_exceptions=False)
        assert found.exit_code == 0, (line, found.output)
    assert ah.Dataset("people").years == (2015, 2021)
    exec(compile(blocks[1], "microdata.md", "exec"), {})
    assert "contribution_cents" in capsys.readouterr().out


def test_every_key_stands_in_the_documentation() -> None:
    keys = [*RECORDS, *CLAIMS, *OptionsTable.model_fields, *DATES, *CLASS_UNITS]
    assert [key for key in keys if key not in TEXT] == []


def test_the_message_that_is_shown_is_one_that_is_given() -> None:
    assert "records go on after 31 December (rows" in TEXT
    source = (ROOT / "python" / "anderhalf" / "microdata.py").read_text()
    for words in ("records go on after 31 December", "records within one calendar year"):
        assert words in source
