// SPDX-License-Identifier: Apache-2.0
// Runs the model in TensorFlow Lite Micro's interpreter.
#include "inference.h"

#include "accelerator.h"
#include "log.h"
#include "model_check.h"
#include "op_resolver.h"

namespace {

tflite::MicroInterpreter *interpreter;
const struct model *accepted; // by inference_init()
bool started;

const char *check_tensors(const struct tensor_info *tensors, uint32_t count, size_t network_count,
                          TfLiteTensor *(*get)(size_t)) {
    if (count != network_count) {
        return "model: number of tensors differs from the network's";
    }
    for (uint32_t i = 0; i < count; i++) {
        const TfLiteTensor *tensor = get(i);
        if (tensor == nullptr || tensor->data.data == nullptr ||
            tensor->bytes != tensors[i].size_bytes) {
            return model_reason("model: tensor ", tensors[i].name, " differs from the network's");
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
        return "model: unsupported TFLite schema version";
    }
    const tflite::MicroOpResolver *resolver = op_resolver();
    tflite::MicroAllocator *allocator =
        tflite::MicroAllocator::Create(m->scratch, m->scratch_bytes);
    if (resolver == nullptr || allocator == nullptr) {
        return model_reason("TFLM: ", log_first_line(), "");
    }
    interpreter = new (place.bytes()) tflite::MicroInterpreter(network, *resolver, allocator);
    return interpreter->AllocateTensors() == kTfLiteOk
               ? nullptr
               : model_reason("TFLM: ", log_first_line(), "");
}

const char *check(const struct model *m) {
    if (m->tflite == nullptr) {
        return "model: it has no .tflite for the interpreter";
    }
    const char *reason = model_check_tensors(m);
    return reason != nullptr ? reason : accelerator_start(m);
}

const char *start(const struct model *m) {
    const char *reason = make_interpreter(m);
    if (reason == nullptr) {
        reason = check_tensors(m->inputs, m->input_count, interpreter->inputs_size(), input);
    }
    if (reason == nullptr) {
        reason = check_tensors(m->outputs, m->output_count, interpreter->outputs_size(), output);
    }
    return reason;
}

} // namespace

const char *inference_select(const struct model *built_in, const struct model **selected) {
    *selected = built_in;
    return nullptr;
}

const char *inference_init(const struct model *m) {
    // A second interpreter would need a second start of Arm's driver, which is made for one.
    if (started) {
        return "model: inference_init() was called twice";
    }
    log_clear();
    const char *reason = check(m);
    started = reason == nullptr;
    reason = reason != nullptr ? reason : start(m);
    accepted = reason == nullptr ? m : nullptr;
    return reason;
}

const char *inference_run(const struct model *m, struct inference_counts *counts) {
    *counts = {};
    if (m == nullptr || m != accepted) {
        return "model: inference_init() has not accepted it";
    }
    log_clear();
    accelerator_begin();
    TfLiteStatus status = interpreter->Invoke();
    accelerator_counts(counts);
    if (status == kTfLiteOk) {
        return nullptr;
    }
    const char *reason = accelerator_failure();
    return reason != nullptr ? reason : model_reason("TFLM: ", log_first_line(), "");
}

const char *inference_reset(const struct model *m) {
    if (m == nullptr || m != accepted) {
        return "model: inference_init() has not accepted it";
    }
    log_clear();
    return interpreter->Reset() == kTfLiteOk ? nullptr
                                             : model_reason("TFLM: ", log_first_line(), "");
}

void *inference_tensor(const struct model *m, const struct tensor_info *info) {
    if (m == nullptr || m != accepted || !model_has_tensor(m, info)) {
        return nullptr;
    }
    for (uint32_t i = 0; i < m->input_count; i++) {
        if (info == &m->inputs[i]) {
            return input(i)->data.data;
        }
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
