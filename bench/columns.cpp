// Draws the portfolio of the benchmarks, says how it looks beside docs/performance.md, and writes it for Python:
//     build/bench/bench/bench_columns PERSONS [DIR]
#include "portfolio.hpp"

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

namespace {

using namespace anderhalf;
using bench::Portfolio;

Index distinct(std::vector<std::uint64_t> keys, Index* once = nullptr) {
    std::sort(keys.begin(), keys.end());
    Index found = 0, alone = 0;
    for (std::size_t i = 0; i < keys.size();) {
        std::size_t j = i;
        while (j < keys.size() && keys[j] == keys[i]) ++j;
        ++found;
        alone += j == i + 1;
        i = j;
    }
    if (once != nullptr) *once = alone;
    return found;
}

/// One number of the classes of a person in these criteria: exact while the product of their sizes fits 64 bits.
std::vector<std::uint64_t> combined(const Portfolio& p, std::initializer_list<bench::Single> criteria) {
    std::vector<std::uint64_t> keys(p.days.size());
    for (const bench::Single c : criteria)
        for (std::size_t i = 0; i < keys.size(); ++i)
            keys[i] = keys[i] * static_cast<std::uint64_t>(bench::single_classes[c]) + p.single[c][i];
    return keys;
}

void describe(const Portfolio& p) {
    using namespace bench;
    const auto n = static_cast<double>(p.rows());
    const auto line = [](const char* what, double here, const char* there) {
        std::printf("%-52s %14.4g   %s\n", what, here, there);
    };
    std::printf("%-52s %14s   %s\n", "", "this portfolio", "performance.md, 17.4m");
    double entries = 0;
    std::vector<bool> ill(p.days.size());
    constexpr std::array<const char*, singles> share{"",     "",     "",     "",     "",    "90.8",
                                                     "98.0", "94.3", "98.0", "98.0", "98.0"};
    for (std::size_t c = pdkg; c < singles; ++c) {
        Index others = 0;
        for (std::size_t i = 0; i < p.days.size(); ++i)
            if (p.single[c][i] != 0) {
                ++others;
                ill[i] = true;
            }
        entries += static_cast<double>(others);
        line((std::string{single_names[c]} + " in class 0 [%]").c_str(), 100 - 100 * static_cast<double>(others) / n,
             share[c]);
    }
    Index flagged = 0, flags = 0;
    for (std::size_t i = 0; i < p.days.size(); ++i)
        if (p.fkg[i] != 0) {
            ++flagged;
            flags += std::popcount(p.fkg[i]);
            ill[i] = true;
        }
    entries += static_cast<double>(flags);
    line("any FKG [%]", 100 * static_cast<double>(flagged) / n, "18.0");
    line("FKG flags per person", static_cast<double>(flags) / n, "0.244");
    line("no morbidity entry [%]", 100 * static_cast<double>(std::count(ill.begin(), ill.end(), false)) / n, "72.5");
    line("entries per person", entries / n, "0.471");
    line("whole years [%]", 100 * static_cast<double>(std::count(p.days.begin(), p.days.end(), 365)) / n, "87");
    double euros = 0, days = 0;
    for (std::size_t i = 0; i < p.days.size(); ++i) {
        euros += p.cents[i] / 100.0;
        days += p.days[i];
    }
    line("cost [EUR per insured year]", euros / days * 365, "2123");
    line("highest cost [EUR]", *std::max_element(p.cents.begin(), p.cents.end()) / 100.0, "");
    const auto demographic = combined(p, {age_sex, region, income, ses, ppa});
    line("occupied demographic cells", static_cast<double>(distinct(demographic)), "27373");
    line("occupied pairs of age_sex, income", static_cast<double>(distinct(combined(p, {age_sex, income}))), "162");
    line("occupied triples of SES, PPA, region", static_cast<double>(distinct(combined(p, {ses, ppa, region}))), "640");
    auto words = combined(p, {pdkg, sdkg, mhk, hkg, fdg, mvv});
    for (std::size_t i = 0; i < words.size(); ++i)  // two odd multipliers: a clash of hashes is as good as excluded
        words[i] = (words[i] * 0x9E3779B97F4A7C15u) ^ (p.fkg[i] * 0xD6E8FEB86659FD93u);
    line("different morbidity words", static_cast<double>(distinct(words)), "254453");
    for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = (words[i] ^ (words[i] >> 29)) * 0xBF58476D1CE4E5B9u + demographic[i] * 0x94D049BB133111EBu;
    Index once = 0;
    line("different profiles", static_cast<double>(distinct(words, &once)), "2082031");
    line("of which one person", static_cast<double>(once), "1.61m");
}

/// The format of numpy.save: magic, version, a header padded to 64 bytes, then the values.
template <class T>
void save(const std::filesystem::path& file, const std::vector<T>& column) {
    const std::string kind = (std::is_signed_v<T> ? "<i" : sizeof(T) == 1 ? "|u" : "<u") + std::to_string(sizeof(T));
    std::string header =
        "{'descr': '" + kind + "', 'fortran_order': False, 'shape': (" + std::to_string(column.size()) + ",), }";
    header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
    header += '\n';
    std::ofstream out{file, std::ios::binary};
    const auto length = static_cast<std::uint16_t>(header.size());
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(static_cast<char>(length & 0xFF)).put(static_cast<char>(length >> 8));
    out << header;
    out.write(reinterpret_cast<const char*>(column.data()), static_cast<std::streamsize>(column.size() * sizeof(T)));
    if (!out) throw std::runtime_error{"cannot write " + file.string()};
}

}  // namespace

int main(int argc, char** argv) {
    Index persons = 0;
    if (argc >= 2) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), persons);
    if (persons < 1 || argc > 3) {
        std::fputs("bench_columns PERSONS [DIR]\n", stderr);
        return 2;
    }
    const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const Portfolio p = bench::Country{}.persons(0, persons, Run{.threads = threads});
    if (argc == 3) {
        const std::filesystem::path folder{argv[2]};
        std::filesystem::create_directories(folder);
        for (std::size_t c = 0; c < bench::singles; ++c)
            save(folder / (std::string{bench::single_names[c]} + ".npy"), p.single[c]);
        save(folder / "fkg.npy", p.fkg);
        save(folder / "days.npy", p.days);
        save(folder / "cents.npy", p.cents);
        save(folder / "insurer.npy", p.insurer);
    } else {
        describe(p);
    }
}
