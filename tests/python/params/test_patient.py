"""One insured person: the worked examples, and what is refused."""

from __future__ import annotations

import io
import json
import random
import re

import pytest

from anderhalf.errors import DomainError
from anderhalf.model import load_model
from anderhalf.patient import Amounts, Codes, explain, patient

MODELS = ["nl-2021", "nl-2021-structural"]


def change(
    before: dict[str, Codes], after: dict[str, Codes], age: int = 42, sex: str = "m", model: str = "nl-2021"
) -> Amounts:
    difference = explain(model, sex, age, before, after).difference
    assert difference is not None
    return difference


# Specification, section 12: official 2021 weights, one person, ex ante, before neutrality.


@pytest.mark.published
@pytest.mark.parametrize("model", MODELS)
def test_leaving_mhk_1_without_another_flag_costs_672_92(model: str) -> None:
    result = change({"mhk": 1}, {"mhk": 0}, model=model)
    assert (result.variable_cents, result.contribution_cents) == (-765_02, -672_92)
    assert result.own_payment_cents == -92_10


@pytest.mark.published
def test_leaving_mhk_1_costs_765_02_for_a_child_or_with_another_flag() -> None:
    assert change({"mhk": 1}, {"mhk": 0}, age=10).contribution_cents == -765_02
    for flag in ("fkg", "dkg", "hkg", "fdg", "mvv"):
        result = change({"mhk": 1, flag: 1}, {"mhk": 0})
        assert (result.variable_cents, result.own_payment_cents, result.contribution_cents) == (-765_02, 0, -765_02)


@pytest.mark.published
def test_losing_the_only_dkg_1_costs_465_35_or_with_mhk_1_557_45() -> None:
    alone = change({"dkg": 1}, {"dkg": 0})
    assert (alone.variable_cents, alone.contribution_cents) == (-715_16, -465_35)
    with_mhk = change({"dkg": 1, "mhk": 1}, {"dkg": 0})
    assert (with_mhk.variable_cents, with_mhk.contribution_cents) == (-715_16, -557_45)


@pytest.mark.published
def test_losing_one_dkg_1_of_several_costs_334_63() -> None:
    assert change({"dkg": [1, 1]}, {"dkg": 1}).contribution_cents == -334_63
    assert change({"dkg": [1, 5]}, {"dkg": 5}).contribution_cents == -334_63


@pytest.mark.published
def test_losing_the_only_dkg_3_costs_1531_53_of_the_variable_share() -> None:
    assert change({"dkg": 3}, {"dkg": 0}).variable_cents == -1_531_53


@pytest.mark.published
def test_a_man_of_40_to_44_without_morbidity() -> None:
    result = explain("nl-2021", sex="m", age=40).before
    assert (result.variable_cents, result.own_payment_cents) == (478_50, 107_45)
    assert (result.ggz_cents, result.premium_cents) == (45_17, 1_417_00)
    assert result.contribution_cents == -1_000_78  # the fact base adds about 16 of fixed care: about -984


# Fact base, section 5.


@pytest.mark.published
def test_a_woman_of_60_to_64_without_morbidity() -> None:
    result = explain("nl-2021", sex="f", age=64)
    assert (result.variable_eur, result.expected_own_payment_eur) == (977.75, 176.58)


@pytest.mark.published
def test_three_years_of_mhk_1_cost_2018_76() -> None:
    assert 3 * change({"mhk": 1}, {"mhk": 0}).contribution_cents == -2_018_76


@pytest.mark.published
@pytest.mark.parametrize(
    ("code", "only", "one_of_several"),
    [(1, 715_16, 334_63), (2, 1_239_68, 859_15), (3, 1_531_53, 1_151_00), (4, 2_137_89, 1_757_36),
     (5, 2_631_80, 2_251_27), (6, 3_152_90, 2_772_37)],
)  # fmt: skip
def test_losing_a_dkg(code: int, only: int, one_of_several: int) -> None:
    alone = change({"dkg": code}, {"dkg": 0})
    assert alone.variable_cents == -only
    assert alone.contribution_cents == -only + 249_81  # 357.26 - 107.45
    assert change({"dkg": code, "mhk": 1}, {"dkg": 0}).contribution_cents == -only + 157_71
    assert change({"dkg": [code, 9]}, {"dkg": 9}).contribution_cents == -one_of_several


@pytest.mark.published
def test_mhk_2_brings_the_forfait_and_mhk_1_does_not() -> None:
    assert explain("nl-2021", "m", 42, {"mhk": 2}).expected_own_payment_eur == 357.26
    assert explain("nl-2021", "m", 42, {"mhk": 1}).expected_own_payment_eur == 199.55
    assert explain("nl-2021", "m", 17, {"mhk": 2}).expected_own_payment_eur == 0


