#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/excess.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace anderhalf::payment {

namespace {

/// The rows of one person: a range of the order.
struct Person {
    std::size_t begin = 0, end = 0;
    Cents cost = 0;
    std::int64_t represents = 0;
};

constexpr Cents nobody = std::numeric_limits<Cents>::max();

/// The lowest cost of the users who fit in the top share, highest cost first.
[[nodiscard]] Cents threshold_of_top(const std::vector<Person>& users, std::int64_t insured, std::int32_t per_myriad) {
    const std::int64_t room = insured * per_myriad / 10'000;
    std::int64_t inside = 0;
    Cents threshold = nobody;
    for (const Person& p : users) {
        if (inside + p.represents > room) break;
        inside += p.represents;
        threshold = p.cost;
    }
    return threshold;
}

[[nodiscard]] Int128 floor_div(Int128 n, Int128 d) { return n / d - (n % d < 0 ? 1 : 0); }

void check(const PersonCosts& in, Index insurers) {
    const std::size_t n = in.person.size();
    if (in.insurer.size() != n || in.cost.size() != n || in.represents.size() != n)
        throw ShapeError{{{"excess", "rows of person, insurer, cost and represents", std::to_string(n),
                           std::to_string(in.insurer.size()) + ", " + std::to_string(in.cost.size()) + " and " +
                               std::to_string(in.represents.size())}}};
    Problems<DomainError> problems;
    BadRows outside, none;
    for (std::size_t k = 0; k < n; ++k) {
        if (in.insurer[k] < 0 || in.insurer[k] >= insurers) outside.note(static_cast<std::ptrdiff_t>(k));
        if (in.represents[k] < 1) none.note(static_cast<std::ptrdiff_t>(k));
    }
    outside.report(problems, "excess", "insurer", "0.." + std::to_string(insurers - 1));
    none.report(problems, "excess", "represents", "1 or more");
    problems.throw_if_any();
}

/// Persons with cost, and the order of rows in which each is one range, insurers ascending.
[[nodiscard]] std::vector<Person> persons(const PersonCosts& in, std::vector<std::size_t>& order) {
    order.resize(in.person.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tuple{in.person[a], in.insurer[a], a} < std::tuple{in.person[b], in.insurer[b], b};
    });
    std::vector<Person> users;
    BadRows unlike;
    for (std::size_t k = 0; k < order.size();) {
        Person p{k, k, 0, in.represents[order[k]]};
        for (; p.end < order.size() && in.person[order[p.end]] == in.person[order[k]]; ++p.end) {
            p.cost += in.cost[order[p.end]];
            if (in.represents[order[p.end]] != p.represents) unlike.note(static_cast<std::ptrdiff_t>(order[p.end]));
        }
        k = p.end;
        if (p.cost > 0) users.push_back(p);
    }
    Problems<DomainError> problems;
    unlike.report(problems, "excess", "represents", "one number for all rows of a person");
    problems.throw_if_any();
    return users;
}

}  // namespace

Excess excess(const params::Model& model, const std::string& share, const PersonCosts& costs, Index insurers) {
    check(costs, insurers);
    Excess result;
    result.per_insurer.assign(static_cast<std::size_t>(insurers), 0);
    std::vector<const params::HighCost*> rules;
    for (const params::HighCost& rule : model.high_cost)
        if (rule.share == share) rules.push_back(&rule);
    std::vector<std::size_t> order;
    std::vector<Person> users = persons(costs, order);
    for (const Person& p : users) result.users += p.represents;
    if (rules.empty()) return result;

    std::sort(users.begin(), users.end(), [](const Person& a, const Person& b) {
        return std::tuple{-a.cost, a.begin} < std::tuple{-b.cost, b.begin};
    });
    for (const params::HighCost* rule : rules)
        result.threshold.push_back(
            rule->top_per_myriad > 0 ? threshold_of_top(users, result.users, rule->top_per_myriad) : rule->threshold);
    if (!std::is_sorted(result.threshold.begin(), result.threshold.end()))
        throw ParameterError{{{model.name, "thresholds of high-cost compensation of share " + share, "ascending", ""}}};

    for (const Person& p : users) {
        if (p.cost <= result.threshold.front()) break;
        result.above += p.represents;
        Int128 whole = 0;  // of the persons that the rows stand for, in millionths of a cent
        for (std::size_t j = 0; j < rules.size() && p.cost > result.threshold[j]; ++j) {
            const Cents upper = j + 1 < rules.size() ? std::min(p.cost, result.threshold[j + 1]) : p.cost;
            whole += static_cast<Int128>(upper - result.threshold[j]) * rules[j]->ppm * p.represents;
        }
        Int128 given = 0;
        Cents running = 0;
        for (std::size_t k = p.begin; k < p.end; ++k) {
            running += costs.cost[order[k]];
            const Int128 upto = floor_div(whole * running, p.cost);
            result.per_insurer[static_cast<std::size_t>(costs.insurer[order[k]])] +=
                static_cast<std::int64_t>(upto - given);
            given = upto;
        }
    }
    return result;
}

}  // namespace anderhalf::payment
