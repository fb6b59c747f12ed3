"""The figures and rules of 2015, 2019 and 2020 against their sources, and against each other."""

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
from anderhalf.errors import ParameterError
from anderhalf.model import MICRO_PER_EURO, Model, Share, load_model, model_of, models
from anderhalf.parameters import CATEGORIES, Reform, read_law
from anderhalf.patient import explain

LAW = os.environ.get("ANDERHALF_LAW", "")
needs_law = pytest.mark.skipif(not LAW, reason="set ANDERHALF_LAW to the folder with the second readings and texts")
YEARS = (2015, 2019, 2020)
Reading = dict[str, list[Decimal]]


def neighbour(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reading(tables: dict[str, str]) -> Reading:
    return {name: list(map(Decimal, text.split())) for name, text in tables.items()}


def beside(tables: dict[str, str], width: int, column: int) -> Reading:
    """One of the annexes that stand beside each other."""
    found = reading(tables)
    assert all(len(values) % width == 0 for values in found.values())
    return {name: values[column::width] for name, values in found.items()}


def disagreements(share: Share, second: Reading) -> tuple[int, list[str]]:
    """Number of weights compared, and those that differ."""
    assert [criterion.name for criterion in share.criteria] == list(second)
    compared, wrong = 0, []
    for criterion in share.criteria:
        assert len(criterion.classes) == len(second[criterion.name]), criterion.name
        for row, expected in zip(criterion.classes, second[criterion.name], strict=True):
            compared += 1
            if row.weight != expected * MICRO_PER_EURO:
                wrong.append(f"{criterion.name} {row.code}: {row.weight} against {expected}")
    return compared, wrong


def same(share: Share, second: Reading, count: int, what: str) -> None:
    compared, wrong = disagreements(share, second)
    print(f"{what}: {compared - len(wrong)} of {compared} equal the second reading")
    assert wrong == []
    assert compared == count


def of_csv(year: int) -> Reading:
    """Annex 1 as in weights-<year>-variable-second-reading.csv, brought into the order of the print."""
    rows: dict[str, list[tuple[str, Decimal]]] = {}
    path = Path(LAW) / f"weights-{year}-variable-second-reading.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["criterion"], []).append((row["label"], Decimal(row["weight_eur"])))
    ordered = {name: [weight for _, weight in pairs] for name, pairs in rows.items()}
    ordered["age_sex"] = [w for sex in "MF" for label, w in rows["age_sex"] if label.startswith(f"{sex} ")]
    for name in ("avi", "ppa"):  # the band without a weight stands last there, first in print
        ordered[name] = ordered[name][-1:] + ordered[name][:-1]
    return ordered


@needs_law
@pytest.mark.oracle
def test_210_of_210_weights_of_annex_1_of_2020_equal_the_second_reading() -> None:
    share, second = load_model("nl-2020").variable, of_csv(2020)
    same(share, {c.name: second.pop(c.name) for c in share.criteria}, 210, "2020 annex 1")
    assert second == {}


@needs_law
@pytest.mark.oracle
def test_198_of_198_weights_of_annex_1_of_2019_equal_the_second_reading() -> None:
    # The print has 199 figures: "0-17 jaar" and "65+ jaar" of table 1.6, both 0.00, are one row of the second reading.
    share, second = load_model("nl-2019").variable, of_csv(2019)
    assert [(row.key, row.weight) for row in share.criterion("avi").classes[:2]] == [
        ("age_0_17", 0),
        ("age_65_plus", 0),
    ]
    assert sum(map(len, second.values())) == 198
    second["avi"].insert(0, Decimal(0))
    same(share, {c.name: second.pop(c.name) for c in share.criteria}, 199, "2019 annex 1")
    assert second == {}


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("share", "tables", "width", "column", "count"),
    [
        ("ggz", "GGZ", 3, 0, 126),
        ("ggz_hcc", "GGZ", 3, 1, 126),
        ("ggz_ex_post", "GGZ", 3, 2, 126),
        ("deductible", "DEDUCTIBLE", 2, 0, 71),
        ("deductible_ex_post", "DEDUCTIBLE", 2, 1, 71),
        ("variable_ex_post", "VARIABLE", 2, 0, 210),
        ("variable", "VARIABLE", 2, 1, 210),
    ],
)
def test_the_annexes_of_2020_equal_the_second_reading(
    share: str, tables: str, width: int, column: int, count: int
) -> None:
    second = beside(getattr(neighbour("second_reading_2020"), tables), width, column)
    same(getattr(load_model("nl-2020"), share), second, count, f"2020 {share}")


