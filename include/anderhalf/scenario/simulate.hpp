#pragma once
#include <anderhalf/payment/statement.hpp>
#include <anderhalf/scenario/baseline.hpp>
#include <anderhalf/substitution/programme.hpp>

#include <array>
#include <bitset>
#include <span>
#include <string_view>
#include <vector>

namespace anderhalf::scenario {

/// Channels of the decomposition, in their fixed order (model.md section 8).
enum class Channel : std::uint8_t {
    a1_hospital_avoided,
    a2_replacement,
    a3_downstream,
    b_own_payments,
    c1_classes,
    c2_thresholds,
    d_expected_own_payments,
    e1_neutrality,
    e2_scaling,
    f_weights,
    g_macro,
    h_settlement,
    i_transfers,
    j_premium
};
inline constexpr std::size_t channel_count = 14;
inline constexpr std::array<std::string_view, channel_count> channel_names{"a1_hospital_avoided",
                                                                           "a2_replacement",
                                                                           "a3_downstream",
                                                                           "b_own_payments",
                                                                           "c1_classes",
                                                                           "c2_thresholds",
                                                                           "d_expected_own_payments",
                                                                           "e1_neutrality",
                                                                           "e2_scaling",
                                                                           "f_weights",
                                                                           "g_macro",
                                                                           "h_settlement",
                                                                           "i_transfers",
                                                                           "j_premium"};
using Channels = std::bitset<channel_count>;

/// Revenue and cost of each insurer in one year; all vectors by insurer, in cents.
struct Settlement {
    std::vector<Cents> variable, ggz, fixed, nursing, premium_deducted, expected_own_payments, administration;
    std::vector<Cents>
        contribution;  ///< variable + ggz + fixed + nursing - premium_deducted - expected_own_payments + administration
    std::vector<Cents> premium, own_payments, claims, programme_cost, premium_response;
    std::vector<Cents> result;  ///< premium + contribution + own_payments - claims - programme_cost + premium_response
    Cents calculation_premium = 0;
    Cents variable_target = 0, ggz_target = 0;
    double variable_factor = 1, ggz_factor = 1;
    // What the target of the variable share is made of, for a check by other code: N x C/N' - phi (C - N').
    Int128 variable_normative = 0, scaled_normative = 0;  ///< N and N', micro-euro x days
    Cents variable_cost = 0;                              ///< C
    friend bool operator==(const Settlement&, const Settlement&) = default;
};

/// Movements of claims added up.
struct MovementTotal {
    std::int32_t year = 0;
    std::uint16_t insurer = 0, specialism = 0;
    bool consult = false;
    substitution::Effect effect{};
    Category category{};
    std::int64_t claims = 0;  ///< represented
    Cents settled = 0, claimed = 0;
    std::int64_t persons = 0;     ///< rows of the sample, each person once
    std::uint16_t programme = 0;  ///< position in the list of the run
    std::uint16_t rule = 0;       ///< 0: the lines of the centre; k + 1: rule k
    friend bool operator==(const MovementTotal&, const MovementTotal&) = default;
};

/// Change of one class through own claims at baseline thresholds (channel c1).
struct ClassChange {
    std::int32_t year = 0;
    std::uint16_t insurer = 0;
    Index column = 0;  ///< of the variable share
    Days days_lost = 0, days_won = 0;
    std::int64_t persons = 0;  ///< rows of the sample, each person once
    friend bool operator==(const ClassChange&, const ClassChange&) = default;
};

/// Channel c1 of one criterion, by insurer: what records lose by and what they gain by, as steps of full settlements.
struct CriterionEffect {
    Index criterion = 0;  ///< in the layout of the variable share, then in that of the GGZ share
    std::vector<Cents> loss, gain;
    friend bool operator==(const CriterionEffect&, const CriterionEffect&) = default;
};

struct YearOutcome {
    std::int32_t year = 0;
    Settlement baseline, scenario;
    std::vector<std::array<Cents, channel_count>> forward, reverse;  ///< by insurer; each sums to the change in result
    std::vector<CriterionEffect> criteria;               ///< of c1 in the forward walk; those that move; they sum to it
    std::vector<GapCell> gap;                            ///< with the programme; empty when no municipality is asked
    std::vector<MicroEuro> weight_change;                ///< scenario - baseline, variable share
    std::vector<risk::Line> baseline_mhk, scenario_mhk;  ///< lines of this cost year
    std::vector<std::int64_t> insured,
        reached;                         ///< by insurer, persons of the sample: all, and those whose claims moved
    std::int64_t persons_regrouped = 0;  ///< rows whose classes were looked at again
    bool full_pass = false;              ///< a line left its band: the source was read again with wider bands
    std::vector<Cents> category_claims_base, category_claims;  ///< [insurer * category_count + category], settled
    std::vector<Cents> contract_correction;  ///< by insurer, of it: hospital care settled less claimed, rebase apart
    std::vector<Cents> price_rebase;         ///< by insurer, of it: what hospitals win back through prices
    std::vector<std::vector<Cents>> programme_cost_by;  ///< [programme][insurer]
    Cents macro_change = 0;                             ///< change of the macro amount of the variable share
    Cents hospital_avoided_claimed = 0;                 ///< claimed value of hospital claims that did not take place
    std::vector<Cents> hospital_avoided_by;             ///< of it, by programme
    friend bool operator==(const YearOutcome&, const YearOutcome&) = default;
};

struct Outcome {
    std::vector<YearOutcome> years;
    std::vector<MovementTotal> movements;
    std::vector<ClassChange> classes;
    std::int64_t patients = 0, replaced = 0, referred_on = 0, added = 0;  ///< represented, all years
    std::int64_t patients_rows = 0;                                       ///< sampled rows behind `patients`
    std::int64_t touched_person_years = 0;
    bool decomposed = true;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// A person-year that a programme could change.
struct Candidate {
    std::uint32_t person = 0;  ///< index of the panel
    std::int32_t year = 0;
    std::int32_t onset = -1;       ///< row of Area::onset
    std::uint64_t programmes = 0;  ///< a bit per programme that could; the last one stands for all from the 64th on
    [[nodiscard]] static constexpr std::uint64_t bit(std::size_t programme) {
        return std::uint64_t{1} << (programme < 63 ? programme : 63);
    }
};

/// What can be prepared once for programmes that share area (and hand-over), lines, whom and which claims their rules select,
/// and whether they have contracts.
struct Area {
    std::vector<std::vector<substitution::Volumes>> volumes;  ///< by programme and simulated year
    /// Settled hospital claims of the baseline, by programme, simulated year and insurer; nothing of one without contracts.
    std::vector<std::vector<std::vector<Cents>>> hospital;
    std::vector<std::size_t> rules;     ///< how many, by programme
    std::vector<Candidate> candidates;  ///< by year, then person
    /// First years of onset, a row per person with any: by programme and rule, 0 for none.
    std::vector<std::int32_t> onset;
};
/// Looks once at who is in the areas of programmes, and whom and which claims each could reach.
/// @throw ParameterError  an area that a lean baseline does not keep
[[nodiscard]] Area survey(const Baseline& baseline, std::span<const substitution::Substitution> programmes,
                          const Run& run = {});

/// The world with programmes, on the same persons and the same draws, and what it means for each insurer and year. They act in
/// the order given, each on claims as the ones before left them, so that what two of them would take counts once.
/// @param area       a survey of the baseline for these programmes, or for such that share what an Area says
/// @param decompose  false: only both arms, no channels (for sweeps)
/// @throw ParameterError  a model year that needs_statement: its rules have no channel; no programmes, two of one id, one that
///                        starts before the years simulated; an insurer that the options do not know; two contracts of one
///                        insurer, area and year; an area that a lean baseline does not keep
/// @throw ShapeError      an area of other programmes, persons or years
/// @throw DomainError     a centre that wants more patients than there are eligible; a claim that a factor makes too large
[[nodiscard]] Outcome simulate(const Baseline& baseline, std::span<const substitution::Substitution> programmes,
                               const Area& area, bool decompose, const Run& run);

/// Claims of one category of all insurers.
[[nodiscard]] Cents national_claims(const std::vector<Cents>& category_claims, Category category);

/// Does a model year have rules that only payment::pay knows: a nursing share of its own, bandwidths, high-cost
/// compensation of other shares than mental care, weights of insured abroad, insured in detention?
[[nodiscard]] bool needs_statement(const params::Model& model);

/// The final settlement of a year, or its grant, as payment::pay states it; `ex_post` expects as the options say.
[[nodiscard]] payment::Statement state(const Baseline& baseline, std::int32_t year, payment::Stage stage);

/// Settlement of one year of an arm that has no programme: what `anderhalf pay --stage ex_post` shows.
[[nodiscard]] Settlement settle_baseline(const Baseline& baseline, std::int32_t year);

/// Ex ante contributions of one year: official weights x insured years, never scaled.
[[nodiscard]] Settlement ex_ante_baseline(const Baseline& baseline, std::int32_t year);

/// What payment::pay needs of a year: the second way to both of the above.
[[nodiscard]] payment::Totals payment_totals(const YearTotals& totals);

/// Stage, rounding and expected counts under which the baseline is paid in a year.
[[nodiscard]] payment::Terms payment_terms(const Baseline& baseline, std::int32_t year, payment::Stage stage);

/// Totals of a year with the programmes by a full pass over all persons: the second way to the same integers.
/// @throw ParameterError  a lean baseline
[[nodiscard]] ArmYear full_pass(const Baseline& baseline, std::span<const substitution::Substitution> programmes,
                                const Area& area, std::int32_t year);

}  // namespace anderhalf::scenario
