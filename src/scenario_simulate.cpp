#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>

#include "scenario_arm.hpp"

#include <algorithm>
#include <utility>

namespace anderhalf::scenario {

using detail::Desk;
using detail::expected;
using detail::Lines;
using detail::moved_weights;
using detail::Overlay;
using detail::total;
using substitution::Effect;
using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

/// The same on a baseline with wider bands, for a line left the one it was in: a full pass over the source.
[[nodiscard]] Outcome simulate_wider(const Baseline& b, std::span<const Substitution> programmes, const Lines& lines,
                                     bool decomposed, const Run& run) {
    Options wider = b.options;
    wider.band_insured *= 16;
    const Baseline again = make_baseline(b, wider, run);
    Outcome outcome = simulate(again, programmes, survey(again, programmes, run), decomposed, run);
    const auto left = [&](std::int32_t t) {  // a line that classes of this year look at
        const auto of = [&](std::int32_t year) {
            return year >= b.options.first_year && lines.cost_outside[at(year - b.options.first_year)] != 0;
        };
        const auto any = [&](const std::vector<std::int32_t>& lags) {
            return std::any_of(lags.begin(), lags.end(), [&](std::int32_t lag) { return of(t - lag); });
        };
        return any(b.scheme->mhk_years()) || any(b.scheme->ggz_mhk_years()) ||
               lines.sums_outside[at(t - b.options.first_year)] != 0;
    };
    for (YearOutcome& y : outcome.years)
        y.full_pass = y.full_pass || left(y.year) || (b.scheme->hsm_lag() > 0 && left(y.year - b.scheme->hsm_lag()));
    return outcome;
}

}  // namespace

