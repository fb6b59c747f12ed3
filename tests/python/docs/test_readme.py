"""What the README shows works as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def _snippet(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)[number]


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(_snippet("python").replace("60_000", "8_000"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "a1_hospital_avoided" in printed
    assert "-672.92" in printed


def test_the_weights_of_the_readme_are_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(_snippet("python", 1), "README.md", "exec"), names)
    assert names["fit"].params["chronic"].to_dict() == pytest.approx({0: -880, 1: 800})  # 2 insured years and 2.2
    assert names["fit"].cpm > 0.5
    assert "CPM" in capsys.readouterr().out.upper()


def test_the_payment_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(_snippet("python", 2), "README.md", "exec"), names)
    paid = names["paid"]
    mean = paid.total_cents / paid.insurers.insured_years.sum() / 100
    assert mean == pytest.approx(1_500, rel=0.15)  # euros per insured year, premium and own payments deducted
    assert "Contribution (vereveningsbijdrage)" in capsys.readouterr().out


def test_estimate_and_evaluate_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anderhalf.cli import app

    people = pd.DataFrame({
        "age": ["young"] * 30 + ["old"] * 30, "chronic_1": [0, 0, 1] * 20, "chronic": [0, 0, 1] * 20, "days": 365,
        "persons": 1, "cost_cents": np.arange(60) * 100_00, "payment_cents": np.arange(60)[::-1] * 100_00,
    })  # fmt: skip
    (tmp_path / "records").mkdir()
    people.to_csv(tmp_path / "records" / "people.csv", index=False)
    people.to_csv(tmp_path / "payments.csv", index=False)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^anderhalf ((?:estimate|evaluate) .*?)\s+#", TEXT, re.M)
    assert [line.split()[0] for line in lines] == ["estimate", "evaluate"]
    for line, words in zip(lines, ("chronic[1]", "CPM"), strict=True):
        result = CliRunner().invoke(app, shlex.split(line))
        assert result.exit_code == 0, result.output
        assert words.lower() in result.output.lower()


def test_the_cpp_of_the_readme_compiles(tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++")
    assert compiler, "no C++ compiler: ./run setup installs one"
    source = tmp_path / "readme.cpp"
    source.write_text(_snippet("cpp"), encoding="utf-8")
    run = subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", f"-I{ROOT / 'include'}", str(source)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_every_command_of_the_readme_exists() -> None:
    from anderhalf.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    shown = set(re.findall(r"^anderhalf (\w+)", TEXT, re.M))
    assert shown
    assert shown <= known, shown - known


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"\]\(([^)#]+)\)", TEXT) + re.findall(r"`((?:params|scenarios|docs|examples)/[^`]*)`", TEXT)
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert not missing
