"""One insured person, class by class: what the official weights pay the insurer, before and after a change."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from anderhalf.errors import AnderhalfError, DomainError, Problem, near_matches
from anderhalf.model import MICRO_PER_CENT, Criterion, Model, RiskClass, Share, load_model
from anderhalf.parameters import HOUSEHOLD_STATES, INCOME_SOURCES

if TYPE_CHECKING:
    import pandas as pd

Codes = int | str | Sequence[int | str]

_OPTIONAL = ("region", "ses", "nursing_region")  # left out unless given; the GGZ ones follow
_REFERENCE = INCOME_SOURCES.index("reference")
_OTHER = HOUSEHOLD_STATES.index("other")
_WLZ = (HOUSEHOLD_STATES.index("wlz_permanent"), HOUSEHOLD_STATES.index("wlz_entering"))
_FOLLOW = {"ggz_age_sex": "age_sex", "ggz_avi": "avi", "ggz_ses": "ses", "ggz_ppa": "ppa"}
_MORBIDITY = ("fkg", "dkg", "hkg", "mhk")  # what generic somatic morbidity (gsm, 2015) follows from
_MAX_AGE = 130


@dataclass(frozen=True, slots=True)
class ClassAmount:
    """What one class adds, in cents per insured year."""

    share: str
    criterion: str
    code: int
    label: str
    cents: int
    source: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion,
            "code": self.code,
            "label": self.label,
            "weight_eur": _eur(self.cents),
            "source": self.source,
            "share": self.share,
        }


@dataclass(frozen=True)
class Amounts:
    """The parts of a contribution in cents per insured year; they sum to ``contribution_cents``."""

    variable_cents: int
    ggz_cents: int
    administration_cents: int
    premium_cents: int
    own_payment_cents: int
    classes: tuple[ClassAmount, ...]
    own_payment_classes: tuple[ClassAmount, ...]
    nursing_cents: int | None = None  # None: no share of its own in that year
    historical_cents: tuple[tuple[str, int], ...] = ()  # 2012-2014: share and cents, instead of the variable share

    @property
    def contribution_cents(self) -> int:
        """Ex ante, before neutrality, without the fixed share."""
        return self.share_cents + self.administration_cents - self.premium_cents - self.own_payment_cents

    @property
    def share_cents(self) -> int:
        """The shares together, without the fixed share."""
        historical = sum(cents for _, cents in self.historical_cents)
        return self.variable_cents + historical + self.ggz_cents + (self.nursing_cents or 0)

    @property
    def variable_eur(self) -> float:
        return _eur(self.variable_cents)

    @property
    def ggz_eur(self) -> float:
        return _eur(self.ggz_cents)

    @property
    def expected_own_payment_eur(self) -> float:
        return _eur(self.own_payment_cents)

    @property
    def contribution_eur(self) -> float:
        return _eur(self.contribution_cents)

    def to_dict(self) -> dict[str, Any]:
        historical = {f"{name}_eur": _eur(cents) for name, cents in self.historical_cents}
        return {
            **(historical or {"variable_eur": self.variable_eur}),
            "ggz_eur": self.ggz_eur,
            **({} if self.nursing_cents is None else {"nursing_eur": _eur(self.nursing_cents)}),
            "administration_under_18_eur": _eur(self.administration_cents),
            "calculation_premium_eur": _eur(self.premium_cents),
            "expected_own_payment_eur": self.expected_own_payment_eur,
            "contribution_eur": self.contribution_eur,
            "classes": [row.to_dict() for row in self.classes],
            "own_payment_classes": [row.to_dict() for row in self.own_payment_classes],
        }

    def __sub__(self, other: Amounts) -> Amounts:
        """Class by class: what came is positive, what went is negative, what stayed is left out."""
        return Amounts(
            self.variable_cents - other.variable_cents,
            self.ggz_cents - other.ggz_cents,
            self.administration_cents - other.administration_cents,
            self.premium_cents - other.premium_cents,
            self.own_payment_cents - other.own_payment_cents,
            tuple(_changed(other.classes, self.classes)),
            tuple(_changed(other.own_payment_classes, self.own_payment_classes)),
            None if self.nursing_cents is None else self.nursing_cents - (other.nursing_cents or 0),
            tuple(
                (name, cents - was)
                for (name, cents), (_, was) in zip(self.historical_cents, other.historical_cents, strict=True)
            ),
        )


@dataclass(frozen=True)
class Explanation:
    """Class by class what the insurer receives for one person; with ``after`` also what a change does.

    Prints as a table. Attributes of ``before`` are reachable directly: ``explanation.variable_eur``.
    """

    model: Model
    sex: str
    age: int
    before: Amounts
    after: Amounts | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def difference(self) -> Amounts | None:
        return None if self.after is None else self.after - self.before

    @property
    def variable_eur(self) -> float:
        return self.before.variable_eur

    @property
    def ggz_eur(self) -> float:
        return self.before.ggz_eur

    @property
    def expected_own_payment_eur(self) -> float:
        return self.before.expected_own_payment_eur

    @property
    def contribution_eur(self) -> float:
        return self.before.contribution_eur

    @property
    def classes(self) -> tuple[ClassAmount, ...]:
        return self.before.classes

    def to_frame(self) -> pd.DataFrame:
        """The classes of ``before``, own payments too: ``share, criterion, code, label, weight_eur, source``."""
        import pandas as pd

        columns = ["share", "criterion", "code", "label", "weight_eur", "source"]
        rows = [*self.before.classes, *self.before.own_payment_classes]
        return pd.DataFrame([row.to_dict() for row in rows], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: the parts of one state, or ``before``, ``after`` and ``difference``."""
        stamp = {
            "anderhalf_version": _version(),
            "model": self.model.name,
            "parameters_sha256": self.model.parameters_sha256,
            "data_sha256": None,
            "seed": None,
            "sex": self.sex,
            "age": self.age,
        }
        if self.after is None or self.difference is None:
            amounts: dict[str, Any] = self.before.to_dict()
        else:
            amounts = {
                "before": self.before.to_dict(),
                "after": self.after.to_dict(),
                "difference": self.difference.to_dict(),
            }
        return stamp | amounts | {"left_out": list(self.left_out), "notes": list(self.notes)}

    def __str__(self) -> str:
        return "\n".join(_report(self))


