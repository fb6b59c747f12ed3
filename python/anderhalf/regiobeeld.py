"""How a region's care costs compare with the Netherlands, after correction for age and sex (a *regiobeeld*)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf import export
from anderhalf.datasets import SOURCE, TERMS, VektisData, hundredths, plain_name, read_vektis
from anderhalf.errors import AnderhalfError, DomainError, Problem, not_found
from anderhalf.regions import find_region, in_borders_of, regions_text

NATION = "Netherlands"
BROAD_AGES: tuple[tuple[int, int], ...] = ((0, 19), (20, 44), (45, 64), (65, 74), (75, 84), (85, -1))
CATEGORY_NAMES: Mapping[str, str] = {
    "hospital": "Hospital care",
    "drugs": "Drugs",
    "gp": "GP care",
    "chain_care": "Chain care (GP)",
    "devices": "Devices",
    "paramedical": "Paramedical care",
    "nursing": "Home nursing",
    "grz": "Geriatric rehabilitation",
    "elv": "Short stay (ELV)",
    "ggz": "Mental health care",
    "dental": "Dental care",
    "transport": "Patient transport",
    "obstetric": "Obstetric care",
    "maternity": "Maternity care",
    "diagnostics": "GP diagnostics",
    "gzsp": "Specific patient groups",
    "cross_border": "Care abroad",
    "other": "Other care",
    "total": "All care",
}

_HEADINGS: Mapping[str, str] = {
    "municipality": "Municipality",
    "category": "Care",
    "age": "Age",
    "insured_years": "Insured years",
    "actual_eur": "Actual, EUR",
    "expected_eur": "Expected, EUR",
    "gap_eur": "Gap, EUR",
    "ratio": "Ratio",
    "rank": "Rank",
}
_CAUTION = (
    "The difference is what age and sex do not explain. Health, income, household, habits, supply and prices are all "
    "still in it: it is not an amount that could be saved."
)
_METHOD = (
    "Expected cost: the national cost per insured year of each age class and sex, times the insured years of that age "
    "and sex in the municipality. The national figures include the municipality itself.",
    "Costs under the Zorgverzekeringswet, before the deductible, without care under the Wlz, the Wmo and the Jeugdwet.",
)


def find_municipalities(data: VektisData, names: Iterable[str]) -> list[str]:
    """The names as the data spell them, in the order asked for; NotFoundError names all that are not there."""
    known = {plain_name(name): name for name in data.municipalities}
    asked = list(dict.fromkeys(in_borders_of(names, known)))
    unknown = [name for name in asked if plain_name(name) not in known]
    if unknown:
        raise not_found(f"Vektis {data.year}, municipality", "municipality", unknown, list(known.values()))
    return list(dict.fromkeys(known[plain_name(name)] for name in asked))


@dataclass(frozen=True)
class Comparison:
    """Actual and expected cost of groups of cells: rows groups, columns categories.

    ``expected[g, c] = sum over cells i of g of years[i] * rate[age and sex of i, c]`` with ``rate`` the national cost
    per insured year of that age and sex.
    """

    groups: tuple[str, ...]
    categories: tuple[str, ...]
    insured_years: NDArray[np.float64]  # (groups)
    actual: NDArray[np.float64]  # (groups, categories) euros
    expected: NDArray[np.float64]  # (groups, categories) euros

    def ratio(self) -> NDArray[np.float64]:
        """Actual over expected per group and category; NaN where nothing is expected."""
        return np.divide(self.actual, self.expected, out=np.full_like(self.actual, np.nan), where=self.expected > 0)


def compare(data: VektisData, group: Sequence[str] | pd.Series[Any] | NDArray[Any]) -> Comparison:
    """Actual and expected cost of each group; ``group`` names the group of each cell, "" for none."""
    if len(group) != len(data.cells):
        raise DomainError(
            Problem("compare: group", "another length than the cells", str(len(data.cells)), str(len(group)))
        )
    cells = data.cells
    age_sex = cells["sex"].astype(str) + " " + cells["age"].astype(str)
    years = hundredths(cells["insured_years"])
    cents = cells[[f"{c}_cents" for c in data.categories]].to_numpy(dtype=np.int64)

    cell_code, cell_names = pd.factorize(age_sex)
    nation_years = np.zeros(len(cell_names), dtype=np.int64)
    np.add.at(nation_years, cell_code, years)
    nation_cents = np.zeros((len(cell_names), cents.shape[1]), dtype=np.int64)
    np.add.at(nation_cents, cell_code, cents)
    rate = np.divide(
        nation_cents, nation_years[:, None], out=np.zeros(nation_cents.shape), where=nation_years[:, None] > 0
    )

    labels = pd.Series(list(group), dtype=object)
    names = [str(g) for g in pd.unique(labels) if g != ""]
    code = labels.map({g: k for k, g in enumerate(names)}).to_numpy()
    inside = labels.to_numpy() != ""
    group_code = code[inside].astype(np.int64)
    counts = np.zeros((len(names), len(cell_names)), dtype=np.int64)
    np.add.at(counts, (group_code, cell_code[inside]), years[inside])
    actual = np.zeros((len(names), cents.shape[1]), dtype=np.int64)
    np.add.at(actual, group_code, cents[inside])
    # rate is cents per hundredth of a year: euros are rate * hundredths / 100; einsum sums in a fixed order.
    expected = np.einsum("gk,kc->gc", counts.astype(np.float64), rate, optimize=False) / 100.0
    return Comparison(tuple(names), data.categories, counts.sum(axis=1) / 100.0, actual / 100.0, expected)


# --- the result -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Regiobeeld:
    """Actual against expected cost of municipalities and of the region they form.

    ``municipalities`` and ``region`` hold plain numbers, euros per insured year, with the keys of the JSON.
    """

    year: int
    municipalities: tuple[dict[str, Any], ...]
    region: dict[str, Any]
    notes: tuple[str, ...]
    data_sha256: str
    parameters_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """``year, municipalities, region, source, terms, notes``."""
        return {
            "year": self.year,
            "municipalities": list(self.municipalities),
            "region": self.region,
            "source": f"{SOURCE} {self.year}",
            "terms": TERMS,
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """The text of ``results.json``; same input, same bytes."""
        return self._bundle().results(self.to_dict())

    def frame(self) -> pd.DataFrame:
        """One row per municipality and one for the region: totals, gap, rank, and the ratio of every category."""
        frame = pd.DataFrame([self._row(name, entry) for name, entry in self._entries()])
        return frame.astype({"rank": "Int64"})

    def categories(self) -> pd.DataFrame:
        """One row per municipality (and the region) and category."""
        rows = []
        for name, entry in self._entries():
            for category, found in entry["categories"].items():
                gap = _gap(found)
                rows.append(
                    {
                        "municipality": name,
                        "category": category,
                        "actual_eur": found["actual_eur"],
                        "expected_eur": found["expected_eur"],
                        "gap_eur": gap,
                        "ratio": found["ratio"],
                    }
                )
        return pd.DataFrame(rows)

    def ages(self) -> pd.DataFrame:
        """One row per broad age class of the region and category, ``total`` included."""
        rows = []
        for entry in self.region["ages"]:
            for category, found in [*entry["categories"].items(), ("total", entry)]:
                rows.append(
                    {
                        "age": entry["age"],
                        "category": category,
                        "insured_years": entry["insured_years"],
                        "actual_eur": found["actual_eur"],
                        "expected_eur": found["expected_eur"],
                        "gap_eur": _gap(found),
                        "ratio": found["ratio"],
                    }
                )
        return pd.DataFrame(rows)

    def figures(self) -> dict[str, str]:
        """SVG text of each figure, by name."""
        from anderhalf import plots

        footer = (
            f"Source: {SOURCE} {self.year}; own calculation. Expected = national cost per insured year of the same "
            f"age and sex. Costs under the Zvw, before the deductible."
        )
        region = self.region["region"]
        shown = sorted(self.municipalities, key=lambda m: -m["ratio"])
        left_out = max(0, len(shown) - 30)
        dots = [(m["municipality"], m["ratio"], False) for m in shown]
        if left_out:
            dots = [*dots[:15], ("\u2026", float("nan"), False), *dots[-15:]]
        if len(self.municipalities) > 1:
            dots.append((region, self.region["ratio"], True))
        figures = {
            "ratio": plots.ratio_dots(
                "regiobeeld ratio",
                [d[0] for d in dots],
                [d[1] for d in dots],
                strong=[d[2] for d in dots],
                title=f"Care costs in {self.year} against what age and sex predict",
                subtitle="1.00 = the cost of the same number of people of the same age and sex in the Netherlands."
                + (f" The 15 highest and 15 lowest; {left_out} in between are in the tables." if left_out else ""),
                footer=footer,
            )
        }

        gaps = sorted(
            ((c, _gap(f), f["ratio"]) for c, f in self.region["categories"].items()), key=lambda g: (-g[1], g[0])
        )
        gaps = [g for g in gaps if abs(g[1]) >= 0.5]
        if gaps:
            total = _gap(self.region)
            side = "more" if total >= 0 else "less"
            figures["gap"] = plots.gap_bars(
                "regiobeeld gap",
                [CATEGORY_NAMES[c] for c, _, _ in gaps],
                [gap for _, gap, _ in gaps],
                notes=[f"{ratio:.2f}\u00d7" if ratio is not None else "" for _, _, ratio in gaps],
                title=f"{region}: where the cost per person differs from the Netherlands, {self.year}",
                subtitle=f"Euros per insured year above (+) or below (\u2212) what age and sex predict; in brackets "
                f"actual / expected. All care together: {abs(total):,.0f} euros {side}.",
                footer=footer,
            )

        classes = self.region["ages"]
        if len(classes) > 1 and region != NATION:
            lines = [("All care", [entry["ratio"] for entry in classes])]
            for category in ("hospital", "drugs"):
                if all(category in e["categories"] and e["categories"][category]["ratio"] is not None for e in classes):
                    lines.append((CATEGORY_NAMES[category], [e["categories"][category]["ratio"] for e in classes]))
            figures["age"] = plots.ratio_lines(
                "regiobeeld age",
                [entry["age"] for entry in classes],
                lines,
                axis_label="age",
                title=f"{region}: care costs against the Netherlands by age, {self.year}",
                subtitle="1.00 = the cost of the same number of people of the same age and sex in the Netherlands.",
                footer=footer,
            )
        return figures

    def write(self, out: str | PathLike[str]) -> Path:
        """Write ``report.html, results.json, tables/*.csv, figures/*.svg`` into ``out``, whole or not at all."""
        bundle = self._bundle()
        table = bundle.table("municipalities", self.frame(), origin="public")
        bundle.table("categories", self.categories(), origin="public")
        ages = bundle.table("ages", self.ages(), origin="public")
        figures = self.figures()
        for name, svg in figures.items():
            bundle.figure(name, svg)
        bundle.results(self.to_dict())
        bundle.report(self._page(table, ages, figures))
        return bundle.write(out)

    def summary(self) -> str:
        """A table of text for the screen."""
        width = max(12, *(len(m["municipality"]) for m in self.municipalities), len(self.region["region"]))
        lines = [
            f"Care costs {self.year} per insured year against the national cost of the same age and sex, EUR",
            f"{'':<{width}}  {'insured years':>14} {'actual':>8} {'expected':>9} {'gap':>7} {'ratio':>7}",
        ]
        for name, m in self._entries():
            lines.append(
                f"{name:<{width}}  {m['insured_years']:>14,.0f} {m['actual_eur']:>8,.0f} {m['expected_eur']:>9,.0f} "
                f"{_gap(m):>+7,.0f} {m['ratio']:>7.3f}"
            )
        lines += [f"Source: {SOURCE} {self.year}.", *(f"Note: {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def _entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Municipalities, then the region when it is more than one of them."""
        entries = [(str(m["municipality"]), m) for m in self.municipalities]
        return entries if len(entries) == 1 else [*entries, (str(self.region["region"]), self.region)]

    def _bundle(self) -> export.Bundle:
        return export.Bundle(origin="public", data_sha256=self.data_sha256, parameters_sha256=self.parameters_sha256)

    @staticmethod
    def _row(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        row = {
            "municipality": name,
            "insured_years": entry["insured_years"],
            "actual_eur": entry["actual_eur"],
            "expected_eur": entry["expected_eur"],
            "gap_eur": _gap(entry),
            "ratio": entry["ratio"],
            "rank": entry.get("rank"),
        }
        return row | {f"{category}_ratio": found["ratio"] for category, found in entry["categories"].items()}

    def _page(self, table: pd.DataFrame, ages: pd.DataFrame, figures: Mapping[str, str]) -> str:
        region = self.region["region"]
        columns = ["municipality", "insured_years", "actual_eur", "expected_eur", "gap_eur", "ratio", "rank"]
        categories = self.categories()
        categories = categories[categories["municipality"] == region].drop(columns="municipality")
        categories["category"] = categories["category"].map(CATEGORY_NAMES)
        drawings = {name: export.html_figure(svg) for name, svg in figures.items()}
        body = [
            export.html_paragraph(self._in_words()),
            export.html_paragraph(_CAUTION, note=True),
            drawings["ratio"],
            export.html_table(
                table[columns],
                headings=_HEADINGS,
                strong=lambda row: bool(row.municipality == region and len(table) > 1),
            ),
            export.html_paragraph(
                "Euros per insured year. Rank: 1 is the highest ratio of all municipalities.", note=True
            ),
            export.html_heading("Care categories"),
            drawings.get("gap", ""),
            export.html_table(categories, headings=_HEADINGS),
            export.html_heading("Age"),
            drawings.get("age", ""),
            export.html_table(ages[ages["category"] == "total"].drop(columns="category"), headings=_HEADINGS),
            export.html_heading("Where these figures come from"),
            export.html_list(
                [
                    f"{SOURCE} {self.year}. Terms: {TERMS}.",
                    *_METHOD,
                    *self.notes,
                    export.ORIGIN_LABEL["public"],
                    f"anderhalf {export.version()}; SHA-256 of the data file {self.data_sha256}.",
                ]
            ),
        ]
        return export.html_page(f"Regiobeeld {region} {self.year}", body)

    def _in_words(self) -> str:
        region, gap, years = self.region, _gap(self.region), self.region["insured_years"]
        side = "more" if gap >= 0 else "less"
        return (
            f"In {self.year} an insured person in {region['region']} cost {region['actual_eur']:,.0f} euros a year "
            f"under the Zorgverzekeringswet. People of the same age and sex cost {region['expected_eur']:,.0f} euros "
            f"in the Netherlands as a whole. That is {abs(gap):,.0f} euros {side} (ratio {region['ratio']:.3f}), or "
            f"{abs(gap) * years / 1e6:,.1f} million euros {side} for {years:,.0f} insured years."
        )


def _gap(entry: Mapping[str, Any]) -> float:
    return float(entry["actual_eur"] - entry["expected_eur"])


def regiobeeld(
    source: str | PathLike[str] | VektisData,
    region: str | None = None,
    municipalities: Sequence[str] | None = None,
    year: int | None = None,
) -> Regiobeeld:
    """Compare a region with the Netherlands at the same age and sex.

    Parameters
    ----------
    source : path or VektisData
        A Vektis open data file by municipality (``read_vektis``), or what was read from it.
    region : str, optional
        A region of ``params/regions.toml``, such as ``"mijnstreek"``.
    municipalities : sequence of str, optional
        The municipalities instead. With neither: all of them, and the Netherlands as the region.
    year : int, optional
        When the file does not say it.

    Returns
    -------
    Regiobeeld

    Raises
    ------
    ShapeError, DomainError
        What is wrong with the file, all of it; both a region and municipalities.
    NotFoundError
        An unknown region or municipality, with the names that look like it.
    """
    if region is not None and municipalities is not None:
        raise DomainError(Problem("regiobeeld", "both a region and municipalities", "one of the two"))
    if municipalities is not None and (isinstance(municipalities, str) or not len(municipalities)):
        raise DomainError(Problem("regiobeeld, municipalities", "not a list of names", "one name or more in a list"))
    chosen = find_region(region) if region is not None else None
    data = source if isinstance(source, VektisData) else read_vektis(source, year=year)
    everyone = data.municipalities
    asked = chosen.municipalities if chosen else municipalities
    members = find_municipalities(data, asked) if asked is not None else everyone
    name = chosen.name if chosen else NATION if asked is None else _together(members)

    cells = data.cells
    found = compare(data, cells["municipality"])
    place = {group: k for k, group in enumerate(found.groups)}
    ratio = found.actual.sum(axis=1) / found.expected.sum(axis=1)
    rank = {group: 1 + int((ratio > ratio[k]).sum()) for group, k in place.items()}
    entries = tuple(
        {"municipality": m, **_entry(found, place[m]), "rank": rank[m], "rank_of": len(everyone)} for m in members
    )

    inside = cells["municipality"].isin(members)
    whole = compare(data, np.where(inside, name, "").tolist())
    ages: list[dict[str, Any]] = []
    for low, high in BROAD_AGES:
        band = inside & (cells["age_from"] >= low)
        if high >= 0:
            band &= cells["age_from"] <= high
        if band.any():
            label = f"{low}+" if high < 0 else f"{low}\u2013{high}"
            ages.append({"age": label, **_entry(compare(data, np.where(band, name, "").tolist()), 0)})
    together = {"region": name, "members": list(members), **_entry(whole, 0), "ages": ages}
    return Regiobeeld(data.year, entries, together, data.notes, data.sha256, export.sha256(regions_text()))


def _together(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{len(names)} municipalities"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _entry(found: Comparison, k: int) -> dict[str, Any]:
    years = float(found.insured_years[k])
    return {
        "insured_years": years,
        **_amounts(found.actual[k].sum(), found.expected[k].sum(), years),
        "categories": {
            c: _amounts(a, e, years)
            for c, a, e in zip(found.categories, found.actual[k], found.expected[k], strict=True)
        },
    }


def _amounts(actual: float, expected: float, years: float) -> dict[str, float | None]:
    """Euros per insured year; no ratio where less than half a cent is expected."""
    per_year = float(expected) / years
    return {
        "actual_eur": float(actual) / years,
        "expected_eur": per_year,
        "ratio": float(actual) / float(expected) if per_year >= 0.005 else None,
    }


def regiobeeld_command(
    file: str | PathLike[str],
    *,
    region: str | None = None,
    municipalities: Sequence[str] = (),
    year: int | None = None,
    out: str | PathLike[str] | None = None,
    as_json: bool = False,
) -> int:
    """``anderhalf regiobeeld``: prints a table, or one JSON object (``--json``), and writes ``--out``.

    Returns the exit status: 0 done, 1 refused input (the reason on stderr), 2 wrong usage.
    """
    if region is not None and municipalities:
        print("anderhalf regiobeeld: give --region or --municipality, not both", file=sys.stderr)
        return 2
    try:
        result = regiobeeld(file, region, list(municipalities) or None, year)
        if out is not None:
            result.write(out)
    except AnderhalfError as error:
        print(f"anderhalf regiobeeld: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(result.to_json() if as_json else result.summary())
    return 0
