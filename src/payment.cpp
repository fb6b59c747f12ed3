#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/payment.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <numeric>

namespace anderhalf::payment {

namespace {

using Big = boost::multiprecision::cpp_int;
__extension__ using UInt128 = unsigned __int128;

[[nodiscard]] Big big(Int128 value) {
    const bool negative = value < 0;
    const auto magnitude = negative ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
    Big result = static_cast<std::uint64_t>(magnitude >> 64U);
    result <<= 64U;
    result += static_cast<std::uint64_t>(magnitude);
    return negative ? -result : result;
}

/// floor(n / d), d > 0.
[[nodiscard]] Big floor_div(const Big& n, const Big& d) {
    Big quotient = n / d;
    if (n < 0 && quotient * d != n) --quotient;
    return quotient;
}

/// Arithmetic rounding (rekenkundig): half away from zero. d > 0.
[[nodiscard]] std::int64_t round_half(const Big& n, const Big& d) {
    const Big magnitude = (2 * (n < 0 ? Big{-n} : n) + d) / (2 * d);
    return (n < 0 ? Big{-magnitude} : magnitude).convert_to<std::int64_t>();
}

/// Shares numerator[i] / denominator in whole cents that sum to round(sum / denominator): largest remainder,
/// ties by insurer code. At most one cent per insurer moves, by construction.
[[nodiscard]] std::vector<Cents> allocate(const std::vector<Big>& numerator, const Big& denominator, Cents& target) {
    const std::size_t n = numerator.size();
    std::vector<Cents> cents(n);
    std::vector<Big> remainder(n);
    Big sum = 0;
    Cents given = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const Big floor = floor_div(numerator[i], denominator);
        cents[i] = floor.convert_to<Cents>();
        remainder[i] = numerator[i] - floor * denominator;
        given += cents[i];
        sum += numerator[i];
    }
    target = round_half(sum, denominator);
    const Cents left = target - given;
    if (left < 0 || left > static_cast<Cents>(n))
        throw DomainError{
            {{"allocate", "cents left after rounding down", "0.." + std::to_string(n), std::to_string(left)}}};
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
    for (std::size_t k = 0; k < static_cast<std::size_t>(left); ++k) ++cents[order[k]];
    return cents;
}

}  // namespace

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
    Big to = 1, from = 1;
    if (in.level_to_from) {
        to = big(in.level_to_from->first);
        from = big(in.level_to_from->second);
        if (from <= 0) throw DomainError{{{here(), "national normative amount", "above 0", "0 or less"}}};
    }
    std::vector<Big> normative(n);
    for (std::size_t i = 0; i < n; ++i) normative[i] = big(in.normative[i]) * to;
    Cents ignored = 0;
    result.normative_cents = allocate(normative, cents_days * from, ignored);

    const Big national = big(in.national.normative), cost = in.national.cost;
    if (national <= 0) throw DomainError{{{here(), "national normative amount", "above 0", "0 or less"}}};
    Big adults = 0;
    for (const Days d : in.adult_days) adults += d;
    if (adults <= 0) throw DomainError{{{here(), "insured days of adults", "above 0", "none"}}};
    // P_i = n_i to/from * C/N - phi (C - N) a_i with n_i, N in micro-euro x days and C in cents; the common
    // denominator is from * N * adults * 10^6 * cents_days.
    const Big ppm = 1'000'000;
    const Big gap = (cost * cents_days - national) * in.flat_ppm;  // phi (C - N) * 10^6 * cents_days
    const Big denominator = from * national * adults * ppm * cents_days;
    std::vector<Big> share(n);
    for (std::size_t i = 0; i < n; ++i)
        share[i] = normative[i] * cost * adults * ppm * cents_days - gap * in.adult_days[i] * from * national;
    if (const Big excess = std::accumulate(in.excess.begin(), in.excess.end(), Big{0}); excess != 0) {
        // P_i + X_i - P_i sum X / sum P, with X in millionths of a cent: one denominator more, one allocation.
        if (in.excess.size() != n)
            throw ShapeError{{{here(), "excess per insurer", std::to_string(n), std::to_string(in.excess.size())}}};
        const Big all = std::accumulate(share.begin(), share.end(), Big{0}) * ppm;
        if (all <= 0)
            throw DomainError{{{here(), "sum of amounts under high-cost compensation", "above 0", "0 or less"}}};
        for (std::size_t i = 0; i < n; ++i)
            share[i] = share[i] * ppm * (all - excess * denominator) + Big{in.excess[i]} * denominator * all;
        result.paid = allocate(share, denominator * ppm * all, result.target);
    } else {
        result.paid = allocate(share, denominator, result.target);
    }
    result.factor = (cost * cents_days).convert_to<double>() / national.convert_to<double>();
    return result;
}

std::vector<Cents> ex_ante(const std::vector<Int128>& normative, Days days_in_year) {
    std::vector<Big> numerator;
    for (const Int128 n : normative) numerator.push_back(big(n));
    Cents target = 0;
    return allocate(numerator, Big{micro_per_cent} * days_in_year, target);
}

std::vector<Cents> per_insured_year(Cents amount, std::span<const Days> days, Days days_in_year) {
    std::vector<Big> numerator;
    for (const Days d : days) numerator.push_back(Big{amount} * d);
    Cents target = 0;
    return allocate(numerator, Big{days_in_year}, target);
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
