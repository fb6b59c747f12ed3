"""Examples in Python print what stands beside them; the build compares those in C++ with the same files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_stands_beside_it(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "python")}
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == path.with_suffix(".out").read_text(encoding="utf-8")


def test_every_example_is_there_in_both_languages() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(p.stem for p in (ROOT / "examples").glob("*.cpp"))
