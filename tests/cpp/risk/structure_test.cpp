#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace anderhalf;
using risk::CareYear;
using risk::Health;
using risk::Past;
using risk::Scheme;

namespace {

constexpr std::int32_t year = 2026;

params::RiskClass risk_class(std::int32_t code, std::int32_t years = 0, std::int32_t age_min = 0,
                             std::int32_t age_max = 999) {
    params::RiskClass c;
    c.code = code;
    c.key = "class_" + std::to_string(code);
    c.years = years;
    c.age_min = age_min;
    c.age_max = age_max;
    return c;
}

params::Criterion criterion(std::string name, std::vector<std::int32_t> lags, std::vector<params::RiskClass> classes,
                            const std::vector<Category>& categories = {}) {
    params::Criterion c;
    c.name = std::move(name);
    c.data_years = std::move(lags);
    c.classes = std::move(classes);
    c.classes.insert(c.classes.begin(), risk_class(0));
    for (const Category k : categories) c.categories[static_cast<std::size_t>(k)] = true;
    return c;
}

/// Every criterion that came after 2021, as nl-2022-structural to nl-2026-structural have them.
params::Model structure() {
    params::Model m = params::nl_2021_structural();
    auto& c = m.variable.criteria;
    c.push_back(criterion("hsm", {3}, {risk_class(1)}));
    c.back().of = {"fkg", "dkg", "fdg", "mhk", "mvv"};
    c.push_back(criterion("mfk", {1, 2, 3}, {risk_class(1, 3)}, {Category::drugs}));
    c.push_back(criterion("ibz", {0}, {risk_class(1, 1)}, {Category::obstetric, Category::maternity}));
    c.push_back(criterion("hhk", {1, 2, 3}, {risk_class(1, 1), risk_class(2, 3)}, {Category::devices}));
    c.push_back(criterion("okh", {1, 2, 3}, {risk_class(1, 1, 3), risk_class(2, 3, 3)}));
    c.push_back(criterion("sei", {0, 1}, {risk_class(1, 0, 18, 64)}));
    m.weighted = false;
    return m;
}

const Scheme& scheme() {
    static const Scheme s{structure(), risk::Mapping{}};
    return s;
}

data::Claim claim(Category category, std::int32_t cents = 100'00) {
    data::Claim c;
    c.category = category;
    c.claimed_cents = cents;
    return c;
}

CareYear care(const std::vector<data::Claim>& claims, bool whole_year = true) {
    CareYear result = scheme().read(claims);
    result.insured = 1;
    result.whole_year = whole_year ? 1 : 0;
    return result;
}

data::Record person(std::int32_t age, std::uint8_t region = 3) {
    data::Record r;
    r.birth_month = 12 * (year - age);
    r.sex = 2;
    r.region = region;
    r.income_source = static_cast<std::uint8_t>(IncomeSource::reference);
    r.ses = 3;
    r.household = static_cast<std::uint8_t>(HouseholdState::other);
    r.first_day = first_day_of(year);
    r.last_day = first_day_of(year + 1) - 1;
    return r;
}

Health history(const data::Record& r, const std::vector<const CareYear*>& years) {  // t, t-1, t-2, ...
    Past past{};
    std::copy(years.begin(), years.end(), past.begin());
    Health h;
    scheme().history(past, r, year, h);
    return h;
}

}  // namespace

