"""People on disk: the same bytes and people whatever the threads, partitions and sample; wrong files refused."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import anderhalf as ah
from anderhalf import _core, files, study
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, ShapeError
from anderhalf.sources import Insured

PERSONS, YEARS = 6_000, (2015, 2021)


def written(out: Path, persons: int = PERSONS, **options: Any) -> ah.Dataset:
    files.write_population(out, persons, YEARS, "mijnstreek", 3, **({"block_persons": 1_024} | options))
    return ah.read_population(out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("files") / "people"
    written(out, threads=2)
    return out


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "people"))


@functools.cache
def people() -> ah.Population:
    return ah.synthesise(PERSONS, YEARS, seed=3, block_persons=1_024)


def everything(source: Insured) -> tuple[Any, Any]:
    blocks = list(source.blocks())
    return np.concatenate([b.records for b in blocks]), np.concatenate([b.claims for b in blocks])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- the same people


def test_a_dataset_holds_the_blocks_of_the_population(made: Path) -> None:
    data = ah.read_population(made)
    assert len(data) == len(people()) > 3
    for k in range(len(data)):
        for given, back in (
            (people().block(k), data.block(k)),
            (people().block(k, (2018, 2019)), data.block(k, (2018, 2019))),
        ):
            assert np.array_equal(given.records, back.records)
            assert np.array_equal(given.claims, back.claims)
    for name in ("years", "persons", "seed", "insurers", "municipalities", "origin", "region", "base", "prices"):
        assert getattr(data, name) == getattr(people(), name), name
    assert data.municipality_codes("mijnstreek") == people().municipality_codes("mijnstreek")
    assert data.municipality_codes("Heerlen") == people().municipality_codes("Heerlen")
    assert data.insured_years("mijnstreek") == people().insured_years("mijnstreek")
    with pytest.raises(NotFoundError, match="Atlantis"):
        data.municipality_codes("Atlantis")
    with pytest.raises(IndexError):
        data.block(len(data))
    data.check()


@pytest.mark.threads
@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_files_are_the_same_bytes_for_any_thread_count(tmp_path: Path, format: str) -> None:
    for threads in (1, 2, 7):
        written(tmp_path / str(threads), 2_000, threads=threads, format=format, block_persons=512)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2") == bytes_of(tmp_path / "7")
    assert len(bytes_of(tmp_path / "1")) > 5


def test_partitions_and_format_decide_how_files_are_cut_never_what_is_in_them(made: Path, tmp_path: Path) -> None:
    want = everything(ah.read_population(made))
    for name, options in (("coarse", {"block_persons": 5_000}), ("csv", {"format": "csv"})):
        data = written(tmp_path / name, **options)
        for a, b in zip(want, everything(data), strict=True):
            assert np.array_equal(a, b)
    assert len(ah.Dataset(tmp_path / "coarse")) < len(ah.Dataset(made))
    csv = ah.Dataset(tmp_path / "csv")
    assert csv.data_sha256 == ah.Dataset(made).data_sha256 != ah.Dataset(tmp_path / "coarse").data_sha256
    first = (tmp_path / "csv" / "claims" / "part-00000.csv").read_text(encoding="ascii").splitlines()[0]
    assert first.split(",") == list(_core.claim_dtype.names or ())


def test_a_person_is_the_same_in_every_sample(made: Path, tmp_path: Path) -> None:
    large_records, large_claims = everything(ah.read_population(made))
    small_records, small_claims = everything(written(tmp_path / "small", 2_000, block_persons=700))
    persons = np.unique(small_records["person"])
    assert 1_000 < len(persons) < len(np.unique(large_records["person"]))
    large_records = large_records[np.isin(large_records["person"], persons)]
    large_claims = large_claims[np.isin(large_claims["person"], persons)]
    assert np.array_equal(small_claims, large_claims)
    for name in small_records.dtype.names:
        same = np.array_equal(small_records[name], large_records[name])
        assert same == (name != "represents"), name  # how many insured a row stands for is what a sample decides


def test_the_manifest_says_how_it_was_made_and_nothing_of_the_machine(made: Path) -> None:
    text = (made / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    assert manifest["seed"] == 3
    assert manifest["base"] == 2018
    assert manifest["anderhalf_version"] == ah.version()
    assert manifest["parameters_sha256"] == ah.population.parameters_sha256()  # type: ignore[attr-defined]
    assert str(made.parent) not in text
    data = ah.read_population(made)
    rows, claims = everything(data)
    assert manifest["counts"] == {
        "persons": len(np.unique(rows["person"])),
        "records": len(rows),
        "claims": len(claims),
    }
    for k, part in enumerate(manifest["partitions"]):
        content = (made / part["claims"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == part["claims_file_sha256"]
        assert part["rows"] == len(data.block(k).records)
        # The hash of the columns, a second time: any reader of Parquet can make it.
        frame = pl.read_parquet(made / part["claims"])
        digest = hashlib.sha256(f"{len(frame)}\n".encode())
        for name, column in frame.to_dict().items():
            values = column.to_numpy()
            digest.update(f"{name} {values.dtype.str}\n".encode() + values.tobytes())
        assert digest.hexdigest() == part["claims_sha256"]


def test_parameters_that_make_people_have_another_hash_and_targets_do_not(tmp_path: Path) -> None:
    own = Path(shutil.copytree(ah.population.data_directory("params") / "population", tmp_path / "p"))  # type: ignore[attr-defined]
    digest = ah.population.parameters_sha256  # type: ignore[attr-defined]
    assert digest(own) == digest()
    for name in ("targets.toml", "mapping.toml", "mapping_2019.toml"):
        (own / name).write_text("", encoding="utf-8")
    assert digest(own) == digest()
    (own / "society.toml").write_text((own / "society.toml").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert digest(own) != digest()


# --- whole or not at all


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Exception):
        pass

    calls: list[int] = []
    real = files.Writer.write

    def write(self: Any, index: int, block: Any) -> None:
        calls.append(index)
        if len(calls) == 3:
            raise Full
        real(self, index, block)

    monkeypatch.setattr(files.Writer, "write", write)
    with pytest.raises(Full):
        written(tmp_path / "people", threads=2)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ParameterError, match="empty folder"):
        written(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_without_polars_one_sentence_says_what_to_do_and_csv_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(NotFoundError, match=r"anderhalf\[io\].*--format csv"):
        written(tmp_path / "parquet", 1_000)
    written(tmp_path / "csv", 1_000, format="csv").check()
    assert [p.name for p in tmp_path.iterdir()] == ["csv"]


def writer(out: Path, **options: Any) -> files.Writer:
    given: dict[str, Any] = {"origin": "microdata", "years": YEARS, "insurers": people().insurers}
    return files.Writer(out, **(given | options))


def test_a_writer_counts_what_it_is_not_told(tmp_path: Path) -> None:
    with writer(tmp_path / "own", options_accepted=["overlaps"], municipalities={26: "Heerlen"}) as own:
        for block in people().blocks():
            own.add(block)
    data = ah.read_population(tmp_path / "own")
    records, _ = everything(data)
    assert (data.origin, data.manifest.options_accepted) == ("microdata", ["overlaps"])
    assert data.persons == len(np.unique(records["person"]))
    of_2015 = records[records["last_day"] < np.datetime64("2016-01-01").astype(int)]
    here = of_2015[of_2015["municipality"] == 26]
    days = int(((here["last_day"] - here["first_day"] + 1).astype(np.int64) * here["represents"]).sum())
    assert days > 0
    assert data.insured_years("Heerlen") == days / 365


def test_a_writer_refuses_what_it_could_not_read_back(tmp_path: Path) -> None:
    block = people().block(0)
    records, claims = block.records.copy(), block.claims.copy()
    records[[0, 30]] = records[[30, 0]]
    records["insurer"][3] = 999
    claims["opened"][5] += 40_000
    own = writer(tmp_path / "own")
    with pytest.raises(DomainError) as caught:
        own.add(_core.Block(records, claims))
    wheres = {p.where for p in caught.value.problems}
    assert {
        "records/part-00000.parquet, person",
        "records/part-00000.parquet, insurer",
        "claims/part-00000.parquet, opened",
    } <= wheres
    assert "1 row (first: 3) with an unknown insurer" in str(caught.value)
    assert "999" not in str(caught.value)
    own.add(people().block(1))
    own.add(people().block(0))
    with pytest.raises(DomainError, match="above those of the partition before"):
        own.finish()
    assert not list(tmp_path.iterdir())


# --- wrong files


def refused(folder: Path) -> AnderhalfError:
    with pytest.raises(AnderhalfError) as caught:
        ah.read_population(folder).check()
    return caught.value


PART = "claims/part-00001.parquet"


@pytest.mark.parametrize("keep", [0, 3, 500, -1])
def test_a_truncated_file_is_named(copy: Path, keep: int) -> None:
    content = (copy / PART).read_bytes()
    (copy / PART).write_bytes(content[:keep])
    error = refused(copy)
    assert [(p.where, p.what) for p in error.problems] == [(PART, "cannot be read")]


def test_changed_bytes_are_named(copy: Path) -> None:
    content = bytearray((copy / PART).read_bytes())
    for place in (100, len(content) // 2, len(content) - 300):
        changed = bytearray(content)
        changed[place] ^= 0x10
        (copy / PART).write_bytes(changed)
        error = refused(copy)
        assert {p.where.split(",")[0] for p in error.problems} == {PART}
    lines = pl.read_parquet(copy / "records/part-00000.parquet")
    lines[1:].write_parquet(copy / "records/part-00000.parquet")
    text = str(refused(copy))
    assert f"changed since it was written: {len(lines) - 1:,} rows, of {len(lines):,}" in text


def test_another_writer_may_write_the_same_values_and_no_others(copy: Path) -> None:
    def with_file_hash(change: Any) -> None:
        change(pl.read_parquet(copy / PART)).write_parquet(copy / PART, compression="snappy")
        manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
        manifest["partitions"][1]["claims_file_sha256"] = hashlib.sha256((copy / PART).read_bytes()).hexdigest()
        (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    before = ah.read_population(copy).data_sha256
    with_file_hash(lambda f: f)
    same = ah.read_population(copy)
    same.check()
    assert same.data_sha256 == before
    with_file_hash(lambda f: f.with_columns(pl.col("settled_cents") + (pl.int_range(pl.len()) == 3).cast(pl.Int32)))
    assert [(p.where, p.what) for p in refused(copy).problems] == [(PART, "other values than were written")]


def test_files_are_compressed_and_hold_no_statistics(made: Path) -> None:
    import pyarrow.parquet as pq

    described = pq.ParquetFile(made / PART).metadata
    column = described.row_group(0).column(3)
    assert (column.compression, column.statistics, described.num_row_groups) == ("ZSTD", None, 1)


def test_missing_and_additional_files_are_named_at_once(copy: Path) -> None:
    (copy / PART).rename(copy / "claims" / "part-00099.parquet")
    (copy / "more.csv").write_text("a\n1\n", encoding="utf-8")
    (copy / ".hidden").write_text("", encoding="utf-8")
    with pytest.raises(ShapeError) as caught:
        ah.read_population(copy)
    assert [(p.where, p.what) for p in caught.value.problems] == [
        (PART, "missing"),
        ("claims/part-00099.parquet", "additional file"),
        ("more.csv", "additional file"),
    ]


def rewritten(folder: Path, name: str, change: Any) -> None:
    """Another file with a manifest that agrees with it, as another program could write one."""
    frame = change(pl.read_parquet(folder / name))
    frame.write_parquet(folder / name)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    kind = name.split("/")[0]
    part = next(p for p in manifest["partitions"] if p[kind] == name)
    part[f"{kind}_file_sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    part.pop(f"{kind}_sha256")
    manifest.pop("data_sha256", None)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("records", lambda f: f.with_columns(pl.col("insurer").cast(pl.Int64)),
         "insurer: dtype, expected UInt16, got Int64"),
        ("records", lambda f: f.drop("sex"), "sex: missing"),
        ("claims", lambda f: f.with_columns(pl.lit(1).alias("bsn")), "bsn: unknown column"),
        ("claims", lambda f: f.with_columns(pl.when(pl.int_range(pl.len()) != 7).then(pl.col("ddd"))),
         "ddd: 1 row (first: 7) without a value"),
        ("records", lambda f: f.with_columns(insurer=pl.lit(777, pl.UInt16)), "with an unknown insurer"),
        ("claims", lambda f: f.with_columns(insurer=pl.lit(777, pl.UInt16)), "with an unknown insurer"),
        ("records", lambda f: f.with_columns(pl.col("first_day", "last_day") + 4_000), "in another year"),
        ("claims", lambda f: f.with_columns(pl.col("opened") - 4_000), "in another year"),
        ("records", lambda f: f.with_columns(pl.col("last_day") + 300), "not in the year of first_day"),
        ("records", lambda f: f.reverse(), "not sorted, expected by person and first_day"),
        ("claims", lambda f: f.reverse(), "not sorted, expected by person, year of opened and claim"),
        ("claims", lambda f: f.with_columns(pl.col("person") + 1), "without a record of the person"),
        ("claims", lambda f: f.with_columns(category=pl.lit(99, pl.UInt8)), "category: "),
        ("claims", lambda f: f.head(20), "rows, expected"),
    ],
)  # fmt: skip
def test_a_partition_that_is_not_what_the_manifest_says_is_refused(
    copy: Path, kind: str, change: Any, said: str
) -> None:
    name = f"{kind}/part-00001.parquet"
    rewritten(copy, name, change)
    error = refused(copy)
    assert any(said in str(p) for p in error.problems), str(error)
    assert all(name in p.where for p in error.problems), str(error)
    assert "777" not in str(error)
    person = int(people().block(1).records["person"][0])
    assert str(person)[:8] not in str(error)


def test_every_bad_partition_is_named_by_a_check(copy: Path) -> None:
    for k in (0, 2):
        rewritten(copy, f"records/part-0000{k}.parquet", lambda f: f.with_columns(pl.lit(0, pl.UInt8).alias("sex")))
    assert [p.where for p in refused(copy).problems] == [f"records/part-0000{k}.parquet, sex" for k in (0, 2)]


def test_wrong_lines_of_csv_are_named(tmp_path: Path) -> None:
    written(tmp_path / "csv", 1_000, format="csv")
    path = tmp_path / "csv" / "records" / "part-00000.csv"
    good = path.read_text(encoding="ascii")
    lines = good.splitlines()
    names = lines[0].split(",")
    for column, value, said in (
        ("insurer", "70001", "insurer: 1 row (first: 3) do not fit, expected 0..65535"),
        ("sex", "", "sex: 1 row (first: 3) without a whole number"),
        ("ses", "1.5", "ses: 1 row (first: 3) without a whole number"),
        ("person", "-4", "person: 1 row (first: 3) without a whole number"),
        ("region", "Brabant", "region: 1 row (first: 3) without a whole number"),
    ):
        cells = lines[4].split(",")
        cells[names.index(column)] = value
        path.write_text("\n".join([*lines[:4], ",".join(cells), *lines[5:]]) + "\n", encoding="ascii")
        text = str(refused(tmp_path / "csv"))
        assert said in text
        assert "Brabant" not in text
        assert "70001" not in text
    path.write_text(good.replace(",", ";"), encoding="ascii")
    assert "part-00000.csv" in str(refused(tmp_path / "csv"))
    path.write_text(good[: len(good) // 2], encoding="ascii")
    assert "part-00000.csv" in str(refused(tmp_path / "csv"))


def test_a_manifest_with_mistakes_names_them_all(copy: Path) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["seed"], manifest["origin"], manifest["extra"] = "one", "found", 1
    del manifest["insurers"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        ah.read_population(copy)
    assert {p.what for p in caught.value.problems} == {"seed", "origin", "extra", "insurers"}
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"manifest\.json"):
        ah.read_population(copy)
    path.unlink()
    with pytest.raises(NotFoundError, match="synthesise"):
        ah.read_population(copy)


def test_counts_and_hashes_of_the_manifest_agree_with_each_other(copy: Path) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["counts"]["records"] += 1
    manifest["data_sha256"] = "0" * 64
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        ah.read_population(copy)
    assert len(caught.value.problems) == 2


def test_a_partition_outside_the_folder_is_refused(copy: Path) -> None:
    text = (copy / "manifest.json").read_text(encoding="utf-8")
    shutil.move(copy / "records" / "part-00000.parquet", copy.parent / "part-00000.parquet")
    (copy / "manifest.json").write_text(text.replace("records/part-00000", "../part-00000"), encoding="utf-8")
    with pytest.raises(ShapeError, match="inside the folder"):
        ah.read_population(copy)


# --- what is done with them


@pytest.mark.threads
def test_a_world_of_files_is_the_world_of_the_generator(made: Path) -> None:
    model, rules = ah.load_model("nl-2021-structural"), ah.Rules(start=2021, horizon=1)
    want = ah.World(people(), model, rules)
    for threads in (1, 3):
        got = ah.World(ah.read_population(made), model, rules, threads=threads)
        assert got.core.moments(2021) == want.core.moments(2021)
        for key, value in want.core.totals(2021).items():
            assert np.array_equal(value, got.core.totals(2021)[key]), key
        assert got.records().equals(want.records())
        programme = ah.load_programme("pluspunt")
        assert got.run(programme).ledger.equals(want.run(programme).ledger)


def test_a_bad_partition_stops_a_world_with_its_name(copy: Path) -> None:
    (copy / PART).write_bytes(b"PAR1")
    with pytest.raises(DomainError, match="part-00001"):
        ah.World(ah.read_population(copy), ah.load_model("nl-2021"), ah.Rules(start=2021, horizon=1), threads=2)


def test_a_folder_from_before_partitions_is_read(made: Path, tmp_path: Path) -> None:
    records, claims = everything(ah.read_population(made))
    old = tmp_path / "old"
    old.mkdir()
    for name, rows in (("records", records), ("claims", claims)):
        pl.DataFrame({k: rows[k] for k in rows.dtype.names}).with_columns(
            pl.selectors.boolean().cast(pl.UInt8)
        ).write_csv(old / f"{name}.csv")
    manifest = {
        "anderhalf_version": "0.1.0", "persons": PERSONS, "first_year": 2015, "last_year": 2021, "region": "mijnstreek",
        "seed": 3, "records": len(records), "claims": len(claims),
    }  # fmt: skip
    (old / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    data = ah.read_population(old)
    data.check()
    assert (len(data), data.data_sha256, data.seed, data.insurers) == (1, None, 3, people().insurers)
    for a, b in zip((records, claims), everything(data), strict=True):
        assert np.array_equal(a, b)
    want = ah.read_population(made).records("nl-2021")
    assert data.records("nl-2021").equals(want)


# --- the commands, and what is shown of microdata


def anderhalf(*arguments: object) -> Any:
    from typer.testing import CliRunner

    from anderhalf.cli import app

    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve years of people, and the same as microdata."""
    place = tmp_path_factory.mktemp("long")
    files.write_population(place / "people", 20_000, (2015, 2026), "mijnstreek", 2, threads=2, block_persons=4_096)
    made = ah.synthesise(20_000, (2015, 2026), seed=2, block_persons=4_096)
    years = {m.code: m.insured for m in made.tables.parameters.municipalities}
    with files.Writer(
        place / "own", origin="microdata", years=made.years, insurers=made.insurers, municipalities=made.municipalities,
        seed=2, insured_years=years, options_accepted=["overlaps"],
    ) as own:  # fmt: skip
        for block in made.blocks():
            own.add(block)
    return place


