"""Peak memory of `anderhalf estimate` on folders of Parquet: does it grow with the rows?

python bench/larger_than_memory.py FOLDER    writes 1, 10, 50 and 100 million rows there once (2 GB)
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
from peers import FLAGS, SINGLES

MEASURED = """
import json, resource, sys, time
from anderhalf.cli import main
begin = time.perf_counter()
try: main()
except SystemExit: pass
usage = resource.getrusage(resource.RUSAGE_SELF)
wall, processor = time.perf_counter() - begin, usage.ru_utime + usage.ru_stime
print(json.dumps([wall, processor, usage.ru_maxrss / 1024]), file=sys.stderr)
"""


def million(seed: int) -> pl.DataFrame:
    """A million records of the design of the Overall Toets 2020: 25 bytes each."""
    rng, n = np.random.default_rng(seed), 1_000_000
    columns = {}
    for name, size in SINGLES.items():
        share = 1 / np.arange(1, size + 1) if name != "age_sex" else np.ones(size)
        columns[name] = rng.choice(size, n, p=share / share.sum()).astype(np.uint8)
    flags = np.bitwise_or.reduce(np.uint64(1) << rng.integers(0, FLAGS, (2, n), dtype=np.uint64), axis=0)
    columns["fkg"] = np.where(rng.random(n) < 0.18, flags, np.uint64(0))
    columns["days"] = np.where(rng.random(n) < 0.95, 365, rng.integers(1, 366, n)).astype(np.uint16)
    columns["cost_cents"] = np.rint(rng.gamma(0.3, 900_000, n)).astype(np.int32)
    return pl.DataFrame(columns)


def written(root: Path, millions: int) -> Path:
    """Files of ten million rows or fewer."""
    folder = root / f"{millions}m"
    if not folder.exists():
        fresh = root / f".{millions}m"
        fresh.mkdir(parents=True, exist_ok=True)
        for first in range(0, millions, 10):
            parts = [million(first + k) for k in range(min(10, millions - first))]
            pl.concat(parts).write_parquet(fresh / f"part_{first:03}.parquet")
        fresh.rename(folder)
    return folder


def specification(root: Path) -> Path:
    lines = ["[model]", 'name = "overall-toets-2020"', "[estimate]", 'carrier = "age_sex"']
    for name, size in SINGLES.items():
        lines += ["[[criterion]]", f'name = "{name}"', f"classes = {size}"]
    lines += ["[[criterion]]", 'name = "fkg"', f"classes = {FLAGS + 1}", "multi = true", "none = true"]
    (root / "SPEC.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root / "SPEC.toml"


def main() -> None:
    root = Path(sys.argv[1])
    root.mkdir(parents=True, exist_ok=True)
    for millions in (1, 10, 50, 100):
        arguments = ["estimate", written(root, millions), "--spec", specification(root), "--threads", "1", "--json"]
        run = subprocess.run(
            [sys.executable, "-c", MEASURED, *map(str, arguments)], capture_output=True, text=True, check=True
        )
        wall, processor, peak = json.loads(run.stderr.splitlines()[-1])
        print(
            f"{millions:>3} million rows: peak {peak:,.0f} MiB, {wall:.1f} s, processor {processor:.1f} s", flush=True
        )


if __name__ == "__main__":
    main()
