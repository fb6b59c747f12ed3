#include "module.hpp"

#include <anderhalf/core/errors.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace anderhalf;

namespace {

// The Arrow C data and C stream interfaces: a stable binary layout between programs, no library needed.
// @source https://arrow.apache.org/docs/format/CDataInterface.html, .../CStreamInterface.html
struct Schema {
    const char* format;
    const char* name;
    const char* metadata;
    std::int64_t flags;
    std::int64_t n_children;
    Schema** children;
    Schema* dictionary;
    void (*release)(Schema*);
    void* private_data;
};

struct Array {
    std::int64_t length;
    std::int64_t null_count;
    std::int64_t offset;
    std::int64_t n_buffers;
    std::int64_t n_children;
    const void** buffers;
    Array** children;
    Array* dictionary;
    void (*release)(Array*);
    void* private_data;
};

struct ArrayStream {
    int (*get_schema)(ArrayStream*, Schema*);
    int (*get_next)(ArrayStream*, Array*);
    const char* (*get_last_error)(ArrayStream*);
    void (*release)(ArrayStream*);
    void* private_data;
};

/// Holds one of the three and gives it back to its producer at the end.
template <class T>
class Held {
public:
    Held() = default;
    explicit Held(T& given) : value_{std::exchange(given, T{})} {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
        if (value_.release != nullptr) value_.release(&value_);
    }
    [[nodiscard]] T& get() { return value_; }
    [[nodiscard]] const T& get() const { return value_; }

private:
    T value_{};
};

struct Column {
    py::array values;
    std::int64_t null_count = 0;
    std::vector<std::int64_t> null_rows;  ///< the first five, counted within the batch
    std::optional<std::vector<std::string>> labels;
};

[[nodiscard]] bool is_set(const void* bits, std::int64_t k) {
    return (static_cast<const std::uint8_t*>(bits)[k >> 3] >> (k & 7) & 1) != 0;
}

[[nodiscard]] py::dtype dtype_of(std::string_view format) {
    if (format.size() != 1) return {};
    switch (format[0]) {
        case 'c': return py::dtype::of<std::int8_t>();
        case 'C': return py::dtype::of<std::uint8_t>();
        case 's': return py::dtype::of<std::int16_t>();
        case 'S': return py::dtype::of<std::uint16_t>();
        case 'i': return py::dtype::of<std::int32_t>();
        case 'I': return py::dtype::of<std::uint32_t>();
        case 'l': return py::dtype::of<std::int64_t>();
        case 'L': return py::dtype::of<std::uint64_t>();
        case 'f': return py::dtype::of<float>();
        case 'g': return py::dtype::of<double>();
        default: return py::dtype{};
    }
}

[[nodiscard]] bool is_text(std::string_view format) { return format == "u" || format == "U" || format == "vu"; }

/// The words for a format that is refused.
[[nodiscard]] std::string kind_of(std::string_view format) {
    if (format.starts_with("+s")) return "a struct column";
    if (format.starts_with("+m")) return "a map column";
    if (format.starts_with("+u")) return "a union column";
    if (format.starts_with("+r")) return "a run-end encoded column";
    if (format.starts_with("+")) return "a list column";
    if (format.starts_with("t")) return "a column of dates, times or durations";
    if (format.starts_with("d")) return "a decimal column";
    if (format.starts_with("z") || format.starts_with("Z") || format.starts_with("w") || format == "vz")
        return "a binary column";
    if (format == "n") return "a column of nulls";
    return "a column of Arrow format '" + std::string{format} + "'";
}

template <class Offset>
[[nodiscard]] std::string_view text_at(const Array& a, std::int64_t k) {
    const auto* offsets = static_cast<const Offset*>(a.buffers[1]);
    const auto from = offsets[k], to = offsets[k + 1];
    return {static_cast<const char*>(a.buffers[2]) + from, static_cast<std::size_t>(to - from)};
}

[[nodiscard]] std::string_view view_at(const Array& a, std::int64_t k) {
    const char* view = static_cast<const char*>(a.buffers[1]) + 16 * k;
    std::array<std::int32_t, 4> word{};  // length, prefix, buffer, offset; 12 bytes or fewer stand in the view itself
    std::memcpy(word.data(), view, 16);
    const auto size = static_cast<std::size_t>(word[0]);
    if (size <= 12) return {view + 4, size};
    return {static_cast<const char*>(a.buffers[2 + word[2]]) + word[3], size};
}

[[nodiscard]] std::string_view text_at(const Array& a, std::string_view format, std::int64_t k) {
    if (format == "vu") return view_at(a, k);
    return format == "U" ? text_at<std::int64_t>(a, k) : text_at<std::int32_t>(a, k);
}

class Batch {
public:
    Batch(std::shared_ptr<Held<Schema>> schema, Array& array) : schema_{std::move(schema)}, array_{array} {}

