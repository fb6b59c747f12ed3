"""A programme on a national baseline: how long it takes, beside an estimation from scratch, a full pass and the floor.

python bench/scenario.py [PERSONS] [--one-to-one] [--everybody] [--threads N] [--out FILE.json]

The default is a country of 17.5 million represented insured: Mijnstreek one-to-one, the rest thinned to as many rows.
`--one-to-one` thins nobody: PERSONS is then the country. A lean baseline keeps Mijnstreek; `--everybody` keeps all, and
then a full pass over everybody and an estimation from records are timed beside the scenario. The programme is PlusPunt
over all of Mijnstreek with as many patients as reach 50,000 different persons in ten years.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

import anderhalf as ah
from anderhalf import _core

MODEL, REGION, START = "nl-2021-structural", "mijnstreek", 2021
CLAIM_BYTES = 48


def clocks() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime


def timed(work: Any, times: int = 1) -> tuple[Any, dict[str, float]]:
    """The result, and the best of so many: seconds on the clock and of the processors."""
    best = {"seconds": np.inf, "processor_seconds": np.inf}
    result = None
    for _ in range(times):
        begin = clocks()
        result = work()
        now = clocks()
        best = {
            "seconds": min(best["seconds"], now[0] - begin[0]),
            "processor_seconds": min(best["processor_seconds"], now[1] - begin[1]),
        }
    return result, best


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("persons", nargs="?", type=int, default=780_000)
    parser.add_argument("--one-to-one", action="store_true")
    parser.add_argument("--everybody", action="store_true")
    parser.add_argument("--share", type=float, default=0.02, help="1.5-line patients a year per insured")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    threads = given.threads
    facts: dict[str, Any] = {"threads": threads, "one_to_one": given.one_to_one, "everybody": given.everybody}

    def say(name: str, took: dict[str, float], **more: Any) -> None:
        facts[name] = took | more
        print(f"{name:<44} {took['seconds']:>9.3f} s  processor {took['processor_seconds']:>9.3f} s  {more or ''}")

    people = ah.synthesise(given.persons, region=None if given.one_to_one else REGION)
    law = ah.load_model(MODEL)
    keep = None if given.everybody else REGION
    world, took = timed(lambda: ah.World(people, law, threads=threads, keep=keep))
    core = world.core
    facts |= {"persons": core.persons, "claims": core.claims_read, "held": core.held, "peak_mib": peak_mib()}
    say("baseline", took, persons=core.persons, claims=core.claims_read, held=core.held, peak_mib=round(peak_mib()))

    programme = ah.load_programme("pluspunt").with_values(patients_share=given.share)
    codes = people.municipality_codes(REGION)
    one = _core.Substitution(programme.core(codes, [], people.insured_years(REGION)))
    area, took = timed(lambda: _core.survey(core, [one], threads))
    say("survey, once for programmes of one shape", took)
    outcome, took = timed(lambda: _core.simulate(core, [one], area, True, threads), 5)
    per_year = took["seconds"] / len(outcome.years)
    say(
        "scenario, decomposed",
        took,
        insurers=len(people.insurers),
        years=len(outcome.years),
        touched_person_years=outcome.touched_person_years,
        regrouped=[year["persons_regrouped"] for year in outcome.years],
        full_pass=[year["year"] for year in outcome.years if year["full_pass"]],
    )
    _, took = timed(lambda: _core.simulate(core, [one], area, False, threads), 5)
    say("scenario, both arms alone", took)

    # The floor: every claim of the years and the region read once, for each has a draw of its own.
    share = people.insured_years(REGION) / sum(m.insured for m in people.tables.parameters.municipalities)
    of_region = share if given.one_to_one else 0.5
    count = int(core.claims_read * of_region * len(outcome.years) / (people.years[1] - people.years[0] + 1))
    words = np.ones(count * CLAIM_BYTES // 8, dtype=np.uint64)
    _, took = timed(lambda: int(words.sum()), 5)
    say("floor: the claims of the region read once", took, claims=count)

    if given.everybody:
        frame = world.records(START)
        moments, took = timed(
            lambda: ah.Moments.from_records(
                frame, model=law, cost="variable_cents", days="days", represents="represents", threads=threads
            ),
            5,
        )
        say("from scratch: moments of records", took, rows=len(frame), of_a_year=took["seconds"] / per_year)
        _, took = timed(lambda: ah.estimate(moments, model=law), 5)
        say("from scratch: solve", took)
        _, took = timed(lambda: core.ex_post(START), 5)
        say("from scratch: payments", took)
        last = outcome.years[-1]["year"]
        _, took = timed(lambda: _core.full_pass_equals(core, [one], area, last))
        say(f"full pass of {last}: programme, lines, classes", took, of_a_year=took["seconds"] / per_year)
    facts["peak_mib_at_the_end"] = peak_mib()
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(facts, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
