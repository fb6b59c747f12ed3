"""How figures look: one style, colours that colour-blind readers can tell apart, SVG that is the same bytes every time.

Every figure says in its title what it shows and in its footer where the figures come from. matplotlib is imported on
first use; it belongs to the extra ``report``.
"""

from __future__ import annotations

import html
import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from anderhalf.errors import Problem, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart with any common colour blindness, and in grey by their lightness.
BLUE, ORANGE, VERMILLION, GREEN, SKY, PURPLE, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#009E73",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
)
INK, GREY, PALE = "#1a1a1a", "#6b6b6b", "#d9d9d9"
ABOVE, BELOW = VERMILLION, BLUE

WIDTH = 7.2  # inches: the width of a page of text
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same outlines on every machine
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 9.0,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "figure.facecolor": "white",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "path",  # letters as outlines: nothing moves when a font is missing
    "svg.image_inline": True,
    "path.simplify": False,
}


_letters: ContextVar[str] = ContextVar("letters", default="path")


@contextmanager
def letters_as_text() -> Iterator[None]:
    """Figures drawn inside keep their letters as text: a fifth of the bytes, in whatever font the reader has."""
    token = _letters.set("none")
    try:
        yield
    finally:
        _letters.reset(token)


def _style(**more: Any) -> Any:
    # Any: the stubs of matplotlib want a literal type for every key.
    return {**_STYLE, "svg.fonttype": _letters.get(), **more}


@contextmanager
def style() -> Iterator[None]:
    """The common style, for the figures drawn inside; nothing of the user's matplotlib is changed or used."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_style())
        yield


def to_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as SVG text: same figure, same bytes; ``description`` is read out to those who cannot see it."""
    import matplotlib as mpl

    with mpl.rc_context(_style(**{"svg.hashsalt": f"anderhalf {name}"})):
        out = io.StringIO()
        # No date, no creator: they would change with the clock and the version.
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(description, quote=True)}" ', 1)


def new_figure(
    title: str,
    subtitle: str,
    footer: str,
    height: float,
    *,
    left: float = 1.7,
    right: float = 0.35,
    width: float = WIDTH,
) -> tuple[Figure, Axes]:
    """One pair of axes under a title that says what is seen; sizes in inches, so that text never meets the axes."""
    from matplotlib.figure import Figure

    title_lines = textwrap.wrap(title, 74)
    sub_lines = textwrap.wrap(subtitle, 104)
    foot_lines = textwrap.wrap(footer, 118)
    top = 0.22 + 0.22 * len(title_lines) + 0.17 * len(sub_lines) + 0.1
    bottom = 0.52 + 0.15 * len(foot_lines)
    total = height + top + bottom
    figure = Figure(figsize=(width, total))
    axes = figure.add_axes((left / width, bottom / total, (width - left - right) / width, height / total))
    y = total - 0.12
    figure.text(
        0.12 / width, y / total, "\n".join(title_lines), fontsize=11.5, fontweight="bold", va="top", linespacing=1.25
    )
    y -= 0.22 * len(title_lines) + 0.04
    figure.text(0.12 / width, y / total, "\n".join(sub_lines), fontsize=9, color=GREY, va="top", linespacing=1.3)
    figure.text(
        0.12 / width, 0.08 / total, "\n".join(foot_lines), fontsize=7.5, color=GREY, va="bottom", linespacing=1.3
    )
    return figure, axes


