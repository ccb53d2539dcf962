// SPDX-License-Identifier: Apache-2.0
// Time from SysTick, the one timer that the board, its simulators and QEMU all have.
#include "clock.h"

#include "armv8m.h"
#include "hal.h"
#include "platform.h"

enum { TICK_CYCLES = PLATFORM_CLOCK_HZ / 1000u };

_Static_assert(TICK_CYCLES - 1 <= 0xFFFFFF, "SysTick counts 24 bits");

static volatile uint32_t ticks;

void clock_start(void) {
    SYST_RVR = TICK_CYCLES - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE;
}

void systick_handler(void) { ticks++; }

uint32_t hal_clock_ms(void) { return ticks; }

uint64_t hal_clock_cycles(void) {
    uint32_t before;
    uint32_t left;
    do {
        before = ticks;
        left = SYST_CVR;
    } while (ticks != before);
    return (uint64_t)before * TICK_CYCLES + (TICK_CYCLES - 1 - left);
}

// With interrupts masked WFI still wakes up for one, so none is missed between test and sleep.
static void sleep_unless(const volatile bool *done) {
    __asm volatile("cpsid i" ::: "memory");
    if (!*done) {
        __asm volatile("dsb sy\n\twfi" ::: "memory");
    }
    __asm volatile("cpsie i\n\tisb sy" ::: "memory");
}

bool hal_wait(const volatile bool *done, uint32_t timeout_ms) {
    uint32_t start_ms = hal_clock_ms();
    while (!*done && hal_clock_ms() - start_ms <= timeout_ms) {
        sleep_unless(done);
    }
    return *done;
}
