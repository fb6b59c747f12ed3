"""src/generated/*.cpp against the TOML."""

from __future__ import annotations

import dataclasses
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anderhalf import model as python
from anderhalf.model import load_model

ROOT = Path(__file__).resolve().parents[3]
KINDS = (
    "RiskClass", "Exclusion", "Criterion", "Share", "NeutralityRule", "HighCost", "Band", "AbroadWeight",
    "Step", "Model",
)  # fmt: skip
# Values compared: classes x 16 fields, exclusions, rules, amounts.
COUNTS = {
    "nl-2012": 11330, "nl-2013": 9092, "nl-2014": 9751, "nl-2015": 6705, "nl-2019": 7514, "nl-2020": 17832,
    "nl-2021": 10551, "nl-2021-structural": 10551,
}  # fmt: skip


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "generate"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_files_are_up_to_date() -> None:
    done = generate("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_file_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "generated", tmp_path / "generated")
    path = tmp_path / "generated" / "nl_2021.cpp"
    path.write_text(path.read_text(encoding="utf-8").replace("-598'550'000", "-598'560'000"), encoding="utf-8")
    done = generate("--check", "--out", str(tmp_path / "generated"))
    assert (done.returncode, done.stdout) == (1, "not up to date: nl_2021.cpp\n")


def compare(left: Any, right: Any, where: str) -> int:
    """Number of plain values compared; fails on the first that differs."""
    if isinstance(left, list):
        assert len(left) == len(right), where
        return sum(compare(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(left, right, strict=True)))
    if type(left).__module__.startswith("anderhalf._core") and not hasattr(type(left), "__members__"):
        fields = [name for name in dir(left) if not name.startswith("_")]
        assert fields, where
        return sum(compare(getattr(left, name), getattr(right, name), f"{where}.{name}") for name in fields)
    assert left == right, where
    return 1


@pytest.mark.oracle
@pytest.mark.parametrize("name", COUNTS)
def test_generated_cpp_equals_the_toml_field_by_field(name: str) -> None:
    core = pytest.importorskip("anderhalf._core", reason="the compiled module is not built")
    params = getattr(core, "params", core)
    generated = getattr(params, name.replace("-", "_"))()
    compared = compare(load_model(name).core, generated, name)
    print(f"{name}: {compared} values equal")
    assert compared == COUNTS[name]


@pytest.mark.oracle
def test_a_filled_struct_has_every_field_of_the_python_model() -> None:
    pytest.importorskip("anderhalf._core", reason="the compiled module is not built")
    core = importlib.import_module("anderhalf._core")
    params = getattr(core, "params", core)
    for kind in KINDS:
        fields = {f.name for f in dataclasses.fields(getattr(python, kind)) if f.metadata.get("core", True)}
        assert fields == {name for name in dir(getattr(params, kind)) if not name.startswith("_")}, kind


def members(header: str, struct: str) -> set[str]:
    """Names declared in a plain struct of the header."""
    body = re.search(rf"struct {struct} {{\n(.*?)\n}};", header, re.DOTALL)
    assert body is not None, struct
    plain = re.sub(r"//[^\n]*|<[^>]*>| = [^,;]+|{}", "", body.group(1))
    return {name.strip() for line in plain.split(";") if line.strip() for name in line.split(maxsplit=1)[1].split(",")}


@pytest.mark.oracle
@pytest.mark.parametrize("kind", KINDS)
def test_python_fills_every_member_of_the_header(kind: str) -> None:
    header = (ROOT / "include" / "anderhalf" / "params" / "model.hpp").read_text(encoding="utf-8")
    fields = {f.name for f in dataclasses.fields(getattr(python, kind)) if f.metadata.get("core", True)}
    assert fields == members(header, kind)
