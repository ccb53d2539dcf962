// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

#include <new>

namespace tflite {

namespace {

template <typename T> void *Kept(const T &value, MicroAllocator *allocator) {
    void *place = allocator->memory().AllocatePersistentBuffer(sizeof(T), alignof(T));
    return place == nullptr ? nullptr : new (place) T(value);
}

} // namespace

void *ParseOptions(BuiltinOperator op, flatbuffers::Table options, MicroAllocator *allocator) {
    auto byte = [&](uint32_t field) { return options.scalar<int8_t>(field, 0); };
    auto number = [&](uint32_t field, int32_t otherwise) {
        return static_cast<int>(options.scalar<int32_t>(field, otherwise));
    };
    switch (op) {
    case BuiltinOperator_AVERAGE_POOL_2D:
        return Kept(TfLitePoolParams{byte(0) == 0, number(1, 0), number(2, 0), number(3, 0),
                                     number(4, 0), byte(5)},
                    allocator);
    case BuiltinOperator_CONV_2D:
        return Kept(TfLiteConvParams{byte(0) == 0, number(1, 0), number(2, 0), number(4, 1),
                                     number(5, 1), 1, byte(3)},
                    allocator);
    case BuiltinOperator_DEPTHWISE_CONV_2D:
        return Kept(TfLiteConvParams{byte(0) == 0, number(1, 0), number(2, 0), number(5, 1),
                                     number(6, 1), number(3, 0), byte(4)},
                    allocator);
    case BuiltinOperator_FULLY_CONNECTED:
        return Kept(TfLiteFullyConnectedParams{byte(0)}, allocator);
    case BuiltinOperator_SOFTMAX:
        return Kept(TfLiteSoftmaxParams{options.scalar<float>(0, 1.0f)}, allocator);
    default:
        return nullptr;
    }
}

} // namespace tflite
