#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/data/columns.hpp>

#include <algorithm>
#include <atomic>
#include <span>
#include <vector>

namespace anderhalf::data {

inline constexpr Index rows_per_chunk = 65'536;  ///< what a thread takes at a time
inline constexpr Index rows_per_block = 2'048;   ///< and works on at once: its buffers stay in the cache

inline Index chunks_of(Index rows) { return (rows + rows_per_chunk - 1) / rows_per_chunk; }

/// Rows begin .. begin + count of columns that are checked for their shape.
inline Rows part(const Rows& rows, Index begin, Index count) {
    const auto cut = [&](auto values) {
        return values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
    };
    const auto codes = [&](const CodeView& column) {
        return std::visit([&](auto values) { return CodeView{cut(values)}; }, column);
    };
    Rows out;
    for (const CriterionColumn& column : rows.criteria) {
        if (const auto* single = std::get_if<CodeView>(&column)) {
            out.criteria.emplace_back(codes(*single));
        } else if (const auto* masks = std::get_if<std::span<const std::uint64_t>>(&column)) {
            out.criteria.emplace_back(cut(*masks));
        } else {
            std::vector<CodeView> columns;
            for (const CodeView& view : std::get<std::vector<CodeView>>(column)) columns.push_back(codes(view));
            out.criteria.emplace_back(std::move(columns));
        }
    }
    out.days = std::visit([&](auto values) { return DaysColumn{cut(values)}; }, rows.days);
    for (const CentsColumn& column : rows.cents)
        out.cents.push_back(std::visit([&](auto values) { return CentsColumn{cut(values)}; }, column));
    if (rows.represents) out.represents = cut(*rows.represents);
    if (rows.stratum) out.stratum = codes(*rows.stratum);
    return out;
}

/// Whether no value is above `most`; without a branch per value.
template <class T>
bool none_above(std::span<const T> values, std::uint64_t most) {
    T largest = 0;
    for (const T v : values) largest = std::max(largest, v);
    return largest <= most;
}
inline bool none_above(const CodeView& column, std::uint64_t most) {
    return std::visit([&](auto values) { return none_above(values, most); }, column);
}
template <class T>
bool all_within(std::span<const T> values, std::int64_t low, std::int64_t high) {
    T least = values.empty() ? T{1} : values[0], largest = least;
    for (const T v : values) {
        least = std::min(least, v);
        largest = std::max(largest, v);
    }
    return static_cast<std::int64_t>(least) >= low && static_cast<std::int64_t>(largest) <= high;
}

/// True only for rows that `check` takes; false says nothing.
inline bool surely_right(const Design& design, const Rows& rows) {
    for (std::size_t k = 0; k < design.criteria.size(); ++k) {
        const Criterion& c = design.criteria[k];
        if (const auto* single = std::get_if<CodeView>(&rows.criteria[k])) {
            if (!none_above(*single, c.classes.size() - 1)) return false;
        } else if (c.labels == Labels::single) {
            return false;
        } else if (const auto* masks = std::get_if<std::span<const std::uint64_t>>(&rows.criteria[k])) {
            std::uint64_t any = 0;
            for (const std::uint64_t mask : *masks) any |= mask;
            if (c.read_classes() < 64 && any >> c.read_classes() != 0) return false;
        } else {
            for (const CodeView& column : std::get<std::vector<CodeView>>(rows.criteria[k]))
                if (!none_above(column, c.labels == Labels::flags ? 1 : max_count)) return false;
        }
    }
    if (!std::visit([&](auto days) { return all_within(days, 1, design.days_max); }, rows.days)) return false;
    for (const CentsColumn& column : rows.cents)
        if (!std::visit([](auto cents) { return all_within(cents, -max_cost, max_cost); }, column)) return false;
    return !(rows.represents && !all_within(*rows.represents, 1, 65'535)) &&
           !(rows.stratum && !none_above(*rows.stratum, design.strata.size() - 1));
}

/// `check` on several threads.
inline void check(const Design& design, const Rows& rows, const Run& run) {
    check_shape(design, rows);
    std::atomic<bool> doubtful{false};
    const Index n = rows.size();
    for_each_chunk(Run{.threads = run.threads, .stop = run.stop}, chunks_of(n), [&](Index chunk) {
        const Index begin = chunk * rows_per_chunk;
        if (!doubtful && !surely_right(design, part(rows, begin, std::min(rows_per_chunk, n - begin)))) doubtful = true;
    });
    if (doubtful) check(design, rows);  // names every problem
}

}  // namespace anderhalf::data
