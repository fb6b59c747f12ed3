#include <anderhalf/anderhalf.hpp>

const char* model_name_elsewhere() { return anderhalf::params::nl_2021().name.c_str(); }
