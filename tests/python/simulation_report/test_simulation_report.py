"""The report of a simulation: every figure is its table, the books are recomputed, both languages say the same."""

from __future__ import annotations

import copy
import csv
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import anderhalf as ah
from anderhalf import export, pages, plots, programme_page, simulation_report, study
from anderhalf.programme import programme_names
from anderhalf.scenario_file import load_scenario

pytest.importorskip("matplotlib")
PACKAGE = Path(simulation_report.__file__).parent


def people(seeds: int, persons: int = 10_000) -> list[ah.Population]:
    return [ah.synthesise(persons, (2015, 2031), seed=k) for k in range(1, seeds + 1)]


@pytest.fixture(scope="session")
def found() -> study.Study:
    return study.study(people(2), load_scenario("pluspunt"), threads=2)


@pytest.fixture(scope="session")
def written(found: study.Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulation_report.write_study(found, tmp_path_factory.mktemp("study") / "out")


def rows(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def column(out: Path, name: str, key: str, unit: float = 1.0) -> list[float]:
    return [float(row[key]) / unit for row in rows(out, name)]


# --- the directory


def test_everything_promised_is_written(written: Path) -> None:
    found = json.loads((written / "results.json").read_text(encoding="utf-8"))
    first = ["anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"]
    assert list(found)[:5] == first
    assert {"answer", "channels", "touched", "checks"} <= set(found)
    assert found["checks"] == dict.fromkeys(found["checks"], 0)
    assert len(found["checks"]) >= 3
    assert found["answer"]["monte_carlo_se_cents"] > 0
    low, high = found["answer"]["range_over_assumptions_cents"]
    assert low < found["answer"]["npv_cents"] < high
    for name in ("sign_map", "waterfall", "heat_map", "years", "channels", "parties", "assumptions"):
        assert (written / "figures" / f"{name}.svg").is_file()
        assert (written / "tables" / f"figure_{name}.csv").is_file()


def test_the_checks_are_those_of_the_files_and_find_a_changed_cent(
    written: Path, found: study.Study, tmp_path: Path
) -> None:
    said = json.loads((written / "results.json").read_text(encoding="utf-8"))["checks"]
    assert simulation_report.check_written(written) == said
    out = simulation_report.write_study(found, tmp_path / "out")
    for table, key in (
        ("ledger", "cents"),
        ("decomposition", "cents"),
        ("decomposition", "cents_reverse"),
        ("statements", "variable"),
        ("criteria", "loss_cents"),
        ("parties", "scenario_cents"),
        ("parties_second_way", "baseline_cents"),
    ):
        file = out / "tables" / f"{table}.csv"
        before = file.read_text(encoding="utf-8")
        lines = list(csv.reader(before.splitlines()))
        place = lines[0].index(key)
        lines[1][place] = str(int(lines[1][place]) + 1)
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(lines)
        assert any(simulation_report.check_written(out).values()), table
        file.write_text(before, encoding="utf-8")


def test_books_that_do_not_close_are_said_on_top(found: study.Study, tmp_path: Path) -> None:
    broken = copy.copy(found)
    broken.tables = {**found.tables, "ledger": found.tables["ledger"].copy()}
    broken.tables["ledger"].loc[0, "cents"] += 1
    out = simulation_report.write_study(broken, tmp_path / "out")
    assert "The books do not close" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["checks"]["ledger_cents"] != 0


def test_one_and_two_threads_write_the_same_bytes(tmp_path: Path) -> None:
    asked = load_scenario("pluspunt", horizon=3)
    outs = [
        simulation_report.write_study(study.study(people(2, 5_000), asked, threads=k), tmp_path / str(k))
        for k in (1, 2)
    ]
    names = {path.relative_to(outs[0]) for path in outs[0].rglob("*") if path.is_file()}
    assert len(names) > 30
    for name in names:
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), name


def test_nothing_of_the_machine_is_in_the_files_and_the_page_fetches_nothing(written: Path) -> None:
    for path in written.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert str(written) not in text
            assert str(Path(__file__).resolve().parents[3]) not in text
    page = (written / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', re.sub(r'xlink:href="#[^"]*"', "", page))


def test_programmes_together_and_apart_close_too(tmp_path: Path) -> None:
    asked = load_scenario("pluspunt", "farmacie", horizon=3)
    two = study.study(people(1, 6_000), asked, variants=False)
    out = simulation_report.write_study(two, tmp_path / "out", "nl")
    assert simulation_report.check_written(out)["programmes_gap_cents"] == 0
    shown = {row["programme"]: float(row["in_order_cents"]) for row in rows(out, "figure_programmes")}
    assert set(shown) == {"pluspunt", "farmacie"}
    assert sum(shown.values()) == pytest.approx(two.answer()["npv_cents"], abs=100)
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "Vermeden of goedkopere zorg" in text
    assert "Geneesmiddelen dragen een jaar later FKG" in text
    file = out / "tables" / "by_programme.csv"
    lines = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    place = lines[0].index("cents_in_order")
    lines[1][place] = str(int(lines[1][place]) + 1)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)
    assert simulation_report.check_written(out)["programmes_gap_cents"] == 1


