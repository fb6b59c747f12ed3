"""The report of a reproduction: a page for people, tables, figures and results.json in one directory.

The words stand in ``texts_<lang>.toml``; sentences are chosen by the sign and the error of the
numbers, never by hand. The three checks are recomputed from the text of the tables as they are written.
"""

from __future__ import annotations

import html
import io
import math
import tomllib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from anderhalf import backtest_report, export, plots
from anderhalf._paths import data_directory
from anderhalf.errors import DomainError, Problem, ShapeError
from anderhalf.pages import LANGUAGES, T95, Words, page
from anderhalf.pages import bullets as _ul
from anderhalf.pages import figure as _figure
from anderhalf.pages import frame as _frame
from anderhalf.pages import heading as _h3
from anderhalf.pages import lower as _lower
from anderhalf.pages import paragraph as _p
from anderhalf.pages import plain_text as _plain_text
from anderhalf.pages import rich as _rich
from anderhalf.pages import table as _table
from anderhalf.reproduction import recompute
from anderhalf.sign_map import SignMap, three

CHECKED = ("decomposition", "statements", "ledger", "national")
# Channels that one colour stands for in the figure per year.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "a1": ("a1_hospital_avoided",),
    "a2": ("a2_replacement", "a3_downstream"),
    "b": ("b_own_payments",),
    "c": ("c1_classes", "c2_thresholds"),
    "d": ("d_expected_own_payments",),
    "e": ("e1_neutrality", "e2_scaling"),
    "f": ("f_weights", "g_macro"),
    "h": ("h_settlement", "i_transfers"),
    "j": ("j_premium",),
}
_CLAIMS = ("a1_hospital_avoided", "a2_replacement", "a3_downstream", "i_transfers")
_CONTRIBUTION = (
    "c1_classes",
    "c2_thresholds",
    "d_expected_own_payments",
    "e1_neutrality",
    "e2_scaling",
    "f_weights",
    "g_macro",
    "h_settlement",
)
_LARGEST_CLASSES = 30
_LARGEST_FLOWS = 12


def write_reproduction(results: Mapping[str, Any], out: str | PathLike[str], lang: str = "en") -> Path:
    """Write what ``reproduction.reproduce`` returned into ``out``, whole or not at all.

    Parameters
    ----------
    results : dict
        With ``tables``, the frames that everything is recomputed from.
    out : path
        The directory that receives ``report.html``, ``results.json``, ``tables/*.csv`` and ``figures/*.svg``.
    lang : "en" or "nl"
        The language of the page and of the figures; column names and keys stay English.

    Returns
    -------
    Path
        The directory. Same results, same bytes.

    Raises
    ------
    NotFoundError, ParameterError
        A language that is not there; a text that a language lacks.
    """
    words = Words.load(lang)
    content = _Content(results, words)
    bundle = export.Bundle(
        origin="synthetic",
        model=content.settings["model"],
        parameters_sha256=results.get("parameters_sha256"),
        data_sha256=None,
        seed=content.settings["seed"],
    )
    written = {}
    for name, frame in results["tables"].items():
        bundle.table(name, frame, origin="synthetic")
        written[name] = export.csv_text(frame.reset_index(drop=True).assign(origin="synthetic"))
    for name, (frame, origin) in content.derived().items():
        bundle.table(name, frame, origin=origin)  # type: ignore[arg-type]  # refused there when unknown
    content.checks = recomputed(written)
    figures = content.figures()
    for name, svg in figures.items():
        bundle.figure(name, svg)
    skipped = ("tables", "checks", "parameters_sha256")
    bundle.results(
        {
            "answer": results["answer"],
            "channels": results["channels"],
            "touched": results["touched"],
            "checks": content.checks,
            **{k: v for k, v in results.items() if k not in (*skipped, "answer", "channels", "touched")},
        }
    )
    bundle.report(_Page(content, words, figures).html())
    return bundle.write(out)


def check_written(out: str | PathLike[str]) -> dict[str, int]:
    """The three checks, recomputed from the tables in the directory ``out``; all are 0 when the books close.

    Raises
    ------
    ShapeError, DomainError
        A table that is not there or cannot be read as one of ours.
    """
    folder = Path(out) / "tables"
    missing = [name for name in CHECKED if not (folder / f"{name}.csv").is_file()]
    if missing:
        raise ShapeError([Problem("check_written", f"no tables/{name}.csv", "the table", str(out)) for name in missing])
    return recomputed({name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in CHECKED})


def picture(results: Mapping[str, Any], lang: str = "en") -> str:
    """One drawing of the result: the sign map, as SVG."""
    words = Words.load(lang)
    return plots.compact(_Content(results, words).sign_map_wide())


def recomputed(texts: Mapping[str, str]) -> dict[str, int]:
    tables = {}
    exact = {"normative": str, "scaled_normative": str, "insurer": str}  # beyond 64 bits; names may be digits
    problems = []
    for name in CHECKED:
        frame = pd.read_csv(io.StringIO(texts[name]), dtype=exact, keep_default_na=False)
        for column in frame.columns:
            money = column.startswith("cents") or column.endswith("_cents") or name == "statements"
            if (
                money
                and column not in ("arm", "insurer", "origin")
                and not pd.api.types.is_integer_dtype(frame[column])
            ):
                problems.append(Problem(f"tables/{name}.csv, column {column}", "not whole cents", "integers"))
        tables[name] = frame
    if problems:
        raise DomainError(problems)
    return {key: int(value) for key, value in recompute(tables).items()}


# --- what the numbers say ---------------------------------------------------------------------------------------------


