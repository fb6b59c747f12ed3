#pragma once
#include <anderhalf/scenario/simulate.hpp>

#include <optional>
#include <vector>

namespace anderhalf::incentive {

/// What substitution does to a set of insurers over the horizon.
struct Measures {
    Cents npv = 0;     ///< discounted change of their result
    Cents saving = 0;  ///< discounted fall of their claims (channels a1-a3)
    Cents undiscounted = 0;
    double kept_share = 0;  ///< npv / saving; NaN when nothing is saved
    double power = 0;       ///< 1 - d contribution / d claims, discounted; NaN when claims do not move
    std::optional<std::int32_t> payback_year;  ///< first year from which the cumulated change stays at or above 0
    std::vector<Cents> by_year;                ///< change of result
};

/// @param insurers       positions in Options::insurers
/// @param discount_rate  per year, of whole years since the first
[[nodiscard]] Measures measures(const scenario::Outcome& outcome, const std::vector<Index>& insurers,
                                double discount_rate);

}  // namespace anderhalf::incentive
