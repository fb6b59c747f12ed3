"""Writes the tables that the synthetic population is calibrated on, from the Vektis open data.

    PYTHONPATH=python python tools/vektis_targets.py FOLDER_WITH_VEKTIS_FILES [--out params/population]

Reads vektis_2015, _2018, _2021 and _2023_gemeente.csv.gz (or .csv): the base years. Same files, same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from anderhalf.datasets import CATEGORIES as ALL_CATEGORIES
from anderhalf.datasets import SOURCE, TERMS, VektisData, hundredths, plain_name, read_vektis
from anderhalf.errors import AnderhalfError, NotFoundError, Problem
from anderhalf.regiobeeld import Comparison, compare
from anderhalf.regions import find_region

YEARS = (2015, 2018, 2021, 2023)  # base years of the calibration
NATION = "Netherlands"
REGION = "Mijnstreek"
BROAD_BANDS = ((0, 19), (20, 44), (45, 64), (65, 74), (75, 84), (85, -1))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("params/population"))
    options = parser.parse_args(arguments)
    try:
        files = write_targets(options.folder, options.out)
    except AnderhalfError as error:
        print(f"vektis_targets: {error}", file=sys.stderr)
        return 1
    for file in files:
        print(file.name)
    return 0


def write_targets(folder: Path, out: Path) -> list[Path]:
    """Write all tables; returns the files."""
    data = {year: read_vektis(find_file(folder, year)) for year in YEARS}
    tables = [
        write(out / f"{name}_{year}.csv", what, make(one))
        for year, one in data.items()
        for name, what, make in (
            ("vektis_population", POPULATION, population),
            ("vektis_cost", COST, cost),
            ("vektis_region_ratios", RATIOS, region_ratios),
        )
    ]
    return [
        *tables,
        write(out / "vektis_municipalities_2018.csv", MUNICIPALITIES, municipalities(data[2018])),
        write(out / "vektis_abroad.csv", ABROAD, abroad(data)),
        write(out / "vektis_trend.csv", TREND, trend(data)),
        write_summary(out / "vektis.toml", data),
    ]


def find_file(folder: Path, year: int) -> Path:
    for ending in (".csv.gz", ".csv"):
        file = folder / f"vektis_{year}_gemeente{ending}"
        if file.is_file():
            return file
    raise NotFoundError(
        Problem(f"vektis_{year}_gemeente.csv.gz", "no such file in the folder given", "the file of Vektis")
    )


POPULATION = """\
Insured years per municipality, sex and age class; Netherlands = all municipalities together, without the insured
whose municipality is unknown. sex m|f; age_to -1: no upper bound. Columns: insured_years, in years."""
COST = """\
Cost per insured year, Netherlands, per sex, age class and care category, in euros, before the deductible."""
RATIOS = """\
Mijnstreek (10 municipalities) against the Netherlands. actual_eur and expected_eur: euros per insured year;
expected = national cost of the same year per five-year age class x sex x category at the region's own composition;
ratio = actual / expected, unrounded figures divided. municipality: the region or one of its municipalities (those only
for all ages together); age_from 0 and age_to -1: all ages; category total: all categories together."""
MUNICIPALITIES = """\
All municipalities: insured years and total cost per insured year against the national cost of the same age and sex."""

ABROAD = """\
The row without municipality, age and sex of each year: insured abroad and insured whose municipality is unknown. Per
insured year, in euros."""
TREND = """\
Cost per insured year of the Netherlands in euros, per category, at the composition by age and sex of 2018."""


def abroad(data: dict[int, VektisData]) -> pd.DataFrame:
    """Insured years and cost per insured year of the row without a municipality."""
    rows = []
    for year, one in data.items():
        years = one.rest["insured_years"].sum()
        row: dict[str, object] = {"year": year, "persons": int(one.rest["persons"].sum())}
        row["insured_years"] = f"{years:.2f}"
        for category in ALL_CATEGORIES:
            cents = one.rest[f"{category}_cents"].sum() if category in one.categories else 0
            row[f"{category}_eur"] = f"{cents / 100.0 / years:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def trend(data: dict[int, VektisData]) -> pd.DataFrame:
    """Mean cost per insured year of each year at the composition of 2018, per category."""
    keys = ["sex", "age_from"]
    weight = data[2018].cells.groupby(keys)["insured_years"].sum()
    rows = []
    for year, one in data.items():
        cents = [f"{c}_cents" for c in one.categories]
        cells = one.cells.groupby(keys)[[*cents, "insured_years"]].sum()
        row: dict[str, object] = {"year": year}
        for category in ALL_CATEGORIES:
            mean = 0.0
            if category in one.categories:
                mean = float(
                    (cells[f"{category}_cents"] / 100.0 / cells["insured_years"] * weight).sum() / weight.sum()
                )
            row[f"{category}_eur"] = f"{mean:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def population(data: VektisData) -> pd.DataFrame:
    """Insured years of the nation and of each municipality of the region, per sex and age class."""
    cells = data.cells.assign(hundredths=hundredths(data.cells["insured_years"]))
    keys = ["sex", "age_from", "age_to"]
    parts = [cells.groupby(keys, as_index=False)["hundredths"].sum().assign(municipality=NATION)]
    for name in find_region(REGION).municipalities:
        own = cells[cells["municipality"] == name]
        parts.append(own.groupby(keys, as_index=False)["hundredths"].sum().assign(municipality=name))
    table = pd.concat([by_sex(part) for part in parts])
    table["insured_years"] = [f"{h // 100}.{h % 100:02d}" for h in table["hundredths"]]
    return table[["municipality", *keys, "insured_years"]]


def by_sex(table: pd.DataFrame) -> pd.DataFrame:
    order = table["sex"].map({"m": 0, "f": 1})
    return table.assign(order=order).sort_values(["order", "age_from"], kind="stable").drop(columns="order")


def cost(data: VektisData) -> pd.DataFrame:
    """National cost per insured year per sex, age class and category."""
    cents = [f"{c}_cents" for c in data.categories]
    cells = data.cells.assign(hundredths=hundredths(data.cells["insured_years"]))
    table = by_sex(cells.groupby(["sex", "age_from", "age_to"], as_index=False)[[*cents, "hundredths"]].sum())
    years = table["hundredths"].to_numpy() / 100.0
    result = table[["sex", "age_from", "age_to"]].copy()
    result["insured_years"] = [f"{h // 100}.{h % 100:02d}" for h in table["hundredths"]]
    for category in data.categories:
        result[f"{category}_eur"] = [f"{v:.2f}" for v in table[f"{category}_cents"].to_numpy() / 100.0 / years]
    total = table[cents].to_numpy().sum(axis=1)
    result["total_eur"] = [f"{v:.2f}" for v in total / 100.0 / years]
    return result


def region_ratios(data: VektisData) -> pd.DataFrame:
    """Actual over expected per broad age class and category for the region, all ages for its municipalities."""
    members = find_region(REGION).municipalities
    inside = data.cells["municipality"].isin(members)
    age = data.cells["age_from"]
    rows: list[tuple[str, int, int, str, str, str, str, str]] = []
    for low, high in (*BROAD_BANDS, (0, -1)):
        band = inside & (age >= low) & ((age <= high) if high >= 0 else True)
        rows += ratio_rows(compare(data, np.where(band, REGION, "")), low, high)
    own = pd.Series(np.where(inside, data.cells["municipality"], ""))
    found = compare(data, own)
    by_member = {rows_[0][0]: rows_ for rows_ in (ratio_rows(found, 0, -1, k) for k in range(len(found.groups)))}
    for name in members:
        rows += by_member[name]
    return pd.DataFrame(
        rows,
        columns=[
            "municipality",
            "age_from",
            "age_to",
            "category",
            "insured_years",
            "actual_eur",
            "expected_eur",
            "ratio",
        ],
    )


def ratio_rows(
    found: Comparison, low: int, high: int, group: int = 0
) -> list[tuple[str, int, int, str, str, str, str, str]]:
    years = found.insured_years[group]
    names = [*found.categories, "total"]
    actual = [*found.actual[group], found.actual[group].sum()]
    expected = [*found.expected[group], found.expected[group].sum()]
    return [
        (
            found.groups[group],
            low,
            high,
            name,
            f"{years:.2f}",
            f"{a / years:.2f}",
            f"{e / years:.2f}",
            f"{a / e:.4f}" if e / years >= 0.005 else "",
        )
        for name, a, e in zip(names, actual, expected, strict=True)
    ]


def municipalities(data: VektisData) -> pd.DataFrame:
    """Insured years and ratio of every municipality, in alphabetical order."""
    found = compare(data, data.cells["municipality"])
    rows = []
    for k in sorted(range(len(found.groups)), key=lambda k: plain_name(found.groups[k])):
        years, actual, expected = found.insured_years[k], found.actual[k].sum(), found.expected[k].sum()
        rows.append(
            (
                found.groups[k],
                f"{years:.2f}",
                f"{actual / years:.2f}",
                f"{expected / years:.2f}",
                f"{actual / expected:.4f}",
            )
        )
    return pd.DataFrame(rows, columns=["municipality", "insured_years", "actual_eur", "expected_eur", "ratio"])


def header(what: str, years: Iterable[int] = ()) -> str:
    lines = [*what.splitlines(), f"Source: {SOURCE}. Terms: {TERMS}.", "Made by tools/vektis_targets.py; see NOTICE."]
    return "".join(f"# {line}\n" for line in lines)


def write(file: Path, what: str, table: pd.DataFrame) -> Path:
    file.write_text(header(what) + table.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")
    return file


def write_summary(file: Path, data: dict[int, VektisData]) -> Path:
    """The source block, national totals and means of each year, and what each table holds."""
    lines = [
        header(
            "National totals and means, and the list of tables, of the Vektis open data used to calibrate the "
            "population.\nMeans are euros per insured year, before the deductible, over all municipalities; `rest` "
            "is the insured whose\nmunicipality is unknown: in the national totals, in no mean."
        )
    ]
    lines += ["[source]", f'title = "{SOURCE}"', 'url   = "https://www.vektis.nl/open-data"', f'terms = "{TERMS}"', ""]
    lines += ["[tables]"]
    for key, text in (
        *(
            (key, ", ".join(f"vektis_{key}_{year}.csv" for year in data))
            for key in ("population", "cost", "region_ratios")
        ),
        ("municipalities", "vektis_municipalities_2018.csv"),
    ):
        lines.append(f"{key:<15}= [{', '.join(chr(34) + t + chr(34) for t in text.split(', '))}]")
    for year, one in data.items():
        totals = one.totals()
        cells, rest = totals["cells"], totals["rest"]
        lines += [
            "",
            f"[year.{year}]",
            f'sha256         = "{one.sha256}"  # of the unpacked file',
            f"municipalities = {len(one.municipalities)}",
            f"persons        = {cells['persons']}",
            f"insured_years  = {cells['insured_years']:.2f}",
            f"total_eur      = {cells['total_cents'] / 100:.2f}",
            f"rest           = {{ persons = {rest['persons']}, insured_years = {rest['insured_years']:.2f}, "
            f"total_eur = {rest['total_cents'] / 100:.2f} }}",
            f"[year.{year}.mean_eur]",
        ]
        for category in one.categories:
            mean = cells[f"{category}_cents"] / 100.0 / cells["insured_years"]
            lines.append(f"{category:<13}= {mean:.2f}")
        lines.append(f"{'total':<13}= {cells['total_cents'] / 100.0 / cells['insured_years']:.2f}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return file


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
