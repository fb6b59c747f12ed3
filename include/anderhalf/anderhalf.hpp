#pragma once
// Everything. Link anderhalf::anderhalf.
#include <anderhalf/core.hpp>
#include <anderhalf/data.hpp>
#include <anderhalf/estimation.hpp>
#include <anderhalf/incentive.hpp>
#include <anderhalf/metrics.hpp>
#include <anderhalf/own_payment.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/payment.hpp>
#include <anderhalf/population.hpp>
#include <anderhalf/risk.hpp>
#include <anderhalf/scenario.hpp>
#include <anderhalf/substitution.hpp>

namespace anderhalf {
namespace estimate = estimation;  ///< the folder by the name of its verb, for users of the library
}  // namespace anderhalf
