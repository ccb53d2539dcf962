/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

/* TFLite's fixed-point softmax: sums have twelve bits before the point. */
enum { SUM_BITS = 12 };

static int32_t multiply(int32_t a, int32_t b) { return arm_nn_doubling_high_mult(a, b); }

static int32_t saturating_shift(int32_t value, int32_t bits) {
    int64_t shifted = (int64_t)value * (1LL << bits);
    return (int32_t)(shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : shifted);
}

/* e^x of x in [-1/4, 0), with 31 bits behind the point: its Taylor series around -1/8. */
static int32_t exp_in_last_quarter(int32_t value) {
    const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
    int32_t x = value + (1 << 28);
    int32_t x2 = multiply(x, x);
    int32_t x3 = multiply(x2, x);
    int32_t x4 = multiply(x2, x2);
    int32_t fourth = arm_nn_divide_by_power_of_two(x4, 2);
    int32_t rest = arm_nn_divide_by_power_of_two(multiply(fourth + x3, third) + x2, 1);
    return exp_of_minus_eighth + multiply(exp_of_minus_eighth, x + rest);
}

/* e^x of x <= 0 with 26 bits behind the point; the result has 31. */
static int32_t exp_of_negative(int32_t value) {
    /* e^(-2^i) for i = -2 to 4, with 31 bits behind the point. */
    static const int32_t POWERS[] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
    const int32_t quarter = 1 << 24;
    if (value == 0) {
        return INT32_MAX;
    }
    int32_t in_quarter = (value & (quarter - 1)) - quarter;
    int32_t remainder = in_quarter - value;
    int32_t result = exp_in_last_quarter((int32_t)((uint32_t)in_quarter << 5));
    for (uint32_t i = 0; i < sizeof POWERS / sizeof POWERS[0]; i++) {
        if ((remainder & (quarter << i)) != 0) {
            result = multiply(result, POWERS[i]);
        }
    }
    return result;
}

/* 1 / (1 + x) of x in [0, 1), both with 31 bits behind the point: Newton's method. */
static int32_t one_over_one_plus(int32_t value) {
    const int32_t c48_over_17 = 1515870810, minus_32_over_17 = -1010580540, one = 1 << 29;
    int64_t sum = (int64_t)value + INT32_MAX;
    int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t x = c48_over_17 + multiply(half, minus_32_over_17);
    for (int i = 0; i < 3; i++) {
        x += saturating_shift(multiply(x, one - multiply(half, x)), 2);
    }
    return saturating_shift(x, 1);
}

static int32_t exp_of_difference(int32_t difference, int32_t mult, int32_t shift) {
    return exp_of_negative(multiply((int32_t)((uint32_t)difference << shift), mult));
}

static void softmax_of_row(const int8_t *input, int32_t size, int32_t mult, int32_t shift,
                           int32_t diff_min, int8_t *output) {
    const cmsis_nn_activation whole = {-128, 127};
    int32_t greatest = -128, sum = 0;
    for (int32_t i = 0; i < size; i++) {
        greatest = input[i] > greatest ? input[i] : greatest;
    }
    for (int32_t i = 0; i < size; i++) {
        if (input[i] - greatest >= diff_min) {
            sum += arm_nn_divide_by_power_of_two(
                exp_of_difference(input[i] - greatest, mult, shift), SUM_BITS);
        }
    }
    int32_t headroom = __builtin_clz((uint32_t)sum);
    int32_t scale = one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - (1u << 31)));
    for (int32_t i = 0; i < size; i++) {
        int32_t difference = input[i] - greatest;
        output[i] = -128;
        if (difference >= diff_min) {
            int32_t one = multiply(scale, exp_of_difference(difference, mult, shift));
            one = arm_nn_divide_by_power_of_two(one, SUM_BITS - headroom + 31 - 8);
            output[i] = arm_nn_clamp(one - 128, &whole);
        }
    }
}

void arm_softmax_s8(const int8_t *input, const int32_t num_rows, const int32_t row_size,
                    const int32_t mult, const int32_t shift, const int32_t diff_min,
                    int8_t *output) {
    for (int32_t row = 0; row < num_rows; row++) {
        softmax_of_row(input + row * row_size, row_size, mult, shift, diff_min,
                       output + row * row_size);
    }
}
