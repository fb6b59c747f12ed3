#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/payment.hpp>
#include <anderhalf/risk.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace anderhalf;
using namespace anderhalf::payment;

namespace {

constexpr MicroEuro euro = 1'000'000;
const Terms settled{.stage = Stage::final, .expected = {}, .expected_deductible = {}};

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
    const Statement s = pay(m, t, settled);
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
    const Statement h = pay(m, t, settled);
    CHECK(line(h, "variable", Item::high_cost_compensation).cents == std::vector<Cents>{1'000'00, 0});
    CHECK(line(h, "variable", Item::high_cost_financing).cents == std::vector<Cents>{-376'50, -623'50});
    CHECK(h.contribution == std::vector<Cents>{38'273'50, 61'726'50});
    m.high_cost.clear();

    // Results: 37,650 - 50,000 and 62,350 - 60,000, per adult -308.75 and 39.1666..; the mean is -100. Beyond EUR 100 on
    // either side: 108.75 x 40 = 4,350 and 39.1666 x 60 = 2,350, of which 90%.
    m.bandwidth = {{.share = "variable", .together_with = {}, .amount = 100'00, .ppm = 900'000, .article = ""}};
    CHECK(line(pay(m, t, settled), "variable", Item::bandwidth).cents == std::vector<Cents>{3'915'00, -2'115'00});
    m.bandwidth[0].financed = true;  // net 1,800, 18 per adult
    CHECK(line(pay(m, t, settled), "variable", Item::bandwidth).cents == std::vector<Cents>{3'195'00, -3'195'00});
    m.bandwidth[0].together_with = {"ggz"};
    CHECK_THROWS_AS(pay(m, t, settled), ParameterError);
    m.bandwidth[0].together_with.clear();
    std::erase_if(m.steps, [](const params::Step& step) { return step.item == Item::scaling; });
    t.shares[0].cost.clear();
    CHECK_THROWS_AS(pay(m, t, settled), ShapeError);  // a bandwidth looks at cost, scaled or not
}

