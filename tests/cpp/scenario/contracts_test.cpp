// What insurers save of hospital production that falls, by contract, to the cent; several programmes of one run.
#include "mini_country.hpp"

#include <anderhalf/core/errors.hpp>

#include <catch2/catch.hpp>

#include <map>

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Act;
using substitution::Contract;
using substitution::ContractKind;
using substitution::Effect;
using substitution::Per;
using substitution::Programme;
using substitution::Rule;
using substitution::Substitution;

namespace {

/// The small country with rows that stand for one insured each, so that cents can be compared one by one.
Baseline make(const Options& options) {
    const Source many = mini::source();
    const Source ones{many.blocks, [many](Index k) {
                          data::Block block = many.block(k);
                          for (data::Record& r : block.records) r.represents = 1;
                          return block;
                      }};
    return make_baseline(ones, mini::scheme(), options, Run{});
}
const Baseline& baseline() {
    static const Baseline b = make(mini::options());
    return b;
}

/// Half of the hospital claims of specialism 1 move to the GP, and the others become a tenth cheaper; in municipality 1.
Programme programme() {
    Programme p;
    p.name = "rules";
    p.id = 8;
    p.start_year = mini::start;
    p.ramp_ppm = {1'000'000};
    p.municipalities = {1};
    Rule move;
    move.key = "move";
    move.act = Act::replace;
    move.claims.categories = {Category::hospital};
    move.share_ppm = 500'000;
    substitution::Consequence visit;
    visit.price = 30'00;
    visit.effect = Effect::replacement;
    move.with = {visit};
    Rule cheaper;
    cheaper.key = "cheaper";
    cheaper.act = Act::reprice;
    cheaper.per = Per::person;
    cheaper.claims = move.claims;
    cheaper.share_ppm = 1'000'000;
    cheaper.factor_ppm = 900'000;
    p.rules = {move, cheaper};
    return p;
}

Contract contract(ContractKind kind) {
    Contract c;
    c.hospital = "hospital";
    c.insurers = {10, 20};
    c.kind = kind;
    c.from_year = mini::start + 1;
    c.to_year = mini::start + 3;
    return c;
}

Outcome run(const std::vector<Programme>& programmes, int threads = 1) {
    std::vector<Substitution> s(programmes.begin(), programmes.end());
    return simulate(baseline(), s, survey(baseline(), s, Run{.threads = threads}), false, Run{.threads = threads});
}
Outcome run(const Programme& p) { return run(std::vector<Programme>{p}); }

using Cell = std::pair<std::int32_t, std::uint16_t>;  // year, insurer

/// Settled change of hospital claims, by year and insurer.
std::map<Cell, Cents> settled(const Outcome& o, bool rebase = false) {
    std::map<Cell, Cents> result;
    for (const MovementTotal& m : o.movements)
        if (m.category == Category::hospital && (m.effect == Effect::price_rebase) == rebase)
            result[{m.year, m.insurer}] += m.settled;
    return result;
}
std::map<Cell, Cents> claimed(const Outcome& o) {
    std::map<Cell, Cents> result;
    for (const MovementTotal& m : o.movements)
        if (m.category == Category::hospital) result[{m.year, m.insurer}] += m.claimed;
    return result;
}

bool bound(const Cell& cell) {
    return cell.second != 30 && cell.first >= mini::start + 1 && cell.first <= mini::start + 3;
}

/// Hospital claims of the baseline of one insurer in municipality 1.
Cents production(const Cell& cell) {
    const Panel& panel = *baseline().panel;
    Cents sum = 0;
    for (Index p = 0; p < panel.persons(); ++p) {
        const auto records = panel.records_of(p, cell.first);
        for (const data::Claim& c : panel.claims_of(p, cell.first))
            if (c.category == Category::hospital && c.insurer == cell.second && records.front().municipality == 1)
                sum += c.settled_cents;
    }
    return sum;
}

}  // namespace

