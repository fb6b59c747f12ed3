#pragma once
#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/constraints.hpp>
#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/estimation/moments.hpp>
#include <anderhalf/estimation/plain.hpp>
#include <anderhalf/estimation/regression.hpp>
#include <anderhalf/estimation/second_pass.hpp>
