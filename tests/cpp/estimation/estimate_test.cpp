#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;

namespace {

using Entries = std::vector<risk::Entry>;

struct Insured {
    Entries classes;
    Days days = 365;
    Cents cents = 0;
    std::int64_t represents = 1;
};

// Columns 0-1 age and sex, 2-4 one class of c, 5 a flag beside `no flag` 6.
const std::vector<std::string> names{"age=1", "age=2", "c=0", "c=1", "c=2", "flag=1", "flag=0"};
const Specification specification{names, {{"c", {2, 3, 4}}, {"flag", {5, 6}}}, 365, true};

/// Weights in cents, prevalence-weighted sum of c and of the flag zero when the numbers below are even.
std::vector<Insured> country(bool noise) {
    const Philox draw{11, 1};
    std::vector<Insured> all;
    for (std::uint64_t k = 0; k < 240; ++k) {
        const auto c = static_cast<std::uint16_t>(k % 3), age = static_cast<std::uint16_t>((k / 3) % 2);
        const bool flag = (k / 6) % 4 == 0;
        Insured one{{{age, 1}, {static_cast<std::uint16_t>(2 + c), 1}, {static_cast<std::uint16_t>(flag ? 5 : 6), 1}},
                    365,
                    0,
                    1};
        one.cents = (age == 0 ? 100'000 : 250'000) +
                    (c == 0   ? -90'000
                     : c == 1 ? 20'000
                              : 70'000) +
                    (flag ? 300'000 : -100'000);
        if (noise) {
            one.cents += static_cast<Cents>(draw(k)[0] % 400'000);
            one.days = static_cast<Days>(1 + draw(k)[1] % 365);
            one.represents = static_cast<std::int64_t>(1 + draw(k)[2] % 40);
        }
        all.push_back(one);
    }
    return all;
}

Moments moments_of(const std::vector<Insured>& all) {
    Moments m{7};
    for (const Insured& i : all) m.add(i.classes, i.days, i.cents, i.represents);
    return m;
}

}  // namespace

TEST_CASE("a perfect predictor has R2 1 and its own weights back", "[estimation][published]") {
    const Fit fit = estimate(moments_of(country(false)), specification);
    CHECK(fit.r2 == Approx(1.0).margin(1e-12));
    const std::vector<double> wanted{1'000, 2'500, -900, 200, 700, 3'000, -1'000};
    for (std::size_t k = 0; k < wanted.size(); ++k) CHECK(fit.coefficients[k] == Approx(wanted[k]).margin(1e-7));
    CHECK(fit.rank == 5);  // seven columns, one dependency per criterion after the first
    CHECK(fit.mean_cost == Approx(1'750));
}

TEST_CASE("a class that says nothing about cost explains nothing", "[estimation][published]") {
    std::vector<Insured> all = country(false);
    for (std::size_t k = 0; k < all.size(); ++k) all[k].cents = k % 2 == 0 ? 50'000 : 150'000;  // even in every class
    for (std::size_t k = 0; k < all.size(); ++k) all[k].classes[1].column = static_cast<std::uint16_t>(2 + (k / 2) % 3);
    for (std::size_t k = 0; k < all.size(); ++k) all[k].classes[0].column = static_cast<std::uint16_t>((k / 6) % 2);
    CHECK(estimate(moments_of(all), specification).r2 == Approx(0.0).margin(1e-12));
}

TEST_CASE("weights sum to zero per criterion over insured days, and the total is carried", "[estimation][invariant]") {
    const Moments m = moments_of(country(true));
    const Fit fit = estimate(m, specification);
    CHECK(fit.r2 > 0.05);
    CHECK(fit.r2 < 1.0);
    for (const ZeroSum& z : specification.zero_sum) {
        double sum = 0, size = 0;
        for (const Index k : z.columns) {
            sum += static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)];
            size += std::abs(static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)]);
        }
        CHECK(std::abs(sum) < 1e-10 * size);  // double, condition about a hundred
    }
    double paid = 0;
    for (Index k = 0; k < 7; ++k)
        paid += static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)] / 365;
    CHECK(paid == Approx(static_cast<double>(m.cents()) / 100).epsilon(1e-10));
}

TEST_CASE("an empty class is named and weighs nothing", "[estimation][invariant]") {
    std::vector<Insured> all = country(true);
    std::erase_if(all, [](const Insured& i) { return i.classes[1].column == 4; });
    const Fit fit = estimate(moments_of(all), specification);
    CHECK(fit.empty == std::vector<bool>{false, false, false, false, true, false, false});
    CHECK(fit.coefficients[4] == 0.0);
    CHECK(std::isnan(fit.standard_errors[4]));
    CHECK_FALSE(std::isnan(fit.standard_errors[3]));
}

TEST_CASE("aliased columns are named in the error, the others are not", "[estimation][published]") {
    // The flag falls together with class c=2: three columns that no constraint tells apart... from c=0 and c=1 it can.
    std::vector<Insured> all = country(true);
    for (Insured& i : all) i.classes[2].column = static_cast<std::uint16_t>(i.classes[1].column == 4 ? 5 : 6);
    try {
        (void)estimate(moments_of(all), specification);
        FAIL("estimated");
    } catch (const DomainError& error) {
        const std::string named = error.problems().front().what;
        CHECK(error.problems().size() == 1);
        CHECK(named.find("left free: one more constraint is needed") != std::string::npos);
        CHECK(named.find("flag=1") != std::string::npos);
        CHECK(named.find("c=2") != std::string::npos);
        CHECK(named.find("age") == std::string::npos);
    }
}

TEST_CASE("moments are the same integers in any order, and rows come out as exactly as they went in",
          "[estimation][invariant]") {
    std::vector<Insured> all = country(true);
    const Moments forward = moments_of(all);
    std::reverse(all.begin(), all.end());
    CHECK(moments_of(all) == forward);

    const std::vector<Insured> half{all.begin(), all.begin() + 100}, rest{all.begin() + 100, all.end()};
    Moments sum = moments_of(half);
    sum += moments_of(rest);
    CHECK(sum == forward);
    sum -= moments_of(half);
    CHECK(sum == moments_of(rest));
    Moments back = forward;
    for (const Insured& i : half) back.add(i.classes, i.days, i.cents, i.represents, -1);
    CHECK(back == moments_of(rest));
    CHECK_FALSE(back == forward);
    CHECK_THROWS_AS(sum += Moments{6}, ShapeError);
}

TEST_CASE("moments count what a row stands for, and a class twice as two", "[estimation][published]") {
    Moments m{3};
    m.add(Entries{{0, 1}, {2, 2}}, 100, 700, 5);
    CHECK(m.xx(0, 0) == 500);
    CHECK(m.xx(0, 2) == 1'000);
    CHECK(m.xx(2, 0) == 1'000);
    CHECK(m.xx(2, 2) == 2'000);
    CHECK(m.xd(2) == 1'000);
    CHECK(m.xc(2) == 7'000);
    CHECK(m.cents() == 3'500);
    CHECK(m.squares(100) == 5 * 700 * 700);
    CHECK(m.rows() == 1);
}

TEST_CASE("no data and wrong names are refused", "[estimation][invariant]") {
    CHECK_THROWS_AS(estimate(Moments{7}, specification), DomainError);
    CHECK_THROWS_AS(estimate(moments_of(country(true)), (Specification{{"a"}, {{"c", {9}}}, 365, true})), ShapeError);
}
