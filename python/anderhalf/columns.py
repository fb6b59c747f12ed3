"""Columns of records as they come: from NumPy, pandas, polars, Arrow, DuckDB, Parquet and CSV, borrowed where it can
be.

:func:`codes`, :func:`cents` and :func:`days_` turn one column into what the compiled core reads. They copy only when
type or layout differ, never widen codes and never cut a float to a whole number. :func:`source` reads frames and files
in slices; a column of a slice shares memory with the frame it came from.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anderhalf import _core
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem, ShapeError, not_found

Codes: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
Cents: TypeAlias = NDArray[np.int32] | NDArray[np.int64]
Days: TypeAlias = NDArray[np.uint16] | NDArray[np.int32] | NDArray[np.int64]

SLICE_ROWS = 1 << 20
_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_UNSIGNED: dict[str, type[np.unsignedinteger[Any]]] = {
    "bool": np.uint8, "int8": np.uint8, "int16": np.uint16, "int32": np.uint32
}  # fmt: skip


# --- one column -------------------------------------------------------------------------------------------------------


def days_in(year: int) -> int:
    """Days of a calendar year."""
    return 366 if calendar.isleap(year) else 365


def rows_that(wrong: NDArray[np.bool_], first_row: int = 0) -> str:
    """The first five rows of a mask, as words."""
    found = np.flatnonzero(wrong)[:5] + first_row
    return f"{'row' if len(found) == 1 and wrong.sum() == 1 else 'rows'} {', '.join(map(str, found))}"


def outside(wrong: NDArray[np.bool_], kind: str, first_row: int) -> str:
    """What is wrong with codes or values that are too small or too large, and where."""
    many = counted(int(wrong.sum()), f"{kind} outside its range", f"{kind}s outside their range")
    return f"{many} ({rows_that(wrong, first_row)})"


def counted(count: int, one: str, many: str = "") -> str:
    """A number and its noun, with what follows: ``1 code``, ``2 codes``.

    Examples
    --------
    >>> counted(1, "value is missing", "values are missing"), counted(1_000, "code")
    ('1 value is missing', '1000 codes')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def _values(where: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError(Problem(where, "is no column", "one dimension", f"{array.ndim} dimensions"))
    if not array.flags.c_contiguous or not array.flags.aligned or not array.dtype.isnative:
        array = np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    return array


def _whole(
    where: str, array: NDArray[Any], whole_floats: bool, hint: str, first_row: int, flags: bool = False
) -> NDArray[Any]:
    """Refuses what is no whole number; floats pass as int64 only when all are whole and the caller asked for it."""
    if array.dtype.kind in ("biu" if flags else "iu"):
        return array
    if array.dtype.kind != "f":
        raise ShapeError(Problem(where, "cannot be read as numbers", hint, f"a column of type {array.dtype}"))
    if not whole_floats:
        raise DomainError(
            Problem(where, "holds floating-point numbers, which are never cut", f"{hint} (or whole_floats=True)",
                    str(array.dtype))
        )  # fmt: skip
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(array) < 2.0**53) | (array != np.floor(array))
    if wrong.any():
        raise DomainError(
            Problem(
                where,
                f"{counted(int(wrong.sum()), 'value is no whole number', 'values are no whole numbers')} "
                f"({rows_that(wrong, first_row)})",
                hint,
            )
        )
    return array.astype(np.int64)


def whole(values: ArrayLike, *, where: str, hint: str = "whole numbers", first_row: int = 0) -> NDArray[Any]:
    """A column of whole numbers or of 0/1, as it is.

    Examples
    --------
    >>> whole([1, 2], where="year")
    array([1, 2])
    """
    return _whole(where, _values(where, values), False, hint, first_row, flags=True)


def smallest(classes: int) -> type[np.unsignedinteger[Any]]:
    """The narrowest type of codes for so many classes."""
    return np.uint8 if classes <= 1 << 8 else np.uint16 if classes <= 1 << 16 else np.uint32


