#pragma once
#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/record.hpp>
#include <anderhalf/params/model.hpp>
#include <anderhalf/risk/care_year.hpp>
#include <anderhalf/risk/mapping.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace anderhalf::risk {

/// Age on the last day of the reference month of `year`; -1 for a child born after it in that year.
[[nodiscard]] constexpr std::int32_t age_on_reference(std::int32_t birth_month, std::int32_t year, std::int32_t month) {
    const std::int32_t months = 12 * year + month - 1 - birth_month;
    return months >= 0 ? months / 12 : -1;
}

/// The last person above a national percentile line. Order: cost descending, then key and person ascending,
/// so that ties on a line go to whole persons in addressed order.
struct Line {
    Cents cost = std::numeric_limits<Cents>::max();
    std::uint64_t key = 0;
    std::uint64_t person = 0;

    [[nodiscard]] constexpr bool includes(Cents c, std::uint64_t k, std::uint64_t p) const {
        return c > cost || (c == cost && (k < key || (k == key && p <= person)));
    }
    friend bool operator==(const Line&, const Line&) = default;
};

/// One person on a national cost ranking; represents insured.
struct Ranked {
    Cents cost = 0;
    std::uint64_t key = 0;
    std::uint64_t person = 0;
    std::uint32_t index = 0;  ///< the caller's row
    std::uint16_t represents = 1;

    friend constexpr bool operator<(const Ranked& a, const Ranked& b) {
        if (a.cost != b.cost) return a.cost > b.cost;
        return a.key != b.key ? a.key < b.key : a.person < b.person;
    }
};

/// Tie-break key of a person on the ranking of a year: an addressed draw.
[[nodiscard]] std::uint64_t tie_key(std::uint64_t seed, std::uint64_t person, std::int32_t year);

/// Lines of the top shares (per myriad) of a ranking in order: the last person with whom the cumulative number of
/// insured stays within floor(share * total / 10,000). Persons without positive cost are never in a top.
/// @param ranked  sorted by operator<
/// @param total   insured of the ranking's population
[[nodiscard]] std::vector<Line> lines(std::span<const Ranked> ranked, std::int64_t total,
                                      std::span<const std::int32_t> top_per_myriad);

/// The share of a criterion's class in the layout of a share: column = offset + code - first_code.
struct Entry {
    std::uint16_t column = 0;
    std::uint16_t count = 1;
    friend bool operator==(const Entry&, const Entry&) = default;
};

/// The classes of one insured person in one share, as columns with counts; at most 128 of them.
struct Row {
    std::uint16_t size = 0;
    std::array<Entry, 128> entries;
    void add(std::size_t column, std::uint16_t count = 1) {
        entries[size++] = {static_cast<std::uint16_t>(column), count};
    }
    [[nodiscard]] std::span<const Entry> view() const { return {entries.data(), size}; }
    friend bool operator==(const Row& a, const Row& b) {
        return std::equal(a.entries.begin(), a.entries.begin() + a.size, b.entries.begin(), b.entries.begin() + b.size);
    }
};

/// Lines that a model year's cost criteria need.
struct CostLines {
    std::vector<Line> mhk;      ///< per distinct top share of MHK, one cost year
    std::vector<Line> ggz_mhk;  ///< per distinct (top share, minimum) of GGZ-MHK, one cost year
};
struct SumLines {
    std::vector<Line> mvv;  ///< per class code 1.. of MVV, one equalization year
};

/// Health classes of one person in one equalization year.
struct Health {
    std::uint64_t fkg = 0;
    std::uint32_t hkg = 0;
    std::uint32_t ggz_fkg = 0;
    std::uint8_t fdg = 0, mhk = 0, mvv = 0, ggz_dkg = 0, ggz_mhk = 0;
    std::uint8_t dkg_primary = 0, dkg_secondary = 0;
    std::uint8_t hsm = 0, mfk = 0, ibz = 0, hhk = 0, okh = 0, sei = 0;  ///< from 2022 on
    std::uint8_t residents = 0;  ///< insured at the address in t, 255 or more is 255; 0 not known
    bool any_dkg = false;
    std::array<std::uint8_t, dkg_codes> dkg{};
    friend bool operator==(const Health&, const Health&) = default;
};

