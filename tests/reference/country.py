"""Plain-Python mirrors of the data contracts, and a random small country. `law_2021`, `law_toml` give the model."""

from __future__ import annotations

import datetime
import random
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Any


class Category(IntEnum):
    """Cost categories, in the order of core/care.hpp."""

    transport = 0
    gp = 1
    paramedical = 2
    drugs = 3
    obstetric = 4
    maternity = 5
    devices = 6
    dental = 7
    chain_care = 8
    hospital = 9
    diagnostics = 10
    grz = 11
    sensory = 12
    nursing = 13
    elv = 14
    ggz = 15
    other = 16
    one_and_a_half_line = 17


class Title(IntEnum):
    """Payment titles of 1.5-line care (bekostigingstitel)."""

    gp_care = 0
    specialist_care = 1
    designated = 2


class Income(IntEnum):
    """Income sources in the order of the funnel of art. 9(5)a."""

    none = 0
    iva = 1
    disabled = 2
    social_assistance = 3
    student = 4
    employed = 5
    self_employed = 6
    higher_educated = 7
    reference = 8


class Household(IntEnum):
    """Household and Wlz state behind PPA."""

    none = 0
    wlz_permanent = 1
    wlz_entering = 2
    one_person = 3
    other = 4


CLUSTERS = ("variable", "fixed", "ggz", "none", "nursing")


@dataclass
class Record:
    """One insured period of one person at one insurer within one calendar year; days since 1970-01-01."""

    person: int
    address: int
    first_day: int
    last_day: int
    birth_month: int
    voluntary_deductible_cents: int = 0
    insurer: int = 1
    represents: int = 1
    municipality: int = 1
    region: int = 1
    sex: int = 1
    income_source: int = 8
    ses: int = 1
    household: int = 4
    wlz: int = 0


@dataclass
class Claim:
    """One claim (declaratie). The cost year is the year in which it was opened."""

    person: int
    opened: int
    closed: int
    claimed_cents: int
    settled_cents: int
    claim: int = 0
    product: int = 0
    insurer: int = 1
    specialism: int = 0
    diagnosis: int = 0
    ddd: int = 0
    prescriptions: int = 0
    category: int = int(Category.hospital)
    consult: bool = False
    title: int = int(Title.specialist_care)


@dataclass
class Country:
    """Everybody, over all years."""

    records: list[Record] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


@dataclass
class Drug:
    drug: int
    fkg: int = 0
    ggz_fkg: int = 0
    min_ddd: int = 180
    min_prescriptions: int = 0
    ggz_min_prescriptions: int = 0
    ggz_indicated: int = 0
    ended_addon: int = 0


@dataclass
class Diagnosis:
    specialism: int
    diagnosis: int
    dx_group: int
    dkg: int = 0
    light: bool = False
    dkg_primary: int = 0
    dkg_secondary: int = 0


@dataclass
class Device:
    device: int
    hkg: int


@dataclass
class Physiotherapy:
    diagnosis: int
    fdg: int


@dataclass
class MentalCare:
    diagnosis: int
    ggz_dkg: int


@dataclass
class Mapping:
    """Reference files: which care leads to which class (art. 9(12))."""

    drugs: list[Drug] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    physiotherapy: list[Physiotherapy] = field(default_factory=list)
    mental_care: list[MentalCare] = field(default_factory=list)
    nursing_region: list[int] = field(default_factory=list)
    light_product_percent: int = 15


@dataclass
class RiskClass:
    """One class of a criterion; weight in micro-euro per insured year.

    of_years: only the latest so many data years count, 0 all ("1 van de 3" of table 2.8, "voorafgaand jaar" of MVV 9);
    young_below, young_years: footnote of tables 2.8 and 3.8, below 24 years one year is enough.
    """

    code: int
    key: str = ""
    label: str = ""
    weight: int = 0
    source: str = ""
    sex: int = 0
    age_min: int = 0
    age_max: int = 999
    born: int = 0
    group: int = 0
    years: int = 0
    top_per_myriad: int = 0
    of_years: int = 0
    min_cents: int = 0
    young_below: int = 0
    young_years: int = 0


