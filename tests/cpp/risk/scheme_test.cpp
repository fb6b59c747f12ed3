#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

using namespace anderhalf;
using risk::CareYear;
using risk::Line;
using risk::Ranked;

namespace {

risk::Mapping mapping() {
    risk::Mapping m;
    m.drugs = {{.drug = 1, .fkg = 12}, {.drug = 2, .fkg = 13}, {.drug = 3, .fkg = 32, .min_prescriptions = 3}};
    m.diagnoses = {{.specialism = 1, .diagnosis = 1, .dx_group = 7, .dkg = 2},
                   {.specialism = 2, .diagnosis = 1, .dx_group = 7, .dkg = 2},
                   {.specialism = 1, .diagnosis = 2, .dx_group = 8, .dkg = 2},
                   {.specialism = 1, .diagnosis = 3, .dx_group = 9, .dkg = 1, .light = true}};
    m.devices = {{.device = 5, .hkg = 1}};
    m.mental_care = {{.diagnosis = 1, .ggz_dkg = 1}, {.diagnosis = 15, .ggz_dkg = 15}};
    m.light_product_percent = 15;
    return m;
}

const risk::Scheme& scheme() {
    static const risk::Scheme s{params::nl_2021_structural(), mapping()};
    return s;
}

data::Claim hospital(std::uint16_t specialism, std::uint16_t diagnosis, bool consult = false,
                     std::uint32_t product = 50) {
    data::Claim c;
    c.specialism = specialism;
    c.diagnosis = diagnosis;
    c.consult = consult;
    c.product = product;
    c.claimed_cents = 100'00;
    return c;
}

data::Claim drug(std::uint32_t product, std::uint16_t ddd, std::uint8_t prescriptions = 1) {
    data::Claim c;
    c.category = Category::drugs;
    c.product = product;
    c.ddd = ddd;
    c.prescriptions = prescriptions;
    c.claimed_cents = 10'00;
    return c;
}

CareYear read(const std::vector<data::Claim>& claims) { return scheme().read(claims); }

data::Record adult() {
    data::Record r;
    r.birth_month = 12 * 1980;
    r.sex = 1;
    r.region = 1;
    r.income_source = 8;
    r.ses = 3;
    r.household = 4;
    r.first_day = first_day_of(2021);
    r.last_day = first_day_of(2022) - 1;
    return r;
}

risk::Health health(const CareYear& last, const CareYear& before = {}) {
    risk::Past past{};
    past[1] = &last;
    past[2] = &before;
    risk::Health h;
    scheme().health(past, h);
    return h;
}

/// Code of a criterion in a row of the variable share; -1 when it has none.
std::int32_t code_of(const risk::Row& row, const std::string& name) {
    for (const auto& c : scheme().variable_layout())
        if (c.name == name)
            for (const risk::Entry& e : row.view())
                if (e.column >= c.offset && e.column < c.offset + c.size)
                    return static_cast<std::int32_t>(e.column - c.offset) + c.first_code;
    return -1;
}

}  // namespace

