#include "accumulate_worker.hpp"

#include <anderhalf/estimation/plain.hpp>

namespace anderhalf::estimation {

using namespace detail;

namespace {

/// Dense ids of 64-bit keys, given at first sight: open addressing.
class KeyIds {
public:
    std::uint32_t give(std::uint64_t key) {
        if (2 * (std::size_t{count_} + 1) > slots_.size()) grow();
        for (std::size_t k = place(key);; k = (k + 1) & (slots_.size() - 1)) {
            if (slots_[k].id == none) {
                slots_[k] = {key, count_};
                return count_++;
            }
            if (slots_[k].key == key) return slots_[k].id;
        }
    }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    struct Slot {
        std::uint64_t key = 0;
        std::uint32_t id = none;
    };
    [[nodiscard]] std::size_t place(std::uint64_t key) const {
        return (key * 0x9E3779B97F4A7C15U >> 20) & (slots_.size() - 1);
    }
    void grow() {
        std::vector<Slot> old(std::max<std::size_t>(1024, 2 * slots_.size()));
        old.swap(slots_);
        for (const Slot& s : old)
            if (s.id != none) {
                std::size_t k = place(s.key);
                while (slots_[k].id != none) k = (k + 1) & (slots_.size() - 1);
                slots_[k] = s;
            }
    }
    std::vector<Slot> slots_;
    std::uint32_t count_ = 0;
};

/// Ids of the combinations of all composites: pair after pair, each link a 64-bit key.
class CellIds {
public:
    explicit CellIds(std::size_t composites) : links_(composites - 1) { cells.composites = composites; }

    /// id(c): id of the row in composite c.
    template <class Id>
    std::uint32_t give(Id&& id) {
        std::uint32_t cell = id(0);
        for (std::size_t c = 1; c < cells.composites; ++c) cell = links_[c - 1].give(std::uint64_t{cell} << 16 | id(c));
        if (cell == static_cast<std::uint32_t>(cells.size()))
            for (std::size_t c = 0; c < cells.composites; ++c) cells.ids.push_back(id(c));
        return cell;
    }
    Cells cells;

private:
    std::vector<KeyIds> links_;
};

/// The rows of one chunk. Of the rows with entries: how many, and which.
struct Chunk {
    Index first = 0, rows = 0;
    std::vector<std::uint16_t> narrow;  // cell of a row; wide if some cell is beyond 65,535
    std::vector<std::uint32_t> wide;
    std::vector<std::uint64_t> any;     // per block
    std::vector<std::uint8_t> list8;    // k, then k entries
    std::vector<std::uint16_t> list16;  // the same, where entries or k are beyond 255
    std::vector<std::uint32_t> absorbed;
    struct Plain {
        Index row = 0;
        std::vector<Entry> entries;
    };
    std::vector<Plain> plain;  // rows with a count above 1, ascending
    std::size_t worker = 0;
};

}  // namespace

struct Encoded::Data {
    std::shared_ptr<const data::Design> design;
    Plan plan;
    std::unique_ptr<Ids> ids;
    Cells cells;
    std::vector<Chunk> chunks;
    Index rows = 0, entries = 0;
    std::size_t bytes = 0;
    bool narrow_lists = true;
};

const data::Design& Encoded::design() const { return *data_->design; }
Index Encoded::rows() const { return data_->rows; }
Index Encoded::cells() const { return data_->cells.size(); }
Index Encoded::entries() const { return data_->entries; }
std::size_t Encoded::bytes_used() const { return data_->bytes; }
Work Encoded::work() const {
    return {rows() > 0 ? static_cast<double>(entries()) / static_cast<double>(rows()) : 0.0, cells()};
}

namespace {

struct EncodeWorker {
    std::size_t number;
    Ids ids;
    CellIds cells;
    ClassReader reader;
    Classes in;
    Ahead ahead;
    Index entries = 0;

