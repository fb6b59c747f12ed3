"""The synthetic insured population: who people are, which care they use.

Parameters stand in ``params/population/*.toml`` and ``vektis_*.csv``; they are read here, checked, and handed to the
compiled generator, which works with integer thresholds and tables only. A population is never held as a whole: it is a
plan of blocks, and any block can be made again.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from anderhalf import _core, exact
from anderhalf._paths import data_directory
from anderhalf.calibration import DEFAULT_BASE, FILES, Calibration, apply, check_base, file_name, load_calibration
from anderhalf.datasets import plain_name
from anderhalf.errors import NotFoundError, ParameterError, Problem
from anderhalf.mapping import load_mapping
from anderhalf.parameters import CATEGORIES
from anderhalf.regions import in_borders_of, load_regions
from anderhalf.sources import People

if TYPE_CHECKING:
    import pandas as pd

AGES = 106
BANDS = 19
ABROAD = "Abroad"
KNOTS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
Table = NDArray[np.float64]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Care(_Strict):
    category: str
    product: int = 0
    specialism: int = 0
    diagnosis: int = 0
    consult: bool = False
    eur: Positive
    p: Share = 1.0
    first: Share | None = None
    cv: Positive = 0.4
    sticky: Share = 0.0
    ddd: int = 0
    prescriptions: int = 0
    choice: int = 0
    yearly: bool | None = None
    event: bool = False
    addon: bool = False
    age_min: int = 0


class _Pattern(_Strict):
    key: str
    percent: list[Positive] = Field(default_factory=list)
    knots: list[float] = Field(default_factory=lambda: [float(k) for k in KNOTS])
    men: Positive = 1.0
    women: Positive = 1.0
    frailty: float = 0.0
    morbidity_region: bool = True
    care: list[_Care]


class _Condition(_Pattern):
    recovery: Share = 0.0
    mortality: Positive = 0.0
    wlz: bool = False
    risks: dict[str, Positive] = Field(default_factory=dict)


class _Episode(_Pattern):
    trigger: Literal["rate", "birth", "delivery", "death"] = "rate"
    sticky: Share = 0.0


class _Course(_Strict):
    ends: Share
    growth: Positive


class _Setting(_Strict):
    specialism: int
    heavy_from_eur: Positive
    admission_from_eur: Positive


class _General(_Strict):
    category: str
    product: int = 0
    specialism: int = 0
    diagnosis: int = 0
    percent: list[Positive]
    knots: list[float] = Field(default_factory=lambda: [float(k) for k in KNOTS])
    men: Positive = 1.0
    women: Positive = 1.0
    frailty: float = 0.0
    amount_frailty: float = 0.0
    cv: Positive = 1.0
    sticky: Share = 0.0
    yearly: bool = False
    course: _Course | None = None


class _Diagnosis(_Strict):
    number: int
    share: Share
    name: str


class _Specialty(_Strict):
    key: str
    specialism: int
    percent: list[Positive]
    men: Positive = 1.0
    women: Positive = 1.0
    consult_eur: Positive
    heavier_eur: Positive
    diagnoses: list[_Diagnosis]


class _LowComplexity(_Strict):
    heavier: Share
    cv: Positive
    frailty: float = 0.2
    specialty: list[_Specialty]


class CareFile(_Strict):
    """``care.toml``: episodes and the general part."""

    settings: list[_Setting]
    low_complexity: _LowComplexity
    episode: list[_Episode]
    general: list[_General]


class ConditionFile(_Strict):
    """``conditions.toml``."""

    condition: list[_Condition]


def _read(name: str, folder: Path) -> dict[str, Any]:
    with (folder / name).open("rb") as file:
        return tomllib.load(file)


def _rows(name: str, folder: Path) -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def curve(
    knots: list[float], values: list[float], men: float = 1.0, women: float = 1.0, scale: float = 1.0
) -> list[list[float]]:
    """Values at knots of age, linear between, as [sex][age 0..105]."""
    base = np.interp(np.arange(AGES), knots, values) * scale
    return [(base * men).tolist(), (base * women).tolist()]


def _line(care: _Care, key: str) -> _core.CareLine:
    line = _core.CareLine()
    line.key = key
    line.category = getattr(_core.Category, care.category)
    line.product, line.specialism, line.diagnosis, line.consult = (
        care.product,
        care.specialism,
        care.diagnosis,
        care.consult,
    )
    yearly = care.category in {"drugs", "chain_care", "paramedical", "nursing"} if care.yearly is None else care.yearly
    line.yearly = yearly and not care.event
    line.choice, line.probability = care.choice, care.p
    line.onset_probability = -1.0 if care.first is None else care.first
    line.mean_eur, line.cv = care.eur, care.cv
    line.sticky = 0.9 if care.category == "drugs" and not care.sticky else care.sticky
    line.ddd, line.prescriptions = care.ddd, care.prescriptions or (4 if care.category == "drugs" else 0)
    line.age_min = 18 if care.category == "ggz" else care.age_min
    return line


def _cost_tables(folder: Path, base: int = DEFAULT_BASE) -> tuple[dict[str, Table], Table]:
    """Vektis of a base year: euros per insured year by category [sex][band], and insured years."""
    years = np.zeros((2, BANDS))
    cost: dict[str, Table] = {}
    for row in _rows(f"vektis_cost_{base}.csv", folder):
        sex, band = (0 if row["sex"] == "m" else 1), int(row["age_from"]) // 5
        years[sex, band] = float(row["insured_years"])
        for name, value in row.items():
            if name.endswith("_eur"):
                cost.setdefault(name[:-4], np.zeros((2, BANDS)))[sex, band] = float(value)
    return cost, years


@functools.cache
def targets(folder: Path | None = None, base: int = DEFAULT_BASE) -> dict[str, NDArray[np.float64]]:
    """Cost targets per insured year, [group][sex][band] in euros at the price level of the law year, by care category.

    Group 0 is the rest of the country, 1 the region: Vektis of the base year by age class and sex, with the region's
    ratio per age class and category, times the factor of ``society.toml`` (price_level).
    """
    check_base(base)
    folder = folder or data_directory("params") / "population"
    society = _read("society.toml", folder)
    level = society["price_level"][str(base)]
    cost, years = _cost_tables(folder, base)
    cost["ggz"] = _cost_tables(folder, level["ggz_of"])[0]["ggz"]
    population = _population(f"vektis_population_{base}.csv", folder)
    names = society["region"]["mijnstreek"]["municipalities"]
    region_years = sum((population[n] for n in names), np.zeros((2, BANDS)))
    ratio: dict[str, Table] = {}
    for row in _rows(f"vektis_region_ratios_{base}.csv", folder):
        if (
            row["municipality"] == "Mijnstreek"
            and row["age_to"]
            and not (row["age_from"] == "0" and row["age_to"] == "-1")
        ):
            last = BANDS * 5 if row["age_to"] == "-1" else int(row["age_to"])
            table = ratio.setdefault(row["category"], np.ones((2, BANDS)))
            table[:, int(row["age_from"]) // 5 : (last + 1) // 5] = float(row["ratio"] or 1) if row["ratio"] else 1.0
    factor = price_factor(folder, base)
    split = society["category_split"]
    result: dict[str, NDArray[np.float64]] = {}

    def put(category: str, source: str, share: float, scale: float) -> None:
        if source not in cost:  # elv before 2017, gzsp before 2020: no such column, part of `other`
            result.setdefault(category, np.zeros((2, 2, BANDS)))
            return
        region = cost[source] * ratio.get(source, np.ones((2, BANDS)))
        rest = (cost[source] * years - region * region_years) / (years - region_years)
        both = np.stack([np.maximum(rest, 0), region]) * share * scale
        result[category] = result.get(category, np.zeros_like(both)) + both

    for name in (
        "gp",
        "drugs",
        "chain_care",
        "devices",
        "paramedical",
        "nursing",
        "grz",
        "elv",
        "dental",
        "transport",
        "obstetric",
        "maternity",
    ):
        put(name, name, 1, factor)
    put("hospital", "hospital", 1 - split["diagnostics_of_hospital"], factor)
    put("diagnostics", "hospital", split["diagnostics_of_hospital"], factor)
    put("diagnostics", "diagnostics", 1, factor)
    put("other", "cross_border", 1, factor)
    put("other", "gzsp", 1, factor)
    put("other", "other", 1 - split["sensory_of_other"], factor)
    put("sensory", "other", split["sensory_of_other"], factor)
    put("ggz", "ggz", 1, level["ggz_factor"])
    return result


def price_factor(folder: Path | None = None, base: int = DEFAULT_BASE) -> float:
    """Price level of the law year over that of Vektis: macro amount per insured year / Vektis mean without GGZ."""
    folder = folder or data_directory("params") / "population"
    level = _read("society.toml", folder)["price_level"][str(base)]
    cost, years = _cost_tables(folder, base)
    mean = float(((cost["total"] - cost["ggz"]) * years).sum() / years.sum())
    return float(level["variable_macro_eur"]) / float(level["insured_years"]) / mean


def _population(name: str, folder: Path) -> dict[str, Table]:
    result: dict[str, Table] = {}
    for row in _rows(name, folder):
        table = result.setdefault(row["municipality"], np.zeros((2, BANDS)))
        table[0 if row["sex"] == "m" else 1, int(row["age_from"]) // 5] = float(row["insured_years"])
    return result


def _earlier(table: Table, mortality: Table, society: dict[str, Any], years: int = 4) -> Table:
    """Insured by sex and five-year class some years before a count: cohorts younger, the dead back, arrivals out."""
    rules, arrivals = society["start_of_2011"], society["arrivals"]
    arrived = np.array([arrivals["men"], arrivals["women"]], dtype=np.float64)
    result = np.zeros_like(table)
    for sex in range(2):
        now = np.repeat(table[sex, :-1] / 5, 5)  # single years 0..89
        came = np.repeat(arrived[sex, :-1] / 5, 5) * rules["net_arrivals"] * table.sum() / arrived.sum()
        left = np.cumprod(1 - mortality[sex, 90:AGES])
        oldest = table[sex, -1] * left / left.sum()
        single = np.concatenate([np.maximum(now - came, 0), oldest])
        then = np.zeros(90)
        for age in range(90):
            alive = float(np.prod(1 - mortality[sex, age : age + years]))
            then[age] = single[age + years] / alive
        result[sex, :-1] = then.reshape(-1, 5).sum(axis=1)
        result[sex, -1] = table[sex, -1] / exact.power(rules["oldest_growth"], years)
    return result


def _municipalities(
    folder: Path, society: dict[str, Any], mortality: Table
) -> tuple[list[_core.Municipality], list[_core.Composition]]:
    counted = _population("vektis_population_2015.csv", folder)
    first, last = society["years"]["start"], society["years"]["last"]
    start = {name: _earlier(table, mortality, society, 2015 - first) for name, table in counted.items()}
    region = society["region"]["mijnstreek"]
    names: list[str] = region["municipalities"]
    rows = _rows("vektis_municipalities_2018.csv", folder)
    years = np.array([float(r["insured_years"]) for r in rows])
    ratio = np.array([float(r["ratio"]) if r["ratio"] else 1.0 for r in rows])
    order = np.argsort(-ratio, kind="stable")
    reached = np.cumsum(years[order]) - years[order] / 2
    cluster = np.zeros(len(rows), dtype=int)
    cluster[order] = np.minimum(region["clusters"], 1 + (reached / years.sum() * region["clusters"]).astype(int))
    rest_table = start["Netherlands"] - sum((start[n] for n in names), np.zeros((2, BANDS)))
    rest_2018 = sum(y for r, y in zip(rows, years, strict=True) if r["municipality"] not in names)
    compositions = []
    arrivals = society["arrivals"]
    for k, table in enumerate([rest_table, *(start[n] for n in names)]):
        c = _core.Composition()
        c.insured = table.tolist()
        c.arriving = [arrivals["men"], arrivals["women"]]
        share = arrivals["rest" if k == 0 else "region"]
        c.arrivals = [share[min(y, len(share) - 1)] for y in range(last - first)]
        compositions.append(c)
    result = []
    weight = region["cost_weight"]
    rest_ratio = float(np.average(ratio, weights=years))
    for i, row in enumerate(rows):
        m = _core.Municipality()
        m.code, m.name = i + 1, row["municipality"]
        inside = m.name in names
        m.group = int(inside)
        m.region = int(cluster[i])
        m.composition = 1 + names.index(m.name) if inside else 0
        m.insured = float(start[m.name].sum()) if inside else float(rest_table.sum() * years[i] / rest_2018)
        m.cost_factor = 1.0 if inside else max(0.6, 1 + weight * (ratio[i] - rest_ratio))
        result.append(m)
    inside_rows = [i for i, r in enumerate(rows) if r["municipality"] in names]
    mean = float(np.average(ratio[inside_rows], weights=years[inside_rows]))
    for i in inside_rows:
        result[i].cost_factor = 1 + 0.8 * (float(ratio[i]) / mean - 1)
    rules = society["abroad"]
    profile = np.array([rules["men"], rules["women"]], dtype=np.float64)
    c = _core.Composition()
    c.insured = (profile / profile.sum() * rules["insured_years_2011"]).tolist()
    c.arriving = [[0, 0, 0, 0, *row[4:]] for row in profile.tolist()]
    c.arrivals = [rules["arrivals"]] * (last - first)
    m = _core.Municipality()
    m.code, m.name, m.group, m.region, m.composition = 0, ABROAD, 2, 0, len(compositions)
    m.insured, m.cost_factor = float(np.array(c.insured).sum()), 1.0
    return [*result, m], [*compositions, c]


def _abroad(folder: Path) -> dict[int, dict[str, float]]:
    """Insured years and euros per insured year of the insured without a municipality, by year."""
    rows = _rows("vektis_abroad.csv", folder)
    return {int(r["year"]): {k: float(v) for k, v in r.items() if k != "year" and v} for r in rows}


def _abroad_means(folder: Path, society: dict[str, Any], base: int) -> dict[str, Table]:
    """Euros per insured year of those living abroad [sex][band]: the national shape by age at the mean of their row."""
    goal, row = targets(folder, base), _abroad(folder)[base]
    rules, split = society["abroad"], society["category_split"]
    profile = np.array([rules["men"], rules["women"]], dtype=np.float64)
    factor = price_factor(folder, base)
    means = {name: row.get(f"{name}_eur", 0.0) * factor for name in goal}
    hospital, other = means["hospital"], means["other"]
    means["hospital"] = hospital * (1 - split["diagnostics_of_hospital"])
    means["diagnostics"] += hospital * split["diagnostics_of_hospital"]
    outside = (row["cross_border_eur"] + row.get("gzsp_eur", 0.0)) * factor
    means["other"] = outside + other * (1 - split["sensory_of_other"])
    means["sensory"] = other * split["sensory_of_other"]
    level = society["price_level"][str(base)]
    means["ggz"] = _abroad(folder)[level["ggz_of"]]["ggz_eur"] * level["ggz_factor"]
    result = {}
    for name, shape in goal.items():
        mean = float((shape[0] * profile).sum() / profile.sum())
        result[name] = shape[0] * (means[name] / mean if mean > 0 else 0.0)
    return result


def documents(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The files that a calibration can move values of, as they stand."""
    folder = folder or data_directory("params") / "population"
    return {name: _read(f"{name}.toml", folder) for name in FILES}


