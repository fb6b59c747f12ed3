#include <anderhalf/params.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace anderhalf;
using params::Criterion;
using params::Model;
using params::Share;

namespace {

const Criterion& criterion(const Share& share, const std::string& name) {
    const auto found =
        std::find_if(share.criteria.begin(), share.criteria.end(), [&](const Criterion& c) { return c.name == name; });
    REQUIRE(found != share.criteria.end());
    return *found;
}

MicroEuro weight(const Share& share, const std::string& name, std::int32_t code) {
    const Criterion& c = criterion(share, name);
    return c.classes.at(static_cast<std::size_t>(code - c.first_code)).weight;
}

}  // namespace

TEST_CASE("leaving MHK 1 costs 765.02 of the variable share and gives back 92.10 of expected own payments",
          "[params][published]") {
    const Model& model = params::nl_2021();
    CHECK(weight(model.variable, "mhk", 0) - weight(model.variable, "mhk", 1) == -765'020'000);
    CHECK(weight(model.deductible, "mhk", 1) - weight(model.deductible, "mhk", 0) == 92'100'000);
    CHECK(weight(model.variable, "dkg", 0) - weight(model.variable, "dkg", 1) == -715'160'000);
}

TEST_CASE("the macro shares of 2021 add up to the macro amount", "[params][published]") {
    const Model& model = params::nl_2021();
    CHECK(model.macro_variable + model.macro_fixed + model.macro_ggz == model.macro_total);
    CHECK(model.macro_total == 48'231'4 * Cents{10'000'000});
}

TEST_CASE("a class stands at the place of its code in every criterion", "[params][invariant]") {
    std::size_t classes = 0;
    for (const Model* model : {&params::nl_2021(), &params::nl_2021_structural()})
        for (const Share* share : {&model->variable, &model->ggz, &model->ggz_hcc, &model->deductible})
            for (const Criterion& c : share->criteria)
                for (std::size_t i = 0; i < c.classes.size(); ++i) {
                    CHECK(c.classes[i].code == c.first_code + static_cast<std::int32_t>(i));
                    ++classes;
                }
    CHECK(classes == 2 * (218 + 126 + 126 + 71));
}

TEST_CASE("the macro shares of 2015, 2019 and 2020 and their revenue add up to the macro amount",
          "[params][published]") {
    for (const Model* model : {&params::nl_2015(), &params::nl_2019(), &params::nl_2020()}) {
        CHECK(model->macro_variable + model->macro_fixed + model->macro_ggz + model->macro_nursing ==
              model->macro_total);
        CHECK(model->revenue_premium + model->revenue_deductible + model->fund_payment == model->macro_total);
    }
    CHECK(params::nl_2015().macro_nursing == 3'151'2 * Cents{10'000'000});
    CHECK(params::nl_2020().macro_nursing == 0);
}

