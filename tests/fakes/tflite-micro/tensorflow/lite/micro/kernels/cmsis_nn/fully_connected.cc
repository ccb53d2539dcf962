// SPDX-License-Identifier: Apache-2.0
#include "Include/arm_nnfunctions.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

namespace tflite {

namespace {

struct OpData {
    cmsis_nn_fc_params fc;
    cmsis_nn_quant_params quant;
    cmsis_nn_dims input, filter, bias, output;
};

void *Init(TfLiteContext *context, const char *, size_t) {
    return context->AllocatePersistentBuffer(context, sizeof(OpData));
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
    OpData *data = static_cast<OpData *>(node->user_data);
    const auto *params = static_cast<TfLiteFullyConnectedParams *>(node->builtin_data);
    TfLiteTensor input = context->GetTensor(context, node->inputs->data[0]);
    TfLiteTensor filter = context->GetTensor(context, node->inputs->data[1]);
    TfLiteTensor output = context->GetTensor(context, node->outputs->data[0]);
    if (data == nullptr || params == nullptr || input.type != kTfLiteInt8) {
        return kTfLiteError;
    }
    int32_t depth = filter.dims->data[1], units = filter.dims->data[0];
    int32_t batches = static_cast<int32_t>(input.bytes) / depth;
    data->input = {batches, 1, 1, depth};
    data->filter = {depth, 1, 1, units};
    data->bias = {1, 1, 1, units};
    data->output = {batches, 1, 1, units};
    data->fc.input_offset = -input.params.zero_point;
    data->fc.filter_offset = 0;
    data->fc.output_offset = output.params.zero_point;
    ActivationRange(params->activation, output.params.scale, output.params.zero_point,
                    &data->fc.activation.min, &data->fc.activation.max);
    size_t bytes = filter.channel_count * sizeof(int32_t);
    data->quant.is_per_channel = filter.channel_count > 1;
    data->quant.multiplier =
        static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
    data->quant.shift = static_cast<int32_t *>(context->AllocatePersistentBuffer(context, bytes));
    if (data->quant.multiplier == nullptr || data->quant.shift == nullptr) {
        return kTfLiteError;
    }
    for (uint32_t i = 0; i < filter.channel_count; ++i) {
        double scale = static_cast<double>(input.params.scale) * filter.channel_scales[i];
        int shift;
        QuantizeMultiplier(scale / output.params.scale, &data->quant.multiplier[i], &shift);
        data->quant.shift[i] = shift;
    }
    return kTfLiteOk;
}

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    const OpData *data = static_cast<OpData *>(node->user_data);
    cmsis_nn_context none = {nullptr, 0};
    auto tensor = [&](int index) { return context->GetEvalTensor(context, index)->data; };
    arm_cmsis_nn_status status = arm_fully_connected_wrapper_s8(
        &none, &data->fc, &data->quant, &data->input, tensor(node->inputs->data[0]).int8,
        &data->filter, tensor(node->inputs->data[1]).int8, &data->bias,
        tensor(node->inputs->data[2]).i32, &data->output, tensor(node->outputs->data[0]).int8);
    return status == ARM_CMSIS_NN_SUCCESS ? kTfLiteOk : kTfLiteError;
}

} // namespace

TFLMRegistration Register_FULLY_CONNECTED() { return {Init, Prepare, Invoke, 0, nullptr}; }

} // namespace tflite
