#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation/regression.hpp>

#include <Eigen/Dense>

#include <cmath>
#include <limits>

namespace anderhalf::estimation {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Exact = long double;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

void check(const Regressors& x, std::span<const double> y, std::span<const double> weight,
           const std::vector<Constraint>& equalities) {
    const Index p = static_cast<Index>(x.columns.size());
    Problems<ShapeError> shape;
    shape.require(x.names.size() == x.columns.size(), "regress", "names of the columns", std::to_string(p),
                  std::to_string(x.names.size()));
    shape.require(p > 0, "regress", "columns", "at least 1", "0");
    for (std::size_t j = 0; j < x.columns.size() && j < x.names.size(); ++j)
        shape.require(x.columns[j].size() == y.size(), "regress", "length of column " + x.names[j],
                      std::to_string(y.size()), std::to_string(x.columns[j].size()));
    shape.require(weight.empty() || weight.size() == y.size(), "regress", "length of the weight",
                  std::to_string(y.size()), std::to_string(weight.size()));
    for (const Constraint& c : equalities)
        for (const Term& t : c.terms)
            shape.require(t.column >= 0 && t.column < p, "regress", "column of constraint \"" + c.name + "\"",
                          "0.." + std::to_string(p - 1), std::to_string(t.column));
    shape.throw_if_any();

    Problems<DomainError> domain;
    const auto finite = [&](std::span<const double> column, const std::string& name) {
        BadRows bad;
        for (std::size_t i = 0; i < column.size(); ++i)
            if (!std::isfinite(column[i])) bad.note(static_cast<Index>(i));
        bad.report(domain, "regress", name, "finite numbers");
    };
    for (std::size_t j = 0; j < x.columns.size(); ++j) finite(x.columns[j], x.names[j]);
    finite(y, "y");
    BadRows light;
    for (std::size_t i = 0; i < weight.size(); ++i)
        if (!(weight[i] > 0 && std::isfinite(weight[i]))) light.note(static_cast<Index>(i));
    light.report(domain, "regress", "weight", "above 0");
    domain.require(static_cast<Index>(y.size()) + static_cast<Index>(equalities.size()) >= p, "regress",
                   "rows and equalities", std::to_string(p) + " or more", std::to_string(y.size()));
    for (const Constraint& c : equalities) {
        domain.require(c.relation == Relation::equal, "regress", "relation of constraint \"" + c.name + "\"", "equal",
                       "an inequality");
        bool is_finite = std::isfinite(c.value);
        for (const Term& t : c.terms) is_finite = is_finite && std::isfinite(t.coefficient);
        domain.require(is_finite, "regress", "constraint \"" + c.name + "\"", "finite numbers", "one that is not");
    }
    domain.throw_if_any();
}

/// Equalities as b = origin + span * free, in columns of length 1.
struct Plane {
    Vector origin;
    Matrix span;
};

Plane plane_of(const std::vector<Constraint>& equalities, const Vector& length) {
    const Index p = length.size(), m = static_cast<Index>(equalities.size());
    if (m == 0) return {Vector::Zero(p), Matrix::Identity(p, p)};
    Matrix c = Matrix::Zero(m, p);
    Vector h(m);
    for (Index i = 0; i < m; ++i) {
        for (const Term& t : equalities[at(i)].terms) c(i, t.column) += t.coefficient / length[t.column];
        const double norm = c.row(i).norm();
        if (norm == 0)
            throw DomainError{{{"regress", "constraint \"" + equalities[at(i)].name + "\"", "a term", "none"}}};
        c.row(i) /= norm;
        h[i] = equalities[at(i)].value / norm;
    }
    Eigen::ColPivHouseholderQR<Matrix> qr(c.transpose());
    qr.setThreshold(1e-12);
    const Index rank = qr.rank();
    const Matrix q = qr.householderQ();
    Plane plane;
    const Vector permuted = qr.colsPermutation().transpose() * h;
    const Vector inside =
        qr.matrixR().topLeftCorner(rank, rank).transpose().triangularView<Eigen::Lower>().solve(permuted.head(rank));
    plane.origin = q.leftCols(rank) * inside;
    plane.span = q.rightCols(p - rank);
    const Vector gap = c * plane.origin - h;
    Problems<DomainError> problems;
    for (Index i = 0; i < m; ++i)
        problems.require(std::abs(gap[i]) <= 1e-9 * (std::abs(h[i]) + plane.origin.norm()), "regress",
                         "constraint \"" + equalities[at(i)].name + "\"", "a value that agrees with the others",
                         "a contradiction");
    problems.throw_if_any();
    return plane;
}

std::string dependent(const Eigen::ColPivHouseholderQR<Matrix>& qr, const Matrix& span,
                      const std::vector<std::string>& names) {
    const Index r = qr.rank(), p = qr.cols();
    const Matrix top =
        qr.matrixR().topLeftCorner(r, r).triangularView<Eigen::Upper>().solve(qr.matrixR().topRightCorner(r, p - r));
    Vector direction = Vector::Zero(p);
    direction.head(r) = -top.col(0);
    direction[r] = 1;
    const Vector b = span * (qr.colsPermutation() * direction);
    std::string text;
    for (Index j = 0; j < b.size(); ++j)
        if (std::abs(b[j]) > 1e-8 * b.cwiseAbs().maxCoeff()) text += (text.empty() ? "" : ", ") + names[at(j)];
    return text;
}

}  // namespace

