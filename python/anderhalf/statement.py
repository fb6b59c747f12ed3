"""Statements of payment for people: every step with its article and its arithmetic in words; the pages, the commands.

The words stand in ``statement_<lang>.toml``. Amounts are those of the lines of :class:`~anderhalf.payment.Paid`; what
is said of all insurers together is their sum.
"""

from __future__ import annotations

import html
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from anderhalf.columns import source
from anderhalf.errors import ParameterError, Problem, not_found
from anderhalf.export import MINIMUM_PERSONS, Bundle, html_heading, html_page, html_paragraph, html_table, small_cells
from anderhalf.insured import FIXED, FIXED_HISTORY, FORGONE, OWN_PAYMENTS, Insurer, base
from anderhalf.model import MICRO_PER_CENT
from anderhalf.payment import PPM, Difference, Line, Paid, ShareResult, pay

if TYPE_CHECKING:
    from anderhalf.model import Model

WIDTH = 100
LANGUAGES = ("en", "nl")


# --- words ------------------------------------------------------------------------------------------------------------


class Words:
    """The texts of one language, and numbers as it writes them."""

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise not_found("statement", "language", [lang], LANGUAGES)
        self.lang = lang
        self.texts = tomllib.loads(Path(__file__).with_name(f"statement_{lang}.toml").read_text(encoding="utf-8"))
        self.decimal, self.thousand = self.texts["format"]["decimal"], self.texts["format"]["thousand"]

    def __call__(self, section: str, key: str, **values: Any) -> str:
        return str(self.texts[section][key]).format(**values)

    def name(self, section: str, key: str) -> str:
        """The word for a key, or the key itself."""
        return str(self.texts[section].get(key, key))

    def number(self, value: Fraction | float | int, decimals: int = 2) -> str:
        exact = Fraction(value)
        scaled = Decimal(exact.numerator) / Decimal(exact.denominator)
        text = f"{scaled.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"
        text = text[1:] if text.startswith("-") and not text.strip("-0.,") else text
        return text.replace(",", "\0").replace(".", self.decimal).replace("\0", self.thousand)

    def amount(self, cents: Fraction | float | int) -> str:
        """Cents as euros with two decimals, without the name of the currency."""
        return self.number(Fraction(cents) / 100)

    def eur(self, cents: Fraction | float | int) -> str:
        return self("format", "eur", n=self.amount(cents)).replace(" ", "\u00a0")

    def weight(self, micro: int) -> str:
        return self.number(Fraction(micro, 1_000_000))

    def percent(self, share: Fraction | float, most: int = 4) -> str:
        text = self.number(Fraction(share) * 100, most)
        return (text.rstrip("0").rstrip(self.decimal) if self.decimal in text else text) + "%"

    def plain(self, value: Fraction | float | int, most: int = 4) -> str:
        text = self.number(value, most)
        return text.rstrip("0").rstrip(self.decimal) if self.decimal in text else text

    def criterion(self, name: str) -> str:
        return self.name("criterion", base(name))

    def article(self, text: str) -> str:
        """``art. 11(4)``; as it is when it begins with the name of a regulation."""
        known = text.replace(" with ", f" {self('page', 'with')} ").replace("annex", self("page", "annex"))
        return self("page", "article", article=known) if text[:1].isdigit() else known

    def source(self, text: str) -> str:
        """Regulation and annex."""
        return text.replace("annex", self("page", "annex"))


@lru_cache(maxsize=4)
def words(lang: str) -> Words:
    return Words(lang)


# --- one insurer ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One step as it is said: title, article, amount, and sentences."""

    share: str
    item: str
    title: str
    article: str
    cents: int
    sentences: tuple[str, ...]


