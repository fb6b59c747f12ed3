#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/excess.hpp>
#include <anderhalf/scenario/baseline.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace anderhalf::scenario {

using detail::insurer_index;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

[[nodiscard]] std::int32_t insured_days(std::span<const data::Record> records) {
    std::int32_t days = 0;
    for (const data::Record& r : records) days += r.last_day - r.first_day + 1;
    return days;
}

/// Insured per address and year: of each person the last address of the year. A row is one resident. Who lives abroad
/// lives at no address here, and address 0 is not known.
class Residents {
public:
    Residents(const data::Block& block, const risk::Scheme& scheme) : counted_{scheme.counts_residents()} {
        if (!counted_) return;
        for (std::size_t k = 0; k < block.records.size(); ++k) {
            const data::Record& r = block.records[k];
            const std::int32_t year = year_of(r.first_day);
            const bool last = k + 1 == block.records.size() || block.records[k + 1].person != r.person ||
                              year_of(block.records[k + 1].first_day) != year;
            if (last && r.region != 0 && r.address != 0) ++count_[{year, r.address}];
        }
    }
    /// Residents of the address of a person's records in a year, at most 255; 0 not known, or not asked for.
    [[nodiscard]] std::uint8_t of(std::span<const data::Record> records, std::int32_t year) const {
        if (!counted_ || records.empty()) return 0;
        const auto at = count_.find({year, records.back().address});
        return at == count_.end() ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(at->second, 255));
    }

private:
    bool counted_;
    std::map<std::pair<std::int32_t, std::uint64_t>, std::int32_t> count_;
};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

