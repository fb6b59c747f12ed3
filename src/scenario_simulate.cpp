#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/scenario/simulate.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

namespace anderhalf::scenario {

using substitution::Effect;
using substitution::Movement;
using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }
[[nodiscard]] bool on(const Channels& c, Channel k) { return c.test(static_cast<std::size_t>(k)); }

/// Care and cost of the persons that the programme reached, laid over the panel.
struct Overlay {
    std::vector<std::int32_t> care_at, cost_at;  // by cell, by record; -1 unchanged
    std::vector<risk::CareYear> care;
    std::vector<RecordCost> cost;
    std::vector<std::pair<std::uint32_t, std::int32_t>> touched;  // (person index, year), ascending by year
    std::vector<Movement> movements;
    std::int64_t patients_rows = 0;

    [[nodiscard]] const RecordCost& cost_of(const Panel& panel, std::size_t record) const {
        const std::int32_t k = cost_at[record];
        return k >= 0 ? cost[at(k)] : panel.cost[record];
    }
};

[[nodiscard]] Overlay apply(const Baseline& b, const Substitution& programme, const Area& area) {
    const Panel& panel = *b.panel;
    const bool same_years = std::all_of(area.candidates.begin(), area.candidates.end(), [&](const auto& c) {
        return c.first < panel.persons() && c.second >= b.options.start &&
               c.second < b.options.start + b.options.horizon;
    });
    if (static_cast<std::int32_t>(area.volumes.size()) != b.options.horizon || !same_years)
        throw ShapeError{
            {{"simulate", "area", "a survey of this baseline and its years", "one of other years or persons"}}};
    Overlay o;
    o.care_at.assign(panel.care.size(), -1);
    o.cost_at.assign(panel.cost.size(), -1);
    std::vector<substitution::Chances> chances;
    for (std::int32_t k = 0; k < b.options.horizon; ++k)
        chances.push_back(programme.chances(b.options.start + k, area.volumes[at(k)], days_in(b.options.start + k)));
    std::vector<data::Claim> claims;
    for (const auto& [p, year] : area.candidates) {
        const auto records = panel.records_of(p, year);
        const std::size_t before = o.movements.size();
        if (!programme.apply(records, year, panel.claims_of(p, year), chances[at(year - b.options.start)],
                             b.options.seed, claims, o.movements))
            continue;
        o.patients_rows += static_cast<std::int64_t>(std::count_if(
            o.movements.begin() + static_cast<std::ptrdiff_t>(before), o.movements.end(), [](const Movement& m) {
                return m.effect == Effect::replacement || m.effect == Effect::added || m.effect == Effect::referred_on;
            }));
        o.touched.emplace_back(p, year);
        risk::CareYear care = b.scheme->read(claims);
        care.insured = 1;
        care.residents = panel.care[panel.cell(p, year)].residents;
        care.whole_year = panel.care[panel.cell(p, year)].whole_year;
        o.care_at[panel.cell(p, year)] = static_cast<std::int32_t>(o.care.size());
        o.care.push_back(care);
        std::vector<RecordCost> cost(records.size());
        for (const data::Claim& c : claims) detail::add_cost(*b.scheme, c, cost[at(detail::record_of(records, c))]);
        for (std::size_t r = 0; r < records.size(); ++r) {
            o.cost_at[at(&records[r] - panel.records.data())] = static_cast<std::int32_t>(o.cost.size());
            o.cost.push_back(cost[r]);
        }
    }
    return o;
}

/// Rankings of a year with the touched persons' entries exchanged.
[[nodiscard]] std::vector<risk::Ranked> exchange(const std::vector<risk::Ranked>& ranked, std::vector<risk::Ranked> out,
                                                 std::vector<risk::Ranked> in) {
    std::sort(out.begin(), out.end());
    std::sort(in.begin(), in.end());
    std::vector<risk::Ranked> kept, result;
    kept.reserve(ranked.size());
    std::set_difference(ranked.begin(), ranked.end(), out.begin(), out.end(), std::back_inserter(kept));
    result.reserve(kept.size() + in.size());
    std::merge(kept.begin(), kept.end(), in.begin(), in.end(), std::back_inserter(result));
    return result;
}

/// Marks the persons between an old and a new line.
void mark_between(const std::vector<risk::Ranked>& ranked, const std::vector<risk::Line>& before,
                  const std::vector<risk::Line>& after, std::vector<char>& mark) {
    for (std::size_t k = 0; k < before.size(); ++k) {
        if (before[k] == after[k]) continue;
        const auto position = [&](const risk::Line& l) {
            const risk::Ranked at_line{l.cost, l.key, l.person, 0, 1};
            return std::upper_bound(ranked.begin(), ranked.end(), at_line);
        };
        auto first = position(before[k]), last = position(after[k]);
        if (last < first) std::swap(first, last);
        for (; first != last; ++first) mark[first->index] = 1;
    }
}

/// The lines of all years with the programme.
struct Lines {
    std::vector<risk::CostLines> cost;
    std::vector<risk::SumLines> sums;
    std::vector<char> ggz_changed;  // by calendar year
};

