"""docs/backtests.md is what its stated run gave, and the run is one of today."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from anderhalf.backtest import backtest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("backtest_page", str(ROOT / "tools" / "backtest_page"))
    spec = importlib.util.spec_from_loader("backtest_page", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_and_its_figures_are_those_of_the_results(tool: ModuleType) -> None:
    result, _ = tool.kept(tool.RESULTS.read_text(encoding="utf-8"))
    assert tool.PAGE.read_text(encoding="utf-8") == tool.filled(result), "run tools/backtest_page --write"
    for name, svg in tool.drawings(result).items():
        assert (tool.FOLDER / name).read_text(encoding="utf-8") == svg, f"{name}: run tools/backtest_page --write"


def test_the_results_are_of_the_people_programmes_and_engine_of_today(tool: ModuleType) -> None:
    _, marks = tool.kept(tool.RESULTS.read_text(encoding="utf-8"))
    assert marks == tool.digest(backtest(tool.SMALL)), (
        "people, evidence, programmes or engine moved: run tools/backtest_page"
    )
