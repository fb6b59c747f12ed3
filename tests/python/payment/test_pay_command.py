"""`anderhalf pay` and `anderhalf recalculate` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from pay_country import country

import anderhalf as ah


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pay")
    people = country(ah.load_model("nl-2021"), 300)
    people.to_csv(place / "insured.csv", index=False)
    people[:220].to_csv(place / "expected.csv", index=False)
    people.assign(mhk=0).to_csv(place / "corrected.csv", index=False)
    pd.DataFrame({"criterion": ["mhk"] * 9, "code": range(9), "weight_eur": [k * 100.5 for k in range(9)]}).to_csv(
        place / "weights.csv", index=False
    )
    return place


def anderhalf(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anderhalf.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_pay_prints_one_object_and_writes_the_same(folder: Path, tmp_path: Path) -> None:
    run = anderhalf("pay", folder / "insured.csv", "--model", "nl-2021", "--expected", folder / "expected.csv",
                    "--rounding", "legal", "--json", "--out", tmp_path / "out")  # fmt: skip
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    assert (tmp_path / "out" / "results.json").read_text() == run.stdout
    people = pd.read_csv(folder / "insured.csv")
    paid = ah.pay(people, "nl-2021", "final", "legal", expected=pd.read_csv(folder / "expected.csv"))
    assert printed["total_cents"] == paid.total_cents
    assert [row["contribution_cents"] for row in printed["insurers"]] == list(paid.contribution)
    assert printed["model"] == "nl-2021"
    assert len(printed["data_sha256"]) == len(printed["parameters_sha256"]) == 64
    assert printed["expected_counts"] == "the insured given"


def test_pay_says_who_gets_what_and_a_statement_when_asked(folder: Path) -> None:
    run = anderhalf("pay", folder / "insured.csv", "--model", "nl-2021", "--stage", "ex_ante")
    assert run.returncode == 0, run.stderr
    assert "insurer 2" in run.stdout
    run = anderhalf("pay", folder / "insured.csv", "--model", "nl-2021", "--insurer", "insurer 2", "--lang", "nl")
    assert run.returncode == 0, run.stderr
    assert "Overzicht van zorgverzekeraar insurer 2" in run.stdout
    assert "Vereveningsbijdrage" in run.stdout


def test_pay_with_weights_of_ones_own(folder: Path) -> None:
    run = anderhalf("pay", folder / "insured.csv", "--weights", folder / "weights.csv", "--total", "1000000", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["total_cents"] == 1_000_000


def test_recalculate_closes(folder: Path, tmp_path: Path) -> None:
    run = anderhalf("recalculate", folder / "insured.csv", "--model", "nl-2021", "--to-data", folder / "corrected.csv",
                    "--json", "--out", tmp_path / "out")  # fmt: skip
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    assert sum(row["difference_cents"] for row in printed["insurers"]) == printed["difference_cents"] != 0
    assert (tmp_path / "out" / "report.html").exists()
    run = anderhalf("recalculate", folder / "insured.csv", "--model", "nl-2021", "--to-model", "nl-2021-structural")
    assert run.returncode == 0, run.stderr
    assert "nl-2021-structural" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["pay", "insured.csv"], 1, "takes one of --model and --weights"),
        (["pay", "insured.csv", "--model", "nl-2021", "--stage", "soon"], 2, "soon"),
        (["pay", "nothing.csv", "--model", "nl-2021"], 1, "no such file"),
        (["pay", "weights.csv", "--model", "nl-2021"], 1, "class columns are missing"),
        (["pay", "insured.csv", "--model", "nl-2021", "--insurer", "nobody"], 1, "no insurer 'nobody'"),
        (["recalculate", "insured.csv", "--model", "nl-2021"], 1, "nothing that differs"),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, arguments: list[str], status: int, words: str) -> None:
    run = anderhalf(arguments[0], folder / arguments[1], *arguments[2:])
    assert run.returncode == status
    assert words in run.stderr
    assert run.stdout == ""
