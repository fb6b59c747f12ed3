#include <anderhalf/core/calendar.hpp>
#include <anderhalf/core/errors.hpp>

#include "scenario_arm.hpp"

#include <iterator>
#include <map>
#include <tuple>
#include <unordered_map>

namespace anderhalf::scenario {

using substitution::Claims;
using substitution::Contract;
using substitution::ContractKind;
using substitution::Effect;
using substitution::Fall;
using substitution::kept_of;
using substitution::Movement;
using substitution::Substitution;

namespace {

[[nodiscard]] std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

constexpr std::int64_t million = 1'000'000;

/// Rules of all programmes in one row: where those of each programme begin.
[[nodiscard]] std::vector<std::size_t> rule_begin(std::span<const Substitution> programmes) {
    std::vector<std::size_t> begin{0};
    for (const Substitution& s : programmes) begin.push_back(begin.back() + s.programme().rules.size());
    return begin;
}

/// The contracts of a run: which one binds an insurer in a municipality and a year.
class Contracts {
public:
    struct Entry {
        std::uint16_t programme = 0;
        const Substitution* of = nullptr;
        const Contract* contract = nullptr;
        [[nodiscard]] bool names(std::uint16_t insurer) const {
            const auto& all = contract->insurers;
            return all.empty() || std::find(all.begin(), all.end(), insurer) != all.end();
        }
        [[nodiscard]] bool binds(std::uint16_t insurer, std::uint16_t municipality, std::int32_t year) const {
            return year >= contract->from_year && year <= contract->to_year && names(insurer) &&
                   of->in_area(municipality, year);
        }
    };

    /// @throw ParameterError  two contracts that bind one insurer in one municipality and year
    Contracts(const Baseline& b, std::span<const Substitution> programmes) {
        for (std::size_t k = 0; k < programmes.size(); ++k)
            for (const Contract& c : programmes[k].programme().contracts)
                entries_.push_back({static_cast<std::uint16_t>(k), &programmes[k], &c});
        if (entries_.size() < 2) return;
        std::vector<std::uint16_t> places;
        for (const ArmYear& year : b.years)
            for (const MunicipalityDays& m : year.municipality_days) places.push_back(m.municipality);
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        const auto both = [&](const Entry& one, const Entry& two) {
            for (std::int32_t t = b.options.start; t < b.options.start + b.options.horizon; ++t)
                for (const std::uint16_t place : places)
                    for (const std::uint16_t i : b.options.insurers)
                        if (one.binds(i, place, t) && two.binds(i, place, t)) return true;
            return false;
        };
        Problems<ParameterError> problems;
        for (std::size_t k = 0; k < entries_.size(); ++k)
            for (std::size_t j = 0; j < k; ++j)
                problems.require(!both(entries_[j], entries_[k]), "programmes of the run", "contract",
                                 "one for an insurer, area and year", name(entries_[j]) + " and " + name(entries_[k]));
        problems.throw_if_any();
    }

    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    /// Position of the contract, or -1.
    [[nodiscard]] std::int32_t find(std::uint16_t insurer, std::uint16_t municipality, std::int32_t year) const {
        for (std::size_t k = 0; k < entries_.size(); ++k)
            if (entries_[k].binds(insurer, municipality, year)) return static_cast<std::int32_t>(k);
        return -1;
    }
    [[nodiscard]] bool rebases() const {
        return std::any_of(entries_.begin(), entries_.end(),
                           [](const Entry& e) { return e.contract->kind == ContractKind::price_rebase; });
    }

private:
    [[nodiscard]] static std::string name(const Entry& e) {
        return e.contract->hospital + " (" + e.of->programme().name + ")";
    }
    std::vector<Entry> entries_;
};

/// A fall under a contract, by position in the overlay.
struct Pending {
    std::int32_t contract = 0;
    std::int32_t year = 0;
    std::size_t care = 0, cost = 0, movement = 0;
    std::uint16_t represents = 1;
    Fall fall;
};

/// What one chunk of candidates becomes.
struct Reached {
    std::vector<risk::CareYear> care;
    std::vector<RecordCost> cost;
    std::vector<Cents> hospital;  // settled hospital claims left, by cost; only for contracts that change prices
    std::vector<std::pair<std::uint32_t, std::int32_t>> touched;
    std::vector<Movement> movements;
    std::vector<Pending> pending;
    std::int64_t patients = 0, patients_rows = 0;
};

/// Money that a contract goes on paying for no claim: cost, and MHK where the model year ranks settled cost.
void add_settled(const risk::Scheme& scheme, const data::Claim& claim, risk::CareYear& care, RecordCost& cost) {
    const risk::CareYear more = scheme.read({&claim, 1});
    care.mhk_cost += more.mhk_cost;
    care.ggz_cost += more.ggz_cost;
    detail::add_cost(scheme, claim, cost);
}

/// Shares a total over rows in order, in whole cents of each row, so that all rows up to here have the share of what they
/// weigh together.
class Spread {
public:
    Spread(Cents total, Cents weight) : total_{total}, weight_{weight} {}
    [[nodiscard]] Cents next(Cents weight, std::int64_t represents) {
        seen_ += weight * represents;
        const auto until = weight_ == 0 ? Cents{0} : static_cast<Cents>(static_cast<Int128>(total_) * seen_ / weight_);
        const Cents row = (until - given_) / represents;
        given_ += row * represents;
        return row;
    }
    [[nodiscard]] Cents given() const { return given_; }

private:
    Cents total_ = 0, weight_ = 0, seen_ = 0, given_ = 0;
};

/// Settles the falls under contracts, and wins lost revenue back where prices follow.
class Settling {
public:
    Settling(const Baseline& b, const Contracts& contracts, const Area& area, detail::Overlay& o,
             std::vector<Cents>& hospital)
        : b_{b}, contracts_{contracts}, area_{area}, o_{o}, hospital_{hospital} {}

