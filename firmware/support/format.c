// SPDX-License-Identifier: Apache-2.0
#include "format.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// One conversion of a number with so many bytes.
struct conversion {
    size_t bytes;
    char kind;
};

// va_list may be an array, which a pointer parameter could not name otherwise.
struct arguments {
    va_list list;
};

static struct conversion parse(const char **cursor) {
    struct conversion found = {sizeof(int), 0};
    for (; **cursor != '\0' && strchr("0123456789.-+# lhzjt", **cursor) != NULL; (*cursor)++) {
        switch (**cursor) {
        case 'l':
            found.bytes = (*cursor)[-1] == 'l' ? sizeof(long long) : sizeof(long);
            break;
        case 'j':
            found.bytes = sizeof(intmax_t);
            break;
        case 'z':
        case 't':
            found.bytes = sizeof(size_t);
            break;
        default:
            break;
        }
    }
    found.kind = **cursor;
    *cursor += **cursor != '\0';
    return found;
}

static uint64_t next_unsigned(struct arguments *arguments, size_t bytes) {
    return bytes > sizeof(uint32_t) ? va_arg(arguments->list, uint64_t)
                                    : va_arg(arguments->list, uint32_t);
}

static int64_t next_signed(struct arguments *arguments, size_t bytes) {
    return bytes > sizeof(int32_t) ? va_arg(arguments->list, int64_t)
                                   : va_arg(arguments->list, int32_t);
}

static void append_hex(struct text *text, uint64_t value) {
    uint32_t digits = 1;
    while (digits < 16 && (value >> (4 * digits)) != 0) {
        digits++;
    }
    text_hex(text, value, digits);
}

static void append(struct text *text, struct conversion found, struct arguments *arguments) {
    switch (found.kind) {
    case 'c':
        text_character(text, (char)va_arg(arguments->list, int));
        break;
    case 's':
        text_string(text, va_arg(arguments->list, const char *));
        break;
    case 'd':
    case 'i':
        text_signed(text, next_signed(arguments, found.bytes));
        break;
    case 'u':
        text_unsigned(text, next_unsigned(arguments, found.bytes));
        break;
    case 'x':
    case 'X':
        append_hex(text, next_unsigned(arguments, found.bytes));
        break;
    case 'p':
        text_string(text, "0x");
        text_hex(text, (uint32_t)(uintptr_t)va_arg(arguments->list, void *), 8);
        break;
    case 'e':
    case 'f':
    case 'g':
        text_fixed4(text, (float)va_arg(arguments->list, double));
        break;
    default:
        text_character(text, found.kind);
        break;
    }
}

void text_format(struct text *text, const char *format, va_list list) {
    struct arguments arguments;
    va_copy(arguments.list, list);
    const char *cursor = format;
    while (*cursor != '\0') {
        if (*cursor != '%') {
            text_character(text, *cursor++);
            continue;
        }
        cursor++;
        struct conversion found = parse(&cursor);
        if (found.kind != '\0') {
            append(text, found, &arguments);
        }
    }
    va_end(arguments.list);
}
