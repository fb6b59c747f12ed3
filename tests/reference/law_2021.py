"""The tables and rules of 2021, transcribed a second time, by hand.

Source: Regeling risicoverevening 2021 (BWBR0046846), annexes 1-4, art. 2-19, and Besluit zorgverzekering (BWBR0018492,
text of 14-9-2024) art. 1, 2.17, 3.12, 3.19, 3.22. A test compares it with params/nl/2021.
"""

from __future__ import annotations

from .country import (
    CLUSTERS,
    Category,
    Criterion,
    Exclusion,
    Household,
    Income,
    Model,
    NeutralityRule,
    RiskClass,
    Share,
    Title,
    micro_euro,
)

# Annex 1 table 1.1: 0 born in the year, 0 born the year before, 1-4, 5-9, 10-14, 15-17, 18-24, 25-29, ... 90+.
MEN = """9737.45 2975.59 2265.22 2064.01 2051.99 2134.12 1929.98 1935.72 1941.15 2003.29 2055.80 2183.69 2314.34 2599.96
2834.24 3136.78 3557.27 4019.47 4418.99 4953.78 5787.96"""
WOMEN = """8991.01 2690.76 2017.09 2041.17 2085.87 2257.32 2187.72 2648.55 2825.17 2473.81 2231.80 2295.76 2365.76
2476.68 2608.22 2855.89 3170.03 3536.45 4006.39 4560.76 5361.62"""

# Table 1.2.
FKG = """Geen FKG|-279.95
Schildklieraandoeningen|34.77
Glaucoom|205.38
Depressie|169.47
Psychose en verslaving|394.67
Epilepsie|666.96
Chronische antistolling|686.18
Transplantaties|2267.53
Parkinson|2484.55
Hartaandoeningen|1563.21
Chronische pijn exclusief opioïden|871.32
Neuropatische pijn|1280.64
Diabetes type II zonder hypertensie|419.04
Diabetes type II met hypertensie|830.24
Diabetes type I zonder hypertensie|1423.60
Diabetes type I met hypertensie|1892.81
Cystic fibrosis/pancreasenzymen|4358.58
Groeistoornissen o.b.v. add-on|3120.69
Aandoeningen van hersenen/ruggenmerg: overig|3069.41
Aandoeningen van hersenen/ruggenmerg: multiple sclerose|4856.69
HIV/AIDS|795.86
Psoriasis|622.84
Ziekte van Crohn/Colitis Ulcerosa|645.42
Reuma|877.40
Auto-immuunziekten o.b.v. add-on|5546.81
Nieraandoeningen|7761.17
Acromegalie|13777.78
Immunoglobuline o.b.v. add-on|9969.68
Astma|425.07
COPD/Zware astma|1398.26
COPD/Zware astma o.b.v. add-on|10812.10
Hormoongevoelige tumoren|1219.90
Kanker|1502.33
Kanker o.b.v. add-on|7976.58
Pulmonale arteriële hypertensie|20368.47
Extreem hoge kosten cluster 1|73966.54
Extreem hoge kosten cluster 2|170147.34
Extreem hoge kosten cluster 3|360282.76
Extreem hoge kosten cluster 4|518544.69"""

# Table 1.3: Geen DKG, 1-26.
DKG = """-380.53 334.63 859.15 1151.00 1757.36 2251.27 2772.37 3088.46 3592.95 4510.74 4919.71 5184.75 6132.01 6182.27
7664.30 7832.39 10834.58 12571.49 13019.90 13471.83 15432.46 22441.82 17919.13 31672.11 29242.46 47906.79 67735.32"""

