"""The report of a simulation: who gains, who loses, and through which channel, for every programme and year.

Every figure is drawn from the table that stands beside it in ``tables/``, as it is written there. The checks are
recomputed from the text of the tables. Of microdata, figures that rest on few persons are left out everywhere.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from anderhalf import backtest_report, export, plots
from anderhalf.errors import DomainError, Problem, ShapeError
from anderhalf.export import MINIMUM_PERSONS
from anderhalf.pages import (
    T95,
    Words,
    bullets,
    figure,
    frame,
    heading,
    lower,
    page,
    paragraph,
    plain_text,
    rich,
    table,
)
from anderhalf.programme import Programme
from anderhalf.programme_page import verdicts
from anderhalf.regions import load_regions
from anderhalf.report import CHECKED, GROUPS, recomputed
from anderhalf.reproduction import pooled
from anderhalf.sign_map import SignMap
from anderhalf.simulation import CHANNELS, Simulation
from anderhalf.study import Study, of_run, standard_error

Frame = Any  # a pandas frame; its stubs cannot follow group keys

# Per table: what names a row, and the columns within which and across which rows add up to totals.
_LAYOUT: Mapping[str, tuple[list[str], list[str], list[str]]] = {
    "decomposition": (["channel"], ["year", "channel"], ["insurer", "channel"]),
    "ledger": (["arm", "from", "to", "reason"], ["year", "arm", "reason"], ["from", "to", "reason"]),
    "statements": (["arm"], ["year", "arm"], ["insurer", "arm"]),
    "movements": (
        ["specialty", "product", "effect", "category", "programme", "rule"],
        ["year", "effect"],
        ["insurer", "effect"],
    ),
    "criteria": (["criterion"], ["year", "criterion"], ["insurer", "criterion"]),
    "parties": (["party"], ["year"], ["party"]),
    "visits": (["region"], ["year", "region"], ["insurer", "region"]),
    "class_changes": (
        ["criterion", "code"],
        ["year", "criterion", "code"],
        ["insurer", "criterion", "code"],
    ),
}
_CHECKED = (*CHECKED, "criteria", "parties", "parties_second_way", "by_programme")
_TORNADO_ROWS = 18
_LARGEST_FLOWS = 15
_CONTRIBUTION = ("c1", "c2", "d", "e1", "e2", "f", "g", "h")


def write_simulation(run: Simulation, out: str | PathLike[str], lang: str = "en") -> Path:
    """Write one simulation, without variants, into ``out``; see :func:`write_study`."""
    return write_study(of_run(run), out, lang)


def write_study(found: Study, out: str | PathLike[str], lang: str = "en") -> Path:
    """Write ``report.html, results.json, tables/*.csv`` and ``figures/*.svg`` into ``out``, whole or not at all.

    Parameters
    ----------
    found : Study
        What :func:`anderhalf.study.study` returned.
    lang : "en" or "nl"
        The language of the page and of the figures; column names and keys stay English.

    Returns
    -------
    Path
        The directory. Same study, same bytes.
    """
    words = Words.load(lang, "simulation")
    bundle = export.Bundle(
        origin=found.origin,  # type: ignore[arg-type]  # refused there when unknown
        model=found.law.name,
        parameters_sha256=found.law.parameters_sha256,
        data_sha256=found.data_sha256,
        seed=int(found.seeds[0]["seed"]),
    )
    content = _Content(found, words, bundle)
    bundle.results(content.results(), count="" if found.origin == "microdata" else "persons")
    bundle.report(_Page(content).html())
    return bundle.write(out)


def check_written(out: str | PathLike[str]) -> dict[str, int]:
    """The checks, recomputed from the tables in the directory ``out``; all are 0 when the books close.

    Raises
    ------
    ShapeError, DomainError
        A table that is not there, or that cannot be read as one of ours; tables of microdata whose small cells were
        left out.
    """
    folder = Path(out) / "tables"
    names = [name for name in _CHECKED if (folder / f"{name}.csv").is_file() or name != "by_programme"]
    missing = [name for name in names if not (folder / f"{name}.csv").is_file()]
    if missing:
        raise ShapeError([Problem("check_written", f"no tables/{name}.csv", "the table", str(out)) for name in missing])
    return _closed({name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in names})


def _closed(texts: Mapping[str, str]) -> dict[str, int]:
    """Cents by which the tables do not close: the three checks of a reproduction and those between our own tables.

    criteria: losses and gains per criterion against channel c1; programmes: what programmes bring in order against the
    channels of all together; parties: balances from the ledger against those without it.
    """
    found = recomputed({name: texts[name] for name in CHECKED})
    tables = {name: _read(name, text) for name, text in texts.items() if name not in CHECKED or name == "decomposition"}
    whole = tables["decomposition"]
    keys = ["seed", "year", "insurer"]

    def gap(ours: Frame, theirs: Frame) -> int:
        return int(ours.sub(theirs, fill_value=0).abs().sum())

    c1 = whole[whole["channel"] == "c1_classes"].groupby(keys)["cents"].sum()
    criteria = tables["criteria"]
    found["criteria_gap_cents"] = gap(
        (criteria["loss_cents"] + criteria["gain_cents"]).groupby([criteria[k] for k in keys]).sum(), c1
    )
    if "by_programme" in tables:
        apart = tables["by_programme"]
        parts = apart.groupby([*keys, "channel"])["cents_in_order"].sum()
        together = whole[whole["seed"].isin(apart["seed"])]
        found["programmes_gap_cents"] = gap(parts, together.groupby([*keys, "channel"])["cents"].sum())
    party = ["seed", "year", "party"]
    columns = ["baseline_cents", "scenario_cents"]
    ways = [tables[name].groupby(party)[columns].sum() for name in ("parties", "parties_second_way")]
    found["parties_gap_cents"] = int(ways[0].sub(ways[1], fill_value=0).abs().to_numpy().sum())
    return found


def _read(name: str, text: str) -> Frame:
    """A table from its text; refused when an amount is not whole cents."""
    table = pd.read_csv(io.StringIO(text), dtype={"insurer": str}, keep_default_na=False)
    wrong = [c for c in table.columns if "cents" in c and not pd.api.types.is_integer_dtype(table[c]) and len(table)]
    if wrong:
        raise DomainError([Problem(f"tables/{name}.csv, column {c}", "not whole cents", "integers") for c in wrong])
    return table


def summary(found: Study, lang: str = "en") -> str:
    """The answer in a few lines, for a terminal."""
    w = Words.load(lang, "simulation")
    answer, scenario = found.answer(), found.scenario

    names = {name: f"  {channel_label(found, w, 'channel', name)} ({name.split('_')[0]})" for name in CHANNELS}
    width = max(len(text) for text in (w("run.summary_saving"), w("run.summary_result"), *names.values())) + 1

    def line(text: str, cents: float, error: float | None = None) -> str:
        more = "" if error is None else f"  \u00b1 {w.number(error / 100):>12}"
        return f"  {text:<{width}}{w('format.eur', n=w.number(cents / 100, 2).rjust(18))}{more}"

    last = scenario.start + scenario.horizon - 1
    seeds = ", ".join(str(seed["seed"]) for seed in found.seeds)
    text = w(
        "run.summary", name=scenario.name, adoption=scenario.adoption, first=scenario.start, last=last, seeds=seeds
    )
    lines = [text, f"  {w('run.private' if found.origin == 'microdata' else 'run.synthetic', minimum=MINIMUM_PERSONS)}"]
    if found.law.law.structure is not None:
        lines.append("  " + w("run.own_weights", model=found.law.name, status=found.law.weights_status))
    lines.append(line(w("run.summary_saving"), answer["saving_cents"], found.error("saving_cents")))
    lines.append(line(w("run.summary_result"), answer["npv_cents"], answer["monte_carlo_se_cents"]))
    lines.append(f"  {w('run.summary_channels')}")
    lines += [line(names[row["channel"]], row["cents"], row["se_cents"]) for row in channels(found)]
    return "\n".join(lines)


def channel_label(found: Study, w: Words, kind: str, name: str) -> str:
    """The words for a channel or a group of channels; rules avoid and replace more than hospital care."""
    plain = w.label(kind, name)
    return w.label(f"{kind}_rules", name, default=plain) if any(p.file.rule for p in found.programmes) else plain


def channels(found: Study) -> list[dict[str, Any]]:
    """Per channel, the discounted change of the insurers judged: mean, error over seeds, reverse order."""
    whole: Frame = found.tables["decomposition"]
    own = whole[whole["insurer"].isin(found.judged)]
    factor = own["year"].map(found.discount)
    own = own.assign(forward=own["cents"] * factor, backward=own["cents_reverse"] * factor)
    sums = own.groupby(["channel", "seed"], sort=False)[["forward", "backward"]].sum()
    rows = []
    for channel in CHANNELS:
        part = sums.loc[channel]
        forward = [float(v) for v in part["forward"]]
        rows.append(
            {
                "channel": channel,
                "cents": math.fsum(forward) / len(forward),
                "se_cents": standard_error(forward),
                "reverse_cents": float(part["backward"].mean()),
                "zero": not any(forward),
            }
        )
    return rows


# --- what the numbers say ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Drawing:
    """A figure: its table, and how it is drawn from the table as written."""

    rows: list[dict[str, Any]]
    draw: Callable[[Frame], str]


class _Content:
    """The study, summed up for the page, the figures and the tables; writes tables and figures as it goes."""

    def __init__(self, found: Study, words: Words, bundle: export.Bundle) -> None:
        self.s, self.w, self.bundle = found, words, bundle
        self.private = found.origin == "microdata"
        self.n = len(found.seeds)
        self.years = found.years
        self.first, self.last = self.years[0], self.years[-1]
        self.answer = found.answer()
        self.npv, self.saving = int(self.answer["npv_cents"]), int(self.answer["saving_cents"])
        self.se = self.answer["monte_carlo_se_cents"]
        self.judged = set(found.judged)
        self.who = self._who()
        self.patients = found.mean("patients")
        self.checks = self._checked()
        self.full = self._tables()
        self.channel_rows = self._channel_rows()
        self.channels = channels(found)
        self._lists()
        self.figures = self._figures()

    # -- names

    def _who(self) -> str:
        w, kind = self.w, self.s.scenario.adoption.partition(":")[0]
        return w.list(self.s.judged) if kind in ("insurer", "insurers") else w(f"run.who_{kind}")

    @property
    def alone(self) -> str | None:
        """The one insurer that is judged; None when there are several."""
        return self.s.judged[0] if len(self.s.judged) == 1 else None

    def programme(self, name: str) -> str:
        w = self.w
        if w.has(f"programme.{name}"):
            return w(f"programme.{name}")
        head = next(p.file.programme for p in self.s.programmes if p.name == name)
        return head.title_nl if w.lang == "nl" and head.title_nl else head.title

    @property
    def title(self) -> str:
        s = self.s.scenario
        name = s.title_nl if self.w.lang == "nl" and s.title_nl else s.title
        return name or self.w.list([self.programme(p.name) for p in self.s.programmes])

    def party(self, name: str) -> str:
        if name.startswith("insurer:"):
            own = name.removeprefix("insurer:")
            return own if own != "others" else self.w("party.others")
        return self.w.label("party", name)

    def assumption(self, row: Mapping[str, Any], *, inside: bool = False) -> str:
        """What is assumed, in words; with the programme, as it is spelled, when there are several.

        ``inside`` a sentence the words begin small.
        """
        w, full = self.w, str(row.get("assumption") or row["key"])
        if w.has(f"assumption.{full}"):
            text = w(f"assumption.{full}")
        else:
            owner, _, key = full.partition(".")
            first, _, rest = key.partition(".")
            if w.has(f"sensitivity.{key}"):
                text = w(f"sensitivity.{key}")
            elif first == "with":
                rule, number, what = rest.split(".")
                text = w(f"kind.with_{what}", name=rule.replace("_", " "), n=number)
            elif first == "contract":
                number, _, what = rest.partition(".")
                text = w("kind.contract", n=number, name=lower(w(f"run.{what}")))
            elif rest and w.has(f"kind.{first}"):
                text = w(f"kind.{first}", name=rest.replace("_", " ").replace(".", " "))
            else:
                text = key.replace("_", " ").replace(".", ": ")
        owner = full.partition(".")[0]
        several = len(self.s.programmes) > 1 and owner in {p.name for p in self.s.programmes}
        if several:
            return f"{self.short(owner)}: {lower(text)}"
        return lower(text) if inside else text

    @property
    def rules(self) -> bool:
        """Whether a programme has rules: then not every patient is one of a 1.5-line centre."""
        return any(p.file.rule for p in self.s.programmes)

    def option(self, key: str, value: Any) -> str:
        """A value that was tried, in words."""
        w = self.w
        for name in (f"option.{key}.{value}", f"title.{value}", f"option.{value}"):
            if w.has(name):
                return w(name)
        if isinstance(value, str):
            return value
        if key.endswith("factor") or key.startswith(("factor.", "ddd_factor.")):
            return f"\u00d7 {w.number(value, 2 if value != round(value, 1) else 1)}"
        if key == "price" or key.endswith(("_eur", ".price")):
            return w.euros(value, 0 if value == int(value) else 2)
        if 0 <= value <= 1:
            return w.short(value)
        return w.number(value, 0 if value == int(value) else 2)

    @property
    def footer(self) -> str:
        w, seeds = self.w, [str(seed["seed"]) for seed in self.s.seeds]
        if self.private:
            return w("run.figure_private", model=self.s.law.name, minimum=MINIMUM_PERSONS)
        key, text = (
            ("page.figure_of", f"{seeds[0]}\u2013{seeds[-1]}") if self.n > 1 else ("page.figure_of_one", seeds[0])
        )
        return w(key, model=self.s.law.name, seeds=text, seed=text)

    def k(self, cents: float | None, *, sign: bool = False) -> str:
        """Thousands of euros for a table; a dash for what is left out."""
        if cents is None or math.isnan(cents):
            return "\u2013"
        kilo = cents / 1e5
        return self.w.number(kilo, 1 if abs(kilo) < 99.95 else 0, sign=sign)

    def count(self, value: float | None, decimals: int = 0) -> str:
        return "\u2013" if value is None or math.isnan(value) else self.w.number(value, decimals)

    # -- tables

    def _checked(self) -> dict[str, int]:
        """The checks, from the text of the tables before small cells are left out."""
        names = [name for name in _CHECKED if name in self.s.tables]
        return _closed({name: export.csv_text(self.s.tables[name].assign(origin=self.s.origin)) for name in names})

    def _tables(self) -> dict[str, Frame]:
        """Write every table of the runs; returned with ``hidden``: whether a row's figures were left out."""
        found = {}
        for name, whole in self.s.tables.items():
            if not self.private:
                self.bundle.table(name, whole, origin=self.s.origin)  # type: ignore[arg-type]  # known
                found[name] = whole.assign(hidden=False, persons=0)
                continue
            if name not in _LAYOUT:
                continue
            keys, groups, across = _LAYOUT[name]
            counted = whole.drop(columns="seed").assign(persons=self.s.persons[name])
            keys = [*(c for c in ("year", "insurer") if c in counted), *keys]
            shown = self.bundle.table(
                name, counted, origin="microdata", count="persons", keys=keys, groups=groups, across=across
            )
            hidden = [v is None or v is pd.NA or v != v for v in shown["persons"]]
            found[name] = counted.assign(hidden=hidden, seed=whole["seed"])
        return found

    def put(self, name: str, rows: Sequence[Mapping[str, Any]], persons: Sequence[int] | None = None) -> Frame:
        """Write a table that was made from others; of microdata ``persons`` stand behind each row."""
        made = frame(rows)
        if self.private:
            few = [self._many()] * len(made) if persons is None else list(persons)
            text = [c for c in made.columns if c != "persons"]
            keys = [c for c in text if c in ("year", "insurer", "channel", "group", "party", "adoption")]
            keys += [c for c in text if c not in keys and all(isinstance(v, str) for v in made[c])]
            counted = made.assign(persons=few)
            return self.bundle.table(name, counted, origin="microdata", count="persons", keys=keys)
        return self.bundle.table(name, made, origin=self.s.origin)  # type: ignore[arg-type]  # known

    def _many(self) -> int:
        """Rows of the sample that the answer itself rests on: ten or more, or there would be no answer."""
        return max([MINIMUM_PERSONS, *self.s.reached.values()])

    def sums(self, name: str, by: Sequence[str], columns: Sequence[str], chosen: Any = None) -> Frame:
        """Sums of a table of the runs, mean over seeds; NaN where they would tell what was left out."""
        whole = self.full[name] if chosen is None else chosen
        groups = whole.groupby(list(by), sort=False)
        found = groups[list(columns)].sum() / self.s.tables[name]["seed"].nunique()
        if self.private:
            hidden = groups["hidden"].sum()
            persons = whole["persons"].where(whole["hidden"], 0).groupby([whole[c] for c in by], sort=False).sum()
            few = (hidden > 0) & ((hidden < 2) | (persons < MINIMUM_PERSONS))
            found[few.reindex(found.index)] = math.nan
        return found

    def _channel_rows(self) -> list[dict[str, Any]]:
        """year, insurer, channel and cents, mean over seeds; what is left out is None."""
        if not self.private:
            rows, _ = pooled(self.s.tables["decomposition"], [int(seed["seed"]) for seed in self.s.seeds])
            return rows
        shown = self.full["decomposition"]
        rows = []
        for row in shown.itertuples(index=False):
            left_out = bool(row.hidden)
            rows.append(
                {"year": int(row.year), "insurer": row.insurer, "channel": row.channel}
                | {key: None if left_out else int(getattr(row, key)) for key in ("cents", "cents_reverse", "persons")}
            )
        return rows

    def channel(self, *heads: str) -> float:
        """Sum of the channels whose names begin so, discounted."""
        return float(sum(row["cents"] for row in self.channels if row["channel"].split("_")[0] in heads))

    def label(self, kind: str, name: str) -> str:
        return channel_label(self.s, self.w, kind, name)

    def group_of(self, channel: str) -> str:
        return next(group for group, names in GROUPS.items() if channel in names)

    def by_insurer(self) -> list[dict[str, Any]]:
        """Per insurer, what every group of channels brings, discounted."""
        whole = self.full["decomposition"]
        made = whole.assign(
            group=whole["channel"].map(self.group_of), worth=whole["cents"] * whole["year"].map(self.s.discount)
        )
        sums = self.sums("decomposition", ["insurer", "group"], ["worth"], made)["worth"]
        totals = self.sums("decomposition", ["insurer"], ["worth"], made)["worth"]
        return [
            {"insurer": name}
            | {f"{group}_cents": _cents(sums.get((name, group))) for group in GROUPS}
            | {"result_cents": _cents(totals.get(name))}
            for name in self.s.insurers
        ]

    def by_insurer_and_year(self) -> list[dict[str, Any]]:
        """Change in result of each insurer in each year, not discounted."""
        sums: dict[tuple[str, int], float | None] = {}
        for row in self.channel_rows:
            key = (row["insurer"], row["year"])
            before, cents = sums.get(key, 0.0), row["cents"]
            sums[key] = None if cents is None or before is None else before + cents
        return [
            {"insurer": name, "year": year, "result_cents": _cents(sums[name, year])}
            for name in self.s.insurers
            for year in self.years
        ]

    def parties(self, by: Sequence[str], *, discounted: bool) -> Frame:
        """Change of every party's balance in the ledger, mean over seeds; the insurers that are not judged together."""
        ledger = self.full["ledger"]
        signed = ledger["cents"].where(ledger["arm"] == "scenario", -ledger["cents"]).astype(float)
        if discounted:
            signed *= ledger["year"].map(self.s.discount)
        sides = [
            ledger.assign(party=ledger[side].map(self._party_key), worth=worth)
            for side, worth in (("to", signed), ("from", -signed))
        ]
        both = pd.concat(sides, ignore_index=True)
        return self.sums("ledger", by, ["worth"], both)["worth"]

    def _party_key(self, name: str) -> str:
        if name.startswith("insurer:") and name.removeprefix("insurer:") not in self.judged:
            return "insurer:others"
        return name

    def party_rows(self) -> list[dict[str, Any]]:
        """Every party whose balance changes, insurers first, society last."""
        found = self.parties(["party"], discounted=True)
        order = [f"insurer:{name}" for name in self.s.judged if len(self.judged) <= 4]
        if len(self.judged) > 4:  # too many to tell apart: together
            own = [f"insurer:{name}" for name in self.s.judged]
            found["insurer:together"] = found[[p for p in own if p in found]].sum()
            found = found.drop([p for p in own if p in found])
            order = ["insurer:together"]
        order += ["insurer:others", "fund", "government", "premium_payers", "patients", "hospitals"]
        rest = sorted(set(found.index) - set(order) - {"resources"})
        rows = [
            {"party": name, "change_cents": _cents(found.get(name))}
            for name in (*order, *rest)
            if name in found and (math.isnan(found[name]) or abs(found[name]) >= 50 or name == order[0])
        ]
        return [*rows, {"party": "society", "change_cents": _cents(-found.get("resources", 0.0))}]

    def party_name(self, key: str) -> str:
        return self.who if key == "insurer:together" else self.party(key)

    def flows(self) -> list[dict[str, Any]]:
        """Changes of yearly flows between parties, discounted, mean over seeds, largest first."""
        ledger: Frame = self.full["ledger"]
        worth = ledger["cents"].where(ledger["arm"] == "scenario", -ledger["cents"]) * ledger["year"].map(
            self.s.discount
        )
        made = ledger.assign(worth=worth, **{side: ledger[side].map(self._party_key) for side in ("from", "to")})
        sums = self.sums("ledger", ["from", "to", "reason"], ["worth"], made)["worth"]
        rows: list[dict[str, Any]] = [
            {"from": str(a), "to": str(b), "reason": str(reason), "change_cents": _cents(cents)}
            for (a, b, reason), cents in sums.items()
        ]
        shown = [row for row in rows if row["change_cents"] is not None and abs(row["change_cents"]) >= 50]
        return sorted(shown, key=lambda row: (-abs(row["change_cents"]), row["from"], row["to"], row["reason"]))

    def classes(self) -> list[dict[str, Any]]:
        """Insured years of the insurers judged out of and into every class, mean over seeds."""
        whole = self.full["class_changes"]
        own = whole[whole["insurer"].isin(self.judged)]
        if own.empty:
            return []
        sums = self.sums(
            "class_changes", ["criterion", "code"], ["years_lost", "years_won", "euro_change"], own
        ).sort_index()
        return [
            {"criterion": str(criterion), "code": int(code)}
            | {
                "years_lost": _value(row.years_lost),
                "years_won": _value(row.years_won),
                "euro_change_eur": _value(row.euro_change),
            }
            for (criterion, code), row in zip(sums.index, sums.itertuples(index=False), strict=True)
        ]

    def specialties(self) -> list[dict[str, Any]]:
        """What moved of the insurers judged, per specialty, product type and effect, mean over seeds."""
        whole = self.full["movements"]
        own = whole[whole["insurer"].isin(self.judged)]
        if own.empty:
            return []
        by = ["programme", "rule", "specialty", "product", "category", "effect"]
        sums = self.sums("movements", by, ["claims", "settled_cents", "claimed_cents"], own)
        return [
            dict(zip(by, map(str, key), strict=True))
            | {
                "claims": _cents(row.claims),
                "settled_cents": _cents(row.settled_cents),
                "claimed_cents": _cents(row.claimed_cents),
            }
            for key, row in zip(sums.index, sums.itertuples(index=False), strict=True)
        ]

    def programme_rows(self) -> list[dict[str, Any]]:
        """Per programme, what it brings the insurers judged after those before it and alone, discounted."""
        if "by_programme" not in self.full:
            return []
        whole: Frame = self.full["by_programme"]
        own = whole[whole["insurer"].isin(self.judged)]
        factor = own["year"].map(self.s.discount)
        own = own.assign(
            order=own["cents_in_order"] * factor,
            alone=own["cents_alone"] * factor,
            group=own["channel"].map(self.group_of),
        )
        totals = self.sums("by_programme", ["programme"], ["order", "alone"], own)
        groups = self.sums("by_programme", ["programme", "group"], ["order"], own)["order"]
        return [
            {
                "programme": p.name,
                "in_order_cents": _cents(totals.loc[p.name, "order"]),
                "alone_cents": _cents(totals.loc[p.name, "alone"]),
                **{f"{group}_cents": _cents(groups.get((p.name, group), 0.0)) for group in GROUPS},
            }
            for p in self.s.programmes
        ]

    def criterion_rows(self) -> list[dict[str, Any]]:
        """Losses and gains of the insurers judged per criterion (channel c1), discounted, mean over seeds."""
        whole: Frame = self.full["criteria"]
        own = whole[whole["insurer"].isin(self.judged)]
        if own.empty:
            return []
        factor = own["year"].map(self.s.discount)
        own = own.assign(loss=own["loss_cents"] * factor, gain=own["gain_cents"] * factor)
        sums = self.sums("criteria", ["criterion"], ["loss", "gain"], own)
        return [
            {"criterion": str(name), "loss_cents": _cents(row.loss), "gain_cents": _cents(row.gain)}
            for name, row in zip(sums.index, sums.itertuples(index=False), strict=True)
        ]

    def place_rows(self) -> list[dict[str, Any]]:
        """Health gap per municipality in the last year: cost against expectation and morbidity, before and after."""
        if "health_gap" not in self.full:
            return []
        whole: Frame = self.full["health_gap"]
        last = whole[whole["year"] == self.last]
        columns = ["insured_years", "cost_eur", "expected_eur", "morbidity"]
        means = last.groupby(["municipality", "arm"], sort=False)[columns].mean()
        rows = []
        for name in dict.fromkeys(last["municipality"]):
            before, after = means.loc[(name, "baseline")], means.loc[(name, "scenario")]
            rows.append(
                {
                    "municipality": str(name),
                    "insured_years": float(before["insured_years"]),
                    "cost_eur": float(before["cost_eur"]),
                    "expected_eur": float(before["expected_eur"]),
                    "ratio": float(before["cost_eur"] / before["expected_eur"]),
                    "ratio_after": float(after["cost_eur"] / after["expected_eur"]),
                    "cost_change_eur": float(after["cost_eur"] - before["cost_eur"]),
                    "morbidity_eur": float(before["morbidity"]),
                    "morbidity_change_eur": float(after["morbidity"] - before["morbidity"]),
                }
            )
        return rows

    def visit_rows(self) -> list[dict[str, Any]]:
        """Hospital visits freed per area and year, all insurers, mean over seeds."""
        if "visits" not in self.full or self.full["visits"].empty:
            return []
        columns = ["visits_freed", "visits_low", "visits_high"]
        sums = self.sums("visits", ["region", "year"], columns)
        return [
            {"region": str(region), "year": int(year)} | {c: _value(getattr(row, c)) for c in columns}
            for (region, year), row in zip(sums.index, sums.itertuples(index=False), strict=True)
        ]

    def visits_freed(self) -> float | None:
        """Hospital visits freed in all areas and years; None when one of them is left out."""
        rows = [row["visits_freed"] for row in self.visit_rows()]
        return None if None in rows else math.fsum(rows)

    def contract_rows(self) -> list[dict[str, Any]]:
        """Contracts of the programmes: how an insurer pays a hospital when production falls."""
        rows = []
        for p in self.s.programmes:
            for n, contract in enumerate(p.file.contract, 1):
                values = {
                    key: p.get(f"contract.{n}.{key}")
                    for key in ("pass_through", "over_ceiling", "rebase_share", "rebase_years")
                    if f"contract.{n}.{key}" in p.values
                }
                rows.append(
                    {"programme": p.name, "hospital": contract.hospital, "insurer": contract.insurer}
                    | {"kind": contract.kind, "from_year": contract.from_year, "to_year": contract.to_year}
                    | {key: values.get(key) for key in ("pass_through", "over_ceiling", "rebase_share", "rebase_years")}
                )
        return rows

    def year_rows(self) -> list[dict[str, Any]]:
        """Change in result per year: mean, error and ends over seeds, ends over assumptions."""
        s, rows = self.s, []
        base = s.variants[0]["by_year_cents"] if s.variants else None
        for k, year in enumerate(self.years):
            values = [float(seed["by_year_cents"][k]) for seed in s.seeds]
            mean, error = math.fsum(values) / self.n, standard_error(values)
            row: dict[str, Any] = {
                "year": year,
                "result_cents": round(mean),
                "se_cents": None if error is None else round(error),
                "low_seeds_cents": round(min(values)),
                "high_seeds_cents": round(max(values)),
            }
            if base is not None:
                moved = [v["by_year_cents"][k] - base[k] for v in s.variants]
                row |= {"low_assumptions_cents": round(mean + min(moved))}
                row |= {"high_assumptions_cents": round(mean + max(moved))}
            rows.append(row)
        return rows

    def _year_persons(self) -> list[int] | None:
        return [self.s.reached.get(year, 0) for year in self.years] if self.private else None

    def _lists(self) -> None:
        """Tables that no figure is drawn from."""
        s = self.s
        if not self.private:
            self.put("channels", self.channel_rows)
        self.put("insurers", self.by_insurer(), self._insurer_persons())
        self.put("insurers_by_year", self.by_insurer_and_year(), self._insurer_year_persons())
        self.put("seeds", [{k: v for k, v in seed.items() if not isinstance(v, list)} for seed in s.seeds])
        self.put("flows", self.flows())
        self.put("classes", self.classes())
        self.put("specialties", self.specialties())
        self.put("assumptions", [self._assumption_row(row) for row in s.assumptions])
        self.put("contracts", self.contract_rows())
        if not self.private:
            self.put("criteria_summary", self.criterion_rows())
            self.put("municipalities", self.place_rows())
            self.put("visits_by_year", self.visit_rows())
            self.put("programme_checks", self.check_rows())

    def check_rows(self) -> list[dict[str, Any]]:
        """What every programme gave alone, all insurers taking part, beside what was published or assumed."""
        return [
            {
                "programme": p.name,
                "name": row["name"],
                "ours": row["ours"],
                "error": row["error"],
                "published": row["published"],
                "low": row["range"][0],
                "high": row["range"][1],
                "verdict": row["verdict"],
                "source": row["source"],
            }
            for p in self.s.programmes
            if p.name in self.s.lines
            for row in verdicts(p, self.s.lines[p.name])
        ]

    def _insurer_persons(self) -> list[int] | None:
        if not self.private:
            return None
        whole = self.full["decomposition"]
        return [int(whole[whole["insurer"] == name]["persons"].max()) for name in self.s.insurers]

    def _insurer_year_persons(self) -> list[int] | None:
        if not self.private:
            return None
        whole = self.full["decomposition"]
        found = whole.groupby(["insurer", "year"])["persons"].max()
        return [int(found[name, year]) for name in self.s.insurers for year in self.years]

    @staticmethod
    def _assumption_row(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "key": row["key"],
            "value": plain_text(row["value"]),
            "unit": row["unit"],
            "low": row["range"][0] if row["range"] else None,
            "high": row["range"][1] if row["range"] else None,
            "tag": row["tag"],
            "source": row["source"],
        }

    def results(self) -> dict[str, Any]:
        """results.json: the keys of the interface first."""
        s = self.s
        return {
            "answer": self.answer,
            "channels": self.channel_rows,
            "touched": {
                "patients": self.patients,
                "patient_rows_per_seed": None if self.private else [seed["patients_rows"] for seed in s.seeds],
                "hospital_products_freed": s.mean("products_freed"),
                "hospital_visits_freed": self.visits_freed(),
                "rows": {k: s.population[k] for k in ("persons", "records", "claims")},
                "represents": s.population["represents"],
            },
            "checks": self.checks,
            "programmes": [{"name": p.name, "region": p.region, "sha256": p.sha256} for p in s.programmes],
            "scenario": {"title": s.scenario.title, "rules": dict(s.scenario.rules), "sha256": s.scenario.sha256},
            "weights": s.law.weights_status,
            **({"data_options": s.data_options} if self.private else {}),
            "seeds": [int(seed["seed"]) for seed in s.seeds],
            "parties": self.party_rows(),
            "by_programme": self.programme_rows(),
            "criteria": self.criterion_rows() if not self.private else [],
            "who_takes_part": [{k: v for k, v in row.items() if k != "parties_cents"} for row in self.s.adoption],
            "variants": [{k: v for k, v in row.items() if k != "by_year_cents"} for row in s.variants],
        }

    # -- figures

    def _figures(self) -> dict[str, str]:
        """Draw every figure from its own table, ``figure_<name>.csv``; what the page shows, by name."""
        found: dict[str, str] = {}
        drawings = {
            "waterfall": self._waterfall(),
            "years": self._fan(),
            "channels": self._stacked(),
            "parties": self._party_bars(),
            "adoption": self._adoption_bars(),
        }
        if self.s.variants:
            drawings["assumptions"] = self._tornado()
        if self.s.heat_map:
            drawings["heat_map"] = self._heat()
        if "by_programme" in self.full:
            drawings["programmes"] = self._programme_bars()
        if not self.private:
            drawings["health_gap"] = self._gap_bars()
        for name, drawing in drawings.items():
            by_year = drawing.rows and "year" in drawing.rows[0]
            shown = self.put(f"figure_{name}", drawing.rows, self._drawn_persons(drawing) if by_year else None)
            found[name] = drawing.draw(shown)
        if self.s.sign_map:
            shown = self.put("figure_sign_map", self.s.sign_map)
            cells = shown.to_dict("records")
            wide = self.map_of(cells)
            found["sign_map"] = wide.wide(
                self.w("run.map_figure", who=self.who, first=self.first, last=self.last), self.footer
            )
            for result, stem in (("npv_cents", "dkg"), ("npv_before_programme_cost_cents", "before_cost")):
                panels = self.map_of(cells, result)
                for share in panels.keys["dkg_share"]:
                    found[f"sign_map_{stem}_{round(share * 100):03d}"] = panels.narrow(share)
        if self.s.backtests:
            for name, made in backtest_report.tables(self.s.backtests).items():
                self.bundle.table(name, made, origin="synthetic")
            for name, svg in backtest_report.figures(self.s.backtests, self.w.lang).items():
                self.bundle.figure(name, svg)
        for name, svg in found.items():
            self.bundle.figure(name, svg)
        return found

    def _drawn_persons(self, drawing: _Drawing) -> list[int] | None:
        return [self.s.reached.get(int(row["year"]), 0) for row in drawing.rows] if self.private else None

    def map_of(self, rows: Sequence[Mapping[str, Any]], result: str = "npv_cents") -> SignMap:
        """The sign map of these cells, with the values assumed of the first 1.5-line centre."""
        centre = next(p for p in self.s.programmes if p.file.line)
        base = {
            "price": centre.get("price"),
            "added_demand": centre.get("added_demand"),
            "title": centre.get("payment_title"),
            "dkg_share": self.s.scenario.settings().dkg_share,
        }
        doubt = 2 * (self.se or 0) * math.sqrt(self.n)
        return SignMap(rows, self.w, doubt=doubt, base=base, result=result)

    def _waterfall(self) -> _Drawing:
        w = self.w
        shown = [row for row in self.channels if not row["zero"]]
        avoided = self.channel("a1")
        unit = avoided / 100 if avoided > 0 else 1e5
        rows = [
            {"step": row["channel"], "cents": round(row["cents"]), "se_cents": _cents(row["se_cents"])}
            | {"drawn": round(row["cents"] / unit, 4), "drawn_se": _drawn(row["se_cents"], unit)}
            for row in shown
        ]
        total = {"step": "result", "cents": round(sum(row["cents"] for row in self.channels)), "se_cents": self.se}
        total |= {"drawn": round(sum(row["cents"] for row in self.channels) / unit, 4)}
        rows.append(total | {"drawn_se": _drawn(self.se, unit)})

        def draw(drawn: Frame) -> str:
            values = [float(v) for v in drawn["drawn"]]
            texts = [
                w.number(v, 1, sign=True) + ("" if e is None or e != e else f" \u00b1 {w.number(float(e), 1)}")
                for v, e in zip(values, drawn["drawn_se"], strict=True)
            ]
            per_hundred = avoided > 0
            rules = "_rules" if any(p.file.rule for p in self.s.programmes) else ""
            return plots.waterfall(
                "waterfall",
                [self.label("channel", name) for name in drawn["step"][:-1]],
                values[:-1],
                texts[:-1],
                result=w("run.result_of", who=self.who),
                result_text=texts[-1],
                title=w(f"run.waterfall_figure{rules}" if per_hundred else "run.waterfall_figure_euro", who=self.who),
                footer=self.footer,
                axis_label=w(f"run.waterfall_axis{rules}" if per_hundred else "waterfall.axis_euro"),
                number=w.axis,
            )

        return _Drawing(rows, draw)

    def _fan(self) -> _Drawing:
        w = self.w

        def draw(drawn: Frame) -> str:
            shown = drawn[drawn["result_cents"].notna()]

            def thousands(name: str) -> list[float]:
                return [float(v) / 1e5 for v in shown[name]]

            bands = []
            for kind, key in (("assumptions", "run.fan_assumptions"), ("seeds", "run.fan_seeds")):
                if f"low_{kind}_cents" in shown and (kind == "assumptions" or self.n > 1):
                    ends = thousands(f"low_{kind}_cents"), thousands(f"high_{kind}_cents")
                    bands.append((w(key, n=self.n), *ends))
            return plots.fan(
                "years",
                [int(y) for y in shown["year"]],
                (w("run.fan_mean" if self.n > 1 else "run.fan_one"), thousands("result_cents")),
                bands,
                title=w("run.fan_figure", who=self.who),
                footer=self.footer,
                value_label=w("run.per_year_axis"),
                number=w.axis,
            )

        return _Drawing(self.year_rows(), draw)

    def _stacked(self) -> _Drawing:
        w = self.w
        whole = self.full["decomposition"]
        own = whole[whole["insurer"].isin(self.judged)]
        own = own.assign(group=own["channel"].map(self.group_of))
        sums = self.sums("decomposition", ["year", "group"], ["cents"], own)["cents"]
        used = [g for g in GROUPS if any(abs(sums.get((y, g), 0.0)) > 0 for y in self.years)] or ["a1"]
        rows = [
            {"year": year, "group": group, "cents": _cents(sums.get((year, group), 0.0))}
            for year in self.years
            for group in used
        ]

        def draw(drawn: Frame) -> str:
            found = {
                (int(y), str(g)): float(c) / 1e5
                for y, g, c in zip(drawn["year"], drawn["group"], drawn["cents"], strict=True)
                if c is not None and c == c
            }
            years = [y for y in self.years if any((y, g) in found for g in used)]
            series = [(self.label("group", g), [found.get((y, g), 0.0) for y in years]) for g in used]
            total = [math.fsum(values[k] for _, values in series) for k in range(len(years))]
            return plots.stacked_years(
                "channels",
                years,
                series,
                (w("channels.figure_total"), total),
                title=w("run.stacked_figure", who=self.who),
                footer=self.footer,
                value_label=w("run.per_year_axis"),
                number=w.axis,
            )

        return _Drawing(rows, draw)

    def _party_bars(self) -> _Drawing:
        w = self.w

        def draw(drawn: Frame) -> str:
            shown = [
                (str(p), float(c) / 1e5)
                for p, c in zip(drawn["party"], drawn["change_cents"], strict=True)
                if c is not None and c == c
            ]
            return plots.signed_bars(
                "parties",
                [self.party_name(p) for p, _ in shown],
                [v for _, v in shown],
                [w.number(v, 0, sign=True) for _, v in shown],
                strong=[p == "society" or p.removeprefix("insurer:") in {*self.judged, "together"} for p, _ in shown],
                title=w("run.parties_figure"),
                footer=self.footer,
                axis_label=w("parties.axis"),
                number=w.axis,
            )

        return _Drawing(self.party_rows(), draw)

    def _adoption_bars(self) -> _Drawing:
        w = self.w
        rows = [
            {"adoption": row["adoption"], "what": what, "cents": row[key], "patients": row["patients"]}
            for what, key in (("insurers", "all_insurers_npv_cents"), ("society", "society_cents"))
            for row in self.s.adoption
        ]

        def draw(drawn: Frame) -> str:
            pairs = zip(drawn["cents"], drawn["patients"], strict=True)
            values = [float(c) / 100 / float(p) if p else 0.0 for c, p in pairs]
            labels = [
                w(f"who.figure_{what}", adoption=self.adoption_name(str(name)))
                for what, name in zip(drawn["what"], drawn["adoption"], strict=True)
            ]
            return plots.signed_bars(
                "adoption",
                labels,
                values,
                [w.number(v, 0, sign=True) for v in values],
                title=w("run.adoption_figure"),
                footer=self.footer,
                axis_label=w("run.adoption_axis_rules" if self.rules else "run.adoption_axis"),
                number=w.axis,
            )

        return _Drawing(rows, draw)

    def adoption_name(self, adoption: str) -> str:
        kind, _, names = adoption.partition(":")
        if kind in ("region", "national"):
            return self.w(f"run.adoption_{kind}")
        return self.w("run.adoption_named", names=self.w.list(names.split("+")))

    def spreads(self) -> list[str]:
        """Assumptions that were varied, those that move the result most first."""
        base = self.s.variants[0]["npv_cents"]
        spread: dict[str, int] = {}
        for row in self.s.variants[1:]:
            name = str(row["assumption"])
            spread[name] = max(spread.get(name, 0), abs(row["npv_cents"] - base))
        return sorted(spread, key=lambda name: (-spread[name], name))

    def _tornado(self) -> _Drawing:
        w = self.w
        order = self.spreads()[:_TORNADO_ROWS]
        rows = [
            {"assumption": row["assumption"], "key": row["key"], "value": plain_text(row["value"])}
            | {"npv_cents": row["npv_cents"]}
            for row in self.s.variants
        ]
        values = [row["value"] for row in self.s.variants]

        def draw(drawn: Frame) -> str:
            base = float(drawn["npv_cents"].iloc[0]) / 1e5
            ends: dict[str, list[tuple[float, str]]] = {name: [] for name in order}
            labels: dict[str, str] = {}
            for k, (name, key, npv) in enumerate(
                zip(drawn["assumption"], drawn["key"], drawn["npv_cents"], strict=True)
            ):
                if name in ends:
                    ends[name].append((float(npv) / 1e5, self.option(str(key), values[k])))
                    labels[name] = self.assumption({"key": name})
            return plots.tornado(
                "assumptions",
                [labels[name] for name in order],
                [ends[name] for name in order],
                base,
                title=w("run.tornado_figure", who=self.who),
                footer=self.footer,
                axis_label=w("sure.tornado_axis"),
                base_label=w("sure.tornado_base", base=w.number(base, 0, sign=True)),
                number=w.axis,
            )

        return _Drawing(rows, draw)

    def _programme_bars(self) -> _Drawing:
        w = self.w
        keys = ("programme", "in_order_cents", "alone_cents")
        rows = [{key: row[key] for key in keys} for row in self.programme_rows()]

        def draw(drawn: Frame) -> str:
            values = [float(v) / 1e5 for v in drawn["in_order_cents"]]
            return plots.signed_bars(
                "programmes",
                [self.short(str(name)) for name in drawn["programme"]],
                values,
                [w.number(v, 0, sign=True) for v in values],
                title=w("run.programmes_figure", who=self.who),
                footer=self.footer,
                axis_label=w("parties.axis"),
                number=w.axis,
            )

        return _Drawing(rows, draw)

    def _gap_bars(self) -> _Drawing:
        w = self.w
        keys = ("municipality", "ratio", "ratio_after")
        rows = [{key: row[key] for key in keys} for row in self.place_rows() if row["municipality"] != "elsewhere"]

        def draw(drawn: Frame) -> str:
            return plots.before_after(
                "health gap",
                [str(name) for name in drawn["municipality"]],
                [float(v) for v in drawn["ratio"]],
                [float(v) for v in drawn["ratio_after"]],
                legend=(w("run.gap_before"), w("run.gap_after")),
                title=w("run.gap_figure", last=self.last),
                footer=self.footer,
                axis_label=w("run.gap_axis"),
                number=lambda v: w.number(v, 2),
            )

        return _Drawing(rows, draw)

    def short(self, name: str) -> str:
        """The name of a programme without what follows it."""
        return self.programme(name).partition(":")[0].partition(",")[0]

    def heat_names(self, *, inside: bool = False) -> tuple[str, str]:
        """What stands down and across the heat map."""
        found = self.s.heat_map
        down, across = (
            self.assumption({"key": f"{found[side]['programme']}.{found[side]['key']}"}, inside=inside)
            for side in ("rows", "columns")
        )
        return down, across

    def _heat(self) -> _Drawing:
        w, found = self.w, self.s.heat_map
        down, across = found["rows"]["values"], found["columns"]["values"]
        rows = [dict(cell) for cell in found["cells"]]

        def draw(drawn: Frame) -> str:
            cells = {
                (float(a), float(b)): float(c) / 1e8
                for a, b, c in zip(drawn["row_value"], drawn["column_value"], drawn["npv_cents"], strict=True)
            }
            values = [[cells[a, b] for b in across] for a in down]
            base = tuple(
                axis.index(v) if v in axis else None for axis, v in zip((down, across), found["base"], strict=True)
            )
            names = self.heat_names()
            return plots.heat_map(
                "heat map",
                values,
                [self.option(found["columns"]["key"], b) for b in across],
                [self.option(found["rows"]["key"], a) for a in down],
                [[w.number(v, 2 if abs(v) < 9.995 else 1, sign=True) for v in line] for line in values],
                base=None if None in base else base,  # type: ignore[arg-type]  # two numbers
                title=w("run.heat_figure", who=self.who),
                footer=self.footer,
                column_label=names[1],
                row_label=names[0],
                legend=(w("map.gain"), w("map.loss"), w("map.base_key")),
            )

        return _Drawing(rows, draw)


def _place(name: str) -> str:
    """A region by its name in params/regions.toml; a municipality is its own name."""
    regions = load_regions()
    return regions[name].name if name in regions else name


def _digits(value: float | None) -> int:
    """Decimals that leave three figures."""
    size = abs(value or 0.0)
    return 0 if size >= 99.5 else 1 if size >= 9.95 else 2 if size >= 0.095 else 3


def _cents(value: Any) -> int | None:
    """Whole cents; None for what is not there."""
    return None if value is None or value != value else round(float(value))


def _value(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _drawn(value: float | None, unit: float) -> float | None:
    return None if value is None else round(value / unit, 4)


# --- the page ---------------------------------------------------------------------------------------------------------


class _Page:
    """The sections of the page, in order; a section without content is left out."""

    def __init__(self, content: _Content) -> None:
        self.c, self.w, self.f = content, content.w, content.figures
        self.v = {"who": content.who, "first": content.first, "last": content.last}

    def html(self) -> str:
        w, c = self.w, self.c
        sections = [
            ("map", self.map()),
            ("waterfall", self.waterfall()),
            ("years", self.years()),
            ("parties", self.parties()),
            ("programmes", self.programmes()),
            ("who", self.who()),
            ("insurers", self.insurers()),
            ("classes", self.classes()),
            ("care", self.care()),
            ("places", self.places()),
            ("contracts", self.contracts()),
            ("sure", self.sure()),
            ("backtests", self.backtests()),
            ("assumptions", self.assumptions()),
            ("sources", self.sources()),
        ]
        sections = [(key, [part for part in parts if part]) for key, parts in sections if any(parts)]
        names = w.list([c.programme(p.name) if len(c.s.programmes) < 3 else c.short(p.name) for p in c.s.programmes])
        body = [
            paragraph(w("run.head", first=c.first, last=c.last, adoption=c.s.scenario.adoption), "head"),
            f"<h1>{rich(c.title)}</h1>",
            paragraph(w("run.question", programmes=names, **self.v), "question"),
            *self.answer(),
        ]
        contents = [f'<li><a href="#{key}">{rich(w(f"run_section.{key}"))}</a></li>' for key, _ in sections]
        body.append(f'<nav aria-label="{w("page.contents")}"><ol>{"".join(contents)}</ol></nav>')
        for number, (key, parts) in enumerate(sections, 1):
            body += [
                f'<section id="{key}">',
                f"<h2>{number}. {rich(w(f'run_section.{key}'))}</h2>",
                *parts,
                "</section>",
            ]
        return page(c.title, body, w.lang)

    # -- the answer

    @property
    def verdict(self) -> str:
        c = self.c
        if not c.npv and not c.saving and all(row["zero"] for row in c.channels):
            return "null"
        if c.se is None:
            return "one" if not c.private else "gain" if c.npv > 0 else "loss"
        t = T95[c.n - 1] if c.n - 1 < len(T95) else 1.96
        return "unclear" if abs(c.npv) <= t * c.se else "gain" if c.npv > 0 else "loss"

    def answer(self) -> list[str]:
        w, c = self.w, self.c
        parts = []
        if any(c.checks.values()):
            checks = {k.removesuffix("_cents").removesuffix("_gap"): n for k, n in c.checks.items()}
            parts.append(paragraph(w("page.broken_checks", **checks), "alarm"))
        verdict = self.verdict
        kind = verdict if verdict in ("gain", "loss") else "unclear"
        amount = w.signed(c.npv) if verdict != "null" else ""
        box = [paragraph(w(f"run_answer.short_{verdict}"), "short")]
        box.append(
            paragraph(w("run_answer.amount", amount=amount, rate=w.percent(c.s.rate, 1), **self.v))
            if verdict != "null"
            else paragraph(w("run_answer.null", **self.v))
        )
        box.append(self._tiles())
        parts.append(f'<div class="answer {kind}">\n' + "\n".join(box) + "\n</div>")
        label = "run.private" if c.private else "run.synthetic"
        parts.append(paragraph(w(label, minimum=MINIMUM_PERSONS), "note"))
        if c.s.law.law.structure is not None:
            parts.append(paragraph(w("run.own_weights", model=c.s.law.name, status=c.s.law.weights_status), "note"))
        points = [self._saving(), self._main(), self._error(), self._range(), self._payback(), self._society()]
        parts.append(bullets(point for point in points if point))
        return parts

    def _tiles(self) -> str:
        w, c = self.w, self.c
        error = f" \u00b1 {w.number(c.se / 1e8, 2)}" if c.se is not None else ""
        tiles = [(w.number(c.npv / 1e8, 2, sign=True) + error, w("run_answer.tile_result", n=len(c.years)))]
        if c.patients and len(c.s.programmes) == 1:
            tiles.append((w.number(c.npv / 100 / c.patients, 0, sign=True), w("run_answer.tile_patient")))
        tiles.append((w.number(c.saving / 1e8, 2, sign=True), w("run_answer.tile_saving")))
        if c.saving > 0:
            tiles.append((w.number(c.npv / c.saving * 100), w("run_answer.tile_kept")))
        if (ends := c.answer["range_over_assumptions_cents"]) is not None:
            low, high = (w.number(v / 1e8, 2, sign=True) for v in ends)
            tiles.append((w("answer.to", low=low, high=high), w("run_answer.tile_range")))
        cells = "".join(f"<div><strong>{rich(n)}</strong> <span>{rich(t)}</span></div>" for n, t in tiles)
        return f'<div class="tiles">{cells}</div>'

    def _saving(self) -> str:
        w, c = self.w, self.c
        if not c.saving:
            return w("answer.saving_none")
        key = "run_answer.saving_up" if c.saving > 0 else "run_answer.saving_down"
        text = w(key, saving=w.amount(c.saving), **self.v)
        if c.saving < 0:
            return text
        share = c.npv / c.saving * 100
        more = "all" if share > 100 else "some" if share > 0.5 else "nothing"
        return f"{text} {w(f'run_answer.kept_{more}', kept=w.number(share), below=w.number(-share), **self.v)}"

    def _main(self) -> str:
        """The largest channels, up and down, that stand clear of their own error."""
        w, c = self.w, self.c
        clear = [row for row in c.channels if abs(row["cents"]) > 2 * (row["se_cents"] or 0) and abs(row["cents"]) > 99]
        texts = []
        for key, sign, most in (("main_up", 1, 2), ("main_down", -1, 3)):
            chosen = sorted((r for r in clear if r["cents"] * sign > 0), key=lambda r: -abs(r["cents"]))[:most]
            if chosen:
                items = [
                    w("answer.item", channel=lower(c.label("channel", r["channel"])), amount=w.signed(r["cents"]))
                    for r in chosen
                ]
                texts.append(w(f"answer.{key}", list=w.list(items)))
        return " ".join(texts)

    def _error(self) -> str:
        w, c = self.w, self.c
        if c.se is None:
            return "" if c.private else w("run_answer.error_one")
        values = [int(seed["npv_cents"]) for seed in c.s.seeds]
        texts = [w("answer.error", se=w.amount(c.se), n=c.n, low=w.signed(min(values)), high=w.signed(max(values)))]
        if self.verdict in ("unclear", "gain", "loss"):
            half = (T95[c.n - 1] if c.n - 1 < len(T95) else 1.96) * c.se
            key = "unclear" if self.verdict == "unclear" else "clear"
            texts.append(w(f"answer.error_{key}", low=w.signed(c.npv - half), high=w.signed(c.npv + half)))
        if c.n < 5:
            texts.append(w("answer.few_seeds"))
        return " ".join(texts)

    def _range(self) -> str:
        w, c = self.w, self.c
        if not c.s.variants:
            return ""
        low, high = c.answer["range_over_assumptions_cents"]
        texts = [w("answer.range" if not c.private else "run_answer.range_one", low=w.signed(low), high=w.signed(high))]
        base, rows = c.s.variants[0]["npv_cents"], c.s.variants[1:]
        flipped = [row for row in rows if row["npv_cents"] * base < 0]
        if base and not flipped:
            texts.append(w("answer.range_same_gain" if base > 0 else "answer.range_same_loss", n=len(rows)))
        elif flipped:
            items = [
                f"{c.assumption({'key': row['assumption']}, inside=True)} {c.option(row['key'], row['value'])}"
                for row in flipped[:8]
            ]
            if len(flipped) > 8:
                items.append(w("run_answer.more", n=len(flipped) - 8))
            texts.append(w("answer.range_to_loss" if base > 0 else "answer.range_to_gain", list=w.list(items)))
        return " ".join(texts)

    def _payback(self) -> str:
        w, c = self.w, self.c
        year, texts = c.answer["payback_year"], []
        if len(c.s.programmes) == 1 and "price" in c.s.programmes[0].values:
            price = c.answer["break_even_price_eur"]
            found = [s["break_even_price_eur"] for s in c.s.seeds if s["break_even_price_eur"] is not None]
            if price is not None:
                texts.append(w("run_answer.break_even", price=w.euros(price)))
            elif found:
                ends = {"low": w.euros(min(found)), "high": w.euros(max(found))}
                texts.append(w("run_answer.break_even_some", found=len(found), n=c.n, **ends))
            else:
                texts.append(w("run_answer.break_even_none"))
        texts.append(w("answer.payback", year=year) if year else w("answer.payback_none", last=c.last))
        return " ".join(texts)

    def _society(self) -> str:
        w, c = self.w, self.c
        society = c.s.adoption[0]["society_cents"]
        kind = "gain" if society > 0 else "loss" if society < 0 else "null"
        return w(f"answer.society_{kind}", amount=w.amount(society))

    # -- where it pays

    def map(self) -> list[str]:
        w, c = self.w, self.c
        parts = []
        if c.s.sign_map:
            m = c.map_of(c.s.sign_map)
            parts.append(paragraph(w("run.map_lead", mean=w.euros(m.mean, 0), **self.v)))
            parts += m.blocks(
                {share: self.f[f"sign_map_dkg_{round(share * 100):03d}"] for share in m.keys["dkg_share"]}
            )
            if c.n > 1:
                parts.append(paragraph(w("map.doubt", sd=w.amount(m.doubt)), "note"))
        if c.s.heat_map:
            down, across = c.heat_names(inside=True)
            parts.append(paragraph(w("run.heat_lead", down=down, across=across, **self.v)))
            parts.append(figure(self.f["heat_map"]))
        if parts and len(c.s.programmes) > 3:
            parts.append(paragraph(w("run.tornado_apart"), "note"))
        return parts

    def waterfall(self) -> list[str]:
        w, c = self.w, self.c
        zero = [lower(c.label("channel", row["channel"])) for row in c.channels if row["zero"]]
        note = w("waterfall.note", zero="; ".join(zero)) if zero else w("waterfall.note_none")
        rows = [
            [
                c.label("channel", row["channel"]) + f" ({row['channel'].split('_')[0]})",
                c.k(row["cents"]),
                c.k(row["se_cents"]),
                c.k(row["reverse_cents"]),
                c.k(row["reverse_cents"] - row["cents"]),
            ]
            for row in c.channels
        ]
        total = sum(row["cents"] for row in c.channels)
        reverse = sum(row["reverse_cents"] for row in c.channels)
        rows.append([w("run.result_of", who=c.who), c.k(total), c.k(c.se), c.k(reverse), c.k(reverse - total)])
        heads = [(w("channels.channel"), "text"), (w("channels.amount"), "num"), (w("channels.se"), "num")]
        heads += [(w("channels.reverse"), "num"), (w("channels.interaction"), "num")]
        what = [
            f"<dt>{rich(c.label('channel', name))}</dt><dd>{rich(c.label('channel_what', name))}</dd>"
            for name in CHANNELS
        ]
        powers = []
        for key, text in (("power", "channels.power"), ("marginal_power", "run.power_margin")):
            if c.answer[key] is not None:
                error = standard_error([float(s[key]) for s in c.s.seeds if s[key] is not None])
                se = w.percent(error) if error is not None else "\u2013"
                powers.append(paragraph(w(text, power=w.percent(c.answer[key]), se=se)))
        return [
            paragraph(w("waterfall.lead")),
            figure(self.f["waterfall"], note),
            table(w("channels.table", **self.v), heads, rows, strong=lambda k: k == len(rows) - 1),
            paragraph(w("channels.reverse_note"), "note"),
            *powers,
            heading(w("channels.glossary")),
            "<dl>" + "\n".join(what) + "</dl>",
        ]

    # -- over the years

    def years(self) -> list[str]:
        w, c = self.w, self.c
        made = c.year_rows()
        hidden = c._year_persons()
        rows = []
        for k, row in enumerate(made):
            few = hidden is not None and 0 < hidden[k] < MINIMUM_PERSONS
            cells = [row["result_cents"], row["se_cents"]]
            if c.n > 1:
                cells += [row["low_seeds_cents"], row["high_seeds_cents"]]
            if c.s.variants:
                cells += [row["low_assumptions_cents"], row["high_assumptions_cents"]]
            rows.append([str(row["year"]), *("\u2013" if few else c.k(cents) for cents in cells)])
        heads = [(w("run.year"), "text"), (w("run.result"), "num"), (w("channels.se"), "num")]
        if c.n > 1:
            heads += [(w("run.low_seeds"), "num"), (w("run.high_seeds"), "num")]
        if c.s.variants:
            heads += [(w("run.low_assumptions"), "num"), (w("run.high_assumptions"), "num")]
        lead = "run.years_lead" if c.s.variants else "run.years_lead_plain"
        return [
            paragraph(w(lead, **self.v)),
            figure(self.f["years"]),
            figure(self.f["channels"]),
            table(w("run.years_table", **self.v), heads, rows),
        ]

    # -- who

    def parties(self) -> list[str]:
        w, c = self.w, self.c
        flows = [
            [
                c.party_name(row["from"]),
                c.party_name(row["to"]),
                w.label("reason", row["reason"]),
                c.k(row["change_cents"]),
            ]
            for row in c.flows()[:_LARGEST_FLOWS]
        ]
        rows = [[self._party(row["party"]), c.k(row["change_cents"])] for row in c.party_rows()]
        heads = [(w("parties.from"), "text"), (w("parties.to"), "text"), (w("parties.reason"), "text")]
        return [
            paragraph(w("run.parties_lead")),
            figure(self.f["parties"]),
            table(
                w("run.parties_table"),
                [(w("run.party"), "text"), (w("parties.amount"), "num")],
                rows,
                strong=lambda k: k == len(rows) - 1,
            ),
            paragraph(w("run.parties_note"), "note"),
            table(w("run.flows_table"), [*heads, (w("parties.change"), "num")], flows) if flows else "",
        ]

    def _party(self, name: str) -> str:
        return self.w("party.society") if name == "society" else self.c.party_name(name)

    def programmes(self) -> list[str]:
        w, c = self.w, self.c
        rows = c.programme_rows()
        parts = []
        if rows:
            used = [g for g in GROUPS if any(row[f"{g}_cents"] for row in rows)]
            lines = [
                [
                    c.short(row["programme"]),
                    *(c.k(row[key]) for key in ("in_order_cents", "alone_cents")),
                    c.k(row["in_order_cents"] - row["alone_cents"]),
                    *(c.k(row[f"{g}_cents"]) for g in used),
                ]
                for row in rows
            ]
            sums = [sum(row[key] for row in rows) for key in ("in_order_cents", "alone_cents")]
            groups = [c.k(sum(row[f"{g}_cents"] for row in rows)) for g in used]
            lines.append([w("run.together"), *(c.k(v) for v in sums), c.k(sums[0] - sums[1]), *groups])
            heads = [(w("run.programme"), "text"), (w("run.in_order"), "num"), (w("run.alone"), "num")]
            heads += [(w("channels.interaction"), "num"), *((c.label("group", g), "num") for g in used)]
            parts = [
                paragraph(w("run.programmes_lead", **self.v)),
                figure(self.f["programmes"]),
                table(w("run.programmes_table", **self.v), heads, lines, strong=lambda k: k == len(lines) - 1),
                paragraph(w("run.programmes_note" if c.n == 1 or len(rows) <= 3 else "run.programmes_first"), "note"),
            ]
        if w.lang != "en":
            parts.append(paragraph(w("run.files_english"), "note"))
        for p in c.s.programmes:
            parts += self._line(p)
        return parts

    def _line(self, p: Programme) -> list[str]:
        """One programme line: what it does, its route into the classes, what a run of it alone gave, and evidence."""
        w, c = self.w, self.c
        head, found = p.file.programme, c.s.lines.get(p.name)
        parts = [heading(c.programme(p.name))]
        text = w(
            "run.line_when",
            region=_place(head.region),
            start=p.get("start_year"),
        )
        if "hand_over_year" in p.values:
            text += " " + w("run.line_hand_over", year=p.get("hand_over_year"), region=_place(head.hand_over_region))
        if "end_year" in p.values:
            text += " " + w("run.line_end", year=p.get("end_year"))
        if p.file.line:
            names = [w.label("specialty", line.specialty) for line in p.file.line]
            share, price = w.short(p.get("patients_share")), w.euros(p.get("price"), 0)
            text += " " + w("run.line_centre", share=share, price=price, specialties=w.list(names))
        parts.append(paragraph(text))
        if p.file.rule:
            rows = [
                [
                    rule.key.replace("_", " "),
                    w(f"act.{rule.act}"),
                    w.list([w.label("category", k) for k in dict.fromkeys(rule.claims.category)])
                    if rule.claims.category
                    else "",
                    w.short(p.get(f"share.{rule.key}")),
                    f"\u00d7 {w.number(p.get(f'factor.{rule.key}'), 3)}" if f"factor.{rule.key}" in p.values else "",
                    self._follows(p, rule),
                ]
                for rule in p.file.rule
            ]
            heads = [(w("run.rule"), "text"), (w("run.effect"), "text"), (w("run.category"), "text")]
            heads += [(w("run.share"), "num"), (w("run.price"), "num"), (w("run.follows"), "text")]
            parts.append(table(w("run.rules_table", name=c.short(p.name)), heads, rows, stack=True))
        touched = self._touched(p, found)
        routes = [w(f"route.{name}") for name in touched if w.has(f"route.{name}")]
        if routes:
            parts += [paragraph(w("run.route_lead")), bullets(routes)]
        if found is not None:
            parts += self._measured(p, found)
        if p.file.evidence:
            heads = [(w("run.known"), "long"), (w("run.figure"), "text"), (w("sure.source"), "long")]
            known = [[e.what, e.figure, e.source] for e in p.file.evidence]
            parts.append(table(w("run.evidence_table", name=c.short(p.name)), heads, known, stack=True))
        return parts

    def _follows(self, p: Programme, rule: Any) -> str:
        w = self.w
        return "; ".join(
            f"{w.label('category', made.category)} {w.euros(p.get(f'with.{rule.key}.{n}.price'), 0)}"
            for n, made in enumerate(rule.with_, 1)
        )

    @staticmethod
    def _touched(p: Programme, found: Mapping[str, Any] | None) -> list[str]:
        """Categories of care that a programme moves: of its run, else as its file says."""
        if found is not None:
            return list(dict.fromkeys(row["category"] for row in found["moves"]))
        named = [name for rule in p.file.rule for name in (*rule.claims.category, *(m.category for m in rule.with_))]
        return list(dict.fromkeys([*(["hospital", "one_and_a_half_line"] if p.file.line else []), *named]))

    def _measured(self, p: Programme, found: dict[str, Any]) -> list[str]:
        w, c, parts = self.w, self.c, []
        years = found["class_years"]
        if found["classes"]:
            rows = [
                [
                    w.label("criterion", row["criterion"]),
                    w.number(row["lost"], 1),
                    w.number(row["won"], 1),
                    c.k(row["eur"] * 100),
                ]
                for row in found["classes"]
            ]
            heads = [(w("run.criterion"), "text"), (w("run.lost"), "num"), (w("run.won"), "num")]
            span = str(years[0]) if len(years) == 1 else f"{years[0]}\u2013{years[-1]}"
            caption = w("run.line_classes", name=c.short(p.name), years=span)
            parts.append(table(caption, [*heads, (w("channels.euros"), "num")], rows))
        rows = []
        for row in verdicts(p, found):
            ours = c.count(row["ours"], _digits(row["ours"]))
            if row["error"] is not None:
                ours += f" \u00b1 {w.number(row['error'], _digits(row['ours']))}"
            low, high = (w.number(v, _digits(v)) for v in row["range"])
            name = self._outcome(row["name"])
            not_measured = row["sentence"] if row["ours"] is None else ""
            rows.append(
                [
                    name,
                    ours,
                    f"{w.number(row['published'], _digits(row['published']))} ({low} {w('run.to')} {high})",
                    w.label("verdict", row["verdict"]),
                    " ".join(t for t in (not_measured, row["explanation"], row["source"]) if t),
                ]
            )
        if rows:
            heads = [(w("sure.outcome"), "text"), (w("sure.ours"), "num"), (w("sure.published"), "num")]
            heads += [(w("sure.inside"), "text"), (w("sure.source"), "long")]
            parts.append(table(w("run.checks_table", name=c.short(p.name)), heads, rows, stack=True))
        return parts

    def _outcome(self, name: str) -> str:
        """What a check of a programme looks at (names: :mod:`anderhalf.programme_checks`), in words."""
        w = self.w
        if w.has(f"programme_check.{name}"):
            return w(f"programme_check.{name}")
        kind, *parts = name.split(":")
        year = f", {parts.pop()}" if parts and parts[-1].isdigit() else ""
        words = [
            next(
                (w(key) for key in (f"check_what.{p}", f"category.{p}", f"criterion.{p}") if w.has(key)),
                p.replace("+", ", ").replace("_", " "),
            )
            for p in parts
        ]
        return w(f"check_kind.{kind}", **dict(zip("abc", words, strict=False))) + year

    def who(self) -> list[str]:
        w, c = self.w, self.c

        def both(row: Mapping[str, Any], key: str) -> str:
            error = row.get(key.replace("_cents", "_se_cents"))
            return c.k(row[key]) + (f" \u00b1\u00a0{c.k(error)}" if error is not None else "")

        rows = [
            [
                c.adoption_name(row["adoption"]),
                w.number(row["patients"]),
                w.number(row["products_freed"]),
                *(both(row, key) for key in ("npv_cents", "all_insurers_npv_cents", "society_cents")),
            ]
            for row in c.s.adoption
        ]
        heads = [(w("parties.who"), "text"), (w("run.who_patients_rules" if c.rules else "who.patients"), "num")]
        heads.append((w("who.visits"), "num"))
        heads += [(w("run.result_of", who=c.who), "num"), (w("who.all"), "num"), (w("who.society"), "num")]
        parts = [
            paragraph(w("run.who_lead")),
            table(w("who.table"), heads, rows, stack=True),
            figure(self.f["adoption"]),
        ]
        if len(c.s.adoption) > 1 and not c.private:
            each = [
                [name, *(c.k(row["parties_cents"].get(f"insurer:{name}", 0)) for row in c.s.adoption)]
                for name in c.s.insurers
            ]
            each_heads = [(w("who.insurer"), "text")]
            each_heads += [(c.adoption_name(row["adoption"]), "num") for row in c.s.adoption]
            parts.append(table(w("who.each"), each_heads, each))
        return parts

    def insurers(self) -> list[str]:
        w, c = self.w, self.c
        made = c.by_insurer()
        used = [g for g in GROUPS if any(row[f"{g}_cents"] for row in made)]
        rows = [[row["insurer"], *(c.k(row[f"{g}_cents"]) for g in used), c.k(row["result_cents"])] for row in made]
        heads = [(w("who.insurer"), "text"), *((c.label("group", g), "num") for g in used), (w("run.result"), "num")]
        found = {(row["insurer"], row["year"]): row["result_cents"] for row in c.by_insurer_and_year()}
        by_year = [[name, *(c.k(found[name, year]) for year in c.years)] for name in c.s.insurers]
        strong = [name in c.judged and len(c.judged) < len(c.s.insurers) for name in c.s.insurers]
        return [
            paragraph(w("run.insurers_lead")),
            table(w("run.insurers_table"), heads, rows, strong=strong.__getitem__),
            table(
                w("run.insurers_year_table"),
                [(w("who.insurer"), "text"), *((str(year), "num") for year in c.years)],
                by_year,
                strong=strong.__getitem__,
            ),
        ]

    # -- through what

    def classes(self) -> list[str]:
        w, c = self.w, self.c
        found = c.classes()
        if not found:
            return [paragraph(w("channels.classes_none"))]
        criteria = c.criterion_rows()
        by_criterion = [
            [
                w.label("criterion", row["criterion"]),
                *(c.k(row[key]) for key in ("loss_cents", "gain_cents")),
                c.k(None if None in (row["loss_cents"], row["gain_cents"]) else row["loss_cents"] + row["gain_cents"]),
            ]
            for row in criteria
        ]
        criterion_heads = [(w("run.criterion"), "text"), (w("run.loss"), "num"), (w("run.gain"), "num")]
        criterion_heads.append((w("run.sum"), "num"))
        labels = {
            (k.name, row.code): row.label
            for share in (c.s.law.variable, c.s.law.ggz, c.s.law.nursing)
            for k in share.criteria
            for row in k.classes
        }
        rows: list[list[str]] = []
        strong: set[int] = set()
        for criterion in dict.fromkeys(row["criterion"] for row in found):
            part = [row for row in found if row["criterion"] == criterion]
            euros = [row["euro_change_eur"] for row in part]
            total = None if None in euros else math.fsum(euros)
            strong.add(len(rows))
            rows.append([w.label("criterion", criterion), "", "", c.k(None if total is None else total * 100)])
            for row in part:
                label, code = labels.get((criterion, row["code"]), ""), str(row["code"])
                name = f"{w.label('criterion', criterion)} {code}"
                rows.append(
                    [
                        f"{name}: {label}" if label and label != code else name,
                        c.count(row["years_lost"]),
                        c.count(row["years_won"]),
                        c.k(None if row["euro_change_eur"] is None else row["euro_change_eur"] * 100),
                    ]
                )
        heads = [(w("channels.class"), "text")]
        heads += [(w(f"channels.{k}"), "num") for k in ("lost", "gained", "euros")]
        return [
            table(w("run.criteria_table", **self.v), criterion_heads, by_criterion),
            paragraph(w("run.criteria_note"), "note"),
            table(w("run.classes_table", **self.v), heads, rows, strong=strong.__contains__),
            paragraph(w("channels.classes_note"), "note"),
        ]

    def care(self) -> list[str]:
        w, c = self.w, self.c
        found = c.specialties()
        if not found:
            return [paragraph(w("run.care_none"))]
        several = len(c.s.programmes) > 1

        def lead(row: Mapping[str, Any]) -> list[str]:
            return [c.programme(row["programme"])] if several else []

        heads = [(w("run.programme"), "text")] if several else []

        def summed(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
            values = [row[key] for row in rows]
            return None if None in values else float(sum(values))

        kinds: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        products: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in found:
            first = (row["programme"],) if several else ()
            kinds.setdefault((*first, row["category"], row["effect"]), []).append(row)
            if row["product"] and row["specialty"]:  # other care stands in the table before
                products.setdefault((*first, row["specialty"], row["product"]), []).append(row)
        by_kind = [
            [
                *lead(rows[0]),
                w.label("category", rows[0]["category"]),
                w.label("effect", rows[0]["effect"]),
                c.count(summed(rows, "claims")),
                c.k(summed(rows, "settled_cents")),
                c.k(summed(rows, "claimed_cents")),
            ]
            for _, rows in sorted(kinds.items())
        ]
        kind_heads = [*heads, (w("run.category"), "text"), (w("run.effect"), "text"), (w("run.claims"), "num")]
        kind_heads += [(w("run.settled"), "num"), (w("run.claimed"), "num")]
        by_product = []
        for _, rows in sorted(products.items()):
            gone = [row for row in rows if row["effect"] == "avoided"]
            avoided, hospital = summed(gone, "claims"), summed(gone, "settled_cents")
            other = summed([row for row in rows if row["effect"] != "avoided"], "settled_cents")
            # What a rule puts in its place need not be of that specialty: only a centre saves per product.
            net = None
            if hospital is not None and other is not None and avoided and all(r["rule"] == "centre" for r in rows):
                net = -(hospital + other) / 100 / avoided
            by_product.append(
                [
                    *lead(rows[0]),
                    w.label("specialty", rows[0]["specialty"], default=f"AGB {rows[0]['specialty']}"),
                    w.label("product", rows[0]["product"]),
                    c.count(avoided),
                    *(
                        c.count(summed([row for row in rows if row["effect"] == effect], "claims"))
                        for effect in ("added", "referred_on")
                    ),
                    c.k(None if hospital is None else -hospital),
                    c.k(other),
                    c.count(net),
                ]
            )
        product_heads = [*heads, (w("channels.specialty"), "text"), (w("channels.product"), "text")]
        names = ("avoided", "added", "referred", "hospital", "replacing", "net")
        product_heads += [(w(f"channels.{k}" if k != "replacing" else "run.replacing"), "num") for k in names]
        return [
            table(w("run.care_table", **self.v), kind_heads, by_kind),
            paragraph(w("run.care_note"), "note"),
            *([table(w("run.product_table", **self.v), product_heads, by_product)] if by_product else []),
            *([paragraph(w("channels.specialty_note"), "note")] if by_product else []),
        ]

    def places(self) -> list[str]:
        w, c = self.w, self.c
        if c.private:
            return []
        rows = [
            [
                w("run.elsewhere") if row["municipality"] == "elsewhere" else row["municipality"],
                w.number(row["insured_years"]),
                *(c.count(row[key]) for key in ("cost_eur", "expected_eur")),
                *(c.count(row[key], 3) for key in ("ratio", "ratio_after")),
                *(c.count(row[key], 1) for key in ("cost_change_eur", "morbidity_eur", "morbidity_change_eur")),
            ]
            for row in c.place_rows()
        ]
        heads = [(w("run.municipality"), "text")]
        names = (
            "insured_years",
            "cost",
            "expected",
            "ratio",
            "ratio_after",
            "cost_change",
            "morbidity",
            "morbidity_change",
        )
        heads += [(w(f"run.gap_{name}"), "num") for name in names]
        parts = [
            paragraph(w("run.places_lead")),
            figure(self.f["health_gap"]),
            table(w("run.gap_table", last=c.last), heads, rows),
        ]
        visits = c.visit_rows()
        if visits:
            found = {(row["region"], row["year"]): row for row in visits}
            regions = list(dict.fromkeys(row["region"] for row in visits))
            freed = [
                [
                    w("run.country") if region == "national" else _place(region),
                    *(c.count(found.get((region, y), {}).get("visits_freed")) for y in c.years),
                    " \u2013 ".join(
                        c.count(sum(found[region, y][end] for y in c.years if (region, y) in found))
                        for end in ("visits_low", "visits_high")
                    ),
                ]
                for region in regions
            ]
            visit_heads = [(w("run.area"), "text"), *((str(y), "num") for y in c.years), (w("run.visits_range"), "num")]
            parts += [table(w("run.visits_table"), visit_heads, freed), paragraph(w("run.visits_note"), "note")]
        return parts

    def contracts(self) -> list[str]:
        w, c = self.w, self.c
        rows = [
            [
                row["hospital"],
                w("run.all_insurers") if row["insurer"] == "all" else row["insurer"],
                w(f"contract_kind.{row['kind']}"),
                f"{row['from_year']}\u2013{row['to_year']}",
                *(
                    "" if row[key] is None else w.short(row[key])
                    for key in ("pass_through", "over_ceiling", "rebase_share")
                ),
                "" if row["rebase_years"] is None else str(row["rebase_years"]),
            ]
            for row in c.contract_rows()
        ]
        shares = [f"{c.short(p.name)} {w.short(p.get('pass_through'))}" for p in c.s.programmes]
        text = paragraph(w("run.contracts_else", list=w.list(shares)))
        if not rows:
            return [paragraph(w("run.contracts_none")), text]
        heads = [
            (w("run.hospital"), "text"),
            (w("who.insurer"), "text"),
            (w("run.kind"), "text"),
            (w("run.years"), "num"),
        ]
        heads += [(w(f"run.{key}"), "num") for key in ("pass_through", "over_ceiling", "rebase_share", "rebase_years")]
        return [paragraph(w("run.contracts_lead")), table(w("run.contracts_table"), heads, rows, stack=True), text]

    # -- how sure

    def sure(self) -> list[str]:
        w, c = self.w, self.c
        checks = {k.removesuffix("_cents").removesuffix("_gap"): w.number(n) for k, n in c.checks.items()}
        others = [k for k in checks if k not in ("ledger", "decomposition", "payment")]
        parts = [] if c.private else [self._seeds()]
        if c.s.variants:
            parts += [
                figure(self.f["assumptions"]),
                paragraph(
                    w("run.tornado_note") + ("" if len(c.s.programmes) <= 3 else " " + w("run.tornado_apart")), "note"
                ),
                self._sensitivity(),
            ]
        parts.append(paragraph(w("run.checks_private" if c.private else "sure.checks", **checks)))
        items = [w(f"run.check_{name}", n=checks[name]) for name in others]
        parts.append(paragraph(w("run.checks_more", list=w.list(items))))
        return parts

    def _seeds(self) -> str:
        w, c = self.w, self.c
        rows = []
        for seed in c.s.seeds:
            rows.append(
                [
                    str(seed["seed"]),
                    *(c.k(seed[key]) for key in ("npv_cents", "undiscounted_cents", "saving_cents")),
                    w.number(seed["patients"]),
                    w.number(seed["patients_rows"]),
                    w.number(seed["products_freed"]),
                ]
            )
        if c.n > 1:
            keys = ("npv_cents", "undiscounted_cents", "saving_cents")
            means = [c.k(c.s.mean(key)) for key in keys]
            rows.append([w("sure.mean"), *means, w.number(c.patients), "", w.number(c.s.mean("products_freed"))])
            rows.append([w("sure.se"), *(c.k(c.s.error(key)) for key in keys), "", "", ""])
        heads = [(w("sure.seed"), "text")]
        heads += [(w(f"sure.{k}"), "num") for k in ("npv", "undiscounted", "saving", "patients", "rows")]
        heads.append((w("who.visits"), "num"))
        return table(w("run.seeds_table", **self.v), heads, rows, strong=lambda k: k >= c.n)

    def _sensitivity(self) -> str:
        w, c = self.w, self.c
        base = c.s.variants[0]["npv_cents"]
        rows = [[w("sure.as_assumed"), "", c.k(base), ""]]
        rows += [
            [
                c.assumption({"key": row["assumption"]}),
                c.option(row["key"], row["value"]),
                c.k(row["npv_cents"]),
                c.k(row["npv_cents"] - base, sign=True),
            ]
            for row in c.s.variants[1:]
        ]
        heads = [(w("sure.assumption"), "text"), (w("sure.value"), "text")]
        heads += [(w("sure.result"), "num"), (w("sure.difference"), "num")]
        return table(w("sure.sensitivity_table"), heads, rows, strong=lambda k: k == 0)

    def backtests(self) -> list[str]:
        found = self.c.s.backtests
        return backtest_report.section(found, self.w.lang, small=True) if found else []

    # -- evidence

    def assumptions(self) -> list[str]:
        w, c = self.w, self.c
        rows = []
        for row in c.s.assumptions:
            ends = row["range"]
            rows.append(
                [
                    c.assumption(row),
                    self._value(row["value"]),
                    f"{self._value(ends[0])}\u2013{self._value(ends[1])}" if ends else "",
                    w.label("tag", row["tag"]),
                    w.data("assumption_source", row["key"], row["source"]),
                    row["key"],
                ]
            )
        tags = [row["tag"] for row in c.s.assumptions]
        heads = [(w("assumptions.what"), "text"), (w("assumptions.value"), "text"), (w("assumptions.range"), "num")]
        heads += [(w("assumptions.tag"), "text"), (w("assumptions.source"), "long"), (w("assumptions.key"), "hash")]
        count = {
            "assumed": tags.count("assumption"),
            "derived": tags.count("derived"),
            "sourced": tags.count("sourced"),
        }
        lead = w("run.assumptions_lead", n=len(tags), **count)
        return [paragraph(lead), table(w("assumptions.table"), heads, rows, stack=True)]

    def _value(self, value: Any) -> str:
        w = self.w
        if isinstance(value, list | tuple):
            return "; ".join(self._value(v) for v in value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return next((w(k) for k in (f"title.{value}", f"option.{value}") if w.has(k)), str(value))
        if isinstance(value, int) and 1900 < value < 2200:
            return str(value)
        decimals = 0 if value == int(value) else min(len(f"{value:.6g}".partition(".")[2]), 4)
        return w.number(value, decimals)

    def sources(self) -> list[str]:
        w, c, s = self.w, self.c, self.c.s
        represents = s.population["represents"]
        rows = [
            [w("sources.version"), export.version()],
            [w("sources.model"), s.law.name],
            [w("run.weights"), w.label("weights_status", s.law.weights_status)],
            [w("sources.parameters"), str(s.law.parameters_sha256 or "\u2013")],
            *([[w("run.scenario"), f"{s.scenario.title}; {s.scenario.sha256}"]] if s.scenario.sha256 else []),
            *([w("sources.programme"), f"{p.name}, {p.region}; {p.sha256}"] for p in s.programmes),
            [w("sources.records"), f"{w.number(s.population['records'])}; {w.number(s.population['claims'])}"],
        ]
        if not c.private:
            rows.append([w("sources.seeds"), ", ".join(str(seed["seed"]) for seed in s.seeds)])
        if represents is not None:
            values = {key: w.number(represents[key]) for key in ("region", "rest")}
            rows.append([w("sources.represents"), w("sources.represents_text", **values)])
        rows.append([w("run.data"), str(s.data_sha256 or w("sources.none"))])
        if s.data_options:
            rows.append([w("run.data_options"), ", ".join(s.data_options)])
        glossary = [
            f"<dt>{rich(key.partition('.')[2])}</dt><dd>{rich(text)}</dd>" for key, text in w.section("glossary")
        ]
        return [
            table(w("sources.provenance"), [("", "text"), ("", "hash")], rows),
            paragraph(w("sources.files"), "note"),
            heading(w("sources.glossary")),
            "<dl>" + "\n".join(glossary) + "</dl>",
        ]


__all__ = ["check_written", "summary", "write_simulation", "write_study"]
