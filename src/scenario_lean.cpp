#include <anderhalf/core/calendar.hpp>

#include "scenario_detail.hpp"
#include "scenario_tally.hpp"

#include <utility>

namespace anderhalf::scenario {

using namespace detail::tallies;

namespace {

/// Bins from low to high, kept whole.
struct Stretch {
    std::size_t low = 0, high = 0;
};

/// What each thread adds to.
struct Sums {
    std::vector<ArmYear> years;
    std::vector<detail::AreaCount> areas;
    std::vector<std::vector<Cents>> category_cost;
    std::int64_t persons = 0, records = 0, claims = 0;
};

/// A baseline in two passes. The first counts insured per cost, in bins; the bin of every line follows, and how far its
/// band reaches. The second gives classes and adds totals and moments; who lives in a municipality that is kept, or has a
/// cost within a band or in the bin of a line, waits, and becomes the panel.
class Lean {
public:
    Lean(const Source& source, std::shared_ptr<const risk::Scheme> scheme, const Options& options)
        : source_{source}, scheme_{*scheme}, o_{options}, insurers_{detail::insurer_index(options.insurers)} {
        b_.scheme = std::move(scheme);
        b_.options = options;
        b_.source = std::make_shared<const Source>(source);
        b_.first_class_year = first_class_year(options);
        b_.specification = specification(scheme_);
        if (!options.municipalities.empty() && scheme_.model().weighted)
            b_.gap = std::make_shared<const GapPlan>(gap_plan(scheme_, options.municipalities));
        keep_.resize(std::size_t{1} << 16);
        for (const std::uint16_t code : options.keep) keep_[code] = true;
        const std::int32_t first_mvv = std::max(b_.first_class_year - scheme_.hsm_lag(), o_.first_year + 1);
        for (std::int32_t year = o_.first_year; year <= o_.last_year; ++year) {
            put(Of::mhk, year);
            put(Of::ggz, year);
            if (scheme_.mvv_tops().empty() || year < first_mvv) continue;
            put(Of::adults, year);
            put(Of::children, year);
        }
        cost_lines_.resize(at(o_.last_year - o_.first_year + 1));
        sum_lines_.resize(cost_lines_.size());
        for (risk::CostLines& lines : cost_lines_) {
            lines.mhk.resize(scheme_.mhk_tops().size());
            lines.ggz_mhk.resize(scheme_.ggz_mhk_tops().size());
        }
    }

    [[nodiscard]] Baseline run(const Run& run) {
        count(run);
        stretches_.resize(tallies_.size());
        for (std::size_t k = 0; k < tallies_.size(); ++k) {
            cut(tallies_[k], scheme_, o_, most_represented_);
            if (moves(tallies_[k])) stretches_[k] = widen(tallies_[k]);
        }
        write(
            tallies_, scheme_, o_, o_.first_year, [](const Cut& c) { return rough(c); }, cost_lines_, sum_lines_);
        Pool<Sums> pool{[&] { return sums(); }};
        classify(run, pool);
        if (pool.all.empty()) static_cast<void>(Pool<Sums>::Lease{pool});  // a source without blocks
        rank();
        settle(run, pool);
        return std::move(b_);
    }

private:
    const Source& source_;
    const risk::Scheme& scheme_;
    Options o_;
    std::vector<std::int32_t> insurers_;
    Baseline b_;
    Panel panel_;             // who waited
    std::vector<bool> keep_;  // by municipality
    std::vector<Tally> tallies_;
    std::vector<std::vector<Stretch>> stretches_;  // by tally, ascending, apart
    std::int64_t most_represented_ = 0;
    std::vector<risk::CostLines> cost_lines_;
    std::vector<risk::SumLines> sum_lines_;
    std::vector<Seen> seen_;

