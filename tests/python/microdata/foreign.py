"""A synthetic population as the tables of somebody else: other names, units and codes, in any format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import anderhalf as ah
from anderhalf import _core
from anderhalf.microdata import _under
from anderhalf.microdata_columns import hashed
from anderhalf.population import Population
from anderhalf.sources import People

KEY = b"sixteen bytes or more of a key"
INCOME = ("geen", "iva", "wao", "bijstand", "student", "baan", "zzp", "hbo", "rest")
HOUSE = ("kind", "wlz", "wlz_in", "alleen", "samen")

MAP: dict[str, Any] = {
    "microdata": {"years": [2015, 2021], "region": "mijnstreek"},
    "records": {
        "file": "",
        "columns": {
            "person": "rin", "address": "adres", "insurer": "uzovi", "first_day": "van", "last_day": "tot",
            "birth": "geb", "sex": "gesl", "municipality": "gem", "region": "reg", "income_source": "inkomen",
            "ses": "ses", "household": "huish", "wlz": "wlz", "voluntary_deductible": "vrijw",
            "represents": "telt",
        },
        "constants": {},
        "units": {"first_day": "yyyymmdd", "last_day": "iso", "birth": "yyyymm", "voluntary_deductible": "euros",
                  "municipality": "ours"},
        "codes": {
            "sex": {"M": "m", "V": "f"},
            "insurer": {"3311": 1, "7095": 2, "3332": 3, "699": 4, "7119": 5},
            "income_source": dict(zip(INCOME, range(9), strict=True)),
            "household": {"1": "one_person", "2": "other", "3": "wlz_permanent", "4": "wlz_entering", "5": "none"},
        },
    },
    "claims": [
        {
            "file": "",
            "columns": {
                "person": "RIN", "opened": "open", "closed": "dicht", "claimed": "bedrag", "settled": "betaald",
                "product": "product", "specialism": "spec", "diagnosis": "diag", "ddd": "ddd",
                "prescriptions": "recept", "consult": "consult", "category": "soort",
            },
            "units": {"opened": "sas", "closed": "iso", "claimed": "euros", "settled": "cents"},
        },
        {
            "file": "",
            "columns": {"person": "rin", "opened": "dag", "closed": "dag2", "claimed": "bedrag"},
            "constants": {"category": "gp"},
            "units": {"opened": "yyyymmdd", "closed": "yyyymmdd", "claimed": "cents"},
        },
    ],
    "insurers": {},
}  # fmt: skip


def yyyymmdd(days: Any) -> Any:
    day = np.asarray(days).astype("M8[D]")
    year, month = day.astype("M8[Y]"), day.astype("M8[M]")
    of_month, of_year = (day - month).astype(int) + 1, (month - year).astype(int) + 1
    return (year.astype(int) + 1970) * 10_000 + of_year * 100 + of_month


def rows(people: Population) -> tuple[Any, Any]:
    blocks = list(people.blocks())
    return np.concatenate([b.records for b in blocks]), np.concatenate([b.claims for b in blocks])


def tables(people: Population) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Three tables in any order of rows, and the map that reads them (without files)."""
    r, c = rows(people)
    gp = (c["category"] == 1) & (c["product"] == 0)
    gp &= (c["ddd"] == 0) & (c["claimed_cents"] == c["settled_cents"]) & (c["specialism"] == 0) & (c["diagnosis"] == 0)
    gp &= (c["prescriptions"] == 0) & ~c["consult"] & (c["title"] == 1)
    spec = copy.deepcopy(MAP)
    codes = spec["records"]["codes"]["insurer"]
    extra = [i for i in people.insurers if i not in codes.values()]
    codes |= {str(900 + i): i for i in extra}
    theirs = {ours: text for text, ours in codes.items()}
    spec["insurers"] = {str(code): name for code, name in people.insurers.items()}
    house = np.array([5, 3, 4, 1, 2])
    rin = np.array([f"P{p}" for p in r["person"]])
    spec["microdata"]["years"] = list(people.years)
    made = {
        "records": pl.DataFrame({
            "rin": rin, "adres": [f"A{a}" for a in r["address"]], "uzovi": [theirs[int(i)] for i in r["insurer"]],
            "van": yyyymmdd(r["first_day"]), "tot": r["last_day"].astype("M8[D]"),
            "geb": r["birth_month"] // 12 * 100 + r["birth_month"] % 12 + 1,
            "gesl": np.where(r["sex"] == 1, "M", "V"), "gem": r["municipality"].astype(np.int32),
            "reg": r["region"].astype(np.int32), "inkomen": np.array(INCOME)[r["income_source"]],
            "ses": r["ses"].astype(np.int32), "huish": house[r["household"]], "wlz": r["wlz"].astype(np.int32),
            "vrijw": r["voluntary_deductible_cents"] / 100, "telt": r["represents"].astype(np.int32),
        }),
        "claims": pl.DataFrame({
            "RIN": [f"P{p}" for p in c["person"][~gp]], "open": c["opened"][~gp] + 3653,
            "dicht": c["closed"][~gp].astype("M8[D]"), "bedrag": c["claimed_cents"][~gp] / 100,
            "betaald": c["settled_cents"][~gp], "product": c["product"][~gp].astype(np.int64),
            "spec": c["specialism"][~gp].astype(np.int32), "diag": c["diagnosis"][~gp].astype(np.int32),
            "ddd": c["ddd"][~gp].astype(np.int32), "recept": c["prescriptions"][~gp].astype(np.int32),
            "consult": c["consult"][~gp].astype(np.int32), "soort": c["category"][~gp].astype(np.int32),
        }),
        "gp": pl.DataFrame({
            "rin": [f"P{p}" for p in c["person"][gp]], "dag": yyyymmdd(c["opened"][gp]),
            "dag2": yyyymmdd(c["closed"][gp]), "bedrag": c["claimed_cents"][gp],
        }),
    }  # fmt: skip
    return {name: t.sample(fraction=1, shuffle=True, seed=7) for name, t in made.items()}, spec


