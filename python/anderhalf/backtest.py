"""Back-tests: programmes that happened, run by the engine beside what was observed; reported whatever they show.

:func:`backtest` runs each programme in a synthetic country of 2011-2023 on the same persons and draws with and without
it, and gives the ratio of the region (hospital cost of its residents against that of the same age and sex in the
country) per year, with the Monte-Carlo error over seeds. The observed ratios stand in
``params/evidence/backtests.toml``; with the raw Vektis files they are made again by :func:`observed_ratios`.
Nothing observed is an input of a run, but for what a programme file says itself.
"""

from __future__ import annotations

import csv
import gzip
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from anderhalf._paths import data_directory
from anderhalf.columns import days_in
from anderhalf.datasets import plain_name
from anderhalf.errors import DomainError, NotFoundError, Problem
from anderhalf.model import load_model
from anderhalf.parameters import CATEGORIES
from anderhalf.population import BANDS, Population, addon_drugs, synthesise
from anderhalf.programme import Programme, load_programme
from anderhalf.regions import find_region, in_borders_of
from anderhalf.simulation import Rules, Simulation, World

YEARS = (2011, 2023)  # of the synthetic people: the generator starts in 2011, Vektis ends in 2023
# Classes of a year look three years back, so 2014 is the first year that can be simulated, and nothing may look further
# back: weights of our own, a lagging macro amount and lagging expected counts stay out. Hospital cost needs none.
RULES = Rules(start=2014, horizon=10, lag=0, macro="fixed", expected_counts="baseline")
HOSPITAL = ("hospital", "diagnostics")  # in Vektis one category, with the drugs that hospitals are paid for
POWER = 1.96 + 0.84  # standard errors of the smallest effect that a test at 5% sees in four cases out of five
Array = NDArray[Any]
Frame = Any  # a pandas frame; its stubs cannot follow group keys


@dataclass(frozen=True)
class Settings:
    """The size of a run; not what it finds."""

    persons: int = 40_000
    seed: int = 1
    seeds: int = 5
    threads: int = 1
    model: str = "nl-2021-structural"


@dataclass(frozen=True)
class Part:
    """A programme file, the year it begins in, and values that history asks for."""

    name: str
    start: int
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Case:
    """Programmes in a region, and the period over which they are judged."""

    key: str
    place: str  # of the evidence
    region: str  # where the programmes are, and whose ratio is taken
    sample: str  # the region that the population has many rows of
    parts: tuple[Part, ...]
    since: int
    until: int
    vary: tuple[str, ...] = ()  # values of the first part that go to the ends of their range together
    insurers: tuple[str, ...] = ()  # whose result is shown; none: it is not


CASES: tuple[Case, ...] = (
    Case(
        "bernhoven",
        "bernhoven",
        "bernhoven",
        "bernhoven",
        (Part("bernhoven", 2015),),
        2014,
        2019,
        ("share.consults", "share.treatment"),
        ("VGZ", "CZ"),
    ),
    Case("ozl", "ozl", "ozl_constant", "mijnstreek", (Part("pluspunt", 2014),), 2014, 2019, ("added_demand",)),
    Case(
        "ozl_all",
        "ozl",
        "ozl_constant",
        "mijnstreek",
        (Part("pluspunt", 2014), Part("pluspraktijken_ozl", 2016, (("end_year", 2020),))),
        2014,
        2019,
    ),
    Case("contract_ozl", "ozl", "ozl_constant", "mijnstreek", (Part("zuyderland_cz", 2020),), 2019, 2023),
    Case("contract_wm", "wm", "wm", "mijnstreek", (Part("zuyderland_cz", 2020),), 2019, 2023),
)


# --- what was observed ------------------------------------------------------------------------------------------------


def load_evidence() -> dict[str, Any]:
    """``params/evidence/backtests.toml``."""
    path = data_directory("params") / "evidence" / "backtests.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def published(evidence: Mapping[str, Any], place: str) -> dict[int, float]:
    """Hospital ratio by year of a place."""
    entry = evidence[place]
    if "ratio" in entry:
        return {int(point["year"]): float(point["value"]) for point in entry["ratio"]}
    return {int(y): float(v) for y, v in zip(entry["years"], entry["hospital"], strict=True)}


