#pragma once
// The shape of the estimation model of 2020: class counts of performance.md section 2, people drawn by number.
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation.hpp>

#include <string>
#include <vector>

namespace ot_2020 {

using namespace anderhalf;

inline data::Criterion classes(const std::string& name, int count) {
    data::Criterion c{name, {}};
    for (int k = 0; k < count; ++k) c.classes.push_back(std::to_string(k));
    return c;
}

/// Income, SES and PPA are told apart per age band; FKG is any number of flags, 0 for none of them.
inline data::Design design() {
    data::Design d{{classes("age_sex", 42), classes("region", 10), classes("avi", 43), classes("ses", 12),
                    classes("ppa", 16), classes("dkg_primary", 16), classes("dkg_secondary", 8), classes("mhk", 9),
                    classes("hkg", 11), classes("fdg", 5), classes("mvv", 10), classes("fkg", 38)}};
    d.criteria.back().labels = data::Labels::flags;
    d.criteria.back().none_derived = true;
    return d;
}

inline int avi_band(int age) { return age < 4 ? 0 : std::min(6, 1 + (age - 4) / 3); }  // ages 0..20
inline int ses_band(int age) { return age / 7; }
inline int ppa_band(int age) { return std::min(3, age / 5); }
inline int avi_first(int band) { return band == 0 ? 0 : 1 + 7 * (band - 1); }

inline estimation::Moments moments(std::uint64_t persons) {
    const data::Design d = design();
    estimation::Moments m{d};
    std::vector<Index> first;
    for (Index c = 0; c < 12; ++c) first.push_back(d.offset(c));
    const Philox draw{2020, 1};
    std::vector<estimation::Entry> row;
    for (std::uint64_t i = 0; i < persons; ++i) {
        const auto w = draw(i), x = draw(i, 1), y = draw(i, 2);
        const int age = static_cast<int>(w[0] % 21), sex = static_cast<int>(w[0] >> 8 & 1);
        const auto some = [](std::uint64_t word, std::uint64_t one_in, int count) {  // 0, or one of 1..count-1
            return word % one_in != 0 ? 0 : 1 + static_cast<int>((word >> 32) % static_cast<std::uint64_t>(count - 1));
        };
        const int avi = avi_band(age) == 0 ? 0 : avi_first(avi_band(age)) + static_cast<int>(w[1] % 7);
        row.clear();
        const auto add = [&](std::size_t criterion, int code) {
            row.push_back({static_cast<std::int32_t>(first[criterion] + code), 1});
        };
        add(0, 2 * age + sex);
        add(1, static_cast<int>((w[1] >> 16) % 10));
        add(2, avi);
        add(3, 4 * ses_band(age) + static_cast<int>(w[1] >> 40 & 3));
        add(4, 4 * ppa_band(age) + static_cast<int>(w[1] >> 50 & 3));
        add(5, some(w[2], 9, 16));
        add(6, some(w[3], 30, 8));
        add(7, some(x[0], 17, 9));
        add(8, some(x[1], 40, 11));
        add(9, some(x[2], 40, 5));
        add(10, some(x[3], 40, 10));
        if (y[0] % 5 != 0) {
            add(11, 0);
        } else {
            std::uint64_t flags = std::uint64_t{1} << (1 + y[1] % 37);
            if (y[2] % 3 == 0) flags |= std::uint64_t{1} << (1 + (y[1] >> 32) % 37);
            for (int k = 1; k < 38; ++k)
                if ((flags >> k & 1) != 0) add(11, k);
        }
        const Days days = y[2] >> 40 & 7 ? 365 : static_cast<Days>(1 + (y[2] >> 8) % 365);
        m.add(row, days, static_cast<Cents>(y[3] % 400'000) + 9'000 * age + (row[5].column > first[5] ? 250'000 : 0),
              1);
    }
    return m;
}

inline estimation::ZeroSum zero_sum(const std::string& name, Index first, Index size) {
    estimation::ZeroSum z{name, {}};
    for (Index k = 0; k < size; ++k) z.columns.push_back(first + k);
    return z;
}

/// The 22 rules: per age band for avi, ses and ppa, per criterion for the rest. Or the trap: one rule per criterion.
inline estimation::Specification specification(bool per_age_band) {
    const data::Design d = design();
    estimation::Specification s;
    s.columns = d.column_names();
    for (Index c = 1; c < 12; ++c) {
        const data::Criterion& criterion = d.criteria[static_cast<std::size_t>(c)];
        const Index first = d.offset(c);
        if (per_age_band && criterion.name == "avi") {
            for (int b = 0; b < 7; ++b)
                s.zero_sum.push_back(zero_sum("avi " + std::to_string(b), first + avi_first(b), b == 0 ? 1 : 7));
        } else if (per_age_band && (criterion.name == "ses" || criterion.name == "ppa")) {
            for (Index b = 0; 4 * b < static_cast<Index>(criterion.classes.size()); ++b)
                s.zero_sum.push_back(zero_sum(criterion.name + " " + std::to_string(b), first + 4 * b, 4));
        } else {
            s.zero_sum.push_back(zero_sum(criterion.name, first, static_cast<Index>(criterion.classes.size())));
        }
    }
    return s;
}

}  // namespace ot_2020
