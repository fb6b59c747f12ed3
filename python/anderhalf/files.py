"""People on disk: a folder of partitions with a manifest, written whole or not at all, read a partition at a time.

::

    DIR/manifest.json                 who made it, years, insurers, counts and the SHA-256 of every partition
    DIR/records/part-00000.parquet    columns are the fields of ``_core.record_dtype``
    DIR/claims/part-00000.parquet     columns are the fields of ``_core.claim_dtype``

A partition holds whole addresses over all years; persons ascend from partition to partition. No clock, path or fact
about the machine is written: the same people give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anderhalf import _core
from anderhalf.calibration import DEFAULT_BASE
from anderhalf.columns import days_in
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem, ShapeError
from anderhalf.export import (
    version,
)
from anderhalf.model import load_model
from anderhalf.population import Prices, load_tables, parameters_sha256, region_municipalities, synthesise
from anderhalf.simulation import Simulation
from anderhalf.sources import People, rows_of, structured

Format = Literal["parquet", "csv"]
Rows = NDArray[Any]
Columns = Mapping[str, NDArray[Any]]  # contiguous, named as the fields of a record or a claim
Progress = Callable[[int, int], None]
Code = Annotated[int, Field(ge=0, le=65_535)]
Count = Annotated[int, Field(ge=0)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

KINDS = {"records": _core.record_dtype, "claims": _core.claim_dtype}
BLOCK_PERSONS = 16_384  # of a partition: some 30 MB of seven years in memory, a few MB on disk
ROW_GROUP = 1 << 20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Partition(_Strict):
    """Whole addresses: two files, what they hold, and the SHA-256 of their columns and of the files themselves."""

    records: str
    claims: str
    persons: Count | None = None
    rows: Count
    claim_rows: Count
    records_sha256: Hash | None = None
    claims_sha256: Hash | None = None
    records_file_sha256: Hash | None = None
    claims_file_sha256: Hash | None = None


class Counts(_Strict):
    """Of all partitions together."""

    persons: Count | None = None
    records: Count
    claims: Count


class Manifest(_Strict):
    """``manifest.json``: everything about the people but themselves."""

    layout: Literal[1] = 1
    format: Format
    anderhalf_version: str
    origin: Literal["synthetic", "microdata"]
    title: str | None = None
    column_map_sha256: Hash | None = None
    persons: Count
    first_year: Annotated[int, Field(ge=1970, le=2100)]
    last_year: Annotated[int, Field(ge=1970, le=2100)]
    region: str | None = None
    seed: Count
    base: int | None = None
    prices: Literal["law_year", "nominal"] | None = None
    block_persons: int | None = None
    parameters_sha256: Hash | None = None
    data_sha256: Hash | None = None
    insurers: dict[Code, str]
    municipalities: dict[Code, str]
    insured_years: dict[Code, float]
    options_accepted: list[str] = []
    model: str | None = None
    insured_year: int | None = None
    counts: Counts
    partitions: list[Partition]


# --- bytes ------------------------------------------------------------------------------------------------------------


def columns_of(rows: Rows) -> Columns:
    """The fields of a structured array as columns of their own."""
    fields = {name: np.empty(len(rows), rows.dtype[name]) for name in rows.dtype.names or ()}
    for part in _parts(len(rows)):
        for name, column in fields.items():
            column[part] = rows[name][part]
    return fields


def _rows_of(columns: Columns, dtype: np.dtype[Any]) -> Rows:
    rows = np.empty(len(columns["person"]), dtype=dtype)
    for part in _parts(len(rows)):
        for name, column in columns.items():
            rows[name][part] = column[part]
    return rows


def _parts(rows: int) -> Iterator[slice]:
    """Slices that stay in the cache while all fields of their rows are gone through."""
    return (slice(k, k + 4096) for k in range(0, rows, 4096))


def content_sha256(columns: Columns) -> str:
    """SHA-256 of columns: the number of rows, then name, type and values of each, little-endian.

    It does not depend on the format of a file, nor on the program that wrote it.
    """
    digest = hashlib.sha256(f"{len(columns['person'])}\n".encode())
    for name, column in columns.items():
        digest.update(f"{name} {column.dtype.str}\n".encode())
        digest.update(column.view(np.uint8).data)
    return digest.hexdigest()


def _data_sha256(manifest: Manifest) -> str:
    """One hash for all rows, in the order of the partitions."""
    parts = [f"{p.records_sha256} {p.claims_sha256}\n" for p in manifest.partitions]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise NotFoundError(
            [Problem("format parquet", "polars is not installed", "pip install 'anderhalf[io]', or --format csv")]
        ) from None
    return polars


def _schema(dtype: np.dtype[Any]) -> dict[str, Any]:
    pl = _polars()
    kinds = {
        "<u8": pl.UInt64, "<u4": pl.UInt32, "<u2": pl.UInt16, "|u1": pl.UInt8, "<i4": pl.Int32, "|b1": pl.Boolean,
    }  # fmt: skip
    return {name: kinds[dtype[name].str] for name in dtype.names or ()}


def _file_bytes(columns: Columns, dtype: np.dtype[Any], format: Format) -> bytes:
    if format == "csv":
        frame = pd.DataFrame({k: v.view(np.uint8) if v.dtype.kind == "b" else v for k, v in columns.items()})
        return frame.to_csv(index=False, lineterminator="\n").encode("ascii")
    made = io.BytesIO()
    # All that decides on the bytes, but for the version of polars that is written in the file, is said here.
    _polars().DataFrame(columns, schema=_schema(dtype)).write_parquet(
        made,
        compression="zstd",
        compression_level=3,
        statistics=False,
        row_group_size=ROW_GROUP,
        data_page_size=1 << 20,
    )
    return made.getvalue()


def _columns_of_parquet(content: bytes, dtype: np.dtype[Any], name: str) -> Columns:
    pl = _polars()
    try:
        frame = pl.read_parquet(io.BytesIO(content), use_statistics=False, glob=False)
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException):
        raise DomainError([Problem(name, "cannot be read", "a whole Parquet file")]) from None
    schema, problems = _schema(dtype), []
    problems += [
        Problem(f"{name}, {column}", "missing", "a column") for column in schema if column not in frame.columns
    ]
    problems += [Problem(f"{name}, {c}", "unknown column", ", ".join(schema)) for c in frame.columns if c not in schema]
    for column, kind in schema.items():
        if column not in frame.columns:
            continue
        found = frame[column]
        if found.dtype != kind:
            problems.append(Problem(f"{name}, {column}", "dtype", str(kind), str(found.dtype)))
        elif found.null_count() > 0:
            empty = found.is_null().to_numpy()
            problems.append(Problem(f"{name}, {column}", f"{rows_of(empty)} without a value", "a value"))
    if problems:
        raise ShapeError(problems)
    return {column: np.ascontiguousarray(frame[column].to_numpy()) for column in schema}


def _columns_of_csv(content: bytes, dtype: np.dtype[Any], name: str) -> Columns:
    """Whole numbers, comma, names on the first line; what is no number is found by its row."""
    wide = {n: np.uint64 if dtype[n].str == "<u8" else np.int64 for n in dtype.names or ()}
    try:
        frame = pd.read_csv(io.BytesIO(content), dtype=wide)
    except (ValueError, OverflowError, pd.errors.ParserError):
        raise DomainError(_not_numbers(content, wide, name)) from None
    return columns_of(structured({str(c): frame[c].to_numpy() for c in frame.columns}, dtype, name))


def _not_numbers(content: bytes, wide: Mapping[str, Any], name: str) -> list[Problem]:
    try:
        frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="latin-1")
    except pd.errors.ParserError:
        return [Problem(name, "cannot be read", f"lines of {len(wide)} columns with commas between them")]
    problems = []
    for column in frame.columns:
        pattern = r"\d{1,20}" if wide.get(column) is np.uint64 else r"-?\d{1,18}"
        bad = ~frame[column].str.fullmatch(pattern).to_numpy(dtype=bool)
        if bad.any():
            problems.append(Problem(f"{name}, {column}", f"{rows_of(bad)} without a whole number", "whole numbers"))
    return problems or [Problem(name, "cannot be read", "whole numbers with commas between them")]


# --- what a block must be ---------------------------------------------------------------------------------------------


def _day(year: int) -> int:
    """1 January of a year, in days since 1970-01-01."""
    return int(np.datetime64(f"{year}-01-01").astype(int))


def _years_of(days: NDArray[Any], first: int, last: int) -> NDArray[np.int16]:
    """Calendar years of days; first - 1 and last + 1 for the days before and after."""
    starts = np.array([_day(year) for year in range(first, last + 2)])
    lengths = np.diff(starts)
    table = np.repeat(np.arange(first - 1, last + 2, dtype=np.int16), [1, *lengths, 1])
    years: NDArray[np.int16] = table[np.clip(days - np.int32(starts[0] - 1), 0, len(table) - 1)]
    return years


def _unsorted(*keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows that belong before the row above them."""
    bad = np.zeros(len(keys[0]), dtype=bool)
    if len(bad) < 2:
        return bad
    same = np.ones(len(bad) - 1, dtype=bool)
    for key in keys:
        bad[1:] |= same & (key[1:] < key[:-1])
        same &= key[1:] == key[:-1]
    return bad


