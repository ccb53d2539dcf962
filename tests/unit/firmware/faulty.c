// SPDX-License-Identifier: Apache-2.0
// A device program on the hal alone that ends in the way that FAULT names.
#include <assert.h>

#include "hal.h"
#include "platform.h"

enum {
    RETURN = 0,
    BUS,
    UNDEFINED,
    STACK,
    SILENT_IRQ,
    ASSERT,
    BAD_JUMP,
    SLEEP,
    NULL_WRITE,
    CONSTANT_WRITE,
    CONSTANT_CALL
};

void npu_irq_handler(void) {}

static volatile uint32_t *volatile null_pointer;

static const uint32_t CONSTANT = 0xBF00BF00; // two NOPs
static const uint32_t *volatile constant = &CONSTANT;

// Each call keeps its array, so the compiler cannot make a loop of it.
__attribute__((noinline)) static int recurse(int depth) {
    volatile char local[256];
    local[0] = (char)depth;
    return depth < 1000 ? recurse(depth + 1) + local[0] : 0;
}

static void sleep_a_while(void) {
    static const volatile bool NEVER = false;
    uint32_t start_ms = hal_clock_ms();
    uint64_t start = hal_clock_cycles();
    bool done = hal_wait(&NEVER, 20);
    uint32_t slept_ms = hal_clock_ms() - start_ms;
    uint64_t slept = hal_clock_cycles() - start;
    bool in_step = slept / (PLATFORM_CLOCK_HZ / 1000) - slept_ms + 1 <= 2;
    hal_console_write(!done && slept_ms >= 20 && slept_ms < 40 && in_step ? "slept\n" : "wrong\n");
}

static void fault(void) {
    switch (FAULT) {
    case BUS:
        *(volatile uint32_t *)0xF0000000u = 1;
        break;
    case UNDEFINED:
        __asm volatile("udf #1");
        break;
    case STACK:
        (void)recurse(0);
        break;
    case SILENT_IRQ:
        hal_interrupt_enable(3);
        *(volatile uint32_t *)0xE000E200u = 1u << 3; // NVIC_ISPR0
        __asm volatile("dsb sy\n\tisb sy");
        break;
    case ASSERT:
        assert(hal_stack_used_bytes() == 0);
        break;
    case BAD_JUMP:
        ((void (*)(void))0x20000000u)(); // no Thumb bit
        break;
    case NULL_WRITE:
        *null_pointer = 1;
        break;
    case CONSTANT_WRITE:
        *(volatile uint32_t *)(uintptr_t)constant = 1;
        break;
    case CONSTANT_CALL:
        ((void (*)(void))((uintptr_t)constant | 1))();
        break;
    case SLEEP:
        sleep_a_while();
        break;
    default:
        break;
    }
}

// Initialised, zeroed and const data must be what C promises before main() runs.
static uint32_t initialised[4] = {1, 2, 3, 4};
static uint32_t zeroed[1000];

static bool memory_is_ready(void) {
    uint32_t sum = 0;
    for (int i = 0; i < 1000; i++) {
        sum |= zeroed[i];
    }
    return sum == 0 && initialised[0] == 1 && initialised[3] == 4;
}

int main(void) {
    hal_console_write(memory_is_ready() ? "ready\n" : "not ready\n");
    fault();
    hal_console_write("end\n");
    return HAL_EXIT_PASS;
}
