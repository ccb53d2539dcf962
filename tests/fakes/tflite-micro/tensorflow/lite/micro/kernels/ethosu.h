// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_ETHOSU_H_
#define FAKE_ETHOSU_H_

#include "tensorflow/lite/c/common.h"

namespace tflite {

TFLMRegistration *Register_ETHOSU();
const char *GetString_ETHOSU();

} // namespace tflite

#endif