    [[nodiscard]] std::int64_t rows() const { return array_.get().length; }

    /// One column of the batch; its values share memory with the batch, which `self` keeps alive.
    [[nodiscard]] Column column(const std::string& name, const py::object& self) const {
        const Schema& root = schema_->get();
        for (std::int64_t k = 0; k < root.n_children; ++k)
            if (name == root.children[k]->name)
                return read(*root.children[k], *array_.get().children[k], array_.get().offset, rows(), name, self);
        throw ShapeError{{{"column " + name, "not in the frame", "", ""}}};
    }

private:
    [[nodiscard]] static Column read(const Schema& schema, const Array& array, std::int64_t shift, std::int64_t rows,
                                     const std::string& name, const py::object& self) {
        const std::string_view format = schema.format;
        const std::int64_t begin = array.offset + shift;
        Column result;
        if (array.null_count != 0 && array.n_buffers > 0 && array.buffers[0] != nullptr)
            for (std::int64_t k = 0; k < rows; ++k)
                if (!is_set(array.buffers[0], begin + k)) {
                    ++result.null_count;
                    if (result.null_rows.size() < 5) result.null_rows.push_back(k);
                }
        if (format == "b") {
            py::array_t<std::uint8_t> values(rows);
            std::uint8_t* out = values.mutable_data();
            for (std::int64_t k = 0; k < rows; ++k) out[k] = is_set(array.buffers[1], begin + k) ? 1 : 0;
            result.values = std::move(values);
            return result;
        }
        if (is_text(format)) {
            encode(format, array, begin, rows, result);
            return result;
        }
        const py::dtype type = dtype_of(format);
        if (!type)
            throw ShapeError{{{"column " + name, "cannot be read", "whole numbers, 0/1 or labels", kind_of(format)}}};
        if (rows == 0) {
            result.values = py::array(type, py::ssize_t{0});
        } else {
            const char* data = static_cast<const char*>(array.buffers[1]) + begin * type.itemsize();
            result.values = py::array(type, {py::ssize_t{rows}}, {}, data, self);
            result.values.attr("flags").attr("writeable") = false;
        }
        if (schema.dictionary != nullptr) result.labels = dictionary(*schema.dictionary, *array.dictionary, name);
        return result;
    }

    /// Texts become codes and the distinct texts in the order met.
    static void encode(std::string_view format, const Array& array, std::int64_t begin, std::int64_t rows,
                       Column& result) {
        std::unordered_map<std::string_view, std::uint32_t> known;
        std::vector<std::string> labels;
        py::array_t<std::uint32_t> values(rows);
        std::uint32_t* out = values.mutable_data();
        const bool nulls = result.null_count > 0;
        for (std::int64_t k = 0; k < rows; ++k) {
            if (nulls && !is_set(array.buffers[0], begin + k)) {
                out[k] = 0;
                continue;
            }
            const std::string_view text = text_at(array, format, begin + k);
            const auto [found, fresh] = known.try_emplace(text, static_cast<std::uint32_t>(labels.size()));
            if (fresh) labels.emplace_back(text);
            out[k] = found->second;
        }
        result.values = std::move(values);
        result.labels = std::move(labels);
    }

