#pragma once
#include "accumulate_plan.hpp"
#include "accumulate_tables.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#if defined(__SSE4_1__)
#    include <smmintrin.h>
#endif

/// One block of at most 64 rows: read, checked, and added to the tables while it is hot.
namespace anderhalf::estimation::detail {

/// A row that breaks a rule was met; the caller looks for all of them.
struct BadRow {};

inline std::uint64_t first_bits(Index n) { return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; }

/// Bit i: values[i] differs from base.
template <class T>
std::uint64_t differing(const T* values, T base, Index n) {
#if defined(__SSE4_1__)
    if (n == block_rows) {
        const auto load = [&](std::size_t byte) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const char*>(values) + byte));
        };
        std::uint64_t equal = 0;
        for (std::size_t part = 0; part < 4; ++part) {  // 16 rows
            const std::size_t from = 16 * part * sizeof(T);
            __m128i same;
            if constexpr (sizeof(T) == 1) {
                same = _mm_cmpeq_epi8(load(from), _mm_set1_epi8(static_cast<char>(base)));
            } else if constexpr (sizeof(T) == 2) {
                const __m128i other = _mm_set1_epi16(static_cast<short>(base));
                same = _mm_packs_epi16(_mm_cmpeq_epi16(load(from), other), _mm_cmpeq_epi16(load(from + 16), other));
            } else if constexpr (sizeof(T) == 4) {
                const __m128i other = _mm_set1_epi32(static_cast<int>(base));
                const auto two = [&](std::size_t at_byte) {
                    return _mm_packs_epi32(_mm_cmpeq_epi32(load(at_byte), other),
                                           _mm_cmpeq_epi32(load(at_byte + 16), other));
                };
                same = _mm_packs_epi16(two(from), two(from + 32));
            } else {
                const __m128i other = _mm_set1_epi64x(static_cast<long long>(base));
                const auto four = [&](std::size_t at_byte) {  // rows as 32 bits
                    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(_mm_cmpeq_epi64(load(at_byte), other)),
                                                           _mm_castsi128_ps(_mm_cmpeq_epi64(load(at_byte + 16), other)),
                                                           0x88));
                };
                same = _mm_packs_epi16(_mm_packs_epi32(four(from), four(from + 32)),
                                       _mm_packs_epi32(four(from + 64), four(from + 96)));
            }
            equal |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(same))) << (16 * part);
        }
        return ~equal;
    }
#endif
    std::uint64_t bits = 0;
    for (Index i = 0; i < n; ++i) bits |= std::uint64_t{values[i] != base} << i;
    return bits;
}

template <class T>
bool any_above(const T* values, T most, Index n) {
#if defined(__SSE4_1__)
    if constexpr (sizeof(T) == 1)
        if (n == block_rows) {
            __m128i above = _mm_setzero_si128();
            for (std::size_t part = 0; part < 4; ++part)
                above = _mm_or_si128(
                    above, _mm_subs_epu8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 16 * part)),
                                         _mm_set1_epi8(static_cast<char>(most))));
            return _mm_testz_si128(above, above) == 0;
        }
#endif
    T largest = 0;
    if (n == block_rows)
        for (Index i = 0; i < block_rows; ++i) largest = std::max(largest, values[i]);
    else
        for (Index i = 0; i < n; ++i) largest = std::max(largest, values[i]);
    return largest > most;
}

