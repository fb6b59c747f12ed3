"""Moments, constrained least squares and its measures in whole numbers and Fractions, from the specification alone.

Of record i: represents r, insured days d, cost c [cents], classes x. T = days in the year, f = factor of its stratum,
l = level of a category. Weight w = f r d / T [insured years], target y = T/d sum_k l_k c_k / 100 [EUR per year].
An absorbed criterion is a criterion like any other here: nothing is eliminated.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Row = list[Fraction]
Matrix = list[Row]


class NotDetermined(ValueError):
    """Columns that the data and the constraints leave free."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        super().__init__(f"not determined: {', '.join(self.columns)}")


class Contradiction(ValueError):
    """Constraints that no weights satisfy together."""

    def __init__(self, constraints: Iterable[str]) -> None:
        self.constraints = tuple(constraints)
        super().__init__(f"contradictory: {', '.join(self.constraints)}")


class Refused(ValueError):
    """Records that are no records; `kinds` says in which ways."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = tuple(kinds)
        super().__init__(f"refused: {', '.join(self.kinds)}")


# Linear algebra in whole numbers ------------------------------------------------------------------------------------


def whole(row: Sequence[Fraction | int]) -> list[int]:
    """A multiple of the row in whole numbers without a common factor."""
    scale = math.lcm(*(Fraction(v).denominator for v in row)) if row else 1
    return reduced([int(v * scale) for v in row])


def reduced(row: list[int]) -> list[int]:
    common = math.gcd(*row) if row else 1
    return [v // common for v in row] if common > 1 else row


def echelon(rows: Sequence[Sequence[Fraction | int]], columns: int) -> tuple[list[list[int]], list[int]]:
    """Reduced row echelon form over the first `columns` columns, rows in whole numbers; and the pivot columns."""
    work = [whole(r) for r in rows]
    pivots: list[int] = []
    for column in range(columns):
        at = len(pivots)
        found = next((i for i in range(at, len(work)) if work[i][column]), None)
        if found is None:
            continue
        work[at], work[found] = work[found], work[at]
        lead = work[at]
        for i, other in enumerate(work):
            if i != at and other[column]:
                a, b = lead[column], other[column]
                work[i] = reduced([a * v - b * u for v, u in zip(other, lead, strict=True)])
        pivots.append(column)
    return work, pivots


def rank(rows: Sequence[Sequence[Fraction | int]]) -> int:
    return len(echelon(rows, len(rows[0]))[1]) if rows else 0


def null_space(rows: Sequence[Sequence[Fraction | int]], columns: int) -> Matrix:
    """A basis of the vectors z with rows z = 0, one vector a free column."""
    work, pivots = echelon(rows, columns)
    basis = []
    for free in (c for c in range(columns) if c not in pivots):
        z = [Fraction(0)] * columns
        z[free] = Fraction(1)
        for i, pivot in enumerate(pivots):
            z[pivot] = Fraction(-work[i][free], work[i][pivot])
        basis.append(z)
    return basis


def solve(matrix: Sequence[Sequence[Fraction | int]], right: Sequence[Sequence[Fraction | int]]) -> Matrix:
    """x with matrix x = right, for a square matrix of full rank; right and x have a row per row of the matrix."""
    size = len(matrix)
    work, pivots = echelon([[*a, *b] for a, b in zip(matrix, right, strict=True)], size)
    if len(pivots) < size:
        raise ZeroDivisionError("singular")
    return [[Fraction(v, row[i]) for v in row[size:]] for i, row in enumerate(work)]


def times(a: Matrix, b: Matrix) -> Matrix:
    across = list(zip(*b, strict=True))
    return [[dot(row, column) for column in across] for row in a]


def dot(a: Iterable[Any], b: Iterable[Any]) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True) if u and v), Fraction(0))


def transposed(a: Matrix) -> Matrix:
    return [list(column) for column in zip(*a, strict=True)]


# Design and records -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Criterion:
    """single: one class a record; flags: any number of 0/1 columns; counts: any number of times."""

    name: str
    classes: tuple[str, ...]
    labels: str = "single"
    none_derived: bool = False
    absorbed: bool = False

    def read(self) -> tuple[str, ...]:
        """Classes that have a column of their own in the data; a derived none has not."""
        return self.classes[1:] if self.none_derived else self.classes


@dataclass(frozen=True)
class Design:
    criteria: tuple[Criterion, ...]
    categories: tuple[str, ...] = ("cost",)
    strata: tuple[str, ...] = ("all",)
    days_in_year: int = 365
    days_max: int = 366

    def names(self) -> list[str]:
        return [f"{c.name}={k}" for c in self.criteria for k in c.classes]

    def span(self, criterion: str) -> range:
        """Columns of a criterion."""
        begin = 0
        for c in self.criteria:
            if c.name == criterion:
                return range(begin, begin + len(c.classes))
            begin += len(c.classes)
        raise KeyError(criterion)


@dataclass(frozen=True)
class Record:
    """codes: per criterion the class (single) or the number of times per read class (flags, counts)."""

    codes: tuple[int | tuple[int, ...], ...]
    days: int
    cents: tuple[int, ...]
    represents: int = 1
    stratum: int = 0
    person: int = 0


def indicators(design: Design, record: Record) -> dict[int, int]:
    """x of a record: column to 1 or to the number of times."""
    x: dict[int, int] = {}
    begin = 0
    for criterion, code in zip(design.criteria, record.codes, strict=True):
        if isinstance(code, int):
            x[begin + code] = 1
        else:
            times_of = (int(not any(code)), *code) if criterion.none_derived else code
            x |= {begin + k: n for k, n in enumerate(times_of) if n}
        begin += len(criterion.classes)
    return x


LARGEST_COST = 2**46


def kinds_refused(design: Design, records: Sequence[Record]) -> set[str]:
    """In which ways records are no records; empty when all are."""
    found: set[str] = set()
    for record in records:
        for criterion, code in zip(design.criteria, record.codes, strict=True):
            if isinstance(code, int):
                found |= {"class"} if not 0 <= code < len(criterion.classes) else set()
            else:
                highest = 1 if criterion.labels == "flags" else 65_535
                found |= {"class"} if any(not 0 <= n <= highest for n in code) else set()
        if record.days == 0 and any(record.cents):
            found.add("cost without days")
        elif not 1 <= record.days <= design.days_max:
            found.add("days")
        if record.represents < 1:
            found.add("represents")
        if not 0 <= record.stratum < len(design.strata):
            found.add("stratum")
        if any(abs(c) > LARGEST_COST for c in record.cents):
            found.add("cost")
    return found


# Moments ------------------------------------------------------------------------------------------------------------


@dataclass
class Moments:
    """Sums of whole numbers per stratum s; r = represents, d = days, c = cents, x = classes.

    xx[s, j, k] = sum r d x_j x_k        xd[s, j] = sum r d x_j         xn[s, j] = records with x_j > 0
    xc[s, j, category] = sum r x_j c     squares[s, d, a, b] = sum r c_a c_b of records with so many days
    days[s], rows[s] and cents[s, category] = the totals. Zeros are not kept, so that equal sums are equal objects.
    """

    design: Design
    xx: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    xd: Counter[tuple[int, int]] = field(default_factory=Counter)
    xn: Counter[tuple[int, int]] = field(default_factory=Counter)
    xc: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    squares: Counter[tuple[int, int, int, int]] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)
    cents: Counter[tuple[int, int]] = field(default_factory=Counter)
    rows: Counter[int] = field(default_factory=Counter)

    PARTS = ("xx", "xd", "xn", "xc", "squares", "days", "cents", "rows")

    def __add__(self, other: Moments) -> Moments:
        return self._with(other, 1)

    def __sub__(self, other: Moments) -> Moments:
        return self._with(other, -1)

    def _with(self, other: Moments, sign: int) -> Moments:
        assert self.design == other.design
        result = Moments(self.design)
        for part in self.PARTS:
            sums = Counter(getattr(self, part))
            for key, value in getattr(other, part).items():
                sums[key] += sign * value
            setattr(result, part, Counter({k: v for k, v in sums.items() if v}))
        return result


def moments(design: Design, records: Iterable[Record]) -> Moments:
    records = list(records)
    if kinds := kinds_refused(design, records):
        raise Refused(sorted(kinds))
    m = Moments(design)
    for record in records:
        x = indicators(design, record)
        s, r = record.stratum, record.represents
        m.rows[s] += 1
        m.days[s] += r * record.days
        for j, a in x.items():
            m.xd[s, j] += r * record.days * a
            m.xn[s, j] += 1
            for k, b in x.items():
                m.xx[s, j, k] += r * record.days * a * b
            for category, c in enumerate(record.cents):
                m.xc[s, j, category] += r * a * c
        for category, c in enumerate(record.cents):
            m.cents[s, category] += r * c
            for other, c2 in enumerate(record.cents):
                m.squares[s, record.days, category, other] += r * c * c2
    for part in Moments.PARTS:
        setattr(m, part, Counter({k: v for k, v in getattr(m, part).items() if v}))
    return m


@dataclass
class Levels:
    """Factor per stratum and level per category; nothing given is 1."""

    strata: Sequence[Fraction | int] = ()
    categories: Sequence[Fraction | int] = ()

    def factor(self, stratum: int) -> Fraction:
        return Fraction(self.strata[stratum]) if self.strata else Fraction(1)

    def level(self, category: int) -> Fraction:
        return Fraction(self.categories[category]) if self.categories else Fraction(1)


@dataclass
class Totals:
    """Strata and categories put together: insured years and euros.

    xx = X'WX, xy = X'Wy, yy = y'Wy, years = 1'W1, cost = 1'Wy, xd = X'W1, rows = the number of records.
    """

    names: list[str]
    xx: Matrix
    xy: Row
    xd: Row
    yy: Fraction
    years: Fraction
    cost: Fraction
    rows: int


def combine(m: Moments, levels: Levels | None = None) -> Totals:
    levels = levels or Levels()
    names = m.design.names()
    p, year = len(names), m.design.days_in_year
    xx = [[Fraction(0)] * p for _ in range(p)]
    xy, xd = [Fraction(0)] * p, [Fraction(0)] * p
    for (s, j, k), v in m.xx.items():
        xx[j][k] += levels.factor(s) * v / year
    for (s, j), v in m.xd.items():
        xd[j] += levels.factor(s) * v / year
    for (s, j, c), v in m.xc.items():
        xy[j] += levels.factor(s) * levels.level(c) * v / 100
    yy = sum(
        (levels.factor(s) * levels.level(a) * levels.level(b) * v * year / d for (s, d, a, b), v in m.squares.items()),
        Fraction(0),
    )
    years = sum((levels.factor(s) * v for s, v in m.days.items()), Fraction(0)) / year
    cost = sum((levels.factor(s) * levels.level(c) * v for (s, c), v in m.cents.items()), Fraction(0)) / 100
    return Totals(names, xx, xy, xd, yy / 10_000, years, cost, sum(m.rows.values()))


# Constraints --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Constraint:
    """sum of coefficient times weight {=, >=, <=} value [EUR]; terms by column number."""

    name: str
    terms: Mapping[int, Fraction | int]
    relation: str = "="
    value: Fraction | int = 0

    def row(self, columns: int) -> Row:
        return [Fraction(self.terms.get(j, 0)) for j in range(columns)]

    def holds(self, weights: Sequence[Fraction]) -> bool:
        left = sum((Fraction(v) * weights[j] for j, v in self.terms.items()), Fraction(0))
        return {"=": left == self.value, ">=": left >= self.value, "<=": left <= self.value}[self.relation]


def zero_sum(name: str, columns: Iterable[int], totals: Totals) -> Constraint:
    """The weights of the columns, each times its insured years, sum to zero."""
    return Constraint(name, {j: totals.xd[j] for j in columns if totals.xd[j]})


def zero_sums(design: Design, totals: Totals, carrier: str) -> list[Constraint]:
    """Zero-sum for every criterion but the carrier; none for a criterion in which nobody is insured."""
    rules = [zero_sum(c.name, design.span(c.name), totals) for c in design.criteria if c.name != carrier]
    return [r for r in rules if r.terms]


def group_total(name: str, group: Totals, share: Fraction | int = 1) -> Constraint:
    """What is predicted for a group adds up to a share of its cost."""
    return Constraint(name, {j: v for j, v in enumerate(group.xd) if v}, "=", Fraction(share) * group.cost)


def budget(totals: Totals) -> Constraint:
    """What is predicted for everybody adds up to the cost."""
    return group_total("budget", totals)


def clash(rules: Sequence[Constraint], columns: int) -> tuple[str, ...]:
    """Names of equalities that contradict each other; empty when some weights satisfy all."""
    tracked = [[*r.row(columns), Fraction(r.value), *unit(i, len(rules))] for i, r in enumerate(rules)]
    work, pivots = echelon(tracked, columns)
    for row in work[len(pivots) :]:
        if row[columns]:
            return tuple(r.name for r, v in zip(rules, row[columns + 1 :], strict=True) if v)
    return ()


def unit(i: int, size: int) -> Row:
    return [Fraction(int(k == i)) for k in range(size)]


def independent(rules: Sequence[Constraint], columns: int) -> list[Constraint]:
    """The constraints that do not follow from those before them."""
    kept: list[Constraint] = []
    for r in rules:
        if rank([k.row(columns) for k in [*kept, r]]) == len(kept) + 1:
            kept.append(r)
    return kept


# Estimation ---------------------------------------------------------------------------------------------------------


@dataclass
class Fit:
    """Weights in EUR per insured year and what belongs to them, all exact."""

    names: list[str]
    weights: Row
    empty: list[str]
    rank: int
    """Rank of X'WX."""
    free: int
    """Dimensions left by the constraints: the degrees of freedom that the weights take."""
    rss: Fraction
    tss: Fraction
    rows: int
    years: Fraction
    mean_cost: Fraction
    active: list[str] = field(default_factory=list)
    multipliers: dict[str, Fraction] = field(default_factory=dict)
    projector: Matrix = field(default_factory=list)
    """Z (Z' X'WX Z)^-1 Z' with Z a basis of the weights that satisfy the constraints with 0 on the right."""

    @property
    def r2(self) -> Fraction:
        """Centred, weighted by insured time."""
        return 1 - self.rss / self.tss

    def covariance(self) -> Matrix:
        """Classical: residual variance times the projector."""
        variance = self.rss / (self.rows - self.free)
        return [[variance * v for v in row] for row in self.projector]


