"""Own microdata: records and claims of a user as the blocks that a synthetic population gives.

Files are read in batches; ids become 64-bit numbers by a keyed hash; rows go to buckets on disk by person, where
records are put in order and claims are joined to them; whole addresses leave as blocks. At no time do more than one
batch and one bucket stand in memory.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from anderhalf import _core
from anderhalf.column_maps import ColumnMap, RowsTable, column_map, new_key, read_key, resolve
from anderhalf.columns import counted
from anderhalf.errors import AnderhalfError, DomainError, ParameterError, Problem, near_matches
from anderhalf.microdata_columns import KINDS, Converter, day_of, year_of
from anderhalf.microdata_files import Ledger, Table, names_of, table_of

if TYPE_CHECKING:
    from anderhalf.files import Dataset

Rows = NDArray[Any]
Progress = Callable[[str, int, int], None]
BUCKET_BYTES = 1 << 26  # of files as they are read; of the same size as rows
PACKED = 4  # how much larger rows are than files that are not text
ZIPPED = 10  # and than text that is compressed
MOST_BUCKETS = 2048
BLOCK_PERSONS = 16_384
MOST_AT_HOME = 65_536 - BLOCK_PERSONS  # a block holds whole addresses, and at most 65,536 persons
BUCKET_BITS = 16
_NAME = re.compile(r"[^\W\d][\w .-]{2,31}")
HOME_BITS = 24  # of an address, at the head of the ids of its persons: ids ascend over whole addresses

RECORD_FIELDS = (
    ("person", "u8"), ("address", "u8"), ("first_day", "i4"), ("last_day", "i4"), ("birth_month", "i4"),
    ("voluntary_deductible_cents", "i4"), ("insurer", "u2"), ("represents", "u2"), ("municipality", "u2"),
    ("region", "u1"), ("sex", "u1"), ("income_source", "u1"), ("ses", "u1"), ("household", "u1"), ("wlz", "u1"),
)  # fmt: skip
CLAIM_FIELDS = (
    ("person", "u8"), ("opened", "i4"), ("closed", "i4"), ("claimed_cents", "i4"), ("settled_cents", "i4"),
    ("claim", "u4"), ("product", "u4"), ("insurer", "u2"), ("specialism", "u2"), ("diagnosis", "u2"), ("ddd", "u2"),
    ("prescriptions", "u1"), ("category", "u1"), ("consult", "?"), ("title", "u1"),
)  # fmt: skip
_PLACE = (("row", "i8"), ("file", "u2"), ("bad", "?"))
STAGED_RECORD = np.dtype([*RECORD_FIELDS, *_PLACE])
STAGED_CLAIM = np.dtype([*CLAIM_FIELDS, ("number", "u8"), ("by_year", "?"), *_PLACE])
RECORD = np.dtype(list(RECORD_FIELDS))
CLAIM = np.dtype(list(CLAIM_FIELDS))
_STATE = tuple(name for name, _ in RECORD_FIELDS if name not in ("first_day", "last_day"))
_CLAIM_CONTENT = (
    "category", "product", "specialism", "diagnosis", "opened", "claimed_cents", "ddd", "closed", "settled_cents",
    "prescriptions", "consult", "title", "insurer",
)  # fmt: skip


class Sink(Protocol):
    """Where blocks go."""

    def add(self, block: _core.Block) -> None: ...


@dataclass(frozen=True)
class Imported:
    """What was read."""

    persons: int
    records: int
    claims: int
    accepted: tuple[dict[str, Any], ...]
    insurers: dict[int, str]

    def __str__(self) -> str:
        text = f"{self.persons:,} persons, {self.records:,} records, {self.claims:,} claims"
        return "\n".join([text, *(f"accepted by option {a['option']}: {a['count']:,}" for a in self.accepted)])


# --- buckets on disk --------------------------------------------------------------------------------------------------


class _Buckets:
    """Rows by bucket, in files that are read one at a time; keys ascend from bucket to bucket."""

    def __init__(self, folder: Path, name: str, dtype: np.dtype[Any], count: int) -> None:
        self.folder, self.name, self.dtype, self.count = folder, name, dtype, count

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{self.name}.{bucket}"

    def add(self, rows: Rows, key: NDArray[np.uint64]) -> None:
        if not len(rows):
            return
        bucket = (key >> np.uint64(64 - BUCKET_BITS)).astype(np.int64) * self.count >> BUCKET_BITS
        order = np.argsort(bucket, kind="stable")
        rows, bucket = rows[order], bucket[order]
        used, start = np.unique(bucket, return_index=True)
        for k, begin, end in zip(used, start, [*start[1:], len(rows)], strict=True):
            with self._path(int(k)).open("ab") as file:
                file.write(rows[begin:end].tobytes())

    def read(self, bucket: int) -> Rows:
        path = self._path(bucket)
        if not path.exists():
            return np.zeros(0, dtype=self.dtype)
        return np.fromfile(path, dtype=self.dtype)

    def drop(self, bucket: int) -> None:
        self._path(bucket).unlink(missing_ok=True)


# --- from files to buckets --------------------------------------------------------------------------------------------


def _growth(table: Table) -> int:
    if table.kind == "csv":
        return ZIPPED if table.path.name.lower().endswith(".gz") else 1
    return PACKED


class _Import:
    def __init__(self, source: ColumnMap, key: bytes, scratch: Path, progress: Progress | None) -> None:
        self.map, self.key, self.scratch, self.progress = source, key, scratch, progress
        self.ledger = Ledger()
        self.files: list[str] = []  # as messages name them
        self.names: dict[str, int] = municipality_numbers()
        self.insurers: set[int] = set()
        self.lost_persons = False  # a record without a person that can be read
        self.counts = {"persons": 0, "records": 0, "claims": 0}
        self.tables = self._tables()
        size = sum(t.path.stat().st_size * _growth(t) for _, t, _ in self.tables)
        self.by_address = "address" in source.tables[0][1].columns
        buckets = min(MOST_BUCKETS, 1 + size // BUCKET_BYTES)
        self.records = _Buckets(scratch, "records", STAGED_RECORD, buckets)
        self.claims = _Buckets(scratch, "claims", STAGED_CLAIM, buckets)
        self._open_options()

    def _tables(self) -> list[tuple[str, Table, dict[str, str]]]:
        """Every file with the names its columns have; columns that are missing are problems of all files at once."""
        found = []
        files: list[tuple[str, RowsTable, list[Path]]] = []
        for where, settings in self.map.tables:
            try:
                files.append((where, settings, self.map.files(settings, where)))
            except AnderhalfError as error:
                self.ledger.take(error)
        called = names_of(path for _, _, paths in files for path in paths)
        for where, settings, paths in files:
            for path in paths:
                try:
                    table = table_of(path, settings, called[path])
                    have = table.names()
                except AnderhalfError as error:
                    self.ledger.take(error)
                    continue
                found_names = {ours: resolve(theirs, have) for ours, theirs in settings.columns.items()}
                names = {ours: name for ours, name in found_names.items() if name is not None}
                # Names are shown only where they surely are names: another may be a cell of a file without a header.
                shown = [name for name in have if _NAME.fullmatch(name)] if names else []
                for ours, theirs in settings.columns.items():
                    if ours not in names:
                        near = near_matches(theirs, shown)
                        expected = f"one of {', '.join(near)}" if near else "a column of the file"
                        what = f"has no column {theirs!r} for {ours}"
                        self.ledger.problem(Problem(f"{where} {table.name}", what, expected))
                found.append((where, table, names))
        return found

    def _open_options(self) -> None:
        for name, value in self.map.options.model_dump().items():
            if value is True:
                self.ledger.accept(name, 0)
            elif isinstance(value, str) and value != "refuse":
                self.ledger.accept(f"{name}={value}", 0)

    def read(self) -> None:
        tables = dict(self.map.tables)
        rows: dict[str, int] = dict.fromkeys(tables, 0)
        whole: dict[str, bool] = dict.fromkeys(tables, True)
        for step, (where, table, names) in enumerate(self.tables):
            settings = tables[where]
            if set(names) != set(settings.columns):
                whole[where] = False
                self.lost_persons = self.lost_persons or where == "records"
                continue
            self.files.append(f"{where} {table.name}")
            convert = Converter(where, settings, KINDS["records" if where == "records" else "claims"], self.map,
                                self.key, self.ledger, self.names, self.insurers)  # fmt: skip
            ids = [names[k] for k in ("person", "address", "number") if k in names]
            try:
                for batch in table.batches(list(names.values()), self.ledger, ids):
                    values, bad = convert.batch(table.name, names, batch)
                    rows[where] += batch.rows
                    if self.progress is not None:
                        told = f"{table.name}: {batch.first_row + batch.rows:,} rows read"
                        self.progress(told, step, len(self.tables) + 1)
                    if where == "records":
                        self._stage_records(values, bad, batch.first_row)
                    else:
                        opened = batch.columns.get(names.get("opened", ""))
                        by_year = settings.units.get("opened") == "year" and (opened is None or opened.kind != "date")
                        self._stage_claims(values, bad, batch.first_row, by_year)
            except AnderhalfError as error:
                self.ledger.take(error)
                whole[where] = False
                self.lost_persons = self.lost_persons or where == "records"
            if where == "records" and any(place == table.name for place, _, _ in self.ledger.entries):
                self.lost_persons = True  # rows of another width
        for where, settings in tables.items():
            if settings.rows is not None and whole[where] and rows[where] != settings.rows:
                self.ledger.problem(Problem(f"{self.map.path} {where}.rows", "the files have another number of rows "
                                            "(are they cut short, or multiplied by a join?)",
                                            str(settings.rows), str(rows[where])))  # fmt: skip
            if whole[where] and rows[where] == 0 and any(w == where for w, _, _ in self.tables):
                self.ledger.problem(Problem(f"{self.map.path} {where}", "the files hold no rows", "at least one"))

    def _refuse(self, rows: Rows, wrong: NDArray[np.bool_], one: str, many: str, expected: str) -> None:
        """Puts rows that were staged before into the ledger, file by file."""
        if not wrong.any():
            return
        place = rows[wrong]
        for k in np.unique(place["file"]):
            self.ledger.add(self.files[int(k)], one, many, expected, place["row"][place["file"] == k])

    def _accept_or_refuse(
        self, option: str, rows: Rows, wrong: NDArray[np.bool_], one: str, many: str, expected: str
    ) -> bool:
        """Whether a named option lets rows pass; else they are problems."""
        name, _, value = option.partition("=")
        chosen = getattr(self.map.options, name)
        if chosen is True or (value and chosen == value):
            self.ledger.accept(option, int(wrong.sum()))
            return True
        self._refuse(rows, wrong, one, many, f"{expected}, or options.{name}" + (f' = "{value}"' if value else ""))
        return False

    def _stage_records(self, values: Mapping[str, NDArray[Any]], bad: NDArray[np.bool_], first_row: int) -> None:
        n = len(bad)
        rows = np.zeros(n, dtype=STAGED_RECORD)
        for name in ("person", "address", "insurer", "municipality", "region", "sex", "income_source", "ses",
                     "household", "wlz"):  # fmt: skip
            if name in values:
                rows[name] = values[name]
        rows["represents"] = values.get("represents", 1)
        rows["voluntary_deductible_cents"] = values.get("voluntary_deductible", 0)
        birth = np.asarray(values["birth"]).astype("M8[D]").astype("M8[M]").astype(np.int64) + 1970 * 12
        rows["birth_month"] = birth
        rows["row"], rows["file"], rows["bad"] = np.arange(n) + first_row, len(self.files) - 1, bad
        if "days" in values:
            year = np.asarray(values["year"])
            rows["first_day"], rows["last_day"] = day_of(year), values["days"]
            if self.map.options.drop_records_without_days:
                none = ~rows["bad"] & (rows["last_day"] == 0)
                self.ledger.accept("drop_records_without_days", int(none.sum()))
                rows = rows[~none]
        else:
            rows["first_day"], rows["last_day"] = values["first_day"], values["last_day"]
            rows = self._periods(rows)
        years = year_of(rows["first_day"])
        first, last = self.map.years
        other = ((years < first) | (years > last)) & ~rows["bad"]
        if self._accept_or_refuse(
            "drop_other_years",
            rows,
            other,
            "record is of another year",
            "records are of other years",
            f"{first}..{last} (microdata.years)",
        ):
            rows, years = rows[~other], years[~other]
        else:
            rows["bad"] |= other
        born = ~rows["bad"] & (rows["birth_month"] > 12 * (years + 1) - 1)
        self._refuse(rows, born, "record ends before its person was born", "records end before their person was born",
                     "a month of birth up to the year of the record")  # fmt: skip
        rows["bad"] |= born
        child = ~rows["bad"] & (rows["household"] == 0) & (years - rows["birth_month"] // 12 > 18)
        self._refuse(
            rows,
            child,
            "record of an adult has household none",
            "records of adults have household none",
            "none for those under 18 alone: one_person, other, wlz_permanent or wlz_entering",
        )
        rows["bad"] |= child
        self.lost_persons = self.lost_persons or bool((rows["bad"] & (rows["person"] == 0)).any())
        self.records.add(rows, rows["person"])

    def _periods(self, rows: Rows) -> Rows:
        """Dates of records: none that end before they begin, none beyond 31 December."""
        good = ~rows["bad"]
        none = good & (rows["last_day"] < rows["first_day"])
        if self._accept_or_refuse("drop_records_without_days", rows, none, "record ends before it begins",
                                  "records end before they begin", "last_day on or after first_day"):  # fmt: skip
            rows, good = rows[~none], good[~none]
        else:
            rows["bad"] |= none
            good &= ~none
        span = np.where(good, year_of(rows["last_day"]) - year_of(rows["first_day"]), 0)
        across = span > 0
        if not across.any():
            return rows
        if not self._accept_or_refuse("cut_at_year_borders", rows, across, "record goes on after 31 December",
                                      "records go on after 31 December",
                                      "records within one calendar year"):  # fmt: skip
            rows["bad"] |= across
            return rows
        first, last = self.map.years
        far = across & ((span > last - first + 50) | (span > 120))
        self._refuse(rows, far, "record is longer than a life", "records are longer than a life", "dates of one period")
        rows["bad"] |= far
        begin, end = (np.clip(year_of(rows[name]), first - 1, last + 1) for name in ("first_day", "last_day"))
        times = np.where(across & ~far, end - begin + 1, 1)  # what lies outside the years of the map is one piece
        cut: Rows = np.repeat(rows, times)
        place = np.arange(len(cut)) - np.repeat(np.cumsum(times) - times, times)
        year = np.repeat(begin, times) + place
        ends = place == np.repeat(times, times) - 1
        cut["first_day"] = np.where(place > 0, day_of(year), cut["first_day"])
        cut["last_day"] = np.where(ends, cut["last_day"], day_of(year + 1) - 1)
        return cut

    def _stage_claims(
        self, values: Mapping[str, NDArray[Any]], bad: NDArray[np.bool_], first_row: int, by_year: bool
    ) -> None:
        n = len(bad)
        rows = np.zeros(n, dtype=STAGED_CLAIM)
        for name in ("person", "opened", "product", "insurer", "specialism", "diagnosis", "ddd", "prescriptions",
                     "category", "consult", "number"):  # fmt: skip
            if name in values:
                rows[name] = values[name]
        rows["claimed_cents"] = values["claimed"]
        rows["settled_cents"] = values.get("settled", values["claimed"])
        rows["title"] = values.get("title", 1)
        rows["closed"] = values.get("closed", values["opened"])
        rows["by_year"] = by_year
        rows["row"], rows["file"], rows["bad"] = np.arange(n) + first_row, len(self.files) - 1, bad
        good = ~rows["bad"]
        before = good & (rows["closed"] < rows["opened"])
        if self._accept_or_refuse("closed_is_opened", rows, before, "claim is closed before it is opened",
                                  "claims are closed before they are opened", "closed on or after opened"):  # fmt: skip
            rows["closed"] = np.maximum(rows["closed"], rows["opened"])
        years = year_of(rows["opened"])
        first, last = self.map.years
        other = good & ((years < first) | (years > last))
        self._accept_or_refuse("drop_other_years", rows, other, "claim is of another year", "claims are of other years",
                               f"{first}..{last} (microdata.years)")  # fmt: skip
        rows = rows[good & ~other]
        self.claims.add(rows, rows["person"])

    def insurer_names(self) -> dict[int, str]:
        return {code: self.map.insurers.get(code, str(code)) for code in sorted(self.insurers)}

    def imported(self) -> Imported:
        return Imported(**self.counts, accepted=tuple(self.ledger.options()), insurers=self.insurer_names())

    # --- buckets to blocks

    def join(self, sink: Sink | None) -> None:
        by_address = None
        if self.by_address:
            by_address = (_Buckets(self.scratch, "home_records", RECORD, self.records.count),
                          _Buckets(self.scratch, "home_claims", CLAIM, self.records.count))  # fmt: skip
        crowd = np.zeros(1 << HOME_BITS, dtype=np.uint32) if self.by_address else None  # persons by head of address
        total = self.records.count * (2 if by_address and sink is not None else 1)
        for k in range(self.records.count):
            if self.progress is not None:
                self.progress("joining claims to records", k, total + 1)
            records, suspect = self._ordered(self.records.read(k))
            claims = self._joined(self.claims.read(k), records, suspect)
            self.records.drop(k)
            self.claims.drop(k)
            people = np.unique(records["person"])
            self.counts["persons"] += len(people)
            self.counts["records"] += len(records)
            self.counts["claims"] += len(claims)
            if crowd is not None and len(people):
                home = records["address"][np.searchsorted(records["person"], people)] >> np.uint64(64 - HOME_BITS)
                some, count = np.unique(home.astype(np.int64), return_counts=True)
                crowd[some] += count.astype(np.uint32)
            if self.ledger or sink is None:
                continue
            r, c = _plain(records, RECORD), _plain(claims, CLAIM)
            if by_address is None:
                _write_blocks(sink, r, c)
                continue
            first = np.searchsorted(records["person"], people)
            numbers = _under(records["address"][first], people)
            for rows, buckets in ((r, by_address[0]), (c, by_address[1])):
                rows["person"] = numbers[np.searchsorted(people, rows["person"])]
                buckets.add(rows, rows["person"])
        if crowd is not None and (many := int((crowd > MOST_AT_HOME).sum())):
            what = f"has {counted(many, 'address', 'addresses')} of more than {MOST_AT_HOME:,} persons"
            column = self.map.tables[0][1].columns["address"]
            expected = 'who lives together; where it is not known an empty cell and missing.address = "alone"'
            self.ledger.problem(Problem(f"{self.map.path} records, column {column}", what, expected))
        if by_address is None or self.ledger or sink is None:
            return
        written = 0
        for k in range(self.records.count):
            if self.progress is not None:
                self.progress("writing", self.records.count + k, total + 1)
            records, claims = (buckets.read(k) for buckets in by_address)
            records = records[np.lexsort([records["first_day"], records["person"]])]
            claims = claims[np.lexsort([claims["claim"], year_of(claims["opened"]), claims["person"]])]
            written += len(np.unique(records["person"]))
            _write_blocks(sink, records, claims)
            for buckets in by_address:
                buckets.drop(k)
        if written != self.counts["persons"]:  # about one chance in 30,000 at 17 million
            raise DomainError(Problem("ids", "two persons have the same", "another key"))

    def _ordered(self, rows: Rows) -> tuple[Rows, NDArray[np.uint64]]:
        """Records of whole persons by (person, first day), without overlaps; and persons with rows that were lost."""
        suspect = np.unique(rows["person"][rows["bad"]])
        rows = rows[~rows["bad"]]
        rows = rows[np.lexsort([rows["row"], rows["file"], *(rows[n] for n in reversed(_STATE[1:])), rows["last_day"],
                                rows["insurer"], rows["first_day"], rows["person"]])]  # fmt: skip
        if not len(rows):
            return rows, suspect
        placed = "days" in {**self.map.tables[0][1].columns, **self.map.tables[0][1].constants}
        same = _same(rows, ("person", "first_day", "last_day", *_STATE))
        if same.any() and (self._accept_or_refuse(
            "drop_exact_duplicates", rows, same, "record stands there twice", "records stand there twice",
            "every insured period once")):  # fmt: skip
            rows = rows[~same]
            same = np.zeros(len(rows), dtype=bool)
        if placed:
            rows, same = self._placed(rows, same)
        rows = rows[np.lexsort([rows["last_day"], rows["insurer"], rows["first_day"], rows["person"]])]
        if self.map.options.merge_adjacent_records:
            rows = self._merged(rows)
        before = _last_before(rows)
        repeated = _same(rows, ("person", "first_day", "last_day", "insurer"))
        exact = _same(rows, ("person", "first_day", "last_day", *_STATE)) & repeated
        overlap = rows["first_day"] <= before
        if self.map.options.cut_overlapping_records:
            self.ledger.accept("cut_overlapping_records", int(overlap.sum()))
            rows["first_day"] = np.where(overlap, before + 1, rows["first_day"])
            rows = rows[rows["first_day"] <= rows["last_day"]]
        else:
            here = np.append(False, rows["insurer"][1:] == rows["insurer"][:-1])
            option = "options.merge_adjacent_records or options.cut_overlapping_records"
            self._refuse(
                rows,
                repeated & ~exact,
                "person has the same period at the same insurer twice",
                "persons have the same period at the same insurer twice",
                "one record per person, insurer and period (was a table joined that has a person twice?)",
            )
            self._refuse(rows, overlap & ~repeated & here, "record overlaps another of its person at the same insurer",
                         "records overlap others of their persons at the same insurer",
                         f"periods one after another, or {option}")  # fmt: skip
            self._refuse(rows, overlap & ~repeated & ~here, "record overlaps another of its person at another insurer",
                         "records overlap others of their persons at other insurers",
                         "one insurer on a day (art. 10(2)), or options.cut_overlapping_records")  # fmt: skip
        new = np.append(True, rows["person"][1:] != rows["person"][:-1])
        first = rows[np.flatnonzero(new)[np.cumsum(new) - 1]] if len(rows) else rows
        other = (rows["sex"] != first["sex"]) | (rows["birth_month"] != first["birth_month"])
        if self._accept_or_refuse("first_sex_and_birth", rows, other,
                                  "record has another sex or birth than an earlier one of its person",
                                  "records have another sex or birth than earlier ones of their persons",
                                  "one sex and one month of birth per person"):  # fmt: skip
            rows["sex"], rows["birth_month"] = first["sex"], first["birth_month"]
        return rows, suspect

    def _placed(self, rows: Rows, same: NDArray[np.bool_]) -> tuple[Rows, NDArray[np.bool_]]:
        """Days without dates: the records of a person one after another from 1 January."""
        months = self.map.tables[0][1].units.get("days") == "months"
        length = rows["last_day"].astype(np.int64)
        new = np.append(True, (rows["person"][1:] != rows["person"][:-1]) |
                        (rows["first_day"][1:] != rows["first_day"][:-1]))  # fmt: skip
        total = np.cumsum(length)
        base = (total - length)[np.flatnonzero(new)[np.cumsum(new) - 1]]
        end = total - base
        begin = end - length
        year = year_of(rows["first_day"])
        most = np.full(len(rows), 12) if months else day_of(year + 1) - day_of(year)
        over = end > most
        if self._accept_or_refuse("clip_days_to_year", rows, over & ~same,
                                  "record gives its person more days than the year has",
                                  "records give their persons more days than the year has",
                                  "at most a year per person and year") or over.any():  # fmt: skip
            end = np.minimum(end, most)
        keep = begin < end
        if months:
            rows["last_day"] = day_of(year + end // 12, end % 12 + 1) - 1
            rows["first_day"] = day_of(year + begin // 12, begin % 12 + 1)
        else:
            rows["first_day"], rows["last_day"] = day_of(year) + begin, day_of(year) + end - 1
        self.ledger.accept("days_from_january", len(rows))
        return rows[keep], same[keep]

    def _merged(self, rows: Rows) -> Rows:
        """Records of one person that differ in their days alone and touch or overlap become one, within a year."""
        state = tuple(name for name in _STATE if name != "person")
        touch = _same(rows, ("person", *state)) & (rows["first_day"] <= _last_before(rows) + 1)
        touch &= np.append(False, year_of(rows["first_day"])[1:] == year_of(rows["first_day"])[:-1])
        start = np.flatnonzero(~touch)
        merged = rows[start]
        if len(merged):
            merged["last_day"] = np.maximum.reduceat(rows["last_day"], start)
        self.ledger.accept("merge_adjacent_records", int(touch.sum()))
        return merged

    def _joined(self, claims: Rows, records: Rows, suspect: NDArray[np.uint64]) -> Rows:
        """Claims with the record of their day, in the order of their content, ranked within person and year."""
        if not len(claims):
            return claims
        people, first = np.unique(records["person"], return_index=True)
        rank = np.searchsorted(people, claims["person"])
        known = np.zeros(len(claims), dtype=bool)
        inside = rank < len(people)
        known[inside] = people[rank[inside]] == claims["person"][inside]
        skip = np.isin(claims["person"], suspect)
        if not self.lost_persons:
            self._accept_or_refuse("drop_claims_without_record", claims, ~known & ~skip,
                                   "claim is of a person without a record", "claims are of persons without a record",
                                   "claims of insured persons (the same pseudonyms in both tables)")  # fmt: skip
        claims, rank = claims[known], rank[known]
        skip = skip[known]
        if not len(claims):
            return claims
        self._date_by_year(claims, records, rank)
        count = np.append(first[1:], len(records)) - first
        day = records["first_day"].astype(np.int64) + (np.repeat(np.arange(len(people)), count) << 32)
        at = np.searchsorted(day, claims["opened"].astype(np.int64) + (rank << 32), side="right") - 1
        at = np.maximum(at, 0)
        within = (records["person"][at] == claims["person"]) & (claims["opened"] <= records["last_day"][at])
        within &= claims["opened"] >= records["first_day"][at]
        skip |= self.lost_persons
        self._accept_or_refuse("drop_claims_outside_periods", claims, ~within & ~skip,
                               "claim was opened outside the insured periods of its person",
                               "claims were opened outside the insured periods of their persons",
                               "opened on an insured day")  # fmt: skip
        claims, at = claims[within], at[within]
        own = records["insurer"][at]
        theirs = claims["insurer"]
        given = theirs != 0
        other = given & (theirs != own)
        if self._accept_or_refuse("insurer_of_record", claims, other, "claim is at another insurer than its record",
                                  "claims are at other insurers than their records",
                                  "the insurer of the person on that day"):  # fmt: skip
            other = np.zeros(len(claims), dtype=bool)
            claims["insurer"] = own
        else:
            claims["insurer"] = np.where(given, theirs, own)
        year = year_of(claims["opened"])
        order = np.lexsort([claims["row"], claims["file"], claims["number"],
                            *(claims[n] for n in reversed(_CLAIM_CONTENT)), year, claims["person"]])  # fmt: skip
        claims, year = claims[order], year[order]
        again = _same(claims, ("person", *_CLAIM_CONTENT, "number"))
        chosen = self.map.options.identical_claims
        if chosen == "refuse":
            self._refuse(
                claims,
                again,
                "claim stands there again with the same content",
                "claims stand there again with the same content",
                'every claim once (was it multiplied by a join?), or options.identical_claims = "keep" or "drop"',
            )
        else:
            self.ledger.accept(f"identical_claims={chosen}", int(again.sum()))
            if chosen == "drop":
                claims, year = claims[~again], year[~again]
        new = np.append(True, (claims["person"][1:] != claims["person"][:-1]) | (year[1:] != year[:-1]))
        places = np.arange(len(claims))
        claims["claim"] = places - np.flatnonzero(new)[np.cumsum(new) - 1] if len(claims) else 0
        return claims

    def _date_by_year(self, claims: Rows, records: Rows, rank: NDArray[np.int64]) -> None:
        """Claims of which only the year is known are opened on the first day insured in it, at their insurer."""
        some = claims["by_year"]
        if not some.any():
            return
        whom = records["person"]
        year = year_of(records["first_day"])
        for with_insurer in (False, True):
            chosen = some & ((claims["insurer"] != 0) == with_insurer)
            if not chosen.any():
                continue
            insurer = records["insurer"].astype(np.int64) if with_insurer else np.zeros(len(records), dtype=np.int64)
            place = np.searchsorted(np.unique(whom), whom)
            key = (place << 30) + (year << 16) + insurer
            keys, first = np.unique(key, return_index=True)
            own = claims["insurer"].astype(np.int64)
            wanted = (rank << 30) + (year_of(claims["opened"]) << 16) + (own if with_insurer else 0)
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = chosen & (keys[at] == wanted)
            was = claims["opened"].copy()
            claims["opened"] = np.where(hit, records["first_day"][first[at]], claims["opened"])
            claims["closed"] = np.where(hit & (claims["closed"] == was), claims["opened"],
                                        np.maximum(claims["closed"], claims["opened"]))  # fmt: skip
        self.ledger.accept("units.opened=year", int(some.sum()))


def _under(address: NDArray[np.uint64], person: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Ids of persons that begin with their address."""
    low = np.uint64(64 - HOME_BITS)
    return (address >> low << low) | (person >> np.uint64(HOME_BITS))


