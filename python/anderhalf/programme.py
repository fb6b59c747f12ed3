"""Programmes as data: who is reached, what is replaced by what, and at which price.

A programme file holds rules on claims and conditions only. It has no key that names a criterion, a class, a weight or
an own payment: what happens to those follows from the claims.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class TaggedEuro(_Tagged):
    value: Euro


class TaggedYear(_Tagged):
    value: int


class TaggedRamp(_Tagged):
    value: tuple[Share, ...] = Field(min_length=1)


class TaggedTitle(_Tagged):
    value: Literal["gp_care", "specialist_care", "designated"]


class Head(_Strict):
    name: str
    title: str
    title_nl: str = ""
    id: int = Field(ge=1)
    region: str


class Values(_Strict):
    start_year: TaggedYear
    ramp: TaggedRamp
    patients_share: TaggedShare
    added_demand: TaggedShare
    consult_share: TaggedShare
    price: TaggedEuro
    payment_title: TaggedTitle
    pass_through: TaggedShare
    running_cost_eur: TaggedEuro
    investment_eur: TaggedEuro
    avoidable_share: TaggedShare


_Product = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]


class LineFile(_Strict):
    specialty: str
    specialism: int = Field(ge=1, le=65535)
    diagnoses: tuple[Annotated[int, Field(ge=0, le=65535)], ...] = Field(min_length=1)
    care_products: tuple[tuple[_Product, _Product], ...] = ()
    refer_on: TaggedShare

    @model_validator(mode="after")
    def _ascending(self) -> LineFile:
        if wrong := [f"{a}..{b}" for a, b in self.care_products if a > b]:
            raise ValueError(f"care_products as [first, last], not {', '.join(wrong)}")
        return self


class Check(_Strict):
    name: str
    value: float
    range: tuple[float, float]
    source: str


class DownstreamFile(_Strict):
    category: str
    price: TaggedEuro
    probability: TaggedShare


class ProgrammeFile(_Strict):
    programme: Head
    value: Values
    line: tuple[LineFile, ...] = Field(min_length=1)
    downstream: tuple[DownstreamFile, ...] = ()
    check: tuple[Check, ...] = ()


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

    def get(self, key: str) -> Any:
        """Value in force of a key of ``[value]``, changes included."""
        if key in self.changed:
            return self.changed[key]
        return getattr(self.file.value, key).value

    def with_values(self, **values: Any) -> Programme:
        """The same programme with other values, each checked as the file's values are.

        Raises
        ------
        NotFoundError, ParameterError
            An unknown key; a value outside its range.
        """
        known = set(Values.model_fields)
        unknown = sorted(set(values) - known - {"refer_on_factor", "same_product"})
        if unknown:
            raise NotFoundError(
                [
                    Problem(f"programme {self.name}", "value", "one of " + ", ".join(sorted(known)), key)
                    for key in unknown
                ]
            )
        for key, value in values.items():
            if key in known:
                entry = getattr(self.file.value, key)
                try:
                    type(entry).model_validate({**entry.model_dump(), "value": value})
                except ValidationError as error:
                    raise ParameterError(_problems(error, f"programme {self.name}", ("value", key))) from None
        merged = {**self.changed, **{k: v for k, v in values.items() if k != "same_product"}}
        return Programme(self.file, self.path, self.sha256, bool(values.get("same_product", self.same_product)), merged)

    def null(self) -> Programme:
        """The null programme: the same patients, each product replaced by itself at its own price."""
        return self.with_values(
            same_product=True, added_demand=0.0, running_cost_eur=0.0, investment_eur=0.0, refer_on_factor=0.0
        )

    def core(self, municipalities: Sequence[int], insurers: Sequence[int], reference_insured: float) -> Any:
        """The run-time struct of the core for an area and for the insurers that take part."""
        p = _core.Programme()
        p.name = self.name
        p.id = self.file.programme.id
        p.start_year = int(self.get("start_year"))
        p.ramp_ppm = [_ppm(r) for r in self.get("ramp")]
        p.municipalities = list(municipalities)
        p.insurers = list(insurers)
        lines = []
        factor = float(self.changed.get("refer_on_factor", 1.0))
        for row in self.file.line:
            line = _core.ProgrammeLine()
            line.specialism = row.specialism
            line.diagnoses = list(row.diagnoses)
            line.products = list(row.care_products)
            line.refer_on_ppm = min(1_000_000, _ppm(row.refer_on.value * factor))
            lines.append(line)
        p.lines = lines
        p.patients_ppm = _ppm(self.get("patients_share"))
        p.added_demand_ppm = _ppm(self.get("added_demand"))
        p.consult_ppm = _ppm(self.get("consult_share"))
        p.price = _cents(self.get("price"))
        p.title = getattr(_core.Title, self.get("payment_title"))
        p.same_product = self.same_product
        p.pass_through_ppm = _ppm(self.get("pass_through"))
        downstream = []
        for row_d in self.file.downstream:
            d = _core.Downstream()
            d.category = getattr(_core.Category, row_d.category)
            d.price = _cents(row_d.price.value)
            d.probability_ppm = _ppm(row_d.probability.value)
            downstream.append(d)
        p.downstream = downstream
        p.running_cents_per_insured_year_ppm = round(self.get("running_cost_eur") * 100 * 1_000_000 / reference_insured)
        p.investment = _cents(self.get("investment_eur"))
        p.avoidable_ppm = _ppm(self.get("avoidable_share"))
        return p

    def assumptions(self) -> list[dict[str, Any]]:
        """Every value with its tag and its source or reason, for reports."""
        rows: list[dict[str, Any]] = []
        for key in Values.model_fields:
            entry = getattr(self.file.value, key)
            rows.append(_row(f"{self.name}.{key}", entry, self.get(key)))
        rows += [
            _row(f"{self.name}.refer_on.{line.specialty}", line.refer_on, line.refer_on.value)
            for line in self.file.line
        ]
        return rows


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