def loose_columns(t: Totals, rules: Sequence[Constraint]) -> list[str]:
    """Columns in the null space of X'WX and the equalities together, empty classes left out."""
    p = len(t.names)
    kept = [j for j in range(p) if t.xx[j][j]]
    rows = [[t.xx[i][j] for j in kept] for i in kept] + [[r.row(p)[j] for j in kept] for r in rules]
    basis = null_space(rows, len(kept)) if kept else []
    return [t.names[kept[i]] for i in range(len(kept)) if any(z[i] for z in basis)]


def estimate(t: Totals, rules: Sequence[Constraint] = ()) -> Fit:
    """min_b sum w (y - x b)^2 under the constraints; an empty class weighs 0.

    [ X'WX  C' ] [ b ]   [ X'Wy ]
    [ C     0  ] [ u ] = [ d    ]      with C, d the equalities and the inequalities that bind

    Which of them bind is found by trying every set: the set that gives feasible weights and multipliers of the right
    sign is the optimum, as the problem is convex. Sets of dependent constraints need not be tried.
    """
    p = len(t.names)
    kept = [j for j in range(p) if t.xx[j][j]]
    equalities = [r for r in rules if r.relation == "="]
    inequalities = [r for r in rules if r.relation != "="]
    pinned = [Constraint(f"{t.names[j]} is empty", {j: 1}) for j in range(p) if j not in kept]
    if names := clash([*equalities, *pinned], p):
        raise Contradiction(names)
    if loose := loose_columns(t, equalities):
        raise NotDetermined(loose)
    base = independent([*pinned, *equalities], p)
    for count in range(len(inequalities) + 1):
        for binding in itertools.combinations(inequalities, count):
            rows = [*base, *binding]
            if count and rank([r.row(p) for r in rows]) < len(rows):
                continue
            weights, multiplier = _stationary(t, rows)
            u = dict(zip((r.name for r in rows), multiplier, strict=True))
            # 2 X'W(y - Xb) = 2 C'u: a weight pushed up by ">= v" has a residual sum below zero, so u <= 0
            if all(u[r.name] * (-1 if r.relation == ">=" else 1) >= 0 for r in binding) and all(
                r.holds(weights) for r in inequalities
            ):
                return _finished(t, weights, rows, [r.name for r in binding], u)
    raise Contradiction(r.name for r in rules)


