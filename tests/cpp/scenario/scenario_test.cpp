#include "mini_country.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/scenario.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <numeric>
#include <random>
#include <thread>

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Effect;
using substitution::Programme;
using substitution::Substitution;

namespace {

const Baseline& baseline() {
    static const Baseline b = mini::baseline();
    return b;
}

Outcome run(const Baseline& b, const Programme& p, bool decompose = true, int threads = 1) {
    const std::vector<Substitution> s{Substitution{p}};
    return simulate(b, s, survey(b, s), decompose, Run{.threads = threads});
}

Cents sum(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }

/// The country with the programme carried out in its claims, read anew: the world of the scenario as a baseline.
Baseline changed_world(const Baseline& b, const Programme& p) {
    const std::vector<Substitution> s{Substitution{p}};
    const Area area = survey(b, s);
    const Source plain = mini::source();
    const Source source{
        plain.blocks, [&](Index k) {
            const data::Block before = plain.block(k);
            data::Block after{before.records, {}};
            std::size_t r = 0, c = 0;
            while (r < before.records.size()) {
                const std::size_t first = r, claims_first = c;
                const std::int32_t year = year_of(before.records[r].first_day);
                const std::uint64_t person = before.records[r].person;
                while (r < before.records.size() && before.records[r].person == person &&
                       year_of(before.records[r].first_day) == year)
                    ++r;
                while (c < before.claims.size() && before.claims[c].person == person &&
                       year_of(before.claims[c].opened) == year)
                    ++c;
                const std::span records{before.records.data() + first, r - first};
                const std::span claims{before.claims.data() + claims_first, c - claims_first};
                std::vector<data::Claim> out;
                std::vector<substitution::Movement> ignored;
                if (year >= mini::start &&
                    s[0].apply(records, year, claims,
                               s[0].chances(year, area.volumes[0][static_cast<std::size_t>(year - mini::start)],
                                            days_in(year)),
                               b.options.seed, out, ignored))
                    after.claims.insert(after.claims.end(), out.begin(), out.end());
                else after.claims.insert(after.claims.end(), claims.begin(), claims.end());
            }
            return after;
        }};
    return make_baseline(source, b.scheme, b.options, Run{});
}

void check_equal(const YearTotals& a, const YearTotals& b) {
    CHECK(a.variable == b.variable);
    CHECK(a.ggz == b.ggz);
    CHECK(a.deductible == b.deductible);
    CHECK(a.cost_variable == b.cost_variable);
    CHECK(a.own_payments == b.own_payments);
    CHECK(a.ggz_excess == b.ggz_excess);
    CHECK(a == b);
}

void check_equal(const Settlement& a, const Settlement& b) {
    CHECK(a.variable == b.variable);
    CHECK(a.ggz == b.ggz);
    CHECK(a.fixed == b.fixed);
    CHECK(a.expected_own_payments == b.expected_own_payments);
    CHECK(a.own_payments == b.own_payments);
    CHECK(a.claims == b.claims);
    CHECK(a.result == b.result);
    CHECK(a == b);
}

}  // namespace

TEST_CASE("the null programme reaches patients, posts both sides and changes nothing", "[scenario][invariant]") {
    Programme p = mini::programme();
    p.same_product = true;
    p.added_demand_ppm = p.running_cents_per_insured_year_ppm = p.investment = 0;
    p.lines.front().refer_on_ppm = 0;
    p.downstream.clear();
    const Outcome o = run(baseline(), p);
    CHECK(o.patients > 300);
    CHECK(o.replaced == o.patients);
    Cents avoided = 0, replaced = 0;
    for (const MovementTotal& m : o.movements) (m.effect == Effect::avoided ? avoided : replaced) += m.settled;
    CHECK(avoided < -1'000'00);
    CHECK(avoided + replaced == 0);
    CHECK(o.classes.empty());
    for (const YearOutcome& y : o.years) {
        check_equal(y.baseline, y.scenario);
        CHECK(y.baseline_mhk == y.scenario_mhk);
        CHECK(std::all_of(y.weight_change.begin(), y.weight_change.end(), [](MicroEuro w) { return w == 0; }));
        for (const auto& row : y.forward) {
            CHECK(row[0] > 0);  // (a1) and (a2) are posted, and cancel
            CHECK(row[0] + row[1] == 0);
            CHECK(std::all_of(row.begin() + 2, row.end(), [](Cents c) { return c == 0; }));
        }
    }
}

