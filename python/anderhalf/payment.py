"""What the fund pays each insurer: by the steps of a model year, or with weights of any model.

:func:`pay` counts a frame of insured persons per insurer and class, lets the compiled core settle it step by step, and
gives a :class:`Paid`. :func:`settlements` does so for successive stages of one year, :func:`recalculate` for corrected
data or another version of the model; both tell the difference to the cent (:class:`Difference`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import numpy as np
import pandas as pd

from anderhalf import _core
from anderhalf.columns import Source, counted, days_in, source
from anderhalf.errors import DomainError, NotFoundError, ParameterError, Problem, ShapeError, not_found
from anderhalf.estimation import Fit
from anderhalf.export import MINIMUM_PERSONS, sha256
from anderhalf.insured import (
    COSTS,
    FIXED,
    FIXED_HISTORY,
    FORGONE,
    OWN_PAYMENTS,
    Insurer,
    Int64,
    Totals,
    Wanted,
    classes_of,
    needed_columns,
    shares_of,
    totals,
)  # fmt: skip
from anderhalf.model import MICRO_PER_CENT, MICRO_PER_EURO, Model, Share, load_model
from anderhalf.moments import Criterion, Layout, chunks, completed, layout_of
from anderhalf.weights import digest

if TYPE_CHECKING:
    from anderhalf.export import Bundle
    from anderhalf.streaming import Streamed

Stage = Literal["ex_ante", "first_provisional", "second_provisional", "final"]
Rounding = Literal["exact", "legal"]
Weights: TypeAlias = "Model | str | Fit | pd.DataFrame"

STAGES: tuple[Stage, ...] = get_args(Stage)
PPM = 1_000_000
NOBODY = 2**63 - 1  # a threshold that nobody is above


# --- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One step for all insurers: what it adds to the contribution."""

    share: str
    item: str
    article: str
    cents: tuple[int, ...]


@dataclass(frozen=True)
class ShareResult:
    """One share of all insurers together."""

    name: str
    target: int  # cents
    factor: float  # scaling
    rounding_gap: int
    macro_gap: int | None
    printed: tuple[int, ...]  # weights of the stage, micro-euro, in the order of `keys`
    weights: tuple[int, ...]  # the same after neutrality
    keys: tuple[tuple[str, Any, str], ...]  # criterion, code, label
    source: str = ""  # regulation and annex


@dataclass(frozen=True)
class Counts:
    """Insured days per insurer and class of one share, and persons."""

    days: Int64
    counted: Int64  # millionths of a day: who lives abroad counts for part of the weight
    records: Int64


