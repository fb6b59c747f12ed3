#include <anderhalf/estimation/moments.hpp>

#include <bit>
#include <cstring>

// magic (8 bytes), version (u32), bytes of the body (u64), body, FNV-1a of all that stands before (u64). The body is the
// design with its names, then the sums in the order of the members of Moments; of xx the upper triangle, of the absorbed
// block the cross terms in ascending order. Integers are little-endian; the same moments give the same bytes.

namespace anderhalf::estimation {

namespace {

constexpr std::string_view magic{"AHMOMENT", 8};
constexpr std::uint32_t version = 1;
constexpr std::size_t head = 8 + 4 + 8, tail = 8;

std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
    return hash;
}

[[noreturn]] void refuse(const std::string& what, const std::string& expected, const std::string& got) {
    throw DomainError{{{"from_bytes", what, expected, got}}};
}

class Writer {
public:
    template <class T>
    void number(T value) {
        for (std::size_t k = 0; k < sizeof(T); ++k)
            bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * k) & 0xFF));
    }
    void wide(Int128 value) {
        number(static_cast<std::uint64_t>(value));
        number(static_cast<std::uint64_t>(value >> 64));
    }
    void text(const std::string& value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes += value;
    }
    void texts(const std::vector<std::string>& values) {
        number(static_cast<std::uint32_t>(values.size()));
        for (const std::string& value : values) text(value);
    }
    void numbers(const std::vector<std::int64_t>& values) {
        for (const std::int64_t value : values) number(value);
    }
    std::string bytes;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_{bytes} {}
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }

    template <class T>
    T number() {
        need(sizeof(T));
        std::uint64_t value = 0;
        for (std::size_t k = 0; k < sizeof(T); ++k)
            value |= std::uint64_t{static_cast<unsigned char>(bytes_[k])} << (8 * k);
        bytes_.remove_prefix(sizeof(T));
        return static_cast<T>(value);
    }
    Int128 wide() {
        const auto low = number<std::uint64_t>();
        const auto high = number<std::int64_t>();
        return (static_cast<Int128>(high) << 64) | static_cast<Int128>(low);
    }
    std::string text() {
        const auto size = number<std::uint32_t>();
        need(size);
        std::string value{bytes_.substr(0, size)};
        bytes_.remove_prefix(size);
        return value;
    }
    std::vector<std::string> texts() {
        const auto size = number<std::uint32_t>();
        need(std::size_t{size} * 4);  // before anything is set aside for them
        std::vector<std::string> values;
        for (std::uint32_t k = 0; k < size; ++k) values.push_back(text());
        return values;
    }
    void numbers(std::vector<std::int64_t>& values) {
        for (std::int64_t& value : values) value = number<std::int64_t>();
    }

private:
    void need(std::size_t size) const {
        if (bytes_.size() < size) refuse("moments", "all of their bytes", "fewer");
    }
    std::string_view bytes_;
};

}  // namespace

class Bytes {
public:
    static std::string write(const Moments& m) {
        Writer w;
        const data::Design& d = *m.design_;
        w.number(d.days_in_year);
        w.number(d.days_max);
        w.number(static_cast<std::uint32_t>(d.criteria.size()));
        for (const data::Criterion& c : d.criteria) {
            w.text(c.name);
            w.number(static_cast<std::uint8_t>(c.labels));
            w.number(static_cast<std::uint8_t>((c.none_derived ? 1 : 0) + (c.absorbed ? 2 : 0)));
            w.texts(c.classes);
        }
        w.texts(d.categories);
        w.texts(d.strata);
        w.number(static_cast<std::int64_t>(m.columns_));
        for (Index s = 0; s < m.strata_; ++s)
            for (Index j = 0; j < m.columns_; ++j)
                for (Index k = j; k < m.columns_; ++k) w.number(m.xx(j, k, s));
        for (const auto* sums : {&m.xd_, &m.xn_, &m.xc_, &m.days_, &m.rows_, &m.cents_}) w.numbers(*sums);
        for (const Int128 square : m.squares_) w.wide(square);
        for (const auto* sums : {&m.absorbed_days_, &m.absorbed_rows_, &m.absorbed_cents_}) w.numbers(*sums);
        for (const std::vector<Cross>& list : m.absorbed_cross_) {
            w.number(static_cast<std::uint32_t>(list.size()));
            for (const Cross& cross : list) {
                w.number(cross.column);
                w.number(cross.days);
            }
        }
        Writer all;
        all.bytes.reserve(head + w.bytes.size() + tail);
        all.bytes += magic;
        all.number(version);
        all.number(static_cast<std::uint64_t>(w.bytes.size()));
        all.bytes += w.bytes;
        all.number(checksum(all.bytes));
        return all.bytes;
    }