namespace {

/// Steps of one share for a stage, of any model.
void with_steps(params::Model& m, Stage stage, const std::string& share, const std::vector<Item>& items) {
    for (const Item item : items) m.steps.push_back({stage, share, item, "9"});
}

/// Random insured of a whole model year: class days, cost and heads per insurer.
Totals drawn(const params::Model& m, std::size_t insurers, std::mt19937_64& random) {
    const auto upto = [&](std::int64_t top) { return static_cast<Days>(random() % static_cast<std::uint64_t>(top)); };
    const auto classes = [&](const params::Share& share, Index more) {
        Index columns = more;
        for (const auto& c : risk::layout(share)) columns += c.size;
        ClassTotals totals{static_cast<Index>(insurers), columns};
        for (Index i = 0; i < totals.insurers(); ++i)
            for (Index k = 0; k < columns; ++k)
                if (upto(5) > 0) totals.add(i, k, upto(3'000'000));
        return totals;
    };
    Totals t;
    for (const auto& [name, share] : {std::pair{"variable", &m.variable}, {"ggz", &m.ggz}, {"nursing", &m.nursing}}) {
        if (share->criteria.empty()) continue;
        ShareTotals s{.share = name, .classes = classes(*share, 0), .abroad = {}, .cost = {}, .excess = {}};
        s.abroad = {s.classes.insurers(), s.classes.columns()};
        for (const auto& c : risk::layout(*share))
            for (Index i = 0; i < s.abroad.insurers(); ++i)
                s.abroad.add(i, c.offset, upto(s.classes.at(i, c.offset) + 1));
        for (std::size_t i = 0; i < insurers; ++i) {
            s.cost.push_back(upto(90'000'000'000));
            s.excess.push_back(upto(1'000'000'000'000'000));
        }
        t.shares.push_back(std::move(s));
    }
    t.deductible = classes(m.deductible, 1);
    for (std::size_t i = 0; i < insurers; ++i) {
        t.days.push_back(upto(90'000'000));
        t.adult_days.push_back(upto(t.days.back() + 1));
        t.detained_days.push_back(upto(1000));
        t.under_18.push_back(upto(50'000));
        t.cost_fixed.push_back(upto(1'000'000'000));
        t.fixed_history.push_back(1 + upto(1'000'000'000));
        t.own_payments_mandatory.push_back(upto(1'000'000'000));
        t.premium_forgone.push_back(upto(10'000));
        t.own_payments_forgone.push_back(upto(10'000));
    }
    return t;
}

}  // namespace

TEST_CASE("insured abroad count for the percentage, in the amount and in neutrality", "[payment][published]") {
    params::Model m = small();
    m.neutrality = {{"variable", "c", params::Neutrality::zero_sum, {0}, {}, "Beleidsregels 2015 18(2)"}};
    m.abroad = {{.criterion = "c", .ppm = 500'000}};
    // 20 of the 88 years in none are abroad: 78 count. -(8 x 400 + 4 x 900) / 78 = -87.179487. Normative amounts first
    // 40,000 - 100 x 28 + 800 and 60,000 - 5,000 + 6,000, then with the new weight for 28 and 50 years.
    Totals t = insured({{38, 2, 0}, {50, 6, 4}}, {50'000'00, 50'000'00});
    t.shares[0].abroad = {2, 4};
    t.shares[0].abroad.add(0, 0, 20 * 365);
    const Statement s = pay(m, t, settled);
    CHECK(s.shares[0].weights[0] == -87'179'487);
    CHECK(line(s, "variable", Item::normative).cents == std::vector<Cents>{38'000'00, 61'000'00});
    CHECK(line(s, "variable", Item::neutrality).cents ==
          std::vector<Cents>{38'358'97 - 38'000'00, 61'641'03 - 61'000'00});
    CHECK(s.shares[0].target == 100'000'00);  // zero-sum: 1,000 for each of 100
    const Counts counts = counted(m, t.shares[0]);
    CHECK(counts.days[0] * counts.numerator == 78 * 365 * counts.denominator);
    // Without a percentage the printed weight holds for them.
    m.abroad.clear();
    CHECK(line(pay(m, t, settled), "variable", Item::normative).cents == std::vector<Cents>{37'000'00, 61'000'00});
}

TEST_CASE("expected counts decide what class totals and offsets pay", "[payment][published]") {
    params::Model m = small();
    m.neutrality = {{"variable", "c", params::Neutrality::class_totals, {}, {}, "11(5)"}};
    const Totals t = insured({{38, 2, 0}, {50, 6, 4}}, {50'000'00, 50'000'00});
    Terms terms = settled;
    terms.expected = {Counts{{86 * 365, 10 * 365, 4 * 365, 100 * 365}, 1, 1}};
    const Statement s = pay(m, t, terms);
    CHECK(s.shares[0].weights == std::vector<MicroEuro>{-97'727'273, 500 * euro, 900 * euro, 1000 * euro});
    // As expected where it is not known otherwise: weights stay.
    CHECK(pay(m, t, settled).shares[0].weights[1] == 400 * euro);
    CHECK(pay(m, t, settled).shares[0].rounding_gap == 0);
    terms.rounding = Rounding::legal;
    const Statement legal = pay(m, t, terms);
    CHECK(legal.shares[0].weights[0] == -97'730'000);
    CHECK(legal.shares[0].rounding_gap == -24);  // 88 x -0.002727
}

TEST_CASE("a stage has the steps that the model lists, and a rule that the model lacks is no step",
          "[payment][published]") {
    const params::Model& m = params::nl_2021();
    std::mt19937_64 random{7};
    const Totals t = drawn(m, 3, random);
    const auto items = [&](Stage stage, const std::string& share, const params::Model& model) {
        std::vector<Item> found;
        for (const Line& l : pay(model, t, {.stage = stage, .expected = {}, .expected_deductible = {}}).lines)
            if (l.share == share) found.push_back(l.item);
        return found;
    };
    using enum Item;
    const std::vector<Item> without{normative, neutrality, scaling, flat_step};
    CHECK(items(Stage::first_provisional, "ggz", m) == without);  // art. 16(2)
    std::vector<Item> with = without;
    with.insert(with.end(), {high_cost_compensation, high_cost_financing});
    CHECK(items(Stage::second_provisional, "ggz", m) == with);
    CHECK(items(Stage::final, "ggz", m) == with);
    CHECK(items(Stage::final, "deductible", m) ==
          std::vector<Item>{expected_own_payments, own_payments_neutrality, own_payments_macro});
    CHECK(items(Stage::final, "deductible", params::nl_2021_structural()) ==
          std::vector<Item>{expected_own_payments, own_payments_neutrality});
    // Without compensation the weights of annex 2, with it those of annex 3.
    const auto first_weight = [&](Stage stage) {
        return pay(m, t, {.stage = stage, .expected = {}, .expected_deductible = {}}).shares[1].weights[0];
    };
    CHECK(first_weight(Stage::first_provisional) == m.ggz.criteria[0].classes[0].weight);
    CHECK(first_weight(Stage::final) == m.ggz_hcc.criteria[0].classes[0].weight);
    CHECK(first_weight(Stage::ex_ante) == m.ggz.criteria[0].classes[0].weight);
    CHECK(m.ggz.criteria[0].classes[0].weight != m.ggz_hcc.criteria[0].classes[0].weight);
}

TEST_CASE("the settlement of 2020 takes the weights of annexes 5, 3, 7 and 6 and its own forfait",
          "[payment][published]") {
    const params::Model& m = params::nl_2020();
    std::mt19937_64 random{8};
    const Totals t = drawn(m, 2, random);
    const auto weight = [&](Stage stage, std::size_t share, std::size_t k) {
        return pay(m, t, {.stage = stage, .expected = {}, .expected_deductible = {}}).shares.at(share).weights.at(k);
    };
    const auto first = [](const params::Share& share) { return share.criteria.at(0).classes.at(0).weight; };
    CHECK(weight(Stage::ex_ante, 0, 0) == first(m.variable));
    CHECK(weight(Stage::final, 0, 0) == first(m.variable_ex_post));
    CHECK(first(m.variable) != first(m.variable_ex_post));
    CHECK(weight(Stage::final, 1, 0) == first(m.ggz_hcc));
    CHECK(weight(Stage::first_provisional, 1, 0) == first(m.ggz_ex_post));
    const auto forfait = static_cast<std::size_t>(t.deductible.columns() - 1);
    CHECK(weight(Stage::ex_ante, 3, forfait) == 359'530'000);
    CHECK(weight(Stage::final, 3, forfait) == 359'910'000);
    // 366 days: one insured year of a man born in the year costs the printed weight.
    Totals one = drawn(m, 1, random);
    one.shares[0].classes = {1, one.shares[0].classes.columns()};
    one.shares[0].abroad = {};
    one.shares[0].classes.add(0, 0, 366);
    CHECK(line(pay(m, one, {}), "variable", Item::normative).cents == std::vector<Cents>{9'735'62});
}

TEST_CASE("2015: fixed cost by history, detained insured and the flanking policy", "[payment][published]") {
    const params::Model& m = params::nl_2015();
    std::mt19937_64 random{15};
    Totals t = drawn(m, 2, random);
    t.adult_days = {100 * 365, 300 * 365};
    t.detained_days = {10 * 365, 0};
    t.fixed_history = {1'000'00, 3'000'00};
    t.premium_forgone = {9'000'00, 0};
    t.own_payments_forgone = {500'00, 0};
    t.cost_fixed = {1'200'00, 2'900'00};
    // Ex ante EUR 419.6 million by history, 1 : 3. Premium 1,196 for 110 and 300, less 0.07443% of it.
    const Statement grant = pay(m, t, {});
    CHECK(line(grant, "fixed", Item::normative).cents == std::vector<Cents>{104'900'000'00, 314'700'000'00});
    CHECK(line(grant, "premium", Item::calculation_premium).cents == std::vector<Cents>{-131'560'00, -358'800'00});
    CHECK(line(grant, "premium", Item::detained).cents == std::vector<Cents>{97'92, 267'05});
    // The flanking policy came after the grant.
    for (const Statement::Share& share : grant.shares)
        if (share.name == "fixed") CHECK(share.macro_gap == 0);
    // Ex post history as it is, then the difference with cost; what was forgone instead of the percentage.
    const Statement paid = pay(m, t, settled);
    CHECK(line(paid, "fixed", Item::normative).cents == std::vector<Cents>{1'000'00, 3'000'00});
    CHECK(line(paid, "fixed", Item::settled_cost).cents == std::vector<Cents>{200'00, -100'00});
    CHECK(line(paid, "premium", Item::detained).cents == std::vector<Cents>{9'000'00, 0});
    CHECK(line(paid, "deductible", Item::detained).cents == std::vector<Cents>{500'00, 0});
    // Nothing known of detention: adults as given, and no such line.
    t.premium_forgone.clear();
    const Statement unknown = pay(m, t, settled);
    CHECK(line(unknown, "premium", Item::calculation_premium).cents == std::vector<Cents>{-119'600'00, -358'800'00});

    // Nursing before its bandwidth sums to N (3,151.2 - 37) / 3,151.2 (Bzv 1 bb, 3.12(2)), variable care to N.
    const auto before_band = [&](const std::string& share) {
        Cents sum = 0;
        for (const Item item : {Item::normative, Item::neutrality, Item::scaling, Item::flat_step})
            for (const Cents c : line(paid, share, item).cents) sum += c;
        return sum;
    };
    const auto normative_sum = [&](const std::string& share) {
        Cents sum = 0;
        for (const Item item : {Item::normative, Item::neutrality})
            for (const Cents c : line(paid, share, item).cents) sum += c;
        return sum;
    };
    CHECK(before_band("variable") == normative_sum("variable"));
    CHECK(static_cast<double>(before_band("nursing")) ==
          Approx(static_cast<double>(normative_sum("nursing")) * 3114.2 / 3151.2).epsilon(1e-9));
}

TEST_CASE("the bandwidth of 2015 settles what lies beyond 5 and 15 euros", "[payment][published]") {
    // Two insurers of 100 adults with equal normative amounts; cost of nursing EUR 20 apart per adult, so results -10 and
    // +10 around the mean: 95% of 5 x 100 = 475. Mental care EUR 40 apart: -20 and +20, 90% of 5 x 100 = 450.
    params::Model m = small();
    m.nursing = m.ggz = m.variable;
    m.bandwidth = params::nl_2015().bandwidth;
    m.flat_ppm_nursing = 1'000'000;
    using enum Item;
    for (const char* share : {"ggz", "nursing"})
        with_steps(m, Stage::final, share, {normative, scaling, flat_step, bandwidth});
    Totals t = insured({{100, 0, 0}, {100, 0, 0}}, {90'000'00, 90'000'00});
    t.shares.resize(3, t.shares[0]);
    t.shares[1].share = "ggz";
    t.shares[1].cost = {88'000'00, 84'000'00};
    t.shares[2].share = "nursing";
    t.shares[2].cost = {91'000'00, 89'000'00};
    const Statement s = pay(m, t, settled);
    CHECK(line(s, "ggz", bandwidth).cents == std::vector<Cents>{450'00, -450'00});
    CHECK(line(s, "nursing", bandwidth).cents == std::vector<Cents>{475'00, -475'00});
    // An insurer without adults has no result per adult (Bzv 3.17).
    t.adult_days[0] = 0;
    CHECK(line(pay(m, t, settled), "nursing", bandwidth).cents[0] == 0);
}

TEST_CASE("lines sum to contributions and shares to their targets, to the cent, in every year, stage and mode",
          "[payment][invariant]") {
    std::mt19937_64 random{1};
    int statements = 0;
    for (const auto* m : {&params::nl_2015(), &params::nl_2019(), &params::nl_2020(), &params::nl_2021(),
                          &params::nl_2021_structural()})
        for (int country = 0; country < 10; ++country) {
            const Totals t = drawn(*m, 1 + static_cast<std::size_t>(random() % 5), random);
            for (const Stage stage :
                 {Stage::ex_ante, Stage::first_provisional, Stage::second_provisional, Stage::final})
                for (const Rounding rounding : {Rounding::exact, Rounding::legal}) {
                    Terms terms{.stage = stage, .rounding = rounding, .expected = {}, .expected_deductible = {}};
                    for (const ShareTotals& s : t.shares) {
                        terms.expected.push_back(counted(*m, s));
                        for (Days& d : terms.expected.back().days) d += 1'000'000;
                    }
                    const Statement s = pay(*m, t, terms);
                    ++statements;
                    std::map<std::string, Cents> sums;
                    std::vector<Cents> contribution(t.days.size());
                    for (const Line& l : s.lines)
                        for (std::size_t i = 0; i < contribution.size(); ++i) {
                            contribution[i] += l.cents[i];
                            sums[l.share] += l.cents[i];
                        }
                    REQUIRE(contribution == s.contribution);
                    for (const Statement::Share& share : s.shares)
                        REQUIRE(sums.at(share.name) == (share.name == "deductible" ? -share.target : share.target));
                    // Scaling brings N to C, the flat step takes phi (C - N) back.
                    if (stage == Stage::final) {
                        const auto total = [&](Item item) {
                            const std::vector<Cents>& cents = line(s, "variable", item).cents;
                            return std::accumulate(cents.begin(), cents.end(), Cents{0});
                        };
                        const double phi = static_cast<double>(m->flat_ppm_variable) / 1e6;
                        REQUIRE(static_cast<double>(total(Item::flat_step)) ==
                                Approx(-phi * static_cast<double>(total(Item::scaling))).margin(1));
                    }
                }
        }
    CHECK(statements == 400);
}

TEST_CASE("merging insurers leaves the others where they were, to a cent a share", "[payment][invariant]") {
    params::Model m = params::nl_2021();
    std::mt19937_64 random{3};
    const auto merged = [](const ClassTotals& totals) {
        ClassTotals result{2, totals.columns()};
        for (Index i = 0; i < 3; ++i)
            for (Index k = 0; k < totals.columns(); ++k) result.add(std::min<Index>(i, 1), k, totals.at(i, k));
        return result;
    };
    const auto both = [](std::vector<std::int64_t>& v) {
        if (v.empty()) return;
        v[1] += v[2];
        v.pop_back();
    };
    for (int country = 0; country < 10; ++country) {
        const Totals three = drawn(m, 3, random);
        Totals two = three;
        for (ShareTotals& s : two.shares) {
            s.classes = merged(s.classes);
            s.abroad = merged(s.abroad);
            both(s.cost);
            both(s.excess);
        }
        two.deductible = merged(two.deductible);
        for (auto* column :
             {&two.days, &two.adult_days, &two.detained_days, &two.under_18, &two.cost_fixed, &two.fixed_history,
              &two.own_payments_mandatory, &two.premium_forgone, &two.own_payments_forgone})
            both(*column);
        const Statement a = pay(m, three, settled), b = pay(m, two, settled);
        const auto shares = static_cast<Cents>(a.shares.size() + 1);
        CHECK(std::abs(a.contribution[0] - b.contribution[0]) <= shares);
        CHECK(std::abs(a.contribution[1] + a.contribution[2] - b.contribution[1]) <= 2 * shares);
    }
}

TEST_CASE("one insurer, an insurer with nobody, one person, a class that emptied", "[payment][invariant]") {
    params::Model m = small();
    m.neutrality = {{"variable", "c", params::Neutrality::class_totals, {}, {}, "11(5)"}};
    CHECK(pay(m, insured({{88, 8, 4}}, {1'000'00}), settled).contribution == std::vector<Cents>{98'000'00});
    CHECK(pay(m, insured({{88, 8, 4}, {0, 0, 0}}, {1'000'00, 0}), settled).contribution ==
          std::vector<Cents>{98'000'00, 0});
    CHECK(pay(m, insured({{1, 0, 0}}, {77}), settled).contribution == std::vector<Cents>{900'00});
    Terms terms = settled;
    terms.expected = {Counts{{86, 10, 4, 100}, 1, 1}};
    const Statement s = pay(m, insured({{96, 0, 4}}, {1'000'00}), terms);
    CHECK(s.shares[0].weights[1] == 400 * euro);  // nobody left to pay the class's euros to
}

TEST_CASE("what cannot be paid is refused in one sentence that names it", "[payment][invariant]") {
    const params::Model m = small();
    const auto said = [](const params::Model& model, const Totals& totals, const Terms& terms) -> std::string {
        try {
            (void)pay(model, totals, terms);
        } catch (const Error& e) {
            return e.what();
        }
        return "nothing";
    };
    CHECK(said(m, insured({{0, 0, 0}}, {5}), settled) ==
          "pay: national normative amount of share variable, expected above 0, got 0 or less");
    CHECK(pay(m, insured({{0, 0, 0}}, {0}), settled).contribution == std::vector<Cents>{0});  // no insured, no cost
    CHECK(said(m, insured({{1, 0, 0}}), settled) == "pay: cost of share variable, expected 1, got 0");
    Totals t = insured({{1, 0, 0}}, {5});
    t.adult_days = {0};
    CHECK(said(m, t, settled) ==
          "pay: adults to spread the flat step of share variable over, expected above 0, got none");
    t.adult_days = {-1};
    CHECK(said(m, t, settled) == "pay: insured days or heads of an insurer, expected 0 or more, got -1");
    t = insured({{1, 0, 0}}, {5});
    t.shares[0].share = "dental";
    CHECK(said(m, t, settled) ==
          "pay: totals of share variable, expected one, got 0\npay: share, expected variable, ggz or nursing, got "
          "dental");
    t = insured({{1, 0, 0}}, {5});
    t.shares[0].classes = {1, 3};
    t.under_18 = {1, 2};
    CHECK(said(m, t, settled) ==
          "pay: class totals of share variable, expected 1 x 4, got 1 x 3\npay: under_18, expected "
          "1, got 2");
    CHECK(said(m, insured({}, {}), settled) == "pay: insurers, expected at least one, got none");
    CHECK(
        said(m, insured({{1, 0, 0}}), {.stage = Stage::first_provisional, .expected = {}, .expected_deductible = {}}) ==
        "small: steps of stage first_provisional, expected at least one, got none");
    params::Model odd = m;
    with_steps(odd, Stage::final, "fixed", {Item::scaling});
    CHECK(
        said(odd, insured({{1, 0, 0}}, {5}), settled) ==
        "small: step scaling of share fixed at stage final, expected a step of that share after those it rests on, got "
        "none that can be taken");
}

TEST_CASE("high cost: a top share of users, a threshold in euros, and two steps", "[payment][published]") {
    params::Model m = small();
    // Person 7 costs 1,000 at insurer 1 and 3,000 at insurer 0; person 8 costs 500; 9 repays 100. All stand for two.
    const std::vector<std::uint64_t> person{7, 8, 7, 9};
    const std::vector<std::int64_t> insurer{1, 1, 0, 0}, represents{2, 2, 2, 2};
    const std::vector<Cents> cost{1'000'00, 500'00, 3'000'00, -100'00};
    const PersonCosts costs{person, insurer, cost, represents};
    CHECK(excess(m, "variable", costs, 2).per_insurer == std::vector<std::int64_t>{0, 0});
    m.high_cost = {{.share = "variable", .threshold = 2'000'00, .ppm = 750'000, .article = ""}};
    // 75% of 2,000 for two, 3 : 1.
    Excess x = excess(m, "variable", costs, 2);
    CHECK(x.per_insurer == std::vector<std::int64_t>{2'250'00'000'000, 750'00'000'000});
    CHECK(x.users == 4);
    CHECK(x.above == 2);
    // 2026: 75% up to 3,000 and 90% above it: 750 + 900, for two 3,300.
    m.high_cost.push_back({.share = "variable", .threshold = 3'000'00, .ppm = 900'000, .article = ""});
    CHECK(excess(m, "variable", costs, 2).per_insurer == std::vector<std::int64_t>{2'475'00'000'000, 825'00'000'000});
    CHECK(excess(m, "ggz", costs, 2).per_insurer == std::vector<std::int64_t>{0, 0});
    // A top share of the users: half of four is person 7, whose cost is the threshold; all of them is person 8's.
    m.high_cost = {{.share = "variable", .top_per_myriad = 5'000, .ppm = 1'000'000, .article = ""}};
    x = excess(m, "variable", costs, 2);
    CHECK(x.threshold == std::vector<Cents>{4'000'00});
    CHECK(x.per_insurer == std::vector<std::int64_t>{0, 0});
    m.high_cost[0].top_per_myriad = 10'000;
    x = excess(m, "variable", costs, 2);
    CHECK(x.threshold == std::vector<Cents>{500'00});
    CHECK(x.per_insurer == std::vector<std::int64_t>{5'250'00'000'000, 1'750'00'000'000});
    m.high_cost[0].top_per_myriad = 4'999;  // one short of two insured: nobody
    CHECK(excess(m, "variable", costs, 2).above == 0);
}

TEST_CASE("excess does not depend on the order of rows and loses no millionth of a cent", "[payment][invariant]") {
    params::Model m = small();
    m.high_cost = {{.share = "variable", .threshold = 100'00, .ppm = 333'333, .article = ""}};
    std::mt19937_64 random{5};
    std::vector<std::uint64_t> person;
    std::vector<std::int64_t> insurer, represents;
    std::vector<Cents> cost;
    std::map<std::uint64_t, Cents> sums;
    for (int k = 0; k < 300; ++k) {
        person.push_back(random() % 100);
        insurer.push_back(static_cast<std::int64_t>(random() % 7));
        represents.push_back(3);
        cost.push_back(static_cast<Cents>(random() % 100'000) - 10'000);
        sums[person.back()] += cost.back();
    }
    const Excess x = excess(m, "variable", {person, insurer, cost, represents}, 7);
    std::int64_t whole = 0;
    for (const auto& [who, c] : sums)
        if (c > 100'00) whole += (c - 100'00) * 333'333 * 3;
    CHECK(std::accumulate(x.per_insurer.begin(), x.per_insurer.end(), std::int64_t{0}) == whole);
    std::reverse(person.begin(), person.end());
    std::reverse(insurer.begin(), insurer.end());
    std::reverse(cost.begin(), cost.end());
    CHECK(excess(m, "variable", {person, insurer, cost, represents}, 7).per_insurer == x.per_insurer);
}

TEST_CASE("rows of persons that cannot be are refused", "[payment][invariant]") {
    const std::vector<std::uint64_t> person{1, 1};
    const std::vector<std::int64_t> insurer{0, 2}, represents{1, 0}, two{1, 2}, fine{0, 0};
    const std::vector<Cents> cost{1, 1}, one{1};
    CHECK_THROWS_WITH(
        excess(small(), "variable", {person, insurer, cost, represents}, 2),
        "excess: insurer, expected 0..1, got 1 row (first: 1)\nexcess: represents, expected 1 or more, got 1 "
        "row (first: 1)");
    CHECK_THROWS_WITH(excess(small(), "variable", {person, fine, cost, two}, 2),
                      "excess: represents, expected one number for all rows of a person, got 1 row (first: 1)");
    CHECK_THROWS_AS(excess(small(), "variable", {person, fine, one, two}, 2), ShapeError);
    params::Model m = small();
    m.high_cost = {{.share = "variable", .threshold = 2, .ppm = 1, .article = ""},
                   {.share = "variable", .threshold = 1, .ppm = 1, .article = ""}};
    const std::vector<std::int64_t> once{1, 1};
    CHECK_THROWS_AS(excess(m, "variable", {person, fine, cost, once}, 2), ParameterError);
}
