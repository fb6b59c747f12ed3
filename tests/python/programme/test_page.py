"""docs/programmes holds what the programme lines of today do."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from anderhalf.programme import load_programme
from anderhalf.programme_page import verdicts

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("programme_pages", str(ROOT / "tools" / "programme_pages"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_pages_are_what_the_tool_writes_from_the_results(tool: ModuleType) -> None:
    written = {path.name for path in tool.FOLDER.glob("*.md")}
    pages = tool.pages(tool.kept())
    assert written == set(pages)
    for name, text in pages.items():
        assert (tool.FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run tools/programme_pages --write"


def test_the_results_are_of_the_programmes_of_today(tool: ModuleType) -> None:
    kept = tool.kept()
    for part, now in tool.fingerprint(threads=2).items():
        assert kept[part] == now, f"{part} changed: run tools/programme_pages"


def test_every_outcome_outside_its_range_is_explained(tool: ModuleType) -> None:
    bare = [
        f"{name}: {row['name']}"
        for name, found in tool.kept()["programmes"].items()
        for row in verdicts(load_programme(name), found)
        if row["verdict"] in ("outside", "not measured") and not row["explanation"]
    ]
    assert bare == []


def test_every_line_of_the_folder_has_a_page_and_every_link_leads_somewhere(tool: ModuleType) -> None:
    for page in tool.FOLDER.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"
    assert {f"{name}.md" for name in tool.LINES} <= {path.name for path in tool.FOLDER.glob("*.md")}
