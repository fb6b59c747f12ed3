#pragma once
#include <cstdint>
#include <vector>

namespace anderhalf::risk {

/// Reference files (referentiebestanden): which care leads to which class. Our stand-in, or Zorginstituut's own files.
struct Mapping {
    /// A drug group counts towards an FKG (variable share) and/or a GGZ-FKG. A row per class when it counts towards several.
    struct Drug {
        std::uint32_t drug = 0;              ///< Claim::product of category drugs
        std::int32_t fkg = 0;                ///< code, 0 none
        std::int32_t ggz_fkg = 0;            ///< code, 0 none
        std::int32_t min_ddd = 180;          ///< more than this many DDD of all drugs of the class in the data year
        std::int32_t min_prescriptions = 0;  ///< instead of DDD when > 0: at least this many
        /// The same for the GGZ-FKG alone, when > 0 (2015, depot: one prescription; Beleidsregels 2015 art. 5(15)).
        std::int32_t ggz_min_prescriptions = 0;
        /// GGZ-FKG of who reaches `ggz_fkg` and has one prescription of this drug (2015, bipolar complex; art. 5(16)).
        std::int32_t ggz_indicated = 0;
        /// Calendar year in which the drug stopped being an expensive in-hospital drug (add-on), 0 never: no FKG in the
        /// equalization years after it that the model year names (2019, 2020: art. 9(3)).
        std::int32_t ended_addon = 0;
    };
    /// Specialism x diagnosis to a dx group, and the dx group to a DKG.
    struct Diagnosis {
        std::uint16_t specialism = 0;
        std::uint16_t diagnosis = 0;
        std::uint16_t dx_group = 0;
        std::int32_t dkg = 0;            ///< code of criterion dkg (2015, 2021)
        std::int32_t dkg_primary = 0;    ///< code of criterion dkg_primary (2019, 2020)
        std::int32_t dkg_secondary = 0;  ///< code of criterion dkg_secondary
        bool light = false;              ///< low-complexity diagnosis: only a share of its products lead to the group
    };
    /// A care product that leads to a dx group whatever the diagnosis (Claim::product of category hospital).
    struct CareProduct {
        std::uint32_t product = 0;
        std::uint16_t dx_group = 0;
        std::int32_t dkg = 0;
        std::int32_t dkg_primary = 0;
        std::int32_t dkg_secondary = 0;
    };
    struct Device {
        std::uint32_t device = 0;  ///< Claim::product of category devices
        std::int32_t hkg = 0;
    };
    struct Physiotherapy {
        std::uint16_t diagnosis = 0;  ///< Claim::diagnosis of category paramedical
        std::int32_t fdg = 0;
    };
    /// GGZ claims: diagnosis carries the intensity of treatment in the data years.
    struct MentalCare {
        std::uint16_t diagnosis = 0;
        std::int32_t ggz_dkg = 0;
    };
    std::vector<Drug> drugs;
    std::vector<Diagnosis> diagnoses;
    std::vector<CareProduct> care_products;
    std::vector<std::uint32_t> consults;  ///< care products that never lead to a dx group, beside claims marked so
    std::vector<Device> devices;
    std::vector<Physiotherapy> physiotherapy;
    std::vector<MentalCare> mental_care;
    /// V&V-region of each region 1..10 (clusters of postcodes); empty without the criterion nursing_region (2015 has it).
    std::vector<std::int32_t> nursing_region;
    /// Share (percent) of the heavier products of a light diagnosis that lead to its dx group: product % 100 < share.
    std::int32_t light_product_percent = 15;
};

}  // namespace anderhalf::risk
