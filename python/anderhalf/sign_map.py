"""The sign map: where substitution pays and where not, over price ratio, added demand, title and DKG share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from anderhalf import plots
from anderhalf.pages import Words, bullets, figure, paragraph, rich

_KEYS = ("gain", "gain_doubt", "loss_doubt", "loss", "base_key")


class SignMap:
    """The cells of a map, their counts and their drawings.

    Parameters
    ----------
    rows : sequence of dict
        ``dkg_share, title, added_demand, price_ratio, price_eur`` and the result of each cell in cents.
    doubt : float
        Cents within which a sign is not certain.
    base : dict
        ``price, added_demand, title, dkg_share`` as assumed; the nearest cell is marked.
    result : str
        The column of results.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        words: Words,
        *,
        doubt: float,
        base: Mapping[str, Any],
        result: str = "npv_cents",
    ) -> None:
        self.w, self.doubt, self.result = words, doubt, result
        names = ("dkg_share", "title", "added_demand", "price_ratio")
        self.keys = {k: list(dict.fromkeys(row[k] for row in rows)) for k in names}
        self.cells = {tuple(row[k] for k in names): row[result] for row in rows}
        self.mean = fmean(row["price_eur"] / row["price_ratio"] for row in rows)
        self.base = self._nearest(base)
        values = list(self.cells.values())
        self.counts = {
            "n": len(values),
            "plus": sum(v > doubt for v in values),
            "minus": sum(v < -doubt for v in values),
            "doubt": sum(abs(v) <= doubt for v in values),
        }

    def _nearest(self, base: Mapping[str, Any]) -> dict[str, Any] | None:
        keys, price = self.keys, base["price"]
        if price is None or base["title"] not in keys["title"] or base["dkg_share"] not in keys["dkg_share"]:
            return None
        return {
            "price_ratio": min(keys["price_ratio"], key=lambda v: abs(v - price / self.mean)),
            "added_demand": min(keys["added_demand"], key=lambda v: abs(v - base["added_demand"])),
            "title": base["title"],
            "dkg_share": base["dkg_share"],
            "exact_ratio": price / self.mean,
            "exact_added": base["added_demand"],
        }

    def _panel(self, share: float, title: str) -> list[list[float]]:
        k = self.keys
        return [
            [self.cells[share, title, added, ratio] / 1e8 for ratio in k["price_ratio"]] for added in k["added_demand"]
        ]

    def _base_cell(self) -> tuple[int, int]:
        k, base = self.keys, self.base or {}
        return k["added_demand"].index(base["added_demand"]), k["price_ratio"].index(base["price_ratio"])

    def _draw(self, name: str, panels: Any, base: Any, title: str, footer: str, *, legend: bool) -> str:
        w, k = self.w, self.keys
        return plots.sign_map(
            name,
            panels,
            [w.number(v, 1) for v in k["price_ratio"]],
            [w.short(v) for v in k["added_demand"]],
            doubt=self.doubt / 1e8,
            base=base,
            title=title,
            footer=footer,
            column_label=w("map.column"),
            row_label=w("map.row"),
            legend=tuple(w(f"map.{key}") for key in _KEYS) if legend else None,  # type: ignore[arg-type]  # five
            decimal=w("format.decimal"),
        )

    def wide(self, title: str, footer: str) -> str:
        """All panels in one drawing."""
        w, k = self.w, self.keys
        panels = [
            [
                (w("map.panel_wide", title=w.label("title", t), share=w.short(share)), self._panel(share, t))
                for share in k["dkg_share"]
            ]
            for t in k["title"]
        ]
        base = None
        if self.base:
            place = (k["title"].index(self.base["title"]), k["dkg_share"].index(self.base["dkg_share"]))
            base = (*place, *self._base_cell())
        return self._draw("sign map", panels, base, title, footer, legend=True)

    def narrow(self, share: float) -> str:
        """The panels of one DKG share, for a narrow page; the legend stands beside."""
        w, k = self.w, self.keys
        base = None
        if self.base and self.base["dkg_share"] == share:
            base = (k["title"].index(self.base["title"]), 0, *self._base_cell())
        panels = [[(w.label("title", t), self._panel(share, t))] for t in k["title"]]
        title = w("map.figure_dkg", share=w.short(share))
        return self._draw(f"{self.result} {share:g}", panels, base, title, "", legend=False)

    def blocks(self, panels: Mapping[float, str]) -> list[str]:
        """What a page shows: the titles, the legend, the panels, the counts and the marked cell."""
        w = self.w
        titles = [w(f"title.{t}_long") for t in self.keys["title"] if w.has(f"title.{t}_long")]
        swatches = [
            f'<span class="key {kind}">{rich(sign)}</span> {rich(w(f"map.{kind}"))}'
            for kind, sign in zip(_KEYS, ("+", "(+)", "(\u2212)", "\u2212", ""), strict=True)
        ]
        legend = '<p class="legend">' + " ".join(f"<span>{swatch}</span>" for swatch in swatches) + "</p>"
        parts = [bullets(titles), legend, three(panels.values()), paragraph(w("map.count", **self.counts))]
        if self.base:
            values = {
                "ratio": w.number(self.base["exact_ratio"], 2),
                "added": w.short(float(self.base["exact_added"])),
                "title": w.label("title", self.base["title"]),
                "share": w.short(self.base["dkg_share"]),
            }
            parts.append(paragraph(w("map.base", **values), "note"))
        return parts


def three(panels: Iterable[str]) -> str:
    """Small drawings beside each other."""
    return '<div class="three">\n' + "\n".join(figure(svg) for svg in panels) + "\n</div>"
