"""Reading the Vektis open data: made-up files in every shape that Vektis has published."""

from __future__ import annotations

import gzip
import os
import pickle
from pathlib import Path

import pytest

from anderhalf.datasets import CATEGORIES, VEKTIS_COLUMNS, display_name, read_vektis
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, Problem, ShapeError

KEYS = ["geslacht", "leeftijdsklasse", "gemeentenaam", "aantal_bsn", "aantal_verzekerdejaren"]
HEADER = ";".join([*KEYS, "kosten_medisch_specialistische_zorg", "kosten_farmacie", "kosten_huisarts_consult"])
ROWS = [
    ";;;30;20.25;1000.50;200;10",
    "M; 0 t/m  4 jaar;BEEK;100;90.5;1000.10;50.05;9",
    "V;90+;BEEK;50;40.25;9000;700.99;80",
    "M; 0 t/m  4 jaar;SUDWEST-FRYSLAN;200;190;2500;100;20",
]

# The columns as Vektis published them, in three generations.
YEAR_2011 = """\
GESLACHT;LEEFTIJDSKLASSE;GEMEENTENAAM;AANTAL_BSN;AANTAL_VERZEKERDEJAREN;KOSTEN_MEDISCH_SPECIALISTISCHE_ZORG;\
KOSTEN_FARMACIE;KOSTEN_TWEEDELIJNS_GGZ;KOSTEN_HUISARTS_INSCHRIJFTARIEF;KOSTEN_HUISARTS_CONSULT;KOSTEN_HUISARTS_OVERIG;\
KOSTEN_HULPMIDDELEN;KOSTEN_MONDZORG;KOSTEN_PARAMEDISCHE_ZORG_FYSIOTHERAPIE;KOSTEN_PARAMEDISCHE_ZORG_OVERIG;\
KOSTEN_ZIEKENVERVOER_ZITTEND;KOSTEN_ZIEKENVERVOER_LIGGEND;KOSTEN_KRAAMZORG;KOSTEN_VERLOSKUNDIGE_ZORG;\
KOSTEN_EERSTELIJNS_PSYCHOLOGISCHE_ZORG;KOSTEN_GRENSOVERSCHRIJDENDE_ZORG;KOSTEN_EERSTELIJNS_ONDERSTEUNING;KOSTEN_OVERIG"""
YEAR_2018 = """\
GESLACHT;LEEFTIJDSKLASSE;GEMEENTENAAM;AANTAL_BSN;AANTAL_VERZEKERDEJAREN;KOSTEN_MEDISCH_SPECIALISTISCHE_ZORG;\
KOSTEN_FARMACIE;KOSTEN_SPECIALISTISCHE_GGZ;KOSTEN_HUISARTS_INSCHRIJFTARIEF;KOSTEN_HUISARTS_CONSULT;KOSTEN_HUISARTS_MDZ;\
KOSTEN_HUISARTS_OVERIG;KOSTEN_HULPMIDDELEN;KOSTEN_MONDZORG;KOSTEN_PARAMEDISCHE_ZORG_FYSIOTHERAPIE;\
KOSTEN_PARAMEDISCHE_ZORG_OVERIG;KOSTEN_ZIEKENVERVOER_ZITTEND;KOSTEN_ZIEKENVERVOER_LIGGEND;KOSTEN_KRAAMZORG;\
KOSTEN_VERLOSKUNDIGE_ZORG;KOSTEN_GENERALISTISCHE_BASIS_GGZ;KOSTEN_LANGDURIGE_GGZ;KOSTEN_GRENSOVERSCHRIJDENDE_ZORG;\
KOSTEN_EERSTELIJNS_ONDERSTEUNING;KOSTEN_GERIATRISCHE_REVALIDATIEZORG;KOSTEN_EERSTELIJNSVERBLIJF;\
KOSTEN_VERPLEGING_EN_VERZORGING;KOSTEN_OVERIG"""
YEAR_2023 = """\
geslacht;leeftijdsklasse;gemeentenaam;aantal_bsn;aantal_verzekerdejaren;kosten_medisch_specialistische_z;\
kosten_farmacie;kosten_huisarts_inschrijftarief;kosten_huisarts_consult;kosten_huisarts_mdz;kosten_huisarts_overig;\
kosten_hulpmiddelen;kosten_mondzorg;kosten_paramedische_zorg_fysioth;kosten_paramedische_zorg_overig;\
kosten_ziekenvervoer_zittend;kosten_ziekenvervoer_liggend;kosten_kraamzorg;kosten_verloskundige_zorg;\
kosten_grensoverschrijdende_zorg;kosten_eerstelijns_ondersteuning;kosten_geriatrische_revalidatiez;\
kosten_eerstelijnsverblijf;kosten_verpleging_en_verzorging;kosten_gzsp;kosten_integrale_geboortezorg;\
kosten_innovatiegelden_ggz;kosten_overig;kosten_consulten_ggz;kosten_intramuraal_verblijf_ggz;\
kosten_overige_prestaties_ggz"""


