// SPDX-License-Identifier: Apache-2.0
/** @file Builds a line of text in a caller's buffer, without printf and without a heap. */
#ifndef ETHOSMITH_SUPPORT_TEXT_H
#define ETHOSMITH_SUPPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Always terminated. What does not fit is left out, and `truncated` is set. */
struct text {
    char *start;
    size_t capacity_bytes; // with the terminator; at least 1
    size_t length;
    uint8_t truncated;
};

/**
 * Starts an empty text.
 *
 * @param buffer for the text; must outlive it.
 * @param capacity_bytes of the buffer, with the terminator; at least 1.
 * @return the text.
 */
struct text text_in(char *buffer, size_t capacity_bytes);

/**
 * Appends one character.
 *
 * @param text to append to.
 * @param character any but NUL.
 */
void text_character(struct text *text, char character);

/**
 * Appends a string.
 *
 * @param text to append to.
 * @param string terminated.
 */
void text_string(struct text *text, const char *string);

/**
 * Appends a number in decimal.
 *
 * @param text to append to.
 * @param value the number.
 */
void text_unsigned(struct text *text, uint64_t value);

/**
 * Appends a number in decimal, with a minus sign if it is negative.
 *
 * @param text to append to.
 * @param value the number.
 */
void text_signed(struct text *text, int64_t value);

/**
 * Appends a number in lower-case hexadecimal, padded with zeros.
 *
 * @param text to append to.
 * @param value the number; only its last digits are printed if it has more.
 * @param digits how many, 1 or more.
 */
void text_hex(struct text *text, uint64_t value, uint32_t digits);

/**
 * Appends a number as printf's "%.4f" does: rounded half to even on the exact value.
 *
 * @param text to append to.
 * @param value below 2^40 in magnitude; any other becomes "nan", "inf" or "-inf".
 */
void text_fixed4(struct text *text, float value);

#ifdef __cplusplus
}
#endif

#endif
