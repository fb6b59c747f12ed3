#pragma once
#include <anderhalf/data/columns.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <variant>
#include <vector>

/// Random designs with random columns that fit them: the same seed, the same table. For tests of sums, not of people.
namespace anderhalf::tests {

using Codes = std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<std::uint32_t>>;

inline CodeView view(const Codes& codes) {
    return std::visit([](const auto& values) { return CodeView{std::span{values.data(), values.size()}}; }, codes);
}

/// Owns the columns of data::Rows.
struct Table {
    using Column = std::variant<Codes, std::vector<std::uint64_t>, std::vector<Codes>>;
    data::Design design{};
    std::vector<Column> criteria{};
    std::variant<std::vector<std::uint16_t>, std::vector<std::int32_t>, std::vector<std::int64_t>> days{};
    std::vector<std::variant<std::vector<std::int32_t>, std::vector<std::int64_t>>> cents{};
    std::vector<std::uint16_t> represents{};  // empty: absent
    std::vector<Codes> stratum{};             // empty: absent

    [[nodiscard]] data::Rows rows(Index first = 0, Index count = -1) const {
        const Index n = std::visit([](const auto& d) { return static_cast<Index>(d.size()); }, days);
        const auto from = static_cast<std::size_t>(first);
        const auto size = static_cast<std::size_t>(count < 0 ? n - first : count);
        const auto cut = [&](const Codes& codes) {
            return std::visit([&](const auto& v) { return CodeView{std::span{v.data() + from, size}}; }, codes);
        };
        data::Rows r;
        for (const Column& column : criteria) {
            if (const auto* codes = std::get_if<Codes>(&column)) r.criteria.emplace_back(cut(*codes));
            if (const auto* mask = std::get_if<std::vector<std::uint64_t>>(&column))
                r.criteria.emplace_back(std::span<const std::uint64_t>{mask->data() + from, size});
            if (const auto* several = std::get_if<std::vector<Codes>>(&column)) {
                std::vector<CodeView> views;
                for (const Codes& codes : *several) views.push_back(cut(codes));
                r.criteria.emplace_back(std::move(views));
            }
        }
        std::visit([&](const auto& d) { r.days = std::span{d.data() + from, size}; }, days);
        for (const auto& c : cents)
            std::visit([&](const auto& v) { r.cents.emplace_back(std::span{v.data() + from, size}); }, c);
        if (!represents.empty()) r.represents = std::span<const std::uint16_t>{represents.data() + from, size};
        if (!stratum.empty()) r.stratum = cut(stratum[0]);
        return r;
    }