# What else must hold.


def test_a_child_has_no_premium_no_ggz_share_and_the_administration_amount() -> None:
    child = explain("nl-2021", "f", 17).before
    assert (child.ggz_cents, child.premium_cents, child.own_payment_cents) == (0, 0, 0)
    assert child.administration_cents == 41_00
    assert child.contribution_cents == child.variable_cents + 41_00
    adult = explain("nl-2021", "f", 18).before
    assert (adult.administration_cents, adult.premium_cents) == (0, 1_417_00)


@pytest.mark.invariant
def test_classes_sum_to_the_shares_and_differences_to_the_change() -> None:
    rng = random.Random(1)
    compared = 0
    for _ in range(300):
        age, sex = rng.randint(1, 100), rng.choice("mf")
        sets = []
        for _ in range(2):
            given: dict[str, Codes] = {
                "fkg": rng.sample(range(1, 39), rng.randint(1, 3)),
                "dkg": [rng.randint(1, 26) for _ in range(rng.randint(1, 4))],
                "mhk": rng.randint(0, 8),
                "hkg": rng.randint(0, 14),
                "region": rng.randint(1, 10),
                "ses": rng.choice(["very_low", "low", "middle", "high"]),
            }
            sets.append({name: given[name] for name in rng.sample(sorted(given), rng.randint(0, 6))})
        result = explain("nl-2021", sex, age, sets[0], sets[1])
        assert result.after is not None
        assert result.difference is not None
        for amounts in (result.before, result.after, result.difference):
            by_share = {"variable": 0, "ggz": 0}
            for row in amounts.classes:
                by_share[row.share] += row.cents
            assert by_share == {"variable": amounts.variable_cents, "ggz": amounts.ggz_cents}
            assert sum(row.cents for row in amounts.own_payment_classes) == amounts.own_payment_cents
        moved = result.after.contribution_cents - result.before.contribution_cents
        assert result.difference.contribution_cents == moved
        compared += 1
    assert compared == 300


def test_excluded_fkgs_are_left_out_and_said() -> None:
    result = explain("nl-2021", "m", 42, {"fkg": ["diabetes_2", "diabetes_1_hypertension", 1]})
    assert [row.code for row in result.classes if row.criterion == "fkg"] == [1, 15]
    assert result.notes == (
        "fkg class 12 (Diabetes type II zonder hypertensie) is not assigned beside class 15 "
        "(Diabetes type I met hypertensie).",
    )


def test_region_and_ses_count_only_when_given_and_in_all_shares() -> None:
    plain, placed = explain("nl-2021", "m", 42), explain("nl-2021", "m", 42, {"region": 1, "ses": 2})
    assert "region, ses, ggz_region: not given" in plain.left_out[0]
    assert placed.before.variable_cents - plain.before.variable_cents == 71_68 - 1_92
    assert placed.before.own_payment_cents - plain.before.own_payment_cents == 6_55
    assert placed.before.ggz_cents - plain.before.ggz_cents == 11_98
    assert "ggz_region: not given" in placed.left_out[0]


def test_income_follows_in_the_ggz_share_and_in_the_deductible_model() -> None:
    plain, student = explain("nl-2021", "f", 20), explain("nl-2021", "f", 20, {"avi": "student"})
    assert student.before.variable_cents - plain.before.variable_cents == -172_82 - 15_33
    assert student.before.ggz_cents - plain.before.ggz_cents == -54_19 + 1_85
    assert student.before.own_payment_cents - plain.before.own_payment_cents == -7_33 - 59


