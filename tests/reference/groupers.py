"""Classes of every criterion of 2015, 2019, 2020 and 2021, read off records and claims.

Regeling risicoverevening 2019, 2020, 2021 art. 5-9 and 11(3); Regeling 2015 art. 1, 5-9, 11(3) with Beleidsregels 2015
art. 4-6 and 15-17 and annex 1.

    classes[person][share][criterion] = tuple of codes, ascending, repeated where the criterion counts

A criterion that does not apply to a person has the empty tuple: GGZ criteria below 18 (annexes 2 and 3), region, SES
and PPA abroad (Bzv 3.8(1)b), the deductible model outside art. 8(2), V&V-regio and MHK of the nursing share below 65.

Persons of year t are all with a record in t. `group` gives the classes of the last record of t, `class_rows` those of
every record: its own demographic facts, and the classes of care of its person.

Readings kept outside `Readings`:
1. Demographic facts (region, SES, household, Wlz, income) are dated: a record has its own. Two are of the year as a
   whole, by the last record of t: the address whose residents are counted, and "Wlz resident" where MVV is "none".
2. Cost year = year in which the claim was opened; the cost of a person is summed over all its records and insurers.
3. A claim line counts for FKG, DKG, HKG, FDG whatever its amount; a correction is a line like any other.
4. AVI without a class of its own (employed, student of 35+, higher educated of 45+, unknown) is reference group:
   art. 9(5)a under 8, "alle verzekerden die niet zijn ingedeeld onder 1 tot en met 7 ... samen met ... onder 5".
5. Exclusions of art. 9(2) and 9(6) look at the classes that apply, not at those left over. (No pair of 2021 differs.)
6. Wlz residents of 18+ and the deceased of t-1 stay in the ranking of MVV, art. 9(7) only moves their class to "none".

2019 and 2020
7. Primary and secondary DKG are two criteria, each with a reference file of its own (9(10), 9(11)): a diagnosis may
   lead to a class of either, or of both. Of each the highest class over the care of t-1 and t-2 together (9(1),
   11(3)c-d); dx groups do not matter for the highest. HKG: the highest class (9(1) names no exception).
8. 2019, art. 9(6): no MVV for Wlz residents of any age. 2020 as amended: of 18 and older (law_toml has the two).
9. AVI: the reader of the data has gone down the funnel, so a person has one source of income. Without a class for the
   age: reference group (student of 35+, higher educated of 45+). Below 18 in 2019: the class of the age. Below 18 in
   2020: the class of the adults at the address, 65-69: the last known class, both of them in the record.
10. FKG (not GGZ-FKG): no class by a drug that stopped being an expensive in-hospital drug in the year before (2019), or
    in one of the two years before (2020), art. 9(3).
11. GGZ-DKG 1 is basic mental care of the year before where the table says so (2020, 2021); 2019 and 2015 do not.

2015
12. DKG and HKG: one class, the highest ("in welke DKG klasse", "de toepasselijke klasse").
13. GSM (1g, Beleidsregels 4(41), 15(26)): morbidity is any class but none of FKG, DKG, HKG or MHK, after 4(43): abroad
    only MHK is left. The exclusions of 4(19) never take the last class away, so before or after makes no difference.
14. AVI (4(8)) has no class of permanent disability: those insured are disabled ("arbeidsongeschikten"). The higher
    educated and the employed are reference group.
15. SES (Bzv 1 t): the number of persons at the address goes before its income. 15(21)e-f takes one address per insured
    over the year and names no date: residents are all persons with a record in t whose last one has the address. A row
    is one resident, whatever number it stands for; who lives abroad lives at no address here; address 0 is not known.
    Of our four income groups the lower two are "laag"; in a Wlz institution more than 15 live (both assumptions, TOML).
16. One-person address (Bzv 1 u: "waarop één persoon is ingeschreven"): the only resident in that sense, and not in a
    Wlz institution. The household of the record speaks only where the address is not known.
17. MHK and GGZ-MHK: settled cost, "gecorrigeerd voor opbrengstresultaten" (11(3)h, m). Cost of the cluster variable
    care, nursing being a cluster of its own. MHK of the nursing share: the same class, from 65 (Beleidsregels 9(4)).
18. GGZ-MHK "ten minste 1x kosten": any cost in any of three years, whatever the age then (1h; 16(19) takes all claims).
    The top per mille ranks adults as in 2021.
19. V&V-regio: by the mapping's list of the ten regions (4(12): postcodes), from 65.
20. Forfait (9(2)): FKG, DKG or MHK of any class. HKG does not count.
21. Diabetes and hypertension, annex 1 of the Beleidsregels: diabetes I goes first, then II with hypertension, then II.
    A drug that the mapping puts in "II met hypertensie" is one of persons with both; hypertension drugs as such are in
    no class (rows 7 and 8).
22. GGZ: bipolar complex is more than 180 DDD of bipolar regular and one prescription of the indicator (5(16)), a drug
    of the regular class in the mapping; it then drops that class (5(18)b). Depot by prescriptions of its own (5(15)).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from .country import (
    Category,
    Claim,
    Country,
    Criterion,
    Diagnosis,
    Drug,
    Household,
    Income,
    Mapping,
    Model,
    Record,
    RiskClass,
    Share,
    Title,
    age,
    born,
    days,
    days_in_year,
    year_of,
)

Codes = tuple[int, ...]
Classes = dict[str, dict[str, Codes]]
Tie = Callable[[str, int, int], object]
"""Key of a tie on a threshold: (criterion kind, cost year, person), ascending goes first."""


def by_person_number(_kind: str, _year: int, person: int) -> object:
    """Ties to whole persons in order of their number."""
    return person


@dataclass(frozen=True)
class Readings:
    """Where the law leaves room; defaults are the reading of this implementation.

    mhk_two_last: MHK class 2, "2 voorafgaande jaren ... top 10 procent". False: any two of the three data years (the
        project's specification). True: t-1 and t-2, the literal text beside "Ten minste 1 van de 3" in the same table.
    ggz_mhk_users: "top 98,5 procent met kosten GGZ > 10 euro". True: top 98.5% of the insured with more than EUR 10 in
        that year, which gives art. 9(9) a border to share out; False: top 98.5% of all ranked, and more than EUR 10.
    ggz_mhk_adults: the ranking of a cost year holds its insured of 18+ (annex 2: the criteria are for 18+), since a
        threshold belongs to a cost year (specification, section 4); False: everybody insured.
    ggz_basic_last_year: GGZ-DKG 1, "gebruik basis GGZ in het voorgaande jaar", looks at t-1 only.
    """

    mhk_two_last: bool = False
    ggz_mhk_users: bool = True
    ggz_mhk_adults: bool = True
    ggz_basic_last_year: bool = True


DEFAULT = Readings()


@dataclass
class Row:
    """One insured record of year t with its classes."""

    index: int
    person: int
    insurer: int
    first_day: int
    last_day: int
    days: int
    represents: int
    age: int
    adult: bool
    voluntary_deductible_cents: int
    classes: Classes


@dataclass
class _Facts:
    """Everything looked up more than once."""

    model: Model
    mapping: Mapping
    year: int
    tie: Tie
    readings: Readings
    records: dict[tuple[int, int], list[Record]]
    claims: dict[tuple[int, int], list[Claim]]
    birth_month: dict[int, int]
    represents: dict[tuple[int, int], int]
    residents: dict[int, int]
    """Persons per address in the equalization year."""
    current: dict[int, Record] = field(default_factory=dict)
    """Of a person, the record whose classes are asked; default the last one of the year."""

    def record(self, person: int) -> Record:
        """The record whose demographic facts count."""
        return self.current.get(person) or self.records[person, self.year][-1]

    def address(self, person: int) -> int:
        """Where a person lives at the end of the year."""
        return self.records[person, self.year][-1].address

    def age(self, person: int, year: int | None = None) -> int:
        """Age on the reference date of the equalization year or another year, also of who is dead by then."""
        return age(self.birth_month[person], self.year if year is None else year, self.model.reference_month)

    def adult(self, person: int, year: int | None = None) -> bool:
        """18 or older on that date, or on that of another year."""
        return self.age(person, year) >= self.model.adult_age

    def in_wlz(self, person: int) -> bool:
        """In a Wlz institution in the equalization year, entering or staying."""
        return self.records[person, self.year][-1].wlz > 0

    def insured(self, year: int) -> dict[int, int]:
        """Persons with an insured day in `year`, with how many insured each stands for."""
        return {p: n for (p, y), n in self.represents.items() if y == year}

    def care(self, person: int, lags: Iterable[int]) -> list[Claim]:
        """Claims of a person opened in the data years."""
        return [c for lag in lags for c in self.claims.get((person, self.year - lag), [])]


def _facts(country: Country, model: Model, mapping: Mapping, year: int, tie: Tie, readings: Readings) -> _Facts:
    records: dict[tuple[int, int], list[Record]] = defaultdict(list)
    claims: dict[tuple[int, int], list[Claim]] = defaultdict(list)
    birth: dict[int, int] = {}
    for r in sorted(country.records, key=lambda r: (r.person, r.first_day)):
        records[r.person, year_of(r.first_day)].append(r)
        birth[r.person] = r.birth_month
    for c in country.claims:
        claims[c.person, year_of(c.opened)].append(c)
    represents = {key: rows[0].represents for key, rows in records.items()}
    residents: dict[int, int] = defaultdict(int)
    for (_, y), rows in records.items():
        if y == year and rows[-1].region > 0:
            residents[rows[-1].address] += 1
    return _Facts(model, mapping, year, tie, readings, dict(records), dict(claims), birth, represents, dict(residents))


# Ranking --------------------------------------------------------------------------------------------------------


def in_top(cost: dict[int, int], represents: dict[int, int], per_myriad: int, key: Callable[[int], object]) -> set[int]:
    """Persons in the top q of a year.

    k = floor(q / 10,000 x total number of insured); in the order (cost descending, key ascending) a person is in the
    top when it and all before it stand for at most k insured. Without cost nobody is in the top (art. 9(11) for MVV; a
    person without care has no high cost). Art. 9(9) and 9(10) share persons on the border pro rata; here whole persons
    go over the border in the order of the key, which is the same number of insured.
    """
    line = per_myriad * sum(represents.values()) // 10_000
    top: set[int] = set()
    used = 0
    for person in sorted(represents, key=lambda p: (-cost.get(p, 0), key(p))):
        used += represents[person]
        if used > line or cost.get(person, 0) <= 0:
            break
        top.add(person)
    return top


def _cents(facts: _Facts, claim: Claim) -> int:
    """Cents that MHK and GGZ-MHK look at: claimed (13(1): own payments included), settled in 2015."""
    return claim.settled_cents if facts.model.mhk_settled else claim.claimed_cents


def variable_cost(facts: _Facts, person: int, year: int) -> int:
    """Cents of the variable cluster without nursing (2021 art. 5(3), 2019 and 2020 art. 5(2))."""
    m = facts.model
    return sum(
        _cents(facts, c)
        for c in facts.claims.get((person, year), [])
        if m.cluster[c.category] == "variable" and not m.mhk_excluded[c.category]
    )


def ggz_cost(facts: _Facts, person: int, year: int) -> int:
    """Cents of the GGZ cluster. Art. 5(4) (second and third year of stay) is not in the data."""
    return sum(
        _cents(facts, c) for c in facts.claims.get((person, year), []) if facts.model.cluster[c.category] == "ggz"
    )


def nursing_cost(facts: _Facts, person: int, year: int) -> int:
    """Claimed cents of nursing and care (verpleging en verzorging)."""
    return sum(c.claimed_cents for c in facts.claims.get((person, year), []) if c.category == Category.nursing)


def highest(criterion: Criterion, holds: Callable[[RiskClass], bool]) -> int:
    """Highest class whose condition holds, else 0 (art. 9(1))."""
    return max((c.code for c in criterion.classes if c.code > 0 and holds(c)), default=0)


# Year classes: MHK, GGZ-MHK, MVV --------------------------------------------------------------------------------


def mhk_codes(facts: _Facts, criterion: Criterion) -> dict[int, int]:
    """MHK: at least `years` of the data years in the top share of that year's variable cost."""
    lags = criterion.data_years
    tops: dict[tuple[int, int], set[int]] = {}
    for lag in lags:
        represents = facts.insured(facts.year - lag)
        cost = {p: variable_cost(facts, p, facts.year - lag) for p in represents}
        for share in {c.top_per_myriad for c in criterion.classes if c.code > 0}:
            tops[lag, share] = in_top(cost, represents, share, _key(facts, "mhk", facts.year - lag))

    def code(person: int) -> int:
        def holds(c: RiskClass) -> bool:
            looked = sorted(lags)[:2] if facts.readings.mhk_two_last and c.years == 2 else lags
            return sum(person in tops[lag, c.top_per_myriad] for lag in looked) >= c.years

        return highest(criterion, holds)

    return {p: code(p) for p in facts.insured(facts.year)}


def _key(facts: _Facts, kind: str, year: int) -> Callable[[int], object]:
    return lambda person: facts.tie(kind, year, person)


def ggz_mhk_codes(facts: _Facts, criterion: Criterion) -> dict[int, int]:
    """GGZ-MHK, table 2.8 with its footnote: below 24 years one of the five years is enough."""
    tops: dict[tuple[int, int, int], set[int]] = {}
    for lag in criterion.data_years:
        year = facts.year - lag
        insured = facts.insured(year)
        cost = {p: ggz_cost(facts, p, year) for p in insured}
        ranked = insured
        if facts.readings.ggz_mhk_adults:
            ranked = {p: n for p, n in ranked.items() if facts.adult(p, year)}
        for c in criterion.classes:
            if c.top_per_myriad == 10_000:  # "ten minste 1x kosten"
                tops[lag, c.top_per_myriad, c.min_cents] = {p for p in insured if cost[p] > 0}
            elif c.code > 0:
                tops[lag, c.top_per_myriad, c.min_cents] = _ggz_top(facts, c, year, cost, ranked)

    def code(person: int) -> int:
        def holds(c: RiskClass) -> bool:
            looked = sorted(criterion.data_years)[: c.of_years or None]
            needed = c.young_years if facts.age(person) < c.young_below else c.years
            return sum(person in tops[lag, c.top_per_myriad, c.min_cents] for lag in looked) >= needed

        return highest(criterion, holds)

    return {p: code(p) for p in facts.insured(facts.year)}


def _ggz_top(facts: _Facts, c: RiskClass, year: int, cost: dict[int, int], ranked: dict[int, int]) -> set[int]:
    if c.min_cents and facts.readings.ggz_mhk_users:
        ranked = {p: n for p, n in ranked.items() if cost[p] > c.min_cents}
    top = in_top(cost, ranked, c.top_per_myriad, _key(facts, "ggz_mhk", year))
    return {p for p in top if cost[p] > c.min_cents}


def mvv_codes(facts: _Facts, criterion: Criterion) -> dict[int, int]:
    """MVV: summed nursing cost of the data years, adults; class of children: cost of t-1 among 0-17.

    Ranked are persons with an insured day in t-1 by their age on the reference date of t. Art. 9(7): Wlz residents of
    18+ have class none, in 2019 of every age.
    """
    lags = criterion.data_years
    ranked = facts.insured(facts.year - min(lags))
    groups = {
        False: {p: n for p, n in ranked.items() if facts.adult(p)},
        True: {p: n for p, n in ranked.items() if not facts.adult(p)},
    }
    tops: dict[int, set[int]] = {}
    for c in criterion.classes:
        if c.code > 0:
            ranked_here = groups[c.age_max < facts.model.adult_age]
            looked = sorted(lags)[: c.of_years or None]
            cost = {p: sum(nursing_cost(facts, p, facts.year - lag) for lag in looked) for p in ranked_here}
            tops[c.code] = in_top(cost, ranked_here, c.top_per_myriad, _key(facts, "mvv", facts.year - min(lags)))

    def code(person: int) -> int:
        limit = facts.model.wlz_no_mvv_from_age
        resident = limit != 0 and facts.in_wlz(person) and facts.age(person) >= limit
        return 0 if resident else highest(criterion, lambda c: person in tops[c.code])

    return {p: code(p) for p in facts.insured(facts.year)}


# Care classes ---------------------------------------------------------------------------------------------------


def fkg_codes(facts: _Facts, person: int, criterion: Criterion, ggz: bool) -> set[int]:
    """FKG: more than min_ddd DDD summed over the drugs of a class, or its least prescriptions; then exclusions."""
    drugs = {d.drug: d for d in facts.mapping.drugs}
    ddd: dict[int, int] = defaultdict(int)
    prescriptions: dict[int, int] = defaultdict(int)
    bounds: dict[int, tuple[int, int]] = {}
    indicators: dict[tuple[int, int], int] = defaultdict(int)
    for claim in facts.care(person, criterion.data_years):
        drug = drugs.get(claim.product) if claim.category == Category.drugs else None
        if drug is None or (not ggz and _ended(facts, drug)):
            continue
        code, bound = (drug.ggz_fkg if ggz else drug.fkg), _bound(drug, ggz)
        if code:
            if bounds.setdefault(code, bound) != bound:
                raise ValueError(f"{criterion.name} {code}: drugs of one class with different thresholds")
            ddd[code] += claim.ddd
            prescriptions[code] += claim.prescriptions
            if ggz and drug.ggz_indicated:
                indicators[code, drug.ggz_indicated] += claim.prescriptions
    codes = {k for k, (least, lines) in bounds.items() if (prescriptions[k] >= lines if lines else ddd[k] > least)}
    codes |= {indicated for (code, indicated), n in indicators.items() if code in codes and n > 0}
    return without_excluded(criterion, codes)


def _bound(drug: Drug, ggz: bool) -> tuple[int, int]:
    """Least DDD and, when set, least prescriptions instead."""
    return drug.min_ddd, (drug.ggz_min_prescriptions if ggz else 0) or drug.min_prescriptions


def _ended(facts: _Facts, drug: Drug) -> bool:
    """Art. 9(3) of 2019 and 2020: stopped being an expensive in-hospital drug in the last year, the last two years."""
    return facts.year - facts.model.ended_addon_years <= drug.ended_addon < facts.year


def without_excluded(criterion: Criterion, codes: set[int]) -> set[int]:
    """Art. 9(2)a-i, 9(6): when both apply, `drop` is not assigned."""
    return codes - {e.drop for e in criterion.exclusions if e.keep in codes and e.drop in codes}


def leads_to_diagnosis(claim: Claim) -> bool:
    """Hospital care and 1.5-line care under the titles specialist_care and designated; never a consult."""
    if claim.consult:
        return False
    if claim.category == Category.one_and_a_half_line:
        return claim.title in (Title.specialist_care, Title.designated)
    return claim.category == Category.hospital


def diagnoses_of(facts: _Facts, person: int, criterion: Criterion) -> list[Diagnosis]:
    """Rows of the reference file that the hospital care of the data years leads to."""
    table = {(d.specialism, d.diagnosis): d for d in facts.mapping.diagnoses}
    found = []
    for claim in facts.care(person, criterion.data_years):
        row = table.get((claim.specialism, claim.diagnosis)) if leads_to_diagnosis(claim) else None
        if row and (not row.light or claim.product % 100 < facts.mapping.light_product_percent):
            found.append(row)
    return found


def dkg_codes(facts: _Facts, person: int, criterion: Criterion) -> list[int]:
    """DKG: one class per distinct dx group, a class as often as it has groups (2021 art. 9(4)a)."""
    groups = {d.dx_group: d.dkg for d in diagnoses_of(facts, person, criterion) if d.dkg}
    return sorted(groups.values())


def two_dkg_codes(facts: _Facts, person: int, criterion: Criterion, kind: str) -> set[int]:
    """Classes of the primary or the secondary DKG (2019, 2020)."""
    rows = diagnoses_of(facts, person, criterion)
    return {d.dkg_primary if kind == "dkg_primary" else d.dkg_secondary for d in rows} - {0}


def listed_codes(facts: _Facts, person: int, criterion: Criterion, kind: str) -> set[int]:
    """HKG, FDG, GGZ-DKG: classes of the devices and diagnoses in the claims of the data years."""
    category, table = {
        "hkg": (Category.devices, {d.device: d.hkg for d in facts.mapping.devices}),
        "fdg": (Category.paramedical, {p.diagnosis: p.fdg for p in facts.mapping.physiotherapy}),
        "ggz_dkg": (Category.ggz, {m.diagnosis: m.ggz_dkg for m in facts.mapping.mental_care}),
    }[kind]
    codes = set()
    for claim in facts.care(person, criterion.data_years):
        if claim.category == category:
            code = table.get(claim.product if kind == "hkg" else claim.diagnosis, 0)
            if not (kind == "ggz_dkg" and _too_early(facts, criterion, code, year_of(claim.opened))):
                codes.add(code)
    return codes - {0}


def _too_early(facts: _Facts, criterion: Criterion, code: int, year: int) -> bool:
    """GGZ-DKG 1, "gebruik basis GGZ in het voorgaande jaar", opened before t-1."""
    lasting = next((k.of_years for k in criterion.classes if k.code == code), 0)
    return facts.readings.ggz_basic_last_year and lasting > 0 and facts.year - year > lasting


# Demography -----------------------------------------------------------------------------------------------------


def class_of(criterion: Criterion, years: int, *, sex: int = 0, group: int = 0, birth: int = 0) -> int | None:
    """The class whose sex, age band, year of birth and group fit; None when the table has none."""
    for c in criterion.classes:
        fits_birth = c.born == 0 or years > 0 or c.born == birth
        if c.sex in (0, sex) and c.age_min <= years <= c.age_max and c.group in (0, group) and fits_birth:
            return c.code
    return None


def demographic_code(facts: _Facts, record: Record, criterion: Criterion, kind: str, wlz_like: bool) -> int | None:
    """age_sex, avi, region, ses or ppa of a record of year t; wlz_like: SES 1 by art. 9(7) or 9(8)."""
    years = facts.age(record.person)
    if kind == "age_sex":
        sex = 1 if record.sex == 1 else 2  # "vrouwen en onbepaald geslacht"
        return class_of(criterion, years, sex=sex, birth=born(record.birth_month, facts.year))
    if kind == "avi":
        source = record.income_source
        if source == Income.iva and all(c.group != Income.iva for c in criterion.classes):
            source = int(Income.disabled)
        found = class_of(criterion, years, group=source)
        return class_of(criterion, years, group=int(Income.reference)) if found is None else found
    if record.region == 0:
        return None
    if kind == "region":
        return class_of(criterion, years, group=record.region)
    if kind == "nursing_region" and not _of_age(criterion, years):
        return None
    if kind == "nursing_region":
        return class_of(criterion, years, group=facts.mapping.nursing_region[record.region - 1])
    if kind == "ses":
        return class_of(criterion, years, group=ses_group(facts, record, wlz_like))
    if kind == "one_person":
        return one_person_code(facts, record)
    return class_of(criterion, years, group=record.household)


def one_person_code(facts: _Facts, record: Record) -> int:
    """1 when nobody else lives at the address."""
    address = facts.address(record.person)
    if facts.residents.get(address, 0) == 0 or address == 0:
        return int(record.household == Household.one_person)
    institution = facts.model.wlz_lowest_ses and record.wlz > 0
    return int(facts.residents[address] == 1 and not institution)


def ses_group(facts: _Facts, record: Record, wlz_like: bool) -> int:
    """1 very low ... 4 high; 2015: 1 more than 15 residents, 2 low, 3 middle, 4 high."""
    model = facts.model
    most = model.lowest_ses_above_residents
    address = facts.address(record.person)
    if wlz_like or (most and address and facts.residents.get(address, 0) > most):
        return 1
    return model.ses_of_income_group[record.ses - 1] if model.ses_of_income_group else record.ses


# All together ---------------------------------------------------------------------------------------------------

_GGZ_OWN = ("ggz_fkg", "ggz_dkg", "ggz_mhk")
_NONE_ABROAD = ("fkg", "dkg", "dkg_primary", "dkg_secondary", "hkg", "fdg", "ggz_fkg", "ggz_dkg")
_ONLY_HERE = ("region", "nursing_region", "ses", "ppa", "one_person")


def kind_of(criterion: Criterion) -> str:
    """age_sex, avi, ... without the prefix of the share; the GGZ criteria with rules of their own keep it."""
    if criterion.name in _GGZ_OWN:
        return criterion.name
    return criterion.name.removeprefix("ggz_").removeprefix("deductible_")


def group(
    country: Country,
    model: Model,
    mapping: Mapping,
    year: int | None = None,
    tie: Tie = by_person_number,
    readings: Readings = DEFAULT,
) -> dict[int, Classes]:
    """Classes of every person with a record in `year` (default: the model year)."""
    facts = _facts(country, model, mapping, model.year if year is None else year, tie, readings)
    yearly = {c.name: _yearly(facts, c) for s in (model.nursing, model.variable, model.ggz) for c in s.criteria}
    return {p: _person(facts, p, yearly) for p in sorted(facts.insured(facts.year))}


def _yearly(facts: _Facts, criterion: Criterion) -> dict[int, int]:
    grouper = {"mhk": mhk_codes, "ggz_mhk": ggz_mhk_codes, "mvv": mvv_codes}.get(kind_of(criterion))
    return grouper(facts, criterion) if grouper else {}


def _person(facts: _Facts, person: int, yearly: dict[str, dict[int, int]]) -> Classes:
    model, adult = facts.model, facts.adult(person)
    low = _ses_very_low(facts, person, adult)
    variable = {c.name: _codes(facts, person, c, yearly, low) for c in model.variable.criteria if c.name != "gsm"}
    for criterion in model.variable.criteria:
        if criterion.name == "gsm":
            variable["gsm"] = (gsm_code(facts, person, criterion, variable),)
    ggz = {c.name: _codes(facts, person, c, yearly, low) if adult else () for c in model.ggz.criteria}
    nursing = {c.name: _codes(facts, person, c, yearly, low) for c in model.nursing.criteria}
    own: dict[str, Codes] = {c.name: () for c in model.deductible.criteria}
    if adult and not has_morbidity(model, variable):
        own = {c.name: _deductible_codes(facts, person, c, variable) for c in model.deductible.criteria}
    with_compensation = dict(ggz) if model.ggz_hcc.criteria else {}
    return {"variable": variable, "ggz": ggz, "ggz_hcc": with_compensation, "nursing": nursing, "deductible": own}


def gsm_code(facts: _Facts, person: int, criterion: Criterion, variable: dict[str, Codes]) -> int:
    """GSM: group 1 without, 2 with a class of FKG, DKG, HKG or MHK."""
    morbid = any(variable[name] != (0,) for name in facts.model.gsm_criteria)
    code = class_of(criterion, facts.age(person), group=1 + morbid)
    assert code is not None
    return code


def _ses_very_low(facts: _Facts, person: int, adult: bool) -> bool:
    """Art. 9(7): in a Wlz institution; art. 9(8): GGZ-DKG from class 15."""
    if facts.model.wlz_lowest_ses and facts.record(person).wlz > 0:
        return True
    first = facts.model.lowest_ses_from_ggz_dkg
    dkg = [c for c in facts.model.ggz.criteria if kind_of(c) == "ggz_dkg"] if adult and first else []
    return any(code >= first for c in dkg for code in _codes(facts, person, c, {}, False))


def _codes(facts: _Facts, person: int, criterion: Criterion, yearly: dict[str, dict[int, int]], low: bool) -> Codes:
    kind = kind_of(criterion)
    record = facts.record(person)
    if kind in ("mhk", "ggz_mhk", "mvv"):
        code = yearly[criterion.name][person]
        applies = kind == "mvv" or _of_age(criterion, facts.age(person))
        return (code,) if applies else ()
    if kind in ("age_sex", "avi", *_ONLY_HERE):
        found_code = demographic_code(facts, record, criterion, kind, low)
        if (
            found_code is None
            and (record.region > 0 or kind not in _ONLY_HERE)
            and _of_age(criterion, facts.age(person))
        ):
            raise ValueError(f"{criterion.name}: person {person} has no class")
        return () if found_code is None else (found_code,)
    if kind in _NONE_ABROAD and record.region == 0:
        return (0,)
    if criterion.assignment == "count":
        return tuple(dkg_codes(facts, person, criterion)) or (0,)
    if kind in ("fkg", "ggz_fkg"):
        found = fkg_codes(facts, person, criterion, kind == "ggz_fkg")
    elif kind == "dkg":
        found = set(dkg_codes(facts, person, criterion))
    elif kind in ("dkg_primary", "dkg_secondary"):
        found = two_dkg_codes(facts, person, criterion, kind)
    else:
        found = listed_codes(facts, person, criterion, kind)
    if criterion.assignment == "single":
        return (max(found, default=0),)
    return tuple(sorted(found)) or (0,)


def _of_age(criterion: Criterion, years: int) -> bool:
    """Within the ages that the table has at all."""
    return any(c.age_min <= years <= c.age_max for c in criterion.classes)


def has_morbidity(model: Model, variable: dict[str, Codes]) -> bool:
    """Not within art. 8(2): any class but none of the morbidity criteria, or MHK from class forfait_from_mhk."""
    flagged = any(variable.get(name, (0,)) != (0,) for name in model.morbidity_criteria)
    return flagged or max(variable.get("mhk", (0,))) >= model.forfait_from_mhk


def _deductible_codes(facts: _Facts, person: int, criterion: Criterion, variable: dict[str, Codes]) -> Codes:
    kind = kind_of(criterion)
    if kind == "mhk":
        return variable["mhk"]
    code = demographic_code(facts, facts.record(person), criterion, kind, False)
    return () if code is None else (code,)


def class_rows(
    country: Country,
    model: Model,
    mapping: Mapping,
    year: int | None = None,
    tie: Tie = by_person_number,
    readings: Readings = DEFAULT,
) -> list[Row]:
    """Records of the year in order (person, first_day), each with its classes."""
    year = model.year if year is None else year
    facts = _facts(country, model, mapping, year, tie, readings)
    yearly = {c.name: _yearly(facts, c) for s in (model.nursing, model.variable, model.ggz) for c in s.criteria}
    records = sorted(
        (r for r in country.records if year_of(r.first_day) == year), key=lambda r: (r.person, r.first_day)
    )
    check_records(records, year)
    rows = []
    for i, r in enumerate(records):
        years = age(r.birth_month, year, model.reference_month)
        facts.current = {r.person: r}
        rows.append(
            Row(
                i,
                r.person,
                r.insurer,
                r.first_day,
                r.last_day,
                days(r),
                r.represents,
                years,
                years >= model.adult_age,
                r.voluntary_deductible_cents,
                _person(facts, r.person, yearly),
            )
        )
    return rows


def check_records(records: list[Record], year: int) -> None:
    """One insurer a day (art. 10(2) is refused, not shared out), within one calendar year."""
    for r in records:
        if year_of(r.last_day) != year or not 1 <= days(r) <= days_in_year(year):
            raise ValueError(f"person {r.person}: record outside {year}")
    for a, b in pairwise(records):
        if a.person == b.person and b.first_day <= a.last_day:
            raise ValueError(f"person {a.person}: insured twice on one day")


def share_of(model: Model, name: str) -> Share:
    """The share by its name."""
    return next(s for s in model.shares() if s.name == name)
