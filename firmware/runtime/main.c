// SPDX-License-Identifier: Apache-2.0
// The device program: every baked-in sample through the network, results on the console.
// Its output is read by programs; docs describe it, and tests pin it.
#include <stddef.h>

#include "answer_check.h"
#include "application.h"
#include "hal.h"
#include "identity.h"
#include "inference.h"
#include "labels.h"
#include "log_write.h"
#include "model.h"
#include "platform.h"
#include "sample.h"
#include "samples.h"
#include "tensor.h"
#include "text.h"
#include "windows.h"

enum { LINE_BYTES = 256 };

// One more than there can be: it ends the list.
static struct input inputs[APPLICATION_MAX_TENSORS + 1];
static struct output outputs[APPLICATION_MAX_TENSORS + 1];
static const struct model *active = &model;

static void print(struct text *line) {
    hal_console_write(line->start);
    *line = text_in(line->start, line->capacity_bytes);
}

void log_write(const char *line) { hal_console_write(line); }

static void print_field(struct text *line, const char *name, uint64_t value) {
    text_string(line, name);
    text_unsigned(line, value);
}

static void print_header(void) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "ethosmith: ");
    text_string(&line, usecase_name);
    text_string(&line, " model=");
    text_string(&line, active->name);
    text_string(&line, " npu=");
    text_string(&line, active->accelerator_config);
    text_string(&line, " memory_mode=");
    text_string(&line, active->memory_mode);
    print_field(&line, " samples=", sample_count);
    text_character(&line, '\n');
    print(&line);
    identity_describe(active, &line);
    print(&line);
}

static void print_counts(struct text *line, const struct inference_counts *counts) {
    print_field(line, " npu_cycles=", counts->cycles);
    if (!PLATFORM_NPU_AXI1_WRITES) {
        print_field(line, " npu_active=", counts->active);
    }
    print_field(line, " axi0_rd=", counts->axi0_read_beats);
    print_field(line, " axi0_wr=", counts->axi0_write_beats);
    print_field(line, " axi1_rd=", counts->axi1_read_beats);
    if (PLATFORM_NPU_AXI1_WRITES) {
        print_field(line, " axi1_wr=", counts->axi1_write_beats);
    }
    text_character(line, '\n');
    print(line);
}

static void print_answer(const struct sample *sample, const struct answer *answer, uint32_t windows,
                         const struct inference_counts *counts) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "sample ");
    text_string(&line, sample->name);
    text_string(&line, ": answer=\"");
    print(&line);
    hal_console_write(answer->text);
    text_string(&line, "\" score=");
    text_fixed4(&line, answer->score);
    if (windows > 1) {
        print_field(&line, " windows=", windows);
    }
    print_counts(&line, counts);
}

static void print_window(const struct sample *sample, uint32_t window,
                         const struct inference_counts *counts) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "window ");
    text_string(&line, sample->name);
    print_field(&line, " ", window);
    text_character(&line, ':');
    print_counts(&line, counts);
}

static void print_ranked(const struct sample *sample, const struct answer *answer) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    if (answer->ranked_count == 0) {
        return;
    }
    text_string(&line, "top ");
    text_string(&line, sample->name);
    for (uint32_t i = 0; i < answer->ranked_count; i++) {
        text_string(&line, " \"");
        text_string(&line, answer->ranked[i].text);
        text_string(&line, "\"=");
        text_fixed4(&line, answer->ranked[i].score);
        print(&line);
    }
    text_character(&line, '\n');
    print(&line);
}

static const char *dtype_name(enum tensor_dtype dtype) {
    switch (dtype) {
    case TENSOR_INT8:
        return "int8";
    case TENSOR_UINT8:
        return "uint8";
    case TENSOR_INT16:
        return "int16";
    case TENSOR_INT32:
        return "int32";
    case TENSOR_FLOAT32:
        return "float32";
    }
    return "unknown";
}

static void print_bytes(const uint8_t *bytes, uint32_t count) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    for (uint32_t i = 0; i < count; i++) {
        if (line.length + 3 > sizeof buffer) {
            print(&line);
        }
        text_hex(&line, bytes[i], 2);
    }
    text_character(&line, '\n');
    print(&line);
}

static void print_output(const struct sample *sample, uint32_t index, const struct output *output) {
    const struct tensor_info *info = output->info;
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    text_string(&line, "tensor ");
    text_string(&line, sample->name);
    print_field(&line, " ", index);
    text_string(&line, " ");
    text_string(&line, dtype_name(info->dtype));
    for (uint32_t i = 0; i < info->rank; i++) {
        print_field(&line, i == 0 ? " " : "x", info->shape[i]);
    }
    text_character(&line, ' ');
    print(&line);
    print_bytes(output->data, info->size_bytes);
}

static enum hal_exit_code fail(const char *reason, const char *sample_name) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer - 1);
    text_string(&line, "fail: ");
    text_string(&line, reason);
    if (sample_name != NULL) {
        text_string(&line, " (sample ");
        text_string(&line, sample_name);
        text_string(&line, ")");
    }
    print(&line);
    hal_console_write("\n");
    return HAL_EXIT_FAIL;
}

