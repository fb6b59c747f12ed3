#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/substitution/programme.hpp>

#include <algorithm>
#include <cmath>

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

}  // namespace

Substitution::Substitution(Programme programme)
    : programme_{std::move(programme)}, municipalities_{programme_.municipalities}, insurers_{programme_.insurers} {
    Problems<ParameterError> problems;
    const std::string where = "programme " + programme_.name;
    const auto share = [&](const char* what, std::int64_t ppm) {
        problems.require(ppm >= 0 && ppm <= million, where, what, "0..1",
                         std::to_string(static_cast<double>(ppm) / static_cast<double>(million)));
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
    problems.require(!programme_.lines.empty(), where, "lines", "at least one specialism", "none");
    problems.require(programme_.price >= 0, where, "price", "0 or more", std::to_string(programme_.price) + " cents");
    problems.require(programme_.added_demand_ppm < million, where, "added_demand", "below 1", "1");
    problems.throw_if_any();
    std::sort(municipalities_.begin(), municipalities_.end());
    std::sort(insurers_.begin(), insurers_.end());
    for (Line& l : programme_.lines) {
        std::sort(l.diagnoses.begin(), l.diagnoses.end());
        added_weight_ += l.added_weight;
    }
}

bool Substitution::in_area(std::uint16_t municipality) const {
    return municipalities_.empty() || std::binary_search(municipalities_.begin(), municipalities_.end(), municipality);
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
    const auto inside =
        std::find_if(records.begin(), records.end(), [&](const data::Record& r) { return in_area(r.municipality); });
    if (inside == records.end()) return;
    const std::int64_t represents = inside->represents;
    for (const data::Record& r : records)
        if (in_area(r.municipality)) v.insured_days += (r.last_day - r.first_day + 1) * Days{r.represents};
    bool eligible = false, gp = false;
    for (const data::Claim& claim : claims) {
        const data::Record* bearer = bearer_of(records, claim);
        if (bearer == nullptr || !in_area(bearer->municipality)) continue;
        if (line_of(claim) != nullptr) {
            eligible = true;
            (claim.consult ? v.consults : v.heavier) += represents;
        }
        gp = gp || claim.category == Category::gp;
    }
    if (gp && !eligible) v.gp_only += represents;
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
    const Chances result{
        chance("consults to replace", replacing * per_million(programme_.consult_ppm), v.consults),
        chance("heavier products to replace", replacing * (1 - per_million(programme_.consult_ppm)), v.heavier),
        chance("persons with added demand", patients * per_million(programme_.added_demand_ppm), v.gp_only)};
    problems.throw_if_any();
    return result;
}

bool Substitution::apply(std::span<const data::Record> records, std::int32_t year, std::span<const data::Claim> claims,
                         const Chances& chances, std::uint64_t seed, std::vector<data::Claim>& out,
                         std::vector<Movement>& movements) const {
    const auto reached = std::find_if(records.begin(), records.end(), [&](const data::Record& r) {
        return in_area(r.municipality) && takes_part(r.insurer);
    });
    if (!active(year) || reached == records.end()) return false;
    const data::Record& record = *reached;
    const Philox philox{seed, Purpose::substitution};
    const auto draw = [&](std::uint64_t rank) {
        return philox(record.person, (static_cast<std::uint64_t>(year) << 32U) | rank, programme_.id);
    };
    out.clear();
    bool changed = false, eligible = false, gp = false;
    const auto move = [&](const data::Claim& c, Effect effect, std::int64_t sign) {
        movements.push_back({record.person, year, c.insurer, c.specialism, c.consult, effect, c.category,
                             sign * c.settled_cents, sign * c.claimed_cents, record.represents});
    };
    const auto contact = [&](const data::Claim& like) {
        data::Claim c = like;
        c.category = Category::one_and_a_half_line;
        c.title = programme_.title;
        c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(programme_.price);
        return c;
    };
    const auto follow = [&](const data::Claim& from, std::uint64_t word) {
        for (const Downstream& d : programme_.downstream) {
            if (!below(word, threshold_ppm(d.probability_ppm))) continue;
            data::Claim c = from;
            c.category = d.category;
            c.specialism = c.diagnosis = 0;
            c.product = 0;
            c.consult = false;
            c.claimed_cents = c.settled_cents = static_cast<std::int32_t>(d.price);
            out.push_back(c);
            move(c, Effect::downstream, 1);
        }
    };
    for (const data::Claim& claim : claims) {
        const data::Record* bearer = bearer_of(records, claim);
        const bool inside = bearer != nullptr && in_area(bearer->municipality);  // as in count
        gp = gp || (inside && claim.category == Category::gp);
        const Line* line = inside ? line_of(claim) : nullptr;
        eligible = eligible || line != nullptr;
        if (line != nullptr && !takes_part(bearer->insurer)) line = nullptr;
        const auto words = line != nullptr ? draw(claim.claim) : Philox::Words{};
        if (line == nullptr || !below(words[word_enrol], claim.consult ? chances.consult : chances.heavier)) {
            out.push_back(claim);
            continue;
        }
        changed = true;
        if (programme_.same_product) {  // the null programme: replaced by itself
            move(claim, Effect::avoided, -1);
            out.push_back(claim);
            move(claim, Effect::replacement, 1);
            continue;
        }
        const bool referred_on = below(words[word_refer_on], threshold_ppm(line->refer_on_ppm));
        if (referred_on) {
            out.push_back(claim);
        } else {
            move(claim, Effect::avoided, -1);
            const auto kept = static_cast<std::int32_t>(static_cast<std::int64_t>(claim.settled_cents) *
                                                        (million - programme_.pass_through_ppm) / million);
            if (kept != 0) {  // the contract keeps paying part of it: settled without being claimed
                data::Claim rest = claim;
                rest.claimed_cents = 0;
                rest.settled_cents = kept;
                rest.consult = true;
                out.push_back(rest);
                movements.back().settled += kept;
            }
        }
        const data::Claim replacement = contact(claim);
        out.push_back(replacement);
        move(replacement, referred_on ? Effect::referred_on : Effect::replacement, 1);
        follow(replacement, words[word_downstream]);
    }
    if (gp && !eligible && chances.added > 0) {
        const auto words = draw(added_draw);
        if (below(words[word_added], chances.added)) {
            changed = true;
            auto at = static_cast<std::int64_t>(
                uniform_below(words[word_specialism], static_cast<std::uint32_t>(added_weight_)));
            const Line* line = &programme_.lines.front();
            for (const Line& l : programme_.lines) {
                line = &l;
                if (at < l.added_weight) break;
                at -= l.added_weight;
            }
            data::Claim c;
            c.person = record.person;
            c.opened = c.closed = record.first_day;
            c.claim = static_cast<std::uint32_t>(added_draw);
            c.insurer = record.insurer;
            c.specialism = line->specialism;
            c.diagnosis = line->diagnoses.empty() ? std::uint16_t{0} : line->diagnoses.front();
            c.consult = true;
            c = contact(c);
            out.push_back(c);
            move(c, Effect::added, 1);
            follow(c, words[word_added_downstream]);
        }
    }
    return changed;
}

}  // namespace anderhalf::substitution
