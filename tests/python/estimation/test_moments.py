"""Moments from any kind of table: the same integers, exactly."""

from __future__ import annotations

import doctest
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from small_world import CRITERIA, dense, records

import anderhalf.moments
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ShapeError
from anderhalf.moments import Criterion, Moments, RandomGroups


def test_the_examples_of_the_docstrings_run() -> None:
    assert doctest.testmod(anderhalf.moments).failed == 0


def test_moments_are_the_sums_of_the_dense_design() -> None:
    data = records()
    moments = Moments.from_records(data, CRITERIA, represents="represents")
    x = dense(data).astype(np.int64)
    weight = data["represents"].astype(np.int64) * data["days"]
    cents = data["represents"].astype(np.int64) * data["cost_cents"]
    assert (moments.core.xx() == x.T @ (weight[:, None] * x)).all()
    assert (moments.core.xd() == x.T @ weight).all()
    assert (moments.core.xc() == x.T @ cents).all()
    assert (moments.persons() == (x > 0).sum(axis=0)).all()
    assert moments.days == weight.sum()
    assert moments.cost_cents == cents.sum()
    squares = moments.core.squares()
    for d in (1, 200, 366):
        chosen = data["days"] == d
        expected = sum(
            int(r) * int(c) ** 2 for r, c in zip(data["represents"][chosen], data["cost_cents"][chosen], strict=True)
        )
        assert squares.get(d, 0) == expected


def every_frame(data: dict[str, Any]) -> dict[str, Any]:
    base = pl.DataFrame(data)
    return {
        "pandas": pd.DataFrame(data),
        "pandas-category": pd.DataFrame(data).astype({"region": "category", "mhk": "Int64", "fkg_1": "boolean"}),
        "polars": base,
        "polars-categorical": base.with_columns(pl.col("region").cast(pl.Categorical)),
        "polars-lazy": base.lazy(),
        "arrow": base.to_arrow(),
        "arrow-small-batches": base.to_arrow().to_reader(max_chunksize=97),
        "wide-integers": base.with_columns(pl.selectors.integer().cast(pl.Int64)),
    }


@pytest.mark.parametrize("kind", list(every_frame(records(10))))
def test_every_kind_of_frame_gives_the_same_integers(kind: str) -> None:
    data = records()
    assert Moments.from_records(every_frame(data)[kind], CRITERIA) == Moments.from_records(data, CRITERIA)


def test_duckdb_gives_the_same_integers() -> None:
    duckdb = pytest.importorskip("duckdb")
    data = records()
    connection = duckdb.connect()
    connection.register("t", pd.DataFrame(data))
    relation = connection.sql("select * from t")
    assert Moments.from_records(relation, CRITERIA) == Moments.from_records(data, CRITERIA)


def test_classes_found_in_the_data_are_those_that_were_named() -> None:
    data = records()
    found = ["age_sex", "mhk", "region", *CRITERIA[3:]]
    assert Moments.from_records(data, found) == Moments.from_records(data, CRITERIA)
    assert Moments.from_records(pl.DataFrame(data), found).criteria[2].named == ("North", "South", "West")


def test_a_stream_that_can_be_read_once_wants_its_classes_named() -> None:
    reader = pl.DataFrame(records()).to_arrow().to_reader()
    with pytest.raises(ShapeError, match=r"criterion mhk: has unknown classes.*Criterion\('mhk', classes="):
        Moments.from_records(reader, ["mhk"])


def test_classes_that_start_above_zero_or_have_gaps_are_found_by_value() -> None:
    codes = np.array([18, 65, 25, 18], dtype=np.int16)
    rest = {"cost_cents": np.arange(4), "days": np.full(4, 365)}
    gaps = Moments.from_records({"age": codes, **rest}, [Criterion("age", classes=[18, 25, 65])])
    assert gaps.core.xd().tolist() == [730, 365, 365]
    shifted = Moments.from_records(
        {"age": np.array([3, 4, 3, 3], np.uint8), **rest}, [Criterion("age", classes=[3, 4])]
    )
    assert shifted.core.xd().tolist() == [1095, 365]
    for classes in ([18, 25], [18, 19, 20], ["18", "65"]):
        with pytest.raises(DomainError, match=r"column age: \d codes? that (is|are) no class \(rows? "):
            Moments.from_records({"age": codes, **rest}, [Criterion("age", classes=classes)])


def test_an_unknown_label_is_refused_without_being_told() -> None:
    data = records(50)
    with pytest.raises(DomainError, match="labels that are no class") as error:
        Moments.from_records(data, [Criterion("region", classes=["North", "South"])])
    assert "West" not in str(error.value)


