#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/plain.hpp>

#include "random_design.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace anderhalf;
using namespace anderhalf::estimation;
using anderhalf::tests::random_table;
using anderhalf::tests::Table;

namespace {

Moments again(const Table& t, const Encoded& encoded, const Run& run = {}) {
    const data::Rows rows = t.rows();
    return accumulate(encoded, rows.days, rows.cents, rows.represents, rows.stratum, run);
}

}  // namespace

TEST_CASE("straight, encoded and plain accumulation give the same integers on random designs", "[estimation][oracle]") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const Index sizes[] = {0, 1, 63, 64, 65, 200, 1000, 3000};
        const Table t = random_table(seed, sizes[seed % 8], {.absorbed = seed % 3 == 0, .strata = seed % 4 == 1});
        INFO("seed " << seed);
        const Moments plain = accumulate_plain(t.design, t.rows());
        REQUIRE(accumulate(t.design, t.rows(), Run{}) == plain);
        REQUIRE(again(t, encode(t.design, t.rows(), Run{})) == plain);
    }
}

TEST_CASE("order, threads, chunks and partitions leave the same integers", "[estimation][invariant][threads]") {
    for (std::uint64_t seed = 1000; seed < 1024; ++seed) {
        const Table t = random_table(seed, 2500, {.absorbed = seed % 3 == 0, .strata = seed % 2 == 0});
        INFO("seed " << seed);
        const Moments once = accumulate(t.design, t.rows(), Run{});
        std::vector<std::size_t> order(2500);
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), std::mt19937_64{seed});
        const Table other = t.permuted(order);
        REQUIRE(accumulate(other.design, other.rows(), Run{}) == once);
        for (const int threads : {1, 2, 3, 7})
            for (const Index chunk : {1, 63, 64, 65, 1000, 65'536}) {
                const Run run{.threads = threads};
                REQUIRE(accumulate(t.design, t.rows(), run, nullptr, Grid{chunk}) == once);
                REQUIRE(again(t, encode(t.design, t.rows(), run, Grid{chunk}), run) == once);
            }
        Moments merged{t.design}, rest = once;
        for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 1499}, {1500, 0}, {1500, 1000}}) {
            const Moments part = accumulate(t.design, t.rows(first, count), Run{});
            merged += part;
            rest -= part;
        }
        REQUIRE(merged == once);
        REQUIRE(rest == Moments{t.design});
    }
}

TEST_CASE("adding rows and taking them out returns the same integers", "[estimation][invariant]") {
    for (std::uint64_t seed = 2000; seed < 2020; ++seed) {
        const Table t = random_table(seed, 400, {.absorbed = seed % 2 == 0, .strata = true});
        const Moments base = accumulate(t.design, t.rows(0, 200), Run{});
        Moments m = base;
        m += accumulate(t.design, t.rows(200, 200), Run{});
        REQUIRE_FALSE(m == base);
        m -= accumulate(t.design, t.rows(200, 200), Run{.threads = 2});
        REQUIRE(m == base);
    }
}

TEST_CASE("costs to the limit and any represents give the same integers", "[estimation][oracle]") {
    for (std::uint64_t seed = 3000; seed < 3060; ++seed) {
        const Table t =
            random_table(seed, 1500, {.absorbed = seed % 3 == 0, .strata = seed % 2 == 0, .large_values = true});
        INFO("seed " << seed);
        const Moments plain = accumulate_plain(t.design, t.rows());
        REQUIRE(accumulate(t.design, t.rows(), Run{.threads = 2}, nullptr, Grid{500}) == plain);
        REQUIRE(again(t, encode(t.design, t.rows(), Run{})) == plain);
    }
}

