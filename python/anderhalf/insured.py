"""From records of insured persons to the totals that payment needs: class days, costs and heads per insurer.

A record is an insured period of a person at one insurer. Its class columns are those of a model year, as
``ah.estimate(model=...)`` reads them; classes of the shares for mental care, nursing and own payments follow from them
where the regulation lets them, unless the frame has columns of its own for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anderhalf.columns import (
    Column,
    Slice,
    Source,
    cents,
    counted,
    days_,
    days_in,
    in_short,
    represents_,
    rows_that,
    whole,
)
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem, ShapeError
from anderhalf.model import Criterion, Model, RiskClass, Share

Int64: TypeAlias = NDArray[np.int64]
Insurer: TypeAlias = int | str

# Classes of where and how people live: who lives abroad has none (Regeling 2021 art. 8(3), Beleidsregels 2015 4(43)).
AT_HOME = frozenset({"region", "ses", "ppa", "one_person"})
# Classes of care in kind: who lives abroad is in the class "none" (Regeling 2021 art. 6, Regeling 2015 art. 7).
IN_KIND = frozenset({"fkg", "dkg", "dkg_primary", "dkg_secondary", "hkg", "fdg"})
# Shares whose classes are given to adults only (heading of annex 2 of the Regeling).
OF_ADULTS = frozenset({"ggz", "deductible"})
PREFIX = {"variable": "", "ggz": "", "nursing": "nursing_", "deductible": "deductible_"}  # of columns
FORFAIT = "deductible_forfait"

COSTS = {"variable": "variable_cents", "ggz": "ggz_cents", "nursing": "nursing_cents"}
FIXED, OWN_PAYMENTS, UNDER_18 = "fixed_cents", "own_payments_mandatory_cents", "under_18"
FIXED_HISTORY = "fixed_history_cents"
FORGONE = ("premium_forgone_cents", "own_payments_forgone_cents")


def base(criterion: str) -> str:
    """The name of a criterion without that of its share: ``region`` for ``ggz_region``."""
    return criterion.removeprefix("ggz_").removeprefix("nursing_")


# --- where each class of each share comes from ------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One criterion of one share and where its classes come from.

    Exactly one of: ``columns`` that are read; ``source``, a criterion of the variable share, with ``table``: per class
    of it and per class of age and sex the place of this criterion's class, -1 for none and -2 when two would do.
    """

    share: str
    criterion: Criterion
    offset: int
    columns: tuple[str, ...] = ()
    source: str = ""
    table: NDArray[np.int16] | None = field(default=None, compare=False)
    fits: NDArray[np.bool_] = field(default_factory=lambda: np.ones((1, 1), dtype=bool), compare=False)  # class, age

    @property
    def many(self) -> bool:
        return self.criterion.assignment != "single"

    @property
    def none(self) -> int | None:
        """Place of the class that who lives abroad is in whatever care was given; None: classes as for anyone."""
        return self.offset if base(self.criterion.name) in IN_KIND and self.criterion.first_code == 0 else None

    @property
    def at_home(self) -> bool:
        return base(self.criterion.name) in AT_HOME


def _covers(outer: RiskClass, inner: RiskClass) -> bool:
    return outer.age_min <= inner.age_min and inner.age_max <= outer.age_max


def _derivable(share: str, criterion: str) -> str | None:
    """The criterion of the variable share from which a class follows, if one does.

    Mental care has regions of its own (art. 9(12)), and drugs, diagnoses and costs of its own.
    """
    name = base(criterion)
    if share == "ggz":
        return name if name in ("age_sex", "avi", "ses", "ppa") else None
    if share == "nursing":
        return name if name in ("age_sex", "mhk") else None
    return name if share == "deductible" and name in ("age_sex", "avi", "region", "mhk") else None


