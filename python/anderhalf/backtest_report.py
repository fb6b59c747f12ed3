"""What back-tests show and what they cannot, in words, figures and a page; from the plain numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from anderhalf import export, pages, plots
from anderhalf.backtest import load_evidence
from anderhalf.pages import Words

TABLES = ("ratios", "ranges", "judged", "insurers")
_UNLIKELY = 1.96  # standard deviations: beyond it chance alone is not the reading
_FIGURES = {"bernhoven": ("bernhoven",), "ozl": ("ozl", "ozl_all"), "contract": ("contract_ozl", "contract_wm")}


class _Content:
    """The numbers of a run, by case and year."""

    def __init__(self, data: Mapping[str, Any], words: Words) -> None:
        self.d, self.w = data, words
        self.ratio = {(row["case"], row["year"]): row for row in data["ratios"]}
        self.judged = {row["case"]: row for row in data["judged"]}
        self.cases = {row["case"]: row for row in data["cases"]}
        self.evidence = load_evidence()
        s = data["settings"]
        self.run = {
            "first": s["years"][0],
            "last": s["years"][1],
            "seeds": s["seeds"],
            "persons": words.number(s["persons"]),
            "law": s["model"],
        }

    def figure_of(self, place: str, key: str) -> float:
        return next(float(row["value"]) for row in self.evidence[place]["figure"] if row["key"] == key)

    def observed(self, case: str) -> dict[int, float]:
        return {y: row["observed"] for (c, y), row in self.ratio.items() if c == case and row["observed"] is not None}

    def points(self, ratio: float, *, sign: bool = True) -> str:
        """Hundredths of a ratio; small ones with the decimals they need."""
        value = ratio * 100
        size = abs(value)
        return self.w.number(value, 3 if 0 < size < 0.0095 else 2 if size < 0.995 else 1, sign=sign)

    def judgement(self, case: str) -> dict[str, str]:
        row = self.judged[case]
        return {
            "from": str(row["from"]),
            "to": str(row["to"]),
            "observed": self.points(row["observed"]),
            "engine": self.points(row["engine"]),
            "se": self.points(row["engine_se"], sign=False),
            "low": self.points(row["engine_high"]),  # the least change first
            "high": self.points(row["engine_low"]),
            "gap": self.points(abs(row["observed"] - row["engine"]), sign=False),
            "z": self.w.number(abs(row["gap_in_spreads"]), 1),
            "sd": self.w.number(row["spread"], 3),
            "smallest": self.points(row["smallest_seen"], sign=False),
            "apart": self.points(row["smallest_seen_apart"], sign=False),
        }

    # -- words

    def bernhoven(self) -> list[tuple[str, str]]:
        w, v = self.w, self.judgement("bernhoven")
        seen, row = self.observed("bernhoven"), self.judged["bernhoven"]
        o0, o1, last = seen[row["from"]], seen[row["to"]], max(seen)
        o2 = seen[last]
        v |= {
            "o0": w.number(o0, 3),
            "o1": w.number(o1, 3),
            "o2": w.number(o2, 3),
            "last": str(last),
            "fall": self.points(o0 - o1, sign=False),
            "back": w.percent((o2 - o1) / (o0 - o1)),
        }
        volume = self.figure_of("bernhoven", "volume") / 100
        value, low, high = (x / -volume for x in self.cases["bernhoven"]["varied"])
        v |= {"volume": w.percent(volume), "part": w.percent(value)}
        v |= {"part_low": w.percent(low), "part_high": w.percent(high)}
        chance = abs(row["gap_in_spreads"]) < _UNLIKELY
        size = row["engine"] / row["observed"]
        kind = "other" if not chance else "same" if 0.5 <= size <= 2 else "unsure"
        keys = ("bernhoven_seen", "bernhoven_engine", f"bernhoven_shows_{kind}")
        found = [(key, w(f"past.{key}", **v)) for key in (*keys, "bernhoven_cannot")]
        return [*found, ("bernhoven_insurers", self.insurers(v))]

    def insurers(self, v: Mapping[str, str]) -> str:
        w = self.w
        rows = [row for row in self.d["insurers"] if row["case"] == "bernhoven"]
        own = {r["part"]: r for r in rows if r["insurers"] != "others"}
        others = next(r for r in rows if r["insurers"] == "others" and r["part"] == "result")
        contribution, result = own["contribution"]["cents"], own["result"]["cents"]
        none, full = own["result_low"]["cents"], own["result_high"]["cents"]
        if none < 0 < full:
            low, high = self.cases["bernhoven"]["pass_range"]
            agree = w("past.agree_turns", share=w.percent(low + (high - low) * -none / (full - none)))
        elif abs(result) <= _UNLIKELY * own["result"]["se_cents"]:
            agree = w("past.agree_open")
        else:
            agree = w(f"past.agree_{'yes' if result < 0 else 'no'}")
        return w(
            "past.bernhoven_insurers",
            **v,
            first_year=self.cases["bernhoven"]["programmes"][0]["start"],
            saving=w.amount(own["saving"]["cents"]),
            own=w.amount(own["own_payments"]["cents"]),
            contribution=w(f"past.{'lower' if contribution < 0 else 'higher'}", amount=w.amount(contribution)),
            result=w.signed(result),
            result_se=w.amount(own["result"]["se_cents"]),
            contribution_se=w.amount(own["contribution"]["se_cents"]),
            none=w.signed(none),
            all=w.signed(full),
            others=w.signed(others["cents"]),
            others_se=w.amount(others["se_cents"]),
            **{"pass": w.percent(self.cases["bernhoven"]["pass_through"])},
            cost=w.number(-self.figure_of("bernhoven", "cost_per_person")),
            agree=agree,
        )

    def ozl(self) -> list[tuple[str, str]]:
        w, v, row = self.w, self.judgement("ozl"), self.judged["ozl"]
        seen, other = self.observed("ozl"), self.evidence["ozl"]
        gp = dict(zip(other["years"], other["gp_other"], strict=True))
        grown, both = 2018, self.judged["ozl_all"]
        v |= {
            "p0": w.number(self.figure_of("ozl", "patients_2014")),
            "p1": w.number(self.figure_of("ozl", "patients_2018")),
            "o0": w.number(seen[row["from"]], 3),
            "o1": w.number(seen[grown], 3),
            "o2": w.number(seen[row["to"]], 3),
            "g0": w.number(gp[row["from"]], 3),
            "g1": w.number(gp[grown], 3),
            "start": str(self.cases["ozl"]["programmes"][0]["start"]),
            "share": w.percent(self.ratio["ozl", row["to"]]["share_of_cost"], 2),
            "both": self.points(both["engine"]),
            "both_se": self.points(both["engine_se"], sign=False),
            "times": w.number(abs(row["smallest_seen"] / row["engine"])),
        }
        places = {"from": v["from"], "to": str(grown), "last": v["to"]}
        return [
            ("ozl_seen", w("past.ozl_seen", **{**v, **places})),
            *((key, w(f"past.{key}", **v)) for key in ("ozl_engine", "ozl_shows", "ozl_cannot")),
        ]

    def contract(self) -> list[tuple[str, str]]:
        w = self.w
        v, west = self.judgement("contract_ozl"), self.judgement("contract_wm")
        rows = [self.judged["contract_ozl"], self.judged["contract_wm"]]
        for name, case in (("o", "contract_ozl"), ("w", "contract_wm")):
            seen = self.observed(case)
            v |= {f"{name}0": w.number(seen[rows[0]["from"]], 3), f"{name}1": w.number(seen[rows[0]["to"]], 3)}
        v |= {"west": west["engine"], "west_se": west["se"], "observed_west": west["observed"]}
        v |= {"gap_west": west["gap"], "z_west": west["z"]}
        v["start"] = str(self.cases["contract_ozl"]["programmes"][0]["start"])
        same = all(r["engine"] * r["observed"] > 0 and abs(r["gap_in_spreads"]) < _UNLIKELY for r in rows)
        keys = ("contract_seen", "contract_engine", f"contract_shows_{'same' if same else 'other'}", "contract_cannot")
        return [(key, w(f"past.{key}", **v)) for key in keys]

    # -- figures

    def level(self, case: str) -> tuple[list[int], list[float], list[float]]:
        """Years, ratio with the programme from the observed level of the first year on, and two Monte-Carlo errors."""
        since = self.cases[case]["since"]
        level = self.observed(case)[since]
        rows = [row for (c, y), row in self.ratio.items() if c == case and y >= since]
        return (
            [row["year"] for row in rows],
            [level + row["effect_since"] for row in rows],
            [2 * row["effect_since_se"] for row in rows],
        )

    def seen(self, case: str, since: int = 0) -> tuple[list[int], list[float]]:
        points = {y: v for y, v in self.observed(case).items() if y >= since}
        return list(points), list(points.values())

    def figure(self, name: str) -> str:
        w, first = self.w, _FIGURES[name][0]
        since, judged = self.cases[first]["since"], self.judged[first]
        lines: list[tuple[str, list[int], list[float]]] = []
        errors: list[list[float] | None] = []

        def add(label: str, xs: list[int], ys: list[float], error: list[float] | None = None) -> None:
            lines.append((w(f"past.{label}"), xs, ys))
            errors.append(error)

        level, reach = self.observed(first)[since], _UNLIKELY * judged["spread"]
        if name == "contract":
            for case, side in (("contract_ozl", "east"), ("contract_wm", "west")):
                add(f"observed_{side}", *self.seen(case, since))
                add(f"with_{side}", *self.level(case))
        else:
            add("observed", *self.seen(first))
            add("with", *self.level(first))
            if name == "ozl":
                add("with_all", *self.level("ozl_all"))
            years = self.level(first)[0]
            add("without", years, [level] * len(years))  # the engine has no trend of its own
        bar = None if name == "contract" else (judged["to"], level - reach, level + reach, w("past.alone"))
        footer = w("past.footer", **self.run)
        return plots.year_lines(
            f"back test {name}",
            lines,
            title=w(f"past.{name}_figure"),
            footer=footer if bar is None else f"{footer} {w('past.footer_bar')}",
            value_label=w("past.axis"),
            number=lambda v: w.number(v, 3 if bar is None else 2),
            errors=errors,
            reach=bar,
        )

    # -- tables

    def judged_rows(self) -> tuple[list[str], list[list[str]]]:
        w = self.w
        rows = []
        for case, row in self.judged.items():
            v = self.judgement(case)
            varied = row["engine_low"] != row["engine_high"]
            rows.append(
                [
                    w(f"case.{case}"),
                    f"{row['from']}\u2013{row['to']}",
                    v["observed"],
                    f"{v['engine']} \u00b1 {v['se']}",
                    f"{v['low']} / {v['high']}" if varied else "\u2013",
                    w.number(row["gap_in_spreads"], 1, sign=True),
                    v["smallest"],
                    v["apart"],
                ]
            )
        heads = [
            "place",
            "period",
            "change_observed",
            "change_engine",
            "range",
            "distance",
            "smallest",
            "smallest_apart",
        ]
        return [w(f"past.{k}") for k in heads], rows

    def years_rows(self) -> tuple[list[str], list[list[str]]]:
        w = self.w

        def show(value: float | None) -> str:
            return "" if value is None else w.number(value, 3)

        rows = []
        for (case, year), row in self.ratio.items():
            if year < self.cases[case]["since"]:
                continue
            rows.append(
                [
                    w(f"case.{case}"),
                    str(year),
                    show(row["observed"]),
                    show(row["recomputed"]),
                    f"{show(row['without'])} \u00b1 {show(row['without_se'])}",
                    f"{show(row['with'])} \u00b1 {show(row['with_se'])}",
                    f"{self.points(row['effect'])} \u00b1 {self.points(row['effect_se'], sign=False)}",
                    w.percent(row["share_of_cost"], 2),
                ]
            )
        heads = ["place", "year", "ratio_observed", "recomputed", "ratio_without", "ratio_with", "effect", "share"]
        return [w(f"past.{k}") for k in heads], rows

    def table(self, caption: str, found: tuple[list[str], list[list[str]]]) -> str:
        heads, rows = found
        kinds = ["text", "text", *["num"] * (len(heads) - 2)]
        return pages.table(self.w(f"past.{caption}"), list(zip(heads, kinds, strict=True)), rows)


def _content(data: Mapping[str, Any], lang: str) -> _Content:
    return _Content(data, Words.load(lang, "backtest"))


def paragraphs(data: Mapping[str, Any], lang: str = "en") -> list[tuple[str, str]]:
    """(key, paragraph) in order, headings included (their key is a case of the figures)."""
    c = _content(data, lang)
    found = [("lead", c.w("past.lead", **c.run))]
    for name in _FIGURES:
        found += [(name, c.w(f"past.{name}")), *getattr(c, name)()]
    return found


def figures(data: Mapping[str, Any], lang: str = "en") -> dict[str, str]:
    """SVG text of the figures: one for every programme."""
    c = _content(data, lang)
    return {f"backtest_{name}": c.figure(name) for name in _FIGURES}


def tables(data: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The frames, as they are written."""
    return {f"backtest_{name}": pages.frame(data[name]) for name in TABLES}


