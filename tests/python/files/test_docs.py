"""What docs/files.md shows works as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import anderhalf as ah
from anderhalf import _core, files

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")


def test_the_commands_run_and_the_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from anderhalf.cli import app

    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^anderhalf (.*?)\s{2,}", TEXT, re.M)
    assert [line.split()[0] for line in lines] == ["synthesise", "check", "simulate", "mapping"]
    for line in lines:
        result = CliRunner().invoke(app, shlex.split(line))
        assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "report.html").exists()
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.S):
        exec(compile(code, "files.md", "exec"), names)
    assert "CZ" in capsys.readouterr().out
    assert ah.read_population("own").origin == "microdata"


def test_the_columns_and_keys_of_the_page_are_those_of_the_files() -> None:
    words = set(re.findall(r"[a-z_0-9]+", TEXT))
    for dtype in files.KINDS.values():
        assert set(dtype.names or ()) <= words
    known = set(files.Manifest.model_fields) | set(files.Partition.model_fields)
    told = {"anderhalf_version", "model", "insured_year", "records", "claims", "rows", "claim_rows"}  # in words
    assert known - told <= words
    assert _core.record_dtype["person"].itemsize == 8
