// SPDX-License-Identifier: Apache-2.0
#include "windows.h"

#include <stddef.h>
#include <string.h>

#include "platform.h"

#ifdef PLATFORM_INPUT_WINDOW_ADDRESS

static bool all_zero(const uint8_t *bytes, uint32_t size_bytes) {
    for (uint32_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static uint32_t total_bytes(const struct input *inputs) {
    uint32_t total = 0;
    for (; inputs->info != NULL; inputs++) {
        total += inputs->info->size_bytes;
    }
    return total;
}

bool windows_read(const struct input *inputs) {
    const uint8_t *bytes = (const uint8_t *)PLATFORM_INPUT_WINDOW_ADDRESS;
    uint32_t total = total_bytes(inputs);
    if (total > PLATFORM_INPUT_WINDOW_BYTES || all_zero(bytes, total)) {
        return false;
    }
    for (; inputs->info != NULL; inputs++) {
        memcpy(inputs->data, bytes, inputs->info->size_bytes);
        bytes += inputs->info->size_bytes;
    }
    return true;
}

void windows_write(const struct output *outputs) {
    uint8_t *bytes = (uint8_t *)PLATFORM_OUTPUT_WINDOW_ADDRESS;
    uint32_t left = PLATFORM_OUTPUT_WINDOW_BYTES;
    for (; outputs->info != NULL && outputs->info->size_bytes <= left; outputs++) {
        memcpy(bytes, outputs->data, outputs->info->size_bytes);
        bytes += outputs->info->size_bytes;
        left -= outputs->info->size_bytes;
    }
}

#else

bool windows_read(const struct input *inputs) {
    (void)inputs;
    return false;
}

void windows_write(const struct output *outputs) { (void)outputs; }

#endif
