"""The report of a validation: a page with a figure for every family, tables as CSV, results as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from anderhalf import export, plots
from anderhalf._paths import data_directory
from anderhalf.datasets import SOURCE, TERMS
from anderhalf.targets import Family, cell_key, cost_goal, families, sources, subgroups
from anderhalf.validation import FAR, Check, Validation, worst

_HEADINGS = {
    "label": "Target",
    "title": "Family",
    "role": "Role",
    "targets": "Targets",
    "within": "Within",
    "within_error": "In error",
    "missed": "Missed",
    "no_value": "No value",
    "range": "Published",
    "value": "Reached \u00b1 error",
    "verdict": "Verdict",
    "calibrated": "Calibrated",
    "held_out": "Held out",
    "definition": "In the survey",
    "here": "Here",
    "group": "Group",
}
_ROLE = {"calibrated": "calibrated", "held_out": "held out", "check": "check"}


def number(value: float | None) -> str:
    """A figure as it is read: four digits, thin thousands, a true minus, percents left to the unit."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    text = f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return text.replace(",", "\u2009").replace("-", "\u2212")


def in_unit(value: float | None, unit: str) -> str:
    """A figure with shares as percents."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f}%".replace("-", "\u2212")
    if unit == "ratio":
        return f"{value:.3f}"
    return number(value)


def range_of(check: Check) -> str:
    """The published range."""
    t = check.target
    if t.low is None or t.high is None:
        return "–"
    low, high = in_unit(t.low, t.unit), in_unit(t.high, t.unit)
    return f"{low} to {high}" if t.low < 0 else f"{low.rstrip('%')}\u2013{high}"


def reached(check: Check) -> str:
    """The value with its Monte-Carlo or sampling error."""
    value = in_unit(check.value, check.target.unit)
    return value if check.error is None else f"{value} \u00b1 {in_unit(check.error, check.target.unit)}"


def _bundle(result: Validation) -> export.Bundle:
    text = (data_directory("params") / "population" / "targets.toml").read_text(encoding="utf-8")
    return export.Bundle(
        origin=result.origin,
        model="nl-2021-structural",
        parameters_sha256=export.sha256(text),
        data_sha256=result.data_sha256,
        seed=result.seeds[0] if result.origin == "synthetic" else None,
    )


def results(result: Validation, bundle: export.Bundle | None = None) -> str:
    """The text of ``results.json``; set in a bundle when there is one."""
    count = "" if result.origin == "synthetic" else "persons"
    return (bundle or _bundle(result)).results(result.to_dict(), count=count)


def write(result: Validation, out: str | PathLike[str]) -> Path:
    """Write ``report.html, results.json, tables/*.csv, figures/*.svg`` into ``out``, whole or not at all."""
    bundle = _bundle(result)
    frame = result.frame()
    counted = frame.assign(persons=frame["rows"].fillna(0).astype("int64")).drop(columns="rows")
    counted = counted.drop(columns="explanation")
    texts = ["key", "family", "label", "role", "unit", "basis", "source", "verdict", "year", "target", "low", "high"]
    for family in families():
        part = counted[counted["family"] == family.key].reset_index(drop=True)
        if len(part):
            bundle.table(family.key, part, origin=result.origin, count="persons", keys=texts, groups=["key"])
    if result.origin == "synthetic":
        bundle.table("summary", result.summary(), origin=result.origin)
        bundle.table("held_out", result.held_out_against_calibrated(), origin=result.origin)
    pictures = figures(result)
    for name, svg in pictures.items():
        bundle.figure(name, svg)
    results(result, bundle)
    bundle.report(page(result, pictures))
    return bundle.write(out)


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(result: Validation) -> dict[str, str]:
    """SVG text of the figures, by name: one for every family, and the curves by age."""
    made: dict[str, str] = {}
    foot = _footer(result)
    for family in families():
        checks = [c for c in result.of_family(family.key) if c.judged]
        if not any(c.value is not None for c in checks):
            continue
        if family.members == "cells":
            made[family.key] = _curves(result, family, foot)
        elif family.members == "weights":
            made[family.key] = _scatter(family, checks, foot)
        else:
            made[family.key] = _dots(family, checks, foot)
    if result.concentration and result.origin == "synthetic":
        published = [
            (share, t.low, t.high)
            for share, key in ((0.01, "top_1"), (0.05, "top_5"))
            for t in [result.check(key).target]
            if t.low is not None and t.high is not None
        ]
        made["concentration"] = plots.top_shares(
            "validation concentration",
            result.concentration,
            published,
            title="How much of all cost is that of the most expensive insured",
            footer=foot,
            axis_label="insured with the highest cost, share of all insured",
            value_label="share of all cost",
        )
    return made


def _footer(result: Validation) -> str:
    who = "user's microdata" if result.origin == "microdata" else "synthetic population of anderhalf"
    seeds = "" if result.origin == "microdata" else f", {_seeds(result)}"
    return f"{result.persons:,} persons{seeds}, cost year {result.year}: {who}. Targets: targets.toml."


def _seeds(result: Validation) -> str:
    return f"seed {result.seeds[0]}" if len(result.seeds) == 1 else f"seeds {result.seeds[0]}-{result.seeds[-1]}"


def _dots(family: Family, checks: Sequence[Check], foot: str) -> str:
    units = {c.target.unit for c in checks}
    unit = units.pop() if len(units) == 1 else ""
    values = [c.value if c.value is not None else math.nan for c in checks]
    wide = not unit or _span([abs(v) for v in values if math.isfinite(v)]) > 12
    labels = [_short(c.target.label) for c in checks]
    errors = [3 * c.error if c.error is not None else math.nan for c in checks]
    roles = [c.target.role for c in checks]
    published = [c for c in checks if c.target.tolerance]
    if wide and len(published) == len(checks):  # figures of unlike size: in tolerances from what was published
        scale = [c.target.tolerance or 1.0 for c in checks]
        middle = [((c.target.low or 0.0) + (c.target.high or 0.0)) / 2 for c in checks]
        return plots.range_dots(
            f"validation {family.key}",
            labels,
            [(-1.0, 1.0) for _ in checks],
            [(v - m) / s for v, m, s in zip(values, middle, scale, strict=True)],
            [e / s for e, s in zip(errors, scale, strict=True)],
            roles,
            title=family.title,
            footer=f"Grey: the published range. Bars: 3 standard errors. {foot}",
            axis_label="gap in tolerances",
        )
    percent = 100.0 if unit == "share" else 1.0
    return plots.range_dots(
        f"validation {family.key}",
        labels,
        [
            (c.target.low * percent, c.target.high * percent)
            if c.target.low is not None and c.target.high is not None
            else None
            for c in checks
        ],
        [v * percent for v in values],
        [e * percent for e in errors],
        roles,
        title=family.title,
        footer=f"Grey: the published range. Bars: 3 standard errors. {foot}",
        axis_label={"share": "percent", "EUR": "euros", "ratio": "ratio"}.get(unit, unit),
    )


def _span(values: Sequence[float]) -> float:
    positive = [v for v in values if v > 0]
    return max(positive) / min(positive) if positive else 1.0


def _short(label: str) -> str:
    for words in (" per insured year, rest of the country", " per insured year, Mijnstreek", ", Mijnstreek / country"):
        label = label.replace(words, "")
    return label


def _curves(result: Validation, family: Family, foot: str) -> str:
    goal = cost_goal(result.year, result.own_prices)
    level = "the prices of that year" if result.own_prices else "the price level of the law year"
    group = 1 if family.group == "region" else 0
    found = {c.target.key: c.value for c in result.of_family(family.key)}
    panels = []
    for category, table in goal.items():
        series: list[Sequence[float]] = []
        for sex in (0, 1):
            bands = range(table.shape[2])
            series.append([float(table[group, sex, band]) for band in bands])
            values = [found.get(cell_key(family.key, category, sex, band)) for band in bands]
            series.append([math.nan if v is None else v for v in values])
        panels.append((category.replace("_", " "), series[0], series[1], series[2], series[3]))
    return plots.age_curves(
        f"validation {family.key}",
        panels,
        title=f"{family.title}, euros",
        footer=f"Lines: Vektis {result.year} at {level}. {foot}",
    )


def _scatter(family: Family, checks: Sequence[Check], foot: str) -> str:
    shown = [c for c in checks if c.value is not None and c.target.value is not None]
    relative, least = family.relative or 0.0, family.tolerance or 0.0
    return plots.against(
        f"validation {family.key}",
        [c.target.value or 0.0 for c in shown],
        [c.value or 0.0 for c in shown],
        [3 * (c.error or 0.0) for c in shown],
        [c.target.role for c in shown],
        title=family.title,
        footer=f"Classes over {family.minimum_share:.1%} of the insured years. Grey: within {relative:.0%} or EUR "
        f"{least:.0f}. Bars: 3 standard errors. {foot}",
        axis_label="official weight, EUR",
        value_label="estimated weight, EUR",
        band=lambda x: np.maximum(relative * np.abs(x), least),
    )


# --- page -------------------------------------------------------------------------------------------------------------


def rows_of(checks: Sequence[Check]) -> pd.DataFrame:
    """A table for a reader."""
    return pd.DataFrame(
        {
            "label": [_short(c.target.label) for c in checks],
            "range": [range_of(c) for c in checks],
            "value": [reached(c) for c in checks],
            "verdict": [verdict_of(c) for c in checks],
        }
    )


def verdict_of(check: Check) -> str:
    """Verdict and role; in brackets when it is not judged."""
    words = f"{check.verdict}, {_ROLE[check.target.role]}"
    return words if check.judged else f"({words})"


def sources_of(checks: Sequence[Check]) -> str:
    """Where the published figures of a family come from, each source once."""
    found: dict[str, list[str]] = {}
    for c in checks:
        found.setdefault(f"{c.target.source} ({c.target.year}, {c.target.basis})", []).append(_short(c.target.label))
    if len(found) == 1:
        return f"Source: {next(iter(found))}."
    return "Sources: " + "; ".join(f"{_named(labels)}: {text}" for text, labels in found.items()) + "."


def explanations(checks: Sequence[Check]) -> list[tuple[str, list[str]]]:
    """Texts on what is missed, each with the labels it is about."""
    found: dict[str, list[str]] = {}
    for c in checks:
        if c.explanation:
            found.setdefault(c.explanation, []).append(_short(c.target.label))
    return list(found.items())


def overview(result: Validation) -> pd.DataFrame:
    """A row per family: judged targets by verdict and the median gap of each role."""
    rows = []
    for family in families():
        checks = [c for c in result.of_family(family.key) if c.judged and c.verdict != "printed"]
        if not checks:
            continue
        row: dict[str, Any] = {"title": family.title, "targets": len(checks)}
        for verdict in ("within", "within error", "missed", "no value"):
            row[verdict.replace(" ", "_")] = sum(c.verdict == verdict for c in checks)
        for role in ("calibrated", "held_out"):
            gaps = [c.relative_gap for c in checks if c.target.role == role and c.relative_gap is not None]
            row[role] = f"{float(np.median(gaps)):.2f}" if gaps else "–"
        rows.append(row)
    return pd.DataFrame(rows)


def page(result: Validation, pictures: Mapping[str, str]) -> str:
    """The page."""
    origin = result.origin
    who = "Your microdata" if origin == "microdata" else "The synthetic population"
    body = [
        export.html_paragraph(
            f"{who} against every target: {result.persons:,} persons"
            + ("" if origin == "microdata" else f", {_seeds(result)}")
            + f", cost year {result.year}. {_error_words(result)}"
        ),
        export.html_paragraph(export.ORIGIN_LABEL[origin].format(minimum=export.MINIMUM_PERSONS), note=True),
        export.html_heading("Overview"),
        _wrap(
            export.html_table(
                overview(result),
                headings={**_HEADINGS, "calibrated": "Gap, calibrated", "held_out": "Gap, held out"},
                right=["calibrated", "held_out"],
            )
        ),
        export.html_paragraph(
            "Gap: median distance from what was published, in tolerances; 1 is the edge of the range. In error: "
            "outside the range by no more than three errors. Left out here: classes too small to be a target, and "
            "figures that nobody published; both are in the tables.",
            note=True,
        ),
    ]
    comparison = result.comparison()
    if comparison:
        body += [
            export.html_heading("Held out against calibrated"),
            export.html_paragraph(
                f"Targets held out of the calibration may be {FAR:g} times as far off as those used. {comparison}."
            ),
        ]
    if "concentration" in pictures:
        body += [export.html_heading("Concentration of cost"), export.html_figure(pictures["concentration"])]
    for family in families():
        checks = result.of_family(family.key)
        if not checks:
            continue
        body.append(export.html_heading(family.title))
        if family.key in pictures:
            body.append(export.html_figure(pictures[family.key]))
        shown = list(checks)
        if family.members == "cells":
            shown = worst(checks)
            body.append(
                export.html_paragraph(
                    f"{len(checks)} cells; the {len(shown)} farthest outside their range. All of them: "
                    f"tables/{family.key}.csv.",
                    note=True,
                )
            )
        elif family.members == "weights":
            shown = [c for c in checks if c.judged]
            body.append(
                export.html_paragraph(
                    f"{len(shown)} of {len(checks)} classes hold {family.minimum_share:.1%} of the insured years or "
                    f"more. The others: tables/{family.key}.csv.",
                    note=True,
                )
            )
        if shown:
            body.append(_wrap(export.html_table(rows_of(shown), headings=_HEADINGS, right=["range", "value"])))
        body.append(export.html_paragraph(sources_of(checks), note=True))
        body += [export.html_paragraph(f"{_named(labels)}: {text}", note=True) for text, labels in explanations(checks)]
    body += [
        export.html_heading("Groups of people"),
        _wrap(export.html_table(_groups(), headings=_HEADINGS)),
        export.html_heading("Where these figures come from"),
        export.html_list(
            [
                f"{SOURCE}. Terms: {TERMS}.",
                *(f"{name}: {text}" for name, text in sources().items()),
                *result.notes,
                f"anderhalf {export.version()}.",
            ]
        ),
    ]
    return export.html_page("Validation of a population", body)


def _wrap(table: str) -> str:
    return f'<div class="wrap">\n{table}\n</div>'


def _named(labels: Sequence[str]) -> str:
    return "; ".join(labels[:4]) + (f"; {len(labels) - 4} more" if len(labels) > 4 else "")


def _groups() -> pd.DataFrame:
    rows = [(name.replace("_", " "), g.definition, _here(g)) for name, g in subgroups().items()]
    return pd.DataFrame(rows, columns=["group", "definition", "here"])


def _here(group: Any) -> str:
    if not group.conditions:
        return str(group.here)
    return f"{group.here}: {', '.join(c.replace('_', ' ') for c in group.conditions)}"


def _error_words(result: Validation) -> str:
    if len(result.seeds) > 1:
        return f"Errors: Monte-Carlo error of the mean over {len(result.seeds)} seeds."
    return "Errors: sampling error of one population."


__all__ = ["figures", "overview", "page", "results", "write"]
