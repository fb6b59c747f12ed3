#pragma once
// The law of an equalization year as run-time data, and the years that come with the library.
#include <anderhalf/params/model.hpp>
#include <anderhalf/params/nl.hpp>
