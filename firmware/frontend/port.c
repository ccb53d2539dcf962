// SPDX-License-Identifier: Apache-2.0
#define ETHOSMITH_FRONTEND_OWN_SOURCE
#include "port.h"

enum { ALIGNMENT_BYTES = 8 };

static _Alignas(ALIGNMENT_BYTES) uint8_t arena[FRONTEND_ARENA_BYTES];
static size_t used_bytes;

void frontend_arena_reset(void) { used_bytes = 0; }

size_t frontend_arena_used_bytes(void) { return used_bytes; }

void *frontend_allocate(size_t size_bytes) {
    size_t left = sizeof arena - used_bytes;
    if (size_bytes > left - left % ALIGNMENT_BYTES) {
        return NULL;
    }
    void *block = arena + used_bytes;
    used_bytes += (size_bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return block;
}

void *frontend_allocate_zeroed(size_t count, size_t size_bytes) {
    if (size_bytes != 0 && count > SIZE_MAX / size_bytes) {
        return NULL;
    }
    void *block = frontend_allocate(count * size_bytes);
    return block == NULL ? NULL : memset(block, 0, count * size_bytes);
}

void frontend_release(void *block) { (void)block; }
