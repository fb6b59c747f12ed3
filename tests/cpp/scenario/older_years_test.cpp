#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/scenario.hpp>

#include <catch2/catch.hpp>

#include <numeric>
#include <string>
#include <vector>

#include "mini_country.hpp"

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Substitution;

namespace {

/// The mini country under the law of an older year: two DKGs or one; some drugs are nursing, some care is settled lower.
risk::Mapping mapping(const params::Model& model) {
    risk::Mapping m = mini::mapping();
    const bool two = model.year != 2015;
    for (auto& d : m.diagnoses) {
        if (two) {
            d.dkg_primary = d.dkg;
            d.dkg_secondary = d.dkg / 3;
            d.dkg = 0;
        }
    }
    if (!two) m.nursing_region = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    return m;
}

std::shared_ptr<const risk::Scheme> scheme_of(const params::Model& model) {
    return std::make_shared<const risk::Scheme>(model, mapping(model));
}

data::Block block(Index k) {
    data::Block b = mini::block(static_cast<std::uint64_t>(k) * 150, 150);
    for (data::Record& r : b.records) {
        if (r.person % 9 == 0) r.region = 0;                  // abroad
        if (r.person > 20 && r.person <= 60) r.address = 21;  // 40 residents, less those abroad
    }
    for (data::Claim& c : b.claims) {
        if (c.category == Category::drugs && c.person % 2 == 0) c.category = Category::nursing;
        if (c.person % 5 == 0) c.settled_cents = c.claimed_cents - c.claimed_cents / 10;
    }
    return b;
}

Options options() {
    Options o = mini::options();
    o.first_year = 2015;
    o.estimates = false;
    return o;
}

Baseline baseline_of(const params::Model& model) {
    return make_baseline({4, block}, scheme_of(model), options(), Run{});
}

Cents sum(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }

std::vector<Cents> lines_of(const payment::Statement& s, const std::string& share) {
    std::vector<Cents> result(3);
    for (const payment::Line& line : s.lines)
        if (line.share == share)
            for (std::size_t i = 0; i < 3; ++i) result[i] += line.cents[i];
    return result;
}

}  // namespace

TEST_CASE("2015 is settled by the statement: nursing, bandwidths and insured abroad are in it",
          "[scenario][invariant]") {
    const Baseline b = baseline_of(params::nl_2015());
    CHECK(needs_statement(params::nl_2015()));
    params::Model at_full_weight = params::nl_2015();  // insured abroad at 100% of the classes "none"
    at_full_weight.abroad.clear();
    const Baseline full = baseline_of(at_full_weight);
    for (const std::int32_t year : {2021, 2024}) {
        const YearTotals& t = b.arm(year).totals;
        CHECK(sum(t.cost_nursing) > 0);
        const Days days = std::accumulate(t.days.begin(), t.days.end(), Days{0});
        const auto columns = [&](const payment::ClassTotals& totals, const risk::CriterionColumns& c) {
            const std::vector<Days> national = totals.national();
            return std::accumulate(national.begin() + c.offset, national.begin() + c.offset + c.size, Days{0});
        };
        for (const auto& c : b.scheme->variable_layout()) {  // one class each, those abroad without region and SES
            if (c.assignment != params::Assignment::single) continue;
            const bool here = c.name == "region" || c.name == "ses";
            CHECK(columns(t.variable, c) ==
                  days - (here ? columns(t.variable_abroad, b.scheme->variable_layout()[0]) : 0));
        }
        for (const auto& c : b.scheme->nursing_layout())
            if (c.name != "age_sex") CHECK((columns(t.nursing, c) > 0 && columns(t.nursing, c) < days / 2));  // 65+

        const Settlement s = settle_baseline(b, year);
        const payment::Statement statement = state(b, year, payment::Stage::final);
        CHECK(s.contribution == statement.contribution);
        CHECK(s.nursing == lines_of(statement, "nursing"));
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(s.contribution[i] == s.variable[i] + s.ggz[i] + s.fixed[i] + s.nursing[i] - s.premium_deducted[i] -
                                           s.expected_own_payments[i] + s.administration[i]);
            CHECK(s.result[i] == s.premium[i] + s.contribution[i] + s.own_payments[i] - s.claims[i]);
            CHECK(s.claims[i] == t.cost_variable[i] + t.cost_ggz[i] + t.cost_fixed[i] + t.cost_nursing[i]);
        }
        // phi = 1: all insurers together receive the normative amount; nothing is bounded in the variable share.
        CHECK(sum(s.variable) == s.variable_target);
        CHECK(settle_baseline(full, year).contribution != s.contribution);
        const Settlement before = ex_ante_baseline(b, year);
        CHECK(before.contribution == state(b, year, payment::Stage::ex_ante).contribution);
        CHECK(sum(before.nursing) > 0);
    }
    const std::vector<Substitution> programme{Substitution{mini::programme()}};
    CHECK_THROWS_AS(simulate(b, programme, survey(b, programme), true, Run{}), ParameterError);
}

