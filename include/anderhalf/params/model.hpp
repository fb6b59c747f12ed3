#pragma once
#include <anderhalf/core/care.hpp>
#include <anderhalf/core/types.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace anderhalf::params {

/// Clusters of performances (clusters van prestaties), Besluit zorgverzekering art. 3.1 and following.
/// `specialist` and `other_care`: 2012-2014, instead of `variable`; part of `specialist` is fixed cost.
enum class Cluster : std::uint8_t { variable, fixed, ggz, none, nursing, specialist, other_care };

/// How the classes of a criterion (vereveningscriterium) are given to an insured person.
enum class Assignment : std::uint8_t {
    single,  ///< exactly one class (art. 9(1): the highest)
    all,     ///< every class that applies, once (FKG, HKG)
    count    ///< every class that applies, as often as it applies (DKG 2021, art. 9(4)a)
};

/// One class (klasse) of a criterion with its weight (normbedrag) and where it applies.
struct RiskClass {
    std::int32_t code = 0;  ///< in the order of the regulation's table; 0 is the class "none"
    std::string key;        ///< stable English key, e.g. "diabetes_2_hypertension"
    std::string label;      ///< as printed, in Dutch
    MicroEuro weight = 0;   ///< per insured year
    std::string source;     ///< annex and table
    // Where the class applies; only the fields that the criterion uses are set.
    std::int32_t sex = 0;             ///< 1 man, 2 woman, 0 both
    std::int32_t age_min = 0;         ///< on the reference date, included
    std::int32_t age_max = 999;       ///< included
    std::int32_t born = 0;            ///< age 0 only: 1 born in the equalization year, 2 born in the year before
    std::int32_t group = 0;           ///< avi: IncomeSource; ses: 1..4; ppa: HouseholdState; region: cluster 1..10
    std::int32_t years = 0;           ///< mhk, ggz_mhk: number of data years that must lie above the threshold
    std::int32_t top_per_myriad = 0;  ///< mhk, mvv, ggz_mhk: top share of insured, 1/10,000 (top 1.5% = 150)
    std::int32_t of_years = 0;        ///< out of how many preceding data years; 0: all of the criterion
    std::int32_t min_cents = 0;       ///< ggz_mhk: costs must exceed this too, and the ranking is among those
    std::int32_t young_below = 0;     ///< ggz_mhk: below this age `young_years` replaces `years`; 0: no such rule
    std::int32_t young_years = 0;     ///< ggz_mhk: footnote to tables 2.8 and 3.8
    bool printed = true;              ///< false: no weight in print, neutrality of the settlement makes it; weight 0
};

/// When both classes apply to a person, `drop` is not assigned (art. 9(2)).
struct Exclusion {
    std::int32_t keep = 0;
    std::int32_t drop = 0;
};

struct Criterion {
    std::string name;  ///< age_sex, fkg, dkg, ...; GGZ criteria begin with ggz_
    Assignment assignment = Assignment::single;
    std::int32_t first_code = 0;     ///< 0 when the criterion has a class "none", else 1
    std::vector<RiskClass> classes;  ///< position = code - first_code
    std::vector<Exclusion> exclusions;
    std::vector<std::int32_t> data_years;  ///< years before t whose care decides: {1}; MHK {1,2,3}; demography {0}
    bool age_bands_zero_sum = false;       ///< zero-sum per age band (AVI, SES, PPA) instead of as a whole
    std::vector<std::string> of{};         ///< hsm: membership of these criteria in the data year decides
    std::array<bool, category_count> categories{};  ///< mfk, ibz, hhk: cost of these categories decides
};

/// A share (deelbedrag) or the deductible model: its criteria in the order of the annex.
struct Share {
    std::string name;  ///< variable, ggz, ggz_hcc, deductible, nursing; *_ex_post; those of Model::historical
    std::vector<Criterion> criteria;
};

