// SPDX-License-Identifier: Apache-2.0
#include "tensorflow/lite/micro/micro_interpreter.h"

#include <cstring>

#include "tensorflow/lite/micro/memory_planner/greedy_memory_planner.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/tflite_bridge/flatbuffer_conversions_bridge.h"

namespace tflite {

using flatbuffers::Table;
using flatbuffers::Vector;

namespace {

const TfLiteIntArray *IntArray(Vector<int32_t> vector) {
    static const TfLiteIntArray kNone = {0, {}};
    const uint8_t *start = vector.bytes() - sizeof(uint32_t);
    return start == nullptr ? &kNone : reinterpret_cast<const TfLiteIntArray *>(start);
}

size_t ElementBytes(TfLiteType type) {
    switch (type) {
    case kTfLiteInt8:
    case kTfLiteUInt8:
        return 1;
    case kTfLiteInt16:
        return 2;
    default:
        return 4;
    }
}

size_t Bytes(const TfLiteIntArray *dims, TfLiteType type) {
    size_t bytes = ElementBytes(type);
    for (int i = 0; i < dims->size; ++i) {
        bytes *= dims->data[i];
    }
    return bytes;
}

bool Contains(const TfLiteIntArray *array, int value) {
    for (int i = 0; i < array->size; ++i) {
        if (array->data[i] == value) {
            return true;
        }
    }
    return false;
}

bool Contains(Vector<int32_t> vector, int value) { return Contains(IntArray(vector), value); }

} // namespace

// What kernels call.
struct ContextFunctions {
    static MicroInterpreter *Of(const TfLiteContext *context) {
        return static_cast<MicroInterpreter *>(context->impl);
    }
    static void *AllocatePersistentBuffer(TfLiteContext *context, size_t bytes) {
        return Of(context)->allocator_.AllocatePersistentBuffer(bytes);
    }
    static TfLiteStatus RequestScratchBuffer(TfLiteContext *context, size_t bytes, int *index) {
        MicroInterpreter *self = Of(context);
        if (self->scratch_count_ == sizeof self->scratch_ / sizeof self->scratch_[0]) {
            MicroPrintf("Too many scratch buffers");
            return kTfLiteError;
        }
        *index = self->scratch_count_;
        self->scratch_[self->scratch_count_++] = {bytes, self->preparing_, nullptr};
        return kTfLiteOk;
    }
    static void *GetScratchBuffer(TfLiteContext *context, int index) {
        return Of(context)->scratch_[index].place;
    }
    static TfLiteEvalTensor *GetEvalTensor(const TfLiteContext *context, int index) {
        return &Of(context)->tensors_[index];
    }
    static TfLiteTensor GetTensor(const TfLiteContext *context, int index) {
        return Of(context)->Tensor(index);
    }
};

MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver,
                                   MicroAllocator *allocator, MicroResourceVariables *,
                                   MicroProfilerInterface *)
    : model_(model), resolver_(op_resolver), allocator_(*allocator), graph_(model->subgraph()) {
    context_.AllocatePersistentBuffer = ContextFunctions::AllocatePersistentBuffer;
    context_.RequestScratchBufferInArena = ContextFunctions::RequestScratchBuffer;
    context_.GetScratchBuffer = ContextFunctions::GetScratchBuffer;
    context_.GetEvalTensor = ContextFunctions::GetEvalTensor;
    context_.GetTensor = ContextFunctions::GetTensor;
    context_.impl = this;
}

MicroInterpreter::~MicroInterpreter() {}

template <typename T> T *MicroInterpreter::Array(size_t count) {
    void *place = allocator_.memory().AllocatePersistentBuffer(count * sizeof(T), alignof(T));
    if (place != nullptr) {
        memset(place, 0, count * sizeof(T));
    }
    return static_cast<T *>(place);
}

const uint8_t *MicroInterpreter::Constant(int tensor) const {
    Table found = graph_.element(SubGraphFields::kTensors, tensor);
    Vector<uint8_t> data = model_->buffer(found.scalar<uint32_t>(TensorFields::kBuffer, 0));
    return data.size() == 0 ? nullptr : data.bytes();
}

