#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/metrics/evaluate.hpp>
#include <anderhalf/metrics/incentives.hpp>
#include <anderhalf/metrics/overcompensation.hpp>
#include <anderhalf/metrics/weights.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <string_view>
#include <utility>

namespace anderhalf::metrics {

namespace {

using Big = boost::multiprecision::cpp_int;
using Represents = std::optional<std::span<const std::uint16_t>>;
__extension__ using UInt128 = unsigned __int128;

constexpr std::int32_t days_max = 366;
constexpr Cents amount_max = Cents{1} << 46U;  // with total_max, every sum of squares stays below 2^127
constexpr Cents total_max = Cents{1} << 61U;
constexpr Index chunk_rows = Index{1} << 16U;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

[[nodiscard]] constexpr std::size_t at(Index i) { return static_cast<std::size_t>(i); }
[[nodiscard]] constexpr Int128 magnitude(Int128 x) { return x < 0 ? -x : x; }
[[nodiscard]] std::int64_t weight(const Represents& represents, std::size_t i) {
    return represents ? (*represents)[i] : 1;
}

// --- numbers --------------------------------------------------------------------------------------------------------

[[nodiscard]] Big big(Int128 value) {
    const auto absolute = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
    Big result = static_cast<std::uint64_t>(absolute >> 64U);
    result <<= 64U;
    result += static_cast<std::uint64_t>(absolute);
    return value < 0 ? -result : result;
}

/// n / d, d > 0, to the last bit or two of a long double.
[[nodiscard]] long double quotient(const Big& n, const Big& d) {
    if (n == 0) return 0;
    const Big absolute = n < 0 ? -n : n;
    const auto bits = static_cast<std::int64_t>(msb(d)) - static_cast<std::int64_t>(msb(absolute));
    const auto shift = std::max<std::int64_t>(0, bits + 80);
    const Big q = (absolute << static_cast<unsigned>(shift)) / d;
    const long double value = std::ldexp(q.convert_to<long double>(), -static_cast<int>(shift));
    return n < 0 ? -value : value;
}

[[nodiscard]] double in_euro(long double cents) { return static_cast<double>(cents / 100); }

/// Cents per insured year: D n / d, in euros.
[[nodiscard]] double per_year(Int128 n, std::int64_t d, std::int32_t days_in_year) {
    return in_euro(static_cast<long double>(n) * days_in_year / static_cast<long double>(d));
}

// --- the door -------------------------------------------------------------------------------------------------------

struct Amount {
    std::string_view name;
    CentsView values;
};

void check_same_size(const std::string& where, const std::vector<std::pair<std::string_view, Index>>& columns) {
    Problems<ShapeError> problems;
    const auto [first, n] = columns.front();
    problems.require(n > 0, where, std::string{first}, "at least one row", "none");
    for (const auto& [name, size] : columns)
        problems.require(size == n, where, std::string{name},
                         std::to_string(n) + " rows, as " + std::string{columns.front().first}, std::to_string(size));
    problems.throw_if_any();
}

/// Names the rows of one column that break one rule; never their values.
template <class Values, class Rule>
void name_rows(Problems<DomainError>& problems, const std::string& where, std::string_view column, const Values& values,
               Rule broken, const std::string& how, const std::string& expected) {
    Index count = 0;
    std::string rows;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!broken(values[i])) continue;
        if (count < 5) rows += (count == 0 ? "" : ", ") + std::to_string(i);
        ++count;
    }
    if (count == 0) return;
    problems.add(where,
                 std::string{column} + ": " + std::to_string(count) + (count == 1 ? " value " : " values ") + how +
                     (count == 1 ? " (row " : " (rows ") + rows + (count > 5 ? ", ..." : "") + ")",
                 expected, "");
}

