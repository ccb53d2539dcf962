// SPDX-License-Identifier: Apache-2.0
// Makes the lines that an application logs: bounded, printable, and never one of the runtime's.
#include <stdarg.h>

#include "application.h"
#include "format.h"
#include "log_write.h"
#include "text.h"

static const char *const NAMES[] = {"error", "warning", "info", "debug"};
static uint32_t line_count;

// Without a program of ours around the application, nobody listens.
__attribute__((weak)) void log_write(const char *line) { (void)line; }

static void begin(struct text *line, enum log_level level) {
    text_string(line, "log ");
    text_string(line, NAMES[level > LOG_DEBUG ? LOG_DEBUG : level]);
    text_string(line, ": ");
}

static void make_printable(char *line) {
    for (; *line != '\0'; line++) {
        unsigned char character = (unsigned char)*line;
        if (character < ' ' || character == 0x7f) {
            *line = ' ';
        }
    }
}

// The bytes of the end: what follows the text, with the terminator.
static const char CUT[] = "...\n";

void log_formatted(enum log_level level, const char *format, ...) {
    char buffer[LOG_MAX_LINE_BYTES + sizeof CUT];
    struct text line = text_in(buffer, LOG_MAX_LINE_BYTES);
    if (line_count > LOG_MAX_LINES) {
        return;
    }
    line_count++;
    if (line_count > LOG_MAX_LINES) {
        log_write("log warning: too many lines; the rest is left out\n");
        return;
    }
    begin(&line, level);
    va_list arguments;
    va_start(arguments, format);
    text_format(&line, format, arguments);
    va_end(arguments);
    make_printable(buffer);
    line.capacity_bytes = sizeof buffer;
    text_string(&line, line.truncated ? CUT : "\n");
    log_write(buffer);
}
