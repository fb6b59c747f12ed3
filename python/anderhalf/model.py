"""Model years: the law of one equalization year as values, and as the struct that the C++ core reads."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel

from anderhalf import parameters
from anderhalf._paths import data_directory
from anderhalf.errors import ParameterError, Problem, not_found
from anderhalf.parameters import (
    CATEGORIES,
    CLUSTERS,
    HISTORICAL,
    HOUSEHOLD_STATES,
    INCOME_SOURCES,
    TITLES,
    ClassRow,
    Expected,
    Groups,
    HighCostCompensation,
    Law,
    Reform,
    ShareName,
    Stage,
    Switch,
    Value,
    WeightsFile,
    model_names,
    read_law,
)  # fmt: skip
from anderhalf.structures import NO_WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

MICRO_PER_EURO = 1_000_000
MICRO_PER_CENT = 10_000


@dataclass(frozen=True, slots=True)
class RiskClass:
    """One class of a criterion; fields as in ``params::RiskClass``, the weight in millionths of a euro."""

    code: int
    key: str
    label: str
    weight: int
    source: str
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
    printed: bool = True


@dataclass(frozen=True, slots=True)
class Exclusion:
    keep: int
    drop: int


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    assignment: Literal["single", "all", "count"]
    first_code: int
    classes: tuple[RiskClass, ...]
    exclusions: tuple[Exclusion, ...]
    data_years: tuple[int, ...]
    age_bands_zero_sum: bool
    of: tuple[str, ...] = ()
    categories: tuple[bool, ...] = (False,) * len(CATEGORIES)

    def by_code(self, code: int) -> RiskClass:
        return self.classes[code - self.first_code]


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    criteria: tuple[Criterion, ...]

    def criterion(self, name: str) -> Criterion:
        return next(criterion for criterion in self.criteria if criterion.name == name)


@dataclass(frozen=True, slots=True)
class NeutralityRule:
    share: str
    criterion: str
    rule: Literal["class_totals", "zero_sum", "offset"]
    reset: tuple[int, ...]
    of: tuple[int, ...]
    article: str


@dataclass(frozen=True, slots=True)
class HighCost:
    share: str
    top_per_myriad: int
    threshold: int
    ppm: int
    article: str


@dataclass(frozen=True, slots=True)
class Band:
    share: str
    together_with: tuple[str, ...]
    amount: int
    ppm: int
    per_adult: bool
    before_flat_step: bool
    financed: bool
    article: str


@dataclass(frozen=True, slots=True)
class AbroadWeight:
    criterion: str
    ppm: int


@dataclass(frozen=True, slots=True)
class Step:
    stage: str
    share: str
    item: str
    article: str


@dataclass(frozen=True)
class Model:
    """One model year. Fields as in ``params::Model``: cents, micro-euro, millionths, 1/10,000."""

    name: str
    year: int
    official: bool
    complete: bool
    weighted: bool
    variable: Share
    ggz: Share
    ggz_hcc: Share
    deductible: Share
    nursing: Share
    variable_ex_post: Share
    ggz_ex_post: Share
    deductible_ex_post: Share
    historical: tuple[Share, ...]
    neutrality: tuple[NeutralityRule, ...]
    macro_total: int
    macro_variable: int
    macro_fixed: int
    macro_ggz: int
    macro_nursing: int
    flanking_fixed: int
    flanking_nursing: int
    macro_historical: tuple[int, ...]
    revenue_premium: int
    revenue_deductible: int
    fund_payment: int
    calculation_premium: int
    administration_under_18: int
    deductible_amount: int
    forfait: int
    forfait_ex_post: int
    deductible_exempt: tuple[bool, ...]
    title_deductible_exempt: tuple[bool, ...]
    forfait_from_mhk: int
    morbidity_criteria: tuple[str, ...]
    cluster: tuple[str, ...]
    mhk_excluded: tuple[bool, ...]
    flat_ppm_variable: int
    flat_ppm_ggz: int
    flat_ppm_nursing: int
    flat_ppm_historical: tuple[int, ...]
    own_payments_macro_corrected: bool
    own_payments_flat_ppm: int
    high_cost: tuple[HighCost, ...]
    bandwidth: tuple[Band, ...]
    fixed_settled_ppm: int
    abroad: tuple[AbroadWeight, ...]
    detained_ppb: int
    steps: tuple[Step, ...]
    wlz_lowest_ses: bool
    wlz_no_mvv_from_age: int
    lowest_ses_from_ggz_dkg: int
    lowest_ses_above_residents: int
    ses_of_income_group: tuple[int, ...]
    ended_addon_years: int
    gsm_criteria: tuple[str, ...]
    mhk_settled: bool
    adult_age: int
    reference_month: int
    law: Law = field(repr=False, compare=False, metadata={"core": False})

    @property
    def shares(self) -> tuple[Share, ...]:
        """The shares of this year: those with criteria, ex ante before ex post."""
        first = (*self.historical, self.variable, self.ggz, self.ggz_hcc, self.deductible, self.nursing)
        return tuple(share for share in (*first, *self.ex_post) if share.criteria)

    @property
    def somatic(self) -> Share:
        """The share with the criteria of somatic care: the variable one, before 2015 the first of the annex."""
        return self.variable if self.variable.criteria else self.historical[0]

    @property
    def ex_post(self) -> tuple[Share, Share, Share]:
        """Weights for the settlement, without criteria when those of the grant hold there too."""
        return self.variable_ex_post, self.ggz_ex_post, self.deductible_ex_post

    @property
    def status(self) -> str:
        """``complete``, or what the year can be used for."""
        if self.law.structure is not None and not self.complete:
            return "criteria only"
        return "complete" if self.law.status is None else self.law.status.status.payment

    @property
    def weights_status(self) -> str:
        """Of the variable share: ``printed``, ``estimated: none yet``, or ``estimated`` and on what."""
        return "printed" if self.law.structure is None else self.law.structure.weights

    @property
    def classes_year(self) -> int:
        """The year whose reference files say which care leads to which class; a structure has those of its base."""
        return self.year if self.law.structure is None else self.law.structure.base_year

    def require_weights(self, purpose: str) -> None:
        """Raise ParameterError, in one sentence that says what to do, when the variable share has no weights yet."""
        if not self.weighted:
            way = f"a model made by model.with_weights(ah.estimate(frame, model={self.name!r}))"
            raise ParameterError(Problem(purpose, f"{self.name} has no weights ({NO_WEIGHTS})", way))

    def with_weights(self, fit: Any, on: str = "") -> Model:
        """This structure with estimated weights in the variable share; every output calls them estimated.

        They are rounded to cents, as the weights of a regulation are.

        Parameters
        ----------
        fit : Fit or Series
            ``ah.estimate(frame, model=this)``, or euros per insured year by criterion and code.
        on : str, optional
            What they were estimated on, in words; default: the insured years and the fit.

        Raises
        ------
        ParameterError
            A model whose weights are printed, or a fit without exactly the classes of the variable share.

        Examples
        --------
        >>> load_model("nl-2024-structural").with_weights(fit).weights_status  # doctest: +SKIP
        'estimated on 1,234.0 insured years of the user'
        """
        structure, variable = self.law.structure, self.law.weights_variable
        if structure is None or variable is None:
            raise ParameterError(
                Problem("with_weights", f"{self.name} has printed weights", "a structure, such as nl-2024-structural")
            )
        given = {(str(c), str(k)): float(value) for (c, k), value in getattr(fit, "params", fit).items()}
        wanted = {(c.name, str(row.code)): row for c in self.variable.criteria for row in c.classes}
        problems = [Problem("with_weights", f"no weight of {c} {k}") for c, k in wanted if (c, k) not in given]
        problems += [
            Problem("with_weights", f"no class {k} of {c} in {self.name}") for c, k in given if (c, k) not in wanted
        ]
        problems += [Problem("with_weights", f"weight of {c} {k}", "a finite number", str(value))
                     for (c, k), value in given.items() if not math.isfinite(value)]  # fmt: skip
        if problems:
            raise ParameterError(problems)
        years = f"{fit.insured_years:,.1f} insured years" if hasattr(fit, "insured_years") else "data"
        words = f"estimated on {on or f'{years} of the user'}"
        document = variable.model_copy(deep=True)
        for table in document.criterion:
            table.classes[:] = [
                row.model_copy(update={"weight": Decimal(round(given[table.name, str(row.code)] * 100)) / 100})
                for row in table.classes
            ]
        digest = hashlib.sha256(f"{self.law.sha256}{words}{sorted(given.items())}".encode()).hexdigest()
        name = self.name if self.weighted else f"{self.name}+estimated"
        structure = dataclasses.replace(structure, weights=words)
        law = dataclasses.replace(self.law, name=name, weights_variable=document, sha256=digest, structure=structure)
        return model_of(law)

    def require_complete(self, purpose: str) -> None:
        """Raise ParameterError, in one sentence, when this version cannot group and pay the year."""
        if not self.complete:
            names = ", ".join(row for row in model_names(data_directory("params") / "nl") if load_model(row).complete)
            raise ParameterError(
                Problem(purpose, f"{self.name} has {self.status}; it lacks {self.law.missing[0]}", f"one of {names}")
            )

    def require_channels(self, purpose: str) -> None:
        """Raise ParameterError, in one sentence, when a programme cannot be decomposed under the law of the year."""
        self.require_complete(purpose)
        if self.nursing.criteria:
            rows = (load_model(name) for name in model_names(data_directory("params") / "nl"))
            names = ", ".join(model.name for model in rows if model.complete and not model.nursing.criteria)
            raise ParameterError(
                Problem(
                    purpose,
                    f"{self.name} can be grouped and paid; its nursing share and bandwidths have no channel yet",
                    f"one of {names}",
                )
            )

        rules = [f"bandwidth of {band.share}" for band in self.bandwidth]
        rules += [f"high-cost compensation of {row.share}" for row in self.high_cost if row.share != "ggz"]
        if rules:
            way = "a Reform of settlement.bandwidth and settlement.high_cost_compensation without them"
            raise ParameterError(Problem(purpose, f"{self.name} has {' and '.join(rules)}, without a channel yet", way))

    @property
    def one_year_only(self) -> bool:
        """Rules as printed that hold for this year alone: a structural model stands beside it (2021: COVID)."""
        return f"{self.name}-structural" in model_names(data_directory("params") / "nl")

    @property
    def parameters_sha256(self) -> str:
        """Of the parameter files and the reforms on top: another figure, another hash."""
        return self.law.sha256

    @property
    def source(self) -> str:
        """Title and citation of the regulation."""
        return f"{self.law.source.title}, {self.law.source.cite}"

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Every weight: ``share, criterion, code, label, weight_eur, source, status``.

        ``status`` is ``printed``, ``estimated: none yet`` (the weight is NaN), or ``estimated`` and on what;
        ``not printed`` where the settlement makes the weight (NaN).
        """
        import pandas as pd

        rows = []
        for share in self.shares:
            status = self.weights_status if share.name == "variable" else "printed"
            for criterion in share.criteria:
                for row in criterion.classes:
                    known = row.printed and status != NO_WEIGHTS
                    weight = row.weight / MICRO_PER_EURO if known else math.nan
                    said = status if row.printed else "not printed"
                    rows.append((share.name, criterion.name, row.code, row.label, weight, row.source, said))
        columns = ["share", "criterion", "code", "label", "weight_eur", "source", "status"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def values(self) -> pd.DataFrame:
        """Every other figure: ``key, value, unit, article, term, status, note``."""
        import pandas as pd

        rows = [
            (key, str(getattr(value, "value", "")), getattr(value, "unit", ""), value.article, value.term,
             getattr(value, "status", "printed"), getattr(value, "note", ""))
            for key, value in _values(self.law)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["key", "value", "unit", "article", "term", "status", "note"])

    @cached_property
    def core(self) -> Any:
        """The struct ``_core`` works with, filled field by field."""
        core = importlib.import_module("anderhalf._core")
        return _filled(getattr(core, "params", core), "Model", self)

    def __reduce__(self) -> tuple[Any, tuple[Law]]:
        return model_of, (self.law,)


@lru_cache(maxsize=16)
def _load(name: str) -> Model:
    return model_of(read_law(data_directory("params") / "nl", name))


def load_model(name: str, *reforms: Reform) -> Model:
    """A model year by name, with reforms on top.

    Parameters
    ----------
    name : str
        ``nl-2021`` as printed, ``nl-2021-structural`` for more than one year; see :func:`models`.
    *reforms : Reform
        Other values, applied in this order. The model is then no longer official.

    Raises
    ------
    NotFoundError
        No such model.
    ParameterError
        A parameter file or a reform is refused: file, key and article of everything that is wrong.

    Examples
    --------
    >>> load_model("nl-2021").variable.criterion("mhk").by_code(1).weight
    166470000
    """
    folder = data_directory("params") / "nl"
    if name not in (names := model_names(folder)):
        raise not_found("load_model", "model", [name], names)
    return model_of(read_law(folder, name, reforms)) if reforms else _load(name)


def models() -> pd.DataFrame:
    """The model years: ``name, year, official, status, title, cite, url, classes, changes, missing, macro_eur_million,
    macro_status, weights, structure``.

    ``status`` is ``complete``, or ``weights and criteria only``: such a year can be read and explained person by
    person, and is refused by everything that groups claims or pays insurers. ``missing`` says why. The macro total and
    its status (final, draft, expected) are those of :func:`macro_amounts`. ``weights`` is ``printed``, or ``estimated:
    none yet`` for a structure; ``structure`` holds a line per difference of such a year: printed, or an assumption.
    """
    import pandas as pd

    from anderhalf.macro import macro_year

    rows = []
    for name in model_names(data_directory("params") / "nl"):
        model = load_model(name)
        source = model.law.source
        count = sum(len(criterion.classes) for share in model.shares for criterion in share.criteria)
        changes = "; ".join(f"{change.path} = {_shown(change.value)}" for change in model.law.changes)
        notes = model.law.structure.notes if model.law.structure else ()
        title = model.law.title or source.title
        missing = "; ".join(model.law.missing)
        macro = macro_year(model.year)
        total = macro.values.get("total") if macro else None
        amounts = (None if total is None else float(total), macro.status if macro and total is not None else "expected")
        row = (name, model.year, model.official, model.status, title, source.cite, source.url, count, changes, missing)
        rows.append((*row, *amounts, model.weights_status, "\n".join(notes)))
    columns = ["name", "year", "official", "status", "title", "cite", "url", "classes", "changes", "missing",
               "macro_eur_million", "macro_status", "weights", "structure"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def model_of(law: Law) -> Model:
    """The model that the parameter files describe; every conversion is exact or refused."""
    premium, rules = law.premium_and_deductible, law.settlement
    shares: dict[str, Share] = {name: Share(name, ()) for name in get_args(ShareName)}
    shares |= {name: _share(law, weights) for name, weights in law.weights.items()}
    historical = [name for name in HISTORICAL if shares[name].criteria]
    exempt = {category.name for category in premium.exempt.categories}
    cluster = {name: group for group in CLUSTERS for name in getattr(law.assignment.cluster, group)}
    mhk_codes = {row.key: row.code for row in shares[law.somatic].criterion("mhk").classes}
    mhk_from = premium.morbidity.mhk_from
    macro, revenue = law.macro_budget.macro_budget, law.macro_budget.revenue
    flanking = law.macro_budget.adjustment
    excluded = law.assignment.mhk.excluded.categories
    special = law.assignment.special
    return Model(
        name=law.name,
        year=law.source.year,
        official=law.official,
        complete=not law.missing,
        weighted=law.structure is None or law.structure.weights != NO_WEIGHTS,
        variable=shares["variable"],
        ggz=shares["ggz"],
        ggz_hcc=shares["ggz_hcc"],
        deductible=shares["deductible"],
        nursing=shares["nursing"],
        variable_ex_post=shares["variable_ex_post"],
        ggz_ex_post=shares["ggz_ex_post"],
        deductible_ex_post=shares["deductible_ex_post"],
        historical=tuple(shares[name] for name in historical),
        neutrality=tuple(_neutrality(law, shares)),
        macro_total=_cents(macro.total),
        macro_variable=_cents_or_0(macro.of_share("variable")),
        macro_fixed=_cents(macro.fixed_care),
        macro_ggz=_cents_or_0(macro.of_share("ggz")),
        macro_nursing=_cents_or_0(macro.of_share("nursing")),
        flanking_fixed=_cents(flanking.fixed_care) if flanking else 0,
        flanking_nursing=_cents(flanking.nursing_care) if flanking else 0,
        macro_historical=tuple(_cents_or_0(macro.of_share(name)) for name in historical),
        revenue_premium=_cents(revenue.premium),
        revenue_deductible=_cents(revenue.deductible),
        fund_payment=_cents(revenue.fund_payment),
        calculation_premium=_cents(premium.premium.calculation_premium),
        administration_under_18=_cents(premium.premium.administration_under_18),
        deductible_amount=_cents(premium.deductible.amount),
        forfait=_cents(premium.deductible.forfait),
        forfait_ex_post=_cents(premium.deductible.forfait_ex_post or premium.deductible.forfait),
        deductible_exempt=tuple(name in exempt for name in CATEGORIES),
        title_deductible_exempt=tuple(getattr(premium.titles, title).exempt for title in TITLES),
        forfait_from_mhk=0 if mhk_from is None else mhk_codes[mhk_from],
        morbidity_criteria=tuple(premium.morbidity.criteria),
        cluster=tuple(cluster[name] for name in CATEGORIES),
        mhk_excluded=tuple(name in excluded for name in CATEGORIES),
        flat_ppm_variable=_optional(rules.flat_step.variable_care, MICRO_PER_EURO),
        flat_ppm_ggz=_scaled(rules.flat_step.mental_care, MICRO_PER_EURO),
        flat_ppm_nursing=_optional(rules.flat_step.nursing_care, MICRO_PER_EURO),
        flat_ppm_historical=tuple(
            _optional(getattr(rules.flat_step, name, None), MICRO_PER_EURO) for name in historical
        ),
        own_payments_macro_corrected=rules.own_payments.macro_corrected.value,
        own_payments_flat_ppm=_scaled(rules.own_payments.flat_step, MICRO_PER_EURO),
        high_cost=tuple(_high_cost(row) for row in rules.high_cost_compensation),
        bandwidth=tuple(_band(row) for row in rules.bandwidth),
        fixed_settled_ppm=_scaled(rules.fixed_care.settled, 10_000),
        abroad=tuple(_abroad(law)),
        detained_ppb=_optional(premium.premium.detained, 10_000_000),
        steps=tuple(
            Step(stage, row.share, item, article)
            for stage in get_args(Stage)
            for row in rules.step
            if stage in row.stages
            for item, article in row.items.items()
        ),
        wlz_lowest_ses=special.wlz_lowest_ses is not None and special.wlz_lowest_ses.value,
        wlz_no_mvv_from_age=_from_age(special.wlz_no_mvv_from_age),
        lowest_ses_from_ggz_dkg=_optional(special.lowest_ses_from_ggz_dkg, 1),
        lowest_ses_above_residents=_optional(special.lowest_ses_above_residents, 1),
        ses_of_income_group=tuple(special.ses_of_income_group.value) if special.ses_of_income_group else (),
        ended_addon_years=_optional(special.ended_addon_years, 1),
        gsm_criteria=tuple(law.assignment.gsm.criteria) if law.assignment.gsm else (),
        mhk_settled=law.assignment.mhk.settled is not None and law.assignment.mhk.settled.value,
        adult_age=_scaled(law.assignment.adult.age, 1),
        reference_month=_scaled(law.assignment.reference_date.month, 1),
        law=law,
    )


def _whole(value: Decimal, factor: int, where: str) -> int:
    scaled = value * factor
    if scaled != scaled.to_integral_value():
        raise ParameterError(Problem(where, "cannot be held exactly", f"a multiple of 1/{factor}", str(value)))
    return int(scaled)


def _scaled(value: Value, factor: int) -> int:
    return _whole(value.value, factor, f"{value.term} (art. {value.article})")


def _optional(value: Value | None, factor: int) -> int:
    return 0 if value is None else _scaled(value, factor)


def _from_age(value: Value | None) -> int:
    """0: no such rule; -1: every age, which the law prints as no age at all."""
    return 0 if value is None else _scaled(value, 1) or -1


def _cents(value: Value) -> int:
    return _scaled(value, 100_000_000 if value.unit == "EUR million" else 100)


def _cents_or_0(value: Value | None) -> int:
    return 0 if value is None else _cents(value)


def _high_cost(row: HighCostCompensation) -> HighCost:
    article = ", ".join(dict.fromkeys(v.article for v in (row.users_above_threshold, row.threshold) if v))
    top, threshold = _optional(row.users_above_threshold, 100), _optional(row.threshold, 100)
    return HighCost(row.share, top, threshold, _scaled(row.share_of_excess, 10_000), article)


def _band(row: parameters.Band) -> Band:
    return Band(
        row.share,
        tuple(row.together_with),
        _cents(row.amount),
        _scaled(row.percent, 10_000),
        per_adult=row.per == "adult",
        before_flat_step=row.result == "scaled",
        financed=row.financed == "adults",
        article=row.amount.article,
    )


def _abroad(law: Law) -> Iterator[AbroadWeight]:
    """Percentages per criterion; one percentage for all stands for every criterion that has a class "none"."""
    abroad = law.assignment.abroad
    yield from (AbroadWeight(name, _scaled(value, 10_000)) for name, value in abroad.percent.items())


_GROUPS = {"avi": INCOME_SOURCES, "ppa": HOUSEHOLD_STATES, "one_person": HOUSEHOLD_STATES}


def _share(law: Law, weights: WeightsFile) -> Share:
    rows = {row.name: row for row in law.assignment.criterion}
    criteria = []
    for table in weights.criterion:
        codes = {row.key: row.code for row in table.classes}
        excluded = [pair for rule in law.assignment.exclusion if rule.criterion == table.name for pair in rule.pairs]
        assignment = rows[table.name]
        source = f"{law.source.title}, annex {weights.share.annex}, table {table.table}"
        if law.structure is not None and weights.share.name == "variable":
            source = f"{law.source.title}, {law.structure.weights}"
        elif law.structure is not None:
            source = f"{weights.source.title}, annex {weights.share.annex}, table {table.table}"
        criteria.append(
            Criterion(
                name=table.name,
                assignment=assignment.assignment,
                first_code=table.classes[0].code,
                classes=tuple(_risk_class(row, table.name, source) for row in table.classes),
                exclusions=tuple(Exclusion(codes[keep], codes[drop]) for keep, drop in excluded),
                data_years=tuple(assignment.data_years),
                age_bands_zero_sum=assignment.zero_sum == "age_band",
                of=tuple(assignment.of),
                categories=tuple(name in assignment.categories for name in CATEGORIES),
            )
        )
    return Share(weights.share.name, tuple(criteria))


def _risk_class(row: ClassRow, criterion: str, source: str) -> RiskClass:
    where = f"{source} {row.key}"
    group = row.group or 0
    if isinstance(group, str):
        names = _GROUPS.get(criterion.removeprefix("ggz_"), ())
        if group not in names:
            raise ParameterError(
                Problem(where, f"no group {group!r}", f"one of {', '.join(names)}" if names else "none")
            )
        group = names.index(group)
    low, high = row.age_range
    return RiskClass(
        code=row.code,
        key=row.key,
        label=row.label,
        weight=_whole(row.weight or Decimal(0), MICRO_PER_EURO, where),
        source=source,
        sex={None: 0, "man": 1, "woman": 2}[row.sex],
        age_min=low,
        age_max=high,
        born={None: 0, "this_year": 1, "year_before": 2}[row.born],
        group=group,
        years=row.years,
        top_per_myriad=_whole(row.top_percent or Decimal(0), 100, where),
        of_years=row.of_years,
        min_cents=_whole(row.min_eur or Decimal(0), 100, where),
        young_below=row.young_below,
        young_years=row.young_years,
        printed=row.weight is not None,
    )


def _neutrality(law: Law, shares: dict[str, Share]) -> Iterator[NeutralityRule]:
    for rule in law.settlement.neutrality:
        codes = {row.key: row.code for row in shares[rule.share].criterion(rule.criterion).classes}
        reset, of = ([codes[key] for key in keys] for keys in (rule.reset, rule.of))
        yield NeutralityRule(rule.share, rule.criterion, rule.rule, tuple(reset), tuple(of), rule.article)


def _values(law: Law) -> Iterator[tuple[str, Value | Switch | Groups | Expected]]:
    def below(path: str, node: object) -> Iterator[tuple[str, Value | Switch | Groups | Expected]]:
        if isinstance(node, (Value, Switch, Groups, Expected)):
            yield path, node
        elif isinstance(node, list):
            for row in node:
                if isinstance(row, (parameters.Band, HighCostCompensation)):
                    yield from below(f"{path}.{row.name}", row)
        elif isinstance(node, (BaseModel, dict)):
            for key, child in node if isinstance(node, BaseModel) else node.items():
                yield from below(f"{path}.{key}", child)

    for stem in ("macro_budget", "premium_and_deductible", "assignment", "settlement"):
        yield from below(stem, getattr(law, stem))


_ENUMS = {"assignment": "Assignment", "rule": "Neutrality", "cluster": "Cluster", "stage": "Stage", "item": "Item"}


def _filled(core: Any, kind: str, value: Any) -> Any:
    struct = getattr(core, kind)()
    for item in dataclasses.fields(value):
        if item.metadata.get("core", True):
            setattr(struct, item.name, _core_value(core, item.name, getattr(value, item.name)))
    return struct


def _core_value(core: Any, name: str, value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _filled(core, type(value).__name__, value)
    if isinstance(value, tuple):
        return [_core_value(core, name, item) for item in value]
    if name in _ENUMS:
        return getattr(getattr(core, _ENUMS[name]), value)
    return value
