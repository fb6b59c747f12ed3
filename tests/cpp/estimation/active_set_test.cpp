#include "../../../src/active_set.hpp"

#include <anderhalf/core/random.hpp>

#include <Eigen/Dense>
#include <catch2/catch.hpp>

#include <cmath>
#include <set>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;
using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

namespace {

double uniform(const Philox& draw, Index a, Index b, Index c) {  // (-1, 1)
    return static_cast<double>(
               draw(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b), static_cast<std::uint64_t>(c))[0] >>
               11) *
               0x1p-52 -
           1;
}

}  // namespace

TEST_CASE("the nearest point meets the conditions of an optimum, however many half-spaces came and went",
          "[estimation][oracle]") {
    Index dropped = 0, active = 0;
    for (Index seed = 0; seed < 200; ++seed) {
        const Philox draw{static_cast<std::uint64_t>(seed), 31};
        const Index r = 3 + seed % 8, m = seed % 3, k = 4 + seed % 17;
        Matrix flats(r, m), normals(r, k);
        Vector inside(r), start(r), bounds(k);
        for (Index i = 0; i < r; ++i) {
            inside[i] = uniform(draw, i, 0, 0);
            start[i] = 3 * uniform(draw, i, 0, 1);
            for (Index j = 0; j < m; ++j) flats(i, j) = uniform(draw, i, j, 2);
            for (Index j = 0; j < k; ++j) normals(i, j) = uniform(draw, i, j, 3);
        }
        if (m > 0)  // start lies on the flats through `inside`
            start -= flats * (flats.transpose() * flats).ldlt().solve(flats.transpose() * (start - inside));
        for (Index j = 0; j < k; ++j) bounds[j] = normals.col(j).dot(inside) - 0.2 * std::abs(uniform(draw, j, 1, 4));
        const Nearest found = nearest(flats, normals, bounds, start);
        REQUIRE(found.converged);
        REQUIRE(found.impossible == -1);
        CHECK((normals.transpose() * found.y - bounds).minCoeff() > -1e-11);
        if (m > 0) CHECK((flats.transpose() * (found.y - start)).cwiseAbs().maxCoeff() < 1e-11);
        Vector left = found.y - start;  // = normals * multipliers + flats * anything
        for (std::size_t a = 0; a < found.active.size(); ++a) {
            CHECK(found.multipliers[a] >= 0);
            CHECK(std::abs(normals.col(found.active[a]).dot(found.y) - bounds[found.active[a]]) < 1e-11);
            left -= found.multipliers[a] * normals.col(found.active[a]);
        }
        if (m > 0) left -= flats * (flats.transpose() * flats).ldlt().solve(flats.transpose() * left);
        CHECK(left.cwiseAbs().maxCoeff() < 1e-10);
        CHECK(std::set<Index>(found.active.begin(), found.active.end()).size() == found.active.size());
        active += static_cast<Index>(found.active.size());
        dropped += found.iterations - static_cast<Index>(found.active.size());
    }
    CHECK(active > 400);
    CHECK(dropped > 20);  // more steps than half-spaces in the end: some came and went
}

TEST_CASE("a half-space that came first goes when a steeper one makes it needless", "[estimation][published]") {
    // From (0, 0): the most violated is x + 0.9 y >= 2; then y >= 2.1, which leaves room for the first.
    Matrix normals(2, 2);
    normals << 1, 0, 0.9, 1;
    const Nearest found = nearest(Matrix(2, 0), normals, Vector{{2, 2.3}}, Vector::Zero(2));
    REQUIRE(found.converged);
    CHECK(found.active == std::vector<Index>{1});
    CHECK(std::abs(found.y[0]) < 1e-14);
    CHECK(found.y[1] == Approx(2.3).epsilon(1e-14));
    CHECK(found.multipliers[0] == Approx(2.3).epsilon(1e-14));
}

TEST_CASE("half-spaces without a common point are found, with those that clash", "[estimation][published]") {
    Matrix normals(2, 4);
    normals << 1, -1, 0, 0, 0, 0, 1, -1;
    Nearest found = nearest(Matrix(2, 0), normals, Vector{{1, 0, -5, -5}}, Vector{{3, 0}});  // x >= 1 and -x >= 0
    CHECK_FALSE(found.converged);
    CHECK(found.impossible + found.against.front() == 1);  // 0 and 1, either way around
    CHECK(found.against.size() == 1);
    const Matrix flat = Vector{{1, 0}};
    found = nearest(flat, normals, Vector{{-5, 4, -5, -5}}, Vector{{3, 0}});  // x = 3 and -x >= 4
    CHECK(found.impossible == 1);
    CHECK(found.against_flat == std::vector<Index>{0});
}
