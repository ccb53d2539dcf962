/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"

static int32_t dot(const int8_t *input, const int8_t *weights, int32_t size, int32_t offset) {
    int32_t sum = 0;
    for (int32_t i = 0; i < size; i++) {
        sum += (input[i] + offset) * weights[i];
    }
    return sum;
}

arm_cmsis_nn_status
arm_fully_connected_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_fc_params *fc_params,
                               const cmsis_nn_quant_params *quant_params,
                               const cmsis_nn_dims *input_dims, const int8_t *input_data,
                               const cmsis_nn_dims *filter_dims, const int8_t *filter_data,
                               const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
                               const cmsis_nn_dims *output_dims, int8_t *output_data) {
    (void)ctx;
    (void)bias_dims;
    int32_t depth = filter_dims->n;
    for (int32_t row = 0; row < input_dims->n; row++, input_data += depth) {
        for (int32_t unit = 0; unit < output_dims->c; unit++) {
            int32_t sum = bias_data[unit] + dot(input_data, filter_data + unit * depth, depth,
                                                fc_params->input_offset);
            int32_t channel = quant_params->is_per_channel ? unit : 0;
            sum = arm_nn_requantize(sum, quant_params->multiplier[channel],
                                    quant_params->shift[channel]);
            *output_data++ = arm_nn_clamp(sum + fc_params->output_offset, &fc_params->activation);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
