#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/population/generate.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace anderhalf::population {
namespace {

__extension__ using UInt128 = unsigned __int128;
using Words = Philox::Words;

/// Third word of the counter; never renumber: results would move. The fourth word is 1 for draws of an address, else 0.
enum Draw : std::uint64_t {
    household = 1,
    household_more = 2,
    children = 3,  // + 0..3, address
    insurer = 8,   // address, per year
    moving = 9,    // address, per year
    traits = 16,
    traits_more = 17,  // person, year 0
    vital = 20,
    home = 21,
    own_insurer = 22,  // person, per year
    own_moving = 23,   // person, per year
    institution = 24,  // person, per year of entry
    onset = 0x100,     // + condition / 4, per year
    recovery = 0x200,  // + condition, per year
    courses = 0x800,   // + number of the choice, per year
    care = 0x1000      // + number of the choice, per year; year 0: lasting draws
};

constexpr int most_years = 64;
constexpr Multiplier one = 1u << 16;

Threshold scaled(Threshold probability, Multiplier factor) {
    const UInt128 product = (static_cast<UInt128>(probability) * factor) >> 16;
    return product >> 64 ? ~Threshold{0} : static_cast<Threshold>(product);
}

Multiplier times(Multiplier a, Multiplier b) {
    return static_cast<Multiplier>(
        std::min<std::uint64_t>((std::uint64_t{a} * b) >> 16, std::numeric_limits<Multiplier>::max()));
}

template <class List>
std::size_t pick(const List& cumulative, std::uint64_t draw) {
    std::size_t i = 0;
    while (i + 1 < cumulative.size() && draw >= cumulative[i]) ++i;
    return i;
}

struct Member {
    std::uint64_t person = 0;
    std::int32_t birth_month = 0;
    std::int32_t entry_year = 0;
    std::int32_t entry_day = 0;  ///< first insured day
    std::uint8_t sex = 0;        ///< 0 man, 1 woman
    bool child = false;
    bool newborn = false;
    std::uint32_t home = 0;  ///< 0 the address, else the home of a mother who had left it
};

constexpr std::int32_t never = std::numeric_limits<std::int32_t>::max();

/// Something that has one value until a day, and another from then on.
template <class T>
struct Until {
    T before{}, after{};
    std::int32_t day = never;  ///< first day of the second value
    [[nodiscard]] const T& on(std::int32_t d) const { return d < day ? before : after; }
};

/// Insured days of one person-year between two changes: one record.
struct Period {
    std::int32_t first = 0, last = 0;
    std::uint16_t insurer = 0;
    bool institution = false;
};

/// Where people live together, and with whom they are insured, by year.
struct Home {
    std::int32_t departs = never;  ///< last day before they leave for abroad
    std::uint64_t address = 0;
    std::array<Until<std::uint16_t>, most_years> insurers{};
    std::array<Until<std::uint32_t>, most_years> places{};  ///< stretch of the frame
};

/// One address over all years; members are appended when born.
class Household {
public:
    Household(const Tables& tables, const Plan& plan, std::int32_t first_year, std::int32_t last_year)
        : t(tables), p(tables.parameters), philox(plan.seed, Purpose::population), from(first_year), to(last_year) {
        for (std::size_t y = 0; y <= most_years; ++y)
            first_days[y] = anderhalf::first_day_of(p.start_year + static_cast<std::int32_t>(y));
        while (mothers_from < ages && t.fertility[1][mothers_from] == 0) ++mothers_from;
        while (mothers_below > mothers_from && t.fertility[1][mothers_below - 1] == 0) --mothers_below;
    }

    void run(std::uint64_t address_, const Range& range, data::Block& block, std::vector<Diagnosed>* diagnosed) {
        address = address_;
        stretch = range.stretch;
        group = t.frame[stretch].municipality.group;
        abroad = t.frame[stretch].municipality.region == 0;
        homes.resize(1);
        homes[0].departs = never;
        homes[0].address = address;
        represents = range.represents;
        members.clear();
        std::fill(residents.begin(), residents.end(), std::int16_t{0});
        const std::size_t first_record = block.records.size();
        const CompositionTable& composition = t.compositions[t.frame[stretch].municipality.composition];
        const Words w = of_address(0, household);
        entry = p.start_year + static_cast<std::int32_t>(pick(composition.arrival_year, w[0]));
        if (entry > to) return;
        compose(composition, w);
        choose_insurers();
        choose_places();
        for (std::size_t slot = 0; slot < members.size(); ++slot) live(slot, block, diagnosed);
        for (std::size_t r = first_record; r < block.records.size(); ++r) {
            data::Record& record = block.records[r];
            if (record.household == undecided)
                record.household = static_cast<std::uint8_t>(
                    residents[at(year_of(record.first_day))] == 1 ? HouseholdState::one_person : HouseholdState::other);
        }
    }

private:
    const Tables& t;
    const Parameters& p;
    Philox philox;
    std::int32_t from, to;
    std::uint64_t address = 0;
    std::uint32_t stretch = 0;  ///< of the frame: where the household lives first
    std::uint8_t group = 0, ses = 0;
    bool abroad = false;
    std::uint16_t represents = 1;
    std::int32_t entry = 0, entry_day = 0;
    std::vector<Member> members;
    std::vector<Home> homes;  ///< the address first
    std::vector<Period> periods;
    std::array<std::int32_t, most_years + 1> first_days{};  ///< of the years from the start year
    std::size_t mothers_from = 0, mothers_below = ages;     ///< ages at which children are born
    std::array<std::int16_t, most_years> residents{};
    std::array<std::array<std::uint8_t, most_years>, 2> parent_income{};
    std::vector<data::Claim> claims;
    static constexpr std::uint8_t undecided = 255;

