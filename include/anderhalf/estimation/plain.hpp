#pragma once
#include <anderhalf/data/columns.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace anderhalf::estimation {

/// The classes of one row as entries, ascending columns, the derived none among them. Trusts checked columns.
/// @param absorbed  receives the absorbed class; -1 without one
void read_entries(const data::Design& design, const data::Rows& rows, Index row, std::vector<Entry>& entries,
                  Index& absorbed);

/// `accumulate`, `gram` by the plain double loop over the non-zeros of every row: the second way to the same integers.
[[nodiscard]] Moments accumulate_plain(const data::Design& design, const data::Rows& rows);
[[nodiscard]] std::vector<std::int64_t> gram_plain(const data::Design& design, const data::Rows& rows,
                                                   std::span<const std::int64_t> weight);

}  // namespace anderhalf::estimation