Regression regress(const Regressors& x, std::span<const double> y, std::span<const double> weight,
                   const std::vector<Constraint>& equalities) {
    check(x, y, weight, equalities);
    const Index n = static_cast<Index>(y.size()), p = static_cast<Index>(x.columns.size());
    Matrix a(n, p);
    Vector length(p), right(n), root(n);
    for (Index i = 0; i < n; ++i) root[i] = weight.empty() ? 1.0 : std::sqrt(weight[at(i)]);
    Problems<DomainError> problems;
    for (Index j = 0; j < p; ++j) {
        Exact squares = 0;
        for (Index i = 0; i < n; ++i) {
            a(i, j) = root[i] * x.columns[at(j)][at(i)];
            squares += static_cast<Exact>(a(i, j)) * static_cast<Exact>(a(i, j));
        }
        problems.require(squares > 0, "regress", "column " + x.names[at(j)], "a value that is not 0", "zeros only");
        // a power of two: scaling does not round
        length[j] = squares > 0 ? std::exp2(std::ceil(std::log2(static_cast<double>(std::sqrt(squares))))) : 1.0;
    }
    problems.throw_if_any();
    for (Index j = 0; j < p; ++j) a.col(j) /= length[j];
    for (Index i = 0; i < n; ++i) right[i] = root[i] * y[at(i)];

    const Plane plane = plane_of(equalities, length);
    const Index f = plane.span.cols();
    const bool plain = equalities.empty();
    const Matrix reduced = plain ? a : Matrix(a * plane.span);
    Eigen::ColPivHouseholderQR<Matrix> qr(reduced);
    qr.setThreshold(4 * std::numeric_limits<double>::epsilon());
    Regression out;
    out.rank = qr.rank();
    if (out.rank < f)
        throw DomainError{{{"regress", "columns that depend on each other", "rank " + std::to_string(f),
                            dependent(qr, plane.span, x.names)}}};

    // Bjoerck: r + A b = y and A'r = 0 are solved and refined together. With weights, rows carry their root.
    const auto triangle = qr.matrixR().topLeftCorner(f, f).triangularView<Eigen::Upper>();
    std::vector<Exact> free(at(f), 0), rest(at(n), 0), base(at(n), 0);
    for (Index i = 0; i < n; ++i) {
        Exact sum = static_cast<Exact>(right[i]);
        if (!plain)
            for (Index j = 0; j < p; ++j) sum -= static_cast<Exact>(a(i, j)) * static_cast<Exact>(plane.origin[j]);
        base[at(i)] = sum;
    }
    double before = std::numeric_limits<double>::infinity(), size = 0;
    for (int step = 0; step < 12 && f > 0; ++step) {
        Vector d(n), e(f);
        for (Index i = 0; i < n; ++i) {
            Exact sum = base[at(i)] - rest[at(i)];
            for (Index j = 0; j < f; ++j) sum -= static_cast<Exact>(reduced(i, j)) * free[at(j)];
            d[i] = static_cast<double>(sum);
        }
        for (Index j = 0; j < f; ++j) {
            Exact sum = 0;
            for (Index i = 0; i < n; ++i) sum -= static_cast<Exact>(reduced(i, j)) * rest[at(i)];
            e[j] = static_cast<double>(sum);
        }
        Vector in_q = qr.householderQ().adjoint() * d;
        const Vector permuted = qr.colsPermutation().transpose() * e;
        const Vector up = triangle.transpose().solve(permuted);
        const Vector change = qr.colsPermutation() * Vector(triangle.solve(in_q.head(f) - up));
        in_q.head(f) = up;
        const Vector moved = qr.householderQ() * in_q;
        const double norm = change.norm();
        if (step == 0) size = norm;
        if (!(norm < before)) {
            out.converged = step > 1 && before <= 1e-6 * size;
            break;
        }
        for (Index j = 0; j < f; ++j) free[at(j)] += static_cast<Exact>(change[j]);
        for (Index i = 0; i < n; ++i) rest[at(i)] += static_cast<Exact>(moved[i]);
        before = norm;
        if (norm <= 1e-18 * size) break;
    }

    out.coefficients.resize(at(p));
    for (Index j = 0; j < p; ++j) {
        Exact b = plain ? free[at(j)] : static_cast<Exact>(plane.origin[j]);
        if (!plain)
            for (Index k = 0; k < f; ++k) b += static_cast<Exact>(plane.span(j, k)) * free[at(k)];
        out.coefficients[at(j)] = static_cast<double>(b / static_cast<Exact>(length[j]));
    }
    Exact errors = 0, around_zero = 0, total = 0, mean = 0;
    for (Index i = 0; i < n; ++i) {
        Exact e = base[at(i)];
        for (Index j = 0; j < f; ++j) e -= static_cast<Exact>(reduced(i, j)) * free[at(j)];
        errors += e * e;
        const Exact w = static_cast<Exact>(root[i]) * static_cast<Exact>(root[i]);
        total += w;
        mean += w * static_cast<Exact>(y[at(i)]);
        around_zero += w * static_cast<Exact>(y[at(i)]) * static_cast<Exact>(y[at(i)]);
    }
    mean /= total;
    Exact around_mean = 0;
    for (Index i = 0; i < n; ++i) {
        const Exact e = static_cast<Exact>(root[i]) * (static_cast<Exact>(y[at(i)]) - mean);
        around_mean += e * e;
    }
    const Vector one = qr.householderQ().adjoint() * root;  // is the constant among the columns?
    out.centred = one.tail(n - f).norm() <= 1e-10 * root.norm();
    const Exact spread = out.centred ? around_mean : around_zero;
    out.r2 = spread > 0 ? static_cast<double>(1 - errors / spread) : 0.0;
    out.freedom = n - f;
    const double variance = out.freedom > 0 ? static_cast<double>(errors / static_cast<Exact>(out.freedom))
                                            : std::numeric_limits<double>::quiet_NaN();
    out.residual_sd = std::sqrt(variance);
    out.condition = f == 0 ? 1.0 : std::abs(qr.matrixR()(0, 0)) / std::abs(qr.matrixR()(f - 1, f - 1));
    const Matrix inverse = triangle.solve(Matrix::Identity(f, f));
    const Matrix spanned = plane.span * (qr.colsPermutation() * inverse);
    const Matrix bread = spanned * spanned.transpose();
    out.covariance.resize(at(p * p));
    out.standard_errors.resize(at(p));
    for (Index j = 0; j < p; ++j) {
        for (Index k = 0; k < p; ++k) out.covariance[at(j * p + k)] = variance * bread(j, k) / length[j] / length[k];
        out.standard_errors[at(j)] = std::sqrt(variance * bread(j, j)) / length[j];
    }
    return out;
}

}  // namespace anderhalf::estimation
