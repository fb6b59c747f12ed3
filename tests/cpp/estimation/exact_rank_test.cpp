#include "../../../src/exact_rank.hpp"

#include <anderhalf/core/random.hpp>

#include <catch2/catch.hpp>
#include <rational.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation::exact;

TEST_CASE("a residue is the number itself: sums, products and halves agree with it", "[estimation][oracle]") {
    CHECK(residue(std::int64_t{0}) == 0);
    CHECK(residue(std::int64_t{1}) == 1);
    CHECK(residue(std::int64_t{-1}) == prime - 1);
    CHECK(residue(static_cast<std::int64_t>(prime)) == 0);
    CHECK(residue(std::numeric_limits<std::int64_t>::min()) == minus(0, residue(std::int64_t{1} << 2)));  // -2^63 = -4
    CHECK(residue(12345.0L) == 12345);
    CHECK(times(residue(0.75L), 4) == 3);
    CHECK(times(residue(-0x1p-70L), residue(0x1p70L)) == prime - 1);
    CHECK(residue(0x1p61L) == 1);
    CHECK(residue(3e18L) == residue(std::int64_t{3'000'000'000'000'000'000}));
    const Philox draw{1, 2};
    for (std::uint64_t k = 0; k < 200; ++k) {
        const auto a = static_cast<std::int64_t>(draw(k)[0]), b = static_cast<std::int64_t>(draw(k)[1] >> 40);
        CHECK(residue(static_cast<long double>(a)) == residue(a));
        const boost::multiprecision::cpp_int product = boost::multiprecision::cpp_int{a} * b, p{prime};
        CHECK(times(residue(a), residue(b)) == static_cast<Residue>(((product % p) + p) % p));
        if (residue(a) != 0) CHECK(times(residue(a), inverse(residue(a))) == 1);
    }
}

TEST_CASE("rank and free directions are those of rational elimination", "[estimation][oracle]") {
    const Philox draw{3, 4};
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const std::size_t n = 2 + seed % 6, r = 1 + seed % n;
        // n x n of rank at most r, entries to 2^62, so that products leave 64 bits
        std::vector<std::vector<std::int64_t>> a(n, std::vector<std::int64_t>(n, 0));
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
                for (std::size_t k = 0; k < r; ++k)
                    a[i][j] += (static_cast<std::int64_t>(draw(seed, i, k)[0] % 3'000'000'000) - 1'500'000'000) /
                               (i == k ? 1 : 7) * static_cast<std::int64_t>(draw(seed, j, k, 1)[0] % 3);
        Echelon echelon{static_cast<Index>(n)};
        for (const auto& row : a) {
            std::vector<Residue> residues;
            for (const std::int64_t x : row) residues.push_back(residue(x));
            echelon.add(residues);
        }
        // Gauss-Jordan in rationals
        std::vector<rational::Numbers> m;
        for (const auto& row : a) m.emplace_back(row.begin(), row.end());
        std::vector<std::ptrdiff_t> pivot_of(n, -1);
        std::size_t rank = 0;
        for (std::size_t c = 0; c < n; ++c) {
            std::size_t k = rank;
            while (k < n && m[k][c] == 0) ++k;
            if (k == n) continue;
            std::swap(m[rank], m[k]);
            const rational::Number lead = m[rank][c];
            for (auto& x : m[rank]) x /= lead;
            for (std::size_t i = 0; i < n; ++i)
                if (i != rank) {
                    const rational::Number f = m[i][c];
                    for (std::size_t j = 0; j < n; ++j) m[i][j] -= f * m[rank][j];
                }
            pivot_of[c] = static_cast<std::ptrdiff_t>(rank++);
        }
        CHECK(echelon.rank() == static_cast<Index>(rank));
        const auto free = echelon.free_directions();
        std::size_t next = 0;
        for (std::size_t c = 0; c < n; ++c) {
            if (pivot_of[c] >= 0) continue;
            REQUIRE(next < free.size());
            CHECK(free[next].column == static_cast<Index>(c));
            std::vector<Index> support;
            for (std::size_t k = 0; k < n; ++k)
                if (k == c || (pivot_of[k] >= 0 && m[static_cast<std::size_t>(pivot_of[k])][c] != 0))
                    support.push_back(static_cast<Index>(k));
            CHECK(free[next].support == support);
            ++next;
        }
        CHECK(next == free.size());
    }
}
