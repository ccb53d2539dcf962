// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_OPS_H_
#define FAKE_MICRO_OPS_H_

#include "tensorflow/lite/c/common.h"

namespace tflite {

TFLMRegistration Register_AVERAGE_POOL_2D();
TFLMRegistration Register_CONV_2D();
TFLMRegistration Register_DEPTHWISE_CONV_2D();
TFLMRegistration Register_FULLY_CONNECTED();
TFLMRegistration Register_RESHAPE();
TFLMRegistration Register_SOFTMAX();

} // namespace tflite

#endif
