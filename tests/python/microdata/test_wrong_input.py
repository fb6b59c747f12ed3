"""Wrong input is refused with one clear sentence, or accepted by a named option that is written into the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import small

import anderhalf as ah
from anderhalf.errors import AnderhalfError

TYPED = ("csv", "parquet", "dta", "xpt")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One thing that is wrong: how the tables get it, what is said of it, and the option that accepts it."""

    name: str
    spoil: Callable[[Rows, Rows, dict[str, Any]], Any]
    said: str  # of the CSV files; other formats say it of their own file
    option: dict[str, Any] = field(default_factory=dict)
    accepted: str = ""  # as it stands in the manifest
    formats: tuple[str, ...] = ("csv", "parquet")
    place: str = "options"


def row(k: int, **changes: Any) -> Callable[[Rows, Rows, dict[str, Any]], None]:
    return lambda records, claims, spec: records[k].update(changes)


def claim(k: int, **changes: Any) -> Callable[[Rows, Rows, dict[str, Any]], None]:
    return lambda records, claims, spec: claims[k].update(changes)


def more(*rows: dict[str, Any]) -> Callable[[Rows, Rows, dict[str, Any]], None]:
    return lambda records, claims, spec: records.extend({**records[k.pop("of")], **k} for k in map(dict, rows))


def more_claims(*rows: dict[str, Any]) -> Callable[[Rows, Rows, dict[str, Any]], None]:
    return lambda records, claims, spec: claims.extend({**claims[k.pop("of")], **k} for k in map(dict, rows))


def only() -> Callable[[Rows, Rows, dict[str, Any]], None]:
    def spoil(records: Rows, claims: Rows, spec: dict[str, Any]) -> None:
        records[:] = [{**records[0], "van": "2020-03-01"}]
        claims[:] = claims[:1]

    return spoil


def by_days(*days: Any, unit: str = "days") -> Callable[[Rows, Rows, dict[str, Any]], None]:
    """The records as a year and insured days, without dates."""

    def spoil(records: Rows, claims: Rows, spec: dict[str, Any]) -> None:
        for r, d in zip(records, days, strict=True):
            r["jaar"], r["duur"] = int(r.pop("van")[:4]), d
            del r["tot"]
        table = spec["records"]
        for name in ("first_day", "last_day"):
            del table["columns"][name], table["units"][name]
        table["columns"] |= {"year": "jaar", "days": "duur"}
        table["units"]["days"] = unit
        spec["options"] = {"days_from_january": True}
        claims[:] = claims[:1]

    return spoil


