"""Which care leads to which class: the stand-in per model year, and Zorginstituut's reference files in its place.

The law names classes; reference files (referentiebestanden) say which drugs, diagnoses and devices lead to them. Those
of 2015 to 2021 were not found: ``params/population/mapping.toml`` stands in for 2021, ``mapping_<year>.toml`` says what
its classes become in another year. :func:`import_mapping` reads Zorginstituut's own files: see docs/mapping.md.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from anderhalf._paths import data_directory
from anderhalf.errors import DomainError, ParameterError, Problem, near_matches, not_found
from anderhalf.model import Criterion, Model, RiskClass, load_model

if TYPE_CHECKING:
    import os

    from anderhalf import _core

Row = dict[str, Any]
Kind = Literal["drugs", "diagnoses", "care_products", "devices", "physiotherapy", "mental_care"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What a row is known by, and the columns that hold a class, with the criterion of the class.
IDENTITY: dict[Kind, tuple[str, ...]] = {
    "drugs": ("drug",),
    "diagnoses": ("specialism", "diagnosis"),
    "care_products": ("product",),
    "devices": ("device",),
    "physiotherapy": ("diagnosis",),
    "mental_care": ("diagnosis",),
}
CLASSES: dict[Kind, dict[str, str]] = {
    "drugs": {"fkg": "fkg", "ggz_fkg": "ggz_fkg", "ggz_indicated": "ggz_fkg"},
    "diagnoses": {"dkg": "dkg", "dkg_primary": "dkg_primary", "dkg_secondary": "dkg_secondary"},
    "care_products": {"dkg": "dkg", "dkg_primary": "dkg_primary", "dkg_secondary": "dkg_secondary"},
    "devices": {"hkg": "hkg"},
    "physiotherapy": {"fdg": "fdg"},
    "mental_care": {"ggz_dkg": "ggz_dkg"},
}
CRITERIA: dict[str, Kind] = {
    criterion: kind for kind in KINDS if kind != "care_products" for criterion in CLASSES[kind].values()
}
# For people, not for the grouper.
NOTES = frozenset({"name", "addon", "code", "dx"})


# --- Codes as numbers

Naming = Literal["group", "atc", "atc_addon", "zi", "prk"]
_BASE: dict[Naming, int] = {
    "group": 0,
    "atc": 1_000_000_000,
    "atc_addon": 1_500_000_000,
    "zi": 2_000_000_000,
    "prk": 3_000_000_000,
}
_SIZE: dict[Naming, int] = {
    "group": 1_000_000,
    "atc": 26**3 * 100**2,
    "atc_addon": 26**3 * 100**2,
    "zi": 10**8,
    "prk": 10**8,
}
_ATC = re.compile(r"[A-Z]\d\d[A-Z][A-Z]\d\d")


def drug_number(code: str | int, naming: Naming = "atc") -> int:
    """The product number of a claim for a drug: ATC, ZI and PRK codes as whole numbers below 2^32.

    Parameters
    ----------
    code : str or int
        ``"L04AB02"`` (all seven places), a ZI or PRK number, or a drug group of the stand-in.
    naming : {"atc", "atc_addon", "zi", "prk", "group"}
        ``atc_addon`` is a drug paid by hospitals as an add-on, which leads to other classes than the same drug from a
        pharmacy.

    Raises
    ------
    DomainError
        A code that is none.

    Examples
    --------
    >>> drug_number("L04AB02"), drug_number("L04AB02", "atc_addon"), drug_number(12345678, "zi")
    (1074630502, 1574630502, 2012345678)
    >>> drug_code(1074630502)
    ('atc', 'L04AB02')
    """
    text = str(code).strip().upper()
    if naming in ("atc", "atc_addon"):
        if not _ATC.fullmatch(text):
            raise DomainError(Problem("drug code", "no ATC code of seven places", "such as L04AB02", text))
        letter = [ord(text[k]) - ord("A") for k in (0, 3, 4)]
        rank = (((letter[0] * 100 + int(text[1:3])) * 26 + letter[1]) * 26 + letter[2]) * 100 + int(text[5:])
        return _BASE[naming] + rank
    if not text.isdecimal() or int(text) >= _SIZE[naming]:
        raise DomainError(Problem("drug code", f"no {naming} number", f"0..{_SIZE[naming] - 1}", text))
    return _BASE[naming] + int(text)


def drug_code(number: int) -> tuple[Naming, str]:
    """The naming and the code behind a product number; undoes :func:`drug_number`."""
    for naming, base in _BASE.items():
        rank = number - base
        if 0 <= rank < _SIZE[naming]:
            if naming not in ("atc", "atc_addon"):
                return naming, str(rank)
            rank, last = divmod(rank, 100)
            rank, third = divmod(rank, 26)
            rank, second = divmod(rank, 26)
            first, two = divmod(rank, 100)
            letters = [chr(ord("A") + k) for k in (first, second, third)]
            return naming, f"{letters[0]}{two:02}{letters[1]}{letters[2]}{last:02}"
    raise DomainError(Problem("drug number", "stands for no code", "one that drug_number gives", str(number)))


_DIAGNOSIS = re.compile(r"([A-Z]?)(\d{1,4})")


def diagnosis_number(code: str | int) -> int:
    """The diagnosis number of a hospital claim: digits as they are, a letter (gynaecology: G11) as 10,000 and more.

    Examples
    --------
    >>> diagnosis_number("1701"), diagnosis_number("051"), diagnosis_number("G11"), diagnosis_number("0G11")
    (1701, 51, 16011, 16011)
    """
    text = str(code).strip().upper().lstrip("0") or "0"
    found = _DIAGNOSIS.fullmatch(text)
    if not found or (found[1] and len(found[2]) > 3):
        expected = "up to 4 digits, or a letter and up to 3"
        raise DomainError(Problem("diagnosis code", "no diagnosis code", expected, str(code)))
    return int(found[2]) + (10_000 + 1_000 * (ord(found[1]) - ord("A")) if found[1] else 0)


def diagnosis_code(number: int) -> str:
    """The diagnosis code behind a number, four digits or a letter and two; undoes :func:`diagnosis_number`."""
    if not 0 <= number < 36_000:
        raise DomainError(Problem("diagnosis number", "stands for no code", "0..35999", str(number)))
    if number < 10_000:
        return f"{number:04}"
    letter, digits = divmod(number - 10_000, 1_000)
    return f"{chr(ord('A') + letter)}{digits:02}"


# --- A mapping


@dataclass(frozen=True)
class ReferenceMapping:
    """Which care leads to which class of one model year.

    Rows hold class codes as in the model's tables; 0 is none. ``code`` and ``dx`` are as printed in the files.
    """

    model: str
    source: tuple[str, ...]
    drugs: tuple[Row, ...] = ()
    diagnoses: tuple[Row, ...] = ()
    care_products: tuple[Row, ...] = ()
    """Care products that lead to a dx group whatever the diagnosis."""
    consults: tuple[int, ...] = ()
    """Care products that are consults: they never lead to a DKG."""
    devices: tuple[Row, ...] = ()
    physiotherapy: tuple[Row, ...] = ()
    mental_care: tuple[Row, ...] = ()
    nursing_region: tuple[int, ...] = ()
    light_product_percent: int = 0
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Why nobody is in a class, by (criterion, key)."""
    omitted: tuple[str, ...] = ()
    """Criteria that the mapping says nothing of."""

    def rows(self, kind: Kind) -> tuple[Row, ...]:
        """The rows of one kind."""
        return getattr(self, kind)  # type: ignore[no-any-return]

    def core(self, light_product_percent: int | None = None) -> _core.Mapping:
        """The struct that the grouper reads."""
        from anderhalf import _core

        result = _core.Mapping()
        kinds: dict[Kind, Any] = {
            "drugs": _core.Mapping.Drug,
            "diagnoses": _core.Mapping.Diagnosis,
            "care_products": _core.Mapping.CareProduct,
            "devices": _core.Mapping.Device,
            "physiotherapy": _core.Mapping.Physiotherapy,
            "mental_care": _core.Mapping.MentalCare,
        }
        for kind, struct in kinds.items():
            rows = []
            for values in self.rows(kind):
                row = struct()
                for key, value in values.items():
                    if key not in NOTES:
                        setattr(row, key, value)
                rows.append(row)
            setattr(result, kind, rows)
        result.consults = list(self.consults)
        result.nursing_region = list(self.nursing_region)
        share = self.light_product_percent if light_product_percent is None else light_product_percent
        result.light_product_percent = share
        return result

    def frame(self) -> pd.DataFrame:
        """One row per care and class that it leads to: criterion, code, key, label, kind, care, name."""
        model = load_model(self.model)
        result = []
        for kind in KINDS:
            for row in self.rows(kind):
                care = row.get("code") or " x ".join(str(row[key]) for key in IDENTITY[kind])
                for column, criterion in CLASSES[kind].items():
                    if code := row.get(column, 0):
                        of = criteria_of(model)[criterion].by_code(code)
                        result.append((criterion, code, of.key, of.label, kind, care, row.get("name", "")))
        columns = ["criterion", "code", "key", "label", "kind", "care", "name"]
        frame = pd.DataFrame(result, columns=columns)
        place = frame.criterion.map({name: k for k, name in enumerate(CRITERIA)})
        return frame.iloc[pd.DataFrame({"place": place, "code": frame.code}).sort_values(["place", "code"]).index]

    def unreached(self) -> pd.DataFrame:
        """Classes of the model that no care leads to, each with the reason: criterion, code, key, label, reason."""
        model = load_model(self.model)
        rows = [
            (name, c.code, c.key, c.label, self.reasons.get((name, c.key), "")) for name, c in unreached(self, model)
        ]
        return pd.DataFrame(rows, columns=["criterion", "code", "key", "label", "reason"])

    def to_toml(self) -> str:
        """The mapping as TOML text; :func:`load_mapping` reads it back."""
        lines = [f"model = {_toml(self.model)}", f"source = {_toml(list(self.source))}"]
        if self.omitted:
            lines.append(f"omitted = {_toml(list(self.omitted))}")
        if self.nursing_region:
            lines.append(f"nursing_region = {_toml(list(self.nursing_region))}")
        lines.append(f"light_product_percent = {self.light_product_percent}")
        if self.consults:
            lines.append(f"consults = {_toml(list(self.consults))}")
        for kind in KINDS:
            if kind == "care_products" and not self.care_products:
                continue
            lines += ["", f"{kind} = [", *(f"  {_toml(row)}," for row in self.rows(kind)), "]"]
        for (criterion, key), reason in sorted(self.reasons.items()):
            lines += ["", "[[unreached]]", f"criterion = {_toml(criterion)}", f"classes = [{_toml(key)}]"]
            lines.append(f"reason = {_toml(reason)}")
        return "\n".join(lines) + "\n"

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write :meth:`to_toml` to a file that is not there yet."""
        target = Path(path)
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(self.to_toml())
        except OSError as error:
            raise ParameterError(Problem(target.name, f"cannot be written: {error.strerror}"), target.name) from None
        return target

    def __str__(self) -> str:
        counts = ", ".join(f"{len(self.rows(kind))} {kind.replace('_', ' ')}" for kind in KINDS if self.rows(kind))
        missing = self.unreached()
        lines = [f"{self.model}: {counts}", f"source: {'; '.join(self.source)}"]
        if self.omitted:
            lines.append(f"left out: {', '.join(self.omitted)}")
        lines += [
            f"nobody in {row['criterion']} {row['code']} ({row['key']}): {row['reason']}"
            for row in missing.to_dict("records")
        ]
        return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    escaped = "".join(
        f"\\u{ord(c):04X}" if ord(c) < 32 or ord(c) == 127 else {'"': '\\"', "\\": "\\\\"}.get(c, c) for c in str(value)
    )
    return f'"{escaped}"'


def criteria_of(model: Model) -> dict[str, Criterion]:
    """The criteria of a model that rest on a mapping."""
    found = {c.name: c for share in (model.variable, model.ggz) for c in share.criteria}
    return {name: found[name] for name in CRITERIA if name in found}


def unreached(mapping: ReferenceMapping, model: Model) -> Iterator[tuple[str, RiskClass]]:
    """Classes of the model that no care leads to, with their criterion."""
    reached = {
        (criterion, row.get(column, 0))
        for kind in KINDS
        for row in mapping.rows(kind)
        for column, criterion in CLASSES[kind].items()
    }
    for name, criterion in criteria_of(model).items():
        if name not in mapping.omitted:
            yield from ((name, c) for c in criterion.classes if c.code > 0 and (name, c.code) not in reached)


# --- The stand-in


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Assumption = Literal["assumption"]
Reason = Annotated[StrictStr, Field(min_length=1)]


class _Drug(_Strict):
    drug: Annotated[StrictInt, Field(ge=0, lt=2**32)]
    fkg: Annotated[StrictInt, Field(ge=0, le=64)] = 0
    ggz_fkg: Annotated[StrictInt, Field(ge=0, le=32)] = 0
    min_ddd: Annotated[StrictInt, Field(ge=0)] = 180
    min_prescriptions: Annotated[StrictInt, Field(ge=0)] = 0
    ggz_min_prescriptions: Annotated[StrictInt, Field(ge=0)] = 0
    ggz_indicated: Annotated[StrictInt, Field(ge=0, le=32)] = 0
    ended_addon: StrictInt = 0
    addon: bool = False
    code: StrictStr = ""
    name: StrictStr = ""


class _Diagnosis(_Strict):
    specialism: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    diagnosis: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    dx_group: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    dkg: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    dkg_primary: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    dkg_secondary: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    light: bool = False
    code: StrictStr = ""
    dx: StrictStr = ""
    name: StrictStr = ""


class _CareProduct(_Strict):
    product: Annotated[StrictInt, Field(ge=0, lt=2**32)]
    dx_group: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    dkg: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    dkg_primary: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    dkg_secondary: Annotated[StrictInt, Field(ge=0, lt=32)] = 0
    code: StrictStr = ""
    dx: StrictStr = ""


class _Device(_Strict):
    device: Annotated[StrictInt, Field(ge=0, lt=2**32)]
    hkg: Annotated[StrictInt, Field(ge=0, le=32)]
    name: StrictStr = ""


class _Physiotherapy(_Strict):
    diagnosis: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    fdg: Annotated[StrictInt, Field(ge=0)]
    name: StrictStr = ""


class _MentalCare(_Strict):
    diagnosis: Annotated[StrictInt, Field(ge=0, lt=2**16)]
    ggz_dkg: Annotated[StrictInt, Field(ge=0)]
    name: StrictStr = ""


class _Unreached(_Strict):
    criterion: StrictStr
    classes: list[StrictStr]
    reason: Reason


class _MappingFile(_Strict):
    """``mapping.toml``, and what :meth:`ReferenceMapping.to_toml` writes."""

    model: StrictStr = "nl-2021"
    source: list[StrictStr] = ["stand-in of anderhalf, every row an assumption"]
    omitted: list[StrictStr] = []
    drugs: list[_Drug]
    diagnoses: list[_Diagnosis]
    care_products: list[_CareProduct] = []
    consults: list[Annotated[StrictInt, Field(ge=0, lt=2**32)]] = []
    devices: list[_Device]
    physiotherapy: list[_Physiotherapy]
    mental_care: list[_MentalCare]
    nursing_region: list[StrictInt] = []
    light_product_percent: Annotated[StrictInt, Field(ge=0, le=100)]
    unreached: list[_Unreached] = []


class _OtherClasses(_Strict):
    """What the classes of one criterion of the base year become."""

    from_: Annotated[StrictStr, Field(alias="from")]
    rule: Literal["same_condition", "nearest_weight", "place"]
    compared_with: StrictInt = 0
    status: Assumption
    reason: Reason
    classes: dict[str, StrictStr] = {}
    without: list[StrictStr] = []


class _OtherDrug(_Strict):
    drug: StrictInt
    fkg: StrictStr = ""
    ggz_fkg: StrictStr = ""
    ggz_indicated: StrictStr = ""
    ggz_min_prescriptions: StrictInt = 0
    name: StrictStr = ""
    status: Assumption
    reason: Reason


class OtherYear(_Strict):
    """``mapping_<year>.toml``: the stand-in of another year as a change of that of 2021."""

    model: StrictStr
    base: StrictStr
    nursing_region: list[StrictInt] = []
    criterion: list[_OtherClasses]
    drug: list[_OtherDrug] = []
    unreached: list[_Unreached] = []


def load_mapping(
    model: Model | str | int = "nl-2021",
    path: str | os.PathLike[str] | None = None,
    *,
    light_product_percent: int | None = None,
) -> ReferenceMapping:
    """Which care leads to which class: the stand-in of a model year, or a mapping in a file.

    Parameters
    ----------
    model : Model, str or int
        The stand-in is that of the model's year, or of this year: 2015, 2019, 2020 or 2021. Later years take that of
        2021, for models with its classes; criteria that a model does not have are left out.
    path : path-like, optional
        A file that ``anderhalf mapping import`` wrote; it must be of the model's year.
    light_product_percent : int, optional
        Share of the heavier products of a light diagnosis that lead to its dx group; default: that of the file.

    Raises
    ------
    NotFoundError
        A year without a stand-in.
    ParameterError
        Everything in the file that is wrong.

    Examples
    --------
    >>> load_mapping("nl-2020").unreached().key.tolist()
    ['dkg_primary_3', 'dkg_primary_9', 'dkg_primary_13', 'dkg_secondary_2', 'dkg_secondary_4', 'dkg_secondary_7']
    """
    law = load_model(model) if isinstance(model, str) else model
    # Structures of later years keep the classes of their base year (params/nl/20NN-structural).
    year = law if isinstance(law, int) else law.classes_year
    mapping = _stand_in(year) if path is None else read_mapping(path)
    if path is not None and load_model(mapping.model).year != year:
        name = Path(path).name
        raise ParameterError(Problem(name, "a mapping of another year", str(year), mapping.model), name, "model")
    if isinstance(law, Model):
        mapping = _for_model(mapping, law)
    if light_product_percent is not None:
        mapping = replace(mapping, light_product_percent=light_product_percent)
    return mapping


def _for_model(mapping: ReferenceMapping, law: Model) -> ReferenceMapping:
    """The mapping for a model with the same classes, less the criteria that the model does not have."""
    base, own = criteria_of(load_model(mapping.model)), criteria_of(law)
    problems = [
        Problem(law.name, f"other classes of {name} than {mapping.model}", "a mapping of its own")
        for name, criterion in own.items()
        if name not in base or [c.key for c in criterion.classes] != [c.key for c in base[name].classes]
    ]
    if problems:
        raise ParameterError(problems, law.name)
    dropped = [name for name in base if name not in own]
    if not dropped:
        return mapping

    def kept(kind: Kind) -> tuple[Row, ...]:
        gone = {column for column, criterion in CLASSES[kind].items() if criterion in dropped}
        rows = [{key: value for key, value in row.items() if key not in gone} for row in mapping.rows(kind)]
        return tuple(row for row in rows if any(row.get(column) for column in CLASSES[kind]))

    tables: dict[str, Any] = {kind: kept(kind) for kind in KINDS}
    reasons = {(criterion, key): why for (criterion, key), why in mapping.reasons.items() if criterion not in dropped}
    omitted = tuple(dict.fromkeys([*mapping.omitted, *dropped]))
    return replace(mapping, **tables, reasons=reasons, omitted=omitted)


def stand_in_years() -> list[int]:
    """Years that have a stand-in mapping."""
    folder = data_directory("params") / "population"
    return sorted([2021, *(int(path.stem[-4:]) for path in folder.glob("mapping_[0-9][0-9][0-9][0-9].toml"))])


def read_mapping(path: str | os.PathLike[str]) -> ReferenceMapping:
    """The mapping in a TOML file, with every class checked against its model."""
    path = Path(path)
    file = _validated(_MappingFile, _parsed(path), path.name)
    return _checked(_mapping_of(file), path.name)


def _mapping_of(file: _MappingFile) -> ReferenceMapping:
    tables: dict[str, tuple[Row, ...]] = {
        kind: tuple(row.model_dump(exclude_unset=True) for row in getattr(file, kind)) for kind in KINDS
    }
    return ReferenceMapping(
        model=file.model,
        source=tuple(file.source),
        consults=tuple(file.consults),
        nursing_region=tuple(file.nursing_region),
        light_product_percent=file.light_product_percent,
        reasons={(u.criterion, key): u.reason for u in file.unreached for key in u.classes},
        omitted=tuple(file.omitted),
        **tables,
    )


def _checked(mapping: ReferenceMapping, name: str) -> ReferenceMapping:
    """The mapping, when all its classes are of its model and no care stands twice in it."""
    criteria, problems = criteria_of(load_model(mapping.model)), []
    for kind in KINDS:
        seen: set[tuple[object, ...]] = set()
        for row in mapping.rows(kind):
            who = tuple(row[key] for key in IDENTITY[kind])
            where = f"{name} {kind} {' x '.join(map(str, who))}"
            # A drug may lead to several classes, on as many rows; all other care to one.
            classes = {(*who, column, row[column]) for column in CLASSES[kind] if kind == "drugs" and row.get(column)}
            if (classes or {who}) & seen:
                problems.append(Problem(where, "twice", "once"))
            seen |= classes or {who}
            for column, criterion in CLASSES[kind].items():
                top = criteria[criterion].classes[-1].code if criterion in criteria else 0
                if row.get(column, 0) > top:
                    problems.append(Problem(where, f"no such {criterion}", f"0..{top}", str(row[column])))
    missing = {(criterion, c.key) for criterion, c in unreached(mapping, load_model(mapping.model))}
    for criterion, key in mapping.reasons:
        if (criterion, key) not in missing:
            problems.append(Problem(f"{name} unreached", f"{key} of {criterion} is reached, or no class"))
    for criterion, key in sorted(missing - set(mapping.reasons)):
        problems.append(
            Problem(f"{name} unreached", f"nobody is in {key} of {criterion}", "a reason under [[unreached]]")
        )
    if problems:
        raise ParameterError(problems, name)
    return mapping


@functools.cache
def _stand_in(year: int) -> ReferenceMapping:
    folder = data_directory("params") / "population"
    base = read_mapping(folder / "mapping.toml")
    if year == 2021:
        return base
    path = folder / f"mapping_{year}.toml"
    if not path.is_file():
        raise not_found("mapping", "stand-in for", [str(year)], [str(known) for known in stand_in_years()])
    return _checked(_of_other_year(base, _validated(OtherYear, _parsed(path), path.name), path.name), path.name)


def _of_other_year(base: ReferenceMapping, file: OtherYear, name: str) -> ReferenceMapping:
    problems: list[Problem] = []
    old, new = criteria_of(load_model(file.base)), criteria_of(load_model(file.model))
    place = {c.key: (criterion, c.code) for criterion, table in new.items() for c in table.classes if c.code > 0}
    # (criterion, code) of the base year -> the same of this year, or None.
    becomes: dict[tuple[str, int], tuple[str, int] | None] = {}
    for table in file.criterion:
        where = f"{name} criterion.{table.from_}"
        if table.from_ not in old:
            problems.append(Problem(where, "no criterion of the base year", f"one of {', '.join(old)}"))
            continue
        keys = {c.key: c.code for c in old[table.from_].classes if c.code > 0}
        problems += [
            Problem(where, f"{key!r} is no class of {file.base}")
            for key in [*table.classes, *table.without]
            if key not in keys
        ]
        for key, code in keys.items():
            target = table.classes.get(key, key)
            found = place.get(target)
            if key in table.without:
                becomes[table.from_, code] = None
                if key in table.classes:
                    problems.append(Problem(where, f"{key!r} stands twice", "under classes or without"))
            elif (
                found is None
                or CRITERIA[found[0]] != CRITERIA[table.from_]
                or (found[0].startswith("ggz_") != table.from_.startswith("ggz_"))
            ):
                near = near_matches(target, list(place))
                hint = f"a class of {file.model}" + (f", such as {', '.join(near)}" if near else "")
                problems.append(Problem(where, f"{key!r} has no class", hint, target))
            else:
                becomes[table.from_, code] = found
    for criterion in old:
        if criterion not in {table.from_ for table in file.criterion}:
            problems.append(Problem(name, f"nothing on {criterion}", "[[criterion]] for each of the base year"))
    if problems:
        raise ParameterError(problems, name)

    def translated(kind: Kind, row: Row) -> Row:
        result = {key: value for key, value in row.items() if key not in CLASSES[kind]}
        for column, criterion in CLASSES[kind].items():
            if target := becomes.get((criterion, row.get(column, 0))):
                result[target[0] if column == criterion else column] = target[1]
        return result

    tables = {kind: [translated(kind, row) for row in base.rows(kind)] for kind in KINDS}
    drugs = {row["drug"]: row for row in tables["drugs"]}
    for other in file.drug:
        row = drugs.setdefault(other.drug, {"drug": other.drug})
        for key, value in other.model_dump(exclude_unset=True, exclude={"drug", "status", "reason"}).items():
            if key in CLASSES["drugs"]:
                if value not in place or place[value][0] != CLASSES["drugs"][key]:
                    problems.append(Problem(f"{name} drug {other.drug}", f"no class of {file.model}", got=value))
                    continue
                value = place[value][1]
            row[key] = value
    if problems:
        raise ParameterError(problems, name)
    tables["drugs"] = list(drugs.values())
    kept: dict[str, tuple[Row, ...]] = {
        kind: tuple(row for row in rows if any(row.get(column) for column in CLASSES[kind]))
        for kind, rows in tables.items()
    }
    return ReferenceMapping(
        model=file.model,
        source=base.source,
        nursing_region=tuple(file.nursing_region),
        light_product_percent=base.light_product_percent,
        reasons={(u.criterion, key): u.reason for u in file.unreached for key in u.classes},
        **kept,  # type: ignore[arg-type]
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(Problem(path.name, f"cannot be read: {error.strerror}"), path.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError(Problem(path.name, f"not TOML: {error}"), path.name) from None


T = TypeVar("T", bound=_Strict)


def _validated(schema: type[T], document: dict[str, Any], name: str) -> T:
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            where = " ".join([name, ".".join(map(str, item["loc"]))])
            if item["type"] in ("extra_forbidden", "missing"):
                problems.append(Problem(where, "unknown key" if item["type"] == "extra_forbidden" else "missing key"))
            else:
                message = item["msg"][:1].lower() + item["msg"][1:]
                problems.append(Problem(where, "refused", message, str(item["input"])[:60]))
        raise ParameterError(problems, name) from None
