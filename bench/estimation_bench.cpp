// The estimation engine beside its floors, on the portfolio of portfolio.hpp: each kernel in turn with one read of the
// same columns and with the loop anybody would write first, so that ratios hold on a noisy machine.
//     estimation_bench [--sizes 100000,1000000] [--repeat 7] [--out FILE]
//     estimation_bench --memory PERSONS     what the engine needs beyond the caller's columns
//     estimation_bench --stream PERSONS     more persons than are held: drawn, accumulated and dropped in blocks
#include "interleaved.hpp"
#include "portfolio.hpp"

#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/estimation/second_pass.hpp>
#include <anderhalf/payment/class_totals.hpp>
#include <anderhalf/payment/payment.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>
#include <sstream>

namespace {

using namespace anderhalf;
using bench::Case;
using bench::Portfolio;
using bench::Results;

constexpr std::size_t columns = 220;
constexpr Index chunk = 65'536;

Run on(int threads) { return Run{.threads = threads}; }

// --- floors

/// Two words that may lie over values of any type.
using Words __attribute__((vector_size(16), aligned(1), may_alias)) = std::uint64_t;

/// One read of bytes, summed as 64-bit words: as fast as memory gives them.
std::uint64_t read(const void* from, std::size_t bytes) {
    const auto* at = static_cast<const Words*>(from);
    Words a{}, b{}, c{}, d{};
    for (; bytes >= 64; bytes -= 64, at += 4) {
        a += at[0];
        b += at[1];
        c += at[2];
        d += at[3];
    }
    a += b + c + d;
    return a[0] + a[1];
}

/// One read of all columns an estimate looks at, 25 bytes a person.
void read(const Portfolio& p, int threads) {
    for_each_chunk(on(threads), (p.rows() + chunk - 1) / chunk, [&](Index block) {
        const auto first = static_cast<std::size_t>(block * chunk);
        const auto count = static_cast<std::size_t>(std::min(p.rows(), (block + 1) * chunk)) - first;
        std::uint64_t sum = 0;
        for (const auto& column : p.single) sum += read(&column[first], count);
        sum += read(&p.fkg[first], 8 * count) + read(&p.days[first], 2 * count) + read(&p.cents[first], 4 * count);
        bench::keep(sum);
    });
}

/// What anybody would write first: a double loop over the non-zeros of each person.
struct Loop {
    std::vector<std::int64_t> xx = std::vector<std::int64_t>(columns * columns),
                              xc = std::vector<std::int64_t>(columns);

