#include "active_set.hpp"
#include "exact_rank.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation/estimate.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace anderhalf::estimation {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Exact = long double;
using ExactVector = std::vector<Exact>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double singular = 1e-10;   // reciprocal condition below which rank is looked into
constexpr double hopeless = 1e-15;   // and below which double cannot solve, though the rank is full
constexpr double same_row = 1e-11;   // equalities whose rows differ by less are one
constexpr double same_value = 1e-9;  // and contradict each other when their values differ by more
constexpr double rough = 1e-9;       // relative: a correction below which a solution has settled
constexpr Exact micro = 1e-9L;       // relative: a total or a multiplier that is taken as moved

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

/// One row of the system, over the kept columns: terms'b REL value, with b in cents per day.
struct Row {
    std::string name;
    Relation relation = Relation::equal;
    ExactVector terms;
    Exact value = 0;
    Exact unit = 1;  // of value, in the unit that Binding::multiplier is told in
};

/// The normal equations over the columns that have insured days, absorbed classes eliminated.
struct System {
    Index q = 0;
    std::vector<Index> kept;      // column of the moments
    std::vector<Index> position;  // and back; -1 when empty
    ExactVector g;                // (q, q) [insured days]
    ExactVector v;                // [cents]
    ExactVector days;             // [insured days], not reduced
    Vector scale;                 // 1 / sqrt(diagonal of g before absorbing)
    Matrix scaled;                // double image of g with unit diagonal
};

Exact exact_sum(std::size_t size, const auto& term) {
    Exact sum = 0;
    for (std::size_t k = 0; k < size; ++k) sum += term(k);
    return sum;
}

System system_of(const Totals& t) {
    System s;
    s.position.assign(at(t.p), -1);
    for (Index j = 0; j < t.p; ++j)
        if (t.xd[at(j)] != 0) {
            s.position[at(j)] = static_cast<Index>(s.kept.size());
            s.kept.push_back(j);
        }
    s.q = static_cast<Index>(s.kept.size());
    s.g.resize(at(s.q * s.q));
    s.v.resize(at(s.q));
    s.days.resize(at(s.q));
    s.scale.resize(s.q);
    for (Index j = 0; j < s.q; ++j) {
        const Index a = s.kept[at(j)];
        for (Index k = 0; k < s.q; ++k) s.g[at(j * s.q + k)] = t.xx[at(a * t.p + s.kept[at(k)])];
        s.v[at(j)] = t.xc[at(a)];
        s.days[at(j)] = t.xd[at(a)];
        s.scale[j] = 1.0 / std::sqrt(static_cast<double>(s.g[at(j * s.q + j)]));
    }
    // Frisch-Waugh: what the absorbed classes explain is taken out, by their diagonal.
    for (std::size_t a = 0; a < t.absorbed_days.size(); ++a) {
        if (t.absorbed_days[a] == 0) continue;
        const auto begin = at(t.absorbed_start[a]), end = at(t.absorbed_start[a + 1]);
        for (std::size_t j = begin; j < end; ++j) {
            const Index row = s.position[at(t.absorbed_column[j])];
            if (row < 0) continue;
            const Exact share = t.absorbed_cross[j] / t.absorbed_days[a];
            s.v[at(row)] -= share * t.absorbed_cents[a];
            for (std::size_t k = begin; k < end; ++k)
                if (const Index column = s.position[at(t.absorbed_column[k])]; column >= 0)
                    s.g[at(row * s.q + column)] -= t.absorbed_cross[k] * t.absorbed_cross[j] / t.absorbed_days[a];
        }
    }
    s.scaled.resize(s.q, s.q);
    for (Index k = 0; k < s.q; ++k)
        for (Index j = k; j < s.q; ++j)
            s.scaled(j, k) = static_cast<double>(s.g[at(j * s.q + k)]) * s.scale[j] * s.scale[k];
    return s;
}

Row zero_sum_row(const System& s, const ZeroSum& group) {
    Row row{group.name, Relation::equal, ExactVector(at(s.q)), 0, 100};
    for (const Index k : group.columns)
        if (const Index j = s.position[at(k)]; j >= 0) row.terms[at(j)] += s.days[at(j)];
    return row;
}

