"""Specifications of risk models as data (SPEC.toml): any scheme, Dutch or not, estimated by the same call.

::

    [model]
    name  = "textbook"                # in results
    title = "Age and chronic illness"

    [records]                         # which columns are what
    cost         = "cost_cents"
    days         = "days"             # or months, with:
    days_in_year = 365                # 12
    days_max     = 366                # 12
    represents   = "persons"

    [[criterion]]                     # a column of class codes
    name = "age"
    classes = ["young", "old"]        # or a number of codes; left out: found in the data
    [[criterion]]                     # 0/1 columns, any number of them 1
    name = "drug"
    columns = ["drug_1..drug_24"]
    multi = true                      # counts = true: whole numbers of times
    none = true                       # a first class "none of the others", derived
    [[criterion]]                     # fixed effects of any number of classes; carries the total
    name = "canton_age_sex"
    absorbed = true

    [estimate]
    carrier     = "age"               # of total cost
    zero_sum    = true                # or the names of the criteria that have a zero-sum rule
    constraints = ["drug[1] >= 0", "drug[1] <= drug[2]"]
    keep_budget = true

    [[category]]                      # instead of records.cost
    name = "hospital"
    column = "hospital_cents"
    level = 1.03

    [strata]                          # of reweighting
    column = "region"
    factors = { North = 1.02 }
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from anderhalf.columns import source
from anderhalf.errors import AnderhalfError, NotFoundError, ParameterError, Problem, near_matches
from anderhalf.estimation import (
    Constraint,
    Fit,
    GroupTotal,
    Task,
    column_of,
    constraint_list,
    solved,
    zero_sum_rules,
)  # fmt: skip
from anderhalf.moments import Criterion, Layout, Moments, layout_of

Factor = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Class = StrictStr | StrictInt


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelTable(_Strict):
    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    title: StrictStr = ""
    source: StrictStr = ""
    currency: Annotated[StrictStr, Field(min_length=1, max_length=3)] = "EUR"


class RecordsTable(_Strict):
    cost: StrictStr | None = None
    days: StrictStr = "days"
    days_in_year: Annotated[StrictInt, Field(ge=1, le=366)] = 365
    days_max: Annotated[StrictInt, Field(ge=1, le=16_384)] | None = None
    represents: StrictStr | None = None
    whole_floats: StrictBool = False


class CriterionTable(_Strict):
    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")]
    title: StrictStr = ""
    columns: tuple[StrictStr, ...] = ()
    classes: tuple[Class, ...] | Annotated[StrictInt, Field(ge=1)] | None = None
    multi: StrictBool = False
    counts: StrictBool = False
    none: StrictBool = False
    absorbed: StrictBool = False
    bands: dict[str, tuple[Class, ...]] = {}


class EstimateTable(_Strict):
    carrier: StrictStr | None = None
    zero_sum: StrictBool | tuple[StrictStr, ...] = True
    constraints: tuple[StrictStr, ...] = ()
    keep_budget: StrictBool = True


class CategoryTable(_Strict):
    name: Annotated[StrictStr, Field(min_length=1)]
    column: StrictStr
    level: Factor = 1.0


class StrataTable(_Strict):
    column: StrictStr
    classes: tuple[Class, ...] | Annotated[StrictInt, Field(ge=1)] | None = None
    factors: dict[str, Factor] = {}


class SpecificationFile(_Strict):
    """The tables of a SPEC.toml; unknown keys are errors."""

    model: ModelTable
    records: RecordsTable = RecordsTable()
    criterion: Annotated[tuple[CriterionTable, ...], Field(min_length=1)]
    estimate: EstimateTable = EstimateTable()
    category: tuple[CategoryTable, ...] = ()
    strata: StrataTable | None = None


@dataclass(frozen=True)
class Specification:
    """A risk model as data: how records are read and what is estimated.

    Examples
    --------
    >>> spec = specification_of({"model": {"name": "own"}, "criterion": [{"name": "age", "classes": 2}]})
    >>> spec.estimate({"age": [0, 1], "cost_cents": [100_00, 300_00], "days": [365, 365]}).params.tolist()
    [100.0, 300.0]
    """

    file: SpecificationFile = field(repr=False)
    layout: Layout = field(repr=False)
    constraints: tuple[Constraint | GroupTotal, ...] = field(default=(), repr=False)
    path: str = ""
    sha256: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return self.file.model.name

    def moments(
        self, frame: Any, *, threads: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Moments:
        """Moments of records, see :meth:`anderhalf.Moments.from_records`."""
        return Moments.from_layout(source(frame), self.layout, threads=threads, progress=progress)

    def estimate(
        self,
        data: Any,
        *,
        robust: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Fit:
        """Weights from records or moments, see :func:`anderhalf.estimate`."""
        records = None if isinstance(data, Moments) else source(data)
        if records is None:
            moments = data
        else:
            moments = Moments.from_layout(records, self.layout, threads=threads, progress=progress)
            records = records if records.again else None
        layout = _as_specified(self.layout, moments.layout)
        levels = tuple(c.level for c in self.file.category)
        factors: tuple[float, ...] = ()
        if self.file.strata is not None and self.file.strata.factors:
            given = self.file.strata.factors
            if unknown := [name for name in given if name not in moments.strata]:
                raise NotFoundError(
                    [Problem(f"strata.factors.{name}", "no such stratum in the records",
                             f"one of {', '.join(moments.strata[:8])}") for name in unknown]
                )  # fmt: skip
            factors = tuple(given.get(name, 1.0) for name in moments.strata)
        task = Task(
            layout,
            zero_sum_rules(layout, _listed(self.file.estimate.zero_sum), self.file.estimate.carrier),
            self.constraints,
            self.file.estimate.keep_budget,
            factors,
            levels if any(level != 1 for level in levels) else (),
        )
        return solved(task, moments, records, robust=robust, threads=threads, progress=progress)


def _listed(zero_sum: bool | tuple[str, ...]) -> bool | list[str]:
    return zero_sum if isinstance(zero_sum, bool) else list(zero_sum)


def _as_specified(wanted: Layout, found: Layout) -> Layout:
    """The layout of the moments with the bands and the name of the specification."""
    from dataclasses import replace

    bands = {c.name: c.bands for c in wanted.criteria}
    criteria = tuple(replace(c, bands=bands.get(c.name, {})) for c in found.criteria)
    return replace(found, criteria=criteria, model=wanted.model)


_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+)\.\.(?P<again>.*?)(?P<last>\d+)")


def expanded(columns: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Column names with ranges written out.

    Examples
    --------
    >>> expanded(("a_1..a_3", "b"), "")
    ('a_1', 'a_2', 'a_3', 'b')
    """
    result: list[str] = []
    for column in columns:
        if ".." not in column:
            result.append(column)
            continue
        found = _RANGE.fullmatch(column)
        if found is None or found["stem"] != found["again"] or int(found["first"]) > int(found["last"]):
            raise ParameterError(Problem(f"{where}.columns", "cannot be read", "a range such as 'a_1..a_9'", column))
        result += [f"{found['stem']}{k}" for k in range(int(found["first"]), int(found["last"]) + 1)]
    return tuple(result)


