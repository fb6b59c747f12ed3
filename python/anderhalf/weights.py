"""Estimated weights for people: tables, results.json, a page, and the command ``anderhalf estimate``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anderhalf.columns import Source, source
from anderhalf.errors import ParameterError, Problem
from anderhalf.estimation import Fit, estimate, unsigned_zero
from anderhalf.export import (
    MINIMUM_PERSONS,
    Bundle,
    html_heading,
    html_list,
    html_page,
    html_paragraph,
    html_table,
)  # fmt: skip
from anderhalf.model import load_model
from anderhalf.moments import Moments
from anderhalf.specification import Specification, load_specification

if TYPE_CHECKING:
    import pandas as pd


def digest(files: Sequence[Path]) -> str | None:
    """SHA-256 over the contents of the data files, in their order; not their names. None without files."""
    import hashlib

    if not files:
        return None
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def bundle_of(
    fit: Fit,
    *,
    parameters_sha256: str | None = None,
    data_sha256: str | None = None,
    minimum_persons: int = MINIMUM_PERSONS,
    currency: str = "EUR",
) -> tuple[Bundle, pd.DataFrame, str]:
    """What is written of an estimate, the table as it is shown, and the text of results.json.

    Classes of fewer than ``minimum_persons`` records lose their figures, and so does the next smallest class of the
    criterion where the hidden ones could be worked out from the rest.
    """
    bundle = Bundle(
        origin="microdata",
        model=fit.layout.model,
        parameters_sha256=parameters_sha256,
        data_sha256=data_sha256,
        minimum_persons=minimum_persons,
    )
    table = bundle.table(
        "weights", fit.weights, origin="microdata", count="persons", keys=["criterion", "code"], groups=["criterion"]
    )
    if (absorbed := fit.absorbed_weights) is not None:
        bundle.table(
            "absorbed", absorbed, origin="microdata", count="persons", keys=["criterion", "code"], groups=["criterion"]
        )
    constraints = fit.constraints
    bundle.table("constraints", constraints, origin="public")
    text = bundle.results(
        {
            "weights": table.to_dict("records"),
            "r2": fit.rsquared,
            "cpm": fit.cpm,
            "mape_eur": fit.mape,
            "n": fit.nobs,
            "rank": fit.rank,
            "condition": fit.condition,
            "insured_years": fit.insured_years,
            "mean_cost_eur": fit.mean_cost,
            "method": fit.method,
            "entries_per_record": fit.moments.entries_per_record,
            "cells": fit.moments.cells,
            "constraints": constraints.to_dict("records"),
            "notes": fit.notes,
            **({} if fit.accepted is None else {"accepted": [dict(item) for item in fit.accepted]}),
        }
    )
    bundle.report(_page(fit, table, minimum_persons, currency))
    return bundle, table, text


def _page(fit: Fit, table: pd.DataFrame, minimum: int, currency: str) -> str:
    import pandas as pd

    facts = pd.DataFrame(fit._facts(), columns=["", "value"])
    speed = _speed(fit)
    heads = {"weight_eur": f"weight [{currency}]", "se_eur": f"std error [{currency}]"}
    heads["insured_years"] = "insured years"
    shown = table.drop(columns="persons")
    shown["weight_eur"] = [v if v is None or v != v else unsigned_zero(v) for v in shown.weight_eur]
    body = [
        html_paragraph(
            f"Weights in {currency} per insured year from {fit.nobs:,} records of persons. Classes of fewer than "
            f"{minimum} records are left out (–)."
        ),
        html_table(facts),
        html_paragraph(speed, note=True),
        html_heading("Weights"),
        html_table(shown, headings=heads),
    ]
    if len(fit.constraints):
        body += [html_heading("What holds with equality"), html_table(fit.constraints)]
    if fit.notes:
        body += [html_heading("Notes"), html_list(fit.notes)]
    return html_page(f"Weights of {fit.layout.model or 'a risk model'}", body)


def _speed(fit: Fit) -> str:
    cells = f"{fit.moments.cells:,}" if fit.moments.cells else "not counted"
    return f"Non-baseline entries per record: {fit.moments.entries_per_record:.3f}; occupied cells: {cells}."


def _lines(fit: Fit, table: pd.DataFrame, currency: str) -> list[str]:
    lines = [f"{name + ':':<16}{value}" for name, value in fit._facts()]
    lines += [_speed(fit), "", f"{'class':<24}{'weight ' + currency:>14}{'std err':>12}{'insured years':>16}"]
    hidden = 0
    row: Any
    for row in table.itertuples(index=False):
        name = f"{row.criterion}[{row.code}]"
        hidden += row.weight_eur is None
        weight, error, years = (
            "–" if value is None or value != value else f"{unsigned_zero(value):,.{decimals}f}"
            for value, decimals in ((row.weight_eur, 2), (row.se_eur, 2), (row.insured_years, 1))
        )
        lines.append(f"{name:<24}{weight:>14}{error:>12}{years:>16}")
    if (absorbed := fit.absorbed) is not None:
        lines.append(f"{absorbed.index.name}: {len(absorbed):,} absorbed classes, in tables/absorbed.csv of --out")
    if hidden:
        left = "1 class is" if hidden == 1 else f"{hidden} classes are"
        lines.append(f"{left} left out (–): too few records, or such a class could be worked out from it.")
    return [*lines, *fit.notes]


def estimate_command(
    data: Path,
    *,
    model: str | None,
    spec: Path | None,
    out: Path | None,
    as_json: bool,
    robust: bool,
    minimum_persons: int,
    threads: int | None,
    columns: str | None = None,
) -> int:
    """``anderhalf estimate``: exit status."""
    if (model is None) == (spec is None):
        raise ParameterError(
            Problem("anderhalf estimate", "takes one of --model and --spec", "--model nl-2021, or --spec SPEC.toml",
                    "both" if model else "neither")
        )  # fmt: skip
    specification = load_specification(spec) if spec is not None else None
    law = load_model(model) if model is not None else None
    progress = _progress()
    records: Source | Moments = (
        _moments(data, columns, robust) if data.suffix == ".moments" else _records(data, columns)
    )
    if specification is not None:
        if isinstance(records, Moments):
            raise ParameterError(Problem("anderhalf estimate", "moments know a model year, no SPEC.toml", "--model"))
        fit = specification.estimate(records, robust=robust, threads=threads, progress=progress)
        sha, currency = specification.sha256, specification.file.model.currency
    else:
        assert law is not None
        fit = estimate(records, model=law, robust=robust, threads=threads, progress=progress)
        sha, currency = law.parameters_sha256, "EUR"
    if progress is not None:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    fit.accepted = getattr(records, "accepted", None)
    bundle, table, text = bundle_of(
        fit,
        parameters_sha256=sha,
        data_sha256=digest([data] if isinstance(records, Moments) else records.files),
        minimum_persons=minimum_persons,
        currency=currency,
    )
    if out is not None:
        bundle.write(out)
    if as_json:
        print(text, end="")
        return 0
    print("\n".join(_lines(fit, table, currency)))
    if out is not None:
        print(f"Report: {out / 'report.html'}")
    return 0


def _moments(data: Path, columns: str | None, robust: bool) -> Moments:
    asked = [name for name, given in (("--columns", columns is not None), ("--robust", robust)) if given]
    if asked:
        raise ParameterError(
            [Problem("anderhalf estimate", f"{name} asks for records", "moments without it") for name in asked]
        )
    return Moments.load(data)


def _records(data: Path, columns: str | None) -> Source:
    if columns is None:
        return source(data)
    from anderhalf.class_map import mapped

    return mapped(data, columns)


def check_records(
    data: Path, *, model: str | None, spec: Path | None, threads: int | None = None, columns: str | None = None
) -> int:
    """Reads the records of a path as an estimate would; how many there are. Raises what an estimate would."""
    records = _records(data, columns)
    if spec is not None:
        specification: Specification = load_specification(spec)
        return specification.moments(records, threads=threads).records
    return Moments.from_records(records, model=model, threads=threads).records


def _progress() -> Callable[[int], None] | None:
    """A line of progress on stderr, only on a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        print(f"\r\033[K{done:,} records", end="", file=sys.stderr, flush=True)

    return show
