"""What a run means for those who decide: by programme, at the margin, per patient, and where the sign turns.

All of it is made of runs in the same world, on the same persons and the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from anderhalf import _core
from anderhalf.errors import NotFoundError, ParameterError, Problem

if TYPE_CHECKING:
    from anderhalf.programme import Programme
    from anderhalf.simulation import Simulation

CHANNELS: tuple[str, ...] = tuple(_core.channel_names)
Frame = Any  # a pandas frame; its stubs cannot follow group keys
WHAT = ("programme", "criterion", "part", "specialism", "patient", "insurer", "year")


# --- by programme -----------------------------------------------------------------------------------------------------


def by_programme(run: Simulation) -> pd.DataFrame:
    """programme, year, insurer, channel, cents_in_order, cents_alone.

    In order: the change that a programme brings after those before it, so that the sum over programmes is the run's own
    decomposition, in cents. Alone: its run without the others. What the sums of the two differ by is interaction, above
    all care that two programmes would take and that counts once. Takes a run per programme and order, ``2 n - 2`` more.
    """
    keys = ["year", "insurer", "channel"]
    frames, before = [], None
    for k, programme in enumerate(run.programmes):
        last = k + 1 == len(run.programmes)
        upto = run if last else run.world.run(run.programmes[: k + 1], run.adoption)
        alone = upto if k == 0 else run.world.run(programme, run.adoption)
        cents = upto.decomposition["cents"]
        frame = upto.decomposition[keys].copy()
        frame.insert(0, "programme", programme.name)
        frame["cents_in_order"] = cents if before is None else cents - before
        frame["cents_alone"] = alone.decomposition["cents"]
        frames.append(frame)
        before = cents
    return pd.concat(frames, ignore_index=True)


def by_part(run: Simulation) -> pd.DataFrame:
    """programme, specialty, product, rule, saving_cents, result_cents: discounted, of the insurers judged.

    What each part of the programmes brings: the run less a run in which that part alone does not happen, all other
    draws the same. A part is a product type of a specialty of a centre, its added demand, or a rule. Parts do not sum
    to the run, for what they share (lines, scaling, the programme's own cost) is with none or with several of them. A
    run each.
    """
    whole = run.measures(run.judged)
    rows = []
    for k, programme in enumerate(run.programmes):
        lines = [line.specialty for line in programme.file.line]
        parts: list[tuple[str, str, str, dict[str, Any]]] = [
            (name, product, "", {"without": ((name, product),)}) for name in lines for product in ("consult", "heavier")
        ]
        if lines:
            parts.append(("", "added", "", {"without": tuple((name, "added") for name in lines)}))
        parts += [("", "", rule.key, {f"share.{rule.key}": 0.0}) for rule in programme.file.rule]
        for specialty, product, rule_key, values in parts:
            changed = [*run.programmes[:k], programme.with_values(**values), *run.programmes[k + 1 :]]
            rest = run.world.run(changed, run.adoption, decompose=False).measures(run.judged)
            rows.append(
                (programme.name, specialty, product, rule_key, whole.saving - rest.saving, whole.npv - rest.npv)
            )
    columns = ["programme", "specialty", "product", "rule", "saving_cents", "result_cents"]
    return pd.DataFrame(rows, columns=columns)


# --- at the margin ----------------------------------------------------------------------------------------------------


def marginal_power(run: Simulation, step: float = 0.1, codes: Sequence[int] | None = None) -> float | None:
    """1 - d contribution / d cost of the last tenth of the programmes, discounted; None when cost does not move.

    Another figure than ``incentives["power"]``, which is the average over the whole run. The margin is the difference
    with a run in which every programme reaches ``step`` less: same persons, same draws, fewer of them. The contribution
    counts with the premium that follows the calculation premium.
    """
    if not 0 < step < 1:
        raise ParameterError([Problem("marginal_power", "step", "between 0 and 1", str(step))])
    less = run.world.run([scaled(p, 1 - step) for p in run.programmes], run.adoption, decompose=False)
    paid = cost = Fraction(0)
    rate = 1 + Fraction(str(run.world.rules.discount_rate))
    for k, (all_, fewer) in enumerate(zip(run.years, less.years, strict=True)):
        for i in run._positions(codes):
            now, then = all_["scenario"], fewer["scenario"]
            cost += (now["claims"][i] - then["claims"][i]) / rate**k
            paid += sum(now[part][i] - then[part][i] for part in ("contribution", "premium")) / rate**k
    return float(1 - paid / cost) if cost else None


def scaled(programme: Programme, factor: float) -> Programme:
    """The programme with every share of patients, claims or persons that it reaches times a factor."""
    shares = [key for key in programme.values if key == "patients_share" or key.startswith("share.")]
    return programme.with_values(**{key: float(programme.get(key)) * factor for key in shares})


# --- break-even -------------------------------------------------------------------------------------------------------


def break_even(
    run: Simulation,
    parameter: str,
    *,
    low: float | None = None,
    high: float | None = None,
    tolerance: float | None = None,
    programme: str | None = None,
) -> float | None:
    """Value of a parameter at which the net present value of the insurers judged changes sign; None when it does not.

    Any tagged number of a programme: ``price``, ``added_demand``, ``share.<rule>``, ``with.<rule>.1.price``. Between
    ``low`` and ``high`` (default: a price from nothing to twice the end of its range, another value over its range) the
    root is bracketed: by the two ends, else, for what is no price, by the first of ten equal parts whose ends differ in
    sign. Then bisection on the sign of the net present value in cents, which is exact, down to ``tolerance`` (a cent;
    0.0001 for shares).
    """
    key = {"price_replacement_eur": "price"}.get(parameter, parameter)
    position = _programme_with(run, key, programme)
    chosen = run.programmes[position]
    entry = chosen.values[key]
    if isinstance(entry.value, bool | str | tuple) or "year" in key or key.startswith("start_after"):
        raise ParameterError([Problem("break_even", key, "a number that can take any value", str(entry.value))])
    money = key == "price" or key.endswith((".price", "_eur"))
    end = entry.range or ((0.0, 2 * float(entry.value)) if money else (0.0, 1.0))
    a = low if low is not None else (0.0 if money else end[0])
    b = high if high is not None else end[1] * (2 if key == "price" else 1)
    width = tolerance if tolerance is not None else (0.01 if money else 0.0001)

    def npv(value: float) -> int:
        changed = [p if k != position else p.with_values(**{key: value}) for k, p in enumerate(run.programmes)]
        return int(run.world.run(changed, run.adoption, decompose=False).measures(run.judged).npv)

    bracket = _bracket(npv, a, b, parts=1 if money else 10)
    if bracket is None:
        return None
    return round(_root(npv, *bracket, width), 2 if money else 4)


def _programme_with(run: Simulation, key: str, name: str | None) -> int:
    names = [p.name for p in run.programmes]
    if name is not None and name not in names:
        raise NotFoundError([Problem("break_even", "programme", "one of " + ", ".join(names), name)])
    found = [k for k, p in enumerate(run.programmes) if key in p.values and name in (None, p.name)]
    if len(found) > 1:
        expected = "programme=, one of " + ", ".join(names[k] for k in found)
        raise ParameterError([Problem("break_even", f"{key} of several programmes", expected)])
    if found:
        return found[0]
    known = sorted({key for p in run.programmes for key in p.values})
    raise NotFoundError([Problem("break_even", "parameter", "a value of the programme: " + ", ".join(known), key)])


def _bracket(npv: Callable[[float], int], a: float, b: float, parts: int) -> tuple[float, float, bool] | None:
    """Two values between which the sign changes, and whether it is above zero at the first."""
    first, last = npv(a) > 0, npv(b) > 0
    if first != last:
        return a, b, first
    left = a
    for k in range(1, parts):
        right = a + (b - a) * k / parts
        if (npv(right) > 0) != first:
            return left, right, first
        left = right
    return None


def _root(npv: Callable[[float], int], a: float, b: float, first: bool, width: float) -> float:
    while b - a > width:
        middle = (a + b) / 2
        if (npv(middle) > 0) == first:
            a = middle
        else:
            b = middle
    return (a + b) / 2


# --- by what ----------------------------------------------------------------------------------------------------------


def by(run: Simulation, what: str) -> Frame:
    """The run cut another way, over the horizon, for the insurers judged; money undiscounted unless it says so.

    ``programme``  channels in order and alone (:func:`by_programme`), summed over years and insurers
    ``criterion``  losses and gains of the classes (channel c1) per criterion
    ``part``       specialty x product type, added demand, rules: what each brings, discounted (:func:`by_part`)
    ``specialism`` claims and their settled cost per specialty and product type: avoided, replacing, added, following
    ``patient``    per person-year reached: saving, its parts, change in result
    ``insurer``, ``year``  change in result, fall of claims, kept share
    """
    if what not in WHAT:
        raise NotFoundError([Problem("by", "what", "one of " + ", ".join(WHAT), what)])
    names = [run.world.insurers[code] for code in run.judged]
    if what == "programme":
        frame = by_programme(run)
        frame = frame[frame["insurer"].isin(names)]
        return (
            frame.groupby(["programme", "channel"], sort=False)[["cents_in_order", "cents_alone"]].sum().reset_index()
        )
    if what == "part":
        return by_part(run)
    if what == "criterion":
        frame = run.criteria
        frame = frame[frame["insurer"].isin(names)]
        return frame.groupby("criterion", sort=False)[["loss_cents", "gain_cents"]].sum().reset_index()
    if what == "specialism":
        moves = run.movements[run.movements["insurer"].isin(names)]
        keys = ["programme", "specialty", "product", "category", "effect"]
        return moves.groupby(keys)[["claims", "settled_cents", "claimed_cents"]].sum().reset_index()
    if what == "patient":
        return _per_patient(run, names)
    return _per(run, what, names)


def _change(run: Simulation, names: Sequence[str]) -> Frame:
    """year, insurer, and the change of every part of the statement."""
    of: Frame = run.statements[run.statements["insurer"].isin(names)].set_index(["year", "insurer", "arm"])
    parts = of.unstack("arm")
    change = parts.xs("scenario", axis=1, level="arm") - parts.xs("baseline", axis=1, level="arm")
    return change.reset_index()


def _per(run: Simulation, what: str, names: Sequence[str]) -> Frame:
    sums = _change(run, names).groupby(what, sort=False)[["result", "claims", "contribution", "own_payments"]].sum()
    frame = pd.DataFrame(
        {
            "result_cents": sums["result"],
            "saving_cents": -sums["claims"],
            "contribution_cents": sums["contribution"],
            "own_payments_cents": sums["own_payments"],
        }
    ).reset_index()
    frame["kept_share"] = [
        r / s if s else None for r, s in zip(frame["result_cents"], frame["saving_cents"], strict=True)
    ]
    return frame


def _per_patient(run: Simulation, names: Sequence[str]) -> pd.DataFrame:
    """year, patients (claims that meet a programme, of the insurers judged), and euros per patient."""
    moves = run.movements[run.movements["insurer"].isin(names)]
    contacts = moves[moves["effect"].isin(["avoided", "added", "referred_on", "repriced"])]
    patients = contacts.groupby("year")["claims"].sum()
    rows = []
    for row in _per(run, "year", names).itertuples():
        n = int(patients.get(row.year, 0))
        euro = [cents / 100 / n if n else math.nan for cents in (row.saving_cents, row.result_cents)]
        rows.append((row.year, n, *euro))
    return pd.DataFrame(rows, columns=["year", "claims_reached", "saving_eur", "result_eur"])