def _persons(person: NDArray[Any]) -> NDArray[Any]:
    """Of sorted rows, the persons."""
    return person[np.append(True, person[1:] != person[:-1])] if len(person) else person


def _wrong(records: Columns, claims: Columns, manifest: Manifest, names: tuple[str, str]) -> list[Problem]:
    """What contradicts the manifest or the order, by file and column."""
    known = np.zeros(1 << 16, dtype=bool)
    known[list(manifest.insurers)] = True
    first, last = manifest.first_year, manifest.last_year
    begin, opened = _years_of(records["first_day"], first, last), _years_of(claims["opened"], first, last)
    end = _years_of(records["last_day"], first, last)
    unsorted = _unsorted(records["person"], records["first_day"])
    unknown = np.zeros(len(claims["person"]), dtype=bool)
    if not unsorted.any():  # else they cannot be looked up
        persons, claiming = _persons(records["person"]), _persons(claims["person"])
        place = np.minimum(np.searchsorted(persons, claiming), max(len(persons) - 1, 0))
        strangers = claiming[persons[place] != claiming] if len(persons) else claiming
        unknown = np.isin(claims["person"], strangers) if len(strangers) else unknown
    checks = (
        (0, "person", unsorted, "not sorted", "by person and first_day"),
        (0, "first_day", (begin < first) | (begin > last), "in another year", f"{first}..{last}"),
        (0, "last_day", (end != begin) | (records["last_day"] < records["first_day"]),
         "not in the year of first_day, or before it", "a period within one calendar year"),
        (0, "insurer", ~known[records["insurer"]], "with an unknown insurer", "a code of the manifest"),
        (0, "sex", (records["sex"] < 1) | (records["sex"] > 2), "out of range", "1 or 2"),
        (0, "represents", records["represents"] == 0, "out of range", "1 or more"),
        (1, "person", _unsorted(claims["person"], opened, claims["claim"]), "not sorted",
         "by person, year of opened and claim"),
        (1, "person", unknown, "without a record of the person", "persons of the records"),
        (1, "opened", (opened < first) | (opened > last), "in another year", f"{first}..{last}"),
        (1, "insurer", ~known[claims["insurer"]], "with an unknown insurer", "a code of the manifest"),
        (1, "category", claims["category"] >= len(_core.Category.__members__), "out of range",
         f"0..{len(_core.Category.__members__) - 1}"),
        (1, "title", claims["title"] >= len(_core.Title.__members__), "out of range", "0..2"),
    )  # fmt: skip
    return [
        Problem(f"{names[file]}, {column}", f"{rows_of(bad)} {what}", expected)
        for file, column, bad, what, expected in checks
        if bad.any()
    ]


