"""Programmes as data: who is reached, what is replaced by what, and at which price.

A programme file holds rules on claims and conditions only. It has no key that names a criterion, a class, a weight or
an own payment: what happens to those follows from the claims.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.errors import NotFoundError, ParameterError, Problem, near_matches

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Euro = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    """A table of the file: no other keys, and everything that is wrong with it said at once."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """What does not go together in a table as written: (key, what is expected)."""
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, given: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        wrong: list[InitErrorDetails] = []

        def add(where: tuple[Any, ...], kind: str, text: str, value: Any) -> None:
            what = PydanticCustomError("programme", "{text}", {"text": text, "kind": kind})
            wrong.append(InitErrorDetails(type=what, loc=where, input=value))

        result = None
        try:
            result = handler(given)
        except ValidationError as error:
            for e in error.errors():
                add(e["loc"], e.get("ctx", {}).get("kind", e["type"]), e["msg"], e["input"])
        if isinstance(given, Mapping):
            known = [f.alias or name for name, f in cls.model_fields.items()]
            for key in given:
                if key not in known:
                    add((str(key),), "unknown", _unknown(str(key), known), given[key])
            for where, text in cls.misfits(given):
                add(where, "misfit", text, "")
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return result


FORBIDDEN = ("class", "classes", "criterion", "criteria", "weight", "weights", "own_payment", "deductible", "forfait")
CRITERIA = (
    "age_sex",
    "fkg",
    "dkg",
    "hkg",
    "avi",
    "region",
    "ses",
    "ppa",
    "mhk",
    "fdg",
    "mvv",
    "gsm",
    "hsm",
    "mfk",
    "ibz",
    "sei",
)


def _unknown(key: str, known: Sequence[str]) -> str:
    if key.lower().removesuffix("_loss") in (*FORBIDDEN, *CRITERIA):
        return "nothing: rules act on claims, and classes, weights and own payments follow from them"
    near = near_matches(key, known)
    return f"{' or '.join(near)}, or nothing" if near else f"one of {', '.join(known)}"


def _value(given: Mapping[str, Any], key: str) -> Any:
    """The value of a tagged entry as written; None when there is none."""
    entry = given.get(key)
    return entry.get("value") if isinstance(entry, Mapping) else None


class _Tagged(_Strict):
    """A value with where it comes from: a source, a derivation, or a reason of ours."""

    unit: str = ""
    range: tuple[float, float] | None = None
    tag: Literal["sourced", "derived", "assumption"]
    source: str = ""
    reason: str = ""

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        tag = given.get("tag")
        if tag == "assumption" and not given.get("reason"):
            yield ("reason",), "why you assume it, for its tag is assumption"
        if tag in ("sourced", "derived") and not given.get("source"):
            yield ("source",), f"where it comes from, for its tag is {tag}"
        if isinstance(r := given.get("range"), list | tuple) and len(r) == 2:
            value = given.get("value")
            if not _ordered(*r):
                yield ("range",), "[lowest, highest]"
            elif not (_ordered(r[0], value) and _ordered(value, r[1])):
                yield ("range",), f"[lowest, highest], with the value between them: {value}"
            elif any(not cls._possible(end) for end in r):
                yield ("range",), "ends that the value could take"

    @classmethod
    def _possible(cls, value: Any) -> bool:
        """Whether the value of such an entry could be this."""
        try:
            cls.model_validate({"value": value, "tag": "assumption", "reason": "an end of the range"})
        except ValidationError:
            return False
        return True


def _ordered(low: Any, high: Any) -> bool:
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    return not numbers or low <= high


class TaggedShare(_Tagged):
    value: Share


class TaggedFactor(_Tagged):
    value: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class TaggedEuro(_Tagged):
    value: Euro


class TaggedYear(_Tagged):
    value: int


class TaggedYears(_Tagged):
    value: Annotated[int, Field(ge=0, le=100)]


class TaggedRamp(_Tagged):
    value: tuple[Share, ...] = Field(min_length=1)


class TaggedTitle(_Tagged):
    value: Literal["gp_care", "specialist_care", "designated"]


class Head(_Strict):
    name: str
    title: str
    title_nl: str = ""
    id: int = Field(ge=1, le=0x7FFF_FFFF_FFFF_FFFF)
    region: str
    hand_over_region: str = ""
    paid_to: Literal[
        "",
        "hospitals",
        "one_and_a_half_line_providers",
        "gps_and_others",
        "pharmacies",
        "nursing_providers",
        "rehabilitation_providers",
        "short_stay_providers",
        "mental_care_providers",
        "municipality",
    ] = ""
    line: str = ""
    themes: tuple[str, ...] = ()


class Values(_Strict):
    start_year: TaggedYear
    ramp: TaggedRamp
    patients_share: TaggedShare | None = None
    added_demand: TaggedShare | None = None
    consult_share: TaggedShare | None = None
    price: TaggedEuro | None = None
    payment_title: TaggedTitle | None = None
    pass_through: TaggedShare
    running_cost_eur: TaggedEuro | None = None
    running_cost_per_insured_eur: TaggedEuro | None = None
    investment_eur: TaggedEuro
    avoidable_share: TaggedShare
    end_year: TaggedYear | None = None
    hand_over_year: TaggedYear | None = None

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        if ("running_cost_eur" in given) == ("running_cost_per_insured_eur" in given):
            yield ("running_cost_eur",), "either running_cost_eur or running_cost_per_insured_eur"
        for key in ("end_year", "hand_over_year"):
            if _value(given, key) is not None and not _ordered(_value(given, "start_year"), _value(given, key)):
                yield (key,), f"start_year ({_value(given, 'start_year')}) or later"


CENTRE = ("patients_share", "added_demand", "consult_share", "price", "payment_title")
_Code = Annotated[int, Field(ge=0, le=0xFFFF)]
_Product = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
_Cents = Annotated[float, Field(ge=0, le=21_474_836, allow_inf_nan=False)]
_Category = Literal[
    "transport", "gp", "paramedical", "drugs", "obstetric", "maternity", "devices", "dental", "chain_care",
    "hospital", "diagnostics", "grz", "sensory", "nursing", "elv", "ggz", "other", "one_and_a_half_line",
]  # fmt: skip


def _pair(pair: tuple[int, int]) -> tuple[int, int]:
    if pair[0] > pair[1]:
        raise ValueError("first and last care product, the lower one first")
    return pair


_Products = tuple[Annotated[tuple[_Product, _Product], AfterValidator(_pair)], ...]


class LineFile(_Strict):
    specialty: str
    specialism: int = Field(ge=1, le=65535)
    diagnoses: tuple[_Code, ...] = Field(min_length=1)
    care_products: _Products = ()
    refer_on: TaggedShare


class SelectorFile(_Strict):
    """Which claims: those that meet every part; what is left out stands for any."""

    category: tuple[_Category, ...] = ()
    specialism: tuple[_Code, ...] = ()
    diagnosis: tuple[_Code, ...] = ()
    care_products: _Products = ()
    consult: StrictBool | None = None
    min_eur: _Cents = 0
    max_eur: _Cents | None = None

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        if not _ordered(given.get("min_eur"), given.get("max_eur")):
            yield ("min_eur",), "max_eur or less"

    def core(self) -> Any:
        s = _core.Selector()
        s.categories = [getattr(_core.Category, name) for name in self.category]
        s.specialisms, s.diagnoses, s.products = list(self.specialism), list(self.diagnosis), list(self.care_products)
        s.consult = {None: _core.Consult.any, True: _core.Consult.yes, False: _core.Consult.no}[self.consult]
        s.min_cents = _cents(self.min_eur)
        if self.max_eur is not None:
            s.max_cents = _cents(self.max_eur)
        return s


class WhoFile(_Strict):
    """Which persons, by age on 1 January, sex, and claims of the same year; ``onset``: those new in a condition."""

    min_age: int = Field(default=0, ge=0, le=200)
    max_age: int = Field(default=200, ge=0, le=200)
    sex: Literal["", "m", "f"] = ""
    has: SelectorFile | None = None
    has_not: SelectorFile | None = None
    onset: SelectorFile | None = None

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        if not _ordered(given.get("min_age"), given.get("max_age")):
            yield ("min_age",), "max_age or less"

    def core(self) -> Any:
        who = _core.Who()
        who.min_age, who.max_age, who.sex = self.min_age, self.max_age, ("", "m", "f").index(self.sex)
        who.has, who.has_not, who.onset = (s.core() if s else None for s in (self.has, self.has_not, self.onset))
        return who


class WithFile(_Strict):
    """A claim that follows."""

    category: _Category
    price: TaggedEuro
    probability: TaggedShare | None = None
    title: Literal["gp_care", "specialist_care", "designated"] = "gp_care"
    effect: Literal["replacement", "added", "downstream"] | None = None
    specialism: _Code = 0
    diagnosis: _Code = 0
    care_product: _Product = 0
    consult: StrictBool = False
    ddd: _Code = 0


ACTS = {"avoid": "downstream", "reprice": "downstream", "replace": "replacement", "add": "added"}


class RuleFile(_Strict):
    """A rule on claims: which, of whom, what happens to them, in which share."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    act: Literal["avoid", "reprice", "replace", "add"]
    per: Literal["claim", "person"] = "claim"
    share: TaggedShare
    factor: TaggedFactor | None = None
    ddd_factor: TaggedFactor | None = None
    start_after: TaggedYears | None = None
    ramp: TaggedRamp | None = None
    claims: SelectorFile = SelectorFile()
    who: WhoFile = WhoFile()
    with_: tuple[WithFile, ...] = Field(default=(), alias="with")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        act = given.get("act")
        changes = [key for key in ("factor", "ddd_factor") if key in given]
        if act == "reprice" and not changes:
            yield ("factor",), "a factor on the price, a ddd_factor, or both, for the act is reprice"
        if act in ("avoid", "replace", "add"):
            for key in changes:
                yield (key,), f"nothing: it belongs to reprice, and the act is {act}"
        if act in ("replace", "add") and not given.get("with"):
            yield ("with",), f"[[rule.with]]: the claims that it makes, for the act is {act}"
        if act in ("avoid", "reprice", "replace") and not given.get("claims"):
            yield ("claims",), f"[rule.claims]: the claims that it acts on, for the act is {act}"


