#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/params/model.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anderhalf::payment {

/// Cost of persons in one share and one year: a row per person and insurer or finer, in any order. A row stands for
/// `represents` insured, who have this cost each; the rows of a person stand for the same number.
struct PersonCosts {
    std::span<const std::uint64_t> person;
    std::span<const std::int64_t> insurer;  ///< 0..insurers-1
    std::span<const Cents> cost;            ///< may be negative: corrections
    std::span<const std::int64_t> represents;
};

/// What high-cost compensation looks at.
struct Excess {
    std::vector<std::int64_t> per_insurer;  ///< compensated part of the excess [millionths of a cent]
    std::vector<Cents> threshold;  ///< of each row of the model, ascending; the maximum when nobody is above it
    std::int64_t users = 0;        ///< insured with cost
    std::int64_t above = 0;        ///< insured above the lowest threshold
};

/// High cost of every insurer (hogekostencompensatie), exact in millionths of a cent:
///
///     X_p = sum_j r_j (min(c_p, t_{j+1}) - t_j)+,   X_ip = X_p c_ip / c_p
///
/// c_p is the cost of a person with all insurers together. A threshold t_j in euros holds as it is; one given as a top share
/// of users is the lowest cost of those users who, highest cost first, fit in it. The excess is rounded down in the running
/// sum over the person's insurers in ascending order, so that they sum to X_p.
///
/// @return  no excess for a share without compensation
/// @throw ShapeError     columns of different length
/// @throw DomainError    an insurer outside 0..insurers-1, represents below 1 or two numbers for one person
/// @throw ParameterError thresholds that do not ascend
/// @source Regeling risicoverevening 2021 art. 16(1); Besluit zorgverzekering 3.12a-3.12b
[[nodiscard]] Excess excess(const params::Model& model, const std::string& share, const PersonCosts& costs,
                            Index insurers);

}  // namespace anderhalf::payment
