#include "mini_country.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/incentive.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <numeric>

using namespace anderhalf;
using namespace anderhalf::incentive;
using scenario::Outcome;
using scenario::Settlement;
using scenario::YearOutcome;

namespace {

const Outcome& outcome() {
    static const Outcome o = [] {
        scenario::Options options = mini::options();
        options.pass_through_ppm = 250'000;
        const scenario::Baseline b = scenario::make_baseline(mini::source(), mini::scheme(), options, Run{});
        const std::vector<substitution::Substitution> s{substitution::Substitution{mini::programme()}};
        return scenario::simulate(b, s, scenario::survey(b, s), true, Run{});
    }();
    return o;
}

Cents sum(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }
Party insurer(std::size_t i) {
    return static_cast<Party>(static_cast<std::int32_t>(Party::first_insurer) + static_cast<std::int32_t>(i));
}

YearOutcome year(std::int32_t t, Cents result, Cents claims, Cents contribution) {
    YearOutcome y;
    y.year = t;
    y.baseline.result = y.baseline.claims = y.baseline.contribution = {1'000'00, 500'00};
    y.scenario = y.baseline;
    y.scenario.result[0] += result;
    y.scenario.claims[0] += claims;
    y.scenario.contribution[0] += contribution;
    return y;
}

}  // namespace

TEST_CASE("every party's balance is what an account without the ledger says", "[incentive][oracle]") {
    const std::int64_t avoidable = 300'000;
    const auto postings = ledger(outcome(), mini::model(), std::vector<std::int64_t>{avoidable});
    CHECK(total_balance(postings) == 0);
    for (const YearOutcome& y : outcome().years)
        for (const bool arm : {false, true}) {
            const Settlement& s = arm ? y.scenario : y.baseline;
            const auto of = [&](Party p) { return balance(postings, p, y.year, arm); };
            Cents all = 0;
            for (std::int32_t p = 0; p < 103; ++p) all += of(static_cast<Party>(p));
            CHECK(all == 0);
            for (std::size_t i = 0; i < 3; ++i) CHECK(of(insurer(i)) == s.result[i]);
            CHECK(of(Party::patients) == -sum(s.own_payments));
            CHECK(of(Party::premium_payers) == -sum(s.premium) - sum(s.premium_response));
            const Cents hospital = sum(arm ? y.hospital_claims : y.hospital_claims_base);
            const Cents avoided = arm ? static_cast<Cents>(static_cast<double>(y.hospital_avoided_claimed) * 0.3) : 0;
            CHECK(std::abs(of(Party::hospitals) - (hospital - sum(y.hospital_claims_base) + avoided)) <=
                  1);  // a cent of the double
            CHECK(of(Party::one_and_a_half_line_providers) == 0);
            CHECK(of(Party::gps_and_others) == 0);
            const Cents funding = sum(y.baseline.contribution) +
                                  (arm ? y.macro_change - (sum(y.scenario.premium) - sum(y.baseline.premium)) : 0);
            CHECK(of(Party::government) == -funding);
            CHECK(of(Party::fund) == funding - sum(s.contribution));
            CHECK(of(Party::resources) == sum(s.claims) + sum(s.programme_cost) - of(Party::hospitals));
        }
}

TEST_CASE("the claims in the ledger are the claims in the statement", "[incentive][oracle]") {
    for (const YearOutcome& y : outcome().years)
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(y.hospital_claims[i] + y.one_and_a_half_claims[i] + y.other_claims[i] == y.scenario.claims[i]);
            CHECK(y.hospital_claims_base[i] + y.one_and_a_half_claims_base[i] + y.other_claims_base[i] ==
                  y.baseline.claims[i]);
        }
}

TEST_CASE("a posting that is left out is noticed", "[incentive][invariant]") {
    auto postings = ledger(outcome(), mini::model(), std::vector<std::int64_t>{500'000});
    const YearOutcome& y = outcome().years.front();
    const auto gone = std::find_if(postings.begin(), postings.end(),
                                   [](const Posting& p) { return p.reason == Reason::contribution && p.cents != 0; });
    postings.erase(gone);
    CHECK(balance(postings, insurer(0), y.year, false) != y.baseline.result[0]);
}

TEST_CASE("net present value, kept share, power and payback of three years", "[incentive][published]") {
    // Results -300, 110, 242 at 10%: -300 + 100 + 200 = 0. Claims -200, -220, -242: saving 600. Contribution 0, -55, -121: -150.
    Outcome o;
    o.years = {year(2021, -300'00, -200'00, 0), year(2022, 110'00, -220'00, -55'00),
               year(2023, 242'00, -242'00, -121'00)};
    const Measures m = measures(o, {0}, 0.10);
    CHECK(m.npv == 0);
    CHECK(m.saving == 600'00);
    CHECK(m.undiscounted == 52'00);
    CHECK(m.kept_share == Approx(0.0).margin(1e-12));
    CHECK(m.power == Approx(0.75));
    CHECK(m.by_year == std::vector<Cents>{-300'00, 110'00, 242'00});
    CHECK(m.payback_year == 2023);
    CHECK(measures(o, {0}, 0.0).npv == 52'00);
    CHECK(measures(o, {1}, 0.10).npv == 0);
    CHECK_FALSE(measures(o, {1}, 0.10).payback_year.has_value());
    CHECK(std::isnan(measures(o, {1}, 0.10).kept_share));
    CHECK(measures(o, {0, 1}, 0.10).saving == 600'00);
}

TEST_CASE("a programme that sinks again after a good year has not been paid back", "[incentive][published]") {
    Outcome o;
    o.years = {year(2021, 100'00, -1'00, 0), year(2022, -150'00, -1'00, 0), year(2023, 60'00, -1'00, 0)};
    CHECK(measures(o, {0}, 0).payback_year == 2023);
    o.years.back() = year(2023, 40'00, -1'00, 0);
    CHECK_FALSE(measures(o, {0}, 0).payback_year.has_value());
    CHECK_THROWS_AS(measures(o, {2}, 0), DomainError);
    CHECK_THROWS_AS(measures(o, {0}, -1), DomainError);
}

TEST_CASE("the measures of a run are those of its statements", "[incentive][oracle]") {
    Cents change = 0, claims = 0;
    for (const YearOutcome& y : outcome().years) {
        change += y.scenario.result[1] - y.baseline.result[1];
        claims += y.scenario.claims[1] - y.baseline.claims[1];
    }
    const Measures m = measures(outcome(), {1}, 0);
    CHECK(m.npv == change);
    CHECK(m.saving == -claims);
    CHECK(m.undiscounted == change);
}
