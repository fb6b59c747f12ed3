"""Parameters that a calibration found, and the list of those it may look for.

``params/population/calibration_plan.toml`` declares the free parameters: where each stands, its bounds, how far from
its prior counts as one tolerance, which targets it is meant to move, and why it may be free. ``tools/calibrate`` finds
them and writes ``calibration.toml`` (base year 2018) or ``calibration_<base>.toml``; reading a population puts the
values found over ``society.toml``, ``conditions.toml`` and ``care.toml`` before those are checked.

A place is a dotted path into one of these files: ``care.general.hospital.sticky``. In a list of tables a name selects
the tables with that ``key`` or ``category``, ``*`` all of them, and a number one item of a list.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anderhalf.errors import NotFoundError, ParameterError, Problem
from anderhalf.exact import power

BASES = (2015, 2018, 2021, 2023)
DEFAULT_BASE = 2018
FILES = ("society", "conditions", "care")
CHANCES = ("p", "first")  # of a line of care: scaled as rates, so that they stay chances

Documents = dict[str, dict[str, Any]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Places(_Strict):
    """Where a parameter stands: one value (``set``), or a factor on values (``times``), its inverse on ``divide``."""

    name: str = Field(min_length=1)
    set: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    divide: tuple[str, ...] = ()
    bounds: tuple[float, float]
    source: str = Field(min_length=1)
    targets: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_rule(self) -> _Places:
        if bool(self.set) == bool(self.times or self.divide):
            raise ValueError("either set, or times and divide")
        if not self.bounds[0] < self.bounds[1]:
            raise ValueError("bounds that rise")
        if (self.times or self.divide) and not self.bounds[0] > 0:
            raise ValueError("bounds of a factor above 0")
        return self

    @property
    def factor(self) -> bool:
        return not self.set


class Free(_Places):
    """A parameter that the calibration may move; ``spread`` from the prior (of its logarithm, for a factor) costs 1."""

    spread: float = Field(gt=0)


class Value(_Places):
    """A parameter that was found."""

    value: float
    prior: float


@dataclass(frozen=True)
class Calibration:
    """What was found: values, and the mean of the general part per category as [group][sex][band] in euros."""

    values: tuple[Value, ...] = ()
    general_eur: Mapping[str, Any] | None = None


def file_name(base: int) -> str:
    """The file of a base year."""
    return "calibration.toml" if base == DEFAULT_BASE else f"calibration_{base}.toml"


def check_base(base: int) -> None:
    """Refuse a year that has no cost cells."""
    if base not in BASES:
        raise NotFoundError(Problem("population", "base year", " or ".join(str(b) for b in BASES), str(base)))


def load_plan(path: Path) -> tuple[Free, ...]:
    """The free parameters; raises ``ParameterError`` with every problem."""
    return tuple(_rows(_toml(path), "parameter", Free, path.name))


def load_calibration(path: Path) -> Calibration:
    """The file that ``tools/calibrate`` writes; raises ``ParameterError`` with every problem."""
    document = _toml(path)
    problems = [
        Problem(path.name, f"general_eur.{name}", "rest, region and source", ", ".join(table))
        for name, table in document.get("general_eur", {}).items()
        if set(table) != {"rest", "region", "source"} or not table["source"]
    ]
    problems += [
        Problem(path.name, key, "run, value or general_eur", "unknown key")
        for key in document
        if key not in ("run", "value", "general_eur")
    ]
    values = tuple(_rows(document, "value", Value, path.name, problems))
    general = {name: [table["rest"], table["region"]] for name, table in document.get("general_eur", {}).items()}
    return Calibration(values, general)


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFoundError(Problem(path.name, "no such file", "one that tools/calibrate wrote"))
    with path.open("rb") as file:
        try:
            return tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise ParameterError(Problem(path.name, str(error)), file=path.name) from None


def _rows(
    document: Mapping[str, Any], key: str, kind: type[Any], file: str, problems: list[Problem] | None = None
) -> Iterator[Any]:
    """Rows of a file as models, with every problem at once: of each row, names used twice, values out of bounds."""
    problems = [] if problems is None else problems
    rows = []
    for number, row in enumerate(document.get(key, ())):
        where = f"{key} {row.get('name', number + 1)}"
        try:
            rows.append(kind.model_validate(row))
        except ValidationError as error:
            for one in error.errors():
                what = ".".join(str(part) for part in one["loc"])
                problems.append(Problem(f"{file}: {where}", what or "row", one["msg"]))
    names = [row.name for row in rows]
    problems += [
        Problem(file, f"{key} {name}", "once", "twice") for name in sorted(set(names)) if names.count(name) > 1
    ]
    for row in rows:
        if isinstance(row, Value) and not row.bounds[0] <= row.value <= row.bounds[1]:
            text = f"{row.bounds[0]:g} to {row.bounds[1]:g}"
            problems.append(Problem(f"{file}: {key} {row.name}", "value", text, f"{row.value:g}"))
    if problems:
        raise ParameterError(problems, file=file)
    yield from rows


def _places(node: Any, parts: Sequence[str]) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value that a path names."""
    if isinstance(node, list):
        head, rest = parts[0], parts[1:]
        if node and isinstance(node[0], dict):
            for item in node:
                if head in ("*", item.get("key"), item.get("category")) and rest:
                    yield from _places(item, rest)
        elif head.isdigit() and int(head) < len(node) and not rest:
            yield node, int(head)
    elif isinstance(node, dict) and parts[0] in node:
        if len(parts) > 1:
            yield from _places(node[parts[0]], parts[1:])
        elif not isinstance(node[parts[0]], dict):
            yield node, parts[0]


