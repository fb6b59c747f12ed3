"""What docs/payment.md shows works as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import anderhalf as ah

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "payment.md").read_text(encoding="utf-8")


def test_the_python_runs_and_the_commands_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from anderhalf.cli import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.S):
        exec(compile(code, "payment.md", "exec"), names)
    assert "Contribution (vereveningsbijdrage)" in capsys.readouterr().out
    assert (tmp_path / "out" / "paid" / "report.html").exists()
    lines = re.findall(r"^anderhalf (.*?)\s{2,}", TEXT, re.M)
    lines += re.findall(r"^anderhalf (recalculate .*)$", TEXT, re.M)
    assert [line.split()[0] for line in lines] == [
        "synthesise",
        "pay",
        "pay",
        "pay",
        "synthesise",
        "pay",
        "recalculate",
    ]
    for line in lines:
        if line.startswith("recalculate"):
            insured = pd.read_parquet("people/insured.parquet")
            insured[:-50].to_csv("corrected.csv", index=False)
        result = CliRunner().invoke(app, shlex.split(line))
        assert result.exit_code == 0, result.output


def test_class_columns_are_those_that_nothing_else_tells() -> None:
    assert "ggz_region" in ah.class_columns("nl-2021")
    assert "ggz_avi" not in ah.class_columns("nl-2021")
    assert "gsm" not in ah.class_columns("nl-2015")
    assert "nursing_region" in ah.class_columns("nl-2015")
