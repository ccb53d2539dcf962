// SPDX-License-Identifier: Apache-2.0
#include "Include/arm_nnfunctions.h"
#include "tensorflow/lite/kernels/internal/quantization_util.h"
#include "tensorflow/lite/micro/kernels/cmsis_nn/windows.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

namespace tflite {

namespace {

struct OpData {
    cmsis_nn_dw_conv_params conv;
    cmsis_nn_per_channel_quant_params quant;
    cmsis_nn_dims input, filter, bias, output;
    int buffer;
};

void *Init(TfLiteContext *context, const char *, size_t) {
    return context->AllocatePersistentBuffer(context, sizeof(OpData));
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
    OpData *data = static_cast<OpData *>(node->user_data);
    const TfLiteConvParams *params = static_cast<TfLiteConvParams *>(node->builtin_data);
    TfLiteTensor input = context->GetTensor(context, node->inputs->data[0]);
    TfLiteTensor filter = context->GetTensor(context, node->inputs->data[1]);
    TfLiteTensor output = context->GetTensor(context, node->outputs->data[0]);
    if (data == nullptr || params == nullptr || input.type != kTfLiteInt8) {
        return kTfLiteError;
    }
    data->input = Dims(input.dims);
    data->filter = Dims(filter.dims);
    data->output = Dims(output.dims);
    data->bias = {1, 1, 1, data->output.c};
    cmsis_nn_dw_conv_params &conv = data->conv;
    conv.ch_mult = params->depth_multiplier;
    conv.stride = {params->stride_width, params->stride_height};
    conv.dilation = {params->dilation_width, params->dilation_height};
    conv.padding = {Padding(params->same_padding, data->input.w, data->output.w, data->filter.w,
                            conv.stride.w, conv.dilation.w),
                    Padding(params->same_padding, data->input.h, data->output.h, data->filter.h,
                            conv.stride.h, conv.dilation.h)};
    conv.input_offset = -input.params.zero_point;
    conv.output_offset = output.params.zero_point;
    ActivationRange(params->activation, output.params.scale, output.params.zero_point,
                    &conv.activation.min, &conv.activation.max);
    if (!ChannelMultipliers(context, input, filter, output, &data->quant)) {
        return kTfLiteError;
    }
    size_t scratch = arm_depthwise_conv_wrapper_s8_get_buffer_size(&conv, &data->input,
                                                                   &data->filter, &data->output);
    return context->RequestScratchBufferInArena(context, scratch, &data->buffer);
}

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    const OpData *data = static_cast<OpData *>(node->user_data);
    cmsis_nn_context scratch = {context->GetScratchBuffer(context, data->buffer), 0};
    auto tensor = [&](int index) { return context->GetEvalTensor(context, index)->data; };
    arm_cmsis_nn_status status = arm_depthwise_conv_wrapper_s8(
        &scratch, &data->conv, &data->quant, &data->input, tensor(node->inputs->data[0]).int8,
        &data->filter, tensor(node->inputs->data[1]).int8, &data->bias,
        tensor(node->inputs->data[2]).i32, &data->output, tensor(node->outputs->data[0]).int8);
    return status == ARM_CMSIS_NN_SUCCESS ? kTfLiteOk : kTfLiteError;
}

} // namespace

TFLMRegistration Register_DEPTHWISE_CONV_2D() { return {Init, Prepare, Invoke, 0, nullptr}; }

} // namespace tflite
