#pragma once
#include <anderhalf/incentive/ledger.hpp>
#include <anderhalf/incentive/measures.hpp>
