// SPDX-License-Identifier: Apache-2.0
// What assert() calls in newlib; replaces the C library's, which would bring in stdio.
#include <assert.h>

#include "hal.h"
#include "text.h"

enum { LINE_BYTES = 256 };

void __assert_func(const char *file, int line, const char *function, const char *expression) {
    char buffer[LINE_BYTES];
    struct text text = text_in(buffer, sizeof buffer - 1);
    text_string(&text, "fail: assertion ");
    text_string(&text, expression);
    text_string(&text, " in ");
    text_string(&text, function != NULL ? function : file);
    text_string(&text, ", line ");
    text_signed(&text, line);
    hal_console_write(buffer);
    hal_console_write("\n");
    hal_exit(HAL_EXIT_FAIL);
}