Row budget_row(const System& s, const Totals& t) {
    return {"total cost (keep_budget)", Relation::equal, s.days, t.cents, 100};
}

Row constraint_row(const System& s, const Constraint& c, Exact years) {
    Row row{c.name, c.relation, ExactVector(at(s.q)), static_cast<Exact>(c.value) * 100 / years, 100 / years};
    for (const Term& term : c.terms)
        if (const Index j = s.position[at(term.column)]; j >= 0)
            row.terms[at(j)] += static_cast<Exact>(term.coefficient);
    return row;
}

bool all_zero(const Row& row) {
    return std::all_of(row.terms.begin(), row.terms.end(), [](Exact x) { return x == 0; });
}

/// The rows in the scaled system, each of length 1, as columns.
struct Scaled {
    Matrix rows;   // (q, m)
    Vector value;  // (m)
    std::vector<Exact> norm;
};

Scaled scaled_rows(const System& s, const std::vector<Row>& rows) {
    Scaled out{Matrix(s.q, static_cast<Index>(rows.size())), Vector(static_cast<Index>(rows.size())), {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Index column = static_cast<Index>(i);
        Exact norm = 0;
        for (Index j = 0; j < s.q; ++j) {
            const Exact x = rows[i].terms[at(j)] * static_cast<Exact>(s.scale[j]);
            norm += x * x;
        }
        norm = std::sqrt(norm);
        for (Index j = 0; j < s.q; ++j)
            out.rows(j, column) = static_cast<double>(rows[i].terms[at(j)] * static_cast<Exact>(s.scale[j]) / norm);
        out.value[column] = static_cast<double>(rows[i].value / norm);
        out.norm.push_back(norm);
    }
    return out;
}

/// Leaves out equalities that follow from those before them; a different value is a contradiction, named with its cause.
void drop_redundant(const System& s, std::vector<Row>& rows, std::vector<std::string>& redundant,
                    Problems<DomainError>& problems) {
    const Scaled scaled = scaled_rows(s, rows);
    const Index m = static_cast<Index>(rows.size());
    std::vector<Row> independent;
    std::vector<Index> of;  // its number among all rows
    Matrix basis(s.q, 0);   // orthonormal
    Matrix mix(m, 0);       // basis = scaled.rows * mix
    for (Index i = 0; i < m; ++i) {
        Vector rest = scaled.rows.col(i);
        Vector made = Vector::Zero(m);
        made[i] = 1;
        for (int twice = 0; twice < 2; ++twice) {
            const Vector inside = basis.transpose() * rest;
            rest -= basis * inside;
            made -= mix * inside;
        }
        if (const double length = rest.norm(); length > same_row) {
            const Index n = basis.cols();
            basis.conservativeResize(Eigen::NoChange, n + 1);
            mix.conservativeResize(Eigen::NoChange, n + 1);
            basis.col(n) = rest / length;
            mix.col(n) = made / length;
            independent.push_back(rows[at(i)]);
            of.push_back(i);
            continue;
        }
        Exact gap = 0, size = 0;  // value of this row less what the others make of it
        std::string others;
        for (Index k = 0; k <= i; ++k) {
            const Exact part = static_cast<Exact>(made[k]) * rows[at(k)].value / scaled.norm[at(k)];
            gap += part;
            size += std::fabs(part);
            if (k < i && std::abs(made[k]) > 1e-8) others += (others.empty() ? "" : ", ") + rows[at(k)].name;
        }
        if (std::fabs(gap) <= static_cast<Exact>(same_value) * size) redundant.push_back(rows[at(i)].name);
        else
            problems.add("estimate", "constraint \"" + rows[at(i)].name + "\" contradicts",
                         "a value that follows from them, or one of them less", others.empty() ? "zero terms" : others);
    }
    rows = std::move(independent);
}

/// X'DX + C'C as a Cholesky factor, and C through it: solves the equality-constrained problem for any right-hand side.
struct Operator {
    Eigen::LLT<Matrix> factor;
    Index in_factor = 0;        // the first rows: C
    Matrix rows;                // (q, m) scaled rows of length 1
    Matrix through;             // L^-1 rows
    Eigen::LDLT<Matrix> schur;  // of through'through

    void hold(Matrix more) {
        rows = std::move(more);
        through.resize(rows.rows(), rows.cols());
        if (rows.size() == 0) return;  // Eigen reads the first element of what it solves
        through = factor.matrixL().solve(rows);
        schur.compute(through.transpose() * through);
    }
    /// g z + rows l = r,  rows'z = h
    void solve(const Vector& r, const Vector& h, Vector& z, Vector& l) const {
        Vector w = r;
        if (in_factor > 0) w += rows.leftCols(in_factor) * h.head(in_factor);
        w = factor.matrixL().solve(w);
        l.resize(rows.cols());
        if (rows.cols() > 0) {
            l = schur.solve(through.transpose() * w - h);
            w -= through * l;
        }
        z = factor.matrixU().solve(w);
    }
};

/// Solution in long double and how well it converged.
struct Solution {
    ExactVector b;       // cents per day
    ExactVector lambda;  // per row, g b + rows'lambda = v
    bool converged = true;
};

/// Solves in double and refines: residuals of the unscaled system in long double, in which whole numbers are exact.
/// @param floor  size of the data in the scaled system: a solution near 0 is as good as one of that size
Solution refined(const System& s, const Operator& op, const std::vector<Row>& rows, const std::vector<Exact>& norm,
                 const ExactVector& v, double floor, bool values = true) {
    const std::size_t q = at(s.q), m = rows.size();
    Solution out{ExactVector(q), ExactVector(m), true};
    Vector r(s.q), h(static_cast<Index>(m)), z, l;
    double before = std::numeric_limits<double>::infinity();
    double size = 0;
    for (int step = 0; step < 5; ++step) {
        for (std::size_t j = 0; j < q; ++j) {
            Exact rest = v[j];
            if (step > 0) {
                const Exact* g = &s.g[j * q];
                Exact even = 0, odd = 0;
                for (std::size_t k = 0; k + 1 < q; k += 2) {
                    even += g[k] * out.b[k];
                    odd += g[k + 1] * out.b[k + 1];
                }
                if (q % 2 == 1) even += g[q - 1] * out.b[q - 1];
                rest -= even + odd;
                for (std::size_t i = 0; i < m; ++i)
                    if (rows[i].terms[j] != 0) rest -= rows[i].terms[j] * out.lambda[i];
            }
            r[static_cast<Index>(j)] = static_cast<double>(rest * static_cast<Exact>(s.scale[static_cast<Index>(j)]));
        }
        for (std::size_t i = 0; i < m; ++i) {
            Exact rest = values ? rows[i].value : 0;
            if (step > 0)
                for (std::size_t k = 0; k < q; ++k)
                    if (rows[i].terms[k] != 0) rest -= rows[i].terms[k] * out.b[k];
            h[static_cast<Index>(i)] = static_cast<double>(rest / norm[i]);
        }
        op.solve(r, h, z, l);
        const double change = z.norm();
        if (step == 0) size = std::max(change, floor);
        if (step == 1) before = std::max(before, rough * floor);  // all rounding: the first correction may be as large
        if (!(change < 0.5 * before)) {                           // no longer better, or not a number
            out.converged = step > 1 && before <= rough * size;
            return out;
        }
        for (std::size_t j = 0; j < q; ++j)
            out.b[j] +=
                static_cast<Exact>(z[static_cast<Index>(j)]) * static_cast<Exact>(s.scale[static_cast<Index>(j)]);
        for (std::size_t i = 0; i < m; ++i) out.lambda[i] += static_cast<Exact>(l[static_cast<Index>(i)]) / norm[i];
        before = change;
        if (change <= 1e-17 * size) return out;
    }
    out.converged = before <= rough * size;
    return out;
}

/// "avi=3, avi=7 together with age_sex=5 are left free: one more constraint is needed"
std::string sentence(const System& s, const exact::Echelon::Direction& direction, const std::vector<std::string>& names,
                     bool absorbed) {
    const auto criterion = [&](Index j) {
        const std::string& name = names[at(s.kept[at(j)])];
        return name.substr(0, name.find('='));
    };
    const std::size_t most = 12;  // names of one criterion; more are counted
    std::vector<std::pair<std::string, std::vector<Index>>> parts{{criterion(direction.column), {}}};
    for (const Index j : direction.support) {
        auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.first == criterion(j); });
        if (part == parts.end()) part = parts.insert(parts.end(), {criterion(j), {}});
        part->second.push_back(j);
    }
    std::string text;
    for (std::size_t k = 0; k < parts.size(); ++k) {
        const std::vector<Index>& columns = parts[k].second;
        if (k > 0) text += k == 1 ? " together with " : ", ";
        for (std::size_t n = 0; n < columns.size(); ++n) {
            if (columns.size() > most && n == most - 1) {
                text += ", ... (" + std::to_string(columns.size()) + " of " + parts[k].first + "), ";
                n = columns.size() - 1;
            } else if (n > 0) {
                text += ", ";
            }
            text += names[at(s.kept[at(columns[n])])];
        }
    }
    if (absorbed) text += parts.size() == 1 ? " together with absorbed classes" : " and absorbed classes";
    return text + (direction.support.size() == 1 && !absorbed ? " is" : " are") +
           " left free: one more constraint is needed";
}

