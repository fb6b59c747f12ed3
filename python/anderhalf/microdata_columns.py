"""Columns of users as ours: ids by a keyed hash, dates, codes, cents. Every value is checked; none is in a message."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anderhalf.column_maps import CLAIMS, FLAGS, RECORDS, WHOLE, ColumnMap, Kind, RowsTable, code_of, plain
from anderhalf.mapping import diagnosis_number, drug_number
from anderhalf.microdata_files import Batch, Ledger, Raw

Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
SAS_DAY_0 = -3653  # 1960-01-01
FIRST_OTHER_MUNICIPALITY = 10_000  # codes of municipalities that params/population does not know
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def texts_of(raw: Raw) -> tuple[list[str], Int64]:
    """The different values as texts, whole numbers without a point, and the place of each row among them."""
    if raw.kind == "text":
        return [label.strip() for label in raw.labels], raw.values.astype(np.int64)
    found, place = np.unique(raw.values, return_inverse=True)
    if found.dtype.kind == "f":
        texts = [str(int(v)) if float(v).is_integer() else repr(float(v)) for v in found]
    else:
        texts = [str(int(v)) for v in found]
    return texts, place.reshape(-1).astype(np.int64)


COMMA_WORDS = ("number has a decimal comma", "numbers have a decimal comma",
               'a decimal point, or decimal = "," in the map')  # fmt: skip


def parsed_numbers(raw: Raw, decimal: str) -> tuple[NDArray[np.float64], Mask, Mask]:
    """Texts as numbers; which have a decimal comma; which are no numbers in this notation."""
    values = np.zeros(max(1, len(raw.labels)))
    comma, wrong = (np.zeros(len(values), dtype=bool) for _ in range(2))
    for k, label in enumerate(raw.labels):
        text = label.strip()
        comma[k] = _COMMA.fullmatch(text) is not None
        if decimal == ",":
            text = text.replace(".", "").replace(",", ".") if comma[k] else ("?" if "." in text else text)
        if _PLAIN.fullmatch(text):
            values[k] = float(text)
        else:
            wrong[k] = not comma[k]
    there, place = ~raw.null, raw.values.astype(np.int64)
    return np.where(there, values[place], 0.0), comma[place] & there, wrong[place] & there


def code_table(given: Mapping[str, int]) -> dict[str, int]:
    """Codes by the text of theirs, and by that text without leading zeros where no other has it."""
    table = dict(given)
    for theirs, ours in given.items():
        table.setdefault(plain(theirs), ours)
    return table


def hashed(texts: list[str], key: bytes) -> NDArray[np.uint64]:
    """Ids as 64-bit numbers: BLAKE2b with a key."""
    blake = hashlib.blake2b
    marks = b"".join(blake(text.encode(), digest_size=8, key=key).digest() for text in texts)
    return np.frombuffer(marks, dtype="<u8").astype(np.uint64)


def day_of(year: Int64 | int, month: Int64 | int = 1, day: Int64 | int = 1) -> Int64:
    """Days since 1970-01-01 of dates that exist."""
    months = (np.asarray(year, dtype=np.int64) - 1970) * 12 + np.asarray(month) - 1
    return np.asarray(months.astype("M8[M]").astype("M8[D]").astype(np.int64) + day - 1)


def year_of(days: Int64) -> Int64:
    """Calendar year of days since 1970-01-01."""
    return np.asarray(days, dtype=np.int64).astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970


@dataclass
class Converter:
    """One table of a map: from batches as they are in files to arrays of ours."""

    where: str  # records, claims, claims[1]
    table: RowsTable
    kinds: Mapping[str, Kind]
    source: ColumnMap
    key: bytes
    ledger: Ledger
    municipalities: dict[str, int]  # name -> code, shared; grows
    insurers_seen: set[int] = field(default_factory=set)

    def batch(self, file: str, names: Mapping[str, str], batch: Batch) -> tuple[dict[str, NDArray[Any]], Mask]:
        """Values per column of ours, and the rows that cannot be used."""
        result: dict[str, NDArray[Any]] = {}
        bad = np.zeros(batch.rows, dtype=bool)
        for name, value in self.table.constants.items():
            result[name] = self._constant(name, value, batch.rows)
        for name, theirs in names.items():
            column = _Column(
                self, name, f"{self.where} {file}, column {theirs}", batch.first_row, batch.columns[theirs]
            )
            result[name] = column.read()
            bad |= column.bad
        if "address" in names and "address" in self.table.missing:  # lives alone
            result["address"] = np.where(result["address"] == 0, ~result["person"], result["address"])
        return result, bad

    def _constant(self, name: str, value: Any, rows: int) -> NDArray[Any]:
        none = np.zeros(1, dtype=bool)
        if isinstance(value, str):
            raw = Raw("text", np.zeros(1, dtype=np.uint32), none, (value,))
        else:
            raw = Raw("number", np.array([int(value)]), none)
        column = _Column(self, name, f"{self.source.path} {self.where}.constants.{name}", 0, raw)
        return np.repeat(column.read(), rows)


class _Column:
    def __init__(self, table: Converter, name: str, where: str, first: int, raw: Raw) -> None:
        self.of, self.name, self.where, self.first, self.raw = table, name, where, first, raw
        self.kind, self.options = table.kinds[name], table.source.options
        self.bad = np.zeros(len(raw), dtype=bool)

    def refuse(self, wrong: Mask, one: str, many: str, expected: str) -> None:
        if wrong.any():
            self.bad |= wrong
            self.of.ledger.add(self.where, one, many, expected, np.flatnonzero(wrong) + self.first)

    def read(self) -> NDArray[Any]:
        fill = self.of.table.missing.get(self.name)
        null = self.raw.null
        if null.any() and fill is None:
            self.refuse(
                null,
                "cell is empty",
                "cells are empty",
                f"a value in every row, or {self.of.where.partition('[')[0]}.missing.{self.name} in the map",
            )
        values = _READ[self.kind.read](self)
        if fill is not None:
            self.of.ledger.accept(f"{self.of.where}.missing.{self.name}", int(null.sum()))
            if null.any() and self.kind.read != "id":
                values = np.where(null, self.of._constant(self.name, fill, 1)[0], values)
        return values

    # --- numbers

    def numbers(self) -> NDArray[Any]:
        """int64, or float64 where there are fractions; what is no number is refused."""
        raw, decimal = self.raw, self.of.table.decimal
        if raw.kind == "number":
            values = raw.values
            if values.dtype.kind == "f":
                values = self._finite(values)
            elif values.dtype == np.uint64:
                far = values >= 1 << 62
                self.refuse(far, "value is beyond 62 bits", "values are beyond 62 bits", "smaller numbers")
                values = np.where(far, 0, values).astype(np.int64)
            return values
        if raw.kind == "date":
            self.refuse(~raw.null, "value is a date", "values are dates", "numbers")
            return np.zeros(len(raw), dtype=np.int64)
        values, comma, wrong = parsed_numbers(raw, decimal)
        if decimal == ",":
            self.of.ledger.accept("decimal=,", int(comma.sum()))
        else:
            self.refuse(comma, *COMMA_WORDS)
        self.refuse(wrong, "text is no number", "texts are no numbers", f"numbers with {decimal!r}")
        return self._finite(values)

    def _finite(self, values: NDArray[Any]) -> NDArray[Any]:
        far = ~(np.abs(values) < 2.0**53) & ~self.raw.null
        self.refuse(far, "value is no finite number", "values are no finite numbers", "numbers below 2^53")
        return np.where(far, 0, values)

    def whole(self, low: int | None = None, high: int | None = None) -> Int64:
        values = self.numbers()
        if values.dtype.kind == "f":
            part = (values != np.floor(values)) & ~self.raw.null
            if self.name == "ddd" and self.options.round_ddd:
                self.of.ledger.accept("round_ddd", int(part.sum()))
            else:
                option = ", or options.round_ddd" if self.name == "ddd" else ""
                self.refuse(part, "number is not whole", "numbers are not whole", f"whole numbers{option}")
            values = np.floor(values + 0.5)
        result = values.astype(np.int64)
        low, high = self.kind.low if low is None else low, self.kind.high if high is None else high
        outside = ((result < low) | (result > high)) & ~self.bad & ~self.raw.null
        if self.name == "days" and self.of.where == "records":
            outside = self._odd_days(result, outside)
        self.refuse(outside, "value is outside its range", "values are outside their range", f"{low}..{high}")
        return np.where(outside, low, result)

    def _odd_days(self, days: Int64, outside: Mask) -> Mask:
        unit = self.of.table.units.get("days", "days")
        most = 12 if unit == "months" else 366
        none, many = (days == 0) & ~self.raw.null, (days > most) & ~self.raw.null
        drop = self.options.drop_records_without_days  # and counted when they are staged, before claims are joined
        if not drop:
            self.refuse(none, f"record has no {unit}", f"records have no {unit}",
                        "1 or more, or options.drop_records_without_days")  # fmt: skip
        if self.options.clip_days_to_year:
            self.of.ledger.accept("clip_days_to_year", int(many.sum()))
            days[many] = most
        else:
            self.refuse(many, f"record has more {unit} than a year", f"records have more {unit} than a year",
                        f"at most {most}, or options.clip_days_to_year")  # fmt: skip
        below = (days < 0) & ~self.raw.null
        self.refuse(below, f"record has a negative number of {unit}", f"records have a negative number of {unit}",
                    f"1..{most}")  # fmt: skip
        days[below if drop else below | none] = 1
        days[many] = most
        return np.zeros_like(outside)

    def money(self) -> Int64:
        unit = self.of.table.units.get(self.name, "cents")
        values = self.numbers()
        if values.dtype.kind != "f":
            result = np.clip(values.astype(np.int64), -(1 << 40), 1 << 40) * (100 if unit == "euros" else 1)
        else:
            scaled = values * 100 if unit == "euros" else values
            result = np.rint(scaled)
            part = (np.abs(scaled - result) > 1e-6 * np.maximum(1, np.abs(scaled) * 1e-6)) & ~self.raw.null
            if self.options.round_to_cents:
                self.of.ledger.accept("round_to_cents", int(part.sum()))
            else:
                self.refuse(part, "amount is no whole number of cents", "amounts are no whole number of cents",
                            f"{unit} to the cent, or options.round_to_cents")  # fmt: skip
            result = np.where(np.abs(result) < 2.0**62, result, 0).astype(np.int64)
        outside = ((result < self.kind.low) | (result > self.kind.high)) & ~self.bad & ~self.raw.null
        self.refuse(outside, "amount is outside its range", "amounts are outside their range",
                    f"{self.kind.low}..{self.kind.high} cents (units.{self.name} = {unit!r})")  # fmt: skip
        return np.where(outside | self.bad, 0, result)

    # --- codes

    def _lookup(self, table: Mapping[str, int], expected: str) -> Int64:
        """Codes of ours by the text of theirs; a text without one is refused."""
        if self.raw.kind == "date":
            self.refuse(~self.raw.null, "value is a date", "values are dates", "codes")
            return np.zeros(len(self.raw), dtype=np.int64)
        texts, place = texts_of(self.raw)
        found = np.array([table.get(t, table.get(plain(t), -1)) for t in texts] or [0], dtype=np.int64)
        result = found[place] if len(place) else np.zeros(0, dtype=np.int64)
        unknown = (result < 0) & ~self.raw.null
        if unknown.any() or self.name in self.options.unknown_code_is_none:
            none = self.kind.none
            if self.name in self.options.unknown_code_is_none and none is not None:
                self.of.ledger.accept(f"unknown_code_is_none={self.name}", int(unknown.sum()))
                result = np.where(unknown, none, result)
            else:
                option = f", or options.unknown_code_is_none = [{self.name!r}]" if none is not None else ""
                self.refuse(unknown, "code is unknown", "codes are unknown", expected + option)
        return np.where(result < 0, max(self.kind.low, 0), result)

    def code(self) -> Int64:
        given = self.of.table.codes.get(self.name)
        kind = self.kind
        if given is None:
            table = {str(k): k for k in range(kind.low, kind.high + 1)}
            table |= {name: kind.low + k for k, name in enumerate(kind.names)}
            few = kind.names if len(kind.names) < 6 else (*kind.names[:3], "...")
            return self._lookup(table, f"{', '.join(few)}, or [{self.of.where.partition('[')[0]}.codes.{self.name}]")
        table = code_table({theirs: code_of(kind, ours) or 0 for theirs, ours in given.items()})
        return self._lookup(table, f"a code of [{self.of.where.partition('[')[0]}.codes.{self.name}]")

    def insurer(self) -> Int64:
        given = self.of.table.codes.get("insurer")
        if given is not None:
            table = code_table({theirs: int(ours) for theirs, ours in given.items()})
            result = self._lookup(table, "a code of [codes.insurer]")
        elif self.raw.kind == "text":
            result = self.numbered(
                lambda text: int(text) if WHOLE.fullmatch(text) and 0 < int(text) < 1 << 16 else -1,
                f"1..65535, or [{self.of.where.partition('[')[0]}.codes.insurer] with a number for each",
            )
        else:
            result = self.whole(1, 65_535)
        named = self.of.source.insurers
        if named:
            strange = ~np.isin(result, list(named)) & ~self.bad & ~self.raw.null
            self.refuse(
                strange, "code of an insurer is unknown", "codes of insurers are unknown", "a code of [insurers]"
            )
        if self.of.where == "records" and len(result):
            good = result[~self.bad & ~self.raw.null]
            self.of.insurers_seen.update(np.unique(good).tolist())
        return np.where(result < 1, 1, result)

    def municipality(self) -> Int64:
        given = self.of.table.codes.get("municipality")
        known = self.of.municipalities
        if given is not None:
            table = {
                theirs: ours if isinstance(ours, int) else known.setdefault(str(ours), self._other_municipality())
                for theirs, ours in given.items()
            }
            return self._lookup(code_table(table), "a code of [records.codes.municipality]")
        # A number is no name: that of the CBS would be the place of another in our list.
        ours = self.of.table.units.get("municipality") == "ours"
        table = {"0": 0} | ({str(code): code for code in known.values()} if ours else known)
        expected = "a number of ours" if ours else "the name of a municipality of 2018, or 0 abroad"
        return self._lookup(table, f"{expected}, or [records.codes.municipality]")

    def _other_municipality(self) -> int:
        return max([FIRST_OTHER_MUNICIPALITY, *self.of.municipalities.values()]) + 1

    def flag(self) -> Int64:
        given = self.of.table.codes.get(self.name)
        if given is not None:
            table = code_table({theirs: FLAGS[str(ours).lower()] for theirs, ours in given.items()})
        else:
            table = FLAGS | {"True": 1, "False": 0}
        return self._lookup(table, f"0 or 1, or [{self.of.where.partition('[')[0]}.codes.{self.name}]")

    def numbered(self, number: Callable[[str], int], expected: str) -> Int64:
        """Codes that stand for a number by a rule: diagnoses and drugs."""
        texts, place = texts_of(self.raw)
        found = np.zeros(max(1, len(texts)), dtype=np.int64)
        for k, text in enumerate(texts):
            try:
                found[k] = number(text)
            except ValueError:  # DomainError too
                found[k] = -1
        result = found[place] if len(place) else np.zeros(0, dtype=np.int64)
        wrong = ((result < 0) | (result > self.kind.high)) & ~self.raw.null
        self.refuse(wrong, "code is unknown", "codes are unknown", expected)
        return np.where(wrong, 0, result)

    def diagnosis(self) -> Int64:
        return self.numbered(diagnosis_number, "up to 4 digits, or a letter and up to 3")

    def product(self) -> Int64:
        unit = self.of.table.units.get("product", "number")
        if unit == "number":
            return self.whole()
        naming: Any = unit
        return self.numbered(lambda text: drug_number(text, naming) if text != "0" else 0, f"a code as {unit}, or 0")

    def id(self) -> NDArray[np.uint64]:
        if self.raw.kind == "date":
            self.refuse(~self.raw.null, "value is a date", "values are dates", "a pseudonym: a number or a text")
            return np.zeros(len(self.raw), dtype=np.uint64)
        if self.raw.values.dtype.kind == "f":
            part = (self.raw.values != np.floor(self.raw.values)) & ~self.raw.null
            self.refuse(part, "id is no whole number", "ids are no whole numbers", "a pseudonym: a number or a text")
            far = ~(np.abs(self.raw.values) < 2.0**53) & ~self.raw.null & ~part
            self.refuse(far, "id has lost its last digits in a column of fractions",
                        "ids have lost their last digits in a column of fractions",
                        "whole numbers below 2^53, or texts")  # fmt: skip
        texts, place = texts_of(self.raw)
        if not len(place):
            return np.zeros(0, dtype=np.uint64)
        return np.where(self.raw.null, np.uint64(0), hashed(texts, self.of.key)[place])  # 0: nobody

    # --- dates

    def date(self) -> Int64:
        unit = self.of.table.units.get(self.name, "iso")
        last = self.name == "last_day"
        raw = self.raw
        if raw.kind == "date":
            days, wrong = raw.values.astype(np.int64), np.zeros(len(raw), dtype=bool)
        elif raw.kind == "text" and unit in ("iso", "dd-mm-yyyy"):
            found = [_parsed(label.strip(), unit) for label in raw.labels]
            table = np.array([0 if d is None else d for d in found] or [0], dtype=np.int64)
            no = np.array([d is None for d in found] or [False])
            days, wrong = table[raw.values], no[raw.values] & ~raw.null
        elif unit in ("iso", "dd-mm-yyyy"):
            days, wrong = np.zeros(len(raw), dtype=np.int64), ~raw.null
        else:
            number = self.whole(-(1 << 40), 1 << 40)
            days, wrong = _days(number, unit, last)
            wrong &= ~raw.null & ~self.bad
        self.refuse(wrong, f"value is no date as {unit}", f"values are no dates as {unit}",
                    f"dates as {unit} (units.{self.name}: {', '.join(self.kind.units)})")  # fmt: skip
        days = np.where(wrong | self.bad | raw.null, 0, days)
        early = day_of(1880) if self.name == "birth" else day_of(1990)
        outside = ((days < early) | (days >= day_of(2101))) & ~self.bad & ~raw.null
        words = "1880..2100" if self.name == "birth" else "1990..2100"
        self.refuse(outside, f"date is outside {words}", f"dates are outside {words}",
                    f"dates as {unit} (units.{self.name}: {', '.join(self.kind.units)})")  # fmt: skip
        return np.where(outside, 0, days)


def _parsed(text: str, unit: str) -> int | None:
    try:
        if unit == "dd-mm-yyyy":
            found = re.fullmatch(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", text)
            day = datetime.date(int(found[3]), int(found[2]), int(found[1])) if found else None
        else:
            day = datetime.date.fromisoformat(text[:10]) if _ISO.fullmatch(text) else None
    except ValueError:
        return None
    return None if day is None else (day - datetime.date(1970, 1, 1)).days


def _days(number: Int64, unit: str, last: bool) -> tuple[Int64, Mask]:
    """Days since 1970-01-01 and which numbers are no date; years and months begin, or end with ``last``."""
    if unit in ("sas", "stata"):
        return number + SAS_DAY_0, np.zeros(len(number), dtype=bool)
    if unit == "days_1970":
        return number, np.zeros(len(number), dtype=bool)
    if unit == "stata_month":
        year, month, day = 1960 + number // 12, number % 12 + 1, np.ones_like(number)
    elif unit == "yyyymmdd":
        year, month, day = number // 10_000, number // 100 % 100, number % 100
    elif unit == "yyyymm":
        year, month, day = number // 100, number % 100, np.ones_like(number)
    else:
        year, month, day = number, np.ones_like(number), np.ones_like(number)
    wrong = (year < 1000) | (year > 9999) | (month < 1) | (month > 12) | (day < 1) | (day > 31)
    year, month, day = np.where(wrong, 2000, year), np.where(wrong, 1, month), np.where(wrong, 1, day)
    following = day_of(year + (month == 12), month % 12 + 1)
    result = day_of(year, month, day)
    wrong |= result >= following
    if last and unit == "year":
        result = day_of(year + 1) - 1
    elif last and unit in ("yyyymm", "stata_month"):
        result = following - 1
    return result, wrong


_READ: Mapping[str, Callable[[_Column], NDArray[Any]]] = {
    "id": _Column.id, "date": _Column.date, "code": _Column.code, "whole": _Column.whole, "money": _Column.money,
    "flag": _Column.flag, "diagnosis": _Column.diagnosis, "product": _Column.product, "insurer": _Column.insurer,
    "municipality": _Column.municipality,
}  # fmt: skip
KINDS = {"records": RECORDS, "claims": CLAIMS}
