#include "rows_in_parts.hpp"

#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/plain.hpp>
#include <anderhalf/estimation/second_pass.hpp>

#include <Eigen/Core>
#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

namespace anderhalf::estimation {

namespace {

constexpr MicroEuro largest_weight = MicroEuro{1} << 43;
constexpr long double roomy = 0x1p62L;  // sums that stay below need no look at their overflow

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

template <class... T>
std::int64_t value(const std::variant<std::span<T>...>& column, Index row) {
    return std::visit([&](auto values) { return static_cast<std::int64_t>(values[at(row)]); }, column);
}

void check(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories, const std::string& where, const Run& run) {
    const Index p = design.columns() + design.absorbed_classes();
    Problems<ShapeError> shape;
    shape.require(static_cast<Index>(weights.size()) == p, where, "weights", std::to_string(p),
                  std::to_string(weights.size()));
    shape.require(categories.empty() || categories.size() == design.categories.size(), where, "levels of categories",
                  std::to_string(design.categories.size()), std::to_string(categories.size()));
    shape.throw_if_any();
    Problems<DomainError> domain;
    for (std::size_t k = 0; k < weights.size(); ++k)
        domain.require(std::abs(weights[k]) <= largest_weight, where, "weight " + std::to_string(k), "within 2^43",
                       std::to_string(weights[k]));
    for (std::size_t k = 0; k < categories.size(); ++k)
        domain.require(std::isfinite(categories[k]) && std::abs(categories[k]) <= 1'000, where,
                       "level " + std::to_string(k), "within 1000", std::to_string(categories[k]));
    domain.throw_if_any();
    data::check(design, rows, run);
}

/// Normative amounts and costs of a block of rows, criterion by criterion.
class Reader {
public:
    Reader(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories)
        : design_{design}, rows_{rows}, weights_{weights}, levels_{categories} {
        levels_.resize(design.categories.size(), 1.0);
    }

    void read(Index begin, Index end) {
        read_costs(begin, end);
        amount.assign(days.size(), 0);
        bound_ = 0;
        for (std::size_t c = 0; c < design_.criteria.size(); ++c)
            add_criterion(design_.criteria[c], rows_.criteria[c], at(design_.offset(static_cast<Index>(c))), begin,
                          days.size());
        if (!(bound_ < roomy))
            throw DomainError{{{"second_pass", "normative amounts", "within 2^62 millionths", "weights beyond"}}};
        std::int64_t largest = 0;
        for (const MicroEuro a : amount) largest = std::max(largest, std::abs(a));
        const auto year = static_cast<long double>(design_.days_in_year);
        narrow_residuals = narrow && largest_cost * year + static_cast<long double>(largest) *
                                                               static_cast<long double>(design_.days_max) <
                                         roomy;
    }
    void read_costs(Index begin, Index end) {
        const auto n = at(end - begin);
        days.resize(n);
        represents.assign(n, 1);
        std::visit([&](auto d) { std::copy_n(d.begin() + begin, n, days.begin()); }, rows_.days);
        if (rows_.represents) std::copy_n(rows_.represents->begin() + begin, n, represents.begin());
        largest_cost = 0;
        for (std::size_t g = 0; g < levels_.size(); ++g) {
            Cents largest = 0;
            std::visit(
                [&](auto cents) {
                    for (std::size_t i = 0; i < n; ++i)
                        largest = std::max(largest, std::abs(static_cast<Cents>(cents[at(begin) + i])));
                },
                rows_.cents[g]);
            largest_cost += (static_cast<long double>(largest) * std::fabs(static_cast<long double>(levels_[g])) + 1) *
                            micro_per_cent;
        }
        narrow = largest_cost * static_cast<long double>(design_.days_in_year) < roomy;
        if (narrow) add_costs(narrow_cost, begin, n);
        else add_costs(wide_cost, begin, n);
    }
    [[nodiscard]] Int128 cost(std::size_t i) const { return narrow ? Int128{narrow_cost[i]} : wide_cost[i]; }

