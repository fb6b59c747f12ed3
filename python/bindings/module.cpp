#include "module.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "Compiled core of anderhalf. Users import anderhalf; nothing here is documented twice.";
    m.attr("__version__") = ANDERHALF_VERSION;
    bind_errors(m);
    bind_data(m);
    bind_arrow(m);
    bind_params(m);
    bind_risk(m);
    bind_population(m);
    bind_estimation(m);
    bind_metrics(m);
    bind_payment(m);
    bind_substitution(m);
    bind_scenario(m);
    bind_stream(m);
    bind_incentive(m);
}
