// SPDX-License-Identifier: Apache-2.0
// Prints what text_format() makes of some formats.
#include <stdint.h>
#include <stdio.h>

#include "format.h"

static void say(size_t capacity_bytes, const char *format, ...) {
    char buffer[64];
    struct text text = text_in(buffer, capacity_bytes);
    va_list arguments;
    va_start(arguments, format);
    text_format(&text, format, arguments);
    va_end(arguments);
    puts(buffer);
}

int main(void) {
    say(64, "%s %d %i %u %c%%", "text", -5, 7, 4000000000u, 'x');
    say(64, "%x %X %lld %llu %zu", 0x2fu, 0u, -5000000000ll, 5000000000ull, (size_t)9);
    say(64, "%llx %llX %lx", 0xfedcba9876543210ull, 0x100000000ull, (unsigned long)0x89abcdef);
    say(64, "%5d|%-8s|%.2f|%08x", 3, "a", 1.5, 16u);
    say(64, "%f %g", 0.25, -1.0);
    say(64, "ends in %");
    say(64, "%5");
    say(8, "%s", "too long for it");
    return 0;
}
