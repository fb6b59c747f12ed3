// A risk model of one's own from columns: exact sums, constrained weights, and what each insurer is paid.
#include <anderhalf/anderhalf.hpp>

#include <cmath>
#include <cstdio>

int main() {
    using namespace anderhalf;
    const data::Design design{{{"age", {"young", "old"}}, {"illness", {"none", "ill"}}}};
    const std::vector<std::uint8_t> age{0, 0, 0, 1, 1, 1}, illness{0, 0, 1, 0, 1, 1}, insurer{0, 0, 1, 1, 0, 1};
    const std::vector<std::uint16_t> days{365, 365, 365, 365, 365, 73};
    const std::vector<std::int32_t> cents{600'00, 800'00, 2500'00, 1900'00, 3700'00, 720'00};

    data::Rows rows;
    rows.criteria = {CodeView{std::span{age}}, CodeView{std::span{illness}}};
    rows.days = std::span<const std::uint16_t>{days};
    rows.cents = {std::span<const std::int32_t>{cents}};

    const estimate::Moments moments = estimate::accumulate(design, rows, Run{});
    const estimate::Fit fit = estimate::estimate(moments, {design.column_names(), {{"illness", {2, 3}}}});
    for (std::size_t k = 0; k < fit.coefficients.size(); ++k)
        std::printf("%-13s %9.2f  (%.2f insured years)\n", design.column_names()[k].c_str(), fit.coefficients[k],
                    static_cast<double>(moments.xd(static_cast<Index>(k))) / 365);

    std::vector<MicroEuro> weights;
    for (const double euro : fit.coefficients) weights.push_back(std::llround(euro * micro_per_euro));
    std::printf("R2 %.4f, CPM %.4f\n", fit.r2, estimate::second_pass(design, rows, weights, {}, Run{}).cpm);
    const auto totals = payment::class_totals(design, rows, CodeView{std::span{insurer}}, 2, Run{});
    for (const Cents paid : payment::ex_ante(payment::normative(totals, weights), 365))
        std::printf("insurer is paid %.2f\n", static_cast<double>(paid) / 100);

    const auto half = [&](std::size_t first) {
        data::Rows part;
        part.criteria = {CodeView{std::span{age}.subspan(first, 3)}, CodeView{std::span{illness}.subspan(first, 3)}};
        part.days = std::span<const std::uint16_t>{days}.subspan(first, 3);
        part.cents = {std::span<const std::int32_t>{cents}.subspan(first, 3)};
        return estimate::accumulate(design, part, Run{});
    };
    const auto word = [](bool b) { return b ? "True" : "False"; };
    const estimate::Moments one = half(0), other = half(3);
    estimate::Moments sum = one, rest = moments;
    sum += other;
    rest -= other;
    std::printf("halves add up: %s, and part again: %s\n", word(sum == moments), word(rest == one));
}