def test_everything_that_is_wrong_comes_in_one_error() -> None:
    wrong: dict[str, Codes] = {"mkh": 1, "mhk": 9, "avi": 1, "fkg": "copd", "dkg": [0, 1], "hkg": [1, 1], "fdg": [1, 2]}
    with pytest.raises(DomainError) as caught:
        explain("nl-2021", "m", 42, wrong, {"mhk": -1})
    text = str(caught.value)
    assert len(caught.value.problems) == 8, text
    for part in (
        "mkh: unknown criterion, expected one of mhk",
        "mhk: unknown class '9', expected 0..8",
        "mhk: unknown class '-1', expected 0..8",
        "avi: class 1 (Duurzaam en volledig arbeidsongeschikten (IVA), 0–17 jaar) is not for this age and sex",
        "fkg: unknown class 'copd', expected one of copd_severe_asthma",
        "dkg: none together with another class, got 0, 1",
        "hkg: a class counts once, got 1, 1",
        "fdg: one class per person, expected the highest one (art. 9(1)), got 1, 2",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("sex", "age", "classes", "said"),
    [
        ("x", 42, {}, "sex: unknown, expected m or f, got x"),
        ("m", -1, {}, "age: not an age, expected a whole number in 0..130, got -1"),
        ("m", 131, {}, "age: not an age"),
        ("m", 42.5, {}, "age: not an age"),
        ("m", True, {}, "age: not an age"),
        ("m", 0, {}, "age_sex: age 0 has 2 classes, expected age_sex=1"),
        ("m", 10, {"ggz_fkg": 1}, "ggz_fkg: holds from age 18"),
        ("m", 42, {"ggz_avi": 1}, "ggz_avi: follows from avi"),
        ("m", 42, {"mvv": 9}, "mvv: class 9"),
        ("m", 42, {"age_sex": 22}, "age_sex: class 22"),
        ("m", 42, {"mhk": []}, "mhk: no class given"),
        ("f", 80, {"ppa": "wlz_permanent", "mvv": 3}, "art. 9(7)"),
        ("f", 80, {"ppa": "wlz_entering", "ses": "high"}, "art. 9(7)"),
        ("f", 40, {"ggz_dkg": 15, "ses": "high"}, "art. 9(8)"),
    ],
)
def test_wrong_persons_are_refused(sex: str, age: int, classes: dict[str, Codes], said: str) -> None:
    with pytest.raises(DomainError) as caught:
        explain("nl-2021", sex, age, classes)
    assert said in str(caught.value)


def test_age_0_needs_its_year_of_birth() -> None:
    assert explain("nl-2021", "f", 0, {"age_sex": 22}).before.classes[0].cents == 8_991_01
    assert explain("nl-2021", "f", 0, {"age_sex": "woman_0_born_year_before"}).before.classes[0].cents == 2_690_76


def run(*classes: str, to: list[str] | None = None, json: bool = False, age: int = 42) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    status = patient("nl-2021", "m", age, classes, to, json, out, err)
    return status, out.getvalue(), err.getvalue()


def test_the_command_prints_one_json_object_with_the_documented_keys() -> None:
    status, out, err = run("dkg=1", "dkg=1", "fkg=12", json=True)
    result = json.loads(out)
    assert (status, err) == (0, "")
    for key in ("variable_eur", "ggz_eur", "expected_own_payment_eur", "contribution_eur", "classes", "model",
                "parameters_sha256", "anderhalf_version", "data_sha256", "seed"):  # fmt: skip
        assert key in result
    assert set(result["classes"][0]) >= {"criterion", "code", "label", "weight_eur", "source"}
    assert [row["weight_eur"] for row in result["classes"] if row["criterion"] == "dkg"] == [334.63, 334.63]
    assert sum(round(100 * row["weight_eur"]) for row in result["classes"]) == round(
        100 * (result["variable_eur"] + result["ggz_eur"])
    )


def test_the_command_with_to_gives_before_after_difference() -> None:
    result = json.loads(run("mhk=1", to=["mhk=0"], json=True)[1])
    assert result["difference"]["contribution_eur"] == -672.92
    assert result["before"]["contribution_eur"] == -327.86
    assert result["after"]["contribution_eur"] == -1000.78
    assert [row["weight_eur"] for row in result["difference"]["classes"]] == [-166.47, -598.55]


def test_the_table_closes_and_says_what_it_means() -> None:
    status, out, _ = run("mhk=1", to=["mhk=0"])
    assert status == 0
    assert "the insurer receives EUR 672.92 less for this man of 42 each year" in out
    assert "annex 1, table 1.9" in out
    lines = run()[1].splitlines()
    rows = [line for line in lines if line.startswith("  ") and "annex" in line]
    totals = [line for line in lines if line.startswith(("variable share", "GGZ share", "expected own payment"))]
    texts = [re.findall(r" (-?[\d,]+\.\d\d)", line.split("annex")[0]) for line in rows + totals]
    amounts = [[float(text.replace(",", "")) for text in found] for found in texts]
    assert all(len(found) == 1 for found in amounts)
    assert (len(rows), len(totals)) == (9 + 6 + 3, 3)
    listed, total = amounts[: len(rows)], amounts[len(rows) :]
    assert round(100 * sum(map(sum, listed))) == round(100 * sum(map(sum, total))) == 478_50 + 45_17 + 107_45


def test_refused_input_ends_with_status_1_and_the_reason_on_stderr() -> None:
    assert run("mhk") == (1, "", "patient: --class: not a criterion and a class, expected such as mhk=1, got mhk\n")
    status, out, err = run("mhk=99", json=True)
    assert (status, out) == (1, "")
    assert "unknown class '99'" in err


def test_the_model_may_be_an_object() -> None:
    assert explain(load_model("nl-2021"), "m", 42).contribution_eur == -1000.78
    frame = explain(load_model("nl-2021"), "m", 42).to_frame()
    assert list(frame.columns) == ["share", "criterion", "code", "label", "weight_eur", "source"]
