"""The shell: exit status, messages, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def anderhalf(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "anderhalf.cli", *arguments], capture_output=True, text=True, env=environment, cwd=cwd
    )


def test_a_class_lost_costs_what_the_official_weights_say() -> None:
    run = anderhalf("patient", "--sex", "m", "--age", "42", "--class", "mhk=1", "--to", "mhk=0", "--json")
    assert run.returncode == 0, run.stderr
    difference = json.loads(run.stdout)["difference"]
    assert difference["variable_eur"] == -765.02
    assert difference["contribution_eur"] == -672.92


def test_an_unknown_class_and_criterion_are_refused_together() -> None:
    run = anderhalf("patient", "--sex", "m", "--age", "42", "--class", "mhk=99", "--class", "nonsense=1")
    assert run.returncode == 1
    assert run.stdout == ""
    assert "mhk" in run.stderr
    assert "nonsense" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "arguments", [("patient", "--sex", "m"), ("nothing",), ("simulate", "pluspunt", "--horizon", "0")]
)
def test_wrong_usage_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    assert anderhalf(*arguments).returncode == 2


def test_every_problem_of_a_programme_file_is_named_at_once(tmp_path: Path) -> None:
    text = (ROOT / "scenarios" / "pluspunt.toml").read_text(encoding="utf-8")
    text = text.replace("added_demand = { value = 0.146", "added_demand = { value = nan")
    text = text.replace("price = { value = 130.00", "price = { value = -1")
    text = text.replace("consult_share = {", "mhk_loss = 3\nconsult_share = {")
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    run = anderhalf("check", str(file))
    assert run.returncode == 1
    for what in ("added_demand", "price", "mhk_loss"):
        assert what in run.stderr
    assert "Traceback" not in run.stderr


def test_the_programme_that_comes_along_is_good() -> None:
    assert anderhalf("check", str(ROOT / "scenarios" / "pluspunt.toml")).returncode == 0


def test_an_unknown_insurer_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = anderhalf("simulate", "pluspunt", "--persons", "5000", "--adoption", "insurer:Nobody", "--out", str(out))
    assert run.returncode == 1
    assert "Nobody" in run.stderr
    assert "CZ" in run.stderr
    assert not list(tmp_path.iterdir())


def test_a_model_as_printed_is_refused_for_more_than_one_year() -> None:
    run = anderhalf("simulate", "pluspunt", "--persons", "5000", "--model", "nl-2021")
    assert run.returncode == 1
    assert "nl-2021-structural" in run.stderr


def test_a_population_is_written_whole_and_read_back(tmp_path: Path) -> None:
    out = tmp_path / "people"
    run = anderhalf("synthesise", "--persons", "1000", "--years", "2015:2016", "--out", str(out))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""  # no progress where there is no terminal
    assert sorted(p.name for p in out.iterdir()) == ["claims", "manifest.json", "records"]
    good = anderhalf("check", str(out))
    assert good.returncode == 0, good.stderr
    again = anderhalf("synthesise", "--persons", "1000", "--out", str(out))
    assert again.returncode == 1
    assert "empty folder" in again.stderr
    (out / "manifest.json").write_text('{"persons": "many"}', encoding="utf-8")
    bad = anderhalf("check", str(out))
    assert bad.returncode == 1
    for what in ("persons", "seed", "partitions"):
        assert what in bad.stderr


def test_models_say_what_is_official() -> None:
    run = anderhalf("models")
    assert run.returncode == 0
    assert "nl-2021-structural" in run.stdout
    assert "nl-2020" in run.stdout


def test_a_year_without_channels_is_refused_in_one_sentence() -> None:
    run = anderhalf("simulate", "pluspunt", "--model", "nl-2015")
    assert (run.returncode, run.stdout) == (1, "")
    assert "simulate: nl-2015 can be grouped and paid; its nursing share" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_patient_of_2020_is_explained_with_both_dkgs() -> None:
    run = anderhalf("patient", "--model", "nl-2020", "--sex", "m", "--age", "42", "--class", "dkg_primary=1", "--json")
    assert run.returncode == 0
    weights = {row["criterion"]: row["weight_eur"] for row in json.loads(run.stdout)["classes"]}
    assert (weights["dkg_primary"], weights["dkg_secondary"]) == (627.21, -91.03)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "('pandas', 'matplotlib', 'pydantic')"
    code = f"import sys, anderhalf; print(sorted(m for m in sys.modules if m.split('.')[0] in {heavy}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert run.stdout.strip() == "[]", run.stderr


def test_examples_in_two_languages_give_the_same_figures() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    examples = sorted((ROOT / "examples").glob("*.py"))
    assert examples
    for example in examples:
        run = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, env=environment)
        assert run.stdout == example.with_suffix(".out").read_text(encoding="utf-8"), run.stderr
