#include "mini_country.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/scenario.hpp>

#include <catch2/catch.hpp>

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Programme;
using substitution::Substitution;

namespace {

/// The mini country with nursing, and a third and a fourth municipality; a few persons move between them.
data::Block rich_block(std::uint64_t first, std::uint64_t count) {
    const Philox philox{7, 78};
    const data::Block plain = mini::block(first, count);
    data::Block b{plain.records, {}};
    for (data::Record& r : b.records) {
        const auto draw = philox(r.person);
        r.municipality = static_cast<std::uint16_t>(1 + draw[0] % 4);
        if (draw[1] % 17 == 0 && r.first_day >= first_day_of(2024)) r.municipality = 3;
    }
    std::size_t c = 0;
    for (std::size_t r = 0; r < b.records.size(); ++r) {
        const std::int32_t year = year_of(b.records[r].first_day);
        std::uint32_t rank = 0;
        for (; c < plain.claims.size() && plain.claims[c].person == b.records[r].person &&
               year_of(plain.claims[c].opened) == year;
             ++c) {
            b.claims.push_back(plain.claims[c]);
            rank = std::max(rank, plain.claims[c].claim + 1);
        }
        const auto draw = philox(b.records[r].person, static_cast<std::uint64_t>(year));
        const bool last = r + 1 == b.records.size() || b.records[r + 1].person != b.records[r].person ||
                          year_of(b.records[r + 1].first_day) != year;
        if (!last || draw[0] % 3 != 0) continue;
        const mini::Care nursing{.category = Category::nursing,
                                 .cents = static_cast<std::int32_t>(30'000 + draw[1] % 900'000)};
        mini::claim(b, b.records[r], first_day_of(year) + 200, rank, nursing);
    }
    return b;
}
Source rich() {
    return {10, [](Index k) { return rich_block(static_cast<std::uint64_t>(k) * 200, 200); }};
}

std::shared_ptr<const risk::Scheme> scheme(bool memory) {
    params::Model m = params::nl_2021_structural();
    m.name = "mini";
    mini::keep(m.variable, {"age_sex", "dkg", "mhk", "mvv"});
    mini::keep(m.ggz, {"ggz_age_sex", "ggz_mhk"});
    mini::keep(m.ggz_hcc, {"ggz_age_sex", "ggz_mhk"});
    mini::keep(m.deductible, {"age_sex", "mhk"});
    mini::criterion(m.variable, "dkg").data_years = {1};
    m.morbidity_criteria = {"dkg"};
    m.high_cost.at(0).top_per_myriad = 500;
    std::erase_if(m.neutrality, [](const auto& r) {
        return r.criterion != "dkg" && r.criterion != "mhk" && r.criterion != "ggz_mhk" && r.criterion != "mvv";
    });
    if (memory) {
        params::Criterion hsm;
        hsm.name = "hsm";
        hsm.classes.resize(2);
        hsm.classes.back().code = 1;
        hsm.data_years = {3};
        hsm.of = {"dkg", "mhk", "mvv"};
        m.variable.criteria.push_back(hsm);
    }
    return std::make_shared<const risk::Scheme>(m, mini::mapping());
}

Options options(std::int64_t band = 40) {
    Options o = mini::options();
    o.estimates = false;  // a few classes of a thousand persons are empty in some years
    o.keep = {3};
    o.band_insured = band;
    return o;
}

Programme programme() {
    Programme p = mini::programme();
    p.municipalities = {3};
    p.patients_ppm = 60'000;
    return p;
}

Outcome run(const Baseline& b, const Programme& p, int threads = 1) {
    const std::vector<Substitution> s{Substitution{p}};
    return simulate(b, s, survey(b, s), true, Run{.threads = threads});
}

void check_equal(const Baseline& lean, const Baseline& full) {
    REQUIRE(lean.years.size() == full.years.size());
    for (std::size_t k = 0; k < full.years.size(); ++k) {
        INFO(full.years[k].year);
        CHECK(lean.years[k].totals == full.years[k].totals);
        CHECK(lean.years[k].moments == full.years[k].moments);
        CHECK(lean.years[k].fit.coefficients == full.years[k].fit.coefficients);
        CHECK(lean.years[k].insured_rows == full.years[k].insured_rows);
        CHECK(lean.years[k].municipality_days == full.years[k].municipality_days);
        CHECK(lean.years[k].mental_cost == full.years[k].mental_cost);
    }
    for (std::size_t y = 0; y < full.cost_years.size(); ++y) {
        INFO(y);
        CHECK(lean.cost_years[y].insured == full.cost_years[y].insured);
        CHECK(lean.cost_years[y].adults == full.cost_years[y].adults);
        CHECK(lean.cost_years[y].ggz_users == full.cost_years[y].ggz_users);
        CHECK(lean.cost_years[y].ranked_mhk == full.cost_years[y].ranked_mhk);
        CHECK(lean.cost_years[y].lines.mhk == full.cost_years[y].lines.mhk);
        CHECK(lean.cost_years[y].lines.ggz_mhk == full.cost_years[y].lines.ggz_mhk);
        CHECK(lean.nursing[y].lines.mvv == full.nursing[y].lines.mvv);
        CHECK(lean.nursing[y].insured_adults == full.nursing[y].insured_adults);
    }
    CHECK(lean.category_cost == full.category_cost);
    CHECK(lean.panel->persons_read == full.panel->persons());
    CHECK(lean.panel->records_read == static_cast<std::int64_t>(full.panel->records.size()));
    CHECK(lean.panel->claims_read == full.panel->claims_read);
}

/// Every band is a stretch of the whole ranking, and says rightly how many lie above it.
void check_band(const Ranking& lean, const Ranking& full, const Baseline& a, const Baseline& b) {
    const std::vector<risk::Ranked>& all = full.front().persons;
    std::int64_t last = -1;
    for (const Band& band : lean) {
        REQUIRE(!band.persons.empty());
        const auto first = std::lower_bound(all.begin(), all.end(), band.persons.front());
        std::int64_t above = 0;
        for (auto k = all.begin(); k != first; ++k) above += k->represents;
        CHECK(band.above == above);
        CHECK(above > last);
        last = above;
        CHECK(band.top == (first == all.begin()));
        CHECK(band.bottom == (first + static_cast<std::ptrdiff_t>(band.persons.size()) == all.end()));
        for (std::size_t k = 0; k < band.persons.size(); ++k) {
            const risk::Ranked& mine = band.persons[k];
            const risk::Ranked& other = first[static_cast<std::ptrdiff_t>(k)];
            CHECK((mine.cost == other.cost && mine.key == other.key && mine.represents == other.represents));
            CHECK(a.panel->person[mine.index] == b.panel->person[other.index]);
        }
    }
}

}  // namespace

