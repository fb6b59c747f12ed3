#pragma once
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace anderhalf::metrics {

/// Two amounts per insured year, each row weighing r_i d_i / D insured years.
struct Comovement {
    double mean_first_eur = 0, mean_second_eur = 0;
    double sd_first_eur = 0, sd_second_eur = 0;  ///< population form: divided by insured years
    double correlation = 0;                      ///< NaN when one of them does not vary
};

/// Mean, standard deviation and correlation of two columns of cents. With the predicted cost of a service first and the
/// total cost second:
///
///     predictability = sd_first / mean_first          (coefficient of variation)
///     predictiveness = correlation
///     selection index = predictability * predictiveness * elasticity of demand of the service
///
/// Sums are exact integers and the variances exact rationals.
/// @throw ShapeError, DomainError  as evaluate
/// @source Ellis and McGuire, J Health Econ 26 (2007) 25-48, doi:10.1016/j.jhealeco.2006.06.004
[[nodiscard]] Comovement comovement(CentsView first, CentsView second, DaysView days,
                                    std::optional<std::span<const std::uint16_t>> represents, std::int32_t days_in_year,
                                    const Run& run);

/// Power: the share of a marginal euro of cost that the insurer bears.
///
///     power = 1 - sum r_i (payment_after_i - payment_i) / sum r_i (cost_after_i - cost_i)
///
/// @return  NaN when cost does not change
/// @throw ShapeError, DomainError  as evaluate
/// @source Geruso and McGuire, J Health Econ 47 (2016) 1-19, doi:10.1016/j.jhealeco.2016.01.007
[[nodiscard]] double power(CentsView cost, CentsView payment, CentsView cost_after, CentsView payment_after,
                           std::optional<std::span<const std::uint16_t>> represents, const Run& run);

/// Rows kept out of an estimate: all rows of a person, or none, whatever their order.
///
///     held_out[i] = (first Philox word of (seed, person[i]) < share * 2^64)
///
/// @param share  0..1 of persons, expected
/// @throw DomainError  share outside 0..1
[[nodiscard]] std::vector<std::uint8_t> held_out(std::span<const std::uint64_t> person, double share,
                                                 std::uint64_t seed);

}  // namespace anderhalf::metrics
