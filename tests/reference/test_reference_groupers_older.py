"""Who is in which class in 2015, 2019 and 2020: hand-made cases, a rule of the text each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .cases import claim, insured, law_of, random_case_of, record
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
    Model,
    Title,
    day,
)
from .groupers import DEFAULT, Readings, class_rows, group

LAW = {year: law_of(year) for year in (2015, 2019, 2020)}
TWO = (2019, 2020)
REGIONS = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
"""V&V-region of the regions 1 to 10."""


def people(year: int, persons: range | list[int], years: int = 4, **changes: Any) -> Country:
    """Persons of 41 insured in the year and the `years` - 1 before it."""
    base = {"birth_month": 12 * (year - 41)} | changes
    return insured(persons, range(year - years + 1, year + 1), **base)


def codes(
    country: Country,
    year: int,
    name: str,
    mapping: Mapping | None = None,
    person: int = 1,
    share: str = "variable",
    readings: Readings = DEFAULT,
) -> tuple[int, ...]:
    mapping = mapping or Mapping()
    mapping.nursing_region = mapping.nursing_region or REGIONS
    return group(country, LAW[year], mapping, readings=readings)[person][share][name]


def key(year: int, name: str, code: int, share: str = "variable") -> str:
    """Key of a class: the tests name classes as the tables do."""
    criterion = next(c for c in getattr(LAW[year], share).criteria if c.name == name)
    return next(k.key for k in criterion.classes if k.code == code)


def keys(
    country: Country,
    year: int,
    name: str,
    mapping: Mapping | None = None,
    person: int = 1,
    share: str = "variable",
    readings: Readings = DEFAULT,
) -> set[str]:
    return {key(year, name, k, share) for k in codes(country, year, name, mapping, person, share, readings)}


def code_of(year: int, name: str, wanted: str, share: str = "variable") -> int:
    criterion = next(c for c in getattr(LAW[year], share).criteria if c.name == name)
    return next(k.code for k in criterion.classes if k.key == wanted)


# Diagnoses ------------------------------------------------------------------------------------------------------

DIAGNOSES = Mapping(
    diagnoses=[
        Diagnosis(1, 10, 5, 3, dkg_primary=3, dkg_secondary=1),
        Diagnosis(1, 11, 6, 9, dkg_primary=9),
        Diagnosis(1, 12, 7, dkg_secondary=4),
        Diagnosis(1, 13, 8, 12, light=True, dkg_primary=12),
    ],
    light_product_percent=15,
)


def _hospital(year: int, diagnosis: int, **changes: Any) -> Any:
    return claim(1, year, 100, specialism=1, diagnosis=diagnosis, **changes)


def _with(country: Country, *claims: Any) -> Country:
    country.claims = list(claims)
    return country


@pytest.mark.parametrize("t", TWO)
def test_the_highest_primary_and_the_highest_secondary_dkg_over_two_years(t: int) -> None:
    def both(*pairs: tuple[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        country = _with(people(t, [1]), *[_hospital(t - lag, d) for lag, d in pairs])
        return codes(country, t, "dkg_primary", DIAGNOSES), codes(country, t, "dkg_secondary", DIAGNOSES)

    assert both() == ((0,), (0,))
    assert both((1, 10)) == ((3,), (1,))  # one diagnosis in both files
    assert both((2, 11), (1, 10)) == ((9,), (1,))  # t-2 beside t-1: the highest of the two years
    assert both((1, 10), (1, 10), (2, 12)) == ((3,), (4,))  # no class twice; a diagnosis in the second file only
    assert both((3, 11), (0, 12)) == ((0,), (0,))  # t-3 and t are no data years


@pytest.mark.parametrize("t", TWO)
def test_consults_and_light_products_lead_to_neither_dkg(t: int) -> None:
    consult = _with(people(t, [1]), _hospital(t - 1, 10, consult=True))
    assert codes(consult, t, "dkg_primary", DIAGNOSES) == codes(consult, t, "dkg_secondary", DIAGNOSES) == (0,)
    assert codes(_with(people(t, [1]), _hospital(t - 1, 13, product=114)), t, "dkg_primary", DIAGNOSES) == (12,)
    assert codes(_with(people(t, [1]), _hospital(t - 1, 13, product=115)), t, "dkg_primary", DIAGNOSES) == (0,)
    gp = _hospital(t - 1, 10, category=Category.one_and_a_half_line, title=int(Title.gp_care))
    assert codes(_with(people(t, [1]), gp), t, "dkg_secondary", DIAGNOSES) == (0,)


def test_2015_has_one_dkg_the_highest_of_last_year() -> None:
    country = _with(people(2015, [1]), _hospital(2014, 10), _hospital(2014, 11), _hospital(2013, 13, product=100))
    assert codes(country, 2015, "dkg", DIAGNOSES) == (9,)
    assert codes(_with(people(2015, [1]), _hospital(2013, 11)), 2015, "dkg", DIAGNOSES) == (0,)


@pytest.mark.parametrize("t", [2015, *TWO])
def test_one_hkg_the_highest(t: int) -> None:
    mapping = Mapping(devices=[Device(7, 1), Device(8, 4), Device(9, 2)])
    used = [claim(1, t - 1, 1, category=Category.devices, product=p) for p in (8, 7, 9)]
    assert codes(_with(people(t, [1]), *used), t, "hkg", mapping) == (4,)
    early = claim(1, t - 2, 1, category=Category.devices, product=8)
    assert codes(_with(people(t, [1]), early), t, "hkg", mapping) == (0,)


# Drugs ----------------------------------------------------------------------------------------------------------


def drugs_of(year: int, name: str = "fkg", share: str = "variable") -> Mapping:
    """A drug per class, numbered as the class."""
    criterion = next(c for c in getattr(LAW[year], share).criteria if c.name == name)
    return Mapping(drugs=[Drug(k.code, **{name: k.code}) for k in criterion.classes if k.code > 0])


def _treated(year: int, drugs: dict[str, int], name: str = "fkg", share: str = "variable") -> Country:
    """DDD of last year per class."""
    return _with(
        people(year, [1]),
        *[
            claim(
                1, year - 1, 10, category=Category.drugs, product=code_of(year, name, k, share), ddd=n, prescriptions=1
            )
            for k, n in drugs.items()
        ],
    )


# Annex 1 of the Beleidsregels 2015: DDD of diabetes I, diabetes II and hypertension beside diabetes II.
@pytest.mark.published
@pytest.mark.parametrize(
    ("one", "two", "pressure", "assigned"),
    [
        (181, 181, 181, "diabetes_1"),
        (181, 181, 180, "diabetes_1"),
        (181, 180, 181, "diabetes_1"),
        (181, 180, 180, "diabetes_1"),
        (180, 181, 181, "diabetes_2_hypertension"),
        (180, 181, 180, "diabetes_2"),
        (180, 180, 180, "none"),
    ],
)
def test_diabetes_table_of_2015(one: int, two: int, pressure: int, assigned: str) -> None:
    used = {"diabetes_1": one, "diabetes_2": two, "diabetes_2_hypertension": pressure}
    assert keys(_treated(2015, used), 2015, "fkg", drugs_of(2015)) == {assigned}


@pytest.mark.published
@pytest.mark.parametrize(
    ("used", "assigned"),
    [
        (("diabetes_2", "high_cholesterol"), ("diabetes_2",)),  # 4(19)b
        (("diabetes_1", "high_cholesterol"), ("diabetes_1",)),
        (("diabetes_2_hypertension", "high_cholesterol"), ("diabetes_2_hypertension",)),
        (("heart", "high_cholesterol"), ("heart",)),  # c
        (("psychosis_alzheimer_addiction", "depression"), ("psychosis_alzheimer_addiction",)),  # d
        (("copd_severe_asthma", "asthma"), ("copd_severe_asthma",)),  # e
        (("rheumatism_tnf", "rheumatism_other"), ("rheumatism_tnf",)),  # f
        (("cancer", "hormone_sensitive_tumours"), ("cancer",)),  # g
        (
            ("thyroid", "high_cholesterol", "glaucoma"),
            ("thyroid", "high_cholesterol", "glaucoma"),
        ),  # all others together
        (("heart", "neuropathic_pain", "asthma"), ("heart", "neuropathic_pain", "asthma")),
    ],
)
def test_fkg_exclusions_of_2015(used: tuple[str, ...], assigned: tuple[str, ...]) -> None:
    assert keys(_treated(2015, dict.fromkeys(used, 181)), 2015, "fkg", drugs_of(2015)) == set(assigned)


def test_cancer_of_2015_by_three_prescriptions() -> None:
    cancer = code_of(2015, "fkg", "cancer")
    mapping = Mapping(drugs=[Drug(1, fkg=cancer, min_prescriptions=3)])

    def taken(lines: int) -> tuple[int, ...]:
        drug = claim(1, 2014, 10, category=Category.drugs, product=1, ddd=500, prescriptions=lines)
        return codes(_with(people(2015, [1]), drug), 2015, "fkg", mapping)

    assert taken(2) == (0,)
    assert taken(3) == (cancer,)


@pytest.mark.published
@pytest.mark.parametrize("t", TWO)
@pytest.mark.parametrize(
    ("used", "assigned"),
    [
        (("diabetes_1_hypertension", "diabetes_1", "diabetes_2"), ("diabetes_1_hypertension",)),  # 9(2)a
        (("diabetes_2_hypertension", "diabetes_1"), ("diabetes_1",)),
        (("psychosis_addiction", "depression"), ("psychosis_addiction",)),  # b
        (("neuropathic_pain", "chronic_pain"), ("neuropathic_pain",)),  # c
        (("copd_severe_asthma_addon", "copd_severe_asthma", "asthma"), ("copd_severe_asthma_addon",)),  # d
        (("autoimmune_addon", "rheumatism", "psoriasis", "crohn_colitis"), ("autoimmune_addon",)),  # e
        (("multiple_sclerosis", "brain_spinal_other"), ("multiple_sclerosis",)),  # f
        (("cancer_addon", "cancer", "hormone_sensitive_tumours"), ("cancer_addon",)),  # g
        (("heart", "chronic_anticoagulation"), ("heart",)),  # h
        (("pulmonary_hypertension", "chronic_anticoagulation"), ("pulmonary_hypertension",)),
        # the extreme cost classes exclude each other from 2021 (art. 9(2)i), not before
        (("extreme_cost_1", "extreme_cost_3"), ("extreme_cost_1", "extreme_cost_3")),
    ],
)
def test_fkg_exclusions_of_2019_and_2020(t: int, used: tuple[str, ...], assigned: tuple[str, ...]) -> None:
    assert keys(_treated(t, dict.fromkeys(used, 181)), t, "fkg", drugs_of(t)) == set(assigned)


def _ggz_drugs(year: int, **used: int) -> set[str]:
    country = _treated(year, used, "ggz_fkg", "ggz")
    return keys(country, year, "ggz_fkg", drugs_of(year, "ggz_fkg", "ggz"), share="ggz")


def test_ggz_fkg_of_2015_keeps_all_but_two_pairs() -> None:
    assert _ggz_drugs(2015, psychosis=181, psychosis_depot=181) == {"psychosis_depot"}  # 5(18)a
    assert _ggz_drugs(2015, bipolar_regular=181, bipolar_complex=181) == {"bipolar_complex"}  # 5(18)b
    # chronic mood stands beside psychosis in 2015, not in 2019
    assert _ggz_drugs(2015, psychosis=181, chronic_mood=181, adhd=181) == {"psychosis", "chronic_mood", "adhd"}
    assert _ggz_drugs(2019, psychosis=181, chronic_mood=181, adhd=181) == {"psychosis", "adhd"}


def test_bipolar_complex_of_2015_is_180_ddd_of_the_regular_class_and_one_prescription_of_the_indicator() -> None:
    regular, complex_ = (
        code_of(2015, "ggz_fkg", "bipolar_regular", "ggz"),
        code_of(2015, "ggz_fkg", "bipolar_complex", "ggz"),
    )
    mapping = Mapping(drugs=[Drug(1, ggz_fkg=regular), Drug(2, ggz_fkg=regular, ggz_indicated=complex_)])

    def treated(one: int, two: int, prescriptions: int = 1) -> tuple[int, ...]:
        drugs = [
            claim(1, 2014, 1, category=Category.drugs, product=1, ddd=one, prescriptions=1),
            claim(1, 2014, 1, category=Category.drugs, product=2, ddd=two, prescriptions=prescriptions),
        ]
        return codes(_with(people(2015, [1]), *drugs), 2015, "ggz_fkg", mapping, share="ggz")

    assert treated(180, 1) == (complex_,)
    assert treated(180, 0) == (0,)
    assert treated(181, 0, 0) == (regular,)


def test_depot_of_2015_by_one_prescription() -> None:
    depot = code_of(2015, "ggz_fkg", "psychosis_depot", "ggz")
    psychosis = code_of(2015, "fkg", "psychosis_alzheimer_addiction")
    mapping = Mapping(drugs=[Drug(1, fkg=psychosis, ggz_fkg=depot, ggz_min_prescriptions=1)])
    country = _with(people(2015, [1]), claim(1, 2014, 1, category=Category.drugs, product=1, ddd=5, prescriptions=1))
    assert codes(country, 2015, "ggz_fkg", mapping, share="ggz") == (depot,)
    assert codes(country, 2015, "fkg", mapping) == (0,)  # the threshold of the other criterion stays 180 DDD


@pytest.mark.parametrize(
    ("t", "ended", "counts"),
    [
        (2019, 2018, False),  # "in het voorgaande kalenderjaar"
        (2019, 2017, True),
        (2019, 2019, True),
        (2019, 0, True),
        (2020, 2019, False),  # "in een van de twee aan het vereveningsjaar voorafgaande kalenderjaren"
        (2020, 2018, False),
        (2020, 2017, True),
        (2015, 2014, True),  # no such rule
    ],
)
def test_drugs_that_stopped_being_add_ons_give_no_fkg(t: int, ended: int, counts: bool) -> None:
    mapping = Mapping(drugs=[Drug(1, fkg=1, ggz_fkg=1, ended_addon=ended)])
    country = _with(people(t, [1]), claim(1, t - 1, 1, category=Category.drugs, product=1, ddd=181))
    assert codes(country, t, "fkg", mapping) == ((1,) if counts else (0,))
    assert codes(country, t, "ggz_fkg", mapping, share="ggz") == (1,)


# GSM ------------------------------------------------------------------------------------------------------------


def test_gsm_is_morbid_by_any_of_four_criteria_and_by_age() -> None:
    mapping = Mapping(drugs=[Drug(1, fkg=1)], diagnoses=[Diagnosis(1, 10, 5, 3)], devices=[Device(7, 1)])
    care = {
        "fkg": claim(1, 2014, 1, category=Category.drugs, product=1, ddd=181),
        "dkg": _hospital(2014, 10),
        "hkg": claim(1, 2014, 1, category=Category.devices, product=7),
    }
    assert keys(people(2015, [1]), 2015, "gsm") == {"no_morbidity_0_64"}
    for one in care.values():
        assert keys(_with(people(2015, [1]), one), 2015, "gsm", mapping) == {"morbidity_0_64"}
    old = people(2015, [1], birth_month=12 * 1950 + 5)  # 65 on 30 June 2015
    assert keys(old, 2015, "gsm") == {"no_morbidity_65_plus"}
    assert keys(_with(old, care["hkg"]), 2015, "gsm", mapping) == {"morbidity_65_plus"}
    assert keys(people(2015, [1], birth_month=12 * 1950 + 6), 2015, "gsm") == {"no_morbidity_0_64"}


def test_gsm_by_mhk_alone_and_mental_drugs_do_not_count() -> None:
    country = people(2015, range(1, 11))
    country.claims = [claim(1, y, 500) for y in (2013, 2014)]  # top 10% of 10 in two years
    assert codes(country, 2015, "mhk") == (1,)
    assert keys(country, 2015, "gsm") == {"morbidity_0_64"}
    assert keys(country, 2015, "gsm", person=2) == {"no_morbidity_0_64"}
    mental = claim(1, 2014, 1, category=Category.drugs, product=1, ddd=181)
    assert keys(_with(people(2015, [1]), mental), 2015, "gsm", Mapping(drugs=[Drug(1, ggz_fkg=1)])) == {
        "no_morbidity_0_64"
    }


# Addresses ------------------------------------------------------------------------------------------------------


def _at_one_address(count: int, **changes: Any) -> Country:
    return people(2015, range(1, count + 1), address=7, **changes)


def test_ses_0_from_sixteen_residents() -> None:
    assert keys(_at_one_address(15, ses=4), 2015, "ses") == {"high_18_64"}
    assert keys(_at_one_address(16, ses=4), 2015, "ses") == {"many_residents_18_64"}
    assert keys(_at_one_address(16, ses=4), 2015, "ggz_ses", share="ggz") == {"many_residents_18_64"}
    assert keys(_at_one_address(16, birth_month=12 * 2005), 2015, "ses") == {"many_residents_0_17"}


def test_a_resident_is_a_person_of_the_year_not_a_number_stood_for() -> None:
    assert keys(_at_one_address(15, ses=4, represents=40), 2015, "ses") == {"high_18_64"}
    gone = _at_one_address(16, ses=4)
    gone.records = [r for r in gone.records if r.person < 16 or r.first_day < day(2015)]
    assert keys(gone, 2015, "ses") == {"high_18_64"}
    abroad = _at_one_address(16, ses=4)
    for r in abroad.records:
        r.region = 0 if r.person == 16 else r.region
    assert keys(abroad, 2015, "ses") == {"high_18_64"}
    moved = _at_one_address(16, ses=4)
    late = moved.records[-1]
    late.last_day = day(2015, 3, 31)
    moved.records.append(replace(late, first_day=day(2015, 4, 1), last_day=day(2015, 12, 31), address=8))
    assert keys(moved, 2015, "ses") == {"high_18_64"}
    assert keys(moved, 2015, "ggz_one_person", person=16, share="ggz") == {"one_person"}


@pytest.mark.parametrize(("ses", "expected"), [(1, "low"), (2, "low"), (3, "middle"), (4, "high")])
def test_income_groups_of_2015(ses: int, expected: str) -> None:
    assert keys(people(2015, [1], ses=ses, birth_month=12 * 1945), 2015, "ses") == {f"{expected}_65_plus"}


def test_a_wlz_institution_is_an_address_of_many() -> None:
    country = people(2015, [1], ses=4, wlz=2, household=int(Household.wlz_permanent))
    assert keys(country, 2015, "ses") == {"many_residents_18_64"}


def test_one_person_address() -> None:
    country = people(2015, [1, 2], address=7, household=int(Household.one_person))
    country.records += people(2015, [3], address=8).records
    found = [codes(country, 2015, "ggz_one_person", person=p, share="ggz") for p in (1, 2, 3)]
    assert found == [(0,), (0,), (1,)]

    def own(**changes: Any) -> tuple[int, ...]:
        return codes(people(2015, [1], **changes), 2015, "ggz_one_person", share="ggz")

    assert own(wlz=2) == (0,)
    assert own(birth_month=12 * 2005) == own(region=0) == ()
    assert own(address=0, household=int(Household.one_person)) == (1,)
    assert own(address=0, household=int(Household.other)) == (0,)


def test_an_address_that_is_not_known_is_not_crowded() -> None:
    assert keys(people(2015, range(1, 18), address=0, ses=4), 2015, "ses") == {"high_18_64"}


# Cost -----------------------------------------------------------------------------------------------------------


def _ranked(t: int, pairs: dict[int, tuple[int, int]], category: Category, years: tuple[int, ...]) -> Country:
    """Ten persons; (claimed, settled) of some, the same in each of the years."""
    country = people(t, range(1, 11), years=6)
    for person, (claimed, settled) in pairs.items():
        for y in years:
            country.claims.append(replace(claim(person, y, claimed, category=int(category)), settled_cents=settled))
    return country


def test_mhk_ranks_settled_cost_in_2015_and_claimed_cost_later() -> None:
    pairs = {1: (900, 100), 2: (500, 200)}
    country = _ranked(2015, pairs, Category.hospital, (2013, 2014))
    assert [codes(country, 2015, "mhk", person=p) for p in (1, 2)] == [(0,), (1,)]
    later = _ranked(2019, pairs, Category.hospital, (2017, 2018))
    assert [codes(later, 2019, "mhk", person=p) for p in (1, 2)] == [(2,), (1,)]


def test_mhk_of_2015_needs_two_years() -> None:
    once = _ranked(2015, {1: (900, 900)}, Category.hospital, (2014,))
    assert codes(once, 2015, "mhk") == (0,)  # one year in the top 30 percent is a class from 2019 on
    assert codes(_ranked(2019, {1: (900, 900)}, Category.hospital, (2018,)), 2019, "mhk") == (1,)
    thrice = _ranked(2015, {1: (900, 900)}, Category.hospital, (2012, 2013, 2014))
    assert keys(thrice, 2015, "mhk") == {"top_10_in_3"}


@pytest.mark.parametrize(
    ("t", "category", "counts"),
    [
        (2015, Category.nursing, False),  # a cluster of its own
        (2015, Category.elv, False),  # fixed cost
        (2015, Category.ggz, False),
        (2019, Category.nursing, False),  # art. 5(2)
        (2019, Category.elv, True),
        (2020, Category.nursing, False),
        (2020, Category.grz, True),
    ],
)
def test_cost_that_mhk_looks_at(t: int, category: Category, counts: bool) -> None:
    country = _ranked(t, {1: (900, 900)}, category, (t - 3, t - 2, t - 1))
    assert (codes(country, t, "mhk") != (0,)) is counts


def test_nursing_share_of_2015_from_65() -> None:
    def own(years: int, **changes: Any) -> dict[str, tuple[int, ...]]:
        country = _ranked(2015, {1: (900, 900)}, Category.hospital, (2013, 2014))
        for r in country.records:
            if r.person == 1:
                r.birth_month, r.region = 12 * (2015 - years), changes.get("region", 3)
        return group(country, LAW[2015], Mapping(nursing_region=REGIONS))[1]["nursing"]

    assert own(64)["nursing_region"] == own(64)["mhk"] == ()
    assert len(own(64)["age_sex"]) == 1
    assert (own(65)["nursing_region"], own(65)["mhk"]) == ((2,), (1,))
    assert own(65, region=10)["nursing_region"] == (5,)
    assert (own(65, region=0)["nursing_region"], own(65, region=0)["mhk"]) == ((), (1,))  # 4(43): MHK abroad too


def test_later_years_have_no_nursing_share() -> None:
    assert group(people(2019, [1]), LAW[2019], Mapping())[1]["nursing"] == {}


# GGZ ------------------------------------------------------------------------------------------------------------


def _mental(t: int, cost: dict[int, dict[int, int]], persons: int = 400, **changes: Any) -> Country:
    """cost[person][year]; 400 persons: top 12.5 per mille = 5, 5 per mille = 2."""
    country = people(t, range(1, persons + 1), years=6, **changes)
    country.claims = [claim(p, y, c, category=Category.ggz) for p, own in cost.items() for y, c in own.items()]
    return country


def test_ggz_mhk_of_2015() -> None:
    three = (2012, 2013, 2014)
    country = _mental(2015, {p: dict.fromkeys(three, 9_000 - p) for p in range(1, 8)} | {9: {2012: 1}, 10: {2011: 1}})
    found = [keys(country, 2015, "ggz_mhk", person=p, share="ggz") for p in (1, 2, 3, 5, 6, 9, 10, 11)]
    high, top, some, none = {"top_1_25_in_3"}, {"top_0_5_in_3"}, {"cost_in_1_of_3"}, {"none"}
    assert found == [top, top, high, high, some, some, none, none]


def test_ggz_mhk_of_2015_any_cost_is_net_and_has_no_age() -> None:
    country = _mental(2015, {1: {2014: 5}, 2: {2014: 900}}, persons=2, birth_month=12 * 1996)  # 18 in 2014
    country.claims.append(claim(1, 2014, -5, category=Category.ggz))
    assert [keys(country, 2015, "ggz_mhk", person=p, share="ggz") for p in (1, 2)] == [{"none"}, {"cost_in_1_of_3"}]
    young = _mental(2015, {1: {2013: 5}}, persons=2, birth_month=12 * 1996)  # 17 in 2013
    assert keys(young, 2015, "ggz_mhk", share="ggz") == {"cost_in_1_of_3"}


def test_ggz_mhk_of_2015_ranks_settled_cost() -> None:
    country = _mental(2015, {p: dict.fromkeys((2012, 2013, 2014), 9_000 - p) for p in range(1, 7)})
    for c in country.claims:
        c.settled_cents = 10_000 if c.person == 6 else c.claimed_cents
    assert keys(country, 2015, "ggz_mhk", person=6, share="ggz") == {"top_0_5_in_3"}
    assert keys(country, 2015, "ggz_mhk", person=2, share="ggz") == {"top_1_25_in_3"}


@pytest.mark.parametrize("t", TWO)
def test_ggz_mhk_of_later_years_below_24_and_above_ten_euros(t: int) -> None:
    old = _mental(t, {1: {t - 5: 90_000}, 2: {t - 3: 1_000}, 3: {t - 3: 1_001}})
    assert [codes(old, t, "ggz_mhk", person=p, share="ggz") for p in (1, 2, 3)] == [(0,), (0,), (0,)]  # k of 1: 0
    pair = _mental(t, {p: {t - 3: 1_001} for p in (3, 4, 5)})
    assert codes(pair, t, "ggz_mhk", person=3, share="ggz") == (1,)  # floor(0.985 x 3) = 2
    young = _mental(t, {1: {t - 5: 90_000}}, birth_month=12 * (t - 23))
    assert keys(young, t, "ggz_mhk", share="ggz") == {"top_0_25_in_2_of_5"}  # 2.5 per mille of 400 = 1


def test_ggz_dkg_data_years() -> None:
    mapping = Mapping(mental_care=[MentalCare(1, 1), MentalCare(2, 4)])

    def found(t: int, *pairs: tuple[int, int]) -> tuple[int, ...]:
        care = [claim(1, t - lag, 1, category=Category.ggz, diagnosis=d) for lag, d in pairs]
        return codes(_with(people(t, [1]), *care), t, "ggz_dkg", mapping, share="ggz")

    assert found(2015, (2, 2), (1, 1)) == (4,)  # 11(3)k: 2013 and 2014
    assert found(2015, (3, 2)) == (0,)
    assert found(2015, (2, 1)) == (1,)
    assert found(2019, (3, 2), (1, 1)) == (4,)
    assert found(2019, (3, 1)) == (1,)  # 2019 prints no basic care
    assert found(2020, (2, 1)) == (0,)  # "1 (gebruik basis GGZ in het voorgaande jaar)"
    assert found(2020, (1, 1)) == (1,)


def test_ggz_dkg_15_means_very_low_ses_in_2020_only() -> None:
    mapping = Mapping(mental_care=[MentalCare(1, 15), MentalCare(2, 14)])

    def ses(t: int, diagnosis: int) -> set[str]:
        care = claim(1, t - 1, 1, category=Category.ggz, diagnosis=diagnosis)
        return keys(_with(people(t, [1], ses=4), care), t, "ses", mapping)

    assert ses(2019, 1) == {"high_18_64"}
    assert ses(2020, 1) == {"very_low_18_69"}
    assert ses(2020, 2) == {"high_18_69"}


# Wlz and MVV ----------------------------------------------------------------------------------------------------


def _nursed(t: int, **changes: Any) -> Country:
    """Of 3,909 insured, 9 with nursing cost: they fit in the top 0.25%, floor(9.77)."""
    country = people(t, range(1, 41), represents=100, **changes)
    country.claims = [claim(1, y, 500, category=Category.nursing) for y in (t - 3, t - 2, t - 1)]
    for r in country.records:
        if r.person == 1:
            r.represents = 9
    return country


@pytest.mark.parametrize("t", TWO)
def test_wlz_residents_of_18_have_no_mvv(t: int) -> None:
    assert keys(_nursed(t), t, "mvv") == {"top_0_25"}
    resident = _nursed(t, ses=4, wlz=2, household=int(Household.wlz_permanent))
    assert keys(resident, t, "mvv") == {"none"}
    assert key(t, "ses", codes(resident, t, "ses")[0]).startswith("very_low")


def test_wlz_children_lose_mvv_in_2019_and_keep_it_in_2020() -> None:
    young = {"wlz": 2, "household": int(Household.wlz_permanent)}
    assert keys(_nursed(2019, birth_month=12 * 2010), 2019, "mvv") == {"child_top_0_25"}
    assert keys(_nursed(2019, birth_month=12 * 2010, **young), 2019, "mvv") == {"none"}
    assert keys(_nursed(2020, birth_month=12 * 2010, **young), 2020, "mvv") == {"child_top_0_25"}


# Income ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t", "income", "years", "expected"),
    [
        (2015, Income.iva, 41, "disabled_35_44"),
        (2015, Income.disabled, 41, "disabled_35_44"),
        (2015, Income.higher_educated, 41, "reference_35_44"),
        (2015, Income.employed, 41, "reference_35_44"),
        (2015, Income.self_employed, 64, "self_employed_55_64"),
        (2015, Income.self_employed, 65, "age_65_plus"),
        (2015, Income.student, 35, "reference_35_44"),
        (2015, Income.iva, 10, "age_0_17"),
        (2019, Income.iva, 41, "iva_35_44"),
        (2019, Income.iva, 10, "age_0_17"),
        (2019, Income.social_assistance, 65, "age_65_plus"),
        (2019, Income.higher_educated, 44, "higher_educated_35_44"),
        (2019, Income.higher_educated, 45, "reference_45_54"),
        (2020, Income.iva, 10, "iva_0_17"),
        (2020, Income.employed, 10, "reference_0_17"),
        (2020, Income.social_assistance, 65, "social_assistance_65_69"),
        (2020, Income.student, 65, "reference_65_69"),
        (2020, Income.iva, 70, "age_70_plus"),
    ],
)
def test_avi_of_each_year(t: int, income: Income, years: int, expected: str) -> None:
    country = people(t, [1], birth_month=12 * (t - years), income_source=int(income))
    assert keys(country, t, "avi") == {expected}


@pytest.mark.parametrize(("t", "first_of_oldest"), [(2019, 65), (2020, 70)])
def test_ages_of_ses_and_ppa(t: int, first_of_oldest: int) -> None:
    def at(years: int) -> set[str]:
        country = people(t, [1], birth_month=12 * (t - years), household=int(Household.one_person), ses=3)
        return keys(country, t, "ses") | keys(country, t, "ppa")

    n = first_of_oldest
    assert at(n - 1) == {f"middle_18_{n - 1}", f"one_person_18_{n - 1}"}
    assert at(n) == {f"middle_{n}_plus", f"one_person_{n}_79"}


# Abroad and the deductible --------------------------------------------------------------------------------------


def test_abroad_in_2015() -> None:
    mapping = Mapping(drugs=[Drug(1, fkg=1)], diagnoses=[Diagnosis(1, 10, 5, 3)], devices=[Device(7, 1)])
    country = _ranked(2015, {1: (900, 900)}, Category.hospital, (2013, 2014))
    country.claims += [
        _hospital(2014, 10),
        claim(1, 2014, 1, category=Category.drugs, product=1, ddd=181),
        claim(1, 2014, 1, category=Category.devices, product=7),
    ]
    for r in country.records:
        r.region = 0
    classes = group(country, LAW[2015], mapping)[1]
    assert [classes["variable"][n] for n in ("fkg", "dkg", "hkg", "region", "ses")] == [(0,), (0,), (0,), (), ()]
    assert classes["variable"]["mhk"] == (1,)
    assert key(2015, "gsm", classes["variable"]["gsm"][0]) == "morbidity_0_64"  # by MHK
    assert [classes["ggz"][n] for n in ("ggz_region", "ggz_ses", "ggz_one_person")] == [(), (), ()]
    second = group(country, LAW[2015], mapping)[2]
    assert key(2015, "gsm", second["variable"]["gsm"][0]) == "no_morbidity_0_64"


@pytest.mark.parametrize("t", TWO)
def test_abroad_in_2019_and_2020(t: int) -> None:
    country = _with(people(t, [1], region=0), _hospital(t - 1, 10), _hospital(t - 1, 12))
    classes = group(country, LAW[t], DIAGNOSES)[1]["variable"]
    assert classes["dkg_primary"] == classes["dkg_secondary"] == (0,)
    assert classes["region"] == classes["ses"] == classes["ppa"] == ()


def _expected(country: Country, t: int, mapping: Mapping) -> bool:
    """Whether the deductible model holds for person 1; else the forfait does."""
    return any(group(country, LAW[t], mapping)[1]["deductible"].values())


@pytest.mark.parametrize("t", [2015, *TWO])
def test_who_is_on_the_forfait(t: int) -> None:
    mapping = Mapping(diagnoses=DIAGNOSES.diagnoses, devices=[Device(7, 1)])
    device = claim(1, t - 1, 1, category=Category.devices, product=7)
    assert _expected(people(t, [1]), t, mapping)
    assert not _expected(_with(people(t, [1]), _hospital(t - 1, 10)), t, mapping)
    assert _expected(_with(people(t, [1]), device), t, mapping) is (t == 2015)  # 9(2) of 2015 leaves HKG out
    secondary = _with(people(t, [1]), _hospital(t - 1, 12))
    assert _expected(secondary, t, mapping) is (t == 2015)  # the diagnosis leads to a secondary DKG only
    twice = _ranked(t, {1: (900, 900)}, Category.hospital, (t - 2, t - 1))
    assert not _expected(twice, t, mapping)
    once = _ranked(t, {1: (900, 900)}, Category.hospital, (t - 1,))
    assert _expected(once, t, mapping)


# Every class is met by the random countries of the differential tests ---------------------------------------------


def _reached(t: int, seeds: range) -> tuple[set[tuple[str, str, int]], Model]:
    found: set[tuple[str, str, int]] = set()
    model = LAW[t]
    for seed in seeds:
        country, model, mapping = random_case_of(seed, t, persons=(20, 60))
        for row in class_rows(country, model, mapping):
            found |= {(s, c, k) for s, own in row.classes.items() for c, codes in own.items() for k in codes}
    return found, model


@pytest.mark.parametrize("t", [2015, *TWO])
def test_random_countries_reach_the_classes(t: int) -> None:
    found, model = _reached(t, range(300))
    every = {(s.name, c.name, k.code) for s in model.shares() for c in s.criteria for k in c.classes}
    assert found <= every
    assert every - found == set()


def test_a_record_of_the_year_is_needed() -> None:
    only_before = Country([record(1, 2014, birth_month=12 * 1970)], [])
    assert group(only_before, LAW[2015], Mapping()) == {}
