"""Scenario files: which programmes run together, and every mistake in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import anderhalf as ah
from anderhalf.errors import AnderhalfError, ParameterError
from anderhalf.scenario_file import is_scenario, known_names, load_scenario
from anderhalf.study import check_scenario

ROOT = Path(__file__).resolve().parents[3]
PLUSPUNT = (ROOT / "scenarios" / "pluspunt.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def own_programme(folder: Path, name: str = "own", number: int = 901) -> Path:
    text = PLUSPUNT.replace('name     = "pluspunt"', f'name     = "{name}"').replace(
        "id       = 1", f"id       = {number}"
    )
    return written(folder, text, f"{name}.toml")


def test_a_programme_alone_is_a_scenario() -> None:
    found = load_scenario("pluspunt", horizon=3)
    assert [p.name for p in found.programmes] == ["pluspunt"]
    assert (found.adoption, found.model, found.start, found.horizon) == ("insurer:CZ", "nl-2021-structural", 2021, 3)
    assert found.sha256 == ""


def test_a_scenario_file_names_programmes_beside_it_and_rules(tmp_path: Path) -> None:
    own_programme(tmp_path)
    path = written(
        tmp_path,
        """
        [scenario]
        title = "Two together"
        programmes = ["pluspunt", "own.toml"]
        adoption = "region"
        horizon = 4
        [rules]
        macro = "fixed"
        discount_rate = 0.02
        """,
    )
    found = load_scenario(path)
    assert is_scenario(path)
    assert [p.name for p in found.programmes] == ["pluspunt", "own"]
    assert (found.name, found.adoption, found.horizon, dict(found.rules)) == (
        "Two together",
        "region",
        4,
        {"macro": "fixed", "discount_rate": 0.02},
    )
    rules = found.settings()
    assert (rules.macro, rules.discount_rate, rules.horizon, rules.lag) == ("fixed", 0.02, 4, 3)
    assert load_scenario(path, adoption="insurer:VGZ", horizon=None).adoption == "insurer:VGZ"
    assert len(found.sha256) == 64


def test_every_problem_of_a_scenario_file_and_its_programmes_is_named_at_once(tmp_path: Path) -> None:
    bad = own_programme(tmp_path, "bad", 902)
    bad.write_text(bad.read_text(encoding="utf-8").replace("value = 0.146", "value = 1.46"), encoding="utf-8")
    path = written(
        tmp_path,
        """
        [scenario]
        programmes = ["pluspunkt", "bad.toml", "pluspunt"]
        horizon = 11
        colour = "red"
        [rules]
        macro = "someday"
        wealth = 3
        [value]
        price = 3
        """,
    )
    with pytest.raises(ParameterError) as caught:
        load_scenario(path, "pluspunt")
    text = str(caught.value)
    for what in ("pluspunkt", "added_demand", "horizon", "colour", "wealth", "value", "someday", "2 times"):
        assert what in text, text
    assert "one of pluspunt" in text


def test_rules_out_of_range_are_named_with_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[scenario]\nprogrammes = ["pluspunt"]\n[rules]\nmacro = "someday"\ndkg_share = 7\n')
    with pytest.raises(ParameterError) as caught:
        load_scenario(path)
    assert "mine.toml, rules: macro, expected one of fixed, lagged, actual, got someday" in str(caught.value)
    assert "dkg_share" in str(caught.value)


def test_what_cannot_run_together_is_refused(tmp_path: Path) -> None:
    own_programme(tmp_path, "twin", 1)
    a, b = (written(tmp_path, '[scenario]\nprogrammes = ["pluspunt"]\n', f"{n}.toml") for n in "ab")
    nested = written(tmp_path, '[scenario]\nprogrammes = ["a.toml"]\n', "nested.toml")
    for names, what in (
        (("pluspunt", "pluspunt"), "programme pluspunt, expected once, got 2 times"),
        (("pluspunt", tmp_path / "twin.toml"), "pluspunt, twin: programme.id, expected an id of its own each, got 1"),
        ((a, b), "scenario files, expected one at most"),
        ((nested,), "no scenario inside a scenario"),
    ):
        with pytest.raises(ParameterError) as caught:
            load_scenario(*names)
        assert what in str(caught.value)


def test_what_comes_along_is_good() -> None:
    programmes, scenarios = known_names()
    assert "pluspunt" in programmes
    assert "template" not in [*programmes, *scenarios]
    for name in scenarios:
        found = load_scenario(name)
        check_scenario(ah.synthesise(5_000, (2015, 2031)), found)


def test_a_scenario_is_no_programme_and_the_template_no_name(tmp_path: Path) -> None:
    path = written(tmp_path, '[scenario]\nprogrammes = ["pluspunt"]\n')
    with pytest.raises(ParameterError, match="a scenario file, expected a programme"):
        ah.load_programme(path)
    with pytest.raises(AnderhalfError) as caught:
        ah.load_programme("nothing")
    assert "pluspunt" in str(caught.value)
    assert "mijnstreek" not in str(caught.value)


def test_law_years_and_insurers_that_do_not_fit_are_named_together() -> None:
    people = ah.synthesise(5_000, (2015, 2024))
    asked = load_scenario("pluspunt", adoption="insurers:CZ+Nobody+Noone", model="nl-1999")
    with pytest.raises(AnderhalfError) as caught:
        check_scenario(people, asked)
    text = str(caught.value)
    for what in ("Nobody", "Noone", "nl-1999", "within the years of the people, 2015-2024, got 2021-2030"):
        assert what in text, text