/// Looks at every row once, on all threads; only when something is wrong, once more to say where.
void check_rows(const std::string& where, const std::vector<Amount>& amounts, std::optional<DaysView> days,
                const Represents& represents, const std::vector<Partition>& partitions, const Run& run) {
    const Index rows = static_cast<Index>(amounts.front().values.size());
    std::atomic<bool> bad{false};
    std::mutex guard;
    std::vector<Int128> totals(amounts.size());
    for_each_chunk(run, (rows + chunk_rows - 1) / chunk_rows, [&](Index chunk) {
        const std::size_t begin = at(chunk * chunk_rows), end = at(std::min(rows, (chunk + 1) * chunk_rows));
        bool wrong = false;
        std::vector<Int128> sums(amounts.size());
        for (std::size_t k = 0; k < amounts.size(); ++k)
            for (std::size_t i = begin; i < end; ++i) {
                const Cents a = amounts[k].values[i];
                wrong |= a > amount_max || a < -amount_max;
                sums[k] += magnitude(a) * weight(represents, i);
            }
        if (days)
            for (std::size_t i = begin; i < end; ++i) wrong |= (*days)[i] < 1 || (*days)[i] > days_max;
        if (represents)
            for (std::size_t i = begin; i < end; ++i) wrong |= (*represents)[i] == 0;
        for (const Partition& p : partitions)
            std::visit(
                [&](const auto& codes) {
                    for (std::size_t i = begin; i < end; ++i) wrong |= static_cast<Index>(codes[i]) >= p.groups;
                },
                p.codes);
        if (wrong) bad = true;
        const std::scoped_lock lock{guard};
        for (std::size_t k = 0; k < amounts.size(); ++k) totals[k] += sums[k];
    });
    Problems<DomainError> problems;
    if (bad) {
        if (days) {
            const std::string expected = "1.." + std::to_string(days_max);
            name_rows(
                problems, where, "days", *days, [](auto d) { return d < 1; }, "below 1", expected);
            name_rows(
                problems, where, "days", *days, [](auto d) { return d > days_max; }, "above 366", expected);
        }
        for (const Amount& a : amounts)
            name_rows(
                problems, where, a.name, a.values, [](Cents c) { return c > amount_max || c < -amount_max; },
                "beyond 2^46 cents", "amounts of one person in cents");
        if (represents)
            name_rows(
                problems, where, "represents", *represents, [](auto r) { return r == 0; }, "below 1", "1..65535");
        for (const Partition& p : partitions)
            std::visit(
                [&](const auto& codes) {
                    name_rows(
                        problems, where, p.name, codes, [&](auto code) { return static_cast<Index>(code) >= p.groups; },
                        "outside its groups", "0.." + std::to_string(p.groups - 1));
                },
                p.codes);
    } else {
        for (std::size_t k = 0; k < amounts.size(); ++k)
            problems.require(totals[k] <= total_max, where, std::string{amounts[k].name},
                             "amounts that sum to at most 2^61 cents", "more");
    }
    problems.throw_if_any();
}

void check_year(const std::string& where, std::int32_t days_in_year) {
    Problems<DomainError> problems;
    problems.require(days_in_year >= 1 && days_in_year <= days_max, where, "days_in_year", "1..366",
                     std::to_string(days_in_year));
    problems.throw_if_any();
}

// --- integer sums ---------------------------------------------------------------------------------------------------

/// Tables that threads take, add to and give back; integers, so which rows went where does not matter.
template <class Table>
class Pool {
public:
    explicit Pool(Table empty) : empty_{std::move(empty)} {}
    [[nodiscard]] Table take() {
        const std::scoped_lock lock{guard_};
        if (tables_.empty()) return empty_;
        Table table = std::move(tables_.back());
        tables_.pop_back();
        return table;
    }
    void give(Table table) {
        const std::scoped_lock lock{guard_};
        tables_.push_back(std::move(table));
    }
    [[nodiscard]] Table total() const {
        Table sum = empty_;
        for (const Table& table : tables_) sum += table;
        return sum;
    }

private:
    Table empty_;
    std::vector<Table> tables_;
    std::mutex guard_;
};

/// Sums of squares and products of two amounts, per number of insured days: sum r a b D / d stays a rational number.
struct Squares {
    struct Bin {
        Int128 aa = 0, bb = 0, ab = 0;
    };
    std::array<Bin, days_max + 1> bins{};

    void add(std::int32_t days, Cents a, Cents b, std::int64_t r) {
        Bin& bin = bins[at(days)];
        bin.aa += static_cast<Int128>(a) * a * r;
        bin.bb += static_cast<Int128>(b) * b * r;
        bin.ab += static_cast<Int128>(a) * b * r;
    }
    Squares& operator+=(const Squares& other) {
        for (std::size_t d = 0; d < bins.size(); ++d) {
            bins[d].aa += other.bins[d].aa;
            bins[d].bb += other.bins[d].bb;
            bins[d].ab += other.bins[d].ab;
        }
        return *this;
    }
};

