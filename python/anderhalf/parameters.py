"""Reads the law from ``params/nl/<year>/*.toml``.

Every key is known, every figure is exact (decimal text, never a binary float), and all problems of all files are
reported at once. :mod:`anderhalf.model` turns what is read here into a model.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from anderhalf.errors import ParameterError, Problem, near_matches

Category = Literal[
    "transport", "gp", "paramedical", "drugs", "obstetric", "maternity", "devices", "dental", "chain_care", "hospital",
    "diagnostics", "grz", "sensory", "nursing", "elv", "ggz", "other", "one_and_a_half_line",
]  # fmt: skip
Title = Literal["gp_care", "specialist_care", "designated"]
IncomeSource = Literal[
    "none",
    "iva",
    "disabled",
    "social_assistance",
    "student",
    "employed",
    "self_employed",
    "higher_educated",
    "reference",
]
HouseholdState = Literal["none", "wlz_permanent", "wlz_entering", "one_person", "other"]

HistoricalName = Literal["free_segment", "hospital_variable", "medical_specialist", "other_care", "ggz_under_18"]
PaidShare = Literal[
    "variable", "ggz", "nursing", "free_segment", "hospital_variable", "medical_specialist", "other_care",
    "ggz_under_18",
]  # fmt: skip
Stage = Literal["ex_ante", "first_provisional", "second_provisional", "final"]
Item = Literal[
    "normative", "neutrality", "scaling", "flat_step", "high_cost_compensation", "high_cost_financing", "bandwidth",
    "settled_cost", "calculation_premium", "expected_own_payments", "own_payments_neutrality", "own_payments_macro",
    "detained", "administration",
]  # fmt: skip

# In the order of the enumerations of core/care.hpp.
CATEGORIES: tuple[str, ...] = get_args(Category)
TITLES: tuple[str, ...] = get_args(Title)
INCOME_SOURCES: tuple[str, ...] = get_args(IncomeSource)
HOUSEHOLD_STATES: tuple[str, ...] = get_args(HouseholdState)

Document = dict[str, Any]


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("a number as printed")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("a finite number")
    return number


def _two_decimals(value: object) -> Decimal:
    number = _exact(value)
    if number.as_tuple().exponent != -2:
        raise ValueError("two decimals, as printed")
    return number


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Printed = Annotated[Decimal, BeforeValidator(_two_decimals)]
Key = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[StrictStr, Field(min_length=1)]
Ages = Annotated[StrictStr, Field(pattern=r"^\d+(-\d+|\+)?$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Table):
    title: Text
    cite: Text
    url: Text
    year: StrictInt
    checked: datetime.date


class Value(_Table):
    """A figure as printed, in the printed unit."""

    value: Exact
    unit: Text
    article: Text
    term: Text
    note: StrictStr = ""
    status: Literal["printed", "assumption"] = "printed"


class Switch(_Table):
    value: StrictBool
    article: Text
    term: Text
    note: StrictStr = ""
    status: Literal["printed", "assumption"] = "printed"


class Groups(_Table):
    """A group for each group 1, 2, ... of another division."""

    value: Annotated[list[Annotated[StrictInt, Field(ge=1)]], Field(min_length=1)]
    unit: Text
    article: Text
    term: Text
    note: StrictStr = ""
    status: Literal["printed", "assumption"] = "printed"


class Expected(_Table):
    """A figure that is not yet known."""

    status: Literal["expected"]
    article: Text
    term: Text


class ClassRow(_Table):
    code: Annotated[StrictInt, Field(ge=0)]
    key: Key
    label: Text
    weight: Printed | None = None
    not_printed: Text | None = None  # article by which the settlement makes the weight
    sex: Literal["man", "woman"] | None = None
    ages: Ages | None = None
    born: Literal["this_year", "year_before"] | None = None
    group: StrictInt | IncomeSource | HouseholdState | None = None
    years: StrictInt = 0
    of_years: StrictInt = 0
    top_percent: Exact | None = None
    min_eur: Exact | None = None
    young_below: StrictInt = 0
    young_years: StrictInt = 0

    @model_validator(mode="after")
    def _one_form(self) -> ClassRow:
        if (self.weight is None) == (self.not_printed is None):
            raise ValueError("either weight, or not_printed with the article that makes it")
        return self

    @property
    def age_range(self) -> tuple[int, int]:
        """Ages for which the class holds, both included; 0 to 999 when the class says nothing."""
        if self.ages is None:
            return 0, 999
        low, _, high = self.ages.rstrip("+").partition("-")
        return int(low), 999 if self.ages.endswith("+") else int(high or low)


class WeightTable(_Table):
    name: Key
    table: Text
    term: Text
    classes: Annotated[list[ClassRow], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> WeightTable:
        codes = [row.code for row in self.classes]
        if codes[0] not in (0, 1) or codes != list(range(codes[0], codes[0] + len(codes))):
            raise ValueError(f"codes that count up from 0 or 1 without gap or repetition, not {codes}")
        keys = [row.key for row in self.classes]
        if repeated := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"a key once, not twice {', '.join(repeated)}")
        spans = [
            ((row.sex, row.born, row.group, row.years, row.top_percent), row.age_range, row.key)
            for row in self.classes
            if row.ages
        ]
        for index, (who, (low, high), key) in enumerate(spans):
            for other, (other_low, other_high), other_key in spans[:index]:
                if who == other and low <= other_high and other_low <= high:
                    raise ValueError(f"age bands that do not overlap, not {other_key} and {key}")
        return self


ShareName = Literal[
    "variable", "ggz", "ggz_hcc", "deductible", "nursing", "variable_ex_post", "ggz_ex_post", "deductible_ex_post",
    "free_segment", "hospital_variable", "medical_specialist", "other_care", "ggz_under_18",
]  # fmt: skip

# Shares of 2012 to 2014, in the order of the regulations; later years have one variable share instead.
HISTORICAL: tuple[HistoricalName, ...] = get_args(HistoricalName)


class ShareHead(_Table):
    name: ShareName
    annex: Text
    term: Text
    unit: Literal["EUR per insured year"]
    classes: StrictInt


class WeightsFile(_Table):
    source: Source
    share: ShareHead
    criterion: Annotated[list[WeightTable], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> WeightsFile:
        if (count := sum(len(table.classes) for table in self.criterion)) != self.share.classes:
            raise ValueError(f"{self.share.classes} classes as [share] says, not {count}")
        names = [table.name for table in self.criterion]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a criterion once, not twice {', '.join(repeated)}")
        if wrong := [t.table for t in self.criterion if not t.table.startswith(f"{self.share.annex}.")]:
            raise ValueError(f"tables of annex {self.share.annex}, not {', '.join(wrong)}")
        return self


class MacroAmounts(_Table):
    total: Value
    fixed_care: Value
    mental_care: Value
    variable_care: Value | None = None
    nursing_care: Value | None = None
    free_segment: Value | None = None
    hospital_variable: Value | None = None
    medical_specialist: Value | None = None
    other_care: Value | None = None
    mental_care_under_18: Value | None = None  # with mental_care_adults: the two parts of mental_care
    mental_care_adults: Value | None = None

    def of_share(self, name: str) -> Value | None:
        """The macro amount of a share; None when the regulation prints none for it."""
        names = {"variable": "variable_care", "nursing": "nursing_care", "ggz_under_18": "mental_care_under_18"}
        if name == "ggz":
            return self.mental_care_adults or self.mental_care
        found: Value | None = getattr(self, names.get(name, name), None)
        return found


class Adjustment(_Table):
    """Cost that the estimate counted and the year did not have, or the other way round (Bzv 1 bb)."""

    total: Value
    fixed_care: Value
    nursing_care: Value


class Revenue(_Table):
    premium: Value
    deductible: Value
    fund_payment: Value


class MacroBudgetFile(_Table):
    source: Source
    macro_budget: MacroAmounts
    revenue: Revenue
    adjustment: Adjustment | None = None


class Premium(_Table):
    calculation_premium: Value
    administration_under_18: Value
    detained: Value | None = None


class Deductible(_Table):
    amount: Value
    forfait: Value
    forfait_ex_post: Value | None = None


class Morbidity(_Table):
    article: Text
    criteria: list[Key]
    mhk_from: Key | None = None  # None: MHK does not count (2012)


class ExemptCategory(_Table):
    name: Category
    article: Text
    term: Text


class Exempt(_Table):
    article: Text
    categories: list[ExemptCategory]


class TitleRule(_Table):
    exempt: StrictBool
    article: Text
    reason: Text


class Titles(_Table):
    gp_care: TitleRule
    specialist_care: TitleRule
    designated: TitleRule


class PremiumFile(_Table):
    source: Source
    premium: Premium
    deductible: Deductible
    morbidity: Morbidity
    exempt: Exempt
    titles: Titles


class AssignmentRow(_Table):
    name: Key
    assignment: Literal["single", "all", "count"]
    data_years: Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=1)]
    zero_sum: Literal["criterion", "age_band"] = "criterion"
    of: list[Key] = []  # membership of these criteria in the data year decides (HSM)
    categories: list[Category] = []  # cost of these categories decides (MFK, IBZ, HHK)
    article: Text


class ExclusionRow(_Table):
    criterion: Key
    first_of: list[Key] = []
    keep: list[Key] = []
    drop: list[Key] = []
    article: Text

    @model_validator(mode="after")
    def _one_form(self) -> ExclusionRow:
        if bool(self.first_of) == bool(self.keep and self.drop) or bool(self.keep) != bool(self.drop):
            raise ValueError("either first_of, or keep and drop")
        return self

    @property
    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every (kept, dropped) pair of keys."""
        for rank, kept in enumerate(self.first_of):
            yield from ((kept, dropped) for dropped in self.first_of[rank + 1 :])
        yield from ((kept, dropped) for kept in self.keep for dropped in self.drop)


