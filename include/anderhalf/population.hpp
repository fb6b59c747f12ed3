#pragma once
#include <anderhalf/population/generate.hpp>
#include <anderhalf/population/parameters.hpp>
#include <anderhalf/population/tables.hpp>
