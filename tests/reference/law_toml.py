"""The model of a year from params/nl/<year>/*.toml, read independently of the project's own reader."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

from .country import (
    CLUSTERS,
    Category,
    Criterion,
    Exclusion,
    Household,
    Income,
    Model,
    NeutralityRule,
    RiskClass,
    Share,
    Title,
    micro_euro,
)

Tables = dict[str, dict[str, Any]]


def read_toml(folder: Path) -> Tables:
    """Every TOML file of a year by file name, decimals as exact fractions; empty when there is none."""
    return {path.stem: tomllib.loads(path.read_text("utf-8"), parse_float=_decimal) for path in folder.glob("*.toml")}


def _decimal(text: str) -> Fraction:
    return Fraction(text)


def _value(entry: Any) -> Any:
    return entry["value"] if isinstance(entry, dict) else entry


def _cents(entry: Any, unit: int) -> int:
    cents = Fraction(_value(entry)) * unit
    if cents.denominator != 1:
        raise ValueError(f"{entry}: not in whole cents")
    return int(cents)


def _ages(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 999
    if text.endswith("+"):
        return int(text[:-1]), 999
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def _group(value: Any) -> int:
    if isinstance(value, int):
        return value
    return int(Income[value] if value in Income.__members__ else Household[value])


def _class(entry: dict[str, Any]) -> RiskClass:
    low, high = _ages(entry.get("ages"))
    return RiskClass(
        code=entry["code"],
        key=entry["key"],
        label=entry["label"],
        weight=micro_euro(entry["weight"]),
        sex={"man": 1, "woman": 2}.get(entry.get("sex", ""), 0),
        age_min=low,
        age_max=high,
        born={"this_year": 1, "year_before": 2}.get(entry.get("born", ""), 0),
        group=_group(entry["group"]) if "group" in entry else 0,
        years=entry.get("years", 0),
        top_per_myriad=_cents(entry.get("top_percent", 0), 100),
        min_cents=_cents(entry.get("min_eur", 0), 100),
        of_years=entry.get("of_years", 0),
        young_years=entry.get("young_years", 0),
        young_below=entry.get("young_below", 0),
    )


def _share(tables: Tables, name: str) -> Share:
    """The classes of a share; without criteria where the year has no such table."""
    if f"weights_{name}" not in tables:
        return Share(name)
    rules = {c["name"]: c for c in tables["assignment"]["criterion"]}
    criteria = []
    for entry in tables[f"weights_{name}"]["criterion"]:
        classes = [_class(c) for c in entry["classes"]]
        rule = rules[entry["name"]]
        criterion = Criterion(
            entry["name"],
            rule["assignment"],
            classes[0].code,
            classes,
            data_years=list(rule["data_years"]),
            age_bands_zero_sum=rule.get("zero_sum") == "age_band",
        )
        criterion.exclusions = _exclusions(tables, criterion)
        criteria.append(criterion)
    return Share(name, criteria)


def _exclusions(tables: Tables, criterion: Criterion) -> list[Exclusion]:
    code = {c.key: c.code for c in criterion.classes}
    pairs = []
    for entry in tables["assignment"].get("exclusion", []):
        if entry["criterion"] == criterion.name:
            chain = entry.get("first_of", [])
            pairs += [Exclusion(code[k], code[d]) for i, k in enumerate(chain) for d in chain[i + 1 :]]
            pairs += [Exclusion(code[k], code[d]) for k in entry.get("keep", []) for d in entry.get("drop", [])]
    return pairs


def _neutrality(tables: Tables, model: Model) -> list[NeutralityRule]:
    shares = {s.name: s for s in model.shares()}
    rules = []
    for entry in tables["settlement"]["neutrality"]:
        criterion = next(c for c in shares[entry["share"]].criteria if c.name == entry["criterion"])
        code = {c.key: c.code for c in criterion.classes}
        rules.append(
            NeutralityRule(
                entry["share"],
                entry["criterion"],
                entry["rule"],
                [code[k] for k in entry.get("reset", [])],
                [code[k] for k in entry.get("of", [])],
                entry["article"],
            )
        )
    return rules


def _flags(names: list[str]) -> list[bool]:
    return [c.name in names for c in Category]


def _clusters(table: dict[str, Any]) -> list[str]:
    of = {category: name for name in CLUSTERS for category in table.get(name, [])}
    return [of.get(c.name, "none") for c in Category]


def _no_mvv_from(special: dict[str, Any]) -> int:
    """Age from which Wlz residents have no MVV; -1 at every age (a rule that prints none), 0 without the rule."""
    return int(_value(special["wlz_no_mvv_from_age"])) or -1 if "wlz_no_mvv_from_age" in special else 0


def model_from_tables(tables: Tables) -> Model:
    """The reference model of a year from its TOML tables: the grant, and the settlement but for high-cost tables."""
    macro, revenue = tables["macro_budget"]["macro_budget"], tables["macro_budget"]["revenue"]
    own, settlement = tables["premium_and_deductible"], tables["settlement"]
    year, million = tables["macro_budget"]["source"]["year"], 100_000_000
    special, flat = tables["assignment"].get("special", {}), settlement["flat_step"]
    high_cost = next(iter(settlement.get("high_cost_compensation", [])), {})
    mhk_rule = tables["assignment"]["mhk"]
    model = Model(
        name=f"nl-{year}",
        year=year,
        variable=_share(tables, "variable"),
        ggz=_share(tables, "ggz"),
        ggz_hcc=_share(tables, "ggz_hcc"),
        deductible=_share(tables, "deductible"),
        nursing=_share(tables, "nursing"),
        macro_total=_cents(macro["total"], million),
        macro_variable=_cents(macro["variable_care"], million),
        macro_fixed=_cents(macro["fixed_care"], million),
        macro_ggz=_cents(macro["mental_care"], million),
        macro_nursing=_cents(macro.get("nursing_care", 0), million),
        revenue_premium=_cents(revenue["premium"], million),
        revenue_deductible=_cents(revenue["deductible"], million),
        fund_payment=_cents(revenue["fund_payment"], million),
        calculation_premium=_cents(own["premium"]["calculation_premium"], 100),
        administration_under_18=_cents(own["premium"]["administration_under_18"], 100),
        deductible_amount=_cents(own["deductible"]["amount"], 100),
        forfait=_cents(own["deductible"]["forfait"], 100),
        deductible_exempt=_flags([c["name"] if isinstance(c, dict) else c for c in own["exempt"]["categories"]]),
        title_deductible_exempt=[own["titles"][t.name]["exempt"] for t in Title],
        morbidity_criteria=list(own["morbidity"]["criteria"]),
        cluster=_clusters(tables["assignment"]["cluster"]),
        mhk_excluded=_flags(mhk_rule["excluded"]["categories"]),
        mhk_settled=_value(mhk_rule.get("settled", False)),
        flat_ppm_variable=_cents(flat["variable_care"], 1_000_000),
        flat_ppm_ggz=_cents(flat["mental_care"], 1_000_000),
        flat_ppm_nursing=_cents(flat.get("nursing_care", 0), 1_000_000),
        own_payments_macro_corrected=_value(settlement["own_payments"]["macro_corrected"]),
        own_payments_flat_ppm=_cents(settlement["own_payments"]["flat_step"], 1_000_000),
        hcc_ggz_top_per_myriad=_cents(high_cost.get("users_above_threshold", 0), 100),
        hcc_ggz_ppm=_cents(high_cost.get("share_of_excess", 0), 10_000),
        wlz_lowest_ses=_value(special.get("wlz_lowest_ses", False)),
        wlz_no_mvv_from_age=_no_mvv_from(special),
        lowest_ses_from_ggz_dkg=_value(special.get("lowest_ses_from_ggz_dkg", 0)),
        lowest_ses_above_residents=_value(special.get("lowest_ses_above_residents", 0)),
        ses_of_income_group=list(_value(special.get("ses_of_income_group", []))),
        ended_addon_years=_value(special.get("ended_addon_years", 0)),
        gsm_criteria=list(tables["assignment"].get("gsm", {}).get("criteria", [])),
        reference_month=_value(tables["assignment"]["reference_date"]["month"]),
    )
    mhk = next(c for c in model.variable.criteria if c.name == "mhk")
    model.forfait_from_mhk = next(c.code for c in mhk.classes if c.key == own["morbidity"]["mhk_from"])
    model.neutrality = _neutrality(tables, model)
    return model


def load_model(folder: Path) -> Model | None:
    """The model of params/nl/<year>; None when the files are not there."""
    tables = read_toml(folder)
    return model_from_tables(tables) if "settlement" in tables else None
