#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/substitution.hpp>

#include <catch2/catch.hpp>

#include <set>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::substitution;

namespace {

constexpr std::int32_t year = 2022;
constexpr std::int64_t all = 1'000'000;

data::Record record(std::uint64_t person = 1, std::uint16_t insurer = 10, std::int32_t t = year) {
    data::Record r;
    r.person = person;
    r.insurer = insurer;
    r.municipality = 3;
    r.represents = 4;
    r.birth_month = 12 * 1950 + 5;  // June 1950: 71 on 1 January 2022
    r.sex = 1;
    r.first_day = first_day_of(t);
    r.last_day = first_day_of(t + 1) - 1;
    return r;
}

data::Claim claim(std::uint32_t rank, Category category, std::int32_t cents, std::uint16_t specialism = 0,
                  std::int32_t t = year) {
    data::Claim c;
    c.person = 1;
    c.claim = rank;
    c.category = category;
    c.claimed_cents = c.settled_cents = cents;
    c.specialism = specialism;
    c.diagnosis = specialism == 0 ? std::uint16_t{0} : std::uint16_t{7};
    c.product = 42;
    c.insurer = 10;
    c.opened = c.closed = first_day_of(t) + 40;
    return c;
}

Rule rule(Act act, Category category, std::int64_t share = all) {
    Rule r;
    r.key = "rule";
    r.act = act;
    r.claims.categories = {category};
    r.share_ppm = share;
    return r;
}

Consequence made(Category category, Cents price, Effect effect = Effect::downstream) {
    Consequence c;
    c.category = category;
    c.price = price;
    c.effect = effect;
    return c;
}

Programme programme(std::vector<Rule> rules, std::uint64_t id = 5) {
    Programme p;
    p.name = "test";
    p.id = id;
    p.start_year = 2021;
    p.ramp_ppm = {all};
    p.municipalities = {3};
    p.rules = std::move(rules);
    for (std::size_t k = 0; k < p.rules.size(); ++k) p.rules[k].key = "rule" + std::to_string(k);
    return p;
}

const std::vector<data::Claim> care{claim(0, Category::gp, 25'00), claim(1, Category::hospital, 150'00, 313),
                                    claim(2, Category::hospital, 450'01, 320), claim(3, Category::drugs, 10'01),
                                    claim(4, Category::hospital, -450'00, 320)};

struct After {
    bool changed = false;
    std::vector<data::Claim> claims;
    std::vector<Movement> movements;
    [[nodiscard]] std::int64_t count(Effect e) const {
        return std::count_if(movements.begin(), movements.end(), [&](const Movement& m) { return m.effect == e; });
    }
    [[nodiscard]] Cents settled() const {
        Cents sum = 0;
        for (const Movement& m : movements) sum += m.settled;
        return sum;
    }
};

After after(const Programme& p, const std::vector<data::Record>& records, const std::vector<data::Claim>& claims,
            std::int32_t t = year) {
    const Substitution s{p};
    After a;
    a.changed = s.apply(records, t, claims, s.chances(t, {}, 365), 1, a.claims, a.movements);
    return a;
}

After after(const Programme& p, const std::vector<data::Claim>& claims = care) { return after(p, {record()}, claims); }

Cents cost(const std::vector<data::Claim>& claims) {
    Cents sum = 0;
    for (const auto& c : claims) sum += c.settled_cents;
    return sum;
}

bool same(const data::Claim& a, const data::Claim& b) {
    return a.person == b.person && a.opened == b.opened && a.closed == b.closed && a.claimed_cents == b.claimed_cents &&
           a.settled_cents == b.settled_cents && a.claim == b.claim && a.product == b.product &&
           a.insurer == b.insurer && a.specialism == b.specialism && a.diagnosis == b.diagnosis && a.ddd == b.ddd &&
           a.prescriptions == b.prescriptions && a.category == b.category && a.consult == b.consult &&
           a.title == b.title;
}

}  // namespace

TEST_CASE("avoid: the claims go, what comes with them follows, corrections and other care stay",
          "[substitution][rules]") {
    Rule r = rule(Act::avoid, Category::hospital);
    r.with = {made(Category::gp, 20'00)};
    const After a = after(programme({r}));
    CHECK(a.changed);
    CHECK(a.count(Effect::avoided) == 2);
    CHECK(a.count(Effect::downstream) == 2);
    REQUIRE(a.claims.size() == 5);  // GP, drugs, the correction, and two new
    CHECK(a.claims[2].settled_cents == -450'00);
    CHECK(a.claims[3].category == Category::gp);
    CHECK(a.claims[3].claim == 1);  // of the claim that it follows
    CHECK(a.settled() == 2 * 20'00 - 600'01);
    CHECK(cost(a.claims) - cost(care) == a.settled());
    CHECK(a.movements.front().rule == 1);
    CHECK(a.movements.front().represents == 4);
}

TEST_CASE("reprice: claimed and settled times the factor, half a cent up; daily doses times theirs",
          "[substitution][rules]") {
    Rule r = rule(Act::reprice, Category::drugs);
    r.factor_ppm = 500'000;
    r.ddd_factor_ppm = 250'000;
    std::vector<data::Claim> claims = care;
    claims[3].ddd = 90;
    const After a = after(programme({r}), claims);
    REQUIRE(a.claims.size() == care.size());
    CHECK(a.claims[3].claimed_cents == 5'01);  // 500.5
    CHECK(a.claims[3].settled_cents == 5'01);
    CHECK(a.claims[3].ddd == 23);  // 22.5
    REQUIRE(a.count(Effect::repriced) == 1);
    CHECK(a.movements[0].settled == -5'00);
    CHECK(a.movements[0].claimed == -5'00);
    claims[3].settled_cents = -3;  // a correction beyond the claim: -1.5 is -1, and -2 stays -2
    CHECK(after(programme({r}), claims).claims[3].settled_cents == -1);
    claims[3].settled_cents = -4;
    CHECK(after(programme({r}), claims).claims[3].settled_cents == -2);
    claims[3].settled_cents = 2'000'000'000;
    r.factor_ppm = 1'100'000;
    CHECK_THROWS_AS(after(programme({r}), claims), DomainError);
    CHECK_THROWS_AS(kept_of(claims[3], 2'147'483'648), DomainError);
}

TEST_CASE("replace: another claim in its place, of the same days and insurer", "[substitution][rules]") {
    Rule r = rule(Act::replace, Category::hospital);
    r.claims.specialisms = {313};
    r.with = {made(Category::one_and_a_half_line, 90'00, Effect::replacement)};
    r.with.front().title = Title::designated;
    r.with.front().specialism = 313;
    r.with.front().consult = true;
    const After a = after(programme({r}));
    CHECK(a.count(Effect::avoided) == 1);
    REQUIRE(a.count(Effect::replacement) == 1);
    const data::Claim& c = a.claims.back();
    CHECK(c.category == Category::one_and_a_half_line);
    CHECK(c.title == Title::designated);
    CHECK(c.opened == care[1].opened);
    CHECK(c.specialism == 313);
    CHECK(c.product == 0);
    CHECK(c.consult);
    // Replaced by itself at its own price: the same claim.
    r.with = {made(Category::hospital, 150'00, Effect::replacement)};
    r.with.front().specialism = 313;
    r.with.front().diagnosis = 7;
    r.with.front().product = 42;
    const After null = after(programme({r}));
    CHECK(null.count(Effect::avoided) == 1);
    CHECK(null.settled() == 0);
    CHECK(same(null.claims.back(), care[1]));
    // The null programme does so by itself, for every act; it adds nothing.
    Programme p = programme(
        {rule(Act::avoid, Category::hospital), rule(Act::reprice, Category::drugs), rule(Act::add, Category::gp)});
    p.rules[1].factor_ppm = 0;
    p.rules[2].with = {made(Category::gp, 1)};
    p.same_product = true;
    const After itself = after(p);
    CHECK(itself.count(Effect::avoided) == 3);
    CHECK(itself.count(Effect::replacement) == 3);
    CHECK(itself.settled() == 0);
    REQUIRE(itself.claims.size() == care.size());
    for (std::size_t k = 0; k < care.size(); ++k) CHECK(same(itself.claims[k], care[k]));
}

TEST_CASE("add: once per person-year with such a claim, or of all when no claim is asked", "[substitution][rules]") {
    Rule r = rule(Act::add, Category::hospital);
    r.with = {made(Category::nursing, 456'00, Effect::added)};
    const After a = after(programme({r}));
    REQUIRE(a.count(Effect::added) == 1);
    CHECK(a.claims.size() == care.size() + 1);
    CHECK(a.claims.back().opened == record().first_day);
    CHECK_FALSE(after(programme({r}), {care[0], care[4]}).changed);  // a correction is no claim
    r.claims = {};
    CHECK(after(programme({r}), {}).count(Effect::added) == 1);
    // At the first insurer that takes part.
    Programme p = programme({r});
    p.insurers = {20};
    data::Record first = record(), second = record(1, 20);
    first.last_day = first.first_day + 9;
    second.first_day = first.last_day + 1;
    const After at_second = after(p, {first, second}, {});
    REQUIRE(at_second.changed);
    CHECK(at_second.claims.back().insurer == 20);
    CHECK(at_second.claims.back().opened == second.first_day);
}

TEST_CASE("rules act in order, on claims as earlier rules left them, and never on claims that were made",
          "[substitution][rules]") {
    Rule cheaper = rule(Act::reprice, Category::hospital), light = rule(Act::avoid, Category::hospital);
    cheaper.factor_ppm = 200'000;
    light.claims.max_cents = 30'00;
    const After a = after(programme({cheaper, light}));  // 150 becomes 30 and goes; 450.01 becomes 90.00
    CHECK(a.count(Effect::repriced) == 2);
    CHECK(a.count(Effect::avoided) == 1);
    CHECK(a.movements.back().settled == -30'00);
    CHECK(after(programme({light, cheaper})).count(Effect::avoided) == 0);
    Rule move = rule(Act::replace, Category::hospital);
    move.with = {made(Category::hospital, 10'00, Effect::replacement)};
    const After once = after(programme({move, move}));
    CHECK(once.count(Effect::avoided) == 2);
    CHECK(once.count(Effect::replacement) == 2);
}

TEST_CASE("what two programmes would take counts once", "[substitution][rules]") {
    Rule r = rule(Act::avoid, Category::hospital, 500'000);
    Programme centre = programme({}, 6);
    centre.lines = {{.specialism = 320, .diagnoses = {7}}};
    const Substitution one{programme({r}, 5)}, two{centre};
    constexpr std::uint64_t sure = ~std::uint64_t{0};
    const auto taken = [&](bool first, std::uint64_t person) {
        const std::vector<data::Record> records{record(person)};
        const PersonYear of{records, year, care};
        Claims claims;
        claims.take(care);
        std::vector<Movement> movements;
        std::vector<Fall> falls;
        Chances chances;
        chances.consult = chances.heavier = sure;
        if (first) one.apply(of, one.chances(year, {}, 365), {}, 1, claims, movements, falls);
        two.apply(of, chances, {}, 1, claims, movements, falls);
        Cents avoided = 0;
        for (const Movement& m : movements)
            if (m.effect == Effect::avoided && m.specialism == 320) avoided += m.settled;
        return std::pair{avoided, movements.size()};
    };
    bool first = false, second = false;
    for (std::uint64_t person = 1; person <= 40; ++person) {
        const auto [both, count] = taken(true, person);
        CHECK(both == -450'01);  // by the one or by the other
        CHECK(taken(false, person).first == -450'01);
        (count < 3 ? second : first) = true;
    }
    CHECK(first);
    CHECK(second);
}

TEST_CASE("who: by age on 1 January, sex, and claims of the year", "[substitution][rules]") {
    const auto reached = [](const auto& change, std::int32_t birth_month = 12 * 1950 + 5) {
        Rule r = rule(Act::avoid, Category::hospital);
        change(r.who);
        data::Record one = record();
        one.birth_month = birth_month;
        return after(programme({r}), {one}, care).changed;
    };
    CHECK(reached([](Who& w) { w.min_age = w.max_age = 71; }));
    CHECK_FALSE(reached([](Who& w) { w.min_age = 72; }));
    CHECK_FALSE(reached([](Who& w) { w.max_age = 70; }));
    CHECK(reached([](Who& w) { w.min_age = w.max_age = 0; }, 12 * year + 7));    // born later in the year
    CHECK(reached([](Who& w) { w.min_age = w.max_age = 0; }, 12 * (year - 1)));  // a year old in the course of January
    CHECK(reached([](Who& w) { w.sex = 1; }));
    CHECK_FALSE(reached([](Who& w) { w.sex = 2; }));
    const auto with = [](Category c) {
        Selector s;
        s.categories = {c};
        return s;
    };
    CHECK(reached([&](Who& w) { w.has = with(Category::drugs); }));
    CHECK_FALSE(reached([&](Who& w) { w.has = with(Category::ggz); }));
    CHECK(reached([&](Who& w) { w.has_not = with(Category::ggz); }));
    CHECK_FALSE(reached([&](Who& w) { w.has_not = with(Category::drugs); }));
}

TEST_CASE("claims: every part of a selector counts", "[substitution][rules]") {
    Selector s;
    CHECK(s.matches(care[1]));
    CHECK_FALSE(s.matches(care[4]));
    const auto only = [&](const auto& change, const data::Claim& c) {
        Selector one;
        change(one);
        return one.matches(c);
    };
    CHECK(only([](Selector& x) { x.specialisms = {313}; }, care[1]));
    CHECK_FALSE(only([](Selector& x) { x.specialisms = {313}; }, care[2]));
    CHECK_FALSE(only([](Selector& x) { x.diagnoses = {8}; }, care[1]));
    CHECK(only([](Selector& x) { x.products = {{1, 2}, {42, 42}}; }, care[1]));
    CHECK_FALSE(only([](Selector& x) { x.products = {{43, 99}}; }, care[1]));
    CHECK(only([](Selector& x) { x.consult = Consult::no; }, care[1]));
    CHECK_FALSE(only([](Selector& x) { x.consult = Consult::yes; }, care[1]));
    CHECK(only([](Selector& x) { x.min_cents = x.max_cents = 150'00; }, care[1]));
    CHECK_FALSE(only([](Selector& x) { x.min_cents = 150'01; }, care[1]));
    CHECK_FALSE(only([](Selector& x) { x.max_cents = 149'99; }, care[1]));
}

TEST_CASE("onset: those new since the start of the rule, in that year and later", "[substitution][rules]") {
    Rule r = rule(Act::avoid, Category::hospital);
    r.start_after = 1;  // from 2022 on
    r.who.onset = Selector{};
    const Substitution s{programme({r})};
    const auto reached = [&](std::int32_t onset, std::int32_t t) {
        const std::vector<data::Record> records{record(1, 10, t)};
        const std::vector<data::Claim> claims{claim(1, Category::hospital, 150'00, 313, t)};
        const std::vector<std::int32_t> first{onset};
        Claims working;
        working.take(claims);
        std::vector<Movement> movements;
        std::vector<Fall> falls;
        const PersonYear of{records, t, claims};
        const bool changed = s.apply(of, s.chances(t, {}, 365), first, 1, working, movements, falls);
        CHECK((!changed || s.candidate(of, first)));
        return changed;
    };
    CHECK_FALSE(reached(0, 2023));
    CHECK_FALSE(reached(2021, 2021));
    CHECK_FALSE(reached(2021, 2023));
    CHECK(reached(2022, 2022));
    CHECK(reached(2022, 2024));
    CHECK_FALSE(reached(2024, 2023));
}

TEST_CASE("a lasting draw holds for a person, one per claim for a claim; the ramp lets persons in for good",
          "[substitution][rules]") {
    Rule r = rule(Act::avoid, Category::hospital, 400'000);
    r.ramp_ppm = {500'000, all};
    r.start_after = 1;
    const auto reached = [&](Per per, std::int32_t t) {
        r.per = per;
        std::set<std::uint64_t> persons;
        for (std::uint64_t person = 1; person <= 1'000; ++person) {
            const After a =
                after(programme({r}), {record(person, 10, t)},
                      {claim(1, Category::hospital, 1'00, 313, t), claim(2, Category::hospital, 1'00, 313, t)}, t);
            if (a.changed) persons.insert(person);
            if (per == Per::person) CHECK(a.movements.size() == (a.changed ? 2 : 0));
        }
        return persons;
    };
    CHECK(reached(Per::person, 2021).empty());
    const auto half = reached(Per::person, 2022), full = reached(Per::person, 2023);
    CHECK(std::includes(full.begin(), full.end(), half.begin(), half.end()));
    CHECK(full == reached(Per::person, 2029));
    CHECK(std::abs(static_cast<int>(half.size()) - 200) < 51);  // four standard errors: sqrt(1,000 x 0.2 x 0.8) = 12.6
    CHECK(std::abs(static_cast<int>(full.size()) - 400) < 62);
    const auto one = reached(Per::claim, 2023), other = reached(Per::claim, 2024);
    CHECK(std::abs(static_cast<int>(one.size()) - 640) < 61);  // 1 - 0.6^2
    CHECK(one != other);
}

TEST_CASE("what follows does so with its probability, by draws of its own", "[substitution][rules]") {
    Rule r = rule(Act::avoid, Category::hospital, 500'000);
    r.with = {made(Category::gp, 1'00), made(Category::elv, 2'00)};
    r.with[0].probability_ppm = 300'000;
    r.with[1].probability_ppm = 300'000;
    std::int64_t avoided = 0, gp = 0, elv = 0, both = 0;
    for (std::uint64_t person = 1; person <= 4'000; ++person) {
        const After a = after(programme({r}), {record(person)}, {care[1]});
        avoided += a.count(Effect::avoided);
        bool x = false, y = false;
        for (const Movement& m : a.movements) {
            x = x || m.category == Category::gp;
            y = y || m.category == Category::elv;
        }
        gp += x;
        elv += y;
        both += x && y;
    }
    CHECK(std::abs(avoided - 2'000) < 127);
    CHECK(std::abs(gp - 600) < 91);
    CHECK(std::abs(elv - 600) < 91);
    CHECK(std::abs(both - 180) < 54);
}

TEST_CASE("after the last year nothing happens; from the hand-over on the area is the other one",
          "[substitution][rules]") {
    Programme p = programme({rule(Act::avoid, Category::hospital)});
    p.end_year = 2023;
    const auto changed = [&](std::int32_t t, std::uint16_t municipality) {
        data::Record r = record(1, 10, t);
        r.municipality = municipality;
        return after(p, {r}, {claim(1, Category::hospital, 1'00, 313, t)}, t).changed;
    };
    CHECK_FALSE(changed(2020, 3));
    CHECK(changed(2021, 3));
    CHECK(changed(2023, 3));
    CHECK_FALSE(changed(2024, 3));
    p.hand_over_year = 2022;
    p.hand_over_municipalities = {4, 5};
    CHECK(changed(2021, 3));
    CHECK_FALSE(changed(2021, 4));
    CHECK_FALSE(changed(2022, 3));
    CHECK(changed(2022, 4));
}

TEST_CASE("a hospital loses what goes, less what takes its place there", "[substitution][rules]") {
    Rule avoid = rule(Act::replace, Category::hospital), cheaper = rule(Act::reprice, Category::hospital);
    avoid.claims.specialisms = {313};
    avoid.with = {made(Category::hospital, 50'00, Effect::replacement), made(Category::gp, 10'00)};
    cheaper.factor_ppm = 900'000;
    Programme p = programme({avoid, cheaper, rule(Act::avoid, Category::gp)});
    const Substitution s{p};
    const std::vector<data::Record> records{record()};
    Claims claims;
    claims.take(care);
    std::vector<Movement> movements;
    std::vector<Fall> falls;
    s.apply({records, year, care}, s.chances(year, {}, 365), {}, 1, claims, movements, falls);
    REQUIRE(falls.size() == 2);  // GP care is no production of a hospital
    CHECK(falls[0].cents == 100'00);
    CHECK(falls[0].municipality == 3);
    CHECK(movements[falls[0].movement].effect == Effect::avoided);
    CHECK(falls[1].cents == 45'00);  // 450.01 becomes 405.01
    p.pass_through_ppm = 250'000;
    const After a = after(p);
    CHECK(a.movements[falls[0].movement].settled == -150'00 + 75'00);
    CHECK(a.movements[falls[1].movement].settled == -45'00 + 33'75);
    CHECK(cost(a.claims) - cost(care) == a.settled());
}

TEST_CASE("rules and contracts that cannot be are refused with every problem", "[substitution][rules]") {
    Rule r = rule(Act::replace, Category::hospital, 1'000'001);
    r.factor_ppm = -1;
    r.start_after = -1;
    r.who.min_age = 5;
    r.who.max_age = 4;
    r.claims.min_cents = 2;
    r.claims.max_cents = 1;
    Programme p = programme({r, r});
    p.rules[1].key = p.rules[0].key;
    p.rules[1].with = {made(Category::gp, -1, Effect::avoided)};
    p.end_year = 2020;
    p.hand_over_year = 2022;
    Contract c;
    c.from_year = 2023;
    c.to_year = 2022;
    c.rebase_years = 0;
    c.over_ceiling_ppm = -1;
    p.contracts = {c};
    try {
        const Substitution refused{p};
        FAIL("accepted");
    } catch (const ParameterError& error) {
        CHECK(error.problems().size() == 2 + 6 + 5 + 3 + 3);
    }
}

TEST_CASE("more rules than a key of a movement can tell apart are refused", "[substitution][rules]") {
    std::vector<Rule> rules(most_rules, rule(Act::avoid, Category::gp));
    CHECK_NOTHROW(Substitution{programme(rules)});
    rules.push_back(rules.front());
    CHECK_THROWS_AS(Substitution{programme(rules)}, ParameterError);
}
