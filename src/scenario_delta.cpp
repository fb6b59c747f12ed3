#include <anderhalf/core/calendar.hpp>

#include "scenario_arm.hpp"

#include <cstdlib>
#include <optional>

namespace anderhalf::scenario {

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

enum Mark : char { none = 0, near_line = 1, touched = 2 };

/// Adds what two rows of classes differ in. Rows ascend by column.
template <class Take>
void each_change(const risk::Row& before, const risk::Row& after, Take&& take) {
    const auto a = before.view(), b = after.view();
    std::size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        if (j == b.size() || (i < a.size() && a[i].column < b[j].column)) {
            take(a[i].column, -static_cast<int>(a[i].count));
            ++i;
        } else if (i == a.size() || b[j].column < a[i].column) {
            take(b[j].column, static_cast<int>(b[j].count));
            ++j;
        } else {
            if (a[i].count != b[j].count)
                take(a[i].column, static_cast<int>(b[j].count) - static_cast<int>(a[i].count));
            ++i;
            ++j;
        }
    }
}

/// What changes in one year, person by person.
class Delta {
public:
    Delta(const Baseline& b, const detail::Overlay& overlay, const detail::Views& views, std::int32_t year,
          bool decompose, detail::Arm& arm, estimation::Moments* moments)
        : scheme_{*b.scheme},
          panel_{*b.panel},
          overlay_{overlay},
          views_{views},
          insurers_{detail::insurer_index(b.options.insurers)},
          year_{year},
          decompose_{decompose},
          arm_{arm},
          moments_{moments} {
        arm.ggz_c1 = arm.ggz_c2 = b.arm(year).totals.ggz;
        if (!decompose) return;
        arm.steps = detail::empty_steps(scheme_, static_cast<Index>(b.options.insurers.size()));
        lost_.resize(b.options.insurers.size() * at(scheme_.variable_columns()));
        won_ = lost_;
        persons_.assign(lost_.size(), 0);
        last_.assign(lost_.size(), -1);
    }

    void person(Index p, bool is_touched) {
        const auto records = panel_.records_of(p, year_);
        const auto costs = overlay_.costs(panel_, p, year_);
        const data::Record* grouped = nullptr;  // the record that the classes are of: who lives abroad has others
        for (std::size_t k = 0; k < records.size(); ++k) {
            const data::Record& r = records[k];
            if (grouped == nullptr || (r.region == 0) != (grouped->region == 0)) group(p, r, is_touched);
            grouped = &r;
            record(p, r, panel_.cost_of(r), costs[k]);
        }
        if (!records.empty() && costs.data() != &panel_.cost_of(records.front())) pay(records, costs);
    }

    [[nodiscard]] std::vector<ClassChange> classes(const std::vector<std::uint16_t>& codes) const {
        std::vector<ClassChange> result;
        const std::size_t columns = at(scheme_.variable_columns());
        for (std::size_t j = 0; j < lost_.size(); ++j)
            if (lost_[j] != 0 || won_[j] != 0)
                result.push_back(
                    {year_, codes[j / columns], static_cast<Index>(j % columns), lost_[j], won_[j], persons_[j]});
        return result;
    }

private:
    const risk::Scheme& scheme_;
    const Panel& panel_;
    const detail::Overlay& overlay_;
    const detail::Views& views_;
    std::vector<std::int32_t> insurers_;
    std::int32_t year_;
    bool decompose_;
    detail::Arm& arm_;
    estimation::Moments* moments_;
    std::vector<MicroEuro> weights_ = detail::variable_weights(scheme_), ggz_weights_ = detail::ggz_weights(scheme_);
    std::vector<Days> lost_, won_;
    std::vector<std::int64_t> persons_, last_;
    risk::Health base_, own_, line_, full_;
    bool own_moved_ = false, line_moved_ = false, full_moved_ = false;
    risk::Row before_, after_;

