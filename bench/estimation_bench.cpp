// Moments by the plain loop over non-zeros, beside the floor: reading the same rows. The fast kernel is a later step.
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation/moments.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <benchmark/benchmark.h>

#include <vector>

namespace {

using namespace anderhalf;

struct Portfolio {
    std::vector<risk::Row> rows;
    std::vector<Days> days;
    std::vector<Cents> cents;
};

/// Rows of the shape of nl-2021: eight single classes and three criteria with few other classes than none.
Portfolio portfolio(Index persons) {
    Portfolio p;
    const Philox philox{1, Purpose::uncertainty};
    for (Index i = 0; i < persons; ++i) {
        const auto words = philox(static_cast<std::uint64_t>(i));
        risk::Row row;
        row.add(words[0] % 42);
        row.add(42 + (words[0] >> 8) % 5);
        row.add(81);
        row.add(108);
        row.add(123 + (words[1] % 36));
        row.add(159 + (words[1] >> 8) % 10);
        row.add(169 + (words[1] >> 16) % 12);
        row.add(181 + (words[1] >> 24) % 13);
        row.add(194 + (words[2] % 9));
        row.add(203);
        row.add(208);
        p.rows.push_back(row);
        p.days.push_back(365);
        p.cents.push_back(static_cast<Cents>(words[3] % 1'000'000));
    }
    return p;
}

void moments(benchmark::State& state) {
    const Portfolio p = portfolio(state.range(0));
    for (auto _ : state) {
        estimation::Moments m{218};
        for (std::size_t i = 0; i < p.rows.size(); ++i) m.add(p.rows[i].view(), p.days[i], p.cents[i], 1);
        benchmark::DoNotOptimize(m.cents());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(moments)->Name("estimation/moments")->RangeMultiplier(10)->Range(1'000, 100'000);

void floor_read(benchmark::State& state) {
    const Portfolio p = portfolio(state.range(0));
    for (auto _ : state) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < p.rows.size(); ++i) {
            for (const risk::Entry& e : p.rows[i].view()) sum += e.column;
            sum += p.days[i] + p.cents[i];
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(floor_read)->Name("estimation/floor_read_same_rows")->RangeMultiplier(10)->Range(1'000, 100'000);

}  // namespace