@pytest.mark.oracle
def test_annexes_2_and_3_of_2019_equal_the_second_reading() -> None:
    model, text = load_model("nl-2019"), neighbour("second_reading_2019")

    def men_then_women(pairs: str) -> list[Decimal]:
        values = list(map(Decimal, pairs.split()))
        return values[::2] + values[1::2]

    ggz = {"ggz_age_sex": men_then_women(text.GGZ_AGE_SEX), **reading(text.ANNEX_2)}
    own = {"age_sex": men_then_women(text.DEDUCTIBLE_AGE_SEX), **reading(text.ANNEX_3)}
    same(model.ggz, ggz, 120, "2019 annex 2")
    same(model.deductible, own, 66, "2019 annex 3")


@pytest.mark.oracle
def test_the_annexes_of_2015_equal_the_second_reading_but_for_a_lost_minus() -> None:
    model, text = load_model("nl-2015"), neighbour("second_reading_2015")
    same(model.variable, reading(text.ANNEX_1), 138, "2015 annex 1, variable")
    same(model.nursing, reading(text.NURSING), 52, "2015 annex 1, nursing")
    same(model.deductible, reading(text.ANNEX_3), 58, "2015 annex 3")
    compared, wrong = disagreements(model.ggz, reading(text.ANNEX_2))
    print(f"2015 annex 2: {compared - len(wrong)} of {compared} equal the second reading, 1 misprint")
    assert (compared, wrong) == (86, ["ggz_mhk 0: -88490000 against 88.49"])  # decision 0012


@needs_law
@pytest.mark.oracle
def test_the_text_of_2015_read_by_a_program_has_the_334_weights_in_order() -> None:
    text = neighbour("law_text")
    model = load_model("nl-2015")
    compared = 0
    printed: dict[str, list[list[Decimal]]] = {}
    for table, rows in text.tables((Path(LAW) / "regeling-risicoverevening-2015.md").read_text(encoding="utf-8")):
        for row in rows:
            if amounts := [text.number(cell) for cell in row[1:] if cell.endswith(tuple("0123456789")) and "," in cell]:
                printed.setdefault(table, []).append(amounts)
    for share in model.shares:
        for criterion in share.criteria:
            table = criterion.classes[0].source.rsplit(" ", 1)[-1]
            column = 1 if share.name == "nursing" and table in ("1.1", "1.9") else 0
            weights = [Decimal(row.weight) / MICRO_PER_EURO for row in criterion.classes]
            if criterion.name == "ggz_mhk":
                weights[0] = -weights[0]  # decision 0012
            assert weights == [amounts[column] for amounts in printed[table]], (share.name, criterion.name)
            compared += len(weights)
    print(f"2015: {compared} weights equal the text")
    assert compared == 138 + 52 + 86 + 58


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("9735.62", "9735.62"),  # 2020
        ("–313.04", "-313.04"),
        ("– 9.42", "-9.42"),
        ("-34.28", "-34.28"),
        ("9.320.25", "9320.25"),  # 2019
        ("117.200.82", "117200.82"),
        ("– 2.185.89", "-2185.89"),
        ("5.240,34", "5240.34"),  # 2015
        ("–\N{THIN SPACE}1.168,25", "-1168.25"),
        ("–\N{NO-BREAK SPACE}3,01", "-3.01"),
        ("0,00", "0.00"),
    ],
)
def test_every_notation_of_the_prints_is_understood(printed: str, meant: str) -> None:
    text = neighbour("law_text")
    assert text.number(printed) == Decimal(meant)
    assert text.numbers(f"{printed} 1.00") == [Decimal(meant), Decimal("1.00")]


@pytest.mark.parametrize(
    "printed", ["", "12", "1.234", "12.34.56", "1,234.567", "–", "9.32.25", "1.234,567.89", "x1.00"]
)
def test_what_is_no_amount_of_two_decimals_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        neighbour("law_text").number(printed)


# Identities.


@pytest.mark.published
@pytest.mark.parametrize(("year", "total"), [(2015, 41_388_0), (2019, 47_655_0), (2020, 48_546_3)])
def test_the_macro_shares_and_the_revenue_add_up_to_the_macro_amount(year: int, total: int) -> None:
    model = load_model(f"nl-{year}")
    shares = model.macro_variable + model.macro_fixed + model.macro_ggz + model.macro_nursing
    assert shares == model.macro_total == total * 10_000_000
    assert model.revenue_premium + model.revenue_deductible + model.fund_payment == model.macro_total
    assert (model.macro_nursing > 0) == bool(model.nursing.criteria) == (year == 2015)


@pytest.mark.published
@pytest.mark.parametrize(
    ("year", "payers", "own"), [(2015, 13.43e6, 237.65), (2019, 13.88e6, 224.37), (2020, 14.03e6, 227.33)]
)
def test_premium_payers_and_mean_own_payment_follow_from_the_revenue(year: int, payers: float, own: float) -> None:
    model = load_model(f"nl-{year}")
    count = model.revenue_premium / model.calculation_premium
    assert count == pytest.approx(payers, rel=1e-3)
    mean = model.revenue_deductible / count / 100
    assert mean == pytest.approx(own, abs=0.005)
    # Between the cheapest class of the deductible model and the forfait, as a mean must be.
    cheapest = min(row.weight for row in model.deductible.criterion("age_sex").classes) / MICRO_PER_EURO
    assert cheapest < mean < model.forfait / 100 < model.deductible_amount / 100


