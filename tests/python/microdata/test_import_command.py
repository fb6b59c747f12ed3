"""`anderhalf import` and `anderhalf check` from the shell, column maps as files."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import small
from typer.testing import CliRunner

import anderhalf as ah
from anderhalf.cli import app
from anderhalf.column_maps import CLAIMS, RECORDS, OptionsTable, template
from anderhalf.errors import NotFoundError, ParameterError


def toml(table: Any, name: str = "") -> str:
    """A map as TOML."""
    plain, nested = [], []
    for key, value in table.items():
        path = f"{name}.{json.dumps(key)}" if name else json.dumps(key)
        if isinstance(value, dict):
            nested.append(f"[{path}]\n" + toml(value, path))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            nested += [f"[[{path}]]\n" + toml(item, path) for item in value]
        else:
            plain.append(f"{json.dumps(key)} = {json.dumps(value)}\n")
    return "".join([*plain, *nested])


def map_file(folder: Path, **options: Any) -> Path:
    spec = small.write(folder, *small.tables())
    spec["records"]["file"], spec["claims"][0]["file"] = "rec*.csv", "claims.csv"
    path = folder / "map.toml"
    path.write_text(toml({**spec, "options": options}))
    return path


def run(*args: Any) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args])


def test_import_and_check_from_the_shell(tmp_path: Path) -> None:
    path = map_file(tmp_path, identical_claims="keep")
    done = run("check", path)
    assert done.exit_code == 0, done.output
    assert "good, 2 persons, 4 records, 3 claims\naccepted by option identical_claims=keep: 0\n" in done.output
    assert run("import", path, "--out", tmp_path / "people").exit_code == 0
    assert ah.Dataset(tmp_path / "people").insurers == {1: "Een", 2: "Twee"}
    assert run("check", tmp_path / "people").exit_code == 0
    again = run("import", path, "--out", tmp_path / "people")
    assert isinstance(again.exception, ParameterError)


def test_wrong_usage_and_a_key_that_is_none(tmp_path: Path) -> None:
    assert run("import").exit_code == 2
    path, key = map_file(tmp_path), tmp_path / "key"
    key.write_bytes(b"short")
    found = run("import", path, "--out", tmp_path / "people", "--key-file", key).exception
    assert str(found) == "--key-file: is no key by its length, expected 16 to 64 bytes, got 5 bytes"
    assert not (tmp_path / "people").exists()


def test_the_template_is_a_map_and_names_every_option(tmp_path: Path) -> None:
    done = run("import", "--template")
    assert done.stdout == template()
    (tmp_path / "map.toml").write_text(done.stdout)
    found = ah.column_map(tmp_path / "map.toml")
    assert found.years == (2018, 2021)
    options = set(re.findall(r"^# (\w+) = ", done.stdout.partition("\n[options]\n")[2], re.MULTILINE))
    assert options == set(OptionsTable.model_fields) - {"two_classes"}  # that one is for ready-made classes
    every = re.sub(r"^# (?=\w+ = )", "", done.stdout, flags=re.MULTILINE)
    named = set(re.findall(r"^(\w+) = ", every, re.MULTILINE))
    assert set(RECORDS) | set(CLAIMS) <= named | {"settled", "year", "category"}


def test_a_map_with_unknown_keys_names_file_and_key(tmp_path: Path) -> None:
    path = map_file(tmp_path)
    path.write_text(path.read_text().replace('"uzovi"', '"uzovi"\n"insurr" = "x"').replace("options", "optoins"))
    with pytest.raises(ParameterError) as found:
        ah.column_map(path)
    assert [str(p) for p in found.value.problems] == [
        "map.toml optoins: is no key of a column map, expected one of options"
    ]
    path.write_text(path.read_text().replace("optoins", "options"))
    with pytest.raises(ParameterError) as found:
        ah.column_map(path)
    assert [str(p) for p in found.value.problems] == [
        "map.toml records.columns.insurr: is no column of ours, expected one of insurer"
    ]


def test_maps_that_are_not_there_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"is no column map, expected ot-2020 or a file MAP\.toml"):
        ah.column_map("ot-2019")
    with pytest.raises(NotFoundError, match="no such file"):
        ah.column_map(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[records")
    with pytest.raises(ParameterError, match=r"bad\.toml: is no TOML"):
        ah.column_map(tmp_path / "bad.toml")


def test_the_order_of_rows_and_files_does_not_change_a_byte(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    found = []
    for name, turned in (("a", False), ("b", True)):
        folder = tmp_path / name
        folder.mkdir()
        rows = (records[::-1], claims[::-1]) if turned else (records, claims)
        ah.import_microdata(small.write(folder, *rows, spec), folder / "people", key_file=key)
        found.append({p.name: p.read_bytes() for p in (folder / "people").rglob("*") if p.is_file()})
    assert found[0] == found[1]


def test_a_claim_of_which_only_the_year_is_known_is_opened_on_the_first_insured_day(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records[2]["van"] = "2020-03-01"
    for c in claims:
        c["open"] = int(c["open"][:4])
    spec["claims"][0]["units"]["opened"] = "year"
    people = ah.read_microdata(small.write(tmp_path, records, claims, spec), tmp_path / "people")
    opened = people.block(0).claims["opened"].astype("M8[D]").astype(str).tolist()
    assert sorted(opened) == ["2020-01-01", "2020-03-01", "2021-01-01"]
    assert people.manifest.options_accepted == ["units.opened=year: 3"]


def test_the_manifest_says_which_map_the_people_came_through(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    spec["microdata"]["title"] = "a small region"
    path = tmp_path / "map.toml"
    spec = small.write(tmp_path, records, claims, spec)
    assert ah.read_microdata(spec, tmp_path / "unnamed").manifest.column_map_sha256 is None
    path.write_text(toml(spec))
    people = ah.read_microdata(path, tmp_path / "people")
    assert people.manifest.title == "a small region"
    assert people.manifest.column_map_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_days_without_dates_stand_one_after_another(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    records = [{**records[0], "uzovi": u, "jaar": 2020, "duur": d} for u, d in ((2, 100), (1, 266))]
    for r in records:
        del r["van"], r["tot"]
    table = spec["records"]
    for name in ("first_day", "last_day"):
        del table["columns"][name], table["units"][name]
    table["columns"] |= {"year": "jaar", "days": "duur"}
    spec["options"] = {"days_from_january": True}
    people = ah.read_microdata(small.write(tmp_path, records, claims[:1], spec), tmp_path / "people")
    found = people.block(0).records
    days = [found[name].astype("M8[D]").astype(str).tolist() for name in ("first_day", "last_day")]
    assert days == [["2020-01-01", "2020-09-23"], ["2020-09-22", "2020-12-31"]]
    assert found["insurer"].tolist() == [1, 2]


def test_people_without_claims_and_without_an_address(tmp_path: Path) -> None:
    records, claims, spec = small.tables()
    small.write(tmp_path, records, claims, spec)
    del spec["claims"]
    people = ah.read_microdata(spec, tmp_path / "people")
    block = people.block(0)
    assert (len(block.records), len(block.claims)) == (4, 0)
    assert set(block.records["address"]) == {0}  # not known


def test_a_folder_of_files_with_classes_leaves_other_files_alone(tmp_path: Path) -> None:
    from anderhalf.class_map import check_classes

    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("duur,mhk\n365,0\n10,1\n")
    (tmp_path / "readme.md").write_text("not a table")
    assert check_classes(tmp_path, {"classes": {"columns": {"days": "duur", "mhk": "mhk"}}}) == 4


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anderhalf.microdata import _Import

    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    spec = small.write(tmp_path, *small.tables())
    before = sorted(tmp_path.rglob("*"))
    for method in ("_stage_claims", "_joined"):
        with monkeypatch.context() as patch:
            patch.setattr(_Import, method, stop)
            with pytest.raises(KeyboardInterrupt):
                ah.import_microdata(spec, tmp_path / "people")
        assert sorted(tmp_path.rglob("*")) == before