# Table 1.4.
HKG = """Geen HKG|-80.84
CPAP apparatuur|472.50
Therapeutische elastische kousen|300.58
Voorzieningen voor stomapatiënten|2114.57
Vernevelaar met toebehoren|4049.57
Middelen voor urine-opvang|2240.19
Injectiespuiten met toebehoren (excl. diabetes)|2513.78
Zuurstofapparaten met toebehoren|3757.18
Voedingshulpmiddelen (excl. zuigelingen)|6840.85
Slijmuitzuigapparatuur|17121.04
Draagbare infuuspompen|8361.53
Compressiehulpmiddelen|1822.73
Orthesen|936.40
Beenprothesen|2119.77
Insulinepompen|1086.52"""

# Tables 1.5, 2.4, 3.4, 4.2: per group of the funnel, ages 0-17 (annex 1 only), 18-34, 35-44, 45-54, 55-64, 65-69.
AVI_GROUPS = (
    Income.iva,
    Income.disabled,
    Income.social_assistance,
    Income.student,
    Income.self_employed,
    Income.higher_educated,
    Income.reference,
)
AVI_BANDS = ((0, 17), (18, 34), (35, 44), (45, 54), (55, 64), (65, 69))
AVI = """149.62 1607.95 1217.73 1040.91 781.09 645.76
176.86 407.70 491.04 484.17 395.02 397.72
112.59 323.44 324.64 373.54 372.45 299.07
-54.15 -172.82
-93.00 -85.11 -124.18 -167.51 -233.09 -14.06
-128.58 -0.54 -59.22
1.28 15.33 -28.18 -57.26 -81.35 -116.37"""

REGION = "71.68 29.74 25.98 19.91 3.50 -27.83 -20.37 -23.78 -28.68 -49.52"  # table 1.6

# Tables 1.7, 2.6, 3.6: classes 1-4, ages 0-17 (annex 1 only), 18-69, 70+.
SES = """67.64 -1.92 -90.46
27.93 19.97 -20.33
-24.13 17.24 38.39
-39.71 -29.26 54.83"""

# Tables 1.8, 2.7, 3.7: Wlz permanent, Wlz entering, one person, other; ages 18-69, 70-79, 80+.
PPA = """-742.43 -2052.94 -3294.04
8341.39 12056.44 9927.85
-14.45 149.46 118.68
2.05 -100.24 -143.66"""

MHK = "-598.55 166.47 2573.10 2166.75 3373.17 5066.98 8368.67 17276.39 43742.27"  # table 1.9
MHK_RULES = ((0, 0), (1, 3000), (2, 1000), (3, 1500), (3, 1000), (3, 700), (3, 400), (3, 150), (3, 50))
FDG = "-24.17 699.50 1681.99 1721.76 13015.52"  # table 1.10
MVV = "-187.13 1221.13 1586.92 2745.92 5245.54 8218.46 11805.95 16485.16 28619.85 77305.66"  # table 1.11
MVV_TOP = (0, 350, 300, 250, 200, 150, 100, 50, 25, 25)

