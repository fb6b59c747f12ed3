#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>

#include "scenario_arm.hpp"

#include <algorithm>
#include <cmath>

namespace anderhalf::scenario {

using detail::baseline_desk;
using detail::Desk;
using detail::expected;
using detail::settle;
using detail::total;

namespace {

[[nodiscard]] bool on(const Channels& c, Channel k) { return c.test(static_cast<std::size_t>(k)); }

[[nodiscard]] std::vector<Cents> sum_of(const std::vector<Cents>& a, const std::vector<Cents>& b, Cents sign = 1) {
    std::vector<Cents> result = a;
    for (std::size_t k = 0; k < a.size(); ++k) result[k] += sign * b[k];
    return result;
}

/// Contribution and result from their parts.
void total_up(Settlement& s) {
    s.contribution = sum_of(sum_of(sum_of(s.variable, s.ggz), s.fixed), s.nursing);
    s.contribution = sum_of(sum_of(s.contribution, s.premium_deducted, -1), s.expected_own_payments, -1);
    s.contribution = sum_of(s.contribution, s.administration);
    s.result = sum_of(sum_of(s.premium, s.contribution), s.own_payments);
    s.result = sum_of(sum_of(sum_of(s.result, s.claims, -1), s.programme_cost, -1), s.premium_response);
}

[[nodiscard]] payment::Counts realised(const payment::ClassTotals& totals) { return {totals.national()}; }

[[nodiscard]] std::vector<MicroEuro> neutral_variable(const Desk& d, const std::vector<MicroEuro>& weights,
                                                      bool scenario) {
    const risk::Scheme& s = *d.b->scheme;
    return payment::neutral(s.variable_layout(), s.model().neutrality, "variable", weights,
                            scenario ? d.expected_scen : d.expected_base,
                            realised(scenario ? d.scen->variable : d.base->variable), d.b->options.rounding);
}

}  // namespace

Settlement detail::settle(const Desk& d, const Channels& c) {
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

    // GGZ share.
    const payment::ClassTotals& ggz = c1 && c2 ? d.scen->ggz : c1 ? *d.ggz_c1 : c2 ? *d.ggz_c2 : d.base->ggz;
    payment::ShareInput gin;
    gin.normative = payment::normative(ggz, e1 ? d.ggz_weights_scen : d.ggz_weights);
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
    const std::vector<Int128> expected_own =
        payment::normative(own.deductible, e1 ? d.deductible_weights_scen : d.deductible_weights);
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

    total_up(s);
    return s;
}

namespace {

/// The weights that hold in the settlement: those of the grant where the regulation has no others (2020 has: art. 11(2)).
[[nodiscard]] const params::Share& ex_post(const params::Share& settlement, const params::Share& grant) {
    return settlement.criteria.empty() ? grant : settlement;
}

[[nodiscard]] bool compensated(const params::Model& model) {
    return std::any_of(model.high_cost.begin(), model.high_cost.end(), [](const auto& h) { return h.share == "ggz"; });
}

[[nodiscard]] std::vector<MicroEuro> neutral_ggz(const Baseline& b, const payment::Counts& want,
                                                 const YearTotals& totals) {
    const risk::Scheme& s = *b.scheme;
    return payment::neutral(s.ggz_layout(), s.model().neutrality, compensated(s.model()) ? "ggz_hcc" : "ggz",
                            detail::ggz_weights(s), want, realised(totals.ggz), b.options.rounding);
}

[[nodiscard]] std::vector<MicroEuro> neutral_deductible(const Baseline& b, const payment::Counts& want,
                                                        const YearTotals& totals) {
    const risk::Scheme& s = *b.scheme;
    const params::Model& model = s.model();
    std::vector<MicroEuro> weights = s.weights(ex_post(model.deductible_ex_post, model.deductible));
    weights.push_back(model.forfait_ex_post * micro_per_cent);
    return payment::neutral(s.deductible_layout(), model.neutrality, "deductible", std::move(weights), want,
                            realised(totals.deductible), b.options.rounding);
}

const payment::ClassTotals& ggz_of(const YearTotals& t) { return t.ggz; }
const payment::ClassTotals& deductible_of(const YearTotals& t) { return t.deductible; }

}  // namespace

std::vector<MicroEuro> detail::variable_weights(const risk::Scheme& scheme) {
    return scheme.weights(ex_post(scheme.model().variable_ex_post, scheme.model().variable));
}

std::vector<MicroEuro> detail::ggz_weights(const risk::Scheme& scheme) {
    const params::Model& model = scheme.model();
    return scheme.weights(compensated(model) ? model.ggz_hcc : ex_post(model.ggz_ex_post, model.ggz));
}

void detail::follow_counts(Desk& d, const std::function<const YearTotals&(std::int32_t)>& arm_of) {
    d.ggz_weights_scen = neutral_ggz(*d.b, expected(*d.b, d.year, arm_of, ggz_of), *d.scen);
    d.deductible_weights_scen = neutral_deductible(*d.b, expected(*d.b, d.year, arm_of, deductible_of), *d.scen);
}

detail::ClassSteps detail::empty_steps(const risk::Scheme& scheme, Index insurers) {
    const auto share = [&](const std::vector<risk::CriterionColumns>& layout, Index columns) {
        const payment::ClassTotals none{insurers, columns};
        return ShareSteps{std::vector<std::array<payment::ClassTotals, 2>>(layout.size(), {none, none})};
    };
    return {share(scheme.variable_layout(), scheme.variable_columns()),
            share(scheme.ggz_layout(), scheme.ggz_columns())};
}

void detail::add_step(const std::vector<risk::CriterionColumns>& layout, const std::vector<MicroEuro>& weights,
                      Index insurer, Days weight, const risk::Row& before, const risk::Row& after, ShareSteps& steps) {
    for (std::size_t c = 0; c < layout.size(); ++c) {
        const auto each = [&](auto&& take) {
            for (const auto& [row, sign] : {std::pair{&before, -1}, std::pair{&after, 1}})
                for (const risk::Entry& e : row->view())
                    if (e.column >= layout[c].offset && e.column < layout[c].offset + layout[c].size)
                        take(e.column, sign * static_cast<int>(e.count));
        };
        Int128 change = 0;
        each([&](std::uint16_t column, int count) { change += static_cast<Int128>(weights[column]) * count; });
        payment::ClassTotals& side = steps.moved[c][change < 0 ? 0 : 1];
        each([&](std::uint16_t column, int count) { side.add(insurer, column, weight * count); });
    }
}

detail::Desk detail::baseline_desk(const Baseline& b, std::int32_t year) {
    Desk d;
    d.b = &b;
    d.year = year;
    d.base = d.scen = &b.arm(year).totals;
    d.c1 = d.c2 = &d.base->variable;
    d.ggz_c1 = d.ggz_c2 = &d.base->ggz;
    const auto base_of = [&](std::int32_t t) -> const YearTotals& { return b.arm(t).totals; };
    d.expected_base = d.expected_scen =
        expected(b, year, base_of, [](const YearTotals& t) -> const payment::ClassTotals& { return t.variable; });
    d.official = d.changed = detail::variable_weights(*b.scheme);
    d.a1 = d.a2 = d.a3 = d.programme = std::vector<Cents>(b.options.insurers.size());
    d.ggz_weights = d.ggz_weights_scen = neutral_ggz(b, expected(b, year, base_of, ggz_of), *d.base);
    d.deductible_weights = d.deductible_weights_scen =
        neutral_deductible(b, expected(b, year, base_of, deductible_of), *d.base);
    d.national_base = {total(d.base->cost_variable),
                       total(payment::normative(d.base->variable, neutral_variable(d, d.official, false)))};
    d.ggz_base = {total(d.base->cost_ggz), total(payment::normative(d.base->ggz, d.ggz_weights))};
    return d;
}

std::vector<MicroEuro> detail::moved_weights(const std::vector<MicroEuro>& official, const estimation::Fit& scenario,
                                             const estimation::Fit& baseline) {
    std::vector<MicroEuro> weights = official;
    for (std::size_t k = 0; k < weights.size(); ++k)
        if (!scenario.empty[k] && !baseline.empty[k])
            weights[k] += std::llround((scenario.coefficients[k] - baseline.coefficients[k]) *
                                       static_cast<double>(micro_per_euro));
    return weights;
}

namespace {

/// Channel c1 criterion by criterion, losses before gains, each a full settlement with all before it.
[[nodiscard]] std::vector<CriterionEffect> criteria_of(const Desk& desk) {
    std::vector<CriterionEffect> effects;
    if (desk.steps == nullptr) return effects;
    payment::ClassTotals variable = desk.base->variable, ggz = desk.base->ggz;
    Desk d = desk;
    d.c1 = &variable;
    d.ggz_c1 = &ggz;
    Channels c;
    for (std::size_t k = 0; k <= static_cast<std::size_t>(Channel::c1_classes); ++k) c.set(k);
    std::vector<Cents> before = settle(d, c).result;
    Index criterion = 0;
    for (auto [share, totals] : {std::pair{&desk.steps->variable, &variable}, std::pair{&desk.steps->ggz, &ggz}})
        for (const auto& sides : share->moved) {
            CriterionEffect effect{criterion++, {}, {}};
            const auto step = [&](const payment::ClassTotals& side) {
                *totals += side;
                std::vector<Cents> after = settle(d, c).result;
                std::vector<Cents> change = sum_of(after, before, -1);
                before = std::move(after);
                return change;
            };
            const payment::ClassTotals none{totals->insurers(), totals->columns()};
            if (sides[0] == none && sides[1] == none) continue;  // nobody's classes of this criterion move
            effect.loss = step(sides[0]);
            effect.gain = step(sides[1]);
            effects.push_back(std::move(effect));
        }
    return effects;
}

}  // namespace

void detail::decompose(const Desk& d, YearOutcome& y) {
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
    y.criteria = criteria_of(d);
}

namespace {

/// Takes ppb[i] of an amount from every insurer that loses insured and gives the sum to those that win them, in proportion
/// to the days won. @return the change per insurer; it sums to zero
[[nodiscard]] std::vector<Cents> moved(const std::vector<Cents>& amount, const std::vector<std::int64_t>& ppb,
                                       const std::vector<Days>& days) {
    std::vector<Cents> change(amount.size());
    Int128 pool = 0, won = 0;
    for (std::size_t i = 0; i < amount.size(); ++i) {
        if (ppb[i] < 0) change[i] = static_cast<Cents>(static_cast<Int128>(amount[i]) * ppb[i] / 1'000'000'000);
        if (ppb[i] > 0) won += static_cast<Int128>(days[i]) * ppb[i];
        pool -= change[i];
    }
    if (won == 0) return std::vector<Cents>(amount.size());  // nobody wins insured, so nobody loses any
    Int128 before = 0, sum = 0;
    for (std::size_t i = 0; i < amount.size(); ++i) {
        if (ppb[i] <= 0) continue;
        sum += static_cast<Int128>(days[i]) * ppb[i];
        // Cumulated parts of days and pool stay within 128 bits: both are divided by a million before they are multiplied.
        const Int128 upto = sum == won ? pool : pool * (sum / 1'000'000) / std::max<Int128>(won / 1'000'000, 1);
        change[i] = static_cast<Cents>(upto - before);
        before = upto;
    }
    return change;
}

/// Insured won (lost) in parts per billion: elasticity x share of premium given back, less the mean over all adults.
[[nodiscard]] std::vector<std::int64_t> enrolment(const Options& o, const Settlement& s, const std::vector<Days>& days,
                                                  const std::vector<Cents>& back) {
    std::vector<std::int64_t> ppb(back.size());
    Int128 all = 0, mean = 0;
    for (std::size_t i = 0; i < back.size(); ++i) {
        if (s.premium[i] > 0)
            ppb[i] = static_cast<std::int64_t>(static_cast<Int128>(-back[i]) * o.enrolment_ppm * 1'000 / s.premium[i]);
        mean += static_cast<Int128>(ppb[i]) * days[i];
        all += days[i];
    }
    Problems<DomainError> problems;
    for (std::size_t i = 0; i < back.size() && all > 0; ++i) {
        if (days[i] > 0) ppb[i] -= static_cast<std::int64_t>(mean / all);
        problems.require(ppb[i] > -1'000'000'000, "premium rule", "insured that leave", "less than all of an insurer",
                         std::to_string(-ppb[i] / 10'000'000) + "%");
    }
    problems.throw_if_any();
    return ppb;
}

}  // namespace

void detail::respond(const Baseline& b, Outcome& outcome) {
    const Options& o = b.options;
    if (o.pass_through_ppm == 0) return;
    const std::size_t n = o.insurers.size();
    std::vector<std::vector<Cents>> before;  // change in result without a response, by year
    for (const YearOutcome& y : outcome.years) before.push_back(sum_of(y.scenario.result, y.baseline.result, -1));
    for (auto k = static_cast<std::size_t>(o.pass_through_lag); k < outcome.years.size(); ++k) {
        YearOutcome& y = outcome.years[k];
        Settlement& s = y.scenario;
        for (std::size_t i = 0; i < n; ++i)
            s.premium_response[i] =
                -(before[k - static_cast<std::size_t>(o.pass_through_lag)][i] * o.pass_through_ppm / 1'000'000);
        if (o.enrolment_ppm != 0) {
            const std::vector<Days>& days = b.arm(y.year).totals.adult_days;
            const std::vector<std::int64_t> ppb = enrolment(o, s, days, s.premium_response);
            for (std::vector<Cents>* flow : {&s.variable, &s.ggz, &s.fixed, &s.nursing, &s.premium_deducted,
                                             &s.expected_own_payments, &s.administration, &s.premium, &s.own_payments})
                *flow = sum_of(*flow, moved(*flow, ppb, days));
            for (std::size_t c = 0; c < category_count; ++c) {
                std::vector<Cents> amount(n);
                for (std::size_t i = 0; i < n; ++i) amount[i] = y.category_claims[i * category_count + c];
                const std::vector<Cents> change = moved(amount, ppb, days);
                for (std::size_t i = 0; i < n; ++i) y.category_claims[i * category_count + c] += change[i];
                s.claims = sum_of(s.claims, change);
            }
        }
        total_up(s);
        for (std::size_t i = 0; i < n && !y.forward.empty(); ++i)
            y.forward[i].back() = y.reverse[i].back() = s.result[i] - y.baseline.result[i] - before[k][i];
    }
}

Cents national_claims(const std::vector<Cents>& category_claims, Category category) {
    Cents sum = 0;
    for (auto k = static_cast<std::size_t>(category); k < category_claims.size(); k += category_count)
        sum += category_claims[k];
    return sum;
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
}  // namespace anderhalf::scenario
