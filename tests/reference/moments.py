"""Exact moments X'DX and X'Dc and the constrained weighted least squares of section 5, in Fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .country import Claim, Country, Criterion, Model, Share, days_in_year, year_of
from .groupers import Row, kind_of

Column = tuple[str, int]
"""(criterion, code)."""


class NotDetermined(ValueError):
    """The weights are not determined, or the constraints clash; names the columns."""


def columns(share: Share) -> list[Column]:
    """All classes, criteria and codes in the order of the annex."""
    return [(c.name, k.code) for c in share.criteria for k in c.classes]


def indicators(row: Row, share: Share) -> dict[Column, int]:
    """x of a row: 1 per class, the number of times where the criterion counts."""
    x: dict[Column, int] = {}
    for criterion in share.criteria:
        for code in row.classes[share.name][criterion.name]:
            x[criterion.name, code] = x.get((criterion.name, code), 0) + 1
    return x


# Cost of a record -----------------------------------------------------------------------------------------------


def record_of(claim: Claim, rows: list[Row]) -> Row:
    """The record that bears a claim, among the rows of its person in the cost year.

    The record at the insurer on the claim; with several at that insurer the one that contains the day on which the
    claim was opened, else the last of them. Pro rata over records would be wrong: an insurer pays its own claims.
    """
    mine = [r for r in rows if r.insurer == claim.insurer]
    if not mine:
        raise ValueError(f"person {claim.person}: claim at insurer {claim.insurer} where it has no record")
    inside = [r for r in mine if r.first_day <= claim.opened <= r.last_day]
    return inside[0] if inside else max(mine, key=lambda r: r.first_day)


def assign_claims(country: Country, rows: list[Row], year: int) -> dict[int, list[Claim]]:
    """Row index to the claims of the year that it bears; claims of persons without a record in the year are refused."""
    by_person: dict[int, list[Row]] = {}
    for row in rows:
        by_person.setdefault(row.person, []).append(row)
    assigned: dict[int, list[Claim]] = {row.index: [] for row in rows}
    for claim in country.claims:
        if year_of(claim.opened) == year:
            assigned[record_of(claim, by_person.get(claim.person, [])).index].append(claim)
    return assigned


def settled_by_category(country: Country, rows: list[Row], year: int) -> dict[int, dict[int, int]]:
    """Row index to category to settled cents of one insured (not yet times represents)."""
    result: dict[int, dict[int, int]] = {}
    for index, claims in assign_claims(country, rows, year).items():
        cents: dict[int, int] = {}
        for claim in claims:
            cents[claim.category] = cents.get(claim.category, 0) + claim.settled_cents
        result[index] = cents
    return result


# Moments --------------------------------------------------------------------------------------------------------


@dataclass
class Moments:
    """Sums of integers.

    xdx[j][k] = sum_r days_r represents_r x_rj x_rk                       [days]
    xdc[category][j] = sum_r represents_r x_rj cents_r,category           [cents]

    c in X'Dc is cost per insured day, so that the days cancel and the sum stays an integer: the target of the
    regression is the annualised cost, its weight the insured fraction of the year.
    """

    columns: list[Column]
    xdx: list[list[int]]
    xdc: dict[int, list[int]]
    days_in_year: int
    days: int = 0

    def total(self, categories: list[int]) -> list[int]:
        """X'Dc of some categories together."""
        return [sum(self.xdc.get(c, [0] * len(self.columns))[j] for c in categories) for j in range(len(self.columns))]


def moments(rows: list[Row], share: Share, cents: dict[int, dict[int, int]], year: int) -> Moments:
    """Moments of class rows of `year` over the columns of a share; rows without classes (GGZ below 18) stay out."""
    names = columns(share)
    position = {c: j for j, c in enumerate(names)}
    result = Moments(names, [[0] * len(names) for _ in names], {}, days_in_year(year))
    for row in rows:
        x = {position[c]: n for c, n in indicators(row, share).items()}
        if not x:
            continue
        result.days += row.days * row.represents
        for j, a in x.items():
            for k, b in x.items():
                result.xdx[j][k] += row.days * row.represents * a * b
            for category, amount in cents[row.index].items():
                result.xdc.setdefault(category, [0] * len(names))[j] += row.represents * a * amount
    return result


def class_days(m: Moments, rows: list[Row], share: Share) -> list[int]:
    """Insured days per column, a class that counts twice twice: X'D1."""
    position = {c: j for j, c in enumerate(m.columns)}
    total = [0] * len(m.columns)
    for row in rows:
        for c, n in indicators(row, share).items():
            total[position[c]] += row.days * row.represents * n
    return total


# Estimation -----------------------------------------------------------------------------------------------------


@dataclass
class Estimate:
    """Weights in cents per insured year, exact."""

    weights: dict[Column, Fraction]
    pinned: list[Column] = field(default_factory=list)
    constraints: list[dict[Column, int]] = field(default_factory=list)


