// SPDX-License-Identifier: Apache-2.0
// One of the headers that libraries/tflm.yaml precompiles.
#ifndef FAKE_INTERNAL_COMMON_H_
#define FAKE_INTERNAL_COMMON_H_

#include "tensorflow/lite/kernels/internal/quantization_util.h"

#endif
