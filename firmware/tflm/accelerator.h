// SPDX-License-Identifier: Apache-2.0
/** @file What is below the interpreter: an NPU, or none. */
#ifndef ETHOSMITH_TFLM_ACCELERATOR_H
#define ETHOSMITH_TFLM_ACCELERATOR_H

#include "inference.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Checks that the model suits the accelerator, and starts it.
 *
 * @param m the model.
 * @return null, or a reason as of inference.h.
 */
const char *accelerator_start(const struct model *m);

/** Prepares for one inference: zeroes the counts and forgets a failure. */
void accelerator_begin(void);

/**
 * Reads the counters after an inference.
 *
 * @param counts the sums over the network's NPU operators; zero without an NPU.
 */
void accelerator_counts(struct inference_counts *counts);

/**
 * Tells why the NPU failed.
 *
 * @return a reason as of inference.h; null if it did not fail since accelerator_begin().
 */
const char *accelerator_failure(void);

#ifdef __cplusplus
}
#endif

#endif
