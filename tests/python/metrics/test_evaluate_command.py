"""`anderhalf evaluate`: files in, a table or one JSON object out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner, Result

import anderhalf as ah
from anderhalf.cli import app

ARGUMENTS = ["--cost", "cost_cents", "--payment", "pay_cents", "--days", "days", "--insurer", "insurer"]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cost_cents": [1000_00 + 13_00 * k for k in range(100)],
            "pay_cents": [1500_00 + (k % 7) * 100_00 for k in range(100)],
            "days": [365 if k % 3 else 100 for k in range(100)],
            "insurer": ["CZ" if k % 2 else "VGZ" for k in range(100)],
            "sex": [k % 4 // 2 for k in range(100)],
            "region": ["north" if k < 95 else "south" for k in range(100)],
        }
    )


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["csv", "parquet", "folder"])
def test_files_give_the_measures_of_the_same_columns_in_memory(kind: str, tmp_path: Path) -> None:
    data = frame()
    path = tmp_path / f"people.{kind}"
    if kind == "csv":
        data.to_csv(path, index=False)
    elif kind == "parquet":
        pl.from_pandas(data).write_parquet(path)
    else:
        path.mkdir()
        data[:40].to_csv(path / "a.csv", index=False)
        data[40:].to_csv(path / "b.csv", index=False)
    result = run(path, *ARGUMENTS, "--group", "sex", "--group", "region", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    wanted = ah.evaluate(
        data["cost_cents"], data["pay_cents"], data["days"], insurer=data["insurer"], groups=data[["sex", "region"]]
    )
    assert found["r2"] == pytest.approx(wanted.r2, rel=1e-9)
    assert found["cpm"] == pytest.approx(wanted.cpm, rel=1e-9)
    assert found["bandwidth_eur"] == round(wanted.bandwidth or 0, 2)
    assert [row["insurer"] for row in found["insurers"]] == ["CZ", "VGZ"]
    assert [row["group"] for row in found["groups"]["sex"]] == [0, 1]
    assert found["origin"] == "microdata"
    assert list(found)[:5] == ["anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"]
    if kind != "folder":
        assert found["data_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_group_of_five_is_left_out_of_json_and_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, index=False)
    shown = json.loads(run(path, *ARGUMENTS, "--group", "region", "--json").stdout)
    assert [row["n"] for row in shown["groups"]["region"]] == [None, None]
    assert [row["overcompensation_eur"] for row in shown["groups"]["region"]] == [None, None]
    table = run(path, *ARGUMENTS, "--group", "region").stdout
    assert "fewer than 10 persons" in table
    assert "south" in table
    assert "R2" in table


def test_columns_that_are_not_there_and_bad_values_end_with_status_1(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, index=False)
    missing = run(path, *ARGUMENTS, "--group", "sexe", "--group", "age")
    assert missing.exit_code == 1
    assert missing.stdout == ""
    assert "sexe" in missing.stderr
    assert "age" in missing.stderr
    euros = frame().assign(cost_cents=lambda d: d["cost_cents"] / 1000, days=0)
    euros.to_csv(path, index=False)
    refused = run(path, *ARGUMENTS, "--json")
    assert refused.exit_code == 1
    assert "whole cents" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run(tmp_path / "nothing.csv", *ARGUMENTS).exit_code == 1
    assert run(path, "--cost", "cost_cents").exit_code == 2