def load_parameters(
    folder: Path | None = None,
    calibrated: bool = True,
    base: int = DEFAULT_BASE,
    calibration: Calibration | None = None,
) -> _core.PopulationParameters:
    """The parameters of ``params/population`` with what the calibration of a base year found.

    Parameters
    ----------
    calibrated : bool
        False: as they stand in the files, with a first guess of the general part.
    calibration : Calibration, optional
        In place of the file of the base year.
    """
    check_base(base)
    folder = folder or data_directory("params") / "population"
    if calibration is None:
        calibration = load_calibration(folder / file_name(base)) if calibrated else Calibration()
    found = documents(folder)
    apply(found, calibration.values, file_name(base))
    society = found["society"]
    conditions = ConditionFile.model_validate(found["conditions"]).condition
    care = CareFile.model_validate(found["care"])
    p = _core.PopulationParameters()
    p.start_year, p.last_year = society["years"]["start"], society["years"]["last"]
    death = society["mortality"]
    rate = exact.exp(np.interp(np.arange(AGES), death["knots"], exact.log(death["per_1000"]))) / 1000
    by_sex = [rate * np.interp(np.arange(AGES), death["men_knots"], death[sex]) for sex in ("men", "women")]
    p.mortality = [row.tolist() for row in by_sex]
    p.municipalities, p.compositions = _municipalities(folder, society, np.array(by_sex))
    insurers = []
    for item in society["insurers"]["list"]:
        i = _core.Insurer()
        i.code, i.name, i.share = item["code"], item["name"], [item["share"], item["region"], item["share"]]
        insurers.append(i)
    p.insurers = insurers

    house = society["households"]
    p.couple_share = house["couple_share"]
    p.parent_age_weight = np.interp(np.arange(60), house["parent_age_knots"], house["parent_age_weight"]).tolist()
    p.parent_type_weight = house["parent_type_weight"]
    p.leave_home = curve(house["leave_home_knots"], house["leave_home"])[0]
    p.lives_alone = curve([20, 25, 30, 35, 40, 50, 60, 70, 80, 90], house["lives_alone_percent"], scale=0.01)
    p.boys = house["boys"]
    p.group_fertility = society["fertility"]["group"]
    p.fertility = curve(society["fertility"]["knots"], society["fertility"]["rate"], men=0)
    p.group_mortality = death["group"]

    moves, departures = society["moves"], society["departures"]
    p.moving = curve(moves["knots"], moves["chance"])[0]
    p.leaves_to_elsewhere = moves["leaves_to_elsewhere"]
    p.departing = curve(departures["knots"], departures["chance"])[0]
    p.departing_arrived, p.group_departing = departures["arrived"], departures["group"]

    income = society["income_group"]
    p.ses_share, p.ses_share_region, p.ses_frailty = income["share"], income["share_region"], income["frailty"]
    morbidity = society["morbidity_region"]
    region_factor = np.interp(np.arange(AGES), morbidity["knots"], morbidity["factor"]).tolist()
    p.group_morbidity = [[1.0] * AGES, region_factor, [1.0] * AGES]
    p.income = [[0.0, *row, 0.0] for row in society["income_source"]["classes"]]
    p.income_frailty = society["income_source"]["frailty"]

    keys = [c.key for c in conditions]
    compiled = []
    for c in conditions:
        condition = _core.Condition()
        condition.key = c.key
        condition.prevalence = curve(c.knots, c.percent, c.men, c.women, 0.01)
        condition.recovery, condition.mortality, condition.frailty = c.recovery, c.mortality, c.frailty
        condition.morbidity_region, condition.wlz = c.morbidity_region, c.wlz
        risks = []
        for other, factor in c.risks.items():
            risk = _core.ConditionRisk()
            risk.condition, risk.factor = keys.index(other), factor
            risks.append(risk)
        condition.risks = risks
        condition.care = [_line(line, f"{c.key}.{k}") for k, line in enumerate(c.care)]
        compiled.append(condition)
    p.conditions = compiled

    episodes = []
    for s in care.low_complexity.specialty:
        e = _core.Episode()
        e.key = f"low_complexity.{s.key}"
        e.trigger = _core.Trigger.rate
        e.rate = curve(list(KNOTS), s.percent, s.men, s.women, 0.01)
        e.frailty = care.low_complexity.frailty
        lines = []
        for consult in (True, False):
            for d in s.diagnoses:
                share = (1 - care.low_complexity.heavier) if consult else care.low_complexity.heavier
                eur = s.consult_eur if consult else s.heavier_eur
                line = _Care(category="hospital", specialism=s.specialism, diagnosis=d.number, consult=consult, eur=eur)
                changes = {"p": share * d.share, "cv": care.low_complexity.cv, "choice": 1}
                lines.append(line.model_copy(update=changes))
        e.care = [_line(line, e.key) for line in lines]
        episodes.append(e)
    for item in care.episode:
        e = _core.Episode()
        e.key = item.key
        e.trigger = getattr(_core.Trigger, item.trigger)
        if item.trigger == "rate":
            e.rate = curve(item.knots, item.percent, item.men, item.women, 0.01)
        e.frailty, e.sticky, e.morbidity_region = item.frailty, item.sticky, item.morbidity_region
        e.care = [_line(line, f"{item.key}.{k}") for k, line in enumerate(item.care)]
        episodes.append(e)
    p.episodes = episodes

    goal = targets(folder, base)
    abroad = _abroad_means(folder, society, base)
    if calibration.general_eur is None:
        means = {name: 0.5 * table for name, table in goal.items()}
    else:
        means = {name: np.array(table) for name, table in calibration.general_eur.items()}
    missing = [item.category for item in care.general if item.category not in means]
    if missing:
        raise ParameterError(Problem(file_name(base), f"general_eur.{name}", "present", "missing") for name in missing)
    general = []
    for item in care.general:
        g = _core.GeneralCare()
        g.category = getattr(_core.Category, item.category)
        same = ("category", "product", "specialism", "diagnosis", "cv", "sticky", "yearly")
        line = _Care(eur=0, **{key: getattr(item, key) for key in same})
        g.line = _line(line, f"general.{item.category}")
        g.use = [
            np.minimum(1, np.array(row)).tolist() for row in curve(item.knots, item.percent, item.men, item.women, 0.01)
        ]
        g.frailty, g.amount_frailty = item.frailty, item.amount_frailty
        rest, inside = means[item.category]
        g.mean_eur = [rest.tolist(), inside.tolist(), abroad[item.category].tolist()]
        if item.course is not None:
            g.course, g.ends, g.growth = True, item.course.ends, item.course.growth
        general.append(g)
    p.general = general
    settings = []
    for row in care.settings:
        setting = _core.CareSetting()
        setting.specialism = row.specialism
        setting.heavy_from_eur, setting.admission_from_eur = row.heavy_from_eur, row.admission_from_eur
        settings.append(setting)
    p.settings = settings
    p.wlz_factor = [float(society["wlz"]["factor"][c]) for c in CATEGORIES]

    switching = society["switching"]
    p.switching = curve(switching["knots"], switching["rate"])
    p.group_switching = switching["group"]
    p.switching_within_year = switching["within_year"]
    p.switching_frailty = _normalised(switching["frailty_slope"])
    voluntary = society["voluntary_deductible"]
    p.voluntary_deductible = curve(voluntary["knots"], voluntary["share"])
    p.voluntary_frailty = voluntary["frailty"]
    p.voluntary_cents = [100 * x for x in voluntary["amounts_eur"]]
    p.voluntary_share = voluntary["amount_share"]
    return p