/// Rank of X'DX in exact arithmetic; with the rows it must be full.
Index exact_rank(const System& s, const Totals& t, const std::vector<Row>& rows,
                 const std::vector<std::string>& names) {
    using exact::Residue;
    const auto q = at(s.q);
    std::vector<Residue> g(q * q);
    for (std::size_t j = 0; j < q; ++j)
        for (std::size_t k = 0; k < q; ++k)
            g[j * q + k] = exact::residue(t.xx_structure[at(s.kept[j] * t.p + s.kept[k])]);
    Index absorbed = 0;
    for (std::size_t a = 0; a < t.absorbed_days.size(); ++a) {
        if (t.absorbed_days[a] == 0) continue;
        ++absorbed;
        const auto begin = at(t.absorbed_start[a]), end = at(t.absorbed_start[a + 1]);
        const Residue share = exact::inverse(exact::residue(t.absorbed_days_structure[a]));
        std::vector<std::pair<std::size_t, Residue>> cross;
        for (std::size_t j = begin; j < end; ++j)
            if (const Index k = s.position[at(t.absorbed_column[j])]; k >= 0)
                cross.emplace_back(at(k), exact::residue(t.absorbed_structure[j]));
        for (const auto& [j, x] : cross)
            for (const auto& [k, y] : cross)
                g[j * q + k] = exact::minus(g[j * q + k], exact::times(exact::times(x, y), share));
    }
    exact::Echelon echelon{s.q};
    for (std::size_t j = 0; j < q; ++j)
        echelon.add(std::vector<Residue>(g.begin() + static_cast<std::ptrdiff_t>(j * q),
                                         g.begin() + static_cast<std::ptrdiff_t>((j + 1) * q)));
    const Index rank = echelon.rank();
    for (const Row& row : rows) {
        std::vector<Residue> terms(q);
        for (std::size_t j = 0; j < q; ++j) terms[j] = exact::residue(row.terms[j]);
        echelon.add(std::move(terms));
    }
    if (echelon.rank() < s.q) {
        Problems<DomainError> problems;
        for (const exact::Echelon::Direction& direction : echelon.free_directions())
            problems.add("estimate", sentence(s, direction, names, !t.absorbed_days.empty()), "", "");
        problems.throw_if_any();
    }
    return rank + absorbed;
}

