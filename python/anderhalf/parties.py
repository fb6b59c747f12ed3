"""Who has more and who has less: parties of the ledger, and each of them computed a second way.

:func:`from_ledger` adds up postings. :func:`recompute` never sees one: it starts from statements, movements and the
figures of the macro amount, and must come to the same cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from anderhalf import _core

if TYPE_CHECKING:
    from anderhalf.simulation import Simulation

Frame = Any  # a pandas frame; its stubs cannot follow group keys
COLUMNS = ("year", "party", "baseline_cents", "scenario_cents", "change_cents")
PROVIDERS = tuple(dict.fromkeys(_core.party_names[_core.provider(c)] for c in _core.Category.__members__.values()))


def names(run: Simulation) -> list[str]:
    """All parties of a run: those of the ledger, then its insurers."""
    return [*_core.party_names, *(f"insurer:{name}" for name in run.world.insurers.values())]


def _frame(rows: dict[tuple[int, str], list[int]]) -> pd.DataFrame:
    table = [(year, party, a, b, b - a) for (year, party), (a, b) in rows.items()]
    return pd.DataFrame(table, columns=list(COLUMNS))


def from_ledger(run: Simulation) -> pd.DataFrame:
    """year, party, baseline_cents, scenario_cents, change_cents: what each party receives less what it pays.

    ``resources`` is what care and programmes use up: society pays it. A year sums to zero in either arm.
    """
    rows = {(year["year"], party): [0, 0] for year in run.years for party in names(run)}
    ledger = run.ledger
    for year, arm, giver, taker, cents in zip(
        *(ledger[c] for c in ("year", "arm", "from", "to", "cents")), strict=True
    ):
        side = int(arm == "scenario")
        rows[year, taker][side] += int(cents)
        rows[year, giver][side] -= int(cents)
    return _frame(rows)


def revenue(run: Simulation) -> pd.DataFrame:
    """The same columns for what providers are paid by insurers: claims, contracts and programmes."""
    rows = {(year["year"], party): [0, 0] for year in run.years for party in PROVIDERS}
    ledger = run.ledger[run.ledger["from"].str.startswith("insurer:")]
    for year, arm, taker, cents in zip(*(ledger[c] for c in ("year", "arm", "to", "cents")), strict=True):
        rows.setdefault((year, taker), [0, 0])[int(arm == "scenario")] += int(cents)
    return _frame(rows)


def recompute(run: Simulation) -> pd.DataFrame:
    """The frame of :func:`from_ledger` without the ledger."""
    statements: Frame = run.statements
    movements: Frame = run.movements
    rows = {(year["year"], party): [0, 0] for year in run.years for party in names(run)}
    parts = statements.groupby(["year", "arm"])[
        ["contribution", "premium", "premium_response", "own_payments", "claims", "programme_cost"]
    ].sum()
    for s in statements.itertuples():
        contribution = s.variable + s.ggz + s.fixed - s.premium_deducted - s.expected_own_payments + s.administration
        received = s.premium + s.premium_response + contribution + s.own_payments
        rows[s.year, f"insurer:{s.insurer}"][int(s.arm == "scenario")] = int(received - s.claims - s.programme_cost)
    hospital = (
        movements[movements["category"] == "hospital"]
        .groupby(["year", "programme"])[["settled_cents", "claimed_cents"]]
        .sum()
    )
    avoidable = {p.name: core.avoidable_ppm for p, core in zip(run.programmes, run.cores, strict=True)}
    for year in run.years:
        t = year["year"]
        base = parts.loc[(t, "baseline")]
        for side, arm in enumerate(("baseline", "scenario")):
            own = parts.loc[(t, arm)]
            margin = 0
            if side and t in hospital.index.get_level_values("year"):
                of_year = hospital.loc[t]
                margin = int(of_year["settled_cents"].sum())
                # Of claimed production that goes, the avoidable share is cost that goes too: whole cents, towards zero.
                for name, claimed in of_year["claimed_cents"].items():
                    cost = abs(int(claimed)) * avoidable[str(name)] // 1_000_000
                    margin += cost if claimed < 0 else -cost
            premium_change = int(own["premium"] - base["premium"])
            funding = int(base["contribution"]) + (macro_change(run, t) - premium_change if side else 0)
            spent = int(own["claims"] + own["programme_cost"])
            rows[t, "patients"][side] = -int(own["own_payments"])
            rows[t, "premium_payers"][side] = -int(own["premium"] + own["premium_response"])
            rows[t, "government"][side] = -funding
            rows[t, "fund"][side] = funding - int(own["contribution"])
            rows[t, "hospitals"][side] = margin
            rows[t, "resources"][side] = spent - margin
    return _frame(rows)


def macro_change(run: Simulation, year: int) -> int:
    """Change of the macro amount of the variable share: realised cost of the year that the rule names."""
    rules = run.world.rules
    of = {"fixed": None, "actual": year, "lagged": year - rules.lag}[rules.macro]
    for found in run.years:
        if found["year"] == of:
            return int(found["scenario"]["variable_cost"] - found["baseline"]["variable_cost"])
    return 0


def who_keeps(run: Simulation, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """party, change_cents: what each party has more over the horizon, discounted; sums to zero with ``resources``.

    Discounted in fractions and rounded once, by largest remainder, so that the table closes in cents.
    """
    changes = from_ledger(run) if frame is None else frame
    rate = 1 + Fraction(str(run.world.rules.discount_rate))
    first = run.world.rules.start
    total: dict[str, Fraction] = {}
    for year, party, change in zip(changes["year"], changes["party"], changes["change_cents"], strict=True):
        total[party] = total.get(party, Fraction(0)) + int(change) / rate ** (int(year) - first)
    cents = largest_remainder(list(total.values()))
    return pd.DataFrame({"party": list(total), "change_cents": cents})


def largest_remainder(amounts: Sequence[Fraction]) -> list[int]:
    """Whole numbers that sum to the rounded sum of the amounts; ties by position."""
    floors = [int(a // 1) for a in amounts]
    target = round(sum(amounts, Fraction(0)))
    order = sorted(range(len(amounts)), key=lambda k: (-(amounts[k] - floors[k]), k))
    for k in order[: target - sum(floors)]:
        floors[k] += 1
    return floors


def check(run: Simulation) -> dict[str, Any]:
    """Cents by which the two ways differ, over parties and years, and by which the years of either arm do not close."""
    one, other = from_ledger(run), recompute(run)
    columns = ["baseline_cents", "scenario_cents"]
    sums = one.groupby("year")[columns].sum()
    return {
        "parties_cents": int((one[columns] - other[columns]).abs().to_numpy().sum()),
        "ledger_cents": int(sums.abs().to_numpy().sum()),
    }
