#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/substitution/programme.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace anderhalf::substitution {

namespace {

constexpr std::int64_t million = 1'000'000;

[[nodiscard]] std::uint64_t threshold(double share) {
    if (share <= 0) return 0;
    if (share >= 1) return ~std::uint64_t{0};
    return static_cast<std::uint64_t>(std::ldexp(share, 64));
}
[[nodiscard]] std::uint64_t threshold_ppm(std::int64_t ppm) {
    return threshold(static_cast<double>(ppm) / static_cast<double>(million));
}

// Words of the draw of one eligible claim, and of one person-year of added demand. Named so that they never move.
enum ClaimWord : std::size_t { word_enrol = 0, word_refer_on = 1, word_downstream = 2 };
enum AddedWord : std::size_t { word_added = 0, word_specialism = 1, word_added_downstream = 2 };
constexpr std::uint64_t added_draw = 0xFFFF'FFFF;  // no claim has this rank

constexpr std::uint64_t lasting = ~std::uint64_t{0};  // slot of a draw that holds for all years
constexpr std::uint64_t certain = ~std::uint64_t{0};

/// A product of two shares as the threshold of a draw.
[[nodiscard]] std::uint64_t threshold_of(std::int64_t ppm, std::int64_t times_ppm) {
    constexpr std::int64_t one = million * million;
    const std::int64_t share = ppm * times_ppm;
    if (share >= one) return certain;
    return static_cast<std::uint64_t>((static_cast<Int128>(share) << 64U) / one);
}

/// Times a factor, half up; what is settled may be below zero.
[[nodiscard]] std::int64_t scaled(std::int64_t amount, std::int64_t factor_ppm) {
    const std::int64_t n = amount * factor_ppm + million / 2;
    return n / million - (n % million < 0 ? 1 : 0);
}

constexpr Cents most_of_claim = std::numeric_limits<std::int32_t>::max();
constexpr const char* below_most = "below 21,474,836.48 euro";

[[nodiscard]] std::uint32_t bit(Category c) { return std::uint32_t{1} << static_cast<std::uint32_t>(c); }

[[nodiscard]] std::int32_t age_on_1_january(const data::Record& r, std::int32_t year) {
    return std::max(0, (12 * year - 1 - r.birth_month) / 12);
}

/// The record of a claim: of its insurer, covering the day it was opened, else the last; null when there is none.
[[nodiscard]] const data::Record* bearer_of(std::span<const data::Record> records, const data::Claim& claim) {
    const data::Record* found = nullptr;
    for (const data::Record& r : records) {
        if (r.insurer != claim.insurer) continue;
        found = &r;
        if (claim.opened >= r.first_day && claim.opened <= r.last_day) break;
    }
    return found;
}

void check(const Selector& selector, const std::string& where, Problems<ParameterError>& problems) {
    for (const auto& [first, last] : selector.products)
        problems.require(first <= last, where, "care_products", "[first, last]",
                         std::to_string(first) + ".." + std::to_string(last));
    problems.require(selector.min_cents <= selector.max_cents, where, "min_eur", "at most max_eur",
                     std::to_string(selector.min_cents) + " cents");
}

template <class T>
[[nodiscard]] bool in(const std::vector<T>& any_of, T value) {
    return any_of.empty() || std::find(any_of.begin(), any_of.end(), value) != any_of.end();
}

/// By municipality, 1 for those of a list; empty for an empty list.
[[nodiscard]] std::vector<std::uint8_t> marked(const std::vector<std::uint16_t>& municipalities) {
    std::vector<std::uint8_t> marks;
    for (const std::uint16_t m : municipalities) {
        if (m >= marks.size()) marks.resize(m + std::size_t{1}, 0);
        marks[m] = 1;
    }
    return marks;
}

[[nodiscard]] bool any(std::span<const data::Claim> claims, const Selector& selector) {
    return std::any_of(claims.begin(), claims.end(), [&](const data::Claim& c) { return selector.matches(c); });
}

}  // namespace

