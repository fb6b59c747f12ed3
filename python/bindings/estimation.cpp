#include "module.hpp"

#include <anderhalf/data/columns.hpp>
#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/estimation/regression.hpp>
#include <anderhalf/estimation/resample.hpp>
#include <anderhalf/estimation/second_pass.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace anderhalf;
using namespace anderhalf::estimation;

namespace {

template <class T>
[[nodiscard]] std::optional<std::span<const T>> span_of(const py::array& a) {
    const bool fits = py::isinstance<py::array_t<T>>(a) && a.ndim() == 1 && (a.flags() & py::array::c_style) != 0;
    if (!fits) return std::nullopt;
    return std::span<const T>{static_cast<const T*>(a.data()), static_cast<std::size_t>(a.size())};
}

/// The first type of the column that the array has; a NumPy array is borrowed, never converted.
template <class Column, class T, class... More>
[[nodiscard]] Column column_of(const py::array& a, const char* expected) {
    if (const auto span = span_of<T>(a)) return *span;
    if constexpr (sizeof...(More) > 0) return column_of<Column, More...>(a, expected);
    throw py::type_error(std::string{"a contiguous column of "} + expected);
}

[[nodiscard]] CodeView codes_of(const py::array& a) {
    return column_of<CodeView, std::uint8_t, std::uint16_t, std::uint32_t>(a, "uint8, uint16 or uint32");
}
[[nodiscard]] DaysColumn days_of(const py::array& a) {
    return column_of<DaysColumn, std::uint16_t, std::int32_t, std::int64_t>(a, "uint16, int32 or int64");
}
[[nodiscard]] std::vector<CentsColumn> cents_of(const std::vector<py::array>& columns) {
    std::vector<CentsColumn> result;
    for (const py::array& a : columns)
        result.push_back(column_of<CentsColumn, std::int32_t, std::int64_t>(a, "int32 or int64"));
    return result;
}
[[nodiscard]] std::optional<std::span<const std::uint16_t>> represents_of(const std::optional<py::array>& a) {
    if (!a) return std::nullopt;
    return column_of<std::span<const std::uint16_t>, std::uint16_t>(*a, "uint16");
}
[[nodiscard]] std::optional<CodeView> stratum_of(const std::optional<py::array>& a) {
    if (!a) return std::nullopt;
    return codes_of(*a);
}

/// Borrowed columns; the arrays live as long as this does.
struct RowsOf {
    std::vector<py::object> criteria;
    py::array days;
    std::vector<py::array> cents;
    std::optional<py::array> represents, stratum;
    data::Rows rows;

