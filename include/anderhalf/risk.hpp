#pragma once
#include <anderhalf/risk/care_year.hpp>
#include <anderhalf/risk/mapping.hpp>
#include <anderhalf/risk/scheme.hpp>
