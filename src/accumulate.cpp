#include "accumulate_worker.hpp"

#include <anderhalf/estimation/plain.hpp>

namespace anderhalf::estimation {

using namespace detail;

namespace {

/// Private state of one thread.
struct Worker {
    Ids ids;
    Tables tables;
    ClassReader classes;
    ValueReader values;
    Classes in;
    Values value;
    Ahead ahead;
    Index entries = 0;
    std::vector<Entry> plain_entries;
    std::vector<Cents> plain_cents;

    Worker(const Plan& plan, const data::Rows& rows, const Pass& pass, Index categories)
        : ids{plan}, classes{plan, rows}, values{*plan.design, rows, plan.common_days}, ahead{rows.size()} {
        ahead.criteria(rows);
        if (categories > 0) ahead.values(rows);
        tables.shape(plan, pass.slabs, categories, pass.dense_absorbed, nullptr, expected_ids(plan));
    }
    /// Wider tables once more combinations have been met than they hold; what they held goes to `empty` first.
    template <class Empty>
    void grow(const Plan& plan, const Pass& pass, Index categories, Empty&& empty) {
        bool fits = true;
        std::vector<Index> cap = tables.cap;
        for (std::size_t c = 0; c < cap.size(); ++c) {
            const auto met = static_cast<Index>(ids.composite[c].keys.size());
            if (met <= cap[c]) continue;
            fits = false;
            cap[c] = std::min<Index>(plan.composites[c].keys, met + met / 2);
        }
        if (fits) return;
        empty();
        Index words = 0;
        for (std::size_t a = 0; a < cap.size(); ++a) {
            words += cap[a] * plan.all_entries * (a == 0 ? tables.values : 1);
            for (std::size_t b = a + 1; b < cap.size(); ++b) words += cap[a] * cap[b] * tables.values;
        }
        if (words * pass.slabs * 8 > most_table_bytes) throw TooLarge{};
        tables.shape(plan, pass.slabs, categories, pass.dense_absorbed, nullptr, cap);
    }
    /// Asks for the cells of the first pair; they are added last, when they have come.
    void fetch_cells(Index n) const {
        const std::int64_t* cells = tables.cell.data();
        for (std::size_t i = 0; i < at(n); ++i)
            __builtin_prefetch(cells + (in.id[0][i] * tables.cap[1] + in.id[1][i]) * tables.values);
        asm volatile("");  // as in Ahead::fetch
    }
    template <int Categories>
    void add_cells(Adder<Categories>& adder, std::uint64_t rows, Index n) {
        for (std::size_t k = 0; k < tables.pairs.size(); ++k) {
            const auto [a, b] = tables.pairs[k];
            const std::uint16_t* id_a = in.id[a].data();
            const std::uint16_t* id_b = in.id[b].data();
            const Index base = tables.pair_base[k], width = tables.cap[b];
            adder.cells(value, rows, n, [=](std::size_t i) { return base + id_a[i] * width + id_b[i]; });
        }
    }
};

/// Rows that the tables cannot hold, one by one, with every sum checked.
void add_plain(const data::Design& design, const data::Rows& rows, Index first, std::uint64_t which, Worker& w,
               Result& result) {
    w.plain_cents.resize(rows.cents.size());
    for (; which != 0; which &= which - 1) {
        const Index row = first + std::countr_zero(which);
        const auto i = static_cast<std::size_t>(row);
        Index absorbed = -1;
        read_entries(design, rows, row, w.plain_entries, absorbed);
        for (std::size_t g = 0; g < rows.cents.size(); ++g)
            w.plain_cents[g] = std::visit([&](auto c) { return static_cast<Cents>(c[i]); }, rows.cents[g]);
        const Days days = std::visit([&](auto d) { return static_cast<Days>(d[i]); }, rows.days);
        const Index stratum =
            rows.stratum ? std::visit([&](auto s) { return static_cast<Index>(s[i]); }, *rows.stratum) : 0;
        std::unique_lock<std::mutex> second;
        if (absorbed >= 0 && !result.absorbed_locks.empty())
            second = std::unique_lock{
                result.absorbed_locks[static_cast<std::size_t>(absorbed) % result.absorbed_locks.size()]};
        const std::scoped_lock guard{result.lock};
        result.moments.add(w.plain_entries, days, std::span<const Cents>{w.plain_cents},
                           rows.represents ? std::int64_t{(*rows.represents)[i]} : 1, 1, stratum, absorbed);
    }
}

template <int Categories>
void add_rows(const Plan& plan, const data::Rows& rows, Index first, Index n, const Pass& pass, Worker& w,
              Result& result) {
    const auto categories = static_cast<Index>(plan.design->categories.size());
    w.ahead.fetch(first);
    w.values.read(first, n, pass.first_stratum, pass.slabs, w.value);
    w.classes.read(first, n, w.ids, w.in);
    w.grow(plan, pass, categories, [&] { flush(plan, w.ids, w.tables, pass, result); });
    const bool fits = make_room(plan, w.ids, w.values, w.tables, pass, result);
    w.value.plain = fits ? w.in.plain : ~std::uint64_t{0};
    w.fetch_cells(n);
    const std::uint64_t fast = w.value.active & ~w.value.plain;
    w.values.squares(w.value, w.tables);
    Adder<Categories> adder{plan, w.tables};
    const bool absorbed = plan.absorbed >= 0;
    const Index stride = w.classes.stride();
    add_block<Categories>(
        plan, w.ids, w.tables, adder, w.value, fast, absorbed ? fast : w.in.any,
        [&](std::size_t i) {
            const Index k = w.in.count[i];
            w.entries += k;
            return std::pair{w.in.list.data() + static_cast<Index>(i) * stride, k};
        },
        [&](std::size_t c, std::size_t i) { return w.in.id[c][i]; }, absorbed ? w.in.absorbed.data() : nullptr, pass,
        result);
    w.add_cells(adder, fast, n);
    if (const std::uint64_t slow = w.value.active & w.value.plain; slow != 0)
        add_plain(*plan.design, rows, first, slow, w, result);
}

template <int Categories>
void one_pass(const Plan& plan, const data::Rows& rows, const Pass& pass, const Run& run, const Grid& grid,
              Result& result, Work* work) {
    const Index n = rows.size(), chunks = (n + grid.chunk - 1) / grid.chunk;
    const auto categories = static_cast<Index>(plan.design->categories.size());
    Pool<Worker> pool;
    for_each_chunk(run, chunks, [&](Index chunk) {
        auto worker = pool.take([&] { return std::make_unique<Worker>(plan, rows, pass, categories); });
        const Index end = std::min(n, (chunk + 1) * grid.chunk);
        for (Index first = chunk * grid.chunk; first < end; first += block_rows)
            add_rows<Categories>(plan, rows, first, std::min(block_rows, end - first), pass, *worker, result);
        pool.give(std::move(worker));
    });
    Run quiet{.threads = run.threads, .stop = run.stop};
    for_each_chunk(quiet, static_cast<Index>(pool.all().size()), [&](Index k) {
        Worker& w = *pool.all()[static_cast<std::size_t>(k)];
        flush(plan, w.ids, w.tables, pass, result);
    });
    if (work != nullptr && n > 0)
        for (const auto& worker : pool.all())
            work->entries_per_record += static_cast<double>(worker->entries) / static_cast<double>(n);
}

void check_grid(const Grid& grid) {
    if (grid.chunk < 1)
        throw DomainError{{{"accumulate", "rows of a chunk", "at least 1", std::to_string(grid.chunk)}}};
}

}  // namespace

Moments accumulate(const data::Design& design, const data::Rows& rows, const Run& run, Work* work, const Grid& grid) {
    check_grid(grid);
    data::check_shape(design, rows);
    if (work != nullptr) *work = {};
    const Plan plan = make_plan(std::make_shared<const data::Design>(design), rows, rows.size());
    if (!plan.fits) return accumulate_plain(design, rows);
    Result result;
    result.moments = Moments{design};
    std::unordered_set<std::uint64_t> cells;
    if (work != nullptr) result.cells = &cells;
    try {
        bool first = true;
        for (const Pass& pass : passes(plan, expected_ids(plan), 0)) {
            if (pass.sparse_absorbed && result.absorbed_locks.empty())
                result.absorbed_locks = std::vector<std::mutex>(1024);
            if (design.categories.size() == 1) one_pass<1>(plan, rows, pass, run, grid, result, first ? work : nullptr);
            else one_pass<-1>(plan, rows, pass, run, grid, result, first ? work : nullptr);
            first = false;
        }
    } catch (const BadRow&) {
        data::check(design, rows);  // names every problem
        throw;
    } catch (const TooLarge&) {
        return accumulate_plain(design, rows);
    }
    if (result.wrapped) beyond_64_bits();
    if (work != nullptr) work->cells = static_cast<Index>(cells.size());
    return std::move(result.moments);
}

std::vector<std::int64_t> gram(const data::Design& design, const data::Rows& rows, std::span<const std::int64_t> weight,
                               const Run& run, const Grid& grid) {
    check_grid(grid);
    data::check_shape(design, rows);
    if (static_cast<Index>(weight.size()) != rows.size())
        throw ShapeError{
            {{here(), "length of the weights", std::to_string(rows.size()), std::to_string(weight.size())}}};
    const Plan plan = make_plan(std::make_shared<const data::Design>(design), rows, rows.size());
    if (!plan.fits) return gram_plain(design, rows, weight);
    const Index n = rows.size(), chunks = (n + grid.chunk - 1) / grid.chunk;
    const auto p = static_cast<std::size_t>(design.columns());
    std::vector<std::int64_t> result(p * p, 0);
    std::mutex lock;
    std::atomic<bool> wrapped{false};
    const Pass pass;
    Pool<Worker> pool;
    const auto empty = [&](Worker& w) {
        if (Fold{plan, w.ids}.into(result, w.tables, lock)) wrapped = true;
        w.tables.clear();
    };
    const auto block = [&](Worker& w, Index first, Index rows_here) {
        w.ahead.fetch(first);
        w.classes.read(first, rows_here, w.ids, w.in);
        w.grow(plan, pass, 0, [&] { empty(w); });
        Int128 most = 0;
        for (Index i = 0; i < rows_here; ++i) {
            const std::int64_t value = weight[static_cast<std::size_t>(first + i)];
            w.value.word[static_cast<std::size_t>(i)] = value;
            most = std::max(most, value < 0 ? -Int128{value} : Int128{value});
        }
        most *= Int128{block_rows} * plan.most_flags * plan.most_flags;
        constexpr Int128 limit = Int128{1} << 62;
        std::uint64_t slow = w.in.plain;
        if (most > limit) {
            slow = first_bits(rows_here);
        } else {
            if (w.tables.cents + most > limit) empty(w);
            w.tables.cents += static_cast<std::int64_t>(most);
            w.tables.touched = true;
        }
        const std::uint64_t fast = first_bits(rows_here) & ~slow;
        Adder<0> adder{plan, w.tables};
        w.add_cells(adder, fast, rows_here);
        for (std::uint64_t bits = w.in.any & fast; bits != 0; bits &= bits - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(bits));
            adder.entries(w.value, i, w.in.list.data() + static_cast<Index>(i) * w.classes.stride(), w.in.count[i],
                          [&](std::size_t c) { return static_cast<Index>(w.in.id[c][i]); });
        }
        for (; slow != 0; slow &= slow - 1) {
            const Index row = first + std::countr_zero(slow);
            Index absorbed = -1;
            read_entries(design, rows, row, w.plain_entries, absorbed);
            const std::scoped_lock guard{lock};
            for (const Entry& a : w.plain_entries)
                for (const Entry& b : w.plain_entries) {
                    std::int64_t& sum =
                        result[static_cast<std::size_t>(a.column) * p + static_cast<std::size_t>(b.column)];
                    std::int64_t value = 0;
                    bool over = __builtin_mul_overflow(weight[static_cast<std::size_t>(row)],
                                                       std::int64_t{a.count} * b.count, &value);
                    over |= __builtin_add_overflow(sum, value, &sum);
                    if (over) wrapped = true;
                }
        }
    };
    try {
        for_each_chunk(run, chunks, [&](Index chunk) {
            auto worker = pool.take([&] {
                auto made = std::make_unique<Worker>(plan, rows, pass, 0);
                made->value.slab.fill(0);
                return made;
            });
            const Index end = std::min(n, (chunk + 1) * grid.chunk);
            for (Index first = chunk * grid.chunk; first < end; first += block_rows)
                block(*worker, first, std::min(block_rows, end - first));
            pool.give(std::move(worker));
        });
    } catch (const BadRow&) {
        data::check(design, rows);
        throw;
    } catch (const TooLarge&) {
        return gram_plain(design, rows, weight);
    }
    for (const auto& worker : pool.all()) empty(*worker);
    if (wrapped) throw DomainError{{{here(), "a sum of weights beyond 64 bits", "smaller weights", ""}}};
    return result;
}

}  // namespace anderhalf::estimation
