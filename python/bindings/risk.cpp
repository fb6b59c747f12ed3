#include "module.hpp"

#include <anderhalf/risk/scheme.hpp>

#include <pybind11/stl.h>

#include <memory>

using namespace anderhalf;
using namespace anderhalf::risk;

namespace {

py::list columns_of(const std::vector<CriterionColumns>& columns) {
    py::list result;
    for (const CriterionColumns& c : columns) result.append(py::make_tuple(c.name, c.offset, c.first_code, c.size));
    return result;
}

}  // namespace

void bind_risk(py::module_& m) {
    py::class_<Mapping> mapping(m, "Mapping");
    py::class_<Mapping::Drug>(mapping, "Drug")
        .def(py::init<>())
        .def_readwrite("drug", &Mapping::Drug::drug)
        .def_readwrite("fkg", &Mapping::Drug::fkg)
        .def_readwrite("ggz_fkg", &Mapping::Drug::ggz_fkg)
        .def_readwrite("min_ddd", &Mapping::Drug::min_ddd)
        .def_readwrite("min_prescriptions", &Mapping::Drug::min_prescriptions)
        .def_readwrite("ggz_min_prescriptions", &Mapping::Drug::ggz_min_prescriptions)
        .def_readwrite("ggz_indicated", &Mapping::Drug::ggz_indicated)
        .def_readwrite("ended_addon", &Mapping::Drug::ended_addon);
    py::class_<Mapping::Diagnosis>(mapping, "Diagnosis")
        .def(py::init<>())
        .def_readwrite("specialism", &Mapping::Diagnosis::specialism)
        .def_readwrite("diagnosis", &Mapping::Diagnosis::diagnosis)
        .def_readwrite("dx_group", &Mapping::Diagnosis::dx_group)
        .def_readwrite("dkg", &Mapping::Diagnosis::dkg)
        .def_readwrite("dkg_primary", &Mapping::Diagnosis::dkg_primary)
        .def_readwrite("dkg_secondary", &Mapping::Diagnosis::dkg_secondary)
        .def_readwrite("light", &Mapping::Diagnosis::light);
    py::class_<Mapping::CareProduct>(mapping, "CareProduct")
        .def(py::init<>())
        .def_readwrite("product", &Mapping::CareProduct::product)
        .def_readwrite("dx_group", &Mapping::CareProduct::dx_group)
        .def_readwrite("dkg", &Mapping::CareProduct::dkg)
        .def_readwrite("dkg_primary", &Mapping::CareProduct::dkg_primary)
        .def_readwrite("dkg_secondary", &Mapping::CareProduct::dkg_secondary);
    py::class_<Mapping::Device>(mapping, "Device")
        .def(py::init<>())
        .def_readwrite("device", &Mapping::Device::device)
        .def_readwrite("hkg", &Mapping::Device::hkg);
    py::class_<Mapping::Physiotherapy>(mapping, "Physiotherapy")
        .def(py::init<>())
        .def_readwrite("diagnosis", &Mapping::Physiotherapy::diagnosis)
        .def_readwrite("fdg", &Mapping::Physiotherapy::fdg);
    py::class_<Mapping::MentalCare>(mapping, "MentalCare")
        .def(py::init<>())
        .def_readwrite("diagnosis", &Mapping::MentalCare::diagnosis)
        .def_readwrite("ggz_dkg", &Mapping::MentalCare::ggz_dkg);
    mapping.def(py::init<>())
        .def_readwrite("drugs", &Mapping::drugs)
        .def_readwrite("diagnoses", &Mapping::diagnoses)
        .def_readwrite("care_products", &Mapping::care_products)
        .def_readwrite("consults", &Mapping::consults)
        .def_readwrite("devices", &Mapping::devices)
        .def_readwrite("physiotherapy", &Mapping::physiotherapy)
        .def_readwrite("mental_care", &Mapping::mental_care)
        .def_readwrite("nursing_region", &Mapping::nursing_region)
        .def_readwrite("light_product_percent", &Mapping::light_product_percent);

    py::class_<Scheme, std::shared_ptr<Scheme>>(m, "Scheme")
        .def(py::init<params::Model, Mapping, std::int64_t>(), py::arg("model"), py::arg("mapping"),
             py::arg("experiment_variable_ppm") = 1'000'000)
        .def_property_readonly("variable_layout", [](const Scheme& s) { return columns_of(s.variable_layout()); })
        .def_property_readonly("ggz_layout", [](const Scheme& s) { return columns_of(s.ggz_layout()); })
        .def_property_readonly("nursing_layout", [](const Scheme& s) { return columns_of(s.nursing_layout()); })
        .def_property_readonly("deductible_layout", [](const Scheme& s) { return columns_of(s.deductible_layout()); })
        .def_property_readonly("mhk_tops", &Scheme::mhk_tops)
        .def_property_readonly("mvv_tops", &Scheme::mvv_tops);
    m.def(
        "layout", [](const params::Share& share) { return columns_of(layout(share)); }, py::arg("share"));
    m.def("tie_key", &tie_key, py::arg("seed"), py::arg("person"), py::arg("year"));
}