def test_a_bit_mask_is_the_same_as_its_flags() -> None:
    data = records()
    mask = sum(data[f"fkg_{k}"].astype(np.uint64) << np.uint64(k - 1) for k in (1, 2, 3))
    by_mask = Criterion("fkg", columns=["mask"], classes=["0", "1", "2", "3"], multi=True, none=True)
    assert Moments.from_records({**data, "mask": mask}, [by_mask]) == Moments.from_records(data, [CRITERIA[3]])


def write(folder: Path, data: dict[str, Any], parts: int, kind: str = "parquet") -> Path:
    folder.mkdir()
    frame = pl.DataFrame(data)
    size = -(-len(frame) // parts)
    for k in range(parts):
        part = frame[k * size : (k + 1) * size]
        file = folder / f"part_{k:02}.{kind}"
        part.write_parquet(file) if kind == "parquet" else part.write_csv(file)
    return folder


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_sixteen_files_are_the_same_as_one_and_as_the_frame(tmp_path: Path, kind: str) -> None:
    data = records()
    whole = Moments.from_records(data, CRITERIA)
    assert Moments.from_records(write(tmp_path / "one", data, 1, kind), CRITERIA) == whole
    assert Moments.from_records(write(tmp_path / "many", data, 16, kind), CRITERIA) == whole
    assert Moments.from_records(tmp_path / "many", ["age_sex", "mhk", "region", *CRITERIA[3:]]) == whole


def test_streamed_slices_are_the_same_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anderhalf.columns, "SLICE_ROWS", 300)
    monkeypatch.setattr(anderhalf.moments, "JOIN_ROWS", 700)
    data = records()
    read: list[int] = []
    moments = Moments.from_records(write(tmp_path / "x", data, 2), CRITERIA, progress=read.append)
    assert moments == Moments.from_records(data, CRITERIA)
    assert len(read) > 3
    assert read[-1] == 5_000


def test_parts_add_up_and_can_be_taken_out_again() -> None:
    data = records()
    part = {name: values[:1_700] for name, values in data.items()}
    rest = {name: values[1_700:] for name, values in data.items()}
    whole, a, b = (Moments.from_records(d, CRITERIA) for d in (data, part, rest))
    assert a + b == whole
    assert b + a == whole
    assert whole - a == b
    assert sum([a, b]) == whole
    c = a + b
    c -= b
    assert c == a
    assert a != b
    assert (a + b).entries_per_record == pytest.approx(whole.entries_per_record)


def test_moments_of_other_criteria_do_not_add() -> None:
    data = records(100)
    with pytest.raises(ShapeError):
        Moments.from_records(data, CRITERIA[:2]) + Moments.from_records(data, CRITERIA[:3])


def test_moments_survive_pickle_bytes_and_a_file(tmp_path: Path) -> None:
    moments = Moments.from_records(records(), CRITERIA)
    again = pickle.loads(pickle.dumps(moments))
    assert again == moments
    assert again.layout == moments.layout
    assert Moments.from_bytes(moments.to_bytes()) == moments
    moments.save(tmp_path / "m.moments")
    assert Moments.load(tmp_path / "m.moments") == moments
    assert [p.name for p in tmp_path.iterdir()] == ["m.moments"]
    cut = moments.to_bytes()[:-5]
    (tmp_path / "cut").write_bytes(cut)
    with pytest.raises(DomainError):
        Moments.from_bytes(cut)
    with pytest.raises(DomainError, match="cut: "):
        Moments.load(tmp_path / "cut")
    with pytest.raises(NotFoundError):
        Moments.load(tmp_path / "none")


@pytest.mark.threads
def test_threads_and_order_of_the_records_change_no_integer() -> None:
    data = records(20_000)
    order = np.random.default_rng(7).permutation(20_000)
    shuffled = {name: values[order] for name, values in data.items()}
    whole = Moments.from_records(data, CRITERIA, threads=1)
    assert Moments.from_records(data, CRITERIA, threads=2) == whole
    assert Moments.from_records(shuffled, CRITERIA, threads=7) == whole


def test_strata_and_categories_add_up_to_the_whole() -> None:
    data = records()
    half = data["cost_cents"] // 3
    split = {**data, "a_cents": half, "b_cents": data["cost_cents"] - half}
    whole = Moments.from_records(data, CRITERIA)
    parts = Moments.from_records(split, CRITERIA, categories=["a_cents", "b_cents"], stratum="region")
    assert parts.categories == ["a", "b"]
    assert parts.strata == ["North", "South", "West"]
    assert parts.cost_cents == whole.cost_cents
    assert (sum(parts.core.xx(s) for s in range(3)) == whole.core.xx()).all()
    assert (sum(parts.core.xc(g, s) for g in range(2) for s in range(3)) == whole.core.xc()).all()


