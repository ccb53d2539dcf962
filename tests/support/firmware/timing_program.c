// SPDX-License-Identifier: Apache-2.0
// A device program that plays the timing adapters in memory, sets them, and prints what they got.
#include "hal.h"
#include "platform.h"
#include "registers.h"
#include "text.h"
#include "timing_adapter.h"

enum { LINE_BYTES = 160, WORDS = 15, VERSION_WORD = 14 };

static void print(uint32_t address) {
    char buffer[LINE_BYTES];
    struct text line = text_in(buffer, sizeof buffer);
    for (uint32_t i = 0; i < WORDS; i++) {
        text_unsigned(&line, REGISTER(address + 4 * i));
        text_string(&line, i + 1 < WORDS ? " " : "\n");
    }
    hal_console_write(line.start);
}

int main(void) {
    for (uint32_t i = 0; i < WORDS; i++) {
        REGISTER(AXI0 + 4 * i) = 99;
        REGISTER(AXI1 + 4 * i) = 99;
    }
    REGISTER(AXI0 + 4 * VERSION_WORD) = 0x1117;
    timing_adapter_start();
    print(AXI0);
    print(AXI1);
    return HAL_EXIT_PASS;
}