TEST_CASE("fee and lump sum: each insurer saves its part of the fall, to the cent; claimed does not know it",
          "[scenario][contracts]") {
    const Outcome plain = run(programme());
    const auto fall = settled(plain);
    REQUIRE(fall.size() == 21);
    for (const ContractKind kind : {ContractKind::fee, ContractKind::lump_sum}) {
        Programme p = programme();
        p.contracts = {contract(kind)};
        p.contracts.front().pass_through_ppm = 333'333;
        p.pass_through_ppm = 1'000'000;
        const Outcome o = run(p);
        CHECK(claimed(o) == claimed(plain));
        for (const auto& [cell, cents] : settled(o))
            CHECK(cents == (bound(cell) ? -(-fall.at(cell) * 333'333 / 1'000'000) : fall.at(cell)));
        const std::vector<Substitution> s{Substitution{p}};
        const Area area = survey(baseline(), s);
        for (const YearOutcome& y : o.years) {
            const ArmYear pass = full_pass(baseline(), s, area, y.year);
            CHECK(pass.totals.own_payments == y.scenario.own_payments);
            Cents cost = 0;
            for (const Cents c : pass.totals.cost_variable) cost += c;
            CHECK(cost == y.scenario.variable_cost);
        }
    }
}

TEST_CASE("without a contract of its own an insurer saves the programme's share, claim by claim",
          "[scenario][contracts]") {
    const auto fall = settled(run(programme()));
    Programme p = programme();
    p.contracts = {contract(ContractKind::fee)};
    p.pass_through_ppm = 0;
    for (const auto& [cell, cents] : settled(run(p))) CHECK(cents == (bound(cell) ? fall.at(cell) : 0));
}

TEST_CASE("ceiling: only the fall below what is paid is saved", "[scenario][contracts]") {
    const auto fall = settled(run(programme()));
    bool some = false, none = false;
    for (const std::int64_t over : {std::int64_t{100'000}, std::int64_t{900'000}}) {
        Programme p = programme();
        p.contracts = {contract(ContractKind::ceiling)};
        p.contracts.front().over_ceiling_ppm = over;
        for (const auto& [cell, cents] : settled(run(p))) {
            if (!bound(cell)) {
                CHECK(cents == fall.at(cell));
                continue;
            }
            const Cents saved = std::max<Cents>(0, -fall.at(cell) - production(cell) * over / 1'000'000);
            CHECK(cents == -saved);
            (saved > 0 ? some : none) = true;
        }
    }
    CHECK(some);
    CHECK(none);
}

TEST_CASE("price rebase: part of the lost revenue comes back in later prices, to the cent, and is claimed by nobody",
          "[scenario][contracts]") {
    Programme p = programme();
    p.contracts = {contract(ContractKind::price_rebase)};
    Contract& c = p.contracts.front();
    c.pass_through_ppm = 800'000;
    c.rebase_ppm = 400'001;
    c.rebase_years = 3;
    const Outcome o = run(p);
    CHECK(claimed(o) == claimed(run(programme())));
    const auto saved = settled(o);
    std::map<Cell, Cents> due;
    for (const auto& [cell, cents] : saved)
        if (bound(cell)) {
            const Cents won = -cents * 400'001 / 1'000'000;
            for (std::int32_t j = 1; j <= 3; ++j)
                if (cell.first + j < mini::start + mini::horizon)
                    due[{cell.first + j, cell.second}] += won * j / 3 - won * (j - 1) / 3;
        }
    CHECK(settled(o, true) == due);
    REQUIRE(due.size() >= 8);
    // It is cost of the insurer and of no class: whoever has hospital care left pays, and own payments stay.
    const Outcome without = [&] {
        Programme q = p;
        q.contracts.front().rebase_ppm = 0;
        return run(q);
    }();
    for (std::size_t k = 0; k < o.years.size(); ++k) {
        Cents more = 0;
        for (const auto& [cell, cents] : due)
            if (cell.first == o.years[k].year) more += cents;
        CHECK(o.years[k].scenario.variable_cost - without.years[k].scenario.variable_cost == more);
        CHECK(o.years[k].scenario.own_payments == without.years[k].scenario.own_payments);
        CHECK(o.years[k].scenario_mhk == without.years[k].scenario_mhk);
    }
    const std::vector<Substitution> s{Substitution{p}};
    const Area area = survey(baseline(), s);
    for (const YearOutcome& y : o.years) {
        Cents cost = 0;
        for (const Cents cents : full_pass(baseline(), s, area, y.year).totals.cost_variable) cost += cents;
        CHECK(cost == y.scenario.variable_cost);
    }
}

TEST_CASE("who pays a dearer price is not reached by it; where no hospital care is left, no price wins anything back",
          "[scenario][contracts]") {
    Programme p = programme();
    p.rules.resize(1);
    const Outcome plain = run(p);
    p.contracts = {contract(ContractKind::price_rebase)};
    const Outcome o = run(p);
    CHECK(!settled(o, true).empty());
    for (std::size_t k = 0; k < o.years.size(); ++k) CHECK(o.years[k].reached == plain.years[k].reached);
    p.rules.front().share_ppm = 1'000'000;
    const Outcome all = run(p);
    CHECK(settled(all) == claimed(all));
    CHECK(settled(all, true).empty());
}

TEST_CASE("two contracts of one insurer, area and year are refused; after each other they are not",
          "[scenario][contracts]") {
    Programme one = programme(), two = programme();
    two.id = 9;
    one.contracts = {contract(ContractKind::fee)};
    two.contracts = {contract(ContractKind::ceiling)};
    CHECK_THROWS_AS(run({one, two}), ParameterError);
    two.municipalities = {2};
    CHECK_NOTHROW(run({one, two}));
    two.municipalities = {1};
    two.contracts.front().insurers = {30};
    CHECK_NOTHROW(run({one, two}));
    two.contracts.front().insurers = {};
    CHECK_THROWS_AS(run({one, two}), ParameterError);
    two.contracts.front().from_year = mini::start + 4;
    two.contracts.front().to_year = mini::start + 5;
    CHECK_NOTHROW(run({one, two}));
    two.id = one.id;
    CHECK_THROWS_AS(run({one, two}), ParameterError);
    CHECK_THROWS_AS(run(std::vector<Programme>{}), ParameterError);
}

TEST_CASE("an insurer that nobody has is refused, in a programme and in a contract", "[scenario][contracts]") {
    Programme p = programme();
    p.insurers = {10, 15};
    p.contracts = {contract(ContractKind::fee)};
    p.contracts.front().insurers = {20, 999};
    CHECK_THROWS_WITH(run(p), Catch::Contains("got 15") && Catch::Contains("got 999"));
}

TEST_CASE("a contract of one programme holds for the others of the run", "[scenario][contracts]") {
    Programme other = mini::programme();
    other.municipalities = {1};
    other.insurers = {};
    Programme bare = programme();
    bare.rules.resize(1);
    bare.rules.front().share_ppm = 0;  // nothing but its contract
    bare.contracts = {contract(ContractKind::lump_sum)};
    bare.contracts.front().pass_through_ppm = 0;
    const auto fall = settled(run(other));
    for (const auto& [cell, cents] : settled(run({bare, other}))) CHECK(cents == (bound(cell) ? 0 : fall.at(cell)));
}

TEST_CASE("programmes on the same claims: overlap counts once, the order decides who takes, threads do not",
          "[scenario][contracts]") {
    Programme one = programme(), two = programme();
    one.rules.resize(1);
    two.rules.resize(1);
    two.id = 9;
    two.name = "again";
    one.rules.front().share_ppm = two.rules.front().share_ppm = 1'000'000;
    const Outcome alone = run(one), both = run({one, two}), turned = run({two, one}, 2);
    CHECK(settled(both) == settled(alone));
    CHECK(settled(turned) == settled(alone));
    for (const MovementTotal& m : both.movements) CHECK(m.programme == 0);
    CHECK(both.patients == alone.patients);
    one.rules.front().share_ppm = 500'000;
    const Outcome some = run({one, two}), threaded = run({one, two}, 2);
    CHECK(settled(some) == settled(alone));
    std::int64_t first = 0, second = 0;
    for (const MovementTotal& m : some.movements)
        if (m.effect == Effect::avoided) (m.programme == 0 ? first : second) += m.claims;
    CHECK(first > 50);
    CHECK(second > 50);
    REQUIRE(some.movements.size() == threaded.movements.size());
    for (std::size_t k = 0; k < some.movements.size(); ++k) {
        CHECK(some.movements[k].settled == threaded.movements[k].settled);
        CHECK(some.movements[k].rule == threaded.movements[k].rule);
    }
    for (std::size_t k = 0; k < some.years.size(); ++k) CHECK(some.years[k].scenario == threaded.years[k].scenario);
}

TEST_CASE("the null programme of rules posts both sides under every contract and changes nothing",
          "[scenario][contracts]") {
    for (const ContractKind kind :
         {ContractKind::fee, ContractKind::ceiling, ContractKind::lump_sum, ContractKind::price_rebase}) {
        Programme p = programme();
        p.same_product = true;
        p.contracts = {contract(kind)};
        p.contracts.front().pass_through_ppm = 100'000;
        p.contracts.front().over_ceiling_ppm = 50'000;
        const Outcome o = run(p);
        CHECK(o.patients > 1'000);
        Cents avoided = 0, replaced = 0;
        for (const MovementTotal& m : o.movements) (m.effect == Effect::avoided ? avoided : replaced) += m.settled;
        CHECK(avoided < -1'000'00);
        CHECK(avoided + replaced == 0);
        for (const YearOutcome& y : o.years) CHECK(y.baseline == y.scenario);
    }
}

TEST_CASE("onset: only those without such a claim in an earlier year that is kept", "[scenario][contracts]") {
    Programme p = programme();
    p.rules.resize(1);
    p.rules.front().share_ppm = 1'000'000;
    p.rules.front().start_after = 2;
    p.rules.front().who.onset = p.rules.front().claims;
    const Panel& panel = *baseline().panel;
    std::map<std::int32_t, Cents> expected;
    for (Index q = 0; q < panel.persons(); ++q) {
        std::int32_t first = 0;
        for (std::int32_t t = mini::start; t < mini::start + mini::horizon; ++t)
            for (const data::Claim& c : panel.claims_of(q, t)) {
                if (c.category != Category::hospital) continue;
                if (first == 0) first = t;
                if (first >= mini::start + 2 && panel.records_of(q, t).front().municipality == 1)
                    expected[t] -= c.settled_cents;
            }
    }
    std::map<std::int32_t, Cents> seen;
    for (const MovementTotal& m : run(p).movements)
        if (m.effect == Effect::avoided) seen[m.year] += m.settled;
    CHECK(seen == expected);
    CHECK(expected.size() == 5);
}

TEST_CASE("onset does not look before the first simulated year, whatever else a panel keeps", "[scenario][contracts]") {
    Programme p = programme();
    p.rules.resize(1);
    p.rules.front().start_after = 1;
    p.rules.front().who.onset = p.rules.front().claims;
    p.start_year = mini::start + 2;
    Options o = mini::options();
    o.start = p.start_year;
    o.horizon = mini::horizon - 2;
    const std::vector<Substitution> s{Substitution{p}};
    const auto movements = [&](const Baseline& b) { return simulate(b, s, survey(b, s), false, Run{}).movements; };
    const auto anew = movements(make(o));
    CHECK(!anew.empty());
    CHECK(movements(make_baseline(baseline(), o, Run{})) == anew);
}

TEST_CASE("after the end claims are those of the baseline; a hand-over moves the area and its cost",
          "[scenario][contracts]") {
    Programme p = programme();
    p.end_year = mini::start + 3;
    p.running_cents_per_insured_year_ppm = 150'000'000;
    p.hand_over_year = mini::start + 2;
    p.hand_over_municipalities = {2};
    const Outcome o = run(p);
    Programme later = programme();
    later.municipalities = {2};
    later.running_cents_per_insured_year_ppm = 150'000'000;
    const Outcome in_two = run(later), in_one = run(programme());
    for (const auto& [cell, cents] : settled(o)) {
        CHECK(cell.first <= mini::start + 3);
        CHECK(cents == settled(cell.first < mini::start + 2 ? in_one : in_two).at(cell));
    }
    CHECK(settled(o).size() == 12);
    for (std::size_t k = 0; k < o.years.size(); ++k) {
        const auto& cost = o.years[k].scenario.programme_cost;
        if (k >= 2 && k <= 3) CHECK(cost == in_two.years[k].scenario.programme_cost);
        if (k > 3) CHECK(cost == std::vector<Cents>(3, 0));
    }
}
