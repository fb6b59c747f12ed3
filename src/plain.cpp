#include <anderhalf/estimation/plain.hpp>

namespace anderhalf::estimation {

namespace {

template <class Column>
std::int64_t value(const Column& column, Index row) {
    return std::visit([&](auto values) { return static_cast<std::int64_t>(values[static_cast<std::size_t>(row)]); },
                      column);
}

}  // namespace

void read_entries(const data::Design& design, const data::Rows& rows, Index row, std::vector<Entry>& entries,
                  Index& absorbed) {
    entries.clear();
    absorbed = -1;
    std::int32_t first = 0;
    for (std::size_t k = 0; k < design.criteria.size(); ++k) {
        const data::Criterion& c = design.criteria[k];
        if (const auto* codes = std::get_if<CodeView>(&rows.criteria[k])) {
            const std::int64_t code = value(*codes, row);
            if (c.absorbed) absorbed = static_cast<Index>(code);
            else entries.push_back({first + static_cast<std::int32_t>(code), 1});
        } else {
            const std::int32_t shift = c.none_derived ? 1 : 0;
            const std::size_t before = entries.size();
            if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&rows.criteria[k])) {
                for (std::uint64_t bits = (*mask)[static_cast<std::size_t>(row)]; bits != 0; bits &= bits - 1)
                    entries.push_back({first + shift + __builtin_ctzll(bits), 1});
            } else {
                const auto& columns = std::get<std::vector<CodeView>>(rows.criteria[k]);
                for (std::size_t j = 0; j < columns.size(); ++j)
                    if (const std::int64_t count = value(columns[j], row); count != 0)
                        entries.push_back(
                            {first + shift + static_cast<std::int32_t>(j), static_cast<std::int32_t>(count)});
            }
            if (c.none_derived && entries.size() == before) entries.push_back({first, 1});
        }
        if (!c.absorbed) first += static_cast<std::int32_t>(c.classes.size());
    }
}

Moments accumulate_plain(const data::Design& design, const data::Rows& rows) {
    data::check(design, rows);
    Moments moments{design};
    std::vector<Entry> entries;
    std::vector<Cents> cents(rows.cents.size());
    Index absorbed = -1;
    for (Index i = 0; i < rows.size(); ++i) {
        read_entries(design, rows, i, entries, absorbed);
        for (std::size_t g = 0; g < cents.size(); ++g) cents[g] = value(rows.cents[g], i);
        const std::int64_t represents = rows.represents ? (*rows.represents)[static_cast<std::size_t>(i)] : 1;
        const Index stratum = rows.stratum ? static_cast<Index>(value(*rows.stratum, i)) : 0;
        moments.add(entries, value(rows.days, i), cents, represents, 1, stratum, absorbed);
    }
    return moments;
}

std::vector<std::int64_t> gram_plain(const data::Design& design, const data::Rows& rows,
                                     std::span<const std::int64_t> weight) {
    data::check(design, rows);
    const auto p = static_cast<std::size_t>(design.columns());
    std::vector<std::int64_t> result(p * p, 0);
    std::vector<Entry> entries;
    Index absorbed = -1;
    for (Index i = 0; i < rows.size(); ++i) {
        read_entries(design, rows, i, entries, absorbed);
        for (const Entry& a : entries)
            for (const Entry& b : entries) {
                std::int64_t& sum = result[static_cast<std::size_t>(a.column) * p + static_cast<std::size_t>(b.column)];
                const Int128 next = Int128{weight[static_cast<std::size_t>(i)]} * a.count * b.count + sum;
                sum = static_cast<std::int64_t>(next);
                if (next != sum)
                    throw DomainError{{{"gram", "a sum of weights beyond 64 bits", "smaller weights", ""}}};
            }
    }
    return result;
}

}  // namespace anderhalf::estimation
