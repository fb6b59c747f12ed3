#include "accumulate_tables.hpp"

#include <algorithm>

namespace anderhalf::estimation {

namespace detail {

void Tables::shape(const Plan& plan, Index stratum_slabs, Index categories, Index absorbed_dense,
                   const Cells* cells_of_all, std::vector<Index> capacity) {
    strata = stratum_slabs;
    packed = categories > 0;
    values = 1 + categories;
    entries = plan.all_entries;
    joint = cells_of_all;
    cap = std::move(capacity);
    pairs.clear();
    pair_base.clear();
    cells = 0;
    if (joint != nullptr) {
        cells = joint->size();
    } else {
        for (std::size_t a = 0; a < cap.size(); ++a)
            for (std::size_t b = a + 1; b < cap.size(); ++b) {
                pairs.push_back({a, b});
                pair_base.push_back(cells);
                cells += cap[a] * cap[b];
            }
    }
    cell.assign(at(strata * cells * values), 0);
    meets.resize(cap.size());
    absorbed_slots = entries;
    for (std::size_t c = 0; c < cap.size(); ++c) {
        meets[c].assign(at(strata * cap[c] * entries * (c == 0 ? values : 1)), 0);
        absorbed_slots += cap[c];
    }
    both.assign(at(strata * entries * entries), 0);
    squares.assign(packed ? at(strata * (categories * (categories + 1) / 2) * (plan.design->days_max + 1)) : 0, 0);
    absorbed = absorbed_dense;
    own.assign(at(strata * absorbed * values), 0);
    shared.assign(at(strata * absorbed * absorbed_slots), 0);
    days = records = extra_days = extra_records = cents = 0;
    touched = false;
}

void Tables::clear() {
    const auto zero = [](auto& table) { std::fill(table.begin(), table.end(), 0); };
    zero(cell);
    for (auto& table : meets) zero(table);
    zero(both);
    zero(squares);
    zero(own);
    zero(shared);
    days = records = extra_days = extra_records = cents = 0;
    touched = false;
}

std::size_t Tables::bytes() const {
    std::size_t words = cell.size() + both.size() + 2 * squares.size() + own.size() + shared.size();
    for (const auto& table : meets) words += table.size();
    return 8 * words;
}

}  // namespace detail

using namespace detail;

void Fold::classes(std::size_t composite, Index id, std::vector<std::int32_t>& columns) const {
    columns.clear();
    const std::uint32_t key = ids_.composite[composite].keys[at(id)];
    for (const Member& m : plan_.composites[composite].members)
        columns.push_back(m.first + static_cast<std::int32_t>(key / m.stride % m.classes));
}

std::size_t Fold::met(const Tables& tables, std::size_t composite) const {
    return std::min(at(tables.cap[composite]), ids_.composite[composite].keys.size());
}

void Fold::value(const Tables& tables, const std::int64_t* from) {
    if (!tables.packed) {
        value_[0] = from[0];
        return;
    }
    value_[0] = from[0] & days_mask;
    value_[1] = from[0] >> days_bits;
    for (Index g = 1; g < tables.values; ++g) value_[at(g + 1)] = from[g];
}

/// Dense times dense, and the sums of the dense columns.
void Fold::cells(const Tables& tables, Index s) {
    std::vector<std::vector<std::int64_t>> margin(tables.cap.size());
    for (std::size_t c = 0; c < margin.size(); ++c) margin[c].assign(ids_.composite[c].keys.size() * at(lanes_), 0);
    std::vector<std::vector<std::int32_t>> columns(tables.cap.size());  // of an id, members.size() of them
    std::vector<std::int32_t> one;
    for (std::size_t c = 0; c < columns.size(); ++c)
        for (std::size_t id = 0; id < met(tables, c); ++id) {
            classes(c, static_cast<Index>(id), one);
            columns[c].insert(columns[c].end(), one.begin(), one.end());
        }
    const auto columns_of = [&](std::size_t c, std::size_t id) {
        const std::size_t members = plan_.composites[c].members.size();
        return std::span{columns[c]}.subspan(id * members, members);
    };
    const auto meet = [&](std::size_t a, std::size_t ja, std::size_t b, std::size_t jb) {
        for (const std::int32_t x : columns_of(a, ja))
            for (const std::int32_t y : columns_of(b, jb)) xx(x, y) += value_[0];
    };
    const auto mark = [&](std::size_t c, std::size_t j) {
        for (Index l = 0; l < lanes_; ++l) margin[c][j * at(lanes_) + at(l)] += value_[at(l)];
    };
    const std::int64_t* base = tables.cell.data() + s * tables.cells * tables.values;
    const auto empty = [&](const std::int64_t* from) {
        return std::all_of(from, from + tables.values, [](std::int64_t word) { return word == 0; });
    };
    if (tables.joint != nullptr) {
        const std::size_t composites = tables.joint->composites;
        for (Index k = 0; k < tables.cells; ++k) {
            if (empty(base + k * tables.values)) continue;
            value(tables, base + k * tables.values);
            const std::uint16_t* ids = tables.joint->ids.data() + at(k) * composites;
            for (std::size_t a = 0; a < composites; ++a) {
                mark(a, ids[a]);
                for (std::size_t b = a + 1; b < composites; ++b) meet(a, ids[a], b, ids[b]);
            }
        }
    } else {
        for (std::size_t k = 0; k < tables.pairs.size(); ++k) {
            const auto [a, b] = tables.pairs[k];
            const std::size_t ids_a = met(tables, a), ids_b = met(tables, b);
            std::vector<std::int64_t> row(at(p_));  // days of one id of a, by the classes of b
            for (std::size_t ja = 0; ja < ids_a; ++ja) {
                std::fill(row.begin(), row.end(), 0);
                const std::int64_t* from =
                    base + (tables.pair_base[k] + static_cast<Index>(ja) * tables.cap[b]) * tables.values;
                for (std::size_t jb = 0; jb < ids_b; ++jb, from += tables.values) {
                    if (empty(from)) continue;
                    value(tables, from);
                    for (const std::int32_t y : columns_of(b, jb)) row[at(y)] += value_[0];
                    if (a == 0 && b == 1) mark(0, ja);
                    if (a == 0) mark(b, jb);
                }
                for (const Member& m : plan_.composites[b].members)
                    for (std::int32_t y = m.first; y < m.first + static_cast<std::int32_t>(m.classes); ++y)
                        for (const std::int32_t x : columns_of(a, ja)) xx(x, y) += row[at(y)];
            }
        }
    }
    for (std::size_t c = 0; c < margin.size(); ++c)
        for (std::size_t j = 0; j < met(tables, c); ++j) {
            const std::int64_t* sums = &margin[c][j * at(lanes_)];
            const auto mine = columns_of(c, j);
            for (std::size_t x = 0; x < mine.size(); ++x) {
                for (Index l = 0; l < lanes_; ++l) sum_[at(mine[x] * lanes_ + l)] += sums[l];
                for (std::size_t y = x; y < mine.size(); ++y) xx(mine[x], mine[y]) += sums[0];
            }
            if (c == 0)
                for (Index l = 0; l < lanes_; ++l) total_[at(l)] += sums[l];
        }
}

/// Classes that were not written down: 1 - the others (+ the flags beyond the first).
void Fold::derive() {
    std::vector<bool> known(at(q_), true);
    for (const Sparse& v : plan_.sparse)
        if (v.derived >= 0) known[at(v.derived)] = false;
    for (const Sparse& v : plan_.sparse) {
        if (v.derived < 0) continue;
        const std::int32_t correction = v.correction < 0 ? -1 : p_ + v.correction - plan_.entries;
        for (Index l = 0; l < lanes_; ++l) {
            std::int64_t sum = total_[at(l)];
            for (std::int32_t e = v.first_entry; e < v.last_entry; ++e)
                sum -= sum_[at(plan_.column[at(e)] * lanes_ + l)];
            if (correction >= 0) sum += sum_[at(correction * lanes_ + l)];
            sum_[at(v.derived * lanes_ + l)] = sum;
        }
        for (std::int32_t x = 0; x < q_; ++x) {
            if (!known[at(x)] || x == correction) continue;
            std::int64_t sum = sum_[at(x * lanes_)];
            bool own = false;
            for (std::int32_t e = v.first_entry; e < v.last_entry; ++e) {
                own = own || plan_.column[at(e)] == x;
                sum -= xx(plan_.column[at(e)], x);
            }
            if (correction >= 0) sum += xx(correction, x);
            xx(v.derived, x) = own ? 0 : sum;  // nobody has none and another
        }
        xx(v.derived, v.derived) = sum_[at(v.derived * lanes_)];
        known[at(v.derived)] = true;
    }
}

void Fold::slab(const Tables& tables, Index s) {
    p_ = static_cast<std::int32_t>(plan_.design->columns());
    q_ = p_ + plan_.all_entries - plan_.entries;
    lanes_ = tables.packed ? tables.values + 1 : 1;
    xx_.assign(at(Index{q_} * q_), 0);
    sum_.assign(at(q_ * lanes_), 0);
    total_.assign(at(lanes_), 0);
    value_.assign(at(lanes_), 0);
    cells(tables, s);

    const auto column = [&](Index e) {
        return e < plan_.entries ? plan_.column[at(e)] : p_ + static_cast<std::int32_t>(e) - plan_.entries;
    };
    std::vector<std::int32_t> dense;
    std::vector<std::int64_t> days(at(tables.entries)), of_class(at(Index{p_} * tables.entries));
    for (std::size_t c = 0; c < tables.cap.size(); ++c) {
        const Index words = c == 0 ? tables.values : 1;
        for (std::size_t j = 0; j < met(tables, c); ++j) {
            classes(c, static_cast<Index>(j), dense);
            const std::int64_t* row =
                tables.meets[c].data() + (s * tables.cap[c] + static_cast<Index>(j)) * tables.entries * words;
            if (c == 0) {
                for (Index e = 0; e < tables.entries; ++e) {
                    value(tables, row + e * words);
                    days[at(e)] = value_[0];
                    for (Index l = 0; l < lanes_; ++l) sum_[at(column(e) * lanes_ + l)] += value_[at(l)];
                }
                row = days.data();
            }
            for (const std::int32_t d : dense)
                for (Index e = 0; e < tables.entries; ++e) of_class[at(d * tables.entries + e)] += row[e];
        }
    }
    for (std::int32_t d = 0; d < p_; ++d)
        for (Index e = 0; e < tables.entries; ++e) xx(d, column(e)) += of_class[at(d * tables.entries + e)];
    for (Index e = 0; e < tables.entries; ++e) {
        xx(column(e), column(e)) += sum_[at(column(e) * lanes_)];
        for (Index f = e + 1; f < tables.entries; ++f)
            xx(column(e), column(f)) += tables.both[at((s * tables.entries + e) * tables.entries + f)];
    }
    derive();
}

bool Fold::absorbed(Moments& m, const Tables& tables, Index s, Index first_stratum) {
    bool wrapped = false;
    std::vector<std::int64_t> days(at(q_));
    std::vector<std::int32_t> dense;
    for (Index a = 0; a < tables.absorbed; ++a) {
        const std::int64_t* own = tables.own.data() + (s * tables.absorbed + a) * tables.values;
        value(tables, own);
        if (value_[1] == 0) continue;
        const Index row = (first_stratum + s) * m.absorbed_ + a;
        wrapped |= Moments::plus(m.absorbed_days_[at(row)], value_[0]);
        wrapped |= Moments::plus(m.absorbed_rows_[at(row)], value_[1]);
        for (Index g = 0; g < m.categories_; ++g)
            wrapped |= Moments::plus(m.absorbed_cents_[at(((first_stratum + s) * m.categories_ + g) * m.absorbed_ + a)],
                                     value_[at(g + 2)]);
        std::fill(days.begin(), days.end(), 0);
        const std::int64_t* from = tables.shared.data() + (s * tables.absorbed + a) * tables.absorbed_slots;
        for (std::size_t c = 0; c < tables.cap.size(); ++c) {
            for (std::size_t j = 0; j < met(tables, c); ++j) {
                if (from[j] == 0) continue;
                classes(c, static_cast<Index>(j), dense);
                for (const std::int32_t d : dense) days[at(d)] += from[j];
            }
            from += tables.cap[c];
        }
        for (Index e = 0; e < tables.entries; ++e)
            days[at(e < plan_.entries ? Index{plan_.column[at(e)]} : p_ + e - plan_.entries)] += from[e];
        for (const Sparse& v : plan_.sparse) {
            if (v.derived < 0) continue;
            std::int64_t rest = value_[0];
            for (std::int32_t e = v.first_entry; e < v.last_entry; ++e) rest -= days[at(plan_.column[at(e)])];
            if (v.correction >= 0) rest += days[at(p_ + v.correction - plan_.entries)];
            days[at(v.derived)] = rest;
        }
        for (std::int32_t x = 0; x < p_; ++x) wrapped |= m.plus_cross(row, x, days[at(x)]);
    }
    return wrapped;
}

bool Fold::into(Moments& m, const Tables& tables, Index first_stratum, std::mutex& lock) {
    if (!tables.touched) return false;
    bool wrapped = false;
    for (Index s = 0; s < tables.strata; ++s) {
        slab(tables, s);
        if (total_[1] == 0) continue;
        const std::scoped_lock guard{lock};
        const Index t = first_stratum + s;
        for (Index j = 0; j < p_; ++j) {
            const std::int64_t* sums = &sum_[at(j * lanes_)];
            wrapped |= Moments::plus(m.xd_[at(t * p_ + j)], sums[0]);
            wrapped |= Moments::plus(m.xn_[at(t * p_ + j)], sums[1]);
            for (Index g = 0; g < m.categories_; ++g)
                wrapped |= Moments::plus(m.xc_[at((t * m.categories_ + g) * p_ + j)], sums[g + 2]);
            for (Index k = j; k < p_; ++k)
                wrapped |= Moments::plus(m.xx_[at((t * p_ + j) * p_ + k)], xx_[at(j * q_ + k)]);
        }
        wrapped |= Moments::plus(m.days_[at(t)], total_[0]);
        wrapped |= Moments::plus(m.rows_[at(t)], total_[1]);
        for (Index g = 0; g < m.categories_; ++g)
            wrapped |= Moments::plus(m.cents_[at(t * m.categories_ + g)], total_[at(g + 2)]);
        const std::size_t squares = tables.squares.size() / at(tables.strata);
        for (std::size_t k = 0; k < squares; ++k)
            wrapped |= Moments::plus(m.squares_[at(t) * squares + k], tables.squares[at(s) * squares + k]);
        if (tables.absorbed > 0) wrapped |= absorbed(m, tables, s, first_stratum);
    }
    return wrapped;
}

bool Fold::into(std::vector<std::int64_t>& gram, const Tables& tables, std::mutex& lock) {
    if (!tables.touched) return false;
    slab(tables, 0);
    const std::scoped_lock guard{lock};
    bool wrapped = false;
    for (Index j = 0; j < p_; ++j)
        for (Index k = 0; k < p_; ++k)
            wrapped |= __builtin_add_overflow(gram[at(j * p_ + k)],
                                              xx(static_cast<std::int32_t>(j), static_cast<std::int32_t>(k)),
                                              &gram[at(j * p_ + k)]);
    return wrapped;
}

bool Fold::absorb(Moments& m, Index absorbed, Index stratum, std::int64_t days, const std::int64_t* cents, Index stride,
                  const std::vector<std::int32_t>& columns) {
    const Index row = stratum * m.absorbed_ + absorbed;
    bool wrapped = Moments::plus(m.absorbed_days_[at(row)], days);
    wrapped |= Moments::plus(m.absorbed_rows_[at(row)], std::int64_t{1});
    for (Index g = 0; g < m.categories_; ++g)
        wrapped |= Moments::plus(m.absorbed_cents_[at((stratum * m.categories_ + g) * m.absorbed_ + absorbed)],
                                 cents[g * stride]);
    for (const std::int32_t x : columns) wrapped |= m.plus_cross(row, x, days);
    return wrapped;
}

}  // namespace anderhalf::estimation
