"""model.md 12.5(a) and the first half of (d): what a saver keeps in the year of the saving, on drawn countries.

    kept share of insurer i = 1 - n_i + phi a_i,     gain of another insurer j = S (phi a_j - n_j)

n and a come from the second implementation (tests/reference), S and the results from a run of the engine. The closed
form is exact; the error is the rounding of one share in both arms, at most two cents an insurer.
"""

from __future__ import annotations

from fractions import Fraction

import bridge
import pytest
from reference.cases import random_case
from reference.country import Category
from reference.groupers import class_rows
from reference.moments import assign_claims
from reference.payment import Undefined, adult_shares, adult_years, ex_post
from rules import FULL, change, channel, programme, rule, run, selector

from anderhalf.errors import DomainError

CENTS = 2
FREE = (Category.gp, Category.obstetric)
"""Outside the deductible, and no class looks at the year itself: own payments and classes stay."""


def saving_of(seed: int, takes_part: int | None) -> tuple[list[int], list[Fraction], list[Fraction], Fraction] | None:
    """Changes in result, n and a by insurer, and phi, when GP care gets a third cheaper for one insurer or for all."""
    country, model, mapping = random_case(seed, persons=(20, 40), insurers=(2, 4))
    insurers = sorted({r.insurer for r in country.records})
    base, _ = bridge.baseline(country, model, mapping)
    rows = class_rows(country, model, mapping, tie=bridge.tie)
    claims = assign_claims(country, rows, model.year)
    try:
        paid = ex_post(rows, claims, model, model.year, mode="micro")
        base.ex_post(model.year)
    except (Undefined, DomainError):
        return None
    who = [] if takes_part is None else [insurers[takes_part % len(insurers)]]
    cheaper = programme(rule("reprice", selector(*FREE), factor_ppm=666_667), start=model.year, insurers=who)
    year = run(base, cheaper).years[0]
    national = paid["variable"]["N"]
    n = [paid["variable"]["N_i"].get(i, Fraction(0)) / national for i in insurers]
    shares = adult_shares(adult_years(rows, model.year))
    a = [shares.get(i, Fraction(0)) for i in insurers]
    saved = [-x for x in change(year, "claims")]
    assert all(x == 0 for x in change(year, "own_payments"))
    assert not any(channel(year, "c1_classes", "c2_thresholds", "d_expected_own_payments", "e1_neutrality"))
    return saved, change(year), n, a, Fraction(model.flat_ppm_variable, FULL)


@pytest.mark.oracle
def test_a_saver_alone_keeps_1_minus_n_plus_phi_a_and_others_get_phi_a_minus_n() -> None:
    compared, signs = 0, set()
    for seed in range(60_000, 60_120):
        found = saving_of(seed, takes_part=seed)
        if found is None or sum(found[0]) == 0:
            continue
        saved, changed, n, a, phi = found
        total = sum(saved)
        assert sum(x != 0 for x in saved) == 1
        for own, gain, n_i, a_i in zip(saved, changed, n, a, strict=True):
            expected = own - total * (n_i - phi * a_i)
            assert abs(gain - expected) <= CENTS, (seed, float(gain - expected))
            if own == 0 and abs(total * (phi * a_i - n_i)) > CENTS:  # the free rider's gain has the sign of phi a - n
                assert (gain > 0) == (phi * a_i > n_i), seed
                signs.add((phi, gain > 0))
        compared += 1
    assert compared > 70
    assert signs == {(phi, sign) for phi in (Fraction(1), Fraction(3, 20)) for sign in (True, False)}


@pytest.mark.oracle
def test_when_all_save_insurers_together_keep_phi_of_it() -> None:
    compared = 0
    for seed in range(61_000, 61_080):
        found = saving_of(seed, takes_part=None)
        if found is None or sum(found[0]) == 0:
            continue
        saved, changed, _, _, phi = found
        assert abs(sum(changed) - phi * sum(saved)) <= 1, seed  # the target of the share is rounded once
        compared += 1
    assert compared > 50