# Annexes 2 (without) and 3 (with high-cost compensation), insured of 18 and older.
GGZ = {
    "men": "236.61 230.66 216.87 213.80 201.36 181.22 175.99 170.59 170.59 167.34 167.73 167.73 176.93 170.92 170.92",
    "women": "304.00 258.19 231.12 222.71 203.71 189.70 178.68 170.59 170.59 167.34 167.73 169.22 170.92 170.92 170.92",
    "fkg": "-16.45 144.94 242.22 553.25 174.23 413.16 853.44 684.51 487.33 1686.84",
    "dkg": """-80.75 194.65 243.09 608.80 1279.43 2381.07 2851.12 2842.81 5142.75 6467.72 6927.22 10451.47 14506.59
        22711.75 22795.46 33791.27 31338.93 56797.61 30528.53""",
    "avi": """360.94 166.32 -8.65 -3.25 0.00
        300.49 245.97 86.89 34.37 0.00
        281.81 110.47 58.71 -3.25 0.00
        -54.19
        -39.20 -39.17 -14.14 -3.25 0.00
        -40.62 -27.11
        -1.85 -10.94 -8.37 -3.25 0.00""",
    "region": "33.88 13.17 -0.96 -6.53 -6.53 -6.53 -6.53 -6.53 -6.53 -6.53",
    "ses": """11.98 6.14
        -9.37 -1.72
        -10.08 -2.18
        8.07 -2.07""",
    "ppa": """-34.40 -28.94 -32.13
        -31.60 767.99 240.27
        44.12 15.74 -6.58
        -6.86 -10.68 -5.41""",
    "mhk": "-41.19 167.78 844.35 1740.48 3035.30 6817.35 8146.59 14301.90",
}
GGZ_HCC = {
    "men": "238.61 231.03 215.60 215.09 201.93 182.77 176.57 167.98 167.98 164.78 165.76 166.65 174.42 169.71 169.71",
    "women": "302.78 262.42 234.68 224.37 206.33 192.31 179.37 170.92 167.98 164.78 165.76 168.30 169.71 169.71 169.71",
    "fkg": "-16.93 149.80 274.12 541.24 187.36 408.60 864.43 693.91 534.46 1593.73",
    "dkg": """-79.52 209.12 269.13 636.48 1299.75 2447.99 2978.84 2970.07 5103.01 6396.28 6890.51 9821.56 13452.48
        19324.84 19804.97 29668.67 26129.66 32949.36 29727.69""",
    "avi": """349.36 151.29 -11.79 -3.20 0.00
        272.34 234.13 87.15 33.80 0.00
        273.20 109.36 59.27 -3.20 0.00
        -50.07
        -39.49 -38.75 -16.33 -3.20 0.00
        -39.97 -25.74
        -0.94 -10.31 -8.05 -3.20 0.00""",
    "region": "31.00 12.15 0.22 -5.52 -6.00 -6.30 -6.30 -6.30 -6.30 -6.30",
    "ses": """13.25 5.71
        -7.76 -1.84
        -9.25 -2.29
        5.29 -1.50""",
    "ppa": """-34.44 -27.87 -31.82
        -29.84 783.13 243.36
        47.44 14.34 -7.84
        -7.39 -10.34 -4.58""",
    "mhk": "-40.85 173.71 871.95 1793.64 3045.71 5797.45 7506.54 12500.11",
}
GGZ_MHK_RULES = ((0, 0, 0), (1, 9850, 3), (2, 100, 5), (2, 50, 5), (2, 25, 5), (2, 10, 5), (5, 50, 5), (5, 25, 5))

# Annex 4, adults of art. 8(2).
DEDUCTIBLE_MEN = """129.50 128.44 129.31 133.54 138.46 145.94 158.63 177.73 197.95 217.54 237.06 254.32 258.03 258.39
242.21"""
DEDUCTIBLE_WOMEN = """180.44 178.96 174.63 170.45 176.09 184.20 191.82 198.41 209.39 224.42 240.34 256.45 256.07 245.77
208.86"""
DEDUCTIBLE_AVI = """67.75 69.24 60.58 43.70 29.79
50.32 61.74 50.79 33.72 19.64
43.89 47.41 39.84 19.75 -3.04
-7.33
-3.81 -6.96 -8.94 -12.56 -8.35
-7.68 -11.98
0.59 -0.23 -2.92 -2.03 -1.72"""
DEDUCTIBLE_REGION = "6.55 4.02 1.92 0.54 -0.03 -2.16 -2.61 -2.74 -3.14 -2.45"
DEDUCTIBLE_MHK = "-30.78 61.32"

ADULT_BANDS = ((18, 24), *((a, a + 4) for a in range(25, 90, 5)), (90, 999))
CHILD_BANDS = ((0, 0), (0, 0), (1, 4), (5, 9), (10, 14), (15, 17))


def _classes(first: int, rows: list[dict[str, int | str]]) -> list[RiskClass]:
    return [RiskClass(code=first + i, **row) for i, row in enumerate(rows)]  # type: ignore[arg-type]


