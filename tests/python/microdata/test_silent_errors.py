"""What a table or a map says wrong is found, where the result would look as good as a right one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from test_wrong_input import by_days

import anderhalf as ah
import anderhalf.microdata as microdata
from anderhalf.class_map import check_classes
from anderhalf.errors import AnderhalfError


def refused(call: Any) -> list[str]:
    with pytest.raises(AnderhalfError) as found:
        call()
    return [str(p) for p in found.value.problems]


def checked(folder: Path, records: Any, claims: Any, spec: dict[str, Any], suffix: str = "csv") -> list[str]:
    spec = small.write(folder, records, claims, spec, suffix)
    return refused(lambda: ah.check_microdata(spec))


def people(folder: Path, records: Any, claims: Any, spec: dict[str, Any], suffix: str = "csv") -> Any:
    return ah.read_microdata(small.write(folder, records, claims, spec, suffix), folder / "people")


def options(found: Any) -> dict[str, int]:
    return {name: int(count) for name, _, count in (o.rpartition(": ") for o in found.manifest.options_accepted)}


# --- records and claims -----------------------------------------------------------------------------------------------


def test_claims_of_records_without_days_are_refused_or_accepted_by_their_own_option(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    by_days(366, 365, 0, 0)(records, claims, spec)
    claims[:] = [*claims, {**claims[0], "rin": "bert"}]
    spec["options"]["drop_records_without_days"] = True
    assert checked(tmp_path, records, claims, spec) == [
        "claims claims.csv: 1 claim is of a person without a record (row 1), expected claims of insured persons (the "
        "same pseudonyms in both tables), or options.drop_claims_without_record"
    ]
    spec["options"]["drop_claims_without_record"] = True
    found = people(tmp_path, records, claims, spec)
    assert options(found)["drop_claims_without_record"] == 1
    assert options(found)["drop_records_without_days"] == 2
    assert (found.persons, found.manifest.counts.claims) == (1, 1)


def test_a_claim_in_a_year_without_days_is_outside_the_periods(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    by_days(366, 365, 366, 0)(records, claims, spec)
    claims[:] = [{**claims[0], "rin": "bert", "open": "2021-02-03"}]
    spec["options"]["drop_records_without_days"] = True
    assert checked(tmp_path, records, claims, spec) == [
        "claims claims.csv: 1 claim was opened outside the insured periods of its person (row 0), expected opened on "
        "an insured day, or options.drop_claims_outside_periods"
    ]


def test_pieces_of_a_cut_record_outside_the_years_need_their_option(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records = [{**records[0], "van": "2012-03-01", "tot": "2023-06-30"},
               {**records[2], "van": "2017-01-01", "tot": "2019-12-31"}]  # fmt: skip
    spec["options"] = {"cut_at_year_borders": True}
    claims = claims[:1]
    assert checked(tmp_path, records, claims, spec) == [
        "records records.csv: 3 records are of other years (rows 0, 1), expected 2020..2021 (microdata.years), or "
        "options.drop_other_years"
    ]
    spec["options"]["drop_other_years"] = True
    found = people(tmp_path, records, claims, spec)
    assert options(found) == {"cut_at_year_borders": 2, "drop_other_years": 3}
    rows = found.block(0).records
    days = [rows[name].astype("M8[D]").astype(str).tolist() for name in ("first_day", "last_day")]
    assert days == [["2020-01-01", "2021-01-01"], ["2020-12-31", "2021-12-31"]]


def test_a_column_of_dates_is_no_year_whatever_the_unit_says(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    spec["claims"][0]["units"]["opened"] = "year"
    small.write(tmp_path, records, claims, spec, "parquet")
    frame = pl.DataFrame(claims).with_columns(pl.col("open").str.to_date(), pl.col("bedrag").cast(pl.Float64))
    frame.write_parquet(tmp_path / "claims.parquet")
    found = ah.read_microdata(spec, tmp_path / "people")
    assert sorted(found.block(0).claims["opened"].astype("M8[D]").astype(str)) == [c["open"] for c in sorted(
        claims, key=lambda c: c["open"])]  # fmt: skip
    assert options(found) == {}


# --- ids --------------------------------------------------------------------------------------------------------------


def test_ids_that_lost_digits_as_fractions_are_refused(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    small.write(tmp_path, records, claims, spec, "parquet")
    for name, rows in (("records", records), ("claims", claims)):
        number = pl.Series("rin", [2.0**53 + 2 if r["rin"] == "anna" else 12.0 for r in rows])
        path = tmp_path / f"{name}.parquet"
        pl.read_parquet(path).with_columns(number).write_parquet(path)
    assert refused(lambda: ah.check_microdata(spec)) == [
        "records records.parquet, column rin: 2 ids have lost their last digits in a column of fractions (rows 0, 1), "
        "expected whole numbers below 2^53, or texts",
        "claims claims.parquet, column rin: 2 ids have lost their last digits in a column of fractions (rows 0, 1), "
        "expected whole numbers below 2^53, or texts",
    ]


@pytest.mark.parametrize("part", ["missing", "constants"])
def test_nothing_stands_for_ids_that_are_not_there(part: str) -> None:
    _, _, spec = small.tables()
    spec["records"]["columns"]["address"] = "adres"
    if part == "constants":
        del spec["records"]["columns"]["person"], spec["records"]["columns"]["address"]
    spec["records"][part] = {**spec["records"].get(part, {}), "person": "x", "address": "y"}
    assert refused(lambda: ah.column_map(spec)) == [
        f"column map records.{part}.person: cannot stand for ids, expected a column with a value in every row",
        f'column map records.{part}.address: cannot stand for ids, expected missing.address = "alone"',
    ]


def with_addresses(*addresses: str | None) -> tuple[Any, Any, dict[str, Any]]:
    records, claims, spec = small.tables()
    for r, address in zip(records, addresses, strict=True):
        r["adres"] = address
    spec["records"]["columns"]["address"] = "adres"
    return records, claims, spec


def test_an_empty_address_is_that_of_somebody_alone(tmp_path: Path) -> None:
    records, claims, spec = with_addresses(None, None, None, "A1")
    assert checked(tmp_path, records, claims, spec) == [
        "records records.csv, column adres: 3 cells are empty (rows 0, 1, 2), expected a value in every row, or "
        "records.missing.address in the map"
    ]
    spec["records"]["missing"] = {"address": "alone"}
    found = people(tmp_path, records, claims, spec)
    rows = found.block(0).records
    assert options(found) == {"records.missing.address": 3}
    assert len(np.unique(rows["address"])) == 3
    assert 0 not in rows["address"]
    by_person = [np.unique(rows["address"][rows["person"] == p]) for p in np.unique(rows["person"])]
    assert sorted(map(len, by_person)) == [1, 2]


def test_an_address_of_more_persons_than_a_block_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microdata, "MOST_AT_HOME", 1)
    assert checked(tmp_path, *with_addresses("A", "A", "A", "A")) == [
        "column map records, column adres: has 1 address of more than 1 persons, expected who lives together; where "
        'it is not known an empty cell and missing.address = "alone"'
    ]
    assert people(tmp_path, *with_addresses("A", "A", "B", "A")).persons == 2


# --- codes ------------------------------------------------------------------------------------------------------------


def with_municipality(*codes: Any, **table: Any) -> tuple[Any, Any, dict[str, Any]]:
    records, claims, spec = small.tables()
    del spec["records"]["constants"]["municipality"]
    spec["records"]["columns"]["municipality"] = "gem"
    for r, code in zip(records, codes, strict=True):
        r["gem"] = code
    for name, value in table.items():
        spec["records"][name]["municipality"] = value
    return records, claims, spec


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_number_is_no_municipality_unless_the_map_says_so(suffix: str, tmp_path: Path) -> None:
    wrong = checked(tmp_path, *with_municipality(106, 0, 3, 1680), suffix)
    assert wrong == [
        f"records records.{suffix}, column gem: 3 codes are unknown (rows 0, 2, 3), expected the name of a "
        "municipality of 2018, or 0 abroad, or [records.codes.municipality]"
    ]
    wrong = checked(tmp_path, *with_municipality(106, 0, 3, 1680, units="ours"), suffix)
    assert wrong == [
        f"records records.{suffix}, column gem: 1 code is unknown (row 3), expected a number of ours, or "
        "[records.codes.municipality]"
    ]
    found = people(tmp_path, *with_municipality(106, 0, 3, 3, codes={"106": "Assen", "0": 0, "003": "Veere"}), suffix)
    names = [found.municipalities.get(int(code)) for code in found.block(0).records["municipality"]]
    assert sorted(map(str, names)) == ["Abroad", "Assen", "Veere", "Veere"]


def test_a_municipality_by_a_number_that_has_no_name_is_refused() -> None:
    _, _, spec = with_municipality(1, 1, 1, 1, codes={"0917": 917, "0928": "Kerkrade"})
    assert refused(lambda: ah.column_map(spec)) == [
        "column map records.codes.municipality.0917: is no municipality of ours, expected its name, or 0 abroad, "
        "got 917"
    ]


def with_consult(codes: dict[str, Any] | None, *values: Any) -> tuple[Any, Any, dict[str, Any]]:
    records, claims, spec = small.tables()
    spec["claims"][0]["columns"]["consult"] = "cons"
    for c, value in zip(claims, values, strict=True):
        c["cons"] = value
    if codes is not None:
        spec["claims"][0]["codes"] = {"consult": codes}
    return records, claims, spec


def test_codes_of_flags_are_nothing_but_0_and_1_true_and_false(tmp_path: Path) -> None:
    _, _, spec = with_consult({"J": "1", "N": "0", "K": "nee", "L": 2}, "J", "N", "N")
    assert refused(lambda: ah.column_map(spec)) == [
        "column map claims.codes.consult.K: is no flag, expected 0, 1, true or false, got nee",
        "column map claims.codes.consult.L: is no flag, expected 0, 1, true or false, got 2",
    ]
    for k, codes in enumerate(({"J": "1", "N": "0"}, {"J": True, "N": False}, {"J": "true", "N": "false"})):
        folder = tmp_path / str(k)
        folder.mkdir()
        found = people(folder, *with_consult(codes, "J", "N", "N"))
        assert found.block(0).claims["consult"].sum() == 1


def test_codes_that_differ_in_leading_zeros_alone_are_one_code() -> None:
    _, _, spec = small.tables()
    spec["records"]["codes"]["income_source"] = {"1": "employed", "01": "student", "02": "reference", "2": "reference"}
    assert refused(lambda: ah.column_map(spec)) == [
        "column map records.codes.income_source.01: is 1 with other leading zeros and stands for another, expected one "
        "code of ours for both"
    ]


# --- amounts and dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [184_467_440_737_095_517, -(1 << 62), 21_474_837])
def test_amounts_that_overflow_as_cents_are_outside_the_range(amount: int, tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    small.write(tmp_path, records, claims, spec, "parquet")
    frame = pl.DataFrame(claims).with_columns(pl.Series("bedrag", [amount, 1, 2]))
    frame.write_parquet(tmp_path / "claims.parquet")
    assert refused(lambda: ah.check_microdata(spec)) == [
        "claims claims.parquet, column bedrag: 1 amount is outside its range (row 0), expected "
        "-2147483647..2147483647 cents (units.claimed = 'euros')"
    ]


@pytest.mark.parametrize("amount", ["1e400", "1e30", "-1e30"])
def test_texts_of_amounts_beyond_all_numbers_are_refused(amount: str, tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    claims[0]["bedrag"] = amount
    assert checked(tmp_path, records, claims, spec) == [
        "claims claims.csv, column bedrag: 1 value is no finite number (row 0), expected numbers below 2^53"
    ]


@pytest.mark.parametrize("date", ["20200203", "2020-W06-1", "2020-02-03 99:00", "2020-02-03garbage", "2020-02-30"])
def test_dates_as_iso_are_whole(date: str, tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    claims[0]["open"] = date
    assert "1 value is no date as iso (row 0)" in checked(tmp_path, records, claims, spec)[0]


def test_dates_as_iso_may_have_a_time(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    for c, clock in zip(claims, ("T00:00:00", " 23:59", " 00:00:00.000"), strict=True):
        c["open"] += clock
    assert people(tmp_path, records, claims, spec).manifest.counts.claims == 3


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [1 << 26, 1 << 18])
def test_a_quotation_mark_that_is_not_closed_is_found_in_one_pass(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anderhalf.microdata_files as files

    monkeypatch.setattr(files, "CSV_BYTES", part)
    records, claims, spec = small.tables()
    head, row = small.csv_of(records).splitlines(keepends=True)[:2]
    begin = time.process_time()
    wrong = checked(tmp_path, head + row + b'"' + row * 80_000, claims, spec)
    assert wrong[0].startswith("records.csv: has a quotation mark that is not closed")
    assert time.process_time() - begin < 3  # a count anew from the start at every line took minutes


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    names = []
    for k, rows in enumerate((records[:2], records[2:])):
        (tmp_path / f"y{k}").mkdir()
        names.append(str(tmp_path / f"y{k}" / "records.csv"))
        pl.DataFrame([{**r, "gesl": "X"} for r in rows]).write_csv(names[-1])
    small.write(tmp_path, records, claims, spec)
    spec["records"]["file"] = names
    wrong = refused(lambda: ah.check_microdata(spec))
    assert [w.partition(":")[0] for w in wrong] == [
        "records y0/records.csv, column gesl", "records y1/records.csv, column gesl",
    ]  # fmt: skip


def test_options_are_counted_over_files_of_one_name(tmp_path: Path) -> None:
    names = []
    for k in range(2):
        (tmp_path / str(k)).mkdir()
        names.append(tmp_path / str(k) / "a.csv")
        names[-1].write_text("duur,kosten\n365,1.005\n10,1\n", encoding="latin-1")
    classes = {"columns": {"days": "duur", "cost_cents": "kosten"}, "encoding": "latin-1", "units": {"cents": "euros"}}
    found = ah.mapped(names, {"classes": classes, "options": {"round_to_cents": True}})
    for _ in range(2):
        for piece in found.slices(["cost_cents"]):
            piece.read("cost_cents")
        assert {a["option"]: a["count"] for a in found.accepted} == {"encoding=latin-1": 4, "round_to_cents": 2}


def test_compressed_text_counts_as_what_it_becomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    from anderhalf.column_maps import column_map
    from anderhalf.microdata import _Import

    records, claims, spec = small.tables()
    path = tmp_path / "records.csv.gz"
    path.write_bytes(gzip.compress(small.csv_of(records) * 50))
    small.write(tmp_path, small.csv_of(records), claims, spec)
    spec["records"]["file"] = str(path)
    size = 10 * path.stat().st_size + (tmp_path / "claims.csv").stat().st_size
    monkeypatch.setattr(microdata, "BUCKET_BYTES", 100)
    assert _Import(column_map(spec), b"k" * 16, tmp_path, None).records.count == 1 + size // 100


def test_rows_lie_beside_the_tables_and_not_in_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    made: list[Path] = []
    make = tempfile.mkdtemp

    def noted(*args: Any, **names: Any) -> str:
        made.append(Path(make(*args, **names)))
        return str(made[-1])

    spec = small.write(tmp_path, *small.tables())
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    ah.check_microdata(spec)
    ah.check_microdata(spec, scratch=other)
    assert [folder.parent for folder in made] == [tmp_path, other]
    found = ah.read_microdata(spec)
    assert found.directory.parent.parent == tmp_path
    assert refused(lambda: ah.check_microdata(spec, scratch=tmp_path / "nowhere")) == [
        "scratch: rows cannot be kept there meanwhile, expected --scratch DIR that can be written, for personal data, "
        "got FileNotFoundError"
    ]


def test_a_signal_to_stop_leaves_no_rows_behind(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom anderhalf import cli, microdata\n"
        "def stop(*_):\n    os.kill(os.getpid(), signal.SIGTERM)\n    signal.pause()\n"
        "microdata._Import._joined = stop\nsys.argv = ['anderhalf', 'check', 'map.toml']\ncli.main()\n"
    )
    _, _, spec = small.tables()
    small.write(tmp_path, *small.tables())
    (tmp_path / "map.toml").write_text(
        "[microdata]\nyears = [2020, 2021]\n[records]\nfile = 'records.csv'\n[records.columns]\n"
        + "".join(f"{k} = '{v}'\n" for k, v in spec["records"]["columns"].items())
        + "[records.constants]\nses = 2\nhousehold = 'other'\n[records.units]\n"
        + "".join(f"{k} = '{v}'\n" for k, v in spec["records"]["units"].items())
        + "[records.codes]\nsex = {M = 'm', V = 'f'}\nincome_source = {1 = 'employed', 2 = 'reference'}\n"
        + "[[claims]]\nfile = 'claims.csv'\ncolumns = {person = 'rin', opened = 'open', claimed = 'bedrag'}\n"
        + "constants = {category = 'hospital'}\nunits = {opened = 'iso', claimed = 'euros'}\n"
    )
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr.decode()
    assert sorted(tmp_path.rglob("*")) == before


# --- what had no words ------------------------------------------------------------------------------------------------


def test_digits_that_are_no_digits_are_refused_in_words(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records[0]["uzovi"] = "²"
    wrong = checked(tmp_path, records, claims, spec)
    assert wrong[0].startswith("records records.csv, column uzovi: 1 code is unknown (row 0)")
    found = ah.mapped({"p": ["²", "1"]}, {"classes": {"columns": {"person": "p"}}})
    assert next(found.slices(["person"])).read("person").labels is not None


def test_codes_of_classes_are_whole_numbers_within_the_model() -> None:
    spec: dict[str, Any] = {
        "classes": {
            "model": "nl-2020", "columns": {"mhk": "m", "person": "p"}, "missing": {"mhk": "none", "person": 1},
            "codes": {"mhk": {"x": "z", "y": 77, "1": 1, "01": 2}},
        }
    }  # fmt: skip
    assert refused(lambda: ah.column_map(spec)) == [
        "column map classes.missing.person: cannot stand for persons and insurers, expected a column as it is",
        "column map classes.codes.mhk.x: is no number of a class, expected a whole number, got z",
        "column map classes.missing.mhk: is no number of a class, expected a whole number, got none",
        "column map classes.codes.mhk.01: is 1 with other leading zeros and stands for another, expected one code of "
        "ours for both",
    ]
    classes = {"model": "nl-2020", "columns": {"mhk": "m"}, "codes": {"mhk": {"y": 77, "1": 1}}}
    assert refused(lambda: check_classes({"m": ["1", "y", "1"]}, {"classes": classes})) == [
        "column m: 1 code is no class (row 1), expected 0..8 (mhk of nl-2020), or options.unknown_code_is_none = "
        "['mhk']"
    ]


def test_small_whole_numbers_do_not_overflow_as_cents() -> None:
    frame = pl.DataFrame({"k": pl.Series([400, 3], dtype=pl.Int16), "d": [365, 365]})
    classes = {"columns": {"cost_cents": "k", "days": "d"}, "units": {"cents": "euros"}}
    piece = next(ah.mapped(frame, {"classes": classes}).slices(["cost_cents"]))
    assert piece.read("cost_cents").values.tolist() == [40_000, 300]
