"""A scenario in one or more worlds: what it does, how sure that is, and what else it could do.

:func:`study` runs the same programmes in populations of several seeds (chance), and in the first of them with other
values of every assumption that has a range (what is not known). What it returns is plain frames and lists, which
:mod:`~anderhalf.simulation_report` writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import pandas as pd

from anderhalf.backtest import Settings, backtest
from anderhalf.errors import AnderhalfError, DomainError, ParameterError, Problem
from anderhalf.export import MINIMUM_PERSONS
from anderhalf.model import Model, load_model
from anderhalf.programme import Programme
from anderhalf.programme_page import measure
from anderhalf.reproduction import ADDED_DEMAND, DKG_SHARES, PRICE_RATIOS, TITLES, national, payback
from anderhalf.scenario_file import Scenario
from anderhalf.simulation import Rules, Simulation, World, simulate

if TYPE_CHECKING:
    from anderhalf.sources import Insured

Progress = Callable[[str, int, int], None]
# One rule of the scheme at a time, in the first world.
RULE_VARIANTS: tuple[tuple[str, Any], ...] = (
    ("threshold_factor", 0.7),
    ("threshold_factor", 1.3),
    ("macro", "fixed"),
    ("macro", "actual"),
    ("expected_counts", "baseline"),
    ("expected_counts", "actual"),
)
DISCOUNT_RATES = (0.0, 0.05)
BACKTESTS = Settings(persons=20_000, seeds=2)  # in small: `anderhalf backtest` runs them larger
_HEAT_STEPS = 5
_FEW = 3  # programmes; of more, each is varied apart from the others


@dataclass
class Study:
    """What a scenario did: frames of every seed, and lists of what varied."""

    scenario: Scenario
    law: Model
    origin: str
    data_sha256: str | None
    data_options: list[str]
    insurers: list[str]
    judged: list[str]
    tables: dict[str, pd.DataFrame]
    seeds: list[dict[str, Any]]
    adoption: list[dict[str, Any]]
    population: dict[str, Any]
    assumptions: list[dict[str, Any]]
    persons: dict[str, list[int]] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    backtests: dict[str, Any] = field(default_factory=dict)
    sign_map: list[dict[str, Any]] = field(default_factory=list)
    heat_map: dict[str, Any] = field(default_factory=dict)

    @property
    def programmes(self) -> tuple[Programme, ...]:
        return self.scenario.programmes

    @property
    def years(self) -> list[int]:
        return [self.scenario.start + k for k in range(self.scenario.horizon)]

    @property
    def rate(self) -> float:
        return self.scenario.settings().discount_rate

    def discount(self, year: int) -> float:
        return float((1 + self.rate) ** (self.scenario.start - year))

    def mean(self, key: str) -> float:
        """Mean over seeds of a figure of :attr:`seeds`."""
        return fmean(float(seed[key]) for seed in self.seeds)

    def error(self, key: str) -> float | None:
        """Monte-Carlo standard error of that mean; None with one seed."""
        return standard_error([float(seed[key]) for seed in self.seeds])

    def known(self, key: str) -> float | None:
        """Mean of a figure over the seeds that have it; None when none has."""
        found = [float(seed[key]) for seed in self.seeds if seed[key] is not None]
        return fmean(found) if found else None

    def by_year(self) -> list[float]:
        """Change in result of the insurers that are judged, cents of each year, mean over seeds."""
        return [fmean(float(seed["by_year_cents"][k]) for seed in self.seeds) for k in range(len(self.years))]

    def answer(self) -> dict[str, Any]:
        """The answer, with the keys of results.json."""
        npv, saving = round(self.mean("npv_cents")), round(self.mean("saving_cents"))
        kind, _, names = self.scenario.adoption.partition(":")
        prices = [s["break_even_price_eur"] for s in self.seeds if s["break_even_price_eur"] is not None]
        error = self.error("npv_cents")
        found = [v["npv_cents"] for v in self.variants]
        return {
            "npv_cents": npv,
            "saving_cents": saving,
            "undiscounted_cents": round(self.mean("undiscounted_cents")),
            "kept_share": npv / saving if saving else None,
            "power": self.known("power"),
            "marginal_power": self.known("marginal_power"),
            "payback_year": payback(dict(zip(self.years, map(round, self.by_year()), strict=True))),
            "break_even_price_eur": round(fmean(prices), 2) if len(prices) == len(self.seeds) else None,
            "adoption": self.scenario.adoption,
            "insurer": names if kind == "insurer" else None,
            "start": self.scenario.start,
            "horizon": self.scenario.horizon,
            "discount_rate": self.rate,
            "monte_carlo_se_cents": None if error is None else round(error),
            "seeds": len(self.seeds),
            "range_over_assumptions_cents": [min(found), max(found)] if found else None,
        }


def standard_error(values: Sequence[float]) -> float | None:
    """Of a mean; None for one value."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


