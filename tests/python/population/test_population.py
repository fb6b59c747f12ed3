"""The synthetic population seen from Python: draws, layout, mapping and cost against Vektis."""

import numpy as np
import pytest

from anderhalf import population
from anderhalf.errors import NotFoundError
from anderhalf.targets import load_targets
from anderhalf.validation import statistics


def philox4x64(key: tuple[int, int], counter: tuple[int, int, int, int]) -> list[int]:
    """The published algorithm in plain integers: the oracle for numpy, and for the constants of the generator."""
    mask = 2**64 - 1
    k0, k1 = key
    a, b, c, d = counter
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = (p1 >> 64) ^ b ^ k0, p1 & mask, (p0 >> 64) ^ d ^ k1, p0 & mask
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
    return [a, b, c, d]


@pytest.mark.parametrize("counter", [(0, 0, 0, 0), (5, 2018, 0x1003, 0), (2**63, 1, 2, 3)])
def test_numpy_steps_its_counter_before_it_draws(counter: tuple[int, int, int, int]) -> None:
    before = sum(x << (64 * i) for i, x in enumerate(counter)) - 1
    words = [(before % 2**256) >> (64 * i) & (2**64 - 1) for i in range(4)]
    bits = np.random.Philox(key=np.array([7, 2], dtype=np.uint64), counter=np.array(words, dtype=np.uint64))
    assert [int(x) for x in bits.random_raw(4)] == philox4x64((7, 2), counter)


def test_a_region_is_one_to_one_when_it_fits_in_half_of_the_rows() -> None:
    people = population.synthesise(800_000, region="mijnstreek")
    assert people.plan.represents_region == 1
    assert people.plan.represents_rest > 20
    thin = population.synthesise(20_000, region="mijnstreek")
    assert thin.plan.represents_region > 1


def test_an_unknown_region_is_refused_with_the_known_names() -> None:
    with pytest.raises(NotFoundError, match="mijnstreek"):
        population.synthesise(1_000, region="atlantis")


def test_regions_and_insurers_are_known_by_name() -> None:
    people = population.synthesise(10_000)
    assert len(people.municipality_codes("mijnstreek")) == 10
    assert len(people.municipality_codes("ozl")) == 7
    assert 375_000 < people.insured_years("mijnstreek") < 390_000
    assert people.insurers[3] == "CZ"


def test_no_generator_key_names_a_class() -> None:
    folder = population.data_directory("params") / "population"
    for name in ("conditions.toml", "care.toml", "society.toml"):
        text = "\n".join(line.split("#")[0] for line in (folder / name).read_text(encoding="utf-8").splitlines())
        for word in ("fkg", "dkg", "hkg", "mhk", "mvv", "fdg", "normbedrag"):
            assert word not in text.lower(), f"{name} names {word}"


def test_price_level_is_the_macro_amount_per_insured_year() -> None:
    goal = population.targets()
    _, years = population._cost_tables(population.data_directory("params") / "population")
    variable = sum(t[0] for name, t in goal.items() if name != "ggz")  # the country without the region is 98% of it
    assert (variable * years).sum() / years.sum() == pytest.approx(45_128.6e6 / 17.40e6, rel=0.005)


def test_cost_per_category_is_that_of_vektis_within_sampling_error() -> None:
    people = population.synthesise(150_000, (2018, 2018), region=None, seed=5)
    goal = {t.key: t.value for t in load_targets() if t.family == "cost_country"}
    found = statistics(people, goal)
    assert set(found) == set(goal)
    for name, (value, error) in found.items():
        assert abs(value / goal[name] - 1) < 0.02 + 4 * error / goal[name], name
