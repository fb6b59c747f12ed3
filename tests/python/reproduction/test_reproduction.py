"""The article's question, small: same bytes for any number of threads, books that close, no network."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from anderhalf.population import synthesise
from anderhalf.report import write_reproduction
from anderhalf.reproduction import Settings, recompute, reproduce, settlement_target
from anderhalf.simulation import World


def _refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("a reproduction opens no socket")


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, Path]:
    folder = tmp_path_factory.mktemp("reproduction")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", _refuse)
        one = reproduce(Settings(persons=6_000, seeds=2, threads=1))
        two = reproduce(Settings(persons=6_000, seeds=2, threads=2))
        return one, write_reproduction(one, folder / "one"), write_reproduction(two, folder / "two")


def test_one_and_two_threads_write_the_same_bytes(twice: tuple[dict[str, Any], Path, Path]) -> None:
    _, one, two = twice
    names = sorted(str(p.relative_to(one)) for p in one.rglob("*") if p.is_file())
    assert "results.json" in names
    assert "report.html" in names
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_results_hold_the_keys_that_outside_scripts_read(twice: tuple[dict[str, Any], Path, Path]) -> None:
    results = json.loads((twice[1] / "results.json").read_text(encoding="utf-8"))
    assert {"anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"} <= set(results)
    keys = (
        "npv_cents saving_cents kept_share payback_year break_even_price_eur adoption insurer start horizon "
        "discount_rate monte_carlo_se_cents"
    )
    assert set(keys.split()) <= set(results["answer"])
    assert {"year", "insurer", "channel", "cents"} <= set(results["channels"][0])
    assert results["checks"] == {"ledger_cents": 0, "decomposition_gap_cents": 0, "payment_gap_cents": 0}


def test_pooled_channels_add_up_to_the_answer(twice: tuple[dict[str, Any], Path, Path]) -> None:
    results = twice[0]
    answer = results["answer"]
    by_year: dict[int, int] = {}
    for row in results["channels"]:
        if row["insurer"] == answer["insurer"]:
            by_year[row["year"]] = by_year.get(row["year"], 0) + row["cents"]
    npv = sum(c / (1 + answer["discount_rate"]) ** (y - answer["start"]) for y, c in by_year.items())
    assert round(npv) == answer["npv_cents"]


def test_the_null_programme_reaches_patients_and_moves_nothing(twice: tuple[dict[str, Any], Path, Path]) -> None:
    null = twice[0]["null_programme"]
    assert null["patients"] > 1_000
    assert null["movements"] > 1_000
    assert null["postings"] > 0
    assert null["ledger_differences_cents"] == 0
    assert null["decomposition_cents"] == 0


@pytest.mark.parametrize(
    ("table", "column", "check"),
    [
        ("ledger", "cents", "ledger_cents"),
        ("decomposition", "cents", "decomposition_gap_cents"),
        ("decomposition", "cents_reverse", "decomposition_gap_cents"),
        ("statements", "variable", "payment_gap_cents"),
        ("statements", "result", "ledger_cents"),
    ],
)
def test_a_changed_cent_is_found(twice: tuple[dict[str, Any], Path, Path], table: str, column: str, check: str) -> None:
    tables = dict(twice[0]["tables"])
    changed = tables[table].copy()
    changed.loc[changed.index[7], column] += 1
    assert recompute({**tables, table: changed})[check] > 0


def test_the_settlement_target_by_hand() -> None:
    # N = 100.00, N' = 80.00, C = 88.00 euros over 365 days: 100 * 88/80 - 1 * (88 - 80) = 102.00
    unit = 10_000 * 365
    assert settlement_target(10_000 * unit, 8_000 * unit, 8_800, 1_000_000, 365) == 10_200
    # phi = 0.15: 110.00 - 1.20
    assert settlement_target(10_000 * unit, 8_000 * unit, 8_800, 150_000, 365) == 10_880


def test_both_threads_work() -> None:
    from anderhalf.model import load_model

    world = World(synthesise(30_000), load_model("nl-2021-structural"), threads=2)
    assert len(world.work_per_thread) == 2
    assert all(chunks > 0 for chunks in world.work_per_thread)