TEST_CASE("a lean baseline is the whole one, to the bit, and so is what a programme does in it", "[scenario][oracle]") {
    const bool memory = GENERATE(false, true);
    const bool rescaled = GENERATE(false, true);
    Options o = options();
    if (rescaled) o.threshold_ppm = 1'150'000;
    Options all = o;
    all.keep.clear();
    const Baseline full = make_baseline(rich(), scheme(memory), all, Run{});
    const Baseline lean = make_baseline(rich(), scheme(memory), o, Run{});
    CHECK(lean.lean());
    check_equal(lean, full);
    CHECK(lean.panel->persons() < full.panel->persons());
    CHECK(lean.panel->claims.size() < full.panel->claims.size() / 3);
    for (std::int32_t t = mini::start; t < mini::start + mini::horizon; ++t) {
        const auto y = static_cast<std::size_t>(t - mini::first_year);
        CHECK(!lean.cost_years[y].mhk.empty());
        check_band(lean.cost_years[y].mhk, full.cost_years[y].mhk, lean, full);
        check_band(lean.cost_years[y].ggz, full.cost_years[y].ggz, lean, full);
        check_band(lean.nursing[y].adults, full.nursing[y].adults, lean, full);
    }
    Programme p = programme();
    const bool others = GENERATE(false, true);
    if (others)  // mental care and nursing follow: all three kinds of line move
        p.downstream = {{.category = Category::ggz, .price = 900'00, .probability_ppm = 150'000},
                        {.category = Category::nursing, .price = 2'500'00, .probability_ppm = 100'000}};
    const Outcome expected = run(full, p), found = run(lean, p);
    CHECK(expected.touched_person_years > 100);
    for (const YearOutcome& y : found.years) CHECK(!y.full_pass);
    CHECK(found == expected);
    CHECK(run(lean, p, 2) == expected);
    CHECK(run(lean, p, 7) == expected);
    CHECK(make_baseline(rich(), scheme(memory), o, Run{.threads = 7}).years.back().totals == full.years.back().totals);
}

TEST_CASE("a line that leaves its band is found by a full pass over the source, and the outcome says so",
          "[scenario][oracle]") {
    Options all = options();
    all.keep.clear();
    const Baseline full = make_baseline(rich(), scheme(false), all, Run{});
    const Baseline narrow = make_baseline(rich(), scheme(false), options(1), Run{});
    Programme p = programme();
    SECTION("nursing is added, hospital care avoided") {
        p.downstream = {{.category = Category::nursing, .price = 9'000'00, .probability_ppm = 900'000}};
    }
    SECTION("one criterion alone: nursing costs a third") {
        p.lines.clear();
        substitution::Rule cheaper;
        cheaper.key = "cheaper";
        cheaper.claims.categories = {Category::nursing};
        cheaper.act = substitution::Act::reprice;
        cheaper.share_ppm = 1'000'000;
        cheaper.factor_ppm = 300'000;
        p.rules = {cheaper};
    }
    Outcome expected = run(full, p);
    const Outcome found = run(narrow, p);
    CHECK(!found.years.front().full_pass);  // classes of the first year look at care before the programme
    CHECK(found.years.back().full_pass);
    for (std::size_t k = 0; k < expected.years.size(); ++k) expected.years[k].full_pass = found.years[k].full_pass;
    CHECK(found == expected);
}

TEST_CASE("years of the source beyond those simulated change nothing of a lean baseline", "[scenario][oracle]") {
    Options o = options();
    o.horizon = mini::horizon - 1;
    Options all = o;
    all.keep.clear();
    const Baseline full = make_baseline(rich(), scheme(false), all, Run{});
    const Baseline lean = make_baseline(rich(), scheme(false), o, Run{});
    Programme p = programme();
    p.downstream = {{.category = Category::nursing, .price = 2'500'00, .probability_ppm = 100'000}};
    const Outcome found = run(lean, p);
    for (const YearOutcome& y : found.years) CHECK(!y.full_pass);
    CHECK(found == run(full, p));
}

TEST_CASE("a lean baseline refuses what it does not keep", "[scenario][errors]") {
    const Baseline lean = make_baseline(rich(), scheme(false), options(), Run{});
    Programme p = programme();
    p.municipalities = {3, 4, 2};
    const std::vector<Substitution> outside{Substitution{p}};
    CHECK_THROWS_WITH(survey(lean, outside),
                      Catch::Contains("among the 1 that the baseline keeps") && Catch::Contains("also 2, 4"));
    p.municipalities.clear();
    CHECK_THROWS_WITH(survey(lean, std::vector<Substitution>{Substitution{p}}), Catch::Contains("the whole country"));
    const std::vector<Substitution> inside{Substitution{programme()}};
    const Area area = survey(lean, inside);
    CHECK_THROWS_WITH(simulate(lean, outside, area, false, Run{}), Catch::Contains("also 2, 4"));
    CHECK_THROWS_WITH(full_pass(lean, inside, area, mini::start), Catch::Contains("keeps everybody"));
    Options o = options(0);
    CHECK_THROWS_WITH(make_baseline(rich(), scheme(false), o, Run{}), Catch::Contains("either side of a line"));
    o = options();
    o.keep = {4};
    CHECK_THROWS_WITH(make_baseline(lean, o, Run{}), Catch::Contains("municipalities kept"));
}

TEST_CASE("a lean baseline under other options is one built anew", "[scenario][invariant]") {
    const Baseline lean = make_baseline(rich(), scheme(false), options(), Run{});
    Options o = options();
    o.threshold_ppm = 900'000;
    const Baseline other = make_baseline(lean, o, Run{});
    Options all = o;
    all.keep.clear();
    check_equal(other, make_baseline(rich(), scheme(false), all, Run{}));
    CHECK(other.lean());
}

TEST_CASE("the small delta gives the bits of a full pass where mental care, nursing and memory of classes move",
          "[scenario][oracle]") {
    Options o = options();
    o.keep.clear();
    o.macro = MacroRule::fixed;
    const bool memory = GENERATE(false, true);
    const Baseline b = make_baseline(rich(), scheme(memory), o, Run{});
    Programme p = programme();
    p.downstream = {{.category = Category::ggz, .price = 900'00, .probability_ppm = 700'000},
                    {.category = Category::nursing, .price = 2'500'00, .probability_ppm = 400'000}};
    p.running_cents_per_insured_year_ppm = p.investment = 0;
    SECTION("one municipality") {}
    SECTION("the nation") { p.municipalities.clear(); }
    SECTION("one person") {
        p.patients_ppm = 900;
        p.ramp_ppm = {1'000'000};
    }
    const std::vector<Substitution> s{Substitution{p}};
    const Area area = survey(b, s);
    const Outcome out = simulate(b, s, area, true, Run{});
    CHECK(out.touched_person_years > 0);
    if (p.patients_ppm == 900) CHECK(out.touched_person_years < 20);
    Baseline changed = b;  // what is settled with is what a full pass counts
    for (const YearOutcome& y : out.years)
        changed.years[static_cast<std::size_t>(y.year - b.first_class_year)].totals =
            full_pass(b, s, area, y.year).totals;
    const auto& last = changed.years.back().totals;
    if (p.patients_ppm != 900) CHECK(!(last.ggz == b.years.back().totals.ggz));
    if (p.patients_ppm != 900) CHECK(!(last.variable == b.years.back().totals.variable));
    for (const YearOutcome& y : out.years) {
        INFO(y.year);
        CHECK(y.scenario == settle_baseline(changed, y.year));
    }
}