def codes(
    values: ArrayLike, *, where: str = "codes", classes: int | None = None, whole_floats: bool = False,
    first_row: int = 0,
) -> Codes:  # fmt: skip
    """A column of class codes as unsigned integers of 8, 16 or 32 bits.

    Those pass as they are; signed ones of at most 32 bits are looked at as unsigned, without a copy, after a check;
    wider ones are copied into the narrowest type.

    Examples
    --------
    >>> column = np.array([0, 1, 2], dtype=np.uint8)
    >>> codes(column) is column
    True
    >>> codes([0, 300]).dtype
    dtype('uint16')
    """
    array = _whole(where, _values(where, values), whole_floats, "class codes 0, 1, 2, ...", first_row, flags=True)
    if array.dtype in (np.uint8, np.uint16, np.uint32):
        return array
    limit = (classes if classes is not None else 1 << 32) - 1
    if array.dtype.kind == "i" or array.dtype == np.uint64:
        wrong = (array < 0) | (array > limit) if array.dtype.kind == "i" else array > limit
        if wrong.any():
            raise DomainError(
                Problem(
                    where,
                    outside(wrong, "code", first_row),
                    f"0..{limit}",
                )
            )
    if (narrow := _UNSIGNED.get(array.dtype.name)) is not None:
        return array.view(narrow)
    return array.astype(smallest(int(array.max()) + 1 if len(array) else 1))


def cents(
    values: ArrayLike, *, where: str = "cost", whole_floats: bool = False, first_row: int = 0
) -> Cents:  # fmt: skip
    """A column of whole cents, as integers of 32 or 64 bits.

    Examples
    --------
    >>> cents([100_00, 250_00])
    array([10000, 25000])
    """
    hint = "whole cents as integers; from euros: (100 * euros).round() as int64"
    array = _whole(where, _values(where, values), whole_floats, hint, first_row)
    if array.dtype in (np.int32, np.int64):
        return array
    if array.dtype == np.uint64 and len(array) and array.max() > np.iinfo(np.int64).max:
        wrong = array > np.iinfo(np.int64).max
        raise DomainError(
            Problem(where, f"{counted(int(wrong.sum()), 'value')} beyond 64 bits ({rows_that(wrong, first_row)})", hint)
        )
    return array.astype(np.int64)


def days_(
    values: ArrayLike, *, where: str = "days", whole_floats: bool = False, first_row: int = 0
) -> Days:  # fmt: skip
    """A column of insured days (or months), as integers of 16 unsigned, 32 or 64 bits; the range is the core's to
    check.

    Examples
    --------
    >>> days_(np.array([365, 12], dtype=np.int16))
    array([365,  12], dtype=int32)
    """
    hint = "whole days (or months)"
    array = _whole(where, _values(where, values), whole_floats, hint, first_row)
    if array.dtype in (np.uint16, np.int32, np.int64):
        return array
    return array.astype(np.int32) if array.dtype.itemsize < 4 else array.astype(np.int64)


def represents_(
    values: ArrayLike, *, where: str = "represents", whole_floats: bool = False, first_row: int = 0
) -> NDArray[np.uint16]:  # fmt: skip
    """A column of the number of persons that a record stands for, 1..65535."""
    array = _whole(where, _values(where, values), whole_floats, "1..65535", first_row)
    if array.dtype == np.uint16:
        return array
    wrong = (array < 1) | (array > 65_535)
    if wrong.any():
        raise DomainError(
            Problem(
                where,
                outside(wrong, "value", first_row),
                "1..65535",
            )
        )
    return array.astype(np.uint16)


def reals(values: ArrayLike, *, where: str = "column", first_row: int = 0) -> NDArray[np.float64]:
    """A column of real numbers; whole numbers and 0/1 become real ones.

    Examples
    --------
    >>> reals([1, 2.5])
    array([1. , 2.5])
    """
    array = _values(where, values)
    if array.dtype.kind not in "biuf":
        raise ShapeError(Problem(where, "cannot be read as numbers", "real numbers", f"a column of type {array.dtype}"))
    result = array.astype(np.float64, copy=False)
    wrong = ~np.isfinite(result)
    if wrong.any():
        words = counted(int(wrong.sum()), "value that is", "values that are")
        raise DomainError(Problem(where, f"{words} not finite ({rows_that(wrong, first_row)})", "finite numbers"))
    return result


