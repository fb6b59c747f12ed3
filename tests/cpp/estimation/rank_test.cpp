#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation.hpp>

#include <catch2/catch.hpp>
#include <ot_2020.hpp>

#include <cmath>
#include <set>
#include <string>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Catch::Matchers::Contains;

TEST_CASE("the model of 2020 has rank 199 of 220 and its 22 rules fix the rest", "[estimation][published]") {
    const Moments m = ot_2020::moments(20'000);
    const Specification spec = ot_2020::specification(true);
    REQUIRE(m.columns() == 220);
    REQUIRE(spec.zero_sum.size() == 22);
    const Fit fit = estimate(m, spec);
    CHECK(fit.rank == 199);
    CHECK(fit.redundant.empty());
    CHECK_FALSE(fit.budget_row);
    CHECK(fit.converged);
    CHECK(fit.condition < 1e5);
    CHECK(fit.freedom == 20'000 - (220 - 22));
    for (const ZeroSum& z : spec.zero_sum) {
        double sum = 0, size = 0;
        for (const Index k : z.columns) {
            const double part = static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)];
            sum += part;
            size += std::abs(part);
        }
        CHECK(std::abs(sum) <= 1e-14 * size + 1e-9);  // rounding of the coefficients themselves
    }
    double paid = 0;
    for (Index k = 0; k < 220; ++k)
        paid += static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)] / 365;
    CHECK(paid == Approx(static_cast<double>(m.cents()) / 100).epsilon(1e-13));
}

TEST_CASE("one rule per criterion where the classes are per age band is refused, every free direction named",
          "[estimation][published]") {
    const Moments m = ot_2020::moments(20'000);
    for (const bool inference : {true, false}) {
        Specification spec = ot_2020::specification(false);
        spec.inference = inference;
        try {
            (void)estimate(m, spec);
            FAIL("estimated");
        } catch (const DomainError& error) {
            REQUIRE(error.problems().size() == 11);  // 6 of avi, 2 of ses, 3 of ppa
            std::multiset<std::string> of;
            for (const Problem& p : error.problems()) {
                of.insert(p.what.substr(0, p.what.find('=')));
                CHECK_THAT(p.what, Contains("together with age_sex=") &&
                                       Contains("are left free: one more constraint is needed"));
            }
            CHECK(of.count("avi") == 6);
            CHECK(of.count("ses") == 2);
            CHECK(of.count("ppa") == 3);
            CHECK(error.problems()[0].what.find("region") == std::string::npos);
        }
    }
}

TEST_CASE("a direction is named by exactly its columns", "[estimation][published]") {
    // Four ages in two bands, income told apart per band: avi 0, 1 for ages 0, 1 and avi 2, 3 for ages 2, 3.
    Moments m{data::Design{{{"age", {"0", "1", "2", "3"}}, {"avi", {"0", "1", "2", "3"}}, {"sex", {"m", "f"}}}}};
    for (std::int32_t k = 0; k < 64; ++k)
        m.add(std::vector<Entry>{{k % 4, 1}, {4 + (k % 4 < 2 ? 0 : 2) + (k / 4) % 2, 1}, {8 + (k / 8) % 2, 1}}, 365,
              1'000 + 37 * k * k, 1);
    Specification spec;
    spec.columns = m.design().column_names();
    spec.zero_sum = {{"avi low", {4, 5}}, {"avi high", {6, 7}}, {"sex", {8, 9}}};
    CHECK(estimate(m, spec).rank == 7);

    spec.zero_sum = {{"avi", {4, 5, 6, 7}}, {"sex", {8, 9}}};
    CHECK_THROWS_WITH(
        estimate(m, spec),
        "estimate: avi=0, avi=1, avi=2, avi=3 together with age=0, age=1, age=2, age=3 are left free: one "
        "more constraint is needed");
    spec.zero_sum = {{"avi low", {4, 5}}, {"sex", {8, 9}}};
    CHECK_THROWS_WITH(estimate(m, spec),
                      "estimate: avi=2, avi=3 together with age=2, age=3 are left free: one more "
                      "constraint is needed");
    spec.zero_sum = {{"avi low", {4, 5}}, {"avi high", {6, 7}}};
    CHECK_THROWS_WITH(estimate(m, spec),
                      "estimate: sex=m, sex=f together with age=0, age=1, age=2, age=3 are left "
                      "free: one more constraint is needed");
}

TEST_CASE("rank knows no threshold: one day in ten billion tells two columns apart", "[estimation][oracle]") {
    // Flags that fall together but for one record of one day; normal equations in double cannot see it.
    data::Design d{{{"age", {"0", "1"}}, {"a", {"1"}, data::Labels::flags}, {"b", {"1"}, data::Labels::flags}}};
    const auto portfolio = [&](bool apart) {
        Moments m{d};
        for (std::int32_t k = 0; k < 4; ++k) {
            std::vector<Entry> row{{k % 2, 1}};
            if (k / 2 == 1) row.insert(row.end(), {{2, 1}, {3, 1}});
            m.add(row, 365, 10'000 + 5'000 * k, 40'000'000);
        }
        if (apart) m.add(std::vector<Entry>{{0, 1}, {2, 1}}, 1, 900, 1);
        return m;
    };
    Specification spec;
    spec.columns = d.column_names();
    CHECK_THROWS_WITH(estimate(portfolio(false), spec), Contains("b=1 together with a=1 are left free"));
    const Fit fit = estimate(portfolio(true), spec);
    CHECK(fit.rank == 4);
    CHECK(fit.converged);
    CHECK(fit.condition > 1e9);
}

TEST_CASE("reweighting of strata hides no free direction, and a stratum left out tells nothing apart",
          "[estimation][oracle]") {
    data::Design d{{{"age", {"0", "1", "2", "3"}}, {"avi", {"0", "1", "2", "3"}}}};
    d.strata = {"a", "b"};
    Moments m{d};
    for (std::int32_t k = 0; k < 64; ++k) {
        const Cents cost = 1'000 + 37 * k * k;
        m.add(std::vector<Entry>{{k % 4, 1}, {4 + (k % 4 < 2 ? 0 : 2) + (k / 4) % 2, 1}}, 100 + k,
              std::span<const Cents>(&cost, 1), 1, 1, (k / 8) % 2, -1);
    }
    const Cents odd = 900;  // only stratum b has someone of a low age in a high avi class
    m.add(std::vector<Entry>{{0, 1}, {6, 1}}, 365, std::span<const Cents>(&odd, 1), 1, 1, 1, -1);
    Specification spec;
    spec.columns = d.column_names();
    spec.zero_sum = {{"avi", {4, 5, 6, 7}}};
    spec.levels.strata = {0.7, 1.3};
    const Fit fit = estimate(m, spec);
    CHECK(fit.rank == 7);
    CHECK(fit.rows == 65);
    spec.levels.strata = {0.7, 0};
    CHECK_THROWS_WITH(estimate(m, spec), Contains("avi=0, avi=1, avi=2, avi=3 together with age=0, age=1, age=2, age=3 "
                                                  "are left free"));
    spec.zero_sum = {{"avi low", {4, 5}}, {"avi high", {6, 7}}};
    CHECK(estimate(m, spec).rows == 32);
}
