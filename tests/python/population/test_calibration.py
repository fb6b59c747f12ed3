"""The calibration finds what was planted, never sees what is held out; wrong files of it are refused."""

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from anderhalf import calibration, population
from anderhalf.calibration import Calibration, Free, Value
from anderhalf.errors import NotFoundError, ParameterError
from anderhalf.targets import load_targets

ROOT = Path(__file__).resolve().parents[3]
FOLDER = population.data_directory("params") / "population"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = SourceFileLoader("calibrate_tool", str(ROOT / "tools" / "calibrate"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def free(name: str, path: str, **own: object) -> Free:
    """A factor that is nearly free to move."""
    row = {"times": (path,), "bounds": (0.5, 2.0), "spread": 5.0, "targets": ("no_cost_women",), "source": "a test"}
    return Free.model_validate({"name": name, **row, **own})


DIAGNOSTICS = free("diagnostics", "care.general.diagnostics.percent")


def test_a_planted_parameter_comes_back(tool: ModuleType) -> None:
    size, truth = tool.Size(12_000, 3), 1.3
    step = tool.StepA(2018, [DIAGNOSTICS], [tool.Goal("no_cost_women", 0.0, 0.005)], size)
    x = np.zeros(1)
    step.use(tool.step_b(2018, step.values(x), tool.Size(20_000, 3), 0), x)
    planted = step.trial(np.log([truth]) / DIAGNOSTICS.spread).statistics["no_cost_women"]
    start = step.trial(x)
    assert abs(start.statistics["no_cost_women"] - planted) > 0.005  # it is gone
    step.targets = [tool.Goal("no_cost_women", planted, 0.0005)]
    at = step.trial(x)
    for _ in range(3):
        at = tool.gauss_newton(step, at)
    assert step.values(at.x)[0].value == pytest.approx(truth, abs=0.08)


def run(tool: ModuleType, out: Path, seed: int = 5) -> bytes:
    """A whole calibration, tiny: one parameter, one round."""
    out.mkdir()
    targets = tool.goals(["body"])
    plan, size = [DIAGNOSTICS.model_copy(update={"spread": 0.3})], tool.Size(6_000, seed)
    values, general, log = tool.calibrate(2018, plan, targets, size, 1, tool.Size(12_000, seed), 0)
    assert len(log) == 2
    return tool.write(out, 2018, {"base": 2018}, values, general).read_bytes()


def test_same_seed_same_bytes_whatever_is_held_out(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = load_targets()
    first = run(tool, tmp_path / "a")

    def changed(role: str) -> tuple[object, ...]:
        return tuple(
            t.model_copy(update={"low": t.low + 0.2, "high": t.high + 0.2})
            if t.role == role and t.family == "body" and t.low is not None and t.high is not None
            else t
            for t in published
        )

    monkeypatch.setattr(tool, "load_targets", lambda: changed("held_out"))
    assert run(tool, tmp_path / "b") == first
    monkeypatch.setattr(tool, "load_targets", lambda: changed("calibrated"))
    assert run(tool, tmp_path / "c") != first


def test_a_trial_asks_for_calibrated_targets_only(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    held = {t.key for t in load_targets() if t.role != "calibrated"}

    def spy(world: object, keys: frozenset[str], **_: object) -> dict[str, tuple[float, float]]:
        asked.extend(keys)
        return dict.fromkeys(keys, (0.1, 0.0))

    monkeypatch.setattr(tool.validation, "statistics", spy)
    families = population._read("calibration_plan.toml", FOLDER)["objective"]["families"]
    step = tool.StepA(2018, [DIAGNOSTICS], tool.goals(families), tool.Size(2_000, 1))
    x = np.zeros(1)
    step.use(tool.step_b(2018, step.values(x), tool.Size(4_000, 1), 0), x)
    step.trial(x)
    assert len(asked) > 10
    assert not held.intersection(asked)


def test_the_plan_names_places_and_calibrated_targets_that_exist() -> None:
    plan = calibration.load_plan(FOLDER / "calibration_plan.toml")
    calibration.check_places(population.documents(), plan, "calibration_plan.toml")
    calibrated = {t.key for t in load_targets() if t.role == "calibrated"}
    families = population._read("calibration_plan.toml", FOLDER)["objective"]["families"]
    assert "fit" not in families
    for row in plan:
        assert set(row.targets) <= calibrated, row.name
        assert row.source.startswith(("assumption: ", "facts"))


@pytest.mark.parametrize("base", calibration.BASES)
def test_every_value_in_the_files_has_a_source(base: int) -> None:
    document = population._read(calibration.file_name(base), FOLDER)
    assert document["run"]["base"] == base
    found = calibration.load_calibration(FOLDER / calibration.file_name(base))
    assert found.values
    assert all(row.source and row.targets for row in found.values)
    sources = {name: table["source"] for name, table in document["general_eur"].items()}
    assert f"Vektis {base} " in sources["gp"]
    assert "2021" not in sources["ggz"]  # distorted


def test_a_population_of_another_base_year_has_other_cost() -> None:
    cost = {}
    for base in (2018, 2023):
        people = population.synthesise(3_000, (2018, 2018), region=None, base=base)
        assert people.base == base
        cost[base] = sum(float(b.claims["claimed_cents"].sum()) for b in people.blocks())
    assert 1.1 < cost[2023] / cost[2018] < 1.4
    with pytest.raises(NotFoundError, match="2015 or 2018"):
        population.synthesise(3_000, base=2017)


GOOD = """
[[value]]
name = "a"
set = ["care.general.hospital.sticky"]
bounds = [0.1, 0.9]
value = 0.5
prior = 0.35
source = "assumption: a test"
targets = ["mhk_step"]
"""


def test_values_are_put_over_the_files() -> None:
    documents = population.documents()
    places = [
        Value(name="a", set=("care.general.hospital.sticky",), bounds=(0.1, 0.9), value=0.5, prior=0.35, source="s",
              targets=("t",)),
        Value(name="b", times=("conditions.condition.epilepsy.percent",), bounds=(0.5, 3.0), value=2.0, prior=1.0,
              source="s", targets=("t",)),
        Value(name="c", times=("conditions.condition.epilepsy.care.hospital.p",),
              divide=("conditions.condition.epilepsy.care.hospital.eur",), bounds=(0.5, 3.0), value=2.0, prior=1.0,
              source="s", targets=("t",)),
    ]  # fmt: skip
    before = population.documents()
    calibration.apply(documents, places, "a file")
    (old,) = [c for c in before["conditions"]["condition"] if c["key"] == "epilepsy"]
    (new,) = [c for c in documents["conditions"]["condition"] if c["key"] == "epilepsy"]
    assert new["percent"] == [2 * x for x in old["percent"]]
    assert new["care"][1]["p"] == pytest.approx(1 - (1 - old["care"][1]["p"]) ** 2)  # a chance stays one
    assert new["care"][1]["eur"] == old["care"][1]["eur"] / 2
    assert new["care"][0] == old["care"][0]  # drugs are left alone
    sticky = [g["sticky"] for g in documents["care"]["general"] if g["category"] == "hospital"]
    assert sticky == [0.5]


def test_a_wrong_file_is_refused_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "calibration.toml"
    path.write_text(
        GOOD.replace("0.5", "0.95")
        + GOOD.replace('"a"', '"b"').replace('source = "assumption: a test"', 'source = ""')
        + GOOD.replace('"a"', '"c"').replace("prior = 0.35", 'prior = 0.35\ntimes = ["care.general.gp.cv"]')
        + '[general_eur]\ngp = { rest = [[1.0]], region = [[1.0]] }\n[more]\nx = 1\n',
        encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(ParameterError) as error:
        calibration.load_calibration(path)
    text = str(error.value)
    bounds = "value a: value, expected 0.1 to 0.9, got 0.95"
    for part in (bounds, "value b: source", "either set, or times", "gp", "more"):
        assert part in text, part


def test_unknown_paths_and_other_priors_are_refused_together(tmp_path: Path) -> None:
    path = tmp_path / "calibration.toml"
    path.write_text(
        GOOD.replace("hospital.sticky", "hospital.glue")
        + GOOD.replace('"a"', '"b"').replace("prior = 0.35", "prior = 0.3")
        + GOOD.replace('"a"', '"c"').replace("care.general.hospital.sticky", "law.criterion.mhk")
        + GOOD.replace('"a"', '"d"').replace("hospital.sticky", "hospital.category"),
        encoding="utf-8",
    )  # fmt: skip
    found = calibration.load_calibration(path)
    with pytest.raises(ParameterError) as error:
        population.load_parameters(calibration=Calibration(found.values, found.general_eur))
    text = str(error.value)
    for part in ("hospital.glue", "expected the prior 0.3", "law.criterion.mhk", "expected a number, got 'hospital'"):
        assert part in text, part


def test_a_category_without_a_general_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"general_eur\.gp"):
        population.load_parameters(calibration=Calibration((), {}))
    with pytest.raises(NotFoundError, match="tools/calibrate"):
        calibration.load_calibration(tmp_path / "calibration_2023.toml")
