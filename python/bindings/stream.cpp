#include "module.hpp"

#include <anderhalf/scenario/stream.hpp>

#include <pybind11/stl.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

using namespace anderhalf;
using namespace anderhalf::scenario;

namespace {

/// Runs a computation on a thread of its own while this one looks for signals: Ctrl-C stops it at the next block.
template <class Body>
void interruptible(Run run, Body&& body) {
    std::mutex guard;
    std::condition_variable changed;
    bool done = false;
    std::exception_ptr error;
    std::stop_source stop;
    run.stop = stop.get_token();
    bool interrupted = false;
    {
        const py::gil_scoped_release release;
        std::jthread worker{[&] {
            try {
                body(run);
            } catch (...) {
                error = std::current_exception();
            }
            const std::scoped_lock lock{guard};
            done = true;
            changed.notify_all();
        }};
        std::unique_lock lock{guard};
        while (!changed.wait_for(lock, std::chrono::milliseconds{100}, [&] { return done; })) {
            lock.unlock();
            {
                const py::gil_scoped_acquire acquire;
                if (!interrupted && PyErr_CheckSignals() != 0) {
                    interrupted = true;
                    stop.request_stop();
                }
            }
            lock.lock();
        }
    }
    if (interrupted) throw py::error_already_set();
    if (error) std::rethrow_exception(error);
}

py::array_t<std::int64_t> whole(const std::vector<std::int64_t>& v) {
    return py::array_t<std::int64_t>(static_cast<py::ssize_t>(v.size()), v.data());
}

/// One share: days per insurer and class, of all insured and of those abroad, and records.
py::dict share(const payment::ClassTotals& days, const payment::ClassTotals& abroad,
               const payment::ClassTotals& records) {
    py::dict d;
    d["days"] = matrix(days);
    d["abroad"] = matrix(abroad.columns() > 0 ? abroad : payment::ClassTotals{days.insurers(), days.columns()});
    d["records"] = matrix(records);
    return d;
}

py::dict totals(const Streamed& s) {
    const YearTotals& t = s.totals;
    py::dict d, shares;
    shares["variable"] = share(t.variable, t.variable_abroad, s.class_persons.variable);
    shares["ggz"] = share(t.ggz, t.ggz_abroad, s.class_persons.ggz);
    if (t.nursing.columns() > 0) shares["nursing"] = share(t.nursing, t.nursing_abroad, s.class_persons.nursing);
    shares["deductible"] = share(t.deductible, {}, s.class_persons.deductible);
    d["shares"] = shares;
    d["records"] = whole(s.class_persons.insured);
    d["days"] = whole(t.days);
    d["adult_days"] = whole(t.adult_days);
    d["under_18"] = whole(t.under_18);
    d["variable_cents"] = whole(t.cost_variable);
    d["ggz_cents"] = whole(t.cost_ggz);
    d["fixed_cents"] = whole(t.cost_fixed);
    d["nursing_cents"] = whole(t.cost_nursing);
    d["own_payments_cents"] = whole(t.own_payments);
    d["own_payments_mandatory_cents"] = whole(t.own_payments_mandatory);
    d["ggz_excess"] = whole(t.ggz_excess);
    py::dict high;
    for (const HighCostYear& h : s.high_cost) high[h.share.c_str()] = py::make_tuple(whole(h.per_insurer), h.threshold);
    d["high_cost"] = high;
    return d;
}

py::list lines(const Streamed& s) {
    py::list result;
    for (const NationalLine& line : s.lines) {
        py::dict d;
        d["criterion"] = line.criterion;
        d["year"] = line.year;
        d["top_per_myriad"] = line.top_per_myriad;
        d["min_cents"] = line.min_cents;
        d["code"] = line.code;
        const bool nobody = line.line.cost == std::numeric_limits<Cents>::max();
        d["cents"] = nobody ? py::object{py::none()} : py::int_(line.line.cost);
        d["insured"] = line.insured;
        d["above"] = line.above;
        d["on"] = line.on;
        result.append(d);
    }
    return result;
}

}  // namespace

void bind_stream(py::module_& m) {
    py::class_<Streamed>(m, "Streamed")
        .def_readonly("year", &Streamed::year)
        .def_readonly("first_year", &Streamed::first_year)
        .def_readonly("persons", &Streamed::persons)
        .def_readonly("records", &Streamed::records)
        .def_readonly("insured", &Streamed::insured)
        .def_readonly("claims", &Streamed::claims)
        .def_readonly("held", &Streamed::held)
        .def_readonly("moments", &Streamed::moments)
        .def_property_readonly("totals", &totals)
        .def_property_readonly("lines", &lines);
    m.def("first_year_of_care", &first_year_of_care, py::arg("scheme"), py::arg("year"));
    m.def(
        "stream",
        [](const Source& source, const std::shared_ptr<risk::Scheme>& scheme, const Options& options, std::int32_t year,
           const data::Design& design, int threads, const py::object& progress) {
            std::unique_ptr<Streamed> result;
            interruptible(run_of(threads, progress), [&](const Run& run) {
                result = std::make_unique<Streamed>(
                    stream(source, *scheme, options, year, run, estimation::Moments{design}));
            });
            return result;
        },
        py::arg("source"), py::arg("scheme"), py::arg("options"), py::arg("year"), py::arg("design"),
        py::arg("threads") = 1, py::arg("progress") = py::none());
}
