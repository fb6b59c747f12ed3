"""The page of one programme line: what it does, how it reaches the classes, what a run gave, and what is behind it.

:func:`measure` runs a programme in a world and keeps the figures; :func:`page` writes them as Markdown. The page says
what the file says: no text about a programme stands here.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from anderhalf import _core
from anderhalf._paths import data_directory
from anderhalf.population import product_table
from anderhalf.programme import Programme
from anderhalf.programme_checks import Measures, judged
from anderhalf.simulation import Simulation, World

ADOPTIONS = ("region", "insurer:CZ")

#: How a change in a category of care reaches what an insurer is paid (Regeling risicoverevening 2021 art. 5-9; Besluit
#: zorgverzekering art. 2.17).
ROUTES = {
    "hospital": "Hospital claims other than consults can carry a dx group, so a class of DKG, one year later. "
    "They count for MHK over the next three years, and for the deductible.",
    "drugs": "Drugs carry FKG by their daily doses, one year later: a lower price keeps it, fewer doses can end it. "
    "They count for MHK and for the deductible.",
    "devices": "Devices carry HKG one year later. They count for MHK and the deductible.",
    "paramedical": "Physiotherapy can carry FDG one year later. Paramedical care counts for MHK and the deductible.",
    "nursing": "District nursing carries MVV over the next three years: more nursing can raise the contribution. "
    "It does not count for MHK or the deductible.",
    "ggz": "Mental care has its own model (DKG, FKG and MHK of mental care), one to five years later. "
    "It counts for the deductible.",
    "gp": "Care of the GP carries no class of its own. It counts for MHK, and not for the deductible.",
    "chain_care": "Chain care with the GP carries no class of its own. It counts for MHK, and not for the deductible.",
    "one_and_a_half_line": "1.5-line care under the title of GP care carries no class of its own and is free of the "
    "deductible. It counts for MHK.",
    "elv": "Short stay carries no class of its own. It counts for MHK and the deductible.",
    "grz": "Geriatric rehabilitation carries no class of its own. It counts for MHK and the deductible.",
    "diagnostics": "Diagnostics outside the hospital carry no class. They count for MHK and the deductible.",
    "transport": "Transport carries no class. It counts for MHK and the deductible.",
}

_EFFECT = {
    "avoided": "goes",
    "repriced": "gets another price",
    "replacement": "takes its place",
    "added": "is added",
    "referred_on": "is sent on",
    "downstream": "follows",
    "price_rebase": "comes back in prices",
}
_ACT = {
    "avoid": "goes",
    "reprice": "gets another price",
    "replace": "is replaced",
    "add": "is added, once per insured and year",
}


def measure(world: World, programme: Programme) -> dict[str, Any]:
    """What a programme gave in a world: claims that moved, classes, money by adoption, checks. Plain data."""
    runs = {adoption: world.run(programme, adoption) for adoption in ADOPTIONS}
    region = Measures(runs["region"], 0)
    return {
        "years": list(region.full),
        "insured_years": round(region.insured_years(region.full) / len(region.full)),
        "moves": _moves(region),
        "class_years": region.after(region.full) or [region.last],
        "classes": _classes(region),
        "channels": _channels(runs["region"]),
        "money": [_money(run) for run in runs.values()],
        "checks": {check.name: region.found(check.name) for check in programme.file.check},
    }


def money(world: World, programmes: Sequence[Programme]) -> list[dict[str, Any]]:
    """Saving, change in result and payback of programmes together, by who takes part."""
    return [_money(world.run(programmes, adoption, decompose=False)) for adoption in ADOPTIONS]


def _moves(of: Measures) -> list[dict[str, Any]]:
    """Claims and euros a year at full size, by rule, effect and category."""
    keys = ["", *of.rules]
    moves = of.moves(of.full)
    rows = []
    for (rule, effect, category), part in moves.groupby(["rule", "effect", "category"]):
        rows.append(
            {
                "rule": keys[rule],
                "effect": effect,
                "category": list(_core.Category.__members__)[category],
                "claims": round(int(part.claims.sum()) / len(of.full)),
                "eur": round(int(part.claimed.sum()) / 100 / len(of.full)),
                "rows": int(part.persons.sum()),
            }
        )
    return sorted(rows, key=lambda row: (keys.index(row["rule"]), list(_EFFECT).index(row["effect"]), row["category"]))


def _classes(of: Measures) -> list[dict[str, Any]]:
    """Insured years and euros a year by criterion, in the years after those at full size."""
    after = of.after(of.full) or [of.last]
    changes = of.run.class_changes
    changes = changes[changes.year.isin(after)]
    rows = []
    for criterion, part in changes.groupby("criterion"):
        held = part[part.code > 0]
        rows.append(
            {
                "criterion": str(criterion),
                "lost": round(float(held.years_lost.sum()) / len(after), 1),
                "won": round(float(held.years_won.sum()) / len(after), 1),
                "eur": round(float(part.euro_change.sum()) / len(after)),
            }
        )
    return rows


def _channels(run: Simulation) -> dict[str, int]:
    """Euros by channel, all insurers, all years."""
    cents = run.decomposition.groupby("channel", sort=False).cents.sum()
    return {str(channel): round(int(of) / 100) for channel, of in cents.items()}


def _money(run: Simulation) -> dict[str, Any]:
    found = run.incentives
    return {
        "adoption": run.adoption,
        "saving_eur": round(found["saving_cents"] / 100),
        "npv_eur": round(found["npv_cents"] / 100),
        "kept_share": None if found["kept_share"] is None else round(found["kept_share"], 4),
        "payback_year": found["payback_year"],
    }


_MOVES = ("Rule", "What happens", "Category", "Claims", "EUR", "EUR per insured", "Rows")
_VALUES = ("Value", "", "Range", "Tag", "Source or reason")

# --- the page -------------------------------------------------------------------------------------------------------


def page(programme: Programme, found: dict[str, Any], measured: str) -> str:
    """The page as Markdown.

    Parameters
    ----------
    found : dict
        What :func:`measure` returned.
    measured : str
        On what it was measured: size, seed, law.
    """
    head = programme.file.programme
    parts = [
        f"# {head.title}",
        *([f"*{head.title_nl}*"] if head.title_nl else []),
        *([text] if (text := about(programme)) else []),
        "## What it does",
        _when(programme),
        *([_rules(programme)] if programme.file.rule else []),
        *([_centre(programme)] if programme.file.line else []),
        *([_contracts(programme)] if programme.file.contract else []),
        "## Which claims move",
        f"Measured on {measured}. All insurers take part. Per year, at full size ({_span(found['years'])}), in an area "
        f"of {found['insured_years']:,} insured years; amounts are what is claimed.",
        _table(_MOVES, _move_rows(found), "lllrrrr"),
        "## Route into the classes",
        _route(found),
        *_class_part(found),
        "## Who gains",
        _money_part(found),
        "## Beside what was published or assumed",
        _check_part(programme, found),
        "## What is known",
        _table(("What", "Figure", "Source"), [(e.what, e.figure, e.source) for e in programme.file.evidence], "lll")
        if programme.file.evidence
        else "Nothing was entered.",
        "## Every value",
        _table(_VALUES, [_value_row(row) for row in programme.assumptions()], "lrrll"),
    ]
    return "\n\n".join(parts) + "\n"


def about(programme: Programme) -> str:
    """The comment at the head of the programme's file; empty for a file that is not one of ours."""
    path = data_directory("scenarios") / programme.path
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != programme.sha256:
        return ""
    lines = []
    for line in data.decode("utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return "\n".join(lines).strip()


def _when(programme: Programme) -> str:
    head = programme.file.programme
    text = f"Area `{head.region}`, from {programme.get('start_year')}"
    ramp = [f"{100 * r:.3g}%" for r in programme.get("ramp")]
    text += f"; size by year {', '.join(ramp)}" if len(ramp) > 1 else "; at once at full size"
    if programme.file.value.hand_over_year is not None:
        text += f"; from {programme.get('hand_over_year')} the area is `{head.hand_over_region}`"
    if programme.file.value.end_year is not None:
        text += f"; the last year is {programme.get('end_year')}, after which claims are those of the baseline again"
    return text + "."


def _rules(programme: Programme) -> str:
    rows = []
    for rule in programme.core([], [], 1.0, insurer_code=lambda name: 0).rules:
        text = f"{_chosen(rule.claims)} {_ACT[rule.act.name]}" if _asks(rule.claims) else _ACT[rule.act.name]
        if rule.act == _core.Act.reprice:
            text += f", times {rule.factor_ppm / 1e6:g}"
            if rule.ddd_factor_ppm != 1_000_000:
                text += f" with doses times {rule.ddd_factor_ppm / 1e6:g}"
        share = f"{rule.share_ppm / 1e4:.3g}% of {'claims' if rule.per == _core.Per.claim else 'people, for good'}"
        if rule.act == _core.Act.add:
            share = f"{rule.share_ppm / 1e4:.3g}% of insured years"
        after = f"; from {rule.start_after} years after the start" if rule.start_after else ""
        rows.append((rule.key, _capital(text), share + after, _for(rule.who), _follows(rule.with_claims)))
    return _table(("Rule", "What", "How many", "Of whom", "What follows"), rows, "lllll")


def _follows(claims: Sequence[Any]) -> str:
    texts = []
    for c in claims:
        often = "" if c.probability_ppm == 1_000_000 else f" in {c.probability_ppm / 1e4:.3g}%"
        texts.append(f"{_words(c.category.name)}, EUR {c.price / 100:,.2f}{often} ({_EFFECT[c.effect.name]})")
    return "; ".join(texts) or "–"


def _for(who: Any) -> str:
    texts = []
    if who.min_age > 0 or who.max_age < 200:
        texts.append(f"{who.min_age} and over" if who.max_age >= 200 else f"ages {who.min_age} to {who.max_age}")
    if who.sex:
        texts.append("men" if who.sex == 1 else "women")
    for name, words in (("has", "with"), ("has_not", "without"), ("onset", "new with")):
        if (selector := getattr(who, name)) is not None:
            texts.append(f"{words} {_chosen(selector)}")
    return ", ".join(texts) or "everybody"


def _asks(selector: Any) -> bool:
    return bool(selector.categories or selector.specialisms or selector.diagnoses or selector.products)


def _chosen(selector: Any) -> str:
    """A selector in words."""
    text = " and ".join(_words(c.name) for c in selector.categories) or "all care"
    names = list(dict.fromkeys(_names(selector)))
    if names:
        more = f" and {len(names) - 9} more" if len(names) > 9 else ""
        text += f" ({', '.join(names[:9])}{more})"
    low, high = selector.min_cents, selector.max_cents
    if low > 0:
        text += f" of EUR {low / 100:,.2f} and more"
    if high < 10**15:
        text += f" up to EUR {high / 100:,.0f}"
    return text


def _names(selector: Any) -> list[str]:
    """What products, specialisms and diagnoses stand for, in the codes of the synthetic population."""
    if not (selector.products or selector.specialisms or selector.diagnoses):
        return []
    table = product_table()
    if selector.categories:
        table = table[table.category.isin([c.name for c in selector.categories])]
    if selector.specialisms:
        table = table[table.specialism.isin(selector.specialisms)]
    if selector.diagnoses:
        table = table[table.diagnosis.isin(selector.diagnoses)]
    names: list[str] = []
    for row in table.to_dict("records"):
        if selector.products and not any(a <= row["last"] and row["product"] <= b for a, b in selector.products):
            continue
        whole = not selector.products or any(b - a >= 499 for a, b in selector.products)
        names.append(str(row["name"]) if whole or not row["setting"] else f"{row['name']}, {row['setting']}")
    return names


def _centre(programme: Programme) -> str:
    rows = [
        (_words(line.specialty), line.specialism, ", ".join(map(str, line.diagnoses)), _percent(line.refer_on.value))
        for line in programme.file.line
    ]
    get = programme.get
    return (
        f"A 1.5-line centre sees {_percent(get('patients_share'))} of the insured of the area a year; "
        f"{_percent(get('added_demand'))} of them would not have gone to the hospital. Of the hospital products taken "
        f"over {_percent(get('consult_share'))} are consults. A contact costs EUR {get('price'):.2f}, title "
        f"`{get('payment_title')}`.\n\n"
    ) + _table(("Specialty", "Specialism", "Diagnoses", "Sent on to the hospital"), rows, "lrlr")


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _contracts(programme: Programme) -> str:
    texts = []
    for n, c in enumerate(programme.file.contract, 1):
        who = "all insurers" if c.insurer == "all" else c.insurer
        text = f"- {c.hospital} and {who}, {c.from_year} to {c.to_year}: `{c.kind}`"
        if f"contract.{n}.pass_through" in programme.values:
            text += f", the insurer saves {_percent(programme.get(f'contract.{n}.pass_through'))} of what goes"
        if c.kind == "price_rebase":
            share, years = (programme.get(f"contract.{n}.{key}") for key in ("rebase_share", "rebase_years"))
            text += f", {_percent(share)} of lost revenue comes back in prices over {years} years"
        texts.append(text)
    return "Contract for hospital care:\n\n" + "\n".join(texts)


def _move_rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    years = found["insured_years"]
    return [
        (
            row["rule"] or "centre",
            _EFFECT[row["effect"]],
            _words(row["category"]),
            f"{row['claims']:,}",
            f"{row['eur']:,}",
            f"{row['eur'] / years:.2f}",
            f"{row['rows']:,}",
        )
        for row in found["moves"]
    ]


def _route(found: dict[str, Any]) -> str:
    touched = dict.fromkeys(row["category"] for row in found["moves"])
    return "\n".join(f"- {ROUTES[name]}" for name in ROUTES if name in touched)


def _class_part(found: dict[str, Any]) -> list[str]:
    if not found["classes"]:
        return ["In this run nobody's classes of the variable share changed through their own claims."]
    rows = [
        (
            row["criterion"].upper(),
            f"{row['lost']:,.1f}",
            f"{row['won']:,.1f}",
            f"{row['eur']:,}",
            f"{row['eur'] / found['insured_years']:.2f}",
        )
        for row in found["classes"]
    ]
    return [
        f"What the run showed, per year in {_span(found['class_years'])}: insured years that lost and that won a class "
        "through their own claims, at the thresholds of the baseline, and what that changes in the variable share at "
        "official weights (the class `none` included, before neutrality). Classes look at care of earlier years.",
        _table(("Criterion", "Lost", "Won", "EUR a year", "EUR per insured"), rows, "lrrrr"),
    ]


def _money_part(found: dict[str, Any]) -> str:
    rows = [
        (
            _who(row["adoption"]),
            f"{row['saving_eur']:,}",
            f"{row['npv_eur']:,}",
            _percent(row["kept_share"]) if row["saving_eur"] > 0 else "–",
            str(row["payback_year"] or "never"),
        )
        for row in found["money"]
    ]
    channels = [(name, f"{eur:,}") for name, eur in found["channels"].items() if eur]
    head = ("Who takes part", "Saved on claims, EUR", "Change in result, EUR", "Kept", "Paid back in")
    return (
        _table(head, rows, "lrrrr")
        + "\n\nOver all years of the run, discounted; *kept* is the change in result over the saving on claims, and "
        "says little when the saving is small. By channel, all insurers together, not discounted:\n\n"
        + _table(("Channel", "EUR"), channels, "lr")
    )


def verdicts(programme: Programme, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks of a programme beside what :func:`measure` found for them."""
    return [judged(check, found["checks"][check.name]) for check in programme.file.check]


def _check_part(programme: Programme, found: dict[str, Any]) -> str:
    if not found["checks"]:
        return "Nothing was entered."
    rows = []
    for row in verdicts(programme, found):
        low, high = row["range"]
        ours = "–" if row["ours"] is None else f"{row['ours']:.3g}"
        if row["error"] is not None:
            ours += f" ± {row['error']:.2g}"
        text = row["sentence"] + (f" {row['explanation']}" if row["explanation"] else "")
        stated = f"{row['published']:g} ({low:g} to {high:g})"
        rows.append((f"`{row['name']}`", ours, stated, row["verdict"], text, row["source"]))
    return _table(("Outcome", "Ours", "Stated", "Verdict", "In words", "Source"), rows, "lrrlll")


def _value_row(row: dict[str, Any]) -> tuple[str, ...]:
    value = row["value"]
    parts = value if isinstance(value, list) else [value]
    shown = ", ".join(part if isinstance(part, str) else f"{part:g}" for part in parts)
    low_high = "" if not row["range"] else f"{row['range'][0]:g} to {row['range'][1]:g}"
    unit = f" [{row['unit']}]" if row["unit"] else ""
    return (f"`{row['key'].partition('.')[2]}`", shown, low_high, row["tag"], row["source"] + unit)


def _span(years: Sequence[int]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"


_WORDS = {
    "gp": "GP",
    "elv": "short stay (ELV)",
    "grz": "geriatric rehabilitation (GRZ)",
    "ggz": "mental care (GGZ)",
    "one_and_a_half_line": "1.5-line care",
    "ent": "ENT",
}


def _words(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], align: str) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---:" if a == "r" else "---" for a in align) + "|"]
    lines += ["| " + " | ".join(str(v).replace("|", "\\|").replace("\n", " ") for v in row) + " |" for row in rows]
    return "\n".join(lines)


def overview(
    programmes: Mapping[str, Programme],
    found: Mapping[str, dict[str, Any]],
    together: Sequence[Mapping[str, Any]],
    measured: str,
) -> str:
    """The page that leads to the others: every line in a row."""
    rows, seen = [], []
    for name, programme in programmes.items():
        result = found[name]
        judgements = [row["verdict"] for row in verdicts(programme, result)]
        seen += judgements
        region, alone = result["money"]
        cost = sum(row["eur"] for row in result["moves"])
        classes = sum(row["eur"] for row in result["classes"])
        inside = sum(verdict in ("inside", "within error") for verdict in judgements)
        rows.append(
            (
                f"[{programme.file.programme.title}]({name}.md)",
                f"`{programme.file.programme.region}`",
                f"{cost / result['insured_years']:.2f}",
                f"{classes / result['insured_years']:.2f}",
                f"{region['npv_eur'] / 1e6:.2f}",
                f"{alone['npv_eur'] / 1e6:.2f}",
                f"{inside} of {len(judgements)}",
            )
        )
    count = {v: seen.count(v) for v in ("inside", "within error", "outside", "not measured")}
    parts = [
        "# The programme lines of the Mijnstreek",
        "A page per line: what it does, which claims move, its route into the classes, what a run gave, and what is "
        "known about it. Written by `tools/programme_pages`; a test keeps it true.",
        f"Measured on {measured}. Cost and classes (of the variable share) are changes a year at full size with all "
        "insurers taking part; the last two columns of money are the change in the insurers' result over all years, "
        "discounted.",
        _table(_OVERVIEW, rows, "llrrrrr"),
        f"Of {len(seen)} outcomes that were published or assumed elsewhere, {count['inside']} lie in their range, "
        f"{count['within error']} outside it by less than the error of the sample, {count['outside']} outside, "
        f"{count['not measured']} were not measured. Most ranges are assumptions of the field note that the lines were "
        "written from; rules were set by arithmetic on claims and never by classes.",
        "## Together",
        "Lines in one run act on the claims that those before left, so that what two would take counts once; and a "
        "contract of one of them holds for all: under a lump sum no line saves its insurer hospital cost. EUR million "
        "over all years, discounted.",
        _table(_TOGETHER, _joint(found, together), "llrrrr"),
        "## Sources",
        _table(("Source", "Read"), _sources(), "ll"),
    ]
    return "\n\n".join(parts) + "\n"


_TOGETHER = ("Lines", "Who takes part", "Saved", "Saved one by one", "Result", "Results one by one")


def _joint(found: Mapping[str, dict[str, Any]], together: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    rows = []
    for run in together:
        for k, joint in enumerate(run["money"]):
            alone = [found[name]["money"][k] for name in run["names"]]
            rows.append(
                (
                    run["what"],
                    _who(joint["adoption"]),
                    *(
                        f"{eur / 1e6:.2f}"
                        for key in ("saving_eur", "npv_eur")
                        for eur in (joint[key], sum(one[key] for one in alone))
                    ),
                )
            )
    return rows


def _who(adoption: str) -> str:
    return "all insurers" if adoption == "region" else adoption.replace("insurer:", "") + " alone"


_OVERVIEW = (
    "Line",
    "Area",
    "Cost of care, EUR per insured",
    "Classes, EUR per insured",
    "All insurers, EUR million",
    "CZ alone, EUR million",
    "Checks in range",
)


def _sources() -> list[tuple[str, str]]:
    with (data_directory("params") / "evidence" / "programmes.toml").open("rb") as file:
        rows = tomllib.load(file)["source"]
    return [
        (f"[{row['title']}]({row['url']})" if row["url"] else row["title"], row["status"].replace("_", " "))
        for row in rows
    ]
