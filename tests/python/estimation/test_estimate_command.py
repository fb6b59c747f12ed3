"""`anderhalf estimate` and `anderhalf check` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_world import CRITERIA, records

from anderhalf.estimation import Criterion, estimate

ROOT = Path(__file__).parents[3]
SPEC = """
[model]
name = "own"
[[criterion]]
name = "age_sex"
classes = 6
[[criterion]]
name = "mhk"
classes = 5
[[criterion]]
name = "region"
[[criterion]]
name = "fkg"
columns = ["fkg_1..fkg_3"]
multi = true
none = true
[[criterion]]
name = "dkg"
columns = ["dkg_1", "dkg_2"]
counts = true
none = true
"""


def anderhalf(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anderhalf.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = records()
    data["mhk"][:3] = 4  # a class of three records
    frame = pl.DataFrame(data)
    (tmp_path / "data").mkdir()
    frame[:2_000].write_parquet(tmp_path / "data" / "a.parquet")
    frame[2_000:].write_csv(tmp_path / "data" / "b.csv")
    (tmp_path / "SPEC.toml").write_text(SPEC)
    return tmp_path


def test_estimate_prints_weights_and_the_two_numbers_of_speed(folder: Path) -> None:
    run = anderhalf("estimate", folder / "data", "--spec", folder / "SPEC.toml", "--threads", 1)
    assert run.returncode == 0, run.stderr
    assert "Non-baseline entries per record" in run.stdout
    assert "occupied cells" in run.stdout
    assert "age_sex[5]" in run.stdout
    assert "CPM" in run.stdout
    assert "2 classes are left out" in run.stdout
    assert run.stderr == ""


def test_json_is_one_object_with_the_weights_of_the_call(folder: Path) -> None:
    run = anderhalf("estimate", folder / "data", "--spec", folder / "SPEC.toml", "--json", "--minimum-persons", 1)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    data = records()
    data["mhk"][:3] = 4
    fit = estimate(data, [CRITERIA[0], "mhk", *CRITERIA[2:]])
    assert {"anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed", "r2", "cpm", "mape_eur", "n",
            "rank", "condition"} <= set(result)  # fmt: skip
    assert result["model"] == "own"
    assert len(result["parameters_sha256"]) == len(result["data_sha256"]) == 64
    assert [(w["criterion"], w["code"]) for w in result["weights"]] == list(fit.index)
    assert [w["weight_eur"] for w in result["weights"]] == np.round(fit.params, 2).tolist()
    assert result["r2"] == pytest.approx(fit.rsquared, rel=1e-9)
    assert result["cpm"] == pytest.approx(fit.cpm, rel=1e-9)
    assert result["mape_eur"] == pytest.approx(fit.mape, abs=0.005)
    assert result["n"] == 5_000


def test_a_folder_of_results_has_no_small_class_and_the_same_bytes_again(folder: Path) -> None:
    for name, threads in (("one", 1), ("two", 2)):
        run = anderhalf("estimate", folder / "data", "--spec", folder / "SPEC.toml", "--out", folder / name,
                        "--threads", threads)  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert f"Report: {folder / name / 'report.html'}" in run.stdout
    files = sorted(p.relative_to(folder / "one").as_posix() for p in (folder / "one").rglob("*") if p.is_file())
    assert files == ["report.html", "results.json", "tables/constraints.csv", "tables/weights.csv"]
    for file in files:
        assert (folder / "one" / file).read_bytes() == (folder / "two" / file).read_bytes()
    rows = (folder / "one" / "tables" / "weights.csv").read_text().splitlines()
    assert "mhk,4,,,,,microdata" in rows
    hidden = [
        w for w in json.loads((folder / "one" / "results.json").read_text())["weights"] if w["weight_eur"] is None
    ]
    assert {(w["criterion"], w["code"]) for w in hidden} == {("mhk", 4), ("mhk", 3)}  # 3: or 4 is what is left of all
    assert all(w["se_eur"] is None and w["insured_years"] is None and w["persons"] is None for w in hidden)


def test_absorbed_classes_have_a_table_without_small_ones(folder: Path) -> None:
    text = SPEC.replace('name = "mhk"\nclasses = 5', 'name = "mhk"\nclasses = 6\nabsorbed = true')
    (folder / "SPEC.toml").write_text(text)
    run = anderhalf("estimate", folder / "data", "--spec", folder / "SPEC.toml", "--out", folder / "out")
    assert run.returncode == 0, run.stderr
    assert "mhk: 6 absorbed classes, in tables/absorbed.csv" in run.stdout
    assert "Constraints:    4 hold with equality" in run.stdout
    data = records()
    data["mhk"][:3] = 4
    fit = estimate(data, [CRITERIA[0], Criterion("mhk", classes=6, absorbed=True), *CRITERIA[2:]])
    assert fit.absorbed is not None
    rows = [line.split(",") for line in (folder / "out" / "tables" / "absorbed.csv").read_text().splitlines()[1:]]
    assert [row[2] for row in rows] == [*(f"{w:.2f}" for w in fit.absorbed[:3]), "", "", ""]
    days = [data["days"][data["mhk"] == k].sum() / 365 for k in range(3)]
    assert [float(row[3]) for row in rows[:3]] == pytest.approx(days, abs=0.005)
    assert [int(row[4]) for row in rows[:3]] == np.bincount(data["mhk"])[:3].tolist()


def test_refused_input_is_one_message_and_leaves_nothing(folder: Path) -> None:
    frame = pl.read_csv(folder / "data" / "b.csv")
    frame.with_columns(days=pl.lit(400)).write_csv(folder / "data" / "b.csv")
    run = anderhalf("estimate", folder / "data", "--spec", folder / "SPEC.toml", "--out", folder / "out")
    assert run.returncode == 1
    assert run.stderr.startswith("anderhalf: b.csv: days, expected 1..366, got 3000 rows (first: 0, 1, 2, 3, 4)")
    assert "Traceback" not in run.stderr
    assert not (folder / "out").exists()
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "takes one of --model and --spec, expected --model nl-2021, or --spec SPEC.toml, got neither"),
        (("--model", "nl-2021", "--spec", "x.toml"), "got both"),
        (("--model", "nl-1999"), "no model 'nl-1999'"),
        (("--model", "nl-2021"), "columns are missing: fkg_4..fkg_38, dkg_3..dkg_26"),
        (("--spec", "none.toml"), "none.toml: no such file"),
    ],
)
def test_wrong_calls_are_said_in_one_line(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    run = anderhalf("estimate", folder / "data", *arguments)
    assert run.returncode == 1
    assert words in run.stderr


def test_check_reads_specifications_and_records(folder: Path) -> None:
    good = anderhalf("check", folder / "SPEC.toml", *sorted((ROOT / "examples" / "specifications").glob("*.toml")))
    assert good.returncode == 0, good.stderr
    assert good.stdout.count(": good") == 4
    data = anderhalf("check", folder / "data", "--spec", folder / "SPEC.toml")
    assert "good, 5,000 records" in data.stdout
    (folder / "bad.toml").write_text(SPEC.replace("multi", "mult").replace("counts", "count"))
    (folder / "data" / "a.parquet").write_bytes(b"no parquet")
    bad = anderhalf("check", folder / "bad.toml", folder / "data" / "a.parquet", "--spec", folder / "SPEC.toml")
    assert bad.returncode == 1
    assert "unknown key, expected multi" in bad.stderr
    assert "unknown key, expected counts" in bad.stderr
    assert "a.parquet: cannot be read" in bad.stderr
    ask = anderhalf("check", folder / "data" / "b.csv")
    assert ask.returncode == 1
    assert "one of --model and --spec" in ask.stderr
