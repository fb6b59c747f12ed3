#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/record.hpp>
#include <anderhalf/substitution/contract.hpp>
#include <anderhalf/substitution/rule.hpp>

#include <cstdint>
#include <optional>
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
    /// What of it takes place. A part left out stays as it is, and all other draws with it: what the part brings.
    bool consults = true, heavier = true, added = true;
};

/// What follows a 1.5-line contact: an extra claim of another category with a probability.
struct Downstream {
    Category category = Category::gp;
    Cents price = 0;
    std::int64_t probability_ppm = 0;
};

inline constexpr std::size_t most_rules = 4'095, most_programmes = 1'023;  ///< of a programme; of a run

/// One programme (programma): who, what is replaced by what, at which price, from when on. It is a centre (`lines`), rules on
/// claims, or both; the centre comes first, then the rules in order.
struct Programme {
    std::string name;
    std::uint64_t id = 1;  ///< addresses its draws
    std::int32_t start_year = 2021;
    std::optional<std::int32_t> end_year{};  ///< the last one; claims of later years are those of the baseline again
    std::vector<std::int64_t> ramp_ppm;  ///< share of full capacity in year start, start + 1, ...; the last one stays
    std::vector<std::uint16_t> municipalities;              ///< empty: the whole country
    std::optional<std::int32_t> hand_over_year{};           ///< from this year on the area is another one
    std::vector<std::uint16_t> hand_over_municipalities{};  ///< that one
    std::vector<std::uint16_t> insurers;                    ///< that take part; empty: all
    std::vector<Line> lines;
    std::int64_t patients_ppm = 0;      ///< 1.5-line patients a year per insured, at full capacity
    std::int64_t added_demand_ppm = 0;  ///< share of these patients who replace no hospital referral
    std::int64_t consult_ppm = 0;       ///< consult-only share of the replaced products
    Cents price = 0;                    ///< of a 1.5-line contact, tests included
    Title title = Title::gp_care;
    bool same_product = false;  ///< null programme: each product is replaced by itself at its own price
    std::int64_t pass_through_ppm =
        1'000'000;  ///< share of an avoided hospital claim that the insurer saves when no contract says another
    std::vector<Downstream> downstream;
    std::int64_t running_cents_per_insured_year_ppm = 0;  ///< running cost per insured year of the area, cents * 10^6
    Cents investment = 0;                                 ///< once, in the first year, borne by those who take part
    std::int64_t avoidable_ppm = 500'000;                 ///< share of lost hospital revenue that is avoided cost
    std::vector<Rule> rules{};
    std::vector<Contract> contracts{};
};

/// A change of one claim.
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
    std::uint16_t programme = 0;  ///< position in the list of a run
    std::uint16_t rule = 0;       ///< 0: the lines of the centre; k + 1: rules[k]
};

/// Production that a hospital lost with one claim: what a contract of the insurer goes by.
struct Fall {
    data::Claim claim;               ///< as it was
    Cents cents = 0;                 ///< of its settled amount
    std::uint16_t municipality = 0;  ///< of the bearer
    std::size_t movement = 0;        ///< that says so
};

/// What a contract goes on paying of a fall: settled without being claimed, so that it counts for no class and no deductible.
/// @throw DomainError  more than a claim can hold
[[nodiscard]] data::Claim kept_of(const data::Claim& claim, Cents kept);

/// Claims of one person-year on their way through the programmes of a run.
struct Claims {
    std::vector<data::Claim> claim;
    std::vector<std::uint8_t> made;  ///< by claim: 1 when a programme made it, so that no programme selects it again
    void take(std::span<const data::Claim> claims) {
        claim.assign(claims.begin(), claims.end());
        made.assign(claims.size(), 0);
    }
    void push(const data::Claim& c, bool by_programme) {
        claim.push_back(c);
        made.push_back(by_programme ? 1 : 0);
    }
};

/// One person in one year of the baseline.
struct PersonYear {
    std::span<const data::Record> records;  ///< all insurers
    std::int32_t year = 0;
    std::span<const data::Claim> claims;
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
    std::vector<std::uint64_t> rules{};  ///< by rule; the largest number is certainty
};