[[nodiscard]] Lines new_lines(const Baseline& b, const Overlay& o, const View& changed) {
    const Panel& panel = *b.panel;
    Lines lines;
    lines.ggz_changed.assign(at(panel.years), 0);
    std::vector<char> nursing_changed(at(panel.years), 0);
    std::vector<std::vector<std::uint32_t>> touched(at(panel.years));
    for (const auto& [p, year] : o.touched) touched[at(year - panel.first_year)].push_back(p);
    for (std::int32_t y = 0; y < panel.years; ++y) {
        const CostYear& base = b.cost_years[at(y)];
        lines.cost.push_back(base.lines);
        const std::int32_t year = panel.first_year + y;
        if (touched[at(y)].empty()) continue;
        std::vector<risk::Ranked> out, in, ggz_out, ggz_in;
        for (const std::uint32_t p : touched[at(y)]) {
            const risk::CareYear &before = panel.care[panel.cell(p, year)], &after = changed.care(p, year);
            const std::uint64_t person = panel.person[p], key = risk::tie_key(b.options.seed, person, year);
            const std::uint16_t represents = panel.records_of(p, year).front().represents;
            const auto swap = [&](Cents old_cost, Cents new_cost, auto& from, auto& to) {
                if (old_cost == new_cost) return;
                if (old_cost > 0) from.push_back({old_cost, key, person, p, represents});
                if (new_cost > 0) to.push_back({new_cost, key, person, p, represents});
            };
            swap(before.mhk_cost, after.mhk_cost, out, in);
            if (detail::ranked_for_mental_care(*b.scheme, panel.records_of(p, year).front(), year))
                swap(before.ggz_cost, after.ggz_cost, ggz_out, ggz_in);
            if (before.nursing_cost != after.nursing_cost) nursing_changed[at(y)] = 1;
        }
        if (out.empty() && in.empty() && ggz_out.empty() && ggz_in.empty()) continue;
        CostYear next;
        next.insured = base.insured;
        next.adults = base.adults;
        next.mhk = exchange(base.mhk, std::move(out), std::move(in));
        lines.ggz_changed[at(y)] = ggz_out.empty() && ggz_in.empty() ? 0 : 1;
        next.ggz = exchange(base.ggz, std::move(ggz_out), std::move(ggz_in));
        detail::rank_cost_year(*b.scheme, b.options, next);
        lines.cost.back() = next.lines;
    }
    for (std::int32_t y = 0; y < panel.years; ++y) {
        lines.sums.push_back(b.nursing[at(y)].lines);
        bool moved = false;
        for (const std::int32_t lag : b.scheme->data_years("mvv"))
            if (y - lag >= 0) moved = moved || nursing_changed[at(y - lag)] != 0;
        if (!moved || panel.first_year + y < b.first_class_year) continue;
        NursingSum next;
        const std::int32_t t = panel.first_year + y;
        for (Index p = 0; p < panel.persons(); ++p) {  // a full pass: nursing is rarely moved
            const auto records = panel.records_of(p, t - 1);
            if (records.empty()) continue;
            const bool adult = b.scheme->age(records.front(), t) >= b.scheme->model().adult_age;
            (adult ? next.insured_adults : next.insured_children) += records.front().represents;
            const Cents sum = detail::nursing_sum(changed, p, t, adult);
            if (sum <= 0) continue;
            const std::uint64_t person = panel.person[at(p)];
            (adult ? next.adults : next.children)
                .push_back({sum, risk::tie_key(b.options.seed, person, t), person, static_cast<std::uint32_t>(p),
                            records.front().represents});
        }
        detail::rank_nursing(*b.scheme, next);
        lines.sums.back() = next.lines;
    }
    return lines;
}

/// Expected counts for neutrality of year t in one arm.
template <class ArmOf, class Pick>
[[nodiscard]] payment::Counts expected(const Baseline& b, std::int32_t t, ArmOf&& arm_of, Pick&& pick) {
    const Options& o = b.options;
    const auto days = [&](const YearTotals& totals) {
        return std::accumulate(totals.days.begin(), totals.days.end(), Days{0});
    };
    switch (o.expected_counts) {
        case ExpectedCounts::baseline: return {pick(b.arm(t).totals).national()};
        case ExpectedCounts::actual: return {pick(arm_of(t)).national()};
        case ExpectedCounts::lagged: break;
    }
    const YearTotals& earlier = arm_of(t - o.expected_lag);
    return {pick(earlier).national(), days(arm_of(t)), days(earlier)};
}

/// Everything needed to settle one year in any mixture of baseline and scenario.
struct Desk {
    const Baseline* b = nullptr;
    std::int32_t year = 0;
    const YearTotals* base = nullptr;
    const YearTotals* scen = nullptr;
    const payment::ClassTotals *c1 = nullptr, *c2 = nullptr;  // own claims only; thresholds only
    payment::Counts expected_base, expected_scen;             // variable share
    std::vector<MicroEuro> official, changed;                 // variable weights
    std::vector<Cents> a1, a2, a3, programme;                 // by insurer
    Cents macro_change = 0;
    // Of the baseline, once.
    payment::National national_base{}, ggz_base{};
    std::vector<MicroEuro> ggz_weights, deductible_weights;
};

[[nodiscard]] std::vector<Cents> sum_of(const std::vector<Cents>& a, const std::vector<Cents>& b, Cents sign = 1) {
    std::vector<Cents> result = a;
    for (std::size_t k = 0; k < a.size(); ++k) result[k] += sign * b[k];
    return result;
}
[[nodiscard]] Cents total(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }
[[nodiscard]] Int128 total(const std::vector<Int128>& v) { return std::accumulate(v.begin(), v.end(), Int128{0}); }

[[nodiscard]] payment::Counts realised(const payment::ClassTotals& totals) { return {totals.national()}; }

[[nodiscard]] std::vector<MicroEuro> neutral_variable(const Desk& d, const std::vector<MicroEuro>& weights,
                                                      bool scenario) {
    const risk::Scheme& s = *d.b->scheme;
    return payment::neutral(s.variable_layout(), s.model().neutrality, "variable", weights,
                            scenario ? d.expected_scen : d.expected_base,
                            realised(scenario ? d.scen->variable : d.base->variable), d.b->options.rounding);
}

