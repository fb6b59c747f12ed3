#include "scenario_arm.hpp"

namespace anderhalf::scenario {

using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

ArmYear full_pass(const Baseline& b, std::span<const Substitution> programmes, const Area& area, std::int32_t year) {
    b.require_everybody("full_pass");
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    const std::vector<std::int32_t> insurers = detail::insurer_index(b.options.insurers);
    Panel changed = panel;
    const detail::Overlay overlay = detail::apply(b, programmes, area, {});
    for (const auto& [p, of] : overlay.touched) {
        changed.care[panel.cell(p, of)] = overlay.care[at(overlay.care_at.at(p, of))];
        const auto costs = overlay.costs(panel, p, of);
        std::copy(costs.begin(), costs.end(), changed.cost.begin() + panel.record_begin[panel.cell(p, of)]);
    }
    std::vector<risk::CostLines> cost_lines(at(panel.years));
    std::vector<risk::SumLines> sum_lines(at(panel.years));
    View view{&changed, &scheme, nullptr, &cost_lines, &sum_lines, nullptr, nullptr, b.options.seed, b.gap.get()};
    for (std::int32_t y = panel.first_year; y < year; ++y) {
        CostYear ranking;
        std::vector<risk::Ranked> mhk, ggz;
        for (Index p = 0; p < changed.persons(); ++p) {
            const auto records = changed.records_of(p, y);
            if (records.empty()) continue;
            const std::uint64_t person = changed.person[at(p)], key = risk::tie_key(b.options.seed, person, y);
            const risk::CareYear& care = changed.care[changed.cell(p, y)];
            ranking.insured += records.front().represents;
            mhk.push_back({care.mhk_cost, key, person, 0, records.front().represents});
            if (!detail::ranked_for_mental_care(scheme, records.front(), y)) continue;
            ranking.adults += records.front().represents;
            ggz.push_back({care.ggz_cost, key, person, 0, records.front().represents});
        }
        detail::rank_cost_year(scheme, b.options, std::move(mhk), std::move(ggz), ranking);
        cost_lines[at(y - panel.first_year)] = ranking.lines;
    }
    const auto nursing_lines = [&](std::int32_t of) {
        NursingSum nursing;
        std::vector<risk::Ranked> adults, children;
        for (Index p = 0; p < changed.persons(); ++p) {
            const auto records = changed.records_of(p, of - 1);
            if (records.empty()) continue;
            const bool adult = scheme.age(records.front(), of) >= scheme.model().adult_age;
            (adult ? nursing.insured_adults : nursing.insured_children) += records.front().represents;
            const std::uint64_t person = changed.person[at(p)];
            (adult ? adults : children)
                .push_back({detail::nursing_sum(view, p, of, adult), risk::tie_key(b.options.seed, person, of), person,
                            0, records.front().represents});
        }
        detail::rank_nursing(scheme, std::move(adults), std::move(children), nursing);
        sum_lines[at(of - panel.first_year)] = nursing.lines;
    };
    nursing_lines(year);
    if (scheme.hsm_lag() > 0 && year - scheme.hsm_lag() > panel.first_year) nursing_lines(year - scheme.hsm_lag());
    ArmYear arm;
    arm.year = year;
    arm.totals = detail::empty_totals(scheme, b.options.insurers.size());
    if (b.gap != nullptr) arm.totals.gap.resize(b.gap->cells());
    arm.moments = estimation::Moments{scheme.variable_columns()};
    detail::AreaCount area_count{b.options.insurers.size()};
    for (Index p = 0; p < changed.persons(); ++p) {
        detail::add_totals(view, insurers, p, year, 1, arm.totals, &arm.moments);
        area_count.add(changed, insurers, p, year);
    }
    area_count.write(arm, scheme, b.options.insurers);
    return arm;
}

}  // namespace anderhalf::scenario
