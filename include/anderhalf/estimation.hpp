#pragma once
#include <anderhalf/estimation/estimate.hpp>
#include <anderhalf/estimation/moments.hpp>
