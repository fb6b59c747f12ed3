#include <anderhalf/anderhalf.hpp>

#include <cstdio>

const char* model_name_elsewhere();

int main() {
    const anderhalf::params::Model& model = anderhalf::params::nl_2021();
    std::printf("%s %s\n", model.name.c_str(), model_name_elsewhere());
    return model.name == model_name_elsewhere() ? 0 : 1;
}
