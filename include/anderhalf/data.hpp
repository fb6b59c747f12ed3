#pragma once
#include <anderhalf/data/columns.hpp>
#include <anderhalf/data/record.hpp>
