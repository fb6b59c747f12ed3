#pragma once
#include <anderhalf/core/types.hpp>

#include <cstdint>
#include <span>
#include <variant>

namespace anderhalf {

/// Class codes, days and money of a caller, borrowed and never widened: the type is chosen once per column, by std::visit.
using CodeView =
    std::variant<std::span<const std::uint8_t>, std::span<const std::uint16_t>, std::span<const std::uint32_t>>;
using DaysColumn =
    std::variant<std::span<const std::uint16_t>, std::span<const std::int32_t>, std::span<const std::int64_t>>;
using CentsColumn = std::variant<std::span<const std::int32_t>, std::span<const std::int64_t>>;

using CentsView = std::span<const Cents>;
using DaysView = std::span<const std::int32_t>;

/// Number of values of a column, whatever its type.
template <class... T>
[[nodiscard]] Index size(const std::variant<std::span<T>...>& column) {
    return std::visit([](auto values) { return static_cast<Index>(values.size()); }, column);
}

}  // namespace anderhalf
