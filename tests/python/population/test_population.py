"""The synthetic population seen from Python: draws, layout, mapping and cost against Vektis."""

import numpy as np
import pytest

from anderhalf import population
from anderhalf.errors import NotFoundError, ParameterError
from anderhalf.parameters import CATEGORIES
from anderhalf.targets import load_targets
from anderhalf.validation import statistics

BASES = (2015, 2018, 2021, 2023)


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


def test_every_code_in_claims_has_a_name() -> None:
    people = population.synthesise(6_000, (2018, 2018), region=None)
    table = people.products()
    assert not table.name.eq("").any()
    names = [str(c) for c in CATEGORIES]
    first = {c: np.array(part["product"]) for c, part in table.groupby("category")}
    last = {c: np.array(part["last"]) for c, part in table.groupby("category")}
    for block in people.blocks():
        c = block.claims
        for k, name in enumerate(names):
            product = np.unique(c["product"][c["category"] == k])
            inside = [((first[name] <= p) & (p <= last[name])).any() for p in product.tolist()]
            assert all(inside), (name, product[~np.array(inside)][:5])
    atc = people.drugs.set_index("drug").atc
    assert atc[1001] == "H03AA"  # levothyroxine is a thyroid hormone of that group in WHO's classification
    assert atc[2002] == "C10AA"  # statins
    assert atc.str.match(r"^[A-Z](\d\d([A-Z][A-Z]?)?)?$").all()
    assert set(table[table.category == "drugs"]["product"]) == set(atc.index)


def test_the_setting_in_a_product_number_follows_the_price() -> None:
    people = population.synthesise(20_000, (2018, 2018), region=None)
    euros: dict[int, list[float]] = {1: [], 2: [], 3: [], 4: []}
    for block in people.blocks():
        c = block.claims
        # 318, the stomach and bowel: light below 600 euros, admission from 3,500 (care.toml); not in an institution
        outside = set(block.records["person"][block.records["wlz"] == 0].tolist())
        own = (c["category"] == CATEGORIES.index("hospital")) & (c["specialism"] == 318)
        for product, cents, person in zip(c["product"][own], c["claimed_cents"][own], c["person"][own], strict=True):
            if int(person) in outside:
                euros[int(product) // 100 % 10].append(cents / 100)
    assert max(euros[2], default=0) < 600 <= min(euros[3])
    assert max(euros[3]) < 3_500 <= min(euros[4])


def test_nominal_trends_are_vektis_in_its_own_years() -> None:
    price, volume = population.trend_indices()
    folder = population.data_directory("params") / "population"
    vektis = {int(r["year"]): r for r in population._rows("vektis_trend.csv", folder)}
    k, level = CATEGORIES.index("hospital"), population.price_factor()
    for year in (2015, 2018, 2021, 2023):
        nominal = price[year - 2011, k] * volume[year - 2011, k] * level  # cost beside that of Vektis 2018
        assert nominal == pytest.approx(float(vektis[year]["hospital_eur"]) / float(vektis[2018]["hospital_eur"]))
    between = volume[2019 - 2011, k] / volume[2018 - 2011, k]
    assert between == pytest.approx(volume[2020 - 2011, k] / volume[2019 - 2011, k])  # geometric
    assert volume[2031 - 2011, k] / volume[2030 - 2011, k] == pytest.approx(1.008)
    ggz = CATEGORIES.index("ggz")
    total = price[:, ggz] * volume[:, ggz]
    assert total[2021 - 2011] / total[2018 - 2011] > 1.1  # 2021 of Vektis, 166 against 209 euros, does not count
    assert not volume[: 2015 - 2011, CATEGORIES.index("nursing")].any()  # under the AWBZ until 2015
    assert not volume[: 2017 - 2011, CATEGORIES.index("elv")].any()


def test_prices_of_the_year_multiply_the_same_claims() -> None:
    one = population.synthesise(3_000, (2021, 2021), region=None)
    other = population.synthesise(3_000, (2021, 2021), region=None, prices="nominal")
    price, volume = population.trend_indices()
    k = CATEGORIES.index("gp")
    factor = price[2021 - 2011, k] * volume[2021 - 2011, k]
    before, after = ([b.claims[b.claims["category"] == k] for b in p.blocks()] for p in (one, other))
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a["person"], b["person"])
        assert np.abs(a["claimed_cents"] * factor - b["claimed_cents"]).max() < 1 + 4e-5 * a["claimed_cents"].max()
    with pytest.raises(ParameterError, match="law_year or nominal"):
        population.synthesise(3_000, prices="real")  # type: ignore[arg-type]


def per_category(people: population.Population) -> tuple[np.ndarray, np.ndarray]:
    """Euros by care category, and their standard error as if persons were drawn."""
    total, square = np.zeros(len(CATEGORIES)), np.zeros(len(CATEGORIES))
    for block in people.blocks():
        c = block.claims
        cells, cell = np.unique(c["person"] * len(CATEGORIES) + c["category"], return_inverse=True)
        euros = np.bincount(cell, weights=c["claimed_cents"] / 100)
        of = (cells % len(CATEGORIES)).astype(int)
        total += np.bincount(of, weights=euros, minlength=len(CATEGORIES))
        square += np.bincount(of, weights=euros**2, minlength=len(CATEGORIES))
    return total, np.sqrt(square)