[[nodiscard]] Settlement settle(const Desk& d, const Channels& c) {
    const risk::Scheme& scheme = *d.b->scheme;
    const params::Model& model = scheme.model();
    const Days year_days = days_in(d.year);
    const bool c1 = on(c, Channel::c1_classes), c2 = on(c, Channel::c2_thresholds), e1 = on(c, Channel::e1_neutrality);
    const bool e2 = on(c, Channel::e2_scaling), f = on(c, Channel::f_weights), g = on(c, Channel::g_macro);
    const bool h = on(c, Channel::h_settlement);
    Settlement s;

    // Variable share.
    const payment::ClassTotals& classes = c1 && c2 ? d.scen->variable : c1 ? *d.c1 : c2 ? *d.c2 : d.base->variable;
    const std::vector<Int128> n_official = payment::normative(classes, neutral_variable(d, d.official, e1));
    const std::vector<Int128> n = f ? payment::normative(classes, neutral_variable(d, d.changed, e1)) : n_official;
    const Int128 macro = total(n_official) + (g ? static_cast<Int128>(d.macro_change) * micro_per_cent * year_days : 0);
    payment::ShareInput in;
    in.normative = n;
    in.days_in_year = year_days;
    in.flat_ppm = model.flat_ppm_variable;
    in.adult_days = d.base->adult_days;
    if (f || g) in.level_to_from = {macro, total(n)};
    in.national = e2 ? payment::National{total(d.scen->cost_variable), macro} : d.national_base;
    const payment::ShareResult variable = payment::settle(in);
    s.variable = variable.paid;
    s.variable_target = variable.target;
    s.variable_factor = variable.factor;
    s.variable_normative = macro;
    s.variable_cost = in.national.cost;
    s.scaled_normative = in.national.normative;

    // GGZ share; its classes follow own claims, its neutrality and counts are those of the arm in force.
    const YearTotals& ggz = c1 ? *d.scen : *d.base;
    payment::ShareInput gin;
    gin.normative = payment::normative(ggz.ggz, d.ggz_weights);
    gin.days_in_year = year_days;
    gin.flat_ppm = model.flat_ppm_ggz;
    gin.adult_days = d.base->adult_days;
    gin.excess = h ? d.scen->ggz_excess : d.base->ggz_excess;
    gin.national = e2 ? payment::National{total(d.scen->cost_ggz), total(gin.normative)} : d.ggz_base;
    const payment::ShareResult mental = payment::settle(gin);
    s.ggz = mental.paid;
    s.ggz_target = mental.target;
    s.ggz_factor = mental.factor;

    s.fixed = h ? d.scen->cost_fixed : d.base->cost_fixed;
    s.nursing.assign(s.fixed.size(), 0);

    // Expected own payments.
    const YearTotals& own = on(c, Channel::d_expected_own_payments) ? *d.scen : *d.base;
    const std::vector<Int128> expected_own = payment::normative(own.deductible, d.deductible_weights);
    const YearTotals& patients = on(c, Channel::b_own_payments) ? *d.scen : *d.base;
    s.own_payments = patients.own_payments;
    s.expected_own_payments =
        model.own_payments_macro_corrected
            ? payment::own_payments_corrected(expected_own, total(patients.own_payments_mandatory), year_days,
                                              model.own_payments_flat_ppm, d.base->adult_days)
            : payment::ex_ante(expected_own, year_days);

    // Calculation premium: the premium part of the macro amount, per adult; premiums charged follow it.
    s.calculation_premium = model.calculation_premium;
    if (g && model.macro_total > 0) {
        const Days adults = std::accumulate(d.base->adult_days.begin(), d.base->adult_days.end(), Days{0});
        s.calculation_premium += static_cast<Cents>(std::llround(
            static_cast<double>(d.macro_change) * static_cast<double>(model.revenue_premium) /
            static_cast<double>(model.macro_total) * static_cast<double>(year_days) / static_cast<double>(adults)));
    }
    s.premium_deducted = payment::per_insured_year(s.calculation_premium, d.base->adult_days, year_days);
    s.premium = s.premium_deducted;
    s.administration.resize(d.base->under_18.size());
    for (std::size_t i = 0; i < s.administration.size(); ++i)
        s.administration[i] = model.administration_under_18 * d.base->under_18[i];

    s.claims = sum_of(sum_of(d.base->cost_variable, d.base->cost_ggz), d.base->cost_fixed);
    if (on(c, Channel::a1_hospital_avoided)) s.claims = sum_of(s.claims, d.a1);
    if (on(c, Channel::a2_replacement)) s.claims = sum_of(s.claims, d.a2);
    if (on(c, Channel::a3_downstream)) s.claims = sum_of(s.claims, d.a3);
    s.programme_cost = d.programme;
    if (!on(c, Channel::i_transfers)) s.programme_cost.assign(d.programme.size(), 0);
    s.premium_response.assign(d.programme.size(), 0);

    s.contribution = sum_of(sum_of(s.variable, s.ggz), s.fixed);
    s.contribution = sum_of(sum_of(s.contribution, s.premium_deducted, -1), s.expected_own_payments, -1);
    s.contribution = sum_of(s.contribution, s.administration);
    s.result = sum_of(sum_of(s.premium, s.contribution), s.own_payments);
    s.result = sum_of(sum_of(s.result, s.claims, -1), s.programme_cost, -1);
    return s;
}

/// The weights that hold in the settlement: those of the grant where the regulation has no others (2020 has: art. 11(2)).
[[nodiscard]] const params::Share& ex_post(const params::Share& settlement, const params::Share& grant) {
    return settlement.criteria.empty() ? grant : settlement;
}

/// GGZ and deductible weights after their neutrality; both arms share those of the baseline, since no count of theirs is
/// an incentive of hospital substitution: AVI is demography, and GGZ classes do not follow from hospital care.
void prepare_shared_weights(Desk& d) {
    const risk::Scheme& s = *d.b->scheme;
    const params::Model& model = s.model();
    const bool compensated = std::any_of(model.high_cost.begin(), model.high_cost.end(),
                                         [](const params::HighCost& h) { return h.share == "ggz"; });
    const params::Share& ggz = compensated ? model.ggz_hcc : ex_post(model.ggz_ex_post, model.ggz);
    const auto base_of = [&](std::int32_t t) -> const YearTotals& { return d.b->arm(t).totals; };
    d.ggz_weights = payment::neutral(
        s.ggz_layout(), model.neutrality, compensated ? "ggz_hcc" : "ggz", s.weights(ggz),
        expected(*d.b, d.year, base_of, [](const YearTotals& t) -> const payment::ClassTotals& { return t.ggz; }),
        realised(d.base->ggz), d.b->options.rounding);
    d.deductible_weights = s.weights(ex_post(model.deductible_ex_post, model.deductible));
    d.deductible_weights.push_back(model.forfait_ex_post * micro_per_cent);
    const payment::Counts want = expected(
        *d.b, d.year, base_of, [](const YearTotals& t) -> const payment::ClassTotals& { return t.deductible; });
    d.deductible_weights = payment::neutral(s.deductible_layout(), model.neutrality, "deductible", d.deductible_weights,
                                            want, realised(d.base->deductible), d.b->options.rounding);
}

