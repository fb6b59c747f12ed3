#pragma once
#include <anderhalf/core/care.hpp>
#include <anderhalf/core/types.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace anderhalf::population {

inline constexpr int ages = 106;  ///< single years of age 0..105, the last one open
inline constexpr int bands = 19;  ///< five-year age classes 0-4 .. 85-89, 90+
inline constexpr int frailty_classes = 16;
inline constexpr int max_members = 32;  ///< person = address * 32 + slot
inline constexpr int max_conditions = 128;
inline constexpr int max_courses = 4;   ///< of the general part
inline constexpr int course_years = 6;  ///< a course of care grows in its first years only

/// A probability or an amount by sex (0 man, 1 woman) and single year of age: curve[sex][age].
using Curve = std::vector<std::vector<double>>;
/// By sex and five-year age class.
using BandTable = std::vector<std::vector<double>>;

/// One line of a care pattern: which claim follows, how often and at what price.
struct CareLine {
    std::string key;
    Category category = Category::hospital;
    std::uint32_t product = 0;  ///< drug or device group; hospital: 0 = made from specialism, diagnosis, consult
    std::uint16_t specialism = 0;
    std::uint16_t diagnosis = 0;
    bool consult = false;           ///< consult-only hospital product
    bool yearly = false;            ///< paid pro rata of the insured days, else an event on one day
    std::int32_t choice = 0;        ///< lines of one pattern with the same number > 0 exclude each other
    double probability = 1;         ///< per year, in years after the onset
    double onset_probability = -1;  ///< in the year of onset; negative: as probability
    double mean_eur = 0;            ///< per claim, price level of the law year
    double cv = 0.5;                ///< coefficient of variation of the price (lognormal)
    double sticky = 0;              ///< share of years that reuse the person's own lasting draws
    std::int32_t ddd = 0;           ///< drugs: mean daily doses per year; realised 50%..150% of it
    std::int32_t prescriptions = 0;
    std::int32_t age_min = 0;  ///< mental care of children is not under the Zvw
};

/// Another condition multiplies the chance of this one; the mean prevalence stays.
struct Risk {
    std::int32_t condition = 0;
    double factor = 1;
};

/// A chronic condition as a state: prevalence at the start, onset that keeps the curve, recovery, death.
struct Condition {
    std::string key;
    Curve prevalence;
    double recovery = 0;           ///< chance per year to leave the state
    double mortality = 0;          ///< extra death rate as a multiple of the rate of age and sex
    double frailty = 0;            ///< exponent on the standard frailty score
    bool morbidity_region = true;  ///< follows the regional morbidity factor
    bool wlz = false;              ///< lives in an institution (Wlz); permanent
    std::vector<Risk> risks;
    std::vector<CareLine> care;
};

/// What starts an episode.
enum class Trigger : std::uint8_t { rate, birth, delivery, death };

/// Passing care: at a rate by age and sex, or at birth, delivery or death.
struct Episode {
    std::string key;
    Trigger trigger = Trigger::rate;
    Curve rate;  ///< chance per year (rate only)
    double frailty = 0;
    double sticky = 0;
    bool morbidity_region = true;
    std::vector<CareLine> care;
};

/// The rest of a category: use by age, sex and frailty; mean cost per insured year from the calibration.
struct General {
    Category category = Category::hospital;
    CareLine line;  ///< probability and mean_eur unused
    Curve use;
    double frailty = 0;               ///< exponent on the chance of use
    double amount_frailty = 0;        ///< exponent on the amount
    std::vector<BandTable> mean_eur;  ///< [group][sex][band] per insured year, found by tools/calibrate
    bool course = false;              ///< use lasts: begun at the rate that keeps the curve, it goes on until it ends
    double ends = 0;                  ///< of a course: chance per year to end
    double growth = 0;                ///< of a course: growth of the amount per year of use, at most course_years times
};

