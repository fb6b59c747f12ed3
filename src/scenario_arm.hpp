#pragma once
// The parts of an arm with programmes, shared by the translation units of scenario; not installed.
#include <anderhalf/scenario/simulate.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace anderhalf::scenario::detail {

/// Care and cost of the persons that the programme reached, laid over the panel.
struct Overlay {
    CellIndex care_at;  // of the cells touched: position in care
    CellIndex cost_at;  // and of their first record in cost; the other records follow
    std::vector<risk::CareYear> care;
    std::vector<RecordCost> cost;
    std::vector<std::pair<std::uint32_t, std::int32_t>> touched;  // (person index, year), by year, then person
    std::vector<substitution::Movement> movements;                // likewise
    // Contacts of centres, and person-years that a programme without a centre reached: represented, and rows.
    std::int64_t patients = 0, patients_rows = 0;

    /// Cost of the records of a cell, in their order.
    [[nodiscard]] std::span<const RecordCost> costs(const Panel& panel, Index p, std::int32_t year) const {
        const std::size_t c = panel.cell(p, year), count = panel.record_begin[c + 1] - panel.record_begin[c];
        const std::int32_t k = cost_at.at(p, year);
        return {k >= 0 ? cost.data() + k : panel.cost.data() + panel.record_begin[c], count};
    }
};

/// Lets the programmes happen to the candidates of an area, one after the other, and settles what hospitals lose by contract.
[[nodiscard]] Overlay apply(const Baseline& baseline, std::span<const substitution::Substitution> programmes,
                            const Area& area, const Run& run);

/// Movements added up by year, insurer, specialism, product type, effect, category, programme and rule, in this order.
struct AddedUp {
    std::vector<MovementTotal> totals;
    std::vector<std::vector<std::int64_t>> reached;  // persons of the sample by simulated year and insurer
};
[[nodiscard]] AddedUp add_up(const Overlay& overlay, const Options& options, const Run& run);

/// @throw ParameterError  programmes that reach municipalities which a lean baseline does not keep
void check_kept(const Baseline& baseline, std::span<const substitution::Substitution> programmes);

/// The lines of all years with the programmes.
struct Lines {
    std::vector<risk::CostLines> cost;
    std::vector<risk::SumLines> sums;
    bool inside = true;                            // every line lies within its band
    std::vector<char> cost_outside, sums_outside;  // by calendar year: a line left its band
};

/// Lines of the arm: in each band, the touched persons' entries exchanged.
/// @param changed  the view of own claims, with the overlay
[[nodiscard]] Lines new_lines(const Baseline& baseline, const Overlay& overlay, const View& changed, const Run& run);

/// Marks the persons between the old and the new lines that classes of a year look at.
void mark_between(const Baseline& baseline, const Lines& lines, std::int32_t year, std::vector<char>& mark);

/// Class days that own claims move at baseline thresholds, per criterion of a share: of records whose classes lose weight
/// by it, and of those whose classes gain. Leaving a class and entering another is one step.
struct ShareSteps {
    std::vector<std::array<payment::ClassTotals, 2>> moved;  ///< [criterion][loss, gain]
};
struct ClassSteps {
    ShareSteps variable, ggz;
};
[[nodiscard]] ClassSteps empty_steps(const risk::Scheme& scheme, Index insurers);
/// Adds what one record's rows of a share differ in; directions by the weights of the settlement before neutrality.
void add_step(const std::vector<risk::CriterionColumns>& layout, const std::vector<MicroEuro>& weights, Index insurer,
              Days weight, const risk::Row& before, const risk::Row& after, ShareSteps& steps);

/// One year of the arm with programmes.
struct Arm {
    YearTotals totals;
    payment::ClassTotals c1, c2;  // own claims at baseline lines; moved lines alone
    payment::ClassTotals ggz_c1, ggz_c2;
    ClassSteps steps;  // from the baseline to c1 and ggz_c1
    estimation::Fit fit;
    bool fitted = false;
    std::vector<ClassChange> classes;
    std::int64_t regrouped = 0;
};

/// The four ways to look at a person: claims of either arm, lines of either arm.
struct Views {
    View base, own, line, full;
};

/// Totals, moments and estimate of a year: those of the baseline, with the persons exchanged whose cost or classes differ.
[[nodiscard]] Arm arm_of(const Baseline& baseline, const Overlay& overlay, const Lines& lines, const Views& views,
                         std::int32_t year, bool decompose);

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
    const payment::ClassTotals *ggz_c1 = nullptr, *ggz_c2 = nullptr;
    const ClassSteps* steps = nullptr;             // of c1 and ggz_c1
    payment::Counts expected_base, expected_scen;  // variable share
    std::vector<MicroEuro> official, changed;      // variable weights
    std::vector<Cents> a1, a2, a3, programme;      // by insurer
    Cents macro_change = 0;
    // Of the baseline, once.
    payment::National national_base{}, ggz_base{};
    std::vector<MicroEuro> ggz_weights, deductible_weights;
    // After the neutrality of the scenario's own counts.
    std::vector<MicroEuro> ggz_weights_scen, deductible_weights_scen;
};

/// The desk of a year without a programme: the scenario's sides are those of the baseline.
[[nodiscard]] Desk baseline_desk(const Baseline& baseline, std::int32_t year);

/// Sets what neutrality of the GGZ share and of expected own payments makes of the scenario's counts.
/// @param arm_of  totals of the scenario of any year
void follow_counts(Desk& desk, const std::function<const YearTotals&(std::int32_t)>& arm_of);

/// Result of every insurer with the channels that are on.
[[nodiscard]] Settlement settle(const Desk& desk, const Channels& channels);

/// Official weights moved by what two estimates differ; classes that are empty in either stay where they are.
[[nodiscard]] std::vector<MicroEuro> moved_weights(const std::vector<MicroEuro>& official,
                                                   const estimation::Fit& scenario, const estimation::Fit& baseline);

/// Premium response (channel j): a share of an earlier change in result is given back to premium payers, and insured follow
/// the premium. Who moves is an average insured of the insurer left, and takes along what is paid for and by him.
void respond(const Baseline& baseline, Outcome& outcome);

/// Both walks over the channels.
void decompose(const Desk& desk, YearOutcome& year);

[[nodiscard]] inline Cents total(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }
[[nodiscard]] inline Int128 total(const std::vector<Int128>& v) {
    return std::accumulate(v.begin(), v.end(), Int128{0});
}

}  // namespace anderhalf::scenario::detail
