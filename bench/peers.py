"""The estimation engine beside what else one would use, on the same columns, in one process, each in turn.

    python bench/peers.py [--rows 1000000] [--repeat 7] [--out FILE]      one thread each
    python bench/peers.py --full                       17.4 million rows, fastest workflows, two threads

What is timed is X'DX and X'Dc, or the whole fit where a peer gives nothing else. The sparse matrix, the split matrix
and the table of DuckDB are built beforehand and not counted; codes widened for bincount are counted, and once not
("prepared"). Nothing is timed before its result is checked: X'DX and X'Dc are whole numbers below 2^53, so those of
every peer must be equal to ours, digit by digit. A fit is checked by its normal equations, with our X'DX, to 1e-6 of
their largest term.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "build" / "bench" / "bench"
SINGLES = {
    "age_sex": 42, "region": 10, "income": 43, "ses": 12, "ppa": 16, "pdkg": 16, "sdkg": 8, "mhk": 9, "hkg": 11,
    "fdg": 5, "mvv": 10,
}  # fmt: skip
FLAGS = 37
P = sum(SINGLES.values()) + 1 + FLAGS
NONE = sum(SINGLES.values())  # the column of no FKG
PACKAGES = ["numpy", "scipy", "scikit-learn", "statsmodels", "tabmat", "duckdb"]
SLOW = 10.0  # seconds: repeated three times at most


def child_environment(threads: int) -> dict[str, str]:
    """So many threads for every library, and no wish about kernels of OpenBLAS left over."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        environment[name] = str(threads)
    return environment | {"ANDERHALF_PEERS_CHILD": "1"}


# --- data


def columns(rows: int, folder: Path | None) -> dict[str, Any]:
    """The columns of the portfolio of the C++ benchmarks, drawn by `bench_columns` unless a folder holds them."""
    import numpy as np

    names = [*SINGLES, "fkg", "days", "cents"]
    if folder is not None:
        return {name: np.load(folder / f"{name}.npy")[:rows] for name in names}
    with tempfile.TemporaryDirectory() as drawn:
        subprocess.run([BUILT / "bench_columns", str(rows), drawn], check=True)
        return {name: np.load(Path(drawn) / f"{name}.npy") for name in names}


@dataclass
class Gram:
    """X'DX (p, p) in insured days and X'Dc (p) in cents."""

    xx: Any
    xc: Any

    def equals(self, other: Gram) -> bool:
        return bool((self.xx == other.xx).all() and (self.xc == other.xc).all())


@dataclass
class Peer:
    name: str
    run: Callable[[], Any]
    check: Callable[[Any], bool]
    scale: float = 1.0  # rows / rows of its own: only for those that cannot hold all
    note: str = ""


# --- anderhalf


def anderhalf_python(data: dict[str, Any], threads: int) -> Callable[[], Gram]:
    """As users call it. The one place that knows the facade."""
    import anderhalf as ah
    from anderhalf.moments import Criterion

    criteria = [Criterion(name, classes=size) for name, size in SINGLES.items()]
    criteria.append(Criterion("fkg", classes=FLAGS + 1, multi=True, none=True))

    def run() -> Gram:
        moments = ah.Moments.from_records(data, criteria=criteria, cost="cents", days="days", threads=threads)
        return Gram(moments.core.xx(), moments.core.xc())

    return run


class Library:
    """The same through ctypes, plain columns and encoded ones."""

    def __init__(self, data: dict[str, Any], threads: int) -> None:
        self.library = ctypes.CDLL(str(BUILT / "libanderhalf_peers.so"))
        self.library.bench_encode.restype = ctypes.c_void_p
        self.data = data  # keeps the columns alive
        self.pointers = (ctypes.c_void_p * len(data))(*(column.ctypes.data for column in data.values()))
        self.rows, self.threads = ctypes.c_int64(len(data["days"])), ctypes.c_int(threads)
        self.classes = ctypes.c_void_p(self.library.bench_encode(self.pointers, self.rows, self.threads))
        if not self.classes:
            raise RuntimeError("encode refused the columns")

    def _gram(self, call: Callable[..., int], *first: Any) -> Gram:
        import numpy as np

        gram = Gram(np.empty((P, P), np.int64), np.empty(P, np.int64))
        out = (ctypes.c_void_p(gram.xx.ctypes.data), ctypes.c_void_p(gram.xc.ctypes.data))
        if not call(*first, self.pointers, self.rows, self.threads, *out):
            raise RuntimeError("the columns were refused")
        return gram

    def plain(self) -> Gram:
        return self._gram(self.library.bench_plain)

    def encoded(self) -> Gram:
        return self._gram(self.library.bench_encoded, self.classes)


# --- peers

RIDGE = 1e-3  # the least that lets Cholesky pass: the design has 21 free directions