bool Selector::matches(const data::Claim& claim) const {
    return claim.claimed_cents > 0 && claim.claimed_cents >= min_cents && claim.claimed_cents <= max_cents &&
           (consult == Consult::any || claim.consult == (consult == Consult::yes)) && in(categories, claim.category) &&
           in(specialisms, claim.specialism) && in(diagnoses, claim.diagnosis) &&
           (products.empty() || std::any_of(products.begin(), products.end(), [&](const auto& range) {
                return claim.product >= range.first && claim.product <= range.second;
            }));
}

data::Claim kept_of(const data::Claim& claim, Cents kept) {
    if (kept > most_of_claim)
        throw DomainError{
            {{"contract", "what an insurer goes on paying for one person in a year", below_most, "more"}}};
    data::Claim rest = claim;
    rest.claimed_cents = 0;
    rest.settled_cents = static_cast<std::int32_t>(kept);
    rest.consult = true;
    return rest;
}

Substitution::Substitution(Programme programme)
    : programme_{std::move(programme)},
      area_{marked(programme_.municipalities)},
      hand_over_{marked(programme_.hand_over_municipalities)},
      insurers_{programme_.insurers} {
    Problems<ParameterError> problems;
    const std::string programme_at = "programme " + programme_.name;
    std::string where = programme_at;
    const auto share = [&](const char* what, std::int64_t ppm) {
        problems.require(ppm >= 0 && ppm <= million, where, what, "0..1",
                         std::to_string(static_cast<double>(ppm) / static_cast<double>(million)));
    };
    const auto price = [&](Cents cents) {
        problems.require(cents >= 0 && cents <= most_of_claim, where, "price", "0 or more, " + std::string{below_most},
                         std::to_string(cents) + " cents");
    };
    share("patients_share", programme_.patients_ppm);
    share("added_demand", programme_.added_demand_ppm);
    share("consult_share", programme_.consult_ppm);
    share("pass_through", programme_.pass_through_ppm);
    share("avoidable_share", programme_.avoidable_ppm);
    for (const std::int64_t r : programme_.ramp_ppm) share("ramp", r);
    for (const Line& l : programme_.lines) share("refer_on", l.refer_on_ppm);
    for (const Downstream& d : programme_.downstream) share("downstream probability", d.probability_ppm);
    problems.require(!programme_.ramp_ppm.empty(), where, "ramp", "at least one year", "none");
    problems.require(!programme_.lines.empty() || !programme_.rules.empty(), where, "line, rule", "at least one",
                     "none");
    price(programme_.price);
    problems.require(programme_.added_demand_ppm < million, where, "added_demand", "below 1", "1");
    problems.require(!programme_.end_year || *programme_.end_year >= programme_.start_year, where, "end_year",
                     "start_year or later", programme_.end_year ? std::to_string(*programme_.end_year) : "");
    problems.require(programme_.hand_over_year.has_value() != hand_over_.empty(), where, "hand_over_year",
                     "a year and an area, or neither", "one of the two");
    problems.require(programme_.rules.size() <= most_rules, where, "rule", "at most " + std::to_string(most_rules),
                     std::to_string(programme_.rules.size()));
    std::set<std::string> keys;
    for (const Rule& rule : programme_.rules) {
        where = programme_at + ", rule " + rule.key;
        problems.require(!rule.key.empty() && keys.insert(rule.key).second, where, "key", "one of its own", rule.key);
        share("share", rule.share_ppm);
        for (const std::int64_t r : rule.ramp_ppm) share("ramp", r);
        const auto factor = [&](const char* what, std::int64_t ppm) {
            problems.require(ppm >= 0 && ppm <= 10 * million, where, what, "0..10",
                             std::to_string(static_cast<double>(ppm) / static_cast<double>(million)));
        };
        factor("factor", rule.factor_ppm);
        factor("ddd_factor", rule.ddd_factor_ppm);
        problems.require(rule.start_after >= 0, where, "start_after", "0 or more", std::to_string(rule.start_after));
        problems.require((rule.act != Act::replace && rule.act != Act::add) || !rule.with.empty(), where, "with",
                         "at least one claim, for " + std::string{rule.act == Act::add ? "add" : "replace"}, "none");
        problems.require(rule.who.min_age <= rule.who.max_age, where, "min_age", "at most max_age",
                         std::to_string(rule.who.min_age));
        problems.require(rule.who.sex <= 2, where, "sex", "0, 1 or 2", std::to_string(rule.who.sex));
        check(rule.claims, where, problems);
        for (const auto* s : {&rule.who.has, &rule.who.has_not, &rule.who.onset})
            if (s->has_value()) check(**s, where, problems);
        for (const Consequence& c : rule.with) {
            share("probability", c.probability_ppm);
            price(c.price);
            problems.require(
                c.effect == Effect::replacement || c.effect == Effect::added || c.effect == Effect::downstream, where,
                "effect", "replacement, added or downstream", "another");
        }
    }
    for (const Contract& c : programme_.contracts) {
        where = programme_at + ", contract with " + c.hospital;
        share("pass_through", c.pass_through_ppm);
        share("over_ceiling", c.over_ceiling_ppm);
        share("rebase_share", c.rebase_ppm);
        problems.require(c.rebase_years >= 1, where, "rebase_years", "1 or more", std::to_string(c.rebase_years));
        problems.require(c.from_year <= c.to_year, where, "from_year", "at most to_year", std::to_string(c.from_year));
    }
    problems.throw_if_any();
    std::sort(insurers_.begin(), insurers_.end());
    for (Line& l : programme_.lines) {
        std::sort(l.diagnoses.begin(), l.diagnoses.end());
        added_weight_ += l.added_weight;
    }
    for (const Rule& rule : programme_.rules) {
        std::uint32_t mask = rule.claims.categories.empty() ? ~std::uint32_t{0} : 0;
        for (const Category c : rule.claims.categories) mask |= bit(c);
        categories_.push_back(mask);
    }
}

