"""Sources of blocks: the same bits from the generator, from blocks and from a Python function, on any thread count."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import anderhalf as ah
from anderhalf import _core
from anderhalf.errors import DomainError, ShapeError
from anderhalf.sources import Insured, block_of


@functools.cache
def people() -> ah.Population:
    return ah.synthesise(6_000, (2015, 2021), seed=5, block_persons=512)


@functools.cache
def world() -> ah.World:
    return ah.World(people(), ah.load_model("nl-2021-structural"), ah.Rules(start=2021, horizon=1))


def baseline(source: Any, threads: int = 1, progress: Any = None) -> tuple[Any, list[int]]:
    core, work = _core.baseline(source, world().scheme, world().options, threads, progress)
    return core, list(work)


def assert_same(core: Any) -> None:
    want, got = world().core.totals(2021), core.totals(2021)
    assert list(want) == list(got)
    for key, value in want.items():
        assert np.array_equal(value, got[key]), key
    assert core.moments(2021) == world().core.moments(2021)
    assert (core.persons, core.records, core.claims_read) == (
        world().core.persons,
        world().core.records,
        world().core.claims_read,
    )


def source_of(block: Callable[[int], Any]) -> Any:
    return _core.callback_source(len(people()), block)


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_blocks_and_a_function_give_the_bits_of_the_generator(threads: int) -> None:
    seen: list[tuple[int, int]] = []
    made = source_of(lambda k: people().block(k))
    core, work = baseline(made, threads, lambda done, total: seen.append((done, total)))
    assert_same(core)
    assert sum(work) == sum(world().work_per_thread)
    assert len(work) <= threads
    assert {(k + 1, len(people())) for k in range(len(people()))} <= set(seen)
    assert_same(baseline(_core.blocks_source(list(people().blocks())), threads)[0])


def test_a_source_gives_its_blocks_and_knows_how_many() -> None:
    source = people().source()
    assert source.blocks == len(people())
    assert np.array_equal(source.block(1).claims, people().block(1).claims)
    for k in (-1, len(people())):
        with pytest.raises(IndexError):
            source.block(k)


def test_a_source_keeps_what_it_needs() -> None:
    def made() -> Any:
        tables = _core.build_population(ah.population.load_parameters())  # type: ignore[attr-defined]
        sample = _core.Sample()
        sample.persons = 2_000
        return _core.population_source(tables, _core.plan_population(tables, sample), 2018, 2018)

    source = made()
    assert len(source.block(0).records) > 0
    rows = people().block(0)
    assert np.array_equal(_core.callback_source(1, lambda _: rows).block(0).records, rows.records)


@pytest.mark.parametrize("threads", [1, 3])
def test_what_the_function_raises_reaches_the_caller_as_it_is(threads: int) -> None:
    class Broken(Exception):
        pass

    fault = Broken("the disk is gone")

    def block(k: int) -> Any:
        if k == 2:
            raise fault
        return people().block(k)

    with pytest.raises(Broken) as caught:
        baseline(source_of(block), threads)
    assert caught.value is fault
    with pytest.raises(ShapeError, match="part-00001"):
        baseline(source_of(lambda _: (_ for _ in ()).throw(ShapeError("part-00001"))), threads)
    with pytest.raises(TypeError, match="Block"):
        baseline(source_of(lambda _: people().block(0).records), threads)


def test_the_function_is_called_from_the_threads_of_the_work_and_others_go_on() -> None:
    called: set[int] = set()
    both = threading.Barrier(2, timeout=20)

    def block(k: int) -> Any:
        called.add(threading.get_ident())
        if k < 2:
            both.wait()  # a lock that stays with one thread would never let the other in
        return people().block(k)

    assert_same(baseline(source_of(block), 2)[0])
    assert len(called) == 2


def columns(rows: Any) -> dict[str, Any]:
    return {name: rows[name] for name in rows.dtype.names}


def test_a_block_of_columns_is_the_block() -> None:
    block = people().block(0)
    wide = {k: v.astype(np.int64) for k, v in columns(block.records).items()}
    again = block_of(wide, columns(block.claims))
    assert np.array_equal(again.records, block.records)
    assert np.array_equal(again.claims, block.claims)
    assert again.claims.dtype == _core.claim_dtype


def test_columns_that_cannot_be_a_block_are_refused_with_every_problem() -> None:
    block = people().block(0)
    records, claims = columns(block.records), columns(block.claims)
    del records["sex"]
    records["gender"] = block.records["sex"]
    records["ses"] = block.records["ses"][:-1]
    claims["opened"] = claims["opened"].reshape(-1, 1)
    with pytest.raises(ShapeError) as caught:
        block_of(records, claims)
    said = [(p.where, p.what) for p in caught.value.problems]
    assert ("records, sex", "missing") in said
    assert ("records, gender", "unknown column") in said
    assert ("records, ses", "length") in said
    assert ("claims, opened", "length") in said
    assert len(said) == 4


def test_values_that_do_not_fit_are_refused_by_row_and_never_shown() -> None:
    block = people().block(0)
    records, claims = columns(block.records), columns(block.claims)
    insurer = block.records["insurer"].astype(np.int64)
    insurer[[3, 8]] = 70_001, -1
    person = block.claims["person"].astype(np.int64)
    person[1] = -77
    records["insurer"], claims["person"] = insurer, person
    claims["claimed_cents"] = claims["claimed_cents"].astype(np.float64)
    with pytest.raises(DomainError) as caught:
        block_of(records, claims)
    text = str(caught.value)
    assert "records, insurer: 2 rows (first: 3, 8) do not fit, expected 0..65535" in text
    assert "claims, person: 1 row (first: 1) do not fit" in text
    assert "claims, claimed_cents: dtype, expected whole numbers, got float64" in text
    assert "70001" not in text
    assert "-77" not in text


def test_codes_that_name_nothing_never_become_a_block() -> None:
    claims = people().block(0).claims.copy()
    claims["category"][[2, 4]] = 18, 255
    claims["title"][7] = 3
    with pytest.raises(DomainError) as caught:
        _core.Block(people().block(0).records, claims)
    assert [(p.where, p.got) for p in caught.value.problems] == [
        ("claims, category", "2 rows (first: 2, 4)"),
        ("claims, title", "1 row (first: 7)"),
    ]


def test_a_population_is_insured_people() -> None:
    given: Insured = people()
    assert (given.origin, given.data_sha256) == ("synthetic", None)