def flag_pairs(fkg: Any) -> tuple[Any, Any]:
    """Row and flag (1..37) of every flag, rows ascending."""
    import numpy as np

    flagged = np.flatnonzero(fkg)
    bits = (fkg[flagged, None] >> np.arange(FLAGS, dtype=np.uint64)) & np.uint64(1)
    row, flag = np.nonzero(bits)
    return flagged[row], flag + 1


def one_hot(data: dict[str, Any]) -> Any:
    """X as scipy CSR: 11 ones of the classes, then those of FKG."""
    import numpy as np
    from scipy import sparse

    n = len(data["days"])
    row, flag = flag_pairs(data["fkg"])
    offsets = np.cumsum([0, *SINGLES.values()])
    rows = np.concatenate([np.tile(np.arange(n), len(SINGLES)), row, np.flatnonzero(data["fkg"] == 0)])
    codes = [data[name].astype(np.int64) + start for name, start in zip(SINGLES, offsets[:-1], strict=True)]
    cols = np.concatenate([*codes, NONE + flag, np.full(int((data["fkg"] == 0).sum()), NONE)])
    return sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(n, P))


def scipy_sparse(x: Any, weight: Any, cents: Any) -> Callable[[], Gram]:
    """X'(DX) of sparse matrices."""
    from scipy import sparse

    def run() -> Gram:
        return Gram((x.T @ (sparse.diags_array(weight) @ x)).toarray(), x.T @ cents)

    return run


@dataclass
class Wide:
    """What numpy.bincount wants: codes as intp, and FKG as a list of (row, flag), 0 for none."""

    code: dict[str, Any]
    row: Any
    flag: Any
    none: Any
    flagged: Any  # rows with a flag, and their flags as 0/1
    dense: Any


def widened(data: dict[str, Any]) -> Wide:
    import numpy as np

    row, flag = flag_pairs(data["fkg"])
    flagged, at = np.unique(row, return_inverse=True)
    dense = np.zeros((len(flagged), FLAGS))
    dense[at, flag - 1] = 1
    none = np.flatnonzero(data["fkg"] == 0)
    row, flag = np.concatenate([none, row]), np.concatenate([np.zeros(len(none), np.intp), flag])
    return Wide({name: data[name].astype(np.intp) for name in SINGLES}, row, flag, none, flagged, dense)


def bincount(wide: Wide, weight: Any, cents: Any) -> Gram:
    """A table of days per pair of criteria by numpy.bincount."""
    import numpy as np

    starts = dict(zip(SINGLES, np.cumsum([0, *SINGLES.values()]), strict=False))
    xx, xc = np.zeros((P, P)), np.zeros(P)
    long_weight = weight[wide.row]
    names = list(SINGLES)
    for k, a in enumerate(names):
        i, code = slice(starts[a], starts[a] + SINGLES[a]), wide.code[a]
        xx[i, i] = np.diag(np.bincount(code, weight, SINGLES[a]))
        xc[i] = np.bincount(code, cents, SINGLES[a])
        for b in names[k + 1 :]:
            j = slice(starts[b], starts[b] + SINGLES[b])
            table = np.bincount(code * SINGLES[b] + wide.code[b], weight, SINGLES[a] * SINGLES[b])
            xx[i, j] = table.reshape(SINGLES[a], SINGLES[b])
            xx[j, i] = xx[i, j].T
        table = np.bincount(code[wide.row] * (FLAGS + 1) + wide.flag, long_weight, SINGLES[a] * (FLAGS + 1))
        xx[i, NONE:] = table.reshape(SINGLES[a], FLAGS + 1)
        xx[NONE:, i] = xx[i, NONE:].T
    xx[NONE, NONE] = weight[wide.none].sum()
    xx[NONE + 1 :, NONE + 1 :] = wide.dense.T @ (wide.dense * weight[wide.flagged, None])
    xc[NONE:] = np.bincount(wide.flag, cents[wide.row], FLAGS + 1)
    return Gram(xx, xc)


def ridge(x: Any, years: Any, cost: Any) -> Callable[[], Any]:
    """scikit-learn's Ridge by Cholesky of X'DX: the fit, not the moments."""
    from sklearn.linear_model import Ridge

    return lambda: Ridge(alpha=RIDGE, solver="cholesky", fit_intercept=False).fit(x, cost, sample_weight=years).coef_


def wls(x: Any, years: Any, cost: Any) -> Callable[[], Any]:
    """statsmodels WLS on a dense X."""
    import statsmodels.api as sm

    dense = x.toarray()
    warnings.simplefilter("ignore")  # of 21 free directions it says so, each time
    return lambda: sm.WLS(cost, dense, weights=years).fit().params


