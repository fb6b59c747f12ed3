"""The comparison on a made-up file that can be checked by hand."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from anderhalf.datasets import read_vektis
from anderhalf.errors import DomainError, NotFoundError
from anderhalf.regiobeeld import compare, regiobeeld, regiobeeld_command
from anderhalf.regions import find_region, load_regions

HEADER = (
    "GESLACHT;LEEFTIJDSKLASSE;GEMEENTENAAM;AANTAL_BSN;AANTAL_VERZEKERDEJAREN;"
    "KOSTEN_MEDISCH_SPECIALISTISCHE_ZORG;KOSTEN_FARMACIE"
)
# Young: 300 years, hospital 30,000, drugs 6,000 -> 100 and 20 per year.
# Old: 100 years, hospital 100,000, drugs 10,000 -> 1,000 and 100 per year.
ROWS = [
    ";;;9;8;99999;99999",
    "M; 0 t/m  4 jaar;BEEK;100;100;20000;2000",
    "M; 0 t/m  4 jaar;STEIN;200;200;10000;4000",
    "M;90+;BEEK;100;50;70000;5000",
    "M;90+;STEIN;50;50;30000;5000",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vektis_2019_gemeente.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def test_expected_is_the_national_cost_of_the_same_age_and_sex(file: Path) -> None:
    beek = regiobeeld(file, municipalities=["Beek"]).municipalities[0]
    # 100 x (100 + 20) + 50 x (1000 + 100) = 67,000 expected, 97,000 actual, 150 insured years
    assert beek["insured_years"] == 150
    assert beek["expected_eur"] == pytest.approx(67000 / 150)
    assert beek["actual_eur"] == pytest.approx(97000 / 150)
    assert beek["ratio"] == pytest.approx(97 / 67)
    assert beek["categories"]["hospital"]["ratio"] == pytest.approx(90 / 60)
    assert beek["categories"]["drugs"]["ratio"] == pytest.approx(7 / 7)


def test_all_municipalities_together_are_the_nation_with_ratio_one(file: Path) -> None:
    result = regiobeeld(file)
    assert result.region["region"] == "Netherlands"
    assert result.region["ratio"] == pytest.approx(1.0, abs=1e-12)
    assert [m["municipality"] for m in result.municipalities] == ["Beek", "Stein"]
    total = sum(m["insured_years"] * (m["actual_eur"] - m["expected_eur"]) for m in result.municipalities)
    assert total == pytest.approx(0.0, abs=1e-6)


def test_the_region_is_the_insured_year_weighted_sum_of_its_municipalities(file: Path) -> None:
    result = regiobeeld(file, municipalities=["Stein", "Beek"])
    for key in ("actual_eur", "expected_eur"):
        parts = sum(m["insured_years"] * m[key] for m in result.municipalities)
        assert result.region[key] * result.region["insured_years"] == pytest.approx(parts)
    ages = result.region["ages"]
    assert [a["age"] for a in ages] == ["0–19", "85+"]
    assert sum(a["insured_years"] for a in ages) == result.region["insured_years"]


def test_rank_one_is_the_highest_ratio(file: Path) -> None:
    ranks = {m["municipality"]: m["rank"] for m in regiobeeld(file).municipalities}
    assert ranks == {"Beek": 1, "Stein": 2}


def test_the_order_of_the_rows_does_not_matter(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "again" / file.name
    other.parent.mkdir()
    other.write_text("\n".join([HEADER, *reversed(ROWS)]) + "\n")
    first, second = regiobeeld(file).to_dict(), regiobeeld(other).to_dict()
    assert first == second


def test_json_has_the_promised_keys_and_euros_have_two_decimals(file: Path) -> None:
    found = json.loads(regiobeeld(file, municipalities=["beek", "STEIN"]).to_json())
    for key in (
        "anderhalf_version",
        "model",
        "parameters_sha256",
        "data_sha256",
        "seed",
        "year",
        "municipalities",
        "region",
    ):
        assert key in found
    assert found["model"] is None
    assert found["seed"] is None
    assert found["year"] == 2019
    for entry in [*found["municipalities"], found["region"]]:
        for key in ("insured_years", "actual_eur", "expected_eur", "ratio", "categories"):
            assert key in entry
    assert found["municipalities"][0]["expected_eur"] == 446.67
    assert set(found["region"]["categories"]) == {"hospital", "drugs"}


def test_unknown_names_are_refused_together_with_what_looks_like_them(file: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        regiobeeld(file, municipalities=["Beeck", "Steijn", "Beek"])
    assert len(caught.value.problems) == 2
    assert "'Beeck', expected one of Beek" in str(caught.value)
    with pytest.raises(NotFoundError, match="mijnstreek"):
        regiobeeld(file, region="mijnstrek")
    with pytest.raises(NotFoundError, match="Heerlen"):
        regiobeeld(file, region="mijnstreek")  # eight of its municipalities are not in this file


def test_a_region_and_municipalities_together_are_refused(file: Path) -> None:
    with pytest.raises(DomainError, match="one of the two"):
        regiobeeld(file, region="mijnstreek", municipalities=["Beek"])
    with pytest.raises(DomainError, match="list"):
        regiobeeld(file, municipalities="Beek")


def test_the_mijnstreek_is_ten_municipalities_in_two_parts() -> None:
    regions = load_regions()
    parts = {*regions["ozl"].municipalities, *regions["wm"].municipalities}
    assert parts == set(regions["mijnstreek"].municipalities)
    assert (len(regions["ozl"].municipalities), len(regions["wm"].municipalities)) == (7, 3)
    assert find_region("Westelijke Mijnstreek").key == "wm"


def test_nothing_expected_gives_no_ratio(tmp_path: Path) -> None:
    path = tmp_path / "vektis_2019.csv"
    path.write_text(f"{HEADER}\nM;90+;BEEK;10;10;500;0\nV;90+;STEIN;10;10;500;7\n")
    result = regiobeeld(path)
    beek = result.municipalities[0]
    assert beek["categories"]["drugs"]["ratio"] is None
    assert math.isnan(compare(read_vektis(path), ["a", ""]).ratio()[0][1])
    result.write(tmp_path / "out")


def test_a_group_of_another_length_is_refused(file: Path) -> None:
    with pytest.raises(DomainError, match="another length"):
        compare(read_vektis(file), ["a"])


def test_written_twice_gives_the_same_bytes_and_holds_no_path(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first = regiobeeld(file, municipalities=["Beek", "Stein"]).write(tmp_path / "one")
    second = regiobeeld(file, municipalities=["Beek", "Stein"]).write(tmp_path / "two")
    names = sorted(f.relative_to(first).as_posix() for f in first.rglob("*") if f.is_file())
    assert names == [
        "figures/age.svg", "figures/ratio.svg", "report.html", "results.json", "tables/ages.csv",
        "tables/categories.csv",
        "tables/municipalities.csv",
    ]  # fmt: skip
    for name in names:
        content = (first / name).read_bytes()
        assert content == (second / name).read_bytes()
        assert str(tmp_path).encode() not in content
    table = pd.read_csv(first / "tables" / "municipalities.csv")
    assert table["origin"].unique().tolist() == ["public"]
    assert table["municipality"].tolist() == ["Beek", "Stein", "Beek and Stein"]


def test_figures_are_inline_svg_without_dates_and_can_be_read_aloud(file: Path) -> None:
    pytest.importorskip("matplotlib")
    figures = regiobeeld(file, municipalities=["Beek"]).figures()
    assert set(figures) == {"ratio", "gap", "age"}
    for svg in figures.values():
        assert svg.startswith("<svg ")
        assert 'role="img"' in svg
        assert not re.search(r"<dc:date>|<metadata>|<!DOCTYPE|<\?xml", svg)
    assert "Beek 1.448" in figures["ratio"]


def test_the_command_prints_one_json_object_and_returns_zero(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert regiobeeld_command(file, municipalities=["Beek"], as_json=True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["region"]["region"] == "Beek"
    assert err == ""


def test_the_command_returns_one_on_refused_input_and_two_on_wrong_usage(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regiobeeld_command(tmp_path / "none_2019.csv") == 1
    assert regiobeeld_command(file, municipalities=["Beeck"], out=tmp_path / "out") == 1
    assert regiobeeld_command(file, region="wm", municipalities=["Beek"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Beeck" in err
    assert "--region or --municipality" in err
    assert not (tmp_path / "out").exists()


def test_the_screen_shows_a_row_per_municipality(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert regiobeeld_command(file) == 0
    out = capsys.readouterr().out
    assert re.search(r"^Beek\s+150\s+647\s+447\s+\+200\s+1\.448$", out, re.MULTILINE)


def test_a_municipality_that_was_not_there_yet_is_those_it_was_formed_from(tmp_path: Path) -> None:
    rows = [f"M;40-44;{name};10;10;500;0" for name in ("OSS", "BERNHEZE", "BOEKEL", "MEIERIJSTAD")]
    old, new = tmp_path / "vektis_2018.csv", tmp_path / "vektis_2022.csv"
    old.write_text("\n".join([HEADER, *rows, "M;40-44;UDEN;10;10;500;0", "M;40-44;LANDERD;10;10;500;0"]))
    new.write_text("\n".join([HEADER, *rows, "M;40-44;MAASHORST;20;20;1000;0"]))
    assert len(regiobeeld(old, region="bernhoven").municipalities) == 6
    assert regiobeeld(old, region="bernhoven").region["insured_years"] == 60.0
    assert regiobeeld(new, region="bernhoven").region["insured_years"] == 60.0
    half = tmp_path / "vektis_2017.csv"
    half.write_text("\n".join([HEADER, *rows, "M;40-44;UDEN;10;10;500;0"]))
    with pytest.raises(NotFoundError, match="Maashorst"):  # Landerd is missing: half a municipality is none
        regiobeeld(half, region="bernhoven")
