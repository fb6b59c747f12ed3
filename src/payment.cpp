#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/payment.hpp>

#include "allocate.hpp"

#include <algorithm>
#include <numeric>

namespace anderhalf::payment {

using detail::allocate;
using detail::Big;
using detail::big;
using detail::Exact;
using detail::round_half;

std::vector<Days> ClassTotals::national() const {
    std::vector<Days> sum(static_cast<std::size_t>(columns_));
    for (Index i = 0; i < insurers_; ++i)
        for (Index k = 0; k < columns_; ++k) sum[static_cast<std::size_t>(k)] += at(i, k);
    return sum;
}

ClassTotals& ClassTotals::merge(const ClassTotals& other, Days sign) {
    if (other.insurers_ != insurers_ || other.columns_ != columns_)
        throw ShapeError{
            {{"ClassTotals", "insurers x columns", std::to_string(insurers_) + " x " + std::to_string(columns_),
              std::to_string(other.insurers_) + " x " + std::to_string(other.columns_)}}};
    for (std::size_t k = 0; k < days_.size(); ++k) days_[k] += sign * other.days_[k];
    return *this;
}
ClassTotals& ClassTotals::operator+=(const ClassTotals& other) { return merge(other, 1); }
ClassTotals& ClassTotals::operator-=(const ClassTotals& other) { return merge(other, -1); }

std::vector<MicroEuro> neutral(const std::vector<risk::CriterionColumns>& layout,
                               const std::vector<params::NeutralityRule>& rules, const std::string& share,
                               std::vector<MicroEuro> weights, const Counts& expected, const Counts& realised,
                               Rounding rounding) {
    const auto columns = weights.size();
    if (expected.days.size() < columns || realised.days.size() < columns)
        throw ShapeError{{{here(), "expected and realised counts", std::to_string(columns),
                           std::to_string(expected.days.size()) + " and " + std::to_string(realised.days.size())}}};
    const std::vector<MicroEuro> official = weights;
    // Counts times the product of both denominators: whole numbers.
    const auto want = [&](std::size_t k) { return Big{expected.days[k]} * expected.numerator * realised.denominator; };
    const auto have = [&](std::size_t k) { return Big{realised.days[k]} * realised.numerator * expected.denominator; };
    const auto rounded = [&](const Big& n, const Big& d) -> MicroEuro {
        const Big positive = d < 0 ? Big{-d} : d, signed_n = d < 0 ? Big{-n} : n;
        if (rounding == Rounding::legal) return round_half(signed_n, positive * micro_per_cent) * micro_per_cent;
        return round_half(signed_n, positive);
    };
    for (const params::NeutralityRule& rule : rules) {
        if (rule.share != share) continue;
        const auto at =
            std::find_if(layout.begin(), layout.end(), [&](const auto& c) { return c.name == rule.criterion; });
        if (at == layout.end())
            throw NotFoundError{{{here(), "criterion of a neutrality rule", "one of share " + share, rule.criterion}}};
        for (const auto* codes : {&rule.reset, &rule.of})
            for (const std::int32_t code : *codes)
                if (code < at->first_code || code - at->first_code >= at->size)
                    throw NotFoundError{{{here(), "class of a neutrality rule for " + rule.criterion,
                                          std::to_string(at->first_code) + ".." +
                                              std::to_string(at->first_code + static_cast<std::int32_t>(at->size) - 1),
                                          std::to_string(code)}}};
        const auto column = [&](std::int32_t code) {
            return static_cast<std::size_t>(at->offset + code - at->first_code);
        };
        const auto first = static_cast<std::size_t>(at->offset), last = static_cast<std::size_t>(at->offset + at->size);
        if (rule.rule == params::Neutrality::class_totals) {
            for (std::size_t k = first; k < last; ++k)
                if (have(k) > 0) weights[k] = rounded(Big{official[k]} * want(k), have(k));
            continue;
        }
        Big reset_count = 0, surplus = 0;
        for (const std::int32_t code : rule.reset) reset_count += have(column(code));
        if (reset_count <= 0) continue;
        if (rule.rule == params::Neutrality::zero_sum && rule.of.empty()) {
            for (std::size_t k = first; k < last; ++k) surplus += Big{official[k]} * have(k);
        } else if (rule.rule == params::Neutrality::zero_sum) {
            for (const auto* codes : {&rule.reset, &rule.of})
                for (const std::int32_t code : *codes) surplus += Big{official[column(code)]} * have(column(code));
        } else {
            for (const std::int32_t code : rule.of)
                surplus += Big{official[column(code)]} * (have(column(code)) - want(column(code)));
        }
        for (const std::int32_t code : rule.reset)
            weights[column(code)] = rounded(Big{official[column(code)]} * reset_count - surplus, reset_count);
    }
    return weights;
}

std::vector<Int128> normative(const ClassTotals& totals, const std::vector<MicroEuro>& weights) {
    if (static_cast<Index>(weights.size()) != totals.columns())
        throw ShapeError{{{here(), "weights", std::to_string(totals.columns()), std::to_string(weights.size())}}};
    std::vector<Int128> result(static_cast<std::size_t>(totals.insurers()));
    for (Index i = 0; i < totals.insurers(); ++i)
        for (Index k = 0; k < totals.columns(); ++k)
            result[static_cast<std::size_t>(i)] +=
                static_cast<Int128>(totals.at(i, k)) * weights[static_cast<std::size_t>(k)];
    return result;
}

ShareResult settle(const ShareInput& in) {
    const std::size_t n = in.normative.size();
    if (in.adult_days.size() != n)
        throw ShapeError{{{here(), "adult days per insurer", std::to_string(n), std::to_string(in.adult_days.size())}}};
    ShareResult result;
    const Big cents_days = Big{micro_per_cent} * in.days_in_year;  // micro-euro x days per cent
    Exact level = 1;
    if (in.level_to_from) {
        if (in.level_to_from->second <= 0)
            throw DomainError{{{here(), "national normative amount", "above 0", "0 or less"}}};
        level = Exact{big(in.level_to_from->first), big(in.level_to_from->second)};
    }
    std::vector<Exact> share(n);
    for (std::size_t i = 0; i < n; ++i) share[i] = Exact{big(in.normative[i]), cents_days} * level;
    Cents ignored = 0;
    result.normative_cents = allocate(share, ignored);

    const Exact national{big(in.national.normative), cents_days}, cost{in.national.cost};
    if (national <= 0) throw DomainError{{{here(), "national normative amount", "above 0", "0 or less"}}};
    Days adults = 0;
    for (const Days d : in.adult_days) adults += d;
    if (adults <= 0) throw DomainError{{{here(), "insured days of adults", "above 0", "none"}}};
    // P_i = N_i C/N - phi (C - N) a_i
    const Exact factor = cost / national, per_day = (cost - national) * in.flat_ppm / 1'000'000 / adults;
    for (std::size_t i = 0; i < n; ++i) share[i] = share[i] * factor - per_day * in.adult_days[i];
    if (const Big excess = std::accumulate(in.excess.begin(), in.excess.end(), Big{0}); excess != 0) {
        // P_i + X_i - P_i sum X / sum P, with X in millionths of a cent
        if (in.excess.size() != n)
            throw ShapeError{{{here(), "excess per insurer", std::to_string(n), std::to_string(in.excess.size())}}};
        const Exact all = std::accumulate(share.begin(), share.end(), Exact{0});
        if (all <= 0)
            throw DomainError{{{here(), "sum of amounts under high-cost compensation", "above 0", "0 or less"}}};
        const Exact kept = 1 - Exact{excess, 1'000'000} / all;
        for (std::size_t i = 0; i < n; ++i) share[i] = share[i] * kept + Exact{in.excess[i], 1'000'000};
    }
    result.paid = allocate(share, result.target);
    result.factor =
        Big{Big{in.national.cost} * cents_days}.convert_to<double>() / big(in.national.normative).convert_to<double>();
    return result;
}

std::vector<Cents> ex_ante(const std::vector<Int128>& normative, Days days_in_year) {
    std::vector<Exact> amounts;
    for (const Int128 n : normative) amounts.emplace_back(big(n), Big{micro_per_cent} * days_in_year);
    Cents target = 0;
    return allocate(amounts, target);
}

std::vector<Cents> per_insured_year(Cents amount, std::span<const Days> days, Days days_in_year) {
    std::vector<Exact> amounts;
    for (const Days d : days) amounts.emplace_back(Big{amount} * d, days_in_year);
    Cents target = 0;
    return allocate(amounts, target);
}

std::vector<Cents> own_payments_corrected(const std::vector<Int128>& expected, Cents realised, Days days_in_year,
                                          std::int64_t flat_ppm, std::span<const Days> adult_days) {
    ShareInput in;
    in.normative = expected;
    in.days_in_year = days_in_year;
    in.flat_ppm = flat_ppm;
    in.adult_days.assign(adult_days.begin(), adult_days.end());
    in.national.cost = realised;
    for (const Int128 e : expected) in.national.normative += e;
    return settle(in).paid;
}

}  // namespace anderhalf::payment
