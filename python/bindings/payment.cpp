#include "module.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/own_payment/own_payment.hpp>
#include <anderhalf/payment/excess.hpp>
#include <anderhalf/payment/payment.hpp>
#include <anderhalf/payment/statement.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

using namespace anderhalf;
using namespace anderhalf::payment;

namespace {

using Classes = py::array_t<std::int64_t, py::array::c_style>;

ClassTotals totals_of(const Classes& days) {
    if (days.ndim() != 2)
        throw ShapeError{{{"class totals", "dimensions", "2: insurers x columns", std::to_string(days.ndim())}}};
    ClassTotals totals{days.shape(0), days.shape(1)};
    auto v = days.unchecked<2>();
    for (Index i = 0; i < v.shape(0); ++i)
        for (Index k = 0; k < v.shape(1); ++k) totals.add(i, k, v(i, k));
    return totals;
}

template <class T>
using Column = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> span(const Column<T>& column) {
    return {column.data(), static_cast<std::size_t>(column.size())};
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
        "normative_cents",
        [](const Classes& class_days, const std::vector<MicroEuro>& weights, Days days_in_year) {
            return ex_ante(normative(totals_of(class_days), weights), days_in_year);
        },
        py::arg("class_days"), py::arg("weights"), py::arg("days_in_year"));
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
    py::class_<Counts>(m, "Counts")
        .def(py::init([](std::vector<Days> days, Days numerator, Days denominator) {
                 return Counts{std::move(days), numerator, denominator};
             }),
             py::arg("days"), py::arg("numerator") = 1, py::arg("denominator") = 1)
        .def_readonly("days", &Counts::days)
        .def_readonly("numerator", &Counts::numerator)
        .def_readonly("denominator", &Counts::denominator);
    py::class_<ShareTotals>(m, "ShareTotals")
        .def(py::init([](std::string share, const Classes& classes, const std::optional<Classes>& abroad,
                         std::vector<Cents> cost, std::vector<std::int64_t> excess) {
                 return ShareTotals{std::move(share), totals_of(classes), abroad ? totals_of(*abroad) : ClassTotals{},
                                    std::move(cost), std::move(excess)};
             }),
             py::arg("share"), py::arg("classes"), py::arg("abroad") = std::nullopt,
             py::arg("cost") = std::vector<Cents>{}, py::arg("excess") = std::vector<std::int64_t>{})
        .def_readonly("share", &ShareTotals::share)
        .def_readonly("cost", &ShareTotals::cost)
        .def_readonly("excess", &ShareTotals::excess);
    py::class_<Totals>(m, "Totals")
        .def(py::init([](std::vector<ShareTotals> shares, std::vector<Days> days, std::vector<Days> adult_days,
                         const std::optional<Classes>& deductible) {
                 Totals totals;
                 totals.shares = std::move(shares);
                 totals.days = std::move(days);
                 totals.adult_days = std::move(adult_days);
                 if (deductible) totals.deductible = totals_of(*deductible);
                 return totals;
             }),
             py::arg("shares"), py::arg("days"), py::arg("adult_days"), py::arg("deductible") = std::nullopt)
        .def_readwrite("shares", &Totals::shares)
        .def_readwrite("days", &Totals::days)
        .def_readwrite("adult_days", &Totals::adult_days)
        .def_readwrite("detained_days", &Totals::detained_days)
        .def_readwrite("under_18", &Totals::under_18)
        .def_readwrite("cost_fixed", &Totals::cost_fixed)
        .def_readwrite("fixed_history", &Totals::fixed_history)
        .def_readwrite("own_payments_mandatory", &Totals::own_payments_mandatory)
        .def_readwrite("premium_forgone", &Totals::premium_forgone)
        .def_readwrite("own_payments_forgone", &Totals::own_payments_forgone);
    py::class_<Line>(m, "Line")
        .def_readonly("share", &Line::share)
        .def_readonly("item", &Line::item)
        .def_readonly("article", &Line::article)
        .def_readonly("cents", &Line::cents);
    py::class_<Statement> statement(m, "Statement");
    py::class_<Statement::Share>(statement, "Share")
        .def_readonly("name", &Statement::Share::name)
        .def_readonly("target", &Statement::Share::target)
        .def_readonly("factor", &Statement::Share::factor)
        .def_readonly("rounding_gap", &Statement::Share::rounding_gap)
        .def_readonly("weights", &Statement::Share::weights)
        .def_readonly("macro_gap", &Statement::Share::macro_gap);
    statement.def_readonly("lines", &Statement::lines)
        .def_readonly("contribution", &Statement::contribution)
        .def_readonly("shares", &Statement::shares);
    m.def(
        "pay",
        [](const params::Model& model, const Totals& totals, Stage stage, Rounding rounding,
           std::vector<Counts> expected, std::optional<Counts> expected_deductible, std::int32_t year) {
            return pay(model, totals, {stage, rounding, std::move(expected), std::move(expected_deductible), year});
        },
        py::arg("model"), py::arg("totals"), py::arg("stage"), py::arg("rounding") = Rounding::exact,
        py::arg("expected") = std::vector<Counts>{}, py::arg("expected_deductible") = std::nullopt, py::arg("year") = 0,
        py::call_guard<py::gil_scoped_release>());
    py::class_<Excess>(m, "Excess")
        .def_readonly("per_insurer", &Excess::per_insurer)
        .def_readonly("threshold", &Excess::threshold)
        .def_readonly("users", &Excess::users)
        .def_readonly("above", &Excess::above);
    m.def(
        "excess",
        [](const params::Model& model, const std::string& share, const Column<std::uint64_t>& person,
           const Column<std::int64_t>& insurer, const Column<Cents>& cost, const Column<std::int64_t>& represents,
           Index insurers) {
            const PersonCosts costs{span(person), span(insurer), span(cost), span(represents)};
            const py::gil_scoped_release release;
            return excess(model, share, costs, insurers);
        },
        py::arg("model"), py::arg("share"), py::arg("person"), py::arg("insurer"), py::arg("cost"),
        py::arg("represents"), py::arg("insurers"));
    m.def("counted", &counted, py::arg("model"), py::arg("share"));
    m.def("own_payment", &own_payment::realised, py::arg("mandatory"), py::arg("voluntary"), py::arg("eligible"),
          py::arg("days"), py::arg("days_in_year"));
}
