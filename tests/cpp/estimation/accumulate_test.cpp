#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/plain.hpp>

#include "random_design.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace anderhalf;
using namespace anderhalf::estimation;
using anderhalf::tests::random_table;
using anderhalf::tests::Table;

namespace {

Moments again(const Table& t, const Encoded& encoded, const Run& run = {}) {
    const data::Rows rows = t.rows();
    return accumulate(encoded, rows.days, rows.cents, rows.represents, rows.stratum, run);
}

}  // namespace

TEST_CASE("straight, encoded and plain accumulation give the same integers on random designs", "[estimation][oracle]") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const Index sizes[] = {0, 1, 63, 64, 65, 200, 1000, 3000};
        const Table t = random_table(seed, sizes[seed % 8], {.absorbed = seed % 3 == 0, .strata = seed % 4 == 1});
        INFO("seed " << seed);
        const Moments plain = accumulate_plain(t.design, t.rows());
        REQUIRE(accumulate(t.design, t.rows(), Run{}) == plain);
        REQUIRE(again(t, encode(t.design, t.rows(), Run{})) == plain);
    }
}
