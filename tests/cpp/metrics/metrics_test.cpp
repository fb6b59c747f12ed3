#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/metrics.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

using namespace anderhalf;
using metrics::Columns;
using metrics::Evaluation;
using metrics::Partition;

namespace {

using Codes8 = std::vector<std::uint8_t>;
using CentsVector = std::vector<Cents>;
using DaysVector = std::vector<std::int32_t>;
using Persons = std::vector<std::uint16_t>;

[[nodiscard]] CodeView view(const Codes8& codes) { return std::span<const std::uint8_t>{codes}; }

/// Random persons: part years, negative amounts, rows that stand for several persons.
struct People {
    CentsVector cost, payment;
    DaysVector days;
    Persons represents;
    Codes8 insurer, sex;

    explicit People(std::size_t n, std::uint64_t seed) {
        const Philox draw{seed, Purpose::uncertainty};
        for (std::size_t i = 0; i < n; ++i) {
            const auto w = draw(i), v = draw(i, 1);
            days.push_back(w[0] % 3 == 0 ? static_cast<std::int32_t>(1 + w[1] % 366) : 365);
            cost.push_back(static_cast<Cents>(w[2] % 900'000) - 50'000);
            payment.push_back(static_cast<Cents>(w[3] % 600'000) - 20'000);
            represents.push_back(static_cast<std::uint16_t>(1 + v[0] % 40));
            insurer.push_back(static_cast<std::uint8_t>(v[1] % 7));
            sex.push_back(static_cast<std::uint8_t>(v[2] % 2));
        }
    }
    [[nodiscard]] Columns columns() const { return {cost, payment, days, represents}; }
    [[nodiscard]] std::vector<Partition> partitions() const {
        return {{"insurer", view(insurer), 7}, {"sex", view(sex), 2}};
    }
    [[nodiscard]] People ordered(const std::vector<std::size_t>& order) const {
        People p{0, 0};
        for (const std::size_t i : order) {
            p.cost.push_back(cost[i]);
            p.payment.push_back(payment[i]);
            p.days.push_back(days[i]);
            p.represents.push_back(represents[i]);
            p.insurer.push_back(insurer[i]);
            p.sex.push_back(sex[i]);
        }
        return p;
    }
};

/// Every double of an evaluation, for comparison bit by bit.
[[nodiscard]] std::vector<double> figures(const Evaluation& e) {
    std::vector<double> all{e.r2, e.cpm, e.mape_eur, e.sd_eur};
    const auto add = [&](const metrics::Group& g) {
        all.insert(all.end(), {static_cast<double>(g.rows), static_cast<double>(g.persons), g.insured_years, g.cost_eur,
                               g.payment_eur, g.overcompensation_eur, g.standard_error_eur, g.predictive_ratio});
    };
    add(e.all);
    for (const auto& part : e.groups) std::for_each(part.begin(), part.end(), add);
    for (const auto& l : e.levels) all.insert(all.end(), {l.r2, l.ggaa_eur, l.sd_eur, l.bandwidth_eur});
    return all;
}

[[nodiscard]] bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

/// The text of the error that a call raises; empty when it raises none.
template <class ErrorType, class Call>
[[nodiscard]] std::string refusal(Call&& call) {
    try {
        call();
    } catch (const ErrorType& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("overcompensation is per insured year, and records in no group are left out", "[metrics][published]") {
    const Codes8 group{1, 2, 1, 0};
    const CentsVector payment{1000'00, 3000'00, 600'00, 9'00}, cost{800'00, 3600'00, 500'00, 9'00};
    const DaysVector days{365, 365, 365, 365};
    const auto result = metrics::overcompensation(view(group), payment, cost, days, 3, Run{});
    CHECK(result[1] == 150.0);
    CHECK(result[2] == -600.0);
    CHECK(result[0] == 0.0);
    CHECK(std::isnan(metrics::overcompensation(view(group), payment, cost, days, 4, Run{})[3]));
}

TEST_CASE("overcompensation refuses everything that is wrong at once and names rows, not values", "[metrics]") {
    const Codes8 group{0, 3, 1, 1};
    const CentsVector amount{1, 2, 3, 4};
    const DaysVector days{0, 365, 367, 400};
    const std::string text =
        refusal<DomainError>([&] { (void)metrics::overcompensation(view(group), amount, amount, days, 3, Run{}); });
    CHECK(text ==
          "overcompensation: days: 1 value below 1 (row 0), expected 1..366\n"
          "overcompensation: days: 2 values above 366 (rows 2, 3), expected 1..366\n"
          "overcompensation: group: 1 value outside its groups (row 1), expected 0..2");
    const std::string lengths = refusal<ShapeError>([&] {
        (void)metrics::overcompensation(view(group), amount, std::span{amount}.first(2), std::span{days}.first(3), 3,
                                        Run{});
    });
    CHECK(lengths.find("cost, expected 4 rows, as payment, got 2") != std::string::npos);
    CHECK(lengths.find("days, expected 4 rows, as payment, got 3") != std::string::npos);
}

TEST_CASE("a perfect predictor has R2 = CPM = 1 and no error, whatever the insured days", "[metrics][invariant]") {
    const People p{500, 3};
    const Evaluation e = metrics::evaluate({p.cost, p.cost, p.days, p.represents}, p.partitions(), Run{});
    CHECK(e.r2 == 1.0);
    CHECK(e.cpm == 1.0);
    CHECK(e.mape_eur == 0.0);
    CHECK(e.sd_eur == 0.0);
    CHECK(e.all.standard_error_eur == 0.0);
    CHECK(e.all.predictive_ratio == 1.0);
    for (const auto& level : e.levels) {
        CHECK(level.r2 == 1.0);
        CHECK(level.ggaa_eur == 0.0);
        CHECK(level.bandwidth_eur == 0.0);
    }
}

TEST_CASE("the weighted mean as a constant payment has R2 = CPM = 0", "[metrics]") {
    // 1000 a year for a fifth of a year and 1600 for a whole one: mean (200 + 1600) / 1.2 = 1500.
    const CentsVector cost{200'00, 1600'00}, payment{300'00, 1500'00};
    const DaysVector days{73, 365};
    const Evaluation e = metrics::evaluate({cost, payment, days}, {}, Run{});
    CHECK(e.r2 == 0.0);
    CHECK(e.cpm == 0.0);
    CHECK(e.all.cost_eur == 1500.0);
    CHECK(e.all.insured_years == 1.2);
    // The unweighted mean of 1300 is no such constant.
    const CentsVector other{260'00, 1300'00};
    CHECK(metrics::evaluate({cost, other, days}, {}, Run{}).r2 < 0);
}

TEST_CASE("R2, CPM, MAPE and SD of a part year and a whole year are as by hand", "[metrics]") {
    // y = 1000, 1600 with weights 0.2 and 1, mean 1500; payments of 1200 and 1560 a year; e = 200, -40; mean e = 0.
    // SSE = 0.2 * 200^2 + 40^2 = 9600; SST = 0.2 * 500^2 + 100^2 = 60,000
    // sum w|e| = 80; sum w|y - mean| = 200; MAPE = 80 / 1.2; SD^2 = 9600 / 1.2 = 8000
    const CentsVector cost{200'00, 1600'00}, payment{240'00, 1560'00};
    const DaysVector days{73, 365};
    const Evaluation e = metrics::evaluate({cost, payment, days}, {}, Run{});
    CHECK(e.r2 == 0.84);
    CHECK(e.cpm == 0.6);
    CHECK(e.mape_eur == Approx(80 / 1.2).epsilon(1e-15));
    CHECK(e.sd_eur == Approx(std::sqrt(8000.0)).epsilon(1e-15));
    // 12 months in a year: the same persons
    const DaysVector halves{6, 12}, days_again{183, 366};
    const Evaluation months = metrics::evaluate({cost, payment, halves, {}, 12}, {}, Run{});
    const Evaluation leap = metrics::evaluate({cost, payment, days_again, {}, 366}, {}, Run{});
    CHECK(same_bits(figures(months), figures(leap)));
}

TEST_CASE("measures between insurers weigh them by insured time", "[metrics]") {
    // A: two years, cost 2000, result +100 a year; B: one year, cost 3500, result -200. Mean cost 2500, mean result 0.
    // ggaa (2 * 100 + 200) / 3; sd sqrt((2 * 100^2 + 200^2) / 3); bandwidth 300;
    // r2 1 - (2 * 100^2 + 200^2) / (2 * 500^2 + 1000^2) = 1 - 60,000 / 1,500,000
    const CentsVector cost{1500'00, 2500'00, 3500'00}, payment{1700'00, 2500'00, 3300'00};
    const DaysVector days{365, 365, 365};
    const Codes8 insurer{0, 0, 2};  // nobody with insurer 1
    const Evaluation e = metrics::evaluate({cost, payment, days}, {{"insurer", view(insurer), 3}}, Run{});
    const metrics::Level& level = e.levels.front();
    CHECK(level.groups == 2);
    CHECK(level.ggaa_eur == Approx(400.0 / 3).epsilon(1e-15));
    CHECK(level.sd_eur == Approx(std::sqrt(20'000.0)).epsilon(1e-15));
    CHECK(level.bandwidth_eur == 300.0);
    CHECK(level.r2 == Approx(0.96).epsilon(1e-15));
    CHECK(e.groups[0][0].overcompensation_eur == 100.0);
    CHECK(e.groups[0][0].predictive_ratio == 1.05);
    CHECK(e.groups[0][2].overcompensation_eur == -200.0);
    CHECK(std::isnan(e.groups[0][1].overcompensation_eur));
    CHECK(e.groups[0][1].rows == 0);
}

TEST_CASE("the standard error of a group is that of a mean, and of a ratio when years are not whole", "[metrics]") {
    // Results +100 and -100: standard deviation sqrt(20,000), of the mean of two: 100.
    const CentsVector cost{1000'00, 1000'00}, payment{1100'00, 900'00};
    const DaysVector whole{365, 365};
    CHECK(metrics::evaluate({cost, payment, whole}, {}, Run{}).all.standard_error_eur == 100.0);
    // Half a year and a whole one, +150 and +150: X = 300, T = 1.5, e = 200 a year; residuals 150 - 100 and 150 - 200;
    // sqrt(2 / 1 * (50^2 + 50^2)) / 1.5 = 100 / 1.5
    const CentsVector more{1150'00, 1150'00};
    const DaysVector part{183, 366};
    const Evaluation e = metrics::evaluate({cost, more, part, {}, 366}, {}, Run{});
    CHECK(e.all.overcompensation_eur == 200.0);
    CHECK(e.all.standard_error_eur == Approx(100 / 1.5).epsilon(1e-15));
    // One row says nothing of its own error.
    const Codes8 alone{0, 1};
    CHECK(std::isnan(
        metrics::evaluate({cost, payment, whole}, {{"g", view(alone), 2}}, Run{}).groups[0][0].standard_error_eur));
}

TEST_CASE("a row that stands for three persons is three rows, except for the standard error", "[metrics][invariant]") {
    const CentsVector cost{100'00, 900'00}, payment{300'00, 500'00};
    const DaysVector days{200, 365};
    const Persons represents{3, 1};
    const Evaluation weighted = metrics::evaluate({cost, payment, days, represents}, {}, Run{});
    const CentsVector cost4{100'00, 100'00, 100'00, 900'00}, payment4{300'00, 300'00, 300'00, 500'00};
    const DaysVector days4{200, 200, 200, 365};
    const Evaluation copied = metrics::evaluate({cost4, payment4, days4}, {}, Run{});
    CHECK(weighted.r2 == copied.r2);
    CHECK(weighted.cpm == copied.cpm);
    CHECK(weighted.mape_eur == copied.mape_eur);
    CHECK(weighted.sd_eur == copied.sd_eur);
    CHECK(weighted.all.overcompensation_eur == copied.all.overcompensation_eur);
    CHECK(weighted.all.persons == copied.all.persons);
    CHECK(weighted.all.rows == 2);
    CHECK(weighted.all.standard_error_eur > copied.all.standard_error_eur);
}

TEST_CASE("cutting an insured period in two moves no measure of persons", "[metrics][invariant]") {
    const CentsVector cost{100'00, 900'00}, payment{300'00, 500'00};
    const DaysVector days{200, 365};
    const CentsVector cut_cost{50'00, 50'00, 900'00}, cut_payment{150'00, 150'00, 500'00};
    const DaysVector cut_days{100, 100, 365};
    const Evaluation whole = metrics::evaluate({cost, payment, days}, {}, Run{});
    const Evaluation cut = metrics::evaluate({cut_cost, cut_payment, cut_days}, {}, Run{});
    CHECK(whole.r2 == cut.r2);
    CHECK(whole.cpm == cut.cpm);
    CHECK(whole.sd_eur == cut.sd_eur);
}

TEST_CASE("merging two groups leaves the others and all measures of persons as they are", "[metrics][invariant]") {
    const People p{4000, 11};
    Codes8 merged = p.insurer;
    std::replace(merged.begin(), merged.end(), std::uint8_t{6}, std::uint8_t{5});
    const Evaluation before = metrics::evaluate(p.columns(), {{"insurer", view(p.insurer), 7}}, Run{});
    const Evaluation after = metrics::evaluate(p.columns(), {{"insurer", view(merged), 6}}, Run{});
    CHECK(before.r2 == after.r2);
    CHECK(before.cpm == after.cpm);
    for (std::size_t k = 0; k < 5; ++k)
        CHECK(before.groups[0][k].standard_error_eur == after.groups[0][k].standard_error_eur);
    const auto &a = before.groups[0][5], &b = before.groups[0][6], &both = after.groups[0][5];
    CHECK(both.cost == a.cost + b.cost);
    CHECK(both.days == a.days + b.days);
    CHECK(both.overcompensation_eur ==
          Approx((a.overcompensation_eur * a.insured_years + b.overcompensation_eur * b.insured_years) /
                 (a.insured_years + b.insured_years))
              .epsilon(1e-12));
    CHECK(after.levels[0].ggaa_eur <= before.levels[0].ggaa_eur);
    CHECK(after.levels[0].bandwidth_eur <= before.levels[0].bandwidth_eur);
}

TEST_CASE("one group of all has the result of all, and as many groups as persons the GGAA of persons",
          "[metrics][oracle]") {
    const People p{200, 5};
    Codes8 each(200), one(200, 0);
    std::iota(each.begin(), each.end(), std::uint8_t{0});
    const Evaluation e = metrics::evaluate(p.columns(), {{"each", view(each), 200}, {"one", view(one), 1}}, Run{});
    CHECK(e.levels[0].ggaa_eur == e.mape_eur);
    CHECK(e.levels[0].r2 == Approx(e.r2).epsilon(1e-13));
    CHECK(e.levels[0].sd_eur == Approx(e.sd_eur).epsilon(1e-13));
    CHECK(e.levels[1].ggaa_eur == std::abs(e.all.overcompensation_eur));
    CHECK(e.levels[1].bandwidth_eur == 0.0);
    CHECK(std::isnan(e.levels[1].r2));
}

TEST_CASE("R2 and CPM are not defined when all cost the same", "[metrics]") {
    const CentsVector cost{100, 100}, payment{90, 110};
    const DaysVector days{365, 365};
    const Evaluation e = metrics::evaluate({cost, payment, days}, {}, Run{});
    CHECK(std::isnan(e.r2));
    CHECK(std::isnan(e.cpm));
}

TEST_CASE("every figure has the same bits on 1, 2 and 7 threads and in any order of rows", "[metrics][threads]") {
    const People p{300'000, 17};  // five chunks
    const auto expected = figures(metrics::evaluate(p.columns(), p.partitions(), Run{}));
    std::vector<Index> work;
    for (const int threads : {2, 7}) {
        const Run run{.threads = threads, .work_per_thread = &work};
        CHECK(same_bits(figures(metrics::evaluate(p.columns(), p.partitions(), run)), expected));
        CHECK(work.size() == static_cast<std::size_t>(std::min(threads, 5)));
    }
    std::vector<std::size_t> order(p.cost.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const Philox draw{1, Purpose::ties};
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return draw(a)[0] < draw(b)[0]; });
    const People shuffled = p.ordered(order);
    CHECK(
        same_bits(figures(metrics::evaluate(shuffled.columns(), shuffled.partitions(), Run{.threads = 2})), expected));
}

TEST_CASE("codes of 8, 16 and 32 bits give the same groups", "[metrics][oracle]") {
    const People p{1000, 23};
    const std::vector<std::uint16_t> wide(p.insurer.begin(), p.insurer.end());
    const std::vector<std::uint32_t> wider(p.insurer.begin(), p.insurer.end());
    const std::vector<Partition> all{{"8", view(p.insurer), 7},
                                     {"16", std::span<const std::uint16_t>{wide}, 7},
                                     {"32", std::span<const std::uint32_t>{wider}, 7}};
    const Evaluation e = metrics::evaluate(p.columns(), all, Run{});
    for (std::size_t k = 0; k < 7; ++k) {
        CHECK(e.groups[0][k].cost == e.groups[1][k].cost);
        CHECK(e.groups[0][k].standard_error_eur == e.groups[2][k].standard_error_eur);
    }
}

TEST_CASE("evaluate names all problems of all columns", "[metrics]") {
    const CentsVector cost{1, Cents{1} << 60U}, payment{1, 2};
    const DaysVector days{365, -1};
    const Persons represents{0, 1};
    const Codes8 insurer{0, 9};
    const std::string text = refusal<DomainError>([&] {
        (void)metrics::evaluate({cost, payment, days, represents}, {{"insurer", view(insurer), 2}}, Run{});
    });
    for (const char* what : {"evaluate: days: 1 value below 1 (row 1)", "cost: 1 value beyond 2^46 cents (row 1)",
                             "represents: 1 value below 1 (row 0)", "insurer: 1 value outside its groups (row 1)"})
        CHECK(text.find(what) != std::string::npos);
    CHECK(text.find("9") == std::string::npos);  // no value, and no sum of them
    const CentsVector none;
    CHECK(refusal<ShapeError>([&] {
              (void)metrics::evaluate({none, none, {}}, {}, Run{});
          }).find("at least one row") != std::string::npos);
    CHECK_THROWS_AS(metrics::evaluate({payment, payment, DaysVector{1, 1}, {}, 0}, {}, Run{}), DomainError);
}

TEST_CASE("amounts at the limit are exact, and sums beyond it are refused", "[metrics]") {
    const Cents most = Cents{1} << 46U;
    const CentsVector cost{most, 0}, payment{0, most};
    const DaysVector days{365, 365};
    // e = -m, +m around a mean cost of m / 2: SSE 2 m^2, SST m^2 / 2.
    const Evaluation e = metrics::evaluate({cost, payment, days}, {}, Run{});
    CHECK(e.r2 == -3.0);
    CHECK(e.cpm == -1.0);
    CHECK(e.all.overcompensation_eur == 0.0);
    const CentsVector large(600, most), zero(600, 0);
    const DaysVector year(600, 365);
    const Persons many(600, 65535);
    CHECK(refusal<DomainError>([&] {
              (void)metrics::evaluate({large, zero, year, many}, {}, Run{});
          }).find("2^61 cents") != std::string::npos);
}

TEST_CASE("the change of results weighs insurers by insured time and asks for the same people", "[metrics]") {
    // A (2 years) from 0 to +100 a year, B (1 year) from 0 to -200: (2 * 100 + 200) / 3.
    const CentsVector cost{1000'00, 1000'00, 3000'00}, after{1200'00, 1000'00, 2800'00};
    const DaysVector days{365, 365, 365}, other{365, 364, 365};
    const Codes8 insurer{0, 0, 1};
    const std::vector<Partition> partition{{"insurer", view(insurer), 2}};
    const Evaluation a = metrics::evaluate({cost, cost, days}, partition, Run{});
    const Evaluation b = metrics::evaluate({cost, after, days}, partition, Run{});
    CHECK(metrics::result_change(a.groups[0], b.groups[0], 365) == Approx(400.0 / 3).epsilon(1e-15));
    const Evaluation c = metrics::evaluate({cost, after, other}, partition, Run{});
    CHECK_THROWS_AS(metrics::result_change(a.groups[0], c.groups[0], 365), ShapeError);
}

TEST_CASE("the change of weights weighs classes by insured time", "[metrics]") {
    // (1 * |12 - 10| + 2 * |-4 + 5|) / 3
    const std::vector<MicroEuro> before{10'000'000, -5'000'000}, after{12'000'000, -4'000'000};
    const std::vector<std::int64_t> days{365, 730}, none{0, 0}, negative{1, -1};
    CHECK(metrics::weight_change(before, after, days) == Approx(4.0 / 3).epsilon(1e-15));
    CHECK(metrics::weight_change(after, before, days) == metrics::weight_change(before, after, days));
    CHECK(std::isnan(metrics::weight_change(before, after, none)));
    CHECK_THROWS_AS(metrics::weight_change(before, after, negative), DomainError);
    CHECK_THROWS_AS(metrics::weight_change(before, after, std::span{days}.first(1)), ShapeError);
}

TEST_CASE("predictability and predictiveness of services are as by hand", "[metrics]") {
    // Service 100, 200, 300: mean 200, variance (100^2 + 100^2) / 3; total 500, 300, 400: covariance -10,000 / 3,
    // variance 20,000 / 3, so correlation -1/2. The last person is insured for a fifth of a year, at a fifth of it.
    const CentsVector service{100'00, 200'00, 60'00}, total{500'00, 300'00, 80'00};
    const DaysVector days{365, 365, 73};
    const Persons represents{1, 1, 5};  // five fifths of a year: as one year
    const auto c = metrics::comovement(service, total, days, std::span<const std::uint16_t>{represents}, 365, Run{});
    CHECK(c.mean_first_eur == 200.0);
    CHECK(c.mean_second_eur == 400.0);
    CHECK(c.sd_first_eur == Approx(std::sqrt(20'000.0 / 3)).epsilon(1e-15));
    CHECK(c.correlation == -0.5);
    CentsVector twice = service;
    for (Cents& x : twice) x *= 2;
    CHECK(metrics::comovement(service, twice, days, {}, 365, Run{}).correlation == 1.0);
    const CentsVector constant{365, 365, 73};
    CHECK(std::isnan(metrics::comovement(service, constant, days, {}, 365, Run{}).correlation));
}

TEST_CASE("power is the part of an extra euro that nobody pays back", "[metrics]") {
    const CentsVector cost{100'00, 100'00}, payment{90'00, 90'00};
    const CentsVector cost_after{140'00, 100'00}, payment_after{100'00, 90'00};  // 40 more cost, 10 more payment
    CHECK(metrics::power(cost, payment, cost_after, payment_after, {}, Run{}) == 0.75);
    CHECK(metrics::power(cost, payment, cost_after, payment, {}, Run{}) == 1.0);
    CHECK(std::isnan(metrics::power(cost, payment, cost, payment_after, {}, Run{})));
}

TEST_CASE("a person is held out with all rows or none, in about the share asked", "[metrics]") {
    std::vector<std::uint64_t> person(20'000);
    std::iota(person.begin(), person.end(), std::uint64_t{0});
    const auto held = metrics::held_out(person, 0.3, 7);
    const auto count = std::accumulate(held.begin(), held.end(), 0);
    CHECK(std::abs(count - 6000) < 325);  // five standard deviations
    std::vector<std::uint64_t> backwards(person.rbegin(), person.rend());
    auto again = metrics::held_out(backwards, 0.3, 7);
    std::reverse(again.begin(), again.end());
    CHECK(again == held);
    const auto more = metrics::held_out(person, 0.6, 7);  // those of a smaller share stay
    for (std::size_t i = 0; i < person.size(); ++i) REQUIRE(more[i] >= held[i]);
    CHECK(metrics::held_out(person, 0.3, 8) != held);
    const auto everybody = metrics::held_out(person, 1, 7), nobody = metrics::held_out(person, 0, 7);
    CHECK(std::all_of(everybody.begin(), everybody.end(), [](auto h) { return h == 1; }));
    CHECK(std::none_of(nobody.begin(), nobody.end(), [](auto h) { return h == 1; }));
    CHECK_THROWS_AS(metrics::held_out(person, 1.5, 7), DomainError);
}