@dataclass
class Exclusion:
    keep: int
    drop: int


@dataclass
class Criterion:
    """A criterion; assignment is single, all or count."""

    name: str
    assignment: str = "single"
    first_code: int = 0
    classes: list[RiskClass] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    data_years: list[int] = field(default_factory=lambda: [0])
    age_bands_zero_sum: bool = False


@dataclass
class Share:
    name: str
    criteria: list[Criterion] = field(default_factory=list)


@dataclass
class NeutralityRule:
    """rule is class_totals, zero_sum or offset (art. 11(4)-(13), 17(3))."""

    share: str
    criterion: str
    rule: str
    reset: list[int] = field(default_factory=list)
    of: list[int] = field(default_factory=list)
    article: str = ""


def _no_cluster() -> list[str]:
    return ["none"] * len(Category)


def _no_category() -> list[bool]:
    return [False] * len(Category)


@dataclass
class Model:
    """Everything the law says about one equalization year; the mirror of params::Model, same field names."""

    name: str = ""
    year: int = 2021
    official: bool = True
    complete: bool = True
    variable: Share = field(default_factory=lambda: Share("variable"))
    ggz: Share = field(default_factory=lambda: Share("ggz"))
    ggz_hcc: Share = field(default_factory=lambda: Share("ggz_hcc"))
    deductible: Share = field(default_factory=lambda: Share("deductible"))
    nursing: Share = field(default_factory=lambda: Share("nursing"))
    neutrality: list[NeutralityRule] = field(default_factory=list)
    macro_total: int = 0
    macro_variable: int = 0
    macro_fixed: int = 0
    macro_ggz: int = 0
    macro_nursing: int = 0
    revenue_premium: int = 0
    revenue_deductible: int = 0
    fund_payment: int = 0
    calculation_premium: int = 0
    administration_under_18: int = 0
    deductible_amount: int = 0
    forfait: int = 0
    deductible_exempt: list[bool] = field(default_factory=_no_category)
    title_deductible_exempt: list[bool] = field(default_factory=lambda: [False] * 3)
    forfait_from_mhk: int = 2
    morbidity_criteria: list[str] = field(default_factory=list)
    cluster: list[str] = field(default_factory=_no_cluster)
    mhk_excluded: list[bool] = field(default_factory=_no_category)
    mhk_settled: bool = False
    flat_ppm_variable: int = 1_000_000
    flat_ppm_ggz: int = 1_000_000
    flat_ppm_nursing: int = 0
    own_payments_macro_corrected: bool = False
    own_payments_flat_ppm: int = 0
    hcc_ggz_top_per_myriad: int = 0
    hcc_ggz_ppm: int = 0
    wlz_lowest_ses: bool = False
    wlz_no_mvv_from_age: int = 0
    lowest_ses_from_ggz_dkg: int = 0
    lowest_ses_above_residents: int = 0
    ses_of_income_group: list[int] = field(default_factory=list)
    ended_addon_years: int = 0
    gsm_criteria: list[str] = field(default_factory=list)
    adult_age: int = 18
    reference_month: int = 6

    def shares(self) -> list[Share]:
        """The tables of the grant; without criteria where a year has no GGZ compensation or nursing share."""
        return [self.variable, self.ggz, self.ggz_hcc, self.nursing, self.deductible]


# Dictionaries ---------------------------------------------------------------------------------------------------


def to_dict(value: Any) -> Any:
    """A mirror as plain dicts and lists."""
    return asdict(value)


