#include <anderhalf/params.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

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
