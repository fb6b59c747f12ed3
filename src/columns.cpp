#include <anderhalf/data/columns.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace anderhalf::data {

namespace {

constexpr Index most_columns = 1 << 14;  // their matrix of days takes 2 GB, per stratum
constexpr Index most_strata = 1 << 16;
constexpr Index most_categories = 64;

std::string range(std::int64_t low, std::int64_t high) { return std::to_string(low) + ".." + std::to_string(high); }

std::string text(Index value) { return std::to_string(value); }

/// Calls rule(column, row) for every value of a column that breaks it; `bad` counts.
template <class Column, class Rule>
void each(const Column& column, Index first_row, BadRows& bad, Rule&& breaks) {
    std::visit(
        [&](auto values) {
            for (std::size_t i = 0; i < values.size(); ++i)
                if (breaks(values[i])) bad.note(first_row + static_cast<Index>(i));
        },
        column);
}

/// Adds to `labels[i]` the number of classes that row i has, and notes values that a column cannot hold.
void count_labels(const Criterion& criterion, const CriterionColumn& column, Index n, Index first_row,
                  const std::string& where, Problems<DomainError>& problems, std::vector<std::int64_t>& labels) {
    labels.assign(static_cast<std::size_t>(n), 0);
    const Index read = criterion.read_classes();
    if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&column)) {
        BadRows unknown;
        const std::uint64_t known = read >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << read) - 1;
        for (std::size_t i = 0; i < mask->size(); ++i) {
            if (((*mask)[i] & ~known) != 0) unknown.note(first_row + static_cast<Index>(i));
            labels[i] = __builtin_popcountll((*mask)[i] & known);
        }
        unknown.report(problems, where, criterion.name + ": flags of unknown classes", "bits " + range(0, read - 1));
        return;
    }
    const auto& columns = std::get<std::vector<CodeView>>(column);
    const std::int64_t most = criterion.labels == Labels::counts ? max_count : 1;
    for (std::size_t k = 0; k < columns.size(); ++k) {
        BadRows above;
        std::visit(
            [&](auto values) {
                for (std::size_t i = 0; i < values.size(); ++i) {
                    if (static_cast<std::int64_t>(values[i]) > most) above.note(first_row + static_cast<Index>(i));
                    labels[i] += values[i] != 0;
                }
            },
            columns[k]);
        above.report(problems, where,
                     criterion.name + "=" + criterion.classes[k + (criterion.none_derived ? 1 : 0)] +
                         (criterion.labels == Labels::counts ? ": counts" : ": flags"),
                     range(0, most));
    }
}

/// Number, kind and length of the columns of criteria.
void criteria_shape(const Design& design, const Rows& rows, Index n, Problems<ShapeError>& shape) {
    const std::string where = "check_shape";
    const auto length = [&](Index got, const std::string& what) {
        shape.require(got == n, where, "length of " + what, text(n), text(got));
    };
    shape.require(rows.criteria.size() == design.criteria.size(), where, "columns of criteria",
                  text(static_cast<Index>(design.criteria.size())), text(static_cast<Index>(rows.criteria.size())));
    for (std::size_t k = 0; k < std::min(rows.criteria.size(), design.criteria.size()); ++k) {
        const Criterion& c = design.criteria[k];
        const CriterionColumn& column = rows.criteria[k];
        if (const auto* codes = std::get_if<CodeView>(&column)) {
            shape.require(c.labels == Labels::single, where, c.name, "a column per class, or a bit mask",
                          "a column of codes");
            length(anderhalf::size(*codes), c.name);
        } else if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&column)) {
            shape.require(c.labels != Labels::counts, where, c.name, "a count column per class", "a bit mask");
            shape.require(!c.absorbed, where, c.name, "a column of codes (absorbed)", "a bit mask");
            shape.require(c.read_classes() <= 64, where, c.name + " as a bit mask", "at most 64 classes",
                          text(c.read_classes()));
            length(static_cast<Index>(mask->size()), c.name);
        } else {
            const auto& columns = std::get<std::vector<CodeView>>(column);
            shape.require(!c.absorbed, where, c.name, "a column of codes (absorbed)", "a column per class");
            shape.require(static_cast<Index>(columns.size()) == c.read_classes(), where, "columns of " + c.name,
                          text(c.read_classes()), text(static_cast<Index>(columns.size())));
            for (const CodeView& values : columns) length(anderhalf::size(values), c.name);
        }
    }
}

