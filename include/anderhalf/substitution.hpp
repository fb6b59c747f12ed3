#pragma once
#include <anderhalf/substitution/contract.hpp>
#include <anderhalf/substitution/programme.hpp>
#include <anderhalf/substitution/rule.hpp>
