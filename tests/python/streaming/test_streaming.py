"""A streamed year against the same year in memory: lines, moments, totals and payments, to the last bit and cent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anderhalf as ah
from anderhalf import _core
from anderhalf.errors import ParameterError
from anderhalf.files import Dataset, write_population
from anderhalf.population import Population
from anderhalf.simulation import Rules, World
from anderhalf.streaming import Streamed, stream

MODELS = ("nl-2021-structural", "nl-2020", "nl-2019", "nl-2015", "nl-2022-structural")


def people(persons: int = 4_000, seed: int = 1, **options: Any) -> Population:
    return ah.synthesise(persons, seed=seed, **options)


def core_totals(streamed: Streamed) -> dict[str, Any]:
    """The totals of the core as those of a baseline are given."""
    t = streamed.core.totals
    shares = t["shares"]
    nursing = shares["nursing"]["days"] if "nursing" in shares else np.zeros((len(t["days"]), 0), dtype=np.int64)
    return {
        "variable": shares["variable"]["days"], "ggz": shares["ggz"]["days"], "nursing": nursing,
        "deductible": shares["deductible"]["days"], "days": t["days"], "adult_days": t["adult_days"],
        "under_18": t["under_18"], "cost_variable": t["variable_cents"], "cost_ggz": t["ggz_cents"],
        "cost_fixed": t["fixed_cents"], "cost_nursing": t["nursing_cents"], "own_payments": t["own_payments_cents"],
        "own_payments_mandatory": t["own_payments_mandatory_cents"], "ggz_excess": t["ggz_excess"],
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_year_is_that_of_a_world(model: str, seed: int) -> None:
    insured, law = people(10_000, seed), ah.load_model(model)
    year = 2024
    streamed = insured.stream(law, year, threads=2)
    world = World(insured, law, Rules(start=year, horizon=1))
    wanted = world.core.totals(year)
    assert core_totals(streamed).keys() == wanted.keys()
    for name, value in core_totals(streamed).items():
        assert np.array_equal(value, wanted[name]), name
    later = World(insured, law, Rules(start=year + 3, horizon=1))  # whose first year has moments
    plain = later.core.moments(year)
    assert streamed.moments.core.cents == plain.cents > 0
    for name in ("xx", "xd", "xn"):
        assert np.array_equal(getattr(streamed.moments.core, name)(0), getattr(plain, name)(0)), name
    assert np.array_equal(streamed.moments.core.xc(0, 0), plain.xc(0, 0))


@pytest.mark.parametrize(
    "options", [{"region": None}, {"region": "mijnstreek", "persons": 12_000}, {"block_persons": 300}]
)
def test_paying_a_streamed_year_is_paying_its_records(options: dict[str, Any]) -> None:
    insured = people(**options)
    for model in ("nl-2021", "nl-2020", "nl-2019", "nl-2015"):
        streamed, records = insured.stream(model, 2023), insured.records(model, 2023)
        assert records.represents.max() > 1
        for stage in ("ex_ante", "ex_post"):
            one, other = ah.pay(streamed, model, stage), ah.pay(records, model, stage, year=2023)
            assert one.insurers.equals(other.insurers)
            assert one.steps == other.steps
            assert one.results == other.results
            assert one.thresholds == other.thresholds
            for share, counts in other.counts.items():
                assert np.array_equal(one.counts[share].days, counts.days)
                assert np.array_equal(one.counts[share].records, counts.records), share
            assert np.array_equal(one.records, other.records)
            assert one.lines.equals(other.lines)
        once = records.drop_duplicates("person")  # several records a year: movers, institutions
        assert len(once) < len(records)
        assert (streamed.records, streamed.insured) == (len(records), once.represents.sum())


def test_expected_insured_may_be_a_streamed_year() -> None:
    insured = people()
    now, then = insured.stream("nl-2021", 2023), insured.stream("nl-2021", 2022)
    records, before = insured.records("nl-2021", 2023), insured.records("nl-2021", 2022)
    one = ah.pay(now, "nl-2021", expected=then)
    other = ah.pay(records, "nl-2021", expected=before, year=2023)
    assert one.insurers.equals(other.insurers)
    assert not one.insurers.equals(ah.pay(now, "nl-2021").insurers)


def test_moments_are_those_of_the_records() -> None:
    insured = people(20_000, region=None)
    streamed = insured.stream("nl-2021-structural", threads=1)
    records = insured.records("nl-2021-structural")
    plain = ah.Moments.from_records(
        records, model="nl-2021-structural", cost="variable_cents", represents="represents"
    )  # fmt: skip
    assert streamed.moments == plain
    assert streamed.moments.to_bytes() == plain.to_bytes()
    fit = ah.estimate(streamed.moments, model="nl-2021-structural")
    assert fit.params.equals(ah.estimate(plain, model="nl-2021-structural").params)
    assert ah.Moments.from_bytes(streamed.moments.to_bytes()) == streamed.moments
    law = ah.load_model("nl-2022-structural")
    own = law.with_weights(ah.estimate(insured.stream(law, 2023).moments, model=law))
    assert ah.pay(insured.stream(law, 2023), own).insurers.equals(
        ah.pay(insured.records(law, 2023), own, year=2023).insurers
    )


def test_threads_blocks_and_years_around_leave_no_trace() -> None:
    one = people().stream("nl-2021-structural", 2023, threads=1)
    others = [
        people().stream("nl-2021-structural", 2023, threads=3),
        people(block_persons=97).stream("nl-2021-structural", 2023),
        people(years=(2018, 2023)).stream("nl-2021-structural", 2023),
        people(block_persons=60_000, years=(2016, 2030)).stream("nl-2021-structural", 2023),
    ]
    for other in others:
        assert other.moments.to_bytes() == one.moments.to_bytes()
        assert other.lines.equals(one.lines)
        assert (other.persons, other.records, other.claims) == (one.persons, one.records, one.claims)
        for name, value in core_totals(other).items():
            assert np.array_equal(value, core_totals(one)[name]), name


def test_lines_say_how_many_are_above_and_at_them() -> None:
    insured = people(20_000, region=None)
    streamed = insured.stream("nl-2021-structural")
    lines = streamed.lines
    assert list(lines.columns) == [
        "criterion", "classes", "year", "top_percent", "insured", "threshold_eur", "above", "at_line"
    ]  # fmt: skip
    assert set(lines.criterion) == {"mhk", "ggz_mhk", "mvv"}
    assert set(lines[lines.criterion == "mhk"].year) == {2018, 2019, 2020}
    room = lines.insured * lines.top_percent / 100
    assert (lines.above <= room).all()
    mhk, most = lines.criterion == "mhk", streamed.insured / streamed.persons * 1.01  # what one person stands for
    assert (lines.above + lines.at_line > room - most)[mhk].all()
    top = lines[(lines.criterion == "mhk") & (lines.year == 2020)].sort_values("top_percent")
    assert top.threshold_eur.is_monotonic_decreasing
    assert top.classes.tolist()[-1] == "1"
    hidden = replace(streamed, origin="microdata").lines
    assert hidden.at_line.isna().all() == (lines.at_line < 10).all()
    assert hidden.above.isna().equals(lines.above.between(1, 9))
    shown = hidden.threshold_eur.dropna()
    assert (shown == shown.round()).all()
    assert len(shown) > 20


def test_what_cannot_be_streamed_is_refused() -> None:
    insured = people(years=(2018, 2021))
    with pytest.raises(ParameterError, match="first year of care"):
        insured.stream("nl-2021-structural", 2021)
    with pytest.raises(ParameterError, match="at most 2021"):
        people(years=(2015, 2021)).stream("nl-2021-structural", 2022)
    with pytest.raises(ParameterError):
        insured.stream("nl-2013", 2021)
    streamed = people().stream("nl-2021", 2023)
    with pytest.raises(ParameterError, match="another model"):
        ah.pay(streamed, "nl-2020")
    law = streamed.model
    (rule,) = law.high_cost
    for other in (
        replace(law, high_cost=(replace(rule, top_per_myriad=500),)),  # another excess of the same cost
        replace(law, mhk_excluded=tuple(not x for x in law.mhk_excluded)),
        replace(law, deductible_amount=law.deductible_amount + 1),
    ):
        with pytest.raises(ParameterError, match="another model"):
            streamed.require_classes(other, "pay")
    streamed.require_classes(replace(law, forfait=1, macro_variable=1), "pay")  # what is paid may differ
    with pytest.raises(ParameterError, match=r"(?s)pay, days.*pay, insurer"):
        ah.pay(streamed, law, days="dagen", insurer="concern")
    with pytest.raises(ParameterError, match="not the year"):
        ah.pay(streamed, "nl-2021", year=2022)
    with pytest.raises(ParameterError, match="holds no records"):
        ah.pay(streamed, ah.load_model("nl-2021").weights)
    assert "2023, care of 2018-2023" in repr(streamed)


def test_progress_runs_over_both_passes() -> None:
    insured = people(block_persons=500)
    calls: list[tuple[int, int]] = []
    stream(insured, "nl-2021", 2023, threads=2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(k + 1, 2 * len(insured)) for k in range(2 * len(insured))]


def test_blocks_of_a_python_source_that_raise_reach_the_caller() -> None:
    class Broken(Population):
        def source(self, years: tuple[int, int] | None = None) -> _core.Source:
            def give(k: int) -> _core.Block:
                if k == 3:
                    raise OSError("a disk that failed")
                return self.block(k, years)

            return _core.callback_source(len(self), give)

    whole = people(block_persons=500)
    broken = Broken(**{k: getattr(whole, k) for k in ("tables", "plan", "years", "seed", "persons")})
    with pytest.raises(OSError, match="a disk that failed"):
        stream(broken, "nl-2021", 2023, threads=2)


def test_control_c_stops_within_a_second() -> None:
    code = (
        "import anderhalf as ah\n"
        "people = ah.synthesise(3_000_000, region=None)\n"
        "print('go', flush=True)\n"
        "people.stream('nl-2021', 2021)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "go\n"
    time.sleep(0.7)
    assert run.poll() is None
    sent = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert time.monotonic() - sent < 3, "one second, and the interpreter's end on a busy machine"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_are_streamed_as_the_people_they_hold(form: Any, tmp_path: Path) -> None:
    if form == "parquet":
        pytest.importorskip("polars")
    folder = write_population(tmp_path / "people", 4_000, (2015, 2022), "mijnstreek", 1, format=form, block_persons=700)
    files = Dataset(folder)
    for year in (2021, 2022):
        one = people(years=(2015, 2022)).stream("nl-2021", year)
        other = files.stream("nl-2021", year, threads=2)
        assert other.moments.to_bytes() == one.moments.to_bytes()
        assert other.lines.equals(one.lines)
        assert other.claims == one.claims
        assert ah.pay(other, "nl-2021").insurers.equals(ah.pay(one, "nl-2021").insurers)
    assert ah.pay(other, "nl-2021").data_sha256 == files.data_sha256