TEST_CASE("MFK asks for cost of drugs in each of the three years before", "[risk][published]") {
    const CareYear drugs = care({claim(Category::drugs)}), other = care({claim(Category::hospital)});
    const CareYear nought = care({claim(Category::drugs), claim(Category::drugs, -100'00)});
    CHECK(history(person(50), {&other, &drugs, &drugs, &drugs}).mfk == 1);
    CHECK(history(person(50), {&drugs, &drugs, &other, &drugs}).mfk == 0);     // t itself does not count, t-2 lacks
    CHECK(history(person(50), {&drugs, &drugs, &nought, &drugs}).mfk == 0);    // corrected away
    CHECK(history(person(50, 0), {&drugs, &drugs, &drugs, &drugs}).mfk == 0);  // abroad: Bzv 3.8(1)c
}

TEST_CASE("IBZ is cost of obstetric or maternity care in the year itself", "[risk][published]") {
    const CareYear midwife = care({claim(Category::obstetric)}), nurse = care({claim(Category::maternity)});
    const CareYear other = care({claim(Category::hospital)});
    CHECK(history(person(30), {&midwife, &other, &other, &other}).ibz == 1);
    CHECK(history(person(30), {&nurse, &other, &other, &other}).ibz == 1);
    CHECK(history(person(30), {&other, &midwife, &other, &other}).ibz == 0);
}

TEST_CASE("HHK counts the years with cost of medical aids, the highest class holds", "[risk][published]") {
    const CareYear aids = care({claim(Category::devices)}), other = care({claim(Category::drugs)});
    CHECK(history(person(50), {&aids, &other, &other, &other}).hhk == 0);
    CHECK(history(person(50), {&other, &other, &aids, &other}).hhk == 1);
    CHECK(history(person(50), {&other, &aids, &aids, &other}).hhk == 1);
    CHECK(history(person(50), {&other, &aids, &aids, &aids}).hhk == 2);
}

TEST_CASE("OKH counts the years without insurance, from age 3", "[risk][published]") {
    const CareYear here = care({});
    CareYear away;
    CHECK(history(person(50), {&here, &here, &here, &here}).okh == 0);
    CHECK(history(person(50), {&here, &here, &away, &here}).okh == 1);
    CHECK(history(person(50), {&here, &away, &away, nullptr}).okh == 2);
    CHECK(history(person(3), {&here, nullptr, nullptr, nullptr}).okh == 2);
    CHECK(history(person(2), {&here, nullptr, nullptr, nullptr}).okh == 0);
}

TEST_CASE("a seasonal worker lives abroad, is 18 to 64 and not insured all of this year nor all of the last",
          "[risk][published]") {
    const CareYear whole = care({}), part = care({}, false);
    const auto sei = [](const data::Record& r, const CareYear* now, const CareYear* last) {
        return history(r, {now, last, nullptr, nullptr}).sei;
    };
    CHECK(sei(person(30, 0), &part, &part) == 1);
    CHECK(sei(person(30, 0), &part, nullptr) == 1);
    CHECK(sei(person(30, 0), &part, &whole) == 0);
    CHECK(sei(person(30, 0), &whole, nullptr) == 0);
    CHECK(sei(person(30, 1), &part, nullptr) == 0);
    CHECK(sei(person(17, 0), &part, nullptr) == 0);
    CHECK(sei(person(18, 0), &part, nullptr) == 1);
    CHECK(sei(person(64, 0), &part, nullptr) == 1);
    CHECK(sei(person(65, 0), &part, nullptr) == 0);
}

TEST_CASE("HSM is any class of FKG, DKG, FDG, MHK or MVV three years ago", "[risk][published]") {
    CHECK(scheme().hsm_lag() == 3);
    Health none;
    none.hkg = 1;
    none.ggz_fkg = 1;
    none.ggz_mhk = 1;
    CHECK(scheme().hsm_class(none) == 0);
    Health fkg, dkg, fdg, mhk, mvv;
    fkg.fkg = 4;
    dkg.any_dkg = true;
    fdg.fdg = mhk.mhk = mvv.mvv = 1;
    for (const Health& h : {fkg, dkg, fdg, mhk, mvv}) CHECK(scheme().hsm_class(h) == 1);
    CHECK(Scheme{params::nl_2021(), risk::Mapping{}}.hsm_lag() == 0);
}

TEST_CASE("the row has one class of each new criterion", "[risk][invariant]") {
    Health h;
    h.hsm = h.mfk = h.ibz = h.sei = 1;
    h.hhk = h.okh = 2;
    risk::Row row, none;
    scheme().variable_row(person(40), year, h, row);
    scheme().variable_row(person(40), year, Health{}, none);
    std::vector<std::int32_t> codes, nought;
    for (const risk::CriterionColumns& c : scheme().variable_layout())
        for (const char* name : {"hsm", "mfk", "ibz", "hhk", "okh", "sei"})
            if (c.name == name) {
                for (const risk::Entry& e : row.view())
                    if (e.column >= c.offset && e.column < c.offset + c.size)
                        codes.push_back(static_cast<std::int32_t>(e.column - c.offset));
                for (const risk::Entry& e : none.view())
                    if (e.column >= c.offset && e.column < c.offset + c.size)
                        nought.push_back(static_cast<std::int32_t>(e.column - c.offset));
            }
    CHECK(codes == std::vector<std::int32_t>{1, 1, 1, 2, 2, 1});
    CHECK(nought == std::vector<std::int32_t>(6, 0));
}

TEST_CASE("a structure that cannot be grouped is refused, naming the criterion", "[risk][invariant]") {
    const auto refused = [](const auto& change, const std::string& said) {
        params::Model m = structure();
        for (params::Criterion& c : m.variable.criteria) change(c);
        try {
            const Scheme s{m, risk::Mapping{}};
            FAIL("not refused: " << said);
        } catch (const ParameterError& e) {
            CHECK_THAT(std::string{e.what()}, Catch::Contains(said));
        }
    };
    refused(
        [](auto& c) {
            if (c.name == "mfk") c.categories = {};
        },
        "mfk: categories");
    refused(
        [](auto& c) {
            if (c.name == "hhk") c.classes[2].years = 4;
        },
        "hhk: years of class 2");
    refused(
        [](auto& c) {
            if (c.name == "hsm") c.of = {"hkx"};
        },
        "hsm.of");
    refused(
        [](auto& c) {
            if (c.name == "hsm") c.data_years = {0};
        },
        "hsm: data years");
    refused(
        [](auto& c) {
            if (c.name == "sei") c.data_years = {1};
        },
        "sei: classes and data years");
}