@pytest.mark.published
def test_the_flanking_policy_of_2015_adds_up() -> None:
    adjustment = load_model("nl-2015").law.macro_budget.adjustment
    assert adjustment is not None
    assert adjustment.nursing_care.value + adjustment.fixed_care.value == adjustment.total.value == -133


@pytest.mark.published
@pytest.mark.parametrize("year", YEARS)
def test_every_criterion_but_age_and_sex_has_weights_of_both_signs(year: int) -> None:
    # Necessary for a weighted sum of zero, and enough to find a lost minus; per age band where the sum is.
    for share in load_model(f"nl-{year}").shares:
        for criterion in share.criteria:
            if criterion.name.removeprefix("ggz_") == "age_sex":
                assert min(row.weight for row in criterion.classes) > 0
                continue
            bands: dict[tuple[int, int], list[int]] = {}
            for row in criterion.classes:
                band = (row.age_min, row.age_max) if criterion.age_bands_zero_sum else (0, 0)
                bands.setdefault(band, []).append(row.weight)
            for band, weights in bands.items():
                assert min(weights) < 0 < max(weights) or set(weights) == {0}, (share.name, criterion.name, band)


@pytest.mark.published
def test_two_class_criteria_imply_a_share_of_insured_between_0_and_1() -> None:
    # w0 (1 - p) + w1 p = 0. Facts 3.9: 16.3% and 61.6% morbid in 2015, 34.15% with MHK 1 among the healthy of 2020.
    def share_of(low: int, high: int) -> float:
        return -low / (high - low)

    gsm = [row.weight for row in load_model("nl-2015").variable.criterion("gsm").classes]
    assert share_of(gsm[0], gsm[2]) == pytest.approx(0.163, abs=5e-4)
    assert share_of(gsm[1], gsm[3]) == pytest.approx(0.616, abs=5e-4)
    one = [row.weight for row in load_model("nl-2015").ggz.criterion("ggz_one_person").classes]
    assert share_of(*one) == pytest.approx(0.1715, abs=5e-4)
    for year, share, expected in ((2019, "deductible", 0.352), (2020, "deductible", 0.3415)):
        mhk = [row.weight for row in getattr(load_model(f"nl-{year}"), share).criterion("mhk").classes]
        assert share_of(*mhk) == pytest.approx(expected, abs=5e-4)
    after = [row.weight for row in load_model("nl-2020").deductible_ex_post.criterion("mhk").classes]
    assert share_of(*after) == pytest.approx(0.3415, abs=5e-4)


@pytest.mark.published
@pytest.mark.parametrize(
    ("grant", "settlement", "largest"),
    [("variable", "variable_ex_post", 0.23), ("deductible", "deductible_ex_post", 0.01), ("ggz", "ggz_ex_post", 0.01)],
)
def test_weights_of_the_settlement_of_2020_stay_near_those_of_the_grant(
    grant: str, settlement: str, largest: float
) -> None:
    # A digit out of place in a large weight would stand out; small ones move by less than EUR 7.65 anyway.
    model = load_model("nl-2020")
    pairs = [
        (one.weight / MICRO_PER_EURO, other.weight / MICRO_PER_EURO, c.name, one.code)
        for c, d in zip(getattr(model, grant).criteria, getattr(model, settlement).criteria, strict=True)
        for one, other in zip(c.classes, d.classes, strict=True)
    ]
    assert len(pairs) == sum(len(c.classes) for c in getattr(model, grant).criteria)
    for one, other, name, code in pairs:
        assert abs(other - one) < 7.66 or abs(other / one - 1) < largest, (name, code, one, other)


# Structure and rules.


