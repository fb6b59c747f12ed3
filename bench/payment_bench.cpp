// Settlement of one share in exact rationals, 25 insurers.
#include <anderhalf/payment/payment.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace anderhalf;

void settle(benchmark::State& state) {
    payment::ShareInput in;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        in.normative.push_back(static_cast<Int128>(1'800'000'000'000'000 + 7'919 * i) * 365);
        in.adult_days.push_back(200'000'000 + 104'729 * i);
        in.national.normative += in.normative.back();
    }
    in.national.cost = 4'500'000'000'001;
    for (auto _ : state) benchmark::DoNotOptimize(payment::settle(in).target);
}
BENCHMARK(settle)->Name("payment/settle")->Arg(1)->Arg(10)->Arg(25);

}  // namespace