    /// days * (y - yhat) [millionths of a euro x days], of one insured that the row stands for
    [[nodiscard]] std::int64_t narrow_residual(std::size_t i) const {
        return narrow_cost[i] * design_.days_in_year - std::int64_t{days[i]} * amount[i];
    }
    [[nodiscard]] Int128 residual(std::size_t i) const {
        return narrow_residuals ? Int128{narrow_residual(i)}
                                : cost(i) * design_.days_in_year - Int128{days[i]} * amount[i];
    }

    std::vector<MicroEuro> amount;          // per insured year
    std::vector<std::int64_t> narrow_cost;  // millionths of a euro, when they fit with their days
    std::vector<Int128> wide_cost;          // when not
    std::vector<std::int32_t> days, represents;
    long double largest_cost = 0;  // bound of a row's cost
    bool narrow = true, narrow_residuals = true;

private:
    template <class T>
    void add_costs(std::vector<T>& cost, Index begin, std::size_t n) {
        cost.assign(n, 0);
        for (std::size_t g = 0; g < levels_.size(); ++g)
            std::visit(
                [&](auto column) {
                    const auto* cents = column.data() + begin;
                    if (levels_[g] == 1.0) {
                        for (std::size_t i = 0; i < n; ++i) cost[i] += static_cast<T>(cents[i]) * micro_per_cent;
                        return;
                    }
                    const auto level = static_cast<long double>(levels_[g]);
                    for (std::size_t i = 0; i < n; ++i)
                        cost[i] +=
                            static_cast<T>(std::round(level * static_cast<long double>(cents[i]) * micro_per_cent));
                },
                rows_.cents[g]);
    }
    void add_criterion(const data::Criterion& c, const data::CriterionColumn& column, std::size_t offset, Index begin,
                       std::size_t n) {
        const MicroEuro* w = weights_.data() + offset;
        const std::size_t shift = c.none_derived ? 1 : 0;
        const auto size_of = [&](std::size_t k) { return std::fabs(static_cast<long double>(w[k])); };
        if (const auto* codes = std::get_if<CodeView>(&column)) {
            bound_ += static_cast<long double>(largest_weight);
            std::visit(
                [&](auto values) {
                    const auto* code = values.data() + begin;
                    for (std::size_t i = 0; i < n; ++i) amount[i] += w[code[i]];
                },
                *codes);
        } else if (const auto* masks = std::get_if<std::span<const std::uint64_t>>(&column)) {
            for (std::size_t k = 0; k < c.classes.size(); ++k) bound_ += size_of(k);
            for (std::size_t i = 0; i < n; ++i) {
                std::uint64_t mask = (*masks)[at(begin) + i];
                if (mask == 0 && c.none_derived) amount[i] += w[0];
                for (; mask != 0; mask &= mask - 1)
                    amount[i] += w[shift + static_cast<std::size_t>(std::countr_zero(mask))];
            }
        } else {
            const auto& columns = std::get<std::vector<CodeView>>(column);
            any_.assign(n, 0);
            for (std::size_t k = 0; k < columns.size(); ++k)
                std::visit(
                    [&](auto values) {
                        const auto* count = values.data() + begin;
                        std::int64_t most = 0;
                        for (std::size_t i = 0; i < n; ++i) most = std::max<std::int64_t>(most, count[i]);
                        bound_ += static_cast<long double>(most) * size_of(shift + k);
                        if (most == 0 || !(bound_ < roomy)) return;
                        const MicroEuro weight = w[shift + k];
                        for (std::size_t i = 0; i < n; ++i) {
                            any_[i] = static_cast<char>(any_[i] | (count[i] != 0));
                            amount[i] += static_cast<std::int64_t>(count[i]) * weight;
                        }
                    },
                    columns[k]);
            if (!c.none_derived) return;
            bound_ += size_of(0);
            for (std::size_t i = 0; i < n; ++i)
                if (any_[i] == 0) amount[i] += w[0];
        }
    }