@pytest.mark.published
@pytest.mark.parametrize(
    ("year", "share", "counts"),
    [
        (2020, "variable", {"age_sex": 42, "fkg": 38, "dkg_primary": 16, "dkg_secondary": 8, "hkg": 11, "avi": 36,
                            "region": 10, "ses": 12, "ppa": 13, "mhk": 9, "fdg": 5, "mvv": 10}),
        (2020, "ggz", {"ggz_age_sex": 30, "ggz_fkg": 10, "ggz_dkg": 19, "ggz_avi": 29, "ggz_region": 10, "ggz_ses": 8,
                       "ggz_ppa": 12, "ggz_mhk": 8}),
        (2020, "deductible", {"age_sex": 30, "avi": 29, "region": 10, "mhk": 2}),
        (2019, "variable", {"age_sex": 42, "fkg": 38, "dkg_primary": 16, "dkg_secondary": 8, "hkg": 11, "avi": 25,
                            "region": 10, "ses": 12, "ppa": 13, "mhk": 9, "fdg": 5, "mvv": 10}),
        (2019, "ggz", {"ggz_age_sex": 30, "ggz_fkg": 10, "ggz_dkg": 18, "ggz_avi": 24, "ggz_region": 10, "ggz_ses": 8,
                       "ggz_ppa": 12, "ggz_mhk": 8}),
        (2019, "deductible", {"age_sex": 30, "avi": 24, "region": 10, "mhk": 2}),
        (2015, "variable", {"age_sex": 40, "fkg": 25, "dkg": 16, "hkg": 5, "avi": 19, "region": 10, "ses": 12,
                            "mhk": 7, "gsm": 4}),
        (2015, "nursing", {"age_sex": 40, "nursing_region": 5, "mhk": 7}),
        (2015, "ggz", {"ggz_age_sex": 30, "ggz_fkg": 8, "ggz_dkg": 6, "ggz_avi": 18, "ggz_region": 10, "ggz_ses": 8,
                       "ggz_one_person": 2, "ggz_mhk": 4}),
        (2015, "deductible", {"age_sex": 30, "avi": 18, "region": 10}),
    ],
)  # fmt: skip
def test_tables_have_the_printed_number_of_rows_in_the_printed_order(
    year: int, share: str, counts: dict[str, int]
) -> None:
    found = {c.name: len(c.classes) for c in getattr(load_model(f"nl-{year}"), share).criteria}
    assert list(found.items()) == list(counts.items())


@pytest.mark.published
def test_labels_are_those_of_the_print() -> None:
    def label(year: int, share: str, criterion: str, code: int) -> str:
        return str(getattr(load_model(f"nl-{year}"), share).criterion(criterion).by_code(code).label)

    assert label(2020, "variable", "age_sex", 22).startswith("Vrouwen en onbepaald geslacht, 0 jaar")
    assert label(2019, "variable", "age_sex", 22) == "Vrouwen, 0 jaar, geboren in het vereveningsjaar"
    assert label(2020, "variable", "dkg_secondary", 0) == "Geen secundaire DKG"
    assert label(2020, "deductible", "avi", 0) == "70+"
    assert label(2020, "ggz", "ggz_dkg", 1) == "1 (gebruik basis GGZ in het voorgaande jaar)"
    assert label(2019, "ggz", "ggz_dkg", 1) == "1"
    assert label(2015, "variable", "fkg", 5) == "Neuropathische pijn"
    assert label(2015, "variable", "ses", 1) == "SES 0 (> 15 bewoners), 0–17 jaar"
    assert label(2015, "deductible", "age_sex", 7) == "Mannen, 5054 jaar"  # a misprint, read as 50-54


@pytest.mark.published
@pytest.mark.parametrize("year", YEARS)
def test_every_person_fits_exactly_one_class_of_the_demographic_criteria(year: int) -> None:
    model = load_model(f"nl-{year}")
    for age in range(131):
        for sex in (1, 2):
            rows = model.variable.criterion("age_sex").classes
            fitting = [r for r in rows if r.sex == sex and r.age_min <= age <= r.age_max]
            newborn = [0] if year == 2015 else [1, 2]  # 2015 has one class of age 0
            assert sorted(r.born for r in fitting) == (newborn if age == 0 else [0]), (age, sex)
        for share in model.shares:
            if share.name != "nursing" and not share.name.startswith("variable") and age < model.adult_age:
                continue
            for criterion in share.criteria:
                base = criterion.name.removeprefix("ggz_")
                if base in ("avi", "ses", "ppa", "gsm"):
                    groups = [r.group for r in criterion.classes if r.age_min <= age <= r.age_max]
                    assert len(groups) == len(set(groups)) > 0, (share.name, criterion.name, age)


@pytest.mark.published
def test_data_years_are_those_of_article_11() -> None:
    # Art. 11(3) of each regulation, relative to the equalization year.
    recent = {
        "age_sex": (0,), "fkg": (1,), "dkg_primary": (1, 2), "dkg_secondary": (1, 2), "hkg": (1,), "avi": (0,),
        "region": (0,), "ses": (0, 1), "ppa": (0, 1), "mhk": (1, 2, 3), "fdg": (1,), "mvv": (1, 2, 3),
        "ggz_age_sex": (0,), "ggz_fkg": (1,), "ggz_dkg": (1, 2, 3), "ggz_avi": (0,), "ggz_region": (0,),
        "ggz_ses": (0, 1), "ggz_ppa": (0, 1), "ggz_mhk": (1, 2, 3, 4, 5),
    }  # fmt: skip
    old = {
        "age_sex": (0,), "fkg": (1,), "dkg": (1,), "hkg": (1,), "avi": (0,), "region": (0,), "ses": (0,),
        "mhk": (1, 2, 3), "gsm": (0,), "nursing_region": (0,), "ggz_age_sex": (0,), "ggz_fkg": (1,), "ggz_dkg": (1, 2),
        "ggz_avi": (0,), "ggz_region": (0,), "ggz_ses": (0,), "ggz_one_person": (0,), "ggz_mhk": (1, 2, 3),
    }  # fmt: skip
    for year, expected in ((2020, recent), (2019, recent), (2015, old)):
        model = load_model(f"nl-{year}")
        shares = (model.variable, model.ggz, model.nursing)
        assert {c.name: c.data_years for share in shares for c in share.criteria} == expected, year
        several = [c.name for s in shares for c in s.criteria if c.assignment != "single"]
        assert several == ["fkg", "ggz_fkg"]  # DKG and HKG: one class, the highest