def test_check_reads_every_partition(copy: Path) -> None:
    good = anderhalf("check", copy)
    assert good.exit_code == 0
    assert "records, " in good.output
    for k in (0, 2):
        (copy / f"records/part-0000{k}.parquet").write_bytes(b"PAR1")
    bad = anderhalf("check", copy)
    assert bad.exit_code == 1
    assert "part-00000" in bad.output
    assert "part-00002" in bad.output


RUN = ("--start", 2021, "--horizon", 6, "--threads", 2)


def test_a_simulation_of_files_is_that_of_the_same_synthetic_people(long: Path, tmp_path: Path) -> None:
    run = anderhalf("simulate", "pluspunt", "--data", long / "people", *RUN, "--out", tmp_path / "out")
    assert run.exit_code == 0, run.output
    assert "Made from a synthetic population" in run.output
    people = ah.synthesise(20_000, (2015, 2026), seed=2)
    model, programme = ah.load_model("nl-2021-structural"), ah.load_programme("pluspunt")
    direct = ah.simulate(people, model, [programme], start=2021, horizon=6)
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["answer"]["npv_cents"] == direct.answer()["npv_cents"] != 0
    assert results["data_sha256"] == ah.read_population(long / "people").data_sha256
    assert (results["origin"], results["seed"]) == ("synthetic", 2)
    files.write_simulation(direct, tmp_path / "direct")
    for name in ("decomposition", "ledger", "statements", "movements", "class_changes"):
        tables = [tmp_path / place / "tables" / f"{name}.csv" for place in ("out", "direct")]
        assert tables[0].read_bytes() == tables[1].read_bytes(), name
    assert "no record is a real person" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_people_of_a_folder_take_no_number_of_persons_and_no_seed(long: Path) -> None:
    for option in ("--persons", "--seed"):
        run = anderhalf("simulate", "pluspunt", "--data", long / "people", option, 6_000)
        assert run.exit_code == 2
        assert "as they are" in run.output