# In the order of params::Cluster.
CLUSTERS = ("variable", "fixed", "ggz", "none", "nursing", "specialist", "other_care")


class Clusters(_Table):
    article: Text
    variable: list[Category]
    fixed: list[Category]
    ggz: list[Category]
    none: list[Category]
    nursing: list[Category] = []
    specialist: list[Category] = []
    other_care: list[Category] = []

    @model_validator(mode="after")
    def _partition(self) -> Clusters:
        named: list[str] = [name for group in CLUSTERS for name in getattr(self, group)]
        wrong = [name for name in CATEGORIES if named.count(name) != 1]
        if wrong:
            raise ValueError(f"each category in exactly one cluster, not {', '.join(wrong)}")
        return self


class ExcludedCategories(_Table):
    categories: list[Category]
    article: Text
    term: Text


class Mhk(_Table):
    excluded: ExcludedCategories
    settled: Switch | None = None


class Abroad(_Table):
    none_weight_percent: Value | Expected | None = None
    percent: dict[Key, Value] = {}

    @model_validator(mode="after")
    def _one_form(self) -> Abroad:
        if (self.none_weight_percent is None) == (not self.percent):
            raise ValueError("either none_weight_percent, or percent per criterion")
        return self


class ReferenceDate(_Table):
    month: Value


