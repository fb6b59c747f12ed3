#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/scenario/stream.hpp>

#include "scenario_detail.hpp"
#include "scenario_tally.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>

namespace anderhalf::scenario {

using namespace detail::tallies;

namespace {

/// What each thread adds to.
struct Sums {
    YearTotals totals;
    ClassPersons rows;
    estimation::Moments moments;
    std::vector<Panel> held;  ///< persons near a line, per block
    std::int64_t persons = 0, records = 0, insured = 0;
};

/// Rows of high-cost compensation.
struct HighCostRows {
    std::string share;
    Cents RecordCost::*cost;
    Cents above = 0;  ///< persons with less are never compensated
    std::vector<std::uint64_t> person{};
    std::vector<std::int64_t> insurer{}, represents{};
    std::vector<Cents> cents{};
};

/// The years whose classes are needed: the equalization year, and that of HSM.
[[nodiscard]] std::vector<std::int32_t> class_years(const risk::Scheme& scheme, std::int32_t year) {
    if (scheme.hsm_lag() == 0) return {year};
    return {year, year - scheme.hsm_lag()};
}

[[nodiscard]] const params::Criterion* criterion(const risk::Scheme& scheme, const std::string& name) {
    for (const params::Criterion& c : scheme.model().variable.criteria)
        if (c.name == name) return &c;
    return nullptr;
}

/// Drops what lies wholly in other years; a record that reaches into these years is checked with them.
void keep_years(data::Block& block, std::int32_t first, std::int32_t last) {
    const std::int32_t begin = first_day_of(first), end = first_day_of(last + 1);
    std::erase_if(block.records, [&](const data::Record& r) { return r.last_day < begin || r.first_day >= end; });
    std::erase_if(block.claims, [&](const data::Claim& c) { return c.opened < begin || c.opened >= end; });
}

class Pass {
public:
    Pass(const Source& source, const risk::Scheme& scheme, const Options& options, std::int32_t year)
        : source_{source},
          scheme_{scheme},
          given_{options},
          window_{options},
          year_{year},
          insurers_{detail::insurer_index(options.insurers)} {
        window_.first_year = first_year_of_care(scheme, year);
        window_.last_year = year;
        window_.start = year + 1;  // no claims are kept
        cost_lines_.resize(at(year - window_.first_year + 1));
        sum_lines_.resize(cost_lines_.size());
        for (risk::CostLines& lines : cost_lines_) {
            lines.mhk.resize(scheme.mhk_tops().size());
            lines.ggz_mhk.resize(scheme.ggz_mhk_tops().size());
        }
        rank();
        for (const params::HighCost& rule : scheme.model().high_cost) compensate(rule);
    }

    [[nodiscard]] Streamed run(const Run& run, const estimation::Moments& empty) {
        count(run);
        for (Tally& r : tallies_) cut(r, scheme_, given_, most_represented_);
        write_lines([](const Cut& c) { return rough(c); });
        Pool<Sums> pool{[&] {
            return Sums{detail::empty_totals(scheme_, given_.insurers.size()), empty_rows(), empty, {}, 0, 0, 0};
        }};
        classify(run, pool);
        if (pool.all.empty()) static_cast<void>(Pool<Sums>::Lease{pool});  // a source without blocks
        settle(pool);
        return result(pool);
    }

private:
    const Source& source_;
    const risk::Scheme& scheme_;
    Options given_, window_;
    std::int32_t year_;
    std::vector<std::int32_t> insurers_;
    std::vector<Tally> tallies_;
    std::int64_t most_represented_ = 0;
    std::vector<risk::CostLines> cost_lines_;
    std::vector<risk::SumLines> sum_lines_;
    std::vector<Seen> seen_;
    std::vector<HighCostRows> high_;
    std::mutex high_guard_;

    [[nodiscard]] View view(const Panel& panel) const {
        return {&panel, &scheme_, nullptr, &cost_lines_, &sum_lines_, nullptr, nullptr, given_.seed};
    }
    [[nodiscard]] std::size_t position(std::int32_t year) const { return at(year - window_.first_year); }

