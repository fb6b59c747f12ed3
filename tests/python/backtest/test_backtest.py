"""Back-tests: what went in, what came out, and what is said about it."""

from __future__ import annotations

import copy
import gzip
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from anderhalf import load_model, synthesise
from anderhalf.backtest import (
    CASES,
    HOSPITAL,
    RULES,
    YEARS,
    BackTest,
    Settings,
    backtest,
    hospital_change,
    in_region,
    load_evidence,
    observed_ratios,
    programmes_of,
    published,
    ratio_with,
    regional_cost,
)
from anderhalf.backtest_report import paragraphs, section
from anderhalf.cli import app
from anderhalf.columns import days_in
from anderhalf.errors import DomainError, NotFoundError, ParameterError
from anderhalf.parameters import CATEGORIES
from anderhalf.population import addon_drugs
from anderhalf.programme import load_programme
from anderhalf.simulation import Rules, World

SMALL = Settings(persons=6_000, seeds=2)
HEADER = "GESLACHT;LEEFTIJDSKLASSE;GEMEENTENAAM;AANTAL_BSN;AANTAL_VERZEKERDEJAREN;KOSTEN_MEDISCH_SPECIALISTISCHE_ZORG"
needs_vektis = pytest.mark.skipif("ANDERHALF_VEKTIS" not in os.environ, reason="ANDERHALF_VEKTIS is not set")


@pytest.fixture(scope="module")
def result() -> BackTest:
    return backtest(SMALL)


@pytest.fixture(scope="module")
def world() -> World:
    people = synthesise(6_000, YEARS, region="bernhoven", seed=3)
    return World(people, load_model("nl-2021-structural"), RULES, estimates=False)


# --- what was observed ------------------------------------------------------------------------------------------------


def test_ratios_of_raw_files_are_those_of_the_hand(tmp_path: Path) -> None:
    """Stein: 10 years of a cell that costs 200 nationally, 5 of one that costs 300: expected 3,500, actual 7,000."""
    rows = ["M;0-4;STEIN;10;10;4000", "V;0-4;STEIN;5;5;3000.00", "M;0-4;BEEK;10;10;0", "V;0-4;BEEK;5;5.00;0"]
    rows += ["M;0-4;SITTARD-GELEEN;0;0;0", ";;;7;7;900000", "M;0-4;;1;1;5000"]  # no town, age or sex: in no mean
    (tmp_path / "vektis_2019_gemeente.csv").write_text("\n".join([HEADER, *rows]))
    with gzip.open(tmp_path / "vektis_2020_gemeente.csv.gz", "wt") as file:
        file.write(
            "\n".join([HEADER.lower(), *rows]).replace("medisch_specialistische_zorg", "medisch_specialistische_z")
        )
    found = observed_ratios(tmp_path, ["wm", "ozl_constant"])
    assert found["wm"] == {2019: 1.0, 2020: 1.0}  # all who are in the file
    assert found["ozl_constant"] == {}  # its municipalities are not there
    alone = [row.replace("BEEK", "VENLO") for row in rows]
    (tmp_path / "vektis_2021_gemeente.csv").write_text("\n".join([HEADER, *alone, "M;0-4;BEEK;0;0;0"]))
    assert observed_ratios(tmp_path, ["wm"])["wm"][2021] == pytest.approx(7000 / 3500)


def test_a_folder_without_vektis_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="vektis_YYYY_gemeente"):
        observed_ratios(tmp_path, ["wm"])


@needs_vektis
def test_the_second_way_agrees_with_regiobeeld_and_with_the_evidence() -> None:
    from anderhalf.regiobeeld import regiobeeld

    folder = Path(os.environ["ANDERHALF_VEKTIS"])
    evidence = load_evidence()
    places = {"bernhoven": "bernhoven", "ozl_constant": "ozl", "wm": "wm"}
    found = observed_ratios(folder, list(places))
    files = {int(p.name[7:11]): p for p in folder.glob("vektis_????_gemeente.csv*")}
    assert files, "no files"
    for region, place in places.items():
        assert set(found[region]) == set(files)
        for year, path in files.items():
            first = regiobeeld(path, region=region).region["categories"]["hospital"]["ratio"]
            assert found[region][year] == pytest.approx(first, rel=1e-9)
            assert found[region][year] == pytest.approx(published(evidence, place)[year], abs=0.0006)


