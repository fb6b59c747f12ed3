#include "module.hpp"

#include <anderhalf/core/calendar.hpp>
#include <anderhalf/population/generate.hpp>
#include <anderhalf/scenario/simulate.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

using namespace anderhalf;
using namespace anderhalf::scenario;
using substitution::Substitution;

namespace {

/// 128 bits as a Python integer.
py::object integer(Int128 value) {
    const bool negative = value < 0;
    std::string text;
    for (Int128 rest = negative ? -value : value; rest > 0; rest /= 10)
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    if (text.empty()) text = "0";
    return py::int_(py::str(negative ? "-" + text : text));
}

py::dict statement(const Settlement& s) {
    py::dict d;
    d["variable"] = s.variable;
    d["ggz"] = s.ggz;
    d["fixed"] = s.fixed;
    d["nursing"] = s.nursing;
    d["premium_deducted"] = s.premium_deducted;
    d["expected_own_payments"] = s.expected_own_payments;
    d["administration"] = s.administration;
    d["contribution"] = s.contribution;
    d["premium"] = s.premium;
    d["own_payments"] = s.own_payments;
    d["claims"] = s.claims;
    d["programme_cost"] = s.programme_cost;
    d["premium_response"] = s.premium_response;
    d["result"] = s.result;
    d["calculation_premium"] = s.calculation_premium;
    d["variable_target"] = s.variable_target;
    d["ggz_target"] = s.ggz_target;
    d["variable_factor"] = s.variable_factor;
    d["ggz_factor"] = s.ggz_factor;
    d["variable_normative"] = integer(s.variable_normative);
    d["scaled_normative"] = integer(s.scaled_normative);
    d["variable_cost"] = s.variable_cost;
    return d;
}

py::dict totals(const YearTotals& t) {
    py::dict d;
    d["variable"] = matrix(t.variable);
    d["ggz"] = matrix(t.ggz);
    d["deductible"] = matrix(t.deductible);
    d["nursing"] = matrix(t.nursing);
    d["days"] = t.days;
    d["adult_days"] = t.adult_days;
    d["under_18"] = t.under_18;
    d["cost_variable"] = t.cost_variable;
    d["cost_ggz"] = t.cost_ggz;
    d["cost_fixed"] = t.cost_fixed;
    d["cost_nursing"] = t.cost_nursing;
    d["own_payments"] = t.own_payments;
    d["own_payments_mandatory"] = t.own_payments_mandatory;
    d["ggz_excess"] = t.ggz_excess;
    return d;
}

std::vector<std::vector<Cents>> channels(const std::vector<std::array<Cents, channel_count>>& rows) {
    std::vector<std::vector<Cents>> result;
    for (const auto& row : rows) result.emplace_back(row.begin(), row.end());
    return result;
}

/// Days, cents and micro-euro x days of the health gap, [municipality, others last][class of age and sex].
py::object gap(const Baseline& b, const std::vector<GapCell>& cells) {
    if (b.gap == nullptr) return py::none();
    const auto rows = static_cast<py::ssize_t>(b.gap->others) + 1;
    const auto classes = static_cast<py::ssize_t>(b.gap->classes);
    py::array_t<std::int64_t> days({rows, classes}), cents({rows, classes});
    py::list morbidity;
    for (std::size_t k = 0; k < cells.size(); ++k) {
        days.mutable_data()[k] = cells[k].days;
        cents.mutable_data()[k] = cells[k].cost;
        morbidity.append(integer(cells[k].morbidity));
    }
    py::dict d;
    d["days"] = days;
    d["cents"] = cents;
    d["morbidity"] = morbidity;
    return d;
}

std::vector<Cents> line_costs(const std::vector<risk::Line>& lines) {
    std::vector<Cents> result;
    for (const risk::Line& l : lines) result.push_back(l.cost);
    return result;
}

/// The classes of one share as columns: codes of a criterion with one class, -1 when none applies; a count per class other
/// than none of the others, named criterion_code.
class ClassColumns {
public:
    ClassColumns(const std::vector<risk::CriterionColumns>& layout, Index columns, bool forfait) : layout_{layout} {
        for (std::size_t c = 0; c < layout.size(); ++c)
            for (Index k = 0; k < layout[c].size; ++k) criterion_.push_back(c);
        criterion_.resize(static_cast<std::size_t>(columns), layout.size());
        single_.resize(layout.size());
        counts_.resize(static_cast<std::size_t>(columns));
        if (forfait) forfait_ = columns - 1;
    }
    void add(const risk::Row& row) {
        for (std::size_t c = 0; c < layout_.size(); ++c)
            if (layout_[c].assignment == params::Assignment::single) single_[c].push_back(-1);
        for (std::size_t k = 0; k < counts_.size(); ++k)
            if (counted(static_cast<Index>(k))) counts_[k].push_back(0);
        for (const risk::Entry& e : row.view()) {
            const std::size_t c = criterion_[e.column];
            if (counted(e.column)) counts_[e.column].back() = static_cast<std::int16_t>(e.count);
            else if (c < layout_.size() && layout_[c].assignment == params::Assignment::single)
                single_[c].back() = static_cast<std::int16_t>(e.column - layout_[c].offset + layout_[c].first_code);
        }
    }
    [[nodiscard]] py::dict columns() const {
        py::dict d;
        const auto put = [&](const std::string& name, const std::vector<std::int16_t>& v) {
            d[name.c_str()] = py::array_t<std::int16_t>(static_cast<py::ssize_t>(v.size()), v.data());
        };
        for (std::size_t c = 0; c < layout_.size(); ++c) {
            const risk::CriterionColumns& of = layout_[c];
            if (of.assignment == params::Assignment::single) put(of.name, single_[c]);
            else
                for (Index k = 0; k < of.size; ++k)
                    if (counted(of.offset + k))
                        put(of.name + "_" + std::to_string(of.first_code + k),
                            counts_[static_cast<std::size_t>(of.offset + k)]);
        }
        if (forfait_ >= 0) put("forfait", counts_[static_cast<std::size_t>(forfait_)]);
        return d;
    }

private:
    [[nodiscard]] bool counted(Index column) const {
        if (column == forfait_) return true;
        const risk::CriterionColumns& of = layout_[criterion_[static_cast<std::size_t>(column)]];
        return of.assignment != params::Assignment::single && column - of.offset + of.first_code != 0;
    }
    const std::vector<risk::CriterionColumns>& layout_;
    std::vector<std::size_t> criterion_;  ///< by column
    std::vector<std::vector<std::int16_t>> single_, counts_;
    Index forfait_ = -1;
};

/// Records of one equalization year with their cost and the classes of every share.
py::dict frame(const Baseline& b, int year) {
    b.require_everybody("frame");
    const Panel& panel = *b.panel;
    const risk::Scheme& scheme = *b.scheme;
    std::vector<risk::CostLines> cost_lines;
    std::vector<risk::SumLines> sum_lines;
    for (std::size_t y = 0; y < b.cost_years.size(); ++y) {
        cost_lines.push_back(b.cost_years[y].lines);
        sum_lines.push_back(b.nursing[y].lines);
    }
    const View view{&panel, b.scheme.get(), &b.cost_years, &cost_lines, &sum_lines, nullptr, nullptr, b.options.seed};
    ClassColumns variable{scheme.variable_layout(), scheme.variable_columns(), false};
    ClassColumns ggz{scheme.ggz_layout(), scheme.ggz_columns(), false};
    ClassColumns nursing{scheme.nursing_layout(), scheme.nursing_columns(), false};
    ClassColumns deductible{scheme.deductible_layout(), scheme.deductible_columns(), true};
    std::vector<std::uint64_t> person;
    std::vector<std::int32_t> insurer, first_day, days, represents, age, abroad, under_18;
    std::vector<Cents> variable_cents, ggz_cents, fixed_cents, nursing_cents, eligible_cents, own_payments, mandatory;
    risk::Health health;
    risk::Row row;
    const std::int32_t july = first_day_of(year + 1) - 184;
    for (Index p = 0; p < panel.persons(); ++p) {
        const auto records = panel.records_of(p, year);
        if (records.empty()) continue;
        for (const data::Record& r : records) {
            view.health(p, year, r, health);
            const RecordCost& cost = panel.cost[static_cast<std::size_t>(&r - panel.records.data())];
            const Days length = r.last_day - r.first_day + 1;
            const bool adult = scheme.age(r, year) >= scheme.model().adult_age;
            person.push_back(r.person);
            insurer.push_back(r.insurer);
            first_day.push_back(r.first_day);
            days.push_back(static_cast<std::int32_t>(length));
            represents.push_back(r.represents);
            age.push_back(scheme.age(r, year));
            abroad.push_back(r.region == 0 ? 1 : 0);
            under_18.push_back(!adult && r.first_day <= july && r.last_day >= july ? 1 : 0);
            variable_cents.push_back(cost.variable);
            ggz_cents.push_back(cost.ggz);
            fixed_cents.push_back(cost.fixed);
            nursing_cents.push_back(cost.nursing);
            eligible_cents.push_back(cost.eligible);
            const OwnPayment own = scenario::own_payment(
                scheme, records, static_cast<std::size_t>(&r - records.data()), year, [&](const data::Record& of) {
                    return panel.cost[static_cast<std::size_t>(&of - panel.records.data())].eligible;
                });
            own_payments.push_back(own.total);
            mandatory.push_back(own.mandatory);
            scheme.variable_row(r, year, health, row);
            variable.add(row);
            scheme.ggz_row(r, year, health, row);
            ggz.add(row);
            scheme.deductible_row(r, year, health, row);
            deductible.add(row);
            if (scheme.nursing_columns() == 0) continue;
            scheme.nursing_row(r, year, health, row);
            nursing.add(row);
        }
    }
    py::dict d, shares;
    const auto put = [&](const char* name, const auto& v) {
        using T = typename std::decay_t<decltype(v)>::value_type;
        d[name] = py::array_t<T>(static_cast<py::ssize_t>(v.size()), v.data());
    };
    put("person", person);
    put("insurer", insurer);
    put("first_day", first_day);
    put("days", days);
    put("represents", represents);
    put("age", age);
    put("abroad", abroad);
    put("under_18", under_18);
    put("variable_cents", variable_cents);
    put("ggz_cents", ggz_cents);
    put("fixed_cents", fixed_cents);
    put("nursing_cents", nursing_cents);
    put("eligible_cents", eligible_cents);
    put("own_payments_cents", own_payments);
    put("own_payments_mandatory_cents", mandatory);
    shares["variable"] = variable.columns();
    shares["ggz"] = ggz.columns();
    shares["deductible"] = deductible.columns();
    if (scheme.nursing_columns() > 0) shares["nursing"] = nursing.columns();
    d["classes"] = shares;
    return d;
}

/// Blocks that a Python function gives, asked from any thread: the interpreter is locked only while it runs. What it
/// raises stops the work and reaches the caller as it is.
Source callback_source(Index blocks, const py::function& block) {
    // Only the handle goes along, for copies are made and dropped without the lock; the source keeps the function alive.
    return {blocks, [given = py::handle{block}](Index k) {
                const py::gil_scoped_acquire lock;
                const py::object made = given(k);
                if (!py::isinstance<data::Block>(made)) throw py::type_error("a source gives blocks: _core.Block");
                const auto& rows = made.cast<const data::Block&>();
                const py::gil_scoped_release release;
                return rows;
            }};
}

}  // namespace