/// How a criterion is made neutral ex post (criteriumneutraliteit, art. 11(4)-(13), 17(3)).
enum class Neutrality : std::uint8_t {
    class_totals,  ///< every class: w' = w x expected count / realised count
    zero_sum,      ///< `reset` classes: they and `of` (none named: all others) sum to zero over realised counts
    offset         ///< `reset` classes shift by one amount that cancels the euro surprise of the `of` classes
};

struct NeutralityRule {
    std::string share;  ///< as Share::name
    std::string criterion;
    Neutrality rule = Neutrality::zero_sum;
    std::vector<std::int32_t> reset;  ///< codes; for class_totals empty
    std::vector<std::int32_t> of;     ///< codes; for offset, and for zero_sum over a part of the classes
    std::string article;
};

/// Moments at which a contribution is determined (toekenning, voorlopige vaststellingen, vaststelling).
enum class Stage : std::uint8_t { ex_ante, first_provisional, second_provisional, final };

/// What a step adds to the contribution or takes from it.
enum class Item : std::uint8_t {
    normative,                ///< weights x insured years; fixed cost: the amount before settlement
    neutrality,               ///< criteriumneutraliteit
    scaling,                  ///< realised / normative national cost
    flat_step,                ///< difference of both, per adult
    high_cost_compensation,   ///< hogekostencompensatie: what is received
    high_cost_financing,      ///< what all insurers pay for it
    bandwidth,                ///< bandbreedteregeling
    settled_cost,             ///< nacalculatie of fixed cost
    calculation_premium,      ///< nominale rekenpremie
    expected_own_payments,    ///< normatieve opbrengst van het verplicht eigen risico
    own_payments_neutrality,  ///< its criteriumneutraliteit
    own_payments_macro,       ///< its macro correction (Bzv 3.19(3))
    detained,                 ///< premium and own payments of insured in detention (Zvw 24)
    administration            ///< uitvoeringskosten of insured under 18
};

/// A step that a stage has. The steps of a stage stand in the order of the law.
struct Step {
    Stage stage{};
    std::string share;  ///< variable, ggz, nursing, fixed, premium, deductible, administration
    Item item{};
    std::string article;
};

/// High-cost compensation (hogekostencompensatie): of a person's cost in a share above the threshold, up to that of the next
/// row of the share, so much is compensated.
struct HighCost {
    std::string share;
    std::int32_t top_per_myriad = 0;  ///< so many users, 1/10,000, are above the threshold; 0: see `threshold`
    Cents threshold = 0;              ///< cost of one person in the year
    std::int64_t ppm = 0;             ///< share of the excess compensated
    std::string article;
};

/// Bandwidth (bandbreedteregeling) around the mean result of a share.
struct Band {
    std::string share;
    std::vector<std::string> together_with;  ///< shares whose results are added (2012)
    Cents amount = 0;                        ///< result per adult (or insured) this far from the mean, on either side
    std::int64_t ppm = 0;                    ///< share of the result beyond that is settled
    bool per_adult = true;                   ///< false: per insured
    bool before_flat_step = false;           ///< the result is taken after scaling
    bool financed = false;                   ///< by all insurers, per adult; false: by the fund
    std::string article;
};

/// Weight of the class "none" of a criterion for insured living abroad, as part of the printed one.
struct AbroadWeight {
    std::string criterion;
    std::int64_t ppm = 1'000'000;
};

/// Everything the law says about one equalization year (vereveningsjaar), as run-time data.
struct Model {
    std::string name;  ///< nl-2021, nl-2021-structural
    std::int32_t year = 0;
    bool official = true;  ///< false: our own reading (structural variants)
    bool complete = true;  ///< false: weights and criteria only; Scheme refuses it
    bool weighted = true;  ///< false: the variable share has no weights yet; what pays refuses it
    Share variable, ggz, ggz_hcc, deductible;
    Share nursing;                                            ///< V&V, a share of its own (2015); else no criteria
    Share variable_ex_post, ggz_ex_post, deductible_ex_post;  ///< no criteria: the weights of the grant hold ex post
    /// Shares of 2012-2014 instead of the variable one: free_segment, hospital_variable, medical_specialist, other_care; and
    /// ggz_under_18, beside which `ggz` is that of adults.
    std::vector<Share> historical;
    std::vector<NeutralityRule> neutrality;

