"""docs/population.md holds what the population gives, and every missed target has a reason."""

import importlib.machinery
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("population_page", str(ROOT / "tools" / "population_page"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_is_what_the_tool_writes_from_the_results(tool: ModuleType) -> None:
    result, _ = tool.results()
    page = tool.PAGE.read_text(encoding="utf-8")
    assert page == tool.filled(page, result), "run tools/population_page --write"
    for name, svg in tool.drawings(result).items():
        assert (tool.FOLDER / name).read_text(encoding="utf-8") == svg, f"{name}: run tools/population_page --write"


def test_the_results_are_of_the_population_of_today(tool: ModuleType) -> None:
    _, marks = tool.results()
    assert marks == tool.fingerprint(), "the population changed: run tools/population_page"


def test_every_missed_target_is_explained_and_every_target_has_a_result(tool: ModuleType) -> None:
    result, _ = tool.results()
    assert result.unexplained() == ()
    missing = [c.target.key for c in result.checks if c.value is None and not c.target.explanation]
    assert missing == []


def test_every_link_of_the_page_leads_somewhere(tool: ModuleType) -> None:
    page = tool.PAGE.read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)">', page))
    for link in re.findall(r"\]\(([^)]+)\)", page):
        if link.startswith("#"):
            assert link[1:] in anchors
        else:
            assert (tool.PAGE.parent / link).exists(), link