    void group(Index p, const data::Record& r, bool is_touched) {
        const risk::Past past = views_.base.past(p, year_);
        views_.base.care_classes(past, year_, r, base_);
        own_ = base_;
        views_.base.line_classes(past, p, year_, r, base_);
        views_.base.memory_classes(p, year_, r, base_);
        line_ = own_;
        views_.line.line_classes(past, p, year_, r, line_);
        views_.line.memory_classes(p, year_, r, line_);
        if (is_touched) {
            const risk::Past changed = views_.own.past(p, year_);
            views_.own.care_classes(changed, year_, r, own_);
            full_ = own_;
            views_.own.line_classes(changed, p, year_, r, own_);
            views_.own.memory_classes(p, year_, r, own_);
            views_.full.line_classes(changed, p, year_, r, full_);
            views_.full.memory_classes(p, year_, r, full_);
        } else {
            own_ = base_;
            full_ = line_;
        }
        own_moved_ = !(own_ == base_);
        line_moved_ = !(line_ == base_);
        full_moved_ = !(full_ == base_);
    }

    void record(Index p, const data::Record& r, const RecordCost& before, const RecordCost& after) {
        const Index i = insurers_[r.insurer];
        const Days days = r.last_day - r.first_day + 1, weight = days * r.represents;
        const auto change = [&](payment::ClassTotals& totals) {
            return [&totals, i, weight](std::uint16_t column, int count) { totals.add(i, column, weight * count); };
        };
        const bool moments = moments_ != nullptr && (full_moved_ || before.variable != after.variable);
        const Cents spent = before.variable + before.ggz + before.fixed + before.nursing,
                    spends = after.variable + after.ggz + after.fixed + after.nursing;
        const bool gap = views_.base.gap != nullptr && (full_moved_ || spent != spends);
        if (moments || gap || own_moved_ || line_moved_ || full_moved_) scheme_.variable_row(r, year_, base_, before_);
        if (moments) moments_->add(before_.view(), days, before.variable, r.represents, -1);
        if (full_moved_) {
            scheme_.variable_row(r, year_, full_, after_);
            each_change(before_, after_, change(arm_.totals.variable));
        }
        if (gap) {
            views_.base.gap->add(r, before_, -weight, -spent * r.represents, arm_.totals.gap);
            views_.base.gap->add(r, full_moved_ ? after_ : before_, weight, spends * r.represents, arm_.totals.gap);
        }
        if (moments) moments_->add((full_moved_ ? after_ : before_).view(), days, after.variable, r.represents, 1);
        if (decompose_ && own_moved_) {
            scheme_.variable_row(r, year_, own_, after_);
            each_change(before_, after_, [&](std::uint16_t column, int count) {
                arm_.c1.add(i, column, weight * count);
                const std::size_t j = at(i * scheme_.variable_columns()) + column;
                (count < 0 ? lost_ : won_)[j] += std::abs(count) * weight;
                if (std::exchange(last_[j], p) != p) ++persons_[j];
            });
            detail::add_step(scheme_.variable_layout(), weights_, i, weight, before_, after_, arm_.steps.variable);
        }
        if (decompose_ && line_moved_) {
            scheme_.variable_row(r, year_, line_, after_);
            each_change(before_, after_, change(arm_.c2));
        }
        const bool adult = scheme_.age(r, year_) >= scheme_.model().adult_age;
        if (adult && (own_moved_ || line_moved_ || full_moved_)) {
            scheme_.ggz_row(r, year_, base_, before_);
            scheme_.ggz_row(r, year_, full_, after_);
            each_change(before_, after_, change(arm_.totals.ggz));
            if (decompose_) {
                scheme_.ggz_row(r, year_, line_, after_);
                each_change(before_, after_, change(arm_.ggz_c2));
                scheme_.ggz_row(r, year_, own_, after_);
                each_change(before_, after_, change(arm_.ggz_c1));
                detail::add_step(scheme_.ggz_layout(), ggz_weights_, i, weight, before_, after_, arm_.steps.ggz);
            }
            scheme_.deductible_row(r, year_, base_, before_);
            scheme_.deductible_row(r, year_, full_, after_);
            each_change(before_, after_, change(arm_.totals.deductible));
        }
        const Cents represents = r.represents;
        arm_.totals.cost_variable[at(i)] += represents * (after.variable - before.variable);
        arm_.totals.cost_ggz[at(i)] += represents * (after.ggz - before.ggz);
        arm_.totals.cost_fixed[at(i)] += represents * (after.fixed - before.fixed);
        arm_.totals.cost_nursing[at(i)] += represents * (after.nursing - before.nursing);
    }