[[nodiscard]] Desk baseline_desk(const Baseline& b, std::int32_t year) {
    Desk d;
    d.b = &b;
    d.year = year;
    d.base = d.scen = &b.arm(year).totals;
    d.c1 = d.c2 = &d.base->variable;
    const auto base_of = [&](std::int32_t t) -> const YearTotals& { return b.arm(t).totals; };
    d.expected_base = d.expected_scen =
        expected(b, year, base_of, [](const YearTotals& t) -> const payment::ClassTotals& { return t.variable; });
    d.official = d.changed = b.scheme->weights(ex_post(b.scheme->model().variable_ex_post, b.scheme->model().variable));
    d.a1 = d.a2 = d.a3 = d.programme = std::vector<Cents>(b.options.insurers.size());
    prepare_shared_weights(d);
    d.national_base = {total(d.base->cost_variable),
                       total(payment::normative(d.base->variable, neutral_variable(d, d.official, false)))};
    d.ggz_base = {total(d.base->cost_ggz), total(payment::normative(d.base->ggz, d.ggz_weights))};
    return d;
}

[[nodiscard]] std::vector<MicroEuro> moved_weights(const std::vector<MicroEuro>& official,
                                                   const estimation::Fit& scenario, const estimation::Fit& baseline) {
    std::vector<MicroEuro> weights = official;
    for (std::size_t k = 0; k < weights.size(); ++k)
        if (!scenario.empty[k] && !baseline.empty[k])
            weights[k] += std::llround((scenario.coefficients[k] - baseline.coefficients[k]) *
                                       static_cast<double>(micro_per_euro));
    return weights;
}

void decompose(const Desk& d, YearOutcome& y) {
    const std::size_t insurers = d.programme.size();
    y.forward.assign(insurers, {});
    y.reverse.assign(insurers, {});
    const auto walk = [&](bool forward, auto& out) {
        Channels c;
        std::vector<Cents> before = settle(d, c).result;
        for (std::size_t step = 0; step + 1 < channel_count; ++step) {
            const std::size_t k = forward ? step : channel_count - 2 - step;
            c.set(k);
            const std::vector<Cents> after = settle(d, c).result;
            for (std::size_t i = 0; i < insurers; ++i) out[i][k] = after[i] - before[i];
            before = after;
        }
    };
    walk(true, y.forward);
    walk(false, y.reverse);
}

}  // namespace

Area survey(const Baseline& b, const Substitution& programme) {
    const Panel& panel = *b.panel;
    Area area;
    area.volumes.resize(at(b.options.horizon));
    for (std::int32_t k = 0; k < b.options.horizon; ++k) {
        const std::int32_t year = b.options.start + k;
        for (Index p = 0; p < panel.persons(); ++p) {
            const auto records = panel.records_of(p, year);
            if (std::none_of(records.begin(), records.end(),
                             [&](const data::Record& r) { return programme.in_area(r.municipality); }))
                continue;
            const auto claims = panel.claims_of(p, year);
            programme.count(records, claims, area.volumes[at(k)]);
            const bool candidate = std::any_of(claims.begin(), claims.end(), [&](const data::Claim& c) {
                return c.category == Category::gp || programme.line_of(c) != nullptr;
            });
            if (candidate) area.candidates.emplace_back(static_cast<std::uint32_t>(p), year);
        }
    }
    return area;
}

bool needs_statement(const params::Model& model) {
    const auto other = [](const params::HighCost& h) { return h.share != "ggz" || h.threshold > 0; };
    return !model.nursing.criteria.empty() || !model.bandwidth.empty() || !model.abroad.empty() ||
           model.detained_ppb != 0 || model.fixed_settled_ppm != 1'000'000 || model.high_cost.size() > 1 ||
           std::any_of(model.high_cost.begin(), model.high_cost.end(), other);
}

payment::Statement state(const Baseline& b, std::int32_t year, payment::Stage stage) {
    const risk::Scheme& scheme = *b.scheme;
    const params::Model& model = scheme.model();
    const YearTotals& t = b.arm(year).totals;
    const bool settled = stage != payment::Stage::ex_ante;
    Problems<ParameterError> problems;
    for (const params::HighCost& h : model.high_cost)
        problems.require(h.share == "ggz" && h.threshold == 0 && model.high_cost.size() == 1, model.name,
                         "high-cost compensation of a synthetic year", "one of mental care, by its top users", h.share);
    problems.throw_if_any();

    const auto shares = [&](const YearTotals& of) {
        std::vector<payment::ShareTotals> result;
        result.push_back({"variable", of.variable, of.variable_abroad, {}, {}});
        result.push_back({"ggz", of.ggz, of.ggz_abroad, {}, {}});
        if (scheme.nursing_columns() > 0) result.push_back({"nursing", of.nursing, of.nursing_abroad, {}, {}});
        return result;
    };
    payment::Totals totals;
    totals.shares = shares(t);
    totals.deductible = t.deductible;
    totals.days = t.days;
    totals.adult_days = t.adult_days;
    totals.under_18 = t.under_18;
    payment::Terms terms;
    terms.stage = stage;
    terms.rounding = b.options.rounding;
    terms.year = year;
    if (settled) {
        totals.cost_fixed = t.cost_fixed;
        totals.own_payments_mandatory = t.own_payments_mandatory;
        // The records know nobody in detention.
        totals.premium_forgone.assign(t.days.size(), 0);
        totals.own_payments_forgone.assign(t.days.size(), 0);
        for (payment::ShareTotals& s : totals.shares) {
            s.cost = s.share == "variable" ? t.cost_variable : s.share == "ggz" ? t.cost_ggz : t.cost_nursing;
            if (s.share == "ggz" && !model.high_cost.empty()) s.excess = t.ggz_excess;
        }
        const Options& o = b.options;
        if (o.expected_counts == ExpectedCounts::lagged) {
            const YearTotals& earlier = b.arm(year - o.expected_lag).totals;
            const auto days = [](const YearTotals& of) {
                return std::accumulate(of.days.begin(), of.days.end(), Days{0});
            };
            const auto grown = [&](payment::Counts counts) {
                counts.numerator *= days(t);
                counts.denominator *= days(earlier);
                return counts;
            };
            for (const payment::ShareTotals& s : shares(earlier))
                terms.expected.push_back(grown(payment::counted(model, s)));
            terms.expected_deductible = grown({earlier.deductible.national()});
        }
    }
    return payment::pay(model, totals, terms);
}

