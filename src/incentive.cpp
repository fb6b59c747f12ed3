#include <anderhalf/core/errors.hpp>
#include <anderhalf/incentive/ledger.hpp>
#include <anderhalf/incentive/measures.hpp>

#include <cmath>
#include <limits>

namespace anderhalf::incentive {

namespace {

[[nodiscard]] Party insurer(std::size_t i) {
    return static_cast<Party>(static_cast<std::int32_t>(Party::first_insurer) + static_cast<std::int32_t>(i));
}

}  // namespace

std::vector<Posting> ledger(const scenario::Outcome& outcome, const params::Model&,
                            std::span<const std::int64_t> avoidable_ppm) {
    std::vector<Posting> postings;
    for (const scenario::YearOutcome& y : outcome.years) {
        Cents granted = 0;  // contributions of the baseline: what the fund was given money for
        for (const Cents c : y.baseline.contribution) granted += c;
        Cents premium_change = 0;
        for (std::size_t i = 0; i < y.baseline.premium.size(); ++i)
            premium_change += y.scenario.premium[i] - y.baseline.premium[i];
        Cents hospital_base = 0;
        for (const Cents c : y.hospital_claims_base) hospital_base += c;
        for (const bool arm : {false, true}) {
            const scenario::Settlement& s = arm ? y.scenario : y.baseline;
            const auto post = [&](Party from, Party to, Cents cents, Reason reason) {
                postings.push_back({y.year, arm, from, to, cents, reason});
            };
            Cents one_and_a_half = 0, other = 0, programme = 0;
            for (std::size_t i = 0; i < s.result.size(); ++i) {
                const Cents line = (arm ? y.one_and_a_half_claims : y.one_and_a_half_claims_base)[i];
                const Cents rest = (arm ? y.other_claims : y.other_claims_base)[i];
                post(Party::premium_payers, insurer(i), s.premium[i], Reason::premium);
                post(Party::fund, insurer(i), s.contribution[i], Reason::contribution);
                post(Party::patients, insurer(i), s.own_payments[i], Reason::own_payments);
                post(insurer(i), Party::hospitals, (arm ? y.hospital_claims : y.hospital_claims_base)[i],
                     Reason::claims_hospital);
                post(insurer(i), Party::one_and_a_half_line_providers, line, Reason::claims_one_and_a_half_line);
                post(insurer(i), Party::gps_and_others, rest, Reason::claims_other);
                post(insurer(i), Party::one_and_a_half_line_providers, s.programme_cost[i], Reason::programme_cost);
                post(Party::premium_payers, insurer(i), s.premium_response[i], Reason::premium_response);
                one_and_a_half += line;
                other += rest;
                programme += s.programme_cost[i];
            }
            // The state funds what the macro amount asks beyond the calculation premium; the fund bears the gap.
            post(Party::government, Party::fund, arm ? granted + y.macro_change - premium_change : granted,
                 Reason::macro_funding);
            Cents avoided = 0;
            for (std::size_t k = 0; arm && k < y.hospital_avoided_by.size(); ++k)
                avoided +=
                    static_cast<Cents>(static_cast<Int128>(y.hospital_avoided_by[k]) * avoidable_ppm[k] / 1'000'000);
            post(Party::hospitals, Party::resources, hospital_base - avoided, Reason::production_hospital);
            post(Party::one_and_a_half_line_providers, Party::resources, one_and_a_half + programme,
                 Reason::production_one_and_a_half_line);
            post(Party::gps_and_others, Party::resources, other, Reason::production_other);
        }
    }
    return postings;
}

Cents balance(const std::vector<Posting>& postings, Party party, std::int32_t year, bool scenario) {
    Cents sum = 0;
    for (const Posting& p : postings) {
        if (p.year != year || p.scenario != scenario) continue;
        if (p.to == party) sum += p.cents;
        if (p.from == party) sum -= p.cents;
    }
    return sum;
}

Cents total_balance(const std::vector<Posting>& postings) {
    std::vector<Cents> balances(1000);
    for (const Posting& p : postings) {
        balances.at(static_cast<std::size_t>(p.to)) += p.cents;
        balances.at(static_cast<std::size_t>(p.from)) -= p.cents;
    }
    Cents sum = 0;
    for (const Cents b : balances) sum += b;
    return sum;
}

Measures measures(const scenario::Outcome& outcome, const std::vector<Index>& insurers, double rate) {
    Problems<DomainError> problems;
    problems.require(rate > -1, here(), "discount rate", "above -1", std::to_string(rate));
    for (const Index i : insurers)
        problems.require(
            i >= 0 && !outcome.years.empty() && i < static_cast<Index>(outcome.years.front().baseline.result.size()),
            here(), "insurer", "a position in the options", std::to_string(i));
    problems.throw_if_any();
    Measures m;
    double factor = 1, npv = 0, saving = 0, contribution = 0;
    std::vector<Cents> cumulated;
    for (const scenario::YearOutcome& y : outcome.years) {
        Cents result = 0, claims = 0, paid = 0;
        for (const Index k : insurers) {
            const auto i = static_cast<std::size_t>(k);
            result += y.scenario.result[i] - y.baseline.result[i];
            claims += y.scenario.claims[i] - y.baseline.claims[i];
            paid += y.scenario.contribution[i] - y.baseline.contribution[i];
        }
        m.by_year.push_back(result);
        m.undiscounted += result;
        cumulated.push_back(m.undiscounted);
        npv += factor * static_cast<double>(result);
        saving -= factor * static_cast<double>(claims);
        contribution += factor * static_cast<double>(paid);
        factor /= 1 + rate;
    }
    m.npv = std::llround(npv);
    m.saving = std::llround(saving);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    m.kept_share = saving != 0 ? npv / saving : nan;
    m.power = saving != 0 ? 1 + contribution / saving : nan;
    // d contribution / d claims with claims falling by `saving`: 1 - contribution / (-saving)
    for (std::size_t k = cumulated.size(); k-- > 0 && cumulated[k] >= 0;) m.payback_year = outcome.years[k].year;
    if (m.undiscounted == 0 && m.saving == 0) m.payback_year.reset();
    return m;
}

}  // namespace anderhalf::incentive
