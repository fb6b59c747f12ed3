#include "module.hpp"

#include <anderhalf/core/care.hpp>
#include <anderhalf/data/record.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

using namespace anderhalf;

namespace {

/// A read-only structured array that shares memory with the block.
template <class T>
py::array shared(const std::vector<T>& rows, py::object owner) {
    return py::array_t<T>(static_cast<py::ssize_t>(rows.size()), rows.data(), owner);
}

template <class T>
std::vector<T> copied(const py::array_t<T, py::array::c_style>& rows) {
    return {rows.data(), rows.data() + rows.size()};
}

}  // namespace

void bind_data(py::module_& m) {
    PYBIND11_NUMPY_DTYPE(data::Record, person, address, first_day, last_day, birth_month, voluntary_deductible_cents,
                         insurer, represents, municipality, region, sex, income_source, ses, household, wlz);
    PYBIND11_NUMPY_DTYPE(data::Claim, person, opened, closed, claimed_cents, settled_cents, claim, product, insurer,
                         specialism, diagnosis, ddd, prescriptions, category, consult, title);
    py::enum_<Category>(m, "Category")
        .value("transport", Category::transport)
        .value("gp", Category::gp)
        .value("paramedical", Category::paramedical)
        .value("drugs", Category::drugs)
        .value("obstetric", Category::obstetric)
        .value("maternity", Category::maternity)
        .value("devices", Category::devices)
        .value("dental", Category::dental)
        .value("chain_care", Category::chain_care)
        .value("hospital", Category::hospital)
        .value("diagnostics", Category::diagnostics)
        .value("grz", Category::grz)
        .value("sensory", Category::sensory)
        .value("nursing", Category::nursing)
        .value("elv", Category::elv)
        .value("ggz", Category::ggz)
        .value("other", Category::other)
        .value("one_and_a_half_line", Category::one_and_a_half_line);
    py::enum_<Title>(m, "Title")
        .value("gp_care", Title::gp_care)
        .value("specialist_care", Title::specialist_care)
        .value("designated", Title::designated);
    py::class_<data::Block>(m, "Block")
        .def(py::init([](const py::array_t<data::Record, py::array::c_style>& records,
                         const py::array_t<data::Claim, py::array::c_style>& claims) {
                 return data::Block{copied(records), copied(claims)};
             }),
             py::arg("records"), py::arg("claims"))
        .def_property_readonly(
            "records", [](const py::object& self) { return shared(self.cast<const data::Block&>().records, self); })
        .def_property_readonly(
            "claims", [](const py::object& self) { return shared(self.cast<const data::Block&>().claims, self); });
    m.attr("record_dtype") = py::dtype::of<data::Record>();
    m.attr("claim_dtype") = py::dtype::of<data::Claim>();
}