static void bind_tensors(void) {
    for (uint32_t i = 0; i < active->input_count; i++) {
        inputs[i].info = &active->inputs[i];
        inputs[i].data = inference_tensor(active, &active->inputs[i]);
    }
    for (uint32_t i = 0; i < active->output_count; i++) {
        outputs[i].info = &active->outputs[i];
        outputs[i].data = inference_tensor(active, &active->outputs[i]);
    }
}

static void print_outputs(const struct sample *sample) {
    for (uint32_t i = 0; i < active->output_count; i++) {
        print_output(sample, i, &outputs[i]);
    }
}

// Returns a reason on failure, as the functions below.
static const char *preprocess(const struct sample *sample) {
    if (application_takes_inputs_as_they_are()) {
        bool found;
        const char *problem = windows_read(inputs, &found);
        if (problem != NULL || found) {
            return problem;
        }
    }
    const char *reason = application_preprocess(sample, inputs);
    for (uint32_t i = 0; i < active->input_count && reason == NULL; i++) {
        if (inputs[i].out_of_range) {
            reason = "application_preprocess() writes past the end of a network input";
        }
    }
    return reason;
}

static void add_counts(struct inference_counts *sum, const struct inference_counts *counts) {
    sum->cycles += counts->cycles;
    sum->active += counts->active;
    sum->axi0_read_beats += counts->axi0_read_beats;
    sum->axi0_write_beats += counts->axi0_write_beats;
    sum->axi1_read_beats += counts->axi1_read_beats;
    sum->axi1_write_beats += counts->axi1_write_beats;
}

static const char *run_window(const struct sample *sample, uint32_t window, struct answer *answer,
                              struct inference_counts *counts) {
    for (uint32_t i = 0; i < active->input_count; i++) {
        inputs[i].window = window;
    }
    for (uint32_t i = 0; i < active->output_count; i++) {
        outputs[i].window = window;
    }
    const char *reason = active->reset == MODEL_RESET_INFERENCE ? inference_reset(active) : NULL;
    if (reason == NULL) {
        reason = preprocess(sample);
    }
    if (reason == NULL) {
        samples_prepared(inputs);
        reason = inference_run(active, counts);
    }
    if (reason != NULL) {
        return reason;
    }
    if (application_takes_inputs_as_they_are()) {
        reason = windows_write(outputs);
    }
    return reason != NULL ? reason : application_postprocess(outputs, answer);
}

static const char *run_windows(const struct sample *sample, uint32_t windows) {
    struct inference_counts sum = {0};
    struct answer answer = {0};
    for (uint32_t window = 0; window < windows; window++) {
        struct inference_counts counts;
        const char *reason = run_window(sample, window, &answer, &counts);
        if (reason != NULL) {
            return reason;
        }
        add_counts(&sum, &counts);
        print_window(sample, window, &counts);
        print_outputs(sample);
    }
    const char *reason = answer_check(&answer);
    if (reason == NULL) {
        print_answer(sample, &answer, windows, &sum);
        print_ranked(sample, &answer);
    }
    return reason;
}

static const char *run_sample(const struct sample *sample) {
    struct inference_counts counts;
    struct answer answer = {0};
    uint32_t windows = 0;
    const char *reason = application_window_count(sample, inputs[0].info, &windows);
    if (reason != NULL) {
        return reason;
    }
    if (windows == 0) {
        return "application_window_count() counts no window";
    }
    if (active->reset == MODEL_RESET_SAMPLE) {
        reason = inference_reset(active);
        if (reason != NULL) {
            return reason;
        }
    }
    if (windows > 1) {
        return run_windows(sample, windows);
    }
    reason = run_window(sample, 0, &answer, &counts);
    reason = reason != NULL ? reason : answer_check(&answer);
    if (reason != NULL) {
        return reason;
    }
    print_answer(sample, &answer, windows, &counts);
    print_ranked(sample, &answer);
    print_outputs(sample);
    return NULL;
}

static void print_end(void) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    inference_describe(active, &line);
    print_field(&line, "stack: ", hal_stack_used_bytes());
    print_field(&line, " of ", PLATFORM_STACK_BYTES);
    text_string(&line, " bytes used\n");
    print_field(&line, "ran: ", sample_count);
    text_string(&line, " samples\n");
    print(&line);
}

int main(void) {
    const char *reason = inference_select(&model, &active);
    print_header();
    reason = reason != NULL ? reason : inference_init(active);
    if (reason != NULL) {
        return fail(reason, NULL);
    }
    bind_tensors();
    const struct sample *sample = samples_next(NULL);
    for (; sample != NULL; sample = samples_next(sample)) {
        reason = run_sample(sample);
        if (reason != NULL) {
            return fail(reason, sample->name);
        }
    }
    print_end();
    return HAL_EXIT_PASS;
}
