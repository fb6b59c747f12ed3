#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace anderhalf::estimation {

/// Columns of one criterion (or of one age band of a criterion) whose prevalence-weighted sum of weights is zero.
struct ZeroSum {
    std::string name;
    std::vector<Index> columns;
};

/// One term of a constraint: coefficient * b_column.
struct Term {
    Index column = 0;
    double coefficient = 1;
};

enum class Relation : std::uint8_t { equal, at_least, at_most };

/// A linear condition on the weights:  sum_t coefficient_t * b_{column_t}  RELATION  value  [EUR per insured year].
struct Constraint {
    std::string name;
    std::vector<Term> terms;
    Relation relation = Relation::equal;
    double value = 0;
};

/// The predicted cost of a group equals its own cost (constrained regression):
///
///     sum_k xd_k b_k / days_in_year = share_of_cost * cost
///
/// over the columns k, with xd and cost of the moments of the group alone and days_in_year of their design. Written in
/// whole days and cents, so that groups that partition the insured add up to the total exactly.
/// @throw DomainError  a group without insured days; a share that is not finite
/// @source van Kleef, McGuire, van Vliet, van de Ven, Eur J Health Econ 18 (2017) 1137-1156, doi:10.1007/s10198-016-0859-1
[[nodiscard]] Constraint group_total(std::string name, const Moments& group, double share_of_cost = 1,
                                     const Levels& levels = {});

/// b_column >= value, b_column <= value.
[[nodiscard]] Constraint at_least(std::string name, Index column, double value);
[[nodiscard]] Constraint at_most(std::string name, Index column, double value);
/// b_higher >= b_lower.
[[nodiscard]] Constraint in_order(std::string name, Index lower, Index higher);

}  // namespace anderhalf::estimation
