"""Ready-made classes under the names of users: a frame or a file read through the ``[classes]`` of a column map."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anderhalf.column_maps import WHOLE, ClassesTable, ColumnMap, column_map, expanded, plain, resolve
from anderhalf.columns import Column, Slice, Source, days_in, source
from anderhalf.errors import AnderhalfError, NotFoundError, Problem
from anderhalf.insured import AT_HOME, base, once, person_keys
from anderhalf.microdata_columns import COMMA_WORDS, code_table, parsed_numbers, texts_of
from anderhalf.microdata_files import SUFFIXES, Ledger, Raw, Table, names_of, raw_from, table_of

Columns = str | PathLike[str] | Mapping[str, Any] | ColumnMap
_IDS = ("person", "insurer")


@dataclass(frozen=True)
class _Part:
    """One column of ours: the columns of theirs that it is made of, and how."""

    name: str
    theirs: tuple[str, ...]
    how: str  # one, sum (of cents), flags (0/1 per class, at most one)


@dataclass(frozen=True)
class Mapped(Source):
    """A frame or files under our names. ``accepted`` says what options let pass, after a pass over the rows."""

    map: ColumnMap | None = None
    ledger: Ledger = field(default_factory=Ledger, repr=False)
    lacking: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: Mapping[str, _Part] = field(default_factory=dict, repr=False)

    def slices(self, names: Sequence[str]) -> Iterator[Slice]:
        """See :meth:`anderhalf.columns.Source.slices`; a missing column goes by the name that the map gives it."""
        if missing := [name for name in dict.fromkeys(names) if name in self.lacking]:
            raise NotFoundError([Problem("frame", f"has no column {self.lacking[n]} for {n}", "the columns of "
                                         f"{self.map.path if self.map else 'the map'}") for n in missing])  # fmt: skip
        return Source.slices(self, names)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return self.ledger.options()


def mapped(data: Any, columns: Columns) -> Mapped:
    """A frame, a path or a list of paths under our names; what the map does not name keeps its name.

    Parameters
    ----------
    data : frame, mapping, path or stream
        As :func:`anderhalf.estimate` takes it; files of SAS, Stata, SPSS and Arrow too.
    columns : str, path, mapping or ColumnMap
        ``"ot-2020"``, a MAP.toml with ``[classes]``, or its content.

    Examples
    --------
    >>> frame = {"lgnw": [1, 22], "induur": [365, 73]}
    >>> piece = next(mapped(frame, "ot-2020").slices(["age_sex", "days"]))
    >>> piece.read("age_sex").values.tolist(), piece.read("days").values.tolist()
    ([1, 22], [365, 73])
    """
    found = column_map(columns)
    if isinstance(data, Mapped):
        return data
    classes = found.classes
    paths = _paths(data)
    ledger = Ledger()
    for name, value in found.options.model_dump().items():
        if value is True:
            ledger.accept(name, 0)
        elif isinstance(value, str) and value not in ("refuse", ""):
            ledger.accept(f"{name}={value}", 0)
    if paths is None:
        base = source(data)
        parts, lacking = _parts(classes, base.names)
        work = _Work(found, parts, ledger)
        names = (*parts, *(n for n in base.names if n not in work.used and n not in parts))

        def read(wanted: Sequence[str]) -> Iterator[Slice]:
            for piece in base.slices(work.needed(wanted)):
                yield work.slice(piece.rows, piece.first_row, piece.file,
                                 lambda name, p=piece: raw_from(p, name), lambda name, p=piece: p.read(name), wanted)  # type: ignore[misc]  # fmt: skip

        return Mapped(names, base.again, read, base.files, found, ledger, lacking, parts)
    called = names_of(paths)
    tables = [table_of(path, classes, called[path]) for path in paths]
    have = _names_of(tables)
    parts, lacking = _parts(classes, have)
    work = _Work(found, parts, ledger)
    names = (*parts, *(n for n in have if n not in work.used and n not in parts))

    def read_files(wanted: Sequence[str]) -> Iterator[Slice]:
        needed = work.needed(wanted)
        texts = [n for name in _IDS if name in parts for n in parts[name].theirs]
        for table in tables:
            wrong = ledger if ledger.collecting else Ledger()
            for batch in table.batches(needed, wrong, texts):
                work._close(wrong)
                yield work.slice(batch.rows, batch.first_row, table.name, batch.columns.__getitem__, None, wanted)
            work._close(wrong)
            for option, count in wrong.accepted.items() if wrong is not ledger else ():
                work._count(option, "", 0, table.name, count)

    return Mapped(names, True, read_files, tuple(paths), found, ledger, lacking, parts)


def _paths(data: Any) -> list[Path] | None:
    if isinstance(data, str | PathLike):
        path = Path(data)
        if path.is_dir():
            return sorted(p for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(SUFFIXES))
        if not path.exists():
            raise NotFoundError(Problem(str(data), "no such file or folder", "a file of records"))
        return [path]
    if isinstance(data, list | tuple) and data and all(isinstance(d, str | PathLike) for d in data):
        return [p for d in data for p in (_paths(d) or [])]
    return None


def _names_of(tables: list[Table]) -> tuple[str, ...]:
    names: tuple[str, ...] | None = None
    problems: list[Problem] = []
    for table in tables:
        try:
            own = table.names()
        except AnderhalfError as error:
            problems += error.problems
            continue
        if names is None:
            names = own
        elif set(own) != set(names):
            problems.append(Problem(table.name, "has other columns", f"those of {tables[0].name}"))
    if problems or names is None:
        raise NotFoundError(problems or [Problem("data", "holds no files", "files of records")])
    return names


def _parts(classes: ClassesTable, have: Sequence[str]) -> tuple[dict[str, _Part], dict[str, str]]:
    """Our columns that the frame can give, and those it lacks with the name that the map gives them."""
    found: dict[str, _Part] = {}
    lacking: dict[str, str] = {}
    found |= {name: _Part(name, (), "constant") for name in classes.constants}
    for key, value in classes.columns.items():
        ours = expanded(key)
        if isinstance(value, tuple):
            many = [name for item in value for name in expanded(item)]
            theirs = [_one(name, have) for name in many]
            how = "sum" if key.endswith("_cents") else "flags"
            if all(theirs):
                found[key] = _Part(key, tuple(t for t in theirs if t), how)
            else:
                lacking[key] = ", ".join(repr(n) for n, t in zip(many, theirs, strict=True) if not t)
            continue
        several = [expanded(option.strip()) for option in value.split("|")]
        if len(ours) == 1 and len(several[0]) > 1:  # 0/1 columns of a criterion with one class
            chosen = next((o for o in several if all(_one(n, have) for n in o)), None)
            if chosen is None:
                lacking[key] = repr(value)
            else:
                found[key] = _Part(key, tuple(_one(n, have) or n for n in chosen), "flags")
            continue
        for k, name in enumerate(ours):
            names = [option[k] for option in several if k < len(option)]
            theirs_name = next((t for n in names if (t := _one(n, have)) is not None), None)
            if theirs_name is None:
                if name not in have:
                    lacking[name] = " or ".join(map(repr, names))
            else:
                found[name] = _Part(name, (theirs_name,), "one")
    return found, lacking


def _one(name: str, have: Sequence[str]) -> str | None:
    return resolve(name, list(have))


@dataclass
class _Work:
    map: ColumnMap
    parts: dict[str, _Part]
    ledger: Ledger
    valid: dict[str, tuple[int, int]] = field(default_factory=dict)  # codes of each criterion, when the model is known
    year: int | None = None

    def __post_init__(self) -> None:
        model = self.map.classes.model
        self.used = {name for part in self.parts.values() for name in part.theirs}
        if model is None:
            return
        from anderhalf.model import load_model

        law = load_model(model)
        self.year = law.year
        for share in (law.variable, law.ggz, law.nursing):
            for c in share.criteria:
                codes = [row.code for row in c.classes]
                self.valid.setdefault(c.name, (min(codes), max(codes)))

    def needed(self, wanted: Sequence[str]) -> list[str]:
        names = list(wanted)
        if self.map.options.drop_records_without_days and "days" in self.parts:
            names.append("days")
        return list(dict.fromkeys(t for n in names for t in (self.parts[n].theirs if n in self.parts else (n,))))

    def slice(
        self, rows: int, first: int, file: str, raw: Callable[[str], Raw], own: Callable[[str], Column] | None,
        wanted: Sequence[str],
    ) -> Slice:  # fmt: skip
        keep: NDArray[np.bool_] | None = None
        if self.map.options.drop_records_without_days and "days" in self.parts:
            days = raw(self.parts["days"].theirs[0])
            numbers, _, _ = _numbers(days, self.map.classes.decimal)
            keep = ~((numbers == 0) & ~days.null)
            self._count("drop_records_without_days", "", first, file, int((~keep).sum()))

        def read(name: str) -> Column:
            wrong = self.ledger if self.ledger.collecting else Ledger()
            where = f"{file}, " if file else ""
            if name in self.map.classes.constants:
                value, many = self.map.classes.constants[name], rows if keep is None else int(keep.sum())
                if isinstance(value, str):
                    return Column(np.zeros(many, dtype=np.uint32), (value,))
                return Column(np.full(many, int(value)))
            if name not in self.parts:
                if own is not None:
                    column = own(name)
                else:
                    r = raw(name)
                    _refuse_empty(r, f"{where}column {name}", first, wrong, name)
                    self._close(wrong)
                    column = _whole_floats(r)
            else:
                column = self.column(self.parts[name], raw, where, first, wrong)
                self._close(wrong)
                for option, count in wrong.accepted.items() if wrong is not self.ledger else ():
                    self._count(option, name, first, file, count)
            return column if keep is None else Column(column.values[keep], column.labels)

        return Slice(rows if keep is None else int(keep.sum()), first, file, read)

    def _close(self, wrong: Ledger) -> None:
        if wrong is not self.ledger:
            wrong.close()

    def _count(self, option: str, name: str, first: int, file: str, count: int) -> None:
        """Counts once per slice and column, however often the rows are read."""
        if (mark := (option, name, first, file)) not in self.ledger.seen:
            self.ledger.seen.add(mark)
            self.ledger.accept(option, count)

    def column(self, part: _Part, raw: Callable[[str], Raw], where: str, first: int, wrong: Ledger) -> Column:
        """One column of ours; problems go to ``wrong``."""
        classes = self.map.classes
        columns = [raw(name) for name in part.theirs]
        places = [f"{where}column {name}" for name in part.theirs]
        fill = classes.missing.get(part.name)
        for r, place in zip(columns, places, strict=True):
            if fill is None:
                _refuse_empty(r, place, first, wrong, part.name)
            else:
                wrong.accept(f"classes.missing.{part.name}", int(r.null.sum()))
        if part.name in _IDS and part.how == "one":
            return _labels(columns[0], fill)
        values = [
            self._values(part, r, place, first, wrong, fill) for r, place in zip(columns, places, strict=True)
        ]  # fmt: skip
        if part.how == "sum":
            return Column(np.asarray(np.sum(values, axis=0, dtype=np.int64)))
        if part.how == "flags":
            return Column(self._from_flags(part, values, where, first, wrong))
        return Column(values[0])

    def _values(self, part: _Part, r: Raw, place: str, first: int, wrong: Ledger, fill: Any) -> NDArray[Any]:
        classes, name = self.map.classes, part.name
        codes = classes.codes.get(name)
        if codes is not None and part.how == "one":
            return self._recoded(part, r, place, first, wrong, codes, fill)
        numbers, comma, bad = _numbers(r, classes.decimal)
        if classes.decimal == ",":
            wrong.accept("decimal=,", int(comma.sum()))
        else:
            _refuse(wrong, place, first, comma, *COMMA_WORDS)
        _refuse(wrong, place, first, bad, "text is no number", "texts are no numbers", "numbers, or "
                f"[classes.codes.{name}] for codes that are texts")  # fmt: skip
        if name.endswith("_cents"):
            numbers = numbers * 100 if classes.units.get("cents") == "euros" else numbers
            numbers = _rounded(numbers, 1e-6)
        if name == "days":
            numbers = self._days(numbers, r.null, place, first, wrong)
        if numbers.dtype.kind == "f":
            part_of = (numbers != np.floor(numbers)) & ~r.null
            if name.endswith("_cents") and self.map.options.round_to_cents:
                wrong.accept("round_to_cents", int(part_of.sum()))
                numbers = np.rint(numbers)
            else:
                option = ", or options.round_to_cents" if name.endswith("_cents") else ""
                _refuse(wrong, place, first, part_of, "number is not whole", "numbers are not whole",
                        f"whole numbers{option}")  # fmt: skip
            numbers = np.where(np.abs(numbers) < 2.0**62, numbers, 0).astype(np.int64)
        numbers = np.asarray(numbers)
        if fill is not None and r.null.any():
            numbers = np.where(r.null, int(fill), numbers)
        if name in self.valid and part.how == "one":
            numbers = self._known(name, numbers, (r.null & (fill is None)) | comma | bad, place, first, wrong)
        return numbers

    def _known(
        self, name: str, codes: NDArray[Any], null: NDArray[np.bool_], place: str, first: int, wrong: Ledger
    ) -> NDArray[Any]:
        low, high = self.valid[name]
        strange = ((codes < low) | (codes > high)) & ~null
        if base(name) in AT_HOME:
            strange &= codes != -1  # insured abroad have no class of these
        if name in self.map.options.unknown_code_is_none and low == 0:
            wrong.accept(f"unknown_code_is_none={name}", int(strange.sum()))
            return np.where(strange, 0, codes)
        if low != 0 or name not in self.map.options.unknown_code_is_none:
            option = f", or options.unknown_code_is_none = ['{name}']" if low == 0 else ""
            _refuse(wrong, place, first, strange, "code is no class", "codes are no class", f"{low}..{high} "
                    f"({name} of {self.map.classes.model}){option}")  # fmt: skip
        return codes

    def _recoded(
        self, part: _Part, r: Raw, place: str, first: int, wrong: Ledger, codes: Mapping[str, Any], fill: Any
    ) -> NDArray[Any]:
        table = code_table({theirs: int(ours) for theirs, ours in codes.items()})
        texts, at = texts_of(r)
        known = np.array([t in table or plain(t) in table for t in texts] or [True])
        ours = np.array([table.get(t, table.get(plain(t), 0)) for t in texts] or [0], dtype=np.int64)
        values, strange = ours[at], ~known[at] & ~r.null
        if part.name in self.map.options.unknown_code_is_none:
            wrong.accept(f"unknown_code_is_none={part.name}", int(strange.sum()))
            values = np.where(strange, 0, values)
        else:
            _refuse(
                wrong,
                place,
                first,
                strange,
                "code is unknown",
                "codes are unknown",
                f"a code of [classes.codes.{part.name}], or options.unknown_code_is_none = ['{part.name}']",
            )
        if fill is not None:
            values = np.where(r.null, int(fill), values)
        if part.name in self.valid:
            values = self._known(part.name, values, (r.null & (fill is None)) | strange, place, first, wrong)
        return values

    def _days(self, days: NDArray[Any], null: NDArray[np.bool_], place: str, first: int, wrong: Ledger) -> NDArray[Any]:
        unit = self.map.classes.units.get("days", "days")
        most = days_in(self.year) if self.year is not None else 366
        if unit == "years":
            days = _rounded(days * 365, 0.02)
        elif unit == "months":
            most = 12
        below = (days < 0) & ~null
        _refuse(wrong, place, first, below, "record has a negative number of days",
                "records have a negative number of days", f"1..{most}")  # fmt: skip
        over = (days > most) & ~null
        if self.map.options.clip_days_to_year:
            wrong.accept("clip_days_to_year", int(over.sum()))
            days = np.where(over, most, days)
        else:
            _refuse(
                wrong,
                place,
                first,
                over,
                "record has more days than the year",
                "records have more days than the year",
                f"at most {most}, or options.clip_days_to_year",
            )
        none = (days == 0) & ~null
        if not self.map.options.drop_records_without_days:
            _refuse(wrong, place, first, none, "record has no days", "records have no days",
                    "1 or more, or options.drop_records_without_days")  # fmt: skip
        return np.asarray(days)

    def _from_flags(
        self, part: _Part, flags: Sequence[NDArray[Any]], where: str, first: int, wrong: Ledger
    ) -> NDArray[Any]:
        place = f"{where}columns {part.theirs[0]}..{part.theirs[-1]}"
        odd = np.any([(f != 0) & (f != 1) for f in flags], axis=0)
        _refuse(wrong, place, first, odd, "record has a value other than 0 and 1",
                "records have a value other than 0 and 1", "0 or 1 per class")  # fmt: skip
        many = np.sum([f != 0 for f in flags], axis=0)
        code = np.max([np.where(f != 0, k + 1, 0) for k, f in enumerate(flags)], axis=0)
        if self.map.options.two_classes == "highest":
            wrong.accept("two_classes=highest", int((many > 1).sum()))
        else:
            _refuse(wrong, place, first, many > 1, "record has two classes", "records have two classes",
                    f'at most one class of {part.name}, or options.two_classes = "highest"')  # fmt: skip
        low = self.valid.get(part.name, (0, 0))[0]
        if low > 0:
            _refuse(wrong, place, first, many == 0, "record has no class", "records have no class",
                    f"one class of {part.name}")  # fmt: skip
        return np.asarray(code)


def _refuse(wrong: Ledger, place: str, first: int, mask: NDArray[np.bool_], one: str, many: str, expected: str) -> None:
    if mask.any():
        wrong.add(place, one, many, expected, np.flatnonzero(mask) + first)


def _refuse_empty(r: Raw, place: str, first: int, wrong: Ledger, name: str) -> None:
    _refuse(wrong, place, first, r.null, "cell is empty", "cells are empty",
            f"a value in every row, or classes.missing.{name} in the map")  # fmt: skip


def _numbers(r: Raw, decimal: str) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    none = np.zeros(len(r), dtype=bool)
    if r.kind == "text":
        return parsed_numbers(r, decimal)
    if r.kind == "date":
        return np.zeros(len(r), dtype=np.int64), none, ~r.null
    if r.values.dtype.kind == "f":
        return r.values, none, ~np.isfinite(r.values) & ~r.null
    far = (r.values > 1 << 53) | (r.values < -(1 << 53)) if r.values.dtype.itemsize == 8 else none
    return np.where(far, 0, r.values).astype(np.int64), none, far & ~r.null  # small integers would overflow as cents


def _rounded(numbers: NDArray[Any], within: float) -> NDArray[Any]:
    """Numbers that are whole but for the rounding of a fraction become whole."""
    if numbers.dtype.kind != "f":
        return numbers
    near = np.rint(numbers)
    return np.where(np.abs(numbers - near) <= within, near, numbers)


def _labels(r: Raw, fill: Any) -> Column:
    if r.kind == "text":
        labels = tuple(label.strip() for label in r.labels)
        if all(WHOLE.fullmatch(label) and str(int(label)) == label and label[0] != "-" for label in labels):
            return Column(np.array([int(label) for label in labels] or [0], dtype=np.int64)[r.values])
        return Column(r.values, labels)
    return _whole_floats(r)


def _whole_floats(r: Raw) -> Column:
    if r.kind == "text":
        return Column(r.values, r.labels)
    values = r.values
    if values.dtype.kind == "f" and bool((values == np.floor(values)).all()):
        values = values.astype(np.int64)  # SAS and Stata keep whole numbers as doubles
    return Column(values)


def check_classes(data: Any, columns: Columns) -> int:
    """Every problem of every column that the map names, in all rows at once; how many records there are.

    Raises
    ------
    DomainError
        Every problem: how often, in which column, the first rows, never a value.
    """
    found = mapped(data, columns)
    assert found.map is not None
    whole = found.ledger
    whole.collecting = True
    for name, theirs in found.lacking.items():
        whole.problem(Problem("frame", f"has no column {theirs} for {name}", f"the columns of {found.map.path}"))
    made: dict[tuple[str, ...], str] = {}  # one column of ours per set of theirs: two sums of the same are one
    for name in found.names:
        if name in found.parts and found.parts[name].how != "constant":
            made.setdefault(found.parts[name].theirs, name)
    names = list(made.values())
    if not names:
        whole.close()
    rows = 0
    insured: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
    try:
        for piece in found.slices(names):
            rows += piece.rows
            columns_of = {name: piece.read(name) for name in names}
            if "person" in columns_of and "days" in columns_of and not whole:
                who = person_keys(columns_of["person"], piece.where("person"), piece.first_row)
                insured.append((who, columns_of["days"].values.astype(np.int64)))
        if not whole:
            most = 12 if found.map.classes.units.get("days") == "months" else 366
            once(insured, most, ", ".join(found.parts["person"].theirs) if insured else "")
    except AnderhalfError as error:
        whole.take(error)
    whole.close()
    return rows
