"""Exact integer moments of records: everything that an estimate needs, added and subtracted in any order."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anderhalf import _core
from anderhalf.columns import (
    Column,
    Slice,
    Source,
    cents,
    codes,
    counted,
    days_,
    reals,
    represents_,
    rows_that,
    smallest,
    source,
)  # fmt: skip
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem, ShapeError, not_found
from anderhalf.model import Model, load_model

MOST_FOUND = 65_536  # classes that are taken from the data without being named
MOST_ABSORBED = 50_000_000
JOIN_ROWS = 1 << 17  # slices of fewer rows are joined before they are counted

Label = str | int


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@dataclass(frozen=True)
class Criterion:
    """One criterion of a risk model: a column of class codes, or a set of 0/1 or count columns.

    Parameters
    ----------
    name : str
        Of the criterion; also of its column when ``columns`` is not given.
    columns : sequence of str, optional
        Columns to read. With ``multi`` or ``counts`` one per class, or a single column of 64-bit masks.
    classes : sequence of str or int, or int, optional
        The classes in the order of their codes, or how many codes 0, 1, 2, ... there are. Default: found in the data;
        whole numbers become the codes 0..largest, labels are sorted.
    multi : bool
        0/1 columns, any number of which may be 1.
    counts : bool
        Whole numbers of times, one column per class.
    none : bool
        With ``multi`` or ``counts``: a first class "none of the others", derived, not read.
    absorbed : bool
        Any number of classes, eliminated in the estimate: a fixed effect. At most one criterion; it carries the total.
    bands : mapping of str to sequence of classes, optional
        Age bands: one zero-sum rule for each instead of one for the criterion.
    optional : bool
        With ``multi``: one column of codes in which -1 says that no class applies, such as the region of who lives
        abroad. Zero-sum rules are those of a criterion with one class per record.

    Examples
    --------
    >>> Criterion("fkg", columns=["fkg_1", "fkg_2"], multi=True, none=True).named
    ('0', '1', '2')
    """

    name: str
    columns: Sequence[str] = ()
    classes: Sequence[Label] | int | None = None
    multi: bool = False
    counts: bool = False
    none: bool = False
    absorbed: bool = False
    bands: Mapping[str, Sequence[Label]] = field(default_factory=dict)
    optional: bool = False

    def __post_init__(self) -> None:
        where = f"criterion {self.name}"
        problems = []
        if not isinstance(self.name, str) or not self.name.strip():
            problems.append(Problem("criterion", "has no name", "a text", repr(self.name)))
        columns = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)
        object.__setattr__(self, "columns", columns or (self.name,))
        if isinstance(self.classes, str):
            problems.append(Problem(where, "classes", "a list of classes or their number", "one text"))
        elif self.classes is not None and not isinstance(self.classes, int):
            given = tuple(map(str, self.classes))
            if len(set(given)) < len(given):
                twice = sorted({c for c in given if given.count(c) > 1})
                problems.append(Problem(where, f"classes named twice: {', '.join(twice[:5])}", "each class once"))
            object.__setattr__(self, "classes", given)
        elif isinstance(self.classes, int) and self.classes < 1:
            problems.append(Problem(where, "number of classes", "1 or more", str(self.classes)))
        if self.multi and self.counts:
            problems.append(Problem(where, "is both multi and counts", "one of them"))
        if self.none and not (self.multi or self.counts):
            problems.append(Problem(where, "none", "only with multi or counts: a code column has its own class for it"))
        if self.optional and not (self.multi and len(self.columns) == 1 and not self.none):
            problems.append(Problem(where, "optional", "one column of codes, with multi and without none"))
        if self.absorbed and (self.multi or self.counts):
            problems.append(Problem(where, "absorbed", "a column of codes: one class per record"))
        if not (self.multi or self.counts) and len(self.columns) > 1:
            problems.append(
                Problem(where, f"{len(self.columns)} columns", "one column of codes, or multi=True, or counts=True")
            )
        if self.many and not problems and self.classes is not None:
            read = len(self.named) - self.none
            if len(self.columns) > 1 and read != len(self.columns):
                problems.append(
                    Problem(
                        where, f"{read} classes to read from columns", f"one for each of {len(self.columns)} columns"
                    )
                )
        if problems:
            raise ShapeError(problems)

    @property
    def many(self) -> bool:
        """Any number of classes per record."""
        return self.multi or self.counts

    @property
    def named(self) -> tuple[str, ...]:
        """The classes by name, in the order of their codes; empty while they are not known."""
        if isinstance(self.classes, int):
            return tuple(map(str, range(self.classes)))
        if self.classes is not None:
            return tuple(map(str, self.classes))
        if not self.many:
            return ()
        start = f"{self.name}_"
        if all(c.startswith(start) and len(c) > len(start) for c in self.columns):
            names = tuple(c.removeprefix(start) for c in self.columns)
        else:
            names = tuple(self.columns)
        if not self.none:
            return names
        zero = "0" if all(_is_code(n) for n in names) and "0" not in names else "none"
        return (zero, *names)

    @cached_property
    def whole(self) -> tuple[int, ...] | None:
        """The class names as whole numbers, when all of them are."""
        return tuple(map(int, self.named)) if all(map(_is_code, self.named)) else None

    def label(self, position: int) -> Label:
        """What users call the class at a position: a number where all classes are numbers."""
        return self.whole[position] if self.whole is not None else self.named[position]

    def position(self, label: Label, where: str) -> int:
        """The place of a class.

        Raises
        ------
        NotFoundError
            No such class.
        """
        if str(label) not in self.named:
            raise not_found(where, f"class of {self.name}", [str(label)], self.named)
        return self.named.index(str(label))


def _is_code(name: str) -> bool:
    return name.isdecimal() and name == str(int(name))


@dataclass(frozen=True)
class RandomGroups:
    """Strata drawn at random: the folds of a cross-validation, the groups of a bootstrap.

    The group of a record is a function of the seed and of its value in the column ``by`` (a person, a municipality), or
    of its number among the records without one; so it depends on no slice, thread or file boundary.

    Examples
    --------
    >>> RandomGroups(3, seed=1).draw(np.arange(8))
    array([1, 0, 0, 0, 1, 2, 1, 2], dtype=uint16)
    """

    groups: int
    by: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.groups <= 10_000:
            raise DomainError(Problem("random groups", "number", "2..10000", str(self.groups)))

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.groups)))

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.by,) if self.by is not None else ()

    def draw(self, keys: NDArray[Any]) -> NDArray[np.uint16]:
        """The group of each key: a mixing function of 64 bits, then its upper 32 times the number of groups."""
        x = keys.astype(np.uint64) + np.uint64((self.seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % (1 << 64))
        with np.errstate(over="ignore"):
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
                x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        return ((x >> np.uint64(32)) * np.uint64(self.groups) >> np.uint64(32)).astype(np.uint16)


# --- how records are read ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """Which columns of a frame are what. With all classes known it is a design."""

    criteria: tuple[Criterion, ...]
    cost: Mapping[str, str]  # category -> column
    days: str = "days"
    represents: str | None = None
    stratum: Criterion | RandomGroups | None = None
    days_in_year: int = 365
    days_max: int = 366
    whole_floats: bool = False
    model: str | None = None
    continuous: tuple[str, ...] = ()  # columns of real numbers, for regression alone

    @cached_property
    def design(self) -> _core.Design:
        kind = _core.Labels
        return _core.Design(
            [
                _core.DesignCriterion(
                    c.name, list(c.named), kind.flags if c.multi else kind.counts if c.counts else kind.single,
                    c.none, c.absorbed,
                )
                for c in self.criteria
            ],
            list(self.cost),
            list(self.stratum.named) if self.stratum is not None else ["all"],
            self.days_in_year,
            self.days_max,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "design"}

    @property
    def columns(self) -> list[str]:
        extra = [self.days, *self.cost.values(), *(self.stratum.columns if self.stratum is not None else ())]
        return [*self.class_columns, *extra, *([self.represents] if self.represents is not None else [])]

    @property
    def class_columns(self) -> list[str]:
        return [*(column for c in self.criteria for column in c.columns), *self.continuous]

    def criterion(self, name: str, where: str) -> Criterion:
        for c in self.criteria:
            if c.name == name:
                return c
        raise not_found(where, "criterion", [name], [c.name for c in self.criteria])


@dataclass
class Chunk:
    """Consecutive records, ready for the core."""

    file: str
    first_row: int
    size: int
    criteria: list[Any]  # per criterion an array, or a list of arrays
    days: NDArray[Any] | None
    cents: list[NDArray[Any]]
    represents: NDArray[np.uint16] | None
    stratum: NDArray[Any] | None
    continuous: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def rows(self) -> _core.Rows:
        days = self.days if self.days is not None else np.full(self.size, 1, dtype=np.uint16)
        return _core.Rows(self.criteria, days, self.cents, self.represents, self.stratum)

    def of_stratum(self, stratum: int) -> Chunk:
        """The records of one stratum, copied."""
        assert self.stratum is not None
        chosen = self.stratum == stratum

        def pick(a: Any) -> Any:
            return None if a is None else [pick(x) for x in a] if isinstance(a, list) else a[chosen]

        return replace(
            self, size=int(chosen.sum()), criteria=pick(self.criteria), days=pick(self.days), cents=pick(self.cents),
            represents=pick(self.represents), stratum=pick(self.stratum), continuous=pick(self.continuous),
        )  # fmt: skip

    def joined(self, other: Chunk) -> Chunk:
        def join(a: Any, b: Any) -> Any:
            if a is None:
                return None
            if isinstance(a, list):
                return [join(x, y) for x, y in zip(a, b, strict=True)]
            return np.concatenate([a, b])

        return Chunk(
            self.file, self.first_row, self.size + other.size, join(self.criteria, other.criteria),
            join(self.days, other.days), join(self.cents, other.cents), join(self.represents, other.represents),
            join(self.stratum, other.stratum), join(self.continuous, other.continuous),
        )  # fmt: skip


def no_class(wrong: NDArray[np.bool_], kind: str, first_row: int) -> str:
    """What is wrong with codes or labels that are no class, and where."""
    return (
        f"{counted(int(wrong.sum()), f'{kind} that is', f'{kind}s that are')} no class ({rows_that(wrong, first_row)})"
    )


def encoded(criterion: Criterion, column: Column, where: str, whole_floats: bool, first_row: int) -> NDArray[Any]:
    """The codes of a one-class-per-record column; the array itself when it holds them already."""
    names = criterion.named
    values = column.values
    if column.labels is not None:
        place = {name: k for k, name in enumerate(names)}
        table = np.array([place.get(label, -1) for label in column.labels] or [-1], dtype=np.int64)
        wrong = table[values] < 0 if len(values) else np.zeros(0, dtype=bool)
        if wrong.any():
            raise DomainError(
                Problem(where, no_class(wrong, "label", first_row),
                        f"one of {len(names)} classes, such as {', '.join(names[:3])}")
            )  # fmt: skip
        if np.array_equal(table, np.arange(len(table))) and values.dtype in (np.uint8, np.uint16, np.uint32):
            return values
        return np.asarray(table.astype(smallest(len(names)))[values])
    whole = criterion.whole
    if whole is None or whole == tuple(range(len(names))):
        return codes(values, where=where, classes=len(names), whole_floats=whole_floats, first_row=first_row)
    plain = codes(values, where=where, whole_floats=whole_floats, first_row=first_row)
    known = np.array(whole, dtype=np.int64)
    if np.array_equal(known, np.arange(known[0], known[0] + len(known))):
        wrong = (plain < known[0]) | (plain > known[-1])
        expected = f"{known[0]}..{known[-1]}"
    else:
        order = np.argsort(known)
        found = np.minimum(np.searchsorted(known[order], plain), len(known) - 1)
        wrong = known[order][found] != plain
        expected = f"one of {len(known)} classes, such as {', '.join(names[:3])}"
    if wrong.any():
        raise DomainError(
            Problem(
                where,
                no_class(wrong, "code", first_row),
                expected,
            )
        )
    if ".." in expected:
        return plain - plain.dtype.type(known[0])
    return order.astype(smallest(len(names)))[found]


def _plain(column: Column, where: str) -> NDArray[Any]:
    if column.labels is not None:
        raise ShapeError(Problem(where, "cannot be read as numbers", "whole numbers", "labels"))
    return column.values


def _keys(values: NDArray[Any], *, where: str, first_row: int, **_: Any) -> NDArray[Any]:
    if values.dtype.kind not in "iu":
        raise ShapeError(Problem(where, "cannot be read as keys", "whole numbers", f"a column of type {values.dtype}"))
    return values


def _chunk(layout: Layout, piece: Slice, first: int, *, classes_only: bool) -> Chunk:
    problems: list[Problem] = []
    kinds: set[type[AnderhalfError]] = set()

    def attempt(read: Callable[..., Any], *given: Any) -> Any:
        try:
            return read(*given)
        except AnderhalfError as error:
            kinds.add(type(error))
            problems.extend(error.problems)
            return None

    def single(c: Criterion) -> Any:
        where = piece.where(c.columns[0])
        return encoded(c, piece.read(c.columns[0]), where, layout.whole_floats, piece.first_row)

    def number(convert: Callable[..., Any], name: str) -> Any:
        where = piece.where(name)
        values = _plain(piece.read(name), where)
        return convert(values, where=where, whole_floats=layout.whole_floats, first_row=piece.first_row)

    def many(c: Criterion) -> Any:
        read = len(c.named) - c.none
        if c.optional:
            column = piece.read(c.columns[0])
            values = _plain(column, piece.where(c.columns[0]))
            absent = values == -1
            known = Column(np.where(absent, int(c.named[0]), values).astype(values.dtype))
            place = encoded(c, known, piece.where(c.columns[0]), layout.whole_floats, piece.first_row)
            return np.where(absent, np.uint64(0), np.uint64(1) << place.astype(np.uint64))
        if len(c.columns) == 1 and read > 1:  # bit k: the k-th read class
            mask = _plain(piece.read(c.columns[0]), piece.where(c.columns[0]))
            if mask.dtype.kind not in "iu":
                raise ShapeError(
                    Problem(piece.where(c.columns[0]), "cannot be read as bit masks", "uint64", f"{mask.dtype}")
                )
            return mask if mask.dtype == np.uint64 else mask.astype(np.uint64)
        return [attempt(number, codes, name) for name in c.columns]

    def real(name: str) -> Any:
        where = piece.where(name)
        return reals(_plain(piece.read(name), where), where=where, first_row=piece.first_row)

    criteria = [attempt(many if c.many else single, c) for c in layout.criteria]
    continuous = [attempt(real, name) for name in layout.continuous]
    days, cost, represents, stratum = None, [], None, None
    if not classes_only:
        days = attempt(number, days_, layout.days)
        cost = [attempt(number, cents, name) for name in layout.cost.values()]
        if layout.represents is not None:
            represents = attempt(number, represents_, layout.represents)
        if isinstance(strata := layout.stratum, RandomGroups):
            if strata.by is None:
                stratum = strata.draw(np.arange(first, first + piece.rows, dtype=np.int64))
            else:
                keys = attempt(number, _keys, strata.by)
                stratum = None if keys is None else strata.draw(keys)
        elif strata is not None:
            stratum = attempt(single, strata)
    if problems:
        raise (kinds.pop() if len(kinds) == 1 else DomainError)(problems)
    return Chunk(piece.file, piece.first_row, piece.rows, criteria, days, cost, represents, stratum, continuous)


def chunks(layout: Layout, data: Source, *, classes_only: bool = False) -> Iterator[Chunk]:
    """The records of a source, small slices of one file joined."""
    waiting: Chunk | None = None
    names = layout.class_columns if classes_only else layout.columns
    first = 0
    for piece in data.slices(names):
        if piece.rows == 0:
            continue
        chunk = _chunk(layout, piece, first, classes_only=classes_only)
        first += piece.rows
        if waiting is not None and waiting.file == chunk.file and _alike(waiting, chunk):
            waiting = waiting.joined(chunk)
        else:
            if waiting is not None:
                yield waiting
            waiting = chunk
        if waiting.size >= JOIN_ROWS:
            yield waiting
            waiting = None
    if waiting is not None:
        yield waiting


def _alike(a: Chunk, b: Chunk) -> bool:
    def same(x: Any, y: Any) -> bool:
        if isinstance(x, list):
            return isinstance(y, list) and all(same(p, q) for p, q in zip(x, y, strict=True))
        return x is None or x.dtype == y.dtype

    return a.size + b.size < 4 * JOIN_ROWS and all(
        same(x, y) for x, y in ((a.criteria, b.criteria), (a.days, b.days), (a.cents, b.cents), (a.stratum, b.stratum))
    )


def checked(layout: Layout, chunk: Chunk, call: Callable[[_core.Rows], Any]) -> Any:
    """Calls the core; what it refuses is said with file and row of the whole source."""
    rows = chunk.rows
    try:
        return call(rows)
    except AnderhalfError as error:
        problems = error.problems
        if chunk.first_row > 0:
            try:
                _core.check_rows(layout.design, rows, chunk.first_row)
            except AnderhalfError as again:
                problems = again.problems
        where = chunk.file or "records"
        raise type(error)([Problem(where, p.what, p.expected, p.got) for p in problems]) from None


# --- classes that are found in the data -------------------------------------------------------------------------------


class _Finder:
    """Takes the classes of code columns from the data: the largest code, or all labels that occur."""

    def __init__(self, criterion: Criterion) -> None:
        self.criterion = criterion
        self.largest = -1
        self.labels: set[str] = set()
        self.numbers = False

    def look(self, column: Column, where: str, whole_floats: bool, first_row: int) -> None:
        if column.labels is not None:
            used = np.bincount(column.values, minlength=len(column.labels)) > 0
            self.labels.update(label for label, is_used in zip(column.labels, used, strict=True) if is_used)
        else:
            self.numbers = True
            if len(column.values):
                read = codes(column.values, where=where, whole_floats=whole_floats, first_row=first_row)
                self.largest = max(self.largest, int(read.max()))
        if self.numbers and self.labels:
            raise ShapeError(Problem(where, "holds numbers in one part and labels in another", "one kind"))

    def found(self) -> Criterion:
        where = f"criterion {self.criterion.name}"
        count = self.largest + 1 if self.numbers else len(self.labels)
        limit = MOST_ABSORBED if self.criterion.absorbed else MOST_FOUND
        if count > limit:
            raise DomainError(
                Problem(where, f"{count:,} classes found", f"at most {limit:,}; name them with classes=, or use "
                        "absorbed=True" if not self.criterion.absorbed else f"at most {limit:,}")
            )  # fmt: skip
        if count == 0:
            raise DomainError(Problem(where, "no classes found", "at least one record"))
        return replace(self.criterion, classes=count if self.numbers else tuple(sorted(self.labels)))


def completed(layout: Layout, data: Source) -> Layout:
    """The layout with all classes known; classes that are not given take a first pass over their columns."""
    open_ = [c for c in layout.criteria if not c.named]
    if isinstance(layout.stratum, Criterion) and not layout.stratum.named:
        open_ = [*open_, layout.stratum]
    if not open_:
        return layout
    if not data.again:
        raise ShapeError([
            Problem(f"criterion {c.name}", "has unknown classes, and a stream can be read only once",
                    f"Criterion({c.name!r}, classes=[...]), or a frame or files")
            for c in open_
        ])  # fmt: skip
    finders = [_Finder(c) for c in open_]
    for piece in data.slices([c.columns[0] for c in open_]):
        for finder in finders:
            name = finder.criterion.columns[0]
            finder.look(piece.read(name), piece.where(name), layout.whole_floats, piece.first_row)
    found = {id(f.criterion): f.found() for f in finders}
    stratum = layout.stratum
    if isinstance(stratum, Criterion):
        stratum = found.get(id(stratum), stratum)
    return replace(layout, criteria=tuple(found.get(id(c), c) for c in layout.criteria), stratum=stratum)


def layout_of(
    criteria: Sequence[str | Criterion],
    *,
    cost: str | Mapping[str, str] | Sequence[str] = "cost_cents",
    days: str = "days",
    represents: str | None = None,
    stratum: str | Criterion | RandomGroups | None = None,
    days_in_year: int = 365,
    days_max: int | None = None,
    whole_floats: bool = False,
    model: str | None = None,
    continuous: Sequence[str] = (),
) -> Layout:
    """A layout from what users give; an absorbed criterion goes last.

    Raises
    ------
    ShapeError
        Names used twice, more than one absorbed criterion, no criterion.
    """
    if isinstance(criteria, str | Criterion):
        criteria = [criteria]
    given = [c if isinstance(c, Criterion) else Criterion(c) for c in criteria]
    problems = []
    names = [c.name for c in given]
    continuous = (continuous,) if isinstance(continuous, str) else tuple(continuous)
    if not given and not continuous:
        problems.append(Problem("criteria", "none given", "at least one"))
    names += continuous
    problems += [
        Problem(f"{'column' if n in continuous else 'criterion'} {n}", "is given twice", "once")
        for n in sorted({n for n in names if names.count(n) > 1})
    ]
    if len(absorbed := [c.name for c in given if c.absorbed]) > 1:
        problems.append(Problem("criteria", f"{len(absorbed)} are absorbed: {', '.join(absorbed)}", "at most one"))
    if problems:
        raise ShapeError(problems)
    if isinstance(cost, str):
        cost = {"cost": cost}
    elif not isinstance(cost, Mapping):
        cost = {name.removesuffix("_cents"): name for name in cost}
    if isinstance(stratum, str):
        stratum = Criterion(stratum)
    if days_max is None:
        days_max = 366 if days_in_year == 365 else days_in_year
    ordered = (*(c for c in given if not c.absorbed), *(c for c in given if c.absorbed))
    return Layout(
        ordered, dict(cost), days, represents, stratum, days_in_year, days_max, whole_floats, model, continuous
    )


_NOT_ABROAD = ("region", "ses", "ppa")  # Bzv 3.8(1)b: who lives abroad has no class of these; -1 in their columns


def model_criteria(model: Model) -> list[Criterion]:
    """The criteria of somatic care of a model year (the variable share), with the columns that hold them.

    A criterion with one class per person is one column of codes under its own name (``age_sex``, ``mhk``), codes as in
    the regulation. Others have a 0/1 or count column per class other than none: ``fkg_1``, ``fkg_2``, ..., ``dkg_1``.
    """
    result = []
    for c in model.somatic.criteria:
        keys = [row.code for row in c.classes]
        bands: dict[str, list[Label]] = {}
        if c.age_bands_zero_sum:
            for row in c.classes:
                name = f"{row.age_min}+" if row.age_max >= 999 else f"{row.age_min}-{row.age_max}"
                bands.setdefault(name, []).append(row.code)
        if c.assignment == "single":
            away = c.name in _NOT_ABROAD
            result.append(Criterion(c.name, classes=keys, bands=bands, multi=away, optional=away))
        else:
            result.append(
                Criterion(
                    c.name, [f"{c.name}_{k}" for k in keys if k != 0], keys, multi=c.assignment == "all",
                    counts=c.assignment == "count", none=keys[0] == 0, bands=bands,
                )
            )  # fmt: skip
    return result


def model_layout(model: str | Model, **columns: Any) -> Layout:
    """The layout of a model year; ``columns`` as in :func:`layout_of`."""
    law = load_model(model) if isinstance(model, str) else model
    return layout_of(model_criteria(law), model=law.name, **columns)


# --- moments ----------------------------------------------------------------------------------------------------------


class Moments:
    """Sums of integers over records, per reweighting stratum and cost category: all that an estimate needs.

    With days d, cost c in cents and classes x of a record: X'DX in insured days, X'Dc in cents, the squares of cost per
    number of days, and totals. They are exact: any order, chunking, partition or number of threads gives the same
    integers, and records are taken out as exactly as they are put in.

    Examples
    --------
    >>> frame = {"age": [0, 0, 1], "cost_cents": [100_00, 300_00, 900_00], "days": [365, 365, 365]}
    >>> moments = Moments.from_records(frame, criteria=["age"])
    >>> moments.insured_years, moments.records, moments.cost_cents
    (3.0, 3, 130000)
    >>> moments + moments - moments == moments
    True
    """

    def __init__(self, core: _core.Moments, layout: Layout, entries_per_record: float = 0.0, cells: int = 0) -> None:
        self.core = core
        self.layout = layout
        self.entries_per_record = entries_per_record
        self.cells = cells

    @classmethod
    def from_records(
        cls,
        frame: Any,
        criteria: Sequence[str | Criterion] | None = None,
        *,
        model: str | Model | None = None,
        cost: str = "cost_cents",
        days: str = "days",
        represents: str | None = None,
        stratum: str | Criterion | RandomGroups | None = None,
        categories: Mapping[str, str] | Sequence[str] | None = None,
        days_in_year: int = 365,
        days_max: int | None = None,
        whole_floats: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Moments:
        """Moments of the records of a frame, in one pass; of a path or stream, slice by slice.

        Parameters
        ----------
        frame : frame, mapping, path or stream
            A mapping of columns, a pandas or polars frame, anything with ``__arrow_c_stream__`` (pyarrow, DuckDB), the
            path of a Parquet or CSV file or of a folder of them. Columns are borrowed, not copied, when they hold
            unsigned codes of 8 to 32 bits, cents of 32 or 64 bits and days of 16, 32 or 64 bits.
        criteria : sequence of str or Criterion
            Columns of class codes, or criteria. Classes that are not given are found in a first pass over those
            columns: whole numbers become the codes 0..largest, labels are sorted. A stream that can be read once needs
            them given.
        model : str or Model
            Instead of ``criteria``: those of the variable share of a model year. Columns ``age_sex``, ``mhk``, ... hold
            the codes of the regulation; ``fkg_1``, ``fkg_2``, ... and ``dkg_1``, ... are 0/1 and count columns.
        cost, days : str
            Columns of cents in the registered period, and of insured days in it.
        represents : str, optional
            Column of how many persons a record stands for, 1..65535.
        stratum : str, Criterion or RandomGroups, optional
            Column of reweighting strata; their factors are given to :func:`estimate`.
        categories : mapping or sequence of str, optional
            Instead of ``cost``: columns of cents per cost category, whose levels are given to :func:`estimate`.
        days_in_year, days_max : int
            365 and 366; 12 and 12 for records in months.
        whole_floats : bool
            Accept floating-point columns whose values are all whole. A float is never cut.
        threads : int, optional
            Default: the processors this process may use. The result does not depend on it.
        progress : callable, optional
            Called with the number of records read so far.

        Raises
        ------
        ShapeError, DomainError, NotFoundError
            Columns that are missing or of another kind; values out of range, with counts and rows, never a value.
        """
        layout = _layout_from(
            criteria, model, cost=categories if categories is not None else cost, days=days, represents=represents,
            stratum=stratum, days_in_year=days_in_year, days_max=days_max, whole_floats=whole_floats,
        )  # fmt: skip
        return cls.from_layout(source(frame), layout, threads=threads, progress=progress)

    @classmethod
    def from_layout(
        cls,
        data: Source,
        layout: Layout,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Moments:
        """Moments of a source whose columns a layout describes."""
        layout = completed(layout, data)
        design, count = layout.design, threads or processors()
        total, entries, cells, read = _core.Moments(design), 0.0, 0, 0
        for chunk in chunks(layout, data):
            part, per_record, occupied = checked(
                layout, chunk, lambda rows: _core.accumulate(design, rows, count)
            )  # fmt: skip
            if read == 0:
                total = part
            else:
                total += part
            entries += per_record * chunk.size
            cells = max(cells, occupied)
            read += chunk.size
            if progress is not None:
                progress(read)
        return cls(total, layout, entries / read if read else 0.0, cells)

    # --- arithmetic

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.core.__copy__(), self.layout, self.entries_per_record, self.cells).__iadd__(other)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(self.core.__copy__(), self.layout, self.entries_per_record, self.cells).__isub__(other)

    def __iadd__(self, other: Moments) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        mine, theirs = self.records, other.records
        self.core += other.core
        if mine + theirs > 0:
            self.entries_per_record = (
                self.entries_per_record * mine + other.entries_per_record * theirs
            ) / (mine + theirs)  # fmt: skip
        self.cells = max(self.cells, other.cells)
        return self

    def __isub__(self, other: Moments) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        self.core -= other.core
        return self

    def __radd__(self, other: Any) -> Moments:
        return self if other == 0 else NotImplemented  # sum([...])

    def __eq__(self, other: object) -> bool:
        return self.core == other.core if isinstance(other, Moments) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # += changes it

    # --- what they hold

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        return self.layout.criteria

    @property
    def columns(self) -> int:
        """Weights to estimate, without those of an absorbed criterion."""
        return self.core.columns

    @property
    def column_names(self) -> list[str]:
        return self.layout.design.column_names()

    @property
    def records(self) -> int:
        return sum(self.core.rows_of(s) for s in range(self.core.strata))

    @property
    def days(self) -> int:
        return sum(self.core.days_of(s) for s in range(self.core.strata))

    @property
    def insured_years(self) -> float:
        return self.days / self.layout.days_in_year

    @property
    def cost_cents(self) -> int:
        return sum(self.core.cents_of(g, s) for g in range(self.core.categories) for s in range(self.core.strata))

    @property
    def strata(self) -> list[str]:
        return self.layout.design.strata

    @property
    def categories(self) -> list[str]:
        return self.layout.design.categories

    def persons(self) -> NDArray[np.int64]:
        """Records per class, over all strata: what small cells are judged by."""
        return np.asarray(np.sum([self.core.xn(s) for s in range(self.core.strata)], axis=0, dtype=np.int64))

    def class_days(self) -> NDArray[np.int64]:
        """Insured days per class, over all strata."""
        return np.asarray(np.sum([self.core.xd(s) for s in range(self.core.strata)], axis=0, dtype=np.int64))

    # --- bytes

    def to_bytes(self) -> bytes:
        """The sums with their classes: versioned, little-endian, with a checksum. Names of columns are not in it."""
        return self.core.bytes()

    @staticmethod
    def from_bytes(given: bytes) -> Moments:
        """Moments that :meth:`to_bytes` wrote. Their criteria read the columns of the same names.

        Raises
        ------
        DomainError
            Anything else: cut short, altered, another version.
        """
        core = _core.Moments.from_bytes(given)
        design = core.design
        criteria = []
        for c in design.criteria:
            many = c.labels != _core.Labels.single
            read = c.classes[1:] if c.none_derived else c.classes
            criteria.append(
                Criterion(
                    c.name, [f"{c.name}_{k}" for k in read] if many else (), c.classes,
                    multi=c.labels == _core.Labels.flags, counts=c.labels == _core.Labels.counts,
                    none=c.none_derived, absorbed=c.absorbed,
                )
            )  # fmt: skip
        cost = {g: f"{g}_cents" for g in design.categories}
        stratum = None if design.strata == ["all"] else Criterion("stratum", classes=design.strata)
        layout = Layout(tuple(criteria), cost, "days", None, stratum, design.days_in_year, design.days_max)
        return Moments(core, layout)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes :meth:`to_bytes` to a file, whole or not at all."""
        path = Path(path)
        fresh = path.with_name(f".{path.name}.partial")
        try:
            fresh.write_bytes(self.to_bytes())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise ParameterError(Problem(path.name, f"cannot be written: {error.strerror}")) from None

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Moments:
        """Moments that :meth:`save` wrote.

        Raises
        ------
        NotFoundError, DomainError
            No such file; a file of something else.
        """
        path = Path(path)
        if not path.is_file():
            raise NotFoundError(Problem(path.name, "no such file", "moments written by Moments.save"))
        try:
            return Moments.from_bytes(path.read_bytes())
        except DomainError as error:
            raise DomainError([Problem(path.name, p.what, p.expected, p.got) for p in error.problems]) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.to_bytes(), self.layout, self.entries_per_record, self.cells)

    # --- shown

    def _facts(self) -> list[tuple[str, str]]:
        absorbed = self.core.design.absorbed_classes
        facts = [
            ("records", f"{self.records:,}"),
            ("insured years", f"{self.insured_years:,.1f}"),
            ("cost", f"{self.cost_cents / 100:,.2f}"),
            ("criteria", f"{len(self.criteria)}, {self.columns} weights"
             + (f" and {absorbed:,} absorbed classes" if absorbed else "")),
        ]  # fmt: skip
        if len(self.categories) > 1:
            facts.append(("cost categories", ", ".join(self.categories)))
        if len(self.strata) > 1:
            facts.append(("strata", f"{len(self.strata)}"))
        if self.cells:
            facts += [
                ("non-baseline entries per record", f"{self.entries_per_record:.3f}"),
                ("occupied cells", f"{self.cells:,}"),
            ]
        return facts

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self._facts())
        return "\n".join(["Moments", *(f"  {name:<{width}}  {value}" for name, value in self._facts())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in self._facts()
        )
        return f"<table><caption>Moments</caption>{rows}</table>"


def _unpickled(given: bytes, layout: Layout, entries_per_record: float, cells: int) -> Moments:
    return Moments(_core.Moments.from_bytes(given), layout, entries_per_record, cells)


def _layout_from(
    criteria: Sequence[str | Criterion] | None, model: str | Model | None, *, cost: Any, **columns: Any
) -> Layout:
    if (criteria is None) == (model is None):
        raise ShapeError(
            Problem("moments", "criteria and model" if model is not None else "neither criteria nor model",
                    "one of criteria=[...] and model='nl-2021'")
        )  # fmt: skip
    if model is not None:
        return model_layout(model, cost=cost, **columns)
    return layout_of(criteria or [], cost=cost, **columns)
