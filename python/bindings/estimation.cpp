#include "module.hpp"

#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <map>
#include <string>

using namespace anderhalf;
using namespace anderhalf::estimation;

void bind_estimation(py::module_& m) {
    py::class_<Moments>(m, "Moments")
        .def(py::init<Index>(), py::arg("columns"))
        .def_property_readonly("columns", &Moments::columns)
        .def_property_readonly("days", &Moments::days)
        .def_property_readonly("cents", &Moments::cents)
        .def_property_readonly("rows", &Moments::rows)
        .def("xx",
             [](const Moments& x) {
                 py::array_t<std::int64_t> a({x.columns(), x.columns()});
                 auto v = a.mutable_unchecked<2>();
                 for (Index j = 0; j < x.columns(); ++j)
                     for (Index k = 0; k < x.columns(); ++k) v(j, k) = x.xx(j, k);
                 return a;
             })
        .def("xd",
             [](const Moments& x) {
                 py::array_t<std::int64_t> a(x.columns());
                 for (Index j = 0; j < x.columns(); ++j) a.mutable_at(j) = x.xd(j);
                 return a;
             })
        .def("xc",
             [](const Moments& x) {
                 py::array_t<std::int64_t> a(x.columns());
                 for (Index j = 0; j < x.columns(); ++j) a.mutable_at(j) = x.xc(j);
                 return a;
             })
        .def("squares_str",
             [](const Moments& x) {  // 128 bits do not fit a NumPy integer
                 std::map<Index, std::string> result;
                 for (Index d = 0; d <= 366; ++d)
                     if (Int128 v = x.squares(d); v != 0) {
                         std::string text;
                         for (; v > 0; v /= 10)
                             text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(v % 10)));
                         result[d] = text;
                     }
                 return result;
             })
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
        .def("__eq__", [](const Moments& a, const Moments& b) { return a == b; })
        .def("__iadd__", [](Moments& a, const Moments& b) -> Moments& { return a += b; })
        .def("__isub__", [](Moments& a, const Moments& b) -> Moments& { return a -= b; });
    py::class_<Fit>(m, "Fit")
        .def_readonly("coefficients", &Fit::coefficients)
        .def_readonly("standard_errors", &Fit::standard_errors)
        .def_readonly("empty", &Fit::empty)
        .def_readonly("r2", &Fit::r2)
        .def_readonly("condition", &Fit::condition)
        .def_readonly("rank", &Fit::rank)
        .def_readonly("insured_years", &Fit::insured_years)
        .def_readonly("mean_cost", &Fit::mean_cost)
        .def_readonly("rows", &Fit::rows);
    m.def(
        "estimate",
        [](const Moments& moments, const std::vector<std::string>& columns,
           const std::vector<std::pair<std::string, std::vector<Index>>>& zero_sum, Days days_in_year) {
            Specification spec{columns, {}, days_in_year, true};
            for (const auto& [name, group] : zero_sum) spec.zero_sum.push_back({name, group});
            return estimate(moments, spec);
        },
        py::arg("moments"), py::arg("columns"), py::arg("zero_sum"), py::arg("days_in_year") = 365);
}
