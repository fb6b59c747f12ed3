"""What the README shows works as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def _snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.S)
    assert found, language
    return found.group(1)


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(_snippet("python").replace("60_000", "8_000"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "a1_hospital_avoided" in printed
    assert "-672.92" in printed


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

    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    shown = set(re.findall(r"^anderhalf (\w+)", TEXT, re.M))
    assert shown
    assert shown <= known, shown - known


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"\]\(([^)#]+)\)", TEXT) + re.findall(r"`((?:params|scenarios|docs|examples)/[^`]*)`", TEXT)
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert not missing
