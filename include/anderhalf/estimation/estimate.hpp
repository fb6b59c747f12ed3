#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/estimation/constraints.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <string>
#include <vector>

namespace anderhalf::estimation {

/// What is estimated: the columns of the moments, their names, and the constraints.
struct Specification {
    std::vector<std::string> columns;  ///< names, for messages
    std::vector<ZeroSum> zero_sum{};
    Days days_in_year = 365;
    bool inference = true;  ///< exact rank and standard errors too; without it both stay empty
    std::vector<Constraint> constraints{};
    bool keep_budget =
        true;  ///< predicted = actual total cost, whatever the constraints do; a row of its own when it has to be
    Levels levels{};          ///< of strata and categories, applied to the moments
    bool covariance = false;  ///< the full matrix too (with inference)
};

/// A constraint that holds with equality, and what it costs.
struct Binding {
    std::string name;
    Relation relation = Relation::equal;
    /// Rise of half the sum of squared errors, sum_i d_i/365 e_i^2 / 2 [EUR^2 insured years], per euro of its value: a
    /// euro per insured year for a constraint, a euro in all for a zero-sum group and for the budget. Near 0 for a
    /// constraint that only says which of many equal descriptions is meant.
    double multiplier = 0;
};

/// Result of a constrained weighted least-squares estimate.
struct Fit {
    std::vector<double> coefficients;     ///< [EUR per insured year]; 0 for an empty class
    std::vector<double> standard_errors;  ///< classical; 0 when the constraints settle the weight, NaN for an empty
                                          ///< class; empty without inference
    std::vector<bool> empty;              ///< classes without an insured day, pinned at 0
    double r2 = 0;                        ///< centred, weighted by insured time
    double condition = 0;                 ///< of the scaled system
    Index rank = 0;                       ///< of X'DX, exact, absorbed classes included; 0 without inference
    double insured_years = 0;
    double mean_cost = 0;  ///< [EUR per insured year]
    std::int64_t rows = 0;

    bool converged = true;           ///< false: the active set or the refinement ended at its limit of iterations
    Index iterations = 0;            ///< of the active set
    double variance = 0;             ///< sum_i d_i/365 e_i^2 / freedom [EUR^2]; NaN without freedom
    std::int64_t freedom = 0;        ///< rows less free weights
    std::vector<double> covariance;  ///< (p, p) of the coefficients, row by row, on request; NaN for an empty class
    std::vector<Binding> binding;    ///< zero-sum groups, equalities, budget, and the inequalities that hold exactly
    std::vector<std::string> redundant;         ///< equalities that follow from those before them, left out
    std::vector<std::string> set_aside;         ///< constraints with a term on an empty class: it has no weight to hold
    bool budget_row = false;                    ///< the total is a constraint of its own beside those that bind
    std::vector<double> absorbed_coefficients;  ///< of the absorbed classes; 0 for an empty one
    std::vector<bool> absorbed_empty;
    std::vector<double> absorbed_standard_errors;  ///< classical; NaN for an empty class; empty without inference
};

/// Constrained weighted least squares per insured year, from moments alone.
///
///     min_b sum_i d_i/365 (365 c_i / d_i - x_i'b - a_i)^2   subject to
///     sum_{k in g} n_k b_k = 0      for every zero-sum group g, n_k = xd[k], insured days of the class
///     sum_k coefficient_k b_k  =, >=, <=  value                                     for every constraint
///     sum_k n_k b_k = total cost    when it would not hold of itself (keep_budget)
///
/// a_i is the weight of the absorbed class, if there is one. Solved in double (Cholesky of the scaled X'DX + C'C, Schur
/// complement) and refined with residuals in long double, where the moments are exact; inequalities by a dual active set.
/// Rank is decided in exact arithmetic, without a threshold. An empty class weighs 0; a constraint with a term on one is
/// set aside and named, a zero-sum group only loses the term. Equalities whose rows agree to eleven digits, and their
/// values to nine, are one equality: the later one is redundant. What an inequality asks is met when it is missed by less
/// than 1e-9 of the length of the costs and nothing is left to move.
///
/// @throw ShapeError      the specification names other columns than the moments hold
/// @throw DomainError     columns left free under the constraints (each direction named), contradictory equalities or
///                        impossible inequalities (named), a coefficient or value that is not finite, or no data
/// @source model.md section 5; van Kleef et al.; Regeling risicoverevening, Overall Toets
[[nodiscard]] Fit estimate(const Moments& moments, const Specification& specification);
/// The same from totals whose levels are applied already (specification.levels is not looked at), yy per days_in_year.
[[nodiscard]] Fit estimate(const Totals& totals, const Specification& specification);

}  // namespace anderhalf::estimation
