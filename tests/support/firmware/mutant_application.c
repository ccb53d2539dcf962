// SPDX-License-Identifier: Apache-2.0
// A network of two DMA transfers: its output is its input and then its weights. Command stream and
// weights are written by the CPU after start-up, so that the NPU depends on cache maintenance for
// them too. The answer is refused unless every byte is right.
#include <string.h>

#include "application.h"
#include "labels.h"
#include "model.h"

enum { INPUT_BYTES = 96, WEIGHTS_BYTES = 32, OUTPUT_BYTES = INPUT_BYTES + WEIGHTS_BYTES };
enum { INPUT_OFFSET = 16, OUTPUT_OFFSET = 272, SCRATCH_BYTES = 512 }; // within cache lines

static const uint8_t STREAM[] = {STREAM_BYTES};
static const int8_t SAMPLE[INPUT_BYTES] = {1, -2, 3, [40] = 77, [INPUT_BYTES - 1] = -9};
static const int8_t OTHER[INPUT_BYTES] = {5, [33] = 12, [INPUT_BYTES - 1] = 64};

#define IN_SRAM __attribute__((section(".scratch"), aligned(32)))
static uint8_t stream[sizeof STREAM] IN_SRAM;
static uint8_t weights[WEIGHTS_BYTES] IN_SRAM;
static uint8_t scratch[SCRATCH_BYTES] IN_SRAM;

__attribute__((constructor)) static void write_model(void) {
    memcpy(stream, STREAM, sizeof stream);
    for (uint32_t i = 0; i < sizeof weights; i++) {
        weights[i] = (uint8_t)(i + 1);
    }
}

#define TENSOR(bytes, at)                                                                          \
    {                                                                                              \
        .name = "tensor", .dtype = TENSOR_INT8, .rank = 2, .shape = {1, (bytes)},                  \
        .size_bytes = (bytes), .region = 1, .offset = (at), .scale = 1.0f                          \
    }
static const struct tensor_info INPUT[] = {TENSOR(INPUT_BYTES, INPUT_OFFSET)};
static const struct tensor_info OUTPUT[] = {TENSOR(OUTPUT_BYTES, OUTPUT_OFFSET)};
const struct model model = {.name = "copy",
                            .accelerator_config = "ethos-u55-128",
                            .macs = 128,
                            .memory_mode = "Shared_Sram",
                            .command_stream = stream,
                            .command_stream_bytes = sizeof stream,
                            .weights = weights,
                            .weights_bytes = sizeof weights,
                            .weights_region = 0,
                            .scratch = scratch,
                            .scratch_bytes = sizeof scratch,
                            .scratch_region = 1,
                            .inputs = INPUT,
                            .input_count = 1,
                            .outputs = OUTPUT,
                            .output_count = 1};

const char usecase_name[] = "mutant";
const struct sample samples[] = {{"sample", SAMPLE, sizeof SAMPLE, 0},
                                 {"other", OTHER, sizeof OTHER, 0}};
const uint32_t sample_count = 2;
const char *const labels[] = {"right"};
const uint32_t label_count = 1;

static const int8_t *current;

bool application_takes_inputs_as_they_are(void) { return true; }

const char *application_preprocess(const struct sample *sample, struct input *input) {
    current = sample->data;
    for (uint32_t i = 0; i < INPUT_BYTES; i++) {
        input_set(input, i, (float)current[i]);
    }
    return NULL;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    for (uint32_t i = 0; i < OUTPUT_BYTES; i++) {
        float expected = i < INPUT_BYTES ? (float)current[i] : (float)(i - INPUT_BYTES + 1);
        if (output_get(output, i) != expected) {
            return "the output is wrong";
        }
    }
    *answer = (struct answer){.text = labels[0], .score = 1.0f};
    return NULL;
}
