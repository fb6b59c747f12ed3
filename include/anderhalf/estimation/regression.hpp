#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/estimation/constraints.hpp>

#include <span>
#include <string>
#include <vector>

namespace anderhalf::estimation {

/// Continuous regressors, borrowed: a column of doubles each.
struct Regressors {
    std::vector<std::string> names;
    std::vector<std::span<const double>> columns;
};

/// Result of a weighted least-squares regression on continuous columns.
struct Regression {
    std::string method = "QR, double";
    std::vector<double> coefficients;
    std::vector<double> standard_errors;  ///< classical; NaN without freedom
    std::vector<double> covariance;       ///< (p, p), row by row
    double residual_sd = 0;               ///< square root of weighted squares per degree of freedom
    double r2 = 0;                        ///< about the weighted mean when a column (or a sum of them) is constant 1,
                                          ///< about 0 otherwise
    bool centred = true;
    double condition = 0;  ///< of the columns scaled to length 1: ratio of the ends of R's diagonal
    Index rank = 0;
    std::int64_t freedom = 0;
    bool converged = true;  ///< false: refinement did not settle; trust the digits of `condition` only
};

/// Weighted least squares by column-pivoted Householder QR in double:
///
///     min_b sum_i w_i (y_i - sum_j x_ij b_j)^2   subject to linear equalities
///
/// Columns are scaled to length 1; equalities are taken out by an orthonormal basis of their null space; two or three
/// steps of Bjoerck's refinement (residuals in long double) follow. What the columns hold is taken as exact: powers that
/// were rounded to double bring their rounding, times the condition, into the coefficients.
///
/// @param weight       (n) > 0; empty: all 1
/// @param equalities   relation equal only
/// @throw ShapeError   columns of different length; a term on a column that does not exist
/// @throw DomainError  a value that is not finite (count and first rows), a weight that is not positive, fewer rows than
///                     columns, columns that depend on each other (named), contradictory equalities, an inequality
/// @source Bjoerck, BIT 7 (1967) 257-278, doi:10.1007/BF01939321 (refinement)
[[nodiscard]] Regression regress(const Regressors& x, std::span<const double> y, std::span<const double> weight = {},
                                 const std::vector<Constraint>& equalities = {});

}  // namespace anderhalf::estimation