    RowsOf(std::vector<py::object> criteria_, py::array days_, std::vector<py::array> cents_,
           std::optional<py::array> represents_, std::optional<py::array> stratum_)
        : criteria{std::move(criteria_)},
          days{std::move(days_)},
          cents{std::move(cents_)},
          represents{std::move(represents_)},
          stratum{std::move(stratum_)} {
        for (const py::object& c : criteria) {
            if (py::isinstance<py::array>(c)) {
                const auto array = c.cast<py::array>();
                if (const auto mask = span_of<std::uint64_t>(array)) rows.criteria.emplace_back(*mask);
                else rows.criteria.emplace_back(codes_of(array));
                continue;
            }
            std::vector<CodeView> columns;
            for (const py::handle column : c) columns.push_back(codes_of(column.cast<py::array>()));
            rows.criteria.emplace_back(std::move(columns));
        }
        rows.days = days_of(days);
        rows.cents = cents_of(cents);
        rows.represents = represents_of(represents);
        rows.stratum = stratum_of(stratum);
    }
};

template <class Value>
[[nodiscard]] py::array_t<std::int64_t> vector_of(Index size, Value&& value) {
    py::array_t<std::int64_t> a(size);
    std::int64_t* out = a.mutable_data();
    for (Index k = 0; k < size; ++k) out[k] = value(k);
    return a;
}

/// 128 bits do not fit a NumPy integer: a Python integer.
[[nodiscard]] py::int_ whole(Int128 value) {
    const auto high = static_cast<std::int64_t>(value >> 64);
    const auto low = static_cast<std::uint64_t>(value);
    return py::int_(high).attr("__lshift__")(64).attr("__add__")(py::int_(low)).cast<py::int_>();
}

void bind_design(py::module_& m) {
    py::enum_<data::Labels>(m, "Labels")
        .value("single", data::Labels::single)
        .value("flags", data::Labels::flags)
        .value("counts", data::Labels::counts);
    py::class_<data::Criterion>(m, "DesignCriterion")
        .def(py::init([](std::string name, std::vector<std::string> classes, data::Labels labels, bool none_derived,
                         bool absorbed) {
                 return data::Criterion{std::move(name), std::move(classes), labels, none_derived, absorbed};
             }),
             py::arg("name"), py::arg("classes"), py::arg("labels") = data::Labels::single,
             py::arg("none_derived") = false, py::arg("absorbed") = false)
        .def_readonly("name", &data::Criterion::name)
        .def_readonly("classes", &data::Criterion::classes)
        .def_readonly("labels", &data::Criterion::labels)
        .def_readonly("none_derived", &data::Criterion::none_derived)
        .def_readonly("absorbed", &data::Criterion::absorbed);
    py::class_<data::Design>(m, "Design")
        .def(py::init([](std::vector<data::Criterion> criteria, std::vector<std::string> categories,
                         std::vector<std::string> strata, std::int32_t days_in_year, std::int32_t days_max) {
                 data::Design design{std::move(criteria), std::move(categories), std::move(strata), days_in_year,
                                     days_max};
                 data::check(design);
                 return design;
             }),
             py::arg("criteria"), py::arg("categories") = std::vector<std::string>{"cost"},
             py::arg("strata") = std::vector<std::string>{"all"}, py::arg("days_in_year") = 365,
             py::arg("days_max") = 366)
        .def_readonly("criteria", &data::Design::criteria)
        .def_readonly("categories", &data::Design::categories)
        .def_readonly("strata", &data::Design::strata)
        .def_readonly("days_in_year", &data::Design::days_in_year)
        .def_readonly("days_max", &data::Design::days_max)
        .def_property_readonly("columns", &data::Design::columns)
        .def_property_readonly("absorbed_classes", &data::Design::absorbed_classes)
        .def("offset", &data::Design::offset, py::arg("criterion"))
        .def("column_names", &data::Design::column_names)
        .def("__eq__", [](const data::Design& a, const data::Design& b) { return a == b; });
    py::class_<RowsOf>(m, "Rows")
        .def(py::init<std::vector<py::object>, py::array, std::vector<py::array>, std::optional<py::array>,
                      std::optional<py::array>>(),
             py::arg("criteria"), py::arg("days"), py::arg("cents"), py::arg("represents") = py::none(),
             py::arg("stratum") = py::none())
        .def_property_readonly("size", [](const RowsOf& r) { return r.rows.size(); })
        .def_property_readonly("addresses",
                               [](const RowsOf& r) {  // of the columns of codes, as the core sees them: a test compares
                                   std::vector<std::uintptr_t> result;
                                   const auto put = [&](auto span) {
                                       result.push_back(reinterpret_cast<std::uintptr_t>(span.data()));
                                   };
                                   for (const auto& criterion : r.rows.criteria) {
                                       if (const auto* view = std::get_if<CodeView>(&criterion)) std::visit(put, *view);
                                       if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&criterion))
                                           put(*mask);
                                       if (const auto* many = std::get_if<std::vector<CodeView>>(&criterion))
                                           for (const CodeView& view : *many) std::visit(put, view);
                                   }
                                   return result;
                               });
    m.def(
        "check_rows",
        [](const data::Design& design, const RowsOf& r, Index first_row) {
            const py::gil_scoped_release release;
            data::check(design, r.rows, first_row);
        },
        py::arg("design"), py::arg("rows"), py::arg("first_row") = 0);
}

