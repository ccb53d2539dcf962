// SPDX-License-Identifier: Apache-2.0
/** @file What the device program says of itself: which image, which model, built how. */
#ifndef ETHOSMITH_RUNTIME_IDENTITY_H
#define ETHOSMITH_RUNTIME_IDENTITY_H

#include "model.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { IDENTITY_DIGITS = 16 }; // of each hash, hexadecimal

/** "platform=mps3 runtime=direct ...", generated; null in a program that is linked without it. */
extern const char build_options[] __attribute__((weak));

/**
 * Appends one line: the linker's hash of the image, the hash of the model, and the build's options.
 *
 * @param m the model that runs.
 * @param line to append to.
 */
void identity_describe(const struct model *m, struct text *line);

#ifdef __cplusplus
}
#endif

#endif
