// SPDX-License-Identifier: Apache-2.0
#include "Include/arm_nnfunctions.h"
#include "tensorflow/lite/micro/kernels/cmsis_nn/windows.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

namespace tflite {

namespace {

struct OpData {
    cmsis_nn_pool_params pool;
    cmsis_nn_dims input, filter, output;
};

void *Init(TfLiteContext *context, const char *, size_t) {
    return context->AllocatePersistentBuffer(context, sizeof(OpData));
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
    OpData *data = static_cast<OpData *>(node->user_data);
    const auto *params = static_cast<TfLitePoolParams *>(node->builtin_data);
    TfLiteTensor input = context->GetTensor(context, node->inputs->data[0]);
    TfLiteTensor output = context->GetTensor(context, node->outputs->data[0]);
    if (data == nullptr || params == nullptr || input.type != kTfLiteInt8) {
        return kTfLiteError;
    }
    data->input = Dims(input.dims);
    data->output = Dims(output.dims);
    data->filter = {1, params->filter_height, params->filter_width, 1};
    data->pool.stride = {params->stride_width, params->stride_height};
    data->pool.padding = {Padding(params->same_padding, data->input.w, data->output.w,
                                  data->filter.w, data->pool.stride.w, 1),
                          Padding(params->same_padding, data->input.h, data->output.h,
                                  data->filter.h, data->pool.stride.h, 1)};
    ActivationRange(params->activation, output.params.scale, output.params.zero_point,
                    &data->pool.activation.min, &data->pool.activation.max);
    return kTfLiteOk;
}

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    const OpData *data = static_cast<OpData *>(node->user_data);
    cmsis_nn_context none = {nullptr, 0};
    arm_cmsis_nn_status status = arm_avgpool_s8(
        &none, &data->pool, &data->input,
        context->GetEvalTensor(context, node->inputs->data[0])->data.int8, &data->filter,
        &data->output, context->GetEvalTensor(context, node->outputs->data[0])->data.int8);
    return status == ARM_CMSIS_NN_SUCCESS ? kTfLiteOk : kTfLiteError;
}

} // namespace

TFLMRegistration Register_AVERAGE_POOL_2D() { return {Init, Prepare, Invoke, 0, nullptr}; }

} // namespace tflite