    void falls(const std::vector<Pending>& pending) {
        for (const Pending& p : pending) totals_[key(p)] += p.fall.cents * p.represents;
        std::map<Key, Spread> spreads;
        for (const auto& [k, fallen] : totals_) spreads.emplace(k, Spread{saved(k, fallen), fallen});
        for (const Pending& p : pending) {
            const Cents saved = std::min(spreads.at(key(p)).next(p.fall.cents, p.represents), p.fall.cents);
            const Cents kept = p.fall.cents - saved;
            if (kept == 0) continue;
            o_.movements[p.movement].settled += kept;
            add_settled(*b_.scheme, kept_of(p.fall.claim, kept), o_.care[p.care], o_.cost[p.cost]);
        }
        for (const auto& [k, spread] : spreads) won_back(k, spread.given());
    }

    void rebase() {
        for (const auto& [k, cents] : due_) surcharge(k, cents);
        const auto order = [](const auto& x, const auto& y) {
            return std::tuple{x.second, x.first} < std::tuple{y.second, y.first};
        };
        std::sort(o_.touched.begin(), o_.touched.end(), order);
        std::stable_sort(o_.movements.begin(), o_.movements.end(), [](const Movement& x, const Movement& y) {
            return std::tuple{x.year, x.person} < std::tuple{y.year, y.person};
        });
    }

private:
    using Key = std::tuple<std::int32_t, std::int32_t, std::uint16_t>;  // year, contract, insurer

    [[nodiscard]] static Key key(const Pending& p) { return {p.year, p.contract, p.fall.claim.insurer}; }
    [[nodiscard]] const Contracts::Entry& entry(const Key& k) const { return contracts_.entries()[at(std::get<1>(k))]; }

    [[nodiscard]] Cents saved(const Key& k, Cents fallen) const {
        const auto& [year, c, insurer] = k;
        const Contracts::Entry& e = entry(k);
        const auto part = [](Cents cents, std::int64_t ppm) {
            return static_cast<Cents>(static_cast<Int128>(cents) * ppm / million);
        };
        if (e.contract->kind != ContractKind::ceiling) return part(fallen, e.contract->pass_through_ppm);
        const auto& order = b_.options.insurers;
        const auto i = at(std::find(order.begin(), order.end(), insurer) - order.begin());
        const Cents production = area_.hospital[e.programme][at(year - b_.options.start)][i];
        return std::max<Cents>(0, fallen - part(production, e.contract->over_ceiling_ppm));
    }

