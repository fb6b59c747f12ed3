#pragma once
#include <cstdint>

namespace anderhalf {

/// Days from 1970-01-01 to 1 January of a year, Gregorian calendar, 1901..2099.
[[nodiscard]] constexpr std::int32_t first_day_of(std::int32_t year) {
    const std::int32_t past = year - 1970;
    return 365 * past + (past + 1) / 4;
}

[[nodiscard]] constexpr std::int32_t days_in(std::int32_t year) { return first_day_of(year + 1) - first_day_of(year); }

/// Calendar year of a day number.
[[nodiscard]] constexpr std::int32_t year_of(std::int32_t day) {
    std::int32_t year = 1970 + day / 366;
    while (first_day_of(year + 1) <= day) ++year;
    return year;
}

}  // namespace anderhalf
