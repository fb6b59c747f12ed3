"""What the regulations of 2015, 2019, 2020 and 2021 say about settling, by hand from the texts; weights are not here.

A class is named by the label that the annex prints, or is the class 0 ("Geen ...", DKG "0") of a criterion. Sources:
Regeling risicoverevening 2015 (R15), 2019, 2020 (as amended on 2 July 2022), 2021; Besluit zorgverzekering (Bzv);
Beleidsregels vereveningsbijdrage zorgverzekering 2015 (B15); Regeling flankerend beleid risicoverevening 2015.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .country import NeutralityRule

EX_POST = ("first_provisional", "second_provisional", "final")
STAGES = ("ex_ante", *EX_POST)


@dataclass(frozen=True)
class Band:
    """Results further than `euros` from the mean are settled for `part`; `financed`: flat over all adults."""

    euros: Fraction
    part: Fraction
    financed: bool = False
    per_adult: bool = True
    """Else per insured."""
    before_flat_step: bool = False
    """The result after scaling instead of after all steps."""
    stages: tuple[str, ...] = EX_POST


@dataclass
class Rules:
    """The settings of one equalization year; shares in the order of the law."""

    name: str
    days_in_year: int
    macro: dict[str, int]
    premium: int
    administration: int
    forfait: int
    forfait_ex_post: int
    shares: tuple[str, ...] = ("variable", "ggz")
    tables: dict[str, str] = field(default_factory=dict)
    """Share to the table of weights of the settlement; none: the table of the grant."""
    tables_without_hcc: dict[str, str] = field(default_factory=dict)
    phi: dict[str, Fraction] = field(default_factory=dict)
    neutrality: list[NeutralityRule] = field(default_factory=list)
    abroad: dict[str, Fraction] = field(default_factory=dict)
    """Criterion to the part of the weight of its class 0 that an insured abroad counts for; none: 1."""
    hcc: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Share to the stages that compensate high cost."""
    bands: dict[str, Band] = field(default_factory=dict)
    flanking: dict[str, int] = field(default_factory=dict)
    """Share to cents that its macro amount changed by after the regulation (Bzv 1bb)."""
    own_payments_phi: Fraction | None = None
    """None: own payments stay as the deductible model has them (Bzv 3.19(2))."""
    detained: Fraction = Fraction(0)
    fixed_by_history: bool = False


MILLION = 100_000_000


def _macro(variable: str, fixed: str, ggz: str, nursing: str | None = None) -> dict[str, int]:
    amounts = {"variable": variable, "fixed": fixed, "ggz": ggz} | ({"nursing": nursing} if nursing else {})
    return {k: int(Fraction(v) * MILLION) for k, v in amounts.items()}


def class_codes(share: Any, criterion: str, *labels: str, age_min: int | None = None) -> list[int]:
    """Codes of the classes whose label begins with one of `labels`; of that age band only when it is given."""
    classes = next(c for c in share.criteria if c.name == criterion).classes
    found = [
        k.code
        for label in labels
        for k in classes
        if _plain(k.label).startswith(_plain(label)) and age_min in (None, k.age_min)
    ]
    if len(set(found)) != len(found) or (age_min is None and len(found) < len(labels)):
        raise ValueError(f"{criterion}: {labels} are the classes {found}")
    return found


def _plain(text: str) -> str:
    for dash in "–−‑":
        text = text.replace(dash, "-")
    return text.replace("  ", " ")


def _offset(share: Any, criterion: str, labels: Iterable[str], article: str) -> NeutralityRule:
    """Class 0 takes what the named classes cost more or less than expected."""
    return NeutralityRule(share.name, criterion, "offset", [0], class_codes(share, criterion, *labels), article)


def _zero_sum(share: Any, criterion: str, article: str) -> NeutralityRule:
    return NeutralityRule(share.name, criterion, "zero_sum", [0], [], article)


def _class_totals(share: Any, criterion: str, article: str) -> NeutralityRule:
    return NeutralityRule(share.name, criterion, "class_totals", [], [], article)


ADD_ONS = (
    "Auto-immuunziekten o.b.v. add-on",
    "Kanker o.b.v. add-on",
    "Groeistoornissen o.b.v. add-on",
    "Immunoglobuline o.b.v. add-on",
    "COPD/Zware astma o.b.v. add-on",
    "Extreem hoge kosten cluster 1",
    "Extreem hoge kosten cluster 2",
    "Extreem hoge kosten cluster 3",
)