/// sum over d of bin / d, over the common denominator.
struct PerDay {
    Big denominator = 1, aa = 0, bb = 0, ab = 0;
};
[[nodiscard]] PerDay per_day(const Squares& squares) {
    PerDay result;
    for (int d = 2; d <= days_max; ++d) result.denominator = boost::multiprecision::lcm(result.denominator, Big{d});
    for (int d = 1; d <= days_max; ++d) {
        const Squares::Bin& bin = squares.bins[at(d)];
        const Big factor = result.denominator / d;
        result.aa += big(bin.aa) * factor;
        result.bb += big(bin.bb) * factor;
        result.ab += big(bin.ab) * factor;
    }
    return result;
}

struct Sums {
    std::int64_t rows = 0, persons = 0, days = 0;
    Cents cost = 0, payment = 0;
    Int128 gap_gap = 0, gap_days = 0, days_days = 0;  // of r_i (p_i - c_i) and r_i d_i

    void add(Cents c, Cents p, std::int64_t d, std::int64_t r) {
        const Int128 gap = static_cast<Int128>(p - c) * r;
        const std::int64_t time = d * r;
        ++rows;
        persons += r;
        days += time;
        cost += c * r;
        payment += p * r;
        gap_gap += gap * gap;
        gap_days += gap * time;
        days_days += static_cast<Int128>(time) * time;
    }
    Sums& operator+=(const Sums& o) {
        rows += o.rows;
        persons += o.persons;
        days += o.days;
        cost += o.cost;
        payment += o.payment;
        gap_gap += o.gap_gap;
        gap_days += o.gap_days;
        days_days += o.days_days;
        return *this;
    }
    [[nodiscard]] Cents gap() const { return payment - cost; }
};

struct Tables {
    Squares squares;           // a = cost, b = payment
    Int128 absolute_gaps = 0;  // sum r |p - c|
    Sums all;
    std::vector<std::vector<Sums>> parts;

    Tables& operator+=(const Tables& other) {
        squares += other.squares;
        absolute_gaps += other.absolute_gaps;
        all += other.all;
        for (std::size_t k = 0; k < parts.size(); ++k)
            for (std::size_t g = 0; g < parts[k].size(); ++g) parts[k][g] += other.parts[k][g];
        return *this;
    }
};

void add_rows(Tables& tables, const Columns& c, const std::vector<Partition>& partitions, std::size_t begin,
              std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
        const std::int64_t r = weight(c.represents, i);
        tables.squares.add(c.days[i], c.cost[i], c.payment[i], r);
        tables.absolute_gaps += magnitude(c.payment[i] - c.cost[i]) * r;
        tables.all.add(c.cost[i], c.payment[i], c.days[i], r);
    }
    for (std::size_t k = 0; k < partitions.size(); ++k)
        std::visit(
            [&](const auto& codes) {
                for (std::size_t i = begin; i < end; ++i)
                    tables.parts[k][codes[i]].add(c.cost[i], c.payment[i], c.days[i], weight(c.represents, i));
            },
            partitions[k].codes);
}

// --- from sums to measures ------------------------------------------------------------------------------------------

[[nodiscard]] Group group(const Sums& s, std::int32_t year) {
    Group g{s.rows, s.persons, s.days, s.cost, s.payment, static_cast<double>(s.days) / year, nan, nan, nan, nan, nan};
    if (s.days == 0) return g;
    g.cost_eur = per_year(s.cost, s.days, year);
    g.payment_eur = per_year(s.payment, s.days, year);
    g.overcompensation_eur = per_year(s.gap(), s.days, year);
    if (s.cost != 0)
        g.predictive_ratio =
            static_cast<double>(static_cast<long double>(s.payment) / static_cast<long double>(s.cost));
    if (s.rows > 1) {
        const Big t = s.days, x = s.gap();
        const Big spread = big(s.gap_gap) * t * t - 2 * x * t * big(s.gap_days) + x * x * big(s.days_days);
        g.standard_error_eur = in_euro(year * std::sqrt(quotient(spread * s.rows, Big{s.rows - 1} * t * t * t * t)));
    }
    return g;
}