def _table(target: Criterion, source: Criterion, ages: Criterion) -> NDArray[np.int16]:
    """Per class of the source and of age and sex: the place of the target's class."""
    table = np.full((len(source.classes), len(ages.classes)), -1, dtype=np.int16)
    kind = base(target.name)
    for i, given in enumerate(source.classes):
        for j, age in enumerate(ages.classes):
            if kind == "age_sex":
                if i != j:
                    continue
                fits = [k for k, c in enumerate(target.classes)
                        if c.sex in (0, age.sex) and c.born in (0, age.born) and _covers(c, age)]  # fmt: skip
            elif kind == "mhk":
                fits = [k for k, c in enumerate(target.classes) if c.code == given.code and _covers(c, age)]
            else:
                fits = [k for k, c in enumerate(target.classes) if c.group == given.group and _covers(c, age)]
            if fits:
                table[i, j] = fits[0] if len(fits) == 1 else -2
    return table


def _fits(criterion: Criterion, ages: Criterion) -> NDArray[np.bool_]:
    """Which classes go with which class of age and sex."""
    return np.array([
        [_covers(c, age) and c.sex in (0, age.sex) and c.born in (0, age.born) for age in ages.classes]
        for c in criterion.classes
    ])  # fmt: skip


@dataclass(frozen=True)
class Classes:
    """How the columns of a frame give the classes of every share of a model year."""

    model: Model
    shares: Mapping[str, tuple[Part, ...]]
    forfait: bool  # a column of its own says who is on the forfait

    @cached_property
    def columns(self) -> list[str]:
        names = [name for parts in self.shares.values() for part in parts for name in part.columns]
        return list(dict.fromkeys([*names, *([FORFAIT] if self.forfait else [])]))

    def size(self, share: str) -> int:
        """Columns of a share; the deductible has one more, the forfait."""
        parts = self.shares[share]
        return sum(len(part.criterion.classes) for part in parts) + (share == "deductible")

    @cached_property
    def age(self) -> Part:
        return next(part for part in self.shares["variable"] if part.criterion.name == "age_sex")

    @cached_property
    def adult(self) -> NDArray[np.bool_]:
        """Per class of age and sex."""
        return np.array([c.age_min >= self.model.adult_age for c in self.age.criterion.classes])


def shares_of(model: Model) -> dict[str, Share]:
    """The shares that are paid, by the name their figures go by; the layouts before and after the year are the same."""
    shares = {"variable": model.variable, "ggz": model.ggz, "nursing": model.nursing, "deductible": model.deductible}
    return {name: share for name, share in shares.items() if share.criteria}


def column_names(share: str, criterion: Criterion) -> tuple[str, ...]:
    """The columns that hold a criterion: its codes, or 0/1 or counts per class other than none."""
    name = criterion.name if criterion.name.startswith(PREFIX[share] or " ") else PREFIX[share] + criterion.name
    if criterion.assignment == "single":
        return (name,)
    return tuple(f"{name}_{c.code}" for c in criterion.classes if c.code != 0)


def needed_columns(model: Model) -> list[str]:
    """The class columns that nothing else tells, share after share."""
    variable = {c.name for c in model.variable.criteria}
    result: list[str] = []
    for share, law in shares_of(model).items():
        for criterion in law.criteria:
            told = _derivable(share, criterion.name) in variable or (criterion.name == "gsm" and share == "variable")
            if not told:
                result += column_names(share, criterion)
    return list(dict.fromkeys(result))


def classes_of(model: Model, names: Sequence[str]) -> Classes:
    """Where each class comes from, given the columns of a frame.

    Raises
    ------
    NotFoundError
        Columns that are missing and that nothing else tells, all of them.
    ParameterError
        A year before 2015, whose shares have no columns in a frame.
    """
    if model.historical:
        shares = ", ".join(share.name for share in model.historical)
        what = f"{model.name} has no variable share but {shares}, and no columns of a frame for them"
        raise ParameterError(Problem("frame", what, "a year from 2015 on"))
    have, problems = set(names), []
    variable = {c.name: c for c in model.variable.criteria}
    found: dict[str, tuple[Part, ...]] = {}
    missing: list[str] = []
    ages = variable["age_sex"]
    for share, law in shares_of(model).items():
        parts, offset = [], 0
        for criterion in law.criteria:
            columns = column_names(share, criterion)
            lacking = [name for name in columns if name not in have]
            source = _derivable(share, criterion.name)
            if not lacking:
                parts.append(Part(share, criterion, offset, columns, fits=_fits(criterion, ages)))
            elif source in variable and len(lacking) == len(columns):
                table = _table(criterion, variable[source], ages)
                parts.append(Part(share, criterion, offset, (), source, table))
            elif criterion.name == "gsm" and share == "variable":
                parts.append(Part(share, criterion, offset, (), "gsm"))
            else:
                missing += lacking
            offset += len(criterion.classes)
        found[share] = tuple(parts)
    if missing:
        what = counted(len(missing), "class column is missing", "class columns are missing")
        problems.append(Problem("frame", f"{what}: {in_short(missing)}", f"the classes of {model.name}"))
        raise NotFoundError(problems)
    return Classes(model, found, FORFAIT in have)


