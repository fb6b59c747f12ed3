#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <random>

#include "../../../src/exact_math.hpp"

using namespace anderhalf;

namespace {

/// Distance in units of the last place.
double ulps(double a, double b) {
    return std::abs(a - b) / (std::nextafter(std::abs(b), std::numeric_limits<double>::max()) - std::abs(b));
}

}  // namespace

TEST_CASE("exp and log1p of basic arithmetic are those of the C library to the last place", "[population][oracle]") {
    std::mt19937_64 draw{3};
    std::uniform_real_distribution<double> wide{-40, 40}, small{-1, 1}, variation{0, 60};
    double worst = 0;
    for (int k = 0; k < 200'000; ++k) {
        const double x = k % 2 == 0 ? wide(draw) : small(draw),
                     v = k % 2 == 0 ? variation(draw) : variation(draw) / 1e4;
        worst = std::max({worst, ulps(exact::exp(x), std::exp(x)), ulps(exact::log1p(v), std::log1p(v))});
    }
    CHECK(worst <= 1);
    CHECK(exact::exp(0) == 1);
    CHECK(exact::exp(1) == 2.718281828459045);
    CHECK(exact::log1p(0) == 0);
    CHECK(exact::log1p(1) == 0.6931471805599453);
    CHECK(exact::log1p(3) == 1.3862943611198906);
    CHECK(exact::power(1.1, 0) == 1);
    CHECK(ulps(exact::power(0.93, 12), std::pow(0.93, 12)) <= 1);
}