def test_the_routes_are_those_of_the_pages_of_programmes() -> None:
    english = pages.flat(pages.text_file("simulation", "en"))
    assert {k.removeprefix("route."): v for k, v in english.items() if k.startswith("route.")} == programme_page.ROUTES


# --- figures and their tables


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    """What every figure function was given."""
    seen: dict[str, list[tuple[Any, ...]]] = {}

    def spy(name: str) -> Callable[..., str]:
        draw = getattr(plots, name)

        def call(*args: Any, **more: Any) -> str:
            seen.setdefault(name, []).append(args)
            return str(draw(*args, **more))

        return call

    for name in ("waterfall", "fan", "stacked_years", "signed_bars", "tornado", "heat_map", "sign_map"):
        monkeypatch.setattr(plots, name, spy(name))
    return seen


def test_what_is_drawn_is_what_the_tables_say(
    found: study.Study, tmp_path: Path, drawn: dict[str, list[tuple[Any, ...]]]
) -> None:
    out = simulation_report.write_study(found, tmp_path / "out")
    steps = column(out, "figure_waterfall", "drawn")
    assert list(drawn["waterfall"][0][2]) == steps[:-1]
    assert sum(steps[:-1]) == pytest.approx(steps[-1], abs=0.01)
    _, years, middle, bands = drawn["fan"][0]
    assert list(years) == [int(row["year"]) for row in rows(out, "figure_years")]
    assert middle[1] == pytest.approx(column(out, "figure_years", "result_cents", 1e5))
    assert bands[0][1] == pytest.approx(column(out, "figure_years", "low_assumptions_cents", 1e5))
    assert bands[1][2] == pytest.approx(column(out, "figure_years", "high_seeds_cents", 1e5))
    _, years, series, total = drawn["stacked_years"][0]
    stacked = [value for k, _ in enumerate(years) for _, values in series for value in [values[k]]]
    assert stacked == pytest.approx(column(out, "figure_channels", "cents", 1e5))
    assert total[1] == pytest.approx(column(out, "figure_years", "result_cents", 1e5), abs=0.01)
    bars = {args[0]: args[2] for args in drawn["signed_bars"]}
    assert bars["parties"] == pytest.approx(column(out, "figure_parties", "change_cents", 1e5))
    heat = [value for line in drawn["heat_map"][0][1] for value in line]
    assert heat == pytest.approx(column(out, "figure_heat_map", "npv_cents", 1e8))
    panels = drawn["sign_map"][0][1]
    cells = {round(v, 9) for line in panels for _, values in line for row in values for v in row}
    assert cells == {round(v, 9) for v in column(out, "figure_sign_map", "npv_cents", 1e8)}
    base, *others = (float(row["npv_cents"]) / 1e5 for row in rows(out, "figure_assumptions"))
    assert drawn["tornado"][0][3] == pytest.approx(base)
    assert {round(v, 6) for ends in drawn["tornado"][0][2] for v, _ in ends} <= {round(v, 6) for v in others}


