#pragma once
// Timing of several pieces of work in turn: each runs once in every repetition, so that a slow minute of the machine falls
// on all of them alike, and each is compared with its floor of the same minutes.
#include <anderhalf/core/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace anderhalf::bench {

/// Keeps the compiler from leaving out work whose result nobody reads.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "g"(&value) : "memory");
}

/// One piece of work. Short work is repeated `inner` times within a measurement.
struct Case {
    std::string name;
    int threads = 1;
    Index rows = 0;
    std::string floor;  ///< name of the case, of as many threads, that this one is measured against; may be empty
    std::function<void()> work;
    int inner = 1;
};

struct Timing {
    std::string name, floor;
    int threads = 1;
    Index rows = 0;
    std::vector<double> ms;  ///< per repetition
    double ratio = 0;        ///< best / best of the floor
    double paired = 0;       ///< median over the repetitions of time / time of the floor

    [[nodiscard]] double best() const { return *std::min_element(ms.begin(), ms.end()); }
    [[nodiscard]] double median() const { return median_of(ms); }
    [[nodiscard]] static double median_of(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        const std::size_t half = values.size() / 2;
        return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }
};

[[nodiscard]] inline double milliseconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Runs every case once to warm up, then `repeat` times in turn. Work of ten seconds and more is repeated three times.
[[nodiscard]] inline std::vector<Timing> interleave(const std::vector<Case>& cases, int repeat) {
    std::vector<Timing> timings;
    std::vector<int> repeats;
    for (const Case& c : cases) {
        timings.push_back({c.name, c.floor, c.threads, c.rows, {}, 0, 0});
        repeats.push_back(milliseconds(c.work) < 10'000 ? repeat : std::min(repeat, 3));
    }
    for (int r = 0; r < repeat; ++r)
        for (std::size_t k = 0; k < cases.size(); ++k)
            if (r < repeats[k])
                timings[k].ms.push_back(milliseconds([&] {
                                            for (int i = 0; i < cases[k].inner; ++i) cases[k].work();
                                        }) /
                                        cases[k].inner);
    for (Timing& t : timings) {
        if (t.floor.empty()) continue;
        const auto floor = std::find_if(timings.begin(), timings.end(), [&](const Timing& other) {
            return other.name == t.floor && other.threads == t.threads;
        });
        if (floor == timings.end()) throw std::logic_error{"no case " + t.floor};
        t.ratio = t.best() / floor->best();
        std::vector<double> ratios;
        for (std::size_t r = 0; r < t.ms.size(); ++r) ratios.push_back(t.ms[r] / floor->ms[r]);
        t.paired = Timing::median_of(ratios);
    }
    return timings;
}

/// The timings and single figures of a run, as JSON.
class Results {
public:
    void add(const std::vector<Timing>& timings) {
        for (const Timing& t : timings) {
            char line[512];
            std::snprintf(line, sizeof line,
                          R"(    {"name": "%s", "rows": %td, "threads": %d, "best_ms": %.6g, "median_ms": %.6g, )"
                          R"("ns_per_row": %.4g, "floor": "%s", "ratio": %.4g, "ratio_paired": %.4g, "repeats": %zu})",
                          t.name.c_str(), t.rows, t.threads, t.best(), t.median(),
                          t.rows > 0 ? t.best() * 1e6 / static_cast<double>(t.rows) : 0.0, t.floor.c_str(), t.ratio,
                          t.paired, t.ms.size());
            cases_ += (cases_.empty() ? "" : ",\n") + std::string{line};
            std::printf("%-34s %11td %2d  %11.4f ms  %9.2f ns/row %9.2f x %s\n", t.name.c_str(), t.rows, t.threads,
                        t.best(), t.rows > 0 ? t.best() * 1e6 / static_cast<double>(t.rows) : 0.0, t.ratio,
                        t.floor.c_str());
            std::fflush(stdout);
        }
    }
    void fact(const std::string& name, double value) {
        facts_[name] = value;
        std::printf("%-34s %.8g\n", name.c_str(), value);
        std::fflush(stdout);
    }
    void write(const std::string& file) const {
        std::FILE* out = std::fopen(file.c_str(), "w");
        if (out == nullptr) throw std::runtime_error{"cannot write " + file};
        std::fprintf(out, "{\n  \"cases\": [\n%s\n  ],\n  \"facts\": {", cases_.c_str());
        const char* separator = "";
        for (const auto& [name, value] : facts_) {
            std::fprintf(out, "%s\n    \"%s\": %.10g", separator, name.c_str(), value);
            separator = ",";
        }
        std::fputs("\n  }\n}\n", out);
        if (std::fclose(out) != 0) throw std::runtime_error{"cannot write " + file};
    }

private:
    std::string cases_;
    std::map<std::string, double> facts_;
};

}  // namespace anderhalf::bench
