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
    switch (op) {
    case BuiltinOperator_CONV_2D:
        return Kept(TfLiteConvParams{options.scalar<int8_t>(0, 0) == 0,
                                     options.scalar<int32_t>(1, 0), options.scalar<int32_t>(2, 0),
                                     options.scalar<int32_t>(4, 1), options.scalar<int32_t>(5, 1),
                                     options.scalar<int8_t>(3, 0)},
                    allocator);
    case BuiltinOperator_FULLY_CONNECTED:
        return Kept(TfLiteFullyConnectedParams{options.scalar<int8_t>(0, 0)}, allocator);
    case BuiltinOperator_SOFTMAX:
        return Kept(TfLiteSoftmaxParams{options.scalar<float>(0, 1.0f)}, allocator);
    default:
        return nullptr;
    }
}

} // namespace tflite
