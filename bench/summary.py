"""Merges the results of `./run bench` and prints them beside the goals.

python bench/summary.py build/bench/results out/bench/results.json
"""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARTS = ["kernels", "memory", "stream", "national", "peers", "peers_full"]


@dataclass
class Goal:
    """A figure, what it should be and, on a noisy machine, may be. `at_least`: more is better."""

    name: str
    value: float | None
    goal: float
    limit: float | None = None
    at_least: bool = False
    unit: str = "x"

    def line(self) -> dict[str, Any]:
        value = self.value
        sign = 1 if self.at_least else -1
        if value is None:
            state = "not measured"
        elif sign * value >= sign * self.goal:
            state = "met"
        elif self.limit is not None and sign * value >= sign * self.limit:
            state = "outer limit"
        else:
            state = "missed"
        return {"name": self.name, "value": value, "unit": self.unit, "goal": self.goal, "limit": self.limit,
                "direction": "at least" if self.at_least else "at most", "state": state}  # fmt: skip


class Results:
    """All parts that were measured, and look-ups that are None where one was not."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts
        self.cases = parts.get("kernels", {}).get("cases", [])
        self.facts = {
            k: v for part in ("kernels", "memory", "stream") for k, v in parts.get(part, {}).get("facts", {}).items()
        }
        self.largest = max((c["rows"] for c in self.cases), default=0)

    def case(self, name: str, threads: int = 1, rows: int | None = None) -> dict[str, Any] | None:
        """The case at so many rows (default: the most); work that does not depend on them is recorded at 0."""
        found = [c for c in self.cases if c["name"] == name and c["threads"] == threads]
        wanted = self.largest if rows is None else rows
        return next((c for c in reversed(found) if c["rows"] in (wanted, 0)), None)

    def of(self, name: str, key: str, threads: int = 1) -> float | None:
        case = self.case(name, threads)
        return None if case is None else float(case[key])

    def quotient(self, a: str, b: str, threads: int = 1) -> float | None:
        """Time of a on one thread over time of b on so many."""
        above, below = self.of(a, "best_ms"), self.of(b, "best_ms", threads)
        return None if above is None or below is None else above / below

    def national(self) -> list[Goal]:
        """A country streamed from claims to moments on two threads: time, memory, and time per person as it grows."""
        cases = {c["asked"]: c for c in self.parts.get("national", {}).get("cases", [])}
        large, million, small = cases.get(17_500_000), cases.get(1_000_000), cases.get(100_000)

        def each(case: dict[str, Any]) -> float:
            return float(case["stream"]["processor_seconds"] / case["persons"])

        most = cases[max(cases)] if cases else None
        growth = each(most) / each(small) if small and most and most is not small else None
        return [
            Goal("stream 1m persons", million and million["stream"]["seconds"], 40, None, False, "s"),
            Goal("stream 17.5m persons", large and large["stream"]["seconds"], 600, None, False, "s"),
            Goal("memory of 17.5m persons", large and large["peak_mib"], 2048, None, False, "MiB"),
            Goal("time per person, most / 100k", growth, 1.1, 1.3),
        ]

    def peer(self, part: str, name: str, key: str, rows: int) -> float | None:
        run = self.parts.get(part)
        if run is None or run["rows"] != rows:
            return None
        return next((p.get(key) for p in run["peers"] if p["name"] == name), None)

    def fastest(self, key: str) -> float | None:
        """The fastest workflow of others at the full size."""
        run = self.parts.get("peers_full")
        if run is None:
            return None
        others = [p for p in run["peers"] if not p["name"].startswith("anderhalf")]
        return min((p[key] for p in others if key in p), default=None)

    def beyond(self) -> float | None:
        """Most memory beyond the caller's columns, of both ways and numbers of threads, at 17.4 million rows [MB]."""
        values = [v for k, v in self.facts.items() if k.startswith("bytes beyond") and "@17400000" in k]
        return max(values) / 1e6 if values else None

    def goals(self) -> list[Goal]:
        at, million = f"{self.largest / 1e6:g}m", 1_000_000
        plain, encoded, loop, solve = "moments/plain", "moments/encoded", "moments/loop", "solve/weights only"
        goals = []
        for t in (1, 2):
            goals.append(Goal(f"plain columns / read, {at}, {t} thr", self.of(plain, "ratio", t), 7, 12))
            goals.append(Goal(f"encoded / read, {at}, {t} thr", self.of(encoded, "ratio", t), 3.5, 6))
        goals += [
            Goal(f"double loop / plain, {at}", self.quotient(loop, plain), 5, 3.5, True),
            Goal(f"double loop / encoded, {at}", self.quotient(loop, encoded), 10, 6, True),
            Goal(f"1 / 2 threads, plain, {at}", self.quotient(plain, plain, 2), 1.8, 1.15, True),
            Goal(f"1 / 2 threads, encoded, {at}", self.quotient(encoded, encoded, 2), 1.8, 1.15, True),
        ]
        for name, goal, limit in (("scipy.sparse", 60, 35), ("numpy bincount", 30, 18), ("scikit-learn Ridge", 35, 20)):
            value = self.peer("peers", name, "ratio_plain", million)
            goals.append(Goal(f"{name} / plain, 1m, 1 thr", value, goal, limit, True))
        share = self.quotient(solve, encoded)
        return [
            *goals,
            Goal("fastest workflow / plain, 17.4m, 2 thr", self.fastest("ratio_plain"), 15, None, True),
            Goal("fastest workflow / encoded, 17.4m, 2 thr", self.fastest("ratio_encoded"), 30, None, True),
            Goal("solve, 220 columns, 22 constraints", self.of(solve, "best_ms"), 2.5, None, False, "ms"),
            Goal("same with rank and errors", self.of("solve", "best_ms"), 2.5, None, False, "ms"),
            Goal(f"solve / encoded, {at}", None if share is None else 100 * share, 1, 2, False, "%"),
            Goal("pay 25 insurers from totals", self.of("pay/totals", "best_ms"), 0.1, None, False, "ms"),
            Goal("beyond the columns, 17.4m", self.beyond(), 80, 120, False, "MB"),
            *self.national(),
            Goal("rank of the design", self.facts.get(f"rank@{self.largest}"), 199, 199, True, ""),
        ]