void check_shape(const Totals& t, const Specification& spec) {
    Problems<ShapeError> shape;
    const std::string range = "0.." + std::to_string(t.p - 1);
    shape.require(static_cast<Index>(spec.columns.size()) == t.p, "estimate", "column names", std::to_string(t.p),
                  std::to_string(spec.columns.size()));
    for (const ZeroSum& group : spec.zero_sum)
        for (const Index k : group.columns)
            shape.require(k >= 0 && k < t.p, "estimate", "column of constraint \"" + group.name + "\"", range,
                          std::to_string(k));
    for (const Constraint& c : spec.constraints)
        for (const Term& term : c.terms)
            shape.require(term.column >= 0 && term.column < t.p, "estimate", "column of constraint \"" + c.name + "\"",
                          range, std::to_string(term.column));
    shape.throw_if_any();

    Problems<DomainError> domain;
    domain.require(t.days > 0, "estimate", "insured days of the moments", "at least 1", "none");
    domain.require(spec.days_in_year > 0, "estimate", "days_in_year", "at least 1", std::to_string(spec.days_in_year));
    for (const Constraint& c : spec.constraints) {
        domain.require(std::isfinite(c.value), "estimate", "value of constraint \"" + c.name + "\"", "a finite number",
                       std::to_string(c.value));
        for (const Term& term : c.terms)
            domain.require(std::isfinite(term.coefficient), "estimate",
                           "coefficient of " + spec.columns[at(term.column)] + " in constraint \"" + c.name + "\"",
                           "a finite number", std::to_string(term.coefficient));
        domain.require(std::any_of(c.terms.begin(), c.terms.end(), [](const Term& x) { return x.coefficient != 0; }),
                       "estimate", "terms of constraint \"" + c.name + "\"", "a coefficient that is not 0", "none");
    }
    domain.throw_if_any();
}