TEST_CASE("the channels sum to the change in result, forward and in reverse", "[scenario][invariant]") {
    for (const bool structural : {true, false}) {
        Options o = mini::options();
        o.pass_through_ppm = 500'000;
        const Baseline b = make_baseline(mini::source(), mini::scheme(structural), o, Run{});
        const Outcome out = run(b, mini::programme());
        std::array<Cents, channel_count> moved{};
        for (const YearOutcome& y : out.years) {
            Cents weights = 0;
            for (std::size_t i = 0; i < 3; ++i) {
                const Cents change = y.scenario.result[i] - y.baseline.result[i];
                CHECK(std::accumulate(y.forward[i].begin(), y.forward[i].end(), Cents{0}) == change);
                CHECK(std::accumulate(y.reverse[i].begin(), y.reverse[i].end(), Cents{0}) == change);
                for (std::size_t k = 0; k < channel_count; ++k) moved[k] += std::abs(y.forward[i][k]);
                weights += y.forward[i][static_cast<std::size_t>(Channel::f_weights)];
            }
            CHECK(weights == 0);  // (f) at the macro total of the baseline: a transfer between insurers
        }
        for (std::size_t k = 0; k < channel_count; ++k) {
            INFO(channel_names[k]);
            if (static_cast<Channel>(k) != Channel::h_settlement) CHECK(moved[k] > 0);  // no fixed care, no GGZ here
        }
    }
}

TEST_CASE("channels a1 to a3 are the movements of claims", "[scenario][oracle]") {
    const Outcome out = run(baseline(), mini::programme());
    for (const YearOutcome& y : out.years) {
        std::map<std::pair<std::uint16_t, Channel>, Cents> of;
        for (const MovementTotal& m : out.movements)
            if (m.year == y.year)
                of[{m.insurer, m.effect == Effect::avoided      ? Channel::a1_hospital_avoided
                               : m.effect == Effect::downstream ? Channel::a3_downstream
                                                                : Channel::a2_replacement}] -= m.settled;
        for (std::size_t i = 0; i < 3; ++i)
            for (const Channel c : {Channel::a1_hospital_avoided, Channel::a2_replacement, Channel::a3_downstream})
                CHECK(y.forward[i][static_cast<std::size_t>(c)] == of[{baseline().options.insurers[i], c}]);
    }
}

TEST_CASE("the small delta gives the bits of a full pass and of the changed world read anew", "[scenario][oracle]") {
    Programme p = mini::programme();
    p.running_cents_per_insured_year_ppm = p.investment = 0;
    SECTION("everybody takes part") {}
    SECTION("one insurer, one municipality, a lump sum, a title that keeps the DKG") {
        p.insurers = {20};
        p.municipalities = {2};
        p.pass_through_ppm = 400'000;
        p.title = Title::designated;
        p.patients_ppm = 100'000;
    }
    SECTION("mental care and nursing follow") {
        p.downstream = {{.category = Category::ggz, .price = 900'00, .probability_ppm = 700'000},
                        {.category = Category::nursing, .price = 500'00, .probability_ppm = 400'000}};
    }
    Options o = mini::options();
    o.macro = MacroRule::fixed;
    o.estimates = false;
    const Baseline b = make_baseline(baseline(), o, Run{});
    const Baseline other = changed_world(b, p);
    const std::vector<Substitution> s{Substitution{p}};
    const Area area = survey(b, s);
    const Outcome out = simulate(b, s, area, false, Run{});
    CHECK(out.patients > 100);
    bool classes_moved = false, excess_moved = false;
    for (const YearOutcome& y : out.years) {
        INFO(y.year);
        const ArmYear pass = full_pass(b, s, area, y.year);
        check_equal(pass.totals, other.arm(y.year).totals);
        if (other.arm(y.year).moments.columns() > 0) CHECK(pass.moments == other.arm(y.year).moments);
        check_equal(y.scenario, settle_baseline(other, y.year));
        classes_moved = classes_moved || !(pass.totals.variable == b.arm(y.year).totals.variable);
        excess_moved = excess_moved || pass.totals.ggz_excess != b.arm(y.year).totals.ggz_excess;
    }
    CHECK(classes_moved);
    CHECK(excess_moved == (p.downstream.front().category == Category::ggz));
}

