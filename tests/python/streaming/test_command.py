"""``anderhalf stream`` and what ``anderhalf estimate`` makes of its moments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import anderhalf as ah

ROOT = Path(__file__).resolve().parents[3]


def anderhalf(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "anderhalf.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_a_year_is_streamed_to_a_file_of_moments_that_is_estimated(tmp_path: Path) -> None:
    file = tmp_path / "year.moments"
    arguments = ("stream", "--model", "nl-2021-structural", "--persons", 20_000, "--seed", 4, "--out", file)
    run = anderhalf(*arguments, "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    people = ah.synthesise(20_000, (2015, 2031), seed=4)
    wanted = people.stream("nl-2021-structural")
    assert file.read_bytes() == wanted.moments.to_bytes()
    assert told["moments"] == str(file)
    assert (told["persons"], told["records"], told["claims"]) == (wanted.persons, wanted.records, wanted.claims)
    assert (told["origin"], told["year"], told["care_from"], told["seed"]) == ("synthetic", 2021, 2016, 4)
    assert [line["threshold_eur"] for line in told["lines"][:3]] == wanted.lines.threshold_eur[:3].tolist()
    again = anderhalf(*arguments)
    assert again.returncode == 0
    assert "mhk" in again.stdout
    assert "no record is a real person" in again.stdout

    fit = anderhalf("estimate", file, "--model", "nl-2021-structural", "--json")
    assert fit.returncode == 0, fit.stderr
    assert json.loads(fit.stdout)["n"] == wanted.records
    r2 = ah.estimate(wanted.moments, model="nl-2021-structural").rsquared
    assert json.loads(fit.stdout)["r2"] == pytest.approx(r2, rel=1e-9)
    robust = anderhalf("estimate", file, "--model", "nl-2021-structural", "--robust")
    assert (robust.returncode, "asks for records" in robust.stderr) == (1, True)
    other = anderhalf("estimate", file, "--model", "nl-2020")
    assert (other.returncode, "not of this model year" in other.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "no/such/folder/x.moments"), "folder that exists"),
        (("--out", "x.txt"), "FILE.moments"),
        (("--year", "2040"), "at most 2031"),
        (("--model", "nl-2013"), "nl-2013"),
    ],
)
def test_what_cannot_be_streamed_is_one_message(arguments: tuple[str, ...], words: str) -> None:
    run = anderhalf("stream", "--persons", 1_000, *arguments)
    assert run.returncode == 1, run.stdout
    assert words in run.stderr
    assert "Traceback" not in run.stderr