def observed_ratios(folder: str | PathLike[str], regions: Sequence[str]) -> dict[str, dict[int, float]]:
    """Hospital cost of regions against the same age and sex in the country, from raw Vektis files.

    Every ``vektis_YYYY_gemeente.csv`` or ``.csv.gz`` of a folder, by code that shares nothing with
    :func:`anderhalf.regiobeeld`: hundredths of years and cents as integers, cells without a municipality, an age or a
    sex left out.

    Returns
    -------
    dict
        ratio by year, per region.

    Raises
    ------
    NotFoundError
        No such file in the folder.
    """
    files = sorted(p for p in Path(folder).glob("vektis_[0-9][0-9][0-9][0-9]_gemeente.csv*"))
    if not files:
        raise NotFoundError(
            Problem("back-tests", "Vektis files", "vektis_YYYY_gemeente.csv[.gz]", "none in the folder")
        )
    found: dict[str, dict[int, float]] = {region: {} for region in regions}
    for path in files:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig", "replace").splitlines()
        rows = list(csv.reader(lines, delimiter=max(";,\t", key=lines[0].count)))
        names = [name.strip().casefold() for name in rows[0]]
        at = {n: names.index(n) for n in ("geslacht", "leeftijdsklasse", "gemeentenaam", "aantal_verzekerdejaren")}
        cost = next(k for k, name in enumerate(names) if name.startswith("kosten_medisch_specialistische_z"))
        cells: list[tuple[str, tuple[str, str], int, int]] = []
        for row in rows[1:]:
            if len(row) != len(names):
                continue
            town, sex, age = (row[at[n]].strip() for n in ("gemeentenaam", "geslacht", "leeftijdsklasse"))
            if town and sex and age:
                cells.append(
                    (plain_name(town), (sex, age), _cents(row[at["aantal_verzekerdejaren"]]), _cents(row[cost]))
                )
        national: dict[tuple[str, str], list[int]] = {}
        for _, cell, years, cents in cells:
            sums = national.setdefault(cell, [0, 0])
            sums[0] += years
            sums[1] += cents
        known = {town for town, *_ in cells}
        for region in regions:
            members = {plain_name(n) for n in in_borders_of(find_region(region).municipalities, known)}
            if not members <= known:
                continue
            inside = [(cell, years, cents) for town, cell, years, cents in cells if town in members]
            expected = math.fsum(
                y * national[cell][1] / national[cell][0] for cell, y, _ in inside if national[cell][0]
            )
            found[region][int(path.name[7:11])] = sum(cents for *_, cents in inside) / expected
    return found


def _cents(text: str) -> int:
    whole, _, part = text.strip().replace(",", ".").partition(".")
    value = int((whole.lstrip("-") or "0") + (part + "00")[:2])
    return -value if text.strip().startswith("-") else value


# --- what the engine makes --------------------------------------------------------------------------------------------


