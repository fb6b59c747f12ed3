#pragma once
// Elementary functions from additions, multiplications and divisions alone, so that tables of thresholds have the same bits
// whatever the instruction set: the C library takes another exp, log or pow where a processor has fused multiply-adds.
// Not installed.
#include <cmath>

namespace anderhalf::exact {

inline constexpr long double ln2 = 0.693147180559945309417232121458176568L;

/// e^x, x within the range of double; not rounded correctly in every case, but always to the same double.
[[nodiscard]] inline double exp(double x) {
    const long double power = std::floor(static_cast<long double>(x) / ln2 + 0.5L);
    const long double r = static_cast<long double>(x) - power * ln2;  // |r| <= ln2 / 2
    long double term = 1, sum = 1;
    for (int n = 1; n <= 24; ++n) {
        term *= r / static_cast<long double>(n);
        sum += term;
    }
    return std::ldexp(static_cast<double>(sum), static_cast<int>(power));
}

/// ln(1 + x), x >= 0: twice the series of artanh around the nearest power of two.
[[nodiscard]] inline double log1p(double x) {
    int power = 0;
    long double s = static_cast<long double>(x) / (2 + static_cast<long double>(x));  // |s| < 0.1716 where power is 0
    if (x > 0.41) {
        long double m = std::frexp(1 + static_cast<long double>(x), &power);  // [0.5, 1)
        if (m < 0.70710678118654752440L) {
            m *= 2;
            --power;
        }
        s = (m - 1) / (m + 1);
    }
    const long double square = s * s;
    long double term = s, sum = 0;
    for (int n = 1; n <= 51; n += 2) {
        sum += term / static_cast<long double>(n);
        term *= square;
    }
    return static_cast<double>(static_cast<long double>(power) * ln2 + 2 * sum);
}

/// base^n, n >= 0.
[[nodiscard]] inline double power(double base, int n) {
    long double result = 1;
    for (int k = 0; k < n; ++k) result *= static_cast<long double>(base);
    return static_cast<double>(result);
}

}  // namespace anderhalf::exact
