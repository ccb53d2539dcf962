/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

struct window {
    const cmsis_nn_conv_params *params;
    const cmsis_nn_dims *input;
    const cmsis_nn_dims *filter;
    int32_t top, left;
};

int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
                                                const cmsis_nn_dims *input_dims,
                                                const cmsis_nn_dims *filter_dims,
                                                const cmsis_nn_dims *output_dims) {
    (void)conv_params;
    (void)input_dims;
    (void)output_dims;
    /* Four gathered columns, as the library's kernel for Helium has them; not used here. */
    return 4 * filter_dims->h * filter_dims->w * filter_dims->c;
}

static int32_t sum_of_pixel(const struct window *window, const int8_t *pixel,
                            const int8_t *weights) {
    int32_t sum = 0;
    for (int32_t c = 0; c < window->input->c; c++) {
        sum += (pixel[c] + window->params->input_offset) * weights[c];
    }
    return sum;
}

/* Outside of the input is its zero point, which adds nothing. */
static int32_t sum_of_window(const struct window *window, const int8_t *input,
                             const int8_t *weights) {
    const cmsis_nn_dims *in = window->input;
    int32_t sum = 0;
    for (int32_t y = 0; y < window->filter->h; y++) {
        for (int32_t x = 0; x < window->filter->w; x++, weights += in->c) {
            int32_t row = window->top + y * window->params->dilation.h;
            int32_t column = window->left + x * window->params->dilation.w;
            if (row >= 0 && row < in->h && column >= 0 && column < in->w) {
                sum += sum_of_pixel(window, input + (row * in->w + column) * in->c, weights);
            }
        }
    }
    return sum;
}

arm_cmsis_nn_status
arm_convolve_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_conv_params *conv_params,
                        const cmsis_nn_per_channel_quant_params *quant_params,
                        const cmsis_nn_dims *input_dims, const int8_t *input_data,
                        const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
                        const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
                        const cmsis_nn_dims *output_dims, int8_t *output_data) {
    (void)bias_dims;
    if (ctx->buf == 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    int32_t filter_size = filter_dims->h * filter_dims->w * filter_dims->c;
    struct window window = {conv_params, input_dims, filter_dims, 0, 0};
    for (int32_t y = 0; y < output_dims->h; y++) {
        for (int32_t x = 0; x < output_dims->w; x++) {
            window.top = y * conv_params->stride.h - conv_params->padding.h;
            window.left = x * conv_params->stride.w - conv_params->padding.w;
            for (int32_t c = 0; c < output_dims->c; c++) {
                int32_t sum = bias_data[c] +
                              sum_of_window(&window, input_data, filter_data + c * filter_size);
                sum = arm_nn_requantize(sum, quant_params->multiplier[c], quant_params->shift[c]);
                *output_data++ =
                    arm_nn_clamp(sum + conv_params->output_offset, &conv_params->activation);
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
