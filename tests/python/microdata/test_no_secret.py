"""No message ever holds a value of a person, whatever the tables hold; and no table makes the reader fall over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import anderhalf as ah
from anderhalf.class_map import check_classes
from anderhalf.errors import AnderhalfError

SECRET = "geheim"
NUMBER = 987_654_321
columns = st.sampled_from([*small.RECORDS[0], *(f"claim {c}" for c in small.CLAIMS[0])])
values = st.one_of(
    st.sampled_from([f"{SECRET}1", f"{SECRET},5", f'"{SECRET}', f"{SECRET}\n{SECRET}", str(NUMBER), f"{NUMBER},5", ""]),
    st.sampled_from([f"-{NUMBER}", f"{NUMBER}.125", f"2020-{NUMBER}", "\ufeff" + SECRET, SECRET + "é", "NaN", "1e400"]),
)


def message_of(call: Any) -> str:
    try:
        call()
    except AnderhalfError as error:
        return str(error)
    return ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planted=st.lists(st.tuples(columns, st.integers(0, 2), values), min_size=1, max_size=6),
       suffix=st.sampled_from(["csv", "parquet"]))  # fmt: skip
def test_no_message_holds_a_value(
    planted: list[tuple[str, int, str]], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("secret")
    records, claims, spec = small.tables()
    for name, k, value in planted:
        rows = claims if name.startswith("claim ") else records
        rows[k][name.removeprefix("claim ")] = value
    records, claims = ([{k: str(v) for k, v in row.items()} for row in rows] for rows in (records, claims))
    spec = small.write(folder, records, claims, spec, "csv")
    if suffix == "parquet":
        for table, rows in (("records", records), ("claims", claims)):
            pl.DataFrame(rows).write_parquet(folder / f"{table}.parquet")
        spec["records"]["file"] = str(folder / "records.parquet")
        spec["claims"][0]["file"] = str(folder / "claims.parquet")
    for call in (lambda: ah.check_microdata(spec), lambda: ah.import_microdata(spec, folder / "out")):
        text = message_of(call)
        assert SECRET not in text
        assert str(NUMBER) not in text
        assert "anna" not in text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(values, min_size=9, max_size=9), twice=st.booleans(),
       table=st.sampled_from(["records", "claims"]), suffix=st.sampled_from(["csv", "parquet"]))  # fmt: skip
def test_no_message_holds_a_record_in_the_place_of_the_line_of_names(
    first: list[str], twice: bool, table: str, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("header")
    records, claims, spec = small.tables()
    spec = small.write(folder, records, claims, spec)
    path = folder / f"{table}.csv"
    rows = path.read_text().splitlines(keepends=True)[1:]
    width = rows[0].count(",") + 1
    line = ['"' + v.replace('"', '""').replace("\n", " ") + '"' for v in first[:width]]
    path.write_text(",".join(line[:1] * width if twice else line) + "\n" + "".join(rows))
    if suffix == "parquet":
        names = [f"{k} {v}" if v in first[:k] else v for k, v in enumerate(first[:width])]
        pl.DataFrame({name: [1] for name in names}).write_parquet(folder / f"{table}.parquet")
        (spec["records"] if table == "records" else spec["claims"][0])["file"] = str(folder / f"{table}.parquet")
    text = message_of(lambda: ah.check_microdata(spec))
    assert "no line of names" in text or "has no column" in text or "the same name" in text or "byte order" in text
    assert SECRET not in text
    assert str(NUMBER) not in text


def test_a_table_without_a_line_of_names_is_refused_without_its_record(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    content = small.csv_of(records).split(b"\n", 1)[1]
    text = message_of(lambda: ah.check_microdata(small.write(tmp_path, content, claims, spec)))
    assert text == (
        "records.csv: has no line of names (7 fields of 9 in line 1 without a letter), expected the names of the "
        "columns in line 1"
    )


def test_letters_in_the_place_of_names_are_not_shown_either(tmp_path: Path) -> None:
    _, claims, spec = small.tables()
    cells = b"rinse,uzovis,vanessa,totilas,gebhard,geslaagd,regina,inkomensloos,vrij\n"  # near to the names of the map
    text = message_of(lambda: ah.check_microdata(small.write(tmp_path, cells, claims, spec)))
    assert text.startswith("9 problems")
    assert "records records.csv: has no column 'reg' for region, expected a column of the file" in text
    assert not [cell for cell in cells.decode().strip().split(",") if cell in text.replace("'vrijw'", "")]


def test_a_secret_in_every_column_of_every_table_at_once(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records = [dict.fromkeys(row, f"{SECRET}{k}") for k, row in enumerate(records)]
    claims = [dict.fromkeys(row, f"{SECRET}{k}") for k, row in enumerate(claims)]
    text = message_of(lambda: ah.check_microdata(small.write(tmp_path, records, claims, spec)))
    assert text.startswith("11 problems")
    assert SECRET not in text


def test_a_secret_in_every_column_of_ready_made_classes() -> None:
    model = ah.column_map("ot-2020").classes
    names = [n for value in model.columns.values() for v in ([value] if isinstance(value, str) else value)
             for n in ah.column_map.__globals__["expanded"](v.split(" | ")[0])]  # fmt: skip
    for value in (SECRET, NUMBER, NUMBER + 0.125):
        text = message_of(lambda v=value: check_classes({name: [v, v] for name in names}, "ot-2020"))
        assert "problems" in text
        assert SECRET not in text
        assert str(NUMBER) not in text


def test_what_a_reader_says_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anderhalf.microdata_files as files

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(f"could not parse {SECRET} as f64")

    records, claims, spec = small.tables()
    spec = small.write(tmp_path, records, claims, spec, "parquet")
    monkeypatch.setattr(files, "_scan", broken)
    text = message_of(lambda: ah.check_microdata(spec))
    assert "records.parquet: cannot be read as parquet" in text
    assert SECRET not in text


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), header=st.booleans(), suffix=st.sampled_from(
    ["csv", "csv.gz", "parquet", "feather", "dta", "sas7bdat", "xpt", "sav"]))  # fmt: skip
def test_any_bytes_are_refused_in_words(
    content: bytes, header: bool, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    records, claims, spec = small.tables()
    if header:
        content = small.csv_of(records).splitlines()[0] + b"\n" + content
    spec = small.write(folder, small.csv_of(records), claims, spec)
    path = folder / f"records.{suffix}"
    path.write_bytes(content)
    spec["records"]["file"] = str(path)
    with pytest.raises(AnderhalfError):
        ah.check_microdata(spec)