def test_classes_reached_are_those_of_the_files(long: Path, made: Path) -> None:
    run = anderhalf("mapping", "reach", "--data", made, "--json")
    assert run.exit_code == 0, run.output
    from anderhalf.validation import insured_per_class

    world = ah.World(people(), ah.load_model("nl-2021"), ah.Rules(start=2021, horizon=1))
    assert json.loads(run.output) == json.loads(insured_per_class(world).to_json(orient="records"))
    own = json.loads(anderhalf("mapping", "reach", "--data", long / "own", "--json").output)
    open_ = json.loads(anderhalf("mapping", "reach", "--data", long / "people", "--json").output)
    left_out = [a for a in own if a["insured_years"] is None]
    assert left_out
    assert all("fewer than 10 persons" in a["reason"] for a in left_out)
    frame = ah.World(ah.read_population(long / "own"), ah.load_model("nl-2021"), ah.Rules(horizon=1)).core.frame(2021)
    for mine, all_ in zip(own, open_, strict=True):
        column = frame["classes"].get(mine["share"], {}).get(f"{mine['criterion']}_{mine['code']}")
        few = column is not None and 0 < len(np.unique(frame["person"][column > 0])) < 10
        assert not few or mine["insured_years"] is None
        assert mine["insured_years"] in (None, all_["insured_years"])


