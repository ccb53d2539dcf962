// SPDX-License-Identifier: Apache-2.0
// Writes numbers from standard input as text: "fixed4" takes floats, "number" 64-bit integers.
#include <stdio.h>
#include <string.h>

#include "text.h"

static void fixed4(void) {
    float value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof buffer);
        text_fixed4(&text, value);
        puts(buffer);
    }
}

static void number(void) {
    uint64_t value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof buffer);
        text_unsigned(&text, value);
        text_character(&text, ' ');
        text_signed(&text, (int64_t)value);
        text_character(&text, ' ');
        text_hex(&text, (uint32_t)value, 8);
        puts(buffer);
    }
}

static void narrow(void) {
    for (size_t capacity = 1; capacity <= 6; capacity++) {
        char buffer[6];
        struct text text = text_in(buffer, capacity);
        text_string(&text, "abcd");
        printf("%s %d\n", buffer, text.truncated);
    }
}

int main(int argc, char *argv[]) {
    const char *what = argc > 1 ? argv[1] : "narrow";
    if (strcmp(what, "fixed4") == 0) {
        fixed4();
    } else if (strcmp(what, "number") == 0) {
        number();
    } else {
        narrow();
    }
    return 0;
}
