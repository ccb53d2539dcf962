// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Included before every source of TensorFlow's micro front end (-include port.h).
 *
 * Replaces malloc by a fixed arena, drops the messages to stderr, and replaces the functions of
 * libm whose results differ between C libraries. Device and host then compute equal features.
 */
#ifndef ETHOSMITH_FRONTEND_PORT_H
#define ETHOSMITH_FRONTEND_PORT_H

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portable_math.h"

#ifdef __cplusplus
extern "C" {
#endif

// The one front end's working memory. The largest setting of TensorFlow's examples, 40 channels
// over 30 ms at 16 kHz with PCAN, takes 11.2 KiB.
#ifndef FRONTEND_ARENA_BYTES
#define FRONTEND_ARENA_BYTES (12 * 1024)
#endif

/** Frees all blocks of the arena. */
void frontend_arena_reset(void);

/**
 * Measures the arena.
 *
 * @return bytes in use since the last reset.
 */
size_t frontend_arena_used_bytes(void);

/**
 * Allocates as malloc() does.
 *
 * @param size_bytes of the block.
 * @return the block; null if the arena is full.
 */
void *frontend_allocate(size_t size_bytes);

/**
 * Allocates as calloc() does.
 *
 * @param count of elements.
 * @param size_bytes of an element.
 * @return the zeroed block; null if the arena is full.
 */
void *frontend_allocate_zeroed(size_t count, size_t size_bytes);

/**
 * Does nothing: the arena is freed as a whole.
 *
 * @param block from either function above.
 */
void frontend_release(void *block);

#ifdef __cplusplus
}
#endif

#ifndef ETHOSMITH_FRONTEND_OWN_SOURCE
#define malloc frontend_allocate
#define calloc frontend_allocate_zeroed
#define free frontend_release
#define fprintf(...) ((void)0)
#define sin portable_sin
#define cos portable_cos
#define cosf portable_cosf
#define log1pf portable_log1pf
#define powf portable_powf
#endif

#endif