    EncodeWorker(std::size_t which, const Plan& plan, const data::Rows& rows, Index n)
        : number{which}, ids{plan}, cells{plan.composites.size()}, reader{plan, rows}, ahead{n} {
        ahead.criteria(rows);
    }
};

template <class List>
void encode_block(const data::Design& design, const data::Rows& rows, Index first, Index n, EncodeWorker& w, List& list,
                  Chunk& chunk) {
    w.ahead.fetch(first);
    w.reader.read(first, n, w.ids, w.in);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const std::uint32_t cell = w.cells.give([&](std::size_t c) { return w.in.id[c][i]; });
        if (chunk.wide.empty() && cell <= 0xFFFF) {
            chunk.narrow.push_back(static_cast<std::uint16_t>(cell));
        } else {
            if (chunk.wide.empty()) chunk.wide.assign(chunk.narrow.begin(), chunk.narrow.end());
            chunk.narrow.clear();
            chunk.wide.push_back(cell);
        }
    }
    chunk.any.push_back(w.in.any & ~w.in.plain);
    for (std::uint64_t bits = w.in.any; bits != 0; bits &= bits - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(bits));
        if ((w.in.plain >> i & 1) != 0) {
            Index absorbed = -1;
            chunk.plain.push_back({first + static_cast<Index>(i), {}});
            read_entries(design, rows, first + static_cast<Index>(i), chunk.plain.back().entries, absorbed);
            continue;
        }
        const std::uint16_t* entries = w.in.list.data() + static_cast<Index>(i) * w.reader.stride();
        using E = typename List::value_type;
        list.push_back(static_cast<E>(w.in.count[i]));
        for (std::uint16_t a = 0; a < w.in.count[i]; ++a) list.push_back(static_cast<E>(entries[a]));
        w.entries += w.in.count[i];
    }
    if (!w.in.absorbed.empty() && design.absorbed_classes() > 0)
        chunk.absorbed.insert(chunk.absorbed.end(), w.in.absorbed.begin(), w.in.absorbed.begin() + n);
}

/// Cells of one worker under their number in the whole.
void renumber(Chunk& chunk, const std::vector<std::uint32_t>& number, bool narrow) {
    if (narrow) {
        for (std::uint16_t& cell : chunk.narrow) cell = static_cast<std::uint16_t>(number[cell]);
        for (const std::uint32_t cell : chunk.wide) chunk.narrow.push_back(static_cast<std::uint16_t>(number[cell]));
        chunk.wide = {};
    } else {
        chunk.wide.insert(chunk.wide.begin(), chunk.narrow.begin(), chunk.narrow.end());
        for (std::uint32_t& cell : chunk.wide) cell = number[cell];
        chunk.narrow = {};
    }
}

data::Rows criteria_only(const data::Rows& rows) {
    data::Rows only;
    only.criteria = rows.criteria;
    return only;
}

Index length(const data::Rows& rows) {
    if (rows.criteria.empty()) return rows.size();
    if (const auto* codes = std::get_if<CodeView>(&rows.criteria[0])) return size(*codes);
    if (const auto* mask = std::get_if<std::span<const std::uint64_t>>(&rows.criteria[0]))
        return static_cast<Index>(mask->size());
    const auto& columns = std::get<std::vector<CodeView>>(rows.criteria[0]);
    return columns.empty() ? 0 : size(columns[0]);
}

}  // namespace

Encoded encode(const data::Design& design, const data::Rows& given, const Run& run, const Grid& grid) {
    const Index n = length(given);
    data::Rows rows = criteria_only(given);
    if (grid.chunk < 1) throw DomainError{{{here(), "rows of a chunk", "at least 1", std::to_string(grid.chunk)}}};
    data::check_criteria(design, rows, n);

    auto data = std::make_shared<Encoded::Data>();
    data->design = std::make_shared<const data::Design>(design);
    data->plan = make_plan(data->design, rows, n);
    const Plan& plan = data->plan;
    data->rows = n;
    data->narrow_lists = plan.all_entries <= 256 && plan.most_a_record <= 255;
    const Index chunks = (n + grid.chunk - 1) / grid.chunk;
    data->chunks.resize(static_cast<std::size_t>(chunks));
    Pool<EncodeWorker> pool;
    std::atomic<std::size_t> workers{0};
    try {
        for_each_chunk(run, chunks, [&](Index k) {
            auto worker = pool.take([&] { return std::make_unique<EncodeWorker>(workers++, plan, rows, n); });
            Chunk chunk;
            chunk.first = k * grid.chunk;
            chunk.rows = std::min(n, chunk.first + grid.chunk) - chunk.first;
            chunk.worker = worker->number;
            chunk.narrow.reserve(static_cast<std::size_t>(chunk.rows));
            for (Index i = 0; i < chunk.rows; i += block_rows) {
                const Index here_rows = std::min(block_rows, chunk.rows - i);
                if (data->narrow_lists)
                    encode_block(design, rows, chunk.first + i, here_rows, *worker, chunk.list8, chunk);
                else encode_block(design, rows, chunk.first + i, here_rows, *worker, chunk.list16, chunk);
            }
            chunk.list8.shrink_to_fit();
            chunk.list16.shrink_to_fit();
            data->chunks[static_cast<std::size_t>(k)] = std::move(chunk);
            pool.give(std::move(worker));
        });
    } catch (const BadRow&) {
        data::check_classes(design, rows, n);
        throw;
    }

    data->ids = std::make_unique<Ids>(plan);
    CellIds all{plan.composites.size()};
    std::vector<std::vector<std::uint32_t>> number(workers);
    for (const auto& worker : pool.all()) {
        const Cells& cells = worker->cells.cells;
        for (Index cell = 0; cell < cells.size(); ++cell)
            number[worker->number].push_back(all.give([&](std::size_t c) {
                const std::uint16_t id = cells.ids[static_cast<std::size_t>(cell) * cells.composites + c];
                return data->ids->give(c, worker->ids.composite[c].keys[id]);
            }));
        data->entries += worker->entries;
    }
    data->cells = std::move(all.cells);
    const bool narrow = data->cells.size() <= 65'536;
    Run quiet{.threads = run.threads, .stop = run.stop};
    for_each_chunk(quiet, chunks, [&](Index k) {
        Chunk& chunk = data->chunks[static_cast<std::size_t>(k)];
        renumber(chunk, number[chunk.worker], narrow);
    });
    for (const Chunk& c : data->chunks) {
        data->bytes += sizeof(Chunk) + 2 * c.narrow.capacity() + 4 * c.wide.capacity() + 8 * c.any.capacity() +
                       c.list8.capacity() + 2 * c.list16.capacity() + 4 * c.absorbed.capacity();
        for (const Chunk::Plain& p : c.plain) {
            data->bytes += sizeof(p) + sizeof(Entry) * p.entries.capacity();
            data->entries += static_cast<Index>(p.entries.size());
        }
    }
    data->bytes += 2 * data->cells.ids.capacity();
    return Encoded{std::move(data)};
}