/// Asks for the rows that come up. A block touches a line or two of many columns, too little for the machine to see
/// where each of them is going.
class Ahead {
public:
    explicit Ahead(Index n) : n_{n} {}
    void column(const CodeView& codes) { any(codes); }
    void column(const DaysColumn& days) { any(days); }
    void column(const CentsColumn& cents) { any(cents); }
    template <class T>
    void column(std::span<T> values) {
        streams_.push_back({reinterpret_cast<const char*>(values.data()), sizeof(T)});
    }
    void criteria(const data::Rows& rows) {
        for (const data::CriterionColumn& column_of : rows.criteria) {
            if (const auto* codes = std::get_if<CodeView>(&column_of)) column(*codes);
            else if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&column_of)) column(*mask);
            else
                for (const CodeView& flags : std::get<std::vector<CodeView>>(column_of)) column(flags);
        }
    }
    void values(const data::Rows& rows) {
        column(rows.days);
        for (const CentsColumn& cents : rows.cents) column(cents);
        if (rows.represents) column(*rows.represents);
        if (rows.stratum) column(*rows.stratum);
    }
    void fetch(Index first) const {
        constexpr Index distance = 2 * block_rows;  // farther ahead, lines push each other out: columns start alike
        const Index row = first + distance;
        if (row + block_rows > n_) return;
        for (const Stream& s : streams_)
            for (std::size_t line = 0; line < s.width; ++line)
                __builtin_prefetch(s.data + static_cast<std::size_t>(row) * s.width + 64 * line);
        asm volatile("");  // g++ sees no effect in a function that only prefetches, and leaves out its calls
    }

private:
    template <class... T>
    void any(const std::variant<std::span<T>...>& values) {
        std::visit([&](auto view) { column(view); }, values);
    }
    struct Stream {
        const char* data;
        std::size_t width;
    };
    Index n_;
    std::vector<Stream> streams_;
};

/// The classes of a block as ids of the composites, and entries row by row.
struct Classes {
    std::vector<std::array<std::uint16_t, block_rows>> id;  // per composite
    std::uint64_t any = 0;                                  // rows with entries
    std::uint64_t plain = 0;                                // rows with a count above 1: for the plain loop
    std::array<std::uint16_t, block_rows> count{};
    std::vector<std::uint16_t> list;  // row * most_a_record
    std::array<std::uint32_t, block_rows> absorbed{};
};

/// Reads the classes of plain columns.
class ClassReader {
public:
    ClassReader(const Plan& plan, const data::Rows& rows)
        : plan_{plan}, rows_{rows}, stride_{std::max(1, plan.most_a_record)} {}

    /// Throws BadRow; gives ids where a combination is new.
    void read(Index first, Index n, Ids& ids, Classes& out) {
        if (out.id.size() != plan_.composites.size()) {
            out.id.resize(plan_.composites.size());
            out.list.resize(static_cast<std::size_t>(block_rows * stride_));
        }
        for (std::size_t c = 0; c < plan_.composites.size(); ++c) composite(c, first, n, ids, out.id[c]);
        out.count.fill(0);
        out.any = out.plain = 0;
        for (const Sparse& s : plan_.sparse) {
            if (s.single) single(s, first, n, out);
            else flags(s, first, n, out);
        }
        if (plan_.absorbed >= 0) {
            const auto k = static_cast<std::size_t>(plan_.absorbed);
            codes(k, first, n, [&](const auto* values) {
                if (any_above<std::uint32_t>(widen(values, n), last_code(k), n)) throw BadRow{};
                std::copy_n(wide_.data(), n, out.absorbed.data());
            });
        }
    }
    [[nodiscard]] Index stride() const { return stride_; }

private:
    [[nodiscard]] std::uint32_t last_code(std::size_t k) const {
        return static_cast<std::uint32_t>(plan_.design->criteria[k].classes.size() - 1);
    }
    template <class T>
    const std::uint32_t* widen(const T* values, Index n) {
        std::copy_n(values, n, wide_.data());
        return wide_.data();
    }