    explicit Loop(const Portfolio& p) {
        std::array<std::size_t, bench::singles> first{};
        for (std::size_t c = 1; c < first.size(); ++c)
            first[c] = first[c - 1] + static_cast<std::size_t>(bench::single_classes[c - 1]);
        constexpr std::size_t none = columns - 1 - bench::fkg_flags;
        std::array<std::size_t, bench::singles + bench::fkg_flags> column{};
        for (std::size_t i = 0; i < p.days.size(); ++i) {
            std::size_t n = 0;
            for (; n < bench::singles; ++n) column[n] = first[n] + p.single[n][i];
            if (p.fkg[i] == 0) column[n++] = none;
            for (std::uint64_t bits = p.fkg[i]; bits != 0; bits &= bits - 1)
                column[n++] = none + 1 + static_cast<std::size_t>(std::countr_zero(bits));
            const std::int64_t days = p.days[i], cents = p.cents[i];
            for (std::size_t j = 0; j < n; ++j) {
                std::int64_t* row = &xx[column[j] * columns];
                xc[column[j]] += cents;
                for (std::size_t k = j; k < n; ++k) row[column[k]] += days;
            }
        }
    }
    [[nodiscard]] bool equals(const estimation::Moments& m) const {
        for (std::size_t j = 0; j < columns; ++j) {
            if (xc[j] != m.xc(static_cast<Index>(j))) return false;
            for (std::size_t k = j; k < columns; ++k)
                if (xx[j * columns + k] != m.xx(static_cast<Index>(j), static_cast<Index>(k))) return false;
        }
        return true;
    }
};

/// Payment person by person: the weights of all classes of a person, times the days, added to the insurer.
std::vector<Int128> pay_persons(const Portfolio& p, const std::vector<MicroEuro>& weights) {
    std::vector<Int128> result(bench::insurers);
    std::array<const MicroEuro*, bench::singles> of{};
    const MicroEuro* at = weights.data();
    for (std::size_t c = 0; c < of.size(); ++c) {
        of[c] = at;
        at += bench::single_classes[c];
    }
    for (std::size_t i = 0; i < p.days.size(); ++i) {
        MicroEuro sum = p.fkg[i] == 0 ? at[0] : 0;
        for (std::size_t c = 0; c < of.size(); ++c) sum += of[c][p.single[c][i]];
        for (std::uint64_t bits = p.fkg[i]; bits != 0; bits &= bits - 1) sum += at[1 + std::countr_zero(bits)];
        result[p.insurer[i]] += Int128{sum} * p.days[i];
    }
    return result;
}

// --- the engine

estimation::Moments plain(const data::Design& design, const Portfolio& p, int threads) {
    return estimation::accumulate(design, p.view(), on(threads));
}
estimation::Moments encoded(const estimation::Encoded& classes, const Portfolio& p, int threads) {
    const data::Rows rows = p.view();
    return estimation::accumulate(classes, rows.days, rows.cents, rows.represents, rows.stratum, on(threads));
}

void require(bool equal, const char* what) {
    if (!equal) throw std::logic_error{std::string{"not equal: "} + what};
}

/// All kernels on so many persons; first that they agree, then what they take.
void measure(Index persons, int repeat, Results& results) {
    const Portfolio p = bench::Country{}.persons(0, persons, on(2));
    const data::Design design = bench::design();
    estimation::Work work;
    const estimation::Moments moments = estimation::accumulate(design, p.view(), on(1), &work);
    require(moments == plain(design, p, 2), "plain columns on 1 and 2 threads");
    require(Loop{p}.equals(moments), "plain columns and the double loop");
    std::optional<estimation::Encoded> classes = estimation::encode(design, p.view(), on(2));
    for (const int threads : {1, 2}) require(moments == encoded(*classes, p, threads), "encoded and plain columns");
    const std::string bytes = moments.bytes();
    require(estimation::Moments::from_bytes(bytes) == moments, "bytes and what was written");

    estimation::Specification specification = bench::specification();
    const estimation::Fit fit = estimation::estimate(moments, specification);
    estimation::Specification quick = specification;
    quick.inference = false;
    const std::vector<MicroEuro> weights = estimation::rounded(fit);
    const CodeView insurer{std::span<const std::uint8_t>{p.insurer}};
    const auto class_totals = [&](int threads) {
        return payment::class_totals(design, p.view(), insurer, bench::insurers, on(threads));
    };
    const payment::ClassTotals totals = class_totals(1);
    require(payment::normative(totals, weights) == pay_persons(p, weights), "payment from totals and person by person");

    const auto second_pass = [&](int threads) {
        return estimation::second_pass(design, p.view(), weights, {}, on(threads));
    };
    Int128 residual = Int128{moments.cents()} * micro_per_cent * specification.days_in_year;
    for (const Int128 paid : payment::normative(totals, weights)) residual -= paid;
    for (const int threads : {1, 2})
        require(second_pass(threads).residual == residual, "residuals of the second pass and cost less payment");

    const std::string tag = "@" + std::to_string(persons);
    results.fact("entries per record" + tag, work.entries_per_record);
    results.fact("occupied cells" + tag, static_cast<double>(work.cells));
    results.fact("bytes encoded" + tag, static_cast<double>(classes->bytes_used()));
    results.fact("rank" + tag, static_cast<double>(fit.rank));
    results.fact("condition" + tag, fit.condition);
    results.fact("constraints" + tag, static_cast<double>(specification.zero_sum.size()));

    std::vector<Case> cases;
    for (const int threads : {1, 2}) {
        cases.push_back({"read", threads, persons, "", [&, threads] { read(p, threads); }});
        cases.push_back(
            {"moments/plain", threads, persons, "read", [&, threads] { bench::keep(plain(design, p, threads)); }});
        cases.push_back({"encode", threads, persons, "read",
                         [&, threads] { bench::keep(estimation::encode(design, p.view(), on(threads))); }});
        cases.push_back({"moments/encoded", threads, persons, "read",
                         [&, threads] { bench::keep(encoded(*classes, p, threads)); }});
        cases.push_back(
            {"class_totals", threads, persons, "read", [&, threads] { bench::keep(class_totals(threads)); }});
        cases.push_back({"second_pass", threads, persons, "read", [&, threads] { bench::keep(second_pass(threads)); }});
        if (persons > 1'000'000) continue;  // microseconds a person
        cases.push_back({"robust", threads, persons, "read", [&, threads] {
                             bench::keep(estimation::score_products(design, p.view(), weights, {}, on(threads)));
                         }});
    }
    cases.push_back({"moments/loop", 1, persons, "read", [&] { bench::keep(Loop{p}); }});
    cases.push_back({"pay/persons", 1, persons, "read", [&] { bench::keep(pay_persons(p, weights)); }});
    // Independent of the number of persons: measured beside one read of the moments.
    const std::vector<std::int64_t> square(columns * columns, 1);
    cases.push_back({"read/moments", 1, 0, "", [&] { bench::keep(read(square.data(), 8 * square.size())); }, 1000});
    cases.push_back(
        {"pay/totals", 1, 0, "read/moments", [&] { bench::keep(payment::normative(totals, weights)); }, 100});
    cases.push_back(
        {"solve", 1, 0, "read/moments", [&] { bench::keep(estimation::estimate(moments, specification)); }, 3});
    cases.push_back(
        {"solve/weights only", 1, 0, "read/moments", [&] { bench::keep(estimation::estimate(moments, quick)); }, 3});
    cases.push_back({"bytes/write", 1, 0, "read/moments", [&] { bench::keep(moments.bytes()); }, 3});
    cases.push_back(
        {"bytes/read", 1, 0, "read/moments", [&] { bench::keep(estimation::Moments::from_bytes(bytes)); }, 3});
    results.add(bench::interleave(cases, repeat));
}

// --- memory

/// Highest resident memory of this process so far [bytes].
double peak() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

/// What `work` adds to the highest resident memory, in a process of its own [bytes].
double added(const std::function<void()>& work) {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) throw std::runtime_error{"no pipe"};
    std::cout.flush();
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error{"no process"};
    if (child == 0) {
        const double before = peak();
        work();
        const double more = peak() - before;
        const bool written = write(pipe_ends[1], &more, sizeof more) == sizeof more;
        _exit(written ? 0 : 1);
    }
    close(pipe_ends[1]);
    double more = 0;
    const bool arrived = ::read(pipe_ends[0], &more, sizeof more) == sizeof more;
    close(pipe_ends[0]);
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0 || !arrived) throw std::runtime_error{"the child failed"};
    return more;
}

