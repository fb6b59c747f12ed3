"""Moments through the facade against the second implementation: whole numbers, so that there is no tolerance."""

from __future__ import annotations

import copy
import itertools
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from estimation_bridge import CODES, arguments, core_moments, frame, sums, without_absorbed_products
from reference.estimation import Criterion, Design, Record, moments, random_design, random_records

import anderhalf as ah
from anderhalf.errors import DomainError, ShapeError

pytestmark = pytest.mark.oracle


def case(seed: int, rows: int = 40) -> tuple[random.Random, Design, list[Record]]:
    rng = random.Random(seed)
    design = random_design(rng, absorbed=seed % 5 == 0)
    return rng, design, random_records(rng, design, rng.randint(1, rows))


def same_sums(found: Any, design: Design, records: list[Record]) -> None:
    assert sums(found, design) == without_absorbed_products(moments(design, records))


@pytest.mark.parametrize("seed", range(200))
def test_every_sum_is_the_same_whole_number(seed: int) -> None:
    rng, design, records = case(seed)
    same_sums(core_moments(design, records, rng, masks=seed % 2 == 0, threads=rng.choice([1, 2, 7])), design, records)


def test_one_person_with_one_record_is_enough() -> None:
    design = Design((Criterion("age_sex", ("a", "b", "c")),))
    records = [Record((1,), 1, (-7,))]
    found = core_moments(design, records)
    same_sums(found, design, records)
    assert (found.records, found.days, found.cost_cents) == (1, 1, -7)
    assert found.persons().tolist() == [0, 1, 0]


@pytest.mark.parametrize("dtype", [*CODES, np.int8, np.int16, np.int32, np.uint64, bool])
def test_codes_of_every_type_give_the_same_sums(dtype: Any) -> None:
    design = Design((Criterion("age_sex", ("0", "1")), Criterion("fkg", ("0", "1", "2"), "flags", none_derived=True)))
    records = random_records(random.Random(4), design, 60)
    columns = frame(design, records)
    plain = ah.Moments.from_records(columns, **arguments(design))
    other = columns | {name: columns[name].astype(dtype) for name in ("age_sex", "fkg_1", "fkg_2")}
    assert ah.Moments.from_records(other, **arguments(design)) == plain


@pytest.mark.parametrize("seed", range(20))
def test_order_threads_and_parts_do_not_change_a_bit(seed: int) -> None:
    rng, design, records = case(seed + 1_000, rows=300)
    whole = core_moments(design, records)
    shuffled = rng.sample(records, len(records))
    for threads in (1, 2, 3, 7, None):
        found = core_moments(design, shuffled, rng, threads=threads)
        assert found == whole
        assert found.to_bytes() == whole.to_bytes()
    owner = [rng.randrange(4) for _ in records]
    parts = [core_moments(design, [r for r, o in zip(records, owner, strict=True) if o == k] or []) for k in set(owner)]
    rng.shuffle(parts)
    total = sum(parts[1:], parts[0])
    assert total == whole
    assert total.to_bytes() == whole.to_bytes()


def test_many_rows_in_chunks_on_threads_are_the_same_bits() -> None:
    # beyond a chunk of 65,536 rows, against bincount on whole numbers
    rng = np.random.default_rng(5)
    n = 200_001
    columns = {
        "age_sex": rng.integers(0, 40, n).astype(np.uint8),
        "mhk": rng.integers(0, 9, n).astype(np.uint16),
        "days": rng.integers(1, 367, n).astype(np.int32),
        "cost_cents": rng.integers(-(10**6), 10**9, n),
        "represents": rng.integers(1, 30, n).astype(np.uint16),
    }
    found = [
        ah.Moments.from_records(columns, criteria=["age_sex", "mhk"], represents="represents", threads=t)
        for t in (1, 2, 7)
    ]
    assert found[0] == found[1] == found[2]
    weight = columns["days"].astype(np.int64) * columns["represents"]
    joint = np.zeros((40, 9), np.int64)
    np.add.at(joint, (columns["age_sex"], columns["mhk"]), weight)
    assert np.array_equal(np.array(found[0].core.xx(0))[:40, 40:], joint)
    cents = np.zeros(9, np.int64)
    np.add.at(cents, columns["mhk"], columns["cost_cents"] * columns["represents"])
    assert np.array_equal(np.array(found[0].core.xc(0, 0))[40:], cents)
    squares = sum(
        int(c) ** 2 * int(r)
        for c, r, d in zip(columns["cost_cents"], columns["represents"], columns["days"], strict=True)
        if d == 77
    )
    assert found[0].core.squares()[77] == squares > 2**64


