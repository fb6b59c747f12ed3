#include "mini_country.hpp"

#include <anderhalf/scenario.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Programme;
using substitution::Substitution;

namespace {

/// The mini country with a rule of neutrality for expected own payments: MHK "none" makes it sum to zero.
std::shared_ptr<const risk::Scheme> scheme() {
    params::Model m = mini::model();
    params::NeutralityRule rule = *std::find_if(m.neutrality.begin(), m.neutrality.end(), [](const auto& r) {
        return r.share == "variable" && r.criterion == "mhk";
    });
    rule.share = "deductible";
    m.neutrality.push_back(rule);
    return std::make_shared<const risk::Scheme>(m, mini::mapping());
}

/// Half of the contacts lead to mental care, many to district nursing and rehabilitation, too.
Programme programme() {
    Programme p = mini::programme();
    p.patients_ppm = 200'000;
    p.downstream = {{.category = Category::ggz, .price = 250'000, .probability_ppm = 500'000},
                    {.category = Category::nursing, .price = 90'000, .probability_ppm = 400'000},
                    {.category = Category::grz, .price = 700'000, .probability_ppm = 300'000},
                    {.category = Category::drugs, .price = 30'000, .probability_ppm = 700'000}};
    return p;
}

/// No weights of our own and a fixed macro amount: what is left is the settlement of the law.
const Baseline& baseline() {
    static const Baseline b = [] {
        Options o = mini::options();
        o.estimates = false;
        o.macro = MacroRule::fixed;
        o.municipalities = {1};
        return make_baseline(mini::source(), scheme(), o, Run{});
    }();
    return b;
}

const std::vector<Substitution>& substitution_of() {
    static const std::vector<Substitution> s{Substitution{programme()}};
    return s;
}
const Area& area() {
    static const Area a = survey(baseline(), substitution_of());
    return a;
}
const Outcome& outcome() {
    static const Outcome o = simulate(baseline(), substitution_of(), area(), true, Run{});
    return o;
}

Cents sum(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }

}  // namespace

TEST_CASE(
    "the arm with a programme that moves mental care, nursing and rehabilitation is paid as the law pays its totals",
    "[incentive][oracle]") {
    const Baseline& b = baseline();
    std::vector<ArmYear> arms;
    for (std::int32_t t = mini::start; t < mini::start + mini::horizon; ++t)
        arms.push_back(full_pass(b, substitution_of(), area(), t));
    const auto totals_of = [&](std::int32_t t) -> const YearTotals& {
        return t < mini::start ? b.arm(t).totals : arms.at(static_cast<std::size_t>(t - mini::start)).totals;
    };
    bool mental = false, own_payments = false;
    for (const YearOutcome& y : outcome().years) {
        const YearTotals &now = totals_of(y.year), &then = totals_of(y.year - 3), &base = b.arm(y.year).totals;
        const auto counts = [&](payment::ClassTotals YearTotals::*of) {
            return payment::Counts{(then.*of).national(), sum(now.days), sum(then.days)};
        };
        const payment::Terms terms{payment::Stage::final,
                                   payment::Rounding::exact,
                                   {counts(&YearTotals::variable), counts(&YearTotals::ggz)},
                                   counts(&YearTotals::deductible),
                                   y.year};
        const payment::Statement paid = payment::pay(b.scheme->model(), payment_totals(now), terms);
        CHECK(paid.contribution == y.scenario.contribution);
        CHECK(y.scenario.fixed == now.cost_fixed);
        CHECK(y.scenario.own_payments == now.own_payments);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(y.scenario.claims[i] == now.cost_variable[i] + now.cost_ggz[i] + now.cost_fixed[i]);
        mental = mental || (now.ggz != base.ggz && now.ggz_excess != base.ggz_excess);
        own_payments = own_payments || y.scenario.expected_own_payments != y.baseline.expected_own_payments;
        CHECK(y.gap == now.gap);
    }
    CHECK(mental);
    CHECK(own_payments);
}

TEST_CASE("the channels sum to the change in result when all kinds of care move", "[incentive][invariant]") {
    Cents neutrality = 0, settlement = 0;
    for (const YearOutcome& y : outcome().years)
        for (std::size_t i = 0; i < 3; ++i) {
            const Cents change = y.scenario.result[i] - y.baseline.result[i];
            CHECK(std::accumulate(y.forward[i].begin(), y.forward[i].end(), Cents{0}) == change);
            CHECK(std::accumulate(y.reverse[i].begin(), y.reverse[i].end(), Cents{0}) == change);
            neutrality += std::abs(y.forward[i][static_cast<std::size_t>(Channel::e1_neutrality)]);
            settlement += std::abs(y.forward[i][static_cast<std::size_t>(Channel::h_settlement)]);
        }
    CHECK(neutrality > 0);
    CHECK(settlement > 0);
}

