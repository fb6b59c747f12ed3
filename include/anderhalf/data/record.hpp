#pragma once
#include <anderhalf/core/care.hpp>

#include <cstdint>
#include <vector>

namespace anderhalf::data {

/// One insured period of one person at one insurer, within one calendar year.
struct Record {
    std::uint64_t person = 0;
    std::uint64_t address = 0;
    std::int32_t first_day = 0;    ///< days since 1970-01-01
    std::int32_t last_day = 0;     ///< included, same calendar year as first_day
    std::int32_t birth_month = 0;  ///< 12 * year + month - 1
    std::int32_t voluntary_deductible_cents = 0;
    std::uint16_t insurer = 0;
    std::uint16_t represents = 1;  ///< number of insured that this row stands for
    std::uint16_t municipality = 0;
    std::uint8_t region = 0;         ///< cluster of postcodes 1..10; 0 lives abroad
    std::uint8_t sex = 0;            ///< 1 man, 2 woman
    std::uint8_t income_source = 0;  ///< IncomeSource as grouped for AVI (funnel already applied)
    std::uint8_t ses = 0;            ///< income group of the address 1..4
    std::uint8_t household = 0;      ///< HouseholdState, Wlz state included
    std::uint8_t wlz = 0;            ///< 0 no, 1 entered an institution this year, 2 lives there since an earlier year
};

/// One claim (declaratie). Its cost year is the year in which it was opened.
struct Claim {
    std::uint64_t person = 0;
    std::int32_t opened = 0;  ///< days since 1970-01-01
    std::int32_t closed = 0;
    std::int32_t claimed_cents = 0;  ///< drives classes, deductible and MHK; may be negative (correction)
    std::int32_t settled_cents = 0;  ///< claimed plus the contract correction; drives realised cost
    std::uint32_t claim = 0;         ///< rank by content within person and year; addresses draws
    std::uint32_t product = 0;       ///< care product; drug group; device group
    std::uint16_t insurer = 0;
    std::uint16_t specialism = 0;    ///< hospital and 1.5-line care
    std::uint16_t diagnosis = 0;     ///< hospital, GGZ, physiotherapy
    std::uint16_t ddd = 0;           ///< drugs: defined daily doses
    std::uint8_t prescriptions = 0;  ///< drugs
    Category category = Category::hospital;
    bool consult = false;                  ///< hospital: a consult-only product, never leads to a DKG
    Title title = Title::specialist_care;  ///< 1.5-line care only
};

/// Whole addresses over all years: records sorted by (person, first_day), claims by (person, opened year, claim).
struct Block {
    std::vector<Record> records;
    std::vector<Claim> claims;
};

}  // namespace anderhalf::data