def write(folder: Path, rows: list[str], header: str = HEADER, name: str = "vektis_2018_gemeente.csv") -> Path:
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def test_amounts_become_exact_cents_and_ages_lose_their_blanks(tmp_path: Path) -> None:
    data = read_vektis(write(tmp_path, ROWS))
    first = data.cells.iloc[0]
    assert (first["municipality"], first["sex"], first["age"]) == ("Beek", "m", "0-4")
    assert (first["persons"], first["insured_years"]) == (100, 90.5)
    assert (first["hospital_cents"], first["drugs_cents"], first["gp_cents"]) == (100010, 5005, 900)
    assert list(data.cells["age"]) == ["0-4", "90+", "0-4"]
    assert list(data.cells["age_to"]) == [4, -1, 4]
    assert data.municipalities == ["Beek", "Súdwest-Fryslân"]
    assert data.categories == ("hospital", "drugs", "gp")


def test_rest_rows_are_in_the_national_totals_and_in_no_cell(tmp_path: Path) -> None:
    data = read_vektis(write(tmp_path, ROWS))
    totals = data.totals()
    assert len(data.rest) == 1
    assert len(data.cells) == 3
    assert totals["all"]["persons"] == 380
    assert totals["all"]["insured_years"] == 341.0
    assert totals["all"]["total_cents"] == totals["cells"]["total_cents"] + totals["rest"]["total_cents"]
    assert totals["rest"]["total_cents"] == 121050
    assert any("1 row without municipality" in note for note in data.notes)


@pytest.mark.parametrize("header", [YEAR_2011, YEAR_2018, YEAR_2023], ids=["2011", "2018", "2023"])
def test_every_column_of_each_generation_has_a_category_and_no_euro_is_lost(tmp_path: Path, header: str) -> None:
    amounts = len(header.split(";")) - len(KEYS)
    row = "M;90+;BEEK;10;9;" + ";".join(str(2**k) for k in range(amounts))
    data = read_vektis(write(tmp_path, [row], header))
    assert data.totals()["cells"]["total_cents"] == 100 * (2**amounts - 1)
    assert set(data.categories) <= set(CATEGORIES)


def test_every_known_column_may_be_cut_to_32_letters_as_in_2023() -> None:
    names = [f"kosten_{column}" for columns in VEKTIS_COLUMNS.values() for column in columns]
    assert len({name[:32] for name in names}) == len(names)


def test_comma_as_decimal_sign_and_byte_order_mark_and_gzip_give_the_same_cells(tmp_path: Path) -> None:
    plain = read_vektis(write(tmp_path, ROWS))
    text = "\n".join([HEADER.upper(), *(row.replace(".", ",") for row in ROWS)]) + "\r\n"
    file = tmp_path / "anders_2018.csv.gz"
    file.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    other = read_vektis(file)
    assert other.cells.equals(plain.cells)
    assert other.rest.equals(plain.rest)


def test_the_hash_is_of_the_unpacked_file(tmp_path: Path) -> None:
    file = write(tmp_path, ROWS)
    packed = tmp_path / "vektis_2018_gemeente.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_vektis(packed).sha256 == read_vektis(file).sha256


def test_the_year_comes_from_the_name_of_the_file_or_must_be_given(tmp_path: Path) -> None:
    assert read_vektis(write(tmp_path, ROWS)).year == 2018
    nameless = write(tmp_path, ROWS, name="gemeente.csv")
    with pytest.raises(DomainError, match="year="):
        read_vektis(nameless)
    assert read_vektis(nameless, year=2019).year == 2019
    assert "2018" in read_vektis(write(tmp_path, ROWS), year=2019).notes[0]
    with pytest.raises(DomainError, match="2006"):
        read_vektis(nameless, year=1999)


def test_an_unknown_cost_column_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="kosten_toverdrank"):
        read_vektis(write(tmp_path, ["M;90+;BEEK;10;9;1;1;1;1"], HEADER + ";kosten_toverdrank"))


