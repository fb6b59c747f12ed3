"""Constrained weighted least squares on moments: the weights of a risk model, with their errors and what binds them."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anderhalf import _core
from anderhalf.columns import Source, rows_that, source
from anderhalf.errors import DomainError, NotFoundError, ParameterError, Problem, ShapeError, not_found
from anderhalf.model import MICRO_PER_CENT, MICRO_PER_EURO, Model
from anderhalf.moments import (
    Chunk,
    Criterion,
    Label,
    Layout,
    Moments,
    RandomGroups,
    checked,
    chunks,
    completed,
    layout_of,
    model_layout,
    no_class,
    processors,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd

Relation = Literal["==", ">=", "<="]


# --- constraints ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Constraint:
    """A linear condition on weights: sum of coefficient * weight, a relation, a value in euros per insured year.

    Examples
    --------
    >>> parse("mhk[1] <= mhk[2]")
    (Constraint(name='mhk[1] <= mhk[2]', terms=(('mhk', '1', 1.0), ('mhk', '2', -1.0)), relation='<=', value=0.0),)
    """

    name: str
    terms: tuple[tuple[str, str, float], ...]  # criterion, class, coefficient
    relation: Relation
    value: float = 0.0


@dataclass(frozen=True)
class GroupTotal:
    """The predicted cost of a group equals ``share`` times its own cost (constrained regression)."""

    name: str
    moments: Moments
    share: float = 1.0


Constraints: TypeAlias = str | Constraint | GroupTotal | Iterable["str | Constraint | GroupTotal"]


def sign(
    criterion: str, codes: Iterable[Label] | Label, relation: Literal[">=", "<="] = ">="
) -> tuple[Constraint, ...]:
    """Weights that are not negative (``>=``), or not positive (``<=``).

    Examples
    --------
    >>> [c.name for c in sign("mhk", [1, 2])]
    ['mhk[1] >= 0', 'mhk[2] >= 0']
    """
    return tuple(c for code in _several(codes) for c in parse(f"{criterion}[{code}] {relation} 0"))


def order(criterion: str, codes: Iterable[Label]) -> tuple[Constraint, ...]:
    """Weights that do not fall in the order given.

    Examples
    --------
    >>> [c.name for c in order("mhk", [0, 1, 2])]
    ['mhk[0] <= mhk[1]', 'mhk[1] <= mhk[2]']
    """
    return parse(" <= ".join(f"{criterion}[{code}]" for code in codes))


def cap(
    criterion: str, codes: Iterable[Label] | Label, *, most: float | None = None, least: float | None = None
) -> tuple[Constraint, ...]:
    """Weights of at most, or at least, so many euros per insured year.

    Examples
    --------
    >>> [c.name for c in cap("fkg", 3, most=5000)]
    ['fkg[3] <= 5000']
    """
    rules = [
        f"{criterion}[{code}] {relation} {value!r}"
        for code in _several(codes)
        for relation, value in (("<=", most), (">=", least))
        if value is not None
    ]
    if not rules:
        raise ShapeError(Problem("cap", "neither most nor least", "one of them"))
    return tuple(c for rule in rules for c in parse(rule))


def group_total(name: str, moments: Moments, share: float = 1.0) -> GroupTotal:
    """The predicted cost of a group equals ``share`` times its own cost.

    Parameters
    ----------
    name : str
        Of the group, for messages.
    moments : Moments
        Of the records of the group alone, with the criteria of the estimate.
    share : float
        1 brings over- and undercompensation of the group to zero.
    """
    return GroupTotal(name, moments, float(share))


def _several(codes: Iterable[Label] | Label) -> list[Label]:
    return [codes] if isinstance(codes, str | int) else list(codes)


_TOKEN = re.compile(
    r"\s*(?:(?P<weight>[^\W\d][\w.]*\s*\[[^\[\]]+\])|(?P<number>\d+(?:_?\d)*(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<relation><=|>=|==|=)|(?P<operator>[-+*]))"
)  # fmt: skip


def parse(rule: str) -> tuple[Constraint, ...]:
    """Constraints from a text: ``mhk[1] >= 0``, ``mhk[1] <= mhk[2] <= mhk[3]``, ``2 * fkg[3] - fkg[4] == 100``.

    Raises
    ------
    ParameterError
        Anything else; the message shows from where it cannot be read.
    """

    def refuse(at: int, why: str = "cannot be read") -> ParameterError:
        rest = rule[at:].strip()
        return ParameterError(
            Problem(f"constraint {rule!r}", f"{why} at {rest!r}" if rest else f"{why} at its end",
                    "such as 'mhk[1] >= 0' or 'mhk[1] <= mhk[2]'")
        )  # fmt: skip

    if not isinstance(rule, str):
        raise ShapeError(
            Problem("constraints", "cannot be read", "texts, or what sign, order, cap and group_total return",
                    type(rule).__name__)
        )  # fmt: skip
    sides: list[tuple[dict[tuple[str, str], float], float, str]] = []
    relations: list[Relation] = []
    terms: dict[tuple[str, str], float] = {}
    constant, at, begin = 0.0, 0, 0
    factor: float | None = None  # of the term under way; None: a term is to begin
    weight: tuple[str, str] | None = None
    minus, fresh = 1.0, True  # fresh: no term since the last relation or operator

    def close(end: int) -> None:
        nonlocal constant, factor, weight, minus, fresh
        if factor is None:
            raise refuse(end, "a weight or a number is missing")
        if weight is None:
            constant += minus * factor
        else:
            terms[weight] = terms.get(weight, 0.0) + minus * factor
        factor, weight, minus, fresh = None, None, 1.0, True

    while rule[at:].strip():
        token = _TOKEN.match(rule, at)
        if token is None:
            raise refuse(at, "a strict relation cannot hold in numbers: write <= or >=" if rule[at:].lstrip()[0] in "<>"
                         else "cannot be read")  # fmt: skip
        if (found := token["relation"]) is not None:
            close(at)
            sides.append((terms, constant, rule[begin:at].strip()))
            relations.append("==" if found == "=" else found)  # type: ignore[arg-type]  # the pattern says which
            terms, constant, begin = {}, 0.0, token.end()
        elif (operator := token["operator"]) is not None:
            if operator == "*":
                after = _TOKEN.match(rule, token.end())
                if factor is None or weight is not None or after is None or after["weight"] is None:
                    raise refuse(at)
                fresh = True
            elif factor is None:  # a sign
                if not fresh:
                    raise refuse(at)
                minus, fresh = (-minus if operator == "-" else minus), False
            else:
                close(at)
                minus, fresh = (-1.0 if operator == "-" else 1.0), False
        elif (number := token["number"]) is not None:
            if factor is not None:
                raise refuse(at)
            factor = float(number.replace("_", ""))
            fresh = False
        else:
            if weight is not None or (factor is not None and not fresh):
                raise refuse(at)
            name, _, label = token["weight"].partition("[")
            weight, factor, fresh = (name.strip(), label.rstrip("]").strip()), 1.0 if factor is None else factor, False
        at = token.end()
    close(len(rule))
    sides.append((terms, constant, rule[begin:].strip()))
    if not relations:
        raise refuse(len(rule), "a relation (<=, >=, ==) is missing")
    result = []
    for k, relation in enumerate(relations):
        (left, a, left_text), (right, b, right_text) = sides[k], sides[k + 1]
        joined = dict(left)
        for key, value in right.items():
            joined[key] = joined.get(key, 0.0) - value
        used = tuple((c, label, value) for (c, label), value in joined.items() if value != 0)
        if not used:
            raise ParameterError(Problem(f"constraint {rule!r}", "holds no weight", "at least one, such as mhk[1]"))
        result.append(Constraint(f"{left_text} {relation} {right_text}", used, relation, b - a + 0.0))
    return tuple(result)


def constraint_list(given: Constraints) -> list[Constraint | GroupTotal]:
    """All constraints of what users give, texts read."""
    if isinstance(given, str | Constraint | GroupTotal) or not isinstance(given, Iterable):
        given = [given]
    result: list[Constraint | GroupTotal] = []
    problems: list[Problem] = []
    for item in given:
        if isinstance(item, Constraint | GroupTotal):
            result.append(item)
        elif isinstance(item, list | tuple):
            result.extend(constraint_list(item))
        else:
            try:
                result.extend(parse(item))
            except (ParameterError, ShapeError) as error:
                problems.extend(error.problems)
    if problems:
        raise ParameterError(problems)
    return result


# --- what is solved ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A specification in columns of the moments; solves any moments of the same design."""

    layout: Layout
    zero_sum: tuple[tuple[str, tuple[int, ...]], ...]
    constraints: tuple[Constraint | GroupTotal, ...]
    keep_budget: bool = True
    factors: tuple[float, ...] = ()  # per stratum
    levels: tuple[float, ...] = ()  # per category

    @cached_property
    def names(self) -> list[str]:
        return self.layout.design.column_names()

    def specification(self, *, inference: bool = True) -> _core.Specification:
        """What the core solves."""
        return _core.Specification(
            self.names,
            [(name, list(columns)) for name, columns in self.zero_sum],
            self.layout.days_in_year,
            self._conditions(),
            self.keep_budget,
            list(self.factors),
            list(self.levels),
            inference,
            inference,
        )

    def _conditions(self) -> list[_core.Constraint]:
        relation = {
            "==": _core.Relation.equal, ">=": _core.Relation.at_least, "<=": _core.Relation.at_most,
        }  # fmt: skip
        result, problems = [], []
        for item in self.constraints:
            if isinstance(item, GroupTotal):
                if item.moments.core.design != self.layout.design:
                    problems.append(
                        Problem(f"group_total {item.name!r}", "moments of another design", "those of the estimate")
                    )
                    continue
                result.append(
                    _core.group_total(item.name, item.moments.core, item.share, list(self.factors), list(self.levels))
                )
                continue
            terms = []
            for criterion, label, coefficient in item.terms:
                try:
                    terms.append((column_of(self.layout, criterion, label, f"constraint {item.name!r}"), coefficient))
                except NotFoundError as error:
                    problems.extend(error.problems)
            result.append(_core.Constraint(item.name, terms, relation[item.relation], item.value))
        if problems:
            raise NotFoundError(problems)
        return result