def explain(
    model: Model | str,
    sex: str,
    age: int,
    classes: Mapping[str, Codes] | None = None,
    to: Mapping[str, Codes] | None = None,
) -> Explanation:
    """What the official weights pay for one insured person, class by class, with the source of every euro.

    Parameters
    ----------
    model : Model or str
        A model year, e.g. ``load_model("nl-2021")`` or its name.
    sex : {"m", "f"}
        ``"f"`` also for undetermined sex, as in the regulation.
    age : int
        Completed years on the reference date.
    classes : mapping, optional
        Criterion to class: a code in the order of the regulation's table, a key, or several of them where the
        regulation assigns several (``{"dkg": [1, 1], "fkg": [12]}``). For ``avi``, ``ses`` and ``ppa`` the group is
        enough (``{"avi": "student"}``). Default: "none", reference income, household ``other``; region and SES are
        left out.
    to : mapping, optional
        The criteria that change, with their class afterwards.

    Returns
    -------
    Explanation
        Euros per insured year, ex ante, before neutrality and without the fixed share.

    Raises
    ------
    DomainError
        Unknown criterion or class, or a class that this person cannot have; all of them at once.

    Examples
    --------
    >>> change = explain("nl-2021", sex="m", age=42, classes={"mhk": 1}, to={"mhk": 0}).difference
    >>> change.variable_eur, change.expected_own_payment_eur, change.contribution_eur
    (-765.02, -92.1, -672.92)
    """
    if isinstance(model, str):
        model = load_model(model)
    model.require_weights("explain")
    problems = list(_person_problems(sex, age))
    if problems:
        raise DomainError(problems)
    given = {name: _as_list(codes) for name, codes in (classes or {}).items()}
    changed = {name: _as_list(codes) for name, codes in (to or {}).items()}
    before = _Person(model, sex, age, given)
    after = _Person(model, sex, age, given | changed) if to is not None else None
    problems = [*before.problems, *(after.problems if after else [])]
    if problems:
        raise DomainError(list(dict.fromkeys(problems)))
    notes = [*before.notes, *(after.notes if after else [])]
    return Explanation(
        model=model,
        sex=sex,
        age=age,
        before=before.amounts(),
        after=after.amounts() if after else None,
        left_out=tuple(_left_out(model, age, given | changed)),
        notes=tuple(dict.fromkeys(notes)),
    )


