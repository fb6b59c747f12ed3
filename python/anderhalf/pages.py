"""What reports are built of: the words of a language, how it writes numbers, and the blocks of a page.

The words stand in ``texts_<lang>.toml``, those of a simulation also in ``simulation_<lang>.toml``.
"""

from __future__ import annotations

import html
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from anderhalf import plots
from anderhalf.errors import ParameterError, not_found

LANGUAGES = ("en", "nl")
# Student's t, two-sided 95%, by degrees of freedom; 1.96 beyond.
T95 = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145)


# --- words ------------------------------------------------------------------------------------------------------------


class Words:
    """The texts of one language, and how it writes numbers."""

    def __init__(self, lang: str, texts: Mapping[str, str]) -> None:
        self.lang, self._texts = lang, texts

    @classmethod
    def load(cls, lang: str, *more: str) -> Words:
        """The texts of reports and of the files ``more``; refused when the language lacks one that English has."""
        if lang not in LANGUAGES:
            raise not_found("report", "language", [lang], LANGUAGES)
        texts: dict[str, str] = {}
        for stem in ("texts", *more):
            found, english = (flat(text_file(stem, code)) for code in (lang, "en"))
            missing = sorted(set(english) - set(found))
            if missing:
                rest = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
                raise ParameterError(
                    f"{len(missing)} texts are missing: {', '.join(missing[:5])}{rest}", f"{stem}_{lang}.toml"
                )
            texts |= found
        return cls(lang, texts)

    def __call__(self, text_key: str, **values: Any) -> str:
        if text_key not in self._texts:
            raise ParameterError("no such text", f"texts_{self.lang}.toml", text_key)
        return self._texts[text_key].format(**values)

    def section(self, name: str) -> list[tuple[str, str]]:
        """All keys of a section and their texts, in order."""
        return [(key, text) for key, text in self._texts.items() if key.startswith(f"{name}.")]

    def has(self, key: str) -> bool:
        return key in self._texts

    def label(self, kind: str, name: str, *, default: str | None = None, **values: Any) -> str:
        """The words for a name that comes with the data; the name itself, or ``default``, when there are none."""
        key = f"{kind}.{name}"
        return self(key, **values) if key in self._texts else name if default is None else default

    def data(self, kind: str, name: str, english: str) -> str:
        """A text of the parameter files (English) in this language; in another it is marked as English."""
        if self.lang == "en" or not english:
            return english
        key = f"{kind}.{name}"
        return self._texts[key] if key in self._texts else f"[{self('format.of_lang')}] {english}"

    def number(self, value: float, decimals: int = 0, *, sign: bool = False) -> str:
        text = f"{abs(value):,.{decimals}f}"
        minus = value < 0 and text.strip("0.,") != ""
        text = text.replace(",", "\0").replace(".", self("format.decimal")).replace("\0", self("format.thousand"))
        plus = "+" if sign and text.strip("0.,") != "" else ""
        return ("\u2212" if minus else plus) + text

    def percent(self, share: float, decimals: int = 0) -> str:
        return self("format.percent", n=self.number(share * 100, decimals))

    def short(self, share: float) -> str:
        """A share with the decimals it needs."""
        return self(
            "format.percent", n=self.number(share * 100, 0 if abs(share * 100 - round(share * 100)) < 1e-9 else 1)
        )

    def amount(self, cents: float) -> str:
        """An amount in a sentence, without its sign: three figures are enough there."""
        euros = abs(cents) / 100
        if euros >= 999_500:
            millions = euros / 1e6
            decimals = 2 if millions < 99.995 else 0
            return self("format.million", n=self.number(millions, decimals))
        rounded = round(euros, -3) if euros >= 10_000 else round(euros, -1) if euros >= 1000 else euros
        return self("format.eur", n=self.number(rounded))

    def signed(self, cents: float) -> str:
        """An amount in a sentence with its sign."""
        text = self.amount(cents)
        sign = "\u2212" if cents < 0 else "+" if cents > 0 else ""
        return re.sub(r"(?=\d)", sign, text, count=1)

    def axis(self, value: float) -> str:
        """A number on the axis of a figure."""
        return self.number(value, max(0, len(f"{abs(value):.10g}".partition(".")[2])))

    def euros(self, value: float, decimals: int = 2) -> str:
        return self("format.eur", n=self.number(value, decimals))

    def thousands(self, cents: float) -> str:
        """Thousands of euros, as tables have them."""
        kilo = cents / 1e5
        return self.number(kilo, 1 if abs(kilo) < 99.95 else 0)

    def list(self, items: Sequence[str]) -> str:
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {self('format.and')} {items[-1]}"


