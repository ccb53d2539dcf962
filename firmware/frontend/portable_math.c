// SPDX-License-Identifier: Apache-2.0
// Textbook series, long enough that the rest is below a double's last bit.
#define ETHOSMITH_FRONTEND_OWN_SOURCE
#include "port.h"

static const double HALF_PI_INVERSE = 0.63661977236758134308;
// pi/2 and ln 2 in two parts; multiples of the first part by small integers are exact.
static const double HALF_PI_HIGH = 1.57079632673412561417;
static const double HALF_PI_LOW = 6.07710050650619224932e-11;
static const double LN2_HIGH = 6.93147180369123816490e-01;
static const double LN2_LOW = 1.90821492927058770002e-10;
static const double LN2_INVERSE = 1.44269504088896338700;
static const double HALF_SQRT2 = 0.70710678118654752440;

// Sine series for |x| <= pi/4: the next term would be x^19 / 19!.
static double sine_series(double x) {
    double square = x * x;
    double sum = 0.0;
    for (int n = 17; n >= 3; n -= 2) {
        sum = (sum + 1.0) * -square / (double)(n * (n - 1));
    }
    return x + x * sum;
}

// Cosine series for |x| <= pi/4: the next term would be x^18 / 18!.
static double cosine_series(double x) {
    double square = x * x;
    double sum = 0.0;
    for (int n = 16; n >= 2; n -= 2) {
        sum = (sum + 1.0) * -square / (double)(n * (n - 1));
    }
    return 1.0 + sum;
}

// sin(x + quarters * pi/2)
static double shifted_sine(double x, int quarters) {
    int turns = (int)floor(x * HALF_PI_INVERSE + 0.5);
    double remainder = (x - turns * HALF_PI_HIGH) - turns * HALF_PI_LOW;
    switch ((unsigned)(turns + quarters) & 3u) {
    case 0:
        return sine_series(remainder);
    case 1:
        return cosine_series(remainder);
    case 2:
        return -sine_series(remainder);
    default:
        return -cosine_series(remainder);
    }
}

double portable_sin(double x) { return shifted_sine(x, 0); }

double portable_cos(double x) { return shifted_sine(x, 1); }

// ln(m * 2^e) = e ln 2 + 2 artanh((m - 1) / (m + 1)), m between sqrt(1/2) and sqrt(2).
double portable_log(double x) {
    int exponent;
    double mantissa = frexp(x, &exponent);
    if (mantissa < HALF_SQRT2) {
        mantissa *= 2.0;
        exponent--;
    }
    double s = (mantissa - 1.0) / (mantissa + 1.0);
    double square = s * s;
    double sum = 0.0;
    for (int n = 21; n >= 1; n -= 2) {
        sum = sum * square + 1.0 / (double)n;
    }
    return exponent * LN2_HIGH + (2.0 * s * sum + exponent * LN2_LOW);
}

double portable_exp(double x) {
    int exponent = (int)floor(x * LN2_INVERSE + 0.5);
    double remainder = (x - exponent * LN2_HIGH) - exponent * LN2_LOW;
    double sum = 1.0;
    for (int n = 14; n >= 1; n--) {
        sum = 1.0 + sum * remainder / (double)n;
    }
    return ldexp(sum, exponent);
}

float portable_cosf(float x) { return (float)portable_cos((double)x); }

float portable_log1pf(float x) { return (float)portable_log(1.0 + (double)x); }

float portable_powf(float base, float exponent) {
    return (float)portable_exp((double)exponent * portable_log((double)base));
}