def pairs(model: Model, criterion: str) -> list[tuple[str, str]]:
    table = (model.ggz if criterion.startswith("ggz_") else model.variable).criterion(criterion)
    return [(table.by_code(pair.keep).key, table.by_code(pair.drop).key) for pair in table.exclusions]


@pytest.mark.published
def test_exclusions_are_those_of_the_year() -> None:
    for year in (2019, 2020):  # art. 9(2)a to h: those of 2021 without the clusters of extreme cost
        found = pairs(load_model(f"nl-{year}"), "fkg")
        assert found == [pair for pair in pairs(load_model("nl-2021"), "fkg") if "extreme" not in pair[0]]
        assert len(found) == 6 + 1 + 1 + 3 + 3 + 1 + 3 + 4
        assert pairs(load_model(f"nl-{year}"), "ggz_fkg") == pairs(load_model("nl-2021"), "ggz_fkg")
    assert pairs(load_model("nl-2015"), "fkg") == [  # Beleidsregels 4(19)a to g
        ("diabetes_1", "diabetes_2_hypertension"),
        ("diabetes_1", "diabetes_2"),
        ("diabetes_2_hypertension", "diabetes_2"),
        ("diabetes_1", "high_cholesterol"),
        ("diabetes_2_hypertension", "high_cholesterol"),
        ("diabetes_2", "high_cholesterol"),
        ("heart", "high_cholesterol"),
        ("psychosis_alzheimer_addiction", "depression"),
        ("copd_severe_asthma", "asthma"),
        ("rheumatism_tnf", "rheumatism_other"),
        ("cancer", "hormone_sensitive_tumours"),
    ]
    assert pairs(load_model("nl-2015"), "ggz_fkg") == [
        ("psychosis_depot", "psychosis"),
        ("bipolar_complex", "bipolar_regular"),
    ]


@pytest.mark.published
def test_neutrality_is_that_of_article_11() -> None:
    def rules(year: int) -> list[tuple[str, str, str, tuple[int, ...], tuple[int, ...]]]:
        return [(r.share, r.criterion, r.rule, r.reset, r.of) for r in load_model(f"nl-{year}").neutrality]

    addons = (24, 33, 17, 27, 30, 35, 36, 37)
    assert [load_model("nl-2020").variable.criterion("fkg").by_code(code).key for code in addons[:5]] == [
        "autoimmune_addon", "cancer_addon", "growth_disorders_addon", "immunoglobulin_addon",
        "copd_severe_asthma_addon",
    ]  # fmt: skip
    assert rules(2020) == [
        ("variable", "fkg", "offset", (0,), addons),
        ("variable", "dkg_primary", "class_totals", (), ()),
        ("variable", "dkg_secondary", "class_totals", (), ()),
        ("variable", "mhk", "offset", (0,), (6, 7, 8)),  # top 4, 1.5 and 0.5 percent
        ("ggz_hcc", "ggz_dkg", "zero_sum", (0,), ()),
    ]
    assert rules(2019) == [
        ("variable", "fkg", "offset", (0,), addons),
        ("variable", "dkg_primary", "class_totals", (), ()),
        ("variable", "dkg_secondary", "class_totals", (), ()),
        ("variable", "mhk", "offset", (0,), (7, 8)),  # top 1.5 and 0.5 percent
        ("variable", "mvv", "zero_sum", (0,), ()),
        ("ggz", "ggz_dkg", "zero_sum", (0,), ()),
    ]
    assert rules(2015) == [
        ("variable", "dkg", "zero_sum", (0,), ()),
        ("variable", "hkg", "zero_sum", (0,), ()),
        ("variable", "mhk", "zero_sum", (0,), ()),
        ("variable", "gsm", "zero_sum", (1,), (3,)),  # below 65
        ("variable", "gsm", "zero_sum", (2,), (4,)),  # 65 and older
        ("nursing", "mhk", "zero_sum", (0,), ()),
        ("ggz", "ggz_dkg", "zero_sum", (0,), ()),
        ("ggz", "ggz_mhk", "zero_sum", (0,), ()),
    ]


