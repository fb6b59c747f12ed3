#pragma once
#include <anderhalf/core/types.hpp>
#include <anderhalf/params/model.hpp>
#include <anderhalf/payment/payment.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace anderhalf::payment {

using params::Item;
using params::Stage;

/// One share (deelbedrag) of one equalization year, per insurer: all that payment needs to know of the insured.
struct ShareTotals {
    std::string share;    ///< "variable", "ggz", "nursing": params::Share::name of the grant
    ClassTotals classes;  ///< insurers x columns of risk::layout: insured days per class, those abroad included
    /// The part of them of insured living abroad; 0 x 0: nobody. Read for the classes "none" of params::Model::abroad.
    ClassTotals abroad;
    std::vector<Cents> cost;  ///< realised; empty ex ante
    std::vector<std::int64_t>
        excess;  ///< high cost compensated, see payment::excess [millionths of a cent]; empty: none
};

/// What an equalization year looks like per insurer. Empty columns that a stage needs are refused, unless said otherwise.
struct Totals {
    std::vector<ShareTotals> shares;
    ClassTotals deductible;        ///< insurers x (columns of the deductible model + 1), the last column is the forfait
    std::vector<Days> days;        ///< insured
    std::vector<Days> adult_days;  ///< 18 and older, without those detained (Zvw 24) when the caller knows them
    std::vector<Days> detained_days;     ///< adults detained, not in adult_days; empty: nobody, or not known
    std::vector<std::int64_t> under_18;  ///< heads on 1 July (Bzv 3.22); empty: nobody
    std::vector<Cents> cost_fixed;       ///< realised; empty ex ante
    /// Historical fixed cost at the numbers of this year: mean cost per insured of the historical year x insured
    /// (Beleidsregels 2015 8(1)b, 19(2)); empty: the macro amount in proportion to insured days.
    std::vector<Cents> fixed_history;
    std::vector<Cents> own_payments_mandatory;  ///< realised under the mandatory deductible (Bzv 3.19(3))
    std::vector<Cents> premium_forgone,
        own_payments_forgone;  ///< of detained insured (Beleidsregels 2015 22(3), 23(5))
};

/// One step of the settlement of one share.
struct Line {
    std::string share;  ///< variable, ggz, nursing, fixed, premium, deductible, administration
    Item item{};
    std::string article;
    std::vector<Cents> cents;  ///< per insurer: what the step adds to the contribution
};

struct Statement {
    std::vector<Line> lines;          ///< in the order of the law; per insurer they sum to `contribution`
    std::vector<Cents> contribution;  ///< per insurer
    struct Share {
        std::string name;
        Cents target = 0;                ///< what all insurers receive (deductible: what is deducted)
        double factor = 1;               ///< scaling factor (schalingsfactor): realised / normative, 1 when not scaled
        Cents rounding_gap = 0;          ///< national normative amount: weights at two decimals less exact ones
        std::vector<MicroEuro> weights;  ///< after neutrality, in the layout of the share
        Cents macro_gap = 0;             ///< target less macro amount (geraamde kosten, Bzv 1 bb)
    };
    std::vector<Share> shares;
};

struct Terms {
    Stage stage = Stage::ex_ante;
    Rounding rounding = Rounding::exact;
    /// Counts expected at the grant, in the order of Totals::shares, see payment::counted; empty: the realised ones.
    std::vector<Counts> expected;
    std::optional<Counts> expected_deductible;
    std::int32_t year = 0;  ///< calendar year of the insured days; 0: the model's
};

/// National counts per class of a share; who lives abroad counts in a class "none" for the percentage of its weight.
[[nodiscard]] Counts counted(const params::Model& model, const ShareTotals& share);

/// Contribution (vereveningsbijdrage) of every insurer at one stage, step by step as the model year lists them.
///
///     N0_i = sum_k w_k n_ik                                  normative
///     N_i  = sum_k w'_k n_ik, w' = neutral(w)                neutrality
///     S_i  = N_i C / N                                       scaling
///     P_i  = S_i - phi (C - N') a_i, N' = N (M + f) / M      flat_step
///     H_i  = P_i + X_i - P_i sum X / sum P                   high_cost_compensation, high_cost_financing
///     Q_i  = H_i - r sign(d_i) max(0, |d_i| - b a_i)         bandwidth, d_i = (H_i - C_i) - a_i sum (H - C) / sum a
///
/// n: insured years, a: share of adults (in the bandwidth their number), C, N: national cost and normative amount, M, f:
/// macro amount and its later change (flankerend beleid, Bzv 1 bb). A share without insured and without cost is paid
/// nothing; the bandwidth of an insurer without adults is not applied. Each line is the difference of two largest-remainder allocations
/// of such amounts, so that lines sum to the cent and each running amount is within a cent of the exact one. Ex ante is
/// never scaled; its fixed share is the macro amount.
///
/// @throw NotFoundError   shares that the model does not have, or that lack
/// @throw ShapeError      columns of other lengths than there are insurers, class totals of other columns
/// @throw DomainError     negative days, a national normative amount of zero where it is scaled, nobody to spread over
/// @throw ParameterError  a model that lists no steps for the stage
/// @source Besluit zorgverzekering 3.3-3.22; Beleidsregels 2015 7-12, 18-38; Regeling risicoverevening 2021 10-19
[[nodiscard]] Statement pay(const params::Model& model, const Totals& totals, const Terms& terms);

}  // namespace anderhalf::payment