class _Desk:
    """Says the steps of one insurer."""

    def __init__(self, paid: Paid, insurer: Insurer, w: Words) -> None:
        self.paid, self.w, self.i = paid, w, paid.position(insurer)
        self.year = paid.days_in_year

    def steps(self) -> Iterator[Step]:
        seen: list[Line] = []
        for line in self.paid.steps:
            before = [s for s in seen if s.share == line.share]
            yield Step(
                line.share, line.item, self.w.name("item", line.item), line.article, line.cents[self.i],
                tuple(self.say(line, before)),
            )  # fmt: skip
            seen.append(line)

    # --- amounts

    def own(self, lines: Sequence[Line]) -> int:
        return sum(line.cents[self.i] for line in lines)

    def all(self, lines: Sequence[Line]) -> int:
        return sum(sum(line.cents) for line in lines)

    def years(self, days: Any) -> Fraction:
        return Fraction(int(days), self.year)

    def result(self, share: str) -> ShareResult:
        return self.paid.result(share)

    @property
    def model(self) -> Model:
        assert self.paid.model is not None
        return self.paid.model

    @property
    def adults(self) -> tuple[Fraction, Fraction]:
        """Insured years of adults, of this insurer and of all."""
        return self.years(self.paid.adult_days[self.i]), self.years(self.paid.adult_days.sum())

    # --- sentences

    def say(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        if line.share == "own":
            if line.item == "scaling":
                yield self._scaling_own(before)
            return
        says: dict[str, Callable[[Line, Sequence[Line]], Iterator[str]]] = {
            "normative": self._fixed if line.share == "fixed" else self._normative,
            "neutrality": self._neutrality,
            "own_payments_neutrality": self._neutrality,
            "scaling": self._scaling,
            "flat_step": self._flat_step,
            "high_cost_compensation": self._high_cost,
            "high_cost_financing": self._financing,
            "bandwidth": self._bandwidth,
            "settled_cost": self._settled,
            "calculation_premium": self._premium,
            "expected_own_payments": self._expected_own_payments,
            "own_payments_macro": self._own_payments_macro,
            "detained": self._detained,
            "administration": self._administration,
        }
        yield from says[line.item](line, before)

    def _by_criterion(self, share: str, weights: Sequence[int]) -> dict[str, Fraction]:
        """Cents of this insurer per criterion."""
        result, counted = self.result(share), self.paid.counts[share].counted
        found: dict[str, Fraction] = {}
        for k, (criterion, _, _) in enumerate(result.keys):
            cents = Fraction(int(counted[self.i, k]) * weights[k], MICRO_PER_CENT * PPM * self.year)
            found[criterion] = found.get(criterion, Fraction(0)) + cents
        return found

    def _normative(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, result = self.w, self.result(line.share)
        yield w("words", "normative", source=w.source(result.source))
        parts = self._by_criterion(line.share, result.printed)
        yield "; ".join(
            w("words", "normative_part", criterion=w.criterion(c), amount=w.amount(v)) for c, v in parts.items()
        ) + "."  # fmt: skip

    def _fixed(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, paid = self.w, self.paid
        if FIXED_HISTORY in paid.money:
            key = "normative_history_share" if paid.stage == "ex_ante" else "normative_history"
            yield w("words", key, macro=w.eur(self.model.macro_fixed))
            return
        years, all_years = (w.number(self.years(days)) for days in (paid.days[self.i], paid.days.sum()))
        yield w("words", "normative_fixed", macro=w.eur(self.model.macro_fixed), years=years, all_years=all_years)

    def _neutrality(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, result, counts = self.w, self.result(line.share), self.paid.counts[line.share]
        shares = {line.share, f"{line.share}_hcc", f"{line.share}_ex_post"}
        articles: dict[str, list[str]] = {}
        for rule in self.model.neutrality:
            if rule.share in shares and rule.article not in articles.setdefault(rule.criterion, []):
                articles[rule.criterion].append(rule.article)
        said = False
        for criterion, article in articles.items():
            changed = [
                k for k, key in enumerate(result.keys) if key[0] == criterion and result.printed[k] != result.weights[k]
            ]
            if not changed:
                continue
            said = True
            counted = counts.counted[self.i]
            cents = sum(
                Fraction(int(counted[k]) * (result.weights[k] - result.printed[k]), MICRO_PER_CENT * PPM * self.year)
                for k in changed
            )
            k = changed[0]
            yield w(
                "words", "neutrality_one" if len(changed) == 1 else "neutrality_many", criterion=w.criterion(criterion),
                article=", ".join(article), count=len(changed), label=result.keys[k][2],
                old=w.weight(result.printed[k]), new=w.weight(result.weights[k]),
                years=w.number(self.years(Fraction(int(counted[k]), PPM))), amount=w.amount(cents),
            )  # fmt: skip
        if not said:
            yield w("words", "neutrality_none")
        yield self._expected()

    def _expected(self) -> str:
        w = self.w
        return w("page", "expected", source=w.name("source", self.paid.expected))

    def _scaling(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, cost = self.w, int(self.paid.cost[line.share].sum())
        own, national = self.own(before), self.all(before)
        yield w(
            "words", "scaling", cost=w.eur(cost), national=w.eur(national),
            factor=w.number(self.result(line.share).factor, 6), own=w.eur(own),
            result=w.eur(own + line.cents[self.i]), amount=w.eur(line.cents[self.i]),
        )  # fmt: skip

    def _scaling_own(self, before: Sequence[Line]) -> str:
        w, scaled = self.w, self.paid.step("own", "scaling")
        assert scaled is not None
        own, national = self.own(before), self.all(before)
        return w(
            "words", "scaling_own", national=w.amount(national), cost=w.amount(national + sum(scaled.cents)),
            factor=w.number(self.result("own").factor, 6), own=w.amount(own),
            result=w.amount(own + scaled.cents[self.i]),
        )  # fmt: skip

    def _flat_step(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, m = self.w, self.model
        cost = int(self.paid.cost[line.share].sum())
        national = Fraction(self.all([s for s in before if s.item != "scaling"]))
        macro, flanking, ppm = {
            "variable": (m.macro_variable, 0, m.flat_ppm_variable),
            "ggz": (m.macro_ggz, 0, m.flat_ppm_ggz),
            "nursing": (m.macro_nursing, m.flanking_nursing, m.flat_ppm_nursing),
        }[line.share]
        basis = "flat_basis"
        if flanking:
            national, basis = national * Fraction(macro + flanking, macro), "flat_basis_corrected"
        gap = cost - national
        part = gap * ppm / PPM
        adults, all_adults = self.adults
        times = "" if ppm == PPM else w("words", "flat_times", phi=w.plain(Fraction(ppm, PPM)), part=w.eur(part))
        yield w(
            "words", "flat_step", cost=w.eur(cost), basis=w("words", basis), national=w.eur(national), gap=w.eur(gap),
            times=times, all_adults=w.number(all_adults),
            per_adult=w.number(part / 100 / all_adults if all_adults else 0, 4), adults=w.number(adults),
            sum=w.eur(-line.cents[self.i]),
        )  # fmt: skip

    def _high_cost(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        rules = [rule for rule in self.model.high_cost if rule.share == line.share]
        limits = self.paid.thresholds.get(line.share, ())
        slices = []
        for j, (rule, limit) in enumerate(zip(rules, limits, strict=False)):
            if limit is None:
                continue
            upper = limits[j + 1] if j + 1 < len(limits) else None
            key = "high_cost_slice" if upper is None else "high_cost_slice_to"
            percent, to = w.percent(Fraction(rule.ppm, PPM)), "" if upper is None else w.eur(upper)
            slices.append(w("words", key, percent=percent, threshold=w.eur(limit), upper=to))
        if slices:
            yield w("words", "high_cost_compensation", slices="; ".join(slices), amount=w.eur(line.cents[self.i]))
        elif limits:
            yield w("words", "high_cost_nobody")

    def _financing(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        received = [s for s in before if s.item == "high_cost_compensation"]
        rest = [s for s in before if s.item != "high_cost_compensation"]
        whole, part = self.all(rest), self.all(received)
        yield w(
            "words", "high_cost_financing", sum=w.eur(part), all=w.eur(whole),
            percent=w.percent(Fraction(part, whole) if whole else 0, 6), own=w.eur(self.own(rest)),
            part=w.eur(-line.cents[self.i]),
        )  # fmt: skip

    def _bandwidth(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, paid = self.w, self.paid
        band = next(b for b in self.model.bandwidth if b.share == line.share)
        basis = paid.adult_days if band.per_adult else paid.days
        taken = [s for s in before if not (band.before_flat_step and s.item == "flat_step")]
        cost = paid.cost[line.share]
        own, all_own = self.own(taken), self.all(taken)
        years, all_years = self.years(basis[self.i]), self.years(basis.sum())
        result = own - int(cost[self.i])
        mean = Fraction(all_own - int(cost.sum())) / all_years if all_years else Fraction(0)
        each = result / years if years else Fraction(0)
        yield w(
            "words", "bandwidth" if abs(each - mean) > band.amount else "bandwidth_inside", own=w.eur(own),
            cost=w.eur(int(cost[self.i])), result=w.eur(result), each=w.eur(each),
            unit=w("words", "adult" if band.per_adult else "insured"), mean=w.eur(mean), deviation=w.eur(each - mean),
            band=w.eur(band.amount), percent=w.percent(Fraction(band.ppm, PPM)),
        )  # fmt: skip

    def _settled(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        yield w(
            "words", "settled_cost", cost=w.eur(int(self.paid.money[FIXED][self.i])), own=w.eur(self.own(before)),
            percent=w.percent(Fraction(self.model.fixed_settled_ppm, PPM)),
        )  # fmt: skip

    def _premium(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        premium = self.model.calculation_premium
        # Detained insured are in the number first when what they did not pay is taken off afterwards.
        years = Fraction(-line.cents[self.i], premium) if premium else Fraction(0)
        exact = self.adults[0]
        years = exact if abs(years - exact) < Fraction(1, 100) else years
        yield w("words", "calculation_premium", premium=w.eur(premium), years=w.number(years))

    def _expected_own_payments(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w, result = self.w, self.result("deductible")
        parts = self._by_criterion("deductible", result.printed)
        part = parts.pop("forfait")
        days = self.paid.counts["deductible"].days[self.i]
        age = [k for k, key in enumerate(result.keys) if key[0] == "age_sex"]
        yield w(
            "words", "expected_own_payments", forfait=w.eur(Fraction(result.printed[-1], MICRO_PER_CENT)),
            years=w.number(self.years(days[-1])), part=w.eur(part),
            other=w.number(self.years(sum(int(days[k]) for k in age))), source=w.source(result.source),
            rest=w.eur(sum(parts.values())),
        )  # fmt: skip

    def _own_payments_macro(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        realised = int(self.paid.money[OWN_PAYMENTS].sum())
        national, own = -self.all(before), -self.own(before)
        phi = Fraction(self.model.own_payments_flat_ppm, PPM)
        adults, all_adults = self.adults
        factor = Fraction(realised, national) if national else Fraction(1)
        flat = phi * (realised - national) * adults / all_adults if all_adults else Fraction(0)
        yield w(
            "words", "own_payments_macro", realised=w.eur(realised), national=w.eur(national),
            factor=w.number(factor, 6), own=w.eur(own), scaled=w.eur(own * factor), phi=w.plain(phi),
            all_adults=w.number(all_adults), adults=w.number(adults), flat=w.eur(flat),
            result=w.eur(own - line.cents[self.i]),
        )  # fmt: skip

    def _detained(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        if self.paid.stage == "ex_ante":
            yield w("words", "detained_ex_ante", percent=w.percent(Fraction(self.model.detained_ppb, 1_000_000_000), 6))
            return
        column = FORGONE[0] if line.share == "premium" else FORGONE[1]
        yield w("words", "detained", amount=w.eur(int(self.paid.money[column][self.i])))

    def _administration(self, line: Line, before: Sequence[Line]) -> Iterator[str]:
        w = self.w
        yield w("words", "administration", heads=w.number(int(self.paid.under_18[self.i]), 0),
                each=w.eur(self.model.administration_under_18))  # fmt: skip


def _law(paid: Paid, w: Words) -> str:
    if paid.model is None:
        return w("page", "title_own")
    source_ = paid.model.law.source
    law = w("page", "law", law=source_.title, cite=source_.cite, stage=w("stage", paid.stage),
            rounding=w("rounding", paid.rounding))  # fmt: skip
    return law if paid.model.official else f"{law} {w('page', 'unofficial', name=paid.model.name)}"


def _insured(paid: Paid, i: int, w: Words) -> str:
    years = w.number(Fraction(int(paid.days[i]), paid.days_in_year))
    if paid.model is None:
        return w("page", "insured_own", years=years, days=paid.days_in_year)
    adults = w.number(Fraction(int(paid.adult_days[i]), paid.days_in_year))
    return w("page", "insured", years=years, adults=adults, days=paid.days_in_year)


def _wrapped(text: str, indent: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return [line.replace("\u00a0", " ") for line in lines]


def _row(text: str, amount: str, indent: str = "") -> list[str]:
    lines = textwrap.wrap(text, WIDTH - 22 - len(indent), break_long_words=False) or [""]
    lines[-1] = f"{lines[-1]:<{WIDTH - 20 - len(indent)}}{amount:>20}"
    return [indent + line for line in lines]


def statement_text(paid: Paid, insurer: Insurer, lang: str = "en") -> str:
    """Every step of one insurer, with article and arithmetic, as text."""
    w = words(lang)
    desk = _Desk(paid, insurer, w)
    i = desk.i
    lines = [
        w("page", "head", insurer=paid.names[i]),
        *_wrapped(_law(paid, w), ""),
        *_wrapped(_insured(paid, i, w), ""),
    ]
    steps = list(desk.steps())
    for share in dict.fromkeys(step.share for step in steps):
        part = [step for step in steps if step.share == share]
        lines += ["", w.name("share", share)]
        for step in part:
            article = f", {w.article(step.article)}" if step.article else ""
            lines += _row(f"{step.title}{article}", w.amount(step.cents), "  ")
            for sentence in step.sentences:
                lines += _wrapped(sentence, "      ")
        if len(part) > 1:
            lines += _row(w("page", "subtotal"), w.amount(sum(step.cents for step in part)), "  ")
    total = w("page", "payment" if paid.model is None else "contribution")
    lines += ["", *_row(total, w.amount(paid.contribution[i]))]
    return "\n".join(lines) + "\n"


def difference_text(difference: Difference, insurer: Insurer, lang: str = "en") -> str:
    """The difference of one insurer, step by step, as text."""
    w = words(lang)
    known = {str(name): name for name in difference.names}
    if str(insurer) not in known:
        raise not_found("statement", "insurer", [str(insurer)], list(known))
    name = known[str(insurer)]
    a, b = (_short(paid, w) for paid in (difference.before, difference.after))
    lines = [w("page", "head_difference", insurer=name), w("page", "compared", a=b, b=a), ""]
    head = "".join(f"{w('page', key):>18}" for key in ("before", "after", "difference"))
    lines.append(f"{'':<{WIDTH - 54}}{head}")
    own = difference.lines[difference.lines.insurer == name]
    share = ""
    row: Any
    for row in own.itertuples(index=False):
        if row.share != share:
            share = row.share
            lines.append(w.name("share", share))
        title = f"  {w.name('item', row.item)}"
        amounts = "".join(f"{w.amount(v):>18}" for v in (row.before_cents, row.after_cents, row.difference_cents))
        lines.append(f"{title:<{WIDTH - 54}}{amounts}")
    sums = [int(own[key].sum()) for key in ("before_cents", "after_cents", "difference_cents")]
    amounts = "".join(f"{w.amount(v):>18}" for v in sums)
    lines.append(f"{w('page', 'contribution'):<{WIDTH - 54}}{amounts}")
    return "\n".join(lines) + "\n"


def _short(paid: Paid, w: Words) -> str:
    name = w("page", "title_own") if paid.model is None else paid.model.name
    return f"{name}, {w('stage', paid.stage)}"


def summary(paid: Paid, lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> str:
    """All insurers and all steps in a few lines, as the command prints it."""
    w = words(lang)
    lines = [*_wrapped(_law(paid, w), ""), ""]
    count = {name: int(n) for name, n in zip(paid.names, paid.records, strict=True)}
    hidden = _hidden(paid, minimum_persons)
    head = f"{w.name('column', 'insurer'):<24}{w.name('column', 'persons'):>12}{w.name('column', 'insured_years'):>20}"
    lines.append(f"{head}{w.name('column', 'contribution_eur'):>24}")
    for i, name in enumerate(paid.names):
        if name in hidden:
            lines.append(f"{name!s:<24}{'–':>12}{'–':>20}{'–':>24}")
            continue
        years = w.number(Fraction(int(paid.days[i]), paid.days_in_year))
        lines.append(f"{name!s:<24}{w.number(count[name], 0):>12}{years:>20}{w.amount(paid.contribution[i]):>24}")
    years = w.number(Fraction(int(paid.days.sum()), paid.days_in_year))
    lines.append(f"{'':<24}{w.number(int(paid.records.sum()), 0):>12}{years:>20}{w.amount(paid.total_cents):>24}")
    if hidden:
        names = ", ".join(map(str, sorted(hidden, key=str)))
        lines += ["", *_wrapped(w("page", "hidden", minimum=minimum_persons, names=names), "")]
    return "\n".join(lines)


# --- pages ------------------------------------------------------------------------------------------------------------


def _hidden(paid: Paid, minimum: int) -> set[Insurer]:
    """Insurers whose figures would be those of a few persons, or would give them away."""
    mask = small_cells(paid.records, minimum=minimum)
    return {name for name, small in zip(paid.names, mask, strict=True) if small}


def _statement_html(paid: Paid, insurer: Insurer, w: Words) -> list[str]:
    desk = _Desk(paid, insurer, w)
    i = desk.i
    body = [html_heading(w("page", "head", insurer=paid.names[i])), html_paragraph(_insured(paid, i, w), note=True)]
    steps = list(desk.steps())
    for share in dict.fromkeys(step.share for step in steps):
        part = [step for step in steps if step.share == share]
        body.append(f"<h3>{html.escape(w.name('share', share))}</h3>")
        for step in part:
            article = f" <small>{html.escape(w.article(step.article))}</small>" if step.article else ""
            said = "".join(f"<p>{html.escape(_signs(sentence))}</p>" for sentence in step.sentences)
            body.append(
                f'<div class="step"><div><b>{html.escape(step.title)}</b>{article}</div>'
                f"<span>{html.escape(_minus(w.amount(step.cents)))}</span>{said}</div>"
            )
        if len(part) > 1:
            total = _minus(w.amount(sum(step.cents for step in part)))
            body.append(
                f'<div class="step sum"><div>{html.escape(w("page", "subtotal"))}</div><span>{total}</span></div>'
            )
    total = w("page", "payment" if paid.model is None else "contribution")
    body.append(
        f'<div class="step total"><div>{html.escape(total)}</div>'
        f"<span>{html.escape(_minus(w.amount(paid.contribution[i])))}</span></div>"
    )
    return body


def _signs(text: str) -> str:
    """Minus and times as printed."""
    return re.sub(r"(?<![\w)])-(?=\d)", "\u2212", text).replace(" - ", " \u2212 ").replace(" x ", " \u00d7 ")


def _minus(text: str) -> str:
    return text.replace("-", "\u2212", 1) if text.startswith("-") else text


def _frame_html(frame: pd.DataFrame, w: Words, strong: Callable[[Any], bool] | None = None) -> str:
    """A frame as a table with the words and numbers of the language; cents become euros."""
    shown: dict[str, list[str]] = {}
    for name in map(str, frame.columns):
        values = list(frame[name])
        title = w.name("column", name.replace("_cents", "_eur"))
        if name.endswith("_cents") and title == name.replace("_cents", "_eur"):
            title = w.name("share", name.removesuffix("_cents"))
        shown[title] = [_shown(name, value, w) for value in values]
    return html_table(pd.DataFrame(shown), right=[t for t, n in zip(shown, frame.columns, strict=True)
                                                  if not _is_text(frame[n])], strong=strong)  # fmt: skip


def _is_text(column: pd.Series[Any]) -> bool:
    return any(isinstance(v, str) for v in column)


def _shown(name: str, value: Any, w: Words) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, str):
        known = {"share": "share", "item": "item"}.get(name)
        return w.name(known, value) if known else w.criterion(value) if name == "criterion" else value
    if name.endswith("_cents"):
        return _minus(w.amount(int(value)))
    if name.endswith(("_eur", "_years")):
        return _minus(w.number(float(value)))
    if name == "factor":
        return w.number(float(value), 6)
    return w.number(int(value), 0) if name == "persons" else str(value)


def bundle_of(paid: Paid, lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Bundle:
    """Tables, results and page of a payment. Insurers and classes of few records lose their figures."""
    w = words(lang)
    bundle = Bundle(
        origin="microdata",
        model=paid.model.name if paid.model is not None else None,
        parameters_sha256=paid.parameters_sha256,
        data_sha256=paid.data_sha256,
        seed=paid.seed,
        minimum_persons=minimum_persons,
    )
    insurers = bundle.table("insurers", paid.insurers, origin="microdata", count="persons", keys=["insurer"])
    records = dict(zip(paid.names, paid.records.tolist(), strict=True))
    lines = paid.lines.assign(persons=[records[name] for name in paid.lines.insurer])
    bundle.table(
        "lines", lines, origin="microdata", count="persons", keys=["insurer", "share", "item", "article"],
        groups=["share", "item"],
    )  # fmt: skip
    shares = bundle.table(
        "shares", paid.shares.assign(persons=int(paid.records.sum())), origin="microdata", count="persons",
        keys=["share"], groups=["share"],
    )  # fmt: skip
    classes = bundle.table(
        "classes", paid.classes, origin="microdata", count="persons", keys=["insurer", "share", "criterion", "code"],
        groups=["insurer", "share", "criterion"], across=["share", "criterion", "code"],
    )  # fmt: skip
    weights = bundle.table(
        "weights", _not_telling(paid.weights, classes), origin="microdata", count="persons",
        keys=["share", "criterion", "code", "label", "printed_eur"], groups=["share", "criterion"],
    )  # fmt: skip
    bundle.results(paid.to_dict())
    title = (
        w("page", "title_own") if paid.model is None
        else w("page", "title", law=paid.model.law.source.title, stage=w("stage", paid.stage))
    )  # fmt: skip
    total = (w.amount if paid.model is None else w.eur)(paid.total_cents)  # weights of one's own: any currency
    body = [html_paragraph(_law(paid, w)), html_paragraph(w("page", "all", total=total))]
    if paid.model is not None:
        body.append(html_paragraph(w("page", "intro"), note=True))
    short = ["insurer", "persons", "insured_years", "contribution_cents"]
    body += [html_heading(w("page", "insurers")), _frame_html(insurers[short], w)]
    hidden = _hidden(paid, minimum_persons)
    if hidden:
        names = ", ".join(map(str, sorted(hidden, key=str)))
        body.append(html_paragraph(w("page", "hidden", minimum=minimum_persons, names=names), note=True))
    body += [part for name in paid.names if name not in hidden for part in _statement_html(paid, name, w)]
    if paid.model is not None:
        body += [html_heading(w("page", "shares")), _frame_html(shares.drop(columns="persons"), w)]
    reset = weights[[a != b and b is not None for a, b in zip(weights.printed_eur, weights.weight_eur, strict=True)]]
    if len(reset):
        body += [html_heading(w("page", "weights")), _frame_html(reset.drop(columns=["code", "persons"]), w)]
    bundle.report(html_page(title, body, lang=lang))
    return bundle


def _not_telling(weights: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Weights without the numbers of classes that only one insurer is left out of: their total would tell it."""
    keys = ["share", "criterion", "code"]
    hidden = classes[classes.persons.isna()].groupby(keys).size()
    alone = set(hidden[hidden == 1].index)
    mask = [key in alone for key in weights[keys].itertuples(index=False, name=None)]
    return weights.assign(persons=weights.persons.where(~pd.Series(mask, index=weights.index), 1))


def difference_bundle(difference: Difference, lang: str = "en", minimum_persons: int = MINIMUM_PERSONS) -> Bundle:
    """Tables, results and page of a difference."""
    w = words(lang)
    after = difference.after
    bundle = Bundle(
        origin="microdata",
        model=after.model.name if after.model is not None else None,
        parameters_sha256=after.parameters_sha256,
        data_sha256=after.data_sha256,
        seed=after.seed,
        minimum_persons=minimum_persons,
    )
    insurers = bundle.table("insurers", difference.insurers, origin="microdata", count="persons", keys=["insurer"])
    persons = dict(zip(difference.insurers.insurer, difference.insurers.persons, strict=True))
    lines = difference.lines.assign(persons=[persons[name] for name in difference.lines.insurer])
    shown = bundle.table(
        "lines", lines, origin="microdata", count="persons", keys=["insurer", "share", "item"], groups=["share", "item"]
    )
    classes = bundle.table(
        "classes", difference.classes, origin="microdata", count="persons",
        keys=["insurer", "share", "criterion", "code", "label"], groups=["insurer", "share", "criterion"],
        across=["share", "criterion", "code"],
    )  # fmt: skip
    bundle.results(difference.to_dict())
    before, later = difference.before, difference.after
    body = [
        html_paragraph(w("page", "compared", a=_short(later, w), b=_short(before, w))),
        html_paragraph(
            w("page", "all_difference", before=w.eur(before.total_cents), after=w.eur(later.total_cents),
              difference=w.eur(difference.total_cents))
        ),
        html_heading(w("page", "insurers")),
        _frame_html(insurers, w),
    ]  # fmt: skip
    mask = small_cells(difference.insurers.persons.to_numpy(), minimum=minimum_persons)
    hidden = {name for name, small in zip(difference.insurers.insurer, mask, strict=True) if small}
    if hidden:
        names = ", ".join(map(str, sorted(hidden, key=str)))
        body.append(html_paragraph(w("page", "hidden", minimum=minimum_persons, names=names), note=True))
    for name in difference.names:
        if name in hidden:
            continue
        body.append(html_heading(w("page", "head_difference", insurer=name)))
        own_lines = shown[shown.insurer == name].drop(columns=["insurer", "persons"])
        body.append(f'<div class="wrap">{_frame_html(own_lines, w)}</div>')
        own = classes[(classes.insurer == name) & classes.code.notna()]
        own = own[[v is not None and v != 0 for v in own.difference_cents]]
        order = sorted(own.index, key=lambda k: -abs(int(own.difference_cents[k])))[:12]
        if order:
            body.append(f"<h3>{html.escape(w('page', 'classes'))}</h3>")
            columns = ["share", "criterion", "label", "difference_cents"]
            body.append(f'<div class="wrap">{_frame_html(own.loc[order, columns], w)}</div>')
    bundle.report(html_page(w("page", "title_difference"), body, lang=lang))
    return bundle


# --- the commands -----------------------------------------------------------------------------------------------------


def _weights_given(model: str | None, weights: Path | None, command: str) -> Any:
    if (model is None) == (weights is None):
        raise ParameterError(
            Problem(command, "takes one of --model and --weights", "--model nl-2021, or --weights WEIGHTS.csv",
                    "both" if model else "neither")
        )  # fmt: skip
    return model if model is not None else weights_file(weights)


def weights_file(path: Path | None) -> pd.DataFrame:
    """Weights of a file ``criterion, code, weight_eur``, such as ``tables/weights.csv`` of an estimate."""
    assert path is not None
    data = source(path)
    columns: dict[str, list[Any]] = {"criterion": [], "code": [], "weight_eur": []}
    for piece in data.slices(list(columns)):
        for name, values in columns.items():
            column = piece.read(name)
            values += (
                [column.labels[int(k)] for k in column.values] if column.labels is not None else column.values.tolist()
            )
    return pd.DataFrame(columns)


def pay_command(
    data: Path, *, model: str | None, weights: Path | None, stage: str, rounding: str, expected: Path | None,
    total: int | None, days: str, days_in_year: int | None, year: int | None, out: Path | None, as_json: bool,
    insurer: str | None, lang: str, minimum_persons: int, columns: str | None = None,
) -> int:  # fmt: skip
    """``anderhalf pay``: exit status."""
    given = _weights_given(model, weights, "anderhalf pay")
    paid = pay(data, given, stage, rounding, expected, days=days, total=total, days_in_year=days_in_year, year=year,
               columns=columns)  # fmt: skip
    bundle = bundle_of(paid, lang, minimum_persons)
    if out is not None:
        bundle.write(out)
    if as_json:
        print(bundle.results(paid.to_dict()), end="")
        return 0
    if insurer is not None:
        i = paid.position(insurer)
        if paid.names[i] in _hidden(paid, minimum_persons):
            raise ParameterError(
                Problem("anderhalf pay, --insurer", "has too few records, or would give another away",
                        f"{minimum_persons} or more")
            )  # fmt: skip
        print(statement_text(paid, paid.names[i], lang), end="")
    else:
        print(summary(paid, lang, minimum_persons))
    if out is not None:
        print(f"Report: {out / 'report.html'}")
    return 0


def recalculate_command(
    data: Path, *, model: str | None, weights: Path | None, to_data: Path | None, to_model: str | None, stage: str,
    rounding: str, expected: Path | None, year: int | None, out: Path | None, as_json: bool, lang: str,
    minimum_persons: int,
) -> int:  # fmt: skip
    """``anderhalf recalculate``: exit status."""
    from anderhalf.payment import recalculate

    given = _weights_given(model, weights, "anderhalf recalculate")
    difference = recalculate(data, given, to_data, to_model, stage, rounding, expected, year=year)
    bundle = difference_bundle(difference, lang, minimum_persons)
    text = bundle.results(difference.to_dict())
    if out is not None:
        bundle.write(out)
    if as_json:
        print(text, end="")
        return 0
    w = words(lang)
    a, b = (_short(paid, w) for paid in (difference.before, difference.after))
    print(w("page", "compared", a=b, b=a))
    mask = small_cells(difference.insurers.persons.to_numpy(), minimum=minimum_persons)
    keys = ("before", "after", "difference")
    print(f"\n{w.name('column', 'insurer'):<24}" + "".join(f"{w('page', key):>22}" for key in keys))
    row: Any
    for row, small in zip(difference.insurers.itertuples(index=False), mask, strict=True):
        amounts = (row.before_cents, row.after_cents, row.difference_cents)
        print(f"{row.insurer!s:<24}" + "".join(f"{'–' if small else w.amount(v):>22}" for v in amounts))
    amounts = (difference.before.total_cents, difference.after.total_cents, difference.total_cents)
    print(f"{'':<24}" + "".join(f"{w.amount(v):>22}" for v in amounts))
    if out is not None:
        print(f"Report: {out / 'report.html'}")
    return 0


__all__ = ["Step", "Words", "bundle_of", "difference_text", "statement_text", "summary"]