class Special(_Table):
    wlz_lowest_ses: Switch | None = None
    wlz_no_mvv_from_age: Value | None = None
    lowest_ses_from_ggz_dkg: Value | None = None
    lowest_ses_above_residents: Value | None = None
    ses_of_income_group: Groups | None = None
    ended_addon_years: Value | None = None


class Gsm(_Table):
    """Criteria any class of which, "none" excepted, is morbidity for GSM."""

    criteria: Annotated[list[Key], Field(min_length=1)]
    article: Text


class Adult(_Table):
    age: Value


class AssignmentFile(_Table):
    source: Source
    criterion: list[AssignmentRow]
    exclusion: list[ExclusionRow]
    special: Special = Special()
    gsm: Gsm | None = None
    adult: Adult
    cluster: Clusters
    mhk: Mhk
    abroad: Abroad
    reference_date: ReferenceDate


class NeutralityRow(_Table):
    share: ShareName
    criterion: Key
    rule: Literal["class_totals", "zero_sum", "offset"]
    reset: list[Key] = []
    of: list[Key] = []
    article: Text

    @model_validator(mode="after")
    def _keys_of_rule(self) -> NeutralityRow:
        wrong_of = bool(self.of) if self.rule == "class_totals" else self.rule == "offset" and not self.of
        if bool(self.reset) != (self.rule != "class_totals") or wrong_of:
            raise ValueError("reset unless class_totals; of for offset, and for zero_sum over a part of the classes")
        return self


class Rounding(_Table):
    neutrality_decimals: Value


class FlatStep(_Table):
    mental_care: Value
    variable_care: Value | None = None
    nursing_care: Value | None = None
    free_segment: Value | None = None
    hospital_variable: Value | None = None
    medical_specialist: Value | None = None
    other_care: Value | None = None


class NormativeFactor(_Table):
    """By which the normative amounts of the settlement of 2013 are multiplied before they are scaled."""

    medical_specialist: Value
    fixed_care: Value
    mental_care: Value


class Band(_Table):
    """Result per insured adult beyond the amount, around the mean of all insurers: so much of it is settled."""

    name: Key
    share: PaidShare
    together_with: list[PaidShare] = []  # their results are added (2012)
    amount: Value
    percent: Value
    per: Literal["adult", "insured"] = "adult"
    result: Literal["settled", "scaled"] = "settled"
    financed: Literal["fund", "adults"] = "fund"


class OwnPayments(_Table):
    macro_corrected: Switch
    flat_step: Value


