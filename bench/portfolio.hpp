#pragma once
// The portfolio of the benchmarks: a country under the design of the Overall Toets 2020, drawn and not real.
#include <anderhalf/core/random.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/columns.hpp>
#include <anderhalf/estimation/estimate.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anderhalf::bench {

/// The criteria with one class a person, and how many classes each has; FKG (37 flags and none) comes after them.
enum Single : std::size_t { age_sex, region, income, ses, ppa, pdkg, sdkg, mhk, hkg, fdg, mvv, singles };
inline constexpr std::array<std::string_view, singles> single_names{"age_sex", "region", "income", "ses", "ppa", "pdkg",
                                                                    "sdkg",    "mhk",    "hkg",    "fdg", "mvv"};
inline constexpr std::array<Index, singles> single_classes{42, 10, 43, 12, 16, 16, 8, 9, 11, 5, 10};
inline constexpr Index fkg_flags = 37;
inline constexpr Index insurers = 25;

/// 21 age groups, and the age bands within which income, SES and PPA are classified: each class belongs to one band, so
/// the classes of a band add up to columns of age_sex. That is the rank trap.
inline constexpr std::size_t age_groups = 21;
using Bands = std::array<std::uint8_t, age_groups>;
//  ages                            0 1 5 10 15 18 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95
inline constexpr Bands income_band{0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 6, 6, 6};
inline constexpr Bands ses_band{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2};
inline constexpr Bands ppa_band{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3};
inline constexpr std::array<Index, 7> income_sizes{1, 9, 8, 8, 8, 8, 1};
inline constexpr std::array<Index, 3> ses_sizes{4, 4, 4};
inline constexpr std::array<Index, 4> ppa_sizes{4, 4, 4, 4};

/// The columns of n persons, 25 bytes a person, and the insurer beside them.
struct Portfolio {
    std::array<std::vector<std::uint8_t>, singles> single;
    std::vector<std::uint64_t> fkg;  ///< bit k: has flag k + 1
    std::vector<std::uint16_t> days;
    std::vector<std::int32_t> cents;
    std::vector<std::uint8_t> insurer;

    [[nodiscard]] Index rows() const { return static_cast<Index>(days.size()); }
    static constexpr Index bytes_per_row = Index{singles} + 8 + 2 + 4;

    /// The columns of the persons first..last-1, borrowed.
    [[nodiscard]] data::Rows view(Index first, Index last) const {
        const auto from = static_cast<std::size_t>(first), count = static_cast<std::size_t>(last - first);
        data::Rows rows;
        for (const auto& column : single) rows.criteria.emplace_back(CodeView{std::span{column}.subspan(from, count)});
        rows.criteria.emplace_back(std::span{fkg}.subspan(from, count));
        rows.days = std::span{days}.subspan(from, count);
        rows.cents.emplace_back(std::span{cents}.subspan(from, count));
        return rows;
    }
    [[nodiscard]] data::Rows view() const { return view(0, rows()); }
};

/// The design: 12 criteria, 220 columns.
[[nodiscard]] inline data::Design design() {
    data::Design result;
    const auto numbered = [](Index classes) {
        std::vector<std::string> names;
        for (Index k = 0; k < classes; ++k) names.push_back(std::to_string(k));
        return names;
    };
    for (std::size_t c = 0; c < singles; ++c) {
        data::Criterion criterion;
        criterion.name = single_names[c];
        criterion.classes = numbered(single_classes[c]);
        result.criteria.push_back(criterion);
    }
    data::Criterion flags;
    flags.name = "fkg";
    flags.classes = numbered(fkg_flags + 1);
    flags.labels = data::Labels::flags;
    flags.none_derived = true;
    result.criteria.push_back(flags);
    return result;
}

