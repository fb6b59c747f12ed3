"""Reads published data. Today: the Vektis open data on the Zorgverzekeringswet, by municipality, age and sex.

Vektis publishes one file a year. Names, casing and columns differ between the years, 2023 cuts names short, age classes
carry leading blanks, and until 2019 one row has no municipality, age or sex. ``read_vektis`` gives one shape for all of
them, 2011 to 2023: one row per municipality, sex and age class, money in integer cents per care category. The files by
three-digit postcode are refused: a postcode area is in more than one municipality, so no region can be made of them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf.errors import DomainError, NotFoundError, Problem, ShapeError

SOURCE = "Vektis, Open Databestand Zorgverzekeringswet"
TERMS = "personal and research use, not for resale; name Vektis as the source"

# The column of each care category in the published files, full names. `_core` and the OT files use the same categories.
VEKTIS_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "hospital": ("medisch_specialistische_zorg",),
    "drugs": ("farmacie",),
    "gp": ("huisarts_inschrijftarief", "huisarts_consult", "huisarts_overig"),
    "chain_care": ("huisarts_mdz",),
    "devices": ("hulpmiddelen",),
    "paramedical": ("paramedische_zorg_fysiotherapie", "paramedische_zorg_overig"),
    "nursing": ("verpleging_en_verzorging",),
    "grz": ("geriatrische_revalidatiezorg",),
    "elv": ("eerstelijnsverblijf",),
    "ggz": (
        "tweedelijns_ggz",
        "eerstelijns_psychologische_zorg",
        "specialistische_ggz",
        "generalistische_basis_ggz",
        "langdurige_ggz",
        "consulten_ggz",  # the zorgprestatiemodel
        "intramuraal_verblijf_ggz",
        "overige_prestaties_ggz",
        "innovatiegelden_ggz",
    ),
    "dental": ("mondzorg",),
    "transport": ("ziekenvervoer_zittend", "ziekenvervoer_liggend"),
    "obstetric": ("verloskundige_zorg", "integrale_geboortezorg"),
    "maternity": ("kraamzorg",),
    "diagnostics": ("eerstelijns_ondersteuning",),
    "gzsp": ("gzsp",),
    "cross_border": ("grensoverschrijdende_zorg",),
    "other": ("overig",),
}
CATEGORIES: tuple[str, ...] = tuple(VEKTIS_COLUMNS)

# First and last year of the columns that were not published in all years from 2011 on; 2023 was the last year seen.
VEKTIS_YEARS: Mapping[str, tuple[int, int]] = {
    "tweedelijns_ggz": (2011, 2013),
    "eerstelijns_psychologische_zorg": (2011, 2013),
    "specialistische_ggz": (2014, 2021),
    "generalistische_basis_ggz": (2014, 2021),
    "langdurige_ggz": (2015, 2021),
    "consulten_ggz": (2022, 2023),
    "intramuraal_verblijf_ggz": (2022, 2023),
    "overige_prestaties_ggz": (2022, 2023),
    "innovatiegelden_ggz": (2021, 2023),
    "huisarts_mdz": (2015, 2023),
    "geriatrische_revalidatiezorg": (2013, 2023),
    "verpleging_en_verzorging": (2015, 2023),
    "eerstelijnsverblijf": (2018, 2023),
    "gzsp": (2020, 2023),
    "integrale_geboortezorg": (2021, 2023),
}
_SEEN = (2011, 2023)

_CATEGORY_OF = {f"kosten_{column}": category for category, columns in VEKTIS_COLUMNS.items() for column in columns}
_KEYS = {
    "geslacht": "sex",
    "leeftijdsklasse": "age",
    "gemeentenaam": "municipality",
    "aantal_bsn": "persons",
    "aantal_verzekerdejaren": "insured_years",
}
_POSTCODE = ("postcode_3", "postcode3", "pc3", "postcode")
_SHORTEST_CUT_NAME = 24  # names cut short by the publisher keep at least this many letters
_FIRST_YEAR, _LAST_YEAR = 2006, 2100  # the Zorgverzekeringswet started in 2006
_NUMBER = re.compile(r"-?(?:\d+(?:[.,]\d*)?|[.,]\d+)")
_YEAR_IN_NAME = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_AGE = re.compile(
    r"(?P<low>\d{1,3})"
    r"(?:\s*(?:t/m|tm|-|tot en met)\s*(?P<high>\d{1,3})|\s*(?P<open>\+|jaar en ouder|en ouder))?"
    r"(?:\s*jaar)?"
)
_SEX = {"m": "m", "man": "m", "mannen": "m", "v": "f", "vrouw": "f", "vrouwen": "f", "f": "f"}

_LOWER_WORDS = {"en", "aan", "de", "den", "der", "op", "bij", "van", "het", "ter", "in", "t"}
_OWN_SPELLING = {
    "s gravenhage": "'s-Gravenhage",
    "s hertogenbosch": "'s-Hertogenbosch",
    "s-gravenhage": "'s-Gravenhage",
    "s-hertogenbosch": "'s-Hertogenbosch",
    "'s-gravenhage": "'s-Gravenhage",
    "'s-hertogenbosch": "'s-Hertogenbosch",
    "nuenen ca": "Nuenen c.a.",
    "sudwest-fryslan": "Súdwest-Fryslân",
    "noardeast-fryslan": "Noardeast-Fryslân",
    "bergen lb": "Bergen (L.)",
    "bergen nh": "Bergen (NH.)",
    "fryske marren": "De Fryske Marren",
    "nuenen gerwen en nederwetten": "Nuenen c.a.",
}


@dataclass(frozen=True)
class VektisData:
    """One year of Vektis open data.

    Attributes
    ----------
    year : int
    cells : DataFrame
        ``municipality, sex (m|f), age, age_from, age_to (-1: open), persons, insured_years`` and ``<category>_cents``.
    rest : DataFrame
        The rows that carry no municipality, or no age or sex: part of the national totals, in no cell. Same columns.
    categories : tuple of str
        Care categories that this file has a column for.
    notes : tuple of str
        What a reader of the results should know: rest rows, negative amounts, cells left out by Vektis.
    sha256 : str
        Of the unpacked file.
    """

    year: int
    cells: pd.DataFrame
    rest: pd.DataFrame
    categories: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str
    source: str = field(default=SOURCE)

    @property
    def municipalities(self) -> list[str]:
        """The names, in alphabetical order."""
        return sorted(self.cells["municipality"].unique(), key=plain_name)

    def totals(self) -> dict[str, Any]:
        """Persons, insured years and cents of cells and rest rows together, and of each apart."""
        return {
            part: _totals(frame, self.categories)
            for part, frame in (("cells", self.cells), ("rest", self.rest), ("all", pd.concat([self.cells, self.rest])))
        }


def plain_name(name: str) -> str:
    """A municipality name as it is compared: no case, no accents, no punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if c.isalnum())