[[nodiscard]] Level level(const std::vector<Sums>& parts, const Sums& all, std::int32_t year) {
    Level result{0, nan, nan, nan, nan};
    Int128 absolute = 0;
    long double between = 0, residual = 0, spread = 0;  // in order of the groups, each term rounded once
    const Sums *highest = nullptr, *lowest = nullptr;
    const auto t = static_cast<long double>(all.days);
    const auto below = [](const Sums& a, const Sums& b) {
        return static_cast<Int128>(a.gap()) * b.days < static_cast<Int128>(b.gap()) * a.days;
    };
    for (const Sums& s : parts) {
        if (s.days == 0) continue;
        ++result.groups;
        const auto t_k = static_cast<long double>(s.days);
        const auto cost =
            static_cast<long double>(static_cast<Int128>(s.cost) * all.days - static_cast<Int128>(all.cost) * s.days) /
            t;
        const auto off = static_cast<long double>(static_cast<Int128>(s.gap()) * all.days -
                                                  static_cast<Int128>(all.gap()) * s.days) /
                         t;
        const auto gap = static_cast<long double>(s.gap());
        absolute += magnitude(s.gap());
        between += cost * cost / t_k;
        residual += gap * gap / t_k;
        spread += off * off / t_k;
        if (highest == nullptr || below(*highest, s)) highest = &s;
        if (lowest == nullptr || below(s, *lowest)) lowest = &s;
    }
    if (highest == nullptr) return result;
    if (between > 0) result.r2 = static_cast<double>(1 - residual / between);
    result.ggaa_eur = per_year(absolute, all.days, year);
    result.sd_eur = in_euro(year * std::sqrt(spread / t));
    const Int128 apart =
        static_cast<Int128>(highest->gap()) * lowest->days - static_cast<Int128>(lowest->gap()) * highest->days;
    result.bandwidth_eur = in_euro(year * (static_cast<long double>(apart) / static_cast<long double>(highest->days) /
                                           static_cast<long double>(lowest->days)));
    return result;
}

[[nodiscard]] std::vector<std::pair<std::string_view, Index>> sizes(const std::vector<Amount>& amounts,
                                                                    std::optional<DaysView> days,
                                                                    const Represents& represents,
                                                                    const std::vector<Partition>& partitions) {
    std::vector<std::pair<std::string_view, Index>> result;
    for (const Amount& a : amounts) result.emplace_back(a.name, static_cast<Index>(a.values.size()));
    if (days) result.emplace_back("days", static_cast<Index>(days->size()));
    if (represents) result.emplace_back("represents", static_cast<Index>(represents->size()));
    for (const Partition& p : partitions) result.emplace_back(p.name, size(p.codes));
    return result;
}

[[nodiscard]] Index chunks(std::size_t rows) { return (static_cast<Index>(rows) + chunk_rows - 1) / chunk_rows; }

}  // namespace

Evaluation evaluate(const Columns& c, const std::vector<Partition>& partitions, const Run& run) {
    const std::vector<Amount> amounts{{"cost", c.cost}, {"payment", c.payment}};
    check_same_size(here(), sizes(amounts, c.days, c.represents, partitions));
    check_year(here(), c.days_in_year);
    check_rows(here(), amounts, c.days, c.represents, partitions, run);
    const std::size_t rows = c.cost.size();

    Tables empty;
    for (const Partition& p : partitions) empty.parts.emplace_back(at(p.groups));
    Pool<Tables> pool{std::move(empty)};
    for_each_chunk(run, chunks(rows), [&](Index chunk) {
        Tables tables = pool.take();
        add_rows(tables, c, partitions, at(chunk * chunk_rows), std::min(rows, at((chunk + 1) * chunk_rows)));
        pool.give(std::move(tables));
    });
    const Tables sum = pool.total();

    // sum r |c - C d / T| = sum r |c T - C d| / T needs the mean, so a second look at the rows.
    Pool<Int128> deviations{0};
    for_each_chunk(run, chunks(rows), [&](Index chunk) {
        Int128 deviation = deviations.take();
        const std::size_t end = std::min(rows, at((chunk + 1) * chunk_rows));
        for (std::size_t i = at(chunk * chunk_rows); i < end; ++i)
            deviation += magnitude(static_cast<Int128>(c.cost[i]) * sum.all.days -
                                   static_cast<Int128>(sum.all.cost) * c.days[i]) *
                         weight(c.represents, i);
        deviations.give(deviation);
    });
    const Int128 deviation = deviations.total();

    Evaluation result;
    result.all = group(sum.all, c.days_in_year);
    const PerDay squares = per_day(sum.squares);
    const Big t = sum.all.days;
    const Big total = squares.aa * t - Big{sum.all.cost} * sum.all.cost * squares.denominator;
    const Big residual = (squares.aa - 2 * squares.ab + squares.bb) * t;
    result.r2 = total == 0 ? nan : static_cast<double>(quotient(total - residual, total));
    const Big absolute = big(sum.absolute_gaps) * t;
    result.cpm = deviation == 0 ? nan : static_cast<double>(quotient(big(deviation) - absolute, big(deviation)));
    result.mape_eur = per_year(sum.absolute_gaps, sum.all.days, c.days_in_year);
    const Big spread = residual - Big{sum.all.gap()} * sum.all.gap() * squares.denominator;
    result.sd_eur = in_euro(c.days_in_year * std::sqrt(quotient(spread, squares.denominator * t * t)));
    for (const std::vector<Sums>& part : sum.parts) {
        result.levels.push_back(level(part, sum.all, c.days_in_year));
        std::vector<Group>& groups = result.groups.emplace_back();
        for (const Sums& s : part) groups.push_back(group(s, c.days_in_year));
    }
    return result;
}

