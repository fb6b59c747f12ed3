"""Column maps: how the tables of a user become insured records, claims or ready-made classes (MAP.toml).

::

    [microdata]
    years = [2018, 2021]                   # first and last calendar year of the records

    [records]                              # one row per insured period
    file = "insured_*.csv"                 # beside the map; a pattern, or a list; Parquet, CSV, Arrow, SAS, Stata, SPSS
    [records.columns]                      # ours = "theirs"
    person    = "rinpersoon"
    first_day = "begin"
    [records.constants]
    represents = 1
    [records.units]
    first_day = "yyyymmdd"
    [records.codes.sex]                    # "theirs" = ours
    M = "m"

    [[claims]]                             # as often as there are files of another shape
    file = "gp.parquet"
    [claims.columns]
    ...

    [options]                              # what is accepted although it is wrong; counted and written into results
    cut_at_year_borders = true

``docs/microdata.md`` has every key.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from anderhalf._paths import data_directory
from anderhalf.errors import NotFoundError, ParameterError, Problem, near_matches

Value = StrictBool | StrictInt | StrictStr
Name = Annotated[StrictStr, Field(min_length=1)]

CATEGORIES = (
    "transport", "gp", "paramedical", "drugs", "obstetric", "maternity", "devices", "dental", "chain_care", "hospital",
    "diagnostics", "grz", "sensory", "nursing", "elv", "ggz", "other", "one_and_a_half_line",
)  # fmt: skip
INCOME = (
    "none", "iva", "disabled", "social_assistance", "student", "employed", "self_employed", "higher_educated",
    "reference",
)  # fmt: skip
HOUSEHOLD = ("none", "wlz_permanent", "wlz_entering", "one_person", "other")
WLZ = ("no", "entered", "lives_there")
TITLES = ("gp_care", "specialist_care", "designated")
DATES = ("iso", "yyyymmdd", "dd-mm-yyyy", "yyyymm", "year", "sas", "stata", "stata_month", "days_1970")


@dataclass(frozen=True)
class Kind:
    """What one column of records or claims is: how it is read, its range, and what stands for nothing."""

    read: Literal["id", "date", "code", "whole", "money", "flag", "diagnosis", "product", "insurer", "municipality"]
    default: int | None = None  # None: the column must be there
    low: int = 0
    high: int = 0
    names: tuple[str, ...] = ()  # of codes, in their order
    none: int | None = None  # of codes: what an unknown one becomes under `unknown_code_is_none`
    units: tuple[str, ...] = ()


MONEY = ("euros", "cents")
WHOLE = re.compile(r"-?[0-9]{1,18}")
FLAGS = {"0": 0, "1": 1, "false": 0, "true": 1}
RECORDS: Mapping[str, Kind] = {
    "person": Kind("id"),
    "address": Kind("id", 0),
    "insurer": Kind("insurer", low=1, high=65_535),
    "first_day": Kind("date", 0, units=DATES),
    "last_day": Kind("date", 0, units=DATES),
    "year": Kind("whole", 0, 1990, 2100),
    "days": Kind("whole", 0, 1, 366, units=("days", "months")),
    "birth": Kind("date", units=DATES),
    "sex": Kind("code", None, 1, 2, ("m", "f")),
    "municipality": Kind("municipality", 0, high=65_535, units=("names", "ours")),
    "region": Kind("code", None, 0, 10, tuple(map(str, range(11)))),
    "income_source": Kind("code", None, 0, 8, INCOME, none=0),
    "ses": Kind("code", None, 1, 4, ("1", "2", "3", "4")),
    "household": Kind("code", None, 0, 4, HOUSEHOLD, none=4),
    "wlz": Kind("code", 0, 0, 2, WLZ, none=0),
    "voluntary_deductible": Kind("money", 0, 0, 500_00, units=MONEY),
    "represents": Kind("whole", 1, 1, 65_535),
}
MAX_CENTS = (1 << 31) - 1
CLAIMS: Mapping[str, Kind] = {
    "person": Kind("id"),
    "opened": Kind("date", units=DATES),
    "closed": Kind("date", 0, units=DATES),
    "claimed": Kind("money", None, -MAX_CENTS, MAX_CENTS, units=MONEY),
    "settled": Kind("money", 0, -MAX_CENTS, MAX_CENTS, units=MONEY),
    "number": Kind("id", 0),
    "insurer": Kind("insurer", 0, 1, 65_535),
    "category": Kind("code", None, 0, 17, CATEGORIES),
    "product": Kind("product", 0, 0, (1 << 32) - 1, units=("number", "atc", "atc_addon", "zi", "prk")),
    "specialism": Kind("whole", 0, 0, 65_535),
    "diagnosis": Kind("diagnosis", 0, 0, 65_535),
    "ddd": Kind("whole", 0, 0, 65_535),
    "prescriptions": Kind("whole", 0, 0, 255),
    "consult": Kind("flag", 0, 0, 1),
    "title": Kind("code", 1, 0, 2, TITLES),
}
CLASS_UNITS = {"cents": ("cents", "euros"), "days": ("days", "months", "years")}
FORMATS = ("csv", "parquet", "arrow", "sas", "xport", "stata", "spss")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileTable(_Strict):
    """What is said of files whatever they hold."""

    file: Name | tuple[Name, ...] | None = None
    format: Literal["csv", "parquet", "arrow", "sas", "xport", "stata", "spss"] | None = None
    separator: Annotated[StrictStr, Field(min_length=1, max_length=1)] = ","
    encoding: Literal["utf-8", "utf-8-sig", "latin-1", "cp1252"] = "utf-8"
    decimal: Literal[".", ","] = "."
    rows: Annotated[StrictInt, Field(ge=0)] | None = None  # of all files together, to find a file cut short
    constants: dict[str, Value] = {}
    units: dict[str, StrictStr] = {}
    codes: dict[str, dict[str, Value]] = {}
    missing: dict[str, Value] = {}  # what an empty cell stands for; counted


class RowsTable(FileTable):
    """A table of records or of claims."""

    file: Name | tuple[Name, ...]
    columns: dict[str, Name]


class ClassesTable(FileTable):
    """A table with ready-made classes."""

    model: Name | None = None
    columns: dict[str, Name | tuple[Name, ...]]


class OptionsTable(_Strict):
    """What is accepted although it is wrong. Each option that is used is counted and written into results."""

    # records and classes
    drop_records_without_days: StrictBool = False
    clip_days_to_year: StrictBool = False
    unknown_code_is_none: tuple[Name, ...] = ()
    # records
    drop_exact_duplicates: StrictBool = False
    merge_adjacent_records: StrictBool = False
    cut_overlapping_records: StrictBool = False
    cut_at_year_borders: StrictBool = False
    drop_other_years: StrictBool = False
    days_from_january: StrictBool = False
    first_sex_and_birth: StrictBool = False
    # claims
    identical_claims: Literal["refuse", "keep", "drop"] = "refuse"
    drop_claims_without_record: StrictBool = False
    drop_claims_outside_periods: StrictBool = False
    insurer_of_record: StrictBool = False
    closed_is_opened: StrictBool = False
    round_to_cents: StrictBool = False
    round_ddd: StrictBool = False
    # classes
    two_classes: Literal["refuse", "highest"] = "refuse"


class MicrodataTable(_Strict):
    years: tuple[StrictInt, StrictInt] | None = None
    title: StrictStr = ""
    region: StrictStr | None = None  # for programmes: a region of params/population/society.toml


class SourceTable(_Strict):
    title: StrictStr = ""
    cite: StrictStr = ""
    url: StrictStr = ""
    checked: Any = None
    note: StrictStr = ""


class MapFile(_Strict):
    """The tables of a MAP.toml; unknown keys are errors."""

    microdata: MicrodataTable = MicrodataTable()
    source: SourceTable = SourceTable()
    records: RowsTable | None = None
    claims: tuple[RowsTable, ...] = ()
    classes: ClassesTable | None = None
    insurers: dict[str, Name] = {}  # our code -> name
    options: OptionsTable = OptionsTable()


@dataclass(frozen=True)
class ColumnMap:
    """A column map that was read and makes sense.

    Examples
    --------
    >>> column_map("ot-2020").classes.columns["age_sex"]
    'lgnw'
    """

    file: MapFile = field(repr=False)
    path: str
    folder: Path | None = field(default=None, repr=False, compare=False)
    sha256: str = field(default="", repr=False)  # of the file; empty when the map is none

    @property
    def years(self) -> tuple[int, int]:
        assert self.file.microdata.years is not None
        return self.file.microdata.years

    @property
    def options(self) -> OptionsTable:
        return self.file.options

    @property
    def classes(self) -> ClassesTable:
        """The table of ready-made classes."""
        if self.file.classes is None:
            raise ParameterError(
                Problem(f"{self.path} [classes]", "is missing", "the columns of ready-made classes")
            )  # fmt: skip
        return self.file.classes

    @property
    def tables(self) -> list[tuple[str, RowsTable]]:
        """Records and claims by the name that messages give them."""
        if self.file.records is None:
            raise ParameterError(Problem(f"{self.path} [records]", "is missing", "the table of insured periods"))
        claims = self.file.claims
        names = ["claims" if len(claims) == 1 else f"claims[{k}]" for k in range(len(claims))]
        return [("records", self.file.records), *zip(names, claims, strict=True)]

    @cached_property
    def insurers(self) -> dict[int, str]:
        """Names of insurers by our code, as far as the map gives them."""
        return {int(code): name for code, name in self.file.insurers.items()}

    def files(self, table: FileTable, where: str) -> list[Path]:
        """The files of a table, in the order of their names.

        Raises
        ------
        NotFoundError
            Names and patterns without a file, all of them.
        """
        names = [table.file] if isinstance(table.file, str) else list(table.file or ())
        folder, found, problems = self.folder or Path.cwd(), [], []
        for name in names:
            path = Path(name)
            if any(c in name for c in "*?["):
                base = Path(path.anchor) if path.is_absolute() else folder
                hits = sorted(p for p in base.glob(str(path.relative_to(path.anchor) if path.anchor else path)))
            else:
                hits = [folder / path] if (folder / path).is_file() else []
            if not hits:
                problems.append(Problem(f"{self.path} {where}.file", f"no file {name!r}", "a file beside the map"))
            found += hits
        if problems:
            raise NotFoundError(problems)
        return found


def column_map(source: str | PathLike[str] | Mapping[str, Any] | ColumnMap) -> ColumnMap:
    """A column map by name (``"ot-2020"``), from a TOML file or from a mapping of the same shape.

    Raises
    ------
    NotFoundError
        No such file or name.
    ParameterError
        Everything wrong in the map, with file and key.
    """
    if isinstance(source, ColumnMap):
        return source
    if isinstance(source, Mapping):
        return _checked(dict(source), "column map", None, "")
    path = Path(source)
    built_in = data_directory("params") / "microdata"
    if not path.suffix and not path.exists():
        known = sorted(p.stem.replace("_", "-") for p in built_in.glob("*.toml") if p.stem != "template")
        if str(source) not in known:
            raise NotFoundError(
                Problem(str(source), "is no column map", f"{', '.join(known)} or a file MAP.toml")
            )  # fmt: skip
        path = built_in / f"{str(source).replace('-', '_')}.toml"
    if not path.is_file():
        raise NotFoundError(Problem(path.name, "no such file", "a column map, MAP.toml"))
    content = path.read_bytes()
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ParameterError(Problem(path.name, "is no UTF-8", "a TOML file in UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(Problem(path.name, f"is no TOML: {error}")) from None
    return _checked(document, path.name, path.resolve().parent, hashlib.sha256(content).hexdigest())


def template() -> str:
    """A column map with comments that teach, to be filled in."""
    return (data_directory("params") / "microdata" / "template.toml").read_text(encoding="utf-8")


# --- reading a map ----------------------------------------------------------------------------------------------------

_HINTS = {
    "extra_forbidden": "is no key of a column map",
    "missing": "is missing",
}


def _checked(document: dict[str, Any], name: str, folder: Path | None, sha: str) -> ColumnMap:
    try:
        file = MapFile.model_validate(document)
    except ValidationError as error:
        raise ParameterError([_problem(name, item) for item in error.errors()]) from None
    result = ColumnMap(file, name, folder, sha)
    problems = _contradictions(result)
    if problems:
        raise ParameterError(problems)
    return result


def _problem(name: str, item: Any) -> Problem:
    loc = [part for part in item["loc"] if not re.fullmatch(r"(tuple|str|constrained-str|function).*", str(part))]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    if item["type"] == "extra_forbidden":
        known = _keys_at(loc[:-1])
        near = near_matches(str(loc[-1]), known)
        return Problem(f"{name} {key}", "is no key of a column map", f"one of {', '.join(near or known)}")
    if item["type"] == "missing":
        return Problem(f"{name} {key}", "is missing")
    text = str(item["msg"])
    return Problem(f"{name} {key}", text[0].lower() + text[1:])


def _keys_at(loc: list[Any]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {
        "microdata": MicrodataTable, "source": SourceTable, "records": RowsTable, "claims": RowsTable,
        "classes": ClassesTable, "options": OptionsTable,
    }  # fmt: skip
    return list((tables.get(str(loc[0]), MapFile) if loc else MapFile).model_fields)


def _contradictions(found: ColumnMap) -> list[Problem]:
    """What pydantic cannot see: columns, units and codes that do not exist, and what is missing or given twice."""
    name, file = found.path, found.file
    problems: list[Problem] = []
    if file.records is None and file.classes is None:
        problems.append(Problem(name, "has neither [records] nor [classes]", "one of them"))
    if file.records is not None:
        years = file.microdata.years
        if years is None:
            problems.append(Problem(f"{name} microdata.years", "is missing", "[first, last]"))
        elif not 2000 <= years[0] <= years[1] <= 2099:
            problems.append(Problem(f"{name} microdata.years", "is no range of years", "[first, last]", str(years)))
        for where, table in found.tables:
            problems += _table_problems(f"{name} {where}", table, CLAIMS if where != "records" else RECORDS, file)
        problems += _period_problems(name, file)
    elif file.claims:
        problems.append(Problem(f"{name} [[claims]]", "is given without [records]", "both"))
    if file.classes is not None:
        units = file.classes.units
        problems += [
            Problem(f"{name} classes.units.{key}", "is no unit", f"{key}: one of {', '.join(CLASS_UNITS[key])}"
                    if key in CLASS_UNITS else f"one of {', '.join(CLASS_UNITS)}", units[key])
            for key in units if key not in CLASS_UNITS or units[key] not in CLASS_UNITS[key]
        ]  # fmt: skip
        ours = {name for key in file.classes.columns for name in expanded(key)}
        problems += [
            Problem(f"{name} classes.{part}.{key}", "is no column of the map", "a key of [classes.columns]")
            for part, keys in (("codes", file.classes.codes), ("missing", file.classes.missing))
            for key in keys
            if key not in ours
        ]
        problems += [
            Problem(f"{name} classes.{part}.{key}", "cannot stand for persons and insurers", "a column as it is")
            for part, keys in (("codes", file.classes.codes), ("missing", file.classes.missing))
            for key in keys
            if key in ("person", "insurer")
        ]
        named = {f"codes.{key}.{theirs}": ours for key, codes in file.classes.codes.items()
                 for theirs, ours in codes.items()}  # fmt: skip
        named |= {f"missing.{key}": value for key, value in file.classes.missing.items()}
        problems += [
            Problem(f"{name} classes.{key}", "is no number of a class", "a whole number", str(value))
            for key, value in named.items()
            if isinstance(value, bool) or not WHOLE.fullmatch(str(value))
        ]
        for key, codes in file.classes.codes.items():
            problems += _twice(f"{name} classes.codes.{key}", codes)
        problems += [
            Problem(f"{name} classes.{key}", "stands in columns and in constants", "one of them")
            for key in file.classes.constants
            if key in ours
        ]
    problems += _unknown_options(name, file)
    for code in file.insurers:
        if not (WHOLE.fullmatch(code) and 1 <= int(code) <= 65_535):
            problems.append(Problem(f"{name} insurers.{code}", "is no code of an insurer", "1..65535"))
    return problems


def _unknown_options(name: str, file: MapFile) -> list[Problem]:
    known = [key for key, kind in RECORDS.items() if kind.none is not None] if file.records is not None else []
    if file.classes is not None:
        known += [each for key in file.classes.columns for each in expanded(key)]
    return [
        Problem(f"{name} options.unknown_code_is_none", "is no column with a code none", f"some of {', '.join(known)}",
                key)
        for key in file.options.unknown_code_is_none if key not in known
    ]  # fmt: skip


def _table_problems(where: str, table: RowsTable, kinds: Mapping[str, Kind], file: MapFile) -> list[Problem]:
    problems = []
    for part, names in (
        ("columns", table.columns), ("constants", table.constants), ("units", table.units), ("codes", table.codes),
        ("missing", table.missing),
    ):  # fmt: skip
        for key in names:
            if key not in kinds:
                near = near_matches(key, list(kinds))
                problems.append(Problem(f"{where}.{part}.{key}", "is no column of ours",
                                        f"one of {', '.join(near or kinds)}"))  # fmt: skip
    given = {*table.columns, *table.constants}
    problems += [
        Problem(f"{where}.columns.{key}", "is missing", "a column, or a value in constants")
        for key, kind in kinds.items() if kind.default is None and key not in given
    ]  # fmt: skip
    problems += [
        Problem(f"{where}.{key}", "stands in columns and in constants", "one of them")
        for key in table.columns if key in table.constants
    ]  # fmt: skip
    for key, unit in table.units.items():
        if key in kinds and unit not in kinds[key].units:
            expected = ", ".join(kinds[key].units)
            what = "has no unit" if not expected else "is no unit of it"
            problems.append(Problem(f"{where}.units.{key}", what, expected and f"one of {expected}", unit))
    for key in table.columns:
        kind = kinds.get(key)
        if kind is not None and kind.read in ("date", "money") and key not in table.units:
            problems.append(Problem(f"{where}.units.{key}", "is missing", f"one of {', '.join(kind.units)}"))
    for key, table_of in (("codes", table.codes),):
        for column, codes in table_of.items():
            kind = kinds.get(column)
            if kind is None:
                continue
            problems += _twice(f"{where}.{key}.{column}", codes)
            for theirs, ours in codes.items():
                if kind.read == "flag" and str(ours).lower() not in FLAGS:
                    problems.append(Problem(f"{where}.{key}.{column}.{theirs}", "is no flag", "0, 1, true or false",
                                            str(ours)))  # fmt: skip
                if kind.read == "municipality" and isinstance(ours, int) and ours not in _municipalities():
                    problems.append(Problem(f"{where}.{key}.{column}.{theirs}", "is no municipality of ours",
                                            "its name, or 0 abroad", str(ours)))  # fmt: skip
                if kind.read == "code" and code_of(kind, ours) is None:
                    problems.append(Problem(f"{where}.{key}.{column}.{theirs}", "is no code of ours",
                                            f"one of {', '.join(kind.names)}", str(ours)))  # fmt: skip
                if kind.read == "insurer" and not (isinstance(ours, int) and 1 <= ours <= 65_535):
                    problems.append(Problem(f"{where}.{key}.{column}.{theirs}", "is no code of an insurer",
                                            "1..65535, with its name in [insurers]", str(ours)))  # fmt: skip
    for part, values in (("constants", table.constants), ("missing", table.missing)):
        for column, value in values.items():
            if (
                column not in kinds
                or kinds[column].read != "id"
                or (part, column, value) == ("missing", "address", "alone")
            ):
                continue
            expected = 'missing.address = "alone"' if column == "address" else "a column with a value in every row"
            problems.append(Problem(f"{where}.{part}.{column}", "cannot stand for ids", expected))
    for column, value in {**table.constants, **table.missing}.items():
        kind = kinds.get(column)
        if kind is not None and kind.read == "code" and code_of(kind, value) is None:
            part = "constants" if column in table.constants else "missing"
            problems.append(Problem(f"{where}.{part}.{column}", "is no code of ours", f"one of {', '.join(kind.names)}",
                                    str(value)))  # fmt: skip
    return problems


def _municipalities() -> set[int]:
    from anderhalf.microdata import municipality_numbers

    return {0, *municipality_numbers().values()}


def _period_problems(name: str, file: MapFile) -> list[Problem]:
    assert file.records is not None
    given = {*file.records.columns, *file.records.constants}
    dates, lengths = {"first_day", "last_day"}, {"year", "days"}
    if dates <= given and not lengths & given:
        return []
    if lengths <= given and not dates & given:
        if file.options.days_from_january:
            return []
        return [Problem(f"{name} options.days_from_january", "is needed: days without dates have no place in the year",
                        "true (the records of a person stand one after another from 1 January), or first_day and "
                        "last_day")]  # fmt: skip
    got = ", ".join(sorted(given & (dates | lengths))) or "none of them"
    return [Problem(f"{name} records.columns", "does not say which days are insured", "first_day and last_day, or year "
                    "and days", got)]  # fmt: skip


def code_of(kind: Kind, value: Any) -> int | None:
    """Our number for a code given as a number or by its name; None when there is no such code."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value in kind.names:
        return kind.low + kind.names.index(value)
    if isinstance(value, int) or WHOLE.fullmatch(value):
        number = int(value)
        return number if kind.low <= number <= kind.high else None
    return None


