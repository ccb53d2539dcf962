// SPDX-License-Identifier: Apache-2.0
// Elementary functions that give the same result on the device and on the host.
#ifndef ETHOSMITH_FRONTEND_PORTABLE_MATH_H
#define ETHOSMITH_FRONTEND_PORTABLE_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

// Within 1e-15 of the true value, from IEEE basic operations only: the same on every machine.
// Arguments: |x| below 1000 for sine and cosine, positive base and a result within double's
// normal range for the power.
double portable_sin(double x);
double portable_cos(double x);
double portable_log(double x);
double portable_exp(double x);
float portable_cosf(float x);
float portable_log1pf(float x);
float portable_powf(float base, float exponent);

#ifdef __cplusplus
}
#endif

#endif
