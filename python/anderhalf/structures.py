"""Model years whose weights are not published: the structure of a year over the law of another (structure.toml)."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from anderhalf.errors import ParameterError, Problem
from anderhalf.parameters import Ages, Category, Change, Document, Exact, Key, Text, _Table

NO_WEIGHTS = "estimated: none yet"


class StructureModel(_Table):
    """Where the structure comes from; ``base`` is the model that holds all that is not said here."""

    name: Text
    base: Text
    year: StrictInt
    title: Text
    cite: Text
    url: Text
    checked: datetime.date
    missing: tuple[Text, ...] = ()


class Drop(_Table):
    criterion: Key
    article: Text
    reason: Text


class NewClass(_Table):
    """A class without a weight. Which insured it holds is printed, or an assumption with its reason."""

    code: Annotated[StrictInt, Field(ge=0)]
    key: Key
    label: Text
    ages: Ages | None = None
    years: StrictInt = 0
    of_years: StrictInt = 0
    min_eur: Exact | None = None


class NewCriterion(_Table):
    name: Key
    term: Text
    assignment: Literal["single", "all", "count"]
    data_years: Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=1)]
    of: tuple[Key, ...] = ()
    categories: tuple[Category, ...] = ()
    article: Text
    status: Literal["printed", "assumption"]
    reason: StrictStr = ""
    classes: Annotated[list[NewClass], Field(min_length=2)]

    @model_validator(mode="after")
    def _with_reason(self) -> NewCriterion:
        if self.status == "assumption" and not self.reason:
            raise ValueError("a reason for an assumption")
        codes = [row.code for row in self.classes]
        if codes != list(range(len(codes))):
            raise ValueError(f"codes that count up from 0, the class none, not {codes}")
        return self


class ClassChange(_Table):
    """Another definition of a class that the base has."""

    criterion: Key
    key: Key
    to: dict[Literal["key", "label", "years", "of_years", "top_percent"], Any]
    article: Text
    reason: Text


class StructureFile(_Table):
    """What a year changes in the structure of its base. Lists of the settlement replace those of the base."""

    model: StructureModel
    assumptions: tuple[Text, ...] = ()
    change: tuple[Change, ...] = ()
    drop: tuple[Drop, ...] = ()
    criterion: tuple[NewCriterion, ...] = ()
    class_change: tuple[ClassChange, ...] = ()
    high_cost_compensation: list[dict[str, Any]] | None = None
    bandwidth: list[dict[str, Any]] | None = None
    step: tuple[dict[str, Any], ...] = ()

    def notes(self) -> Iterator[str]:
        """What differs from the base and why, one line each."""
        yield from (f"assumption: {text}" for text in self.assumptions)
        for row in self.criterion:
            why = f"assumption: {row.reason}" if row.status == "assumption" else "as printed"
            yield f"{row.name} added ({row.article}), {why}"
        for gone in self.drop:
            yield f"{gone.criterion} dropped ({gone.article}), {gone.reason}"
        for other in self.class_change:
            yield f"{other.criterion} {other.key} is {other.to.get('key', other.key)} ({other.article}), {other.reason}"
        for name in ("high_cost_compensation", "bandwidth"):
            rows = getattr(self, name)
            if rows is not None:
                yield f"{name}: {', '.join(str(row.get('name')) for row in rows) or 'none'}"


def restructured(documents: dict[str, Document], structure: StructureFile, label: str) -> None:
    """Put the structure into the parameter files of its base; the variable share loses its weights.

    Raises
    ------
    ParameterError
        A criterion or class that the base does not have, or has already.
    """
    problems: list[Problem] = []
    variable = documents["weights_variable"]
    tables: list[Document] = variable["criterion"]
    assignment, settlement = documents["assignment"], documents["settlement"]
    names = [table["name"] for table in tables]
    for gone in structure.drop:
        if gone.criterion not in names:
            problems.append(Problem(f"{label} drop.{gone.criterion}", "no such criterion", ", ".join(names)))
        tables[:] = [table for table in tables if table["name"] != gone.criterion]
        for rows, key in ((assignment["criterion"], "name"), (assignment["exclusion"], "criterion")):
            rows[:] = [row for row in rows if row[key] != gone.criterion]
        settlement["neutrality"] = [row for row in settlement["neutrality"] if row["criterion"] != gone.criterion]
        morbidity = documents["premium_and_deductible"]["morbidity"]
        morbidity["criteria"] = [name for name in morbidity["criteria"] if name != gone.criterion]
    for change in structure.class_change:
        problems += _changed(documents, change, label)
    for row in structure.criterion:
        if row.name in names:
            problems.append(Problem(f"{label} criterion.{row.name}", "a criterion that the base has already"))
        tables.append({
            "name": row.name, "table": f"{variable['share']['annex']}.{len(tables) + 1}", "term": row.term,
            "classes": [item.model_dump(exclude_none=True, exclude_defaults=True, exclude={"code"})
                        | {"code": item.code, "weight": Decimal("0.00")} for item in row.classes],
        })  # fmt: skip
        kept = {"name", "assignment", "data_years", "article", "of", "categories"}
        assignment["criterion"].append(row.model_dump(include=kept, exclude_defaults=True) | {"article": row.article})
    if problems:
        raise ParameterError(problems)
    for table in tables:
        for item in table["classes"]:
            item["weight"] = Decimal("0.00")
    variable["share"]["classes"] = sum(len(table["classes"]) for table in tables)
    _settlement(settlement, structure)
    for document in documents.values():
        if "source" in document:
            document["source"]["year"] = structure.model.year
    variable["source"] |= {
        "title": structure.model.title,
        "cite": structure.model.cite,
        "url": structure.model.url,
        "checked": structure.model.checked,
    }


def _changed(documents: dict[str, Document], change: ClassChange, label: str) -> Iterator[Problem]:
    found = False
    for stem, document in documents.items():
        if not stem.startswith("weights_"):
            continue
        for table in document["criterion"]:
            for item in table["classes"] if table["name"] == change.criterion else ():
                if item["key"] == change.key:
                    item |= change.to
                    found = True
    if not found:
        yield Problem(f"{label} class_change.{change.criterion}.{change.key}", "no such class")
    new = change.to.get("key")
    if new is None:
        return
    morbidity = documents["premium_and_deductible"]["morbidity"]
    if change.criterion == "mhk" and morbidity["mhk_from"] == change.key:
        morbidity["mhk_from"] = new
    for rule in documents["settlement"]["neutrality"]:
        if rule["criterion"] == change.criterion:
            for part in ("reset", "of"):
                rule |= {part: [new if key == change.key else key for key in rule[part]]} if part in rule else {}


def _settlement(settlement: Document, structure: StructureFile) -> None:
    for name in ("high_cost_compensation", "bandwidth"):
        if (rows := getattr(structure, name)) is not None:
            settlement[name] = copy.deepcopy(rows)
    for row in structure.step:
        steps: list[Document] = settlement["step"]
        for old in steps:
            if old["share"] == row["share"]:
                old["stages"] = [stage for stage in old["stages"] if stage not in row["stages"]]
        settlement["step"] = [old for old in steps if old["stages"]] + [copy.deepcopy(row)]
