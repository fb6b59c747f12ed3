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
    pharmacies,
    nursing_providers,
    rehabilitation_providers,
    short_stay_providers,
    mental_care_providers,
    wlz,
    municipality,
    premium_payers,
    government,
    resources,
    first_insurer = 100
};
inline constexpr std::array<std::string_view, 15> party_names{"fund",
                                                              "patients",
                                                              "hospitals",
                                                              "one_and_a_half_line_providers",
                                                              "gps_and_others",
                                                              "pharmacies",
                                                              "nursing_providers",
                                                              "rehabilitation_providers",
                                                              "short_stay_providers",
                                                              "mental_care_providers",
                                                              "wlz",
                                                              "municipality",
                                                              "premium_payers",
                                                              "government",
                                                              "resources"};
/// Who provides care of a category.
[[nodiscard]] Party provider(Category category);

/// Why money goes; care has a reason of its own per category: first_claims + category.
enum class Reason : std::int32_t {
    premium,
    contribution,
    own_payments,
    contract_correction,  ///< settled less claimed, by the contract of insurer and hospital
    price_rebase,         ///< what a hospital wins back through prices
    programme_cost,
    premium_response,
    macro_funding,
    production,          ///< cost of the care provided
    stranded,            ///< hospital cost that stays when production goes
    running_programmes,  ///< what the programmes themselves use up
    first_claims = 100
};
inline constexpr std::array<std::string_view, 11> reason_names{
    "premium",      "contribution",   "own_payments",      "contract_correction",
    "price_rebase", "programme_cost", "premium_response",  "macro_funding",
    "production",   "stranded",       "running_programmes"};

/// What the ledger must know of a programme.
struct Account {
    std::int64_t avoidable_ppm = 500'000;               ///< share of lost hospital revenue that is avoided cost
    Party runs = Party::one_and_a_half_line_providers;  ///< who is paid its investment and running cost
};

/// One payment in one arm: `cents` go from one party to another (negative: the other way).
struct Posting {
    std::int32_t year = 0;
    bool scenario = false;
    Party from{}, to{};
    Cents cents = 0;
    Reason reason{};
};

/// Double entry for both arms: every flow of an insurer's result, the fund's money, and the resources that care uses up.
/// `resources` receives the cost of production: what care costs society. Of hospital care that goes, the programme's
/// avoidable share is cost that goes too; the rest is stranded, the hospital's loss, less what contracts go on paying. Cost
/// of other providers follows their revenue.
/// @param programmes  one account per programme of the run
/// @throw ShapeError   another number of accounts
[[nodiscard]] std::vector<Posting> ledger(const scenario::Outcome& outcome, const std::vector<Account>& programmes);

/// Balance of a party: everything received less everything paid, in one year and arm.
[[nodiscard]] Cents balance(const std::vector<Posting>& postings, Party party, std::int32_t year, bool scenario);

/// Sum of all balances; 0 in a ledger that closes.
[[nodiscard]] Cents total_balance(const std::vector<Posting>& postings);

}  // namespace anderhalf::incentive