void memory(Index persons, Results& results) {
    const Portfolio p = bench::Country{}.persons(0, persons, on(2));
    const data::Design design = bench::design();
    const std::string tag = "@" + std::to_string(persons);
    results.fact("bytes of the columns" + tag, static_cast<double>(persons * Portfolio::bytes_per_row));
    for (const int threads : {1, 2}) {
        const std::string on_threads = tag + "/" + std::to_string(threads);
        results.fact("bytes beyond, plain" + on_threads, added([&] { bench::keep(plain(design, p, threads)); }));
        results.fact("bytes beyond, encode" + on_threads,
                     added([&] { bench::keep(estimation::encode(design, p.view(), on(threads))); }));
        results.fact("bytes beyond, encode and moments" + on_threads, added([&] {
                         const estimation::Encoded classes = estimation::encode(design, p.view(), on(threads));
                         bench::keep(encoded(classes, p, threads));
                     }));
    }
}

void stream(Index persons, Results& results) {
    constexpr Index block = 1'000'000;
    const bench::Country country;
    const data::Design design = bench::design();
    const std::string tag = "@" + std::to_string(persons);
    double drawing = 0, reading = 0, accumulating = 0;
    const double before = peak();
    estimation::Moments sum{design};
    for (Index first = 0; first < persons; first += block) {
        Portfolio p;
        drawing += bench::milliseconds([&] { p = country.persons(first, std::min(block, persons - first), on(2)); });
        reading += bench::milliseconds([&] { read(p, 2); });
        accumulating += bench::milliseconds([&] { sum += plain(design, p, 2); });
    }
    require(sum.rows() == persons, "rows that went in and rows that arrived");
    results.fact("ms drawing, stream" + tag, drawing);
    results.fact("ms reading, stream" + tag, reading);
    results.fact("ms accumulating, stream" + tag, accumulating);
    results.fact("ratio, stream" + tag, accumulating / reading);
    results.fact("bytes of a block, stream" + tag, static_cast<double>(block * (Portfolio::bytes_per_row + 1)));
    results.fact("bytes at most, stream" + tag, peak() - before);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<Index> sizes{100'000, 1'000'000, 10'000'000, 17'400'000};
    int repeat = 7;
    std::string out;
    Index memory_of = 0, stream_of = 0;
    for (int k = 1; k + 1 < argc; k += 2) {
        const std::string option{argv[k]};
        std::stringstream value{argv[k + 1]};
        if (option == "--sizes") {
            sizes.clear();
            for (std::string size; std::getline(value, size, ',');) sizes.push_back(std::stoll(size));
        } else if (option == "--repeat") {
            value >> repeat;
        } else if (option == "--out") {
            value >> out;
        } else if (option == "--memory") {
            value >> memory_of;
        } else if (option == "--stream") {
            value >> stream_of;
        } else {
            argc = 0;
        }
    }
    if (argc % 2 == 0) {
        std::fputs("estimation_bench [--sizes N,N] [--repeat N] [--out FILE] [--memory N] [--stream N]\n", stderr);
        return 2;
    }
    Results results;
    if (memory_of > 0) memory(memory_of, results);
    else if (stream_of > 0) stream(stream_of, results);
    else
        for (const Index persons : sizes) measure(persons, repeat, results);
    if (!out.empty()) results.write(out);
}
