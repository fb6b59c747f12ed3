#pragma once
// Exact amounts and the way they become whole cents; for the sources of payment only.
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/types.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace anderhalf::payment::detail {

using Big = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;

[[nodiscard]] inline Big big(Int128 value) {
    __extension__ using UInt128 = unsigned __int128;
    const bool negative = value < 0;
    const auto magnitude = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
    Big result = static_cast<std::uint64_t>(magnitude >> 64U);
    result <<= 64U;
    result += static_cast<std::uint64_t>(magnitude);
    return negative ? Big{-result} : result;
}

/// floor(n / d), d > 0.
[[nodiscard]] inline Big floor_div(const Big& n, const Big& d) {
    Big quotient = n / d;
    if (n < 0 && quotient * d != n) --quotient;
    return quotient;
}

/// Arithmetic rounding (rekenkundig): half away from zero. d > 0.
[[nodiscard]] inline std::int64_t round_half(const Big& n, const Big& d) {
    const Big magnitude = (2 * (n < 0 ? Big{-n} : n) + d) / (2 * d);
    return (n < 0 ? Big{-magnitude} : magnitude).convert_to<std::int64_t>();
}

/// A rational number in lowest terms, denominator above 0.
class Exact {
public:
    Exact() = default;
    Exact(std::int64_t whole) : n_{whole} {}  // NOLINT(google-explicit-constructor): whole numbers are rationals
    Exact(Big whole) : n_{std::move(whole)} {}
    Exact(Big numerator, Big denominator) : n_{std::move(numerator)}, d_{std::move(denominator)} { reduce(); }

    [[nodiscard]] const Big& numerator() const { return n_; }
    [[nodiscard]] const Big& denominator() const { return d_; }
    [[nodiscard]] double value() const { return n_.convert_to<double>() / d_.convert_to<double>(); }

    Exact& operator+=(const Exact& x) { return *this = Exact{Big{n_ * x.d_ + x.n_ * d_}, Big{d_ * x.d_}}; }
    Exact& operator-=(const Exact& x) { return *this = Exact{Big{n_ * x.d_ - x.n_ * d_}, Big{d_ * x.d_}}; }
    Exact& operator*=(const Exact& x) { return *this = Exact{Big{n_ * x.n_}, Big{d_ * x.d_}}; }
    Exact& operator/=(const Exact& x) { return *this = Exact{Big{n_ * x.d_}, Big{d_ * x.n_}}; }
    friend Exact operator+(Exact a, const Exact& b) { return a += b; }
    friend Exact operator-(Exact a, const Exact& b) { return a -= b; }
    friend Exact operator*(Exact a, const Exact& b) { return a *= b; }
    friend Exact operator/(Exact a, const Exact& b) { return a /= b; }
    friend bool operator==(const Exact& a, const Exact& b) { return a.n_ == b.n_ && a.d_ == b.d_; }
    friend bool operator<(const Exact& a, const Exact& b) { return a.n_ * b.d_ < b.n_ * a.d_; }
    friend bool operator>(const Exact& a, const Exact& b) { return b < a; }
    friend bool operator<=(const Exact& a, const Exact& b) { return !(b < a); }

private:
    void reduce() {
        if (d_ == 0) throw DomainError{{{"Exact", "denominator", "not 0", "0"}}};
        if (d_ < 0) {
            n_ = -n_;
            d_ = -d_;
        }
        const Big common = boost::multiprecision::gcd(n_, d_);
        if (common > 1) {
            n_ /= common;
            d_ /= common;
        }
    }
    Big n_ = 0, d_ = 1;
};
[[nodiscard]] inline std::int64_t round_half(const Exact& x) { return round_half(x.numerator(), x.denominator()); }

/// Exact amounts in whole cents that sum to their rounded sum: largest remainder, ties by insurer. At most one cent per
/// insurer moves, by construction.
[[nodiscard]] inline std::vector<Cents> allocate(const std::vector<Exact>& amounts, Cents& target) {
    const std::size_t n = amounts.size();
    std::vector<Cents> cents(n);
    std::vector<Exact> remainder(n);
    Exact sum = 0;
    Cents given = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const Big whole = floor_div(amounts[i].numerator(), amounts[i].denominator());
        cents[i] = whole.convert_to<Cents>();
        remainder[i] = amounts[i] - Exact{whole};
        given += cents[i];
        sum += amounts[i];
    }
    target = round_half(sum);
    const Cents left = target - given;
    if (left < 0 || left > static_cast<Cents>(n))
        throw DomainError{
            {{"allocate", "cents left after rounding down", "0.." + std::to_string(n), std::to_string(left)}}};
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
    for (std::size_t k = 0; k < static_cast<std::size_t>(left); ++k) ++cents[order[k]];
    return cents;
}

}  // namespace anderhalf::payment::detail