    // Macro amounts (macro-deelbedragen) and revenue, cents.
    Cents macro_total = 0, macro_variable = 0, macro_fixed = 0, macro_ggz = 0, macro_nursing = 0;
    Cents flanking_fixed = 0,
          flanking_nursing = 0;           ///< added to the macro amounts to give the estimated cost (Bzv 1 bb)
    std::vector<Cents> macro_historical;  ///< in the order of `historical`
    Cents revenue_premium = 0, revenue_deductible = 0, fund_payment = 0;
    Cents calculation_premium = 0;      ///< per premium payer (rekenpremie)
    Cents administration_under_18 = 0;  ///< per insured under 18

    // Own payments.
    Cents deductible_amount = 0;  ///< mandatory deductible (verplicht eigen risico)
    Cents forfait = 0;            ///< expected own payment of adults with morbidity
    Cents forfait_ex_post = 0;    ///< the same in the settlement
    std::array<bool, category_count> deductible_exempt{};
    std::array<bool, 3> title_deductible_exempt{};  ///< per Title
    std::int32_t forfait_from_mhk = 2;  ///< MHK code from which an adult counts as morbid; 0: MHK does not count
    std::vector<std::string> morbidity_criteria;  ///< any class but none means morbid: fkg, dkg, hkg, mvv, fdg

    // Clusters and MHK.
    std::array<Cluster, category_count> cluster{};
    std::array<bool, category_count> mhk_excluded{};  ///< art. 5(3): nursing

    // Ex post settlement.
    std::int64_t flat_ppm_variable = 1'000'000;     ///< phi of the variable share, millionths
    std::int64_t flat_ppm_ggz = 1'000'000;          ///< phi of the GGZ share
    std::int64_t flat_ppm_nursing = 0;              ///< phi of the nursing share, 0 without one
    std::vector<std::int64_t> flat_ppm_historical;  ///< in the order of `historical`
    bool own_payments_macro_corrected = false;      ///< Bzv 3.19: E_i R/E - x (R - E) a_i
    std::int64_t own_payments_flat_ppm = 0;
    std::vector<HighCost> high_cost;             ///< thresholds of one share ascending
    std::vector<Band> bandwidth;                 ///< one a share
    std::int64_t fixed_settled_ppm = 1'000'000;  ///< of the difference with the realised fixed cost
    std::vector<AbroadWeight> abroad;            ///< criteria without a row: the printed weight
    std::int64_t detained_ppb = 0;               ///< part of both revenues taken off ex ante, 1/1,000,000,000
    std::vector<Step> steps;                     ///< of every stage

    // Special assignments (art. 9(7)-(8)); the lowest SES group is 1.
    bool wlz_lowest_ses = false;           ///< residents of a Wlz institution: SES group 1
    std::int32_t wlz_no_mvv_from_age = 0;  ///< residents of this age and older: no MVV; 0: no such rule, -1: every age
    std::int32_t lowest_ses_from_ggz_dkg = 0;       ///< GGZ-DKG codes from here on: SES group 1; 0: no such rule
    std::int32_t lowest_ses_above_residents = 0;    ///< more residents at the address: SES group 1; 0: no such rule
    std::vector<std::int32_t> ses_of_income_group;  ///< SES group of income group 1, 2, ...; empty: the same number
    std::int32_t ended_addon_years = 0;     ///< drugs that stopped being add-ons in so many years before t give no FKG
    std::vector<std::string> gsm_criteria;  ///< any class but none is morbidity for GSM: fkg, dkg, hkg, mhk
    bool mhk_settled = false;               ///< MHK and GGZ-MHK on settled cost (2015, art. 11(3)), else on claimed
    std::int32_t adult_age = 18;

    std::int32_t reference_month = 6;  ///< age is taken on the last day of this month (assumption, see decisions)
};

}  // namespace anderhalf::params
