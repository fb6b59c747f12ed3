#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/record.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace anderhalf::substitution {

/// Claims of one specialism that a programme may take over. No key names a criterion, class, weight or own payment.
struct Line {
    std::uint16_t specialism = 0;
    std::vector<std::uint16_t> diagnoses;                             ///< low-complexity diagnoses
    std::vector<std::pair<std::uint32_t, std::uint32_t>> products{};  ///< first and last care product; none: all
    std::int64_t refer_on_ppm = 0;  ///< share of 1.5-line patients that goes on to hospital all the same
    std::int64_t added_weight = 1;  ///< share of this specialism in added demand, relative
};

/// What follows a 1.5-line contact: an extra claim of another category with a probability.
struct Downstream {
    Category category = Category::gp;
    Cents price = 0;
    std::int64_t probability_ppm = 0;
};

/// One programme (programma): who, what is replaced by what, at which price, from when on.
struct Programme {
    std::string name;
    std::uint64_t id = 1;  ///< addresses its draws
    std::int32_t start_year = 2021;
    std::vector<std::int64_t> ramp_ppm;  ///< share of full capacity in year start, start + 1, ...; the last one stays
    std::vector<std::uint16_t> municipalities;  ///< empty: the whole country
    std::vector<std::uint16_t> insurers;        ///< that take part; empty: all
    std::vector<Line> lines;
    std::int64_t patients_ppm = 0;      ///< 1.5-line patients a year per insured, at full capacity
    std::int64_t added_demand_ppm = 0;  ///< share of these patients who replace no hospital referral
    std::int64_t consult_ppm = 0;       ///< consult-only share of the replaced products
    Cents price = 0;                    ///< of a 1.5-line contact, tests included
    Title title = Title::gp_care;
    bool same_product = false;  ///< null programme: each product is replaced by itself at its own price
    std::int64_t pass_through_ppm =
        1'000'000;  ///< share of an avoided hospital claim that the insurer saves (contract)
    std::vector<Downstream> downstream;
    std::int64_t running_cents_per_insured_year_ppm = 0;  ///< running cost per insured year of the area, cents * 10^6
    Cents investment = 0;                                 ///< once, in the first year, borne by those who take part
    std::int64_t avoidable_ppm = 500'000;                 ///< share of lost hospital revenue that is avoided cost
};

/// What one intervention did to one claim, for the ledger and the decomposition.
enum class Effect : std::uint8_t { avoided, replacement, added, referred_on, downstream };

struct Movement {
    std::uint64_t person = 0;
    std::int32_t year = 0;
    std::uint16_t insurer = 0;
    std::uint16_t specialism = 0;
    bool consult = false;
    Effect effect = Effect::avoided;
    Category category = Category::hospital;
    Cents settled = 0;  ///< change of settled cost of the insurer
    Cents claimed = 0;  ///< change of claimed cost
    std::uint16_t represents = 1;
};

/// Volumes of the area of a programme in one year, from the baseline: what capacity is measured against.
struct Volumes {
    Days insured_days = 0;
    std::int64_t consults = 0;  ///< eligible consult-only claims
    std::int64_t heavier = 0;   ///< eligible heavier claims
    std::int64_t gp_only = 0;   ///< persons with GP care and no eligible claim
};

/// Chances of one year as 64-bit thresholds of addressed draws.
struct Chances {
    std::uint64_t consult = 0, heavier = 0, added = 0;
};

/// A programme made ready: look-up of eligible claims.
class Substitution {
public:
    /// @throw ParameterError  shares outside 0..1, no lines, no ramp, a negative price
    explicit Substitution(Programme programme);

    [[nodiscard]] const Programme& programme() const { return programme_; }
    [[nodiscard]] bool active(std::int32_t year) const { return year >= programme_.start_year; }
    [[nodiscard]] bool in_area(std::uint16_t municipality) const;
    [[nodiscard]] bool takes_part(std::uint16_t insurer) const;
    [[nodiscard]] const Line* line_of(const data::Claim& claim) const;

    /// Adds one person-year to the volumes of the area: the days that it lived there, and the claims of these days.
    void count(std::span<const data::Record> records, std::span<const data::Claim> claims, Volumes& volumes) const;

    /// Chances of a year, so that the expected number of patients is patients_ppm x insured years x ramp.
    /// @throw DomainError  more patients wanted than there are eligible claims
    [[nodiscard]] Chances chances(std::int32_t year, const Volumes& volumes, Days days_in_year) const;

    /// The claims of one person-year with the programme: each claim once, by the rules of the insurer that pays it; added
    /// demand once, at the first insurer that takes part. Draws are addressed by (seed; person, year, claim).
    /// @param records  of the person in this year, all insurers
    /// @return  true when anything changed or was replaced; `out` then holds the new claims, movements the effects
    [[nodiscard]] bool apply(std::span<const data::Record> records, std::int32_t year,
                             std::span<const data::Claim> claims, const Chances& chances, std::uint64_t seed,
                             std::vector<data::Claim>& out, std::vector<Movement>& movements) const;

private:
    Programme programme_;
    std::vector<std::uint16_t> municipalities_, insurers_;
    std::int64_t added_weight_ = 0;
};

}  // namespace anderhalf::substitution