TEST_CASE("HSM moves three years after the classes it looks at, to the bit of a full pass", "[scenario][oracle]") {
    params::Model m = mini::model();
    params::Criterion hsm;
    hsm.name = "hsm";
    hsm.classes.resize(2);
    hsm.classes.back().code = 1;
    hsm.data_years = {3};
    hsm.of = {"dkg", "mhk"};
    m.variable.criteria.push_back(hsm);
    Options o = mini::options();
    o.macro = MacroRule::fixed;
    o.estimates = false;
    const Baseline b =
        make_baseline(mini::source(), std::make_shared<const risk::Scheme>(m, mini::mapping()), o, Run{});
    Programme p = mini::programme();
    p.running_cents_per_insured_year_ppm = p.investment = 0;
    const Baseline other = changed_world(b, p);
    const std::vector<Substitution> s{Substitution{p}};
    const Area area = survey(b, s);
    const Outcome out = simulate(b, s, area, false, Run{});
    const auto columns = b.scheme->variable_columns();
    for (const YearOutcome& y : out.years) {
        INFO(y.year);
        const ArmYear pass = full_pass(b, s, area, y.year);
        check_equal(pass.totals, other.arm(y.year).totals);
        check_equal(y.scenario, settle_baseline(other, y.year));
        Days moved = 0;
        for (Index i = 0; i < 3; ++i)
            moved +=
                std::abs(pass.totals.variable.at(i, columns - 1) - b.arm(y.year).totals.variable.at(i, columns - 1));
        // Care changes from 2021, classes from 2022, HSM from 2025.
        CHECK((moved != 0) == (y.year >= mini::start + 4));
    }
    // HSM of the first simulated year is the DKG or MHK of 2018, person by person.
    Days morbid = 0, counted = 0;
    for (Index i = 0; i < 3; ++i) morbid += b.arm(mini::start).totals.variable.at(i, columns - 1);
    std::vector<risk::CostLines> cost;
    std::vector<risk::SumLines> sums;
    for (std::size_t k = 0; k < b.cost_years.size(); ++k) {
        cost.push_back(b.cost_years[k].lines);
        sums.push_back(b.nursing[k].lines);
    }
    const View view{b.panel.get(), b.scheme.get(), &b.cost_years, &cost, &sums, nullptr, nullptr, o.seed};
    for (Index k = 0; k < b.panel->persons(); ++k) {
        const auto before = b.panel->records_of(k, mini::start - 3);
        if (before.empty()) continue;
        risk::Health then;
        view.health(k, mini::start - 3, before.front(), then);
        if (!then.any_dkg && then.mhk == 0) continue;
        for (const data::Record& r : b.panel->records_of(k, mini::start))
            if (r.region != 0) counted += static_cast<Days>(r.last_day - r.first_day + 1) * r.represents;
    }
    CHECK(morbid == counted);
    CHECK(morbid > 0);
}

TEST_CASE("a structure without weights has a baseline and no simulation", "[scenario][invariant]") {
    params::Model m = mini::model();
    m.weighted = false;
    const Baseline b =
        make_baseline(mini::source(), std::make_shared<const risk::Scheme>(m, mini::mapping()), mini::options(), Run{});
    CHECK(b.arm(mini::start).fit.coefficients.size() == static_cast<std::size_t>(b.scheme->variable_columns()));
    CHECK_THROWS_WITH(run(b, mini::programme()), Catch::Contains("weights of the variable share"));
}

TEST_CASE("new weights are those estimated on the changed world", "[scenario][oracle]") {
    const Baseline& b = baseline();
    const std::vector<Substitution> s{Substitution{mini::programme()}};
    const Area area = survey(b, s);
    const Outcome out = simulate(b, s, area, false, Run{});
    for (const YearOutcome& y : out.years) {
        if (y.year < mini::start + b.options.estimation_lag) {
            CHECK(std::all_of(y.weight_change.begin(), y.weight_change.end(), [](MicroEuro w) { return w == 0; }));
            continue;
        }
        const std::int32_t e = y.year - b.options.estimation_lag;
        estimation::Specification spec = b.specification;
        spec.days_in_year = days_in(e);
        spec.inference = false;
        const auto fit = estimation::estimate(full_pass(b, s, area, e).moments, spec);
        const auto& before = b.arm(e).fit;
        std::int64_t moved = 0;
        for (std::size_t k = 0; k < fit.coefficients.size(); ++k) {
            const bool both = !fit.empty[k] && !before.empty[k];
            CHECK(y.weight_change[k] ==
                  (both ? std::llround((fit.coefficients[k] - before.coefficients[k]) * 1e6) : 0));
            moved += y.weight_change[k] != 0;
        }
        CHECK(moved > 10);
    }
}

