#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/payment.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace anderhalf;
using namespace anderhalf::payment;

namespace {

constexpr MicroEuro euro = 1'000'000;

/// One share: criterion c with classes none (-100), one (400) and two (900 euros), and 1,000 euros for everyone. Columns:
/// none, one, two, everyone.
params::Model small() {
    params::Model m;
    m.name = "small";
    m.year = 2021;
    const auto criterion = [](const char* name, std::int32_t first, const std::vector<MicroEuro>& euros) {
        params::Criterion c{.name = name, .first_code = first, .classes = {}, .exclusions = {}, .data_years = {0}};
        for (const MicroEuro e : euros) {
            params::RiskClass k;
            k.code = first + static_cast<std::int32_t>(c.classes.size());
            k.weight = e * euro;
            c.classes.push_back(k);
        }
        return c;
    };
    m.variable = {"variable", {criterion("c", 0, {-100, 400, 900}), criterion("base", 1, {1000})}};
    for (const Item item : {Item::normative, Item::neutrality, Item::scaling, Item::flat_step,
                            Item::high_cost_compensation, Item::high_cost_financing, Item::bandwidth})
        m.steps.push_back({Stage::final, "variable", item, "1"});
    m.steps.push_back({Stage::ex_ante, "variable", Item::normative, "2"});
    return m;
}

/// Insured years per insurer in none, one and two, all of them adults.
Totals insured(const std::vector<std::vector<Days>>& years, std::vector<Cents> cost = {}) {
    Totals t;
    ClassTotals classes{static_cast<Index>(years.size()), 4};
    for (std::size_t i = 0; i < years.size(); ++i) {
        const auto row = static_cast<Index>(i);
        for (std::size_t k = 0; k < 3; ++k) {
            classes.add(row, static_cast<Index>(k), 365 * years[i][k]);
            classes.add(row, 3, 365 * years[i][k]);
        }
        t.days.push_back(classes.at(row, 3));
    }
    t.shares = {{.share = "variable", .classes = classes, .abroad = {}, .cost = std::move(cost), .excess = {}}};
    t.adult_days = t.days;
    return t;
}

const Line& line(const Statement& s, const std::string& share, Item item) {
    const auto at =
        std::find_if(s.lines.begin(), s.lines.end(), [&](const Line& l) { return l.share == share && l.item == item; });
    REQUIRE(at != s.lines.end());
    return *at;
}

}  // namespace

TEST_CASE("ex ante is weight times insured years, never scaled", "[payment][published]") {
    // 36 x 900 + 4 x 1400 = 38,000; 50 x 900 + 6 x 1400 + 4 x 1900 = 61,000
    const Statement s = pay(small(), insured({{36, 4, 0}, {50, 6, 4}}), {});
    CHECK(s.contribution == std::vector<Cents>{38'000'00, 61'000'00});
    CHECK(s.lines.size() == 1);
    CHECK(s.shares.at(0).target == 99'000'00);
    CHECK(s.shares.at(0).factor == 1.0);
}

TEST_CASE("ex post every step is a line, and the lines sum to the contribution", "[payment][published]") {
    params::Model m = small();
    m.neutrality = {{"variable", "c", params::Neutrality::zero_sum, {0}, {}, "11(6)"}};
    // Two of class one left insurer 1. N0: 38 x 900 + 2 x 1400 = 37,000 and 61,000. None is re-set to
    // -(8 x 400 + 4 x 900) / 88 = -77.272727: 40,000 - 38 x 77.272727 + 800 = 37,863.636.. and 62,136.363..: 100,000.
    // Cost 110,000: factor 1.1; the flat step takes 10,000 x 40/100 and x 60/100.
    Totals t = insured({{38, 2, 0}, {50, 6, 4}}, {50'000'00, 60'000'00});
    const Terms final{.stage = Stage::final, .expected = {}, .expected_deductible = {}};
    const Statement s = pay(m, t, final);
    CHECK(line(s, "variable", Item::normative).cents == std::vector<Cents>{37'000'00, 61'000'00});
    CHECK(line(s, "variable", Item::neutrality).cents == std::vector<Cents>{863'64, 1'136'36});
    CHECK(line(s, "variable", Item::scaling).cents == std::vector<Cents>{3'786'36, 6'213'64});
    CHECK(line(s, "variable", Item::flat_step).cents == std::vector<Cents>{-4'000'00, -6'000'00});
    CHECK(s.contribution == std::vector<Cents>{37'650'00, 62'350'00});
    CHECK(s.lines.size() == 4);  // the model has no compensation and no bandwidth
    CHECK(s.shares[0].factor == Approx(1.1));

    // High cost of EUR 1,000 at insurer 1; all pay 1% of their amount for it.
    m.high_cost = {{.share = "variable", .threshold = 1, .ppm = 1'000'000, .article = ""}};
    t.shares[0].excess = {1'000'00 * std::int64_t{1'000'000}, 0};
    const Statement h = pay(m, t, final);
    CHECK(line(h, "variable", Item::high_cost_compensation).cents == std::vector<Cents>{1'000'00, 0});
    CHECK(line(h, "variable", Item::high_cost_financing).cents == std::vector<Cents>{-376'50, -623'50});
    CHECK(h.contribution == std::vector<Cents>{38'273'50, 61'726'50});
    m.high_cost.clear();

    // Results: 37,650 - 50,000 and 62,350 - 60,000, per adult -308.75 and 39.1666..; the mean is -100. Beyond EUR 100 on
    // either side: 108.75 x 40 = 4,350 and 39.1666 x 60 = 2,350, of which 90%.
    m.bandwidth = {{.share = "variable", .amount = 100'00, .ppm = 900'000, .article = ""}};
    CHECK(line(pay(m, t, final), "variable", Item::bandwidth).cents == std::vector<Cents>{3'915'00, -2'115'00});
    m.bandwidth[0].financed = true;  // net 1,800, 18 per adult
    CHECK(line(pay(m, t, final), "variable", Item::bandwidth).cents == std::vector<Cents>{3'195'00, -3'195'00});
}
