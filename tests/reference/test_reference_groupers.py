"""Who is in which class: hand-made cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .cases import YEAR, claim, insured, record
from .country import (
    Category,
    Country,
    Device,
    Diagnosis,
    Drug,
    Household,
    Income,
    Mapping,
    MentalCare,
    Physiotherapy,
    Title,
    age,
    born,
    day,
    days_in_year,
)
from .groupers import DEFAULT, Readings, class_rows, group, in_top
from .law_2021 import nl_2021

MODEL = nl_2021(structural=True)  # DKG of t-1


def codes(
    country: Country,
    name: str,
    mapping: Mapping | None = None,
    person: int = 1,
    share: str = "variable",
    readings: Readings = DEFAULT,
) -> tuple[int, ...]:
    return group(country, MODEL, mapping or Mapping(), readings=readings)[person][share][name]


def test_age_is_taken_on_the_last_day_of_june() -> None:
    assert age(12 * 2003 + 5, 2021) == 18  # June 2003
    assert age(12 * 2003 + 6, 2021) == 17  # July 2003
    assert age(12 * 2021 + 8, 2021) == 0
    assert born(12 * 2021 + 8, 2021) == 1
    assert age(12 * 2020 + 7, 2021) == 0
    assert born(12 * 2020 + 7, 2021) == 2
    assert age(12 * 2020 + 2, 2021) == 1


def test_leap_years_have_366_days() -> None:
    assert [days_in_year(y) for y in (2019, 2020, 2024)] == [365, 366, 366]


def test_age_zero_is_split_by_year_of_birth() -> None:
    newborn = Country([record(1, birth_month=12 * 2021 + 9, first_day=day(2021, 10, 5))])
    assert codes(newborn, "age_sex") == (1,)
    assert codes(insured([1], birth_month=12 * 2020 + 9, sex=2), "age_sex") == (23,)


# The top of a year ----------------------------------------------------------------------------------------------


def test_top_30_percent_of_ten_persons_are_three_and_ties_go_by_the_key() -> None:
    cost = dict.fromkeys(range(1, 11), 500)
    assert in_top(cost, dict.fromkeys(cost, 1), 3_000, lambda p: p) == {1, 2, 3}
    assert in_top(cost, dict.fromkeys(cost, 1), 3_000, lambda p: -p) == {8, 9, 10}


def test_the_line_is_floored_and_counts_what_persons_stand_for() -> None:
    # total 2 + 5 + 3 = 10, k = floor(0.65 x 10) = 6: person 1 (2) fits, person 2 (2 + 5 = 7) does not, and nobody after
    assert in_top({1: 900, 2: 800, 3: 700}, {1: 2, 2: 5, 3: 3}, 6_500, lambda p: p) == {1}


def test_nobody_without_cost_is_in_the_top() -> None:
    assert in_top({1: 5, 2: 0, 3: -7}, {1: 1, 2: 1, 3: 1}, 10_000, lambda p: p) == {1}


def _mhk_country(cost: dict[int, dict[int, int]]) -> Country:
    """Ten persons; cost[year][person]."""
    country = insured(range(1, 11))
    country.claims = [claim(p, y, c) for y, own in cost.items() for p, c in own.items()]
    return country


def test_mhk_step_one_year_in_the_top_30_percent_gives_class_1() -> None:
    # 2020: persons 1-3 are the top 30% of 10, person 4 has cost and is not
    country = _mhk_country({2020: {1: 400, 2: 300, 3: 200, 4: 100}})
    assert [codes(country, "mhk", person=p) for p in range(1, 5)] == [(1,), (1,), (1,), (0,)]
    # one euro less for person 3 than for person 4, and person 4 takes its place: the threshold is national
    country = _mhk_country({2020: {1: 400, 2: 300, 3: 99, 4: 100}})
    assert [codes(country, "mhk", person=p) for p in (3, 4)] == [(0,), (1,)]


def test_mhk_takes_the_highest_class_that_holds() -> None:
    # top 10% of 10 = 1 person. In 2 years: class 2; in all 3 years top 10%: class 4; top 7%: k = floor(0.7) = 0
    two = {2018: {1: 900}, 2020: {1: 900}}
    assert codes(_mhk_country(two), "mhk") == (2,)
    assert codes(_mhk_country(two | {2019: {1: 900}}), "mhk") == (4,)
    # the literal reading of "2 voorafgaande jaren" wants 2019 and 2020
    literal = replace(DEFAULT, mhk_two_last=True)
    assert codes(_mhk_country(two), "mhk", readings=literal) == (1,)
    assert codes(_mhk_country({2019: {1: 900}, 2020: {1: 900}}), "mhk", readings=literal) == (2,)


def test_mhk_leaves_nursing_and_ggz_out_and_nets_corrections() -> None:
    country = insured(range(1, 11))
    country.claims = [
        claim(1, 2020, 900, category=Category.nursing),
        claim(2, 2020, 900, category=Category.ggz),
        claim(3, 2020, 900),
        claim(3, 2020, -900),
        claim(4, 2020, 10),
    ]
    assert [codes(country, "mhk", person=p) for p in range(1, 5)] == [(0,), (0,), (0,), (1,)]


def test_who_is_not_insured_in_a_cost_year_is_not_ranked() -> None:
    country = insured(range(1, 11))
    country.records = [r for r in country.records if r.person < 8 or r.first_day >= day(2021)]
    country.claims = [claim(p, 2020, 100 * p) for p in range(1, 8)]
    # 7 insured in 2020: k = floor(2.1) = 2: persons 7 and 6
    assert [p for p in range(1, 11) if codes(country, "mhk", person=p) == (1,)] == [6, 7]


# MVV ------------------------------------------------------------------------------------------------------------


def _nursing(persons: dict[int, int], **changes: Any) -> Country:
    """`persons` with nursing cost in 2018, 2019 and 2020, among 40 adults that stand for 100 insured each."""
    country = insured(range(1, 41), represents=100, **changes)
    country.claims = [claim(p, y, c, category=Category.nursing) for p, c in persons.items() for y in (2018, 2019, 2020)]
    return country


def test_mvv_sums_three_years_over_adults() -> None:
    # 4,000 insured; 3.5% = 140, 2.5% = 100: the first person fits in 2.5% (class 3), not in 2% = 80
    country = _nursing({1: 500, 2: 400})
    assert codes(country, "mvv", person=1) == (3,)
    assert codes(country, "mvv", person=2) == (0,)


def test_wlz_residents_of_18_have_no_mvv_and_ses_1() -> None:
    country = _nursing({1: 500}, ses=4)
    for r in country.records:
        if r.person == 1 and r.first_day >= day(YEAR):
            r.wlz, r.household = 1, int(Household.wlz_entering)
    assert codes(country, "mvv") == (0,)
    assert codes(country, "ses") == (2,)  # class 1 (very low), 18-69
    assert codes(country, "ses", person=2) == (11,)


def test_children_are_ranked_among_children_on_last_year_only() -> None:
    young = insured(range(1, 11), represents=100, birth_month=12 * 2010)  # 1,000 children: 0.25% = 2
    young.claims = [claim(11, y, 500, category=Category.nursing) for y in (2018, 2019)]
    young.records += insured([11], represents=2, birth_month=12 * 2010).records
    assert codes(young, "mvv", person=11) == (0,)
    young.claims.append(claim(11, 2020, 500, category=Category.nursing))
    assert codes(young, "mvv", person=11) == (9,)


# Care classes ---------------------------------------------------------------------------------------------------


def _care(*claims: Any, **changes: Any) -> Country:
    country = insured([1], **changes)
    country.claims = list(claims)
    return country


def _drug(product: int, ddd: int, year: int = 2020, prescriptions: int = 1) -> Any:
    return claim(1, year, 10, category=Category.drugs, product=product, ddd=ddd, prescriptions=prescriptions)


def test_fkg_needs_more_than_180_ddd_over_the_drugs_of_a_class_in_the_data_year() -> None:
    mapping = Mapping(drugs=[Drug(1, fkg=2), Drug(2, fkg=2), Drug(3, fkg=32, min_prescriptions=3)])
    assert codes(_care(_drug(1, 90), _drug(2, 90)), "fkg", mapping) == (0,)
    assert codes(_care(_drug(1, 90), _drug(2, 91)), "fkg", mapping) == (2,)
    assert codes(_care(_drug(1, 90), _drug(2, 91, 2019)), "fkg", mapping) == (0,)
    assert codes(_care(_drug(3, 500, prescriptions=2)), "fkg", mapping) == (0,)
    assert codes(_care(_drug(3, 0, prescriptions=2), _drug(3, 0)), "fkg", mapping) == (32,)


def test_fkg_exclusions() -> None:
    mapping = Mapping(drugs=[Drug(k, fkg=k) for k in range(1, 39)])

    def both(*which: int) -> tuple[int, ...]:
        return codes(_care(*[_drug(k, 200) for k in which]), "fkg", mapping)

    assert both(12, 13, 14) == (14,)  # 9(2)a
    assert both(3, 4) == (4,)  # b
    assert both(30, 29, 28) == (30,)  # d
    assert both(24, 21, 22, 23, 2) == (2, 24)  # e
    assert both(29, 6, 1) == (1, 29)  # h
    assert both(35, 38) == (38,)  # i
    assert both(1, 2, 5) == (1, 2, 5)  # all others together


def test_ggz_fkg_keeps_the_class_named_first() -> None:
    mapping = Mapping(drugs=[Drug(k, ggz_fkg=k) for k in range(1, 10)])
    country = _care(*[_drug(k, 200) for k in (1, 7, 8, 4)])
    assert codes(country, "ggz_fkg", mapping, share="ggz") == (1, 8)


DKG = Mapping(
    diagnoses=[
        Diagnosis(1, 10, 5, 3),
        Diagnosis(1, 11, 5, 3),
        Diagnosis(1, 12, 6, 3),
        Diagnosis(2, 10, 7, 1, light=True),
    ],
    light_product_percent=15,
)


def _hospital(diagnosis: int, specialism: int = 1, **changes: Any) -> Any:
    return claim(1, 2020, 100, specialism=specialism, diagnosis=diagnosis, **changes)


def test_dkg_counts_distinct_dx_groups_per_class() -> None:
    assert codes(_care(_hospital(10), _hospital(10), _hospital(11)), "dkg", DKG) == (3,)
    assert codes(_care(_hospital(10), _hospital(12)), "dkg", DKG) == (3, 3)
    assert codes(_care(_hospital(10, consult=True)), "dkg", DKG) == (0,)
    assert codes(_care(_hospital(10, opened=day(2019, 12, 31))), "dkg", DKG) == (0,)


def test_light_diagnoses_need_a_heavier_product() -> None:
    assert codes(_care(_hospital(10, 2, product=114)), "dkg", DKG) == (1,)
    assert codes(_care(_hospital(10, 2, product=115)), "dkg", DKG) == (0,)


@pytest.mark.parametrize(
    ("title", "consult", "expected"),
    [
        (Title.gp_care, False, (0,)),
        (Title.specialist_care, False, (3,)),
        (Title.designated, False, (3,)),
        (Title.specialist_care, True, (0,)),
        (Title.designated, True, (0,)),
    ],
)
def test_the_title_of_one_and_a_half_line_care_decides(title: Title, consult: bool, expected: tuple[int, ...]) -> None:
    done = _hospital(10, category=Category.one_and_a_half_line, title=int(title), consult=consult)
    assert codes(_care(done), "dkg", DKG) == expected


def test_hkg_gives_all_and_fdg_the_highest() -> None:
    mapping = Mapping(devices=[Device(7, 1), Device(8, 4)], physiotherapy=[Physiotherapy(3, 2), Physiotherapy(4, 1)])
    country = _care(
        claim(1, 2020, 1, category=Category.devices, product=8),
        claim(1, 2020, 1, category=Category.devices, product=7),
        claim(1, 2020, 1, category=Category.paramedical, diagnosis=3),
        claim(1, 2020, 1, category=Category.paramedical, diagnosis=4),
    )
    assert codes(country, "hkg", mapping) == (1, 4)
    assert codes(country, "fdg", mapping) == (2,)


# GGZ ------------------------------------------------------------------------------------------------------------


def test_ggz_criteria_hold_from_18() -> None:
    classes = group(insured([1], birth_month=12 * 2010), MODEL, Mapping())[1]
    assert all(own == () for own in classes["ggz"].values())
    assert all(own == () for own in classes["deductible"].values())


def test_ggz_dkg_is_the_highest_of_three_years_and_basic_care_counts_last_year_only() -> None:
    mapping = Mapping(mental_care=[MentalCare(1, 1), MentalCare(2, 9), MentalCare(3, 16)])

    def care(*pairs: tuple[int, int]) -> Country:
        return _care(*[claim(1, y, 1, category=Category.ggz, diagnosis=d) for y, d in pairs], ses=4)

    assert codes(care((2018, 2), (2020, 1)), "ggz_dkg", mapping, share="ggz") == (9,)
    assert codes(care((2020, 1)), "ggz_dkg", mapping, share="ggz") == (1,)
    assert codes(care((2019, 1)), "ggz_dkg", mapping, share="ggz") == (0,)
    assert codes(
        care((2019, 1)), "ggz_dkg", mapping, share="ggz", readings=replace(DEFAULT, ggz_basic_last_year=False)
    ) == (1,)
    assert codes(care((2018, 3)), "ses", mapping) == (2,)  # art. 9(8): SES very low
    assert codes(care((2018, 3)), "ggz_ses", mapping, share="ggz") == (1,)


def _ggz(cost: dict[int, int], birth_month: int = 12 * 1980) -> Country:
    """200 persons, 1% = 2; GGZ cost in 2016 of some."""
    country = insured(range(1, 201), range(2016, 2022), birth_month=birth_month)
    country.claims = [claim(p, 2016, c, category=Category.ggz) for p, c in cost.items()]
    return country


def test_ggz_mhk_below_24_one_year_of_five_is_enough() -> None:
    assert codes(_ggz({1: 90_000}), "ggz_mhk", share="ggz") == (0,)
    young = _ggz({1: 90_000}, 12 * 1998)  # 23 years, 18 in 2016; top 5 promille of 200 = 1
    assert codes(young, "ggz_mhk", share="ggz") == (3,)
    assert codes(_ggz({1: 90_000}, 12 * 1999), "ggz_mhk", share="ggz") == (0,)  # 17 in 2016: not ranked in that year


def test_ggz_mhk_class_1_is_98_5_percent_of_users_above_ten_euros() -> None:
    country = insured(range(1, 101))
    country.claims = [claim(p, 2020, 1_000 + p, category=Category.ggz) for p in range(1, 51)]
    country.claims.append(claim(60, 2020, 1_000, category=Category.ggz))
    flagged = [p for p in range(1, 101) if codes(country, "ggz_mhk", person=p, share="ggz") != (0,)]
    assert flagged == list(range(2, 51))  # 50 users, k = floor(0.985 x 50) = 49; EUR 10.00 is not more than 10
    everybody = replace(DEFAULT, ggz_mhk_users=False)
    assert codes(country, "ggz_mhk", share="ggz", readings=everybody) == (1,)
    assert codes(country, "ggz_mhk", person=60, share="ggz", readings=everybody) == (0,)


def test_ggz_mhk_class_1_looks_at_three_years_and_the_others_at_five() -> None:
    def care(year: int) -> Country:
        country = insured(range(1, 101), range(2016, 2022))
        country.claims = [claim(p, year, 2_000, category=Category.ggz) for p in range(1, 101)]
        return country

    assert codes(care(2018), "ggz_mhk", share="ggz") == (1,)
    assert codes(care(2017), "ggz_mhk", share="ggz") == (0,)
    top = insured(range(1, 201), range(2016, 2022))
    top.claims = [claim(1, y, 9_000, category=Category.ggz) for y in (2016, 2017)]
    assert codes(top, "ggz_mhk", share="ggz") == (3,)  # 5 promille of 200 = 1, in two of five years


def test_ggz_mhk_ranks_adults() -> None:
    country = insured(range(1, 101), range(2016, 2022))  # 100 adults: 1% = 1
    country.records += insured(range(101, 401), range(2016, 2022), birth_month=12 * 2010).records
    country.claims = [claim(p, y, 9_000 - p, category=Category.ggz) for p in (1, 2) for y in (2019, 2020)]
    assert [codes(country, "ggz_mhk", person=p, share="ggz") for p in (1, 2)] == [(2,), (0,)]  # 2 users: k = 1
    everybody = replace(DEFAULT, ggz_mhk_adults=False)  # 400 insured: 1% = 4, 5 promille = 2
    assert codes(country, "ggz_mhk", person=2, share="ggz", readings=everybody) == (3,)


# Demography -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("income", "years", "key"),
    [
        (Income.employed, 30, (Income.reference, 18)),
        (Income.student, 36, (Income.reference, 35)),
        (Income.higher_educated, 50, (Income.reference, 45)),
        (Income.student, 66, (Income.reference, 65)),
        (Income.iva, 12, (Income.iva, 0)),
        (Income.higher_educated, 44, (Income.higher_educated, 35)),
    ],
)
def test_avi_without_a_class_of_its_own_is_the_reference_group(
    income: Income, years: int, key: tuple[Income, int]
) -> None:
    (code,) = codes(insured([1], birth_month=12 * (YEAR - years), income_source=int(income)), "avi")
    found = MODEL.variable.criteria[4].classes[code]
    assert (found.group, found.age_min) == (int(key[0]), key[1])


def test_from_70_there_is_one_avi_class() -> None:
    assert codes(insured([1], birth_month=12 * (YEAR - 70), income_source=int(Income.iva)), "avi") == (0,)


def test_abroad() -> None:
    mapping = Mapping(drugs=[Drug(1, fkg=2)])
    country = _care(_drug(1, 500), region=0)
    classes = group(country, MODEL, mapping)[1]
    assert classes["variable"]["fkg"] == (0,)
    assert [classes["variable"][c] for c in ("region", "ses", "ppa")] == [(), (), ()]
    assert classes["deductible"]["region"] == ()
    assert len(classes["deductible"]["avi"]) == 1


# Rows -----------------------------------------------------------------------------------------------------------


def test_records_of_a_person_share_its_classes_and_two_insurers_on_a_day_are_refused() -> None:
    country = insured([1])
    country.records[-1].last_day = day(YEAR, 3, 31)
    country.records.append(record(1, first_day=day(YEAR, 4, 1), insurer=2))
    country.claims = [claim(1, 2020, 50)]
    rows = class_rows(country, MODEL, Mapping())
    assert [(r.insurer, r.days) for r in rows] == [(1, 90), (2, 275)]
    assert rows[0].classes == rows[1].classes
    country.records[-1].first_day = day(YEAR, 3, 31)
    with pytest.raises(ValueError, match="twice"):
        class_rows(country, MODEL, Mapping())
