"""Import of reference files: the layouts that were seen, what is refused and where, claims grouped by the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_ods import write_ods

import anderhalf as ah
from anderhalf import _core
from anderhalf.errors import ParameterError
from anderhalf.mapping import drug_number, load_mapping
from anderhalf.mapping_import import import_mapping
from anderhalf.model import load_model

pytest.importorskip("python_calamine")

Sheets = dict[str, list[list[Any]]]
FKG = "fkg.ods Indeling_geneesmiddelen_in_FKG row"
DX = "dkg.ods diagnose_dxg row"


def atc(k: int) -> str:
    return f"A{k // 100:02}AA{k % 100:02}"


def fkg_file(year: int = 2021) -> Sheets:
    """As the dashboard of docs/mapping.md reads it: four columns by place, a code of three letters and its label."""
    classes = load_model(f"nl-{year}").variable.criterion("fkg").classes[1:]
    return {
        "Indeling_geneesmiddelen_in_FKG": [
            ["FKG", "Omschrijving FKG", "ATC-code", "Werkzame stof"],
            *([f"Q{c.code:02}", c.label, atc(c.code), f"stof {c.code}"] for c in classes),
        ],
        "fkg_codes": [
            ["fkg_code", "omschrijving", "fkg_code_addon"],
            *([f"Q{c.code:02}", c.label, int("add-on" in c.label)] for c in classes),
        ],
    }


def dkg_file(dkgs: int = 26) -> Sheets:
    """Sheets and columns as the dashboard reads them; the column of the DKG was not seen."""
    return {
        "diagnose_dxg": [
            ["spec_code", "diag_code", "dxg"],
            *(["0305", f"{1700 + k:04}", 1000 + k] for k in range(1, dkgs + 1)),
            ["0307", "G11", 1001],
        ],
        "dxg_naar_DKG": [
            ["dxg", "omschrijving", "DKG"],
            *([1000 + k, f"groep {k}", k] for k in range(1, dkgs + 1)),
        ],
    }


def other_file() -> Sheets:
    """Tables whose layout was not seen anywhere: headings of our own."""
    model = load_model("nl-2021")
    hkg, mental = model.variable.criterion("hkg").classes[1:], model.ggz.criterion("ggz_fkg").classes[1:]
    return {
        "hkg": [["device", "class", "name"], *([f"04 {k:02}", c.label, c.key] for k, c in enumerate(hkg))],
        "fdg": [["diagnosis", "class"], *([k, k] for k in range(1, 5))],
        "ggz_fkg": [["class", "label", "atc"], *([f"P{c.code}", c.label, f"N05AX{c.code:02}"] for c in mental)],
        "ggz_dkg": [["diagnosis", "class"], *([k, k] for k in range(1, 19))],
    }


def written(folder: Path, **files: Sheets) -> list[Path]:
    return [write_ods(folder / f"{name}.ods", sheets) for name, sheets in files.items()]


def refused(files: list[Path], **options: Any) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        import_mapping(files, **options)
    return [str(p) for p in caught.value.problems]


def test_the_layouts_seen_become_a_mapping_of_every_class(tmp_path: Path) -> None:
    files = written(tmp_path, fkg_c_2021=fkg_file(), dkg_c_2021=dkg_file(), other=other_file())
    mapping = import_mapping(files, "nl-2021")
    assert mapping.unreached().empty
    assert mapping.omitted == ()
    assert [name.split(" ")[0] for name in mapping.source] == ["fkg_c_2021.ods", "dkg_c_2021.ods", "other.ods"]
    assert len(mapping.source[0]) == len("fkg_c_2021.ods (sha256 )") + 64
    drugs = {row["code"]: row for row in mapping.drugs}
    assert drugs["A00AA01"] == {"drug": drug_number("A00AA01"), "code": "A00AA01", "name": "stof 1", "fkg": 1}
    assert drugs["A00AA24 add-on"]["drug"] == drug_number("A00AA24", "atc_addon")
    assert drugs["A00AA24 add-on"]["addon"] is True
    assert drugs["A00AA32"]["min_prescriptions"] == 3  # cancer; thresholds are those of the stand-in
    assert drugs["N05AX03"]["ggz_fkg"] == 3
    diagnoses = {(row["specialism"], row["diagnosis"]): row for row in mapping.diagnoses}
    assert diagnoses[305, 1705] == {
        "specialism": 305, "diagnosis": 1705, "dx_group": 5, "dkg": 5, "code": "0305 x 1705", "dx": "1005",
    }  # fmt: skip
    assert diagnoses[307, 16_011]["dkg"] == 1
    assert mapping.devices[0] == {"device": 400, "hkg": 1, "name": "cpap"}
    assert load_mapping("nl-2021", mapping.write(tmp_path / "mapping.toml")) == mapping
    assert import_mapping(tmp_path, "nl-2021") == import_mapping(sorted(files))


def test_a_part_is_imported_when_asked_for_and_the_rest_is_named(tmp_path: Path) -> None:
    files = written(tmp_path, dkg=dkg_file())
    mapping = import_mapping(files, only=["dkg"])
    assert len(mapping.diagnoses) == 27
    assert mapping.omitted == ("fkg", "ggz_fkg", "hkg", "fdg", "ggz_dkg")
    assert "left out: fkg, ggz_fkg, hkg, fdg, ggz_dkg" in str(mapping)
    assert mapping.unreached().empty
    problems = refused(files)
    assert [p.split(",")[0] for p in problems[:6]] == [
        "files: missing sheet with drugs",
        "files: missing sheet with drug_classes",
        "files: missing sheet with mental_drugs",
        "files: missing sheet with devices",
        "files: missing sheet with physiotherapy",
        "files: missing sheet with mental_care",
    ]
    assert problems[0].endswith("expected Indeling_geneesmiddelen_in_FKG, got diagnose_dxg, dxg_naar_DKG")
    assert refused(files, only=["dkg", "dkg_primary"]) == [
        "only: no criterion 'dkg_primary' of nl-2021, expected one of fkg, ggz_fkg, dkg, hkg, fdg, ggz_dkg"
    ]


def test_the_tables_of_2019_as_csv_with_care_products_and_consults(tmp_path: Path) -> None:
    """MAN_DIAG_DKG_V2.csv and MAN_ZPRD_DKG.csv as the script of docs/mapping.md reads them."""
    years = [f"dkg_primary_{k}" for k in range(1, 16)], [f"dkg_secondary_{k}" for k in range(1, 8)]
    (tmp_path / "MAN_DIAG_DKG_V2.csv").write_text(
        "SPEC;DIAG;DX\n" + "".join(f"305;{k};{k}\n" for k in range(1, 22)), encoding="utf-8"
    )
    (tmp_path / "MAN_ZPRD_DKG.csv").write_text("ZPRD_CODE;DX;CONSULT\n990003004;;1\n182199037;22;1\n", encoding="utf-8")
    (tmp_path / "dxg_naar_DKG.csv").write_text(
        "dxg,primaire_dkg,secundaire_dkg\n"
        + "".join(f"{k},{k if k < 16 else ''},{k - 15 if k > 15 else ''}\n" for k in range(1, 23)),
        encoding="utf-8",
    )
    mapping = import_mapping(tmp_path, "nl-2019", only=["dkg_primary", "dkg_secondary"])  # a dx group goes before
    assert set(mapping.frame().key) == {*years[0], *years[1]}
    assert mapping.consults == (990_003_004,)
    assert mapping.care_products == (
        {"product": 182_199_037, "dx_group": 22, "dkg_secondary": 7, "code": "182199037", "dx": "22"},
    )
    core = mapping.core()
    assert (core.consults, core.care_products[0].dkg_secondary) == ([990_003_004], 7)
    assert load_mapping("nl-2019", mapping.write(tmp_path / "mapping.toml")) == mapping


def test_every_problem_of_every_sheet_is_said_at_once_by_row(tmp_path: Path) -> None:
    fkg, dkg = fkg_file(), dkg_file()
    drugs = fkg["Indeling_geneesmiddelen_in_FKG"]
    drugs[3][2] = "A00A"  # row 4
    drugs[5][0], drugs[5][1] = "QQ9", "Onbekend"
    drugs.append([drugs[1][0], drugs[1][1], atc(2), "stof 2"])  # a second class of the same drug
    drugs.append([drugs[1][0], drugs[1][1], None, "stof 3"])
    dkg["diagnose_dxg"] += [["0305", "1705", 1006], ["orthopedie", "GG1", 9999], ["0305", None, 1001]]
    dkg["dxg_naar_DKG"][2][2] = dkg["dxg_naar_DKG"][7][2] = 27
    dkg["dxg_naar_DKG"].append([1004, "groep 4", 5])
    files = written(tmp_path, fkg=fkg, dkg=dkg)
    assert refused(files, only=["fkg", "dkg"]) == [
        f"{FKG} 4: atc: no ATC code of seven places, expected such as L04AB02, got A00A",
        f"{FKG} 6: a class that the sheet of classes has not, got 'QQ9'",
        f"{FKG} 41: no atc",
        "dkg.ods dxg_naar_DKG row 28: a dx group twice, expected once, as in dxg_naar_DKG row 5, got 1004",
        f"{DX} 29: a diagnosis twice, expected once, as in diagnose_dxg row 6, got 0305 x 1705",
        f"{DX} 30: specialism: no specialism, expected digits, such as 0305, got orthopedie",
        f"{DX} 30: diagnosis: no diagnosis code, expected up to 4 digits, or a letter and up to 3, got GG1",
        f"{DX} 30: a dx group that leads nowhere, expected one of the sheet of dx groups, got 9999",
        f"{DX} 31: no diagnosis",
        f"{FKG} 6: unknown fkg, expected a class, or its key under [classes.fkg], got 'QQ9'",
        "dkg.ods dxg_naar_DKG row 3: unknown dkg, and 1 more rows, expected 0..26, or its key under [classes.dkg], "
        "got '27'",
    ]


def test_missing_columns_are_named_with_what_there_is(tmp_path: Path) -> None:
    dkg = dkg_file()
    dkg["diagnose_dxg"][0] = ["specialisme", "diag_code", "dxg"]
    dkg["dxg_naar_DKG"][0] = ["dxg", "omschrijving", "kostengroep"]
    files = written(tmp_path, dkg=dkg)
    assert refused(files, only=["dkg"]) == [
        "dkg.ods dxg_naar_DKG: missing dkg, expected column dkg or dkg_code",
        f"{DX} 1: missing specialism, expected column spec_code or spec, got specialisme, diag_code, dxg",
    ]
    columns = {"diagnoses": {"specialism": "Specialisme"}, "dx_groups": {"dkg": "kostengroep"}}
    assert import_mapping(files, only=["dkg"], columns=columns) == import_mapping(
        files, only=["dkg"], columns={"diagnoses": {"specialism": 1}, "dx_groups": {"dkg": 3}}
    )


def test_lines_above_the_headings_are_passed_over_and_rows_counted_as_the_sheet_does(tmp_path: Path) -> None:
    dkg, fkg = dkg_file(), fkg_file()
    plain = import_mapping(written(tmp_path, dkg=dkg, fkg=fkg), only=["fkg", "dkg"])
    dkg["diagnose_dxg"][:0] = [["Referentiebestand DKG"], [None], ["versie 1", "concept"]]
    fkg["Indeling_geneesmiddelen_in_FKG"][:0] = [["Indeling"], []]
    above = import_mapping(written(tmp_path, dkg=dkg, fkg=fkg), only=["fkg", "dkg"])
    assert (above.diagnoses, above.drugs) == (plain.diagnoses, plain.drugs)
    dkg["diagnose_dxg"][4][1] = "?"
    fkg["Indeling_geneesmiddelen_in_FKG"][2][2] = None  # no heading where the ATC code stands
    assert refused(written(tmp_path, dkg=dkg), only=["dkg"])[0].startswith(f"{DX} 5: diagnosis: no diagnosis code")
    assert refused(written(tmp_path, fkg=fkg), only=["fkg"]) == [
        f"{FKG} 3: missing one of atc, zi, prk, expected column atc or zi or prk, got FKG, Omschrijving FKG, "
        "Werkzame stof"
    ]


def test_a_column_map_names_classes_as_printed_and_classes_that_nobody_leads_to(tmp_path: Path) -> None:
    fkg = fkg_file()
    drugs, codes = fkg["Indeling_geneesmiddelen_in_FKG"], fkg["fkg_codes"]
    drugs[2][1] = "Groene staar"
    del drugs[13]  # DM II with hypertension follows from two groups of drugs
    files = written(tmp_path, fkg=fkg)
    assert refused(files, only=["fkg"]) == [
        f"{FKG} 3: unknown fkg, expected a class, or its key under [classes.fkg], got 'Q02'"
    ]
    path = tmp_path / "columns.toml"
    path.write_text('[classes.fkg]\nQ02 = "glaucoma"\n', encoding="utf-8")
    assert refused(files, only=["fkg"], columns=path) == [
        "fkg: nobody leads to class diabetes_2_hypertension (Diabetes type II met hypertensie), expected a row that "
        "does, or a reason under [unreached.fkg]"
    ]
    with path.open("a", encoding="utf-8") as file:
        file.write('[unreached.fkg]\ndiabetes_2_hypertension = "two groups of drugs"\n')
    mapping = import_mapping(files, only=["fkg"], columns=path)
    assert mapping.unreached().to_dict("records") == [
        {"criterion": "fkg", "code": 13, "key": "diabetes_2_hypertension",
         "label": "Diabetes type II met hypertensie", "reason": "two groups of drugs"}
    ]  # fmt: skip
    assert len(codes) == 39
    path.write_text('[classes.fkg]\nQ02 = "glaucome"\n[unreached.fkg]\nasthma = "no"\n', encoding="utf-8")
    assert refused(files, only=["fkg"], columns=path) == [
        "classes.fkg Q02: no class 'glaucome', expected one of glaucoma"
    ]
    path.write_text("[diagnosis]\n[drugs]\natcs = 1\n[classes.fgk]\n", encoding="utf-8")
    problems = refused(files, only=["fkg"], columns=path)
    assert [p.split(",")[0] for p in problems] == [
        "columns.toml diagnosis: no such table",
        "columns.toml drugs.atcs: no such column",
        "columns.toml classes.fgk: no criterion that rests on a mapping",
    ]


def test_files_that_are_none_are_refused_together(tmp_path: Path) -> None:
    (tmp_path / "broken.ods").write_bytes(b"PK\x03\x04 no archive")
    files = [tmp_path / "broken.ods", tmp_path / "absent.ods"]
    problems = refused(files)
    assert problems[0].startswith("broken.ods: no spreadsheet")
    assert problems[1] == "absent.ods: cannot be read: No such file or directory"
    (tmp_path / "empty").mkdir()
    assert refused([tmp_path / "empty"]) == ["empty: no reference files, expected .ods, .xlsx, .csv in the folder"]
    two = written(tmp_path, one=dkg_file(), two=dkg_file())
    assert refused(two, only=["dkg"])[0] == (
        "one.ods dxg_naar_DKG and two.ods dxg_naar_DKG: the table of dx_groups twice, expected one sheet"
    )


def test_2015_takes_its_own_thresholds_for_depot_and_bipolar(tmp_path: Path) -> None:
    mental = load_model("nl-2015").ggz.criterion("ggz_fkg").classes[1:]
    files = written(
        tmp_path,
        ggz={"ggz_fkg": [["class", "atc"], *([c.label, f"N05AX{c.code:02}"] for c in mental)]},
    )
    reasons = {"unreached": {"ggz_fkg": {"psychosis": "-"}}}
    assert refused(files, model="nl-2015", only=["ggz_fkg"], columns=reasons) == [
        "unreached.ggz_fkg: psychosis is reached, or no class"
    ]
    rows = {row["code"]: row for row in import_mapping(files, "nl-2015", only=["ggz_fkg"]).drugs}
    assert rows["N05AX02"]["ggz_min_prescriptions"] == 1
    assert (rows["N05AX06"]["ggz_fkg"], rows["N05AX06"]["ggz_indicated"]) == (5, 6)


def test_claims_with_atc_codes_are_grouped_by_an_imported_mapping(tmp_path: Path) -> None:
    """Drugs of 2020 and diagnoses of 2019 to classes of 2021, through the core."""
    files = written(tmp_path, fkg_c=fkg_file(), dkg_c=dkg_file(), other=other_file())
    mapping = import_mapping(files, "nl-2021")
    people = 5
    records = np.zeros(people * 7, dtype=_core.record_dtype)
    year = np.tile(np.arange(2015, 2022), people)
    records["person"] = records["address"] = np.repeat(np.arange(1, people + 1), 7)
    records["first_day"] = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(int)
    records["last_day"] = (year - 1969).astype("datetime64[Y]").astype("datetime64[D]").astype(int) - 1
    records["birth_month"], records["insurer"], records["represents"] = 12 * 1960, 1, 1
    records["region"], records["sex"], records["income_source"], records["ses"], records["household"] = 1, 1, 8, 3, 4

    def claim(person: int, day: str, category: str, **values: int) -> Any:
        row = np.zeros(1, dtype=_core.claim_dtype)
        row["person"], row["insurer"], row["category"] = person, 1, int(getattr(_core.Category, category).value)
        row["opened"] = row["closed"] = np.datetime64(day).astype(int)
        row["claimed_cents"] = row["settled_cents"] = 100_00
        for name, value in values.items():
            row[name] = value
        return row

    diabetes, autoimmune = ah.drug_number("A00AA12"), ah.drug_number("A00AA24")
    spec, diagnosis = 305, ah.diagnosis_number("1705")
    claims = np.concatenate(
        [
            claim(1, "2019-03-01", "hospital", specialism=spec, diagnosis=diagnosis),
            claim(1, "2020-03-01", "drugs", product=diabetes, ddd=181),
            claim(2, "2019-03-01", "hospital", specialism=spec, diagnosis=diagnosis, consult=1),
            claim(2, "2020-03-01", "drugs", product=diabetes, ddd=180),
            claim(3, "2019-03-01", "hospital", specialism=307, diagnosis=ah.diagnosis_number("G11")),
            claim(3, "2020-03-01", "drugs", product=autoimmune, ddd=300),  # the add-on leads to a class, the tablet not
            claim(4, "2020-03-01", "drugs", product=ah.drug_number("A00AA24", "atc_addon"), ddd=300),
        ]
    )
    claims["claim"] = [0, 0, 0, 0, 0, 0, 0]
    options = _core.Options()
    options.first_year, options.last_year, options.start, options.horizon = 2015, 2021, 2021, 1
    options.insurers, options.estimates = [1], False
    scheme = _core.Scheme(load_model("nl-2021").core, mapping.core())
    baseline, _ = _core.baseline(_core.blocks_source([_core.Block(records, claims)]), scheme, options)
    frame = baseline.frame(2021)["classes"]["variable"]
    assert frame["fkg_12"].tolist() == [1, 0, 0, 0, 0]
    assert frame["fkg_24"].tolist() == [0, 0, 0, 1, 0]
    assert frame["dkg_5"].tolist() == [1, 0, 0, 0, 0]
    assert frame["dkg_1"].tolist() == [0, 0, 1, 0, 0]
