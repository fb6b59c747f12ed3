#include <anderhalf/estimation/moments.hpp>

#include <algorithm>
#include <cmath>

namespace anderhalf::estimation {

namespace {

data::Design unnamed() { return {}; }

}  // namespace

Moments::Moments(Index columns) : design_{std::make_shared<const data::Design>(unnamed())}, columns_{columns} {
    allocate();
}

Moments::Moments(data::Design design) {
    data::check(design);
    design_ = std::make_shared<const data::Design>(std::move(design));
    columns_ = design_->columns();
    strata_ = static_cast<Index>(design_->strata.size());
    categories_ = static_cast<Index>(design_->categories.size());
    absorbed_ = design_->absorbed_classes();
    days_max_ = design_->days_max;
    allocate();
}

void Moments::allocate() {
    xx_.assign(at(strata_ * columns_ * columns_), 0);
    xd_.assign(at(strata_ * columns_), 0);
    xn_ = xd_;
    xc_.assign(at(strata_ * categories_ * columns_), 0);
    days_.assign(at(strata_), 0);
    rows_ = days_;
    cents_.assign(at(strata_ * categories_), 0);
    squares_.assign(at(strata_ * (categories_ * (categories_ + 1) / 2) * (days_max_ + 1)), 0);
    absorbed_days_.assign(at(strata_ * absorbed_), 0);
    absorbed_rows_ = absorbed_days_;
    absorbed_cents_.assign(at(strata_ * categories_ * absorbed_), 0);
    absorbed_cross_.assign(at(strata_ * absorbed_), {});
}

void Moments::beyond() {
    throw DomainError{{{"moments", "a sum of days or cents beyond 64 bits (squares: 128 bits)",
                        "fewer records, or smaller counts and costs", ""}}};
}

bool Moments::plus_cross(Index row, std::int32_t column, std::int64_t days) {
    if (days == 0) return false;
    std::vector<Cross>& list = absorbed_cross_[at(row)];
    const auto found =
        std::lower_bound(list.begin(), list.end(), column, [](const Cross& c, std::int32_t k) { return c.column < k; });
    if (found == list.end() || found->column != column) {
        list.insert(found, {column, days});
        return false;
    }
    const bool wrapped = plus(found->days, days);
    if (found->days == 0) list.erase(found);
    return wrapped;
}

bool Moments::merge(const Moments& other, std::int64_t sign) {
    bool wrapped = false;
    const auto merge_all = [&](auto& mine, const auto& theirs) {
        for (std::size_t k = 0; k < mine.size(); ++k)
            wrapped |= sign > 0 ? __builtin_add_overflow(mine[k], theirs[k], &mine[k])
                                : __builtin_sub_overflow(mine[k], theirs[k], &mine[k]);
    };
    merge_all(xx_, other.xx_);
    merge_all(xd_, other.xd_);
    merge_all(xn_, other.xn_);
    merge_all(xc_, other.xc_);
    merge_all(days_, other.days_);
    merge_all(rows_, other.rows_);
    merge_all(cents_, other.cents_);
    merge_all(squares_, other.squares_);
    merge_all(absorbed_days_, other.absorbed_days_);
    merge_all(absorbed_rows_, other.absorbed_rows_);
    merge_all(absorbed_cents_, other.absorbed_cents_);
    std::vector<Cross> both;
    for (std::size_t row = 0; row < absorbed_cross_.size(); ++row) {
        std::vector<Cross>& mine = absorbed_cross_[row];
        const std::vector<Cross>& theirs = other.absorbed_cross_[row];
        if (theirs.empty()) continue;
        both.clear();
        std::size_t a = 0, b = 0;
        while (a < mine.size() || b < theirs.size()) {
            Cross next{};
            if (b == theirs.size() || (a < mine.size() && mine[a].column < theirs[b].column)) {
                next = mine[a++];
            } else {
                next.column = theirs[b].column;
                if (a < mine.size() && mine[a].column == next.column) next.days = mine[a++].days;
                wrapped |= sign > 0 ? __builtin_add_overflow(next.days, theirs[b].days, &next.days)
                                    : __builtin_sub_overflow(next.days, theirs[b].days, &next.days);
                ++b;
            }
            if (next.days != 0) both.push_back(next);
        }
        mine.assign(both.begin(), both.end());
    }
    return wrapped;
}

void Moments::merge_checked(const Moments& other, std::int64_t sign) {
    if (columns_ != other.columns_)
        throw ShapeError{{{"moments", "moments of different models", std::to_string(columns_) + " columns",
                           std::to_string(other.columns_)}}};
    if (design_ != other.design_ && !(*design_ == *other.design_))
        throw ShapeError{{{"moments", "moments of different models",
                           "the same criteria, classes, categories, strata and days", "others"}}};
    if (&other == this) return merge_checked(Moments{other}, sign);
    if (merge(other, sign)) {
        static_cast<void>(merge(other, -sign));  // integers wrap back exactly
        beyond();
    }
}

Moments& Moments::operator+=(const Moments& other) {
    merge_checked(other, 1);
    return *this;
}

Moments& Moments::operator-=(const Moments& other) {
    merge_checked(other, -1);
    return *this;
}

bool operator==(const Moments& a, const Moments& b) {
    return a.columns_ == b.columns_ && (a.design_ == b.design_ || *a.design_ == *b.design_) && a.rows_ == b.rows_ &&
           a.days_ == b.days_ && a.cents_ == b.cents_ && a.xd_ == b.xd_ && a.xn_ == b.xn_ && a.xc_ == b.xc_ &&
           a.xx_ == b.xx_ && a.squares_ == b.squares_ && a.absorbed_days_ == b.absorbed_days_ &&
           a.absorbed_rows_ == b.absorbed_rows_ && a.absorbed_cents_ == b.absorbed_cents_ &&
           a.absorbed_cross_ == b.absorbed_cross_;
}

}  // namespace anderhalf::estimation