def bands(criterion: Criterion) -> list[list[int]]:
    """Codes of a criterion per group that must sum to zero: all, or per age band."""
    if not criterion.age_bands_zero_sum:
        return [[c.code for c in criterion.classes]]
    found: dict[tuple[int, int], list[int]] = {}
    for c in criterion.classes:
        found.setdefault((c.age_min, c.age_max), []).append(c.code)
    return list(found.values())


def zero_sum_constraints(share: Share, prevalence: dict[Column, int]) -> list[dict[Column, int]]:
    """Section 5: per criterion but age/sex (AVI, SES, PPA: per age band) sum_k n_k b_k = 0, n_k in insured days.

    Age and sex carry the total. In criteria with one class per person this only fixes the level; in FKG, DKG and HKG,
    where a person may have several classes, it is a true restriction, the one constraint more of each.
    """
    result = []
    for criterion in share.criteria:
        if kind_of(criterion) == "age_sex":
            continue
        for codes in bands(criterion):
            row = {(criterion.name, k): prevalence[criterion.name, k] for k in codes if prevalence[criterion.name, k]}
            if row:
                result.append(row)
    return result


def reference_constraints(
    share: Share, prevalence: dict[Column, int], reference: dict[str, int]
) -> list[dict[Column, int]]:
    """The zero-sum constraints, with b = 0 for a named reference class instead for the criteria named."""
    result = []
    for row in zero_sum_constraints(share, prevalence):
        name = next(iter(row))[0]
        pinned = (name, reference[name]) if name in reference else None
        result.append({pinned: 1} if pinned in row else row)
    return result


def estimate_exact(
    m: Moments,
    share: Share,
    categories: list[int],
    prevalence: list[int],
    constraints: list[dict[Column, int]] | None = None,
) -> Estimate:
    """min_b sum_r D_r (y_r - x_r b)^2 subject to C b = 0, with y the annualised cost.

        [ X'DX  C' ] [ b      ]   [ T X'Dc ]
        [ C     0  ] [ lambda ] = [ 0      ]        T = days in the year

    Classes without insured days are pinned at 0.
    """
    n = dict(zip(m.columns, prevalence, strict=True))
    rules = zero_sum_constraints(share, n) if constraints is None else constraints
    kept = [j for j, c in enumerate(m.columns) if n[c]]
    where = {m.columns[j]: i for i, j in enumerate(kept)}
    target = m.total(categories)
    size = len(kept) + len(rules)
    matrix = [[Fraction(0)] * (size + 1) for _ in range(size)]
    for i, j in enumerate(kept):
        for i2, j2 in enumerate(kept):
            matrix[i][i2] = Fraction(m.xdx[j][j2])
        matrix[i][size] = Fraction(m.days_in_year * target[j])
    for r, rule in enumerate(rules):
        for column, value in rule.items():
            matrix[len(kept) + r][where[column]] = matrix[where[column]][len(kept) + r] = Fraction(value)
    solution, free = solve(matrix)
    loose = [m.columns[kept[i]] for i in free if i < len(kept)]
    if loose:
        raise NotDetermined(f"not determined: {loose}")
    weights = {c: solution[where[c]] if c in where else Fraction(0) for c in m.columns}
    return Estimate(weights, [c for c in m.columns if c not in where], rules)


def solve(matrix: list[list[Fraction]]) -> tuple[list[Fraction], list[int]]:
    """Gauss-Jordan on an augmented matrix; the free columns get 0 and are returned."""
    size = len(matrix[0]) - 1
    pivots: dict[int, int] = {}
    row = 0
    for column in range(size):
        pivot = next((r for r in range(row, len(matrix)) if matrix[r][column]), None)
        if pivot is None:
            continue
        matrix[row], matrix[pivot] = matrix[pivot], matrix[row]
        _eliminate(matrix, row, column)
        pivots[column] = row
        row += 1
    if any(r[size] for r in matrix[row:]):
        raise NotDetermined("constraints clash")
    solution = [matrix[pivots[c]][size] if c in pivots else Fraction(0) for c in range(size)]
    return solution, [c for c in range(size) if c not in pivots]


def _eliminate(matrix: list[list[Fraction]], row: int, column: int) -> None:
    lead = matrix[row][column]
    filled = [k for k, value in enumerate(matrix[row]) if value]
    for k in filled:
        matrix[row][k] /= lead
    for r, other in enumerate(matrix):
        if r != row and other[column]:
            factor = other[column]
            for k in filled:
                other[k] -= factor * matrix[row][k]


def fitted_cents(row: Row, share: Share, weights: dict[Column, Fraction]) -> Fraction:
    """x_r b of one insured, cents per insured year."""
    return sum((n * weights[c] for c, n in indicators(row, share).items()), Fraction(0))


def micro_euro(cents: Fraction) -> int:
    """Cents to micro-euro, rounded once (half away from zero)."""
    scaled = cents * 10_000
    sign = -1 if scaled < 0 else 1
    return sign * ((2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator))


def cluster_categories(model: Model, cluster: str) -> list[int]:
    """Category numbers of a cluster."""
    return [i for i, name in enumerate(model.cluster) if name == cluster]
