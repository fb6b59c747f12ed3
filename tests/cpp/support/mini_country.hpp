#pragma once
// A country of a few hundred insured, made by hand and by addressed draws: small enough to walk through, with switchers,
// children, ties, rows that stand for several insured, GP care, consults, heavier products and mental care.
#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/scenario.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace mini {

using namespace anderhalf;

inline constexpr std::int32_t first_year = 2015, last_year = 2027, start = 2021, horizon = 7;

inline params::Criterion& criterion(params::Share& share, const std::string& name) {
    return *std::find_if(share.criteria.begin(), share.criteria.end(), [&](const auto& c) { return c.name == name; });
}

inline void keep(params::Share& share, const std::vector<std::string>& names) {
    std::erase_if(share.criteria,
                  [&](const auto& c) { return std::find(names.begin(), names.end(), c.name) == names.end(); });
}

/// 2021 with few enough criteria to be estimated on a few hundred insured: age and sex, DKG, MHK; GGZ and deductible alike.
inline params::Model model(bool structural = true) {
    params::Model m = structural ? params::nl_2021_structural() : params::nl_2021();
    m.name = "mini";
    keep(m.variable, {"age_sex", "dkg", "mhk"});
    keep(m.ggz, {"ggz_age_sex", "ggz_mhk"});
    keep(m.ggz_hcc, {"ggz_age_sex", "ggz_mhk"});
    keep(m.deductible, {"age_sex", "mhk"});
    criterion(m.variable, "dkg").data_years = {1};
    m.morbidity_criteria = {"dkg"};
    m.high_cost.at(0).top_per_myriad = 500;  // so few users that 0.5% of them is nobody
    std::erase_if(m.neutrality, [](const auto& r) {
        return r.criterion != "dkg" && r.criterion != "mhk" && r.criterion != "ggz_mhk";
    });
    return m;
}

inline risk::Mapping mapping() {
    risk::Mapping m;
    m.diagnoses = {{.specialism = 1, .diagnosis = 1, .dx_group = 11, .dkg = 1, .light = true},
                   {.specialism = 1, .diagnosis = 2, .dx_group = 12, .dkg = 3},
                   {.specialism = 2, .diagnosis = 1, .dx_group = 13, .dkg = 1}};
    m.light_product_percent = 40;
    return m;
}

inline std::shared_ptr<const risk::Scheme> scheme(bool structural = true) {
    return std::make_shared<const risk::Scheme>(model(structural), mapping());
}

struct Care {
    std::int32_t month = 3;
    Category category = Category::hospital;
    std::int32_t cents = 0;
    std::uint16_t specialism = 0, diagnosis = 0;
    bool consult = false;
    std::uint32_t product = 50;
};

inline void claim(data::Block& block, const data::Record& r, std::int32_t day, std::uint32_t rank, const Care& care) {
    data::Claim c;
    c.person = r.person;
    c.opened = c.closed = std::clamp(day, r.first_day, r.last_day);
    c.claimed_cents = c.settled_cents = care.cents;
    c.claim = rank;
    c.insurer = r.insurer;
    c.category = care.category;
    c.specialism = care.specialism;
    c.diagnosis = care.diagnosis;
    c.consult = care.consult;
    c.product = care.product;
    block.claims.push_back(c);
}

