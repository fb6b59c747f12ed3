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
constexpr Index chunk_rows = 65'536;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

template <class... T>
std::int64_t value(const std::variant<std::span<T>...>& column, Index row) {
    return std::visit([&](auto values) { return static_cast<std::int64_t>(values[at(row)]); }, column);
}

void check(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories, const std::string& where) {
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
    data::check(design, rows);
}

/// Normative amounts and costs of a few rows, criterion by criterion.
class Reader {
public:
    Reader(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
           const std::vector<double>& categories)
        : design_{design}, rows_{rows}, weights_{weights}, levels_{categories} {
        levels_.resize(design.categories.size(), 1.0);
    }

    void read(Index begin, Index end) {
        const auto n = at(end - begin);
        amount.assign(n, 0);
        cost.assign(n, 0);
        days.resize(n);
        represents.assign(n, 1);
        for (std::size_t c = 0; c < design_.criteria.size(); ++c)
            add_criterion(design_.criteria[c], rows_.criteria[c], at(design_.offset(static_cast<Index>(c))), begin, n);
        std::visit([&](auto d) { std::copy_n(d.begin() + begin, n, days.begin()); }, rows_.days);
        if (rows_.represents) std::copy_n(rows_.represents->begin() + begin, n, represents.begin());
        for (std::size_t g = 0; g < levels_.size(); ++g)
            std::visit(
                [&](auto cents) {
                    for (std::size_t i = 0; i < n; ++i) {
                        const auto c = static_cast<Cents>(cents[at(begin) + i]);
                        cost[i] += levels_[g] == 1.0
                                       ? Int128{c} * micro_per_cent
                                       : static_cast<Int128>(std::round(static_cast<long double>(levels_[g]) *
                                                                        static_cast<long double>(c) * micro_per_cent));
                    }
                },
                rows_.cents[g]);
    }
    /// days * (y - yhat) [millionths of a euro x days], of one insured that the row stands for
    [[nodiscard]] Int128 residual(std::size_t i) const {
        return cost[i] * design_.days_in_year - Int128{days[i]} * amount[i];
    }

    std::vector<MicroEuro> amount;  // per insured year
    std::vector<Int128> cost;       // millionths of a euro
    std::vector<Days> days;
    std::vector<std::int64_t> represents;

private:
    void add_criterion(const data::Criterion& c, const data::CriterionColumn& column, std::size_t offset, Index begin,
                       std::size_t n) {
        const MicroEuro* w = weights_.data() + offset;
        const std::size_t shift = c.none_derived ? 1 : 0;
        if (const auto* codes = std::get_if<CodeView>(&column)) {
            std::visit(
                [&](auto code) {
                    for (std::size_t i = 0; i < n; ++i) amount[i] += w[code[at(begin) + i]];
                },
                *codes);
        } else if (const auto* masks = std::get_if<std::span<const std::uint64_t>>(&column)) {
            for (std::size_t i = 0; i < n; ++i) {
                std::uint64_t mask = (*masks)[at(begin) + i];
                if (mask == 0 && c.none_derived) amount[i] += w[0];
                for (; mask != 0; mask &= mask - 1)
                    amount[i] += w[shift + static_cast<std::size_t>(std::countr_zero(mask))];
            }
        } else {
            const auto& columns = std::get<std::vector<CodeView>>(column);
            std::vector<char> any(n, 0);
            for (std::size_t k = 0; k < columns.size(); ++k)
                std::visit(
                    [&](auto count) {
                        for (std::size_t i = 0; i < n; ++i) {
                            const auto times = count[at(begin) + i];
                            any[i] = static_cast<char>(any[i] | (times != 0));
                            amount[i] += static_cast<std::int64_t>(times) * w[shift + k];
                        }
                    },
                    columns[k]);
            if (c.none_derived)
                for (std::size_t i = 0; i < n; ++i)
                    if (any[i] == 0) amount[i] += w[0];
        }
    }