CASES = [
    Case("empty cell", row(2, reg=None),
         "records records.csv, column reg: 1 cell is empty (row 2), expected a value in every row, or "
         "records.missing.region in the map",
         {"region": 3}, "records.missing.region: 1", TYPED, "missing"),
    Case("NaN amount", claim(1, bedrag="NaN"),
         "claims claims.csv, column bedrag: 1 text is no number (row 1), expected numbers with '.'", formats=("csv",)),
    Case("NaN in a binary file", claim(1, bedrag=float("nan")),
         "claims claims.parquet, column bedrag: 1 cell is empty (row 1), expected a value in every row, or "
         "claims.missing.claimed in the map",
         formats=("parquet",)),
    Case("negative days", by_days(366, 365, -5, 181),
         "records records.csv, column duur: 1 record has a negative number of days (row 2), expected 1..366",
         formats=TYPED),
    Case("no days", by_days(366, 365, 366, 0),
         "records records.csv, column duur: 1 record has no days (row 3), expected 1 or more, or "
         "options.drop_records_without_days",
         {"drop_records_without_days": True}, "drop_records_without_days: 1", TYPED),
    Case("more than 366 days", by_days(366, 400, 366, 181),
         "records records.csv, column duur: 1 record has more days than a year (row 1), expected at most 366, or "
         "options.clip_days_to_year",
         {"clip_days_to_year": True}, "clip_days_to_year: 2", TYPED),
    Case("more than 12 months", by_days(12, 13, 12, 6, unit="months"),
         "records records.csv, column duur: 1 record has more months than a year (row 1), expected at most 12, or "
         "options.clip_days_to_year",
         {"clip_days_to_year": True}, "clip_days_to_year: 1", TYPED),
    Case("366 days in a year of 365", by_days(366, 366, 366, 181),
         "records records.csv: 1 record gives its person more days than the year has (row 1), expected at most a year "
         "per person and year, or options.clip_days_to_year",
         {"clip_days_to_year": True}, "clip_days_to_year: 1", TYPED),
    Case("ends before it begins", row(3, tot="2020-12-31"),
         "records records.csv: 1 record ends before it begins (row 3), expected last_day on or after first_day, or "
         "options.drop_records_without_days",
         {"drop_records_without_days": True}, "drop_records_without_days: 1", TYPED),
    Case("beyond 31 December", row(2, tot="2021-02-28"),
         "records records.csv: 1 record goes on after 31 December (row 2), expected records within one calendar year, "
         "or options.cut_at_year_borders",
         {"cut_at_year_borders": True, "merge_adjacent_records": True}, "cut_at_year_borders: 1", TYPED),
    Case("overlap at another insurer", more({"of": 2, "uzovi": 2, "van": "2020-12-01"}),
         "records records.csv: 1 record overlaps another of its person at another insurer (row 4), expected one "
         "insurer on a day (art. 10(2)), or options.cut_overlapping_records",
         {"cut_overlapping_records": True}, "cut_overlapping_records: 1", TYPED),
    Case("a day at two insurers", more({"of": 3, "uzovi": 2, "van": "2021-06-30", "tot": "2021-12-31"}),
         "records records.csv: 1 record overlaps another of its person at another insurer (row 4), expected one "
         "insurer on a day (art. 10(2)), or options.cut_overlapping_records",
         {"cut_overlapping_records": True}, "cut_overlapping_records: 1", TYPED),
    Case("overlap at the same insurer", more({"of": 2, "van": "2020-12-01"}),
         "records records.csv: 1 record overlaps another of its person at the same insurer (row 4), expected periods "
         "one after another, or options.merge_adjacent_records or options.cut_overlapping_records",
         {"merge_adjacent_records": True}, "merge_adjacent_records: 1", TYPED),
    Case("the same record twice", more({"of": 1}),
         "records records.csv: 1 record stands there twice (row 4), expected every insured period once, or "
         "options.drop_exact_duplicates",
         {"drop_exact_duplicates": True}, "drop_exact_duplicates: 1", TYPED),
    Case("person, insurer and period twice", more({"of": 1, "reg": 7}),
         "records records.csv: 1 person has the same period at the same insurer twice (row 4), expected one record per "
         "person, insurer and period (was a table joined that has a person twice?)", formats=TYPED),
    Case("unknown insurer", row(0, uzovi=9),
         "records records.csv, column uzovi: 1 code of an insurer is unknown (row 0), expected a code of [insurers]",
         formats=TYPED),
    Case("an insurer by its name", row(0, uzovi="CZ"),
         "records records.csv, column uzovi: 1 code is unknown (row 0), expected 1..65535, or [records.codes.insurer] "
         "with a number for each", formats=("csv",)),
    Case("unknown code", row(3, inkomen=7),
         "records records.csv, column inkomen: 1 code is unknown (row 3), expected a code of "
         "[records.codes.income_source], or options.unknown_code_is_none = ['income_source']",
         {"unknown_code_is_none": ["income_source"]}, "unknown_code_is_none=income_source: 1", TYPED),
    Case("unknown sex", row(3, gesl="X"),
         "records records.csv, column gesl: 1 code is unknown (row 3), expected a code of [records.codes.sex]",
         formats=TYPED),
    Case("two sexes", row(3, gesl="V"),
         "records records.csv: 1 record has another sex or birth than an earlier one of its person (row 3), expected "
         "one sex and one month of birth per person, or options.first_sex_and_birth",
         {"first_sex_and_birth": True}, "first_sex_and_birth: 1", TYPED),
    Case("no date", row(2, van="31 jan"),
         "records records.csv, column van: 1 value is no date as iso (row 2), expected dates as iso "
         f"(units.first_day: {', '.join(ah.column_map.__globals__['DATES'])})", formats=TYPED),
    Case("another year", row(1, van="2019-01-01", tot="2019-12-31"),
         "records records.csv: 1 record is of another year (row 1), expected 2020..2021 (microdata.years), or "
         "options.drop_other_years",
         {"drop_other_years": True, "drop_claims_outside_periods": True}, "drop_other_years: 1", TYPED),
    Case("a claim of another year", claim(2, open="2022-01-01"),
         "claims claims.csv: 1 claim is of another year (row 2), expected 2020..2021 (microdata.years), or "
         "options.drop_other_years",
         {"drop_other_years": True}, "drop_other_years: 1", TYPED),
    Case("not born yet", row(2, geb=202201),
         "records records.csv: 1 record ends before its person was born (row 2), expected a month of birth up to the "
         "year of the record", formats=TYPED),
    Case("a household of a child for adults",
         lambda records, claims, spec: spec["records"]["constants"].update(household="none"),
         "records records.csv: 4 records of adults have household none (rows 0, 1, 2, 3), expected none for those "
         "under 18 alone: one_person, other, wlz_permanent or wlz_entering"),
    Case("decimal comma", claim(0, bedrag="120,50"),
         "claims claims.csv, column bedrag: 1 number has a decimal comma (row 0), expected a decimal point, or decimal "
         '= "," in the map',
         formats=("csv",)),
    Case("fraction of a cent", claim(0, bedrag="120.505"),
         "claims claims.csv, column bedrag: 1 amount is no whole number of cents (row 0), expected euros to the cent, "
         "or options.round_to_cents",
         {"round_to_cents": True}, "round_to_cents: 1", TYPED),
    Case("a claim without a record", claim(2, rin="cees"),
         "claims claims.csv: 1 claim is of a person without a record (row 2), expected claims of insured persons (the "
         "same pseudonyms in both tables), or options.drop_claims_without_record",
         {"drop_claims_without_record": True}, "drop_claims_without_record: 1", TYPED),
    Case("a claim outside the periods", claim(2, open="2021-07-01"),
         "claims claims.csv: 1 claim was opened outside the insured periods of its person (row 2), expected opened on "
         "an insured day, or options.drop_claims_outside_periods",
         {"drop_claims_outside_periods": True}, "drop_claims_outside_periods: 1", TYPED),
    Case("a claim before the first period of the only person", only(),
         "claims claims.csv: 1 claim was opened outside the insured periods of its person (row 0), expected opened on "
         "an insured day, or options.drop_claims_outside_periods",
         {"drop_claims_outside_periods": True}, "drop_claims_outside_periods: 1", TYPED),
    Case("a join that multiplies claims", more_claims({"of": 0}, {"of": 0}, {"of": 1}),
         "claims claims.csv: 3 claims stand there again with the same content (rows 3, 4, 5), expected every claim "
         'once (was it multiplied by a join?), or options.identical_claims = "keep" or "drop"',
         {"identical_claims": "drop"}, "identical_claims=drop: 3", TYPED),
    Case("identical claims that are meant", more_claims({"of": 0}),
         "claims claims.csv: 1 claim stands there again with the same content (row 3), expected every claim once (was "
         'it multiplied by a join?), or options.identical_claims = "keep" or "drop"',
         {"identical_claims": "keep"}, "identical_claims=keep: 1", TYPED),
]  # fmt: skip