def test_all_problems_come_at_once_and_say_where(tmp_path: Path) -> None:
    rows = [
        "M; 0 t/m  4 jaar;BEEK;100;90.5;duizend;50;9",
        "X; 0 t/m  4 jaar;STEIN;100;90.5;1000;50;9",
        "V;jong;STEIN;100;-90.5;1000;50;9",
        "V;90+;BEEK;100.5;90.5;1.000,00;50;9",
        "V;90+;BEEK;100;90.5;1000;50;9",
    ]
    with pytest.raises(DomainError) as caught:
        read_vektis(write(tmp_path, rows))
    text = str(caught.value)
    assert len(caught.value.problems) == 6
    for part in (
        "kosten_medisch_specialistische_zorg: 2 values that are no amounts (lines 2, 5)",
        "geslacht: 1 value that is no sex (line 3), expected M or V",
        "leeftijdsklasse: 1 value that is no age class (line 4)",
        "insured_years: 1 value below 0 (line 4)",
        "aantal_bsn: 1 value that is no count (line 5)",
        "1 cell that occurred before (line 6)",
    ):
        assert part in text
    assert "duizend" not in text  # a kind and a place, never the value


def test_rows_of_another_length_are_counted_and_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"1 row of another length than the header \(line 3\), expected 8 fields"):
        read_vektis(write(tmp_path, [ROWS[1], "M;90+;BEEK;1"]))


def test_a_file_by_postcode_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="postcode"):
        read_vektis(write(tmp_path, ROWS, HEADER.replace("gemeentenaam", "postcode_3")))


def test_a_missing_file_an_empty_file_and_a_broken_archive_each_say_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="cannot be read"):
        read_vektis(tmp_path / "no_2018.csv")
    (tmp_path / "empty_2018.csv").write_text("\n")
    with pytest.raises(ShapeError, match="empty"):
        read_vektis(tmp_path / "empty_2018.csv")
    (tmp_path / "half_2018.csv.gz").write_bytes(gzip.compress(HEADER.encode() * 50)[:40])
    with pytest.raises(ShapeError, match="unpacked"):
        read_vektis(tmp_path / "half_2018.csv.gz")
    with pytest.raises(ShapeError, match="no rows"):
        read_vektis(write(tmp_path, []))


def test_negative_corrections_are_kept_and_counted(tmp_path: Path) -> None:
    data = read_vektis(write(tmp_path, ["M;90+;BEEK;10;9;-12.345;5;0"]))
    assert data.cells["hospital_cents"].tolist() == [-1235]
    assert any("1 negative amount" in note for note in data.notes)


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ("AA EN HUNZE", "Aa en Hunze"),
        ("CAPELLE AAN DEN IJSSEL", "Capelle aan den IJssel"),
        ("'S-HERTOGENBOSCH", "'s-Hertogenbosch"),
        ("S GRAVENHAGE", "'s-Gravenhage"),
        ("DE RONDE VENEN", "De Ronde Venen"),
        ("SITTARD-GELEEN", "Sittard-Geleen"),
        ("BERGEN LB", "Bergen (L.)"),
        ("Peel en Maas", "Peel en Maas"),
    ],
)
def test_municipalities_are_spelled_as_they_are_written(printed: str, written: str) -> None:
    assert display_name(printed) == written


def test_errors_survive_pickling_and_read_as_sentences() -> None:
    problem = Problem("pay: days", "3 values above 366 (rows 7, 19, 20)", "1..366")
    for error in (DomainError([problem, problem]), NotFoundError(problem), ParameterError(problem, "a.toml", "b.c")):
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert again.problems == error.problems
        assert isinstance(error, AnderhalfError)
    assert str(NotFoundError(problem)) == "pay: days: 3 values above 366 (rows 7, 19, 20), expected 1..366"
    assert str(ParameterError(problem, "a.toml", "b.c")).startswith("a.toml b.c: ")
    assert isinstance(NotFoundError("x"), KeyError)
    assert isinstance(ShapeError("x"), ValueError)


@pytest.mark.skipif("ANDERHALF_VEKTIS" not in os.environ, reason="ANDERHALF_VEKTIS names no folder with Vektis files")
@pytest.mark.parametrize(
    ("year", "rows", "years", "euros"),
    [
        (2015, 13482, 16869489.39, 39502736255.37),
        (2018, 13483, 17169512.81, 44659076158.63),
        (2021, 13066, 17448226.10, 47553064660.05),
        (2023, 12990, 17685509.54, 55153685146.85),
    ],
)
def test_national_totals_are_those_of_the_file_added_up_by_awk(
    year: int, rows: int, years: float, euros: float
) -> None:
    folder = Path(os.environ["ANDERHALF_VEKTIS"])
    file = next(f for f in (folder / f"vektis_{year}_gemeente.csv{end}" for end in (".gz", "")) if f.exists())
    whole = read_vektis(file).totals()["all"]
    assert whole["rows"] == rows - 1 or whole["rows"] == rows
    assert whole["insured_years"] == years
    assert abs(whole["total_cents"] / 100 - euros) <= 0.02  # awk adds floats