def rules_2015(table: dict[str, Any]) -> Rules:
    """R15 art. 2, 8, 9, 11(4), 16, 18; B15 art. 7-12, 18-23, 26-31; Bzv of 2015 art. 3.11-3.22."""
    variable, nursing, ggz = table["variable"], table["nursing"], table["ggz"]
    neutrality = [
        _zero_sum(variable, "dkg", "B15 18(2)"),
        _zero_sum(variable, "hkg", "B15 18(3)"),
        _zero_sum(variable, "mhk", "B15 18(4)"),
        _zero_sum(nursing, "mhk", "B15 20(2)"),
        _zero_sum(ggz, "ggz_dkg", "B15 21(2)"),
        _zero_sum(ggz, "ggz_mhk", "B15 21(3)"),
    ]
    for age, article in ((0, "B15 18(5)"), (65, "B15 18(6)")):
        none = class_codes(variable, "gsm", "Geen morbiditeit", age_min=age)
        some = class_codes(variable, "gsm", "Wel morbiditeit", age_min=age)
        neutrality.append(NeutralityRule("variable", "gsm", "zero_sum", none, some, article))
    half = Fraction(1, 2)
    return Rules(
        name="nl-2015",
        days_in_year=365,
        macro=_macro("34271.2", "419.6", "3546.0", "3151.2"),
        premium=119_600,
        administration=4_500,
        forfait=35_636,
        forfait_ex_post=35_636,
        shares=("variable", "nursing", "ggz"),
        phi=dict.fromkeys(("variable", "nursing", "ggz"), Fraction(1)),
        neutrality=neutrality,
        abroad={
            "fkg": Fraction(55, 100),
            "dkg": half,
            "hkg": Fraction(65, 100),
            "ggz_fkg": half,
            "ggz_dkg": Fraction(40, 100),
        },
        bands={
            "nursing": Band(Fraction(5), Fraction(95, 100)),
            "ggz": Band(Fraction(15), Fraction(90, 100)),
        },
        flanking={"nursing": -37 * MILLION},
        detained=Fraction(7_443, 10_000_000),
        fixed_by_history=True,
    )


def rules_2019(table: dict[str, Any]) -> Rules:
    """Regeling 2019 art. 2, 7, 8, 11(4)-(8), 18; no high-cost compensation; annexes 1, 2, 3 in both stages."""
    variable, ggz = table["variable"], table["ggz"]
    mhk = [f"3 voorafgaande jaren variabele zorgkosten in top {top} procent" for top in ("1,5", "0,5")]
    return Rules(
        name="nl-2019",
        days_in_year=365,
        macro=_macro("43541.6", "166.9", "3946.5"),
        premium=138_000,
        administration=4_100,
        forfait=35_316,
        forfait_ex_post=35_316,
        phi={"variable": Fraction(1), "ggz": Fraction(1)},
        neutrality=[
            _offset(variable, "fkg", ADD_ONS, "11(4)"),
            _class_totals(variable, "dkg_primary", "11(5)"),
            _class_totals(variable, "dkg_secondary", "11(5)"),
            _offset(variable, "mhk", mhk, "11(6)"),
            _zero_sum(variable, "mvv", "11(7)"),
            _zero_sum(ggz, "ggz_dkg", "11(8)"),
        ],
    )


def rules_2020(table: dict[str, Any]) -> Rules:
    """Regeling 2020 as amended: art. 11(2) annexes 5 and 3, 16(2) annex 7, 17(3)-(4) annex 6 and the forfait 359.91."""
    variable, ggz = table["variable"], table["ggz"]
    mhk = [f"3 voorafgaande jaren variabele zorgkosten in top {top} procent" for top in ("4", "1,5", "0,5")]
    return Rules(
        name="nl-2020",
        days_in_year=366,
        macro=_macro("44219.5", "224.8", "4102.0"),
        premium=137_300,
        administration=4_100,
        forfait=35_953,
        forfait_ex_post=35_991,
        tables={"variable": "variable_ex_post", "ggz": "ggz_hcc", "deductible": "deductible_ex_post"},
        tables_without_hcc={"ggz": "ggz_ex_post"},
        phi={"variable": Fraction(1), "ggz": Fraction(1)},
        neutrality=[
            _offset(variable, "fkg", ADD_ONS, "11(4)"),
            _class_totals(variable, "dkg_primary", "11(5)"),
            _class_totals(variable, "dkg_secondary", "11(5)"),
            _offset(variable, "mhk", mhk, "11(6)"),
            _zero_sum(ggz, "ggz_dkg", "11(7)"),
        ],
        hcc={"ggz": ("second_provisional", "final")},
    )


AVI_AGES = (0, 18, 35, 45, 55, 65)


def _avi(share: Any, criterion: str, article: str) -> list[NeutralityRule]:
    """Art. 11(12), 11(13), 17(3) of 2021: per age class of social assistance, one amount for the three others."""
    rules = []
    for age in AVI_AGES:
        of = class_codes(share, criterion, "Bijstandsgerechtigden", age_min=age)
        reset = class_codes(share, criterion, "Zelfstandigen", "Referentiegroep", "Hoogopgeleiden", age_min=age)
        if of:
            rules.append(NeutralityRule(share.name, criterion, "offset", reset, of, article))
    return rules


