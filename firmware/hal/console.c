// SPDX-License-Identifier: Apache-2.0
// The CMSDK UART, polled: usable from a fault handler as from anywhere else.
#include "console.h"

#include "hal.h"
#include "platform.h"
#include "registers.h"

#define UART_DATA REGISTER(PLATFORM_UART_ADDRESS + 0x00u)
#define UART_STATE REGISTER(PLATFORM_UART_ADDRESS + 0x04u)
#define UART_CTRL REGISTER(PLATFORM_UART_ADDRESS + 0x08u)
#define UART_BAUDDIV REGISTER(PLATFORM_UART_ADDRESS + 0x10u)

#define UART_STATE_TX_FULL (1u << 0)
#define UART_CTRL_TX_ENABLE (1u << 0)

void console_start(void) {
    UART_BAUDDIV = PLATFORM_UART_CLOCK_HZ / PLATFORM_UART_BAUD;
    UART_CTRL = UART_CTRL_TX_ENABLE;
}

void console_put(uint8_t byte) {
    console_drain();
    UART_DATA = byte;
}

void console_drain(void) {
    while ((UART_STATE & UART_STATE_TX_FULL) != 0) {
    }
}

static void put_line_end(void) {
    for (const char *character = PLATFORM_UART_LINE_END; *character != '\0'; character++) {
        console_put((uint8_t)*character);
    }
}

void hal_console_write(const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            put_line_end();
        } else {
            console_put((uint8_t)*text);
        }
    }
}