bool Substitution::takes_part(std::uint16_t insurer) const {
    return insurers_.empty() || std::binary_search(insurers_.begin(), insurers_.end(), insurer);
}

const Line* Substitution::line_of(const data::Claim& claim) const {
    if (claim.category != Category::hospital || claim.claimed_cents <= 0) return nullptr;
    for (const Line& line : programme_.lines)
        if (line.specialism == claim.specialism &&
            std::binary_search(line.diagnoses.begin(), line.diagnoses.end(), claim.diagnosis) &&
            (line.products.empty() || std::any_of(line.products.begin(), line.products.end(), [&](const auto& range) {
                 return claim.product >= range.first && claim.product <= range.second;
             })))
            return &line;
    return nullptr;
}

void Substitution::count(std::span<const data::Record> records, std::span<const data::Claim> claims, Volumes& v) const {
    if (records.empty()) return;
    const std::int32_t year = year_of(records.front().first_day);
    const auto inside = std::find_if(records.begin(), records.end(),
                                     [&](const data::Record& r) { return in_area(r.municipality, year); });
    if (inside == records.end()) return;
    const std::int64_t represents = inside->represents;
    for (const data::Record& r : records)
        if (in_area(r.municipality, year)) v.insured_days += (r.last_day - r.first_day + 1) * Days{r.represents};
    bool eligible = false, gp = false;
    for (const data::Claim& claim : claims) {
        const data::Record* bearer = bearer_of(records, claim);
        if (bearer == nullptr || !in_area(bearer->municipality, year)) continue;
        if (line_of(claim) != nullptr) {
            eligible = true;
            (claim.consult ? v.consults : v.heavier) += represents;
        }
        gp = gp || claim.category == Category::gp;
    }
    if (gp && !eligible) v.gp_only += represents;
}