def ratio_dots(
    name: str,
    labels: Sequence[str],
    ratios: Sequence[float],
    *,
    title: str,
    subtitle: str,
    footer: str,
    strong: Sequence[bool] | None = None,
    axis_label: str = "actual / expected cost",
) -> str:
    """A dot per label at its ratio, joined to the line at 1.00; the first label on top; strong ones drawn as diamonds.

    A ratio that is NaN leaves its row empty.
    """
    _same_length("ratio_dots", labels, ratios, strong)
    bold = list(strong) if strong is not None else [False] * len(labels)
    with style():
        left = _room_for(labels, bold)
        figure, axes = new_figure(title, subtitle, footer, 0.27 * len(labels) + 0.25, left=left)
        y = np.arange(len(labels))[::-1]
        known = [r for r in ratios if np.isfinite(r)]
        _set_limits(axes, [r - 1.0 for r in known], ["0.000"] * len(known), WIDTH - left - 0.35, shift=1.0)
        for k, ratio in enumerate(ratios):
            if not np.isfinite(ratio):
                continue
            colour = INK if abs(ratio - 1) < 0.0005 else ABOVE if ratio >= 1 else BELOW
            axes.plot([1.0, ratio], [y[k], y[k]], color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot(
                [ratio],
                [y[k]],
                marker="D" if bold[k] else "o" if ratio >= 1 else "s",
                color=colour,
                markersize=7,
                linestyle="none",
            )
            side = 1 if ratio >= 1 else -1
            axes.annotate(
                f"{ratio:.3f}",
                (ratio, y[k]),
                xytext=(8 * side, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side > 0 else "right",
                fontsize=8.5,
                fontweight="bold" if bold[k] else "normal",
            )
        axes.axvline(1.0, color=INK, linewidth=1.1)
        _labels(axes, y, labels, bold)
        axes.set_xlabel(axis_label)
        axes.grid(axis="x")
        description = (
            f"{title}. "
            + ", ".join(f"{n} {r:.3f}" for n, r in zip(labels, ratios, strict=True) if np.isfinite(r))
            + "."
        )
        return to_svg(figure, name, description)


def gap_bars(
    name: str,
    labels: Sequence[str],
    gaps: Sequence[float],
    *,
    title: str,
    subtitle: str,
    footer: str,
    notes: Sequence[str] | None = None,
    axis_label: str = "euros per insured year",
    strong: Sequence[bool] | None = None,
) -> str:
    """A bar per label from 0 to its gap, with the amount (and a note, such as the ratio) at its end."""
    _same_length("gap_bars", labels, gaps, notes, strong)
    bold = list(strong) if strong is not None else [False] * len(labels)
    with style():
        left = _room_for(labels, bold)
        figure, axes = new_figure(title, subtitle, footer, 0.27 * len(labels) + 0.25, left=left)
        y = np.arange(len(labels))[::-1]
        texts = [
            f"{gap:+,.0f}".replace("-", "\u2212") + (f"  ({notes[k]})" if notes and notes[k] else "")
            for k, gap in enumerate(gaps)
        ]
        _set_limits(axes, gaps, texts, WIDTH - left - 0.35)
        axes.barh(y, gaps, color=[ABOVE if gap >= 0 else BELOW for gap in gaps], height=0.62)
        for k, gap in enumerate(gaps):
            side = 1 if gap >= 0 else -1
            axes.annotate(
                texts[k],
                (gap, y[k]),
                xytext=(5 * side, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side > 0 else "right",
                fontsize=8.5,
                fontweight="bold" if bold[k] else "normal",
            )
        axes.axvline(0.0, color=INK, linewidth=1.1)
        _labels(axes, y, labels, bold)
        axes.set_xlabel(axis_label)
        axes.grid(axis="x")
        description = f"{title}. " + ", ".join(f"{n} {g:+.0f}" for n, g in zip(labels, gaps, strict=True)) + "."
        return to_svg(figure, name, description)


def ratio_lines(
    name: str,
    labels: Sequence[str],
    lines: Sequence[tuple[str, Sequence[float]]],
    *,
    title: str,
    subtitle: str,
    footer: str,
    axis_label: str = "",
    value_label: str = "actual / expected cost",
) -> str:
    """Lines of ratios over ordered classes, told apart by colour, marker and dash, each named at its right end."""
    for _, values in lines:
        _same_length("ratio_lines", labels, values)
    looks = [(INK, "D", "-"), (BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":")]
    if len(lines) > len(looks):
        raise ShapeError(
            Problem("ratio_lines", "too many lines to tell apart", f"{len(looks)} or fewer", str(len(lines)))
        )
    with style():
        figure, axes = new_figure(title, subtitle, footer, 2.9, left=0.75, right=1.35)
        x = np.arange(len(labels))
        ends = []
        for (label, values), (colour, marker, dash) in zip(lines, looks, strict=False):
            axes.plot(x, values, color=colour, marker=marker, linestyle=dash, linewidth=1.8, markersize=5.5)
            ends.append((float(values[-1]), label, colour))
        axes.axhline(1.0, color=INK, linewidth=1.1)
        everything = [v for _, values in lines for v in values if np.isfinite(v)] + [1.0]
        low, high = min(everything), max(everything)
        if high - low < 0.1:  # differences of a few percent should not look like mountains
            low, high = (low + high) / 2 - 0.05, (low + high) / 2 + 0.05
        span = high - low
        axes.set_ylim(low - 0.08 * span, high + 0.08 * span)
        axes.set_xlim(-0.25, len(labels) - 0.75)
        # Names at the ends, pushed apart so that none covers another.
        step = 0.065 * span * 1.16
        ends.sort()
        heights: list[float] = []
        for value, _, _ in ends:
            heights.append(max(value, heights[-1] + step) if heights else value)
        down = max(0.0, heights[-1] - high) if heights else 0.0
        for (value, label, colour), height in zip(ends, heights, strict=True):
            axes.annotate(
                label,
                (len(labels) - 1, value),
                xytext=(len(labels) - 0.82, height - down),
                color=colour,
                va="center",
                fontsize=8.5,
                fontweight="bold",
                annotation_clip=False,
            )
        axes.set_xticks(x, labels)
        axes.set_xlabel(axis_label)
        axes.set_ylabel(value_label)
        axes.grid(axis="y")
        description = f"{title}. " + "; ".join(
            f"{label}: " + ", ".join(f"{n} {v:.2f}" for n, v in zip(labels, values, strict=True))
            for label, values in lines
        )
        return to_svg(figure, name, description)


_LETTER = 0.081  # inches: the mean width of a letter of 9 points, bold ones included


def _room_for(labels: Sequence[str], bold: Sequence[bool]) -> float:
    """Inches left of the axes that the longest label needs."""
    return max(
        0.9,
        0.28 + max((len(n) * _LETTER * (1.08 if b else 1.0) for n, b in zip(labels, bold, strict=True)), default=0.0),
    )


def _set_limits(axes: Axes, values: Sequence[float], texts: Sequence[str], inches: float, shift: float = 0.0) -> None:
    """Limits that leave room, at both ends, for the longest text that stands there."""
    low, high = min([*values, 0.0]), max([*values, 0.0])
    below = max((0.2 + _LETTER * len(t) for v, t in zip(values, texts, strict=True) if v < 0), default=0.12)
    above = max((0.2 + _LETTER * len(t) for v, t in zip(values, texts, strict=True) if v >= 0), default=0.12)
    per_inch = max(high - low, 0.02) / max(inches - below - above, 1.0)
    axes.set_xlim(shift + low - per_inch * below, shift + high + per_inch * above)


def _labels(axes: Axes, y: np.ndarray[Any, Any], labels: Sequence[str], bold: Sequence[bool]) -> None:
    axes.set_yticks(y, labels)
    for tick, is_bold in zip(axes.get_yticklabels(), bold, strict=True):
        tick.set_fontweight("bold" if is_bold else "normal")
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _same_length(where: str, first: Sequence[Any], *others: Sequence[Any] | None) -> None:
    lengths = [len(other) for other in others if other is not None]
    if any(length != len(first) for length in lengths):
        raise ShapeError(Problem(where, "columns of different length", str(len(first)), ", ".join(map(str, lengths))))


# --- figures of a report ----------------------------------------------------------------------------------------------
# Drawn narrow, so that letters stay readable on a telephone; a page may show them larger. Gains are blue and losses
# vermillion, and a sign or a symbol says the same.

NARROW = 4.8  # inches
Number = Callable[[float], str]
GAIN, LOSS = BLUE, VERMILLION
_PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # under letters that may meet a line
_SMALL = 0.0715  # inches: the mean width of a letter of 8 points
_SERIES: tuple[tuple[str, str], ...] = (
    (BLUE, ""),
    (ORANGE, "///"),
    (SKY, "..."),
    (VERMILLION, "\\\\\\"),
    (YELLOW, "xx"),
    (PURPLE, "--"),
    (GREEN, "++"),
    ("#8c8c8c", "||"),
    (PALE, "oo"),
)


def _narrow(
    title: str,
    footer: str,
    height: float,
    *,
    left: float,
    right: float = 0.3,
    below: float = 0.5,
    subtitle: str = "",
    width: float = NARROW,
) -> tuple[Figure, Axes]:
    """One pair of axes under a title, sizes in inches; ``below`` is the room for the axis and what stands under it."""
    from matplotlib.figure import Figure

    titles = textwrap.wrap(title, int((width - 0.2) / 0.086))
    feet = textwrap.wrap(footer, int((width - 0.2) / 0.0535))
    top = 0.2 + 0.2 * len(titles) + (0.2 if subtitle else 0.0)
    bottom = below + 0.14 * len(feet) + 0.06
    total = height + top + bottom
    figure = Figure(figsize=(width, total))
    axes = figure.add_axes((left / width, bottom / total, (width - left - right) / width, height / total))
    figure.text(
        0.1 / width, 1 - 0.1 / total, "\n".join(titles), fontsize=10.5, fontweight="bold", va="top", linespacing=1.2
    )
    if subtitle:
        figure.text(0.1 / width, 1 - (0.14 + 0.2 * len(titles)) / total, subtitle, fontsize=8, color=GREY, va="top")
    figure.text(0.1 / width, 0.06 / total, "\n".join(feet), fontsize=7, color=GREY, va="bottom", linespacing=1.25)
    return figure, axes


def plain_number(value: float) -> str:
    """A number on an axis: thin thousands, a true minus."""
    return f"{value:,.10g}".replace(",", "\u2009").replace("-", "\u2212")


def _reach(axes: Axes, rows: Sequence[tuple[float, float, float]], inches: float) -> None:
    """Limits such that every row has room: (end of what is drawn, inches of text there, side: -1 left or 1 right)."""
    left = [(v, room) for v, room, side in rows if side < 0] or [(0.0, 0.0)]
    right = [(v, room) for v, room, side in rows if side > 0] or [(0.0, 0.0)]
    low, high = min(v for v, _ in left), max(v for v, _ in right)
    low, high = min(low, high, 0.0), max(low, high, 0.0)
    scale = max(high - low, 1e-9) / inches  # data per inch; grows until all texts fit
    for _ in range(200):
        start = min([low - 0.08 * scale, *(v - room * scale for v, room in left)])
        stop = max([high + 0.08 * scale, *(v + room * scale for v, room in right)])
        if stop - start <= inches * scale:
            break
        scale *= 1.02
    axes.set_xlim(start, start + inches * scale)


def _wrapped(labels: Sequence[str], letters: int = 25) -> list[str]:
    return ["\n".join(textwrap.wrap(label, letters)) for label in labels]


def _room(labels: Sequence[str]) -> float:
    return 0.25 + _SMALL * max((len(line) for label in labels for line in label.split("\n")), default=0)


def _heights(labels: Sequence[str]) -> np.ndarray[Any, Any]:
    """Where rows stand, from the top down, in inches; rows of two lines are higher."""
    tall = np.array([0.14 + 0.145 * (1 + label.count("\n")) for label in labels])
    return np.asarray(-(np.cumsum(tall) - tall / 2))


def _rows(axes: Axes, y: np.ndarray[Any, Any], labels: Sequence[str], bold: Sequence[bool] | None = None) -> None:
    axes.set_yticks(y, list(labels), fontsize=8)
    for tick, is_bold in zip(axes.get_yticklabels(), bold or [False] * len(labels), strict=True):
        tick.set_fontweight("bold" if is_bold else "normal")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def signed_bars(
    name: str,
    labels: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    *,
    title: str,
    footer: str,
    axis_label: str,
    strong: Sequence[bool] | None = None,
    number: Number = plain_number,
) -> str:
    """A bar per label from 0 to its value with its text at the end; gains to the right, losses to the left."""
    _same_length("signed_bars", labels, values, texts, strong)
    shown = _wrapped(labels)
    with style():
        y, left = _heights(shown), _room(shown)
        height = float(-y[-1] + 0.2) if len(y) else 0.4
        figure, axes = _narrow(title, footer, height, left=left)
        rooms = [0.12 + _SMALL * 1.08 * len(text) for text in texts]
        _reach(axes, [(v, r, 1.0 if v >= 0 else -1.0) for v, r in zip(values, rooms, strict=True)], NARROW - left - 0.3)
        axes.barh(y, values, color=[GAIN if v >= 0 else LOSS for v in values], height=0.19)
        for k, value in enumerate(values):
            _end_text(axes, value, y[k], texts[k], bool(strong and strong[k]))
        axes.axvline(0.0, color=INK, linewidth=1.0)
        axes.set_ylim(-height, 0)
        _rows(axes, y, shown, strong)
        _few_ticks(axes, number)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.grid(axis="x")
        return to_svg(figure, name, _described(title, labels, texts))


def before_after(
    name: str,
    labels: Sequence[str],
    before: Sequence[float],
    after: Sequence[float],
    *,
    legend: tuple[str, str],
    title: str,
    footer: str,
    axis_label: str,
    number: Number = plain_number,
) -> str:
    """Two marks per label against 1, an open one before and a full one after; the figures stand beside them."""
    _same_length("before_after", labels, before, after)
    shown = _wrapped(labels)
    texts = [f"{number(a)} \u2192 {number(b)}" for a, b in zip(before, after, strict=True)]
    with style():
        y, left = _heights(shown), _room(shown)
        height = float(-y[-1] + 0.2) if len(y) else 0.4
        figure, axes = _narrow(title, footer, height, left=left, below=0.72)
        rooms = [0.2 + _SMALL * 1.05 * len(text) for text in texts]
        reach = [(max(a, b) - 1, room, 1.0) for a, b, room in zip(before, after, rooms, strict=True)]
        reach += [(min(a, b) - 1, 0.1, -1.0) for a, b in zip(before, after, strict=True)]
        _reach(axes, reach, NARROW - left - 0.3)
        low, high = axes.get_xlim()
        axes.set_xlim(low + 1, high + 1)
        for k, (a, b) in enumerate(zip(before, after, strict=True)):
            axes.plot([a, b], [y[k], y[k]], color="#9a9a9a", linewidth=2)
            marks = ({"markerfacecolor": "white", "label": legend[0]}, {"markerfacecolor": BLUE, "label": legend[1]})
            for value, look in zip((a, b), marks, strict=True):
                more = look if k == 0 else {key: v for key, v in look.items() if key != "label"}
                axes.plot([value], [y[k]], "o", markeredgecolor=BLUE, markersize=6, **more)  # type: ignore[arg-type]
            _beside(axes, max(a, b), y[k], f" {texts[k]}", False)
        axes.axvline(1.0, color=INK, linewidth=1.0)
        axes.set_ylim(-height, 0)
        _rows(axes, y, shown)
        _few_ticks(axes, number)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.grid(axis="x")
        feet = textwrap.wrap(footer, int((NARROW - 0.2) / 0.0535))
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(0.01, (0.14 * len(feet) + 0.04) / figure.get_figheight()),
            ncols=2,
            fontsize=7.5,
            borderpad=0.1,
        )
        return to_svg(figure, name, _described(title, labels, texts))


def waterfall(
    name: str,
    labels: Sequence[str],
    steps: Sequence[float],
    texts: Sequence[str],
    *,
    result: str,
    result_text: str,
    title: str,
    footer: str,
    axis_label: str,
    number: Number = plain_number,
) -> str:
    """Steps down to what is left: each bar begins where the one above it ends; the last is the result."""
    _same_length("waterfall", labels, steps, texts)
    shown = _wrapped([*labels, result])
    ends = np.cumsum(np.asarray(steps, dtype=float))
    starts = ends - np.asarray(steps, dtype=float)
    with style():
        y, left = _heights(shown), _room(shown)
        height = float(-y[-1] + 0.2)
        figure, axes = _narrow(title, footer, height, left=left, right=0.3)
        total = float(ends[-1]) if len(ends) else 0.0
        tops = [*np.maximum(starts, ends), max(total, 0.0)]
        rooms = [0.12 + _SMALL * 1.08 * len(t) for t in [*texts, result_text]]
        reach = [(float(v), room, 1.0) for v, room in zip(tops, rooms, strict=True)]
        _reach(axes, [*reach, (float(min([0.0, *ends])), 0.0, -1.0)], NARROW - left - 0.3)
        for k, step in enumerate(steps):
            axes.barh(y[k], step, left=starts[k], color=GAIN if step >= 0 else LOSS, height=0.19)
            axes.plot([ends[k], ends[k]], [y[k] - 0.095, y[k + 1] + 0.095], color=GREY, linewidth=0.8)
            _beside(axes, max(starts[k], ends[k]), y[k], texts[k], False)
        axes.barh(y[-1], total, color=INK, height=0.22)
        _beside(axes, max(total, 0.0), y[-1], result_text, True)
        axes.axvline(0.0, color=INK, linewidth=1.0)
        axes.set_ylim(-height, 0)
        _rows(axes, y, shown, [False] * len(labels) + [True])
        _few_ticks(axes, number)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.grid(axis="x")
        return to_svg(figure, name, _described(title, [*labels, result], [*texts, result_text]))


def tornado(
    name: str,
    labels: Sequence[str],
    ends: Sequence[Sequence[tuple[float, str]]],
    base: float,
    *,
    title: str,
    footer: str,
    axis_label: str,
    base_label: str,
    number: Number = plain_number,
) -> str:
    """Per label the results when one assumption takes other values: a line over the range, a mark per value.

    The words for the values stand at the ends of the line: those below the base on its left, the others on its right.
    """
    _same_length("tornado", labels, ends)
    shown = _wrapped(labels, 21)
    sides = [[[t for v, t in sorted(row) if v < base], [t for v, t in sorted(row) if v >= base]] for row in ends]
    words = [[_joined(part) for part in both] for both in sides]
    lines = [max([n, *both], key=lambda t: t.count("\n")) for n, both in zip(shown, words, strict=True)]
    with style():
        y, left = _heights(lines), _room(shown)
        height = float(-y[-1] + 0.2)
        figure, axes = _narrow(title, footer, height, left=left, below=0.62)
        reach: list[tuple[float, float, float]] = []
        for k, row in enumerate(ends):
            found = [v for v, _ in row] + [base]
            axes.plot([min(found), max(found)], [y[k], y[k]], color="#9a9a9a", linewidth=4, solid_capstyle="butt")
            for value, _ in row:
                look = {"marker": "o", "color": GAIN} if value >= 0 else {"marker": "s", "color": LOSS}
                axes.plot([value], [y[k]], markersize=5, linestyle="none", **look)  # type: ignore[arg-type]
            for text, x, side in ((words[k][0], min(found), -1), (words[k][1], max(found), 1)):
                reach.append((x, 0.16 + _SMALL * 0.96 * max(len(t) for t in text.split("\n")), side))
                if text:
                    axes.annotate(
                        text,
                        (x, y[k]),
                        xytext=(6 * side, 0),
                        textcoords="offset points",
                        ha="left" if side > 0 else "right",
                        va="center",
                        fontsize=7.5,
                        linespacing=1.1,
                        bbox=_PAPER,
                    )
        _reach(axes, reach, NARROW - left - 0.3)
        axes.axvline(base, color=INK, linewidth=1.2, linestyle=":", zorder=1)
        axes.axvline(0.0, color=INK, linewidth=1.0, zorder=1)
        axes.set_ylim(-height, 0)
        _rows(axes, y, shown)
        _few_ticks(axes, number)
        axes.set_xlabel(f"{axis_label}\n{base_label}", fontsize=8)
        axes.grid(axis="x")
        said = ["; ".join(t for _, t in row) for row in ends]
        return to_svg(figure, name, _described(title, labels, said))


def _joined(texts: Sequence[str]) -> str:
    one = "; ".join(texts)
    return one if len(one) <= 16 else "\n".join(texts)


def stacked_years(
    name: str,
    years: Sequence[int],
    series: Sequence[tuple[str, Sequence[float]]],
    total: tuple[str, Sequence[float]],
    *,
    title: str,
    footer: str,
    value_label: str,
    number: Number = plain_number,
) -> str:
    """Parts of each year stacked up and down from 0, and their sum as a line of diamonds."""
    for _, values in [*series, total]:
        _same_length("stacked_years", years, values)
    if len(series) > len(_SERIES):
        raise ShapeError(
            Problem("stacked_years", "too many parts to tell apart", f"{len(_SERIES)} or fewer", str(len(series)))
        )
    with style():
        import matplotlib as mpl
        from matplotlib.ticker import FuncFormatter

        mpl.rcParams["hatch.linewidth"] = 0.5
        mpl.rcParams["hatch.color"] = "white"
        columns = 1 if max((len(label) for label, _ in series), default=0) > 34 else 2
        legend = 0.165 * -(-(len(series) + 1) // columns) + 0.15
        figure, axes = _narrow(title, footer, 2.6, left=0.62, right=0.12, below=0.3 + legend, subtitle=value_label)
        x = np.arange(len(years))
        up, down = np.zeros(len(years)), np.zeros(len(years))
        for (label, values), (colour, hatch) in zip(series, _SERIES, strict=False):
            v = np.asarray(values, dtype=float)
            bottom = np.where(v >= 0, up, down)
            axes.bar(
                x, v, 0.72, bottom=bottom, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4, label=label
            )
            up, down = up + np.maximum(v, 0), down + np.minimum(v, 0)
        axes.plot(
            x, total[1], color=INK, marker="D", markersize=5, linewidth=1.4, markeredgecolor="white", label=total[0]
        )
        axes.axhline(0.0, color=INK, linewidth=1.0)
        axes.set_xticks(x, [str(year) for year in years], fontsize=8)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(axis="y")
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(0.01, (0.14 * (1 + len(footer) // 86) + 0.06) / figure.get_figheight()),
            ncols=columns,
            fontsize=7.5,
            handlelength=1.6,
            columnspacing=1.0,
            labelspacing=0.3,
            borderpad=0.1,
        )
        words = ["; ".join(f"{y} {v:.2f}" for y, v in zip(years, vs, strict=True)) for _, vs in [*series, total]]
        return to_svg(figure, name, _described(title, [label for label, _ in [*series, total]], words))


def fan(
    name: str,
    years: Sequence[int],
    middle: tuple[str, Sequence[float]],
    bands: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    *,
    title: str,
    footer: str,
    value_label: str,
    number: Number = plain_number,
) -> str:
    """A line over years inside bands, the widest first: (words, lower end, upper end) of each."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for _, low, high in bands:
        _same_length("fan", years, low, high)
    _same_length("fan", years, middle[1])
    looks = [("#dcdcdc", ""), ("#8fc1e3", "////"), ("#56B4E9", "")]
    with style():
        import matplotlib as mpl

        mpl.rcParams["hatch.linewidth"] = 0.4
        mpl.rcParams["hatch.color"] = "white"
        lines = len(bands) + 1
        below = 0.3 + 0.17 * lines + 0.1
        figure, axes = _narrow(title, footer, 2.5, left=0.62, right=0.15, below=below, subtitle=value_label)
        for (label, low, high), (colour, hatch) in zip(bands, looks, strict=False):
            axes.fill_between(years, low, high, color=colour, hatch=hatch, edgecolor="white", linewidth=0, label=label)
        axes.plot(
            years, middle[1], color=INK, marker="D", markersize=4.5, linewidth=1.5, markeredgecolor="white",
            label=middle[0],
        )  # fmt: skip
        axes.axhline(0.0, color=INK, linewidth=1.0)
        ticks = [y for y in years if len(years) < 8 or (y - years[0]) % 2 == 0]
        axes.set_xticks(ticks, [str(y) for y in ticks], fontsize=8)
        axes.set_xlim(years[0] - 0.35, years[-1] + 0.35)
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(axis="y")
        feet = textwrap.wrap(footer, int((NARROW - 0.2) / 0.0535))
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="lower left",
            bbox_to_anchor=(0.01, (0.14 * len(feet) + 0.06) / figure.get_figheight()),
            fontsize=7.5,
            handlelength=1.8,
            labelspacing=0.3,
            borderpad=0.1,
        )
        said = ["; ".join(f"{y} {v:.2f}" for y, v in zip(years, middle[1], strict=True))]
        said += [
            "; ".join(f"{y} {a:.2f} to {b:.2f}" for y, a, b in zip(years, low, high, strict=True))
            for _, low, high in bands
        ]
        return to_svg(figure, name, _described(title, [middle[0], *(label for label, _, _ in bands)], said))


def heat_map(
    name: str,
    values: Sequence[Sequence[float]],
    columns: Sequence[str],
    rows: Sequence[str],
    texts: Sequence[Sequence[str]],
    *,
    base: tuple[int, int] | None,
    title: str,
    footer: str,
    column_label: str,
    row_label: str,
    legend: tuple[str, str, str],
) -> str:
    """A grid of amounts: the deeper the colour, the further from zero; ``base`` is (row, column) of the cell to mark.

    ``legend``: words for a gain, a loss and the marked cell.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    _same_length("heat_map", rows, values, texts)
    cell_w, cell_h, left = 0.72, 0.34, 0.95
    width = max(left + len(columns) * cell_w + 0.15, NARROW)
    titles = textwrap.wrap(title, int((width - 0.2) / 0.086))
    feet = textwrap.wrap(footer, int((width - 0.2) / 0.0535))
    top, bottom = 0.2 + 0.2 * len(titles), 0.5 + 0.25 + 0.14 * len(feet)
    total = top + len(rows) * cell_h + bottom
    colours = LinearSegmentedColormap.from_list("result", ["#b84f00", "#f9dcc9", "#ffffff", "#cfe3f1", GAIN])
    far = max((abs(v) for line in values for v in line), default=0.0) or 1.0
    with style():
        figure = Figure(figsize=(width, total))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, total)
        axes.axis("off")
        axes.text(0.1, total - 0.1, "\n".join(titles), fontsize=10.5, fontweight="bold", va="top", linespacing=1.2)
        said, y0 = [], total - top
        for i, line in enumerate(values):
            y = y0 - (i + 1) * cell_h
            axes.text(left - 0.08, y + cell_h / 2, rows[i], fontsize=8, ha="right", va="center")
            for k, value in enumerate(line):
                x = left + k * cell_w
                place = 0.5 + 0.5 * value / far
                axes.add_patch(
                    Rectangle((x, y), cell_w, cell_h, facecolor=colours(place), edgecolor="white", linewidth=1)
                )
                ink = "white" if abs(place - 0.5) > 0.36 else INK
                axes.text(x + cell_w / 2, y + cell_h / 2, texts[i][k], fontsize=8, color=ink, ha="center", va="center")
                said.append(f"{rows[i]}, {columns[k]}: {texts[i][k]}")
        bottom_of = y0 - len(rows) * cell_h
        for k, label in enumerate(columns):
            axes.text(left + (k + 0.5) * cell_w, bottom_of - 0.05, label, fontsize=8, ha="center", va="top")
        middle = left + len(columns) * cell_w / 2
        axes.text(middle, bottom_of - 0.21, column_label, fontsize=7.5, color=GREY, ha="center", va="top")
        axes.text(
            0.16, (y0 + bottom_of) / 2, "\n".join(textwrap.wrap(row_label, max(12, int(len(rows) * cell_h / 0.055)))),
            fontsize=7.5, color=GREY, rotation=90, ha="center", va="center",
        )  # fmt: skip
        if base is not None:
            mark = (left + base[1] * cell_w, y0 - (base[0] + 1) * cell_h)
            for edge, line_width in ((INK, 3.0), ("white", 1.2)):
                axes.add_patch(
                    Rectangle(mark, cell_w, cell_h, facecolor="none", edgecolor=edge, linewidth=line_width, zorder=5)
                )
        x, y = 0.14, bottom_of - 0.6
        for k, (colour, words) in enumerate(zip((GAIN, "#b84f00", "white"), legend, strict=True)):
            if k == 2 and base is None:
                continue
            edge = INK if k == 2 else colour
            axes.add_patch(
                Rectangle((x, y), 0.22, 0.14, facecolor=colour, edgecolor=edge, linewidth=1.6 if k == 2 else 0)
            )
            axes.text(x + 0.29, y + 0.07, words, fontsize=7.5, va="center")
            x += 0.29 + 0.068 * len(words) + 0.18
        axes.text(0.1, 0.06, "\n".join(feet), fontsize=7, color=GREY, va="bottom", linespacing=1.25)
        return to_svg(figure, name, f"{title}. " + "; ".join(said) + ".")


def year_lines(
    name: str,
    lines: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    *,
    title: str,
    footer: str,
    value_label: str,
    notes: Sequence[tuple[int, str]] = (),
    number: Number = plain_number,
    errors: Sequence[Sequence[float] | None] | None = None,
    reach: tuple[int, float, float, str] | None = None,
) -> str:
    """Lines over years against 1.00, each named at its right end; ``notes`` are words above a year.

    ``errors``: per line the half length of a bar at each point, or None. ``reach``: a pale bar at a year, from one
    value to another, with words beside it.
    """
    from matplotlib.ticker import FuncFormatter

    looks = [(VERMILLION, "s", "-"), (BLUE, "o", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":")]
    with style():
        figure, axes = _narrow(title, footer, 2.3, left=0.5, right=1.2, below=0.3, subtitle=value_label)
        years = sorted({y for _, xs, _ in lines for y in xs})
        bars = list(errors) if errors is not None else [None] * len(lines)
        values = [v for _, _, vs in lines for v in vs] + [1.0]
        for (_, _, vs), half in zip(lines, bars, strict=True):
            values += [v + s * h for v, h in zip(vs, half or [], strict=bool(half)) for s in (-1, 1)]
        values += reach[1:3] if reach is not None else ()
        span = max(values) - min(values)
        below, above = 0.1 if reach is None else 0.2, 0.28 if notes else 0.1
        axes.set_ylim(min(values) - below * span, max(values) + above * span)
        if reach is not None:
            year, low, high, words = reach
            axes.plot([year, year], [low, high], color=PALE, linewidth=7, solid_capstyle="butt", zorder=0.5)
            axes.annotate(words, (year, min(values) - 0.12 * span), ha="center", va="center", fontsize=7, color=GREY)
        axes.set_xlim(years[0] - 0.4, years[-1] + 0.4)
        ends = sorted((float(vs[-1]), label, k) for k, (label, _, vs) in enumerate(lines))
        step, floor = 0.14 * span * 1.3, -np.inf
        for value, label, k in ends:
            _, xs, vs = lines[k]
            colour, marker, dash = looks[k]
            axes.plot(xs, vs, color=colour, marker=marker, linestyle=dash, linewidth=1.6, markersize=4.5)
            if (half := bars[k]) is not None:
                axes.vlines(
                    xs,
                    [v - h for v, h in zip(vs, half, strict=True)],
                    [v + h for v, h in zip(vs, half, strict=True)],
                    color=colour,
                    linewidth=0.9,
                )
            floor = max(value, floor + step)
            axes.annotate(
                "\n".join(textwrap.wrap(label, 16)),
                (years[-1], floor),
                xytext=(9, 0),
                textcoords="offset points",
                color=colour,
                va="center",
                fontsize=7.5,
                fontweight="bold",
                annotation_clip=False,
            )
        for year, words in notes:
            axes.annotate(
                words,
                (year, max(values) + 0.24 * span),
                ha="center",
                va="top",
                fontsize=7.5,
                color=INK,
                linespacing=1.15,
            )
        axes.axhline(1.0, color=INK, linewidth=1.0)
        ticks = [y for y in years if len(years) < 7 or (y - years[0]) % 2 == 0]
        axes.set_xticks(ticks, [str(y) for y in ticks], fontsize=8)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(axis="y")
        words_of = ["; ".join(f"{x} {v:.3f}" for x, v in zip(xs, vs, strict=True)) for _, xs, vs in lines]
        return to_svg(figure, name, _described(title, [label for label, _, _ in lines], words_of))


def sign_map(
    name: str,
    panels: Sequence[Sequence[tuple[str, Sequence[Sequence[float]]]]],
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    doubt: float,
    base: tuple[int, int, int, int] | None,
    title: str,
    footer: str,
    column_label: str,
    row_label: str,
    legend: tuple[str, str, str, str, str] | None,
    decimal: str = ".",
) -> str:
    """Where something pays and where not: panels in rows, each a grid of cells with a colour and a sign.

    ``panels[r][c] = (title, values)`` with ``values[row][column]``; cells within ``doubt`` of 0 are pale and bracketed;
    ``base`` is (panel row, panel column, row, column) of the cell to mark. ``legend``: words for gain, uncertain gain,
    uncertain loss, loss, and the marked cell; None when it stands elsewhere.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    looks = {
        (True, False): (GAIN, "white", "+"),
        (True, True): ("#cfe3f1", INK, "(+)"),
        (False, True): ("#f9dcc9", INK, "(\u2212)"),
        (False, False): ("#b84f00", "white", "\u2212"),
    }
    across = len(panels[0])
    cell_w, cell_h = 0.56, 0.3
    left, head, foot, gap = 0.62, 0.3, 0.38, 0.16
    width = max(left + across * (len(columns) * cell_w + gap) + 0.05, 3.5)
    titles = textwrap.wrap(title, int((width - 0.2) / 0.084))
    feet = textwrap.wrap(footer, int((width - 0.2) / 0.0535))
    top = 0.18 + 0.2 * len(titles)
    legend_columns = 1 if across == 1 else 5
    bottom = 0.06 + 0.14 * len(feet) + (0.06 + 0.2 * -(-5 // legend_columns) if legend else 0.0)
    panel_h = head + len(rows) * cell_h + foot
    total = top + len(panels) * panel_h + bottom
    with style():
        figure = Figure(figsize=(width, total))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(0, total)
        axes.axis("off")
        axes.text(0.1, total - 0.1, "\n".join(titles), fontsize=10.5, fontweight="bold", va="top", linespacing=1.2)
        said = []
        for r, row in enumerate(panels):
            for c, (panel_title, values) in enumerate(row):
                x0 = left + c * (len(columns) * cell_w + gap)
                y0 = total - top - r * panel_h - head
                here = base is not None and base[:2] == (r, c)
                axes.text(
                    x0,
                    y0 + 0.06,
                    "\n".join(textwrap.wrap(panel_title, 42)),
                    fontsize=8.5,
                    va="bottom",
                    fontweight="bold" if here else "normal",
                )
                for i, line in enumerate(values):
                    for k, value in enumerate(line):
                        colour, ink, sign = looks[(value >= 0, abs(value) <= doubt)]
                        if value == 0:
                            colour, ink, sign = "white", INK, "0"
                        x, y = x0 + k * cell_w, y0 - (i + 1) * cell_h
                        axes.add_patch(
                            Rectangle((x, y), cell_w, cell_h, facecolor=colour, edgecolor="white", linewidth=1)
                        )
                        digits = f"{abs(value):.{1 if abs(value) >= 0.095 else 2}f}".replace(".", decimal)
                        text = sign if value == 0 else f"{sign.strip('()')}{digits}"
                        text = f"({text})" if sign[0] == "(" else text
                        axes.text(x + cell_w / 2, y + cell_h / 2, text, fontsize=8, color=ink, ha="center", va="center")
                        said.append(f"{panel_title}, {rows[i]}, {columns[k]}: {text}")
                    if c == 0:
                        axes.text(left - 0.07, y0 - (i + 0.5) * cell_h, rows[i], fontsize=8, ha="right", va="center")
                for k, label in enumerate(columns):
                    axes.text(
                        x0 + (k + 0.5) * cell_w,
                        y0 - len(rows) * cell_h - 0.05,
                        label,
                        fontsize=8,
                        ha="center",
                        va="top",
                    )
                axes.text(
                    x0 + len(columns) * cell_w / 2,
                    y0 - len(rows) * cell_h - 0.19,
                    column_label,
                    fontsize=7.5,
                    color=GREY,
                    ha="center",
                    va="top",
                )
                if c == 0:
                    axes.text(
                        0.14,
                        y0 - len(rows) * cell_h / 2,
                        row_label,
                        fontsize=7.5,
                        color=GREY,
                        rotation=90,
                        ha="center",
                        va="center",
                    )
                if here and base is not None:
                    mark = (x0 + base[3] * cell_w, y0 - (base[2] + 1) * cell_h)
                    for edge, line_width in ((INK, 3.0), ("white", 1.2)):
                        axes.add_patch(
                            Rectangle(
                                mark, cell_w, cell_h, facecolor="none", edgecolor=edge, linewidth=line_width, zorder=5
                            )
                        )
        keys = [(*looks[k][:2], looks[k][2]) for k in ((True, False), (True, True), (False, True), (False, False))]
        keys.append(("white", INK, ""))
        y = bottom - 0.2
        x = left if across > 1 else 0.14
        for k, (colour, ink, sign) in enumerate(keys if legend else []):
            if legend is None or (k == 4 and base is None):
                continue
            axes.add_patch(
                Rectangle(
                    (x, y),
                    0.26,
                    0.15,
                    facecolor=colour,
                    edgecolor=INK if k == 4 else colour,
                    linewidth=2.0 if k == 4 else 0.5,
                )
            )
            axes.text(x + 0.13, y + 0.075, sign, fontsize=7.5, color=ink, ha="center", va="center")
            axes.text(x + 0.33, y + 0.075, legend[k], fontsize=7.5, va="center")
            if legend_columns == 1:
                y -= 0.2
            else:
                x += 0.33 + 0.06 * len(legend[k]) + 0.2
        axes.text(0.1, 0.06, "\n".join(feet), fontsize=7, color=GREY, va="bottom", linespacing=1.25)
        return to_svg(figure, name, f"{title}. " + "; ".join(said) + ".")


def compact(svg: str) -> str:
    """The same drawing in fewer bytes: coordinates to a thousandth of a point, no space between elements."""
    svg = re.sub(r"(?<![\w.(-])(-?\d+\.\d{4,})|(?<=translate\()(-?\d+\.\d{4,})", _thousandth, svg)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'style="[^"]*"', lambda found: re.sub(r"([:;])\s+", r"\1", found[0]), svg)
    return re.sub(r">\s+<", "><", svg)


def _thousandth(found: re.Match[str]) -> str:
    return f"{float(found[0]):.3f}".rstrip("0").rstrip(".")


def _end_text(axes: Axes, value: float, y: float, text: str, bold: bool) -> None:
    side = 1 if value >= 0 else -1
    axes.annotate(
        text,
        (value, y),
        xytext=(4 * side, 0),
        textcoords="offset points",
        va="center",
        ha="left" if side > 0 else "right",
        fontsize=8,
        fontweight="bold" if bold else "normal",
        bbox=_PAPER,
    )


def _beside(axes: Axes, x: float, y: float, text: str, bold: bool) -> None:
    axes.annotate(
        text,
        (x, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        ha="left",
        fontsize=8,
        fontweight="bold" if bold else "normal",
        bbox=_PAPER,
    )


def _few_ticks(axes: Axes, number: Number) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    axes.tick_params(axis="x", labelsize=8)


def _described(title: str, labels: Sequence[str], texts: Sequence[str]) -> str:
    return f"{title}. " + "; ".join(f"{n}: {t}" for n, t in zip(labels, texts, strict=True)) + "."


__all__ = [
    "ABOVE",
    "BELOW",
    "BLUE",
    "GAIN",
    "GREEN",
    "GREY",
    "INK",
    "LOSS",
    "NARROW",
    "ORANGE",
    "PALE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "WIDTH",
    "YELLOW",
    "before_after",
    "compact",
    "fan",
    "gap_bars",
    "heat_map",
    "new_figure",
    "plain_number",
    "ratio_dots",
    "ratio_lines",
    "sign_map",
    "signed_bars",
    "stacked_years",
    "style",
    "to_svg",
    "tornado",
    "waterfall",
    "year_lines",
]


# --- figures of a validation ------------------------------------------------------------------------------------------

_ROLES: dict[str, tuple[str, str, str]] = {
    "calibrated": (BLUE, "o", "calibrated"),
    "held_out": (VERMILLION, "D", "held out"),
    "check": (GREY, "s", "check"),
}


def _legend_of_roles(axes: Axes, roles: Sequence[str], **more: Any) -> None:
    from matplotlib.lines import Line2D

    shown = [r for r in _ROLES if r in roles]
    marks = [Line2D([], [], color=_ROLES[r][0], marker=_ROLES[r][1], linestyle="none", markersize=5) for r in shown]
    axes.legend(marks, [_ROLES[r][2] for r in shown], fontsize=7.5, handletextpad=0.2, columnspacing=1.0, **more)


def range_dots(
    name: str,
    labels: Sequence[str],
    ranges: Sequence[tuple[float, float] | None],
    values: Sequence[float],
    errors: Sequence[float],
    roles: Sequence[str],
    *,
    title: str,
    footer: str,
    axis_label: str,
    number: Number = plain_number,
) -> str:
    """A row per label: the published range as a pale bar, the value with its error as a mark of its role.

    A value that is NaN leaves only the range; errors are 3 standard errors.
    """
    _same_length("range_dots", labels, ranges, values, errors, roles)
    shown = _wrapped(labels, 30)
    with style():
        y, left = _heights(shown), _room(shown)
        height = float(-y[-1] + 0.2) if len(y) else 0.4
        figure, axes = _narrow(title, footer, height, left=left, subtitle=" ")
        for k, span in enumerate(ranges):
            if span is not None:
                axes.plot(span, [y[k]] * 2, color="#b9c4cc", linewidth=7, solid_capstyle="butt")
                middle = (span[0] + span[1]) / 2
                axes.plot([middle], [y[k]], marker="|", color=GREY, markersize=7)
            if np.isfinite(values[k]):
                colour, mark, _ = _ROLES[roles[k]]
                reach = errors[k] if np.isfinite(errors[k]) else 0.0
                axes.plot([values[k] - reach, values[k] + reach], [y[k]] * 2, color=colour, linewidth=1.1)
                axes.plot([values[k]], [y[k]], marker=mark, color=colour, markersize=4.6)
        axes.set_ylim(-height, 0)
        axes.margins(x=0.06)
        _rows(axes, y, shown)
        _few_ticks(axes, number)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.grid(axis="x")
        _legend_of_roles(axes, roles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, borderaxespad=0.0)
        texts = [f"{number(v)}" if np.isfinite(v) else "no value" for v in values]
        return to_svg(figure, name, _described(title, labels, texts))


def age_curves(
    name: str,
    panels: Sequence[tuple[str, Sequence[float], Sequence[float], Sequence[float], Sequence[float]]],
    *,
    title: str,
    footer: str,
    steps: int = 19,
) -> str:
    """Small panels of cost by age: published as lines, reached as marks; men and women.

    ``panels``: (title, published men, reached men, published women, reached women), a figure per five-year class.
    """
    from matplotlib.figure import Figure

    columns = 2
    rows = -(-len(panels) // columns)
    with style():
        titles = textwrap.wrap(title, int((NARROW - 0.2) / 0.086))
        feet = textwrap.wrap(footer, int((NARROW - 0.2) / 0.0535))
        tall, gap = 0.78, 0.42
        top, bottom = 0.62 + 0.2 * len(titles), 0.42 + 0.14 * len(feet)
        total = top + bottom + rows * tall + (rows - 1) * gap
        figure = Figure(figsize=(NARROW, total))
        figure.text(0.1 / NARROW, 1 - 0.1 / total, "\n".join(titles), fontsize=10.5, fontweight="bold", va="top")
        figure.text(0.1 / NARROW, 0.06 / total, "\n".join(feet), fontsize=7, color=GREY, va="bottom")
        ages = 5 * np.arange(steps)
        for k, (label, *series) in enumerate(panels):
            at = total - top - tall - (k // columns) * (tall + gap)
            axes = figure.add_axes(((0.5 + (k % columns) * 2.25) / NARROW, at / total, 1.75 / NARROW, tall / total))
            for want, got, colour, mark in (
                (series[0], series[1], BLUE, "o"),
                (series[2], series[3], VERMILLION, "D"),
            ):
                axes.plot(ages, want, color=colour, linewidth=1.2)
                axes.plot(ages, got, color=colour, marker=mark, markersize=2.6, linestyle="none")
            axes.set_ylim(bottom=0)
            axes.set_xlim(-2, 5 * steps - 3)
            axes.set_xticks([0, 20, 40, 60, 80], ["0", "20", "40", "60", "80"], fontsize=7)
            ticks = [t for t in axes.get_yticks() if t <= axes.get_ylim()[1]]
            axes.set_yticks([ticks[0], ticks[-1]], [plain_number(t) for t in (ticks[0], ticks[-1])], fontsize=7)
            axes.set_title(label, fontsize=8, loc="left", pad=2)
        from matplotlib.lines import Line2D

        marks = [
            Line2D([], [], color=c, marker=m, markersize=3.4, linewidth=1.2)
            for c, m in ((BLUE, "o"), (VERMILLION, "D"))
        ]
        figure.legend(
            marks,
            ["men: line published, marks reached", "women"],
            fontsize=7.5,
            loc="upper left",
            bbox_to_anchor=(0.06 / NARROW, 1 - (0.12 + 0.2 * len(titles)) / total),
            ncols=2,
            columnspacing=1.2,
        )
        return to_svg(figure, name, f"{title}. {footer}")


def against(
    name: str,
    published: Sequence[float],
    reached: Sequence[float],
    errors: Sequence[float],
    roles: Sequence[str],
    *,
    title: str,
    footer: str,
    axis_label: str,
    value_label: str,
    band: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]],
    small: float = 100.0,
) -> str:
    """Reached against published, on scales linear below ``small`` and logarithmic above; a band around equal."""
    _same_length("against", published, reached, errors, roles)
    with style():
        figure, axes = _narrow(title, footer, 3.6, left=0.85, right=0.2)
        x, y = np.asarray(published, dtype=float), np.asarray(reached, dtype=float)
        for axis in ("x", "y"):
            getattr(axes, f"set_{axis}scale")("symlog", linthresh=small)
        low, high = float(min(x.min(), y.min(), -small)), float(max(x.max(), y.max(), small))
        half = np.geomspace(1.0, max(-low, high) * 1.3, 200)
        line = np.concatenate([-half[::-1], [0.0], half])
        line = line[(line >= low * 1.3) & (line <= high * 1.3)]
        axes.fill_between(line, line - band(line), line + band(line), color="#dde3e7", linewidth=0)
        axes.plot(line, line, color=GREY, linewidth=0.8)
        for role, (colour, mark, _) in _ROLES.items():
            chosen = np.array([r == role for r in roles])
            if not chosen.any():
                continue
            reach = np.nan_to_num(np.asarray(errors, dtype=float)[chosen])
            axes.errorbar(
                x[chosen], y[chosen], yerr=reach, fmt=mark, color=colour, markersize=3.4, elinewidth=0.7, alpha=0.85
            )
        axes.set_xlim(line[0], line[-1])
        axes.set_ylim(line[0], line[-1])
        marks = [v for v in (-10_000, -1_000, 0, 1_000, 10_000, 100_000) if line[0] < v < line[-1]]
        for axis in ("x", "y"):
            getattr(axes, f"set_{axis}ticks")(marks, [plain_number(v) for v in marks], fontsize=7.5)
            getattr(axes, f"set_{axis}ticks")([], minor=True)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.set_ylabel(value_label, fontsize=8)
        axes.grid(color="#eeeeee")
        _legend_of_roles(axes, roles, loc="upper left")
        return to_svg(figure, name, f"{title}. {len(x)} classes.")


def top_shares(
    name: str,
    points: Sequence[tuple[float, float]],
    published: Sequence[tuple[float, float, float]],
    *,
    title: str,
    footer: str,
    axis_label: str,
    value_label: str,
) -> str:
    """Share of cost of the insured with the highest cost; ``published`` holds (share of insured, low, high)."""
    with style():
        figure, axes = _narrow(title, footer, 2.7, left=0.7, right=0.25)
        x, y = [100 * a for a, _ in points], [100 * b for _, b in points]
        axes.plot(x, y, color=BLUE, marker="o", markersize=3.6, linewidth=1.4, label="this population")
        for k, (share, low, high) in enumerate(published):
            axes.plot(
                [100 * share] * 2,
                [100 * low, 100 * high],
                color=VERMILLION,
                linewidth=5,
                solid_capstyle="butt",
                label="published" if k == 0 else None,
            )
        axes.set_xscale("log")
        marks = [0.1, 1, 5, 10, 20, 50, 100]
        axes.set_xticks(marks, [f"{m:g}%" for m in marks], fontsize=7.5)
        axes.set_xticks([], minor=True)
        axes.set_yticks([0, 25, 50, 75, 100], ["0%", "25%", "50%", "75%", "100%"], fontsize=7.5)
        axes.set_ylim(0, 102)
        axes.set_xlabel(axis_label, fontsize=8)
        axes.set_ylabel(value_label, fontsize=8)
        axes.grid()
        axes.legend(loc="lower right", fontsize=7.5)
        texts = [f"{b:.1f}%" for b in y]
        return to_svg(figure, name, _described(title, [f"top {a:g}%" for a in x], texts))
