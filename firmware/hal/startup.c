// SPDX-License-Identifier: Apache-2.0
// From reset to main(): stack limit, FPU and Helium, data, caches, constructors.
#include <stddef.h>
#include <stdint.h>

#include "armv8m.h"
#include "clock.h"
#include "fault.h"
#include "hal.h"
#include "platform.h"
#include "protect.h"
#include "stack.h"

typedef void (*handler)(void);

struct vector_table {
    const uint32_t *stack_top;
    handler handlers[EXCEPTION_IRQ0 + PLATFORM_NPU_IRQ];
};

struct copy {
    const uint32_t *from;
    uint32_t *to;
    size_t size_bytes;
};

struct zero {
    uint32_t *start;
    size_t size_bytes;
};

// From the linker script.
extern const struct copy __copy_table_start[];
extern const struct copy __copy_table_end[];
extern const struct zero __zero_table_start[];
extern const struct zero __zero_table_end[];
extern const handler __init_array_start[];
extern const handler __init_array_end[];

extern int main(void);
void reset_handler(void);

// Exception n is handlers[n - 1]. Interrupts above the NPU's are never enabled.
__attribute__((section(".vectors"), used)) static const struct vector_table vectors = {
    .stack_top = __stack_top,
    .handlers =
        {
            [0] = reset_handler,
            [EXCEPTION_NMI - 1 ... EXCEPTION_SYSTICK - 2] = fault_handler,
            [EXCEPTION_SYSTICK - 1] = systick_handler,
            [EXCEPTION_IRQ0 - 1 ... EXCEPTION_IRQ0 + PLATFORM_NPU_IRQ - 2] = fault_handler,
            [EXCEPTION_IRQ0 + PLATFORM_NPU_IRQ - 1] = npu_irq_handler,
        },
};

// By words, and volatile: the compiler must not turn these loops into calls of memcpy().
static void copy_words(const struct copy *copy) {
    const volatile uint32_t *from = copy->from;
    volatile uint32_t *to = copy->to;
    for (size_t i = 0; i < copy->size_bytes / sizeof *to; i++) {
        to[i] = from[i];
    }
}

static void zero_words(const struct zero *zero) {
    volatile uint32_t *start = zero->start;
    for (size_t i = 0; i < zero->size_bytes / sizeof *start; i++) {
        start[i] = 0;
    }
}

static void fill_memory(void) {
    for (const struct copy *copy = __copy_table_start; copy < __copy_table_end; copy++) {
        copy_words(copy);
    }
    for (const struct zero *zero = __zero_table_start; zero < __zero_table_end; zero++) {
        zero_words(zero);
    }
}

// Not inlined: reset_handler() must not use floating-point registers.
__attribute__((noinline, noreturn)) static void run(void) {
    stack_paint();
    fill_memory();
    protect_start();
    hal_start();
    for (const handler *constructor = __init_array_start; constructor < __init_array_end;
         constructor++) {
        (*constructor)();
    }
    hal_exit((enum hal_exit_code)main());
}

__attribute__((noreturn)) void reset_handler(void) {
    stack_set_limit();
    // The FPU and Helium unit stays powered: switching it on again takes longer than most pauses.
    CPDLPSTATE = (CPDLPSTATE & ~CPDLPSTATE_CORE_EPU_RAM) | CPDLPSTATE_EPU_CLOCK_OFF;
    CPACR |= CPACR_CP10_CP11_FULL;
    // Low-overhead loops, which the compiler emits for Helium; Cortex-M85 also predicts branches.
    CCR |= CCR_LOB | CCR_BP;
    VTOR = (uint32_t)(uintptr_t)&vectors;
    SHCSR |= SHCSR_MEMFAULTENA | SHCSR_BUSFAULTENA | SHCSR_USGFAULTENA | SHCSR_SECUREFAULTENA;
    barrier();
    run();
}