    void put(Of of, std::int32_t year) {
        tallies_.push_back({.of = of, .year = year});
        if (of == Of::ggz) tallies_.back().users.resize(scheme_.ggz_mhk_tops().size());
    }
    /// Can a programme move a line of this ranking? The first one starts in the first simulated year.
    [[nodiscard]] bool moves(const Tally& r) const { return r.year >= o_.start && r.year < o_.start + o_.horizon; }
    [[nodiscard]] View view(const Panel& panel) const {
        return {&panel, &scheme_, nullptr, &cost_lines_, &sum_lines_, nullptr, nullptr, o_.seed, b_.gap.get()};
    }
    [[nodiscard]] Sums sums() const {
        Sums s;
        const std::int32_t last = o_.start + o_.horizon - 1;
        for (std::int32_t t = b_.first_class_year; t <= last; ++t) {
            ArmYear arm;
            arm.year = t;
            arm.settled = t >= o_.start;
            arm.totals = detail::empty_totals(scheme_, o_.insurers.size());
            if (b_.gap != nullptr && arm.settled) arm.totals.gap.resize(b_.gap->cells());
            if (detail::is_estimated(o_, t)) arm.moments = estimation::Moments{scheme_.variable_columns()};
            s.years.push_back(std::move(arm));
            s.areas.emplace_back(o_.insurers.size());
        }
        s.category_cost.assign(cost_lines_.size(), std::vector<Cents>(o_.insurers.size() * category_count));
        return s;
    }
    [[nodiscard]] detail::Part read(Index k) const {
        return detail::read_block(source_.block(k), scheme_, o_, insurers_);
    }
    [[noreturn]] static void differs() {
        throw DomainError{{{"make_baseline", "blocks", "the same block when asked again", "another one"}}};
    }

    void count(const Run& run) {
        seen_.resize(at(source_.blocks));
        Run first{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = nullptr};
        if (run.progress) first.progress = [&run](Index done, Index total) { run.progress(done, 2 * total); };
        for_each_chunk(first, source_.blocks, [&](Index k) {
            const detail::Part part = read(k);
            seen_[at(k)] = look(part.panel);
            for (Tally& r : tallies_) tally(r, scheme_, view(part.panel));
            std::int64_t most = 0;
            for (const data::Record& r : part.panel.records) most = std::max<std::int64_t>(most, r.represents);
            std::atomic_ref<std::int64_t> all{most_represented_};
            for (std::int64_t now = all; now < most && !all.compare_exchange_weak(now, most);) {
            }
        });
        check_order("make_baseline", seen_);
    }

    /// The bins around each line that hold so many insured on either side.
    [[nodiscard]] std::vector<Stretch> widen(Tally& r) const {
        std::vector<Stretch> found;
        const auto put = [&](std::size_t low, std::size_t high) {
            for (std::int64_t more = 0; high + 1 < bins::count && more < o_.band_insured;) more += r.in_bin[++high];
            for (std::int64_t more = 0; low > 1 && more < o_.band_insured;) more += r.in_bin[--low];
            found.push_back({low, high});
        };
        for (const Cut& c : r.cuts) {
            const std::size_t low = c.crossing != Cut::nowhere ? c.crossing : c.before;
            const std::size_t high = c.before != Cut::nowhere ? c.before : c.crossing;
            if (low == Cut::nowhere) {  // nobody is ranked
                put(1, bins::count - 1);
                continue;
            }
            put(low, high);
            if (r.of == Of::mhk && o_.threshold_ppm != 1'000'000)
                put(std::max<std::size_t>(bins::of(scaled(o_, bins::lowest(low))), 1),
                    high + 1 < bins::count ? bins::of(scaled(o_, bins::highest(high))) : high);
        }
        std::sort(found.begin(), found.end(), [](const Stretch& a, const Stretch& b) { return a.low < b.low; });
        std::vector<Stretch> apart;
        for (const Stretch& s : found)
            if (apart.empty() || s.low > apart.back().high + 1) apart.push_back(s);
            else apart.back().high = std::max(apart.back().high, s.high);
        for (const Stretch& s : apart)
            for (std::size_t bin = s.low; bin <= s.high; ++bin) r.near[bin] = true;
        return apart;
    }

