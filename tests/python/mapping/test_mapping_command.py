"""The commands ``anderhalf mapping import`` and ``anderhalf mapping show``, and a mapping under ``anderhalf check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_ods import write_ods
from typer.testing import CliRunner

from anderhalf import cli
from anderhalf.errors import ParameterError

pytest.importorskip("python_calamine")


def call(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def dkg_file(folder: Path) -> Path:
    sheets = {
        "diagnose_dxg": [["spec_code", "diag_code", "dxg"], *(["0305", f"{k:04}", k] for k in range(1, 27))],
        "dxg_naar_DKG": [["dxg", "omschrijving", "dkg"], *([k, f"groep {k}", k] for k in range(1, 27))],
    }
    return write_ods(folder / "dkg_c_2021.ods", sheets)


def test_import_writes_a_mapping_that_show_and_check_read(tmp_path: Path) -> None:
    out = tmp_path / "mapping.toml"
    said = call("mapping", "import", str(dkg_file(tmp_path)), "--only", "dkg", "--out", str(out))
    assert "nl-2021: 26 diagnoses" in said
    assert "left out: fkg, ggz_fkg, hkg, fdg, ggz_dkg" in said
    shown = json.loads(call("mapping", "show", str(out), "--json"))
    assert (shown["model"], len(shown["classes"]), shown["unreached"]) == ("nl-2021", 26, [])
    assert shown["classes"][4] == {
        "criterion": "dkg", "code": 5, "key": "dkg_5", "label": "5", "kind": "diagnoses", "care": "0305 x 0005",
        "name": "",
    }  # fmt: skip
    assert call("check", str(out)) == f"{out}: good\n"
    out.write_text(out.read_text(encoding="utf-8").replace("dkg = 5,", "dkg = 27,"), encoding="utf-8")
    result = CliRunner().invoke(cli.app, ["check", str(out)])
    assert result.exit_code == 1
    assert "no such dkg, expected 0..26, got 27" in result.output


def test_a_refused_import_writes_nothing_and_never_overwrites(tmp_path: Path) -> None:
    file, out = dkg_file(tmp_path), tmp_path / "mapping.toml"
    with pytest.raises(ParameterError, match="missing sheet with drugs"):
        call("mapping", "import", str(file), "--out", str(out))
    assert not out.exists()
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(ParameterError, match="cannot be written: File exists"):
        call("mapping", "import", str(file), "--only", "dkg", "--out", str(out))
    assert out.read_text(encoding="utf-8") == "mine"


def test_show_lists_what_the_stand_in_of_a_year_does_not_reach() -> None:
    said = call("mapping", "show", "--model", "nl-2020")
    assert "nobody in dkg_primary 3 (dkg_primary_3): no class of 2021 has this one as the nearest by weight" in said
    assert "extreme_cost_3" in said