    /// The rankings that the classes of the equalization year, and those of HSM, look at.
    void rank() {
        const auto put = [&](Of of, std::int32_t year) {
            const auto same = [&](const Tally& r) { return r.of == of && r.year == year; };
            if (year < window_.first_year || std::any_of(tallies_.begin(), tallies_.end(), same)) return;
            tallies_.push_back({.of = of, .year = year});
            tallies_.back().users.resize(of == Of::ggz ? scheme_.ggz_mhk_tops().size() : 0);
        };
        const std::vector<std::int32_t> years = class_years(scheme_, year_);
        for (const std::int32_t t : years)
            for (const std::int32_t lag : scheme_.data_years("mhk")) put(Of::mhk, t - lag);
        for (const std::int32_t lag : scheme_.data_years("ggz_mhk")) put(Of::ggz, year_ - lag);  // HSM looks at no GGZ
        for (const std::int32_t t : years) {
            if (scheme_.mvv_tops().empty() || t <= window_.first_year) continue;
            put(Of::adults, t);
            if (scheme_.mvv_child_code() > 0) put(Of::children, t);
        }
    }

    void compensate(const params::HighCost& rule) {
        const auto same = [&](const HighCostRows& rows) { return rows.share == rule.share; };
        const auto found = std::find_if(high_.begin(), high_.end(), same);
        const Cents above = rule.top_per_myriad > 0 ? std::numeric_limits<Cents>::min() : rule.threshold;
        if (found != high_.end()) {
            found->above = std::min(found->above, above);
            return;
        }
        Problems<ParameterError> problems;
        const bool known = rule.share == "variable" || rule.share == "ggz" || rule.share == "nursing";
        problems.require(known, scheme_.model().name, "share with high-cost compensation", "variable, ggz or nursing",
                         rule.share);
        problems.throw_if_any();
        high_.push_back({.share = rule.share,
                         .cost = rule.share == "variable" ? &RecordCost::variable
                                 : rule.share == "ggz"    ? &RecordCost::ggz
                                                          : &RecordCost::nursing,
                         .above = above});
    }

    [[nodiscard]] ClassPersons empty_rows() const {
        const auto n = static_cast<Index>(given_.insurers.size());
        ClassPersons rows;
        rows.variable = {n, scheme_.variable_columns()};
        rows.ggz = {n, scheme_.ggz_columns()};
        rows.deductible = {n, scheme_.deductible_columns()};
        rows.nursing = {n, scheme_.nursing_columns()};
        rows.insured.resize(given_.insurers.size());
        return rows;
    }

    [[nodiscard]] detail::Part read(Index k) const {
        data::Block block = source_.block(k);
        if (given_.first_year != window_.first_year || given_.last_year != year_)
            keep_years(block, window_.first_year, year_);
        return detail::read_block(block, scheme_, window_, insurers_);
    }
    /// Pass 1: insured per bin of cost.
    void count(const Run& run) {
        seen_.resize(at(source_.blocks));
        Run first{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = nullptr};
        if (run.progress) first.progress = [&run](Index done, Index total) { run.progress(done, 2 * total); };
        for_each_chunk(first, source_.blocks, [&](Index k) {
            const detail::Part part = read(k);
            const Panel& panel = part.panel;
            const View view = this->view(panel);
            seen_[at(k)] = look(panel);
            std::int64_t most = 0;
            for (const data::Record& r : panel.records) most = std::max<std::int64_t>(most, r.represents);
            for (Tally& r : tallies_) tally(r, scheme_, view);
            std::atomic_ref<std::int64_t> all{most_represented_};
            for (std::int64_t now = all; now < most && !all.compare_exchange_weak(now, most);) {
            }
        });
        check_order("stream", seen_);
    }

    template <class LineOf>
    void write_lines(LineOf&& line_of) {
        write(tallies_, scheme_, given_, window_.first_year, line_of, cost_lines_, sum_lines_);
    }

    [[nodiscard]] bool held(const View& view, Index p) const {
        bool is = false;
        for (const Tally& r : tallies_) {
            on(r, scheme_, view, p, [&](Cents cost, const data::Record&, bool) { is = is || r.is_near(cost); });
            if (is) return true;
        }
        return false;
    }

    /// Classes, totals and moments of one person.
    void add_person(const View& view, Index p, Sums& sums) const {
        const auto records = view.panel->records_of(p, year_);
        if (records.empty()) return;
        ++sums.persons;
        sums.insured += records.front().represents;
        sums.records += static_cast<std::int64_t>(records.size());
        detail::add_totals(view, insurers_, p, year_, 1, sums.totals, &sums.moments, &sums.rows);
    }