Outcome simulate(const Baseline& b, std::span<const Substitution> programmes, const Area& area, bool decomposed,
                 const Run& run) {
    const Options& o = b.options;
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    if (needs_statement(scheme.model()))
        throw ParameterError{{{"simulate", scheme.model().name, "a model year all of whose rules have a channel",
                               "a nursing share, bandwidths or other rules that payment alone knows"}}};
    if (!scheme.model().weighted)
        throw ParameterError{
            {{"simulate " + scheme.model().name, "weights of the variable share", "printed or estimated", "none yet"}}};
    Problems<ParameterError> problems;
    problems.require(!programmes.empty() && programmes.size() <= substitution::most_programmes, "simulate",
                     "programmes", "1.." + std::to_string(substitution::most_programmes),
                     std::to_string(programmes.size()));
    for (std::size_t k = 0; k < programmes.size(); ++k) {
        const substitution::Programme& one = programmes[k].programme();
        problems.require(one.start_year >= o.start, "programme " + one.name, "start year",
                         "at least " + std::to_string(o.start), std::to_string(one.start_year));
        const bool alone = std::none_of(programmes.begin(), programmes.begin() + static_cast<std::ptrdiff_t>(k),
                                        [&](const Substitution& s) { return s.programme().id == one.id; });
        problems.require(alone, "programme " + one.name, "id", "one of its own among the programmes of a run",
                         std::to_string(one.id));
    }
    const std::vector<std::int32_t> insurers = detail::insurer_index(o.insurers);
    const auto known = [&](const std::string& where, const std::vector<std::uint16_t>& codes) {
        for (const std::uint16_t code : codes)
            problems.require(code < insurers.size() && insurers[code] != detail::no_insurer, where, "insurer",
                             "one of the insurers of the options", std::to_string(code));
    };
    for (const Substitution& s : programmes) {
        const substitution::Programme& one = s.programme();
        known("programme " + one.name, one.insurers);
        for (const substitution::Contract& c : one.contracts)
            known("programme " + one.name + ", contract with " + c.hospital, c.insurers);
    }
    problems.throw_if_any();
    detail::check_kept(b, programmes);
    const std::size_t n = o.insurers.size();
    const Overlay overlay = detail::apply(b, programmes, area, run);

    std::vector<risk::CostLines> base_cost;
    std::vector<risk::SumLines> base_sums;
    for (std::size_t y = 0; y < at(panel.years); ++y) {
        base_cost.push_back(b.cost_years[y].lines);
        base_sums.push_back(b.nursing[y].lines);
    }
    const View base_view{&panel, &scheme, &b.cost_years, &base_cost, &base_sums, nullptr, nullptr, o.seed, b.gap.get()};
    detail::Views views{base_view, base_view, base_view, base_view};
    views.own.overlay = views.full.overlay = &overlay.care_at;
    views.own.overlay_care = views.full.overlay_care = &overlay.care;
    const Lines lines = detail::new_lines(b, overlay, views.own, run);
    if (!lines.inside) return simulate_wider(b, programmes, lines, decomposed, run);
    views.line.cost_lines = views.full.cost_lines = &lines.cost;
    views.line.sum_lines = views.full.sum_lines = &lines.sums;

    Outcome outcome;
    outcome.decomposed = decomposed;
    outcome.years.resize(at(o.horizon));
    outcome.patients_rows = overlay.patients_rows;
    outcome.touched_person_years = static_cast<std::int64_t>(overlay.touched.size());

    detail::AddedUp added_up = detail::add_up(overlay, o, run);
    outcome.movements = std::move(added_up.totals);
    outcome.patients = overlay.patients;
    for (std::size_t k = 0; k < outcome.years.size(); ++k) outcome.years[k].reached = std::move(added_up.reached[k]);
    for (const MovementTotal& m : outcome.movements) {
        if (m.effect == Effect::avoided) outcome.replaced += m.claims;
        if (m.effect == Effect::referred_on) outcome.referred_on += m.claims;
        if (m.effect == Effect::added) outcome.added += m.claims;
    }

    std::vector<detail::Arm> arms(at(o.horizon));
    for_each_chunk(run, o.horizon, [&](Index chunk) {
        const Index k = o.horizon - 1 - chunk;  // the last year has most to do
        const std::int32_t t = o.start + static_cast<std::int32_t>(k);
        arms[at(k)] = detail::arm_of(b, overlay, lines, views, t, decomposed);
        YearOutcome& y = outcome.years[at(k)];
        y.year = t;
        y.insured = b.arm(t).insured_rows;
        y.persons_regrouped = arms[at(k)].regrouped;
        y.baseline_mhk = base_cost[at(t - panel.first_year)].mhk;
        y.scenario_mhk = lines.cost[at(t - panel.first_year)].mhk;
    });
    for (const detail::Arm& arm : arms)
        outcome.classes.insert(outcome.classes.end(), arm.classes.begin(), arm.classes.end());

    const auto scen_of = [&](std::int32_t t) -> const YearTotals& {
        return t < o.start ? b.arm(t).totals : arms[at(t - o.start)].totals;
    };
    for_each_chunk(run, o.horizon, [&](Index k) {
        const std::int32_t t = o.start + static_cast<std::int32_t>(k);
        YearOutcome& y = outcome.years[at(k)];
        Desk d = detail::baseline_desk(b, t);
        d.scen = &arms[at(k)].totals;
        d.c1 = &arms[at(k)].c1;
        d.c2 = &arms[at(k)].c2;
        d.ggz_c1 = &arms[at(k)].ggz_c1;
        d.ggz_c2 = &arms[at(k)].ggz_c2;
        d.steps = &arms[at(k)].steps;
        y.gap = arms[at(k)].totals.gap;
        d.expected_scen =
            expected(b, t, scen_of, [](const YearTotals& x) -> const payment::ClassTotals& { return x.variable; });
        detail::follow_counts(d, scen_of);
        if (const std::int32_t e = t - o.estimation_lag; o.estimates && e >= o.start)
            d.changed = moved_weights(d.official, arms[at(e - o.start)].fit, b.arm(e).fit);
        y.weight_change = d.changed;
        for (std::size_t c = 0; c < d.official.size(); ++c) y.weight_change[c] -= d.official[c];

        y.category_claims_base = y.category_claims = b.category_cost[at(t - o.first_year)];
        y.contract_correction.assign(n, 0);
        y.price_rebase.assign(n, 0);
        y.hospital_avoided_by.assign(programmes.size(), 0);
        y.programme_cost_by.assign(programmes.size(), std::vector<Cents>(n));
        for (const MovementTotal& m : outcome.movements) {
            if (m.year != t) continue;
            const std::size_t i = at(insurers[m.insurer]);
            const bool own =
                m.effect == Effect::avoided || m.effect == Effect::repriced || m.effect == Effect::price_rebase;
            (own ? d.a1 : m.effect == Effect::downstream ? d.a3 : d.a2)[i] += m.settled;
            y.category_claims[i * category_count + static_cast<std::size_t>(m.category)] += m.settled;
            if (m.category == Category::hospital) {
                y.hospital_avoided_claimed -= m.claimed;
                y.hospital_avoided_by[m.programme] -= m.claimed;
                (m.effect == Effect::price_rebase ? y.price_rebase : y.contract_correction)[i] += m.settled - m.claimed;
            }
        }
        for (std::size_t q = 0; q < programmes.size(); ++q) {
            const substitution::Programme& prog = programmes[q].programme();
            if (!programmes[q].active(t)) continue;
            std::vector<Cents>& cost = y.programme_cost_by[q];
            Days area_days = 0;
            std::vector<Days> own_days(n);
            for (const MunicipalityDays& m : b.arm(t).municipality_days)
                if (programmes[q].in_area(m.municipality, t) && programmes[q].takes_part(m.insurer)) {
                    own_days[at(insurers[m.insurer])] += m.days;
                    area_days += m.days;
                }
            for (std::size_t i = 0; i < n; ++i) {
                cost[i] =
                    static_cast<Cents>(static_cast<Int128>(own_days[i]) * prog.running_cents_per_insured_year_ppm /
                                       (static_cast<Int128>(days_in(t)) * 1'000'000));
                if (t == prog.start_year && area_days > 0)
                    cost[i] += static_cast<Cents>(static_cast<Int128>(prog.investment) * own_days[i] / area_days);
            }
            for (std::size_t i = 0; i < n; ++i) d.programme[i] += cost[i];
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
        y.baseline = detail::settle(d, {});
        y.scenario = detail::settle(d, all);
        if (decomposed) detail::decompose(d, y);
    });

    detail::respond(b, outcome);
    return outcome;
}
}  // namespace anderhalf::scenario
