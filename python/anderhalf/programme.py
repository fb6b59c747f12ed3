"""Programmes as data: who is reached, what is replaced by what, and at which price.

A programme file holds rules on claims and conditions only. It has no key that names a criterion, a class, a weight or
an own payment: what happens to those follows from the claims.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.errors import NotFoundError, ParameterError, Problem

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Euro = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Tagged(_Strict):
    """A value with where it comes from: a source, a derivation, or a reason of ours."""

    unit: str = ""
    range: tuple[float, float] | None = None
    tag: Literal["sourced", "derived", "assumption"]
    source: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> _Tagged:
        if self.tag == "assumption" and not self.reason:
            raise ValueError("an assumption needs a reason")
        if self.tag != "assumption" and not self.source:
            raise ValueError("a sourced or derived value needs a source")
        return self


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

    @model_validator(mode="after")
    def _one_cost(self) -> Values:
        if (self.running_cost_eur is None) == (self.running_cost_per_insured_eur is None):
            raise ValueError("either running_cost_eur or running_cost_per_insured_eur")
        if self.end_year is not None and self.end_year.value < self.start_year.value:
            raise ValueError("end_year is start_year or later")
        return self


CENTRE = ("patients_share", "added_demand", "consult_share", "price", "payment_title")
_Code = Annotated[int, Field(ge=0, le=0xFFFF)]
_Product = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
_Cents = Annotated[float, Field(ge=0, le=21_474_836, allow_inf_nan=False)]
_Category = Literal[
    "transport", "gp", "paramedical", "drugs", "obstetric", "maternity", "devices", "dental", "chain_care",
    "hospital", "diagnostics", "grz", "sensory", "nursing", "elv", "ggz", "other", "one_and_a_half_line",
]  # fmt: skip


def _ascending(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    if wrong := [f"{a}..{b}" for a, b in ranges if a > b]:
        raise ValueError(f"care_products as [first, last], not {', '.join(wrong)}")
    return ranges


_Products = Annotated[tuple[tuple[_Product, _Product], ...], AfterValidator(_ascending)]


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
    consult: bool | None = None
    min_eur: _Cents = 0
    max_eur: _Cents | None = None

    @model_validator(mode="after")
    def _some(self) -> SelectorFile:
        if self.max_eur is not None and self.min_eur > self.max_eur:
            raise ValueError("min_eur is at most max_eur")
        return self

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

    @model_validator(mode="after")
    def _some(self) -> WhoFile:
        if self.min_age > self.max_age:
            raise ValueError("min_age is at most max_age")
        return self

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
    consult: bool = False
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

    @model_validator(mode="after")
    def _act(self) -> RuleFile:
        changes = self.factor is not None or self.ddd_factor is not None
        if self.act == "reprice" and not changes:
            raise ValueError("reprice needs factor, ddd_factor or both")
        if self.act != "reprice" and changes:
            raise ValueError(f"factor and ddd_factor belong to reprice, not to {self.act}")
        if self.act in ("replace", "add") and not self.with_:
            raise ValueError(f"{self.act} needs [[rule.with]]: the claims that it makes")
        if self.act != "add" and self.claims == SelectorFile():
            raise ValueError(f"{self.act} needs [rule.claims]: the claims that it acts on")
        return self


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

    @model_validator(mode="after")
    def _kind(self) -> ContractFile:
        keys = sorted({key for keys in CONTRACTS.values() for key in keys})
        if missing := [key for key in CONTRACTS[self.kind] if getattr(self, key) is None]:
            raise ValueError(f"{self.kind} needs {', '.join(missing)}")
        if idle := [key for key in keys if key not in CONTRACTS[self.kind] and getattr(self, key) is not None]:
            raise ValueError(f"{', '.join(idle)} means nothing in a contract of the kind {self.kind}")
        if self.from_year > self.to_year:
            raise ValueError("from_year is at most to_year")
        if self.rebase_years is not None and self.rebase_years.value < 1:
            raise ValueError("rebase_years is at least 1")
        return self


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

    @model_validator(mode="after")
    def _fits(self) -> ProgrammeFile:
        wrong = []
        if not self.line and not self.rule:
            wrong.append("at least one [[line]] or [[rule]]")
        given = [key for key in CENTRE if getattr(self.value, key) is not None]
        if self.line and (missing := [key for key in CENTRE if key not in given]):
            wrong.append(f"[[line]] needs value.{', value.'.join(missing)}")
        if not self.line and (given or self.downstream):
            wrong.append(f"only [[line]] uses {', '.join([*given, *(['[[downstream]]'] if self.downstream else [])])}")
        keys = [rule.key for rule in self.rule]
        if double := sorted({key for key in keys if keys.count(key) > 1}):
            wrong.append(f"each rule.key once, not {', '.join(double)} again")
        if (self.value.hand_over_year is None) != (not self.programme.hand_over_region):
            wrong.append("value.hand_over_year and programme.hand_over_region together")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


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

        Raises
        ------
        NotFoundError, ParameterError
            An unknown key; a value outside its range.
        """
        where = f"programme {self.name}"
        known = self.values
        unknown = sorted(set(values) - set(known) - {"refer_on_factor", "same_product"})
        if unknown:
            raise NotFoundError([Problem(where, "value", "one of " + ", ".join(sorted(known)), key) for key in unknown])
        problems: list[Problem] = []
        for key, value in values.items():
            if key in known:
                try:
                    type(known[key]).model_validate({**known[key].model_dump(), "value": value})
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


def _problems(error: ValidationError, where: str, prefix: tuple[str, ...] = ()) -> list[Problem]:
    return [
        Problem(
            where,
            ".".join(map(str, (*prefix, *e["loc"]))),
            e["msg"],
            "" if e["type"] == "missing" else repr(e["input"])[:60],
        )
        for e in error.errors()
    ]


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
    if path.suffix != ".toml":
        path = data_directory("scenarios") / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in data_directory("scenarios").glob("*.toml")))
        raise NotFoundError([Problem("load_programme", "programme", f"a .toml file, or one of {known}", str(name))])
    data = path.read_bytes()
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ParameterError([Problem(path.name, "TOML", "a file that can be read", str(error))]) from None
    try:
        file = ProgrammeFile.model_validate(document)
    except ValidationError as error:
        raise ParameterError(_problems(error, path.name)) from None
    return Programme(file, path.name, hashlib.sha256(data).hexdigest())
