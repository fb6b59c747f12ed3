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
    m.attr("first_claims_reason") = static_cast<int>(Reason::first_claims);
    m.def(
        "provider", [](Category category) { return static_cast<int>(provider(category)); }, py::arg("category"));
    m.def(
        "ledger",
        [](const scenario::Outcome& outcome, const std::vector<std::pair<std::int64_t, int>>& programmes) {
            std::vector<Account> accounts;
            for (const auto& [avoidable_ppm, runs] : programmes)
                accounts.push_back({avoidable_ppm, static_cast<Party>(runs)});
            py::list rows;
            for (const Posting& p : ledger(outcome, accounts))
                rows.append(py::make_tuple(p.year, p.scenario, static_cast<int>(p.from), static_cast<int>(p.to),
                                           p.cents, static_cast<int>(p.reason)));
            return rows;
        },
        py::arg("outcome"), py::arg("programmes"));
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
