#pragma once
#include <anderhalf/data/record.hpp>
#include <anderhalf/population/tables.hpp>

#include <cstdint>
#include <vector>

namespace anderhalf::population {

/// How many insured are wanted, and which municipalities should be one-to-one if they fit in half of the rows.
struct Sample {
    std::int64_t persons = 100'000;
    std::vector<std::uint16_t> region;  ///< municipality codes; empty: the country alike
    std::uint64_t seed = 1;
    std::int32_t block_persons = 8'192;  ///< expected persons per block in the start year, at most 65,536
};

/// Addresses [first, last) of the frame, thinned one in `represents`.
struct Range {
    std::uint64_t first = 0, last = 0;
    std::uint16_t represents = 1;
    std::uint32_t stretch = 0;
};

/// A sample laid out in blocks; block b holds ranges [begin[b], begin[b + 1]).
struct Plan {
    std::uint64_t seed = 1;
    std::uint16_t represents_region = 1, represents_rest = 1;
    std::vector<Range> ranges;
    std::vector<Index> begin;
    [[nodiscard]] Index blocks() const { return static_cast<Index>(begin.size()) - 1; }
};

/// The address is in the sample when its draw is below 2^64 / r: samples with a larger r lie within those with a smaller.
[[nodiscard]] Plan plan(const Tables& tables, const Sample& sample);

/// Records and claims of one block for the years asked; the life course always runs from the start year.
/// Pure: the same arguments give the same block, on any thread and in any sample that holds these addresses.
[[nodiscard]] data::Block generate(const Tables& tables, const Plan& plan, Index block, std::int32_t first_year,
                                   std::int32_t last_year);

/// Conditions of every generated person-year, for tests and calibration: person, year, condition indices.
struct Diagnosed {
    std::uint64_t person = 0;
    std::int32_t year = 0;
    std::int32_t condition = 0;
};
[[nodiscard]] std::vector<Diagnosed> conditions_of(const Tables& tables, const Plan& plan, Index block,
                                                   std::int32_t first_year, std::int32_t last_year);

}  // namespace anderhalf::population