    const data::Design& design_;
    const data::Rows& rows_;
    const std::vector<MicroEuro>& weights_;
    std::vector<double> levels_;
    std::vector<char> any_;
    long double bound_ = 0;  // of an amount
};

/// 128-bit sum that never wraps.
struct Sum {
    Int128 total = 0;
    void add(Int128 value, Int128 times = 1) {
        Int128 product = 0;
        if (__builtin_mul_overflow(value, times, &product) || __builtin_add_overflow(total, product, &total))
            throw DomainError{{{"second_pass", "a sum beyond 128 bits", "fewer rows or smaller amounts", ""}}};
    }
};

Int128 absolute(Int128 x) { return x < 0 ? -x : x; }

/// body(chunk, first row of the block, size, reader) over all blocks of all chunks.
template <class Body>
void over_rows(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
               const std::vector<double>& categories, const Run& run, Body&& body) {
    const Index n = rows.size();
    for_each_chunk(run, data::chunks_of(n), [&](Index chunk) {
        Reader reader{design, rows, weights, categories};
        const Index last = std::min(n, (chunk + 1) * data::rows_per_chunk);
        for (Index begin = chunk * data::rows_per_chunk; begin < last; begin += data::rows_per_block) {
            const Index end = std::min(last, begin + data::rows_per_block);
            body(chunk, begin, end, reader);
        }
    });
}

/// Largest count of a class in a row.
std::int64_t largest_count(const data::Design& design, const data::Rows& rows) {
    std::int64_t most = 1;
    for (std::size_t c = 0; c < design.criteria.size(); ++c)
        if (design.criteria[c].labels == data::Labels::counts)
            if (const auto* columns = std::get_if<std::vector<CodeView>>(&rows.criteria[c]))
                for (const CodeView& column : *columns)
                    std::visit(
                        [&](auto values) {
                            for (const auto v : values) most = std::max(most, static_cast<std::int64_t>(v));
                        },
                        column);
    return most;
}

void without_absorbed(const data::Design& design, const std::string& where) {
    if (design.absorbed_classes() > 0)
        throw DomainError{{{where, "criterion " + design.criteria.back().name + " is absorbed",
                            "a design without an absorbed criterion", ""}}};
}

}  // namespace

namespace {

/// 1 / days, in the precision of the squares.
std::vector<long double> inverses(Index days_max) {
    std::vector<long double> result{0};
    for (Index d = 1; d <= days_max; ++d) result.push_back(1 / static_cast<long double>(d));
    return result;
}

/// Sums over the rows of a chunk.
struct Part {
    Sum days, cost, absolute, residual, spread;
    long double squares = 0, spread_squares = 0;
};

void add_residuals(Part& part, const Reader& r, const std::vector<long double>& inverse) {
    const std::size_t n = r.days.size();
    Int128 days = 0, cost = 0;
    for (std::size_t i = 0; i < n; ++i) {
        days += Int128{r.days[i]} * r.represents[i];
        cost += r.cost(i) * r.represents[i];  // 2^46 cents times 64 categories, 1,000 and 2^27: below 2^118
    }
    part.days.add(days);
    part.cost.add(cost);
    long double squares = 0;
    const auto add_square = [&](std::size_t i, long double e) {
        squares += static_cast<long double>(r.represents[i]) * inverse[at(r.days[i])] * (e * e);
    };
    if (r.narrow_residuals) {
        Int128 absolute = 0, residual = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int64_t e = r.narrow_residual(i);
            absolute += Int128{std::abs(e)} * r.represents[i];
            residual += Int128{e} * r.represents[i];
            add_square(i, static_cast<long double>(e));
        }
        part.absolute.add(absolute);
        part.residual.add(residual);
    } else {
        for (std::size_t i = 0; i < n; ++i) {
            const Int128 e = r.residual(i);
            part.absolute.add(absolute(e), r.represents[i]);
            part.residual.add(e, r.represents[i]);
            add_square(i, static_cast<long double>(e));
        }
    }
    part.squares += squares;
}

/// Adds |days * (cost per day - mean cost per day)| * mean.days, which is whole, and the squares.
void add_spread(Part& part, const Reader& r, const MeanCost& mean, Days days_in_year,
                const std::vector<long double>& inverse) {
    const std::size_t n = r.days.size();
    const auto year = static_cast<long double>(days_in_year);
    const long double per_day = static_cast<long double>(mean.cost) * year / static_cast<long double>(mean.days);
    long double squares = 0;
    const auto add_square = [&](std::size_t i, long double cost) {
        const long double e = cost * year - static_cast<long double>(r.days[i]) * per_day;
        squares += static_cast<long double>(r.represents[i]) * inverse[at(r.days[i])] * (e * e);
    };
    const long double size = r.largest_cost * static_cast<long double>(mean.days) +
                             std::fabs(static_cast<long double>(mean.cost)) * static_cast<long double>(inverse.size());
    constexpr auto int64 = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
    if (r.narrow && std::fabs(static_cast<long double>(mean.cost)) < int64 &&
        static_cast<long double>(mean.days) < int64 && size < 0x1p98L) {
        const auto days = static_cast<std::int64_t>(mean.days), cost = static_cast<std::int64_t>(mean.cost);
        Int128 spread = 0;  // 2^98 times 65,535 times the rows of a block
        for (std::size_t i = 0; i < n; ++i) {
            const Int128 gap = Int128{r.narrow_cost[i]} * days - Int128{cost} * r.days[i];
            spread += absolute(gap) * r.represents[i];
            add_square(i, static_cast<long double>(r.narrow_cost[i]));
        }
        part.spread.add(spread);
    } else {
        for (std::size_t i = 0; i < n; ++i) {
            Sum gap;
            gap.add(r.cost(i), mean.days);
            gap.add(-mean.cost, r.days[i]);
            part.spread.add(absolute(gap.total), r.represents[i]);
            add_square(i, static_cast<long double>(r.cost(i)));
        }
    }
    part.spread_squares += squares;
}

}  // namespace