def column_of(layout: Layout, criterion: str, label: Label, where: str) -> int:
    """The column of a class among the weights."""
    found = layout.criterion(criterion, where)
    if found.absorbed:
        raise NotFoundError(
            Problem(where, f"criterion {criterion} is absorbed", "a criterion whose weights are estimated one by one")
        )
    return layout.design.offset(layout.criteria.index(found)) + found.position(label, where)


def zero_sum_rules(
    layout: Layout, zero_sum: bool | Sequence[str], carrier: str | None
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Zero-sum rules: one per criterion other than the carrier, or one per band of a criterion that has bands.

    With ``True``, a set of flags or counts without a class "none" gets no rule: its weights come on top of the
    carrier's."""
    names = [c.name for c in layout.criteria]
    if not names and zero_sum is True and carrier is None:
        return ()
    absorbed = next((c.name for c in layout.criteria if c.absorbed), None)
    if zero_sum is False or (not isinstance(zero_sum, bool) and len(zero_sum) == 0):
        return ()
    if carrier is not None and carrier not in names:
        raise not_found("carrier", "criterion", [carrier], names)
    if absorbed is not None and carrier not in (None, absorbed):
        raise ShapeError(
            Problem("carrier", carrier or "", f"{absorbed}: what is absorbed carries the total", "another criterion")
        )
    if zero_sum is True:
        carrier = carrier or absorbed or ("age_sex" if "age_sex" in names else None)
        if carrier is None and len(names) == 1:
            carrier = names[0]
        if carrier is None:
            raise ShapeError(
                Problem("carrier", "not given", f"the criterion that carries the total cost, one of {', '.join(names)}")
            )
        chosen = [c for c in layout.criteria if c.name != carrier and (c.none or not c.many or c.optional)]
    else:
        unknown = [name for name in zero_sum if name not in names]
        if unknown:
            raise not_found("zero_sum", "criterion", unknown, names)
        if carrier in zero_sum:
            raise ShapeError(Problem("zero_sum", f"holds the carrier {carrier}", "the other criteria"))
        chosen = [c for c in layout.criteria if c.name in zero_sum]
    rules: list[tuple[str, tuple[int, ...]]] = []
    problems: list[Problem] = []
    for c in chosen:
        offset = layout.design.offset(layout.criteria.index(c))
        if not c.bands:
            rules.append((c.name, tuple(range(offset, offset + len(c.named)))))
            continue
        seen: dict[str, str] = {}
        for band, codes in c.bands.items():
            where = f"criterion {c.name}, band {band}"
            columns = []
            for code in codes:
                try:
                    columns.append(offset + c.position(code, where))
                except NotFoundError as error:
                    problems.extend(error.problems)
                if str(code) in seen:
                    problems.append(
                        Problem(where, f"class {code} is in band {seen[str(code)]} too", "one band per class")
                    )
                seen[str(code)] = band
            rules.append((f"{c.name} {band}", tuple(columns)))
        if left := [name for name in c.named if name not in seen]:
            problems.append(
                Problem(
                    f"criterion {c.name}, bands", f"classes in no band: {', '.join(left[:5])}", "a band for each class"
                )
            )
    if problems:
        raise ShapeError(problems)
    return tuple(rules)


# --- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pass:
    """What a second pass over the records adds: exact sums of residuals at weights rounded to millionths of a euro."""

    cpm: float
    mape: float
    robust: NDArray[np.float64] | None = None  # covariance, HC1


class Fit:
    """Weights of a risk model in euros per insured year, with the words of statsmodels.

    ``params, bse, tvalues, pvalues, conf_int(), cov_params(), rsquared, nobs, df_resid`` are as in statsmodels, indexed
    by (criterion, code); ``tidy()`` has the columns of pyfixest. ``cpm`` and ``mape`` need a pass over records and are
    None after an estimate from moments alone; :meth:`with_records` makes that pass.
    """

    method = "exact integer moments"
    accepted: Sequence[Mapping[str, Any]] | None = None  # by the options of a column map: option and count

    def __init__(self, task: Task, moments: Moments, core: _core.Fit, second: Pass | None = None) -> None:
        self.task, self.moments, self.core, self.second = task, moments, core, second

    # --- weights

    @property
    def layout(self) -> Layout:
        return self.task.layout

    @cached_property
    def index(self) -> pd.MultiIndex:
        import pandas as pd

        pairs = [(c.name, c.label(k)) for c in self.layout.criteria if not c.absorbed for k in range(len(c.named))]
        return pd.MultiIndex.from_tuples(pairs, names=["criterion", "code"])

    @property
    def _words(self) -> list[str]:
        return [f"{c}[{k}]" for c, k in self.index]

    def _series(self, values: Any, name: str) -> pd.Series[Any]:
        import pandas as pd

        return pd.Series(np.asarray(values), index=self.index, name=name)

    @cached_property
    def params(self) -> pd.Series[Any]:
        """Weights [EUR per insured year]; 0 for a class without insured time."""
        return self._series(self.core.coefficients, "weight_eur")

    @cached_property
    def absorbed(self) -> pd.Series[Any] | None:
        """Weights of the absorbed criterion, by code; None without one."""
        import pandas as pd

        criterion = next((c for c in self.layout.criteria if c.absorbed), None)
        if criterion is None:
            return None
        labels = [criterion.label(k) for k in range(len(criterion.named))]
        index = pd.Index(labels, name=criterion.name)
        return pd.Series(np.asarray(self.core.absorbed_coefficients), index=index, name="weight_eur")

    @cached_property
    def absorbed_bse(self) -> pd.Series[Any] | None:
        """Classical standard errors of the absorbed weights, by code; NaN for an empty class."""
        import pandas as pd

        if self.absorbed is None:
            return None
        errors = np.asarray(self.core.absorbed_standard_errors)
        return pd.Series(errors, index=self.absorbed.index, name="standard_error")

    @property
    def micro_euros(self) -> NDArray[np.int64]:
        """The weights as payments use them: rounded once to millionths of a euro. The absorbed classes follow."""
        weights = np.concatenate([self.core.coefficients, self.core.absorbed_coefficients])
        return np.asarray(np.rint(weights * MICRO_PER_EURO).astype(np.int64))

    @cached_property
    def _covariance(self) -> NDArray[np.float64]:
        if self.second is not None and self.second.robust is not None:
            return self.second.robust
        return np.asarray(self.core.covariance, dtype=np.float64).reshape(len(self.index), len(self.index))

    @property
    def robust(self) -> bool:
        """Whether standard errors are robust to unequal variances (HC1)."""
        return self.second is not None and self.second.robust is not None

    @cached_property
    def bse(self) -> pd.Series[Any]:
        """Standard errors [EUR per insured year]; NaN for a class without insured time."""
        if self.robust:
            return self._series(np.sqrt(np.maximum(np.diag(self._covariance), 0.0)), "se_eur")
        return self._series(self.core.standard_errors, "se_eur")

    @cached_property
    def tvalues(self) -> pd.Series[Any]:
        """Weight divided by its standard error."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._series(self.params.to_numpy() / self.bse.to_numpy(), "t")

    @cached_property
    def pvalues(self) -> pd.Series[Any]:
        """Two-sided, of Student's t with ``df_resid`` degrees of freedom."""
        return self._series([_core.student_t_tails(t, self.df_resid) for t in self.tvalues], "p")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Intervals that hold the weight with probability 1 - alpha, columns 0 and 1."""
        import pandas as pd

        if not 0 < alpha < 1:
            raise DomainError(Problem("conf_int, alpha", "outside its range", "between 0 and 1", str(alpha)))
        half = _core.student_t_quantile(1 - alpha / 2, self.df_resid) * self.bse.to_numpy()
        b = self.params.to_numpy()
        return pd.DataFrame({0: b - half, 1: b + half}, index=self.index)

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the weights."""
        import pandas as pd

        return pd.DataFrame(self._covariance, index=self.index, columns=self.index)

    # --- how good

    @property
    def rsquared(self) -> float:
        """Centred, weighted by insured time."""
        return float(self.core.r2)

    @property
    def nobs(self) -> int:
        """Records."""
        return int(self.core.rows)

    @property
    def df_resid(self) -> int:
        """Records less free weights."""
        return int(self.core.freedom)

    @property
    def rank(self) -> int:
        return int(self.core.rank)

    @property
    def condition(self) -> float:
        """Of the scaled system that is solved."""
        return float(self.core.condition)

    @property
    def insured_years(self) -> float:
        return float(self.core.insured_years)

    @property
    def mean_cost(self) -> float:
        """Euros per insured year."""
        return float(self.core.mean_cost)

    @property
    def cpm(self) -> float | None:
        """Cumming's prediction measure: the share of mean absolute deviations explained. None without a second pass."""
        return None if self.second is None else self.second.cpm

    @property
    def mape(self) -> float | None:
        """Mean absolute prediction error [EUR per insured year]. None without a second pass."""
        return None if self.second is None else self.second.mape

    @property
    def converged(self) -> bool:
        return bool(self.core.converged)

    @cached_property
    def constraints(self) -> pd.DataFrame:
        """What holds with equality: zero-sum rules, equalities and active inequalities, with their multipliers.

        The multiplier is the rise of half the weighted sum of squared errors [EUR^2 insured years] per euro of its
        value."""
        import pandas as pd

        words = {_core.Relation.equal: "==", _core.Relation.at_least: ">=", _core.Relation.at_most: "<="}
        rows = [(b.name, words[b.relation], b.multiplier) for b in self.core.binding]
        return pd.DataFrame(rows, columns=["name", "relation", "multiplier"])

    @cached_property
    def notes(self) -> list[str]:
        """What the reader should know: empty classes, redundant constraints, how the budget is kept."""
        notes = []
        empty = [name for name, is_empty in zip(self._words, self.core.empty, strict=True) if is_empty]
        if empty:
            words = "1 class has" if len(empty) == 1 else f"{len(empty)} classes have"
            notes.append(f"{words} no insured time and weigh{'s' * (len(empty) == 1)} 0: {_some(empty)}.")
        if self.core.redundant:
            notes.append(f"Constraints that follow from others: {_some(self.core.redundant)}.")
        if self.core.set_aside:
            notes.append(f"Constraints on a class without insured time, set aside: {_some(self.core.set_aside)}.")
        if self.core.budget_row:
            notes.append("Predicted total cost is held at actual total cost by a constraint of its own.")
        if not self.core.converged:
            notes.append("The solver ended at its limit of iterations: the weights are not to be trusted.")
        if any(b.relation != _core.Relation.equal for b in self.core.binding):
            notes.append("Standard errors take the inequalities that bind as given: 0 for a weight held at a value.")
        if self.robust:
            notes.append("Standard errors are robust to unequal variances (HC1).")
        return notes

    @property
    def _years(self) -> NDArray[np.float64]:
        return np.asarray(self.moments.class_days() / self.layout.days_in_year)

    @property
    def _persons(self) -> NDArray[np.int64]:
        return self.moments.persons()

    @cached_property
    def weights(self) -> pd.DataFrame:
        """``criterion, code, weight_eur, se_eur, insured_years, persons``, a row per class; as files hold them.

        ``persons`` counts records, whatever they represent: what small cells are judged by.
        """
        import pandas as pd

        return pd.DataFrame({
            "criterion": [c for c, _ in self.index],
            "code": [k for _, k in self.index],
            "weight_eur": self.params.to_numpy(),
            "se_eur": self.bse.to_numpy(),
            "insured_years": self._years,
            "persons": self._persons,
        })  # fmt: skip

    @cached_property
    def absorbed_weights(self) -> pd.DataFrame | None:
        """The weights of the absorbed criterion with the columns of :attr:`weights`, without errors; None without one.

        Classes without insured time weigh nothing that the records tell: NaN.
        """
        import pandas as pd

        if self.absorbed is None:
            return None
        strata = range(len(self.moments.strata))
        core = self.moments.core
        empty = np.asarray(self.core.absorbed_empty, dtype=bool)
        return pd.DataFrame({
            "criterion": self.absorbed.index.name,
            "code": self.absorbed.index,
            "weight_eur": np.where(empty, math.nan, self.absorbed.to_numpy()),
            "insured_years": sum(core.absorbed_days(s) for s in strata) / self.layout.days_in_year,
            "persons": np.asarray(sum(core.absorbed_rows(s) for s in strata), dtype=np.int64),
        })  # fmt: skip

    def tidy(self, alpha: float = 0.05) -> pd.DataFrame:
        """A row per weight with the columns of pyfixest."""
        import pandas as pd

        bounds = self.conf_int(alpha)
        low, high = f"{100 * alpha / 2:.1f}%", f"{100 * (1 - alpha / 2):.1f}%"
        index = pd.Index(self._words, name="Coefficient")
        return pd.DataFrame({
            "Estimate": self.params.to_numpy(), "Std. Error": self.bse.to_numpy(), "t value": self.tvalues.to_numpy(),
            "Pr(>|t|)": self.pvalues.to_numpy(), low: bounds[0].to_numpy(), high: bounds[1].to_numpy(),
        }, index=index)  # fmt: skip

    # --- records

    def predict(self, frame: Any) -> NDArray[np.float64]:
        """Predicted cost of each record [EUR per insured year]; only its class columns are read."""
        parts = [self._predicted(chunk) for chunk in chunks(self.layout, source(frame), classes_only=True)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _predicted(self, chunk: Chunk) -> NDArray[np.float64]:
        rows = chunk.size
        total = np.zeros(rows)
        for k, (c, column) in enumerate(zip(self.layout.criteria, chunk.criteria, strict=True)):
            if c.absorbed:
                weights = np.asarray(self.core.absorbed_coefficients)
            else:
                offset = self.layout.design.offset(k)
                weights = np.asarray(self.core.coefficients)[offset : offset + len(c.named)]
            if not c.many:
                if len(column) and int(column.max()) >= len(weights):
                    wrong = column >= len(weights)
                    raise DomainError(
                        Problem(f"{chunk.file or 'predict'}: {c.name}", no_class(wrong, "code", chunk.first_row),
                                f"0..{len(weights) - 1}")
                    )  # fmt: skip
                total += weights[column]
                continue
            read = [column >> np.uint64(j) & np.uint64(1) for j in range(len(c.named) - c.none)] if isinstance(
                column, np.ndarray
            ) else column  # fmt: skip
            some = np.zeros(rows, dtype=bool)
            for j, values in enumerate(read):
                total += weights[j + c.none] * values
                some |= values != 0
            if c.none:
                total += np.where(some, 0.0, weights[0])
        return total

    def with_records(
        self,
        frame: Any,
        *,
        robust: bool = False,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Fit:
        """The same weights with ``cpm`` and ``mape``, and robust errors on request, from a pass over the records.

        Amounts are whole millionths of a euro; sums over records are exact, whatever the order, slices or threads.
        """
        if robust and self.absorbed is not None:
            raise ShapeError(Problem("robust", "needs a model without an absorbed criterion", "classical errors"))
        weights, levels, count = self.micro_euros.tolist(), list(self.task.levels), threads or processors()
        design = self.layout.design
        mean = self._mean_per_day
        factors = self.task.factors or (1.0,) * len(design.strata)
        error = deviation = time = 0.0
        read = 0
        products: NDArray[np.float64] | None = None
        for chunk in chunks(self.layout, source(frame)):
            for stratum, factor in enumerate(factors):
                part = chunk if len(set(factors)) == 1 else chunk.of_stratum(stratum)
                if part.size > 0:
                    one = checked(
                        self.layout, part, lambda rows: _core.second_pass(design, rows, weights, levels, count, mean)
                    )
                    error += factor * one.mape * one.days
                    deviation += factor * one.deviation * one.days
                    time += factor * one.days
                    if robust:
                        more = factor**2 * _core.score_products(design, part.rows, weights, levels, count)
                        products = more if products is None else products + more
                if part is chunk:
                    break
            read += chunk.size
            if progress is not None:
                progress(read)
        if read != self.nobs:
            raise ShapeError(
                Problem("with_records", "other records than those of the estimate", f"{self.nobs:,}", f"{read:,}")
            )
        covariance = None
        if products is not None:
            p = len(self.index)
            covariance = np.asarray(_core.robust_covariance(self.core, products.tolist())).reshape(p, p)
        cpm = 1 - error / deviation if deviation > 0 else math.nan
        return Fit(self.task, self.moments, self.core, Pass(cpm, error / time, covariance))

    @property
    def _mean_per_day(self) -> tuple[int, int]:
        """Mean cost per insured day in millionths of a euro, as a ratio; with levels or factors from a double."""
        if set(self.task.levels) | set(self.task.factors) <= {1.0}:
            mean = Fraction(self.moments.cost_cents * MICRO_PER_CENT, self.moments.days)
            if max(abs(mean.numerator), mean.denominator) < 2**63:
                return mean.numerator, mean.denominator
        mean = Fraction(self.mean_cost * MICRO_PER_EURO / self.layout.days_in_year).limit_denominator(2**10)
        return mean.numerator, mean.denominator

    def cross_validate(self, *, threads: int | None = None) -> pd.Series[Any]:
        """R-squared out of sample: the strata of the moments are the folds, each forecast from the others.

        Make the moments with ``stratum=RandomGroups(10, by="person")``. No record is read again.

        Returns
        -------
        Series
            ``out_of_sample``, ``in_sample``, and per fold under its name.
        """
        import pandas as pd

        _needs_groups("cross_validate", self)
        specification = self.task.specification(inference=False)
        result = _core.cross_validate(self.moments.core, specification, threads or processors())
        folds = dict(zip(self.moments.strata, result.r2_of, strict=True))
        return pd.Series({"out_of_sample": result.r2, "in_sample": result.r2_in, **folds}, name="rsquared")

    # --- shown

    @property
    def _absorbed_words(self) -> str:
        classes = len(self.core.absorbed_coefficients)
        return f" and {classes:,} absorbed" if classes else ""

    @property
    def _title(self) -> str:
        return "Constrained weighted least squares" if self.task.zero_sum or self.task.constraints else (
            "Weighted least squares"
        )  # fmt: skip

    def _facts(self) -> list[tuple[str, str]]:
        def eur(value: float | None) -> str:
            return "needs records" if value is None else f"{value:,.2f}"

        return [
            ("Model", self.layout.model or "own specification"),
            ("Records", f"{self.nobs:,}"),
            ("Method", self.method),
            ("Insured years", f"{self.insured_years:,.1f}"),
            ("Weights", f"{len(self.index)}{self._absorbed_words}, rank {self.rank}"),
            ("Mean cost", f"{self.mean_cost:,.2f}"),
            ("Constraints", f"{len(self.constraints)} hold{'s' * (len(self.constraints) == 1)} with equality"),
            ("R-squared", f"{self.rsquared:.4f}"),
            ("Condition", f"{self.condition:.3g}"),
            ("CPM", "needs records" if self.cpm is None else f"{self.cpm:.4f}"),
            ("Std. errors", "robust (HC1)" if self.robust else "classical"),
            ("MAPE", eur(self.mape)),
        ]

    def summary(self, alpha: float = 0.05) -> str:
        """A table as statsmodels prints it; euros per insured year."""
        width = 92
        facts = self._facts()
        lines = [self._title.center(width), "=" * width]
        for left, right in zip(facts[::2], facts[1::2], strict=True):
            lines.append(f"{left[0] + ':':<14}{left[1]:<32}{right[0] + ':':<18}{right[1]:>28}")
        low, high = f"[{alpha / 2:.3f}", f"{1 - alpha / 2:.3f}]"
        lines += [
            "=" * width,
            f"{'':<22}{'weight':>11}{'std err':>11}{'t':>9}{'P>|t|':>8}{low:>11}{high:>11}{'years':>9}",
            "-" * width,
        ]
        bounds = self.conf_int(alpha).to_numpy()
        rows = zip(self._words, self.params, self.bse, self.tvalues, self.pvalues, bounds, self._years, strict=True)
        for name, b, se, t, p, (lo, hi), time in rows:
            lines.append(
                f"{name[:22]:<22}{unsigned_zero(b):>11,.2f}{se:>11,.2f}{t:>9.2f}{p:>8.3f}{lo:>11,.2f}{hi:>11,.2f}{time:>9,.0f}"
            )
        lines.append("=" * width)
        lines += [f"[{k}] {note}" for k, note in enumerate(self.notes, 1)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        cpm = "" if self.cpm is None else f", CPM {self.cpm:.4f}"
        return (
            f"Fit: {len(self.index)} weights from {self.nobs:,} records, R-squared {self.rsquared:.4f}{cpm}; "
            "see .params, .summary()"
        )

    def _repr_html_(self) -> str:
        def row(cells: Iterable[str], tag: str = "td") -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        facts = "".join(row(pair) for pair in self._facts())
        body = "".join(
            row([f"{name}", *(f"{value:,.2f}" for value in values)])
            for name, values in zip(self.tidy().index, self.tidy().to_numpy(), strict=True)
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<table><caption>{html.escape(self._title)}</caption>{facts}</table>"
            f"<table>{row(['', *self.tidy().columns], 'th')}{body}</table>" + (f"<ul>{notes}</ul>" if notes else "")
        )

    # Read by maketables, which looks for these names; no package is needed for them.

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        tidy = self.tidy()
        tidy.columns = ["b", "se", "t", "p", "ci95l", "ci95u"]
        return tidy[["b", "se", "t", "p", "ci95l", "ci95u"]]

    def __maketables_stat__(self, key: str) -> float | int | str | None:
        known: dict[str, float | int | str | None] = {
            "N": self.nobs, "r2": self.rsquared, "cpm": self.cpm, "mape": self.mape, "rank": self.rank,
            "insured_years": self.insured_years, "se_type": "HC1" if self.robust else "iid",
        }  # fmt: skip
        return known.get(key)

    @property
    def __maketables_depvar__(self) -> str:
        return ", ".join(self.layout.cost)

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return ["N", "r2"]


def unsigned_zero(value: float) -> float:
    """A number to show with two decimals, without the sign of one that rounds to 0."""
    return 0.0 if abs(value) < 0.005 else value


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- estimate ---------------------------------------------------------------------------------------------------------


def estimate(
    data: Any,
    criteria: Sequence[str | Criterion] | None = None,
    *,
    model: str | Model | None = None,
    zero_sum: bool | Sequence[str] = True,
    carrier: str | None = None,
    constraints: Constraints = (),
    bands: Mapping[str, Mapping[str, Sequence[Label]]] | None = None,
    continuous: Sequence[str] = (),
    keep_budget: bool = True,
    factors: Mapping[str, float] | None = None,
    levels: Mapping[str, float] | None = None,
    robust: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    columns: Any = None,
    **records: Any,
) -> Fit:
    """Weights by constrained weighted least squares per insured year.

    Minimises the sum over records of d/365 (365 c/d - x'b)^2 under zero-sum rules and constraints, with c the cost, d
    the insured days and x the classes of a record. Everything comes from integer sums: the same weights, to the bit,
    for any order of the records and any number of threads.

    Parameters
    ----------
    data : Moments, frame or path
        Moments, or records as in :meth:`Moments.from_records`. From records a second pass gives ``cpm`` and ``mape``.
    criteria : sequence of str or Criterion
        For records; see :meth:`Moments.from_records`.
    model : str or Model
        Instead of ``criteria``: a model year, with its columns, age bands and zero-sum rules.
    zero_sum : bool or sequence of str
        True: the prevalence-weighted weights of every criterion other than the carrier sum to zero, per age band where
        it has bands; flags without a class "none" have no rule. Or the names of the criteria that have one.
    carrier : str, optional
        The criterion that carries total cost. Default: the absorbed one, else ``age_sex``.
    constraints : str, constraint or list of them
        ``"mhk[1] >= 0"``, ``"mhk[1] <= mhk[2]"``, ``"fkg[3] <= 5000"``, or what :func:`sign`, :func:`order`,
        :func:`cap` and :func:`group_total` return.
    bands : mapping, optional
        Age bands per criterion: ``{"ses": {"0-17": [1, 4], ...}}``; they replace those of the criteria.
    continuous : sequence of str, optional
        Columns of real numbers, beside the classes or alone; a constant is a column of ones. The records then stand in
        memory and are solved by QR in double precision: at most 4 GiB, constraints are equalities; no ``factors``,
        ``levels``, ``robust``, strata or absorbed criterion.
    keep_budget : bool
        Hold predicted total cost at actual total cost whatever the constraints do.
    factors, levels : mapping, optional
        Factor per reweighting stratum and per cost category; 1 where not given. They multiply totals, never records.
    robust : bool
        Standard errors robust to unequal variances (HC1). Needs records.
    threads : int, optional
        Default: the processors this process may use. The result does not depend on it.
    progress : callable, optional
        Called with the number of records read so far.
    columns : str, path, mapping or ColumnMap, optional
        How the records name what we name otherwise: ``"ot-2020"`` or a MAP.toml with ``[classes]``; files of SAS, Stata
        and Arrow too. What its options let pass is in ``accepted``.
    **records
        Columns of the records, as in :meth:`Moments.from_records`: ``cost``, ``days``, ``represents``, ``stratum``,
        ``categories``, ``days_in_year``, ``days_max``, ``whole_floats``.

    Raises
    ------
    ShapeError, DomainError, NotFoundError, ParameterError
        Input that is refused: every problem at once. Columns that stay free under the constraints are named.

    Examples
    --------
    >>> frame = {
    ...     "age_sex": [0, 0, 1, 1],
    ...     "mhk": [0, 1, 0, 1],
    ...     "cost_cents": [100_00, 500_00, 300_00, 900_00],
    ...     "days": [365, 365, 365, 365],
    ... }
    >>> fit = estimate(frame, ["age_sex", "mhk"], carrier="age_sex")
    >>> fit.params.round(6).tolist()
    [300.0, 600.0, -250.0, 250.0]
    >>> estimate(frame, ["age_sex", "mhk"], constraints="mhk[1] <= 200").params.round(6).tolist()
    [300.0, 600.0, -200.0, 200.0]
    """
    if columns is not None:
        from anderhalf.class_map import mapped

        data = mapped(data, columns)
        fit = estimate(
            data, criteria, model=model, zero_sum=zero_sum, carrier=carrier, constraints=constraints, bands=bands,
            continuous=continuous, keep_budget=keep_budget, factors=factors, levels=levels, robust=robust,
            threads=threads, progress=progress, **records,
        )  # fmt: skip
        fit.accepted = data.accepted
        return fit
    given = constraint_list(constraints)
    if len(continuous) > 0:
        return _regressed(
            data, criteria, given, model=model, zero_sum=zero_sum, carrier=carrier, bands=bands, continuous=continuous,
            keep_budget=keep_budget, factors=factors, levels=levels, robust=robust, **records,
        )  # fmt: skip
    moments, data_source = moments_of(data, criteria, model, threads, progress, records)
    layout = _with_bands(moments.layout, model, bands)
    task = Task(
        layout,
        zero_sum_rules(layout, zero_sum, carrier),
        tuple(given),
        keep_budget,
        _by_name("factors", "stratum", factors, moments.strata),
        _by_name("levels", "cost category", levels, moments.categories),
    )
    return solved(task, moments, data_source, robust=robust, threads=threads, progress=progress)


@dataclass(frozen=True)
class _Solution:
    """What a regression by QR found, with the names of the core's fit."""

    coefficients: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    covariance: NDArray[np.float64]
    empty: list[bool]
    r2: float
    condition: float
    rank: int
    freedom: int
    rows: int
    insured_years: float
    mean_cost: float
    converged: bool
    budget_row: bool
    rules: tuple[str, ...]
    years: NDArray[np.float64]
    persons: NDArray[np.int64]
    redundant: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()
    binding: tuple[_core.Binding, ...] = ()
    absorbed_coefficients: tuple[float, ...] = ()


class RegressionFit(Fit):
    """Weights of classes and of columns of real numbers; a column has its name as criterion and "" as code.

    There are no moments: records stood in memory. Figures are good to rounding times ``condition``.
    """

    method = "QR, double precision"
    core: _Solution  # type: ignore[assignment]  # the same names

    def __init__(self, task: Task, solution: _Solution, second: Pass) -> None:
        self.task, self.core, self.second = task, solution, second

    @cached_property
    def index(self) -> pd.MultiIndex:
        import pandas as pd

        pairs = [(c.name, c.label(k)) for c in self.layout.criteria for k in range(len(c.named))]
        pairs += [(name, "") for name in self.layout.continuous]
        return pd.MultiIndex.from_tuples(pairs, names=["criterion", "code"])

    @property
    def _words(self) -> list[str]:
        return [f"{c}[{k}]" if k != "" else c for c, k in self.index]

    @property
    def _years(self) -> NDArray[np.float64]:
        return self.core.years

    @property
    def _persons(self) -> NDArray[np.int64]:
        return self.core.persons

    @cached_property
    def constraints(self) -> pd.DataFrame:
        """What holds with equality; multipliers are not worked out."""
        import pandas as pd

        return pd.DataFrame([(name, "==", math.nan) for name in self.core.rules],
                            columns=["name", "relation", "multiplier"])  # fmt: skip

    def _predicted(self, chunk: Chunk) -> NDArray[np.float64]:
        total = super()._predicted(chunk)
        for weight, values in zip(self.core.coefficients[-len(chunk.continuous) :], chunk.continuous, strict=True):
            total += weight * values
        return total

    def with_records(self, frame: Any, **_: Any) -> Fit:
        """The regression had its records: itself."""
        return self

    def cross_validate(self, *, threads: int | None = None) -> pd.Series[Any]:
        raise ShapeError(Problem("cross_validate", "needs moments", "an estimate without continuous columns"))


CONTINUOUS_BYTES = 4 << 30


def _one_hot(layout: Layout, chunk: Chunk) -> list[NDArray[np.float64]]:
    """A column of doubles per class, then the columns of real numbers."""
    columns: list[NDArray[np.float64]] = []
    for c, values in zip(layout.criteria, chunk.criteria, strict=True):
        if not c.many:
            columns += [(values == k).astype(np.float64) for k in range(len(c.named))]
            continue
        if isinstance(values, np.ndarray):
            values = [values >> np.uint64(j) & np.uint64(1) for j in range(len(c.named) - c.none)]
        read = [v.astype(np.float64) for v in values]
        columns += [(sum(read) == 0).astype(np.float64), *read] if c.none else read
    return columns + chunk.continuous


def _regressed(
    data: Any, criteria: Sequence[str | Criterion] | None, given: list[Constraint | GroupTotal], *,
    model: str | Model | None, zero_sum: bool | Sequence[str], carrier: str | None,
    bands: Mapping[str, Mapping[str, Sequence[Label]]] | None, continuous: Sequence[str], keep_budget: bool,
    factors: Mapping[str, float] | None, levels: Mapping[str, float] | None, robust: bool, **records: Any,
) -> RegressionFit:  # fmt: skip
    columns = {**records, "cost": records.get("categories") or records.get("cost", "cost_cents")}
    columns.pop("categories", None)
    if criteria is not None and model is not None:
        raise ShapeError(Problem("estimate", "criteria and model", "one of them"))
    layout = (
        model_layout(model, continuous=continuous, **columns) if model is not None
        else layout_of(criteria or [], continuous=continuous, **columns)
    )  # fmt: skip
    where, without = "estimate, continuous", "an estimate without continuous columns"
    problems = [Problem(where, f"does not go with {word}", without) for word, wanted in (
        ("factors", factors), ("levels", levels), ("robust", robust), ("stratum", layout.stratum),
        ("an absorbed criterion", any(c.absorbed for c in layout.criteria)), ("moments", isinstance(data, Moments)),
        ("group_total", any(isinstance(c, GroupTotal) for c in given)),
    ) if wanted]  # fmt: skip
    problems += [Problem(f"constraint {c.name!r}", "is an inequality, and columns are continuous", "==") for c in given
                 if isinstance(c, Constraint) and c.relation != "=="]  # fmt: skip
    if problems:
        raise ShapeError(problems)
    layout = completed(layout, source(data))
    layout = _with_bands(layout, None, bands)
    task = Task(layout, zero_sum_rules(layout, zero_sum, carrier), tuple(given), keep_budget)
    width, height = len(layout.design.column_names()) + len(layout.continuous), 0
    parts = []
    for chunk in chunks(layout, source(data)):
        height += chunk.size
        if (need := 32 * width * height) > CONTINUOUS_BYTES:  # the columns, scaled, without the constraints, factored
            raise DomainError(
                Problem(where, f"{height:,} records and more of {width} columns take over {need / 2**30:.1f} GiB",
                        f"at most {CONTINUOUS_BYTES >> 30} GiB: fewer records or classes, or classes of the columns")
            )  # fmt: skip
        if layout.criteria:
            checked(replace(layout, continuous=()), chunk, lambda rows: _core.accumulate(layout.design, rows, 1))
        parts.append(chunk)
    if not parts:
        raise DomainError(Problem("records", "none", "at least one"))
    days = np.concatenate([chunk.days for chunk in parts if chunk.days is not None]).astype(np.float64)
    if (wrong := (days < 1) | (days > layout.days_max)).any():
        raise DomainError(Problem("records", f"days ({rows_that(wrong)})", f"1..{layout.days_max}"))
    x = [np.concatenate(pieces) for pieces in zip(*(_one_hot(layout, chunk) for chunk in parts), strict=True)]
    persons = np.concatenate([
        np.ones(chunk.size) if chunk.represents is None else chunk.represents.astype(np.float64) for chunk in parts
    ])  # fmt: skip
    cost = np.concatenate([np.sum(chunk.cents, axis=0, dtype=np.int64) for chunk in parts]) / 100
    years = days / layout.days_in_year
    y, weight = cost / years, persons * years
    return _solved_by_qr(task, x, y, weight, len(x) - len(layout.continuous))


def _solved_by_qr(
    task: Task, x: list[NDArray[np.float64]], y: NDArray[np.float64], weight: NDArray[np.float64], classes: int
) -> RegressionFit:
    time = np.array([column @ weight for column in x])
    kept = [j for j in range(len(x)) if j >= classes or x[j].any()]  # classes without insured time weigh 0
    place = {j: k for k, j in enumerate(kept)}
    equal, relation = [], _core.Relation.equal
    for name, columns in task.zero_sum:
        if terms := [(place[j], time[j]) for j in columns if j in place]:
            equal.append(_core.Constraint(name, terms, relation, 0.0))
    for item in task.constraints:
        assert isinstance(item, Constraint)
        terms = [(column_of(task.layout, c, label, f"constraint {item.name!r}"), v) for c, label, v in item.terms]
        equal.append(_core.Constraint(item.name, [(place[j], v) for j, v in terms if j in place], relation, item.value))
    names = [*task.layout.design.column_names(), *task.layout.continuous]

    def solve(equalities: list[_core.Constraint]) -> tuple[_core.Regression, NDArray[np.float64]]:
        found = _core.regress([names[j] for j in kept], [x[j] for j in kept], y, weight, equalities)
        return found, np.sum([b * x[j] for b, j in zip(found.coefficients, kept, strict=True)], axis=0)

    found, fitted = solve(equal)
    total = float(weight @ y)
    needed = abs(float(weight @ fitted) - total) > 1e-9 * float(weight @ np.abs(y))
    if held := task.keep_budget and needed and bool(equal):
        terms = [(place[j], float(time[j])) for j in kept]
        found, fitted = solve([*equal, _core.Constraint("budget", terms, relation, total)])
    p = len(x)
    params, errors, covariance = np.zeros(p), np.full(p, math.nan), np.full((p, p), math.nan)
    params[kept], errors[kept] = found.coefficients, found.standard_errors
    covariance[np.ix_(kept, kept)] = np.reshape(found.covariance, (len(kept), len(kept)))
    mean, sum_of_weights = total / float(weight.sum()), float(weight.sum())
    error, deviation = float(weight @ np.abs(y - fitted)), float(weight @ np.abs(y - mean))
    rows = np.array([int((column != 0).sum()) for column in x])
    time[classes:], rows[classes:] = sum_of_weights, len(y)
    solution = _Solution(
        params, errors, covariance, [j not in place for j in range(p)], found.r2, found.condition, found.rank,
        found.freedom, len(y), sum_of_weights, mean, found.converged, held,
        tuple(c.name for c in equal) + ("budget",) * held, time, rows,
    )  # fmt: skip
    return RegressionFit(task, solution, Pass(1 - error / deviation if deviation > 0 else math.nan,
                                              error / sum_of_weights))  # fmt: skip


def moments_of(
    data: Any,
    criteria: Sequence[str | Criterion] | None,
    model: str | Model | None,
    threads: int | None,
    progress: Callable[[int], None] | None,
    records: Mapping[str, Any],
) -> tuple[Moments, Source | None]:
    """The moments of data, and the records when they were given and can be read again."""
    if isinstance(data, Moments):
        if criteria is not None or records:
            extra = [*(["criteria"] if criteria is not None else []), *records]
            raise ShapeError(Problem("estimate", f"moments and {', '.join(extra)}", "these only with records"))
        if model is not None and model_layout(model).design != data.core.design:
            raise ShapeError(Problem("estimate", "the moments are not of this model year", "moments made with model="))
        return data, None
    data_source = source(data)
    moments = Moments.from_records(
        data_source, criteria, model=model, threads=threads, progress=progress, **records
    )  # fmt: skip
    return moments, data_source if data_source.again else None


def _with_bands(
    layout: Layout, model: str | Model | None, bands: Mapping[str, Mapping[str, Sequence[Label]]] | None
) -> Layout:
    if model is not None:  # moments from bytes know their classes, not their bands
        by_name = {c.name: c for c in model_layout(model).criteria}
        name = model if isinstance(model, str) else model.name
        layout = replace(
            layout, model=name,
            criteria=tuple(
                of if (of := by_name[c.name]).optional else replace(c, bands=of.bands) for c in layout.criteria
            ),
        )  # fmt: skip
    if not bands:
        return layout
    if unknown := [name for name in bands if name not in {c.name for c in layout.criteria}]:
        raise not_found("bands", "criterion", unknown, [c.name for c in layout.criteria])
    return replace(layout, criteria=tuple(replace(c, bands=bands.get(c.name, c.bands)) for c in layout.criteria))


def _by_name(
    where: str, kind: str, given: Mapping[str, float] | None, names: Sequence[str]
) -> tuple[float, ...]:  # fmt: skip
    if not given:
        return ()
    if unknown := [str(name) for name in given if str(name) not in names]:
        raise not_found(where, kind, unknown, names)
    plain = {str(name): float(value) for name, value in given.items()}
    if wrong := [name for name, value in plain.items() if not (math.isfinite(value) and value >= 0)]:
        raise DomainError([Problem(f"{where}, {name}", "outside its range", "a number, 0 or more", str(plain[name]))
                           for name in wrong])  # fmt: skip
    return tuple(plain.get(name, 1.0) for name in names)


def solved(
    task: Task,
    moments: Moments,
    data: Source | None,
    *,
    robust: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Fit:
    """Solves, and passes over the records a second time when there are any."""
    if robust and data is None:
        raise ShapeError(
            Problem("estimate, robust", "needs records", "a frame or files that can be read twice", "moments")
        )
    core = _core.estimate(moments.core, task.specification())
    fit = Fit(task, moments, core)
    if data is None:
        return fit
    return fit.with_records(data, robust=robust, threads=threads, progress=progress)


def bootstrap(
    fit: Fit, draws: int = 200, *, seed: int = 1, threads: int | None = None
) -> pd.DataFrame:  # fmt: skip
    """Weights of resampled groups, from moments alone: the strata of the moments are the groups.

    Make the moments with ``stratum=RandomGroups(100, by="person")`` or with a column of natural groups. With few groups
    (below about 50) the spread is itself uncertain.

    Parameters
    ----------
    fit : Fit
        Of moments with two strata or more.
    draws : int
        How often as many groups as there are, are drawn with replacement.
    seed : int
        Of the draws; the result does not depend on the number of threads.

    Returns
    -------
    DataFrame
        A row per draw, a column per weight; NaN for a class that a draw leaves empty.
    """
    import pandas as pd

    _needs_groups("bootstrap", fit)
    specification = fit.task.specification(inference=False)
    result = _core.bootstrap(fit.moments.core, specification, draws, seed, threads or processors())
    frame = pd.DataFrame(np.asarray(result.coefficients), columns=fit.index)
    frame.index.name = "draw"
    return frame


def _needs_groups(where: str, fit: Fit) -> None:
    if len(fit.moments.strata) < 2:
        raise ShapeError(
            Problem(
                where,
                "the moments have one stratum",
                "groups, such as Moments.from_records with stratum=RandomGroups(10)",
            )
        )
    if fit.task.factors:
        raise ShapeError(Problem(where, "the strata have factors", "strata that are random groups"))


__all__ = [
    "Constraint",
    "Criterion",
    "Fit",
    "GroupTotal",
    "Moments",
    "RandomGroups",
    "Task",
    "bootstrap",
    "cap",
    "estimate",
    "group_total",
    "order",
    "parse",
    "sign",
]