def section(data: Mapping[str, Any], lang: str = "en", *, small: bool = False) -> list[str]:
    """The blocks of a page: words, figures and the table of judgements; ``small``: say that a larger run exists."""
    c = _content(data, lang)
    pictures = figures(data, lang)
    parts = []
    for key, text in paragraphs(data, lang):
        if key in _FIGURES:
            parts.append(pages.heading(text))
            continue
        parts.append(pages.paragraph(text))
        if key == "lead" and small:
            parts.append(pages.paragraph(c.w("past.small"), "note"))
        if key.endswith("_seen"):
            parts.append(pages.figure(pictures[f"backtest_{key.removesuffix('_seen')}"]))
    return [
        *parts,
        pages.heading(c.w("past.power")),
        c.table("judged", c.judged_rows()),
        pages.paragraph(c.w("past.note"), "note"),
    ]


def write(data: Mapping[str, Any], out: str | PathLike[str], lang: str = "en") -> Path:
    """Write the page, the tables, the figures and ``results.json`` into ``out``, whole or not at all."""
    c = _content(data, lang)
    bundle = _bundle(data)
    for name, frame in tables(data).items():
        bundle.table(name, frame, origin="synthetic")
    for name, svg in figures(data, lang).items():
        bundle.figure(name, svg)
    to_json(data, bundle)
    title = c.w("past.title")
    bundle.report(
        pages.page(title, [f"<h1>{title}</h1>", *section(data, lang), c.table("table", c.years_rows())], lang)
    )
    return bundle.write(out)