Pass second_pass(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
                 const std::vector<double>& categories, const Run& run, const std::optional<MeanCost>& mean) {
    check(design, rows, weights, categories, "second_pass", run);
    if (mean && mean->days <= 0) throw DomainError{{{"second_pass", "days of the mean", "at least 1", "none"}}};
    const std::vector<long double> inverse = inverses(design.days_max);
    std::vector<Part> parts(at(data::chunks_of(rows.size())));
    over_rows(design, rows, weights, categories, run, [&](Index chunk, Index begin, Index end, Reader& r) {
        r.read(begin, end);
        add_residuals(parts[at(chunk)], r, inverse);
        if (mean) add_spread(parts[at(chunk)], r, *mean, design.days_in_year, inverse);
    });
    Part all;
    for (const Part& part : parts) {
        all.days.add(part.days.total);
        all.cost.add(part.cost.total);
        all.absolute.add(part.absolute.total);
        all.residual.add(part.residual.total);
        all.squares += part.squares;
    }
    const Int128 days = all.days.total;
    if (days <= 0) throw DomainError{{{"second_pass", "insured days", "at least 1", "none"}}};
    if (days > std::numeric_limits<Days>::max())
        throw DomainError{{{"second_pass", "insured days beyond 64 bits", "fewer rows", ""}}};
    const MeanCost about = mean.value_or(MeanCost{all.cost.total, days});
    if (!mean)
        over_rows(design, rows, weights, categories, run, [&](Index chunk, Index begin, Index end, Reader& r) {
            r.read_costs(begin, end);
            add_spread(parts[at(chunk)], r, about, design.days_in_year, inverse);
        });
    for (const Part& part : parts) {
        all.spread.add(part.spread.total);
        all.spread_squares += part.spread_squares;
    }
    Pass pass;
    const auto time = static_cast<long double>(days);
    const auto absolute_sum = static_cast<long double>(all.absolute.total);
    const long double spread = static_cast<long double>(all.spread.total) / static_cast<long double>(about.days) *
                               static_cast<long double>(design.days_in_year);
    pass.cpm = spread > 0 ? static_cast<double>(1 - absolute_sum / spread) : 0.0;
    pass.r2 = all.spread_squares > 0 ? static_cast<double>(1 - all.squares / all.spread_squares) : 0.0;
    pass.mape = static_cast<double>(absolute_sum / time / micro_per_euro);
    pass.deviation = static_cast<double>(spread / time / micro_per_euro);
    pass.residual = all.residual.total;
    pass.days = static_cast<Days>(days);
    pass.rows = rows.size();
    return pass;
}