    /// Calls use(pointer to the codes of the block) for a criterion with one class a record.
    template <class Use>
    void codes(std::size_t k, Index first, Index n, Use&& use) {
        if (const auto* column = std::get_if<CodeView>(&rows_.criteria[k])) {
            switch (column->index()) {
                case 0: return use(std::get<0>(*column).data() + first);
                case 1: return use(std::get<1>(*column).data() + first);
                default: return use(std::get<2>(*column).data() + first);
            }
        }
        const data::Criterion& criterion = plan_.design->criteria[k];  // flags of which exactly one is set
        const std::uint32_t shift = criterion.none_derived ? 1 : 0;
        std::array<std::uint32_t, block_rows> found{};
        std::array<std::uint32_t, block_rows> code{};
        if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&rows_.criteria[k])) {
            for (Index i = 0; i < n; ++i) {
                const std::uint64_t bits = (*mask)[static_cast<std::size_t>(first + i)];
                if ((bits & ~first_bits(criterion.read_classes())) != 0) throw BadRow{};
                found[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(std::popcount(bits));
                if (bits != 0)
                    code[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(std::countr_zero(bits)) + shift;
            }
        } else {
            const auto& columns = std::get<std::vector<CodeView>>(rows_.criteria[k]);
            for (std::size_t j = 0; j < columns.size(); ++j)
                std::visit(
                    [&](auto values) {
                        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
                            const auto value = values[static_cast<std::size_t>(first) + i];
                            if (value > 1) throw BadRow{};
                            found[i] += value;
                            if (value != 0) code[i] = static_cast<std::uint32_t>(j) + shift;
                        }
                    },
                    columns[j]);
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
            if (found[i] > 1 || (found[i] == 0 && !criterion.none_derived)) throw BadRow{};
        use(static_cast<const std::uint32_t*>(code.data()));
    }

    void composite(std::size_t c, Index first, Index n, Ids& ids, std::array<std::uint16_t, block_rows>& id) {
        const Composite& composite = plan_.composites[c];
        std::array<std::uint16_t, block_rows> key;
        if (composite.members.empty()) key.fill(0);
        bool first_member = true;
        for (const Member& m : composite.members) {
            codes(m.criterion, first, n, [&]<class T>(const T* values) {
                if (m.classes - 1 < std::numeric_limits<T>::max() &&
                    any_above(values, static_cast<T>(m.classes - 1), n))
                    throw BadRow{};
                const auto stride = static_cast<std::uint16_t>(m.stride);
                std::uint16_t* to = key.data();
                const auto fill = [&](Index rows) {
                    if (first_member)
                        for (Index i = 0; i < rows; ++i)
                            to[i] = static_cast<std::uint16_t>(static_cast<std::uint16_t>(values[i]) * stride);
                    else
                        for (Index i = 0; i < rows; ++i)
                            to[i] = static_cast<std::uint16_t>(to[i] + static_cast<std::uint16_t>(values[i]) * stride);
                };
                if (n == block_rows) fill(block_rows);
                else fill(n);
            });
            first_member = false;
        }
        const std::uint16_t* of_key = ids.composite[c].of_key.data();
        std::uint16_t largest = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            id[i] = of_key[key[i]];
            largest = std::max(largest, id[i]);
        }
        if (largest == no_id)
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) id[i] = ids.give(c, key[i]);
    }

    void put(Classes& out, std::size_t row, std::int32_t entry) {
        out.list[row * static_cast<std::size_t>(stride_) + out.count[row]] = static_cast<std::uint16_t>(entry);
        ++out.count[row];
    }

    void single(const Sparse& s, Index first, Index n, Classes& out) {
        codes(s.criterion, first, n, [&]<class T>(const T* values) {
            const std::uint32_t most = last_code(s.criterion);
            if (most < std::numeric_limits<T>::max() && any_above(values, static_cast<T>(most), n)) throw BadRow{};
            std::uint64_t bits = differing(values, static_cast<T>(s.base), n);
            out.any |= bits;
            for (; bits != 0; bits &= bits - 1) {
                const auto row = static_cast<std::size_t>(std::countr_zero(bits));
                const auto code = static_cast<std::uint32_t>(values[row]);
                put(out, row, s.first_entry + static_cast<std::int32_t>(code - (code > s.base ? 1U : 0U)));
            }
        });
    }

    void flags(const Sparse& s, Index first, Index n, Classes& out) {
        const data::Criterion& criterion = plan_.design->criteria[s.criterion];
        if (const auto* column = std::get_if<std::span<const std::uint64_t>>(&rows_.criteria[s.criterion])) {
            const std::uint64_t* mask = column->data() + first;
            std::uint64_t met = 0;
            for (Index i = 0; i < n; ++i) met |= mask[i];
            if ((met & ~first_bits(criterion.read_classes())) != 0) throw BadRow{};
            std::uint64_t rows = differing(mask, std::uint64_t{0}, n);
            out.any |= rows;
            for (; rows != 0; rows &= rows - 1) {
                const auto row = static_cast<std::size_t>(std::countr_zero(rows));
                std::uint64_t bits = mask[row];
                do {
                    put(out, row, s.first_entry + std::countr_zero(bits));
                    bits &= bits - 1;
                } while (bits != 0);
            }
            return;
        }
        const auto& columns = std::get<std::vector<CodeView>>(rows_.criteria[s.criterion]);
        const std::uint32_t most =
            criterion.labels == data::Labels::counts ? static_cast<std::uint32_t>(data::max_count) : 1;
        for (std::size_t k = 0; k < columns.size(); ++k)
            std::visit(
                [&](auto view) {
                    using T = std::remove_const_t<typename decltype(view)::element_type>;
                    const T* values = view.data() + first;
                    if (most < std::numeric_limits<T>::max() && any_above(values, static_cast<T>(most), n))
                        throw BadRow{};
                    std::uint64_t bits = differing(values, T{0}, n);
                    out.any |= bits;
                    for (; bits != 0; bits &= bits - 1) {
                        const auto row = static_cast<std::size_t>(std::countr_zero(bits));
                        if (values[row] > 1) out.plain |= std::uint64_t{1} << row;
                        put(out, row, s.first_entry + static_cast<std::int32_t>(k));
                    }
                },
                columns[k]);
    }

    const Plan& plan_;
    const data::Rows& rows_;
    Index stride_;
    std::array<std::uint32_t, block_rows> wide_{};
};