bool MicroInterpreter::MakeNode(int index) {
    Table op = graph_.element(SubGraphFields::kOperators, index);
    Table code = model_->operator_code(op.scalar<uint32_t>(OperatorFields::kCode, 0));
    int32_t old = code.scalar<int8_t>(0, 0);
    int32_t value = code.scalar<int32_t>(3, 0);
    BuiltinOperator builtin = static_cast<BuiltinOperator>(value > old ? value : old);
    bool custom = builtin == BuiltinOperator_CUSTOM;
    NodeAndRegistration &made = nodes_[index];
    made.registration = custom ? resolver_.FindOp(code.string(1)) : resolver_.FindOp(builtin);
    if (made.registration == nullptr) {
        MicroPrintf("Didn't find op for builtin opcode #%d", builtin);
        return false;
    }
    made.node.inputs = IntArray(op.vector<int32_t>(OperatorFields::kInputs));
    made.node.outputs = IntArray(op.vector<int32_t>(OperatorFields::kOutputs));
    Vector<uint8_t> options = op.vector<uint8_t>(OperatorFields::kCustomOptions);
    made.node.custom_initial_data = custom ? options.bytes() : nullptr;
    made.node.custom_initial_data_size = custom ? options.size() : 0;
    made.node.builtin_data = ParseOptions(builtin, op.table(OperatorFields::kOptions), &allocator_);
    return true;
}

bool MicroInterpreter::MakeNodes() {
    tensor_count_ = graph_.vector<uint32_t>(SubGraphFields::kTensors).size();
    node_count_ = graph_.vector<uint32_t>(SubGraphFields::kOperators).size();
    tensors_ = Array<TfLiteEvalTensor>(tensor_count_);
    nodes_ = Array<NodeAndRegistration>(node_count_);
    if (tensors_ == nullptr || nodes_ == nullptr) {
        return false;
    }
    for (int i = 0; i < tensor_count_; ++i) {
        Table found = graph_.element(SubGraphFields::kTensors, i);
        tensors_[i].dims = IntArray(found.vector<int32_t>(TensorFields::kShape));
        int8_t type = found.scalar<int8_t>(TensorFields::kType, 0);
        tensors_[i].type = type == 0 ? kTfLiteFloat32 : static_cast<TfLiteType>(type);
        tensors_[i].data.data = const_cast<uint8_t *>(Constant(i));
    }
    for (int i = 0; i < node_count_; ++i) {
        if (!MakeNode(i)) {
            return false;
        }
    }
    return true;
}

bool MicroInterpreter::PrepareNodes() {
    for (preparing_ = 0; preparing_ < node_count_; ++preparing_) {
        TfLiteNode &node = nodes_[preparing_].node;
        const TFLMRegistration *kernel = nodes_[preparing_].registration;
        if (kernel->init != nullptr) {
            const char *data = static_cast<const char *>(node.custom_initial_data);
            node.user_data = kernel->init(&context_, data, node.custom_initial_data_size);
        }
        if (kernel->prepare != nullptr && kernel->prepare(&context_, &node) != kTfLiteOk) {
            MicroPrintf("Node %d failed to prepare", preparing_);
            return false;
        }
    }
    return true;
}

int32_t MicroInterpreter::PlannedOffset(int tensor) const {
    constexpr uint32_t kMetadata = 6;
    Table root = model_->root();
    for (uint32_t i = 0; i < root.vector<uint32_t>(kMetadata).size(); ++i) {
        Table one = root.element(kMetadata, i);
        if (strcmp(one.string(0), "OfflineMemoryAllocation") == 0) {
            Vector<uint8_t> plan = model_->buffer(one.scalar<uint32_t>(1, 0));
            return flatbuffers::read<int32_t>(plan.bytes() + (3 + tensor) * sizeof(int32_t));
        }
    }
    return -1;
}