std::vector<double> score_products(const data::Design& design, const data::Rows& rows,
                                   const std::vector<MicroEuro>& weights, const std::vector<double>& categories,
                                   const Run& run) {
    without_absorbed(design, "score_products");
    check(design, rows, weights, categories, "score_products", run);
    const long double unit = 1 / (static_cast<long double>(design.days_in_year) * micro_per_euro);
    const auto square = [&](const Reader& r, std::size_t i) {  // EUR^2
        const long double e = r.narrow_residuals ? static_cast<long double>(r.narrow_residual(i))
                                                 : static_cast<long double>(r.residual(i));
        const long double score = e * static_cast<long double>(r.represents[i]) * unit;
        return score * score;
    };
    std::vector<long double> sums(at(data::chunks_of(rows.size())), 0);
    over_rows(design, rows, weights, categories, run, [&](Index chunk, Index begin, Index end, Reader& r) {
        r.read(begin, end);
        long double some = 0;
        for (std::size_t i = 0; i < r.days.size(); ++i) some += square(r, i);
        sums[at(chunk)] += some;
    });
    long double sum = 0;
    for (const long double s : sums) sum += s;
    const auto count = static_cast<long double>(largest_count(design, rows));
    int shift = 0;  // sum * count^2 * 2^shift < 2^61: room for the rounding of every row
    if (sum > 0) {
        (void)std::frexp(sum * count * count, &shift);
        shift = 61 - shift;
    }
    const long double scale = std::ldexp(1.0L, shift);
    // In two halves, each small enough for the tables of `gram`; the sum of a slab's low halves fits too.
    const int log_count = std::max(0, std::ilogb(2 * count - 1));
    const int low_bits = std::min(30 - log_count, 40 - 2 * log_count);
    const Index p = design.columns();
    std::vector<std::int64_t> total(at(p * p), 0);
    const Index slab = 16 * data::rows_per_chunk;
    std::vector<std::int64_t> low(at(std::min(slab, rows.size()))), high(low.size());
    for (Index first = 0; first < rows.size(); first += slab) {
        const Index n = std::min(slab, rows.size() - first);
        const data::Rows some = data::part(rows, first, n);
        over_rows(design, some, weights, categories, run, [&](Index, Index begin, Index end, Reader& r) {
            r.read(begin, end);
            for (std::size_t i = 0; i < r.days.size(); ++i) {
                const std::int64_t scaled = std::llrint(square(r, i) * scale);
                high[at(begin) + i] = scaled >> low_bits;
                low[at(begin) + i] = scaled & ((std::int64_t{1} << low_bits) - 1);
            }
        });
        const std::vector<std::int64_t> of_high = gram(design, some, std::span{high}.first(at(n)), run);
        const std::vector<std::int64_t> of_low = gram(design, some, std::span{low}.first(at(n)), run);
        for (std::size_t k = 0; k < total.size(); ++k) total[k] += (of_high[k] << low_bits) + of_low[k];
    }
    std::vector<double> result(total.size());
    for (std::size_t k = 0; k < total.size(); ++k) result[k] = std::ldexp(static_cast<double>(total[k]), -shift);
    return result;
}