def find(documents: Documents, path: str) -> list[tuple[Any, Any]]:
    """(container, key) of every value that a path names; empty when there is none."""
    file, *parts = path.split(".")
    return list(_places(documents[file], parts)) if file in documents and parts else []


def prior(documents: Documents, places: _Places) -> float:
    """What stands in the files: the one value of the places of ``set``, 1 for a factor."""
    if places.factor:
        return 1.0
    found = {container[key] for path in places.set for container, key in find(documents, path)}
    if len(found) != 1:
        raise ParameterError(Problem(places.name, "places of set", "one value", f"{len(found)} values"))
    return float(found.pop())


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(value: Any, key: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [x * factor for x in value]
    return 1 - power(1 - value, factor) if key in CHANCES else value * factor


def check_places(documents: Documents, rows: Sequence[_Places], file: str) -> None:
    """Refuse paths that name nothing, or no number, with every problem at once; and values found from another prior."""
    problems = []
    for row in rows:
        for path in (*row.set, *row.times, *row.divide):
            found = find(documents, path)
            if not found:
                problems.append(Problem(f"{file}: {row.name}", path, "a value of " + ", ".join(FILES), "no such path"))
            for container, key in found:
                value = container[key]
                if not (_number(value) or (not row.set and isinstance(value, list) and all(map(_number, value)))):
                    problems.append(Problem(f"{file}: {row.name}", path, "a number", repr(value)))
                elif isinstance(row, Value) and row.set and value != row.prior:
                    text = f"the prior {row.prior:g}, or a new calibration"
                    problems.append(Problem(f"{file}: {row.name}", path, text, f"{value:g}"))
    if problems:
        raise ParameterError(problems, file=file)


def apply(documents: Documents, values: Sequence[Value], file: str) -> None:
    """Put the values over the documents."""
    check_places(documents, values, file)
    for row in values:
        for path in row.set:
            for container, key in find(documents, path):
                container[key] = row.value
        for paths, factor in ((row.times, row.value), (row.divide, 1 / row.value)):
            for path in paths:
                for container, key in find(documents, path):
                    container[key] = _scaled(container[key], key, factor)


def to_toml(run: Mapping[str, Any], calibration: Calibration, sources: Mapping[str, str]) -> str:
    """The file of a calibration; the same values, the same bytes."""

    def text(value: Any) -> str:
        if isinstance(value, str):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if isinstance(value, list | tuple):
            return "[" + ", ".join(text(x) for x in value) + "]"
        return repr(value)

    lines = [
        "# Made by tools/calibrate; see README.md. value: parameters found, each put over its places in the other",
        "# files: set, or a factor on times and its inverse on divide. general_eur: mean euros per insured year of the",
        "# general part by group, sex (man, woman) and five-year age class, price level of the law year: Vektis less",
        "# conditions and episodes.",
        "[run]",
        *(f"{key} = {text(value)}" for key, value in run.items()),
    ]
    for row in calibration.values:
        lines += ["", "[[value]]"]
        for key, value in row.model_dump(exclude_defaults=True).items():
            lines.append(f"{key} = {text(value)}")
    lines += ["", "[general_eur]"]
    for name, table in (calibration.general_eur or {}).items():
        rest, region = ([[f"{x:.2f}" for x in sex] for sex in group] for group in table)
        rows = ["[" + ", ".join("[" + ", ".join(sex) + "]" for sex in group) + "]" for group in (rest, region)]
        lines.append(f"{name} = {{ source = {text(sources[name])}, rest = {rows[0]}, region = {rows[1]} }}")
    return "\n".join(lines) + "\n"
