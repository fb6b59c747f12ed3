#include <anderhalf/core/errors.hpp>
#include <anderhalf/core/random.hpp>
#include <anderhalf/own_payment.hpp>
#include <anderhalf/params.hpp>
#include <anderhalf/payment.hpp>

#include <catch2/catch.hpp>

#include <numeric>

using namespace anderhalf;
using namespace anderhalf::payment;
using params::Neutrality;

namespace {

constexpr MicroEuro euro = 1'000'000;
const std::vector<risk::CriterionColumns> layout{{"c", params::Assignment::single, 0, 0, 3}};
const std::vector<MicroEuro> printed{-100 * euro, 400 * euro, 900 * euro};
// Two of class 1 left for none: expected 86, 10 and 4 insured, realised 88, 8 and 4.
const Counts expected{{86, 10, 4}}, realised{{88, 8, 4}};

std::vector<MicroEuro> neutral_of(const params::NeutralityRule& rule, const Counts& want = expected,
                                  const Counts& have = realised, Rounding rounding = Rounding::exact) {
    return neutral(layout, {rule}, "variable", printed, want, have, rounding);
}

/// Normative amounts in cents as micro-euro x days of one year of 365 days.
ShareInput share_of(const std::vector<Cents>& cents, Cents cost, std::int64_t flat_ppm,
                    const std::vector<Days>& adults) {
    ShareInput in;
    for (const Cents c : cents) in.normative.push_back(static_cast<Int128>(c) * micro_per_cent * 365);
    in.flat_ppm = flat_ppm;
    in.adult_days = adults;
    in.national.cost = cost;
    for (const Int128 n : in.normative) in.national.normative += n;
    return in;
}

Cents sum(const std::vector<Cents>& v) { return std::accumulate(v.begin(), v.end(), Cents{0}); }

}  // namespace

TEST_CASE("class_totals: every class keeps the euros it was expected to have", "[payment][published]") {
    const auto w = neutral_of({"variable", "c", Neutrality::class_totals, {}, {}, "11(5)"});
    CHECK(w[1] == 500 * euro);   // 400 x 10 / 8
    CHECK(w[0] == -97'727'273);  // -100 x 86 / 88 = -97.72727272..
    CHECK(w[2] == 900 * euro);
    // Class 1 without insured: nobody to pay, the weight stays.
    CHECK(neutral_of({"variable", "c", Neutrality::class_totals, {}, {}, ""}, expected, {{96, 0, 4}})[1] == 400 * euro);
}

TEST_CASE("class_totals: what a leaver costs its insurer is what others in the class and in none gain",
          "[payment][published]") {
    // Insurer 1 had 36, 4, 0; after two leave class 1: 38, 2, 0. Insurer 2: 50, 6, 4 throughout. Loss of insurer 1 =
    // 2 [400 (1 - 2/8) + 100 (1 - 38/88)] = 713.6363..
    const params::NeutralityRule rule{"variable", "c", Neutrality::class_totals, {}, {}, "11(5)"};
    const auto before = neutral_of(rule, expected, expected), after = neutral_of(rule);
    const auto of = [](const std::vector<MicroEuro>& w, std::vector<Days> n) {
        return n[0] * w[0] + n[1] * w[1] + n[2] * w[2];
    };
    const MicroEuro lost = of(after, {38, 2, 0}) - of(before, {36, 4, 0}),
                    won = of(after, {50, 6, 4}) - of(before, {50, 6, 4});
    CHECK(lost == Approx(-713.636364 * euro).margin(100));
    CHECK(std::abs(lost + won) <= 88 / 2);  // half a micro-euro per insured of `none`
}

TEST_CASE("zero_sum: none is re-set so that the criterion sums to nothing", "[payment][published]") {
    const auto w = neutral_of({"variable", "c", Neutrality::zero_sum, {0}, {}, "11(6)"});
    CHECK(w[0] == -77'272'727);  // -(8 x 400 + 4 x 900) / 88
    CHECK(w[1] == 400 * euro);
    CHECK(std::abs(88 * w[0] + 8 * w[1] + 4 * w[2]) <= 44);
    // Nobody in none: the rule has nobody to work on.
    CHECK(neutral_of({"variable", "c", Neutrality::zero_sum, {0}, {}, ""}, expected, {{0, 8, 4}}) == printed);
}

