"""The door: bytes, origin, small cells, and directories that are whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anderhalf import export
from anderhalf.errors import DomainError, ShapeError


def bundle(origin: export.Origin = "synthetic") -> export.Bundle:
    one = export.Bundle(origin=origin, model="nl-2021", parameters_sha256="p", data_sha256=None, seed=7)
    one.results({"year": 2021})
    return one


def files(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_euros_have_two_decimals_cents_none_and_missing_is_empty() -> None:
    frame = pd.DataFrame(
        {"name": ["a,b", "c"], "x_eur": [1.005, np.nan], "y_cents": [3, -4], "ratio": [1 / 3, 1.0], "z": [0.1, 2.0]}
    )
    assert export.csv_text(frame) == 'name,x_eur,y_cents,ratio,z\n"a,b",1.00,3,0.3333,0.1\nc,,-4,1.0000,2\n'


def test_minus_zero_is_written_as_zero() -> None:
    assert export.csv_text(pd.DataFrame({"x_eur": [-0.001]})) == "x_eur\n0.00\n"
    assert json.loads(export.json_text({"x_eur": -0.001})) == {"x_eur": 0.0}
    assert "-" not in export.json_text({"x_eur": -0.001})


def test_cents_that_are_no_integers_are_refused() -> None:
    with pytest.raises(DomainError, match="whole cents"):
        export.csv_text(pd.DataFrame({"x_cents": [1.5, 2.0]}))
    with pytest.raises(DomainError, match="whole cents"):
        export.json_text({"x_cents": 1.5})


def test_json_keeps_its_keys_in_order_and_has_no_nan() -> None:
    text = export.json_text(
        {"b": np.int64(2), "a": [float("nan"), np.float64(0.1) + 0.2], "total_eur": 2.345678, "ë": None}
    )
    assert list(json.loads(text)) == ["b", "a", "total_eur", "ë"]
    assert json.loads(text) == {"b": 2, "a": [None, 0.3], "total_eur": 2.35, "ë": None}
    assert text.endswith("}\n")
    assert "ë" in text


def test_results_carry_version_model_hashes_seed_and_origin_first() -> None:
    found = json.loads(bundle().results({"year": 2021}))
    assert list(found) == [
        "anderhalf_version",
        "model",
        "parameters_sha256",
        "data_sha256",
        "seed",
        "origin",
        "year",
    ]
    assert found["data_sha256"] is None
    assert found["seed"] == 7
    with pytest.raises(ShapeError, match="seed"):
        bundle().results({"seed": 3})


def test_every_table_names_its_origin() -> None:
    one = bundle()
    one.table("costs", pd.DataFrame({"x_eur": [1.0]}), origin="synthetic")
    assert one._files["tables/costs.csv"] == "x_eur,origin\n1.00,synthetic\n"
    with pytest.raises(TypeError, match="origin"):
        one.table("other", pd.DataFrame({"x_eur": [1.0]}))  # type: ignore[call-arg]
    with pytest.raises(DomainError, match="microdata, synthetic, public"):
        one.table("other", pd.DataFrame({"x_eur": [1.0]}), origin="secret")  # type: ignore[arg-type]


def test_microdata_without_a_count_of_persons_are_refused() -> None:
    with pytest.raises(ShapeError, match="count="):
        bundle("microdata").table("costs", pd.DataFrame({"x_eur": [1.0]}), origin="microdata")
    with pytest.raises(DomainError, match="no number of persons"):
        bundle("microdata").table("costs", pd.DataFrame({"n": [1.5], "x_eur": [1.0]}), origin="microdata", count="n")


def test_small_cells_of_microdata_keep_their_name_and_lose_every_figure() -> None:
    frame = pd.DataFrame({"class": ["a", "b", "c"], "persons": [9, 50, 30], "mean_eur": [1.0, 2.0, 3.0]})
    one = bundle("microdata")
    shown = one.table("classes", frame, origin="microdata", count="persons")
    assert (
        one._files["tables/classes.csv"]
        == "class,persons,mean_eur,origin\na,,,microdata\nb,50,2.00,microdata\nc,,,microdata\n"
    )
    assert shown["mean_eur"].isna().tolist() == [True, False, True]
    assert frame["persons"].tolist() == [9, 50, 30]  # the caller's own frame is left as it was


def test_the_same_table_of_a_synthetic_population_is_shown_whole() -> None:
    frame = pd.DataFrame({"class": ["a", "b"], "persons": [9, 50]})
    assert bundle().table("classes", frame, origin="synthetic", count="persons")["persons"].tolist() == [9, 50]


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    assert export.small_cells([9, 50, 30, 80]).tolist() == [True, False, True, False]


def test_two_small_cells_that_are_together_below_ten_take_a_third() -> None:
    assert export.small_cells([2, 3, 50, 30]).tolist() == [True, True, False, True]
    assert export.small_cells([6, 7, 50, 30]).tolist() == [True, True, False, False]


def test_cells_without_persons_are_shown_and_protect_nobody() -> None:
    assert export.small_cells([9, 0, 50]).tolist() == [True, False, True]
    assert export.small_cells([0, 10, 50]).tolist() == [False, False, False]


def test_a_group_without_a_second_cell_loses_its_total() -> None:
    hidden = export.small_cells([9, 9, 40, 20, 60], ["a", "a", "b", "b", "b"], [False, True, False, False, True])
    assert hidden.tolist() == [True, True, False, False, False]


def test_no_hidden_cell_follows_from_its_total_for_random_tables() -> None:
    rng = np.random.default_rng(5)
    for _ in range(500):
        counts = rng.integers(0, 40, size=int(rng.integers(1, 8)))
        persons = [*counts.tolist(), int(counts.sum())]
        hidden = export.small_cells(persons, None, [False] * len(counts) + [True])
        small = (counts > 0) & (counts < 10)
        assert hidden[:-1][small].all()
        if not hidden[-1] and hidden.any():
            left = counts[hidden[:-1]]
            assert len(left) >= 2
            assert left.sum() >= 10


def test_small_cells_in_the_results_of_microdata_become_null() -> None:
    one = export.Bundle(origin="microdata")
    rows = [
        {"class": "a", "persons": 3, "mean_eur": 1.5},
        {"class": "b", "persons": 20, "mean_eur": 2.0},
        {"class": "c", "persons": 40, "mean_eur": 2.5},
    ]
    found = json.loads(one.results({"classes": rows}))["classes"]
    assert found[0] == {"class": "a", "persons": None, "mean_eur": None}
    assert found[1]["mean_eur"] is None
    assert found[2]["mean_eur"] == 2.5


def test_a_directory_appears_whole_and_again_with_the_same_bytes(tmp_path: Path) -> None:
    one = bundle()
    one.table("costs", pd.DataFrame({"x_eur": [1.0]}), origin="synthetic")
    one.figure("costs", "<svg/>")
    one.report(export.html_page("Title <b>", [export.html_paragraph("a & b")]))
    one.write(tmp_path / "out")
    before = files(tmp_path / "out")
    assert set(before) == {"results.json", "report.html", "tables/costs.csv", "figures/costs.svg"}
    one.write(tmp_path / "out")  # an own directory is replaced
    one.write(tmp_path / "deep" / "er" / "other")
    assert files(tmp_path / "out") == before == files(tmp_path / "deep" / "er" / "other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "out"]
    assert str(tmp_path).encode() not in b"".join(before.values())
    assert b"Title &lt;b&gt;" in before["report.html"]
    assert b"a &amp; b" in before["report.html"]


def test_a_directory_with_files_of_others_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(DomainError, match=r"thesis\.txt"):
        bundle().write(tmp_path / "out")
    assert files(tmp_path) == {"out/thesis.txt": b"mine"}
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DomainError, match="a file with this name"):
        bundle().write(tmp_path / "file")


def test_nothing_is_left_when_writing_fails_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle().write(tmp_path / "out")
    before = files(tmp_path)
    write_bytes = Path.write_bytes

    def fails(self: Path, data: bytes) -> int:
        if self.name == "results.json":
            raise OSError(28, "No space left on device")
        return write_bytes(self, data)

    one = bundle()
    one.table("costs", pd.DataFrame({"x_eur": [1.0]}), origin="synthetic")
    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(DomainError, match="No space left"):
        one.write(tmp_path / "out")
    with pytest.raises(DomainError, match="No space left"):
        one.write(tmp_path / "new")
    monkeypatch.undo()
    assert files(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_the_results_of_before_come_back_when_the_new_ones_cannot_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    bundle().write(tmp_path / "out")
    before = files(tmp_path)
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.suffix == ".partial":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises((DomainError, KeyboardInterrupt)):
        bundle().write(tmp_path / "out")
    monkeypatch.undo()
    assert files(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_names_cannot_leave_the_directory(tmp_path: Path) -> None:
    for name in ("../x", "/x", ""):
        with pytest.raises(DomainError, match="outside"):
            export.write_directory(tmp_path / "out", {name: "x"})
    with pytest.raises(ShapeError):
        bundle().table("../x", pd.DataFrame({"x_eur": [1.0]}), origin="public")
    with pytest.raises(ShapeError):
        bundle().figure("../x", "<svg/>")


def test_frames_of_other_libraries_are_taken_and_other_things_refused() -> None:
    with pytest.raises(ShapeError, match="frame"):
        bundle().table("costs", [1, 2, 3], origin="public")
    pl = pytest.importorskip("polars")
    shown = bundle().table("costs", pl.DataFrame({"x_eur": [1.0, 2.0]}), origin="public")
    assert shown["x_eur"].tolist() == [1.0, 2.0]


def test_a_page_fetches_nothing_and_runs_nothing() -> None:
    page = export.html_page(
        "T", [export.html_table(pd.DataFrame({"name": ["a"], "x_eur": [-1234.5], "ratio": [None]}))]
    )
    for word in ("<script", "http:", "https:", "src=", "@import", "url("):
        assert word not in page
    assert "\u22121\u2009234" in page
    assert "–" in page
