"""Reads Zorginstituut's reference files (.ods) into a mapping: which drug, diagnosis or device leads to which class.

Layouts differ by year and were seen only in programs that read them, never as files: docs/mapping.md says which, where.
A column map names the sheets and columns of others. Nothing is guessed: what is missing, unknown or double is refused,
all of it at once, by file, sheet and row.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from anderhalf.errors import DomainError, ParameterError, Problem, near_matches
from anderhalf.mapping import (
    CRITERIA,
    Naming,
    ReferenceMapping,
    Row,
    criteria_of,
    diagnosis_number,
    drug_number,
    load_mapping,
    stand_in_years,
    unreached,
)
from anderhalf.model import Criterion, Model, load_model

ColumnMap = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Table:
    """A table that an import looks for: names of its sheet, and of each column its headings or its place from 1."""

    sheets: tuple[str, ...]
    columns: Mapping[str, tuple[str | int, ...]]
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()


# Headings that were seen, and the place of a column where a reader went by place. "ours": no layout was seen.
TABLES: dict[str, Table] = {
    "drugs": Table(
        ("Indeling_geneesmiddelen_in_FKG",),
        {
            "class": ("fkg", "fkg_code", 1),
            "label": ("fkg_oms", "fkg_omschrijving", 2),
            "atc": ("atc", "atc_code", 3),
            "name": ("stof", "stofnaam", 4),
            "zi": ("zi", "zi_nummer", "zinummer"),
            "prk": ("prk", "prk_code"),
            "addon": ("addon",),
        },
        ("label", "atc", "name", "zi", "prk", "addon"),
        ("atc", "zi", "prk"),
    ),
    "drug_classes": Table(("fkg_codes",), {"class": ("fkg_code",), "addon": ("fkg_code_addon",)}),
    "diagnoses": Table(
        ("diagnose_dxg", "MAN_DIAG_DKG", "MAN_DIAG_DKG_V2"),
        {
            "specialism": ("spec_code", "spec"),
            "diagnosis": ("diag_code", "diag"),
            "dx": ("dxg", "dx"),
            "name": ("omschrijving",),
        },
        ("name",),
    ),
    "dx_groups": Table(
        ("dxg_naar_DKG",),
        {
            "dx": ("dxg", "dx"),
            "name": ("omschrijving",),
            "dkg": ("dkg", "dkg_code"),
            "dkg_primary": ("dkg_primair", "primaire_dkg"),
            "dkg_secondary": ("dkg_secundair", "secundaire_dkg"),
        },
        ("name", "dkg", "dkg_primary", "dkg_secondary"),
    ),
    "care_products": Table(
        ("MAN_ZPRD_DKG",), {"product": ("zprd_code",), "dx": ("dx", "dxg"), "consult": ("consult",)}
    ),
    "devices": Table(("hkg",), {"device": ("device",), "class": ("class",), "name": ("name",)}, ("name",)),
    "physiotherapy": Table(("fdg",), {"diagnosis": ("diagnosis",), "class": ("class",)}),
    "mental_drugs": Table(
        ("ggz_fkg",), {"class": ("class",), "label": ("label",), "atc": ("atc",), "zi": ("zi",), "prk": ("prk",)},
        ("label", "atc", "zi", "prk"), ("atc", "zi", "prk"),
    ),
    "mental_care": Table(("ggz_dkg",), {"diagnosis": ("diagnosis",), "class": ("class",)}),
}  # fmt: skip
_DKGS = ("dkg", "dkg_primary", "dkg_secondary")
_SUFFIXES = (".ods", ".xlsx", ".csv")


@dataclass(frozen=True)
class _Sheet:
    file: str
    name: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def place(self) -> str:
        return self.file if self.file.endswith(".csv") else f"{self.file} {self.name}"


@dataclass(frozen=True)
class _Line:
    """A row of a sheet by our names of its columns."""

    sheet: _Sheet
    row: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def where(self) -> str:
        return f"{self.sheet.place} row {self.row}"


def import_mapping(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    model: Model | str = "nl-2021",
    *,
    columns: ColumnMap | str | os.PathLike[str] | None = None,
    only: Sequence[str] = (),
) -> ReferenceMapping:
    """Read reference files of Zorginstituut Nederland into a mapping of one model year.

    Parameters
    ----------
    files : path-like or sequence of path-like
        ``.ods`` files (``.xlsx`` and ``.csv`` too), or a folder of them. A csv file is a sheet named by the file.
    model : Model or str
        The year whose classes they lead to.
    columns : mapping or path-like, optional
        Names of sheets and columns, of classes as printed, and of classes that nobody leads to: see docs/mapping.md.
    only : sequence of str, optional
        The criteria to read, such as ``["fkg", "dkg"]``; default: all of the model. The others stay without classes.

    Returns
    -------
    ReferenceMapping
        Claims refer to it by :func:`drug_number` of their ATC, and by :func:`diagnosis_number`.

    Raises
    ------
    ParameterError
        Every problem of every file: missing sheets and columns, unknown classes, double diagnoses, classes that nobody
        leads to.
    """
    law = load_model(model) if isinstance(model, str) else model
    reader = _Reader(law, _column_map(columns), tuple(only))
    return reader.read(_paths(files))


def _paths(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    given = [Path(files)] if isinstance(files, str | os.PathLike) else [Path(file) for file in files]
    paths = []
    for path in given:
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ParameterError(Problem(path.name, "no reference files", f"{', '.join(_SUFFIXES)} in the folder"))
        paths += inside
    return paths


def _column_map(columns: ColumnMap | str | os.PathLike[str] | None) -> dict[str, dict[str, Any]]:
    name = "column map"
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        path = Path(columns)
        name = path.name
        try:
            columns = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ParameterError(Problem(name, f"cannot be read: {error.strerror}"), name) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ParameterError(Problem(name, f"not TOML: {error}"), name) from None
    problems = []
    for role, table in columns.items():
        if role in ("classes", "unreached"):
            problems += [
                Problem(
                    f"{name} {role}.{criterion}",
                    "no criterion that rests on a mapping",
                    f"one of {', '.join(CRITERIA)}",
                )
                for criterion in table
                if criterion not in CRITERIA
            ]
        elif role not in TABLES:
            problems.append(
                Problem(f"{name} {role}", "no such table", f"one of {', '.join([*TABLES, 'classes', 'unreached'])}")
            )
        else:
            known = ["sheet", *TABLES[role].columns]
            problems += [
                Problem(f"{name} {role}.{key}", "no such column", f"one of {', '.join(known)}")
                for key in table
                if key not in known
            ]
    if problems:
        raise ParameterError(problems, name)
    return {role: dict(table) for role, table in columns.items()}


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _text(cell: object) -> str:
    """A cell as printed: 305.0 is 305."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return str(int(cell))
    return str(cell).strip()


