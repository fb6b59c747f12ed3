"""The one door through which everything written for people passes: CSV, JSON, SVG and HTML in one directory.

Same content, same bytes: no clock, no path, no fact about the machine. A directory appears whole or not at all.
Every table says where its figures come from (``origin``); tables made from microdata lose their small cells here.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf.errors import DomainError, Problem, ShapeError

Origin = Literal["microdata", "synthetic", "public"]

ORIGINS: tuple[str, ...] = get_args(Origin)
MINIMUM_PERSONS = 10
ORIGIN_LABEL: Mapping[str, str] = {
    "microdata": "Made from records of persons; groups of fewer than {minimum} persons are left out.",
    "synthetic": "Made from a synthetic population: no record is a real person.",
    "public": "Made from published figures.",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_LAYOUT = re.compile(r"(report\.html|results\.json|tables/[a-z0-9_]+\.csv|figures/[a-z0-9_]+\.svg)")


def version() -> str:
    """The version of anderhalf that is installed."""
    from anderhalf._core import __version__

    return str(__version__)


# --- small cells ------------------------------------------------------------------------------------------------------


def small_cells(
    counts: Sequence[int] | NDArray[np.int64],
    groups: Sequence[Any] | None = None,
    totals: Sequence[bool] | None = None,
    *,
    minimum: int = MINIMUM_PERSONS,
    hidden: Sequence[bool] | NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Which cells are left out: 1 to ``minimum - 1`` persons, and what would give those away.

    In a group where something is left out, at least two cells are left out and together they hold at least ``minimum``
    persons, so that the total of the group gives neither away; next to go is the smallest cell. When a group has no
    further cell, its total goes. Cells of 0 persons are shown: they hold nobody.

    Parameters
    ----------
    counts : array_like of int, shape (n,)
        Persons in each cell.
    groups : sequence, shape (n,), optional
        Cells with the same value add up to one total. Default: all cells do.
    totals : sequence of bool, shape (n,), optional
        Rows that are the total of their group, not a cell of it.
    minimum : int
        Smallest number of persons that is shown.
    hidden : sequence of bool, optional
        Cells that are left out for another reason.
    """
    persons = np.asarray(counts, dtype=np.int64)
    group = pd.factorize(pd.Series(list(groups) if groups is not None else [0] * len(persons)))[0]
    total = np.zeros(len(persons), dtype=bool) if totals is None else np.asarray(totals, dtype=bool)
    small = (persons > 0) & (persons < minimum)
    left_out = small if hidden is None else small | np.asarray(hidden, dtype=bool)
    for g in np.unique(group):
        cells = np.flatnonzero((group == g) & ~total & (persons > 0))
        if not left_out[cells].any():
            continue
        for next_cell in cells[np.argsort(persons[cells], kind="stable")]:
            if left_out[cells].sum() > 1 and persons[cells][left_out[cells]].sum() >= minimum:
                break
            left_out[next_cell] = True
        if persons[cells][left_out[cells]].sum() < minimum:
            left_out[(group == g) & total] = True
    return left_out


def _suppress(
    frame: pd.DataFrame,
    count: str,
    keys: Sequence[str],
    groups: Sequence[str],
    totals: Sequence[bool] | None,
    minimum: int,
    across: Sequence[str] = (),
) -> pd.DataFrame:
    persons = frame[count].to_numpy()
    both = [
        [tuple(row) for row in frame[list(by)].itertuples(index=False)] if by else None
        for by in (groups, *([across] if across else []))
    ]
    hidden = np.zeros(len(frame), dtype=bool)
    while True:  # what is left out in one direction may give away a cell in the other
        before = hidden
        for group in both:
            hidden = small_cells(persons, group, totals, minimum=minimum, hidden=hidden)
        if np.array_equal(before, hidden):
            break
    shown = frame.astype({c: object for c in frame.columns if c not in keys})
    for column in shown.columns:
        if column not in keys:
            shown.loc[hidden, column] = None
    return shown


# --- bytes ------------------------------------------------------------------------------------------------------------


