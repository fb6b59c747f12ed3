"""Vektis files of every year from 2011 to 2023: the published columns of each, in every shape a file may come in."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anderhalf.datasets import VEKTIS_COLUMNS, VektisData, read_vektis, vektis_columns
from anderhalf.errors import DomainError, ShapeError
from anderhalf.regiobeeld import regiobeeld

# The cost columns as published, read off the files of each year. Columns of a line joined those of the line above it or
# took the place of those behind "less".
ALWAYS = (
    "medisch_specialistische_zorg farmacie huisarts_inschrijftarief huisarts_consult huisarts_overig hulpmiddelen"
    " mondzorg paramedische_zorg_fysiotherapie paramedische_zorg_overig ziekenvervoer_zittend ziekenvervoer_liggend"
    " kraamzorg verloskundige_zorg grensoverschrijdende_zorg eerstelijns_ondersteuning overig"
)
GGZ_2011 = "tweedelijns_ggz eerstelijns_psychologische_zorg"
GGZ_2014 = "specialistische_ggz generalistische_basis_ggz"
GGZ_2022 = "consulten_ggz intramuraal_verblijf_ggz overige_prestaties_ggz innovatiegelden_ggz"
CARE_2015 = "huisarts_mdz langdurige_ggz verpleging_en_verzorging geriatrische_revalidatiezorg"
PUBLISHED = {
    2011: f"{ALWAYS} {GGZ_2011}",
    2012: f"{ALWAYS} {GGZ_2011}",
    2013: f"{ALWAYS} {GGZ_2011} geriatrische_revalidatiezorg",
    2014: f"{ALWAYS} {GGZ_2014} geriatrische_revalidatiezorg",
    2015: f"{ALWAYS} {GGZ_2014} {CARE_2015}",
    2016: f"{ALWAYS} {GGZ_2014} {CARE_2015}",
    2017: f"{ALWAYS} {GGZ_2014} {CARE_2015}",
    2018: f"{ALWAYS} {GGZ_2014} {CARE_2015} eerstelijnsverblijf",
    2019: f"{ALWAYS} {GGZ_2014} {CARE_2015} eerstelijnsverblijf",
    2020: f"{ALWAYS} {GGZ_2014} {CARE_2015} eerstelijnsverblijf gzsp",
    2021: f"{ALWAYS} {GGZ_2014} {CARE_2015} eerstelijnsverblijf gzsp integrale_geboortezorg innovatiegelden_ggz",
    2022: f"{ALWAYS} {GGZ_2022} {CARE_2015} eerstelijnsverblijf gzsp integrale_geboortezorg".replace(
        " langdurige_ggz", ""
    ),
}
PUBLISHED[2023] = PUBLISHED[2022]  # the same, cut to 32 letters
AGES = [" 0 t/m  4 jaar", " 5 t/m  9 jaar", "10 t/m 14 jaar", "85 t/m 89 jaar", "90+"]
PLACES = ["HEERLEN", "BEEK", "SITTARD-GELEEN", "SÚDWEST-FRYSLÂN", "'S-GRAVENHAGE"]


def made_up(year: int, seed: int) -> list[list[str]]:
    """Header and rows of a year as Vektis publishes it, with figures of our own."""
    dice = random.Random(seed)
    names = PUBLISHED[year].split()
    header = ["geslacht", "leeftijdsklasse", "gemeentenaam", "aantal_bsn", "aantal_verzekerdejaren"]
    header += [f"kosten_{name}" for name in names]
    if year == 2023:
        header = [name[:32] for name in header]
    if year < 2019:
        header = [name.upper() for name in header]

    def amounts() -> list[str]:
        return [str(dice.choice([0, 5, dice.randint(1, 9_999_999) / 100])) for _ in names]

    rows = [["", "", "", "30", "20.25", *amounts()]] if year < 2020 else []
    for sex in "MV":
        for age in AGES:
            for place in PLACES:
                persons = dice.randint(10, 900)
                rows.append([sex, age, place, str(persons), f"{persons * 0.93:.2f}", *amounts()])
    return [header, *rows]


def text_of(table: list[list[str]], delimiter: str = ";", end: str = "\n", comma: bool = False) -> str:
    numbers = [
        [cell.replace(".", ",") if comma and k >= 3 else cell for k, cell in enumerate(row)] if r else row
        for r, row in enumerate(table)
    ]
    return end.join(delimiter.join(row) for row in numbers) + end


def same(a: VektisData, b: VektisData) -> bool:
    return a.cells.equals(b.cells) and a.rest.equals(b.rest) and a.categories == b.categories and a.year == b.year


@pytest.mark.parametrize("year", sorted(PUBLISHED))
def test_the_columns_of_a_year_are_known_and_complete(year: int, tmp_path: Path) -> None:
    assert set(vektis_columns(year)) == set(PUBLISHED[year].split())
    file = tmp_path / f"vektis_{year}_gemeente.csv"
    table = made_up(year, year)
    file.write_text(text_of(table), encoding="utf-8")
    data = read_vektis(file)
    assert data.year == year
    cents = sum(round(float(x) * 100) for row in table[1:] for x in row[5:])
    assert data.totals()["all"]["total_cents"] == cents
    assert not any(note.startswith("Column") for note in data.notes)


@pytest.mark.parametrize("year", sorted(PUBLISHED))
def test_a_regiobeeld_runs_on_every_year(year: int, tmp_path: Path) -> None:
    file = tmp_path / f"vektis_{year}_gemeente.csv"
    file.write_text(text_of(made_up(year, year)), encoding="utf-8")
    result = regiobeeld(file, municipalities=["Heerlen", "Beek"])
    assert result.year == year
    actual = [m["actual_eur"] * m["insured_years"] for m in result.municipalities]
    together = result.region["actual_eur"] * result.region["insured_years"]
    assert together == pytest.approx(sum(actual))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    year=st.sampled_from(sorted(PUBLISHED)),
    seed=st.integers(0, 10**6),
    delimiter=st.sampled_from([";", "\t", "|", ","]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252"]),
    case=st.sampled_from([str.upper, str.lower, str.title]),
    comma=st.booleans(),
    packed=st.booleans(),
    cut=st.booleans(),
    jaar=st.booleans(),
)
def test_the_shape_of_a_file_changes_nothing(
    tmp_path: Path, year, seed, delimiter, end, encoding, case, comma, packed, cut, jaar
) -> None:
    plain = made_up(year, seed)
    first = tmp_path / f"vektis_{year}_gemeente.csv"
    first.write_text(text_of(plain), encoding="utf-8")
    dice = random.Random(seed)
    order = list(range(len(plain[0])))
    dice.shuffle(order)
    rows = [plain[0], *dice.sample(plain[1:], len(plain) - 1)]
    comma = comma and delimiter != ","
    shaped = [[cell.replace(".", ",") if comma and r and k >= 3 else cell for k, cell in enumerate(row)] for r, row in
              enumerate(rows)]  # fmt: skip
    shaped = [[row[k] for k in order] for row in shaped]
    shaped[0] = [case(name[:32] if cut else name) for name in shaped[0]]
    if jaar:
        shaped = [[*row, "JAAR" if r == 0 else str(year)] for r, row in enumerate(shaped)]
    raw = text_of(shaped, delimiter, end).encode(encoding)
    name = "gemeente.csv" if jaar else f"zvw-{year}.csv"
    other = tmp_path / (name + ".gz" if packed else name)
    other.write_bytes(gzip.compress(raw) if packed else raw)
    assert same(read_vektis(other), read_vektis(first))


def test_a_column_that_the_year_has_and_the_file_lacks_is_named(tmp_path: Path) -> None:
    table = made_up(2018, 1)
    place = table[0].index("KOSTEN_FARMACIE")
    file = tmp_path / "vektis_2018_gemeente.csv"
    file.write_text(text_of([[c for k, c in enumerate(row) if k != place] for row in table]), encoding="utf-8")
    notes = read_vektis(file).notes
    assert "Column which Vektis published for 2018, not in this file and so in no total: kosten_farmacie." in notes


def test_a_file_of_another_year_under_a_wrong_name_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "vektis_2022_gemeente.csv"
    file.write_text(text_of(made_up(2012, 1)), encoding="utf-8")
    notes = " ".join(read_vektis(file).notes)
    assert "kosten_tweedelijns_ggz" in notes
    assert "kosten_consulten_ggz" in notes


@pytest.mark.parametrize("with_municipality", [False, True])
def test_the_files_by_postcode_are_refused_by_name_whatever_the_year(tmp_path: Path, with_municipality: bool) -> None:
    for year in sorted(PUBLISHED):
        table = made_up(year, 3)
        place = 2
        if with_municipality:
            table = [[*row, "POSTCODE_3" if r == 0 else "641"] for r, row in enumerate(table)]
        else:
            table[0][place] = "POSTCODE_3" if year < 2019 else "postcode_3"
        file = tmp_path / f"vektis_{year}_postcode3.csv"
        file.write_text(text_of(table), encoding="utf-8")
        with pytest.raises(ShapeError, match="by postcode area, not by municipality"):
            read_vektis(file)


def test_a_year_that_is_nowhere_asks_for_the_option(tmp_path: Path) -> None:
    file = tmp_path / "gemeente.csv"
    file.write_text(text_of(made_up(2014, 1)), encoding="utf-8")
    with pytest.raises(DomainError, match="--year"):
        read_vektis(file)
    assert read_vektis(file, year=2014).year == 2014


def test_every_known_column_was_published_in_some_year() -> None:
    known = {column for columns in VEKTIS_COLUMNS.values() for column in columns}
    assert known == {name for text in PUBLISHED.values() for name in text.split()}
