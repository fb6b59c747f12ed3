"""The report says what the numbers say, for any sign, and its checks come from the files that were written."""

from __future__ import annotations

import copy
import csv
import json
import math
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anderhalf import pages, report
from anderhalf.errors import DomainError, NotFoundError, ParameterError, ShapeError
from anderhalf.reproduction import Settings, reproduce

pytest.importorskip("matplotlib")
PACKAGE = Path(report.__file__).parent


@pytest.fixture(scope="session")
def results() -> dict[str, Any]:
    return reproduce(Settings(persons=10_000, seeds=2, threads=1))


@pytest.fixture(scope="session")
def written(results: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write_reproduction(results, tmp_path_factory.mktemp("report") / "out")


def scaled(
    results: dict[str, Any], factor: int, change: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """The results with every amount of the answer times ``factor``: -1 turns signs, 0 is a programme without effect."""
    found = copy.deepcopy({k: v for k, v in results.items() if k != "tables"})
    found["tables"] = {name: frame.copy() for name, frame in results["tables"].items()}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: _times(k, v, abs(factor) if k.endswith("se_cents") else factor) for k, v in value.items()}
        return [walk(v) for v in value] if isinstance(value, list) else value

    def _times(key: str, value: Any, factor: int) -> Any:
        if key == "range_over_assumptions_cents":
            return sorted(v * factor for v in value)
        if key == "parties_cents":
            return {k: v * factor for k, v in value.items()}
        if isinstance(value, dict | list):
            return walk(value)
        return value * factor if key.endswith("cents") and isinstance(value, int) else value

    for key in ("answer", "seeds", "adoption", "sign_map", "sensitivity", "channels"):
        found[key] = walk(found[key])
    frame = found["tables"]["decomposition"]
    frame[["cents", "cents_reverse"]] *= factor
    if change:
        change(found)
    return found


def page(results: dict[str, Any], lang: str = "en") -> str:
    words = report.Words.load(lang)
    content = report._Content(results, words)
    return report._Page(content, words, content.figures()).html()


def box(html: str) -> str:
    """The answer box, as text."""
    found = re.search(r'<div class="answer \w+">(.*?)<div class="tiles">', html, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", " ", found[1])


# --- the directory


def test_everything_promised_is_written(written: Path, results: dict[str, Any]) -> None:
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert {
        "report.html",
        "results.json",
        "figures/sign_map.svg",
        "figures/waterfall.svg",
        "figures/tornado.svg",
        "figures/backtest_bernhoven.svg",
        "figures/backtest_ozl.svg",
        "figures/backtest_contract.svg",
        "tables/backtest_ratios.csv",
        "tables/backtest_judged.csv",
    } <= names
    assert {f"tables/{name}.csv" for name in results["tables"]} <= names
    found = json.loads((written / "results.json").read_text(encoding="utf-8"))
    first = ["anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"]
    assert list(found)[:5] == first
    assert found["data_sha256"] is None
    assert {"answer", "channels", "touched", "checks"} <= set(found)
    assert "tables" not in found


def test_the_same_input_gives_the_same_bytes(written: Path, results: dict[str, Any], tmp_path: Path) -> None:
    again = report.write_reproduction(results, tmp_path / "another_name")
    for path in written.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(written)).read_bytes(), path.name


def test_nothing_of_the_machine_is_in_the_files(written: Path) -> None:
    for path in written.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert str(written) not in text
            assert str(Path(__file__).resolve().parents[3]) not in text
            assert "/home/" not in text


def test_the_page_fetches_nothing_and_runs_nothing(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!#)', re.sub(r'xlink:href="#[^"]*"', "", text))
    assert text.count("<svg") == text.count('role="img" aria-label="')


# --- the checks


def test_the_checks_are_recomputed_from_the_files(written: Path) -> None:
    found = json.loads((written / "results.json").read_text(encoding="utf-8"))["checks"]
    assert found == report.check_written(written) == dict.fromkeys(found, 0)


@pytest.mark.parametrize(
    ("table", "column", "check"),
    [
        ("ledger", "cents", "ledger_cents"),
        ("decomposition", "cents", "decomposition_gap_cents"),
        ("decomposition", "cents_reverse", "decomposition_gap_cents"),
        ("statements", "variable", "payment_gap_cents"),
        ("national", "normative", "payment_gap_cents"),
    ],
)
def test_a_changed_cent_is_found(results: dict[str, Any], tmp_path: Path, table: str, column: str, check: str) -> None:
    out = report.write_reproduction(results, tmp_path / "out")
    file = out / "tables" / f"{table}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    place = rows[0].index(column)
    cent = 10_000 * 365 if column == "normative" else 1  # normative amounts are micro-euro days
    rows[1][place] = str(int(rows[1][place]) + cent)
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)
    assert report.check_written(out)[check] != 0


def test_books_that_do_not_close_are_said_on_top_and_in_results(results: dict[str, Any], tmp_path: Path) -> None:
    broken = scaled(results, 1)
    broken["tables"]["ledger"].loc[0, "cents"] += 1
    out = report.write_reproduction(broken, tmp_path / "out")
    assert "The books do not close" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "results.json").read_text(encoding="utf-8"))["checks"]["ledger_cents"] != 0


