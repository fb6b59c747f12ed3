#pragma once
#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/data/record.hpp>
#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/estimation/moments.hpp>
#include <anderhalf/own_payment/own_payment.hpp>
#include <anderhalf/payment/payment.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace anderhalf::scenario {

/// Blocks of whole addresses over all years, made or read on demand; a block can be asked for again.
struct Source {
    Index blocks = 0;
    std::function<data::Block(Index)> block;
};

/// How neutrality counts what was expected when the contribution was granted.
enum class ExpectedCounts : std::uint8_t { lagged, baseline, actual };
/// How the macro amount follows realised cost.
enum class MacroRule : std::uint8_t { fixed, lagged, actual };

struct Options {
    std::int32_t first_year = 2015, last_year = 2031;  ///< calendar years of the source
    std::int32_t start = 2021, horizon = 10;           ///< equalization years simulated
    std::vector<std::uint16_t> insurers;               ///< codes, in the order of results
    std::uint64_t seed = 1;
    ExpectedCounts expected_counts = ExpectedCounts::lagged;
    std::int32_t expected_lag = 3;
    MacroRule macro = MacroRule::lagged;
    std::int32_t macro_lag = 3;
    std::int32_t estimation_lag = 3;         ///< cost year of the estimate, years before t
    bool estimates = true;                   ///< false: moments only, no weights of our own and no channel f
    std::int64_t threshold_ppm = 1'000'000;  ///< MHK lines in euros times this (sensitivity)
    payment::Rounding rounding = payment::Rounding::exact;
    /// Municipalities whose insured are kept with records and claims; of others only those near a national line, for
    /// programmes within these municipalities. Empty: everybody is kept.
    std::vector<std::uint16_t> keep{};
    std::int64_t band_insured = 2'000;  ///< with keep: insured kept on either side of a national line
    std::int64_t pass_through_ppm = 0;  ///< premium rule: share of a result change given back
    std::int32_t pass_through_lag = 1;
    std::int64_t enrolment_ppm = 0;  ///< premium rule: share of its insured that an insurer wins per share of premium
                                     ///< given back, more than the others give
    std::vector<std::uint16_t> municipalities{};  ///< whose health gap is measured, in ascending order; empty: none
};

/// First equalization year whose classes are needed: the first simulated year less the longest lag of the rules.
[[nodiscard]] std::int32_t first_class_year(const Options& options);

/// Settled cost of one record, and what of its claims falls under the deductible.
struct RecordCost {
    Cents variable = 0, ggz = 0, fixed = 0, nursing = 0;  ///< settled
    Cents eligible = 0;                                   ///< claimed, under the deductible
    friend bool operator==(const RecordCost&, const RecordCost&) = default;
};

/// Insured of a source in compact form: records, their cost, and what their claims mean for classes. Of a lean baseline,
/// those of the municipalities kept, and without claims those near a national line.
struct Panel {
    std::int32_t first_year = 0, years = 0;
    std::vector<std::uint64_t> person;        ///< by person index, ascending
    std::vector<std::uint32_t> record_begin;  ///< persons * years + 1: records of person p in year y
    std::vector<data::Record> records;
    std::vector<RecordCost> cost;            ///< by record
    std::vector<risk::CareYear> care;        ///< persons * years
    std::vector<std::uint32_t> claim_begin;  ///< persons * years + 1; empty for years before claims are kept
    std::vector<data::Claim> claims;
    std::int64_t claims_read = 0, persons_read = 0, records_read = 0;

    [[nodiscard]] Index persons() const { return static_cast<Index>(person.size()); }
    [[nodiscard]] std::size_t cell(Index p, std::int32_t year) const {
        return static_cast<std::size_t>(p * years + (year - first_year));
    }
    [[nodiscard]] std::span<const data::Record> records_of(Index p, std::int32_t year) const {
        const std::size_t c = cell(p, year);
        return {records.data() + record_begin[c], records.data() + record_begin[c + 1]};
    }
    /// @param record  one of `records`
    [[nodiscard]] const RecordCost& cost_of(const data::Record& record) const {
        return cost[static_cast<std::size_t>(&record - records.data())];
    }
    [[nodiscard]] std::span<const data::Claim> claims_of(Index p, std::int32_t year) const {
        const std::size_t c = cell(p, year);
        return {claims.data() + claim_begin[c], claims.data() + claim_begin[c + 1]};
    }
};

