"""The same person in every sample, block and range of years: records and claims, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import anderhalf as ah
from anderhalf.population import Population


def rows(people: Population, years: tuple[int, int] | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """All records and claims."""
    blocks = list(people.blocks(years))
    return np.concatenate([b.records for b in blocks]), np.concatenate([b.claims for b in blocks])


def without(records: NDArray[Any], name: str) -> list[Any]:
    return list(records[[n for n in records.dtype.names or () if n != name]].tolist())


@pytest.mark.parametrize("seed", [1, 77])
def test_blocks_of_any_size_hold_the_same_people(seed: int) -> None:
    whole = rows(ah.synthesise(3_000, (2015, 2022), seed=seed))
    for block_persons in (61, 1_000, 50_000):
        records, claims = rows(ah.synthesise(3_000, (2015, 2022), seed=seed, block_persons=block_persons))
        for ours, theirs in ((records, whole[0]), (claims, whole[1])):
            for name in theirs.dtype.names or ():
                assert ours[name].tobytes() == theirs[name].tobytes(), name


def day(year: int) -> int:
    return int((np.datetime64(f"{year}-01-01") - np.datetime64("1970-01-01")).astype(int))


@pytest.mark.parametrize("region", [None, "mijnstreek"])
def test_the_years_asked_are_a_part_of_all_years(region: str | None) -> None:
    """A birth after the years asked must not renumber a child of those years."""
    people = ah.synthesise(12_000, (2015, 2031), region)
    records, claims = rows(people)
    for first, last in ((2015, 2015), (2016, 2021), (2024, 2024), (2020, 2031)):
        some, their = rows(people, (first, last))
        inside = (records["first_day"] >= day(first)) & (records["first_day"] < day(last + 1))
        opened = (claims["opened"] >= day(first)) & (claims["opened"] < day(last + 1))
        assert records[inside].tolist() == some.tolist()
        assert claims[opened].tolist() == their.tolist()


def samples() -> Iterator[tuple[Population, Population]]:
    for region in (None, "mijnstreek"):
        yield ah.synthesise(2_000, (2018, 2020), region), ah.synthesise(9_000, (2018, 2020), region)


def test_a_smaller_sample_lies_within_a_larger_one() -> None:
    for small, large in samples():
        records, claims = rows(small)
        more, their = rows(large)
        kept = np.isin(more["person"], records["person"])
        assert len(np.unique(records["person"])) > 1_000
        assert len(np.unique(more["person"])) > 2 * len(np.unique(records["person"]))
        assert without(more[kept], "represents") == without(records, "represents")  # who stand for fewer insured
        assert their[np.isin(their["person"], records["person"])].tolist() == claims.tolist()