Clustered score_products_by_person(const data::Design& design, const data::Rows& rows, const CodeView& person,
                                   const std::vector<MicroEuro>& weights, const std::vector<double>& categories) {
    without_absorbed(design, "score_products_by_person");
    check(design, rows, weights, categories, "score_products_by_person", Run{});
    const Index n = rows.size(), p = design.columns();
    if (size(person) != n)
        throw ShapeError{{{"score_products_by_person", "persons", std::to_string(n), std::to_string(size(person))}}};
    Clustered result{std::vector<double>(at(p * p)), 0};
    std::vector<Int128> products(at(p * p), 0);
    std::vector<std::int64_t> score(at(p), 0);  // ten-thousandths of a euro
    std::vector<std::int32_t> touched;
    std::vector<bool> seen;
    BadRows apart;
    const auto close = [&] {
        for (const std::int32_t j : touched)
            for (const std::int32_t k : touched) products[at(j * p + k)] += Int128{score[at(j)]} * score[at(k)];
        for (const std::int32_t j : touched) score[at(j)] = 0;
        touched.clear();
    };
    std::vector<Entry> entries;
    Index absorbed = -1;
    Reader r{design, rows, weights, categories};
    std::int64_t current = -1;
    for (Index begin = 0; begin < n; begin += data::rows_per_block) {
        const Index end = std::min(n, begin + data::rows_per_block);
        r.read(begin, end);
        for (Index i = begin; i < end; ++i) {
            if (const std::int64_t who = value(person, i); who != current) {
                close();
                current = who;
                ++result.persons;
                if (at(who) >= seen.size()) seen.resize(std::max(at(who) + 1, 2 * seen.size()), false);
                if (seen[at(who)]) apart.note(i);
                seen[at(who)] = true;
            }
            const std::size_t k = at(i - begin);
            const std::int64_t tenths =
                std::llround(static_cast<long double>(r.residual(k)) * static_cast<long double>(r.represents[k]) /
                             static_cast<long double>(design.days_in_year) / 100);
            read_entries(design, rows, i, entries, absorbed);
            for (const Entry& e : entries) {
                if (std::find(touched.begin(), touched.end(), e.column) == touched.end()) touched.push_back(e.column);
                score[at(e.column)] += tenths * e.count;
            }
        }
    }
    close();
    Problems<DomainError> problems;
    apart.report(problems, "score_products_by_person", "rows of a person apart", "the rows of a person together");
    problems.throw_if_any();
    for (std::size_t k = 0; k < products.size(); ++k)
        result.products[k] = static_cast<double>(static_cast<long double>(products[k]) / 1e8L);
    return result;
}

std::vector<double> robust_covariance(const Fit& fit, const std::vector<double>& products, std::int64_t persons) {
    const Index p = static_cast<Index>(fit.coefficients.size());
    Problems<ShapeError> shape;
    shape.require(fit.covariance.size() == at(p * p), "robust_covariance", "covariance of the fit",
                  std::to_string(p * p), std::to_string(fit.covariance.size()));
    shape.require(products.size() == at(p * p), "robust_covariance", "products", std::to_string(p * p),
                  std::to_string(products.size()));
    shape.throw_if_any();
    if (fit.variance == 0) return fit.covariance;  // a perfect predictor: zeros, NaN for empty classes
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Matrix bread = Eigen::Map<const Matrix>(fit.covariance.data(), p, p) / fit.variance;
    for (Index j = 0; j < p; ++j)
        if (fit.empty[at(j)]) {
            bread.row(j).setZero();
            bread.col(j).setZero();
        }
    const auto n = static_cast<double>(fit.rows), groups = static_cast<double>(persons);
    const double factor = (persons > 0 ? groups / (groups - 1) * (n - 1) : n) / static_cast<double>(fit.freedom);
    Matrix result = factor * (bread * Eigen::Map<const Matrix>(products.data(), p, p) * bread);
    for (Index j = 0; j < p; ++j)
        if (fit.empty[at(j)]) {
            result.row(j).setConstant(std::numeric_limits<double>::quiet_NaN());
            result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
        }
    return {result.data(), result.data() + p * p};
}

