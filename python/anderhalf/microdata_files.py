"""Tables of users read in batches, whatever their format: CSV in any encoding, Parquet, Arrow, SAS, Stata, SPSS.

A column of a batch is a :class:`Raw`: numbers, days since 1970-01-01, or texts as positions among the different ones.
What is wrong with a file or a value goes into a :class:`Ledger`, which holds counts and row numbers and no value.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anderhalf.column_maps import FileTable
from anderhalf.columns import Column, Slice, counted
from anderhalf.errors import AnderhalfError, DomainError, ParameterError, Problem

BATCH_ROWS = 500_000
CSV_BYTES = 1 << 26
NEW_LINE = b"\n"
_FORMATS = {
    ".csv": "csv", ".csv.gz": "csv", ".txt": "csv", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
    ".ipc": "arrow", ".sas7bdat": "sas", ".xpt": "xport", ".dta": "stata", ".sav": "spss",
}  # fmt: skip
SUFFIXES = tuple(_FORMATS)


# --- what is wrong, without a value -----------------------------------------------------------------------------------


@dataclass
class _Entry:
    one: str
    many: str
    expected: str
    count: int = 0
    rows: list[int] = field(default_factory=list)


class Ledger:
    """Every problem of every file: how often, in which column, and the first five rows."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str, str], _Entry] = {}
        self.found: list[Problem] = []
        self.kind: type[AnderhalfError] | None = None
        self.accepted: dict[str, int] = {}
        self.collecting = False  # problems of slices stay here instead of being raised one slice at a time
        self.seen: set[tuple[str, str, int, str]] = set()

    def add(self, where: str, one: str, many: str, expected: str, rows: NDArray[Any] | Sequence[int]) -> None:
        """Counts rows of a file (numbers from 0) that have one kind of problem."""
        if not len(rows):
            return
        entry = self.entries.setdefault((where, one, expected), _Entry(one, many, expected))
        entry.count += len(rows)
        smallest = np.unique(np.asarray(rows, dtype=np.int64))[:5].tolist()
        entry.rows = sorted({*entry.rows, *smallest})[:5]

    def problem(self, problem: Problem) -> None:
        if problem not in self.found:
            self.found.append(problem)

    def take(self, error: AnderhalfError) -> None:
        for problem in error.problems:
            self.problem(problem)

    def accept(self, option: str, count: int) -> None:
        """Counts what a named option let pass."""
        self.accepted[option] = self.accepted.get(option, 0) + int(count)

    def problems(self) -> list[Problem]:
        listed = list(self.found)
        for (where, _, _), e in self.entries.items():
            rows = f"{'row' if e.count == 1 else 'rows'} {', '.join(map(str, e.rows))}"
            listed.append(Problem(where, f"{counted(e.count, e.one, e.many)} ({rows})", e.expected))
        return listed

    def __bool__(self) -> bool:
        return bool(self.entries or self.found)

    def close(self) -> None:
        """Raises everything that was found."""
        if self:
            raise DomainError(self.problems())

    def options(self) -> list[dict[str, Any]]:
        return [{"option": name, "count": count} for name, count in sorted(self.accepted.items())]


# --- one column -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Raw:
    """One column of one batch."""

    kind: str  # number, date (days since 1970-01-01), text (positions among labels)
    values: NDArray[Any]
    null: NDArray[np.bool_]
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def take(self, keep: NDArray[np.bool_]) -> Raw:
        return Raw(self.kind, self.values[keep], self.null[keep], self.labels)

    def column(self) -> Column:
        """As :mod:`anderhalf.columns` has it; empty cells must be gone."""
        return Column(self.values, self.labels if self.kind == "text" else None)


def raw_of(values: NDArray[Any], labels: Sequence[str] | None = None) -> Raw:
    """A column without empty cells other than NaN and empty texts."""
    if labels is not None:
        empty = np.array([not label.strip() for label in labels] or [True])
        return Raw("text", values, empty[values] if len(labels) else np.zeros(len(values), dtype=bool), tuple(labels))
    if values.dtype.kind == "f":
        null = np.isnan(values)
        return Raw("number", np.where(null, 0, values), null)
    if values.dtype.kind == "M":
        null = np.isnat(values)
        return Raw("date", np.where(null, np.datetime64(0, "D"), values).astype("M8[D]").astype(np.int64), null)
    return Raw("number", values, np.zeros(len(values), dtype=bool))


