#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/population/generate.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace anderhalf;
using namespace anderhalf::population;

namespace {

Curve level(double men, double women) { return {std::vector<double>(ages, men), std::vector<double>(ages, women)}; }

/// A small country: two municipalities, one condition, one episode, one general line.
Parameters country() {
    Parameters p;
    p.start_year = 2015;
    p.last_year = 2024;
    Composition c;
    c.insured = {std::vector<double>(bands, 1000.0), std::vector<double>(bands, 1000.0)};
    c.arriving = {std::vector<double>(bands, 0.0), std::vector<double>(bands, 0.0)};
    c.arriving[0][5] = c.arriving[1][5] = 1;
    c.arrivals.assign(9, 0.01);
    p.compositions = {c};
    for (std::uint16_t code = 1; code <= 2; ++code) {
        Municipality m;
        m.code = code;
        m.group = code == 2 ? 1 : 0;
        m.insured = 4000.0 * code;
        p.municipalities.push_back(m);
    }
    p.insurers = {{1, "A", {0.5, 0.1}}, {2, "B", {0.3, 0.2}}, {3, "C", {0.2, 0.7}}};
    p.couple_share.assign(bands, 0.6);
    p.parent_age_weight.assign(60, 0.0);
    for (std::size_t a = 20; a < 45; ++a) p.parent_age_weight[a] = 1;
    p.parent_type_weight = {1, 0.1, 0.4};
    p.leave_home.assign(ages, 0.0);
    std::fill(p.leave_home.begin() + 18, p.leave_home.begin() + 40, 0.2);
    p.lives_alone = level(0.3, 0.3);
    p.fertility = level(0, 0);
    for (std::size_t a = 20; a < 40; ++a) p.fertility[1][a] = 0.08;
    p.mortality = level(0.005, 0.005);
    for (auto& sex : p.mortality) std::fill(sex.begin() + 85, sex.end(), 0.2);
    p.group_mortality = p.group_fertility = p.group_switching = {1, 1};
    p.ses_share = p.ses_share_region = {0.2, 0.2, 0.3, 0.3};
    p.group_morbidity = {std::vector<double>(ages, 1.0), std::vector<double>(ages, 1.2)};
    p.wlz_factor.assign(category_count, 0.5);
    p.switching = level(0.067, 0.067);
    p.switching_frailty.assign(frailty_classes, 1.0);
    p.voluntary_deductible = level(0.13, 0.13);
    p.voluntary_cents = {50'000};
    p.voluntary_share = {1};
    p.income.assign(4, {0, 0.01, 0.05, 0.05, 0.1, 0, 0.1, 0.1, 0});

    Condition chronic;
    chronic.key = "chronic";
    chronic.prevalence = level(0.1, 0.1);
    CareLine drug;
    drug.category = Category::drugs;
    drug.product = 7;
    drug.yearly = true;
    drug.mean_eur = 200;
    drug.ddd = 365;
    chronic.care = {drug};
    p.conditions = {chronic};

    Episode complaint;
    complaint.rate = level(0.3, 0.3);
    CareLine consult, heavier;
    consult.category = heavier.category = Category::hospital;
    consult.specialism = heavier.specialism = 310;
    consult.diagnosis = heavier.diagnosis = 1;
    consult.consult = true;
    consult.choice = heavier.choice = 1;
    consult.probability = 0.65;
    heavier.probability = 0.35;
    consult.mean_eur = 150;
    heavier.mean_eur = 450;
    complaint.care = {consult, heavier};
    p.episodes = {complaint};

    General gp;
    gp.category = Category::gp;
    gp.line.yearly = true;
    gp.use = level(1, 1);
    gp.mean_eur = {BandTable(2, std::vector<double>(bands, 170.0)), BandTable(2, std::vector<double>(bands, 190.0))};
    p.general = {gp};
    return p;
}

Sample everyone(std::uint64_t seed = 1, std::int32_t block = 4096) {
    Sample s;
    s.persons = 1'000'000;
    s.seed = seed;
    s.block_persons = block;
    return s;
}

data::Block whole(const Tables& t, const Plan& plan) {
    data::Block all;
    for (Index b = 0; b < plan.blocks(); ++b) {
        const data::Block part = generate(t, plan, b, 2015, 2020);
        all.records.insert(all.records.end(), part.records.begin(), part.records.end());
        all.claims.insert(all.claims.end(), part.claims.begin(), part.claims.end());
    }
    return all;
}

auto content(const data::Claim& c) {
    return std::tuple(c.person, c.opened, c.closed, c.claimed_cents, c.claim, c.product, c.insurer, c.specialism,
                      c.diagnosis, c.ddd, c.category);
}

auto content(const data::Record& r) {
    return std::tuple(r.person, r.address, r.first_day, r.last_day, r.birth_month, r.insurer, r.municipality,
                      r.income_source, r.ses, r.household, r.wlz, r.voluntary_deductible_cents);
}

}  // namespace

TEST_CASE("a block is the same twice, and the same persons whatever the block size", "[population][invariant]") {
    const Tables t = build(country());
    const data::Block a = whole(t, plan(t, everyone(1, 4096))), b = whole(t, plan(t, everyone(1, 333)));
    REQUIRE(a.records.size() == b.records.size());
    REQUIRE(a.claims.size() == b.claims.size());
    CHECK(std::equal(a.records.begin(), a.records.end(), b.records.begin(),
                     [](const auto& x, const auto& y) { return content(x) == content(y); }));
    CHECK(std::equal(a.claims.begin(), a.claims.end(), b.claims.begin(),
                     [](const auto& x, const auto& y) { return content(x) == content(y); }));
    const data::Block other = whole(t, plan(t, everyone(2)));
    CHECK(other.claims.size() != a.claims.size());
}

TEST_CASE("samples nest: whoever is in the smaller sample is the same person in the larger",
          "[population][invariant]") {
    const Tables t = build(country());
    Sample small = everyone();
    small.persons = 2'500;
    const Plan thin = plan(t, small);
    REQUIRE(thin.represents_rest > 1);
    std::map<std::pair<std::uint64_t, std::int32_t>, std::tuple<std::int32_t, std::uint16_t, std::uint8_t>> known;
    const data::Block all = whole(t, plan(t, everyone()));
    for (const data::Record& r : all.records)
        known[{r.person, r.first_day}] = {r.birth_month, r.insurer, r.income_source};
    const data::Block few = whole(t, thin);
    REQUIRE(few.records.size() > 5'000);
    REQUIRE(few.records.size() < all.records.size() / 2);
    for (const data::Record& r : few.records)
        REQUIRE(known.at({r.person, r.first_day}) == std::tuple{r.birth_month, r.insurer, r.income_source});
}

TEST_CASE("records and claims are sorted, inside the insured days, ranked from 0 within person and year",
          "[population][invariant]") {
    const Tables t = build(country());
    const data::Block all = whole(t, plan(t, everyone()));
    std::map<std::pair<std::uint64_t, std::int32_t>, const data::Record*> of;
    for (std::size_t i = 0; i < all.records.size(); ++i) {
        const data::Record& r = all.records[i];
        REQUIRE(r.first_day <= r.last_day);
        REQUIRE(year_of(r.first_day) == year_of(r.last_day));
        REQUIRE(r.ses >= 1);
        REQUIRE(r.household <= 4);
        if (i > 0)
            REQUIRE(std::tuple(all.records[i - 1].person, all.records[i - 1].first_day) <
                    std::tuple(r.person, r.first_day));
        of[{r.person, year_of(r.first_day)}] = &r;
    }
    std::map<std::pair<std::uint64_t, std::int32_t>, std::uint32_t> next;
    for (const data::Claim& c : all.claims) {
        const auto key = std::pair{c.person, year_of(c.opened)};
        REQUIRE(of.count(key) == 1);
        REQUIRE(c.opened >= of[key]->first_day);
        REQUIRE(c.opened <= of[key]->last_day);
        REQUIRE(c.insurer == of[key]->insurer);
        REQUIRE(c.claim == next[key]++);
        REQUIRE(c.claimed_cents > 0);
        REQUIRE(c.claimed_cents == c.settled_cents);
    }
}

TEST_CASE("means are those of the parameters: sexes and ages, prevalence, price, product numbers",
          "[population][oracle]") {
    const Tables t = build(country());
    const data::Block all = whole(t, plan(t, everyone()));
    double start = 0, men = 0, drugs = 0, consults = 0, products = 0, price = 0, gp = 0, gp_years = 0;
    std::array<double, 10> digit{};
    for (const data::Record& r : all.records) {
        if (year_of(r.first_day) == 2015 && r.first_day == first_day_of(2015)) {
            ++start;
            men += r.sex == 1;
        }
        if (r.municipality == 1) gp_years += (r.last_day - r.first_day + 1) / 365.25;
    }
    std::set<std::uint64_t> first_region;
    for (const data::Record& r : all.records)
        if (r.municipality == 1) first_region.insert(r.person);
    for (const data::Claim& c : all.claims) {
        if (c.category == Category::drugs && year_of(c.opened) == 2015 && first_region.count(c.person) == 1) ++drugs;
        if (c.category == Category::gp && first_region.count(c.person) == 1) gp += c.claimed_cents / 100.0;
        if (c.category != Category::hospital) continue;
        ++products;
        consults += c.consult;
        if (c.consult) price += c.claimed_cents / 100.0;
        ++digit[c.product % 100 / 10];
    }
    CHECK(start == Approx(12'000).epsilon(0.03));  // 5,000 addresses: about 1% of noise in their size
    CHECK(men / start == Approx(0.5).margin(0.02));
    CHECK(drugs / 4'000 == Approx(0.1).margin(0.02));  // prevalence 10%, births and arrivals included
    CHECK(consults / products == Approx(0.65).margin(0.02));
    CHECK(price / consults == Approx(150).epsilon(0.02));
    CHECK(gp / gp_years == Approx(170).epsilon(0.03));
    for (const double n : digit) CHECK(n / products == Approx(0.1).margin(0.012));
}

TEST_CASE("the quantile table has mean 1 and rises", "[population][oracle]") {
    const Tables t = build(country());
    const Philox philox(3, 4);
    double sum = 0;
    for (std::uint64_t i = 0; i < 200'000; ++i) sum += static_cast<double>(t.quantiles[0](philox(i)[0])) / 1'048'576.0;
    CHECK(sum / 200'000 == Approx(1).margin(0.005));  // cv 0.5: standard error 0.0011
    std::int64_t last = 0;
    for (std::uint64_t step = 0; step < 4096; ++step) {
        const std::int64_t value = t.quantiles[0](step << 52);
        CHECK(value >= last);
        last = value;
    }
}

TEST_CASE("a wrong block or year is refused by name", "[population]") {
    const Tables t = build(country());
    const Plan p = plan(t, everyone());
    CHECK_THROWS(generate(t, p, p.blocks(), 2015, 2016));
    CHECK_THROWS(generate(t, p, 0, 2014, 2016));
    Sample none;
    none.persons = 0;
    CHECK_THROWS(plan(t, none));
}
