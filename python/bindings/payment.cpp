#include "module.hpp"

#include <anderhalf/own_payment/own_payment.hpp>
#include <anderhalf/payment/payment.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

using namespace anderhalf;
using namespace anderhalf::payment;

namespace {

ClassTotals totals_of(const py::array_t<std::int64_t, py::array::c_style>& days) {
    ClassTotals totals{days.shape(0), days.shape(1)};
    auto v = days.unchecked<2>();
    for (Index i = 0; i < v.shape(0); ++i)
        for (Index k = 0; k < v.shape(1); ++k) totals.add(i, k, v(i, k));
    return totals;
}

}  // namespace

void bind_payment(py::module_& m) {
    py::enum_<Rounding>(m, "Rounding").value("exact", Rounding::exact).value("legal", Rounding::legal);
    m.def(
        "settle_share",
        [](const py::array_t<std::int64_t, py::array::c_style>& class_days, const std::vector<MicroEuro>& weights,
           Days days_in_year, Cents national_cost, std::int64_t flat_ppm, const std::vector<Days>& adult_days,
           const std::vector<std::int64_t>& excess) {
            ShareInput in;
            in.normative = normative(totals_of(class_days), weights);
            in.days_in_year = days_in_year;
            in.flat_ppm = flat_ppm;
            in.adult_days = adult_days;
            in.excess = excess;
            in.national.cost = national_cost;
            for (const Int128 n : in.normative) in.national.normative += n;
            const ShareResult r = settle(in);
            return py::make_tuple(r.normative_cents, r.paid, r.target, r.factor);
        },
        py::arg("class_days"), py::arg("weights"), py::arg("days_in_year"), py::arg("national_cost"),
        py::arg("flat_ppm"), py::arg("adult_days"), py::arg("excess") = std::vector<std::int64_t>{});
    m.def(
        "neutral_weights",
        [](const std::vector<std::tuple<std::string, Index, std::int32_t, Index>>& layout,
           const std::vector<params::NeutralityRule>& rules, const std::string& share,
           const std::vector<MicroEuro>& weights, const std::vector<Days>& expected, Days expected_numerator,
           Days expected_denominator, const std::vector<Days>& realised, Rounding rounding) {
            std::vector<risk::CriterionColumns> columns;
            for (const auto& [name, offset, first_code, size] : layout)
                columns.push_back({name, params::Assignment::single, offset, first_code, size});
            return neutral(columns, rules, share, weights, {expected, expected_numerator, expected_denominator},
                           {realised}, rounding);
        },
        py::arg("layout"), py::arg("rules"), py::arg("share"), py::arg("weights"), py::arg("expected"),
        py::arg("expected_numerator"), py::arg("expected_denominator"), py::arg("realised"), py::arg("rounding"));
    m.def("own_payment", &own_payment::realised, py::arg("mandatory"), py::arg("voluntary"), py::arg("eligible"),
          py::arg("days"), py::arg("days_in_year"));
}