class _Content:
    """The results, summed up once for the page, the figures and the tables."""

    def __init__(self, results: Mapping[str, Any], words: Words) -> None:
        self.r, self.w = results, words
        self.answer: Mapping[str, Any] = results["answer"]
        self.settings: Mapping[str, Any] = results["settings"]
        self.insurer = str(self.answer["insurer"])
        self.first = int(self.answer["start"])
        self.years = [self.first + k for k in range(int(self.answer["horizon"]))]
        self.last = self.years[-1]
        self.rate = float(self.answer["discount_rate"])
        self.per_seed: Sequence[Mapping[str, Any]] = results["seeds"]
        self.n = len(self.per_seed)
        self.npv, self.saving = int(self.answer["npv_cents"]), int(self.answer["saving_cents"])
        self.se = int(self.answer["monte_carlo_se_cents"])
        self.half = T95[self.n - 1] * self.se if self.n - 1 < len(T95) else 1.96 * self.se
        if self.n == 1:
            self.half = math.inf
        self.patients = float(results["touched"]["patients"] or 0.0)
        self.by_adoption = {row["adoption"].split(":")[0]: row for row in results["adoption"]}
        self.checks: Mapping[str, int] = results["checks"]
        self.backtests = tomllib.loads((data_directory("params") / "evidence" / "backtests.toml").read_text("utf-8"))
        self.sources = tomllib.loads((data_directory("params") / "evidence" / "sources.toml").read_text("utf-8"))
        self.channels = self._channels()
        self.sd_one = self.se * math.sqrt(self.n)  # of one simulated population
        self.programme = words.label("programme", str(self.settings["programme"]))
        self.place = words.label("programme", f"{self.settings['programme']}_place")

    # -- names

    def value(self, key: str) -> Any:
        """A value of the programme or of the rules, from the list of assumptions; None when it is not there."""
        for row in self.r["assumptions"]:
            if row["key"].split(".", 1)[-1] == key:
                return row["value"]
        return None

    def adoption_name(self, kind: str, *, short: bool = False) -> str:
        return self.w(f"adoption.{kind}_short" if short else f"adoption.{kind}", insurer=self.insurer)

    def party(self, name: str) -> str:
        if name == f"insurer:{self.insurer}":
            name = "own"
        elif name.startswith("insurer:"):
            name = "others"
        return self.w.label("party", name, insurer=self.insurer)

    @property
    def footer(self) -> str:
        first, last = self.per_seed[0]["seed"], self.per_seed[-1]["seed"]
        key, seeds = ("page.figure_of", f"{first}\u2013{last}") if self.n > 1 else ("page.figure_of_one", str(first))
        return self.w(key, model=self.settings["model"], seeds=seeds, seed=seeds)

    # -- sums

    def discount(self, year: int) -> float:
        return float((1 + self.rate) ** (self.first - year))

    def _channels(self) -> list[dict[str, Any]]:
        """Per channel, the discounted change of the insurer's result: mean, error over seeds, reverse order."""
        frame: pd.DataFrame = self.r["tables"]["decomposition"]
        own = frame[frame["insurer"] == self.insurer]
        factor = own["year"].map(self.discount)
        own = own.assign(forward=own["cents"] * factor, backward=own["cents_reverse"] * factor)
        sums = own.groupby(["channel", "seed"], sort=False)[["forward", "backward"]].sum()
        rows = []
        for channel in dict.fromkeys(own["channel"]):
            part = sums.loc[channel]
            forward, backward = [float(v) for v in part["forward"]], [float(v) for v in part["backward"]]
            rows.append(
                {
                    "channel": str(channel),
                    "cents": fmean(forward),
                    "se_cents": stdev(forward) / math.sqrt(len(forward)) if len(forward) > 1 else 0.0,
                    "reverse_cents": fmean(backward),
                    "zero": not any(forward),
                }
            )
        return rows

    def channel(self, *names: str) -> float:
        return float(sum(row["cents"] for row in self.channels if row["channel"] in names))

    @property
    def verdict(self) -> str:
        if not self.npv and not self.saving and all(row["zero"] for row in self.channels):
            return "null"
        if abs(self.npv) <= self.half:
            return "unclear"
        return "gain" if self.npv > 0 else "loss"

    def others(self, kind: str) -> int:
        row = self.by_adoption[kind]
        return int(row["all_insurers_npv_cents"]) - int(row["npv_cents"])

    def others_se(self, kind: str) -> float:
        """Monte-Carlo error of the other insurers' result."""
        found = [seed["adoption"] for seed in self.per_seed]
        rows = [next(row for name, row in a.items() if name.split(":")[0] == kind) for a in found]
        values = [float(row["all_insurers_npv_cents"] - row["npv_cents"]) for row in rows]
        return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0

    @property
    def contribution(self) -> float:
        return self.channel(*_CONTRIBUTION)

    def steps(self) -> tuple[list[dict[str, Any]], float]:
        """Channels that are not zero everywhere, and the cents of one unit: per EUR 100 avoided, or EUR 1,000."""
        shown = [row for row in self.channels if not row["zero"]]
        avoided = self.channel("a1_hospital_avoided")
        return shown, avoided / 100 if avoided > 0 else 1e5

    def per_year(self) -> dict[str, list[float]]:
        """Per group of channels and year, EUR 1,000, mean over seeds."""
        found: dict[str, list[float]] = {group: [0.0] * len(self.years) for group in GROUPS}
        of = {channel: group for group, names in GROUPS.items() for channel in names}
        for row in self.r["channels"]:
            if row["insurer"] == self.insurer and row["channel"] in of:
                found[of[row["channel"]]][int(row["year"]) - self.first] += row["cents"] / 1e5
        return found

    def sign_map(self, result: str = "npv_cents") -> SignMap:
        """The cells of the map; ``npv_before_programme_cost_cents`` leaves running cost and investment out."""
        keys = {"price": "price", "added_demand": "added_demand", "title": "payment_title", "dkg_share": "dkg_share"}
        base = {name: self.value(key) for name, key in keys.items()}
        return SignMap(self.r["sign_map"], self.w, doubt=2 * self.sd_one, base=base, result=result)

    def flipped(self) -> list[Mapping[str, Any]]:
        """Changes of one assumption that turn the sign of the first seed's result."""
        rows = self.r["sensitivity"]
        base = rows[0]["npv_cents"]
        return [row for row in rows[1:] if (row["npv_cents"] > 0) != (base > 0) and row["npv_cents"] and base]

    def option(self, assumption: str, value: str) -> str:
        """A value of the sensitivity table in words."""
        w = self.w
        for key in (f"option.{assumption}.{value}", f"title.{value}", f"option.{value}"):
            if w.has(key):
                return w(key)
        try:
            number = float(value)
        except ValueError:
            return value
        if assumption.endswith("factor"):
            return f"\u00d7 {w.number(number, 1)}"
        if assumption in ("price", "running_cost_eur", "investment_eur"):
            return w.euros(number, 0)
        if 0 <= number <= 1 and assumption not in ("lag",):
            return w.short(number)
        return w.number(number, 0 if number == int(number) else 2)

    def weights(self) -> list[dict[str, Any]]:
        """Classes with their share of insured and whether the estimate lies within 15% or EUR 50."""
        rows = self.r["weights"]
        total = sum(row["insured_years"] for row in rows if row["criterion"] == "age_sex") or 1.0
        found = []
        for row in rows:
            within = None
            if row["estimated_eur"] is not None:
                gap = abs(row["estimated_eur"] - row["official_eur"])
                within = gap <= max(0.15 * abs(row["official_eur"]), 50.0)
            found.append({**row, "share": row["insured_years"] / total, "within": within})
        return found

    def flows(self) -> list[tuple[str, str, str, float]]:
        """Changes of yearly flows between parties, discounted, mean over seeds; other insurers taken together."""
        ledger: pd.DataFrame = self.r["tables"]["ledger"]
        signed = ledger["cents"].where(ledger["arm"] == "scenario", -ledger["cents"]) * ledger["year"].map(
            self.discount
        )
        frame = pd.DataFrame(
            {
                "from": ledger["from"].map(self._party_key),
                "to": ledger["to"].map(self._party_key),
                "reason": ledger["reason"],
                "cents": signed,
            }
        )
        sums = frame.groupby(["from", "to", "reason"], sort=True)["cents"].sum().reset_index()
        columns = (sums["from"], sums["to"], sums["reason"], sums["cents"] / self.n)
        rows = [(str(a), str(b), str(reason), float(cents)) for a, b, reason, cents in zip(*columns, strict=True)]
        return sorted((row for row in rows if abs(row[3]) >= 50), key=lambda row: (-abs(row[3]), row[:3]))

    def _party_key(self, name: str) -> str:
        if not name.startswith("insurer:"):
            return name
        return "own" if name == f"insurer:{self.insurer}" else "others"

    def specialties(self) -> list[dict[str, Any]]:
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for move in self.r["movements"]:
            key = (move["specialty"], move["product"])
            row = rows.setdefault(
                key,
                {"specialty": key[0], "product": key[1], "avoided": 0, "added": 0, "referred_on": 0}
                | {"hospital_cents": 0, "replacing_cents": 0},
            )
            if move["effect"] in ("avoided", "added", "referred_on"):
                row[move["effect"]] += move["claims"]
            if move["effect"] == "avoided":
                row["hospital_cents"] -= move["settled_cents"]
            else:
                row["replacing_cents"] += move["settled_cents"]
        found = [rows[key] for key in sorted(rows)]
        for row in found:
            net = row["hospital_cents"] - row["replacing_cents"]
            row["net_eur"] = net / 100 / row["avoided"] if row["avoided"] else None
        return found

    def targets(self) -> tuple[int, int]:
        """Published targets of the population with a tolerance: how many are met, how many there are."""
        rows = [row for row in self.r["validation"] if row["target"] is not None and row["tolerance"] is not None]
        return sum(abs(row["value"] - row["target"]) <= row["tolerance"] for row in rows), len(rows)

    # -- tables

    def derived(self) -> dict[str, tuple[pd.DataFrame, str]]:
        """Tables made from the results, by name, with their origin."""
        r = self.r
        seeds = [{k: v for k, v in seed.items() if not isinstance(v, Mapping | list)} for seed in self.per_seed]
        adoption = [{k: v for k, v in row.items() if not isinstance(v, Mapping)} for row in r["adoption"]]
        parties = [
            {"adoption": row["adoption"], "party": party, "cents": cents}
            for row in r["adoption"]
            for party, cents in row["parties_cents"].items()
        ]
        thresholds = [
            {"cost_year": int(year), "top_share": top / 10_000, "threshold_cents": cents}
            for year, lines in r["thresholds"]["cents"].items()
            for top, cents in zip(r["thresholds"]["top_per_myriad"], lines, strict=True)
        ]
        assumptions = [
            {
                "key": row["key"],
                "value": _plain_text(row["value"]),
                "unit": row["unit"],
                "low": row["range"][0] if row["range"] else None,
                "high": row["range"][1] if row["range"] else None,
                "tag": row["tag"],
                "source": row["source"],
            }
            for row in r["assumptions"]
        ]
        summary = [
            {
                "channel": row["channel"],
                "cents": round(row["cents"]),
                "se_cents": round(row["se_cents"]),
                "reverse_cents": round(row["reverse_cents"]),
                "interaction_cents": round(row["reverse_cents"]) - round(row["cents"]),
            }
            for row in self.channels
        ]
        flows = [
            dict(zip(("from", "to", "reason"), row[:3], strict=True)) | {"cents": round(row[3])} for row in self.flows()
        ]
        synthetic = {
            "channels": r["channels"],
            "channel_summary": summary,
            "seeds": seeds,
            "adoption": adoption,
            "parties": parties,
            "flows": flows,
            "sign_map": r["sign_map"],
            "sensitivity": r["sensitivity"],
            "specialties": self.specialties(),
            "class_summary": r["class_changes"],
            "thresholds": thresholds,
            "validation": r["validation"],
            "programme_checks": r["programme_checks"],
            "weights": self.weights(),
            "empty_classes": r["empty_classes"],
            "assumptions": assumptions,
            "article_comparison": [
                {"measure": key, "article": article, "ours": ours} for key, article, ours in self.article()
            ],
        }
        found = {
            name: (_frame(rows), "public" if name == "assumptions" else "synthetic") for name, rows in synthetic.items()
        }
        found["backtests"] = (_frame(self.backtest_rows()), "public")
        found |= {name: (frame, "synthetic") for name, frame in backtest_report.tables(self.r["backtest"]).items()}
        found["sources"] = (_frame(self.sources["source"]), "public")
        return found

    def backtest_rows(self) -> list[dict[str, Any]]:
        b, rows = self.backtests, []
        for point in b["bernhoven"]["ratio"]:
            rows.append({"place": "bernhoven", "measure": "hospital", "year": point["year"], "ratio": point["value"]})
        for place, measures in (("ozl", ("hospital", "gp_other")), ("wm", ("hospital",))):
            for measure in measures:
                for year, value in zip(b[place]["years"], b[place][measure], strict=True):
                    rows.append({"place": place, "measure": measure, "year": year, "ratio": value})
        source = b["source"]["vektis"]["title"]
        return [row | {"source": source} for row in rows]

    def article(self) -> list[tuple[str, str, str]]:
        """(measure, the article, this report); the article's own figures are for the reader to enter."""
        w, patients = self.w, self.patients
        full = [row["patients"] for row in self.r.get("patients_by_year", [])]

        def each(cents: float) -> str:
            return w.number(cents / 100 / patients, 2) if patients else "\u2013"

        start = int(self.value("start_year") or self.first)
        ramp = [float(v) for v in self.value("ramp") or [1.0]]
        factor = sum(ramp[min(max(y - start, 0), len(ramp) - 1)] for y in self.years if y >= start) or 1.0
        yearly = fmean(full) if full else patients / factor
        kept = w.number(self.npv / self.saving * 100) if self.saving > 0 else "\u2013"
        payback = self.answer["payback_year"]
        return [
            ("conclusion", w("article.conclusion_article"), w(f"answer.short_{self.verdict}")),
            ("programme", "", f"{self.programme}, {self.place}"),
            ("insurer", "", self.insurer),
            ("law", "", str(self.settings["model"])),
            ("patients", "", w.number(yearly)),
            ("saving", "", each(self.saving)),
            ("own_payments", "", each(-self.channel("b_own_payments"))),
            ("contribution", "", each(self.contribution)),
            ("net", "", each(self.npv)),
            ("kept", "", kept),
            ("payback", "", str(payback) if payback else w("article.never", last=self.last)),
        ]

    # -- figures

    def figures(self) -> dict[str, str]:
        found = {"sign_map": self.sign_map_wide()}
        for share in self.sign_map().keys["dkg_share"]:
            found[f"sign_map_dkg_{round(share * 100):03d}"] = self.sign_map().narrow(share)
            name = f"sign_map_before_cost_{round(share * 100):03d}"
            found[name] = self.sign_map("npv_before_programme_cost_cents").narrow(share)
        found["waterfall"] = self.waterfall()
        found["parties"] = self.party_bars()
        found["adoption"] = self.adoption_bars()
        found["channels"] = self.channel_years()
        found["tornado"] = self.tornado()
        found |= backtest_report.figures(self.r["backtest"], self.w.lang)
        return found

    def sign_map_wide(self) -> str:
        title = self.w("map.figure", place=self.place, insurer=self.insurer, first=self.first, last=self.last)
        return self.sign_map().wide(title, self.footer)

    def waterfall(self) -> str:
        w = self.w
        shown, unit = self.steps()
        per_hundred = self.channel("a1_hospital_avoided") > 0
        total = sum(row["cents"] for row in self.channels) / unit

        def text(value: float, se: float) -> str:
            error = f" \u00b1 {w.number(se, 1)}" if self.n > 1 else ""
            return w.number(value, 1, sign=True) + error

        title = (
            w("waterfall.figure", insurer=self.insurer, result=w("format.eur", n=w.number(total)))
            if per_hundred
            else w("waterfall.figure_euro", insurer=self.insurer)
        )
        return plots.waterfall(
            "waterfall",
            [w.label("channel", row["channel"]) for row in shown],
            [row["cents"] / unit for row in shown],
            [text(row["cents"] / unit, row["se_cents"] / unit) for row in shown],
            result=w("waterfall.result", insurer=self.insurer),
            result_text=text(total, self.se / unit),
            title=title,
            footer=self.footer,
            axis_label=w("waterfall.axis" if per_hundred else "waterfall.axis_euro"),
            number=w.axis,
        )

    def grouped_parties(self, kind: str) -> list[tuple[str, float]]:
        """(party, cents) with the other insurers together and society last; nobody who is not touched."""
        parties: dict[str, float] = {}
        for name, cents in self.by_adoption[kind]["parties_cents"].items():
            key = self._party_key(name)
            parties[key] = parties.get(key, 0.0) + cents
        society = -parties.pop("resources", 0.0)
        order = ["own", "others", "fund", "government", "premium_payers", "patients", "hospitals"]
        names = [*order, *sorted(set(parties) - set(order))]
        rows = [(name, parties[name]) for name in names if abs(parties.get(name, 0.0)) >= 50 or name == "own"]
        return [*rows, ("society", society)]

    def party_bars(self) -> str:
        w = self.w
        rows = self.grouped_parties("insurer")
        return plots.signed_bars(
            "parties",
            [self.party(name) for name, _ in rows],
            [cents / 1e5 for _, cents in rows],
            [w.number(cents / 1e5, 0, sign=True) for _, cents in rows],
            strong=[name in ("own", "society") for name, _ in rows],
            title=w("parties.figure", adoption=self.adoption_name("insurer")),
            footer=self.footer,
            axis_label=w("parties.axis"),
            number=w.axis,
        )

    def adoption_bars(self) -> str:
        w, labels, values = self.w, [], []
        for what, key in (("insurers", "all_insurers_npv_cents"), ("society", "society_cents")):
            for kind, row in self.by_adoption.items():
                labels.append(w(f"who.figure_{what}", adoption=self.adoption_name(kind, short=True)))
                values.append(row[key] / 100 / row["patients"] if row["patients"] else 0.0)
        return plots.signed_bars(
            "adoption",
            labels,
            values,
            [w.number(v, 0, sign=True) for v in values],
            title=w("who.figure"),
            footer=self.footer,
            axis_label=w("who.figure_axis"),
            number=w.axis,
        )

    def channel_years(self) -> str:
        w = self.w
        groups = {k: v for k, v in self.per_year().items() if any(v)} or {"a1": [0.0] * len(self.years)}
        total = [sum(values[k] for values in groups.values()) for k in range(len(self.years))]
        return plots.stacked_years(
            "channels",
            self.years,
            [(w.label("group", group), values) for group, values in groups.items()],
            (w("channels.figure_total"), total),
            title=w("channels.figure", insurer=self.insurer),
            footer=self.footer,
            value_label=w("channels.figure_axis"),
            number=w.axis,
        )

    def tornado(self) -> str:
        w = self.w
        rows = self.r["sensitivity"]
        base = rows[0]["npv_cents"] / 1e5
        ends: dict[str, list[tuple[float, str]]] = {}
        for row in rows[1:]:
            text = self.option(row["assumption"], row["value"])
            ends.setdefault(row["assumption"], []).append((row["npv_cents"] / 1e5, text))
        spread = {k: max([v for v, _ in e] + [base]) - min([v for v, _ in e] + [base]) for k, e in ends.items()}
        order = sorted(ends, key=lambda k: -spread[k])
        return plots.tornado(
            "tornado",
            [w.label("sensitivity", k) for k in order],
            [ends[k] for k in order],
            base,
            title=w("sure.tornado_figure", insurer=self.insurer),
            footer=self.footer,
            axis_label=w("sure.tornado_axis"),
            base_label=w("sure.tornado_base", base=w.number(base, 0, sign=True)),
            number=w.axis,
        )