# --- writing ----------------------------------------------------------------------------------------------------------


class Writer:
    """Writes people into a folder, block by block; the folder appears at the end, or not at all.

    Parameters
    ----------
    out : Path
        A new or empty folder.
    origin : "synthetic" or "microdata"
    years : (int, int)
        First and last calendar year of the records.
    insurers, municipalities : mapping of code to name
        Every insurer of a record or claim must be among them.
    seed : int
        Breaks ties in national rankings, and makes the draws of a programme.
    persons : int, optional
        Persons asked for; default: the persons written.
    base, prices : optional
        Base year of the calibration, and prices, of synthetic people.
    insured_years : mapping of municipality code to years, optional
        What a programme scales its size by; default: counted from the records of the first year.
    options_accepted : sequence of str
        Irregularities that the user accepted by name.

    Examples
    --------
    >>> with Writer(out, origin="microdata", years=(2018, 2020), insurers={1: "A"}) as writer:
    ...     for block in blocks:
    ...         writer.add(block)
    """

    def __init__(
        self,
        out: Path,
        *,
        origin: Literal["synthetic", "microdata"],
        years: tuple[int, int],
        insurers: Mapping[int, str],
        municipalities: Mapping[int, str] | None = None,
        seed: int = 1,
        region: str | None = None,
        persons: int | None = None,
        block_persons: int | None = None,
        parameters_sha256: str | None = None,
        base: int | None = None,
        prices: Prices | None = None,
        insured_years: Mapping[int, float] | None = None,
        options_accepted: Sequence[str] = (),
        format: Format = "parquet",
    ) -> None:
        self.out = Path(out)
        if self.out.is_symlink() or (self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir()))):
            raise ParameterError(
                [Problem(self.out.name, "folder for the population", "a new or empty folder", "one with files")]
            )
        if format == "parquet":
            _polars()
        self._manifest = Manifest(
            format=format, anderhalf_version=version(), origin=origin, persons=persons or 0, first_year=years[0],
            last_year=years[1], region=region, seed=seed, block_persons=block_persons,
            parameters_sha256=parameters_sha256, base=base, prices=prices, insurers=dict(sorted(insurers.items())),
            municipalities=dict(sorted((municipalities or {}).items())),
            insured_years=dict(sorted((insured_years or {}).items())), options_accepted=list(options_accepted),
            counts=Counts(persons=0, records=0, claims=0), partitions=[],
        )  # fmt: skip
        self._persons, self._count_years = persons, insured_years is None
        self._partitions: dict[int, Partition] = {}
        self._ends: dict[int, tuple[int, int]] = {}  # first and last person
        self._days: dict[int, int] = {}  # insured in the first year, by municipality
        self._lock = threading.Lock()
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f".{self.out.name}.", suffix=".partial", dir=self.out.parent))
        for kind in KINDS:
            (self._folder / kind).mkdir()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.cancel()

    @property
    def folder(self) -> Path:
        """Where the files are until the end."""
        return self._folder

    def add(self, block: _core.Block) -> None:
        """Write the next partition.

        Raises
        ------
        DomainError
            Rows out of order, years or insurers that the manifest does not have, persons that do not ascend from block
            to block: every problem of the block at once, rows counted within it.
        """
        self.write(len(self._partitions), block)

    def write(self, index: int, block: _core.Block) -> None:
        """Write partition ``index``, from any thread; in the end every index from 0 must be there once."""
        records, claims = columns_of(block.records), columns_of(block.claims)
        suffix = f"part-{index:05}.{self._manifest.format}"
        names = f"records/{suffix}", f"claims/{suffix}"
        if problems := _wrong(records, claims, self._manifest, names):
            raise DomainError(problems)
        hashes = []
        for name, columns, dtype in zip(names, (records, claims), KINDS.values(), strict=True):
            content = _file_bytes(columns, dtype, self._manifest.format)
            (self._folder / name).write_bytes(content)
            hashes.append((content_sha256(columns), hashlib.sha256(content).hexdigest()))
        if self._count_years:
            inside = records["last_day"] < _day(self._manifest.first_year + 1)
            days = (records["last_day"] - records["first_day"] + 1).astype(np.int64) * records["represents"]
            codes, place = np.unique(records["municipality"][inside], return_inverse=True)
            sums = np.zeros(len(codes), dtype=np.int64)
            np.add.at(sums, place, days[inside])
            with self._lock:
                for code, total in zip(codes.tolist(), sums.tolist(), strict=True):
                    self._days[code] = self._days.get(code, 0) + total
        person = _persons(records["person"])
        if len(person):
            self._ends[index] = int(person[0]), int(person[-1])
        self._partitions[index] = Partition(
            records=names[0], claims=names[1], persons=len(person), rows=len(records["person"]),
            claim_rows=len(claims["person"]), records_sha256=hashes[0][0], claims_sha256=hashes[1][0],
            records_file_sha256=hashes[0][1], claims_file_sha256=hashes[1][1],
        )  # fmt: skip

    def finish(self, **more: Any) -> Path:
        """Write the manifest and let the folder appear; ``more`` are further keys of the manifest."""
        try:
            self._check_order()
            partitions = [self._partitions[k] for k in sorted(self._partitions)]
            counts = Counts(
                persons=sum(p.persons or 0 for p in partitions),
                records=sum(p.rows for p in partitions),
                claims=sum(p.claim_rows for p in partitions),
            )
            changes: dict[str, Any] = {"counts": counts, "partitions": partitions, **more}
            if self._persons is None:
                changes["persons"] = counts.persons
            if self._count_years:
                year = days_in(self._manifest.first_year)
                changes["insured_years"] = {code: days / year for code, days in sorted(self._days.items())}
            manifest = self._manifest.model_copy(update=changes)
            manifest = manifest.model_copy(update={"data_sha256": _data_sha256(manifest)})
            text = json.dumps(manifest.model_dump(exclude_none=True), indent=2, ensure_ascii=False)
            (self._folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
            mask = os.umask(0)
            os.umask(mask)
            self._folder.chmod(0o777 & ~mask)  # mkdtemp makes it private
            if self.out.exists():
                self.out.rmdir()
            self._folder.replace(self.out)
        except BaseException:
            self.cancel()
            raise
        return self.out

    def cancel(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check_order(self) -> None:
        indices = sorted(self._partitions)
        problems = []
        if indices != list(range(len(indices))):
            problems.append(Problem("partitions", "missing", f"0..{indices[-1]}", f"{len(indices)} of them"))
        before = -1
        for index in sorted(self._ends):
            first, last = self._ends[index]
            if first <= before:
                problems.append(
                    Problem(self._partitions[index].records, "persons", "above those of the partition before it")
                )
            before = last
        if problems:
            raise DomainError(problems)


def write_population(
    out: Path,
    persons: int,
    years: tuple[int, int],
    region: str | None,
    seed: int,
    model: str | None = None,
    *,
    base: int = DEFAULT_BASE,
    prices: Prices = "law_year",
    format: Format = "parquet",
    block_persons: int = BLOCK_PERSONS,
    threads: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Write a synthetic population; blocks are made, written and dropped, one per thread at a time.

    With a model, ``insured.parquet`` (or ``insured.csv``) too: the insured of its year, or of the last year when the
    population begins too late for it (``insured_year`` in the manifest), with their classes and cost, which ``anderhalf
    pay`` reads. That frame is held in memory.

    Parameters
    ----------
    base, prices
        See :func:`anderhalf.synthesise`.
    format : "parquet" or "csv"
    block_persons : int
        Persons of a partition, 1..65,536; decides how files are cut, never what is in them.
    threads : int
        Blocks made and written at a time; the files do not depend on it.
    progress : callable, optional
        Called with partitions written and to write.

    Raises
    ------
    ParameterError
        The folder exists and is not empty; years outside the population's.
    """
    law = None if model is None else load_model(model)
    people = synthesise(persons, years, region=region, seed=seed, base=base, prices=prices, block_persons=block_persons)
    writer = Writer(
        Path(out), origin="synthetic", years=years, insurers=people.insurers, municipalities=people.municipalities,
        seed=seed, region=region, persons=persons, block_persons=block_persons, parameters_sha256=parameters_sha256(),
        base=base, prices=prices, format=format,
        insured_years={m.code: m.insured for m in people.tables.parameters.municipalities},
    )  # fmt: skip
    more: dict[str, Any] = {}
    try:
        _in_parallel(len(people), lambda k: writer.write(k, people.block(k)), threads, progress)
        if law is not None:
            more = {"model": law.name, "insured_year": people.year_of(law)}
            frame = people.records(law, threads=threads)
            if format == "csv":
                frame.to_csv(writer.folder / "insured.csv", index=False)
            else:
                _polars().from_pandas(frame).write_parquet(writer.folder / "insured.parquet", statistics=False)
    except BaseException:
        writer.cancel()
        raise
    return writer.finish(**more)


def _in_parallel(count: int, work: Callable[[int], None], threads: int, progress: Progress | None) -> None:
    """``work(k)`` for every k below ``count``; the first exception stops the rest."""
    done = 0
    with ThreadPoolExecutor(max(1, min(threads, count))) as pool:
        waiting: set[Future[None]] = {pool.submit(work, k) for k in range(min(count, threads))}
        following = len(waiting)
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += 1
                    if progress is not None:
                        progress(done, count)
                    if following < count:
                        waiting.add(pool.submit(work, following))
                        following += 1
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


# --- reading ----------------------------------------------------------------------------------------------------------


class Dataset(People):
    """People of a folder, read a partition at a time and checked against the manifest each time.

    It takes the place of a :class:`~anderhalf.population.Population`: ``World(Dataset(folder), model)``.

    Raises
    ------
    NotFoundError, ParameterError, ShapeError, DomainError
        No manifest, keys that are missing, unknown or impossible, files that are missing or not of the manifest; when a
        block is read: a file that changed or cannot be read, columns, types, counts, order, years and insurers that are
        not those of the manifest. Each names file, column, count and first rows, and never shows a value of a person.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.manifest = _read_manifest(self.directory)
        self._check_files()

    @property
    def origin(self) -> Literal["synthetic", "microdata"]:
        """Where the people come from."""
        return self.manifest.origin

    @property
    def data_sha256(self) -> str | None:
        """One hash for all rows; None for a folder of anderhalf 0.1 before partitions."""
        return self.manifest.data_sha256

    @property
    def years(self) -> tuple[int, int]:
        """First and last calendar year."""
        return self.manifest.first_year, self.manifest.last_year

    @property
    def persons(self) -> int:
        """Persons asked for when the people were made."""
        return self.manifest.persons

    @property
    def seed(self) -> int:
        """Of every draw."""
        return self.manifest.seed

    @property
    def base(self) -> int | None:
        """Base year of the calibration of synthetic people."""
        return self.manifest.base

    @property
    def prices(self) -> Prices | None:
        """``law_year`` or ``nominal`` of synthetic people."""
        return self.manifest.prices

    @property
    def options_accepted(self) -> tuple[str, ...]:
        """Irregularities of the data that its user accepted by name."""
        return tuple(self.manifest.options_accepted)

    @property
    def region(self) -> str | None:
        """Region that was drawn more densely."""
        return self.manifest.region

    @property
    def insurers(self) -> dict[int, str]:
        """Insurer names by code."""
        return dict(sorted(self.manifest.insurers.items()))

    @property
    def municipalities(self) -> dict[int, str]:
        """Municipality names by code."""
        return dict(sorted(self.manifest.municipalities.items()))

    def municipality_codes(self, region: str) -> list[int]:
        """Codes of the municipalities of a region of ``society.toml``, or of one municipality by name."""
        return list(region_municipalities(region, {name: code for code, name in self.municipalities.items()}))

    def insured_years(self, region: str) -> float:
        """Insured years of a region in the first year."""
        codes = set(self.municipality_codes(region))
        return float(sum(years for code, years in sorted(self.manifest.insured_years.items()) if code in codes))

    def __len__(self) -> int:
        return len(self.manifest.partitions)

    def __repr__(self) -> str:
        rows, (first, last) = self.manifest.counts, self.years
        return f"<Dataset {self.origin}, {first}-{last}, {rows.records:,} records, {rows.claims:,} claims>"

    def block(self, index: int, years: tuple[int, int] | None = None) -> _core.Block:
        """Records and claims of one partition, checked; of ``years`` only when given."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        read = self._read(index)
        if years is not None and years != self.years:
            first, after = _day(years[0]), _day(years[1] + 1)
            for k, key in enumerate(("first_day", "opened")):
                inside = (read[k][key] >= first) & (read[k][key] < after)
                read[k] = {name: column[inside] for name, column in read[k].items()}
        return _core.Block(*(_rows_of(read[k], dtype) for k, dtype in enumerate(KINDS.values())))

    def source(self, years: tuple[int, int] | None = None) -> _core.Source:
        """Blocks read on demand, for the compiled core; of some years only when asked."""
        return _core.callback_source(len(self), lambda index: self.block(index, years))

    def check(self, progress: Progress | None = None) -> None:
        """Read every partition.

        Raises
        ------
        DomainError
            Every problem of every file.
        """
        problems: list[Problem] = []
        last = -1
        for index, partition in enumerate(self.manifest.partitions):
            try:
                person = self.block(index).records["person"]
                if len(person) and int(person[0]) <= last:
                    problems.append(Problem(f"{partition.records}, person", "not above those of the file before it"))
                last = int(person[-1]) if len(person) else last
            except AnderhalfError as error:
                problems += error.problems
            if progress is not None:
                progress(index + 1, len(self))
        if problems:
            raise DomainError(problems)

    @cached_property
    def _reader(self) -> Callable[[bytes, np.dtype[Any], str], Columns]:
        return _columns_of_csv if self.manifest.format == "csv" else _columns_of_parquet

    def _read(self, index: int) -> list[Columns]:
        partition = self.manifest.partitions[index]
        problems: list[Problem] = []
        kind: type[AnderhalfError] = DomainError
        found: list[Columns] = []
        for name, dtype, count, content, file in (
            (partition.records, KINDS["records"], partition.rows, partition.records_sha256,
             partition.records_file_sha256),
            (partition.claims, KINDS["claims"], partition.claim_rows, partition.claims_sha256,
             partition.claims_file_sha256),
        ):  # fmt: skip
            try:
                found.append(self._columns(name, dtype, count, content, file))
            except AnderhalfError as error:
                kind = type(error)
                problems += error.problems
        if problems:
            raise kind(problems)
        problems = _wrong(found[0], found[1], self.manifest, (partition.records, partition.claims))
        persons = len(_persons(found[0]["person"]))
        if partition.persons is not None and persons != partition.persons:
            problems.append(Problem(partition.records, "persons", f"{partition.persons:,}", f"{persons:,}"))
        if problems:
            raise DomainError(problems)
        return found

    def _columns(
        self, name: str, dtype: np.dtype[Any], count: int, content_hash: str | None, file_hash: str | None
    ) -> Columns:
        try:
            content = (self.directory / name).read_bytes()
        except OSError as error:
            raise NotFoundError(
                [Problem(name, "cannot be opened", "a file of the manifest", error.strerror or "")]
            ) from None
        whole = file_hash is None or hashlib.sha256(content).hexdigest() == file_hash
        columns = self._reader(content, dtype, name)  # says why when the file itself tells
        rows = len(columns["person"])
        if not whole:
            counted = "" if rows == count else f": {rows:,} rows, of {count:,}"
            raise DomainError([Problem(name, f"changed since it was written{counted}", "the bytes of the manifest")])
        if rows != count:
            raise DomainError([Problem(name, "rows", f"{count:,}", f"{rows:,}")])
        if content_hash is not None and content_sha256(columns) != content_hash:
            raise DomainError([Problem(name, "other values than were written", "the columns of the manifest")])
        return columns

    def _check_files(self) -> None:
        named = [name for p in self.manifest.partitions for name in (p.records, p.claims)]
        problems = [
            Problem(name, "missing", "a file of the manifest")
            for name in named
            if not (self.directory / name).is_file()
        ]
        here = {
            path.relative_to(self.directory).as_posix()
            for kind in (*KINDS, ".")
            for path in (self.directory / kind).glob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        known = {*named, "manifest.json", "insured.csv", "insured.parquet"}
        problems += [Problem(name, "additional file", "only files of the manifest") for name in sorted(here - known)]
        strange = [name for name in named if Path(name).is_absolute() or ".." in Path(name).parts]
        problems += [Problem("manifest.json", "partitions", "names inside the folder", name) for name in strange]
        if problems:
            raise ShapeError(problems)


def read_population(directory: str | os.PathLike[str]) -> Dataset:
    """The people of a folder that ``anderhalf synthesise`` or ``anderhalf import`` wrote; see :class:`Dataset`."""
    return Dataset(directory)


_OLD_KEYS = {"anderhalf_version", "persons", "first_year", "last_year", "region", "seed", "records", "claims"}


def _read_manifest(directory: Path) -> Manifest:
    path = directory / "manifest.json"
    if not path.is_file():
        raise NotFoundError(
            [Problem(str(directory), "manifest.json", "a folder made by `anderhalf synthesise` or `import`", "none")]
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise ParameterError(
            [Problem(path.name, "JSON", "a file that can be read", str(error))], file=path.name
        ) from None
    if "partitions" not in document and set(document) >= _OLD_KEYS:
        document = _of_old(document)
    try:
        manifest = Manifest.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problems = [
            Problem(path.name, ".".join(map(str, item["loc"])), item["msg"][:1].lower() + item["msg"][1:])
            for item in error.errors()
        ]
        raise ParameterError(problems, file=path.name) from None
    problems = []
    if manifest.last_year < manifest.first_year:
        problems.append(Problem(path.name, "last_year", f"{manifest.first_year} or later", str(manifest.last_year)))
    for key, total in (("rows", manifest.counts.records), ("claim_rows", manifest.counts.claims)):
        found = sum(getattr(p, key) for p in manifest.partitions)
        if found != total:
            problems.append(Problem(path.name, f"counts, {key} of partitions", f"{total:,}", f"{found:,}"))
    if manifest.data_sha256 is not None and manifest.data_sha256 != _data_sha256(manifest):
        problems.append(Problem(path.name, "data_sha256", "the hash of those of the partitions", "another"))
    if problems:
        raise ParameterError(problems, file=path.name)
    return manifest


def _of_old(document: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a folder from before partitions: records.csv and claims.csv, without hashes."""
    given = load_tables().parameters
    rows, claims = document.pop("records"), document.pop("claims")
    return document | {
        "format": "csv",
        "origin": "synthetic",
        "insurers": {i.code: i.name for i in given.insurers},
        "municipalities": {m.code: m.name for m in given.municipalities},
        "insured_years": {m.code: m.insured for m in given.municipalities},
        "counts": {"records": rows, "claims": claims},
        "partitions": [{"records": "records.csv", "claims": "claims.csv", "rows": rows, "claim_rows": claims}],
    }


# --- simulations ------------------------------------------------------------------------------------------------------


def write_simulation(run: Simulation, out: Path, lang: str = "en") -> Path:
    """The report of one simulation; see :func:`anderhalf.simulation_report.write_simulation`."""
    from anderhalf.simulation_report import write_simulation as write

    return write(run, out, lang)