TEST_CASE("zero_sum over a part: GSM of 2015 is neutral per age band", "[payment][published]") {
    // Weights of 2015, table 1.10; below 65: 84 without and 16 with morbidity, from 65: 4 and 6 (art. 11(4),
    // Beleidsregels 18(5)-(6)).
    const std::vector<risk::CriterionColumns> gsm{{"gsm", params::Assignment::single, 0, 1, 4}};
    const std::vector<MicroEuro> official{-81'450'000, -318'390'000, 416'850'000, 198'170'000};
    const auto& rules = params::nl_2015().neutrality;
    const auto w =
        neutral(gsm, {rules[3], rules[4]}, "variable", official, {{1, 1, 1, 1}}, {{84, 4, 16, 6}}, Rounding::legal);
    CHECK(w == std::vector<MicroEuro>{-79'400'000, -297'260'000, 416'850'000, 198'170'000});
    // 416.85 x 16 / 84 = 79.40; 198.17 x 6 / 4 = 297.255, half away from zero.
}

TEST_CASE("offset: none takes the surprise of the named classes and of no other", "[payment][published]") {
    const auto w = neutral_of({"variable", "c", Neutrality::offset, {0}, {1}, "11(9)"});
    CHECK(w[0] == -90'909'091);  // -100 + 2 x 400 / 88
    CHECK(neutral_of({"variable", "c", Neutrality::offset, {0}, {2}, ""}) == printed);
    // Several re-set classes move by one amount: 400 x (14 - 10) / (20 + 40) = 26.67 each.
    const auto both =
        neutral_of({"variable", "c", Neutrality::offset, {0, 2}, {1}, ""}, {{20, 10, 40}}, {{20, 14, 40}});
    CHECK(both[0] == -100 * euro - 26'666'667);
    CHECK(both[2] == 900 * euro - 26'666'667);
}

TEST_CASE("expected counts are scaled to the insured of the year", "[payment][published]") {
    // 43 + 5 + 2 of 50 insured expected, 100 now: the same as 86, 10 and 4.
    const Counts lagged{{43, 5, 2}, 100, 50};
    const params::NeutralityRule rule{"variable", "c", Neutrality::class_totals, {}, {}, ""};
    CHECK(neutral_of(rule, lagged) == neutral_of(rule));
}

TEST_CASE("legal mode rounds to two decimals, halves away from zero on both sides", "[payment][published]") {
    // -334.63 x 1/2 = -167.315 and 334.63 x 1/2 = 167.315.
    const std::vector<MicroEuro> w{-334'630'000, 334'630'000, 0};
    const params::NeutralityRule rule{"variable", "c", Neutrality::class_totals, {}, {}, "11(5)"};
    const auto r = neutral(layout, {rule}, "variable", w, {{1, 2, 1}}, {{2, 4, 1}}, Rounding::legal);
    CHECK(r[0] == -167'320'000);
    CHECK(r[1] == 167'320'000);
    CHECK_THROWS_AS(neutral(layout, {{"variable", "x", Neutrality::zero_sum, {0}, {}, ""}}, "variable", printed,
                            expected, realised, Rounding::exact),
                    NotFoundError);
    for (const std::int32_t code : {-1, 3, 24})  // the criterion has classes 0..2
        for (const bool reset : {true, false}) {
            const std::vector<std::int32_t> known{0}, unknown{code};
            const params::NeutralityRule beyond{
                "variable", "c", Neutrality::offset, reset ? unknown : known, reset ? known : unknown, ""};
            CHECK_THROWS_AS(neutral_of(beyond), NotFoundError);
        }
}