_NESTED: dict[tuple[str, str], type] = {
    ("Model", "variable"): Share,
    ("Model", "ggz"): Share,
    ("Model", "ggz_hcc"): Share,
    ("Model", "deductible"): Share,
    ("Model", "nursing"): Share,
    ("Model", "neutrality"): NeutralityRule,
    ("Share", "criteria"): Criterion,
    ("Criterion", "classes"): RiskClass,
    ("Criterion", "exclusions"): Exclusion,
    ("Country", "records"): Record,
    ("Country", "claims"): Claim,
    ("Mapping", "drugs"): Drug,
    ("Mapping", "diagnoses"): Diagnosis,
    ("Mapping", "devices"): Device,
    ("Mapping", "physiotherapy"): Physiotherapy,
    ("Mapping", "mental_care"): MentalCare,
}


def from_dict(kind: type, data: dict[str, Any]) -> Any:
    """The mirror of `kind` from plain dicts; unknown keys are an error."""
    names = {f.name for f in fields(kind)}
    unknown = set(data) - names
    if unknown:
        raise KeyError(f"{kind.__name__}: unknown {sorted(unknown)}")
    return kind(**{name: _convert(_NESTED.get((kind.__name__, name)), value) for name, value in data.items()})


def _convert(kind: type | None, value: Any) -> Any:
    if kind is None or is_dataclass(value):
        return value
    if isinstance(value, list):
        return [_convert(kind, v) for v in value]
    return from_dict(kind, value)


# Calendar -------------------------------------------------------------------------------------------------------

_EPOCH = datetime.date(1970, 1, 1).toordinal()


def day(year: int, month: int = 1, day_of_month: int = 1) -> int:
    """Days since 1970-01-01."""
    return datetime.date(year, month, day_of_month).toordinal() - _EPOCH


def year_of(day_number: int) -> int:
    """Calendar year of a day number."""
    return datetime.date.fromordinal(day_number + _EPOCH).year


def days_in_year(year: int) -> int:
    """365 or 366."""
    return day(year + 1) - day(year)


def days(record: Record) -> int:
    """Insured days of a record, both ends included."""
    return record.last_day - record.first_day + 1


