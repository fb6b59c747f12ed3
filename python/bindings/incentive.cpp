#include "module.hpp"

#include <anderhalf/incentive/ledger.hpp>
#include <anderhalf/incentive/measures.hpp>

#include <pybind11/stl.h>

using namespace anderhalf;
using namespace anderhalf::incentive;

void bind_incentive(py::module_& m) {
    m.attr("party_names") = std::vector<std::string>(party_names.begin(), party_names.end());
    m.attr("reason_names") = std::vector<std::string>(reason_names.begin(), reason_names.end());
    m.attr("first_insurer_party") = static_cast<int>(Party::first_insurer);
    m.def(
        "ledger",
        [](const scenario::Outcome& outcome, const params::Model& model,
           const std::vector<std::int64_t>& avoidable_ppm) {
            py::list rows;
            for (const Posting& p : ledger(outcome, model, avoidable_ppm))
                rows.append(py::make_tuple(p.year, p.scenario, static_cast<int>(p.from), static_cast<int>(p.to),
                                           p.cents, static_cast<int>(p.reason)));
            return rows;
        },
        py::arg("outcome"), py::arg("model"), py::arg("avoidable_ppm"));
    py::class_<Measures>(m, "Measures")
        .def_readonly("npv", &Measures::npv)
        .def_readonly("saving", &Measures::saving)
        .def_readonly("undiscounted", &Measures::undiscounted)
        .def_readonly("kept_share", &Measures::kept_share)
        .def_readonly("power", &Measures::power)
        .def_readonly("payback_year", &Measures::payback_year)
        .def_readonly("by_year", &Measures::by_year);
    m.def("measures", &measures, py::arg("outcome"), py::arg("insurers"), py::arg("discount_rate"));
}
