// SPDX-License-Identifier: Apache-2.0
// TensorFlow Lite Micro's headers, which are not written for this project's warnings.
#ifndef ETHOSMITH_TFLM_TFLM_H
#define ETHOSMITH_TFLM_TFLM_H

// The layout of its structures depends on this; the library is built with it.
#ifndef TF_LITE_STATIC_MEMORY
#define TF_LITE_STATIC_MEMORY
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wall"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#pragma GCC diagnostic pop

#endif
