// A settlement of 2021 from class totals: every step of two insurers, with its article.
#include <anderhalf/anderhalf.hpp>

#include <cstdio>
#include <map>

namespace {

using namespace anderhalf;

/// Places a person in the classes named, and in class 0 of every other criterion that has one.
void add(payment::ClassTotals& totals, const params::Share& share, const std::map<std::string, std::int32_t>& classes,
         Index insurer, Days days) {
    for (const risk::CriterionColumns& c : risk::layout(share)) {
        const auto at = classes.find(c.name);
        const std::int32_t code = at == classes.end() ? 0 : at->second;
        totals.add(insurer, c.offset + code - c.first_code, days);
    }
}

Index columns(const params::Share& share) {
    Index sum = 0;
    for (const params::Criterion& c : share.criteria) sum += static_cast<Index>(c.classes.size());
    return sum;
}

struct Man {
    Index insurer;
    Days days;
    std::int32_t region, mhk;
    Cents variable, ggz, fixed, own_payments;
};

}  // namespace

int main() {
    const params::Model& law = params::nl_2021();
    const std::vector<Man> men{{0, 365, 1, 1, 3100'00, 0, 20'00, 385'00},
                               {0, 365, 1, 0, 150'00, 0, 0, 150'00},
                               {1, 365, 5, 0, 900'00, 640'00, 0, 385'00},
                               {1, 73, 5, 1, 2200'00, 0, 0, 385'00}};
    payment::ShareTotals variable, ggz;
    variable.share = "variable";
    ggz.share = "ggz";
    variable.classes = {2, columns(law.variable)};
    ggz.classes = {2, columns(law.ggz)};
    variable.cost = ggz.cost = {0, 0};
    payment::Totals totals;
    totals.deductible = {2, columns(law.deductible) + 1};
    totals.days = totals.adult_days = totals.cost_fixed = totals.own_payments_mandatory = {0, 0};
    for (const Man& m : men) {  // of 40-44 years, with income from work
        const auto i = static_cast<std::size_t>(m.insurer);
        add(variable.classes, law.variable,
            {{"age_sex", 11}, {"avi", 32}, {"region", m.region}, {"ses", 8}, {"ppa", 10}, {"mhk", m.mhk}}, m.insurer,
            m.days);
        add(ggz.classes, law.ggz,
            {{"ggz_age_sex", 5}, {"ggz_avi", 25}, {"ggz_region", m.region}, {"ggz_ses", 5}, {"ggz_ppa", 10}}, m.insurer,
            m.days);
        add(totals.deductible, law.deductible, {{"age_sex", 5}, {"avi", 25}, {"region", m.region}, {"mhk", m.mhk}},
            m.insurer, m.days);
        totals.days[i] += m.days;
        totals.adult_days[i] += m.days;
        variable.cost[i] += m.variable;
        ggz.cost[i] += m.ggz;
        totals.cost_fixed[i] += m.fixed;
        totals.own_payments_mandatory[i] += m.own_payments;
    }
    totals.shares = {variable, ggz};
    payment::Terms terms;
    terms.stage = payment::Stage::final;
    terms.rounding = payment::Rounding::legal;
    const payment::Statement paid = payment::pay(law, totals, terms);
    const auto euros = [](Cents cents) { return static_cast<double>(cents) / 100; };
    for (std::size_t i = 0; i < 2; ++i) {
        std::printf("%s\n", i == 0 ? "north" : "south");
        for (const payment::Line& line : paid.lines)
            std::printf("  %-15s%-28s%14.2f\n", line.share.c_str(), line.article.c_str(), euros(line.cents[i]));
        std::printf("  %-43s%14.2f\n", "contribution", euros(paid.contribution[i]));
    }
    std::printf("together %.2f\n", euros(paid.contribution[0] + paid.contribution[1]));
}
