"""The command ``anderhalf``. Exit status: 0 done, 1 refused input (the reason on stderr), 2 wrong usage."""

from __future__ import annotations

import json as json_
import os
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="anderhalf",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What a health insurer gains or loses, under Dutch risk equalization, when hospital care moves to "
    "1.5-line care. Begin with: anderhalf reproduce --out DIR",
)


class Lang(StrEnum):
    en = "en"
    nl = "nl"


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads; the result does not depend on it. Default: all processors.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every draw.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
ColumnsOf = Annotated[
    str | None,
    typer.Option(help="How the records name what we name otherwise: ot-2020, or a MAP.toml with [classes]"),
]
Data = Annotated[
    Path | None, typer.Option(help="Folder of people: of `anderhalf synthesise` or `import`; read a part at a time")
]
Out = Annotated[
    Path | None, typer.Option(help="Folder for report, tables, figures and results.json; appears whole or not at all.")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from anderhalf.export import version

        typer.echo(f"anderhalf {version()}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def models(json: Json = False) -> None:
    """Model years, their source, what is official and what is estimated, and what a year cannot do yet."""
    from anderhalf.model import models as known

    frame = known()
    if json:
        typer.echo(frame.to_json(orient="records", indent=2))
        return
    typer.echo(frame.drop(columns=["changes", "missing", "structure"]).to_string(index=False))
    for row in frame.to_dict(orient="records"):
        lists = (
            ("changes", row["changes"], "; "),
            ("lacks", row["missing"], "; "),
            ("structure", row["structure"], "\n"),
        )
        for title, items, between in lists:
            if items:
                typer.echo("\n".join([f"\n{row['name']} {title}:", *(f"  {item}" for item in items.split(between))]))


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder for the report; appears whole or not at all.")] = Path(
        "out/reproduce"
    ),
    persons: Annotated[
        int, typer.Option(min=5_000, help="Rows per world; the region takes up to half of them.")
    ] = 60_000,
    seed: Seed = 1,
    threads: Threads = None,
    lang: Lang = Lang.en,
) -> None:
    """The article's question: is an insurer rewarded for moving hospital care to 1.5-line care?

    Official 2021 weights, a synthetic population in five worlds, and the PlusPunt 1.5-line centre.
    """
    from anderhalf.report import write_reproduction
    from anderhalf.reproduction import Settings
    from anderhalf.reproduction import reproduce as run

    results = run(Settings(persons=persons, seed=seed, threads=threads or processors()), _progress())
    written = write_reproduction(results, out, lang.value)
    answer = results["answer"]
    change = "gains" if answer["npv_cents"] > 0 else "loses"
    typer.echo(
        f"{answer['insurer']} {change} EUR {abs(answer['npv_cents']) / 100:,.0f} "
        f"(Monte-Carlo error {answer['monte_carlo_se_cents'] / 100:,.0f}) "
        f"over {answer['horizon']} years on EUR {answer['saving_cents'] / 100:,.0f} of claims saved, discounted."
    )
    typer.echo(f"Report: {written / 'report.html'}")


@app.command()
def patient(
    sex: Annotated[str, typer.Option(help="m or f")],
    age: Annotated[int, typer.Option(min=0, max=120)],
    model: Annotated[str, typer.Option(help="Model year; see: anderhalf models")] = "nl-2021",
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="criterion=code, as often as needed: mhk=1")
    ] = None,
    to: Annotated[list[str] | None, typer.Option(help="criterion=code that changes: mhk=0")] = None,
    json: Json = False,
) -> None:
    """What the official weights pay for one insured person, class by class, and what a change of class costs."""
    from anderhalf.patient import patient as command

    raise typer.Exit(command(model, sex, age, classes or [], to, json))


