#include <anderhalf/estimation/accumulate.hpp>
#include <anderhalf/estimation/plain.hpp>

namespace anderhalf::estimation {

struct Encoded::Data {
    data::Design design;
    std::vector<std::vector<Entry>> entries;
    std::vector<Index> absorbed;
    Index total = 0;
};

const data::Design& Encoded::design() const { return data_->design; }
Index Encoded::rows() const { return static_cast<Index>(data_->entries.size()); }
Index Encoded::cells() const { return 1; }
Index Encoded::entries() const { return data_->total; }
std::size_t Encoded::bytes_used() const { return data_->entries.size() * sizeof(Entry); }
Work Encoded::work() const {
    return {rows() > 0 ? static_cast<double>(entries()) / static_cast<double>(rows()) : 0.0, cells()};
}
Encoded encode(const data::Design& design, const data::Rows& rows, const Run&, const Grid&) {
    data::check(design, rows);
    auto data = std::make_shared<Encoded::Data>();
    data->design = design;
    for (Index i = 0; i < rows.size(); ++i) {
        Index absorbed = -1;
        std::vector<Entry> entries;
        read_entries(design, rows, i, entries, absorbed);
        data->total += static_cast<Index>(entries.size());
        data->entries.push_back(std::move(entries));
        data->absorbed.push_back(absorbed);
    }
    return Encoded{std::move(data)};
}

Moments accumulate(const Encoded& encoded, const DaysColumn& days, const std::vector<CentsColumn>& cents,
                   const std::optional<std::span<const std::uint16_t>>& represents,
                   const std::optional<CodeView>& stratum, const Run&, const Grid&) {
    data::Design rest = encoded.design();
    rest.criteria.clear();
    data::check(rest, {{}, days, cents, represents, stratum});
    Moments moments{encoded.design()};
    std::vector<Cents> cost(cents.size());
    for (Index i = 0; i < encoded.rows(); ++i) {
        const auto k = static_cast<std::size_t>(i);
        for (std::size_t g = 0; g < cost.size(); ++g)
            cost[g] = std::visit([&](auto c) { return static_cast<Cents>(c[k]); }, cents[g]);
        moments.add(encoded.data().entries[k], std::visit([&](auto d) { return static_cast<Days>(d[k]); }, days), cost,
                    represents ? std::int64_t{(*represents)[k]} : 1, 1,
                    stratum ? std::visit([&](auto s) { return static_cast<Index>(s[k]); }, *stratum) : 0,
                    encoded.data().absorbed[k]);
    }
    return moments;
}

}  // namespace anderhalf::estimation
