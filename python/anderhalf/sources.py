"""Where insured people come from: what a population and files of records have in common, and blocks made of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anderhalf import _core
from anderhalf.errors import AnderhalfError, DomainError, ParameterError, Problem, ShapeError

if TYPE_CHECKING:
    import pandas as pd

    from anderhalf.model import Model
    from anderhalf.streaming import Streamed

YEARS_OF_CARE = 6  # what classes of any model year look back on, at most


class Insured(Protocol):
    """Records and claims of insured people over whole years, in blocks of whole addresses.

    A block can be asked for again, in any order and from any thread, and is the same every time.
    """

    @property
    def origin(self) -> Literal["synthetic", "microdata"]: ...
    @property
    def data_sha256(self) -> str | None: ...
    @property
    def years(self) -> tuple[int, int]: ...
    @property
    def persons(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def insurers(self) -> dict[int, str]: ...
    @property
    def municipalities(self) -> dict[int, str]: ...
    def municipality_codes(self, region: str) -> list[int]: ...
    def insured_years(self, region: str) -> float: ...
    def __len__(self) -> int: ...
    def block(self, index: int, years: tuple[int, int] | None = None) -> _core.Block: ...
    def blocks(self, years: tuple[int, int] | None = None) -> Iterator[_core.Block]: ...
    def source(self, years: tuple[int, int] | None = None) -> _core.Source: ...
    def records(self, model: Model | str, year: int | None = None, *, threads: int = 1) -> pd.DataFrame: ...
    def stream(self, model: Model | str, year: int | None = None, **options: Any) -> Streamed: ...
    def year_of(self, law: Model) -> int: ...
    def validate(self, **options: Any) -> Any: ...


class People:
    """What a population and files of people can do alike."""

    def blocks(self: Insured, years: tuple[int, int] | None = None) -> Iterator[_core.Block]:
        """All blocks, one after the other."""
        for index in range(len(self)):
            yield self.block(index, years)

    def records(self: Insured, model: Model | str, year: int | None = None, *, threads: int = 1) -> pd.DataFrame:
        """Insured of a year with their classes in a model year and their cost: what :func:`anderhalf.pay` reads.

        Parameters
        ----------
        model : Model or str
            A model year that groups claims; see ``anderhalf models``.
        year : int, optional
            Calendar year of the people; default that of the model when there are the years of care before it, else the
            last year. Give the same year to :func:`anderhalf.pay`.
        """
        from anderhalf.model import load_model
        from anderhalf.simulation import Rules, World

        law = load_model(model) if isinstance(model, str) else model
        start = self.year_of(law) if year is None else year
        begin, first = start - years_of_care(law), self.years[0]
        if begin < first:
            care = f"first year of care at most {begin}, which classes of {start} look at"
            raise ParameterError(Problem("records", f"{law.name} in {start}", care, str(first)))
        lag = min(Rules().lag, max(1, start - first - 3))  # a frame needs the classes of its own year only
        rules = Rules(start=start, horizon=1, lag=lag)
        return World(self, law, rules, threads=threads, estimates=False).records(start)

    def stream(self: Insured, model: Model | str, year: int | None = None, **options: Any) -> Streamed:
        """One equalization year as sums, for any number of people; see :func:`anderhalf.stream`."""
        from anderhalf.streaming import stream

        return stream(self, model, year, **options)

    def year_of(self: Insured, law: Model) -> int:
        """The year in which a law is read: its own when the care that its classes need is there, else the last one."""
        first, last = self.years
        return law.year if first + years_of_care(law) <= law.year <= last else last

    def validate(self: Insured, **options: Any) -> Any:
        """Every target of ``targets.toml`` with the value reached, its standard error and its source."""
        from anderhalf.validation import validate

        return validate(self, **options)


def years_of_care(law: Model) -> int:
    """Years before an equalization year whose care its classes look at; HSM looks at classes of an earlier year."""
    criteria = {c.name: c for share in (law.variable, law.ggz, law.nursing) for c in share.criteria}
    back = max(max(c.data_years, default=0) for c in criteria.values())
    if "hsm" in criteria:
        then = criteria["hsm"].data_years[0]
        back = max(back, *(then + max(criteria[name].data_years) for name in criteria["hsm"].of))
    return back


def structured(
    columns: Mapping[str, ArrayLike], dtype: np.dtype[Any], where: str = "columns", first_row: int = 0
) -> NDArray[Any]:
    """Columns as one structured array of ``_core.record_dtype`` or ``_core.claim_dtype``.

    Whole numbers and 0/1 of any width are taken when every value fits; a number is never cut.

    Raises
    ------
    ShapeError, DomainError
        Columns that are missing, unknown, of different length, no whole numbers, or with values that do not fit; every
        problem at once.
    """
    names = dtype.names or ()
    given = {name: np.asarray(column) for name, column in columns.items()}
    problems = [Problem(f"{where}, {name}", "missing", "a column") for name in names if name not in given]
    problems += [Problem(f"{where}, {name}", "unknown column", ", ".join(names)) for name in given if name not in names]
    lengths = {name: column.shape for name, column in given.items()}
    rows = max((shape[0] for shape in lengths.values() if shape), default=0)
    for name, shape in lengths.items():
        if shape != (rows,):
            size = f"{shape[0]:,} rows" if len(shape) == 1 else f"an array of {len(shape)} dimensions"
            problems.append(Problem(f"{where}, {name}", "length", f"{rows:,} rows", size))
    if problems:
        raise ShapeError(problems)
    result = np.zeros(rows, dtype=dtype)
    for name in names:
        column, to = given[name], dtype[name]
        if column.dtype.kind not in "biu":
            problems.append(Problem(f"{where}, {name}", "dtype", "whole numbers", str(column.dtype)))
        elif column.dtype == to or rows == 0:
            result[name] = column
        else:
            low, high = (0, 1) if to.kind == "b" else (np.iinfo(to).min, np.iinfo(to).max)
            # Compared as integers of Python: NumPy would cast a signed and an unsigned 64-bit number to a double.
            bad = np.zeros(rows, dtype=bool)
            if int(column.min()) < low:
                bad |= column < low
            if int(column.max()) > high:
                bad |= column > high
            if bad.any():
                problems.append(
                    Problem(f"{where}, {name}", f"{rows_of(bad, first_row)} do not fit", f"{low}..{high} ({to})")
                )
            else:
                result[name] = column
    if problems:
        raise DomainError(problems)
    return result


def rows_of(bad: NDArray[np.bool_], first_row: int = 0) -> str:
    """How many rows, and the numbers of the first five; never a value."""
    found = np.flatnonzero(bad)
    first = ", ".join(str(int(k) + first_row) for k in found[:5])
    return f"{len(found):,} {'row' if len(found) == 1 else 'rows'} (first: {first})"


def block_of(records: Mapping[str, ArrayLike], claims: Mapping[str, ArrayLike]) -> _core.Block:
    """A block of columns, one per field of a record and of a claim; see :func:`structured`."""
    problems: list[Problem] = []
    made: list[NDArray[Any]] = []
    kind: type[AnderhalfError] = DomainError
    for where, columns, dtype in (("records", records, _core.record_dtype), ("claims", claims, _core.claim_dtype)):
        try:
            made.append(structured(columns, dtype, where))
        except AnderhalfError as error:
            kind = ShapeError if isinstance(error, ShapeError) else kind
            problems += error.problems
    if problems:
        raise kind(problems)
    return _core.Block(made[0], made[1])
