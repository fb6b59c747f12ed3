"""A programme over the years: both arms, the ledger, the decomposition and what they mean for an insurer.

:class:`World` is the country without the programme: one population, one model year, one set of rules. :meth:`World.run`
lets a programme happen in it, on the same persons and the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from anderhalf import _core, health_gap, incentives, parties
from anderhalf.columns import days_in
from anderhalf.errors import NotFoundError, ParameterError, Problem
from anderhalf.mapping import ReferenceMapping, load_mapping
from anderhalf.model import Model
from anderhalf.population import specialisms
from anderhalf.programme import Programme, load_programme

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from anderhalf.sources import Insured

CHANNELS: tuple[str, ...] = tuple(_core.channel_names)
STATEMENT = (
    "variable",
    "ggz",
    "fixed",
    "premium_deducted",
    "expected_own_payments",
    "administration",
    "contribution",
    "premium",
    "own_payments",
    "claims",
    "programme_cost",
    "premium_response",
    "result",
)


@dataclass(frozen=True)
class Rules:
    """How the scheme is run over the years. Every field is an assumption with a place in the sensitivity table."""

    start: int = 2021
    horizon: int = 10
    expected_counts: str = "lagged"
    macro: str = "lagged"
    lag: int = 3
    threshold_factor: float = 1.0
    rounding: str = "exact"
    experiment_variable_share: float = 1.0
    dkg_share: float = 0.15
    premium_pass_through: float = 0.0
    premium_lag: int = 1
    enrolment_elasticity: float = 0.0
    discount_rate: float = 0.03

    ASSUMPTIONS = (
        ("expected_counts", "counts expected in neutrality: of three years earlier, scaled to the insured of the year"),
        ("macro", "the macro amount follows realised cost with a lag; `fixed` and `actual` are the other rules"),
        ("lag", "years between the cost year of an estimate, or of the macro amount, and the equalization year"),
        ("threshold_factor", "percentile thresholds in euros follow from the simulated cost; times this factor"),
        ("experiment_variable_share", "part of 1.5-line care that counts as variable cost (Regeling 2021 art. 14)"),
        ("dkg_share", "share of the heavier products of a light diagnosis that lead to a DKG; shown at 0, 0.15, 0.4"),
        ("premium_pass_through", "share of a change in result given back in the premium; 0 measures the incentive"),
        ("premium_lag", "years between a change in result and the premium that gives it back"),
        ("enrolment_elasticity", "share of its insured that an insurer wins per share of premium given back"),
        ("discount_rate", "per year, real"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        problems = []
        for name, allowed in (
            ("expected_counts", ("lagged", "baseline", "actual")),
            ("macro", ("fixed", "lagged", "actual")),
            ("rounding", ("exact", "legal")),
        ):
            if getattr(self, name) not in allowed:
                problems.append(Problem("rules", name, "one of " + ", ".join(allowed), str(getattr(self, name))))
        for name in ("experiment_variable_share", "dkg_share", "premium_pass_through"):
            if not 0 <= getattr(self, name) <= 1:
                problems.append(Problem("rules", name, "0..1", str(getattr(self, name))))
        if self.premium_lag < 0:
            problems.append(Problem("rules", "premium_lag", "0 or more", str(self.premium_lag)))
        if not 0 <= self.enrolment_elasticity <= 100:
            problems.append(Problem("rules", "enrolment_elasticity", "0..100", str(self.enrolment_elasticity)))
        if not 1e-6 <= self.threshold_factor <= 1000:
            problems.append(Problem("rules", "threshold_factor", "1e-06..1000", str(self.threshold_factor)))
        if problems:
            raise ParameterError(problems)


SHORTEST_WITH_HSM = 7


class World:
    """The country without the programme.

    Parameters
    ----------
    people : Population or Dataset
        Records and claims: a synthetic population, or files.
    model : Model
        The model year whose law holds in all simulated years; more than one year asks for a structural model.
    rules : Rules, optional
        How the scheme runs over the years.
    mapping : ReferenceMapping, optional
        Which care leads to which class; default: the stand-in of the model year.
    threads : int, optional
        The result does not depend on it.
    estimates : bool
        False: no weights of our own, which thin samples do not allow; the first channel of a simulation needs them.
    keep : str, optional
        A region, or a municipality: only its insured are kept, and those near a national line, so that a country of
        17.5 million fits in memory. The people are read twice. All results are those of a world that keeps everybody,
        bit for bit, for programmes within the region; others, and what looks at every insured (`records`, validation),
        are refused. When a line moves too far, the people are read again, and ``full_pass`` of the year says so.
    """

    def __init__(
        self,
        people: Insured,
        model: Model,
        rules: Rules | None = None,
        *,
        mapping: ReferenceMapping | None = None,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
        estimates: bool = True,
        keep: str | None = None,
    ) -> None:
        model.require_complete("World")
        self.keep = keep
        self.people, self.model, self.rules, self.threads = people, model, rules or Rules(), threads
        self.mapping = load_mapping(model) if mapping is None else mapping
        classes = self.mapping.core(round(self.rules.dkg_share * 100))
        self.scheme = _core.Scheme(model.core, classes, round(self.rules.experiment_variable_share * 1_000_000))
        self._estimates = estimates
        self.options = self._options()
        self._areas: dict[Any, Any] = {}
        self.core, self.work_per_thread = _core.baseline(people.source(), self.scheme, self.options, threads, progress)

    def under(self, rules: Rules) -> World:
        """The same insured and claims under other rules; mapping and experiment share must stay the same."""
        fixed = ("dkg_share", "experiment_variable_share")
        problems = [
            Problem("World.under", name, str(getattr(self.rules, name)), str(getattr(rules, name)))
            for name in fixed
            if getattr(rules, name) != getattr(self.rules, name)
        ]
        if problems:
            raise ParameterError(problems)
        other: World = object.__new__(World)
        other.people, other.model, other.rules, other.threads = self.people, self.model, rules, self.threads
        other.mapping, other.scheme, other.keep = self.mapping, self.scheme, self.keep
        other._areas = self._areas if self.keep is None else {}  # others may be near a line
        other.work_per_thread, other._estimates = self.work_per_thread, self._estimates
        other.options = other._options()
        other.core = _core.baseline_like(self.core, other.options, self.threads)
        return other

    def _options(self) -> Any:
        rules, options = self.rules, _core.Options()
        options.first_year, options.last_year = self.people.years
        options.start, options.horizon = rules.start, rules.horizon
        options.insurers = list(self.people.insurers)
        options.seed = self.people.seed
        if self.keep is not None:
            options.keep = self.people.municipality_codes(self.keep)
        options.expected_counts = getattr(_core.ExpectedCounts, rules.expected_counts)
        options.macro = getattr(_core.MacroRule, rules.macro)
        options.expected_lag = options.macro_lag = options.estimation_lag = rules.lag
        options.estimates = self._estimates
        options.threshold_ppm = round(rules.threshold_factor * 1_000_000)
        options.rounding = getattr(_core.Rounding, rules.rounding)
        options.pass_through_ppm = round(rules.premium_pass_through * 1_000_000)
        options.pass_through_lag = rules.premium_lag
        options.enrolment_ppm = round(rules.enrolment_elasticity * 1_000_000)
        options.municipalities = sorted(self.people.municipalities)
        return options

    def own_weights(self, year: int) -> Model:
        """The structure of this world with weights estimated on the world itself, at the level of the macro amount.

        Cost and classes are those of ``year``; the weights then pay the macro amount of the variable share to the
        insured of that year.
        """
        fit, macro = self.core.fit(year), self.model.macro_variable
        level = macro / 100 / (fit.insured_years * fit.mean_cost)
        classes = [(c.name, row.code) for c in self.model.variable.criteria for row in c.classes]
        weights = {key: value * level for key, value in zip(classes, fit.coefficients, strict=True)}
        on = (
            f"the baseline arm: cost and classes of {year}, {fit.rows:,} rows, seed {self.people.seed}, at the level "
            f"of EUR {macro / 100_000_000:,.1f} million"
        )
        return self.model.with_weights(weights, on=on)

    @property
    def insurers(self) -> dict[int, str]:
        """Code and name of every insurer, in the order of results."""
        return dict(self.people.insurers)

    def records(self, year: int | None = None) -> pd.DataFrame:
        """Insured of an equalization year with their classes and cost: what :func:`anderhalf.pay` reads.

        Columns ``person, insurer, days, represents, abroad, under_18``, the class columns of the model year, and cents:
        ``variable_cents, ggz_cents, nursing_cents, fixed_cents, own_payments_mandatory_cents`` where there are any.
        Classes of the deductible follow from the others.
        """
        frame = dict(self.core.frame(self.rules.start if year is None else year))
        classes = frame.pop("classes")
        names = self.people.insurers
        columns = {
            "person": frame["person"],
            "insurer": [names[int(code)] for code in frame["insurer"]],
            **{name: frame[name] for name in ("days", "represents", "abroad", "under_18")},
            **classes["variable"],
            **classes["ggz"],
            **{k: v for k, v in classes.get("nursing", {}).items() if k.startswith("nursing_")},
        }
        money = ("variable_cents", "ggz_cents", "nursing_cents", "fixed_cents", "own_payments_mandatory_cents")
        return pd.DataFrame({**columns, **{name: frame[name] for name in money if name in frame}})

    def insurer_code(self, name: str, where: str = "adoption") -> int:
        for code, known in self.people.insurers.items():
            if name in (known, str(code)):
                return code
        known_names = ", ".join(self.people.insurers.values())
        raise NotFoundError([Problem(where, "insurer", f"one of {known_names}", name)])

    def adoption(self, text: str) -> tuple[list[int], list[int]]:
        """``insurer:CZ``, ``insurers:CZ+VGZ``, ``region`` or ``national``: (codes that take part, codes judged)."""
        kind, _, names = text.partition(":")
        if kind in ("insurer", "insurers") and names:
            codes = [self.insurer_code(name) for name in names.split("+")]
            return codes, codes
        if text in ("region", "national"):
            return [], list(self.people.insurers)
        raise ParameterError(
            [Problem("adoption", "who takes part", "insurer:NAME, insurers:NAME+NAME, region or national", text)]
        )

    def run(
        self,
        programmes: Programme | str | Path | Sequence[Programme | str | Path],
        adoption: str = "insurer:CZ",
        *,
        decompose: bool = True,
        threads: int | None = None,
    ) -> Simulation:
        """Let one programme or several happen; see :class:`Simulation`.

        Several act in the order given, each on the claims as the ones before left them: what two of them would take
        counts once. A contract of one of them holds for all. A name or a file stands for its programme.

        Raises
        ------
        ParameterError
            No programmes, two with one id, contracts that bind one insurer twice, values that do not fit, a rule for
            those new in a condition that starts in the first simulated year.
        """
        given = (programmes,) if isinstance(programmes, Programme | str | Path) else programmes
        chosen = tuple(p if isinstance(p, Programme) else load_programme(p) for p in given)
        taking_part, judged = self.adoption(adoption)
        national = adoption == "national"
        cores, surveyed = [], []
        problems: list[Problem] = []
        for programme in chosen:
            municipalities = [] if national else self.people.municipality_codes(programme.region)
            later = programme.file.programme.hand_over_region
            hand_over = [] if national or not later else self.people.municipality_codes(later)
            core = programme.core(
                municipalities,
                taking_part,
                self.people.insured_years(programme.region),
                hand_over=hand_over,
                insurer_code=partial(self.insurer_code, where=f"programme {programme.name}, contract"),
            )
            cores.append(core)
            problems += [
                Problem(
                    f"programme {programme.name}, rule {rule.key}",
                    "start_after of an onset",
                    f"later than {self.rules.start}: in the first simulated year everybody is new",
                    str(core.start_year + rule.start_after),
                )
                for rule in core.rules
                if rule.who.onset is not None and core.start_year + rule.start_after <= self.rules.start
            ]
            dates = (core.hand_over_year, tuple(hand_over)) if hand_over else ()
            surveyed.append((tuple(municipalities), dates, programme.surveyed()))
        if problems:
            raise ParameterError(problems)
        substitutions = [_core.Substitution(core) for core in cores]
        key = (self.rules.start, self.rules.horizon, tuple(surveyed))
        count = threads or self.threads
        if key not in self._areas:
            self._areas[key] = _core.survey(self.core, substitutions, count)
        outcome = _core.simulate(self.core, substitutions, self._areas[key], decompose, count)
        return Simulation(self, chosen, adoption, judged, cores, outcome)


@dataclass
class Simulation:
    """Both arms of the programmes of a run and what they mean."""

    world: World
    programmes: tuple[Programme, ...]
    adoption: str
    judged: Sequence[int]
    cores: Sequence[Any]
    outcome: Any
    _cache: dict[str, Any] = field(default_factory=dict)

    @property
    def programme(self) -> Programme:
        """The first of the programmes."""
        return self.programmes[0]

    @property
    def core(self) -> Any:
        return self.cores[0]

    @cached_property
    def years(self) -> list[dict[str, Any]]:
        return list(self.outcome.years)

    def _positions(self, codes: Sequence[int] | None = None) -> list[int]:
        order = list(self.world.insurers)
        return [order.index(code) for code in (self.judged if codes is None else codes)]

    def measures(self, codes: Sequence[int] | None = None) -> Any:
        return _core.measures(self.outcome, self._positions(codes), self.world.rules.discount_rate)

    @cached_property
    def incentives(self) -> dict[str, Any]:
        """Net present value, saving, kept share, power and payback of the insurers that are judged."""
        m = self.measures()
        return {
            "npv_cents": m.npv,
            "saving_cents": m.saving,
            "undiscounted_cents": m.undiscounted,
            "kept_share": None if math.isnan(m.kept_share) else m.kept_share,
            "power": None if math.isnan(m.power) else m.power,
            "payback_year": m.payback_year,
            "by_year_cents": list(m.by_year),
        }

    def answer(self) -> dict[str, Any]:
        """The answer of one world, with the keys of results.json; a break-even price of one centre by itself."""
        kind, _, names = self.adoption.partition(":")
        priced = len(self.programmes) == 1 and "price" in self.programme.values
        return {
            **{k: v for k, v in self.incentives.items() if k != "by_year_cents"},
            "marginal_power": self.marginal_power(),
            "break_even_price_eur": self.break_even("price") if priced else None,
            "adoption": self.adoption,
            "insurer": names if kind == "insurer" else None,
            "start": self.world.rules.start,
            "horizon": self.world.rules.horizon,
            "discount_rate": self.world.rules.discount_rate,
            "monte_carlo_se_cents": None,
        }

    @cached_property
    def decomposition(self) -> pd.DataFrame:
        """year, insurer, channel, cents (fixed order), cents_reverse; both sum to the change in result."""
        names = list(self.world.insurers.values())
        rows = [
            (year["year"], names[i], channel, forward[i][k], year["reverse"][i][k])
            for year in self.years
            for forward in (year["forward"],)
            for i in range(len(names))
            for k, channel in enumerate(CHANNELS)
        ]
        return pd.DataFrame(rows, columns=["year", "insurer", "channel", "cents", "cents_reverse"])

    @cached_property
    def criteria(self) -> pd.DataFrame:
        """year, insurer, criterion, loss_cents, gain_cents: channel c1 apart, per criterion that moves.

        Each is a step between two full settlements, losses before gains, in the order of the regulation; they sum to
        ``c1_classes`` in cents. A loss is of records whose classes of the criterion weigh less than they did.
        """
        names = list(self.world.insurers.values())
        scheme = self.world.scheme
        criterion = [row[0] for row in scheme.variable_layout] + [row[0] for row in scheme.ggz_layout]
        rows = [
            (year["year"], names[i], criterion[k], loss[i], gain[i])
            for year in self.years
            for k, loss, gain in year["criteria"]
            for i in range(len(names))
        ]
        return pd.DataFrame(rows, columns=["year", "insurer", "criterion", "loss_cents", "gain_cents"])

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Double entry: year, arm, from, to, cents, reason; claims have a reason and a provider per category."""
        names, categories = list(self.world.insurers.values()), list(_core.Category.__members__)
        first_insurer, first_claims = _core.first_insurer_party, _core.first_claims_reason
        party = dict(enumerate(_core.party_names))
        party |= {first_insurer + k: f"insurer:{name}" for k, name in enumerate(names)}
        why = dict(enumerate(_core.reason_names))
        why |= {first_claims + k: f"claims_{name}" for k, name in enumerate(categories)}
        accounts = [
            (core.avoidable_ppm, _core.party_names.index(programme.paid_to))
            for programme, core in zip(self.programmes, self.cores, strict=True)
        ]
        rows = [
            (year, "scenario" if scenario else "baseline", party[a], party[b], cents, why[reason])
            for year, scenario, a, b, cents, reason in _core.ledger(self.outcome, accounts)
        ]
        return pd.DataFrame(rows, columns=["year", "arm", "from", "to", "cents", "reason"])

    @cached_property
    def parties(self) -> pd.DataFrame:
        """year, party, baseline_cents, scenario_cents, change_cents; see :func:`anderhalf.parties.from_ledger`."""
        return parties.from_ledger(self)

    def recompute_parties(self) -> pd.DataFrame:
        """The same frame without the ledger, from statements and movements alone."""
        return parties.recompute(self)

    @cached_property
    def revenue(self) -> pd.DataFrame:
        """year, party and cents of either arm: what insurers pay the providers of each kind of care."""
        return parties.revenue(self)

    def who_keeps(self) -> pd.DataFrame:
        """party, change_cents: discounted change of every party over the horizon; sums to zero with ``resources``."""
        return parties.who_keeps(self, self.parties)

    @cached_property
    def visits(self) -> pd.DataFrame:
        """year, region, insurer, visits_freed, visits_low, visits_high; see :func:`anderhalf.health_gap.visits`."""
        return health_gap.visits(self)

    @cached_property
    def health_gap(self) -> pd.DataFrame:
        """Cost, expectation and morbidity per municipality and arm; see :func:`anderhalf.health_gap.health_gap`."""
        return health_gap.health_gap(self)

    def by_programme(self) -> pd.DataFrame:
        """Channels per programme, in order and alone; see :func:`anderhalf.incentives.by_programme`."""
        if "by_programme" not in self._cache:
            self._cache["by_programme"] = incentives.by_programme(self)
        frame: pd.DataFrame = self._cache["by_programme"]
        return frame

    def by(self, what: str) -> pd.DataFrame:
        """The run by programme, criterion, specialism, patient, insurer or year; see :mod:`anderhalf.incentives`."""
        frame: pd.DataFrame = incentives.by(self, what)
        return frame

    def marginal_power(self, step: float = 0.1) -> float | None:
        """Power at the margin, another figure than that of ``incentives``; see :mod:`anderhalf.incentives`."""
        return incentives.marginal_power(self, step)

    def report(self, out: str | PathLike[str], lang: str = "en") -> Path:
        """Write ``report.html, results.json, tables/*.csv`` and ``figures/*.svg``, no variants; returns the folder.

        :func:`anderhalf.study.study` varies every assumption as well.
        """
        from anderhalf.simulation_report import write_simulation

        return write_simulation(self, out, lang)

    @cached_property
    def statements(self) -> pd.DataFrame:
        """year, arm, insurer and every part of its result, in cents."""
        names = list(self.world.insurers.values())
        rows = [
            (year["year"], arm, name, *(year[arm][part][i] for part in STATEMENT))
            for year in self.years
            for arm in ("baseline", "scenario")
            for i, name in enumerate(names)
        ]
        return pd.DataFrame(rows, columns=["year", "arm", "insurer", *STATEMENT])

    @cached_property
    def persons(self) -> pd.DataFrame:
        """year, insurer, persons: the fewest rows of the sample that a figure of that insurer and year rests on.

        Claims that move change its cost in the same year and classes in the three after it. Counted are the persons of
        the insurer whose claims moved, this year and in the fullest of the three before it, whichever are fewer; of all
        insurers when it had none. Figures of microdata are left out when these are few.
        """
        rows = []
        for k, year in enumerate(self.years):
            near = self.years[max(0, k - 3) : k + 1]

            def fewest(counts: list[int]) -> list[int]:
                return [n for n in (counts[-1], max(counts[:-1], default=0)) if n > 0]

            of_all = fewest([sum(y["reached"]) for y in near])
            for i, name in enumerate(self.world.insurers.values()):
                reached = fewest([y["reached"][i] for y in near]) or of_all
                insured = [year["insured"][i]] if year["insured"][i] > 0 else []
                rows.append((year["year"], name, min(reached + insured, default=0)))
        return pd.DataFrame(rows, columns=["year", "insurer", "persons"])

    @cached_property
    def movements(self) -> pd.DataFrame:
        """year, insurer, specialty, product, effect, category, programme, rule, claims, settled_cents, claimed_cents.

        ``rule`` is the key of a rule, "centre" for the lines of a centre, and "contract" for prices that rise by one.
        ``specialty`` is the centre's own word for its lines, else that of the specialism; it and ``product`` are empty
        for care outside hospital and 1.5-line care.
        """
        names, categories = self.world.insurers, list(_core.Category.__members__)
        general = specialisms()
        own = [{line.specialism: line.specialty for line in p.file.line} for p in self.programmes]
        products = {categories.index(name) for name in ("hospital", "one_and_a_half_line")}
        rebase = _core.effect_names.index("price_rebase")

        def rule(programme: int, number: int, effect: int) -> str:
            if number > 0:
                return self.programmes[programme].file.rule[number - 1].key
            return "contract" if effect == rebase else "centre"

        def specialty(programme: int, number: int, code: int) -> str:
            word = general.get(code, "" if code == 0 else str(code))
            return own[programme].get(code, word) if number == 0 else word

        rows = [
            (
                y,
                names[i],
                specialty(programme, number, s),
                ("consult" if consult else "heavier") if category in products else "",
                _core.effect_names[effect],
                categories[category],
                self.programmes[programme].name,
                rule(programme, number, effect),
                claims,
                settled,
                claimed,
            )
            for (
                y,
                i,
                s,
                consult,
                effect,
                category,
                claims,
                settled,
                claimed,
                _,
                programme,
                number,
            ) in self.outcome.movements
        ]
        columns = [
            "year",
            "insurer",
            "specialty",
            "product",
            "effect",
            "category",
            "programme",
            "rule",
            "claims",
            "settled_cents",
            "claimed_cents",
        ]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def class_changes(self) -> pd.DataFrame:
        """Classes lost and won through own claims at baseline thresholds: insured years per class, and their euros."""
        layout = self.world.scheme.variable_layout
        weights = {(c.name, k.code): k.weight for c in self.world.model.variable.criteria for k in c.classes}
        rows = []
        for year, insurer, column, lost, won, _ in self.outcome.classes:
            name, offset, first, _ = next(row for row in reversed(layout) if column >= row[1])
            code = column - offset + first
            days = days_in(year)
            euro = weights[(name, code)] / 1_000_000
            rows.append(
                (year, self.world.insurers[insurer], name, code, lost / days, won / days, (won - lost) / days * euro)
            )
        return pd.DataFrame(
            rows, columns=["year", "insurer", "criterion", "code", "years_lost", "years_won", "euro_change"]
        )

    def break_even(
        self,
        parameter: str,
        *,
        low: float | None = None,
        high: float | None = None,
        tolerance: float | None = None,
        programme: str | None = None,
    ) -> float | None:
        """Value of a number of a programme at which the sign turns, or None; see :mod:`anderhalf.incentives`."""
        return incentives.break_even(self, parameter, low=low, high=high, tolerance=tolerance, programme=programme)


