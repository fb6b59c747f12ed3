"""The list of targets: complete, with roles by the stated rule."""

from collections import defaultdict

import numpy as np
import pytest

from anderhalf import targets
from anderhalf.population import synthesise
from anderhalf.validation import Subject, measure, statistics, validate

ROWS = targets.load_targets()


def test_roles_alternate_within_a_family_by_key_where_the_file_gives_none() -> None:
    by_family = defaultdict(list)
    for t in ROWS:
        if t.role != "check":
            by_family[t.family].append(t)
    given = {f.key: f.role for f in targets.families() if f.role in ("calibrated", "held_out")}
    for name, rows in by_family.items():
        roles = [t.role for t in sorted(rows, key=lambda t: t.key)]
        alternate = ["held_out" if k % 2 == 0 else "calibrated" for k in range(len(roles))]
        assert roles == ([given[name]] * len(roles) if name in given else alternate), name
    assert targets.target_keys("held_out").isdisjoint(targets.target_keys("calibrated"))


def test_all_cost_cells_of_the_base_year_are_an_input_and_half_or_more_of_the_others_is_held_out() -> None:
    given = {f.key: f.role for f in targets.families() if f.role not in (None, "check")}
    inputs = {"cost_country", "cost_region", "cells_country", "cells_region", "ratio_2018"}
    assert given == {**dict.fromkeys(inputs, "calibrated"), "ratio_2023": "held_out"}
    others = [t.role for t in ROWS if t.family not in inputs]
    assert others.count("held_out") > others.count("calibrated")


def test_every_target_has_a_source_a_year_and_a_range_around_its_value() -> None:
    assert len({t.key for t in ROWS}) == len(ROWS)
    for t in ROWS:
        assert all((t.source, t.unit, t.label)), t.key
        if t.value is not None:
            assert t.tolerance, t.key
            assert t.low <= t.value <= t.high, t.key


@pytest.mark.parametrize(
    ("family", "count"),
    [("cells_country", 17 * 38), ("weights_2021", 218), ("cost_region", 17), ("subgroups_2014", 6), ("mhk", 3)],
)
def test_the_families_of_the_specification_are_there(family: str, count: int) -> None:
    assert sum(t.family == family for t in ROWS) == count


def test_a_weight_target_is_the_official_weight_with_the_wider_of_two_tolerances() -> None:
    step = {t.key: t for t in ROWS}
    none, one = step["weights_2021.mhk.00"], step["weights_2021.mhk.01"]
    assert (none.value, one.value) == (-598.55, 166.47)
    assert one.tolerance == pytest.approx(50.0)
    assert none.tolerance == pytest.approx(0.15 * 598.55)


def test_only_the_keys_asked_for_are_computed() -> None:
    subject = Subject(synthesise(5_000, (2018, 2018), region=None))
    found = statistics(subject, ["cost_country_hospital", "cost_region_hospital"])
    assert set(found) == {"cost_country_hospital", "cost_region_hospital"}
    assert not subject._worlds


def test_what_needs_more_years_has_no_value_and_says_why() -> None:
    subject = Subject(synthesise(5_000, (2018, 2018), region=None))
    assert "top_1" not in measure(subject, ["r2"])
    assert "2015..2021" in subject.notes["fit"]


def test_a_cell_is_cost_over_insured_time_with_the_error_of_persons() -> None:
    people = synthesise(5_000, (2018, 2018), region=None)
    found = statistics(people, ["cells_country.gp.m.40"])["cells_country.gp.m.40"]
    start = int(np.datetime64("2018-01-01").astype(int))
    region = people.municipality_codes("mijnstreek")
    cost, time = {}, {}
    for block in people.blocks():
        r = block.records
        age = (12 * 2018 + 5 - r["birth_month"]) // 12
        here = (r["region"] > 0) & ~np.isin(r["municipality"], region)
        chosen = r[(age >= 40) & (age < 45) & (r["sex"] == 1) & here]
        for row in chosen:
            days = min(row["last_day"], start + 364) - max(row["first_day"], start) + 1
            time[row["person"]] = time.get(row["person"], 0) + days / 365 * row["represents"]
        represents = {row["person"]: int(row["represents"]) for row in chosen}
        for c in block.claims:
            if c["person"] in represents and c["category"] == 1:
                cost[c["person"]] = cost.get(c["person"], 0) + c["claimed_cents"] / 100 * represents[c["person"]]
    mean = sum(cost.values()) / sum(time.values())
    spread = sum((cost.get(p, 0.0) - mean * t) ** 2 for p, t in time.items())
    assert found == pytest.approx((mean, np.sqrt(spread) / sum(time.values())), rel=1e-9)


def test_verdicts_follow_the_range_and_three_standard_errors() -> None:
    result = validate(synthesise(20_000, (2015, 2023)), threads=2)
    assert {c.target.key for c in result.checks} == {t.key for t in ROWS}
    for c in result.checks:
        if c.value is None or c.target.low is None or c.target.high is None:
            assert c.verdict in ("no value", "printed")
            continue
        outside = max(c.target.low - c.value, c.value - c.target.high, 0.0)
        error = 3 * (c.error or 0.0)
        assert c.verdict == ("within" if outside == 0 else "within error" if outside <= error else "missed")
    without = [c.target.key for c in result.checks if c.verdict == "no value"]
    allowed = ("weights_2021.", "ratio_", "result_higher_education", "share_higher_education")
    assert all(key.startswith(allowed) for key in without), without