def _stationary(t: Totals, rules: Sequence[Constraint]) -> tuple[Row, Row]:
    p = len(t.names)
    c = [r.row(p) for r in rules]
    top = [[*t.xx[j], *(row[j] for row in c)] for j in range(p)]
    bottom = [[*row, *([Fraction(0)] * len(c))] for row in c]
    right = [[v] for v in [*t.xy, *(Fraction(r.value) for r in rules)]]
    found = [row[0] for row in solve([*top, *bottom], right)]
    return found[:p], found[p:]


def _finished(t: Totals, b: Row, rules: list[Constraint], active: list[str], multipliers: dict[str, Fraction]) -> Fit:
    p = len(t.names)
    z = null_space([r.row(p) for r in rules], p)  # a row a basis vector
    projector = [[Fraction(0)] * p for _ in range(p)]
    if z:
        inner = times(times(z, t.xx), transposed(z))
        projector = times(transposed(z), solve(inner, z))
    rss = t.yy - 2 * dot(b, t.xy) + dot(b, (dot(row, b) for row in t.xx))
    return Fit(
        t.names,
        b,
        [t.names[j] for j in range(p) if not t.xx[j][j]],
        rank(t.xx),
        len(z),
        rss,
        t.yy - t.cost**2 / t.years,
        t.rows,
        t.years,
        t.cost / t.years,
        active,
        multipliers,
        projector,
    )


