// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <stdbool.h>

enum { MAX_UNSIGNED_DIGITS = 20, FRACTION_DIGITS = 4, FRACTION_SCALE = 10000 };

static const float FIXED_LIMIT = 1099511627776.0f; // 2^40: times 10^4 stays exact in a double

struct text text_in(char *buffer, size_t capacity_bytes) {
    buffer[0] = '\0';
    return (struct text){.start = buffer, .capacity_bytes = capacity_bytes};
}

void text_character(struct text *text, char character) {
    if (text->length + 1 >= text->capacity_bytes) {
        text->truncated = 1;
        return;
    }
    text->start[text->length++] = character;
    text->start[text->length] = '\0';
}

void text_string(struct text *text, const char *string) {
    while (*string != '\0') {
        text_character(text, *string++);
    }
}

static void padded_unsigned(struct text *text, uint64_t value, uint32_t min_digits) {
    char digits[MAX_UNSIGNED_DIGITS];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + (value % 10));
        value /= 10;
    } while (value != 0);
    for (uint32_t i = count; i < min_digits; i++) {
        text_character(text, '0');
    }
    while (count > 0) {
        text_character(text, digits[--count]);
    }
}

void text_unsigned(struct text *text, uint64_t value) { padded_unsigned(text, value, 1); }

void text_signed(struct text *text, int64_t value) {
    if (value < 0) {
        text_character(text, '-');
    }
    text_unsigned(text, value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value);
}

void text_hex(struct text *text, uint64_t value, uint32_t digits) {
    static const char DIGITS[] = "0123456789abcdef";
    for (uint32_t i = digits; i > 0; i--) {
        uint32_t shift = 4 * (i - 1);
        text_character(text, shift < 64 ? DIGITS[(value >> shift) & 0xf] : '0');
    }
}

// Rounds a non-negative value half to even.
static uint64_t round_half_even(double value) {
    uint64_t whole = (uint64_t)value;
    double remainder = value - (double)whole;
    bool up = remainder > 0.5 || (remainder == 0.5 && (whole & 1) != 0);
    return whole + (up ? 1 : 0);
}

void text_fixed4(struct text *text, float value) {
    if (value != value) {
        text_string(text, "nan");
        return;
    }
    if (__builtin_signbit(value)) {
        text_character(text, '-');
        value = -value;
    }
    if (value >= FIXED_LIMIT) {
        text_string(text, "inf");
        return;
    }
    uint64_t scaled = round_half_even((double)value * FRACTION_SCALE);
    text_unsigned(text, scaled / FRACTION_SCALE);
    text_character(text, '.');
    padded_unsigned(text, scaled % FRACTION_SCALE, FRACTION_DIGITS);
}
