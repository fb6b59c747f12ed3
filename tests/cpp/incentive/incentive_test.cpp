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
    const auto postings = ledger(outcome(), {{avoidable, Party::municipality}});
    CHECK(total_balance(postings) == 0);
    Cents stranded = 0, programme = 0;
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
            // Hospitals lose what movements say, and are rid of three tenths of its cost.
            Cents revenue = 0, gone = 0;
            for (const scenario::MovementTotal& m : outcome().movements)
                if (arm && m.year == y.year && m.category == Category::hospital) {
                    revenue += m.settled;
                    gone -= m.claimed;
                }
            CHECK(of(Party::hospitals) == revenue + gone * 3 / 10);
            for (const Party p :
                 {Party::one_and_a_half_line_providers, Party::gps_and_others, Party::pharmacies,
                  Party::nursing_providers, Party::rehabilitation_providers, Party::short_stay_providers,
                  Party::mental_care_providers, Party::wlz, Party::municipality})
                CHECK(of(p) == 0);
            const Cents funding = sum(y.baseline.contribution) +
                                  (arm ? y.macro_change - (sum(y.scenario.premium) - sum(y.baseline.premium)) : 0);
            CHECK(of(Party::government) == -funding);
            CHECK(of(Party::fund) == funding - sum(s.contribution));
            CHECK(of(Party::resources) == sum(s.claims) + sum(s.programme_cost) - of(Party::hospitals));
            for (const Posting& p : postings) {
                if (p.year != y.year || p.scenario != arm) continue;
                if (p.reason == Reason::stranded) stranded += p.cents;
                if (p.reason == Reason::programme_cost) {
                    CHECK(p.to == Party::municipality);
                    programme += p.cents;
                }
            }
        }
    CHECK(stranded > 0);
    CHECK(programme > 0);
    CHECK_THROWS_AS(ledger(outcome(), {}), ShapeError);
}

TEST_CASE("the claims in the ledger are the claims in the statement, each with the provider of its category",
          "[incentive][oracle]") {
    const auto postings = ledger(outcome(), {{}});
    for (const YearOutcome& y : outcome().years)
        for (std::size_t i = 0; i < 3; ++i)
            for (const bool arm : {false, true}) {
                Cents paid = 0;
                for (const Posting& p : postings) {
                    if (p.year != y.year || p.scenario != arm || p.from != insurer(i)) continue;
                    if (p.reason < Reason::first_claims && p.reason != Reason::contract_correction &&
                        p.reason != Reason::price_rebase)
                        continue;
                    paid += p.cents;
                    if (p.reason >= Reason::first_claims)
                        CHECK(p.to == provider(static_cast<Category>(static_cast<std::int32_t>(p.reason) -
                                                                     static_cast<std::int32_t>(Reason::first_claims))));
                }
                CHECK(paid == (arm ? y.scenario : y.baseline).claims[i]);
            }
    CHECK(provider(Category::drugs) == Party::pharmacies);
    CHECK(provider(Category::chain_care) == Party::gps_and_others);
}

TEST_CASE("a posting that is left out is noticed", "[incentive][invariant]") {
    auto postings = ledger(outcome(), {{}});
    const YearOutcome& y = outcome().years.front();
    const auto gone = std::find_if(postings.begin(), postings.end(),
                                   [](const Posting& p) { return p.reason == Reason::contribution && p.cents != 0; });
    postings.erase(gone);
    CHECK(balance(postings, insurer(0), y.year, false) != y.baseline.result[0]);
}

TEST_CASE(
    "what the premium gives back is the share of an earlier result, and whom it draws takes along what is paid for him",
    "[incentive][oracle]") {
    const auto run = [](std::int64_t share, std::int32_t lag, std::int64_t elasticity) {
        scenario::Options options = mini::options();
        options.pass_through_ppm = share;
        options.pass_through_lag = lag;
        options.enrolment_ppm = elasticity;
        const scenario::Baseline b = scenario::make_baseline(mini::source(), mini::scheme(), options, Run{});
        const std::vector<substitution::Substitution> s{substitution::Substitution{mini::programme()}};
        return scenario::simulate(b, s, scenario::survey(b, s), true, Run{});
    };
    const Outcome fixed = run(0, 1, 0), rule = run(500'000, 2, 0), drawn = run(500'000, 2, 1'500'000);
    const auto j = static_cast<std::size_t>(scenario::Channel::j_premium);
    Cents moved = 0;
    for (std::size_t k = 0; k < fixed.years.size(); ++k) {
        const YearOutcome &y = drawn.years[k], &without = fixed.years[k];
        for (std::size_t i = 0; i < 3; ++i) {
            const Cents back =
                k < 2 ? 0 : -((fixed.years[k - 2].scenario.result[i] - fixed.years[k - 2].baseline.result[i]) / 2);
            CHECK(rule.years[k].scenario.premium_response[i] == back);
            CHECK(rule.years[k].scenario.result[i] == without.scenario.result[i] + back);
            CHECK(y.scenario.premium_response[i] == back);
            CHECK(y.forward[i][j] == y.scenario.result[i] - without.scenario.result[i]);
            CHECK(std::accumulate(y.forward[i].begin(), y.forward[i].end(), Cents{0}) ==
                  y.scenario.result[i] - y.baseline.result[i]);
            // Who gives back more than the mean wins insured: all that is paid for them grows alike.
            const double won =
                static_cast<double>(y.scenario.premium[i]) / static_cast<double>(without.scenario.premium[i]);
            CHECK(static_cast<double>(y.scenario.own_payments[i]) > 0);
            if (won < 1)
                CHECK(static_cast<double>(y.scenario.claims[i]) / static_cast<double>(without.scenario.claims[i]) ==
                      Approx(won).epsilon(1e-4));
            moved += std::abs(y.scenario.claims[i] - without.scenario.claims[i]);
        }
        CHECK(sum(y.scenario.contribution) == sum(without.scenario.contribution));
        CHECK(sum(y.scenario.claims) == sum(without.scenario.claims));
        CHECK(sum(y.scenario.premium) == sum(without.scenario.premium));
    }
    CHECK(moved > 0);
    CHECK(total_balance(ledger(drawn, {{}})) == 0);
    const auto postings = ledger(drawn, {{}});
    for (const YearOutcome& y : drawn.years)
        for (std::size_t i = 0; i < 3; ++i) CHECK(balance(postings, insurer(i), y.year, true) == y.scenario.result[i]);
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
