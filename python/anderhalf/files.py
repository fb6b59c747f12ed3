"""Populations and simulations on disk: written whole or not at all, read back with every problem at once."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from anderhalf.errors import NotFoundError, ParameterError, Problem
from anderhalf.export import Bundle, version
from anderhalf.model import load_model
from anderhalf.population import Population, synthesise
from anderhalf.simulation import Simulation

_KEYS = ("anderhalf_version", "persons", "first_year", "last_year", "region", "seed", "records", "claims")
_OPTIONAL = ("model", "insured_year")


def write_population(
    out: Path, persons: int, years: tuple[int, int], region: str, seed: int, model: str | None = None
) -> Path:
    """Write ``records.csv``, ``claims.csv`` and ``manifest.json``; blocks are written as they are made.

    With a model, ``insured.csv`` too: the insured of its year, or of the last year when the population begins too late
    for it (``insured_year`` in the manifest), with their classes and cost, which ``anderhalf pay`` reads.

    Raises
    ------
    ParameterError
        The folder exists and is not empty; years outside the population's.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise ParameterError(
            [Problem(str(out.name), "folder for the population", "a new or empty folder", "one with files")]
        )
    people = synthesise(persons, years, region=region, seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    counts = {"records": 0, "claims": 0}
    try:
        for index, block in enumerate(people.blocks()):
            for name, rows in (("records", block.records), ("claims", block.claims)):
                frame = pd.DataFrame({field: np.asarray(rows[field]) for field in rows.dtype.names or ()})
                frame.to_csv(folder / f"{name}.csv", mode="a", header=index == 0, index=False)
                counts[name] += len(frame)
        manifest = {
            "anderhalf_version": version(),
            "persons": persons,
            "first_year": years[0],
            "last_year": years[1],
            "region": region,
            "seed": seed,
            **counts,
        }
        if model is not None:
            law = load_model(model)
            manifest |= {"model": law.name, "insured_year": people.year_of(law)}
            people.records(law).to_csv(folder / "insured.csv", index=False)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        folder.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(folder, out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return out


def read_population(directory: Path) -> Population:
    """The population of a folder, made again from its manifest.

    Raises
    ------
    NotFoundError, ParameterError
        No manifest; keys that are missing, unknown or impossible.
    """
    path = Path(directory) / "manifest.json"
    if not path.is_file():
        raise NotFoundError(
            [Problem(str(directory), "manifest.json", "a folder made by `anderhalf synthesise`", "none")]
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ParameterError(
            [Problem(path.name, "JSON", "a file that can be read", str(error))], file=path.name
        ) from None
    problems = [Problem(path.name, key, "present", "missing") for key in _KEYS if key not in manifest]
    problems += [
        Problem(path.name, key, "no such key", "unknown key") for key in manifest if key not in _KEYS + _OPTIONAL
    ]
    problems += [
        Problem(path.name, key, "a whole number", repr(manifest[key]))
        for key in ("persons", "first_year", "last_year", "seed")
        if key in manifest and (not isinstance(manifest[key], int) or isinstance(manifest[key], bool))
    ]
    if problems:
        raise ParameterError(problems, file=path.name)
    years = (manifest["first_year"], manifest["last_year"])
    return synthesise(manifest["persons"], years, region=manifest["region"], seed=manifest["seed"])


def write_simulation(run: Simulation, out: Path) -> Path:
    """Tables, results.json and a short page of one simulation."""
    bundle = Bundle(
        origin="synthetic",
        model=run.world.model.name,
        parameters_sha256=run.world.model.parameters_sha256,
        data_sha256=None,
        seed=run.world.people.seed,
    )
    for name, frame in (
        ("decomposition", run.decomposition),
        ("ledger", run.ledger),
        ("statements", run.statements),
        ("movements", run.movements),
        ("class_changes", run.class_changes),
    ):
        bundle.table(name, frame, origin="synthetic")
    answer = run.answer()
    bundle.results(
        {
            "answer": answer,
            "channels": run.decomposition.to_dict("records"),
            "touched": {"patients": run.outcome.patients},
            "weights": run.world.model.weights_status,
        }
    )
    return bundle.write(out)
