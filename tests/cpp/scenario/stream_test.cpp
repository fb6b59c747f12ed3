#include <anderhalf/core/errors.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/scenario.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "mini_country.hpp"

using namespace anderhalf;
using namespace anderhalf::scenario;

namespace {

/// The mini country with nursing, insured abroad, a big address and round prices, so that many stand on a line together.
data::Block block(Index k, std::uint64_t persons, Cents step) {
    data::Block b = mini::block(static_cast<std::uint64_t>(k) * persons, persons);
    for (data::Record& r : b.records) {
        if (r.person % 9 == 0) r.region = 0;
        if (r.person > 20 && r.person <= 60) r.address = 21;
    }
    for (data::Claim& c : b.claims) {
        if (c.category == Category::drugs && c.person % 2 == 0) c.category = Category::nursing;
        c.claimed_cents = static_cast<std::int32_t>((c.claimed_cents + step - 1) / step * step);
        c.settled_cents = c.person % 5 == 0 ? c.claimed_cents - c.claimed_cents / 10 : c.claimed_cents;
    }
    return b;
}

Source source(Index blocks = 4, Cents step = 1) {
    return {blocks, [=](Index k) { return block(k, static_cast<std::uint64_t>(600 / blocks), step); }};
}

risk::Mapping mapping(const params::Model& model) {
    risk::Mapping m = mini::mapping();
    if (model.year == 2015) m.nursing_region = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    else if (model.year < 2021)
        for (auto& d : m.diagnoses) {
            d.dkg_primary = d.dkg;
            d.dkg_secondary = d.dkg / 3;
            d.dkg = 0;
        }
    return m;
}

/// 2021 with HSM: DKG or MHK three years ago, and MVV of then.
params::Model with_hsm() {
    params::Model m = params::nl_2021_structural();
    params::Criterion hsm;
    hsm.name = "hsm";
    hsm.data_years = {3};
    hsm.of = {"dkg", "mhk", "mvv"};
    hsm.classes.resize(2);
    hsm.classes[1].code = 1;
    m.variable.criteria.push_back(hsm);
    return m;
}

Options options() {
    Options o = mini::options();
    o.estimates = false;
    return o;
}

void check_equal(const Baseline& b, const Streamed& s) {
    const ArmYear& arm = b.arm(s.year);
    CHECK(s.totals.variable == arm.totals.variable);
    CHECK(s.totals.ggz == arm.totals.ggz);
    CHECK(s.totals.ggz_excess == arm.totals.ggz_excess);
    CHECK(s.totals == arm.totals);
    REQUIRE(arm.moments.columns() > 0);
    CHECK(s.moments == arm.moments);
    for (const NationalLine& line : s.lines) {
        INFO(line.criterion << " " << line.year << " " << line.top_per_myriad);
        const std::size_t y = static_cast<std::size_t>(line.year - b.options.first_year);
        const std::size_t own = static_cast<std::size_t>(line.year - s.first_year);
        std::int64_t above = 0, on = 0;
        const auto count = [&](const Ranking& ranking) {
            for (const risk::Ranked& r : ranking.front().persons) {
                if (r.cost > line.line.cost) above += r.represents;
                if (r.cost == line.line.cost) on += r.represents;
            }
        };
        if (line.criterion == "mhk") {
            CHECK(s.cost_lines[own].mhk == b.cost_years[y].lines.mhk);
            count(b.cost_years[y].mhk);
        } else if (line.criterion == "ggz_mhk") {
            CHECK(s.cost_lines[own].ggz_mhk == b.cost_years[y].lines.ggz_mhk);
            count(b.cost_years[y].ggz);
        } else {
            CHECK(s.sum_lines[own].mvv == b.nursing[y].lines.mvv);
            count(line.code == b.scheme->mvv_child_code() ? b.nursing[y].children : b.nursing[y].adults);
        }
        CHECK(line.above == above);
        CHECK(line.on == on);
    }
    CHECK(s.persons > 400);
    CHECK(s.claims > 0);
}

}  // namespace