def _series(series: Any, text: bool = False) -> Raw:
    """A polars column; with ``text`` digits stay text, so that no leading zero is lost."""
    import polars as pl

    kind = series.dtype
    if kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum):
        if kind == pl.String:
            series = series.set(series.str.strip_chars() == "", None)
        if kind == pl.String and not text:
            try:
                return _series(series.cast(pl.Int64))
            except pl.exceptions.PolarsError:
                pass
        null = series.is_null().to_numpy()
        filled = series.cast(pl.String).fill_null("")
        labels = filled.unique()
        positions = filled.cast(pl.Enum(labels)).to_physical().to_numpy().astype(np.uint32)
        return Raw("text", positions, null, tuple(labels.to_list()))
    null = series.is_null()
    if kind == pl.Date:
        return Raw("date", series.cast(pl.Int32).fill_null(0).to_numpy().astype(np.int64), null.to_numpy())
    if isinstance(kind, pl.Datetime):
        return Raw("date", series.dt.date().cast(pl.Int32).fill_null(0).to_numpy().astype(np.int64), null.to_numpy())
    if kind == pl.Boolean:
        return Raw("number", series.fill_null(False).to_numpy().astype(np.uint8), null.to_numpy())
    if kind.is_decimal():
        series, kind = series.cast(pl.Float64), pl.Float64
    if kind.is_integer():
        return Raw("number", series.fill_null(0).to_numpy(), null.to_numpy())
    if kind.is_float():
        values = series.fill_null(0.0).to_numpy()
        bad = np.isnan(values)
        return Raw("number", np.where(bad, 0.0, values), null.to_numpy() | bad)
    if kind == pl.Null:
        return Raw("number", np.zeros(len(series), dtype=np.int64), np.ones(len(series), dtype=bool))
    raise ParameterError(Problem("", "cannot be read", "numbers, texts or dates", f"a column of type {kind}"))


# --- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one file."""

    first_row: int
    rows: int
    columns: dict[str, Raw]


@dataclass(frozen=True)
class Table:
    """One file of a user and how to read it."""

    path: Path
    name: str  # in messages
    kind: str
    settings: FileTable

    def names(self) -> tuple[str, ...]:
        """Names of the columns.

        Raises
        ------
        ParameterError
            A file that cannot be read.
        """
        if self.kind == "csv":
            return _header(self)[0]
        try:
            return tuple(_scan(self).collect_schema().names())
        except AnderhalfError:
            raise
        except _failures() as error:
            raise _broken(self, error) from None

    def batches(self, names: Sequence[str], ledger: Ledger, text: Iterable[str] = ()) -> Iterator[Batch]:
        """The file, part by part; what is wrong with its rows goes into the ledger.

        Raises
        ------
        ParameterError
            A file that cannot be read to its end.
        """
        kept = frozenset(text)
        read = _csv_batches if self.kind == "csv" else _polars_batches
        yield from read(self, list(dict.fromkeys(names)), ledger, kept)


def names_of(paths: Iterable[Path]) -> dict[Path, str]:
    """What messages call files: their place under the folder that they share.

    Examples
    --------
    >>> list(names_of([Path("/data/a/x.csv"), Path("/data/b/x.csv")]).values())
    ['a/x.csv', 'b/x.csv']
    """
    whole = {path: Path(os.path.abspath(path)) for path in paths}
    if len({path.parent for path in whole.values()}) < 2:
        return {path: path.name for path in whole}
    shared = os.path.commonpath([path.parent for path in whole.values()])
    return {path: full.relative_to(shared).as_posix() for path, full in whole.items()}


def table_of(path: Path, settings: FileTable, name: str | None = None) -> Table:
    """A file, its format by its name unless the map says it.

    Raises
    ------
    ParameterError
        A name that tells no format.
    """
    lower = path.name.lower()
    kind: str | None = settings.format or next((f for suffix, f in _FORMATS.items() if lower.endswith(suffix)), None)
    if kind is None:
        raise ParameterError(Problem(path.name, "is no data file by its name", "one of " + ", ".join(_FORMATS)))
    return Table(path, name or path.name, kind, settings)


def _broken(table: Table, error: BaseException) -> ParameterError:
    # What a reader says may quote a value of a person: only its kind is passed on.
    return ParameterError(
        Problem(table.name, f"cannot be read as {table.kind}", "a whole file of that format (is it cut short?)",
                type(error).__name__)
    )  # fmt: skip


