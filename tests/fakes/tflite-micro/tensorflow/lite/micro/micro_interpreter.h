// SPDX-License-Identifier: Apache-2.0
#ifndef FAKE_MICRO_INTERPRETER_H_
#define FAKE_MICRO_INTERPRETER_H_

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

class MicroResourceVariables;
class MicroProfilerInterface;

struct NodeAndRegistration {
    TfLiteNode node;
    const TFLMRegistration *registration;
};

struct ScratchRequest {
    size_t bytes;
    int node;
    uint8_t *place;
};

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver,
                     MicroAllocator *allocator,
                     MicroResourceVariables *resource_variables = nullptr,
                     MicroProfilerInterface *profiler = nullptr);
    ~MicroInterpreter();

    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteStatus Reset() { return kTfLiteOk; } // it runs no network with variables
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const { return graph_.vector<int32_t>(SubGraphFields::kInputs).size(); }
    size_t outputs_size() const { return graph_.vector<int32_t>(SubGraphFields::kOutputs).size(); }
    size_t arena_used_bytes() const { return allocator_.used_bytes(); }

  private:
    friend struct ContextFunctions;

    template <typename T> T *Array(size_t count);
    bool MakeNodes();
    bool MakeNode(int index);
    bool PrepareNodes();
    bool Plan();
    void Place(const struct PlannedBuffer *buffers, uint8_t *head);
    int32_t PlannedOffset(int tensor) const;
    const uint8_t *Constant(int tensor) const;
    TfLiteTensor Tensor(int tensor) const;
    TfLiteTensor *Ends(uint32_t field);

    const Model *model_;
    const MicroOpResolver &resolver_;
    MicroAllocator &allocator_;
    flatbuffers::Table graph_;
    TfLiteContext context_;
    TfLiteEvalTensor *tensors_ = nullptr;
    int tensor_count_ = 0;
    NodeAndRegistration *nodes_ = nullptr;
    int node_count_ = 0;
    int preparing_ = 0;
    ScratchRequest scratch_[16];
    int scratch_count_ = 0;
    TfLiteTensor *inputs_ = nullptr;
    TfLiteTensor *outputs_ = nullptr;
};

} // namespace tflite

#endif
