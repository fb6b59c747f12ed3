#pragma once
#include <anderhalf/core/types.hpp>

#include <array>
#include <cstdint>

namespace anderhalf::risk {

inline constexpr std::size_t dkg_codes = 32;  ///< room for DKG codes 1..31

/// What one person's claims of one calendar year mean for the classes of later years and for cost.
struct CareYear {
    Cents mhk_cost = 0;                         ///< variable cluster without the categories left out of MHK
    Cents nursing_cost = 0;                     ///< claimed, nursing and personal care (V&V)
    Cents ggz_cost = 0;                         ///< geneeskundige GGZ
    std::array<Cents, 3> historic_cost{};       ///< claimed, in the categories of MFK, IBZ and HHK
    std::uint64_t fkg = 0;                      ///< bit code - 1, exclusions not yet applied
    std::uint32_t hkg = 0;                      ///< bit code - 1
    std::uint32_t ggz_fkg = 0;                  ///< bit code - 1, exclusions not yet applied
    std::uint8_t fdg = 0;                       ///< highest code
    std::uint8_t ggz_dkg = 0;                   ///< highest code
    std::uint8_t dkg_primary = 0;               ///< highest code
    std::uint8_t dkg_secondary = 0;             ///< highest code
    std::uint8_t residents = 0;                 ///< insured at the address, 255 or more is 255; 0 not known
    std::uint8_t whole_year = 0;                ///< 1 when the person is insured on every day of this year
    std::uint8_t insured = 0;                   ///< 1 when the person has an insured day in this year
    std::array<std::uint8_t, dkg_codes> dkg{};  ///< number of distinct dx groups per code

    friend bool operator==(const CareYear&, const CareYear&) = default;
};

}  // namespace anderhalf::risk