    static Moments read(std::string_view bytes) {
        if (bytes.size() < head + tail || bytes.substr(0, 8) != magic) refuse("moments", "bytes of moments", "others");
        Reader front{bytes.substr(8)};
        if (const auto found = front.number<std::uint32_t>(); found != version)
            refuse("version of the moments", std::to_string(version), std::to_string(found));
        if (front.number<std::uint64_t>() != bytes.size() - head - tail)
            refuse("moments", "all of their bytes", "others");
        if (Reader{bytes.substr(bytes.size() - tail)}.number<std::uint64_t>() !=
            checksum(bytes.substr(0, bytes.size() - tail)))
            refuse("moments", "bytes as they were written", "altered ones");

        Reader r{bytes.substr(head, bytes.size() - head - tail)};
        data::Design design;
        design.days_in_year = r.number<std::int32_t>();
        design.days_max = r.number<std::int32_t>();
        const auto criteria = r.number<std::uint32_t>();
        for (std::uint32_t k = 0; k < criteria; ++k) {
            data::Criterion c;
            c.name = r.text();
            const auto labels = r.number<std::uint8_t>(), marks = r.number<std::uint8_t>();
            if (labels > 2 || marks > 3)
                refuse("criterion " + std::to_string(k), "labels and marks that exist", "others");
            c.labels = static_cast<data::Labels>(labels);
            c.none_derived = (marks & 1) != 0;
            c.absorbed = (marks & 2) != 0;
            c.classes = r.texts();
            design.criteria.push_back(std::move(c));
        }
        design.categories = r.texts();
        design.strata = r.texts();
        const auto columns = r.number<std::int64_t>();
        try {
            data::check(design);
        } catch (const ShapeError& error) {
            throw DomainError{error.problems()};
        }
        const bool unnamed = design.criteria.empty();
        if (columns < 0 || columns > 65'536 || (!unnamed && columns != design.columns()))
            refuse("columns", std::to_string(design.columns()), std::to_string(columns));
        const bool plain = design == data::Design{};
        if (unnamed && columns > 0 && !plain) refuse("columns", "0 without criteria", std::to_string(columns));

        const auto p = static_cast<std::uint64_t>(columns), s = static_cast<std::uint64_t>(design.strata.size()),
                   g = static_cast<std::uint64_t>(design.categories.size()),
                   a = static_cast<std::uint64_t>(design.absorbed_classes()),
                   days = static_cast<std::uint64_t>(design.days_max) + 1;
        const std::uint64_t words =
            s * (p * (p + 1) / 2 + 2 * p + g * p + 2 + g + 2 * (g * (g + 1) / 2) * days + (2 + g) * a);
        if (words > r.left() / 8 || r.left() - 8 * words < 4 * s * a) refuse("moments", "all of their sums", "fewer");

        Moments m = plain ? Moments{static_cast<Index>(columns)} : Moments{std::move(design)};
        for (Index t = 0; t < m.strata_; ++t)
            for (Index j = 0; j < m.columns_; ++j)
                for (Index k = j; k < m.columns_; ++k)
                    m.xx_[Moments::at((t * m.columns_ + j) * m.columns_ + k)] = r.number<std::int64_t>();
        for (auto* sums : {&m.xd_, &m.xn_, &m.xc_, &m.days_, &m.rows_, &m.cents_}) r.numbers(*sums);
        for (Int128& square : m.squares_) square = r.wide();
        for (auto* sums : {&m.absorbed_days_, &m.absorbed_rows_, &m.absorbed_cents_}) r.numbers(*sums);
        for (std::vector<Cross>& list : m.absorbed_cross_) {
            const auto size = r.number<std::uint32_t>();
            if (size > r.left() / 12) refuse("absorbed block", "all of its terms", "fewer");
            list.reserve(size);
            for (std::uint32_t k = 0; k < size; ++k) {
                Cross cross;
                cross.column = r.number<std::int32_t>();
                cross.days = r.number<std::int64_t>();
                if (cross.column < (list.empty() ? 0 : list.back().column + 1) || cross.column >= m.columns_ ||
                    cross.days == 0)
                    refuse("absorbed block", "ascending columns with days", "others");
                list.push_back(cross);
            }
        }
        if (r.left() != 0) refuse("moments", "their bytes alone", "more");
        return m;
    }
};

std::string Moments::bytes() const { return Bytes::write(*this); }

Moments Moments::from_bytes(std::string_view bytes) { return Bytes::read(bytes); }

}  // namespace anderhalf::estimation