# --- one world --------------------------------------------------------------------------------------------------------


def frames(run: Simulation, *, programmes: bool = True) -> dict[str, pd.DataFrame]:
    """Every table of one simulation, with the seed of its people; ``programmes``: each apart, which takes runs more."""
    found = {
        "decomposition": run.decomposition,
        "ledger": run.ledger,
        "statements": run.statements,
        "movements": run.movements,
        "class_changes": run.class_changes,
        "national": national(run),
        "criteria": run.criteria,
        "parties": run.parties,
        "parties_second_way": run.recompute_parties(),
        "visits": run.visits,
        "health_gap": run.health_gap,
    }
    if len(run.programmes) > 1 and programmes:
        found["by_programme"] = run.by_programme()
    return {name: frame.assign(seed=run.world.people.seed) for name, frame in found.items()}


def of_run(run: Simulation) -> Study:
    """One simulation as a study of one world, without variants."""
    require_many(run)
    return _Runs([run.world.people], _scenario_of(run), run.world.threads, None).one(run)


def _scenario_of(run: Simulation) -> Scenario:
    rules = run.world.rules
    given = {
        name: getattr(rules, name)
        for name in rules.__dataclass_fields__
        if name not in ("start", "horizon") and getattr(rules, name) != getattr(Rules(), name)
    }
    return Scenario(
        run.programmes,
        adoption=run.adoption,
        model=run.world.model.name,
        start=rules.start,
        horizon=rules.horizon,
        rules=given,
    )


