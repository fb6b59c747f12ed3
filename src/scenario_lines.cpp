#include "scenario_arm.hpp"

#include <optional>

namespace anderhalf::scenario {

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

[[nodiscard]] risk::Ranked place(const risk::Line& l) { return {l.cost, l.key, l.person, 0, 1}; }

/// Persons who leave a ranking and persons who come in their place.
class Exchange {
public:
    void swap(Cents before, Cents after, risk::Ranked who) {
        if (before == after) return;
        who.cost = before;
        if (before > 0) out_.push_back(who);
        who.cost = after;
        if (after > 0) in_.push_back(who);
    }
    void sort() {
        for (auto* side : {&out_, &in_}) std::sort(side->begin(), side->end());
        count(out_, out_above_);
        count(in_, in_above_);
    }
    [[nodiscard]] bool empty() const { return out_.empty() && in_.empty(); }
    [[nodiscard]] const std::vector<risk::Ranked>& out() const { return out_; }
    [[nodiscard]] const std::vector<risk::Ranked>& in() const { return in_; }
    [[nodiscard]] static std::size_t from(const std::vector<risk::Ranked>& side, const risk::Ranked& who) {
        return at(std::lower_bound(side.begin(), side.end(), who) - side.begin());
    }
    /// Insured who come above a person less those who leave there.
    [[nodiscard]] std::int64_t above(const risk::Ranked& who) const {
        return in_above_[from(in_, who)] - out_above_[from(out_, who)];
    }
    /// The same beyond a cost.
    [[nodiscard]] std::int64_t beyond(Cents cost) const { return above({cost, 0, 0, 0, 0}); }

private:
    static void count(const std::vector<risk::Ranked>& side, std::vector<std::int64_t>& above) {
        above.assign(1, 0);
        for (const risk::Ranked& r : side) above.push_back(above.back() + r.represents);
    }
    std::vector<risk::Ranked> out_, in_;
    std::vector<std::int64_t> out_above_, in_above_;
};

/// The last person with whom the insured stay within the room, after the exchange; none when that may lie beyond the band.
[[nodiscard]] std::optional<risk::Line> line_in(const Band& band, std::int64_t room, const Exchange& x) {
    const auto mark = [&](std::size_t k) -> const risk::Ranked& { return band.persons[k * Band::step]; };
    const auto inside_at = [&](std::size_t k) { return band.inside[k] + x.above(mark(k)); };
    std::size_t first = 0;  // the last mark with no more insured above it than there is room for
    for (std::size_t last = band.inside.size(); last - first > 1;) {
        const std::size_t middle = first + (last - first) / 2;
        (inside_at(middle) <= room ? first : last) = middle;
    }
    for (;; --first) {
        const bool all = first == 0 && band.top;
        std::size_t k = first * Band::step;
        std::size_t i = all ? 0 : Exchange::from(x.in(), band.persons[k]);
        std::size_t o = all ? 0 : Exchange::from(x.out(), band.persons[k]);
        std::int64_t inside = all ? 0 : inside_at(first);
        std::optional<risk::Line> found;
        bool full = false;
        while (!full) {
            while (k < band.persons.size() && o < x.out().size() && !(band.persons[k] < x.out()[o])) ++k, ++o;
            const bool more = k < band.persons.size();
            if (!more && !band.bottom) return std::nullopt;
            if (!more && i == x.in().size()) break;
            const bool comes = i < x.in().size() && (!more || x.in()[i] < band.persons[k]);
            const risk::Ranked& next = comes ? x.in()[i] : band.persons[k];
            full = inside + next.represents > room;
            if (full) break;
            inside += next.represents;
            found = {next.cost, next.key, next.person};
            ++(comes ? i : k);
        }
        if (found) return found;
        if (first == 0) return band.top ? std::optional{risk::Line{}} : std::nullopt;
    }
}

/// Does a place lie among the persons of a band, so that all who are near it are known?
[[nodiscard]] bool holds(const Band& band, const risk::Ranked& who) {
    if (band.persons.empty()) return band.top && band.bottom;
    return (band.top || !(who < band.persons.front())) && (band.bottom || who < band.persons.back());
}

[[nodiscard]] std::optional<risk::Line> line_after(const Ranking& ranking, const risk::Line& before, std::int64_t room,
                                                   const Exchange& x) {
    for (const Band& band : ranking)
        if (holds(band, place(before))) return line_in(band, room, x);
    return std::nullopt;
}

/// Calls with each person between two lines; false when the band of one does not hold the other.
template <class Take>
[[nodiscard]] bool between(const Ranking& ranking, const risk::Line& before, const risk::Line& after, Take&& take) {
    if (before == after) return true;
    for (const Band& band : ranking) {
        if (!holds(band, place(before))) continue;
        if (!holds(band, place(after))) return false;
        const auto position = [&](const risk::Line& l) {
            return std::upper_bound(band.persons.begin(), band.persons.end(), place(l));
        };
        auto first = position(before), last = position(after);
        if (last < first) std::swap(first, last);
        for (; first != last; ++first) take(*first);
        return true;
    }
    return false;
}

}  // namespace

