#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/data/columns.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace anderhalf::estimation {

/// The two numbers that drive the speed of an accumulation.
struct Work {
    double entries_per_record = 0;  ///< classes other than the commonest one of their criterion, per record
    Index cells = 0;                ///< occupied combinations of the dense criteria
};

/// Rows that one thread takes at a time, and how they are grouped. Part of no result: the sums are integers.
struct Grid {
    Index chunk = 65'536;
};

/// Moments of plain columns, in one pass.
///
/// @param work  when given, receives the two numbers that drive the speed
/// @throw ShapeError   number, kind and length of the columns
/// @throw DomainError  every problem of the rows at once, see data::check; a sum beyond 64 bits
[[nodiscard]] Moments accumulate(const data::Design& design, const data::Rows& rows, const Run& run,
                                 Work* work = nullptr, const Grid& grid = {});

/// The classes of a table, encoded once: for estimates that share them (other costs, other days, other weights).
class Encoded {
public:
    [[nodiscard]] const data::Design& design() const;
    [[nodiscard]] Index rows() const;
    [[nodiscard]] Index cells() const;    ///< occupied combinations of the dense criteria
    [[nodiscard]] Index entries() const;  ///< classes other than the commonest one of their criterion
    [[nodiscard]] std::size_t bytes_used() const;
    [[nodiscard]] Work work() const;

    struct Data;
    explicit Encoded(std::shared_ptr<const Data> data) : data_{std::move(data)} {}
    [[nodiscard]] const Data& data() const { return *data_; }

private:
    std::shared_ptr<const Data> data_;
};

/// Encodes the classes of a table; days, cents, represents and stratum are not looked at.
/// @throw ShapeError, DomainError  as accumulate
[[nodiscard]] Encoded encode(const data::Design& design, const data::Rows& rows, const Run& run, const Grid& grid = {});

/// Moments of encoded classes: the same integers as `accumulate` of the plain columns.
/// @param cents  a column per category
/// @throw ShapeError   columns of another number or length than the encoded rows
/// @throw DomainError  as accumulate
[[nodiscard]] Moments accumulate(const Encoded& encoded, const DaysColumn& days, const std::vector<CentsColumn>& cents,
                                 const std::optional<std::span<const std::uint16_t>>& represents,
                                 const std::optional<CodeView>& stratum, const Run& run);

/// X'WX with integer weights, over all strata: result[j * columns + k] = sum_i weight_i x_ij x_ik.
///
/// @param weight  (n) of any sign
/// @return        (columns * columns), full
/// @throw ShapeError, DomainError  as accumulate
[[nodiscard]] std::vector<std::int64_t> gram(const data::Design& design, const data::Rows& rows,
                                             std::span<const std::int64_t> weight, const Run& run,
                                             const Grid& grid = {});

}  // namespace anderhalf::estimation