def _weights(text: str) -> list[int]:
    return [micro_euro(w) for w in text.split()]


def _age_sex(name: str, men: str, women: str, children: bool) -> Criterion:
    bands = (*CHILD_BANDS, *ADULT_BANDS) if children else ADULT_BANDS
    rows: list[dict[str, int | str]] = []
    for sex, text in ((1, men), (2, women)):
        for i, (band, weight) in enumerate(zip(bands, _weights(text), strict=True)):
            born_when = i + 1 if children and i < 2 else 0
            rows.append({"weight": weight, "sex": sex, "age_min": band[0], "age_max": band[1], "born": born_when})
    return Criterion(name, "single", 1, _classes(1, rows), [], [0])


def _labelled(name: str, text: str, assignment: str, years: list[int]) -> Criterion:
    pairs = [line.split("|") for line in text.splitlines()]
    rows: list[dict[str, int | str]] = [{"label": label, "weight": micro_euro(weight)} for label, weight in pairs]
    return Criterion(name, assignment, 0, _classes(0, rows), [], years)


def _numbered(name: str, text: str, assignment: str, years: list[int]) -> Criterion:
    return Criterion(name, assignment, 0, _classes(0, [{"weight": w} for w in _weights(text)]), [], years)


def _avi(name: str, text: str, children: bool) -> Criterion:
    """Code 0 is the printed class "70+ jaar", weight 0; the other codes follow the table."""
    bands = AVI_BANDS if children else AVI_BANDS[1:]
    rows: list[dict[str, int | str]] = [{"weight": 0, "age_min": 70, "age_max": 999}]
    for group, line in zip(AVI_GROUPS, text.splitlines(), strict=True):
        rows += [
            {"weight": w, "group": int(group), "age_min": b[0], "age_max": b[1]}
            for b, w in zip(bands, _weights(line), strict=False)
        ]
    return Criterion(name, "single", 0, _classes(0, rows), [], [0], age_bands_zero_sum=True)


def _region(name: str, text: str) -> Criterion:
    rows: list[dict[str, int | str]] = [{"weight": w, "group": i + 1} for i, w in enumerate(_weights(text))]
    return Criterion(name, "single", 1, _classes(1, rows), [], [0])


def _ses(name: str, text: str, children: bool) -> Criterion:
    bands = ((0, 17), (18, 69), (70, 999)) if children else ((18, 69), (70, 999))
    rows: list[dict[str, int | str]] = []
    for group, line in enumerate(text.splitlines(), start=1):
        rows += [
            {"weight": w, "group": group, "age_min": b[0], "age_max": b[1]}
            for b, w in zip(bands, _weights(line), strict=True)
        ]
    return Criterion(name, "single", 1, _classes(1, rows), [], [0, 1], age_bands_zero_sum=True)


def _ppa(name: str, text: str, children: bool) -> Criterion:
    rows: list[dict[str, int | str]] = [{"weight": 0, "age_min": 0, "age_max": 17}] if children else []
    states = (Household.wlz_permanent, Household.wlz_entering, Household.one_person, Household.other)
    for state, line in zip(states, text.splitlines(), strict=True):
        rows += [
            {"weight": w, "group": int(state), "age_min": b[0], "age_max": b[1]}
            for b, w in zip(((18, 69), (70, 79), (80, 999)), _weights(line), strict=True)
        ]
    first = 0 if children else 1
    return Criterion(name, "single", first, _classes(first, rows), [], [0, 1], age_bands_zero_sum=True)


def _mhk(text: str) -> Criterion:
    rows: list[dict[str, int | str]] = [
        {"weight": w, "years": n, "top_per_myriad": top} for w, (n, top) in zip(_weights(text), MHK_RULES, strict=False)
    ]
    return Criterion("mhk", "single", 0, _classes(0, rows), [], [1, 2, 3])