detail::Lines detail::new_lines(const Baseline& b, const Overlay& o, const View& changed, const Run& run) {
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    Lines lines;
    lines.cost_outside.assign(at(panel.years), 0);
    lines.sums_outside.assign(at(panel.years), 0);
    for (std::size_t y = 0; y < at(panel.years); ++y) {
        lines.cost.push_back(b.cost_years[y].lines);
        lines.sums.push_back(b.nursing[y].lines);
    }
    std::vector<std::vector<std::uint32_t>> touched(at(panel.years)), nursed(at(panel.years));
    for (const auto& [p, year] : o.touched) {
        touched[at(year - panel.first_year)].push_back(p);
        if (panel.care[panel.cell(p, year)].nursing_cost != changed.care(p, year).nursing_cost)
            nursed[at(year - panel.first_year)].push_back(p);
    }
    const auto take = [](std::optional<risk::Line> found, risk::Line& line, char& outside) {
        if (found) line = *found;
        else outside = 1;
    };
    for_each_chunk(
        {.threads = run.threads, .stop = run.stop, .progress = {}, .work_per_thread = nullptr}, panel.years,
        [&](Index y) {
            if (touched[at(y)].empty()) return;
            const CostYear& base = b.cost_years[at(y)];
            const std::int32_t year = panel.first_year + static_cast<std::int32_t>(y);
            risk::CostLines& next = lines.cost[at(y)];
            char& outside = lines.cost_outside[at(y)];
            Exchange mhk, ggz;
            for (const std::uint32_t p : touched[at(y)]) {
                const risk::CareYear &before = panel.care[panel.cell(p, year)], &after = changed.care(p, year);
                const data::Record& record = panel.records_of(p, year).front();
                const risk::Ranked who{0, risk::tie_key(b.options.seed, panel.person[p], year), panel.person[p], p,
                                       record.represents};
                mhk.swap(before.mhk_cost, after.mhk_cost, who);
                if (ranked_for_mental_care(scheme, record, year)) ggz.swap(before.ggz_cost, after.ggz_cost, who);
            }
            if (!mhk.empty()) {
                mhk.sort();
                for (std::size_t k = 0; k < next.mhk.size(); ++k) {
                    const std::int64_t room = base.insured * scheme.mhk_tops()[k] / 10'000;
                    take(line_after(base.mhk, base.ranked_mhk[k], room, mhk), next.mhk[k], outside);
                }
                scale(next.mhk, b.options.threshold_ppm);
                for (std::size_t k = 0; k < next.mhk.size(); ++k)
                    if (!between(base.mhk, base.lines.mhk[k], next.mhk[k], [](const risk::Ranked&) {})) outside = 1;
            }
            if (!ggz.empty()) {
                ggz.sort();
                for (std::size_t k = 0; k < next.ggz_mhk.size(); ++k) {
                    const auto& top = scheme.ggz_mhk_tops()[k];
                    const std::int64_t users = base.ggz_users[k] + (top.min_cents > 0 ? ggz.beyond(top.min_cents) : 0);
                    const std::int64_t room = users * top.top_per_myriad / 10'000;
                    take(line_after(base.ggz, base.lines.ggz_mhk[k], room, ggz), next.ggz_mhk[k], outside);
                }
            }
        });
    const std::int32_t child = scheme.mvv_child_code();
    for (std::int32_t y = 1; y < panel.years; ++y) {
        const std::int32_t t = panel.first_year + y;
        if (t < b.first_class_year || t >= b.options.start + b.options.horizon) continue;  // no classes look there
        std::vector<std::uint32_t> moved;
        for (const std::int32_t lag : scheme.mvv_years())
            if (y - lag >= 0) moved.insert(moved.end(), nursed[at(y - lag)].begin(), nursed[at(y - lag)].end());
        std::sort(moved.begin(), moved.end());
        moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
        const View before{&panel, &scheme, nullptr, nullptr, nullptr, nullptr, nullptr, b.options.seed};
        Exchange adults, children;
        for (const std::uint32_t p : moved) {
            const auto records = panel.records_of(p, t - 1);
            if (records.empty()) continue;
            const bool adult = scheme.age(records.front(), t) >= scheme.model().adult_age;
            (adult ? adults : children)
                .swap(nursing_sum(before, p, t, adult), nursing_sum(changed, p, t, adult),
                      {0, risk::tie_key(b.options.seed, panel.person[p], t), panel.person[p], p,
                       records.front().represents});
        }
        const NursingSum& base = b.nursing[at(y)];
        adults.sort();
        children.sort();
        for (std::size_t k = 0; k < lines.sums[at(y)].mvv.size(); ++k) {
            const bool of_child = static_cast<std::int32_t>(k) + 1 == child;
            if ((of_child ? children : adults).empty()) continue;
            const std::int64_t room =
                (of_child ? base.insured_children : base.insured_adults) * scheme.mvv_tops()[k] / 10'000;
            take(line_after(of_child ? base.children : base.adults, base.lines.mvv[k], room,
                            of_child ? children : adults),
                 lines.sums[at(y)].mvv[k], lines.sums_outside[at(y)]);
        }
    }
    const auto any = [](const std::vector<char>& v) { return std::find(v.begin(), v.end(), 1) != v.end(); };
    lines.inside = !any(lines.cost_outside) && !any(lines.sums_outside);
    return lines;
}

