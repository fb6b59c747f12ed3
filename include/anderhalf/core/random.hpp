#pragma once
#include <anderhalf/core/types.hpp>

#include <array>
#include <cstdint>

namespace anderhalf {

/// What a stream of draws is for; the second word of the Philox key. Never renumber: results would move.
enum class Purpose : std::uint64_t { frame = 1, population = 2, substitution = 3, uncertainty = 4, ties = 5 };

/// Philox4x64-10 (Salmon, Moraes, Dror, Shaw, SC11, doi:10.1145/2063384.2063405): ten rounds of multiply and exchange.
///
/// Draws are addressed, not consumed: the same key and counter give the same four words, in any order, on any thread.
/// numpy.random.Philox gives the same words, but steps its counter before it draws.
struct Philox {
    using Words = std::array<std::uint64_t, 4>;

    std::uint64_t seed = 0;
    std::uint64_t purpose = 0;

    constexpr Philox(std::uint64_t seed_, std::uint64_t purpose_) : seed(seed_), purpose(purpose_) {}
    constexpr Philox(std::uint64_t seed_, Purpose purpose_)
        : seed(seed_), purpose(static_cast<std::uint64_t>(purpose_)) {}

    /// Four independent 64-bit words of the counter (a, b, c, d); by convention (person, year, draw, 0).
    [[nodiscard]] constexpr Words operator()(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0,
                                             std::uint64_t d = 0) const {
        std::uint64_t k0 = seed, k1 = purpose;
        for (int round = 0; round < 10; ++round) {
            const UInt128 p0 = static_cast<UInt128>(0xD2E7470EE14C6C93u) * a;
            const UInt128 p1 = static_cast<UInt128>(0xCA5A826395121157u) * c;
            a = high(p1) ^ b ^ k0;
            b = static_cast<std::uint64_t>(p1);
            c = high(p0) ^ d ^ k1;
            d = static_cast<std::uint64_t>(p0);
            k0 += 0x9E3779B97F4A7C15u;
            k1 += 0xBB67AE8584CAA73Bu;
        }
        return {a, b, c, d};
    }

private:
    __extension__ using UInt128 = unsigned __int128;
    [[nodiscard]] static constexpr std::uint64_t high(UInt128 x) { return static_cast<std::uint64_t>(x >> 64); }
};

/// True with probability threshold / 2^64.
[[nodiscard]] constexpr bool below(std::uint64_t draw, std::uint64_t threshold) { return draw < threshold; }

/// Uniform integer in [0, size), size < 2^32, from one word (bias below size / 2^32).
[[nodiscard]] constexpr std::uint32_t uniform_below(std::uint64_t draw, std::uint32_t size) {
    return static_cast<std::uint32_t>(((draw >> 32) * size) >> 32);
}

}  // namespace anderhalf
