#include "module.hpp"

#include <anderhalf/core/care.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/types.hpp>
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

/// Codes become enumerations here: a byte that names none would be an index out of range later.
void check_codes(const std::vector<data::Claim>& claims) {
    BadRows category, title;
    for (std::size_t k = 0; k < claims.size(); ++k) {
        if (static_cast<std::size_t>(claims[k].category) >= category_count) category.note(static_cast<Index>(k));
        if (claims[k].title > Title::designated) title.note(static_cast<Index>(k));
    }
    Problems<DomainError> problems;
    category.report(problems, "claims, category", "unknown code", "0.." + std::to_string(category_count - 1));
    title.report(problems, "claims, title", "unknown code", "0..2");
    problems.throw_if_any();
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
                 data::Block block{copied(records), copied(claims)};
                 check_codes(block.claims);
                 return block;
             }),
             py::arg("records"), py::arg("claims"))
        .def_property_readonly(
            "records", [](const py::object& self) { return shared(self.cast<const data::Block&>().records, self); })
        .def_property_readonly(
            "claims", [](const py::object& self) { return shared(self.cast<const data::Block&>().claims, self); });
    m.attr("record_dtype") = py::dtype::of<data::Record>();
    m.attr("claim_dtype") = py::dtype::of<data::Claim>();
}
