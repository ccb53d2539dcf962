// SPDX-License-Identifier: Apache-2.0
// What kernels that slide a window over an image have in common.
#ifndef FAKE_WINDOWS_H_
#define FAKE_WINDOWS_H_

#include "Include/arm_nn_types.h"
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"

namespace tflite {

inline cmsis_nn_dims Dims(const TfLiteIntArray *dims) {
    return {dims->data[0], dims->data[1], dims->data[2], dims->data[3]};
}

// Before the first row or column, where the output has the input's size divided by the stride.
inline int Padding(bool same, int input, int output, int filter, int stride, int dilation) {
    int missing = (output - 1) * stride + (filter - 1) * dilation + 1 - input;
    return same && missing > 0 ? missing / 2 : 0;
}

// One for each output channel, in the arena; false if there is no room.
inline bool ChannelMultipliers(TfLiteContext *context, const TfLiteTensor &input,
                               const TfLiteTensor &filter, const TfLiteTensor &output,
                               cmsis_nn_per_channel_quant_params *made) {
    size_t bytes = filter.channel_count * sizeof(int32_t);
    made->multiplier = static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
    made->shift = static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
    if (made->multiplier == nullptr || made->shift == nullptr) {
        return false;
    }
    for (uint32_t i = 0; i < filter.channel_count; ++i) {
        double scale = static_cast<double>(input.params.scale) * filter.channel_scales[i];
        int shift;
        QuantizeMultiplier(scale / output.params.scale, &made->multiplier[i], &shift);
        made->shift[i] = shift;
    }
    return true;
}

} // namespace tflite

#endif
