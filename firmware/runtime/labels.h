// SPDX-License-Identifier: Apache-2.0
/** @file The names of the classes, in the order of the network's output elements. */
#ifndef ETHOSMITH_RUNTIME_LABELS_H
#define ETHOSMITH_RUNTIME_LABELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// On the host it is only a name; Mach-O wants a segment with it.
#ifdef __APPLE__
#define LABELS_SECTION "__DATA,__labels"
#else
#define LABELS_SECTION ".labels"
#endif

extern const char *const labels[];
extern const uint32_t label_count;

#ifdef __cplusplus
}
#endif

#endif