/// Where the classes of a criterion stand among the columns of its share.
struct CriterionColumns {
    std::string name;
    params::Assignment assignment = params::Assignment::single;
    Index offset = 0;
    std::int32_t first_code = 0;
    Index size = 0;
};

/// The columns of a share: its criteria one after the other, a column per class.
[[nodiscard]] std::vector<CriterionColumns> layout(const params::Share& share);

/// Care of the years before t, newest first: past[0] is t, past[1] is t-1, ...; absent years are nullptr.
using Past = std::array<const CareYear*, 8>;

/// A model year made ready for grouping: claims to CareYear, CareYear to health classes, classes to columns.
/// Rules of the model year (annexes, art. 5-9) are data; no class and no weight stands in code.
class Scheme {
public:
    /// @throw ParameterError  criteria, lags or mapping that cannot be used, all problems at once
    Scheme(params::Model model, Mapping mapping, std::int64_t experiment_variable_ppm = 1'000'000);

    [[nodiscard]] const params::Model& model() const { return model_; }
    [[nodiscard]] const Mapping& mapping() const { return mapping_; }
    [[nodiscard]] std::int64_t experiment_variable_ppm() const { return experiment_variable_ppm_; }

    /// Reads the claims of one person and one calendar year.
    [[nodiscard]] CareYear read(std::span<const data::Claim> claims) const;

    /// Costs in the variable, GGZ, fixed and nursing clusters of one settled amount.
    struct Clusters {
        Cents variable = 0, ggz = 0, fixed = 0, nursing = 0;
    };
    [[nodiscard]] Clusters clusters(const data::Claim& claim, Cents amount) const;

    /// True when the amount counts towards the deductible (Bzv 2.17).
    [[nodiscard]] bool under_deductible(const data::Claim& claim) const;

    [[nodiscard]] const std::vector<std::int32_t>& mhk_tops() const { return mhk_tops_; }
    [[nodiscard]] const std::vector<std::int32_t>& mvv_tops() const { return mvv_tops_; }
    struct MentalTop {
        std::int32_t top_per_myriad = 0;
        std::int32_t min_cents = 0;
        /// Everybody with cost at all (2015: "ten minste 1x kosten"); no ranking decides it.
        [[nodiscard]] bool any_cost() const { return top_per_myriad == 10'000 && min_cents == 0; }
    };
    [[nodiscard]] const std::vector<MentalTop>& ggz_mhk_tops() const { return ggz_mhk_tops_; }
    [[nodiscard]] std::int32_t mvv_child_code() const { return mvv_child_code_; }
    /// Years before t whose care decides the criterion; empty when the model has no such criterion.
    [[nodiscard]] const std::vector<std::int32_t>& data_years(const std::string& criterion) const;
    [[nodiscard]] const std::vector<std::int32_t>& mhk_years() const { return mhk_years_; }
    [[nodiscard]] const std::vector<std::int32_t>& ggz_mhk_years() const { return ggz_mhk_years_; }
    [[nodiscard]] const std::vector<std::int32_t>& mvv_years() const { return care_years_.mvv; }
    /// Does a criterion look at the number of residents of an address (2015: SES, one-person address)?
    [[nodiscard]] bool counts_residents() const { return counts_residents_; }
    [[nodiscard]] std::int32_t longest_lag() const { return longest_lag_; }

    /// MHK class from the ranks in each data year.
    /// @param above  above(k, lag): is the person over line k (index in mhk_tops) of the cost year t - lag?
    template <class Above>
    [[nodiscard]] std::uint8_t mhk_class(std::int32_t age, Above&& above) const {
        return cost_class(mhk_rules_, mhk_years_, age, above);
    }
    template <class Above>
    [[nodiscard]] std::uint8_t ggz_mhk_class(std::int32_t age, Above&& above) const {
        return cost_class(ggz_mhk_rules_, ggz_mhk_years_, age, above);
    }

