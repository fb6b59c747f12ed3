#include "accumulate_plan.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace anderhalf::estimation::detail {

namespace {

constexpr Index sample_runs = 128, run_rows = 64;
constexpr double sparse_share = 0.7;     // of the commonest class: above it, entries are cheaper than a wider composite
constexpr Index most_ids = 1024;         // of a composite: its tables stay in the second-level cache
constexpr Index most_cells = 1 << 18;    // of a pair of composites, occupied or not
constexpr Index most_bytes = 256 << 20;  // of the tables of a thread

using Sample = std::vector<std::uint32_t>;

/// Classes of the sampled rows of a single criterion, however it is stored; unchecked, so perhaps no classes of it.
Sample codes_of(const data::Criterion& criterion, const data::CriterionColumn& column,
                const std::vector<std::size_t>& rows) {
    Sample codes(rows.size(), 0);
    const std::uint32_t shift = criterion.none_derived ? 1 : 0;
    if (const auto* values = std::get_if<CodeView>(&column)) {
        std::visit(
            [&](auto v) {
                for (std::size_t k = 0; k < rows.size(); ++k) codes[k] = static_cast<std::uint32_t>(v[rows[k]]);
            },
            *values);
    } else if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&column)) {
        for (std::size_t k = 0; k < rows.size(); ++k)
            if (const std::uint64_t bits = (*mask)[rows[k]]; bits != 0)
                codes[k] = static_cast<std::uint32_t>(std::countr_zero(bits)) + shift;
    } else {
        const auto& columns = std::get<std::vector<CodeView>>(column);
        for (std::size_t j = 0; j < columns.size(); ++j)
            std::visit(
                [&](auto v) {
                    for (std::size_t k = 0; k < rows.size(); ++k)
                        if (v[rows[k]] != 0) codes[k] = static_cast<std::uint32_t>(j) + shift;
                },
                columns[j]);
    }
    for (std::uint32_t& code : codes) code = std::min(code, static_cast<std::uint32_t>(criterion.classes.size() - 1));
    return codes;
}

std::vector<std::size_t> sample_rows(Index n) {
    std::vector<std::size_t> rows;
    const Index runs = std::min(sample_runs, (n + run_rows - 1) / run_rows);
    for (Index r = 0; r < runs; ++r)
        for (Index i = r * n / runs, end = std::min(n, i + run_rows); i < end; ++i)
            rows.push_back(static_cast<std::size_t>(i));
    return rows;
}

/// Counts the combinations of classes that occur in the sample.
class Occupied {
public:
    explicit Occupied(const std::vector<Sample>& codes, const std::vector<std::uint32_t>& classes)
        : codes_{codes}, classes_{classes} {}

    /// No value if the combinations have no 16-bit key.
    std::optional<Index> operator()(const std::vector<std::size_t>& members) {
        std::uint64_t keys = 1;
        for (const std::size_t k : members) {
            keys *= classes_[k];
            if (keys > most_keys) return std::nullopt;
        }
        key_.assign(codes_.front().size(), 0);
        for (const std::size_t k : members)
            for (std::size_t i = 0; i < key_.size(); ++i) key_[i] = key_[i] * classes_[k] + codes_[k][i];
        met_.assign(keys, 0);
        for (const std::uint32_t key : key_) met_[key] = 1;
        const auto count = static_cast<Index>(std::count(met_.begin(), met_.end(), std::uint8_t{1}));
        return std::max<Index>(count, 1);
    }

private:
    const std::vector<Sample>& codes_;
    const std::vector<std::uint32_t>& classes_;
    std::vector<std::uint32_t> key_;  // of a sampled row
    std::vector<std::uint8_t> met_;
};

struct Group {
    std::vector<std::size_t> members;
    Index occupied = 1;
};

/// Two groups with the smallest tables; none if their joint table would be too large.
std::optional<std::vector<Group>> two_groups(std::size_t dense, Occupied& occupied, Index entries) {
    std::optional<std::vector<Group>> best;
    Index least = 0;
    if (dense > 8) return best;
    for (std::size_t mask = 0; mask < (std::size_t{1} << dense) / 2; ++mask) {  // the last one stays in group 0
        Group a, b;
        for (std::size_t k = 0; k < dense; ++k) ((mask >> k & 1) != 0 ? b : a).members.push_back(k);
        const auto in_a = occupied(a.members);
        if (!in_a) continue;
        const auto in_b = occupied(b.members);
        if (!in_b) continue;
        a.occupied = *in_a;
        b.occupied = *in_b;
        if (a.occupied > b.occupied) std::swap(a, b);
        if (b.occupied > most_ids || a.occupied * b.occupied > most_cells) continue;
        const Index bytes = entries * (2 * a.occupied + b.occupied) + a.occupied * b.occupied;
        if (!best || bytes < least) {
            least = bytes;
            best = std::vector<Group>{a, b};
        }
    }
    return best;
}

