// SPDX-License-Identifier: Apache-2.0
/** @file The samples baked into the image, in the form in which a sensor would deliver them. */
#ifndef ETHOSMITH_RUNTIME_SAMPLE_H
#define ETHOSMITH_RUNTIME_SAMPLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// On the host it is only a name; Mach-O wants a segment with it.
#ifdef __APPLE__
#define SAMPLE_SECTION "__DATA,__samples"
#else
#define SAMPLE_SECTION ".samples"
#endif

struct sample {
    const char *name;
    const void *data; // what it holds is between the use case and its samples: PCM, RGB, ...
    uint32_t size_bytes;
    const char *file; // the name of the file it was read from, for messages; or NULL
};

// The use case whose samples these are: the first word that the program prints.
extern const char usecase_name[];

extern const struct sample samples[];
extern const uint32_t sample_count;

#ifdef __cplusplus
}
#endif

#endif
