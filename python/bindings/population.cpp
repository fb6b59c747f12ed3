#include "module.hpp"

#include <anderhalf/population/generate.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

using namespace anderhalf;
using namespace anderhalf::population;

void bind_population(py::module_& m) {
    py::enum_<Trigger>(m, "Trigger")
        .value("rate", Trigger::rate)
        .value("birth", Trigger::birth)
        .value("delivery", Trigger::delivery)
        .value("death", Trigger::death);
    py::class_<CareLine>(m, "CareLine")
        .def(py::init<>())
        .def_readwrite("key", &CareLine::key)
        .def_readwrite("category", &CareLine::category)
        .def_readwrite("product", &CareLine::product)
        .def_readwrite("specialism", &CareLine::specialism)
        .def_readwrite("diagnosis", &CareLine::diagnosis)
        .def_readwrite("consult", &CareLine::consult)
        .def_readwrite("yearly", &CareLine::yearly)
        .def_readwrite("choice", &CareLine::choice)
        .def_readwrite("probability", &CareLine::probability)
        .def_readwrite("onset_probability", &CareLine::onset_probability)
        .def_readwrite("mean_eur", &CareLine::mean_eur)
        .def_readwrite("cv", &CareLine::cv)
        .def_readwrite("sticky", &CareLine::sticky)
        .def_readwrite("ddd", &CareLine::ddd)
        .def_readwrite("prescriptions", &CareLine::prescriptions)
        .def_readwrite("age_min", &CareLine::age_min);
    py::class_<Risk>(m, "ConditionRisk")
        .def(py::init<>())
        .def_readwrite("condition", &Risk::condition)
        .def_readwrite("factor", &Risk::factor);
    py::class_<Condition>(m, "Condition")
        .def(py::init<>())
        .def_readwrite("key", &Condition::key)
        .def_readwrite("prevalence", &Condition::prevalence)
        .def_readwrite("recovery", &Condition::recovery)
        .def_readwrite("mortality", &Condition::mortality)
        .def_readwrite("frailty", &Condition::frailty)
        .def_readwrite("morbidity_region", &Condition::morbidity_region)
        .def_readwrite("wlz", &Condition::wlz)
        .def_readwrite("risks", &Condition::risks)
        .def_readwrite("care", &Condition::care);
    py::class_<Episode>(m, "Episode")
        .def(py::init<>())
        .def_readwrite("key", &Episode::key)
        .def_readwrite("trigger", &Episode::trigger)
        .def_readwrite("rate", &Episode::rate)
        .def_readwrite("frailty", &Episode::frailty)
        .def_readwrite("sticky", &Episode::sticky)
        .def_readwrite("morbidity_region", &Episode::morbidity_region)
        .def_readwrite("care", &Episode::care);
    py::class_<General>(m, "GeneralCare")
        .def(py::init<>())
        .def_readwrite("category", &General::category)
        .def_readwrite("line", &General::line)
        .def_readwrite("use", &General::use)
        .def_readwrite("frailty", &General::frailty)
        .def_readwrite("amount_frailty", &General::amount_frailty)
        .def_readwrite("mean_eur", &General::mean_eur)
        .def_readwrite("course", &General::course)
        .def_readwrite("ends", &General::ends)
        .def_readwrite("growth", &General::growth);
    py::class_<Setting>(m, "CareSetting")
        .def(py::init<>())
        .def_readwrite("specialism", &Setting::specialism)
        .def_readwrite("heavy_from_eur", &Setting::heavy_from_eur)
        .def_readwrite("admission_from_eur", &Setting::admission_from_eur);
    py::class_<Municipality>(m, "Municipality")
        .def(py::init<>())
        .def_readwrite("code", &Municipality::code)
        .def_readwrite("name", &Municipality::name)
        .def_readwrite("group", &Municipality::group)
        .def_readwrite("region", &Municipality::region)
        .def_readwrite("composition", &Municipality::composition)
        .def_readwrite("insured", &Municipality::insured)
        .def_readwrite("cost_factor", &Municipality::cost_factor);
    py::class_<Insurer>(m, "Insurer")
        .def(py::init<>())
        .def_readwrite("code", &Insurer::code)
        .def_readwrite("name", &Insurer::name)
        .def_readwrite("share", &Insurer::share);
    py::class_<Composition>(m, "Composition")
        .def(py::init<>())
        .def_readwrite("insured", &Composition::insured)
        .def_readwrite("arriving", &Composition::arriving)
        .def_readwrite("arrivals", &Composition::arrivals);
    py::class_<Parameters>(m, "PopulationParameters")
        .def(py::init<>())
        .def_readwrite("start_year", &Parameters::start_year)
        .def_readwrite("last_year", &Parameters::last_year)
        .def_readwrite("municipalities", &Parameters::municipalities)
        .def_readwrite("insurers", &Parameters::insurers)
        .def_readwrite("compositions", &Parameters::compositions)
        .def_readwrite("couple_share", &Parameters::couple_share)
        .def_readwrite("parent_age_weight", &Parameters::parent_age_weight)
        .def_readwrite("parent_type_weight", &Parameters::parent_type_weight)
        .def_readwrite("leave_home", &Parameters::leave_home)
        .def_readwrite("lives_alone", &Parameters::lives_alone)
        .def_readwrite("fertility", &Parameters::fertility)
        .def_readwrite("group_fertility", &Parameters::group_fertility)
        .def_readwrite("boys", &Parameters::boys)
        .def_readwrite("mortality", &Parameters::mortality)
        .def_readwrite("group_mortality", &Parameters::group_mortality)
        .def_readwrite("moving", &Parameters::moving)
        .def_readwrite("leaves_to_elsewhere", &Parameters::leaves_to_elsewhere)
        .def_readwrite("departing", &Parameters::departing)
        .def_readwrite("departing_arrived", &Parameters::departing_arrived)
        .def_readwrite("group_departing", &Parameters::group_departing)
        .def_readwrite("switching_within_year", &Parameters::switching_within_year)
        .def_readwrite("settings", &Parameters::settings)
        .def_readwrite("price_index", &Parameters::price_index)
        .def_readwrite("volume_index", &Parameters::volume_index)
        .def_readwrite("ses_share", &Parameters::ses_share)
        .def_readwrite("ses_share_region", &Parameters::ses_share_region)
        .def_readwrite("ses_frailty", &Parameters::ses_frailty)
        .def_readwrite("group_morbidity", &Parameters::group_morbidity)
        .def_readwrite("conditions", &Parameters::conditions)
        .def_readwrite("episodes", &Parameters::episodes)
        .def_readwrite("general", &Parameters::general)
        .def_readwrite("wlz_factor", &Parameters::wlz_factor)
        .def_readwrite("switching", &Parameters::switching)
        .def_readwrite("group_switching", &Parameters::group_switching)
        .def_readwrite("switching_frailty", &Parameters::switching_frailty)
        .def_readwrite("voluntary_deductible", &Parameters::voluntary_deductible)
        .def_readwrite("voluntary_frailty", &Parameters::voluntary_frailty)
        .def_readwrite("voluntary_cents", &Parameters::voluntary_cents)
        .def_readwrite("voluntary_share", &Parameters::voluntary_share)
        .def_readwrite("income", &Parameters::income)
        .def_readwrite("income_frailty", &Parameters::income_frailty);
    py::class_<Tables>(m, "PopulationTables")
        .def_readonly("parameters", &Tables::parameters)
        .def_property_readonly(
            "addresses", [](const Tables& t) { return t.frame.empty() ? std::uint64_t{0} : t.frame.back().last; });
    py::class_<Sample>(m, "Sample")
        .def(py::init<>())
        .def_readwrite("persons", &Sample::persons)
        .def_readwrite("region", &Sample::region)
        .def_readwrite("seed", &Sample::seed)
        .def_readwrite("block_persons", &Sample::block_persons);
    py::class_<Plan>(m, "Plan")
        .def_readonly("seed", &Plan::seed)
        .def_readonly("represents_region", &Plan::represents_region)
        .def_readonly("represents_rest", &Plan::represents_rest)
        .def_property_readonly("blocks", &Plan::blocks);
    m.def("build_population", &build, py::arg("parameters"), py::call_guard<py::gil_scoped_release>());
    m.def("plan_population", &plan, py::arg("tables"), py::arg("sample"), py::call_guard<py::gil_scoped_release>());
    m.def("generate_block", &generate, py::arg("tables"), py::arg("plan"), py::arg("block"), py::arg("first_year"),
          py::arg("last_year"), py::call_guard<py::gil_scoped_release>());
    m.def(
        "conditions_of_block",
        [](const Tables& tables, const Plan& laid, Index block, std::int32_t first_year, std::int32_t last_year) {
            std::vector<Diagnosed> rows;
            {
                const py::gil_scoped_release release;
                rows = conditions_of(tables, laid, block, first_year, last_year);
            }
            py::array_t<std::int64_t> result({static_cast<py::ssize_t>(rows.size()), py::ssize_t{3}});
            auto out = result.mutable_unchecked<2>();
            for (py::ssize_t i = 0; i < out.shape(0); ++i) {
                const Diagnosed& d = rows[static_cast<std::size_t>(i)];
                out(i, 0) = static_cast<std::int64_t>(d.person);
                out(i, 1) = d.year;
                out(i, 2) = d.condition;
            }
            return result;
        },
        py::arg("tables"), py::arg("plan"), py::arg("block"), py::arg("first_year"), py::arg("last_year"));
}