def test_every_case_is_judged_between_years_that_were_observed() -> None:
    evidence = load_evidence()
    for case in CASES:
        assert {case.since, case.until} <= set(published(evidence, case.place))
        assert RULES.start <= case.since or case.since >= min(part.start for part in case.parts) - 1
        assert any((s["from"], s["to"]) == (case.since, case.until) for s in evidence["spread"])


# --- what the engine makes --------------------------------------------------------------------------------------------


def test_regional_cost_is_that_of_a_plain_loop() -> None:
    people = synthesise(2_000, (2017, 2018), region="bernhoven", seed=5)
    codes = people.municipality_codes("bernhoven")
    addon = set(addon_drugs())
    day = {year: sum(days_in(y) for y in range(1970, year)) for year in (2017, 2018, 2019)}
    time: dict[Any, int] = {}
    cost: dict[Any, int] = {}
    for block in people.blocks():
        home: dict[tuple[int, int], Any] = {}
        for r in block.records:
            year = 2017 if r["first_day"] < day[2018] else 2018
            head = home.setdefault((int(r["person"]), year), r)
            if head["region"] == 0:
                continue
            age = min(max((12 * year + 5 - int(r["birth_month"])) // 12, 0), 105)
            cell = (int(r["sex"]), min(age // 5, 18))
            for place in ("all", "in") if head["municipality"] in codes else ("all",):
                key = (place, year, cell)
                time[key] = time.get(key, 0) + (int(r["last_day"]) - int(r["first_day"]) + 1) * int(r["represents"])
        for c in block.claims:
            year = 2017 if c["opened"] < day[2018] else 2018
            name = CATEGORIES[c["category"]]
            head = home.get((int(c["person"]), year))
            if head is None or head["region"] == 0:
                continue
            if name not in HOSPITAL and not (name == "drugs" and int(c["product"]) in addon):
                continue
            age = min(max((12 * year + 5 - int(head["birth_month"])) // 12, 0), 105)
            cell = (int(head["sex"]), min(age // 5, 18))
            for place in ("all", "in") if head["municipality"] in codes else ("all",):
                key = (place, year, cell)
                cost[key] = cost.get(key, 0) + int(c["claimed_cents"]) * int(head["represents"])
    found = regional_cost(people, {"bernhoven": codes}).set_index("year")
    for year in (2017, 2018):
        assert found.actual_cents[year] == sum(v for (p, y, _), v in cost.items() if (p, y) == ("in", year))
        assert found.national_cents[year] == sum(v for (p, y, _), v in cost.items() if (p, y) == ("all", year))
        expected = 0.0
        for (place, y, cell), days in time.items():
            if (place, y) == ("in", year):
                both = [("all", z, cell) for z in (2017, 2018)]
                expected += days * sum(cost.get(k, 0) for k in both) / sum(time.get(k, 0) for k in both)
        assert found.expected_cents[year] == pytest.approx(expected, rel=1e-12)
    assert found.insured_years[2018] > 100_000


def test_the_country_moves_along_with_the_region() -> None:
    assert ratio_with(100, 80, 1000, -10) == pytest.approx(90 / (80 * 0.99))
    assert ratio_with(100, 80, 1000, 0) == 100 / 80
    assert ratio_with(1000, 1000, 1000, -100) == 1.0  # the whole country: nobody is dearer than the country


def test_a_run_before_2014_and_default_rules_before_2017_are_refused(world: World) -> None:
    model = load_model("nl-2021-structural")
    with pytest.raises(ParameterError, match="first year of data"):
        World(world.people, model, replace(RULES, start=2013), estimates=False)
    with pytest.raises(ParameterError, match="at most 2010"):
        World(world.people, model, Rules(start=2016, horizon=7), estimates=False)


def test_the_null_programme_moves_no_hospital_cost(world: World) -> None:
    plus = in_region(load_programme("pluspunt"), "bernhoven", 2015)
    run = world.run(plus.null(), "region", decompose=False)
    assert run.outcome.patients > 1_000
    assert set(hospital_change(run).values()) == {0}
    moved = hospital_change(world.run(plus, "region", decompose=False))
    assert moved[2014] == 0
    assert all(moved[year] < 0 for year in range(2015, 2024))


def test_what_goes_in_at_bernhoven_comes_out_as_a_share_of_cost(world: World) -> None:
    """Every hospital product goes with the same chance, so cost falls by it on average: four fifths of it in 2018."""
    case = next(c for c in CASES if c.key == "bernhoven")
    programmes = programmes_of(case)
    rates = [programmes[0].get(key) for key in case.vary]
    assert rates[0] == rates[1] == pytest.approx(0.13 * 0.55)
    run = world.run(programmes, "region", decompose=False)
    moves = run.movements[(run.movements.effect == "avoided") & (run.movements.year == 2018)]
    block_claims = 0
    codes = set(world.people.municipality_codes("bernhoven"))
    first, last = (sum(days_in(y) for y in range(1970, year)) for year in (2018, 2019))
    for block in world.people.blocks((2018, 2018)):
        weight = {int(r["person"]): int(r["represents"]) for r in block.records if int(r["municipality"]) in codes}
        block_claims += sum(
            weight.get(int(c["person"]), 0)
            for c in block.claims
            if CATEGORIES[c["category"]] == "hospital" and c["claimed_cents"] > 0 and first <= c["opened"] < last
        )
    share, sampled = moves.claims.sum() / block_claims, block_claims / world.people.plan.represents_region
    assert share == pytest.approx(0.8 * rates[0], abs=4 * (rates[0] / sampled) ** 0.5)
    lump = run.statements[run.statements.arm == "scenario"].set_index(["year", "insurer"]).claims
    base = run.statements[run.statements.arm == "baseline"].set_index(["year", "insurer"]).claims
    by = run.movements[run.movements.effect == "avoided"].groupby(["year", "insurer"])
    settled, claimed = by.settled_cents.sum(), by.claimed_cents.sum()
    assert settled[2018, "VGZ"] == pytest.approx(0.3 * claimed[2018, "VGZ"], rel=1e-6)  # inside the sum
    assert settled[2018, "Achmea"] == claimed[2018, "Achmea"]  # per claim
    assert settled[2021, "VGZ"] == claimed[2021, "VGZ"]  # after the contract
    assert (lump - base)[2018, "Achmea"] < 0


# --- the whole --------------------------------------------------------------------------------------------------------


def test_effects_are_paired_and_begin_with_the_programme(result: BackTest) -> None:
    ratios = result.frames["ratios"].set_index(["case", "year"])
    for case in CASES:
        start = min(part.start for part in case.parts)
        before = ratios.loc[case.key].loc[: start - 1]
        assert (before.effect == 0).all()
        assert (before.effect_se == 0).all()
        after = ratios.loc[case.key].loc[start:]
        assert (after.effect < 0).all()
        assert (after["with"] - after["without"] - after.effect).abs().max() < 1e-12
    both, one = ratios.loc["ozl_all"].effect, ratios.loc["ozl"].effect
    assert (both[[2017, 2018, 2019, 2020]] < one[[2017, 2018, 2019, 2020]]).all()
    assert both[2021] == one[2021]
    assert both[2015] == one[2015]


def test_the_judgement_says_what_could_be_seen(result: BackTest) -> None:
    judged = result.frames["judged"].set_index("case")
    bernhoven = judged.loc["bernhoven"]
    assert bernhoven.observed == pytest.approx(0.934 - 1.030)
    assert bernhoven.engine_low < bernhoven.engine < bernhoven.engine_high < 0
    assert bernhoven.smallest_seen == pytest.approx(2.8 * 0.046)
    assert (judged.smallest_seen_apart < judged.smallest_seen).all()
    assert judged.loc["ozl"].gap_in_spreads == pytest.approx((0.114 - judged.loc["ozl"].engine) / 0.046)
    assert abs(judged.loc["ozl"].engine) < judged.loc["ozl"].smallest_seen / 20  # one centre cannot be seen


def test_insurers_inside_the_sum_gain_less(result: BackTest) -> None:
    parts = result.frames["insurers"].set_index(["insurers", "part"]).cents
    for who in ("VGZ+CZ", "others"):
        pieces = ("saving", "own_payments", "contribution", "settlement", "programme")
        assert abs(parts[who, "result"] - sum(parts[who, p] for p in pieces)) <= len(pieces)  # means of cents
    assert parts["VGZ+CZ", "result_low"] < parts["VGZ+CZ", "result"] < parts["VGZ+CZ", "result_high"]
    assert parts["VGZ+CZ", "own_payments"] < 0 < parts["VGZ+CZ", "saving"]


def test_threads_do_not_matter(result: BackTest) -> None:
    assert backtest(replace(SMALL, threads=2)).data == result.data


def test_series_stand_at_the_observed_level(result: BackTest) -> None:
    series = result.series("bernhoven")
    assert series["with"][2014] == series["observed"][2014] == 1.030
    ratios = result.frames["ratios"].set_index(["case", "year"])
    assert series["with"][2019] == pytest.approx(1.030 + ratios.effect["bernhoven", 2019])
    assert set(series["with"]) == set(series["with_se"]) == set(range(2014, 2024))
    with pytest.raises(NotFoundError, match="bernhoven, ozl"):
        result.series("utrecht")


def test_one_seed_has_no_error() -> None:
    with pytest.raises(DomainError, match="2 or more"):
        backtest(replace(SMALL, seeds=1))


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "nl"])
def test_the_words_hold_the_numbers_and_both_sides(result: BackTest, lang: str) -> None:
    text = dict(result.text(lang))
    assert not re.search(r"[{}]", "".join(text.values()))
    comma = "," if lang == "nl" else "."
    assert f"0{comma}934" in text["bernhoven_seen"]
    assert "39%" in text["bernhoven_seen"]
    assert f"1{comma}112" in text["contract_seen"]
    assert f"1{comma}084" in text["contract_seen"]
    assert {"bernhoven_cannot", "ozl_cannot", "contract_cannot"} <= set(text)
    engine = result.frames["judged"].set_index("case").engine["bernhoven"] * 100
    assert f"{abs(engine):.1f}".replace(".", comma) in text["bernhoven_engine"]
    assert "13%" in text["bernhoven_engine"]
    assert "55%" in text["bernhoven_engine"]


def test_the_sentence_follows_the_numbers(result: BackTest) -> None:
    def keys(case: str, engine: float) -> set[str]:
        data = copy.deepcopy(result.data)
        row = next(r for r in data["judged"] if r["case"] == case)
        row["engine"], row["gap_in_spreads"] = engine, (row["observed"] - engine) / row["spread"]
        return {key for key, _ in paragraphs(data)}

    assert "bernhoven_shows_same" in keys("bernhoven", -0.09)
    assert "bernhoven_shows_unsure" in keys("bernhoven", -0.02)
    assert "bernhoven_shows_other" in keys("bernhoven", 0.05)
    assert "bernhoven_shows_other" in keys("bernhoven", -0.30)
    assert "contract_shows_same" in keys("contract_ozl", -0.02)
    assert "contract_shows_other" in keys("contract_ozl", +0.001)  # the other sign
    assert "contract_shows_other" in keys("contract_ozl", -0.2)

    def agree(cents: int, error: int, low: int = 1, high: int = 2) -> str:
        data = copy.deepcopy(result.data)
        rows = {r["part"]: r for r in data["insurers"] if r["insurers"] == "VGZ+CZ"}
        rows["result"] |= {"cents": cents, "se_cents": error}
        rows["result_low"]["cents"], rows["result_high"]["cents"] = low, high
        return dict(paragraphs(data))["bernhoven_insurers"]

    assert "same sign" in agree(-1_000_000_00, 100_000_00)
    assert "opposite sign" in agree(+1_000_000_00, 100_000_00)
    assert "from zero" in agree(+1_000_000_00, 900_000_00)
    assert "less than about 25% of an avoided claim" in agree(1, 1, low=-1_000_00, high=3_000_00)


def test_a_section_says_when_it_is_small(result: BackTest) -> None:
    large, small = "\n".join(section(result.data)), "\n".join(section(result.data, small=True))
    assert "anderhalf backtest" in small
    assert "anderhalf backtest" not in large
    assert small.count("<svg") == 3
    assert "<table" in small


def test_the_page_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDERHALF_VEKTIS", raising=False)
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app, ["backtest", "--persons", "5000", "--seeds", "2", "--out", str(out), "--lang", "nl", "--threads", "2"]
    )
    assert done.exit_code == 0, done.output
    assert "Bernhoven" in done.output
    assert "**" not in done.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'lang="nl"' in page
    assert page.count("<svg") == 3
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["settings"]["seeds"] == 2
    assert len(results["judged"]) == len(CASES)
    assert {p.name for p in (out / "tables").iterdir()} == {
        f"backtest_{name}.csv" for name in ("ratios", "ranges", "judged", "insurers")
    }
    again = CliRunner().invoke(app, ["backtest", "--persons", "5000", "--seeds", "2", "--json", "--threads", "1"])
    assert json.loads(again.output) == results


def test_an_observed_figure_is_no_input_of_a_programme() -> None:
    """The ratios stand in the evidence of the file and nowhere else in it."""
    programme = load_programme("bernhoven")
    values = [str(row["value"]) for row in programme.assumptions()]
    ratios = {f"{v:.3f}" for v in published(load_evidence(), "bernhoven").values()}
    assert not ratios & {f"{float(v):.3f}" for v in values if re.fullmatch(r"[\d.]+", v)}