    void pay(std::span<const data::Record> records, std::span<const RecordCost> costs) {
        for (std::size_t k = 0; k < records.size(); ++k) {
            const data::Record& r = records[k];
            const OwnPayment before = own_payment(scheme_, records, k, year_,
                                                  [&](const data::Record& of) { return panel_.cost_of(of).eligible; });
            const OwnPayment after = own_payment(scheme_, records, k, year_, [&](const data::Record& of) {
                return costs[at(&of - records.data())].eligible;
            });
            const auto i = at(insurers_[r.insurer]);
            arm_.totals.own_payments[i] += r.represents * (after.total - before.total);
            arm_.totals.own_payments_mandatory[i] += r.represents * (after.mandatory - before.mandatory);
        }
    }
};

/// Rows of mental care of a year with the programmes; none when no cost of mental care moved.
[[nodiscard]] std::optional<std::vector<MentalCost>> mental_cost(const Baseline& b, const detail::Overlay& overlay,
                                                                 std::int32_t year) {
    const Panel& panel = *b.panel;
    const std::vector<std::int32_t> insurers = detail::insurer_index(b.options.insurers);
    std::vector<std::uint64_t> moved;
    std::vector<MentalCost> result;
    for (const auto& [p, of] : overlay.touched) {
        if (of != year) continue;
        const auto records = panel.records_of(p, year);
        const auto costs = overlay.costs(panel, p, year);
        bool differs = false;
        for (std::size_t k = 0; k < records.size(); ++k)
            differs = differs || costs[k].ggz != panel.cost_of(records[k]).ggz;
        if (!differs) continue;
        moved.push_back(panel.person[p]);
        for (std::size_t k = 0; k < records.size(); ++k)
            if (costs[k].ggz != 0)
                result.push_back({records[k].person, costs[k].ggz,
                                  static_cast<std::uint16_t>(insurers[records[k].insurer]), records[k].represents});
    }
    if (moved.empty()) return std::nullopt;
    std::sort(moved.begin(), moved.end());
    for (const MentalCost& row : b.arm(year).mental_cost)
        if (!std::binary_search(moved.begin(), moved.end(), row.person)) result.push_back(row);
    return result;
}

}  // namespace

detail::Arm detail::arm_of(const Baseline& b, const Overlay& overlay, const Lines& lines, const Views& views,
                           std::int32_t t, bool decompose) {
    const Options& o = b.options;
    const risk::Scheme& scheme = *b.scheme;
    const ArmYear& base = b.arm(t);
    Arm arm;
    std::vector<char> mark(at(b.panel->persons()), none);
    std::vector<std::int32_t> years{t};  // whose lines and care classes look at
    if (scheme.hsm_lag() > 0 && t - scheme.hsm_lag() >= o.start) years.push_back(t - scheme.hsm_lag());
    for (const std::int32_t of : years) mark_between(b, lines, of, mark);
    for (const std::int32_t of : years)
        for (const auto& [p, year] : overlay.touched)
            if (year <= of && year >= of - scheme.longest_lag()) mark[p] = touched;

    arm.totals = base.totals;
    arm.c1 = arm.c2 = base.totals.variable;
    const bool refit = o.estimates && t + o.estimation_lag < o.start + o.horizon;
    estimation::Moments moments = refit ? base.moments : estimation::Moments{};
    Delta delta{b, overlay, views, t, decompose, arm, refit ? &moments : nullptr};
    for (Index p = 0; p < b.panel->persons(); ++p) {
        if (mark[at(p)] == none) continue;
        ++arm.regrouped;
        delta.person(p, mark[at(p)] == touched);
    }
    if (decompose) arm.classes = delta.classes(o.insurers);
    if (const auto rows = mental_cost(b, overlay, t)) ggz_excess(scheme, *rows, arm.totals);
    if (refit) {
        estimation::Specification spec = b.specification;
        spec.days_in_year = days_in(t);
        spec.inference = false;
        arm.fit = estimation::estimate(moments, spec);
        arm.fitted = true;
    }
    return arm;
}

}  // namespace anderhalf::scenario