TEST_CASE("a top holds whole persons in the order cost, key, as long as they fit", "[risk][published]") {
    // 20 insured. Top 25% is 5 insured, top 40% is 8, top 100% is 20.
    const std::vector<Ranked> ranked{
        {900, 4, 1, 0, 2}, {500, 1, 9, 1, 3}, {500, 2, 5, 2, 2}, {500, 7, 3, 3, 4}, {100, 3, 2, 4, 1}};
    const std::vector<std::int32_t> tops{2'500, 4'000, 10'000, 900};
    const auto lines = risk::lines(ranked, 20, tops);
    CHECK(lines[0] == Line{500, 1, 9});  // 2 + 3 = 5 fits; the next two insured do not
    CHECK(lines[1] == Line{500, 2, 5});  // 7 fits, 11 does not: nobody is cut in two
    CHECK(lines[2] == Line{100, 3, 2});
    CHECK(lines[3] == Line{});  // 1 insured: the first row stands for 2
    CHECK(lines[0].includes(500, 1, 9));
    CHECK_FALSE(lines[0].includes(500, 2, 5));  // the same cost, a later key: over the line by order, not by cost
    CHECK(lines[0].includes(501, 99, 99));
    CHECK_FALSE(lines[0].includes(499, 0, 0));
    CHECK_FALSE(lines[3].includes(1'000'000'00, 0, 0));
}

TEST_CASE("a year with weights and criteria only is not grouped", "[risk]") {
    params::Model model = params::nl_2021();
    CHECK_NOTHROW(risk::Scheme(model, {}));
    model.complete = false;
    CHECK_THROWS_AS(risk::Scheme(model, {}), ParameterError);
}

TEST_CASE("nobody without cost is in a top, however wide", "[risk][published]") {
    const std::vector<Ranked> ranked{{10, 1, 1, 0, 1}, {0, 1, 2, 1, 1}, {-5, 1, 3, 2, 1}};
    const std::vector<std::int32_t> all{10'000};
    CHECK(risk::lines(ranked, 3, all).front() == Line{10, 1, 1});
}

TEST_CASE("ties are drawn anew for every year and seed", "[risk][invariant]") {
    std::size_t swapped = 0;
    for (std::uint64_t p = 1; p <= 200; ++p)
        swapped += (risk::tie_key(1, p, 2020) < risk::tie_key(1, p + 1, 2020)) !=
                   (risk::tie_key(1, p, 2021) < risk::tie_key(1, p + 1, 2021));
    CHECK(swapped > 60);
    CHECK(swapped < 140);
    CHECK(risk::tie_key(1, 5, 2020) != risk::tie_key(2, 5, 2020));
}

TEST_CASE("age is that of the last day of June, and a child of the second half year has its own class",
          "[risk][published]") {
    CHECK(risk::age_on_reference(12 * 2000 + 5, 2021, 6) == 21);  // June
    CHECK(risk::age_on_reference(12 * 2000 + 6, 2021, 6) == 20);  // July
    CHECK(risk::age_on_reference(12 * 2021 + 5, 2021, 6) == 0);
    CHECK(risk::age_on_reference(12 * 2021 + 6, 2021, 6) == -1);
    data::Record r = adult();
    risk::Row row;
    const auto& classes = params::nl_2021().variable.criteria.front().classes;
    for (const auto& [birth, born] : {std::pair{12 * 2021 + 8, 1}, {12 * 2021 + 2, 1}, {12 * 2020 + 8, 2}}) {
        r.birth_month = birth;
        scheme().variable_row(r, 2021, {}, row);
        const auto& found = classes.at(static_cast<std::size_t>(code_of(row, "age_sex") - 1));
        CHECK(found.born == born);
        CHECK(found.sex == 1);
        CHECK(code_of(row, "avi") > 0);
        scheme().ggz_row(r, 2021, {}, row);
        CHECK(row.size == 0);
    }
    r.birth_month = 12 * 2020 + 2;
    scheme().variable_row(r, 2021, {}, row);
    CHECK(classes.at(static_cast<std::size_t>(code_of(row, "age_sex") - 1)).age_max == 4);
}

TEST_CASE("an FKG asks for more than 180 DDD or three prescriptions, and drops what it excludes", "[risk][published]") {
    CHECK(read({drug(1, 180)}).fkg == 0);
    CHECK(read({drug(1, 90), drug(1, 91)}).fkg == std::uint64_t{1} << 11U);
    CHECK(read({drug(3, 900, 2)}).fkg == 0);
    CHECK(read({drug(3, 1, 3)}).fkg == std::uint64_t{1} << 31U);
    // Diabetes II with hypertension (13) goes before without (12), art. 9(2)a.
    CHECK(health(read({drug(1, 200), drug(2, 200)})).fkg == std::uint64_t{1} << 12U);
    CHECK(health(read({drug(1, 200)})).fkg == std::uint64_t{1} << 11U);
}

TEST_CASE("a drug counts towards every class it leads to", "[risk]") {
    risk::Mapping two = mapping();
    two.drugs = {{.drug = 1, .fkg = 12}, {.drug = 1, .fkg = 28}, {.drug = 1, .ggz_fkg = 3}, {.drug = 2, .fkg = 28}};
    const risk::Scheme scheme{params::nl_2021(), two};
    const std::vector<data::Claim> claims{drug(1, 100), drug(2, 81)};
    CHECK(scheme.read(claims).fkg == std::uint64_t{1} << 27U);  // 181 DDD of class 28, 100 of class 12
    const std::vector<data::Claim> more{drug(1, 181)};
    CHECK(scheme.read(more).fkg == (std::uint64_t{1} << 27U | std::uint64_t{1} << 11U));
    CHECK(scheme.read(more).ggz_fkg == std::uint32_t{1} << 2U);
}

TEST_CASE("a care product leads to a dx group of its own or, as a consult, to none", "[risk]") {
    risk::Mapping products = mapping();
    products.care_products = {{.product = 990'000'001, .dx_group = 900, .dkg = 4},
                              {.product = 990'000'002, .dx_group = 7, .dkg = 2}};
    products.consults = {990'000'009, 990'000'003};
    const risk::Scheme scheme{params::nl_2021(), products};
    const auto found = [&](std::uint16_t diagnosis, std::uint32_t product) {
        const std::vector<data::Claim> claims{hospital(1, diagnosis, false, product)};
        return scheme.read(claims).dkg;
    };
    CHECK(found(99, 990'000'001)[4] == 1);  // whatever the diagnosis
    CHECK(found(1, 990'000'001)[4] == 1);
    CHECK(found(1, 990'000'001)[2] == 1);  // and the dx group of the diagnosis
    CHECK(found(1, 990'000'002)[2] == 1);  // the same dx group: once
    CHECK(found(1, 990'000'003) == CareYear{}.dkg);
    CHECK(found(1, 990'000'009) == CareYear{}.dkg);
    CHECK(found(1, 990'000'004)[2] == 1);
}

TEST_CASE("a DKG follows from the dx groups of products, never from a consult or GP care", "[risk][published]") {
    CHECK(read({hospital(1, 1), hospital(2, 1), hospital(1, 1)}).dkg[2] == 1);  // one dx group
    CHECK(read({hospital(1, 1), hospital(1, 2)}).dkg[2] == 2);                  // two of one class count twice
    CHECK(read({hospital(1, 1, true)}).dkg == CareYear{}.dkg);
    CHECK(read({hospital(1, 3, false, 114)}).dkg[1] == 1);  // 14 < 15: among the heavier products that count
    CHECK(read({hospital(1, 3, false, 115)}).dkg[1] == 0);
    data::Claim c = hospital(1, 1);
    c.category = Category::one_and_a_half_line;
    for (const auto& [title, count] :
         {std::pair{Title::gp_care, 0}, {Title::specialist_care, 1}, {Title::designated, 1}}) {
        c.title = title;
        CHECK(read({c}).dkg[2] == count);
    }
}

TEST_CASE("a patient whose hospital claims disappear loses that DKG and falls in MHK", "[risk][published]") {
    const std::vector<data::Claim> before{hospital(1, 1), drug(1, 200)}, after{drug(1, 200)};
    const CareYear with = read(before), without = read(after);
    CHECK(health(with).any_dkg);
    CHECK_FALSE(health(without).any_dkg);
    CHECK(health(without).fkg == health(with).fkg);
    CHECK(with.mhk_cost - without.mhk_cost == 100'00);
    // Lines of every top at 50 euros: with the claim over it in all three years, without in none.
    const auto mhk = [&](Cents cost) {
        return scheme().mhk_class(40, [&](Index, std::int32_t) { return cost > 50'00; });
    };
    CHECK(mhk(with.mhk_cost) == 8);
    CHECK(mhk(without.mhk_cost) == 0);
    // Over the top 30% in one year only: class 1; over 10% in two: class 2 before class 1.
    CHECK(scheme().mhk_class(40, [&](Index k, std::int32_t lag) {
        return scheme().mhk_tops()[static_cast<std::size_t>(k)] == 3'000 && lag == 3;
    }) == 1);
    CHECK(scheme().mhk_class(40, [&](Index k, std::int32_t lag) {
        return scheme().mhk_tops()[static_cast<std::size_t>(k)] >= 1'000 && lag != 2;
    }) == 2);
}

TEST_CASE("one year of five is enough for high mental care below 24, two from then on", "[risk][published]") {
    const auto once = [&](Index k, std::int32_t lag) {
        return scheme().ggz_mhk_tops()[static_cast<std::size_t>(k)].top_per_myriad == 50 && lag == 5;
    };
    CHECK(scheme().ggz_mhk_class(23, once) == 3);
    CHECK(scheme().ggz_mhk_class(24, once) == 0);
    // Any care over ten euros counts in the last three years only.
    const auto some = [&](std::int32_t year) {
        return scheme().ggz_mhk_class(40, [&](Index k, std::int32_t lag) {
            return scheme().ggz_mhk_tops()[static_cast<std::size_t>(k)].min_cents > 0 && lag == year;
        });
    };
    CHECK(some(3) == 1);
    CHECK(some(4) == 0);
}

TEST_CASE("intensive mental care and a Wlz institution put an adult in the lowest SES group, a child only the second",
          "[risk][published]") {
    data::Claim c;
    c.category = Category::ggz;
    c.diagnosis = 15;
    const risk::Health h = health(read({c}));
    CHECK(h.ggz_dkg == 15);
    const auto ses = [&](std::int32_t birth_year, std::uint8_t wlz, const risk::Health& known) {
        data::Record r = adult();
        r.birth_month = 12 * birth_year;
        r.wlz = wlz;
        risk::Row row;
        scheme().variable_row(r, 2021, known, row);
        const auto& table = params::nl_2021().variable.criteria;
        const auto at = std::find_if(table.begin(), table.end(), [](const auto& x) { return x.name == "ses"; });
        return at->classes.at(static_cast<std::size_t>(code_of(row, "ses") - 1)).group;
    };
    CHECK(ses(1980, 0, {}) == 3);
    CHECK(ses(1980, 0, h) == 1);
    CHECK(ses(2010, 0, h) == 3);
    CHECK(ses(1980, 1, {}) == 1);
    CHECK(ses(2010, 2, {}) == 1);
}

TEST_CASE("a class of the latest year lapses with older care", "[risk][published]") {
    data::Claim c;
    c.category = Category::ggz;
    c.diagnosis = 1;
    // Tables 2.3 and 3.3: GGZ-DKG 1 is use "in het voorgaande jaar".
    params::Model model = params::nl_2021_structural();
    for (auto* share : {&model.ggz, &model.ggz_hcc})
        for (auto& criterion : share->criteria)
            if (criterion.name == "ggz_dkg") criterion.classes[1].of_years = 0;
    const risk::Scheme any_year{model, mapping()};
    const CareYear some = read({c}), none{};
    const auto dkg = [&](const risk::Scheme& s, const CareYear& last, const CareYear& before) {
        risk::Past past{};
        past[1] = &last;
        past[2] = &before;
        risk::Health h;
        s.health(past, h);
        return static_cast<int>(h.ggz_dkg);
    };
    CHECK(dkg(scheme(), some, none) == 1);
    CHECK(dkg(scheme(), none, some) == 0);
    CHECK(dkg(any_year, none, some) == 1);
}

TEST_CASE("somebody with every class at once still fits in a row", "[risk][invariant]") {
    risk::Health h;
    h.fkg = (std::uint64_t{1} << 38U) - 1;
    h.hkg = 0xFF;
    h.any_dkg = true;
    for (std::size_t k = 1; k <= 26; ++k) h.dkg[k] = 1;
    risk::Row row;
    scheme().variable_row(adult(), 2021, h, row);
    CHECK(row.size == 38 + 8 + 26 + 8);
}

TEST_CASE("a mapping that names what does not exist is refused with every problem", "[risk][invariant]") {
    risk::Mapping bad = mapping();
    bad.drugs.push_back(bad.drugs.front());
    bad.drugs.push_back({.drug = 1, .fkg = 99});
    bad.care_products = {{.product = 7, .dx_group = 1, .dkg = 1}, {.product = 7, .dx_group = 2, .dkg = 27}};
    bad.consults = {7};
    bad.diagnoses.push_back({.specialism = 9, .diagnosis = 9, .dx_group = 1, .dkg = 31});
    bad.light_product_percent = 101;
    try {
        const risk::Scheme refused{params::nl_2021(), bad, 2'000'000};
        FAIL("accepted");
    } catch (const ParameterError& error) {
        // Drug twice, FKG 99, DKG 31, product twice, DKG 27, a consult that leads somewhere, 101 percent, a share of 2.
        CHECK(error.problems().size() == 8);
    }
}