CONTRACTS = {
    "fee": ("pass_through",),
    "ceiling": ("over_ceiling",),
    "lump_sum": ("pass_through",),
    "price_rebase": ("pass_through", "rebase_share", "rebase_years"),
}


class ContractFile(_Strict):
    """How an insurer pays the hospital of the area when production falls."""

    hospital: str
    insurer: str
    kind: Literal["fee", "ceiling", "lump_sum", "price_rebase"]
    pass_through: TaggedShare | None = None
    over_ceiling: TaggedShare | None = None
    rebase_share: TaggedShare | None = None
    rebase_years: TaggedYears | None = None
    from_year: int
    to_year: int

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        if (kind := given.get("kind")) in CONTRACTS:
            for key in CONTRACTS[kind]:
                if key not in given:
                    yield (key,), f"a value, for the kind is {kind}"
            for key in sorted({key for keys in CONTRACTS.values() for key in keys} - set(CONTRACTS[kind])):
                if key in given:
                    yield (key,), f"nothing: it has no meaning in a contract of the kind {kind}"
        if not _ordered(given.get("from_year"), given.get("to_year")):
            yield ("from_year",), "to_year or earlier"
        if _value(given, "rebase_years") == 0:
            yield ("rebase_years", "value"), "1 or more"


class Check(_Strict):
    """A published outcome, printed beside ours and never fed in; why ours lies outside the range when it does."""

    name: str
    value: float
    range: tuple[float, float]
    source: str
    explanation: str = ""