TEST_CASE("scaling and the flat step: C - phi (C - N) is paid, to the cent", "[payment][published]") {
    // N = 6,000 + 4,000, C = 11,000, adults 1 : 3. 6,600 - phi 250; 4,400 - phi 750.
    const std::vector<Days> adults{1, 3};
    CHECK(settle(share_of({6'000, 4'000}, 11'000, 0, adults)).paid == std::vector<Cents>{6'600, 4'400});
    CHECK(settle(share_of({6'000, 4'000}, 11'000, 1'000'000, adults)).paid == std::vector<Cents>{6'350, 3'650});
    const ShareResult r = settle(share_of({6'000, 4'000}, 11'000, 150'000, adults));
    CHECK(r.target == 10'850);
    CHECK(r.paid == std::vector<Cents>{6'563, 4'287});  // 6,562.5 and 4,287.5: the half goes to the first
    CHECK(r.factor == Approx(1.1));
}

TEST_CASE("the cents left go to the largest remainders, ties by insurer, at most one each", "[payment][published]") {
    CHECK(ex_ante({3'333'333, 3'333'333, 3'333'334}, 1) == std::vector<Cents>{333, 333, 334});
    CHECK(per_insured_year(100, std::vector<Days>{1, 1, 1}, 3) == std::vector<Cents>{34, 33, 33});
    CHECK(per_insured_year(21, std::vector<Days>{1, 1, 1}, 2) == std::vector<Cents>{11, 11, 10});  // 31.5 -> 32
    CHECK(ex_ante({-15'000, 37'000}, 1) == std::vector<Cents>{-2, 4});  // -1.5, 3.7: 2.2 -> 2
    CHECK(ex_ante({-5'000}, 1) == std::vector<Cents>{-1});              // half away from zero
}

TEST_CASE("paid sums to the target and differs from the exact share by less than a cent", "[payment][invariant]") {
    const Philox draw{1, 1};
    for (std::uint64_t k = 0; k < 500; ++k) {
        std::vector<Cents> own;
        std::vector<Days> adults;
        for (std::uint64_t i = 0; i < 2 + k % 9; ++i) {
            own.push_back(static_cast<Cents>(draw(k, i)[0] % 9'000'000'000) + 1);
            adults.push_back(static_cast<Days>(draw(k, i)[1] % 900'000) + 1);
        }
        const auto ppm = static_cast<std::int64_t>(draw(k)[2] % 1'000'001);
        const Cents n = sum(own), cost = n / 2 + static_cast<Cents>(draw(k)[3] % static_cast<std::uint64_t>(n));
        const ShareResult r = settle(share_of(own, cost, ppm, adults));
        CHECK(sum(r.paid) == r.target);
        const auto gap = static_cast<long double>(ppm) / 1e6L * static_cast<long double>(cost - n);
        CHECK(static_cast<long double>(r.target) ==
              Approx(static_cast<double>(static_cast<long double>(cost) - gap)).margin(0.51));
        const auto all = static_cast<long double>(std::accumulate(adults.begin(), adults.end(), Days{0}));
        for (std::size_t i = 0; i < own.size(); ++i) {
            const long double exact =
                static_cast<long double>(own[i]) * static_cast<long double>(cost) / static_cast<long double>(n) -
                gap * static_cast<long double>(adults[i]) / all;
            CHECK(std::abs(static_cast<long double>(r.paid[i]) - exact) < 1.0001L);  // long double: 2e-9 of 9e10 cents
        }
    }
}

TEST_CASE("a saver keeps 1 - n_i + phi a_i of what it saves", "[payment][published]") {
    // model.md 12.5(a): classes and own payments unchanged, claims 1,000 lower; n = 0.6, a = 0.25.
    for (const auto& [ppm, kept] :
         {std::pair<std::int64_t, Cents>{0, 400'000}, {150'000, 437'500}, {1'000'000, 650'000}}) {
        const auto paid = [&](Cents cost) {
            return settle(share_of({6'000'000, 4'000'000}, cost, ppm, {1, 3})).paid[0];
        };
        CHECK(1'000'000 - (paid(11'000'000) - paid(10'000'000)) == kept);
    }
}

TEST_CASE("the gain of a saver is what the others and the fund lose", "[payment][published]") {
    const auto paid = [](Cents cost) { return settle(share_of({6'000'000, 4'000'000}, cost, 150'000, {1, 3})); };
    const ShareResult before = paid(11'000'000), after = paid(10'000'000);
    CHECK(before.target - after.target == 850'000);  // the fund: (1 - phi) of the saving
}

TEST_CASE("high-cost compensation adds the excess and takes it back in proportion, in one allocation",
          "[payment][published]") {
    // Shares 700 and 300 (C = N, nothing to scale); 360 of excess with the first: 36% of every share goes back.
    // 700 + 360 - 252 = 808; 300 - 108 = 192.
    ShareInput in = share_of({700, 300}, 1'000, 1'000'000, {1, 1});
    in.excess = {360'000'000, 0};
    const ShareResult r = settle(in);
    CHECK(r.paid == std::vector<Cents>{808, 192});
    CHECK(r.target == 1'000);
    // 333.5 + 10.5 - 333.5 x 10.5 / 1,000 = 340.49825, 666.5 - 6.99825 = 659.50175: two roundings would give 341.
    in = share_of({667, 1'333}, 1'000, 0, {1, 1});
    in.excess = {10'500'000, 0};
    CHECK(settle(in).paid == std::vector<Cents>{340, 660});
}

TEST_CASE("macro-corrected own payments follow what patients paid", "[payment][published]") {
    // E = 100 + 300, R = 440, x = 0.15, adults half each: 110 - 3 and 330 - 3.
    const std::vector<Int128> e{Int128{100} * micro_per_cent * 365, Int128{300} * micro_per_cent * 365};
    CHECK(own_payments_corrected(e, 440, 365, 150'000, std::vector<Days>{5, 5}) == std::vector<Cents>{107, 327});
}

TEST_CASE("merging two insurers leaves the others as they were within a cent", "[payment][invariant]") {
    const Philox draw{2, 2};
    for (std::uint64_t k = 0; k < 200; ++k) {
        const auto n = [&](std::uint64_t i) { return static_cast<Cents>(draw(k, i)[0] % 5'000'000) + 1; };
        const auto d = [&](std::uint64_t i) { return static_cast<Days>(draw(k, i)[1] % 5'000) + 1; };
        const Cents cost = 1 + static_cast<Cents>(draw(k)[2] % 20'000'000);
        const auto apart = settle(share_of({n(0), n(1), n(2), n(3)}, cost, 150'000, {d(0), d(1), d(2), d(3)}));
        const auto merged = settle(share_of({n(0) + n(3), n(1), n(2)}, cost, 150'000, {d(0) + d(3), d(1), d(2)}));
        CHECK(apart.target == merged.target);
        for (std::size_t i : {1U, 2U}) CHECK(std::abs(apart.paid[i] - merged.paid[i]) <= 1);
    }
}

TEST_CASE("the reference class pays nobody: a shift between a criterion and age and sex changes no amount",
          "[payment][invariant]") {
    const Philox draw{3, 3};
    ClassTotals totals{3, 5};  // columns 0-1 age and sex, 2-4 another criterion: everybody has one of each
    for (Index i = 0; i < 3; ++i)
        for (Index k = 0; k < 40; ++k) {
            const auto word = draw(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(k));
            const auto days = static_cast<Days>(1 + word[0] % 365);
            totals.add(i, static_cast<Index>(word[1] % 2), days);
            totals.add(i, 2 + static_cast<Index>(word[2] % 3), days);
        }
    const std::vector<MicroEuro> w{1'000 * euro, 2'000 * euro, -30 * euro, 5 * euro, 700 * euro};
    std::vector<MicroEuro> moved = w;
    for (std::size_t k = 0; k < 5; ++k) moved[k] += k < 2 ? -123'456'789 : 123'456'789;
    CHECK(ex_ante(normative(totals, w), 365) == ex_ante(normative(totals, moved), 365));
}

TEST_CASE("own payment is the deductible in proportion to insured days, at most the cost", "[payment][published]") {
    CHECK(own_payment::realised(38'500, 0, 30'000, 365, 365) == 30'000);
    CHECK(own_payment::realised(38'500, 0, 90'000, 365, 365) == 38'500);
    CHECK(own_payment::realised(38'500, 50'000, 90'000, 365, 365) == 88'500);
    CHECK(own_payment::realised(38'500, 0, 90'000, 100, 365) == 10'548);  // 105.479
    CHECK(own_payment::realised(38'500, 0, 90'000, 100, 366) == 10'519);  // 105.191
    CHECK(own_payment::realised(38'500, 0, -5'000, 365, 365) == 0);
}

TEST_CASE("a settlement without adults or without a normative amount is refused", "[payment][invariant]") {
    CHECK_THROWS_AS(settle(share_of({100}, 100, 0, {0})), DomainError);
    CHECK_THROWS_AS(settle(share_of({0}, 100, 0, {1})), DomainError);
    CHECK_THROWS_AS(settle(share_of({1, 2}, 3, 0, {1})), ShapeError);
}