def _sheets(path: Path) -> list[_Sheet]:
    """The sheets of a file, rows counted from 1 as the spreadsheet shows them."""
    if path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            text = file.read()
        head = text.split("\n", 1)[0]
        delimiter = max(";,\t", key=head.count)
        rows = tuple(tuple(cell.strip() for cell in row) for row in csv.reader(text.splitlines(), delimiter=delimiter))
        return [_Sheet(path.name, path.stem, rows)]
    try:
        import python_calamine
    except ImportError:
        raise ParameterError(
            Problem(path.name, "spreadsheets need the package python-calamine", "pip install anderhalf[ods]"), path.name
        ) from None
    sheets = []
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            for name in book.sheet_names:
                cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                sheets.append(_Sheet(path.name, name, tuple(tuple(map(_text, row)) for row in cells)))
    except python_calamine.CalamineError as error:
        raise ParameterError(Problem(path.name, f"no spreadsheet: {error}"), path.name) from None
    return sheets


class _Reader:
    """One import: reads everything, collects problems, and answers or refuses at the end."""

    def __init__(self, model: Model, columns: dict[str, dict[str, Any]], only: tuple[str, ...]) -> None:
        self.model, self.columns = model, columns
        self.criteria = criteria_of(model)
        self.problems: list[Problem] = []
        for name in only:
            if name not in self.criteria:
                self.problems.append(
                    Problem("only", f"no criterion {name!r} of {model.name}", f"one of {', '.join(self.criteria)}")
                )
        self.wanted = [name for name in self.criteria if not only or name in only]
        self.unknown: dict[tuple[str, str, str], tuple[int, int]] = {}

    def read(self, paths: list[Path]) -> ReferenceMapping:
        source, sheets = [], []
        for path in paths:
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                sheets += _sheets(path)
                source.append(f"{path.name} (sha256 {digest})")
            except ParameterError as error:
                self.problems += error.problems
            except OSError as error:
                self.problems.append(Problem(path.name, f"cannot be read: {error.strerror or error}"))
        if self.problems:
            raise ParameterError(self.problems)
        self.sheets = sheets
        drugs = self._drugs()
        diagnoses, products, consults = self._hospital()
        devices = self._simple("hkg", "devices", "device", _whole("device"))
        physiotherapy = self._simple("fdg", "physiotherapy", "diagnosis", diagnosis_number)
        mental_care = self._simple("ggz_dkg", "mental_care", "diagnosis", diagnosis_number)
        for (where, criterion, printed), (first, count) in self.unknown.items():
            more = f", and {count - 1} more rows" if count > 1 else ""
            hint = self._hint(criterion, printed)
            self.problems.append(Problem(f"{where} {first}", f"unknown {criterion}{more}", hint, repr(printed)))
        reasons = self._reasons()
        mapping = ReferenceMapping(
            model=self.model.name,
            source=tuple(source),
            drugs=drugs,
            diagnoses=diagnoses,
            care_products=products,
            consults=consults,
            devices=devices,
            physiotherapy=physiotherapy,
            mental_care=mental_care,
            nursing_region=self._stand_in.nursing_region if self._stand_in else (),
            reasons=reasons,
            omitted=tuple(name for name in self.criteria if name not in self.wanted),
        )
        if not self.problems:
            self._reached(mapping)
        if self.problems:
            raise ParameterError(self.problems)
        return mapping

    @cached_property
    def _stand_in(self) -> ReferenceMapping | None:
        """Thresholds are no part of the files: those of the stand-in, which holds the law's."""
        return load_mapping(self.model.year) if self.model.year in stand_in_years() else None

    def _reasons(self) -> dict[tuple[str, str], str]:
        return {
            (criterion, key): str(reason)
            for criterion, table in self.columns.get("unreached", {}).items()
            for key, reason in table.items()
        }

    def _reached(self, mapping: ReferenceMapping) -> None:
        missing = {(criterion, c.key): c.label for criterion, c in unreached(mapping, self.model)}
        for (criterion, key), label in missing.items():
            if (criterion, key) not in mapping.reasons:
                hint = f"a row that does, or a reason under [unreached.{criterion}]"
                self.problems.append(Problem(criterion, f"nobody leads to class {key} ({label})", hint))
        for criterion, key in mapping.reasons:
            if (criterion, key) not in missing:
                self.problems.append(Problem(f"unreached.{criterion}", f"{key} is reached, or no class"))

    # --- sheets and columns

    def _find(self, role: str, required: bool = True) -> _Sheet | None:
        own = self.columns.get(role, {}).get("sheet")
        names = (own,) if isinstance(own, str) else tuple(own) if own else TABLES[role].sheets
        plain = {_plain(name) for name in names}
        found = [sheet for sheet in self.sheets if _plain(sheet.name) in plain]
        if len(found) > 1:
            where = " and ".join(sheet.place for sheet in found)
            self.problems.append(Problem(where, f"the table of {role} twice", "one sheet"))
        elif not found and required:
            known = [sheet.name for sheet in self.sheets]
            self.problems.append(
                Problem("files", f"missing sheet with {role}", " or ".join(names), ", ".join(known) or "no sheets")
            )
        return found[0] if len(found) == 1 else None

    def _lines(self, role: str, required: bool = True) -> list[_Line]:
        """The rows of a table, or none with a problem. Lines of text may stand above its headings."""
        sheet = self._find(role, required)
        if sheet is None:
            return []
        filled = [k for k, row in enumerate(sheet.rows) if any(row)]
        if not filled:
            self.problems.append(Problem(sheet.place, "an empty sheet"))
            return []
        # The row with all headings by name; else the first row of more than one cell, where columns may go by place.
        named = (k for k in filled[:20] if not self._columns(role, sheet.rows[k], by_place=False)[1])
        wide = (k for k in filled if sum(map(bool, sheet.rows[k])) > 1)
        heads = next(named, next(wide, filled[0]))
        place, missing = self._columns(role, sheet.rows[heads])
        for column, wanted in missing:
            got = ", ".join(cell for cell in sheet.rows[heads] if cell)
            self.problems.append(
                Problem(f"{sheet.place} row {heads + 1}", f"missing {column}", f"column {wanted}", got)
            )
        if missing:
            return []
        return [
            _Line(sheet, k + 1, {name: row[at] if at < len(row) else "" for name, at in place.items()})
            for k, row in enumerate(sheet.rows)
            if k > heads and any(row)
        ]

    def _columns(
        self, role: str, row: tuple[str, ...], by_place: bool = True
    ) -> tuple[dict[str, int], list[tuple[str, str]]]:
        """Where the columns of a table stand if this row has its headings; and what is missing, with its names."""
        headings, table, mapped = [_plain(cell) for cell in row], TABLES[role], self.columns.get(role, {})
        place: dict[str, int] = {}
        missing = []
        for column, names in table.columns.items():
            own = mapped.get(column)
            wanted = (own,) if own is not None else names
            at = self._place(headings, wanted if by_place else tuple(n for n in wanted if isinstance(n, str)))
            if at is not None:
                place[column] = at
            elif own is not None or column not in table.optional:
                missing.append((column, str(own or " or ".join(n for n in names if isinstance(n, str)))))
        if table.one_of and not any(column in place for column in table.one_of):
            missing.append((f"one of {', '.join(table.one_of)}", " or ".join(table.one_of)))
        return place, missing

    @staticmethod
    def _place(headings: list[str], names: tuple[str | int, ...]) -> int | None:
        for name in names:
            if isinstance(name, int):
                if 1 <= name <= len(headings) and headings[name - 1]:
                    return name - 1
            elif _plain(name) in headings:
                return headings.index(_plain(name))
        return None

    # --- classes

    def _class(self, line: _Line, criterion: str, printed: str, label: str = "") -> int | None:
        """The code of a class as printed: its number where classes are numbered, else its label or key, or unknown."""
        own: Mapping[str, str] = self.columns.get("classes", {}).get(criterion, {})
        table = self.criteria[criterion]
        if printed in own:
            named = own[printed]
            found = next((c.code for c in table.classes if c.key == named), None)
            if found is None:
                known = near_matches(named, [c.key for c in table.classes])
                hint = f"one of {', '.join(known)}" if known else "a key of the model"
                problem = Problem(f"classes.{criterion} {printed}", f"no class {named!r}", hint)
                if problem not in self.problems:
                    self.problems.append(problem)
            return found
        if _numbered(table):
            number = re.fullmatch(r"(?:[A-Za-z]+[ _.-]*)?0*(\d+)", printed)
            if number and int(number[1]) <= table.classes[-1].code:
                return int(number[1])
        for text in (printed, label):
            for c in table.classes:
                if text and _plain(text) in (_plain(c.label), _plain(c.key)):
                    return c.code
        key = (f"{line.sheet.place} row", criterion, printed or label)
        first, count = self.unknown.get(key, (line.row, 0))
        self.unknown[key] = (first, count + 1)
        return None

    def _hint(self, criterion: str, printed: str) -> str:
        table = self.criteria[criterion]
        if _numbered(table):
            return f"0..{table.classes[-1].code}, or its key under [classes.{criterion}]"
        near = near_matches(printed, [text for c in table.classes for text in (c.key, c.label)]) if printed else []
        return f"a class, such as {', '.join(near)}" if near else f"a class, or its key under [classes.{criterion}]"

    def _number(self, line: _Line, column: str, convert: Callable[[str], int]) -> int | None:
        if not line[column]:
            self.problems.append(Problem(line.where, f"no {column}"))
            return None
        try:
            return convert(line[column])
        except DomainError as error:
            problem = error.problems[0]
            self.problems.append(Problem(line.where, f"{column}: {problem.what}", problem.expected, problem.got))
            return None

    # --- tables

    def _drugs(self) -> tuple[Row, ...]:
        """A row per drug and class; the same drug and class on several rows of the file are one."""
        rows: dict[tuple[int, str, int], Row] = {}
        if "fkg" in self.wanted:
            lines = self._lines("drugs")
            own_addon = bool(lines) and "addon" in lines[0].cells
            addon = {} if own_addon else {line["class"]: line["addon"] == "1" for line in self._lines("drug_classes")}
            for line in lines:
                if addon and line["class"] not in addon:
                    self.problems.append(
                        Problem(line.where, "a class that the sheet of classes has not", got=repr(line["class"]))
                    )
                paid_by_hospital = line["addon"] == "1" if own_addon else addon.get(line["class"], False)
                self._drug(line, "fkg", paid_by_hospital, rows)
        if "ggz_fkg" in self.wanted:
            for line in self._lines("mental_drugs"):
                self._drug(line, "ggz_fkg", False, rows)
        return tuple(rows[key] for key in sorted(rows))

    def _drug(self, line: _Line, criterion: str, addon: bool, rows: dict[tuple[int, str, int], Row]) -> None:
        code = self._class(line, criterion, line["class"], line["label"])
        column = next((c for c in ("atc", "zi", "prk") if line[c]), "atc")
        naming: Naming = "atc_addon" if column == "atc" and addon else column  # type: ignore[assignment]
        number = self._number(line, column, lambda text: drug_number(text, naming))
        if not code or number is None:
            return
        text = line[column].strip().upper()
        row = {"drug": number, "code": f"{text} add-on" if addon else text, "name": line["name"]}
        rows[number, criterion, code] = row | ({"addon": True} if addon else {}) | self._rule(criterion, code)

    def _rule(self, criterion: str, code: int) -> Row:
        """The class and its threshold, as the stand-in of the year has it."""
        for row in self._stand_in.drugs if self._stand_in else ():
            if criterion == "ggz_fkg" and row.get("ggz_indicated") == code:
                return {"ggz_fkg": row["ggz_fkg"], "ggz_indicated": code}
        for row in self._stand_in.drugs if self._stand_in else ():
            if row.get(criterion) == code:
                keep = ("min_ddd", "min_prescriptions") if criterion == "fkg" else ("ggz_min_prescriptions",)
                return {criterion: code} | {key: row[key] for key in keep if key in row}
        return {criterion: code}

    def _hospital(self) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[int, ...]]:
        wanted = [name for name in _DKGS if name in self.wanted]
        if not wanted:
            return (), (), ()
        groups, numbers = self._dx_groups(wanted)
        diagnoses: dict[tuple[int, int], tuple[Row | None, str]] = {}
        for line in self._lines("diagnoses"):
            specialism = self._number(line, "specialism", _specialism)
            diagnosis = self._number(line, "diagnosis", diagnosis_number)
            classes = self._dx(line, groups)
            if specialism is None or diagnosis is None:
                continue
            if (specialism, diagnosis) in diagnoses:
                where = diagnoses[specialism, diagnosis][1].split(" ", 1)[1]
                got = f"{line['specialism']} x {line['diagnosis']}"
                self.problems.append(Problem(line.where, "a diagnosis twice", f"once, as in {where}", got))
                continue
            row = None
            if classes:
                dx = _dx_key(line["dx"])
                row = {"specialism": specialism, "diagnosis": diagnosis, "dx_group": numbers[dx], **classes,
                       "code": f"{line['specialism']} x {line['diagnosis']}", "dx": line["dx"]}  # fmt: skip
            diagnoses[specialism, diagnosis] = (row, line.where)
        products: dict[int, tuple[Row | None, str]] = {}
        consults: list[int] = []
        for line in self._lines("care_products", required="care_products" in self.columns):
            product = self._number(line, "product", _whole("care product"))
            if product is None:
                continue
            if product in products:
                where = products[product][1].split(" ", 1)[1]
                self.problems.append(
                    Problem(line.where, "a care product twice", f"once, as in {where}", line["product"])
                )
                continue
            row = None
            if line["consult"] == "1" and not line["dx"]:
                consults.append(product)
            elif classes := self._dx(line, groups):
                row = {"product": product, "dx_group": numbers[_dx_key(line["dx"])], **classes,
                       "code": line["product"], "dx": line["dx"]}  # fmt: skip
            products[product] = (row, line.where)
        return (
            tuple(row for _, (row, _) in sorted(diagnoses.items()) if row),
            tuple(row for _, (row, _) in sorted(products.items()) if row),
            tuple(sorted(consults)),
        )

    def _dx_groups(self, wanted: list[str]) -> tuple[dict[str, Row], dict[str, int]]:
        """Classes of each dx group, and a number of our own: printed ones may be longer than our columns."""
        groups: dict[str, Row] = {}
        first: dict[str, str] = {}
        lines = self._lines("dx_groups")
        if lines:
            for name in wanted:
                if name not in lines[0].cells:
                    names = [n for n in TABLES["dx_groups"].columns[name] if isinstance(n, str)]
                    where = lines[0].sheet.place
                    self.problems.append(Problem(where, f"missing {name}", f"column {' or '.join(names)}"))
        for line in lines:
            dx = _dx_key(line["dx"])
            if not dx:
                self.problems.append(Problem(line.where, "no dx"))
            elif dx in groups:
                where = first[dx].split(" ", 1)[1]
                self.problems.append(Problem(line.where, "a dx group twice", f"once, as in {where}", line["dx"]))
            else:
                first[dx] = line.where
                codes = {
                    name: self._class(line, name, line[name]) if line[name] else 0
                    for name in wanted
                    if name in line.cells
                }
                groups[dx] = {name: code for name, code in codes.items() if code}
        return groups, {dx: k + 1 for k, dx in enumerate(groups)}

    def _dx(self, line: _Line, groups: dict[str, Row]) -> Row:
        dx = _dx_key(line["dx"])
        if dx not in groups and groups:
            self.problems.append(
                Problem(line.where, "a dx group that leads nowhere", "one of the sheet of dx groups", line["dx"])
            )
        return groups.get(dx, {})

    def _simple(self, criterion: str, role: str, column: str, convert: Callable[[str], int]) -> tuple[Row, ...]:
        """A table of one code and one class."""
        if criterion not in self.wanted:
            return ()
        rows: dict[int, tuple[Row | None, str]] = {}
        for line in self._lines(role):
            number = self._number(line, column, convert)
            code = self._class(line, criterion, line["class"])
            if number is None or code is None:
                continue
            if number in rows:
                where = rows[number][1].split(" ", 1)[1]
                self.problems.append(Problem(line.where, f"a {column} twice", f"once, as in {where}", line[column]))
                continue
            row = {column: number, criterion: code, "name": line["name"]} if code else None
            rows[number] = (row, line.where)
        return tuple(row for _, (row, _) in sorted(rows.items()) if row)


def _numbered(criterion: Criterion) -> bool:
    return all(re.fullmatch(rf"{criterion.name}_\d+", c.key) for c in criterion.classes if c.code)


def _dx_key(text: str) -> str:
    return text.strip().lstrip("0").upper()


def _specialism(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**16:
        raise DomainError(Problem("specialism", "no specialism", "digits, such as 0305", text))
    return int(text)


def _whole(what: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        digits = re.sub(r"[ .]", "", text)
        if not digits.isdecimal() or int(digits) >= 10**9:
            raise DomainError(Problem(what, "no code of digits", "at most 9 digits", text))
        return int(digits)

    return convert
