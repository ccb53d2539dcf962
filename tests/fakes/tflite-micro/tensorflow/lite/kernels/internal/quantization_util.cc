// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/kernels/internal/quantization_util.h"

#include <cmath>

namespace tflite {

void QuantizeMultiplier(double multiplier, int32_t *quantized, int *shift) {
    double fraction = frexp(multiplier, shift);
    int64_t rounded = static_cast<int64_t>(round(fraction * (1LL << 31)));
    if (rounded == 1LL << 31) {
        rounded /= 2;
        ++*shift;
    }
    *quantized = static_cast<int32_t>(rounded);
}

void ActivationRange(int activation, float scale, int32_t zero_point, int32_t *low, int32_t *high) {
    constexpr int kRelu = 1, kRelu6 = 3;
    *low = -128;
    *high = 127;
    if (activation == kRelu || activation == kRelu6) {
        *low = zero_point > -128 ? zero_point : -128;
    }
    if (activation == kRelu6) {
        int32_t six = zero_point + static_cast<int32_t>(roundf(6.0f / scale));
        *high = six < 127 ? six : 127;
    }
}

} // namespace tflite