/// Whether the total is kept by the normal equations themselves: some u with X u = 1 that no row touches.
bool budget_holds(const System& s, const Operator& op, const std::vector<Row>& equalities,
                  const std::vector<Exact>& norm, const Totals& t) {
    const Solution u = refined(s, op, equalities, norm, s.days, 0, false);
    if (!u.converged) return false;
    const Exact reached = exact_sum(u.b.size(), [&](std::size_t j) { return u.b[j] * s.days[j]; });
    if (std::fabs(reached - t.days) > micro * t.days) return false;
    for (std::size_t i = 0; i < equalities.size(); ++i)
        if (std::fabs(u.lambda[i]) * norm[i] > micro * std::sqrt(t.days)) return false;
    return true;
}

/// Factors the system with its equality rows; looks into the rank when it is (nearly) singular, or when asked.
Operator factored(const System& s, const Totals& t, const Specification& spec, const std::vector<Row>& equalities,
                  Scaled& scaled, Fit& fit) {
    scaled = scaled_rows(s, equalities);
    Matrix a = s.scaled;
    if (scaled.rows.cols() > 0) a.selfadjointView<Eigen::Lower>().rankUpdate(scaled.rows);
    Operator op;
    op.factor.compute(a);
    const double rcond = op.factor.info() == Eigen::Success ? op.factor.rcond() : 0.0;
    fit.condition = rcond > 0 ? 1.0 / rcond : std::numeric_limits<double>::infinity();
    if (rcond < singular || spec.inference) fit.rank = exact_rank(s, t, equalities, spec.columns);
    if (!spec.inference) fit.rank = 0;
    if (rcond < hopeless)
        throw DomainError{{{"estimate", "columns that depend on each other all but exactly",
                            "a condition below 1e15 of the scaled system", std::to_string(fit.condition)}}};
    op.in_factor = scaled.rows.cols();
    op.hold(scaled.rows);
    return op;
}

