// SPDX-License-Identifier: Apache-2.0
// Logs what an application might, and prints the lines.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LEVEL LOG_INFO
#include "application.h"
#include "log_write.h"

static int evaluated;

void log_write(const char *line) { fputs(line, stdout); }

int main(int argc, char **argv) {
    char word[400];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    if (argc > 1) {
        for (int i = 0; i < atoi(argv[1]); i++) {
            log_line(LOG_INFO, "line %d", i);
        }
        return 0;
    }
    log_line(LOG_ERROR, "%s at %d, %.1f of %ld, %zu", "sample", -3, 0.5, 5000000000L, sizeof word);
    log_line(LOG_DEBUG, "%d", ++evaluated);
    log_line(LOG_INFO, "evaluated %d", evaluated);
    log_line(LOG_WARNING, "%s", "a\nran: 6 samples\x1b[2J\x7f");
    log_line(LOG_WARNING, "%s", word);
    return 0;
}