def test_a_simulation_of_microdata_leaves_out_what_rests_on_few_persons(long: Path, tmp_path: Path) -> None:
    run = anderhalf(
        "simulate", "pluspunt", "--data", long / "own", *RUN, "--adoption", "region", "--out", tmp_path / "own"
    )
    assert run.exit_code == 0, run.output
    assert "Made from records of persons; groups of fewer than 10" in run.output
    results = json.loads((tmp_path / "own" / "results.json").read_text(encoding="utf-8"))
    assert results["origin"] == "microdata"
    assert results["data_options"] == ["overlaps"]
    data = ah.read_population(long / "own")
    direct = ah.simulate(
        data,
        ah.load_model("nl-2021-structural"),
        [ah.load_programme("pluspunt")],
        start=2021,
        horizon=6,
        adoption="region",
    )
    fewest = direct.persons.set_index(["year", "insurer"]).persons
    assert (fewest < 10).any()
    hidden = 0
    for row in results["channels"]:
        if fewest[row["year"], row["insurer"]] < 10 and fewest[row["year"], row["insurer"]] > 0:
            assert row["cents"] is None
            assert row["persons"] is None
        hidden += row["cents"] is None
    assert 0 < hidden < len(results["channels"])
    import pandas as pd

    for name in ("decomposition", "ledger", "statements", "movements", "class_changes"):
        table = pd.read_csv(tmp_path / "own" / "tables" / f"{name}.csv")
        assert not table.persons.between(1, 9).any(), name
        assert table.persons.isna().any(), name
        assert table.origin.eq("microdata").all()
    for path in (tmp_path / "own" / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        if not path.name.startswith("backtest_"):  # of synthetic people, of their own
            assert not table.persons.between(1, 9).any(), path.name
    assert "Made from records of persons" in (tmp_path / "own" / "report.html").read_text(encoding="utf-8")


def test_one_small_cell_takes_another_with_it_by_year_and_by_insurer(
    long: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    data, law = ah.read_population(long / "own"), ah.load_model("nl-2021-structural")
    run = ah.simulate(data, law, [ah.load_programme("pluspunt")], start=2021, horizon=6, adoption="region")

    def behind(_run: Any, name: str, frame: Any) -> list[int]:
        key = next(c for c in ("insurer", "to", "party", "region") if c in frame)
        who = frame[key].str.removeprefix("insurer:")
        return [9 if (y, i) == (2023, "CZ") else 50 for y, i in zip(frame["year"], who, strict=True)]

    monkeypatch.setattr(study, "persons_behind", behind)
    files.write_simulation(run, tmp_path / "out")
    for name, rest in (("decomposition", ["channel"]), ("statements", ["arm"]), ("ledger", ["arm", "from", "reason"])):
        table = pd.read_csv(tmp_path / "out" / "tables" / f"{name}.csv")
        who = "to" if name == "ledger" else "insurer"
        hidden = table[table.persons.isna()]
        small = hidden[(hidden.year == 2023) & (hidden[who].str.removeprefix("insurer:") == "CZ")]
        assert len(small) > 0
        assert len(hidden) < len(table)
        if name == "ledger":
            continue
        for by in (["year", *rest], [who, *rest]):
            others = hidden.groupby(by).size()
            assert all(others[key] >= 2 for key in small.set_index(by).index), (name, by)


def test_an_answer_that_rests_on_few_persons_is_refused(long: Path, tmp_path: Path) -> None:
    few = direct_few(long)
    out = tmp_path / "out"
    run = anderhalf("simulate", "pluspunt", "--data", long / "own", *RUN, "--adoption", f"insurer:{few}", "--out", out)
    assert isinstance(run.exception, DomainError)
    assert "10 or more in a year" in str(run.exception)
    assert "EUR" not in run.output
    assert not list(tmp_path.iterdir())
    same = anderhalf("simulate", "pluspunt", "--data", long / "people", *RUN, "--adoption", f"insurer:{few}")
    assert same.exit_code == 0, same.output


def direct_few(long: Path) -> str:
    """An insurer of whom the programme reaches few persons."""
    data = ah.read_population(long / "own")
    run = ah.simulate(
        data,
        ah.load_model("nl-2021-structural"),
        [ah.load_programme("pluspunt")],
        start=2021,
        horizon=6,
        adoption="region",
    )
    most = {name: max(y["reached"][i] for y in run.years) for i, name in enumerate(run.world.insurers.values())}
    assert max(most.values()) >= 10
    return min((name for name in most if most[name] > 0), key=lambda name: most[name])
