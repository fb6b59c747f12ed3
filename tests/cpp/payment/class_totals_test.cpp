#include <anderhalf/core/random.hpp>
#include <anderhalf/payment/class_totals.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace anderhalf;
using payment::class_totals;

namespace {

/// Three kinds of criterion, three insurers, rows that stand for several insured.
struct Portfolio {
    std::vector<std::uint8_t> age, insurer;
    std::vector<std::uint64_t> drugs;
    std::vector<std::uint16_t> first, second, days, represents;
    std::vector<std::int32_t> cents;

    explicit Portfolio(std::size_t n) {
        const Philox philox{7, Purpose::uncertainty};
        for (std::size_t i = 0; i < n; ++i) {
            const auto w = philox(i);
            age.push_back(static_cast<std::uint8_t>(w[0] % 5));
            insurer.push_back(static_cast<std::uint8_t>((w[0] >> 32U) % 3));
            drugs.push_back(w[1] % 3 == 0 ? w[1] >> 60U : 0);
            first.push_back(static_cast<std::uint16_t>(w[2] % 4 == 0 ? 2 : 0));
            second.push_back(static_cast<std::uint16_t>(w[2] % 7 == 0 ? 1 : 0));
            days.push_back(static_cast<std::uint16_t>(1 + w[3] % 366));
            represents.push_back(static_cast<std::uint16_t>(1 + (w[3] >> 32U) % 9));
            cents.push_back(0);
        }
    }
    [[nodiscard]] static data::Design design() {
        return {{{"age", {"0", "1", "2", "3", "4"}},
                 {"drugs", {"0", "1", "2", "3", "4"}, data::Labels::flags, true},
                 {"diagnoses", {"none", "a", "b"}, data::Labels::counts, true}}};
    }
    [[nodiscard]] data::Rows rows() const {
        data::Rows result;
        result.criteria = {CodeView{std::span{age}}, std::span<const std::uint64_t>{drugs},
                           std::vector<CodeView>{std::span{first}, std::span{second}}};
        result.days = std::span<const std::uint16_t>{days};
        result.cents = {std::span<const std::int32_t>{cents}};
        result.represents = std::span<const std::uint16_t>{represents};
        return result;
    }
};

}  // namespace

TEST_CASE("class totals of three records are the days written down by hand", "[payment][oracle]") {
    Portfolio p{3};
    p.age = {0, 4, 4};
    p.insurer = {1, 0, 1};
    p.drugs = {0b0000, 0b1001, 0b0010};
    p.first = {0, 2, 0};
    p.second = {0, 0, 1};
    p.days = {365, 100, 10};
    p.represents = {1, 1, 3};
    const auto totals = class_totals(Portfolio::design(), p.rows(), std::span<const std::uint8_t>{p.insurer}, 2, Run{});
    // age 0..4 | drugs none, 1..4 | diagnoses none, a, b
    const std::vector<Days> zero{0, 0, 0, 0, 100, 0, 100, 0, 0, 100, 0, 200, 0};
    const std::vector<Days> one{365, 0, 0, 0, 30, 365, 0, 30, 0, 0, 365, 0, 30};
    for (Index k = 0; k < 13; ++k) {
        CHECK(totals.at(0, k) == zero[static_cast<std::size_t>(k)]);
        CHECK(totals.at(1, k) == one[static_cast<std::size_t>(k)]);
    }
}

TEST_CASE("class totals pay insurers what a pass over their records pays", "[payment][oracle]") {
    const Portfolio p{200'000};
    const std::vector<MicroEuro> weights{900'000'000, -350'123'457, 1, 77, 2'000'000'001, 0, 5, -13,
                                         400'000'000, 123'456'789,  9, 10, -999'999'999};
    std::vector<Int128> by_record(3);
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        Int128 w = weights[p.age[i]];
        for (unsigned k = 0; k < 4; ++k)
            if (((p.drugs[i] >> k) & 1U) != 0) w += weights[6 + k];
        if (p.drugs[i] == 0) w += weights[5];
        w += static_cast<Int128>(weights[11]) * p.first[i] + static_cast<Int128>(weights[12]) * p.second[i];
        if (p.first[i] == 0 && p.second[i] == 0) w += weights[10];
        by_record[p.insurer[i]] += w * p.days[i] * p.represents[i];
    }
    const auto totals = class_totals(Portfolio::design(), p.rows(), std::span<const std::uint8_t>{p.insurer}, 3, Run{});
    CHECK((payment::normative(totals, weights) == by_record));
}

TEST_CASE("class totals are the same on 1, 2, 3 and 7 threads", "[payment][threads]") {
    const Portfolio p{300'000};
    const auto of = [&](int threads) {
        return class_totals(Portfolio::design(), p.rows(), std::span<const std::uint8_t>{p.insurer}, 3,
                            Run{.threads = threads});
    };
    const auto one = of(1);
    for (const int threads : {2, 3, 7}) CHECK((of(threads) == one));
}

TEST_CASE("an insurer outside its range is refused with its rows", "[payment]") {
    Portfolio p{9};
    p.insurer[4] = 3;
    p.insurer[7] = 200;
    try {
        (void)class_totals(Portfolio::design(), p.rows(), std::span<const std::uint8_t>{p.insurer}, 3, Run{});
        FAIL("accepted");
    } catch (const DomainError& e) {
        CHECK(std::string{e.what()} ==
              "class_totals: insurer outside its range, expected 0..2, got 2 rows (first: 4, 7)");
    }
    CHECK_THROWS_AS(
        class_totals(Portfolio::design(), p.rows(), std::span<const std::uint8_t>{p.insurer}.first(8), 3, Run{}),
        ShapeError);
}