def display_name(name: str) -> str:
    """A municipality name as it is written: ``AA EN HUNZE`` becomes ``Aa en Hunze``; mixed case is left as it is."""
    name = " ".join(name.split())
    if name.casefold() in _OWN_SPELLING:
        return _OWN_SPELLING[name.casefold()]
    if name != name.upper():
        return name
    words = [w if i and w in _LOWER_WORDS else _capital(w) for i, w in enumerate(name.lower().split(" "))]
    return " ".join(words)


def _capital(word: str) -> str:
    parts = [p if i and p in _LOWER_WORDS else _capital_part(p) for i, p in enumerate(word.split("-"))]
    return "-".join(parts)


def _capital_part(part: str) -> str:
    if part.startswith("ij"):
        return "IJ" + part[2:]
    for i, letter in enumerate(part):
        if letter.isalpha():
            return part[:i] + letter.upper() + part[i + 1 :]
    return part


def read_vektis(path: str | PathLike[str], *, year: int | None = None) -> VektisData:
    """Read one Vektis open data file by municipality, any published year, ``.csv`` or ``.csv.gz``.

    Parameters
    ----------
    path : path
        The file as Vektis publishes it, or gzipped.
    year : int, optional
        The year the file is about. Default: a column ``jaar``, else four digits in the file name.

    Returns
    -------
    VektisData

    Raises
    ------
    NotFoundError
        No such file.
    ShapeError, DomainError
        Every problem in the file at once: missing and unknown columns, rows of another length, values that are not
        amounts, cells that occur twice.

    Notes
    -----
    Amounts are before the deductible. Vektis applies recent municipal borders to all years it publishes together.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        kind = error.strerror or type(error).__name__
        raise NotFoundError(Problem(path.name, "the file cannot be read", "a Vektis csv or csv.gz", kind)) from None
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ShapeError(
                Problem(path.name, "the file cannot be unpacked", "a whole gzip file", str(error))
            ) from None
    return _parse(raw, path.name, year)


def _parse(raw: bytes, name: str, year: int | None) -> VektisData:
    text = _decode(raw)
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(";\t|,", key=first.count) if first else ";"
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    numbered = [(i, row) for i, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]
    if not numbered:
        raise ShapeError(Problem(name, "the file is empty", "a header and one row per municipality, sex and age class"))

    problems: list[Problem] = []
    header, places = _columns(numbered[0][1], name, problems)
    if problems:
        raise ShapeError(problems)
    body = numbered[1:]
    wrong_length = [i for i, row in body if len(row) != len(header)]
    if wrong_length:
        problems.append(
            Problem(
                name,
                _count(wrong_length, "row of another length than the header", "rows of another length than the header"),
                f"{len(header)} fields",
            )
        )
        body = [(i, row) for i, row in body if len(row) == len(header)]
    if not body:
        problems.append(Problem(name, "no rows under the header", "one row per municipality, sex and age class"))
        raise ShapeError(problems)

    lines_of = np.array([i for i, _ in body])
    columns = {key: [row[k].strip() for _, row in body] for key, k in places.items()}
    frame = pd.DataFrame({"municipality": [display_name(m) for m in columns["municipality"]]})
    frame["sex"] = _sexes(columns["sex"], name, lines_of, problems)
    ages = _ages(columns["age"], name, lines_of, problems)
    frame["age"], frame["age_from"], frame["age_to"] = ages
    frame["persons"] = _whole(columns["persons"], header[places["persons"]], name, lines_of, problems)
    hundredths = _hundredths(columns["insured_years"], header[places["insured_years"]], name, lines_of, problems)
    frame["insured_years"] = hundredths / 100.0
    for column in ("persons", "insured_years"):
        below = np.flatnonzero(frame[column].to_numpy() < 0)
        if len(below):
            problems.append(
                Problem(f"{name}, {column}", _count(lines_of[below], "value below 0", "values below 0"), "0 or more")
            )

    negative = 0
    categories = tuple(c for c in CATEGORIES if any(_CATEGORY_OF.get(key) == c for key in places))
    for category in categories:
        total = np.zeros(len(frame), dtype=np.int64)
        for key in places:
            if _CATEGORY_OF.get(key) == category:
                cents = _hundredths(columns[key], header[places[key]], name, lines_of, problems)
                negative += int((cents < 0).sum())
                total += cents
        frame[f"{category}_cents"] = total

    whole = (frame["municipality"] != "") & (frame["sex"] != "") & (frame["age"] != "")
    keys = frame.loc[whole, ["municipality", "sex", "age"]]
    twice = keys[keys.assign(municipality=keys["municipality"].map(plain_name)).duplicated(keep="first")]
    if len(twice):
        problems.append(
            Problem(
                name,
                _count(lines_of[twice.index.to_numpy()], "cell that occurred before", "cells that occurred before"),
                "one row per municipality, sex and age class",
            )
        )
    if not whole.any() and not problems:
        problems.append(Problem(name, "no row has a municipality, a sex and an age class", "at least one"))
    try:
        found_year, year_note = _year(year, columns.get("year"), name)
    except DomainError as error:
        problems.extend(error.problems)
    if problems:
        raise DomainError(problems) if not wrong_length else ShapeError(problems)

    if found_year == 2021:
        year_note.append(
            "Mental health care (ggz) of 2021, the year before a new payment system, compares badly with other years."
        )
    cells = (
        frame[whole].sort_values(["municipality", "sex", "age_from"], key=_order, kind="stable").reset_index(drop=True)
    )
    rest = frame[~whole].reset_index(drop=True)
    notes = [*year_note, *_column_notes(found_year, places), *_notes(cells, rest, negative, categories)]
    return VektisData(found_year, cells, rest, categories, tuple(notes), hashlib.sha256(raw).hexdigest())


def _order(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.name == "municipality":
        return column.map(plain_name)
    if column.name == "sex":
        return column.map({"m": 0, "f": 1, "": 2})
    return column


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _columns(header: Sequence[str], name: str, problems: list[Problem]) -> tuple[list[str], dict[str, int]]:
    """Place of each known column; names may differ in case and may be cut short."""
    names = [column.strip().strip('"').casefold() for column in header]
    places: dict[str, int] = {}
    for k, column in enumerate(names):
        if column in ("jaar", "year"):
            key = "year"
        elif column in _KEYS:
            key = _KEYS[column]
        elif column.startswith("kosten_"):
            known = [c for c in _CATEGORY_OF if c == column] or [
                c for c in _CATEGORY_OF if len(column) >= _SHORTEST_CUT_NAME and c.startswith(column)
            ]
            if len(known) != 1:
                problems.append(
                    Problem(
                        name,
                        f"unknown cost column {header[k].strip()!r}",
                        "a cost column that Vektis has published; add it to VEKTIS_COLUMNS",
                    )
                )
                continue
            key = known[0]
        else:
            what = "a file by postcode area, not by municipality" if column in _POSTCODE else "unknown column"
            problems.append(Problem(name, f"{what}: {header[k].strip()!r}", ", ".join(_KEYS) + " and kosten_*"))
            continue
        if key in places:
            problems.append(Problem(name, f"column {header[k].strip()!r} occurs twice", "every column once"))
        places[key] = k
    missing = [column for column, key in _KEYS.items() if key not in places]
    if missing:
        problems.append(
            Problem(
                name, f"{'column' if len(missing) == 1 else 'columns'} missing: {', '.join(missing)}", ", ".join(_KEYS)
            )
        )
    if not any(key in _CATEGORY_OF for key in places):
        problems.append(Problem(name, "no cost column", "columns named kosten_*"))
    return names, places


def _year(given: int | None, column: list[str] | None, name: str) -> tuple[int, list[str]]:
    inside = sorted({y for y in column or [] if y})
    if len(inside) > 1:
        raise DomainError(Problem(f"{name}, jaar", "more than one year in the file", "one year", ", ".join(inside[:5])))
    named = sorted(set(_YEAR_IN_NAME.findall(name)))
    found = inside or (named if len(named) == 1 else [])
    if given is None:
        if not found:
            raise DomainError(
                Problem(
                    name,
                    "the year is not in the file and not in its name",
                    "the option year= (--year), such as 2023",
                    ", ".join(named),
                )
            )
        if not found[0].isdigit():
            raise DomainError(Problem(f"{name}, jaar", "not a year", "four digits"))
        given = int(found[0])
    if not _FIRST_YEAR <= given <= _LAST_YEAR:
        raise DomainError(Problem(name, "no year of the Zorgverzekeringswet", f"{_FIRST_YEAR} or later", str(given)))
    if inside and inside[0] != str(given):
        raise DomainError(Problem(name, "the year asked for is not the year in the file", inside[0], str(given)))
    if found and found[0] != str(given):
        return given, [f"The year {given} was given; the name of the file says {found[0]}."]
    return given, []


def _sexes(values: list[str], name: str, lines: NDArray[np.int_], problems: list[Problem]) -> list[str]:
    wrong = [k for k, value in enumerate(values) if value and value.casefold() not in _SEX]
    if wrong:
        problems.append(
            Problem(
                f"{name}, geslacht", _count(lines[wrong], "value that is no sex", "values that are no sex"), "M or V"
            )
        )
    return [_SEX.get(value.casefold(), "") for value in values]


def _ages(
    values: list[str], name: str, lines: NDArray[np.int_], problems: list[Problem]
) -> tuple[list[str], list[int], list[int]]:
    label, low, high, wrong = [], [], [], []
    for k, value in enumerate(values):
        match = _AGE.fullmatch(" ".join(value.casefold().split()))
        if not match:
            if value:
                wrong.append(k)
            label.append("")
            low.append(-1)
            high.append(-1)
            continue
        start = int(match["low"])
        end = -1 if match["open"] else int(match["high"] or start)
        if end != -1 and end < start:
            wrong.append(k)
        label.append(age_label(start, end))
        low.append(start)
        high.append(end)
    if wrong:
        problems.append(
            Problem(
                f"{name}, leeftijdsklasse",
                _count(lines[wrong], "value that is no age class", "values that are no age class"),
                "such as 0 t/m 4 jaar or 90+",
            )
        )
    return label, low, high


def age_label(low: int, high: int) -> str:
    """``0-4``, ``90+`` (high -1) or ``7``."""
    return f"{low}+" if high == -1 else str(low) if low == high else f"{low}-{high}"


def _hundredths(
    values: list[str], column: str, name: str, lines: NDArray[np.int_], problems: list[Problem]
) -> NDArray[np.int64]:
    """Amounts as integers of a hundredth; an empty field is 0; half a cent goes away from zero."""
    result = np.zeros(len(values), dtype=np.int64)
    wrong = []
    for k, value in enumerate(values):
        if not value:
            continue
        if not _NUMBER.fullmatch(value):
            wrong.append(k)
            continue
        sign = -1 if value[0] == "-" else 1
        whole, _, part = value.lstrip("-").replace(",", ".").partition(".")
        part = (part + "000")[:3]
        result[k] = sign * (int(whole or 0) * 100 + (int(part) + 5) // 10)
    if wrong:
        problems.append(
            Problem(
                f"{name}, {column}",
                _count(lines[wrong], "value that is no amount", "values that are no amounts"),
                "digits with at most one decimal point or comma",
            )
        )
    return result


def _whole(
    values: list[str], column: str, name: str, lines: NDArray[np.int_], problems: list[Problem]
) -> NDArray[np.int64]:
    hundredths = _hundredths(values, column, name, lines, problems)
    parts = np.flatnonzero(hundredths % 100)
    if len(parts):
        problems.append(
            Problem(
                f"{name}, {column}",
                _count(lines[parts], "value that is no count", "values that are no counts"),
                "whole numbers",
            )
        )
    return np.asarray(hundredths // 100, dtype=np.int64)


def _count(lines: Iterable[int], one: str, more: str) -> str:
    """``3 values above 366 (lines 7, 19, 20)``: how many and the first five, never the values."""
    numbers = [int(line) for line in lines]
    first = ", ".join(str(n) for n in numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"{len(numbers)} {one if len(numbers) == 1 else more} ({'line' if len(numbers) == 1 else 'lines'} {first})"


def _notes(cells: pd.DataFrame, rest: pd.DataFrame, negative: int, categories: tuple[str, ...]) -> list[str]:
    notes = []
    if len(rest):
        part = _totals(rest, categories)
        share = part["insured_years"] / (part["insured_years"] + _totals(cells, categories)["insured_years"])
        notes.append(
            f"{_rows(len(rest))} without municipality, age or sex: {part['insured_years']:,.0f} insured years"
            f" ({share:.1%}), EUR {part['total_cents'] / 1e8:,.1f} million. In the national totals, in no"
            f" municipality and not in the national mean by age and sex."
        )
    classes = len(cells[["sex", "age"]].drop_duplicates()) * cells["municipality"].nunique()
    if classes > len(cells):
        notes.append(f"{_rows(classes - len(cells))} of municipality, sex and age left out by Vektis (few persons).")
    if negative:
        notes.append(f"{negative} negative {'amount' if negative == 1 else 'amounts'} (corrections), kept as they are.")
    more = int((cells["insured_years"] > cells["persons"]).sum())
    if more:
        notes.append(f"{_rows(more)} with more insured years than persons, kept as they are.")
    return notes


def vektis_columns(year: int) -> tuple[str, ...]:
    """The cost columns that Vektis published for a year from 2011 to 2023, full names without ``kosten_``."""
    everything = (column for columns in VEKTIS_COLUMNS.values() for column in columns)
    return tuple(c for c in everything if VEKTIS_YEARS.get(c, _SEEN)[0] <= year <= VEKTIS_YEARS.get(c, _SEEN)[1])


def _column_notes(year: int, places: Iterable[str]) -> list[str]:
    """Totals that lack a column of their year, or have one of another, say so."""
    if not _SEEN[0] <= year <= _SEEN[1]:
        return []
    published = {f"kosten_{column}" for column in vektis_columns(year)}
    found = {key for key in places if key in _CATEGORY_OF}
    notes = []
    for columns, words in (
        (published - found, "which Vektis published for {year}, not in this file and so in no total"),
        (found - published, "in this file, which Vektis did not publish for {year}"),
    ):
        if columns:
            kind = "Column" if len(columns) == 1 else "Columns"
            notes.append(f"{kind} {words.format(year=year)}: {', '.join(sorted(columns))}.")
    return notes


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def hundredths(years: pd.Series[Any] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Insured years as integers of a hundredth, so that sums are exact in any order."""
    return np.asarray(np.rint(np.asarray(years, dtype=np.float64) * 100.0), dtype=np.int64)


def _totals(frame: pd.DataFrame, categories: tuple[str, ...]) -> dict[str, Any]:
    cents = {f"{c}_cents": int(frame[f"{c}_cents"].sum()) for c in categories}
    return {
        "rows": len(frame),
        "persons": int(frame["persons"].sum()),
        "insured_years": int(hundredths(frame["insured_years"]).sum()) / 100.0,
        "total_cents": sum(cents.values()),
        **cents,
    }


__all__ = [
    "CATEGORIES",
    "SOURCE",
    "TERMS",
    "VEKTIS_COLUMNS",
    "VEKTIS_YEARS",
    "VektisData",
    "age_label",
    "display_name",
    "hundredths",
    "plain_name",
    "read_vektis",
    "vektis_columns",
]
