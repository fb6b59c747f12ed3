"""A payment from a frame: closes to the cent, follows expected counts, refuses what it cannot know."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pay_country import country, counts

import anderhalf as ah
from anderhalf.errors import AnderhalfError, DomainError, NotFoundError, ParameterError, ShapeError
from anderhalf.insured import shares_of
from anderhalf.payment import _listed

YEARS = ("nl-2015", "nl-2019", "nl-2020", "nl-2021")
STAGES = ("ex_ante", "first_provisional", "second_provisional", "final")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return country(ah.load_model("nl-2021"), 600)


@pytest.mark.parametrize("name", YEARS)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("rounding", ["exact", "legal"])
def test_lines_sum_to_the_contribution_of_each_insurer(name: str, stage: str, rounding: str) -> None:
    model = ah.load_model(name)
    people = country(model, 250)
    paid = ah.pay(people, model, stage, rounding, expected=people[:200])
    sums = paid.lines.groupby("insurer").cents.sum()
    assert sums.tolist() == paid.insurers.contribution_cents.tolist()
    shares = [c for c in paid.insurers if c.endswith("_cents") and c != "contribution_cents"]
    assert (paid.insurers[shares].sum(axis=1) == paid.insurers.contribution_cents).all()
    assert paid.total_cents == sum(paid.contribution) == paid.insurers.contribution_cents.sum()
    if stage != "ex_ante":
        for share in [s for s in ("variable", "ggz", "nursing") if shares_of(model).get(s)]:
            # Bzv 3.12: C - phi (C - N) in all, and no other national sum.
            cost = int((people[f"{share}_cents"] * people.represents).sum())
            lines = paid.lines[
                (paid.lines.share == share) & paid.lines.item.isin(["normative", "neutrality", "scaling"])
            ]
            assert lines.cents.sum() == cost


@pytest.mark.parametrize("name", YEARS)
def test_ex_ante_is_weight_times_insured_years(name: str) -> None:
    """From the plain count of classes, in fractions."""
    model = ah.load_model(name)
    people = country(model, 200)
    paid = ah.pay(people, model, "ex_ante")
    year = 366 if model.year == 2020 else 365
    part = {row.criterion: Fraction(row.ppm, 1_000_000) for row in model.abroad}
    for share, law in shares_of(model).items():
        amount: dict[str, Fraction] = {}
        for (where, criterion, code, insurer), days in counts(model, people).items():
            if where != share:
                continue
            if criterion == "forfait":
                weight, away = model.forfait * 10_000, Fraction(1)
            else:
                weight = next(c for c in law.criteria if c.name == criterion).by_code(code).weight
                away = part.get(criterion, Fraction(1)) if code == 0 else Fraction(1)
            sign = -1 if share == "deductible" else 1
            value = sign * (days[False] + days[True] * away) * weight / year / 10_000
            amount[insurer] = amount.get(insurer, Fraction(0)) + value
        lines = paid.lines[(paid.lines.share == share) & paid.lines.item.isin(["normative", "expected_own_payments"])]
        for row in lines.itertuples():
            assert abs(row.cents - amount[str(row.insurer)]) < 1


def test_expected_counts_move_who_gains_and_realised_ones_move_nothing(frame: pd.DataFrame) -> None:
    plain, fewer = ah.pay(frame, "nl-2021"), ah.pay(frame, "nl-2021", expected=frame[:400])
    before = plain.weights[(plain.weights.share == "variable") & (plain.weights.criterion == "dkg")]
    after = fewer.weights[(fewer.weights.share == "variable") & (fewer.weights.criterion == "dkg")]
    assert (before.weight_eur == before.printed_eur).all()  # class totals over realised counts
    assert not (after.weight_eur == after.printed_eur).all()
    assert plain.expected == "realised"
    assert "no others were given" in plain.statement("insurer 0")
    assert "the insured given" in fewer.statement("insurer 0")


def test_expected_may_be_records_a_payment_or_a_list_of_classes(frame: pd.DataFrame) -> None:
    home = frame[frame.abroad == 0]
    from_records = ah.pay(home, "nl-2021", expected=home[:300])
    grant = ah.pay(home[:300], "nl-2021", "ex_ante")
    from_payment = ah.pay(home, "nl-2021", expected=grant)
    listed = grant.weights[["share", "criterion", "code", "insured_years"]]
    from_list = ah.pay(home, "nl-2021", expected=listed)
    assert from_records.lines.equals(from_payment.lines)
    assert from_list.lines.cents.tolist() == from_records.lines.cents.tolist()
    strange = listed.assign(code=listed.code.where(listed.criterion != "mhk", 99))
    with pytest.raises(NotFoundError, match="no class 99 of mhk"):
        ah.pay(home, "nl-2021", expected=strange)
    with pytest.raises(ParameterError, match="another model"):
        ah.pay(home, "nl-2021", expected=ah.pay(country(ah.load_model("nl-2019"), 50), "nl-2019"))


def test_splitting_rows_and_the_order_of_rows_change_nothing(frame: pd.DataFrame) -> None:
    paid = ah.pay(frame, "nl-2021", "final", "legal", expected=frame[:400])
    shuffled = ah.pay(frame.sample(frac=1, random_state=2), "nl-2021", "final", "legal", expected=frame[:400])
    assert shuffled.lines.equals(paid.lines)
    whole = frame[(frame.represents > 1) & (frame.ggz_cents == 0)]
    apart = pd.concat([
        frame.drop(whole.index), whole.assign(represents=1),
        whole.assign(represents=whole.represents - 1, person=whole.person + 100_000),
    ])  # fmt: skip
    assert ah.pay(apart, "nl-2021", "final", "legal", expected=frame[:400]).lines.equals(paid.lines)


def test_a_renamed_insurer_keeps_its_money(frame: pd.DataFrame) -> None:
    names = {"insurer 0": "z", "insurer 1": "a", "insurer 2": "k"}
    paid = ah.pay(frame, "nl-2021").insurers.set_index("insurer").contribution_cents
    renamed = ah.pay(frame.assign(insurer=frame.insurer.map(names)), "nl-2021").insurers.set_index("insurer")
    for old, new in names.items():
        assert abs(renamed.contribution_cents[new] - paid[old]) <= 10  # a cent per step: ties go by name
    assert renamed.contribution_cents.sum() == paid.sum()


def test_high_cost_is_that_of_a_person_over_all_insurers() -> None:
    """Art. 16: of 200 users one may be above the threshold; its cost is at two insurers."""
    model = ah.load_model("nl-2021")
    people = country(model, 400, abroad=0)
    adult = people.age_sex.map({c.code: c.age_min for c in model.variable.criterion("age_sex").classes}) >= 18
    people = people[adult].head(200).assign(represents=1, ggz_cents=100_00, days=100)
    people.iloc[0, people.columns.get_loc("ggz_cents")] = 900_000_00
    other = people.iloc[[0]].assign(insurer="insurer 9", ggz_cents=100_000_00)
    extra = people.iloc[[1]].assign(person=7_000_000, ggz_cents=200_000_00)
    paid = ah.pay(pd.concat([people, other, extra]), "nl-2021")
    # 201 users: floor(201 x 0.5%) = 1 person, with EUR 1,000,000; nobody else is above that cost.
    assert paid.thresholds["ggz"] == (1_000_000_00,)
    assert int(paid.excess["ggz"].sum()) == 0
    more = pd.concat([people, other, extra, people.assign(person=people.person + 10_000_000, ggz_cents=100_00)])
    paid = ah.pay(more, "nl-2021")
    # 401 users: two persons, the second with EUR 200,000; 90% of 800,000 goes to both insurers, 9 : 1.
    assert paid.thresholds["ggz"] == (200_000_00,)
    got = dict(zip(paid.names, paid.excess["ggz"].tolist(), strict=True))
    assert got["insurer 9"] == 72_000_00 * 1_000_000
    assert sum(got.values()) == 720_000_00 * 1_000_000
    line = paid.step("ggz", "high_cost_compensation")
    assert line is not None
    assert line.cents[paid.position("insurer 9")] in (72_000_00 - 1, 72_000_00, 72_000_00 + 1)


def test_what_a_stage_needs_and_does_not_get_is_named_at_once(frame: pd.DataFrame) -> None:
    with pytest.raises(NotFoundError) as caught:
        ah.pay(frame.drop(columns=["variable_cents", "fixed_cents", "mhk", "person"]), "nl-2021")
    words = str(caught.value)
    assert caught.value.problems[0].where == "frame"
    for name in ("variable_cents", "fixed_cents", "mhk", "person"):
        assert name in words
    costs = [c for c in frame.columns if c.endswith("_cents")]
    assert ah.pay(frame.drop(columns=[*costs, "person"]), "nl-2021", "ex_ante").total_cents != 0


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"stage": "later"}, NotFoundError, "no stage 'later'"),
        ({"rounding": "loose"}, NotFoundError, "no rounding 'loose'"),
        ({"weights": "nl-2031"}, NotFoundError, "nl-2031"),
        ({"total": 5}, ParameterError, "weights of one's own"),
        ({"insurer": "company"}, NotFoundError, "no column 'company'"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(
    frame: pd.DataFrame, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ah.pay(**{"frame": frame, "weights": "nl-2021", **arguments})


def test_one_insurer_an_insurer_of_one_person_and_one_person_alone() -> None:
    model = ah.load_model("nl-2021")
    people = country(model, 60)
    one = people.assign(insurer=1)
    assert ah.pay(one, model).insurers.shape[0] == 1
    adults = people[
        people.age_sex.isin([c.code for c in model.variable.criterion("age_sex").classes if c.age_min >= 18])
    ]
    alone = adults.head(1).assign(ggz_cents=10_00)
    assert ah.pay(alone, model, "ex_ante").insurers.persons.tolist() == [1]
    small = pd.concat([one, adults.head(1).assign(insurer=2, person=10**9)])
    paid, merged = ah.pay(small, model), ah.pay(small.assign(insurer=1), model)
    assert paid.insurers.insurer.tolist() == [1, 2]
    assert abs(paid.total_cents - merged.total_cents) <= len(paid.shares)  # what the country gets knows no insurers


def test_a_person_with_several_records_is_one_person_in_a_small_cell() -> None:
    model = ah.load_model("nl-2021")
    people = country(model, 40, abroad=0).assign(insurer=1)
    people["days"] = people.days.clip(upper=180)
    twice = pd.concat([people, people], ignore_index=True)
    once, paid = ah.pay(people, model, "ex_ante"), ah.pay(twice, model, "ex_ante")
    assert paid.insurers.persons.tolist() == [40]
    assert paid.classes.persons.equals(once.classes.persons)
    assert paid.classes.insured_years.sum() == pytest.approx(2 * once.classes.insured_years.sum())
    moved = pd.concat([people, people.head(4).assign(insurer=2)], ignore_index=True)
    assert ah.pay(moved, model, "ex_ante").insurers.persons.tolist() == [40, 4]


def test_what_detained_insured_do_not_pay_is_taken_off_once() -> None:
    """Beleidsregels 2015 22(2)-(3), 23(4)-(5): all adults first, then what those in detention did not pay."""
    model = ah.load_model("nl-2015")
    people = country(model, 300)
    held = people.assign(detained=(people.person % 9 == 0).astype(int))
    free = ah.pay(people, model, "ex_ante")
    paid = ah.pay(held, model, "ex_ante")
    for share in ("premium", "deductible"):  # ex ante a percentage of the whole, whoever is known to be detained
        assert paid.insurers[f"{share}_cents"].tolist() == free.insurers[f"{share}_cents"].tolist()
    gone = held.assign(premium_forgone_cents=held.detained * 1000, own_payments_forgone_cents=held.detained * 10)
    later, plain = ah.pay(gone, model), ah.pay(people, model)
    off = gone.assign(n=gone.detained * gone.represents).groupby("insurer").n.sum()
    for share, cents in (("premium", 1000), ("deductible", 10)):
        difference = later.insurers[f"{share}_cents"] - plain.insurers[f"{share}_cents"]
        assert difference.tolist() == (off * cents).tolist()
    # Not accounted for: they are not in the numbers at all (Regeling 2021 art. 7(3), 8(1)).
    without = ah.pay(held, model)
    assert (without.insurers.deductible_cents > plain.insurers.deductible_cents).all()


# --- weights of one's own ---------------------------------------------------------------------------------------------


def test_own_weights_from_a_frame_follow_flags_counts_and_labels() -> None:
    people = {
        "insurer": ["x", "y", "x", "y"],
        "days": [365, 365, 73, 365],
        "age": ["young", "old", "old", "young"],
        "ill_a": [0, 1, 1, 0],
        "ill_b": [0, 1, 0, 0],
        "cost_cents": [1000, 2000, 3000, 4000],
    }
    prices = pd.DataFrame([("age", "young", 100), ("age", "old", 300), ("ill", "none", -10), ("ill", "a", 1000),
                           ("ill", "b", 2000)], columns=["criterion", "code", "weight_eur"])  # fmt: skip
    paid = ah.pay(people, prices)
    # x: 100 - 10 + (300 + 1000) / 5 = 350; y: 300 + 1000 + 2000 + 100 - 10 = 3390
    assert paid.insurers.set_index("insurer").contribution_cents.to_dict() == {"x": 350_00, "y": 3390_00}
    scaled = ah.pay(people, prices, total="cost_cents")
    assert scaled.total_cents == 10_000
    assert scaled.insurers.contribution_cents.tolist() == [936, 9064]  # 10,000 x 350/3740 = 935.83
    assert scaled.lines.item.tolist() == ["normative", "scaling"] * 2
    assert "weights of one's own" in scaled.statement("x")


def test_an_estimate_pays_what_it_predicts() -> None:
    people = pd.DataFrame({
        "insurer": [7, 7, 7, 9, 9, 9], "days": [365] * 6, "age": [0, 0, 1, 1, 0, 1], "ill": [0, 1, 0, 1, 1, 1],
        "cost_cents": [600_00, 2500_00, 1900_00, 3700_00, 720_00, 4100_00],
    })  # fmt: skip
    fit = ah.estimate(people, ["age", "ill"], carrier="age")
    paid = ah.pay(people, fit)
    predicted = pd.Series(fit.predict(people)).groupby(people.insurer).sum()
    for row in paid.insurers.itertuples():
        assert abs(row.contribution_cents / 100 - predicted[row.insurer]) < 0.011
    assert abs(paid.total_cents - people.cost_cents.sum()) <= 1  # zero sum: the total of the carrier


def test_absorbed_classes_are_paid_too() -> None:
    people = pd.DataFrame({
        "insurer": [1, 1, 2, 2], "days": [365] * 4, "cell": [0, 1, 0, 1], "ill": [0, 1, 1, 0],
        "cost_cents": [100_00, 900_00, 500_00, 300_00],
    })  # fmt: skip
    fit = ah.estimate(people, [ah.Criterion("cell", absorbed=True), ah.Criterion("ill")])
    paid = ah.pay(people, fit)
    predicted = pd.Series(fit.predict(people)).groupby(people.insurer).sum()
    for row in paid.insurers.itertuples():
        assert abs(row.contribution_cents / 100 - predicted[row.insurer]) < 0.011


@pytest.mark.parametrize("name", ["swiss", "textbook", "german"])
def test_weights_of_a_specification_pay_any_country(name: str) -> None:
    specification = ah.load_specification(ROOT / "examples" / "specifications" / f"{name}.toml")
    people = specified(specification, 500)
    fit = specification.estimate(people)
    paid = ah.pay(people, fit, total=12_345_678_90)
    assert paid.total_cents == 12_345_678_90
    assert len(paid.insurers) == 4


def specified(specification: Any, rows: int) -> pd.DataFrame:
    import random

    draw = random.Random(4)
    layout = specification.layout
    columns: dict[str, list[Any]] = {"insurer": [f"fund {draw.randrange(4)}" for _ in range(rows)]}
    for c in layout.criteria:
        if c.many:
            for column in c.columns:
                columns[column] = [int(draw.random() < 0.2) for _ in range(rows)]
        else:
            names = list(c.named) or ["a", "b", "c"]
            columns[c.columns[0]] = [
                int(names[k % len(names)]) if names[0].isdecimal() else names[k % len(names)]
                for k in (draw.randrange(10_000) for _ in range(rows))
            ]
    for column in layout.cost.values():
        columns[column] = [draw.randint(100_00, 9_000_00) for _ in range(rows)]
    if layout.represents is not None:
        columns[layout.represents] = [draw.randint(1, 9) for _ in range(rows)]
    if layout.stratum is not None:
        names = list(layout.stratum.named)
        columns[layout.stratum.columns[0]] = [draw.choice(names) for _ in range(rows)]
    columns[layout.days] = [layout.days_max if layout.days_max <= 12 else 365] * rows
    return pd.DataFrame(columns)


def test_own_weights_refuse_columns_that_are_not_there() -> None:
    prices = pd.DataFrame({"criterion": ["age", "ill"], "code": [0, 1], "weight_eur": [1.0, 2.0]})
    with pytest.raises(NotFoundError, match="criterion ill has no column 'ill'"):
        ah.pay({"insurer": [1], "days": [365], "age": [0]}, prices)
    with pytest.raises(DomainError, match="age"):
        ah.pay({"insurer": [1], "days": [365], "age": [3], "ill": [1]}, prices)
    with pytest.raises(NotFoundError, match="weight_eur"):
        ah.pay({"insurer": [1], "days": [365], "age": [0]}, prices.drop(columns="weight_eur"))


# --- stages and versions ----------------------------------------------------------------------------------------------


def test_settlements_follow_one_another_and_their_differences_close(frame: pd.DataFrame) -> None:
    known = {"ex_ante": frame[:450], "first_provisional": frame[:580], "second_provisional": frame, "final": frame}
    found = ah.settlements(known, "nl-2021")
    assert [p.stage for p in found.stages] == list(STAGES)
    assert found.stages[1].expected == "the payment given"  # the grant is what was expected
    for difference, after, before in zip(found.differences, found.stages[1:], found.stages, strict=False):
        assert difference.total_cents == after.total_cents - before.total_cents
        assert difference.lines.difference_cents.sum() == difference.total_cents
    last = found.insurers.groupby("insurer").change_cents.sum()
    assert last.tolist() == list(found.stages[-1].contribution)
    assert found.differences[-1].total_cents == 0
    text = found.statement("insurer 1")
    assert text.count("Difference for insurer insurer 1") == 3
    one = ah.settlements(frame, "nl-2021", ["first_provisional", "final"])
    assert len(one.stages) == 2
    with pytest.raises(ParameterError, match="not in their order"):
        ah.settlements(frame, "nl-2021", ["final", "ex_ante"])


@pytest.mark.parametrize("name", YEARS)
@pytest.mark.parametrize("rounding", ["exact", "legal"])
def test_recalculated_data_differ_per_class_to_the_cent(name: str, rounding: str) -> None:
    model = ah.load_model(name)
    people = country(model, 300)
    corrected = people.assign(mhk=[0 if p % 5 == 0 else k for p, k in zip(people.person, people.mhk, strict=True)])[:-7]
    found = ah.recalculate(people, model, corrected, rounding=rounding, expected=people[:250])
    by_class = found.classes.groupby("insurer").difference_cents.sum()
    assert by_class.tolist() == found.insurers.difference_cents.tolist()
    assert found.insurers.difference_cents.sum() == found.total_cents
    assert found.lines.groupby("insurer").difference_cents.sum().tolist() == by_class.tolist()
    rows = found.classes[(found.classes.share == "variable") & (found.classes.criterion == "mhk")]
    year = 366 if model.year == 2020 else 365
    for row in rows.itertuples():  # each class is its own days x weight, after less before, but for a few cents
        euros = (row.days_after * row.weight_after_eur - row.days_before * row.weight_before_eur) / year
        assert abs(row.difference_cents - 100 * euros) < 3


def test_another_version_of_a_model_is_told_class_by_class(frame: pd.DataFrame) -> None:
    found = ah.recalculate(frame, "nl-2021", to_weights="nl-2021-structural", expected=frame[:400])
    assert found.classes.groupby("insurer").difference_cents.sum().tolist() == found.insurers.difference_cents.tolist()
    assert found.total_cents != 0
    with pytest.raises(ShapeError, match="nothing that differs"):
        ah.recalculate(frame, "nl-2021")


def test_an_insurer_that_leaves_or_comes_is_in_the_difference(frame: pd.DataFrame) -> None:
    later = frame.assign(insurer=frame.insurer.replace("insurer 2", "insurer 5"))
    found = ah.recalculate(frame, "nl-2021", later)
    rows = found.insurers.set_index("insurer")
    assert rows.after_cents["insurer 2"] == 0 == rows.before_cents["insurer 5"]
    assert found.classes.groupby("insurer").difference_cents.sum().tolist() == rows.difference_cents.tolist()


# --- what is written --------------------------------------------------------------------------------------------------


def test_a_report_has_the_keys_and_the_tables_that_others_rely_on(frame: pd.DataFrame, tmp_path: Path) -> None:
    paid = ah.pay(frame, "nl-2021", expected=frame[:400])
    paid.report(tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert list(results)[:5] == ["anderhalf_version", "model", "parameters_sha256", "data_sha256", "seed"]
    assert results["total_cents"] == paid.total_cents
    first = results["insurers"][0]
    assert {"insurer", "insured_years", "contribution_cents"} <= set(first)
    assert sum(row["contribution_cents"] for row in results["insurers"]) == results["total_cents"]
    tables = {p.stem for p in (tmp_path / "out" / "tables").iterdir()}
    assert tables == {"insurers", "lines", "shares", "weights", "classes"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("Contribution (vereveningsbijdrage)") == 3
    assert "art. 11(5)" in page
    again = ah.pay(frame.sample(frac=1, random_state=1), "nl-2021", expected=frame[:400])
    assert again.bundle().results(again.to_dict()) == paid.bundle().results(paid.to_dict())


def test_small_insurers_and_classes_are_left_out_of_what_is_written(tmp_path: Path) -> None:
    people = country(ah.load_model("nl-2021"), 400, insurers=3)
    people.loc[:3, "insurer"] = "tiny"
    paid = ah.pay(people, "nl-2021")
    paid.report(tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "tables" / "insurers.csv")
    hidden = set(written[written.contribution_cents.isna()].insurer)
    assert "tiny" in hidden
    assert len(hidden) == 2  # and what would give it away
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Statement for insurer tiny" not in page
    assert page.count("Contribution (vereveningsbijdrage)") == 2
    classes = pd.read_csv(tmp_path / "out" / "tables" / "classes.csv")
    shown = classes[classes.persons.notna()]
    assert len(shown) < len(classes)
    assert (shown.persons >= 10).all()
    for _, group in classes.groupby(["share", "criterion", "code"]):
        assert group.persons.isna().sum() != 1 or len(group) == 1
    weights = pd.read_csv(tmp_path / "out" / "tables" / "weights.csv").set_index(["share", "criterion", "code"])
    alone = classes[classes.persons.isna()].groupby(["share", "criterion", "code"]).size()
    for key in alone[alone == 1].index:  # where all of a class are with one insurer, the class itself is left out
        assert weights.persons.isna()[key]


def test_statements_in_both_languages_have_every_step(frame: pd.DataFrame) -> None:
    import tomllib

    texts = [
        tomllib.loads((ROOT / "python" / "anderhalf" / f"statement_{lang}.toml").read_text()) for lang in ("en", "nl")
    ]
    keys = [{(section, key) for section, rows in text.items() for key in rows} for text in texts]
    assert keys[0] == keys[1]
    for name in YEARS:
        model = ah.load_model(name)
        people = country(model, 200)
        for stage in STAGES:
            paid = ah.pay(people, model, stage)
            for lang in ("en", "nl"):
                text = paid.statement("insurer 0", lang)
                articles = paid.lines[paid.lines.insurer == "insurer 0"].article
                flat = " ".join(text.split())
                for article in articles:
                    words = article.replace(" with ", " met ").replace("annex", "bijlage") if lang == "nl" else article
                    assert words in flat, (name, stage, article)


def test_the_arithmetic_of_a_statement_is_that_of_its_amounts(frame: pd.DataFrame) -> None:
    """What is read aloud: cost / normative amount = factor, own amount x factor, and what is subtracted per adult."""
    paid = ah.pay(frame, "nl-2021")
    i = paid.position("insurer 1")
    before = [s for s in paid.steps if s.share == "variable" and s.item in ("normative", "neutrality")]
    national, own = sum(sum(s.cents) for s in before), sum(s.cents[i] for s in before)
    cost = int((frame.variable_cents * frame.represents).sum())
    text = " ".join(paid.statement("insurer 1").split())
    assert f"Factor EUR {cost / 100:,.2f} / EUR {national / 100:,.2f} = {cost / national:.6f}." in text
    assert f"EUR {own / 100:,.2f} x {cost / national:.6f} = EUR" in text
    adults = paid.insurers.adult_years[i]
    each = 0.15 * (cost - national) / 100 / paid.insurers.adult_years.sum()
    flat = paid.step("variable", "flat_step")
    assert flat is not None
    assert f"{adults:,.2f} years x {each:,.4f} = EUR {-flat.cents[i] / 100:,.2f}, subtracted." in text
    dutch = paid.statement("insurer 1", "nl")
    assert f"{own / 100:,.2f}".translate(str.maketrans(",.", ".,")) in dutch


def test_a_structure_pays_with_estimated_weights_and_says_what_it_is(frame: pd.DataFrame) -> None:
    structure = ah.load_model("nl-2023-structural")
    with pytest.raises(ParameterError, match="with_weights"):
        ah.pay(frame, structure)
    people = country(structure, 400, abroad=0)
    index = [(c.name, k.code) for c in structure.variable.criteria for k in c.classes]
    euros = [1000.0 if name == "age_sex" else 10.0 * code for name, code in index]
    weights = pd.Series(euros, index=pd.MultiIndex.from_tuples(index, names=["criterion", "code"]))
    model = structure.with_weights(weights)
    paid = ah.pay(people, model, "ex_ante")
    euros = sum(
        people[c.name] * (0.0 if c.name == "age_sex" else 10.0)
        if c.name in people
        else sum(people[f"{c.name}_{k.code}"] * 10.0 * k.code for k in c.classes if k.code)
        for c in structure.variable.criteria
    )
    normative = paid.lines[(paid.lines.share == "variable") & (paid.lines.item == "normative")].cents.sum()
    assert normative / 100 == pytest.approx(((1000 + euros) * people.days * people.represents).sum() / 365, abs=0.02)
    assert f"{model.name} is not the law of a year as printed" in " ".join(paid.statement("insurer 0").split())
    assert "is not the law" not in ah.pay(frame, "nl-2021").statement("insurer 0")


@pytest.mark.parametrize("bad", [-1.0, float("nan"), "x"])
def test_counts_that_are_no_counts_are_refused(bad: object) -> None:
    law = ah.load_model("nl-2021")
    listed = pd.DataFrame(
        {"share": ["variable"], "criterion": ["mhk"], "code": [0], "insured_years": pd.Series([bad], dtype=object)}
    )
    with pytest.raises(DomainError, match="insured_years: missing, negative or no number"):
        _listed(listed, law, 365)
    with pytest.raises(NotFoundError, match="no counts of share ggz"):
        _listed(listed.assign(insured_years=1.0), law, 365)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"rounding": "legal"}, "pay, rounding: is for a model year"),
        ({"year": 2020}, "pay, year: is for a model year"),
        ({"stage": "no_such"}, "no_such"),
    ],
)
def test_weights_of_ones_own_know_no_stage_rounding_or_year(other: dict[str, object], message: str) -> None:
    insured = {"insurer": ["a", "b"], "days": [365, 365], "age": [0, 1]}
    prices = pd.DataFrame({"criterion": "age", "code": [0, 1], "weight_eur": [1000.0, 3000.0]})
    with pytest.raises(AnderhalfError, match=message):
        ah.pay(insured, prices, **other)
    with pytest.raises(AnderhalfError, match="missing, no number or too large"):
        ah.pay(insured, prices.assign(weight_eur=["1,50", "2,50"]))
