#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation/regression.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Catch::Matchers::Contains;

namespace {

struct Sample {
    std::vector<double> one, a, b, y, w;
};

Sample sample() {
    Sample s;
    const Philox draw{8, 8};
    for (std::uint64_t i = 0; i < 40; ++i) {
        const auto u = [&](std::size_t k) { return static_cast<double>(draw(i)[k] >> 11) * 0x1p-53; };
        s.one.push_back(1);
        s.a.push_back(u(0));
        s.b.push_back(10 + u(1));
        s.w.push_back(static_cast<double>(1 + draw(i)[3] % 3));
        s.y.push_back(3 + 2 * s.a.back() - s.b.back() + u(2));
    }
    return s;
}

}  // namespace

TEST_CASE("a row of weight three counts as three rows", "[estimation][oracle]") {
    const Sample s = sample();
    const Regression weighted = regress({{"1", "a", "b"}, {s.one, s.a, s.b}}, s.y, s.w);
    Sample rows;
    for (std::size_t i = 0; i < s.y.size(); ++i)
        for (int k = 0; k < static_cast<int>(s.w[i]); ++k) {
            rows.one.push_back(1);
            rows.a.push_back(s.a[i]);
            rows.b.push_back(s.b[i]);
            rows.y.push_back(s.y[i]);
        }
    const Regression copied = regress({{"1", "a", "b"}, {rows.one, rows.a, rows.b}}, rows.y);
    for (std::size_t k = 0; k < 3; ++k)
        CHECK(weighted.coefficients[k] == Approx(copied.coefficients[k]).epsilon(1e-13));
    CHECK(weighted.r2 == Approx(copied.r2).epsilon(1e-13));
    CHECK(weighted.centred);
    CHECK(weighted.freedom == 37);  // rows, not weights
}

TEST_CASE("an equality is kept and equals the regression with the column put in", "[estimation][oracle]") {
    const Sample s = sample();  // b_a + b_b = 1: y - b = b_1 + b_a (a - b)
    const Regression held =
        regress({{"1", "a", "b"}, {s.one, s.a, s.b}}, s.y, s.w, {{"sum", {{1, 1}, {2, 1}}, Relation::equal, 1}});
    std::vector<double> difference, rest;
    for (std::size_t i = 0; i < s.y.size(); ++i) {
        difference.push_back(s.a[i] - s.b[i]);
        rest.push_back(s.y[i] - s.b[i]);
    }
    const Regression put = regress({{"1", "a-b"}, {s.one, difference}}, rest, s.w);
    CHECK(held.coefficients[0] == Approx(put.coefficients[0]).epsilon(1e-12));
    CHECK(held.coefficients[1] == Approx(put.coefficients[1]).epsilon(1e-12));
    CHECK(held.coefficients[1] + held.coefficients[2] == Approx(1).epsilon(1e-14));
    CHECK(held.standard_errors[1] == Approx(put.standard_errors[1]).epsilon(1e-11));
    CHECK(held.standard_errors[2] == Approx(put.standard_errors[1]).epsilon(1e-11));
    CHECK(held.freedom == 38);
    CHECK(held.converged);
}

TEST_CASE("R2 is about zero when no column can be constant", "[estimation][oracle]") {
    const Sample s = sample();
    const Regression r = regress({{"a"}, {s.a}}, s.y);
    CHECK_FALSE(r.centred);
    double yy = 0, ay = 0, aa = 0;
    for (std::size_t i = 0; i < s.y.size(); ++i) {
        yy += s.y[i] * s.y[i];
        ay += s.a[i] * s.y[i];
        aa += s.a[i] * s.a[i];
    }
    CHECK(r.r2 == Approx(ay * ay / aa / yy).epsilon(1e-12));
}

TEST_CASE("columns that depend on each other are named, and rows that are no numbers", "[estimation][invariant]") {
    Sample s = sample();
    std::vector<double> sum;
    for (std::size_t i = 0; i < s.y.size(); ++i) sum.push_back(s.a[i] + 2);
    try {
        (void)regress({{"1", "a", "b", "sum"}, {s.one, s.a, s.b, sum}}, s.y);
        FAIL("estimated");
    } catch (const DomainError& error) {
        CHECK(error.problems().front().got == "1, a, sum");
    }
    s.a[3] = std::nan("");
    s.w[7] = 0;
    CHECK_THROWS_WITH(regress({{"1", "a"}, {s.one, s.a}}, s.y, s.w),
                      Contains("a, expected finite numbers, got 1 row (first: 3)") &&
                          Contains("weight, expected above 0, got 1 row (first: 7)"));
    CHECK_THROWS_AS(regress({{"1"}, {s.one}}, std::span(s.y).first(5)), ShapeError);
    CHECK_THROWS_WITH(regress({{"1", "b"}, {s.one, s.b}}, s.y, {}, {at_least("low", 1, 0)}), Contains("an inequality"));
    CHECK_THROWS_WITH(regress({{"1", "b"}, {s.one, s.b}}, s.y, {},
                              {{"x", {{1, 1}}, Relation::equal, 1}, {"z", {{1, 2}}, Relation::equal, 3}}),
                      Contains("a contradiction"));
}
