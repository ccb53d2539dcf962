// SPDX-License-Identifier: Apache-2.0
// The parts of a .tflite that the fake reads. Field numbers are schema.fbs's.
#ifndef FAKE_SCHEMA_GENERATED_H_
#define FAKE_SCHEMA_GENERATED_H_

#include "flatbuffers/flatbuffers.h"

namespace tflite {

enum BuiltinOperator : int32_t {
    BuiltinOperator_AVERAGE_POOL_2D = 1,
    BuiltinOperator_CONV_2D = 3,
    BuiltinOperator_DEPTHWISE_CONV_2D = 4,
    BuiltinOperator_FULLY_CONNECTED = 9,
    BuiltinOperator_RESHAPE = 22,
    BuiltinOperator_SOFTMAX = 25,
    BuiltinOperator_CUSTOM = 32,
};

// A model is where its buffer begins.
class Model {
  public:
    flatbuffers::Table root() const {
        return flatbuffers::Table(flatbuffers::follow(reinterpret_cast<const uint8_t *>(this)));
    }
    uint32_t version() const { return root().scalar<uint32_t>(0, 0); }
    flatbuffers::Table operator_code(uint32_t index) const { return root().element(1, index); }
    flatbuffers::Table subgraph() const { return root().element(2, 0); }
    flatbuffers::Vector<uint8_t> buffer(uint32_t index) const {
        return root().element(4, index).vector<uint8_t>(0);
    }
};

inline const Model *GetModel(const void *buffer) { return static_cast<const Model *>(buffer); }

struct TensorFields {
    enum : uint32_t { kShape = 0, kType = 1, kBuffer = 2, kQuantization = 4 };
};
struct SubGraphFields {
    enum : uint32_t { kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3 };
};
struct OperatorFields {
    enum : uint32_t { kCode = 0, kInputs = 1, kOutputs = 2, kOptions = 4, kCustomOptions = 5 };
};

} // namespace tflite

#endif
