#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation.hpp>

#include <catch2/catch.hpp>
#include <rational.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Catch::Matchers::Contains;

namespace {

// Columns 0-2 age, 3-5 class c, 6-7 class e: three complete criteria, e and c zero-sum, age carries the total.
const data::Design design{{{"age", {"0", "1", "2"}}, {"c", {"0", "1", "2"}}, {"e", {"0", "1"}}}};

Specification specification() {
    Specification s;
    s.columns = design.column_names();
    s.zero_sum = {{"c", {3, 4, 5}}, {"e", {6, 7}}};
    return s;
}

/// A portfolio of 300 drawn by number; `odd` only takes the records of the group.
enum class Who { all, group, rest };
Moments portfolio(std::uint64_t seed, Who who = Who::all) {
    const Philox draw{seed, 77};
    Moments m{design};
    for (std::uint64_t k = 0; k < 300; ++k) {
        const auto w = draw(k);
        const bool in_group = w[3] % 3 == 0;
        if ((who == Who::group && !in_group) || (who == Who::rest && in_group)) continue;
        const auto age = static_cast<std::int32_t>(w[0] % 3), c = static_cast<std::int32_t>((w[0] >> 8) % 5) % 3,
                   e = static_cast<std::int32_t>((w[0] >> 16) % 7 == 0);
        m.add(std::vector<Entry>{{age, 1}, {3 + c, 1}, {6 + e, 1}}, static_cast<Days>(1 + w[1] % 365),
              static_cast<Cents>(w[2] % 500'000) + 90'000 * age + 60'000 * c * e,
              static_cast<std::int64_t>(1 + w[3] % 4));
    }
    return m;
}

rational::Row zero_sum_row(const Moments& m, const ZeroSum& z) {
    rational::Row row{rational::Numbers(8), 0};
    for (const Index k : z.columns) row.terms[static_cast<std::size_t>(k)] = rational::Number(m.xd(k)) / 365;
    return row;
}

rational::Row row_of(const Constraint& c) {
    rational::Row row{rational::Numbers(8), rational::Number(c.value)};
    for (const Term& t : c.terms) row.terms[static_cast<std::size_t>(t.column)] += rational::Number(t.coefficient);
    return row;
}

rational::Row budget(const Moments& m) {
    rational::Row row{rational::Numbers(8), rational::Number(m.cents()) / 100};
    for (Index k = 0; k < 8; ++k) row.terms[static_cast<std::size_t>(k)] = rational::Number(m.xd(k)) / 365;
    return row;
}

double paid(const Moments& m, const Fit& fit) {
    double sum = 0;
    for (Index k = 0; k < m.columns(); ++k)
        sum += static_cast<double>(m.xd(k)) * fit.coefficients[static_cast<std::size_t>(k)] / 365;
    return sum;
}

/// Largest difference of a fit with the exact answer, relative to the largest weight.
double distance(const Fit& fit, const rational::Answer& exact) {
    double gap = 0, size = 0;
    for (std::size_t k = 0; k < exact.b.size(); ++k) {
        gap = std::max(gap, std::abs(static_cast<double>(exact.b[k] - rational::Number(fit.coefficients[k]))));
        size = std::max(size, std::abs(static_cast<double>(exact.b[k])));
    }
    return gap / size;
}

double multiplier(const Fit& fit, const std::string& name) {
    const auto found =
        std::find_if(fit.binding.begin(), fit.binding.end(), [&](const auto& b) { return b.name == name; });
    return found == fit.binding.end() ? std::nan("") : found->multiplier;
}

}  // namespace

TEST_CASE("equality-constrained weights equal the rational optimum to twelve digits", "[estimation][oracle]") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Moments m = portfolio(seed);
        Specification spec = specification();
        std::vector<rational::Row> rows{zero_sum_row(m, spec.zero_sum[0]), zero_sum_row(m, spec.zero_sum[1])};
        const auto plain = rational::optimum(m, rows, 365);
        REQUIRE(plain);
        CHECK(distance(estimate(m, spec), *plain) < 1e-15);  // refined: the last bit of a double

