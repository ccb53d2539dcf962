// SPDX-License-Identifier: Apache-2.0
// What is below the interpreter: an NPU, or none.
#ifndef ETHOSMITH_TFLM_ACCELERATOR_H
#define ETHOSMITH_TFLM_ACCELERATOR_H

#include "inference.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

// Returns a one-line reason on failure, else null.
const char *accelerator_start(const struct model *m);

// Before each inference.
void accelerator_begin(void);

// After it: the sum over the network's NPU operators.
void accelerator_counts(struct inference_counts *counts);

// Why the NPU failed since accelerator_begin(); null if it did not.
const char *accelerator_failure(void);

#ifdef __cplusplus
}
#endif

#endif
