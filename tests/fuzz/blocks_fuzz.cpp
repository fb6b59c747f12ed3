// Any bytes as records and claims: the door of the baseline refuses them with one error, or settles them so that sums close.
#include <anderhalf/params.hpp>
#include <anderhalf/scenario/simulate.hpp>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

using namespace anderhalf;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::size_t at = 0;
    const auto next = [&]() -> std::uint8_t { return at < size ? bytes[at++] : std::uint8_t{0}; };
    const auto wide = [&]() -> std::int32_t {
        return static_cast<std::int32_t>(next() | next() << 8U | next() << 16U);
    };
    static const auto scheme = [] {
        risk::Mapping mapping;
        mapping.drugs.push_back({.drug = 1, .fkg = 12, .ggz_fkg = 3});
        mapping.diagnoses.push_back({.specialism = 1, .diagnosis = 1, .dx_group = 1, .dkg = 1, .light = true});
        mapping.diagnoses.push_back({.specialism = 1, .diagnosis = 2, .dx_group = 2, .dkg = 1});
        mapping.devices.push_back({.device = 1, .hkg = 3});
        mapping.physiotherapy.push_back({.diagnosis = 1, .fdg = 2});
        mapping.mental_care.push_back({.diagnosis = 1, .ggz_dkg = 4});
        return std::make_shared<const risk::Scheme>(params::nl_2021_structural(), mapping);
    }();
    scenario::Options options;
    options.first_year = 2016;
    options.last_year = options.start = 2021;
    options.horizon = 1;
    options.insurers = {1, 2};
    options.expected_counts = scenario::ExpectedCounts::actual;
    options.expected_lag = options.macro_lag = options.estimation_lag = 0;
    options.estimates = false;
    data::Block block;
    const bool tidy = next() % 4 != 0;  // most inputs are nearly good, so that grouping and settlement are reached
    const int persons = 1 + next() % 6;
    for (int p = 0; p < persons; ++p)
        for (std::int32_t year = 2016; year <= 2021; ++year) {
            const std::int32_t begin = first_day_of(year);
            data::Record r;
            r.person = tidy ? static_cast<std::uint64_t>(p) : next();
            r.first_day = begin + (tidy ? next() % 100 : wide() % 800 - 200);
            r.last_day = r.first_day + (tidy ? next() : wide() % 800 - 100);
            r.birth_month = 12 * 1920 + wide() % 1200;
            r.insurer = tidy ? static_cast<std::uint16_t>(1 + next() % 2) : next();
            r.represents = static_cast<std::uint16_t>(1 + next());
            r.region = static_cast<std::uint8_t>(next() % 11);
            r.sex = static_cast<std::uint8_t>(tidy ? 1 + next() % 2 : next());
            r.income_source = static_cast<std::uint8_t>(next() % (tidy ? 9 : 12));
            r.ses = static_cast<std::uint8_t>(1 + next() % (tidy ? 4 : 6));
            r.household = static_cast<std::uint8_t>(1 + next() % (tidy ? 4 : 6));
            r.wlz = static_cast<std::uint8_t>(next() % 3);
            const std::uint8_t claims = next() % 4;
            for (std::uint8_t k = 0; k < claims; ++k) {
                data::Claim c;
                c.person = r.person;
                c.opened = c.closed = tidy ? r.first_day : begin + wide() % 800 - 200;
                c.insurer = tidy ? r.insurer : next();
                c.claimed_cents = c.settled_cents = wide() - 1'000'000;
                c.category = static_cast<Category>(next() % category_count);
                c.title = static_cast<Title>(next() % 3);
                c.product = next() % 4;
                c.specialism = next() % 2;
                c.diagnosis = next() % 3;
                c.ddd = static_cast<std::uint16_t>(wide() & 0xFFFF);
                c.consult = next() % 2 == 0;
                block.claims.push_back(c);
            }
            block.records.push_back(r);
        }
    try {
        const scenario::Source source{1, [&](Index) { return block; }};
        const scenario::Baseline baseline = scenario::make_baseline(source, scheme, options, Run{});
        const scenario::Settlement s = scenario::settle_baseline(baseline, 2021);
        if (std::accumulate(s.variable.begin(), s.variable.end(), Cents{0}) != s.variable_target) std::abort();
    } catch (const Error& error) {
        if (error.problems().empty()) std::abort();
    }
    return 0;
}