# Second pass over the records ---------------------------------------------------------------------------------------


@dataclass
class Person:
    """A record as the regression sees it."""

    weight: Fraction
    target: Fraction
    predicted: Fraction
    x: dict[int, int]
    record: Record


def seen(design: Design, records: Sequence[Record], weights: Sequence[Fraction], levels: Levels | None) -> list[Person]:
    levels = levels or Levels()
    result = []
    for r in records:
        x = indicators(design, r)
        cost = sum((levels.level(k) * c for k, c in enumerate(r.cents)), Fraction(0)) / 100
        result.append(
            Person(
                levels.factor(r.stratum) * r.represents * r.days / design.days_in_year,
                cost * design.days_in_year / r.days,
                sum((n * weights[j] for j, n in x.items()), Fraction(0)),
                x,
                r,
            )
        )
    return result


@dataclass
class Measures:
    r2: Fraction
    cpm: Fraction
    mape: Fraction


def measures(people: Sequence[Person]) -> Measures:
    """R2 = 1 - sum w e^2 / sum w (y - m)^2, CPM = 1 - sum w |e| / sum w |y - m|, MAPE = sum w |e| / sum w [EUR].

    e = y - predicted, m = the mean of y weighted by insured time.
    """
    years = sum((p.weight for p in people), Fraction(0))
    mean = sum((p.weight * p.target for p in people), Fraction(0)) / years
    squared = sum((p.weight * (p.target - p.predicted) ** 2 for p in people), Fraction(0))
    absolute = sum((p.weight * abs(p.target - p.predicted) for p in people), Fraction(0))
    spread = sum((p.weight * (p.target - mean) ** 2 for p in people), Fraction(0))
    deviation = sum((p.weight * abs(p.target - mean) for p in people), Fraction(0))
    return Measures(1 - squared / spread, 1 - absolute / deviation, absolute / years)


