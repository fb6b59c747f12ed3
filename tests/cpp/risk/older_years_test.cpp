#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace anderhalf;
using risk::CareYear;
using risk::CriterionColumns;
using risk::Health;
using risk::Scheme;

namespace {

const Scheme& of_2015() {
    static const Scheme s = [] {
        risk::Mapping m;
        // Antipsychotics count for both shares; depot needs one prescription; bipolar complex needs the regular class too.
        m.drugs = {{.drug = 1, .fkg = 3, .ggz_fkg = 1},
                   {.drug = 2, .fkg = 3, .ggz_fkg = 2, .ggz_min_prescriptions = 1},
                   {.drug = 3, .ggz_fkg = 5},
                   {.drug = 4, .ggz_fkg = 5, .ggz_indicated = 6},
                   {.drug = 5, .fkg = 6},    // cholesterol
                   {.drug = 6, .fkg = 13},   // heart
                   {.drug = 7, .fkg = 14},   // TNF
                   {.drug = 8, .fkg = 15}};  // rheumatism, other
        m.diagnoses = {{.specialism = 1, .diagnosis = 1, .dx_group = 1, .dkg = 2},
                       {.specialism = 1, .diagnosis = 2, .dx_group = 2, .dkg = 9},
                       {.specialism = 1, .diagnosis = 3, .dx_group = 3, .dkg = 8}};
        m.devices = {{.device = 1, .hkg = 1}, {.device = 2, .hkg = 3}};
        m.nursing_region = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
        return Scheme{params::nl_2015(), m};
    }();
    return s;
}

risk::Mapping two_dkgs() {
    risk::Mapping m;
    m.drugs = {{.drug = 1, .fkg = 1, .ended_addon = 2018}, {.drug = 2, .fkg = 2}};
    m.diagnoses = {{.specialism = 1, .diagnosis = 1, .dx_group = 1, .dkg_primary = 4, .dkg_secondary = 2},
                   {.specialism = 1, .diagnosis = 2, .dx_group = 2, .dkg_primary = 7},
                   {.specialism = 1, .diagnosis = 3, .dx_group = 3, .dkg_secondary = 5},
                   {.specialism = 1, .diagnosis = 4, .dx_group = 4, .dkg_primary = 9, .light = true}};
    m.devices = {{.device = 1, .hkg = 1}, {.device = 2, .hkg = 3}};
    return m;
}
const Scheme& of_2019() {
    static const Scheme s{params::nl_2019(), two_dkgs()};
    return s;
}
const Scheme& of_2020() {
    static const Scheme s{params::nl_2020(), two_dkgs()};
    return s;
}

data::Claim claim(Category category, std::uint32_t product = 50, std::int32_t year = 2014) {
    data::Claim c;
    c.category = category;
    c.product = product;
    c.opened = first_day_of(year) + 40;
    c.claimed_cents = 100'00;
    c.settled_cents = 80'00;
    return c;
}
data::Claim hospital(std::uint16_t diagnosis, bool consult = false, std::uint32_t product = 50) {
    data::Claim c = claim(Category::hospital, product);
    c.specialism = 1;
    c.diagnosis = diagnosis;
    c.consult = consult;
    return c;
}
data::Claim drug(std::uint32_t product, std::uint16_t ddd, std::uint8_t prescriptions = 1, std::int32_t year = 2014) {
    data::Claim c = claim(Category::drugs, product, year);
    c.ddd = ddd;
    c.prescriptions = prescriptions;
    return c;
}

data::Record person(std::int32_t year, std::int32_t age) {
    data::Record r;
    r.birth_month = 12 * (year - age);
    r.sex = 1;
    r.region = 3;
    r.income_source = static_cast<std::uint8_t>(IncomeSource::reference);
    r.ses = 3;
    r.household = static_cast<std::uint8_t>(HouseholdState::other);
    r.first_day = first_day_of(year);
    r.last_day = first_day_of(year + 1) - 1;
    return r;
}

Health health(const Scheme& scheme, const std::vector<data::Claim>& last, const std::vector<data::Claim>& before = {}) {
    const CareYear one = scheme.read(last), two = scheme.read(before);
    risk::Past past{};
    past[1] = &one;
    past[2] = &two;
    Health h;
    scheme.health(past, h);
    return h;
}

/// Codes of a criterion in a row, ascending.
std::vector<std::int32_t> codes(const std::vector<CriterionColumns>& layout, const risk::Row& row,
                                const std::string& name) {
    std::vector<std::int32_t> result;
    for (const CriterionColumns& c : layout)
        if (c.name == name)
            for (const risk::Entry& e : row.view())
                if (e.column >= c.offset && e.column < c.offset + c.size)
                    result.push_back(static_cast<std::int32_t>(e.column - c.offset) + c.first_code);
    std::sort(result.begin(), result.end());
    return result;
}
std::vector<std::int32_t> variable(const Scheme& s, const data::Record& r, const Health& h, const std::string& name) {
    risk::Row row;
    s.variable_row(r, s.model().year, h, row);
    return codes(s.variable_layout(), row, name);
}
std::vector<std::int32_t> ggz(const Scheme& s, const data::Record& r, const Health& h, const std::string& name) {
    risk::Row row;
    s.ggz_row(r, s.model().year, h, row);
    return codes(s.ggz_layout(), row, name);
}
std::vector<std::int32_t> nursing(const data::Record& r, const Health& h, const std::string& name) {
    risk::Row row;
    of_2015().nursing_row(r, 2015, h, row);
    return codes(of_2015().nursing_layout(), row, name);
}

using Codes = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("2015 has the highest DKG of one year and the highest HKG, not all of them", "[risk][published]") {
    const data::Record r = person(2015, 40);
    const Health h = health(
        of_2015(), {hospital(1), hospital(2), hospital(3), claim(Category::devices, 1), claim(Category::devices, 2)},
        {hospital(2)});
    CHECK(variable(of_2015(), r, h, "dkg") == Codes{9});  // the place in table 1.3, though DKG 8 has the larger weight
    CHECK(variable(of_2015(), r, h, "hkg") == Codes{3});
    const Health older = health(of_2015(), {hospital(1)}, {hospital(2), claim(Category::devices, 2)});
    CHECK(variable(of_2015(), r, older, "dkg") == Codes{2});  // t-2 does not count (Beleidsregels 15(15)b)
    CHECK(variable(of_2015(), r, older, "hkg") == Codes{0});
    CHECK(variable(of_2015(), r, health(of_2015(), {hospital(2, true)}), "dkg") == Codes{0});  // a consult
}

TEST_CASE("2019 and 2020 have the highest primary and the highest secondary DKG of two years", "[risk][published]") {
    for (const Scheme* s : {&of_2019(), &of_2020()}) {
        const data::Record r = person(s->model().year, 40);
        const Health h = health(*s, {hospital(1)}, {hospital(2), hospital(3)});
        CHECK(variable(*s, r, h, "dkg_primary") == Codes{7});
        CHECK(variable(*s, r, h, "dkg_secondary") == Codes{5});
        const Health one = health(*s, {hospital(1)});
        CHECK(variable(*s, r, one, "dkg_primary") == Codes{4});
        CHECK(variable(*s, r, one, "dkg_secondary") == Codes{2});
        CHECK(variable(*s, r, health(*s, {}, {hospital(2)}), "dkg_secondary") == Codes{0});
        CHECK(variable(*s, r, health(*s, {hospital(4, false, 114)}), "dkg_primary") == Codes{9});
        CHECK(variable(*s, r, health(*s, {hospital(4, false, 115)}), "dkg_primary") == Codes{0});  // light
        CHECK(variable(*s, r, health(*s, {claim(Category::devices, 1), claim(Category::devices, 2)}), "hkg") ==
              Codes{3});
        CHECK(s->morbid(health(*s, {hospital(3)})));  // a secondary DKG alone is morbidity (art. 8(2))
        CHECK_FALSE(s->morbid(health(*s, {})));
    }
}

TEST_CASE("drugs that stopped being add-ons give no FKG in the years that art. 9(3) names", "[risk][published]") {
    // The drug stopped in 2018. Drugs of year t-1 count in year t: 2019 looks one year back, 2020 two.
    const auto class_in = [](const Scheme& s, std::int32_t care_year) {
        return s.read({{drug(1, 200, 4, care_year), drug(2, 200, 4, care_year)}}).fkg;
    };
    CHECK(class_in(of_2019(), 2017) == 0b11);  // t = 2018: an add-on then
    CHECK(class_in(of_2019(), 2018) == 0b10);  // t = 2019
    CHECK(class_in(of_2019(), 2019) == 0b11);  // t = 2020 under the law of 2019
    CHECK(class_in(of_2020(), 2018) == 0b10);
    CHECK(class_in(of_2020(), 2019) == 0b10);  // t = 2020: one of the two years before
    CHECK(class_in(of_2020(), 2020) == 0b11);
}

TEST_CASE("GSM follows from FKG, DKG, HKG and MHK in two age bands", "[risk][published]") {
    const Health none = health(of_2015(), {});
    Health mhk = none, mental = none;
    mhk.mhk = 1;
    mental.ggz_dkg = 5;
    mental.ggz_mhk = 3;
    for (const auto& [age, first] : {std::pair{40, 1}, {64, 1}, {65, 2}, {90, 2}}) {
        const data::Record r = person(2015, age);
        CHECK(variable(of_2015(), r, none, "gsm") == Codes{first});
        CHECK(variable(of_2015(), r, mental, "gsm") == Codes{first});
        for (const Health& h : {mhk, health(of_2015(), {hospital(1)}), health(of_2015(), {claim(Category::devices, 1)}),
                                health(of_2015(), {drug(5, 200)})})
            CHECK(variable(of_2015(), r, h, "gsm") == Codes{first + 2});
    }
    // An HKG alone is morbidity for GSM, not for the own payment (art. 9(2), Beleidsregels 4(41)).
    CHECK_FALSE(of_2015().morbid(health(of_2015(), {claim(Category::devices, 1)})));
    CHECK(of_2015().morbid(mhk));
}

TEST_CASE("SES of 2015: more than 15 residents or an institution first, then three income groups", "[risk]") {
    data::Record r = person(2015, 40);
    const Health none = health(of_2015(), {});
    Codes seen;
    for (std::uint8_t income = 1; income <= 4; ++income) {
        r.ses = income;
        seen.push_back(variable(of_2015(), r, none, "ses").front());
    }
    CHECK(seen == Codes{5, 5, 8, 11});  // low, low, middle, high, 18-64
    Health crowded = none;
    crowded.residents = 16;
    CHECK(variable(of_2015(), r, crowded, "ses") == Codes{2});
    crowded.residents = 15;
    CHECK(variable(of_2015(), r, crowded, "ses") == Codes{11});
    crowded.residents = 16;
    CHECK(ggz(of_2015(), r, crowded, "ggz_ses") == Codes{1});
    r.wlz = 2;
    CHECK(variable(of_2015(), r, none, "ses") == Codes{2});
    CHECK(variable(of_2015(), person(2015, 70), crowded, "ses") == Codes{3});
    CHECK(variable(of_2015(), person(2015, 5), crowded, "ses") == Codes{1});
}

TEST_CASE("a one-person address is a class of adults of 2015 who live alone", "[risk]") {
    data::Record r = person(2015, 40);
    const Health none = health(of_2015(), {});
    CHECK(ggz(of_2015(), r, none, "ggz_one_person") == Codes{0});
    r.household = static_cast<std::uint8_t>(HouseholdState::one_person);
    CHECK(ggz(of_2015(), r, none, "ggz_one_person") == Codes{1});
    Health counted = none;  // addresses decide where they are known (Bzv 1 u)
    counted.residents = 2;
    CHECK(ggz(of_2015(), r, counted, "ggz_one_person") == Codes{0});
    r.household = static_cast<std::uint8_t>(HouseholdState::other);
    counted.residents = 1;
    CHECK(ggz(of_2015(), r, counted, "ggz_one_person") == Codes{1});
    r.wlz = 2;  // an institution has more than 15 residents (assumption of the SES class)
    CHECK(ggz(of_2015(), r, counted, "ggz_one_person") == Codes{0});
    r.wlz = 0;
    r.region = 0;
    CHECK(ggz(of_2015(), r, none, "ggz_one_person").empty());  // abroad: Beleidsregels 16(26)
    CHECK(ggz(of_2015(), person(2015, 17), none, "ggz_one_person").empty());
}

TEST_CASE("the nursing share of 2015 has a region and MHK from 65 on", "[risk][published]") {
    Health h = health(of_2015(), {});
    h.mhk = 4;
    CHECK(nursing(person(2015, 70), h, "nursing_region") == Codes{2});  // region 3
    CHECK(nursing(person(2015, 70), h, "mhk") == Codes{4});
    CHECK(nursing(person(2015, 64), h, "nursing_region").empty());
    CHECK(nursing(person(2015, 64), h, "mhk").empty());
    CHECK(nursing(person(2015, 64), h, "age_sex") == Codes{14});
    CHECK(nursing(person(2015, 65), h, "age_sex") == Codes{15});
    CHECK(variable(of_2015(), person(2015, 64), h, "mhk") == Codes{4});
    data::Record abroad = person(2015, 70);
    abroad.region = 0;
    CHECK(nursing(abroad, h, "nursing_region").empty());
    CHECK(nursing(abroad, h, "mhk") == Codes{4});
    CHECK(of_2019().nursing_columns() == 0);
    CHECK(of_2015().nursing_columns() == 52);
    const auto part = of_2015().clusters(claim(Category::nursing), 7);
    CHECK((part.nursing == 7 && part.variable == 0));
    CHECK(of_2019().clusters(claim(Category::nursing), 7).variable == 7);
}

TEST_CASE("MHK of 2015 rests on settled cost, of 2019 on claimed cost", "[risk][published]") {
    const std::vector<data::Claim> claims{claim(Category::hospital), claim(Category::ggz), claim(Category::nursing)};
    const CareYear y2015 = of_2015().read(claims), y2019 = of_2019().read(claims);
    CHECK(y2015.mhk_cost == 80'00);
    CHECK(y2015.ggz_cost == 80'00);
    CHECK(y2019.mhk_cost == 100'00);
    CHECK(y2019.ggz_cost == 100'00);
}

TEST_CASE("mental care of 2015 costs at all, or three years in the top", "[risk][published]") {
    const auto& tops = of_2015().ggz_mhk_tops();
    REQUIRE(tops.size() == 3);
    CHECK(tops[0].any_cost());
    CHECK((tops[1].top_per_myriad == 125 && tops[2].top_per_myriad == 50));
    CHECK_FALSE((tops[1].any_cost() || tops[2].any_cost()));
    for (const auto& top : of_2019().ggz_mhk_tops()) CHECK_FALSE(top.any_cost());
    const auto in = [](std::vector<std::vector<bool>> years) {
        return of_2015().ggz_mhk_class(40, [&](Index k, std::int32_t lag) {
            return years[static_cast<std::size_t>(lag - 1)][static_cast<std::size_t>(k)];
        });
    };
    const std::vector<bool> no{false, false, false}, some{true, false, false}, high{true, true, false},
        top{true, true, true};
    CHECK(in({no, no, no}) == 0);
    CHECK(in({no, no, some}) == 1);
    CHECK(in({high, high, some}) == 1);
    CHECK(in({high, high, top}) == 2);
    CHECK(in({top, top, top}) == 3);
}

TEST_CASE("FKGs of 2015: exclusions of cholesterol and TNF, thresholds of depot and bipolar complex",
          "[risk][published]") {
    const data::Record r = person(2015, 40);
    const auto fkg = [&](const std::vector<data::Claim>& c) {
        return variable(of_2015(), r, health(of_2015(), c), "fkg");
    };
    const auto mental = [&](const std::vector<data::Claim>& c) {
        return ggz(of_2015(), r, health(of_2015(), c), "ggz_fkg");
    };
    CHECK(fkg({drug(5, 200)}) == Codes{6});
    CHECK(fkg({drug(5, 200), drug(6, 200)}) == Codes{13});  // Beleidsregels 4(19)c
    CHECK(fkg({drug(7, 200), drug(8, 200)}) == Codes{14});  // 4(19)f
    CHECK(fkg({drug(5, 180)}) == Codes{0});
    CHECK(mental({drug(1, 200)}) == Codes{1});
    CHECK(mental({drug(2, 10)}) ==
          Codes{2});  // one prescription is enough for depot, not for the FKG of the other share
    CHECK(fkg({drug(2, 10)}) == Codes{0});
    CHECK(mental({drug(1, 200), drug(2, 10)}) == Codes{2});
    CHECK(mental({drug(3, 200)}) == Codes{5});
    CHECK(mental({drug(3, 200), drug(4, 1)}) == Codes{6});  // regular reached, one prescription of the indicator
    CHECK(mental({drug(3, 100), drug(4, 80)}) == Codes{0});
    CHECK(mental({drug(3, 100), drug(4, 81)}) == Codes{6});
}

TEST_CASE("income sources without a class of their own in 2015 fall in the class the funnel gives", "[risk]") {
    const Health none = health(of_2015(), {});
    data::Record r = person(2015, 40);
    const auto avi = [&](IncomeSource source) {
        r.income_source = static_cast<std::uint8_t>(source);
        return variable(of_2015(), r, none, "avi");
    };
    CHECK(avi(IncomeSource::disabled) == Codes{2});
    CHECK(avi(IncomeSource::iva) == Codes{2});  // no class of its own before 2016
    CHECK(avi(IncomeSource::higher_educated) == Codes{15});
    CHECK(avi(IncomeSource::employed) == Codes{15});
    r = person(2015, 70);
    CHECK(avi(IncomeSource::iva) == Codes{18});
    r = person(2015, 10);
    CHECK(avi(IncomeSource::social_assistance) == Codes{0});
}

TEST_CASE("AVI of 2019 ends at 65, of 2020 at 70 and begins at birth", "[risk][published]") {
    const auto key = [](const Scheme& s, std::int32_t age) {
        data::Record r = person(s.model().year, age);
        r.income_source = static_cast<std::uint8_t>(IncomeSource::social_assistance);
        const Codes found = variable(s, r, health(s, {}), "avi");
        REQUIRE(found.size() == 1);
        for (const auto& c : s.model().variable.criteria)
            if (c.name == "avi") return c.classes[static_cast<std::size_t>(found.front() - c.first_code)].key;
        return std::string{};
    };
    CHECK(key(of_2019(), 10) == "age_0_17");
    CHECK(key(of_2019(), 66) == "age_65_plus");
    CHECK(key(of_2019(), 64) == "social_assistance_55_64");
    CHECK(key(of_2020(), 10) == "social_assistance_0_17");
    CHECK(key(of_2020(), 66) == "social_assistance_65_69");
    CHECK(key(of_2020(), 70) == "age_70_plus");
}

TEST_CASE("who lives abroad in 2015 has no region, SES or V&V-region, and keeps GSM", "[risk][published]") {
    data::Record r = person(2015, 70);
    r.region = 0;
    const Health none = health(of_2015(), {});
    for (const char* name : {"region", "ses"}) CHECK(variable(of_2015(), r, none, name).empty());
    for (const char* name : {"fkg", "dkg", "hkg", "mhk"}) CHECK(variable(of_2015(), r, none, name) == Codes{0});
    CHECK(variable(of_2015(), r, none, "gsm") == Codes{2});
    CHECK(variable(of_2015(), r, none, "avi") == Codes{18});
}

TEST_CASE("mappings that do not fit the model year are refused by name", "[risk]") {
    const auto said = [](const params::Model& model, const risk::Mapping& mapping) -> std::string {
        try {
            const Scheme s{model, mapping};
        } catch (const ParameterError& error) {
            return error.what();
        }
        return "accepted";
    };
    risk::Mapping m;
    CHECK(said(params::nl_2015(), m).find("nursing_region") != std::string::npos);
    m.nursing_region = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    CHECK(said(params::nl_2015(), m) == "accepted");
    m.diagnoses = {{.specialism = 1, .diagnosis = 1, .dx_group = 1, .dkg_primary = 1}};
    CHECK(said(params::nl_2015(), m).find("dkg_primary code") != std::string::npos);
    CHECK(said(params::nl_2019(), m) == "accepted");
    m.diagnoses.front().dkg = 1;
    CHECK(said(params::nl_2019(), m).find("dkg code") != std::string::npos);
    m.diagnoses.clear();
    m.drugs = {{.drug = 1, .ggz_indicated = 6}};
    CHECK(said(params::nl_2015(), m).find("class reached beside the indication") != std::string::npos);
    params::Model counted = params::nl_2019();
    for (auto& c : counted.variable.criteria)
        if (c.name == "dkg_primary") c.assignment = params::Assignment::all;
    CHECK(said(counted, {}).find("expected single") != std::string::npos);
}