@pytest.mark.parametrize("base", BASES)
def test_nominal_cost_is_that_of_the_law_year_times_price_and_volume(base: int) -> None:
    year = 2021
    price, volume = population.trend_indices(base=base)
    factor = (price * volume)[year - 2011]
    law_year, error = per_category(population.synthesise(40_000, (year, year), region=None, base=base))
    nominal, _ = per_category(population.synthesise(40_000, (year, year), region=None, base=base, prices="nominal"))
    made = [k for k, name in enumerate(CATEGORIES) if law_year[k] > 0]
    assert len(made) >= 16
    for k in made:
        found = nominal[k] / law_year[k] / factor[k]
        # one draw for both: only the claims that come or go with the volume make an error
        v = volume[year - 2011, k]
        moved = (1 - min(v, 1 / v)) ** 0.5 * error[k] / law_year[k]
        assert abs(found - 1) < 0.002 + 4 * moved, CATEGORIES[k]


@pytest.mark.parametrize("base", BASES)
def test_nominal_cost_of_a_calendar_year_does_not_depend_on_the_base(base: int) -> None:
    folder = population.data_directory("params") / "population"
    vektis = {int(r["year"]): r for r in population._rows("vektis_trend.csv", folder)}
    society = population._read("society.toml", folder)
    sensory, diagnostics = (society["category_split"][k] for k in ("sensory_of_other", "diagnostics_of_hospital"))
    share = {"hospital": {"hospital": 1 - diagnostics}, "diagnostics": {"hospital": diagnostics, "diagnostics": 1}}
    share["sensory"] = {"other": sensory}
    share["other"] = {"other": 1 - sensory, "cross_border": 1, "gzsp": 1}
    of_2018 = population._cost_tables(folder)[1]  # the trend is at the ages and sexes of 2018
    _, years = population._cost_tables(folder, base)
    counted = population._population(f"vektis_population_{base}.csv", folder)
    inside = sum(counted[n] for n in society["region"]["mijnstreek"]["municipalities"]) / years
    price, volume = population.trend_indices(base=base)
    for year in BASES:
        for name, goal in population.targets(base=base).items():
            if (name == "elv" and 2015 in (base, year)) or (name == "ggz" and year == 2021):
                continue  # elv begins in 2017; GGZ of 2021 does not count
            k = CATEGORIES.index(name)
            mean = ((goal[0] * (1 - inside) + goal[1] * inside) * of_2018).sum() / of_2018.sum()
            expected = sum(float(vektis[year][f"{n}_eur"]) * s for n, s in share.get(name, {name: 1}).items())
            nominal = mean * price[year - 2011, k] * volume[year - 2011, k]
            assert nominal == pytest.approx(expected, rel=0.01), (name, year)


@pytest.mark.parametrize("base", BASES)
def test_cost_abroad_is_that_of_its_row_at_the_level_of_the_base(base: int) -> None:
    folder = population.data_directory("params") / "population"
    society = population._read("society.toml", folder)
    row, level = population._abroad(folder)[base], society["price_level"][str(base)]
    profile = np.array([society["abroad"][sex] for sex in ("men", "women")], dtype=np.float64)
    means = population._abroad_means(folder, society, base)
    total = {name: float((table * profile).sum() / profile.sum()) for name, table in means.items()}
    own = ("persons", "insured_years", "ggz_eur")
    somatic = sum(v for k, v in row.items() if k not in own)
    if base == 2015:
        somatic -= row["elv_eur"]
    assert sum(v for k, v in total.items() if k != "ggz") == pytest.approx(
        somatic * population.price_factor(folder, base), rel=1e-9
    )
    assert total["ggz"] == pytest.approx(population._abroad(folder)[level["ggz_of"]]["ggz_eur"] * level["ggz_factor"])


def test_insured_years_are_those_of_vektis_from_2015_to_2023() -> None:
    people = population.synthesise(60_000, (2011, 2023), region=None)
    start = {y: int(np.datetime64(f"{y}-01-01").astype(int)) for y in range(2011, 2025)}
    here, away = dict.fromkeys(range(2011, 2024), 0.0), dict.fromkeys(range(2011, 2024), 0.0)
    several = 0
    for block in people.blocks():
        r = block.records
        year = np.searchsorted(list(start.values()), r["first_day"], side="right") + 2010
        several += int(((r["person"][1:] == r["person"][:-1]) & (year[1:] == year[:-1])).sum())
        for y in here:
            own = r[year == y]
            days = (own["last_day"] - own["first_day"] + 1) * own["represents"].astype(float)
            length = start[y + 1] - start[y]
            here[y] += days[own["region"] > 0].sum() / length
            away[y] += days[own["region"] == 0].sum() / length
    assert several / len(here) > 0.03 * 60_000  # about 4% move, some change insurer, leave home or enter an institution
    for y in (2015, 2018, 2021, 2023):
        folder = population.data_directory("params") / "population"
        vektis = population._population(f"vektis_population_{y}.csv", folder)["Netherlands"].sum()
        assert here[y] == pytest.approx(vektis, rel=0.02), y  # 0.5% in the mean, 0.6% of noise in 25,000 addresses
        assert away[y] == pytest.approx(population._abroad(folder)[y]["insured_years"], rel=0.2), y
