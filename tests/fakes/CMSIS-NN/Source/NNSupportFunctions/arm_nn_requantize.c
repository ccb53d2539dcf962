/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"

int32_t arm_nn_doubling_high_mult(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    int64_t product = (int64_t)a * b;
    int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (int32_t)((product + nudge) / (1LL << 31));
}

int32_t arm_nn_divide_by_power_of_two(int32_t dividend, int32_t exponent) {
    int32_t mask = (int32_t)((1u << exponent) - 1);
    int32_t remainder = dividend & mask;
    int32_t half = (mask >> 1) + (dividend < 0 ? 1 : 0);
    return (dividend >> exponent) + (remainder > half ? 1 : 0);
}

int32_t arm_nn_requantize(int32_t value, int32_t multiplier, int32_t shift) {
    int32_t left = shift > 0 ? shift : 0;
    int32_t right = shift > 0 ? 0 : -shift;
    int32_t high = arm_nn_doubling_high_mult((int32_t)((uint32_t)value << left), multiplier);
    return arm_nn_divide_by_power_of_two(high, right);
}

int8_t arm_nn_clamp(int32_t value, const cmsis_nn_activation *range) {
    value = value < range->min ? range->min : value;
    return (int8_t)(value > range->max ? range->max : value);
}