double result_change(std::span<const Group> before, std::span<const Group> after, std::int32_t days_in_year) {
    Problems<ShapeError> problems;
    problems.require(before.size() == after.size(), here(), "groups", std::to_string(before.size()),
                     std::to_string(after.size()));
    for (std::size_t k = 0; k < std::min(before.size(), after.size()); ++k)
        problems.require(before[k].days == after[k].days, here(), "insured days of group " + std::to_string(k),
                         "the same before and after", "other");
    problems.throw_if_any();
    Int128 change = 0;
    std::int64_t days = 0;
    for (std::size_t k = 0; k < after.size(); ++k) {
        change +=
            magnitude(static_cast<Int128>(after[k].payment - after[k].cost) - (before[k].payment - before[k].cost));
        days += after[k].days;
    }
    return days == 0 ? nan : per_year(change, days, days_in_year);
}

std::vector<double> overcompensation(const CodeView& group_codes, CentsView payment, CentsView cost, DaysView days,
                                     Index groups, const Run& run) {
    const std::vector<Partition> partition{{"group", group_codes, groups}};
    const std::vector<Amount> amounts{{"payment", payment}, {"cost", cost}};
    check_same_size(here(), sizes(amounts, days, {}, partition));
    check_rows(here(), amounts, days, {}, partition, run);
    struct Total {
        Cents gap = 0;
        std::int64_t days = 0;
    };
    struct Table {
        std::vector<Total> totals;
        Table& operator+=(const Table& other) {
            for (std::size_t g = 0; g < totals.size(); ++g) {
                totals[g].gap += other.totals[g].gap;
                totals[g].days += other.totals[g].days;
            }
            return *this;
        }
    };
    Pool<Table> pool{Table{std::vector<Total>(at(groups))}};
    for_each_chunk(run, chunks(cost.size()), [&](Index chunk) {
        Table table = pool.take();
        std::visit(
            [&](const auto& codes) {
                const std::size_t end = std::min(cost.size(), at((chunk + 1) * chunk_rows));
                for (std::size_t i = at(chunk * chunk_rows); i < end; ++i) {
                    Total& total = table.totals[codes[i]];
                    total.gap += payment[i] - cost[i];
                    total.days += days[i];
                }
            },
            group_codes);
        pool.give(std::move(table));
    });
    std::vector<double> result;
    for (const Total& total : pool.total().totals)
        result.push_back(total.days == 0 ? nan : per_year(total.gap, total.days, 365));
    return result;
}

Comovement comovement(CentsView first, CentsView second, DaysView days, Represents represents,
                      std::int32_t days_in_year, const Run& run) {
    const std::vector<Amount> amounts{{"first", first}, {"second", second}};
    check_same_size(here(), sizes(amounts, days, represents, {}));
    check_year(here(), days_in_year);
    check_rows(here(), amounts, days, represents, {}, run);
    struct Table {
        Squares squares;
        Sums all;
        Table& operator+=(const Table& other) {
            squares += other.squares;
            all += other.all;
            return *this;
        }
    };
    Pool<Table> pool{Table{}};
    for_each_chunk(run, chunks(first.size()), [&](Index chunk) {
        Table table = pool.take();
        const std::size_t end = std::min(first.size(), at((chunk + 1) * chunk_rows));
        for (std::size_t i = at(chunk * chunk_rows); i < end; ++i) {
            table.squares.add(days[i], first[i], second[i], weight(represents, i));
            table.all.add(first[i], second[i], days[i], weight(represents, i));
        }
        pool.give(table);
    });
    const Table sum = pool.total();
    const PerDay s = per_day(sum.squares);
    const Big t = sum.all.days, a = sum.all.cost, b = sum.all.payment;
    const Big aa = s.aa * t - a * a * s.denominator;
    const Big bb = s.bb * t - b * b * s.denominator;
    const Big ab = s.ab * t - a * b * s.denominator;
    const auto deviation = [&](const Big& x) {
        return in_euro(days_in_year * std::sqrt(quotient(x, s.denominator * t * t)));
    };
    Comovement result{per_year(sum.all.cost, sum.all.days, days_in_year),
                      per_year(sum.all.payment, sum.all.days, days_in_year), deviation(aa), deviation(bb), nan};
    if (aa != 0 && bb != 0) {
        const auto size = static_cast<double>(std::sqrt(quotient(ab * ab, aa * bb)));
        result.correlation = ab < 0 ? -size : size;
    }
    return result;
}

