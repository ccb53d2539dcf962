// SPDX-License-Identifier: Apache-2.0
// Builds a line of text in a caller's buffer, without printf and without a heap.
#ifndef ETHOSMITH_SUPPORT_TEXT_H
#define ETHOSMITH_SUPPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Always terminated. What does not fit is left out; `truncated` then says so.
struct text {
    char *start;
    size_t capacity_bytes; // with the terminator; at least 1
    size_t length;
    uint8_t truncated;
};

// Starts an empty text in `buffer`.
struct text text_in(char *buffer, size_t capacity_bytes);

void text_character(struct text *text, char character);
void text_string(struct text *text, const char *string);
void text_unsigned(struct text *text, uint64_t value);
void text_signed(struct text *text, int64_t value);

// `digits` lower-case hexadecimal digits, zeros in front.
void text_hex(struct text *text, uint32_t value, uint32_t digits);

// As printf's "%.4f": rounded half to even on the exact value. |value| must be below 2^40;
// anything else, NaN included, becomes "nan", "inf" or "-inf".
void text_fixed4(struct text *text, float value);

#ifdef __cplusplus
}
#endif

#endif
