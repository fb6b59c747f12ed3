#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/moments.hpp>
#include <anderhalf/estimation/plain.hpp>

#include "random_design.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace anderhalf;
using namespace anderhalf::estimation;

namespace {

/// Three records: a man with flag b, a woman with both flags, a woman with none; two strata, two categories.
struct Small {
    data::Design design{.criteria = {{.name = "sex", .classes = {"m", "f"}},
                                     {.name = "drug",
                                      .classes = {"none", "a", "b"},
                                      .labels = data::Labels::flags,
                                      .none_derived = true}},
                        .categories = {"care", "ggz"},
                        .strata = {"young", "old"}};
    std::vector<std::uint8_t> sex{0, 1, 1};
    std::vector<std::uint64_t> drug{0b10, 0b11, 0b00};
    std::vector<std::uint16_t> days{365, 100, 365}, represents{1, 2, 3};
    std::vector<std::int32_t> care{1000, -300, 0}, ggz{10, 20, 30};
    std::vector<std::uint8_t> stratum{0, 1, 1};
    [[nodiscard]] data::Rows rows() const {
        return {.criteria = {CodeView{std::span{sex}}, std::span<const std::uint64_t>{drug}},
                .days = std::span<const std::uint16_t>{days},
                .cents = {std::span<const std::int32_t>{care}, std::span<const std::int32_t>{ggz}},
                .represents = std::span<const std::uint16_t>{represents},
                .stratum = CodeView{std::span{stratum}}};
    }
};

}  // namespace

TEST_CASE("moments of three records are the sums on paper", "[estimation][oracle]") {
    const Small small;
    const Moments m = accumulate(small.design, small.rows(), Run{});
    CHECK(m.columns() == 5);
    CHECK(m.strata() == 2);
    CHECK(m.categories() == 2);
    CHECK(m.rows(0) == 1);
    CHECK(m.rows(1) == 2);
    CHECK(m.days(0) == 365);
    CHECK(m.days(1) == 2 * 100 + 3 * 365);
    CHECK(m.xd(0, 0) == 365);      // the man
    CHECK(m.xd(2, 0) == 0);        // has a drug
    CHECK(m.xd(2, 1) == 3 * 365);  // the third has none
    CHECK(m.xx(1, 2, 1) == 3 * 365);
    CHECK(m.xx(3, 4, 1) == 2 * 100);  // both flags
    CHECK(m.xx(4, 3, 1) == 2 * 100);
    CHECK(m.xx(0, 4, 0) == 365);
    CHECK(m.xn(1, 1) == 2);
    CHECK(m.cents(0, 1) == -600);
    CHECK(m.xc(3, 0, 1) == -600);
    CHECK(m.xc(2, 1, 1) == 90);
    CHECK(m.squares(100, 0, 0, 1) == 2 * 300 * 300);
    CHECK(m.squares(100, 0, 1, 1) == 2 * -300 * 20);
    CHECK(m.squares(365, 1, 1, 1) == 3 * 30 * 30);
    CHECK(m.design().column_names() == std::vector<std::string>{"sex=m", "sex=f", "drug=none", "drug=a", "drug=b"});
}

TEST_CASE("levels multiply totals, and without levels totals are exact", "[estimation][oracle]") {
    const Small small;
    const Moments m = accumulate(small.design, small.rows(), Run{});
    const Totals plain = combine(m);
    CHECK(plain.exact);
    CHECK(plain.days == 365 + 200 + 3 * 365);
    CHECK(plain.xc[4] == 1000 + 10 - 600 + 40);
    const Totals t = combine(m, {.strata = {2.0, 0.5}, .categories = {1.0, 3.0}});
    CHECK_FALSE(t.exact);
    CHECK(t.days == 2 * 365 + 0.5L * (200 + 3 * 365));
    CHECK(t.xc[4] == 2 * (1000 + 3 * 10) + 0.5L * (-600 + 3 * 40));
    CHECK(t.xx[3 * 5 + 4] == 0.5L * 200);
    CHECK(t.xx[4 * 5 + 3] == 0.5L * 200);
    CHECK(t.xx_structure[4 * 5 + 3] == 200);
    CHECK(t.rows == 3);
    CHECK(t.xn[1] == 2);
    // (1000 + 3*10)^2 2 + ((-300 + 3*20)^2 2 365/100 + (3*30)^2 3) / 2
    CHECK(static_cast<double>(t.yy) == Approx(2 * 1030.0 * 1030 + 0.5 * (240.0 * 240 * 2 * 3.65 + 90.0 * 90 * 3)));
    CHECK_THROWS_AS(combine(m, {.strata = {1.0}}), ShapeError);
    CHECK_THROWS_AS(combine(m, {.strata = {1.0, -1.0}}), DomainError);
}

