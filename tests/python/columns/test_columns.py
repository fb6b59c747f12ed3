"""Columns are borrowed where they can be, converted once where they must be, and refused with counts and rows."""

from __future__ import annotations

import doctest
import gc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import anderhalf.columns
from anderhalf import _core
from anderhalf.columns import cents, codes, days_, source
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, ShapeError
from anderhalf.moments import Moments

CODES = np.array([0, 3, 1, 2, 3, 0], dtype=np.uint8)


def test_the_examples_of_the_docstrings_run() -> None:
    assert doctest.testmod(anderhalf.columns).failed == 0


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32, np.bool_])
def test_codes_of_at_most_32_bits_are_not_copied(kind: type) -> None:
    column = (CODES > 1).astype(kind) if kind is np.bool_ else CODES.astype(kind)
    read = codes(column)
    assert np.shares_memory(read, column)
    assert read.dtype == f"uint{8 * column.itemsize}"
    assert (read == column).all()


def test_wide_codes_become_the_narrowest_type_and_none_is_widened() -> None:
    assert codes(CODES.astype(np.int64)).dtype == np.uint8
    assert codes(np.array([70_000], dtype=np.int64)).dtype == np.uint32
    assert codes(np.array([0], dtype=np.uint16)).dtype == np.uint16


def test_a_column_with_a_stride_is_copied_and_reads_the_same() -> None:
    table = np.arange(12, dtype=np.uint8).reshape(6, 2)
    assert (codes(table[:, 1]) == [1, 3, 5, 7, 9, 11]).all()
    assert (codes(np.array([1, 2], dtype=">u2")) == [1, 2]).all()


@pytest.mark.parametrize("convert", [codes, cents, days_])
def test_a_float_is_never_cut(convert: Any) -> None:
    with pytest.raises(DomainError, match="floating-point"):
        convert(np.array([1.0, 2.0]))
    assert (convert(np.array([1.0, 2.0]), whole_floats=True) == [1, 2]).all()
    with pytest.raises(DomainError, match=r"2 values are no whole numbers \(rows 1, 2\)"):
        convert(np.array([1.0, 2.5, np.nan]), whole_floats=True)


def test_a_negative_code_is_refused_with_its_rows_and_without_its_value() -> None:
    with pytest.raises(DomainError, match=r"1 code outside its range \(row 102\)") as error:
        codes(np.array([1, 2, -77]), first_row=100)
    assert "-77" not in str(error.value)


def test_cents_and_days_keep_their_types() -> None:
    for kind in (np.int32, np.int64):
        column = np.array([5, 6], dtype=kind)
        assert cents(column) is column
    for kind in (np.uint16, np.int32, np.int64):
        column = np.array([5, 6], dtype=kind)
        assert days_(column) is column
    with pytest.raises(DomainError, match="beyond 64 bits"):
        cents(np.array([2**63 + 1], dtype=np.uint64))


# --- frames


def frame() -> dict[str, Any]:
    return {
        "code": CODES,
        "small": CODES.astype(np.int64),
        "flag": CODES > 1,
        "label": np.array(["b", "a", "b", "a rather long label of a class", "a", "b"]),
    }


def every_frame() -> dict[str, Any]:
    base = pl.DataFrame(frame())
    arrow = base.to_arrow()
    return {
        "dict": frame(),
        "pandas": pd.DataFrame(frame()),
        "pandas-category": pd.DataFrame(frame()).astype({"label": "category", "small": "Int64"}),
        "polars": base,
        "polars-categorical": base.with_columns(pl.col("label").cast(pl.Categorical)),
        "polars-lazy": base.lazy(),
        "polars-chunks": pl.concat([base[:2], base[2:]], rechunk=False),
        "polars-slice": pl.concat([base[:3], base])[3:],
        "arrow": arrow,
        "arrow-dictionary": arrow.set_column(3, "label", arrow["label"].cast(pa.string()).dictionary_encode()),
        "arrow-slice": pa.concat_tables([arrow[:1], arrow]).combine_chunks()[1:],
        "arrow-reader": arrow.to_reader(max_chunksize=4),
        "capsule": base.__arrow_c_stream__(),
    }


