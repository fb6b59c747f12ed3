#pragma once
// The parts of an arm with programmes, shared by the translation units of scenario; not installed.
#include <anderhalf/scenario/simulate.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace anderhalf::scenario::detail {

/// Care and cost of the persons that the programme reached, laid over the panel.
struct Overlay {
    std::vector<std::int32_t> care_at, cost_at;  // by cell, by record; -1 unchanged
    std::vector<risk::CareYear> care;
    std::vector<RecordCost> cost;
    std::vector<std::pair<std::uint32_t, std::int32_t>> touched;  // (person index, year), ascending by year
    std::vector<substitution::Movement> movements;
    std::int64_t patients_rows = 0;

    [[nodiscard]] const RecordCost& cost_of(const Panel& panel, std::size_t record) const {
        const std::int32_t k = cost_at[record];
        return k >= 0 ? cost[static_cast<std::size_t>(k)] : panel.cost[record];
    }
};

/// Lets the programme happen to the candidates of an area.
[[nodiscard]] Overlay apply(const Baseline& baseline, const substitution::Substitution& programme, const Area& area);

/// The lines of all years with the programme.
struct Lines {
    std::vector<risk::CostLines> cost;
    std::vector<risk::SumLines> sums;
    std::vector<char> ggz_changed;  // by calendar year
};

/// Lines of the arm: rankings with the touched persons' entries exchanged.
/// @param changed  the view of own claims, with the overlay
[[nodiscard]] Lines new_lines(const Baseline& baseline, const Overlay& overlay, const View& changed);

/// Marks the persons between an old and a new line.
void mark_between(const std::vector<risk::Ranked>& ranked, const std::vector<risk::Line>& before,
                  const std::vector<risk::Line>& after, std::vector<char>& mark);

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

/// The desk of a year without a programme: the scenario's sides are those of the baseline.
[[nodiscard]] Desk baseline_desk(const Baseline& baseline, std::int32_t year);

/// Result of every insurer with the channels that are on.
[[nodiscard]] Settlement settle(const Desk& desk, const Channels& channels);

/// Official weights moved by what two estimates differ; classes that are empty in either stay where they are.
[[nodiscard]] std::vector<MicroEuro> moved_weights(const std::vector<MicroEuro>& official,
                                                   const estimation::Fit& scenario, const estimation::Fit& baseline);

/// Both walks over the channels.
void decompose(const Desk& desk, YearOutcome& year);

[[nodiscard]] inline Cents total(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }
[[nodiscard]] inline Int128 total(const std::vector<Int128>& v) {
    return std::accumulate(v.begin(), v.end(), Int128{0});
}

}  // namespace anderhalf::scenario::detail
