// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_QUANTIZATION_UTIL_H_
#define FAKE_QUANTIZATION_UTIL_H_

#include <cstdint>

namespace tflite {

// multiplier = quantized * 2^(shift - 31), with `quantized` in [2^30, 2^31).
void QuantizeMultiplier(double multiplier, int32_t *quantized, int *shift);

// The least and greatest int8 that a fused activation lets through.
void ActivationRange(int activation, float scale, int32_t zero_point, int32_t *low, int32_t *high);

} // namespace tflite

#endif