void bind_moments(py::module_& m) {
    py::class_<Moments>(m, "Moments")
        .def(py::init<Index>(), py::arg("columns"))
        .def(py::init<data::Design>(), py::arg("design"))
        .def_property_readonly("design", &Moments::design)
        .def_property_readonly("columns", &Moments::columns)
        .def_property_readonly("strata", &Moments::strata)
        .def_property_readonly("categories", &Moments::categories)
        .def_property_readonly("days", [](const Moments& x) { return x.days(); })
        .def_property_readonly("cents", [](const Moments& x) { return x.cents(); })
        .def_property_readonly("rows", [](const Moments& x) { return x.rows(); })
        .def("days_of", &Moments::days, py::arg("stratum"))
        .def("cents_of", &Moments::cents, py::arg("category"), py::arg("stratum"))
        .def("rows_of", &Moments::rows, py::arg("stratum"))
        .def(
            "xx",
            [](const Moments& x, Index stratum) {
                py::array_t<std::int64_t> a({x.columns(), x.columns()});
                auto v = a.mutable_unchecked<2>();
                for (Index j = 0; j < x.columns(); ++j)
                    for (Index k = 0; k < x.columns(); ++k) v(j, k) = x.xx(j, k, stratum);
                return a;
            },
            py::arg("stratum") = 0)
        .def(
            "xd", [](const Moments& x, Index s) { return vector_of(x.columns(), [&](Index j) { return x.xd(j, s); }); },
            py::arg("stratum") = 0)
        .def(
            "xn", [](const Moments& x, Index s) { return vector_of(x.columns(), [&](Index j) { return x.xn(j, s); }); },
            py::arg("stratum") = 0)
        .def(
            "xc",
            [](const Moments& x, Index category, Index s) {
                return vector_of(x.columns(), [&](Index j) { return x.xc(j, category, s); });
            },
            py::arg("category") = 0, py::arg("stratum") = 0)
        .def(
            "squares",
            [](const Moments& x, Index category, Index other, Index stratum) {
                std::map<Index, py::int_> result;
                for (Index d = 0; d <= x.design().days_max; ++d)
                    if (const Int128 v = x.squares(d, category, other, stratum); v != 0) result[d] = whole(v);
                return result;
            },
            py::arg("category") = 0, py::arg("other") = 0, py::arg("stratum") = 0)
        .def("squares_str",
             [](const Moments& x) {
                 std::map<Index, std::string> result;
                 for (Index d = 0; d <= x.design().days_max; ++d)
                     if (const Int128 v = x.squares(d); v != 0) result[d] = py::str(whole(v));
                 return result;
             })
        .def(
            "absorbed_days",
            [](const Moments& x, Index s) {
                return vector_of(x.absorbed_classes(), [&](Index a) { return x.absorbed_days(a, s); });
            },
            py::arg("stratum") = 0)
        .def(
            "absorbed_rows",
            [](const Moments& x, Index s) {
                return vector_of(x.absorbed_classes(), [&](Index a) { return x.absorbed_rows(a, s); });
            },
            py::arg("stratum") = 0)
        .def(
            "absorbed_cents",
            [](const Moments& x, Index category, Index s) {
                return vector_of(x.absorbed_classes(), [&](Index a) { return x.absorbed_cents(a, category, s); });
            },
            py::arg("category") = 0, py::arg("stratum") = 0)
        .def(
            "add",
            [](Moments& x, const std::vector<std::pair<int, int>>& entries, Days days, Cents cents,
               std::int64_t represents, std::int64_t sign) {
                std::vector<risk::Entry> row;
                for (const auto& [column, count] : entries)
                    row.push_back({static_cast<std::uint16_t>(column), static_cast<std::uint16_t>(count)});
                x.add(row, days, cents, represents, sign);
            },
            py::arg("entries"), py::arg("days"), py::arg("cents"), py::arg("represents") = 1, py::arg("sign") = 1)
        .def("bytes", [](const Moments& x) { return py::bytes(x.bytes()); })
        .def_static(
            "from_bytes", [](const py::bytes& given) { return Moments::from_bytes(std::string_view{given}); },
            py::arg("given"))
        .def("__copy__", [](const Moments& x) { return Moments{x}; })
        .def("__eq__", [](const Moments& a, const Moments& b) { return a == b; })
        .def("__iadd__", [](Moments& a, const Moments& b) -> Moments& { return a += b; })
        .def("__isub__", [](Moments& a, const Moments& b) -> Moments& { return a -= b; });
    m.def(
        "accumulate",
        [](const data::Design& design, const RowsOf& r, int threads) {
            Work work;
            std::optional<Moments> result;
            {
                const py::gil_scoped_release release;
                result = accumulate(design, r.rows, Run{threads}, &work);
            }
            return py::make_tuple(std::move(*result), work.entries_per_record, work.cells);
        },
        py::arg("design"), py::arg("rows"), py::arg("threads") = 1);
}