# --- totals -----------------------------------------------------------------------------------------------------------


@dataclass
class ShareTotals:
    """One share: class days per insurer, of all insured and of those abroad, persons per class, and cost.

    With a column of persons each counts once with an insurer, in the classes of the first record there; without one
    each record counts. A person whose records stand in several parts of a file counts in each part.
    """

    classes: Int64  # (insurers, columns)
    abroad: Int64
    records: Int64
    cost: Int64  # (insurers,)


@dataclass
class Totals:
    """What payment needs of the insured of one year; rows by insurer, in ascending order."""

    insurers: tuple[Insurer, ...]
    shares: dict[str, ShareTotals]
    records: Int64
    days: Int64
    adult_days: Int64  # without those detained
    detained_days: Int64
    under_18: Int64
    money: dict[str, Int64]  # column -> cents per insurer
    users: dict[str, Users]  # share -> persons with cost
    # share -> high cost per insurer [millionths of a cent] and its thresholds, where they are known without the users
    high_cost: dict[str, tuple[Int64, tuple[int, ...]]] = field(default_factory=dict)


@dataclass
class Users:
    """Persons with cost in a share: one row per record."""

    person: NDArray[np.uint64]
    insurer: Int64
    cost: Int64
    represents: Int64


class _Sums:
    """Arrays per insurer that grow as insurers turn up."""

    def __init__(self, shapes: Mapping[str, int]) -> None:
        self.row: dict[Insurer, int] = {}
        self.shapes = dict(shapes)
        self.arrays = {name: np.zeros((0, width), dtype=np.int64) for name, width in shapes.items()}

    def rows(self, column: Column, where: str, first_row: int) -> Int64:
        """Row of the insurer of each record."""
        if column.labels is not None:
            names: list[Insurer] = [*column.labels]
            used, place = np.unique(column.values, return_inverse=True)
            keys = [names[int(k)] for k in used]
        else:
            values = whole(column.values, where=where, hint="whole numbers or labels", first_row=first_row)
            found, place = np.unique(values, return_inverse=True)
            keys = [int(k) for k in found]
        if self.row and isinstance(next(iter(self.row)), str) != isinstance(keys[0], str):
            raise ShapeError(Problem(where, "holds numbers in one part and labels in another", "one kind"))
        for key in keys:
            self.row.setdefault(key, len(self.row))
        grow = len(self.row) - len(next(iter(self.arrays.values())))
        if grow:
            for name, array in self.arrays.items():
                self.arrays[name] = np.vstack([array, np.zeros((grow, self.shapes[name]), dtype=np.int64)])
        return np.array([self.row[key] for key in keys], dtype=np.int64)[place.reshape(-1)]

    def add(self, name: str, rows: Int64, place: Int64 | int, amount: Int64) -> None:
        """Adds amounts of records at (row of the insurer, place); exact."""
        array = self.arrays[name]
        width = self.shapes[name]
        at = rows * width + place
        size = len(array) * width
        if not len(at):
            return
        if float(np.abs(amount).max()) * len(at) < 2.0**53:  # sums of doubles are exact up to there
            array += np.bincount(at, amount, size).astype(np.int64).reshape(array.shape)
        else:
            np.add.at(array.reshape(-1), at, amount)

    def ordered(self) -> tuple[tuple[Insurer, ...], dict[str, Int64]]:
        keys = sorted(self.row, key=lambda key: (isinstance(key, str), key))
        order = [self.row[key] for key in keys]
        return tuple(keys), {name: array[order] for name, array in self.arrays.items()}