# --- the page ---------------------------------------------------------------------------------------------------------


class _Page:
    """The sections of the page, in order."""

    def __init__(self, content: _Content, words: Words, figures: Mapping[str, str]) -> None:
        self.c, self.w, self.f = content, words, figures
        self.v = {"insurer": content.insurer, "first": content.first, "last": content.last}

    def html(self) -> str:
        w, c = self.w, self.c
        sections: list[tuple[str, list[str]]] = [
            ("map", self.map()),
            ("waterfall", self.waterfall()),
            ("rests", self.rests()),
            ("parties", self.parties()),
            ("who", self.who()),
            ("channels", self.channels()),
            ("sure", self.sure()),
            ("backtests", self.backtests()),
            ("article", self.article()),
            ("assumptions", self.assumptions()),
            ("sources", self.sources()),
        ]
        body = [
            _p(w("page.running_head", programme=c.programme, **self.v), "head"),
            f"<h1>{_rich(w('page.title'))}</h1>",
            _p(w("page.question", place=c.place, **self.v), "question"),
            *self.answer(),
        ]
        contents = [f'<li><a href="#{key}">{_rich(w(f"section.{key}"))}</a></li>' for key, _ in sections]
        nav = f'<nav aria-label="{html.escape(w("page.contents"))}"><ol>{"".join(contents)}</ol></nav>'
        for number, (key, parts) in enumerate(sections, 1):
            if key == "parties":
                body.append(nav)
            body += [f'<section id="{key}">', f"<h2>{number}. {_rich(w(f'section.{key}'))}</h2>", *parts, "</section>"]
        return page(w("page.title"), body, w.lang)

    # -- the first page

    def answer(self) -> list[str]:
        w, c, v = self.w, self.c, self.v
        sign = "gain" if c.npv > 0 else "loss"
        verdict = c.verdict
        parts = []
        if any(c.checks.values()):
            checks = {k.removesuffix("_cents").removesuffix("_gap"): n for k, n in c.checks.items()}
            parts.append(_p(w("page.broken_checks", **checks), "alarm"))
        box = [_p(w(f"answer.short_{verdict}"), "short")]
        if verdict == "null":
            box.append(_p(w("answer.null", **v)))
        elif verdict == "unclear":
            box.append(_p(w("answer.unclear", amount=w.signed(c.npv), rate=w.percent(c.rate), **v)))
        else:
            box.append(_p(w(f"answer.{sign}", amount=w.amount(c.npv), rate=w.percent(c.rate), **v)))
        box.append(self._tiles())
        parts.append(f'<div class="answer {verdict}">\n' + "\n".join(box) + "\n</div>")
        parts.append(_p(w("page.explain")))
        points = [self._kept()]
        if verdict != "null":
            points.append(self._main())
        points += [self._error(), self._range(), self._break_even()]
        society = c.by_adoption["insurer"]["society_cents"]
        kind = "gain" if society > 0 else "loss" if society < 0 else "null"
        points.append(w(f"answer.society_{kind}", amount=w.amount(society)))
        parts.append(_ul(point for point in points if point))
        return parts

    def _tiles(self) -> str:
        """The figures of the answer, large."""
        w, c = self.w, self.c
        error = f" \u00b1 {w.number(c.se / 1e8, 2)}" if c.n > 1 else ""
        low, high = c.answer["range_over_assumptions_cents"]
        tiles = [(w.number(c.npv / 1e8, 2, sign=True) + error, w("answer.tile_result", n=len(c.years)))]
        if c.patients:
            tiles.append((w.number(c.npv / 100 / c.patients, 0, sign=True), w("answer.tile_patient")))
        tiles.append((w.number(c.npv / 1e5 / len(c.years), 0, sign=True), w("answer.tile_year")))
        if c.saving > 0:
            tiles.append((w.number(c.npv / c.saving * 100), w("answer.tile_kept")))
        ends = w("answer.to", low=w.number(low / 1e8, 2, sign=True), high=w.number(high / 1e8, 2, sign=True))
        tiles.append((ends, w("answer.tile_range")))
        return (
            '<div class="tiles">'
            + "".join(
                f"<div><strong>{_rich(number)}</strong> <span>{_rich(text)}</span></div>" for number, text in tiles
            )
            + "</div>"
        )

    def _kept(self) -> str:
        w, c, v = self.w, self.c, self.v
        if not c.saving:
            return w("answer.saving_none")
        if c.saving < 0:
            return w("answer.saving_down", saving=w.amount(c.saving))
        text = w("answer.saving_up", saving=w.amount(c.saving), **v)
        share = c.npv / c.saving * 100
        if share > 100.5:
            more = w("answer.kept_all", more=w.euros(share - 100, 0), **v)
        elif share > 0.5:
            more = w("answer.kept_some", kept=w.euros(share, 0), **v)
        elif share > -0.5:
            more = w("answer.kept_even", **v)
        else:
            more = w("answer.kept_nothing", more=w.euros(-share, 0), **v)
        return f"{text} {more}"

    def _main(self) -> str:
        """The largest channels, up and down, that stand clear of their own error."""
        w, c = self.w, self.c
        clear = [row for row in c.channels if abs(row["cents"]) > 2 * row["se_cents"] and abs(row["cents"]) >= 100]
        texts = []
        for key, chosen in (
            ("main_up", sorted((r for r in clear if r["cents"] > 0), key=lambda r: -r["cents"])[:2]),
            ("main_down", sorted((r for r in clear if r["cents"] < 0), key=lambda r: r["cents"])[:3]),
        ):
            if chosen:
                items = [
                    w("answer.item", channel=_lower(w.label("channel", r["channel"])), amount=w.signed(r["cents"]))
                    for r in chosen
                ]
                texts.append(w(f"answer.{key}", list=w.list(items)))
        return " ".join(texts)

    def _error(self) -> str:
        w, c = self.w, self.c
        if c.n == 1:
            return w("answer.error_one")
        values = [int(seed["npv_cents"]) for seed in c.per_seed]
        texts = [
            w("answer.error", se=w.amount(c.se), n=c.n, low=w.signed(min(values)), high=w.signed(max(values))),
        ]
        if c.verdict != "null":
            kind = "unclear" if c.verdict == "unclear" else "clear"
            texts.append(w(f"answer.error_{kind}", low=w.signed(c.npv - c.half), high=w.signed(c.npv + c.half)))
        if c.n < 5:
            texts.append(w("answer.few_seeds"))
        return " ".join(texts)

    def _range(self) -> str:
        w, c = self.w, self.c
        low, high = c.answer["range_over_assumptions_cents"]
        texts = [w("answer.range", low=w.signed(low), high=w.signed(high))]
        rows = c.r["sensitivity"]
        base, flipped = rows[0]["npv_cents"], c.flipped()
        if base and not flipped:
            texts.append(w("answer.range_same_gain" if base > 0 else "answer.range_same_loss", n=len(rows) - 1))
        elif flipped:
            items = [
                f"{_lower(w.label('sensitivity', row['assumption']))} {c.option(row['assumption'], row['value'])}"
                for row in flipped
            ]
            texts.append(w("answer.range_to_loss" if base > 0 else "answer.range_to_gain", list=w.list(items)))
        return " ".join(texts)

    def _break_even(self) -> str:
        w, c = self.w, self.c
        if c.verdict == "null":
            return ""
        found, price = c.answer["break_even_price_eur"], c.value("price")
        assumed = w.euros(float(price), 0) if price is not None else "\u2013"
        if found is None:
            row = next((row for row in c.r["assumptions"] if row["key"].endswith(".price")), None)
            high = w.euros(2 * row["range"][1], 0) if row and row["range"] else "\u2013"
            prices = [s["break_even_price_eur"] for s in c.per_seed if s["break_even_price_eur"] is not None]
            ends = {"low": w.euros(0, 0), "high": high}
            if prices:
                ends = {"low": w.euros(min(prices)), "high": w.euros(max(prices))}
            kind = "some" if prices else "none"
            text = w(f"answer.break_even_{kind}", found=len(prices), n=c.n, assumed=assumed, **ends, **self.v)
        else:
            text = w("answer.break_even", price=w.euros(found), assumed=assumed, **self.v)
        year = c.answer["payback_year"]
        return f"{text} {w('answer.payback', year=year) if year else w('answer.payback_none', **self.v)}"

    def map(self) -> list[str]:
        w, c = self.w, self.c
        m, before = c.sign_map(), c.sign_map("npv_before_programme_cost_cents")
        lead = _p(w("map.lead", mean=w.euros(m.mean, 0), **self.v))
        panels = {share: self.f[f"sign_map_dkg_{round(share * 100):03d}"] for share in m.keys["dkg_share"]}
        parts = [lead, *m.blocks(panels)]
        if c.n > 1:
            parts.append(_p(w("map.doubt", sd=w.amount(m.doubt)), "note"))
        parts.append(_p(w("map.before", **before.counts, **self.v)))
        return [*parts, three(self.f[f"sign_map_before_cost_{round(s * 100):03d}"] for s in m.keys["dkg_share"])]

    def waterfall(self) -> list[str]:
        w, c = self.w, self.c
        zero = [_lower(w.label("channel", row["channel"])) for row in c.channels if row["zero"]]
        note = w("waterfall.note", zero="; ".join(zero)) if zero else w("waterfall.note_none")
        return [_p(w("waterfall.lead")), _figure(self.f["waterfall"], note)]

    def rests(self) -> list[str]:
        w, c = self.w, self.c
        rows = c.r["touched"]["patient_rows_per_seed"]
        many = [w.number(min(rows)), w.number(max(rows))]
        assumed = [row for row in c.r["assumptions"] if row["tag"] == "assumption"]
        inside, n = c.targets()
        return [
            _ul(
                [
                    w("rests.official", model=c.settings["model"]),
                    w(
                        "rests.estimated",
                        persons=w.number(c.r["touched"]["rows"]["persons"]),
                        patients=many[0] if many[0] == many[1] else f"{many[0]}\u2013{many[1]}",
                    ),
                    w("rests.assumed", n_assumed=len(assumed), n=len(c.r["assumptions"])),
                    w("rests.targets_all", n=n) if inside == n else w("rests.targets", inside=inside, n=n),
                ]
            )
        ]

    # -- who

    def parties(self) -> list[str]:
        w, c, v = self.w, self.c, self.v
        avoidable = c.value("avoidable_share")
        rows = []
        for kind, row in c.by_adoption.items():
            society, insurers, own_result = (
                row["society_cents"],
                row["all_insurers_npv_cents"],
                row["parties_cents"].get(f"insurer:{c.insurer}", 0),
            )
            money = (society, insurers - society, insurers, own_result, insurers - own_result)
            rows.append([c.adoption_name(kind), *(w.thousands(cents) for cents in money)])
        heads = [(w("parties.who"), "text")]
        names = ("society", "transfers", "insurers", "own", "others")
        heads += [(w(f"parties.{name}", **v), "num") for name in names]
        own = [
            (w("parties.claims"), c.channel(*_CLAIMS), w("parties.nature_claims")),
            (w("parties.own_payments"), c.channel("b_own_payments"), w("parties.nature_own")),
            (w("parties.contribution"), c.contribution, w("parties.nature_contribution", **v)),
            (w("parties.premium"), c.channel("j_premium"), w("parties.nature_premium")),
            (w("parties.sum", **v), sum(row["cents"] for row in c.channels), ""),
        ]
        flows = c.flows()[:_LARGEST_FLOWS]
        parts = [
            _p(w("parties.lead")),
            _table(w("parties.table", **v), heads, rows, stack=True),
            _p(w("parties.identity", avoidable=w.percent(float(avoidable or 0))), "note"),
            _figure(self.f["parties"]),
            _table(
                w("parties.own_table", adoption=c.adoption_name("insurer"), **v),
                [("", "text"), (w("parties.amount"), "num"), (w("parties.nature"), "long")],
                [[name, w.thousands(cents), nature] for name, cents, nature in own],
                stack=True,
                strong=lambda k: k == len(own) - 1,
            ),
        ]
        if flows:
            parts.append(
                _table(
                    w("parties.flows", adoption=c.adoption_name("insurer")),
                    [
                        (w("parties.from"), "text"),
                        (w("parties.to"), "text"),
                        (w("parties.reason"), "text"),
                        (w("parties.change"), "num"),
                    ],
                    [
                        [c.party(a), c.party(b), w.label("reason", reason), w.thousands(cents)]
                        for a, b, reason, cents in flows
                    ],
                )
            )
        return parts

    def who(self) -> list[str]:
        w, c, v = self.w, self.c, self.v

        def both(row: Mapping[str, Any], key: str) -> str:
            error = f" \u00b1\u00a0{w.thousands(row[key.replace('_cents', '_se_cents')])}" if c.n > 1 else ""
            return w.thousands(row[key]) + error

        rows = [
            [
                c.adoption_name(kind),
                w.number(row["patients"]),
                w.number(row["hospital_visits_freed"]),
                both(row, "all_insurers_saving_cents"),
                both(row, "npv_cents"),
                both(row, "all_insurers_npv_cents"),
                both(row, "society_cents"),
            ]
            for kind, row in c.by_adoption.items()
        ]
        heads = [(w("parties.who"), "text"), (w("who.patients"), "num"), (w("who.visits"), "num")]
        heads += [
            (w("who.saving"), "num"),
            (w("who.own", **v), "num"),
            (w("who.all"), "num"),
            (w("who.society"), "num"),
        ]
        alone, joined = c.others("insurer"), c.others("region")
        error = c.others_se("insurer")
        kind = "gain" if alone >= 50 else "loss" if alone <= -50 else "null"
        if kind != "null" and c.n > 1 and abs(alone) <= 2 * error:
            kind = "unclear"
        amount = w.signed(alone) if kind == "unclear" else w.amount(alone)
        free = [w(f"who.free_{kind}", amount=amount, se=w.amount(error) if c.n > 1 else "\u2013", **v)]
        difference = alone - joined
        which = "wait" if difference >= 50 else "join" if difference <= -50 else "indifferent"
        free.append(w(f"who.{which}", joined=w.signed(joined), difference=w.amount(difference)))
        own_alone, own_region = (int(c.by_adoption[k]["npv_cents"]) for k in ("insurer", "region"))
        free.append(
            w(
                "who.own_region",
                alone=w.signed(own_alone),
                together=w.signed(own_region),
                **v,
            )
        )
        by = {k: row["parties_cents"] for k, row in c.by_adoption.items()}
        insurers = sorted(
            {p for parties in by.values() for p in parties if p.startswith("insurer:")},
            key=lambda p: (p != f"insurer:{c.insurer}", p),
        )
        each = [
            [
                p.removeprefix("insurer:"),
                *(w.thousands(by[k].get(p, 0)) for k in ("insurer", "region", "national")),
                "" if p == f"insurer:{c.insurer}" else w.thousands(by["insurer"].get(p, 0) - by["region"].get(p, 0)),
            ]
            for p in insurers
        ]
        return [
            _p(w("who.lead")),
            _table(w("who.table"), heads, rows, stack=True),
            _figure(self.f["adoption"]),
            _p(" ".join(free)),
            _table(
                w("who.each"),
                [
                    (w("who.insurer"), "text"),
                    (w("who.alone", **v), "num"),
                    (w("who.together"), "num"),
                    (w("who.country"), "num"),
                    (w("who.waiting"), "num"),
                ],
                each,
                strong=lambda k: k == 0,
            ),
        ]

    # -- where the saving goes

    def channels(self) -> list[str]:
        w, c, v = self.w, self.c, self.v
        total = sum(row["cents"] for row in c.channels)
        rows = [
            [
                w.label("channel", row["channel"]) + f" ({row['channel'].split('_')[0]})",
                w.thousands(row["cents"]),
                w.thousands(row["se_cents"]) if c.n > 1 else "\u2013",
                w.thousands(row["reverse_cents"]),
                w.thousands(row["reverse_cents"] - row["cents"]),
            ]
            for row in c.channels
        ]
        reverse = sum(row["reverse_cents"] for row in c.channels)
        rows.append(
            [
                w("waterfall.result", **v),
                w.thousands(total),
                w.thousands(c.se) if c.n > 1 else "\u2013",
                w.thousands(reverse),
                w.thousands(reverse - total),
            ]
        )
        heads = [(w("channels.channel"), "text"), (w("channels.amount"), "num"), (w("channels.se"), "num")]
        heads += [(w("channels.reverse"), "num"), (w("channels.interaction"), "num")]
        what = [
            f"<dt>{_rich(w.label('channel', row['channel']))}</dt><dd>{_rich(w('channel_what.' + row['channel']))}</dd>"
            for row in c.channels
            if w.has("channel_what." + row["channel"])
        ]
        power = c.answer.get("power")
        powers = [float(seed["power"]) for seed in c.per_seed if seed.get("power") is not None]
        error = w.percent(stdev(powers) / math.sqrt(len(powers))) if len(powers) > 1 else "\u2013"
        return [
            _p(w("channels.lead", **v)),
            _figure(self.f["channels"]),
            _table(w("channels.table", **v), heads, rows, strong=lambda k: k == len(rows) - 1),
            _p(w("channels.reverse_note"), "note"),
            _h3(w("channels.glossary")),
            "<dl>" + "\n".join(what) + "</dl>",
            _p(w("channels.power", power=w.percent(power), se=error)) if power is not None else "",
            self._specialties(),
            _p(w("channels.specialty_note"), "note"),
            *self._classes(),
            self._thresholds(),
        ]

    def _specialties(self) -> str:
        w, c, v = self.w, self.c, self.v
        found = c.specialties()
        total = {"specialty": "total", "product": "all"} | {
            key: sum(row[key] for row in found)
            for key in ("avoided", "added", "referred_on", "hospital_cents", "replacing_cents")
        }
        net = total["hospital_cents"] - total["replacing_cents"]
        total["net_eur"] = net / 100 / total["avoided"] if total["avoided"] else None
        rows = [
            [
                w.label("specialty", row["specialty"]),
                w.label("product", row["product"]),
                w.number(row["avoided"]),
                w.number(row["added"]),
                w.number(row["referred_on"]),
                w.thousands(row["hospital_cents"]),
                w.thousands(row["replacing_cents"]),
                w.number(row["net_eur"], 0) if row["net_eur"] is not None else "\u2013",
            ]
            for row in [*found, total]
        ]
        heads = [(w("channels.specialty"), "text"), (w("channels.product"), "text")]
        heads += [(w(f"channels.{k}"), "num") for k in ("avoided", "added", "referred", "hospital", "replacing", "net")]
        return _table(w("channels.specialty_table", **v), heads, rows, strong=lambda k: k == len(rows) - 1)

    def _classes(self) -> list[str]:
        w, c, v = self.w, self.c, self.v
        found = c.r["class_changes"]
        if not found:
            return [_p(w("channels.classes_none"))]
        labels = {(row["criterion"], row["code"]): row["label"] for row in c.r["weights"]}
        rows: list[list[str]] = []
        strong: set[int] = set()
        for criterion in dict.fromkeys(row["criterion"] for row in found):
            part = [row for row in found if row["criterion"] == criterion]
            strong.add(len(rows))
            rows.append(
                [w.label("criterion", criterion), "", "", w.thousands(100 * sum(r["euro_change"] for r in part))]
            )
            for row in part:
                label = labels.get((criterion, row["code"]), "")
                code = str(row["code"])
                name = f"{w.label('criterion', criterion)} {code}"
                rows.append(
                    [
                        f"{name}: {label}" if label and label != code else name,
                        w.number(row["years_lost"]),
                        w.number(row["years_won"]),
                        w.thousands(100 * row["euro_change"]),
                    ]
                )
        heads = [(w("channels.class"), "text")]
        heads += [(w(f"channels.{k}"), "num") for k in ("lost", "gained", "euros")]
        return [
            _table(w("channels.classes_table", **v), heads, rows, strong=strong.__contains__),
            _p(w("channels.classes_note"), "note"),
        ]

    def _thresholds(self) -> str:
        w, c = self.w, self.c
        tops = sorted(
            range(len(c.r["thresholds"]["top_per_myriad"])), key=lambda k: -c.r["thresholds"]["top_per_myriad"][k]
        )
        heads = [(w("channels.year_of_cost"), "text")]
        heads += [
            (w("channels.top", share=w.short(c.r["thresholds"]["top_per_myriad"][k] / 10_000)), "num") for k in tops
        ]
        rows = [
            [str(year), *(w.number(cents[k] / 100) for k in tops)] for year, cents in c.r["thresholds"]["cents"].items()
        ]
        return _table(w("channels.thresholds_table"), heads, rows)

    # -- how sure

    def sure(self) -> list[str]:
        w, c = self.w, self.c
        null = c.r["null_programme"]
        checks = {k.removesuffix("_cents").removesuffix("_gap"): w.number(n) for k, n in c.checks.items()}
        parts = [self._seeds(), _figure(self.f["tornado"]), self._sensitivity(), _p(w("sure.dkg_lead")), self._dkg()]
        parts.append(
            _p(
                w(
                    "sure.null_lead",
                    patients=w.number(null["patients"]),
                    movements=w.number(null["movements"]),
                    postings=w.number(null["postings"]),
                    ledger=w.number(null["ledger_differences_cents"]),
                    decomposition=w.number(null["decomposition_cents"]),
                )
            )
        )
        parts.append(_p(w("sure.checks", **checks)))
        parts += [self._programme_checks(), self._validation(), _p(w("sure.role_note"), "note"), *self._weights()]
        empty = c.r["empty_classes"]
        parts.append(_p(w("sure.empty_lead", n=len(empty)) if empty else w("sure.empty_none")))
        if empty:
            by: dict[str, list[str]] = {}
            for row in empty:
                criterion, _, code = str(row["class"]).partition("=")
                by.setdefault(row["reason"], []).append(f"{w.label('criterion', criterion)} {code}".strip())
            reasons = {reason: self._reason(reason) for reason in by}
            parts.append(_ul(f"{', '.join(names)}: {reasons[reason]}" for reason, names in by.items()))
        return parts

    def _reason(self, english: str) -> str:
        known = self.w.lang != "en" and english == Words.load("en")("sure.empty_reason")
        return self.w("sure.empty_reason") if known else self.w.data("empty_reason", english, english)

    def _seeds(self) -> str:
        w, c = self.w, self.c
        rows = []
        for seed in c.per_seed:
            kept = seed["kept_share"]
            price = seed["break_even_price_eur"]
            rows.append(
                [
                    str(seed["seed"]),
                    w.thousands(seed["npv_cents"]),
                    w.thousands(seed["undiscounted_cents"]),
                    w.thousands(seed["saving_cents"]),
                    w.number(kept * 100) if kept is not None and seed["saving_cents"] > 0 else "\u2013",
                    w.number(seed["patients"]),
                    w.number(seed["patients_rows"]),
                    w.number(price, 2) if price is not None else "\u2013",
                ]
            )
        values = {
            k: [float(s[k]) for s in c.per_seed]
            for k in ("npv_cents", "undiscounted_cents", "saving_cents", "patients")
        }
        rows.append(
            [
                w("sure.mean"),
                w.thousands(fmean(values["npv_cents"])),
                w.thousands(fmean(values["undiscounted_cents"])),
                w.thousands(fmean(values["saving_cents"])),
                w.number(c.npv / c.saving * 100) if c.saving > 0 else "\u2013",
                w.number(fmean(values["patients"])),
                "",
                w.number(c.answer["break_even_price_eur"], 2)
                if c.answer["break_even_price_eur"] is not None
                else "\u2013",
            ]
        )
        if c.n > 1:
            error = {k: stdev(v) / math.sqrt(c.n) for k, v in values.items()}
            money = [w.thousands(error[k]) for k in ("npv_cents", "undiscounted_cents", "saving_cents")]
            rows.append([w("sure.se"), *money, "", w.number(error["patients"]), "", ""])
        heads = [(w("sure.seed"), "text")]
        names = ("npv", "undiscounted", "saving", "kept", "patients", "rows", "break_even")
        heads += [(w(f"sure.{k}"), "num") for k in names]
        return _table(w("sure.seeds_table", **self.v), heads, rows, strong=lambda k: k >= c.n)

    def _sensitivity(self) -> str:
        w, c = self.w, self.c
        rows = c.r["sensitivity"]
        base = rows[0]["npv_cents"]
        lines = [[w("sure.as_assumed"), "", w.thousands(base), ""]]
        for row in rows[1:]:
            lines.append(
                [
                    w.label("sensitivity", row["assumption"]),
                    c.option(row["assumption"], row["value"]),
                    w.thousands(row["npv_cents"]),
                    w.thousands(row["npv_cents"] - base),
                ]
            )
        heads = [(w("sure.assumption"), "text"), (w("sure.value"), "text")]
        heads += [(w("sure.result"), "num"), (w("sure.difference"), "num")]
        return _table(w("sure.sensitivity_table"), heads, lines, strong=lambda k: k == 0)

    def _dkg(self) -> str:
        w, c = self.w, self.c
        rows = c.r["sensitivity"]
        base = rows[0]["npv_cents"]
        found = {(row["assumption"], row["value"]): row["npv_cents"] for row in rows[1:]}
        lines = []
        for kind, name, text, assumed in (
            ("dkg_share", "dkg_row", w.short, float(c.value("dkg_share") or 0.15)),
            ("threshold_factor", "threshold_row", lambda x: w.number(x, 1), float(c.value("threshold_factor") or 1.0)),
        ):
            values = {float(value): npv for (key, value), npv in found.items() if key == kind} | {assumed: base}
            for value in sorted(values):
                field = "share" if kind == "dkg_share" else "factor"
                label = w(f"sure.{name}", **{field: text(value)})
                label += f" ({w('sure.as_assumed')})" if value == assumed else ""
                lines.append([label, w.thousands(values[value]), w.thousands(values[value] - base)])
        heads = [(w("sure.assumption"), "text"), (w("sure.result"), "num"), (w("sure.difference"), "num")]
        return _table(w("sure.dkg_table", **self.v), heads, lines)

    def _programme_checks(self) -> str:
        w, c = self.w, self.c
        rows = []
        for row in c.r["programme_checks"]:
            inside = row["low"] <= row["ours"] <= row["high"]

            def show(value: float, name: str = row["name"]) -> str:
                return w.number(value, 0 if name.endswith("eur") else 2)

            rows.append(
                [
                    w.label("programme_check", row["name"])
                    + (w("sure.in_euros") if row["name"].endswith("eur") else ""),
                    show(row["published"]),
                    f"{show(row['low'])}\u2060\u2013\u2060{show(row['high'])}",
                    show(row["ours"]),
                    w("sure.yes" if inside else "sure.no"),
                    w.data("programme_check_source", row["name"], row["source"]),
                ]
            )
        heads = [(w("sure.outcome"), "text")]
        heads += [(w(f"sure.{k}"), "num") for k in ("published", "range", "ours")]
        heads += [(w("sure.inside"), "text"), (w("sure.source"), "long")]
        return _table(w("sure.programme_table"), heads, rows, stack=True)

    def _validation(self) -> str:
        w, c = self.w, self.c
        rows = []
        for row in c.r["validation"]:
            name, target, tolerance = row["name"], row["target"], row["tolerance"]

            def show(value: float | None, name: str = name, *, sign: bool = False) -> str:
                if value is None:
                    return "\u2013"
                if "share" in name or name == "r2":
                    return w("format.percent", n=w.number(value * 100, 1, sign=sign))
                if "_pct" in name:
                    return w("format.percent", n=w.number(value, 1, sign=sign))
                if "factor" in name:
                    return w.number(value, 4, sign=sign)
                return w.number(value, 0 if abs(value) >= 1000 else 2, sign=sign)

            gap = row["value"] - target if target is not None else None
            inside = "" if gap is None or tolerance is None else w("sure.yes" if abs(gap) <= tolerance else "sure.no")
            rows.append(
                [
                    w.label("validation", name),
                    show(row["value"]),
                    show(row["se"]) if c.n > 1 else "\u2013",
                    show(target) + (f" \u00b1\u00a0{show(tolerance)}" if tolerance is not None else ""),
                    show(gap, sign=True),
                    inside,
                    w.label("role", row["role"]),
                    w.data("validation_source", name, row["source"]),
                ]
            )
        heads = [(w("sure.measure"), "text"), (w("sure.ours"), "num"), (w("sure.se_short"), "num")]
        heads += [(w("sure.tolerance"), "num"), (w("sure.gap"), "num"), (w("sure.inside"), "text")]
        heads += [(w("sure.role"), "text"), (w("sure.source"), "long")]
        return _table(w("sure.validation_table"), heads, rows, stack=True)

    def _weights(self) -> list[str]:
        w, c = self.w, self.c
        found = c.weights()
        large = [row for row in found if row["share"] >= 0.005]
        inside = sum(bool(row["within"]) for row in large)
        shown = sorted((r for r in found if r["criterion"] != "age_sex"), key=lambda r: -r["share"])[:_LARGEST_CLASSES]
        rows = []
        for row in shown:
            estimated = w.number(row["estimated_eur"], 0) if row["estimated_eur"] is not None else "\u2013"
            error = w.number(row["se_eur"], 0) if row["se_eur"] is not None else "\u2013"
            rows.append(
                [
                    f"{w.label('criterion', row['criterion'])} {row['code']}",
                    row["label"],
                    w.percent(row["share"], 1),
                    w.number(row["official_eur"], 0),
                    estimated,
                    error,
                    "\u2013" if row["within"] is None else w("sure.yes" if row["within"] else "sure.no"),
                ]
            )
        heads = [(w("sure.class"), "text"), (w("sure.label"), "long"), (w("sure.years"), "num")]
        heads += [(w("sure.official"), "num"), (w("sure.estimated"), "num"), (w("sure.se_short"), "num")]
        heads += [(w("sure.within"), "text")]
        return [
            _p(w("sure.weights_lead", n=len(large), inside=inside)),
            _table(w("sure.weights_table", n=len(shown)), heads, rows),
            _p(w("sure.weights_note"), "note"),
        ]

    # -- evidence

    def backtests(self) -> list[str]:
        return backtest_report.section(self.c.r["backtest"], self.w.lang, small=True)

    def article(self) -> list[str]:
        w, c = self.w, self.c
        rows = [[w(f"article.{key}"), article, ours] for key, article, ours in c.article()]
        heads = [(w("article.measure"), "text"), (w("article.article"), "empty"), (w("article.ours"), "text")]
        return [_p(w("article.p1")), _p(w("article.p2")), _p(w("article.p3")), _table(w("article.table"), heads, rows)]

    def assumptions(self) -> list[str]:
        w, c = self.w, self.c
        rows = []
        for row in c.r["assumptions"]:
            low_high = row["range"]
            rows.append(
                [
                    w.label("assumption", row["key"]),
                    self._value(row["value"]),
                    f"{self._value(low_high[0])}\u2013{self._value(low_high[1])}" if low_high else "",
                    w.label("tag", row["tag"]),
                    w.data("assumption_source", row["key"], row["source"]),
                    row["key"],
                ]
            )
        tags = [row["tag"] for row in c.r["assumptions"]]
        heads = [(w("assumptions.what"), "text"), (w("assumptions.value"), "text"), (w("assumptions.range"), "num")]
        heads += [(w("assumptions.tag"), "text"), (w("assumptions.source"), "long"), (w("assumptions.key"), "hash")]
        count = {tag: tags.count(tag) for tag in ("assumption", "derived", "sourced")}
        lead = w(
            "assumptions.lead",
            n=len(tags),
            assumed=count["assumption"],
            derived=count["derived"],
            sourced=count["sourced"],
        )
        return [_p(lead), _table(w("assumptions.table"), heads, rows, stack=True)]

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
        w, c = self.w, self.c
        s, touched = c.settings, c.r["touched"]
        listed = []
        for row in c.sources["source"]:
            where = row["url"].removeprefix("https://") if row["url"] else "\u2013"
            listed.append([row["title"], where, w(f"sources.{row['status']}")])
        for key, row in c.backtests["source"].items():
            listed.append([row["title"], "\u2013", w.data("source_note", key, row["note"])])
        seeds = [str(seed["seed"]) for seed in c.per_seed]
        size = touched["rows"]
        provenance = [
            [w("sources.version"), export.version()],
            [w("sources.model"), str(s["model"])],
            [w("sources.parameters"), str(c.r.get("parameters_sha256") or "\u2013")],
            [w("sources.programme"), f"{s['programme']}; {s.get('programme_sha256', '')}"],
            [w("sources.region"), str(s["region"])],
            [w("sources.seeds"), ", ".join(seeds)],
            [w("sources.persons"), f"{w.number(s['persons'])}; {w.number(size['persons'])}"],
            [w("sources.records"), f"{w.number(size['records'])}; {w.number(size['claims'])}"],
            [
                w("sources.represents"),
                w(
                    "sources.represents_text",
                    region=w.number(touched["represents"]["region"]),
                    rest=w.number(touched["represents"]["rest"]),
                ),
            ],
            [w("sources.data"), w("sources.none")],
        ]
        glossary = [
            f"<dt>{_rich(key.partition('.')[2])}</dt><dd>{_rich(text)}</dd>" for key, text in w.section("glossary")
        ]
        return [
            _ul(w(f"sources.{k}") for k in ("official", "estimated", "assumed")),
            _table(
                w("sources.table"),
                [(w("sources.title"), "text"), ("URL", "hash"), (w("sources.status"), "text")],
                listed,
                stack=True,
            ),
            _table(w("sources.provenance"), [("", "text"), ("", "hash")], provenance),
            _p(w("sources.files"), "note"),
            _h3(w("sources.glossary")),
            "<dl>" + "\n".join(glossary) + "</dl>",
        ]


__all__ = ["LANGUAGES", "Words", "check_written", "picture", "write_reproduction"]
