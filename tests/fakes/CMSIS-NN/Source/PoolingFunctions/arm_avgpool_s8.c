/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

struct area {
    int32_t top, bottom, left, right;
};

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/* Rounded to nearest, halves away from zero. */
static int32_t average(const cmsis_nn_dims *input_dims, const int8_t *input,
                       const struct area *area) {
    int32_t count = (area->bottom - area->top) * (area->right - area->left), sum = 0;
    for (int32_t y = area->top; y < area->bottom; y++) {
        for (int32_t x = area->left; x < area->right; x++) {
            sum += input[(y * input_dims->w + x) * input_dims->c];
        }
    }
    return (sum + (sum > 0 ? count / 2 : -(count / 2))) / count;
}

arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context *ctx,
                                   const cmsis_nn_pool_params *pool_params,
                                   const cmsis_nn_dims *input_dims, const int8_t *input_data,
                                   const cmsis_nn_dims *filter_dims,
                                   const cmsis_nn_dims *output_dims, int8_t *output_data) {
    (void)ctx;
    for (int32_t y = 0; y < output_dims->h; y++) {
        for (int32_t x = 0; x < output_dims->w; x++) {
            int32_t top = y * pool_params->stride.h - pool_params->padding.h;
            int32_t left = x * pool_params->stride.w - pool_params->padding.w;
            struct area area = {larger(top, 0), smaller(top + filter_dims->h, input_dims->h),
                                larger(left, 0), smaller(left + filter_dims->w, input_dims->w)};
            for (int32_t c = 0; c < output_dims->c; c++) {
                *output_data++ = arm_nn_clamp(average(input_dims, input_data + c, &area),
                                              &pool_params->activation);
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