/// A programme made ready: look-up of claims.
class Substitution {
public:
    /// @throw ParameterError  shares outside 0..1, neither lines nor rules, no ramp, a negative price, ...: all at once
    explicit Substitution(Programme programme);

    [[nodiscard]] const Programme& programme() const { return programme_; }
    [[nodiscard]] bool active(std::int32_t year) const {
        return year >= programme_.start_year && (!programme_.end_year || year <= *programme_.end_year);
    }
    [[nodiscard]] bool in_area(std::uint16_t municipality, std::int32_t year) const {
        const auto& area = programme_.hand_over_year && year >= *programme_.hand_over_year ? hand_over_ : area_;
        return area.empty() || (municipality < area.size() && area[municipality] != 0);
    }
    [[nodiscard]] bool takes_part(std::uint16_t insurer) const;
    [[nodiscard]] const Line* line_of(const data::Claim& claim) const;

    /// Adds one person-year to the volumes of the area: the days that it lived there, and the claims of these days.
    void count(std::span<const data::Record> records, std::span<const data::Claim> claims, Volumes& volumes) const;

    /// Could the programme change this person-year? Looks at place, persons and claims, not at dates, shares or prices.
    /// @param onset  as in apply
    [[nodiscard]] bool candidate(const PersonYear& of, std::span<const std::int32_t> onset) const;

    /// Chances of a year, so that the expected number of patients is patients_ppm x insured years x ramp.
    /// @throw DomainError  more patients wanted than there are eligible claims
    [[nodiscard]] Chances chances(std::int32_t year, const Volumes& volumes, Days days_in_year) const;

    /// Lets the programme happen to one person-year: each claim once, by the rules of the insurer that pays it; added
    /// demand once, at the first insurer that takes part. Draws are addressed by (seed; person, year and claim, programme,
    /// rule), so that they depend on nothing else.
    /// @param onset      by rule, the first year with a claim that its `onset` selects; 0 when there is none
    /// @param claims     as earlier programmes left them; changed in place
    /// @param movements  the effects, added to; `programme` is left 0
    /// @param falls      lost production, added to: what the insurer saves of it is for its contract to say
    /// @return           true when anything changed or was replaced
    /// @throw DomainError  a claim that its factor makes larger than a claim can be
    bool apply(const PersonYear& of, const Chances& chances, std::span<const std::int32_t> onset, std::uint64_t seed,
               Claims& claims, std::vector<Movement>& movements, std::vector<Fall>& falls) const;

    /// The same with this programme alone and its own pass-through.
    /// @return  true when anything changed or was replaced; `out` then holds the new claims, movements the effects
    [[nodiscard]] bool apply(std::span<const data::Record> records, std::int32_t year,
                             std::span<const data::Claim> claims, const Chances& chances, std::uint64_t seed,
                             std::vector<data::Claim>& out, std::vector<Movement>& movements) const;

    /// What the insurer goes on paying of a fall when no contract says another.
    [[nodiscard]] Cents kept_without_contract(Cents fall) const {
        return fall * (1'000'000 - programme_.pass_through_ppm) / 1'000'000;
    }

private:
    bool centre(const PersonYear& of, const data::Record& record, const Chances& chances, std::uint64_t seed,
                Claims& claims, std::vector<Movement>& movements, std::vector<Fall>& falls) const;
    bool follow(std::size_t k, const PersonYear& of, const data::Record& record, const Chances& chances,
                std::span<const std::int32_t> onset, std::uint64_t seed, Claims& claims,
                std::vector<Movement>& movements, std::vector<Fall>& falls) const;
    [[nodiscard]] bool reaches(const Rule& rule, std::int32_t onset, const PersonYear& of) const;

    Programme programme_;
    std::vector<std::uint8_t> area_, hand_over_;  ///< by municipality: 1 inside; empty: everywhere
    std::vector<std::uint16_t> insurers_;
    std::vector<std::uint32_t> categories_;  ///< by rule, a bit per category that it selects
    std::int64_t added_weight_ = 0;
};

}  // namespace anderhalf::substitution
