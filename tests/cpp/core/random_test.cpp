#include <anderhalf/core/random.hpp>

#include <catch2/catch.hpp>

using namespace anderhalf;

TEST_CASE("Philox4x64-10 gives the known answers of Random123", "[core][published]") {
    // kat_vectors of Random123: counter and key all zero, all ones, digits of pi.
    constexpr auto zero = Philox{0, 0}(0, 0, 0, 0);
    STATIC_REQUIRE(zero ==
                   Philox::Words{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b});
    constexpr std::uint64_t f = ~std::uint64_t{0};
    constexpr auto ones = Philox{f, f}(f, f, f, f);
    STATIC_REQUIRE(ones ==
                   Philox::Words{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0});
    constexpr auto pi = Philox{0x452821e638d01377, 0xbe5466cf34e90c6c}(0x243f6a8885a308d3, 0x13198a2e03707344,
                                                                       0xa4093822299f31d0, 0x082efa98ec4e6c89);
    STATIC_REQUIRE(pi == Philox::Words{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6});
}

TEST_CASE("uniform_below stays below its size and reaches both ends", "[core][invariant]") {
    CHECK(uniform_below(0, 7) == 0);
    CHECK(uniform_below(~std::uint64_t{0}, 7) == 6);
    CHECK(below(4, 5));
    CHECK_FALSE(below(5, 5));
}