@pytest.mark.published
def test_settlement_and_premium_of_each_year() -> None:
    for year in YEARS:
        model = load_model(f"nl-{year}")
        assert (model.flat_ppm_variable, model.flat_ppm_ggz) == (1_000_000, 1_000_000)  # Bzv 3.12(2)
        assert (model.own_payments_macro_corrected, model.own_payments_flat_ppm) == (False, 0)  # Bzv 3.19(2)
    a, b, c = (load_model(f"nl-{year}") for year in YEARS)
    assert [[(h.share, h.top_per_myriad, h.ppm) for h in m.high_cost] for m in (a, b, c)] == [
        [],
        [],
        [("ggz", 50, 750_000)],
    ]
    bands = [("ggz", 15_00, 900_000), ("nursing", 5_00, 950_000)]  # art. 16
    assert [(x.share, x.amount, x.ppm) for x in a.bandwidth] == bands
    assert (a.flat_ppm_nursing, b.flat_ppm_nursing, b.bandwidth) == (1_000_000, 0, ())
    assert [m.calculation_premium for m in (a, b, c)] == [1_196_00, 1_380_00, 1_373_00]
    assert [m.administration_under_18 for m in (a, b, c)] == [45_00, 41_00, 41_00]
    assert [m.deductible_amount for m in (a, b, c)] == [375_00, 385_00, 385_00]
    assert [(m.forfait, m.forfait_ex_post) for m in (a, b, c)] == [
        (356_36, 356_36),
        (353_16, 353_16),
        (359_53, 359_91),
    ]
    # Any MHK in 2015; "2 preceding years in the top 10 percent" or higher in 2019 and 2020.
    keys = [m.variable.criterion("mhk").by_code(m.forfait_from_mhk).key for m in (a, b, c)]
    assert (keys, a.forfait_from_mhk, b.forfait_from_mhk) == (["top_10_in_2"] * 3, 1, 2)
    assert a.morbidity_criteria == ("fkg", "dkg")
    assert b.morbidity_criteria == c.morbidity_criteria == ("fkg", "dkg_primary", "dkg_secondary", "hkg", "mvv", "fdg")


@pytest.mark.published
def test_clusters_and_special_assignments_of_each_year() -> None:
    cluster = {year: dict(zip(CATEGORIES, load_model(f"nl-{year}").cluster, strict=True)) for year in YEARS}
    assert (cluster[2015]["nursing"], cluster[2015]["elv"]) == ("nursing", "fixed")
    assert (cluster[2019]["nursing"], cluster[2019]["elv"]) == ("variable", "variable")
    assert cluster[2019] == cluster[2020]
    a, b, c = (load_model(f"nl-{year}") for year in YEARS)
    assert [m.wlz_no_mvv_from_age for m in (a, b, c)] == [0, -1, 18]  # no such rule, every age, adults
    assert [m.wlz_lowest_ses for m in (a, b, c)] == [True, True, True]  # 2015: an assumption, > 15 residents
    assert [m.lowest_ses_above_residents for m in (a, b, c)] == [15, 0, 0]
    assert [m.ses_of_income_group for m in (a, b, c)] == [(2, 2, 3, 4), (), ()]
    assert [m.ended_addon_years for m in (a, b, c)] == [0, 1, 2]
    assert [m.gsm_criteria for m in (a, b, c)] == [("fkg", "dkg", "hkg", "mhk"), (), ()]
    assert [m.mhk_settled for m in (a, b, c)] == [True, False, False]
    assert [m.lowest_ses_from_ggz_dkg for m in (a, b, c)] == [0, 0, 15]
    assert [any(m.mhk_excluded) for m in (a, b, c)] == [False, True, True]
    exempt = {"gp", "obstetric", "maternity", "chain_care", "nursing"}
    for model in (a, b, c):
        assert {name for name, yes in zip(CATEGORIES, model.deductible_exempt, strict=True) if yes} == exempt


@pytest.mark.published
def test_nursing_region_and_mhk_of_the_nursing_share_hold_from_65() -> None:
    nursing = load_model("nl-2015").nursing
    for name in ("nursing_region", "mhk"):
        assert {(row.age_min, row.age_max) for row in nursing.criterion(name).classes} == {(65, 999)}
    assert {row.age_min for row in nursing.criterion("age_sex").classes} >= {0, 1, 90}


def test_every_value_has_an_article_and_every_file_its_source() -> None:
    for year in YEARS:
        law = load_model(f"nl-{year}").law
        frame = load_model(f"nl-{year}").values
        assert (frame["article"] != "").all()
        assert (frame["term"] != "").all()
        sources = [file.source for file in law.weights.values()]
        sources += [law.macro_budget.source, law.premium_and_deductible.source]
        sources += [law.assignment.source, law.settlement.source]
        for source in sources:
            assert (source.year, str(source.checked), source.url) == (year, "2026-11-22", law.source.url)
        assert all(row.article for row in law.assignment.criterion)
    frame = load_model("nl-2015").values.set_index("key")
    assert frame.loc["assignment.abroad.percent.hkg", "value"] == "65"
    assert frame.loc["premium_and_deductible.premium.detained", "value"] == "0.07443"
    assert frame.loc["settlement.bandwidth.mental_care.amount", "value"] == "15"