namespace {

/// A statement in the words of a settlement: what each share, premium and deductible come to.
[[nodiscard]] Settlement settlement_of(const Baseline& b, std::int32_t year, const payment::Statement& statement,
                                       bool settled) {
    const YearTotals& t = b.arm(year).totals;
    const std::size_t n = t.days.size();
    Settlement s;
    for (auto* column : {&s.variable, &s.ggz, &s.fixed, &s.nursing, &s.premium_deducted, &s.expected_own_payments,
                         &s.administration, &s.programme_cost, &s.premium_response})
        column->assign(n, 0);
    for (const payment::Line& line : statement.lines) {
        const bool taken_off = line.share == "premium" || line.share == "deductible";
        std::vector<Cents>& column = line.share == "variable"     ? s.variable
                                     : line.share == "ggz"        ? s.ggz
                                     : line.share == "nursing"    ? s.nursing
                                     : line.share == "fixed"      ? s.fixed
                                     : line.share == "premium"    ? s.premium_deducted
                                     : line.share == "deductible" ? s.expected_own_payments
                                                                  : s.administration;
        column = sum_of(column, line.cents, taken_off ? -1 : 1);
    }
    s.contribution = statement.contribution;
    s.premium = s.premium_deducted;
    s.calculation_premium = b.scheme->model().calculation_premium;
    if (!settled) return s;
    for (const payment::Statement::Share& share : statement.shares) {
        if (share.name == "variable") {
            s.variable_target = share.target;
            s.variable_factor = share.factor;
            s.variable_normative = s.scaled_normative = total(payment::normative(t.variable, share.weights));
            s.variable_cost = total(t.cost_variable);
        }
        if (share.name == "ggz") {
            s.ggz_target = share.target;
            s.ggz_factor = share.factor;
        }
    }
    s.own_payments = t.own_payments;
    s.claims = sum_of(sum_of(sum_of(t.cost_variable, t.cost_ggz), t.cost_fixed), t.cost_nursing);
    s.result = sum_of(sum_of(s.premium, s.contribution), s.own_payments);
    s.result = sum_of(s.result, s.claims, -1);
    return s;
}

}  // namespace

Settlement settle_baseline(const Baseline& b, std::int32_t year) {
    if (needs_statement(b.scheme->model())) return settlement_of(b, year, state(b, year, payment::Stage::final), true);
    return settle(baseline_desk(b, year), {});
}

Settlement ex_ante_baseline(const Baseline& b, std::int32_t year) {
    const risk::Scheme& scheme = *b.scheme;
    const params::Model& model = scheme.model();
    if (needs_statement(model)) return settlement_of(b, year, state(b, year, payment::Stage::ex_ante), false);
    const YearTotals& t = b.arm(year).totals;
    const Days year_days = days_in(year);
    Settlement s;
    s.calculation_premium = model.calculation_premium;
    s.variable = payment::ex_ante(payment::normative(t.variable, scheme.weights(model.variable)), year_days);
    s.ggz = payment::ex_ante(payment::normative(t.ggz, scheme.weights(model.ggz)), year_days);
    const Days days = std::accumulate(t.days.begin(), t.days.end(), Days{0});
    // Fixed share ex ante: the macro amount in proportion to insured years.
    s.fixed = payment::per_insured_year(model.macro_fixed, t.days, std::max<Days>(days, 1));
    s.nursing.assign(s.fixed.size(), 0);
    s.expected_own_payments =
        payment::ex_ante(payment::normative(t.deductible, scheme.deductible_weights()), year_days);
    s.premium_deducted = payment::per_insured_year(model.calculation_premium, t.adult_days, year_days);
    s.premium = s.premium_deducted;
    for (const std::int64_t n : t.under_18) s.administration.push_back(model.administration_under_18 * n);
    s.contribution = sum_of(sum_of(s.variable, s.ggz), s.fixed);
    s.contribution = sum_of(sum_of(s.contribution, s.premium_deducted, -1), s.expected_own_payments, -1);
    s.contribution = sum_of(s.contribution, s.administration);
    return s;
}

payment::Totals payment_totals(const YearTotals& t) {
    payment::Totals totals;
    totals.shares = {{"variable", t.variable, {}, t.cost_variable, {}}, {"ggz", t.ggz, {}, t.cost_ggz, t.ggz_excess}};
    totals.deductible = t.deductible;
    totals.days = t.days;
    totals.adult_days = t.adult_days;
    totals.under_18 = t.under_18;
    totals.cost_fixed = t.cost_fixed;
    totals.own_payments_mandatory = t.own_payments_mandatory;
    return totals;
}

payment::Terms payment_terms(const Baseline& b, std::int32_t year, payment::Stage stage) {
    const auto arm_of = [&](std::int32_t t) -> const YearTotals& { return b.arm(t).totals; };
    const auto counts = [&](payment::ClassTotals YearTotals::*of) {
        return expected(b, year, arm_of, [&](const YearTotals& t) -> const payment::ClassTotals& { return t.*of; });
    };
    return {stage,
            b.options.rounding,
            {counts(&YearTotals::variable), counts(&YearTotals::ggz)},
            counts(&YearTotals::deductible),
            year};
}

