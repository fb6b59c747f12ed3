#pragma once
#include <anderhalf/scenario/simulate.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace anderhalf::incentive {

/// Parties of the ledger; insurer i of the options is party first_insurer + i.
enum class Party : std::int32_t {
    fund,
    patients,
    hospitals,
    one_and_a_half_line_providers,
    gps_and_others,
    wlz,
    municipality,
    premium_payers,
    government,
    resources,
    first_insurer = 100
};
inline constexpr std::array<std::string_view, 10> party_names{
    "fund",           "patients", "hospitals",    "one_and_a_half_line_providers",
    "gps_and_others", "wlz",      "municipality", "premium_payers",
    "government",     "resources"};

enum class Reason : std::int32_t {
    premium,
    contribution,
    own_payments,
    claims_hospital,
    claims_one_and_a_half_line,
    claims_other,
    programme_cost,
    premium_response,
    macro_funding,
    production_hospital,
    production_one_and_a_half_line,
    production_other
};
inline constexpr std::array<std::string_view, 12> reason_names{"premium",
                                                               "contribution",
                                                               "own_payments",
                                                               "claims_hospital",
                                                               "claims_one_and_a_half_line",
                                                               "claims_other",
                                                               "programme_cost",
                                                               "premium_response",
                                                               "macro_funding",
                                                               "production_hospital",
                                                               "production_one_and_a_half_line",
                                                               "production_other"};

/// One payment in one arm: `cents` go from one party to another (negative: the other way).
struct Posting {
    std::int32_t year = 0;
    bool scenario = false;
    Party from{}, to{};
    Cents cents = 0;
    Reason reason{};
};

/// Double entry for both arms: every flow of an insurer's result, the fund's money, and the resources that care uses up.
/// `resources` receives the cost of production: what care costs society. A hospital that loses revenue avoids the
/// programme's avoidable share of it; the rest is stranded cost, the hospital's loss.
/// @param avoidable_ppm  by programme, share of lost hospital revenue that is avoided cost
[[nodiscard]] std::vector<Posting> ledger(const scenario::Outcome& outcome, const params::Model& model,
                                          std::span<const std::int64_t> avoidable_ppm);

/// Balance of a party: everything received less everything paid, in one year and arm.
[[nodiscard]] Cents balance(const std::vector<Posting>& postings, Party party, std::int32_t year, bool scenario);

/// Sum of all balances; 0 in a ledger that closes.
[[nodiscard]] Cents total_balance(const std::vector<Posting>& postings);

}  // namespace anderhalf::incentive