@pytest.mark.parametrize(
    ("year", "stem", "old", "new", "said"),
    [
        (2020, "weights_variable_ex_post", 'key = "dkg_primary_1"', 'key = "dkg_primary_x"', "other classes than"),
        (
            2020,
            "weights_deductible_ex_post",
            'name    = "deductible_ex_post"',
            'name    = "deductible"',
            "not the share",
        ),
        (2019, "settlement", 'share = "ggz"', 'share = "ggz_hcc"', "no share 'ggz_hcc', expected one of variable, ggz"),
        (2015, "settlement", 'of = ["morbidity_0_64"]', 'of = ["morbid"]', "no class 'morbid' of gsm"),
        (2015, "macro_budget", "nursing_care    = { value = 3151.2", "nursing_cara = { value = 3151.2", "unknown key"),
        (
            2015,
            "assignment",
            "[abroad.percent]",
            '[abroad]\nnone_weight_percent = { status = "expected", article = "7", term = "x" }\n[abroad.percent]',
            "either none_weight_percent, or percent",
        ),
        (2015, "assignment", 'nursing  = ["nursing"]', "", "each category in exactly one cluster, not nursing"),
        (2015, "assignment", 'criteria = ["fkg", "dkg", "hkg", "mhk"]', 'criteria = ["fkh"]', "no criterion 'fkh'"),
    ],
)
def test_files_of_older_years_that_disagree_are_refused(
    tmp_path: Path, year: int, stem: str, old: str, new: str, said: str
) -> None:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    path = tmp_path / "nl" / str(year) / f"{stem}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_law(tmp_path / "nl", f"nl-{year}")
    assert said in str(caught.value)


@pytest.mark.oracle
def test_one_changed_weight_of_an_older_year_is_found(tmp_path: Path) -> None:
    shutil.copytree(data_directory("params") / "nl", tmp_path / "nl")
    path = tmp_path / "nl" / "2020" / "weights_ggz_ex_post.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("10008.47") == 1
    path.write_text(text.replace("10008.47", "10080.47"), encoding="utf-8")
    second = beside(neighbour("second_reading_2020").GGZ, 3, 2)
    changed = model_of(read_law(tmp_path / "nl", "nl-2020")).ggz_ex_post
    assert disagreements(changed, second) == (126, ["ggz_mhk 5: 10080470000 against 10008.47"])


# What can be done with such a year, and what is refused.


@pytest.mark.parametrize("year", YEARS)
def test_an_older_year_is_complete(year: int) -> None:
    frame = models().set_index("name")
    assert (frame.loc[f"nl-{year}", "status"], frame.loc[f"nl-{year}", "missing"]) == ("complete", "")
    load_model(f"nl-{year}").require_complete("pay")


def incomplete(folder: Path) -> Model:
    """The year 2020 with a file that says what is missing."""
    shutil.copytree(data_directory("params") / "nl", folder / "nl")
    text = '[status]\npayment = "weights and criteria only"\nmissing = ["a grouper of two DKGs"]\n'
    (folder / "nl" / "2020" / "status.toml").write_text(text, encoding="utf-8")
    return model_of(read_law(folder / "nl", "nl-2020"))


def test_a_year_with_weights_and_criteria_only_says_what_it_lacks(tmp_path: Path) -> None:
    model = incomplete(tmp_path)
    assert not model.complete
    with pytest.raises(ParameterError) as caught:
        model.require_complete("simulate")
    assert "simulate: nl-2020 has weights and criteria only; it lacks a grouper of two DKGs" in str(caught.value)
    assert len(caught.value.problems) == 1
    core = pytest.importorskip("anderhalf._core", reason="the compiled module is not built")
    with pytest.raises(ParameterError, match="weights and criteria only"):
        core.Scheme(model.core, core.Mapping())


def test_a_year_with_a_nursing_share_has_no_channels() -> None:
    with pytest.raises(ParameterError) as caught:
        load_model("nl-2015").require_channels("simulate")
    assert "nl-2015 can be grouped and paid; its nursing share and bandwidths have no channel yet" in str(caught.value)
    for year in (2019, 2020):
        load_model(f"nl-{year}").require_channels("simulate")


@pytest.mark.parametrize(("year", "columns"), [(2015, 138), (2019, 199), (2020, 210)])
def test_weights_of_an_older_year_can_be_estimated_on_its_criteria(year: int, columns: int) -> None:
    pytest.importorskip("anderhalf._core", reason="the compiled module is not built")
    from anderhalf.moments import model_layout

    assert model_layout(f"nl-{year}").design.columns == columns


def test_a_reform_of_an_older_year_stays_complete() -> None:
    reform = Reform({"premium_and_deductible.deductible.forfait.value": {"2019": 353.17}})
    model = load_model("nl-2019", reform)
    assert (model.forfait, model.forfait_ex_post, model.complete) == (353_17, 353_17, True)