@pytest.mark.parametrize("kind", list(every_frame()))
def test_every_kind_of_frame_gives_the_same_values(kind: str) -> None:
    given = every_frame()[kind]
    names = ["code", "small", "flag", "label"]
    parts: dict[str, list[Any]] = {name: [] for name in names}
    rows = 0
    for piece in source(given).slices(names):
        assert piece.first_row == rows
        rows += piece.rows
        for name in names:
            column = piece.read(name)
            values = column.values if column.labels is None else np.array(column.labels)[column.values]
            parts[name].extend(values.tolist())
    assert rows == 6
    for name in names:
        assert parts[name] == list(frame()[name]), name


@pytest.mark.parametrize("kind", ["dict", "pandas", "polars", "arrow"])
def test_a_column_of_a_frame_shares_its_memory(kind: str) -> None:
    given = every_frame()[kind]
    read = next(source(given).slices(["code"])).read("code").values
    own = given["code"].to_numpy() if kind != "dict" else given["code"]
    if kind == "arrow":
        own = given["code"].chunk(0).to_numpy(zero_copy_only=True)
    assert np.shares_memory(read, own)


def test_the_core_reads_at_the_address_of_the_callers_column() -> None:
    column = np.arange(100, dtype=np.uint16)
    data = pl.DataFrame({"a": column})
    read = codes(next(source(data).slices(["a"])).read("a").values)
    rows = _core.Rows([read], np.ones(100, dtype=np.uint16), [np.zeros(100, dtype=np.int32)])
    assert rows.addresses == [data["a"].to_numpy().__array_interface__["data"][0]]


def test_a_column_outlives_the_frame_it_came_from() -> None:
    def read() -> Any:
        data = pa.table({"a": pa.array(range(100_000), pa.uint32())})
        return next(source(data).slices(["a"])).read("a").values

    values = read()
    gc.collect()
    np.random.default_rng(1).random(1_000_000)  # takes the memory, were it free
    assert (values == np.arange(100_000)).all()
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


def test_memory_goes_back_to_the_producer() -> None:
    before = pa.total_allocated_bytes()
    data = pa.table({"a": pa.array(range(1_000_000), pa.uint32())})
    values = next(source(data).slices(["a"])).read("a").values
    del data
    gc.collect()
    assert pa.total_allocated_bytes() >= before + 4_000_000
    del values
    gc.collect()
    assert pa.total_allocated_bytes() < before + 4_000_000


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[1], [2]]), "a list column"),
        (pa.array([{"x": 1}, {"x": 2}]), "a struct column"),
        (pa.array([b"x", b"y"]), "a binary column"),
        (pa.array([1, 2]).cast(pa.timestamp("s")), "a column of dates"),
        (pa.array([1, 2]).cast(pa.decimal128(21, 2)), "a decimal column"),
        (pa.array([None, None]), "a column of nulls"),
        (pa.array([7, 8]).dictionary_encode(), "expected labels that are texts"),
    ],
)
def test_columns_of_other_kinds_are_refused_by_name(column: pa.Array, words: str) -> None:
    data = pa.table({"diagnosis": column, "fine": [1, 2]})
    with pytest.raises(ShapeError, match=f"column diagnosis: cannot be read, .*{words}"):
        next(source(data).slices(["diagnosis"])).read("diagnosis")
    assert next(source(data).slices(["fine"])).read("fine").values.tolist() == [1, 2]


@pytest.mark.parametrize(
    "given",
    [
        pa.table({"a": pa.array([1, None, 3, None], pa.uint8())}),
        pa.table({"a": pa.array([True, None, True, None])}),
        pa.table({"a": pa.array(["x", None, "x", None])}),
        pa.table({"a": pa.array(["x", None, "x", None]).dictionary_encode()}),
        pd.DataFrame({"a": pd.array([1, None, 3, None], dtype="Int64")}),
        pd.DataFrame({"a": pd.Categorical(["x", None, "x", None])}),
        pd.DataFrame({"a": ["x", None, "x", None]}),
        {"a": np.array(["x", None, "x", None], dtype=object)},
    ],
    ids=lambda given: f"{type(given).__module__}-{getattr(given, 'schema', '')}"[:40].replace("\n", " "),
)
def test_missing_values_are_refused_with_their_count_and_rows(given: Any) -> None:
    with pytest.raises(DomainError, match=r"column a: 2 values are missing \(rows 1, 3\)"):
        next(source(given).slices(["a"])).read("a")


