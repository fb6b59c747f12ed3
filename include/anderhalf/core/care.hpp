#pragma once
#include <cstddef>
#include <cstdint>

namespace anderhalf {

/// Cost categories of the claims file (the official estimation file OT-2020, plus 1.5-line care).
enum class Category : std::uint8_t {
    transport,
    gp,
    paramedical,
    drugs,
    obstetric,
    maternity,
    devices,
    dental,
    chain_care,
    hospital,
    diagnostics,
    grz,
    sensory,
    nursing,
    elv,
    ggz,
    other,
    one_and_a_half_line
};
inline constexpr std::size_t category_count = 18;

/// Payment titles of 1.5-line care (bekostigingstitel).
enum class Title : std::uint8_t { gp_care, specialist_care, designated };

/// Income sources in the order of the funnel of art. 9(5)a (aard van het inkomen).
enum class IncomeSource : std::uint8_t {
    none,
    iva,
    disabled,
    social_assistance,
    student,
    employed,
    self_employed,
    higher_educated,
    reference
};

/// Household and Wlz state behind PPA (personen per adres).
enum class HouseholdState : std::uint8_t { none, wlz_permanent, wlz_entering, one_person, other };

}  // namespace anderhalf