/// From which price a hospital product of a specialism is of the next setting; 0: the specialisms without a row.
struct Setting {
    std::uint16_t specialism = 0;
    double heavy_from_eur = 0;      ///< heavy outpatient or day treatment; below it light outpatient
    double admission_from_eur = 0;  ///< admission
};

struct Municipality {
    std::uint16_t code = 0;
    std::string name;
    std::uint8_t group = 0;         ///< 0 rest of the country, 1 region of interest, 2 abroad
    std::uint8_t region = 1;        ///< cluster 1..10; 0 abroad: no care but the general part
    std::uint16_t composition = 0;  ///< index in Parameters::compositions
    double insured = 0;             ///< insured years in the start year
    double cost_factor = 1;         ///< on the general part
};

struct Insurer {
    std::uint16_t code = 0;
    std::string name;
    std::vector<double> share;  ///< per group
};

/// Age and sex of the insured in the start year, and of households that come from abroad later.
struct Composition {
    BandTable insured;          ///< [sex][band], counts
    BandTable arriving;         ///< [sex][band], relative; adults only
    double arrivals_share = 0;  ///< unused by generate; kept for documents
    std::vector<double>
        arrivals;  ///< per year from the start year: arriving households per household of the start year
};

/// Who people are, which care they use: filled from params/population/*.toml by Python.
struct Parameters {
    std::int32_t start_year = 2011;
    std::int32_t last_year = 2031;
    std::vector<Municipality> municipalities;
    std::vector<Insurer> insurers;
    std::vector<Composition> compositions;

    // Households.
    std::vector<double> couple_share;            ///< per band: couples / min(men, women)
    std::vector<double> parent_age_weight;       ///< by age of the parent at birth, 0..59
    std::array<double, 3> parent_type_weight{};  ///< couple, single man, single woman
    std::vector<double> leave_home;              ///< by age: chance per year to leave the parents
    Curve lives_alone;                    ///< of those who left home or came alone: share in a one-person household
    Curve fertility;                      ///< births per woman and year ([1] used)
    std::vector<double> group_fertility;  ///< factor per group
    double boys = 0.512;
    Curve mortality;                      ///< death rate per year
    std::vector<double> group_mortality;  ///< factor per group
    std::vector<double> moving;           ///< by age of the head: chance per year to move to another municipality
    double leaves_to_elsewhere = 0;       ///< of those who leave their parents: share that moves to another one
    std::vector<double> departing;        ///< by age of the head: chance per year to leave the insurance for abroad
    double departing_arrived = 1;         ///< factor on it for households that came later
    std::vector<double> group_departing;  ///< factor per group

    // Morbidity.
    std::array<double, 4> ses_share{}, ses_share_region{};
    std::array<double, 4> ses_frailty{};               ///< shift of the frailty score per income group
    std::vector<std::vector<double>> group_morbidity;  ///< [group][age] factor on onset and prevalence
    std::vector<Condition> conditions;
    std::vector<Episode> episodes;
    std::vector<General> general;
    std::vector<Setting> settings;
    /// Index per year from the start year and category, 1 = level of the parameters; empty: one price level for all years.
    std::vector<std::vector<double>> price_index, volume_index;
    std::vector<double> wlz_factor;  ///< per category: share of care still under the Zvw for those in an institution

    // Insurance.
    Curve switching;                        ///< by age of the head (both sexes alike)
    std::vector<double> group_switching;    ///< factor per group
    std::vector<double> switching_frailty;  ///< per frailty class
    double switching_within_year = 0;       ///< chance per year to change insurer on another day than 1 January
    Curve voluntary_deductible;             ///< share of adults by age
    double voluntary_frailty = 0;
    std::vector<std::int32_t> voluntary_cents;
    std::vector<double> voluntary_share;

    // Income source by age class 18-34, 35-44, 45-54, 55-64: [class][IncomeSource 1..8], the rest is the reference.
    std::vector<std::vector<double>> income;
    std::array<double, 9> income_frailty{};
};

}  // namespace anderhalf::population
