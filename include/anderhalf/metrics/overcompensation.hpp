#pragma once
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>

#include <vector>

namespace anderhalf::metrics {

/// Mean over- (+) or under- (-) compensation of each group of insured persons.
///
///     result[g] = 365 * sum_{i in g} (payment[i] - cost[i]) / sum_{i in g} days[i]
///
/// @param group    (n) group of record i; 0 for none
/// @param payment  (n) [cents]
/// @param cost     (n) [cents]
/// @param days     (n) insured days, 1..366
/// @return         (groups) [EUR per insured year]; NaN for an empty group; element 0 is the rest
/// @throw ShapeError   columns of different length
/// @throw DomainError  a group outside [0, groups), or days outside 1..366
/// @source van de Ven et al., Eur J Health Econ 18 (2017) 167-180, Table 2, doi:10.1007/s10198-016-0764-7
[[nodiscard]] std::vector<double> overcompensation(const CodeView& group, CentsView payment, CentsView cost,
                                                   DaysView days, Index groups, const Run& run);

}  // namespace anderhalf::metrics