    /// All classes that rest on care, MHK, MVV and GGZ-MHK excepted.
    void health(const Past& past, Health& out) const;

    /// Classes of 2022 and later that rest on cost of some categories or on being insured: MFK, IBZ, HHK, OKH, SEI.
    void history(const Past& past, const data::Record& r, std::int32_t year, Health& out) const;
    /// HSM: how many years back the classes lie that decide it, 0 without HSM.
    [[nodiscard]] std::int32_t hsm_lag() const { return hsm_lag_; }
    /// HSM class from the classes of that year.
    [[nodiscard]] std::uint8_t hsm_class(const Health& then) const { return hsm_.of(then) ? 1 : 0; }

    // Columns of the shares. The deductible share has one more column than its annex: the forfait.
    [[nodiscard]] Index variable_columns() const { return variable_.columns; }
    [[nodiscard]] Index ggz_columns() const { return ggz_.columns; }
    [[nodiscard]] Index nursing_columns() const { return nursing_.columns; }  ///< 0: no share of its own
    [[nodiscard]] Index deductible_columns() const { return deductible_.columns + 1; }
    [[nodiscard]] Index forfait_column() const { return deductible_.columns; }
    [[nodiscard]] const std::vector<CriterionColumns>& variable_layout() const { return variable_.criteria; }
    [[nodiscard]] const std::vector<CriterionColumns>& ggz_layout() const { return ggz_.criteria; }
    [[nodiscard]] const std::vector<CriterionColumns>& nursing_layout() const { return nursing_.criteria; }
    [[nodiscard]] const std::vector<CriterionColumns>& deductible_layout() const { return deductible_.criteria; }

    [[nodiscard]] std::int32_t age(const data::Record& r, std::int32_t year) const {
        return age_on_reference(r.birth_month, year, model_.reference_month);
    }
    void variable_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const;
    void ggz_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const;         ///< adults only
    void deductible_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const;  ///< adults only
    void nursing_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const;
    /// Adult with a class that puts the own payment on the forfait (art. 8(2), 8(4)).
    [[nodiscard]] bool morbid(const Health& h) const;
    /// A class other than none of the criteria that GSM names (Regeling 2015 art. 1g).
    [[nodiscard]] bool gsm_morbid(const Health& h) const;

    /// Weights per column, micro-euro per insured year, in the layout of the share.
    [[nodiscard]] std::vector<MicroEuro> weights(const params::Share& share) const;
    [[nodiscard]] std::vector<MicroEuro> deductible_weights() const;  ///< forfait included

private:
    struct CostRule {
        std::uint8_t code, years, of, line;
        std::int32_t young_below;
        std::uint8_t young_years;
    };
    enum class Kind : std::uint8_t {
        age_sex,
        avi,
        region,
        ses,
        ppa,
        one_person,
        gsm,
        nursing_region,
        fkg,
        dkg,
        dkg_primary,
        dkg_secondary,
        hkg,
        fdg,
        mhk,
        mvv,
        ggz_fkg,
        ggz_dkg,
        ggz_mhk,
        hsm,
        mfk,
        ibz,
        hhk,
        okh,
        sei
    };
    struct Compiled {
        Kind kind{};
        params::Assignment assignment = params::Assignment::single;
        Index offset = 0;
        std::int32_t first_code = 0;
        std::int32_t age_min = 0, age_max = 999;  ///< MHK of the nursing share: 65 and older
        /// Demographic lookup: [group][age + 1] -> code + 1; 0 none applies. Ages -1..120.
        std::vector<std::array<std::uint8_t, 122>> by_age;
        std::uint8_t born_this_year[3]{}, born_last_year[3]{};
    };
    struct Layout {
        std::vector<CriterionColumns> criteria;
        std::vector<Compiled> compiled;
        Index columns = 0;
    };
    struct FkgRule {
        std::int32_t min_ddd = 0, min_prescriptions = 0;
        friend bool operator==(const FkgRule&, const FkgRule&) = default;
    };