namespace {

struct EncodedWorker {
    Tables tables;
    ValueReader values;
    Values value;
    Ahead ahead;

    EncodedWorker(const Encoded::Data& data, const data::Rows& rows, const Pass& pass)
        : values{*data.design, rows, data.plan.common_days}, ahead{data.rows} {
        std::vector<Index> cap;
        for (const Ids::One& one : data.ids->composite) cap.push_back(static_cast<Index>(one.keys.size()));
        tables.shape(data.plan, pass.slabs, static_cast<Index>(data.design->categories.size()), pass.dense_absorbed,
                     &data.cells, std::move(cap));
        ahead.values(rows);
    }
};

/// Rows that the tables cannot hold, one by one, with every sum checked.
void add_plain(const data::Rows& rows, Index row, const std::vector<Entry>& entries, Index absorbed, Result& result) {
    const auto i = static_cast<std::size_t>(row);
    std::vector<Cents> cents;
    for (const CentsColumn& column : rows.cents)
        cents.push_back(std::visit([&](auto c) { return static_cast<Cents>(c[i]); }, column));
    const Days days = std::visit([&](auto d) { return static_cast<Days>(d[i]); }, rows.days);
    const Index stratum =
        rows.stratum ? std::visit([&](auto s) { return static_cast<Index>(s[i]); }, *rows.stratum) : 0;
    std::unique_lock<std::mutex> second;
    if (absorbed >= 0 && !result.absorbed_locks.empty())
        second =
            std::unique_lock{result.absorbed_locks[static_cast<std::size_t>(absorbed) % result.absorbed_locks.size()]};
    const std::scoped_lock guard{result.lock};
    result.moments.add(entries, days, std::span<const Cents>{cents},
                       rows.represents ? std::int64_t{(*rows.represents)[i]} : 1, 1, stratum, absorbed);
}

template <int Categories, class Cell, class E>
void add_chunk(const Encoded::Data& data, const Chunk& chunk, const std::vector<Cell>& cells, const E* next,
               const data::Rows& rows, const Pass& pass, EncodedWorker& w, Result& result) {
    const Plan& plan = data.plan;
    const std::size_t composites = data.cells.composites;
    auto plain = chunk.plain.begin();
    for (Index from = 0; from < chunk.rows; from += block_rows) {
        const Index n = std::min(block_rows, chunk.rows - from), first = chunk.first + from;
        w.ahead.fetch(first);
        w.values.read(first, n, pass.first_stratum, pass.slabs, w.value);
        const bool fits = make_room(plan, *data.ids, w.values, w.tables, pass, result);
        w.value.plain = fits ? 0 : ~std::uint64_t{0};
        std::uint64_t counted = 0;
        auto counts = plain;
        for (; plain != chunk.plain.end() && plain->row < first + n; ++plain)
            counted |= std::uint64_t{1} << (plain->row - first);
        w.value.plain |= counted;
        const std::uint64_t fast = w.value.active & ~w.value.plain,
                            any = chunk.any[static_cast<std::size_t>(from / block_rows)];
        w.values.squares(w.value, w.tables);
        Adder<Categories> adder{plan, w.tables};
        const Cell* cell = cells.data() + from;
        adder.cells(w.value, fast, n, [=](std::size_t i) { return static_cast<Index>(cell[i]); });
        const std::uint16_t* ids = data.cells.ids.data();
        const auto id_of = [&](std::size_t c, std::size_t i) { return ids[std::size_t{cell[i]} * composites + c]; };
        const std::uint32_t* absorbed = plan.absorbed >= 0 ? chunk.absorbed.data() + from : nullptr;
        const E* block = next;
        add_block<Categories>(
            plan, *data.ids, w.tables, adder, w.value, fast, absorbed != nullptr ? first_bits(n) : any,
            [&](std::size_t i) {
                if ((any >> i & 1) == 0) return std::pair{next, Index{0}};
                const auto k = static_cast<Index>(*next);
                const E* list = next + 1;
                next = list + k;
                return std::pair{list, k};
            },
            id_of, absorbed, pass, result);
        std::uint64_t slow = w.value.active & w.value.plain;
        if (slow == 0) continue;
        std::vector<std::int32_t> columns;
        std::vector<Entry> entries;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            const E* list = block;
            Index k = 0;
            if ((any >> i & 1) != 0) {
                k = static_cast<Index>(*block);
                list = block + 1;
                block = list + k;
            }
            const bool count = (counted >> i & 1) != 0;
            if ((slow >> i & 1) != 0) {
                if (count) {
                    entries = counts->entries;
                } else {
                    columns_of(
                        plan, *data.ids, list, k, [&](std::size_t c) { return static_cast<Index>(id_of(c, i)); },
                        columns);
                    std::sort(columns.begin(), columns.end());
                    entries.clear();
                    for (const std::int32_t x : columns) entries.push_back({x, 1});
                }
                add_plain(rows, first + static_cast<Index>(i), entries,
                          absorbed != nullptr ? static_cast<Index>(absorbed[i]) : -1, result);
            }
            if (count) ++counts;
        }
    }
}