bool Substitution::candidate(const PersonYear& of, std::span<const std::int32_t> onset) const {
    const auto& [records, year, claims] = of;
    if (std::none_of(records.begin(), records.end(),
                     [&](const data::Record& r) { return in_area(r.municipality, of.year); }))
        return false;
    std::uint32_t present = 0;
    bool line = false;
    for (const data::Claim& c : claims) {
        if (c.claimed_cents > 0) present |= bit(c.category);
        line = line || (!programme_.lines.empty() && (c.category == Category::gp || line_of(c) != nullptr));
    }
    if (line) return true;
    const std::int32_t age = age_on_1_january(records.front(), year);
    for (std::size_t k = 0; k < programme_.rules.size(); ++k) {
        const Rule& rule = programme_.rules[k];
        const Who& who = rule.who;
        if (age < who.min_age || age > who.max_age || (who.sex != 0 && who.sex != records.front().sex)) continue;
        if (who.onset && (onset.empty() || onset[k] == 0 || onset[k] > year)) continue;
        if (rule.act != Act::add || !(rule.claims == Selector{})) {
            if ((present & categories_[k]) == 0) continue;
            Selector wide = rule.claims;  // an earlier rule may have changed the amount
            wide.min_cents = 0;
            wide.max_cents = std::numeric_limits<Cents>::max();
            if (!any(claims, wide)) continue;
        }
        if ((!who.has || any(claims, *who.has)) && (!who.has_not || !any(claims, *who.has_not))) return true;
    }
    return false;
}

Chances Substitution::chances(std::int32_t year, const Volumes& v, Days days_in_year) const {
    if (!active(year)) return {};
    const auto k =
        std::min<std::size_t>(static_cast<std::size_t>(year - programme_.start_year), programme_.ramp_ppm.size() - 1);
    const auto per_million = [](std::int64_t ppm) { return static_cast<double>(ppm) / static_cast<double>(million); };
    const double patients = static_cast<double>(v.insured_days) / static_cast<double>(days_in_year) *
                            per_million(programme_.patients_ppm) * per_million(programme_.ramp_ppm[k]);
    const double replacing = patients * (1 - per_million(programme_.added_demand_ppm));
    Problems<DomainError> problems;
    const auto chance = [&](const char* what, double wanted, std::int64_t available) {
        if (wanted <= 0) return std::uint64_t{0};
        problems.require(wanted <= static_cast<double>(available),
                         "programme " + programme_.name + " in " + std::to_string(year), what,
                         "at most " + std::to_string(available) + " eligible",
                         std::to_string(static_cast<std::int64_t>(wanted)) + " wanted");
        return threshold(wanted / static_cast<double>(std::max<std::int64_t>(available, 1)));
    };
    Chances result{
        chance("consults to replace", replacing * per_million(programme_.consult_ppm), v.consults),
        chance("heavier products to replace", replacing * (1 - per_million(programme_.consult_ppm)), v.heavier),
        chance("persons with added demand", patients * per_million(programme_.added_demand_ppm), v.gp_only)};
    problems.throw_if_any();
    for (const Rule& rule : programme_.rules) {
        const std::int32_t since = year - programme_.start_year - rule.start_after;
        const auto& ramp = rule.ramp_ppm.empty() ? programme_.ramp_ppm : rule.ramp_ppm;
        result.rules.push_back(
            since < 0 ? 0
                      : threshold_of(rule.share_ppm, ramp[std::min(static_cast<std::size_t>(since), ramp.size() - 1)]));
    }
    return result;
}

bool Substitution::apply(const PersonYear& of, const Chances& chances, std::span<const std::int32_t> onset,
                         std::uint64_t seed, Claims& claims, std::vector<Movement>& movements,
                         std::vector<Fall>& falls) const {
    if (!active(of.year)) return false;
    const auto reached = std::find_if(of.records.begin(), of.records.end(), [&](const data::Record& r) {
        return in_area(r.municipality, of.year) && takes_part(r.insurer);
    });
    if (reached == of.records.end()) return false;
    bool changed = false;
    if (!programme_.lines.empty()) changed = centre(of, *reached, chances, seed, claims, movements, falls);
    if (programme_.rules.empty()) return changed;
    std::uint32_t present = 0;
    for (std::size_t j = 0; j < claims.claim.size(); ++j)
        if (claims.made[j] == 0) present |= bit(claims.claim[j].category);
    for (std::size_t k = 0; k < chances.rules.size(); ++k)
        if (chances.rules[k] > 0 && ((present & categories_[k]) != 0 || programme_.rules[k].act == Act::add))
            changed = follow(k, of, *reached, chances, onset, seed, claims, movements, falls) || changed;
    return changed;
}

