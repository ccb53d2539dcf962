// SPDX-License-Identifier: Apache-2.0
// One of the headers that libraries/tflm.yaml precompiles.
#ifndef FAKE_MICRO_KERNEL_UTIL_H_
#define FAKE_MICRO_KERNEL_UTIL_H_

#include "tensorflow/lite/c/common.h"

#endif