def in_short(names: Sequence[str], most: int = 12) -> str:
    """Names as words; numbered ones in a row as a range: ``fkg_1..fkg_38, mhk``.

    Examples
    --------
    >>> in_short(["a_1", "a_2", "a_3", "b", "a_9"])
    'a_1..a_3, b, a_9'
    """
    runs: list[list[str]] = []
    for name in names:
        if runs:
            stem, _, number = runs[-1][-1].rpartition("_")
            if number.isdecimal() and name == f"{stem}_{int(number) + 1}":
                runs[-1].append(name)
                continue
        runs.append([name])
    words = [f"{run[0]}..{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


# --- slices of a frame ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """Values of one column in one slice; with labels, the values are positions among them."""

    values: NDArray[Any]
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Slice:
    """Consecutive rows of a frame. ``first_row`` counts from the start of ``file``, or of the frame without one."""

    rows: int
    first_row: int
    file: str
    read: Callable[[str], Column] = field(repr=False)

    def where(self, name: str) -> str:
        return f"{self.file}, column {name}" if self.file else f"column {name}"


@dataclass(frozen=True)
class Source:
    """A frame or files, read in slices. ``again`` tells whether it can be read a second time."""

    names: tuple[str, ...]
    again: bool
    read: Callable[[Sequence[str]], Iterator[Slice]] = field(repr=False)
    files: tuple[Path, ...] = ()

    def slices(self, names: Sequence[str]) -> Iterator[Slice]:
        """Slices with the columns ``names``, each of which must be there.

        Raises
        ------
        NotFoundError
            Columns that the frame does not have, all of them.
        """
        if missing := [name for name in dict.fromkeys(names) if name not in self.names]:
            if len(missing) <= 5:
                raise not_found("frame", "column", missing, self.names)
            raise NotFoundError(
                Problem("frame", f"{len(missing)} columns are missing: {in_short(missing)}", "all of them",
                        f"{len(self.names)} columns: {in_short(self.names)}")
            )  # fmt: skip
        return self.read(list(dict.fromkeys(names)))


def source(frame: Any) -> Source:
    """What a frame, a path, a folder or a stream holds, as slices.

    Parameters
    ----------
    frame : frame, mapping, path or stream
        A mapping of names to arrays, a NumPy structured array, a pandas frame, a polars frame or lazy frame, anything
        with ``__arrow_c_stream__`` (pyarrow, DuckDB and others), the path of a Parquet or CSV file, of a folder of
        them, or a list of such paths. Files are read in slices of about a million rows and never stand in memory as a
        whole.
    """
    if isinstance(frame, Source):
        return frame
    if isinstance(frame, str | PathLike):
        return _files([Path(frame)])
    if isinstance(frame, list | tuple) and frame and all(isinstance(f, str | PathLike) for f in frame):
        return _files([Path(f) for f in frame])
    if isinstance(frame, Mapping):
        return _mapping(frame)
    if isinstance(frame, np.ndarray) and frame.dtype.names:
        return _mapping({name: frame[name] for name in frame.dtype.names})
    module = type(frame).__module__.partition(".")[0]
    if module == "pandas" and hasattr(frame, "columns"):
        return _pandas(frame)
    if module == "polars" and hasattr(frame, "collect_schema") and not hasattr(frame, "__arrow_c_stream__"):
        return Source(tuple(frame.collect_schema().names()), True, lambda names: _lazy(frame.select(names), ""))
    if hasattr(frame, "__arrow_c_stream__"):
        return _arrow(frame)
    if type(frame).__name__ == "PyCapsule":
        return _once(_core.ArrowStream(frame))
    raise ShapeError(
        Problem(
            "frame", "is no table", "a mapping of columns, a frame, a path or an Arrow stream", type(frame).__name__
        )
    )


def _one_slice(names: Iterable[str], rows: int, read: Callable[[str], Column]) -> Source:
    def slices(_: Sequence[str]) -> Iterator[Slice]:
        yield Slice(rows, 0, "", read)

    return Source(tuple(names), True, slices)


def _no_nulls(where: str, count: int, rows: str) -> None:
    if count:
        raise DomainError(Problem(where, f"{counted(count, 'value is', 'values are')} missing ({rows})",
                                  "a value in every row"))  # fmt: skip


def _labelled(where: str, array: NDArray[Any]) -> Column:
    """A column of texts as positions among its labels."""
    import pandas as pd

    position, labels = pd.factorize(array)
    missing = position < 0
    if missing.any():
        _no_nulls(where, int(missing.sum()), rows_that(missing))
    if not all(isinstance(label, str) for label in labels):
        raise ShapeError(
            Problem(
                where, "cannot be read", "whole numbers, 0/1 or labels", "a column of Python objects of other types"
            )
        )
    return Column(position.astype(np.uint32), tuple(map(str, labels)))


def _numpy(where: str, values: Any) -> Column:
    array = _values(where, values)
    return _labelled(where, array.astype(object)) if array.dtype.kind in "OUT" else Column(array)


def _mapping(frame: Mapping[str, Any]) -> Source:
    def read(name: str) -> Column:
        values = frame[name]
        if type(values).__module__.partition(".")[0] == "pandas":
            import pandas as pd

            return _pandas_column(f"column {name}", pd.Series(values))
        return _numpy(f"column {name}", values)

    sizes = {name: len(values) for name, values in frame.items()}
    if len(set(sizes.values())) > 1:
        usual = max(sizes.values(), key=list(sizes.values()).count)
        raise ShapeError([
            Problem(f"column {name}", "has another length than the others", f"{usual} rows", f"{size}")
            for name, size in sizes.items() if size != usual
        ])  # fmt: skip
    return _one_slice(frame, next(iter(sizes.values()), 0), read)


def _pandas(frame: Any) -> Source:
    repeated = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if repeated:
        raise ShapeError([Problem(f"column {name}", "stands in the frame more than once", "once") for name in repeated])
    names = {str(name): name for name in frame.columns}
    return _one_slice(names, len(frame), lambda name: _pandas_column(f"column {name}", frame[names[name]]))


def _pandas_column(where: str, series: Any) -> Column:
    import pandas as pd

    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return Column(_values(where, series.to_numpy()))
    missing = series.isna().to_numpy()
    if missing.any():
        _no_nulls(where, int(missing.sum()), rows_that(missing))
    if isinstance(series.dtype, pd.CategoricalDtype):
        labels = tuple(map(str, series.cat.categories))
        return Column(codes(series.cat.codes.to_numpy(), where=where), labels)
    if (plain := getattr(series.dtype, "numpy_dtype", None)) is not None and np.dtype(plain).kind in "biuf":
        return Column(_values(where, series.to_numpy(dtype=plain)))
    if pd.api.types.is_string_dtype(series.dtype) or series.dtype == object:
        return _labelled(where, series.to_numpy(dtype=object))
    raise ShapeError(
        Problem(where, "cannot be read", "whole numbers, 0/1 or labels", f"a column of type {series.dtype}")
    )


def _batches(stream: _core.ArrowStream, file: str, first_row: int = 0) -> Iterator[Slice]:
    while (batch := stream.next()) is not None:
        yield _slice(batch, file, first_row)
        first_row += batch.rows


def _slice(batch: _core.ArrowBatch, file: str, first_row: int) -> Slice:
    def read(name: str) -> Column:
        where = f"{file}, column {name}" if file else f"column {name}"
        try:
            column = batch.column(name)
        except AnderhalfError as error:
            raise type(error)([Problem(where, p.what, p.expected, p.got) for p in error.problems]) from None
        rows = [first_row + row for row in column.null_rows]
        _no_nulls(where, column.null_count, f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows))}")
        return Column(_values(where, column.values), None if column.labels is None else tuple(column.labels))

    return Slice(batch.rows, first_row, file, read)


