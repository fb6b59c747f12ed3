"""Reading parameter files: what is refused, and how it is said."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from anderhalf._paths import data_directory
from anderhalf.errors import NotFoundError, ParameterError
from anderhalf.model import load_model, models
from anderhalf.parameters import Law, Reform, read_law

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    return tmp_path / "nl"


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(stem: str, old: str, new: str) -> None:
        path = folder / "2021" / f"{stem}.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def refused(folder: Path) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        read_law(folder, "nl-2021")
    return caught.value


def test_an_unknown_key_is_refused_with_file_key_and_article(folder: Path, edit: Edit) -> None:
    edit("premium_and_deductible", 'term = "nominale rekenpremie"', 'term = "nominale rekenpremie", valeu = 3')
    error = refused(folder)
    assert error.file == "2021/premium_and_deductible.toml"
    assert error.key == "premium.calculation_premium.valeu"
    assert str(error) == ("2021/premium_and_deductible.toml premium.calculation_premium.valeu (art. 7(1)): unknown key")


def test_a_missing_key_is_refused(folder: Path, edit: Edit) -> None:
    edit("weights_variable", 'table = "1.9"\n', "")
    assert str(refused(folder)) == "2021/weights_variable.toml criterion.mhk.table: missing key"


def test_a_duplicate_key_is_refused(folder: Path, edit: Edit) -> None:
    edit("macro_budget", "[revenue]", "[macro_budget]\n[revenue]")
    assert "not TOML" in str(refused(folder))


def test_all_problems_of_all_files_come_at_once(folder: Path, edit: Edit) -> None:
    edit("macro_budget", "value = 48231.4", 'value = "48231.4"')
    edit("weights_ggz", "weight =   -41.19", "weight =   -41.2")
    edit("settlement", 'rule = "zero_sum"', 'rule = "zerosum"')
    edit("weights_variable", 'code = 18, key = "man_75_79"', 'code = 19, key = "man_75_79"')
    problems = refused(folder).problems
    text = "\n".join(map(str, problems))
    assert len(problems) == 4, text
    assert "macro_budget.toml macro_budget.total.value (art. 2(1)): refused, expected a number as printed" in text
    assert "criterion.ggz_mhk.classes.none.weight (table 2.8): refused, expected two decimals, as printed" in text
    assert "settlement.toml neutrality.11(6).rule (art. 11(6)): refused" in text
    assert "criterion.age_sex (table 1.1): refused, expected codes that count up from 0 or 1" in text


@pytest.mark.parametrize(
    ("stem", "old", "new", "said"),
    [
        ("weights_variable", 'name  = "mhk"', 'name  = "mkh"', "a criterion with weights"),
        ("assignment", '"heart", "pulmonary', '"hart", "pulmonary', "no class 'hart' of fkg"),
        ("settlement", 'of = ["fdg_2"]', 'of = ["fdg_5"]', "no class 'fdg_5' of fdg"),
        ("premium_and_deductible", '"mvv", "fdg"]', '"mvv", "fgd"]', "no criterion 'fgd'"),
        ("assignment", '"grz", ', '"grz", "grz", ', "each category in exactly one cluster, not grz"),
        ("assignment", '"grz", ', "", "each category in exactly one cluster, not grz"),
        ("weights_ggz_hcc", 'key = "adhd"', 'key = "add"', "other classes than weights_ggz.toml"),
        ("weights_variable", "classes = 218", "classes = 219", "219 classes as [share] says, not 218"),
        ("weights_variable", 'ages = "1-4"', 'ages = "1-5"', "age bands that do not overlap"),
        ("weights_variable", 'key = "glaucoma"', 'key = "thyroid"', "a key once, not twice thyroid"),
        ("weights_variable", "334.63", "nan", "a finite number"),
        ("macro_budget", "year    = 2021", "year    = 2020", "another year than the other files"),
        ("assignment", 'data_years = [2]', 'data_years = ["2"]', "criterion.dkg.data_years"),
    ],
)  # fmt: skip
def test_files_that_disagree_are_refused(folder: Path, edit: Edit, stem: str, old: str, new: str, said: str) -> None:
    edit(stem, old, new)
    assert said in str(refused(folder))


def test_a_missing_and_an_unknown_file_are_named(folder: Path) -> None:
    (folder / "2021" / "settlement.toml").rename(folder / "2021" / "setlement.toml")
    assert [str(p) for p in refused(folder).problems] == [
        "2021/settlement.toml: missing file",
        "2021/setlement.toml: unknown file",
    ]


def test_weights_never_pass_through_a_binary_float() -> None:
    law: Law = load_model("nl-2021").law
    row = law.weights_variable.criterion[1].classes[38]
    assert row.weight == Decimal("518544.69")
    assert load_model("nl-2021").variable.criterion("fkg").by_code(38).weight == 518_544_690_000


def test_a_reform_replaces_one_value_and_nothing_else() -> None:
    model = load_model(
        "nl-2021", Reform({"premium_and_deductible.deductible.amount.value": {"2021": 165}}, name="half")
    )
    assert model.deductible_amount == 165_00
    assert model.name == "nl-2021+half"
    assert not model.official
    assert model.weights.equals(load_model("nl-2021").weights)
    assert model.parameters_sha256 != load_model("nl-2021").parameters_sha256


def test_a_weight_can_be_reformed_by_key_and_floats_mean_what_they_show() -> None:
    path = "weights_variable.criterion.mhk.classes.top_30_in_1_of_3.weight"
    model = load_model("nl-2021", Reform({path: {"2019": -598.55, "2022": 0}}))
    assert model.variable.criterion("mhk").by_code(1).weight == -598_550_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"settlement.flat_stap.variable_care.value": {"2021": 1}}, "no 'flat_stap', expected one of flat_step"),
        ({"settlement.flat_step.variable_care.value": {"2022": 1}}, "no effect"),
        ({"settlement.flat_step.variable_care.value": {"now": 1}}, "not a value per year"),
        (
            {"settlement.flat_step.variable_care.value": {"2021": "1"}},
            "not a value of the same kind, expected a number",
        ),
        ({"settlement.flat_step.variable_care": {"2021": 1}}, "not a value of the same kind"),
        ({"settlement.own_payments.macro_corrected.value": {"2021": 0}}, "expected true or false"),
        ({"weights_variable.criterion.mhk.classes.none.weight": {"2021": 1.234}}, "two decimals, as printed"),
        ({"premium_and_deductible.deductible.amount.value": {"2021": 0.001}}, "cannot be held exactly"),
    ],
)
def test_reforms_without_effect_are_errors(changes: dict[str, dict[str, object]], said: str) -> None:
    with pytest.raises(ParameterError, match=said.replace("(", r"\(")):
        load_model("nl-2021", Reform(changes))


def test_an_unknown_model_names_what_looks_like_it() -> None:
    with pytest.raises(NotFoundError, match="no model 'nl2021', expected one of nl-2021"):
        load_model("nl2021")


def test_models_says_what_is_official() -> None:
    frame = models().set_index("name")
    assert frame.loc["nl-2021", "official"]
    assert not frame.loc["nl-2021-structural", "official"]
    assert frame.loc["nl-2021", "cite"] == "Stcrt. 2022, 17199"
    printed = frame[frame["weights"] == "printed"]
    assert set(frame.index) - set(printed.index) == {f"nl-{year}-structural" for year in range(2022, 2027)}
    assert printed["classes"].to_dict() == {
        "nl-2012": 594, "nl-2013": 473, "nl-2014": 494,
        "nl-2015": 334, "nl-2019": 385, "nl-2020": 940, "nl-2021": 541, "nl-2021-structural": 541,
    }  # fmt: skip


def test_weights_frame_has_the_documented_columns() -> None:
    frame = load_model("nl-2021").weights
    assert list(frame.columns) == ["share", "criterion", "code", "label", "weight_eur", "source", "status"]
    assert set(frame["status"]) == {"printed"}
    row = frame[(frame["share"] == "variable") & (frame["criterion"] == "mhk") & (frame["code"] == 1)].iloc[0]
    assert row["weight_eur"] == 166.47
    assert row["source"] == "Regeling risicoverevening 2021, annex 1, table 1.9"


def test_every_other_value_has_an_article_and_what_is_unknown_says_so() -> None:
    frame = load_model("nl-2021").values.set_index("key")
    assert (frame["article"] != "").all()
    assert frame.loc["assignment.abroad.none_weight_percent", "status"] == "expected"
    assert frame.loc["assignment.reference_date.month", "status"] == "assumption"


def test_a_model_survives_pickling() -> None:
    model = load_model("nl-2021-structural")
    assert pickle.loads(pickle.dumps(model)) == model