class HighCostCompensation(_Table):
    """Cost of one person above the threshold, up to the next threshold of the share: so much of it is compensated."""

    name: Key
    share: PaidShare
    users_above_threshold: Value | None = None
    threshold: Value | None = None
    share_of_excess: Value

    @model_validator(mode="after")
    def _one_threshold(self) -> HighCostCompensation:
        if (self.users_above_threshold is None) == (self.threshold is None):
            raise ValueError("either users_above_threshold or threshold")
        return self


class StepRow(_Table):
    """The steps of one share, in the order of the law, each with its article, at the stages that have them."""

    stages: Annotated[list[Stage], Field(min_length=1)]
    share: PaidShare | Literal["fixed", "premium", "deductible", "administration"]
    items: Annotated[dict[Item, Text], Field(min_length=1)]


class FixedCare(_Table):
    settled: Value


class SettlementFile(_Table):
    source: Source
    neutrality: list[NeutralityRow]
    rounding: Rounding
    flat_step: FlatStep
    own_payments: OwnPayments
    high_cost_compensation: list[HighCostCompensation] = []
    bandwidth: list[Band] = []
    fixed_care: FixedCare
    step: list[StepRow] = []
    mental_care_under_18: FixedCare | None = None
    normative_factor: NormativeFactor | None = None


class Status(_Table):
    payment: Literal["weights and criteria only"]
    missing: Annotated[list[Text], Field(min_length=1)]


class StatusFile(_Table):
    """What this version cannot do yet with a model year; a year without this file is complete."""

    status: Status


class ReformModel(_Table):
    name: Text
    base: Text
    official: StrictBool
    title: Text


class Change(_Table):
    path: Text
    value: Any
    reason: Text


class ReformFile(_Table):
    model: ReformModel
    change: Annotated[list[Change], Field(min_length=1)]


_SCHEMA: dict[str, type[_Table]] = {
    "weights_ggz": WeightsFile,
    "weights_deductible": WeightsFile,
    "macro_budget": MacroBudgetFile,
    "premium_and_deductible": PremiumFile,
    "assignment": AssignmentFile,
    "settlement": SettlementFile,
}
# Files that only some years have: the shares of 2012-2014 instead of the variable one, a share of its own for nursing,
# high-cost compensation, other weights ex post.
_OPTIONAL: dict[str, type[_Table]] = {
    "weights_variable": WeightsFile,
    **dict.fromkeys((f"weights_{name}" for name in HISTORICAL), WeightsFile),
    "weights_ggz_hcc": WeightsFile,
    "weights_nursing": WeightsFile,
    "weights_variable_ex_post": WeightsFile,
    "weights_ggz_ex_post": WeightsFile,
    "weights_deductible_ex_post": WeightsFile,
    "status": StatusFile,
}
# Weights that are estimated on the same classes.
_SAME_CLASSES = (
    ("weights_ggz", "weights_ggz_hcc"),
    ("weights_variable", "weights_variable_ex_post"),
    ("weights_ggz", "weights_ggz_ex_post"),
    ("weights_deductible", "weights_deductible_ex_post"),
    ("weights_free_segment", "weights_hospital_variable"),
    ("weights_free_segment", "weights_other_care"),
    ("weights_medical_specialist", "weights_other_care"),
)


@dataclass(frozen=True)
class Structure:
    """Of a year whose weights are not published: what it changes, and whose weights stand in the variable share."""

    base_year: int
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    weights: str  # "estimated: none yet", or "estimated" and on what


@dataclass(frozen=True)
class Law:
    """The parameter files of one model year, validated one by one and against each other."""

    name: str
    title: str
    official: bool
    weights_ggz: WeightsFile
    weights_deductible: WeightsFile
    macro_budget: MacroBudgetFile
    premium_and_deductible: PremiumFile
    assignment: AssignmentFile
    settlement: SettlementFile
    changes: tuple[Change, ...]
    sha256: str
    weights_variable: WeightsFile | None = None
    weights_free_segment: WeightsFile | None = None
    weights_hospital_variable: WeightsFile | None = None
    weights_medical_specialist: WeightsFile | None = None
    weights_other_care: WeightsFile | None = None
    weights_ggz_under_18: WeightsFile | None = None
    weights_ggz_hcc: WeightsFile | None = None
    weights_nursing: WeightsFile | None = None
    weights_variable_ex_post: WeightsFile | None = None
    weights_ggz_ex_post: WeightsFile | None = None
    weights_deductible_ex_post: WeightsFile | None = None
    status: StatusFile | None = None
    structure: Structure | None = None

    @property
    def source(self) -> Source:
        return self.weights_ggz.source

    @property
    def somatic(self) -> ShareName:
        """The share that has the criteria of somatic care: the variable one, before 2015 the first of the annex."""
        return next(name for name in ("variable", *HISTORICAL) if name in self.weights)

    @property
    def weights(self) -> dict[ShareName, WeightsFile]:
        """Share to its weights, for the shares that this year has."""
        stems = ("weights_variable", *_SCHEMA, *_OPTIONAL)
        files = {stem: getattr(self, stem) for stem in dict.fromkeys(stems) if stem.startswith("weights_")}
        return {file.share.name: file for file in files.values() if file is not None}

    @property
    def missing(self) -> tuple[str, ...]:
        """What this version cannot do yet with the year; empty when it can group and pay it."""
        if self.structure is not None:
            return self.structure.missing
        return () if self.status is None else tuple(self.status.status.missing)


