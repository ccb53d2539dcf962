// SPDX-License-Identifier: Apache-2.0
#include "console.h"
#include "core.h"
#include "hal.h"

static const uint8_t END_OF_TRANSMISSION = 0x04;

__attribute__((noreturn)) void hal_exit(enum hal_exit_code code) {
    __disable_irq();
    console_put(END_OF_TRANSMISSION);
    console_put((uint8_t)code);
    console_drain();
    for (;;) {
        __WFI();
    }
}
