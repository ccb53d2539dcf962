// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "Include/arm_nnfunctions.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

namespace tflite {

namespace {

struct OpData {
    int32_t rows, row_size, multiplier, shift, diff_min;
};

// Differences to the row's maximum have five bits before the point.
constexpr int kIntegerBits = 5;

void *Init(TfLiteContext *context, const char *, size_t) {
    return context->AllocatePersistentBuffer(context, sizeof(OpData));
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
    OpData *data = static_cast<OpData *>(node->user_data);
    const auto *params = static_cast<TfLiteSoftmaxParams *>(node->builtin_data);
    TfLiteTensor input = context->GetTensor(context, node->inputs->data[0]);
    if (data == nullptr || params == nullptr || input.type != kTfLiteInt8) {
        return kTfLiteError;
    }
    data->row_size = input.dims->data[input.dims->size - 1];
    data->rows = static_cast<int32_t>(input.bytes) / data->row_size;
    double real =
        static_cast<double>(params->beta) * input.params.scale * (1 << (31 - kIntegerBits));
    real = real < (1LL << 31) - 1.0 ? real : (1LL << 31) - 1.0;
    int shift;
    QuantizeMultiplier(real, &data->multiplier, &shift);
    data->shift = shift;
    double radius = ((1 << kIntegerBits) - 1) * static_cast<double>(1LL << (31 - kIntegerBits)) /
                    static_cast<double>(1LL << shift);
    data->diff_min = -static_cast<int32_t>(floor(radius));
    return kTfLiteOk;
}

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    const OpData *data = static_cast<OpData *>(node->user_data);
    arm_softmax_s8(context->GetEvalTensor(context, node->inputs->data[0])->data.int8, data->rows,
                   data->row_size, data->multiplier, data->shift, data->diff_min,
                   context->GetEvalTensor(context, node->outputs->data[0])->data.int8);
    return kTfLiteOk;
}

} // namespace

TFLMRegistration Register_SOFTMAX() { return {Init, Prepare, Invoke, 0, nullptr}; }

} // namespace tflite
