"""Two small tables of a user, and the map that reads them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import polars as pl

MAP: dict[str, Any] = {
    "microdata": {"years": [2020, 2021]},
    "records": {
        "file": "records.csv",
        "columns": {
            "person": "rin", "insurer": "uzovi", "first_day": "van", "last_day": "tot", "birth": "geb", "sex": "gesl",
            "region": "reg", "income_source": "inkomen", "voluntary_deductible": "vrijw",
        },
        "constants": {"ses": 2, "household": "other", "municipality": 0},
        "units": {"first_day": "iso", "last_day": "iso", "birth": "yyyymm", "voluntary_deductible": "euros"},
        "codes": {"sex": {"M": "m", "V": "f"}, "income_source": {"1": "employed", "2": "reference"}},
    },
    "claims": [
        {
            "file": "claims.csv",
            "columns": {"person": "rin", "opened": "open", "claimed": "bedrag", "product": "product"},
            "constants": {"category": "hospital"},
            "units": {"opened": "iso", "claimed": "euros"},
        }
    ],
    "insurers": {"1": "Een", "2": "Twee"},
}  # fmt: skip

RECORDS: list[dict[str, Any]] = [
    {"rin": "anna", "uzovi": 1, "van": "2020-01-01", "tot": "2020-12-31", "geb": 196003, "gesl": "V", "reg": 1,
     "inkomen": 1, "vrijw": "0"},
    {"rin": "anna", "uzovi": 2, "van": "2021-01-01", "tot": "2021-12-31", "geb": 196003, "gesl": "V", "reg": 1,
     "inkomen": 1, "vrijw": "500"},
    {"rin": "bert", "uzovi": 1, "van": "2020-01-01", "tot": "2020-12-31", "geb": 199011, "gesl": "M", "reg": 2,
     "inkomen": 2, "vrijw": "0"},
    {"rin": "bert", "uzovi": 1, "van": "2021-01-01", "tot": "2021-06-30", "geb": 199011, "gesl": "M", "reg": 2,
     "inkomen": 2, "vrijw": "0"},
]  # fmt: skip
CLAIMS: list[dict[str, Any]] = [
    {"rin": "anna", "open": "2020-02-03", "bedrag": "120.50", "product": 1},
    {"rin": "anna", "open": "2021-05-06", "bedrag": "80.00", "product": 2},
    {"rin": "bert", "open": "2020-11-30", "bedrag": "-10.25", "product": 3},
]


def tables() -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    return copy.deepcopy((RECORDS, CLAIMS, MAP))


def write(folder: Path, records: Any, claims: Any, spec: dict[str, Any], suffix: str = "csv") -> dict[str, Any]:
    """The tables as CSV texts or typed files; the map with absolute names."""
    for name, rows, table in (("records", records, spec["records"]), ("claims", claims, spec["claims"][0])):
        path = folder / f"{name}.{suffix}"
        table["file"] = str(path)
        if isinstance(rows, bytes):
            path.write_bytes(rows)
            continue
        frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
        if suffix != "csv":
            for column in ("vrijw", "bedrag"):
                if column in frame.columns and table.get("decimal") is None:
                    frame = frame.with_columns(pl.col(column).cast(pl.Float64, strict=False).alias(column))
        if suffix == "csv":
            frame.write_csv(path, separator=table.get("separator", ","))
        elif suffix == "parquet":
            frame.write_parquet(path)
        elif suffix == "dta":
            import pyreadstat

            pyreadstat.write_dta(frame.to_pandas(), str(path))
        elif suffix == "xpt":
            import pyreadstat

            pyreadstat.write_xport(frame.to_pandas(), str(path), file_format_version=8)
    return spec


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    return pl.DataFrame(rows).write_csv().encode()