template <int Categories>
void one_pass(const Encoded::Data& data, const data::Rows& rows, const Pass& pass, const Run& run, Result& result) {
    Pool<EncodedWorker> pool;
    for_each_chunk(run, static_cast<Index>(data.chunks.size()), [&](Index k) {
        const Chunk& chunk = data.chunks[static_cast<std::size_t>(k)];
        auto worker = pool.take([&] { return std::make_unique<EncodedWorker>(data, rows, pass); });
        const auto with_cells = [&](const auto& cells) {
            if (data.narrow_lists)
                add_chunk<Categories>(data, chunk, cells, chunk.list8.data(), rows, pass, *worker, result);
            else add_chunk<Categories>(data, chunk, cells, chunk.list16.data(), rows, pass, *worker, result);
        };
        if (chunk.wide.empty()) with_cells(chunk.narrow);
        else with_cells(chunk.wide);
        pool.give(std::move(worker));
    });
    Run quiet{.threads = run.threads, .stop = run.stop};
    for_each_chunk(quiet, static_cast<Index>(pool.all().size()), [&](Index k) {
        flush(data.plan, *data.ids, pool.all()[static_cast<std::size_t>(k)]->tables, pass, result);
    });
}

}  // namespace

Moments accumulate(const Encoded& encoded, const DaysColumn& days, const std::vector<CentsColumn>& cents,
                   const std::optional<std::span<const std::uint16_t>>& represents,
                   const std::optional<CodeView>& stratum, const Run& run) {
    const Encoded::Data& data = encoded.data();
    data::Design values = *data.design;
    values.criteria.clear();
    data::Rows rows;
    rows.days = days;
    rows.cents = cents;
    rows.represents = represents;
    rows.stratum = stratum;
    data::check_shape(values, rows);
    if (rows.size() != data.rows)
        throw ShapeError{
            {{here(), "length of days", std::to_string(data.rows) + " as encoded", std::to_string(rows.size())}}};
    Result result;
    result.moments = Moments{*data.design};
    std::vector<Index> cap;
    for (const Ids::One& one : data.ids->composite) cap.push_back(static_cast<Index>(one.keys.size()));
    try {
        for (const Pass& pass : passes(data.plan, cap, data.cells.size())) {
            if (pass.sparse_absorbed && result.absorbed_locks.empty())
                result.absorbed_locks = std::vector<std::mutex>(1024);
            if (data.design->categories.size() == 1) one_pass<1>(data, rows, pass, run, result);
            else one_pass<-1>(data, rows, pass, run, result);
        }
    } catch (const BadRow&) {
        data::check(values, rows);  // names every problem
        throw;
    }
    if (result.wrapped) beyond_64_bits();
    return std::move(result.moments);
}

}  // namespace anderhalf::estimation
