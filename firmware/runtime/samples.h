// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Where the device program takes its samples from. By default these are the ones baked into the
 * image; a program that takes others defines both functions in an object of its own.
 */
#ifndef ETHOSMITH_RUNTIME_SAMPLES_H
#define ETHOSMITH_RUNTIME_SAMPLES_H

#include "application.h"
#include "sample.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns the next sample to run.
 *
 * @param previous the sample that has been run; null before the first.
 * @return it, or null after the last.
 */
const struct sample *samples_next(const struct sample *previous);

/**
 * Called before each inference, when the network's inputs are filled in.
 *
 * @param inputs all of the network's; the one after the last has no `info`.
 */
void samples_prepared(const struct input *inputs);

#ifdef __cplusplus
}
#endif

#endif