def _normalised(exponent: float) -> list[float]:
    from statistics import NormalDist

    scores = [round(NormalDist().inv_cdf((k + 0.5) / 16), 12) for k in range(16)]  # alike on every processor
    factor = exact.exp([exponent * score for score in scores])
    return [float(x) for x in factor / factor.mean()]


# What a care category is called in Vektis.
_IN_VEKTIS = {"diagnostics": ("hospital",), "other": ("cross_border", "gzsp", "other"), "sensory": ("other",)}
Prices = Literal["law_year", "nominal"]


def trend_indices(folder: Path | None = None, base: int = DEFAULT_BASE) -> tuple[Table, Table]:
    """Price and volume of every year and care category, [year from the start year][category], of ``trends.toml``.

    1 is the level of the parameters: the price level of the law year, the volume of the Vektis base year (GGZ: that
    of the year of its cells, ``ggz_of``).
    """
    folder = folder or data_directory("params") / "population"
    trends, society = _read("trends.toml", folder), _read("society.toml", folder)
    first, last = society["years"]["start"], society["years"]["last"]
    years = np.arange(first, last + 1)
    change = [trends["price"]["change_percent"][str(y)] for y in years[1:]]
    level = np.concatenate([[1.0], np.cumprod(1 + np.array(change) / 100)])
    rows = {int(r["year"]): r for r in _rows("vektis_trend.csv", folder)}
    outside = 1 + trends["volume"]["outside_percent"] / 100
    weight = {"other": {"other": 1 - society["category_split"]["sensory_of_other"]}}  # as in targets
    factor, at_base = price_factor(folder, base), society["price_level"][str(base)]
    price, volume = np.ones((len(years), len(CATEGORIES))), np.ones((len(years), len(CATEGORIES)))
    for k, category in enumerate(CATEGORIES):
        of, own = (base, factor) if category != "ggz" else (at_base["ggz_of"], at_base["ggz_factor"])
        price[:, k] = level / level[of - first] / own
        names = _IN_VEKTIS.get(category, (category,))
        if f"{names[0]}_eur" not in rows[of]:
            continue
        skipped = trends["volume"]["skip"].get(category, ())
        share = weight.get(category, {})
        mean = {
            y: sum(float(r[f"{n}_eur"]) * share.get(n, 1.0) for n in names) for y, r in rows.items() if y not in skipped
        }
        known = sorted(y for y, m in mean.items() if m > 0)
        total = [mean[y] / level[y - first] for y in known]
        inside = exact.exp(np.interp(years, known, exact.log(total)))
        away = np.maximum(years - known[-1], 0) - np.maximum(known[0] - years, 0)
        index = inside * outside**away
        index /= index[of - first]
        begins = trends["volume"]["begins"].get(category, first)
        volume[:, k] = np.where(years >= begins, index, 0.0)
        if trends["covid"]["use"]:
            volume[2020 - first, k] *= trends["covid"]["volume_2020"].get(category, 1.0)
    return price, volume