def tabmat_split(data: dict[str, Any], x: Any, weight: Any, cents: Any, *, dense: bool) -> Callable[[], Gram]:
    """tabmat: 11 categoricals, and the flags as a dense or sparse block."""
    import numpy as np
    import tabmat as tm

    flags = x[:, NONE:]
    block = tm.DenseMatrix(np.asfortranarray(flags.toarray())) if dense else tm.SparseMatrix(flags.tocsc())
    split = tm.SplitMatrix([*(categorical(data[name], size) for name, size in SINGLES.items()), block])
    return lambda: Gram(split.sandwich(weight), split.transpose_matvec(cents))


def categorical(codes: Any, size: int) -> Any:
    import numpy as np
    import pandas as pd
    import tabmat as tm

    return tm.CategoricalMatrix(pd.Categorical.from_codes(codes.astype(np.int32), categories=pd.RangeIndex(size)))


def tabmat_and_scipy(data: dict[str, Any], weight: Any, cents: Any) -> Gram:
    """An expert's mix: categoricals, with 'any FKG' as one more, by tabmat; flags by scipy on flagged rows alone."""
    import numpy as np
    import tabmat as tm
    from scipy import sparse

    xx, xc = np.zeros((P, P)), np.zeros(P)
    split = tm.SplitMatrix(
        [*(categorical(data[name], size) for name, size in SINGLES.items()), categorical(data["fkg"] != 0, 2)]
    )
    xx[: NONE + 1, : NONE + 1] = split.sandwich(weight)[: NONE + 1, : NONE + 1]
    xc[: NONE + 1] = split.transpose_matvec(cents)[: NONE + 1]
    flagged = np.flatnonzero(data["fkg"])
    subset = one_hot({name: column[flagged] for name, column in data.items()})
    flags = subset[:, NONE + 1 :].T @ (sparse.diags_array(weight[flagged]) @ subset)
    xx[NONE + 1 :, :] = flags.toarray()
    xx[:, NONE + 1 :] = xx[NONE + 1 :, :].T
    xc[NONE + 1 :] = subset[:, NONE + 1 :].T @ cents[flagged]
    return Gram(xx, xc)


def duckdb_groups(data: dict[str, Any], threads: int) -> Callable[[], Gram]:
    """DuckDB adds up days and cents of equal profiles; the expert's mix does the rest. The fastest we found."""
    import duckdb
    import numpy as np
    import pandas as pd

    connection = duckdb.connect(config={"threads": threads})
    frame = pd.DataFrame(data, copy=False)
    connection.register("frame", frame)
    connection.execute("CREATE TABLE portfolio AS SELECT * FROM frame")
    connection.unregister("frame")
    profile = ", ".join([*SINGLES, "fkg"])
    query = f"SELECT {profile}, sum(days)::DOUBLE AS w, sum(cents)::DOUBLE AS c FROM portfolio GROUP BY {profile}"

    def run() -> Gram:
        groups = connection.execute(query).fetchnumpy()
        groups = {name: np.asarray(column) for name, column in groups.items()}
        return tabmat_and_scipy({name: groups[name] for name in [*SINGLES, "fkg"]}
                                | {"days": groups["w"]}, groups["w"], groups["c"])  # fmt: skip

    return run


# --- the run


