// What one patient's cost class is worth: a man of 42 leaves MHK 1 (at least one of three years in the top 30%).
#include <anderhalf/anderhalf.hpp>

#include <cstdio>

int main() {
    using namespace anderhalf;
    const risk::Scheme law{params::nl_2021(), {}};
    const data::Record man{.last_day = 364,
                           .birth_month = 12 * 1979,
                           .sex = 1,
                           .income_source = static_cast<std::uint8_t>(IncomeSource::reference),
                           .ses = 2,
                           .household = static_cast<std::uint8_t>(HouseholdState::other)};
    const auto paid = [&](std::uint8_t mhk) {
        risk::Health health;
        health.mhk = mhk;
        risk::Row row;
        MicroEuro variable = 0, own_payment = 0;
        law.variable_row(man, 2021, health, row);
        for (const auto& e : row.view()) variable += e.count * law.weights(law.model().variable)[e.column];
        law.deductible_row(man, 2021, health, row);
        for (const auto& e : row.view()) own_payment += e.count * law.deductible_weights()[e.column];
        return std::pair{variable, variable - own_payment};
    };
    const auto [variable, contribution] = paid(1);
    const auto [less_variable, less_contribution] = paid(0);
    std::printf("variable share %.2f\n", static_cast<double>(less_variable - variable) / micro_per_euro);
    std::printf("contribution %.2f\n", static_cast<double>(less_contribution - contribution) / micro_per_euro);
}
