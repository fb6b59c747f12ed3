"""What `anderhalf validate` prints and writes."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from anderhalf import cli
from anderhalf.errors import DomainError, NotFoundError
from anderhalf.files import read_population, write_population
from anderhalf.parameters import CATEGORIES
from anderhalf.population import Population, price_factor, synthesise
from anderhalf.targets import cell_key, families, load_targets
from anderhalf.validation import Check, Subject, Validation, _share, _top, concentration, default_year, validate
from anderhalf.validation import _together as together
from anderhalf.validation_report import figures


@pytest.fixture(scope="module")
def result() -> Validation:
    return validate(synthesise(12_000, (2015, 2023)), threads=2, seeds=2)


def test_every_target_is_printed_with_verdict_role_and_source_cells_in_one_line(result: Validation) -> None:
    text = str(result)
    for check in result.checks:
        if not check.target.family.startswith("cells_"):
            start, end = f"  {check.target.label[:58]}", f"[{check.target.source}]"
            assert any(
                row.startswith(start) and row.endswith(end) and check.verdict in row for row in text.splitlines()
            ), check.target.key
    assert re.search(r"calibrated +646 cells: \d+ within, \d+ within error, \d+ missed, \d+ without people", text)
    assert "Held out against calibrated: families with both roles: median gap" in text


def test_the_report_has_a_figure_for_every_family_and_a_table(result: Validation, tmp_path: Path) -> None:
    out = result.write(tmp_path / "out")
    page = (out / "report.html").read_text(encoding="utf-8")
    for family in families():
        assert (out / "tables" / f"{family.key}.csv").exists()
        ElementTree.fromstring((out / "figures" / f"{family.key}.svg").read_text(encoding="utf-8"))
        assert family.title in page
    assert (out / "figures" / "concentration.svg").exists()
    assert "http://" not in page.replace("http://www.w3.org", "")
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["checks"]
    assert {row["key"] for row in rows} == {c.target.key for c in result.checks}
    assert all(row["persons"] >= 0 for row in rows)


def test_the_same_people_give_the_same_bytes_whatever_the_threads(tmp_path: Path) -> None:
    keys = [t.key for t in load_targets() if t.family in ("tail", "cells_country", "cost_country", "body")]

    def run(threads: int, name: str) -> dict[str, bytes]:
        made = validate(synthesise(6_000, (2015, 2023)), keys=keys, threads=threads).write(tmp_path / name)
        return {p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()}

    first, second = run(1, "a"), run(2, "b")
    assert first == second
    assert str(tmp_path).encode() not in first["results.json"]


def test_an_error_over_seeds_is_the_spread_over_the_root_of_their_number(result: Validation) -> None:
    a = validate(synthesise(12_000, (2015, 2023), seed=1), keys=["top_1"], threads=2).check("top_1")
    b = validate(synthesise(12_000, (2015, 2023), seed=2), keys=["top_1"], threads=2).check("top_1")
    both = result.check("top_1")
    assert both.value == pytest.approx((a.value + b.value) / 2)
    assert both.monte_carlo_error == pytest.approx(abs(a.value - b.value) / 2)
    assert both.standard_error == pytest.approx((a.standard_error + b.standard_error) / 2 / math.sqrt(2))
    assert both.error == max(both.monte_carlo_error, both.standard_error)


def test_held_out_gaps_are_compared_in_tolerances(result: Validation) -> None:
    chosen = [c for c in result.checks if c.target.family == "persistence"]
    held, used = sorted(chosen, key=lambda c: c.target.key)
    assert (held.target.role, used.target.role) == ("held_out", "calibrated")

    def at(check: Check, tolerances: float) -> Check:
        return replace(check, value=check.target.value + tolerances * check.target.tolerance)

    small = replace(result, checks=(at(held, 1.5), at(used, 0.5)))
    row = small.held_out_against_calibrated().iloc[0]
    assert row["held_out_over_calibrated"] == pytest.approx(3.0)
    assert "WORSE THAN 2 times" in small.comparison()
    near = replace(result, checks=(at(held, 0.9), at(used, 0.5)))
    assert "no worse than 2 times" in near.comparison()


def test_a_missed_target_without_an_explanation_is_named(result: Validation) -> None:
    check = result.check("top_5")
    target = check.target.model_copy(update={"explanation": ""})
    far = Check(target, 0.9, 0.0001, 1_000)
    assert far.verdict == "missed"
    assert replace(result, checks=(far,)).unexplained() == ("top_5",)
    told = Check(target.model_copy(update={"explanation": "because"}), 0.9, 0.0001, 1_000)
    assert replace(result, checks=(told,)).unexplained() == ()
    assert "because" in str(replace(result, checks=(told,)))


def test_small_classes_are_not_judged(result: Validation) -> None:
    weights = result.of_family("weights_2021")
    assert all(c.judged == (c.share is not None and c.share >= 0.005) for c in weights)
    assert 0 < sum(c.judged for c in weights) < len(weights)


def test_concentration_of_equal_cost_is_the_diagonal() -> None:
    for top, share in concentration(np.full(1_000, 7.0), np.ones(1_000)):
        assert share == pytest.approx(top)


def test_files_of_people_give_what_the_people_give_but_for_conditions(tmp_path: Path) -> None:
    write_population(tmp_path / "people", 6_000, (2015, 2021), "mijnstreek", 3, format="csv")
    found = validate(read_population(tmp_path / "people"), threads=2)
    made = validate(synthesise(6_000, (2015, 2021), seed=3), threads=2)
    for a, b in zip(found.checks, made.checks, strict=True):
        if "chronic" in a.target.key or a.target.key in ("result_fair_or_poor_health", "result_no_condition"):
            assert a.value is None
        elif b.value is not None:
            assert a.value == pytest.approx(b.value, rel=1e-9), a.target.key
    with pytest.raises(DomainError, match="from files"):
        validate(read_population(tmp_path / "people"), seeds=2)


class Microdata:
    """A population that says it is somebody's microdata."""

    origin, data_sha256 = "microdata", "0" * 64

    def __init__(self, people: Population) -> None:
        self.people = people
        self.years, self.persons, self.seed = people.years, people.persons, 0

    def __len__(self) -> int:
        return len(self.people)

    def __getattr__(self, name: str) -> object:
        if name in ("plan", "tables", "base"):
            raise AttributeError(name)
        return getattr(self.people, name)