std::vector<MicroEuro> rounded(const Fit& fit) {
    std::vector<MicroEuro> result;
    Problems<DomainError> problems;
    const auto add = [&](double b) {
        const double micro = b * static_cast<double>(micro_per_euro);
        const bool fits = std::abs(micro) <= static_cast<double>(largest_weight);
        problems.require(fits, "rounded", "coefficient " + std::to_string(result.size()), "within 2^43 millionths",
                         std::to_string(b));
        result.push_back(fits ? std::llround(micro) : 0);
    };
    for (const double b : fit.coefficients) add(b);
    for (const double b : fit.absorbed_coefficients) add(b);
    problems.throw_if_any();
    return result;
}

double exact_r2(const Moments& m, const std::vector<MicroEuro>& weights, Days days_in_year) {
    using boost::multiprecision::cpp_int;
    Problems<ShapeError> shape;
    shape.require(static_cast<Index>(weights.size()) == m.columns(), "exact_r2", "weights", std::to_string(m.columns()),
                  std::to_string(weights.size()));
    shape.require(m.absorbed_classes() == 0, "exact_r2", "moments", "none absorbed", "an absorbed criterion");
    shape.throw_if_any();
    cpp_int divisor = 1;  // of every number of days that occurs: sum squares / days is a whole number over it
    const auto each_square = [&](auto body) {
        for (Index s = 0; s < m.strata(); ++s)
            for (Index g = 0; g < m.categories(); ++g)
                for (Index h = 0; h < m.categories(); ++h)
                    for (Index d = 1; d <= m.design().days_max; ++d)
                        if (const Int128 square = m.squares(d, g, h, s); square != 0) body(square, d);
    };
    each_square([&](Int128, Index d) { divisor = boost::multiprecision::lcm(divisor, cpp_int{d}); });
    cpp_int squares = 0, xy = 0, xx = 0, days = 0, cents = 0;
    each_square([&](Int128 square, Index d) { squares += cpp_int{square} * (divisor / d); });
    for (Index s = 0; s < m.strata(); ++s) {
        days += m.days(s);
        for (Index g = 0; g < m.categories(); ++g) {
            cents += m.cents(g, s);
            for (Index j = 0; j < m.columns(); ++j) xy += cpp_int{m.xc(j, g, s)} * weights[at(j)];
        }
        for (Index j = 0; j < m.columns(); ++j)
            for (Index k = 0; k < m.columns(); ++k) xx += cpp_int{m.xx(j, k, s)} * weights[at(j)] * weights[at(k)];
    }
    if (days <= 0) throw DomainError{{{"exact_r2", "insured days", "at least 1", "none"}}};
    // 1 - errors / spread over one denominator; weights are 1e-4 cents per insured year of Y days:
    // errors = Y squares / divisor - 2 xy / 1e4 + xx / (1e8 Y),  spread = Y squares / divisor - Y cents^2 / days
    const cpp_int unit = 10'000, year = days_in_year;
    cpp_int explained = (2 * xy * unit * year - xx) * days - cents * cents * year * year * unit * unit;
    explained *= divisor;
    const cpp_int spread = (squares * days - cents * cents * divisor) * year * year * unit * unit;
    if (spread <= 0) return 0.0;
    constexpr int bits = 80;  // more than a double holds
    return std::ldexp(static_cast<double>(cpp_int{(explained << bits) / spread}), -bits);
}

}  // namespace anderhalf::estimation
