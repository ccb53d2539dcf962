// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Elementary functions that give the same result on the device and on the host: within 1e-15 of the
 * true value, from basic operations of IEEE 754 only.
 */
#ifndef ETHOSMITH_FRONTEND_PORTABLE_MATH_H
#define ETHOSMITH_FRONTEND_PORTABLE_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @param x radians, below 1000 in magnitude.
 * @return its sine.
 */
double portable_sin(double x);

/**
 * @param x radians, below 1000 in magnitude.
 * @return its cosine.
 */
double portable_cos(double x);

/**
 * @param x positive.
 * @return its natural logarithm.
 */
double portable_log(double x);

/**
 * @param x whose exponential is a normal double.
 * @return e to the power x.
 */
double portable_exp(double x);

/**
 * @param x radians, below 1000 in magnitude.
 * @return its cosine.
 */
float portable_cosf(float x);

/**
 * @param x above -1.
 * @return the natural logarithm of 1 + x.
 */
float portable_log1pf(float x);

/**
 * @param base positive.
 * @param exponent with which the result is a normal double.
 * @return base to the power exponent.
 */
float portable_powf(float base, float exponent);

#ifdef __cplusplus
}
#endif

#endif