def _failures() -> tuple[type[BaseException], ...]:
    """What a reader may raise: a panic of polars is no Exception."""
    return Exception, _polars().exceptions.PanicException


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise ParameterError(
            Problem("files of records", "need polars", "pip install 'anderhalf[io]'", "no polars")
        ) from None
    return polars


def _scan(table: Table) -> Any:
    pl = _polars()
    if table.kind == "parquet":
        return pl.scan_parquet(table.path, glob=False)
    if table.kind == "arrow":
        return pl.scan_ipc(table.path)
    if table.kind == "xport" and table.path.stat().st_size % 80:  # it is cards of 80 bytes; a cut is not always seen
        raise _broken(table, EOFError())
    try:
        import polars_readstat
    except ImportError:
        raise ParameterError(
            Problem("SAS, Stata and SPSS files", "need polars-readstat", "pip install 'anderhalf[stat]'",
                    "no polars-readstat")
        ) from None  # fmt: skip
    return polars_readstat.scan_readstat(str(table.path), preserve_order=True, missing_string_as_null=True)


def _polars_batches(table: Table, names: list[str], ledger: Ledger, text: frozenset[str]) -> Iterator[Batch]:
    first = 0
    for part in _read(table, lambda: _scan(table).select(names).collect_batches(
            chunk_size=BATCH_ROWS, maintain_order=True)):  # fmt: skip
        for piece in part.iter_slices(BATCH_ROWS):
            if len(piece):
                yield _batch(table, piece, first, text)
                first += len(piece)


