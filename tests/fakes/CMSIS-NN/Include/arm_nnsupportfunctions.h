/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ARM_NNSUPPORTFUNCTIONS_H
#define FAKE_ARM_NNSUPPORTFUNCTIONS_H

#include "arm_nn_types.h"

/* The upper half of 2ab, rounded to nearest; saturated in its one case. */
int32_t arm_nn_doubling_high_mult(int32_t a, int32_t b);

/* Divided by 2^exponent, rounded to nearest, halves away from zero. */
int32_t arm_nn_divide_by_power_of_two(int32_t dividend, int32_t exponent);

/* value * multiplier * 2^(shift - 31), in the two roundings above. */
int32_t arm_nn_requantize(int32_t value, int32_t multiplier, int32_t shift);

int8_t arm_nn_clamp(int32_t value, const cmsis_nn_activation *range);

#endif