def test_small_cells_of_microdata_are_left_out_everywhere(tmp_path: Path) -> None:
    people = Microdata(synthesise(1_500, (2018, 2018)))
    found = validate(people)
    hidden = [c for c in found.checks if c.hidden]
    assert hidden
    assert all(c.value is None and c.rows is None and c.verdict == "left out" for c in hidden)
    shown = [c for c in found.checks if c.value is not None]
    assert all(c.rows >= 10 for c in shown)
    out = found.write(tmp_path / "out")
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))["checks"]
    assert all(row["value"] is None for row in rows if row["key"] in {c.target.key for c in hidden})
    assert "microdata" in (out / "report.html").read_text(encoding="utf-8")


def test_the_command_prints_json_and_writes_a_report(tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "report"
    done = runner.invoke(cli.app, ["validate", "--persons", "5000", "--json", "--out", str(out), "--threads", "2"])
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout)
    assert first["persons"] == 5000
    assert first["origin"] == "synthetic"
    assert (out / "report.html").exists()
    assert SimpleNamespace(**first["checks"][0]).role in ("calibrated", "held_out", "check")


def test_runs_of_one_seed_stay_as_they_are(result: Validation) -> None:
    assert together([result]) is result


def test_microdata_are_compared_at_the_prices_of_their_own_year() -> None:
    law = {t.key: t for t in load_targets(2018)}
    own = {t.key: t for t in load_targets(2018, own_prices=True)}
    assert own["cost_country_drugs"].value == pytest.approx(law["cost_country_drugs"].value / price_factor())
    assert own["cost_country_ggz"].value == pytest.approx(law["cost_country_ggz"].value)
    assert "prices of that year" in own["cost_country_drugs"].source
    people = Microdata(synthesise(6_000, (2018, 2018)))
    found = validate(people, keys=["cost_country_drugs", "top_1"]).check("cost_country_drugs")
    made = validate(people.people, keys=["cost_country_drugs"]).check("cost_country_drugs")
    assert found.value == pytest.approx(made.value)
    assert found.target.value == pytest.approx(made.target.value / price_factor())
    assert found.explanation == ""