void MicroInterpreter::Place(const PlannedBuffer *buffers, uint8_t *head) {
    // The list lies where the tensors will be: nothing is written before all is read.
    for (int i = 0; i < tensor_count_; ++i) {
        if (tensors_[i].data.data == nullptr) {
            tensors_[i].data.data = head + buffers[i].offset;
        }
    }
    for (int i = 0; i < scratch_count_; ++i) {
        scratch_[i].place = head + buffers[tensor_count_ + i].offset;
    }
}

bool MicroInterpreter::Plan() {
    int count = tensor_count_ + scratch_count_;
    uint8_t *head = allocator_.memory().ResizeHead(count * sizeof(PlannedBuffer));
    PlannedBuffer *buffers = reinterpret_cast<PlannedBuffer *>(head);
    if (head == nullptr) {
        return false;
    }
    for (int i = 0; i < tensor_count_; ++i) {
        bool constant = tensors_[i].data.data != nullptr;
        buffers[i] = {constant ? 0 : Bytes(tensors_[i].dims, tensors_[i].type), node_count_, -1,
                      constant ? 0 : PlannedOffset(i)};
        for (int n = 0; n < node_count_; ++n) {
            const TfLiteNode &node = nodes_[n].node;
            if (Contains(node.inputs, i) || Contains(node.outputs, i)) {
                buffers[i].first = buffers[i].first < n ? buffers[i].first : n;
                buffers[i].last = n;
            }
        }
        if (Contains(graph_.vector<int32_t>(SubGraphFields::kInputs), i)) {
            buffers[i].first = 0;
        }
        if (Contains(graph_.vector<int32_t>(SubGraphFields::kOutputs), i)) {
            buffers[i].last = node_count_;
        }
    }
    for (int i = 0; i < scratch_count_; ++i) {
        buffers[tensor_count_ + i] = {scratch_[i].bytes, scratch_[i].node, scratch_[i].node, -1};
    }
    size_t end = PlanGreedily(buffers, count);
    if (allocator_.memory().ResizeHead(end) == nullptr) {
        return false;
    }
    Place(buffers, head);
    return true;
}

TfLiteTensor MicroInterpreter::Tensor(int index) const {
    TfLiteTensor tensor = {};
    tensor.data = tensors_[index].data;
    tensor.dims = tensors_[index].dims;
    tensor.type = tensors_[index].type;
    tensor.bytes = Bytes(tensor.dims, tensor.type);
    Table quantization =
        graph_.element(SubGraphFields::kTensors, index).table(TensorFields::kQuantization);
    Vector<float> scales = quantization.vector<float>(2);
    if (scales.size() > 0) {
        tensor.channel_scales = reinterpret_cast<const float *>(scales.bytes());
        tensor.channel_count = scales.size();
        tensor.params = {scales[0], static_cast<int32_t>(quantization.vector<int64_t>(3)[0])};
    }
    return tensor;
}

TfLiteTensor *MicroInterpreter::Ends(uint32_t field) {
    Vector<int32_t> indices = graph_.vector<int32_t>(field);
    TfLiteTensor *ends = Array<TfLiteTensor>(indices.size());
    for (uint32_t i = 0; ends != nullptr && i < indices.size(); ++i) {
        ends[i] = Tensor(indices[i]);
    }
    return ends;
}

TfLiteStatus MicroInterpreter::AllocateTensors() {
    if (!MakeNodes() || !PrepareNodes() || !Plan()) {
        return kTfLiteError;
    }
    inputs_ = Ends(SubGraphFields::kInputs);
    outputs_ = Ends(SubGraphFields::kOutputs);
    return inputs_ != nullptr && outputs_ != nullptr ? kTfLiteOk : kTfLiteError;
}

TfLiteStatus MicroInterpreter::Invoke() {
    for (int i = 0; i < node_count_; ++i) {
        if (nodes_[i].registration->invoke(&context_, &nodes_[i].node) != kTfLiteOk) {
            MicroPrintf("Node %d failed to invoke", i);
            return kTfLiteError;
        }
    }
    return kTfLiteOk;
}

TfLiteTensor *MicroInterpreter::input(size_t index) { return &inputs_[index]; }

TfLiteTensor *MicroInterpreter::output(size_t index) { return &outputs_[index]; }

} // namespace tflite
