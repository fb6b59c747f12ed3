"""A population written out as tables of somebody else and imported again is the same population."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import foreign
import numpy as np
import pytest

import anderhalf as ah
from anderhalf.files import Dataset
from anderhalf.simulation import Rules


@pytest.fixture(scope="module")
def people() -> Any:
    return foreign.people()


@pytest.fixture(scope="module")
def made(people: Any) -> Any:
    return foreign.tables(people)


@pytest.fixture(scope="module")
def original(people: Any) -> Any:
    return foreign.Renamed(people)  # ids decide who is in a class at a tie, so they are made the same


def key_file(folder: Path) -> Path:
    path = folder / "key"
    path.write_bytes(foreign.KEY)
    return path


def imported(folder: Path, made: Any, suffix: str) -> Dataset:
    spec = foreign.written(folder, *made, suffix)
    ah.import_microdata(spec, folder / "people", key_file=key_file(folder), seed=3)
    return Dataset(folder / "people")


def same_rows(found: Dataset, original: Any) -> None:
    records = np.concatenate([b.records for b in found.blocks()])
    claims = np.concatenate([b.claims for b in found.blocks()])
    for name in records.dtype.names:
        np.testing.assert_array_equal(records[name], original.only.records[name], err_msg=name)
    for name in claims.dtype.names:
        np.testing.assert_array_equal(claims[name], original.only.claims[name], err_msg=name)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather", "dta", "xpt"])
def test_every_format_gives_the_same_records_and_claims(
    suffix: str, tmp_path: Path, made: Any, people: Any, original: Any
) -> None:
    found = imported(tmp_path, made, suffix)
    same_rows(found, original)
    assert found.years == people.years
    assert found.insurers == people.insurers
    assert found.municipality_codes("mijnstreek") == people.municipality_codes("mijnstreek")
    assert found.origin == "microdata"
    assert sorted(p.name for p in tmp_path.glob(".*")) == []  # no bucket stays behind
    text = (tmp_path / "people" / "manifest.json").read_text()
    assert foreign.KEY.hex() not in text
    assert foreign.KEY.decode() not in text


def test_many_buckets_and_small_blocks_give_the_same_rows_and_keep_addresses_whole(
    tmp_path: Path, made: Any, original: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anderhalf.microdata as microdata
    import anderhalf.microdata_files as files

    monkeypatch.setattr(microdata, "BUCKET_BYTES", 1 << 16)
    monkeypatch.setattr(microdata, "BLOCK_PERSONS", 100)
    monkeypatch.setattr(files, "BATCH_ROWS", 1000)
    found = imported(tmp_path, made, "parquet")
    assert len(found) > 40
    same_rows(found, original)
    homes: list[set[int]] = []
    for block in found.blocks():
        first = np.unique(block.records["person"], return_index=True)[1]
        homes.append(set(block.records["address"][first].tolist()))
    assert max(map(len, homes)) > 20
    assert sum(map(len, homes)) == len(set().union(*homes))


def test_classes_totals_and_payments_are_those_of_the_original_to_the_cent(
    tmp_path: Path, made: Any, original: Any
) -> None:
    found = imported(tmp_path, made, "parquet")
    law = ah.load_model("nl-2021")
    frames = [ah.World(p, law, Rules(start=2021, horizon=1)).records(2021) for p in (original, found)]
    assert frames[0].equals(frames[1])
    a, b = (ah.pay(frame, law) for frame in frames)
    assert a.insurers.equals(b.insurers)
    fits = [ah.estimate(frame.assign(cost_cents=frame.variable_cents), model=law) for frame in frames]
    assert fits[0].params.equals(fits[1].params)


def test_imported_people_are_streamed_block_by_block(tmp_path: Path, made: Any, original: Any) -> None:
    found = imported(tmp_path, made, "dta")
    streamed = [p.stream("nl-2021", 2021) for p in (original, found)]
    assert streamed[0].moments.records == streamed[1].moments.records > 4000
    fits = [ah.estimate(s.moments, model="nl-2021") for s in streamed]
    assert fits[0].params.equals(fits[1].params)
    paid = [ah.pay(s, "nl-2021", "ex_ante").insurers for s in streamed]
    assert paid[0].equals(paid[1])


def test_a_simulation_runs_on_imported_people(tmp_path: Path, made: Any, original: Any) -> None:
    found = imported(tmp_path, made, "csv")
    law = ah.load_model("nl-2021-structural")
    programme = ah.load_programme("pluspunt")
    original.insured_years = found.insured_years  # a programme scales by them: from Vektis there, counted here
    runs = [ah.simulate(p, law, [programme], start=2021, horizon=1) for p in (original, found)]
    assert runs[0].decomposition.equals(runs[1].decomposition)
    assert runs[1].answer()["npv_cents"] != 0


def test_the_same_key_gives_the_same_ids_and_another_key_others(tmp_path: Path, made: Any) -> None:
    spec = foreign.written(tmp_path, *made, "parquet")
    key = key_file(tmp_path)
    for name in ("a", "b"):
        ah.import_microdata(spec, tmp_path / name, key_file=key)
    ah.import_microdata(spec, tmp_path / "c")
    a, b, c = (json.loads((tmp_path / n / "manifest.json").read_text()) for n in "abc")
    assert a == b
    assert a["partitions"] != c["partitions"]
    assert a["counts"] == c["counts"]


def test_read_microdata_is_a_population_whose_folder_goes_with_it(tmp_path: Path, made: Any) -> None:
    import gc

    spec = foreign.written(tmp_path, *made, "parquet")
    found = ah.read_microdata(spec)
    folder = found.directory
    assert found.persons > 5000
    assert folder.exists()
    del found
    gc.collect()
    assert not folder.exists()