bool Substitution::apply(std::span<const data::Record> records, std::int32_t year, std::span<const data::Claim> claims,
                         const Chances& chances, std::uint64_t seed, std::vector<data::Claim>& out,
                         std::vector<Movement>& movements) const {
    Claims working;
    working.take(claims);
    std::vector<Fall> falls;
    std::vector<std::int32_t> onset;
    for (const Rule& rule : programme_.rules)
        onset.push_back(rule.who.onset && any(claims, *rule.who.onset) ? year : 0);
    const bool changed = apply({records, year, claims}, chances, onset, seed, working, movements, falls);
    for (const Fall& fall : falls)
        if (const Cents kept = kept_without_contract(fall.cents); kept != 0) {
            working.push(kept_of(fall.claim, kept), true);
            movements[fall.movement].settled += kept;
        }
    out = std::move(working.claim);
    return changed;
}

bool Substitution::centre(const PersonYear& of, const data::Record& record, const Chances& chances, std::uint64_t seed,
                          Claims& claims, std::vector<Movement>& movements, std::vector<Fall>& falls) const {
    const Philox philox{seed, Purpose::substitution};
    const auto draw = [&](std::uint64_t rank) {
        return philox(record.person, (static_cast<std::uint64_t>(of.year) << 32U) | rank, programme_.id);
    };
    bool changed = false, eligible = false, gp = false;
    const auto move = [&](const data::Claim& c, Effect effect, std::int64_t sign) {
        movements.push_back({record.person, of.year, c.insurer, c.specialism, c.consult, effect, c.category,
                             sign * c.settled_cents, sign * c.claimed_cents, record.represents, 0, 0});
    };
    const auto contact = [&](const data::Claim& like) {
        data::Claim c = like;
        c.category = Category::one_and_a_half_line;
        c.title = programme_.title;
        c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(programme_.price);
        return c;
    };
    Claims out;
    out.claim.reserve(claims.claim.size() + 4);
    out.made.reserve(claims.claim.size() + 4);
    const auto downstream = [&](const data::Claim& from, std::uint64_t word) {
        for (const Downstream& d : programme_.downstream) {
            if (!below(word, threshold_ppm(d.probability_ppm))) continue;
            data::Claim c = from;
            c.category = d.category;
            c.specialism = c.diagnosis = 0;
            c.product = 0;
            c.consult = false;
            c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(d.price);
            out.push(c, true);
            move(c, Effect::downstream, 1);
        }
    };
    const auto inside = [&](const data::Record* bearer) {
        return bearer != nullptr && in_area(bearer->municipality, of.year);
    };
    for (const data::Claim& claim : of.claims) {  // added demand falls on whom count takes for it
        if (claim.category != Category::gp && line_of(claim) == nullptr) continue;
        if (!inside(bearer_of(of.records, claim))) continue;
        (claim.category == Category::gp ? gp : eligible) = true;
    }
    for (std::size_t j = 0; j < claims.claim.size(); ++j) {
        const data::Claim& claim = claims.claim[j];
        const Line* line = claims.made[j] == 0 ? line_of(claim) : nullptr;
        const data::Record* bearer = line != nullptr ? bearer_of(of.records, claim) : nullptr;
        if (!inside(bearer) || !takes_part(bearer->insurer)) line = nullptr;
        const auto words = line != nullptr ? draw(claim.claim) : Philox::Words{};
        if (line == nullptr || !(claim.consult ? line->consults : line->heavier) ||
            !below(words[word_enrol], claim.consult ? chances.consult : chances.heavier)) {
            out.push(claim, claims.made[j] != 0);
            continue;
        }
        changed = true;
        if (programme_.same_product) {  // the null programme: replaced by itself
            move(claim, Effect::avoided, -1);
            out.push(claim, true);
            move(claim, Effect::replacement, 1);
            continue;
        }
        const bool referred_on = below(words[word_refer_on], threshold_ppm(line->refer_on_ppm));
        if (referred_on) {
            out.push(claim, false);
        } else {
            falls.push_back({claim, claim.settled_cents, bearer->municipality, movements.size()});
            move(claim, Effect::avoided, -1);
        }
        const data::Claim replacement = contact(claim);
        out.push(replacement, true);
        move(replacement, referred_on ? Effect::referred_on : Effect::replacement, 1);
        downstream(replacement, words[word_downstream]);
    }
    if (gp && !eligible && chances.added > 0) {
        const auto words = draw(added_draw);
        if (below(words[word_added], chances.added)) {
            auto at = static_cast<std::int64_t>(
                uniform_below(words[word_specialism], static_cast<std::uint32_t>(added_weight_)));
            const Line* line = &programme_.lines.front();
            for (const Line& l : programme_.lines) {
                line = &l;
                if (at < l.added_weight) break;
                at -= l.added_weight;
            }
            if (line->added) {
                changed = true;
                data::Claim c;
                c.person = record.person;
                c.opened = c.closed = record.first_day;
                c.claim = static_cast<std::uint32_t>(added_draw);
                c.insurer = record.insurer;
                c.specialism = line->specialism;
                c.diagnosis = line->diagnoses.empty() ? std::uint16_t{0} : line->diagnoses.front();
                c.consult = true;
                c = contact(c);
                out.push(c, true);
                move(c, Effect::added, 1);
                downstream(c, words[word_added_downstream]);
            }
        }
    }
    if (changed) std::swap(claims, out);
    return changed;
}

