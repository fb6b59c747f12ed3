#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/estimation/resample.hpp>

#include <cmath>
#include <limits>

namespace anderhalf::estimation {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

std::vector<double> strata_levels(const Moments& moments, const Specification& spec) {
    return spec.levels.strata.empty() ? std::vector<double>(at(moments.strata()), 1.0) : spec.levels.strata;
}

void check(const Moments& moments, const std::string& where) {
    if (moments.strata() < 2)
        throw ShapeError{{{where, "strata that are groups", "2 or more", std::to_string(moments.strata())}}};
}

Fit solve(const Moments& moments, Specification spec, std::vector<double> strata) {
    spec.levels.strata = std::move(strata);
    spec.inference = spec.covariance = false;
    return estimate(moments, spec);
}

/// Squares of a group about a forecast and about a mean [cents^2 per year].
struct Squares {
    long double errors = 0, spread = 0;
};

Squares squares_of(const Totals& t, const std::vector<double>& coefficients, long double mean, long double years,
                   long double yy_factor) {
    long double cross = 0, forecast = 0;
    for (Index j = 0; j < t.p; ++j) {
        const long double b = 100 * static_cast<long double>(coefficients[at(j)]);
        cross += b * t.xc[at(j)];
        long double row = 0;
        for (Index k = 0; k < t.p; ++k)
            row += t.xx[at(j * t.p + k)] * 100 * static_cast<long double>(coefficients[at(k)]);
        forecast += b * row;
    }
    const long double yy = t.yy * yy_factor;
    return {yy - 2 * cross + forecast / years, yy - 2 * t.cents * mean + t.days * mean * mean / years};
}

}  // namespace

CrossValidation cross_validate(const Moments& moments, const Specification& spec, const Run& run) {
    check(moments, "cross_validate");
    if (moments.absorbed_classes() > 0)
        throw DomainError{{{"cross_validate", "moments", "none absorbed", "an absorbed criterion"}}};
    const Index groups = moments.strata();
    const auto years = static_cast<long double>(spec.days_in_year);
    const long double yy_factor = years / static_cast<long double>(moments.design().days_in_year);
    const std::vector<double> levels = strata_levels(moments, spec);
    CrossValidation result;
    result.r2_of.assign(at(groups), nan);
    result.unseen.assign(at(groups), 0);
    result.r2_in = solve(moments, spec, levels).r2;
    std::vector<Squares> squares(at(groups));
    for_each_chunk(run, groups, [&](Index g) {
        std::vector<double> others = levels, alone(at(groups), 0.0);
        others[at(g)] = 0;
        alone[at(g)] = levels[at(g)];
        if (moments.days(g) == 0 || levels[at(g)] == 0) return;
        Fit fit;
        try {
            fit = solve(moments, spec, others);
        } catch (const DomainError& error) {
            std::vector<Problem> problems = error.problems();
            for (Problem& p : problems) p.where = "cross_validate, without " + moments.design().strata[at(g)];
            throw DomainError{problems};
        }
        const Totals left = combine(moments, {alone, spec.levels.categories});
        for (Index j = 0; j < left.p; ++j) result.unseen[at(g)] += fit.empty[at(j)] && left.xd[at(j)] != 0 ? 1 : 0;
        squares[at(g)] =
            squares_of(left, fit.coefficients, 100 * static_cast<long double>(fit.mean_cost), years, yy_factor);
        if (squares[at(g)].spread > 0)
            result.r2_of[at(g)] = static_cast<double>(1 - squares[at(g)].errors / squares[at(g)].spread);
    });
    Squares all;
    for (const Squares& s : squares) {
        all.errors += s.errors;
        all.spread += s.spread;
    }
    result.r2 = all.spread > 0 ? static_cast<double>(1 - all.errors / all.spread) : 0.0;
    return result;
}

Bootstrap bootstrap(const Moments& moments, const Specification& spec, Index draws, std::uint64_t seed,
                    const Run& run) {
    check(moments, "bootstrap");
    if (draws < 1) throw ShapeError{{{"bootstrap", "draws", "1 or more", std::to_string(draws)}}};
    const Index p = moments.columns(), groups = moments.strata();
    const std::vector<double> levels = strata_levels(moments, spec);
    Bootstrap result;
    result.columns = p;
    result.coefficients.assign(at(draws * p), nan);
    result.standard_deviation.assign(at(p), nan);
    std::vector<std::string> refusals(at(draws));
    const Philox draw{seed, Purpose::uncertainty};
    for_each_chunk(run, draws, [&](Index d) {
        std::vector<double> times(at(groups), 0.0);
        for (Index k = 0; k < groups; ++k) {
            const std::uint64_t word =
                draw(static_cast<std::uint64_t>(d), static_cast<std::uint64_t>(k / 4))[at(k % 4)];
            times[uniform_below(word, static_cast<std::uint32_t>(groups))] += 1;
        }
        for (Index g = 0; g < groups; ++g) times[at(g)] *= levels[at(g)];
        try {
            const Fit fit = solve(moments, spec, times);
            for (Index j = 0; j < p; ++j)
                if (!fit.empty[at(j)]) result.coefficients[at(d * p + j)] = fit.coefficients[at(j)];
        } catch (const DomainError& error) {
            refusals[at(d)] = error.what();
        }
    });
    for (const std::string& refusal : refusals)
        if (!refusal.empty()) {
            ++result.refused;
            if (result.refusal.empty()) result.refusal = refusal;
        }
    for (Index j = 0; j < p; ++j) {
        long double sum = 0, squares = 0;
        Index n = 0;
        for (Index d = 0; d < draws; ++d)
            if (const double b = result.coefficients[at(d * p + j)]; !std::isnan(b)) {
                sum += static_cast<long double>(b);
                ++n;
            }
        if (n < 2) continue;
        for (Index d = 0; d < draws; ++d)
            if (const double b = result.coefficients[at(d * p + j)]; !std::isnan(b)) {
                const long double gap = static_cast<long double>(b) - sum / static_cast<long double>(n);
                squares += gap * gap;
            }
        result.standard_deviation[at(j)] = static_cast<double>(std::sqrt(squares / static_cast<long double>(n - 1)));
    }
    return result;
}

}  // namespace anderhalf::estimation