    void add_high_cost(const Panel& panel) {
        for (HighCostRows& rows : high_) {
            HighCostRows here{.share = {}, .cost = rows.cost, .above = rows.above};
            for (Index p = 0; p < panel.persons(); ++p) {
                const auto records = panel.records_of(p, year_);
                const auto cost = [&](const data::Record& r) {
                    return panel.cost[at(&r - panel.records.data())].*rows.cost;
                };
                Cents total = 0;
                for (const data::Record& r : records) total += cost(r);
                if (total <= rows.above) continue;
                for (const data::Record& r : records) {
                    if (cost(r) == 0) continue;
                    here.person.push_back(r.person);
                    here.insurer.push_back(insurers_[r.insurer]);
                    here.represents.push_back(r.represents);
                    here.cents.push_back(cost(r));
                }
            }
            const std::scoped_lock lock{high_guard_};
            const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
            append(rows.person, here.person);
            append(rows.insurer, here.insurer);
            append(rows.represents, here.represents);
            append(rows.cents, here.cents);
        }
    }

    /// Pass 2: classes, totals and moments of all but those who are held.
    void classify(const Run& run, Pool<Sums>& pool) {
        Run second{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = run.work_per_thread};
        if (run.progress) second.progress = [&run](Index done, Index total) { run.progress(total + done, 2 * total); };
        for_each_chunk(second, source_.blocks, [&](Index k) {
            const detail::Part part = read(k);
            const Panel& panel = part.panel;
            if (!(look(panel) == seen_[at(k)])) differs();
            const View view = this->view(panel);
            const Pool<Sums>::Lease sums{pool};
            Panel waiting;
            waiting.first_year = panel.first_year;
            waiting.years = panel.years;
            for (Index p = 0; p < panel.persons(); ++p)
                if (held(view, p)) append_person(waiting, panel, p, false);
                else add_person(view, p, *sums);
            if (!waiting.person.empty()) {
                waiting.record_begin.push_back(static_cast<std::uint32_t>(waiting.records.size()));
                (*sums).held.push_back(std::move(waiting));
            }
            add_high_cost(panel);
        });
    }
    [[noreturn]] static void differs() {
        throw DomainError{{{"stream", "blocks", "the same block when asked again", "another one"}}};
    }

    /// The lines, from all who are near them; then the classes of these.
    void settle(Pool<Sums>& pool) {
        for (Tally& r : tallies_) {
            for (const auto& sums : pool.all)
                for (const Panel& panel : sums->held) {
                    const View view = this->view(panel);
                    for (Index p = 0; p < panel.persons(); ++p)
                        on(r, scheme_, view, p, [&](Cents cost, const data::Record& of, bool ranked) {
                            if (!ranked || cost <= 0 || !r.is_near(cost)) return;
                            r.members.push_back(
                                {cost, risk::tie_key(given_.seed, of.person, r.year), of.person, 0, of.represents});
                        });
                }
            std::sort(r.members.begin(), r.members.end());
            for (Cut& c : r.cuts)
                if (!find(r, c)) differs();
        }
        write_lines([](const Cut& c) { return c.found; });
        for (const auto& sums : pool.all)
            for (const Panel& panel : sums->held) {
                const View view = this->view(panel);
                for (Index p = 0; p < panel.persons(); ++p) add_person(view, p, *sums);
            }
    }

    [[nodiscard]] NationalLine told(const Tally& r, const Cut& c) const {
        NationalLine line;
        line.year = r.year;
        line.insured = c.insured;
        switch (r.of) {
            case Of::mhk:
                line.criterion = "mhk";
                line.top_per_myriad = scheme_.mhk_tops()[c.line];
                line.line = cost_lines_[position(r.year)].mhk[c.line];
                break;
            case Of::ggz:
                line.criterion = "ggz_mhk";
                line.top_per_myriad = scheme_.ggz_mhk_tops()[c.line].top_per_myriad;
                line.min_cents = scheme_.ggz_mhk_tops()[c.line].min_cents;
                line.line = cost_lines_[position(r.year)].ggz_mhk[c.line];
                break;
            case Of::adults:
            case Of::children:
                line.criterion = "mvv";
                line.top_per_myriad = scheme_.mvv_tops()[c.line];
                line.code = static_cast<std::int32_t>(c.line) + 1;
                line.line = sum_lines_[position(r.year)].mvv[c.line];
                break;
        }
        if (line.line.cost == std::numeric_limits<Cents>::max()) return line;  // nobody fits
        const std::size_t bin = bins::of(line.line.cost);
        for (std::size_t b = bin + 1; b < bins::count; ++b) line.above += r.in_bin[b];
        for (const risk::Ranked& m : r.members) {
            if (bins::of(m.cost) != bin) continue;
            if (m.cost > line.line.cost) line.above += m.represents;
            else if (m.cost == line.line.cost) line.on += m.represents;
        }
        return line;
    }