bool Substitution::reaches(const Rule& rule, std::int32_t onset, const PersonYear& of) const {
    const Who& who = rule.who;
    const std::int32_t age = age_on_1_january(of.records.front(), of.year);
    if (age < who.min_age || age > who.max_age || (who.sex != 0 && who.sex != of.records.front().sex)) return false;
    if (who.onset && (onset == 0 || onset > of.year || onset < programme_.start_year + rule.start_after)) return false;
    return (!who.has || any(of.claims, *who.has)) && (!who.has_not || !any(of.claims, *who.has_not));
}

bool Substitution::follow(std::size_t k, const PersonYear& of, const data::Record& record, const Chances& chances,
                          std::span<const std::int32_t> onset, std::uint64_t seed, Claims& claims,
                          std::vector<Movement>& movements, std::vector<Fall>& falls) const {
    const Rule& rule = programme_.rules[k];
    const Philox philox{seed, Purpose::substitution};
    const auto number = static_cast<std::uint16_t>(k + 1);
    const auto slot = [&](std::uint64_t rank) { return (static_cast<std::uint64_t>(of.year) << 32U) | rank; };
    const auto hit = [&](std::uint64_t at, std::uint64_t word, std::uint64_t threshold) {
        return threshold == certain || below(philox(record.person, at, programme_.id, word)[0], threshold);
    };
    const auto drawn = [&](std::uint64_t rank) {
        return hit(rule.per == Per::person ? lasting : slot(rank), number, chances.rules[k]);
    };
    const auto move = [&](const data::Claim& c, Effect effect, Cents settled, Cents claimed) {
        movements.push_back({record.person, of.year, c.insurer, c.specialism, c.consult, effect, c.category, settled,
                             claimed, record.represents, 0, number});
    };
    /// Claims that follow one; returns what hospitals earn on them.
    const auto with = [&](const data::Claim& like, Category before) {
        Cents hospital = 0;
        for (std::size_t j = 0; j < rule.with.size(); ++j) {
            const Consequence& next = rule.with[j];
            if (!hit(slot(like.claim), number + (static_cast<std::uint64_t>(j + 1) << 32U),
                     threshold_of(next.probability_ppm, million)))
                continue;
            data::Claim c = like;
            c.category = next.category;
            c.specialism = next.specialism;
            c.diagnosis = next.diagnosis;
            c.product = next.product;
            c.consult = next.consult;
            c.ddd = next.ddd;
            if (next.category != before) c.prescriptions = 0;
            c.title = next.category == Category::one_and_a_half_line ? next.title : Title::specialist_care;
            c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(next.price);
            claims.push(c, true);
            move(c, next.effect, next.price, next.price);
            if (next.category == Category::hospital) hospital += next.price;
        }
        return hospital;
    };
    const auto in_reach = [&](const data::Claim& claim) -> const data::Record* {
        if ((categories_[k] & bit(claim.category)) == 0 || !rule.claims.matches(claim)) return nullptr;
        const data::Record* bearer = bearer_of(of.records, claim);
        const bool reached = bearer != nullptr && in_area(bearer->municipality, of.year) && takes_part(bearer->insurer);
        return reached ? bearer : nullptr;
    };
    std::int8_t who = -1;  // not looked at yet
    const auto reached = [&] {
        if (who < 0) who = reaches(rule, onset.empty() ? 0 : onset[k], of) ? 1 : 0;
        return who == 1;
    };

    const std::size_t before = claims.claim.size();
    if (rule.act == Act::add) {
        if (programme_.same_product) return false;
        bool any_claim = rule.claims == Selector{};
        for (std::size_t j = 0; j < before && !any_claim; ++j)
            any_claim = claims.made[j] == 0 && in_reach(claims.claim[j]) != nullptr;
        if (!any_claim || !reached() || !drawn(added_draw)) return false;
        data::Claim c;
        c.person = record.person;
        c.opened = c.closed = record.first_day;
        c.claim = static_cast<std::uint32_t>(added_draw);
        c.insurer = record.insurer;
        with(c, Category::other);
        return claims.claim.size() > before;
    }
    bool changed = false, gone = false;
    for (std::size_t j = 0; j < before; ++j) {
        if (claims.made[j] != 0) continue;
        const data::Record* bearer = in_reach(claims.claim[j]);
        if (bearer == nullptr) continue;
        if (!reached()) return false;
        const data::Claim claim = claims.claim[j];
        if (!drawn(claim.claim)) continue;
        changed = true;
        const std::size_t movement = movements.size();
        if (programme_.same_product) {
            move(claim, Effect::avoided, -claim.settled_cents, -claim.claimed_cents);
            move(claim, Effect::replacement, claim.settled_cents, claim.claimed_cents);
            claims.made[j] = 1;
            continue;
        }
        Cents fall = claim.settled_cents;
        if (rule.act == Act::reprice) {
            data::Claim& c = claims.claim[j];
            const Cents claimed = scaled(claim.claimed_cents, rule.factor_ppm),
                        settled = scaled(claim.settled_cents, rule.factor_ppm);
            if (std::max(claimed, settled) > most_of_claim)
                throw DomainError{{{"programme " + programme_.name + ", rule " + rule.key, "factor",
                                    "claims that stay " + std::string{below_most}, "one above it"}}};
            c.claimed_cents = static_cast<std::int32_t>(claimed);
            c.settled_cents = static_cast<std::int32_t>(settled);
            c.ddd = static_cast<std::uint16_t>(std::min<std::int64_t>(scaled(claim.ddd, rule.ddd_factor_ppm), 0xFFFF));
            fall -= c.settled_cents;
            move(c, Effect::repriced, c.settled_cents - claim.settled_cents, c.claimed_cents - claim.claimed_cents);
        } else {
            move(claim, Effect::avoided, -claim.settled_cents, -claim.claimed_cents);
            claims.made[j] = 2;  // goes below
            gone = true;
        }
        const Cents instead = with(claim, claim.category);
        if (rule.act != Act::reprice) fall -= instead;
        if (claim.category == Category::hospital && fall > 0)
            falls.push_back({claim, fall, bearer->municipality, movement});
    }
    if (gone) {
        std::size_t kept = 0;
        for (std::size_t j = 0; j < claims.claim.size(); ++j) {
            if (claims.made[j] == 2) continue;
            claims.claim[kept] = claims.claim[j];
            claims.made[kept] = claims.made[j];
            ++kept;
        }
        claims.claim.resize(kept);
        claims.made.resize(kept);
    }
    return changed;
}

}  // namespace anderhalf::substitution
