#pragma once
#include <anderhalf/core/run.hpp>

#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_errors(py::module_& m);
void bind_data(py::module_& m);
void bind_arrow(py::module_& m);
void bind_params(py::module_& m);
void bind_risk(py::module_& m);
void bind_population(py::module_& m);
void bind_estimation(py::module_& m);
void bind_metrics(py::module_& m);
void bind_payment(py::module_& m);
void bind_scenario(py::module_& m);
void bind_incentive(py::module_& m);