def spoiled(case: Case, folder: Path, suffix: str) -> dict[str, Any]:
    records, claims, spec = small.tables()
    case.spoil(records, claims, spec)
    return small.write(folder, records, claims, spec, suffix)


def messages(found: BaseException) -> list[str]:
    assert isinstance(found, AnderhalfError)
    return [str(problem) for problem in found.problems]


CHECKED = [(case, suffix) for case in CASES for suffix in case.formats]


@pytest.mark.parametrize(("case", "suffix"), CHECKED, ids=[f"{c.name}, {s}" for c, s in CHECKED])
def test_it_is_refused_with_one_sentence(case: Case, suffix: str, tmp_path: Path) -> None:
    spec = spoiled(case, tmp_path, suffix)
    with pytest.raises(AnderhalfError) as found:
        ah.check_microdata(spec)
    assert messages(found.value) == [case.said.replace(".csv", f".{suffix}")]
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(AnderhalfError) as again:
        ah.import_microdata(spec, tmp_path / "out" / "people")
    assert messages(again.value) == messages(found.value)
    assert sorted(p.name for p in tmp_path.iterdir()) in (before, sorted([*before, "out"]))
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


ACCEPTED = [(case, suffix) for case, suffix in CHECKED if case.option]


@pytest.mark.parametrize(("case", "suffix"), ACCEPTED, ids=[f"{c.name}, {s}" for c, s in ACCEPTED])
def test_a_named_option_accepts_it_and_stands_in_the_manifest(case: Case, suffix: str, tmp_path: Path) -> None:
    spec = spoiled(case, tmp_path, suffix)
    if case.place == "options":
        spec["options"] = {**spec.get("options", {}), **case.option}
    else:
        spec["records"][case.place] = case.option
    ah.import_microdata(spec, tmp_path / "people")
    manifest = json.loads((tmp_path / "people" / "manifest.json").read_text())
    assert case.accepted in manifest["options_accepted"]
    assert ah.Dataset(tmp_path / "people").blocks() is not None