TEST_CASE("a sum beyond 64 bits is refused and leaves the moments as they were", "[estimation]") {
    Moments m{2};
    const std::vector<Entry> entries{{0, 1}, {1, 1}};
    const std::int64_t many = std::numeric_limits<std::int64_t>::max() / 365 - 1;
    m.add(entries, 365, 1, many);
    const Moments before = m;
    CHECK_THROWS_AS(m.add(entries, 365, 7, 5), DomainError);
    CHECK(m == before);
    CHECK_THROWS_AS(m += before, DomainError);
    CHECK(m == before);
    m -= before;
    CHECK(m == Moments{2});
}

TEST_CASE("bytes give back the same moments, with their design, and the same bytes", "[estimation]") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const tests::Table t = tests::random_table(seed, 150, {.absorbed = seed % 2 == 0, .strata = seed % 3 == 0});
        const Moments m = accumulate(t.design, t.rows(), Run{});
        const std::string bytes = m.bytes();
        const Moments back = Moments::from_bytes(bytes);
        REQUIRE(back == m);
        REQUIRE(back.design() == t.design);
        REQUIRE(back.bytes() == bytes);
    }
    Moments unnamed{3};
    unnamed.add(std::vector<Entry>{{0, 1}, {2, 4}}, 100, -5, 7);
    CHECK(Moments::from_bytes(unnamed.bytes()) == unnamed);
}

TEST_CASE("bytes that are cut short, altered, longer or of another version are refused", "[estimation]") {
    const tests::Table t = tests::random_table(6, 60, {.absorbed = true});
    Moments few{data::Design{
        .criteria = {{.name = "sex", .classes = {"m", "f"}}, {.name = "at", .classes = {"x", "y"}, .absorbed = true}},
        .days_max = 12}};
    few.add(std::vector<Entry>{{1, 1}}, 12, std::vector<Cents>{3}, 1, 1, 0, 1);
    const std::string bytes = few.bytes();
    REQUIRE(Moments::from_bytes(bytes) == few);
    for (std::size_t k = 0; k < bytes.size(); ++k) {
        CHECK_THROWS_AS(Moments::from_bytes(std::string_view{bytes}.substr(0, k)), DomainError);
        for (const int bit : {0, 7}) {
            std::string altered = bytes;
            altered[k] = static_cast<char>(altered[k] ^ (1 << bit));
            CHECK_THROWS_AS(Moments::from_bytes(altered), DomainError);
        }
    }
    CHECK_THROWS_AS(Moments::from_bytes(bytes + '\0'), DomainError);
    std::string other = bytes;
    other[8] = 2;
    CHECK_THROWS_WITH(Moments::from_bytes(other), Catch::Contains("version") && Catch::Contains("expected 1, got 2"));
}

TEST_CASE("moments of other designs are not merged, and an absorbed class that is taken out leaves nothing",
          "[estimation]") {
    const tests::Table t = tests::random_table(6, 300, {.absorbed = true, .strata = true});
    const Moments m = accumulate(t.design, t.rows(), Run{});
    data::Design renamed = t.design;
    renamed.categories[0] = "other";
    Moments other{renamed};
    CHECK_THROWS_AS(other += m, ShapeError);
    CHECK(m - m == Moments{t.design});
    CHECK(m - m + m == m);
    Moments twice = m;
    twice += twice;
    CHECK(twice - m == m);
}