        spec.constraints = {{"c rises evenly", {{3, 1}, {4, -2}, {5, 1}}, Relation::equal, 0},
                            {"age 1", {{1, 1}}, Relation::equal, 1'250.5}};
        for (const Constraint& c : spec.constraints) rows.push_back(row_of(c));
        rows.push_back(budget(m));
        const auto exact = rational::optimum(m, rows, 365);
        REQUIRE(exact);
        const Fit fit = estimate(m, spec);
        CHECK(fit.budget_row);
        CHECK(distance(fit, *exact) < 1e-15);
        CHECK(paid(m, fit) == Approx(static_cast<double>(m.cents()) / 100).epsilon(1e-13));
        CHECK(multiplier(fit, "age 1") == Approx(static_cast<double>(exact->lambda[3])).epsilon(1e-11));
        CHECK(multiplier(fit, "total cost (keep_budget)") ==
              Approx(static_cast<double>(exact->lambda[4])).epsilon(1e-11));
        CHECK(fit.freedom == m.rows() - (8 - 5));
    }
}

TEST_CASE("a multiplier is the rise of half the squared errors per euro of the constraint", "[estimation][oracle]") {
    const Moments m = portfolio(3);
    Specification spec = specification();
    spec.keep_budget = false;
    const auto half_squares = [&](double value) {
        spec.constraints = {{"age 1", {{1, 1}}, Relation::equal, value}};
        const Fit fit = estimate(m, spec);
        return fit.variance * static_cast<double>(fit.freedom) / 2;
    };
    const double slope = (half_squares(901) - half_squares(899)) / 2;  // exact for a parabola, but for rounding
    spec.constraints = {{"age 1", {{1, 1}}, Relation::equal, 900}};
    CHECK(multiplier(estimate(m, spec), "age 1") == Approx(slope).epsilon(1e-6));
}

TEST_CASE("inequalities give the best of all choices of active sets, tried one by one in rationals",
          "[estimation][oracle]") {
    std::size_t bound = 0;
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        const Moments m = portfolio(seed);
        Specification spec = specification();
        spec.constraints = {at_least("c 1 is 0 or more", 4, 0), in_order("c rises", 4, 5),
                            at_most("age 2 at most 2200", 2, 2'200), in_order("age rises", 0, 1),
                            at_most("e 1 at most 400", 7, 400)};
        const Fit fit = estimate(m, spec);
        CHECK(fit.converged);

        std::optional<rational::Answer> best;
        for (unsigned set = 0; set < 32; ++set) {
            std::vector<rational::Row> rows{zero_sum_row(m, spec.zero_sum[0]), zero_sum_row(m, spec.zero_sum[1]),
                                            budget(m)};
            for (unsigned k = 0; k < 5; ++k)
                if ((set >> k & 1) != 0) rows.push_back(row_of(spec.constraints[k]));
            const auto answer = rational::optimum(m, rows, 365);
            if (!answer) continue;
            bool optimal = true;
            for (unsigned k = 0, r = 3; k < 5; ++k) {
                const rational::Row row = row_of(spec.constraints[k]);
                rational::Number left = -row.value;
                for (std::size_t j = 0; j < 8; ++j) left += row.terms[j] * answer->b[j];
                const int side = spec.constraints[k].relation == Relation::at_least ? 1 : -1;
                optimal = optimal && side * left >= 0;
                if ((set >> k & 1) != 0) optimal = optimal && side * answer->lambda[r++] >= 0;
            }
            if (optimal) best = answer;
        }
        REQUIRE(best);
        CHECK(distance(fit, *best) < 1e-14);
        for (const Binding& b : fit.binding) {
            if (b.relation == Relation::at_least) CHECK(b.multiplier > 0);
            if (b.relation == Relation::at_most) CHECK(b.multiplier < 0);
            bound += b.relation != Relation::equal;
        }
    }
    CHECK(bound > 15);
}

TEST_CASE("a group is paid its own cost, and all together the total", "[estimation][invariant]") {
    const Moments all = portfolio(5), group = portfolio(5, Who::group), rest = portfolio(5, Who::rest);
    Specification spec = specification();
    const auto gap = [&](const Fit& fit, const Moments& m) {
        return paid(m, fit) - static_cast<double>(m.cents()) / 100;
    };
    CHECK(std::abs(gap(estimate(all, spec), group)) > 1'000);

    spec.constraints = {group_total("chronic", group)};
    const Fit fit = estimate(all, spec);
    CHECK(fit.budget_row);
    CHECK(std::abs(gap(fit, group)) < 1e-6);  // of a few hundred thousand euros
    CHECK(std::abs(gap(fit, all)) < 1e-6);
    spec.keep_budget = false;
    CHECK(std::abs(gap(estimate(all, spec), all)) > 100);  // without its row the total does move

    spec.keep_budget = true;
    spec.constraints.push_back(group_total("the others", rest));
    const Fit both = estimate(all, spec);
    CHECK_FALSE(both.budget_row);  // follows from the two groups
    for (std::size_t k = 0; k < 8; ++k) CHECK(both.coefficients[k] == Approx(fit.coefficients[k]).epsilon(1e-12));
}

TEST_CASE("groups that partition the insured cannot be paid another total", "[estimation][invariant]") {
    const Moments all = portfolio(5), group = portfolio(5, Who::group), rest = portfolio(5, Who::rest);
    Specification spec = specification();
    spec.constraints = {group_total("chronic", group, 1.01), group_total("the others", rest)};
    try {
        (void)estimate(all, spec);
        FAIL("estimated");
    } catch (const DomainError& error) {
        CHECK_THAT(error.what(), Contains("\"total cost (keep_budget)\" contradicts") && Contains("chronic") &&
                                     Contains("the others"));
    }
    spec.keep_budget = false;
    CHECK_NOTHROW(estimate(all, spec));
}

TEST_CASE("an equality that follows from others is left out and named; one that contradicts them is refused",
          "[estimation][invariant]") {
    const Moments m = portfolio(7);
    Specification spec = specification();
    const Fit plain = estimate(m, spec);
    spec.constraints = {{"e again", {{6, static_cast<double>(m.xd(6))}, {7, static_cast<double>(m.xd(7))}}}};
    const Fit fit = estimate(m, spec);
    CHECK(fit.redundant == std::vector<std::string>{"e again"});
    CHECK(fit.coefficients == plain.coefficients);

    spec.constraints = {{"first", {{1, 1}}, Relation::equal, 900}, {"second", {{1, 3}}, Relation::equal, 2'701}};
    CHECK_THROWS_WITH(estimate(m, spec), Contains("constraint \"second\" contradicts") && Contains("got first"));
    spec.constraints[1].value = 2'700;
    CHECK(estimate(m, spec).redundant == std::vector<std::string>{"second"});
    spec.constraints = {{"nothing", {{1, 1}, {1, -1}}, Relation::equal, 5}};
    CHECK_THROWS_WITH(estimate(m, spec), Contains("\"nothing\", whose terms cancel"));
}

TEST_CASE("inequalities that leave no room are refused with those they clash with", "[estimation][invariant]") {
    const Moments m = portfolio(7);
    Specification spec = specification();
    spec.constraints = {at_least("c 1 high", 4, 100), at_most("c 1 low", 4, 99)};
    CHECK_THROWS_WITH(estimate(m, spec), Contains("is impossible") && Contains("c 1 high") && Contains("c 1 low"));
    spec.constraints = {at_least("all c up 0", 3, 1), at_least("all c up 1", 4, 1), at_least("all c up 2", 5, 1)};
    CHECK_THROWS_WITH(estimate(m, spec), Contains("is impossible") && Contains("c"));  // their sum is zero
    spec.constraints = {{"c 1 is 50", {{4, 1}}, Relation::equal, 50}, at_least("c 1 at least 50", 4, 50)};
    const Fit fit = estimate(m, spec);  // met, not impossible
    CHECK(fit.converged);
    CHECK(fit.coefficients[4] == Approx(50).epsilon(1e-14));
}

TEST_CASE("an inequality that does not bind, or leaves the total alone, costs no degree of freedom",
          "[estimation][invariant]") {
    const Moments m = portfolio(7);
    Specification spec = specification();
    const Fit plain = estimate(m, spec);
    spec.constraints = {at_least("slack", 1, -1e6)};
    const Fit slack = estimate(m, spec);
    CHECK_FALSE(slack.budget_row);
    CHECK(slack.freedom == plain.freedom);
    CHECK(slack.standard_errors == plain.standard_errors);
    CHECK(slack.binding.size() == plain.binding.size());

    spec.constraints = {at_most("e 1", 7, plain.coefficients[7] - 50)};  // age still carries the total
    const Fit e = estimate(m, spec);
    CHECK_FALSE(e.budget_row);
    CHECK(e.freedom == plain.freedom + 1);
    CHECK(e.binding.size() == plain.binding.size() + 1);

    spec.constraints = {at_most("age 1", 1, plain.coefficients[1] - 50)};
    const Fit age = estimate(m, spec);
    CHECK(age.budget_row);
    CHECK(age.freedom == plain.freedom + 2);
    CHECK(paid(m, age) == Approx(static_cast<double>(m.cents()) / 100).epsilon(1e-14));
}

TEST_CASE("what the equalities hold at 0 meets an inequality at 0", "[estimation][invariant]") {
    const Moments m = portfolio(3);
    Specification spec = specification();
    spec.keep_budget = false;
    spec.constraints = {{"c 1", {{4, 1}}},     {"c 2", {{5, 1}}},        {"e", {{6, 1}}},
                        at_least("c 0", 3, 0), at_most("c 0 too", 3, 0), at_most("e too", 7, 0)};
    for (const Index k : {0, 1, 2}) {
        spec.constraints.push_back({"age " + std::to_string(k), {{k, 1}}, Relation::equal, 0});
        spec.constraints.push_back(at_most("age again " + std::to_string(k), k, 0));
    }
    const Fit fit = estimate(m, spec);
    CHECK(fit.converged);
    for (std::size_t k = 0; k < 8; ++k) {
        CHECK(std::abs(fit.coefficients[k]) < 1e-12);
        CHECK(fit.standard_errors[k] == 0);
    }
    spec.constraints.push_back(at_least("age up", 1, 1e-3));
    CHECK_THROWS_WITH(estimate(m, spec), Contains("\"age up\" is impossible"));
}

TEST_CASE("a weight that the constraints settle has a variance of exactly 0, and no other", "[estimation][invariant]") {
    const Moments m = portfolio(5);
    Specification spec = specification();
    spec.covariance = true;
    spec.constraints = {{"c 1", {{4, 1}}, Relation::equal, 20}, {"c 1 and c 2", {{4, 2}, {5, 1}}, Relation::equal, 70}};
    const Fit fit = estimate(m, spec);
    for (std::size_t j = 0; j < 8; ++j) {
        const bool settled = j >= 3 && j < 6;  // the zero-sum settles the third
        CHECK((fit.standard_errors[j] == 0) == settled);
        for (std::size_t k = 0; k < 8; ++k)
            if (settled) CHECK(fit.covariance[8 * j + k] == 0);
    }
}

TEST_CASE("a constraint on an empty class is set aside and named, a zero-sum group loses the term",
          "[estimation][invariant]") {
    Moments m{design};
    for (int k = 0; k < 60; ++k)
        m.add(std::vector<Entry>{{k % 3, 1}, {3 + (k / 3) % 2, 1}, {6 + (k / 6) % 2, 1}}, 365, 1'000 * k * k, 1);
    Specification spec = specification();
    const Fit plain = estimate(m, spec);
    CHECK(plain.empty[5]);
    spec.constraints = {in_order("c rises", 4, 5), at_most("cap", 5, -3), {"fixed", {{5, 1}}, Relation::equal, 7}};
    const Fit fit = estimate(m, spec);
    CHECK(fit.set_aside == std::vector<std::string>{"c rises", "cap", "fixed"});
    CHECK(fit.coefficients == plain.coefficients);
    CHECK(fit.coefficients[5] == 0);
    CHECK(20 * fit.coefficients[3] == Approx(-20 * fit.coefficients[4]).epsilon(1e-12));
}

TEST_CASE("what is not a number is refused by the name of its constraint and column", "[estimation][invariant]") {
    Specification spec = specification();
    spec.constraints = {{"odd", {{4, std::nan("")}}, Relation::equal, 0}, at_most("cap", 4, INFINITY), {"void", {}}};
    try {
        (void)estimate(portfolio(1), spec);
        FAIL("estimated");
    } catch (const DomainError& error) {
        CHECK(error.problems().size() == 3);
        CHECK_THAT(error.what(), Contains("coefficient of c=1 in constraint \"odd\"") &&
                                     Contains("value of constraint \"cap\"") &&
                                     Contains("terms of constraint \"void\""));
    }
    spec.constraints = {{"far", {{8, 1}}}};
    CHECK_THROWS_AS(estimate(portfolio(1), spec), ShapeError);
}

TEST_CASE("one criterion alone gives the class means, with the plain standard error of a mean",
          "[estimation][oracle]") {
    Moments m{data::Design{{{"k", {"0", "1"}}}}};
    const std::vector<Cents> costs{100'00, 250'00, 330'00, 90'00, 610'00, 45'00};
    for (std::size_t k = 0; k < costs.size(); ++k)
        m.add(std::vector<Entry>{{static_cast<std::int32_t>(k % 2), 1}}, 365, costs[k], 1);
    Specification spec;
    spec.columns = {"k=0", "k=1"};
    spec.covariance = true;
    const Fit fit = estimate(m, spec);
    CHECK(fit.coefficients[0] == Approx((100.0 + 330 + 610) / 3).epsilon(1e-15));
    CHECK(fit.coefficients[1] == Approx((250.0 + 90 + 45) / 3).epsilon(1e-15));
    double squares = 0;
    for (std::size_t k = 0; k < costs.size(); ++k) {
        const double e = static_cast<double>(costs[k]) / 100 - fit.coefficients[k % 2];
        squares += e * e;
    }
    CHECK(fit.variance == Approx(squares / 4).epsilon(1e-13));
    CHECK(fit.standard_errors[0] == Approx(std::sqrt(squares / 4 / 3)).epsilon(1e-13));
    CHECK(fit.covariance[0] == Approx(squares / 4 / 3).epsilon(1e-13));
    CHECK(std::abs(fit.covariance[1]) < 1e-12);
    CHECK(fit.rank == 2);
}

TEST_CASE("which class is the reference changes no fitted amount, and twice the cost is twice the weight",
          "[estimation][invariant]") {
    const Moments m = portfolio(9);
    const Fit zero_sum = estimate(m, specification());
    Specification spec = specification();
    for (const Index c : {3, 4, 5})
        for (const Index e : {6, 7}) {
            spec.zero_sum.clear();
            spec.constraints = {{"c reference", {{c, 1}}}, {"e reference", {{e, 1}}}};
            const Fit fit = estimate(m, spec);
            CHECK_FALSE(fit.budget_row);
            CHECK(fit.r2 == Approx(zero_sum.r2).epsilon(1e-13));
            for (std::size_t a = 0; a < 3; ++a)
                for (std::size_t k = 3; k < 6; ++k)
                    for (std::size_t x = 6; x < 8; ++x)
                        CHECK(fit.coefficients[a] + fit.coefficients[k] + fit.coefficients[x] ==
                              Approx(zero_sum.coefficients[a] + zero_sum.coefficients[k] + zero_sum.coefficients[x])
                                  .epsilon(1e-13));
        }
    spec = specification();
    spec.levels.categories = {2.0};
    const Fit twice = estimate(m, spec);
    for (std::size_t k = 0; k < 8; ++k) {
        CHECK(twice.coefficients[k] == Approx(2 * zero_sum.coefficients[k]).epsilon(1e-14));
        CHECK(twice.standard_errors[k] == Approx(2 * zero_sum.standard_errors[k]).epsilon(1e-12));
    }
}

TEST_CASE("an absorbed criterion gives the weights of its columns written out", "[estimation][oracle]") {
    const auto with = [](bool absorbed) {
        data::Design d{{{"age", {"0", "1", "2"}}, {"e", {"0", "1"}}, {"canton", {"0", "1", "2", "3"}}}};
        d.criteria.back().absorbed = absorbed;
        Moments m{d};
        const Philox draw{4, 4};
        for (std::uint64_t k = 0; k < 200; ++k) {
            const auto w = draw(k);
            const auto canton = static_cast<std::int32_t>(w[0] % 3);  // the last is empty
            std::vector<Entry> entries{{static_cast<std::int32_t>(w[1] % 3), 1},
                                       {3 + static_cast<std::int32_t>(w[2] % 2), 1}};
            if (!absorbed) entries.push_back({5 + canton, 1});
            const Cents cost = static_cast<Cents>(w[3] % 300'000) + 70'000 * canton;
            m.add(entries, static_cast<Days>(30 + w[1] % 336), std::span<const Cents>(&cost, 1), 1, 1, 0,
                  absorbed ? canton : -1);
        }
        return m;
    };
    Specification spec;
    spec.zero_sum = {{"age", {0, 1, 2}}, {"e", {3, 4}}};
    spec.columns = with(true).design().column_names();
    const Fit absorbed = estimate(with(true), spec);
    spec.columns = with(false).design().column_names();
    const Fit written = estimate(with(false), spec);
    for (std::size_t k = 0; k < 5; ++k) {
        CHECK(absorbed.coefficients[k] == Approx(written.coefficients[k]).epsilon(1e-13));
        CHECK(absorbed.standard_errors[k] == Approx(written.standard_errors[k]).epsilon(1e-11));
    }
    for (std::size_t k = 0; k < 4; ++k)
        CHECK(absorbed.absorbed_coefficients[k] == Approx(written.coefficients[5 + k]).epsilon(1e-13));
    for (std::size_t k = 0; k < 3; ++k)
        CHECK(absorbed.absorbed_standard_errors[k] == Approx(written.standard_errors[5 + k]).epsilon(1e-11));
    CHECK(std::isnan(absorbed.absorbed_standard_errors[3]));
    CHECK(absorbed.absorbed_empty == std::vector<bool>{false, false, false, true});
    CHECK(absorbed.r2 == Approx(written.r2).epsilon(1e-13));
    CHECK(absorbed.rank == written.rank);
    CHECK(absorbed.freedom == written.freedom);

    spec.columns = with(true).design().column_names();
    spec.zero_sum.pop_back();
    CHECK_THROWS_WITH(estimate(with(true), spec), Contains("e=0, e=1 and absorbed classes are left free") ||
                                                      Contains("e=0, e=1 together with absorbed"));
}
