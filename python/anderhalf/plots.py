"""How figures look: one style, colours that colour-blind readers can tell apart, SVG that is the same bytes every time.

Every figure says in its title what it shows and in its footer where the figures come from. matplotlib is imported on
first use; it belongs to the extra ``report``.
"""

from __future__ import annotations

import html
import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def _style(**more: Any) -> Any:
    # Any: the stubs of matplotlib want a literal type for every key.
    return {**_STYLE, **more}


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


__all__ = [
    "ABOVE",
    "BELOW",
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "WIDTH",
    "YELLOW",
    "gap_bars",
    "new_figure",
    "ratio_dots",
    "ratio_lines",
    "style",
    "to_svg",
]
