// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Runs the model. An image is linked with one of two implementations: inference.c beside this file
 * hands the command stream to the NPU, tflm/inference.cc runs TensorFlow Lite Micro's interpreter.
 * What is said here holds for both.
 *
 * A reason is one line without a line end, in static storage that the next call may overwrite.
 */
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

/**
 * The NPU's counters, of one run or the sum of several; zero without an NPU.
 *
 * There are four beside the cycles: an NPU that writes over AXI1 counts those beats and no
 * active cycles, which the others count.
 */
struct inference_counts {
    uint64_t cycles;
    uint64_t active;
    uint64_t axi0_read_beats;
    uint64_t axi0_write_beats;
    uint64_t axi1_read_beats;
    uint64_t axi1_write_beats;
};

/**
 * Chooses the model to run: that of the model partition, if the platform has one with a model in
 * it, or the one in the image.
 *
 * @param built_in the model in the image.
 * @param selected the model to run; built_in if there is a reason.
 * @return null on success; else why the partition's model cannot be used.
 */
const char *inference_select(const struct model *built_in, const struct model **selected);

/**
 * Checks the model, resets the NPU and checks that it is the one the model was compiled for.
 *
 * @param m the model; must outlive all further calls.
 * @return null on success, else a reason. A second call is refused.
 */
const char *inference_init(const struct model *m);

/**
 * Runs the network once on the contents of its input tensors, whose contents are undefined
 * afterwards.
 *
 * @param m the model that inference_init() accepted; any other is refused.
 * @param counts filled in whatever the result; zero if nothing ran.
 * @return null on success, else a reason.
 */
const char *inference_run(const struct model *m, struct inference_counts *counts);

/**
 * Gives the network's variables their first values, as inference_init() does: the next run is
 * independent of those before it. Without variables it does nothing.
 *
 * @param m the model that inference_init() accepted; any other is refused.
 * @return null on success, else a reason.
 */
const char *inference_reset(const struct model *m);

/**
 * Appends the lines that this implementation adds to the end of a run that passes, if any.
 *
 * @param m the model that inference_init() accepted.
 * @param lines what to append to.
 */
void inference_describe(const struct model *m, struct text *lines);

/**
 * Finds a tensor's memory.
 *
 * @param m the model that inference_init() accepted.
 * @param info an element of m->inputs or m->outputs.
 * @return the tensor's first byte; null before inference_init() has succeeded, and for anything
 *     that is not a tensor of the model.
 */
void *inference_tensor(const struct model *m, const struct tensor_info *info);

#ifdef __cplusplus
}
#endif

#endif