@functools.cache
def load_tables(base: int = DEFAULT_BASE, prices: Prices = "law_year") -> _core.PopulationTables:
    """Thresholds and quantile tables of the parameters in the package, calibrated on a base year."""
    parameters = load_parameters(base=base)
    if prices == "nominal":
        price, volume = trend_indices(base=base)
        parameters.price_index, parameters.volume_index = price.tolist(), volume.tolist()
    return _core.build_population(parameters)


@dataclass(frozen=True)
class Population(People):
    """A synthetic population: a plan of blocks over a range of years; nothing is held."""

    tables: _core.PopulationTables
    plan: _core.Plan
    years: tuple[int, int]
    seed: int
    persons: int
    region: str | None = None
    region_codes: tuple[int, ...] = field(default=())
    base: int = DEFAULT_BASE
    prices: Prices = "law_year"
    origin: Literal["synthetic"] = field(default="synthetic", init=False)
    data_sha256: None = field(default=None, init=False)

    def __len__(self) -> int:
        return int(self.plan.blocks)

    def block(self, index: int, years: tuple[int, int] | None = None) -> _core.Block:
        """Records and claims of one block of whole addresses; the same block every time."""
        first, last = years or self.years
        return _core.generate_block(self.tables, self.plan, index, first, last)

    def source(self, years: tuple[int, int] | None = None) -> _core.Source:
        """Blocks made on demand, for the compiled core; of some years only when asked."""
        return _core.population_source(self.tables, self.plan, *(years or self.years))

    @property
    def insurers(self) -> dict[int, str]:
        """Insurer names by code."""
        return {i.code: i.name for i in self.tables.parameters.insurers}

    @property
    def municipalities(self) -> dict[int, str]:
        """Municipality names by code."""
        return {m.code: m.name for m in self.tables.parameters.municipalities}

    @property
    def drugs(self) -> pd.DataFrame:
        """Drug groups of claims: ``drug, atc, name``."""
        return _drugs()

    def products(self) -> pd.DataFrame:
        """What the codes in claims stand for, one row per code of a category.

        Returns
        -------
        DataFrame
            category; product (first number), last (of a range of numbers); specialism and diagnosis where the category
            has them; setting of hospital care; atc of drugs; name; conditions: what leads to it.
        """
        return product_table()

    def municipality_codes(self, region: str) -> list[int]:
        """Codes of the municipalities of a region of ``society.toml``, or of one municipality by name."""
        return list(region_codes(region))

    def insured_years(self, region: str) -> float:
        """Insured years of a region in the start year, from Vektis."""
        codes = set(self.municipality_codes(region))
        return float(sum(m.insured for m in self.tables.parameters.municipalities if m.code in codes))

    def mapping(self, light_product_percent: int | None = None, year: int = 2021) -> _core.Mapping:
        """The stand-in reference files of a law year: which care leads to which class."""
        return load_mapping(year, light_product_percent=light_product_percent).core()