/// What is estimated: 21 directions are free (income 7, SES 3, PPA 4, and one in each other criterion but age_sex and
/// FKG); with the rule of FKG that makes 22 constraints.
[[nodiscard]] inline estimation::Specification specification() {
    const data::Design all = design();
    estimation::Specification result;
    result.columns = all.column_names();
    const auto zero_sum = [&](const std::string& name, Index first, Index count) {
        estimation::ZeroSum group;
        group.name = name;
        for (Index k = 0; k < count; ++k) group.columns.push_back(first + k);
        result.zero_sum.push_back(group);
    };
    const auto banded = [&](Single criterion, std::span<const Index> sizes) {
        Index first = all.offset(static_cast<Index>(criterion)), band = 0;
        for (const Index size : sizes) {
            zero_sum(std::string{single_names[criterion]} + " band " + std::to_string(band++), first, size);
            first += size;
        }
    };
    banded(income, income_sizes);
    banded(ses, ses_sizes);
    banded(ppa, ppa_sizes);
    for (const Single c : {region, pdkg, sdkg, mhk, hkg, fdg, mvv})
        zero_sum(std::string{single_names[c]}, all.offset(static_cast<Index>(c)), single_classes[c]);
    zero_sum("fkg", all.offset(Index{singles}), fkg_flags + 1);
    return result;
}

/// Draws persons by their number: person i is the same in every portfolio, block and number of threads.
///
/// A latent frailty, with age, income, SES and PPA, raises the chance of every morbidity criterion alike: level l of 256
/// gives P(any class of c) = 1 - exp(-rate_c exp(l)), the rates solved so that the shares are those of performance.md.
class Country {
public:
    explicit Country(std::uint64_t seed = 1) : philox_{seed, Purpose::population} { calibrate(); }

    [[nodiscard]] Portfolio persons(Index first, Index count, const Run& run) const {
        Portfolio p;
        const auto n = static_cast<std::size_t>(count);
        for (auto& column : p.single) column.resize(n);
        p.fkg.resize(n);
        p.days.resize(n);
        p.cents.resize(n);
        p.insurer.resize(n);
        constexpr Index chunk = 65'536;
        for_each_chunk(run, (count + chunk - 1) / chunk, [&](Index block) {
            for (Index i = block * chunk; i < std::min(count, (block + 1) * chunk); ++i)
                draw(static_cast<std::uint64_t>(first + i), p, static_cast<std::size_t>(i));
        });
        return p;
    }

private:
    static constexpr std::size_t levels = 256, sick = 7;  // criteria pdkg .. mvv, and FKG
    static constexpr double levels_per_log = 16;
    // Shares with any class: pDKG, sDKG, MHK, HKG, FDG, MVV, FKG (performance.md section 2).
    static constexpr std::array<double, sick> target{0.092, 0.020, 0.057, 0.020, 0.0195, 0.0195, 0.180};

    /// Cumulative shares of 2^32, picked by a 32-bit draw.
    struct Pick {
        std::array<std::uint32_t, 48> below{};
        std::uint8_t count = 0;

        Pick() = default;
        template <class Share>
        Pick(Index classes, Share share) : count{static_cast<std::uint8_t>(classes)} {
            double total = 0, sum = 0;
            for (Index k = 0; k < classes; ++k) total += share(static_cast<double>(k));
            for (Index k = 0; k + 1 < classes; ++k) {
                sum += share(static_cast<double>(k));
                below[static_cast<std::size_t>(k)] = static_cast<std::uint32_t>(sum / total * 4294967295.0);
            }
            below[static_cast<std::size_t>(classes - 1)] = 0xFFFFFFFFu;
        }
        [[nodiscard]] std::uint8_t operator()(std::uint32_t draw) const {
            std::uint8_t k = 0;
            while (k + 1 < count && draw >= below[k]) ++k;
            return k;
        }
    };

    struct Words {
        Philox::Words word;
        [[nodiscard]] std::uint32_t operator[](std::size_t k) const {
            return static_cast<std::uint32_t>(word[k / 2] >> (k % 2 * 32));
        }
    };

    struct Person {
        std::array<std::uint8_t, singles> code{};
        std::size_t level = 0;
    };

