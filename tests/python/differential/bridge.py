"""The records, claims, mapping and model of the second implementation, handed to the C++ core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from reference.country import Claim, Country, Mapping, Model, Record

from anderhalf import _core

ENUMS = {"cluster": _core.Cluster, "assignment": _core.Assignment, "rule": _core.Neutrality}
NESTED = {
    "drugs": "Drug",
    "diagnoses": "Diagnosis",
    "devices": "Device",
    "physiotherapy": "Physiotherapy",
    "mental_care": "MentalCare",
}


def rows(items: Iterable[Any], dtype: np.dtype, kind: type) -> np.ndarray:
    names = dtype.names or ()
    assert {f.name for f in fields(kind)} == set(names)
    return np.array(list(map(attrgetter(*names), items)), dtype=dtype)


def block(country: Country) -> Any:
    return _core.Block(
        rows(country.records, _core.record_dtype, Record), rows(country.claims, _core.claim_dtype, Claim)
    )


def filled(kind: str, value: Any) -> Any:
    struct = getattr(_core, kind)()
    for f in fields(value):
        if not f.name.startswith("hcc_"):
            setattr(struct, f.name, converted(f.name, getattr(value, f.name)))
    if kind == "Model" and value.hcc_ggz_top_per_myriad:
        rule = _core.HighCost()
        rule.share, rule.top_per_myriad, rule.ppm = "ggz", value.hcc_ggz_top_per_myriad, value.hcc_ggz_ppm
        struct.high_cost = [rule]
    return struct


def converted(name: str, value: Any) -> Any:
    if is_dataclass(value):
        return filled(type(value).__name__, value)
    if isinstance(value, list):
        return [converted(name, item) for item in value]
    return getattr(ENUMS[name], value) if name in ENUMS else value


def core_mapping(mapping: Mapping) -> Any:
    struct = _core.Mapping()
    for f in fields(Mapping):
        value = getattr(mapping, f.name)
        if f.name in NESTED:
            items = []
            for row in value:
                item = getattr(_core.Mapping, NESTED[f.name])()
                for key, entry in asdict(row).items():
                    setattr(item, key, entry)
                items.append(item)
            value = items
        setattr(struct, f.name, value)
    return struct


_MODELS: dict[tuple[str, ...], Any] = {}


def core_model(model: Model) -> Any:
    """Models are few and countries many: kept by what tells them apart."""
    tops = [k.top_per_myriad for s in model.shares() for c in s.criteria for k in c.classes]
    of_years = [k.of_years for s in model.shares() for c in s.criteria for k in c.classes]
    names = [(s.name, c.name, len(c.classes)) for s in model.shares() for c in s.criteria]
    key = tuple(map(str, (model.name, model.year, model.cluster, names, tops, of_years)))
    if key not in _MODELS:
        _MODELS[key] = filled("Model", model)
        _MODELS[key].forfait_ex_post = model.forfait  # the reference knows the grant's only
    return _MODELS[key]


TIE_SEED = 20_210_701


def tie(kind: str, year: int, person: int) -> tuple[int, int]:
    """The core's order on a line; its MVV ranking is drawn for the equalization year, the year after the last one."""
    return _core.tie_key(TIE_SEED, person, year + (kind == "mvv")), person


def baseline(
    country: Country,
    model: Model,
    mapping: Mapping,
    *,
    lag: int = 0,
    first_year: int | None = None,
    counts: str = "actual",
    rounding: str = "exact",
    threads: int = 1,
    blocks: int = 1,
) -> Any:
    """The country in the core, settled in the model year."""
    insurers = sorted({r.insurer for r in country.records})
    return baseline_of(
        parts(country, blocks),
        model,
        mapping,
        insurers,
        lag=lag,
        first_year=first_year,
        counts=counts,
        rounding=rounding,
        threads=threads,
    )


def baseline_of(
    blocks: list[Any],
    model: Model,
    mapping: Mapping,
    insurers: list[int],
    *,
    lag: int = 0,
    first_year: int | None = None,
    counts: str = "actual",
    rounding: str = "exact",
    threads: int = 1,
) -> Any:
    """Blocks in the core, settled in the model year."""
    o = _core.Options()
    o.start, o.horizon, o.last_year = model.year, 1, model.year
    o.first_year = first_year if first_year is not None else model.year - 5
    o.insurers = insurers
    o.seed = TIE_SEED
    o.expected_counts = getattr(_core.ExpectedCounts, counts)
    o.expected_lag, o.macro_lag, o.estimation_lag = lag, 0, 0
    o.macro = _core.MacroRule.fixed
    o.estimates = False
    o.rounding = getattr(_core.Rounding, rounding)
    scheme = _core.Scheme(core_model(model), core_mapping(mapping))
    return _core.baseline(_core.blocks_source(blocks), scheme, o, threads)[0], scheme


def parts(country: Country, count: int) -> list[Any]:
    """The country cut in blocks of whole addresses, persons ascending."""
    homes: dict[int, set[int]] = {}
    for r in country.records:
        homes.setdefault(r.address, set()).add(r.person)
    addresses = sorted(homes)
    size = -(-len(addresses) // count)
    result = []
    for k in range(0, len(addresses), size):
        inside = set().union(*(homes[a] for a in addresses[k : k + size]))
        result.append(
            block(
                Country(
                    [r for r in country.records if r.person in inside],
                    [c for c in country.claims if c.person in inside],
                )
            )
        )
    return result