def region_codes(name: str) -> tuple[int, ...]:
    """Municipality codes of a region of ``society.toml`` or ``regions.toml``, or of one municipality by name."""
    return region_municipalities(name, {m.name: m.code for m in load_tables().parameters.municipalities})


def region_municipalities(name: str, known: Mapping[str, int]) -> tuple[int, ...]:
    """The codes among ``known`` (by name) of a region of either file, or of one municipality."""
    own = _read("society.toml", data_directory("params") / "population")["region"]
    regions = {k: r.municipalities for k, r in load_regions().items()} | {
        k: r["municipalities"] for k, r in own.items()
    }
    names = in_borders_of(regions.get(name, [name]), {plain_name(n) for n in known})
    if missing := [n for n in names if n not in known]:
        if name not in regions:
            missing, words = [name], f"{', '.join(sorted(regions))} or a municipality"
        else:
            words = f"the municipalities of {name}"
        raise NotFoundError([Problem("population", "region", words, n) for n in missing])
    return tuple(known[n] for n in names)


# Of params/population: what people are compared with and grouped by, and what a calibration may look for.
NOT_GENERATED = ("targets", "mapping", "calibration_plan", "products")


def parameters_sha256(folder: Path | None = None) -> str:
    """SHA-256 over the names and bytes of the files of ``params/population`` that people are made from."""
    folder = folder or data_directory("params") / "population"
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.*")):
        if path.suffix in (".toml", ".csv") and not path.name.startswith(NOT_GENERATED):
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def addon_drugs(folder: Path | None = None) -> tuple[int, ...]:
    """Drug groups paid by hospitals, which Vektis counts under hospital care."""
    folder = folder or data_directory("params") / "population"
    return tuple(d["drug"] for d in _read("mapping.toml", folder)["drugs"] if d.get("addon", False))


