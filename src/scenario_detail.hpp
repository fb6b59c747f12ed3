#pragma once
// Shared by the translation units of scenario; not installed.
#include <anderhalf/scenario/baseline.hpp>
#include <anderhalf/scenario/stream.hpp>

#include <map>
#include <string>
#include <vector>

namespace anderhalf::scenario::detail {

inline constexpr std::int32_t no_insurer = -1;

/// Panel of one block, before the parts are joined.
struct Part {
    Panel panel;
    std::vector<std::vector<Cents>> category_cost;  ///< [year][insurer * category_count + category], settled
};

/// Reads a block into a panel; claims of years before options.start are dropped.
/// @throw DomainError  records or claims that cannot be used, all kinds at once, never a personal value
[[nodiscard]] Part read_block(const data::Block& block, const risk::Scheme& scheme, const Options& options,
                              const std::vector<std::int32_t>& insurers);

/// Parts one after the other; each is emptied when it has been taken over.
/// @throw DomainError  persons out of order
[[nodiscard]] Panel join(std::vector<Part>& parts, const Options& options,
                         std::vector<std::vector<Cents>>& category_cost);

/// A baseline in two passes over a source, with Options::keep.
[[nodiscard]] Baseline lean_baseline(const Source& source, std::shared_ptr<const risk::Scheme> scheme,
                                     const Options& options, const Run& run);

/// Which years are estimated: weights move with the cost of simulated years; the first is estimated for validation.
[[nodiscard]] bool is_estimated(const Options& options, std::int32_t year);
void estimate(const Baseline& baseline, ArmYear& year);

/// Position of each insurer code in the order of results; -1 for codes that do not exist.
[[nodiscard]] std::vector<std::int32_t> insurer_index(const std::vector<std::uint16_t>& codes);

/// The record that bears a claim: of its insurer, covering the day it was opened, else the last; -1 when there is none.
[[nodiscard]] Index record_of(std::span<const data::Record> records, const data::Claim& claim);

void add_cost(const risk::Scheme& scheme, const data::Claim& claim, RecordCost& cost);
/// Insured of 18 and older in the cost year: those whose mental care is ranked.
[[nodiscard]] bool ranked_for_mental_care(const risk::Scheme& scheme, const data::Record& r, std::int32_t year);

/// Weights before neutrality: those of the settlement where the regulation has some, else of the grant.
[[nodiscard]] std::vector<MicroEuro> variable_weights(const risk::Scheme& scheme);
[[nodiscard]] std::vector<MicroEuro> ggz_weights(const risk::Scheme& scheme);

/// MHK lines in euros times so many millionths; a line that moved has no ties.
void scale(std::vector<risk::Line>& lines, std::int64_t ppm);

/// A whole ranking, sorted and counted.
[[nodiscard]] Band whole(std::vector<risk::Ranked> persons);
/// Takes the rankings of a year and sets its lines.
void rank_cost_year(const risk::Scheme& scheme, const Options& options, std::vector<risk::Ranked> mhk,
                    std::vector<risk::Ranked> ggz, CostYear& year);
void rank_nursing(const risk::Scheme& scheme, std::vector<risk::Ranked> adults, std::vector<risk::Ranked> children,
                  NursingSum& nursing);
[[nodiscard]] Cents nursing_sum(const View& view, Index p, std::int32_t year, bool adult);

[[nodiscard]] YearTotals empty_totals(const risk::Scheme& scheme, std::size_t insurers);
void merge(YearTotals& a, const YearTotals& b);

/// Adds (sign +1) or takes out (-1) one person in one equalization year.
void add_totals(const View& view, const std::vector<std::int32_t>& insurers, Index p, std::int32_t year, Days sign,
                YearTotals& totals, estimation::Moments* moments, ClassPersons* persons = nullptr);

/// Counts of a settled year that programmes are paid by, and the rows of high-cost compensation.
struct AreaCount {
    explicit AreaCount(std::size_t insurers) : insured(insurers) {}
    void add(const Panel& panel, const std::vector<std::int32_t>& insurers, Index p, std::int32_t year);
    void merge(AreaCount&& other);
    /// Writes them, and what follows for high-cost compensation, into the year.
    void write(ArmYear& arm, const risk::Scheme& scheme, const std::vector<std::uint16_t>& codes);

    std::vector<std::int64_t> insured;
    std::map<std::uint16_t, std::vector<Days>> days;  ///< by municipality, per insurer
    std::vector<MentalCost> mental;
};

/// Excess of persons above the threshold of the GGZ high-cost compensation (art. 16), over all their insurers, split in
/// proportion to what each of them paid.
void ggz_excess(const risk::Scheme& scheme, const std::vector<MentalCost>& rows, YearTotals& totals);

}  // namespace anderhalf::scenario::detail