py::array_t<std::int64_t> matrix(const payment::ClassTotals& totals) {
    py::array_t<std::int64_t> a({totals.insurers(), totals.columns()});
    auto v = a.mutable_unchecked<2>();
    for (Index i = 0; i < totals.insurers(); ++i)
        for (Index k = 0; k < totals.columns(); ++k) v(i, k) = totals.at(i, k);
    return a;
}

Run run_of(int threads, const py::object& progress, std::vector<Index>* work) {
    Run run;
    run.threads = threads;
    run.work_per_thread = work;
    if (!progress.is_none())
        run.progress = [progress](Index done, Index total) {
            const py::gil_scoped_acquire lock;
            progress(done, total);
        };
    return run;
}

void bind_scenario(py::module_& m) {
    py::enum_<ExpectedCounts>(m, "ExpectedCounts")
        .value("lagged", ExpectedCounts::lagged)
        .value("baseline", ExpectedCounts::baseline)
        .value("actual", ExpectedCounts::actual);
    py::enum_<MacroRule>(m, "MacroRule")
        .value("fixed", MacroRule::fixed)
        .value("lagged", MacroRule::lagged)
        .value("actual", MacroRule::actual);
    py::class_<Options>(m, "Options")
        .def(py::init<>())
        .def_readwrite("first_year", &Options::first_year)
        .def_readwrite("last_year", &Options::last_year)
        .def_readwrite("start", &Options::start)
        .def_readwrite("horizon", &Options::horizon)
        .def_readwrite("insurers", &Options::insurers)
        .def_readwrite("seed", &Options::seed)
        .def_readwrite("expected_counts", &Options::expected_counts)
        .def_readwrite("expected_lag", &Options::expected_lag)
        .def_readwrite("macro", &Options::macro)
        .def_readwrite("macro_lag", &Options::macro_lag)
        .def_readwrite("estimation_lag", &Options::estimation_lag)
        .def_readwrite("estimates", &Options::estimates)
        .def_readwrite("threshold_ppm", &Options::threshold_ppm)
        .def_readwrite("rounding", &Options::rounding)
        .def_readwrite("keep", &Options::keep)
        .def_readwrite("band_insured", &Options::band_insured)
        .def_readwrite("pass_through_ppm", &Options::pass_through_ppm)
        .def_readwrite("pass_through_lag", &Options::pass_through_lag)
        .def_readwrite("enrolment_ppm", &Options::enrolment_ppm)
        .def_readwrite("municipalities", &Options::municipalities);

    py::class_<Area>(m, "Area")
        .def_property_readonly("candidates", [](const Area& a) { return a.candidates.size(); })
        .def_readonly("hospital", &Area::hospital)
        // By programme and year.
        .def_property_readonly("volumes", [](const Area& a) {
            py::list result;
            for (const auto& programme : a.volumes) {
                py::list years;
                for (const substitution::Volumes& v : programme) {
                    py::dict d;
                    d["insured_days"] = v.insured_days;
                    d["consults"] = v.consults;
                    d["heavier"] = v.heavier;
                    d["gp_only"] = v.gp_only;
                    years.append(d);
                }
                result.append(years);
            }
            return result;
        });

    py::class_<Baseline, std::shared_ptr<Baseline>>(m, "Baseline")
        .def_readwrite("options", &Baseline::options)
        .def_readonly("first_class_year", &Baseline::first_class_year)
        .def_property_readonly("persons", [](const Baseline& b) { return b.panel->persons_read; })
        .def_property_readonly("held", [](const Baseline& b) { return b.panel->persons(); })
        .def_property_readonly("claims_read", [](const Baseline& b) { return b.panel->claims_read; })
        .def_property_readonly("records", [](const Baseline& b) { return b.panel->records_read; })
        .def_readonly("category_cost", &Baseline::category_cost)
        .def("totals", [](const Baseline& b, int year) { return totals(b.arm(year).totals); })
        .def("moments", [](const Baseline& b, int year) { return b.arm(year).moments; })
        .def("fit", [](const Baseline& b, int year) { return b.arm(year).fit; })
        .def("ex_ante", [](const Baseline& b, int year) { return statement(ex_ante_baseline(b, year)); })
        .def("gap", [](const Baseline& b, int year) { return gap(b, b.arm(year).totals.gap); })
        .def("ex_post", [](const Baseline& b, int year) { return statement(settle_baseline(b, year)); })
        .def("mhk_lines",
             [](const Baseline& b, int year) {
                 return line_costs(b.cost_years[static_cast<std::size_t>(year - b.options.first_year)].lines.mhk);
             })
        .def_property_readonly("zero_sum",
                               [](const Baseline& b) {
                                   std::vector<std::pair<std::string, std::vector<Index>>> result;
                                   for (const auto& z : b.specification.zero_sum)
                                       result.emplace_back(z.name, z.columns);
                                   return result;
                               })
        .def_property_readonly("columns", [](const Baseline& b) { return b.specification.columns; })
        // Distribution figures for validation: insured-weighted, one calendar year.
        .def("ranking",
             [](const Baseline& b, int year) {
                 b.require_everybody("ranking");
                 const Panel& panel = *b.panel;
                 std::vector<Cents> cost, eligible, own;
                 std::vector<std::int64_t> represents, person;
                 std::vector<int> age, sex, days;
                 for (Index p = 0; p < panel.persons(); ++p)
                     for (const data::Record& r : panel.records_of(p, year)) {
                         const RecordCost& c = panel.cost[static_cast<std::size_t>(&r - panel.records.data())];
                         cost.push_back(c.variable + c.ggz + c.fixed + c.nursing);
                         eligible.push_back(c.eligible);
                         represents.push_back(r.represents);
                         person.push_back(p);
                         age.push_back(b.scheme->age(r, year));
                         sex.push_back(r.sex);
                         days.push_back(r.last_day - r.first_day + 1);
                     }
                 py::dict d;
                 const auto put = [&](const char* name, auto& v) {
                     using T = typename std::decay_t<decltype(v)>::value_type;
                     d[name] = py::array_t<T>(static_cast<py::ssize_t>(v.size()), v.data());
                 };
                 put("cost_cents", cost);
                 put("eligible_cents", eligible);
                 put("represents", represents);
                 put("person", person);
                 put("age", age);
                 put("sex", sex);
                 put("days", days);
                 return d;
             })
        // Cost and classes of every record of one year, per share and criterion: ["classes"]["variable"]["age_sex"], ...
        .def("frame", &frame, py::arg("year"))
        // Health classes of every record of one year, for validation and own analysis.
        .def("classes", [](const Baseline& b, int year) {
            b.require_everybody("classes");
            const Panel& panel = *b.panel;
            std::vector<risk::CostLines> cost_lines;
            std::vector<risk::SumLines> sum_lines;
            for (std::size_t y = 0; y < b.cost_years.size(); ++y) {
                cost_lines.push_back(b.cost_years[y].lines);
                sum_lines.push_back(b.nursing[y].lines);
            }
            const View view{&panel,     b.scheme.get(), &b.cost_years, &cost_lines,
                            &sum_lines, nullptr,        nullptr,       b.options.seed};
            std::vector<std::uint64_t> fkg, person;
            std::vector<std::uint32_t> hkg;
            std::vector<int> dkg, mhk, mvv, fdg, morbid, age, days, represents, insurer;
            risk::Health h;
            for (Index p = 0; p < panel.persons(); ++p)
                for (const data::Record& r : panel.records_of(p, year)) {
                    view.health(p, year, r, h);
                    person.push_back(r.person);
                    fkg.push_back(h.fkg);
                    hkg.push_back(h.hkg);
                    int n = 0;
                    for (const std::uint8_t k : h.dkg) n += k;
                    n += (h.dkg_primary != 0 ? 1 : 0) + (h.dkg_secondary != 0 ? 1 : 0);
                    dkg.push_back(n);
                    mhk.push_back(h.mhk);
                    mvv.push_back(h.mvv);
                    fdg.push_back(h.fdg);
                    morbid.push_back(b.scheme->morbid(h) ? 1 : 0);
                    age.push_back(b.scheme->age(r, year));
                    days.push_back(r.last_day - r.first_day + 1);
                    represents.push_back(r.represents);
                    insurer.push_back(r.insurer);
                }
            py::dict d;
            const auto put = [&](const char* name, auto& v) {
                using T = typename std::decay_t<decltype(v)>::value_type;
                d[name] = py::array_t<T>(static_cast<py::ssize_t>(v.size()), v.data());
            };
            put("person", person);
            put("fkg", fkg);
            put("hkg", hkg);
            put("dkg", dkg);
            put("mhk", mhk);
            put("mvv", mvv);
            put("fdg", fdg);
            put("morbid", morbid);
            put("age", age);
            put("days", days);
            put("represents", represents);
            put("insurer", insurer);
            return d;
        });

    py::class_<Source>(m, "Source")
        .def_readonly("blocks", &Source::blocks)
        .def(
            "block",
            [](const Source& source, Index k) {
                if (k < 0 || k >= source.blocks) throw py::index_error("block");
                return source.block(k);
            },
            py::arg("k"), py::call_guard<py::gil_scoped_release>());
    m.def(
        "population_source",
        [](const population::Tables& tables, const population::Plan& plan, std::int32_t first_year,
           std::int32_t last_year) {
            return Source{plan.blocks(), [&tables, &plan, first_year, last_year](Index k) {
                              return population::generate(tables, plan, k, first_year, last_year);
                          }};
        },
        py::arg("tables"), py::arg("plan"), py::arg("first_year"), py::arg("last_year"), py::keep_alive<0, 1>(),
        py::keep_alive<0, 2>());
    m.def(
        "blocks_source",
        [](std::vector<data::Block> blocks) {
            const auto held = std::make_shared<const std::vector<data::Block>>(std::move(blocks));
            return Source{static_cast<Index>(held->size()),
                          [held](Index k) { return (*held)[static_cast<std::size_t>(k)]; }};
        },
        py::arg("blocks"));
    m.def("callback_source", &callback_source, py::arg("blocks"), py::arg("block"), py::keep_alive<0, 2>());
    m.def(
        "baseline",
        [](const py::object& given, const std::shared_ptr<risk::Scheme>& scheme, const Options& options, int threads,
           const py::object& progress) {
            const auto& source = given.cast<const Source&>();
            std::vector<Index> work;
            const Run run = run_of(threads, progress, &work);
            std::shared_ptr<Baseline> result;
            {
                const py::gil_scoped_release release;
                result = std::make_shared<Baseline>(make_baseline(source, scheme, options, run));
            }
            const py::object made = py::cast(result);
            if (result->lean()) py::detail::keep_alive_impl(made, given);  // it reads the source again
            return py::make_tuple(made, work);
        },
        py::arg("source"), py::arg("scheme"), py::arg("options"), py::arg("threads") = 1,
        py::arg("progress") = py::none());
    m.def(
        "baseline_like",
        [](const py::object& given, const Options& options, int threads) {
            const auto& like = given.cast<const Baseline&>();
            std::shared_ptr<Baseline> result;
            {
                const py::gil_scoped_release release;
                Run run;
                run.threads = threads;
                result = std::make_shared<Baseline>(make_baseline(like, options, run));
            }
            py::object made = py::cast(result);
            if (result->lean()) py::detail::keep_alive_impl(made, given);
            return made;
        },
        py::arg("like"), py::arg("options"), py::arg("threads") = 1);
    m.def(
        "survey",
        [](const Baseline& b, const std::vector<Substitution>& programmes, int threads) {
            Run run;
            run.threads = threads;
            return survey(b, programmes, run);
        },
        py::arg("baseline"), py::arg("programmes"), py::arg("threads") = 1, py::call_guard<py::gil_scoped_release>());
    m.def(
        "simulate",
        [](const Baseline& b, const std::vector<Substitution>& programmes, const Area& area, bool decompose,
           int threads) {
            Run run;
            run.threads = threads;
            return simulate(b, programmes, area, decompose, run);
        },
        py::arg("baseline"), py::arg("programmes"), py::arg("area"), py::arg("decompose") = true,
        py::arg("threads") = 1, py::call_guard<py::gil_scoped_release>());
    m.def(
        "full_pass_equals",
        [](const Baseline& b, const std::vector<Substitution>& programmes, const Area& area, int year) {
            const ArmYear arm = full_pass(b, programmes, area, year);
            return py::make_tuple(totals(arm.totals), arm.moments);
        },
        py::arg("baseline"), py::arg("programmes"), py::arg("area"), py::arg("year"));

    py::class_<Outcome>(m, "Outcome")
        .def_readonly("patients", &Outcome::patients)
        .def_readonly("patients_rows", &Outcome::patients_rows)
        .def_readonly("replaced", &Outcome::replaced)
        .def_readonly("referred_on", &Outcome::referred_on)
        .def_readonly("added", &Outcome::added)
        .def_readonly("touched_person_years", &Outcome::touched_person_years)
        .def_property_readonly("years",
                               [](const Outcome& o) {
                                   py::list result;
                                   for (const YearOutcome& y : o.years) {
                                       py::dict d;
                                       d["year"] = y.year;
                                       d["baseline"] = statement(y.baseline);
                                       d["scenario"] = statement(y.scenario);
                                       d["forward"] = channels(y.forward);
                                       d["reverse"] = channels(y.reverse);
                                       py::list criteria;
                                       for (const CriterionEffect& c : y.criteria)
                                           criteria.append(py::make_tuple(c.criterion, c.loss, c.gain));
                                       d["criteria"] = criteria;
                                       d["weight_change"] = y.weight_change;
                                       d["baseline_mhk"] = line_costs(y.baseline_mhk);
                                       d["scenario_mhk"] = line_costs(y.scenario_mhk);
                                       d["insured"] = y.insured;
                                       d["reached"] = y.reached;
                                       d["persons_regrouped"] = y.persons_regrouped;
                                       d["full_pass"] = y.full_pass;
                                       d["category_claims_base"] = y.category_claims_base;
                                       d["category_claims"] = y.category_claims;
                                       d["contract_correction"] = y.contract_correction;
                                       d["price_rebase"] = y.price_rebase;
                                       d["programme_cost_by"] = y.programme_cost_by;
                                       d["macro_change"] = y.macro_change;
                                       d["hospital_avoided_claimed"] = y.hospital_avoided_claimed;
                                       result.append(d);
                                   }
                                   return result;
                               })
        .def_property_readonly(
            "movements",
            [](const Outcome& o) {
                py::list result;
                for (const MovementTotal& t : o.movements)
                    result.append(py::make_tuple(t.year, t.insurer, t.specialism, t.consult, static_cast<int>(t.effect),
                                                 static_cast<int>(t.category), t.claims, t.settled, t.claimed,
                                                 t.persons, t.programme, t.rule));
                return result;
            })
        .def_property_readonly("classes", [](const Outcome& o) {
            py::list result;
            for (const ClassChange& c : o.classes)
                result.append(py::make_tuple(c.year, c.insurer, c.column, c.days_lost, c.days_won, c.persons));
            return result;
        });
    m.def(
        "gap", [](const Baseline& b, const Outcome& o, std::size_t k) { return gap(b, o.years.at(k).gap); },
        py::arg("baseline"), py::arg("outcome"), py::arg("year_index"));
    std::vector<std::string> names(channel_names.begin(), channel_names.end());
    m.attr("channel_names") = names;
}