def test_good_tables_are_good_and_nothing_is_accepted(tmp_path: Path) -> None:
    spec = small.write(tmp_path, *small.tables())
    found = ah.check_microdata(spec)
    assert (found.persons, found.records, found.claims, found.accepted) == (2, 4, 3, ())
    assert str(found) == "2 persons, 4 records, 3 claims"


# --- files ------------------------------------------------------------------------------------------------------------


def of_bytes(folder: Path, change: Callable[[bytes], bytes], **settings: Any) -> dict[str, Any]:
    """The tables with the bytes of the records changed."""
    records, claims, spec = small.tables()
    spec["records"] |= settings
    return small.write(folder, change(small.csv_of(records)), claims, spec)


def refused(spec: dict[str, Any]) -> list[str]:
    with pytest.raises(AnderhalfError) as found:
        ah.check_microdata(spec)
    return messages(found.value)


def accepted_of(spec: dict[str, Any]) -> dict[str, int]:
    return {item["option"]: item["count"] for item in ah.check_microdata(spec).accepted}


def test_a_byte_order_mark(tmp_path: Path) -> None:
    def mark(content: bytes) -> bytes:
        return b"\xef\xbb\xbf" + content

    assert refused(of_bytes(tmp_path, mark)) == [
        'records.csv: begins with a byte order mark of UTF-8, expected UTF-8 without one, or encoding = "utf-8-sig"'
    ]
    assert accepted_of(of_bytes(tmp_path, mark, encoding="utf-8-sig")) == {"encoding=utf-8-sig": 4}


def test_latin_1(tmp_path: Path) -> None:
    def latin(content: bytes) -> bytes:
        return content.replace(b"bert", "bért".encode("latin-1"))

    def both(folder: Path, **settings: Any) -> dict[str, Any]:
        spec = of_bytes(folder, latin, **settings)
        (folder / "claims.csv").write_bytes(latin((folder / "claims.csv").read_bytes()))
        spec["claims"][0] |= settings
        return spec

    assert refused(both(tmp_path)) == [
        'records.csv: is no UTF-8 in row 2, expected UTF-8, or encoding = "latin-1" or "cp1252" in the map',
        'claims.csv: is no UTF-8 in row 2, expected UTF-8, or encoding = "latin-1" or "cp1252" in the map',
    ]
    assert accepted_of(both(tmp_path, encoding="latin-1")) == {"encoding=latin-1": 7}


