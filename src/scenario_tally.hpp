#pragma once
// Insured per cost on national rankings, and the lines that follow: what is known of all before anybody is kept; not installed.
#include <anderhalf/core/errors.hpp>

#include "scenario_detail.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace anderhalf::scenario::detail::tallies {

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
struct Tally {
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

/// take(cost, person's record, ranked): the cost of a person on a ranking, and whether the person is ranked there.
template <class Take>
void on(const Tally& r, const risk::Scheme& scheme, const View& view, Index p, Take&& take) {
    const bool sums = r.of == Of::adults || r.of == Of::children;
    const std::int32_t year = sums ? r.year - 1 : r.year;
    const auto records = view.panel->records_of(p, year);
    if (records.empty()) return;
    const data::Record& first = records.front();
    const risk::CareYear& care = view.care(p, year);
    const bool of_adults = r.of == Of::adults;
    switch (r.of) {
        case Of::mhk: return take(care.mhk_cost, first, true);
        case Of::ggz: return take(care.ggz_cost, first, ranked_for_mental_care(scheme, first, year));
        case Of::adults:
        case Of::children:
            return take(nursing_sum(view, p, r.year, of_adults), first,
                        (scheme.age(first, r.year) >= scheme.model().adult_age) == of_adults);
    }
}

/// Adds the persons of a panel; from any thread.
inline void tally(Tally& r, const risk::Scheme& scheme, const View& view) {
    const auto add = [](std::int64_t& sum, std::int64_t value) {
        std::atomic_ref<std::int64_t>{sum}.fetch_add(value, std::memory_order_relaxed);
    };
    std::int64_t insured = 0;
    std::vector<std::int64_t> users(r.users.size());
    for (Index p = 0; p < view.panel->persons(); ++p)
        on(r, scheme, view, p, [&](Cents cost, const data::Record& of, bool ranked) {
            if (!ranked) return;
            insured += of.represents;
            if (cost <= 0) return;
            add(r.in_bin[bins::of(cost)], of.represents);
            for (std::size_t top = 0; top < users.size(); ++top)
                if (cost > scheme.ggz_mhk_tops()[top].min_cents) users[top] += of.represents;
        });
    add(r.insured, insured);
    for (std::size_t top = 0; top < users.size(); ++top) add(r.users[top], users[top]);
}

[[nodiscard]] inline Cents scaled(const Options& options, Cents cost) {
    return cost * options.threshold_ppm / 1'000'000;
}

/// The bins in which the lines of a ranking may lie.
inline void cut(Tally& r, const risk::Scheme& scheme, const Options& options, std::int64_t most_represented) {
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
    const std::size_t child = at(scheme.mvv_child_code());  // 0: no class of their own
    if (r.of == Of::mhk)
        for (std::size_t k = 0; k < scheme.mhk_tops().size(); ++k) put(k, r.insured, scheme.mhk_tops()[k]);
    else if (r.of == Of::ggz)
        for (std::size_t k = 0; k < scheme.ggz_mhk_tops().size(); ++k) {
            const auto& top = scheme.ggz_mhk_tops()[k];
            put(k, top.min_cents > 0 ? r.users[k] : r.insured, top.top_per_myriad);
        }
    else
        for (std::size_t k = 0; k < scheme.mvv_tops().size(); ++k)
            if ((k + 1 == child) == (r.of == Of::children)) put(k, r.insured, scheme.mvv_tops()[k]);

    r.near.assign(bins::count, false);
    for (const Cut& c : r.cuts) {
        // The line is the last person of the bin before when the first one of this bin may not fit, or nobody is left.
        const bool may_be_before = c.crossing == Cut::nowhere || c.room - c.above < most_represented;
        const std::size_t high = c.before != Cut::nowhere && may_be_before ? c.before : c.crossing;
        const std::size_t low = c.crossing != Cut::nowhere ? c.crossing : high;
        if (high == Cut::nowhere) continue;  // nobody is ranked
        r.near[low] = r.near[high] = true;
        if (r.of != Of::mhk || options.threshold_ppm == 1'000'000) continue;
        const std::size_t last = high + 1 < bins::count ? bins::of(scaled(options, bins::highest(high))) : high;
        for (std::size_t bin = bins::of(scaled(options, bins::lowest(low))); bin <= last; ++bin) r.near[bin] = true;
    }
}
/// A line anywhere in its bin: right for all who are not near it.
[[nodiscard]] inline risk::Line rough(const Cut& c) {
    const std::size_t bin = c.crossing != Cut::nowhere ? c.crossing : c.before;
    if (bin == Cut::nowhere) return {};
    return {bins::lowest(bin), 0, 0};
}

/// The line, from all who are near it; false when they are not those who were counted.
[[nodiscard]] inline bool find(const Tally& r, Cut& c) {
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
    return c.crossing == Cut::nowhere || there == r.in_bin[c.crossing];
}

/// Puts the line of every cut, as line_of gives it, among the lines by calendar year.
template <class LineOf>
void write(const std::vector<Tally>& tallies, const risk::Scheme& scheme, const Options& options,
           std::int32_t first_year, LineOf&& line_of, std::vector<risk::CostLines>& cost_lines,
           std::vector<risk::SumLines>& sum_lines) {
    for (const Tally& r : tallies) {
        risk::CostLines& cost = cost_lines[at(r.year - first_year)];
        for (const Cut& c : r.cuts)
            if (r.of == Of::mhk) cost.mhk[c.line] = line_of(c);
            else if (r.of == Of::ggz) cost.ggz_mhk[c.line] = line_of(c);
            else {
                risk::SumLines& sums = sum_lines[at(r.year - first_year)];
                sums.mvv.resize(scheme.mvv_tops().size());
                sums.mvv[c.line] = line_of(c);
            }
        if (r.of == Of::mhk) scale(cost.mhk, options.threshold_ppm);
    }
}

/// Gives each thread sums of its own; they are added together at the end.
template <class Sums>
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

/// What is seen of a block, to be found again in the second pass.
struct Seen {
    std::pair<std::uint64_t, std::uint64_t> persons{};  ///< first and last
    std::size_t size = 0, records = 0;
    std::int64_t claims = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
};
[[nodiscard]] inline Seen look(const Panel& p) {
    if (p.person.empty()) return {};
    return {{p.person.front(), p.person.back()}, p.person.size(), p.records.size(), p.claims_read};
}
/// @throw DomainError  persons that do not ascend from block to block
inline void check_order(const char* where, const std::vector<Seen>& seen) {
    std::uint64_t last = 0;
    bool any = false;
    for (const Seen& s : seen) {
        if (s.size == 0) continue;
        if (any && s.persons.first <= last)
            throw DomainError{{{where, "blocks", "persons ascending from block to block", "a person out of order"}}};
        any = true;
        last = s.persons.second;
    }
}

/// One person of a panel put behind those of another.
inline void append_person(Panel& to, const Panel& from, Index p, bool with_claims) {
    to.person.push_back(from.person[at(p)]);
    for (std::int32_t y = 0; y < from.years; ++y) {
        const std::size_t cell = at(p * from.years + y);
        to.record_begin.push_back(static_cast<std::uint32_t>(to.records.size()));
        to.claim_begin.push_back(static_cast<std::uint32_t>(to.claims.size()));
        to.care.push_back(from.care[cell]);
        for (std::size_t r = from.record_begin[cell]; r < from.record_begin[cell + 1]; ++r) {
            to.records.push_back(from.records[r]);
            to.cost.push_back(from.cost[r]);
        }
        if (!with_claims) continue;
        for (std::size_t c = from.claim_begin[cell]; c < from.claim_begin[cell + 1]; ++c)
            to.claims.push_back(from.claims[c]);
    }
}

}  // namespace anderhalf::scenario::detail::tallies
