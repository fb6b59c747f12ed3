#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/estimation/estimate.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace anderhalf::estimation {

/// How well weights foresee the cost of people who were not in their estimate.
struct CrossValidation {
    double r2 = 0;              ///< 1 - sum over groups of d (y - yhat)^2 / sum of d (y - ybar)^2
    std::vector<double> r2_of;  ///< the same per group
    double r2_in = 0;           ///< of all groups together, in sample
    std::vector<Index> unseen;  ///< per group: classes that nobody else has; they weigh 0 in its forecast
};

/// k-fold cross-validation from moments alone: the strata are the groups, each left out once.
///
/// yhat and ybar of a group come from the other groups. Assign persons to strata at random, all rows of a person to one.
/// @throw ShapeError   fewer than two strata
/// @throw DomainError  as estimate, naming the group left out; an absorbed criterion
[[nodiscard]] CrossValidation cross_validate(const Moments& moments, const Specification& specification,
                                             const Run& run);

/// Weights of resampled groups.
struct Bootstrap {
    Index columns = 0;
    std::vector<double> coefficients;        ///< (draws, columns), row by row; NaN for a class that a draw has empty
    std::vector<double> standard_deviation;  ///< (columns), over the draws that have the class; NaN below two
    Index refused = 0;                       ///< draws whose groups leave weights free: a row of NaN
    std::string refusal;                     ///< what the first of them said
};

/// Bootstrap of groups from moments alone: as many strata as there are, drawn with replacement, `draws` times.
///
/// Draws are addressed by Philox (seed, Purpose::uncertainty; draw, word): the same on any number of threads. With few
/// groups (below about 50) the standard deviation is itself uncertain by 1 / sqrt(2 groups).
/// @throw ShapeError   fewer than two strata, or no draws
[[nodiscard]] Bootstrap bootstrap(const Moments& moments, const Specification& specification, Index draws,
                                  std::uint64_t seed, const Run& run);

}  // namespace anderhalf::estimation
