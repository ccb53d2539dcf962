// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "tensorflow/lite/micro/kernels/micro_ops.h"

namespace tflite {

namespace {

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    TfLiteTensor given = context->GetTensor(context, node->inputs->data[0]);
    TfLiteEvalTensor *made = context->GetEvalTensor(context, node->outputs->data[0]);
    memmove(made->data.data, given.data.data, given.bytes);
    return kTfLiteOk;
}

} // namespace

TFLMRegistration Register_RESHAPE() { return {nullptr, nullptr, Invoke, 0, nullptr}; }

} // namespace tflite