def age(birth_month: int, year: int, reference_month: int = 6) -> int:
    """Age on the last day of the reference month (30 June) of `year`; 0 for who is born after it.

    birth_month = 12 * year + month - 1. Reading: the law names no date; the files behind the classes take the age in
    June (a person born in July or later is a year younger than the difference of the years).
    """
    return max(0, (12 * year + reference_month - 1 - birth_month) // 12)


def born(birth_month: int, year: int) -> int:
    """1 when born in the equalization year, else 2 (used for age 0 only, annex 1 table 1.1)."""
    return 1 if birth_month // 12 >= year else 2


# Random country -------------------------------------------------------------------------------------------------


@dataclass
class Shape:
    """What a random country may contain."""

    persons: tuple[int, int] = (1, 60)
    insurers: tuple[int, int] = (1, 4)
    years: int = 6
    abroad: bool = False
    late_claims: bool = True
    represents: tuple[int, ...] = (1, 1, 1, 1, 2, 9, 40, 400)
    amounts: tuple[int, ...] = (0, 1, 900, 1_000, 1_001, 5_000, 12_345, 50_000, 50_000, 250_000, 2_500_000)
    first_person_adult: bool = True
    crowded: float = 0.0
    """Chance that a new address takes in 14 to 18 persons, some of whom left before the last year."""
    steady: float = 0.0
    """Chance that a person has high cost of mental care in every year."""


def random_mapping(rng: random.Random, model: Model) -> Mapping:
    """A mapping that can reach every class of the model."""
    codes = {c.name: [k.code for k in c.classes if k.code > 0] for s in model.shares() for c in s.criteria}
    mapping = Mapping(light_product_percent=rng.choice((0, 15, 40, 100)))
    number = 1
    for name in ("fkg", "ggz_fkg"):
        for code in codes.get(name, []):
            least = rng.choice((0, 0, 0, 3))
            for _ in range(rng.choice((1, 2))):
                mapping.drugs.append(Drug(number, **{name: code}, min_prescriptions=least))
                number += 1
    if model.ended_addon_years:
        for drug in mapping.drugs:
            drug.ended_addon = rng.choice((0, 0, 0, 0, *range(model.year - 4, model.year + 1))) if drug.fkg else 0
    _older_mental_drugs(rng, model, mapping)
    if model.nursing.criteria:
        mapping.nursing_region = [rng.randint(1, 5) for _ in range(10)]
    for i, code in enumerate(codes.get("dkg", [])):
        for group in range(rng.choice((1, 2))):
            for spec in range(rng.choice((1, 2))):
                mapping.diagnoses.append(Diagnosis(spec + 1, 10 * i + group, 100 * i + group, code, rng.random() < 0.3))
    mapping.diagnoses += _two_dkg(rng, codes)
    for code in codes.get("hkg", []):
        mapping.devices.append(Device(500 + code, code))
    for code in codes.get("fdg", []):
        mapping.physiotherapy.append(Physiotherapy(700 + code, code))
    for code in codes.get("ggz_dkg", []):
        mapping.mental_care.append(MentalCare(800 + code, code))
    return mapping


def _older_mental_drugs(rng: random.Random, model: Model, mapping: Mapping) -> None:
    """2015: depot by prescriptions of its own, bipolar complex by an indicator among the drugs of the regular class."""
    ggz = next(c for c in model.ggz.criteria if c.name == "ggz_fkg")
    code = {c.key: c.code for c in ggz.classes}
    if not model.mhk_settled:
        return
    for drug in list(mapping.drugs):
        if drug.ggz_fkg == code["psychosis_depot"]:
            drug.ggz_min_prescriptions = 1
        if drug.ggz_fkg == code["bipolar_complex"]:
            mapping.drugs.remove(drug)
    regular = [d for d in mapping.drugs if d.ggz_fkg == code["bipolar_regular"]]
    number = max(d.drug for d in mapping.drugs) + 1
    least = {"min_ddd": regular[0].min_ddd, "min_prescriptions": regular[0].min_prescriptions}
    indicator = Drug(number, ggz_fkg=code["bipolar_regular"], ggz_indicated=code["bipolar_complex"], **least)
    mapping.drugs += [indicator] * (rng.random() < 0.9)


def _two_dkg(rng: random.Random, codes: dict[str, list[int]]) -> list[Diagnosis]:
    """Diagnoses that lead to a primary DKG, a secondary one or both (2019, 2020)."""
    found = []
    primary, secondary = codes.get("dkg_primary", []), codes.get("dkg_secondary", [])
    pairs = [(p, rng.choice((0, *secondary))) for p in primary] + [(rng.choice((0, *primary)), s) for s in secondary]
    for i, (p, s) in enumerate(pairs):
        for spec in range(rng.choice((1, 2))):
            found.append(Diagnosis(spec + 1, 10 * i, 100 * i, 0, rng.random() < 0.3, p, s))
    return found


def random_country(rng: random.Random, model: Model, mapping: Mapping, shape: Shape | None = None) -> Country:
    """A small country over the years model.year - shape.years + 1 .. model.year."""
    shape = shape or Shape()
    country = Country()
    insurers = sorted(rng.sample(range(1, 900), rng.randint(*shape.insurers)))
    person = address = more = 0
    for n in range(rng.randint(*shape.persons)):
        person += rng.randint(1, 5)
        if more == 0 and rng.random() < 0.5:
            address += rng.randint(1, 3)
            more = rng.randint(13, 17) if shape.crowded and rng.random() < shape.crowded else 0
        else:
            more = max(0, more - 1)
        adult = n == 0 and shape.first_person_adult
        _add_person(rng, model, mapping, shape, country, (person, address), insurers, adult)
    _rank_claims(country)
    return country


def _add_person(
    rng: random.Random,
    model: Model,
    mapping: Mapping,
    shape: Shape,
    country: Country,
    ids: tuple[int, int],
    insurers: list[int],
    adult: bool,
) -> None:
    t = model.year
    base = {
        "person": ids[0],
        "address": ids[1],
        "sex": rng.choice((1, 2)),
        "represents": rng.choice(shape.represents),
        "region": 0 if shape.abroad and rng.random() < 0.15 else rng.randint(1, 10),
        "ses": rng.randint(1, 4),
        "income_source": rng.randint(1, 8),
        "municipality": rng.randint(1, 9),
        "voluntary_deductible_cents": rng.choice((0, 0, 0, 10_000, 50_000)),
    }
    base["birth_month"] = 12 * (t - rng.randint(19, 99)) + rng.randint(0, 11) if adult else _birth_month(rng, t)
    first = max(t - shape.years + 1, base["birth_month"] // 12)
    if not adult and rng.random() < 0.1:
        first = rng.randint(first, t)
    last = t if adult or rng.random() < 0.9 else rng.randint(first, t)
    frail = rng.random() ** 2
    wlz_from = rng.randint(t - 3, t) if base["birth_month"] < 12 * (t - 30) and rng.random() < 0.15 else t + 1
    alone = rng.random() < 0.4
    steady = shape.steady > 0 and rng.random() < shape.steady
    for year in range(first, last + 1):
        base |= _living(year, wlz_from, alone)
        dies = year == last and not adult and rng.random() < 0.1
        records = _periods(rng, year, base, insurers, dies)
        country.records += records
        if rng.random() < 0.85:
            country.claims += _care(rng, mapping, shape, records, frail)
        if steady:
            country.claims.append(_mental_care(rng, mapping, records[0]))


def _birth_month(rng: random.Random, t: int) -> int:
    kind = rng.random()
    if kind < 0.1:
        return 12 * t - rng.randint(-11, 12)
    if kind < 0.3:
        return 12 * (t - rng.choice((17, 18, 23, 24, 35, 64, 65, 69, 70))) + rng.randint(0, 11)
    return 12 * (t - rng.randint(1, 97)) + rng.randint(0, 11)


def _living(year: int, wlz_from: int, alone: bool) -> dict[str, int]:
    if year == wlz_from:
        return {"wlz": 1, "household": int(Household.wlz_entering)}
    if year > wlz_from:
        return {"wlz": 2, "household": int(Household.wlz_permanent)}
    return {"wlz": 0, "household": int(Household.one_person if alone else Household.other)}


def _periods(rng: random.Random, year: int, base: dict[str, int], insurers: list[int], dies: bool) -> list[Record]:
    """One to three records: switching, a gap, birth, death; never two insurers on one day."""
    start, end = day(year), day(year + 1) - 1
    if base["birth_month"] // 12 == year:
        start = day(year, base["birth_month"] % 12 + 1, rng.randint(1, 28))
    if dies:
        end = rng.randint(start, end)
    cuts = sorted(rng.sample(range(start + 1, end + 1), min(rng.choice((0, 0, 0, 1, 2)), end - start)))
    records: list[Record] = []
    for a, b in zip([start, *cuts], [*[c - 1 for c in cuts], end], strict=True):
        if records and rng.random() < 0.1 and a + 5 < b:
            a += 5
        records.append(Record(first_day=a, last_day=b, insurer=rng.choice(insurers), **base))
    return records


def _care(rng: random.Random, mapping: Mapping, shape: Shape, records: list[Record], frail: float) -> list[Claim]:
    claims = []
    for record in records:
        for _ in range(int(rng.expovariate(1.0) * (1 + 4 * frail)) + (rng.random() < 0.5)):
            claim = _claim(rng, mapping, shape, record)
            claims.append(claim)
            if rng.random() < 0.1:
                claims.append(_correction(rng, claim))
    return claims


def _claim(rng: random.Random, mapping: Mapping, shape: Shape, record: Record) -> Claim:
    opened = rng.randint(record.first_day, record.last_day)
    if shape.late_claims and rng.random() < 0.05:
        year = year_of(record.first_day)
        opened = rng.randint(day(year), day(year + 1) - 1)
    cents = rng.choice(shape.amounts)
    claim = Claim(record.person, opened, opened + rng.randint(0, 200), cents, cents, insurer=record.insurer)
    if rng.random() < 0.15:
        claim.settled_cents = cents * rng.randint(50, 110) // 100
    claim.category = int(
        rng.choice(
            (
                *Category,
                Category.hospital,
                Category.hospital,
                Category.drugs,
                Category.drugs,
                Category.nursing,
                Category.ggz,
                Category.one_and_a_half_line,
            )
        )
    )
    _describe(rng, mapping, claim)
    return claim


def _mental_care(rng: random.Random, mapping: Mapping, record: Record) -> Claim:
    cents = rng.choice((1_000_000, 2_500_000))
    claim = Claim(record.person, record.first_day, record.last_day, cents, cents, insurer=record.insurer)
    claim.settled_cents = cents * rng.choice((90, 100)) // 100
    claim.category = int(Category.ggz)
    _describe(rng, mapping, claim)
    return claim


def _describe(rng: random.Random, mapping: Mapping, claim: Claim) -> None:
    category = claim.category
    claim.product = rng.randint(1, 999)
    if category in (Category.hospital, Category.one_and_a_half_line):
        claim.consult = rng.random() < 0.3
        claim.title = rng.randint(0, 2) if category == Category.one_and_a_half_line else int(Title.specialist_care)
        if mapping.diagnoses and rng.random() < 0.8:
            found = rng.choice(mapping.diagnoses)
            claim.specialism, claim.diagnosis = found.specialism, found.diagnosis
    elif category == Category.drugs and mapping.drugs:
        claim.product = rng.choice(mapping.drugs).drug
        claim.ddd, claim.prescriptions = rng.choice((10, 90, 91, 180, 181, 360)), rng.randint(1, 4)
    elif category == Category.devices and mapping.devices:
        claim.product = rng.choice(mapping.devices).device
    elif category == Category.paramedical and mapping.physiotherapy:
        claim.diagnosis = rng.choice(mapping.physiotherapy).diagnosis
    elif category == Category.ggz and mapping.mental_care:
        claim.diagnosis = rng.choice(mapping.mental_care).diagnosis


def _correction(rng: random.Random, claim: Claim) -> Claim:
    """A later line that takes back part or all of a claim."""
    part = rng.choice((50, 100, 120))
    cents = -(claim.claimed_cents * part // 100)
    other = Claim(**asdict(claim))
    other.claimed_cents = other.settled_cents = cents
    other.ddd = other.prescriptions = 0
    return other


def _rank_claims(country: Country) -> None:
    """`claim` = rank by content within person and year; records by (person, first_day)."""
    country.records.sort(key=lambda r: (r.person, r.first_day))
    content = [f.name for f in fields(Claim) if f.name not in ("person", "claim")]
    country.claims.sort(key=lambda c: (c.person, year_of(c.opened), *[getattr(c, n) for n in content]))
    seen: dict[tuple[int, int], int] = {}
    for claim in country.claims:
        key = (claim.person, year_of(claim.opened))
        claim.claim = seen.get(key, 0)
        seen[key] = claim.claim + 1


def widened(model: Model, factor: int) -> Model:
    """The model with every top share `factor` times as wide (at most 95%): small countries reach more classes."""
    for share in model.shares():
        for criterion in share.criteria:
            for c in criterion.classes:
                if not c.min_cents and c.top_per_myriad < 10_000:
                    c.top_per_myriad = min(9_500, factor * c.top_per_myriad)
    return model


def micro_euro(euro: str | float | int | Fraction) -> int:
    """Euros as printed to micro-euro, exactly."""
    value = Fraction(str(euro)) * 1_000_000
    if value.denominator != 1:
        raise ValueError(f"{euro}: more than six decimals")
    return int(value)