TEST_CASE("a streamed year is that of the panel in memory, bit for bit", "[scenario][stream][oracle]") {
    for (const params::Model& model : std::vector<params::Model>{params::nl_2021_structural(), params::nl_2020(),
                                                                 params::nl_2019(), params::nl_2015(), with_hsm()})
        for (const Cents step : {1, 20'000})  // prices of their own; many on a line
            for (const std::uint64_t seed : {5U, 6U}) {
                const auto scheme = std::make_shared<const risk::Scheme>(model, mapping(model));
                Options o = options();
                o.seed = seed;
                const Baseline b = make_baseline(source(4, step), scheme, o, Run{});
                for (const std::int32_t year : {2021, 2023}) {
                    INFO(model.name << " " << step << " " << year << " seed " << seed);
                    const Streamed s = stream(source(4, step), *scheme, o, year, Run{});
                    check_equal(b, s);
                    CHECK(s.held > 0);
                }
            }
}

TEST_CASE("threads and blocks leave no trace in a streamed year", "[scenario][stream][invariant]") {
    const params::Model& model = params::nl_2021_structural();
    const risk::Scheme scheme{model, mapping(model)};
    const Streamed one = stream(source(4, 20'000), scheme, options(), 2022, Run{});
    for (const int threads : {1, 2, 5})
        for (const Index blocks : {1, 6, 60}) {
            INFO(threads << " threads, " << blocks << " blocks");
            const Streamed other = stream(source(blocks, 20'000), scheme, options(), 2022, Run{.threads = threads});
            CHECK(other.totals == one.totals);
            CHECK(other.moments == one.moments);
            CHECK(other.moments.bytes() == one.moments.bytes());
            CHECK(other.lines == one.lines);
            CHECK(other.class_persons == one.class_persons);
            CHECK(other.high_cost == one.high_cost);
            CHECK(other.persons == one.persons);
            CHECK(other.records == one.records);
            CHECK(other.insured == one.insured);
            CHECK(other.claims == one.claims);
        }
}

TEST_CASE("thresholds times a factor hold in a streamed year too", "[scenario][stream][oracle]") {
    const params::Model& model = params::nl_2021_structural();
    const auto scheme = std::make_shared<const risk::Scheme>(model, mapping(model));
    for (const std::int64_t ppm : {700'000, 1'000'001, 1'300'000, 3}) {
        INFO(ppm);
        Options o = options();
        o.threshold_ppm = ppm;
        check_equal(make_baseline(source(4, 100), scheme, o, Run{}), stream(source(4, 100), *scheme, o, 2021, Run{}));
    }
}

TEST_CASE("a year with more years around it, nobody with cost, and everybody with the same",
          "[scenario][stream][oracle]") {
    const params::Model& model = params::nl_2021_structural();
    const auto scheme = std::make_shared<const risk::Scheme>(model, mapping(model));
    const auto changed = [](auto&& change) {
        return Source{4, [change](Index k) {
                          data::Block b = block(k, 150, 1);
                          for (data::Claim& c : b.claims) change(c);
                          return b;
                      }};
    };
    const std::vector<Source> countries{
        changed([](data::Claim& c) { c.claimed_cents = c.settled_cents = 0; }),
        changed([](data::Claim& c) { c.claimed_cents = c.settled_cents = -500; }),
        changed([](data::Claim& c) { c.claimed_cents = c.settled_cents = 2'000'000'000; }),
        changed([](data::Claim& c) { c.claimed_cents = c.settled_cents = 40'000; })};
    for (std::size_t k = 0; k < countries.size(); ++k) {
        INFO(k);
        check_equal(make_baseline(countries[k], scheme, options(), Run{}),
                    stream(countries[k], *scheme, options(), 2022, Run{.threads = 2}));
    }
}

TEST_CASE("rows that stand for more insured than a line has room for", "[scenario][stream][oracle]") {
    const params::Model& model = params::nl_2021_structural();
    const auto scheme = std::make_shared<const risk::Scheme>(model, mapping(model));
    const Source heavy{4, [](Index k) {
                           data::Block b = block(k, 150, 1);
                           for (data::Record& r : b.records)
                               r.represents = r.person % 17 == 0 ? 40 : static_cast<std::uint16_t>(1 + r.person % 4);
                           return b;
                       }};
    for (const std::int32_t year : {2021, 2022, 2023})
        check_equal(make_baseline(heavy, scheme, options(), Run{}), stream(heavy, *scheme, options(), year, Run{}));
}

TEST_CASE("records per class, and high cost of any share", "[scenario][stream][invariant]") {
    params::Model model = params::nl_2021_structural();
    params::HighCost variable;
    variable.share = "variable";
    variable.threshold = 500'000;
    variable.ppm = 750'000;
    model.high_cost.push_back(variable);
    const risk::Scheme scheme{model, mapping(model)};
    const Streamed s = stream(source(), scheme, options(), 2021, Run{});
    REQUIRE(s.high_cost.size() == 2);
    CHECK(s.high_cost[0].share == "ggz");
    CHECK(s.high_cost[0].per_insurer == s.totals.ggz_excess);
    CHECK(s.high_cost[1].threshold == std::vector<Cents>{500'000});
    std::vector<std::uint64_t> person;  // the second way: all rows of the year, those below the threshold too
    std::vector<std::int64_t> insurer, represents;
    std::vector<Cents> cost;
    std::vector<std::vector<Cents>> ignored;
    const Panel panel = read_panel(source(), scheme, options(), ignored, Run{});
    std::int64_t rows = 0;
    for (Index p = 0; p < panel.persons(); ++p)
        for (const data::Record& r : panel.records_of(p, 2021)) {
            ++rows;
            person.push_back(r.person);
            insurer.push_back(r.insurer / 10 - 1);
            represents.push_back(r.represents);
            cost.push_back(panel.cost[static_cast<std::size_t>(&r - panel.records.data())].variable);
        }
    const payment::Excess all = payment::excess(model, "variable", {person, insurer, cost, represents}, 3);
    CHECK(s.high_cost[1].per_insurer == all.per_insurer);
    CHECK(all.above > 10);
    CHECK(s.records == rows);
    std::int64_t of_age = 0, of_insurers = 0;
    for (Index i = 0; i < 3; ++i) {
        of_insurers += s.class_persons.insured[static_cast<std::size_t>(i)];
        for (Index k = 0; k < scheme.variable_layout().front().size; ++k) of_age += s.class_persons.variable.at(i, k);
    }
    CHECK(of_age == rows);
    CHECK(of_insurers == rows);
}

TEST_CASE("a streamed year is refused, reported and stopped", "[scenario][stream]") {
    const params::Model& model = params::nl_2021_structural();
    const risk::Scheme scheme{model, mapping(model)};
    CHECK(first_year_of_care(scheme, 2021) == 2016);
    CHECK(first_year_of_care(risk::Scheme{with_hsm(), mapping(model)}, 2021) == 2015);
    CHECK_THROWS_AS(stream(source(), scheme, options(), 2019, Run{}), ParameterError);
    CHECK_THROWS_AS(stream(source(), scheme, options(), 2028, Run{}), ParameterError);
    CHECK_THROWS_AS(stream(source(), scheme, options(), 2021, Run{}, estimation::Moments{3}), ParameterError);
    Options none = options();
    none.insurers = {20, 10};
    CHECK_THROWS_AS(stream(source(), scheme, none, 2021, Run{}), ParameterError);
    Options overflowing = options();
    overflowing.threshold_ppm = 1'000'000'001;
    CHECK_THROWS_WITH(stream(source(), scheme, overflowing, 2021, Run{}), Catch::Contains("threshold factor"));
    Options fewer = options();
    fewer.insurers = {10, 20};
    CHECK_THROWS_AS(stream(source(), scheme, fewer, 2021, Run{}), DomainError);
    const Source backwards{4, [](Index k) { return block(3 - k, 150, 1); }};
    CHECK_THROWS_AS(stream(backwards, scheme, options(), 2021, Run{}), DomainError);

    std::atomic<int> asked{0};
    const Source fickle{4, [&](Index k) {
                            data::Block b = block(k, 150, 1);
                            if (++asked > 6) b.claims.pop_back();
                            return b;
                        }};
    CHECK_THROWS_AS(stream(fickle, scheme, options(), 2027, Run{}), DomainError);

    std::vector<std::pair<Index, Index>> calls;
    Run run{.threads = 2};
    run.progress = [&](Index done, Index total) { calls.emplace_back(done, total); };
    const Streamed s = stream(source(), scheme, options(), 2021, run);
    REQUIRE(calls.size() == 8);
    for (std::size_t k = 0; k < 8; ++k) CHECK(calls[k] == std::pair<Index, Index>{static_cast<Index>(k) + 1, 8});
    std::stop_source stop;
    Run stopped{.threads = 1, .stop = stop.get_token()};
    stopped.progress = [&](Index done, Index) {
        if (done == 5) stop.request_stop();
    };
    CHECK_THROWS_AS(stream(source(), scheme, options(), 2021, stopped), Stopped);
}