def test_the_waterfall_the_years_and_the_parties_end_at_the_answer(written: Path) -> None:
    answer = json.loads((written / "results.json").read_text(encoding="utf-8"))["answer"]
    assert column(written, "figure_waterfall", "cents")[-1] == pytest.approx(answer["npv_cents"], abs=100)
    factor = [1.03**-k for k in range(10)]
    npv = sum(f * cents for f, cents in zip(factor, column(written, "figure_years", "result_cents"), strict=True))
    assert npv == pytest.approx(answer["npv_cents"], abs=100)
    parties = {row["party"]: float(row["change_cents"]) for row in rows(written, "figure_parties")}
    assert parties["insurer:CZ"] == pytest.approx(answer["npv_cents"], abs=100)
    assert sum(v for k, v in parties.items() if k != "society") == pytest.approx(parties["society"], abs=100)


def test_insurers_by_channel_and_by_year_tell_one_story(written: Path) -> None:
    by_year: dict[str, float] = {}
    for row in rows(written, "insurers_by_year"):
        by_year[row["insurer"]] = by_year.get(row["insurer"], 0.0) + float(row["result_cents"]) * 1.03 ** (
            2021 - int(row["year"])
        )
    for row in rows(written, "insurers"):
        parts = sum(float(v) for k, v in row.items() if k.endswith("_cents") and k != "result_cents")
        assert parts == pytest.approx(float(row["result_cents"]), abs=20)
        assert by_year[row["insurer"]] == pytest.approx(float(row["result_cents"]), abs=200)


# --- what it says


def page(found: study.Study, folder: Path, lang: str = "en") -> str:
    out = simulation_report.write_study(found, folder / lang, lang)
    return (out / "report.html").read_text(encoding="utf-8")


def test_the_answer_reads_as_what_it_is(found: study.Study, tmp_path: Path) -> None:
    def turned(npv: list[int]) -> study.Study:
        other = copy.copy(found)
        other.seeds = [{**seed, "npv_cents": cents} for seed, cents in zip(found.seeds, npv, strict=True)]
        return other

    for npv, text in (
        ([-100_000_000, -100_000_100], "A loss, as assumed here."),
        ([100_000_000, 100_000_100], "A gain, as assumed here."),
        ([-100_000_000, 100_000_000], "This run cannot tell a gain from a loss."),
    ):
        assert text in page(turned(npv), tmp_path / text[:6])


def test_one_population_has_no_error_and_no_variants_no_range(tmp_path: Path) -> None:
    asked = load_scenario("pluspunt", horizon=3)
    one = study.study(people(1, 5_000), asked, variants=False)
    text = page(one, tmp_path)
    assert "the sign is not certain" in text
    assert "Monte-Carlo error is not known" in text
    assert one.answer()["range_over_assumptions_cents"] is None
    run = ah.simulate(
        people(1, 5_000)[0], ah.load_model("nl-2021-structural"), [ah.load_programme("pluspunt")], horizon=3
    )
    assert one.answer()["npv_cents"] == run.answer()["npv_cents"]
    assert one.answer()["kept_share"] == pytest.approx(run.answer()["kept_share"])


def test_a_run_writes_its_own_report_and_answers_for_rules_and_several_programmes(tmp_path: Path) -> None:
    world = ah.World(people(1, 5_000)[0], ah.load_model("nl-2021-structural"), ah.Rules(horizon=2))
    centre, rules = ah.load_programme("pluspunt"), ah.load_programme("farmacie")
    for programmes in ([rules], [centre, rules]):
        run = world.run(programmes, "region")
        written = json.loads((run.report(tmp_path / str(len(programmes))) / "results.json").read_text(encoding="utf-8"))
        assert {key: written["answer"][key] for key in run.answer()} == pytest.approx(run.answer())
        assert run.answer()["npv_cents"] != 0
        assert run.answer()["break_even_price_eur"] is None


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_every_outcome_of_a_programme_that_comes_along_has_a_name(found: study.Study, lang: str) -> None:
    words = pages.Words.load(lang, "simulation")
    content = simulation_report._Content(found, words, export.Bundle(origin="synthetic", model="m"))
    page = simulation_report._Page(content)
    checks = {check.name for name in programme_names() for check in ah.load_programme(name).file.check}
    named = {name: page._outcome(name) for name in checks}
    assert len(set(named.values())) == len(checks) > 40
    assert not [text for text in named.values() if re.search(r"[{}:_]|_pct", text)]
    expected = {"en": "Change of cost, hospital, %, 2030", "nl": "Verandering kosten, ziekenhuis, %, 2030"}
    assert named["category_change_pct:hospital:2030"] == expected[lang]