def test_a_missing_table_and_a_broken_number_are_named(results: dict[str, Any], tmp_path: Path) -> None:
    out = report.write_reproduction(results, tmp_path / "out")
    file = out / "tables" / "ledger.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r",(\d+),(?=[a-z_]+,\d+,synthetic)", r",\1.5,", text, count=1), encoding="utf-8")
    with pytest.raises(DomainError, match="not whole cents"):
        report.check_written(out)
    file.unlink()
    with pytest.raises(ShapeError, match=r"tables/ledger\.csv"):
        report.check_written(out)


# --- what it says


def test_the_answer_is_in_the_page(results: dict[str, Any]) -> None:
    html, words, answer = page(results), report.Words.load("en"), results["answer"]
    assert words.number(answer["npv_cents"] / 1e8, 2, sign=True) in html
    assert words.amount(answer["monte_carlo_se_cents"]) in html
    assert words.amount(answer["saving_cents"]) in html
    for end in answer["range_over_assumptions_cents"]:
        assert words.signed(end) in html
    for seed in results["seeds"]:
        assert words.thousands(seed["npv_cents"]) in html


def test_a_clear_loss_a_clear_gain_and_an_unclear_result_read_as_what_they_are(results: dict[str, Any]) -> None:
    def clear(found: dict[str, Any]) -> None:
        found["answer"]["monte_carlo_se_cents"] = 0

    def unclear(found: dict[str, Any]) -> None:
        found["answer"]["monte_carlo_se_cents"] = abs(found["answer"]["npv_cents"])

    factor = 1 if results["answer"]["npv_cents"] < 0 else -1
    loss, gain = (box(page(scaled(results, f, clear))) for f in (factor, -factor))
    assert "No, not as assumed here." in loss
    assert "CZ loses" in loss
    assert "Yes, as assumed here." in gain
    assert "CZ gains" in gain
    assert "This run cannot tell." in box(page(scaled(results, factor, unclear)))


def test_a_gain_names_no_loss_in_the_first_lines(results: dict[str, Any]) -> None:
    """Kept share above 100%, a rising fund, assumptions that keep the sign: all sentences turn with the numbers."""

    def clear(found: dict[str, Any]) -> None:
        answer = found["answer"]
        answer["monte_carlo_se_cents"] = 0
        answer["npv_cents"], answer["saving_cents"] = 300_000_00, 200_000_00
        for row in found["sensitivity"]:
            row["npv_cents"] = abs(row["npv_cents"]) + 1
        answer["payback_year"] = 2024

    text = page(scaled(results, 1, clear))
    assert "CZ keeps the whole, and gains EUR\u00a050 besides" in text
    assert re.search(r"It pays under each of these \d+ changes", text)
    assert "earned back in 2024" in text


def test_a_programme_without_effect_changes_nothing(results: dict[str, Any]) -> None:
    def none(found: dict[str, Any]) -> None:
        found["answer"]["break_even_price_eur"] = None
        found["touched"]["patients"] = 0.0

    text = page(scaled(results, 0, none))
    assert "Nothing changes." in box(text)
    assert "zero cents" in box(text)
    assert "loses" not in box(text)
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_one_population_has_no_error(results: dict[str, Any]) -> None:
    def one(found: dict[str, Any]) -> None:
        found["seeds"] = found["seeds"][:1]
        found["answer"]["monte_carlo_se_cents"] = 0
        for name, frame in found["tables"].items():
            found["tables"][name] = frame[frame["seed"] == found["seeds"][0]["seed"]]

    text = page(scaled(results, 1, one))
    assert "the Monte-Carlo error is not known" in text
    assert "This run cannot tell." in box(text)


def test_the_steps_of_the_waterfall_add_up_to_the_result(results: dict[str, Any]) -> None:
    content = report._Content(results, report.Words.load("en"))
    total = sum(row["cents"] for row in content.channels)
    assert math.isclose(total, results["answer"]["npv_cents"], abs_tol=100)  # the answer rounds every year to a cent


