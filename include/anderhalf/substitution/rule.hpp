#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/record.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace anderhalf::substitution {

enum class Consult : std::uint8_t { any, yes, no };

/// Which claims: those with a positive claimed amount that meet every part. An empty list stands for any.
struct Selector {
    std::vector<Category> categories{};
    std::vector<std::uint16_t> specialisms{}, diagnoses{};
    std::vector<std::pair<std::uint32_t, std::uint32_t>> products{};  ///< first and last care product
    Consult consult = Consult::any;
    Cents min_cents = 0, max_cents = std::numeric_limits<Cents>::max();  ///< claimed, both included
    friend bool operator==(const Selector&, const Selector&) = default;

    [[nodiscard]] bool matches(const data::Claim& claim) const;
};

/// Which persons, by age, sex and the claims of the baseline.
struct Who {
    std::int32_t min_age = 0, max_age = 200;   ///< in completed years on 1 January
    std::uint8_t sex = 0;                      ///< 0 any, 1 man, 2 woman
    std::optional<Selector> has{}, has_not{};  ///< a claim of the same year; no such claim
    /// The first such claim comes in start_year + start_after or later: none in an earlier simulated year.
    /// Who is new stays new in later years.
    std::optional<Selector> onset{};
    friend bool operator==(const Who&, const Who&) = default;
};

/// What happens to a claim in reach, or, for `add`, to a person-year.
enum class Act : std::uint8_t { avoid, reprice, replace, add };
/// What a draw decides on: each claim (add: each person-year) by itself, or a person once and for all.
enum class Per : std::uint8_t { claim, person };
/// What one intervention did to one claim, for the ledger and the decomposition.
enum class Effect : std::uint8_t { avoided, replacement, added, referred_on, downstream, repriced, price_rebase };

/// A claim that follows, with a probability.
struct Consequence {
    Category category = Category::gp;
    Cents price = 0;
    std::int64_t probability_ppm = 1'000'000;
    Title title = Title::gp_care;  ///< of 1.5-line care
    Effect effect = Effect::downstream;
    std::uint16_t specialism = 0, diagnosis = 0;
    std::uint32_t product = 0;
    bool consult = false;
    std::uint16_t ddd = 0;
};

/// A rule on claims: which, of whom, what happens to them, and in which share.
///
/// avoid: the claim goes. reprice: claimed and settled times `factor`, daily doses times `ddd_factor`. replace: as avoid,
/// `with` takes its place. add: `with` once per person-year that has such a claim; without a selector, per person-year of `who`.
struct Rule {
    std::string key;
    Selector claims{};
    Who who{};
    Act act = Act::avoid;
    Per per = Per::claim;
    std::int64_t share_ppm = 0;
    std::int64_t factor_ppm = 1'000'000, ddd_factor_ppm = 1'000'000;
    std::vector<Consequence> with{};
    std::int32_t start_after = 0;          ///< years after the start of the programme; the ramp starts then
    std::vector<std::int64_t> ramp_ppm{};  ///< empty: that of the programme
};

}  // namespace anderhalf::substitution