def to_json(data: Mapping[str, Any], bundle: export.Bundle | None = None) -> str:
    """The text of ``results.json``; set in a bundle when there is one."""
    return (bundle or _bundle(data)).results({k: v for k, v in data.items() if k != "parameters_sha256"})


def _bundle(data: Mapping[str, Any]) -> export.Bundle:
    return export.Bundle(
        origin="synthetic",
        model=data["settings"]["model"],
        parameters_sha256=data["parameters_sha256"],
        data_sha256=None,
        seed=data["settings"]["seed"],
    )


# --- docs/backtests.md ------------------------------------------------------------------------------------------------

_HOW = """\
## How it is done

- **People**: `synthesise({persons}, ({first}, {last}), region=...)`, once with many rows around Bernhoven and once with
  many rows in the Mijnstreek, {seeds} seeds each. A row stands for {represents}.
- **With and without**: `World.run` on the same persons and draws. The change of the ratio is a paired difference: its
  error is small, while the ratio itself wanders from year to year by sampling alone ({level_se} points, one standard
  error, at most).
- **Ratio**: claimed hospital cost of the residents, add-on drugs and diagnostics included as in Vektis, over the cost
  of the same age and sex in the simulated country (prices and volumes of one year, so all years together). With the
  programme: (A + D) / (E (1 + D / N)), with D the change of claimed cost, A and N that of region and country without.
  Add-on drugs and diagnostics stay when hospital products go, so cost falls by somewhat less than volume.
- **Years**: classes look three years back and the generator starts in 2011, so 2014 is the first year of a run. Weights
  of our own, lagging macro amounts and lagging expected counts would look further back; they stay fixed
  (`lag = 0, macro = "fixed", expected_counts = "baseline"`). Hospital cost rests on none of them. The default rules
  refuse a start before 2017 and say why.
- **Law**: {law} in all years. PlusPunt of 2014 is paid by the law of 2021.
- **Insurers**: around Bernhoven VGZ and CZ insure what they insure nationally; their share there was not found.
- **Observed**: `params/evidence/backtests.toml`. Where raw Vektis files are at hand, `anderhalf backtest --vektis DIR`
  makes the ratios again by code that shares nothing with `regiobeeld`: {years}. Largest difference with the evidence:
  {difference} points, which is rounding.
- **Chance**: the standard deviation between municipalities of 30,000 insured or more of the change of the ratio, {sd}.
"""