def _ggz_mhk(text: str) -> Criterion:
    rows: list[dict[str, int | str]] = []
    for w, (n, top, of) in zip(_weights(text), GGZ_MHK_RULES, strict=True):
        row: dict[str, int | str] = {"weight": w, "years": n, "top_per_myriad": top}
        if n == 1:
            row |= {"min_cents": 1_000, "of_years": of}
        if n == 2:
            row |= {"young_years": 1, "young_below": 24}
        rows.append(row)
    return Criterion("ggz_mhk", "single", 0, _classes(0, rows), [], [1, 2, 3, 4, 5])


def _mvv() -> Criterion:
    rows: list[dict[str, int | str]] = [
        {"weight": w, "top_per_myriad": top} for w, top in zip(_weights(MVV), MVV_TOP, strict=True)
    ]
    rows[9] |= {"of_years": 1, "age_min": 0, "age_max": 17}
    return Criterion("mvv", "single", 0, _classes(0, rows), [], [1, 2, 3])


def _first_of(*codes: int) -> list[Exclusion]:
    return [Exclusion(k, d) for i, k in enumerate(codes) for d in codes[i + 1 :]]


def _fkg_exclusions() -> list[Exclusion]:
    """Art. 9(2)a-i."""
    drops = [*_first_of(15, 14, 13, 12), Exclusion(4, 3), Exclusion(11, 10), *_first_of(30, 29, 28)]
    drops += [Exclusion(24, 23), Exclusion(24, 21), Exclusion(24, 22), Exclusion(19, 18), *_first_of(33, 32, 31)]
    return drops + [Exclusion(k, 6) for k in (30, 29, 9, 34)] + _first_of(38, 37, 36, 35)


def _variable(dkg_lag: int) -> Share:
    fkg = _labelled("fkg", FKG, "all", [1])
    fkg.exclusions = _fkg_exclusions()
    return Share(
        "variable",
        [
            _age_sex("age_sex", MEN, WOMEN, True),
            fkg,
            _numbered("dkg", DKG, "count", [dkg_lag]),
            _labelled("hkg", HKG, "all", [1]),
            _avi("avi", AVI, True),
            _region("region", REGION),
            _ses("ses", SES, True),
            _ppa("ppa", PPA, True),
            _mhk(MHK),
            _numbered("fdg", FDG, "single", [1]),
            _mvv(),
        ],
    )


def _ggz(name: str, table: dict[str, str]) -> Share:
    fkg = _numbered("ggz_fkg", table["fkg"], "all", [1])
    fkg.exclusions = _first_of(9, 8, 7, 6, 5, 4)
    dkg = _numbered("ggz_dkg", table["dkg"], "single", [1, 2, 3])
    dkg.classes[1].of_years = 1  # printed: "gebruik basis GGZ in het voorgaande jaar"
    return Share(
        name,
        [
            _age_sex("ggz_age_sex", table["men"], table["women"], False),
            fkg,
            dkg,
            _avi("ggz_avi", table["avi"], False),
            _region("ggz_region", table["region"]),
            _ses("ggz_ses", table["ses"], False),
            _ppa("ggz_ppa", table["ppa"], False),
            _ggz_mhk(table["mhk"]),
        ],
    )


def _deductible() -> Share:
    return Share(
        "deductible",
        [
            _age_sex("age_sex", DEDUCTIBLE_MEN, DEDUCTIBLE_WOMEN, False),
            _avi("avi", DEDUCTIBLE_AVI, False),
            _region("region", DEDUCTIBLE_REGION),
            _mhk(DEDUCTIBLE_MHK),
        ],
    )