@dataclass(frozen=True)
class Reform:
    """Other values for named parameters, by dotted path and equalization year.

    Tables in a list are named by their ``name``, ``key`` or ``article``.

    Examples
    --------
    >>> reform = Reform({"premium_and_deductible.deductible.amount.value": {"2021": 165}}, reason="halve it")
    >>> reform.name
    'reform'
    """

    changes: Mapping[str, Mapping[str, object]]
    name: str = "reform"
    reason: str = "reform of the user"

    def of_year(self, year: int) -> list[Change]:
        """The changes that hold in ``year``: the last value dated in or before it."""
        changes, problems = [], []
        for path, values in self.changes.items():
            dated = {int(key): value for key, value in values.items() if str(key).isdecimal()}
            if len(dated) != len(values) or not dated:
                problems.append(
                    Problem(f"{self.name} {path}", "not a value per year", "years as keys", str(list(values)))
                )
            elif past := [key for key in dated if key <= year]:
                changes.append(Change(path=path, value=dated[max(past)], reason=self.reason))
            else:
                got = ", ".join(map(str, sorted(dated)))
                problems.append(Problem(f"{self.name} {path}", "no effect", f"a value in {year} or before", got))
        if problems:
            raise ParameterError(problems, file=self.name)
        return changes


def model_names(folder: Path) -> list[str]:
    """Names of the models in ``params/nl``: ``nl-<folder>``."""
    return sorted(f"nl-{path.name}" for path in folder.iterdir() if path.is_dir() and any(path.glob("*.toml")))


def read_law(folder: Path, name: str, reforms: Sequence[Reform] = ()) -> Law:
    """Read the model ``name`` from ``params/nl``, with reforms on top.

    Raises
    ------
    ParameterError
        Everything that is wrong in any file, each with file, key, and article or table.
    """
    digest = hashlib.sha256()
    made = _assembled(folder, name, digest)
    home, documents, changes, official = made.home, made.documents, made.changes, made.official
    problems: list[Problem] = []
    for user in reforms:
        added = user.of_year(_year(documents))
        problems += _apply(documents, added, user.name)
        changes += added
        official = False
    if problems:
        raise ParameterError(problems)
    for change in changes:
        digest.update(json.dumps([change.path, change.value], default=str).encode() + b"\0")
    files, problems = {}, []
    for stem, schema in (_SCHEMA | _OPTIONAL).items():
        if stem not in documents:
            continue
        try:
            files[stem] = _validated(schema, documents[stem], f"{home.name}/{stem}.toml")
        except ParameterError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems, *_common_place(problems))
    law = Law(
        name=name if not reforms else f"{name}+{'+'.join(reform.name for reform in reforms)}",
        title=made.title,
        official=official,
        changes=tuple(changes),
        sha256=digest.hexdigest(),
        structure=made.structure,
        **files,  # type: ignore[arg-type]  # each stem has the type that _SCHEMA gives it
    )
    if law.weights_variable is None and law.weights_other_care is None:
        raise ParameterError(Problem(f"{home.name}/weights_variable.toml", "missing file"))
    if problems := list(_cross_checks(law, home.name)):
        raise ParameterError(problems, *_common_place(problems))
    return law


@dataclass
class _Assembled:
    """The parameter files of a model before they are validated, and what lies on top of those that are printed."""

    home: Path
    documents: dict[str, Document]
    changes: list[Change]
    title: str = ""
    official: bool = True
    structure: Structure | None = None


def _assembled(folder: Path, name: str, digest: Any) -> _Assembled:
    home = folder / name.removeprefix("nl-")
    for kind, made in (("reform.toml", _reformed), ("structure.toml", _structured)):
        if (home / kind).is_file():
            if extra := sorted(path.name for path in home.glob("*.toml") if path.name != kind):
                raise ParameterError(Problem(home.name, f"a {kind} and files of its own", kind, ", ".join(extra)))
            return made(folder, home, digest)
    return _Assembled(home, _documents(home, digest), [])


