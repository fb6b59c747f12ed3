#include "module.hpp"

#include <anderhalf/core/errors.hpp>

#include <string>

namespace {

/// Raises the Python error of the same name with all problems.
void raise(const char* name, const anderhalf::Error& error) {
    const py::module_ errors = py::module_::import("anderhalf.errors");
    py::list problems;
    for (const anderhalf::Problem& p : error.problems())
        problems.append(errors.attr("Problem")(p.where, p.what, p.expected, p.got));
    const py::object type = errors.attr(name);
    py::set_error(type, type(problems));
}

}  // namespace

void bind_errors(py::module_&) {
    py::register_exception_translator(
        [](std::exception_ptr p) {  // NOLINT(performance-unnecessary-value-param): pybind11 asks it
            try {
                if (p) std::rethrow_exception(p);
            } catch (const anderhalf::ShapeError& e) {
                raise("ShapeError", e);
            } catch (const anderhalf::NotFoundError& e) {
                raise("NotFoundError", e);
            } catch (const anderhalf::ParameterError& e) {
                raise("ParameterError", e);
            } catch (const anderhalf::DomainError& e) {
                raise("DomainError", e);
            } catch (const anderhalf::Stopped&) {
                PyErr_SetNone(PyExc_KeyboardInterrupt);
            }
        });
}