/// Finds the inequalities that hold with equality at the optimum and appends them to the rows.
void activate(const System& s, const Operator& op, const Solution& start, std::vector<Row>& rows,
              std::vector<Row> inequalities, double floor, Fit& fit) {
    for (Row& row : inequalities)
        if (row.relation == Relation::at_most) {
            for (Exact& x : row.terms) x = -x;
            row.value = -row.value;
            row.unit = -row.unit;
        }
    const Scaled scaled = scaled_rows(s, inequalities);
    Vector z(s.q);
    for (Index j = 0; j < s.q; ++j) z[j] = static_cast<double>(start.b[at(j)] / static_cast<Exact>(s.scale[j]));
    const Nearest found =
        nearest(op.through, op.factor.matrixL().solve(scaled.rows), scaled.value, op.factor.matrixU() * z, floor);
    fit.iterations = found.iterations;
    if (found.impossible >= 0) {
        std::string others;
        for (const Index k : found.against) others += (others.empty() ? "" : ", ") + inequalities[at(k)].name;
        for (const Index k : found.against_flat) others += (others.empty() ? "" : ", ") + rows[at(k)].name;
        throw DomainError{{{"estimate", "inequality \"" + inequalities[at(found.impossible)].name + "\" is impossible",
                            "room beside the other constraints", others.empty() ? "none" : others}}};
    }
    fit.converged = found.converged;
    for (const Index k : found.active) rows.push_back(std::move(inequalities[at(k)]));
}

/// Weights that the rows settle by themselves: unit vectors among the combinations of rows.
std::vector<bool> settled_by(const Matrix& rows) {
    const Index q = rows.rows(), m = rows.cols();
    std::vector<bool> result(at(q), m > 0 && m == q);
    if (m == 0 || m == q) return result;
    const Matrix basis = Eigen::HouseholderQR<Matrix>(rows).householderQ() * Matrix::Identity(q, m);
    for (Index j = 0; j < q; ++j) {
        Vector outside = -basis * basis.row(j).transpose();
        outside[j] += 1;
        result[at(j)] = outside.norm() < same_row;
    }
    return result;
}

/// Standard errors and covariance: residual variance times Z (Z'X'DX Z)^-1 Z', Z the directions that the rows leave.
void spread_of(const System& s, const Operator& op, const Scaled& scaled, const Totals& t, const Specification& spec,
               Fit& fit) {
    const auto years = static_cast<double>(spec.days_in_year);
    const Index p = t.p;
    Matrix projector = op.factor.solve(Matrix::Identity(s.q, s.q));
    if (scaled.rows.cols() > 0) {
        const Matrix held = op.factor.matrixU().solve(op.through);
        projector -= held * op.schur.solve(held.transpose());
    }
    projector = (s.scale.asDiagonal() * projector * s.scale.asDiagonal()).eval();
    const std::vector<bool> settled = settled_by(scaled.rows);
    for (Index j = 0; j < s.q; ++j) {
        if (settled[at(j)]) {
            projector.row(j).setZero();
            projector.col(j).setZero();
        }
        projector(j, j) = std::max(projector(j, j), 0.0);
    }
    const double variance = years * fit.variance;
    fit.standard_errors.assign(at(p), nan);
    for (Index j = 0; j < s.q; ++j) fit.standard_errors[at(s.kept[at(j)])] = std::sqrt(variance * projector(j, j));
    if (spec.covariance) {
        fit.covariance.assign(at(p * p), nan);
        for (Index j = 0; j < s.q; ++j)
            for (Index k = 0; k < s.q; ++k)
                fit.covariance[at(s.kept[at(j)] * p + s.kept[at(k)])] = variance * projector(j, k);
    }
    // Of an absorbed class: its own mean, and what the weights of its people add.
    for (std::size_t a = 0; a < t.absorbed_days.size(); ++a) {
        if (t.absorbed_days[a] == 0) {
            fit.absorbed_standard_errors.push_back(nan);
            continue;
        }
        std::vector<std::pair<Index, double>> shares;
        for (Index k = t.absorbed_start[a]; k < t.absorbed_start[a + 1]; ++k)
            if (const Index j = s.position[at(t.absorbed_column[at(k)])]; j >= 0)
                shares.emplace_back(j, static_cast<double>(t.absorbed_cross[at(k)] / t.absorbed_days[a]));
        double of_weights = 0;
        for (const auto& [j, x] : shares)
            for (const auto& [k, y] : shares) of_weights += x * y * projector(j, k);
        fit.absorbed_standard_errors.push_back(
            std::sqrt(variance * (1 / static_cast<double>(t.absorbed_days[a]) + std::max(of_weights, 0.0))));
    }
}

}  // namespace