    /// Who the person is, and how frail.
    [[nodiscard]] Person demographics(std::uint64_t i, const Words& w) const {
        Person p;
        p.code[age_sex] = ages_(w[0]);
        const std::size_t age = p.code[age_sex] % age_groups;
        p.code[region] = regions_(w[1]);
        const std::uint8_t earns = incomes_[income_band[age]](w[2]);
        p.code[income] = static_cast<std::uint8_t>(income_first_[income_band[age]] + earns);
        const std::uint8_t position = socials_(w[3] % 2 == 0 ? w[2] : w[3]);  // half of SES goes with income
        p.code[ses] = static_cast<std::uint8_t>(4 * ses_band[age] + position);
        const std::uint8_t lives = (ppa_band[age] < 2 ? young_ : old_)[ppa_band[age] % 2](w[4]);
        p.code[ppa] = static_cast<std::uint8_t>(4 * ppa_band[age] + lives);
        const Words f{philox_(i, 0, 1)};
        double frailty = 0;  // nearly normal: a sum of eight uniforms
        for (std::size_t k = 0; k < 8; ++k) frailty += static_cast<double>(f[k]) / 4294967296.0 - 0.5;
        frailty /= std::sqrt(8.0 / 12.0);
        const double log_risk = by_age_[age] + 0.15 * (1.5 - position) + 0.25 * lives - 0.04 * earns + 1.25 * frailty;
        p.level = static_cast<std::size_t>(std::clamp(levels_per_log * log_risk + levels / 2.0, 0.0, levels - 1.0));
        return p;
    }

    void draw(std::uint64_t i, Portfolio& out, std::size_t at) const {
        const Words w{philox_(i)};
        Person p = demographics(i, w);
        double euros = 160 + 10 * static_cast<double>(p.level);
        const Words any{philox_(i, 0, 2)};
        const Words which{philox_(i, 0, 3)};
        for (std::size_t c = 0; c + 1 < sick; ++c)
            if (any[c] < threshold_[c][p.level]) {
                const std::uint8_t code = static_cast<std::uint8_t>(1 + classes_[c](which[c]));
                p.code[pdkg + c] = code;
                euros += 650.0 * code;
            }
        std::uint64_t mask = 0;
        if (any[6] < threshold_[6][p.level]) {
            const Words flags{philox_(i, 0, 4)}, more{philox_(i, 0, 5)};
            for (std::size_t k = 0; k < 8; ++k) {
                mask |= std::uint64_t{1} << flags_(flags[k]);
                euros += 700;
                if (more[k] >= again_[p.level]) break;
            }
        }
        for (std::size_t c = 0; c < singles; ++c) out.single[c][at] = p.code[c];
        out.fkg[at] = mask;
        out.insurer[at] = insurer_(w[5]);
        const std::uint32_t year = w[6];
        const std::uint32_t full = 3736611553u;  // 87% of 2^32; the others 1..364 days
        out.days[at] = year < full ? std::uint16_t{365} : static_cast<std::uint16_t>(1 + (year - full) % 364);
        // One in eight without cost; above that a Pareto tail of index 2 with mean 8/7, so that the mean is `euros`.
        const double u = static_cast<double>(w[7]) / 4294967296.0;
        const double cost = u < 0.125 ? 0.0 : euros * (4.0 / 7.0) / std::sqrt((1.0 - u) / 0.875);
        out.cents[at] = static_cast<std::int32_t>(std::min(cost, 5e6) * 100 * out.days[at] / 365);
    }

