// SPDX-License-Identifier: Apache-2.0
// Texts of any content in buffers of any size: terminated, printf's digits, and nothing behind
// them.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static uint64_t number;
static uint8_t width;

static void append(struct text *text, uint8_t kind) {
    float value;
    memcpy(&value, &number, sizeof value);
    switch (kind % 5) {
    case 0:
        text_unsigned(text, number);
        break;
    case 1:
        text_signed(text, (int64_t)number);
        break;
    case 2:
        text_hex(text, number, width % 20 + 1u);
        break;
    case 3:
        text_fixed4(text, value);
        break;
    default:
        text_character(text, (char)(width | 1));
    }
}

// What fits is what printf prints.
static void compare(void) {
    char ours[64];
    char theirs[64];
    struct text text = text_in(ours, sizeof ours);
    text_unsigned(&text, number);
    text_character(&text, ' ');
    text_signed(&text, (int64_t)number);
    text_character(&text, ' ');
    text_hex(&text, number, 16);
    (void)snprintf(theirs, sizeof theirs, "%" PRIu64 " %" PRId64 " %016" PRIx64, number,
                   (int64_t)number, number);
    float value;
    memcpy(&value, &number, sizeof value);
    if (strcmp(ours, theirs) != 0) {
        abort();
    }
    if (value > -1e12f && value < 1e12f) {
        text = text_in(ours, sizeof ours);
        text_fixed4(&text, value);
        (void)snprintf(theirs, sizeof theirs, "%.4f", (double)value);
        if (strcmp(ours, theirs) != 0) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
    if (size_bytes < 1) {
        return 0;
    }
    size_t capacity_bytes = data[0] % 80 + 1u;
    char *buffer = malloc(capacity_bytes);
    struct text text = text_in(buffer, capacity_bytes);
    for (size_t at = 1; at + 10 <= size_bytes; at += 10) {
        memcpy(&number, data + at + 2, sizeof number);
        width = data[at + 1];
        append(&text, data[at]);
        compare();
        if (text.length >= capacity_bytes || buffer[text.length] != '\0' ||
            strlen(buffer) != text.length) {
            abort();
        }
    }
    free(buffer);
    return 0;
}
