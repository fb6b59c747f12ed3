#pragma once
#include <anderhalf/core/types.hpp>

#include <Eigen/Core>

#include <vector>

namespace anderhalf::estimation {

/// The point of a polyhedron that is nearest to a start, and the half-spaces that hold it there.
struct Nearest {
    Eigen::VectorXd y;
    std::vector<Index> active;        ///< half-spaces that hold with equality
    std::vector<double> multipliers;  ///< of the active ones, > 0
    Index iterations = 0;
    bool converged = false;
    Index impossible = -1;            ///< a half-space that the rest rules out; -1: none
    std::vector<Index> against;       ///< the half-spaces that rule it out
    std::vector<Index> against_flat;  ///< and the equalities
};

/// min |y - start|^2  subject to  normals_k'y >= bounds_k,  moving within the null space of `flats` only.
///
/// The dual active-set method of Goldfarb and Idnani for an identity Hessian: it begins at the optimum of the equalities
/// and adds the half-space that is violated most, dropping those whose multiplier would turn negative.
/// @param flats    (r, m) normals of the equalities, independent; `start` satisfies them
/// A half-space that the rest settles is met when it is missed by less than 1e-9.
/// @param normals  (r, k)
/// @param floor    length below which |y| does not count as small: misses are relative to |normal| max(|y|, floor)
/// @source Goldfarb and Idnani, Mathematical Programming 27 (1983) 1-33, doi:10.1007/BF02591962
[[nodiscard]] Nearest nearest(const Eigen::MatrixXd& flats, const Eigen::MatrixXd& normals,
                              const Eigen::VectorXd& bounds, const Eigen::VectorXd& start, double floor = 0);

}  // namespace anderhalf::estimation