def _head(folder: Path, home: Path, label: str, name: str, base: str, leaf: str) -> None:
    """Refuse a name that is not the folder's, and a base that is no model, or stands on top of others itself."""
    if name != f"nl-{home.name}":
        raise ParameterError(
            Problem(f"{label} model.name", "not the name of the folder", f"nl-{home.name}", name), label, "model.name"
        )
    below = folder / base.removeprefix("nl-")
    if below == home or not below.is_dir() or (below / leaf).is_file():
        raise ParameterError(Problem(f"{label} model.base", "no such model year", got=base), label, "model.base")


def _reformed(folder: Path, home: Path, digest: Any) -> _Assembled:
    label = f"{home.name}/reform.toml"
    reform = _validated(ReformFile, _parse(home / "reform.toml", label, digest), label)
    _head(folder, home, label, reform.model.name, reform.model.base, "reform.toml")
    base = folder / reform.model.base.removeprefix("nl-")
    made = _Assembled(base, _documents(base, digest), list(reform.change), reform.model.title, reform.model.official)
    if problems := _apply(made.documents, made.changes, "reform.toml"):
        raise ParameterError(problems)
    return made


def _structured(folder: Path, home: Path, digest: Any) -> _Assembled:
    from anderhalf.structures import NO_WEIGHTS, StructureFile, restructured

    label = f"{home.name}/structure.toml"
    own = _validated(StructureFile, _parse(home / "structure.toml", label, digest), label)
    _head(folder, home, label, own.model.name, own.model.base, "none")
    made = _assembled(folder, own.model.base, digest)
    if problems := _apply(made.documents, own.change, label):
        raise ParameterError(problems)
    base_year = made.structure.base_year if made.structure else _year(made.documents)
    restructured(made.documents, own, label)
    notes = tuple(f"{own.model.year}: {note}" for note in own.notes())
    before = made.structure.notes if made.structure else ()
    made.structure = Structure(base_year, (*before, *notes), tuple(own.model.missing), NO_WEIGHTS)
    made.home, made.title, made.official = home, own.model.title, False
    made.changes += own.change
    return made


def _year(documents: Mapping[str, Document]) -> int:
    year = documents["macro_budget"].get("source", {}).get("year", 0)
    return year if isinstance(year, int) else 0


def _parse(path: Path, label: str, digest: Any) -> Document:
    content = path.read_bytes()
    digest.update(path.name.encode() + b"\0" + content + b"\0")
    try:
        return tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, InvalidOperation) as error:
        raise ParameterError(Problem(label, f"not TOML: {error}"), label) from None


def _documents(home: Path, digest: Any) -> dict[str, Document]:
    present = {path.stem: path for path in sorted(home.glob("*.toml"))} if home.is_dir() else {}
    problems = [Problem(f"{home.name}/{stem}.toml", "missing file") for stem in _SCHEMA if stem not in present]
    problems += [
        Problem(f"{home.name}/{stem}.toml", "unknown file") for stem in present if stem not in _SCHEMA | _OPTIONAL
    ]
    documents = {}
    for stem, path in present.items():
        try:
            documents[stem] = _parse(path, f"{home.name}/{path.name}", digest)
        except ParameterError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems, *_common_place(problems))
    return documents


T = TypeVar("T", bound=_Table)


def _validated(schema: type[T], document: Document, file: str) -> T:
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            key, cite = _place(document, item["loc"])
            where = f"{file} {key}".rstrip() + (f" ({cite})" if cite else "")
            message = str(item.get("ctx", {}).get("error", "")) or item["msg"]
            got = (
                "" if item["type"] == "missing" or isinstance(item["input"], (dict, list, BaseModel)) else item["input"]
            )
            if item["type"] == "extra_forbidden":
                problems.append(Problem(where, "unknown key"))
            elif item["type"] == "missing":
                problems.append(Problem(where, "missing key"))
            else:
                problems.append(Problem(where, "refused", expected=_lower_first(message), got=str(got)))
        unique = list(dict.fromkeys(problems))
        raise ParameterError(unique, *_common_place(unique)) from None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _common_place(problems: Sequence[Problem]) -> tuple[str, str]:
    """File, and key when there is one problem only."""
    files = {problem.where.split(" ")[0] for problem in problems}
    keys = {problem.where.split(" ")[1] for problem in problems if " " in problem.where}
    return files.pop() if len(files) == 1 else "", keys.pop() if len(problems) == 1 and keys else ""


def _table_name(table: object) -> str:
    if isinstance(table, dict):
        for field in ("name", "key", "article"):
            if isinstance(table.get(field), str):
                return str(table[field])
    return ""


