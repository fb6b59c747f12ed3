#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation/estimate.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Dense>

#include <cmath>
#include <limits>

namespace anderhalf::estimation {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// Names of the columns that G and C together leave undetermined.
std::string free_columns(const Matrix& a, const std::vector<Index>& kept, const std::vector<std::string>& names) {
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(a);
    std::string text;
    const double limit = 1e-9 * eigen.eigenvalues().maxCoeff();
    for (Index k = 0; k < a.cols() && eigen.eigenvalues()[k] < limit; ++k)
        for (Index j = 0; j < a.rows(); ++j)
            if (std::abs(eigen.eigenvectors()(j, k)) > 1e-3) {
                const std::string& name = names[static_cast<std::size_t>(kept[static_cast<std::size_t>(j)])];
                if (text.find(name) == std::string::npos) text += (text.empty() ? "" : ", ") + name;
            }
    return text;
}

}  // namespace

Fit estimate(const Moments& moments, const Specification& spec) {
    const Index p = moments.columns();
    Problems<ShapeError> shape;
    shape.require(static_cast<Index>(spec.columns.size()) == p, here(), "column names", std::to_string(p),
                  std::to_string(spec.columns.size()));
    for (const ZeroSum& group : spec.zero_sum)
        for (const Index k : group.columns)
            shape.require(k >= 0 && k < p, here(), "column of constraint " + group.name, "0.." + std::to_string(p - 1),
                          std::to_string(k));
    shape.throw_if_any();
    if (moments.days() <= 0) throw DomainError{{{here(), "moments", "insured days", "none"}}};

    Fit fit;
    fit.rows = moments.rows();
    fit.insured_years = static_cast<double>(moments.days()) / static_cast<double>(spec.days_in_year);
    fit.mean_cost = static_cast<double>(moments.cents()) / 100.0 / fit.insured_years;
    fit.coefficients.assign(static_cast<std::size_t>(p), 0.0);
    fit.empty.assign(static_cast<std::size_t>(p), false);

    std::vector<Index> kept;
    std::vector<Index> position(static_cast<std::size_t>(p), -1);
    for (Index j = 0; j < p; ++j) {
        if (moments.xd(j) == 0) {
            fit.empty[static_cast<std::size_t>(j)] = true;
        } else {
            position[static_cast<std::size_t>(j)] = static_cast<Index>(kept.size());
            kept.push_back(j);
        }
    }
    const Index q = static_cast<Index>(kept.size());
    const auto years = static_cast<double>(spec.days_in_year);

    Vector scale(q);
    for (Index j = 0; j < q; ++j) {
        const Index k = kept[static_cast<std::size_t>(j)];
        scale[j] = 1.0 / std::sqrt(static_cast<double>(moments.xx(k, k)) / years);
    }
    Matrix g(q, q);
    Vector v(q);
    for (Index j = 0; j < q; ++j) {
        const Index a = kept[static_cast<std::size_t>(j)];
        for (Index k = 0; k < q; ++k)
            g(j, k) =
                static_cast<double>(moments.xx(a, kept[static_cast<std::size_t>(k)])) / years * scale[j] * scale[k];
        v[j] = static_cast<double>(moments.xc(a)) / 100.0 * scale[j];
    }

    std::vector<Vector> rows;
    for (const ZeroSum& group : spec.zero_sum) {
        Vector row = Vector::Zero(q);
        for (const Index k : group.columns) {
            const Index at = position[static_cast<std::size_t>(k)];
            if (at >= 0) row[at] += static_cast<double>(moments.xd(k)) / years * scale[at];
        }
        if (const double norm = row.norm(); norm > 0) rows.push_back(row / norm);
    }
    const Index m = static_cast<Index>(rows.size());
    Matrix c(m, q);
    for (Index j = 0; j < m; ++j) c.row(j) = rows[static_cast<std::size_t>(j)].transpose();

    const Matrix a = g + c.transpose() * c;
    const Eigen::LLT<Matrix> llt(a);
    const double rcond = llt.info() == Eigen::Success ? llt.rcond() : 0.0;
    if (rcond < 1e-10)
        throw DomainError{{{here(), "columns that stay free under the constraints",
                            "a rank of " + std::to_string(q) + " with them", free_columns(a, kept, spec.columns)}}};
    fit.condition = 1.0 / rcond;

    const Matrix act = llt.solve(c.transpose());
    const Vector av = llt.solve(v);
    Matrix schur = c * act;
    const Eigen::LDLT<Matrix> schur_ldlt(schur);
    Vector b = av;
    if (m > 0) b -= act * schur_ldlt.solve(c * av);

    long double yy = 0;  // sum of w y^2 in euros^2 per year
    for (Index d = 1; d <= 366; ++d)
        if (moments.squares(d) != 0)
            yy += static_cast<long double>(moments.squares(d)) / 10'000.0L * static_cast<long double>(years) /
                  static_cast<long double>(d);
    long double bg = 0, bv = 0;
    const Vector gb = g * b;
    for (Index j = 0; j < q; ++j) {
        bg += static_cast<long double>(b[j]) * gb[j];
        bv += static_cast<long double>(b[j]) * v[j];
    }
    const long double sse = yy - 2 * bv + bg;
    const long double mean = static_cast<long double>(moments.cents()) / 100.0L;
    const long double sst = yy - mean * mean / static_cast<long double>(fit.insured_years);
    fit.r2 = sst > 0 ? static_cast<double>(1.0L - sse / sst) : 0.0;

    for (Index j = 0; j < q; ++j)
        fit.coefficients[static_cast<std::size_t>(kept[static_cast<std::size_t>(j)])] = b[j] * scale[j];

    if (spec.inference) {
        const Eigen::SelfAdjointEigenSolver<Matrix> eigen(g, Eigen::EigenvaluesOnly);
        fit.rank = (eigen.eigenvalues().array() > 1e-9 * eigen.eigenvalues().maxCoeff()).count();
        Matrix inverse = llt.solve(Matrix::Identity(q, q));
        if (m > 0) inverse -= act * schur_ldlt.solve(act.transpose());
        const auto freedom = static_cast<double>(fit.rows - (q - m));
        const double variance =
            freedom > 0 ? static_cast<double>(sse) / freedom : std::numeric_limits<double>::quiet_NaN();
        fit.standard_errors.assign(static_cast<std::size_t>(p), std::numeric_limits<double>::quiet_NaN());
        for (Index j = 0; j < q; ++j)
            fit.standard_errors[static_cast<std::size_t>(kept[static_cast<std::size_t>(j)])] =
                scale[j] * std::sqrt(std::max(0.0, variance * inverse(j, j)));
    }
    return fit;
}

}  // namespace anderhalf::estimation
