#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>

#include "scenario_arm.hpp"

namespace anderhalf::scenario {

using substitution::Effect;
using substitution::Movement;
using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

}  // namespace

detail::Overlay detail::apply(const Baseline& b, const Substitution& programme, const Area& area) {
    const Panel& panel = *b.panel;
    const bool same_years = std::all_of(area.candidates.begin(), area.candidates.end(), [&](const auto& c) {
        return c.first < panel.persons() && c.second >= b.options.start &&
               c.second < b.options.start + b.options.horizon;
    });
    if (static_cast<std::int32_t>(area.volumes.size()) != b.options.horizon || !same_years)
        throw ShapeError{
            {{"simulate", "area", "a survey of this baseline and its years", "one of other years or persons"}}};
    Overlay o;
    o.care_at = o.cost_at = CellIndex{panel.persons(), panel.first_year, panel.years};
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
        o.care_at.put(p, year, static_cast<std::int32_t>(o.care.size()));
        o.care.push_back(care);
        std::vector<RecordCost> cost(records.size());
        for (const data::Claim& c : claims) detail::add_cost(*b.scheme, c, cost[at(detail::record_of(records, c))]);
        o.cost_at.put(p, year, static_cast<std::int32_t>(o.cost.size()));
        o.cost.insert(o.cost.end(), cost.begin(), cost.end());
    }
    return o;
}

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
}  // namespace anderhalf::scenario