TEST_CASE("losses and gains of the criteria sum to the channel of classes, in cents", "[incentive][invariant]") {
    const auto& variable = baseline().scheme->variable_layout();
    const auto criteria = static_cast<Index>(variable.size() + baseline().scheme->ggz_layout().size());
    Cents loss = 0, gain = 0, mental = 0;
    for (const YearOutcome& y : outcome().years) {
        Index last = -1;
        for (const CriterionEffect& e : y.criteria) {
            CHECK(e.criterion > std::exchange(last, e.criterion));
            CHECK(e.criterion < criteria);
            loss += sum(e.loss);
            gain += sum(e.gain);
            if (e.criterion >= static_cast<Index>(variable.size())) mental += sum(e.gain);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            Cents all = 0;
            for (const CriterionEffect& e : y.criteria) all += e.loss[i] + e.gain[i];
            CHECK(all == y.forward[i][static_cast<std::size_t>(Channel::c1_classes)]);
        }
    }
    CHECK(loss < 0);
    CHECK(gain > 0);
    CHECK(mental != 0);
}

TEST_CASE("what a criterion loses is what its lost classes weigh, before any scaling", "[incentive][oracle]") {
    // DKG alone moves: hospital care is avoided in 2021, nothing else follows; in 2022 the records lose their DKG.
    Programme p = mini::programme();
    p.downstream.clear();
    p.added_demand_ppm = 0;
    params::Model m = mini::model();
    m.neutrality.clear();
    m.flat_ppm_variable = 0;
    Options o = mini::options();
    o.estimates = false;
    o.macro = MacroRule::fixed;
    const Baseline b =
        make_baseline(mini::source(), std::make_shared<const risk::Scheme>(m, mini::mapping()), o, Run{});
    const std::vector<Substitution> s{Substitution{p}};
    const Outcome run = simulate(b, s, survey(b, s), true, Run{});
    const YearOutcome& y = run.years.at(1);
    const risk::CriterionColumns dkg = b.scheme->variable_layout().at(1);
    REQUIRE(dkg.name == "dkg");
    const std::vector<MicroEuro> weights = b.scheme->weights(b.scheme->model().variable);
    const double factor = static_cast<double>(y.baseline.variable_cost) /
                          (static_cast<double>(y.baseline.variable_normative) / (10'000.0 * 365));
    const auto found =
        std::find_if(y.criteria.begin(), y.criteria.end(), [](const auto& e) { return e.criterion == 1; });
    REQUIRE(found != y.criteria.end());
    for (std::size_t i = 0; i < 3; ++i) {
        double euro_days = 0;
        for (const ClassChange& c : run.classes)
            if (c.year == y.year && c.insurer == b.options.insurers[i] && c.column >= dkg.offset &&
                c.column < dkg.offset + dkg.size)
                euro_days += static_cast<double>(c.days_won - c.days_lost) *
                             static_cast<double>(weights[static_cast<std::size_t>(c.column)]);
        // A cent of rounding in each of the three settlements.
        CHECK(static_cast<double>(found->loss[i] + found->gain[i]) ==
              Approx(factor * euro_days / (10'000.0 * 365)).margin(3));
    }
    CHECK(sum(found->loss) < 0);
}

TEST_CASE("cells of the health gap add up to the days and the cost of all insured", "[incentive][oracle]") {
    const Baseline& b = baseline();
    REQUIRE(b.gap->others == 1);
    for (const YearOutcome& y : outcome().years) {
        const YearTotals& t = b.arm(y.year).totals;
        Days days = 0, scenario_days = 0;
        Cents cost = 0, scenario_cost = 0;
        Int128 morbidity = 0, expected = 0;
        for (const GapCell& c : t.gap) {
            days += c.days;
            cost += c.cost;
            morbidity += c.morbidity;
        }
        for (const GapCell& c : y.gap) {
            scenario_days += c.days;
            scenario_cost += c.cost;
        }
        const std::vector<MicroEuro> weights = b.scheme->weights(b.scheme->model().variable);
        const std::vector<Days> national = t.variable.national();
        for (const risk::CriterionColumns& c : b.scheme->variable_layout())
            for (Index k = c.offset; k < c.offset + c.size && c.name != "age_sex"; ++k)
                expected +=
                    static_cast<Int128>(national[static_cast<std::size_t>(k)]) * weights[static_cast<std::size_t>(k)];
        CHECK(days == sum(t.days));
        CHECK(scenario_days == days);
        CHECK(cost == sum(y.baseline.claims));
        CHECK(scenario_cost == sum(y.scenario.claims));
        CHECK((morbidity == expected));
    }
}