    [[nodiscard]] bool kept(const Panel& panel, Index p) const {
        const auto first = panel.record_begin[at(p * panel.years)],
                   last = panel.record_begin[at((p + 1) * panel.years)];
        return std::any_of(panel.records.begin() + first, panel.records.begin() + last,
                           [&](const data::Record& r) { return keep_[r.municipality]; });
    }
    [[nodiscard]] bool held(const View& view, Index p) const {
        bool is = false;
        for (const Tally& r : tallies_) {
            on(r, scheme_, view, p, [&](Cents cost, const data::Record&, bool) { is = is || r.is_near(cost); });
            if (is) return true;
        }
        return false;
    }

    void add_person(const View& view, Index p, Sums& sums, std::size_t k) const {
        ArmYear& arm = sums.years[k];
        detail::add_totals(view, insurers_, p, arm.year, 1, arm.totals,
                           arm.moments.columns() > 0 ? &arm.moments : nullptr);
        if (arm.settled) sums.areas[k].add(*view.panel, insurers_, p, arm.year);
    }

    void classify(const Run& run, Pool<Sums>& pool) {
        Run second{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = run.work_per_thread};
        if (run.progress) second.progress = [&run](Index done, Index total) { run.progress(total + done, 2 * total); };
        std::vector<detail::Part> waiting(at(source_.blocks));
        for_each_chunk(second, source_.blocks, [&](Index k) {
            const detail::Part part = read(k);
            const Panel& panel = part.panel;
            if (!(look(panel) == seen_[at(k)])) differs();
            const View view = this->view(panel);
            const Pool<Sums>::Lease sums{pool};
            Panel& wait = waiting[at(k)].panel;
            wait.first_year = panel.first_year;
            wait.years = panel.years;
            for (Index p = 0; p < panel.persons(); ++p) {
                const bool all = kept(panel, p);
                if (all || held(view, p)) append_person(wait, panel, p, all);
                else
                    for (std::size_t t = 0; t < (*sums).years.size(); ++t) add_person(view, p, *sums, t);
            }
            wait.record_begin.push_back(static_cast<std::uint32_t>(wait.records.size()));
            wait.claim_begin.push_back(static_cast<std::uint32_t>(wait.claims.size()));
            wait.records.shrink_to_fit();
            wait.care.shrink_to_fit();
            wait.cost.shrink_to_fit();
            wait.claims.shrink_to_fit();
            (*sums).persons += panel.persons_read;
            (*sums).records += panel.records_read;
            (*sums).claims += panel.claims_read;
            for (std::size_t y = 0; y < part.category_cost.size(); ++y)
                for (std::size_t c = 0; c < part.category_cost[y].size(); ++c)
                    (*sums).category_cost[y][c] += part.category_cost[y][c];
        });
        std::vector<std::vector<Cents>> none;
        panel_ = detail::join(waiting, o_, none);
    }

    /// Lines and bands, from all who waited.
    void rank() {
        const Panel& panel = panel_;
        const View view = this->view(panel);
        b_.cost_years.resize(cost_lines_.size());
        b_.nursing.resize(cost_lines_.size());
        for (std::size_t k = 0; k < tallies_.size(); ++k) {
            Tally& r = tallies_[k];
            for (Index p = 0; p < panel.persons(); ++p)
                on(r, scheme_, view, p, [&](Cents cost, const data::Record& of, bool ranked) {
                    if (!ranked || cost <= 0 || !r.is_near(cost)) return;
                    r.members.push_back({cost, risk::tie_key(o_.seed, of.person, r.year), of.person,
                                         static_cast<std::uint32_t>(p), of.represents});
                });
            std::sort(r.members.begin(), r.members.end());
            for (Cut& c : r.cuts)
                if (!find(r, c)) differs();
            Ranking ranking = bands(r, stretches_[k]);
            const std::size_t y = at(r.year - o_.first_year);
            CostYear& cost = b_.cost_years[y];
            NursingSum& nursing = b_.nursing[y];
            if (r.of == Of::mhk) {
                cost.insured = r.insured;
                cost.mhk = std::move(ranking);
                cost.ranked_mhk.resize(scheme_.mhk_tops().size());
                for (const Cut& c : r.cuts) cost.ranked_mhk[c.line] = c.found;
            } else if (r.of == Of::ggz) {
                cost.adults = r.insured;
                cost.ggz = std::move(ranking);
                for (const Cut& c : r.cuts) cost.ggz_users.push_back(c.insured);
            } else if (r.of == Of::adults) {
                nursing.insured_adults = r.insured;
                nursing.adults = std::move(ranking);
            } else {
                nursing.insured_children = r.insured;
                nursing.children = std::move(ranking);
            }
        }
        write(
            tallies_, scheme_, o_, o_.first_year, [](const Cut& c) { return c.found; }, cost_lines_, sum_lines_);
        for (std::size_t y = 0; y < cost_lines_.size(); ++y) {
            b_.cost_years[y].lines = cost_lines_[y];
            b_.nursing[y].lines = sum_lines_[y];
        }
        tallies_.clear();
    }