/// Classes outside their criterion, none or two where there is one.
void classes(const Design& design, const Rows& rows, Index n, Index first_row, Problems<DomainError>& problems) {
    const std::string where = "check";
    std::vector<std::int64_t> labels;
    for (std::size_t k = 0; k < design.criteria.size(); ++k) {
        const Criterion& c = design.criteria[k];
        if (const auto* codes = std::get_if<CodeView>(&rows.criteria[k])) {
            BadRows unknown;
            const std::size_t known = c.classes.size();
            each(*codes, first_row, unknown, [&](auto code) { return code >= known; });
            unknown.report(problems, where, c.name + ": unknown classes",
                           "codes " + range(0, static_cast<Index>(known) - 1));
            continue;
        }
        count_labels(c, rows.criteria[k], n, first_row, where, problems, labels);
        if (c.labels != Labels::single) continue;
        BadRows none, several;
        for (Index i = 0; i < n; ++i) {
            const std::int64_t found = labels[static_cast<std::size_t>(i)];
            if (found == 0 && !c.none_derived) none.note(first_row + i);
            if (found > 1) several.note(first_row + i);
        }
        none.report(problems, where, c.name + ": no class", "one class a record");
        several.report(problems, where, c.name + ": two classes or more", "one class a record");
    }
}

}  // namespace

Index Design::columns() const {
    Index p = 0;
    for (const Criterion& c : criteria)
        if (!c.absorbed) p += static_cast<Index>(c.classes.size());
    return p;
}

Index Design::absorbed_classes() const {
    for (const Criterion& c : criteria)
        if (c.absorbed) return static_cast<Index>(c.classes.size());
    return 0;
}

Index Design::offset(Index criterion) const {
    Index p = 0;
    for (Index k = 0; k < criterion; ++k)
        if (const Criterion& c = criteria[static_cast<std::size_t>(k)]; !c.absorbed)
            p += static_cast<Index>(c.classes.size());
    return p;
}

std::vector<std::string> Design::column_names() const {
    std::vector<std::string> names;
    for (const Criterion& c : criteria)
        if (!c.absorbed)
            for (const std::string& name : c.classes) names.push_back(c.name + "=" + name);
    return names;
}

void check(const Design& design) {
    Problems<ShapeError> shape;
    const std::string where = here();
    std::set<std::string> names;
    for (std::size_t k = 0; k < design.criteria.size(); ++k) {
        const Criterion& c = design.criteria[k];
        shape.require(names.insert(c.name).second, where, "criterion " + c.name, "one of that name", "another");
        shape.require(!c.classes.empty(), where, "classes of " + c.name, "at least one", "none");
        if (c.none_derived)
            shape.require(c.read_classes() >= 1, where, c.name + ": classes that are read", "at least one", "none");
        if (!c.absorbed) continue;
        shape.require(c.labels == Labels::single && !c.none_derived, where, "absorbed criterion " + c.name,
                      "one class a record", "flags or counts");
        shape.require(k + 1 == design.criteria.size(), where, "absorbed criterion " + c.name, "the last criterion",
                      "criterion " + text(static_cast<Index>(k)));
        shape.require(static_cast<Index>(c.classes.size()) <= Index{std::numeric_limits<std::int32_t>::max()}, where,
                      "classes of " + c.name, "at most 2^31 - 1", text(static_cast<Index>(c.classes.size())));
    }
    shape.require(design.columns() <= most_columns, where, "columns",
                  "at most " + text(most_columns) + " (a criterion of more classes: absorbed)", text(design.columns()));
    const auto categories = static_cast<Index>(design.categories.size());
    const auto strata = static_cast<Index>(design.strata.size());
    shape.require(categories >= 1 && categories <= most_categories, where, "categories of cost",
                  range(1, most_categories), text(categories));
    shape.require(strata >= 1 && strata <= most_strata, where, "strata", range(1, most_strata), text(strata));
    shape.require(design.days_in_year >= 1, where, "days in the year", "at least 1", text(design.days_in_year));
    shape.require(design.days_max >= 1 && design.days_max <= max_days_in_record, where, "most days of a record",
                  range(1, max_days_in_record), text(design.days_max));
    shape.throw_if_any();
}

