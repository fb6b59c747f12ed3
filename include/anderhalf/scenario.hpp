#pragma once
#include <anderhalf/scenario/baseline.hpp>
#include <anderhalf/scenario/simulate.hpp>
#include <anderhalf/scenario/stream.hpp>