def peers(
    data: dict[str, Any], threads: int, *, full: bool, wls_rows: int, ours: Gram
) -> tuple[list[Peer], dict[str, str]]:
    """Those that can be imported, and why the others cannot be."""
    import numpy as np

    weight, cents = data["days"].astype(np.float64), data["cents"].astype(np.float64)
    years, cost = weight / 365, cents / 100 * 365 / weight
    found: list[Peer] = []
    missing: dict[str, str] = {}

    def add(
        name: str, needs: str, make: Callable[[], Callable[[], Any]], check: Callable[[Any], bool] = ours.equals,
        **more: Any,
    ) -> None:  # fmt: skip
        try:
            for package in needs.split():
                importlib.import_module(package)
        except ImportError as reason:
            missing[name] = str(reason)
            return
        found.append(Peer(name, make(), check, **more))

    def normal_equations(xx: Any, xc: Any, ridge: float = 0.0) -> Callable[[Any], bool]:
        def holds(b: Any) -> bool:
            left, right = xx / 365 @ b + ridge * b, xc / 100
            return bool(np.abs(left - right).max() <= 1e-6 * np.abs(right).max())

        return holds

    if full:
        add("duckdb + tabmat", "duckdb tabmat scipy", lambda: duckdb_groups(data, threads))
        add("tabmat + scipy", "tabmat scipy", lambda: lambda: tabmat_and_scipy(data, weight, cents))
        return found, missing
    x = one_hot(data)
    add("scipy.sparse", "scipy", lambda: scipy_sparse(x, weight, cents))
    wide = widened(data)
    add("numpy bincount", "numpy", lambda: lambda: bincount(widened(data), weight, cents))
    add("numpy bincount, prepared", "numpy", lambda: lambda: bincount(wide, weight, cents))
    add("scikit-learn Ridge", "sklearn", lambda: ridge(x, years, cost), normal_equations(ours.xx, ours.xc, RIDGE))
    add("tabmat, flags dense", "tabmat", lambda: tabmat_split(data, x, weight, cents, dense=True))
    add("tabmat, flags sparse", "tabmat", lambda: tabmat_split(data, x, weight, cents, dense=False))
    add("tabmat + scipy", "tabmat scipy", lambda: lambda: tabmat_and_scipy(data, weight, cents))
    add("duckdb + tabmat", "duckdb tabmat scipy", lambda: duckdb_groups(data, threads))
    small = min(wls_rows, len(weight))
    part = x[:small]
    gram = scipy_sparse(part, weight[:small], cents[:small])()
    add(
        "statsmodels WLS", "statsmodels", lambda: wls(part, years[:small], cost[:small]),
        normal_equations(gram.xx, gram.xc), scale=len(weight) / small, note=f"{small} rows, scaled",
    )  # fmt: skip
    return found, missing


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    threads = arguments.threads
    data = columns(arguments.rows, arguments.data)
    own: list[tuple[str, Callable[[], Gram]]] = []
    missing: dict[str, str] = {}
    if (BUILT / "libanderhalf_peers.so").exists():
        library = Library(data, threads)
        own += [("anderhalf, plain columns", library.plain), ("anderhalf, encoded", library.encoded)]
    try:
        own.append(("anderhalf, Python", anderhalf_python(data, threads)))
    except (ImportError, AttributeError) as reason:
        missing["anderhalf, Python"] = str(reason)
    if not own:
        raise SystemExit(f"peers: nothing of anderhalf to measure: {missing}")
    ours = own[0][1]()
    found, absent = peers(data, threads, full=arguments.full, wls_rows=arguments.wls_rows, ours=ours)
    todo = [Peer(name, run, ours.equals) for name, run in own] + found
    repeats: dict[str, int] = {}
    seconds: dict[str, list[float]] = {peer.name: [] for peer in todo}
    for peer in todo:
        took, result = timed(peer.run)
        if not peer.check(result):
            raise SystemExit(f"peers: {peer.name} gives other moments than anderhalf")
        repeats[peer.name] = arguments.repeat if took < SLOW else min(arguments.repeat, 3)
        print(f"  {peer.name}: agrees, {took:.3f} s", flush=True)
    for k in range(arguments.repeat):
        for peer in todo:
            if k < repeats[peer.name]:
                seconds[peer.name].append(timed(peer.run)[0] * peer.scale)
    best = {name: min(values) for name, values in seconds.items()}
    reference = {"ratio_plain": todo[0].name, "ratio_encoded": "anderhalf, encoded"}
    return {
        "rows": len(data["days"]),
        "threads": threads,
        "peers": [
            {
                "name": peer.name,
                "best_s": best[peer.name],
                "median_s": statistics.median(seconds[peer.name]),
                "ns_per_row": best[peer.name] / len(data["days"]) * 1e9,
                "repeats": repeats[peer.name],
                "note": peer.note,
            }
            | {key: best[peer.name] / best[name] for key, name in reference.items() if name in best}
            for peer in todo
        ],
        "missing": missing | absent,
        "versions": {name: installed(name) for name in PACKAGES} | {"python": sys.version.split()[0]},
        "nonzeros_per_row": float((np.bitwise_count(data["fkg"]) + (data["fkg"] == 0)).mean() + len(SINGLES)),
    }


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--full", action="store_true", help="17.4 million rows, the fastest workflows, two threads")
    parser.add_argument("--quick", action="store_true", help="100,000 rows, three times")
    parser.add_argument("--wls-rows", type=int, default=20_000)
    parser.add_argument("--data", type=Path, help="folder with the columns as .npy; default: drawn")
    parser.add_argument("--out", type=Path, help="results as JSON")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeat = min(arguments.repeat, 3)
    arguments.rows = arguments.rows or (17_400_000 if arguments.full else 100_000 if arguments.quick else 1_000_000)
    arguments.threads = arguments.threads or (2 if arguments.full else 1)
    if "ANDERHALF_PEERS_CHILD" not in os.environ:  # libraries read their number of threads once, when loaded
        command = [sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(command, env=child_environment(arguments.threads), check=False).returncode
    results = measure(arguments)
    for peer in results["peers"]:
        print(f"{peer['name']:26} {peer['best_s'] * 1e3:12.1f} ms  x {peer['ratio_plain']:.1f} {peer['note']}")
    for name, reason in results["missing"].items():
        print(f"{name:26} not measured: {reason}")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