def test_power_on_average_and_at_the_margin_are_two_figures(found: study.Study, written: Path) -> None:
    answer, page = found.answer(), (written / "report.html").read_text(encoding="utf-8")
    w = pages.Words.load("en", "simulation")
    for key, name in (("power", "Power"), ("marginal_power", "Power at the margin")):
        assert answer[key] == pytest.approx(sum(column(written, "seeds", key)) / len(found.seeds))
        [text] = re.findall(rf"<p[^>]*><strong>{name}</strong>.*?</p>", page)
        assert w.percent(answer[key]) in text
        assert ("tenth" in text) == (key == "marginal_power")
    assert answer["power"] != answer["marginal_power"]


def test_names_keep_their_capitals_inside_sentences(tmp_path: Path) -> None:
    two = study.study(people(1, 5_000), load_scenario("pluspunt", "farmacie", horizon=2))
    page = (simulation_report.write_study(two, tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "PlusPunt: share of replaced products that are consults" in page
    assert "plusPunt" not in page


def test_a_programme_of_rules_has_no_patients_of_a_centre_and_all_its_values_in_words(tmp_path: Path) -> None:
    one = study.study(people(1, 5_000), load_scenario("spoed", horizon=2))
    out = simulation_report.write_study(one, tmp_path / "out", "nl")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Bereikte pati\u00ebnten" in page
    assert "Pati\u00ebnten anderhalve lijn" not in page
    assert re.search(r"<t[dh][^>]*>prijs van wat volgt \(1\), ", page)
    assert not re.search(r"<t[dh][^>]*>[^<]*\d (price|probability|pass through)</td>", page)
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))["touched"]
    assert found["hospital_products_freed"] == column(out, "seeds", "products_freed")[0]
    visits = pytest.approx(sum(column(out, "visits", "visits_freed")))
    assert found["hospital_visits_freed"] == visits
    assert found["hospital_visits_freed"] > found["hospital_products_freed"] > 0
    # Care without a specialty is in no table per specialty; what a rule puts elsewhere is no saving of a specialty.
    table = page[page.index("Per specialisme en soort product") :].partition("</table>")[0]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr.*?</tr>", table, re.S)][1:]
    assert cells
    assert {row[0] for row in cells} <= {"chirurgie", "ziekenhuiszorg algemeen"}
    assert {row[-1] for row in cells} == {"\u2013"}
    freed = page[page.index("Vrijgekomen ziekenhuisbezoeken") :].partition("</table>")[0]
    assert ">Mijnstreek<" in freed
    assert ">mijnstreek<" not in freed


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_every_assumption_stands_in_the_report(found: study.Study, tmp_path: Path, lang: str) -> None:
    text = page(found, tmp_path, lang)
    for row in found.assumptions:
        assert row["key"] in text
    assert f'<html lang="{lang}">' in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_dutch_has_every_text_with_the_same_names_to_fill_in() -> None:
    english, dutch = (
        pages.flat(tomllib.loads((PACKAGE / f"simulation_{lang}.toml").read_text("utf-8"))) for lang in ("en", "nl")
    )
    assert list(english) == list(dutch)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", dutch[key])), key


def test_a_set_of_insurers_and_the_region_are_named(tmp_path: Path) -> None:
    for adoption, name in (("insurers:CZ+VGZ", "CZ and VGZ"), ("region", "all insurers together")):
        asked = load_scenario("pluspunt", horizon=2, adoption=adoption)
        text = page(study.study(people(1, 5_000), asked, variants=False), tmp_path / name[:3])
        assert f"Result of {name}" in text