void bind_second_pass(py::module_& m) {
    py::class_<Pass>(m, "Pass")
        .def_readonly("r2", &Pass::r2)
        .def_readonly("cpm", &Pass::cpm)
        .def_readonly("mape", &Pass::mape)
        .def_readonly("deviation", &Pass::deviation)
        .def_property_readonly("residual", [](const Pass& p) { return whole(p.residual); })
        .def_readonly("days", &Pass::days)
        .def_readonly("rows", &Pass::rows);
    m.def(
        "second_pass",
        [](const data::Design& design, const RowsOf& r, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories, int threads,
           const std::optional<std::pair<std::int64_t, std::int64_t>>& mean) {
            const py::gil_scoped_release release;
            std::optional<MeanCost> about;
            if (mean) about = MeanCost{mean->first, mean->second};
            return second_pass(design, r.rows, weights, categories, Run{threads}, about);
        },
        py::arg("design"), py::arg("rows"), py::arg("weights"), py::arg("categories") = std::vector<double>{},
        py::arg("threads") = 1, py::arg("mean") = std::nullopt);
    m.def(
        "score_products",
        [](const data::Design& design, const RowsOf& r, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories, int threads) {
            std::vector<double> products;
            {
                const py::gil_scoped_release release;
                products = score_products(design, r.rows, weights, categories, Run{threads});
            }
            return py::array_t<double>(static_cast<py::ssize_t>(products.size()), products.data());
        },
        py::arg("design"), py::arg("rows"), py::arg("weights"), py::arg("categories") = std::vector<double>{},
        py::arg("threads") = 1);
    m.def(
        "robust_covariance",
        [](const Fit& fit, const std::vector<double>& products) {
            const std::vector<double> covariance = robust_covariance(fit, products);
            return py::array_t<double>(static_cast<py::ssize_t>(covariance.size()), covariance.data());
        },
        py::arg("fit"), py::arg("products"));
    py::class_<CrossValidation>(m, "CrossValidation")
        .def_readonly("r2", &CrossValidation::r2)
        .def_readonly("r2_of", &CrossValidation::r2_of)
        .def_readonly("r2_in", &CrossValidation::r2_in)
        .def_readonly("unseen", &CrossValidation::unseen);
    m.def(
        "cross_validate",
        [](const Moments& moments, const Specification& spec, int threads) {
            return cross_validate(moments, spec, Run{threads});
        },
        py::arg("moments"), py::arg("specification"), py::arg("threads") = 1, py::call_guard<py::gil_scoped_release>());
    py::class_<Bootstrap>(m, "Bootstrap")
        .def_property_readonly("coefficients",
                               [](const Bootstrap& b) {
                                   const auto columns = static_cast<py::ssize_t>(b.columns);
                                   const auto draws =
                                       columns == 0 ? 0 : static_cast<py::ssize_t>(b.coefficients.size()) / columns;
                                   return py::array_t<double>({draws, columns}, b.coefficients.data());
                               })
        .def_readonly("standard_deviation", &Bootstrap::standard_deviation)
        .def_readonly("refused", &Bootstrap::refused)
        .def_readonly("refusal", &Bootstrap::refusal);
    m.def(
        "bootstrap",
        [](const Moments& moments, const Specification& spec, Index draws, std::uint64_t seed, int threads) {
            return bootstrap(moments, spec, draws, seed, Run{threads});
        },
        py::arg("moments"), py::arg("specification"), py::arg("draws"), py::arg("seed") = 1, py::arg("threads") = 1,
        py::call_guard<py::gil_scoped_release>());
    py::class_<Regression>(m, "Regression")
        .def_readonly("method", &Regression::method)
        .def_readonly("coefficients", &Regression::coefficients)
        .def_readonly("standard_errors", &Regression::standard_errors)
        .def_readonly("covariance", &Regression::covariance)
        .def_readonly("r2", &Regression::r2)
        .def_readonly("condition", &Regression::condition)
        .def_readonly("rank", &Regression::rank)
        .def_readonly("freedom", &Regression::freedom)
        .def_readonly("converged", &Regression::converged);
    m.def(
        "regress",
        [](std::vector<std::string> names, const std::vector<py::array_t<double, py::array::c_style>>& columns,
           const py::array_t<double, py::array::c_style>& y, const py::array_t<double, py::array::c_style>& weight,
           const std::vector<Constraint>& equalities) {
            const auto view = [](const auto& a) {
                return std::span<const double>{a.data(), static_cast<std::size_t>(a.size())};
            };
            Regressors x{std::move(names), {}};
            for (const auto& column : columns) x.columns.push_back(view(column));
            const auto ys = view(y), ws = view(weight);
            const py::gil_scoped_release release;
            return regress(x, ys, ws, equalities);
        },
        py::arg("names"), py::arg("columns"), py::arg("y"), py::arg("weight"),
        py::arg("equalities") = std::vector<Constraint>{});
}

