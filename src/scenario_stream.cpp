#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/scenario/stream.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>

namespace anderhalf::scenario {

namespace {

[[nodiscard]] constexpr std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

/// Bins of cost: a cent wide up to 2^15 cents, then 2^14 to a factor of two; the last one is open.
namespace bins {
constexpr int bits = 14, last_bit = 40;
constexpr std::size_t count = (std::size_t{last_bit - bits + 1} << bits) + 1;

[[nodiscard]] constexpr std::size_t of(Cents cost) {
    if (cost <= 0) return 0;
    const auto c = static_cast<std::uint64_t>(cost);
    const int shift = std::max(static_cast<int>(std::bit_width(c)) - bits - 1, 0);
    return std::min((at(shift) << bits) + static_cast<std::size_t>(c >> shift), count - 1);
}
[[nodiscard]] constexpr Cents lowest(std::size_t bin) {
    if (bin < (std::size_t{2} << bits)) return static_cast<Cents>(bin);
    const std::size_t shift = (bin >> bits) - 1;
    return static_cast<Cents>((bin - (shift << bits)) << shift);
}
[[nodiscard]] constexpr Cents highest(std::size_t bin) {
    return bin + 1 < count ? lowest(bin + 1) - 1 : std::numeric_limits<Cents>::max();
}
static_assert(of(0) == 0 && of(1) == 1 && of(32'767) == 32'767 && of(32'768) == 32'768 && of(32'769) == 32'768);
static_assert(of(lowest(99'999)) == 99'999 && of(highest(99'999)) == 99'999 && of(highest(99'999) + 1) == 100'000);
static_assert(of(Cents{1} << last_bit) == count - 1 && of((Cents{1} << last_bit) - 1) == count - 2);
}  // namespace bins

enum class Of : std::uint8_t { mhk, ggz, adults, children };

/// A line and the bins in which it may lie.
struct Cut {
    static constexpr std::size_t nowhere = ~std::size_t{0};
    std::size_t line = 0;  ///< position among the lines of its criterion
    std::int64_t insured = 0, room = 0;
    std::int64_t above = 0;          ///< insured in bins above `crossing`
    std::size_t crossing = nowhere;  ///< the first bin whose insured do not all fit
    std::size_t before = nowhere;    ///< the last bin before it with anybody
    risk::Line found;
};

/// One national ranking: insured per bin of cost, its lines, and the persons near them.
struct Ranking {
    Of of;
    std::int32_t year;
    std::vector<std::int64_t> in_bin = std::vector<std::int64_t>(bins::count);
    std::int64_t insured = 0;
    std::vector<std::int64_t> users{};  ///< GGZ: per top, insured with cost above its minimum
    std::vector<Cut> cuts{};
    std::vector<bool> near{};  ///< bins in which a line may lie
    std::vector<risk::Ranked> members{};

    [[nodiscard]] bool is_near(Cents cost) const { return cost >= 0 && near[bins::of(cost)]; }
};

void add(std::int64_t& sum, std::int64_t value) {
    std::atomic_ref<std::int64_t>{sum}.fetch_add(value, std::memory_order_relaxed);
}

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

/// Gives each thread sums of its own; they are added together at the end.
class Pool {
public:
    explicit Pool(std::function<Sums()> make) : make_{std::move(make)} {}

    class Lease {
    public:
        explicit Lease(Pool& pool) : pool_{pool} {
            const std::scoped_lock lock{pool.guard_};
            if (!pool.free_.empty()) {
                sums_ = pool.free_.back();
                pool.free_.pop_back();
                return;
            }
            pool.all.push_back(std::make_unique<Sums>(pool.make_()));
            sums_ = pool.all.back().get();
        }
        ~Lease() {
            const std::scoped_lock lock{pool_.guard_};
            pool_.free_.push_back(sums_);
        }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        [[nodiscard]] Sums& operator*() const { return *sums_; }

    private:
        Pool& pool_;
        Sums* sums_ = nullptr;
    };

    std::vector<std::unique_ptr<Sums>> all;

private:
    std::function<Sums()> make_;
    std::vector<Sums*> free_;
    std::mutex guard_;
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

/// One person of a panel put behind those of another, without claims.
void append_person(Panel& to, const Panel& from, Index p) {
    to.person.push_back(from.person[at(p)]);
    for (std::int32_t y = 0; y < from.years; ++y) {
        const std::size_t cell = at(p * from.years + y);
        to.record_begin.push_back(static_cast<std::uint32_t>(to.records.size()));
        to.care.push_back(from.care[cell]);
        for (std::size_t r = from.record_begin[cell]; r < from.record_begin[cell + 1]; ++r) {
            to.records.push_back(from.records[r]);
            to.cost.push_back(from.cost[r]);
        }
    }
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
        for (Ranking& r : rankings_) cut(r);
        write_lines([](const Cut& c) { return rough(c); });
        Pool pool{[&] {
            return Sums{detail::empty_totals(scheme_, given_.insurers.size()), empty_rows(), empty, {}, 0, 0, 0};
        }};
        classify(run, pool);
        if (pool.all.empty()) static_cast<void>(Pool::Lease{pool});  // a source without blocks
        settle(pool);
        return result(pool);
    }

private:
    using Ends = std::pair<std::uint64_t, std::uint64_t>;
    struct Seen {  ///< of a block, to be found again in the second pass
        Ends persons{};
        std::size_t size = 0, records = 0;
        std::int64_t claims = 0;
        friend bool operator==(const Seen&, const Seen&) = default;
    };

    const Source& source_;
    const risk::Scheme& scheme_;
    Options given_, window_;
    std::int32_t year_;
    std::vector<std::int32_t> insurers_;
    std::vector<Ranking> rankings_;
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
            const auto same = [&](const Ranking& r) { return r.of == of && r.year == year; };
            if (year < window_.first_year || std::any_of(rankings_.begin(), rankings_.end(), same)) return;
            rankings_.push_back({.of = of, .year = year});
            rankings_.back().users.resize(of == Of::ggz ? scheme_.ggz_mhk_tops().size() : 0);
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
    [[nodiscard]] static Seen look(const Panel& p) {
        if (p.person.empty()) return {};
        return {{p.person.front(), p.person.back()}, p.person.size(), p.records.size(), p.claims_read};
    }

    /// take(cost, person's record, ranked): the cost of a person on a ranking, and whether the person is ranked there.
    template <class Take>
    void on(const Ranking& r, const View& view, Index p, Take&& take) const {
        const bool sums = r.of == Of::adults || r.of == Of::children;
        const std::int32_t year = sums ? r.year - 1 : r.year;
        const auto records = view.panel->records_of(p, year);
        if (records.empty()) return;
        const data::Record& first = records.front();
        const risk::CareYear& care = view.care(p, year);
        const bool of_adults = r.of == Of::adults;
        switch (r.of) {
            case Of::mhk: return take(care.mhk_cost, first, true);
            case Of::ggz: return take(care.ggz_cost, first, detail::ranked_for_mental_care(scheme_, first, year));
            case Of::adults:
            case Of::children:
                return take(detail::nursing_sum(view, p, r.year, of_adults), first,
                            (scheme_.age(first, r.year) >= scheme_.model().adult_age) == of_adults);
        }
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
            for (Ranking& r : rankings_) {
                std::int64_t insured = 0;
                std::vector<std::int64_t> users(r.users.size());
                for (Index p = 0; p < panel.persons(); ++p)
                    on(r, view, p, [&](Cents cost, const data::Record& of, bool ranked) {
                        if (!ranked) return;
                        insured += of.represents;
                        if (cost <= 0) return;
                        add(r.in_bin[bins::of(cost)], of.represents);
                        for (std::size_t top = 0; top < users.size(); ++top)
                            if (cost > scheme_.ggz_mhk_tops()[top].min_cents) users[top] += of.represents;
                    });
                add(r.insured, insured);
                for (std::size_t top = 0; top < users.size(); ++top) add(r.users[top], users[top]);
            }
            std::atomic_ref<std::int64_t> all{most_represented_};
            for (std::int64_t now = all; now < most && !all.compare_exchange_weak(now, most);) {
            }
        });
        std::uint64_t last = 0;
        bool any = false;
        for (const Seen& s : seen_) {
            if (s.size == 0) continue;
            if (any && s.persons.first <= last)
                throw DomainError{
                    {{"stream", "blocks", "persons ascending from block to block", "a person out of order"}}};
            any = true;
            last = s.persons.second;
        }
    }

    /// The bins in which the lines of a ranking may lie.
    void cut(Ranking& r) const {
        const auto put = [&](std::size_t line, std::int64_t insured, std::int32_t top) {
            Cut c;
            c.line = line;
            c.insured = insured;
            c.room = insured * top / 10'000;
            for (std::size_t bin = bins::count; bin-- > 1;) {
                if (r.in_bin[bin] == 0) continue;
                if (c.above + r.in_bin[bin] > c.room) {
                    c.crossing = bin;
                    break;
                }
                c.above += r.in_bin[bin];
                c.before = bin;
            }
            r.cuts.push_back(c);
        };
        const std::size_t child = at(scheme_.mvv_child_code());  // 0: no class of their own
        if (r.of == Of::mhk)
            for (std::size_t k = 0; k < scheme_.mhk_tops().size(); ++k) put(k, r.insured, scheme_.mhk_tops()[k]);
        else if (r.of == Of::ggz)
            for (std::size_t k = 0; k < scheme_.ggz_mhk_tops().size(); ++k) {
                const auto& top = scheme_.ggz_mhk_tops()[k];
                put(k, top.min_cents > 0 ? r.users[k] : r.insured, top.top_per_myriad);
            }
        else
            for (std::size_t k = 0; k < scheme_.mvv_tops().size(); ++k)
                if ((k + 1 == child) == (r.of == Of::children)) put(k, r.insured, scheme_.mvv_tops()[k]);

        r.near.assign(bins::count, false);
        for (const Cut& c : r.cuts) {
            // The line is the last person of the bin before when the first one of this bin may not fit, or nobody is left.
            const bool may_be_before = c.crossing == Cut::nowhere || c.room - c.above < most_represented_;
            const std::size_t high = c.before != Cut::nowhere && may_be_before ? c.before : c.crossing;
            const std::size_t low = c.crossing != Cut::nowhere ? c.crossing : high;
            if (high == Cut::nowhere) continue;  // nobody is ranked
            r.near[low] = r.near[high] = true;
            if (r.of != Of::mhk || given_.threshold_ppm == 1'000'000) continue;
            const std::size_t last = high + 1 < bins::count ? bins::of(scaled(bins::highest(high))) : high;
            for (std::size_t bin = bins::of(scaled(bins::lowest(low))); bin <= last; ++bin) r.near[bin] = true;
        }
    }
    [[nodiscard]] Cents scaled(Cents cost) const { return cost * given_.threshold_ppm / 1'000'000; }

    /// A line anywhere in its bin: right for all who are not near it.
    [[nodiscard]] static risk::Line rough(const Cut& c) {
        const std::size_t bin = c.crossing != Cut::nowhere ? c.crossing : c.before;
        if (bin == Cut::nowhere) return {};
        return {bins::lowest(bin), 0, 0};
    }

    template <class LineOf>
    void write_lines(LineOf&& line_of) {
        for (const Ranking& r : rankings_) {
            risk::CostLines& cost = cost_lines_[position(r.year)];
            for (const Cut& c : r.cuts)
                if (r.of == Of::mhk) cost.mhk[c.line] = line_of(c);
                else if (r.of == Of::ggz) cost.ggz_mhk[c.line] = line_of(c);
                else {
                    risk::SumLines& sums = sum_lines_[position(r.year)];
                    sums.mvv.resize(scheme_.mvv_tops().size());
                    sums.mvv[c.line] = line_of(c);
                }
            if (r.of == Of::mhk) detail::scale(cost.mhk, given_.threshold_ppm);
        }
    }

    [[nodiscard]] bool held(const View& view, Index p) const {
        bool is = false;
        for (const Ranking& r : rankings_) {
            on(r, view, p, [&](Cents cost, const data::Record&, bool) { is = is || r.is_near(cost); });
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
    void classify(const Run& run, Pool& pool) {
        Run second{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = run.work_per_thread};
        if (run.progress) second.progress = [&run](Index done, Index total) { run.progress(total + done, 2 * total); };
        for_each_chunk(second, source_.blocks, [&](Index k) {
            const detail::Part part = read(k);
            const Panel& panel = part.panel;
            if (!(look(panel) == seen_[at(k)])) differs();
            const View view = this->view(panel);
            const Pool::Lease sums{pool};
            Panel waiting;
            waiting.first_year = panel.first_year;
            waiting.years = panel.years;
            for (Index p = 0; p < panel.persons(); ++p)
                if (held(view, p)) append_person(waiting, panel, p);
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
    void settle(Pool& pool) {
        for (Ranking& r : rankings_) {
            for (const auto& sums : pool.all)
                for (const Panel& panel : sums->held) {
                    const View view = this->view(panel);
                    for (Index p = 0; p < panel.persons(); ++p)
                        on(r, view, p, [&](Cents cost, const data::Record& of, bool ranked) {
                            if (!ranked || cost <= 0 || !r.is_near(cost)) return;
                            r.members.push_back(
                                {cost, risk::tie_key(given_.seed, of.person, r.year), of.person, 0, of.represents});
                        });
                }
            std::sort(r.members.begin(), r.members.end());
            for (Cut& c : r.cuts) find(r, c);
        }
        write_lines([](const Cut& c) { return c.found; });
        for (const auto& sums : pool.all)
            for (const Panel& panel : sums->held) {
                const View view = this->view(panel);
                for (Index p = 0; p < panel.persons(); ++p) add_person(view, p, *sums);
            }
    }

    static void find(const Ranking& r, Cut& c) {
        std::int64_t inside = c.above, there = 0;
        bool open = true;
        for (const risk::Ranked& m : r.members) {
            const std::size_t bin = bins::of(m.cost);
            if (bin == c.before && there == 0) c.found = {m.cost, m.key, m.person};
            if (bin != c.crossing) continue;
            there += m.represents;
            open = open && inside + m.represents <= c.room;
            if (!open) continue;
            inside += m.represents;
            c.found = {m.cost, m.key, m.person};
        }
        if (c.crossing != Cut::nowhere && there != r.in_bin[c.crossing]) differs();
    }

    [[nodiscard]] NationalLine told(const Ranking& r, const Cut& c) const {
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

    [[nodiscard]] Streamed result(Pool& pool) {
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
        for (const Ranking& r : rankings_)
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