def test_missing_columns_are_all_named_once() -> None:
    with pytest.raises(NotFoundError) as error:
        next(source(frame()).slices(["code", "cods", "other"]))
    assert "no column 'cods', expected one of code" in str(error.value)
    assert "'other'" in str(error.value)
    with pytest.raises(NotFoundError, match=r"8 columns are missing: fkg_1\.\.fkg_7, mhk"):
        next(source(frame()).slices([*(f"fkg_{k}" for k in range(1, 8)), "mhk"]))


def test_columns_of_different_length_and_names_used_twice_are_refused() -> None:
    with pytest.raises(ShapeError, match="column b: has another length"):
        source({"a": [1, 2], "b": [1], "c": [1, 2]})
    with pytest.raises(ShapeError, match="more than once"):
        source(pd.DataFrame([[1, 2]], columns=["a", "a"]))


@pytest.mark.parametrize("given", [3, [1, 2], np.zeros(3), pl.Series([1, 2])])
def test_what_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(ShapeError, match=r"frame: (is no table|cannot be read)"):
        source(given)


def test_a_stream_that_breaks_is_an_error_without_what_it_quotes() -> None:
    def batches() -> Any:
        yield pa.record_batch({"a": pa.array([1], pa.uint8())})
        raise ValueError("cannot convert 'secret 123'")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.uint8())]), batches())
    with pytest.raises(DomainError, match="cannot be read further") as error:
        list(source(reader).slices(["a"]))
    assert "secret" not in str(error.value)


# --- files


def write(folder: Path, parts: int = 3) -> pl.DataFrame:
    data = pl.DataFrame({"a": np.arange(90, dtype=np.uint8), "s": ["x", "y", "z"] * 30})
    size = 90 // parts
    for k in range(parts):
        part = data[k * size : (k + 1) * size]
        if k % 2:
            part.write_csv(folder / f"part_{k}.csv")
        else:
            part.write_parquet(folder / f"part_{k}.parquet", row_group_size=7)
    return data


def test_a_folder_is_read_file_by_file_with_rows_counted_per_file(tmp_path: Path) -> None:
    data = write(tmp_path)
    pieces = list(source(tmp_path).slices(["a", "s"]))
    assert {piece.file for piece in pieces} == {"part_0.parquet", "part_1.csv", "part_2.parquet"}
    assert next(p.first_row for p in pieces if p.file == "part_1.csv") == 0
    read = np.concatenate([piece.read("a").values for piece in pieces])
    assert (read == data["a"].to_numpy()).all()


def test_files_are_read_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anderhalf.columns, "SLICE_ROWS", 1_000)
    pl.DataFrame({"a": np.arange(20_000, dtype=np.uint16)}).write_parquet(tmp_path / "a.parquet", row_group_size=500)
    rows = [piece.rows for piece in source(tmp_path / "a.parquet").slices(["a"])]
    assert sum(rows) == 20_000
    assert max(rows) <= 2_000


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path)
    pl.DataFrame({"b": [1]}).write_parquet(tmp_path / "part_9.parquet")
    (tmp_path / "part_8.parquet").write_text("no parquet")
    with pytest.raises(ParameterError) as error:
        source(tmp_path)
    assert "part_8.parquet: cannot be read" in str(error.value)
    assert "part_9.parquet: has other columns, expected those of part_0.parquet, got without a, s; with b" in str(
        error.value
    )
    with pytest.raises(ParameterError, match="no data file by its name"):
        source(__file__)
    with pytest.raises(NotFoundError, match="no such file"):
        source(tmp_path / "none.csv")


def test_a_csv_whose_type_changes_half_way_is_refused_without_its_value(tmp_path: Path) -> None:
    lines = ["a", *("1" for _ in range(20_000)), "secret"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(AnderhalfError, match=r"a\.csv") as error:
        Moments.from_records(tmp_path / "a.csv", ["a"], cost="a", days="a")
    assert "secret" not in str(error.value)
