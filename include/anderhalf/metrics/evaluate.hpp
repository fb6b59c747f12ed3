#pragma once
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace anderhalf::metrics {

/// Cost and payment of insured persons, a row per insured period. The columns are borrowed.
struct Columns {
    CentsView cost;                                              ///< (n) [cents] of the insured period
    CentsView payment;                                           ///< (n) [cents] for the insured period
    DaysView days;                                               ///< (n) insured days, 1..366
    std::optional<std::span<const std::uint16_t>> represents{};  ///< (n) persons a row stands for, at least 1
    std::int32_t days_in_year = 365;                             ///< D; 12 when `days` counts months
};

/// Everybody in exactly one group: insurers, classes of a criterion, groups of a survey.
struct Partition {
    std::string name;
    CodeView codes;  ///< (n) group of row i, 0..groups-1
    Index groups = 0;
};

/// What a group cost and was paid. Euros are per insured year; a row weighs r_i d_i / D insured years.
///
///     X = sum r_i (p_i - c_i),  T = sum r_i d_i
///     overcompensation = D X / T
///     standard error   = D / T * sqrt(n / (n - 1) * sum (r_i (p_i - c_i - d_i X / T))^2)
///     predictive ratio = sum r_i p_i / sum r_i c_i
///
/// The error is that of a ratio of totals by linearization; rows are independent, and a row that stands for r persons is
/// one draw. It says how far the result of the group would move in another sample of the same size; not how far the
/// weights would.
/// @source Cochran, Sampling Techniques, 3rd ed. 1977, ch. 6 (standard error)
struct Group {
    std::int64_t rows = 0;     ///< n
    std::int64_t persons = 0;  ///< sum r_i
    std::int64_t days = 0;     ///< T
    Cents cost = 0;            ///< sum r_i c_i
    Cents payment = 0;         ///< sum r_i p_i
    double insured_years = 0;  ///< T / D
    double cost_eur = 0;       ///< NaN for an empty group, as all below
    double payment_eur = 0;
    double overcompensation_eur = 0;
    double standard_error_eur = 0;  ///< NaN below two rows
    double predictive_ratio = 0;    ///< NaN without cost
};

/// Measures between the groups k of a partition, each weighing T_k. Empty groups are left out.
///
///     e_k = D X_k / T_k,  e = D sum X_k / sum T_k
///     r2        = 1 - sum T_k e_k^2 / sum T_k (y_k - y)^2,  y_k = D C_k / T_k, y = D sum C_k / sum T_k
///     ggaa      = sum T_k |e_k| / sum T_k
///     sd        = sqrt(sum T_k (e_k - e)^2 / sum T_k)
///     bandwidth = max e_k - min e_k
///
/// @source bandwidth: WOR 871, as read in the code of "Onderzoek Machine Learning in de Risicoverevening" (2020)
/// @source the others have no public definition at this level: docs/decisions/0010
struct Level {
    Index groups = 0;  ///< that are not empty
    double r2 = 0;     ///< NaN when all groups cost the same
    double ggaa_eur = 0;
    double sd_eur = 0;
    double bandwidth_eur = 0;
};

/// Measures over persons. y_i = D c_i / d_i and z_i = D p_i / d_i, with weight w_i = r_i d_i / D and y = mean of y_i.
///
///     r2   = 1 - sum w_i (y_i - z_i)^2 / sum w_i (y_i - y)^2
///     cpm  = 1 - sum w_i |y_i - z_i| / sum w_i |y_i - y|
///     mape = sum w_i |y_i - z_i| / sum w_i                      (the GGAA of persons)
///     sd   = sqrt(sum w_i (e_i - e)^2 / sum w_i),  e_i = z_i - y_i, e = mean of e_i
///
/// With the revenue of an insurer after risk sharing as payment, r2 is the payment-system fit.
/// @source cpm: Cumming et al., A comparative analysis of claims-based methods of health risk assessment, SOA 2002
/// @source payment-system fit: Layton et al., in McGuire and van Kleef (eds.), Risk Adjustment, Risk Sharing and Premium
///         Regulation in Health Insurance Markets, Elsevier 2018, ch. 5
struct Evaluation {
    Group all;
    double r2 = 0;   ///< NaN when all cost the same
    double cpm = 0;  ///< NaN when all cost the same
    double mape_eur = 0;
    double sd_eur = 0;
    std::vector<Level> levels;               ///< per partition
    std::vector<std::vector<Group>> groups;  ///< per partition, per code
};

/// All measures, from two passes over the rows. Sums are integers and ratios are formed at the end: the same bits for
/// any order of rows and any number of threads. In sample or out of sample: give the rows.
/// @throw ShapeError   columns of different length, no rows
/// @throw DomainError  days outside 1..366, represents 0, a code outside its groups, an amount beyond 2^46 cents,
///                     amounts that sum beyond 2^61 cents
[[nodiscard]] Evaluation evaluate(const Columns& columns, const std::vector<Partition>& partitions, const Run& run);

/// GGARV: mean absolute change of result, weighted by insured time, between two payments for the same groups.
///
///     D sum_k |X_k(after) - X_k(before)| / sum_k T_k
///
/// @return            [EUR per insured year]; NaN when nobody is insured
/// @throw ShapeError  another number of groups, or other insured days in a group
/// @source no public definition: docs/decisions/0010
[[nodiscard]] double result_change(std::span<const Group> before, std::span<const Group> after,
                                   std::int32_t days_in_year);

}  // namespace anderhalf::metrics