    template <class Above>
    static std::uint8_t cost_class(const std::vector<CostRule>& rules, const std::vector<std::int32_t>& years,
                                   std::int32_t age, Above&& above) {
        for (const CostRule& rule : rules) {  // highest code first
            const std::uint8_t wanted = age < rule.young_below ? rule.young_years : rule.years;
            std::uint8_t found = 0;
            for (std::uint8_t j = 0; j < rule.of; ++j)
                if (above(static_cast<Index>(rule.line), years[j]) && ++found == wanted) return rule.code;
        }
        return 0;
    }
    void compile(const params::Share& share, Layout& layout, bool adults_only);
    /// Membership per morbidity criterion, for the forfait and for GSM.
    struct Morbidity {
        bool fkg = false, dkg = false, dkg_primary = false, dkg_secondary = false, hkg = false, mvv = false,
             fdg = false, mhk = false;
        [[nodiscard]] bool of(const Health& h) const;
    };
    void fill(const Layout& layout, const data::Record& r, std::int32_t year, const Health& h, Row& out) const;
    /// A class for those with cost above a bound, or without insurance, in so many of the data years.
    struct YearsRule {
        std::uint8_t code = 0;
        std::int32_t years = 0, age_min = 0, age_max = 999;
        Cents above = 0;
    };
    struct YearsRules {
        std::vector<YearsRule> rules;  ///< highest code first
        std::vector<std::int32_t> lags;
        std::array<bool, category_count> categories{};
    };
    void compile_history();

    params::Model model_;
    Mapping mapping_;
    std::int64_t experiment_variable_ppm_;
    Layout variable_, ggz_, deductible_, nursing_;
    std::vector<std::int32_t> mhk_tops_, mvv_tops_;
    std::vector<MentalTop> ggz_mhk_tops_;
    std::int32_t mvv_child_code_ = 0;
    std::vector<CostRule> mhk_rules_, ggz_mhk_rules_;
    std::vector<std::int32_t> mhk_years_, ggz_mhk_years_;
    std::uint8_t ggz_dkg_recent_code_ = 0;  ///< class of the latest data years only, 0 none
    std::vector<std::int32_t> ggz_dkg_recent_lags_;
    std::unordered_map<std::string, std::vector<std::int32_t>> lags_;
    struct {
        std::vector<std::int32_t> fkg, hkg, fdg, dkg, dkg_primary, dkg_secondary, ggz_fkg, ggz_dkg, mvv;
    } care_years_;  ///< of lags_, without a look-up per person
    std::int32_t longest_lag_ = 0;
    std::unordered_multimap<std::uint32_t, Mapping::Drug> drugs_;
    std::array<FkgRule, 65> fkg_rules_{}, ggz_fkg_rules_{};
    std::unordered_map<std::uint32_t, Mapping::Diagnosis> diagnoses_;
    std::unordered_map<std::uint32_t, Mapping::CareProduct> care_products_;
    std::vector<std::uint32_t> consults_;  // ascending
    std::unordered_map<std::uint32_t, std::int32_t> devices_;
    std::unordered_map<std::uint16_t, std::int32_t> physiotherapy_, mental_care_;
    std::vector<params::Exclusion> fkg_exclusions_, ggz_fkg_exclusions_;
    std::array<std::uint8_t, 65> ggz_indicated_by_{};  ///< GGZ-FKG that a person must reach for this indicated one
    std::int32_t fkg_lag_ = 0;
    bool counts_residents_ = false;
    Morbidity forfait_, gsm_, hsm_;
    std::int32_t hsm_lag_ = 0;
    std::array<YearsRules, 3> costs_;  ///< MFK, IBZ, HHK
    bool historic_ = false;
    YearsRules okh_;
    YearsRule sei_;
};

}  // namespace anderhalf::risk
