#pragma once
#include <anderhalf/params/model.hpp>

namespace anderhalf::params {

/// Regeling risicoverevening 2012 as printed: weights and criteria only, `complete` is false; shares in `historical`.
/// @source Stcrt. 2011, 23098, https://wetten.overheid.nl/BWBR0030863; figures generated from params/nl/2012/*.toml
[[nodiscard]] const Model& nl_2012();

/// Regeling risicoverevening 2013 as printed: weights and criteria only, `complete` is false; shares in `historical`.
/// @source Stcrt. 2012, 26386, https://wetten.overheid.nl/BWBR0032525; figures generated from params/nl/2013/*.toml
[[nodiscard]] const Model& nl_2013();

/// Regeling risicoverevening 2014 as printed: weights and criteria only, `complete` is false; shares in `historical`.
/// @source Stcrt. 2013, 26839, https://wetten.overheid.nl/BWBR0033959; figures generated from params/nl/2014/*.toml
[[nodiscard]] const Model& nl_2014();

/// Regeling risicoverevening 2015 as printed: weights and criteria only, `complete` is false.
/// @source Stcrt. 2015, 3547, https://wetten.overheid.nl/BWBR0036251; figures generated from params/nl/2015/*.toml
[[nodiscard]] const Model& nl_2015();

/// Regeling risicoverevening 2019 as printed: weights and criteria only, `complete` is false.
/// @source Stcrt. 2018, 54447, https://wetten.overheid.nl/BWBR0041387; figures generated from params/nl/2019/*.toml
[[nodiscard]] const Model& nl_2019();

/// Regeling risicoverevening 2020 with the annexes that were added for its settlement: weights and criteria only,
/// `complete` is false.
/// @source Stcrt. 2019, 55238, https://wetten.overheid.nl/BWBR0042712; figures generated from params/nl/2020/*.toml
[[nodiscard]] const Model& nl_2020();

/// Regeling risicoverevening 2021 as printed.
/// @source Stcrt. 2022, 17199, https://wetten.overheid.nl/BWBR0046846; figures generated from params/nl/2021/*.toml
[[nodiscard]] const Model& nl_2021();

/// The same without its COVID rules: DKG of t-1, phi = 1, own payments unscaled. Our own reading, `official` is false.
/// @source params/nl/2021-structural/reform.toml, with the reason of each change
[[nodiscard]] const Model& nl_2021_structural();

}  // namespace anderhalf::params
