#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/substitution.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::substitution;

namespace {

constexpr std::int32_t year = 2022;
constexpr Chances everybody{~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}};

Programme programme() {
    Programme p;
    p.name = "test";
    p.start_year = 2021;
    p.ramp_ppm = {250'000, 1'000'000};
    p.municipalities = {5, 3};
    p.lines = {{.specialism = 320, .diagnoses = {2, 1}}};
    p.patients_ppm = 100'000;
    p.consult_ppm = 500'000;
    p.price = 90'00;
    return p;
}

data::Record record(std::uint64_t person = 1, std::uint16_t insurer = 10) {
    data::Record r;
    r.person = person;
    r.insurer = insurer;
    r.municipality = 3;
    r.represents = 4;
    r.first_day = first_day_of(year);
    r.last_day = first_day_of(year + 1) - 1;
    return r;
}

data::Claim claim(std::uint32_t rank, Category category, std::int32_t cents, std::uint16_t specialism = 0,
                  std::uint16_t diagnosis = 0, bool consult = false, std::uint16_t insurer = 10) {
    data::Claim c;
    c.person = 1;
    c.claim = rank;
    c.category = category;
    c.claimed_cents = c.settled_cents = cents;
    c.specialism = specialism;
    c.diagnosis = diagnosis;
    c.consult = consult;
    c.insurer = insurer;
    c.opened = c.closed = first_day_of(year) + 40;
    return c;
}

const std::vector<data::Claim> care{claim(0, Category::gp, 25'00), claim(1, Category::hospital, 150'00, 320, 1, true),
                                    claim(2, Category::hospital, 450'00, 320, 2),
                                    claim(3, Category::hospital, 999'00, 320, 9),
                                    claim(4, Category::hospital, -450'00, 320, 2)};

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
    [[nodiscard]] Cents cost() const {
        Cents sum = 0;
        for (const auto& c : claims) sum += c.settled_cents;
        return sum;
    }
};

After apply(const Programme& p, const std::vector<data::Record>& records, const std::vector<data::Claim>& claims,
            const Chances& chances = everybody, std::int32_t t = year) {
    After a;
    a.changed = Substitution{p}.apply(records, t, claims, chances, 1, a.claims, a.movements);
    if (!a.changed) a.claims = claims;
    return a;
}

Cents cost(const std::vector<data::Claim>& claims) {
    Cents sum = 0;
    for (const auto& c : claims) sum += c.settled_cents;
    return sum;
}

}  // namespace

TEST_CASE("eligible claims become contacts under the title and price of the programme; the rest stays",
          "[substitution][published]") {
    Programme p = programme();
    p.title = Title::designated;
    const After a = apply(p, {record()}, care);
    REQUIRE(a.changed);
    CHECK(a.count(Effect::avoided) == 2);  // the consult and the heavier product; not diagnosis 9, not the correction
    CHECK(a.count(Effect::replacement) == 2);
    REQUIRE(a.claims.size() == 5);
    CHECK(a.claims[0].category == Category::gp);
    for (const std::size_t k : {1U, 2U}) {
        CHECK(a.claims[k].category == Category::one_and_a_half_line);
        CHECK(a.claims[k].title == Title::designated);
        CHECK(a.claims[k].settled_cents == 90'00);
        CHECK(a.claims[k].diagnosis == care[k].diagnosis);
    }
    CHECK(a.claims[3].settled_cents == 999'00);
    CHECK(a.cost() - cost(care) == a.settled());
    CHECK(a.settled() == 2 * 90'00 - 600'00);
    CHECK(a.movements.front().represents == 4);
}

TEST_CASE("the null programme replaces every product by itself: movements, and no difference",
          "[substitution][invariant]") {
    Programme p = programme();
    p.same_product = true;
    const After a = apply(p, {record()}, care);
    CHECK(a.changed);
    CHECK(a.count(Effect::avoided) == 2);
    CHECK(a.count(Effect::replacement) == 2);
    CHECK(a.settled() == 0);
    REQUIRE(a.claims.size() == care.size());
    for (std::size_t k = 0; k < care.size(); ++k) {
        CHECK(a.claims[k].category == care[k].category);
        CHECK(a.claims[k].settled_cents == care[k].settled_cents);
        CHECK(a.claims[k].product == care[k].product);
    }
}

TEST_CASE("who is referred on keeps the hospital claim and has the contact on top", "[substitution][published]") {
    Programme p = programme();
    p.lines.front().refer_on_ppm = 1'000'000;
    const After a = apply(p, {record()}, care);
    CHECK(a.count(Effect::avoided) == 0);
    CHECK(a.count(Effect::referred_on) == 2);
    CHECK(a.claims.size() == care.size() + 2);
    CHECK(a.settled() == 2 * 90'00);
}

TEST_CASE("referring on happens in the share that the line says", "[substitution][invariant]") {
    Programme p = programme();
    p.lines.front().refer_on_ppm = 200'000;
    std::int64_t on = 0, avoided = 0;
    for (std::uint64_t person = 1; person <= 2'000; ++person) {
        const After a = apply(p, {record(person)}, {claim(1, Category::hospital, 150'00, 320, 1, true)});
        on += a.count(Effect::referred_on);
        avoided += a.count(Effect::avoided);
    }
    CHECK(on + avoided == 2'000);
    CHECK(std::abs(on - 400) < 72);  // four standard errors: sqrt(2,000 x 0.2 x 0.8) = 17.9
}

TEST_CASE("under a contract the insurer saves the passed-through part only", "[substitution][published]") {
    Programme p = programme();
    p.pass_through_ppm = 300'000;
    const After a = apply(p, {record()}, {care[2]});
    REQUIRE(a.movements.size() == 2);
    CHECK(a.movements[0].settled == -135'00);  // 30% of 450
    CHECK(a.movements[0].claimed == -450'00);  // the care itself is gone
    REQUIRE(a.claims.size() == 2);
    CHECK(a.claims[1].settled_cents == 315'00);
    CHECK(a.claims[1].claimed_cents == 0);  // counts for no class and no deductible
    CHECK(a.claims[1].consult);
    CHECK(a.settled() == 90'00 - 135'00);
}

TEST_CASE("added demand falls once on those with GP care and no eligible claim", "[substitution][published]") {
    Programme p = programme();
    const std::vector<data::Claim> gp{care[0]};
    const After a = apply(p, {record()}, gp);
    REQUIRE(a.count(Effect::added) == 1);
    CHECK(a.claims.size() == 2);
    CHECK(a.claims.back().category == Category::one_and_a_half_line);
    CHECK(a.claims.back().specialism == 320);
    CHECK(a.settled() == 90'00);
    CHECK(apply(p, {record()}, {care[0], care[1]}).count(Effect::added) == 0);
    CHECK_FALSE(apply(p, {record()}, {care[3]}).changed);  // no GP care
    CHECK_FALSE(apply(p, {record()}, gp, {everybody.consult, everybody.heavier, 0}).changed);
}

TEST_CASE("a person with two insurers, or twice with one, is reached once", "[substitution][published]") {
    data::Record first = record(1, 10), second = record(1, 20), third = record(1, 10);
    first.last_day = first_day_of(year) + 99;
    second.first_day = first.last_day + 1;
    second.last_day = second.first_day + 99;
    third.first_day = second.last_day + 1;
    Programme p = programme();
    const After added = apply(p, {first, second, third}, {care[0]});
    CHECK(added.count(Effect::added) == 1);
    p.lines.front().refer_on_ppm = 1'000'000;
    CHECK(apply(p, {first, second, third}, {care[0], care[1]}).count(Effect::referred_on) == 1);
    // Only the claims of those who take part.
    p = programme();
    p.insurers = {20};
    const After one =
        apply(p, {first, second, third}, {care[1], claim(5, Category::hospital, 450'00, 320, 2, false, 20)});
    CHECK(one.count(Effect::avoided) == 1);
    CHECK(one.movements.front().insurer == 20);
}

TEST_CASE("nothing happens outside the area, the insurers, the lines or the years", "[substitution][published]") {
    Programme p = programme();
    data::Record elsewhere = record();
    elsewhere.municipality = 4;
    CHECK_FALSE(apply(p, {elsewhere}, care).changed);
    p.insurers = {20, 30};
    CHECK_FALSE(apply(p, {record()}, care).changed);
    CHECK(apply(p, {record(1, 20)}, {claim(1, Category::hospital, 150'00, 320, 1, true, 20)}).changed);
    CHECK_FALSE(apply(programme(), {record()}, care, everybody, 2020).changed);
    CHECK_FALSE(apply(programme(), {record()}, {care[3]}).changed);
    CHECK(apply(programme(), {record()}, care, {}).movements.empty());
}

TEST_CASE("downstream claims follow a contact in the category and at the price given", "[substitution][published]") {
    Programme p = programme();
    p.downstream = {{.category = Category::diagnostics, .price = 40'00, .probability_ppm = 1'000'000}};
    const After a = apply(p, {record()}, {care[1]});
    REQUIRE(a.count(Effect::downstream) == 1);
    CHECK(a.claims.back().category == Category::diagnostics);
    CHECK(a.claims.back().settled_cents == 40'00);
    CHECK(a.claims.back().diagnosis == 0);
    p.downstream.front().probability_ppm = 0;
    CHECK(apply(p, {record()}, {care[1]}).count(Effect::downstream) == 0);
}

TEST_CASE("a line takes the care products it names, and all when it names none", "[substitution][oracle]") {
    Programme p = programme();
    data::Claim inside = claim(1, Category::hospital, 150'00, 320, 1), outside = inside;
    inside.product = 320'001'250;
    outside.product = 320'001'300;
    CHECK(Substitution{p}.line_of(outside) != nullptr);
    p.lines.front().products = {{320'001'100, 320'001'199}, {320'001'200, 320'001'299}};
    const Substitution s{p};
    CHECK(s.line_of(inside) != nullptr);
    CHECK(s.line_of(outside) == nullptr);
}

TEST_CASE("who moves out of the area counts for its days there, and only care of these days is replaced",
          "[substitution][oracle]") {
    Programme p = programme();
    data::Record before = record(), after = record();
    before.last_day = before.first_day + 99;
    after.first_day = before.last_day + 1;
    after.municipality = 9;
    const std::vector<data::Record> both{before, after};
    std::vector<data::Claim> claims(care.begin(), care.end());
    Volumes v;
    const Substitution s{p};
    for (data::Claim& c : claims) c.opened = before.last_day;
    s.count(both, claims, v);
    CHECK(v.insured_days == 100 * before.represents);
    CHECK(v.consults == before.represents);
    CHECK(v.heavier == before.represents);
    for (data::Claim& c : claims) c.opened = after.first_day;
    Volumes none;
    s.count(both, claims, none);
    CHECK(none.insured_days == 100 * before.represents);
    CHECK(none.consults == 0);
    CHECK(none.heavier == 0);
    std::vector<data::Claim> out;
    std::vector<Movement> movements;
    Chances all;
    all.consult = all.heavier = ~std::uint64_t{0};
    CHECK_FALSE(s.apply(both, 2030, claims, all, 1, out, movements));
    for (data::Claim& c : claims) c.opened = before.last_day;
    CHECK(s.apply(both, 2030, claims, all, 1, out, movements));
}

TEST_CASE("added demand falls on whom count takes for it: by the care borne inside the area",
          "[substitution][oracle]") {
    data::Record before = record(), after = record();
    before.last_day = before.first_day + 99;
    after.first_day = before.last_day + 1;
    after.municipality = 9;
    const std::vector<data::Record> both{before, after};
    const auto on = [](data::Claim c, std::int32_t day) {
        c.opened = c.closed = day;
        return c;
    };
    const std::int32_t in = before.last_day, out = after.first_day;
    const auto alike = [&](const std::vector<data::Claim>& claims) {
        Volumes v;
        Substitution{programme()}.count(both, claims, v);
        const auto added = apply(programme(), both, claims, {0, 0, everybody.added}).count(Effect::added);
        CHECK(added * before.represents == v.gp_only);
        return added;
    };
    CHECK(alike({on(care[0], in)}) == 1);
    CHECK(alike({on(care[0], out)}) == 0);  // care of a general practitioner elsewhere
    CHECK(alike({on(care[0], in), on(care[1], in)}) == 0);
    CHECK(alike({on(care[0], in), on(care[1], out)}) == 1);  // hospital care elsewhere
    Programme p = programme();
    p.insurers = {99};
    CHECK_FALSE(apply(p, both, {on(care[0], in)}).changed);
}

TEST_CASE("chances give the patients wanted in each year of the ramp", "[substitution][published]") {
    Programme p = programme();
    p.added_demand_ppm = 200'000;
    const Substitution s{p};
    Volumes v;
    const std::vector<data::Record> one{record()};
    s.count(one, care, v);
    CHECK(v.insured_days == 4 * 365);
    CHECK(v.consults == 4);
    CHECK(v.heavier == 4);
    CHECK(v.gp_only == 0);
    v = {.insured_days = 365 * 10'000, .consults = 1'000, .heavier = 2'000, .gp_only = 4'000};
    // 10,000 x 0.1 = 1,000 patients, 800 replacing, half of them consults: 0.4, 0.2; 200 of 4,000 added: 0.05.
    const auto share = [](std::uint64_t threshold) { return std::ldexp(static_cast<double>(threshold), -64); };
    const Chances full = s.chances(2030, v, 365), first = s.chances(2021, v, 365);
    CHECK(share(full.consult) == Approx(0.4));
    CHECK(share(full.heavier) == Approx(0.2));
    CHECK(share(full.added) == Approx(0.05));
    CHECK(share(first.consult) == Approx(0.1));
    CHECK(s.chances(2020, v, 365).consult == 0);
    v.heavier = 399;
    CHECK_THROWS_AS(s.chances(2022, v, 365), DomainError);
}

TEST_CASE("the same draws meet another price or title, so that programmes can be compared",
          "[substitution][invariant]") {
    Programme dear = programme();
    dear.price = 500'00;
    const Chances half{std::uint64_t{1} << 63U, std::uint64_t{1} << 63U, 0};
    std::int64_t reached = 0;
    for (std::uint64_t person = 1; person <= 300; ++person) {
        const auto a = apply(programme(), {record(person)}, {care[1]}, half),
                   b = apply(dear, {record(person)}, {care[1]}, half);
        CHECK(a.changed == b.changed);
        reached += a.changed;
    }
    CHECK(reached > 100);
    CHECK(reached < 200);
}

TEST_CASE("a programme that cannot be is refused with every problem", "[substitution][invariant]") {
    Programme p = programme();
    p.price = -1;
    p.patients_ppm = 1'000'001;
    p.ramp_ppm = {};
    p.lines = {};
    p.added_demand_ppm = -5;
    p.downstream = {{.category = Category::gp, .price = 1, .probability_ppm = 2'000'000}};
    try {
        const Substitution refused{p};
        FAIL("accepted");
    } catch (const ParameterError& error) {
        CHECK(error.problems().size() == 6);
    }
}
