// SPDX-License-Identifier: Apache-2.0
// What a use case writes: from a sample to the input tensor, and from the output to an answer.
//
// The same source is compiled for the device and for the host, so it must not touch hardware.
#ifndef ETHOSMITH_RUNTIME_APPLICATION_H
#define ETHOSMITH_RUNTIME_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct input {
    const struct tensor_info *info;
    void *data;
    bool out_of_range; // set by input_set() on an index the tensor does not have
    uint32_t window;   // of the sample, from 0
};

struct output {
    const struct tensor_info *info;
    const void *data;
    uint32_t window; // of the sample, from 0
};

enum { ANSWER_MAX_RANKED = 5 };

struct ranked {
    const char *text; // static storage, without double quotes
    float score;
};

struct answer {
    const char *text; // static storage, without double quotes
    float score;
    // Optional: the best answers, best first; what the application leaves at 0 is not printed.
    uint32_t ranked_count;
    struct ranked ranked[ANSWER_MAX_RANKED];
};

// The most inputs and the most outputs that a network may have.
enum { APPLICATION_MAX_TENSORS = 8 };

// The functions below return NULL, or the reason why they cannot do it: half a sentence in static
// storage such as "300 values expected, 150 found in idle.csv". Device and host print it, and the
// run ends. sample_mismatch() and tensor_mismatch() make such reasons.

// A sample that one input of the network cannot hold is taken in several windows, each with an
// inference of its own: a use case for such samples defines this function, which sets `count` to 1
// or more, and for others there is a definition that sets 1. `input` is the first input tensor.
const char *application_window_count(const struct sample *sample, const struct tensor_info *input,
                                     uint32_t *count);

// Whether a sample is the network's inputs as they are. If so, a simulator may put others into the
// board's input window, and finds the outputs in its output window. Without a definition: no.
bool application_takes_inputs_as_they_are(void);

// Both are called once for each window, in order, the second after the inference. Each may keep
// what it needs later in static storage, but for one: pre-processing must not depend on what
// post-processing keeps, since the host computes all inputs first. The answer of the sample is the
// last window's.
//
// Both get all of the network's tensors, in its order; the one after the last has no `info`.
const char *application_preprocess(const struct sample *sample, struct input *inputs);
const char *application_postprocess(const struct output *outputs, struct answer *answer);

// "EXPECTED WHAT expected, FOUND found in FILE"; a sample without a file ends before "in".
// The next call of this function or tensor_mismatch() replaces the text.
const char *sample_mismatch(const struct sample *sample, const char *what, uint32_t expected,
                            uint32_t found);

// "the network's NAME has SHAPE, EXPECTED expected", with a shape such as 1x49x40x1.
const char *tensor_mismatch(const struct tensor_info *info, const char *expected);

// Elements of a tensor.
uint32_t tensor_element_count(const struct tensor_info *info);

// Stores one element, given as a real value: quantised to the tensor's dtype, scale and zero
// point, rounded half away from zero and saturated as TFLite's QUANTIZE kernel does it.
void input_set(struct input *input, uint32_t index, float real_value);

// One element as a real value; 0 for an index the tensor does not have.
float output_get(const struct output *output, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
