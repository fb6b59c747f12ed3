"""Statistics that need classes and years, against another way of computing them."""

import numpy as np
import pandas as pd
import pytest

from anderhalf import _core
from anderhalf.columns import days_in
from anderhalf.population import synthesise
from anderhalf.targets import subgroups
from anderhalf.validation import Subject, _inside, _own_payment_step, _residuals, measure


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject(synthesise(9_000, (2015, 2021), seed=4), threads=2)


@pytest.mark.parametrize("law", ["nl-2021-structural", "nl-2015"])
def test_weights_of_the_same_year_pay_what_care_costs_in_all_and_per_class_of_age(subject: Subject, law: str) -> None:
    r = _residuals(subject, law)
    code = subject.world(law).core.frame(subject.year)["classes"]["variable"]["age_sex"]
    cost = subject.world(law).core.frame(subject.year)["variable_cents"] / 100
    size = float((cost * subject.world(law).core.frame(subject.year)["represents"]).sum())
    assert abs(float((r["result"] * r["weight"]).sum())) < 1e-6 * size
    gaps = np.bincount(code, weights=r["result"] * r["weight"])
    assert np.abs(gaps).max() < 1e-6 * size  # the carrier's normal equations


def test_fit_of_age_and_sex_is_that_of_group_means(subject: Subject) -> None:
    frame = subject.world("nl-2021-structural").core.frame(subject.year)
    time = frame["days"] / days_in(subject.year)
    data = pd.DataFrame({"w": frame["represents"] * time, "y": frame["variable_cents"] / 100 / time})
    data["g"] = frame["classes"]["variable"]["age_sex"]
    mean = np.average(data.y, weights=data.w)
    fitted = data.groupby("g").apply(lambda d: np.average(d.y, weights=d.w), include_groups=False)
    residual = data.y - data.g.map(fitted)
    want = 1 - (data.w * residual**2).sum() / (data.w * (data.y - mean) ** 2).sum()
    assert measure(subject, ["r2_age_sex"])["r2_age_sex"].value == pytest.approx(want)


def test_the_own_payment_step_is_that_of_a_regression_on_dummies(subject: Subject) -> None:
    world = subject.world("nl-2021-structural")
    frame = world.core.frame(subject.start)
    c = {k: np.asarray(v) for k, v in frame["classes"]["deductible"].items()}
    chosen = (c["forfait"] == 0) & (c["age_sex"] >= 0) & (c["mhk"] >= 0) & (c["region"] >= 0)  # the last: abroad
    time = (frame["days"] / days_in(subject.start))[chosen]
    w = frame["represents"][chosen] * time
    y = frame["own_payments_mandatory_cents"][chosen] / 100 / time
    dummies = [pd.get_dummies(c[k][chosen], dtype=float).to_numpy() for k in ("age_sex", "avi", "region")]
    x = np.hstack([*dummies, (c["mhk"][chosen] == 1)[:, None].astype(float)])
    root = np.sqrt(w)[:, None]
    beta = np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]
    assert _own_payment_step(world, subject.start).value == pytest.approx(beta[-1], rel=1e-8)


def test_groups_of_people_follow_from_conditions_and_care_of_the_year_before(subject: Subject) -> None:
    people = subject.people
    before = subject.year - 1
    keys = [c.key for c in people.tables.parameters.conditions]
    ill = {keys.index(k) for k in subgroups()["chronic"].conditions}
    chronic, any_condition, hospital = set(), set(), set()
    for k in range(len(people)):
        for person, _, condition in _core.conditions_of_block(people.tables, people.plan, k, before, before):
            any_condition.add(int(person))
            if int(condition) in ill:
                chronic.add(int(person))
        block = people.block(k, (before, before))
        for claim in block.claims:
            if claim["category"] == 9:
                hospital.add(int(claim["person"]))
    person = subject.survey.columns["person"]
    before_too = subject.survey.columns["insured_1"]

    def members(name: str) -> set[int]:
        inside = _inside(subject, subgroups()[name])
        return {int(p) for p in person[inside & before_too]}

    everyone = {int(p) for p in person[before_too]}
    assert members("chronic") == chronic & everyone
    assert members("no_chronic") == everyone - chronic
    assert members("no_condition") == everyone - any_condition
    add_ons = members("specialist") - hospital  # drugs that hospitals pay count as hospital care, as with Vektis
    assert hospital & everyone <= members("specialist")
    assert len(add_ons) < 0.1 * len(hospital)
    weight = subject.survey.columns["represents"]
    most = _inside(subject, subgroups()["fair_or_poor_health"])
    assert (weight * most).sum() / weight.sum() == pytest.approx(0.189, abs=0.002)
    assert _inside(subject, subgroups()["higher_education"]) is None


def test_a_result_of_a_group_is_its_mean_payment_less_cost(subject: Subject) -> None:
    found = measure(subject, ["result_specialist", "result_no_condition"])
    for key, law, name in (
        ("result_specialist", "nl-2015", "specialist"),
        ("result_no_condition", "nl-2021-structural", "no_condition"),
    ):
        r = _residuals(subject, law)
        p = subject.survey.columns
        inside = set(p["person"][_inside(subject, subgroups()[name]) & p["insured_1"]].tolist())
        rows = np.array([int(x) in inside for x in r["person"]])
        want = np.average(r["result"][rows], weights=r["weight"][rows])
        assert found[key].value == pytest.approx(want)
        assert found[key].rows == rows.sum()


def test_who_changes_insurer_is_seen_on_two_days(subject: Subject) -> None:
    people = subject.people
    eve = int(np.datetime64(f"{subject.year + 1}-01-01").astype(int)) - 1
    old, new, weight = {}, {}, {}
    for block in people.blocks((subject.year, subject.year + 1)):
        for r in block.records:
            if r["first_day"] <= eve <= r["last_day"]:
                old[r["person"]], weight[r["person"]] = r["insurer"], int(r["represents"])
            if r["first_day"] <= eve + 1 <= r["last_day"]:
                new[r["person"]] = r["insurer"]
    both = [p for p in old if p in new]
    want = sum(weight[p] for p in both if old[p] != new[p]) / sum(weight[p] for p in both)
    assert measure(subject, ["switches"])["switches"].value == pytest.approx(want)