def _place(document: Document, loc: Sequence[int | str]) -> tuple[str, str]:
    """Dotted path of an error, tables in lists by their name, and the article or table that stands nearest."""
    node: Any = document
    keys, cite = [], ""
    for part in loc:
        if isinstance(node, dict) and part in node:
            node = node[part]
            keys.append(str(part))
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
            keys.append(_table_name(node) or str(part))
        elif isinstance(node, dict) and part == loc[-1]:
            keys.append(str(part))
        else:
            continue  # a branch of a union, not a key
        if isinstance(node, dict):
            if isinstance(node.get("article"), str):
                cite = f"art. {node['article']}"
            elif isinstance(node.get("table"), str):
                cite = f"table {node['table']}"
    return ".".join(keys), cite


def _apply(documents: dict[str, Document], changes: Sequence[Change], name: str) -> list[Problem]:
    """Put each change in its place; nothing is added, only replaced by a value of the same kind."""
    problems = []
    for change in changes:
        where = f"{name} {change.path}"
        *parents, last = change.path.split(".")
        node: Any = documents
        for part in parents:
            if part not in _children(node):
                break
            node = _children(node)[part]
        else:
            part = last
        below = _children(node)
        if part not in below:
            near = near_matches(part, list(below)) or list(below)[:3]
            problems.append(Problem(where, f"no {part!r}", expected=f"one of {', '.join(near)}" if near else ""))
        elif not isinstance(node, dict) or (new := _alike(change.value, node[last])) is None:
            problems.append(Problem(where, "not a value of the same kind", _kind(below[last]), str(change.value)))
        else:
            node[last] = new
    return problems


def _children(node: object) -> dict[str, Any]:
    if isinstance(node, dict):
        return node
    if isinstance(node, list):
        return {name: table for table in node if (name := _table_name(table))}
    return {}


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a whole number", Decimal: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "a single value")


def _alike(new: object, old: object) -> Any:
    """``new`` as the same kind as ``old``, with its number of decimals when that loses nothing; None when it is not."""
    if isinstance(old, bool) or isinstance(new, bool):
        return new if isinstance(old, bool) and isinstance(new, bool) else None
    if isinstance(old, (int, Decimal)):
        if not isinstance(new, (int, float, Decimal)):
            return None
        number = Decimal(repr(new)) if isinstance(new, float) else Decimal(new)
        if not number.is_finite():
            return None
        if isinstance(old, Decimal):
            padded = number.quantize(old)
            return padded if padded == number else number
        return int(number) if number == number.to_integral_value() else number
    if isinstance(old, list):
        return copy.deepcopy(new) if isinstance(new, list) else None
    return new if type(new) is type(old) else None