def plain(text: str) -> str:
    """A code without leading zeros, when it is digits alone.

    Examples
    --------
    >>> plain("0917"), plain("A1")
    ('917', 'A1')
    """
    return (text.lstrip("0") or "0") if text.isascii() and text.isdecimal() else text


def _twice(where: str, codes: Mapping[str, Value]) -> list[Problem]:
    """Codes that differ in leading zeros alone and stand for different things."""
    first: dict[str, str] = {}
    problems = []
    for theirs, ours in codes.items():
        other = first.setdefault(plain(theirs), theirs)
        if codes[other] != ours:
            problems.append(Problem(f"{where}.{theirs}", f"is {other} with other leading zeros and stands for another",
                                    "one code of ours for both"))  # fmt: skip
    return problems


def expanded(name: str) -> list[str]:
    """``"fkg1..fkg3"`` as its three names.

    Examples
    --------
    >>> expanded("fkg08..fkg10"), expanded("mhk")
    (['fkg08', 'fkg09', 'fkg10'], ['mhk'])
    """
    found = re.fullmatch(r"(.*?)(\d+)\.\.(.*?)(\d+)", name)
    if not found or found[1] != found[3]:
        return [name]
    width = len(found[2]) if found[2].startswith("0") else 0
    return [f"{found[1]}{k:0{width}d}" for k in range(int(found[2]), int(found[4]) + 1)]


def resolve(wanted: str, names: tuple[str, ...] | list[str]) -> str | None:
    """The name of a column among those of a file: as it is, else the only one that differs in capitals alone.

    Examples
    --------
    >>> resolve("lgnw", ["LGNW", "mhk"]), resolve("lgnw", ["LGNW", "Lgnw"])
    ('LGNW', None)
    """
    if wanted in names:
        return wanted
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else None


def read_key(path: str | PathLike[str]) -> bytes:
    """The key of the ids from a file of 16 to 64 bytes.

    Raises
    ------
    NotFoundError, ParameterError
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(Problem("--key-file", "no such file", "a file of 16 to 64 random bytes"))
    key = path.read_bytes()
    if not 16 <= len(key) <= 64:
        raise ParameterError(Problem("--key-file", "is no key by its length", "16 to 64 bytes", f"{len(key)} bytes"))
    return key


def new_key() -> bytes:
    """A random key, for ids that nobody can make again."""
    return os.urandom(32)