Fit estimate(const Moments& moments, const Specification& spec) {
    Totals totals = combine(moments, spec.levels);
    if (spec.days_in_year != moments.design().days_in_year)
        totals.yy *= static_cast<Exact>(spec.days_in_year) / static_cast<Exact>(moments.design().days_in_year);
    return estimate(totals, spec);
}

Fit estimate(const Totals& totals, const Specification& spec) {
    check_shape(totals, spec);
    const auto years = static_cast<Exact>(spec.days_in_year);
    const Index p = totals.p;
    Fit fit;
    fit.rows = totals.rows;
    fit.insured_years = static_cast<double>(totals.days / years);
    fit.mean_cost = static_cast<double>(totals.cents / 100 / (totals.days / years));
    fit.coefficients.assign(at(p), 0.0);
    fit.empty.assign(at(p), false);

    const System s = system_of(totals);
    for (Index j = 0; j < p; ++j) fit.empty[at(j)] = s.position[at(j)] < 0;

    Problems<DomainError> clashes;
    std::vector<Row> rows, inequalities;
    for (const ZeroSum& group : spec.zero_sum)
        if (Row row = zero_sum_row(s, group); !all_zero(row)) rows.push_back(std::move(row));
    for (const Constraint& c : spec.constraints) {
        if (std::any_of(c.terms.begin(), c.terms.end(),
                        [&](const Term& x) { return x.coefficient != 0 && s.position[at(x.column)] < 0; })) {
            fit.set_aside.push_back(c.name);
            continue;
        }
        Row row = constraint_row(s, c, years);
        if (all_zero(row)) {  // terms that cancel
            const bool holds = c.relation == Relation::equal     ? c.value == 0
                               : c.relation == Relation::at_most ? c.value >= 0
                                                                 : c.value <= 0;
            if (!holds)
                clashes.add("estimate", "constraint \"" + c.name + "\", whose terms cancel", "a value that 0 meets",
                            std::to_string(c.value));
            fit.redundant.push_back(c.name);
            continue;
        }
        (c.relation == Relation::equal ? rows : inequalities).push_back(std::move(row));
    }
    drop_redundant(s, rows, fit.redundant, clashes);
    clashes.throw_if_any();

    // Length of the costs as the scaled system sees them: that of any weights is at most of this order.
    const double floor = static_cast<double>(std::sqrt(totals.yy / years));
    Scaled scaled;
    Operator op = factored(s, totals, spec, rows, scaled, fit);
    std::optional<Operator> without_budget;  // when only inequalities can make its row needed
    const std::size_t equalities = rows.size();
    const double condition = fit.condition;
    if (spec.keep_budget && totals.absorbed_days.empty()) {
        const bool holds = budget_holds(s, op, rows, scaled.norm, totals);
        if (!holds || !inequalities.empty()) {
            rows.push_back(budget_row(s, totals));
            std::vector<std::string> follows;
            drop_redundant(s, rows, follows, clashes);
            clashes.throw_if_any();
            fit.budget_row = follows.empty();
            if (fit.budget_row) {
                if (holds) without_budget = op;
                op = factored(s, totals, spec, rows, scaled, fit);
            }
        }
    }
    Solution solution = refined(s, op, rows, scaled.norm, s.v, floor);
    if (!inequalities.empty()) {
        activate(s, op, solution, rows, std::move(inequalities), floor, fit);
        scaled = scaled_rows(s, rows);
        if (without_budget) {  // beside the inequalities that bind the total may hold of itself
            std::vector<Row> others = rows;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(equalities));
            const Scaled rest = scaled_rows(s, others);
            without_budget->hold(rest.rows);
            if (budget_holds(s, *without_budget, others, rest.norm, totals)) {
                op = std::move(*without_budget);
                rows = std::move(others);
                scaled = rest;
                fit.budget_row = false;
                fit.condition = condition;
                solution = refined(s, op, rows, scaled.norm, s.v, floor);
            }
        }
        if (static_cast<Index>(rows.size()) > op.rows.cols()) {
            op.hold(scaled.rows);
            solution = refined(s, op, rows, scaled.norm, s.v, floor);
        }
    }
    fit.converged = fit.converged && solution.converged;
    for (Index j = 0; j < s.q; ++j)
        fit.coefficients[at(s.kept[at(j)])] = static_cast<double>(solution.b[at(j)] * years / 100);
    for (std::size_t i = 0; i < rows.size(); ++i)
        fit.binding.push_back(
            {rows[i].name, rows[i].relation, static_cast<double>(-solution.lambda[i] * rows[i].unit * years / 10'000)});

    Exact explained = 0, fitted = 0;  // b'v and b'g b
    for (std::size_t j = 0; j < at(s.q); ++j) {
        explained += solution.b[j] * s.v[j];
        fitted +=
            solution.b[j] * exact_sum(at(s.q), [&](std::size_t k) { return s.g[j * at(s.q) + k] * solution.b[k]; });
    }
    Index absorbed = 0;
    Exact of_absorbed = 0;
    for (std::size_t a = 0; a < totals.absorbed_days.size(); ++a) {
        const Exact days = totals.absorbed_days[a];
        fit.absorbed_empty.push_back(days == 0);
        Exact rest = totals.absorbed_cents[a];
        for (Index k = totals.absorbed_start[a]; k < totals.absorbed_start[a + 1]; ++k)
            if (const Index j = s.position[at(totals.absorbed_column[at(k)])]; j >= 0)
                rest -= totals.absorbed_cross[at(k)] * solution.b[at(j)];
        fit.absorbed_coefficients.push_back(days == 0 ? 0.0 : static_cast<double>(rest / days * years / 100));
        if (days == 0) continue;
        ++absorbed;
        of_absorbed += totals.absorbed_cents[a] * totals.absorbed_cents[a] / days;
    }
    const Exact errors =
        std::max<Exact>(0, totals.yy - years * (of_absorbed + 2 * explained - fitted));  // cents^2/year
    const Exact spread = totals.yy - years * totals.cents * totals.cents / totals.days;
    fit.r2 = spread > 0 ? static_cast<double>(1 - errors / spread) : 0.0;

    const Index m = static_cast<Index>(rows.size());
    fit.freedom = fit.rows - (s.q - m) - absorbed;
    fit.variance = fit.freedom > 0 ? static_cast<double>(errors / 10'000 / static_cast<Exact>(fit.freedom)) : nan;
    if (spec.inference) spread_of(s, op, scaled, totals, spec, fit);
    return fit;
}

Constraint group_total(std::string name, const Moments& group, double share_of_cost, const Levels& levels) {
    const Totals t = combine(group, levels);
    Problems<DomainError> problems;
    problems.require(t.absorbed_days.empty(), here(), "group \"" + name + "\"",
                     "a design without an absorbed criterion", "one with");
    problems.require(t.days > 0, here(), "insured days of group \"" + name + "\"", "at least 1", "none");
    problems.require(std::isfinite(share_of_cost), here(), "share_of_cost", "a finite number",
                     std::to_string(share_of_cost));
    problems.throw_if_any();
    // Hundredths of days and of cents, so that both sides stay whole numbers.
    Constraint c{std::move(name), {}, Relation::equal, 0};
    for (Index k = 0; k < t.p; ++k)
        if (t.xd[at(k)] != 0) c.terms.push_back({k, static_cast<double>(100 * t.xd[at(k)])});
    c.value = static_cast<double>(static_cast<Exact>(share_of_cost) * t.cents *
                                  static_cast<Exact>(group.design().days_in_year));
    return c;
}

Constraint at_least(std::string name, Index column, double value) {
    return {std::move(name), {{column, 1.0}}, Relation::at_least, value};
}
Constraint at_most(std::string name, Index column, double value) {
    return {std::move(name), {{column, 1.0}}, Relation::at_most, value};
}
Constraint in_order(std::string name, Index lower, Index higher) {
    return {std::move(name), {{higher, 1.0}, {lower, -1.0}}, Relation::at_least, 0};
}

}  // namespace anderhalf::estimation
