"""The article's question on official weights and a synthetic population: does 1.5-line care pay the insurer?

:func:`reproduce` runs the programme of Oostelijk Zuid-Limburg in several worlds (seeds), varies what is uncertain,
recomputes every sum by other code, and returns one plain dictionary that tables, figures and the report are made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from anderhalf import backtest
from anderhalf.columns import days_in
from anderhalf.model import Model, load_model
from anderhalf.population import Population, synthesise
from anderhalf.programme import Programme, load_programme
from anderhalf.programme_checks import centre
from anderhalf.simulation import Rules, Simulation, World

ADOPTIONS = ("insurer:CZ", "region", "national")
DKG_SHARES = (0.0, 0.15, 0.40)
PRICE_RATIOS = (0.3, 0.5, 0.7, 0.9, 1.1)
ADDED_DEMAND = (0.0, 0.146, 0.3, 0.5)
TITLES = ("gp_care", "specialist_care", "designated")
Progress = Callable[[str, int, int], None]
Frame = Any  # a pandas frame; its stubs cannot follow group keys


@dataclass(frozen=True)
class Settings:
    """What a reproduction runs: its size, not its findings."""

    persons: int = 60_000
    seed: int = 1
    seeds: int = 5
    threads: int = 1
    programme: str = "pluspunt"
    model: str = "nl-2021-structural"
    insurer: str = "CZ"
    region: str = "mijnstreek"


def reproduce(settings: Settings = Settings(), progress: Progress | None = None) -> dict[str, Any]:
    """Run the main scenario, its variants and its checks.

    Returns
    -------
    dict
        ``answer``, ``channels`` and ``checks`` as documented for results.json, the variants, and ``tables``: frames by
        name.
        The same settings give the same content for any number of threads.
    """
    return _Reproduction(settings, progress or (lambda *_: None)).run()


class _Reproduction:
    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self.model: Model = load_model(settings.model)
        self.model.require_channels("reproduce")
        self.programme: Programme = load_programme(settings.programme)
        self.rules = Rules()
        self.adoption = f"insurer:{settings.insurer}"
        self.steps = settings.seeds + 4
        self.done = 0
        self._progress = progress

    def step(self, what: str) -> None:
        self._progress(what, self.done, self.steps)
        self.done += 1

    def people(self, seed: int) -> Population:
        return synthesise(self.settings.persons, (2015, 2031), region=self.settings.region, seed=seed)

    def world(self, seed: int, rules: Rules) -> World:
        return World(self.people(seed), self.model, rules, threads=self.settings.threads)

    def run(self) -> dict[str, Any]:
        seeds = range(self.settings.seed, self.settings.seed + self.settings.seeds)
        validation: list[dict[str, float]] = []
        frames: dict[str, list[Frame]] = {
            "decomposition": [],
            "statements": [],
            "ledger": [],
            "movements": [],
            "national": [],
        }
        class_frames: list[Frame] = []
        per_seed: list[dict[str, Any]] = []
        variants: dict[str, Any] = {}
        for seed in seeds:
            self.step(f"world {seed - self.settings.seed + 1} of {self.settings.seeds}")
            world = self.world(seed, self.rules)
            runs = {name: world.run(self.programme, name, decompose=name == self.adoption) for name in ADOPTIONS}
            validation.append(_validation(world))
            main = runs[self.adoption]
            for name, frame in (
                ("decomposition", main.decomposition),
                ("statements", main.statements),
                ("ledger", main.ledger),
                ("movements", main.movements),
                ("national", national(main)),
            ):
                frames[name].append(frame.assign(seed=seed))
            class_frames.append(main.class_changes.assign(seed=seed))
            per_seed.append(
                {
                    "seed": seed,
                    **{k: v for k, v in main.incentives.items() if k != "by_year_cents"},
                    "patients": main.outcome.patients,
                    "patients_rows": main.outcome.patients_rows,
                    "break_even_price_eur": main.break_even("price"),
                    "adoption": {name: _adoption(run, self.settings.insurer) for name, run in runs.items()},
                }
            )
            if seed == self.settings.seed:
                variants = self._variants(world)
                null = self._null(world)
                plan = self.people(seed).plan
                rows = {"region": plan.represents_region, "rest": plan.represents_rest}
                size = {"persons": world.core.persons, "records": world.core.records, "claims": world.core.claims_read}
                lines = {str(y): list(map(int, world.core.mhk_lines(y))) for y in (2018, 2019, 2020)}
                tops = list(world.scheme.mhk_tops)
                weights = _weights(world)
                empty = _empty(world)
            del world, runs, main
        tables = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
        tables["classes"] = pd.concat(class_frames, ignore_index=True)
        sign_map, sensitivity = self._maps(variants)
        channels, by_year = pooled(tables["decomposition"], [*seeds])
        rate = self.rules.discount_rate
        own = {y: cents for (y, insurer), cents in by_year.items() if insurer == self.settings.insurer}
        npv = sum(cents / (1 + rate) ** (y - self.rules.start) for y, cents in own.items())
        saving = fmean(p["saving_cents"] for p in per_seed)
        prices = [p["break_even_price_eur"] for p in per_seed if p["break_even_price_eur"] is not None]
        answer = {
            "npv_cents": round(npv),
            "saving_cents": round(saving),
            "kept_share": npv / saving if saving else None,
            "power": _mean(p["power"] for p in per_seed),
            "payback_year": payback(own),
            "break_even_price_eur": round(fmean(prices), 2) if len(prices) == len(per_seed) else None,
            "adoption": self.adoption,
            "insurer": self.settings.insurer,
            "start": self.rules.start,
            "horizon": self.rules.horizon,
            "discount_rate": rate,
            "monte_carlo_se_cents": round(_se([p["npv_cents"] for p in per_seed])),
            "seeds": self.settings.seeds,
            "range_over_assumptions_cents": [
                min(s["npv_cents"] for s in sensitivity),
                max(s["npv_cents"] for s in sensitivity),
            ],
        }
        checks = recompute(tables)
        self.step("back-tests")
        return {
            "answer": answer,
            "channels": channels,
            "checks": checks,
            "touched": {
                "patients": _mean(p["patients"] for p in per_seed),
                "patient_rows_per_seed": [p["patients_rows"] for p in per_seed],
                "represents": rows,
                "rows": size,
            },
            "seeds": per_seed,
            "adoption": _adoption_table(per_seed),
            "sign_map": sign_map,
            "sensitivity": sensitivity,
            "null_programme": null,
            "programme_checks": _programme_checks(self.programme, tables),
            "class_changes": _class_summary(tables["classes"], self.settings.insurer, self.settings.seeds),
            "movements": _movement_summary(tables["movements"], self.settings.insurer, self.settings.seeds),
            "validation": _validation_table(validation),
            "thresholds": {"top_per_myriad": tops, "cents": lines},
            "weights": weights,
            "empty_classes": empty,
            "assumptions": _assumptions(self.programme, self.rules),
            "backtest": self._backtest(),
            "settings": {
                "persons": self.settings.persons,
                "seed": self.settings.seed,
                "seeds": self.settings.seeds,
                "programme": self.programme.name,
                "programme_sha256": self.programme.sha256,
                "model": self.model.name,
                "region": self.settings.region,
            },
            "parameters_sha256": self.model.parameters_sha256,
            "tables": tables,
        }

    # -- variants ---------------------------------------------------------------------------------------------------

    def _variants(self, base: World) -> dict[str, Any]:
        """Worlds of the first seed under other rules: thresholds, macro amount, expected counts, DKG stand-in."""
        worlds: dict[str, World] = {"base": base}
        self.step("thresholds and rules of the scheme")
        for name, rules in (
            ("threshold_0.7", replace(self.rules, threshold_factor=0.7)),
            ("threshold_1.3", replace(self.rules, threshold_factor=1.3)),
            ("macro_fixed", replace(self.rules, macro="fixed")),
            ("macro_actual", replace(self.rules, macro="actual")),
            ("expected_baseline", replace(self.rules, expected_counts="baseline")),
            ("expected_actual", replace(self.rules, expected_counts="actual")),
        ):
            worlds[name] = base.under(rules)
        results: dict[str, Any] = {name: self._npv(world, self.programme) for name, world in worlds.items()}
        results["sensitivity"] = self._programme_sensitivity(base)
        results["dkg"] = {0.15: self._grid(base, 0.15)}
        del worlds
        for share in (0.0, 0.40):
            self.step(f"DKG stand-in at {share:g}")
            world = self.world(self.settings.seed, replace(self.rules, dkg_share=share))
            results[f"dkg_{share:g}"] = self._npv(world, self.programme)
            results["dkg"][share] = self._grid(world, share)
            del world
        return results

    def _npv(self, world: World, programme: Programme) -> int:
        return int(world.run(programme, self.adoption, decompose=False).measures().npv)

    def _npvs(self, world: World, programmes: Sequence[Programme]) -> list[int]:
        """The same for many programmes, several at a time; the core works without the interpreter's lock."""

        def npv(programme: Programme) -> int:
            return int(world.run(programme, self.adoption, decompose=False, threads=1).measures().npv)

        first = npv(programmes[0])  # surveys the area once
        with ThreadPoolExecutor(self.settings.threads) as pool:
            return [first, *pool.map(npv, programmes[1:])]

    def _programme_sensitivity(self, world: World) -> list[tuple[str, str, int]]:
        changes: list[tuple[str, Any]] = [
            (key, value)
            for key, values in (
                ("price", (90.0, 200.0)),
                ("added_demand", (0.05, 0.50)),
                ("consult_share", (0.40, 0.85)),
                ("pass_through", (0.0, 0.3)),
                ("running_cost_eur", (0.0, 1_000_000.0)),
                ("payment_title", ("specialist_care", "designated")),
                ("refer_on_factor", (0.5, 1.5)),
            )
            for value in values
        ]
        npvs = self._npvs(world, [self.programme.with_values(**{key: value}) for key, value in changes])
        return [
            (key, f"{value:g}" if isinstance(value, float) else value, npv)
            for (key, value), npv in zip(changes, npvs, strict=True)
        ]

    def _grid(self, world: World, share: float) -> list[dict[str, Any]]:
        run = world.run(self.programme, self.adoption, decompose=False)
        mean, fixed = _replaced_price_eur(run), _programme_cost(run, self.settings.insurer)
        cells = [
            {
                "dkg_share": share,
                "title": title,
                "added_demand": added,
                "price_ratio": ratio,
                "price_eur": round(ratio * mean, 2),
            }
            for title in TITLES
            for added in ADDED_DEMAND
            for ratio in PRICE_RATIOS
        ]
        programmes = [
            self.programme.with_values(price=c["price_eur"], added_demand=c["added_demand"], payment_title=c["title"])
            for c in cells
        ]
        # The running cost is the same in every cell: it moves the whole map, never its shape.
        return [
            {**cell, "npv_cents": npv, "npv_before_programme_cost_cents": npv + fixed}
            for cell, npv in zip(cells, self._npvs(world, programmes), strict=True)
        ]

    def _maps(self, variants: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        sign_map = [row for share in DKG_SHARES for row in variants["dkg"][share]]
        sensitivity = [{"assumption": "as assumed", "value": "", "npv_cents": variants["base"]}]
        sensitivity += [{"assumption": k, "value": v, "npv_cents": npv} for k, v, npv in variants["sensitivity"]]
        for name, assumption, value in (
            ("dkg_0", "dkg_share", "0"),
            ("dkg_0.4", "dkg_share", "0.4"),
            ("threshold_0.7", "threshold_factor", "0.7"),
            ("threshold_1.3", "threshold_factor", "1.3"),
            ("macro_fixed", "macro", "fixed"),
            ("macro_actual", "macro", "actual"),
            ("expected_baseline", "expected_counts", "baseline"),
            ("expected_actual", "expected_counts", "actual"),
        ):
            sensitivity.append({"assumption": assumption, "value": value, "npv_cents": variants[name]})
        return sign_map, sensitivity

    def _backtest(self) -> dict[str, Any]:
        """What happened beside what the engine makes of it, with a third of the rows and at most three seeds."""
        own = self.settings
        size = backtest.Settings(
            persons=max(5_000, own.persons // 3),
            seed=own.seed,
            seeds=min(3, max(2, own.seeds)),
            threads=own.threads,
            model=own.model,
        )
        return backtest.backtest(size).data

    def _null(self, world: World) -> dict[str, Any]:
        run = world.run(self.programme.null(), "region", decompose=True)
        ledger = run.ledger.pivot_table(
            index=["year", "from", "to", "reason"], columns="arm", values="cents", aggfunc="sum"
        )
        differences = (ledger["scenario"] - ledger["baseline"]).abs()
        parts = run.decomposition.assign(
            channel=run.decomposition.channel.replace({"a2_replacement": "a1_hospital_avoided"})
        )
        channels = parts.groupby(["year", "insurer", "channel"]).cents.sum()  # avoided and replaced by itself cancel
        return {
            "patients": run.outcome.patients,
            "postings": len(run.ledger),
            "movements": int(run.movements.claims.sum()),
            "ledger_differences_cents": int(differences.sum()),
            "decomposition_cents": int(channels.abs().sum()),
        }


# --- the second way to every sum ----------------------------------------------------------------------------------


def recompute(tables: dict[str, Frame]) -> dict[str, int]:
    """Closes the books from the tables alone, by code that shares nothing with the core.

    ledger: every party's balance from the postings against its result from the statements, and all balances together;
    decomposition: channels in both orders against the change in result; payment: paid shares against the settlement
    target recomputed in exact fractions. All differences in cents, absolute, summed; 0 when everything closes.
    """
    ledger, statements, parts, national = (tables[k] for k in ("ledger", "statements", "decomposition", "national"))
    keys = ["seed", "year", "arm"]
    received = ledger.groupby([*keys, "to"]).cents.sum().rename_axis([*keys, "party"])
    paid = ledger.groupby([*keys, "from"]).cents.sum().rename_axis([*keys, "party"])
    balance = received.sub(paid, fill_value=0)
    gap = int(balance.groupby(keys).sum().abs().sum())
    own = statements.assign(party="insurer:" + statements.insurer).set_index([*keys, "party"])
    result = own.premium + own.variable + own.ggz + own.fixed - own.premium_deducted - own.expected_own_payments
    result = result + own.administration + own.own_payments - own.claims - own.programme_cost + own.premium_response
    gap += int((balance.reindex(result.index) - result).abs().sum())
    gap += int((own.result - result).abs().sum())
    patients = -own.groupby(level=keys).own_payments.sum()
    gap += int((balance.xs("patients", level="party") - patients).abs().sum())
    change = statements.pivot_table(index=["seed", "year", "insurer"], columns="arm", values="result", aggfunc="sum")
    change = change["scenario"] - change["baseline"]
    both = parts.groupby(["seed", "year", "insurer"])[["cents", "cents_reverse"]].sum()
    decomposition = sum(int((both[column] - change).abs().sum()) for column in both)
    shares = statements.groupby(keys).variable.sum()
    payment = 0
    for row in national.itertuples():
        target = settlement_target(
            int(row.normative), int(row.scaled_normative), int(row.cost_cents), int(row.flat_ppm), int(row.days)
        )
        payment += abs(int(shares.loc[(row.seed, row.year, row.arm)]) - target)
    return {"ledger_cents": gap, "decomposition_gap_cents": decomposition, "payment_gap_cents": payment}


def settlement_target(normative: int, scaled: int, cost: int, flat_ppm: int, days: int) -> int:
    """round(N C/N' - phi (C - N')) in cents; N, N' in micro-euro days, C in cents, a half away from zero."""
    unit = 10_000 * days
    value = Fraction(normative, unit) * cost / Fraction(scaled, unit) - Fraction(flat_ppm, 1_000_000) * (
        cost - Fraction(scaled, unit)
    )
    return math.trunc(value + Fraction(1, 2) if value >= 0 else value - Fraction(1, 2))


def national(run: Simulation) -> Frame:
    rows = []
    for year in run.years:
        for arm in ("baseline", "scenario"):
            s = year[arm]
            rows.append(
                {
                    "year": year["year"],
                    "arm": arm,
                    "normative": str(s["variable_normative"]),
                    "scaled_normative": str(s["scaled_normative"]),
                    "cost_cents": s["variable_cost"],
                    "flat_ppm": run.world.model.core.flat_ppm_variable,
                    "days": days_in(year["year"]),
                    "factor": s["variable_factor"],
                    "calculation_premium_cents": s["calculation_premium"],
                    "macro_change_cents": year["macro_change"] if arm == "scenario" else 0,
                }
            )
    return pd.DataFrame(rows)


# --- summaries ----------------------------------------------------------------------------------------------------


def _mean(values: Any) -> float | None:
    found = [v for v in values if v is not None]
    return fmean(found) if found else None


def _se(values: Sequence[float]) -> float:
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def payback(by_year: dict[int, int]) -> int | None:
    total, year_of = 0, None
    for year in sorted(by_year):
        total += by_year[year]
        if total < 0:
            year_of = None
        elif year_of is None and total > 0:
            year_of = year
    return year_of


def pooled(decomposition: Frame, seeds: Sequence[int]) -> tuple[list[dict[str, Any]], dict[tuple[int, str], int]]:
    """Channels averaged over seeds, in whole cents that add up to the rounded mean of the change in result."""
    rows: list[dict[str, Any]] = []
    totals: dict[tuple[int, str], int] = {}
    n = len(seeds)
    table = decomposition.pivot_table(
        index=["year", "insurer", "channel"], columns="seed", values="cents", aggfunc="sum", sort=False
    )
    reverse = decomposition.pivot_table(
        index=["year", "insurer", "channel"], columns="seed", values="cents_reverse", aggfunc="sum", sort=False
    )
    sums = table.sum(axis=1)
    for (year, insurer), part in sums.groupby(level=["year", "insurer"], sort=False):
        total = math.floor(Fraction(int(part.sum()), n) + Fraction(1, 2))
        exact = [Fraction(int(v), n) for v in part]
        cents = [math.floor(v) for v in exact]
        left = total - sum(cents)
        order = sorted(range(len(exact)), key=lambda k: (cents[k] - exact[k], k))
        for k in order[:left]:
            cents[k] += 1
        totals[(int(year), str(insurer))] = total
        for key, value in zip(part.index, cents, strict=True):
            values = [float(v) for v in table.loc[key]]
            rows.append(
                {
                    "year": int(year),
                    "insurer": str(insurer),
                    "channel": str(key[2]),
                    "cents": int(value),
                    "cents_reverse": round(float(reverse.loc[key].mean())),
                    "se_cents": round(_se(values)),
                }
            )
    return rows, totals


def _discounted(run: Simulation, per_year: dict[int, int]) -> int:
    rate, start = run.world.rules.discount_rate, run.world.rules.start
    return round(sum(cents / (1 + rate) ** (year - start) for year, cents in per_year.items()))


def _adoption(run: Simulation, insurer: str) -> dict[str, Any]:
    """Discounted change of every party's result: insurer of interest, all insurers, the others, society."""
    ledger = run.ledger
    signed = ledger.cents.where(ledger.arm == "scenario", -ledger.cents)
    to = signed.groupby([ledger["to"], ledger.year]).sum()
    out = signed.groupby([ledger["from"], ledger.year]).sum()
    change: Frame = to.rename_axis(["party", "year"]).sub(out.rename_axis(["party", "year"]), fill_value=0)
    parties = {
        str(party): _discounted(run, {int(y): int(c) for (_, y), c in part.items()})
        for party, part in change.groupby(level="party")
    }
    everyone = list(run.world.insurers)
    own = run.measures([run.world.insurer_code(insurer)])
    total = run.measures(everyone)
    return {
        "npv_cents": own.npv,
        "saving_cents": own.saving,
        "all_insurers_npv_cents": total.npv,
        "all_insurers_saving_cents": total.saving,
        "patients": run.outcome.patients,
        "hospital_visits_freed": run.outcome.replaced,
        "society_cents": -parties.get("resources", 0),
        "parties_cents": parties,
    }


def _adoption_table(per_seed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for name in ADOPTIONS:
        values = [p["adoption"][name] for p in per_seed]
        parties = sorted({party for v in values for party in v["parties_cents"]})
        row: dict[str, Any] = {"adoption": name}
        for key in (
            "npv_cents",
            "saving_cents",
            "all_insurers_npv_cents",
            "all_insurers_saving_cents",
            "society_cents",
        ):
            row[key] = round(fmean(v[key] for v in values))
            row[key.replace("_cents", "_se_cents")] = round(_se([v[key] for v in values]))
        row["patients"] = round(fmean(v["patients"] for v in values))
        row["hospital_visits_freed"] = round(fmean(v["hospital_visits_freed"] for v in values))
        row["parties_cents"] = {p: round(fmean(v["parties_cents"].get(p, 0) for v in values)) for p in parties}
        rows.append(row)
    return rows


def _programme_cost(run: Simulation, insurer: str) -> int:
    """Discounted running cost and investment of one insurer."""
    own = run.statements[(run.statements.insurer == insurer) & (run.statements.arm == "scenario")]
    return _discounted(run, {int(y): int(c) for y, c in zip(own.year, own.programme_cost, strict=True)})


def _replaced_price_eur(run: Simulation) -> float:
    avoided = run.movements[run.movements.effect == "avoided"]
    return float(-avoided.claimed_cents.sum() / avoided.claims.sum() / 100)


def _programme_checks(programme: Programme, tables: dict[str, Frame]) -> list[dict[str, Any]]:
    """Published outcomes of such programmes beside what our claims produced; nothing here was an input."""
    ours = centre(tables["movements"], tables["classes"], tables["statements"])
    return [
        {
            "name": check.name,
            "published": check.value,
            "low": check.range[0],
            "high": check.range[1],
            "ours": round(ours[check.name], 4),
            "source": check.source,
        }
        for check in programme.file.check
        if check.name in ours
    ]


def _class_summary(classes: Frame, insurer: str, seeds: int) -> list[dict[str, Any]]:
    own = classes[classes.insurer == insurer]
    rows = []
    for (criterion, code), part in own.groupby(["criterion", "code"]):
        rows.append(
            {
                "criterion": str(criterion),
                "code": int(code),
                "years_lost": round(float(part.years_lost.sum()) / seeds, 1),
                "years_won": round(float(part.years_won.sum()) / seeds, 1),
                "euro_change": round(float(part.euro_change.sum()) / seeds, 2),
            }
        )
    return rows


def _movement_summary(moves: Frame, insurer: str, seeds: int) -> list[dict[str, Any]]:
    own = moves[moves.insurer == insurer]
    rows = []
    for (specialty, product, effect), part in own.groupby(["specialty", "product", "effect"]):
        rows.append(
            {
                "specialty": str(specialty),
                "product": str(product),
                "effect": str(effect),
                "claims": round(int(part.claims.sum()) / seeds),
                "settled_cents": round(int(part.settled_cents.sum()) / seeds),
            }
        )
    return rows


def _validation(world: World) -> dict[str, float]:
    """What a world looks like beside published figures; the law's own figures are in params/nl."""
    year = world.rules.start
    fit = world.core.fit(world.core.first_class_year)
    ante, post = world.core.ex_ante(year), world.core.ex_post(year)
    totals = world.core.totals(year)
    model = world.model.core
    classes = world.core.classes(year)
    adult = classes["age"] >= 18
    weight = classes["represents"] * classes["days"]
    healthy = adult & (classes["morbid"] == 0)
    own = sum(post["own_payments"]) / 100
    adults = sum(totals["adult_days"]) / days_in(year)
    return {
        "r2": float(fit.r2),
        "insured_years_millions": sum(totals["days"]) / days_in(year) / 1e6,
        "variable_normative_eur_millions": sum(ante["variable"]) / 1e8,
        "population_gap_pct_variable": (sum(ante["variable"]) / model.macro_variable - 1) * 100,
        "population_gap_pct_ggz": (sum(ante["ggz"]) / model.macro_ggz - 1) * 100,
        "mhk_1_of_3_share_of_healthy_adults": float(
            weight[healthy & (classes["mhk"] == 1)].sum() / weight[healthy].sum()
        ),
        "forfait_share_of_adults": float(weight[adult & (classes["morbid"] == 1)].sum() / weight[adult].sum()),
        "mean_expected_own_payment_eur": sum(post["expected_own_payments"]) / 100 / adults,
        "mean_own_payment_eur": own / adults,
        "mhk_step_eur": _step(world, "mhk", 0, 1),
        "settlement_factor_variable": float(post["variable_factor"]),
    }


def _step(world: World, criterion: str, low: int, high: int) -> float:
    """Re-estimated weight of one class less that of another."""
    fit, columns = world.core.fit(world.core.first_class_year), list(world.core.columns)
    return float(
        fit.coefficients[columns.index(f"{criterion}={high}")] - fit.coefficients[columns.index(f"{criterion}={low}")]
    )


PUBLISHED: dict[str, tuple[float, float, str, str]] = {
    "r2": (0.35, 0.03, "OT-2020, official R2 35.1%", "calibrated"),
    "population_gap_pct_variable": (0.0, 2.0, "macro amount 2021, Regeling risicoverevening 2021 art. 2", "calibrated"),
    "mhk_1_of_3_share_of_healthy_adults": (0.334, 0.02, "implied by annex 4, 30.78 / (30.78 + 61.32)", "held out"),
    "forfait_share_of_adults": (0.305, 0.025, "implied by revenue and forfait, 28-33%", "calibrated"),
    "mhk_step_eur": (765.02, 115.0, "official weights of 2021, MHK none to 1; 15%", "calibrated"),
    "mean_expected_own_payment_eur": (227.41, 10.0, "revenue 3,227.2m / 14.19m premium payers", "held out"),
}


def _validation_table(worlds: list[dict[str, float]]) -> list[dict[str, Any]]:
    rows = []
    for key in worlds[0]:
        values = [w[key] for w in worlds]
        published = PUBLISHED.get(key)
        rows.append(
            {
                "name": key,
                "value": fmean(values),
                "se": _se(values),
                "target": published[0] if published else None,
                "tolerance": published[1] if published else None,
                "source": published[2] if published else "",
                "role": published[3] if published else "reported",
            }
        )
    return rows


def _weights(world: World) -> list[dict[str, Any]]:
    """Official weights beside those re-estimated on the simulated population, with standard errors."""
    fit = world.core.fit(world.core.first_class_year)
    rows, k = [], 0
    totals = world.core.totals(world.core.first_class_year)
    days = totals["variable"].sum(axis=0)
    for criterion in world.model.variable.criteria:
        for risk_class in criterion.classes:
            rows.append(
                {
                    "criterion": criterion.name,
                    "code": risk_class.code,
                    "label": risk_class.label,
                    "official_eur": risk_class.weight / 1_000_000,
                    "estimated_eur": None if fit.empty[k] else round(fit.coefficients[k], 2),
                    "se_eur": None if fit.empty[k] else round(fit.standard_errors[k], 2),
                    "insured_years": round(float(days[k]) / 365, 1),
                }
            )
            k += 1
    return rows


def _empty(world: World) -> list[dict[str, Any]]:
    fit = world.core.fit(world.core.first_class_year)
    reason = (
        "no insured in this sample: the condition behind it is rarer than one in the rows that stand for the country"
    )
    return [
        {"class": name, "reason": reason} for name, empty in zip(world.core.columns, fit.empty, strict=True) if empty
    ]


def _assumptions(programme: Programme, rules: Rules) -> list[dict[str, Any]]:
    rows = programme.assumptions()
    for key, reason in Rules.ASSUMPTIONS:
        rows.append(
            {
                "key": f"rules.{key}",
                "value": getattr(rules, key),
                "unit": "",
                "range": None,
                "tag": "assumption",
                "source": reason,
            }
        )
    return rows
