"""Reads weight tables from the text of a regulation, whatever its number notation.

The prints differ by year and by table: ``9735.62`` (2020), ``9.320.25`` (2019, the same sign for thousands and
decimals), ``5.240,34`` (2015); a minus is ``-`` or an en dash, with or without a space (or a thin one) behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

_SPACES = "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}"
_MINUS = "-\N{EN DASH}\N{MINUS SIGN}"
_AMOUNT = re.compile(r"(-?)(\d{1,3}(?:([.,])\d{3}(?:\3\d{3})*)?|\d+)[.,](\d\d)")


def number(printed: str) -> Decimal:
    """An amount of two decimals as printed; ValueError for anything else."""
    text = re.sub(f"[{_SPACES} ]", "", printed)
    text = re.sub(f"^[{_MINUS}]", "-", text)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount with two decimals: {printed!r}")
    sign, whole, mark, cents = match.groups()
    return Decimal(f"{sign}{whole.replace(mark, '') if mark else whole}.{cents}")


def numbers(printed: str) -> list[Decimal]:
    """All amounts of a line or column; a minus may stand apart from its digits."""
    return [number(text) for text in re.findall(rf"[{_MINUS}]?[{_SPACES} ]?\d[\d.,]*", printed)]


def tables(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Number and rows of cells of every ``Tabel n.m`` of a regulation in Markdown; the head of a table left out."""
    caption = ""
    rows: list[list[str]] = []
    for line in text.splitlines():
        found = re.search(r"Tabel (\d+\.\d+)\b", line)
        if found:
            if rows:
                yield caption, rows
            caption, rows = found.group(1), []
        elif line.startswith("|") and not line.startswith(("|---", "|:--")):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            rows.append(["" if cell == "---" else cell for cell in cells])
    if rows:
        yield caption, rows