    [[nodiscard]] static std::vector<std::string> dictionary(const Schema& schema, const Array& array,
                                                             const std::string& name) {
        const std::string_view format = schema.format;
        if (!is_text(format))
            throw ShapeError{{{"column " + name, "cannot be read", "labels that are texts",
                               "a dictionary over " + kind_of(format)}}};
        std::vector<std::string> labels;
        labels.reserve(static_cast<std::size_t>(array.length));
        const bool nulls = array.null_count != 0 && array.buffers[0] != nullptr;
        for (std::int64_t k = array.offset; k < array.offset + array.length; ++k) {
            if (nulls && !is_set(array.buffers[0], k))
                throw ShapeError{
                    {{"column " + name, "cannot be read", "labels that are texts", "a null among its labels"}}};
            labels.emplace_back(text_at(array, format, k));
        }
        return labels;
    }

    std::shared_ptr<Held<Schema>> schema_;
    Held<Array> array_;
};

class Stream {
public:
    explicit Stream(const py::capsule& capsule) : schema_{std::make_shared<Held<Schema>>()} {
        auto* given = static_cast<ArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
        if (given == nullptr) throw py::error_already_set{};
        if (given->release == nullptr)
            throw ShapeError{{{"frame", "its stream has been read before", "a frame or a fresh stream", ""}}};
        stream_.get() = std::exchange(*given, ArrayStream{});
        int code = 0;
        {
            const py::gil_scoped_release release;
            code = stream_.get().get_schema(&stream_.get(), &schema_->get());
        }
        check(code);
        if (std::string_view{schema_->get().format} != "+s")
            throw ShapeError{{{"frame", "cannot be read", "a table", "a column without a name"}}};
    }

    [[nodiscard]] std::vector<std::string> names() const {
        const Schema& root = schema_->get();
        std::vector<std::string> result;
        for (std::int64_t k = 0; k < root.n_children; ++k) result.emplace_back(root.children[k]->name);
        return result;
    }

    /// The next batch; nothing at the end.
    [[nodiscard]] std::unique_ptr<Batch> next() {
        Array array{};
        int code = 0;
        {
            const py::gil_scoped_release release;
            code = stream_.get().get_next(&stream_.get(), &array);
        }
        check(code);
        if (array.release == nullptr) return nullptr;
        const bool whole = array.null_count == 0 || array.n_buffers == 0 || array.buffers[0] == nullptr;
        auto batch = std::make_unique<Batch>(schema_, array);
        if (!whole) throw ShapeError{{{"frame", "cannot be read", "rows of a table", "rows that are null as a whole"}}};
        return batch;
    }

private:
    void check(int code) {
        if (code == 0) return;
        const char* text = stream_.get().get_last_error(&stream_.get());
        std::string said = text == nullptr ? "error " + std::to_string(code) : text;
        // What stands behind a quote or a digit may be a value of a person.
        said = said.substr(0, said.find_first_of("'\"0123456789\n"));
        throw DomainError{{{"frame", "its source cannot be read further", "", said}}};
    }

    std::shared_ptr<Held<Schema>> schema_;
    Held<ArrayStream> stream_;
};

}  // namespace

void bind_arrow(py::module_& m) {
    py::class_<Column>(m, "ArrowColumn")
        .def_readonly("values", &Column::values)
        .def_readonly("null_count", &Column::null_count)
        .def_readonly("null_rows", &Column::null_rows)
        .def_readonly("labels", &Column::labels);
    py::class_<Batch>(m, "ArrowBatch")
        .def_property_readonly("rows", &Batch::rows)
        .def(
            "column",
            [](const py::object& self, const std::string& name) {
                return self.cast<const Batch&>().column(name, self);
            },
            py::arg("name"));
    py::class_<Stream>(m, "ArrowStream")
        .def(py::init<const py::capsule&>(), py::arg("capsule"))
        .def_property_readonly("names", &Stream::names)
        .def("next", &Stream::next);
}