class _Problems:
    """Everything wrong with one slice, at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.kinds: set[type[AnderhalfError]] = set()

    def attempt(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except AnderhalfError as error:
            self.kinds.add(type(error))
            self.found.extend(error.problems)
            return None

    def refuse(self, where: str, wrong: NDArray[np.bool_], one: str, many: str, expected: str, first_row: int) -> None:
        if wrong.any():
            what = f"{counted(int(wrong.sum()), one, many)} ({rows_that(wrong, first_row)})"
            self.kinds.add(DomainError)
            self.found.append(Problem(where, what, expected))

    def close(self) -> None:
        if self.found:
            raise (next(iter(self.kinds)) if len(self.kinds) == 1 else DomainError)(self.found)


@dataclass(frozen=True)
class Wanted:
    """Which columns are read beside classes, insurer and days."""

    costs: tuple[str, ...] = ()  # shares
    money: tuple[str, ...] = ()  # other columns of cents
    under_18: bool = False
    users: tuple[str, ...] = ()  # shares whose cost per person is needed
    detained_apart: bool = False  # what detained insured do not pay is a step: they are in the deductible first


def _numbers(piece: Slice, name: str, convert: Callable[..., NDArray[Any]]) -> NDArray[Any]:
    column = piece.read(name)
    where = piece.where(name)
    if column.labels is not None:
        raise ShapeError(Problem(where, "cannot be read as numbers", "whole numbers", "labels"))
    return convert(column.values, where=where, first_row=piece.first_row)


def _flag(values: Any, *, where: str, first_row: int) -> NDArray[np.bool_]:
    array = whole(values, where=where, hint="0 or 1", first_row=first_row)
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        raise DomainError(Problem(where, f"{counted(int(wrong.sum()), 'value')} other than 0 and 1 "
                                  f"({rows_that(wrong, first_row)})", "0 or 1"))  # fmt: skip
    return np.asarray(array != 0)


def _plain(values: Any, *, where: str, first_row: int) -> NDArray[Any]:
    return whole(values, where=where, hint="whole numbers", first_row=first_row)


def person_keys(column: Column, where: str, first_row: int) -> NDArray[np.uint64]:
    """Persons as 64-bit numbers; texts by a hash."""
    if column.labels is not None:
        marks = [hashlib.blake2b(label.encode(), digest_size=8).digest() for label in column.labels]
        numbers = np.array([int.from_bytes(mark, "little") for mark in marks] or [0], dtype=np.uint64)
        return np.asarray(numbers[column.values])
    return whole(column.values, where=where, hint="whole numbers or labels", first_row=first_row).astype(np.uint64)


class _Row:
    """The records of one slice with everything about their classes."""

    def __init__(self, classes: Classes, piece: Slice, problems: _Problems) -> None:
        self.classes, self.piece, self.problems = classes, piece, problems
        self.first = piece.first_row
        self.cache: dict[str, Any] = {}

    def codes(self, part: Part, age: Int64, needed: NDArray[np.bool_]) -> Int64:
        """Place of the class within the criterion; -1 where no class is needed."""
        name = part.columns[0]
        where = self.piece.where(name)
        values = self._column(name)
        if values is None:
            return np.full(self.piece.rows, -1, dtype=np.int64)
        first, count = part.criterion.first_code, len(part.criterion.classes)
        place = values.astype(np.int64) - first
        itself = part.share == "variable" and part.criterion.name == "age_sex"
        if not itself:
            some = np.asarray(part.fits.any(axis=0))  # in the nursing share of 2015, 65 and older
            needed = needed & (age >= 0) & some[age]
        wrong = needed & ((place < 0) | (place >= count))
        self.problems.refuse(where, wrong, "code that is no class", "codes that are no class",
                             f"{first}..{first + count - 1}", self.first)  # fmt: skip
        place = np.where(needed & ~wrong, place, -1)
        if not itself:
            clash = (place >= 0) & ~part.fits[place, age]
            self.problems.refuse(where, clash, "class of another age or sex than column age_sex says",
                                 "classes of another age or sex than column age_sex says",
                                 "classes that go together", self.first)  # fmt: skip
        return place

    def _column(self, name: str) -> NDArray[Any] | None:
        if name not in self.cache:
            self.cache[name] = self.problems.attempt(lambda: _numbers(self.piece, name, _plain))
        return self.cache[name]  # type: ignore[no-any-return]

    def derived(self, part: Part, source: NDArray[np.int64], age: NDArray[np.int64], needed: NDArray[np.bool_]
                ) -> NDArray[np.int64]:  # fmt: skip
        assert part.table is not None
        place = np.where((source >= 0) & (age >= 0) & needed, part.table[source, age], -1).astype(np.int64)
        unclear = place == -2
        if unclear.any():
            name = column_names(part.share, part.criterion)[0]
            self.problems.refuse(f"criterion {part.criterion.name} of the {part.share} share", unclear,
                                 "record has a class that does not follow from the variable share",
                                 "records have a class that does not follow from the variable share",
                                 f"a column {name}", self.first)  # fmt: skip
        return np.where(unclear, -1, place)


def totals(source: Source, classes: Classes, wanted: Wanted, *, insurer: str = "insurer", days: str = "days",
           represents: str = "represents", person: str = "person", year: int | None = None) -> Totals:  # fmt: skip
    """Totals of the records of a frame, slice by slice.

    Raises
    ------
    NotFoundError, ShapeError, DomainError
        Columns that are missing; values that are no class, no number or outside their range, all at once per slice.
    """
    given = set(source.names)
    shapes = {f"{share} {kind}": classes.size(share) for share in classes.shares for kind in ("days", "abroad", "n")}
    shapes |= {"records": 1, "days": 1, "adult_days": 1, "detained_days": 1, UNDER_18: 1}
    money = [*dict.fromkeys([COSTS[share] for share in wanted.costs] + [*wanted.money])]
    shapes |= dict.fromkeys(money, 1)
    sums = _Sums(shapes)
    optional = [name for name in (represents, "abroad", "detained", person) if name in given]
    names = [insurer, days, *classes.columns, *money, *optional]
    names += [UNDER_18] if wanted.under_18 and UNDER_18 in given else []
    year = days_in(year or classes.model.year)
    users: dict[str, list[tuple[NDArray[np.uint64], Int64, Int64, Int64]]] = {share: [] for share in wanted.users}
    insured: list[tuple[NDArray[np.uint64], Int64]] = []
    children = False
    for piece in source.slices(names):
        if piece.rows == 0:
            continue
        wrong = _Problems()
        row = _Row(classes, piece, wrong)
        who = wrong.attempt(lambda: sums.rows(piece.read(insurer), piece.where(insurer), piece.first_row))  # noqa: B023
        span = wrong.attempt(lambda: _numbers(piece, days, days_))  # noqa: B023
        stands = wrong.attempt(lambda: _numbers(piece, represents, represents_)) if represents in given else None  # noqa: B023
        abroad = wrong.attempt(lambda: _numbers(piece, "abroad", _flag)) if "abroad" in given else None  # noqa: B023
        detained = wrong.attempt(lambda: _numbers(piece, "detained", _flag)) if "detained" in given else None  # noqa: B023
        amounts = {name: wrong.attempt(lambda: _numbers(piece, name, cents)) for name in money}  # noqa: B023
        n = piece.rows
        span = np.ones(n, dtype=np.int64) if span is None else span.astype(np.int64)
        wrong.refuse(piece.where(days), (span < 1) | (span > year), f"value outside 1..{year}",
                     f"values outside 1..{year}", "insured days in the year", piece.first_row)  # fmt: skip
        factor = np.ones(n, dtype=np.int64) if stands is None else stands.astype(np.int64)
        away = np.zeros(n, dtype=bool) if abroad is None else abroad
        held = np.zeros(n, dtype=bool) if detained is None else detained
        everyone = np.ones(n, dtype=bool)
        age = row.codes(classes.age, np.zeros(n, dtype=np.int64), everyone)
        adult = classes.adult[age] & (age >= 0)
        entries = list(_entries(classes, row, age, adult, away, held & (not wanted.detained_apart)))
        if wrong.found or who is None:
            wrong.close()
            continue
        weight = span * factor
        key = person_keys(piece.read(person), piece.where(person), piece.first_row) if person in given else None
        one = np.ones(n, dtype=np.int64) if key is None else _first_of(key, who)
        for share, place, chosen, times in entries:
            at, amount = (who, weight) if chosen is None else (who[chosen], weight[chosen])
            sums.add(f"{share} days", at, place, amount if times is None else amount * times)
            sums.add(f"{share} n", at, place, one if chosen is None else one[chosen])
            if away.any():
                out = away if chosen is None else away[chosen]
                k = place[out] if isinstance(place, np.ndarray) else place
                sums.add(f"{share} abroad", at[out], k, amount[out] if times is None else (amount * times)[out])
        sums.add("records", who, 0, one)
        sums.add("days", who, 0, weight)
        premium = adult & ~held
        sums.add("adult_days", who[premium], 0, weight[premium])
        sums.add("detained_days", who[adult & held], 0, weight[adult & held])
        children = children or bool((~adult).any())
        if UNDER_18 in names:
            heads = wrong.attempt(lambda: _numbers(piece, UNDER_18, _flag))  # noqa: B023
            if heads is not None:
                wrong.refuse(piece.where(UNDER_18), heads & adult, "adult counted", "adults counted",
                             "0 for insured of 18 and older", piece.first_row)  # fmt: skip
                sums.add(UNDER_18, who[heads], 0, factor[heads])
            wrong.close()
        for name, values in amounts.items():
            sums.add(name, who, 0, values.astype(np.int64) * factor)
        if key is not None:
            insured.append((key, span))
            for share, rows in users.items():
                cost = amounts[COSTS[share]].astype(np.int64)
                some = cost != 0
                rows.append((key[some], who[some], cost[some], factor[some]))
    if not sums.row:
        raise DomainError(Problem("frame", "holds no records", "at least one insured"))
    once(insured, year, person)
    if wanted.under_18 and children and UNDER_18 not in given:
        raise NotFoundError(
            Problem("frame", f"no column {UNDER_18!r}", "1 for insured under 18 on 1 July, else 0 (Bzv 3.22)")
        )
    keys, arrays = sums.ordered()
    order = np.argsort([sums.row[key] for key in keys])  # from row to place in the result
    empty = np.zeros(len(keys), dtype=np.int64)
    shares = {
        share: ShareTotals(arrays[f"{share} days"], arrays[f"{share} abroad"], arrays[f"{share} n"],
                           arrays[COSTS[share]][:, 0] if share in wanted.costs else empty)
        for share in classes.shares
    }  # fmt: skip
    found = {}
    for share, rows in users.items():
        joined = [np.concatenate([part[k] for part in rows]) for k in range(4)] if rows else [empty[:0]] * 4
        found[share] = Users(joined[0].astype(np.uint64), order[joined[1]], joined[2], joined[3])
    return Totals(
        keys, shares, arrays["records"][:, 0], arrays["days"][:, 0], arrays["adult_days"][:, 0],
        arrays["detained_days"][:, 0], arrays[UNDER_18][:, 0], {name: arrays[name][:, 0] for name in money},
        found,
    )  # fmt: skip


def _first_of(person: NDArray[np.uint64], insurer: Int64) -> Int64:
    """1 for the first record of a person with an insurer, else 0."""
    order = np.lexsort((insurer, person))  # stable
    same = (np.diff(person[order]) == 0) & (np.diff(insurer[order]) == 0)
    first = np.ones(len(order), dtype=np.int64)
    first[order[1:][same]] = 0
    return first


Entry: TypeAlias = tuple[str, "Int64 | int", "NDArray[np.bool_] | None", "Int64 | None"]


def _entries(
    classes: Classes, row: _Row, age: Int64, adult: NDArray[np.bool_], away: NDArray[np.bool_],
    held: NDArray[np.bool_],
) -> Iterator[Entry]:  # fmt: skip
    """Per criterion: share, place among its columns, the records it holds for (None: all) and how often."""
    everyone = np.ones(row.piece.rows, dtype=bool)
    place: dict[str, Int64] = {}  # of the variable share, within the criterion
    some: dict[str, NDArray[np.bool_]] = {}  # any class but none
    law = classes.model
    for share, parts in classes.shares.items():
        scope = everyone if share not in OF_ADULTS else adult
        if share == "deductible":
            morbid = np.zeros(len(age), dtype=bool)
            if classes.forfait:
                flags = row.problems.attempt(lambda: _numbers(row.piece, FORFAIT, _flag))
                morbid = morbid if flags is None else flags
            else:
                for name in law.morbidity_criteria:
                    morbid |= some[name]
                if "mhk" in place:
                    first = law.variable.criterion("mhk").first_code
                    morbid |= place["mhk"] + first >= law.forfait_from_mhk
            payers = adult & ~held
            on = payers & morbid
            yield share, classes.size(share) - 1, on, None
            scope = payers & ~morbid
        for part in parts:
            needed = scope & ~away if part.at_home else scope
            name = part.criterion.name
            if part.many:
                yield from _many(part, row, needed, away, some)
                continue
            if part.source == "gsm":
                ill = np.any([some[name] for name in law.gsm_criteria], axis=0)
                found = _gsm(part, ill, age, classes)
            elif part.columns:
                found = row.codes(part, age, needed)
            else:
                found = row.derived(part, place[part.source], age, needed)
            if part.none is not None and part.columns:
                row.problems.refuse(row.piece.where(part.columns[0]), away & (found > 0),
                                    "insured abroad has a class", "insured abroad have a class",
                                    "the class none, for care in kind abroad", row.first)  # fmt: skip
            if share == "variable":
                place[name] = found
                some[name] = found > 0 if part.criterion.first_code == 0 else everyone
            chosen = found >= 0
            yield share, part.offset + found[chosen], chosen, None


def _many(
    part: Part, row: _Row, needed: NDArray[np.bool_], away: NDArray[np.bool_], some: dict[str, NDArray[np.bool_]]
) -> Iterator[Entry]:
    any_class = np.zeros(len(needed), dtype=bool)
    flags = part.criterion.assignment == "all"
    start = part.offset - part.criterion.first_code
    codes = [c.code for c in part.criterion.classes if c.code != 0]
    for code, name in zip(codes, part.columns, strict=True):
        values = row._column(name)
        if values is None:
            continue
        wrong = needed & ((values < 0) | (values > (1 if flags else 65_535)))
        row.problems.refuse(row.piece.where(name), wrong, "value outside its range", "values outside their range",
                            "0 or 1" if flags else "0..65535", row.first)  # fmt: skip
        has = needed & (values != 0)
        row.problems.refuse(row.piece.where(name), has & away, "insured abroad has a class",
                            "insured abroad have a class",
                            "the class none, for care in kind abroad", row.first)  # fmt: skip
        any_class |= has
        if has.any():
            yield part.share, start + code, has, None if flags else values[has].astype(np.int64)
    if part.share == "variable":
        some[part.criterion.name] = any_class
    if part.criterion.first_code == 0:
        yield part.share, start, needed & ~any_class, None


def _gsm(part: Part, morbid: NDArray[np.bool_], age: Int64, classes: Classes) -> Int64:
    """Generic somatic morbidity: any class of the criteria that the model year names, per age band."""
    table = np.full((2, len(classes.age.criterion.classes)), -1, dtype=np.int64)
    for k, c in enumerate(part.criterion.classes):
        for j, band in enumerate(classes.age.criterion.classes):
            if _covers(c, band):
                table[c.group - 1, j] = k
    return np.asarray(np.where(age >= 0, table[morbid.astype(np.int64), age], -1))


def once(insured: Sequence[tuple[NDArray[np.uint64], Int64]], year: int, person: str) -> None:
    """Refuses persons with more days than the year has: two insurers on the same days (art. 10(2))."""
    if not insured:
        return
    keys, place = np.unique(np.concatenate([key for key, _ in insured]), return_inverse=True)
    span = np.concatenate([days for _, days in insured])
    days = np.bincount(place.reshape(-1), span, len(keys))
    count = int((days > year).sum())
    if count:
        over = days[place.reshape(-1)] > year
        what = counted(count, "person is insured for more days than the year has",
                       "persons are insured for more days than the year has")  # fmt: skip
        raise DomainError(Problem(f"column {person}", f"{what} ({rows_that(over)})",
                                  f"at most {year} days over all insurers"))  # fmt: skip
