#pragma once
#include <anderhalf/data/columns.hpp>

#include <cstdint>
#include <memory>
#include <vector>

/// How a design is split for the fast accumulation. A criterion whose commonest class holds most people is sparse: only
/// its other classes are written down, as entries, and the commonest follows from the margins. The other criteria are
/// dense: they are grouped into composites, whose combinations of classes get an id each at first sight.
namespace anderhalf::estimation::detail {

inline constexpr Index block_rows = 64;  // rows that are handled while they are hot
inline constexpr std::uint16_t no_id = 0xFFFF;
inline constexpr std::uint32_t most_keys = 0xFFFF;  // of a composite: ids fit 16 bits, one left for no_id

/// A dense criterion in its composite: key = sum of code * stride.
struct Member {
    std::size_t criterion = 0;
    std::uint32_t classes = 1, stride = 1;
    std::int32_t first = 0;  // column of code 0
};

struct Composite {
    std::vector<Member> members{};
    std::uint32_t keys = 1;
    Index expected = 1;  // ids seen in the sample, with room
};

/// A sparse criterion: its entries, and the column that follows from the margins.
struct Sparse {
    std::size_t criterion = 0;
    bool single = true;            // else flags or counts
    std::uint32_t base = 0;        // code of the commonest class, if single
    std::int32_t first_entry = 0;  // entries of this criterion: first_entry..last_entry-1
    std::int32_t last_entry = 0;
    std::int32_t derived = -1;     // column of the class that is not written down; -1: every class is
    std::int32_t correction = -1;  // pseudo entry, once for every flag beyond the first; -1: at most one flag
};

struct Plan {
    std::shared_ptr<const data::Design> design{};
    std::vector<Composite> composites{};  // at least two, perhaps without members
    std::vector<Sparse> sparse{};
    std::vector<std::int32_t> column{};  // of every entry
    std::int32_t entries = 0;            // real ones
    std::int32_t all_entries = 0;        // with the corrections
    std::int32_t most_a_record = 0;      // entries
    std::int64_t most_flags = 1;         // of a criterion with a correction
    std::ptrdiff_t absorbed = -1;        // criterion
    std::int64_t common_days = 0;
    bool fits = true;  // false: tables would be too large, the plain loop is used
};

/// Chooses from a sample of the rows. Codes need not be checked yet.
[[nodiscard]] Plan make_plan(std::shared_ptr<const data::Design> design, const data::Rows& rows, Index n);

}  // namespace anderhalf::estimation::detail