void check_shape(const Design& design, const Rows& rows) {
    check(design);
    Problems<ShapeError> shape;
    const std::string where = here();
    const Index n = rows.size();
    criteria_shape(design, rows, n, shape);
    const auto length = [&](Index got, const std::string& what) {
        shape.require(got == n, where, "length of " + what, text(n), text(got));
    };
    shape.require(rows.cents.size() == design.categories.size(), where, "columns of cost",
                  text(static_cast<Index>(design.categories.size())), text(static_cast<Index>(rows.cents.size())));
    for (std::size_t g = 0; g < std::min(rows.cents.size(), design.categories.size()); ++g)
        length(anderhalf::size(rows.cents[g]), design.categories[g]);
    if (rows.represents) length(static_cast<Index>(rows.represents->size()), "represents");
    if (rows.stratum) length(anderhalf::size(*rows.stratum), "stratum");
    shape.throw_if_any();
}

void check_criteria(const Design& design, const Rows& rows, Index n) {
    check(design);
    Problems<ShapeError> shape;
    criteria_shape(design, rows, n, shape);
    shape.throw_if_any();
}

void check_classes(const Design& design, const Rows& rows, Index n, Index first_row) {
    check_criteria(design, rows, n);
    Problems<DomainError> problems;
    classes(design, rows, n, first_row, problems);
    problems.throw_if_any();
}

void check(const Design& design, const Rows& rows, Index first_row) {
    check_shape(design, rows);
    Problems<DomainError> problems;
    const std::string where = here();
    const Index n = rows.size();
    classes(design, rows, n, first_row, problems);
    BadRows days, cost_without_days;
    std::vector<bool> zero(static_cast<std::size_t>(n), false);
    bool any_zero = false;
    std::visit(
        [&](auto values) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto d = static_cast<std::int64_t>(values[i]);
                if (d < 1 || d > design.days_max) days.note(first_row + static_cast<Index>(i));
                if (d == 0) any_zero = zero[i] = true;
            }
        },
        rows.days);
    days.report(problems, where, "days", range(1, design.days_max));
    for (std::size_t g = 0; g < rows.cents.size(); ++g) {
        BadRows beyond;
        each(rows.cents[g], first_row, beyond, [](std::int64_t c) { return c > max_cost || c < -max_cost; });
        beyond.report(problems, where, design.categories[g] + ": cost", "at most 2^46 cents, either sign");
    }
    if (any_zero)
        for (Index i = 0; i < n; ++i) {
            if (!zero[static_cast<std::size_t>(i)]) continue;
            bool cost = false;
            for (const CentsColumn& column : rows.cents)
                cost = cost || std::visit([&](auto c) { return c[static_cast<std::size_t>(i)] != 0; }, column);
            if (cost) cost_without_days.note(first_row + i);
        }
    cost_without_days.report(problems, where, "zero days with cost", "insured days where there is cost");
    if (rows.represents) {
        BadRows nobody;
        for (Index i = 0; i < n; ++i)
            if ((*rows.represents)[static_cast<std::size_t>(i)] == 0) nobody.note(first_row + i);
        nobody.report(problems, where, "represents", range(1, 65'535));
    }
    if (rows.stratum) {
        BadRows unknown;
        const std::size_t strata = design.strata.size();
        each(*rows.stratum, first_row, unknown, [&](auto s) { return s >= strata; });
        unknown.report(problems, where, "stratum", range(0, static_cast<Index>(strata) - 1));
    }
    problems.throw_if_any();
}

}  // namespace anderhalf::data