    [[nodiscard]] std::size_t at(std::int32_t year) const { return static_cast<std::size_t>(year - p.start_year); }
    [[nodiscard]] std::int32_t first_day_of(std::int32_t year) const { return first_days[at(year)]; }
    [[nodiscard]] std::int32_t days_in(std::int32_t year) const { return first_day_of(year + 1) - first_day_of(year); }
    [[nodiscard]] std::int32_t day_in(std::int32_t year, std::uint64_t draw) const {
        return first_day_of(year) +
               static_cast<std::int32_t>(uniform_below(draw, static_cast<std::uint32_t>(days_in(year))));
    }
    [[nodiscard]] Words of_address(std::uint64_t year, std::uint64_t draw) const {
        return philox(address, year, draw, 1);
    }

    void add(std::uint8_t sex, std::int32_t birth_month, bool child) {
        Member m;
        m.person = address * max_members + members.size();
        m.birth_month = birth_month;
        m.entry_year = entry;
        m.entry_day = entry_day;
        m.sex = sex;
        m.child = child;
        members.push_back(m);
    }

    /// Born in the months that make a person this many completed months old on 1 January of the year of entry.
    [[nodiscard]] std::int32_t born(std::int32_t band, std::uint64_t draw) const {
        std::int32_t months = 60 * band + static_cast<std::int32_t>(uniform_below(draw, 60));
        if (band == bands - 1) {
            const auto age = 90 + static_cast<std::int32_t>(pick(t.oldest, draw));
            months = 12 * age + static_cast<std::int32_t>(uniform_below(draw << 32, 12));
        }
        return 12 * entry - 1 - months;
    }

    void compose(const CompositionTable& c, const Words& w) {
        const Words more = of_address(0, household_more);
        entry_day = entry == p.start_year ? first_day_of(entry) : day_in(entry, more[2]);
        const HouseholdKind& kind = c.kinds[pick(entry == p.start_year ? c.start : c.arriving, w[1])];
        ses = static_cast<std::uint8_t>(1 + pick(t.ses[group == 1 ? 1 : 0], w[2]));
        parent_income = {};
        if (kind.type == 0) {
            const std::uint8_t head = w[3] >> 63 ? 1 : 0;
            add(head, born(kind.band, more[0]), false);
            add(static_cast<std::uint8_t>(1 - head), born(kind.band, more[1]), false);
        } else {
            add(static_cast<std::uint8_t>(kind.type - 1), born(kind.band, more[0]), false);
        }
        for (std::uint64_t band = 0; band < 4; ++band) {
            if (kind.child[band][0] == 0) continue;
            const Words draw = of_address(0, children + band);
            for (std::size_t i = 0; i < 4; ++i)
                if (below(draw[i], kind.child[band][i / 2])) {
                    // the bits below the threshold's scale are free to place the birth month
                    const Words month = philox(address, 0, children + band, 2 + i);
                    add(static_cast<std::uint8_t>(i / 2), born(static_cast<std::int32_t>(band), month[0]), true);
                }
        }
    }

    [[nodiscard]] static std::size_t age_in(std::int32_t year, std::int32_t birth_month) {
        return static_cast<std::size_t>(std::clamp((12 * year + 5 - birth_month) / 12, 0, ages - 1));
    }

    [[nodiscard]] bool switches(const Words& w, std::size_t age, std::size_t frailty) const {
        return below(w[0], scaled(scaled(t.switching[0][age], t.group_switching[group]), t.switching_frailty[frailty]));
    }

    void choose_insurers() {
        const std::size_t head_frailty = frailty_of(philox(members[0].person, 0, traits));
        std::size_t current = pick(t.insurer[group], of_address(0, insurer)[0]);
        for (std::int32_t year = entry; year <= p.last_year; ++year) {
            const Words w = of_address(static_cast<std::uint64_t>(year), insurer);
            if (year > entry && switches(w, age_in(year, members[0].birth_month), head_frailty))
                current = another(current, w[1]);
            homes[0].insurers[at(year)] = within_year(current, year, w);
        }
    }