@functools.cache
def _codes() -> dict[str, Any]:
    folder = data_directory("params") / "population"
    return {**_read("products.toml", folder), "mapping": _read("mapping.toml", folder)}


def _drugs() -> pd.DataFrame:
    import pandas as pd

    names = {row["drug"]: row["name"] for row in _codes()["mapping"]["drugs"]}
    rows = [(row["drug"], row["atc"], row.get("name") or names[row["drug"]]) for row in _codes()["drugs"]]
    return pd.DataFrame(rows, columns=["drug", "atc", "name"])


@functools.cache
def specialisms() -> dict[int, str]:
    """Key of every specialism of a claim: "surgery", "ear_nose_and_throat"."""
    words = _numbered(_codes()["specialisms"])
    return {code: re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for code, name in words.items()}


def product_table() -> pd.DataFrame:
    """All codes that conditions, episodes and the general part can put into claims."""
    import pandas as pd

    codes, p = _codes(), load_tables().parameters
    patterns = [(c.key, line.category.name, line) for c in p.conditions for line in c.care]
    patterns += [(e.key, line.category.name, line) for e in p.episodes for line in e.care]
    patterns += [("general", g.category.name, g.line) for g in p.general]
    drugs = {drug: (str(atc), str(name)) for drug, atc, name in _drugs().itertuples(index=False)}
    diagnoses = {(d["specialism"], d["diagnosis"]): d["name"] for d in codes["mapping"]["diagnoses"]}
    devices = {d["device"]: d["name"] for d in codes["mapping"]["devices"]} | _numbered(codes["devices"])
    nursing, therapy = _numbered(codes["nursing"]), _numbered(codes["paramedical"])
    specialisms, settings = _numbered(codes["specialisms"]), _numbered(codes["settings"])
    names: dict[tuple[str, int, int, int, int, str, str], str] = {}
    leads: dict[tuple[str, int, int, int, int, str, str], set[str]] = {}

    def put(key: str, name: str, row: tuple[str, int, int, int, int, str, str]) -> None:
        names.setdefault(row, name)
        leads.setdefault(row, set()).add(key)

    for key, category, line in patterns:
        key = key.removeprefix("low_complexity.")
        plain = category.replace("_", " ")
        if category == "hospital":
            words = diagnoses.get((line.specialism, line.diagnosis), key.replace("_", " "))
            for setting in (1,) if line.consult else (2, 3, 4):
                first = ((line.specialism * 1000 + line.diagnosis) * 10 + setting) * 100
                row = (category, first, first + 99, line.specialism, line.diagnosis, settings[setting], "")
                put(key, f"{specialisms[line.specialism]}: {words}", row)
            continue
        atc, name = "", plain
        if category == "drugs":
            atc, name = drugs[line.product]
        elif category == "devices":
            name = devices[line.product]
        elif category == "nursing":
            name = nursing[line.product]
        elif category == "paramedical":
            name = therapy.get(line.diagnosis, "paramedical care in general")
        elif category == "ggz":
            name = f"mental care, intensity {line.diagnosis}" if line.diagnosis else "mental care in general"
        put(key, name, (category, line.product, line.product, line.specialism, line.diagnosis, "", atc))
    rows = [(*row, names[row], ", ".join(sorted(leads[row]))) for row in sorted(names)]
    columns = ["category", "product", "last", "specialism", "diagnosis", "setting", "atc", "name", "conditions"]
    return pd.DataFrame(rows, columns=columns)