@app.command()
def regiobeeld(
    file: Annotated[Path, typer.Argument(help="Vektis open data per municipality, any year, .csv or .csv.gz")],
    region: Annotated[str | None, typer.Option(help="Region of params/regions.toml, such as mijnstreek")] = None,
    municipality: Annotated[list[str] | None, typer.Option(help="Municipality, as often as needed")] = None,
    year: Annotated[int | None, typer.Option(help="Year, when neither name nor content of the file tells it")] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Actual against age-sex expected cost per municipality and category, from real open data."""
    from anderhalf.regiobeeld import regiobeeld_command

    raise typer.Exit(
        regiobeeld_command(file, region=region, municipalities=municipality or (), year=year, out=out, as_json=json)
    )


class Prices(StrEnum):
    law_year = "law_year"
    nominal = "nominal"


class Format(StrEnum):
    parquet = "parquet"
    csv = "csv"


@app.command()
def synthesise(
    out: Annotated[
        Path, typer.Option(help="Folder for records/, claims/ and manifest.json; appears whole or not at all.")
    ],
    persons: Annotated[int, typer.Option(min=1_000, help="Rows wanted in the start year.")] = 10_000,
    years: Annotated[str, typer.Option(help="First and last year, A:B, within 2011:2031")] = "2015:2021",
    region: Annotated[str, typer.Option(help="Region that is drawn more densely")] = "mijnstreek",
    model: Annotated[
        str | None, typer.Option(help="Also insured.parquet: classes and cost in this model year, for `anderhalf pay`")
    ] = None,
    seed: Seed = 1,
    base: Annotated[
        int, typer.Option(help="Year of the Vektis cost that care is calibrated on: 2015, 2018, 2021 or 2023")
    ] = 2018,
    prices: Annotated[
        Prices, typer.Option(help="Of one law year in all years, or of each calendar year: nominal")
    ] = Prices.law_year,
    format: Annotated[Format, typer.Option(help="Of the files; Parquet needs polars: anderhalf[io]")] = Format.parquet,
    block_persons: Annotated[
        int, typer.Option(min=1, max=65_536, help="Persons in a partition; the people do not depend on it.")
    ] = 16_384,
    threads: Threads = None,
) -> None:
    """Write a synthetic population: insured records and claims in partitions, with a manifest of how they were made."""
    from anderhalf.files import write_population

    first, _, last = years.partition(":")
    if not (first.isdigit() and last.isdigit()):
        raise typer.BadParameter("years are A:B, such as 2015:2021", param_hint="--years")
    written = write_population(
        out,
        persons,
        (int(first), int(last)),
        region,
        seed,
        model,
        base=base,
        prices=prices.value,
        format=format.value,
        block_persons=block_persons,
        threads=threads or processors(),
        progress=_counted("partitions written"),
    )
    typer.echo(f"Written: {written}")
    if model is not None:
        from anderhalf.model import load_model

        law, year = load_model(model), json_.loads((out / "manifest.json").read_text())["insured_year"]
        if year != law.year:
            typer.echo(f"insured.{format.value} has the insured of {year} under {model}: pay them with --year {year}")


@app.command()
def validate(
    directory: Annotated[
        Path | None,
        typer.Argument(help="Folder of `anderhalf synthesise` or `anderhalf import`; default: a population of its own"),
    ] = None,
    persons: Annotated[
        int | None, typer.Option(min=5_000, help="Rows, when no folder is given. Default: 100,000")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=50, help="Populations with this seed and the next: the Monte-Carlo error")
    ] = 1,
    base: Annotated[
        int | None,
        typer.Option(
            help="Base year of the population, when no folder is given: 2015, 2018, 2021 or 2023. Default: 2018"
        ),
    ] = None,
    year: Annotated[int | None, typer.Option(help="Cost year that is compared; default: the base year")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of every draw, when no folder is given. Default: 1")
    ] = None,
    threads: Threads = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """A population against every target: value, error, gap, role and source; what is missed is explained."""
    from anderhalf.validation import validate as check

    people = _people(directory, persons, seed, 100_000, (2015, 2023), base, "DIR")
    result = check(people, year=year, seeds=seeds, threads=threads or processors(), progress=_progress())
    if out is not None:
        result.write(out)
    typer.echo(result.to_json() if json else str(result), nl=False)


@app.command()
def simulate(
    scenario: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="Programmes, and a scenario file at most: names of what comes along, or files. "
            "pluspunt; mijnstreek; mine.toml",
        ),
    ],
    adoption: Annotated[
        str | None, typer.Option(help="insurer:NAME, insurers:NAME+NAME, region or national. Default: insurer:CZ")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model year. Default: nl-2021-structural")] = None,
    start: Annotated[int | None, typer.Option(help="First simulated year. Default: 2021")] = None,
    horizon: Annotated[int | None, typer.Option(min=1, max=10, help="Years. Default: 10")] = None,
    data: Data = None,
    persons: Annotated[int | None, typer.Option(min=5_000, help="Rows, without --data. Default: 60,000")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every draw, without --data. Default: 1")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=50, help="Populations with this seed and the next. Default: 3")
    ] = None,
    variants: Annotated[
        bool, typer.Option(help="With --out: also other values of every assumption, the sign map and the heat map.")
    ] = True,
    backtests: Annotated[
        bool, typer.Option(help="With --out: also the programmes that happened beside what was observed, in small.")
    ] = True,
    lang: Lang = Lang.en,
    threads: Threads = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Programmes over the years: who gains, who loses, through which channel; with --out a report with every table."""
    from anderhalf.scenario_file import load_scenario
    from anderhalf.simulation_report import summary, write_study
    from anderhalf.study import study

    asked = load_scenario(*scenario, adoption=adoption, model=model, start=start, horizon=horizon)
    first = _people(data, persons, seed, 60_000, (2015, 2031))
    people = [first]
    if data is None:
        more = range(first.seed + 1, first.seed + (3 if seeds is None else seeds))
        people += [_people(None, persons, k, 60_000, (2015, 2031)) for k in more]
    elif seeds is not None:
        raise typer.BadParameter("the people of --data are as they are: no --seeds", param_hint="--data")
    found = study(
        people,
        asked,
        variants=variants and out is not None,
        backtests=backtests and out is not None,
        threads=threads or processors(),
        progress=_progress(),
    )
    if out is not None:
        write_study(found, out, lang.value)
    typer.echo(json_.dumps(found.answer(), indent=2) if json else summary(found, lang.value))
    if out is not None and not json:
        typer.echo(f"Report: {out / 'report.html'}")


@app.command()
def backtest(
    persons: Annotated[int, typer.Option(min=5_000, help="Rows per population")] = 40_000,
    seeds: Annotated[int, typer.Option(min=2, max=50, help="Populations: the Monte-Carlo error")] = 5,
    seed: Seed = 1,
    vektis: Annotated[
        Path | None,
        typer.Option(envvar="ANDERHALF_VEKTIS", help="Folder of raw Vektis files: observed ratios are made again"),
    ] = None,
    threads: Threads = None,
    lang: Lang = Lang.en,
    out: Out = None,
    json: Json = False,
) -> None:
    """Programmes that happened, beside what was observed: Bernhoven, PlusPunt, the ten-year contract."""
    from anderhalf.backtest import Settings
    from anderhalf.backtest import backtest as run
    from anderhalf.backtest_report import to_json

    size = Settings(persons=persons, seed=seed, seeds=seeds, threads=threads or processors())
    result = run(size, vektis=vektis, progress=None if json else _progress())
    if out is not None:
        result.write(out, lang.value)
    if json:
        typer.echo(to_json(result.data), nl=False)
        return
    for _, text in result.text(lang.value):
        typer.echo(text.replace("**", "") + "\n")


@app.command()
def stream(
    model: Annotated[str, typer.Option(help="Model year; see: anderhalf models")] = "nl-2021-structural",
    data: Data = None,
    persons: Annotated[int | None, typer.Option(min=1_000, help="Rows, without --data. Default: 100,000")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every draw, without --data. Default: 1")] = None,
    year: Annotated[
        int | None, typer.Option(help="Calendar year of the insured; default that of the model, else the last one")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the moments, such as 2021.moments: for `anderhalf estimate`")
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """One equalization year of any number of people, in two passes over claims: national lines, counts, moments."""
    from anderhalf.streaming import stream_command

    people = _people(data, persons, seed, 100_000, (2015, 2031))
    raise typer.Exit(
        stream_command(
            people, model, year, out=out, as_json=json, threads=threads, progress=_counted("blocks, both passes")
        )
    )


@app.command()
def evaluate(
    data: Annotated[Path, typer.Argument(help="Parquet or CSV file, or a folder of them; a row per insured period")],
    cost: Annotated[str, typer.Option(help="Column of cost, whole cents")],
    payment: Annotated[str, typer.Option(help="Column of payments, whole cents")],
    days: Annotated[str, typer.Option(help="Column of insured days")],
    insurer: Annotated[str | None, typer.Option(help="Column of insurers")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Column of groups, as often as needed")] = None,
    represents: Annotated[str | None, typer.Option(help="Column of persons that a row stands for")] = None,
    person: Annotated[str | None, typer.Option(help="Column of who a row belongs to, to count small groups")] = None,
    days_in_year: Annotated[int, typer.Option(min=1, max=366, help="12 when days are months")] = 365,
    columns: ColumnsOf = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """How well payments follow cost: R2, CPM, GGAA, bandwidth, over- and undercompensation per group.

    The columns named are read into memory: some 20 bytes a row, and what each group takes.
    """
    from anderhalf.metrics import evaluate_command

    raise typer.Exit(
        evaluate_command(
            data,
            cost=cost,
            payment=payment,
            days=days,
            insurer=insurer,
            groups=group or (),
            represents=represents,
            person=person,
            days_in_year=days_in_year,
            threads=threads,
            as_json=json,
            columns=columns,
        )
    )


@app.command()
def estimate(
    data: Annotated[
        Path, typer.Argument(help="Parquet or CSV file of records, a folder of them, or moments (FILE.moments)")
    ],
    model: Annotated[str | None, typer.Option(help="Model year; see: anderhalf models")] = None,
    spec: Annotated[Path | None, typer.Option(help="Risk model of your own: SPEC.toml")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for tables/weights.csv, results.json, report.html; appears whole or not at all."),
    ] = None,
    json: Json = False,
    robust: Annotated[bool, typer.Option("--robust", help="Standard errors robust to unequal variances.")] = False,
    minimum_persons: Annotated[
        int, typer.Option(min=1, help="Classes of fewer records are left out of what is written.")
    ] = 10,
    columns: ColumnsOf = None,
    threads: Threads = None,
) -> None:
    """Weights of a risk model from records of persons, by constrained least squares on exact integer sums."""
    from anderhalf.weights import estimate_command

    raise typer.Exit(
        estimate_command(
            data,
            model=model,
            spec=spec,
            out=out,
            as_json=json,
            robust=robust,
            minimum_persons=minimum_persons,
            threads=threads,
            columns=columns,
        )
    )


class Stage(StrEnum):
    ex_ante = "ex_ante"
    ex_post = "ex_post"
    first_provisional = "first_provisional"
    second_provisional = "second_provisional"
    final = "final"


class Rounding(StrEnum):
    exact = "exact"
    legal = "legal"


Insured = Annotated[
    Path, typer.Argument(help="Parquet or CSV file of insured periods with class columns, or a folder of them")
]
ModelYear = Annotated[str | None, typer.Option(help="Model year; see: anderhalf models")]
WeightsFile = Annotated[
    Path | None, typer.Option(help="Weights of your own, CSV or Parquet: criterion, code, weight_eur")
]
StageOf = Annotated[Stage, typer.Option(help="Which settlement; ex_post is the final one")]
RoundingOf = Annotated[Rounding, typer.Option(help="legal: weights that are set again at two decimals, as printed")]
Expected = Annotated[
    Path | None,
    typer.Option(help="Insured as expected at the grant, for neutrality, same columns; default: the realised ones"),
]
CalendarYear = Annotated[int | None, typer.Option(help="Year of the insured days, when it is not that of the model")]
MinimumPersons = Annotated[
    int, typer.Option(min=1, help="Insurers and classes of fewer persons are left out of what is written.")
]


@app.command()
def pay(
    data: Insured,
    model: ModelYear = None,
    weights: WeightsFile = None,
    stage: StageOf = Stage.ex_post,
    rounding: RoundingOf = Rounding.exact,
    expected: Expected = None,
    total: Annotated[
        int | None, typer.Option(help="With --weights: scale to so many cents for all insurers together")
    ] = None,
    days: Annotated[str, typer.Option(help="Column of insured days")] = "days",
    days_in_year: Annotated[
        int | None, typer.Option(min=1, max=366, help="With --weights: 12 when days are months. Default: 365")
    ] = None,
    columns: ColumnsOf = None,
    year: CalendarYear = None,
    insurer: Annotated[str | None, typer.Option(help="Print the statement of this insurer, step by step")] = None,
    out: Out = None,
    json: Json = False,
    lang: Lang = Lang.en,
    minimum_persons: MinimumPersons = 10,
) -> None:
    """What the fund pays each insurer, by the steps of a model year, each with its article."""
    from anderhalf.statement import pay_command

    raise typer.Exit(
        pay_command(
            data,
            model=model,
            weights=weights,
            stage=stage.value,
            rounding=rounding.value,
            expected=expected,
            total=total,
            days=days,
            days_in_year=days_in_year,
            year=year,
            insurer=insurer,
            out=out,
            as_json=json,
            lang=lang.value,
            minimum_persons=minimum_persons,
            columns=columns,
        )
    )


@app.command()
def recalculate(
    data: Insured,
    model: ModelYear = None,
    weights: WeightsFile = None,
    to_data: Annotated[Path | None, typer.Option(help="The same insured, corrected")] = None,
    to_model: Annotated[str | None, typer.Option(help="Another version of the model")] = None,
    stage: StageOf = Stage.ex_post,
    rounding: RoundingOf = Rounding.exact,
    expected: Expected = None,
    year: CalendarYear = None,
    out: Out = None,
    json: Json = False,
    lang: Lang = Lang.en,
    minimum_persons: MinimumPersons = 10,
) -> None:
    """An earlier payment again with corrected data or another model: the difference per insurer and per class."""
    from anderhalf.statement import recalculate_command

    raise typer.Exit(
        recalculate_command(
            data,
            model=model,
            weights=weights,
            to_data=to_data,
            to_model=to_model,
            stage=stage.value,
            rounding=rounding.value,
            expected=expected,
            year=year,
            out=out,
            as_json=json,
            lang=lang.value,
            minimum_persons=minimum_persons,
        )
    )


mappings = typer.Typer(no_args_is_help=True, help="Which drugs, diagnoses and devices lead to which class.")
app.add_typer(mappings, name="mapping")


@mappings.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Reference files (.ods, .xlsx, .csv), or folders of them")],
    out: Annotated[Path, typer.Option(help="File to write; refused when it is there")],
    model: Annotated[str, typer.Option(help="Model year; see: anderhalf models")] = "nl-2021",
    columns: Annotated[Path | None, typer.Option(help="Names of sheets, columns and classes: docs/mapping.md")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Criterion to read, as often as needed; default: all")] = None,
) -> None:
    """Read Zorginstituut's reference files into a mapping.toml that replaces the stand-in."""
    from anderhalf.mapping_import import import_mapping

    mapping = import_mapping(files, model, columns=columns, only=only or ())
    mapping.write(out)
    typer.echo(str(mapping))
    typer.echo(f"Written: {out}")


@mappings.command("show")
def show(
    file: Annotated[Path | None, typer.Argument(help="A mapping.toml; default: the stand-in of the model")] = None,
    model: Annotated[str, typer.Option(help="Model year; see: anderhalf models")] = "nl-2021",
    json: Json = False,
) -> None:
    """The classes of a mapping with the care that leads to them, and the classes that nobody leads to."""
    from anderhalf.mapping import load_mapping, read_mapping

    mapping = read_mapping(file) if file else load_mapping(model)
    if json:
        rows = {"classes": mapping.frame(), "unreached": mapping.unreached()}
        result = {"model": mapping.model, "source": list(mapping.source), "omitted": list(mapping.omitted)}
        typer.echo(json_.dumps(result | {k: f.to_dict("records") for k, f in rows.items()}, indent=2))
        return
    typer.echo(mapping.frame().to_string(index=False))
    typer.echo(f"\n{mapping}")


@mappings.command("reach")
def reach(
    model: Annotated[str, typer.Option(help="Model year; see: anderhalf models")] = "nl-2021",
    data: Data = None,
    persons: Annotated[int | None, typer.Option(min=5_000, help="Rows, without --data. Default: 20,000")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every draw, without --data. Default: 1")] = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """How many of the insured of 2021 are in each class of a model year, and why nobody is in the others."""
    from anderhalf.model import load_model
    from anderhalf.simulation import Rules, World
    from anderhalf.validation import insured_per_class

    law = load_model(model)
    law.require_complete("mapping reach")
    people = _people(data, persons, seed, 20_000, (2015, 2021))
    world = World(people, law, Rules(start=2021, horizon=1), threads=threads or processors())
    frame = insured_per_class(world)
    if json:
        typer.echo(frame.to_json(orient="records", indent=2))
        return
    empty = frame[~(frame.insured_years > 0)]
    filled = frame[frame.insured_years > 0].drop(columns="reason").round({"insured_years": 1})
    typer.echo(filled.to_string(index=False))
    typer.echo(f"\n{len(filled)} classes of {model} with insured, {len(empty)} without:")
    for row in empty.to_dict("records"):
        typer.echo(f"  {row['share']} {row['criterion']} {row['code']} ({row['key']}): {row['reason']}")


@app.command("import")
def import_microdata_(
    map_: Annotated[Path | None, typer.Argument(metavar="MAP.toml", help="Column map: docs/microdata.md")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the people; appears whole or not at all.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="16 to 64 bytes: the same key gives the same ids. Default: a random key, kept nowhere"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Breaks ties on percentile lines.")] = 1,
    template: Annotated[bool, typer.Option("--template", help="Print a column map to fill in, with comments.")] = False,
) -> None:
    """Own microdata, Parquet, CSV, Arrow, SAS or Stata, as people that simulate, validate and Python read."""
    if template:
        from anderhalf.column_maps import template as text

        typer.echo(text(), nl=False)
        return
    if map_ is None or out is None:
        raise typer.BadParameter("a column map and --out DIR, or --template", param_hint="MAP.toml")
    from anderhalf.microdata import import_microdata

    typer.echo(str(import_microdata(map_, out, key_file=key_file, seed=seed, progress=_progress())))
    typer.echo(f"Written: {out}")


@app.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Column maps with their files, programmes, scenarios, populations, specifications, mappings, "
            "files of records"
        ),
    ],
    model: Annotated[str | None, typer.Option(help="Model year whose columns the records should have")] = None,
    spec: Annotated[Path | None, typer.Option(help="Specification whose columns the records should have")] = None,
    columns: ColumnsOf = None,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Where rows of own microdata lie meanwhile, in a hidden folder. Default: beside the map"),
    ] = None,
) -> None:
    """Every problem of every file at once."""
    from anderhalf.errors import AnderhalfError

    bad = 0
    for file in files:
        try:
            typer.echo(f"{file}: good{_checked(file, model, spec, columns, scratch)}")
        except AnderhalfError as error:
            bad = 1
            typer.echo(f"{file}: {error}", err=True)
    raise typer.Exit(bad)


def _checked(
    file: Path, model: str | None, spec: Path | None, columns: str | None = None, scratch: Path | None = None
) -> str:
    """Reads one file by its kind; what there is to say of it."""
    import tomllib

    if columns is not None:
        from anderhalf.class_map import check_classes
        from anderhalf.weights import check_records as records_of

        count = check_classes(file, columns)
        if model is not None or spec is not None:
            records_of(file, model=model, spec=spec, columns=columns)
        return f", {count:,} records"

    from anderhalf.errors import ParameterError, Problem
    from anderhalf.files import read_population
    from anderhalf.mapping import read_mapping
    from anderhalf.programme import load_programme
    from anderhalf.specification import load_specification
    from anderhalf.weights import check_records

    if file.is_dir() and (file / "manifest.json").exists():
        people = read_population(file)
        people.check(_counted("partitions read"))
        rows = people.manifest.counts
        return f", {rows.records:,} records, {rows.claims:,} claims"
    if file.suffix == ".toml" or not file.exists() or file.name == "manifest.json":
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            document = {}
        if "microdata" in document or "classes" in document or ("records" in document and "criterion" not in document):
            return _checked_map(file, scratch)
        if "scenario" in document:
            from anderhalf.scenario_file import load_scenario

            found = load_scenario(file)
            found.settings()
            return f", {len(found.programmes)} programmes"
        if "diagnoses" in document:
            read_mapping(file)
        elif "criterion" in document or "model" in document:
            load_specification(file)
        else:
            load_programme(file)
        return ""
    if file.is_dir() and model is None and spec is None:
        read_population(file)  # says what is missing
    if (model is None) == (spec is None):
        raise ParameterError(Problem("records", "one of --model and --spec", "to know which columns are what"))
    return f", {check_records(file, model=model, spec=spec):,} records"


def _checked_map(file: Path, scratch: Path | None) -> str:
    """A column map and every file that it names."""
    from anderhalf.class_map import check_classes
    from anderhalf.column_maps import column_map
    from anderhalf.microdata import check_microdata

    found = column_map(file)
    told = ""
    if found.file.records is not None:
        told = f", {check_microdata(found, scratch=scratch, progress=_progress())}"
    if found.file.classes is not None and found.file.classes.file is not None:
        told += f", {check_classes(found.files(found.classes, 'classes'), found):,} records with classes"
    return told


def _progress() -> Callable[[str, int, int], None] | None:
    """A line of progress on stderr, only on a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(what: str, done: int, total: int) -> None:
        print(f"\r\033[K[{done}/{total}] {what}", end="\n" if done + 1 == total else "", file=sys.stderr, flush=True)

    return show


def _people(
    data: Path | None,
    persons: int | None,
    seed: int | None,
    rows: int,
    years: tuple[int, int],
    base: int | None = None,
    hint: str = "--data",
) -> Any:
    """The people of a folder, or as many synthetic ones."""
    from anderhalf.calibration import DEFAULT_BASE
    from anderhalf.files import read_population
    from anderhalf.population import synthesise as make

    if data is None:
        size, first = rows if persons is None else persons, 1 if seed is None else seed
        return make(size, years, seed=first, base=DEFAULT_BASE if base is None else base)
    given = {"--persons": persons, "--seed": seed, "--base": base}
    refused = ", ".join(f"no {name}" for name, value in given.items() if value is not None)
    if refused:
        raise typer.BadParameter(f"the people of {hint} are as they are: {refused}", param_hint=hint)
    return read_population(data)


def _counted(what: str) -> Callable[[int, int], None] | None:
    """Counts on one line of stderr with the time left, only on a terminal."""
    if not sys.stderr.isatty():
        return None
    begin = time.monotonic()

    def show(done: int, total: int) -> None:
        left = round((time.monotonic() - begin) / done * (total - done))
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left" if done < total else "done"
        end = "" if done < total else "\n"
        print(f"\r\033[K[{done:,}/{total:,}] {what}, {clock}", end=end, file=sys.stderr, flush=True)

    return show


def main() -> Any:
    """Entry point: errors of anderhalf become one message and exit status 1; a signal to stop cleans up first."""
    import signal

    from anderhalf.errors import AnderhalfError

    def stop(number: int, _: Any) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        return app(standalone_mode=True)
    except AnderhalfError as error:
        print(f"anderhalf: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
