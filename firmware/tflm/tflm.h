// SPDX-License-Identifier: Apache-2.0
// The headers of TensorFlow Lite Micro.
#ifndef ETHOSMITH_TFLM_TFLM_H
#define ETHOSMITH_TFLM_TFLM_H

// The layout of its structures depends on this; the library is built with it.
#ifndef TF_LITE_STATIC_MEMORY
#define TF_LITE_STATIC_MEMORY
#endif

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#endif