def _read(table: Table, parts: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """What a reader gives; what it raises, without its words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from parts()
    except (AnderhalfError, GeneratorExit):
        raise
    except _failures() as error:
        raise _broken(table, error) from None


def _batch(table: Table, frame: Any, first: int, text: frozenset[str]) -> Batch:
    columns, problems = {}, []
    for name in frame.columns:
        try:
            columns[name] = _series(frame[name], name in text)
        except AnderhalfError as error:
            problems += [Problem(f"{table.name}, column {name}", p.what, p.expected, p.got) for p in error.problems]
    if problems:
        raise ParameterError(problems)
    return Batch(first, len(frame), columns)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


_BOMS = ((b"\xef\xbb\xbf", "a byte order mark of UTF-8"), (b"\xff\xfe", "a byte order mark of UTF-16"),
         (b"\xfe\xff", "a byte order mark of UTF-16"))  # fmt: skip


def _header(table: Table) -> tuple[tuple[str, ...], int]:
    """Names of the columns, and bytes up to the first row."""
    settings = table.settings
    try:
        with _open(table.path) as stream:
            line = stream.readline(1 << 20)
    except (OSError, EOFError) as error:
        raise _broken(table, error) from None
    for mark, words in _BOMS:
        if line.startswith(mark) and not (settings.encoding == "utf-8-sig" and mark == _BOMS[0][0]):
            expected = 'UTF-8 without one, or encoding = "utf-8-sig"' if mark == _BOMS[0][0] else "UTF-8"
            raise ParameterError(Problem(table.name, f"begins with {words}", expected))
    if not line.strip():
        raise ParameterError(Problem(table.name, "is empty", "a line with the names of the columns"))
    try:
        text = line.decode(settings.encoding)
    except UnicodeDecodeError:
        raise _no_utf8(table, "the line of names") from None
    try:
        names = tuple(name.strip() for name in next(csv.reader([text.rstrip("\r\n")], delimiter=settings.separator)))
    except csv.Error as error:
        raise _broken(table, error) from None
    # Without a line of names this is the record of a person: nothing of it goes into a message.
    if nameless := sum(not any(c.isalpha() for c in name) for name in names):
        what = (
            f"has no line of names ({counted(nameless, 'field', 'fields')} of {len(names)} in line 1 without a letter)"
        )
        raise ParameterError(Problem(table.name, what, "the names of the columns in line 1"))
    if repeated := [k + 1 for k, name in enumerate(names) if names.count(name) > 1]:
        what = f"has columns of the same name ({', '.join(map(str, repeated[:5]))})"
        raise ParameterError(Problem(table.name, what, "the names of the columns in line 1, every name once"))
    other = next((s for s in ";,\t|" if s != settings.separator and s in text), None)
    if len(names) == 1 and other is not None:
        shown = repr(other)[1:-1]
        raise ParameterError(Problem(table.name, "has one column", f'columns apart by {settings.separator!r}, or '
                                     f'separator = "{shown}" in the map'))  # fmt: skip
    return names, len(line)


def _no_utf8(table: Table, place: str) -> ParameterError:
    return ParameterError(
        Problem(table.name, f"is no UTF-8 in {place}", 'UTF-8, or encoding = "latin-1" or "cp1252" in the map')
    )


def _pieces(table: Table, skip: int) -> Iterator[bytes]:
    """Whole lines, some 64 MB at a time; a line break within quotes does not end a row."""
    with _open(table.path) as stream:
        stream.seek(skip)
        rest = b""
        while data := stream.read(CSV_BYTES):
            data = rest + data
            end, odd = len(data), data.count(b'"') % 2
            cut = data.rfind(b"\n") + 1
            while cut:
                odd ^= data.count(b'"', cut, end) % 2  # of the quotation marks before the cut
                if not odd:
                    break
                end, cut = cut, data.rfind(b"\n", 0, cut - 1) + 1
            rest = data[cut:]
            if cut:
                yield data[:cut]
            elif len(data) >= 2 * CSV_BYTES:
                what = "has a quotation mark that is not closed" if b'"' in data else "has no line ends"
                raise ParameterError(Problem(table.name, what, "rows of some characters"))
        if rest:
            yield rest


def _csv_batches(table: Table, names: list[str], ledger: Ledger, text: frozenset[str]) -> Iterator[Batch]:
    pl, settings = _polars(), table.settings
    header, skip = _header(table)
    wanted = sorted(names, key=header.index)
    first = 0
    for piece in _read(table, lambda: _pieces(table, skip)):
        try:
            if settings.encoding in ("latin-1", "cp1252"):
                piece = piece.decode(settings.encoding).encode()
            else:
                piece.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _no_utf8(table, f"row {first + piece.count(NEW_LINE, 0, error.start)}") from None
        piece, lines = _same_width(table, piece, len(header), first, ledger)
        if piece.strip():
            frames = _read(table, lambda: [pl.read_csv(
                io.BytesIO(piece), has_header=False, new_columns=list(header), infer_schema=False,  # noqa: B023
                separator=settings.separator, columns=[header.index(name) for name in wanted], raise_if_empty=False,
            )])  # fmt: skip
            frame = next(iter(list(frames)))
            frame.columns = wanted
            lines = max(lines, len(frame))
            begin = first
            for part in frame.iter_slices(BATCH_ROWS):
                yield _batch(table, part, begin, text)
                begin += len(part)
        first += lines
    if settings.encoding != "utf-8":
        ledger.accept(f"encoding={settings.encoding}", first)


def _same_width(table: Table, piece: bytes, width: int, first: int, ledger: Ledger) -> tuple[bytes, int]:
    """Takes out rows that have more or fewer fields than the header; the last one without an end was cut short."""
    separator = table.settings.separator.encode()
    bare = re.sub(rb'"[^"]*"', b"_", piece) if b'"' in piece else piece
    lines = bare.count(b"\n") + (not bare.endswith(b"\n"))
    if b'"' in bare:
        raise ParameterError(Problem(table.name, "has a quotation mark that is not closed", "a whole file"))
    if bare.count(separator) == lines * (width - 1) and (width > 1 or b"\n\n" not in bare):
        return piece, 0 if b'"' in piece else lines
    counts = np.array([line.count(separator) + 1 for line in bare.split(b"\n")][:lines])
    wrong = np.flatnonzero(counts != width)
    if not bare.endswith(b"\n") and counts[-1] < width:
        ledger.add(table.name, "row ends in the middle, at the end of the file", "rows end in the middle",
                   "a whole file (it is cut short)", [first + lines - 1])  # fmt: skip
        wrong = wrong[:-1]
        counts[-1] = 0
    ledger.add(
        table.name,
        "row has another number of fields than the line of names",
        "rows have another number of fields than the line of names",
        f"{width} fields",
        first + wrong,
    )
    if b'"' in piece:  # rows within quotes may hold line breaks: what is good cannot be told apart from bytes
        return b"", lines
    good = [line for line, count in zip(piece.split(b"\n"), counts, strict=False) if count == width]
    return b"\n".join(good) + (b"\n" if good else b""), lines


# --- frames in memory -------------------------------------------------------------------------------------------------


def raw_from(piece: Slice, name: str) -> Raw:
    """A column of a frame in memory, or of a file that :mod:`anderhalf.columns` reads."""
    column = piece.read(name)
    return raw_of(column.values, column.labels)