def robust_covariance(
    fit: Fit, people: Sequence[Person], meat_weight: Callable[[Person], Fraction], cluster: bool = False
) -> Matrix:
    """Sandwich P M P with P the projector of the fit.

    M = sum_i m_i e_i^2 x_i x_i', or sum over persons of the outer product of their summed scores; HC1: times n/(n - k),
    by person: times g/(g - 1) (n - 1)/(n - k). n = records, k = dimensions left by the constraints, g = persons.
    `meat_weight` is m_i: w_i^2 when a record is one observation, whatever it stands for.
    """
    p = len(fit.names)
    meat = [[Fraction(0)] * p for _ in range(p)]
    n = len(people)
    if cluster:
        scores: dict[int, Row] = {}
        for q in people:
            score = scores.setdefault(q.record.person, [Fraction(0)] * p)
            for j, a in q.x.items():
                score[j] += a * q.weight * (q.target - q.predicted)
        for score in scores.values():
            for j, a in enumerate(score):
                for k, b in enumerate(score):
                    meat[j][k] += a * b
        factor = Fraction(len(scores) * (n - 1), (len(scores) - 1) * (n - fit.free))
    else:
        for q in people:
            size = meat_weight(q) * (q.target - q.predicted) ** 2
            for j, times_j in q.x.items():
                for k, times_k in q.x.items():
                    meat[j][k] += size * times_j * times_k
        factor = Fraction(n, n - fit.free)
    middle = times(times(fit.projector, meat), fit.projector)
    return [[factor * v for v in row] for row in middle]


