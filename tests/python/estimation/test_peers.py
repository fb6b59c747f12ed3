"""The comparison with other packages runs, and refuses to time a peer whose moments differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "bench"))
import peers  # noqa: E402

ROWS = 2_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Columns of the kind the C++ benchmarks draw."""
    folder, random = tmp_path_factory.mktemp("columns"), np.random.default_rng(1)
    for name, size in peers.SINGLES.items():
        np.save(folder / f"{name}.npy", random.integers(0, size, ROWS).astype(np.uint8))
    flags = np.bitwise_or.reduce(np.uint64(1) << random.integers(0, peers.FLAGS, (ROWS, 2), dtype=np.uint64), axis=1)
    np.save(folder / "fkg.npy", np.where(random.random(ROWS) < 0.2, flags, np.uint64(0)))
    np.save(folder / "days.npy", random.integers(1, 366, ROWS).astype(np.uint16))
    np.save(folder / "cents.npy", random.integers(0, 10_000_000, ROWS).astype(np.int32))
    return folder


def test_every_peer_gives_our_moments_and_the_result_has_its_keys(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    command = [sys.executable, "bench/peers.py", "--quick", "--rows", str(ROWS), "--repeat", "1", "--wls-rows", "1000"]
    environment = peers.child_environment(1) | {"PYTHONPATH": str(ROOT / "python")}
    environment.pop("ANDERHALF_PEERS_CHILD")
    subprocess.run([*command, "--data", folder, "--out", out], cwd=ROOT, env=environment, check=True, timeout=300)
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["rows"] == ROWS
    assert result["threads"] == 1
    names = {peer["name"] for peer in result["peers"]}
    assert {"anderhalf, Python", "scipy.sparse", "numpy bincount", "statsmodels WLS"} <= names
    for peer in result["peers"]:
        assert {"best_s", "median_s", "ns_per_row", "repeats", "ratio_plain"} <= set(peer)
        assert 0 < peer["best_s"] <= peer["median_s"]


def test_a_peer_that_is_a_day_off_is_found() -> None:
    ours = peers.Gram(np.zeros((2, 2)), np.zeros(2))
    theirs = peers.Gram(np.array([[0, 0], [0, 1]]), np.zeros(2))
    assert ours.equals(peers.Gram(np.zeros((2, 2)), np.zeros(2)))
    assert not ours.equals(theirs)


def test_scipy_and_bincount_agree_with_a_loop_over_persons(folder: Path) -> None:
    data = peers.columns(200, folder)
    weight, cents = data["days"].astype(float), data["cents"].astype(float)
    starts = np.cumsum([0, *peers.SINGLES.values()])
    xx, xc = np.zeros((peers.P, peers.P)), np.zeros(peers.P)
    for i in range(200):
        bits = [peers.NONE + 1 + k for k in range(peers.FLAGS) if int(data["fkg"][i]) >> k & 1]
        own = [int(s + data[n][i]) for n, s in zip(peers.SINGLES, starts, strict=False)] + (bits or [peers.NONE])
        xx[np.ix_(own, own)] += weight[i]
        xc[own] += cents[i]
    loop = peers.Gram(xx, xc)
    assert loop.equals(peers.scipy_sparse(peers.one_hot(data), weight, cents)())
    assert loop.equals(peers.bincount(peers.widened(data), weight, cents))