def text_file(stem: str, lang: str) -> dict[str, Any]:
    """The texts of one file and language, by section."""
    return tomllib.loads(Path(__file__).with_name(f"{stem}_{lang}.toml").read_text(encoding="utf-8"))


def flat(texts: Mapping[str, Any]) -> dict[str, str]:
    """``section.key`` and its text."""
    return {f"{section}.{key}": text for section, keys in texts.items() for key, text in keys.items()}


# --- blocks of a page -------------------------------------------------------------------------------------------------

_CSS = """\
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { font: 17px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
       max-width: 62rem; margin: 0 auto; padding: 1.2rem 1.2rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .2rem 0 .8rem; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 3rem 0 .6rem; padding-top: .7rem; border-top: 2px solid #1a1a1a; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
p, li { max-width: 46rem; } ul { padding-left: 1.2rem; } li { margin: .25rem 0; }
.head { color: #555; font-size: .9rem; margin: 0; } .question { font-size: 1.15rem; }
.answer { border: 2px solid #1a1a1a; border-left-width: 10px; padding: .8rem 1.1rem; margin: 1.2rem 0; }
.answer.gain { border-left-color: #0072B2; } .answer.loss { border-left-color: #b84f00; }
.answer .short { font-size: 1.5rem; font-weight: 700; margin: 0; line-height: 1.25; }
.answer .short + p { font-size: 1.15rem; margin-top: .35rem; }
.answer p { margin: .2rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem 1.2rem;
         margin: .9rem 0 .2rem; }
.tiles strong { display: block; font-size: 1.2rem; line-height: 1.25; } .tiles span { font-size: .85rem; color: #444; }
.tiles div { line-height: 1.3; }
.legend { font-size: .88rem; max-width: none; } .legend > span { white-space: nowrap; margin-right: 1rem; }
.key { display: inline-block; min-width: 2.1rem; text-align: center; border: 1px solid transparent; line-height: 1.4; }
.key.gain { background: #0072B2; color: #fff; } .key.gain_doubt { background: #cfe3f1; }
.key.loss_doubt { background: #f9dcc9; } .key.loss { background: #b84f00; color: #fff; }
.key.base_key { border: 3px solid #1a1a1a; min-height: 1.4em; vertical-align: middle; }
.alarm { border: 3px solid #a00000; color: #a00000; font-weight: 700; padding: .6rem 1rem; }
nav ol { columns: 2; padding-left: 1.4rem; margin: .3rem 0; } nav li { margin: 0; padding: .12rem 0; }
a { color: #004f7c; }
figure { margin: 1.2rem 0; max-width: 38rem; } figure svg { display: block; width: 100%; height: auto; }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .6rem 1rem; }
.three figure { margin: .4rem 0; max-width: 24rem; }
figcaption, .note { color: #444; font-size: .88rem; max-width: 46rem; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: .88rem; line-height: 1.35; }
.cap { font-weight: 600; font-size: .95rem; margin: 1.3rem 0 .3rem; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #d5d5d5; vertical-align: top; }
thead th { border-bottom: 2px solid #1a1a1a; vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 7.5rem; } th.text, td.text { text-align: left; }
td.long { text-align: left; min-width: 14rem; }
td.num, th.num { white-space: nowrap; } .stack td.num { white-space: normal; } thead th.num { white-space: normal; }
tr.strong > * { font-weight: 700; } td.empty { border: 1px dashed #777; min-width: 7rem; }
td.hash { overflow-wrap: anywhere; text-align: left; }
dl { max-width: 46rem; } dt { font-weight: 600; } dd { margin: 0 0 .4rem 1.2rem; }
@media (max-width: 640px) {
  body { font-size: 16px; padding: .8rem .9rem 3rem; } h1 { font-size: 1.45rem; } nav ol { columns: 1; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack, table.stack tbody, table.stack tr, table.stack th, table.stack td { display: block; }
  table.stack tr { border-bottom: 2px solid #999; padding: .35rem 0; }
  table.stack tbody th { font-weight: 600; padding: .15rem 0; border: 0; text-align: left; }
  table.stack td { border: 0; padding: .08rem 0; text-align: left; min-width: 0; white-space: normal; }
  table.stack td::before { content: attr(data-label) ": "; color: #555; }
  table.stack td.blank { display: none; }
  th, td { padding: .3rem .4rem; } tbody th { min-width: 7rem; position: sticky; left: 0; background: #fff; }
  table.stack tbody th { position: static; } td.long { min-width: 9rem; }
  .wide { background: linear-gradient(90deg, #fff 30%, #fff0) 0 0 / 2rem 100% no-repeat local,
          linear-gradient(270deg, #fff 30%, #fff0) 100% 0 / 2rem 100% no-repeat local,
          linear-gradient(90deg, #0003, #0000) 0 0 / .6rem 100% no-repeat scroll,
          linear-gradient(270deg, #0003, #0000) 100% 0 / .6rem 100% no-repeat scroll; }
}
@media print {
  @page { margin: 16mm 14mm; }
  html { font-size: 10pt; } body { max-width: none; font-size: 1rem; padding: 0; }
  h2 { break-after: avoid; margin-top: 1.6rem; }
  h3, .cap { break-after: avoid; } figure, tr, .answer { break-inside: avoid; } nav { display: none; }
  .three { grid-template-columns: repeat(3, 1fr); } .wide { overflow: visible; } table { font-size: .78rem; }
  th, td { padding: .12rem .3rem; } figure { max-width: 13cm; } a { color: inherit; text-decoration: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def rich(text: str) -> str:
    """Plain text as HTML: ``**bold**`` and ``*term*``."""
    safe = html.escape(text, quote=False)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", safe)
    return re.sub(r"\*([^*]+?)\*", r"<em>\1</em>", safe)


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{rich(text)}</p>' if kind else f"<p>{rich(text)}</p>"


def heading(text: str) -> str:
    return f"<h3>{rich(text)}</h3>"


def bullets(items: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{rich(item)}</li>" for item in items) + "\n</ul>"


def figure(svg: str, caption: str = "") -> str:
    words = f"<figcaption>{rich(caption)}</figcaption>\n" if caption else ""
    return f"<figure>\n{plots.compact(svg[svg.index('<svg') :].strip())}\n{words}</figure>"


def table(
    caption: str,
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    *,
    stack: bool = False,
    strong: Callable[[int], bool] | None = None,
) -> str:
    """Cells are texts; ``heads`` are (words, kind): text, long, num, hash or empty; the first cell heads its row."""
    name = "t-" + re.sub(r"[^a-z0-9]+", "-", caption.casefold())[:60].strip("-")
    lines = [
        f'<p class="cap" id="{name}">{rich(caption)}</p>',
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="{name}">'
        f'<table aria-labelledby="{name}"{" class=" + chr(34) + "stack" + chr(34) if stack else ""}>',
        "<thead><tr>"
        + "".join(f'<th scope="col" class="{"num" if k == "num" else "text"}">{rich(h)}</th>' for h, k in heads)
        + "</tr></thead>",
        "<tbody>",
    ]
    for number, row in enumerate(rows):
        cells = []
        for k, ((head, kind), cell) in enumerate(zip(heads, row, strict=True)):
            if k == 0:
                cells.append(f'<th scope="row" class="text">{rich(cell)}</th>')
                continue
            kinds = kind if kind in ("num", "long", "hash") else "text"
            kinds += " empty" if kind == "empty" and not cell else " blank" if not cell else ""
            cells.append(f'<td class="{kinds}" data-label="{html.escape(head)}">{rich(cell)}</td>')
        mark = ' class="strong"' if strong and strong(number) else ""
        lines.append(f"<tr{mark}>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def page(title: str, body: Iterable[str], lang: str) -> str:
    """One self-contained page: no script, nothing to fetch."""
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{_CSS}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([dict(row) for row in rows], dtype=object)  # whole numbers stay whole beside what is missing
    if frame.empty:
        return pd.DataFrame({"note": pd.Series(["none"])})
    return frame.where(frame.notna(), None)


def plain_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(f"{v:g}" for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def lower(text: str) -> str:
    """A label inside a sentence: its first letter small, unless the word is an abbreviation."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