    /// Rates from the levels of the first 2^17 persons.
    void calibrate() {
        for (std::size_t a = 0; a < age_groups; ++a) {
            const auto x = static_cast<double>(a);
            by_age_[a] = a < 5 ? -1.6 : -0.9 + 0.135 * (x - 5);
        }
        Index first = 0;
        for (std::size_t b = 0; b < income_sizes.size(); ++b) {
            income_first_[b] = static_cast<std::uint8_t>(first);
            incomes_[b] = Pick(income_sizes[b], [](double k) { return 0.02 + 0.05 * k; });
            first += income_sizes[b];
        }
        std::vector<double> histogram(levels);
        constexpr Index sample = 131'072;
        for (Index i = 0; i < sample; ++i) {
            const auto person = static_cast<std::uint64_t>(i);
            ++histogram[demographics(person, Words{philox_(person)}).level];
        }
        const auto risk = [](std::size_t level) {
            return std::exp((static_cast<double>(level) - levels / 2.0) / levels_per_log);
        };
        for (std::size_t c = 0; c < sick; ++c) {
            double low = -20, high = 5;  // log rate, by halving
            for (int step = 0; step < 50; ++step) {
                const double rate = std::exp((low + high) / 2);
                double share = 0;
                for (std::size_t l = 0; l < levels; ++l) share += histogram[l] * (1 - std::exp(-rate * risk(l)));
                (share / sample < target[c] ? low : high) = (low + high) / 2;
            }
            for (std::size_t l = 0; l < levels; ++l)
                threshold_[c][l] = static_cast<std::uint32_t>((1 - std::exp(-std::exp(low) * risk(l))) * 4294967295.0);
        }
        for (std::size_t l = 0; l < levels; ++l)
            again_[l] = static_cast<std::uint32_t>(std::min(0.75, 0.145 * std::pow(risk(l), 0.45)) * 4294967295.0);
    }

    Philox philox_;
    std::array<std::array<std::uint32_t, levels>, sick> threshold_{};
    std::array<std::uint32_t, levels> again_{};
    std::array<double, age_groups> by_age_{};
    std::array<Pick, income_sizes.size()> incomes_;
    std::array<std::uint8_t, income_sizes.size()> income_first_{};

    // Men 0..20, women 21..41.
    Pick ages_{42, [](double k) {
                   constexpr std::array<double, age_groups> share{1.0, 4.0, 5.3, 5.6, 3.6, 8.6, 6.4, 6.2, 5.9, 5.8, 6.9,
                                                                  7.5, 7.2, 6.6, 6.0, 5.5, 3.7, 2.5, 1.4, 0.6, 0.15};
                   return share[static_cast<std::size_t>(k) % age_groups];
               }};
    Pick regions_{10, [](double k) { return 0.5 + 0.1 * k; }};
    Pick socials_{4, [](double k) { return k < 3 ? 0.2 + 0.05 * k : 0.25; }};
    // PPA: most others first; the rare classes are those in institutions.
    std::array<Pick, 2> young_{Pick{4, [](double k) { return k < 1 ? 0.97 : 0.024 / (k * k * k); }},
                               Pick{4, [](double k) { return k < 1   ? 0.80
                                                             : k < 2 ? 0.16
                                                                     : 0.16 / (k * k * k); }}};
    std::array<Pick, 2> old_{Pick{4, [](double k) { return k < 1   ? 0.69
                                                           : k < 2 ? 0.29
                                                                   : 0.06 / (k * k); }},
                             Pick{4, [](double k) { return k < 1   ? 0.40
                                                           : k < 2 ? 0.45
                                                                   : 0.12 / k; }}};
    std::array<Pick, sick - 1> classes_{
        Pick{15, [](double k) { return std::exp(-0.22 * k); }}, Pick{7, [](double k) { return std::exp(-0.3 * k); }},
        Pick{8, [](double k) { return std::exp(-0.2 * k); }},   Pick{10, [](double k) { return std::exp(-0.25 * k); }},
        Pick{4, [](double k) { return std::exp(-0.5 * k); }},   Pick{9, [](double k) { return std::exp(-0.2 * k); }}};
    Pick flags_{fkg_flags, [](double k) { return std::exp(-0.2 * k); }};
    Pick insurer_{insurers, [](double k) { return std::exp(-0.18 * k); }};
};

}  // namespace anderhalf::bench
