"""A small world for the tests: records with every kind of criterion, and the dense design written out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anderhalf.moments import Criterion

CRITERIA = (
    Criterion("age_sex", classes=6),
    Criterion("mhk", classes=4),
    Criterion("region", classes=["North", "South", "West"]),
    Criterion("fkg", columns=["fkg_1", "fkg_2", "fkg_3"], multi=True, none=True),
    Criterion("dkg", columns=["dkg_1", "dkg_2"], counts=True, none=True),
)


def records(n: int = 5_000, seed: int = 1) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(seed)
    data: dict[str, NDArray[Any]] = {
        "age_sex": rng.integers(0, 6, n).astype(np.uint8),
        "mhk": rng.choice(4, n, p=[0.85, 0.08, 0.05, 0.02]).astype(np.uint16),
        "region": np.array(["North", "South", "West"])[rng.integers(0, 3, n)],
        "fkg_1": rng.random(n) < 0.10,
        "fkg_2": (rng.random(n) < 0.06).astype(np.uint8),
        "fkg_3": (rng.random(n) < 0.03).astype(np.int32),
        "dkg_1": rng.choice(3, n, p=[0.9, 0.07, 0.03]).astype(np.uint8),
        "dkg_2": rng.choice(2, n, p=[0.95, 0.05]).astype(np.uint8),
        "days": rng.integers(1, 367, n).astype(np.uint16),
        "represents": rng.integers(1, 4, n).astype(np.uint16),
    }
    yearly = 900 + 250.0 * data["age_sex"] + 2_000.0 * data["mhk"] + 1_500.0 * data["fkg_1"] + 3_000.0 * data["dkg_2"]
    data["cost_cents"] = np.rint(yearly * rng.gamma(1.2, 1 / 1.2, n) * data["days"] / 365 * 100).astype(np.int64)
    return data


def dense(data: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """One column per class, in the order of the criteria: written without the library."""
    columns = [data["age_sex"] == k for k in range(6)] + [data["mhk"] == k for k in range(4)]
    columns += [data["region"] == name for name in ("North", "South", "West")]
    flags = [data[f"fkg_{k}"].astype(float) for k in (1, 2, 3)]
    counts = [data[f"dkg_{k}"].astype(float) for k in (1, 2)]
    columns += [sum(flags) == 0, *flags, sum(counts) == 0, *counts]
    return np.column_stack([np.asarray(c, dtype=np.float64) for c in columns])
