#pragma once
#include "accumulate_block.hpp"
#include "accumulate_plan.hpp"
#include "accumulate_tables.hpp"

#include <anderhalf/core/run.hpp>
#include <anderhalf/estimation/accumulate.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_set>

/// What the plain and the encoded accumulation share: workers with private tables, flushed into one result.
namespace anderhalf::estimation::detail {

/// The tables of a design became too large; the plain loop is used.
struct TooLarge {};

inline constexpr Index most_table_bytes = Index{256} << 20;
inline constexpr Index dense_absorbed_bytes = Index{16} << 20;
inline constexpr Index slab_bytes = Index{24} << 20;

[[noreturn]] inline void beyond_64_bits() {
    throw DomainError{{{"accumulate", "a sum of days or cents beyond 64 bits (squares: 128 bits)",
                        "fewer records, or smaller counts and costs", ""}}};
}

/// Lends workers to chunks, as many as work at a time.
template <class Worker>
class Pool {
public:
    template <class Make>
    std::unique_ptr<Worker> take(Make&& make) {
        {
            const std::scoped_lock guard{lock_};
            if (!free_.empty()) {
                auto worker = std::move(free_.back());
                free_.pop_back();
                return worker;
            }
        }
        return make();
    }
    void give(std::unique_ptr<Worker> worker) {
        const std::scoped_lock guard{lock_};
        free_.push_back(std::move(worker));
    }
    [[nodiscard]] std::vector<std::unique_ptr<Worker>>& all() { return free_; }  // when nobody works

private:
    std::mutex lock_;
    std::vector<std::unique_ptr<Worker>> free_;
};

/// Where workers flush to.
struct Result {
    Moments moments{};
    std::mutex lock{};
    std::vector<std::mutex> absorbed_locks{};  // by class, when the absorbed block is sparse
    std::atomic<bool> wrapped{false};
    std::unordered_set<std::uint64_t>* cells = nullptr;  // occupied, when asked for
};

/// Which strata a pass handles, and how the absorbed block is kept.
struct Pass {
    Index first_stratum = 0, slabs = 1;
    Index dense_absorbed = 0;  // classes; 0: none, or a sparse block
    bool sparse_absorbed = false;
};

[[nodiscard]] inline std::vector<Index> expected_ids(const Plan& plan) {
    std::vector<Index> cap;
    for (const Composite& c : plan.composites) cap.push_back(c.expected);
    return cap;
}

/// Passes over the strata, so that the tables of one stay small.
[[nodiscard]] inline std::vector<Pass> passes(const Plan& plan, const std::vector<Index>& cap, Index cells) {
    const auto strata = static_cast<Index>(plan.design->strata.size());
    const auto values = 1 + static_cast<Index>(plan.design->categories.size());
    Index words = Index{plan.all_entries} * plan.all_entries + cells * values, slots = plan.all_entries;
    for (std::size_t c = 0; c < cap.size(); ++c) {
        words += cap[c] * plan.all_entries * (c == 0 ? values : 1);
        slots += cap[c];
        if (cells == 0)
            for (std::size_t d = c + 1; d < cap.size(); ++d) words += cap[c] * cap[d] * values;
    }
    Pass pass;
    if (plan.absorbed >= 0) {
        const Index classes = plan.design->absorbed_classes();
        pass.sparse_absorbed = classes * (slots + values) * 8 > dense_absorbed_bytes;
        if (!pass.sparse_absorbed) {
            pass.dense_absorbed = classes;
            words += classes * (slots + values);
        }
    }
    pass.slabs = std::clamp<Index>(slab_bytes / (8 * words + 1), 1, strata);
    std::vector<Pass> all;
    for (; pass.first_stratum < strata; pass.first_stratum += pass.slabs) {
        all.push_back(pass);
        all.back().slabs = std::min(pass.slabs, strata - pass.first_stratum);
    }
    return all;
}

/// Flushes the tables into the result and empties them.
inline void flush(const Plan& plan, const Ids& ids, Tables& tables, const Pass& pass, Result& result) {
    if (!tables.touched) return;
    if (result.cells != nullptr && tables.joint == nullptr) {
        const std::scoped_lock guard{result.lock};
        for (std::size_t k = 0; k < tables.pairs.size(); ++k) {
            const auto [a, b] = tables.pairs[k];
            for (Index j = 0; j < tables.cap[a] * tables.cap[b] * tables.strata; ++j) {
                const Index s = j / (tables.cap[a] * tables.cap[b]), in_slab = j % (tables.cap[a] * tables.cap[b]);
                if (tables.cell[static_cast<std::size_t>((s * tables.cells + tables.pair_base[k] + in_slab) *
                                                         tables.values)] == 0)
                    continue;
                result.cells->insert(
                    (static_cast<std::uint64_t>(k) << 32) +
                    (std::uint64_t{ids.composite[a].keys[static_cast<std::size_t>(in_slab / tables.cap[b])]} << 16) +
                    ids.composite[b].keys[static_cast<std::size_t>(in_slab % tables.cap[b])]);
            }
        }
    }
    if (Fold{plan, ids}.into(result.moments, tables, pass.first_stratum, result.lock)) result.wrapped = true;
    tables.clear();
}

/// Makes room for one more block, and says whether the block fits the tables at all.
inline bool make_room(const Plan& plan, const Ids& ids, const ValueReader& values, Tables& tables, const Pass& pass,
                      Result& result) {
    constexpr std::int64_t most_days = one_record - 1, most_records = (std::int64_t{1} << (63 - days_bits)) - 1;
    constexpr Int128 most_cents = Int128{1} << 62;
    const std::optional<std::int64_t> cents = values.block_cents();
    const std::int64_t days = values.block_days(), extra = plan.most_flags - 1;
    if (!cents || Int128{*cents} * plan.most_flags > most_cents || Int128{days} * plan.most_flags > most_days)
        return false;
    const std::int64_t block_cents = *cents * plan.most_flags;
    if (tables.days + days > most_days || tables.extra_days + extra * days > most_days ||
        tables.records + block_rows > most_records || tables.extra_records + extra * block_rows > most_records ||
        Int128{tables.cents} + block_cents > most_cents)
        flush(plan, ids, tables, pass, result);
    tables.days += days;
    tables.records += block_rows;
    tables.cents += block_cents;
    tables.touched = true;
    return true;
}

/// Columns of a row from its ids and entries, those that are not written down among them.
template <class Entry, class Id>
void columns_of(const Plan& plan, const Ids& ids, const Entry* list, Index k, Id&& id,
                std::vector<std::int32_t>& columns) {
    columns.clear();
    for (std::size_t c = 0; c < plan.composites.size(); ++c) {
        const std::uint32_t key = ids.composite[c].keys[static_cast<std::size_t>(id(c))];
        for (const Member& m : plan.composites[c].members)
            columns.push_back(m.first + static_cast<std::int32_t>(key / m.stride % m.classes));
    }
    for (Index a = 0; a < k; ++a) columns.push_back(plan.column[list[a]]);
    for (const Sparse& s : plan.sparse)
        if (s.derived >= 0 &&
            std::none_of(list, list + k, [&](auto e) { return e >= s.first_entry && e < s.last_entry; }))
            columns.push_back(s.derived);
}

/// The entries, and the absorbed class, of the rows of a block that have any.
template <int Categories, class List, class Id>
void add_block(const Plan& plan, const Ids& ids, Tables& tables, Adder<Categories>& adder, const Values& v,
               std::uint64_t rows, std::uint64_t any, List&& list_of, Id&& id_of, const std::uint32_t* absorbed,
               const Pass& pass, Result& result) {
    for (std::uint64_t bits = any; bits != 0; bits &= bits - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(bits));
        const auto [list, k] = list_of(i);
        if ((rows >> i & 1) == 0) continue;
        adder.entries(v, i, list, k, [&](std::size_t c) { return static_cast<Index>(id_of(c, i)); });
        if (absorbed != nullptr && pass.dense_absorbed > 0)
            adder.absorbed(
                v, i, list, k, [&](std::size_t c) { return static_cast<Index>(id_of(c, i)); }, absorbed[i]);
        if (absorbed != nullptr && pass.sparse_absorbed) {
            std::vector<std::int32_t> columns;
            columns_of(
                plan, ids, list, k, [&](std::size_t c) { return static_cast<Index>(id_of(c, i)); }, columns);
            const std::scoped_lock guard{result.absorbed_locks[absorbed[i] % result.absorbed_locks.size()]};
            if (Fold::absorb(result.moments, static_cast<Index>(absorbed[i]),
                             pass.first_stratum + static_cast<Index>(v.slab[i]), v.word[i] & days_mask,
                             v.cost.data() + i, block_rows, columns))
                result.wrapped = true;
        }
    }
    static_cast<void>(tables);
}

}  // namespace anderhalf::estimation::detail
