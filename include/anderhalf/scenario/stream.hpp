#pragma once
#include <anderhalf/payment/excess.hpp>
#include <anderhalf/scenario/baseline.hpp>

#include <string>
#include <vector>

namespace anderhalf::scenario {

/// A national line of one equalization year, and how many insured lie beyond it and on it.
struct NationalLine {
    std::string criterion;  ///< mhk, ggz_mhk, mvv
    std::int32_t year = 0;  ///< of the cost; of MVV the equalization year, whose sums are ranked
    std::int32_t top_per_myriad = 0;
    Cents min_cents = 0;       ///< GGZ-MHK: the share is one of insured with more cost than this
    std::int32_t code = 0;     ///< MVV: the class; else 0, for classes of several years share a line
    risk::Line line;           ///< as classes use it
    std::int64_t insured = 0;  ///< of whom the share is taken
    std::int64_t above = 0;    ///< insured with more cost than the line
    std::int64_t on = 0;       ///< insured with exactly that cost, of whom ties let some in
    friend bool operator==(const NationalLine&, const NationalLine&) = default;
};

/// Persons per insurer and class, whatever they represent: what small cells are judged by. A person counts once with each
/// insurer, in the classes of the first record there.
struct ClassPersons {
    payment::ClassTotals variable, ggz, deductible, nursing;
    std::vector<std::int64_t> insured;  ///< per insurer
    friend bool operator==(const ClassPersons&, const ClassPersons&) = default;
};

/// High cost of a share of one year.
struct HighCostYear {
    std::string share;
    std::vector<std::int64_t> per_insurer;  ///< [millionths of a cent]
    std::vector<Cents> threshold;
    friend bool operator==(const HighCostYear&, const HighCostYear&) = default;
};

/// All that weights and payments need of one equalization year.
struct Streamed {
    std::int32_t year = 0, first_year = 0;  ///< care of first_year..year was read
    YearTotals totals;
    ClassPersons class_persons;
    std::vector<HighCostYear> high_cost;  ///< per share with compensation, in the order of the model
    estimation::Moments moments;          ///< cost of this year on classes of this year
    std::vector<NationalLine> lines;
    std::vector<risk::CostLines>
        cost_lines;  ///< by calendar year from first_year; default where no class looks at them
    std::vector<risk::SumLines> sum_lines;
    std::int64_t persons = 0, records = 0, insured = 0;  ///< of this year: persons with a record, records, represented
    std::int64_t claims = 0;                             ///< read, of all years
    std::int64_t held = 0;                               ///< persons kept until a line near their cost was known
};

/// First calendar year of care that classes of an equalization year look at.
[[nodiscard]] std::int32_t first_year_of_care(const risk::Scheme& scheme, std::int32_t year);

/// One equalization year of a source of any size, in two passes over its blocks; nothing of a person is kept but of those
/// whose cost lies within one part in 16,384 of a national line, and the rows of high-cost compensation.
///
/// Pass 1 counts insured per cost, in bins; the bin of every line follows. Pass 2 reads the blocks again, gives classes and
/// adds totals and moments; a person with a cost in the bin of a line waits until all of them are there, and their order,
/// ties by key and person, decides the line. Lines, totals and moments are those of `make_baseline`, bit for bit: sums of
/// integers, whatever the blocks and threads.
///
/// @param options  first_year, last_year of the source, insurers, seed and threshold_ppm
/// @param empty    moments to add to, of the columns of the variable share; default: without a design
/// @throw ParameterError  a year whose care does not lie within the source; insurers not in ascending order
/// @throw DomainError     records or claims of the years read that cannot be used, all kinds at once; blocks that differ
///                        when asked again
[[nodiscard]] Streamed stream(const Source& source, const risk::Scheme& scheme, const Options& options,
                              std::int32_t year, const Run& run,
                              const estimation::Moments& empty = estimation::Moments{});

}  // namespace anderhalf::scenario
