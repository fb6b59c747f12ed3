"""What a run of a programme gave, beside what was published or assumed about such programmes.

The ``[[check]]`` entries of a programme file name an outcome, a figure with its range and its source. None of them is
an input: rules act on claims, and what follows is measured here. The names, with parts between colons:

``category_change_pct:CATEGORY``
    claimed cost in the area, change in percent; a category of care, ``total``, or ``pharmacy``: drugs without those
    that hospitals pay (for rules that leave those alone)
``target_change_pct:CATEGORY``
    the same among those whom the first rule with a condition is for
``claims_change_pct:RULE+RULE``
    number of claims that the rules look at
``claims_added_per_1000:CATEGORY``, ``category_added_per_insured_eur:CATEGORY``
    claims made in the category, per 1,000 insured years, and their cost per insured year
``category_added_pct_of:CATEGORY:OF``
    change in the first in percent of the cost of the second
``category_added_per_person_eur:CATEGORY:RULE``, ``hospital_saving_per_person_eur:RULE``
    change in the category, and fall in hospital cost, per person-year that the rule reaches
``net_cost_per_person_eur:RULE``
    change in all claimed cost by all rules, per person-year that the rule reaches
``mean_avoided_price_eur``
    mean price of what is avoided
``class_change_pct:CRITERION``, ``target_class_change_pct:CRITERION``
    insured years in the classes of a criterion, change in the area, and among those whom a rule is for
``class_lost_per_avoided:CRITERION``
    classes lost less classes won per avoided product
``class_lost_per_person:CRITERION:RULE+RULE``
    the same per person-year reached, in a run of these rules alone

and the six of a 1.5-line centre (:func:`centre`). A last part that is a year asks for that year. Without it, figures
are those of all years in which the programme is at its full size, and classes those of the years after these.
"""

from __future__ import annotations

import functools
import math
import tomllib
import weakref
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.columns import days_in
from anderhalf.errors import ParameterError, Problem
from anderhalf.simulation import Simulation, World

Frame = Any  # a pandas frame; its stubs cannot follow group keys
ERRORS = 3  # as in validation: outside a range by no more than three errors of the sample is `within error`

_frames: weakref.WeakKeyDictionary[World, dict[Any, Frame]] = weakref.WeakKeyDictionary()


def checks(run: Simulation) -> list[dict[str, Any]]:
    """Every check of the programmes of a run: name, ours, its rough error, what was published, range, source, verdict.

    The error is that of a count of rows: ours over the root of the persons of the sample behind it. Classes of several
    programmes together cannot be told apart: those are left out of such a run.
    """
    return [
        measures.row(check)
        for position in range(len(run.programmes))
        for measures in (Measures(run, position),)
        for check in measures.programme.file.check
    ]


def judged(check: Any, found: Mapping[str, Any]) -> dict[str, Any]:
    """What was found beside what a check states."""
    low, high = check.range
    row = {
        "name": check.name,
        **found,
        "published": check.value,
        "range": [low, high],
        "source": check.source,
        "verdict": verdict(found["ours"], low, high, found["error"]),
        "explanation": check.explanation,
    }
    return {**row, "sentence": sentence(row)}


def verdict(ours: float | None, low: float, high: float, error: float | None) -> str:
    """``inside``, ``within error``, ``outside`` or ``not measured``."""
    if ours is None:
        return "not measured"
    if low <= ours <= high:
        return "inside"
    near = error is not None and min(abs(ours - low), abs(ours - high)) <= ERRORS * error
    return "within error" if near else "outside"


def sentence(row: dict[str, Any]) -> str:
    """The row in words."""
    low, high = row["range"]
    if row["ours"] is None:
        return f"Not measured: {row['why']}."
    stated = f"{row['published']:g} ({low:g} to {high:g})"
    ours = f"{row['ours']:.3g}"
    if row["verdict"] == "inside":
        return f"{ours} lies in the range of what is stated, {stated}."
    if row["verdict"] == "within error":
        return f"{ours} lies outside {stated} by less than {ERRORS} errors of this sample ({row['error']:.2g})."
    side = "above" if row["ours"] > high else "below"
    return f"{ours} lies {side} what is stated, {stated}; the rules were not changed to fit it."