/// Persons who follow each other on a national ranking, highest cost first: all of it, or those around a line.
struct Band {
    static constexpr std::size_t step = 1024;
    std::int64_t above = 0;  ///< insured above the first person
    std::vector<risk::Ranked> persons;
    std::vector<std::int64_t> inside;  ///< [k]: insured above persons[k * step]
    bool top = true, bottom = true;    ///< nobody lies above; nobody below

    /// Fills `inside` from persons in order.
    void count();
};
using Ranking = std::vector<Band>;  ///< highest first, apart

/// National rankings and lines.
struct CostYear {  ///< one calendar year of cost: MHK and GGZ-MHK
    Ranking mhk, ggz;
    std::int64_t insured = 0;
    std::int64_t adults = 0;              ///< of that year: mental care is ranked among them (annex 2)
    std::vector<std::int64_t> ggz_users;  ///< per GGZ-MHK line: adults whose cost exceeds its minimum
    std::vector<risk::Line> ranked_mhk;   ///< lines of MHK before Options::threshold_ppm
    risk::CostLines lines;
};
struct NursingSum {  ///< one equalization year: MVV
    Ranking adults, children;
    std::int64_t insured_adults = 0, insured_children = 0;
    risk::SumLines lines;
};

/// Insured of one municipality, age and sex: what the health gap is made of.
struct GapCell {
    Days days = 0;
    Cents cost = 0;        ///< settled, of all clusters
    Int128 morbidity = 0;  ///< official weights of the classes that look at earlier care [micro-euro x days]
    friend bool operator==(const GapCell&, const GapCell&) = default;
};

/// Where a record counts in the health gap: cells by municipality (all others are the last) and class of age and sex.
struct GapPlan {
    std::vector<std::uint32_t> position;  ///< by code of the municipality; codes beyond it are of the others
    std::uint32_t others = 0;             ///< number of municipalities, and position of all others
    Index first = 0, classes = 0;         ///< columns of age and sex in the variable share
    std::vector<MicroEuro> weights;       ///< by column; 0 where no earlier care is looked at

    [[nodiscard]] std::size_t cells() const { return (others + std::size_t{1}) * static_cast<std::size_t>(classes); }
    void add(const data::Record& record, const risk::Row& row, Days weight, Cents cost,
             std::vector<GapCell>& cells) const;
};
/// @throw ParameterError  municipalities out of order or twice
[[nodiscard]] GapPlan gap_plan(const risk::Scheme& scheme, const std::vector<std::uint16_t>& municipalities);

/// Realised totals of one equalization year: all that settlement needs.
struct YearTotals {
    payment::ClassTotals variable, ggz, deductible;
    payment::ClassTotals nursing;  ///< no column without a nursing share
    /// Of them, insured living abroad; 0 x 0 in a model year without percentages for their classes "none".
    payment::ClassTotals variable_abroad, ggz_abroad, nursing_abroad;
    std::vector<Days> days, adult_days;  ///< per insurer
    std::vector<std::int64_t> under_18;  ///< per insurer, insured on 1 July (Bzv 3.22)
    std::vector<Cents> cost_variable, cost_ggz, cost_fixed, cost_nursing, own_payments;
    std::vector<Cents> own_payments_mandatory;  ///< the part under the mandatory deductible (Bzv 3.19(3))
    std::vector<std::int64_t> ggz_excess;       ///< high-cost compensation (art. 16) [millionths of a cent]
    std::vector<GapCell> gap;                   ///< in the order of the plan; empty when no municipality is asked
    friend bool operator==(const YearTotals&, const YearTotals&) = default;
};

/// Insured days of one insurer in one municipality.
struct MunicipalityDays {
    std::uint16_t municipality = 0, insurer = 0;  ///< insurer: code
    Days days = 0;
    friend bool operator==(const MunicipalityDays&, const MunicipalityDays&) = default;
};

