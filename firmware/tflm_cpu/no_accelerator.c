// SPDX-License-Identifier: Apache-2.0
// The network runs on the processor alone.
#include "accelerator.h"

const char *accelerator_start(const struct model *m) {
    (void)m;
    return NULL;
}

void accelerator_begin(void) {}

void accelerator_counts(struct inference_counts *counts) { *counts = (struct inference_counts){0}; }

const char *accelerator_failure(void) { return NULL; }