    /// The insurer of a year, and the rare change on another day than 1 January; `current` becomes that at its end.
    [[nodiscard]] Until<std::uint16_t> within_year(std::size_t& current, std::int32_t year, const Words& w) const {
        Until<std::uint16_t> result{static_cast<std::uint16_t>(current), static_cast<std::uint16_t>(current), never};
        if (below(w[2], t.switching_within_year)) {
            current = another(current, w[1]);
            result.after = static_cast<std::uint16_t>(current);
            result.day = day_in(year, w[3]);
        }
        return result;
    }

    /// Another municipality of the same group, in proportion to the insured.
    [[nodiscard]] std::uint32_t elsewhere(std::uint64_t draw) const {
        const Destinations& to_ = t.destinations[group];
        const auto found = std::upper_bound(to_.cumulative.begin(), to_.cumulative.end() - 1, draw);
        return to_.stretch[static_cast<std::size_t>(found - to_.cumulative.begin())];
    }

    [[nodiscard]] Threshold departing_at(std::size_t age) const {
        const Threshold chance = scaled(t.departing[age], t.group_departing[group]);
        return entry > p.start_year && !abroad ? scaled(chance, t.departing_arrived) : chance;
    }

    void choose_places() {
        std::uint32_t current = stretch;
        for (std::int32_t year = entry; year <= p.last_year; ++year) {
            Until<std::uint32_t>& place = homes[0].places[at(year)] = {current, current, never};
            if (year == entry) continue;
            const std::size_t age = age_in(year, members[0].birth_month);
            const Words w = of_address(static_cast<std::uint64_t>(year), moving);
            if (below(w[0], departing_at(age))) {
                homes[0].departs = day_in(year, w[1]);
                return;
            }
            if (!abroad && below(w[2], t.moving[age])) {
                place.after = elsewhere(w[3]);
                if (place.after != current) place.day = day_in(year, w[1]);
                current = place.after;
            }
        }
    }

    /// Another insurer in proportion to the shares; the same draw again when it is the old one, then the next in the list.
    [[nodiscard]] std::size_t another(std::size_t current, std::uint64_t draw) const {
        const std::size_t chosen = pick(t.insurer[group], draw);
        if (chosen != current) return chosen;
        const std::size_t again = pick(t.insurer[group], draw << 20);
        return again != current ? again : (current + 1) % t.insurer[group].size();
    }

    [[nodiscard]] std::size_t frailty_of(const Words& w) const {
        return pick(t.frailty_given_ses[std::size_t{ses} - 1], w[1]);
    }

    [[nodiscard]] std::uint8_t income(std::size_t age, std::size_t frailty, std::uint64_t draw) const {
        if (age < 18 || age >= 70) return 0;
        const std::size_t k = age < 35 ? 0 : age < 45 ? 1 : age < 55 ? 2 : 3;
        const auto& table = t.income[k][frailty];
        for (std::size_t source = 1; source < 9; ++source)
            if (below(draw, table[source])) return static_cast<std::uint8_t>(source);
        return static_cast<std::uint8_t>(IncomeSource::reference);
    }

    struct State {
        std::array<std::uint8_t, max_conditions> since{};  ///< 0 absent, 1 before entry, 2 + year index of the onset
        std::array<std::uint8_t, max_courses> course{};    ///< years of use of the courses of the general part; 0 none
        std::int32_t wlz_since = 0;
    };

    void conditions(State& state, const Member& m, std::int32_t year, std::size_t age, std::size_t frailty,
                    Multiplier morbidity) const {
        const bool start = year == m.entry_year;
        const auto stamp = static_cast<std::uint8_t>(start ? 1 : 2 + at(year));
        Words w{}, leave{};
        std::size_t have = ~std::size_t{0};
        for (std::size_t c = 0; c < t.conditions.size(); ++c) {
            const ConditionTable& table = t.conditions[c];
            if (state.since[c] != 0) {
                if (table.recovery == 0) continue;
                leave = philox(m.person, static_cast<std::uint64_t>(year), recovery + c);
                if (below(leave[0], table.recovery)) state.since[c] = 0;
                continue;
            }
            Threshold chance = (start ? table.prevalence : table.onset)[m.sex][age];
            if (chance == 0) continue;
            Multiplier factor = table.frailty[frailty];
            if (table.morbidity_region) factor = times(factor, morbidity);
            for (const auto& [other, risk] : table.risks)
                if (state.since[static_cast<std::size_t>(other)] != 0) factor = times(factor, risk);
            if (have != c / 4) {
                have = c / 4;
                w = philox(m.person, static_cast<std::uint64_t>(year), onset + have);
            }
            if (below(w[c % 4], scaled(chance, factor))) {
                state.since[c] = stamp;
                if (table.wlz) state.wlz_since = start && age > 0 ? year - 1 : year;
            }
        }
    }

