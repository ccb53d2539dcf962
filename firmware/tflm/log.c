// SPDX-License-Identifier: Apache-2.0
// Defines what TensorFlow Lite Micro's debug_log.h asks of a platform, without stdio and heap.
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "format.h"
#include "hal.h"
#include "text.h"

// From tensorflow/lite/micro/debug_log.h.
void DebugLog(const char *format, va_list arguments);
int DebugVsnprintf(char *buffer, size_t size_bytes, const char *format, va_list arguments);

enum { LINE_BYTES = 160 };

static char line_bytes[LINE_BYTES];
static char first_line[LINE_BYTES];
static struct text line = {line_bytes, LINE_BYTES, 0, 0};

void log_clear(void) { first_line[0] = '\0'; }

const char *log_first_line(void) { return first_line[0] != '\0' ? first_line : "no reason given"; }

static void end_line(void) {
    if (line.length == 0) {
        return;
    }
    hal_console_write("tflm: ");
    hal_console_write(line.start);
    hal_console_write("\n");
    if (first_line[0] == '\0') {
        struct text copy = text_in(first_line, sizeof first_line);
        text_string(&copy, line.start);
    }
    line = text_in(line_bytes, sizeof line_bytes);
}

// A message comes in parts; one that is a line end, or ends in one, ends the line.
void DebugLog(const char *format, va_list arguments) {
    char part_bytes[LINE_BYTES];
    struct text part = text_in(part_bytes, sizeof part_bytes);
    text_format(&part, format, arguments);
    for (const char *cursor = part_bytes; *cursor != '\0'; cursor++) {
        if (*cursor == '\n') {
            end_line();
        } else if (*cursor != '\r') {
            text_character(&line, *cursor);
        }
    }
}

int DebugVsnprintf(char *buffer, size_t size_bytes, const char *format, va_list arguments) {
    if (size_bytes == 0) {
        return 0;
    }
    struct text text = text_in(buffer, size_bytes);
    text_format(&text, format, arguments);
    return (int)text.length;
}
