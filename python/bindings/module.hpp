#pragma once
#include <anderhalf/core/run.hpp>

#include <anderhalf/payment/payment.hpp>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <vector>

namespace py = pybind11;

/// Wraps a Python progress callback; it may be called from worker threads, so it takes the interpreter lock.
anderhalf::Run run_of(int threads, const py::object& progress, std::vector<anderhalf::Index>* work = nullptr);
/// Class totals as an array: insurers x columns.
py::array_t<std::int64_t> matrix(const anderhalf::payment::ClassTotals& totals);

void bind_errors(py::module_& m);
void bind_data(py::module_& m);
void bind_arrow(py::module_& m);
void bind_params(py::module_& m);
void bind_risk(py::module_& m);
void bind_population(py::module_& m);
void bind_estimation(py::module_& m);
void bind_metrics(py::module_& m);
void bind_payment(py::module_& m);
void bind_substitution(py::module_& m);
void bind_scenario(py::module_& m);
void bind_stream(py::module_& m);
void bind_incentive(py::module_& m);
