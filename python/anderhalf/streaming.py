"""One equalization year of insured people of any number: claims through groupers to moments and totals, in blocks.

What :class:`World` holds in memory for a few hundred thousand insured, this makes for a whole country in two passes
over the blocks: the first counts cost for the national lines, the second gives classes and adds. Lines, moments and
totals are the same integers either way.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anderhalf import _core
from anderhalf.errors import ParameterError, Problem
from anderhalf.export import MINIMUM_PERSONS, ORIGIN_LABEL, sha256, version
from anderhalf.insured import COSTS, FIXED, OWN_PAYMENTS, UNDER_18, ShareTotals, Totals, shares_of
from anderhalf.mapping import ReferenceMapping, load_mapping
from anderhalf.model import Model, RiskClass, Share, load_model
from anderhalf.moments import Moments, model_layout, processors
from anderhalf.simulation import Rules

if TYPE_CHECKING:
    import pandas as pd

    from anderhalf.sources import Insured


COLUMNS = frozenset(  # what a streamed year knows, by the columns of a frame
    {"insurer", "days", "represents", "person", "abroad", UNDER_18, *COSTS.values(), FIXED, OWN_PAYMENTS}
)


@dataclass(frozen=True)
class Streamed:
    """One equalization year of insured people, as sums: what weights and payments are made of.

    Parameters
    ----------
    model : Model
        The model year whose classes were given.
    year : int
        Calendar year of the insured.
    origin : str
        ``synthetic`` or ``microdata``.

    Examples
    --------
    >>> import anderhalf as ah
    >>> year = ah.synthesise(5_000, region=None).stream("nl-2021-structural")  # doctest: +SKIP
    >>> ah.estimate(year.moments, model="nl-2021-structural")  # doctest: +SKIP
    >>> ah.pay(year, weights="nl-2021-structural")  # doctest: +SKIP
    """

    model: Model
    year: int
    origin: str
    data_sha256: str | None
    insurers: dict[int, str]
    moments: Moments  #: of somatic cost on the classes of the model; what ``ah.estimate`` takes
    core: _core.Streamed = field(repr=False, compare=False)

    @property
    def persons(self) -> int:
        """Persons with a record in the year; each stands for one insured or more."""
        return int(self.core.persons)

    @property
    def insured(self) -> int:
        """Insured that these persons stand for."""
        return int(self.core.insured)

    @property
    def records(self) -> int:
        return int(self.core.records)

    @property
    def claims(self) -> int:
        """Claims read, of all years that the classes look at."""
        return int(self.core.claims)

    @property
    def years_read(self) -> tuple[int, int]:
        """First and last calendar year of the care that was read."""
        return int(self.core.first_year), self.year

    @cached_property
    def lines(self) -> pd.DataFrame:
        """The national lines: ``criterion, classes, year, top_percent, insured, threshold_eur, above, at_line``.

        ``year`` is that of the cost; of MVV the equalization year, whose sums over earlier years are ranked.
        ``insured`` are those of whom the share is taken, ``above`` have more cost than the line, ``at_line`` exactly
        its cost: of them, ties let some in. Where nobody fits, the threshold is missing. Of microdata, counts of 1 to
        9 are missing, thresholds that so few reach too, and the others are in whole euros: to the cent a line is one
        person's cost.
        """
        import pandas as pd

        laws = {c.name: c for share in (self.model.variable, self.model.ggz) for c in share.criteria}
        rows = []
        for line in self.core.lines:
            classes = [
                c.code for c in laws[line["criterion"]].classes
                if (c.code == line["code"] if line["code"] else c.code != 0)
                and (c.top_per_myriad, c.min_cents) == (line["top_per_myriad"], line["min_cents"])
            ]  # fmt: skip
            euros = None if line["cents"] is None else line["cents"] / 100
            rows.append((line["criterion"], ", ".join(map(str, classes)), line["year"], line["top_per_myriad"] / 100,
                         line["insured"], euros, line["above"], line["on"]))  # fmt: skip
        names = ["criterion", "classes", "year", "top_percent", "insured", "threshold_eur", "above", "at_line"]
        frame = pd.DataFrame(rows, columns=names).astype({"threshold_eur": float})
        if self.origin == "microdata":
            few = (frame.above + frame.at_line).between(1, MINIMUM_PERSONS - 1)
            frame["threshold_eur"] = frame.threshold_eur.round().mask(few)
            for name in ("insured", "above", "at_line"):
                small = frame[name].between(1, MINIMUM_PERSONS - 1)
                frame[name] = frame[name].astype("Int64").mask(few | small)
        return frame

    @cached_property
    def totals(self) -> Totals:
        """Class days, costs and heads per insurer: what :func:`anderhalf.pay` takes, the same as of ``records``."""
        core = self.core.totals
        codes = np.array(list(self.insurers))
        names = np.array([self.insurers[int(code)] for code in codes])
        order = np.argsort(names, kind="stable")
        order = order[core["records"][order] > 0]  # insurers that turn up, as in a frame
        shares = {
            share: ShareTotals(part["days"][order], part["abroad"][order], part["records"][order],
                               core[COSTS[share]][order] if share in COSTS else np.zeros(len(order), dtype=np.int64))
            for share, part in ((name, core["shares"][name]) for name in shares_of(self.model))
        }  # fmt: skip
        return Totals(
            tuple(str(name) for name in names[order]), shares, core["records"][order], core["days"][order],
            core["adult_days"][order], np.zeros(len(order), dtype=np.int64), core["under_18"][order],
            {name: core[name][order] for name in (FIXED, OWN_PAYMENTS)},
            {},
            {share: (part[order], tuple(limits)) for share, (part, limits) in core["high_cost"].items()},
        )  # fmt: skip

    def require_classes(self, model: Model, where: str) -> None:
        """Refuses a model year whose classes are other than those given here.

        Raises
        ------
        ParameterError
            Other criteria, classes, data years or lines.
        """
        if _rules(model) != _rules(self.model):
            raise ParameterError(
                Problem(where, "the year was streamed with the classes of another model", self.model.name, model.name)
            )

    def _facts(self) -> list[tuple[str, str]]:
        first, last = self.years_read
        return [
            ("model", self.model.name),
            ("year", f"{self.year}, care of {first}-{last}"),
            ("people", f"{self.origin}, {self.persons:,} persons, {self.records:,} records"),
            ("insured years", f"{self.moments.insured_years:,.1f}"),
            ("claims", f"{self.claims:,}"),
            ("cost", f"{self.moments.cost_cents / 100:,.2f}"),
            ("weights", f"{self.moments.columns}"),
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self._facts())
        return "\n".join(["Streamed", *(f"  {name:<{width}}  {value}" for name, value in self._facts())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in self._facts()
        )
        return f"<table><caption>Streamed</caption>{rows}</table>"


# What a law does with sums that are there; all the rest of it makes them.
_PAYS = {
    "name", "year", "official", "weighted", "variable_ex_post", "ggz_ex_post", "deductible_ex_post", "historical",
    "neutrality", "macro_total", "macro_variable", "macro_fixed", "macro_ggz", "macro_nursing", "flanking_fixed",
    "flanking_nursing", "macro_historical", "revenue_premium", "revenue_deductible", "fund_payment",
    "calculation_premium", "administration_under_18", "forfait", "forfait_ex_post", "flat_ppm_variable",
    "flat_ppm_ggz", "flat_ppm_nursing", "flat_ppm_historical", "own_payments_macro_corrected",
    "own_payments_flat_ppm", "bandwidth", "fixed_settled_ppm", "abroad", "detained_ppb", "steps", "law",
}  # fmt: skip


def _rules(model: Model) -> Any:
    """What gives classes and sums: all of a law but its weights, amounts and settlement."""

    def bare(k: RiskClass) -> RiskClass:
        return replace(k, weight=0, label="", source="", printed=True)

    return [
        [(c.name, replace(c, classes=tuple(bare(k) for k in c.classes))) for c in value.criteria]
        if isinstance(value, Share)
        else [(rule.share, rule.top_per_myriad, rule.threshold) for rule in value]
        if name == "high_cost"
        else value
        for name in (f.name for f in fields(model) if f.name not in _PAYS)
        for value in [getattr(model, name)]
    ]


def stream(
    people: Insured,
    model: Model | str,
    year: int | None = None,
    *,
    rules: Rules | None = None,
    mapping: ReferenceMapping | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Streamed:
    """One equalization year in two passes over the blocks, of which no more is held than who is near a national line.

    High-cost compensation above a top share of cost keeps 32 bytes of every record with such cost as well.

    Parameters
    ----------
    people : Population or Dataset
        Records and claims over the years that the classes look at.
    model : Model or str
        A model year that groups claims; see ``anderhalf models``.
    year : int, optional
        Calendar year of the insured; default that of the model when the people have the years of care before it, else
        their last year.
    rules : Rules, optional
        ``threshold_factor``, ``experiment_variable_share`` and ``dkg_share``; nothing else of them plays a part here.
    mapping : ReferenceMapping, optional
        Which care leads to which class; default: the stand-in of the model year.
    threads : int, optional
        Default: the processors this process may use. The result does not depend on it.
    progress : callable, optional
        Called with blocks done and blocks to do, over both passes.

    Raises
    ------
    ParameterError
        Years of care that the people do not have.
    DomainError
        Records or claims that cannot be used, all kinds at once, never a personal value.
    KeyboardInterrupt
        Ctrl-C, at the end of the blocks being read.
    """
    law = load_model(model) if isinstance(model, str) else model
    law.require_complete("stream")
    rules = rules or Rules()
    scheme = _core.Scheme(
        law.core, (mapping or load_mapping(law)).core(round(rules.dkg_share * 100)),
        round(rules.experiment_variable_share * 1_000_000),
    )  # fmt: skip
    first, last = people.years
    if year is None:
        year = people.year_of(law)
    options = _core.Options()
    options.first_year, options.last_year = first, last
    options.insurers, options.seed = list(people.insurers), people.seed
    options.threshold_ppm = round(rules.threshold_factor * 1_000_000)
    begin = _core.first_year_of_care(scheme, year)
    source = people.source((begin, year)) if first <= begin <= year <= last else people.source()  # else refused there
    layout = model_layout(law, cost="variable_cents", represents="represents")
    core = _core.stream(source, scheme, options, year, layout.design, threads or processors(), progress)
    return Streamed(
        law, year, people.origin, people.data_sha256, dict(people.insurers), Moments(core.moments, layout), core
    )


def stream_command(
    people: Insured,
    model: str,
    year: int | None,
    *,
    out: Path | None,
    as_json: bool,
    threads: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """``anderhalf stream``: exit status."""
    if out is not None and (out.suffix != ".moments" or not out.resolve().parent.is_dir()):
        raise ParameterError(Problem("--out", "no file for moments", "FILE.moments in a folder that exists", out.name))
    streamed = stream(people, model, year, threads=threads, progress=progress)
    if out is not None:
        streamed.moments.save(out)
    lines = streamed.lines
    note = ORIGIN_LABEL[streamed.origin].format(minimum=MINIMUM_PERSONS)
    kept = (
        "The moments hold sums of few persons: they stay where the records are." if people.origin == "microdata" else ""
    )
    if as_json:
        first, _ = streamed.years_read
        content = {
            "anderhalf_version": version(), "model": streamed.model.name, "origin": streamed.origin,
            "parameters_sha256": streamed.model.parameters_sha256, "data_sha256": streamed.data_sha256,
            "seed": people.seed, "year": streamed.year, "care_from": first, "persons": streamed.persons,
            "insured": streamed.insured, "records": streamed.records, "claims": streamed.claims,
            "insured_years": round(streamed.moments.insured_years, 4), "cost_cents": streamed.moments.cost_cents,
            "weights": streamed.moments.columns, "moments": None if out is None else str(out),
            "moments_sha256": sha256(streamed.moments.to_bytes()), "note": " ".join(filter(None, (note, kept))),
            "lines": json.loads(lines.to_json(orient="records")),
        }  # fmt: skip
        print(json.dumps(content, indent=2))
        return 0
    print(streamed)
    print(f"\n{lines.to_string(index=False, na_rep='-')}\n\n{note}")
    if out is not None:
        print(f"Moments: {out}, for: anderhalf estimate {out} --model {streamed.model.name}", *filter(None, [kept]))
    return 0
