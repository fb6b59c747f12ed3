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
    p.moving.assign(ages, 0.05);
    p.leaves_to_elsewhere = 0.5;
    p.departing.assign(ages, 0.01);
    p.departing_arrived = 2;
    p.group_departing = {1, 1};
    p.switching_within_year = 0.02;
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
    std::map<std::pair<std::uint64_t, std::int32_t>, std::vector<const data::Record*>> of;
    for (std::size_t i = 0; i < all.records.size(); ++i) {
        const data::Record& r = all.records[i];
        REQUIRE(r.first_day <= r.last_day);
        REQUIRE(year_of(r.first_day) == year_of(r.last_day));
        REQUIRE(r.ses >= 1);
        REQUIRE(r.household <= 4);
        if (i > 0)
            REQUIRE(std::tuple(all.records[i - 1].person, all.records[i - 1].first_day) <
                    std::tuple(r.person, r.first_day));
        auto& periods = of[{r.person, year_of(r.first_day)}];
        if (!periods.empty()) REQUIRE(periods.back()->last_day + 1 == r.first_day);
        periods.push_back(&r);
    }
    std::map<std::pair<std::uint64_t, std::int32_t>, std::uint32_t> next;
    for (const data::Claim& c : all.claims) {
        const auto key = std::pair{c.person, year_of(c.opened)};
        REQUIRE(of.count(key) == 1);
        const auto bearer = std::find_if(of[key].begin(), of[key].end(), [&](const data::Record* r) {
            return c.opened >= r->first_day && c.opened <= r->last_day;
        });
        REQUIRE(bearer != of[key].end());
        REQUIRE(c.insurer == (*bearer)->insurer);
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

TEST_CASE("a year splits at each change: moving, another insurer, leaving home, an institution",
          "[population][oracle]") {
    Parameters p = country();
    for (std::uint16_t code = 3; code <= 4; ++code) {  // two towns per group, of one size: half of the moves stay put
        Municipality m = p.municipalities[code - 3u];
        m.code = code;
        p.municipalities.push_back(m);
    }
    Condition dementia;
    dementia.key = "dementia";
    dementia.prevalence = level(0, 0);
    for (auto& sex : dementia.prevalence)
        for (std::size_t a = 60; a < ages; ++a) sex[a] = 0.01 * static_cast<double>(a - 60);
    dementia.wlz = true;
    CareLine fall;
    fall.category = Category::grz;
    fall.probability = 0;
    fall.onset_probability = 1;
    fall.mean_eur = 1'000;
    dementia.care = {fall};
    p.conditions.push_back(dementia);
    p.wlz_factor.assign(category_count, 1.0);
    p.wlz_factor[static_cast<std::size_t>(Category::gp)] = 0;
    const Tables t = build(p);
    const Plan all = plan(t, everyone());
    double years = 0, moved = 0, switched = 0, entered = 0, left = 0, gp_inside = 0, falls_before = 0, falls_inside = 0;
    std::map<std::uint64_t, std::uint64_t> institution;  // person to first day there
    for (Index b = 0; b < all.blocks(); ++b) {
        const data::Block block = generate(t, all, b, 2018, 2020);
        for (std::size_t i = 0; i < block.records.size(); ++i) {
            const data::Record& r = block.records[i];
            years += (r.last_day - r.first_day + 1) / 365.25;
            if (i == 0 || block.records[i - 1].person != r.person) continue;
            const data::Record& before = block.records[i - 1];
            const bool same_year = year_of(before.first_day) == year_of(r.first_day);
            if (!same_year) continue;
            CHECK(before.last_day + 1 == r.first_day);
            const bool moves = before.municipality != r.municipality, home = before.address != r.address;
            CHECK((moves || home || before.insurer != r.insurer || before.wlz != r.wlz));
            CHECK((before.municipality + r.municipality) % 2 == 0);  // towns 1 and 3, 2 and 4 are of one group
            moved += moves && !home;
            switched += before.insurer != r.insurer;
            left += home && r.wlz == 0;
            if (r.wlz != before.wlz) {
                CHECK(before.wlz == 0);
                CHECK(r.wlz == 1);
                CHECK(before.household == static_cast<std::uint8_t>(HouseholdState::wlz_entering));
                CHECK(r.household == static_cast<std::uint8_t>(HouseholdState::wlz_entering));
                CHECK(r.address != before.address);
                ++entered;
            }
        }
        std::size_t at = 0;
        for (const data::Claim& c : block.claims) {
            while (block.records[at].person != c.person) ++at;
            while (block.records[at].last_day < c.opened)
                ++at;  // claims of a person are not in the order of their days
            while (block.records[at].first_day > c.opened) --at;
            if (block.records[at].wlz > 0) gp_inside += c.category == Category::gp;
            if (c.category == Category::grz) ++(block.records[at].wlz > 0 ? falls_inside : falls_before);
        }
    }
    CHECK(moved / years == Approx(0.05 / 2).epsilon(0.15));  // whole households, about 0.9 of the insured
    CHECK(switched / years == Approx(0.02).epsilon(0.15));
    CHECK(entered > 100);
    CHECK(left > 500);
    CHECK(falls_before == Approx(entered).epsilon(0.05));  // care of the year goes before the institution
    CHECK(falls_inside < 0.02 * entered);                  // who enters on the first insured day
    CHECK(gp_inside == 0);  // no general practitioner under the Zvw in an institution, from the very day
}

TEST_CASE("whoever leaves for abroad is gone for good, and arrives on a day", "[population][oracle]") {
    Parameters p = country();
    p.mortality = level(0, 0);
    p.fertility = level(0, 0);
    p.leave_home.assign(ages, 0.0);
    p.departing_arrived = 1;
    p.compositions[0].arrivals.assign(9, 0.05);
    const Tables t = build(p);
    const data::Block all = whole(t, plan(t, everyone()));
    std::array<double, 8> here{};  // insured on 1 January
    double late = 0, first_day_sum = 0;
    std::map<std::uint64_t, std::int32_t> last;
    for (const data::Record& r : all.records) {
        const auto y = static_cast<std::size_t>(year_of(r.first_day) - 2015);
        const auto known = last.find(r.person);
        if (known != last.end()) CHECK(known->second + 1 == r.first_day);
        else if (y > 0) {
            ++late;
            first_day_sum += (r.first_day - first_day_of(year_of(r.first_day))) / 365.0;
        }
        last[r.person] = r.last_day;
        here[y] += r.first_day == first_day_of(year_of(r.first_day));
    }
    CHECK(first_day_sum / late == Approx(0.5).margin(0.03));
    double left = 0;
    for (const auto& [person, day] : last) left += day < first_day_of(2021) - 1;
    double at_risk = 0;  // draws of departure: those here on 1 January of 2016..2020
    for (std::size_t y = 1; y < 6; ++y) at_risk += here[y];
    CHECK(left / at_risk == Approx(0.01).epsilon(0.15));
}

TEST_CASE("who lives abroad has region 0, and the general part alone", "[population][oracle]") {
    Parameters p = country();
    Municipality away = p.municipalities[0];
    away.code = 0;
    away.region = 0;
    away.group = 2;
    away.insured = 1'000;
    p.municipalities.push_back(away);
    for (auto* group : {&p.group_mortality, &p.group_fertility, &p.group_switching, &p.group_departing})
        group->push_back(1);
    for (Insurer& i : p.insurers) i.share.push_back(1);
    p.group_morbidity.push_back(std::vector<double>(ages, 1.0));
    p.general[0].mean_eur.push_back(BandTable(2, std::vector<double>(bands, 500.0)));
    const Tables t = build(p);
    const data::Block all = whole(t, plan(t, everyone()));
    std::set<std::uint64_t> abroad;
    double here = 0, there = 0, euros = 0, years = 0;
    for (const data::Record& r : all.records) {
        CHECK((r.region == 0) == (r.municipality == 0));
        if (r.region == 0) abroad.insert(r.person);
        if (r.first_day == first_day_of(2015)) (r.region == 0 ? there : here) += 1;
        if (r.region == 0) years += (r.last_day - r.first_day + 1) / 365.25;
    }
    for (const data::Claim& c : all.claims) {
        if (abroad.count(c.person) == 0) continue;
        CHECK(c.category == Category::gp);
        euros += c.claimed_cents / 100.0;
    }
    CHECK(there / here == Approx(1.0 / 12).epsilon(0.1));
    CHECK(euros / years == Approx(500).epsilon(0.05));
}

TEST_CASE("a course of care holds the curve of use, lasts, and grows while it lasts", "[population][oracle]") {
    Parameters p = country();
    p.mortality = level(0, 0);
    p.fertility = level(0, 0);
    p.departing.assign(ages, 0.0);
    p.compositions[0].arrivals.assign(9, 0.0);
    General nursing;
    nursing.category = Category::nursing;
    nursing.line.yearly = true;
    nursing.line.cv = 0.0;
    nursing.course = true;
    nursing.ends = 0.25;
    nursing.growth = 0.2;
    nursing.use = level(0.1, 0.1);
    nursing.mean_eur = {BandTable(2, std::vector<double>(bands, 100.0)),
                        BandTable(2, std::vector<double>(bands, 100.0))};
    p.general.push_back(nursing);
    const Tables t = build(p);
    const Plan all = plan(t, everyone());
    std::map<std::uint64_t, std::array<double, 6>> cents;
    std::set<std::uint64_t> adults;
    double insured = 0;
    for (Index b = 0; b < all.blocks(); ++b) {
        const data::Block block = generate(t, all, b, 2015, 2020);
        for (const data::Record& r : block.records)
            if (r.birth_month < 12 * 1990) {
                adults.insert(r.person);
                insured += (r.last_day - r.first_day + 1) / (days_in(year_of(r.first_day)) * 1.0);
            }
        for (const data::Claim& c : block.claims)
            if (c.category == Category::nursing && adults.count(c.person) == 1)
                cents[c.person][static_cast<std::size_t>(year_of(c.opened) - 2015)] += c.claimed_cents;
    }
    double users = 0, again = 0, could = 0, grown = 0, pairs = 0, euros = 0;
    for (const auto& [person, by_year] : cents)
        for (std::size_t y = 0; y < 6; ++y) {
            users += by_year[y] > 0;
            euros += by_year[y] / 100;
            if (y == 0 || by_year[y - 1] == 0) continue;
            ++could;
            again += by_year[y] > 0;
            if (by_year[y] > by_year[y - 1] * 1.001) grown += by_year[y] / by_year[y - 1], ++pairs;
        }
    CHECK(users / insured == Approx(0.1).epsilon(0.06));  // as the curve says, year after year
    CHECK(again / could == Approx(0.75).margin(0.03));
    CHECK(grown / pairs == Approx(1.2).margin(0.02));
    CHECK(euros / insured == Approx(100).epsilon(0.08));
}

TEST_CASE("trends multiply the cents by the price index and the chance by the volume index", "[population][oracle]") {
    Parameters p = country();
    const data::Block level_ = whole(build(p), plan(build(p), everyone()));
    p.price_index.assign(10, std::vector<double>(category_count, 1.5));
    p.volume_index.assign(10, std::vector<double>(category_count, 1.0));
    const auto hospital = static_cast<std::size_t>(Category::hospital);
    for (auto& year : p.volume_index) year[hospital] = 0.5;
    const Tables t = build(p);
    const data::Block trend = whole(t, plan(t, everyone()));
    REQUIRE(trend.records.size() == level_.records.size());
    const auto of = [](const data::Block& b, Category category) {
        std::vector<std::pair<std::uint64_t, std::int32_t>> cents;
        for (const data::Claim& c : b.claims)
            if (c.category == category) cents.emplace_back(c.person, c.claimed_cents);
        return cents;
    };
    const auto gp = of(level_, Category::gp), dearer = of(trend, Category::gp);
    REQUIRE(gp.size() == dearer.size());
    for (std::size_t i = 0; i < gp.size(); ++i) {
        REQUIRE(gp[i].first == dearer[i].first);
        REQUIRE(std::abs(gp[i].second * 3 / 2 - dearer[i].second) <= 2);
    }
    const double fewer = static_cast<double>(of(trend, Category::hospital).size()) /
                         static_cast<double>(of(level_, Category::hospital).size());
    CHECK(fewer == Approx(0.5).margin(0.02));
    p.price_index.assign(10, std::vector<double>(category_count, 1.0));
    p.volume_index = p.price_index;
    const Tables one = build(p);
    const data::Block same = whole(one, plan(one, everyone()));
    REQUIRE(same.claims.size() == level_.claims.size());
    CHECK(std::equal(same.claims.begin(), same.claims.end(), level_.claims.begin(),
                     [](const auto& x, const auto& y) { return content(x) == content(y); }));
}

TEST_CASE("the volume index holds where a chance is near 1: the rest goes to the amount", "[population][oracle]") {
    Parameters p = country();
    p.fertility = level(0, 0);
    const auto event = [](Category category, double chance, std::int32_t choice) {
        CareLine line;
        line.category = category;
        line.probability = chance;
        line.choice = choice;
        line.mean_eur = 100;
        line.cv = 0.3;
        return line;
    };
    Episode certain;
    certain.rate = level(1, 1);
    certain.care = {event(Category::obstetric, 1, 0), event(Category::maternity, 0.9, 0),
                    event(Category::devices, 0.6, 1), event(Category::transport, 0.4, 1)};
    p.episodes.push_back(certain);
    General dental;
    dental.category = Category::dental;
    dental.use = level(0.8, 0.8);
    dental.frailty = 0.4;
    dental.mean_eur = p.general[0].mean_eur;
    p.general.push_back(dental);
    const data::Block law_year = whole(build(p), plan(build(p), everyone()));
    std::vector<double> volume(category_count, 1.0);
    const auto index = [&](Category c) -> double& { return volume[static_cast<std::size_t>(c)]; };
    index(Category::obstetric) = 1.36;
    index(Category::maternity) = 2.5;
    index(Category::devices) = 1.5;
    index(Category::transport) = 1.2;
    index(Category::dental) = 1.4;
    index(Category::hospital) = 1.3;
    index(Category::gp) = 0.7;
    p.volume_index.assign(10, volume);
    p.price_index.assign(10, std::vector<double>(category_count, 1.1));
    const Tables t = build(p);
    const data::Block nominal = whole(t, plan(t, everyone()));
    const auto totals = [](const data::Block& b) {
        std::array<double, category_count> cents{};
        for (const data::Claim& c : b.claims) cents[static_cast<std::size_t>(c.category)] += c.claimed_cents;
        return cents;
    };
    const auto before = totals(law_year), after = totals(nominal);
    for (const Category c : {Category::obstetric, Category::maternity, Category::devices, Category::transport,
                             Category::dental, Category::hospital, Category::gp, Category::drugs}) {
        const auto k = static_cast<std::size_t>(c);
        INFO("category " << k);
        REQUIRE(before[k] > 0);
        CHECK(after[k] / before[k] == Approx(1.1 * volume[k]).epsilon(0.02));
    }
}

TEST_CASE("a fifth course of care and a 129th condition are refused", "[population]") {
    Parameters p = country();
    General course = p.general[0];
    course.course = true;
    course.ends = 0.5;
    p.general.assign(max_courses, course);
    CHECK_NOTHROW(build(p));
    p.general.push_back(course);
    CHECK_THROWS_WITH(build(p), Catch::Contains("more than 4 courses"));
    p = country();
    p.conditions.assign(max_conditions + 1, p.conditions[0]);
    CHECK_THROWS_WITH(build(p), Catch::Contains("more than 128 conditions"));
}

TEST_CASE("the product number tells the setting, and the setting follows the price", "[population][oracle]") {
    Parameters p = country();
    Setting others, own;
    others.heavy_from_eur = 1;
    others.admission_from_eur = 2;
    own.specialism = 310;
    own.heavy_from_eur = 400;
    own.admission_from_eur = 500;
    p.settings = {own, others};
    const Tables t = build(p);
    const data::Block all = whole(t, plan(t, everyone()));
    std::array<double, 5> number{};
    for (const data::Claim& c : all.claims) {
        if (c.category != Category::hospital) continue;
        const std::uint32_t setting = c.product / 100 % 10;
        CHECK(c.product / 1000 == 310u * 1000 + 1);
        const std::uint32_t expected = c.consult ? 1 : c.claimed_cents < 40'000 ? 2 : c.claimed_cents < 50'000 ? 3 : 4;
        CHECK(setting == expected);
        ++number[setting];
    }
    for (std::size_t setting = 1; setting <= 4; ++setting) CHECK(number[setting] > 100);
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