def rules_2021(table: dict[str, Any], *, structural: bool = False) -> Rules:
    """Regeling 2021 art. 11(4)-(14), 16, 17(3); Bzv 3.12(3)b, 3.19(3). Structural: phi 1, own payments as expected."""
    variable, ggz, deductible = table["variable"], table["ggz"], table["deductible"]
    ggz_mhk = (
        "5 voorafgaande jaren kosten GGZ in top 5 promille",
        "5 voorafgaande jaren kosten GGZ in top 2,5 promille",
    )
    phi = Fraction(1) if structural else Fraction(15, 100)
    return Rules(
        name="nl-2021-structural" if structural else "nl-2021",
        days_in_year=365,
        macro=_macro("45128.6", "283.6", "2819.2"),
        premium=141_700,
        administration=4_100,
        forfait=35_726,
        forfait_ex_post=35_726,
        tables={"ggz": "ggz_hcc"},
        tables_without_hcc={"ggz": "ggz"},
        phi={"variable": phi, "ggz": phi},
        neutrality=[
            _offset(variable, "fkg", (*ADD_ONS, "Extreem hoge kosten cluster 4"), "11(4)"),
            _class_totals(variable, "dkg", "11(5)"),
            _zero_sum(variable, "mhk", "11(6)"),
            _zero_sum(variable, "mvv", "11(7)"),
            _zero_sum(ggz, "ggz_dkg", "11(8)"),
            NeutralityRule("variable", "fdg", "offset", [0], [2], "11(9)"),
            _zero_sum(variable, "hkg", "11(10)"),
            _offset(ggz, "ggz_mhk", ggz_mhk, "11(11)"),
            *_avi(variable, "avi", "11(12)"),
            *_avi(ggz, "ggz_avi", "11(13)"),
            *_avi(deductible, "avi", "17(3)"),
        ],
        hcc={"ggz": ("second_provisional", "final")},
        own_payments_phi=None if structural else Fraction(15, 100),
    )


LATER = ("second_provisional", "final")
GGZ_BAND = Band(Fraction(10), Fraction(90, 100))
STRUCTURES: dict[int, dict[str, Any]] = {
    2022: {"phi": Fraction(30, 100), "own_payments_phi": Fraction(30, 100)},
    2023: {
        "bands": {
            "variable": Band(Fraction(50), Fraction(75, 100), financed=True, per_adult=False, before_flat_step=True),
            "ggz": GGZ_BAND,
        }
    },
    2024: {"bands": {"ggz": GGZ_BAND}},
    2025: {"bands": {"ggz": GGZ_BAND}, "hcc": ("variable", "ggz")},
    2026: {"hcc": ("variable", "ggz")},
}
"""Bzv 3.12(4), 3.16, 3.17 and facts/risk-equalization.md 2.6: what each of these years changes in the settlement."""


def rules_of_structure(model: Any, days_in_year: int) -> Rules:
    """2022-2026 over the law of 2021: phi, bandwidth and high-cost compensation by hand, amounts and neutral classes of
    the model, since these years have no official weights.
    """
    changed = STRUCTURES[model.year]
    rules = Rules(
        name=model.name,
        days_in_year=days_in_year,
        macro={"variable": model.macro_variable, "fixed": model.macro_fixed, "ggz": model.macro_ggz},
        premium=model.calculation_premium,
        administration=model.administration_under_18,
        forfait=model.forfait,
        forfait_ex_post=model.forfait_ex_post,
    )
    rules.tables, rules.tables_without_hcc = {"ggz": "ggz_hcc"}, {"ggz": "ggz"}
    rules.phi = {"variable": changed.get("phi", Fraction(1)), "ggz": Fraction(1)}
    rules.own_payments_phi = changed.get("own_payments_phi")
    rules.hcc = dict.fromkeys(changed.get("hcc", ("ggz",)), LATER)
    rules.bands = changed.get("bands", {})
    rules.neutrality = [
        NeutralityRule(r.share.removesuffix("_hcc"), r.criterion, str(r.rule), list(r.reset), list(r.of), r.article)
        for r in model.neutrality
    ]
    return rules


def rules_of(name: str, table: dict[str, Any]) -> Rules:
    """The rules of a model by its name; `table`: the weights and labels per table of the annexes."""
    made = {"nl-2015": rules_2015, "nl-2019": rules_2019, "nl-2020": rules_2020, "nl-2021": rules_2021}
    if name == "nl-2021-structural":
        return rules_2021(table, structural=True)
    return made[name](table)
