"""A structure without weights is grouped, gets weights of its own baseline, pays and is simulated, or is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import anderhalf as ah
from anderhalf.errors import ParameterError
from anderhalf.simulation import Rules, World

PEOPLE = 6_000


def bare(year: int) -> ah.Model:
    """The structure without the settlement rules that have no channel."""
    rows: list[object] = []
    reform = {f"settlement.{key}": {str(year): rows} for key in ("bandwidth", "high_cost_compensation")}
    return ah.load_model(f"nl-{year}-structural", ah.Reform(reform, name="no_bandwidth"))


@pytest.fixture(scope="module")
def people() -> ah.Population:
    return ah.synthesise(persons=PEOPLE, years=(2015, 2031), seed=9)


def test_the_weights_of_a_structure_are_those_of_its_own_baseline(people: ah.Population) -> None:
    world = World(people, ah.load_model("nl-2026-structural"), Rules(start=2021, horizon=7), threads=2)
    model = world.own_weights(2021)
    assert model.name == "nl-2026-structural+estimated"
    assert "estimated on the baseline arm: cost and classes of 2021" in model.weights_status
    fit = world.core.fit(2021)
    weights = model.weights[model.weights.share == "variable"].weight_eur.to_numpy()
    level = model.macro_variable / 100 / (fit.insured_years * fit.mean_cost)
    assert abs(weights - [value * level for value in fit.coefficients]).max() <= 0.005 + 1e-6
    frame = world.core.frame(2021)
    classes = frame["classes"]["variable"]
    # The same weights by the other road: records and `ah.estimate`.
    records = {**classes, "days": frame["days"], "represents": frame["represents"], "cost": frame["variable_cents"]}
    again = ah.estimate(records, model="nl-2026-structural", cost="cost", represents="represents")
    assert again.params.to_numpy() == pytest.approx(fit.coefficients, abs=1e-6)
    # Who has a class of the new criteria: seasonal workers too, who live abroad and are in no class of the region.
    some = {name: int((classes[name] > 0).sum()) for name in ("hsm", "ibz", "hhk", "okh", "sei")}
    assert all(number > 0 for number in some.values())
    assert (frame["abroad"][classes["sei"] > 0] == 1).all()
    assert (classes["region"] == -1).sum() == frame["abroad"].sum() > 0


@pytest.mark.parametrize(
    ("year", "items"),
    [
        (2022, {("ggz", "high_cost_compensation")}),
        (2023, {("variable", "bandwidth"), ("ggz", "bandwidth")}),
        (2025, {("variable", "high_cost_compensation"), ("ggz", "bandwidth")}),
        (2026, {("variable", "high_cost_compensation")}),
    ],
)
def test_a_structure_with_weights_of_its_own_pays(
    people: ah.Population, year: int, items: set[tuple[str, str]]
) -> None:
    key = "settlement.high_cost_compensation.variable_care.threshold.value"  # nobody of 6,000 costs EUR 400,000
    lower = [ah.Reform({key: {str(year): 40_000}})] if ("variable", "high_cost_compensation") in items else []
    law = ah.load_model(f"nl-{year}-structural", *lower)
    world = World(people, law, Rules(start=2021, horizon=7), threads=2)
    frame = world.core.frame(2021)
    classes = frame.pop("classes")
    insured = {**frame, **classes["variable"], **classes["ggz"]}
    with pytest.raises(ParameterError, match=rf"pay: nl-{year}-structural has no weights \(estimated: none yet\)"):
        ah.pay(insured, f"nl-{year}-structural")
    model = world.own_weights(2021)
    granted, settled = (ah.pay(insured, model, stage) for stage in ("ex_ante", "final"))
    for paid in (granted, settled):
        assert paid.to_dict()["weights_status"] == model.weights_status
    # The weights pay the macro amount to the insured of the year they were estimated on, but for their rounding.
    variable = granted.lines[granted.lines.share == "variable"].cents.sum()
    assert variable == pytest.approx(model.macro_variable, rel=5e-5)  # 0.005%, as in print
    lines = settled.lines.set_index(["share", "item"]).sort_index()
    for step in items:
        assert (lines.loc[step, "cents"] != 0).any(), step
    taken = {(s, i) for s, i in lines.index if i in ("bandwidth", "high_cost_compensation")}
    assert items <= taken
    assert ("variable", "bandwidth") not in taken or year == 2023
    assert "estimated on the baseline arm" in " ".join(settled.statement(granted.insurers.insurer[0]).split())


@pytest.mark.parametrize("year", [2022, 2024])
def test_a_structure_is_simulated_with_weights_of_its_own(people: ah.Population, year: int) -> None:
    programme = ah.load_programme("pluspunt")
    run = ah.simulate(people, bare(year), [programme], horizon=7, adoption="national", threads=2)
    assert run.world.model.weighted
    assert run.world.model.weights_status.startswith("estimated on the baseline arm: cost and classes of 2021, ")
    assert run.world.model.name.endswith("+estimated")
    again = ah.simulate(people, run.world.model, [programme], horizon=7, adoption="national", threads=1)
    assert again.decomposition.equals(run.decomposition)
    hsm = run.class_changes[run.class_changes.criterion == "hsm"]
    assert set(hsm.year) <= set(range(2025, 2028))  # care from 2021, classes from 2022, HSM three years later
    assert len(hsm) > 0


@pytest.mark.parametrize(
    ("year", "said"),
    [
        (
            2023,
            "nl-2023-structural has bandwidth of variable and bandwidth of ggz, without a channel yet, expected",
        ),
        (2025, "bandwidth of ggz and high-cost compensation of variable, without a channel yet"),
    ],
)
def test_rules_without_a_channel_are_refused_in_one_sentence(people: ah.Population, year: int, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        ah.simulate(people, ah.load_model(f"nl-{year}-structural"), [ah.load_programme("pluspunt")], horizon=7)
    assert said in str(caught.value)
    assert len(caught.value.problems) == 1


def test_hsm_asks_for_seven_years(people: ah.Population) -> None:
    with pytest.raises(ParameterError, match="at least 7 years, for HSM looks three years back"):
        ah.simulate(people, bare(2024), [ah.load_programme("pluspunt")], horizon=6)


def test_the_command_says_on_what_the_weights_were_estimated() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(ah.__file__).parents[1]), "NO_COLOR": "1"}
    entry = [sys.executable, "-m", "anderhalf.cli"]
    command = [*entry, "simulate", "pluspunt", "--model", "nl-2022-structural"]
    run = subprocess.run(
        [*command, "--persons", str(PEOPLE), "--horizon", "7"], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr
    assert "weights of the variable share estimated on the baseline arm" in run.stdout
    refused = subprocess.run(
        [*entry, "patient", "--model", "nl-2022-structural", "--sex", "m", "--age", "42", "--json"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nl-2022-structural has no weights (estimated: none yet)" in refused.stderr
    assert refused.stderr.count("\n") == 1