void detail::mark_between(const Baseline& b, const Lines& lines, std::int32_t year, std::vector<char>& mark) {
    const std::int32_t first = b.panel->first_year;
    const auto walk = [&](const Ranking& ranking, const risk::Line& before, const risk::Line& after) {
        // new_lines has looked: the bands hold both.
        static_cast<void>(between(ranking, before, after, [&](const risk::Ranked& r) { mark[r.index] = 1; }));
    };
    for (const std::int32_t lag : b.scheme->mhk_years()) {
        if (year - lag < first) continue;
        const CostYear& base = b.cost_years[at(year - lag - first)];
        const risk::CostLines& next = lines.cost[at(year - lag - first)];
        for (std::size_t k = 0; k < base.lines.mhk.size(); ++k) walk(base.mhk, base.lines.mhk[k], next.mhk[k]);
    }
    for (const std::int32_t lag : b.scheme->ggz_mhk_years()) {
        if (year - lag < first) continue;
        const CostYear& base = b.cost_years[at(year - lag - first)];
        const risk::CostLines& next = lines.cost[at(year - lag - first)];
        for (std::size_t k = 0; k < base.lines.ggz_mhk.size(); ++k)
            walk(base.ggz, base.lines.ggz_mhk[k], next.ggz_mhk[k]);
    }
    const NursingSum& sums = b.nursing[at(year - first)];
    for (std::size_t k = 0; k < sums.lines.mvv.size(); ++k)
        walk(static_cast<std::int32_t>(k) + 1 == b.scheme->mvv_child_code() ? sums.children : sums.adults,
             sums.lines.mvv[k], lines.sums[at(year - first)].mvv[k]);
}

}  // namespace anderhalf::scenario