/// Persons first + 1 .. first + count, insured in every year; insurers 10, 20, 30; municipalities 1 and 2.
inline data::Block block(std::uint64_t first, std::uint64_t count) {
    const Philox philox{7, 77};
    data::Block b;
    for (std::uint64_t person = first + 1; person <= first + count; ++person) {
        const auto who = philox(person);
        const auto insurer = static_cast<std::uint16_t>(10 * (1 + who[0] % 3));
        const auto other = static_cast<std::uint16_t>(10 * (1 + (who[0] + 1) % 3));
        const bool ill = who[1] % 4 == 0;
        for (std::int32_t year = first_year; year <= last_year; ++year) {
            const auto draw = philox(person, static_cast<std::uint64_t>(year));
            data::Record r;
            r.person = person;
            r.address = person;
            r.first_day = first_day_of(year);
            r.last_day = first_day_of(year + 1) - 1;
            r.birth_month = static_cast<std::int32_t>(12 * (1935 + who[2] % 85));
            r.insurer = year < 2023 || who[3] % 5 != 0 ? insurer : other;
            r.represents = static_cast<std::uint16_t>(1 + who[3] % 3);
            r.municipality = static_cast<std::uint16_t>(1 + who[1] % 2);
            r.region = 1;
            r.sex = static_cast<std::uint8_t>(1 + who[0] % 2);
            r.income_source = 8;
            r.ses = 1;
            r.household = 4;
            r.voluntary_deductible_cents = who[2] % 7 == 0 ? 50'000 : 0;
            if (r.birth_month >= 12 * year + 6) continue;  // born later
            const bool switches = draw[3] % 11 == 0;
            data::Record late = r;
            if (switches) {
                late.first_day = r.first_day + 181;
                r.last_day = late.first_day - 1;
                late.insurer = insurer == r.insurer ? other : insurer;
            }
            b.records.push_back(r);
            if (switches) b.records.push_back(late);
            std::uint32_t rank = 0;
            const auto care = [&](const Care& c) {
                claim(b, switches && rank % 2 == 1 ? late : r, first_day_of(year) + 30 * c.month, rank, c);
                ++rank;
            };
            if (draw[0] % 10 < 7) care({.category = Category::gp, .cents = 2'500});
            if (draw[1] % 10 < (ill ? 6 : 2)) care({.cents = 15'000, .specialism = 1, .diagnosis = 1, .consult = true});
            if (draw[2] % 10 < (ill ? 5 : 1))
                care({.cents = static_cast<std::int32_t>(40'000 + 1'000 * (draw[2] % 97)),
                      .specialism = 1,
                      .diagnosis = 1,
                      .product = static_cast<std::uint32_t>(draw[0] % 1'000)});
            if (ill && draw[3] % 3 == 0)
                care({.cents = static_cast<std::int32_t>(300'000 + 7 * (draw[0] % 90'001)),
                      .specialism = 1,
                      .diagnosis = 2});
            if (draw[0] % 5 == 0)
                care({.category = Category::drugs, .cents = static_cast<std::int32_t>(1'000 + draw[1] % 60'000)});
            if (draw[2] % 6 == 0)
                care({.category = Category::ggz, .cents = static_cast<std::int32_t>(20'000 + draw[0] % 400'000)});
        }
    }
    return b;
}

inline scenario::Source source(Index blocks = 4, std::uint64_t persons = 150) {
    return {blocks, [persons](Index k) { return block(static_cast<std::uint64_t>(k) * persons, persons); }};
}

inline scenario::Options options() {
    scenario::Options o;
    o.first_year = first_year;
    o.last_year = last_year;
    o.start = start;
    o.horizon = horizon;
    o.insurers = {10, 20, 30};
    o.seed = 5;
    return o;
}

inline scenario::Baseline baseline(bool structural = true, int threads = 1) {
    return scenario::make_baseline(source(), scheme(structural), options(), Run{.threads = threads});
}

/// Half of the light products of specialism 1 at insurer 10, from the second year on in full.
inline substitution::Programme programme() {
    substitution::Programme p;
    p.name = "mini";
    p.id = 3;
    p.start_year = start;
    p.ramp_ppm = {500'000, 1'000'000};
    p.municipalities = {1, 2};
    p.lines = {{.specialism = 1, .diagnoses = {1}, .refer_on_ppm = 200'000}};
    p.patients_ppm = 150'000;
    p.added_demand_ppm = 200'000;
    p.consult_ppm = 500'000;
    p.price = 9'000;
    p.downstream = {{.category = Category::diagnostics, .price = 4'000, .probability_ppm = 300'000}};
    p.running_cents_per_insured_year_ppm = 150'000'000;
    p.investment = 100'000;
    return p;
}

}  // namespace mini