namespace detail {

Part read_block(const data::Block& block, const risk::Scheme& scheme, const Options& o,
                const std::vector<std::int32_t>& insurers) {
    Part part;
    Panel& panel = part.panel;
    panel.first_year = o.first_year;
    panel.years = o.last_year - o.first_year + 1;
    part.category_cost.assign(at(panel.years), std::vector<Cents>(o.insurers.size() * category_count));

    BadRows order, period, overlap, insurer, sex, claim_person, claim_year, claim_insurer, household;
    for (std::size_t k = 0; k < block.records.size(); ++k) {
        const data::Record& r = block.records[k];
        if (k > 0) {
            const data::Record& before = block.records[k - 1];
            if (r.person < before.person || (r.person == before.person && r.first_day < before.first_day))
                order.note(static_cast<Index>(k));
            else if (r.person == before.person && r.first_day <= before.last_day) overlap.note(static_cast<Index>(k));
        }
        const std::int32_t year = year_of(r.first_day);
        if (r.last_day < r.first_day || year_of(r.last_day) != year || year < o.first_year || year > o.last_year)
            period.note(static_cast<Index>(k));
        if (r.insurer >= insurers.size() || insurers[r.insurer] < 0) insurer.note(static_cast<Index>(k));
        if (r.sex != 1 && r.sex != 2) sex.note(static_cast<Index>(k));
        const bool needs_household = scheme.age(r, year) >= scheme.model().adult_age;  // PPA has one class for children
        if (r.represents == 0 || r.ses < 1 || r.ses > 4 || r.household > 4 || (needs_household && r.household == 0) ||
            r.region > 10 || r.income_source > 8)
            household.note(static_cast<Index>(k));
    }
    Problems<DomainError> problems;
    order.report(problems, "records", "not sorted by person and first day", "sorted rows");
    overlap.report(problems, "records", "two insurers on the same day (art. 10(2))", "periods apart");
    period.report(problems, "records", "first_day and last_day",
                  "one calendar year of " + std::to_string(o.first_year) + ".." + std::to_string(o.last_year));
    insurer.report(problems, "records", "insurer", "one of the insurers of the options");
    sex.report(problems, "records", "sex", "1 or 2");
    household.report(problems, "records", "represents, ses, household, region or income_source", "within their ranges");
    problems.throw_if_any();

    const Residents residents{block, scheme};
    std::size_t r = 0, c = 0;
    while (r < block.records.size()) {
        const std::uint64_t person = block.records[r].person;
        panel.person.push_back(person);
        while (c < block.claims.size() && block.claims[c].person < person) {
            claim_person.note(static_cast<Index>(c));
            ++c;
        }
        for (std::int32_t y = 0; y < panel.years; ++y) {
            const std::int32_t year = o.first_year + y, end = first_day_of(year + 1), begin = first_day_of(year);
            const std::size_t first = r;
            while (r < block.records.size() && block.records[r].person == person && block.records[r].first_day < end)
                ++r;
            panel.record_begin.push_back(static_cast<std::uint32_t>(panel.records.size()));
            panel.claim_begin.push_back(static_cast<std::uint32_t>(panel.claims.size()));
            const std::size_t claims_first = c;
            while (c < block.claims.size() && block.claims[c].person == person && block.claims[c].opened < end) {
                if (block.claims[c].opened < begin) claim_year.note(static_cast<Index>(c));
                ++c;
            }
            const std::span<const data::Record> records{block.records.data() + first, r - first};
            const std::span<const data::Claim> claims{block.claims.data() + claims_first, c - claims_first};
            if (records.empty() && !claims.empty()) claim_insurer.note(static_cast<Index>(claims_first));
            risk::CareYear care;
            if (!claims.empty()) care = scheme.read(claims);
            care.insured = records.empty() ? std::uint8_t{0} : std::uint8_t{1};
            care.residents = residents.of(records, year);
            care.whole_year = insured_days(records) == days_in(year) ? std::uint8_t{1} : std::uint8_t{0};
            panel.care.push_back(care);
            panel.claims_read += static_cast<std::int64_t>(claims.size());
            std::vector<RecordCost>& cost = panel.cost;
            const std::size_t base = cost.size();
            cost.resize(base + records.size());
            for (const data::Claim& claim : claims) {
                const Index k = record_of(records, claim);
                if (k < 0) {
                    claim_insurer.note(static_cast<Index>(claims_first));
                    continue;
                }
                add_cost(scheme, claim, cost[base + at(k)]);
                part.category_cost[at(y)][at(insurers[claim.insurer]) * category_count +
                                          static_cast<std::size_t>(claim.category)] +=
                    static_cast<Cents>(claim.settled_cents) * records[at(k)].represents;
            }
            panel.records.insert(panel.records.end(), records.begin(), records.end());
            if (year >= o.start) panel.claims.insert(panel.claims.end(), claims.begin(), claims.end());
        }
    }
    for (; c < block.claims.size(); ++c) claim_person.note(static_cast<Index>(c));
    claim_person.report(problems, "claims", "persons without a record, or rows not sorted by person",
                        "sorted rows of recorded persons");
    claim_year.report(problems, "claims", "opened", "sorted by year within a person, inside the years of the options");
    claim_insurer.report(problems, "claims", "insurer", "an insurer of the person in the year the claim was opened");
    problems.throw_if_any();
    panel.record_begin.push_back(static_cast<std::uint32_t>(panel.records.size()));
    panel.claim_begin.push_back(static_cast<std::uint32_t>(panel.claims.size()));
    panel.persons_read = panel.persons();
    panel.records_read = static_cast<std::int64_t>(panel.records.size());
    return part;
}

void scale(std::vector<risk::Line>& lines, std::int64_t ppm) {
    if (ppm == 1'000'000) return;
    for (risk::Line& l : lines)
        if (l.cost != std::numeric_limits<Cents>::max())
            l = {l.cost * ppm / 1'000'000, ~std::uint64_t{0}, ~std::uint64_t{0}};
}

Index record_of(std::span<const data::Record> records, const data::Claim& claim) {
    Index found = -1;
    for (std::size_t k = 0; k < records.size(); ++k) {
        if (records[k].insurer != claim.insurer) continue;
        found = static_cast<Index>(k);
        if (claim.opened >= records[k].first_day && claim.opened <= records[k].last_day) break;
    }
    return found;
}

void add_cost(const risk::Scheme& scheme, const data::Claim& claim, RecordCost& cost) {
    const auto part = scheme.clusters(claim, claim.settled_cents);
    cost.variable += part.variable;
    cost.ggz += part.ggz;
    cost.fixed += part.fixed;
    cost.nursing += part.nursing;
    if (scheme.under_deductible(claim)) cost.eligible += claim.claimed_cents;
}

std::vector<std::int32_t> insurer_index(const std::vector<std::uint16_t>& codes) {
    std::vector<std::int32_t> index;
    for (std::size_t k = 0; k < codes.size(); ++k) {
        if (codes[k] >= index.size()) index.resize(codes[k] + std::size_t{1}, no_insurer);
        index[codes[k]] = static_cast<std::int32_t>(k);
    }
    return index;
}

bool ranked_for_mental_care(const risk::Scheme& scheme, const data::Record& r, std::int32_t year) {
    return scheme.age(r, year) >= scheme.model().adult_age;
}

Band whole(std::vector<risk::Ranked> persons) {
    Band band;
    std::sort(persons.begin(), persons.end());
    band.persons = std::move(persons);
    band.count();
    return band;
}

void rank_cost_year(const risk::Scheme& scheme, const Options& o, std::vector<risk::Ranked> mhk,
                    std::vector<risk::Ranked> ggz, CostYear& y) {
    y.mhk = {whole(std::move(mhk))};
    y.ggz = {whole(std::move(ggz))};
    y.lines.mhk = y.ranked_mhk = risk::lines(y.mhk.front().persons, y.insured, scheme.mhk_tops());
    scale(y.lines.mhk, o.threshold_ppm);
    y.lines.ggz_mhk.clear();
    y.ggz_users.clear();
    for (const auto& top : scheme.ggz_mhk_tops()) {
        std::int64_t users = y.adults;
        if (top.min_cents > 0) {
            users = 0;
            for (const risk::Ranked& r : y.ggz.front().persons)
                if (r.cost > top.min_cents) users += r.represents;
        }
        y.ggz_users.push_back(users);
        const std::array<std::int32_t, 1> one{top.top_per_myriad};
        y.lines.ggz_mhk.push_back(risk::lines(y.ggz.front().persons, users, one).front());
    }
}

void rank_nursing(const risk::Scheme& scheme, std::vector<risk::Ranked> adults, std::vector<risk::Ranked> children,
                  NursingSum& n) {
    n.adults = {whole(std::move(adults))};
    n.children = {whole(std::move(children))};
    const auto& tops = scheme.mvv_tops();
    n.lines.mvv = risk::lines(n.adults.front().persons, n.insured_adults, tops);
    if (const auto child = scheme.mvv_child_code(); child > 0) {
        const std::array<std::int32_t, 1> one{tops[at(child - 1)]};
        n.lines.mvv[at(child - 1)] = risk::lines(n.children.front().persons, n.insured_children, one).front();
    }
}

Cents nursing_sum(const View& view, Index p, std::int32_t year, bool adult) {
    Cents sum = 0;
    for (const std::int32_t lag : view.scheme->mvv_years()) {
        if (!adult && lag != 1) continue;
        if (year - lag >= view.panel->first_year) sum += view.care(p, year - lag).nursing_cost;
    }
    return sum;
}

void add_totals(const View& view, const std::vector<std::int32_t>& insurers, Index p, std::int32_t year, Days sign,
                YearTotals& totals, estimation::Moments* moments, ClassPersons* persons) {
    risk::Health health;
    risk::Row row;
    const risk::Scheme& scheme = *view.scheme;
    const auto records = view.panel->records_of(p, year);
    if (records.empty()) return;
    const data::Record* grouped = nullptr;         // the record that health is of: who lives abroad has other classes
    const auto met = [&](const data::Record& r) {  // an earlier record with the same insurer
        return std::any_of(records.data(), &r, [&](const data::Record& other) { return other.insurer == r.insurer; });
    };
    for (const data::Record& r : records) {
        if (grouped == nullptr || (r.region == 0) != (grouped->region == 0)) view.health(p, year, r, health);
        grouped = &r;
        const RecordCost& cost = view.panel->cost_of(r);
        const Index i = insurers[r.insurer];
        const Days days = r.last_day - r.first_day + 1;
        const Days weight = sign * days * r.represents;
        const Cents factor = sign * r.represents;
        scheme.variable_row(r, year, health, row);
        const bool abroad = r.region == 0 && totals.variable_abroad.columns() > 0;
        const auto count = [&](payment::ClassTotals& all, payment::ClassTotals& away) {
            for (const risk::Entry& e : row.view()) {
                all.add(i, e.column, weight * e.count);
                if (abroad) away.add(i, e.column, weight * e.count);
            }
        };
        const bool person = persons != nullptr && !met(r);
        const auto count_person = [&](payment::ClassTotals ClassPersons::*of) {
            if (!person) return;
            for (const risk::Entry& e : row.view()) (persons->*of).add(i, e.column, sign);
        };
        if (person) persons->insured[at(i)] += sign;
        count_person(&ClassPersons::variable);
        count(totals.variable, totals.variable_abroad);
        if (moments != nullptr) moments->add(row.view(), days, cost.variable, r.represents, sign);
        if (view.gap != nullptr && !totals.gap.empty())
            view.gap->add(r, row, weight, factor * (cost.variable + cost.ggz + cost.fixed + cost.nursing), totals.gap);
        if (scheme.nursing_columns() > 0) {
            scheme.nursing_row(r, year, health, row);
            count_person(&ClassPersons::nursing);
            count(totals.nursing, totals.nursing_abroad);
        }
        const bool adult = scheme.age(r, year) >= scheme.model().adult_age;
        if (adult) {
            scheme.ggz_row(r, year, health, row);
            count_person(&ClassPersons::ggz);
            count(totals.ggz, totals.ggz_abroad);
            scheme.deductible_row(r, year, health, row);
            count_person(&ClassPersons::deductible);
            for (const risk::Entry& e : row.view()) totals.deductible.add(i, e.column, weight * e.count);
            totals.adult_days[at(i)] += weight;
        }
        const std::int32_t july = first_day_of(year + 1) - 184;  // 1 July
        if (!adult && r.first_day <= july && r.last_day >= july) totals.under_18[at(i)] += factor;
        totals.days[at(i)] += weight;
        totals.cost_variable[at(i)] += factor * cost.variable;
        totals.cost_ggz[at(i)] += factor * cost.ggz;
        totals.cost_fixed[at(i)] += factor * cost.fixed;
        totals.cost_nursing[at(i)] += factor * cost.nursing;
        const OwnPayment own = own_payment(scheme, records, at(&r - records.data()), year,
                                           [&](const data::Record& of) { return view.panel->cost_of(of).eligible; });
        totals.own_payments[at(i)] += factor * own.total;
        totals.own_payments_mandatory[at(i)] += factor * own.mandatory;
    }
}

YearTotals empty_totals(const risk::Scheme& scheme, std::size_t insurers) {
    YearTotals t;
    const auto n = static_cast<Index>(insurers);
    t.variable = {n, scheme.variable_columns()};
    t.ggz = {n, scheme.ggz_columns()};
    t.deductible = {n, scheme.deductible_columns()};
    t.nursing = {n, scheme.nursing_columns()};
    if (!scheme.model().abroad.empty()) {
        t.variable_abroad = t.variable;
        t.ggz_abroad = t.ggz;
        t.nursing_abroad = t.nursing;
    }
    t.days.resize(insurers);
    t.adult_days.resize(insurers);
    t.under_18.resize(insurers);
    t.cost_variable.resize(insurers);
    t.cost_ggz.resize(insurers);
    t.cost_fixed.resize(insurers);
    t.cost_nursing.resize(insurers);
    t.own_payments.resize(insurers);
    t.own_payments_mandatory.resize(insurers);
    t.ggz_excess.resize(insurers);
    return t;
}

void merge(YearTotals& a, const YearTotals& b) {
    a.variable += b.variable;
    a.ggz += b.ggz;
    a.deductible += b.deductible;
    a.nursing += b.nursing;
    if (a.variable_abroad.columns() > 0) {
        a.variable_abroad += b.variable_abroad;
        a.ggz_abroad += b.ggz_abroad;
        a.nursing_abroad += b.nursing_abroad;
    }
    const auto add = [](auto& x, const auto& y) {
        for (std::size_t k = 0; k < x.size(); ++k) x[k] += y[k];
    };
    add(a.days, b.days);
    add(a.adult_days, b.adult_days);
    add(a.under_18, b.under_18);
    add(a.cost_variable, b.cost_variable);
    add(a.cost_ggz, b.cost_ggz);
    add(a.cost_fixed, b.cost_fixed);
    add(a.cost_nursing, b.cost_nursing);
    add(a.own_payments, b.own_payments);
    add(a.own_payments_mandatory, b.own_payments_mandatory);
    add(a.ggz_excess, b.ggz_excess);
    for (std::size_t k = 0; k < a.gap.size(); ++k) {
        a.gap[k].days += b.gap[k].days;
        a.gap[k].cost += b.gap[k].cost;
        a.gap[k].morbidity += b.gap[k].morbidity;
    }
}

}  // namespace detail