Outcome simulate(const Baseline& b, const Substitution& programme, const Area& area, bool decomposed, const Run& run) {
    const Options& o = b.options;
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    if (needs_statement(scheme.model()))
        throw ParameterError{{{"simulate", scheme.model().name, "a model year all of whose rules have a channel",
                               "a nursing share, bandwidths or other rules that payment alone knows"}}};
    if (!scheme.model().weighted)
        throw ParameterError{
            {{"simulate " + scheme.model().name, "weights of the variable share", "printed or estimated", "none yet"}}};
    if (programme.programme().start_year < o.start)
        throw ParameterError{
            {{"programme " + programme.programme().name, "start year", "at least " + std::to_string(o.start),
              std::to_string(programme.programme().start_year)}}};
    const std::vector<std::int32_t> insurers = detail::insurer_index(o.insurers);
    const std::size_t n = o.insurers.size();
    const Overlay overlay = apply(b, programme, area);

    std::vector<risk::CostLines> base_cost;
    std::vector<risk::SumLines> base_sums;
    for (std::size_t y = 0; y < at(panel.years); ++y) {
        base_cost.push_back(b.cost_years[y].lines);
        base_sums.push_back(b.nursing[y].lines);
    }
    const View base_view{&panel, &scheme, &b.cost_years, &base_cost, &base_sums, nullptr, nullptr, o.seed};
    View own_view = base_view;  // own claims at baseline thresholds
    own_view.overlay = &overlay.care_at;
    own_view.overlay_care = &overlay.care;
    const Lines lines = new_lines(b, overlay, own_view);
    View line_view = base_view;  // thresholds only
    line_view.cost_lines = &lines.cost;
    line_view.sum_lines = &lines.sums;
    View full_view = line_view;
    full_view.overlay = own_view.overlay;
    full_view.overlay_care = own_view.overlay_care;

    const auto base_cost_of = [&](std::size_t r) -> const RecordCost& { return panel.cost[r]; };
    const auto new_cost_of = [&](std::size_t r) -> const RecordCost& { return overlay.cost_of(panel, r); };

    Outcome outcome;
    outcome.decomposed = decomposed;
    outcome.years.resize(at(o.horizon));
    outcome.patients_rows = overlay.patients_rows;
    outcome.touched_person_years = static_cast<std::int64_t>(overlay.touched.size());

    // Movements added up.
    std::map<std::tuple<std::int32_t, std::uint16_t, std::uint16_t, bool, Effect, Category>, MovementTotal> moved;
    std::map<const MovementTotal*, std::uint64_t> counted;  // the last person: movements of a person-year come together
    std::map<std::pair<std::int32_t, std::uint16_t>, std::uint64_t> reached;
    for (YearOutcome& y : outcome.years) y.insured = y.reached = std::vector<std::int64_t>(n, 0);
    for (const Movement& m : overlay.movements) {
        MovementTotal& t = moved[{m.year, m.insurer, m.specialism, m.consult, m.effect, m.category}];
        t.year = m.year;
        t.insurer = m.insurer;
        t.specialism = m.specialism;
        t.consult = m.consult;
        t.effect = m.effect;
        t.category = m.category;
        t.claims += m.represents;
        t.settled += m.settled * m.represents;
        t.claimed += m.claimed * m.represents;
        if (const auto [last, fresh] = counted.try_emplace(&t, m.person); fresh || last->second != m.person) {
            ++t.persons;
            last->second = m.person;
        }
        if (const auto [last, fresh] = reached.try_emplace({m.year, m.insurer}, m.person);
            fresh || last->second != m.person) {
            ++outcome.years[at(m.year - o.start)].reached[at(insurers[m.insurer])];
            last->second = m.person;
        }
        if (m.effect == Effect::replacement || m.effect == Effect::added || m.effect == Effect::referred_on)
            outcome.patients += m.represents;
        if (m.effect == Effect::avoided) outcome.replaced += m.represents;
        if (m.effect == Effect::referred_on) outcome.referred_on += m.represents;
        if (m.effect == Effect::added) outcome.added += m.represents;
    }
    for (auto& [key, value] : moved) outcome.movements.push_back(value);

    struct Arm {
        YearTotals totals;
        payment::ClassTotals c1, c2;
        estimation::Fit fit;
        bool fitted = false;
    };
    std::vector<Arm> arms(at(o.horizon));
    std::vector<std::vector<ClassChange>> class_changes(at(o.horizon));
    for_each_chunk(run, o.horizon, [&](Index k) {
        const std::int32_t t = o.start + static_cast<std::int32_t>(k);
        const ArmYear& base = b.arm(t);
        Arm& arm = arms[at(k)];
        std::vector<char> mark(at(panel.persons()), 0);
        const auto mark_year = [&](std::int32_t of) {  // whose classes of this year may differ
            for (const auto& [p, year] : overlay.touched)
                if (year <= of && year >= of - scheme.longest_lag()) mark[p] = 1;
            for (const std::int32_t lag : scheme.data_years("mhk"))
                if (of - lag >= panel.first_year)
                    mark_between(b.cost_years[at(of - lag - panel.first_year)].mhk,
                                 base_cost[at(of - lag - panel.first_year)].mhk,
                                 lines.cost[at(of - lag - panel.first_year)].mhk, mark);
            for (std::int32_t y = std::max(of - scheme.longest_lag(), panel.first_year); y < of; ++y)
                if (lines.ggz_changed[at(y - panel.first_year)] != 0)
                    for (const risk::Ranked& r : b.cost_years[at(y - panel.first_year)].ggz) mark[r.index] = 1;
            if (!(base_sums[at(of - panel.first_year)].mvv == lines.sums[at(of - panel.first_year)].mvv)) {
                for (const risk::Ranked& r : b.nursing[at(of - panel.first_year)].adults) mark[r.index] = 1;
                for (const risk::Ranked& r : b.nursing[at(of - panel.first_year)].children) mark[r.index] = 1;
            }
        };
        mark_year(t);
        if (scheme.hsm_lag() > 0 && t - scheme.hsm_lag() >= o.start) mark_year(t - scheme.hsm_lag());

        arm.totals = base.totals;
        const bool refit = o.estimates && t + o.estimation_lag < o.start + o.horizon;
        estimation::Moments moments = refit ? base.moments : estimation::Moments{};
        estimation::Moments* m = refit ? &moments : nullptr;
        YearTotals own = detail::empty_totals(scheme, n), line = detail::empty_totals(scheme, n);
        std::int64_t regrouped = 0;
        std::vector<Days> lost(n * at(scheme.variable_columns())), won = lost;
        std::vector<std::int64_t> persons(lost.size(), 0), last_person(lost.size(), -1);
        risk::Health h0, h1;
        risk::Row r0, r1;
        for (Index p = 0; p < panel.persons(); ++p) {
            if (mark[at(p)] == 0) continue;
            ++regrouped;
            detail::add_totals(base_view, insurers, p, t, -1, base_cost_of, arm.totals, m);
            detail::add_totals(full_view, insurers, p, t, 1, new_cost_of, arm.totals, m);
            if (!decomposed) continue;
            detail::add_totals(base_view, insurers, p, t, -1, base_cost_of, own, nullptr);
            detail::add_totals(own_view, insurers, p, t, 1, new_cost_of, own, nullptr);
            detail::add_totals(base_view, insurers, p, t, -1, base_cost_of, line, nullptr);
            detail::add_totals(line_view, insurers, p, t, 1, base_cost_of, line, nullptr);
            for (const data::Record& r : panel.records_of(p, t)) {
                base_view.health(p, t, r, h0);
                own_view.health(p, t, r, h1);
                if (h0 == h1) continue;
                scheme.variable_row(r, t, h0, r0);
                scheme.variable_row(r, t, h1, r1);
                const Days days = (r.last_day - r.first_day + 1) * static_cast<Days>(r.represents);
                const std::size_t offset = at(insurers[r.insurer]) * at(scheme.variable_columns());
                std::map<std::uint16_t, int> change;
                for (const risk::Entry& e : r0.view()) change[e.column] -= e.count;
                for (const risk::Entry& e : r1.view()) change[e.column] += e.count;
                for (const auto& [column, count] : change) {
                    const std::size_t j = offset + column;
                    (count < 0 ? lost : won)[j] += std::abs(count) * days;
                    if (count != 0 && std::exchange(last_person[j], p) != p) ++persons[j];
                }
            }
        }
        for (Index p = 0; p < panel.persons(); ++p) {
            const auto records = panel.records_of(p, t);
            for (auto r = records.begin(); r != records.end(); ++r)
                if (std::none_of(records.begin(), r, [&](const data::Record& q) { return q.insurer == r->insurer; }))
                    ++outcome.years[at(k)].insured[at(insurers[r->insurer])];
        }
        const bool mental = std::any_of(overlay.touched.begin(), overlay.touched.end(), [&](const auto& cell) {
            if (cell.second != t) return false;
            const auto records = panel.records_of(cell.first, t);
            return std::any_of(records.begin(), records.end(), [&](const data::Record& r) {
                const std::size_t row = at(&r - panel.records.data());
                return new_cost_of(row).ggz != panel.cost[row].ggz;
            });
        });
        if (mental) detail::ggz_excess(panel, scheme, insurers, t, new_cost_of, arm.totals);
        arm.c1 = base.totals.variable;
        arm.c2 = base.totals.variable;
        if (decomposed) {
            arm.c1 += own.variable;
            arm.c2 += line.variable;
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t c = 0; c < at(scheme.variable_columns()); ++c)
                    if (const std::size_t j = i * at(scheme.variable_columns()) + c; lost[j] != 0 || won[j] != 0)
                        class_changes[at(k)].push_back(
                            {t, o.insurers[i], static_cast<Index>(c), lost[j], won[j], persons[j]});
        }
        if (refit) {
            estimation::Specification spec = b.specification;
            spec.days_in_year = days_in(t);
            spec.inference = false;
            arm.fit = estimation::estimate(moments, spec);
            arm.fitted = true;
        }
        outcome.years[at(k)].year = t;
        outcome.years[at(k)].persons_regrouped = regrouped;
        outcome.years[at(k)].baseline_mhk = base_cost[at(t - panel.first_year)].mhk;
        outcome.years[at(k)].scenario_mhk = lines.cost[at(t - panel.first_year)].mhk;
    });
    for (auto& changes : class_changes) outcome.classes.insert(outcome.classes.end(), changes.begin(), changes.end());

    const auto scen_of = [&](std::int32_t t) -> const YearTotals& {
        return t < o.start ? b.arm(t).totals : arms[at(t - o.start)].totals;
    };
    for_each_chunk(run, o.horizon, [&](Index k) {
        const std::int32_t t = o.start + static_cast<std::int32_t>(k);
        YearOutcome& y = outcome.years[at(k)];
        Desk d = baseline_desk(b, t);
        d.scen = &arms[at(k)].totals;
        d.c1 = &arms[at(k)].c1;
        d.c2 = &arms[at(k)].c2;
        d.expected_scen =
            expected(b, t, scen_of, [](const YearTotals& x) -> const payment::ClassTotals& { return x.variable; });
        if (const std::int32_t e = t - o.estimation_lag; o.estimates && e >= o.start)
            d.changed = moved_weights(d.official, arms[at(e - o.start)].fit, b.arm(e).fit);
        y.weight_change = d.changed;
        for (std::size_t c = 0; c < d.official.size(); ++c) y.weight_change[c] -= d.official[c];

        y.hospital_claims_base.assign(n, 0);
        y.one_and_a_half_claims_base.assign(n, 0);
        y.other_claims_base.assign(n, 0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t c = 0; c < category_count; ++c) {
                const Cents cents = b.category_cost[at(t - o.first_year)][i * category_count + c];
                const auto category = static_cast<Category>(c);
                (category == Category::hospital              ? y.hospital_claims_base
                 : category == Category::one_and_a_half_line ? y.one_and_a_half_claims_base
                                                             : y.other_claims_base)[i] += cents;
            }
        y.hospital_claims = y.hospital_claims_base;
        y.one_and_a_half_claims = y.one_and_a_half_claims_base;
        y.other_claims = y.other_claims_base;
        for (const MovementTotal& m : outcome.movements) {
            if (m.year != t) continue;
            const std::size_t i = at(insurers[m.insurer]);
            (m.effect == Effect::avoided ? d.a1 : m.effect == Effect::downstream ? d.a3 : d.a2)[i] += m.settled;
            (m.category == Category::hospital              ? y.hospital_claims
             : m.category == Category::one_and_a_half_line ? y.one_and_a_half_claims
                                                           : y.other_claims)[i] += m.settled;
            if (m.category == Category::hospital) y.hospital_avoided_claimed -= m.claimed;
        }
        const substitution::Programme& prog = programme.programme();
        Days area_days = 0;
        std::vector<Days> own_days(n);
        for (Index p = 0; p < panel.persons(); ++p)
            for (const data::Record& r : panel.records_of(p, t))
                if (programme.in_area(r.municipality) && programme.takes_part(r.insurer)) {
                    const Days days = (r.last_day - r.first_day + 1) * static_cast<Days>(r.represents);
                    own_days[at(insurers[r.insurer])] += days;
                    area_days += days;
                }
        if (programme.active(t))
            for (std::size_t i = 0; i < n; ++i) {
                d.programme[i] =
                    static_cast<Cents>(static_cast<Int128>(own_days[i]) * prog.running_cents_per_insured_year_ppm /
                                       (static_cast<Int128>(days_in(t)) * 1'000'000));
                if (t == prog.start_year && area_days > 0)
                    d.programme[i] +=
                        static_cast<Cents>(static_cast<Int128>(prog.investment) * own_days[i] / area_days);
            }
        const auto cost_change = [&](std::int32_t year) {
            if (year < o.start) return Cents{0};
            return total(arms[at(year - o.start)].totals.cost_variable) - total(b.arm(year).totals.cost_variable);
        };
        if (o.macro == MacroRule::actual) d.macro_change = cost_change(t);
        if (o.macro == MacroRule::lagged) d.macro_change = cost_change(t - o.macro_lag);
        y.macro_change = d.macro_change;

        Channels all;
        all.set();
        y.baseline = settle(d, {});
        y.scenario = settle(d, all);
        if (decomposed) decompose(d, y);
    });

    // Premium response: a share of an earlier year's change in result is given back to premium payers.
    if (o.pass_through_ppm != 0)
        for (std::size_t k = at(o.pass_through_lag); k < outcome.years.size(); ++k) {
            YearOutcome& y = outcome.years[k];
            const YearOutcome& earlier = outcome.years[k - at(o.pass_through_lag)];
            for (std::size_t i = 0; i < n; ++i) {
                const Cents change =
                    earlier.scenario.result[i] - earlier.scenario.premium_response[i] - earlier.baseline.result[i];
                const Cents back = -(change * o.pass_through_ppm / 1'000'000);
                y.scenario.premium_response[i] = back;
                y.scenario.result[i] += back;
                if (decomposed) y.forward[i][channel_count - 1] = y.reverse[i][channel_count - 1] = back;
            }
        }
    return outcome;
}

