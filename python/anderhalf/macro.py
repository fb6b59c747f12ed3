"""Macro amounts of the equalization years: what is divided, and what pays for it."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from anderhalf._paths import data_directory
from anderhalf.parameters import Exact, Key, Text, _parse, _Table, _validated

if TYPE_CHECKING:
    import pandas as pd

Status = Literal["final", "draft", "expected"]


class Amount(_Table):
    """One amount; without a value it was not found, or is not published yet."""

    name: Key
    value: Exact | None = None
    status: Literal["expected"] | None = None
    adds_to: Literal["total", "ggz", "funding"] | None = None
    unit: Literal["EUR million", "EUR"] = "EUR million"
    article: StrictStr = ""
    term: Text

    @model_validator(mode="after")
    def _one_form(self) -> Amount:
        if (self.value is None) != (self.status == "expected"):
            raise ValueError("either a value, or status expected")
        if self.value is not None and not self.article:
            raise ValueError("an article for a value")
        return self


class Year(_Table):
    """The amounts of one equalization year, as one regulation prints them."""

    year: StrictInt
    title: Text
    status: Status
    cite: StrictStr = ""
    url: StrictStr = ""
    read: Literal["text", "page", "facts", ""] = ""
    rounding: dict[Literal["total", "ggz", "funding"], Exact] = Field(default_factory=dict)
    amount: Annotated[list[Amount], Field(min_length=1)]

    @property
    def values(self) -> dict[str, Decimal]:
        """Name to value, for the amounts that are known."""
        return {row.name: row.value for row in self.amount if row.value is not None}

    def gap(self, target: str) -> Decimal | None:
        """What the amounts that add up to ``target`` exceed it by; None unless all of them are known."""
        parts = [row.value for row in self.amount if row.adds_to == target]
        whole = self.values.get("total" if target == "funding" else target)
        if not parts or whole is None or any(value is None for value in parts):
            return None
        return sum((value for value in parts if value is not None), Decimal(0)) - whole

    @model_validator(mode="after")
    def _adds_up(self) -> Year:
        names = [row.name for row in self.amount]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"an amount once, not twice {', '.join(repeated)}")
        if (self.status == "expected") == bool(self.values):
            raise ValueError("values, or status expected")
        if self.values and not (self.cite and self.url and self.read):
            raise ValueError("cite, url and read for values")
        for target in ("total", "ggz", "funding"):
            gap, printed = self.gap(target), self.rounding.get(target, Decimal(0))
            if gap is None and target in self.rounding:
                raise ValueError(f"no rounding of {target}, whose amounts are not all known")
            if gap is not None and gap != printed:
                raise ValueError(f"amounts that add up to {target} but for {printed}, not for {gap}")
        return self


class MacroFile(_Table):
    """``params/nl/macro_amounts.toml``."""

    checked: datetime.date
    year: Annotated[list[Year], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> MacroFile:
        years = [row.year for row in self.year]
        if years != list(range(years[0], years[0] + len(years))):
            raise ValueError(f"years that count up without gap or repetition, not {years}")
        return self


def read_macro_amounts(path: Path) -> MacroFile:
    """The file, with every printed sum added up; ParameterError names what is wrong."""
    return _validated(MacroFile, _parse(path, path.name, hashlib.sha256()), path.name)


@lru_cache(maxsize=1)
def _known() -> MacroFile:
    return read_macro_amounts(data_directory("params") / "nl" / "macro_amounts.toml")


def macro_year(year: int) -> Year | None:
    """The amounts of one year; None for a year outside the file."""
    return next((row for row in _known().year if row.year == year), None)


def macro_amounts() -> pd.DataFrame:
    """Macro amounts per equalization year, as printed.

    Returns
    -------
    DataFrame
        ``year, name, value, unit, status, adds_to, article, term, title, cite, url, read``. ``status`` is ``final``,
        ``draft`` (announced in the autumn before, the adopted text not found) or ``expected`` (not found: NaN).
        ``adds_to`` names the amount of which a row is a part; ``funding`` stands for the total again.

    Examples
    --------
    >>> frame = macro_amounts().set_index(["year", "name"])
    >>> float(frame.loc[(2021, "total"), "value"]), frame.loc[(2025, "total"), "status"]
    (48231.4, 'draft')
    """
    import pandas as pd

    columns = ["year", "name", "value", "unit", "status", "adds_to", "article", "term", "title", "cite", "url", "read"]
    frame = pd.DataFrame(_rows(), columns=columns)
    return frame.astype({"value": float})


def _rows() -> Iterator[tuple[object, ...]]:
    for year in _known().year:
        for row in year.amount:
            value = None if row.value is None else float(row.value)
            status = year.status if row.value is not None else "expected"
            source = (year.title, year.cite, year.url, year.read)
            yield (year.year, row.name, value, row.unit, status, row.adds_to or "", row.article, row.term, *source)