def test_random_groups_depend_on_no_slice_and_hold_a_person_together() -> None:
    data = {**records(), "person": np.repeat(np.arange(2_500), 2)}
    by_row = Moments.from_records(data, CRITERIA, stratum=RandomGroups(5, seed=3))
    reader = pl.DataFrame(data).to_arrow().to_reader(max_chunksize=71)
    assert Moments.from_records(reader, CRITERIA, stratum=RandomGroups(5, seed=3)) == by_row
    assert Moments.from_records(data, CRITERIA, stratum=RandomGroups(5, seed=4)) != by_row
    by_person = Moments.from_records(data, CRITERIA, stratum=RandomGroups(5, by="person"))
    sizes = [by_person.core.rows_of(s) for s in range(5)]
    assert sum(sizes) == 5_000
    assert all(size % 2 == 0 and 850 < size < 1_150 for size in sizes)


# --- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": np.full(5_000, 367)}, "days, expected 1..366, got 5000 rows"),
        (
            {"mhk": np.full(5_000, 4)},
            r"column mhk: 5000 codes outside their range \(rows 0, 1, 2, 3, 4\), expected 0..3",
        ),
        ({"mhk": np.full(5_000, 4, np.uint8)}, "mhk: unknown classes, expected codes 0..3, got 5000 rows"),
        ({"cost_cents": np.full(5_000, 1.5)}, "column cost_cents: holds floating-point numbers"),
        ({"represents": np.zeros(5_000, int)}, "column represents: 5000 values outside their range"),
        ({"fkg_1": np.full(5_000, 2, np.uint8)}, "fkg"),
    ],
)
def test_bad_records_are_refused_with_the_column_and_the_rows(change: dict[str, Any], words: str) -> None:
    with pytest.raises(AnderhalfError, match=words):
        Moments.from_records({**records(), **change}, CRITERIA, represents="represents")


def test_all_problems_come_at_once_with_file_and_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anderhalf.columns, "SLICE_ROWS", 300)
    monkeypatch.setattr(anderhalf.moments, "JOIN_ROWS", 1)
    data = records(3_000)
    data["days"][2_500] = 400
    data["mhk"][2_501] = 9
    write(tmp_path / "x", data, 2)
    with pytest.raises(DomainError) as error:
        Moments.from_records(tmp_path / "x", CRITERIA)
    assert "part_01.parquet: days, expected 1..366, got 1 row (first: 1000)" in str(error.value)
    assert "part_01.parquet: mhk: unknown classes, expected codes 0..3, got 1 row (first: 1001)" in str(error.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: Criterion("x", columns=["a", "b"]), "one column of codes, or multi=True"),
        (lambda: Criterion("x", columns=["a", "b"], classes=["0", "1"], multi=True, none=True), "1 classes to read"),
        (lambda: Criterion("x", none=True), "only with multi or counts"),
        (lambda: Criterion("x", multi=True, counts=True), "one of them"),
        (lambda: Criterion("x", classes=["a", "a"]), "classes named twice: a"),
        (lambda: Criterion("x", classes=0), "number of classes"),
        (lambda: Moments.from_records(records(9), ["mhk", "mhk"]), "criterion mhk: is given twice"),
        (lambda: Moments.from_records(records(9)), "neither criteria nor model"),
        (lambda: Moments.from_records(records(9), ["mhk"], model="nl-2021"), "criteria and model"),
        (
            lambda: Moments.from_records(
                records(9), [Criterion("mhk", absorbed=True), Criterion("age_sex", absorbed=True)]
            ),
            "2 are absorbed",
        ),
    ],
)
def test_criteria_that_contradict_themselves_are_refused(given: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        given()


def test_a_column_of_persons_is_not_taken_for_classes() -> None:
    data = {**records(50), "person": np.arange(50) * 10_000_000}
    with pytest.raises(DomainError, match=r"criterion person: 490,000,001 classes found, .*absorbed=True"):
        Moments.from_records(data, ["person"])


def test_a_model_year_names_the_columns_it_misses() -> None:
    with pytest.raises(NotFoundError, match=r"columns are missing: fkg_4\.\.fkg_38, dkg_3\.\.dkg_26"):
        Moments.from_records(records(5), model="nl-2021")


def test_the_two_numbers_that_drive_the_speed_are_shown() -> None:
    moments = Moments.from_records(records(), CRITERIA)
    if moments.cells:
        assert "non-baseline entries per record" in repr(moments)
        assert "occupied cells" in moments._repr_html_()
    assert "5,000" in repr(moments)