def test_a_decimal_comma_that_the_map_names(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    for c in claims:
        c["bedrag"] = c["bedrag"].replace(".", ",")
    claims[0]["bedrag"] = "1.120,50"
    spec["claims"][0] |= {"decimal": ",", "separator": ";"}
    spec = small.write(tmp_path, records, claims, spec)
    assert accepted_of(spec) == {"decimal=,": 3}
    found = ah.read_microdata(spec, tmp_path / "people")
    assert sorted(found.block(0).claims["claimed_cents"].tolist()) == [-10_25, 80_00, 1_120_50]


def test_a_decimal_point_where_the_map_says_comma(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    spec["claims"][0]["decimal"] = ","
    assert refused(small.write(tmp_path, records, claims, spec)) == [
        "claims claims.csv, column bedrag: 3 texts are no numbers (rows 0, 1, 2), expected numbers with ','"
    ]


@pytest.mark.parametrize("suffix", ["parquet", "feather", "dta", "xpt", "csv.gz"])
def test_a_file_that_is_cut_short(suffix: str, tmp_path: Path) -> None:
    import gzip

    import foreign
    import polars as pl

    records, claims, spec = small.tables()
    path = tmp_path / f"records.{suffix}"
    frame = pl.DataFrame(records * 50)
    if suffix == "csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        foreign.write(frame, path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3 // 80 * 80 + 7])
    spec = small.write(tmp_path, small.csv_of(records), claims, spec)
    spec["records"]["file"] = str(path)
    found = refused(spec)
    assert len(found) == 1
    assert found[0].startswith(f"records.{suffix}: cannot be read as ")
    assert "expected a whole file of that format (is it cut short?)" in found[0]


def test_a_csv_that_is_cut_short(tmp_path: Path) -> None:
    assert refused(of_bytes(tmp_path, lambda content: content[:-20])) == [
        "records.csv: 1 row ends in the middle, at the end of the file (row 3), expected a whole file (it is cut short)"
    ]


def test_a_csv_that_is_cut_short_between_rows_is_found_by_their_number(tmp_path: Path) -> None:
    def cut(content: bytes) -> bytes:
        return content[: content.rstrip().rfind(b"\n") + 1]

    assert refused(of_bytes(tmp_path, cut, rows=4)) == [
        "column map records.rows: the files have another number of rows (are they cut short, or multiplied by a join?),"
        " expected 4, got 3"
    ]


def test_rows_of_another_width(tmp_path: Path) -> None:
    def wide(content: bytes) -> bytes:
        lines = content.splitlines()
        lines[2] += b",1"
        return b"\n".join(lines) + b"\n"

    assert refused(of_bytes(tmp_path, wide)) == [
        "records.csv: 1 row has another number of fields than the line of names (row 1), expected 9 fields"
    ]


def test_columns_that_are_not_there_and_names_that_differ_in_capitals(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    spec["records"]["columns"]["region"] = "regio"
    spec["claims"][0]["columns"]["person"] = "RIN"
    assert refused(small.write(tmp_path, records, claims, spec)) == [
        "records records.csv: has no column 'regio' for region, expected one of reg"
    ]


def test_another_separator(tmp_path: Path) -> None:
    assert refused(of_bytes(tmp_path, lambda content: content.replace(b",", b";"))) == [
        "records.csv: has one column, expected columns apart by ',', or separator = \";\" in the map"
    ]


def test_a_table_without_rows_and_an_empty_file(tmp_path: Path) -> None:
    assert "column map records: the files hold no rows, expected at least one" in refused(
        of_bytes(tmp_path, lambda content: content.splitlines()[0] + b"\n")
    )
    assert refused(of_bytes(tmp_path, lambda content: b"")) == [
        "records.csv: is empty, expected a line with the names of the columns"
    ]


def test_everything_wrong_in_all_files_is_said_at_once(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records[0]["gesl"] = "X"
    records[2]["tot"] = "2021-02-28"
    claims[0]["bedrag"] = "veel"
    claims.append({"rin": "dirk", "open": "2020-01-01", "bedrag": "1", "product": 1})
    assert refused(small.write(tmp_path, records, claims, spec)) == [
        "records records.csv, column gesl: 1 code is unknown (row 0), expected a code of [records.codes.sex]",
        "records records.csv: 1 record goes on after 31 December (row 2), expected records within one calendar year, "
        "or options.cut_at_year_borders",
        "claims claims.csv, column bedrag: 1 text is no number (row 0), expected numbers with '.'",
        "claims claims.csv: 1 claim is of a person without a record (row 3), expected claims of insured persons (the "
        "same pseudonyms in both tables), or options.drop_claims_without_record",
    ]


def test_counts_and_first_rows_go_over_all_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anderhalf.microdata_files as files

    monkeypatch.setattr(files, "CSV_BYTES", 200)
    records, claims, spec = small.tables()
    many = [{**records[0], "rin": f"p{k}", "gesl": "X" if k % 3 == 0 else "V"} for k in range(100)]
    claims = [{**claims[0], "rin": "p1"}]
    assert refused(small.write(tmp_path, many, claims, spec)) == [
        "records records.csv, column gesl: 34 codes are unknown (rows 0, 3, 6, 9, 12), expected a code of "
        "[records.codes.sex]"
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.rstrip(b"\n"),
        lambda content: b'"' + content.rstrip(b"\n").replace(b",", b'","').replace(b"\n", b'"\n"') + b'"\n',
        lambda content: content.replace(b"anna", b'"an\nna"').replace(b"bert", b'"be,rt"'),
    ],
    ids=["line ends of Windows", "no last line end", "everything in quotes", "a line break within quotes"],
)
def test_ways_of_csv_that_are_fine(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    spec = small.write(tmp_path, change(small.csv_of(records)), change(small.csv_of(claims)), spec)
    found = ah.check_microdata(spec)
    assert (found.persons, found.records, found.claims, found.accepted) == (2, 4, 3, ())