def test_the_cost_year_of_microdata_is_one_that_vektis_has_a_table_of() -> None:
    def years(first: int, last: int) -> SimpleNamespace:
        return SimpleNamespace(years=(first, last))

    assert default_year(years(2012, 2024)) == 2021
    assert default_year(years(2015, 2021)) == 2018
    assert default_year(years(2020, 2022)) == 2021
    with pytest.raises(NotFoundError, match="no year with a Vektis table"):
        default_year(years(2016, 2017))
    assert default_year(SimpleNamespace(base=2021, years=(2015, 2023))) == 2021


@pytest.fixture(scope="module")
def own() -> Validation:
    """Somebody's microdata, large enough for classes."""
    return validate(Microdata(synthesise(6_000, (2015, 2021))), threads=2)


def test_what_is_printed_is_what_is_written(result: Validation, own: Validation, tmp_path: Path) -> None:
    for found in (result, own):
        written = found.write(tmp_path / found.origin) / "results.json"
        assert found.to_json() == written.read_text(encoding="utf-8")
        document = json.loads(found.to_json())
        assert {"anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"} <= set(document)
        assert ("concentration" in document) == (found.origin == "synthetic")
    assert own.concentration == ()


def test_a_cell_of_microdata_is_small_by_its_users_not_by_its_persons() -> None:
    subject = Subject(Microdata(synthesise(6_000, (2018, 2018))))
    keys = [t.key for t in load_targets() if t.family in ("cells_country", "cost_country", "ratio_2018")]
    users, rows = (subject.survey.sums[2018][name] for name in ("users", "rows"))
    nursing = users[0, 1, :, CATEGORIES.index("nursing")]
    bands = [b for b in range(len(nursing)) if 0 < nursing[b] < 10 <= rows[0, 1, b]]
    assert bands
    found = validate(subject.people, keys=keys)
    for band in range(len(nursing)):
        check = found.check(cell_key("cells_country", "nursing", 1, band))
        assert check.hidden == (nursing[band] < 10)
        assert check.rows == (None if check.hidden else nursing[band])
    everyone = users[0].sum(axis=(0, 1))
    assert found.check("cost_country_gp").rows == everyone[CATEGORIES.index("gp")]
    assert found.check("ratio_2018.gp").rows <= users[1].sum(axis=(0, 1))[CATEGORIES.index("gp")]


