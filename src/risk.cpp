#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/risk/scheme.hpp>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <string_view>

namespace anderhalf::risk {

namespace {

using params::Criterion;
using params::RiskClass;
using params::Share;

[[nodiscard]] std::uint32_t dx_key(std::uint16_t specialism, std::uint16_t diagnosis) {
    return (static_cast<std::uint32_t>(specialism) << 16U) | diagnosis;
}

[[nodiscard]] const Criterion* find(const Share& share, const std::string& name) {
    for (const Criterion& c : share.criteria)
        if (c.name == name) return &c;
    return nullptr;
}

[[nodiscard]] std::uint64_t without(std::uint64_t classes, const std::vector<params::Exclusion>& exclusions) {
    std::uint64_t dropped = 0;
    for (const auto& e : exclusions)
        if ((classes >> (e.keep - 1) & 1U) != 0) dropped |= std::uint64_t{1} << (e.drop - 1);
    return classes & ~dropped;
}

}  // namespace

std::uint64_t tie_key(std::uint64_t seed, std::uint64_t person, std::int32_t year) {
    return Philox{seed, Purpose::ties}(person, static_cast<std::uint64_t>(year))[0];
}

std::vector<Line> lines(std::span<const Ranked> ranked, std::int64_t total, std::span<const std::int32_t> tops) {
    std::vector<Line> result(tops.size());
    for (std::size_t k = 0; k < tops.size(); ++k) {
        const std::int64_t room = total * tops[k] / 10'000;
        std::int64_t inside = 0;
        for (const Ranked& r : ranked) {
            if (r.cost <= 0 || inside + r.represents > room) break;
            inside += r.represents;
            result[k] = {r.cost, r.key, r.person};
        }
    }
    return result;
}

std::vector<CriterionColumns> layout(const Share& share) {
    std::vector<CriterionColumns> result;
    Index offset = 0;
    for (const Criterion& c : share.criteria) {
        const auto size = static_cast<Index>(c.classes.size());
        result.push_back({c.name, c.assignment, offset, c.first_code, size});
        offset += size;
    }
    return result;
}

Scheme::Scheme(params::Model model, Mapping mapping, std::int64_t experiment_variable_ppm)
    : model_{std::move(model)}, mapping_{std::move(mapping)}, experiment_variable_ppm_{experiment_variable_ppm} {
    Problems<ParameterError> problems;
    problems.require(model_.complete, model_.name, "model year", "one that this version can group and pay",
                     "weights and criteria only");
    problems.throw_if_any();
    compile(model_.variable, variable_, false);
    compile(model_.ggz, ggz_, true);
    compile(model_.deductible, deductible_, true);
    compile(model_.nursing, nursing_, false);
    compile_history();
    counts_residents_ = model_.lowest_ses_above_residents > 0 || find(model_.ggz, "ggz_one_person") != nullptr;
    problems.require(model_.lowest_ses_above_residents < 255, model_.name, "lowest_ses_above_residents", "below 255",
                     std::to_string(model_.lowest_ses_above_residents));

    for (const Share* share : {&model_.variable, &model_.ggz, &model_.nursing})
        for (const Criterion& c : share->criteria) {
            const auto [at, first] = lags_.emplace(c.name, c.data_years);
            problems.require(first || at->second == c.data_years, model_.name + "." + c.name, "data years",
                             "the same in every share", "others");
            for (const std::int32_t lag : c.data_years) longest_lag_ = std::max(longest_lag_, lag);
        }
    care_years_ = {data_years("fkg"),     data_years("hkg"),         data_years("fdg"),
                   data_years("dkg"),     data_years("dkg_primary"), data_years("dkg_secondary"),
                   data_years("ggz_fkg"), data_years("ggz_dkg"),     data_years("mvv")};
    problems.require(longest_lag_ < static_cast<std::int32_t>(std::tuple_size_v<Past>), model_.name, "data years",
                     "at most 7 years back", std::to_string(longest_lag_));

    const auto cost_rules = [&](const Criterion& criterion, std::vector<CostRule>& rules,
                                std::vector<std::int32_t>& years, auto&& line_of) {
        years = criterion.data_years;
        std::sort(years.begin(), years.end());
        for (const RiskClass& c : criterion.classes)
            if (c.code > 0) {
                const std::int32_t of = c.of_years > 0 ? c.of_years : static_cast<std::int32_t>(years.size());
                problems.require(c.years >= 1 && c.years <= of && of <= static_cast<std::int32_t>(years.size()),
                                 model_.name + "." + criterion.name, "years of class " + std::to_string(c.code),
                                 "1.." + std::to_string(years.size()), std::to_string(c.years));
                rules.push_back({static_cast<std::uint8_t>(c.code), static_cast<std::uint8_t>(c.years),
                                 static_cast<std::uint8_t>(of), static_cast<std::uint8_t>(line_of(c)), c.young_below,
                                 static_cast<std::uint8_t>(c.young_years)});
            }
        std::sort(rules.begin(), rules.end(), [](const CostRule& a, const CostRule& b) { return a.code > b.code; });
    };
    if (const Criterion* mhk = find(model_.variable, "mhk")) {
        cost_rules(*mhk, mhk_rules_, mhk_years_, [&](const RiskClass& c) {
            const auto at = std::find(mhk_tops_.begin(), mhk_tops_.end(), c.top_per_myriad);
            if (at != mhk_tops_.end()) return at - mhk_tops_.begin();
            mhk_tops_.push_back(c.top_per_myriad);
            return static_cast<std::ptrdiff_t>(mhk_tops_.size()) - 1;
        });
    }
    if (const Criterion* ggz = find(model_.ggz, "ggz_mhk")) {
        cost_rules(*ggz, ggz_mhk_rules_, ggz_mhk_years_, [&](const RiskClass& c) {
            for (std::size_t k = 0; k < ggz_mhk_tops_.size(); ++k)
                if (ggz_mhk_tops_[k].top_per_myriad == c.top_per_myriad && ggz_mhk_tops_[k].min_cents == c.min_cents)
                    return static_cast<std::ptrdiff_t>(k);
            ggz_mhk_tops_.push_back({c.top_per_myriad, c.min_cents});
            return static_cast<std::ptrdiff_t>(ggz_mhk_tops_.size()) - 1;
        });
    }
    if (const Criterion* mvv = find(model_.variable, "mvv"))
        for (const RiskClass& c : mvv->classes)
            if (c.code > 0) {
                mvv_tops_.push_back(c.top_per_myriad);
                if (c.age_max < model_.adult_age) mvv_child_code_ = c.code;
            }
    if (const Criterion* dkg = find(model_.ggz, "ggz_dkg"))
        for (const RiskClass& c : dkg->classes)
            if (c.of_years > 0) {
                problems.require(c.code == 1 && c.of_years <= static_cast<std::int32_t>(dkg->data_years.size()),
                                 model_.name + ".ggz_dkg", "class that looks at the latest data years only",
                                 "class 1, at most " + std::to_string(dkg->data_years.size()) + " years",
                                 "class " + std::to_string(c.code) + ", " + std::to_string(c.of_years) + " years");
                ggz_dkg_recent_code_ = static_cast<std::uint8_t>(c.code);
                ggz_dkg_recent_lags_ = dkg->data_years;
                std::sort(ggz_dkg_recent_lags_.begin(), ggz_dkg_recent_lags_.end());
                ggz_dkg_recent_lags_.resize(
                    std::min(ggz_dkg_recent_lags_.size(), static_cast<std::size_t>(c.of_years)));
            }
    if (const Criterion* fkg = find(model_.variable, "fkg")) fkg_exclusions_ = fkg->exclusions;
    if (const Criterion* fkg = find(model_.ggz, "ggz_fkg")) ggz_fkg_exclusions_ = fkg->exclusions;

    const auto morbidity = [&](const std::vector<std::string>& names, const char* where) {
        Morbidity result;
        const std::map<std::string, bool*> known{{"fkg", &result.fkg},
                                                 {"dkg", &result.dkg},
                                                 {"dkg_primary", &result.dkg_primary},
                                                 {"dkg_secondary", &result.dkg_secondary},
                                                 {"hkg", &result.hkg},
                                                 {"mvv", &result.mvv},
                                                 {"fdg", &result.fdg},
                                                 {"mhk", &result.mhk}};
        for (const std::string& name : names) {
            const auto at = known.find(name);
            if (at != known.end()) *at->second = true;
            else problems.add(model_.name, where, "fkg, dkg, dkg_primary, dkg_secondary, hkg, mvv, fdg or mhk", name);
        }
        return result;
    };
    forfait_ = morbidity(model_.morbidity_criteria, "morbidity_criteria");
    gsm_ = morbidity(model_.gsm_criteria, "gsm_criteria");
    if (const Criterion* hsm = find(model_.variable, "hsm")) {
        hsm_ = morbidity(hsm->of, "hsm.of");
        problems.require(
            hsm->data_years.size() == 1 && hsm->data_years.front() > 0 && hsm->classes.size() == 2 && !hsm->of.empty(),
            model_.name + ".hsm", "data years, classes and criteria",
            "one earlier year, one class beside none, criteria that decide", "others");
        hsm_lag_ = hsm->data_years.empty() ? 0 : hsm->data_years.front();
    }
    if (const Criterion* own = find(model_.nursing, "mhk")) {
        const Criterion* mhk = find(model_.variable, "mhk");
        const auto same = [](const RiskClass& a, const RiskClass& b) {
            return a.code == b.code && a.years == b.years && a.of_years == b.of_years &&
                   a.top_per_myriad == b.top_per_myriad;
        };
        problems.require(mhk != nullptr && std::equal(own->classes.begin(), own->classes.end(), mhk->classes.begin(),
                                                      mhk->classes.end(), same),
                         model_.name + ".nursing.mhk", "classes", "those of the variable share", "others");
    }
    if (find(model_.nursing, "nursing_region") != nullptr)
        problems.require(mapping_.nursing_region.size() == 10, "mapping", "nursing_region",
                         "a V&V-region for each of 10", std::to_string(mapping_.nursing_region.size()));
    for (const std::int32_t group : mapping_.nursing_region)
        problems.require(group >= 1 && group <= 10, "mapping", "nursing_region", "1..10", std::to_string(group));
    problems.require(model_.ses_of_income_group.empty() || model_.ses_of_income_group.size() == 4, model_.name,
                     "ses_of_income_group", "a group for each of 4", std::to_string(model_.ses_of_income_group.size()));
    if (const Criterion* fkg = find(model_.variable, "fkg")) {
        fkg_lag_ = fkg->data_years.front();
        problems.require(model_.ended_addon_years == 0 || fkg->data_years.size() == 1, model_.name + ".fkg",
                         "data years", "one, where ended add-ons give no class",
                         std::to_string(fkg->data_years.size()));
    }

    const auto known = [&](const Share& share, const char* criterion, std::int32_t code, const std::string& where) {
        const Criterion* c = find(share, criterion);
        const std::int32_t top = c == nullptr ? 0 : c->first_code + static_cast<std::int32_t>(c->classes.size()) - 1;
        problems.require(code >= 0 && code <= top, where, std::string{criterion} + " code", "0.." + std::to_string(top),
                         std::to_string(code));
        return code >= 0 && code <= top;
    };
    for (const Mapping::Drug& d : mapping_.drugs) {
        const std::string where = "mapping.drugs " + std::to_string(d.drug);
        const auto [first, last] = drugs_.equal_range(d.drug);
        const bool twice = std::any_of(first, last, [&](const auto& row) {
            const Mapping::Drug& other = row.second;
            return (d.fkg == other.fkg && (d.fkg != 0 || d.ggz_fkg == 0)) ||
                   (d.ggz_fkg == other.ggz_fkg && d.ggz_fkg != 0);
        });
        problems.require(!twice, where, "drug group", "once", "twice");
        drugs_.emplace(d.drug, d);
        const auto rule = [&](FkgRule& of_class, const char* criterion) {
            const bool own = std::string_view{criterion} == "ggz_fkg" && d.ggz_min_prescriptions > 0;
            const FkgRule wanted{d.min_ddd, own ? d.ggz_min_prescriptions : d.min_prescriptions};
            problems.require(of_class == FkgRule{} || of_class == wanted, where, std::string{criterion} + " threshold",
                             "that of the other drugs of the class", "another one");
            of_class = wanted;
        };
        if (known(model_.variable, "fkg", d.fkg, where) && d.fkg > 0)
            rule(fkg_rules_[static_cast<std::size_t>(d.fkg)], "fkg");
        if (known(model_.ggz, "ggz_fkg", d.ggz_fkg, where) && d.ggz_fkg > 0)
            rule(ggz_fkg_rules_[static_cast<std::size_t>(d.ggz_fkg)], "ggz_fkg");
        if (known(model_.ggz, "ggz_fkg", d.ggz_indicated, where) && d.ggz_indicated > 0) {
            std::uint8_t& by = ggz_indicated_by_[static_cast<std::size_t>(d.ggz_indicated)];
            problems.require(d.ggz_fkg > 0 && (by == 0 || by == d.ggz_fkg), where,
                             "class reached beside the indication", "one, the same for all drugs that indicate it",
                             std::to_string(d.ggz_fkg));
            by = static_cast<std::uint8_t>(d.ggz_fkg);
        }
    }
    for (const Mapping::Diagnosis& d : mapping_.diagnoses) {
        const std::string where =
            "mapping.diagnoses " + std::to_string(d.specialism) + " x " + std::to_string(d.diagnosis);
        problems.require(diagnoses_.emplace(dx_key(d.specialism, d.diagnosis), d).second, where, "diagnosis", "once",
                         "twice");
        known(model_.variable, "dkg", d.dkg, where);
        known(model_.variable, "dkg_primary", d.dkg_primary, where);
        known(model_.variable, "dkg_secondary", d.dkg_secondary, where);
        problems.require(d.dkg < static_cast<std::int32_t>(dkg_codes), where, "dkg code", "below 32",
                         std::to_string(d.dkg));
    }
    for (const Mapping::CareProduct& p : mapping_.care_products) {
        const std::string where = "mapping.care_products " + std::to_string(p.product);
        problems.require(care_products_.emplace(p.product, p).second, where, "care product", "once", "twice");
        known(model_.variable, "dkg", p.dkg, where);
        known(model_.variable, "dkg_primary", p.dkg_primary, where);
        known(model_.variable, "dkg_secondary", p.dkg_secondary, where);
        problems.require(p.dkg < static_cast<std::int32_t>(dkg_codes), where, "dkg code", "below 32",
                         std::to_string(p.dkg));
    }
    consults_ = mapping_.consults;
    std::sort(consults_.begin(), consults_.end());
    for (const std::uint32_t product : consults_)
        problems.require(!care_products_.contains(product), "mapping.consults " + std::to_string(product),
                         "care product", "a consult, or one that leads to a dx group", "both");
    for (const Mapping::Device& d : mapping_.devices) {
        known(model_.variable, "hkg", d.hkg, "mapping.devices " + std::to_string(d.device));
        devices_.emplace(d.device, d.hkg);
    }
    for (const Mapping::Physiotherapy& d : mapping_.physiotherapy) {
        known(model_.variable, "fdg", d.fdg, "mapping.physiotherapy " + std::to_string(d.diagnosis));
        physiotherapy_.emplace(d.diagnosis, d.fdg);
    }
    for (const Mapping::MentalCare& d : mapping_.mental_care) {
        known(model_.ggz, "ggz_dkg", d.ggz_dkg, "mapping.mental_care " + std::to_string(d.diagnosis));
        mental_care_.emplace(d.diagnosis, d.ggz_dkg);
    }
    problems.require(mapping_.light_product_percent >= 0 && mapping_.light_product_percent <= 100, "mapping",
                     "light_product_percent", "0..100", std::to_string(mapping_.light_product_percent));
    problems.require(experiment_variable_ppm_ >= 0 && experiment_variable_ppm_ <= 1'000'000, "scheme",
                     "experiment_variable_share", "0..1", std::to_string(experiment_variable_ppm_) + " ppm");
    problems.throw_if_any();
}

void Scheme::compile(const Share& share, Layout& layout, bool adults_only) {
    Problems<ParameterError> problems;
    static const std::map<std::string, Kind> kinds{{"age_sex", Kind::age_sex},
                                                   {"avi", Kind::avi},
                                                   {"region", Kind::region},
                                                   {"ses", Kind::ses},
                                                   {"ppa", Kind::ppa},
                                                   {"fkg", Kind::fkg},
                                                   {"dkg", Kind::dkg},
                                                   {"hkg", Kind::hkg},
                                                   {"fdg", Kind::fdg},
                                                   {"mhk", Kind::mhk},
                                                   {"mvv", Kind::mvv},
                                                   {"ggz_fkg", Kind::ggz_fkg},
                                                   {"ggz_dkg", Kind::ggz_dkg},
                                                   {"ggz_mhk", Kind::ggz_mhk},
                                                   {"ggz_age_sex", Kind::age_sex},
                                                   {"ggz_avi", Kind::avi},
                                                   {"ggz_region", Kind::region},
                                                   {"ggz_ses", Kind::ses},
                                                   {"ggz_ppa", Kind::ppa},
                                                   {"gsm", Kind::gsm},
                                                   {"nursing_region", Kind::nursing_region},
                                                   {"ggz_one_person", Kind::one_person},
                                                   {"dkg_primary", Kind::dkg_primary},
                                                   {"dkg_secondary", Kind::dkg_secondary},
                                                   {"hsm", Kind::hsm},
                                                   {"mfk", Kind::mfk},
                                                   {"ibz", Kind::ibz},
                                                   {"hhk", Kind::hhk},
                                                   {"okh", Kind::okh},
                                                   {"sei", Kind::sei}};
    for (const Criterion& criterion : share.criteria) {
        const std::string where = model_.name + "." + share.name + "." + criterion.name;
        const auto kind = kinds.find(criterion.name);
        if (kind == kinds.end()) {
            problems.add(where, "criterion", "one that this version can group", criterion.name);
            continue;
        }
        Compiled c;
        c.kind = kind->second;
        c.assignment = criterion.assignment;
        c.offset = layout.columns;
        c.first_code = criterion.first_code;
        for (std::size_t k = 0; k < criterion.classes.size(); ++k)
            problems.require(criterion.classes[k].code == criterion.first_code + static_cast<std::int32_t>(k), where,
                             "class code", std::to_string(criterion.first_code + static_cast<std::int32_t>(k)),
                             std::to_string(criterion.classes[k].code));
        const bool demographic = c.kind == Kind::age_sex || c.kind == Kind::avi || c.kind == Kind::region ||
                                 c.kind == Kind::ses || c.kind == Kind::ppa || c.kind == Kind::gsm ||
                                 c.kind == Kind::nursing_region;
        const bool several =
            c.kind == Kind::fkg || c.kind == Kind::ggz_fkg || c.kind == Kind::hkg || c.kind == Kind::dkg;
        problems.require(several || c.assignment == params::Assignment::single, where, "assignment", "single",
                         "several classes");
        problems.require(c.kind == Kind::dkg || c.assignment != params::Assignment::count, where, "assignment",
                         "single or all", "count");
        if (c.kind == Kind::mhk) {
            const auto low = [](const RiskClass& a, const RiskClass& b) { return a.age_min < b.age_min; };
            const auto high = [](const RiskClass& a, const RiskClass& b) { return a.age_max < b.age_max; };
            c.age_min = std::min_element(criterion.classes.begin(), criterion.classes.end(), low)->age_min;
            c.age_max = std::max_element(criterion.classes.begin(), criterion.classes.end(), high)->age_max;
        }
        if (demographic) {
            c.by_age.resize(c.kind == Kind::age_sex ? 3 : 12);
            for (auto& ages : c.by_age) ages.fill(0);
            for (const RiskClass& k : criterion.classes) {
                const auto position = static_cast<std::uint8_t>(k.code + 1);
                if (k.born != 0) {
                    for (std::size_t sex : {1U, 2U})
                        if (k.sex == 0 || k.sex == static_cast<std::int32_t>(sex))
                            (k.born == 1 ? c.born_this_year : c.born_last_year)[sex] = position;
                    continue;
                }
                for (std::size_t group = 0; group < c.by_age.size(); ++group) {
                    const std::int32_t wanted = c.kind == Kind::age_sex ? k.sex : k.group;
                    if (wanted != 0 && wanted != static_cast<std::int32_t>(group)) continue;
                    for (std::int32_t age = std::max(k.age_min, -1); age <= std::min(k.age_max, 120); ++age) {
                        auto& cell = c.by_age[group][static_cast<std::size_t>(std::int64_t{age} + 1)];
                        if (cell == 0 || wanted != 0) cell = position;
                    }
                }
            }
            // A table without a class of its own for IVA has these insured among the disabled (2015).
            const auto iva = static_cast<std::size_t>(IncomeSource::iva);
            if (c.kind == Kind::avi &&
                std::none_of(criterion.classes.begin(), criterion.classes.end(), [&](const RiskClass& k) {
                    return k.group == static_cast<std::int32_t>(IncomeSource::iva);
                }))
                for (std::size_t age = 0; age < c.by_age[iva].size(); ++age)
                    if (c.by_age[iva][age] == 0)
                        c.by_age[iva][age] = c.by_age[static_cast<std::size_t>(IncomeSource::disabled)][age];
            // Whom no class of the table names belongs to the reference group (art. 9(5)a.8).
            if (c.kind == Kind::avi)
                for (auto& ages : c.by_age)
                    for (std::size_t age = 0; age < ages.size(); ++age)
                        if (ages[age] == 0)
                            ages[age] = c.by_age[static_cast<std::size_t>(IncomeSource::reference)][age];
            // A child born after the reference date is of age 0 for every other criterion.
            if (!adults_only)
                for (auto& ages : c.by_age)
                    if (ages[0] == 0) ages[0] = ages[1];
        }
        layout.criteria.push_back({criterion.name, criterion.assignment, layout.columns, criterion.first_code,
                                   static_cast<Index>(criterion.classes.size())});
        layout.compiled.push_back(std::move(c));
        layout.columns += static_cast<Index>(criterion.classes.size());
    }
    problems.throw_if_any();
}

void Scheme::compile_history() {
    Problems<ParameterError> problems;
    const auto rules = [&](const char* name, YearsRules& into, bool of_cost) {
        const Criterion* criterion = find(model_.variable, name);
        if (criterion == nullptr) return;
        const std::string where = model_.name + "." + name;
        into.lags = criterion->data_years;
        into.categories = criterion->categories;
        const bool any = std::any_of(into.categories.begin(), into.categories.end(), [](bool yes) { return yes; });
        problems.require(any == of_cost, where, "categories", of_cost ? "those whose cost decides" : "none",
                         any ? "some" : "none");
        historic_ = historic_ || of_cost;
        const auto most = static_cast<std::int32_t>(into.lags.size());
        for (const RiskClass& k : criterion->classes) {
            if (k.code == 0) continue;
            problems.require(k.years >= 1 && k.years <= most, where, "years of class " + std::to_string(k.code),
                             "1.." + std::to_string(most), std::to_string(k.years));
            into.rules.push_back({static_cast<std::uint8_t>(k.code), k.years, k.age_min, k.age_max, k.min_cents});
        }
        std::reverse(into.rules.begin(), into.rules.end());
    };
    rules("mfk", costs_[0], true);
    rules("ibz", costs_[1], true);
    rules("hhk", costs_[2], true);
    rules("okh", okh_, false);
    if (const Criterion* sei = find(model_.variable, "sei")) {
        problems.require(sei->classes.size() == 2 && sei->data_years == std::vector<std::int32_t>({0, 1}),
                         model_.name + ".sei", "classes and data years", "one beside none, t and t-1", "others");
        const RiskClass& k = sei->classes.back();
        sei_ = {static_cast<std::uint8_t>(k.code), 0, k.age_min, k.age_max, 0};
    }
    problems.throw_if_any();
}

void Scheme::history(const Past& past, const data::Record& r, std::int32_t year, Health& out) const {
    const std::int32_t a = age(r, year);
    const auto code = [&](const YearsRules& of, auto&& holds) {
        for (const YearsRule& rule : of.rules) {
            if (a < rule.age_min || a > rule.age_max) continue;
            std::int32_t found = 0;
            for (const std::int32_t lag : of.lags)
                if (holds(past[static_cast<std::size_t>(lag)], rule)) ++found;
            if (found >= rule.years) return rule.code;
        }
        return std::uint8_t{0};
    };
    const auto cost = [&](std::size_t k) {
        return code(costs_[k], [k](const CareYear* care, const YearsRule& rule) {
            return care != nullptr && care->historic_cost[k] > rule.above;
        });
    };
    // Who lives abroad is in the class none of MFK (Bzv 3.8(1)c).
    if (r.region != 0) out.mfk = cost(0);
    out.ibz = cost(1);
    out.hhk = cost(2);
    out.okh = code(okh_, [](const CareYear* care, const YearsRule&) { return care == nullptr || care->insured == 0; });
    // Seasonal workers: living abroad, insured a part of this year and not the whole of the last.
    const auto whole = [&](std::size_t lag) { return past[lag] != nullptr && past[lag]->whole_year != 0; };
    if (sei_.code != 0 && r.region == 0 && a >= sei_.age_min && a <= sei_.age_max && !whole(0) && !whole(1))
        out.sei = sei_.code;
}

const std::vector<std::int32_t>& Scheme::data_years(const std::string& criterion) const {
    static const std::vector<std::int32_t> none;  // a model without the criterion, such as a reform that drops MHK
    const auto at = lags_.find(criterion);
    return at == lags_.end() ? none : at->second;
}

CareYear Scheme::read(std::span<const data::Claim> claims) const {
    CareYear care;
    std::array<std::int32_t, 65> fkg_ddd{}, fkg_prescriptions{}, ggz_ddd{}, ggz_prescriptions{}, ggz_indications{};
    std::array<std::uint16_t, 64> dx{};  // distinct dx groups of this year
    std::size_t dx_count = 0;
    bool drugs = false;
    const auto percent = static_cast<std::uint32_t>(mapping_.light_product_percent);
    for (const data::Claim& claim : claims) {
        const auto category = static_cast<std::size_t>(claim.category);
        const Clusters part = clusters(claim, model_.mhk_settled ? claim.settled_cents : claim.claimed_cents);
        if (!model_.mhk_excluded[category]) care.mhk_cost += part.variable;
        if (historic_)
            for (std::size_t k = 0; k < costs_.size(); ++k)
                if (costs_[k].categories[category]) care.historic_cost[k] += claim.claimed_cents;
        care.ggz_cost += part.ggz;
        switch (claim.category) {
            case Category::nursing: care.nursing_cost += claim.claimed_cents; break;
            case Category::drugs: {
                const auto [first, last] = drugs_.equal_range(claim.product);
                for (auto at = first; at != last; ++at) {
                    drugs = true;
                    const auto fkg = static_cast<std::size_t>(at->second.fkg),
                               ggz = static_cast<std::size_t>(at->second.ggz_fkg);
                    const std::int32_t ended = at->second.ended_addon, t = year_of(claim.opened) + fkg_lag_;
                    if (ended == 0 || ended >= t || ended < t - model_.ended_addon_years) {
                        fkg_ddd[fkg] += claim.ddd;
                        fkg_prescriptions[fkg] += claim.prescriptions;
                    }
                    ggz_indications[static_cast<std::size_t>(at->second.ggz_indicated)] += claim.prescriptions;
                    ggz_ddd[ggz] += claim.ddd;
                    ggz_prescriptions[ggz] += claim.prescriptions;
                }
                break;
            }
            case Category::devices: {
                const auto at = devices_.find(claim.product);
                if (at != devices_.end() && at->second > 0) care.hkg |= std::uint32_t{1} << (at->second - 1);
                break;
            }
            case Category::paramedical: {
                const auto at = physiotherapy_.find(claim.diagnosis);
                if (at != physiotherapy_.end()) care.fdg = std::max(care.fdg, static_cast<std::uint8_t>(at->second));
                break;
            }
            case Category::ggz: {
                const auto at = mental_care_.find(claim.diagnosis);
                if (at != mental_care_.end())
                    care.ggz_dkg = std::max(care.ggz_dkg, static_cast<std::uint8_t>(at->second));
                break;
            }
            case Category::one_and_a_half_line:
                if (claim.title == Title::gp_care) break;
                [[fallthrough]];
            case Category::hospital: {
                if (claim.consult || std::binary_search(consults_.begin(), consults_.end(), claim.product)) break;
                const auto enter = [&](const auto& group) {
                    care.dkg_primary = std::max(care.dkg_primary, static_cast<std::uint8_t>(group.dkg_primary));
                    care.dkg_secondary = std::max(care.dkg_secondary, static_cast<std::uint8_t>(group.dkg_secondary));
                    if (group.dkg == 0) return;
                    if (std::find(dx.begin(), dx.begin() + dx_count, group.dx_group) != dx.begin() + dx_count) return;
                    if (dx_count == dx.size())
                        throw DomainError{
                            {{here(), "distinct dx groups of one person in one year", "at most 64", "more"}}};
                    dx[dx_count++] = group.dx_group;
                    ++care.dkg[static_cast<std::size_t>(group.dkg)];
                };
                if (const auto at = care_products_.find(claim.product); at != care_products_.end()) enter(at->second);
                const auto at = diagnoses_.find(dx_key(claim.specialism, claim.diagnosis));
                if (at != diagnoses_.end() && !(at->second.light && claim.product % 100 >= percent)) enter(at->second);
                break;
            }
            default: break;
        }
    }
    if (drugs)
        for (std::size_t k = 1; k <= 64; ++k) {
            const auto reached = [](const FkgRule& rule, std::int32_t ddd, std::int32_t prescriptions) {
                return rule.min_prescriptions > 0 ? prescriptions >= rule.min_prescriptions : ddd > rule.min_ddd;
            };
            if ((fkg_ddd[k] != 0 || fkg_prescriptions[k] != 0) &&
                reached(fkg_rules_[k], fkg_ddd[k], fkg_prescriptions[k]))
                care.fkg |= std::uint64_t{1} << (k - 1);
            if (k <= 32 && (ggz_ddd[k] != 0 || ggz_prescriptions[k] != 0) &&
                reached(ggz_fkg_rules_[k], ggz_ddd[k], ggz_prescriptions[k]))
                care.ggz_fkg |= std::uint32_t{1} << (k - 1);
        }
    for (std::size_t k = 1; drugs && k <= 32; ++k)
        if (ggz_indications[k] > 0 && (care.ggz_fkg >> (ggz_indicated_by_[k] - 1U) & 1U) != 0)
            care.ggz_fkg |= std::uint32_t{1} << (k - 1);
    return care;
}

Scheme::Clusters Scheme::clusters(const data::Claim& claim, Cents amount) const {
    switch (model_.cluster[static_cast<std::size_t>(claim.category)]) {
        case params::Cluster::variable: {
            if (claim.category != Category::one_and_a_half_line) return {.variable = amount};
            const Cents part = amount * experiment_variable_ppm_ / 1'000'000;
            return {.variable = part, .fixed = amount - part};
        }
        case params::Cluster::ggz: return {.ggz = amount};
        case params::Cluster::fixed: return {.fixed = amount};
        case params::Cluster::nursing: return {.nursing = amount};
        case params::Cluster::specialist:  // shares of their own: years that Scheme refuses
        case params::Cluster::other_care:
        case params::Cluster::none: break;
    }
    return {};
}

bool Scheme::under_deductible(const data::Claim& claim) const {
    if (claim.category == Category::one_and_a_half_line)
        return !model_.title_deductible_exempt[static_cast<std::size_t>(claim.title)];
    return !model_.deductible_exempt[static_cast<std::size_t>(claim.category)];
}

void Scheme::health(const Past& past, Health& out) const {
    out = Health{};
    const auto each = [&](const std::vector<std::int32_t>& lags, auto&& take) {
        for (const std::int32_t lag : lags)
            if (const CareYear* care = past[static_cast<std::size_t>(lag)]) take(*care);
    };
    each(care_years_.fkg, [&](const CareYear& c) { out.fkg |= c.fkg; });
    each(care_years_.hkg, [&](const CareYear& c) { out.hkg |= c.hkg; });
    each(care_years_.fdg, [&](const CareYear& c) { out.fdg = std::max(out.fdg, c.fdg); });
    each(care_years_.dkg, [&](const CareYear& c) {
        for (std::size_t k = 1; k < dkg_codes; ++k) {
            out.dkg[k] = static_cast<std::uint8_t>(out.dkg[k] + c.dkg[k]);
            out.any_dkg = out.any_dkg || c.dkg[k] > 0;
        }
    });
    each(care_years_.dkg_primary,
         [&](const CareYear& c) { out.dkg_primary = std::max(out.dkg_primary, c.dkg_primary); });
    each(care_years_.dkg_secondary,
         [&](const CareYear& c) { out.dkg_secondary = std::max(out.dkg_secondary, c.dkg_secondary); });
    out.residents = past[0] == nullptr ? std::uint8_t{0} : past[0]->residents;
    each(care_years_.ggz_fkg, [&](const CareYear& c) { out.ggz_fkg |= c.ggz_fkg; });
    each(care_years_.ggz_dkg, [&](const CareYear& c) { out.ggz_dkg = std::max(out.ggz_dkg, c.ggz_dkg); });
    // A lowest class of the latest years only (2021: basic mental care, in the year before) lapses with older care.
    if (out.ggz_dkg != 0 && out.ggz_dkg == ggz_dkg_recent_code_) {
        const auto recent = [&](std::int32_t lag) {
            const CareYear* care = past[static_cast<std::size_t>(lag)];
            return care != nullptr && care->ggz_dkg == ggz_dkg_recent_code_;
        };
        if (std::none_of(ggz_dkg_recent_lags_.begin(), ggz_dkg_recent_lags_.end(), recent)) out.ggz_dkg = 0;
    }
    out.fkg = without(out.fkg, fkg_exclusions_);
    out.ggz_fkg = static_cast<std::uint32_t>(without(out.ggz_fkg, ggz_fkg_exclusions_));
}

void Scheme::fill(const Layout& layout, const data::Record& r, std::int32_t year, const Health& h, Row& out) const {
    const std::int32_t a = std::min(age(r, year), 120);
    const auto age_at = static_cast<std::size_t>(std::int64_t{a} + 1);
    for (const Compiled& c : layout.compiled) {
        const auto put = [&](std::int32_t code) { out.add(static_cast<std::size_t>(c.offset + code - c.first_code)); };
        const auto by_age = [&](std::size_t group) {
            const std::uint8_t cell = c.by_age[group][age_at];
            if (cell > 0) put(cell - 1);
        };
        const auto each_bit = [&](std::uint64_t bits) {
            if (bits == 0) return put(0);
            if (c.assignment == params::Assignment::single) return put(static_cast<std::int32_t>(std::bit_width(bits)));
            for (; bits != 0; bits &= bits - 1) put(std::countr_zero(bits) + 1);
        };
        switch (c.kind) {
            case Kind::age_sex: {
                const std::int32_t born = r.birth_month / 12;
                if (a <= 0 && born == year && c.born_this_year[r.sex] != 0) put(c.born_this_year[r.sex] - 1);
                else if (a == 0 && born == year - 1 && c.born_last_year[r.sex] != 0) put(c.born_last_year[r.sex] - 1);
                else by_age(r.sex);
                break;
            }
            case Kind::avi: by_age(r.income_source); break;
            case Kind::region:
                if (r.region != 0) by_age(r.region);
                break;
            case Kind::ses: {
                if (r.region == 0) break;
                // Mental care classes are those of adults (annex 2): a child has none that could move its SES.
                const std::int32_t above = model_.lowest_ses_above_residents;
                const bool many = above > 0 && h.residents > above;
                const bool lowest = (model_.wlz_lowest_ses && r.wlz > 0) || many ||
                                    (model_.lowest_ses_from_ggz_dkg > 0 && a >= model_.adult_age &&
                                     h.ggz_dkg >= model_.lowest_ses_from_ggz_dkg);
                const auto income = static_cast<std::size_t>(r.ses);
                by_age(lowest ? 1
                       : model_.ses_of_income_group.empty()
                           ? income
                           : static_cast<std::size_t>(model_.ses_of_income_group[income - 1]));
                break;
            }
            case Kind::one_person:
                // Addresses decide; the household of the record speaks only where the address is not known.
                if (r.region != 0)
                    put(h.residents == 0 ? r.household == static_cast<std::uint8_t>(HouseholdState::one_person)
                                         : h.residents == 1 && !(model_.wlz_lowest_ses && r.wlz > 0));
                break;
            case Kind::gsm: by_age(gsm_morbid(h) ? 2 : 1); break;
            case Kind::nursing_region:
                if (r.region != 0) by_age(static_cast<std::size_t>(mapping_.nursing_region[r.region - std::size_t{1}]));
                break;
            case Kind::ppa:
                if (r.region != 0) by_age(r.household);
                break;
            case Kind::fkg: each_bit(h.fkg); break;
            case Kind::hkg: each_bit(h.hkg); break;
            case Kind::ggz_fkg: each_bit(h.ggz_fkg); break;
            case Kind::dkg:
                if (!h.any_dkg) put(0);
                else if (c.assignment == params::Assignment::single)
                    put(static_cast<std::int32_t>(
                        h.dkg.rend() - std::find_if(h.dkg.rbegin(), h.dkg.rend(), [](auto n) { return n > 0; }) - 1));
                else
                    for (std::size_t k = 1; k < dkg_codes; ++k)
                        if (h.dkg[k] > 0)
                            out.add(static_cast<std::size_t>(c.offset) + k,
                                    c.assignment == params::Assignment::count ? h.dkg[k] : std::uint16_t{1});
                break;
            case Kind::dkg_primary: put(h.dkg_primary); break;
            case Kind::dkg_secondary: put(h.dkg_secondary); break;
            case Kind::fdg: put(h.fdg); break;
            // The deductible model knows only the first MHK classes: who is above them is on the forfait.
            case Kind::mhk:
                if (std::max(a, 0) >= c.age_min && a <= c.age_max) put(h.mhk);
                break;
            case Kind::mvv: put(h.mvv); break;
            case Kind::ggz_dkg: put(h.ggz_dkg); break;
            case Kind::ggz_mhk: put(h.ggz_mhk); break;
            case Kind::hsm: put(h.hsm); break;
            case Kind::mfk: put(h.mfk); break;
            case Kind::ibz: put(h.ibz); break;
            case Kind::hhk: put(h.hhk); break;
            case Kind::okh: put(h.okh); break;
            case Kind::sei: put(h.sei); break;
        }
    }
}

void Scheme::variable_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const {
    out.size = 0;
    fill(variable_, r, year, h, out);
}

void Scheme::ggz_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const {
    out.size = 0;
    if (age(r, year) >= model_.adult_age) fill(ggz_, r, year, h, out);
}

void Scheme::deductible_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const {
    out.size = 0;
    if (age(r, year) < model_.adult_age) return;
    if (morbid(h)) out.add(static_cast<std::size_t>(forfait_column()));
    else fill(deductible_, r, year, h, out);
}

void Scheme::nursing_row(const data::Record& r, std::int32_t year, const Health& h, Row& out) const {
    out.size = 0;
    fill(nursing_, r, year, h, out);
}

bool Scheme::Morbidity::of(const Health& h) const {
    return (fkg && h.fkg != 0) || (dkg && h.any_dkg) || (dkg_primary && h.dkg_primary != 0) ||
           (dkg_secondary && h.dkg_secondary != 0) || (hkg && h.hkg != 0) || (mvv && h.mvv != 0) ||
           (fdg && h.fdg != 0) || (mhk && h.mhk != 0);
}

bool Scheme::morbid(const Health& h) const {
    return forfait_.of(h) || (model_.forfait_from_mhk > 0 && h.mhk >= model_.forfait_from_mhk);
}

bool Scheme::gsm_morbid(const Health& h) const { return gsm_.of(h); }

std::vector<MicroEuro> Scheme::weights(const Share& share) const {
    std::vector<MicroEuro> result;
    for (const Criterion& c : share.criteria)
        for (const RiskClass& k : c.classes) result.push_back(k.weight);
    return result;
}

std::vector<MicroEuro> Scheme::deductible_weights() const {
    std::vector<MicroEuro> result = weights(model_.deductible);
    result.push_back(model_.forfait * micro_per_cent);
    return result;
}

}  // namespace anderhalf::risk
