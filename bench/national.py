"""One equalization year, streamed: time, processor time and peak memory by number of persons, beside its floors.

python bench/national.py [PERSONS ...] [--out FILE.json] [--threads N]

Each size runs in a process of its own: claims generated, grouped, ranked nationally and added to moments and totals, in
two passes. Floors on the same threads, up to a million persons: the same blocks generated as often and dropped, and the
bytes of their records and claims read as often from memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
FLOORS = 1_000_000
MODEL, YEAR = "nl-2021-structural", 2021


def clocks() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime


def since(begin: tuple[float, float]) -> dict[str, float]:
    now = clocks()
    return {"seconds": now[0] - begin[0], "processor_seconds": now[1] - begin[1]}


def measured(persons: int, threads: int) -> dict[str, Any]:
    """In this process: the streamed year first, for peak memory counts from the start; then the floors."""
    import anderhalf as ah

    people = ah.synthesise(persons, region=None)
    begin = clocks()
    streamed = people.stream(MODEL, YEAR, threads=threads)
    result: dict[str, Any] = {"stream": since(begin)}
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result |= {"persons": streamed.persons, "claims": streamed.claims, "held": int(streamed.core.held)}

    if persons > FLOORS:
        return result
    source = people.source(streamed.years_read)
    counted = []

    def generate(k: int) -> None:
        block = source.block(k)
        counted.append(block.records.nbytes + block.claims.nbytes)

    begin = clocks()
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(2):
            list(pool.map(generate, range(len(people))))
    result["generate"] = since(begin)

    block = source.block(0)
    words = [np.frombuffer(rows.tobytes(), dtype=np.uint64) for rows in (block.records, block.claims)]
    once = sum(w.nbytes for w in words)
    begin = clocks()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: [int(w.sum()) for w in words], range(max(1, sum(counted) // once))))
    result["read"] = since(begin)
    result["bytes"] = sum(counted)
    return result


def floor(case: dict[str, Any], name: str) -> str:
    return f"{case[name]['processor_seconds']:.1f}" if name in case else ""


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("persons", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(json.dumps(measured(given.persons[0], given.threads)))
        return
    print(
        "| persons | claims | s | processor s | us per person | generate, processor s | read, processor s | peak MiB |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    cases = []
    for persons in given.persons:
        command = [sys.executable, __file__, str(persons), "--threads", str(given.threads), "--here"]
        case = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        cases.append({"asked": persons, "threads": given.threads, **case})
        stream = case["stream"]
        print(
            f"| {case['persons']:,} | {case['claims']:,} | {stream['seconds']:.1f} | {stream['processor_seconds']:.1f} "
            f"| {1e6 * stream['processor_seconds'] / case['persons']:.1f} | {floor(case, 'generate')} "
            f"| {floor(case, 'read')} | {case['peak_mib']:,.0f} |",
            flush=True,
        )
    if given.out is not None:
        facts = {"processor": processor(), "threads": given.threads, "model": MODEL, "year": YEAR}
        given.out.write_text(json.dumps({"facts": facts, "cases": cases}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
