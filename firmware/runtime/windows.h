// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The board's memory for files, which only simulators have: they fill it before the program starts,
 * and save it after the program has ended. On other boards there are no inputs in it, and outputs
 * are dropped.
 *
 * The input window begins with struct window_header, followed by the bytes of all inputs, one after
 * another. The output window holds the bytes of all outputs, one after another.
 */
#ifndef ETHOSMITH_RUNTIME_WINDOWS_H
#define ETHOSMITH_RUNTIME_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "application.h"

#ifdef __cplusplus
extern "C" {
#endif

/** "EWIN" in little-endian order: any other word means that nobody has filled the window. */
#define WINDOW_MAGIC 0x4E495745u

/** What the input window begins with; little endian. */
struct window_header {
    uint32_t magic;
    uint32_t size_bytes; // of the inputs that follow
    uint32_t reserved[2];
};

/**
 * Fills in the inputs from the input window, if a simulator has put any there.
 *
 * @param inputs all of the network's; the one after the last has no `info`.
 * @param found set to whether there are inputs in the window.
 * @return null, or a reason if their size is not the network's.
 */
const char *windows_read(const struct input *inputs, bool *found);

/**
 * Writes the outputs to the output window and cleans the caches, so that they are in memory.
 *
 * @param outputs all of the network's; the one after the last has no `info`.
 * @return null, or a reason if the window is too small.
 */
const char *windows_write(const struct output *outputs);

#ifdef __cplusplus
}
#endif

#endif
