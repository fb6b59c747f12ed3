"""Time and peak memory of writing people to Parquet and of streaming them back, beside the floor and two readers.

python bench/people_on_disk.py FOLDER [PERSONS [YEARS]]     default: a million persons, 2015:2021, made once
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MEASURED = """
import json, resource, sys, time
begin = time.perf_counter()
folder = sys.argv[1]
{work}
usage = resource.getrusage(resource.RUSAGE_SELF)
wall, processor = time.perf_counter() - begin, usage.ru_utime + usage.ru_stime
print(json.dumps([wall, processor, usage.ru_maxrss / 1024]), file=sys.stderr)
"""

FLOOR = """
from pathlib import Path
for path in sorted(Path(folder).rglob("part-*")):
    path.read_bytes()
"""
HASHED = """
import hashlib
from pathlib import Path
for path in sorted(Path(folder).rglob("part-*")):
    hashlib.sha256(path.read_bytes()).digest()
"""
STREAM = """
from concurrent.futures import ThreadPoolExecutor
import anderhalf as ah
data = ah.read_population(folder)
def used(k):
    block = data.block(k)
    return int(block.claims["claimed_cents"].sum()), len(block.records)
with ThreadPoolExecutor({threads}) as pool:
    print(sum(a for a, _ in pool.map(used, range(len(data)))))
"""
# Every column of every row, as a block gives them.
POLARS = """
import polars as pl
for kind in ("records", "claims"):
    frame = pl.scan_parquet(f"{folder}/{kind}/*.parquet")
    sums = frame.select(pl.all().cast(pl.Int128).sum()).collect(engine="streaming")
print(sums["claimed_cents"][0])
"""
POLARS_PARTS = """
import polars as pl
from pathlib import Path
total = 0
for path in sorted(Path(folder).rglob("part-*")):
    frame = pl.read_parquet(path)
    if path.parent.name == "claims":
        total += frame["claimed_cents"].cast(pl.Int64).sum()  # a sum of 32 bits wraps
print(total)
"""
DUCKDB = """
import duckdb
duckdb.sql("set enable_progress_bar = false")
for kind in ("records", "claims"):
    files = f"read_parquet('{folder}/{kind}/*.parquet')"
    names = [row[0] for row in duckdb.sql(f"describe select * from {files}").fetchall()]
    sums = ", ".join(f"sum({name}::hugeint)" for name in names)
    row = duckdb.sql(f"select {sums} from {files}").fetchall()[0]
print(row[names.index("claimed_cents")])
"""


def measured(work: str, folder: Path) -> tuple[str, float, float, float]:
    code = MEASURED.replace("{work}", work)
    run = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    wall, processor, peak = json.loads(run.stderr.splitlines()[-1])
    return run.stdout.strip(), wall, processor, peak


def main() -> None:
    root = Path(sys.argv[1])
    persons = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    first, _, last = (sys.argv[3] if len(sys.argv) > 3 else "2015:2021").partition(":")
    folder = root / "people"

    def row(name: str, work: str) -> str:
        said, wall, processor, peak = measured(work, folder)
        print(f"{name:<38} {wall:>7.1f} s, processor {processor:>7.1f} s, peak {peak:>7,.0f} MiB", flush=True)
        return said

    write = (
        "from pathlib import Path\nfrom anderhalf.files import write_population\n"
        f"write_population(Path(folder), {persons}, ({first}, {last}), 'mijnstreek', 1, threads={{threads}})\n"
    )
    generate = (
        "import anderhalf as ah\nfrom concurrent.futures import ThreadPoolExecutor\n"
        f"people = ah.synthesise({persons}, ({first}, {last}), seed=1, block_persons=16384)\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    sum(pool.map(lambda k: len(people.block(k).claims), range(len(people))))\n"
    )
    if not folder.exists():
        row("write, 2 threads", write.replace("{threads}", "2"))
    row("the same people made, not written, 2", generate)
    counts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["counts"]
    size = sum(path.stat().st_size for path in folder.rglob("part-*"))
    rows = ", ".join(f"{value:,} {name}" for name, value in counts.items())
    held = 48 * (counts["records"] + counts["claims"])
    print(f"{rows}; {size / 2**20:,.0f} MiB of files, {held / 2**20:,.0f} in memory")
    row("floor: the bytes read", FLOOR)
    row("floor: read and hashed", HASHED)
    totals = {
        row(f"Dataset, checked, {threads} thread{'s' * (threads > 1)}", STREAM.replace("{threads}", str(threads)))
        for threads in (1, 2)
    }
    totals.add(row("polars, file by file, decoded only", POLARS_PARTS))
    totals.add(row("polars, streaming, sums of columns", POLARS))
    totals.add(row("duckdb, sums of columns", DUCKDB))
    if len(totals) != 1:
        raise SystemExit(f"the readers do not agree: {totals}")


if __name__ == "__main__":
    main()