@pytest.mark.parametrize("seed", range(15))
def test_records_are_taken_out_as_exactly_as_they_are_put_in(seed: int) -> None:
    _, design, records = case(seed + 2_000)
    more = random_records(random.Random(seed), design, 30)
    a, b = core_moments(design, records), core_moments(design, more)
    before = a.to_bytes()
    assert (a + b - b).to_bytes() == before
    assert (b - b + a) == a
    assert a.to_bytes() == before  # a sum leaves its parts alone
    changed = copy.copy(a)
    changed += b
    assert changed != a
    changed -= b
    assert changed == a
    same_sums(a + b, design, [*records, *more])


@pytest.mark.parametrize("seed", range(15))
def test_bytes_pickle_and_files_come_back_the_same(seed: int, tmp_path: Path) -> None:
    _, design, records = case(seed + 3_000)
    found = core_moments(design, records)
    again = ah.Moments.from_bytes(found.to_bytes())
    assert again == found
    assert again.to_bytes() == found.to_bytes()
    same_sums(again, design, records)
    assert pickle.loads(pickle.dumps(found)) == found
    found.save(tmp_path / "m")
    assert ah.Moments.load(tmp_path / "m") == found


def test_bytes_of_anything_else_are_refused() -> None:
    _, design, records = case(7)
    given = core_moments(design, records).to_bytes()
    rng = random.Random(1)
    for cut in (0, 1, 7, 8, len(given) // 2, len(given) - 1):
        with pytest.raises(DomainError):
            ah.Moments.from_bytes(given[:cut])
    with pytest.raises(DomainError):
        ah.Moments.from_bytes(given + b"\0")
    for _ in range(200):  # a flipped bit anywhere
        at = rng.randrange(len(given))
        with pytest.raises(DomainError):
            ah.Moments.from_bytes(given[:at] + bytes([given[at] ^ (1 << rng.randrange(8))]) + given[at + 1 :])


@pytest.mark.parametrize("seed", range(10))
def test_every_kind_of_frame_gives_the_same_bits(seed: int, tmp_path: Path) -> None:
    rng, design, records = case(seed + 4_000, rows=120)
    columns = frame(design, records, rng)
    named = arguments(design)
    expected = ah.Moments.from_records(columns, **named)
    same_sums(expected, design, records)
    arrow = pa.table(columns)
    pq.write_table(arrow, tmp_path / "one.parquet", row_group_size=17)
    frames = {
        "pandas": pd.DataFrame(columns),
        "polars": pl.DataFrame(columns),
        "pyarrow": arrow,
        "batches": pa.Table.from_batches(arrow.to_batches(max_chunksize=7)),
        "parquet": tmp_path / "one.parquet",
    }
    for kind, given in frames.items():
        assert ah.Moments.from_records(given, **named) == expected, kind


def test_a_folder_of_sixteen_parts_is_one_file(tmp_path: Path) -> None:
    rng, design, records = case(99, rows=500)
    records += random_records(rng, design, 400)
    arrow = pa.table(frame(design, records))
    named = arguments(design)
    (tmp_path / "parts").mkdir()
    cuts = [0, *sorted(rng.sample(range(1, len(records)), 15)), len(records)]
    for i, (begin, end) in enumerate(itertools.pairwise(cuts)):
        pq.write_table(arrow.slice(begin, end - begin), tmp_path / "parts" / f"part-{i:02}.parquet")
    pq.write_table(arrow, tmp_path / "one.parquet")
    parts = ah.Moments.from_records(tmp_path / "parts", **named)
    assert parts == ah.Moments.from_records(tmp_path / "one.parquet", **named)
    same_sums(parts, design, records)


def test_read_only_strided_and_reversed_columns_are_welcome() -> None:
    _, design, records = case(12, rows=60)
    columns = frame(design, records)
    expected = ah.Moments.from_records(columns, **arguments(design))
    for name in columns:
        columns[name] = np.repeat(columns[name], 2)[::2]
        columns[name].flags.writeable = False
    assert ah.Moments.from_records(columns, **arguments(design)) == expected
    backwards = {name: values[::-1] for name, values in columns.items()}
    assert ah.Moments.from_records(backwards, **arguments(design)) == expected


def test_moments_of_other_designs_do_not_add() -> None:
    a = core_moments(Design((Criterion("age_sex", ("0", "1")),)), [Record((0,), 365, (1,))])
    b = core_moments(Design((Criterion("age_sex", ("0", "1", "2")),)), [Record((0,), 365, (1,))])
    with pytest.raises(ShapeError):
        a + b
    with pytest.raises(ShapeError):
        a - b
    assert a != b


# Large designs, by sparse matrices of whole numbers


KINDS = ("codes", "wide codes", "labels", "flags", "flags none", "masks", "counts", "counts none", "many flags")


def large(seed: int, n: int) -> tuple[dict[str, np.ndarray], dict[str, Any], scipy.sparse.csr_array]:
    """Columns of many kinds, how they are called, and the same as a sparse matrix in whole numbers."""
    rng = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {}
    given: list[Any] = []
    blocks: list[np.ndarray | scipy.sparse.csr_array] = []
    for i in range(int(rng.integers(1, 9))):
        kind, name = rng.choice(KINDS), f"k{i}"
        rare = rng.choice([0.9, 0.3, 0.02])
        if kind in ("codes", "wide codes"):
            size = int(rng.integers(2, 30)) if kind == "codes" else int(rng.choice([255, 256, 257, 700]))
            code = np.where(rng.random(n) < rare, rng.integers(0, size, n), 0)
            columns[name] = code.astype(rng.choice([np.uint16, np.uint32, np.int64]))
            given.append(ah.Criterion(name, classes=size))
            blocks.append(scipy.sparse.csr_array((np.ones(n, np.int64), (np.arange(n), code)), shape=(n, size)))
            continue
        if kind == "labels":
            names = ["zero", "low", "middle", "high"]
            code = rng.integers(0, 4, n)
            columns[name] = np.array(names)[code]
            given.append(ah.Criterion(name, classes=names))
            blocks.append(np.eye(4, dtype=np.int64)[code])
            continue
        counts, none = kind.startswith("counts"), kind.endswith("none") or bool(rng.integers(0, 2))
        size = {"masks": int(rng.integers(1, 65 - none)), "many flags": 90}.get(kind, int(rng.integers(1, 12)))
        most = int(rng.choice([1, 3, 300])) if counts else 1
        times = np.where(rng.random((n, size)) < rare / 2, rng.integers(1, most + 1, (n, size)), 0)
        if kind == "masks":
            columns[name] = (times.astype(np.uint64) << np.arange(size, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
            read = [name]
        else:
            read = [f"{name}_{k}" for k in range(size)]
            columns |= {
                r: times[:, k].astype(rng.choice([np.uint8, np.uint16][most > 255 :])) for k, r in enumerate(read)
            }
        classes = [str(k) for k in range(size + none)]
        given.append(ah.Criterion(name, columns=read, classes=classes, none=none, counts=counts, multi=not counts))
        blocks.append(np.hstack([~times.any(axis=1, keepdims=True), times]) if none else times)
    columns["days"] = np.where(rng.random(n) < 0.7, 365, rng.integers(1, 367, n)).astype(np.int32)
    columns["a"] = rng.integers(-(10**5), 10**7, n)
    columns["b"] = rng.integers(-5, 3, n).astype(np.int32)
    columns["represents"] = rng.integers(1, rng.choice([2, 40]), n).astype(np.uint16)
    columns["stratum"] = rng.integers(0, 3, n).astype(np.uint8)
    x = scipy.sparse.hstack([scipy.sparse.csr_array(b.astype(np.int64)) for b in blocks], format="csr")
    options = {
        "criteria": given,
        "categories": {"a": "a", "b": "b"},
        "represents": "represents",
        "stratum": ah.Criterion("stratum", classes=3),
    }
    return columns, options, x


@pytest.mark.parametrize(("seed", "n"), [(s, n) for s, n in enumerate([1, 2, 63, 64, 65, 1_000, 5_003, 20_000] * 5)])
def test_large_designs_of_every_kind_give_the_sums_of_sparse_matrices(seed: int, n: int) -> None:
    columns, options, x = large(seed, n)
    found = [ah.Moments.from_records(columns, **options, threads=t) for t in (1, 3)]
    assert found[0] == found[1]
    core, weight = found[0].core, columns["days"].astype(np.int64) * columns["represents"]
    for s in range(3):
        inside = columns["stratum"] == s
        xs, w = x[inside], weight[inside]
        r = columns["represents"][inside].astype(np.int64)
        assert np.array_equal(np.array(core.xx(s)), (xs.T @ (xs * w[:, None])).toarray())
        assert np.array_equal(np.array(core.xd(s)), xs.T @ w)
        assert np.array_equal(np.array(core.xn(s)), (xs > 0).astype(np.int64).sum(axis=0))
        for k, name in enumerate(("a", "b")):
            assert np.array_equal(np.array(core.xc(k, s)), xs.T @ (r * columns[name][inside]))
        assert (core.days_of(s), core.rows_of(s)) == (w.sum(), inside.sum())


@pytest.mark.parametrize("n", [65_535, 65_536, 65_537])
def test_the_borders_of_chunks_lose_nobody(n: int) -> None:
    columns, options, x = large(7, n)
    found = ah.Moments.from_records(columns, **options, threads=2)
    weight = columns["days"].astype(np.int64) * columns["represents"]
    assert sum(np.array(found.core.xd(s)) for s in range(3)).tolist() == (x.T @ weight).tolist()
    assert found.records == n