def _avi_rules(share: Share, article: str) -> list[NeutralityRule]:
    """Art. 11(12), 11(13), 17(3): per age band, against social assistance."""
    criterion = next(c for c in share.criteria if c.name.endswith("avi"))
    moved = (Income.self_employed, Income.reference, Income.higher_educated)
    rules = []
    for band in AVI_BANDS:
        inside = [c for c in criterion.classes if (c.age_min, c.age_max) == band and c.group]
        of = [c.code for c in inside if c.group == Income.social_assistance]
        reset = [c.code for c in inside if c.group in moved]
        if of:
            rules.append(NeutralityRule(share.name, criterion.name, "offset", reset, of, article))
    return rules


def _neutrality(model: Model) -> list[NeutralityRule]:
    add_ons = [24, 33, 17, 27, 30, 35, 36, 37, 38]
    return [
        NeutralityRule("variable", "fkg", "offset", [0], add_ons, "11(4)"),
        NeutralityRule("variable", "dkg", "class_totals", [], [], "11(5)"),
        NeutralityRule("variable", "mhk", "zero_sum", [0], [], "11(6)"),
        NeutralityRule("variable", "mvv", "zero_sum", [0], [], "11(7)"),
        NeutralityRule("ggz_hcc", "ggz_dkg", "zero_sum", [0], [], "11(8)"),
        NeutralityRule("variable", "fdg", "offset", [0], [2], "11(9)"),
        NeutralityRule("variable", "hkg", "zero_sum", [0], [], "11(10)"),
        NeutralityRule("ggz_hcc", "ggz_mhk", "offset", [0], [6, 7], "11(11)"),
        *_avi_rules(model.variable, "11(12)"),
        *_avi_rules(model.ggz_hcc, "11(13)"),
        *_avi_rules(model.deductible, "17(3)"),
    ]


def _flags(*categories: Category) -> list[bool]:
    return [c in categories for c in Category]


def nl_2021(*, structural: bool = False, year: int = 2021) -> Model:
    """The printed 2021, or (structural) the same weights with DKG of t-1, phi = 1 and own payments unscaled.

    Art. 9(7): wlz_lowest_ses, wlz_no_mvv_from_age; art. 9(8): GGZ-DKG 15 to 18.
    """
    million = 100_000_000
    flat = 1_000_000 if structural else 150_000
    model = Model(
        name="nl-2021-structural" if structural else "nl-2021",
        year=year,
        official=not structural,
        variable=_variable(1 if structural else 2),
        ggz=_ggz("ggz", GGZ),
        ggz_hcc=_ggz("ggz_hcc", GGZ_HCC),
        deductible=_deductible(),
        macro_total=482_314 * million // 10,
        macro_variable=451_286 * million // 10,
        macro_fixed=2_836 * million // 10,
        macro_ggz=28_192 * million // 10,
        revenue_premium=201_086 * million // 10,
        revenue_deductible=32_272 * million // 10,
        fund_payment=248_955 * million // 10,
        calculation_premium=141_700,
        administration_under_18=4_100,
        deductible_amount=38_500,
        forfait=35_726,
        deductible_exempt=_flags(
            Category.gp, Category.obstetric, Category.maternity, Category.chain_care, Category.nursing
        ),
        title_deductible_exempt=[t != Title.specialist_care for t in Title],
        forfait_from_mhk=2,
        morbidity_criteria=["fkg", "dkg", "hkg", "mvv", "fdg"],
        cluster=[CLUSTERS[2] if c == Category.ggz else CLUSTERS[0] for c in Category],
        mhk_excluded=_flags(Category.nursing),
        flat_ppm_variable=flat,
        flat_ppm_ggz=flat,
        own_payments_macro_corrected=not structural,
        own_payments_flat_ppm=0 if structural else flat,
        hcc_ggz_top_per_myriad=50,
        hcc_ggz_ppm=900_000,
        wlz_lowest_ses=True,
        wlz_no_mvv_from_age=18,
        lowest_ses_from_ggz_dkg=15,
        adult_age=18,
        reference_month=6,
    )
    model.neutrality = _neutrality(model)
    return model