    void won_back(const Key& k, Cents lost) {
        const auto& [year, c, insurer] = k;
        const Contract& contract = *entry(k).contract;
        if (contract.kind != ContractKind::price_rebase) return;
        const auto won = static_cast<Cents>(static_cast<Int128>(lost) * contract.rebase_ppm / million);
        for (std::int32_t j = 1; j <= contract.rebase_years; ++j)
            if (year + j < b_.options.start + b_.options.horizon)
                due_[{year + j, c, insurer}] += won * j / contract.rebase_years - won * (j - 1) / contract.rebase_years;
    }

    /// Settled hospital claims left of one person-year with the insurer in the area, and the first of their records.
    struct Left {
        Cents cents = 0;
        std::int64_t represents = 1;
        std::size_t record = 0;
    };
    [[nodiscard]] Left left(Index p, std::int32_t year, std::uint16_t insurer, const Substitution& of) const {
        const Panel& panel = *b_.panel;
        const auto records = panel.records_of(p, year);
        const std::int32_t changed = o_.cost_at.at(p, year);
        Left l;
        bool found = false;
        for (std::size_t k = 0; k < records.size(); ++k) {
            const data::Record& r = records[k];
            if (r.insurer != insurer || !of.in_area(r.municipality, year)) continue;
            if (!std::exchange(found, true)) {
                l.represents = r.represents;
                l.record = k;
            }
            l.cents += changed >= 0 ? hospital_[at(changed) + k] : hospital_of(p, year, k);
        }
        l.cents = std::max<Cents>(l.cents, 0);
        return l;
    }

    void surcharge(const Key& k, Cents cents) {
        const Panel& panel = *b_.panel;
        const auto& [year, c, insurer] = k;
        const Contracts::Entry& e = entry(k);
        if (cents == 0) return;
        std::vector<std::pair<Index, Left>> rows;
        Cents weight = 0;
        for (Index p = 0; p < panel.persons(); ++p) {
            const Left l = left(p, year, insurer, *e.of);
            if (l.cents == 0) continue;
            rows.emplace_back(p, l);
            weight += l.cents * l.represents;
        }
        Spread spread{cents, weight};
        for (const auto& [p, l] : rows) {
            const Cents more = spread.next(l.cents, l.represents);
            if (more == 0) continue;
            touch(p, year);
            data::Claim claim;
            claim.person = panel.person[at(p)];
            claim.opened = claim.closed = panel.records_of(p, year)[l.record].first_day;
            claim.insurer = insurer;
            claim = kept_of(claim, more);
            add_settled(*b_.scheme, claim, o_.care[at(o_.care_at.at(p, year))],
                        o_.cost[at(o_.cost_at.at(p, year)) + l.record]);
            o_.movements.push_back({.person = claim.person,
                                    .year = year,
                                    .insurer = insurer,
                                    .specialism = 0,
                                    .consult = false,
                                    .effect = Effect::price_rebase,
                                    .category = Category::hospital,
                                    .settled = more,
                                    .claimed = 0,
                                    .represents = static_cast<std::uint16_t>(l.represents),
                                    .programme = e.programme,
                                    .rule = 0});
        }
    }

    /// Settled hospital claims of the baseline that a record bears.
    [[nodiscard]] Cents hospital_of(Index p, std::int32_t year, std::size_t record) const {
        Cents cents = 0;
        for (const data::Claim& c : b_.panel->claims_of(p, year))
            if (c.category == Category::hospital && at(detail::record_of(b_.panel->records_of(p, year), c)) == record)
                cents += c.settled_cents;
        return cents;
    }

    /// Lays the baseline of a person-year into the overlay when it is not there.
    void touch(Index p, std::int32_t year) {
        if (o_.care_at.at(p, year) >= 0) return;
        const Panel& panel = *b_.panel;
        o_.care_at.put(p, year, static_cast<std::int32_t>(o_.care.size()));
        o_.cost_at.put(p, year, static_cast<std::int32_t>(o_.cost.size()));
        o_.care.push_back(panel.care[panel.cell(p, year)]);
        o_.touched.emplace_back(static_cast<std::uint32_t>(p), year);
        for (std::size_t k = 0; k < panel.records_of(p, year).size(); ++k) {
            o_.cost.push_back(panel.cost_of(panel.records_of(p, year)[k]));
            hospital_.push_back(hospital_of(p, year, k));
        }
    }