def test_a_share_of_microdata_is_small_by_those_with_and_those_without() -> None:
    flags, weight = np.arange(1_000) < 9, np.ones(1_000)
    assert _share(flags, weight).persons == _share(~flags, weight).persons == 9
    assert _share(flags, weight).rows == 1_000
    twice = _share(flags, weight, person=np.arange(1_000) // 3)
    assert twice.persons == 3  # records of one person are one person


def test_lines_and_tops_of_microdata_rest_on_those_above(own: Validation) -> None:
    survey = Subject(synthesise(6_000, (2015, 2021)), year=own.year).survey.columns
    w = survey["represents"]
    for top in (3000, 1500, 1000, 700, 400, 150, 50):
        check = own.check(f"mhk_line_{top:04}")
        above = math.floor(w.sum() / w.max() * top / 10_000)
        assert check.hidden == (above < 10)
        assert check.hidden or (check.rows == above and check.value == round(check.value))
    for name, share in (("1", 0.01), ("5", 0.05)):
        assert own.check(f"top_{name}").rows == (_top(survey["cost"], w, share)).sum()
    few = validate(Microdata(synthesise(1_000, (2015, 2021))), keys=["top_1", "mhk_line_0050"])
    assert few.check("top_1").hidden
    assert few.check("mhk_line_0050").hidden


def test_who_lives_abroad_does_not_depend_on_the_blocks() -> None:
    class Blocks(Microdata):
        """The people abroad in a block of their own, or all in one."""

        def __init__(self, people: Population, apart: bool) -> None:
            super().__init__(people)
            blocks = list(people.blocks())
            records, claims = (np.concatenate([getattr(b, name) for b in blocks]) for name in ("records", "claims"))
            abroad = np.setdiff1d(records["person"], records["person"][records["region"] > 0])
            assert len(abroad) > 0
            self.parts = [
                SimpleNamespace(
                    records=records[np.isin(records["person"], abroad) == side],
                    claims=claims[np.isin(claims["person"], abroad) == side],
                )
                for side in (True, False)
            ]
            if not apart:
                self.parts = [SimpleNamespace(records=records, claims=claims)]

        def __len__(self) -> int:
            return len(self.parts)

        def block(self, k: int, years: object = None) -> SimpleNamespace:
            return self.parts[k]

    people = synthesise(6_000, (2018, 2018))
    one, two = (Subject(Blocks(people, apart)).survey.sums[2018]["years"] for apart in (False, True))
    assert two == pytest.approx(one)


def test_the_curves_are_at_the_prices_of_the_table(own: Validation, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, tuple[list, str]] = {}

    def keep(name: str, panels: list, *, title: str, footer: str) -> str:
        drawn[name] = (panels, footer)
        return "<svg/>"

    monkeypatch.setattr("anderhalf.plots.age_curves", keep)
    figures(own)
    panels, footer = drawn["validation cells_country"]
    drugs = next(p for p in panels if p[0] == "drugs")
    assert drugs[1][10] == pytest.approx(own.check("cells_country.drugs.m.50").target.value)
    assert "at the prices of that year" in footer
    assert "law year" not in footer


def test_a_cost_year_that_is_not_there_is_refused_in_words() -> None:
    people = synthesise(1_000, (2015, 2018))
    for keys in (None, ["top_1"]):
        with pytest.raises(NotFoundError, match=r"the cost year is not there.*2015\.\.2018.*2021"):
            validate(people, year=2021, keys=keys)


def test_the_report_of_microdata_says_how_small_a_group_is(own: Validation, tmp_path: Path) -> None:
    page = (own.write(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "fewer than 10 persons" in page
    assert "{minimum}" not in page


def test_people_of_a_folder_are_as_they_are(tmp_path: Path) -> None:
    for options in (["--base", "2023"], ["--seed", "99"], ["--persons", "7000"]):
        done = CliRunner().invoke(cli.app, ["validate", str(tmp_path), *options])
        assert done.exit_code == 2
        assert f"no {options[0]}" in re.sub(r"\x1b\[[0-9;]*m", "", done.output)


def test_what_a_base_year_was_made_from_is_not_held_out() -> None:
    role = {
        base: {t.family: t.role for t in load_targets(2023, base=base) if t.family.startswith(("ratio", "cells"))}
        for base in (2018, 2023)
    }
    assert role[2023] == {
        "cells_country": "calibrated",
        "cells_region": "calibrated",
        "ratio_2018": "held_out",
        "ratio_2023": "calibrated",
    }
    assert role[2018]["ratio_2018"] == "calibrated"
    assert role[2018]["ratio_2023"] == role[2018]["cells_country"] == "held_out"
    found = validate(synthesise(1_000, (2022, 2023), base=2023), keys=["ratio_2023.gp", "ratio_2023.total"])
    assert {c.target.role for c in found.checks} == {"calibrated"}
