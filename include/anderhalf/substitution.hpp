#pragma once
#include <anderhalf/substitution/programme.hpp>