    const data::Design& design_;
    const data::Rows& rows_;
    const std::vector<MicroEuro>& weights_;
    std::vector<double> levels_;
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

/// body(chunk, begin, end, reader) over all rows.
template <class Body>
void over_rows(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
               const std::vector<double>& categories, const Run& run, Body&& body) {
    const Index n = rows.size();
    for_each_chunk(run, (n + chunk_rows - 1) / chunk_rows, [&](Index chunk) {
        Reader reader{design, rows, weights, categories};
        const Index begin = chunk * chunk_rows, end = std::min(n, begin + chunk_rows);
        reader.read(begin, end);
        body(chunk, at(end - begin), reader);
    });
}

CodeView part(const CodeView& column, Index begin, Index count) {
    return std::visit([&](auto values) { return CodeView{values.subspan(at(begin), at(count))}; }, column);
}

data::Rows part(const data::Rows& rows, Index begin, Index count) {
    data::Rows out;
    for (const data::CriterionColumn& column : rows.criteria) {
        if (const auto* codes = std::get_if<CodeView>(&column)) {
            out.criteria.emplace_back(part(*codes, begin, count));
        } else if (const auto* masks = std::get_if<std::span<const std::uint64_t>>(&column)) {
            out.criteria.emplace_back(masks->subspan(at(begin), at(count)));
        } else {
            std::vector<CodeView> columns;
            for (const CodeView& view : std::get<std::vector<CodeView>>(column))
                columns.push_back(part(view, begin, count));
            out.criteria.emplace_back(std::move(columns));
        }
    }
    out.days = std::visit([&](auto values) { return DaysColumn{values.subspan(at(begin), at(count))}; }, rows.days);
    for (const CentsColumn& column : rows.cents)
        out.cents.push_back(
            std::visit([&](auto values) { return CentsColumn{values.subspan(at(begin), at(count))}; }, column));
    if (rows.represents) out.represents = rows.represents->subspan(at(begin), at(count));
    if (rows.stratum) out.stratum = part(*rows.stratum, begin, count);
    return out;
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

Pass second_pass(const data::Design& design, const data::Rows& rows, const std::vector<MicroEuro>& weights,
                 const std::vector<double>& categories, const Run& run) {
    check(design, rows, weights, categories, "second_pass");
    const auto chunks = at((rows.size() + chunk_rows - 1) / chunk_rows);
    struct Part {
        Sum days, cost, absolute, residual, spread;
        long double squares = 0, spread_squares = 0;
    };
    std::vector<Part> parts(chunks);
    over_rows(design, rows, weights, categories, run, [&](Index chunk, std::size_t n, const Reader& r) {
        Part& part = parts[at(chunk)];
        for (std::size_t i = 0; i < n; ++i) {
            const Int128 residual = r.residual(i);
            part.days.add(r.days[i], r.represents[i]);
            part.cost.add(r.cost[i], r.represents[i]);
            part.absolute.add(absolute(residual), r.represents[i]);
            part.residual.add(residual, r.represents[i]);
            const auto e = static_cast<long double>(residual);
            part.squares += static_cast<long double>(r.represents[i]) * e * e / static_cast<long double>(r.days[i]);
        }
    });
    Part all;
    for (const Part& part : parts) {
        all.days.add(part.days.total);
        all.cost.add(part.cost.total);
        all.absolute.add(part.absolute.total);
        all.residual.add(part.residual.total);
        all.squares += part.squares;
    }
    const Int128 days = all.days.total, cost = all.cost.total;
    if (days <= 0) throw DomainError{{{"second_pass", "insured days", "at least 1", "none"}}};
    over_rows(design, rows, weights, categories, run, [&](Index chunk, std::size_t n, const Reader& r) {
        Part& part = parts[at(chunk)];
        for (std::size_t i = 0; i < n; ++i) {
            Sum gap;  // days_in_year / all days times this is days * (y - ybar)
            gap.add(r.cost[i], days);
            gap.add(-cost, r.days[i]);
            part.spread.add(absolute(gap.total), r.represents[i]);
            const long double e = static_cast<long double>(gap.total) / static_cast<long double>(days) *
                                  static_cast<long double>(design.days_in_year);
            part.spread_squares +=
                static_cast<long double>(r.represents[i]) * e * e / static_cast<long double>(r.days[i]);
        }
    });
    for (const Part& part : parts) {
        all.spread.add(part.spread.total);
        all.spread_squares += part.spread_squares;
    }
    Pass pass;
    const long double spread = static_cast<long double>(all.spread.total) / static_cast<long double>(days) *
                               static_cast<long double>(design.days_in_year);
    pass.cpm = spread > 0 ? static_cast<double>(1 - static_cast<long double>(all.absolute.total) / spread) : 0.0;
    pass.r2 = all.spread_squares > 0 ? static_cast<double>(1 - all.squares / all.spread_squares) : 0.0;
    pass.mape = static_cast<double>(static_cast<long double>(all.absolute.total) / static_cast<long double>(days) /
                                    micro_per_euro);
    pass.residual = all.residual.total;
    if (days > std::numeric_limits<Days>::max())
        throw DomainError{{{"second_pass", "insured days beyond 64 bits", "fewer rows", ""}}};
    pass.days = static_cast<Days>(days);
    pass.rows = rows.size();
    return pass;
}

std::vector<double> score_products(const data::Design& design, const data::Rows& rows,
                                   const std::vector<MicroEuro>& weights, const std::vector<double>& categories,
                                   const Run& run) {
    without_absorbed(design, "score_products");
    check(design, rows, weights, categories, "score_products");
    const auto square = [&](const Reader& r, std::size_t i) {  // EUR^2
        const long double score = static_cast<long double>(r.residual(i)) * static_cast<long double>(r.represents[i]) /
                                  static_cast<long double>(design.days_in_year) / micro_per_euro;
        return score * score;
    };
    std::vector<long double> sums(at((rows.size() + chunk_rows - 1) / chunk_rows), 0);
    over_rows(design, rows, weights, categories, run, [&](Index chunk, std::size_t n, const Reader& r) {
        for (std::size_t i = 0; i < n; ++i) sums[at(chunk)] += square(r, i);
    });
    long double sum = 0;
    for (const long double s : sums) sum += s;
    const auto count = static_cast<long double>(largest_count(design, rows));
    int shift = 0;  // sum * count^2 * 2^shift < 2^61: room for the rounding of every row
    if (sum > 0) {
        (void)std::frexp(sum * count * count, &shift);
        shift = 61 - shift;
    }
    const Index p = design.columns();
    std::vector<std::int64_t> total(at(p * p), 0);
    const Index slab = 16 * chunk_rows;
    std::vector<std::int64_t> scaled;
    for (Index begin = 0; begin < rows.size(); begin += slab) {
        const Index n = std::min(slab, rows.size() - begin);
        const data::Rows some = part(rows, begin, n);
        scaled.resize(at(n));
        over_rows(design, some, weights, categories, run, [&](Index chunk, std::size_t size, const Reader& r) {
            for (std::size_t i = 0; i < size; ++i)
                scaled[at(chunk * chunk_rows) + i] = std::llround(std::ldexp(square(r, i), shift));
        });
        const std::vector<std::int64_t> products = gram(design, some, scaled, run);
        for (std::size_t k = 0; k < total.size(); ++k) total[k] += products[k];
    }
    std::vector<double> result(total.size());
    for (std::size_t k = 0; k < total.size(); ++k) result[k] = std::ldexp(static_cast<double>(total[k]), -shift);
    return result;
}

Clustered score_products_by_person(const data::Design& design, const data::Rows& rows, const CodeView& person,
                                   const std::vector<MicroEuro>& weights, const std::vector<double>& categories) {
    without_absorbed(design, "score_products_by_person");
    check(design, rows, weights, categories, "score_products_by_person");
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
    for (Index begin = 0; begin < n; begin += chunk_rows) {
        const Index end = std::min(n, begin + chunk_rows);
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