    [[nodiscard]] Streamed result(Pool<Sums>& pool) {
        Streamed s;
        s.year = year_;
        s.first_year = window_.first_year;
        Sums& all = *pool.all.front();
        for (std::size_t k = 0; k < pool.all.size(); ++k) {
            const Sums& part = *pool.all[k];
            for (const Panel& panel : part.held) s.held += panel.persons();
            s.persons += part.persons;
            s.records += part.records;
            s.insured += part.insured;
            if (k == 0) continue;
            detail::merge(all.totals, part.totals);
            all.moments += part.moments;
            all.rows.variable += part.rows.variable;
            all.rows.ggz += part.rows.ggz;
            all.rows.deductible += part.rows.deductible;
            all.rows.nursing += part.rows.nursing;
            for (std::size_t i = 0; i < all.rows.insured.size(); ++i) all.rows.insured[i] += part.rows.insured[i];
        }
        s.totals = std::move(all.totals);
        s.class_persons = std::move(all.rows);
        s.moments = std::move(all.moments);
        for (const Seen& seen : seen_) s.claims += seen.claims;
        for (const HighCostRows& rows : high_) {
            const payment::Excess excess =
                payment::excess(scheme_.model(), rows.share, {rows.person, rows.insurer, rows.cents, rows.represents},
                                static_cast<Index>(given_.insurers.size()));
            if (rows.share == "ggz") s.totals.ggz_excess = excess.per_insurer;
            s.high_cost.push_back({rows.share, excess.per_insurer, excess.threshold});
        }
        for (const Tally& r : tallies_)
            for (const Cut& c : r.cuts) s.lines.push_back(told(r, c));
        s.cost_lines = std::move(cost_lines_);
        s.sum_lines = std::move(sum_lines_);
        return s;
    }
};

void check(const Source& source, const risk::Scheme& scheme, const Options& o, std::int32_t year) {
    Problems<ParameterError> problems;
    problems.require(source.blocks >= 1, "stream", "blocks", "at least one", std::to_string(source.blocks));
    problems.require(!o.insurers.empty(), "options", "insurers", "at least one", "none");
    problems.require(
        std::adjacent_find(o.insurers.begin(), o.insurers.end(), std::greater_equal<>{}) == o.insurers.end(), "options",
        "insurers", "ascending codes, each once", "another order");  // ties go by insurer code
    problems.require(year <= o.last_year, "stream", "year", "at most " + std::to_string(o.last_year),
                     std::to_string(year));
    const std::int32_t first = first_year_of_care(scheme, year);
    problems.require(first >= o.first_year, "stream", "first year of care",
                     "at most " + std::to_string(first) + ", which classes of " + std::to_string(year) + " look at",
                     std::to_string(o.first_year));
    problems.require(o.threshold_ppm > 0 && o.threshold_ppm <= 1'000'000'000, "options", "threshold factor",
                     "above 0, at most 1000", std::to_string(o.threshold_ppm) + " millionths");
    problems.throw_if_any();
}

}  // namespace

std::int32_t first_year_of_care(const risk::Scheme& scheme, std::int32_t year) {
    std::int32_t back = scheme.longest_lag();
    if (const params::Criterion* hsm = criterion(scheme, "hsm"))
        for (const std::string& name : hsm->of)
            for (const std::int32_t lag : scheme.data_years(name)) back = std::max(back, scheme.hsm_lag() + lag);
    return year - back;
}

Streamed stream(const Source& source, const risk::Scheme& scheme, const Options& options, std::int32_t year,
                const Run& run, const estimation::Moments& empty) {
    check(source, scheme, options, year);
    const Index columns = scheme.variable_columns();
    if (empty.columns() == 0) return Pass{source, scheme, options, year}.run(run, estimation::Moments{columns});
    Problems<ParameterError> problems;
    problems.require(empty.columns() == columns, "stream", "columns of the moments", std::to_string(columns),
                     std::to_string(empty.columns()));
    problems.throw_if_any();
    return Pass{source, scheme, options, year}.run(run, empty);
}

}  // namespace anderhalf::scenario