TEST_CASE("the statement and the desk of the channels settle 2019 and 2020 to the same cent", "[scenario][oracle]") {
    for (const auto* model : {&params::nl_2019(), &params::nl_2020()}) {
        for (const ExpectedCounts counts : {ExpectedCounts::lagged, ExpectedCounts::actual}) {
            Options o = options();
            o.expected_counts = counts;
            const Baseline b = make_baseline(baseline_of(*model), o, Run{});
            CHECK_FALSE(needs_statement(*model));
            for (const std::int32_t year : {2021, 2025}) {
                INFO(model->name << " " << year);
                const Settlement s = settle_baseline(b, year);
                const payment::Statement statement = state(b, year, payment::Stage::final);
                CHECK(s.variable == lines_of(statement, "variable"));
                CHECK(s.ggz == lines_of(statement, "ggz"));
                CHECK(s.contribution == statement.contribution);
            }
        }
    }
}

TEST_CASE("2020 is settled with the weights of the amended annexes, granted with the first ones",
          "[scenario][published]") {
    const Baseline b = baseline_of(params::nl_2020());
    const auto moved = [&](auto&& change) {
        params::Model model = params::nl_2020();
        change(model);
        const Baseline other = baseline_of(model);
        return std::pair{ex_ante_baseline(other, 2021).contribution != ex_ante_baseline(b, 2021).contribution,
                         settle_baseline(other, 2021).contribution != settle_baseline(b, 2021).contribution};
    };
    using Moved = std::pair<bool, bool>;
    const auto dear = [](params::Share& share) { share.criteria.front().classes[12].weight += 1'000 * micro_per_euro; };
    CHECK(moved([&](params::Model& m) { dear(m.variable); }) == Moved{true, false});
    CHECK(moved([&](params::Model& m) { dear(m.variable_ex_post); }) == Moved{false, true});
    CHECK(moved([&](params::Model& m) { dear(m.ggz); }) == Moved{true, false});
    CHECK(moved([&](params::Model& m) { dear(m.ggz_hcc); }) == Moved{false, true});
    CHECK(moved([&](params::Model& m) { m.forfait += 1'00; }) == Moved{true, false});
    CHECK(moved([&](params::Model& m) { m.forfait_ex_post += 1'00; }) == Moved{false, true});
}

TEST_CASE("under 2019 and 2020 the channels sum, and the small delta is a full pass", "[scenario][invariant]") {
    const std::vector<Substitution> programme{Substitution{mini::programme()}};
    for (const auto* model : {&params::nl_2019(), &params::nl_2020()}) {
        const Baseline b = baseline_of(*model);
        const Area area = survey(b, programme);
        const Outcome out = simulate(b, programme, area, true, Run{});
        CHECK(out.patients > 100);
        bool classes_moved = false;
        for (const YearOutcome& y : out.years) {
            INFO(model->name << " " << y.year);
            for (std::size_t i = 0; i < 3; ++i) {
                const Cents change = y.scenario.result[i] - y.baseline.result[i];
                CHECK(std::accumulate(y.forward[i].begin(), y.forward[i].end(), Cents{0}) == change);
                CHECK(std::accumulate(y.reverse[i].begin(), y.reverse[i].end(), Cents{0}) == change);
                classes_moved = classes_moved || y.forward[i][static_cast<std::size_t>(Channel::c1_classes)] != 0;
            }
            const ArmYear pass = full_pass(b, programme, area, y.year);
            if (y.year == mini::start + mini::horizon - 1) {
                CHECK_FALSE(pass.totals.variable == b.arm(y.year).totals.variable);
                CHECK(sum(pass.totals.cost_variable) != sum(b.arm(y.year).totals.cost_variable));
            }
            CHECK(sum(y.scenario.claims) ==
                  sum(pass.totals.cost_variable) + sum(pass.totals.cost_ggz) + sum(pass.totals.cost_fixed));
            // The scenario's target rests on its class totals: N' and C of the full pass.
            CHECK(y.scenario.variable_cost == sum(pass.totals.cost_variable));
        }
        CHECK(classes_moved);
    }
}

TEST_CASE("SES of 2015 counts the residents of an address, those abroad left out", "[scenario][published]") {
    const Baseline b = baseline_of(params::nl_2015());
    const YearTotals& t = b.arm(2021).totals;
    const auto many_days = [&](const YearTotals& totals) {
        for (const auto& c : b.scheme->variable_layout())
            if (c.name == "ses") {
                const std::vector<Days> national = totals.variable.national();
                return std::accumulate(national.begin() + c.offset, national.begin() + c.offset + 3, Days{0});
            }
        return Days{-1};
    };
    Days wanted = 0;  // persons 21 to 60 here, whoever of them is insured in 2021
    for (const data::Record& r : block(0).records)
        if (r.address == 21 && r.region != 0 && r.first_day >= first_day_of(2021) && r.last_day < first_day_of(2022))
            wanted += (r.last_day - r.first_day + 1) * static_cast<Days>(r.represents);
    CHECK(wanted > 30 * 365);
    CHECK(many_days(t) == wanted);
}