    struct Circumstance {
        const Member* member;
        std::int32_t year, first, last, age;
        Multiplier cost;
        std::int32_t decline;  ///< day of the care that goes before an institution; -1 without
    };

    [[nodiscard]] const Period& period_of(std::int32_t day) const {
        std::size_t k = 0;
        while (k + 1 < periods.size() && periods[k].last < day) ++k;
        return periods[k];
    }

    void claim(const Line& line, const Words& w, Cents mean, Multiplier more, const Circumstance& now,
               std::int32_t fixed_day) {
        if (now.age < line.age_min) return;
        std::int32_t day = fixed_day;
        if (!line.yearly && day < 0) {
            day = day_in(now.year, w[2]);
            if (day < now.first || day > now.last) return;
        }
        const Cents list_price = (mean * t.quantiles[line.quantiles](w[1])) >> 20;
        std::int64_t ddd = line.ddd;
        if (ddd > 0) ddd = (ddd * (32'768 + static_cast<std::int64_t>(w[3] & 0xFFFFu))) >> 16;
        data::Claim c;
        c.person = now.member->person;
        c.specialism = line.specialism;
        c.diagnosis = line.diagnosis;
        c.category = line.category;
        c.consult = line.consult;
        c.product = line.product;
        if (line.varies) {
            const std::uint32_t setting = line.consult                       ? 0
                                          : list_price < line.heavy_from     ? 1
                                          : list_price < line.admission_from ? 2
                                                                             : 3;
            c.product += 100 * setting + uniform_below(w[2] << 32, 100);
        }
        Cents cents = list_price;
        if (!t.price.empty()) {
            cents = (cents * t.price[at(now.year)][static_cast<std::size_t>(line.category)]) >> 16;
            if (line.yearly) cents = (cents * t.volume[at(now.year)][static_cast<std::size_t>(line.category)]) >> 16;
        }
        cents = (cents * more) >> 16;
        if (!line.yearly) {
            c.opened = day;
            c.closed = std::min(now.last, day + (line.category == Category::hospital && !line.consult ? 60 : 0));
            bill(c, cents, ddd, line.prescriptions, period_of(day));
            return;
        }
        const std::int64_t days = days_in(now.year);
        for (const Period& period : periods) {
            const std::int64_t insured = period.last - period.first + 1;
            c.opened = period.first;
            c.closed = period.last;
            bill(c, cents * insured / days, ddd * insured / days, (line.prescriptions * insured + days - 1) / days,
                 period);
        }
    }

    void bill(data::Claim c, Cents cents, std::int64_t ddd, std::int64_t prescriptions, const Period& period) {
        if (period.institution) cents = (cents * t.wlz_factor[static_cast<std::size_t>(c.category)]) >> 16;
        if (cents <= 0) return;
        c.insurer = p.insurers[period.insurer].code;
        c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(std::min<Cents>(cents, 2'000'000'000));
        c.ddd = static_cast<std::uint16_t>(std::min<std::int64_t>(ddd, 65'535));
        c.prescriptions = static_cast<std::uint8_t>(std::min<std::int64_t>(prescriptions, 255));
        claims.push_back(c);
    }

    /// Claims of a line expected in a year, times 2^64: care of a day follows the volume index of its category.
    [[nodiscard]] UInt128 expected(std::int32_t year, const Line& line, Threshold chance) const {
        if (t.volume.empty() || line.yearly) return chance;
        return (static_cast<UInt128>(chance) * t.volume[at(year)][static_cast<std::size_t>(line.category)]) >> 16;
    }

    /// No more than one claim can happen: what is expected above one goes into its amount, by this factor.
    [[nodiscard]] static Multiplier amount_of(UInt128 claims_expected) {
        return claims_expected >> 64 ? static_cast<Multiplier>(claims_expected >> 48) + 1 : one;
    }
    [[nodiscard]] static Threshold chance_of(UInt128 claims_expected, Multiplier more) {
        return static_cast<Threshold>(more == one ? claims_expected : (claims_expected << 16) / more);
    }

    void pattern(const std::vector<Choice>& list, bool onset_year, const Circumstance& now, std::int32_t fixed_day) {
        for (const Choice& choice : list) {
            const Words fresh = philox(now.member->person, static_cast<std::uint64_t>(now.year), care + choice.draw);
            Words w = fresh;
            const Line* line = &t.lines[choice.first];
            if (line->sticky != 0 && (fresh[3] >> 32) < line->sticky) {
                w = philox(now.member->person, 0, care + choice.draw);
                w[2] = fresh[2];
            }
            const auto of = [&](std::uint32_t i) {
                const auto up_to = [&](const Line& l) { return onset_year ? l.onset_probability : l.probability; };
                return expected(now.year, line[i], up_to(line[i]) - (i == 0 ? 0 : up_to(line[i - 1])));
            };
            Multiplier more = one;
            if (!t.volume.empty()) {
                UInt128 all = 0;
                for (std::uint32_t i = 0; i < choice.count; ++i) all += of(i);
                more = amount_of(all);
            }
            UInt128 sum = 0;
            for (std::uint32_t i = 0; i < choice.count; ++i) {
                sum += of(i);
                if (below(w[0], chance_of(sum, more))) {
                    claim(line[i], w, line[i].mean_cents, more, now, fixed_day);
                    break;
                }
            }
        }
    }

    /// Years of use of a course this year, 0 none. It ends by chance; it begins at the rate that keeps the curve of use.
    void follow_courses(State& state, const Member& m, std::int32_t year, std::size_t age, std::size_t frailty) const {
        std::size_t k = 0;
        for (const GeneralTable& g : t.general) {
            if (!g.course) continue;
            std::uint8_t& use = state.course[k++];
            const bool start = year == m.entry_year;
            const Threshold begins = scaled((start ? g.use : g.begins)[m.sex][age], g.frailty[frailty]);
            if (use == 0 && begins == 0) continue;
            const Words w = philox(m.person, static_cast<std::uint64_t>(year), courses + g.draw);
            if (use != 0 && !below(w[0], g.ends)) use = static_cast<std::uint8_t>(std::min<int>(use + 1, course_years));
            else if (use != 0) use = 0;
            else if (below(w[1], begins)) use = static_cast<std::uint8_t>(start ? 1 + pick(g.since_when, w[2]) : 1);
        }
    }

    void use_care(const State& state, const Circumstance& now, std::size_t age, std::size_t frailty,
                  Multiplier morbidity, std::int32_t birth_day, std::int32_t delivery_day, std::int32_t death_day) {
        const Member& m = *now.member;
        const auto this_year = static_cast<std::uint8_t>(2 + at(now.year));
        if (!abroad)
            for (std::size_t c = 0; c < t.conditions.size(); ++c)
                if (state.since[c] != 0)
                    pattern(t.conditions[c].care, state.since[c] == this_year, now,
                            t.conditions[c].wlz && state.since[c] == this_year ? now.decline : -1);
        for (const EpisodeTable& e : t.episodes) {
            if (abroad) break;
            std::int32_t day = -1;
            switch (e.trigger) {
                case Trigger::birth: day = birth_day; break;
                case Trigger::delivery: day = delivery_day; break;
                case Trigger::death: day = death_day; break;
                case Trigger::rate: {
                    const Threshold rate = e.rate[m.sex][age];
                    if (rate == 0) break;
                    Multiplier factor = e.frailty[frailty];
                    if (e.morbidity_region) factor = times(factor, morbidity);
                    const Words w = philox(m.person, static_cast<std::uint64_t>(now.year), care + e.draw);
                    std::uint64_t draw = w[0];
                    if (e.sticky != 0 && (w[3] >> 32) < e.sticky) draw = philox(m.person, 0, care + e.draw)[0];
                    if (!below(draw, scaled(rate, factor))) break;
                    day = day_in(now.year, w[2]);
                    if (day < now.first || day > now.last) day = -1;
                    break;
                }
            }
            if (day >= 0) pattern(e.care, false, now, day);
        }
        std::size_t k = 0;
        for (const GeneralTable& g : t.general) {
            const std::size_t use = g.course ? state.course[k++] : 0;
            const Cents mean = g.cents[group][m.sex][age];
            if (mean == 0 || (g.course && use == 0)) continue;
            const Words fresh = philox(m.person, static_cast<std::uint64_t>(now.year), care + g.draw);
            Words w = fresh;
            if (g.line.sticky != 0 && (fresh[3] >> 32) < g.line.sticky) {
                w = philox(m.person, 0, care + g.draw);
                w[2] = fresh[2];
            }
            const Threshold chance = g.course ? ~Threshold{0} : scaled(g.use[m.sex][age], g.frailty[frailty]);
            const UInt128 claims_expected = expected(now.year, g.line, chance);
            const Multiplier more = amount_of(claims_expected);
            if (!below(w[0], chance_of(claims_expected, more))) continue;
            Multiplier factor = times(g.amount_frailty[frailty], now.cost);
            if (g.course) factor = times(factor, g.growth[use - 1]);
            claim(g.line, w, (mean * factor) >> 16, more, now, -1);
        }
    }

    /// Do this member's births after the years asked decide the numbers of births before? Members are numbered slot by
    /// slot, and whoever is numbered must not depend on the years asked.
    [[nodiscard]] bool numbers_others(std::size_t slot, std::int32_t year) const {
        const auto mother = [&](const Member& m, std::int32_t since, std::int32_t until) {
            return m.sex == 1 && age_in(since, m.birth_month) < mothers_below &&
                   age_in(until, m.birth_month) >= mothers_from;
        };
        return mother(members[slot], year, p.last_year) &&
               std::any_of(members.begin() + static_cast<std::ptrdiff_t>(slot) + 1, members.end(),
                           [&](const Member& m) { return mother(m, m.entry_year, to); });
    }

    void live(std::size_t slot, data::Block& block, std::vector<Diagnosed>* diagnosed) {
        const Member m = members[slot];
        const Words w = philox(m.person, 0, traits), lasting = philox(m.person, 0, traits_more);
        const std::size_t frailty = frailty_of(w);
        const std::uint64_t own_address = (std::uint64_t{1} << 40) + m.person;
        State state;
        std::size_t home_of = m.home;
        std::int32_t left_home = never;        // first day on one's own
        std::int32_t institution_day = never;  // first day in an institution
        std::int32_t decline = -1;             // a day before it, in its year
        std::size_t own = 0;                   // insurer of who left home
        std::uint32_t own_place = 0;           // of who left home or lives in an institution
        std::int32_t last_child = -10;
        for (std::int32_t year = m.entry_year; year <= p.last_year; ++year) {
            if (year > to && !numbers_others(slot, year)) break;
            const auto y = static_cast<std::uint64_t>(year);
            const std::size_t age = age_in(year, m.birth_month);
            const std::int32_t begin = first_day_of(year);
            const std::int32_t first = year == m.entry_year ? m.entry_day : begin;
            std::int32_t last = first_day_of(year + 1) - 1;
            bool gone = false;
            if (left_home != never && left_home < begin) {
                Home& mine = homes[home_of];
                const Words change = philox(m.person, y, own_insurer), move = philox(m.person, y, own_moving);
                if (switches(change, age, frailty)) own = another(own, change[1]);
                mine.insurers[at(year)] = within_year(own, year, change);
                Until<std::uint32_t>& next = mine.places[at(year)] = {own_place, own_place, never};
                const bool may_move = institution_day == never;
                if (may_move && below(move[0], departing_at(age))) {
                    mine.departs = day_in(year, move[1]);
                } else if (may_move && !abroad && below(move[2], t.moving[age])) {
                    next.after = elsewhere(move[3]);
                    if (next.after != own_place) next.day = day_in(year, move[1]);
                    own_place = next.after;
                }
            }
            const Until<std::uint16_t> insured_with = homes[home_of].insurers[at(year)];
            Until<std::uint32_t> place = homes[home_of].places[at(year)];
            if (institution_day != never) {
                place = {own_place, own_place, never};
            } else if (const std::int32_t departs = homes[home_of].departs; departs <= last) {
                if (departs < first) break;
                last = departs;
                gone = true;
            }
            const Multiplier cost = t.frame[place.before].cost;
            const Multiplier morbidity = t.group_morbidity[group][age];
            conditions(state, m, year, age, frailty, morbidity);
            follow_courses(state, m, year, age, frailty);

            const Words life = philox(m.person, y, vital);
            Multiplier death = t.mortality_base[m.sex][age];
            for (std::size_t c = 0; c < t.conditions.size(); ++c)
                if (state.since[c] != 0) death += t.conditions[c].mortality;
            bool dies = below(life[0], scaled(scaled(t.mortality[m.sex][age], death), t.group_mortality[group]));
            if (dies) {
                const std::int32_t end = first_day_of(year + 1) - 1;
                const std::int32_t day = first + static_cast<std::int32_t>(uniform_below(
                                                     life[1], static_cast<std::uint32_t>(end - first + 1)));
                if (day > last) dies = false;  // abroad by then
                else last = day;
            }

            if (state.wlz_since == year && institution_day == never) {
                const Words enter = philox(m.person, y, institution);
                institution_day = first + static_cast<std::int32_t>(
                                              uniform_below(enter[0], static_cast<std::uint32_t>(last - first + 1)));
                decline = first + static_cast<std::int32_t>(uniform_below(
                                      enter[1], static_cast<std::uint32_t>(std::max(1, institution_day - first))));
            } else if (state.wlz_since != 0 && institution_day == never) {
                institution_day = begin - 1;  // since before this year
            }
            const std::size_t slept = home_of;  // where the year began
            if (m.child && left_home == never && !gone && age >= 18 && state.wlz_since == 0) {
                const Words leave = philox(m.person, y, home);
                if (const std::int32_t day = day_in(year, leave[1]);
                    below(leave[0], t.leave_home[0][age]) && day > first && day <= last) {
                    left_home = day;
                    own = insured_with.on(never - 1);
                    place.before = place.on(day - 1);
                    place.after = below(leave[2], t.leaves_to_elsewhere) ? elsewhere(leave[3]) : place.before;
                    place.day = day;
                    home_of = homes.size();
                    Home& mine = homes.emplace_back();
                    mine.address = own_address;
                    mine.insurers[at(year)] = insured_with;
                    mine.places[at(year)] = place;
                }
            }
            if (institution_day <= last && place.day > institution_day) place = {place.before, place.before, never};
            own_place = place.after;

            std::int32_t delivery = -1;
            if (m.sex == 1 && state.wlz_since == 0 && year > last_child + 1 &&
                below(life[2], scaled(t.fertility[1][age], t.group_fertility[group])) && members.size() < max_members) {
                const std::int32_t day = day_in(year, life[3]);
                if (day >= first && day <= last) {
                    delivery = day;
                    last_child = year;
                    Member baby;
                    baby.person = address * max_members + members.size();
                    const std::int32_t past = day - begin;
                    baby.birth_month = 12 * year + std::min(11, past * 12 / days_in(year));
                    baby.entry_year = year;
                    baby.entry_day = day;
                    baby.sex = below(philox(baby.person, 0, traits)[0], t.boys) ? 0 : 1;
                    baby.child = baby.newborn = true;
                    baby.home = static_cast<std::uint32_t>(day >= left_home ? home_of : slept);
                    members.push_back(baby);
                }
            }

            if (home_of == 0 && state.wlz_since == 0) ++residents[at(year)];
            std::uint8_t source = income(age, frailty, w[2]);
            if (slot < 2 && !m.child) parent_income[slot][at(year)] = age < 65 ? source : 0;
            if (age < 18) {
                source = static_cast<std::uint8_t>(IncomeSource::reference);
                for (const auto& parent : parent_income)
                    if (parent[at(year)] != 0) source = std::min(source, parent[at(year)]);
            }
            if (year >= from && year <= to) {
                const bool entering = institution_day >= first && institution_day <= last;
                data::Record r;
                r.person = m.person;
                r.birth_month = m.birth_month;
                if (age >= 18 && (state.wlz_since == 0 || entering)) {
                    const Threshold chance = scaled(t.voluntary[m.sex][age], t.voluntary_frailty[frailty]);
                    if (below(lasting[0], chance))
                        r.voluntary_deductible_cents = p.voluntary_cents[pick(t.voluntary_amount, lasting[1])];
                }
                r.represents = represents;
                r.sex = static_cast<std::uint8_t>(m.sex + 1);
                r.income_source = source;
                split(first, last, {insured_with.day, place.day, left_home, institution_day});
                for (Period& period : periods) {
                    period.insurer = insured_with.on(period.first);
                    period.institution = period.first >= institution_day;
                    const bool own_home = period.first >= left_home;
                    const Municipality& town = t.frame[place.on(period.first)].municipality;
                    r.address = period.institution ? own_address : homes[own_home ? home_of : slept].address;
                    r.first_day = period.first;
                    r.last_day = period.last;
                    r.insurer = p.insurers[period.insurer].code;
                    r.municipality = town.code;
                    r.region = town.region;
                    r.wlz = !period.institution ? 0 : entering ? 1 : 2;
                    r.ses = r.wlz == 2 ? std::uint8_t{1} : ses;
                    // The class of who enters an institution is that of the whole year.
                    if (age < 18) r.household = static_cast<std::uint8_t>(HouseholdState::none);
                    else if (r.wlz == 2) r.household = static_cast<std::uint8_t>(HouseholdState::wlz_permanent);
                    else if (entering) r.household = static_cast<std::uint8_t>(HouseholdState::wlz_entering);
                    else if (own_home)
                        r.household = static_cast<std::uint8_t>(below(lasting[2], t.lives_alone[m.sex][age])
                                                                    ? HouseholdState::one_person
                                                                    : HouseholdState::other);
                    else r.household = undecided;
                    block.records.push_back(r);
                }

                claims.clear();
                const Circumstance now{&m, year, first, last, static_cast<std::int32_t>(age), cost, decline};
                use_care(state, now, age, frailty, morbidity, m.newborn && year == m.entry_year ? m.entry_day : -1,
                         delivery, dies ? last : -1);
                std::sort(claims.begin(), claims.end(), [](const data::Claim& a, const data::Claim& b) {
                    const auto key = [](const data::Claim& c) {
                        return std::tuple(c.category, c.product, c.specialism, c.diagnosis, c.opened, c.claimed_cents,
                                          c.ddd);
                    };
                    return key(a) < key(b);
                });
                for (std::size_t i = 0; i < claims.size(); ++i) claims[i].claim = static_cast<std::uint32_t>(i);
                block.claims.insert(block.claims.end(), claims.begin(), claims.end());
                if (diagnosed != nullptr)
                    for (std::size_t c = 0; c < t.conditions.size(); ++c)
                        if (state.since[c] != 0) diagnosed->push_back({m.person, year, static_cast<std::int32_t>(c)});
            }
            if (!dies && !gone) continue;
            for (std::int32_t later = year + 1; left_home != never && later <= p.last_year; ++later) {
                homes[home_of].insurers[at(later)] = homes[home_of].insurers[at(year)];  // those who stay behind
                homes[home_of].places[at(later)] = {own_place, own_place, never};
            }
            break;
        }
    }

    /// Insured days in periods that begin on the days named, where these lie inside.
    void split(std::int32_t first, std::int32_t last, std::array<std::int32_t, 4> days) {
        std::sort(days.begin(), days.end());
        periods.clear();
        Period period;
        period.first = first;
        for (const std::int32_t day : days) {
            if (day <= period.first || day > last) continue;
            period.last = day - 1;
            periods.push_back(period);
            period.first = day;
        }
        period.last = last;
        periods.push_back(period);
    }
};

bool chosen(const Philox& philox, std::uint64_t address, std::uint16_t represents) {
    return represents <= 1 || below(philox(address)[0], ~std::uint64_t{0} / represents);
}

data::Block make(const Tables& tables, const Plan& plan, Index block, std::int32_t first_year, std::int32_t last_year,
                 std::vector<Diagnosed>* diagnosed) {
    const Parameters& p = tables.parameters;
    if (block < 0 || block >= plan.blocks())
        throw NotFoundError({{"generate", "block " + std::to_string(block), "0.." + std::to_string(plan.blocks() - 1),
                              std::to_string(block)}});
    if (first_year < p.start_year || last_year > p.last_year || first_year > last_year)
        throw DomainError({{"generate", "years", std::to_string(p.start_year) + ".." + std::to_string(p.last_year),
                            std::to_string(first_year) + ".." + std::to_string(last_year)}});
    data::Block result;
    const Philox frame(plan.seed, Purpose::frame);
    Household home(tables, plan, first_year, last_year);
    for (auto r = static_cast<std::size_t>(plan.begin[static_cast<std::size_t>(block)]);
         r < static_cast<std::size_t>(plan.begin[static_cast<std::size_t>(block) + 1]); ++r) {
        const Range& range = plan.ranges[r];
        for (std::uint64_t address = range.first; address < range.last; ++address)
            if (chosen(frame, address, range.represents)) home.run(address, range, result, diagnosed);
    }
    return result;
}

}  // namespace

Plan plan(const Tables& tables, const Sample& sample) {
    if (sample.persons < 1) throw DomainError({{"plan", "persons", "1 or more", std::to_string(sample.persons)}});
    if (sample.block_persons < 1 || sample.block_persons > 65'536)
        throw DomainError({{"plan", "block_persons", "1..65536", std::to_string(sample.block_persons)}});
    const auto in_region = [&](std::uint16_t code) {
        return std::find(sample.region.begin(), sample.region.end(), code) != sample.region.end();
    };
    double region = 0, rest = 0;
    for (const Stretch& s : tables.frame) (in_region(s.municipality.code) ? region : rest) += s.municipality.insured;
    const auto thinning = [](double available, double wanted) {
        std::int64_t r = 1;
        while (available > wanted * static_cast<double>(r) && r < 65'535) ++r;
        return static_cast<std::uint16_t>(r);
    };
    const auto wanted = static_cast<double>(sample.persons);
    Plan result;
    result.seed = sample.seed;
    const double region_wanted = region <= wanted / 2 ? region : wanted * std::max(0.5, rest > 0 ? 0.0 : 1.0);
    result.represents_region = region > 0 ? thinning(region, region_wanted) : std::uint16_t{1};
    result.represents_rest =
        rest > 0 ? thinning(rest, std::max(1.0, wanted - region / result.represents_region)) : std::uint16_t{1};
    result.begin.push_back(0);
    double filled = 0;
    for (std::size_t i = 0; i < tables.frame.size(); ++i) {
        const Stretch& s = tables.frame[i];
        const std::uint16_t r = in_region(s.municipality.code) ? result.represents_region : result.represents_rest;
        const double per_address =
            s.municipality.insured / static_cast<double>(std::max<std::uint64_t>(1, s.last - s.first)) / r;
        for (std::uint64_t first = s.first; first < s.last;) {
            const auto room = static_cast<std::uint64_t>(std::max(1.0, (sample.block_persons - filled) / per_address));
            const std::uint64_t last = std::min(s.last, first + room);
            result.ranges.push_back({first, last, r, static_cast<std::uint32_t>(i)});
            filled += per_address * static_cast<double>(last - first);
            first = last;
            if (filled >= sample.block_persons - 1) {
                result.begin.push_back(static_cast<Index>(result.ranges.size()));
                filled = 0;
            }
        }
    }
    if (result.begin.back() != static_cast<Index>(result.ranges.size()))
        result.begin.push_back(static_cast<Index>(result.ranges.size()));
    return result;
}

data::Block generate(const Tables& tables, const Plan& plan, Index block, std::int32_t first_year,
                     std::int32_t last_year) {
    return make(tables, plan, block, first_year, last_year, nullptr);
}

std::vector<Diagnosed> conditions_of(const Tables& tables, const Plan& plan, Index block, std::int32_t first_year,
                                     std::int32_t last_year) {
    std::vector<Diagnosed> result;
    (void)make(tables, plan, block, first_year, last_year, &result);
    return result;
}

}  // namespace anderhalf::population
