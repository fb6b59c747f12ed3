#pragma once
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace anderhalf::estimation {

/// Everything a constrained weighted least-squares estimate needs, as sums of integers.
///
///     xx[j,k] = sum_i represents_i days_i x_ij x_ik        [insured days]
///     xd[j]   = sum_i represents_i days_i x_ij             [insured days]
///     xc[j]   = sum_i represents_i x_ij c_i                [cents of the registered period]
///     squares[d] = sum over i with d days of represents_i c_i^2   [cents^2], 128 bits
///
/// A commutative group: add, subtract and merge in any order give the same integers.
class Moments {
public:
    explicit Moments(Index columns = 0)
        : columns_{columns},
          xx_(static_cast<std::size_t>(columns * columns)),
          xd_(static_cast<std::size_t>(columns)),
          xc_(static_cast<std::size_t>(columns)),
          squares_(367) {}

    [[nodiscard]] Index columns() const { return columns_; }
    [[nodiscard]] std::int64_t xx(Index j, Index k) const {
        return xx_[static_cast<std::size_t>(j <= k ? j * columns_ + k : k * columns_ + j)];
    }
    [[nodiscard]] Days xd(Index j) const { return xd_[static_cast<std::size_t>(j)]; }
    [[nodiscard]] std::int64_t xc(Index j) const { return xc_[static_cast<std::size_t>(j)]; }
    [[nodiscard]] Days days() const { return days_; }
    [[nodiscard]] Cents cents() const { return cents_; }
    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] Int128 squares(Index days) const { return squares_[static_cast<std::size_t>(days)]; }

    /// Adds (sign = +1) or takes out (sign = -1) one record with its classes. Entries are in ascending column order.
    template <class Entries>
    void add(const Entries& entries, Days days, Cents cents, std::int64_t represents, std::int64_t sign = 1) {
        const std::int64_t weight = sign * represents * days;
        const Cents cost = sign * represents * cents;
        for (auto j = entries.begin(); j != entries.end(); ++j) {
            std::int64_t* row = &xx_[static_cast<std::size_t>(j->column * columns_)];
            const std::int64_t wj = weight * j->count;
            xd_[j->column] += wj;
            xc_[j->column] += cost * j->count;
            for (auto k = j; k != entries.end(); ++k) row[k->column] += wj * k->count;
        }
        days_ += weight;
        cents_ += cost;
        rows_ += sign;
        squares_[static_cast<std::size_t>(days)] += static_cast<Int128>(sign * represents) * cents * cents;
    }

    Moments& operator+=(const Moments& other) { return merge(other, 1); }
    Moments& operator-=(const Moments& other) { return merge(other, -1); }
    friend bool operator==(const Moments&, const Moments&) = default;

private:
    Moments& merge(const Moments& other, std::int64_t sign) {
        if (other.columns_ != columns_)
            throw ShapeError{{{here(), "moments of different models", std::to_string(columns_) + " columns",
                               std::to_string(other.columns_)}}};
        for (std::size_t k = 0; k < xx_.size(); ++k) xx_[k] += sign * other.xx_[k];
        for (std::size_t k = 0; k < xc_.size(); ++k) {
            xd_[k] += sign * other.xd_[k];
            xc_[k] += sign * other.xc_[k];
        }
        for (std::size_t k = 0; k < squares_.size(); ++k) squares_[k] += sign * other.squares_[k];
        days_ += sign * other.days_;
        cents_ += sign * other.cents_;
        rows_ += sign * other.rows_;
        return *this;
    }
    Index columns_;
    std::vector<std::int64_t> xx_;  // upper triangle, row by row
    std::vector<std::int64_t> xd_, xc_;
    std::vector<Int128> squares_;
    Days days_ = 0;
    Cents cents_ = 0;
    std::int64_t rows_ = 0;
};

}  // namespace anderhalf::estimation