def _arrow(frame: Any) -> Source:
    if hasattr(frame, "read_next_batch") or hasattr(frame, "__next__"):
        return _once(_core.ArrowStream(frame.__arrow_c_stream__()))
    # A frame tells its names without being read; a DuckDB relation would run its query for them.
    names = getattr(frame, "columns", None)
    if not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
        names = getattr(frame, "column_names", None) or _core.ArrowStream(frame.__arrow_c_stream__()).names
    return Source(tuple(names), True, lambda _: _batches(_core.ArrowStream(frame.__arrow_c_stream__()), ""))


def _once(stream: _core.ArrowStream) -> Source:
    return Source(tuple(stream.names), False, lambda _: _batches(stream, ""))


# --- files ------------------------------------------------------------------------------------------------------------


def data_files(path: Path) -> list[Path]:
    """The Parquet and CSV files of a path: itself, or those of the folder in the order of their names."""
    if not path.exists():
        raise NotFoundError(Problem(str(path), "no such file or folder", "Parquet or CSV"))
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and p.name.endswith(_SUFFIXES))
        if not found:
            raise NotFoundError(Problem(str(path), "holds no data", "files that end in " + ", ".join(_SUFFIXES)))
        return found
    if not path.name.endswith(_SUFFIXES):
        raise ParameterError(Problem(path.name, "is no data file by its name", "one of " + ", ".join(_SUFFIXES)))
    return [path]


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise ParameterError(
            Problem("Parquet and CSV files", "need polars", "pip install 'anderhalf[io]'", "no polars")
        ) from None
    return polars