    const Baseline& b_;
    const Contracts& contracts_;
    const Area& area_;
    detail::Overlay& o_;
    std::vector<Cents>& hospital_;
    std::map<Key, Cents> totals_, due_;
};

}  // namespace

detail::Overlay detail::apply(const Baseline& b, std::span<const Substitution> programmes, const Area& area,
                              const Run& run) {
    const Panel& panel = *b.panel;
    const std::int32_t start = b.options.start, horizon = b.options.horizon;
    const bool same_years = std::all_of(area.candidates.begin(), area.candidates.end(), [&](const Candidate& c) {
        return c.person < panel.persons() && c.year >= start && c.year < start + horizon;
    });
    bool same_programmes = area.volumes.size() == programmes.size() && area.hospital.size() == programmes.size() &&
                           area.rules.size() == programmes.size();
    for (std::size_t q = 0; same_programmes && q < programmes.size(); ++q) {
        const substitution::Programme& p = programmes[q].programme();
        same_programmes = static_cast<std::int32_t>(area.volumes[q].size()) == horizon &&
                          area.rules[q] == p.rules.size() && area.hospital[q].empty() == p.contracts.empty();
    }
    if (!same_programmes || !same_years)
        throw ShapeError{{{"simulate", "area", "a survey of this baseline and its years for these programmes",
                           "one of other years, persons or programmes"}}};
    const Contracts contracts{b, programmes};
    const bool rebases = contracts.rebases();
    const std::vector<std::size_t> begin = rule_begin(programmes);
    std::vector<std::vector<substitution::Chances>> chances(programmes.size());  // by programme and year
    for (std::size_t q = 0; q < programmes.size(); ++q)
        for (std::int32_t k = 0; k < horizon; ++k)
            chances[q].push_back(programmes[q].chances(start + k, area.volumes[q][at(k)], days_in(start + k)));

    constexpr Index chunk = 4096;
    const auto all = static_cast<Index>(area.candidates.size());
    std::vector<Reached> parts(at((all + chunk - 1) / chunk));
    for_each_chunk({.threads = run.threads, .stop = run.stop}, static_cast<Index>(parts.size()), [&](Index at_chunk) {
        Reached& part = parts[at(at_chunk)];
        Claims claims;
        std::vector<Fall> falls;
        for (Index c = at_chunk * chunk; c < std::min(all, (at_chunk + 1) * chunk); ++c) {
            const auto& [p, year, onset_row, reaching] = area.candidates[at(c)];
            const substitution::PersonYear of{panel.records_of(p, year), year, panel.claims_of(p, year)};
            bool touched = false, taken = false;
            const std::size_t movements_before = part.movements.size();
            falls.clear();
            std::vector<std::size_t> falls_of;  // of each fall, its programme
            for (std::size_t q = 0; q < programmes.size(); ++q) {
                if ((reaching & Candidate::bit(q)) == 0 || !programmes[q].active(year)) continue;
                std::span<const std::int32_t> onset;
                if (onset_row >= 0)
                    onset = {area.onset.data() + at(onset_row) * begin.back() + begin[q], begin[q + 1] - begin[q]};
                if (!std::exchange(taken, true)) claims.take(of.claims);
                const std::size_t first = part.movements.size();
                if (!programmes[q].apply(of, chances[q][at(year - start)], onset, b.options.seed, claims,
                                         part.movements, falls))
                    continue;
                touched = true;
                falls_of.resize(falls.size(), q);
                std::int64_t contacts = programmes[q].programme().lines.empty() ? 1 : 0;
                for (std::size_t m = first; m < part.movements.size(); ++m) {
                    Movement& movement = part.movements[m];
                    movement.programme = static_cast<std::uint16_t>(q);
                    if (movement.rule == 0 &&
                        (movement.effect == Effect::replacement || movement.effect == Effect::added ||
                         movement.effect == Effect::referred_on))
                        ++contacts;
                }
                part.patients_rows += contacts;
                if (first < part.movements.size()) part.patients += contacts * part.movements[first].represents;
            }
            if (!touched) {
                part.movements.resize(movements_before);
                continue;
            }
            const std::size_t cost_at = part.cost.size();
            part.cost.resize(cost_at + of.records.size());
            if (rebases) {
                part.hospital.resize(part.cost.size());
                for (const data::Claim& claim : claims.claim)
                    if (claim.category == Category::hospital)
                        part.hospital[cost_at + at(detail::record_of(of.records, claim))] += claim.settled_cents;
            }
            for (std::size_t f = 0; f < falls.size(); ++f) {
                const Fall& fall = falls[f];
                const std::int32_t contract = contracts.find(fall.claim.insurer, fall.municipality, year);
                if (contract >= 0) {
                    part.pending.push_back({contract, year, part.care.size(),
                                            cost_at + at(detail::record_of(of.records, fall.claim)), fall.movement,
                                            part.movements[fall.movement].represents, fall});
                } else if (const Cents kept = programmes[falls_of[f]].kept_without_contract(fall.cents); kept != 0) {
                    claims.push(kept_of(fall.claim, kept), true);
                    part.movements[fall.movement].settled += kept;
                }
            }
            part.touched.emplace_back(p, year);
            risk::CareYear care = b.scheme->read(claims.claim);
            care.insured = 1;
            care.residents = panel.care[panel.cell(p, year)].residents;
            care.whole_year = panel.care[panel.cell(p, year)].whole_year;
            part.care.push_back(care);
            for (const data::Claim& claim : claims.claim)
                detail::add_cost(*b.scheme, claim, part.cost[cost_at + at(detail::record_of(of.records, claim))]);
        }
    });

    Overlay o;
    o.care_at = o.cost_at = CellIndex{panel.persons(), panel.first_year, panel.years};
    std::vector<Cents> hospital;
    std::vector<Pending> pending;
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    for (Reached& part : parts) {
        auto care_at = static_cast<std::int32_t>(o.care.size()), cost_at = static_cast<std::int32_t>(o.cost.size());
        for (Pending& p : part.pending) {
            p.care += o.care.size();
            p.cost += o.cost.size();
            p.movement += o.movements.size();
        }
        append(o.care, part.care);
        append(o.cost, part.cost);
        append(o.touched, part.touched);
        append(o.movements, part.movements);
        append(hospital, part.hospital);
        append(pending, part.pending);
        o.patients += part.patients;
        o.patients_rows += part.patients_rows;
        for (const auto& [p, year] : part.touched) {
            o.care_at.put(p, year, care_at++);
            o.cost_at.put(p, year, cost_at);
            cost_at += static_cast<std::int32_t>(panel.records_of(p, year).size());
        }
        part = Reached{};
    }
    if (!pending.empty()) {
        Settling settling{b, contracts, area, o, hospital};
        settling.falls(pending);
        if (rebases) settling.rebase();
    }
    return o;
}

detail::AddedUp detail::add_up(const Overlay& overlay, const Options& options, const Run& run) {
    const std::vector<std::int32_t> insurers = insurer_index(options.insurers);
    AddedUp result;
    result.reached.assign(at(options.horizon), std::vector<std::int64_t>(options.insurers.size(), 0));
    std::vector<std::vector<MovementTotal>> of_year(at(options.horizon));
    for_each_chunk({.threads = run.threads, .stop = run.stop}, options.horizon, [&](Index k) {
        const std::int32_t year = options.start + static_cast<std::int32_t>(k);
        const auto earlier = [](const Movement& m, std::int32_t y) { return m.year < y; };
        const auto first = std::lower_bound(overlay.movements.begin(), overlay.movements.end(), year, earlier);
        const auto last = std::lower_bound(first, overlay.movements.end(), year + 1, earlier);
        struct Sum {
            MovementTotal total;
            std::uint64_t last_person = 0;  // movements of a person-year come together
        };
        std::unordered_map<std::uint64_t, Sum> sums;
        std::vector<std::uint64_t> last_person(options.insurers.size(), ~std::uint64_t{0});
        static_assert(substitution::most_rules < 1 << 12 && substitution::most_programmes < 1 << 10);  // bits of a key
        for (auto m = first; m != last; ++m) {
            const std::size_t i = at(insurers[m->insurer]);
            const std::uint64_t key =
                (static_cast<std::uint64_t>(i) << 48U) | (static_cast<std::uint64_t>(m->specialism) << 32U) |
                (static_cast<std::uint64_t>(m->consult ? 1 : 0) << 31U) |
                (static_cast<std::uint64_t>(m->effect) << 27U) | (static_cast<std::uint64_t>(m->category) << 22U) |
                (static_cast<std::uint64_t>(m->programme) << 12U) | m->rule;
            const auto [at_key, fresh] = sums.try_emplace(key);
            Sum& s = at_key->second;
            MovementTotal& t = s.total;
            if (fresh || s.last_person != m->person) ++t.persons;
            s.last_person = m->person;
            if (fresh) {
                t.year = year;
                t.insurer = m->insurer;
                t.specialism = m->specialism;
                t.consult = m->consult;
                t.effect = m->effect;
                t.category = m->category;
                t.programme = m->programme;
                t.rule = m->rule;
            }
            t.claims += m->represents;
            t.settled += m->settled * m->represents;
            t.claimed += m->claimed * m->represents;
            if (m->effect == Effect::price_rebase) continue;  // dearer claims, not moved ones
            if (std::exchange(last_person[i], m->person) != m->person) ++result.reached[at(k)][i];
        }
        const auto order = [](const MovementTotal& t) {
            return std::tuple{t.insurer, t.specialism, t.consult, t.effect, t.category, t.programme, t.rule};
        };
        for (const auto& [key, sum] : sums) of_year[at(k)].push_back(sum.total);
        std::sort(of_year[at(k)].begin(), of_year[at(k)].end(),
                  [&](const MovementTotal& x, const MovementTotal& y) { return order(x) < order(y); });
    });
    for (const auto& totals : of_year) result.totals.insert(result.totals.end(), totals.begin(), totals.end());
    return result;
}

void detail::check_kept(const Baseline& b, std::span<const Substitution> programmes) {
    if (!b.lean()) return;
    std::vector<std::uint16_t> kept = b.options.keep;
    std::sort(kept.begin(), kept.end());
    Problems<ParameterError> problems;
    for (const Substitution& s : programmes) {
        const substitution::Programme& p = s.programme();
        std::vector<std::uint16_t> area = p.municipalities, missing;
        bool nation = area.empty();
        if (p.hand_over_year) {
            nation = nation || p.hand_over_municipalities.empty();
            area.insert(area.end(), p.hand_over_municipalities.begin(), p.hand_over_municipalities.end());
        }
        std::sort(area.begin(), area.end());
        area.erase(std::unique(area.begin(), area.end()), area.end());
        std::set_difference(area.begin(), area.end(), kept.begin(), kept.end(), std::back_inserter(missing));
        std::string codes;
        for (const std::uint16_t code : missing) codes += (codes.empty() ? "also " : ", ") + std::to_string(code);
        problems.require(!nation && missing.empty(), "programme " + p.name, "municipalities",
                         "among the " + std::to_string(kept.size()) + " that the baseline keeps",
                         nation ? "the whole country" : codes);
    }
    problems.throw_if_any();
}

Area survey(const Baseline& b, std::span<const Substitution> programmes, const Run& run) {
    detail::check_kept(b, programmes);
    const Panel& panel = *b.panel;
    const std::vector<std::int32_t> insurers = detail::insurer_index(b.options.insurers);
    const std::size_t n = b.options.insurers.size();
    const std::int32_t start = b.options.start, horizon = b.options.horizon;
    const std::vector<std::size_t> begin = rule_begin(programmes);
    std::vector<std::vector<std::uint8_t>> places(at(horizon), std::vector<std::uint8_t>(0x10000));
    for (std::int32_t k = 0; k < horizon; ++k)
        for (std::size_t m = 0; m < places[at(k)].size(); ++m)
            places[at(k)][m] =
                std::any_of(programmes.begin(), programmes.end(),
                            [&](const Substitution& s) { return s.in_area(static_cast<std::uint16_t>(m), start + k); })
                    ? 1
                    : 0;
    const auto in_any = [&](std::span<const data::Record> records, std::int32_t year) {
        return std::any_of(records.begin(), records.end(),
                           [&](const data::Record& r) { return places[at(year - start)][r.municipality] != 0; });
    };
    Area area;
    // First years of onset, of those who are in an area at all.
    std::vector<std::int32_t> onset_row;
    const bool onsets = std::any_of(programmes.begin(), programmes.end(), [](const Substitution& s) {
        return std::any_of(s.programme().rules.begin(), s.programme().rules.end(),
                           [](const substitution::Rule& r) { return r.who.onset.has_value(); });
    });
    if (onsets) {
        onset_row.assign(at(panel.persons()), -1);
        constexpr Index chunk = 8192;
        struct Rows {
            std::vector<Index> person;
            std::vector<std::int32_t> first;
        };
        std::vector<Rows> found(at((panel.persons() + chunk - 1) / chunk));
        for_each_chunk({.threads = run.threads, .stop = run.stop}, static_cast<Index>(found.size()), [&](Index block) {
            std::vector<std::int32_t> first(begin.back());
            for (Index p = block * chunk; p < std::min(panel.persons(), (block + 1) * chunk); ++p) {
                bool inside = false, any = false;
                for (std::int32_t t = start; t < start + horizon && !inside; ++t)
                    inside = in_any(panel.records_of(p, t), t);
                if (!inside) continue;
                std::fill(first.begin(), first.end(), 0);
                for (std::int32_t t = start; t < start + horizon; ++t)  // a panel may keep earlier claims
                    for (const data::Claim& c : panel.claims_of(p, t))
                        for (std::size_t q = 0; q < programmes.size(); ++q)
                            for (std::size_t k = 0; k < programmes[q].programme().rules.size(); ++k) {
                                const auto& onset = programmes[q].programme().rules[k].who.onset;
                                if (!onset || first[begin[q] + k] != 0 || !onset->matches(c)) continue;
                                first[begin[q] + k] = t;
                                any = true;
                            }
                if (!any) continue;
                found[at(block)].person.push_back(p);
                auto& to = found[at(block)].first;
                to.insert(to.end(), first.begin(), first.end());
            }
        });
        std::int32_t row = 0;
        for (const Rows& rows : found) {
            for (const Index p : rows.person) onset_row[at(p)] = row++;
            area.onset.insert(area.onset.end(), rows.first.begin(), rows.first.end());
        }
    }

    area.volumes.resize(programmes.size());
    area.hospital.resize(programmes.size());
    for (std::size_t q = 0; q < programmes.size(); ++q) {
        area.volumes[q].resize(at(horizon));
        const substitution::Programme& p = programmes[q].programme();
        if (!p.contracts.empty()) area.hospital[q].assign(at(horizon), std::vector<Cents>(n, 0));
        area.rules.push_back(p.rules.size());
    }
    std::vector<std::vector<Candidate>> candidates(at(horizon));
    for_each_chunk({.threads = run.threads, .stop = run.stop}, horizon, [&](Index k) {
        const std::int32_t year = start + static_cast<std::int32_t>(k);
        for (Index p = 0; p < panel.persons(); ++p) {
            const auto records = panel.records_of(p, year);
            if (!in_any(records, year)) continue;
            const auto claims = panel.claims_of(p, year);
            Candidate candidate{static_cast<std::uint32_t>(p), year, onsets ? onset_row[at(p)] : -1, 0};
            for (std::size_t q = 0; q < programmes.size(); ++q) {
                const Substitution& s = programmes[q];
                if (!s.programme().lines.empty()) s.count(records, claims, area.volumes[q][at(k)]);
                if (!s.programme().contracts.empty())
                    for (const data::Claim& c : claims)
                        if (c.category == Category::hospital) {
                            const data::Record& bearer = records[at(detail::record_of(records, c))];
                            if (s.in_area(bearer.municipality, year))
                                area.hospital[q][at(k)][at(insurers[c.insurer])] +=
                                    static_cast<Cents>(c.settled_cents) * bearer.represents;
                        }
                std::span<const std::int32_t> onset;
                if (candidate.onset >= 0)
                    onset = {area.onset.data() + at(candidate.onset) * begin.back() + begin[q],
                             begin[q + 1] - begin[q]};
                if (s.candidate({records, year, claims}, onset)) candidate.programmes |= Candidate::bit(q);
            }
            if (candidate.programmes != 0) candidates[at(k)].push_back(candidate);
        }
    });
    for (const auto& of_year : candidates)
        area.candidates.insert(area.candidates.end(), of_year.begin(), of_year.end());
    return area;
}

}  // namespace anderhalf::scenario
