#pragma once
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace anderhalf::data {

/// How many classes of a criterion one record may have.
enum class Labels : std::uint8_t {
    single,  ///< exactly one
    flags,   ///< any number: 0/1 columns
    counts   ///< any number, each a whole number of times (0..max_count)
};

inline constexpr std::int64_t max_count = 65'535;            ///< of a count column
inline constexpr Cents max_cost = Cents{1} << 46;            ///< of one record and category, either sign
inline constexpr std::int32_t max_days_in_record = 1 << 14;  ///< of Design::days_max

/// One criterion of a risk model: a name and its classes, in the order of their codes.
struct Criterion {
    std::string name{};
    std::vector<std::string> classes{};
    Labels labels = Labels::single;
    bool none_derived = false;  ///< flags, counts: classes[0] is "none of the others", derived, not read
    bool absorbed = false;  ///< single, any number of classes (millions): eliminated in the estimate; at most one, last

    /// Classes that are read from columns: all, or all but the derived none.
    [[nodiscard]] Index read_classes() const { return static_cast<Index>(classes.size()) - (none_derived ? 1 : 0); }
    friend bool operator==(const Criterion&, const Criterion&) = default;
};

/// The design of a model as data: one 0/1 (or count) column per class, criterion after criterion.
struct Design {
    std::vector<Criterion> criteria{};
    std::vector<std::string> categories{"cost"};  ///< of cost, each with its own level in the estimate
    std::vector<std::string> strata{"all"};       ///< of reweighting, each with its own level in the estimate
    std::int32_t days_in_year = 365;              ///< 12 for person-months
    std::int32_t days_max = 366;                  ///< of one record; 12 for person-months

    /// Columns of the model: the classes of all criteria, without those of an absorbed one.
    [[nodiscard]] Index columns() const;
    /// Classes of the absorbed criterion; 0 without one.
    [[nodiscard]] Index absorbed_classes() const;
    /// First column of a criterion.
    [[nodiscard]] Index offset(Index criterion) const;
    /// "name=class" of every column.
    [[nodiscard]] std::vector<std::string> column_names() const;
    friend bool operator==(const Design&, const Design&) = default;
};

/// The column, or columns, of one criterion:
///   - a code 0..classes-1 per record (single);
///   - a bit mask per record, bit k set: has the k-th read class (flags; also single, then exactly one class);
///   - a 0/1 or count column per read class (flags, counts; also single, then exactly one class).
using CriterionColumn = std::variant<CodeView, std::span<const std::uint64_t>, std::vector<CodeView>>;

/// The records of a caller, borrowed: as many values in every column.
struct Rows {
    std::vector<CriterionColumn> criteria{};                     ///< as Design::criteria
    DaysColumn days{};                                           ///< insured days, 1..days_max
    std::vector<CentsColumn> cents{};                            ///< cost per category in the registered period [cents]
    std::optional<std::span<const std::uint16_t>> represents{};  ///< insured that a row stands for; absent: 1
    std::optional<CodeView> stratum{};                           ///< 0..strata-1; absent: 0

    [[nodiscard]] Index size() const { return anderhalf::size(days); }
};

/// Refuses a design that contradicts itself.
/// @throw ShapeError  every problem at once: no classes, none derived of nothing, an absorbed criterion that is not
///                    single or not last, no category or stratum, days out of range, more columns than fit memory
void check(const Design& design);

/// Refuses columns that do not fit the design or hold a value outside its range.
///
/// @param first_row   number of the first row, for messages about a part of a longer table
/// @throw ShapeError   number, kind and length of the columns (every problem at once; values are not looked at then)
/// @throw DomainError  every problem at once, each with its count and first five row numbers, never a value: class
///                     codes outside 0..classes-1; flags above 1; counts above max_count; no class or two classes where
///                     single; days outside 1..days_max; zero days with cost; represents 0; cost beyond max_cost; stratum
void check(const Design& design, const Rows& rows, Index first_row = 0);

/// The first half of `check`: number, kind and length of the columns.
/// @throw ShapeError  every problem at once
void check_shape(const Design& design, const Rows& rows);

/// The same for the classes alone, of n rows; days, cents, represents and stratum are not looked at.
void check_criteria(const Design& design, const Rows& rows, Index n);  ///< number, kind and length: ShapeError
void check_classes(const Design& design, const Rows& rows, Index n, Index first_row = 0);  ///< values too: DomainError

}  // namespace anderhalf::data
