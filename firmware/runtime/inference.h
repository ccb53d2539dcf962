// SPDX-License-Identifier: Apache-2.0
// Runs the model. There are two forms of it, and an image is linked with one: inference.c beside
// this file hands the command stream to the NPU, and tflm/inference.cc has an interpreter.
#ifndef ETHOSMITH_RUNTIME_INFERENCE_H
#define ETHOSMITH_RUNTIME_INFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "tensor.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

// What the NPU's counters said about one run, or about several together.
struct inference_counts {
    uint64_t cycles;
    uint64_t active;
    uint64_t axi0_read_beats;
    uint64_t axi0_write_beats;
    uint64_t axi1_read_beats;
};

// Resets the NPU and checks that it is the one `m` was compiled for.
// On failure returns a one-line reason, else null. The same holds for inference_run().
const char *inference_init(const struct model *m);

// Runs the network once on what its input tensors hold.
const char *inference_run(const struct model *m, struct inference_counts *counts);

// Appends the lines that this form says at the end of a run that passes, if any.
void inference_describe(const struct model *m, struct text *lines);

// Where a tensor lies, or null if its region or extent is not the model's.
void *inference_tensor(const struct model *m, const struct tensor_info *info);

#ifdef __cplusplus
}
#endif

#endif
