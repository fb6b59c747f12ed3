#pragma once
#include <anderhalf/params/model.hpp>

namespace anderhalf::params {

/// Regeling risicoverevening 2021 as printed.
/// @source Stcrt. 2022, 17199, https://wetten.overheid.nl/BWBR0046846; figures generated from params/nl/2021/*.toml
[[nodiscard]] const Model& nl_2021();

/// The same without its COVID rules: DKG of t-1, phi = 1, own payments unscaled. Our own reading, `official` is false.
/// @source params/nl/2021-structural/reform.toml, with the reason of each change
[[nodiscard]] const Model& nl_2021_structural();

}  // namespace anderhalf::params