def study(
    people: Sequence[Insured],
    scenario: Scenario,
    *,
    variants: bool = True,
    backtests: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Study:
    """Run a scenario in one world per population, and in the first with other values of what is not known.

    Parameters
    ----------
    people : sequence of Population or Dataset
        The same country with other seeds; of files there is one.
    scenario : Scenario
        See :func:`~anderhalf.scenario_file.load_scenario`.
    variants : bool
        Without them there is no range over assumptions, no sign map and no heat map.
    backtests : bool
        Also run the programmes that happened, in small, beside what was observed; in synthetic people of their own.
    progress : callable, optional
        Called with what is done next, its number and how many there are.

    Raises
    ------
    ParameterError
        Every problem of law, rules, horizon and adoption at once.
    """
    law = check_scenario(people[0], scenario)
    return _Runs(people, scenario, threads, progress).all(law, variants, backtests)


def check_scenario(people: Insured, scenario: Scenario) -> Model:
    """The law of a scenario, when people, law, rules, horizon and adoption fit each other.

    Raises
    ------
    ParameterError
        Every problem at once, before any work.
    """
    problems: list[Problem] = []

    def collect(part: Callable[[], Any]) -> Any:
        try:
            return part()
        except AnderhalfError as error:
            problems.extend(error.problems)
            return None

    law: Model | None = collect(lambda: load_model(scenario.model))
    if law is not None:
        collect(lambda: law.require_channels("simulate"))
    collect(scenario.settings)
    for programme in scenario.programmes:
        for area in filter(None, (programme.region, programme.file.programme.hand_over_region)):
            collect(partial(people.municipality_codes, area))
    first, last = people.years
    if not (first < scenario.start and scenario.start + scenario.horizon - 1 <= last):
        years = f"{scenario.start}-{scenario.start + scenario.horizon - 1}"
        problems.append(Problem("simulate", "years", f"within the years of the people, {first}-{last}", years))
    collect(lambda: adoption_codes(people, scenario.adoption))
    if problems or law is None:
        raise ParameterError(problems)
    return law


def adoption_codes(people: Insured, text: str) -> list[int]:
    """Codes of the insurers that are judged; every name that is not there is named."""
    kind, _, names = text.partition(":")
    if text in ("region", "national"):
        return list(people.insurers)
    if kind not in ("insurer", "insurers") or not names:
        expected = "insurer:NAME, insurers:NAME+NAME, region or national"
        raise ParameterError([Problem("adoption", "who takes part", expected, text)])
    code = {known: k for k, known in people.insurers.items()} | {str(k): k for k in people.insurers}
    wanted = names.split("+")
    known = ", ".join(people.insurers.values())
    problems = [Problem("adoption", "insurer", f"one of {known}", name) for name in wanted if name not in code]
    if kind == "insurer" and len(wanted) > 1:
        problems.append(Problem("adoption", "insurer", "one name, or insurers:NAME+NAME", text))
    if problems:
        raise ParameterError(problems)
    return [code[name] for name in wanted]


class _Runs:
    """The runs of a study, in order."""

    def __init__(self, people: Sequence[Insured], scenario: Scenario, threads: int, progress: Progress | None) -> None:
        self.people, self.scenario, self.threads = people, scenario, threads
        self.few = len(scenario.programmes) <= _FEW
        self._progress = progress or (lambda *_: None)
        self.steps, self.done = len(people), 0

    def step(self, what: str) -> None:
        self._progress(what, self.done, self.steps)
        self.done += 1

    def one(self, run: Simulation) -> Study:
        found = _study(run, self.scenario)
        found.seeds = [_seed(run, price=len(run.programmes) == 1)]
        found.adoption = [_taking_part(run, run)]
        found.tables = frames(run)
        found.persons = persons_of(run, found.tables)
        return found

    def all(self, law: Model, variants: bool, backtests: bool) -> Study:
        self.steps = len(self.people) + (6 if variants else 0) + int(backtests)
        found: Study | None = None
        parts: dict[str, list[pd.DataFrame]] = {}
        adoption: list[list[dict[str, Any]]] = []
        seeds: list[dict[str, Any]] = []
        for k, people in enumerate(self.people):
            self.step(f"world {k + 1} of {len(self.people)}")
            run = self.simulated(people, law)
            require_many(run)
            for name, frame in frames(run, programmes=k == 0 or self.few).items():
                parts.setdefault(name, []).append(frame)
            seeds.append(_seed(run, price=len(run.programmes) == 1))
            others = [kind for kind in ("region", "national") if kind != self.scenario.adoption]
            runs = [run, *(self.again(run.world, self.scenario.programmes, kind) for kind in others)]
            adoption.append([_taking_part(run, other) for other in runs])
            if found is None:
                found = _study(run, self.scenario)
                found.persons = persons_of(run, {name: frame[-1] for name, frame in parts.items()})
                if variants:
                    self.vary(run, found, law)
            del run, runs
        assert found is not None
        if backtests:
            self.step("back-tests, in small")
            found.backtests = dict(backtest(replace(BACKTESTS, threads=self.threads)).data)
        found.seeds, found.adoption = seeds, _pooled_adoption(adoption)
        found.tables = {name: pd.concat(frame, ignore_index=True) for name, frame in parts.items()}
        return found

    def simulated(self, people: Insured, law: Model, **rules: Any) -> Simulation:
        s = self.scenario
        return simulate(
            people,
            law,
            list(s.programmes),
            start=s.start,
            horizon=s.horizon,
            adoption=s.adoption,
            rules={**s.rules, **rules},
            threads=self.threads,
        )

    def again(
        self, world: World, programmes: Sequence[Programme], adoption: str | None = None, threads: int | None = None
    ) -> Simulation:
        return world.run(programmes, adoption or self.scenario.adoption, decompose=False, threads=threads)

    def results(
        self, world: World, base: dict[str, Any], variants: Sequence[Sequence[Programme]]
    ) -> list[dict[str, Any]]:
        """Results of many variants, several at a time; the core works without the interpreter's lock.

        Of more than three programmes only those that change run, with those that bring a contract, and what their
        result changes by is added to the result of all; what programmes take from each other stays as it is.
        """
        found = self.base_of([self.part(v) for v in variants], world)

        def one(changed: Sequence[Programme]) -> dict[str, Any]:
            part = self.part(changed)
            result = _result(self.again(world, [changed[k] for k in part], threads=1))
            before = found[part]
            return {
                "npv_cents": base["npv_cents"] + result["npv_cents"] - before["npv_cents"],
                "by_year_cents": [
                    a + b - c
                    for a, b, c in zip(
                        base["by_year_cents"], result["by_year_cents"], before["by_year_cents"], strict=True
                    )
                ],
            }

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(one, variants))

    def part(self, changed: Sequence[Programme]) -> tuple[int, ...]:
        """Positions of the programmes that run for a variant: all of few, else those that change and contracts."""
        own = self.scenario.programmes
        if self.few:
            return tuple(range(len(own)))
        return tuple(k for k, p in enumerate(changed) if p is not own[k] or p.file.contract)

    def base_of(self, parts: Sequence[tuple[int, ...]], world: World) -> dict[tuple[int, ...], dict[str, Any]]:
        """Results of parts of the programmes as they are; each is surveyed here, once."""
        own = self.scenario.programmes
        return {
            part: _result(self.again(world, [own[k] for k in part], threads=self.threads))
            for part in dict.fromkeys(parts)
        }

    # -- what is not known

    def vary(self, run: Simulation, found: Study, law: Model) -> None:
        world, programmes = run.world, self.scenario.programmes
        self.step("each programme alone, beside what was published")
        if run.world.people.origin == "synthetic":
            found.lines = {p.name: measure(world, p) for p in programmes}
        base = _result(run)
        rows = [{"assumption": "as assumed", "programme": "", "key": "", "value": "", **base}]
        self.step("assumptions of the programmes, at the ends of their ranges")
        changes = [change for k in range(len(programmes)) for change in _changes(programmes, k)]
        results = self.results(world, base, [changed for *_, changed in changes])
        for (programme, key, value, _), result in zip(changes, results, strict=True):
            name = f"{programme}.{key}"
            rows.append({"assumption": name, "programme": programme, "key": key, "value": value, **result})
        self.step("rules of the scheme")
        for key, value in RULE_VARIANTS:
            if getattr(world.rules, key) != value:
                other = self.again(world.under(replace(world.rules, **{key: value})), programmes)
                rows.append(_rule(key, value, _result(other)))
        for rate in DISCOUNT_RATES:
            cents = sum(c / (1 + rate) ** k for k, c in enumerate(base["by_year_cents"]))
            rows.append(_rule("discount_rate", rate, {**base, "npv_cents": round(cents)}))
        self.step("price and consult share" if _centres(programmes) else "two assumptions together")
        found.heat_map = self.heat(world, base, rows)
        centres = _centres(programmes)
        self.step("sign map" if centres else "no 1.5-line centre, no sign map")
        own = world.rules.dkg_share
        if centres:
            found.sign_map += self.grid(world, run, own)
        for share in DKG_SHARES:
            if share == own:
                continue
            if share == max(s for s in DKG_SHARES if s != own):
                self.step("stand-in of DKGs at other shares")
            other_world = self.simulated(self.people[0], law, dkg_share=share)
            rows.append(_rule("dkg_share", share, _result(other_world)))
            if centres:
                found.sign_map += self.grid(other_world.world, other_world, share)
            del other_world
        found.sign_map.sort(key=lambda row: row["dkg_share"])
        found.variants = rows

    def grid(self, world: World, run: Simulation, share: float) -> list[dict[str, Any]]:
        """Results over price ratio, added demand and title of every 1.5-line centre at once."""
        programmes = self.scenario.programmes
        mean, fixed = replaced_price_eur(run), _programme_cost(run)
        cells = [
            {"dkg_share": share, "title": title, "added_demand": added, "price_ratio": ratio}
            | {"price_eur": round(ratio * mean, 2)}
            for title in TITLES
            for added in ADDED_DEMAND
            for ratio in PRICE_RATIOS
        ]
        variants = [
            _with_centres(programmes, price=c["price_eur"], added_demand=c["added_demand"], payment_title=c["title"])
            for c in cells
        ]
        results = [result["npv_cents"] for result in self.results(world, _result(run), variants)]
        # The programmes cost the same in every cell: that moves the whole map, never its shape.
        return [
            {**cell, "npv_cents": npv, "npv_before_programme_cost_cents": npv + fixed}
            for cell, npv in zip(cells, results, strict=True)
        ]

    def heat(self, world: World, base: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Results over two assumptions together: price and consult share of a centre, else the two that move most."""
        programmes = self.scenario.programmes
        if centres := _centres(programmes):
            chosen = [(centres[0].name, "consult_share"), (centres[0].name, "price")]
        else:
            spread: dict[tuple[str, str], int] = {}
            for row in rows[1:]:
                if row["programme"] and isinstance(row["value"], float):
                    name = (row["programme"], row["key"])
                    spread[name] = max(spread.get(name, 0), abs(row["npv_cents"] - base["npv_cents"]))
            chosen = sorted((n for n in spread if spread[n]), key=lambda n: (-spread[n], n))[:2]
        if len(chosen) < 2:
            return {}
        axes = [_steps(programmes, name, key) for name, key in chosen]
        cells = [(a, b) for a in axes[0] for b in axes[1]]
        changed = []
        for pair in cells:
            now = programmes
            for (owner, key), value in zip(chosen, pair, strict=True):
                if centres:
                    now = _with_centres(now, **{key: value})
                else:
                    now = tuple(p.with_values(**{key: value}) if p.name == owner else p for p in now)
            changed.append(now)
        found = [result["npv_cents"] for result in self.results(world, base, changed)]
        return {
            "rows": {"programme": chosen[0][0], "key": chosen[0][1], "values": axes[0]},
            "columns": {"programme": chosen[1][0], "key": chosen[1][1], "values": axes[1]},
            "base": [_value(programmes, *name) for name in chosen],
            "cells": [
                {"row_value": a, "column_value": b, "npv_cents": npv} for (a, b), npv in zip(cells, found, strict=True)
            ],
        }


def _centres(programmes: Sequence[Programme]) -> list[Programme]:
    """Programmes with a 1.5-line centre: a price, added demand and a title of its own."""
    return [p for p in programmes if p.file.line]


def _with_centres(programmes: Sequence[Programme], **values: Any) -> tuple[Programme, ...]:
    return tuple(p.with_values(**values) if p.file.line else p for p in programmes)


def _value(programmes: Sequence[Programme], name: str, key: str) -> float:
    return next(float(row["value"]) for p in programmes if p.name == name for row in _ranged(p) if row["name"] == key)


def _ranged(programme: Programme) -> list[dict[str, Any]]:
    """Numbers of a programme with a range that :meth:`Programme.with_values` can set, under the name it knows."""
    found = []
    for row in programme.assumptions():
        key = row["key"].removeprefix(f"{programme.name}.")
        number = isinstance(row["value"], int | float) and not isinstance(row["value"], bool)
        if row["range"] and number and not key.startswith("refer_on."):
            found.append({**row, "name": key})
    return found


def _changes(programmes: Sequence[Programme], k: int) -> list[tuple[str, str, Any, tuple[Programme, ...]]]:
    """(programme, key, value, all programmes) with one value of programme ``k`` at an end of its range."""
    p = programmes[k]
    values: list[tuple[str, Any]] = [
        (row["name"], end)
        for row in _ranged(p)
        for end in (type(row["value"])(v) for v in row["range"])
        if not math.isclose(end, float(row["value"]))
    ]
    if p.file.line:
        values += [("payment_title", title) for title in TITLES if title != p.get("payment_title")]
        values += [("refer_on_factor", 0.5), ("refer_on_factor", 1.5)]
    return [
        (p.name, key, value, (*programmes[:k], p.with_values(**{key: value}), *programmes[k + 1 :]))
        for key, value in values
    ]


def _steps(programmes: Sequence[Programme], name: str, key: str) -> list[float]:
    """Values of an axis: the ends of the range, the value assumed, and halfway."""
    row = next(row for p in programmes if p.name == name for row in _ranged(p) if row["name"] == key)
    low, base, high = float(row["range"][0]), float(row["value"]), float(row["range"][1])
    decimals = 2 if high > 10 else 6
    values = sorted({round(v, decimals) for v in (low, (low + base) / 2, base, (base + high) / 2, high)})
    return values[:_HEAT_STEPS]


def _rule(key: str, value: Any, result: dict[str, Any]) -> dict[str, Any]:
    return {"assumption": f"rules.{key}", "programme": "", "key": key, "value": value, **result}


def _result(run: Simulation) -> dict[str, Any]:
    measures = run.measures()
    return {"npv_cents": int(measures.npv), "by_year_cents": [int(c) for c in measures.by_year]}


def replaced_price_eur(run: Simulation) -> float:
    """Mean claim of the hospital products that 1.5-line centres replace."""
    moves = run.movements
    avoided = moves[(moves["rule"] == "centre") & (moves["effect"] == "avoided")]
    return float(-avoided["claimed_cents"].sum() / max(1, avoided["claims"].sum()) / 100)


def _programme_cost(run: Simulation) -> int:
    """Discounted running cost and investment of the insurers that are judged."""
    names = {run.world.insurers[code] for code in run.judged}
    own = run.statements[run.statements["insurer"].isin(names) & (run.statements["arm"] == "scenario")]
    rate, start = run.world.rules.discount_rate, run.world.rules.start
    cents = zip(own["year"], own["programme_cost"], strict=True)
    return round(sum(int(c) / (1 + rate) ** (int(y) - start) for y, c in cents))


# --- summaries of one run ---------------------------------------------------------------------------------------------


def _study(run: Simulation, scenario: Scenario) -> Study:
    world, names = run.world, list(run.world.insurers.values())
    people, core = world.people, world.core
    plan = getattr(people, "plan", None)
    rows = [row for p in scenario.programmes for row in p.assumptions()]
    rows += [
        {"key": f"rules.{key}", "value": getattr(world.rules, key), "unit": "", "range": None, "tag": "assumption"}
        | {"source": reason}
        for key, reason in Rules.ASSUMPTIONS
    ]
    return Study(
        scenario=scenario,
        law=world.model,
        origin=people.origin,
        data_sha256=people.data_sha256,
        data_options=list(getattr(people, "options_accepted", ())) if people.origin == "microdata" else [],
        insurers=names,
        judged=[world.insurers[code] for code in run.judged],
        tables={},
        seeds=[],
        adoption=[],
        population={
            "persons": core.persons,
            "records": core.records,
            "claims": core.claims_read,
            "region": getattr(people, "region", None),
            "represents": None if plan is None else {"region": plan.represents_region, "rest": plan.represents_rest},
            "municipalities": {
                p.name: [people.municipalities[c] for c in people.municipality_codes(p.region)]
                for p in scenario.programmes
            },
        },
        assumptions=rows,
        reached=reached_by_year(run),
    )


def _seed(run: Simulation, *, price: bool) -> dict[str, Any]:
    incentives = dict(run.incentives)
    return {
        "seed": run.world.people.seed,
        **incentives,
        "marginal_power": run.marginal_power(),
        "patients": run.outcome.patients,
        "patients_rows": run.outcome.patients_rows,
        "products_freed": run.outcome.replaced,
        "break_even_price_eur": run.break_even("price") if price and "price" in run.programme.values else None,
    }


def _taking_part(run: Simulation, other: Simulation) -> dict[str, Any]:
    """Another adoption: what the insurers judged, all insurers, society and every party get, discounted."""
    rate, start = run.world.rules.discount_rate, run.world.rules.start
    ledger = other.ledger
    signed = ledger["cents"].where(ledger["arm"] == "scenario", -ledger["cents"])
    factor = (1 + rate) ** (start - ledger["year"].astype(float))
    received = (signed * factor).groupby(ledger["to"]).sum()
    paid = (signed * factor).groupby(ledger["from"]).sum()
    parties = {str(party): float(cents) for party, cents in received.sub(paid, fill_value=0).items()}
    own = other.measures(run.judged)
    everyone = other.measures(list(run.world.insurers))
    return {
        "adoption": other.adoption,
        "npv_cents": int(own.npv),
        "saving_cents": int(own.saving),
        "all_insurers_npv_cents": int(everyone.npv),
        "all_insurers_saving_cents": int(everyone.saving),
        "patients": other.outcome.patients,
        "products_freed": other.outcome.replaced,
        "society_cents": round(-parties.get("resources", 0.0)),
        "parties_cents": {party: round(cents) for party, cents in parties.items()},
    }


def _pooled_adoption(per_seed: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    rows = []
    for k, first in enumerate(per_seed[0]):
        found = [seed[k] for seed in per_seed]
        row: dict[str, Any] = {"adoption": first["adoption"]}
        for key in first:
            if key in ("adoption", "parties_cents"):
                continue
            values = [float(f[key]) for f in found]
            row[key] = round(fmean(values))
            if key.endswith("_cents"):
                error = standard_error(values)
                row[key.replace("_cents", "_se_cents")] = None if error is None else round(error)
        parties = sorted({party for f in found for party in f["parties_cents"]})
        row["parties_cents"] = {p: round(fmean(f["parties_cents"].get(p, 0) for f in found)) for p in parties}
        rows.append(row)
    return rows


# --- small cells ------------------------------------------------------------------------------------------------------


def require_many(run: Simulation, minimum: int = MINIMUM_PERSONS) -> None:
    """Of microdata, an answer rests on the claims of ``minimum`` persons or more.

    Raises
    ------
    DomainError
        In no year of the simulation did the programme reach so many persons of the insurers that are judged.
    """
    if run.world.people.origin != "microdata":
        return
    place = [list(run.world.insurers).index(code) for code in run.judged]
    if max(sum(year["reached"][i] for i in place) for year in run.years) < minimum:
        raise DomainError(
            [
                Problem(
                    "simulate",
                    "persons reached by the programme, of the insurers judged",
                    f"{minimum} or more in a year",
                )
            ]
        )


def reached_by_year(run: Simulation) -> dict[int, int]:
    """The fewest rows of the sample that a figure of a year rests on, of the insurers judged together.

    Of a few insurers among others it is the fewest of any of them, for the sum and the others would tell the rest.
    """
    fewest = run.persons
    names = {run.world.insurers[code] for code in run.judged}
    if len(names) < len(run.world.insurers):
        own = fewest[fewest["insurer"].isin(names) & (fewest["persons"] > 0)]
        least = own.groupby("year")["persons"].min()
        return dict(zip(map(int, least.index), map(int, least), strict=True))
    found = {}
    for k, year in enumerate(run.years):
        totals = [sum(y["reached"]) for y in run.years[max(0, k - 3) : k + 1]]
        found[int(year["year"])] = min((n for n in (totals[-1], max(totals[:-1], default=0)) if n > 0), default=0)
    return found


def persons_of(run: Simulation, tables: dict[str, pd.DataFrame]) -> dict[str, list[int]]:
    """Rows of the sample behind each row of each table; of microdata only."""
    if run.world.people.origin != "microdata":
        return {}
    return {name: persons_behind(run, name, frame) for name, frame in tables.items() if name in COUNTED}


# Tables whose rows can be counted in persons: of microdata the others are not written.
COUNTED = ("decomposition", "ledger", "statements", "movements", "class_changes", "criteria", "parties", "visits")


def persons_behind(run: Simulation, table: str, frame: pd.DataFrame) -> list[int]:
    """Rows of the sample that each row of a table rests on."""
    if table == "movements":
        return [int(row[9]) for row in run.outcome.movements]
    if table == "class_changes":
        return [int(row[-1]) for row in run.outcome.classes]
    if table == "criteria":
        return _changed_class(run, frame)
    fewest = {(year, insurer): persons for year, insurer, persons in run.persons.itertuples(index=False)}
    of_all = {year: min((n for (y, _), n in fewest.items() if y == year and n > 0), default=0) for year, _ in fewest}
    if table == "parties":
        return [
            fewest.get((y, p.removeprefix("insurer:")), of_all[y])
            for y, p in zip(frame["year"], frame["party"], strict=True)
        ]
    if table == "ledger":
        parties = [
            (y, *(p.removeprefix("insurer:") for p in (a, b) if p.startswith("insurer:")))
            for y, a, b in zip(frame["year"], frame["from"], frame["to"], strict=True)
        ]
        return [fewest[p[0], p[1]] if len(p) > 1 else of_all[p[0]] for p in parties]
    return [fewest[key] for key in zip(frame["year"], frame["insurer"], strict=True)]


def _changed_class(run: Simulation, frame: pd.DataFrame) -> list[int]:
    """Persons of an insurer who change class by a criterion in a year: of its fullest class, so no fewer than these."""
    layout = run.world.scheme.variable_layout
    most: dict[tuple[int, str, str], int] = {}
    for year, insurer, column, _, _, persons in run.outcome.classes:
        name = next(row[0] for row in reversed(layout) if column >= row[1])
        key = (year, run.world.insurers[insurer], name)
        most[key] = max(most.get(key, 0), persons)
    columns = (frame[c] for c in ("year", "insurer", "criterion"))
    return [most.get(key, 0) for key in zip(*columns, strict=True)]


__all__ = ["Study", "adoption_codes", "check_scenario", "of_run", "require_many", "study"]
