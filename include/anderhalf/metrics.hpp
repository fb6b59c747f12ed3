#pragma once
#include <anderhalf/metrics/evaluate.hpp>
#include <anderhalf/metrics/incentives.hpp>
#include <anderhalf/metrics/overcompensation.hpp>
#include <anderhalf/metrics/weights.hpp>