def _scan(path: Path) -> Any:
    pl = _polars()
    try:
        if path.name.endswith(".parquet"):
            return pl.scan_parquet(path, glob=False)
        return pl.scan_csv(path, glob=False, infer_schema_length=10_000)
    except Exception as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path | str, error: Exception) -> AnderhalfError:
    # What a reader says may quote a value of a person: only its kind is passed on.
    name = path.name if isinstance(path, Path) else path
    return ParameterError(
        Problem(name or "frame", "cannot be read", "a whole file with one type per column", type(error).__name__)
    )


def _files(paths: Sequence[Path]) -> Source:
    files = [file for path in paths for file in data_files(path)]
    shown = {file: file.name for file in files}
    if len(set(shown.values())) < len(files):
        shown = {file: str(file) for file in files}
    names: tuple[str, ...] | None = None
    problems: list[Problem] = []
    for file in files:
        try:
            own = tuple(_scan(file).collect_schema().names())
        except AnderhalfError as error:
            problems.extend(error.problems)
            continue
        except Exception as error:
            problems.extend(_unreadable(file, error).problems)
            continue
        if names is None:
            names = own
        elif set(own) != set(names):
            missing, more = sorted(set(names) - set(own)), sorted(set(own) - set(names))
            got = "; ".join(
                text for text in (
                    f"without {', '.join(missing[:5])}" if missing else "", f"with {', '.join(more[:5])}" if more else
                    ""
                ) if text
            )  # fmt: skip
            problems.append(Problem(shown[file], "has other columns", f"those of {shown[files[0]]}", got))
    if problems:
        raise ParameterError(problems)

    def slices(wanted: Sequence[str]) -> Iterator[Slice]:
        for file in files:
            yield from _lazy(_scan(file).select(wanted), shown[file])

    return Source(names or (), True, slices, tuple(files))


def _lazy(frame: Any, file: str) -> Iterator[Slice]:
    first_row = 0
    for part in _parts(frame, file):
        if len(part) == 0:
            continue
        if part.n_chunks() > 1:
            part = part.rechunk()
        for piece in _batches(_core.ArrowStream(part.__arrow_c_stream__()), file, first_row):
            yield piece
            first_row = piece.first_row + piece.rows


def _parts(frame: Any, file: str) -> Iterator[Any]:
    try:
        if hasattr(frame, "collect_batches"):
            yield from frame.collect_batches(chunk_size=SLICE_ROWS, maintain_order=True)
            return
        rows, begin = int(frame.select(_polars().len()).collect().item()), 0
        while begin < rows:
            yield frame.slice(begin, SLICE_ROWS).collect()
            begin += SLICE_ROWS
    except AnderhalfError:
        raise
    except GeneratorExit:
        raise
    except Exception as error:
        raise _unreadable(file, error) from None
