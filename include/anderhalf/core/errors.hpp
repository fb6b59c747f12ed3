#pragma once
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace anderhalf {

/// One thing that is wrong with an input: where, what, what was expected and what came instead.
struct Problem {
    std::string where;
    std::string what;
    std::string expected;
    std::string got;
};

/// Base of all errors. Carries every problem that was found, and reads as sentences.
class Error : public std::runtime_error {
public:
    explicit Error(std::vector<Problem> problems)
        : std::runtime_error{sentences(problems)}, problems_{std::move(problems)} {}
    [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

private:
    static std::string sentences(const std::vector<Problem>& problems) {
        std::string text;
        for (const Problem& p : problems) {
            if (!text.empty()) text += '\n';
            text += p.where + ": " + p.what;
            if (!p.expected.empty()) text += ", expected " + p.expected;
            if (!p.got.empty()) text += ", got " + p.got;
        }
        return text;
    }
    std::vector<Problem> problems_;
};

class ShapeError : public Error {
    using Error::Error;
};  ///< sizes that do not fit together
class DomainError : public Error {
    using Error::Error;
};  ///< a value outside its range
class NotFoundError : public Error {
    using Error::Error;
};  ///< a name or code that does not exist
class ParameterError : public Error {
    using Error::Error;
};  ///< a parameter set that cannot be used

/// Name of the calling function, for Problem::where.
[[nodiscard]] inline std::string here(const std::source_location& at = std::source_location::current()) {
    const std::string name = at.function_name();
    const auto end = name.find('(');
    const auto begin = name.rfind("::", end);
    return name.substr(begin == std::string::npos ? name.rfind(' ', end) + 1 : begin + 2,
                       end - (begin == std::string::npos ? name.rfind(' ', end) + 1 : begin + 2));
}

/// Gathers problems and throws them together.
template <class ErrorType>
class Problems {
public:
    void add(std::string where, std::string what, std::string expected, std::string got) {
        list_.push_back({std::move(where), std::move(what), std::move(expected), std::move(got)});
    }
    void require(bool holds, std::string where, std::string what, std::string expected, std::string got) {
        if (!holds) add(std::move(where), std::move(what), std::move(expected), std::move(got));
    }
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    void throw_if_any() const {
        if (!list_.empty()) throw ErrorType{list_};
    }

private:
    std::vector<Problem> list_;
};

/// Counts the rows of a column that break a rule and keeps the first five row numbers, never a value.
class BadRows {
public:
    void note(std::ptrdiff_t row) {
        if (count_ < 5) first_ += (count_ == 0 ? "" : ", ") + std::to_string(row);
        ++count_;
    }
    [[nodiscard]] std::ptrdiff_t count() const noexcept { return count_; }
    template <class ErrorType>
    void report(Problems<ErrorType>& problems, std::string where, std::string what, std::string expected) const {
        if (count_ > 0)
            problems.add(std::move(where), std::move(what), std::move(expected),
                         std::to_string(count_) + (count_ == 1 ? " row" : " rows") + " (first: " + first_ + ")");
    }

private:
    std::ptrdiff_t count_ = 0;
    std::string first_;
};

}  // namespace anderhalf