def machine() -> dict[str, Any]:
    """What the figures were measured on; no name of the machine itself."""
    info: dict[str, Any] = {"processors": len(os.sched_getaffinity(0)), "system": platform.system()}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            info["processor"] = line.partition(":")[2].strip()
            break
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind = ((cache / name).read_text().strip() for name in ("level", "type"))
        info[f"L{level} {kind.lower()}"] = (cache / "size").read_text().strip()
    info["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return info


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def growth(results: Results) -> list[str]:
    """Nanoseconds per row at each size: linear when they stay level."""
    sizes = sorted({c["rows"] for c in results.cases} - {0})
    lines = [f"{'ns per row':34}" + "".join(f"{size / 1e6:>9g}m" for size in sizes)]
    for name, threads in sorted({(c["name"], c["threads"]) for c in results.cases if c["rows"]}):
        cells = []
        for size in sizes:
            case = results.case(name, threads, size)
            cells.append("         -" if case is None else f"{case['ns_per_row']:10.2f}")
        lines.append(f"{name + ', ' + str(threads) + ' thr':34}" + "".join(cells))
    return lines


def per_call(results: Results) -> list[str]:
    """Work that does not grow with the rows."""
    names = sorted({c["name"] for c in results.cases if c["rows"] == 0})
    return ["", "ms per call", *(f"{name:34}{results.of(name, 'best_ms'):12.4f}" for name in names)] if names else []


def table(results: Results, goals: list[dict[str, Any]]) -> str:
    lines = [*growth(results), *stream(results), *per_call(results), ""]
    for part in ("peers", "peers_full"):
        if run := results.parts.get(part):
            lines.append(
                f"{run['rows']:,} rows, {run['threads']} thread(s)".ljust(34)
                + f"{'ms':>12}{'/ plain':>10}{'/ encoded':>10}"
            )
            for p in run["peers"]:
                ratios = "".join(f"{number(p.get(k)):>10}" for k in ("ratio_plain", "ratio_encoded"))
                lines.append(
                    f"{p['name']:34}{p['best_s'] * 1e3:12.1f}{ratios}  best of {p['repeats']} {p['note']}".rstrip()
                )
            lines += [f"{name:34}  not measured: {why}" for name, why in run["missing"].items()] + [""]
    lines.append(f"{'goal':42}{'measured':>10}{'':4}{'goal':>14}{'limit':>8}")
    for g in goals:
        wanted = f"{'>=' if g['direction'] == 'at least' else '<='} {g['goal']:g}"
        lines.append(
            f"{g['name']:42}{number(g['value']):>10} {g['unit']:3}{wanted:>14}{number(g['limit']):>8}  {g['state']}"
        )
    return "\n".join(lines)


def stream(results: Results) -> list[str]:
    """The streamed run: time per row, and memory against one block."""
    lines = []
    for name, value in results.facts.items():
        if name.startswith("ms accumulating, stream@"):
            size = name.partition("@")[2]
            reading, block, most = (
                results.facts[f"{what}, stream@{size}"] for what in ("ms reading", "bytes of a block", "bytes at most")
            )
            each = value * 1e6 / int(size)
            lines.append(
                f"streamed {int(size) / 1e6:g}m, 2 thr: {each:.2f} ns per row, {value / reading:.1f} x read, "
                f"at most {most / 1e6:.0f} MB with blocks of {block / 1e6:.0f} MB"
            )
    return lines


MARKS = ("<!-- figures -->\n", "<!-- /figures -->\n")


def into(document: Path, host: dict[str, Any], text: str) -> None:
    """Puts the figures between their marks."""
    before, _, rest = document.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    parts = ", ".join(f"{key} {value}" for key, value in host.items())
    document.write_text(
        f"{before}{MARKS[0]}\nMachine: {parts}.\n\n```\n{text}\n```\n{MARKS[1]}{after}", encoding="utf-8"
    )


def main() -> int:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    parts = {name: json.loads(file.read_text("utf-8")) for name in PARTS if (file := source / f"{name}.json").exists()}
    results = Results(parts)
    goals = [goal.line() for goal in results.goals()]
    text = table(results, goals)
    print(text)
    target.parent.mkdir(parents=True, exist_ok=True)
    merged = {"machine": machine(), "goals": goals, **parts}
    target.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    for document in sys.argv[3:]:
        into(Path(document), machine(), text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
