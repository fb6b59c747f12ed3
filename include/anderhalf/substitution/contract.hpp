#pragma once
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace anderhalf::substitution {

/// How an insurer pays a hospital whose production falls (contractvorm). Claimed cost does not depend on it.
enum class ContractKind : std::uint8_t {
    fee,          ///< per product: the insurer saves `pass_through` of the fall
    ceiling,      ///< plafond: production above it is not paid, so that only the fall below it is saved
    lump_sum,     ///< aanneemsom: as fee, with a low `pass_through`
    price_rebase  ///< as fee, and the hospital wins part of its lost revenue back through prices
};

/// A contract of one or all insurers with the hospital of the programme's area. It holds for all programmes of a run.
struct Contract {
    std::string hospital{};
    std::vector<std::uint16_t> insurers{};  ///< empty: all
    ContractKind kind = ContractKind::fee;
    std::int64_t pass_through_ppm =
        1'000'000;                      ///< share of the fall in production that the insurer saves; not of a ceiling
    std::int64_t over_ceiling_ppm = 0;  ///< baseline production above what is paid, as a share of it
    std::int64_t rebase_ppm = 500'000;  ///< share of lost revenue that is won back, on claims left
    std::int32_t rebase_years = 3;      ///< in so many years after, in equal parts
    std::int32_t from_year = 0, to_year = 9999;  ///< both included
};

}  // namespace anderhalf::substitution
