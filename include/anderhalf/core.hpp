#pragma once
#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/care.hpp>
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/core/types.hpp>
