#include <anderhalf/estimation/moments.hpp>

#include <cmath>

namespace anderhalf::estimation {

namespace {

void check_levels(const std::vector<double>& levels, Index size, const std::string& what, Problems<ShapeError>& shape,
                  Problems<DomainError>& domain) {
    if (levels.empty()) return;
    shape.require(static_cast<Index>(levels.size()) == size, "combine", "levels of the " + what, std::to_string(size),
                  std::to_string(levels.size()));
    for (std::size_t k = 0; k < levels.size(); ++k)
        domain.require(std::isfinite(levels[k]) && levels[k] >= 0, "combine",
                       "level " + std::to_string(k) + " of the " + what, "0 or more", std::to_string(levels[k]));
}

}  // namespace

Totals combine(const Moments& moments, const Levels& levels) {
    const Index p = moments.columns(), strata = moments.strata(), categories = moments.categories();
    const Index absorbed = moments.absorbed_classes();
    Problems<ShapeError> shape;
    Problems<DomainError> domain;
    check_levels(levels.strata, strata, "strata", shape, domain);
    check_levels(levels.categories, categories, "categories", shape, domain);
    shape.throw_if_any();
    domain.throw_if_any();

    const auto at = [](Index k) { return static_cast<std::size_t>(k); };
    const auto of_stratum = [&](Index s) { return levels.strata.empty() ? 1.0L : 1.0L * levels.strata[at(s)]; };
    const auto of_category = [&](Index g) {
        return levels.categories.empty() ? 1.0L : 1.0L * levels.categories[at(g)];
    };

    Totals t;
    t.p = p;
    t.xx.assign(at(p * p), 0);
    t.xd.assign(at(p), 0);
    t.xc.assign(at(p), 0);
    t.xn.assign(at(p), 0);
    t.xx_structure.assign(at(p * p), 0);
    t.absorbed_days.assign(at(absorbed), 0);
    t.absorbed_days_structure.assign(at(absorbed), 0);
    t.absorbed_cents.assign(at(absorbed), 0);
    bool wrapped = false;
    for (Index s = 0; s < strata; ++s) {
        const long double level = of_stratum(s);
        if (level == 0) continue;  // left out altogether: its rows and what they tell apart do not count
        t.exact = t.exact && level == 1;
        t.days += level * static_cast<long double>(moments.days(s));
        wrapped |= __builtin_add_overflow(t.rows, moments.rows(s), &t.rows);
        for (Index j = 0; j < p; ++j) {
            t.xd[at(j)] += level * static_cast<long double>(moments.xd(j, s));
            wrapped |= __builtin_add_overflow(t.xn[at(j)], moments.xn(j, s), &t.xn[at(j)]);
            for (Index k = j; k < p; ++k) {
                const std::int64_t days = moments.xx(j, k, s);
                t.xx[at(j * p + k)] += level * static_cast<long double>(days);
                wrapped |= __builtin_add_overflow(t.xx_structure[at(j * p + k)], days, &t.xx_structure[at(j * p + k)]);
            }
        }
        for (Index a = 0; a < absorbed; ++a) {
            std::int64_t& structure = t.absorbed_days_structure[at(a)];
            t.absorbed_days[at(a)] += level * static_cast<long double>(moments.absorbed_days(a, s));
            wrapped |= __builtin_add_overflow(structure, moments.absorbed_days(a, s), &structure);
        }
        for (Index g = 0; g < categories; ++g) {
            const long double both = level * of_category(g);
            t.exact = t.exact && both == 1;
            t.cents += both * static_cast<long double>(moments.cents(g, s));
            for (Index j = 0; j < p; ++j) t.xc[at(j)] += both * static_cast<long double>(moments.xc(j, g, s));
            for (Index a = 0; a < absorbed; ++a)
                t.absorbed_cents[at(a)] += both * static_cast<long double>(moments.absorbed_cents(a, g, s));
            for (Index h = 0; h < categories; ++h)
                for (Index d = 1; d <= moments.design().days_max; ++d)
                    if (const Int128 square = moments.squares(d, g, h, s); square != 0)
                        t.yy += both * of_category(h) * static_cast<long double>(square) *
                                static_cast<long double>(moments.design().days_in_year) / static_cast<long double>(d);
        }
    }
    for (Index j = 0; j < p; ++j)
        for (Index k = j + 1; k < p; ++k) {
            t.xx[at(k * p + j)] = t.xx[at(j * p + k)];
            t.xx_structure[at(k * p + j)] = t.xx_structure[at(j * p + k)];
        }

    if (absorbed > 0) {
        std::vector<long double> days(at(p));
        std::vector<std::int64_t> structure(at(p));
        std::vector<bool> met(at(p));
        t.absorbed_start.push_back(0);
        for (Index a = 0; a < absorbed; ++a) {
            for (Index s = 0; s < strata; ++s) {
                if (of_stratum(s) == 0) continue;
                for (const Cross& cross : moments.absorbed_cross(a, s)) {
                    const std::size_t k = at(cross.column);
                    days[k] += of_stratum(s) * static_cast<long double>(cross.days);
                    wrapped |= __builtin_add_overflow(structure[k], cross.days, &structure[k]);
                    met[k] = true;
                }
            }
            for (std::size_t k = 0; k < met.size(); ++k) {
                if (!met[k]) continue;
                t.absorbed_column.push_back(static_cast<std::int32_t>(k));
                t.absorbed_cross.push_back(days[k]);
                t.absorbed_structure.push_back(structure[k]);
                days[k] = 0;
                structure[k] = 0;
                met[k] = false;
            }
            t.absorbed_start.push_back(static_cast<Index>(t.absorbed_column.size()));
        }
    }
    if (wrapped)
        throw DomainError{{{"combine", "a sum over the strata beyond 64 bits", "fewer records or smaller counts", ""}}};
    return t;
}

}  // namespace anderhalf::estimation