[[nodiscard]] Specification specified(std::vector<std::string> columns,
                                      const std::vector<std::pair<std::string, std::vector<Index>>>& zero_sum,
                                      Days days_in_year, std::vector<Constraint> constraints, bool keep_budget,
                                      std::vector<double> strata, std::vector<double> categories, bool inference,
                                      bool covariance) {
    Specification spec;
    spec.columns = std::move(columns);
    for (const auto& [name, group] : zero_sum) spec.zero_sum.push_back({name, group});
    spec.days_in_year = days_in_year;
    spec.inference = inference;
    spec.constraints = std::move(constraints);
    spec.keep_budget = keep_budget;
    spec.levels = {std::move(strata), std::move(categories)};
    spec.covariance = covariance;
    return spec;
}

void bind_fit(py::module_& m) {
    py::enum_<Relation>(m, "Relation")
        .value("equal", Relation::equal)
        .value("at_least", Relation::at_least)
        .value("at_most", Relation::at_most);
    py::class_<Constraint>(m, "Constraint")
        .def(py::init([](std::string name, const std::vector<std::pair<Index, double>>& terms, Relation relation,
                         double value) {
                 Constraint constraint{std::move(name), {}, relation, value};
                 for (const auto& [column, coefficient] : terms) constraint.terms.push_back({column, coefficient});
                 return constraint;
             }),
             py::arg("name"), py::arg("terms"), py::arg("relation"), py::arg("value"))
        .def_readonly("name", &Constraint::name)
        .def_readonly("relation", &Constraint::relation)
        .def_readonly("value", &Constraint::value);
    m.def(
        "group_total",
        [](std::string name, const Moments& group, double share_of_cost, std::vector<double> strata,
           std::vector<double> categories) {
            return group_total(std::move(name), group, share_of_cost, {std::move(strata), std::move(categories)});
        },
        py::arg("name"), py::arg("group"), py::arg("share_of_cost") = 1.0, py::arg("strata") = std::vector<double>{},
        py::arg("categories") = std::vector<double>{});
    py::class_<Binding>(m, "Binding")
        .def_readonly("name", &Binding::name)
        .def_readonly("relation", &Binding::relation)
        .def_readonly("multiplier", &Binding::multiplier);
    py::class_<Fit>(m, "Fit")
        .def_readonly("coefficients", &Fit::coefficients)
        .def_readonly("standard_errors", &Fit::standard_errors)
        .def_readonly("empty", &Fit::empty)
        .def_readonly("r2", &Fit::r2)
        .def_readonly("condition", &Fit::condition)
        .def_readonly("rank", &Fit::rank)
        .def_readonly("insured_years", &Fit::insured_years)
        .def_readonly("mean_cost", &Fit::mean_cost)
        .def_readonly("rows", &Fit::rows)
        .def_readonly("converged", &Fit::converged)
        .def_readonly("iterations", &Fit::iterations)
        .def_readonly("variance", &Fit::variance)
        .def_readonly("freedom", &Fit::freedom)
        .def_property_readonly("covariance",
                               [](const py::object& self) {
                                   const auto& values = self.cast<const Fit&>().covariance;
                                   return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data(),
                                                              self);
                               })
        .def_readonly("binding", &Fit::binding)
        .def_readonly("redundant", &Fit::redundant)
        .def_readonly("set_aside", &Fit::set_aside)
        .def_readonly("budget_row", &Fit::budget_row)
        .def_readonly("absorbed_coefficients", &Fit::absorbed_coefficients)
        .def_readonly("absorbed_standard_errors", &Fit::absorbed_standard_errors)
        .def_readonly("absorbed_empty", &Fit::absorbed_empty);
    py::class_<Specification>(m, "Specification")
        .def(py::init(&specified), py::arg("columns"), py::arg("zero_sum"), py::arg("days_in_year") = 365,
             py::arg("constraints") = std::vector<Constraint>{}, py::arg("keep_budget") = true,
             py::arg("strata") = std::vector<double>{}, py::arg("categories") = std::vector<double>{},
             py::arg("inference") = true, py::arg("covariance") = false);
    m.def(
        "estimate", [](const Moments& moments, const Specification& spec) { return estimate(moments, spec); },
        py::arg("moments"), py::arg("specification"), py::call_guard<py::gil_scoped_release>());
    m.def(
        "estimate",
        [](const Moments& moments, std::vector<std::string> columns,
           const std::vector<std::pair<std::string, std::vector<Index>>>& zero_sum, Days days_in_year,
           std::vector<Constraint> constraints, bool keep_budget, std::vector<double> strata,
           std::vector<double> categories, bool inference, bool covariance) {
            const Specification spec =
                specified(std::move(columns), zero_sum, days_in_year, std::move(constraints), keep_budget,
                          std::move(strata), std::move(categories), inference, covariance);
            const py::gil_scoped_release release;
            return estimate(moments, spec);
        },
        py::arg("moments"), py::arg("columns"), py::arg("zero_sum"), py::arg("days_in_year") = 365,
        py::arg("constraints") = std::vector<Constraint>{}, py::arg("keep_budget") = true,
        py::arg("strata") = std::vector<double>{}, py::arg("categories") = std::vector<double>{},
        py::arg("inference") = true, py::arg("covariance") = false);
    bind_second_pass(m);
    m.def(
        "student_t_tails",
        [](double t, double freedom) {  // P(|T| > |t|)
            if (std::isnan(t) || !(freedom > 0)) return std::numeric_limits<double>::quiet_NaN();
            if (std::isinf(t)) return 0.0;
            return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t{freedom}, std::abs(t)));
        },
        py::arg("t"), py::arg("freedom"));
    m.def(
        "student_t_quantile",
        [](double p, double freedom) {
            if (!(freedom > 0) || !(p > 0 && p < 1)) return std::numeric_limits<double>::quiet_NaN();
            return boost::math::quantile(boost::math::students_t{freedom}, p);
        },
        py::arg("p"), py::arg("freedom"));
}

}  // namespace

void bind_estimation(py::module_& m) {
    bind_design(m);
    bind_moments(m);
    bind_fit(m);
}
