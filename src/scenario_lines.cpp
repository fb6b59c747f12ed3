#include "scenario_arm.hpp"

#include <iterator>

namespace anderhalf::scenario {

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

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
}  // namespace

/// Marks the persons between an old and a new line.
void detail::mark_between(const std::vector<risk::Ranked>& ranked, const std::vector<risk::Line>& before,
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

detail::Lines detail::new_lines(const Baseline& b, const Overlay& o, const View& changed) {
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
}  // namespace anderhalf::scenario