def _cross_checks(law: Law, folder: str) -> Iterator[Problem]:
    """What must agree between the files of one year."""
    year = law.source.year
    if folder.isdecimal() and int(folder) != year:
        yield Problem(f"{folder}/weights_ggz.toml source.year", "not the folder's year", folder, str(year))
    for stem in (*_SCHEMA, *_OPTIONAL):
        source = getattr(getattr(law, stem), "source", None)
        if source is not None and source.year != year:
            yield Problem(
                f"{folder}/{stem}.toml source.year", "another year than the other files", str(year), str(source.year)
            )
        weights = getattr(law, stem) if stem.startswith("weights_") else None
        if weights is not None and (name := weights.share.name) != stem.removeprefix("weights_"):
            wanted = stem.removeprefix("weights_")
            yield Problem(f"{folder}/{stem}.toml share.name", "not the share of the file", wanted, name)

    tables = {name: {t.name: {row.key for row in t.classes} for t in w.criterion} for name, w in law.weights.items()}
    assigned = [row.name for row in law.assignment.criterion]
    file = f"{folder}/assignment.toml"
    for name in dict.fromkeys(name for share in tables.values() for name in share):
        if assigned.count(name) != 1:
            yield Problem(
                f"{file} criterion.{name}", "a criterion with weights", "one row", f"{assigned.count(name)} rows"
            )
    for name in assigned:
        if not any(name in share for share in tables.values()):
            yield Problem(f"{file} criterion.{name}", "a criterion without weights")
    for exclusion in law.assignment.exclusion:
        share: ShareName = "ggz" if exclusion.criterion.startswith("ggz_") else law.somatic
        known = tables[share].get(exclusion.criterion)
        where = f"{file} exclusion.{exclusion.article}"
        yield from _unknown_keys(where, exclusion.criterion, known, [k for pair in exclusion.pairs for k in pair])

    hide = {"weight", "not_printed", "label"}  # a later print may write another dash
    for one, other in _SAME_CLASSES:
        first, second = getattr(law, one), getattr(law, other)
        if (
            first is not None
            and second is not None
            and [(t.name, [r.model_dump(exclude=hide) for r in t.classes]) for t in first.criterion]
            != [(t.name, [r.model_dump(exclude=hide) for r in t.classes]) for t in second.criterion]
        ):
            yield Problem(f"{folder}/{other}.toml criterion", f"other classes than {one}.toml")

    file = f"{folder}/premium_and_deductible.toml"
    for name in law.premium_and_deductible.morbidity.criteria:
        if name not in tables[law.somatic]:
            yield Problem(f"{file} morbidity.criteria", f"no criterion {name!r}")
    if (law.assignment.gsm is None) != ("gsm" not in tables[law.somatic]):
        yield Problem(f"{folder}/assignment.toml gsm", "GSM in one file only", "[gsm] where there are weights of GSM")
    for name in law.assignment.gsm.criteria if law.assignment.gsm else ():
        if name not in tables[law.somatic]:
            yield Problem(f"{folder}/assignment.toml gsm.criteria", f"no criterion {name!r}")
    if (mhk_from := law.premium_and_deductible.morbidity.mhk_from) is not None:
        yield from _unknown_keys(f"{file} morbidity.mhk_from", "mhk", tables[law.somatic].get("mhk"), [mhk_from])

    for rule in law.settlement.neutrality:
        where = f"{folder}/settlement.toml neutrality.{rule.article}"
        if rule.share not in tables:
            yield Problem(where, f"no share {rule.share!r}", f"one of {', '.join(tables)}")
            continue
        yield from _unknown_keys(where, rule.criterion, tables[rule.share].get(rule.criterion), [*rule.reset, *rule.of])
    for kind in ("high_cost_compensation", "bandwidth"):
        rows = getattr(law.settlement, kind)
        names = [row.name for row in rows]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            yield Problem(f"{folder}/settlement.toml {kind}", "a name once, not twice", "", ", ".join(repeated))
        for row in rows:
            for share in (row.share, *getattr(row, "together_with", [])):
                if share not in tables:
                    yield Problem(f"{folder}/settlement.toml {kind}.{row.name}.share", f"no share {share!r}")
    taken = [(s, row.share, item) for row in law.settlement.step for s in row.stages for item in row.items]
    if repeated := sorted(
        {f"{item} of {share} at {s}" for s, share, item in taken if taken.count((s, share, item)) > 1}
    ):
        yield Problem(f"{folder}/settlement.toml step", "a step once, not twice", "", ", ".join(repeated))
    yield from _unprinted(law, folder)
    yield from _macro_checks(law, folder)


def _unprinted(law: Law, folder: str) -> Iterator[Problem]:
    """A class without a weight must get one in the settlement, and belong to weights of the settlement only."""
    made = {
        (rule.share, rule.criterion, key)
        for rule in law.settlement.neutrality
        for key in rule.reset
        if rule.rule == "zero_sum" and (rule.share == "ggz_hcc" or rule.share.endswith("_ex_post"))
    }
    for name, file in law.weights.items():
        for table in file.criterion:
            for row in table.classes:
                if row.not_printed is not None and (name, table.name, row.key) not in made:
                    where = f"{folder}/weights_{name}.toml criterion.{table.name}.{row.key}"
                    yield Problem(where, "no weight, and no rule of the settlement that makes it", "a zero_sum rule")


def _macro_checks(law: Law, folder: str) -> Iterator[Problem]:
    macro, file = law.macro_budget.macro_budget, f"{folder}/macro_budget.toml macro_budget"
    names = {"variable": "variable_care", "nursing": "nursing_care", "ggz_under_18": "mental_care_under_18"}
    for name in ("variable", "nursing", *HISTORICAL):
        if (macro.of_share(name) is None) != (name not in law.weights):
            yield Problem(f"{file}.{names.get(name, name)}", f"a share for {name} in one file only")
    parts = (macro.mental_care_under_18, macro.mental_care_adults)
    if (parts[0] is None) != (parts[1] is None):
        yield Problem(f"{file}.mental_care_adults", "one of two parts", "both, or none")
    elif parts[0] and parts[1] and (got := parts[0].value + parts[1].value) != macro.mental_care.value:
        yield Problem(f"{file}.mental_care", "not the sum of its parts", str(macro.mental_care.value), str(got))


def _unknown_keys(where: str, criterion: str, known: set[str] | None, keys: Sequence[str]) -> Iterator[Problem]:
    if known is None:
        yield Problem(where, f"no criterion {criterion!r}")
        return
    for key in dict.fromkeys(keys):
        if key not in known:
            near = near_matches(key, sorted(known))
            yield Problem(where, f"no class {key!r} of {criterion}", f"one of {', '.join(near)}" if near else "")
