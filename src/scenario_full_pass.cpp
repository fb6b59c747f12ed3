#include "scenario_arm.hpp"

namespace anderhalf::scenario {

using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

ArmYear full_pass(const Baseline& b, const Substitution& programme, const Area& area, std::int32_t year) {
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    const std::vector<std::int32_t> insurers = detail::insurer_index(b.options.insurers);
    Panel changed = panel;
    const detail::Overlay overlay = detail::apply(b, programme, area);
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
