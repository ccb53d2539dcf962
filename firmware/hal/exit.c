// SPDX-License-Identifier: Apache-2.0
#include "console.h"
#include "hal.h"

static const uint8_t END_OF_TRANSMISSION = 0x04;

_Noreturn void hal_exit(enum hal_exit_code code) {
    __asm volatile("cpsid i" ::: "memory");
    console_put(END_OF_TRANSMISSION);
    console_put((uint8_t)code);
    console_drain();
    for (;;) {
        __asm volatile("wfi");
    }
}