class Evidence(_Strict):
    """What is known about a programme, also without a figure; shown on its page."""

    what: str
    figure: str = ""
    source: str


class DownstreamFile(_Strict):
    category: _Category
    price: TaggedEuro
    probability: TaggedShare


class ProgrammeFile(_Strict):
    programme: Head
    value: Values
    line: tuple[LineFile, ...] = ()
    rule: tuple[RuleFile, ...] = ()
    contract: tuple[ContractFile, ...] = ()
    downstream: tuple[DownstreamFile, ...] = ()
    check: tuple[Check, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        lines, rules, value, head = (given.get(key) for key in ("line", "rule", "value", "programme"))
        value = value if isinstance(value, Mapping) else {}
        if not lines and not rules:
            yield ("rule",), "at least one [[rule]], or a [[line]] of a centre"
        for key in CENTRE:
            if lines and key not in value:
                yield ("value", key), "a value, for the file has a [[line]]"
            if not lines and key in value:
                yield ("value", key), "nothing: only a centre, with [[line]], uses it"
        if not lines and given.get("downstream"):
            yield ("downstream",), "nothing: only a centre, with [[line]], uses it; a rule has [[rule.with]]"
        keys = [rule.get("key") for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else []
        for key in sorted({str(key) for key in keys if key is not None and keys.count(key) > 1}):
            yield ("rule", key, "key"), "another key for each rule"
        later = isinstance(head, Mapping) and bool(head.get("hand_over_region"))
        if later and "hand_over_year" not in value:
            yield ("value", "hand_over_year"), "the year from which hand_over_region is the area"
        if not later and "hand_over_year" in value:
            yield ("programme", "hand_over_region"), "the area from hand_over_year on"


PARTS = ("consult", "heavier", "added")


@dataclass(frozen=True)
class Programme:
    """One intervention, validated. Change a value with :meth:`with_values`; the file stays what it is."""

    file: ProgrammeFile
    path: str = ""
    sha256: str = ""
    same_product: bool = False
    changed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.file.programme.name

    @property
    def region(self) -> str:
        return self.file.programme.region

    @cached_property
    def values(self) -> dict[str, Any]:
        """Every tagged value of the file by key, in its order.

        ``start_year`` and the other keys of ``[value]`` by name; then ``refer_on.<specialty>``,
        ``downstream.<n>.price``, ``share.<rule>``, ``factor.<rule>``, ``with.<rule>.<n>.price``,
        ``contract.<n>.pass_through`` and so on, ``n`` counting from 1.
        """
        entries: dict[str, Any] = {key: getattr(self.file.value, key) for key in Values.model_fields}
        for line in self.file.line:
            entries[f"refer_on.{line.specialty}"] = line.refer_on
        for n, down in enumerate(self.file.downstream, 1):
            entries[f"downstream.{n}.price"], entries[f"downstream.{n}.probability"] = down.price, down.probability
        for rule in self.file.rule:
            for key in ("share", "factor", "ddd_factor", "start_after", "ramp"):
                entries[f"{key}.{rule.key}"] = getattr(rule, key)
            for n, made in enumerate(rule.with_, 1):
                for key in ("price", "probability"):
                    entries[f"with.{rule.key}.{n}.{key}"] = getattr(made, key)
        for n, contract in enumerate(self.file.contract, 1):
            for key in ("pass_through", "over_ceiling", "rebase_share", "rebase_years"):
                entries[f"contract.{n}.{key}"] = getattr(contract, key)
        return {key: entry for key, entry in entries.items() if entry is not None}

    @property
    def paid_to(self) -> str:
        """Party that is paid its running cost: as the file says, else the 1.5-line provider of a centre, else GPs."""
        return self.file.programme.paid_to or ("one_and_a_half_line_providers" if self.file.line else "gps_and_others")

    def get(self, key: str) -> Any:
        """Value in force of a key of :attr:`values`, changes included."""
        return self.changed[key] if key in self.changed else self.values[key].value

    def _get(self, key: str, otherwise: Any) -> Any:
        return self.get(key) if key in self.values else otherwise

    def with_values(self, **values: Any) -> Programme:
        """The same programme with other values, each checked as the file's values are.

        Keys are those of :attr:`values`: ``with_values(price=110)``, ``with_values(**{"share.switch": 0.1})``.
        ``without=[("dermatology", "consult")]`` leaves parts of a centre's lines as they are, with all other draws:
        consult, heavier or added. The difference is what the part brings.

        Raises
        ------
        NotFoundError, ParameterError
            An unknown key; a value outside its range.
        """
        where = f"programme {self.name}"
        known = self.values
        unknown = sorted(set(values) - set(known) - {"refer_on_factor", "same_product", "without"})
        if unknown:
            raise NotFoundError([Problem(where, "value", "one of " + ", ".join(sorted(known)), key) for key in unknown])
        problems: list[Problem] = []
        specialties = {line.specialty for line in self.file.line}
        for part in values.get("without", ()):
            if part[0] not in specialties or part[1] not in PARTS:
                expected = f"a specialty of the file and one of {', '.join(PARTS)}"
                problems.append(Problem(where, "without", expected, " ".join(map(str, part))))
        for key, value in values.items():
            if key in known:
                try:
                    type(known[key]).model_validate({**known[key].model_dump(exclude={"range"}), "value": value})
                except ValidationError as error:
                    problems += _problems(error, where, ("value", key))
        merged = {**self.changed, **{k: v for k, v in values.items() if k != "same_product"}}
        changed = Programme(
            self.file, self.path, self.sha256, bool(values.get("same_product", self.same_product)), merged
        )
        if not problems and changed._get("end_year", changed.get("start_year")) < changed.get("start_year"):
            problems.append(Problem(where, "end_year", "start_year or later", str(changed.get("end_year"))))
        if problems:
            raise ParameterError(problems)
        return changed

    def null(self) -> Programme:
        """The null programme: the same patients, each product replaced by itself at its own price."""
        zero = ("added_demand", "running_cost_eur", "running_cost_per_insured_eur", "investment_eur")
        return self.with_values(
            same_product=True, refer_on_factor=0.0, **{key: 0.0 for key in zero if key in self.values}
        )

    def core(
        self,
        municipalities: Sequence[int],
        insurers: Sequence[int],
        reference_insured: float,
        *,
        hand_over: Sequence[int] = (),
        insurer_code: Callable[[str], int] = int,
    ) -> Any:
        """The run-time struct of the core for an area, for the insurers that take part and for names of insurers."""
        p = _core.Programme()
        p.name = self.name
        p.id = self.file.programme.id
        p.start_year = int(self.get("start_year"))
        p.end_year = self._get("end_year", None)
        p.ramp_ppm = [_ppm(r) for r in self.get("ramp")]
        p.municipalities = list(municipalities)
        if hand_over:
            p.hand_over_year, p.hand_over_municipalities = self.get("hand_over_year"), list(hand_over)
        p.insurers = list(insurers)
        p.same_product = self.same_product
        p.pass_through_ppm = _ppm(self.get("pass_through"))
        if "running_cost_eur" in self.values:
            per_insured = self.get("running_cost_eur") * 100 * 1_000_000 / reference_insured
        else:
            per_insured = self.get("running_cost_per_insured_eur") * 100 * 1_000_000
        p.running_cents_per_insured_year_ppm = round(per_insured)
        p.investment = _cents(self.get("investment_eur"))
        p.avoidable_ppm = _ppm(self.get("avoidable_share"))
        if self.file.line:
            self._centre(p)
        p.rules = [self._rule(rule) for rule in self.file.rule]
        p.contracts = [self._contract(n, insurer_code) for n in range(1, len(self.file.contract) + 1)]
        return p

    def _centre(self, p: Any) -> None:
        lines = []
        factor = float(self.changed.get("refer_on_factor", 1.0))
        for row in self.file.line:
            line = _core.ProgrammeLine()
            line.specialism = row.specialism
            line.diagnoses = list(row.diagnoses)
            line.products = list(row.care_products)
            left_out = {part for specialty, part in self.changed.get("without", ()) if specialty == row.specialty}
            line.consults, line.heavier, line.added = (part not in left_out for part in PARTS)
            line.refer_on_ppm = min(1_000_000, _ppm(self.get(f"refer_on.{row.specialty}") * factor))
            lines.append(line)
        p.lines = lines
        p.patients_ppm = _ppm(self.get("patients_share"))
        p.added_demand_ppm = _ppm(self.get("added_demand"))
        p.consult_ppm = _ppm(self.get("consult_share"))
        p.price = _cents(self.get("price"))
        p.title = getattr(_core.Title, self.get("payment_title"))
        downstream = []
        for n, row_d in enumerate(self.file.downstream, 1):
            d = _core.Downstream()
            d.category = getattr(_core.Category, row_d.category)
            d.price = _cents(self.get(f"downstream.{n}.price"))
            d.probability_ppm = _ppm(self.get(f"downstream.{n}.probability"))
            downstream.append(d)
        p.downstream = downstream

    def _rule(self, row: RuleFile) -> Any:
        rule = _core.Rule()
        rule.key = row.key
        rule.claims, rule.who = row.claims.core(), row.who.core()
        rule.act, rule.per = getattr(_core.Act, row.act), getattr(_core.Per, row.per)
        rule.share_ppm = _ppm(self.get(f"share.{row.key}"))
        rule.factor_ppm = _ppm(self._get(f"factor.{row.key}", 1.0))
        rule.ddd_factor_ppm = _ppm(self._get(f"ddd_factor.{row.key}", 1.0))
        rule.start_after = self._get(f"start_after.{row.key}", 0)
        rule.ramp_ppm = [_ppm(r) for r in self._get(f"ramp.{row.key}", ())]
        made = []
        for n, next_ in enumerate(row.with_, 1):
            c = _core.Consequence()
            c.category = getattr(_core.Category, next_.category)
            c.price = _cents(self.get(f"with.{row.key}.{n}.price"))
            c.probability_ppm = _ppm(self._get(f"with.{row.key}.{n}.probability", 1.0))
            c.title = getattr(_core.Title, next_.title)
            c.effect = getattr(_core.Effect, next_.effect or ACTS[row.act])
            c.specialism, c.diagnosis, c.product = next_.specialism, next_.diagnosis, next_.care_product
            c.consult, c.ddd = next_.consult, next_.ddd
            made.append(c)
        rule.with_claims = made
        return rule

    def _contract(self, n: int, insurer_code: Callable[[str], int]) -> Any:
        row = self.file.contract[n - 1]
        contract = _core.Contract()
        contract.hospital = row.hospital
        contract.insurers = [] if row.insurer == "all" else [insurer_code(row.insurer)]
        contract.kind = getattr(_core.ContractKind, row.kind)
        contract.pass_through_ppm = _ppm(self._get(f"contract.{n}.pass_through", 1.0))
        contract.over_ceiling_ppm = _ppm(self._get(f"contract.{n}.over_ceiling", 0.0))
        contract.rebase_ppm = _ppm(self._get(f"contract.{n}.rebase_share", 0.5))
        contract.rebase_years = self._get(f"contract.{n}.rebase_years", 3)
        contract.from_year, contract.to_year = row.from_year, row.to_year
        return contract

    def surveyed(self) -> Any:
        """What a survey of the area depends on: whom and which claims it looks at, without dates, shares and prices."""
        lines = tuple((row.specialism, row.diagnoses, row.care_products) for row in self.file.line)
        return lines, tuple((row.act, row.claims, row.who) for row in self.file.rule), bool(self.file.contract)

    def assumptions(self) -> list[dict[str, Any]]:
        """Every value with its tag and its source or reason, for reports."""
        return [_row(f"{self.name}.{key}", entry, self.get(key)) for key, entry in self.values.items()]


def _row(key: str, entry: Any, value: Any) -> dict[str, Any]:
    return {
        "key": key,
        "value": list(value) if isinstance(value, tuple) else value,
        "unit": entry.unit,
        "range": list(entry.range) if entry.range else None,
        "tag": entry.tag,
        "source": entry.source or entry.reason,
    }


def _ppm(share: float) -> int:
    return round(share * 1_000_000)


def _cents(euro: float) -> int:
    return round(euro * 100)


def _problems(
    error: ValidationError, where: str, prefix: tuple[str, ...] = (), document: Mapping[str, Any] | None = None
) -> list[Problem]:
    problems = []
    for e in error.errors():
        kind = e.get("ctx", {}).get("kind", e["type"])
        text = str(e["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        got = "" if kind in ("missing", "misfit") else repr(e["input"])[:60]
        if kind == "missing":
            text, got = "a value", "none"
        elif kind == "tuple_type":
            text = "a list"
        problems.append(Problem(where, ".".join((*prefix, *_path(e["loc"], document))), text, got))
    return problems


def _path(loc: Sequence[str | int], document: Mapping[str, Any] | None) -> Iterator[str]:
    """A place in a file: tables of a list by their key or name, else by their number, counting from 1."""
    at: Any = document
    for part in loc:
        try:
            at = at[part] if at is not None else None
        except (LookupError, TypeError):
            at = None
        if isinstance(part, str):
            yield part
            continue
        names = (at.get(key) for key in ("key", "specialty", "name")) if isinstance(at, Mapping) else ()
        yield next((name for name in names if isinstance(name, str)), str(part + 1))


TEMPLATE = "template"  # scenarios/template.toml: to be copied, no programme of its own


def programme_names() -> list[str]:
    """Names of the programmes that :func:`load_programme` knows."""
    folder = data_directory("scenarios")
    named = (p for p in folder.glob("*.toml") if p.stem != TEMPLATE)
    return sorted(p.stem for p in named if "programme" in tomllib.loads(p.read_text(encoding="utf-8")))


def no_file(name: str, where: str = "programme") -> Problem:
    """A file of one's own that is not there."""
    return Problem(where, "file", "one that is there", name)


def load_programme(name: str | Path) -> Programme:
    """Read a programme by name (``"pluspunt"``) or from a file of your own.

    Raises
    ------
    NotFoundError
        No such programme.
    ParameterError
        Unknown, missing or impossible keys: all of them at once, with the file.
    """
    path = Path(name)
    if path.suffix != ".toml" and str(name) != TEMPLATE:
        path = data_directory("scenarios") / f"{name}.toml"
    if path.suffix == ".toml" and path == Path(name) and not path.is_file():
        raise NotFoundError([no_file(str(name))])
    if not path.is_file():
        known = ", ".join(programme_names())
        raise NotFoundError([Problem("load_programme", "programme", f"a .toml file, or one of {known}", str(name))])
    data = path.read_bytes()
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError([Problem(path.name, "TOML", "a file that can be read", str(error))]) from None
    if "scenario" in document:
        expected = "a programme; `anderhalf simulate` and load_scenario read scenarios"
        raise ParameterError([Problem(path.name, "a scenario file", expected)])
    try:
        file = ProgrammeFile.model_validate(document)
    except ValidationError as error:
        raise ParameterError(_problems(error, path.name, document=document)) from None
    return Programme(file, path.name, hashlib.sha256(data).hexdigest())