OF_CENTRE = (
    "replaced_consult_price_eur",
    "replaced_heavier_price_eur",
    "dkg_lost_per_replaced_heavier",
    "dkg_lost_per_replaced_consult",
    "own_payment_lost_per_patient_eur",
    "net_saving_per_avoided_referral_eur",
)


def centre(moves: Frame, classes: Frame, statements: Frame) -> dict[str, float]:
    """The six outcomes of a 1.5-line centre, from the frames of one run or of several together."""
    avoided = moves[moves.effect == "avoided"]
    patients = moves[moves.effect.isin(["replacement", "added", "referred_on"])].claims.sum()

    def price(product: str) -> float:
        part = avoided[avoided["product"] == product]
        return float(-part.claimed_cents.sum() / part.claims.sum() / 100)

    heavier = avoided[avoided["product"] == "heavier"].claims.sum()
    dkg = classes[(classes.criterion == "dkg") & (classes.code > 0)]
    lost = float((dkg.years_lost - dkg.years_won).sum())
    own = statements.groupby("arm").own_payments.sum()
    net = -(moves.settled_cents.sum()) / 100
    return {
        "replaced_consult_price_eur": price("consult"),
        "replaced_heavier_price_eur": price("heavier"),
        "dkg_lost_per_replaced_heavier": lost / float(heavier),
        "dkg_lost_per_replaced_consult": 0.0,
        "own_payment_lost_per_patient_eur": float(own["baseline"] - own["scenario"]) / float(patients) / 100,
        "net_saving_per_avoided_referral_eur": float(net) / float(avoided.claims.sum()),
    }


# --- the area -----------------------------------------------------------------------------------------------------


@functools.cache
def hospital_drugs() -> frozenset[int]:
    """Drug groups that hospitals pay: Vektis counts them as hospital care, not as pharmacy."""
    with (data_directory("params") / "population" / "mapping.toml").open("rb") as file:
        return frozenset(row["drug"] for row in tomllib.load(file)["drugs"] if row.get("addon"))


def _kept(world: World, key: Any, make: Any) -> Frame:
    frames = _frames.setdefault(world, {})
    if key not in frames:
        frames[key] = make()
    return frames[key]


def _read(world: World) -> dict[int, tuple[Frame, Frame]]:
    """Records and claims above zero of every simulated year, in one pass over the people."""

    def make() -> dict[int, tuple[Frame, Frame]]:
        years = range(world.rules.start, world.rules.start + world.rules.horizon)
        parts: dict[int, tuple[list[Frame], list[Frame]]] = {year: ([], []) for year in years}
        for block in world.people.blocks((years[0], years[-1])):
            r, c = block.records, block.claims
            c = c[c["claimed_cents"] > 0]
            for year in years:
                first = np.datetime64(f"{year}-01-01").astype(int)
                end = first + days_in(year)
                here = r[(r["first_day"] < end) & (r["last_day"] >= first)]
                opened = c[(c["opened"] >= first) & (c["opened"] < end)]
                parts[year][0].append(pd.DataFrame({k: here[k] for k in _RECORD}))
                parts[year][1].append(pd.DataFrame({k: opened[k] for k in _CLAIM}))
        return {y: (pd.concat(a, ignore_index=True), pd.concat(b, ignore_index=True)) for y, (a, b) in parts.items()}

    found: dict[int, tuple[Frame, Frame]] = _kept(world, "read", make)
    return found


_RECORD = ("person", "first_day", "last_day", "insurer", "represents", "municipality", "birth_month", "sex")
_CLAIM = ("person", "opened", "insurer", "category", "specialism", "diagnosis", "product", "consult", "claimed_cents")