@dataclass(frozen=True)
class Paid:
    """What every insurer receives, step by step.

    Attributes
    ----------
    insurers : DataFrame
        ``insurer, persons, insured_years, adult_years``, cents per share, ``contribution_cents``, which is their sum.
        ``persons`` are those of the frame, each once with an insurer, whatever they represent; records when the frame
        has no column of persons.
    lines : DataFrame
        ``insurer, share, item, article, cents``: the steps in the order of the law; they sum to the contribution.
    shares : DataFrame
        Per share: what all insurers receive, the scaling factor, the gap with the macro amount.
    weights : DataFrame
        ``share, criterion, code, label, printed_eur, weight_eur, insured_years, persons``; ``weight_eur`` is the weight
        after neutrality.
    classes : DataFrame
        ``insurer, share, criterion, code, insured_years, persons``.
    total_cents : int
    """

    model: Model | None
    stage: Stage
    rounding: Rounding
    names: tuple[Insurer, ...]
    steps: tuple[Line, ...]
    results: tuple[ShareResult, ...]
    counts: Mapping[str, Counts]
    days_in_year: int
    days: Int64
    adult_days: Int64
    records: Int64
    under_18: Int64
    cost: Mapping[str, Int64]  # share -> realised cents per insurer
    money: Mapping[str, Int64]  # other cents per insurer, by column
    expected: str  # "realised", or where the expected counts come from
    thresholds: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)
    excess: Mapping[str, Int64] = field(default_factory=dict)
    parameters_sha256: str | None = None
    data_sha256: str | None = None
    seed: int | None = None
    accepted: tuple[Mapping[str, Any], ...] | None = None  # by the options of a column map: option and count

    # --- frames

    @cached_property
    def contribution(self) -> tuple[int, ...]:
        """Cents per insurer, in the order of ``names``."""
        return tuple(sum(step.cents[i] for step in self.steps) for i in range(len(self.names)))

    @property
    def total_cents(self) -> int:
        return sum(self.contribution)

    @cached_property
    def insurers(self) -> pd.DataFrame:
        frame = {
            "insurer": list(self.names),
            "persons": self.records.tolist(),
            "insured_years": self.days / self.days_in_year,
        }
        if self.model is not None:
            frame["adult_years"] = self.adult_days / self.days_in_year
        for share in dict.fromkeys(step.share for step in self.steps):
            parts = [step.cents for step in self.steps if step.share == share]
            frame[f"{share}_cents"] = [sum(part[i] for part in parts) for i in range(len(self.names))]
        return pd.DataFrame({**frame, "contribution_cents": list(self.contribution)})

    @cached_property
    def lines(self) -> pd.DataFrame:
        rows = [
            (insurer, step.share, step.item, step.article, step.cents[i])
            for i, insurer in enumerate(self.names)
            for step in self.steps
        ]
        return pd.DataFrame(rows, columns=["insurer", "share", "item", "article", "cents"])

    @cached_property
    def shares(self) -> pd.DataFrame:
        rows = [(r.name, r.target, r.factor, r.rounding_gap, r.macro_gap) for r in self.results]
        return pd.DataFrame(rows, columns=["share", "target_cents", "factor", "rounding_gap_cents", "macro_gap_cents"])

    @cached_property
    def weights(self) -> pd.DataFrame:
        rows = [
            (r.name, *key, r.printed[k] / MICRO_PER_EURO, r.weights[k] / MICRO_PER_EURO,
             int(self.counts[r.name].days[:, k].sum()) / self.days_in_year,
             int(self.counts[r.name].records[:, k].sum()))
            for r in self.results if r.keys
            for k, key in enumerate(r.keys)
        ]  # fmt: skip
        return pd.DataFrame(
            rows,
            columns=["share", "criterion", "code", "label", "printed_eur", "weight_eur", "insured_years", "persons"],
        )

    @cached_property
    def classes(self) -> pd.DataFrame:
        rows = [
            (insurer, r.name, key[0], key[1], int(self.counts[r.name].days[i, k]) / self.days_in_year,
             int(self.counts[r.name].records[i, k]))
            for r in self.results if r.keys
            for i, insurer in enumerate(self.names)
            for k, key in enumerate(r.keys)
            if self.counts[r.name].records[i, k]
        ]  # fmt: skip
        columns = ["insurer", "share", "criterion", "code", "insured_years", "persons"]
        return pd.DataFrame(rows, columns=columns)

    def step(self, share: str, item: str) -> Line | None:
        """A step of all insurers; None when the stage does not have it."""
        return next((s for s in self.steps if (s.share, s.item) == (share, item)), None)

    def result(self, share: str) -> ShareResult:
        return next(r for r in self.results if r.name == share)

    def position(self, insurer: Insurer) -> int:
        """The place of an insurer.

        Raises
        ------
        NotFoundError
            No such insurer.
        """
        for k, name in enumerate(self.names):
            if str(name) == str(insurer):
                return k
        raise not_found("statement", "insurer", [str(insurer)], [str(name) for name in self.names])

    # --- for people

    def statement(self, insurer: Insurer, lang: str = "en") -> str:
        """Every step of one insurer with its article and its arithmetic, as text; English or Dutch."""
        from anderhalf.statement import statement_text

        return statement_text(self, insurer, lang)

    def to_dict(self) -> dict[str, Any]:
        """What ``results.json`` holds."""
        return {
            "stage": self.stage,
            "rounding": self.rounding,
            "expected_counts": self.expected,
            "weights_status": "own" if self.model is None else self.model.weights_status,
            "insurers": self.insurers.to_dict("records"),
            "shares": [
                {"share": r.name, "target_cents": r.target, "factor": r.factor, "rounding_gap_cents": r.rounding_gap,
                 "macro_gap_cents": r.macro_gap}
                for r in self.results
            ],
            **({} if self.accepted is None else {"accepted": [dict(item) for item in self.accepted]}),
            "total_cents": self.total_cents,
        }  # fmt: skip

    def bundle(self, lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Bundle:
        """Tables, results and page, as they are written."""
        from anderhalf.statement import bundle_of

        return bundle_of(self, lang, minimum_persons)

    def report(self, out: str | PathLike[str], lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Path:
        """Write ``report.html`` with every statement, ``tables/*.csv`` and ``results.json``; returns the folder."""
        return self.bundle(lang, minimum_persons).write(out)

    def __str__(self) -> str:
        from anderhalf.statement import summary

        return summary(self)

    def __repr__(self) -> str:
        what = self.model.name if self.model is not None else "own weights"
        return f"Paid({what}, {self.stage}, {counted(len(self.names), 'insurer')}, {self.total_cents:,} cents)"


# --- pay --------------------------------------------------------------------------------------------------------------


def stage_of(name: str) -> Stage:
    """The stage by name; ``ex_post`` is the final one."""
    known = "final" if name == "ex_post" else name
    if known not in STAGES:
        raise not_found("pay", "stage", [name], [*STAGES, "ex_post"])
    return known


def pay(
    frame: Any,
    weights: Weights,
    stage: str = "ex_post",
    rounding: str = "exact",
    expected: Any = None,
    *,
    insurer: str = "insurer",
    days: str | None = None,
    represents: str | None = None,
    person: str = "person",
    year: int | None = None,
    total: int | str | None = None,
    days_in_year: int | None = None,
    columns: Any = None,
) -> Paid:
    """What each insurer receives for its insured.

    Parameters
    ----------
    frame : frame, mapping, path, stream or Streamed
        Insured periods of persons, as :class:`ah.Moments` reads them: ``insurer`` (numbers or labels), ``days``, the
        class columns of the model year (``age_sex, avi, mhk, ..., fkg_1, fkg_2, ..., ggz_fkg_1, ...``), optional
        ``represents, person, abroad, detained``. Afterwards ``variable_cents, ggz_cents, nursing_cents, fixed_cents,
        own_payments_mandatory_cents`` where the year has them; ``under_18``, 1 for who is under 18 on 1 July.
        Or a streamed year, which knows all of these.
    weights : Model, str, Fit or DataFrame
        A model year or its name; an estimate of any model; or a frame ``criterion, code, weight_eur``
        [euros per insured year].
    stage : str
        ``ex_ante``, ``first_provisional``, ``second_provisional``, ``final`` (also ``ex_post``). Which steps a stage
        has is data of the model year.
    rounding : str
        ``exact``, or ``legal``: weights that are set again are rounded to two decimals, as the regulation prints.
    expected : frame, Paid or DataFrame, optional
        Insured as expected at the grant, for criterion neutrality: records like ``frame`` (classes and days alone are
        read), a payment made of them, or counts ``share, criterion, code, insured_years``. Default: the realised ones,
        under which class totals and offsets change nothing.
    insurer, days, represents, person : str
        Names of columns. Default of days and represents: those of the estimate, else ``days`` and ``represents``.
    year : int, optional
        Calendar year of the days, when it is not that of the model.
    total : int or str, optional
        For weights of one's own: scale to so many cents, or to the sum of a column of cents.
    days_in_year : int, optional
        For weights of one's own; default 365, or that of the estimate.
    columns : str, path, mapping or ColumnMap, optional
        How the frames name what we name otherwise: ``"ot-2020"`` or a MAP.toml with ``[classes]``. What its options let
        pass is in ``accepted``.

    Returns
    -------
    Paid

    Raises
    ------
    NotFoundError, ShapeError, DomainError, ParameterError
        Columns that are missing, values outside their range, a stage that the year does not have; every problem at
        once, persons by row number and never by value.

    Examples
    --------
    >>> insured = {"insurer": ["a", "a", "b"], "days": [365, 365, 73], "age": [0, 1, 1]}
    >>> prices = pd.DataFrame({"criterion": "age", "code": [0, 1], "weight_eur": [1000.0, 3000.0]})
    >>> pay(insured, prices).insurers.contribution_cents.tolist()
    [400000, 60000]
    >>> pay(insured, prices, total=500_000).insurers.contribution_cents.tolist()
    [434783, 65217]
    """
    from anderhalf.streaming import Streamed

    if isinstance(frame, Streamed):
        named = {"columns": columns, "days": days, "represents": represents, "insurer": insurer, "person": person}
        asked = [name for name, value in named.items() if value not in (None, "insurer", "person")]
        if asked:
            raise ParameterError(
                [Problem(f"pay, {name}", "a streamed year has no columns", "no such argument") for name in asked]
            )
    if columns is not None:
        from anderhalf.class_map import mapped

        own = mapped(frame, columns)
        counts = isinstance(expected, pd.DataFrame) and "share" in expected.columns
        if expected is not None and not isinstance(expected, Paid | Streamed) and not counts:
            expected = mapped(expected, columns)
        paid = pay(own, weights, stage, rounding, expected, insurer=insurer, days=days, represents=represents,
                   person=person, year=year, total=total, days_in_year=days_in_year)  # fmt: skip
        return replace(paid, accepted=tuple(own.accepted))
    if rounding not in get_args(Rounding):
        raise not_found("pay", "rounding", [rounding], get_args(Rounding))
    if isinstance(weights, Model | str):
        if total is not None or days_in_year is not None:
            what = "total" if total is not None else "days_in_year"
            raise ParameterError(Problem(f"pay, {what}", "is for weights of one's own", "no such argument"))
        model = load_model(weights) if isinstance(weights, str) else weights
        names = {
            "insurer": insurer,
            "days": days or "days",
            "represents": represents or "represents",
            "person": person,
        }
        pay_with = _pay_streamed if isinstance(frame, Streamed) else _pay_year
        return pay_with(frame, model, stage_of(stage), cast("Rounding", rounding), expected, names, year)
    if isinstance(frame, Streamed):
        raise ParameterError(
            Problem("pay", "a streamed year holds no records to weigh", "a model year, such as model.with_weights(fit)")
        )
    if expected is not None:
        raise ParameterError(Problem("pay, expected", "is for the neutrality of a model year", "no such argument"))
    if rounding != "exact" or year is not None:
        what = "year" if year is not None else "rounding"
        raise ParameterError(Problem(f"pay, {what}", "is for a model year", "no such argument"))
    stage_of(stage)  # weights of one's own have no stages; a name that is none is refused all the same
    if isinstance(weights, Fit):
        days, represents = days or weights.layout.days, represents or weights.layout.represents
    return _pay_own(source(frame), weights, total, insurer, days or "days", represents or "represents", days_in_year)


def class_columns(model: Model | str) -> list[str]:
    """The class columns that a frame must have for a model year; all others follow from them.

    Examples
    --------
    >>> [name for name in class_columns("nl-2021") if "_" not in name]
    ['avi', 'region', 'ses', 'ppa', 'mhk', 'fdg', 'mvv']
    """
    return needed_columns(load_model(model) if isinstance(model, str) else model)


def steps_of(model: Model, stage: Stage) -> dict[tuple[str, str], str]:
    """Share and item of every step of a stage with its article, in the order of the law.

    Raises
    ------
    ParameterError
        The year has no such stage.
    """
    steps = {(step.share, step.item): step.article for step in model.steps if step.stage == stage}
    if not steps:
        known = [s for s in STAGES if any(step.stage == s for step in model.steps)]
        raise ParameterError(
            Problem("pay", f"{model.name} lists no steps of stage {stage}", f"one of {', '.join(known) or 'no stage'}")
        )
    return steps


def _wanted(model: Model, stage: Stage, given: Collection[str], person: str) -> Wanted:
    """What a stage needs beside classes, by its steps; says what is missing."""
    steps = steps_of(model, stage)
    costs = tuple(share for share in COSTS if (share, "scaling") in steps)
    money = []
    if ("fixed", "settled_cost") in steps:
        money.append(FIXED)
    if ("deductible", "own_payments_macro") in steps and model.own_payments_macro_corrected:
        money.append(OWN_PAYMENTS)
    users = tuple(
        share for share in costs
        if (share, "high_cost_compensation") in steps and any(rule.share == share for rule in model.high_cost)
    )  # fmt: skip
    problems = [
        Problem("frame", f"no column {name!r}", f"cents of each record: stage {stage} of {model.name} needs it")
        for name in [*(COSTS[share] for share in costs), *money]
        if name not in given
    ]
    if users and person not in given:
        article = next(rule.article for rule in model.high_cost if rule.share == users[0])
        problems.append(
            Problem("frame", f"no column {person!r}", f"the person: high cost is a person's (art. {article})")
        )
    if problems:
        raise NotFoundError(problems)
    money += [name for name in (FIXED_HISTORY, *(FORGONE if stage != "ex_ante" else ())) if name in given]
    forgone = model.detained_ppb != 0 if stage == "ex_ante" else FORGONE[1] in money
    return Wanted(
        costs, tuple(money), ("administration", "administration") in steps, users,
        ("deductible", "detained") in steps and forgone,
    )  # fmt: skip


def _pay_year(
    frame: Any, model: Model, stage: Stage, rounding: Rounding, expected: Any, names: Mapping[str, str],
    year: int | None,
) -> Paid:  # fmt: skip
    model.require_weights("pay")
    data = source(frame)
    # Every column that is missing is named at once: of classes, and of the stage.
    problems: list[Problem] = []
    wanted, classes = Wanted(), None
    for attempt in ("classes", "wanted"):
        try:
            if attempt == "classes":
                classes = classes_of(model, data.names)
            else:
                wanted = _wanted(model, stage, data.names, names["person"])
        except NotFoundError as error:
            problems.extend(error.problems)
    problems += [
        Problem("frame", f"no column {names[key]!r}", "a column of that name")
        for key in ("insurer", "days") if names[key] not in data.names
    ]  # fmt: skip
    if problems or classes is None:
        raise NotFoundError(problems)
    found = totals(data, classes, wanted, **names, year=year)
    return _paid(found, wanted, model, stage, rounding, expected, names, year, digest(data.files))


def _pay_streamed(
    year_of: Streamed, model: Model, stage: Stage, rounding: Rounding, expected: Any, names: Mapping[str, str],
    year: int | None,
) -> Paid:  # fmt: skip
    from anderhalf.streaming import COLUMNS

    model.require_weights("pay")
    year_of.require_classes(model, "pay")
    if year not in (None, year_of.year):
        raise ParameterError(Problem("pay, year", "is not the year that was streamed", str(year_of.year), str(year)))
    found = year_of.totals
    wanted = _wanted(model, stage, COLUMNS, "person")
    kept = replace(
        found, money={name: found.money[name] for name in wanted.money},
        under_18=found.under_18 if wanted.under_18 else np.zeros_like(found.under_18),
        high_cost={share: found.high_cost[share] for share in wanted.users},
    )  # fmt: skip
    return _paid(kept, wanted, model, stage, rounding, expected, names, year_of.year, year_of.data_sha256)


def _paid(
    found: Totals, wanted: Wanted, model: Model, stage: Stage, rounding: Rounding, expected: Any,
    names: Mapping[str, str], year: int | None, data_sha256: str | None,
) -> Paid:  # fmt: skip
    core, over, limits = _core_totals(found, model, stage, wanted)
    want, want_deductible, said = _expected(expected, model, names, year, wanted.detained_apart)
    result = _core.pay(
        model.core, core, getattr(_core.Stage, stage), getattr(_core.Rounding, rounding), want, want_deductible,
        year or 0,
    )  # fmt: skip
    shares = shares_of(model)
    compensated = {share for share, item in steps_of(model, stage) if item == "high_cost_compensation"}
    parts = []
    for share in result.shares:
        law = _printed(model, share.name, stage, share.name in compensated)
        keys = tuple((c.name, k.code, k.label) for c in law.criteria for k in c.classes)
        printed = [k.weight for c in law.criteria for k in c.classes]
        if share.name == "deductible":
            keys = (*keys, ("forfait", 0, ""))
            printed.append((model.forfait if stage == "ex_ante" else model.forfait_ex_post) * MICRO_PER_CENT)
        annex = law.criteria[0].classes[0].source.partition(", table")[0] if law.criteria else ""
        parts.append(
            ShareResult(share.name, share.target, share.factor, share.rounding_gap, share.macro_gap, tuple(printed),
                        tuple(share.weights), keys, annex)
        )  # fmt: skip
    counts = {
        share: Counts(t.classes, _counted(model, shares[share], share, t.classes, t.abroad), t.records)
        for share, t in found.shares.items()
    }
    return Paid(
        model=model,
        stage=stage,
        rounding=rounding,
        names=found.insurers,
        steps=tuple(Line(x.share, x.item.name, x.article, tuple(x.cents)) for x in result.lines),
        results=tuple(parts),
        counts=counts,
        days_in_year=days_in(year or model.year),
        days=found.days,
        adult_days=found.adult_days,
        records=found.records,
        under_18=found.under_18,
        cost={share: found.shares[share].cost for share in wanted.costs},
        money=found.money,
        expected=said,
        thresholds=limits,
        excess=over,
        parameters_sha256=model.parameters_sha256,
        data_sha256=data_sha256,
    )


def _printed(model: Model, share: str, stage: Stage, compensated: bool) -> Share:
    """The share whose weights hold at a stage."""
    if share in ("fixed", "premium", "administration"):
        return Share(share, ())
    grant: Share = getattr(model, share)
    if stage == "ex_ante":
        return grant
    if share == "ggz" and compensated and model.ggz_hcc.criteria:
        return model.ggz_hcc
    later = {"variable": model.variable_ex_post, "ggz": model.ggz_ex_post, "deductible": model.deductible_ex_post}
    return later[share] if share in later and later[share].criteria else grant


def _counted(model: Model, law: Share, share: str, days: Int64, abroad: Int64) -> Int64:
    """Days in millionths, those abroad for their part of the weight (art. 6)."""
    parts = {row.criterion: row.ppm for row in model.abroad} if share != "deductible" else {}
    ppm = [parts.get(c.name, PPM) if k.code == 0 else PPM for c in law.criteria for k in c.classes]
    ppm += [PPM] * (days.shape[1] - len(ppm))
    return np.asarray(days * PPM - abroad * (PPM - np.array(ppm, dtype=np.int64)))


def _core_totals(
    found: Totals, model: Model, stage: Stage, wanted: Wanted
) -> tuple[Any, dict[str, Int64], dict[str, tuple[int | None, ...]]]:
    over: dict[str, Int64] = {}
    limits: dict[str, tuple[int | None, ...]] = {}
    for share, users in found.users.items():
        high = _core.excess(
            model.core, share, users.person, users.insurer, users.cost, users.represents, len(found.insurers)
        )
        over[share] = np.array(high.per_insurer, dtype=np.int64)
        limits[share] = tuple(None if limit == NOBODY else limit for limit in high.threshold)
    for share, (excess, thresholds) in found.high_cost.items():
        over[share] = excess
        limits[share] = tuple(None if limit == NOBODY else limit for limit in thresholds)
    steps = steps_of(model, stage)
    shares = [
        _core.ShareTotals(
            share, part.classes, part.abroad, part.cost.tolist() if share in wanted.costs else [],
            over[share].tolist() if share in over else [],
        )
        for share, part in found.shares.items() if share != "deductible" and (share, "normative") in steps
    ]  # fmt: skip
    core = _core.Totals(shares, found.days.tolist(), found.adult_days.tolist(), found.shares["deductible"].classes)
    core.detained_days = found.detained_days.tolist()
    core.under_18 = found.under_18.tolist()
    for name, target in (
        (FIXED, "cost_fixed"), (FIXED_HISTORY, "fixed_history"), (OWN_PAYMENTS, "own_payments_mandatory"),
        (FORGONE[0], "premium_forgone"), (FORGONE[1], "own_payments_forgone"),
    ):  # fmt: skip
        if name in found.money:
            setattr(core, target, found.money[name].tolist())
    return core, over, limits


def _expected(
    expected: Any, model: Model, names: Mapping[str, str], year: int | None, detained_apart: bool
) -> tuple[list[Any], Any, str]:
    """Counts expected at the grant, of the shares and of the deductible, and where they come from."""
    if expected is None:
        return [], None, "realised"
    shares = [share for share in shares_of(model) if share != "deductible"]
    if isinstance(expected, Paid):
        if expected.model is None or expected.model.name != model.name:
            raise ParameterError(
                Problem("pay, expected", "is a payment of another model", model.name,
                        "own weights" if expected.model is None else expected.model.name)
            )  # fmt: skip
        found = {share: part.counted.sum(axis=0) for share, part in expected.counts.items()}
        return [_core.Counts(found[s].tolist(), 1, PPM) for s in shares], _whole(found), "the payment given"
    if isinstance(expected, pd.DataFrame) and {"share", "criterion", "code", "insured_years"} <= set(expected.columns):
        found = _listed(expected, model, days_in(year or model.year))
        return [_core.Counts(found[s].tolist(), 1, PPM) for s in shares], _whole(found), "the class counts given"
    from anderhalf.streaming import Streamed

    if isinstance(expected, Streamed):
        expected.require_classes(model, "pay, expected")
        got = expected.totals
    else:
        data = source(expected)
        got = totals(
            data, classes_of(model, data.names), Wanted(detained_apart=detained_apart), **names, year=year
        )  # fmt: skip
    laws = shares_of(model)
    found = {
        share: _counted(model, laws[share], share, part.classes, part.abroad).sum(axis=0)
        for share, part in got.shares.items()
    }
    return [_core.Counts(found[s].tolist(), 1, PPM) for s in shares], _whole(found), "the insured given"


def _whole(found: Mapping[str, Int64]) -> Any:
    return _core.Counts(found["deductible"].tolist(), 1, PPM)


def _listed(frame: pd.DataFrame, model: Model, year: int) -> dict[str, Int64]:
    """Counts from a list of classes with insured years; every class of every share, or zero."""
    years = pd.to_numeric(frame.insured_years, errors="coerce").to_numpy(dtype=np.float64)
    if not (np.isfinite(years) & (years >= 0)).all():
        raise DomainError([Problem("expected, insured_years", "missing, negative or no number", "0 or more")])
    result, problems = {}, []
    for share, law in shares_of(model).items():
        if not (frame.share == share).any():
            problems.append(Problem("expected", f"no counts of share {share}", "every share of the year"))
        keys = [(c.name, k.code) for c in law.criteria for k in c.classes]
        keys += [("forfait", 0)] if share == "deductible" else []
        result[share] = np.zeros(len(keys), dtype=np.int64)
        place = {key: k for k, key in enumerate(keys)}
        for row in frame[frame.share == share].itertuples():
            key = (str(row.criterion), int(cast("int", row.code)))
            if key not in place:
                problems.append(
                    Problem(f"expected, {share}", f"no class {key[1]} of {key[0]}", f"those of {model.name}")
                )
                continue
            result[share][place[key]] += round(float(cast("float", row.insured_years)) * year * PPM)
    unknown = sorted(set(map(str, frame.share)) - set(result))
    if unknown:
        problems += [Problem("expected", f"no share {name!r}", f"one of {', '.join(result)}") for name in unknown]
    if problems:
        raise NotFoundError(problems)
    return result


# --- weights of one's own ---------------------------------------------------------------------------------------------


def _own_layout(weights: Fit | pd.DataFrame, data: Source, days: str, represents: str, insurer: str,
                days_in_year: int | None) -> tuple[Layout, list[int]]:  # fmt: skip
    """How records are read for weights of one's own, and the weights in millionths of a euro."""
    stands = represents if represents in data.names else None
    if isinstance(weights, Fit):
        if weights.layout.continuous:
            raise ParameterError(Problem("pay, weights", "has real numbers beside classes", "weights of classes alone"))
        criteria: Sequence[Criterion] = weights.layout.criteria
        micro = [int(w) for w in weights.micro_euros]
        year = days_in_year or weights.layout.days_in_year
        whole_floats = weights.layout.whole_floats
    else:
        criteria, micro = _listed_criteria(weights, data)
        year, whole_floats = days_in_year or 365, False
    layout = layout_of(
        criteria, cost={}, days=days, represents=stands, stratum=Criterion(insurer), days_in_year=year,
        days_max=366 if year == 365 else year, whole_floats=whole_floats,
    )  # fmt: skip
    return completed(layout, data), micro


def _listed_criteria(weights: Any, data: Source) -> tuple[list[Criterion], list[int]]:
    frame = weights if isinstance(weights, pd.DataFrame) else pd.DataFrame(weights)
    lacking = [name for name in ("criterion", "code", "weight_eur") if name not in frame.columns]
    if lacking:
        raise NotFoundError([Problem("pay, weights", f"no column {name!r}", "criterion, code, weight_eur")
                             for name in lacking])  # fmt: skip
    criteria, micro, problems = [], [], []
    for name, rows in frame.groupby("criterion", sort=False):
        codes = [str(code) for code in rows["code"]]
        values = pd.to_numeric(rows["weight_eur"], errors="coerce").to_numpy(dtype=np.float64)
        if not np.isfinite(values).all() or (np.abs(values) > 2.0**40).any():
            problems.append(
                Problem(f"pay, weights of {name}", "missing, no number or too large", "EUR per insured year")
            )
            continue
        micro += [int(w) for w in np.rint(values * MICRO_PER_EURO)]
        if str(name) in data.names:
            criteria.append(Criterion(str(name), classes=codes))
            continue
        columns = [f"{name}_{code}" for code in codes]
        none = columns[0] not in data.names and codes[0] in ("0", "none")
        lack = [column for column in columns[none:] if column not in data.names]
        if lack:
            problems.append(Problem("frame", f"criterion {name} has no column {str(name)!r}, nor {', '.join(lack[:3])}",
                                    "a column of codes, or a 0/1 column per class"))  # fmt: skip
        criteria.append(Criterion(str(name), columns[none:], codes, multi=True, none=none))
    if problems:
        raise NotFoundError(problems)
    return criteria, micro


def _pay_own(
    data: Source, weights: Any, total: int | str | None, insurer: str, days: str, represents: str,
    days_in_year: int | None,
) -> Paid:  # fmt: skip
    layout, micro = _own_layout(weights, data, days, represents, insurer, days_in_year)
    if isinstance(total, str):
        layout = Layout(**{**layout.__getstate__(), "cost": {"cost": total}})
    sizes = [len(c.named) for c in layout.criteria]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    assert isinstance(layout.stratum, Criterion)
    insurers, columns = len(layout.stratum.named), int(offsets[-1])
    if insurers * columns > 1 << 26:
        raise DomainError(Problem("pay", f"{insurers:,} insurers x {columns:,} classes", "at most 67 million together"))
    class_days = np.zeros((insurers, columns), dtype=np.int64)
    class_records = np.zeros_like(class_days)
    spans, records, cost = (np.zeros(insurers, dtype=np.int64) for _ in range(3))
    for chunk in chunks(layout, data):
        assert chunk.days is not None
        who = np.asarray(chunk.stratum, dtype=np.int64)
        span = chunk.days.astype(np.int64)
        wrong = (span < 1) | (span > layout.days_max)
        if wrong.any():
            raise DomainError(Problem(f"column {days}", counted(int(wrong.sum()), "value outside its range"),
                                      f"1..{layout.days_max}"))  # fmt: skip
        factor = np.ones(len(span), dtype=np.int64) if chunk.represents is None else chunk.represents.astype(np.int64)
        amount = span * factor
        np.add.at(spans, who, amount)
        records += np.bincount(who, minlength=insurers)
        if chunk.cents:
            np.add.at(cost, who, chunk.cents[0].astype(np.int64) * factor)
        for c, offset, column in zip(layout.criteria, offsets, chunk.criteria, strict=False):
            for place, times in _columns_of(c, column, len(span)):
                chosen = times > 0
                k = (int(offset) + place) if np.ndim(place) == 0 else (int(offset) + place[chosen])
                np.add.at(class_days, (who[chosen], k), amount[chosen] * times[chosen])
                np.add.at(class_records, (who[chosen], k), 1)
    used = np.flatnonzero(records)
    class_days, class_records = class_days[used], class_records[used]
    names = tuple(layout.stratum.label(int(k)) for k in used)
    if not len(used):
        raise DomainError(Problem("frame", "holds no records", "at least one insured"))
    cents = _core.normative_cents(class_days, micro, layout.days_in_year)
    steps = [Line("own", "normative", "", tuple(cents))]
    target, ratio = sum(cents), 1.0
    if total is not None:
        target = int(cost.sum()) if isinstance(total, str) else int(total)
        _, scaled, _, ratio = _core.settle_share(
            class_days, micro, layout.days_in_year, target, 0, spans[used].tolist()
        )
        steps.append(Line("own", "scaling", "", tuple(b - a for a, b in zip(cents, scaled, strict=True))))
    keys = tuple((c.name, c.label(k), "") for c in layout.criteria for k in range(len(c.named)))
    result = ShareResult("own", target, ratio, 0, None, tuple(micro), tuple(micro), keys)
    return Paid(
        model=None, stage="final" if total is not None else "ex_ante", rounding="exact", names=names,
        steps=tuple(steps), results=(result,),
        counts={"own": Counts(class_days, class_days * PPM, class_records)}, days_in_year=layout.days_in_year,
        days=spans[used], adult_days=np.zeros(len(used), dtype=np.int64), records=records[used],
        under_18=np.zeros(len(used), dtype=np.int64), cost={"own": cost[used]} if isinstance(total, str) else {},
        money={}, expected="realised", parameters_sha256=sha256(repr((keys, micro))), data_sha256=digest(data.files),
    )  # fmt: skip


def _columns_of(c: Criterion, column: Any, rows: int) -> list[tuple[Any, Int64]]:
    """Places among the classes of a criterion with how often each record has them."""
    once = np.ones(rows, dtype=np.int64)
    if not c.many:
        place = np.asarray(column, dtype=np.int64)
        if len(place) and int(place.max()) >= len(c.named):
            raise DomainError(
                Problem(f"column {c.columns[0]}", "holds codes that are no class", f"{len(c.named)} classes")
            )
        return [(place, once)]
    read = len(c.named) - c.none
    parts = [column >> np.uint64(j) & np.uint64(1) for j in range(read)] if isinstance(column, np.ndarray) else column
    times = [np.asarray(part).astype(np.int64) for part in parts]
    if c.multi and any(len(t) and int(t.max()) > 1 for t in times):
        raise DomainError(Problem(f"criterion {c.name}", "holds values other than 0 and 1", "0 or 1"))
    result: list[tuple[Any, Int64]] = [(j + c.none, t) for j, t in enumerate(times)]
    if c.none:
        some = np.any([t > 0 for t in times], axis=0)
        result.append((0, (~some).astype(np.int64)))
    return result


# --- stages and versions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A later payment less an earlier one, per insurer, step and class.

    Attributes
    ----------
    insurers : DataFrame
        ``insurer, persons, before_cents, after_cents, difference_cents``.
    lines : DataFrame
        ``insurer, share, item, before_cents, after_cents, difference_cents``; per insurer they sum to the difference.
    classes : DataFrame
        ``insurer, share, criterion, code, label, days_before, days_after, weight_before_eur, weight_after_eur,
        difference_cents, persons``. What no class tells (scaling, flat step, premium, ...) stands in rows whose
        criterion is the step. Per insurer the rows sum to the difference, to the cent.
    """

    before: Paid
    after: Paid

    @cached_property
    def names(self) -> tuple[Insurer, ...]:
        every = dict.fromkeys([*self.before.names, *self.after.names])
        return tuple(sorted(every, key=lambda name: (isinstance(name, str), name)))

    @property
    def total_cents(self) -> int:
        return self.after.total_cents - self.before.total_cents

    @cached_property
    def insurers(self) -> pd.DataFrame:
        was, is_ = (dict(zip(paid.names, paid.contribution, strict=True)) for paid in (self.before, self.after))
        rows = [(n, self._persons(n), was.get(n, 0), is_.get(n, 0), is_.get(n, 0) - was.get(n, 0)) for n in self.names]
        columns = ["insurer", "persons", "before_cents", "after_cents", "difference_cents"]
        return pd.DataFrame(rows, columns=columns)

    def _persons(self, name: Insurer) -> int:
        """Records that a difference rests on: the fewer of both payments, when there are any."""
        found = [int(paid.records[paid.names.index(name)]) for paid in (self.before, self.after) if name in paid.names]
        return min(found)

    @cached_property
    def lines(self) -> pd.DataFrame:
        was, is_ = (
            {(name, s.share, s.item): s.cents[i] for i, name in enumerate(paid.names) for s in paid.steps}
            for paid in (self.before, self.after)
        )
        order = dict.fromkeys((s.share, s.item) for paid in (self.after, self.before) for s in paid.steps)
        rows = []
        for name in self.names:
            for share, item in order:
                a, b = was.get((name, share, item), 0), is_.get((name, share, item), 0)
                rows.append((name, share, item, a, b, b - a))
        columns = ["insurer", "share", "item", "before_cents", "after_cents", "difference_cents"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def classes(self) -> pd.DataFrame:
        rows: list[tuple[Any, ...]] = []
        by_class = ("normative", "neutrality", "expected_own_payments", "own_payments_neutrality")
        lines = {(r[0], r[1], r[2]): r[5] for r in self.lines.itertuples(index=False)}
        for name in self.names:
            for share in dict.fromkeys(share for n, share, _ in lines if n == name):
                rest = {item: d for (n, s, item), d in lines.items() if (n, s) == (name, share)}
                keyed = any(r.name == share and r.keys for paid in (self.before, self.after) for r in paid.results)
                if keyed:
                    target = sum(rest.pop(item, 0) for item in by_class)
                    rows += self._of_share(name, share, target)
                persons = self._persons(name)
                rows += [(name, share, item, None, "", 0, 0, None, None, d, persons) for item, d in rest.items()]
        return pd.DataFrame(
            rows, columns=["insurer", "share", "criterion", "code", "label", "days_before", "days_after",
                           "weight_before_eur", "weight_after_eur", "difference_cents", "persons"],
        )  # fmt: skip

    def _of_share(self, name: Insurer, share: str, target: int) -> list[tuple[Any, ...]]:
        """Classes of one insurer and share: days x weight after less before, in cents that sum to the target."""
        sign = -1 if share == "deductible" else 1
        found: dict[tuple[str, Any], list[Any]] = {}
        for place, paid in enumerate((self.before, self.after)):
            result = next((r for r in paid.results if r.name == share), None)
            if result is None or name not in paid.names:
                continue
            i, counts = paid.names.index(name), paid.counts[share]
            for k, (criterion, code, label) in enumerate(result.keys):
                row = found.setdefault((criterion, code), [label, 0, 0, None, None, 0, 0, [0, 0]])
                row[1 + place] = int(counts.days[i, k])
                row[3 + place] = result.weights[k]
                row[5 + place] = sign * int(counts.counted[i, k]) * result.weights[k]
                row[7][place] = int(counts.records[i, k])
        # x / (cents per micro-euro x millionths x days of the year), over a common denominator
        y0, y1 = self.before.days_in_year, self.after.days_in_year
        denominator = MICRO_PER_CENT * PPM * y0 * y1
        cents = _shared_out([row[6] * y0 - row[5] * y1 for row in found.values()], denominator, target)
        return [
            (name, share, criterion, code, row[0], row[1], row[2], _eur(row[3]), _eur(row[4]), amount,
             min((n for n in row[7] if n), default=0))
            for ((criterion, code), row), amount in zip(found.items(), cents, strict=True)
            if row[1] or row[2] or amount
        ]  # fmt: skip

    def statement(self, insurer: Insurer, lang: str = "en") -> str:
        """The difference of one insurer step by step, as text; English or Dutch."""
        from anderhalf.statement import difference_text

        return difference_text(self, insurer, lang)

    def to_dict(self) -> dict[str, Any]:
        """What ``results.json`` holds."""
        return {
            "before": _said(self.before),
            "after": _said(self.after),
            "insurers": self.insurers.to_dict("records"),
            "difference_cents": self.total_cents,
        }

    def bundle(self, lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Bundle:
        """Tables, results and page, as they are written."""
        from anderhalf.statement import difference_bundle

        return difference_bundle(self, lang, minimum_persons)

    def report(self, out: str | PathLike[str], lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Path:
        """Write ``report.html``, ``tables/*.csv`` and ``results.json``; returns the folder."""
        return self.bundle(lang, minimum_persons).write(out)


def _eur(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO_PER_EURO


def _said(paid: Paid) -> dict[str, Any]:
    return {
        "model": None if paid.model is None else paid.model.name,
        "stage": paid.stage,
        "parameters_sha256": paid.parameters_sha256,
        "data_sha256": paid.data_sha256,
        "total_cents": paid.total_cents,
        **({} if paid.accepted is None else {"accepted": [dict(item) for item in paid.accepted]}),
    }


def _shared_out(numerators: Sequence[int], denominator: int, target: int) -> list[int]:
    """Whole numbers near numerator / denominator that sum to the target: largest remainder, the first first."""
    parts = [n // denominator for n in numerators]
    order = sorted(range(len(parts)), key=lambda k: -(numerators[k] - parts[k] * denominator))
    left = target - sum(parts)
    if not parts:
        if left:
            raise DomainError(Problem("difference", "cents that no class explains", "0", str(left)))
        return parts
    # The steps are rounded nationally, so that a cent or two more may be left than there are remainders.
    if abs(left) > len(parts) + 4:
        raise DomainError(
            Problem("difference", "cents that classes do not explain", f"at most {len(parts) + 4}", str(left))
        )
    for k in range(abs(left)):
        parts[order[k % len(parts)]] += 1 if left > 0 else -1
    return parts


@dataclass(frozen=True)
class Settlements:
    """Successive stages of one year: what was granted, settled provisionally and in the end."""

    stages: tuple[Paid, ...]

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Each stage less the one before."""
        return tuple(Difference(a, b) for a, b in zip(self.stages, self.stages[1:], strict=False))

    @cached_property
    def insurers(self) -> pd.DataFrame:
        """``stage, insurer, persons, contribution_cents, change_cents``: the first change is the grant itself."""
        rows = []
        last: dict[Insurer, int] = {}
        for paid in self.stages:
            now = dict(zip(paid.names, paid.contribution, strict=True))
            for i, name in enumerate(paid.names):
                rows.append((paid.stage, name, int(paid.records[i]), now[name], now[name] - last.get(name, 0)))
            rows += [(paid.stage, name, 0, 0, -last[name]) for name in last if name not in now and last[name]]
            last = now
        return pd.DataFrame(rows, columns=["stage", "insurer", "persons", "contribution_cents", "change_cents"])

    def statement(self, insurer: Insurer, lang: str = "en") -> str:
        """What changed from stage to stage for one insurer, step by step."""
        return "\n".join(difference.statement(insurer, lang) for difference in self.differences)


def settlements(
    frames: Mapping[str, Any] | Any,
    weights: Model | str,
    stages: Sequence[str] = STAGES,
    rounding: str = "exact",
    expected: Any = None,
    **columns: Any,
) -> Settlements:
    """Grant, provisional settlements and the final one, as a sequence.

    Parameters
    ----------
    frames : frame, or mapping of stage to frame
        The insured as known at each stage (a mapping whose keys are stages), or one frame for all.
    weights : Model or str
        A model year.
    stages : sequence of str
        In order; those that ``frames`` has, when it is a mapping.
    rounding, expected, columns
        As for :func:`pay`. Without ``expected`` the insured of the grant are what was expected, when the sequence
        begins with it.
    """
    by_stage = isinstance(frames, Mapping) and frames and all(key in (*STAGES, "ex_post") for key in frames)
    chosen = [stage_of(s) for s in (frames if by_stage else stages)]
    if sorted(chosen, key=STAGES.index) != chosen or len(set(chosen)) < len(chosen):
        raise ParameterError(Problem("settlements, stages", "not in their order", ", ".join(STAGES), ", ".join(chosen)))
    given = {stage_of(k): v for k, v in frames.items()} if by_stage else {}
    paid: list[Paid] = []
    for stage in chosen:
        hoped = expected
        if hoped is None and paid and paid[0].stage == "ex_ante":
            hoped = paid[0]
        paid.append(pay(given.get(stage, frames), weights, stage, rounding, hoped, **columns))
    return Settlements(tuple(paid))


def recalculate(
    frame: Any,
    weights: Weights,
    to_data: Any = None,
    to_weights: Weights | None = None,
    stage: str = "ex_post",
    rounding: str = "exact",
    expected: Any = None,
    **columns: Any,
) -> Difference:
    """An earlier payment again, with corrected data or another version of the model.

    Parameters
    ----------
    frame, weights, stage, rounding, expected, columns
        As for :func:`pay`: the payment of before.
    to_data : frame, mapping, path or stream, optional
        Corrected records.
    to_weights : Model, str, Fit or DataFrame, optional
        Another version of the model, such as one with reforms.

    Examples
    --------
    >>> insured = {"insurer": ["a", "b"], "days": [365, 365], "age": [0, 1]}
    >>> prices = pd.DataFrame({"criterion": "age", "code": [0, 1], "weight_eur": [1000.0, 3000.0]})
    >>> recalculate(insured, prices, to_data={**insured, "age": [1, 1]}).insurers.difference_cents.tolist()
    [200000, 0]
    """
    if to_data is None and to_weights is None:
        raise ShapeError(Problem("recalculate", "nothing that differs", "to_data, to_weights or both"))
    before = pay(frame, weights, stage, rounding, expected, **columns)
    after = pay(
        frame if to_data is None else to_data, weights if to_weights is None else to_weights, stage, rounding, expected,
        **columns,
    )  # fmt: skip
    return Difference(before, after)


__all__ = [
    "STAGES",
    "Difference",
    "Line",
    "Paid",
    "Settlements",
    "class_columns",
    "pay",
    "recalculate",
    "settlements",
    "stage_of",
]