def patient(
    model: str,
    sex: str,
    age: int,
    classes: Iterable[str] = (),
    to: Iterable[str] | None = None,
    json: bool = False,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """The command ``anderhalf patient``: ``criterion=class`` texts in, a table or one JSON object out.

    A criterion may be named several times. Returns the exit status: 0 done, 1 refused input (the reason on ``err``).
    """
    out, err = out or sys.stdout, err or sys.stderr
    try:
        after = None if to is None else _parsed(to, "--to")
        explanation = explain(model, sex, age, _parsed(classes, "--class"), after or None)
    except AnderhalfError as error:
        print(error, file=err)
        return 1
    print(json_.dumps(explanation.to_dict(), ensure_ascii=False, indent=2) if json else explanation, file=out)
    return 0


def _parsed(options: Iterable[str], option: str) -> dict[str, list[str]]:
    classes: dict[str, list[str]] = {}
    problems = []
    for text in options:
        name, equals, code = (part.strip() for part in text.partition("="))
        if not (name and equals and code):
            problems.append(Problem(f"patient: {option}", "not a criterion and a class", "such as mhk=1", text))
        classes.setdefault(name, []).append(code)
    if problems:
        raise DomainError(problems)
    return classes


def _person_problems(sex: object, age: object) -> Iterator[Problem]:
    if sex not in ("m", "f"):
        yield Problem("explain: sex", "unknown", "m or f", str(sex))
    if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= _MAX_AGE:
        yield Problem("explain: age", "not an age", f"a whole number in 0..{_MAX_AGE}", str(age))


def _as_list(codes: Codes) -> list[int | str]:
    return [codes] if isinstance(codes, (int, str)) else list(codes)


class _Person:
    """The classes of one person per share, with everything that is wrong with what was asked."""

    def __init__(self, model: Model, sex: str, age: int, given: Mapping[str, list[int | str]]) -> None:
        self.model, self.age = model, age
        self.sex = 1 if sex == "m" else 2
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.chosen: dict[str, list[RiskClass]] = {}
        self._refuse_unknown(given)
        shares = [model.variable, *model.historical, *([model.ggz] if age >= model.adult_age else []), model.nursing]
        for share in shares:
            for criterion in share.criteria:
                if criterion.name not in self.chosen:  # shares of one annex give one class weights of their own
                    self._choose(criterion, given.get(criterion.name))
        if age < model.adult_age:
            for name in given:
                if name.startswith("ggz_"):
                    self._problem(name, f"holds from age {model.adult_age}", got=f"age {age}")
        self._check_special(given)

    def _problem(self, name: str, what: str, expected: str = "", got: str = "") -> None:
        self.problems.append(Problem(f"explain: {name}", what, expected, got))

    def _refuse_unknown(self, given: Mapping[str, list[int | str]]) -> None:
        shares = (self.model.variable, *self.model.historical, self.model.ggz, self.model.nursing)
        known = list(dict.fromkeys(c.name for share in shares for c in share.criteria))
        for name, codes in given.items():
            if name in _FOLLOW:
                self._problem(name, f"follows from {_FOLLOW[name]}", f"{_FOLLOW[name]} instead")
            elif name == "gsm" and name in known:
                self._problem(name, f"follows from {', '.join(_MORBIDITY)}", "those instead")
            elif name not in known:
                near = [one for one in known if one.startswith(f"{name}_")] or near_matches(name, known)
                self._problem(name, "unknown criterion", f"one of {', '.join(near or known)}")
            elif not codes:
                self._problem(name, "no class given")

    def _choose(self, criterion: Criterion, codes: list[int | str] | None) -> None:
        name = criterion.name
        if name in _FOLLOW:
            self.chosen[name] = self._same_group(criterion, _FOLLOW[name])
        elif name == "gsm":
            group = 2 if self._flagged(_MORBIDITY) else 1
            self.chosen[name] = [row for row in criterion.classes if self._fits(row) and row.group == group]
        elif codes is None:
            self.chosen[name] = self._default(criterion)
        else:
            self.chosen[name] = self._given(criterion, codes)

    def _flagged(self, criteria: Iterable[str]) -> bool:
        return any(row.key != "none" for name in criteria for row in self.chosen.get(name, []))

    def _fits(self, row: RiskClass) -> bool:
        return row.sex in (0, self.sex) and row.age_min <= self.age <= row.age_max

    def _same_group(self, criterion: Criterion, of: str) -> list[RiskClass]:
        """The class of a derived criterion for the group of the criterion that was given."""
        groups = [row.group for row in self.chosen.get(of, [])]
        return [row for row in criterion.classes if groups and self._fits(row) and row.group == groups[0]]

    def _default(self, criterion: Criterion) -> list[RiskClass]:
        base = criterion.name.removeprefix("ggz_")
        if base in _OPTIONAL:
            return []
        fitting = [row for row in criterion.classes if self._fits(row)]
        if base == "under_18":
            return fitting
        if base == "age_sex":
            if len(fitting) > 1:
                options = " or ".join(f"age_sex={row.code} ({row.label})" for row in fitting)
                self._problem("age_sex", f"age {self.age} has {len(fitting)} classes", options)
            return fitting[:1]
        if base == "avi":
            return [row for row in fitting if row.group in (0, _REFERENCE)]
        if base == "ppa":
            return [row for row in fitting if row.group in (0, _OTHER)]
        return [criterion.by_code(0)]

    def _given(self, criterion: Criterion, codes: list[int | str]) -> list[RiskClass]:
        name = criterion.name
        found = [row for row in (self._find(criterion, code) for code in codes) if row is not None]
        for row in found:
            if not self._fits(row):
                valid = ", ".join(str(r.code) for r in criterion.classes if self._fits(r))
                self._problem(name, f"class {row.code} ({row.label}) is not for this age and sex", f"one of {valid}")
        if len(found) > 1 and criterion.assignment == "single":
            self._problem(name, "one class per person", self._highest(name), ", ".join(map(str, codes)))
        if len(found) > 1 and any(row.key == "none" for row in found):
            self._problem(name, "none together with another class", got=", ".join(map(str, codes)))
        if criterion.assignment == "all":
            if len({row.code for row in found}) < len(found):
                self._problem(name, "a class counts once", got=", ".join(map(str, codes)))
            found = self._without_excluded(criterion, found)
        return sorted(found, key=lambda row: row.code)

    def _highest(self, name: str) -> str:
        articles = [row.article for row in self.model.law.assignment.criterion if row.name == name]
        return "the highest one (art. 9(1))" if any("9(1)" in text for text in articles) else "the highest one"

    def _without_excluded(self, criterion: Criterion, found: list[RiskClass]) -> list[RiskClass]:
        have = {row.code: row for row in found}
        dropped = {pair.drop: pair.keep for pair in criterion.exclusions if {pair.keep, pair.drop} <= have.keys()}
        for drop, keep in sorted(dropped.items()):
            kept = f"class {keep} ({have[keep].label})"
            self.notes.append(f"{criterion.name} class {drop} ({have[drop].label}) is not assigned beside {kept}.")
        return [row for row in found if row.code not in dropped]

    def _find(self, criterion: Criterion, code: int | str) -> RiskClass | None:
        last = criterion.first_code + len(criterion.classes) - 1
        text = str(code).strip()
        if not isinstance(code, bool) and text.isascii() and text.removeprefix("-").isdecimal():
            if criterion.first_code <= int(text) <= last:
                return criterion.by_code(int(text))
        else:
            for row in criterion.classes:
                if text == row.key:
                    return row
            for row in criterion.classes:
                if row.group and self._fits(row) and row.key.startswith(f"{text}_"):
                    return row
        near = near_matches(text, [row.key for row in criterion.classes]) if not text.isdecimal() else []
        expected = f"one of {', '.join(near)}" if near else f"{criterion.first_code}..{last}"
        self._problem(criterion.name, f"unknown class {text!r}", expected)
        return None

    def _check_special(self, given: Mapping[str, list[int | str]]) -> None:
        """Residents of a Wlz institution and the highest GGZ-DKGs (2021: art. 9(7) and 9(8))."""
        model, chosen, rules = self.model, self.chosen, self.model.law.assignment.special
        resident = any(row.group in _WLZ for row in chosen.get("ppa", []))
        if rule := rules.wlz_no_mvv_from_age:
            exempt = resident and self.age >= model.wlz_no_mvv_from_age
            if exempt and self._flagged(["mvv"]):
                who = "an adult" if model.wlz_no_mvv_from_age == model.adult_age else "an insured person"
                self._problem("mvv", f"{who} in a Wlz institution has no MVV class (art. {rule.article})", "mvv=0")
        higher_ses = "ses" in given and any(row.group != 1 for row in chosen.get("ses", []))
        if (ses := rules.wlz_lowest_ses) and resident and model.wlz_lowest_ses and higher_ses:
            what = f"a resident of a Wlz institution is in group 1 (art. {ses.article})"
            self._problem("ses", what, "ses=very_low")
        mental = self._flagged(["ggz_dkg"])
        for row in chosen.get("ggz_low_threshold", []):  # 2014: two classes above the threshold
            if (row.key == "above_without_dkg" and mental) or (row.key == "above_with_dkg" and not mental):
                which = "without" if mental else "with"
                self._problem(
                    "ggz_low_threshold",
                    f"class {row.code} is {which} a GGZ-DKG",
                    got=f"one {'with' if mental else 'without'}",
                )
        limit = model.lowest_ses_from_ggz_dkg
        intensive = any(row.code >= limit for row in chosen.get("ggz_dkg", []))
        if (care := rules.lowest_ses_from_ggz_dkg) and higher_ses and intensive:
            self._problem("ses", f"with GGZ-DKG {limit} or higher in group 1 (art. {care.article})", "ses=very_low")

    @property
    def morbid(self) -> bool:
        """Adults whose expected own payment is the forfait (2021: art. 8(2) and 8(4))."""
        from_mhk = self.model.forfait_from_mhk
        high_cost = from_mhk > 0 and any(row.code >= from_mhk for row in self.chosen["mhk"])
        return high_cost or self._flagged(self.model.morbidity_criteria)

    def amounts(self) -> Amounts:
        adult = self.age >= self.model.adult_age
        variable = list(self._rows(self.model.variable))
        ggz = list(self._rows(self.model.ggz)) if adult else []
        own = list(self._own_payment()) if adult else []
        nursing = list(self._nursing())
        historical = {share.name: list(self._same_classes(share)) for share in self.model.historical}
        return Amounts(
            variable_cents=sum(row.cents for row in variable),
            ggz_cents=sum(row.cents for row in ggz),
            administration_cents=0 if adult else self.model.administration_under_18,
            premium_cents=self.model.calculation_premium if adult else 0,
            own_payment_cents=sum(row.cents for row in own),
            classes=(*variable, *(row for rows in historical.values() for row in rows), *ggz, *nursing),
            own_payment_classes=tuple(own),
            nursing_cents=sum(row.cents for row in nursing) if self.model.nursing.criteria else None,
            historical_cents=tuple((name, sum(row.cents for row in rows)) for name, rows in historical.items()),
        )

    def _same_classes(self, share: Share) -> Iterator[ClassAmount]:
        """Rows of a share with the classes of another share of the same annex."""
        for criterion in share.criteria:
            for row in self.chosen[criterion.name]:
                yield _amount(share.name, criterion.name, criterion.by_code(row.code))

    def _rows(self, share: Share) -> Iterator[ClassAmount]:
        for criterion in share.criteria:
            for row in self.chosen[criterion.name]:
                yield _amount(share.name, criterion.name, row)

    def _own_payment(self) -> Iterator[ClassAmount]:
        if self.morbid:
            deductible = self.model.law.premium_and_deductible.deductible
            source = f"{self.model.law.source.title}, art. {deductible.forfait.article}"
            yield ClassAmount("deductible", "forfait", 0, "Forfait", self.model.forfait, source)
            return
        yield from self._other_share(self.model.deductible)

    def _nursing(self) -> Iterator[ClassAmount]:
        yield from self._other_share(self.model.nursing)

    def _other_share(self, share: Share) -> Iterator[ClassAmount]:
        """Rows of a share that gives the classes of other shares weights of its own."""
        for criterion in share.criteria:
            if criterion.name == "age_sex":
                rows = [row for row in criterion.classes if self._fits(row)]
            elif criterion.name == "mhk":
                codes = {row.code for row in self.chosen["mhk"]}
                rows = [row for row in criterion.classes if row.code in codes and self._fits(row)]
            else:
                rows = self._same_group(criterion, criterion.name)
            yield from (_amount(share.name, criterion.name, row) for row in rows)


def _amount(share: str, criterion: str, row: RiskClass) -> ClassAmount:
    cents, rest = divmod(row.weight, MICRO_PER_CENT)
    if rest:
        raise DomainError(
            Problem(f"explain: {criterion} {row.key}", "not a weight in whole cents", got=str(row.weight))
        )
    return ClassAmount(share, criterion, row.code, row.label, cents, row.source)


def _changed(before: Sequence[ClassAmount], after: Sequence[ClassAmount]) -> Iterator[ClassAmount]:
    gone, come = list(before), []
    for row in after:
        if row in gone:
            gone.remove(row)
        else:
            come.append(row)
    for row in gone:
        yield ClassAmount(row.share, row.criterion, row.code, row.label, -row.cents, row.source)
    yield from come


def _left_out(model: Model, age: int, given: Mapping[str, list[int | str]]) -> Iterator[str]:
    names = ["region", "ses"] + (["ggz_region"] if age >= model.adult_age else [])
    for criterion in model.nursing.criteria:
        if criterion.name in _OPTIONAL and any(row.age_min <= age <= row.age_max for row in criterion.classes):
            names.append(criterion.name)
    if missing := [name for name in names if name not in given]:
        yield f"{', '.join(missing)}: not given, so nothing is added for it"
    fixed = f"fixed care: EUR {model.macro_fixed / 100_000_000:,.1f} million"
    if model.nursing.criteria or model.historical:
        yield f"{fixed} by historical cost per insurer, settled at 100%, so no difference moves"
    else:
        yield (
            f"{fixed} divided by the national number of insured, which the regulation does not print; "
            "the same amount for everyone and settled at 100%, so no difference moves"
        )
    steps = ["neutrality per criterion", "the flat step"]
    steps += ["weights of its own"] if any(share.criteria for share in model.ex_post) else []
    steps += ["high-cost compensation"] if model.high_cost else []
    steps += ["bandwidth"] if model.bandwidth else []
    steps += ["factors on normative amounts"] if model.law.settlement.normative_factor else []
    yield f"settlement afterwards: {', '.join(steps)}"


def _eur(cents: int) -> float:
    return cents / 100


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("anderhalf")
    except PackageNotFoundError:
        return "0+tree"


def _number(cents: int | None) -> str:
    return "" if cents is None else f"{cents / 100:,.2f}"


def _report(explanation: Explanation) -> Iterator[str]:
    before, after = explanation.before, explanation.after
    person = f"{'man' if explanation.sex == 'm' else 'woman'} of {explanation.age}"
    yield f"{explanation.model.name} ({explanation.model.source}): {person}, EUR per insured year"
    yield ""
    rows = list(_table(before, after))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if 2 <= column <= 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        if after is None:
            del cells[3:5]
        yield "  ".join(cells).rstrip()
    yield ""
    yield _sentence(explanation, person)
    yield "Not in these amounts:"
    yield from (f"- {text}." for text in explanation.left_out)
    yield from (f"Note: {note}" for note in explanation.notes)


def _table(before: Amounts, after: Amounts | None) -> Iterator[tuple[str, str, str, str, str, str]]:
    def line(name: str, label: str, old: int | None, new: int | None, source: str = "") -> tuple[str, ...]:
        change = (new or 0) - (old or 0)
        return name, label, _number(old), _number(new), _number(change) if change else "", source

    def group(old: Sequence[ClassAmount], new: Sequence[ClassAmount] | None) -> Iterator[tuple[str, ...]]:
        rest = list(new) if new is not None else []
        merged: list[tuple[ClassAmount, int | None, int | None]] = []
        for row in old:
            if row in rest:
                rest.remove(row)
                merged.append((row, row.cents, row.cents))
            else:
                merged.append((row, row.cents, None))
        merged += [(row, None, row.cents) for row in rest]
        order = {row.criterion: index for index, row in reversed(list(enumerate([*old, *(new or [])])))}
        merged.sort(key=lambda item: order[item[0].criterion])
        for row, was, will in merged:
            name = f"  {row.criterion} {row.code}" if row.criterion != "forfait" else "  forfait"
            yield line(name, row.label, was, will, row.source.partition(", ")[2])

    def of(amounts: Amounts | None, share: str) -> list[ClassAmount] | None:
        return None if amounts is None else [row for row in amounts.classes if row.share == share]

    def total(name: str, field: str) -> tuple[str, ...]:
        return line(name, "", getattr(before, field), None if after is None else getattr(after, field))

    lines: list[tuple[str, ...]] = [("", "", "before" if after else "EUR", "after", "difference", "source")]
    for share, title in _shares(before):
        if classes := list(group(of(before, share) or [], of(after, share))):
            old, new = _cents_of(before, share), None if after is None else _cents_of(after, share)
            lines += [*classes, line(title, "", old, new)]
    new_own = None if after is None else after.own_payment_classes
    if own := list(group(before.own_payment_classes, new_own)):
        lines += [*own, total("expected own payment", "own_payment_cents")]
    lines += [total("calculation premium", "premium_cents")] if before.premium_cents else []
    lines += [total("administration under 18", "administration_cents")] if before.administration_cents else []
    lines.append(total("contribution", "contribution_cents"))
    yield from ((a, b, c, d, e, f) for a, b, c, d, e, f in lines)


_TITLES = {
    "variable": "variable share",
    "free_segment": "free segment",
    "hospital_variable": "variable hospital care",
    "medical_specialist": "medical-specialist care",
    "other_care": "other care",
    "ggz_under_18": "GGZ share below 18",
    "ggz": "GGZ share",
    "nursing": "nursing share",
}


def _shares(amounts: Amounts) -> Iterator[tuple[str, str]]:
    """Name and title of the shares of the year, in the order of the law."""
    names = [name for name, _ in amounts.historical_cents] or ["variable"]
    names += ["ggz"] + (["nursing"] if amounts.nursing_cents is not None else [])
    return ((name, _TITLES[name]) for name in names)


def _cents_of(amounts: Amounts, share: str) -> int:
    cents: int | None = dict(amounts.historical_cents).get(share, getattr(amounts, f"{share}_cents", None))
    return cents or 0


def _sentence(explanation: Explanation, person: str) -> str:
    before, difference = explanation.before, explanation.difference
    child = explanation.age < explanation.model.adult_age
    titles = [title for name, title in _shares(before) if not (name == "ggz" and child)]
    if not child:
        titles = [title for title in titles if title != _TITLES["ggz_under_18"]]
    parts = " + ".join(titles) + (" + administration" if child else " - expected own payment - calculation premium")
    if difference is None:
        cents = before.contribution_cents
        if cents >= 0:
            meaning = f"the insurer receives EUR {_number(cents)} from the fund for this {person}"
        else:
            meaning = f"the insurer pays EUR {_number(-cents)} of its premium into the fund for this {person}"
        return f"Contribution = {parts}: {meaning}."
    change = difference.contribution_cents
    if change == 0:
        return f"Contribution = {parts}: the change moves nothing for this {person}."
    direction = "less" if change < 0 else "more"
    amount = f"EUR {_number(abs(change))} {direction}"
    text = f"Contribution = {parts}: the insurer receives {amount} for this {person} each year"
    if own := difference.own_payment_cents:
        shares = difference.share_cents
        moved = "lower" if own < 0 else "higher"
        return f"{text}: {_signed(shares)} in the shares, with EUR {_number(abs(own))} {moved} expected own payments."
    return f"{text}; the expected own payment stays the same."


def _signed(cents: int) -> str:
    return f"{'+' if cents > 0 else '-' if cents < 0 else ''}EUR {_number(abs(cents))}"