SUFFIX = {"csv": "csv", "parquet": "parquet", "arrow": "feather", "stata": "dta", "xport": "xpt"}


def write(frame: pl.DataFrame, path: Path) -> None:
    import pyreadstat

    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path, row_group_size=10_000)
    elif path.suffix == ".feather":
        frame.write_ipc(path)
    elif path.suffix == ".dta":
        pyreadstat.write_dta(frame.to_pandas(), str(path))
    else:
        pyreadstat.write_xport(frame.to_pandas(), str(path), file_format_version=8)


def written(folder: Path, made: dict[str, pl.DataFrame], spec: dict[str, Any], suffix: str) -> dict[str, Any]:
    """The tables as files; the map with their names."""
    result = copy.deepcopy(spec)
    for name, table in made.items():
        write(table, folder / f"{name}.{suffix}")
    result["records"]["file"] = str(folder / f"records.{suffix}")
    result["claims"][0]["file"] = str(folder / f"claims.{suffix}")
    result["claims"][1]["file"] = str(folder / f"gp.{suffix}")
    return result


class Renamed(People):
    """A population under the ids that an import with KEY gives it, in one block."""

    def __init__(self, people: Population, key: bytes = KEY) -> None:
        r, c = (rows.copy() for rows in rows(people))
        self.people = people
        address = hashed([f"A{a}" for a in r["address"]], key)
        person = hashed([f"P{p}" for p in r["person"]], key)
        order = np.lexsort([r["first_day"], r["person"]])
        first = dict(zip(r["person"][order][::-1].tolist(), address[order][::-1].tolist(), strict=True))
        home = np.array([first[p] for p in r["person"].tolist()], dtype=np.uint64)
        numbers = dict(zip(r["person"].tolist(), _under(home, person).tolist(), strict=True))
        r["person"] = np.array([numbers[p] for p in r["person"].tolist()], dtype=np.uint64)
        r["address"] = address
        c["person"] = np.array([numbers[p] for p in c["person"].tolist()], dtype=np.uint64)
        r = r[np.lexsort([r["first_day"], r["person"]])]
        year = c["opened"].astype("M8[D]").astype("M8[Y]")
        content = ("insurer", "title", "consult", "prescriptions", "settled_cents", "closed", "ddd", "claimed_cents",
                   "opened", "diagnosis", "specialism", "product", "category")  # fmt: skip
        c = c[np.lexsort([*(c[name] for name in content), year, c["person"]])]
        year = c["opened"].astype("M8[D]").astype("M8[Y]")
        new = np.append(True, (c["person"][1:] != c["person"][:-1]) | (year[1:] != year[:-1]))
        c["claim"] = np.arange(len(c)) - np.flatnonzero(new)[np.cumsum(new) - 1]
        self.only = _core.Block(r, c)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.people, name)

    def __len__(self) -> int:
        return 1

    def block(self, index: int, years: Any = None) -> _core.Block:
        return self.only

    def source(self, years: Any = None) -> Any:
        return _core.blocks_source([self.only])


def people(persons: int = 5000, years: tuple[int, int] = (2015, 2021)) -> Population:
    return ah.synthesise(persons, years, region="mijnstreek", seed=3)
