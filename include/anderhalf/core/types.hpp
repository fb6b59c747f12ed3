#pragma once
#include <cstddef>
#include <cstdint>

namespace anderhalf {

using Index = std::ptrdiff_t;           ///< sizes and positions, signed
using Cents = std::int64_t;             ///< money, integer euro cents
using Days = std::int64_t;              ///< time, integer days
using MicroEuro = std::int64_t;         ///< weights: millionths of a euro per insured year
__extension__ using Int128 = __int128;  ///< products of days, weights and cents before division

inline constexpr std::int64_t micro_per_cent = 10'000;
inline constexpr std::int64_t micro_per_euro = 1'000'000;

}  // namespace anderhalf