/// Days, cents, represents and strata of a block.
struct Values {
    std::array<std::int64_t, block_rows> word;   // represents * days, one record above; gram: the weight
    std::vector<std::int64_t> cost;              // category * block_rows: represents * cents
    std::array<std::uint32_t, block_rows> slab;  // stratum within the pass
    std::uint64_t active = 0;                    // rows of this pass
    std::uint64_t plain = 0;                     // rows whose cost or days are too large for the tables
};

/// Reads days, cents, represents and strata, checks them, and adds the squares.
class ValueReader {
public:
    ValueReader(const data::Design& design, const data::Rows& rows, std::int64_t common_days)
        : design_{design}, rows_{rows}, common_{common_days} {}

    /// Rows of strata first_stratum..first_stratum + slabs - 1. Throws BadRow.
    void read(Index first, Index n, Index first_stratum, Index slabs, Values& out) {
        const auto categories = static_cast<Index>(design_.categories.size());
        out.cost.resize(static_cast<std::size_t>(categories * block_rows));
        out.active = first_bits(n);
        out.plain = 0;
        if (rows_.stratum) strata(first, n, first_stratum, slabs, out);
        else out.slab.fill(0);
        days(first, n);
        most_represents_ = 1;
        if (rows_.represents) {
            const std::uint16_t* r = rows_.represents->data() + first;
            std::uint16_t least = 1;
            for (Index i = 0; i < n; ++i) {
                represents_[static_cast<std::size_t>(i)] = r[i];
                least = std::min(least, r[i]);
                most_represents_ = std::max(most_represents_, std::int64_t{r[i]});
            }
            if (least == 0) throw BadRow{};
        }
        std::int64_t sum = 0;
        if (rows_.represents)
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
                const std::int64_t weight = day_[i] * represents_[i];
                sum += weight;
                out.word[i] = weight + one_record;
            }
        else  // whatever stands behind a short block is not used
            for (std::size_t i = 0; i < block_rows; ++i) out.word[i] = day_[i] + one_record;
        days_ = rows_.represents ? sum : block_rows * design_.days_max;
        most_cost_ = 0;
        for (Index g = 0; g < categories; ++g) cents(first, n, g, out.cost.data() + g * block_rows);
    }
    /// Adds the squares of the active rows that are not plain. To be called after read and cents are known to fit.
    void squares(const Values& v, Tables& tables) const;

    [[nodiscard]] std::int64_t block_days() const { return days_; }
    /// An upper bound of the sum of represents * |cents| over the block, of any category; none: beyond 2^62.
    [[nodiscard]] std::optional<std::int64_t> block_cents() const {
        const Int128 bound = Int128{block_rows} * most_cost_ * most_represents_;
        if (bound > (Int128{1} << 62)) return std::nullopt;
        return static_cast<std::int64_t>(bound);
    }