TEST_CASE("two threads work at the same time and give the bits of one", "[scenario][threads]") {
    // Every first block waits until a second one has been begun: with one thread at work this would not end.
    std::atomic<int> begun{0};
    const Source plain = mini::source();
    const Source waiting{plain.blocks, [&](Index k) {
                             ++begun;
                             const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
                             while (begun < 2 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
                             return plain.block(k);
                         }};
    std::vector<std::vector<Cents>> ignored;
    std::vector<Index> work;
    const Panel panel =
        read_panel(waiting, *baseline().scheme, mini::options(), ignored, Run{.threads = 2, .work_per_thread = &work});
    CHECK(work.size() == 2);
    CHECK(std::all_of(work.begin(), work.end(), [](Index n) { return n > 0; }));
    CHECK(panel.care == baseline().panel->care);
    CHECK(panel.cost == baseline().panel->cost);

    const Baseline two = mini::baseline(true, 2);
    for (std::size_t k = 0; k < two.years.size(); ++k) {
        CHECK(two.years[k].totals == baseline().years[k].totals);
        CHECK(two.years[k].moments == baseline().years[k].moments);
        CHECK(two.years[k].fit.coefficients == baseline().years[k].fit.coefficients);
    }
    const Outcome a = run(baseline(), mini::programme(), true, 1), b = run(two, mini::programme(), true, 2);
    for (std::size_t k = 0; k < a.years.size(); ++k) {
        check_equal(a.years[k].scenario, b.years[k].scenario);
        CHECK(a.years[k].forward == b.years[k].forward);
        CHECK(a.years[k].reverse == b.years[k].reverse);
        CHECK(a.years[k].weight_change == b.years[k].weight_change);
    }
}

TEST_CASE("blocks may be cut anywhere between persons", "[scenario][invariant]") {
    const Source whole{1, [](Index) { return mini::block(0, 600); }};
    const Baseline one = make_baseline(whole, baseline().scheme, mini::options(), Run{});
    for (std::size_t k = 0; k < one.years.size(); ++k) CHECK(one.years[k].totals == baseline().years[k].totals);
}

TEST_CASE("a programme moves thresholds, and others over the line with them", "[scenario][invariant]") {
    const Outcome out = run(baseline(), mini::programme());
    std::int64_t lines = 0;
    Days lost = 0, won = 0;
    for (const YearOutcome& y : out.years) lines += !(y.baseline_mhk == y.scenario_mhk);
    const Index mhk = baseline().scheme->variable_layout().back().offset;
    REQUIRE(baseline().scheme->variable_layout().back().name == "mhk");
    for (const ClassChange& c : out.classes) {
        CHECK(c.column >= baseline().scheme->variable_layout()[1].offset);  // age and sex stay
        if (c.column < mhk) continue;
        lost += c.days_lost;
        won += c.days_won;
    }
    CHECK(lines >= 5);
    CHECK(lost > 0);
    CHECK(won == lost);  // an MHK class is exchanged for another one, `none` included
}

TEST_CASE("in the first year no class, neutrality or weight moves yet, scaling does", "[scenario][published]") {
    const Outcome out = run(baseline(), mini::programme());
    const YearOutcome& first = out.years.front();
    for (std::size_t i = 0; i < 3; ++i) {
        for (const Channel c :
             {Channel::c1_classes, Channel::c2_thresholds, Channel::e1_neutrality, Channel::f_weights})
            CHECK(first.forward[i][static_cast<std::size_t>(c)] == 0);
        CHECK(first.forward[i][static_cast<std::size_t>(Channel::e2_scaling)] != 0);
    }
}

TEST_CASE("a saver who takes part alone keeps 1 - n + phi a of its saving in the first year", "[scenario][oracle]") {
    // model.md 12.5(a) through the whole engine: the contribution moves through scaling and the flat step only.
    Programme p = mini::programme();
    p.insurers = {10};
    p.patients_ppm = 60'000;
    p.added_demand_ppm = 0;
    const Outcome out = run(baseline(), p);
    const YearOutcome& y = out.years.front();
    const YearTotals& t = baseline().arm(mini::start).totals;
    const Cents saving = sum(y.baseline.claims) - sum(y.scenario.claims);
    REQUIRE(saving > 1'000'00);
    CHECK(y.baseline.claims[1] == y.scenario.claims[1]);
    // n: share of the variable share before scaling and flat step, taken from what is paid: P_i = N_i C/N - (C - N) a_i.
    const double adults = static_cast<double>(std::accumulate(t.adult_days.begin(), t.adult_days.end(), Days{0}));
    const double cost = static_cast<double>(y.baseline.variable_cost);
    const double national = static_cast<double>(y.baseline.variable_normative) / (1e4 * days_in(mini::start));
    const double a = static_cast<double>(t.adult_days[0]) / adults;
    const double n = (static_cast<double>(y.baseline.variable[0]) + (cost - national) * a) / cost;
    const double contribution = static_cast<double>(y.forward[0][static_cast<std::size_t>(Channel::e2_scaling)]);
    CHECK(contribution ==
          Approx(-static_cast<double>(saving) * (n - a)).margin(2));  // phi = 1; cents of two allocations
}

namespace {

/// Totals of a year of the whole 2021 model, drawn: what counts is that every class is there, not that it could be.
YearTotals drawn_totals(const risk::Scheme& scheme, std::size_t insurers, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    const auto upto = [&](std::int64_t top) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(top));
    };
    const auto classes = [&](Index columns) {
        payment::ClassTotals totals{static_cast<Index>(insurers), columns};
        for (Index i = 0; i < totals.insurers(); ++i)
            for (Index k = 0; k < columns; ++k) totals.add(i, k, upto(2'000'000));
        return totals;
    };
    YearTotals t;
    t.variable = classes(scheme.variable_columns());
    t.ggz = classes(scheme.ggz_columns());
    t.deductible = classes(scheme.deductible_columns());
    for (std::size_t i = 0; i < insurers; ++i) {
        t.days.push_back(upto(90'000'000));
        t.adult_days.push_back(t.days.back() - upto(t.days.back() + 1));
        t.under_18.push_back(upto(50'000));
        for (auto* column : {&t.cost_variable, &t.cost_ggz, &t.cost_fixed, &t.own_payments, &t.own_payments_mandatory})
            column->push_back(upto(50'000'000'000));
        t.ggz_excess.push_back(upto(1'000'000'000'000'000));
    }
    return t;
}

void check_same_payment(const Baseline& b, std::int32_t year) {
    const payment::Totals totals = payment_totals(b.arm(year).totals);
    const params::Model& model = b.scheme->model();
    const payment::Statement paid = payment::pay(model, totals, payment_terms(b, year, payment::Stage::final));
    const Settlement settled = settle_baseline(b, year);
    CHECK(paid.contribution == settled.contribution);
    CHECK(paid.shares.at(0).target == settled.variable_target);
    CHECK(paid.shares.at(0).factor == Approx(settled.variable_factor));
    CHECK(paid.shares.at(1).target == settled.ggz_target);
    const payment::Statement granted = payment::pay(model, totals, payment_terms(b, year, payment::Stage::ex_ante));
    CHECK(granted.contribution == ex_ante_baseline(b, year).contribution);
}

}  // namespace

TEST_CASE("the statement of a year is to the cent the settlement that the decomposition starts from",
          "[scenario][oracle]") {
    for (const bool structural : {true, false}) {
        const Baseline b = mini::baseline(structural);
        for (const std::int32_t year : {mini::start, mini::start + 3}) check_same_payment(b, year);
        CHECK(sum(payment_totals(b.arm(mini::start).totals).shares.at(1).excess) > 0);
    }
}

TEST_CASE("so it is with all classes of nl-2021 and nl-2021-structural, on drawn countries", "[scenario][oracle]") {
    for (const auto* model : {&params::nl_2021(), &params::nl_2021_structural()}) {
        Baseline b;
        b.scheme = std::make_shared<const risk::Scheme>(*model, risk::Mapping{});
        b.first_class_year = 2018;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const std::size_t insurers = 1 + seed % 5;
            b.options.rounding = seed % 2 == 0 ? payment::Rounding::legal : payment::Rounding::exact;
            b.options.insurers.assign(insurers, 0);
            b.years.clear();
            for (std::uint64_t k = 0; k < 4; ++k) {
                ArmYear& arm = b.years.emplace_back();
                arm.year = 2018 + static_cast<std::int32_t>(k);
                arm.totals = drawn_totals(*b.scheme, insurers, 4 * seed + k);
            }
            check_same_payment(b, 2021);
        }
    }
}

TEST_CASE("options that cannot be are refused together", "[scenario][invariant]") {
    Options o = mini::options();
    o.insurers.clear();
    o.horizon = 0;
    o.threshold_ppm = 0;
    o.first_year = 2019;
    try {
        (void)make_baseline(mini::source(), baseline().scheme, o, Run{});
        FAIL("accepted");
    } catch (const ParameterError& error) {
        CHECK(error.problems().size() == 4);
    }
    for (const std::int64_t ppm : {std::int64_t{-1}, std::int64_t{1'000'000'001}, std::int64_t{20'000'000'000'000}}) {
        o = mini::options();
        o.threshold_ppm = ppm;
        CHECK_THROWS_WITH(make_baseline(mini::source(), baseline().scheme, o, Run{}),
                          Catch::Contains("threshold factor"));
    }
    o = mini::options();
    o.last_year = 2026;
    CHECK_THROWS_AS(make_baseline(mini::source(), baseline().scheme, o, Run{}), ParameterError);
    Programme early = mini::programme();
    early.start_year = 2020;
    CHECK_THROWS_AS(run(baseline(), early), ParameterError);
}

TEST_CASE("records and claims that cannot be are refused by kind, count and row, never by value",
          "[scenario][invariant]") {
    const auto refused = [](auto&& spoil, const std::string& what) {
        data::Block b = mini::block(0, 20);
        spoil(b);
        const Source s{1, [&](Index) { return b; }};
        try {
            (void)make_baseline(s, baseline().scheme, mini::options(), Run{});
            FAIL("accepted: " + what);
        } catch (const DomainError& error) {
            CHECK_THAT(error.what(), Catch::Contains(what));
        }
    };
    refused([](data::Block& b) { b.records[3].last_day = b.records[3].first_day - 1; }, "one calendar year");
    refused([](data::Block& b) { b.records[3].insurer = 77; }, "insurer");
    refused([](data::Block& b) { b.records.insert(b.records.begin() + 3, b.records[3]); },
            "two insurers on the same day");
    refused([](data::Block& b) { std::swap(b.records[0], b.records[1]); }, "not sorted");
    refused([](data::Block& b) { b.records[0].sex = 0; }, "sex");
    refused([](data::Block& b) { b.records[0].represents = 0; }, "represents");
    refused([](data::Block& b) { b.claims[0].person = 999'999; }, "persons without a record");
    refused([](data::Block& b) { b.claims[0].insurer = 20 + (b.claims[0].insurer == 20 ? 10 : 0); },
            "an insurer of the person");
    refused(
        [](data::Block& b) {
            b.records[0].sex = 9;
            b.records[1].insurer = 77;
        },
        "sex");
}

TEST_CASE("a survey of other years is refused, not read past its end", "[scenario][invariant]") {
    const std::vector<Substitution> s{Substitution{mini::programme()}};
    Options o = mini::options();
    o.horizon = 4;
    const Area shorter = survey(make_baseline(baseline(), o, Run{}), s);
    CHECK_THROWS_AS(simulate(baseline(), s, shorter, false, Run{}), ShapeError);
    o = mini::options();
    o.start = 2022;
    o.horizon = 6;
    Area later = survey(make_baseline(baseline(), o, Run{}), s);
    later.candidates.emplace_back(0, 2021 + 7);
    later.volumes[0].resize(7);
    CHECK_THROWS_AS(simulate(baseline(), s, later, false, Run{}), ShapeError);
}

TEST_CASE("a survey of programmes with other rules, or without contracts, is refused", "[scenario][invariant]") {
    Programme p = mini::programme();
    const std::vector<Substitution> plain{Substitution{p}};
    const Area area = survey(baseline(), plain);
    const auto refused = [&](const Programme& other) {
        const std::vector<Substitution> s{Substitution{other}};
        CHECK_THROWS_AS(simulate(baseline(), s, area, false, Run{}), ShapeError);
        CHECK_NOTHROW(simulate(baseline(), s, survey(baseline(), s), false, Run{}));
    };
    p.contracts.resize(1);
    refused(p);
    p = mini::programme();
    p.rules.resize(1);
    p.rules.front().key = "late";
    refused(p);
}
