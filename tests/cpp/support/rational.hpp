#pragma once
// Constrained least squares in rational arithmetic: Gauss-Jordan on the optimality conditions, written apart from src/.
#include <anderhalf/estimation/constraints.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <optional>
#include <vector>

namespace rational {

using Number = boost::multiprecision::cpp_rational;
using Numbers = std::vector<Number>;

/// The solution of a square or overdetermined system, rows with the right-hand side last; nothing when not unique.
inline std::optional<Numbers> solve(std::vector<Numbers> a) {
    const std::size_t n = a.front().size() - 1;
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        while (pivot < a.size() && a[pivot][c] == 0) ++pivot;
        if (pivot >= a.size()) return std::nullopt;
        std::swap(a[c], a[pivot]);
        const Number lead = a[c][c];
        for (Number& x : a[c]) x /= lead;
        for (std::size_t r = 0; r < a.size(); ++r)
            if (r != c && a[r][c] != 0) {
                const Number f = a[r][c];
                for (std::size_t k = c; k <= n; ++k) a[r][k] -= f * a[c][k];
            }
    }
    for (std::size_t r = n; r < a.size(); ++r)
        if (a[r][n] != 0) return std::nullopt;
    Numbers x;
    for (std::size_t c = 0; c < n; ++c) x.push_back(a[c][n]);
    return x;
}

/// A row of a constraint over all columns, in euros per insured year.
struct Row {
    Numbers terms;
    Number value;
};

struct Answer {
    Numbers b;       // EUR per insured year, then
    Numbers lambda;  // multipliers of the rows: d(half the sum of squares) / d(value)
};

/// Exact optimum under equalities. Empty columns must not be among those given.
inline std::optional<Answer> optimum(const anderhalf::estimation::Moments& m, const std::vector<Row>& rows,
                                     int days_in_year) {
    const std::size_t p = static_cast<std::size_t>(m.columns()), n = p + rows.size();
    std::vector<Numbers> a(n, Numbers(n + 1));
    for (std::size_t j = 0; j < p; ++j) {
        for (std::size_t k = 0; k < p; ++k)
            a[j][k] = Number(m.xx(static_cast<std::ptrdiff_t>(j), static_cast<std::ptrdiff_t>(k))) / days_in_year;
        a[j][n] = Number(m.xc(static_cast<std::ptrdiff_t>(j))) / 100;
        for (std::size_t r = 0; r < rows.size(); ++r) a[j][p + r] = a[p + r][j] = rows[r].terms[j];
    }
    for (std::size_t r = 0; r < rows.size(); ++r) a[p + r][n] = rows[r].value;
    const auto x = solve(std::move(a));
    if (!x) return std::nullopt;
    Answer answer{{x->begin(), x->begin() + static_cast<std::ptrdiff_t>(p)}, {}};
    for (std::size_t r = 0; r < rows.size(); ++r) answer.lambda.push_back(-(*x)[p + r]);
    return answer;
}

}  // namespace rational
