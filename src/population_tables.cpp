#include <anderhalf/population/tables.hpp>

#include <boost/math/distributions/normal.hpp>

#include "exact_math.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace anderhalf::population {
namespace {

Threshold threshold(double probability) {
    if (!(probability > 0)) return 0;
    if (probability >= 1) return ~Threshold{0};
    return static_cast<Threshold>(std::ldexp(probability, 64));
}

Multiplier multiplier(double factor) {
    return static_cast<Multiplier>(std::lround(std::clamp(factor, 0.0, 60'000.0) * 65'536.0));
}

std::uint32_t share32(double share) {
    return static_cast<std::uint32_t>(std::min(4'294'967'295.0, std::ldexp(std::clamp(share, 0.0, 1.0), 32)));
}

/// A value of the C library to 2^-40: its last bits differ between processors.
double settled(double x) { return std::ldexp(std::round(std::ldexp(x, 40)), -40); }

Quantiles lognormal(double cv) {
    const double variance = exact::log1p(cv * cv), sigma = std::sqrt(variance);
    const boost::math::normal normal;
    const auto at = [&](double p) {
        return exact::exp(-variance / 2 + std::max(sigma, 1e-6) * settled(quantile(normal, p)));
    };
    std::array<double, 1025> body{}, tail{};
    for (std::size_t i = 0; i <= 1023; ++i) body[i] = at(i == 0 ? 1.0 / 4096 : static_cast<double>(i) / 1024);
    for (std::size_t i = 0; i <= 1024; ++i)
        tail[i] = at(i == 1024 ? 1 - std::ldexp(1.0, -22) : (1023 + static_cast<double>(i) / 1024) / 1024);
    body[1024] = tail[0];
    double mean = 0;  // of the broken line, so that it is exactly 1 after scaling
    for (std::size_t i = 0; i < 1023; ++i) mean += (body[i] + body[i + 1]) / 2 / 1024;
    for (std::size_t i = 0; i < 1024; ++i) mean += (tail[i] + tail[i + 1]) / 2 / 1024 / 1024;
    Quantiles result;
    result.cv = cv;
    for (std::size_t i = 0; i <= 1024; ++i) {
        result.body[i] = static_cast<std::uint32_t>(std::min(4.29e9, std::ldexp(body[i] / mean, 20)));
        result.tail[i] = static_cast<std::uint32_t>(std::min(4.29e9, std::ldexp(tail[i] / mean, 20)));
    }
    return result;
}

struct Builder {
    const Parameters& p;
    Tables t;
    std::array<double, frailty_classes> score{};
    std::map<double, std::uint32_t> by_cv;
    std::uint32_t next_draw = 0;

    explicit Builder(const Parameters& parameters) : p(parameters) {
        const boost::math::normal normal;
        for (std::size_t f = 0; f < score.size(); ++f)
            score[f] = settled(quantile(normal, (static_cast<double>(f) + 0.5) / frailty_classes));
    }

    std::uint32_t quantiles(double cv) {
        const auto [entry, fresh] = by_cv.try_emplace(cv, static_cast<std::uint32_t>(t.quantiles.size()));
        if (fresh) t.quantiles.push_back(lognormal(cv));
        return entry->second;
    }

    FrailtyMultipliers frailty(double exponent) const {
        std::array<double, frailty_classes> factor{};
        double mean = 0;
        for (std::size_t f = 0; f < factor.size(); ++f) {
            factor[f] = exact::exp(exponent * score[f]);
            mean += factor[f] / frailty_classes;
        }
        FrailtyMultipliers result{};
        for (std::size_t f = 0; f < factor.size(); ++f) result[f] = multiplier(factor[f] / mean);
        return result;
    }

    static AgeThresholds thresholds(const Curve& curve) {
        AgeThresholds result{};
        for (std::size_t s = 0; s < 2; ++s)
            for (std::size_t a = 0; a < ages; ++a) result[s][a] = threshold(curve.at(s).at(a));
        return result;
    }

    Line line(const CareLine& c) {
        Line l;
        l.category = c.category;
        l.consult = c.consult;
        l.yearly = c.yearly;
        l.varies = c.product == 0 && c.category == Category::hospital;
        l.specialism = c.specialism;
        l.diagnosis = c.diagnosis;
        l.product = l.varies ? ((std::uint32_t{c.specialism} * 1000 + c.diagnosis) * 10 + 1) * 100 : c.product;
        l.sticky = share32(c.sticky);
        l.quantiles = quantiles(c.cv);
        l.mean_cents = std::lround(c.mean_eur * 100);
        l.ddd = c.ddd;
        l.prescriptions = c.prescriptions;
        l.age_min = c.age_min;
        if (l.varies)
            for (const Setting& setting : p.settings)  // that of the specialism, else the one of all others
                if (setting.specialism == c.specialism || (setting.specialism == 0 && l.admission_from == 0)) {
                    l.heavy_from = std::lround(setting.heavy_from_eur * 100);
                    l.admission_from = std::lround(setting.admission_from_eur * 100);
                }
        return l;
    }

    std::vector<Choice> care(const std::vector<CareLine>& pattern) {
        std::vector<Choice> result;
        for (std::size_t i = 0; i < pattern.size();) {
            Choice choice{static_cast<std::uint32_t>(t.lines.size()), 0, next_draw++};
            double sum = 0, onset = 0;
            const std::int32_t number = pattern[i].choice;
            do {
                const CareLine& c = pattern[i];
                sum += c.probability;
                onset += c.onset_probability < 0 ? c.probability : c.onset_probability;
                Line l = line(c);
                l.probability = threshold(sum);
                l.onset_probability = threshold(onset);
                t.lines.push_back(l);
                ++choice.count;
                ++i;
            } while (number > 0 && i < pattern.size() && pattern[i].choice == number);
            result.push_back(choice);
        }
        return result;
    }

    void conditions() {
        for (const Condition& c : p.conditions) {
            ConditionTable table;
            Curve prevalence = c.prevalence, onset = c.prevalence;
            for (std::size_t s = 0; s < 2; ++s) {
                for (std::size_t a = 0; a < ages; ++a) {
                    if (a == 0) {
                        onset[s][a] = 0;
                        continue;
                    }
                    const double before = prevalence[s][a - 1], q = std::min(0.9, p.mortality[s][a - 1]);
                    const double stay =
                        before * (1 - c.recovery) * (1 - std::min(0.95, q * (1 + c.mortality))) / (1 - q);
                    onset[s][a] = std::max(0.0, (prevalence[s][a] - stay) / std::max(0.05, 1 - before));
                }
            }
            for (const Risk& r : c.risks)  // keep the mean: divide by the expected factor
                for (std::size_t s = 0; s < 2; ++s)
                    for (std::size_t a = 0; a < ages; ++a) {
                        const double expected =
                            1 +
                            p.conditions.at(static_cast<std::size_t>(r.condition)).prevalence[s][a] * (r.factor - 1);
                        prevalence[s][a] /= expected;
                        onset[s][a] /= expected;
                    }
            table.prevalence = thresholds(prevalence);
            table.onset = thresholds(onset);
            table.frailty = frailty(c.frailty);
            table.recovery = threshold(c.recovery);
            table.mortality = multiplier(c.mortality);
            table.morbidity_region = c.morbidity_region;
            table.wlz = c.wlz;
            for (const Risk& r : c.risks) table.risks.emplace_back(r.condition, multiplier(r.factor));
            table.care = care(c.care);
            t.conditions.push_back(std::move(table));
        }
    }

    void episodes() {
        for (const Episode& e : p.episodes) {
            EpisodeTable table;
            table.trigger = e.trigger;
            if (e.trigger == Trigger::rate) table.rate = thresholds(e.rate);
            table.frailty = frailty(e.frailty);
            table.sticky = share32(e.sticky);
            table.morbidity_region = e.morbidity_region;
            table.draw = next_draw++;
            table.care = care(e.care);
            t.episodes.push_back(std::move(table));
        }
    }

    /// Use that lasts: begun at the rate that keeps the curve of use, growing in the first years, with a mean of 1.
    void course(const General& g, GeneralTable& table) const {
        table.course = true;
        table.ends = threshold(g.ends);
        Curve begins = g.use;
        for (std::size_t s = 0; s < 2; ++s)
            for (std::size_t a = 1; a < ages; ++a)
                begins[s][a] =
                    std::max(0.0, (g.use[s][a] - g.use[s][a - 1] * (1 - g.ends)) / std::max(0.05, 1 - g.use[s][a - 1]));
        for (std::size_t s = 0; s < 2; ++s) begins[s][0] = 0;
        table.begins = thresholds(begins);
        std::array<double, course_years> share{}, amount{};
        double total = 0, mean = 0;
        for (std::size_t k = 0; k < share.size(); ++k) {
            share[k] = exact::power(1 - g.ends, static_cast<int>(k));
            if (k + 1 == share.size()) share[k] /= std::max(0.05, g.ends);  // and all who use it for longer
            amount[k] = exact::power(1 + g.growth, static_cast<int>(k));
            total += share[k];
            mean += share[k] * amount[k];
        }
        double sum = 0;
        for (std::size_t k = 0; k < share.size(); ++k) {
            table.growth[k] = multiplier(amount[k] * total / mean);
            table.since_when[k] = threshold((sum += share[k]) / total);
        }
        table.since_when.back() = ~Threshold{0};
    }

    void general() {
        for (const General& g : p.general) {
            GeneralTable table;
            table.line = line(g.line);
            table.line.category = g.category;
            table.use = thresholds(g.use);
            table.frailty = frailty(g.frailty);
            table.amount_frailty = frailty(g.amount_frailty);
            table.draw = next_draw++;
            if (g.course) course(g, table);
            for (const BandTable& mean : g.mean_eur) {
                auto& cents = table.cents.emplace_back();
                for (std::size_t s = 0; s < 2; ++s)
                    for (std::size_t a = 0; a < ages; ++a) {
                        const double use = g.use[s][a], eur = mean.at(s).at(std::min<std::size_t>(a / 5, bands - 1));
                        cents[s][a] = use > 0 && eur > 0 ? std::lround(100 * eur / std::min(1.0, use)) : 0;
                    }
            }
            t.general.push_back(std::move(table));
        }
    }

    void mortality() {
        t.mortality = thresholds(p.mortality);
        for (std::size_t s = 0; s < 2; ++s)
            for (std::size_t a = 0; a < ages; ++a) {
                double base = 1;
                for (const Condition& c : p.conditions) base -= std::min(1.0, c.prevalence[s][a]) * c.mortality;
                t.mortality_base[s][a] = multiplier(std::max(0.15, base));
            }
        for (const double factor : p.group_mortality) t.group_mortality.push_back(multiplier(factor));
    }

    static std::vector<Threshold> cumulative(const std::vector<double>& share) {
        double total = 0, sum = 0;
        for (const double s : share) total += s;
        std::vector<Threshold> result;
        for (const double s : share) result.push_back(threshold((sum += s) / total));
        if (!result.empty()) result.back() = ~Threshold{0};
        return result;
    }

    void compositions() {
        for (const Composition& c : p.compositions) {
            CompositionTable table;
            std::vector<double> start, arriving;
            double households = 0, persons = 0;
            for (std::size_t s = 0; s < 2; ++s)
                for (const double n : c.insured.at(s)) persons += n;
            std::vector<double> count;
            for (std::size_t band = 4; band < bands; ++band) {
                const double men = c.insured[0][band], women = c.insured[1][band];
                const double couples = p.couple_share.at(band) * std::min(men, women);
                const double arriving_men = c.arriving[0][band], arriving_women = c.arriving[1][band];
                const double arriving_couples = 0.5 * p.couple_share.at(band) * std::min(arriving_men, arriving_women);
                const std::array<double, 3> now{couples, men - couples, women - couples};
                const std::array<double, 3> later{arriving_couples, arriving_men - arriving_couples,
                                                  arriving_women - arriving_couples};
                for (std::size_t type = 0; type < 3; ++type) {
                    HouseholdKind kind;
                    kind.band = static_cast<std::int32_t>(band);
                    kind.type = static_cast<std::int32_t>(type);
                    table.kinds.push_back(kind);
                    count.push_back(now[type]);
                    start.push_back(now[type]);
                    arriving.push_back(later[type]);
                    households += now[type];
                }
            }
            for (std::size_t child = 0; child < 4; ++child) {
                std::vector<double> weight;
                double expected = 0;
                for (std::size_t k = 0; k < table.kinds.size(); ++k) {
                    double w = 0;
                    for (int shift = -2; shift <= 2; ++shift) {
                        const std::int32_t at = 5 * (table.kinds[k].band - static_cast<std::int32_t>(child)) + shift;
                        if (at >= 0 && at < static_cast<std::int32_t>(p.parent_age_weight.size()))
                            w += p.parent_age_weight[static_cast<std::size_t>(at)];
                    }
                    w *= p.parent_type_weight[static_cast<std::size_t>(table.kinds[k].type)];
                    weight.push_back(w);
                    expected += w * count[k];
                }
                for (std::size_t k = 0; k < table.kinds.size(); ++k)
                    for (std::size_t s = 0; s < 2; ++s)
                        table.kinds[k].child[child][s] = threshold(c.insured[s][child] * weight[k] / expected / 2);
            }
            table.start = cumulative(start);
            table.arriving = cumulative(arriving);
            table.household_size = persons / households;
            std::vector<double> year{1.0};
            for (const double a : c.arrivals) {
                year.push_back(a);
                table.frame_factor += a;
            }
            table.arrival_year = cumulative(year);
            t.compositions.push_back(std::move(table));
        }
    }

    void frame() {
        std::uint64_t next = 1;
        for (const Municipality& m : p.municipalities) {
            const CompositionTable& c = t.compositions.at(m.composition);
            const auto size = static_cast<std::uint64_t>(std::llround(m.insured / c.household_size * c.frame_factor));
            t.frame.push_back({next, next + size, m, multiplier(m.cost_factor)});
            next += size;
        }
        for (std::size_t g = 0; g < p.group_mortality.size(); ++g) {
            Destinations& to = t.destinations.emplace_back();
            std::vector<double> insured;
            for (std::size_t k = 0; k < p.municipalities.size(); ++k)
                if (p.municipalities[k].group == g) {
                    insured.push_back(p.municipalities[k].insured);
                    to.stretch.push_back(static_cast<std::uint32_t>(k));
                }
            to.cumulative = cumulative(insured);
        }
    }

    void traits() {
        const boost::math::normal normal;
        for (std::size_t s = 0; s < 4; ++s)
            for (std::size_t f = 0; f < frailty_classes; ++f)
                t.frailty_given_ses[s][f] =
                    f + 1 == frailty_classes
                        ? ~Threshold{0}
                        : threshold(settled(cdf(normal, quantile(normal, static_cast<double>(f + 1) / frailty_classes) -
                                                            p.ses_frailty[s])));
        const std::array<std::array<double, 4>, 2> ses{p.ses_share, p.ses_share_region};
        for (std::size_t g = 0; g < 2; ++g) {
            const auto c = cumulative({ses[g].begin(), ses[g].end()});
            std::copy(c.begin(), c.end(), t.ses[g].begin());
        }
        for (std::size_t g = 0; g < p.group_mortality.size(); ++g) {
            std::vector<double> share;
            for (const Insurer& i : p.insurers) share.push_back(i.share.at(g));
            t.insurer.push_back(cumulative(share));
        }
        for (std::size_t k = 0; k < p.income.size(); ++k) {
            auto& table = t.income.emplace_back();
            for (std::size_t f = 0; f < frailty_classes; ++f) {
                double sum = 0;
                table[f][0] = 0;
                for (std::size_t source = 1; source < 9; ++source) {
                    double mean = 0;
                    for (const double z : score) mean += exact::exp(p.income_frailty[source] * z) / frailty_classes;
                    sum += p.income[k].at(source) * exact::exp(p.income_frailty[source] * score[f]) / mean;
                    table[f][source] = threshold(sum);
                }
            }
        }
        t.fertility = thresholds(p.fertility);
        t.lives_alone = thresholds(p.lives_alone);
        t.switching = thresholds(p.switching);
        t.leave_home = thresholds({p.leave_home, p.leave_home});
        t.voluntary = thresholds(p.voluntary_deductible);
        t.voluntary_frailty = frailty(p.voluntary_frailty);
        for (std::size_t f = 0; f < frailty_classes; ++f)
            t.switching_frailty[f] = multiplier(p.switching_frailty.at(f));
        for (const double g : p.group_fertility) t.group_fertility.push_back(multiplier(g));
        for (const double g : p.group_departing) t.group_departing.push_back(multiplier(g));
        for (std::size_t a = 0; a < ages; ++a) {
            t.moving[a] = threshold(p.moving.at(a));
            t.departing[a] = threshold(p.departing.at(a));
        }
        const auto trend = [](const std::vector<std::vector<double>>& index, auto& into) {
            for (const auto& year : index) {
                auto& row = into.emplace_back();
                for (std::size_t c = 0; c < category_count; ++c) row[c] = multiplier(year.at(c));
            }
        };
        trend(p.price_index, t.price);
        trend(p.volume_index, t.volume);
        t.departing_arrived = multiplier(p.departing_arrived);
        t.leaves_to_elsewhere = threshold(p.leaves_to_elsewhere);
        t.switching_within_year = threshold(p.switching_within_year);
        for (const double g : p.group_switching) t.group_switching.push_back(multiplier(g));
        for (const auto& curve : p.group_morbidity) {
            auto& table = t.group_morbidity.emplace_back();
            for (std::size_t a = 0; a < ages; ++a) table[a] = multiplier(curve.at(a));
        }
        t.voluntary_amount = cumulative(p.voluntary_share);
        for (std::size_t c = 0; c < category_count; ++c) t.wlz_factor[c] = multiplier(p.wlz_factor.at(c));
        t.boys = threshold(p.boys);
        std::vector<double> old(16);
        double left = 1;
        for (std::size_t k = 0; k < old.size(); ++k) {
            old[k] = left;
            left *= 1 - std::min(0.6, (p.mortality[0][90 + k] + p.mortality[1][90 + k]) / 2);
        }
        const auto cumulated = cumulative(old);
        std::copy(cumulated.begin(), cumulated.end(), t.oldest.begin());
    }
};

}  // namespace

Tables build(const Parameters& parameters) {
    if (parameters.conditions.size() > max_conditions)
        throw std::invalid_argument("population: more than 128 conditions");
    if (std::count_if(parameters.general.begin(), parameters.general.end(), [](const General& g) { return g.course; }) >
        max_courses)
        throw std::invalid_argument("population: more than 4 courses of the general part");
    Builder b(parameters);
    b.conditions();
    b.episodes();
    b.general();
    b.mortality();
    b.compositions();
    b.frame();
    b.traits();
    b.t.parameters = parameters;
    return std::move(b.t);
}

}  // namespace anderhalf::population
