// SPDX-License-Identifier: Apache-2.0
// What inference.h promises of both its implementations, checked from within an application: before
// inference_init() by a constructor, and after it at each call of inference_contract().
#ifndef INFERENCE_CONTRACT_H
#define INFERENCE_CONTRACT_H

#include <stddef.h>

#include "inference.h"

static bool early_calls_refused;

static bool refuses_to_run(const struct model *m) {
    struct inference_counts counts = {1, 2, 3, 4, 5, 6};
    const char *reason = inference_run(m, &counts);
    return reason != NULL && counts.cycles == 0 && counts.active == 0 &&
           counts.axi0_read_beats == 0 && counts.axi0_write_beats == 0 &&
           counts.axi1_read_beats == 0 && counts.axi1_write_beats == 0;
}

__attribute__((constructor)) static void call_early(void) {
    early_calls_refused =
        refuses_to_run(&model) && inference_tensor(&model, &model.inputs[0]) == NULL;
}

// Returns NULL, or what does not hold.
static const char *inference_contract(void) {
    const struct model copy = model;
    const struct tensor_info foreign = model.inputs[0];
    if (!early_calls_refused) {
        return "calls before inference_init() are not refused";
    }
    if (inference_tensor(&model, &model.inputs[0]) == NULL ||
        inference_tensor(&model, &model.outputs[model.output_count - 1]) == NULL) {
        return "a tensor of the model has no memory";
    }
    if (inference_tensor(&model, &foreign) != NULL ||
        inference_tensor(&model, &model.outputs[model.output_count]) != NULL) {
        return "a tensor that is not the model's has memory";
    }
    if (!refuses_to_run(&copy) || !refuses_to_run(NULL) ||
        inference_tensor(&copy, &model.inputs[0]) != NULL) {
        return "another model is not refused";
    }
    return inference_init(&model) != NULL ? NULL : "a second inference_init() is not refused";
}

#endif
