// SPDX-License-Identifier: Apache-2.0
// Runs the model in TensorFlow Lite Micro's interpreter: the other form of runtime/inference.c.
#include "inference.h"

#include "accelerator.h"
#include "log.h"
#include "op_resolver.h"

namespace {

tflite::MicroInterpreter *interpreter;

const char *check_tensors(const struct tensor_info *tensors, uint32_t count, size_t have,
                          TfLiteTensor *(*get)(size_t)) {
    if (count != have) {
        return "model: another number of tensors than the network has";
    }
    for (uint32_t i = 0; i < count; i++) {
        const TfLiteTensor *tensor = get(i);
        if (tensor == nullptr || tensor->data.data == nullptr ||
            tensor->bytes != tensors[i].size_bytes || tensors[i].rank > TENSOR_MAX_RANK) {
            return log_reason("model: another tensor than the network's: ", tensors[i].name);
        }
    }
    return nullptr;
}

TfLiteTensor *input(size_t index) { return interpreter->input(index); }
TfLiteTensor *output(size_t index) { return interpreter->output(index); }

const char *make_interpreter(const struct model *m) {
    static Place<tflite::MicroInterpreter> place;
    const tflite::Model *network = tflite::GetModel(m->tflite);
    if (network->version() != TFLITE_SCHEMA_VERSION) {
        return "model: of another version of the TFLite schema";
    }
    const tflite::MicroOpResolver *resolver = op_resolver();
    tflite::MicroAllocator *allocator =
        tflite::MicroAllocator::Create(m->scratch, m->scratch_bytes);
    if (resolver == nullptr || allocator == nullptr) {
        return log_reason("TFLM: ", log_first_line());
    }
    interpreter = new (place.bytes()) tflite::MicroInterpreter(network, *resolver, allocator);
    return interpreter->AllocateTensors() == kTfLiteOk ? nullptr
                                                       : log_reason("TFLM: ", log_first_line());
}

} // namespace

const char *inference_init(const struct model *m) {
    log_clear();
    const char *reason = accelerator_start(m);
    reason = reason != nullptr ? reason : make_interpreter(m);
    if (reason == nullptr) {
        reason = check_tensors(m->inputs, m->input_count, interpreter->inputs_size(), input);
    }
    if (reason == nullptr) {
        reason = check_tensors(m->outputs, m->output_count, interpreter->outputs_size(), output);
    }
    return reason;
}

const char *inference_run(const struct model *m, struct inference_counts *counts) {
    (void)m; // the interpreter was made from it
    log_clear();
    accelerator_begin();
    TfLiteStatus status = interpreter->Invoke();
    accelerator_counts(counts);
    if (status == kTfLiteOk) {
        return nullptr;
    }
    const char *reason = accelerator_failure();
    return reason != nullptr ? reason : log_reason("TFLM: ", log_first_line());
}

void *inference_tensor(const struct model *m, const struct tensor_info *info) {
    if (info >= m->inputs && info < m->inputs + m->input_count) {
        return input(static_cast<size_t>(info - m->inputs))->data.data;
    }
    return output(static_cast<size_t>(info - m->outputs))->data.data;
}

void inference_describe(const struct model *m, struct text *lines) {
    text_string(lines, "arena: ");
    text_unsigned(lines, interpreter->arena_used_bytes());
    text_string(lines, " of ");
    text_unsigned(lines, m->scratch_bytes);
    text_string(lines, " bytes used\n");
}
