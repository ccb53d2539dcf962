// SPDX-License-Identifier: Apache-2.0
// A device program on the hal alone that ends in the way that FAULT names.
#include <assert.h>

#include "hal.h"
#include "platform.h"
#include "probe.h"

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
    CONSTANT_CALL,
    MASKED_SLEEP,
    MASKED_CLOCK,
    CLOCK,
    PROBE
};

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

static uint32_t primask(void) {
    uint32_t value;
    __asm volatile("mrs %0, primask" : "=r"(value));
    return value;
}

static void sleep_masked(void) {
    __asm volatile("cpsid i" ::: "memory");
    sleep_a_while();
    bool masked = primask() == 1;
    __asm volatile("cpsie i" ::: "memory");
    sleep_a_while();
    hal_console_write(masked && primask() == 0 ? "restored\n" : "not restored\n");
}

// Over many ticks, and in small steps, so that some readings meet the tick itself.
static void check_clock(void) {
    uint64_t first = hal_clock_cycles();
    uint64_t before = first;
    uint32_t back = 0;
    uint32_t start_ms = hal_clock_ms();
    while (hal_clock_ms() - start_ms < 100) {
        uint64_t now = hal_clock_cycles();
        back += now < before;
        before = now;
    }
    uint64_t ms = (before - first) / (PLATFORM_CLOCK_HZ / 1000);
    hal_console_write(back == 0 ? "monotonic\n" : "goes back\n");
    hal_console_write(ms >= 99 && ms <= 101 ? "in step\n" : "out of step\n");
}

static void probe(void) {
    uint32_t value = 5;
    bool absent = probe_read(0xF0000000u, &value);
    hal_console_write(!absent && value == 5 ? "absent\n" : "wrong\n");
    bool present = probe_read(0xE000ED00u, &value); // CPUID
    hal_console_write(present && value >> 24 == 0x41 ? "present\n" : "wrong\n");
    *(volatile uint32_t *)0xF0000000u = 1; // a fault without a probe stays one
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
    case MASKED_SLEEP:
        sleep_masked();
        break;
    case MASKED_CLOCK:
        __asm volatile("cpsid i" ::: "memory");
        check_clock();
        break;
    case CLOCK:
        check_clock();
        break;
    case PROBE:
        probe();
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
