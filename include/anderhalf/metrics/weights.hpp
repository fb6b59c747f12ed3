#pragma once
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <span>

namespace anderhalf::metrics {

/// GGAV: mean absolute change of weights, each class weighing its insured time.
///
///     sum_j days_j |after_j - before_j| / sum_j days_j
///
/// @param before, after  (classes) [micro-euro per insured year]
/// @param days           (classes) insured days in the class, at least 0
/// @return               [EUR per insured year]; NaN without insured days
/// @throw ShapeError   columns of different length
/// @throw DomainError  days below 0, a weight beyond 2^52 micro-euro, days beyond 2^52
/// @source named in the Overall Toets 2022, table 1.1, which does not print the formula: docs/decisions/0010
[[nodiscard]] double weight_change(std::span<const MicroEuro> before, std::span<const MicroEuro> after,
                                   std::span<const std::int64_t> days);

}  // namespace anderhalf::metrics