private:
    void days(Index first, Index n) {
        std::visit(
            [&](auto view) {
                const auto* d = view.data() + first;
                const auto fill = [&](Index rows) {
                    for (Index i = 0; i < rows; ++i)
                        day_[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(d[i]);
                };
                if (n == block_rows) fill(block_rows);
                else fill(n);
            },
            rows_.days);
        std::int64_t wrong = 0;  // negative as soon as one day is outside
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
            wrong |= (day_[i] - 1) | (design_.days_max - day_[i]);
        if (wrong < 0) throw BadRow{};
    }
    void cents(Index first, Index n, Index g, std::int64_t* cost) {
        std::visit(
            [&](auto view) {
                using T = std::remove_const_t<typename decltype(view)::element_type>;
                const T* c = view.data() + first;
                const auto fill = [&](Index rows) {
                    for (Index i = 0; i < rows; ++i) cost[i] = c[i];
                };
                if (n == block_rows) fill(block_rows);
                else fill(n);
                if constexpr (sizeof(T) == 4) {
                    most_cost_ = std::max(most_cost_, std::int64_t{1} << 31);
                } else {
                    std::int64_t bits = 0;  // of |cents|, one off for the negative
                    for (Index i = 0; i < n; ++i) bits |= cost[i] ^ (cost[i] >> 63);
                    if (bits >= data::max_cost)
                        for (Index i = 0; i < n; ++i)
                            if (cost[i] > data::max_cost || cost[i] < -data::max_cost) throw BadRow{};
                    most_cost_ = std::max(most_cost_, bits + 1);
                }
            },
            rows_.cents[static_cast<std::size_t>(g)]);
        if (rows_.represents) {
            raw_.resize(static_cast<std::size_t>((g + 1) * block_rows));
            std::int64_t* raw = raw_.data() + g * block_rows;
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
                raw[i] = cost[i];
                cost[i] *= represents_[i];
            }
        }
    }
    void strata(Index first, Index n, Index first_stratum, Index slabs, Values& out) {
        std::visit(
            [&](auto view) {
                const auto* s = view.data() + first;
                out.active = 0;
                for (Index i = 0; i < n; ++i) {
                    const Index slab = static_cast<Index>(s[i]) - first_stratum;
                    if (static_cast<std::size_t>(s[i]) >= design_.strata.size()) throw BadRow{};
                    const bool inside = slab >= 0 && slab < slabs;
                    out.slab[static_cast<std::size_t>(i)] = inside ? static_cast<std::uint32_t>(slab) : 0;
                    out.active |= std::uint64_t{inside} << i;
                }
            },
            *rows_.stratum);
    }

    const data::Design& design_;
    const data::Rows& rows_;
    std::int64_t common_;
    std::array<std::int64_t, block_rows> day_{};
    std::array<std::int64_t, block_rows> represents_{};
    std::vector<std::int64_t> raw_;  // cents where they are not the cost
    std::int64_t days_ = 0, most_represents_ = 1, most_cost_ = 0;
};

