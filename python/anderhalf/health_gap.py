"""Health gaps and visits: what a municipality uses beside what its ages and sexes would elsewhere, and what stays away.

Both are sums that the core keeps per municipality, age and sex (:class:`GapCell` in C++); here they become figures.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.columns import days_in
from anderhalf.errors import ParameterError, Problem

if TYPE_CHECKING:
    from anderhalf.programme import Programme
    from anderhalf.simulation import Simulation

FEW = 10  # insured of microdata behind a figure


class Visits(BaseModel):
    """Hospital visits of one claim, by product type: an assumption with its reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: float = Field(ge=0, allow_inf_nan=False)
    range: tuple[float, float]
    unit: str
    tag: Literal["sourced", "derived", "assumption"]
    source: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Visits:
        if not (self.reason if self.tag == "assumption" else self.source):
            raise ValueError("an assumption needs a reason, another value a source")
        if not self.range[0] <= self.value <= self.range[1]:
            raise ValueError("the value lies within its range")
        return self


@cache
def visits_per_claim() -> dict[str, Visits]:
    """Visits per claim of a product type (``consult``, ``heavier``), from ``params/visits.toml``."""
    name = "visits.toml"
    document = tomllib.loads((data_directory("params") / name).read_text(encoding="utf-8"))
    try:
        found = {key: Visits.model_validate(entry) for key, entry in document["visits"].items()}
    except ValidationError as error:
        raise ParameterError(
            [Problem(name, ".".join(map(str, e["loc"])), e["msg"], repr(e["input"])[:60]) for e in error.errors()]
        ) from None
    if set(found) != {"consult", "heavier"}:
        raise ParameterError([Problem(name, "visits", "consult and heavier", ", ".join(sorted(found)))])
    return found


def visits(run: Simulation) -> pd.DataFrame:
    """year, region, insurer, visits_freed and its range: hospital visits that no longer take place.

    Claims of hospital care that programmes avoid, less those they add, times the visits of their product type.
    """
    per_claim = visits_per_claim()
    moves = run.movements
    moves = moves[(moves["category"] == "hospital") & ~moves["effect"].isin(["repriced", "price_rebase"])]

    def area(programme: Programme, year: int) -> str:
        if run.adoption == "national":
            return "national"
        handed_over = "hand_over_year" in programme.values and year >= programme.get("hand_over_year")
        return programme.file.programme.hand_over_region if handed_over else programme.region

    by_name = {p.name: p for p in run.programmes}
    rows: dict[tuple[int, str, str], list[float]] = {}
    for year, insurer, programme, product, effect, claims in zip(
        *(moves[c] for c in ("year", "insurer", "programme", "product", "effect", "claims")), strict=True
    ):
        of = per_claim[product]
        freed = claims if effect == "avoided" else -claims
        cell = rows.setdefault((year, area(by_name[programme], year), insurer), [0.0, 0.0, 0.0])
        for k, each in enumerate((of.value, *of.range)):
            cell[k] += freed * each
    table = [(*key, *values) for key, values in sorted(rows.items())]
    return pd.DataFrame(table, columns=["year", "region", "insurer", "visits_freed", "visits_low", "visits_high"])


def health_gap(run: Simulation) -> pd.DataFrame:
    """year, municipality, arm, insured_years, cost_eur, expected_eur, morbidity, all per insured year.

    ``expected_eur`` is the national cost of the same age and sex, ``morbidity`` the official weights of the classes
    that rest on earlier care, less those of the nation's of the same age and sex. The nation is that of the arm, the
    municipality included. The last row of a year and arm is the rest of the country. Figures of fewer than ten insured
    of microdata are left out.
    """
    world = run.world
    codes = list(world.options.municipalities)
    areas = {area for p in run.programmes for area in (p.region, p.file.programme.hand_over_region) if area}
    chosen = {code for area in areas for code in world.people.municipality_codes(area)}
    names = world.people.municipalities
    rows: list[tuple[Any, ...]] = []
    for k, year in enumerate(run.years):
        for arm in ("baseline", "scenario"):
            cells = world.core.gap(year["year"]) if arm == "baseline" else _core.gap(world.core, run.outcome, k)
            if cells is None:
                continue
            days = cells["days"].astype(np.float64) / days_in(year["year"])
            euro = cells["cents"].astype(np.float64) / 100
            weight = np.array([float(v) for v in cells["morbidity"]]).reshape(days.shape)
            weight /= 1_000_000 * days_in(year["year"])
            inside = np.array([code in chosen for code in codes] + [False])
            groups = [(names[code], np.flatnonzero(np.array(codes) == code)) for code in sorted(chosen)]
            groups.append(("elsewhere", np.flatnonzero(~inside)))
            nation = days.sum(axis=0)
            rate, burden = (
                np.divide(total.sum(axis=0), nation, out=np.zeros(len(nation)), where=nation > 0)
                for total in (euro, weight)
            )
            for name, members in groups:
                own = days[members].sum(axis=0)
                years = float(own.sum())
                few = world.people.origin == "microdata" and years < FEW
                if years <= 0 or few:
                    rows.append((year["year"], name, arm, years, *[float("nan")] * 3))
                    continue
                cost = float(euro[members].sum()) / years
                expected = float((own * rate).sum()) / years
                morbidity = (float(weight[members].sum()) - float((own * burden).sum())) / years
                rows.append((year["year"], name, arm, years, cost, expected, morbidity))
    columns = ["year", "municipality", "arm", "insured_years", "cost_eur", "expected_eur", "morbidity"]
    return pd.DataFrame(rows, columns=columns)
