// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_FLATBUFFER_CONVERSIONS_BRIDGE_H_
#define FAKE_FLATBUFFER_CONVERSIONS_BRIDGE_H_

#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/schema/schema_generated.h"

// Also of depthwise convolutions; others have a depth multiplier of 1.
struct TfLiteConvParams {
    bool same_padding;
    int stride_width, stride_height;
    int dilation_width, dilation_height;
    int depth_multiplier;
    int activation;
};

struct TfLitePoolParams {
    bool same_padding;
    int stride_width, stride_height;
    int filter_width, filter_height;
    int activation;
};

struct TfLiteFullyConnectedParams {
    int activation;
};

struct TfLiteSoftmaxParams {
    float beta;
};

namespace tflite {

// The options of a built-in operator as one of the structures above, in the arena; null if it
// has none, or if there is no room.
void *ParseOptions(BuiltinOperator op, flatbuffers::Table options, MicroAllocator *allocator);

} // namespace tflite

#endif
