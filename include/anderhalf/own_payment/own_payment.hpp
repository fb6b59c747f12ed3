#pragma once
#include <anderhalf/core/types.hpp>

#include <algorithm>

namespace anderhalf::own_payment {

/// Own payment (eigen betaling) of an adult in one insured period.
///
///     result = min(round((mandatory + voluntary) * days / days_in_year), max(eligible, 0))
///
/// @param mandatory, voluntary  deductible of a full year [cents]
/// @param eligible              claimed cost under the deductible in the period [cents]
/// @param days                  insured days of the period
/// @return                      [cents], rounded half up
/// @source Zorgverzekeringswet art. 19-22; Besluit zorgverzekering art. 2.17
[[nodiscard]] constexpr Cents realised(Cents mandatory, Cents voluntary, Cents eligible, Days days, Days days_in_year) {
    const Cents limit = (2 * (mandatory + voluntary) * days + days_in_year) / (2 * days_in_year);
    return std::clamp<Cents>(eligible, 0, limit);
}

}  // namespace anderhalf::own_payment