/// Mental care that one insurer paid for one person: what high-cost compensation looks at.
struct MentalCost {
    std::uint64_t person = 0;
    Cents cents = 0;
    std::uint16_t insurer = 0;  ///< position
    std::uint16_t represents = 1;
    friend bool operator==(const MentalCost&, const MentalCost&) = default;
};

/// One equalization year of an arm.
struct ArmYear {
    std::int32_t year = 0;
    bool settled = false;  ///< within start .. start + horizon - 1
    YearTotals totals;
    estimation::Moments moments;  ///< cost of this year on classes of this year
    estimation::Fit fit;          ///< years used for weights only
    // Of settled years of the baseline.
    std::vector<std::int64_t> insured_rows;           ///< per insurer: persons of the sample, whatever they represent
    std::vector<MunicipalityDays> municipality_days;  ///< by municipality and insurer, ascending
    std::vector<MentalCost> mental_cost;              ///< persons ascending
};

/// The world without the programme.
struct Baseline {
    std::shared_ptr<const risk::Scheme> scheme;
    Options options;
    std::shared_ptr<const Panel> panel;
    std::vector<CostYear> cost_years;               ///< by calendar year
    std::vector<NursingSum> nursing;                ///< by calendar year as equalization year
    std::vector<ArmYear> years;                     ///< first_class_year .. start + horizon - 1
    std::vector<std::vector<Cents>> category_cost;  ///< [year][insurer * category_count + category], settled
    estimation::Specification specification;
    std::int32_t first_class_year = 0;
    std::shared_ptr<const GapPlan> gap;      ///< null when no municipality is asked
    std::shared_ptr<const Source> source{};  ///< of a lean baseline, for a full pass; must outlive it

    [[nodiscard]] bool lean() const { return source != nullptr; }
    /// @throw ParameterError  a lean baseline: what is asked needs everybody
    void require_everybody(const char* what) const;
    /// @throw DomainError  a year without classes: before first_class_year or after the last one simulated
    [[nodiscard]] const ArmYear& arm(std::int32_t year) const {
        const auto count = static_cast<std::int32_t>(years.size());
        if (year < first_class_year || year - first_class_year >= count)
            throw DomainError{{{"baseline", "year",
                                std::to_string(first_class_year) + ".." + std::to_string(first_class_year + count - 1),
                                std::to_string(year)}}};
        return years[static_cast<std::size_t>(year - first_class_year)];
    }
};

/// Reads a source into a baseline: classes by national lines, class totals, moments, estimates.
///
/// With Options::keep in two passes over its blocks, keeping of each person nothing but of those near a national line and
/// of the municipalities named: totals, moments, estimates, lines, and what `simulate` makes of a programme there, are the
/// same integers (decision 0026). Lines of years before the start, which no programme moves, need nobody near them.
/// @throw ParameterError  options that do not fit together (horizon beyond the years, no insurers, ...)
/// @throw DomainError     records or claims that cannot be used, all kinds at once, never a personal value
[[nodiscard]] Baseline make_baseline(const Source& source, std::shared_ptr<const risk::Scheme> scheme,
                                     const Options& options, const Run& run);

/// The same insured under other options (thresholds, rules, horizon), without reading claims again; a lean baseline reads
/// its source again, for others may be near a line.
/// @throw ParameterError  options that ask for other years or insurers than the panel was read with
[[nodiscard]] Baseline make_baseline(const Baseline& like, const Options& options, const Run& run);

/// Builds a panel of everybody; part of make_baseline, and of use alone for validation.
[[nodiscard]] Panel read_panel(const Source& source, const risk::Scheme& scheme, const Options& options,
                               std::vector<std::vector<Cents>>& category_cost, const Run& run);

/// Zero-sum constraints and column names of the variable share.
[[nodiscard]] estimation::Specification specification(const risk::Scheme& scheme);

