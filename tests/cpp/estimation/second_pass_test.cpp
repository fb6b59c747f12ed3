#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation.hpp>

#include <catch2/catch.hpp>
#include <rational.hpp>

#include <cmath>
#include <span>
#include <string>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Catch::Matchers::Contains;

namespace {

// age, flags with a derived none, counts; two categories of cost.
struct Portfolio {
    data::Design design;
    std::vector<std::uint8_t> age, age2;
    std::vector<std::uint64_t> flags;
    std::vector<std::uint16_t> count;
    std::vector<std::int32_t> days, person;
    std::vector<std::uint32_t> who;
    std::vector<std::int64_t> cost, other;
    std::vector<std::uint16_t> represents;

    explicit Portfolio(std::size_t n, bool counts = true) {
        design.criteria = {{"age", {"0", "1", "2"}}, {"f", {"none", "1", "2", "3"}, data::Labels::flags, true}};
        if (counts) design.criteria.push_back({"n", {"visits"}, data::Labels::counts});
        design.categories = {"somatic", "other"};
        const Philox draw{6, 6};
        for (std::uint64_t i = 0; i < n; ++i) {
            const auto w = draw(i);
            age.push_back(static_cast<std::uint8_t>(w[0] % 3));
            flags.push_back((w[0] >> 8) % 4 == 0 ? (w[0] >> 16) % 8 : 0);
            count.push_back(static_cast<std::uint16_t>((w[0] >> 32) % 4));
            days.push_back(static_cast<std::int32_t>(1 + w[1] % 365));
            who.push_back(static_cast<std::uint32_t>(i / 3));
            cost.push_back(static_cast<std::int64_t>(w[2] % 300'000) * (1 + age.back()) * days.back() / 365);
            other.push_back(static_cast<std::int64_t>(w[3] % 20'000));
            represents.push_back(static_cast<std::uint16_t>(1 + (w[1] >> 32) % 3));
        }
    }
    [[nodiscard]] data::Rows rows() const {
        data::Rows r;
        r.criteria = {CodeView{std::span<const std::uint8_t>(age)}, std::span<const std::uint64_t>(flags)};
        if (design.criteria.size() == 3)
            r.criteria.emplace_back(std::vector<CodeView>{CodeView{std::span<const std::uint16_t>(count)}});
        r.days = std::span<const std::int32_t>(days);
        r.cents = {std::span<const std::int64_t>(cost), std::span<const std::int64_t>(other)};
        r.represents = represents;
        return r;
    }
    /// Dense row of the design, by hand.
    [[nodiscard]] std::vector<int> x(std::size_t i) const {
        std::vector<int> v(static_cast<std::size_t>(design.columns()), 0);
        v[age[i]] = 1;
        if (flags[i] == 0) v[3] = 1;
        for (std::size_t k = 0; k < 3; ++k) v[4 + k] = static_cast<int>(flags[i] >> k & 1);
        if (design.criteria.size() == 3) v[7] = count[i];
        return v;
    }
    [[nodiscard]] Specification specification() const {
        Specification s;
        s.columns = design.column_names();
        s.zero_sum = {{"f", {3, 4, 5, 6}}};
        s.covariance = true;
        return s;
    }
};

}  // namespace

TEST_CASE("a second pass is exact for amounts beyond 64 bits", "[estimation][oracle]") {
    using rational::Number;
    Portfolio p{300};
    p.cost[3] = (Cents{1} << 46) - 5;  // days in a year x millionths of a euro pass 2^63
    p.cost[250] = -(Cents{1} << 45);
    const std::vector<MicroEuro> w{1'000'000'000'000, -3'000'000'000'001, 7, -5, 2'000'000, 0, 11, 999'999};
    const Pass pass = second_pass(p.design, p.rows(), w, {}, Run{});
    Number days = 0, cost = 0, gap = 0, spread = 0;
    const auto year_cost = [&](std::size_t i) { return Number(p.cost[i] + p.other[i]) / 100 * 365 / p.days[i]; };
    const auto weight = [&](std::size_t i) { return Number(p.represents[i]) * p.days[i]; };
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        days += weight(i);
        cost += weight(i) * year_cost(i);
    }
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        Number yhat = 0;
        const std::vector<int> x = p.x(i);
        for (std::size_t k = 0; k < x.size(); ++k) yhat += Number(w[k]) * x[k] / 1'000'000;
        gap += weight(i) * abs(Number(year_cost(i) - yhat));
        spread += weight(i) * abs(Number(year_cost(i) - cost / days));
    }
    CHECK(pass.cpm == static_cast<double>(Number(1 - gap / spread)));
    CHECK(pass.mape == static_cast<double>(Number(gap / days)));
    CHECK(pass.deviation == static_cast<double>(Number(spread / days)));
}

TEST_CASE("around the mean of all, the deviations of two parts add up to the whole", "[estimation][invariant]") {
    const Portfolio p{400};
    const std::vector<MicroEuro> w(8, 1'000'000);
    const auto part = [&](std::size_t first, std::size_t last) {
        data::Rows r = p.rows();
        const auto cut = [&](auto values) { return std::span{values}.subspan(first, last - first); };
        r.criteria = {CodeView{cut(std::span<const std::uint8_t>(p.age))}, cut(std::span<const std::uint64_t>(p.flags)),
                      std::vector<CodeView>{CodeView{cut(std::span<const std::uint16_t>(p.count))}}};
        r.days = cut(std::span<const std::int32_t>(p.days));
        r.cents = {cut(std::span<const std::int64_t>(p.cost)), cut(std::span<const std::int64_t>(p.other))};
        r.represents = cut(std::span<const std::uint16_t>(p.represents));
        return r;
    };
    MeanCost mean{0, 0};
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        mean.cost += Int128{p.cost[i] + p.other[i]} * p.represents[i] * micro_per_cent;
        mean.days += Int128{p.days[i]} * p.represents[i];
    }
    const Pass all = second_pass(p.design, p.rows(), w, {}, Run{});
    const Pass one = second_pass(p.design, part(0, 150), w, {}, Run{}, mean);
    const Pass two = second_pass(p.design, part(150, 400), w, {}, Run{}, mean);
    const auto sum = [](const Pass& x) { return x.deviation * static_cast<double>(x.days); };
    CHECK(sum(one) + sum(two) == Approx(sum(all)).epsilon(1e-15));  // three roundings to double
    CHECK(sum(second_pass(p.design, part(0, 150), w, {}, Run{})) != Approx(sum(one)));
    CHECK(one.residual + two.residual == all.residual);
}

TEST_CASE("CPM, MAPE and R2 of a second pass equal their formulas in rationals", "[estimation][oracle]") {
    const Portfolio p{500};
    const Moments m = accumulate(p.design, p.rows(), Run{});
    const Fit fit = estimate(m, p.specification());
    const std::vector<MicroEuro> w = rounded(fit);
    const Pass pass = second_pass(p.design, p.rows(), w, {}, Run{});

    using rational::Number;
    Number days = 0, cost = 0, gap = 0, spread = 0, squares = 0, around = 0, residual = 0;
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        days += Number(p.represents[i]) * p.days[i];
        cost += Number(p.represents[i]) * (p.cost[i] + p.other[i]) / 100;
    }
    const Number mean = cost * 365 / days;
    for (std::size_t i = 0; i < p.age.size(); ++i) {
        const Number d = Number(p.represents[i]) * p.days[i];
        const Number y = Number(p.cost[i] + p.other[i]) / 100 * 365 / p.days[i];
        Number yhat = 0;
        const std::vector<int> x = p.x(i);
        for (std::size_t k = 0; k < x.size(); ++k) yhat += Number(w[k]) * x[k] / 1'000'000;
        gap += d * abs(Number(y - yhat));
        spread += d * abs(Number(y - mean));
        squares += d * (y - yhat) * (y - yhat);
        around += d * (y - mean) * (y - mean);
        residual += d * (y - yhat);
    }
    CHECK(pass.cpm == static_cast<double>(Number(1 - gap / spread)));
    CHECK(pass.mape == static_cast<double>(Number(gap / days)));
    CHECK(pass.r2 == Approx(static_cast<double>(Number(1 - squares / around))).epsilon(1e-15));
    CHECK(exact_r2(m, w, 365) == static_cast<double>(Number(1 - squares / around)));
    CHECK(fit.r2 == Approx(exact_r2(m, w, 365)).epsilon(1e-9));  // weights are rounded to 1e-9 of themselves
    CHECK(static_cast<double>(pass.residual) / 1e6 == Approx(static_cast<double>(residual)).margin(1e-6));
    CHECK(std::abs(static_cast<double>(pass.residual)) <
          2.0 * static_cast<double>(pass.days));  // half a millionth per term
    CHECK(pass.days == static_cast<Days>(m.days()));
    CHECK(pass.rows == 500);
}

TEST_CASE("a constant predictor has R2 and CPM 0, a perfect one 1", "[estimation][published]") {
    Portfolio p{300, false};
    p.other.assign(300, 0);
    for (std::size_t i = 0; i < 300; ++i) {
        p.days[i] = 365;
        p.cost[i] = 100'000 + 50'000 * p.age[i];
    }
    const Pass perfect =
        second_pass(p.design, p.rows(), {1'000'000'000, 1'500'000'000, 2'000'000'000, 0, 0, 0, 0}, {}, Run{});
    CHECK(perfect.r2 == 1);
    CHECK(perfect.cpm == 1);
    CHECK(perfect.mape == 0);
    for (std::size_t i = 0; i < 300; ++i) p.cost[i] = i % 2 == 0 ? 100'000 : 300'000;
    p.represents.assign(300, 2);
    const Pass constant =
        second_pass(p.design, p.rows(), {2'000'000'000, 2'000'000'000, 2'000'000'000, 0, 0, 0, 0}, {}, Run{});
    CHECK(constant.r2 == 0);
    CHECK(constant.cpm == 0);
    CHECK(constant.mape == 1'000);
    CHECK(second_pass(p.design, p.rows(), {2'000'000'000, 2'000'000'000, 2'000'000'000, 0, 0, 0, 0}, {0.5, 1}, Run{})
              .mape == 1'000);
}

TEST_CASE("robust errors equal the sandwich written out row by row", "[estimation][oracle]") {
    for (const bool counts : {true, false}) {
        const Portfolio p{700, counts};
        const Moments m = accumulate(p.design, p.rows(), Run{});
        const Fit fit = estimate(m, p.specification());
        const std::vector<MicroEuro> w = rounded(fit);
        const std::vector<double> products = score_products(p.design, p.rows(), w, {}, Run{});
        const Clustered by_person =
            score_products_by_person(p.design, p.rows(), std::span<const std::uint32_t>(p.who), w, {});
        const auto n = static_cast<std::size_t>(p.design.columns());
        std::vector<long double> single(n * n), person(n * n), sum(n);
        for (std::size_t i = 0; i < p.age.size(); ++i) {
            const std::vector<int> x = p.x(i);
            long double yhat = 0;
            for (std::size_t k = 0; k < n; ++k) yhat += static_cast<long double>(w[k]) / 1e6L * x[k];
            const long double e =
                p.represents[i] * (static_cast<long double>(p.cost[i] + p.other[i]) / 100 - p.days[i] * yhat / 365);
            for (std::size_t j = 0; j < n; ++j)
                for (std::size_t k = 0; k < n; ++k) single[j * n + k] += e * e * x[j] * x[k];
            for (std::size_t j = 0; j < n; ++j) sum[j] += e * x[j];
            if (i + 1 == p.age.size() || p.who[i + 1] != p.who[i]) {
                for (std::size_t j = 0; j < n; ++j)
                    for (std::size_t k = 0; k < n; ++k) person[j * n + k] += sum[j] * sum[k];
                sum.assign(n, 0);
            }
        }
        long double trace = 0;
        for (std::size_t j = 0; j < n; ++j) trace = std::max(trace, single[j * n + j]);
        for (std::size_t k = 0; k < n * n; ++k) {
            CHECK(products[k] ==
                  Approx(static_cast<double>(single[k])).epsilon(1e-13).margin(1e-13 * static_cast<double>(trace)));
            // scores are rounded to a hundredth of a cent
            CHECK(by_person.products[k] ==
                  Approx(static_cast<double>(person[k])).epsilon(1e-6).margin(1e-8 * static_cast<double>(trace)));
        }
        CHECK(by_person.persons == 234);

        // B P B by hand for one coefficient
        const std::vector<double> v = robust_covariance(fit, products);
        long double by_hand = 0;
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < n; ++k)
                by_hand += static_cast<long double>(fit.covariance[2 * n + j]) * single[j * n + k] *
                           static_cast<long double>(fit.covariance[k * n + 2]);
        by_hand *= 700.0L / static_cast<long double>(fit.freedom) / static_cast<long double>(fit.variance) /
                   static_cast<long double>(fit.variance);
        CHECK(v[2 * n + 2] == Approx(static_cast<double>(by_hand)).epsilon(1e-11));
        CHECK(v[2 * n + 2] != Approx(fit.covariance[2 * n + 2]).epsilon(0.01));
        const std::vector<double> c = robust_covariance(fit, products, 234);
        CHECK(c[0] / v[0] == Approx(234.0 / 233 * 699 / 700).epsilon(1e-12));
    }
}

TEST_CASE("one class alone: its robust error is the root of the sum of squares over n", "[estimation][published]") {
    Portfolio p{400, false};
    p.design.criteria.resize(1);
    p.represents.assign(400, 1);
    p.days.assign(400, 365);
    data::Rows rows = p.rows();
    rows.criteria.resize(1);
    Specification spec;
    spec.columns = p.design.column_names();
    spec.covariance = true;
    const Fit fit = estimate(accumulate(p.design, rows, Run{}), spec);
    const auto v = robust_covariance(fit, score_products(p.design, rows, rounded(fit), {}, Run{}));
    double squares = 0, n = 0;
    for (std::size_t i = 0; i < 400; ++i)
        if (p.age[i] == 1) {
            const double e = static_cast<double>(p.cost[i] + p.other[i]) / 100 - fit.coefficients[1];
            squares += e * e;
            ++n;
        }
    CHECK(v[4] == Approx(squares / n / n * 400 / 397).epsilon(1e-9));
}

TEST_CASE("a second pass gives the same bits on 1, 2 and 7 threads", "[estimation][threads]") {
    const Portfolio p{200'000};
    const std::vector<MicroEuro> w{1'200'345'678, 900'000'001, 2'000'000'000, -50'000'000, 70'000'000, 1, 2,
                                   30'000'000};
    const Pass one = second_pass(p.design, p.rows(), w, {}, Run{1});
    const std::vector<double> products = score_products(p.design, p.rows(), w, {}, Run{1});
    for (const int threads : {2, 7}) {
        const Pass many = second_pass(p.design, p.rows(), w, {}, Run{threads});
        CHECK(many.r2 == one.r2);
        CHECK(many.cpm == one.cpm);
        CHECK(many.mape == one.mape);
        CHECK(score_products(p.design, p.rows(), w, {}, Run{threads}) == products);
    }
}

TEST_CASE("an absorbed class is paid its own weight in a second pass", "[estimation][oracle]") {
    Portfolio p{300, false};
    const std::vector<MicroEuro> w{1'000'000'000, 1'100'000'000, 900'000'000, 10'000'000, 5, 6, 7};
    const Pass written = second_pass(p.design, p.rows(), w, {}, Run{});
    std::swap(p.design.criteria[0], p.design.criteria[1]);
    p.design.criteria[1].absorbed = true;
    data::Rows rows = p.rows();
    std::swap(rows.criteria[0], rows.criteria[1]);
    const Pass absorbed = second_pass(p.design, rows, {w[3], w[4], w[5], w[6], w[0], w[1], w[2]}, {}, Run{});
    CHECK(absorbed.cpm == written.cpm);
    CHECK(absorbed.r2 == written.r2);
    CHECK_THROWS_WITH(score_products(p.design, rows, w, {}, Run{}), Contains("criterion age is absorbed"));
}

TEST_CASE("a second pass refuses what does not fit", "[estimation][invariant]") {
    const Portfolio p{30};
    CHECK_THROWS_AS(second_pass(p.design, p.rows(), {1, 2}, {}, Run{}), ShapeError);
    CHECK_THROWS_AS(second_pass(p.design, p.rows(), std::vector<MicroEuro>(8, 0), {1}, Run{}), ShapeError);
    CHECK_THROWS_AS(second_pass(p.design, p.rows(), std::vector<MicroEuro>(8, MicroEuro{1} << 50), {}, Run{}),
                    DomainError);
    std::vector<std::uint32_t> apart = p.who;
    apart.back() = 0;
    CHECK_THROWS_WITH(score_products_by_person(p.design, p.rows(), std::span<const std::uint32_t>(apart),
                                               std::vector<MicroEuro>(8, 0), {}),
                      Contains("rows of a person apart") && Contains("1 row (first: 29)"));
    const Moments m = accumulate(p.design, p.rows(), Run{});
    CHECK_THROWS_AS(robust_covariance(estimate(m, p.specification()), {1.0}), ShapeError);
}
