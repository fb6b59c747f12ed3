"""Scenario files: which programmes run together, for whom, under which law and rules.

A programme says what happens to care; a scenario says which programmes happen, who takes part and how the scheme runs.
``[scenario]`` has title, programmes, adoption, model, start and horizon; ``[rules]`` the fields of
:class:`~anderhalf.simulation.Rules`. A list of programmes alone is a scenario too.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from anderhalf._paths import data_directory
from anderhalf.errors import AnderhalfError, NotFoundError, ParameterError, Problem, near_matches
from anderhalf.export import sha256
from anderhalf.programme import Programme, load_programme, no_file, programme_names
from anderhalf.simulation import Rules

ADOPTION, MODEL, START, HORIZON = "insurer:CZ", "nl-2021-structural", 2021, 10


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    title_nl: str = ""
    programmes: tuple[str, ...] = Field(min_length=1)
    adoption: str = ADOPTION
    model: str = MODEL
    start: int = START
    horizon: int = Field(default=HORIZON, ge=1, le=10)


@dataclass(frozen=True)
class Scenario:
    """Programmes that happen together, who takes part, and the law and rules that they happen under."""

    programmes: tuple[Programme, ...]
    title: str = ""
    title_nl: str = ""
    adoption: str = ADOPTION
    model: str = MODEL
    start: int = START
    horizon: int = HORIZON
    rules: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def name(self) -> str:
        """One line that says what runs."""
        return self.title or " + ".join(p.name for p in self.programmes)

    def settings(self) -> Rules:
        """The rules in full."""
        return Rules(start=self.start, horizon=self.horizon, **dict(self.rules))


@lru_cache(maxsize=1)
def _rules_table() -> type[BaseModel]:
    """The fields of Rules that a file may set, each of its own type."""
    types = get_type_hints(Rules)
    own = {f.name: (types[f.name], f.default) for f in fields(Rules) if f.name not in ("start", "horizon")}
    config = ConfigDict(extra="forbid")
    return create_model("RulesTable", __config__=config, **own)  # type: ignore[call-overload,no-any-return]


def known_names() -> tuple[list[str], list[str]]:
    """Names of the programmes and of the scenarios that come along."""
    files = sorted(data_directory("scenarios").glob("*.toml"))
    return programme_names(), [path.stem for path in files if is_scenario(path)]


def is_scenario(path: Path) -> bool:
    """Whether a file is a scenario: it has a table [scenario]."""
    try:
        return "scenario" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def _path(name: str, beside: Path | None) -> Path:
    path = Path(name)
    if path.suffix != ".toml":
        return data_directory("scenarios") / f"{name}.toml"
    return path if beside is None or path.is_absolute() else beside / path


def load_scenario(*names: str | Path, **options: Any) -> Scenario:
    """Read a scenario file and programmes, by name (``"pluspunt"``, ``"mijnstreek"``) or from files of your own.

    Parameters
    ----------
    names : str or path
        Programmes, and one scenario file at most; its programmes come first.
    options
        ``adoption, model, start, horizon``: what is not None goes before the file.

    Raises
    ------
    ParameterError, NotFoundError
        Every problem of every file at once: names and keys that are not there, values that do not fit, two scenario
        files, a programme that is named twice.
    """
    problems: list[Problem] = []
    given = [str(name) for name in names]
    files = [name for name in given if is_scenario(_path(name, None))]
    settings: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    digest = ""
    wanted: list[tuple[str, Path | None]] = []
    if len(files) > 1:
        problems.append(Problem("simulate", "scenario files", "one at most", ", ".join(files)))
    elif files:
        path = _path(files[0], None)
        inside, settings, rules, digest = _read(path, problems)
        wanted += [(name, path) for name in inside]
    wanted += [(name, None) for name in given if name not in files]
    programmes = []
    for name, of in wanted:
        try:
            programmes.append(_programme(name, of))
        except AnderhalfError as error:
            problems += error.problems
    problems += _twice(programmes)
    if not wanted and not problems:
        problems.append(Problem("simulate", "programmes", "one or more"))
    if problems:
        raise ParameterError(problems)
    settings |= {key: value for key, value in options.items() if value is not None}
    return Scenario(tuple(programmes), rules=rules, sha256=digest, **settings)


def _programme(name: str, of: Path | None) -> Programme:
    path = _path(name, of.parent if of else None)
    if is_scenario(path):
        where = of.name if of else "simulate"
        raise ParameterError([Problem(where, "programmes", "programmes, no scenario inside a scenario", name)])
    known = programme_names()
    if path.is_file() and (name in known or name.endswith(".toml")):
        return load_programme(path)
    if name.endswith(".toml"):
        raise NotFoundError([no_file(name, of.name if of else "simulate")])
    near = near_matches(name, known) or known
    raise NotFoundError(
        [Problem(of.name if of else "simulate", "programme", f"a .toml file, or one of {', '.join(near)}", name)]
    )


def _twice(programmes: Sequence[Programme]) -> list[Problem]:
    """Programmes whose draws or results could not be told apart."""
    problems = []
    for name, count in Counter(p.name for p in programmes).items():
        if count > 1:
            problems.append(Problem("simulate", f"programme {name}", "once", f"{count} times"))
    by_id: dict[int, list[str]] = {}
    for p in programmes:
        names = by_id.setdefault(p.file.programme.id, [])
        if p.name not in names:
            names.append(p.name)
    for number, found in by_id.items():
        if len(found) > 1:
            problems.append(Problem(", ".join(found), "programme.id", "an id of its own each", str(number)))
    return problems


def _read(path: Path, problems: list[Problem]) -> tuple[tuple[str, ...], dict[str, Any], dict[str, Any], str]:
    """Programmes, settings, rules and hash of a scenario file; what is wrong with it goes to ``problems``."""
    data = path.read_bytes()
    document = tomllib.loads(data.decode("utf-8"))
    problems += [
        Problem(path.name, f"table [{key}]", "[scenario] and [rules] only")
        for key in document
        if key not in ("scenario", "rules")
    ]
    head = _valid(_Head, document["scenario"], f"{path.name}, scenario", problems)
    rules = _valid(_rules_table(), document.get("rules", {}), f"{path.name}, rules", problems)
    try:
        Rules(**rules)
    except AnderhalfError as error:
        problems += [Problem(f"{path.name}, rules", p.what, p.expected, p.got) for p in error.problems]
    return tuple(head.pop("programmes", ())), head, rules, sha256(data)


def _valid(kind: type[BaseModel], given: Any, where: str, problems: list[Problem]) -> dict[str, Any]:
    """The keys of a table that can be read; the others are named."""
    if not isinstance(given, dict):
        problems.append(Problem(where, "a table", f"[{where.rpartition(' ')[2]}]", type(given).__name__))
        return {}
    try:
        return kind.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        wrong = {str(e["loc"][0]) for e in error.errors()}
        for e in error.errors():
            key = ".".join(map(str, e["loc"]))
            if e["type"] == "extra_forbidden":
                known = list(kind.model_fields)
                problems.append(
                    Problem(where, f"no key {key}", "one of " + ", ".join(near_matches(key, known) or known))
                )
            elif e["type"] == "missing":
                problems.append(Problem(where, f"{key} is missing", "a value"))
            else:
                expected = e["msg"].removeprefix("Input should be ").removeprefix("a valid ")
                problems.append(Problem(where, key, expected, repr(e["input"])[:60]))
        return {key: value for key, value in given.items() if key not in wrong}


__all__ = ["Scenario", "is_scenario", "known_names", "load_scenario"]
