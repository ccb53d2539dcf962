// SPDX-License-Identifier: Apache-2.0
// Standard input is what a simulator puts into the input window, over a pattern. Prints the inputs,
// copies them to the outputs, and prints what is in the output window and what was cleaned.
#include <stdio.h>
#include <string.h>

#include "hal.h"
#include "platform.h"
#include "windows.h"

uint8_t input_window[INPUT_WINDOW_BYTES];
uint8_t output_window[OUTPUT_WINDOW_BYTES];

static const struct tensor_info INFO[] = {{.name = "four", .size_bytes = 4},
                                          {.name = "two", .size_bytes = 2}};

void hal_cache_clean(const void *start, size_t size_bytes) {
    printf("clean %td %zu\n", (const uint8_t *)start - output_window, size_bytes);
}

static void print_bytes(const char *what, const uint8_t *bytes, size_t count) {
    printf("%s ", what);
    for (size_t i = 0; i < count; i++) {
        printf("%02x", bytes[i]);
    }
    puts("");
}

int main(void) {
    uint8_t data[6] = {0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE};
    struct input inputs[3] = {{.info = &INFO[0], .data = data},
                              {.info = &INFO[1], .data = &data[4]}};
    struct output outputs[3] = {{.info = &INFO[0], .data = data},
                                {.info = &INFO[1], .data = &data[4]}};
    for (size_t i = 0; i < sizeof input_window; i++) {
        input_window[i] = i % 4 == 0 ? PATTERN & 0xFF : PATTERN >> 8;
    }
    size_t size_bytes = fread(input_window, 1, sizeof input_window, stdin);
    bool found;
    const char *reason = windows_read(inputs, &found);
    printf("%zu bytes %s: %s\n", size_bytes, found ? "found" : "ignored", reason ? reason : "");
    print_bytes("inputs", data, sizeof data);
    reason = windows_write(outputs);
    print_bytes("outputs", output_window, sizeof output_window);
    puts(reason ? reason : "written");
    return 0;
}
