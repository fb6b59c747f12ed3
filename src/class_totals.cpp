#include <anderhalf/core/errors.hpp>
#include <anderhalf/payment/class_totals.hpp>

#include <algorithm>
#include <bit>
#include <functional>
#include <mutex>

namespace anderhalf::payment {

namespace {

constexpr Index chunk_rows = 65'536;

/// Insured days of a chunk's records, and their insurers, as whole numbers of one type.
struct Chunk {
    Index first = 0;
    std::vector<Days> days;
    std::vector<std::uint32_t> insurer;
    [[nodiscard]] Index size() const { return static_cast<Index>(days.size()); }
};

/// Adds the records of a chunk that have the class of one column: a code, a bit of a mask, or a 0/1 or count column.
class Counter {
public:
    Counter(const Chunk& chunk, Index columns, std::vector<Days>& totals)
        : chunk_{chunk}, columns_{columns}, totals_{totals} {}

    template <class Code>
    void codes(std::span<const Code> values, Index offset) {
        each(
            [&](std::size_t i, Index row) { at(i, offset + values[static_cast<std::size_t>(row)]) += chunk_.days[i]; });
    }
    template <class Code>
    void counts(std::span<const Code> values, Index column, std::vector<bool>& any) {
        each([&](std::size_t i, Index row) {
            const auto count = values[static_cast<std::size_t>(row)];
            if (count == 0) return;
            at(i, column) += chunk_.days[i] * static_cast<Days>(count);
            any[i] = true;
        });
    }
    void mask(std::span<const std::uint64_t> values, Index column, std::vector<bool>& any) {
        each([&](std::size_t i, Index row) {
            for (std::uint64_t bits = values[static_cast<std::size_t>(row)]; bits != 0; bits &= bits - 1)
                at(i, column + std::countr_zero(bits)) += chunk_.days[i];
            any[i] = values[static_cast<std::size_t>(row)] != 0;
        });
    }
    void none(const std::vector<bool>& any, Index column) {
        each([&](std::size_t i, Index) {
            if (!any[i]) at(i, column) += chunk_.days[i];
        });
    }

private:
    [[nodiscard]] Days& at(std::size_t i, Index column) {
        return totals_[static_cast<std::size_t>(static_cast<Index>(chunk_.insurer[i]) * columns_ + column)];
    }
    template <class Body>
    void each(Body body) {
        for (Index i = 0; i < chunk_.size(); ++i) body(static_cast<std::size_t>(i), chunk_.first + i);
    }
    const Chunk& chunk_;
    Index columns_;
    std::vector<Days>& totals_;
};

[[nodiscard]] Chunk read(const data::Rows& rows, const CodeView& insurer, Index first, Index last) {
    Chunk chunk;
    chunk.first = first;
    chunk.days.resize(static_cast<std::size_t>(last - first));
    chunk.insurer.resize(chunk.days.size());
    const auto copy = [&](auto from, auto& to) {
        std::transform(from.begin() + first, from.begin() + last, to.begin(),
                       [](auto v) { return static_cast<typename std::decay_t<decltype(to)>::value_type>(v); });
    };
    std::visit([&](auto values) { copy(values, chunk.days); }, rows.days);
    std::visit([&](auto values) { copy(values, chunk.insurer); }, insurer);
    if (rows.represents)
        for (std::size_t i = 0; i < chunk.days.size(); ++i)
            chunk.days[i] *= (*rows.represents)[static_cast<std::size_t>(first) + i];
    return chunk;
}

void check_insurers(const CodeView& insurer, Index insurers, Index rows) {
    Problems<ShapeError> shape;
    shape.require(insurers > 0, "class_totals", "number of insurers", "1 or more", std::to_string(insurers));
    shape.require(size(insurer) == rows, "class_totals", "length of insurer", std::to_string(rows),
                  std::to_string(size(insurer)));
    shape.throw_if_any();
    BadRows outside;
    std::visit(
        [&](auto codes) {
            for (std::size_t i = 0; i < codes.size(); ++i)
                if (static_cast<Index>(codes[i]) >= insurers) outside.note(static_cast<std::ptrdiff_t>(i));
        },
        insurer);
    Problems<DomainError> problems;
    outside.report(problems, "class_totals", "insurer outside its range", "0.." + std::to_string(insurers - 1));
    problems.throw_if_any();
}

}  // namespace

ClassTotals class_totals(const data::Design& design, const data::Rows& rows, const CodeView& insurer, Index insurers,
                         const Run& run) {
    data::check(design, rows);
    check_insurers(insurer, insurers, rows.size());
    const Index columns = design.columns(), n = rows.size();
    std::vector<Days> sum(static_cast<std::size_t>(insurers * columns));
    std::mutex guard;
    for_each_chunk(run, (n + chunk_rows - 1) / chunk_rows, [&](Index at) {
        const Chunk chunk = read(rows, insurer, at * chunk_rows, std::min(n, (at + 1) * chunk_rows));
        std::vector<Days> totals(sum.size());
        Counter counter{chunk, columns, totals};
        for (std::size_t c = 0; c < design.criteria.size(); ++c) {
            const data::Criterion& criterion = design.criteria[c];
            if (criterion.absorbed) continue;
            const Index offset = design.offset(static_cast<Index>(c)),
                        read_from = offset + (criterion.none_derived ? 1 : 0);
            std::vector<bool> any(chunk.days.size(), false);
            if (const auto* codes = std::get_if<CodeView>(&rows.criteria[c])) {
                std::visit([&](auto values) { counter.codes(values, offset); }, *codes);
            } else if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&rows.criteria[c])) {
                counter.mask(*mask, read_from, any);
            } else {
                const auto& list = std::get<std::vector<CodeView>>(rows.criteria[c]);
                for (std::size_t k = 0; k < list.size(); ++k)
                    std::visit([&](auto v) { counter.counts(v, read_from + static_cast<Index>(k), any); }, list[k]);
            }
            if (criterion.none_derived) counter.none(any, offset);
        }
        const std::scoped_lock lock{guard};  // whole numbers: the order of the chunks does not matter
        std::transform(totals.begin(), totals.end(), sum.begin(), sum.begin(), std::plus<>{});
    });
    ClassTotals result{insurers, columns};
    for (Index i = 0; i < insurers; ++i)
        for (Index k = 0; k < columns; ++k) result.add(i, k, sum[static_cast<std::size_t>(i * columns + k)]);
    return result;
}

}  // namespace anderhalf::payment
