#pragma once
#include <anderhalf/data/record.hpp>