double power(CentsView cost, CentsView payment, CentsView cost_after, CentsView payment_after, Represents represents,
             const Run& run) {
    const std::vector<Amount> amounts{
        {"cost", cost}, {"payment", payment}, {"cost_after", cost_after}, {"payment_after", payment_after}};
    check_same_size(here(), sizes(amounts, {}, represents, {}));
    check_rows(here(), amounts, {}, represents, {}, run);
    struct Table {
        Int128 cost = 0, payment = 0;
        Table& operator+=(const Table& other) {
            cost += other.cost;
            payment += other.payment;
            return *this;
        }
    };
    Pool<Table> pool{Table{}};
    for_each_chunk(run, chunks(cost.size()), [&](Index chunk) {
        Table table = pool.take();
        const std::size_t end = std::min(cost.size(), at((chunk + 1) * chunk_rows));
        for (std::size_t i = at(chunk * chunk_rows); i < end; ++i) {
            const Int128 r = weight(represents, i);
            table.cost += r * (cost_after[i] - cost[i]);
            table.payment += r * (payment_after[i] - payment[i]);
        }
        pool.give(table);
    });
    const Table sum = pool.total();
    if (sum.cost == 0) return nan;
    return static_cast<double>(static_cast<long double>(sum.cost - sum.payment) / static_cast<long double>(sum.cost));
}

std::vector<std::uint8_t> held_out(std::span<const std::uint64_t> person, double share, std::uint64_t seed) {
    Problems<DomainError> problems;
    problems.require(share >= 0 && share <= 1, here(), "share", "0..1", std::to_string(share));
    problems.throw_if_any();
    // A purpose of its own, so that who is held out does not hang together with what is drawn for a person.
    const Philox draw{seed, 0x686F6C645F6F7574};
    const auto threshold = share < 1 ? static_cast<std::uint64_t>(std::ldexp(share, 64)) : 0;
    std::vector<std::uint8_t> result;
    result.reserve(person.size());
    for (const std::uint64_t p : person)
        result.push_back(share >= 1 || below(draw(p)[0], threshold) ? std::uint8_t{1} : std::uint8_t{0});
    return result;
}

double weight_change(std::span<const MicroEuro> before, std::span<const MicroEuro> after,
                     std::span<const std::int64_t> days) {
    check_same_size(here(), {{"before", static_cast<Index>(before.size())},
                             {"after", static_cast<Index>(after.size())},
                             {"days", static_cast<Index>(days.size())}});
    constexpr std::int64_t most = std::int64_t{1} << 52U;
    Problems<DomainError> problems;
    const auto large = [](MicroEuro w) { return w > most || w < -most; };
    name_rows(problems, here(), "before", before, large, "beyond 2^52 micro-euro", "weights per insured year");
    name_rows(problems, here(), "after", after, large, "beyond 2^52 micro-euro", "weights per insured year");
    name_rows(
        problems, here(), "days", days, [](std::int64_t d) { return d < 0 || d > most; }, "outside 0..2^52",
        "insured days");
    problems.throw_if_any();
    Int128 change = 0, time = 0;
    for (std::size_t j = 0; j < days.size(); ++j) {
        change += magnitude(static_cast<Int128>(after[j]) - before[j]) * days[j];
        time += days[j];
    }
    if (time == 0) return nan;
    return static_cast<double>(static_cast<long double>(change) / static_cast<long double>(time) / micro_per_euro);
}

}  // namespace anderhalf::metrics
