#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/statement.hpp>
#include <anderhalf/risk/scheme.hpp>

#include "allocate.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

namespace anderhalf::payment {

namespace {

using detail::allocate;
using detail::Big;
using detail::big;
using detail::Exact;

/// Exact amounts in cents, per insurer.
using Column = std::vector<Exact>;

constexpr std::int64_t ppm = 1'000'000;

template <class Number>
[[nodiscard]] Number sum(const std::vector<Number>& v) {
    return std::accumulate(v.begin(), v.end(), Number{0});
}

[[nodiscard]] std::string name_of(Stage stage) {
    constexpr std::array<const char*, 4> names{"ex_ante", "first_provisional", "second_provisional", "final"};
    return names.at(static_cast<std::size_t>(stage));
}
[[nodiscard]] std::string name_of(Item item) {
    constexpr std::array<const char*, 14> names{"normative",
                                                "neutrality",
                                                "scaling",
                                                "flat_step",
                                                "high_cost_compensation",
                                                "high_cost_financing",
                                                "bandwidth",
                                                "settled_cost",
                                                "calculation_premium",
                                                "expected_own_payments",
                                                "own_payments_neutrality",
                                                "own_payments_macro",
                                                "detained",
                                                "administration"};
    return names.at(static_cast<std::size_t>(item));
}

/// What the model says about one share.
struct Rules {
    const params::Share& grant;
    Cents macro = 0, flanking = 0;  ///< together the estimated cost (geraamde kosten, Bzv 1 bb)
    std::int64_t flat_ppm = 0;
};

/// Shares that a model can name, for messages.
[[nodiscard]] std::string share_names(const params::Model& m) {
    std::string names = m.historical.empty() ? "variable, ggz or nursing" : "ggz";
    for (const params::Share& share : m.historical) names += ", " + share.name;
    return names;
}

[[nodiscard]] Rules rules_of(const params::Model& m, const std::string& share) {
    if (share == "variable") return {m.variable, m.macro_variable, 0, m.flat_ppm_variable};
    if (share == "ggz") return {m.ggz, m.macro_ggz, 0, m.flat_ppm_ggz};
    if (share == "nursing") return {m.nursing, m.macro_nursing, m.flanking_nursing, m.flat_ppm_nursing};
    for (std::size_t k = 0; k < m.historical.size(); ++k)
        if (m.historical[k].name == share)
            return {m.historical[k], m.macro_historical.at(k), 0, m.flat_ppm_historical.at(k)};
    throw NotFoundError{{{"pay", "share", share_names(m), share}}};
}

[[nodiscard]] std::vector<MicroEuro> weights_of(const params::Share& share) {
    std::vector<MicroEuro> result;
    for (const params::Criterion& c : share.criteria)
        for (const params::RiskClass& k : c.classes) result.push_back(k.weight);
    return result;
}

/// For each column: the part of the printed weight that holds for insured abroad, in millionths.
[[nodiscard]] std::vector<std::int64_t> abroad_ppm(const params::Model& m, const params::Share& share) {
    std::vector<std::int64_t> result;
    for (const params::Criterion& c : share.criteria) {
        const auto at =
            std::find_if(m.abroad.begin(), m.abroad.end(), [&](const auto& row) { return row.criterion == c.name; });
        for (const params::RiskClass& k : c.classes)
            result.push_back(at != m.abroad.end() && k.code == 0 ? at->ppm : ppm);
    }
    return result;
}

/// The neutrality rules of a share under one name, whatever file its weights come from.
[[nodiscard]] std::vector<params::NeutralityRule> neutrality_of(const params::Model& m, const std::string& share) {
    std::vector<params::NeutralityRule> result;
    for (params::NeutralityRule rule : m.neutrality) {
        if (rule.share != share && rule.share != share + "_hcc" && rule.share != share + "_ex_post") continue;
        rule.share = share;
        result.push_back(std::move(rule));
    }
    return result;
}

/// A step is taken when the model has the rule for it: a variant may drop one without touching the list of steps. What
/// detained insured did not pay is a step when it is known.
[[nodiscard]] bool has_rule(const params::Model& m, const Totals& t, const params::Step& step) {
    const auto of_share = [&](const auto& row) { return row.share == step.share; };
    switch (step.item) {
        case Item::neutrality:
        case Item::own_payments_neutrality: return !neutrality_of(m, step.share).empty();
        case Item::high_cost_compensation:
        case Item::high_cost_financing: return std::any_of(m.high_cost.begin(), m.high_cost.end(), of_share);
        case Item::bandwidth: return std::any_of(m.bandwidth.begin(), m.bandwidth.end(), of_share);
        case Item::own_payments_macro: return m.own_payments_macro_corrected;
        case Item::detained:  // ex ante a percentage, afterwards what insurers account for
            return step.stage == Stage::ex_ante
                       ? m.detained_ppb != 0
                       : !(step.share == "premium" ? t.premium_forgone : t.own_payments_forgone).empty();
        default: return true;
    }
}

/// The desk of one statement: books lines by the steps of the stage.
class Desk {
public:
    Desk(const params::Model& model, const Totals& totals, const Terms& terms)
        : model_{model},
          totals_{totals},
          terms_{terms},
          insurers_{totals.days.size()},
          days_in_year_{days_in(terms.year != 0 ? terms.year : model.year)} {
        for (std::size_t k = 0; k < model.steps.size(); ++k)
            if (const params::Step& step = model.steps[k]; step.stage == terms.stage && has_rule(model, totals, step))
                open_[{step.share, step.item}] = k;
    }

