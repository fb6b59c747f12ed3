#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/population/parameters.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace anderhalf::population {

using Threshold = std::uint64_t;   ///< probability times 2^64
using Multiplier = std::uint32_t;  ///< factor times 2^16

/// Quantiles of a distribution with mean 1, times 2^20: 1,024 steps, the last one in 1,024 finer steps.
struct Quantiles {
    double cv = 0;
    std::array<std::uint32_t, 1025> body{};
    std::array<std::uint32_t, 1025> tail{};

    /// Value of a 64-bit uniform draw, linear between the points.
    [[nodiscard]] std::int64_t operator()(std::uint64_t draw) const {
        const auto step = static_cast<std::size_t>(draw >> 54);
        if (step < 1023) return between(body[step], body[step + 1], draw >> 34);
        const auto fine = static_cast<std::size_t>((draw >> 44) & 1023u);
        return between(tail[fine], tail[fine + 1], draw >> 24);
    }

private:
    [[nodiscard]] static std::int64_t between(std::int64_t low, std::int64_t high, std::uint64_t bits) {
        return low + (((high - low) * static_cast<std::int64_t>(bits & 0xFFFFFu)) >> 20);
    }
};

struct Line {
    Category category = Category::hospital;
    bool consult = false;
    bool yearly = false;
    bool varies = false;  ///< product + uniform 0..99
    std::uint16_t specialism = 0;
    std::uint16_t diagnosis = 0;
    std::uint32_t product = 0;
    Threshold probability = 0;        ///< cumulative within a choice
    Threshold onset_probability = 0;  ///< idem
    std::uint32_t sticky = 0;         ///< share times 2^32
    std::uint32_t quantiles = 0;
    Cents mean_cents = 0;
    std::int32_t ddd = 0;
    std::int32_t prescriptions = 0;
    std::int32_t age_min = 0;
    Cents heavy_from = 0, admission_from = 0;  ///< varies: price at which the setting in the product number changes
};

/// Lines [first, first + count) of which at most one happens; its number addresses the draws.
struct Choice {
    std::uint32_t first = 0, count = 0, draw = 0;
};

using FrailtyMultipliers = std::array<Multiplier, frailty_classes>;
using AgeThresholds = std::array<std::array<Threshold, ages>, 2>;

struct ConditionTable {
    AgeThresholds prevalence{}, onset{};
    FrailtyMultipliers frailty{};
    Threshold recovery = 0;
    Multiplier mortality = 0;
    bool morbidity_region = true, wlz = false;
    std::vector<std::pair<std::int32_t, Multiplier>> risks;
    std::vector<Choice> care;
};

struct EpisodeTable {
    Trigger trigger = Trigger::rate;
    AgeThresholds rate{};
    FrailtyMultipliers frailty{};
    std::uint32_t sticky = 0;
    std::uint32_t draw = 0;
    bool morbidity_region = true;
    std::vector<Choice> care;
};

struct GeneralTable {
    Line line;
    AgeThresholds use{};
    FrailtyMultipliers frailty{}, amount_frailty{};
    std::uint32_t draw = 0;
    std::vector<std::array<std::array<Cents, ages>, 2>> cents;  ///< [group] per user
    bool course = false;
    AgeThresholds begins{};                            ///< of a course
    Threshold ends = 0;                                ///< of a course
    std::array<Multiplier, course_years> growth{};     ///< of a course: on the amount by years of use, mean 1
    std::array<Threshold, course_years> since_when{};  ///< of a course: cumulative, years of use before the entry
};

/// Municipalities of a group, in proportion to their insured: where a household moves to.
struct Destinations {
    std::vector<Threshold> cumulative;
    std::vector<std::uint32_t> stretch;
};

/// A kind of household: age class of the head, and 0 couple, 1 single man, 2 single woman.
struct HouseholdKind {
    std::int32_t band = 0, type = 0;
    std::array<std::array<Threshold, 2>, 4> child{};  ///< [child band][sex] chance of each of two possible children
};

struct CompositionTable {
    std::vector<HouseholdKind> kinds;
    std::vector<Threshold> start, arriving;  ///< cumulative over kinds
    std::vector<Threshold> arrival_year;     ///< cumulative over years from the start year
    double household_size = 0;
    double frame_factor = 1;  ///< addresses of the frame per household of the start year
};

/// Addresses [first, last) of one municipality.
struct Stretch {
    std::uint64_t first = 0, last = 0;
    Municipality municipality;
    Multiplier cost = 0;
};

/// Parameters turned into integer thresholds and tables of cents; the only place that calls a mathematical library.
struct Tables {
    Parameters parameters;
    std::vector<Stretch> frame;
    std::vector<CompositionTable> compositions;
    std::vector<Quantiles> quantiles;
    std::vector<Line> lines;
    std::vector<ConditionTable> conditions;
    std::vector<EpisodeTable> episodes;
    std::vector<GeneralTable> general;

    AgeThresholds fertility{}, lives_alone{}, switching{}, leave_home{}, voluntary{};
    AgeThresholds mortality{};  ///< rate times 2^64 with the conditions' part taken out
    std::array<std::array<Multiplier, ages>, 2> mortality_base{};
    std::vector<std::array<Multiplier, ages>> group_morbidity;
    std::vector<Multiplier> group_mortality, group_switching, group_fertility, group_departing;
    std::array<Threshold, ages> moving{}, departing{};
    std::vector<Destinations> destinations;  ///< per group
    Threshold leaves_to_elsewhere = 0, switching_within_year = 0;
    Multiplier departing_arrived = 0;
    /// By year from the start year and category; empty: one price level. Care of a day follows the volume in its chance,
    /// care of a whole year in its amount.
    std::vector<std::array<Multiplier, category_count>> price, volume;
    FrailtyMultipliers voluntary_frailty{}, switching_frailty{};
    std::array<std::array<Threshold, frailty_classes>, 4> frailty_given_ses{};  ///< cumulative
    std::array<std::array<Threshold, 4>, 2> ses{};                              ///< cumulative, per group
    std::vector<std::vector<Threshold>> insurer;                                ///< cumulative, per group
    std::vector<Threshold> voluntary_amount;                                    ///< cumulative
    std::vector<std::array<std::array<Threshold, 9>, frailty_classes>> income;  ///< cumulative over sources 1..7
    std::array<Multiplier, category_count> wlz_factor{};
    Threshold boys = 0;
    std::array<Threshold, ages> oldest{};  ///< cumulative over ages 90.. in the open class
};

/// Thresholds and quantile tables of the parameters.
[[nodiscard]] Tables build(const Parameters& parameters);

}  // namespace anderhalf::population