def micro_euro(weight: Fraction) -> Fraction:
    """A weight rounded once to a whole number of micro-euros, halves away from zero."""
    scaled = abs(weight) * 1_000_000
    rounded = Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 1_000_000)
    return -rounded if weight < 0 else rounded


def out_of_sample(
    design: Design,
    records: Sequence[Record],
    folds: Sequence[int],
    rules: Callable[[Totals], Sequence[Constraint]],
    levels: Levels | None = None,
) -> list[Person]:
    """Every record with what is predicted for it by the weights estimated on the other folds."""
    all_moments = moments(design, records)
    result: list[Person] = []
    for fold in sorted(set(folds)):
        inside = [r for r, f in zip(records, folds, strict=True) if f == fold]
        t = combine(all_moments - moments(design, inside), levels)
        result += seen(design, inside, estimate(t, rules(t)).weights, levels)
    return result


# Random designs -----------------------------------------------------------------------------------------------------


def random_design(rng: random.Random, *, absorbed: bool = False, plain: bool = False) -> Design:
    """A carrier with one class a record, and up to three criteria of any kind."""
    criteria = [Criterion("age_sex", classes(rng.randint(1, 4)))]
    kinds = ["single"] if plain else ["single", "single", "flags", "derived", "counts", "counts derived"]
    for i in range(rng.randint(0, 3)):
        kind = rng.choice(kinds)
        labels = kind.split()[0] if kind != "derived" else "flags"
        derived = kind.endswith("derived")
        criteria.append(Criterion(f"c{i}", classes(rng.randint(2, 4)), labels, derived))
    if absorbed:
        criteria.append(Criterion("canton", classes(rng.randint(2, 5)), absorbed=True))
    months = rng.random() < 0.25
    return Design(
        tuple(criteria),
        ("cost",) if rng.random() < 0.6 else ("hospital", "drugs", "gp")[: rng.randint(2, 3)],
        ("all",) if rng.random() < 0.6 else ("a", "b", "c")[: rng.randint(2, 3)],
        12 if months else rng.choice([365, 365, 366]),
        12 if months else 366,
    )


def classes(count: int) -> tuple[str, ...]:
    return tuple(str(k) for k in range(count))


def random_records(rng: random.Random, design: Design, count: int) -> list[Record]:
    """Costs of any sign, records that stand for several insured, two records a person, classes that nobody has."""
    shunned = {(c.name, rng.randrange(len(c.classes))) for c in design.criteria if rng.random() < 0.2}
    result = []
    for i in range(count):
        codes: list[int | tuple[int, ...]] = []
        for c in design.criteria:
            taken = [k for k in range(len(c.classes)) if (c.name, k) not in shunned]
            if c.labels == "single":
                codes.append(rng.choice(taken or [0]))
                continue
            first = len(c.classes) - len(c.read())
            most = 1 if c.labels == "flags" else 3
            times_of = [
                rng.randint(1, most) if k in taken and rng.random() < 0.35 else 0 for k in range(first, len(c.classes))
            ]
            codes.append(tuple(times_of))
        days = design.days_max if rng.random() < 0.3 else rng.randint(1, design.days_max)
        result.append(
            Record(
                tuple(codes),
                min(days, design.days_max),
                tuple(rng.choice([0, rng.randint(-20_000, 900_000)]) for _ in design.categories),
                rng.choice([1, 1, 1, 2, 25]),
                rng.randrange(len(design.strata)),
                i - (i % 2 if rng.random() < 0.5 else 0),
            )
        )
    return result


def random_levels(rng: random.Random, design: Design) -> Levels:
    """Levels that a double holds exactly, so that both implementations start from the same numbers."""

    def some(count: int) -> list[Fraction]:
        return [Fraction(rng.randint(40, 90), 64) for _ in range(count)]

    return Levels(some(len(design.strata)), some(len(design.categories)))