def records(world: World, year: int) -> Frame:
    """Who is insured in a year, where and with whom; days in that year."""

    def make() -> Frame:
        rows = _read(world)[year][0]
        first = np.datetime64(f"{year}-01-01").astype(int)
        last = first + days_in(year) - 1
        days = np.minimum(rows.last_day, last) - np.maximum(rows.first_day, first) + 1
        # As the core reads an age of a rule: that on 1 January, in completed years.
        return rows.assign(days=days, age=np.maximum(0, (12 * year - 1 - rows.birth_month) // 12))

    return _kept(world, ("records", year), make)


def claims(world: World, year: int) -> Frame:
    """Claims of a year with an amount above zero, beside the record that bears each: where, age, sex, represents."""

    def make() -> Frame:
        rows = _read(world)[year][1]
        both = rows.assign(row=np.arange(len(rows))).merge(records(world, year), on=["person", "insurer"])
        inside = (both.opened >= both.first_day) & (both.opened <= both.last_day)
        # Borne by the record that covers the day, else by the last one at that insurer.
        both = both.assign(inside=inside).sort_values(["row", "inside", "last_day"]).drop_duplicates("row", keep="last")
        return both.drop(columns=["inside", "first_day", "last_day", "days"])

    return _kept(world, ("claims", year), make)


def matches(selector: Any, rows: Frame) -> NDArray[np.bool_]:
    """Which claims a selector of the core takes."""
    take: NDArray[np.bool_] = np.ones(len(rows), dtype=bool)
    if selector.categories:
        take &= rows.category.isin([int(c) for c in selector.categories]).to_numpy()
    if selector.specialisms:
        take &= rows.specialism.isin(selector.specialisms).to_numpy()
    if selector.diagnoses:
        take &= rows.diagnosis.isin(selector.diagnoses).to_numpy()
    if selector.products:
        number = rows["product"].to_numpy()
        take &= np.logical_or.reduce([(number >= a) & (number <= b) for a, b in selector.products])
    if selector.consult != _core.Consult.any:
        take &= rows.consult.to_numpy() == (selector.consult == _core.Consult.yes)
    cents = rows.claimed_cents.to_numpy()
    take &= (cents >= selector.min_cents) & (cents <= selector.max_cents)
    return take


def selected(who: Any, year: int, bearers: Frame, all_claims: Frame) -> frozenset[int] | None:
    """Persons of a year whom a rule is for; None when it asks for an onset, which looks at more than one year."""
    if who.onset is not None:
        return None
    rows = bearers[(bearers.age >= who.min_age) & (bearers.age <= who.max_age)]
    if who.sex:
        rows = rows[rows.sex == who.sex]
    persons = set(rows.person)
    if who.has is not None:
        persons &= set(all_claims.person[matches(who.has, all_claims)])
    if who.has_not is not None:
        persons -= set(all_claims.person[matches(who.has_not, all_claims)])
    return frozenset(persons)


class Measures:
    """The outcomes of one programme of a run."""

    def __init__(self, run: Simulation, position: int) -> None:
        self.run, self.world = run, run.world
        self.programme = run.programmes[position]
        self.core = run.cores[position]
        self.position = position
        ramp = max([len(self.core.ramp_ppm), *(r.start_after + len(r.ramp_ppm) for r in self.core.rules)])
        last = run.world.rules.start + run.world.rules.horizon - 1
        self.last = min(last, self.core.end_year or last)
        self.years = range(self.core.start_year, self.last + 1)
        #: at full size, all rules included
        self.full = [y for y in self.years if y - self.core.start_year >= ramp - 1] or [self.last]
        self.rules = {rule.key: k + 1 for k, rule in enumerate(self.core.rules)}

    # -- one check ---------------------------------------------------------------------------------------------------

    def row(self, check: Any) -> dict[str, Any]:
        return {"programme": self.programme.name, **judged(check, self.found(check.name))}

    def found(self, name: str) -> dict[str, Any]:
        """An outcome, its rough error, the rows behind it, and why it has no value."""
        try:
            ours, rows = self.value(name)
        except _Unmeasured as reason:
            return {"ours": None, "error": None, "rows": 0, "why": str(reason)}
        return {"ours": ours, "error": abs(ours) / math.sqrt(rows) if rows > 0 else None, "rows": rows, "why": ""}

    def value(self, name: str) -> tuple[float, int]:
        """An outcome, and the rows of the sample behind it."""
        kind, *arguments = name.split(":")
        years = None
        if arguments and arguments[-1].isdecimal():
            years = [int(arguments.pop())]
            if years[0] not in self.years:
                raise _Unmeasured(f"the run has no {years[0]} with this programme")
        measure = getattr(self, f"_{kind}", None)
        if measure is not None:
            try:
                found: tuple[float, int] = measure(*arguments, years=years)
            except ZeroDivisionError:
                raise _Unmeasured("nobody of this sample was reached") from None
            return found
        if name not in OF_CENTRE:
            raise ParameterError([Problem(f"programme {self.programme.name}", "check", "a known name", name)])
        self._alone()
        moves = self.moves()
        rows = int(moves.persons[moves.effect == "avoided"].sum())
        if name == "dkg_lost_per_replaced_heavier":
            rows = self._lost(self.run, "dkg", self.after(self.years))[1]
        return centre(self.run.movements, self.run.class_changes, self.run.statements)[name], rows

    # -- what moved --------------------------------------------------------------------------------------------------

    @cached_property
    def _moves(self) -> Frame:
        rows = [
            (year, _core.effect_names[effect], category, count, claimed, persons, rule)
            for year, _, _, _, effect, category, count, _, claimed, persons, programme, rule in (
                self.run.outcome.movements
            )
            if programme == self.position
        ]
        return pd.DataFrame(rows, columns=["year", "effect", "category", "claims", "claimed", "persons", "rule"])

    def moves(self, years: Iterable[int] | None = None, rules: str | None = None, category: str | None = None) -> Frame:
        """Movements of this programme; ``rules`` as ``key+key``."""
        rows = self._moves
        if years is not None:
            rows = rows[rows.year.isin(list(years))]
        if rules is not None:
            rows = rows[rows.rule.isin([self._rule(key) for key in rules.split("+")])]
        if category is not None:
            rows = rows[rows.category.isin(_categories(category))]
        return rows

    def _rule(self, key: str) -> int:
        if key not in self.rules:
            raise ParameterError([Problem(f"programme {self.programme.name}", "check", "a rule of the file", key)])
        return self.rules[key]

    def _reached(self, rules: str, years: Iterable[int]) -> tuple[int, int]:
        """Claims that rules took or repriced, or, of a rule that adds, made; and rows."""
        moves = self.moves(years, rules)
        taken = moves[moves.effect.isin(["avoided", "repriced"])]
        if taken.empty:
            taken = moves[moves.effect == "added"]
        return int(taken.claims.sum()), int(taken.persons.sum())

    # -- the area without the programme --------------------------------------------------------------------------------

    def _here(self, rows: Frame, year: int) -> Frame:
        """Rows that the programme can reach: by place and insurer."""
        core = self.core
        handed = core.hand_over_year is not None and year >= core.hand_over_year
        places = core.hand_over_municipalities if handed else core.municipalities
        if places:
            rows = rows[rows.municipality.isin(places)]
        return rows[rows.insurer.isin(core.insurers)] if core.insurers else rows

    def claims(self, year: int) -> Frame:
        return self._here(claims(self.world, year), year)

    def target(self, year: int) -> frozenset[int]:
        """Persons of the first rule that says who."""
        for rule in self.core.rules:
            who = rule.who
            if who.min_age > 0 or who.max_age < 200 or who.sex or who.has or who.has_not:
                persons = selected(who, year, records(self.world, year), claims(self.world, year))
                if persons is not None:
                    return persons
        raise _Unmeasured("no rule says whom it is for")

    def insured_years(self, years: Iterable[int]) -> float:
        total = 0.0
        for year in years:
            rows = self._here(records(self.world, year), year)
            total += float((rows.days * rows.represents).sum()) / days_in(year)
        return total

    def _cost(self, category: str, years: Iterable[int], target: bool = False) -> float:
        """Claimed cents of the area without the programme."""
        total = 0
        for year in years:
            rows = self.claims(year)
            if target:
                rows = rows[rows.person.isin(self.target(year))]
            if category != "total":
                rows = rows[rows.category.isin(_categories(category))]
            if category == "pharmacy":
                rows = rows[~rows["product"].isin(hospital_drugs())]
            total += int((rows.claimed_cents.astype(np.int64) * rows.represents).sum())
        return total

    # -- care --------------------------------------------------------------------------------------------------------

    def _change(self, category: str, years: list[int], target: bool) -> tuple[float, int]:
        moves = self.moves(years, category=None if category == "total" else category)
        return 100 * float(moves.claimed.sum()) / self._cost(category, years, target), int(moves.persons.sum())

    def _category_change_pct(self, category: str, years: list[int] | None) -> tuple[float, int]:
        return self._change(category, years or self.full, False)

    def _target_change_pct(self, category: str, years: list[int] | None) -> tuple[float, int]:
        return self._change(category, years or self.full, True)

    def _claims_change_pct(self, rules: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        there = 0
        for year in years:
            rows = self.claims(year)
            take = np.zeros(len(rows), dtype=bool)
            for key in rules.split("+"):
                rule = self.core.rules[self._rule(key) - 1]
                persons = selected(rule.who, year, records(self.world, year), claims(self.world, year))
                if persons is None:
                    raise _Unmeasured("the rule asks for an onset")
                take |= matches(rule.claims, rows) & rows.person.isin(persons).to_numpy()
            there += int(rows.represents[take].sum())
        moves = self.moves(years, rules)
        moves = moves[moves.effect == "avoided"]
        return -100 * int(moves.claims.sum()) / there, int(moves.persons.sum())

    def _made(self, category: str, years: list[int], rules: str | None = None) -> Frame:
        moves = self.moves(years, rules, category)
        return moves[moves.effect.isin(["replacement", "added", "referred_on", "downstream"])]

    def _claims_added_per_1000(self, category: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        made = self._made(category, years)
        return 1000 * int(made.claims.sum()) / self.insured_years(years), int(made.persons.sum())

    def _category_added_per_insured_eur(self, category: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        made = self._made(category, years)
        return int(made.claimed.sum()) / 100 / self.insured_years(years), int(made.persons.sum())

    def _category_added_pct_of(self, category: str, of: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        moves = self.moves(years, category=category)
        return 100 * int(moves.claimed.sum()) / self._cost(of, years), int(moves.persons.sum())

    def _category_added_per_person_eur(self, category: str, rule: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        reached, rows = self._reached(rule, years)
        return int(self.moves(years, rule, category).claimed.sum()) / 100 / reached, rows

    def _hospital_saving_per_person_eur(self, rule: str, years: list[int] | None) -> tuple[float, int]:
        value, rows = self._category_added_per_person_eur("hospital", rule, years)
        return -value, rows

    def _net_cost_per_person_eur(self, rule: str, years: list[int] | None) -> tuple[float, int]:
        years = years or self.full
        reached, rows = self._reached(rule, years)
        return int(self.moves(years).claimed.sum()) / 100 / reached, rows

    def _mean_avoided_price_eur(self, years: list[int] | None) -> tuple[float, int]:
        moves = self.moves(years or self.years)
        avoided = moves[moves.effect == "avoided"]
        return -int(avoided.claimed.sum()) / 100 / int(avoided.claims.sum()), int(avoided.persons.sum())

    # -- classes -----------------------------------------------------------------------------------------------------

    def _alone(self) -> None:
        if len(self.run.programmes) > 1:
            raise _Unmeasured("several programmes at once")

    def _lost(self, run: Simulation, criterion: str, years: Iterable[int]) -> tuple[float, int]:
        """Insured years lost less won in the classes of a criterion, `none` apart; and rows."""
        layout = run.world.scheme.variable_layout
        if criterion not in {name for name, *_ in layout}:
            raise _Unmeasured(f"classes of {criterion} are not counted by a run")
        changes = run.class_changes
        changes = changes[(changes.criterion == criterion) & (changes.code > 0) & changes.year.isin(list(years))]
        rows = 0
        for year, _, column, _, _, persons in run.outcome.classes:
            name, offset, first, _ = next(row for row in reversed(layout) if column >= row[1])
            if name == criterion and column - offset + first > 0 and year in years:
                rows += persons
        return float((changes.years_lost - changes.years_won).sum()), rows

    def after(self, years: Iterable[int]) -> list[int]:
        """Equalization years whose classes look at the care of these years, in the run."""
        end = self.run.world.rules.start + self.run.world.rules.horizon - 1
        return sorted({y + 1 for y in years if y + 1 <= end})

    def _held(self, year: int, target: bool) -> Frame:
        """Insured of the area with their classes of a year, without the programme."""
        rows = _kept(self.world, ("classes", year), lambda: self.world.records(year))
        persons = set(self._here(records(self.world, year), year).person)
        if target:
            persons &= self.target(year - 1)
        rows = rows[rows.person.isin(persons)]
        if self.core.insurers:
            names = self.world.people.insurers
            rows = rows[rows.insurer.isin([names[code] for code in self.core.insurers])]
        return rows

    def _class_years(self, criterion: str, years: Sequence[int], target: bool) -> float:
        """Insured years in the classes of a criterion without the programme; several classes count each."""
        total = 0.0
        for year in years:
            rows = self._held(year, target)
            flags = [c for c in rows.columns if c.rpartition("_")[0] == criterion and c.rpartition("_")[2].isdecimal()]
            held = rows[flags].sum(axis=1) if flags else (rows[criterion] > 0).astype(int)
            total += float((held * rows.days * rows.represents).sum()) / days_in(year)
        return total

    def _class_change(self, criterion: str, years: list[int] | None, target: bool) -> tuple[float, int]:
        self._alone()
        after = self.after(years or self.full) or [self.last]
        if criterion.startswith("ggz_"):
            return self._worth_change(criterion, after, target)
        lost, rows = self._lost(self.run, criterion, after)
        return -100 * lost / self._class_years(criterion, after, target), rows

    def _worth_change(self, criterion: str, years: Sequence[int], target: bool) -> tuple[float, int]:
        """The same for mental care, whose classes a run counts in euros only: channel c1 of the criterion over what its
        classes are worth to insured of the area above the class `none`."""
        names = [row[0] for row in self.world.scheme.variable_layout] + [row[0] for row in self.world.scheme.ggz_layout]
        if criterion not in names:
            raise _Unmeasured(f"the model year has no {criterion}")
        cents = sum(
            sum(loss) + sum(gain)
            for year in self.run.years
            if year["year"] in years
            for index, loss, gain in year["criteria"]
            if names[index] == criterion
        )
        weights = {k.code: k.weight for c in self.world.model.ggz.criteria if c.name == criterion for k in c.classes}
        worth = 0.0
        for year in years:
            rows = self._held(year, target)
            none = weights.get(0, 0)
            for code, weight in weights.items():
                flag = f"{criterion}_{code}"
                has = rows[flag] > 0 if flag in rows else rows[criterion] == code if criterion in rows else None
                if code > 0 and has is not None:
                    days = float((rows.days * rows.represents)[has].sum())
                    worth += (weight - (0 if flag in rows else none)) / 1e4 * days / days_in(year)
        return 100 * cents / worth, 0

    def _class_change_pct(self, criterion: str, years: list[int] | None) -> tuple[float, int]:
        return self._class_change(criterion, years, False)

    def _target_class_change_pct(self, criterion: str, years: list[int] | None) -> tuple[float, int]:
        return self._class_change(criterion, years, True)

    def _class_lost_per_avoided(self, criterion: str, years: list[int] | None) -> tuple[float, int]:
        self._alone()
        after = self.after(years or self.years)
        lost, rows = self._lost(self.run, criterion, after)
        moves = self.moves([y - 1 for y in after])
        avoided = moves[moves.effect == "avoided"]
        return lost / int(avoided.claims.sum()), rows or int(avoided.persons.sum())

    def _class_lost_per_person(self, criterion: str, rules: str, years: list[int] | None) -> tuple[float, int]:
        self._alone()
        others = [key for key in self.rules if key not in rules.split("+")]
        run = self.run
        if others:
            only = self.programme.with_values(**{f"share.{key}": 0.0 for key in others})
            run = self.world.run(only, self.run.adoption, decompose=True)
        after = self.after(years or self.years)
        lost, rows = self._lost(run, criterion, after)
        alone = Measures(run, 0)
        reached, persons = alone._reached(rules, [y - 1 for y in after])
        return lost / reached, rows or persons


class _Unmeasured(Exception):
    """Why an outcome has no value in this run."""


def _categories(text: str) -> list[int]:
    if text == "pharmacy":
        text = "drugs"
    known = list(_core.Category.__members__)
    unknown = [name for name in text.split("+") if name not in known]
    if unknown:
        raise ParameterError([Problem("programme check", "category", "one of " + ", ".join(known), n) for n in unknown])
    return [known.index(name) for name in text.split("+")]
