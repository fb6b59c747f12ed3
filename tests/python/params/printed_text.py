"""The regulations and Beleidsregels of 2012 to 2014 in Markdown: tables by their heading, articles by number.

Amounts are taken apart by hand, digit by digit, without a pattern for a whole number: the second route beside the
program that wrote params/nl/2012 to 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

NO_FIGURE = "no figure"  # a reference to an article stands where a weight is expected
_BLANKS = "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE} "
_DASHES = "\N{EN DASH}\N{MINUS SIGN}-"


def cents(cell: str) -> int | None:
    """The amount of a cell in cents; None for a label.

    The comma stands before the last two digits; dots and blanks between the others are thousands; a dash in front,
    with or without a blank, is a minus.
    """
    text = cell.strip(_BLANKS)
    sign = 1
    if text[:1] and text[0] in _DASHES:
        sign, text = -1, text[1:].strip(_BLANKS)
    if len(text) < 4 or text[-3] != ",":
        return None
    whole, part = text[:-3], text[-2:]
    groups = whole.replace(" ", ".").split(".")
    if not part.isdecimal() or not all(group.isdecimal() for group in groups):
        return None
    if any(len(group) != 3 for group in groups[1:]) or (len(groups) > 1 and len(groups[0]) > 3):
        return None
    return sign * int("".join(groups) + part)


def tables(text: str, mark: str) -> dict[str, list[str]]:
    """Lines of the tables under each heading that begins with ``mark``, by the number behind it."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        place = line.find(mark)
        if place >= 0 and not line.startswith("|"):
            head = line[place + len(mark) :].strip()
            number = head.split(":")[0].split()[0]
            current = found.setdefault(number, [])
        elif line.startswith("|"):
            current.append(line)
        elif line.startswith("###") and not line.startswith("####"):
            current = []
    return found


def columns(lines: list[str]) -> list[list[int | str]]:
    """The columns of figures of a table, from left to right, each from top to bottom."""
    rows: list[list[int | str]] = []
    for line in lines:
        figures: list[int | str] = []
        for cell in line.split("|")[2:]:  # behind the label of the row
            amount = cents(cell)
            if amount is not None:
                figures.append(amount)
            elif "artikel 11" in cell:
                figures.append(NO_FIGURE)
        if figures:
            rows.append(figures)
    widths = {len(row) for row in rows}
    assert len(widths) == 1, f"rows of different width: {widths}"
    return [[row[column] for row in rows] for column in range(widths.pop())]


def articles(text: str) -> dict[str, dict[str, str]]:
    """Number of an article to its paragraphs (leden) by number; one without numbered paragraphs is paragraph 1."""
    found: dict[str, dict[str, str]] = {}
    paragraphs: dict[str, str] = {}
    number = "1"
    for line in text.splitlines():
        words = line.split()
        if line.startswith("### "):
            paragraphs = found.setdefault(words[2], {}) if words[1] == "Artikel" else {}
            number = "1"
            continue
        if words and words[0].endswith(".") and words[0][:-1].isdecimal() and not line.startswith(" "):
            number = words[0][:-1]
        paragraphs[number] = f"{paragraphs.get(number, '')}\n{line}"
    return found


_WORDS = {"achttien": Decimal(18), "twee": Decimal(2)}


def figures(text: str) -> Iterator[Decimal]:
    """Every number that stands in a text, "achttien" and "twee" too; a blank between digits is a mark of thousands."""
    place = 0
    while place < len(text):
        if not text[place].isdecimal():
            place += 1
            continue
        end = place
        while end < len(text) and (
            text[end].isdecimal() or (text[end] in ".," + _BLANKS and text[end + 1 : end + 2].isdecimal())
        ):
            end += 1
        printed = text[place:end]
        for blank in _BLANKS:
            printed = printed.replace(blank, ".")
        whole, comma, part = printed.partition(",")
        if "," not in part and "." not in part:
            yield Decimal(whole.replace(".", "") + ("." + part if comma else ""))
        place = end
    for word in text.replace("jarige", " ").split():
        if word.strip(".,;:") in _WORDS:
            yield _WORDS[word.strip(".,;:")]