def load_specification(path: str | PathLike[str]) -> Specification:
    """A specification from its file.

    Raises
    ------
    NotFoundError, ParameterError
        No such file; everything in it that cannot be, at once, with file and key.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(Problem(str(path), "no such file", "a specification (SPEC.toml)"))
    raw = path.read_bytes()
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError([Problem(path.name, "is no TOML", "", str(error))]) from None
    return specification_of(document, path.name, hashlib.sha256(raw).hexdigest())


def specification_of(document: dict[str, Any], name: str = "specification", sha256: str = "") -> Specification:
    """A specification from the tables of its file.

    Raises
    ------
    ParameterError
        Everything that cannot be, at once.
    """
    try:
        file = SpecificationFile.model_validate(document)
    except ValidationError as error:
        wrong = [
            item for item in error.errors() if not (item["type"] == "too_short" and document.get(str(item["loc"][0])))
        ]
        raise ParameterError([_problem(document, name, item) for item in wrong]) from None
    problems: list[Problem] = []

    def attempt(build: Callable[..., Any], *given: Any) -> Any:
        try:
            return build(*given)
        except AnderhalfError as error:
            problems.extend(Problem(f"{name} {p.where}", p.what, p.expected, p.got) for p in error.problems)
            return None

    criteria = [attempt(_criterion, table) for table in file.criterion]
    if file.category and file.records.cost is not None:
        problems.append(Problem(f"{name} records.cost", "is given beside [[category]]", "one of the two"))
    repeated = {c.name for c in file.category if [d.name for d in file.category].count(c.name) > 1}
    problems += [Problem(f"{name} category.{c}", "is given twice", "once") for c in sorted(repeated)]
    constraints: list[Constraint | GroupTotal] = []
    for rule in file.estimate.constraints:
        constraints += attempt(constraint_list, rule) or []
    layout: Layout | None = None
    if all(c is not None for c in criteria):
        layout = attempt(_layout, file, criteria)
    if layout is not None:
        known = {c.name: c for c in layout.criteria}
        settled = all(c.named for c in layout.criteria)
        for constraint in constraints:
            if isinstance(constraint, GroupTotal):
                continue
            for criterion, label, _ in constraint.terms:
                where = f"constraint {constraint.name!r}"
                if criterion in known and not known[criterion].named and not known[criterion].absorbed:
                    continue  # its classes are found in the data
                if settled or criterion not in known:
                    attempt(column_of, layout, criterion, label, where)
                else:
                    attempt(known[criterion].position, label, where)
        shown = layout if settled else _with_some_classes(layout)
        if all(not c.bands or c.named for c in layout.criteria):
            attempt(zero_sum_rules, shown, _listed(file.estimate.zero_sum), file.estimate.carrier)
    if problems:
        raise ParameterError(list(dict.fromkeys(problems)))
    assert layout is not None
    return Specification(file, layout, tuple(constraints), name, sha256)


def _criterion(table: CriterionTable) -> Criterion:
    columns = expanded(table.columns, f"criterion.{table.name}")
    return Criterion(
        table.name, columns, table.classes, table.multi, table.counts, table.none, table.absorbed, table.bands
    )


def _layout(file: SpecificationFile, criteria: list[Criterion]) -> Layout:
    cost: Any = {c.name: c.column for c in file.category} or file.records.cost or "cost_cents"
    strata = file.strata
    return layout_of(
        criteria,
        cost=cost,
        days=file.records.days,
        represents=file.records.represents,
        stratum=None if strata is None else Criterion(strata.column, classes=strata.classes),
        days_in_year=file.records.days_in_year,
        days_max=file.records.days_max,
        whole_floats=file.records.whole_floats,
        model=file.model.name,
    )


def _with_some_classes(layout: Layout) -> Layout:
    """The layout with a stand-in where classes are found in the data: names of criteria can be checked all the same."""
    from dataclasses import replace

    criteria = tuple(c if c.named else replace(c, classes=1) for c in layout.criteria)
    stratum = layout.stratum
    if isinstance(stratum, Criterion) and not stratum.named:
        stratum = replace(stratum, classes=1)
    return replace(layout, criteria=criteria, stratum=stratum)


def _problem(document: dict[str, Any], name: str, item: Any) -> Problem:
    key, at = [], document
    for part in item["loc"]:
        if isinstance(part, int) and isinstance(at, list) and part < len(at):
            at = at[part]
            own = at.get("name") if isinstance(at, dict) else None
            key.append(str(own) if isinstance(own, str) else str(part))
        elif isinstance(at, dict) and part in at:
            at = at[part]
            key.append(str(part))
        elif item["type"] == "missing":
            key.append(str(part))
    where = f"{name} {'.'.join(key)}"
    if item["type"] == "missing":
        return Problem(where, "is missing")
    if item["type"] == "extra_forbidden":
        known = _keys_beside(item["loc"])
        near = near_matches(str(item["loc"][-1]), known, 1)
        return Problem(where, "unknown key", f"{near[0]}" if near else f"one of {', '.join(known)}")
    shown = item["input"]
    message = str(item["msg"])
    return Problem(
        where, "refused", message[:1].lower() + message[1:], "" if isinstance(shown, dict | list) else repr(shown)
    )  # fmt: skip


def _keys_beside(loc: tuple[str | int, ...]) -> list[str]:
    table: Any = SpecificationFile
    tables = {
        "model": ModelTable, "records": RecordsTable, "criterion": CriterionTable, "estimate": EstimateTable,
        "category": CategoryTable, "strata": StrataTable,
    }  # fmt: skip
    if len(loc) > 1:
        table = tables.get(str(loc[0]), SpecificationFile)
    return list(table.model_fields)