def simulate(
    people: Insured,
    model: Model,
    programmes: Programme | str | Path | Sequence[Programme | str | Path],
    *,
    start: int = 2021,
    horizon: int = 10,
    adoption: str = "insurer:CZ",
    rules: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> Simulation:
    """Simulate programmes over the years generated; see :class:`World` and :class:`Simulation`.

    Raises
    ------
    ParameterError
        No programmes, a horizon beyond the years of the population, a model year as printed
        with rules for one year (2021: COVID) and a horizon of more, one with weights and criteria only, or one whose
        nursing share (2015), bandwidth or high-cost compensation (2023 on) has no channel.

    A structure without weights gets those estimated on its own baseline arm in ``start``: ``world.model`` says so.
    """
    model.require_channels("simulate")
    problems = []
    if not programmes:
        problems.append(Problem("simulate", "programmes", "at least one", "none"))
    if model.official and model.one_year_only and horizon > 1:
        problems.append(Problem("simulate", "model", f"{model.name}-structural for more than one year", model.name))
    if problems:
        raise ParameterError(problems)
    if any(c.name == "hsm" for c in model.variable.criteria) and horizon < SHORTEST_WITH_HSM:
        text = f"at least {SHORTEST_WITH_HSM} years, for HSM looks three years back at classes of three years"
        raise ParameterError([Problem("simulate", "horizon", text, str(horizon))])
    settings = Rules(start=start, horizon=horizon, **dict(rules or {}))
    world = World(people, model, settings, threads=threads)
    if not model.weighted:
        world = World(people, world.own_weights(start), settings, threads=threads)
    return world.run(programmes, adoption)
