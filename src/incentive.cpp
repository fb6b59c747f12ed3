#include <anderhalf/core/errors.hpp>
#include <anderhalf/incentive/ledger.hpp>
#include <anderhalf/incentive/measures.hpp>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace anderhalf::incentive {

namespace {

[[nodiscard]] Party insurer(std::size_t i) {
    return static_cast<Party>(static_cast<std::int32_t>(Party::first_insurer) + static_cast<std::int32_t>(i));
}

[[nodiscard]] Reason claims_of(Category category) {
    return static_cast<Reason>(static_cast<std::int32_t>(Reason::first_claims) + static_cast<std::int32_t>(category));
}

}  // namespace

Party provider(Category category) {
    switch (category) {
        case Category::hospital: return Party::hospitals;
        case Category::one_and_a_half_line: return Party::one_and_a_half_line_providers;
        case Category::drugs: return Party::pharmacies;
        case Category::nursing: return Party::nursing_providers;
        case Category::grz: return Party::rehabilitation_providers;
        case Category::elv: return Party::short_stay_providers;
        case Category::ggz: return Party::mental_care_providers;
        default: return Party::gps_and_others;
    }
}

std::vector<Posting> ledger(const scenario::Outcome& outcome, const std::vector<Account>& programmes) {
    std::vector<Posting> postings;
    for (const scenario::YearOutcome& y : outcome.years) {
        if (y.programme_cost_by.size() != programmes.size() || y.hospital_avoided_by.size() != programmes.size())
            throw ShapeError{{{here(), "accounts", std::to_string(y.programme_cost_by.size()) + " programmes",
                               std::to_string(programmes.size())}}};
        Cents granted = 0,
              premium_change = 0;  // the contributions of the baseline are what the fund is given money for
        for (const Cents c : y.baseline.contribution) granted += c;
        for (std::size_t i = 0; i < y.baseline.premium.size(); ++i)
            premium_change += y.scenario.premium[i] - y.baseline.premium[i];
        Cents lost = 0, avoided = 0;  // production of hospitals, and its cost
        for (std::size_t p = 0; p < programmes.size(); ++p) {
            lost += y.hospital_avoided_by[p];
            avoided += static_cast<Cents>(static_cast<Int128>(y.hospital_avoided_by[p]) * programmes[p].avoidable_ppm /
                                          1'000'000);
        }
        for (const bool arm : {false, true}) {
            const scenario::Settlement& s = arm ? y.scenario : y.baseline;
            const std::vector<Cents>& claims = arm ? y.category_claims : y.category_claims_base;
            const auto post = [&](Party from, Party to, Cents cents, Reason reason) {
                postings.push_back({y.year, arm, from, to, cents, reason});
            };
            for (std::size_t i = 0; i < s.result.size(); ++i) {
                const Cents correction = arm ? y.contract_correction[i] : 0, rebase = arm ? y.price_rebase[i] : 0;
                post(Party::premium_payers, insurer(i), s.premium[i], Reason::premium);
                post(Party::premium_payers, insurer(i), s.premium_response[i], Reason::premium_response);
                post(Party::fund, insurer(i), s.contribution[i], Reason::contribution);
                post(Party::patients, insurer(i), s.own_payments[i], Reason::own_payments);
                for (std::size_t c = 0; c < category_count; ++c) {
                    const auto category = static_cast<Category>(c);
                    const Cents contract = category == Category::hospital ? correction + rebase : 0;
                    post(insurer(i), provider(category), claims[i * category_count + c] - contract,
                         claims_of(category));
                }
                post(insurer(i), Party::hospitals, correction, Reason::contract_correction);
                post(insurer(i), Party::hospitals, rebase, Reason::price_rebase);
                for (std::size_t p = 0; p < programmes.size(); ++p)
                    post(insurer(i), programmes[p].runs, arm ? y.programme_cost_by[p][i] : 0, Reason::programme_cost);
            }
            // The state funds what the macro amount asks beyond the calculation premium; the fund bears the gap.
            post(Party::government, Party::fund, arm ? granted + y.macro_change - premium_change : granted,
                 Reason::macro_funding);
            for (std::size_t c = 0; c < category_count; ++c) {
                const auto category = static_cast<Category>(c);
                const Cents base = scenario::national_claims(y.category_claims_base, category);
                const Cents cost = category != Category::hospital ? scenario::national_claims(claims, category)
                                   : arm                          ? base - lost
                                                                  : base;
                post(provider(category), Party::resources, cost, Reason::production);
            }
            post(Party::hospitals, Party::resources, arm ? lost - avoided : 0, Reason::stranded);
            for (std::size_t p = 0; p < programmes.size(); ++p)
                post(programmes[p].runs, Party::resources,
                     arm ? std::accumulate(y.programme_cost_by[p].begin(), y.programme_cost_by[p].end(), Cents{0}) : 0,
                     Reason::running_programmes);
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
