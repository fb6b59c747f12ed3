#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/params/model.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace anderhalf::payment {

/// Insured days per insurer and class: all that payment needs to know of the insured.
class ClassTotals {
public:
    ClassTotals() = default;
    ClassTotals(Index insurers, Index columns)
        : insurers_{insurers}, columns_{columns}, days_(static_cast<std::size_t>(insurers * columns)) {}

    [[nodiscard]] Index insurers() const { return insurers_; }
    [[nodiscard]] Index columns() const { return columns_; }
    [[nodiscard]] Days at(Index insurer, Index column) const {
        return days_[static_cast<std::size_t>(insurer * columns_ + column)];
    }
    void add(Index insurer, Index column, Days days) {
        days_[static_cast<std::size_t>(insurer * columns_ + column)] += days;
    }
    /// National class days.
    [[nodiscard]] std::vector<Days> national() const;
    ClassTotals& operator+=(const ClassTotals& other);
    ClassTotals& operator-=(const ClassTotals& other);
    friend bool operator==(const ClassTotals&, const ClassTotals&) = default;

private:
    ClassTotals& merge(const ClassTotals& other, Days sign);
    Index insurers_ = 0, columns_ = 0;
    std::vector<Days> days_;
};

/// Class counts as a rational: days[k] * numerator / denominator.
struct Counts {
    std::vector<Days> days;
    Days numerator = 1, denominator = 1;
};

/// Whole-number arithmetic, or rounding of weights to two decimals as printed (art. 11(14)).
enum class Rounding : std::uint8_t { exact, legal };

/// Weights after criterion neutrality (criteriumneutraliteit), micro-euro, rounded once (half away from zero); legal: to
/// cents.
///
///     class_totals  w'[k] = w[k] expected[k] / realised[k]
///     zero_sum      w'[r] such that sum_k w'[k] realised[k] = 0, all `reset` classes equal shift; k over the criterion,
///                   or over `reset` and `of` when `of` names classes
///     offset        w'[r] = w[r] - sum_{k in of} w[k] (realised[k] - expected[k]) / sum_{r in reset} realised[r]
///
/// Classes without realised days keep their weight.
/// @source Regeling risicoverevening 2021 art. 11(4)-(14), 17(3)
[[nodiscard]] std::vector<MicroEuro> neutral(const std::vector<risk::CriterionColumns>& layout,
                                             const std::vector<params::NeutralityRule>& rules, const std::string& share,
                                             std::vector<MicroEuro> weights, const Counts& expected,
                                             const Counts& realised, Rounding rounding);

/// Normative amount per insurer before settlement, in micro-euro x days: sum_k D[i][k] w[k].
[[nodiscard]] std::vector<Int128> normative(const ClassTotals& totals, const std::vector<MicroEuro>& weights);

/// What the scaling and the flat step look at: national cost and national normative amount.
struct National {
    Cents cost = 0;
    Int128 normative = 0;  ///< micro-euro x days
};

struct ShareInput {
    std::vector<Int128> normative;  ///< per insurer, micro-euro x days
    Days days_in_year = 365;
    National national;                  ///< of the scaling: usually this share's own totals
    std::int64_t flat_ppm = 1'000'000;  ///< phi
    std::vector<Days> adult_days;       ///< per insurer
    /// High-cost compensation (hogekostencompensatie, art. 16): excess per insurer [millionths of a cent], added and
    /// taken back in proportion to every share: P_i + X_i - P_i sum X / sum P. Empty: none.
    std::vector<std::int64_t> excess;
    /// Level of own weights: normative amounts are multiplied by to / from before all else.
    std::optional<std::pair<Int128, Int128>> level_to_from;
};

struct ShareResult {
    std::vector<Cents> normative_cents;  ///< per insurer, largest remainder
    std::vector<Cents> paid;             ///< per insurer, sums exactly to target
    Cents target = 0;                    ///< round(N C/N - phi (C - N)) over all insurers
    double factor = 1;                   ///< C / N
};

/// Ex post settlement of one share: N_i C/N - phi (C - N) a_i, with high-cost compensation, in whole cents. Every share is
/// rounded down once and the cents that are left go to the largest remainders, ties by insurer: at most one cent moves.
/// @source Besluit zorgverzekering art. 3.12-3.14; Beleidsregels risicoverevening 2025 art. 1.1
[[nodiscard]] ShareResult settle(const ShareInput& input);

/// Ex ante: official weight x insured years per insurer, in whole cents, never scaled.
[[nodiscard]] std::vector<Cents> ex_ante(const std::vector<Int128>& normative, Days days_in_year);

/// amount x days / days_in_year per insurer, in whole cents that sum to the rounded national amount.
[[nodiscard]] std::vector<Cents> per_insured_year(Cents amount, std::span<const Days> days, Days days_in_year);

/// Macro correction of own payments (Bzv 3.19, 2021 and 2022): E_i R/E - x (R - E) a_i.
[[nodiscard]] std::vector<Cents> own_payments_corrected(const std::vector<Int128>& expected, Cents realised,
                                                        Days days_in_year, std::int64_t flat_ppm,
                                                        std::span<const Days> adult_days);

}  // namespace anderhalf::payment