inline void ValueReader::squares(const Values& v, Tables& tables) const {
    const auto categories = static_cast<Index>(design_.categories.size());
    const Index row = design_.days_max + 1;
    if (categories == 1 && tables.strata == 1 && most_cost_ <= std::int64_t{1} << 31 && !rows_.represents &&
        v.active == ~std::uint64_t{0} && v.plain == 0) {
        // Squares below 2^63 in two halves: nothing carries, and the compiler may do several at once.
        std::uint64_t low = 0, high = 0;
        for (std::size_t i = 0; i < block_rows; ++i) {
            const auto c = static_cast<std::int64_t>(static_cast<std::int32_t>(v.cost[i]));
            const auto square = static_cast<std::uint64_t>(c * c) & (day_[i] == common_ ? ~std::uint64_t{0} : 0);
            low += square & 0xFFFFFFFFU;
            high += square >> 32;
        }
        std::uint64_t others = differing(day_.data(), common_, block_rows);
        tables.squares[static_cast<std::size_t>(common_)] +=
            (static_cast<Int128>(high) << 32) + static_cast<Int128>(low);
        for (; others != 0; others &= others - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(others));
            const auto c = static_cast<std::int64_t>(static_cast<std::int32_t>(v.cost[i]));
            tables.squares[static_cast<std::size_t>(day_[i])] += static_cast<std::uint64_t>(c * c);
        }
        return;
    }
    const Index pairs = categories * (categories + 1) / 2;
    for (Index h = 0; h < categories; ++h)
        for (Index g = 0; g <= h; ++g) {
            const std::int64_t* costs_g = v.cost.data() + g * block_rows;
            const std::int64_t* costs_h = (rows_.represents ? raw_ : v.cost).data() + h * block_rows;
            Int128 common = 0;  // of slab 0, in a register
            for (std::uint64_t bits = v.active & ~v.plain; bits != 0; bits &= bits - 1) {
                const auto i = static_cast<std::size_t>(std::countr_zero(bits));
                const Int128 square = static_cast<Int128>(costs_g[i]) * costs_h[i];
                if (day_[i] == common_ && v.slab[i] == 0) common += square;
                else
                    tables.squares[static_cast<std::size_t>(
                        (static_cast<Index>(v.slab[i]) * pairs + h * (h + 1) / 2 + g) * row + day_[i])] += square;
            }
            tables.squares[static_cast<std::size_t>((h * (h + 1) / 2 + g) * row + common_)] += common;
        }
}

/// Adds rows to the tables. Categories: 1 and 0 (gram) are known to the compiler, -1 is any number.
template <int Categories>
class Adder {
public:
    Adder(const Plan& plan, Tables& tables)
        : plan_{plan}, t_{tables}, values_{Categories >= 0 ? Categories + 1 : tables.values} {}

    /// cell(i): position of the row's cell in a slab.
    template <class Cell>
    void cells(const Values& v, std::uint64_t rows, Index n, Cell&& cell) {
        if (t_.strata == 1 && n == block_rows && rows == ~std::uint64_t{0}) {
            for (std::size_t i = 0; i < block_rows; ++i) add(t_.cell.data() + cell(i) * values_, v, i);
            return;
        }
        for (; rows != 0; rows &= rows - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(rows));
            add(t_.cell.data() + (static_cast<Index>(v.slab[i]) * t_.cells + cell(i)) * values_, v, i);
        }
    }

    /// The entries of one row; id(c): its id in composite c.
    template <class Entry, class Id>
    void entries(const Values& v, std::size_t i, const Entry* list, Index k, Id&& id) {
        const Index slab = t_.strata == 1 ? 0 : static_cast<Index>(v.slab[i]);
        const std::int64_t weight = Categories == 0 ? v.word[i] : v.word[i] & days_mask;
        std::int64_t* meets = t_.meets[0].data() + (slab * t_.cap[0] + id(0)) * t_.entries * values_;
        for (Index a = 0; a < k; ++a) add(meets + list[a] * values_, v, i);
        for (std::size_t c = 1; c < t_.cap.size(); ++c) {
            std::int64_t* days = t_.meets[c].data() + (slab * t_.cap[c] + id(c)) * t_.entries;
            for (Index a = 0; a < k; ++a) days[list[a]] += weight;
        }
        if (k < 2) return;
        std::int64_t* both = t_.both.data() + slab * t_.entries * t_.entries;
        for (Index a = 0; a + 1 < k; ++a) {
            std::int64_t* row = both + list[a] * t_.entries;
            for (Index b = a + 1; b < k; ++b) row[list[b]] += weight;
        }
        if (t_.entries > plan_.entries) corrections(v, i, list, k, id, slab, weight);
    }

    /// The shared days of a dense absorbed block.
    template <class Entry, class Id>
    void absorbed(const Values& v, std::size_t i, const Entry* list, Index k, Id&& id, std::uint32_t code) {
        const Index row = (t_.strata == 1 ? 0 : static_cast<Index>(v.slab[i])) * t_.absorbed + static_cast<Index>(code);
        add(t_.own.data() + row * values_, v, i);
        const std::int64_t weight = v.word[i] & days_mask;
        std::int64_t* shared = t_.shared.data() + row * t_.absorbed_slots;
        for (std::size_t c = 0; c < t_.cap.size(); ++c) {
            shared[id(c)] += weight;
            shared += t_.cap[c];
        }
        for (Index a = 0; a < k; ++a) shared[list[a]] += weight;
        for (const Sparse& s : plan_.sparse)
            if (const Index extra = beyond_first(s, list, k); extra > 0) shared[s.correction] += extra * weight;
    }