/// Where the cells (person, year) stand that a programme reached; persons who were not reached take four bytes.
class CellIndex {
public:
    CellIndex() = default;
    CellIndex(Index persons, std::int32_t first_year, std::int32_t years)
        : first_year_{first_year}, years_{years}, slot_(static_cast<std::size_t>(persons), -1) {}
    [[nodiscard]] bool holds(Index p) const { return slot_[static_cast<std::size_t>(p)] >= 0; }
    /// Position of the cell; -1 when it was not reached.
    [[nodiscard]] std::int32_t at(Index p, std::int32_t year) const {
        const std::int32_t slot = slot_[static_cast<std::size_t>(p)];
        return slot < 0 ? -1 : position_[static_cast<std::size_t>(Index{slot} * years_ + (year - first_year_))];
    }
    void put(Index p, std::int32_t year, std::int32_t position) {
        std::int32_t& slot = slot_[static_cast<std::size_t>(p)];
        if (slot < 0) {
            slot = static_cast<std::int32_t>(position_.size()) / years_;
            position_.resize(position_.size() + static_cast<std::size_t>(years_), -1);
        }
        position_[static_cast<std::size_t>(Index{slot} * years_ + (year - first_year_))] = position;
    }

private:
    std::int32_t first_year_ = 0, years_ = 1;
    std::vector<std::int32_t> slot_, position_;
};

/// Classes of one person in one equalization year, given care and lines.
struct View {
    const Panel* panel = nullptr;
    const risk::Scheme* scheme = nullptr;
    const std::vector<CostYear>* cost_years = nullptr;         ///< for thresholds of the baseline
    const std::vector<risk::CostLines>* cost_lines = nullptr;  ///< overrides, by calendar year
    const std::vector<risk::SumLines>* sum_lines = nullptr;
    const CellIndex* overlay = nullptr;  ///< position in overlay_care of the cells reached
    const std::vector<risk::CareYear>* overlay_care = nullptr;
    std::uint64_t seed = 1;
    const GapPlan* gap = nullptr;  ///< counted where the totals have cells

    [[nodiscard]] const risk::CareYear& care(Index p, std::int32_t year) const {
        if (overlay != nullptr)
            if (const std::int32_t k = overlay->at(p, year); k >= 0)
                return (*overlay_care)[static_cast<std::size_t>(k)];
        return panel->care[panel->cell(p, year)];
    }
    void health(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const;
    /// The same without HSM, which looks at the classes of an earlier year.
    void classes(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const;

    // The parts of `health`: what rests on care and insurance alone, what rests on national lines, what on earlier classes.
    [[nodiscard]] risk::Past past(Index p, std::int32_t year) const;
    void care_classes(const risk::Past& past, std::int32_t year, const data::Record& record, risk::Health& out) const;
    void line_classes(const risk::Past& past, Index p, std::int32_t year, const data::Record& record,
                      risk::Health& out) const;
    void memory_classes(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const;
};

/// What an insured pays under the deductible of one insurer in one year.
struct OwnPayment {
    Cents total = 0, mandatory = 0;
};

/// The deductible is one per insurer and year, in proportion to the insured days: it stands on the first record with the
/// insurer and looks at all records with it. The voluntary part is that of the first record.
///
/// @param records      those of one person and year
/// @param k            record whose own payment is asked
/// @param eligible_of  claimed cents under the deductible of a record
template <class EligibleOf>
[[nodiscard]] OwnPayment own_payment(const risk::Scheme& scheme, std::span<const data::Record> records, std::size_t k,
                                     std::int32_t year, const EligibleOf& eligible_of) {
    const params::Model& model = scheme.model();
    const data::Record& record = records[k];
    if (scheme.age(record, year) < model.adult_age) return {};
    Days days = 0;
    Cents eligible = 0;
    for (std::size_t other = 0; other < records.size(); ++other) {
        const data::Record& r = records[other];
        if (r.insurer != record.insurer) continue;
        if (other < k) return {};
        days += r.last_day - r.first_day + 1;
        eligible += eligible_of(r);
    }
    const auto realised = [&](Cents voluntary) {
        return own_payment::realised(model.deductible_amount, voluntary, eligible, days, days_in(year));
    };
    return {realised(record.voluntary_deductible_cents), realised(0)};
}

}  // namespace anderhalf::scenario
