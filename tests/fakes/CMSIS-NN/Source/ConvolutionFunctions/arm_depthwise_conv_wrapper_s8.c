/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
                                                      const cmsis_nn_dims *input_dims,
                                                      const cmsis_nn_dims *filter_dims,
                                                      const cmsis_nn_dims *output_dims) {
    (void)dw_conv_params;
    (void)input_dims;
    (void)output_dims;
    /* Four columns of a block of channels, as for Helium; not used here. */
    return 4 * 124 * filter_dims->h * filter_dims->w;
}

/* Of one output channel at one place; outside of the input is its zero point. */
static int32_t sum_of_window(const cmsis_nn_dw_conv_params *params, const cmsis_nn_dims *in,
                             const int8_t *input, const cmsis_nn_dims *filter_dims,
                             const int8_t *weights, int32_t top, int32_t left) {
    int32_t sum = 0;
    for (int32_t y = 0; y < filter_dims->h; y++) {
        for (int32_t x = 0; x < filter_dims->w; x++, weights += filter_dims->c) {
            int32_t row = top + y * params->dilation.h, column = left + x * params->dilation.w;
            if (row >= 0 && row < in->h && column >= 0 && column < in->w) {
                sum += (input[(row * in->w + column) * in->c] + params->input_offset) * *weights;
            }
        }
    }
    return sum;
}

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_dw_conv_params *dw_conv_params,
    const cmsis_nn_per_channel_quant_params *quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *output_dims,
    int8_t *output) {
    const cmsis_nn_dw_conv_params *params = dw_conv_params;
    (void)bias_dims;
    if (ctx->buf == 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t y = 0; y < output_dims->h; y++) {
        for (int32_t x = 0; x < output_dims->w; x++) {
            int32_t top = y * params->stride.h - params->padding.h;
            int32_t left = x * params->stride.w - params->padding.w;
            for (int32_t c = 0; c < output_dims->c; c++) {
                int32_t sum =
                    bias[c] + sum_of_window(params, input_dims, input + c / params->ch_mult,
                                            filter_dims, filter + c, top, left);
                sum = arm_nn_requantize(sum, quant_params->multiplier[c], quant_params->shift[c]);
                *output++ = arm_nn_clamp(sum + params->output_offset, &params->activation);
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
