// Hashes of tables, and of the records and claims of some blocks and seeds, for one level of instructions. The parameters
// are made here, with digits in every place, so that the hash does not move with params/population.
#include <anderhalf/core/random.hpp>
#include <anderhalf/population/generate.hpp>

#include <cstdio>
#include <string_view>
#include <type_traits>

using namespace anderhalf;
using namespace anderhalf::population;

namespace {

class Hash {  // FNV-1a of 64 bits
public:
    template <class T>
        requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
    void operator()(T value) {
        const auto bits = static_cast<std::uint64_t>(value);
        for (int k = 0; k < 8; ++k) h_ = (h_ ^ (bits >> (8 * k) & 0xFFu)) * 0x100000001B3u;
    }
    template <class T>
        requires requires(const T& x) { x.begin(); }
    void operator()(const T& list) {
        (*this)(list.size());
        for (const auto& x : list) (*this)(x);
    }
    void operator()(const std::pair<std::int32_t, Multiplier>& x) { all(x.first, x.second); }
    void operator()(const Quantiles& q) { all(q.body, q.tail); }
    void operator()(const Line& l) {
        all(l.category, l.consult, l.yearly, l.varies, l.specialism, l.diagnosis, l.product, l.probability,
            l.onset_probability, l.sticky, l.quantiles, l.mean_cents, l.ddd, l.prescriptions, l.age_min, l.heavy_from,
            l.admission_from);
    }
    void operator()(const Choice& c) { all(c.first, c.count, c.draw); }
    void operator()(const ConditionTable& c) {
        all(c.prevalence, c.onset, c.frailty, c.recovery, c.mortality, c.morbidity_region, c.wlz, c.risks, c.care);
    }
    void operator()(const EpisodeTable& e) {
        all(e.trigger, e.rate, e.frailty, e.sticky, e.draw, e.morbidity_region, e.care);
    }
    void operator()(const GeneralTable& g) {
        all(g.line, g.use, g.frailty, g.amount_frailty, g.draw, g.cents, g.course, g.begins, g.ends, g.growth,
            g.since_when);
    }
    void operator()(const Destinations& d) { all(d.cumulative, d.stretch); }
    void operator()(const HouseholdKind& k) { all(k.band, k.type, k.child); }
    void operator()(const CompositionTable& c) { all(c.kinds, c.start, c.arriving, c.arrival_year); }
    void operator()(const Stretch& s) { all(s.first, s.last, s.municipality.code, s.cost); }
    void operator()(const Tables& t) {
        all(t.frame, t.compositions, t.quantiles, t.lines, t.conditions, t.episodes, t.general, t.fertility,
            t.lives_alone, t.switching, t.leave_home, t.voluntary, t.mortality, t.mortality_base, t.group_morbidity,
            t.group_mortality, t.group_switching, t.group_fertility, t.group_departing, t.moving, t.departing,
            t.destinations, t.leaves_to_elsewhere, t.switching_within_year, t.departing_arrived, t.price, t.volume,
            t.voluntary_frailty, t.switching_frailty, t.frailty_given_ses, t.ses, t.insurer, t.voluntary_amount,
            t.income, t.wlz_factor, t.boys, t.oldest);
    }
    void operator()(const data::Record& r) {
        all(r.person, r.address, r.first_day, r.last_day, r.birth_month, r.voluntary_deductible_cents, r.insurer,
            r.represents, r.municipality, r.region, r.sex, r.income_source, r.ses, r.household, r.wlz);
    }
    void operator()(const data::Claim& c) {
        all(c.person, c.opened, c.closed, c.claimed_cents, c.settled_cents, c.claim, c.product, c.insurer, c.specialism,
            c.diagnosis, c.ddd, c.prescriptions, c.category, c.consult, c.title);
    }
    [[nodiscard]] unsigned long long value() const { return h_; }

private:
    template <class... T>
    void all(const T&... x) {
        ((*this)(x), ...);
    }
    std::uint64_t h_ = 0xCBF29CE484222325u;
};

/// A value near `about` with digits in every place, another one for every number.
double near(double about, std::uint64_t number) {
    const std::uint64_t draw = Philox{11, 4}(number)[0] >> 11;
    return about * (0.75 + 0.5 * static_cast<double>(draw) / 9007199254740992.0);
}

std::vector<double> near(double about, std::uint64_t number, std::size_t size) {
    std::vector<double> result;
    for (std::size_t k = 0; k < size; ++k) result.push_back(near(about, 1000 * number + k));
    return result;
}

Curve curve(double about, std::uint64_t number) { return {near(about, number, ages), near(about, number + 1, ages)}; }

BandTable bands_of(double about, std::uint64_t number) {
    return {near(about, number, bands), near(about, number + 1, bands)};
}

CareLine line(Category category, double eur, std::uint64_t number) {
    CareLine c;
    c.category = category;
    c.product = category == Category::hospital ? 0 : static_cast<std::uint32_t>(number);
    c.specialism = static_cast<std::uint16_t>(300 + number % 7);
    c.diagnosis = static_cast<std::uint16_t>(1 + number % 5);
    c.choice = 1;
    c.probability = near(0.4, number);
    c.mean_eur = near(eur, number + 1);
    c.cv = near(1.3, number + 2);
    c.sticky = near(0.4, number + 3);
    c.ddd = category == Category::drugs ? 300 : 0;
    c.prescriptions = category == Category::drugs ? 4 : 0;
    c.yearly = category == Category::drugs;
    return c;
}

Parameters country() {
    Parameters p;
    const std::size_t years = static_cast<std::size_t>(p.last_year - p.start_year) + 1;
    for (std::uint64_t k = 0; k < 2; ++k) {
        Composition c;
        c.insured = bands_of(1000, 10 + 2 * k);
        c.arriving = bands_of(10, 20 + 2 * k);
        c.arrivals = near(0.01, 30 + k, years - 1);
        p.compositions.push_back(c);
    }
    for (std::uint16_t code = 1; code <= 4; ++code) {
        Municipality m;
        m.code = code;
        m.group = static_cast<std::uint8_t>(code % 2);
        m.composition = static_cast<decltype(m.composition)>(code % 2);
        m.insured = near(4000.0, code);
        m.cost_factor = near(1, code);
        p.municipalities.push_back(m);
    }
    for (std::uint16_t k = 1; k <= 3; ++k) p.insurers.push_back({k, "insurer", near(0.3, 40u + k, 2)});
    p.couple_share = near(0.6, 50, bands);
    p.parent_age_weight = near(1, 51, 60);
    p.parent_type_weight = {1, near(0.1, 1), near(0.4, 2)};
    p.leave_home = near(0.1, 52, ages);
    p.lives_alone = curve(0.3, 53);
    p.fertility = curve(0.05, 55);
    p.mortality = curve(0.01, 57);
    p.group_mortality = near(1, 59, 2);
    p.group_fertility = near(1, 60, 2);
    p.group_switching = near(1, 61, 2);
    p.moving = near(0.05, 62, ages);
    p.leaves_to_elsewhere = near(0.5, 3);
    p.departing = near(0.01, 63, ages);
    p.departing_arrived = near(2, 4);
    p.group_departing = near(1, 64, 2);
    p.ses_share = p.ses_share_region = {0.21, 0.23, 0.27, 0.29};
    p.ses_frailty = {near(0.3, 5), near(0.1, 6), near(-0.1, 7), near(-0.3, 8)};
    p.group_morbidity = {near(1, 65, ages), near(1.1, 66, ages)};
    p.wlz_factor = near(0.5, 67, category_count);
    p.switching = curve(0.07, 68);
    p.switching_frailty = near(1, 70, frailty_classes);
    p.switching_within_year = near(0.01, 9);
    p.voluntary_deductible = curve(0.13, 71);
    p.voluntary_frailty = near(-0.4, 10);
    p.voluntary_cents = {10'000, 50'000};
    p.voluntary_share = near(0.5, 73, 2);
    for (std::uint64_t k = 0; k < 4; ++k) p.income.push_back(near(0.06, 74 + k, 9));
    for (std::size_t k = 0; k < 9; ++k) p.income_frailty[k] = near(0.5, 80 + k);
    p.settings = {{301, near(500, 11), near(2000, 12)}};
    for (std::uint64_t y = 0; y < years; ++y) {
        p.price_index.push_back(near(1, 200 + y, category_count));
        p.volume_index.push_back(near(1, 300 + y, category_count));
    }
    for (std::uint64_t k = 0; k < 6; ++k) {
        Condition c;
        c.key = "condition";
        c.prevalence = curve(0.05, 400 + 2 * k);
        c.recovery = near(0.1, 500 + k);
        c.mortality = near(0.4, 510 + k);
        c.frailty = near(0.5, 520 + k);
        c.wlz = k == 5;
        if (k > 0) c.risks = {{static_cast<std::int32_t>(k - 1), near(2, 530 + k)}};
        c.care = {line(Category::drugs, 300, 540 + 10 * k), line(Category::hospital, 3000, 600 + 10 * k)};
        p.conditions.push_back(c);
    }
    for (std::uint64_t k = 0; k < 3; ++k) {
        Episode e;
        e.key = "episode";
        e.rate = curve(0.2, 700 + 2 * k);
        e.frailty = near(0.3, 710 + k);
        e.sticky = near(0.3, 720 + k);
        e.care = {line(Category::hospital, 200, 730 + 10 * k), line(Category::hospital, 900, 760 + 10 * k)};
        p.episodes.push_back(e);
    }
    for (std::uint64_t k = 0; k < 3; ++k) {
        General g;
        g.category = k == 0 ? Category::gp : k == 1 ? Category::nursing : Category::hospital;
        g.line = line(g.category, 100, 800 + 10 * k);
        g.use = curve(0.4, 830 + 2 * k);
        g.frailty = near(0.2, 840 + k);
        g.amount_frailty = near(0.3, 850 + k);
        g.mean_eur = {bands_of(150, 860 + 2 * k), bands_of(170, 870 + 2 * k)};
        g.course = k == 1;
        g.ends = near(0.3, 880);
        g.growth = near(0.2, 881);
        p.general.push_back(g);
    }
    return p;
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) {  // asked before a program of that level is run
        std::puts(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")
                      ? "x86-64-v3"
                      : "no x86-64-v3");
        return 0;
    }
    const Tables tables = build(country());
    Hash of_tables, of_people;
    of_tables(tables);
    std::size_t records = 0, claims = 0;
    for (const std::uint64_t seed : {1U, 2U, 99U}) {
        Sample sample;
        sample.persons = 1'000'000;
        sample.seed = seed;
        sample.block_persons = 1'000;
        const Plan plan = population::plan(tables, sample);
        for (const Index block : {Index{0}, Index{3}, plan.blocks() - 1}) {
            const data::Block b = generate(tables, plan, block, 2014, 2023);
            of_people(b.records);
            of_people(b.claims);
            records += b.records.size();
            claims += b.claims.size();
        }
    }
    std::printf("tables %016llx, %zu records and %zu claims %016llx\n", of_tables.value(), records, claims,
                of_people.value());
    return 0;
}
