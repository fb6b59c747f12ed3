"""Find the general part of every care category so that model means equal the Vektis targets.

    python tools/calibrate_population.py [--persons N] [--region-seeds K] [--year 2018] [--report-only]

Two large runs of the generator with the same draws: one without the general part gives what conditions and episodes
cost per group, sex and age class; one with a first guess gives how much of a mean arrives (caps, part years,
institutions). The general mean is then (target - conditions) / arrival rate. A negative rest is named and set to zero.
Realised samples are never rescaled: the result is a parameter, written to params/population/calibration.toml, and
holds for every sample and seed.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
from anderhalf import _core, population
from anderhalf.parameters import CATEGORIES

C = len(CATEGORIES)
HOSPITAL, DRUGS = CATEGORIES.index("hospital"), CATEGORIES.index("drugs")


def age_on_30_june(records: np.ndarray, year: int) -> np.ndarray:
    return np.clip((12 * year + 5 - records["birth_month"]) // 12, 0, 105)


def measure(
    tables: object, plan: object, year: int, addon: np.ndarray, region: np.ndarray, threads: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Euros and insured years per [group][sex][band]([category]); add-on drugs under hospital care, as in Vektis."""
    start = np.datetime64(f"{year}-01-01").astype(int)
    days_in_year = np.datetime64(f"{year + 1}-01-01").astype(int) - start

    def one(index: int) -> tuple[np.ndarray, np.ndarray]:
        block = _core.generate_block(tables, plan, index, year, year)
        r, c = block.records, block.claims
        cell = (np.isin(r["municipality"], region) * 2 + r["sex"] - 1) * 19 + np.minimum(
            18, age_on_30_june(r, year) // 5
        )
        share = (r["last_day"] - r["first_day"] + 1) * r["represents"] / days_in_year
        years = np.bincount(cell, weights=share, minlength=76)
        row = np.searchsorted(r["person"], c["person"])
        category = c["category"].astype(np.int64)
        category[(category == DRUGS) & np.isin(c["product"], addon)] = HOSPITAL
        cost = np.bincount(
            cell[row] * C + category, weights=c["claimed_cents"] / 100.0 * r["represents"][row], minlength=76 * C
        )
        return cost, years

    cost, years = np.zeros(76 * C), np.zeros(76)
    with ThreadPoolExecutor(threads) as pool:
        for part, insured in pool.map(one, range(plan.blocks)):
            cost += part
            years += insured
    return cost.reshape(2, 2, 19, C), years.reshape(2, 2, 19)


def sample(tables: object, persons: int, region: list[int], seed: int) -> object:
    s = _core.Sample()
    s.persons, s.region, s.seed, s.block_persons = persons, region, seed, 16384
    return _core.plan_population(tables, s)


def only_region(parameters: object) -> object:
    parameters.municipalities = [m for m in parameters.municipalities if m.group == 1]
    return parameters


def two_groups(
    year: int, persons: int, seeds: int, calibrated: bool, general: bool, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean per insured year [group][sex][band][category] and insured years; the region over several seeds."""
    addon = np.array(population.addon_drugs())

    def parameters() -> object:
        p = population.load_parameters(calibrated=calibrated)
        if not general:
            p.general = []
        return p

    p = parameters()
    region = np.array([m.code for m in p.municipalities if m.group == 1])
    tables = _core.build_population(p)
    cost, years = measure(tables, sample(tables, persons, [], 1), year, addon, region, threads)
    q = only_region(parameters())
    tables = _core.build_population(q)
    inside_cost, inside_years = np.zeros_like(cost[1]), np.zeros_like(years[1])
    for seed in range(1, seeds + 1):
        part, insured = measure(tables, sample(tables, 10_000_000, [], 100 + seed), year, addon, region, threads)
        inside_cost += part[1] / seeds
        inside_years += insured[1] / seeds
    cost[1], years[1] = inside_cost, inside_years
    return cost / years[..., None], years


def smooth_region(mean: np.ndarray, years: np.ndarray) -> np.ndarray:
    """The region's conditions part: that of the country times their ratio in six broad age classes (less noise)."""
    result = mean.copy()
    for first, last in ((0, 4), (4, 9), (9, 13), (13, 15), (15, 17), (17, 19)):
        w = years[1][:, first:last, None]
        own = (mean[1][:, first:last] * w).sum((0, 1))
        nation = (mean[0][:, first:last] * w).sum((0, 1))
        ratio = np.divide(own, nation, out=np.ones_like(own), where=nation > 0.5 * w.sum())
        result[1][:, first:last] = mean[0][:, first:last] * ratio
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=4_000_000)
    parser.add_argument("--region-seeds", type=int, default=4)
    parser.add_argument("--year", type=int, default=2018)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report-only", action="store_true")
    options = parser.parse_args()
    goal = population.targets()
    size = (options.year, options.persons, options.region_seeds)
    if not options.report_only:
        conditions, years = two_groups(*size, calibrated=False, general=False, threads=options.threads)
        guess, _ = two_groups(*size, calibrated=False, general=True, threads=options.threads)
        raw, conditions = conditions, smooth_region(conditions, years)
        lines = [
            "# The general part of each care category: mean euros per insured year by group, sex (man, woman) and",
            "# five-year age class, price level of the law year. Made by tools/calibrate_population.py: Vektis minus",
            "# conditions and episodes; see README.md.",
            "[general_eur]",
        ]
        lower = np.array(0.5)
        for name, target in goal.items():
            k = CATEGORIES.index(name)
            if name in ("obstetric", "maternity"):
                continue
            arrived = guess[..., k] - raw[..., k]
            rate = np.divide(arrived, lower * target, out=np.ones_like(target), where=target > 0.01)
            w = years * (target > 0.01)
            broad = (rate * w).sum((0, 1)) / np.maximum(
                w.sum((0, 1)), 1e-9
            )  # per age class: arrival does not depend on the group
            need = (target - conditions[..., k]) / np.where(broad > 0, broad, 1)
            for place in np.argwhere((need < -0.02 * target) & (target > 1) & (target * years > 1e6)):
                g, s, b = place
                print(
                    f"too dear: {name} group {g} sex {s} age {5 * b}: "
                    f"conditions {conditions[g, s, b, k]:.0f} of {target[g, s, b]:.0f}"
                )
            need = np.maximum(need, 0)
            rows = ["[" + ", ".join("[" + ", ".join(f"{x:.2f}" for x in s) + "]" for s in g) + "]" for g in need]
            lines += [f"{name} = {{ rest = {rows[0]}, region = {rows[1]} }}"]
        path = Path(population.data_directory("params")) / "population" / "calibration.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print("written", path.name)
    total, years = two_groups(*size, calibrated=True, general=True, threads=options.threads)
    for g, group in enumerate(("rest", "region")):
        print(f"{group}: insured years {years[g].sum():,.0f}")
        for name, target in goal.items():
            k = CATEGORIES.index(name)
            got = (total[g, ..., k] * years[g]).sum() / years[g].sum()
            want = (target[g] * years[g]).sum() / years[g].sum()
            cells = (target[g] > 50) & (years[g] > 0)
            off = np.abs(total[g, ..., k][cells] / target[g][cells] - 1)
            off = np.array([0.0]) if off.size == 0 else off
            print(f"  cells over EUR 50: median {100 * np.median(off):4.1f}% largest {100 * off.max():5.1f}%", end="")
            print(f"  {name:12s} target {want:9.2f} reached {got:9.2f} {100 * (got / want - 1):+6.2f}%")


if __name__ == "__main__":
    main()