def test_society_is_insurers_less_transfers_in_every_adoption(results: dict[str, Any]) -> None:
    for row in results["adoption"]:
        everyone = sum(v for k, v in row["parties_cents"].items() if k != "resources")
        assert math.isclose(everyone, row["society_cents"], abs_tol=50)  # each party is rounded on its own


@pytest.mark.parametrize("lang", report.LANGUAGES)
def test_every_assumption_stands_in_the_report(results: dict[str, Any], lang: str) -> None:
    text = page(results, lang)
    for row in results["assumptions"]:
        assert row["key"] in text


def test_the_sign_map_marks_the_base_case(results: dict[str, Any]) -> None:
    m = report._Content(results, report.Words.load("en")).sign_map()
    assert m.base is not None
    assert (m.base["added_demand"], m.base["title"], m.base["dkg_share"]) == (0.146, "gp_care", 0.15)
    counts = m.counts
    assert counts["plus"] + counts["minus"] + counts["doubt"] == counts["n"] == len(results["sign_map"])


def test_the_article_is_left_to_the_reader(written: Path) -> None:
    with (written / "tables" / "article_comparison.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["measure"] for row in rows if row["article"]} == {"conclusion"}
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "Its microdata are not public" in text
    assert "No figure here is a figure of the article" in text


@pytest.mark.published
def test_the_back_tests_are_the_published_ratios(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    for ratio in ("1.030", "0.934", "0.971", "1.039", "1.159", "1.153"):
        assert ratio in text


# --- languages


def test_dutch_has_every_text_with_the_same_names_to_fill_in() -> None:
    texts = [pages.flat(tomllib.loads((PACKAGE / f"texts_{lang}.toml").read_text("utf-8"))) for lang in ("en", "nl")]
    english, dutch = texts
    assert set(english) <= set(dutch)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", dutch[key])), key


def test_dutch_shows_no_english_from_the_parameter_files(results: dict[str, Any]) -> None:
    text = page(results, "nl")
    assert "[Engels]" not in text
    translated = report.Words.load("nl").has
    assert all(translated(f"assumption_source.{row['key']}") for row in results["assumptions"])
    assert all(translated(f"programme_check_source.{row['name']}") for row in results["programme_checks"])
    assert all(translated(f"validation_source.{row['name']}") for row in results["validation"] if row["source"])
    assert '<html lang="nl">' in text


def test_a_text_of_the_data_without_translation_is_marked(results: dict[str, Any]) -> None:
    found = scaled(results, 1)
    row = {"key": "pluspunt.new", "value": 1.0, "unit": "", "range": None, "tag": "assumption", "source": "because"}
    found["assumptions"].append(row)
    assert "[Engels] because" in page(found, "nl")


def test_an_unknown_or_incomplete_language_is_refused(monkeypatch: pytest.MonkeyPatch, results: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match="language"):
        report.Words.load("de")
    read = pages.text_file

    def without(stem: str, lang: str) -> dict[str, Any]:
        texts = read(stem, lang)
        if lang == "nl":
            del texts["answer"]["loss"]
        return texts

    monkeypatch.setattr(pages, "text_file", without)
    with pytest.raises(ParameterError, match=r"answer\.loss"):
        report.Words.load("nl")


@pytest.mark.parametrize(
    ("lang", "cents", "text"),
    [
        ("en", -165_010_977, "EUR\u00a0\u22121.65\u00a0million"),
        ("nl", -165_010_977, "€\u00a0\u22121,65\u00a0miljoen"),
        ("en", 4_321_00, "EUR\u00a0+4,320"),
        ("en", 248_819_00, "EUR\u00a0+249,000"),
        ("en", 99_960_000_00, "EUR\u00a0+99.96\u00a0million"),
        ("en", 256_799_000_00, "EUR\u00a0+257\u00a0million"),
        ("en", 0, "EUR\u00a00"),
    ],
)
def test_amounts_in_sentences(lang: str, cents: int, text: str) -> None:
    assert report.Words.load(lang).signed(cents) == text


def test_a_number_that_rounds_to_zero_has_no_sign() -> None:
    words = report.Words.load("en")
    assert [words.number(v, 1, sign=True) for v in (-0.04, 0.04, 0.0, -0.06)] == ["0.0", "0.0", "0.0", "\u22120.1"]


def test_the_picture_for_the_readme_is_small_and_a_compact_drawing_is_the_same_drawing(results: dict[str, Any]) -> None:
    drawing = report.picture(results)
    assert len(drawing.encode()) < 200_000
    whole = report._Content(results, report.Words.load("en")).sign_map_wide()
    for element in ("<use", "<path", "<g "):
        assert drawing.count(element) == whole.count(element)
