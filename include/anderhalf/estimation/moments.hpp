#pragma once
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/columns.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anderhalf::estimation {

/// One non-zero of a record: its column and how often (1 for a class or a flag).
struct Entry {
    std::int32_t column = 0;
    std::int32_t count = 1;
};

/// Insured days that an absorbed class shares with a column.
struct Cross {
    std::int32_t column = 0;
    std::int64_t days = 0;
    friend bool operator==(const Cross&, const Cross&) = default;
};

/// Everything a constrained weighted least-squares estimate needs, as sums of integers, per stratum s and category g:
///
///     xx[j,k] = sum_i represents_i days_i x_ij x_ik          [insured days]
///     xd[j]   = sum_i represents_i days_i x_ij               [insured days]
///     xn[j]   = number of records with x_ij > 0              [records, whatever they represent]
///     xc[j,g] = sum_i represents_i x_ij c_ig                 [cents of the registered period]
///     squares[d,g,h] = sum over i with d days of represents_i c_ig c_ih      [cents^2], 128 bits
///
/// and per class a of an absorbed criterion its days, cents, records and the days it shares with every column.
/// A commutative group: add, subtract and merge in any order give the same integers. Sums that do not fit 64 (squares:
/// 128) bits are refused and leave the moments as they were.
class Moments {
public:
    /// Columns without names, one stratum, one category, 1..366 days.
    explicit Moments(Index columns = 0);
    /// @throw ShapeError  a design that contradicts itself
    explicit Moments(data::Design design);

    [[nodiscard]] const data::Design& design() const { return *design_; }
    [[nodiscard]] Index columns() const { return columns_; }
    [[nodiscard]] Index strata() const { return strata_; }
    [[nodiscard]] Index categories() const { return categories_; }
    [[nodiscard]] Index absorbed_classes() const { return absorbed_; }

    [[nodiscard]] std::int64_t xx(Index j, Index k, Index stratum = 0) const {
        return xx_[at((stratum * columns_ + (j <= k ? j : k)) * columns_ + (j <= k ? k : j))];
    }
    [[nodiscard]] Days xd(Index j, Index stratum = 0) const { return xd_[at(stratum * columns_ + j)]; }
    [[nodiscard]] std::int64_t xn(Index j, Index stratum = 0) const { return xn_[at(stratum * columns_ + j)]; }
    [[nodiscard]] Cents xc(Index j, Index category = 0, Index stratum = 0) const {
        return xc_[at((stratum * categories_ + category) * columns_ + j)];
    }
    [[nodiscard]] Days days(Index stratum = 0) const { return days_[at(stratum)]; }
    [[nodiscard]] Cents cents(Index category = 0, Index stratum = 0) const {
        return cents_[at(stratum * categories_ + category)];
    }
    [[nodiscard]] std::int64_t rows(Index stratum = 0) const { return rows_[at(stratum)]; }
    [[nodiscard]] Int128 squares(Index days, Index category = 0, Index other = 0, Index stratum = 0) const {
        return squares_[squares_at(days, category, other, stratum)];
    }

    [[nodiscard]] Days absorbed_days(Index a, Index stratum = 0) const {
        return absorbed_days_[at(stratum * absorbed_ + a)];
    }
    [[nodiscard]] std::int64_t absorbed_rows(Index a, Index stratum = 0) const {
        return absorbed_rows_[at(stratum * absorbed_ + a)];
    }
    [[nodiscard]] Cents absorbed_cents(Index a, Index category = 0, Index stratum = 0) const {
        return absorbed_cents_[at((stratum * categories_ + category) * absorbed_ + a)];
    }
    /// Columns that share days with the absorbed class, ascending, and how many.
    [[nodiscard]] std::span<const Cross> absorbed_cross(Index a, Index stratum = 0) const {
        return absorbed_cross_[at(stratum * absorbed_ + a)];
    }

    /// Adds (sign = +1) or takes out (sign = -1) one record with its classes. Entries are in ascending column order.
    /// @throw DomainError  a sum beyond 64 bits
    template <class Entries>
    void add(const Entries& entries, Days days, Cents cents, std::int64_t represents, std::int64_t sign = 1) {
        add(entries, days, std::span<const Cents>(&cents, 1), represents, sign, 0, -1);
    }
    /// The same with a cost per category, a stratum and an absorbed class (-1: none).
    template <class Entries>
    void add(const Entries& entries, Days days, std::span<const Cents> cents, std::int64_t represents,
             std::int64_t sign, Index stratum, Index absorbed) {
        if (put(entries, days, cents, represents, sign, stratum, absorbed)) {
            put(entries, days, cents, represents, -sign, stratum, absorbed);  // integers wrap back exactly
            beyond();
        }
    }

    /// @throw ShapeError   moments of different designs
    /// @throw DomainError  a sum beyond 64 bits
    Moments& operator+=(const Moments& other);
    Moments& operator-=(const Moments& other);
    friend Moments operator+(Moments a, const Moments& b) { return a += b; }
    friend Moments operator-(Moments a, const Moments& b) { return a -= b; }
    friend bool operator==(const Moments& a, const Moments& b);

    /// All of it as bytes: versioned, little-endian, with its design and a checksum; the same moments, the same bytes.
    [[nodiscard]] std::string bytes() const;
    /// @throw DomainError  anything that `bytes` did not write: cut short, altered, another version
    [[nodiscard]] static Moments from_bytes(std::string_view bytes);

private:
    friend class Fold;  // the fast kernel writes its tables here
    friend class Bytes;
    static std::size_t at(Index k) { return static_cast<std::size_t>(k); }
    [[nodiscard]] std::size_t squares_at(Index days, Index g, Index h, Index stratum) const {
        const Index pair = g <= h ? h * (h + 1) / 2 + g : g * (g + 1) / 2 + h;
        return at((stratum * (categories_ * (categories_ + 1) / 2) + pair) * (days_max_ + 1) + days);
    }
    /// Adds and says whether a sum wrapped.
    template <class T>
    [[nodiscard]] static bool plus(T& sum, T value) {
        return __builtin_add_overflow(sum, value, &sum);
    }
    [[nodiscard]] bool plus_cross(Index row, std::int32_t column, std::int64_t days);
    [[nodiscard]] bool merge(const Moments& other, std::int64_t sign);
    void merge_checked(const Moments& other, std::int64_t sign);
    void allocate();
    [[noreturn]] static void beyond();

    template <class Entries>
    bool put(const Entries& entries, Days days, std::span<const Cents> cents, std::int64_t represents,
             std::int64_t sign, Index stratum, Index absorbed) {
        bool wrapped = false;
        std::int64_t weight = 0;
        wrapped |= __builtin_mul_overflow(sign * represents, days, &weight);
        for (auto j = entries.begin(); j != entries.end(); ++j) {
            const Index column = static_cast<Index>(j->column);
            const std::int64_t count = j->count;
            if (count == 0) continue;
            std::int64_t* row = &xx_[at((stratum * columns_ + column) * columns_)];
            std::int64_t wj = 0;
            std::int64_t represented = 0;
            wrapped |= __builtin_mul_overflow(weight, count, &wj);
            wrapped |= __builtin_mul_overflow(sign * represents, count, &represented);
            wrapped |= plus(xd_[at(stratum * columns_ + column)], wj);
            wrapped |= plus(xn_[at(stratum * columns_ + column)], sign);
            for (auto k = j; k != entries.end(); ++k) {
                std::int64_t wjk = 0;
                wrapped |= __builtin_mul_overflow(wj, static_cast<std::int64_t>(k->count), &wjk);
                wrapped |= plus(row[k->column], wjk);
            }
            for (std::size_t g = 0; g < cents.size(); ++g) {
                std::int64_t cost = 0;
                wrapped |= __builtin_mul_overflow(represented, cents[g], &cost);
                wrapped |= plus(xc_[(at(stratum * categories_) + g) * at(columns_) + at(column)], cost);
            }
            if (absorbed >= 0)
                wrapped |= plus_cross(stratum * absorbed_ + absorbed, static_cast<std::int32_t>(column), wj);
        }
        wrapped |= plus(days_[at(stratum)], weight);
        wrapped |= plus(rows_[at(stratum)], sign);
        if (absorbed >= 0) {
            wrapped |= plus(absorbed_days_[at(stratum * absorbed_ + absorbed)], weight);
            wrapped |= plus(absorbed_rows_[at(stratum * absorbed_ + absorbed)], sign);
        }
        for (std::size_t g = 0; g < cents.size(); ++g) {
            std::int64_t cost = 0;
            wrapped |= __builtin_mul_overflow(sign * represents, cents[g], &cost);
            wrapped |= plus(cents_[at(stratum * categories_) + g], cost);
            if (absorbed >= 0)
                wrapped |= plus(absorbed_cents_[(at(stratum * categories_) + g) * at(absorbed_) + at(absorbed)], cost);
            for (std::size_t h = 0; h <= g; ++h) {
                const Int128 square = static_cast<Int128>(cents[h]) * cents[g];
                Int128 value = 0;
                wrapped |= __builtin_mul_overflow(square, Int128{sign} * represents, &value);
                wrapped |= plus(squares_[squares_at(static_cast<Index>(days), static_cast<Index>(h),
                                                    static_cast<Index>(g), stratum)],
                                value);
            }
        }
        return wrapped;
    }

    std::shared_ptr<const data::Design> design_;
    Index columns_ = 0, strata_ = 1, categories_ = 1, absorbed_ = 0, days_max_ = 366;
    std::vector<std::int64_t> xx_;       // per stratum, upper triangle, row by row
    std::vector<std::int64_t> xd_, xn_;  // per stratum
    std::vector<std::int64_t> xc_;       // per stratum and category
    std::vector<std::int64_t> days_, rows_, cents_;
    std::vector<Int128> squares_;  // per stratum, pair of categories, days
    std::vector<std::int64_t> absorbed_days_, absorbed_rows_, absorbed_cents_;
    std::vector<std::vector<Cross>> absorbed_cross_;  // per stratum and absorbed class, ascending columns, no zeros
};

/// Factors of the totals: one per stratum (reweighting) and one per category of cost (levelling). Empty: all 1.
struct Levels {
    std::vector<double> strata{};
    std::vector<double> categories{};
};

/// Moments with their levels applied, over all strata and categories: what is solved.
struct Totals {
    Index p = 0;
    std::vector<long double> xx;             ///< (p, p), full [insured days]
    std::vector<long double> xd;             ///< (p) [insured days]
    std::vector<long double> xc;             ///< (p) [cents]
    long double yy = 0;                      ///< sum of represents c^2 days_in_year / days [cents^2 per year]
    long double days = 0;                    ///< [insured days]
    long double cents = 0;                   ///< [cents]
    std::int64_t rows = 0;                   ///< records
    std::vector<std::int64_t> xn;            ///< (p) records
    std::vector<std::int64_t> xx_structure;  ///< (p, p), unweighted over the strata: for exact rank
    std::vector<long double> absorbed_days;  ///< (absorbed classes)
    std::vector<std::int64_t> absorbed_days_structure;  ///< the same, unweighted over the strata
    std::vector<long double> absorbed_cents;
    std::vector<Index> absorbed_start;             ///< (absorbed classes + 1): where the cross terms of a class begin
    std::vector<std::int32_t> absorbed_column;     ///< of a cross term, ascending within a class
    std::vector<long double> absorbed_cross;       ///< days that the absorbed class shares with that column
    std::vector<std::int64_t> absorbed_structure;  ///< the same, unweighted over the strata
    bool exact = true;  ///< all levels are 1: everything but yy is an integer and exact (64 bits of mantissa)
};

/// Applies levels to moments: xx = sum_s strata_s xx_s, xc = sum_s sum_g strata_s categories_g xc_sg, and so on.
/// A stratum with level 0 is left out, its rows and structure too.
/// @throw ShapeError   levels of another number than the strata or categories
/// @throw DomainError  a level that is negative or not finite; a structure sum beyond 64 bits
[[nodiscard]] Totals combine(const Moments& moments, const Levels& levels = {});

}  // namespace anderhalf::estimation