ArmYear full_pass(const Baseline& b, const Substitution& programme, const Area& area, std::int32_t year) {
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    const std::vector<std::int32_t> insurers = detail::insurer_index(b.options.insurers);
    Panel changed = panel;
    const Overlay overlay = apply(b, programme, area);
    for (std::size_t c = 0; c < changed.care.size(); ++c)
        if (overlay.care_at[c] >= 0) changed.care[c] = overlay.care[at(overlay.care_at[c])];
    for (std::size_t r = 0; r < changed.cost.size(); ++r) changed.cost[r] = overlay.cost_of(panel, r);
    std::vector<risk::CostLines> cost_lines(at(panel.years));
    std::vector<risk::SumLines> sum_lines(at(panel.years));
    View view{&changed, &scheme, nullptr, &cost_lines, &sum_lines, nullptr, nullptr, b.options.seed};
    for (std::int32_t y = panel.first_year; y < year; ++y) {
        CostYear ranking;
        for (Index p = 0; p < changed.persons(); ++p) {
            const auto records = changed.records_of(p, y);
            if (records.empty()) continue;
            const std::uint64_t person = changed.person[at(p)], key = risk::tie_key(b.options.seed, person, y);
            const risk::CareYear& care = changed.care[changed.cell(p, y)];
            ranking.insured += records.front().represents;
            ranking.mhk.push_back({care.mhk_cost, key, person, 0, records.front().represents});
            if (!detail::ranked_for_mental_care(scheme, records.front(), y)) continue;
            ranking.adults += records.front().represents;
            ranking.ggz.push_back({care.ggz_cost, key, person, 0, records.front().represents});
        }
        detail::rank_cost_year(scheme, b.options, ranking);
        cost_lines[at(y - panel.first_year)] = ranking.lines;
    }
    const auto nursing_lines = [&](std::int32_t of) {
        NursingSum nursing;
        for (Index p = 0; p < changed.persons(); ++p) {
            const auto records = changed.records_of(p, of - 1);
            if (records.empty()) continue;
            const bool adult = scheme.age(records.front(), of) >= scheme.model().adult_age;
            (adult ? nursing.insured_adults : nursing.insured_children) += records.front().represents;
            const std::uint64_t person = changed.person[at(p)];
            (adult ? nursing.adults : nursing.children)
                .push_back({detail::nursing_sum(view, p, of, adult), risk::tie_key(b.options.seed, person, of), person,
                            0, records.front().represents});
        }
        detail::rank_nursing(scheme, nursing);
        sum_lines[at(of - panel.first_year)] = nursing.lines;
    };
    nursing_lines(year);
    if (scheme.hsm_lag() > 0 && year - scheme.hsm_lag() > panel.first_year) nursing_lines(year - scheme.hsm_lag());
    ArmYear arm;
    arm.year = year;
    arm.totals = detail::empty_totals(scheme, b.options.insurers.size());
    arm.moments = estimation::Moments{scheme.variable_columns()};
    for (Index p = 0; p < changed.persons(); ++p)
        detail::add_totals(
            view, insurers, p, year, 1, [&](std::size_t r) -> const RecordCost& { return changed.cost[r]; }, arm.totals,
            &arm.moments);
    detail::ggz_excess(
        changed, scheme, insurers, year, [&](std::size_t r) -> const RecordCost& { return changed.cost[r]; },
        arm.totals);
    return arm;
}

}  // namespace anderhalf::scenario
