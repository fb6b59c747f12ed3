#include "exact_rank.hpp"

#include <cmath>

namespace anderhalf::estimation::exact {

namespace {

__extension__ using UInt128 = unsigned __int128;

Residue folded(std::uint64_t value) {
    const Residue r = (value & prime) + (value >> 61);
    return r >= prime ? r - prime : r;
}

/// 2^exponent; the order of 2 modulo 2^61 - 1 is 61.
Residue power_of_two(int exponent) { return Residue{1} << (((exponent % 61) + 61) % 61); }

}  // namespace

Residue times(Residue a, Residue b) {
    const UInt128 product = static_cast<UInt128>(a) * b;
    const Residue r = (static_cast<Residue>(product) & prime) + static_cast<Residue>(product >> 61);
    return r >= prime ? r - prime : r;
}

Residue residue(std::int64_t value) {
    const Residue r =
        folded(value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
    return value < 0 ? minus(0, r) : r;
}

Residue residue(long double value) {
    int exponent = 0;
    const long double mantissa = std::frexp(std::fabs(value), &exponent);
    const auto whole = static_cast<std::uint64_t>(std::ldexp(mantissa, 64));  // long double holds 64 bits
    const Residue r = times(folded(whole), power_of_two(exponent - 64));
    return value < 0 ? minus(0, r) : r;
}

Residue inverse(Residue a) {  // a^(prime - 2)
    Residue result = 1;
    for (Residue power = prime - 2; power != 0; power >>= 1) {
        if ((power & 1) != 0) result = times(result, a);
        a = times(a, a);
    }
    return result;
}

bool Echelon::add(std::vector<Residue> row) {
    const auto n = static_cast<std::size_t>(columns_);
    for (std::size_t c = 0; c < n; ++c) {
        if (row[c] == 0) continue;
        if (pivot_row_[c] < 0) {
            const Residue scale = inverse(row[c]);
            for (std::size_t k = c; k < n; ++k) row[k] = times(row[k], scale);
            pivot_row_[c] = static_cast<Index>(rows_.size());
            rows_.push_back(std::move(row));
            return true;
        }
        const std::vector<Residue>& pivot = rows_[static_cast<std::size_t>(pivot_row_[c])];
        const Residue factor = minus(0, row[c]);
        for (std::size_t k = c; k < n; ++k) {
            const UInt128 sum = static_cast<UInt128>(factor) * pivot[k] + row[k];
            const Residue r = (static_cast<Residue>(sum) & prime) + static_cast<Residue>(sum >> 61);
            row[k] = r >= prime ? r - prime : r;
        }
    }
    return false;
}

std::vector<Echelon::Direction> Echelon::free_directions() const {
    const auto n = static_cast<std::size_t>(columns_);
    std::vector<Direction> result;
    for (std::size_t f = 0; f < n; ++f) {
        if (pivot_row_[f] >= 0) continue;
        std::vector<Residue> x(n);
        x[f] = 1;
        for (std::size_t c = f; c-- > 0;) {
            if (pivot_row_[c] < 0) continue;
            const std::vector<Residue>& row = rows_[static_cast<std::size_t>(pivot_row_[c])];
            Residue sum = 0;
            for (std::size_t k = c + 1; k <= f; ++k)
                if (x[k] != 0) sum = minus(sum, times(row[k], x[k]));
            x[c] = sum;
        }
        Direction direction{static_cast<Index>(f), {}};
        for (std::size_t k = 0; k <= f; ++k)
            if (x[k] != 0) direction.support.push_back(static_cast<Index>(k));
        result.push_back(std::move(direction));
    }
    return result;
}

}  // namespace anderhalf::estimation::exact
