// The engine for peers.py through ctypes, on the same NumPy columns as the peers read, and nothing of Python in between.
#include "portfolio.hpp"

#include <anderhalf/estimation/accumulate.hpp>

#include <cstdio>

namespace {

using namespace anderhalf;

/// Pointers to the columns in the order of the design: 11 codes, masks of FKG, days, cents.
data::Rows rows_of(const void* const* column, std::int64_t persons) {
    const auto n = static_cast<std::size_t>(persons);
    data::Rows rows;
    for (std::size_t c = 0; c < bench::singles; ++c)
        rows.criteria.emplace_back(CodeView{std::span{static_cast<const std::uint8_t*>(column[c]), n}});
    const void* const* rest = column + bench::singles;
    rows.criteria.emplace_back(std::span{static_cast<const std::uint64_t*>(rest[0]), n});
    rows.days = std::span{static_cast<const std::uint16_t*>(rest[1]), n};
    rows.cents.emplace_back(std::span{static_cast<const std::int32_t*>(rest[2]), n});
    return rows;
}

void copy(const estimation::Moments& moments, std::int64_t* xx, std::int64_t* xc) {
    for (Index j = 0; j < moments.columns(); ++j) {
        *xc++ = moments.xc(j);
        for (Index k = 0; k < moments.columns(); ++k) *xx++ = moments.xx(j, k);
    }
}

/// Exceptions end here: Python sees 0 or a null pointer, a person the reason.
template <class Work>
auto guarded(Work&& work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return {};
    }
}

}  // namespace

extern "C" {

int bench_plain(const void* const* column, std::int64_t persons, int threads, std::int64_t* xx, std::int64_t* xc) {
    return guarded([&] {
        copy(estimation::accumulate(bench::design(), rows_of(column, persons), Run{.threads = threads}), xx, xc);
        return 1;
    });
}

void* bench_encode(const void* const* column, std::int64_t persons, int threads) {
    return guarded([&]() -> void* {
        return new estimation::Encoded{
            estimation::encode(bench::design(), rows_of(column, persons), Run{.threads = threads})};
    });
}

int bench_encoded(const void* classes, const void* const* column, std::int64_t persons, int threads, std::int64_t* xx,
                  std::int64_t* xc) {
    return guarded([&] {
        const data::Rows rows = rows_of(column, persons);
        copy(estimation::accumulate(*static_cast<const estimation::Encoded*>(classes), rows.days, rows.cents,
                                    rows.represents, rows.stratum, Run{.threads = threads}),
             xx, xc);
        return 1;
    });
}

void bench_forget(void* classes) { delete static_cast<estimation::Encoded*>(classes); }
}
