#pragma once
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
#include <anderhalf/data/columns.hpp>
#include <anderhalf/estimation/estimate.hpp>

#include <optional>
#include <span>
#include <vector>

namespace anderhalf::estimation {

/// What moments cannot tell: sums over the residuals of single records.
struct Pass {
    double r2 = 0;         ///< 1 - sum d (y - yhat)^2 / sum d (y - ybar)^2; terms in long double
    double cpm = 0;        ///< 1 - sum d |y - yhat| / sum d |y - ybar|; both sums exact
    double mape = 0;       ///< sum d |y - yhat| / sum d [EUR per insured year]; exact sum
    double deviation = 0;  ///< sum d |y - ybar| / sum d [EUR per insured year]; exact sum
    Int128 residual =
        0;          ///< sum d (y - yhat) [millionths of a euro x days]: 0 but for rounding when the budget is kept
    Days days = 0;  ///< sum of represents * days
    std::int64_t rows = 0;
};

/// Mean cost as a ratio: cost / days [millionths of a euro per insured day].
struct MeanCost {
    Int128 cost = 0;
    Int128 days = 1;
};

/// Compares cost and normative amount of every record; y = cost * days_in_year / days, d = represents * days.
///
/// Amounts are whole millionths of a euro per insured year; cost is cents, or with levels other than 1 rounded to
/// millionths of a euro per record. The sums do not depend on order or threads.
/// @param weights     (columns + absorbed classes) [millionths of a euro per insured year]
/// @param categories  level of each category of cost; empty: all 1
/// @param mean        ybar, when the rows are a part of the insured; default: of these rows
/// @throw ShapeError   as data::check; weights or levels of another number
/// @throw DomainError  as data::check; a weight beyond 2^43; an amount beyond 2^62; a sum beyond 128 bits
[[nodiscard]] Pass second_pass(const data::Design& design, const data::Rows& rows,
                               const std::vector<MicroEuro>& weights, const std::vector<double>& categories,
                               const Run& run, const std::optional<MeanCost>& mean = {});

/// Sum over records of score x score', score_i = represents_i x_i (c_i - days_i yhat_i / days_in_year) [EUR^2], (p, p).
///
/// Squares enter as integers scaled so that their sum fits 62 bits: exact in order and threads, and good to
/// rows / 2^62 of the sum.
/// @throw as second_pass; DomainError for a design with an absorbed criterion
[[nodiscard]] std::vector<double> score_products(const data::Design& design, const data::Rows& rows,
                                                 const std::vector<MicroEuro>& weights,
                                                 const std::vector<double>& categories, const Run& run);

/// The same with the scores of a person added up first; rows of a person stand together.
struct Clustered {
    std::vector<double> products;  ///< (p, p) [EUR^2]
    std::int64_t persons = 0;
};
/// @param person  (n) number of the person
/// @throw as score_products; DomainError when the rows of a person are apart (counted)
[[nodiscard]] Clustered score_products_by_person(const data::Design& design, const data::Rows& rows,
                                                 const CodeView& person, const std::vector<MicroEuro>& weights,
                                                 const std::vector<double>& categories);

/// Covariance that holds whatever the variances of the records: B P B n / freedom (HC1), B = covariance / variance.
///
/// With persons > 0 the factor is persons / (persons - 1) * (n - 1) / freedom.
/// @param fit       estimated with inference and covariance
/// @param products  (p, p) of score_products
/// @return          (p, p); NaN for empty classes
/// @throw ShapeError   products of another size, or a fit without covariance
/// @source White, Econometrica 48 (1980) 817-838, doi:10.2307/1912934; MacKinnon and White (1985), HC1
[[nodiscard]] std::vector<double> robust_covariance(const Fit& fit, const std::vector<double>& products,
                                                    std::int64_t persons = 0);

/// Coefficients, absorbed ones behind them, as whole millionths of a euro.
/// @throw DomainError  a coefficient beyond 2^43 millionths
[[nodiscard]] std::vector<MicroEuro> rounded(const Fit& fit);

/// R2 of rounded weights from moments alone, in rational arithmetic and rounded once.
/// @throw ShapeError   weights of another number than columns; moments with an absorbed criterion
[[nodiscard]] double exact_r2(const Moments& moments, const std::vector<MicroEuro>& weights, Days days_in_year);

}  // namespace anderhalf::estimation
