// SPDX-License-Identifier: Apache-2.0
// Time from SysTick, the one timer that the board, its simulators and QEMU all have.
#include "clock.h"

#include "core.h"
#include "hal.h"
#include "platform.h"

enum { TICK_CYCLES = PLATFORM_CLOCK_HZ / 1000u };

_Static_assert(TICK_CYCLES - 1 <= 0xFFFFFF, "SysTick counts 24 bits");

static volatile uint32_t ticks;

void clock_start(void) {
    SysTick->LOAD = TICK_CYCLES - 1;
    SysTick->VAL = 0;
    SysTick->CTRL = SysTick_CTRL_ENABLE_Msk | SysTick_CTRL_TICKINT_Msk | SysTick_CTRL_CLKSOURCE_Msk;
}

void SysTick_Handler(void) { ticks++; }

static uint32_t mask_interrupts(void) {
    uint32_t primask = __get_PRIMASK();
    __disable_irq();
    return primask;
}

// A tick whose interrupt is pending is counted here in the handler's place, so that time goes on
// also where interrupts are masked, as long as it is asked for once a tick. Interrupts are masked.
static void count_pending_tick(void) {
    if ((SCB->ICSR & SCB_ICSR_PENDSTSET_Msk) != 0) {
        SCB->ICSR = SCB_ICSR_PENDSTCLR_Msk;
        ticks++;
    }
}

uint32_t hal_clock_ms(void) {
    uint32_t primask = mask_interrupts();
    count_pending_tick();
    uint32_t now_ms = ticks;
    __set_PRIMASK(primask);
    return now_ms;
}

// The tick comes when the counter reaches 0; then it goes on from LOAD.
static uint32_t cycles_of_tick(void) {
    uint32_t remaining = SysTick->VAL;
    return remaining == 0 ? 0 : TICK_CYCLES - remaining;
}

static uint64_t read_cycles(void) {
    uint32_t cycles = cycles_of_tick();
    uint32_t counted = ticks;
    count_pending_tick();
    if (ticks != counted) {
        cycles = cycles_of_tick(); // the counter may have been read on either side of the tick
    }
    return (uint64_t)ticks * TICK_CYCLES + cycles;
}

uint64_t hal_clock_cycles(void) {
    static uint64_t latest;
    uint32_t primask = mask_interrupts();
    uint64_t now = read_cycles();
    // Ticks are lost where interrupts stay masked for longer than one; time stands still then.
    latest = now > latest ? now : latest;
    now = latest;
    __set_PRIMASK(primask);
    return now;
}

// With interrupts masked WFI still wakes up for one, so none is missed between test and sleep.
static void sleep_unless(const volatile bool *done) {
    __disable_irq();
    if (!*done) {
        __DSB();
        __WFI();
    }
    __enable_irq(); // its handler runs here
    __ISB();
}

bool hal_wait(const volatile bool *done, uint32_t timeout_ms) {
    uint32_t primask = __get_PRIMASK();
    uint32_t start_ms = hal_clock_ms();
    do {
        sleep_unless(done); // tests *done itself
    } while (!*done && hal_clock_ms() - start_ms <= timeout_ms);
    __set_PRIMASK(primask);
    return *done;
}
