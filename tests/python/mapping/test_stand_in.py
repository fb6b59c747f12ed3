"""The stand-in mapping of each law year: every class translated by its rule, what nobody reaches said."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from anderhalf import mapping as module
from anderhalf._paths import data_directory
from anderhalf.errors import DomainError, NotFoundError, ParameterError
from anderhalf.mapping import (
    CRITERIA,
    diagnosis_code,
    diagnosis_number,
    drug_code,
    drug_number,
    load_mapping,
    read_mapping,
    stand_in_years,
)
from anderhalf.model import load_model

FOLDER = data_directory("params") / "population"
OLDER = (2015, 2019, 2020)


def document(year: int) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"mapping_{year}.toml").read_text(encoding="utf-8"))


def steps(year: int, criterion: str) -> dict[str, int]:
    """Weight above the class none, micro-euro, by key."""
    model = load_model(f"nl-{year}")
    share = model.ggz if criterion.startswith("ggz_") else model.variable
    classes = share.criterion(criterion).classes
    return {c.key: c.weight - classes[0].weight for c in classes[1:]}


def test_the_years_with_a_stand_in_are_known_and_another_is_refused() -> None:
    assert stand_in_years() == [2015, 2019, 2020, 2021]
    with pytest.raises(NotFoundError, match="no stand-in for '2014'"):
        load_mapping(2014)
    assert load_mapping("nl-2021-structural") == load_mapping(2021) == load_mapping(load_model("nl-2021"))


def test_the_stand_in_of_2021_reaches_every_class() -> None:
    core = load_mapping("nl-2021", light_product_percent=40).core()
    assert core.light_product_percent == 40
    assert load_mapping().core().light_product_percent == 15
    assert {d.fkg for d in core.drugs} - {0} == set(range(1, 39))
    assert {d.dkg for d in core.diagnoses} == set(range(1, 27))
    assert {d.hkg for d in core.devices} == set(range(1, 15))
    assert {p.fdg for p in core.physiotherapy} == {1, 2, 3, 4}
    assert {m.ggz_dkg for m in core.mental_care} == set(range(1, 19))
    assert {d.ggz_fkg for d in core.drugs} - {0} == set(range(1, 10))
    assert load_mapping("nl-2021").unreached().empty


@pytest.mark.parametrize("year", OLDER)
def test_a_class_of_like_weight_is_the_nearest_one(year: int) -> None:
    """[oracle] The table in the file against the weights of the law; the first of equally near ones."""
    compared = 0
    for table in document(year)["criterion"]:
        if table["rule"] != "nearest_weight":
            continue
        targets = [c for c in ("dkg", "dkg_primary", "dkg_secondary", "ggz_dkg") if c.startswith(table["from"])]
        model = load_model(f"nl-{year}")
        known = {c.name for share in (model.variable, model.ggz) for c in share.criteria}
        candidates: dict[str, int] = {}
        for criterion in targets:
            if criterion in known:
                candidates |= steps(year, criterion)
        for key, step in steps(table["compared_with"], table["from"]).items():
            if key in table.get("without", ()):
                continue
            nearest = min(candidates, key=lambda c: abs(candidates[c] - step))
            assert table["classes"][key] == nearest, f"{key}: {step} is nearest to {nearest}"
            compared += 1
    assert compared == {2015: 26 + 17, 2019: 26, 2020: 26}[year]


@pytest.mark.parametrize("year", OLDER)
def test_a_class_of_the_same_condition_keeps_its_key_or_says_which(year: int) -> None:
    tables = {t["from"]: t for t in document(year)["criterion"]}
    assert set(tables) == {"fkg", "ggz_fkg", "dkg", "hkg", "fdg", "ggz_dkg"}
    assert all(t["status"] == "assumption" and t["reason"] for t in tables.values())
    model = load_model(f"nl-{year}")
    old = {row["drug"]: row for row in load_mapping(2021).drugs}
    fkg = {c.code: c.key for c in load_model("nl-2021").variable.criterion("fkg").classes}
    now = {c.code: c.key for c in model.variable.criterion("fkg").classes}
    changed = {row["drug"] for row in document(year).get("drug", ()) if "fkg" in row}
    for row in load_mapping(year).drugs:
        if row["drug"] not in changed and "fkg" in row:
            before = fkg[old[row["drug"]]["fkg"]]
            assert now[row["fkg"]] == tables["fkg"].get("classes", {}).get(before, before)


@pytest.mark.parametrize("year", OLDER)
def test_classes_that_nobody_reaches_are_listed_with_the_reason(year: int) -> None:
    missing = load_mapping(year).unreached()
    assert missing.reason.str.len().gt(0).all()
    assert (
        missing.key.tolist()
        == {
            2015: ["dkg_1", "dkg_2", "dkg_12"],
            2019: [f"dkg_primary_{k}" for k in (2, 9, 10, 12)] + ["dkg_secondary_2", "dkg_secondary_7"],
            2020: [f"dkg_primary_{k}" for k in (3, 9, 13)] + [f"dkg_secondary_{k}" for k in (2, 4, 7)],
        }[year]
    )
    reached = load_mapping(year).frame()
    model = load_model(f"nl-{year}")
    for share in (model.variable, model.ggz):
        for criterion in share.criteria:
            if criterion.name in CRITERIA:
                codes = set(reached.code[reached.criterion == criterion.name])
                codes |= set(missing.code[missing.criterion == criterion.name])
                assert codes == {c.code for c in criterion.classes} - {0}, criterion.name


def test_a_dx_group_of_2019_is_in_one_of_the_two_sets() -> None:
    for year in (2019, 2020):
        rows = load_mapping(year).core().diagnoses
        assert len(rows) == 90
        assert all((d.dkg_primary > 0) + (d.dkg_secondary > 0) == 1 and d.dkg == 0 for d in rows)
        assert [d.light for d in rows] == [d.light for d in load_mapping(2021).core().diagnoses]


def test_2015_has_its_own_drugs_and_thresholds() -> None:
    drugs = {d.drug: d for d in load_mapping(2015).core().drugs}
    assert (drugs[2002].fkg, drugs[2005].fkg) == (6, 3)  # high cholesterol; psychosis, Alzheimer and addiction
    assert (drugs[1006].ggz_min_prescriptions, drugs[1006].ggz_fkg, drugs[1006].min_prescriptions) == (1, 2, 0)
    assert (drugs[1011].ggz_fkg, drugs[1011].ggz_indicated) == (5, 6)
    assert (drugs[1039].fkg, drugs[1039].min_prescriptions) == (21, 3)
    assert 1026 not in drugs  # psoriasis had no class
    assert load_mapping(2015).core().nursing_region == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert load_mapping(2015).physiotherapy == ()


@pytest.mark.parametrize("year", [*OLDER, 2021])
def test_a_mapping_is_written_and_read_back(year: int, tmp_path: Path) -> None:
    mapping = load_mapping(year)
    path = mapping.write(tmp_path / "mapping.toml")
    assert read_mapping(path) == mapping == load_mapping(year, path)
    with pytest.raises(ParameterError, match="cannot be written"):
        mapping.write(path)
    with pytest.raises(ParameterError, match="a mapping of another year"):
        load_mapping(2020 if year != 2020 else 2019, path)


def test_everything_wrong_in_the_file_of_a_year_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER, tmp_path / "population")
    path = tmp_path / "population" / "mapping_2020.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in [
        ('extreme_cost_4 = "extreme_cost_3"', 'extreme_cost_9 = "extreme_cost_3"'),
        ('dkg_2  = "dkg_secondary_1"', 'dkg_2  = "dkg_secondary_8"'),
        ('dkg_3  = "dkg_primary_2"', 'dkg_3  = "asthma"'),
        ('from = "fdg"', 'from = "fdg"\nclasses = { fdg_1 = "dkg_primary_1" }'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "data_directory", lambda _: tmp_path)
    with pytest.raises(ParameterError) as caught:
        module._stand_in.__wrapped__(2020)
    assert [(p.where, p.what, p.got) for p in caught.value.problems] == [
        ("mapping_2020.toml criterion.fkg", "'extreme_cost_9' is no class of nl-2021", ""),
        ("mapping_2020.toml criterion.fkg", "'extreme_cost_4' has no class", "extreme_cost_4"),
        ("mapping_2020.toml criterion.dkg", "'dkg_2' has no class", "dkg_secondary_8"),
        ("mapping_2020.toml criterion.dkg", "'dkg_3' has no class", "asthma"),
        ("mapping_2020.toml criterion.fdg", "'fdg_1' has no class", "dkg_primary_1"),
    ]


def test_a_class_without_care_and_without_a_reason_is_refused(tmp_path: Path) -> None:
    text = load_mapping(2021).to_toml()
    line = next(row for row in text.splitlines() if "device = 3013" in row)
    path = tmp_path / "mapping.toml"
    path.write_text(text.replace(line, line.replace("hkg = 13", "hkg = 15")), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_mapping(path)
    assert [str(p) for p in caught.value.problems] == [
        "mapping.toml devices 3013: no such hkg, expected 0..14, got 15",
        "mapping.toml unreached: nobody is in leg_prostheses of hkg, expected a reason under [[unreached]]",
    ]
    reason = '[[unreached]]\ncriterion = "hkg"\nclasses = ["stoma"]\nreason = "none"\n'
    path.write_text(text + reason, encoding="utf-8")
    with pytest.raises(ParameterError, match="stoma of hkg is reached, or no class"):
        read_mapping(path)
    path.write_text(text.replace(line, f"{line}\n{line}").replace("light_product_percent = 15", "rest = 1"))
    with pytest.raises(ParameterError) as caught:
        read_mapping(path)
    assert [p.what for p in caught.value.problems] == ["missing key", "unknown key"]
    path.write_text(text.replace(line, f"{line}\n{line}"), encoding="utf-8")
    with pytest.raises(ParameterError, match="devices 3013: twice"):
        read_mapping(path)


def test_every_drug_of_the_stand_in_is_generated() -> None:
    from anderhalf import population

    parameters = population.load_parameters()
    produced = {line.product for c in parameters.conditions for line in c.care if line.category.name == "drugs"}
    produced |= {g.line.product for g in parameters.general if g.line.category.name == "drugs"}
    for year in stand_in_years():
        assert {d.drug for d in load_mapping(year).core().drugs} <= produced


# --- codes as numbers


@pytest.mark.parametrize(
    ("code", "naming", "number"),
    [
        ("A00AA00", "atc", 1_000_000_000),
        ("L04AB02", "atc", 1_000_000_000 + (((11 * 100 + 4) * 26 + 0) * 26 + 1) * 100 + 2),
        ("Z99ZZ99", "atc", 1_175_759_999),
        ("Z99ZZ99", "atc_addon", 1_675_759_999),
        ("12345678", "zi", 2_012_345_678),
        (54321, "prk", 3_000_054_321),
        (1001, "group", 1001),
    ],
)
def test_a_drug_code_is_a_number_and_back(code: str | int, naming: Any, number: int) -> None:
    assert drug_number(code, naming) == number
    assert drug_code(drug_number(code, naming)) == (naming, str(code))
    assert drug_number(code, naming) < 2**32


def test_a_code_that_is_none_is_refused() -> None:
    for code, naming in [("L04AB", "atc"), ("L04AB021", "atc"), ("004AB02", "atc"), ("1e3", "zi"), (10**8, "prk")]:
        with pytest.raises(DomainError, match=r"no (ATC code|zi number|prk number)"):
            drug_number(code, naming)  # type: ignore[arg-type]
    for number in (999_999_999, 1_175_760_000, 2**32):
        with pytest.raises(DomainError, match="stands for no code"):
            drug_code(number)


def test_a_diagnosis_code_is_a_number_and_back() -> None:
    for code in ("1701", "0051", "0301", "G11", "Z99", "A101"):
        assert diagnosis_code(diagnosis_number(code)) == code
        assert 0 <= diagnosis_number(code) < 2**16
    assert diagnosis_number("301") == diagnosis_number("0301") == 301
    assert diagnosis_number("0G11") == diagnosis_number("g11") == 16_011
    for code in ("17011", "GG1", "", "1-2", "G1234"):
        if code:
            with pytest.raises(DomainError, match="no diagnosis code"):
                diagnosis_number(code)
    with pytest.raises(DomainError, match="stands for no code"):
        diagnosis_code(36_000)


def test_a_structure_of_a_later_year_takes_the_stand_in_of_2021_without_the_criteria_it_lacks() -> None:
    assert load_mapping("nl-2022-structural") == load_mapping(2021)
    mapping = load_mapping("nl-2025-structural")  # HKG is removed in 2025
    assert mapping.devices == ()
    assert mapping.omitted == ("hkg",)
    assert mapping.drugs == load_mapping(2021).drugs
    assert mapping.unreached().empty


def test_a_model_with_other_classes_is_refused() -> None:
    from dataclasses import replace

    model = load_model("nl-2021")
    criteria = [replace(c, classes=c.classes[:-1]) if c.name == "dkg" else c for c in model.variable.criteria]
    other = replace(model, name="mine", variable=replace(model.variable, criteria=tuple(criteria)))
    with pytest.raises(ParameterError, match="other classes of dkg than nl-2021"):
        load_mapping(other)