    [[nodiscard]] Statement run() {
        check();
        for (std::size_t s = 0; s < totals_.shares.size(); ++s) share(s);
        fixed();
        premium();
        own_payments();
        administration();
        return finish();
    }

private:
    /// A running amount of one share: each step books the difference of two allocations.
    struct Account {
        std::string share;
        int sign = 1;
        std::vector<Cents> booked;
        Cents target = 0;
    };

    [[nodiscard]] bool has(const std::string& share, Item item) const { return open_.contains({share, item}); }
    [[nodiscard]] bool ex_ante() const { return terms_.stage == Stage::ex_ante; }
    [[nodiscard]] Account account(std::string share, int sign = 1) const {
        return {std::move(share), sign, std::vector<Cents>(insurers_), 0};
    }

    void book(Account& account, Item item, const Column& running) {
        const std::vector<Cents> now = allocate(running, account.target);
        std::vector<Cents> difference(insurers_);
        for (std::size_t i = 0; i < insurers_; ++i) difference[i] = account.sign * (now[i] - account.booked[i]);
        account.booked = now;
        put(account.share, item, std::move(difference));
    }
    void put(const std::string& share, Item item, std::vector<Cents> cents) {
        const std::size_t step = open_.at({share, item});
        lines_[step] = {share, item, model_.steps[step].article, std::move(cents)};
    }

    void check() const;
    [[nodiscard]] Column normative_cents(const ShareTotals& share, const std::vector<MicroEuro>& weights,
                                         const std::vector<std::int64_t>& abroad) const;
    void share(std::size_t s);
    void bandwidth(Account& account, const ShareTotals& in, const Column& scaled, Column& running);
    void fixed();
    void premium();
    void own_payments();
    void administration();
    [[nodiscard]] Statement finish();

