#include "active_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace anderhalf::estimation {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// Orthonormal columns and the triangle that goes with them; Gram-Schmidt, done twice.
class Orthonormal {
public:
    explicit Orthonormal(Index rows) : q_(rows, 0) {}
    [[nodiscard]] Index size() const { return q_.cols(); }

    /// The part of v that no column holds; `inside` receives the rest, as multiples of the columns.
    [[nodiscard]] Vector outside(const Vector& v, Vector& inside) const {
        inside = q_.transpose() * v;
        Vector rest = v - q_ * inside;
        const Vector again = q_.transpose() * rest;
        inside += again;
        rest -= q_ * again;
        return rest;
    }
    void append(const Vector& v) {
        Vector inside;
        const Vector rest = outside(v, inside);
        const Index n = size();
        q_.conservativeResize(Eigen::NoChange, n + 1);
        r_.conservativeResize(n + 1, n + 1);
        q_.col(n) = rest.normalized();
        r_.row(n).setZero();
        r_.col(n).head(n) = inside;
        r_(n, n) = rest.norm();
    }
    void shrink(Index n) {
        q_.conservativeResize(Eigen::NoChange, n);
        r_.conservativeResize(n, n);
    }
    /// As multiples of the appended vectors.
    [[nodiscard]] Vector original(const Vector& inside) const {
        return r_.topLeftCorner(size(), size()).triangularView<Eigen::Upper>().solve(inside);
    }

private:
    Matrix q_, r_;
};

}  // namespace

Nearest nearest(const Matrix& flats, const Matrix& normals, const Vector& bounds, const Vector& start, double floor) {
    const double nothing = 1e-11;  // part of a normal that is taken as none: the double product of two unit vectors
    const double slack = 1e-13;    // violation that is taken as none, relative to |normal| |y|
    const double settled = 1e-9;   // and when nothing is left to move
    const Index m = flats.cols(), k = normals.cols();
    Nearest out;
    out.y = start;
    Orthonormal basis{flats.rows()};
    for (Index j = 0; j < m; ++j) basis.append(flats.col(j));

    const Vector length = normals.colwise().norm();
    std::vector<bool> in(static_cast<std::size_t>(k), false), met(static_cast<std::size_t>(k), false);
    const Index most = 50 * (k + 10);
    for (; out.iterations < most; ++out.iterations) {
        Index worst = -1;
        double depth = 0;
        for (Index j = 0; j < k; ++j) {
            if (in[static_cast<std::size_t>(j)]) continue;
            const double size = length[j] * std::max(out.y.norm(), floor) + std::abs(bounds[j]);
            const double below = bounds[j] - normals.col(j).dot(out.y);
            if (below > (met[static_cast<std::size_t>(j)] ? settled : slack) * size && below / size > depth) {
                depth = below / size;
                worst = j;
            }
        }
        if (worst < 0) {
            out.converged = true;
            return out;
        }
        const Vector normal = normals.col(worst);
        const auto before = std::make_tuple(out.y, out.active, out.multipliers);
        double pressure = 0;  // multiplier of the half-space that comes in
        for (;; ++out.iterations) {
            Vector inside;
            const Vector step = basis.outside(normal, inside);
            const Vector share = basis.original(inside);  // of flats, then of the active half-spaces
            double longest = std::numeric_limits<double>::infinity();
            std::size_t leaves = out.active.size();
            for (std::size_t a = 0; a < out.active.size(); ++a) {
                const double s = share[m + static_cast<Index>(a)];
                if (s > nothing * length[worst] && out.multipliers[a] / s < longest) {
                    longest = out.multipliers[a] / s;
                    leaves = a;
                }
            }
            const bool moves = step.norm() > nothing * length[worst];
            const double whole = moves ? (bounds[worst] - normal.dot(out.y)) / step.squaredNorm()
                                       : std::numeric_limits<double>::infinity();
            const double t = std::min(longest, whole);
            if (!std::isfinite(t)) {
                if (depth < settled) {  // held by the rest, and met but for rounding
                    met[static_cast<std::size_t>(worst)] = true;
                    for (const Index a : out.active) in[static_cast<std::size_t>(a)] = false;
                    std::tie(out.y, out.active, out.multipliers) = before;
                    for (const Index a : out.active) in[static_cast<std::size_t>(a)] = true;
                    basis.shrink(m);
                    for (const Index a : out.active) basis.append(normals.col(a));
                    break;
                }
                out.impossible = worst;
                const double trace = 1e-9 * share.cwiseAbs().maxCoeff();
                for (Index j = 0; j < m; ++j)
                    if (std::abs(share[j]) > trace) out.against_flat.push_back(j);
                for (std::size_t a = 0; a < out.active.size(); ++a)
                    if (std::abs(share[m + static_cast<Index>(a)]) > trace) out.against.push_back(out.active[a]);
                return out;
            }
            for (std::size_t a = 0; a < out.active.size(); ++a)
                out.multipliers[a] -= t * share[m + static_cast<Index>(a)];
            pressure += t;
            if (moves) out.y += t * step;
            if (t == whole) {
                out.active.push_back(worst);
                out.multipliers.push_back(pressure);
                in[static_cast<std::size_t>(worst)] = true;
                basis.append(normal);
                break;
            }
            in[static_cast<std::size_t>(out.active[leaves])] = false;
            out.active.erase(out.active.begin() + static_cast<std::ptrdiff_t>(leaves));
            out.multipliers.erase(out.multipliers.begin() + static_cast<std::ptrdiff_t>(leaves));
            basis.shrink(m + static_cast<Index>(leaves));
            for (std::size_t a = leaves; a < out.active.size(); ++a) basis.append(normals.col(out.active[a]));
            if (out.iterations >= most) return out;
        }
    }
    return out;
}

}  // namespace anderhalf::estimation
