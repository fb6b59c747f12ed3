#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Catch::Matchers::Contains;

namespace {

struct Person {
    std::int32_t age, c, group;
    Days days;
    Cents cents;
};

std::vector<Person> people(std::uint64_t n, std::int32_t groups) {
    const Philox draw{12, 12};
    std::vector<Person> all;
    for (std::uint64_t i = 0; i < n; ++i) {
        const auto w = draw(i);
        const auto age = static_cast<std::int32_t>(w[0] % 2), c = static_cast<std::int32_t>((w[0] >> 8) % 3);
        all.push_back({age, c, static_cast<std::int32_t>(w[1] % static_cast<std::uint64_t>(groups)),
                       static_cast<Days>(200 + w[2] % 166),
                       static_cast<Cents>(w[3] % 200'000) + 80'000 * age + 50'000 * c});
    }
    return all;
}

data::Design design(std::int32_t groups) {
    data::Design d{{{"age", {"0", "1"}}, {"c", {"0", "1", "2"}}}};
    d.strata.clear();
    for (std::int32_t g = 0; g < groups; ++g) d.strata.push_back("group " + std::to_string(g));
    return d;
}

void add(Moments& m, const Person& p, Index stratum) {
    m.add(std::vector<Entry>{{p.age, 1}, {2 + p.c, 1}}, p.days, std::span<const Cents>(&p.cents, 1), 1, 1, stratum, -1);
}

Moments by_group(const std::vector<Person>& all, std::int32_t groups) {
    Moments m{design(groups)};
    for (const Person& p : all) add(m, p, p.group);
    return m;
}

Specification specification() {
    Specification s;
    s.columns = {"age=0", "age=1", "c=0", "c=1", "c=2"};
    s.zero_sum = {{"c", {2, 3, 4}}};
    return s;
}

}  // namespace

TEST_CASE("out-of-sample R2 from moments equals that of forecasts row by row", "[estimation][oracle]") {
    const std::vector<Person> all = people(400, 5);
    const CrossValidation cv = cross_validate(by_group(all, 5), specification(), Run{2});
    long double errors = 0, spread = 0;
    for (std::int32_t g = 0; g < 5; ++g) {
        Moments others{design(1)};
        for (const Person& p : all)
            if (p.group != g) add(others, p, 0);
        const Fit fit = estimate(others, specification());
        long double e_of = 0, s_of = 0;
        for (const Person& p : all) {
            if (p.group != g) continue;
            const double y = static_cast<double>(p.cents) / 100 * 365 / static_cast<double>(p.days);
            const double yhat =
                fit.coefficients[static_cast<std::size_t>(p.age)] + fit.coefficients[static_cast<std::size_t>(2 + p.c)];
            const double d = static_cast<double>(p.days);
            e_of += d * (y - yhat) * (y - yhat);
            s_of += d * (y - fit.mean_cost) * (y - fit.mean_cost);
        }
        CHECK(cv.r2_of[static_cast<std::size_t>(g)] == Approx(static_cast<double>(1 - e_of / s_of)).epsilon(1e-12));
        errors += e_of;
        spread += s_of;
    }
    CHECK(cv.r2 == Approx(static_cast<double>(1 - errors / spread)).epsilon(1e-12));
    CHECK(cv.r2 < cv.r2_in);
    CHECK(cv.r2_in == Approx(estimate(by_group(all, 5), specification()).r2).epsilon(1e-14));
    CHECK(cv.unseen == std::vector<Index>(5, 0));
}

TEST_CASE("a class that only the left-out group has weighs nothing there and is counted", "[estimation][invariant]") {
    std::vector<Person> all = people(400, 5);
    std::erase_if(all, [](const Person& p) { return p.c == 2 && p.group != 3; });
    const CrossValidation cv = cross_validate(by_group(all, 5), specification(), Run{});
    CHECK(cv.unseen == std::vector<Index>{0, 0, 0, 1, 0});

    // Without group 3, c falls together with age: the error says which group was left out.
    std::erase_if(all, [](const Person& p) { return p.group != 3 && p.c != p.age; });
    Specification spec = specification();
    spec.zero_sum.clear();
    spec.constraints = {{"c", {{2, 1}, {3, 1}, {4, 1}}}};
    CHECK_THROWS_WITH(cross_validate(by_group(all, 5), spec, Run{}),
                      Contains("without group 3") && Contains("left free"));
}

TEST_CASE("a bootstrap draw is the estimate of its groups, each as often as drawn", "[estimation][oracle]") {
    const std::vector<Person> all = people(600, 12);
    const Bootstrap b = bootstrap(by_group(all, 12), specification(), 50, 99, Run{});
    CHECK(b.refused == 0);
    const Philox draw{99, Purpose::uncertainty};
    for (const std::uint64_t d : {0u, 7u, 49u}) {
        Moments drawn{design(1)};
        for (std::uint64_t k = 0; k < 12; ++k) {
            const auto g = static_cast<std::int32_t>(uniform_below(draw(d, k / 4)[k % 4], 12));
            for (const Person& p : all)
                if (p.group == g) add(drawn, p, 0);
        }
        const Fit fit = estimate(drawn, specification());
        for (std::size_t j = 0; j < 5; ++j)
            CHECK(b.coefficients[d * 5 + j] == Approx(fit.coefficients[j]).epsilon(1e-13));
    }
    double mean = 0, squares = 0;
    for (std::size_t d = 0; d < 50; ++d) mean += b.coefficients[d * 5] / 50;
    for (std::size_t d = 0; d < 50; ++d) squares += std::pow(b.coefficients[d * 5] - mean, 2);
    CHECK(b.standard_deviation[0] == Approx(std::sqrt(squares / 49)).epsilon(1e-10));
    CHECK(bootstrap(by_group(all, 12), specification(), 50, 99, Run{3}).coefficients == b.coefficients);
    CHECK(bootstrap(by_group(all, 12), specification(), 50, 98, Run{}).coefficients != b.coefficients);
}

TEST_CASE("bootstrap deviations of random groups are near the classical errors of equal variances",
          "[estimation][oracle]") {
    const Philox draw{5, 5};
    Moments m{design(200)};
    for (std::uint64_t i = 0; i < 8'000; ++i) {
        const auto w = draw(i);
        add(m,
            {static_cast<std::int32_t>(w[0] % 2), static_cast<std::int32_t>((w[0] >> 8) % 3), 0, 365,
             static_cast<Cents>(w[3] % 400'000)},
            static_cast<Index>(w[1] % 200));
    }
    const Fit fit = estimate(m, specification());
    const Bootstrap b = bootstrap(m, specification(), 400, 1, Run{2});
    // 400 draws give a deviation to 3.5 percent, 200 groups to 5: five times their root sum of squares
    for (std::size_t j = 0; j < 5; ++j) CHECK(b.standard_deviation[j] == Approx(fit.standard_errors[j]).epsilon(0.3));
}

TEST_CASE("draws that leave weights free are counted, not hidden", "[estimation][invariant]") {
    std::vector<Person> all = people(300, 3);
    for (Person& p : all)
        if (p.group != 1) p.c = p.age;  // only group 1 tells c and age apart
    Specification spec = specification();
    spec.zero_sum.clear();
    spec.constraints = {{"c", {{2, 1}, {3, 1}}}};
    const Bootstrap b = bootstrap(by_group(all, 3), spec, 100, 4, Run{});
    CHECK(b.refused > 10);  // (2/3)^3 of the draws miss group 1
    CHECK(b.refused < 60);
    CHECK_THAT(b.refusal, Contains("left free"));
    CHECK(std::count_if(b.coefficients.begin(), b.coefficients.end(), [](double x) { return std::isnan(x); }) >=
          5 * b.refused);
    CHECK(std::isfinite(b.standard_deviation[0]));
    CHECK_THROWS_AS(bootstrap(by_group(all, 3), spec, 0, 4, Run{}), ShapeError);
    CHECK_THROWS_AS(cross_validate(Moments{design(1)}, spec, Run{}), ShapeError);
}