def _numbered(table: dict[str, str]) -> dict[int, str]:
    return {int(k): v for k, v in table.items()}


def synthesise(
    persons: int,
    years: tuple[int, int] = (2015, 2031),
    region: str | None = "mijnstreek",
    seed: int = 1,
    *,
    base: int = DEFAULT_BASE,
    prices: Prices = "law_year",
    block_persons: int = 4096,
) -> Population:
    """Lay out a synthetic population; blocks are made when asked for.

    Parameters
    ----------
    persons : int
        Rows wanted in the start year. A region is one-to-one when it fits in half of them, else thinned too.
    years : (int, int)
        First and last calendar year of the records, within 2011..2031. The life course always starts in 2011.
    region : str, optional
        Name of a region in ``params/population/society.toml``; None thins the country evenly.
    seed : int
        Seed of every draw.
    base : int
        Year of the Vektis cost that care is calibrated on, 2015, 2018, 2021 or 2023, at the level of a law year.
    prices : str
        ``law_year``: the prices and volumes of one law year in all years. ``nominal``: those of each calendar year, by
        ``params/population/trends.toml``.
    """
    check_base(base)
    if prices not in ("law_year", "nominal"):
        raise ParameterError(Problem("synthesise", "prices", "law_year or nominal", prices))
    tables = load_tables(base, prices)
    sample = _core.Sample()
    codes = region_codes(region) if region else ()
    sample.persons, sample.region, sample.seed, sample.block_persons = persons, list(codes), seed, block_persons
    return Population(tables, _core.plan_population(tables, sample), years, seed, persons, region, codes, base, prices)
