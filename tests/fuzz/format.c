// SPDX-License-Identifier: Apache-2.0
// Any format with arguments of every kind that it may ask for.
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

enum { MAX_FORMAT = 200, MAX_DIRECTIVES = 8 };

static void format(struct text *text, const char *words, ...) {
    va_list arguments;
    va_start(arguments, words);
    text_format(text, words, arguments);
    va_end(arguments);
}

// Spells a format from bytes: each directive is one whose argument is known. Returns their kind:
// all of one format take 64-bit words, doubles or strings.
static char spell(const uint8_t *data, size_t size_bytes, char *words) {
    static const char *const kinds[] = {"lld", "llu", "llx", "zu", "llX", "f", "g", "s", "p"};
    static const char *const flags[] = {"", "-", "0", "5", ".2", "-08.3", "+", " ", "#"};
    const char kind = (char)(data[0] % 3);
    size_t length = 0;
    uint32_t directives = 0;
    for (size_t at = 1; at < size_bytes && length < MAX_FORMAT - 16; at++) {
        if (data[at] < 200 || directives == MAX_DIRECTIVES) {
            const char plain = (char)(data[at] == '%' || data[at] == 0 ? 'x' : data[at]);
            words[length++] = plain;
            continue;
        }
        uint32_t which = data[at] % 5u; // the words of 64 bits
        if (kind == 1) {
            which = 5u + data[at] % 2u;
        } else if (kind == 2) {
            which = 7u;
        }
        words[length++] = '%';
        if (data[at] % 11 == 0) {
            words[length++] = '%';
            continue;
        }
        const char *flag = flags[data[at] % 9u];
        memcpy(words + length, flag, strlen(flag));
        length += strlen(flag);
        memcpy(words + length, kinds[which], strlen(kinds[which]));
        length += strlen(kinds[which]);
        directives++;
    }
    // An end in the middle of a directive.
    if (size_bytes > 1 && data[1] % 7 == 0) {
        static const char *const ends[] = {"%", "%l", "%5", "%-", "%ll", "%."};
        const char *end = ends[data[1] % 6u];
        memcpy(words + length, end, strlen(end));
        length += strlen(end);
    }
    words[length] = '\0';
    return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
    if (size_bytes < 2) {
        return 0;
    }
    char words[MAX_FORMAT + 16];
    const size_t capacity_bytes = data[1] % 100 + 1u;
    char *buffer = malloc(capacity_bytes);
    struct text text = text_in(buffer, capacity_bytes);
    const char kind = spell(data, size_bytes, words);
    if (kind == 0) {
        const unsigned long long n = 0xfedcba9876543210ull;
        format(&text, words, n, n, n, n, n, n, n, n);
    } else if (kind == 1) {
        format(&text, words, 1.5, -2e30, 0.0, 1e-9, -0.25, 3.0, 4.0, 5.0);
    } else {
        format(&text, words, "a", "", "bc", "d", "e", "f", "g", "h");
    }
    if (text.length >= capacity_bytes || buffer[text.length] != '\0') {
        abort();
    }
    free(buffer);
    return 0;
}