@pytest.mark.published
def test_leaving_mhk_1_in_2019_and_2020() -> None:
    # Facts 3.4: 754.90 and 769.46 of the variable share; deductible 31.53 + 58.11 and 31.51 + 60.75.
    for year, step, own in ((2019, 754_90, 89_64), (2020, 769_46, 92_26)):
        change = explain(f"nl-{year}", "m", 42, {"mhk": 1}, {"mhk": 0}).difference
        assert change is not None
        assert (change.variable_cents, change.own_payment_cents) == (-step, -own)
        assert change.contribution_cents == -step + own
        assert change.nursing_cents is None


@pytest.mark.published
def test_losing_the_only_primary_dkg_gives_back_the_deductible_norm() -> None:
    # 2020, man of 40-44, reference income: 227.23 + 627.21 lost; forfait 359.53 becomes 140.38 - 0.25 - 31.51 = 108.62.
    change = explain("nl-2020", "m", 42, {"dkg_primary": 1}, {"dkg_primary": 0}).difference
    assert change is not None
    assert (change.variable_cents, change.own_payment_cents) == (-854_44, 108_62 - 359_53)
    both = explain("nl-2020", "m", 42, {"dkg_primary": 3, "dkg_secondary": 2}, {"dkg_secondary": 0}).difference
    assert both is not None
    assert (both.variable_cents, both.own_payment_cents) == (-2_403_52 - 91_03, 0)


@pytest.mark.published
def test_losing_the_last_flag_of_2015_also_loses_gsm() -> None:
    # Man of 40: DKG 1 -> 0 is 270.83 + 221.20, GSM 416.85 + 81.45; forfait 356.36 becomes 142.62 - 4.51.
    alone = explain("nl-2015", "m", 40, {"dkg": 1}, {"dkg": 0}).difference
    assert alone is not None
    assert alone.variable_cents == -(270_83 + 221_20) - (416_85 + 81_45)
    assert alone.own_payment_cents == 142_62 - 4_51 - 356_36
    flagged = explain("nl-2015", "m", 40, {"dkg": 1, "hkg": 2}, {"dkg": 0}).difference
    assert flagged is not None
    assert flagged.variable_cents == -(270_83 + 221_20)
    assert flagged.own_payment_cents == 142_62 - 4_51 - 356_36  # HKG alone is no morbidity for the forfait (art. 9(2))


@pytest.mark.published
def test_nursing_is_a_share_of_its_own_in_2015() -> None:
    old = explain("nl-2015", "f", 82, {"mhk": 6, "nursing_region": 1}).before
    assert old.nursing_cents == 1_518_44 + 5_654_87 + 173_77
    assert old.to_dict()["nursing_eur"] == 7_347.08
    young = explain("nl-2015", "f", 64, {"mhk": 6}).before
    assert young.nursing_cents == 155_79  # MHK counts from 65
    parts = old.variable_cents + old.ggz_cents + 7_347_08
    assert old.contribution_cents == parts - 1_196_00 - 356_36
    assert "nursing_eur" not in explain("nl-2019", "f", 82).before.to_dict()


@pytest.mark.parametrize(
    ("year", "sex", "age", "classes", "said"),
    [
        (2020, "m", 42, {"dkg": 1}, "dkg: unknown criterion, expected one of dkg_primary, dkg_secondary"),
        (2020, "m", 42, {"dkg_primary": [1, 2]}, "one class per person, expected the highest one (art. 9(1))"),
        (2020, "m", 42, {"hkg": [1, 2]}, "hkg: one class per person"),
        (2020, "f", 80, {"ppa": "wlz_permanent", "mvv": 3}, "(art. 9(6))"),
        (2020, "f", 40, {"ggz_dkg": 15, "ses": "high"}, "(art. 9(7))"),
        (2019, "f", 12, {"ppa": 0, "mvv": 3}, ""),
        (2019, "f", 80, {"ppa": "wlz_entering", "mvv": 3}, "an insured person in a Wlz institution has no MVV class"),
        (2015, "f", 42, {"gsm": 1}, "gsm: follows from fkg, dkg, hkg, mhk"),
        (2015, "f", 42, {"nursing_region": 1}, "nursing_region: class 1 (1) is not for this age and sex"),
        (2015, "f", 42, {"mvv": 1}, "mvv: unknown criterion"),
        (2015, "f", 42, {"dkg": [1, 2]}, "dkg: one class per person, expected the highest one, got 1, 2"),
    ],
)
def test_wrong_persons_are_refused(
    year: int, sex: str, age: int, classes: dict[str, int | str | list[int]], said: str
) -> None:
    from anderhalf.errors import DomainError

    if not said:
        explain(f"nl-{year}", sex, age, classes)
        return
    with pytest.raises(DomainError) as caught:
        explain(f"nl-{year}", sex, age, classes)
    assert said in str(caught.value)
