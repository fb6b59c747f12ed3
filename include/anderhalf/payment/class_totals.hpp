#pragma once
#include <anderhalf/core/columns.hpp>
#include <anderhalf/core/run.hpp>
#include <anderhalf/data/columns.hpp>
#include <anderhalf/payment/payment.hpp>

namespace anderhalf::payment {

/// Insured days per insurer and class, in one pass over plain columns.
///
///     totals[i][k] = sum over the records r of insurer i of represents_r days_r x_rk       [insured days]
///
/// With these, a payment needs no person any more: N_i = totals[i] . weights.
///
/// @param insurer   (n) code of the insurer of each record, 0..insurers-1
/// @return          insurers x design.columns(); the absorbed criterion, when there is one, has no part in it
/// @throw ShapeError   number, kind and length of the columns
/// @throw DomainError  every problem of the rows at once, see data::check; an insurer outside the range
/// @source model.md section 6; Regeling risicoverevening 2021 art. 3 (number of insured years per class)
[[nodiscard]] ClassTotals class_totals(const data::Design& design, const data::Rows& rows, const CodeView& insurer,
                                       Index insurers, const Run& run);

}  // namespace anderhalf::payment