void Band::count() {
    inside.clear();
    std::int64_t sum = above;
    for (std::size_t k = 0; k < persons.size(); ++k) {
        if (k % step == 0) inside.push_back(sum);
        sum += persons[k].represents;
    }
}

GapPlan gap_plan(const risk::Scheme& scheme, const std::vector<std::uint16_t>& municipalities) {
    if (std::adjacent_find(municipalities.begin(), municipalities.end(), std::greater_equal<>{}) !=
        municipalities.end())
        throw ParameterError{{{"baseline", "municipalities", "codes in ascending order", "others"}}};
    GapPlan plan;
    plan.others = static_cast<std::uint32_t>(municipalities.size());
    plan.position.assign(municipalities.empty() ? 0 : municipalities.back() + std::size_t{1}, plan.others);
    for (std::uint32_t k = 0; k < plan.others; ++k) plan.position[municipalities[k]] = k;
    const params::Model& model = scheme.model();
    plan.weights = detail::variable_weights(scheme);
    for (const risk::CriterionColumns& c : scheme.variable_layout()) {
        if (c.name == "age_sex") {
            plan.first = c.offset;
            plan.classes = c.size;
        }
        const params::Criterion& rule = *std::find_if(model.variable.criteria.begin(), model.variable.criteria.end(),
                                                      [&](const auto& of) { return of.name == c.name; });
        const bool looks_back =
            std::any_of(rule.data_years.begin(), rule.data_years.end(), [](auto lag) { return lag > 0; });
        if (!looks_back && rule.of.empty()) std::fill_n(plan.weights.begin() + c.offset, c.size, MicroEuro{0});
    }
    return plan;
}