def _plain(rows: Rows, dtype: np.dtype[Any]) -> Rows:
    result = np.zeros(len(rows), dtype=dtype)
    for name in dtype.names or ():
        result[name] = rows[name]
    return result


def _same(rows: Rows, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which rows are as the one before in some columns."""
    same = np.ones(max(0, len(rows) - 1), dtype=bool)
    for name in names:
        same &= rows[name][1:] == rows[name][:-1]
    return np.append(False, same) if len(rows) else same


def _last_before(rows: Rows) -> NDArray[np.int64]:
    """The last day of all records of the same person up to the one before; before 1900 for the first."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    person = np.cumsum(np.append(False, rows["person"][1:] != rows["person"][:-1])).astype(np.int64)
    running = np.maximum.accumulate((person << 32) + rows["last_day"].astype(np.int64) + (1 << 30))
    before = np.append(-1, running[:-1])
    return np.where(before >> 32 == person, (before & 0xFFFFFFFF) - (1 << 30), np.int64(-(1 << 30)))


def _write_blocks(sink: Sink, records: Rows, claims: Rows) -> None:
    """Blocks of whole addresses, of some thousand persons, sorted by person."""
    people = np.unique(records["person"])
    home = people >> np.uint64(64 - HOME_BITS)
    begin = 0
    while begin < len(people):
        end = min(begin + BLOCK_PERSONS, len(people))
        while end < len(people) and home[end] == home[end - 1]:
            end += 1
        some = []
        for rows in (records, claims):
            first = np.searchsorted(rows["person"], people[begin])
            some.append(rows[first : np.searchsorted(rows["person"], people[end - 1], side="right")])
        sink.add(_core.Block(*some))
        begin = end


# --- doors ------------------------------------------------------------------------------------------------------------


def municipality_numbers() -> dict[str, int]:
    """Codes of the municipalities of params/population by name."""
    from anderhalf.population import load_tables

    return {m.name: m.code for m in load_tables().parameters.municipalities}


def _beside(source: ColumnMap) -> Path:
    """Where rows lie meanwhile: beside the map, or for a mapping beside its first table; never in $TMPDIR."""
    if source.folder is not None:
        return source.folder
    where, table = source.tables[0]
    return source.files(table, where)[0].parent


def _hidden(parent: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".anderhalf-import.", dir=parent))
    except OSError as error:
        raise ParameterError(Problem("scratch", "rows cannot be kept there meanwhile", "--scratch DIR that can be "
                                     "written, for personal data", type(error).__name__)) from None  # fmt: skip


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A folder for buckets that is gone afterwards, whatever happens."""
    folder = _hidden(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_microdata(
    source: str | PathLike[str] | Mapping[str, Any] | ColumnMap,
    out: str | PathLike[str],
    *,
    key_file: str | PathLike[str] | None = None,
    seed: int = 1,
    format: Literal["parquet", "csv"] = "parquet",
    progress: Progress | None = None,
) -> Imported:
    """Writes records and claims of a user as the folder that ``simulate``, ``validate`` and :class:`World` read.

    Parameters
    ----------
    source : str, path, mapping or ColumnMap
        A MAP.toml with ``[records]`` and ``[[claims]]``.
    out : path
        A new or empty folder; it appears whole or not at all.
    key_file : path, optional
        16 to 64 bytes: the same key gives the same ids. Default: a random key that is kept nowhere.
    seed : int
        Breaks ties on percentile lines.
    format : {"parquet", "csv"}
        Of the folder.

    Raises
    ------
    DomainError
        Every problem of every file; nothing is written then.
    """
    from anderhalf.files import Writer

    found = column_map(source)
    key = read_key(key_file) if key_file is not None else new_key()
    target = Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ParameterError(Problem("--out", "is there already", "a new or empty folder", target.name))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(target.parent) as folder:
        work = _Import(found, key, folder, progress)
        work.read()
        if work.ledger:
            work.join(None)  # what else is wrong
            work.ledger.close()
        writer = Writer(target, origin="microdata", years=found.years, insurers=work.insurer_names(),
                        municipalities={code: name for name, code in work.names.items()}, seed=seed,
                        region=found.file.microdata.region, format=format)  # fmt: skip
        try:
            work.join(writer)
            work.ledger.close()
            options = [f"{item['option']}: {item['count']}" for item in work.ledger.options()]
            title = found.file.microdata.title or None
            writer.finish(options_accepted=options, title=title, column_map_sha256=found.sha256 or None)
        except BaseException:
            writer.cancel()
            raise
        if progress is not None:
            progress("done", 0, 1)
        return work.imported()


def read_microdata(
    source: str | PathLike[str] | Mapping[str, Any] | ColumnMap,
    out: str | PathLike[str] | None = None,
    *,
    key_file: str | PathLike[str] | None = None,
    seed: int = 1,
    scratch: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Records and claims of a user as a population: what :func:`anderhalf.simulate` and :class:`World` take.

    Parameters
    ----------
    source : str, path, mapping or ColumnMap
        A MAP.toml with ``[records]`` and ``[[claims]]``.
    out : path, optional
        Where the blocks are kept; default: a hidden folder in ``scratch`` that goes when the result does.
    scratch : path, optional
        Default: the folder of the map, or of the first table when the map is a mapping.
    key_file, seed
        See :func:`import_microdata`.

    Raises
    ------
    DomainError
        Every problem of every file.
    """
    from anderhalf.files import Dataset

    if out is not None:
        import_microdata(source, out, key_file=key_file, seed=seed, progress=progress)
        return Dataset(Path(out))
    found = column_map(source)
    folder = _hidden(_beside(found) if scratch is None else Path(scratch))
    try:
        import_microdata(found, folder / "people", key_file=key_file, seed=seed, progress=progress)
        people = Dataset(folder / "people")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(people, shutil.rmtree, folder, True)
    return people


def check_microdata(
    source: str | PathLike[str] | Mapping[str, Any] | ColumnMap,
    *,
    scratch: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Every problem of every file of a map at once: how often, in which column, the first rows, never a value.

    Parameters
    ----------
    source : str, path, mapping or ColumnMap
        A MAP.toml with ``[records]`` and ``[[claims]]``.
    scratch : path, optional
        Where rows lie meanwhile, in a hidden folder. Default: the folder of the map, or of the first table when the
        map is a mapping.

    Returns
    -------
    Imported
        Counts of persons, records and claims, and what the options of the map let pass.

    Raises
    ------
    DomainError
        Every problem.
    """
    found = column_map(source)
    with _scratch(_beside(found) if scratch is None else Path(scratch)) as folder:
        work = _Import(found, new_key(), folder, progress)
        work.read()
        if any(where == "records" for where, _, _ in work.tables):
            work.join(None)
        work.ledger.close()
        if progress is not None:
            progress("done", 0, 1)
        return work.imported()
