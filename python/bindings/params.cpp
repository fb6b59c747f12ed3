#include <anderhalf/params.hpp>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace anderhalf;

void bind_params(py::module_& m) {
    using namespace anderhalf::params;

    py::enum_<Cluster>(m, "Cluster")
        .value("variable", Cluster::variable)
        .value("fixed", Cluster::fixed)
        .value("ggz", Cluster::ggz)
        .value("none", Cluster::none)
        .value("nursing", Cluster::nursing)
        .value("specialist", Cluster::specialist)
        .value("other_care", Cluster::other_care);
    py::enum_<Assignment>(m, "Assignment")
        .value("single", Assignment::single)
        .value("all", Assignment::all)
        .value("count", Assignment::count);
    py::enum_<Neutrality>(m, "Neutrality")
        .value("class_totals", Neutrality::class_totals)
        .value("zero_sum", Neutrality::zero_sum)
        .value("offset", Neutrality::offset);

    py::class_<RiskClass>(m, "RiskClass")
        .def(py::init<>())
        .def_readwrite("code", &RiskClass::code)
        .def_readwrite("key", &RiskClass::key)
        .def_readwrite("label", &RiskClass::label)
        .def_readwrite("weight", &RiskClass::weight)
        .def_readwrite("source", &RiskClass::source)
        .def_readwrite("sex", &RiskClass::sex)
        .def_readwrite("age_min", &RiskClass::age_min)
        .def_readwrite("age_max", &RiskClass::age_max)
        .def_readwrite("born", &RiskClass::born)
        .def_readwrite("group", &RiskClass::group)
        .def_readwrite("years", &RiskClass::years)
        .def_readwrite("top_per_myriad", &RiskClass::top_per_myriad)
        .def_readwrite("of_years", &RiskClass::of_years)
        .def_readwrite("min_cents", &RiskClass::min_cents)
        .def_readwrite("young_below", &RiskClass::young_below)
        .def_readwrite("young_years", &RiskClass::young_years)
        .def_readwrite("printed", &RiskClass::printed);
    py::class_<Exclusion>(m, "Exclusion")
        .def(py::init<>())
        .def_readwrite("keep", &Exclusion::keep)
        .def_readwrite("drop", &Exclusion::drop);
    py::class_<Criterion>(m, "Criterion")
        .def(py::init<>())
        .def_readwrite("name", &Criterion::name)
        .def_readwrite("assignment", &Criterion::assignment)
        .def_readwrite("first_code", &Criterion::first_code)
        .def_readwrite("classes", &Criterion::classes)
        .def_readwrite("exclusions", &Criterion::exclusions)
        .def_readwrite("data_years", &Criterion::data_years)
        .def_readwrite("age_bands_zero_sum", &Criterion::age_bands_zero_sum);
    py::class_<Share>(m, "Share")
        .def(py::init<>())
        .def_readwrite("name", &Share::name)
        .def_readwrite("criteria", &Share::criteria);
    py::class_<NeutralityRule>(m, "NeutralityRule")
        .def(py::init<>())
        .def_readwrite("share", &NeutralityRule::share)
        .def_readwrite("criterion", &NeutralityRule::criterion)
        .def_readwrite("rule", &NeutralityRule::rule)
        .def_readwrite("reset", &NeutralityRule::reset)
        .def_readwrite("of", &NeutralityRule::of)
        .def_readwrite("article", &NeutralityRule::article);
    py::enum_<Stage>(m, "Stage")
        .value("ex_ante", Stage::ex_ante)
        .value("first_provisional", Stage::first_provisional)
        .value("second_provisional", Stage::second_provisional)
        .value("final", Stage::final);
    py::enum_<Item>(m, "Item")
        .value("normative", Item::normative)
        .value("neutrality", Item::neutrality)
        .value("scaling", Item::scaling)
        .value("flat_step", Item::flat_step)
        .value("high_cost_compensation", Item::high_cost_compensation)
        .value("high_cost_financing", Item::high_cost_financing)
        .value("bandwidth", Item::bandwidth)
        .value("settled_cost", Item::settled_cost)
        .value("calculation_premium", Item::calculation_premium)
        .value("expected_own_payments", Item::expected_own_payments)
        .value("own_payments_neutrality", Item::own_payments_neutrality)
        .value("own_payments_macro", Item::own_payments_macro)
        .value("detained", Item::detained)
        .value("administration", Item::administration);
    py::class_<Step>(m, "Step")
        .def(py::init<>())
        .def_readwrite("stage", &Step::stage)
        .def_readwrite("share", &Step::share)
        .def_readwrite("item", &Step::item)
        .def_readwrite("article", &Step::article);
    py::class_<HighCost>(m, "HighCost")
        .def(py::init<>())
        .def_readwrite("share", &HighCost::share)
        .def_readwrite("top_per_myriad", &HighCost::top_per_myriad)
        .def_readwrite("threshold", &HighCost::threshold)
        .def_readwrite("ppm", &HighCost::ppm)
        .def_readwrite("article", &HighCost::article);
    py::class_<Band>(m, "Band")
        .def(py::init<>())
        .def_readwrite("share", &Band::share)
        .def_readwrite("together_with", &Band::together_with)
        .def_readwrite("amount", &Band::amount)
        .def_readwrite("ppm", &Band::ppm)
        .def_readwrite("per_adult", &Band::per_adult)
        .def_readwrite("before_flat_step", &Band::before_flat_step)
        .def_readwrite("financed", &Band::financed)
        .def_readwrite("article", &Band::article);
    py::class_<AbroadWeight>(m, "AbroadWeight")
        .def(py::init<>())
        .def_readwrite("criterion", &AbroadWeight::criterion)
        .def_readwrite("ppm", &AbroadWeight::ppm);
    py::class_<Model>(m, "Model")
        .def(py::init<>())
        .def_readwrite("name", &Model::name)
        .def_readwrite("year", &Model::year)
        .def_readwrite("official", &Model::official)
        .def_readwrite("complete", &Model::complete)
        .def_readwrite("variable", &Model::variable)
        .def_readwrite("ggz", &Model::ggz)
        .def_readwrite("ggz_hcc", &Model::ggz_hcc)
        .def_readwrite("deductible", &Model::deductible)
        .def_readwrite("nursing", &Model::nursing)
        .def_readwrite("variable_ex_post", &Model::variable_ex_post)
        .def_readwrite("ggz_ex_post", &Model::ggz_ex_post)
        .def_readwrite("deductible_ex_post", &Model::deductible_ex_post)
        .def_readwrite("historical", &Model::historical)
        .def_readwrite("neutrality", &Model::neutrality)
        .def_readwrite("macro_total", &Model::macro_total)
        .def_readwrite("macro_variable", &Model::macro_variable)
        .def_readwrite("macro_fixed", &Model::macro_fixed)
        .def_readwrite("macro_ggz", &Model::macro_ggz)
        .def_readwrite("macro_nursing", &Model::macro_nursing)
        .def_readwrite("flanking_fixed", &Model::flanking_fixed)
        .def_readwrite("flanking_nursing", &Model::flanking_nursing)
        .def_readwrite("macro_historical", &Model::macro_historical)
        .def_readwrite("revenue_premium", &Model::revenue_premium)
        .def_readwrite("revenue_deductible", &Model::revenue_deductible)
        .def_readwrite("fund_payment", &Model::fund_payment)
        .def_readwrite("calculation_premium", &Model::calculation_premium)
        .def_readwrite("administration_under_18", &Model::administration_under_18)
        .def_readwrite("deductible_amount", &Model::deductible_amount)
        .def_readwrite("forfait", &Model::forfait)
        .def_readwrite("forfait_ex_post", &Model::forfait_ex_post)
        .def_readwrite("deductible_exempt", &Model::deductible_exempt)
        .def_readwrite("title_deductible_exempt", &Model::title_deductible_exempt)
        .def_readwrite("forfait_from_mhk", &Model::forfait_from_mhk)
        .def_readwrite("morbidity_criteria", &Model::morbidity_criteria)
        .def_readwrite("cluster", &Model::cluster)
        .def_readwrite("mhk_excluded", &Model::mhk_excluded)
        .def_readwrite("flat_ppm_variable", &Model::flat_ppm_variable)
        .def_readwrite("flat_ppm_ggz", &Model::flat_ppm_ggz)
        .def_readwrite("flat_ppm_nursing", &Model::flat_ppm_nursing)
        .def_readwrite("flat_ppm_historical", &Model::flat_ppm_historical)
        .def_readwrite("own_payments_macro_corrected", &Model::own_payments_macro_corrected)
        .def_readwrite("own_payments_flat_ppm", &Model::own_payments_flat_ppm)
        .def_readwrite("high_cost", &Model::high_cost)
        .def_readwrite("bandwidth", &Model::bandwidth)
        .def_readwrite("fixed_settled_ppm", &Model::fixed_settled_ppm)
        .def_readwrite("abroad", &Model::abroad)
        .def_readwrite("detained_ppb", &Model::detained_ppb)
        .def_readwrite("steps", &Model::steps)
        .def_readwrite("wlz_lowest_ses", &Model::wlz_lowest_ses)
        .def_readwrite("wlz_no_mvv_from_age", &Model::wlz_no_mvv_from_age)
        .def_readwrite("lowest_ses_from_ggz_dkg", &Model::lowest_ses_from_ggz_dkg)
        .def_readwrite("lowest_ses_above_residents", &Model::lowest_ses_above_residents)
        .def_readwrite("ses_of_income_group", &Model::ses_of_income_group)
        .def_readwrite("ended_addon_years", &Model::ended_addon_years)
        .def_readwrite("gsm_criteria", &Model::gsm_criteria)
        .def_readwrite("mhk_settled", &Model::mhk_settled)
        .def_readwrite("adult_age", &Model::adult_age)
        .def_readwrite("reference_month", &Model::reference_month);

    m.def("nl_2012", &nl_2012, py::return_value_policy::copy);
    m.def("nl_2013", &nl_2013, py::return_value_policy::copy);
    m.def("nl_2014", &nl_2014, py::return_value_policy::copy);
    m.def("nl_2015", &nl_2015, py::return_value_policy::copy);
    m.def("nl_2019", &nl_2019, py::return_value_policy::copy);
    m.def("nl_2020", &nl_2020, py::return_value_policy::copy);
    m.def("nl_2021", &nl_2021, py::return_value_policy::copy);
    m.def("nl_2021_structural", &nl_2021_structural, py::return_value_policy::copy);
}
