"""The figures of 2021 against their source, and against each other."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from anderhalf._paths import data_directory
from anderhalf.model import MICRO_PER_EURO, Model, Share, load_model, model_of
from anderhalf.parameters import read_law

LAW = os.environ.get("ANDERHALF_LAW", "")
SECOND_READING = "weights-2021-variable-second-reading.csv"
needs_law = pytest.mark.skipif(not LAW, reason=f"set ANDERHALF_LAW to the folder with {SECOND_READING}")


def neighbour(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("nl-2021")


def second_reading_of_annex_1(path: Path) -> dict[str, list[Decimal]]:
    """Criterion to weights in the order of the regulation; the file has other orders for three of the tables."""
    rows: dict[str, list[tuple[str, Decimal]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["criterion"], []).append((row["label"], Decimal(row["weight_eur"])))
    ordered = {name: [weight for _, weight in pairs] for name, pairs in rows.items()}
    ordered["age_sex"] = [w for sex in "MF" for label, w in rows["age_sex"] if label.startswith(f"{sex} ")]
    for name in ("avi", "ppa"):  # the band without a weight stands last there, first in print
        ordered[name] = ordered[name][-1:] + ordered[name][:-1]
    return ordered


def disagreements(share: Share, reading: dict[str, list[Decimal]]) -> tuple[int, list[str]]:
    """Number of weights compared, and those that differ."""
    assert {criterion.name for criterion in share.criteria} == set(reading)
    compared, wrong = 0, []
    for criterion in share.criteria:
        assert len(criterion.classes) == len(reading[criterion.name]), criterion.name
        for row, expected in zip(criterion.classes, reading[criterion.name], strict=True):
            compared += 1
            if row.weight != expected * MICRO_PER_EURO:
                wrong.append(f"{criterion.name} {row.code}: {row.weight} against {expected}")
    return compared, wrong


@needs_law
@pytest.mark.oracle
def test_218_of_218_weights_of_annex_1_equal_the_second_reading(model: Model) -> None:
    compared, wrong = disagreements(model.variable, second_reading_of_annex_1(Path(LAW) / SECOND_READING))
    print(f"annex 1: {compared - len(wrong)} of {compared} equal the second reading")
    assert wrong == []
    assert compared == 218


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("share", "annex", "count"), [("ggz", "ANNEX_2", 126), ("ggz_hcc", "ANNEX_3", 126), ("deductible", "ANNEX_4", 71)]
)
def test_annexes_2_to_4_equal_the_second_reading(model: Model, share: str, annex: str, count: int) -> None:
    reading = {
        name: list(map(Decimal, text.split())) for name, text in getattr(neighbour("second_reading"), annex).items()
    }
    compared, wrong = disagreements(getattr(model, share), reading)
    print(f"{annex}: {compared - len(wrong)} of {compared} equal the second reading")
    assert wrong == []
    assert compared == count


@pytest.mark.oracle
def test_one_changed_weight_in_a_copy_is_found(tmp_path: Path) -> None:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    path = tmp_path / "nl" / "2021" / "weights_deductible.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("138.46") == 1
    path.write_text(text.replace("138.46", "138.64"), encoding="utf-8")
    changed = model_of(read_law(tmp_path / "nl", "nl-2021"))
    reading = {name: list(map(Decimal, t.split())) for name, t in neighbour("second_reading").ANNEX_4.items()}
    assert disagreements(changed.deductible, reading) == (71, ["age_sex 5: 138640000 against 138.46"])
    assert changed.parameters_sha256 != load_model("nl-2021").parameters_sha256


@pytest.mark.published
def test_the_macro_shares_add_up_to_the_macro_amount(model: Model) -> None:
    assert model.macro_variable + model.macro_fixed + model.macro_ggz == model.macro_total == 48_231_4 * 10_000_000


@pytest.mark.published
def test_revenue_pays_the_macro_amount_but_for_the_rounding_of_the_print(model: Model) -> None:
    # Three figures of one decimal: EUR 0.1 million short.
    gap = model.macro_total - (model.revenue_premium + model.revenue_deductible + model.fund_payment)
    assert gap == 100_000_00


@pytest.mark.published
def test_premium_payers_and_mean_own_payment_follow_from_the_revenue(model: Model) -> None:
    payers = model.revenue_premium / model.calculation_premium
    assert payers == pytest.approx(14.19e6, rel=1e-3)  # facts 2.1
    assert model.revenue_deductible / payers / 100 == pytest.approx(227.41, abs=0.005)
    # Between the cheapest class of the deductible model and the forfait, as a mean must be.
    assert 100 < model.revenue_deductible / payers / 100 < model.forfait / 100


# Zero-sum per criterion cannot be checked on the weights alone: the regulation prints no number of insured per class.


@pytest.mark.published
def test_every_criterion_but_age_and_sex_has_weights_of_both_signs_or_none(model: Model) -> None:
    # Necessary for a weighted sum of zero; sufficient only with the numbers of insured.
    for share in model.shares:
        for criterion in share.criteria:
            weights = [row.weight for row in criterion.classes]
            if criterion.name.removeprefix("ggz_") != "age_sex":
                assert min(weights) < 0 < max(weights), (share.name, criterion.name)


@pytest.mark.published
@pytest.mark.parametrize(
    ("share", "counts"),
    [
        ("variable", {"age_sex": 42, "fkg": 39, "dkg": 27, "hkg": 15, "avi": 36, "region": 10, "ses": 12, "ppa": 13,
                      "mhk": 9, "fdg": 5, "mvv": 10}),
        ("ggz", {"ggz_age_sex": 30, "ggz_fkg": 10, "ggz_dkg": 19, "ggz_avi": 29, "ggz_region": 10, "ggz_ses": 8,
                 "ggz_ppa": 12, "ggz_mhk": 8}),
        ("deductible", {"age_sex": 30, "avi": 29, "region": 10, "mhk": 2}),
    ],
)  # fmt: skip
def test_tables_have_the_printed_number_of_rows_in_the_printed_order(
    model: Model, share: str, counts: dict[str, int]
) -> None:
    assert {c.name: len(c.classes) for c in getattr(model, share).criteria} == counts
    assert [c.name for c in getattr(model, share).criteria] == list(counts)


@pytest.mark.published
def test_codes_that_scripts_rely_on(model: Model) -> None:
    labels = {
        (c.name, row.code): (row.key, row.label) for c in model.variable.criteria for row in c.classes
    }  # Dutch as printed, the misspelling of neuropathic pain too
    assert labels["mhk", 1] == (
        "top_30_in_1_of_3",
        "Ten minste 1 van de 3 voorafgaande jaren variabele zorgkosten in top 30 procent",
    )
    assert labels["fkg", 11] == ("neuropathic_pain", "Neuropatische pijn")
    assert labels["fkg", 13] == ("diabetes_2_hypertension", "Diabetes type II met hypertensie")
    assert labels["avi", 0] == ("age_70_plus", "70+ jaar")
    assert labels["ppa", 0] == ("age_0_17", "0–17 jaar")
    assert labels["age_sex", 22][0] == "woman_0_born_this_year"
    assert labels["ses", 12][0] == "high_70_plus"
    assert labels["mvv", 9][0] == "child_top_0_25"


@pytest.mark.published
def test_every_person_fits_exactly_one_class_of_the_demographic_criteria(model: Model) -> None:
    for age in range(131):
        for sex in (1, 2):
            rows = model.variable.criterion("age_sex").classes
            fitting = [r for r in rows if r.sex == sex and r.age_min <= age <= r.age_max]
            assert len(fitting) == (2 if age == 0 else 1)  # age 0: by year of birth
            assert sorted(r.born for r in fitting) == ([1, 2] if age == 0 else [0])
        for share in model.shares:
            if share.name != "variable" and age < 18:
                continue
            for criterion in share.criteria:
                base = criterion.name.removeprefix("ggz_")
                if base in ("avi", "ses", "ppa"):
                    fitting = [r for r in criterion.classes if r.age_min <= age <= r.age_max]
                    groups = [r.group for r in fitting]
                    assert len(groups) == len(set(groups)) > 0, (criterion.name, age)


@pytest.mark.published
def test_data_years_are_those_of_article_11(model: Model) -> None:
    # Art. 11(3), relative to 2021.
    years = {c.name: c.data_years for share in (model.variable, model.ggz) for c in share.criteria}
    assert years == {
        "age_sex": (0,), "fkg": (1,), "dkg": (2,), "hkg": (1,), "avi": (0,), "region": (0,), "ses": (0, 1),
        "ppa": (0, 1), "mhk": (1, 2, 3), "fdg": (1,), "mvv": (1, 2, 3), "ggz_age_sex": (0,), "ggz_fkg": (1,),
        "ggz_dkg": (1, 2, 3), "ggz_avi": (0,), "ggz_region": (0,), "ggz_ses": (0, 1), "ggz_ppa": (0, 1),
        "ggz_mhk": (1, 2, 3, 4, 5),
    }  # fmt: skip


@pytest.mark.published
def test_exclusions_are_those_of_article_9(model: Model) -> None:
    fkg = model.variable.criterion("fkg")
    keys = {row.code: row.key for row in fkg.classes}
    pairs = [(keys[pair.keep], keys[pair.drop]) for pair in fkg.exclusions]
    assert len(pairs) == len(set(pairs)) == 6 + 1 + 1 + 3 + 3 + 1 + 3 + 4 + 6  # a to i
    assert ("diabetes_1", "diabetes_2_hypertension") in pairs  # a: type I goes before type II
    assert ("autoimmune_addon", "crohn_colitis") in pairs
    assert ("heart", "chronic_anticoagulation") in pairs
    assert ("extreme_cost_4", "extreme_cost_1") in pairs
    ggz = model.ggz.criterion("ggz_fkg")
    assert [(p.keep, p.drop) for p in ggz.exclusions][:5] == [(9, 8), (9, 7), (9, 6), (9, 5), (9, 4)]
    assert len(ggz.exclusions) == 15
    assert [c.name for s in model.shares[:2] for c in s.criteria if c.assignment == "all"] == ["fkg", "hkg", "ggz_fkg"]
    assert model.variable.criterion("dkg").assignment == "count"


@pytest.mark.published
def test_neutrality_rules_are_those_of_articles_11_and_17(model: Model) -> None:
    articles = [rule.article for rule in model.neutrality]
    assert articles == (
        ["11(4)", "11(5)", "11(6)", "11(7)", "11(8)", "11(9)", "11(10)", "11(11)"]
        + ["11(12)"] * 6 + ["11(13)"] * 5 + ["17(3)"] * 5
    )  # fmt: skip
    fkg = model.variable.criterion("fkg")
    assert [fkg.by_code(code).key for code in model.neutrality[0].of][:5] == [
        "autoimmune_addon", "cancer_addon", "growth_disorders_addon", "immunoglobulin_addon",
        "copd_severe_asthma_addon",
    ]  # fmt: skip
    for rule in model.neutrality[8:]:
        avi = getattr(model, rule.share).criterion(rule.criterion)
        rows = [avi.by_code(code) for code in (*rule.reset, *rule.of)]
        assert len({(row.age_min, row.age_max) for row in rows}) == 1
        assert [row.group for row in rows] == ([6, 8, 7, 3] if rows[0].age_min < 45 else [6, 8, 3])


@pytest.mark.published
def test_settlement_of_2021(model: Model) -> None:
    assert (model.flat_ppm_variable, model.flat_ppm_ggz) == (150_000, 150_000)  # Bzv 3.12(3)
    assert (model.own_payments_macro_corrected, model.own_payments_flat_ppm) == (True, 150_000)  # Bzv 3.19(3)
    assert [(h.share, h.top_per_myriad, h.ppm) for h in model.high_cost] == [("ggz", 50, 900_000)]  # art. 16
    assert (model.calculation_premium, model.administration_under_18) == (1_417_00, 41_00)
    assert (model.deductible_amount, model.forfait, model.forfait_from_mhk) == (385_00, 357_26, 2)
    assert model.morbidity_criteria == ("fkg", "dkg", "hkg", "mvv", "fdg")


@pytest.mark.published
def test_special_assignments_are_those_of_article_9(model: Model) -> None:
    assert (model.wlz_lowest_ses, model.wlz_no_mvv_from_age) == (True, 18)  # art. 9(7)
    assert model.lowest_ses_from_ggz_dkg == 15  # art. 9(8): 15 to 18, and 18 is the last class
    assert model.ggz.criterion("ggz_dkg").classes[-1].code == 18
    assert model.adult_age == 18
    assert min(row.age_min for row in model.ggz.criterion("ggz_age_sex").classes) == model.adult_age


@pytest.mark.published
def test_the_deductible_exempts_gp_obstetric_maternity_chain_and_nursing_care(model: Model) -> None:
    from anderhalf.parameters import CATEGORIES

    exempt = [name for name, yes in zip(CATEGORIES, model.deductible_exempt, strict=True) if yes]
    assert exempt == ["gp", "obstetric", "maternity", "chain_care", "nursing"]
    assert model.title_deductible_exempt == (True, False, True)
    excluded = [name for name, yes in zip(CATEGORIES, model.mhk_excluded, strict=True) if yes]
    assert excluded == ["nursing"]
    assert dict(zip(CATEGORIES, model.cluster, strict=True))["ggz"] == "ggz"
    assert model.cluster.count("variable") == 17


def test_the_structural_variant_changes_five_things_and_no_weight() -> None:
    printed, structural = load_model("nl-2021"), load_model("nl-2021-structural")
    assert not structural.official
    assert structural.variable.criterion("dkg").data_years == (1,)
    assert (structural.flat_ppm_variable, structural.flat_ppm_ggz) == (1_000_000, 1_000_000)
    assert (structural.own_payments_macro_corrected, structural.own_payments_flat_ppm) == (False, 0)
    assert structural.neutrality == printed.neutrality
    assert structural.weights.equals(printed.weights)
    assert [(row.path, bool(row.reason)) for row in structural.law.changes] == [
        ("assignment.criterion.dkg.data_years", True),
        ("settlement.flat_step.variable_care.value", True),
        ("settlement.flat_step.mental_care.value", True),
        ("settlement.own_payments.macro_corrected.value", True),
        ("settlement.own_payments.flat_step.value", True),
    ]
