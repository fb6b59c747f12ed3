#include "module.hpp"

#include <anderhalf/substitution.hpp>

#include <pybind11/stl.h>

using namespace anderhalf;
using namespace anderhalf::substitution;

namespace {

void bind_rules(py::module_& m) {
    py::enum_<Consult>(m, "Consult").value("any", Consult::any).value("yes", Consult::yes).value("no", Consult::no);
    py::enum_<Act>(m, "Act")
        .value("avoid", Act::avoid)
        .value("reprice", Act::reprice)
        .value("replace", Act::replace)
        .value("add", Act::add);
    py::enum_<Per>(m, "Per").value("claim", Per::claim).value("person", Per::person);
    py::enum_<Effect>(m, "Effect")
        .value("avoided", Effect::avoided)
        .value("replacement", Effect::replacement)
        .value("added", Effect::added)
        .value("referred_on", Effect::referred_on)
        .value("downstream", Effect::downstream)
        .value("repriced", Effect::repriced)
        .value("price_rebase", Effect::price_rebase);
    py::class_<Selector>(m, "Selector")
        .def(py::init<>())
        .def_readwrite("categories", &Selector::categories)
        .def_readwrite("specialisms", &Selector::specialisms)
        .def_readwrite("diagnoses", &Selector::diagnoses)
        .def_readwrite("products", &Selector::products)
        .def_readwrite("consult", &Selector::consult)
        .def_readwrite("min_cents", &Selector::min_cents)
        .def_readwrite("max_cents", &Selector::max_cents);
    py::class_<Who>(m, "Who")
        .def(py::init<>())
        .def_readwrite("min_age", &Who::min_age)
        .def_readwrite("max_age", &Who::max_age)
        .def_readwrite("sex", &Who::sex)
        .def_readwrite("has", &Who::has)
        .def_readwrite("has_not", &Who::has_not)
        .def_readwrite("onset", &Who::onset);
    py::class_<Consequence>(m, "Consequence")
        .def(py::init<>())
        .def_readwrite("category", &Consequence::category)
        .def_readwrite("price", &Consequence::price)
        .def_readwrite("probability_ppm", &Consequence::probability_ppm)
        .def_readwrite("title", &Consequence::title)
        .def_readwrite("effect", &Consequence::effect)
        .def_readwrite("specialism", &Consequence::specialism)
        .def_readwrite("diagnosis", &Consequence::diagnosis)
        .def_readwrite("product", &Consequence::product)
        .def_readwrite("consult", &Consequence::consult)
        .def_readwrite("ddd", &Consequence::ddd);
    py::class_<Rule>(m, "Rule")
        .def(py::init<>())
        .def_readwrite("key", &Rule::key)
        .def_readwrite("claims", &Rule::claims)
        .def_readwrite("who", &Rule::who)
        .def_readwrite("act", &Rule::act)
        .def_readwrite("per", &Rule::per)
        .def_readwrite("share_ppm", &Rule::share_ppm)
        .def_readwrite("factor_ppm", &Rule::factor_ppm)
        .def_readwrite("ddd_factor_ppm", &Rule::ddd_factor_ppm)
        .def_readwrite("with_claims", &Rule::with)
        .def_readwrite("start_after", &Rule::start_after)
        .def_readwrite("ramp_ppm", &Rule::ramp_ppm);
    py::enum_<ContractKind>(m, "ContractKind")
        .value("fee", ContractKind::fee)
        .value("ceiling", ContractKind::ceiling)
        .value("lump_sum", ContractKind::lump_sum)
        .value("price_rebase", ContractKind::price_rebase);
    py::class_<Contract>(m, "Contract")
        .def(py::init<>())
        .def_readwrite("hospital", &Contract::hospital)
        .def_readwrite("insurers", &Contract::insurers)
        .def_readwrite("kind", &Contract::kind)
        .def_readwrite("pass_through_ppm", &Contract::pass_through_ppm)
        .def_readwrite("over_ceiling_ppm", &Contract::over_ceiling_ppm)
        .def_readwrite("rebase_ppm", &Contract::rebase_ppm)
        .def_readwrite("rebase_years", &Contract::rebase_years)
        .def_readwrite("from_year", &Contract::from_year)
        .def_readwrite("to_year", &Contract::to_year);
}

}  // namespace

void bind_substitution(py::module_& m) {
    bind_rules(m);
    py::class_<Line>(m, "ProgrammeLine")
        .def(py::init<>())
        .def_readwrite("specialism", &Line::specialism)
        .def_readwrite("diagnoses", &Line::diagnoses)
        .def_readwrite("products", &Line::products)
        .def_readwrite("refer_on_ppm", &Line::refer_on_ppm)
        .def_readwrite("added_weight", &Line::added_weight)
        .def_readwrite("consults", &Line::consults)
        .def_readwrite("heavier", &Line::heavier)
        .def_readwrite("added", &Line::added);
    py::class_<Downstream>(m, "Downstream")
        .def(py::init<>())
        .def_readwrite("category", &Downstream::category)
        .def_readwrite("price", &Downstream::price)
        .def_readwrite("probability_ppm", &Downstream::probability_ppm);
    py::class_<Programme>(m, "Programme")
        .def(py::init<>())
        .def_readwrite("name", &Programme::name)
        .def_readwrite("id", &Programme::id)
        .def_readwrite("start_year", &Programme::start_year)
        .def_readwrite("ramp_ppm", &Programme::ramp_ppm)
        .def_readwrite("municipalities", &Programme::municipalities)
        .def_readwrite("insurers", &Programme::insurers)
        .def_readwrite("lines", &Programme::lines)
        .def_readwrite("patients_ppm", &Programme::patients_ppm)
        .def_readwrite("added_demand_ppm", &Programme::added_demand_ppm)
        .def_readwrite("consult_ppm", &Programme::consult_ppm)
        .def_readwrite("price", &Programme::price)
        .def_readwrite("title", &Programme::title)
        .def_readwrite("same_product", &Programme::same_product)
        .def_readwrite("pass_through_ppm", &Programme::pass_through_ppm)
        .def_readwrite("downstream", &Programme::downstream)
        .def_readwrite("running_cents_per_insured_year_ppm", &Programme::running_cents_per_insured_year_ppm)
        .def_readwrite("investment", &Programme::investment)
        .def_readwrite("avoidable_ppm", &Programme::avoidable_ppm)
        .def_readwrite("end_year", &Programme::end_year)
        .def_readwrite("hand_over_year", &Programme::hand_over_year)
        .def_readwrite("hand_over_municipalities", &Programme::hand_over_municipalities)
        .def_readwrite("rules", &Programme::rules)
        .def_readwrite("contracts", &Programme::contracts);
    py::class_<Substitution>(m, "Substitution")
        .def(py::init<Programme>())
        .def_property_readonly("programme", &Substitution::programme);
    m.attr("effect_names") = std::vector<std::string>{"avoided",    "replacement", "added",       "referred_on",
                                                      "downstream", "repriced",    "price_rebase"};
}
