#include "module.hpp"

#include <anderhalf/metrics.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <tuple>

using namespace anderhalf;
using namespace anderhalf::metrics;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> span_of(const Array<T>& a) {
    return {a.data(), static_cast<std::size_t>(a.size())};
}
std::optional<std::span<const std::uint16_t>> span_of(const std::optional<Array<std::uint16_t>>& a) {
    if (!a) return {};
    return span_of(*a);
}

CodeView codes_of(const py::array& a) {
    const auto n = static_cast<std::size_t>(a.size());
    if (py::isinstance<Array<std::uint8_t>>(a)) return std::span{static_cast<const std::uint8_t*>(a.data()), n};
    if (py::isinstance<Array<std::uint16_t>>(a)) return std::span{static_cast<const std::uint16_t*>(a.data()), n};
    if (py::isinstance<Array<std::uint32_t>>(a)) return std::span{static_cast<const std::uint32_t*>(a.data()), n};
    throw py::type_error("codes: contiguous uint8, uint16 or uint32");
}

using Part = std::tuple<std::string, py::array, Index>;
using Totals = std::tuple<Cents, Cents, std::int64_t>;  // cost, payment, days

std::vector<Group> groups_of(const std::vector<Totals>& totals) {
    std::vector<Group> groups;
    for (const auto& [cost, payment, days] : totals) groups.push_back({.days = days, .cost = cost, .payment = payment});
    return groups;
}

}  // namespace

void bind_metrics(py::module_& m) {
    py::class_<Group>(m, "MetricsGroup")
        .def_readonly("rows", &Group::rows)
        .def_readonly("persons", &Group::persons)
        .def_readonly("days", &Group::days)
        .def_readonly("cost_cents", &Group::cost)
        .def_readonly("payment_cents", &Group::payment)
        .def_readonly("insured_years", &Group::insured_years)
        .def_readonly("cost_eur", &Group::cost_eur)
        .def_readonly("payment_eur", &Group::payment_eur)
        .def_readonly("overcompensation_eur", &Group::overcompensation_eur)
        .def_readonly("standard_error_eur", &Group::standard_error_eur)
        .def_readonly("predictive_ratio", &Group::predictive_ratio);
    py::class_<Level>(m, "MetricsLevel")
        .def_readonly("groups", &Level::groups)
        .def_readonly("r2", &Level::r2)
        .def_readonly("ggaa_eur", &Level::ggaa_eur)
        .def_readonly("sd_eur", &Level::sd_eur)
        .def_readonly("bandwidth_eur", &Level::bandwidth_eur);
    py::class_<Evaluation>(m, "MetricsEvaluation")
        .def_readonly("all", &Evaluation::all)
        .def_readonly("r2", &Evaluation::r2)
        .def_readonly("cpm", &Evaluation::cpm)
        .def_readonly("mape_eur", &Evaluation::mape_eur)
        .def_readonly("sd_eur", &Evaluation::sd_eur)
        .def_readonly("levels", &Evaluation::levels)
        .def_readonly("groups", &Evaluation::groups);
    py::class_<Comovement>(m, "Comovement")
        .def_readonly("mean_first_eur", &Comovement::mean_first_eur)
        .def_readonly("mean_second_eur", &Comovement::mean_second_eur)
        .def_readonly("sd_first_eur", &Comovement::sd_first_eur)
        .def_readonly("sd_second_eur", &Comovement::sd_second_eur)
        .def_readonly("correlation", &Comovement::correlation);
    m.def(
        "evaluate",
        [](const Array<Cents>& cost, const Array<Cents>& payment, const Array<std::int32_t>& days,
           const std::optional<Array<std::uint16_t>>& represents, std::int32_t days_in_year,
           const std::vector<Part>& parts, int threads) {
            const Columns columns{span_of(cost), span_of(payment), span_of(days), span_of(represents), days_in_year};
            std::vector<Partition> partitions;
            for (const auto& [name, codes, groups] : parts) partitions.push_back({name, codes_of(codes), groups});
            const py::gil_scoped_release release;
            return evaluate(columns, partitions, Run{.threads = threads});
        },
        py::arg("cost"), py::arg("payment"), py::arg("days"), py::arg("represents"), py::arg("days_in_year"),
        py::arg("partitions"), py::arg("threads"));
    m.def(
        "overcompensation",
        [](const py::array& group, const Array<Cents>& payment, const Array<Cents>& cost,
           const Array<std::int32_t>& days, Index groups, int threads) {
            const CodeView codes = codes_of(group);
            std::vector<double> result;
            {
                const py::gil_scoped_release release;
                result = overcompensation(codes, span_of(payment), span_of(cost), span_of(days), groups,
                                          Run{.threads = threads});
            }
            return py::array_t<double>(static_cast<py::ssize_t>(result.size()), result.data());
        },
        py::arg("group"), py::arg("payment"), py::arg("cost"), py::arg("days"), py::arg("groups"), py::arg("threads"));
    m.def(
        "comovement",
        [](const Array<Cents>& first, const Array<Cents>& second, const Array<std::int32_t>& days,
           const std::optional<Array<std::uint16_t>>& represents, std::int32_t days_in_year, int threads) {
            const py::gil_scoped_release release;
            return comovement(span_of(first), span_of(second), span_of(days), span_of(represents), days_in_year,
                              Run{.threads = threads});
        },
        py::arg("first"), py::arg("second"), py::arg("days"), py::arg("represents"), py::arg("days_in_year"),
        py::arg("threads"));
    m.def(
        "power",
        [](const Array<Cents>& cost, const Array<Cents>& payment, const Array<Cents>& cost_after,
           const Array<Cents>& payment_after, const std::optional<Array<std::uint16_t>>& represents, int threads) {
            const py::gil_scoped_release release;
            return power(span_of(cost), span_of(payment), span_of(cost_after), span_of(payment_after),
                         span_of(represents), Run{.threads = threads});
        },
        py::arg("cost"), py::arg("payment"), py::arg("cost_after"), py::arg("payment_after"), py::arg("represents"),
        py::arg("threads"));
    m.def(
        "held_out",
        [](const Array<std::uint64_t>& person, double share, std::uint64_t seed) {
            const std::vector<std::uint8_t> held = held_out(span_of(person), share, seed);
            py::array_t<bool> result(static_cast<py::ssize_t>(held.size()));
            for (std::size_t i = 0; i < held.size(); ++i) result.mutable_at(static_cast<py::ssize_t>(i)) = held[i] != 0;
            return result;
        },
        py::arg("person"), py::arg("share"), py::arg("seed"));
    m.def(
        "weight_change",
        [](const Array<MicroEuro>& before, const Array<MicroEuro>& after, const Array<std::int64_t>& days) {
            return weight_change(span_of(before), span_of(after), span_of(days));
        },
        py::arg("before"), py::arg("after"), py::arg("days"));
    m.def(
        "result_change",
        [](const std::vector<Totals>& before, const std::vector<Totals>& after, std::int32_t days_in_year) {
            return result_change(groups_of(before), groups_of(after), days_in_year);
        },
        py::arg("before"), py::arg("after"), py::arg("days_in_year"));
}