TEST_CASE("more combinations than the sample showed make the tables grow", "[estimation][oracle]") {
    // The classes move with the rows, and the sample sees one run in eight.
    const Index n = 70'000;
    std::vector<std::uint16_t> a, b;
    std::vector<std::uint16_t> days;
    std::vector<std::int64_t> cents;
    for (Index i = 0; i < n; ++i) {
        a.push_back(static_cast<std::uint16_t>(i / 97 % 700));
        b.push_back(static_cast<std::uint16_t>(i * 31 % 61));
        days.push_back(static_cast<std::uint16_t>(1 + i % 366));
        cents.push_back(i * 7);
    }
    const data::Design design{.criteria = {{.name = "a", .classes = tests::class_names(700)},
                                           {.name = "b", .classes = tests::class_names(61)}}};
    data::Rows rows;
    rows.criteria = {CodeView{std::span<const std::uint16_t>{a}}, CodeView{std::span<const std::uint16_t>{b}}};
    rows.days = std::span<const std::uint16_t>{days};
    rows.cents = {CentsColumn{std::span<const std::int64_t>{cents}}};
    const Moments plain = accumulate_plain(design, rows);
    Work work;
    CHECK(accumulate(design, rows, Run{.threads = 2}, &work, Grid{10'000}) == plain);
    CHECK(work.cells > 700);
    CHECK(work.entries_per_record == 0);
    const Encoded encoded = encode(design, rows, Run{.threads = 2}, Grid{10'000});
    CHECK(encoded.cells() == work.cells);
    CHECK(accumulate(encoded, rows.days, rows.cents, {}, {}, Run{}) == plain);
}

TEST_CASE("an absorbed criterion of many classes is summed row by row, and exactly", "[estimation][oracle][threads]") {
    const Index n = 30'000;
    std::vector<std::uint32_t> at;
    std::vector<std::uint8_t> sex;
    std::vector<std::int32_t> days, cents;
    std::mt19937_64 random{5};
    for (Index i = 0; i < n; ++i) {
        at.push_back(static_cast<std::uint32_t>(random() % 400'000));
        sex.push_back(static_cast<std::uint8_t>(random() % 20 == 0 ? 2 : random() % 2));
        days.push_back(static_cast<std::int32_t>(1 + random() % 12));
        cents.push_back(static_cast<std::int32_t>(random() % 100'000));
    }
    const data::Design design{.criteria = {{.name = "sex", .classes = {"m", "f", "x"}},
                                           {.name = "at", .classes = tests::class_names(400'000), .absorbed = true}},
                              .days_in_year = 12,
                              .days_max = 12};
    data::Rows rows;
    rows.criteria = {CodeView{std::span<const std::uint8_t>{sex}}, CodeView{std::span<const std::uint32_t>{at}}};
    rows.days = std::span<const std::int32_t>{days};
    rows.cents = {CentsColumn{std::span<const std::int32_t>{cents}}};
    const Moments plain = accumulate_plain(design, rows);
    CHECK(accumulate(design, rows, Run{.threads = 3}, nullptr, Grid{1000}) == plain);
    const Encoded encoded = encode(design, rows, Run{.threads = 2}, Grid{1000});
    CHECK(accumulate(encoded, rows.days, rows.cents, {}, {}, Run{.threads = 3}) == plain);
}

TEMPLATE_TEST_CASE("codes are read alike on both sides of 16 bits", "[estimation][oracle]", std::uint16_t,
                   std::uint32_t) {
    for (const std::uint32_t classes : {65'534U, 65'535U, 65'536U, 65'537U})
        for (const Index kinds : {2, 60}) {  // a dense and a sparse absorbed block
            INFO(classes << " classes beside " << kinds);
            std::vector<TestType> at;
            std::vector<std::uint8_t> kind;
            std::vector<std::uint16_t> days;
            std::vector<std::int32_t> cents;
            constexpr std::uint32_t widest = std::numeric_limits<TestType>::max();
            for (std::uint32_t i = 0; i < 200; ++i) {
                at.push_back(static_cast<TestType>(i % 3 == 0 ? std::min(classes - 1 - i % 5, widest) : i % 7));
                kind.push_back(static_cast<std::uint8_t>(i % static_cast<std::uint32_t>(kinds)));
                days.push_back(static_cast<std::uint16_t>(1 + i % 366));
                cents.push_back(static_cast<std::int32_t>(1000 * i));
            }
            const data::Design design{
                .criteria = {{.name = "kind", .classes = tests::class_names(kinds)},
                             {.name = "at", .classes = tests::class_names(classes), .absorbed = true}}};
            data::Rows rows;
            rows.criteria = {CodeView{std::span<const std::uint8_t>{kind}}, CodeView{std::span<const TestType>{at}}};
            rows.days = std::span<const std::uint16_t>{days};
            rows.cents = {CentsColumn{std::span<const std::int32_t>{cents}}};
            const auto refused = [&](auto&& work) {
                try {
                    static_cast<void>(work());
                } catch (const DomainError& error) {
                    return std::string{error.what()};
                }
                return std::string{};
            };
            const Moments plain = accumulate_plain(design, rows);
            const Index last = static_cast<Index>(std::min(classes - 1, widest));
            CHECK(plain.absorbed_rows(last) > 0);
            CHECK(plain.absorbed_rows(6) > 0);
            CHECK(accumulate(design, rows, Run{}) == plain);
            CHECK(accumulate(encode(design, rows, Run{}), rows.days, rows.cents, {}, {}, Run{}) == plain);
            if (classes > widest) continue;
            at[199] = static_cast<TestType>(classes);  // the first code that is no class
            const std::string expected =
                "at: unknown classes, expected codes 0.." + std::to_string(classes - 1) + ", got 1 row (first: 199)";
            CHECK_THAT(refused([&] { return accumulate(design, rows, Run{}); }), Catch::Contains(expected));
            CHECK_THAT(refused([&] { return encode(design, rows, Run{}); }), Catch::Contains(expected));
        }
}

TEST_CASE("a design of more columns than fit memory is refused before anything is made, and the way out named",
          "[estimation]") {
    const auto of = [](Index classes, bool absorbed) {
        return data::Design{.criteria = {{.name = "at", .classes = tests::class_names(classes), .absorbed = absorbed}}};
    };
    const std::vector<std::uint32_t> at(70, 0);
    const std::vector<std::uint16_t> days(70, 365);
    const std::vector<std::int32_t> cents(70, 1);
    data::Rows rows;
    rows.criteria = {CodeView{std::span<const std::uint32_t>{at}}};
    rows.days = std::span<const std::uint16_t>{days};
    rows.cents = {CentsColumn{std::span<const std::int32_t>{cents}}};
    CHECK_NOTHROW(data::check(of(16'384, false)));
    CHECK(accumulate(of(16'385, true), rows, Run{}).absorbed_rows(0) == 70);
    for (const Index classes : {16'385, 65'534, 65'535, 65'536, 65'537}) {
        const std::string expected =
            "columns, expected at most 16384 (a criterion of more classes: absorbed), got " + std::to_string(classes);
        const auto refused = [](auto&& work) {
            try {
                static_cast<void>(work());
            } catch (const ShapeError& error) {
                return std::string{error.what()};
            }
            return std::string{};
        };
        const data::Design design = of(classes, false);
        CHECK_THAT(refused([&] { return accumulate(design, rows, Run{}); }), Catch::Contains(expected));
        CHECK_THAT(refused([&] { return encode(design, rows, Run{}); }), Catch::Contains(expected));
        CHECK_THAT(refused([&] { return Moments{design}; }), Catch::Contains(expected));
    }
}

TEST_CASE("the Gram matrix of any integer weights is that of the plain loop", "[estimation][oracle][threads]") {
    for (std::uint64_t seed = 4000; seed < 4080; ++seed) {
        const Table t = random_table(seed, 700, {.absorbed = seed % 3 == 0, .strata = seed % 2 == 0});
        std::mt19937_64 random{seed};
        std::vector<std::int64_t> weight(700);
        const int shift = seed % 4 == 0 ? 30 : 12;
        for (auto& w : weight) w = static_cast<std::int64_t>(random()) >> shift;
        if (seed % 4 == 1) weight[13] = std::int64_t{1} << 61;
        INFO("seed " << seed);
        std::vector<std::int64_t> plain;
        try {
            plain = gram_plain(t.design, t.rows(), weight);
        } catch (const DomainError&) {
            REQUIRE_THROWS_AS(gram(t.design, t.rows(), weight, Run{}), DomainError);
            continue;
        }
        REQUIRE(gram(t.design, t.rows(), weight, Run{.threads = 2}, Grid{100}) == plain);
    }
}

TEST_CASE("work is entries beyond the commonest class and occupied cells", "[estimation][oracle]") {
    const std::vector<std::uint8_t> sex{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, mhk{0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
    const std::vector<std::uint64_t> fkg{0, 0, 0, 0b101, 0, 0, 0, 0, 0, 0b1};
    const std::vector<std::uint16_t> days(10, 365);
    const std::vector<std::int32_t> cents(10, 1);
    const data::Design design{
        .criteria = {
            {.name = "sex", .classes = {"m", "f"}},
            {.name = "mhk", .classes = tests::class_names(4)},
            {.name = "fkg", .classes = tests::class_names(4), .labels = data::Labels::flags, .none_derived = true}}};
    data::Rows rows;
    rows.criteria = {CodeView{std::span{sex}}, CodeView{std::span{mhk}}, std::span<const std::uint64_t>{fkg}};
    rows.days = std::span<const std::uint16_t>{days};
    rows.cents = {CentsColumn{std::span<const std::int32_t>{cents}}};
    Work work;
    static_cast<void>(accumulate(design, rows, Run{}, &work));
    CHECK(work.entries_per_record == Approx(0.4));
    CHECK(work.cells == 2);
    const Encoded encoded = encode(design, rows, Run{});
    CHECK(encoded.entries() == 4);
    CHECK(encoded.cells() == 2);
    CHECK(encoded.rows() == 10);
}

namespace {

/// Columns with one thing wrong each.
struct Bad {
    data::Design design{.criteria = {{.name = "sex", .classes = {"m", "f"}},
                                     {.name = "fkg",
                                      .classes = {"none", "a", "b"},
                                      .labels = data::Labels::flags,
                                      .none_derived = true},
                                     {.name = "age", .classes = {"young", "old"}},
                                     {.name = "drugs", .classes = {"x"}, .labels = data::Labels::counts}},
                        .strata = {"s0", "s1"}};
    std::vector<std::uint8_t> sex = std::vector<std::uint8_t>(100, 0), young = std::vector<std::uint8_t>(100, 1),
                              old = std::vector<std::uint8_t>(100, 0), stratum = std::vector<std::uint8_t>(100, 0);
    std::vector<std::uint64_t> fkg = std::vector<std::uint64_t>(100, 1);
    std::vector<std::uint32_t> drugs = std::vector<std::uint32_t>(100, 2);
    std::vector<std::int32_t> days = std::vector<std::int32_t>(100, 365);
    std::vector<std::int64_t> cents = std::vector<std::int64_t>(100, 1);
    std::vector<std::uint16_t> represents = std::vector<std::uint16_t>(100, 1);
    [[nodiscard]] data::Rows rows() const {
        data::Rows r;
        r.criteria = {CodeView{std::span{sex}}, std::span<const std::uint64_t>{fkg},
                      std::vector<CodeView>{CodeView{std::span{young}}, CodeView{std::span{old}}},
                      std::vector<CodeView>{CodeView{std::span<const std::uint32_t>{drugs}}}};
        r.days = std::span<const std::int32_t>{days};
        r.cents = {CentsColumn{std::span<const std::int64_t>{cents}}};
        r.represents = std::span<const std::uint16_t>{represents};
        r.stratum = CodeView{std::span{stratum}};
        return r;
    }
    /// What both ways say about it, if they say the same.
    [[nodiscard]] std::string refused() const {
        std::string straight, plain;
        try {
            static_cast<void>(accumulate(design, rows(), Run{.threads = 2}, nullptr, Grid{10}));
        } catch (const DomainError& error) {
            straight = error.what();
        }
        try {
            static_cast<void>(accumulate_plain(design, rows()));
        } catch (const DomainError& error) {
            plain = error.what();
        }
        return straight == plain ? straight : "straight: " + straight + "; plain: " + plain;
    }
};

}  // namespace

TEST_CASE("every kind of bad row is refused with its count and row number, and never its value", "[estimation]") {
    using Catch::Contains;
    CHECK(Bad{}.refused().empty());
    const auto with = [](auto&& spoil) {
        Bad bad;
        spoil(bad);
        return bad.refused();
    };
    CHECK_THAT(with([](Bad& b) { b.sex[77] = 91; }),
               Contains("sex: unknown classes, expected codes 0..1, got 1 row (first: 77)") && !Contains("91"));
    CHECK_THAT(with([](Bad& b) { b.fkg[3] = 8; }), Contains("fkg: flags of unknown classes") && Contains("(first: 3)"));
    CHECK_THAT(with([](Bad& b) { b.old[64] = 1; }), Contains("age: two classes or more") && Contains("(first: 64)"));
    CHECK_THAT(with([](Bad& b) { b.young[63] = 0; }), Contains("age: no class") && Contains("(first: 63)"));
    CHECK_THAT(with([](Bad& b) { b.drugs[1] = 65'536; }), Contains("drugs=x: counts") && Contains("(first: 1)"));
    CHECK_THAT(with([](Bad& b) { b.days[99] = 367; }),
               Contains("days, expected 1..366") && Contains("(first: 99)") && !Contains("367"));
    CHECK_THAT(with([](Bad& b) { b.days[99] = -1; }), Contains("days, expected 1..366"));
    CHECK_THAT(with([](Bad& b) { b.days[42] = 0; }), Contains("zero days with cost") && Contains("(first: 42)"));
    CHECK_THAT(with([](Bad& b) {
                   b.days[42] = 0;
                   b.cents[42] = 0;
               }),
               Contains("days, expected") && !Contains("zero days with cost"));
    CHECK_THAT(with([](Bad& b) { b.cents[5] = data::max_cost + 1; }), Contains("cost") && Contains("(first: 5)"));
    CHECK_THAT(with([](Bad& b) { b.cents[5] = std::numeric_limits<std::int64_t>::min(); }),
               Contains("cost") && Contains("(first: 5)"));
    CHECK_THAT(with([](Bad& b) { b.represents[5] = 0; }), Contains("represents") && Contains("(first: 5)"));
    CHECK_THAT(with([](Bad& b) { b.stratum[5] = 2; }), Contains("stratum") && Contains("(first: 5)"));
    for (const std::uint8_t code : {std::uint8_t{1}, std::uint8_t{255}})
        CHECK_THAT(with([=](Bad& b) {
                       b.design.strata = {"the only one"};
                       b.stratum[70] = code;
                   }),
                   Contains("stratum, expected 0..0, got 1 row (first: 70)"));
    Bad all;
    for (std::size_t i = 20; i < 30; ++i) all.sex[i] = 9;
    all.days[1] = 400;
    all.represents[2] = 0;
    try {
        static_cast<void>(accumulate(all.design, all.rows(), Run{}));
        FAIL("accepted");
    } catch (const DomainError& error) {
        CHECK(error.problems().size() == 3);
        CHECK_THAT(error.what(), Contains("10 rows (first: 20, 21, 22, 23, 24)"));
    }
}

TEST_CASE("columns that do not fit the design are refused together", "[estimation]") {
    const Bad good;
    data::Rows rows = good.rows();
    const std::vector<std::uint8_t> shorter(99, 0);
    rows.criteria[0] = CodeView{std::span{shorter}};
    rows.criteria[3] = std::span<const std::uint64_t>{good.fkg};
    rows.cents.clear();
    try {
        static_cast<void>(accumulate(good.design, rows, Run{}));
        FAIL("accepted");
    } catch (const ShapeError& error) {
        CHECK(error.problems().size() == 3);
    }
    const Encoded encoded = encode(good.design, good.rows(), Run{});
    const std::vector<std::int32_t> days(99, 365);
    CHECK_THROWS_AS(accumulate(encoded, std::span<const std::int32_t>{days},
                               {CentsColumn{std::span<const std::int64_t>{good.cents}.first(99)}}, {}, {}, Run{}),
                    ShapeError);
}

TEST_CASE("days and cents beyond 64 bits are refused, never wrapped", "[estimation]") {
    const Index n = 3000;
    const std::vector<std::uint16_t> days(3000, 365), represents(3000, 65'535);
    const std::vector<std::int64_t> cents(3000, data::max_cost);
    const data::Design design;
    data::Rows rows;
    rows.days = std::span<const std::uint16_t>{days};
    rows.cents = {CentsColumn{std::span<const std::int64_t>{cents}}};
    rows.represents = std::span<const std::uint16_t>{represents};
    CHECK(n * data::max_cost < std::numeric_limits<std::int64_t>::max());
    CHECK_THROWS_AS(accumulate(design, rows, Run{}), DomainError);
    CHECK_THROWS_AS(again(Table{.design = design, .days = days, .cents = {cents}, .represents = represents},
                          encode(design, rows, Run{})),
                    DomainError);
    rows.represents.reset();
    CHECK(accumulate(design, rows, Run{}).cents() == n * data::max_cost);
}