    [[nodiscard]] static Ranking bands(const Tally& r, const std::vector<Stretch>& stretches) {
        Ranking result;
        for (auto s = stretches.rbegin(); s != stretches.rend(); ++s) {
            Band band;
            std::int64_t there = 0, below = 0;
            for (std::size_t bin = 1; bin < s->low; ++bin) below += r.in_bin[bin];
            for (std::size_t bin = s->low; bin <= s->high; ++bin) there += r.in_bin[bin];
            for (std::size_t bin = s->high + 1; bin < bins::count; ++bin) band.above += r.in_bin[bin];
            for (const risk::Ranked& m : r.members)
                if (const std::size_t bin = bins::of(m.cost); bin >= s->low && bin <= s->high) {
                    band.persons.push_back(m);
                    there -= m.represents;
                }
            if (there != 0) differs();
            band.top = band.above == 0;
            band.bottom = below == 0;
            band.count();
            result.push_back(std::move(band));
        }
        return result;
    }

    /// The classes of those who waited, and the sums of all threads together.
    void settle(const Run& run, Pool<Sums>& pool) {
        Sums& all = *pool.all.front();
        Panel& panel = panel_;
        for (std::size_t k = 0; k < pool.all.size(); ++k) {
            Sums& part = *pool.all[k];
            panel.persons_read += part.persons;
            panel.records_read += part.records;
            panel.claims_read += part.claims;
            if (k == 0) continue;
            for (std::size_t t = 0; t < all.years.size(); ++t) {
                detail::merge(all.years[t].totals, part.years[t].totals);
                if (all.years[t].moments.columns() > 0) all.years[t].moments += part.years[t].moments;
                all.areas[t].merge(std::move(part.areas[t]));
            }
            for (std::size_t y = 0; y < all.category_cost.size(); ++y)
                for (std::size_t c = 0; c < all.category_cost[y].size(); ++c)
                    all.category_cost[y][c] += part.category_cost[y][c];
        }
        b_.category_cost = std::move(all.category_cost);
        const View view = this->view(panel);
        const Run rest{.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = nullptr};
        for_each_chunk(rest, static_cast<Index>(all.years.size()), [&](Index k) {
            for (Index p = 0; p < panel.persons(); ++p) add_person(view, p, all, at(k));
            ArmYear& arm = all.years[at(k)];
            if (arm.settled) all.areas[at(k)].write(arm, scheme_, o_.insurers);
            if (arm.moments.columns() > 0) detail::estimate(b_, arm);
        });
        b_.years = std::move(all.years);
        b_.panel = std::make_shared<const Panel>(std::move(panel_));
    }
};

}  // namespace

Baseline detail::lean_baseline(const Source& source, std::shared_ptr<const risk::Scheme> scheme, const Options& options,
                               const Run& run) {
    return Lean{source, std::move(scheme), options}.run(run);
}

}  // namespace anderhalf::scenario
