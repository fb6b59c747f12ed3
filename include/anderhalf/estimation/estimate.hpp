#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <string>
#include <vector>

namespace anderhalf::estimation {

/// Columns of one criterion (or of one age band of a criterion) whose prevalence-weighted sum of weights is zero.
struct ZeroSum {
    std::string name;
    std::vector<Index> columns;
};

/// What is estimated: the columns of the moments, their names, and the zero-sum constraints.
struct Specification {
    std::vector<std::string> columns;  ///< names, for messages
    std::vector<ZeroSum> zero_sum;
    Days days_in_year = 365;
    bool inference = true;  ///< rank and standard errors too; without it both stay empty
};

/// Result of a constrained weighted least-squares estimate.
struct Fit {
    std::vector<double> coefficients;     ///< [EUR per insured year]; 0 for an empty class
    std::vector<double> standard_errors;  ///< classical; NaN for an empty class; empty without inference
    std::vector<bool> empty;              ///< classes without an insured day, pinned at 0
    double r2 = 0;                        ///< centred, weighted by insured time
    double condition = 0;                 ///< of the scaled system
    Index rank = 0;                       ///< of X'DX; 0 without inference
    double insured_years = 0;
    double mean_cost = 0;  ///< [EUR per insured year]
    std::int64_t rows = 0;
};

/// Constrained weighted least squares per insured year, from moments alone.
///
///     min_b sum_i d_i/365 (365 c_i / d_i - x_i'b)^2   subject to   sum_{k in g} n_k b_k = 0 for every zero-sum group g,
///     n_k = xd[k], insured days of the class
///
/// @throw ShapeError      the specification names other columns than the moments hold
/// @throw DomainError     columns that stay free under the constraints (named), or no data
/// @source model.md section 5; van Kleef et al.; Regeling risicoverevening, Overall Toets
[[nodiscard]] Fit estimate(const Moments& moments, const Specification& specification);

}  // namespace anderhalf::estimation