def _decimals(name: str) -> int | None:
    if name.endswith("_eur") or name == "insured_years":
        return 2
    if name == "ratio" or name.endswith("_ratio"):
        return 4
    return None


def _plain(value: Any) -> Any:
    """A Python value for a NumPy or pandas one; None for what is missing or not finite."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _text(name: str, value: Any) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        decimals = _decimals(name)
        text = f"{value:.{decimals}f}" if decimals is not None else f"{value:.10g}"
        return text[1:] if text.startswith("-") and not text.strip("-0.") else text
    if isinstance(value, int) and name.endswith("_eur"):
        return f"{value}.00"
    return str(value)


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV: comma, point, ``_eur`` with two decimals, empty for missing, lines end in a line feed."""
    _check_cents(frame)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    columns = [[_text(str(name), value) for value in frame[name]] for name in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _check_cents(frame: pd.DataFrame) -> None:
    problems = []
    for name in frame.columns:
        if str(name).endswith("_cents"):
            wrong = [k for k, v in enumerate(frame[name]) if not isinstance(_plain(v), int | None)]
            if wrong:
                rows = ", ".join(str(k) for k in wrong[:5])
                problems.append(
                    Problem(
                        f"export, column {name}", f"{len(wrong)} values are no integers (rows {rows})", "whole cents"
                    )
                )
    if problems:
        raise DomainError(problems)


def json_text(content: Mapping[str, Any]) -> str:
    """An object as JSON: keys in the order given, ``_eur`` rounded to cents, null for missing."""
    return json.dumps(_json_value("", content), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _json_value(name: str, value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, Mapping):
        return {str(key): _json_value(str(key), v) for key, v in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_json_value(name, v) for v in value]
    if isinstance(value, float):
        if name.endswith("_cents"):
            raise DomainError(Problem(f"export, key {name}", "not an integer", "whole cents"))
        decimals = _decimals(name)
        rounded = round(value, decimals) if decimals is not None else float(f"{value:.10g}")
        return rounded + 0.0  # no minus zero
    if value is None or isinstance(value, str | int):
        return value
    raise ShapeError(
        Problem(
            f"export, key {name}", "cannot be written as JSON", "text, numbers, lists and objects", type(value).__name__
        )
    )


def sha256(*parts: bytes | str) -> str:
    """The SHA-256 of the parts, one after the other, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8") if isinstance(part, str) else part)
    return digest.hexdigest()


# --- a directory, whole or not at all ---------------------------------------------------------------------------------


def write_directory(out: str | PathLike[str], files: Mapping[str, str | bytes]) -> Path:
    """Write all files into ``out``, which appears whole or not at all.

    A directory that anderhalf wrote before is replaced. Anything else that is in the way is left alone and refused.
    """
    out = Path(out)
    target = out.parent.resolve() / out.name if out.name not in ("", "..") else out.resolve()
    bad = [name for name in files if not _is_inside(name)]
    if bad:
        raise DomainError([Problem("export, file name", "outside the directory", "a relative name", n) for n in bad])
    _check_replaceable(target, out)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise DomainError(Problem("--out", f"the directory cannot be made: {error.strerror}", "", str(out))) from None
    old = fresh.with_suffix(".old")
    try:
        for name, content in files.items():
            file = fresh / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        mask = os.umask(0)
        os.umask(mask)
        fresh.chmod(0o777 & ~mask)  # mkdtemp makes it private
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except BaseException:  # an interrupt too must not cost the reader the results of before
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise DomainError(
            Problem("--out", f"the directory cannot be written: {error.strerror}", "", str(out))
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
    return target


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _check_replaceable(target: Path, asked: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise DomainError(Problem("--out", "there is a file with this name", "a new directory", str(asked)))
    if not target.exists():
        return
    strange = sorted(
        f.relative_to(target).as_posix()
        for f in target.rglob("*")
        if f.is_symlink() or (not f.is_dir() and not _LAYOUT.fullmatch(f.relative_to(target).as_posix()))
    )
    if strange:
        more = ", ..." if len(strange) > 3 else ""
        raise DomainError(
            Problem(
                "--out",
                f"the directory holds files that anderhalf did not write: {', '.join(strange[:3])}{more}",
                "a new or an empty directory",
                str(asked),
            )
        )


# --- one result -------------------------------------------------------------------------------------------------------


class Bundle:
    """What one command writes: tables, figures, ``results.json`` and ``report.html``.

    Parameters
    ----------
    origin : "microdata", "synthetic" or "public"
        Where the figures in ``results.json`` and the report come from.
    model, parameters_sha256, data_sha256, seed
        Written in ``results.json``; None where there is none.
    minimum_persons : int
        Cells of microdata with fewer persons are left out.

    Examples
    --------
    >>> bundle = Bundle(origin="public", data_sha256="...")
    >>> shown = bundle.table("municipalities", frame, origin="public", title="Cost per municipality")
    >>> bundle.results({"year": 2023, "municipalities": [...]})
    >>> bundle.write("out")
    """

    def __init__(
        self,
        *,
        origin: Origin,
        model: str | None = None,
        parameters_sha256: str | None = None,
        data_sha256: str | None = None,
        seed: int | None = None,
        minimum_persons: int = MINIMUM_PERSONS,
    ) -> None:
        self.origin = _known_origin("Bundle", origin)
        self.model, self.seed = model, seed
        self.parameters_sha256, self.data_sha256 = parameters_sha256, data_sha256
        self.minimum_persons = minimum_persons
        self._files: dict[str, str] = {}
        self._results: str | None = None

    def table(
        self,
        name: str,
        frame: Any,
        *,
        origin: Origin,
        count: str | None = None,
        keys: Sequence[str] = (),
        groups: Sequence[str] = (),
        total: Callable[[pd.DataFrame], Sequence[bool]] | None = None,
        across: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Add ``tables/<name>.csv`` and return the frame as it is written; draw figures from that.

        Parameters
        ----------
        name : str
            Lower case letters, digits and ``_``.
        frame : frame
            pandas, polars or anything narwhals reads.
        origin : "microdata", "synthetic" or "public"
            Written in a last column ``origin``. Small cells of ``microdata`` are left out (``small_cells``).
        count : str
            The column with the number of persons of each row. Required for microdata.
        keys : sequence of str
            Columns that name a row and stay when its figures are left out. Default: the columns that hold text.
        groups : sequence of str
            Rows that agree on these columns add up to one total. Default: all rows do.
        total : callable, optional
            Given the frame, which rows are totals.
        across : sequence of str
            Rows that agree on these columns add up to a total too: a table of insurers x classes.
        """
        origin = _known_origin(f"table {name}", origin)
        table = _to_pandas(frame)
        problems = []
        if not _NAME.fullmatch(name):
            problems.append(Problem("table name", "not a file name", "lower case letters, digits and _", name))
        if f"tables/{name}.csv" in self._files:
            problems.append(Problem(f"table {name}", "added twice", "each table once"))
        if "origin" in table.columns:
            problems.append(Problem(f"table {name}", "has a column origin", "no such column: it is added on writing"))
        keys = list(keys) or [c for c in table.columns if _is_text(table[c])]
        for what, columns in (
            ("keys", keys),
            ("groups", groups),
            ("across", across),
            ("count", [count] if count else []),
        ):
            for column in columns:
                if column not in table.columns:
                    problems.append(
                        Problem(f"table {name}, {what}", f"no column {column!r}", ", ".join(map(str, table.columns)))
                    )
        if origin == "microdata" and count is None:
            problems.append(
                Problem(
                    f"table {name}",
                    "made from microdata, without a column of persons per row",
                    "count=, the name of that column",
                )
            )
        if problems:
            raise ShapeError(problems)
        if origin == "microdata" and count is not None:
            persons = [_plain(v) for v in table[count]]
            wrong = [k for k, v in enumerate(persons) if not isinstance(v, int) or v < 0]
            if wrong:
                rows = ", ".join(map(str, wrong[:5]))
                raise DomainError(
                    Problem(
                        f"table {name}, {count}",
                        f"{len(wrong)} values are no number of persons (rows {rows})",
                        "whole numbers, 0 or more",
                    )
                )
            totals = total(table) if total else None
            table = _suppress(table, count, keys, groups, totals, self.minimum_persons, across)
        self._files[f"tables/{name}.csv"] = csv_text(table.assign(origin=origin))
        return table

    def figure(self, name: str, svg: str) -> None:
        """Add ``figures/<name>.svg``."""
        if not _NAME.fullmatch(name) or f"figures/{name}.svg" in self._files:
            raise ShapeError(
                Problem("figure name", "used twice, or not a file name", "lower case letters, digits and _", name)
            )
        self._files[f"figures/{name}.svg"] = svg

    def results(self, content: Mapping[str, Any], *, count: str = "persons") -> str:
        """Set ``results.json``; returns its text.

        When the origin is microdata, every list of objects that have the key ``count`` is treated as a table: the
        other numbers of small cells become null.
        """
        first = {
            "anderhalf_version": version(),
            "model": self.model,
            "parameters_sha256": self.parameters_sha256,
            "data_sha256": self.data_sha256,
            "seed": self.seed,
            "origin": self.origin,
        }
        clash = [key for key in content if key in first]
        if clash:
            raise ShapeError(Problem("results", f"keys set by the bundle: {', '.join(clash)}", "other keys"))
        if self.origin == "microdata":
            content = _suppress_json(content, count, self.minimum_persons)
        self._results = json_text({**first, **content})
        return self._results

    def report(self, page: str) -> None:
        """Set ``report.html``."""
        self._files["report.html"] = page

    def write(self, out: str | PathLike[str]) -> Path:
        """Write everything into the directory ``out``, whole or not at all."""
        if self._results is None:
            raise ShapeError(Problem("export", "no results were set", "Bundle.results before Bundle.write"))
        return write_directory(out, {**self._files, "results.json": self._results})


def _known_origin(where: str, origin: str) -> Origin:
    if origin not in ORIGINS:
        raise DomainError(Problem(f"{where}, origin", "unknown", ", ".join(ORIGINS), repr(origin)))
    return origin  # type: ignore[return-value]  # tested on the line above


def _is_text(column: pd.Series[Any]) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) or all(isinstance(v, str) for v in column)


def _to_pandas(frame: Any) -> pd.DataFrame:
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index(drop=True)
    import narwhals as nw

    try:
        columns = nw.from_native(frame, eager_only=True).to_dict(as_series=False)
    except TypeError:
        raise ShapeError(Problem("table", "not a frame", "a pandas or polars frame", type(frame).__name__)) from None
    return pd.DataFrame(columns)


def _suppress_json(value: Any, count: str, minimum: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _suppress_json(v, count, minimum) for key, v in value.items()}
    if isinstance(value, list | tuple):
        items = [_suppress_json(v, count, minimum) for v in value]
        cells = [k for k, v in enumerate(items) if isinstance(v, dict) and isinstance(_plain(v.get(count)), int)]
        hidden = small_cells([int(items[k][count]) for k in cells], minimum=minimum)
        for k, hide in zip(cells, hidden, strict=True):
            if hide:
                items[k] = _without_numbers(items[k])
        return items
    return value


def _without_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_numbers(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numbers(v) for v in value]
    return value if isinstance(value, str) else None


# --- pages ------------------------------------------------------------------------------------------------------------

_CSS = """\
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: .9rem; } .wide { overflow-x: auto; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { border-bottom: 2px solid #555; vertical-align: bottom; } th.text, td.text { text-align: left; }
tr.strong td { font-weight: 600; border-top: 2px solid #555; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
.note { color: #444; font-size: .9rem; } .wrap td.text { white-space: normal; }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
.step { display: flex; flex-wrap: wrap; gap: 0 1rem; border-bottom: 1px solid #ddd; padding: .3rem 0; }
.step p { margin: .15rem 0; flex-basis: 100%; color: #444; font-size: .9rem; } .step small { color: #444; }
.step > div { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.step > span { white-space: nowrap; font-variant-numeric: tabular-nums; }
.step.sum, .step.total { font-weight: 600; } .step.total { border-top: 2px solid #555; margin-top: 1rem; }
@media (max-width: 40rem) { table { font-size: .82rem; } th, td { padding: .2rem .3rem; }
                           th, th.text, td.text { white-space: normal; overflow-wrap: break-word; } }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } h2, figure, tr { break-inside: avoid; }
               table { font-size: 8pt; } th, td { padding: .1rem .35rem; } .wide { overflow: visible; } }
"""


def html_page(title: str, body: Iterable[str], *, lang: str = "en") -> str:
    """One self-contained page: no script, no link to fetch. ``body`` is HTML made by the functions below."""
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n"
        f"<style>\n{_CSS}</style>\n</head>\n<body>\n<h1>{html.escape(title)}</h1>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def html_heading(text: str) -> str:
    """A heading of a section."""
    return f"<h2>{html.escape(text)}</h2>"


def html_paragraph(text: str, *, note: bool = False) -> str:
    """A paragraph of plain text; a note is smaller."""
    return f"<p{' class=' + chr(34) + 'note' + chr(34) if note else ''}>{html.escape(text)}</p>"


def html_list(items: Iterable[str]) -> str:
    """A list of plain texts."""
    return "<ul>\n" + "\n".join(f"<li>{html.escape(item)}</li>" for item in items) + "\n</ul>"


def html_figure(svg: str, caption: str = "") -> str:
    """A figure with its drawing inside the page."""
    drawing = svg[svg.index("<svg") :] if "<svg" in svg else svg
    words = f'<figcaption class="note">{html.escape(caption)}</figcaption>\n' if caption else ""
    return f"<figure>\n{drawing}\n{words}</figure>"


def html_table(
    frame: pd.DataFrame, *, headings: Mapping[str, str] | None = None, strong: Callable[[Any], bool] | None = None,
    right: Sequence[str] = (),
) -> str:  # fmt: skip
    """A frame as an HTML table; numbers as in the CSV with thin thousands, euros without cents.

    ``headings`` gives the words above columns; ``strong(row)`` marks rows such as totals; columns of ``right`` hold
    numbers written as texts. What was left out shows as –.
    """
    names = list(frame.columns)
    text = [name for name in names if _is_text(frame[name]) and name not in right]
    lines = [
        '<div class="wide"><table>',
        "<thead><tr>"
        + "".join(
            f'<th{_class(name in text)} scope="col">{html.escape((headings or {}).get(name, name))}</th>'
            for name in names
        )
        + "</tr></thead>",
        "<tbody>",
    ]
    for row in frame.itertuples(index=False):
        cells = "".join(
            f"<td{_class(name in text)}>{html.escape(_cell(name, value))}</td>"
            for name, value in zip(names, row, strict=True)
        )
        lines.append(f"<tr{' class=' + chr(34) + 'strong' + chr(34) if strong and strong(row) else ''}>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def _class(is_text: bool) -> str:
    return ' class="text"' if is_text else ""


def _cell(name: str, value: Any) -> str:
    value = _plain(value)
    if value is None:
        return "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name.endswith("ratio"):
            return f"{value:.3f}"
        whole = name.endswith("_eur") or name in ("insured_years", "persons") or isinstance(value, int)
        return (f"{value:,.0f}" if whole else f"{value:,.2f}").replace(",", "\u2009").replace("-", "\u2212")
    return str(value)


__all__ = [
    "MINIMUM_PERSONS",
    "ORIGINS",
    "ORIGIN_LABEL",
    "Bundle",
    "Origin",
    "csv_text",
    "html_figure",
    "html_heading",
    "html_list",
    "html_page",
    "html_paragraph",
    "html_table",
    "json_text",
    "sha256",
    "small_cells",
    "version",
    "write_directory",
]
