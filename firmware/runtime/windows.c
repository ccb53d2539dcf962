// SPDX-License-Identifier: Apache-2.0
#include "windows.h"

#include <stddef.h>
#include <string.h>

#include "hal.h"
#include "platform.h"
#include "text.h"

#ifdef PLATFORM_INPUT_WINDOW_ADDRESS

static const char *size_mismatch(const char *what, uint32_t found, uint32_t expected) {
    static char reason[96];
    struct text text = text_in(reason, sizeof reason);
    text_string(&text, what);
    text_unsigned(&text, found);
    text_string(&text, " bytes, expected ");
    text_unsigned(&text, expected);
    return reason;
}

static uint32_t total_bytes(const struct input *inputs) {
    uint32_t total = 0;
    for (; inputs->info != NULL; inputs++) {
        total += inputs->info->size_bytes;
    }
    return total;
}

static void copy_inputs(const struct input *inputs, const uint8_t *bytes) {
    for (; inputs->info != NULL; inputs++) {
        memcpy(inputs->data, bytes, inputs->info->size_bytes);
        bytes += inputs->info->size_bytes;
    }
}

const char *windows_read(const struct input *inputs, bool *found) {
    struct window_header header;
    const uint8_t *window = (const uint8_t *)PLATFORM_INPUT_WINDOW_ADDRESS;
    memcpy(&header, window, sizeof header);
    *found = header.magic == WINDOW_MAGIC;
    if (!*found) {
        return NULL;
    }
    uint32_t total = total_bytes(inputs);
    if (header.size_bytes != total) {
        return size_mismatch("input window: inputs of ", header.size_bytes, total);
    }
    if (total > PLATFORM_INPUT_WINDOW_BYTES - sizeof header) {
        return "input window: too small for the network's inputs";
    }
    copy_inputs(inputs, window + sizeof header);
    return NULL;
}

const char *windows_write(const struct output *outputs) {
    uint8_t *window = (uint8_t *)PLATFORM_OUTPUT_WINDOW_ADDRESS;
    uint32_t used_bytes = 0;
    for (; outputs->info != NULL; outputs++) {
        uint32_t size_bytes = outputs->info->size_bytes;
        if (size_bytes > PLATFORM_OUTPUT_WINDOW_BYTES - used_bytes) {
            return "output window: too small for the network's outputs";
        }
        memcpy(window + used_bytes, outputs->data, size_bytes);
        used_bytes += size_bytes;
    }
    hal_cache_clean(window, used_bytes);
    return NULL;
}

#else

const char *windows_read(const struct input *inputs, bool *found) {
    (void)inputs;
    *found = false;
    return NULL;
}

const char *windows_write(const struct output *outputs) {
    (void)outputs;
    return NULL;
}

#endif