void GapPlan::add(const data::Record& record, const risk::Row& row, Days weight, Cents cost,
                  std::vector<GapCell>& cells) const {
    const std::size_t of = record.municipality < position.size() ? position[record.municipality] : others;
    Int128 morbidity = 0;
    Index age_sex = -1;
    for (const risk::Entry& e : row.view()) {
        if (e.column >= first && e.column < first + classes) age_sex = e.column - first;
        morbidity += static_cast<Int128>(weights[e.column]) * e.count;
    }
    if (age_sex < 0) return;  // no class of age and sex: nobody to compare with
    GapCell& cell = cells[of * static_cast<std::size_t>(classes) + static_cast<std::size_t>(age_sex)];
    cell.days += weight;
    cell.cost += cost;
    cell.morbidity += morbidity * weight;
}

void View::health(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const {
    classes(p, year, record, out);
    memory_classes(p, year, record, out);
}

void View::memory_classes(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const {
    // HSM: classes of an earlier year (2022-: t-3); who was not insured then, or lives abroad now, has none.
    const std::int32_t lag = scheme->hsm_lag(), then_year = year - lag;
    if (lag == 0 || record.region == 0 || then_year <= panel->first_year) return;
    const auto earlier = panel->records_of(p, then_year);
    if (earlier.empty()) return;
    risk::Health then;
    classes(p, then_year, earlier.front(), then);
    out.hsm = scheme->hsm_class(then);
}

void View::classes(Index p, std::int32_t year, const data::Record& record, risk::Health& out) const {
    const risk::Past before = past(p, year);
    care_classes(before, year, record, out);
    line_classes(before, p, year, record, out);
}

risk::Past View::past(Index p, std::int32_t year) const {
    risk::Past result{};
    for (std::size_t lag = 0; lag < result.size(); ++lag) {
        const std::int32_t y = year - static_cast<std::int32_t>(lag);
        if (y >= panel->first_year) result[lag] = &care(p, y);
    }
    return result;
}

void View::care_classes(const risk::Past& past, std::int32_t year, const data::Record& record,
                        risk::Health& out) const {
    scheme->health(past, out);
    // Who lives abroad is in the classes "none" of what rests on care in kind (art. 6); MHK and MVV rest on cost.
    if (record.region == 0) out = {};
    scheme->history(past, record, year, out);
}

void View::line_classes(const risk::Past& past, Index p, std::int32_t year, const data::Record& record,
                        risk::Health& out) const {
    const std::uint64_t person = panel->person[at(p)];
    const auto beyond = [&](const risk::Line& line, Cents cost, std::int32_t y) {
        if (cost != line.cost) return cost > line.cost;
        return line.includes(cost, risk::tie_key(seed, person, y), person);
    };
    const std::int32_t age = scheme->age(record, year);
    out.mhk = scheme->mhk_class(age, [&](Index k, std::int32_t lag) {
        const risk::CareYear* c = past[at(lag)];
        if (c == nullptr || c->insured == 0) return false;
        const std::size_t y = at(year - lag - panel->first_year);
        return beyond((*cost_lines)[y].mhk[at(k)], c->mhk_cost, year - lag);
    });
    const bool adult = age >= scheme->model().adult_age;
    out.ggz_mhk = 0;
    if (adult)
        out.ggz_mhk = scheme->ggz_mhk_class(age, [&](Index k, std::int32_t lag) {
            const risk::CareYear* c = past[at(lag)];
            if (c == nullptr || c->insured == 0) return false;
            const auto& top = scheme->ggz_mhk_tops()[at(k)];
            if (top.any_cost()) return c->ggz_cost > 0;
            if (top.min_cents > 0 && c->ggz_cost <= top.min_cents) return false;
            if (!detail::ranked_for_mental_care(*scheme, record, year - lag)) return false;
            return beyond((*cost_lines)[at(year - lag - panel->first_year)].ggz_mhk[at(k)], c->ggz_cost, year - lag);
        });
    out.mvv = 0;
    const std::int32_t exempt_from = scheme->model().wlz_no_mvv_from_age;
    // Who enters an institution is of the year as a whole, as in the personal criterion of the household.
    const bool wlz_none = panel->records_of(p, year).back().wlz > 0 && exempt_from != 0 && age >= exempt_from;
    const risk::CareYear* last = past[1];
    if (!wlz_none && last != nullptr && last->insured != 0) {
        const Cents sum = detail::nursing_sum(*this, p, year, adult);
        if (sum > 0) {
            const auto& mvv = (*sum_lines)[at(year - panel->first_year)].mvv;
            const std::int32_t child = scheme->mvv_child_code();
            for (std::size_t k = mvv.size(); k-- > 0;) {
                if ((static_cast<std::int32_t>(k) + 1 == child) == adult) continue;
                if (beyond(mvv[k], sum, year)) {
                    out.mvv = static_cast<std::uint8_t>(k + 1);
                    break;
                }
            }
        }
    }
}

estimation::Specification specification(const risk::Scheme& scheme) {
    estimation::Specification spec;
    const params::Share& share = scheme.model().variable;
    for (std::size_t c = 0; c < share.criteria.size(); ++c) {
        const params::Criterion& criterion = share.criteria[c];
        const risk::CriterionColumns& columns = scheme.variable_layout()[c];
        for (const params::RiskClass& k : criterion.classes)
            spec.columns.push_back(criterion.name + "=" + std::to_string(k.code));
        if (criterion.name == "age_sex") continue;  // the carrier of total cost
        if (!criterion.age_bands_zero_sum) {
            estimation::ZeroSum group{criterion.name, {}};
            for (Index k = 0; k < columns.size; ++k) group.columns.push_back(columns.offset + k);
            spec.zero_sum.push_back(std::move(group));
            continue;
        }
        for (std::size_t k = 0; k < criterion.classes.size(); ++k) {
            const params::RiskClass& cls = criterion.classes[k];
            const std::string name =
                criterion.name + " " + std::to_string(cls.age_min) + "-" + std::to_string(cls.age_max);
            auto group =
                std::find_if(spec.zero_sum.begin(), spec.zero_sum.end(), [&](const auto& g) { return g.name == name; });
            if (group == spec.zero_sum.end()) group = spec.zero_sum.insert(spec.zero_sum.end(), {name, {}});
            group->columns.push_back(columns.offset + static_cast<Index>(k));
        }
    }
    return spec;
}

Panel read_panel(const Source& source, const risk::Scheme& scheme, const Options& o,
                 std::vector<std::vector<Cents>>& category_cost, const Run& run) {
    const std::vector<std::int32_t> insurers = insurer_index(o.insurers);
    std::vector<detail::Part> parts(at(source.blocks));
    for_each_chunk(run, source.blocks,
                   [&](Index k) { parts[at(k)] = detail::read_block(source.block(k), scheme, o, insurers); });
    return detail::join(parts, o, category_cost);
}

Panel detail::join(std::vector<Part>& parts, const Options& o, std::vector<std::vector<Cents>>& category_cost) {
    Panel panel;
    panel.first_year = o.first_year;
    panel.years = o.last_year - o.first_year + 1;
    category_cost.assign(at(panel.years), std::vector<Cents>(o.insurers.size() * category_count));
    std::size_t records = 0, claims = 0, persons = 0;
    for (const Part& p : parts) {
        records += p.panel.records.size();
        claims += p.panel.claims.size();
        persons += p.panel.person.size();
    }
    panel.records.reserve(records);
    panel.cost.reserve(records);
    panel.claims.reserve(claims);
    panel.care.reserve(persons * at(panel.years));
    for (Part& p : parts) {
        const auto record_base = static_cast<std::uint32_t>(panel.records.size());
        const auto claim_base = static_cast<std::uint32_t>(panel.claims.size());
        if (!panel.person.empty() && !p.panel.person.empty() && p.panel.person.front() <= panel.person.back())
            throw DomainError{
                {{"read_panel", "blocks", "persons ascending from block to block", "a person out of order"}}};
        append(panel.person, p.panel.person);
        p.panel.record_begin.pop_back();
        p.panel.claim_begin.pop_back();
        for (const std::uint32_t b : p.panel.record_begin) panel.record_begin.push_back(record_base + b);
        for (const std::uint32_t b : p.panel.claim_begin) panel.claim_begin.push_back(claim_base + b);
        append(panel.records, p.panel.records);
        append(panel.cost, p.panel.cost);
        append(panel.care, p.panel.care);
        append(panel.claims, p.panel.claims);
        panel.claims_read += p.panel.claims_read;
        panel.persons_read += p.panel.persons_read;
        panel.records_read += p.panel.records_read;
        for (std::size_t y = 0; y < p.category_cost.size(); ++y)
            for (std::size_t k = 0; k < category_cost[y].size(); ++k) category_cost[y][k] += p.category_cost[y][k];
        p = {};
    }
    panel.record_begin.push_back(static_cast<std::uint32_t>(panel.records.size()));
    panel.claim_begin.push_back(static_cast<std::uint32_t>(panel.claims.size()));
    return panel;
}

std::int32_t first_class_year(const Options& o) {
    return o.start - std::max({o.estimation_lag, o.expected_lag, o.macro_lag});
}

namespace {

void check(const Options& o, const risk::Scheme& scheme) {
    Problems<ParameterError> problems;
    const std::int32_t last = o.start + o.horizon - 1;
    problems.require(!o.insurers.empty(), "options", "insurers", "at least one", "none");
    problems.require(
        std::adjacent_find(o.insurers.begin(), o.insurers.end(), std::greater_equal<>{}) == o.insurers.end(), "options",
        "insurers", "ascending codes, each once", "another order");  // ties go by insurer code
    problems.require(o.pass_through_lag >= 0, "options", "lag of the premium", "0 or more",
                     std::to_string(o.pass_through_lag));
    problems.require(o.horizon >= 1, "options", "horizon", "at least 1 year", std::to_string(o.horizon));
    problems.require(last <= o.last_year, "options", "last simulated year", "at most " + std::to_string(o.last_year),
                     std::to_string(last));
    const auto& mhk_years = scheme.data_years("mhk");
    const std::int32_t back = mhk_years.empty() ? 0 : *std::max_element(mhk_years.begin(), mhk_years.end());
    const std::int32_t first = first_class_year(o);
    problems.require(first - back >= o.first_year, "options", "first year of data",
                     "at most " + std::to_string(first - back) + " (start less lags less MHK years)",
                     std::to_string(o.first_year));
    problems.require(o.threshold_ppm > 0 && o.threshold_ppm <= 1'000'000'000, "options", "threshold factor",
                     "above 0, at most 1000", std::to_string(o.threshold_ppm) + " millionths");
    problems.require(o.band_insured >= 1, "options", "insured on either side of a line", "at least 1",
                     std::to_string(o.band_insured));
    problems.throw_if_any();
}

[[nodiscard]] Baseline build(std::shared_ptr<const risk::Scheme> scheme, const Options& o,
                             std::shared_ptr<const Panel> data, std::vector<std::vector<Cents>> category_cost,
                             const Run& run);

}  // namespace

Baseline make_baseline(const Source& source, std::shared_ptr<const risk::Scheme> scheme, const Options& o,
                       const Run& run) {
    check(o, *scheme);
    if (!o.keep.empty()) return detail::lean_baseline(source, std::move(scheme), o, run);
    std::vector<std::vector<Cents>> category_cost;
    auto panel = std::make_shared<const Panel>(read_panel(source, *scheme, o, category_cost, run));
    return build(std::move(scheme), o, std::move(panel), std::move(category_cost), run);
}

Baseline make_baseline(const Baseline& like, const Options& o, const Run& run) {
    check(o, *like.scheme);
    Problems<ParameterError> problems;
    problems.require(o.first_year == like.options.first_year && o.last_year == like.options.last_year, "options",
                     "years", "those of the panel", std::to_string(o.first_year) + ".." + std::to_string(o.last_year));
    problems.require(o.insurers == like.options.insurers, "options", "insurers", "those of the panel", "others");
    problems.require(o.start >= like.options.start, "options", "start",
                     "at least " + std::to_string(like.options.start), std::to_string(o.start));
    problems.require(o.keep == like.options.keep, "options", "municipalities kept", "those of the panel", "others");
    problems.throw_if_any();
    if (like.lean()) return detail::lean_baseline(*like.source, like.scheme, o, run);
    return build(like.scheme, o, like.panel, like.category_cost, run);
}

namespace {

Baseline build(std::shared_ptr<const risk::Scheme> scheme, const Options& o, std::shared_ptr<const Panel> data,
               std::vector<std::vector<Cents>> category_cost, const Run& run) {
    Baseline b;
    b.scheme = std::move(scheme);
    b.options = o;
    b.panel = std::move(data);
    b.category_cost = std::move(category_cost);
    const std::int32_t last = o.start + o.horizon - 1;
    const std::int32_t first_class_year = scenario::first_class_year(o);
    b.first_class_year = first_class_year;
    b.specification = specification(*b.scheme);
    if (!o.municipalities.empty() && b.scheme->model().weighted)
        b.gap = std::make_shared<const GapPlan>(gap_plan(*b.scheme, o.municipalities));
    const Panel& panel = *b.panel;

    b.cost_years.resize(at(panel.years));
    b.nursing.resize(at(panel.years));
    std::vector<risk::CostLines> cost_lines(at(panel.years));
    std::vector<risk::SumLines> sum_lines(at(panel.years));
    for_each_chunk(run, panel.years, [&](Index y) {
        CostYear& year = b.cost_years[at(y)];
        std::vector<risk::Ranked> mhk, ggz;
        const std::int32_t calendar = o.first_year + static_cast<std::int32_t>(y);
        for (Index p = 0; p < panel.persons(); ++p) {
            const auto records = panel.records_of(p, calendar);
            if (records.empty()) continue;
            year.insured += records.front().represents;
            const risk::CareYear& care = panel.care[panel.cell(p, calendar)];
            const std::uint64_t person = panel.person[at(p)];
            const std::uint64_t key = risk::tie_key(o.seed, person, calendar);
            const auto index = static_cast<std::uint32_t>(p);
            if (care.mhk_cost > 0) mhk.push_back({care.mhk_cost, key, person, index, records.front().represents});
            if (!detail::ranked_for_mental_care(*b.scheme, records.front(), calendar)) continue;
            year.adults += records.front().represents;
            if (care.ggz_cost > 0) ggz.push_back({care.ggz_cost, key, person, index, records.front().represents});
        }
        detail::rank_cost_year(*b.scheme, o, std::move(mhk), std::move(ggz), year);
        cost_lines[at(y)] = year.lines;
    });
    View view{&panel, b.scheme.get(), &b.cost_years, &cost_lines, &sum_lines, nullptr, nullptr, o.seed, b.gap.get()};
    const std::int32_t first_mvv = std::max(first_class_year - b.scheme->hsm_lag(), o.first_year + 1);
    for_each_chunk(run, panel.years, [&](Index y) {
        const std::int32_t t = o.first_year + static_cast<std::int32_t>(y);
        if (t < first_mvv) return;
        NursingSum& n = b.nursing[at(y)];
        std::vector<risk::Ranked> adults, children;
        for (Index p = 0; p < panel.persons(); ++p) {
            const auto records = panel.records_of(p, t - 1);
            if (records.empty()) continue;
            const bool adult = b.scheme->age(records.front(), t) >= b.scheme->model().adult_age;
            (adult ? n.insured_adults : n.insured_children) += records.front().represents;
            const Cents sum = detail::nursing_sum(view, p, t, adult);
            if (sum <= 0) continue;
            const std::uint64_t person = panel.person[at(p)];
            (adult ? adults : children)
                .push_back({sum, risk::tie_key(o.seed, person, t), person, static_cast<std::uint32_t>(p),
                            records.front().represents});
        }
        detail::rank_nursing(*b.scheme, std::move(adults), std::move(children), n);
        sum_lines[at(y)] = n.lines;
    });

    const std::vector<std::int32_t> insurers = insurer_index(o.insurers);
    const std::int32_t years = last - first_class_year + 1;
    b.years.resize(at(years));
    for_each_chunk(run, years, [&](Index k) {
        ArmYear& arm = b.years[at(k)];
        arm.year = first_class_year + static_cast<std::int32_t>(k);
        arm.settled = arm.year >= o.start;
        arm.totals = detail::empty_totals(*b.scheme, o.insurers.size());
        if (b.gap != nullptr && arm.settled) arm.totals.gap.resize(b.gap->cells());
        const bool estimated = detail::is_estimated(o, arm.year);
        if (estimated) arm.moments = estimation::Moments{b.scheme->variable_columns()};
        detail::AreaCount area{o.insurers.size()};
        for (Index p = 0; p < panel.persons(); ++p) {
            detail::add_totals(view, insurers, p, arm.year, 1, arm.totals, estimated ? &arm.moments : nullptr);
            if (arm.settled) area.add(panel, insurers, p, arm.year);
        }
        if (arm.settled) area.write(arm, *b.scheme, o.insurers);
        if (estimated) detail::estimate(b, arm);
    });
    return b;
}

}  // namespace

bool detail::is_estimated(const Options& o, std::int32_t year) {
    return year == first_class_year(o) || (year >= o.start && year + o.estimation_lag < o.start + o.horizon);
}

void detail::estimate(const Baseline& b, ArmYear& arm) {
    if (!b.options.estimates) return;
    estimation::Specification spec = b.specification;
    spec.days_in_year = days_in(arm.year);
    spec.inference = arm.year == b.first_class_year;
    arm.fit = estimation::estimate(arm.moments, spec);
}

void Baseline::require_everybody(const char* what) const {
    if (!lean()) return;
    throw ParameterError{{{what, "baseline", "one that keeps everybody",
                           "one that keeps " + std::to_string(options.keep.size()) + " municipalities"}}};
}

void detail::AreaCount::add(const Panel& panel, const std::vector<std::int32_t>& insurers, Index p, std::int32_t year) {
    const auto records = panel.records_of(p, year);
    for (const data::Record& r : records) {
        const auto i = at(insurers[r.insurer]);
        if (std::none_of(records.data(), &r, [&](const data::Record& other) { return other.insurer == r.insurer; }))
            ++insured[i];
        std::vector<Days>& row = days[r.municipality];
        row.resize(insured.size());
        row[i] += (r.last_day - r.first_day + 1) * static_cast<Days>(r.represents);
        if (const Cents cents = panel.cost_of(r).ggz; cents != 0)
            mental.push_back({r.person, cents, static_cast<std::uint16_t>(i), r.represents});
    }
}

void detail::AreaCount::merge(AreaCount&& other) {
    for (std::size_t i = 0; i < insured.size(); ++i) insured[i] += other.insured[i];
    for (const auto& [municipality, row] : other.days) {
        std::vector<Days>& sum = days[municipality];
        sum.resize(insured.size());
        for (std::size_t i = 0; i < row.size(); ++i) sum[i] += row[i];
    }
    append(mental, other.mental);
}

void detail::AreaCount::write(ArmYear& arm, const risk::Scheme& scheme, const std::vector<std::uint16_t>& codes) {
    arm.insured_rows = std::move(insured);
    for (const auto& [municipality, row] : days)
        for (std::size_t i = 0; i < row.size(); ++i)
            if (row[i] != 0) arm.municipality_days.push_back({municipality, codes[i], row[i]});
    std::stable_sort(mental.begin(), mental.end(),
                     [](const MentalCost& a, const MentalCost& b) { return a.person < b.person; });
    arm.mental_cost = std::move(mental);
    detail::ggz_excess(scheme, arm.mental_cost, arm.totals);
}

void detail::ggz_excess(const risk::Scheme& scheme, const std::vector<MentalCost>& rows, YearTotals& totals) {
    std::vector<std::uint64_t> person;
    std::vector<std::int64_t> insurer, represents;
    std::vector<Cents> cost;
    for (const MentalCost& row : rows) {
        person.push_back(row.person);
        insurer.push_back(row.insurer);
        represents.push_back(row.represents);
        cost.push_back(row.cents);
    }
    totals.ggz_excess = payment::excess(scheme.model(), "ggz", {person, insurer, cost, represents},
                                        static_cast<Index>(totals.ggz_excess.size()))
                            .per_insurer;
}

}  // namespace anderhalf::scenario