private:
    void add(std::int64_t* to, const Values& v, std::size_t i) {
        if constexpr (Categories == 1) {
            using Two __attribute__((vector_size(16))) = std::int64_t;
            Two sum;
            std::memcpy(&sum, to, sizeof sum);
            sum += Two{v.word[i], v.cost[i]};
            std::memcpy(to, &sum, sizeof sum);
            return;
        }
        to[0] += v.word[i];
        if constexpr (Categories < 0) {
            for (Index g = 1; g < values_; ++g) to[g] += v.cost[static_cast<std::size_t>((g - 1) * block_rows) + i];
        }
    }
    template <class Entry>
    static Index beyond_first(const Sparse& s, const Entry* list, Index k) {
        if (s.correction < 0) return 0;
        Index flags = 0;
        for (Index a = 0; a < k; ++a) flags += list[a] >= s.first_entry && list[a] < s.last_entry;
        return flags - 1;
    }
    /// Flags beyond the first count once more in the pseudo entry: any = sum of the flags - correction.
    template <class Entry, class Id>
    void corrections(const Values& v, std::size_t i, const Entry* list, Index k, Id&& id, Index slab,
                     std::int64_t weight) {
        for (const Sparse& s : plan_.sparse) {
            const Index extra = beyond_first(s, list, k);
            if (extra <= 0) continue;
            t_.extra_days += extra * (Categories == 0 ? 0 : weight);
            t_.extra_records += extra;
            std::int64_t* meets =
                t_.meets[0].data() + ((slab * t_.cap[0] + id(0)) * t_.entries + s.correction) * values_;
            meets[0] += extra * v.word[i];
            for (Index g = 1; g < values_; ++g)
                meets[g] += extra * v.cost[static_cast<std::size_t>((g - 1) * block_rows) + i];
            for (std::size_t c = 1; c < t_.cap.size(); ++c)
                t_.meets[c][static_cast<std::size_t>((slab * t_.cap[c] + id(c)) * t_.entries + s.correction)] +=
                    extra * weight;
            std::int64_t* both = t_.both.data() + slab * t_.entries * t_.entries;
            for (Index a = 0; a < k; ++a)
                if (list[a] < s.first_entry || list[a] >= s.last_entry)
                    both[list[a] * t_.entries + s.correction] += extra * weight;
            for (const Sparse& before : plan_.sparse) {
                if (&before == &s) break;
                if (const Index twice = beyond_first(before, list, k); twice > 0)
                    both[before.correction * t_.entries + s.correction] += extra * twice * weight;
            }
        }
    }

    const Plan& plan_;
    Tables& t_;
    const Index values_;
};

}  // namespace anderhalf::estimation::detail