def _markdown_table(html_heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(html_heads) + " |", "|---|---|" + "---:|" * (len(html_heads) - 2)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def markdown(data: Mapping[str, Any], folder: str) -> str:
    """The page ``docs/backtests.md``, in English; figures lie in ``folder``."""
    c = _content(data, "en")
    w = c.w
    command = f"tools/backtest_page --persons {data['settings']['persons']} --seeds {data['settings']['seeds']}"
    parts = [f"# {w('past.title')}", f"Written by `{command}`; a test fails when people, programmes or engine move."]
    for key, text in paragraphs(data):
        if key in _FIGURES:
            parts.append(f"## {text}")
            continue
        parts.append(text)
        if key.endswith("_seen"):
            name = key.removesuffix("_seen")
            parts.append(f"![{w(f'past.{name}_figure')}]({folder}/backtest_{name}.svg)")
    heads, rows = c.judged_rows()
    parts += [f"## {w('past.power')}", _markdown_table(heads, rows), w("past.note")]
    rows_of = list(c.ratio.values())
    again = [r for r in rows_of if r["recomputed"] is not None and r["observed"] is not None]
    difference = max((abs(r["recomputed"] - r["observed"]) for r in again), default=0.0)
    spreads = ", ".join(f"{s['value']} ({s['from']}\u2013{s['to']})" for s in c.evidence["spread"])
    stands = " and ".join(
        f"{r['region']} insured in the region ({name}), {r['rest']} elsewhere" for name, r in data["represents"].items()
    )
    parts.append(
        _HOW.format(
            **c.run,
            represents=stands,
            level_se=c.points(max(r["without_se"] for r in rows_of), sign=False),
            years=", ".join(str(y) for y in sorted({r["year"] for r in again})) or "none in this run",
            difference=w.number(difference * 100, 2),
            sd=spreads,
        )
    )
    heads, rows = c.years_rows()
    return "\n\n".join([*parts, f"## {w('past.table')}", _markdown_table(heads, rows)]) + "\n"
