#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>

#include "scenario_arm.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace anderhalf::scenario {

using detail::Desk;
using detail::expected;
using detail::Lines;
using detail::mark_between;
using detail::moved_weights;
using detail::Overlay;
using detail::total;
using substitution::Effect;
using substitution::Movement;
using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

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
    const Overlay overlay = detail::apply(b, programme, area);

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
    const Lines lines = detail::new_lines(b, overlay, own_view);
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
        Desk d = detail::baseline_desk(b, t);
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
        y.baseline = detail::settle(d, {});
        y.scenario = detail::settle(d, all);
        if (decomposed) detail::decompose(d, y);
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
}  // namespace anderhalf::scenario