TEST_CASE("2015, 2019, 2020 and 2021 are complete, each with its classes", "[params][published]") {
    const Model& y2015 = params::nl_2015();
    const Model& y2019 = params::nl_2019();
    const Model& y2020 = params::nl_2020();
    CHECK((y2015.complete && y2019.complete && y2020.complete && params::nl_2021().complete));
    const auto classes = [](const Model& m) {
        std::size_t n = 0;
        for (const Share* share : {&m.variable, &m.ggz, &m.ggz_hcc, &m.deductible, &m.nursing, &m.variable_ex_post,
                                   &m.ggz_ex_post, &m.deductible_ex_post})
            for (const Criterion& c : share->criteria) n += c.classes.size();
        return n;
    };
    CHECK(classes(y2015) == 138 + 86 + 58 + 52);
    CHECK(classes(y2019) == 199 + 120 + 66);
    CHECK(classes(y2020) == 210 + 126 + 126 + 71 + 210 + 126 + 71);
    CHECK(classes(params::nl_2021()) == 218 + 126 + 126 + 71);
    CHECK(weight(y2020.variable, "dkg_primary", 1) == 627'210'000);
    CHECK(weight(y2020.variable_ex_post, "dkg_primary", 1) == 632'150'000);
    CHECK(weight(y2019.variable, "fkg", 35) == 117'200'820'000);
    CHECK(weight(y2015.variable, "gsm", 2) == -318'390'000);
    CHECK(weight(y2015.nursing, "nursing_region", 1) == 173'770'000);
    CHECK(weight(y2015.ggz, "ggz_mhk", 0) == -88'490'000);  // printed without the minus: decision 0012
    CHECK(y2015.nursing.criteria[2].classes[0].age_min == 65);
    CHECK((y2020.forfait == 359'53 && y2020.forfait_ex_post == 359'91));
}

TEST_CASE("2012 to 2014 have shares of that time instead of the variable one", "[params][published]") {
    const Model& y2012 = params::nl_2012();
    const Model& y2013 = params::nl_2013();
    const Model& y2014 = params::nl_2014();
    const auto names = [](const Model& m) {
        std::vector<std::string> result;
        for (const Share& share : m.historical) result.push_back(share.name);
        return result;
    };
    CHECK(names(y2012) == std::vector<std::string>{"free_segment", "hospital_variable", "other_care", "ggz_under_18"});
    CHECK(names(y2013) == std::vector<std::string>{"medical_specialist", "other_care", "ggz_under_18"});
    CHECK(names(y2014) == std::vector<std::string>{"medical_specialist", "other_care"});
    for (const Model* model : {&y2012, &y2013, &y2014}) {
        CHECK_FALSE(model->complete);
        CHECK(model->variable.criteria.empty());
        REQUIRE(model->macro_historical.size() == model->historical.size());
        Cents total = model->macro_fixed + model->macro_ggz;
        for (const Cents amount : model->macro_historical) total += amount;
        CHECK(total == model->macro_total);
    }
    CHECK(weight(y2012.historical[1], "age_sex", 40) == -49'270'000);
    CHECK(weight(y2013.historical[1], "dkg", 15) == -4'876'400'000);
    CHECK(weight(y2014.historical[0], "hkg", 0) == 150'000);
    const auto& made = criterion(y2014.ggz_hcc, "ggz_dkg").classes.front();  // art. 11(4): the settlement makes it
    CHECK((made.weight == 0 && !made.printed));
    CHECK(criterion(y2014.ggz, "ggz_dkg").classes.front().printed);
    CHECK((y2012.forfait_from_mhk == 0 && y2013.forfait_from_mhk == 1));
}

TEST_CASE("the structural variant takes the DKGs of the year before and the flat step in full", "[params][published]") {
    const Model& printed = params::nl_2021();
    const Model& structural = params::nl_2021_structural();
    CHECK(printed.official);
    CHECK_FALSE(structural.official);
    CHECK(criterion(printed.variable, "dkg").data_years == std::vector<std::int32_t>{2});
    CHECK(criterion(structural.variable, "dkg").data_years == std::vector<std::int32_t>{1});
    CHECK(printed.flat_ppm_variable == 150'000);
    CHECK(structural.flat_ppm_variable == 1'000'000);
    CHECK_FALSE(structural.own_payments_macro_corrected);
}

TEST_CASE("rules name classes that exist", "[params][invariant]") {
    for (const Model* model : {&params::nl_2021(), &params::nl_2021_structural()}) {
        CHECK(model->neutrality.size() == 24);
        for (const auto& rule : model->neutrality) {
            const Share& share = rule.share == "variable"  ? model->variable
                                 : rule.share == "ggz_hcc" ? model->ggz_hcc
                                                           : model->deductible;
            const Criterion& c = criterion(share, rule.criterion);
            const auto last = c.first_code + static_cast<std::int32_t>(c.classes.size()) - 1;
            for (const auto* codes : {&rule.reset, &rule.of})
                CHECK(std::all_of(codes->begin(), codes->end(),
                                  [&](auto code) { return code >= c.first_code && code <= last; }));
        }
        for (const auto& c : model->variable.criteria)
            for (const auto& pair : c.exclusions) CHECK(pair.keep != pair.drop);
    }
}