def regional_cost(people: Population, regions: Mapping[str, Sequence[int]], threads: int = 1) -> pd.DataFrame:
    """Hospital cost of the residents of regions and what it would be at the national cost of their age and sex.

    One pass over the blocks; whole cents and days, so that the sums do not depend on the order. A person of a year
    lives where the first record of the year says; residents abroad are left out, as in Vektis. The national cost of an
    age and sex is that of all years together: prices and volumes are those of one law year, and the error is smaller.

    Returns
    -------
    DataFrame
        region, year, insured_years, actual_cents, expected_cents (float), national_cents.
    """
    first, last = people.years
    size, names = last - first + 1, list(regions)
    addon, drugs = np.array(addon_drugs()), CATEGORIES.index("drugs")
    counted = np.array([CATEGORIES.index(c) for c in HOSPITAL])
    codes = [np.array(sorted(regions[name])) for name in names]
    starts = np.array([_day(first + k) for k in range(size + 1)])
    shape = (len(names) + 1, size, 2 * BANDS)

    def one(index: int) -> tuple[Array, Array]:
        block = people.block(index)
        r, c = block.records, block.claims
        year = np.searchsorted(starts, r["first_day"], side="right") - 1
        age = np.clip((12 * (first + year) + 5 - r["birth_month"].astype(np.int64)) // 12, 0, 105)  # on 30 June
        cell = (r["sex"].astype(np.int64) - 1) * BANDS + np.minimum(BANDS - 1, age // 5)
        persons, at = np.unique(r["person"], return_inverse=True)
        key, of = np.unique(at.ravel() * size + year, return_index=True)  # the first record of a person and year
        head = of[np.searchsorted(key, at.ravel() * size + year)]
        days = (r["last_day"].astype(np.int64) - r["first_day"] + 1) * r["represents"]
        when = np.searchsorted(starts, c["opened"], side="right") - 1
        who = np.minimum(np.searchsorted(persons, c["person"]), len(persons) - 1)
        category = c["category"].astype(np.int64)
        hospital = np.isin(category, counted) | ((category == drugs) & np.isin(c["product"], addon))
        place = np.minimum(np.searchsorted(key, who * size + when), len(key) - 1)
        hospital &= (persons[who] == c["person"]) & (key[place] == who * size + when)
        bearer = of[place[hospital]]
        cents = c["claimed_cents"][hospital].astype(np.int64) * r["represents"][bearer]
        home = r["region"][head] != 0
        time, cost = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for k, member in enumerate([*codes, None]):
            live = home if member is None else home & np.isin(r["municipality"][head], member)
            np.add.at(time[k], (year[live], cell[head][live]), days[live])
            paid = live[bearer]
            np.add.at(cost[k], (year[bearer][paid], cell[bearer][paid]), cents[paid])
        return time, cost

    time, cost = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for more_time, more_cost in pool.map(one, range(len(people))):
            time += more_time
            cost += more_cost
    nation_cost, nation_time = cost[-1].sum(axis=0), time[-1].sum(axis=0)
    rate = np.divide(nation_cost, nation_time, out=np.zeros(2 * BANDS), where=nation_time > 0)
    rows = [
        (
            name,
            first + y,
            float(time[k, y].sum()) / days_in(first + y),
            int(cost[k, y].sum()),
            math.fsum(time[k, y] * rate),
            int(cost[-1, y].sum()),
        )
        for k, name in enumerate(names)
        for y in range(size)
    ]
    columns = ["region", "year", "insured_years", "actual_cents", "expected_cents", "national_cents"]
    return pd.DataFrame(rows, columns=columns)


def _day(year: int) -> int:
    return int(np.datetime64(f"{year}-01-01").astype(int))


def in_region(programme: Programme, region: str, start: int | None = None) -> Programme:
    """The same programme in another region, and from another year on."""
    head = programme.file.programme.model_copy(update={"region": region})
    moved = replace(programme, file=programme.file.model_copy(update={"programme": head}))
    return moved if start is None else moved.with_values(start_year=start)


def hospital_change(run: Simulation) -> dict[int, int]:
    """Claimed hospital cost with the programme less without it, by year, in cents: what Vektis would count."""
    moves = run.movements
    moves = moves[moves.category.isin(HOSPITAL)]
    found = moves.groupby("year").claimed_cents.sum()
    return {year: int(found.get(year, 0)) for year in range(RULES.start, RULES.start + RULES.horizon)}


def ratio_with(actual: float, expected: float, national: float, change: float) -> float:
    """Ratio after a change of the region's cost; the national cost per age and sex moves along, evenly over ages."""
    return (actual + change) / (expected * (1 + change / national))


# --- the whole --------------------------------------------------------------------------------------------------------


def backtest(
    settings: Settings = Settings(),
    *,
    vektis: str | PathLike[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> BackTest:
    """Run every back-test.

    Parameters
    ----------
    settings : Settings
        Rows per population, seeds, model year. The result does not depend on the threads.
    vektis : path, optional
        A folder with raw Vektis files: observed ratios are also made again from all years there.

    Raises
    ------
    DomainError
        Fewer than two seeds: there is no Monte-Carlo error of one.
    """
    if settings.seeds < 2:
        raise DomainError(Problem("backtest", "seeds", "2 or more, for a Monte-Carlo error", str(settings.seeds)))
    samples = list(dict.fromkeys(case.sample for case in CASES))
    done, steps = 0, len(samples) * settings.seeds
    model = load_model(settings.model)
    model.require_channels("backtest")
    found: dict[str, list[dict[str, Any]]] = {"cost": [], "change": [], "insurers": []}
    plans: dict[str, dict[str, int]] = {}
    shares: dict[str, list[float]] = {}
    for sample in samples:
        cases = [case for case in CASES if case.sample == sample]
        for seed in range(settings.seed, settings.seed + settings.seeds):
            if progress is not None:
                progress(f"back-tests: {sample}, seed {seed}", done, steps)
            done += 1
            people = synthesise(settings.persons, YEARS, region=sample, seed=seed)
            plans[sample] = {"region": people.plan.represents_region, "rest": people.plan.represents_rest}
            regions = {name: people.municipality_codes(name) for name in dict.fromkeys(c.region for c in cases)}
            cost = regional_cost(people, regions, settings.threads)
            found["cost"] += [{**row, "seed": seed, "sample": sample} for row in _rows(cost)]
            world = World(people, model, RULES, threads=settings.threads, estimates=False)
            for case in cases:
                shares[case.region] = _shares(people, regions[case.region])
                for row in _runs(world, case):
                    table = row.pop("table")
                    found[table].append({"case": case.key, "seed": seed, **row})
            del world
    evidence = load_evidence()
    again = observed_ratios(vektis, list(dict.fromkeys(case.region for case in CASES))) if vektis is not None else {}
    return BackTest(_summary(settings, found, evidence, again, plans, shares))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(map(str, frame.columns), row, strict=True)) for row in frame.itertuples(index=False)]


def _shares(people: Population, codes: Sequence[int]) -> list[float]:
    """Insured of each municipality as a share of the region."""
    insured = [m.insured for m in people.tables.parameters.municipalities if m.code in set(codes)]
    return [x / sum(insured) for x in insured]


def programmes_of(case: Case) -> list[Programme]:
    """The programmes of a case, in its region and years."""
    return [
        in_region(load_programme(part.name), case.region, part.start).with_values(**dict(part.values))
        for part in case.parts
    ]


def _runs(world: World, case: Case) -> list[dict[str, Any]]:
    """The programmes of a case as they are, and with the uncertain values at both ends of their range."""
    programmes = programmes_of(case)

    def at_ends(keys: Sequence[str], end: int) -> list[Programme]:
        ends = {key: _row_of(programmes[0], key)["range"][end] for key in keys}
        return [programmes[0].with_values(**ends), *programmes[1:]]

    variants = {"": programmes}
    if case.vary:
        variants |= {name: at_ends(case.vary, end) for end, name in enumerate(_ENDS)}
    rows: list[dict[str, Any]] = []
    for variant, chosen in variants.items():
        run = world.run(chosen, "region", decompose=not variant and bool(case.insurers))
        moves = run.movements
        avoided = moves[(moves.effect == "avoided") & moves.category.isin(HOSPITAL)].groupby("year").claims.sum()
        for year, cents in hospital_change(run).items():
            claims = int(avoided.get(year, 0))
            rows.append({"table": "change", "variant": variant, "year": year, "cents": cents, "claims": claims})
        if not variant and case.insurers:
            parts = run.decomposition[run.decomposition.year.between(case.since, case.until)]
            for (insurer, channel), part in parts.groupby(["insurer", "channel"], sort=False):
                row = {"table": "insurers", "insurer": insurer, "channel": channel, "cents": int(part.cents.sum())}
                rows.append(row)
    for end, name in enumerate(_ENDS):  # of what the contract lets an insurer save
        if case.insurers:
            keys = [f"contract.{n + 1}.pass_through" for n in range(len(programmes[0].file.contract))]
            run = world.run(at_ends(keys, end), "region", decompose=False)
            books = run.statements[run.statements.year.between(case.since, case.until)]
            result = books.groupby(["insurer", "arm"]).result.sum().unstack()
            for insurer, cents in (result["scenario"] - result["baseline"]).items():
                rows.append({"table": "insurers", "insurer": insurer, "channel": f"pass_{name}", "cents": int(cents)})
    return rows


def _row_of(programme: Programme, key: str) -> dict[str, Any]:
    """The value of a programme with its range, as reports list it."""
    return next(row for row in programme.assumptions() if row["key"] == f"{programme.name}.{key}")


def _described(case: Case) -> dict[str, Any]:
    programmes = programmes_of(case)
    row = _row_of(programmes[0], case.vary[0]) if case.vary else None
    contracts = {c.insurer: c.pass_through for c in programmes[0].file.contract}
    passes = contracts[case.insurers[0]] if case.insurers else None
    return {
        "case": case.key,
        "region": case.region,
        "programmes": [{"name": part.name, "start": part.start, **dict(part.values)} for part in case.parts],
        "programme_sha256": [programme.sha256 for programme in programmes],
        "since": case.since,
        "until": case.until,
        "varied": [row["value"], *row["range"]] if row else None,
        "pass_through": passes.value if passes else None,
        "pass_range": list(passes.range) if passes and passes.range else None,
    }


def _summary(
    settings: Settings,
    found: Mapping[str, list[dict[str, Any]]],
    evidence: Mapping[str, Any],
    again: Mapping[str, Mapping[int, float]],
    plans: Mapping[str, Mapping[str, int]],
    shares: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    cost: Frame = pd.DataFrame(found["cost"]).set_index(["region", "seed", "year"])
    change: Frame = pd.DataFrame(found["change"]).set_index(["case", "variant", "seed", "year"])
    seeds = range(settings.seed, settings.seed + settings.seeds)
    ratios, ranges, judged, insurers = [], [], [], []
    for case in CASES:
        seen = published(evidence, case.place)
        variants = list(dict.fromkeys(r["variant"] for r in found["change"] if r["case"] == case.key))
        without: dict[int, list[float]] = {}
        effect: dict[tuple[str, int], list[float]] = {}
        part: dict[int, list[float]] = {}
        for year in range(YEARS[0], YEARS[1] + 1):
            for seed in seeds:
                row = cost.loc[(case.region, seed, year)]
                actual, expected, national = row.actual_cents, row.expected_cents, row.national_cents
                without.setdefault(year, []).append(actual / expected)
                for variant in variants:
                    cents = int(change.cents.get((case.key, variant, seed, year), 0))
                    moved = ratio_with(actual, expected, national, cents) - actual / expected
                    effect.setdefault((variant, year), []).append(moved)
                    if not variant:
                        part.setdefault(year, []).append(-cents / actual)
        for year in range(YEARS[0], YEARS[1] + 1):
            level, moved = without[year], effect[("", year)]
            both = [a + b for a, b in zip(level, moved, strict=True)]
            drift = [a - fmean(w[k] for w in without.values()) for k, a in enumerate(level)]
            since = [a - b for a, b in zip(moved, effect[("", case.since)], strict=True)]
            claims = [int(change.claims.get((case.key, "", seed, year), 0)) for seed in seeds]
            ratios.append(
                {
                    "case": case.key,
                    "region": case.region,
                    "year": year,
                    "observed": seen.get(year),
                    "recomputed": again.get(case.region, {}).get(year),
                    "without": fmean(level),
                    "without_se": _se(level),
                    "with": fmean(both),
                    "with_se": _se(both),
                    "effect": fmean(moved),
                    "effect_se": _se(moved),
                    "drift": fmean(drift),
                    "drift_se": _se(drift),
                    "effect_since": fmean(since),
                    "effect_since_se": _se(since),
                    "claims_avoided": fmean(claims),
                    "share_of_cost": fmean(part[year]),
                }
            )
            ranges += [
                {
                    "case": case.key,
                    "variant": variant,
                    "year": year,
                    "effect": fmean(effect[(variant, year)]),
                    "effect_se": _se(effect[(variant, year)]),
                }
                for variant in variants
                if variant
            ]
        judged.append(_judge(case, seen, effect, evidence, shares[case.region]))
        insurers += _insurer_rows(case, found["insurers"], list(seeds))
    return {
        "settings": {**{k: v for k, v in asdict(settings).items() if k != "threads"}, "years": list(YEARS)},
        "parameters_sha256": load_model(settings.model).parameters_sha256,
        "rules": {k: getattr(RULES, k) for k in ("start", "horizon", "lag", "macro", "expected_counts")},
        "represents": {k: dict(v) for k, v in plans.items()},
        "cases": [_described(case) for case in CASES],
        "ratios": ratios,
        "ranges": ranges,
        "judged": judged,
        "insurers": insurers,
    }


def _judge(
    case: Case,
    seen: Mapping[int, float],
    effect: Mapping[tuple[str, int], Sequence[float]],
    evidence: Mapping[str, Any],
    shares: Sequence[float],
) -> dict[str, Any]:
    """Observed change, change by the engine, and what could be told from what municipalities do by themselves."""
    moved = [b - a for a, b in zip(effect[("", case.since)], effect[("", case.until)], strict=True)]
    spread = min(evidence["spread"], key=lambda s: (abs(s["to"] - s["from"] - case.until + case.since), -s["to"]))
    sd = float(spread["value"])
    ends = [
        fmean(b - a for a, b in zip(effect[(v, case.since)], effect[(v, case.until)], strict=True))
        for v in {variant for variant, _ in effect}
    ]
    observed = seen[case.until] - seen[case.since]
    return {
        "case": case.key,
        "from": case.since,
        "to": case.until,
        "observed": observed,
        "engine": fmean(moved),
        "engine_se": _se(moved),
        "engine_low": min(ends),
        "engine_high": max(ends),
        "spread": sd,
        "spread_from": spread["from"],
        "spread_to": spread["to"],
        "gap_in_spreads": (observed - fmean(moved)) / sd,
        "smallest_seen": POWER * sd,  # municipalities of the region move together
        "smallest_seen_apart": POWER * sd * math.sqrt(sum(s * s for s in shares)),  # each by itself
    }


_ENDS = ("low", "high")
_PARTS = {
    "saving": ("a1_hospital_avoided", "a2_replacement", "a3_downstream"),
    "own_payments": ("b_own_payments",),
    "contribution": ("c1_classes", "c2_thresholds", "d_expected_own_payments", "e1_neutrality", "e2_scaling"),
    "settlement": ("h_settlement",),
    "programme": ("i_transfers",),
}


def _insurer_rows(case: Case, rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Change of the result of insurers over the period, in parts; weights and macro amount stay."""
    if not case.insurers:
        return []
    own = [row for row in rows if row["case"] == case.key]
    groups = {"+".join(case.insurers): set(case.insurers), "others": {r["insurer"] for r in own} - set(case.insurers)}
    known = {channel for channels in _PARTS.values() for channel in channels}
    ends = {f"result_{name}": (f"pass_{name}",) for name in _ENDS}
    named = known | {f"pass_{name}" for name in _ENDS}
    if lost := sorted({r["channel"] for r in own if r["cents"] and r["channel"] not in named}):
        raise DomainError(
            Problem("backtest", "channels of a run with weights and macro amount fixed", "0", ", ".join(lost))
        )
    found = []
    for group, members in groups.items():
        for name, channels in (*_PARTS.items(), ("result", tuple(known)), *ends.items()):
            values = [
                sum(r["cents"] for r in own if r["seed"] == s and r["insurer"] in members and r["channel"] in channels)
                for s in seeds
            ]
            row = {"case": case.key, "from": case.since, "to": case.until, "insurers": group, "part": name}
            found.append({**row, "cents": round(fmean(values)), "se_cents": round(_se(values))})
    return found


def _se(values: Sequence[float]) -> float:
    return stdev(values) / math.sqrt(len(values))


@dataclass(frozen=True)
class BackTest:
    """Every back-test of a run: plain numbers in ``data``, the same for every number of threads."""

    data: dict[str, Any]

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """``ratios`` per case and year, ``ranges`` over assumptions, ``judged`` per case, ``insurers`` in cents."""
        return {name: pd.DataFrame(self.data[name]) for name in ("ratios", "ranges", "judged", "insurers")}

    def series(self, case: str) -> dict[str, dict[int, float]]:
        """For a figure: ``observed``, and ``without`` and ``with`` the programme at the observed level of the start.

        ``without`` moves as the ratio of the simulated region does around its mean over the years, ``with`` by what the
        programme does to it; their Monte-Carlo errors stand under ``without_se`` and ``with_se``.
        """
        rows = [row for row in self.data["ratios"] if row["case"] == case]
        if not rows:
            known = ", ".join(str(c["case"]) for c in self.data["cases"])
            raise NotFoundError(Problem("BackTest.series", "case", f"one of {known}", case))
        since = next(int(c["since"]) for c in self.data["cases"] if c["case"] == case)
        level = next(float(row["observed"]) for row in rows if row["year"] == since)
        later = [row for row in rows if row["year"] >= since]
        return {
            "observed": {r["year"]: r["observed"] for r in rows if r["observed"] is not None},
            "without": {r["year"]: level + r["drift"] for r in later},
            "without_se": {r["year"]: r["drift_se"] for r in later},
            "with": {r["year"]: level + r["effect_since"] for r in later},
            "with_se": {r["year"]: r["effect_since_se"] for r in later},
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it, for ``results.json``."""
        return self.data

    def text(self, lang: str = "en") -> list[tuple[str, str]]:
        """What the back-tests show and cannot show: (key, paragraph), in order; ``**`` stands around bold words."""
        from anderhalf.backtest_report import paragraphs

        return paragraphs(self.data, lang)

    def figures(self, lang: str = "en") -> dict[str, str]:
        """SVG text of a figure per case."""
        from anderhalf.backtest_report import figures

        return figures(self.data, lang)

    def write(self, out: str | PathLike[str], lang: str = "en") -> Path:
        """Write ``report.html, results.json, tables/*.csv, figures/*.svg`` into ``out``, whole or not at all."""
        from anderhalf.backtest_report import write

        return write(self.data, out, lang)
