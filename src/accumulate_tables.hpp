#pragma once
#include "accumulate_plan.hpp"

#include <anderhalf/estimation/moments.hpp>

#include <array>
#include <mutex>

/// The small tables that one thread fills, and how they become moments.
namespace anderhalf::estimation {

namespace detail {

[[nodiscard]] inline std::size_t at(Index k) { return static_cast<std::size_t>(k); }

/// Days and number of records share a word: the days below, the records above. Flushed before either can run over.
inline constexpr int days_bits = 40;
inline constexpr std::int64_t one_record = std::int64_t{1} << days_bits;
inline constexpr std::int64_t days_mask = one_record - 1;

/// Ids of the combinations of classes of each composite, given at first sight.
struct Ids {
    struct One {
        std::vector<std::uint16_t> of_key;
        std::vector<std::uint32_t> keys;  // of an id
    };
    std::vector<One> composite;

    explicit Ids(const Plan& plan) {
        for (const Composite& c : plan.composites) composite.push_back({std::vector<std::uint16_t>(c.keys, no_id), {}});
    }
    std::uint16_t give(std::size_t c, std::uint32_t key) {
        One& one = composite[c];
        if (one.of_key[key] == no_id) {
            one.of_key[key] = static_cast<std::uint16_t>(one.keys.size());
            one.keys.push_back(key);
        }
        return one.of_key[key];
    }
};

/// Occupied combinations of all composites, for encoded columns: cell -> id per composite.
struct Cells {
    std::size_t composites = 0;
    std::vector<std::uint16_t> ids;  // cell * composites + composite
    [[nodiscard]] Index size() const { return composites == 0 ? 0 : static_cast<Index>(ids.size() / composites); }
};

/// Value of a table: {days and records, cents of every category}; for gram the weight alone.
struct Tables {
    bool packed = true;      // false: gram
    Index values = 2;        // words of a value
    Index entries = 0;       // corrections among them
    Index strata = 1;        // slabs
    std::vector<Index> cap;  // ids per composite
    const Cells* joint = nullptr;

    std::vector<std::array<std::size_t, 2>> pairs;  // of composites; one pseudo pair if joint
    std::vector<Index> pair_base;
    Index cells = 0;  // of a stratum

    std::vector<std::int64_t> cell;                // (strata, cells, values)
    std::vector<std::vector<std::int64_t>> meets;  // per composite (strata, ids, entries[, values for composite 0])
    std::vector<std::int64_t> both;                // (strata, entries, entries), upper triangle
    std::vector<Int128> squares;                   // (strata, pair of categories, days)
    Index absorbed = 0, absorbed_slots = 0;
    std::vector<std::int64_t> own, shared;  // (strata, absorbed, values); (strata, absorbed, ids of all, entries)

    // What has gone in since the last flush, from above.
    std::int64_t days = 0, records = 0, extra_days = 0, extra_records = 0, cents = 0;
    bool touched = false;

    void shape(const Plan& plan, Index stratum_slabs, Index categories, Index absorbed_dense, const Cells* cells_of_all,
               std::vector<Index> capacity);
    void clear();
    [[nodiscard]] std::size_t bytes() const;
};

}  // namespace detail

/// Turns tables into moments (or a Gram matrix): the class that was not written down follows from the margins.
class Fold {
public:
    Fold(const detail::Plan& plan, const detail::Ids& ids) : plan_{plan}, ids_{ids} {}

    /// Adds the tables to the moments under the lock; slab 0 is first_stratum. Says whether a sum wrapped.
    [[nodiscard]] bool into(Moments& moments, const detail::Tables& tables, Index first_stratum, std::mutex& lock);
    /// The same for a full matrix of weights.
    [[nodiscard]] bool into(std::vector<std::int64_t>& gram, const detail::Tables& tables, std::mutex& lock);

    /// One record of a sparse absorbed block. The caller holds the lock of the absorbed class.
    [[nodiscard]] static bool absorb(Moments& moments, Index absorbed, Index stratum, std::int64_t days,
                                     const std::int64_t* cents, Index stride, const std::vector<std::int32_t>& columns);

private:
    void slab(const detail::Tables& tables, Index s);
    void cells(const detail::Tables& tables, Index s);
    void derive();
    std::int64_t& xx(std::int32_t j, std::int32_t k) {
        return xx_[static_cast<std::size_t>(j <= k ? j * q_ + k : k * q_ + j)];
    }
    void value(const detail::Tables& tables, const std::int64_t* at);
    [[nodiscard]] std::size_t met(const detail::Tables& tables, std::size_t composite) const;  // ids in the tables
    void classes(std::size_t composite, Index id, std::vector<std::int32_t>& columns) const;
    bool absorbed(Moments& moments, const detail::Tables& tables, Index s, Index first_stratum);

    const detail::Plan& plan_;
    const detail::Ids& ids_;
    std::int32_t p_ = 0, q_ = 0;       // columns; with the corrections
    Index lanes_ = 1;                  // days, records, cents of every category
    std::vector<std::int64_t> xx_;     // (q, q) upper triangle
    std::vector<std::int64_t> sum_;    // (q, lanes)
    std::vector<std::int64_t> total_;  // (lanes)
    std::vector<std::int64_t> value_;  // (lanes), scratch
};

}  // namespace anderhalf::estimation