    const params::Model& model_;
    const Totals& totals_;
    const Terms& terms_;
    std::size_t insurers_;
    Days days_in_year_;
    std::map<std::pair<std::string, Item>, std::size_t> open_;  ///< steps of the stage: position in the model's list
    std::map<std::size_t, Line> lines_;
    Statement statement_;
};

void Desk::check() const {
    Problems<ParameterError> steps;
    steps.require(!open_.empty(), model_.name, "steps of stage " + name_of(terms_.stage), "at least one", "none");
    steps.throw_if_any();

    Problems<NotFoundError> shares;
    std::vector<std::string> names{"variable", "ggz", "nursing"};
    for (const params::Share& share : model_.historical) names.push_back(share.name);
    for (const std::string& name : names) {
        const auto given = std::count_if(totals_.shares.begin(), totals_.shares.end(),
                                         [&](const ShareTotals& s) { return s.share == name; });
        const std::ptrdiff_t wanted = has(name, Item::normative) ? 1 : 0;
        shares.require(given == wanted, "pay", "totals of share " + name, wanted == 1 ? "one" : "none",
                       std::to_string(given));
    }
    for (const ShareTotals& s : totals_.shares)
        shares.require(std::find(names.begin(), names.end(), s.share) != names.end(), "pay", "share",
                       share_names(model_), s.share);
    shares.throw_if_any();

    Problems<ShapeError> shape;
    shape.require(insurers_ > 0, "pay", "insurers", "at least one", "none");
    const auto column = [&](const std::string& what, std::size_t size, bool optional) {
        shape.require(size == insurers_ || (optional && size == 0), "pay", what, std::to_string(insurers_),
                      std::to_string(size));
    };
    const auto classes = [&](const std::string& what, const ClassTotals& totals, Index columns) {
        shape.require(totals.insurers() == static_cast<Index>(insurers_) && totals.columns() == columns, "pay", what,
                      std::to_string(insurers_) + " x " + std::to_string(columns),
                      std::to_string(totals.insurers()) + " x " + std::to_string(totals.columns()));
    };
    for (const ShareTotals& s : totals_.shares) {
        const auto columns = static_cast<Index>(weights_of(rules_of(model_, s.share).grant).size());
        classes("class totals of share " + s.share, s.classes, columns);
        if (s.abroad.columns() != 0 || s.abroad.insurers() != 0)
            classes("class totals of insured abroad of share " + s.share, s.abroad, columns);
        column("cost of share " + s.share, s.cost.size(),
               !has(s.share, Item::scaling) && !has(s.share, Item::bandwidth));
        column("excess of share " + s.share, s.excess.size(), true);
    }
    if (has("deductible", Item::expected_own_payments))
        classes("class totals of the deductible model", totals_.deductible,
                static_cast<Index>(weights_of(model_.deductible).size()) + 1);
    column("adult_days", totals_.adult_days.size(), false);
    column("detained_days", totals_.detained_days.size(), true);
    column("under_18", totals_.under_18.size(), true);
    column("cost_fixed", totals_.cost_fixed.size(), !has("fixed", Item::settled_cost));
    column("fixed_history", totals_.fixed_history.size(), true);
    column("own_payments_mandatory", totals_.own_payments_mandatory.size(),
           !has("deductible", Item::own_payments_macro));
    column("premium_forgone", totals_.premium_forgone.size(), true);
    column("own_payments_forgone", totals_.own_payments_forgone.size(), true);
    shape.require(terms_.expected.empty() || terms_.expected.size() == totals_.shares.size(), "pay",
                  "expected counts per share", std::to_string(totals_.shares.size()),
                  std::to_string(terms_.expected.size()));
    shape.throw_if_any();

    Problems<DomainError> domain;
    for (const auto* days : {&totals_.days, &totals_.adult_days, &totals_.detained_days, &totals_.under_18})
        for (const Days d : *days)
            if (d < 0) domain.add("pay", "insured days or heads of an insurer", "0 or more", std::to_string(d));
    domain.throw_if_any();
}

/// Normative amounts N_i = sum_k w_k n_ik; a day abroad counts for its part of the weight.
Column Desk::normative_cents(const ShareTotals& share, const std::vector<MicroEuro>& weights,
                             const std::vector<std::int64_t>& abroad) const {
    const bool anybody = share.abroad.columns() != 0;
    Column result(insurers_);
    for (std::size_t i = 0; i < insurers_; ++i) {
        Big total = 0;
        for (std::size_t k = 0; k < weights.size(); ++k) {
            const auto row = static_cast<Index>(i), col = static_cast<Index>(k);
            const Days away = anybody ? share.abroad.at(row, col) : 0;
            const Int128 counted =
                static_cast<Int128>(share.classes.at(row, col)) * ppm - static_cast<Int128>(away) * (ppm - abroad[k]);
            total += big(counted) * weights[k];
        }
        result[i] = Exact{total, Big{micro_per_cent} * days_in_year_ * ppm};
    }
    return result;
}

void Desk::share(std::size_t s) {
    const ShareTotals& in = totals_.shares[s];
    const Rules rules = rules_of(model_, in.share);
    const bool compensated = has(in.share, Item::high_cost_compensation);
    const params::Share* weights_from = &rules.grant;
    if (!ex_ante()) {
        if (in.share == "variable" && !model_.variable_ex_post.criteria.empty())
            weights_from = &model_.variable_ex_post;
        if (in.share == "ggz" && !model_.ggz_ex_post.criteria.empty()) weights_from = &model_.ggz_ex_post;
        if (in.share == "ggz" && compensated && !model_.ggz_hcc.criteria.empty()) weights_from = &model_.ggz_hcc;
    }
    const std::vector<std::int64_t> abroad = abroad_ppm(model_, rules.grant);
    Statement::Share out;
    out.name = in.share;
    out.weights = weights_of(*weights_from);
    if (out.weights.size() != abroad.size())
        throw ShapeError{{{"pay", "weights of the settlement of share " + in.share, std::to_string(abroad.size()),
                           std::to_string(out.weights.size())}}};
    Account account = this->account(in.share);
    Column running = normative_cents(in, out.weights, abroad);
    book(account, Item::normative, running);

    if (has(in.share, Item::neutrality)) {
        const Counts have = counted(model_, in);
        const Counts& want = terms_.expected.empty() ? have : terms_.expected[s];
        const auto reset = [&](Rounding rounding) {
            return neutral(risk::layout(rules.grant), neutrality_of(model_, in.share), in.share,
                           weights_of(*weights_from), want, have, rounding);
        };
        out.weights = reset(terms_.rounding);
        running = normative_cents(in, out.weights, abroad);
        if (terms_.rounding == Rounding::legal)
            out.rounding_gap =
                detail::round_half(Exact{sum(running) - sum(normative_cents(in, reset(Rounding::exact), abroad))});
        book(account, Item::neutrality, running);
    }
    Column scaled = running;
    if (has(in.share, Item::scaling)) {
        const Exact national = sum(running), cost = sum(in.cost);
        const bool nothing = national == 0 && cost == 0;  // a share without insured and without cost
        if (national <= 0 && !nothing)
            throw DomainError{{{"pay", "national normative amount of share " + in.share, "above 0", "0 or less"}}};
        const Exact factor = nothing ? Exact{1} : cost / national;
        out.factor = factor.value();
        for (Exact& x : running) x *= factor;
        book(account, Item::scaling, running);
        scaled = running;
        if (has(in.share, Item::flat_step)) {
            Exact corrected = national;  // gecorrigeerde geraamde kosten
            if (rules.flanking != 0) corrected *= Exact{rules.macro + rules.flanking, rules.macro};
            const Exact gap = (cost - corrected) * rules.flat_ppm / ppm;
            const Days adults = sum(totals_.adult_days);
            if (gap != 0 && adults <= 0)
                throw DomainError{
                    {{"pay", "adults to spread the flat step of share " + in.share + " over", "above 0", "none"}}};
            if (gap != 0)
                for (std::size_t i = 0; i < insurers_; ++i) running[i] -= gap * totals_.adult_days[i] / adults;
            book(account, Item::flat_step, running);
        }
    }
    if (compensated) {
        const Column before = running;
        Column excess(insurers_);
        if (!in.excess.empty())
            for (std::size_t i = 0; i < insurers_; ++i) excess[i] = Exact{in.excess[i], ppm};
        for (std::size_t i = 0; i < insurers_; ++i) running[i] += excess[i];
        book(account, Item::high_cost_compensation, running);
        if (has(in.share, Item::high_cost_financing)) {
            const Exact part = sum(excess), all = sum(before);
            if (part != 0 && all <= 0)
                throw DomainError{{{"pay", "sum of amounts that finance high-cost compensation of share " + in.share,
                                    "above 0", "0 or less"}}};
            if (part != 0)
                for (std::size_t i = 0; i < insurers_; ++i) running[i] -= before[i] * part / all;
            book(account, Item::high_cost_financing, running);
        }
    }
    if (has(in.share, Item::bandwidth)) bandwidth(account, in, scaled, running);
    out.target = account.target;
    out.macro_gap = account.target - rules.macro - (ex_ante() ? 0 : rules.flanking);
    statement_.shares.push_back(std::move(out));
}

void Desk::bandwidth(Account& account, const ShareTotals& in, const Column& scaled, Column& running) {
    const auto band = std::find_if(model_.bandwidth.begin(), model_.bandwidth.end(),
                                   [&](const params::Band& b) { return b.share == in.share; });
    if (!band->together_with.empty())
        throw ParameterError{
            {{model_.name, "bandwidth of share " + in.share, "that of one share", "that of several together"}}};
    const std::vector<Days>& basis = band->per_adult ? totals_.adult_days : totals_.days;
    const Column& measured = band->before_flat_step ? scaled : running;
    Column result(insurers_);
    for (std::size_t i = 0; i < insurers_; ++i) result[i] = measured[i] - in.cost[i];
    const Days all = sum(basis);
    Column settled(insurers_);
    if (all > 0) {
        const Exact mean = sum(result) / all;
        for (std::size_t i = 0; i < insurers_; ++i) {
            if (basis[i] == 0) continue;
            const Exact deviation = result[i] - mean * basis[i];
            const Exact free{Big{band->amount} * basis[i], days_in_year_};
            if (deviation > free) settled[i] = (deviation - free) * band->ppm / ppm;
            else if (Exact{} - deviation > free) settled[i] = (deviation + free) * band->ppm / ppm;
        }
    }
    const Exact net = sum(settled);
    for (std::size_t i = 0; i < insurers_; ++i) running[i] -= settled[i];
    if (band->financed && net != 0) {
        const Days adults = sum(totals_.adult_days);
        if (adults <= 0)
            throw DomainError{{{"pay", "adults to finance the bandwidth of share " + in.share, "above 0", "none"}}};
        for (std::size_t i = 0; i < insurers_; ++i) running[i] += net * totals_.adult_days[i] / adults;
    }
    book(account, Item::bandwidth, running);
}

void Desk::fixed() {
    if (!has("fixed", Item::normative)) return;
    Account account = this->account("fixed");
    Column running(insurers_);
    const bool by_history = !totals_.fixed_history.empty();
    const std::vector<Days>& keys = by_history ? totals_.fixed_history : totals_.days;
    const Big all = std::accumulate(keys.begin(), keys.end(), Big{0});
    for (std::size_t i = 0; i < insurers_; ++i) {
        // Ex ante, and by insured years, the macro amount is divided; ex post the history holds as it is.
        if (by_history && !ex_ante()) running[i] = keys[i];
        else if (all > 0) running[i] = Exact{Big{model_.macro_fixed} * keys[i], all};
    }
    book(account, Item::normative, running);
    if (has("fixed", Item::settled_cost)) {
        for (std::size_t i = 0; i < insurers_; ++i)
            running[i] += (totals_.cost_fixed[i] - running[i]) * model_.fixed_settled_ppm / ppm;
        book(account, Item::settled_cost, running);
    }
    Statement::Share out;
    out.name = "fixed";
    out.target = account.target;
    out.macro_gap = account.target - model_.macro_fixed - (ex_ante() ? 0 : model_.flanking_fixed);
    statement_.shares.push_back(std::move(out));
}

void Desk::premium() {
    if (!has("premium", Item::calculation_premium)) return;
    Account account = this->account("premium", -1);
    const bool taken_off = has("premium", Item::detained);
    Column running(insurers_);
    for (std::size_t i = 0; i < insurers_; ++i) {
        Days days = totals_.adult_days[i];
        // What detained insured do not pay is taken off afterwards: they are in the number first.
        if (taken_off && !totals_.detained_days.empty()) days += totals_.detained_days[i];
        running[i] = Exact{Big{model_.calculation_premium} * days, days_in_year_};
    }
    book(account, Item::calculation_premium, running);
    if (!taken_off) return;
    for (std::size_t i = 0; i < insurers_; ++i) {
        if (ex_ante()) running[i] -= running[i] * model_.detained_ppb / 1'000'000'000;
        else running[i] -= totals_.premium_forgone[i];
    }
    book(account, Item::detained, running);
}

void Desk::own_payments() {
    if (!has("deductible", Item::expected_own_payments)) return;
    const bool settled = !ex_ante();
    const params::Share& from =
        settled && !model_.deductible_ex_post.criteria.empty() ? model_.deductible_ex_post : model_.deductible;
    Statement::Share out;
    out.name = "deductible";
    out.weights = weights_of(from);
    out.weights.push_back((settled ? model_.forfait_ex_post : model_.forfait) * micro_per_cent);
    const auto cents = [&](const std::vector<MicroEuro>& weights) {
        Column result;
        for (const Int128 n : normative(totals_.deductible, weights))
            result.emplace_back(big(n), Big{micro_per_cent} * days_in_year_);
        return result;
    };
    Account account = this->account("deductible", -1);
    Column running = cents(out.weights);
    book(account, Item::expected_own_payments, running);
    if (has("deductible", Item::own_payments_neutrality)) {
        const Counts have{totals_.deductible.national()};
        const Counts& want = terms_.expected_deductible ? *terms_.expected_deductible : have;
        const auto reset = [&](Rounding rounding) {
            return neutral(risk::layout(from), neutrality_of(model_, "deductible"), "deductible", out.weights, want,
                           have, rounding);
        };
        const std::vector<MicroEuro> weights = reset(terms_.rounding);
        running = cents(weights);
        if (terms_.rounding == Rounding::legal)
            out.rounding_gap = detail::round_half(Exact{sum(running) - sum(cents(reset(Rounding::exact)))});
        out.weights = weights;
        book(account, Item::own_payments_neutrality, running);
    }
    if (has("deductible", Item::own_payments_macro)) {
        const Exact expected = sum(running), realised = sum(totals_.own_payments_mandatory);
        const bool nothing = expected == 0 && realised == 0;  // nobody under the deductible
        if (expected <= 0 && !nothing)
            throw DomainError{{{"pay", "national expected own payments", "above 0", "0 or less"}}};
        const Exact gap = (realised - expected) * model_.own_payments_flat_ppm / ppm;
        const Days adults = sum(totals_.adult_days);
        if (gap != 0 && adults <= 0)
            throw DomainError{{{"pay", "adults to spread own payments over", "above 0", "none"}}};
        const Exact factor = nothing ? Exact{1} : realised / expected;
        out.factor = factor.value();
        for (std::size_t i = 0; i < insurers_; ++i) {
            running[i] *= factor;
            if (gap != 0) running[i] -= gap * totals_.adult_days[i] / adults;
        }
        book(account, Item::own_payments_macro, running);
    }
    if (has("deductible", Item::detained)) {
        for (std::size_t i = 0; i < insurers_; ++i) {
            if (ex_ante()) running[i] -= running[i] * model_.detained_ppb / 1'000'000'000;
            else running[i] -= totals_.own_payments_forgone[i];
        }
        book(account, Item::detained, running);
    }
    out.target = account.target;
    out.macro_gap = account.target - model_.revenue_deductible;
    statement_.shares.push_back(std::move(out));
}

void Desk::administration() {
    if (!has("administration", Item::administration)) return;
    std::vector<Cents> cents(insurers_);
    for (std::size_t i = 0; i < totals_.under_18.size(); ++i)
        cents[i] = model_.administration_under_18 * totals_.under_18[i];
    put("administration", Item::administration, std::move(cents));
}

Statement Desk::finish() {
    Problems<ParameterError> problems;
    for (const auto& [key, step] : open_)
        problems.require(
            lines_.contains(step), model_.name,
            "step " + name_of(key.second) + " of share " + key.first + " at stage " + name_of(terms_.stage),
            "a step of that share after those it rests on", "none that can be taken");
    problems.throw_if_any();
    statement_.contribution.assign(insurers_, 0);
    for (auto& [step, line] : lines_) {
        for (std::size_t i = 0; i < insurers_; ++i) statement_.contribution[i] += line.cents[i];
        statement_.lines.push_back(std::move(line));
    }
    return std::move(statement_);
}

}  // namespace

Counts counted(const params::Model& model, const ShareTotals& share) {
    const Rules rules = rules_of(model, share.share);
    Counts counts{share.classes.national(), 1, 1};
    if (share.abroad.columns() == 0) return counts;
    const std::vector<std::int64_t> part = abroad_ppm(model, rules.grant);
    const std::vector<Days> away = share.abroad.national();
    if (part.size() != counts.days.size() || away.size() != counts.days.size())
        throw ShapeError{{{here(), "columns of share " + share.share, std::to_string(part.size()),
                           std::to_string(counts.days.size()) + " and " + std::to_string(away.size())}}};
    counts.denominator = ppm;
    for (std::size_t k = 0; k < part.size(); ++k) counts.days[k] = counts.days[k] * ppm - away[k] * (ppm - part[k]);
    return counts;
}

Statement pay(const params::Model& model, const Totals& totals, const Terms& terms) {
    Problems<ParameterError> problems;
    problems.require(model.weighted, "pay " + model.name, "weights of the variable share", "printed or estimated",
                     "none yet");
    problems.throw_if_any();
    return Desk{model, totals, terms}.run();
}

}  // namespace anderhalf::payment