    /// The same rows in another order.
    [[nodiscard]] Table permuted(const std::vector<std::size_t>& order) const {
        const auto reorder = [&]<class T>(const std::vector<T>& v) {
            std::vector<T> w;
            for (const std::size_t k : order) w.push_back(v[k]);
            return w;
        };
        const auto codes = [&](const Codes& c) {
            return std::visit([&](const auto& v) { return Codes{reorder(v)}; }, c);
        };
        Table t;
        t.design = design;
        for (const Column& column : criteria) {
            if (const auto* one = std::get_if<Codes>(&column)) t.criteria.emplace_back(codes(*one));
            if (const auto* mask = std::get_if<std::vector<std::uint64_t>>(&column))
                t.criteria.emplace_back(reorder(*mask));
            if (const auto* several = std::get_if<std::vector<Codes>>(&column)) {
                std::vector<Codes> all;
                for (const Codes& c : *several) all.push_back(codes(c));
                t.criteria.emplace_back(std::move(all));
            }
        }
        std::visit([&](const auto& d) { t.days = reorder(d); }, days);
        for (const auto& c : cents) std::visit([&](const auto& v) { t.cents.emplace_back(reorder(v)); }, c);
        if (!represents.empty()) t.represents = reorder(represents);
        for (const Codes& c : stratum) t.stratum.push_back(codes(c));
        return t;
    }
};

inline Codes codes_of(const std::vector<std::uint32_t>& values, int width) {
    if (width == 0) return std::vector<std::uint8_t>(values.begin(), values.end());
    if (width == 1) return std::vector<std::uint16_t>(values.begin(), values.end());
    return values;
}

inline std::vector<std::string> class_names(Index n) {
    std::vector<std::string> names;
    for (Index k = 0; k < n; ++k) names.push_back(std::to_string(k));
    return names;
}

struct Choice {
    bool absorbed = false;
    bool strata = false;
    bool large_values = false;  // costs to the limit
};

inline Table random_table(std::uint64_t seed, Index n, const Choice& choice = {}) {
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t k) { return random() % k; };
    Table t;
    const std::uint64_t criteria = below(7);
    const auto rows = static_cast<std::size_t>(n);
    for (std::uint64_t k = 0; k < criteria + (choice.absorbed ? 1 : 0); ++k) {
        data::Criterion c;
        c.name = "c" + std::to_string(k);
        c.absorbed = k == criteria;
        const std::uint64_t kind = c.absorbed ? 0 : below(6);
        if (kind < 3) {  // codes
            const std::uint64_t sizes[] = {1, 2, 5, 17, 64, 255, 256, 257, 300};
            const std::uint64_t classes = sizes[below(c.absorbed ? 9 : 8)];
            c.classes = class_names(static_cast<Index>(classes));
            const std::uint64_t base = below(classes), often = below(3);
            std::vector<std::uint32_t> values(rows);
            for (auto& v : values) v = static_cast<std::uint32_t>(often > 0 && below(10) > 0 ? base : below(classes));
            const int least = classes <= 256 ? 0 : 1;
            t.criteria.emplace_back(
                codes_of(values, least + static_cast<int>(below(static_cast<std::uint64_t>(3 - least)))));
        } else if (kind == 3) {  // bit mask
            const std::uint64_t read = below(4) == 0 ? 64 : 1 + below(12);
            c.labels = data::Labels::flags;
            c.none_derived = below(2) == 0;
            c.classes = class_names(static_cast<Index>(read + (c.none_derived ? 1 : 0)));
            std::vector<std::uint64_t> values(rows, 0);
            const std::uint64_t known = read == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << read) - 1;
            for (auto& v : values)
                if (below(4) == 0) v = random() & random() & known;
            t.criteria.emplace_back(values);
        } else {  // a column per class
            const bool counts = kind == 5, one = kind == 4 && below(3) == 0;
            c.labels = counts ? data::Labels::counts : one ? data::Labels::single : data::Labels::flags;
            c.none_derived = below(2) == 0;
            const std::uint64_t read = 1 + below(5);
            c.classes = class_names(static_cast<Index>(read + (c.none_derived ? 1 : 0)));
            std::vector<std::vector<std::uint32_t>> values(read, std::vector<std::uint32_t>(rows, 0));
            for (std::size_t i = 0; i < rows; ++i) {
                if (one) {
                    const std::uint64_t which = below(read + (c.none_derived ? 1 : 0));
                    if (which < read) values[which][i] = 1;
                } else {
                    for (auto& v : values)
                        if (below(4) == 0) v[i] = counts && below(8) == 0 ? static_cast<std::uint32_t>(below(200)) : 1;
                }
            }
            std::vector<Codes> columns;
            for (const auto& v : values) columns.push_back(codes_of(v, static_cast<int>(below(3))));
            t.criteria.emplace_back(std::move(columns));
        }
        t.design.criteria.push_back(std::move(c));
    }
    std::vector<std::int64_t> days(rows);
    for (auto& d : days) d = below(5) == 0 ? 1 + static_cast<std::int64_t>(below(366)) : 365;
    switch (below(3)) {
        case 0: t.days = std::vector<std::uint16_t>(days.begin(), days.end()); break;
        case 1: t.days = std::vector<std::int32_t>(days.begin(), days.end()); break;
        default: t.days = days;
    }
    const std::uint64_t categories = below(2) == 0 ? 1 : 1 + below(3);
    t.design.categories = class_names(static_cast<Index>(categories));
    for (std::uint64_t g = 0; g < categories; ++g) {
        std::vector<std::int64_t> cost(rows);
        for (auto& c : cost) {
            c = static_cast<std::int64_t>(below(3'000'000)) - 100'000;
            if (choice.large_values && below(20) == 0) c = (below(2) == 0 ? 1 : -1) * data::max_cost;
        }
        if (below(2) == 0 && !choice.large_values)
            t.cents.emplace_back(std::vector<std::int32_t>(cost.begin(), cost.end()));
        else t.cents.emplace_back(cost);
    }
    if (below(2) == 0) {
        t.represents.resize(rows);
        for (auto& r : t.represents)
            r = static_cast<std::uint16_t>(below(8) == 0 && !choice.large_values ? 1 + below(65'535) : 1 + below(20));
    }
    if (choice.strata) {
        const std::uint64_t strata = 1 + below(9);
        t.design.strata = class_names(static_cast<Index>(strata));
        std::vector<std::uint32_t> values(rows);
        for (auto& s : values) s = static_cast<std::uint32_t>(below(strata));
        if (below(5) > 0) t.stratum.push_back(codes_of(values, static_cast<int>(below(3))));
    }
    return t;
}

}  // namespace anderhalf::tests