/// Groups of at most most_ids combinations, merged while they stay small.
std::vector<Group> more_groups(std::size_t dense, Occupied& occupied) {
    std::vector<Group> groups;
    for (std::size_t k = 0; k < dense; ++k) groups.push_back({{k}, occupied({k}).value_or(1)});
    while (groups.size() > 2) {
        std::size_t a = 0, b = 0;
        Index least = most_ids / 2;
        Group both;
        for (std::size_t i = 0; i < groups.size(); ++i)
            for (std::size_t j = i + 1; j < groups.size(); ++j) {
                if (groups[i].occupied > least || groups[j].occupied > least) continue;
                std::vector<std::size_t> members = groups[i].members;
                members.insert(members.end(), groups[j].members.begin(), groups[j].members.end());
                if (const auto found = occupied(members); found && *found <= least) {
                    least = *found;
                    both = {std::move(members), *found};
                    a = i;
                    b = j;
                }
            }
        if (both.members.empty()) break;
        groups[a] = both;
        groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(b));
    }
    std::sort(groups.begin(), groups.end(), [](const Group& x, const Group& y) { return x.occupied < y.occupied; });
    return groups;
}

}  // namespace

Plan make_plan(std::shared_ptr<const data::Design> design, const data::Rows& rows, Index n) {
    Plan plan;
    plan.design = design;
    const std::vector<std::size_t> sample = sample_rows(n);
    std::vector<std::size_t> dense;
    std::vector<Sample> codes;
    std::vector<std::uint32_t> classes;
    for (std::size_t k = 0; k < design->criteria.size(); ++k) {
        const data::Criterion& c = design->criteria[k];
        const auto first = static_cast<std::int32_t>(design->offset(static_cast<Index>(k)));
        if (c.absorbed) {
            plan.absorbed = static_cast<std::ptrdiff_t>(k);
            continue;
        }
        Sparse sparse;
        sparse.criterion = k;
        sparse.first_entry = plan.entries;
        if (c.labels == data::Labels::single) {
            const auto size = static_cast<std::uint32_t>(c.classes.size());
            Sample code = codes_of(c, rows.criteria[k], sample);
            std::vector<Index> count(size, 0);
            for (const std::uint32_t value : code) ++count[value];
            const auto most = std::max_element(count.begin(), count.end());
            const bool rare = static_cast<double>(*most) < sparse_share * static_cast<double>(sample.size());
            if (size <= most_keys && (rare || size == 1)) {
                dense.push_back(k);
                codes.push_back(std::move(code));
                classes.push_back(size);
                continue;
            }
            sparse.base = static_cast<std::uint32_t>(most - count.begin());
            sparse.derived = first + static_cast<std::int32_t>(sparse.base);
            for (std::uint32_t j = 0; j < size; ++j)
                if (j != sparse.base) plan.column.push_back(first + static_cast<std::int32_t>(j));
            ++plan.most_a_record;
        } else {
            sparse.single = false;
            if (c.none_derived) {
                sparse.derived = first;
                if (c.read_classes() > 1) sparse.correction = 0;  // numbered below
                plan.most_flags = std::max<std::int64_t>(plan.most_flags, c.read_classes());
            }
            for (Index j = 0; j < c.read_classes(); ++j)
                plan.column.push_back(first + (c.none_derived ? 1 : 0) + static_cast<std::int32_t>(j));
            plan.most_a_record += static_cast<std::int32_t>(c.read_classes());
        }
        plan.entries = static_cast<std::int32_t>(plan.column.size());
        sparse.last_entry = plan.entries;
        plan.sparse.push_back(sparse);
    }
    plan.all_entries = plan.entries;
    for (Sparse& s : plan.sparse)
        if (s.correction >= 0) s.correction = plan.all_entries++;

    if (!dense.empty()) {
        Occupied occupied{codes, classes};
        auto found = two_groups(dense.size(), occupied, plan.all_entries);
        const std::vector<Group> groups = found ? std::move(*found) : more_groups(dense.size(), occupied);
        for (const Group& group : groups) {
            Composite composite;
            for (auto k = group.members.rbegin(); k != group.members.rend(); ++k) {
                composite.members.push_back({dense[*k], classes[*k], composite.keys,
                                             static_cast<std::int32_t>(design->offset(static_cast<Index>(dense[*k])))});
                composite.keys *= classes[*k];
            }
            composite.expected = std::min<Index>(composite.keys, group.occupied + group.occupied / 2 + 8);
            plan.composites.push_back(std::move(composite));
        }
    }
    while (plan.composites.size() < 2) plan.composites.push_back({});

    Index words = Index{plan.all_entries} * plan.all_entries;
    const auto values = 1 + static_cast<Index>(design->categories.size());
    for (std::size_t a = 0; a < plan.composites.size(); ++a) {
        words += plan.composites[a].expected * plan.all_entries * (a == 0 ? values : 1);
        for (std::size_t b = a + 1; b < plan.composites.size(); ++b)
            words += plan.composites[a].expected * plan.composites[b].expected * values;
    }
    plan.fits = words * 8 <= most_bytes && plan.entries < no_id && plan.most_flags <= 1024;

    std::vector<Index> days(static_cast<std::size_t>(design->days_max) + 1, 0);
    if (size(rows.days) == n)
        std::visit(
            [&](auto d) {
                for (const std::size_t i : sample)
                    if (d[i] >= 0 && d[i] <= design->days_max) ++days[static_cast<std::size_t>(d[i])];
            },
            rows.days);
    plan.common_days = std::max_element(days.begin(), days.end()) - days.begin();
    return plan;
}

}  // namespace anderhalf::estimation::detail
