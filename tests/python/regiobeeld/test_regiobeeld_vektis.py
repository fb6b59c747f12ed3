"""The Mijnstreek on the real files of Vektis; runs when ANDERHALF_VEKTIS names the folder that holds them.

The published figures are whole euros per insured year of 2023, computed independently of this code.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from anderhalf.regiobeeld import Regiobeeld, regiobeeld

pytestmark = pytest.mark.skipif(
    "ANDERHALF_VEKTIS" not in os.environ, reason="ANDERHALF_VEKTIS names no folder with Vektis files"
)

# insured years, actual, expected, ratio, gap, gap in EUR million, rank of 342
TOTALS = {
    "Heerlen": (85434, 4180, 3363, 1.243, 817, 69.8, 1),
    "Kerkrade": (42638, 4229, 3495, 1.210, 735, 31.3, 3),
    "Brunssum": (27259, 4263, 3497, 1.219, 766, 20.9, 2),
    "Landgraaf": (36229, 4098, 3497, 1.172, 601, 21.8, 8),
    "Simpelveld": (9814, 3708, 3594, 1.032, 114, 1.1, 59),
    "Voerendaal": (12154, 3589, 3615, 0.993, -26, -0.3, 118),
    "Beekdaelen": (35145, 3676, 3540, 1.038, 136, 4.8, 51),
    "Sittard-Geleen": (90763, 3941, 3430, 1.149, 510, 46.3, 10),
    "Stein": (24414, 3790, 3591, 1.055, 198, 4.8, 37),
    "Beek": (15553, 3608, 3577, 1.008, 30, 0.5, 91),
    "Echt-Susteren": (31330, 3759, 3527, 1.066, 232, 7.3, 31),
}

# Published columns as sums of our categories; birth care of the source holds integrated birth care too.
COLUMNS: dict[str, Sequence[str]] = {
    "hospital": ["hospital"],
    "drugs": ["drugs"],
    "gp": ["gp", "chain_care"],
    "ggz": ["ggz"],
    "nursing_grz_elv": ["nursing", "grz", "elv"],
    "paramedical": ["paramedical"],
    "devices": ["devices"],
    "dental": ["dental"],
    "transport": ["transport"],
    "birth": ["obstetric", "maternity"],
    "other": ["diagnostics", "gzsp", "cross_border", "other"],
}
CATEGORIES = """\
Heerlen|2019/1773|441/363|333/281|501/281|388/297|106/64|147/120|67/50|63/53|29/39|84/42
Kerkrade|2087/1857|444/381|336/287|377/272|439/320|110/66|156/127|67/50|68/56|26/36|119/43
Brunssum|2122/1858|492/381|319/287|374/271|423/321|123/67|150/127|72/51|68/56|30/35|90/43
Landgraaf|2046/1869|460/382|314/287|356/269|401/312|119/67|159/127|67/51|63/56|27/34|88/44
Simpelveld|1921/1913|384/392|324/292|255/265|366/344|97/68|136/132|49/52|52/58|28/32|97/45
Voerendaal|1879/1933|405/394|322/293|264/256|309/345|89/71|138/132|44/54|44/59|30/31|65/46
Beekdaelen|1962/1890|397/386|307/289|252/265|317/326|106/68|131/129|49/52|55/57|33/34|69/45
Sittard-Geleen|1990/1815|433/372|310/284|382/278|328/308|112/65|138/123|50/49|59/54|30/38|108/43
Stein|2088/1922|398/393|311/291|234/267|306/333|102/68|134/131|50/51|58/58|26/33|83/44
Beek|1921/1904|400/389|285/291|219/268|318/338|114/68|131/130|50/50|51/58|30/35|89/45
Echt-Susteren|2011/1888|404/386|298/288|255/268|319/319|98/67|136/128|56/51|68/56|28/33|84/44"""

REGION = {
    "hospital": 1.095,
    "drugs": 1.150,
    "ggz": 1.353,
    "nursing": 1.18,
    "grz": 1.03,
    "elv": 1.27,
    "paramedical": 1.66,
    "devices": 1.147,
    "dental": 1.16,
    "transport": 1.10,
}
AGES = {
    "total": (1.14, 1.23, 1.22, 1.12, 1.11, 1.05),
    "hospital": (1.12, 1.22, 1.15, 1.05, 1.03, 1.02),
    "drugs": (1.03, 1.20, 1.17, 1.15, 1.14, 1.10),
}


def path(year: int) -> Path:
    folder = Path(os.environ["ANDERHALF_VEKTIS"])
    return next(f for f in (folder / f"vektis_{year}_gemeente.csv{end}" for end in (".gz", "")) if f.exists())


@pytest.fixture(scope="module")
def eleven() -> Regiobeeld:
    return regiobeeld(path(2023), municipalities=list(TOTALS))


@pytest.fixture(scope="module")
def mijnstreek() -> Regiobeeld:
    return regiobeeld(path(2023), "mijnstreek")


@pytest.mark.parametrize("name", TOTALS)
def test_totals_of_each_municipality_equal_the_published_ones(eleven: Regiobeeld, name: str) -> None:
    found = next(m for m in eleven.municipalities if m["municipality"] == name)
    years, actual, expected, ratio, gap, million, rank = TOTALS[name]
    assert abs(found["insured_years"] - years) <= 0.5
    assert abs(found["actual_eur"] - actual) <= 0.5
    assert abs(found["expected_eur"] - expected) <= 0.5
    assert abs(found["ratio"] - ratio) <= 0.0005
    assert abs(found["actual_eur"] - found["expected_eur"] - gap) <= 0.5
    assert abs((found["actual_eur"] - found["expected_eur"]) * found["insured_years"] / 1e6 - million) <= 0.05
    assert (found["rank"], found["rank_of"]) == (rank, 342)


@pytest.mark.parametrize("line", CATEGORIES.splitlines(), ids=lambda line: line.split("|")[0])
def test_categories_of_each_municipality_equal_the_published_ones(eleven: Regiobeeld, line: str) -> None:
    name, *pairs = line.split("|")
    found: dict[str, Any] = next(m for m in eleven.municipalities if m["municipality"] == name)["categories"]
    assert {c for column in COLUMNS.values() for c in column} == set(found)
    for (column, parts), pair in zip(COLUMNS.items(), pairs, strict=True):
        for key, printed in zip(("actual_eur", "expected_eur"), map(int, pair.split("/")), strict=True):
            value = sum(found[part][key] for part in parts)
            assert abs(value - printed) <= 0.5, f"{column} {key}: {value:.2f}, printed {printed}"


def test_the_mijnstreek_has_the_published_ratios(mijnstreek: Regiobeeld) -> None:
    region = mijnstreek.region
    assert abs(region["insured_years"] - 379403) <= 0.5
    assert abs(region["ratio"] - 1.153) <= 0.0005
    for category, ratio in REGION.items():
        digits = len(str(ratio).partition(".")[2])
        tolerance = 0.0005 if digits == 3 or category in ("drugs",) else 0.005
        assert abs(region["categories"][category]["ratio"] - ratio) <= tolerance, category
    gp = [region["categories"][c] for c in ("gp", "chain_care")]
    assert abs(sum(c["actual_eur"] for c in gp) / sum(c["expected_eur"] for c in gp) - 1.114) <= 0.0005
    birth = [region["categories"][c] for c in ("obstetric", "maternity")]
    assert abs(sum(c["actual_eur"] for c in birth) / sum(c["expected_eur"] for c in birth) - 0.81) <= 0.005


def test_the_excess_of_the_mijnstreek_sits_in_working_age(mijnstreek: Regiobeeld) -> None:
    ages = mijnstreek.region["ages"]
    for category, printed in AGES.items():
        found = [a["ratio"] if category == "total" else a["categories"][category]["ratio"] for a in ages]
        for value, ratio in zip(found, printed, strict=True):
            assert abs(value - ratio) <= 0.005, (category, found)


def test_2018_has_the_mean_of_2625_euros_and_the_extremes_that_were_published() -> None:
    result = regiobeeld(path(2018))
    assert abs(result.region["actual_eur"] - 2625) <= 0.5
    by_name = {m["municipality"]: m for m in result.municipalities}
    assert abs(by_name["Kerkrade"]["actual_eur"] - 3625) <= 0.5
    assert abs(by_name["Urk"]["actual_eur"] - 1853) <= 0.5
    assert max(result.municipalities, key=lambda m: m["actual_eur"])["municipality"] == "Kerkrade"
    assert max(result.municipalities, key=lambda m: m["ratio"])["municipality"] == "Heerlen"


def test_the_calibration_tables_in_the_repository_are_those_of_the_files() -> None:
    table = Path(__file__).parents[3] / "params" / "population" / "vektis_region_ratios_2023.csv"
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = [r for r in csv.DictReader(lines) if r["municipality"] == "Mijnstreek" and r["age_from"] == "0"]
    printed = {r["category"]: float(r["ratio"]) for r in rows if r["age_to"] == "-1" and r["ratio"]}
    region = regiobeeld(path(2023), "mijnstreek").region
    for category, ratio in printed.items():
        found = region["ratio"] if category == "total" else region["categories"][category]["ratio"]
        assert abs(found - ratio) <= 0.00005 + 1e-9
