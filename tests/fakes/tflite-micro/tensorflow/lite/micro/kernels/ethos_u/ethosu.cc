// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/kernels/ethosu.h"

#include <ethosu_driver.h>

namespace tflite {

namespace {

struct OpData {
    int addresses;
    int sizes;
};

constexpr int kMaxAddresses = 8;

void *Init(TfLiteContext *context, const char *, size_t) {
    return context->AllocatePersistentBuffer(context, sizeof(OpData));
}

TfLiteStatus Prepare(TfLiteContext *context, TfLiteNode *node) {
    OpData *data = static_cast<OpData *>(node->user_data);
    size_t count = node->inputs->size + node->outputs->size;
    if (data == nullptr || context->RequestScratchBufferInArena(context, count * sizeof(uint64_t),
                                                                &data->addresses) != kTfLiteOk) {
        return kTfLiteError;
    }
    return context->RequestScratchBufferInArena(context, count * sizeof(size_t), &data->sizes);
}

TfLiteStatus Invoke(TfLiteContext *context, TfLiteNode *node) {
    const OpData *data = static_cast<OpData *>(node->user_data);
    auto *addresses = static_cast<uint64_t *>(context->GetScratchBuffer(context, data->addresses));
    auto *sizes = static_cast<size_t *>(context->GetScratchBuffer(context, data->sizes));
    int count = 0;
    auto add = [&](int index) {
        TfLiteTensor tensor = context->GetTensor(context, index);
        addresses[count] = reinterpret_cast<uintptr_t>(tensor.data.data);
        sizes[count++] = tensor.bytes;
    };
    for (int i = 1; i < node->inputs->size; ++i) {
        add(node->inputs->data[i]);
    }
    for (int i = 0; i < node->outputs->size; ++i) {
        add(node->outputs->data[i]);
    }
    TfLiteTensor stream = context->GetTensor(context, node->inputs->data[0]);
    ethosu_driver *driver = ethosu_reserve_driver();
    int result =
        ethosu_invoke_v3(driver, stream.data.data, static_cast<int>(stream.bytes), addresses, sizes,
                         count < kMaxAddresses ? count : kMaxAddresses, nullptr);
    ethosu_release_driver(driver);
    return result == 0 ? kTfLiteOk : kTfLiteError;
}

} // namespace

TFLMRegistration *Register_ETHOSU() {
    static TFLMRegistration registration = {Init, Prepare, Invoke, 0, nullptr};
    return &registration;
}

const char *GetString_ETHOSU() { return "ethos-u"; }

} // namespace tflite
