#pragma once
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <vector>

namespace anderhalf::estimation::exact {

/// An integer, or a binary fraction, modulo the prime 2^61 - 1. Every double and long double has an exact image.
///
/// Elimination in these residues knows no threshold: a combination of integer rows that is zero is zero here too. The
/// other way around, a combination that is not zero becomes so with a chance of about 4e-19 per test, for data that were
/// not made for it; so a rank is never found too high, and too low with that chance.
using Residue = std::uint64_t;
inline constexpr Residue prime = (Residue{1} << 61) - 1;

[[nodiscard]] Residue residue(std::int64_t value);
[[nodiscard]] Residue residue(long double value);
[[nodiscard]] Residue times(Residue a, Residue b);
[[nodiscard]] inline Residue minus(Residue a, Residue b) { return a >= b ? a - b : a + prime - b; }
[[nodiscard]] Residue inverse(Residue a);

/// Rows in echelon form, built row by row.
class Echelon {
public:
    explicit Echelon(Index columns) : columns_{columns}, pivot_row_(static_cast<std::size_t>(columns), -1) {}

    /// Reduces a row by those before it. @return true when it was independent of them: the rank grew.
    bool add(std::vector<Residue> row);
    [[nodiscard]] Index rank() const { return static_cast<Index>(rows_.size()); }

    /// One direction that all rows leave free: its columns, ascending. `column` is the one that no earlier column holds.
    struct Direction {
        Index column;
        std::vector<Index> support;
    };
    /// A basis of the null space from the reduced form: each direction is the one way in which its column depends on the
    /// independent columns before it, so no column can be left out of its support.
    [[nodiscard]] std::vector<Direction> free_directions() const;

private:
    Index columns_;
    std::vector<std::vector<Residue>> rows_;  // first non-zero is 1
    std::vector<Index> pivot_row_;            // per column; -1: none
};

}  // namespace anderhalf::estimation::exact
