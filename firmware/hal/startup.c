// SPDX-License-Identifier: Apache-2.0
// From reset to main(): stack limit, FPU and Helium, data, caches, constructors.
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "core.h"
#include "fault.h"
#include "hal.h"
#include "platform.h"
#include "protect.h"
#include "stack.h"

typedef void (*handler)(void);

static const uint32_t CP10_CP11_FULL_ACCESS = 0xFu << 20; // in CPACR
static const uint32_t CLOCK_OFF = 1;                      // in CPDLPSTATE

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
void Reset_Handler(void);

// Exception n is handlers[n - 1]. Interrupts above the NPU's are never enabled.
__attribute__((section(".vectors"), used)) static const struct vector_table vectors = {
    .stack_top = __stack_top,
    .handlers =
        {
            [0] = Reset_Handler,
            [EXCEPTION_NMI - 1] = NMI_Handler,
            [EXCEPTION_HARD_FAULT - 1] = HardFault_Handler,
            [EXCEPTION_MEM_MANAGE - 1] = MemManage_Handler,
            [EXCEPTION_BUS_FAULT - 1] = BusFault_Handler,
            [EXCEPTION_USAGE_FAULT - 1] = UsageFault_Handler,
            [EXCEPTION_SECURE_FAULT - 1] = SecureFault_Handler,
            [EXCEPTION_SECURE_FAULT... EXCEPTION_SVCALL - 2] = Default_Handler,
            [EXCEPTION_SVCALL - 1] = SVC_Handler,
            [EXCEPTION_DEBUG_MONITOR - 1] = DebugMon_Handler,
            [EXCEPTION_DEBUG_MONITOR] = Default_Handler,
            [EXCEPTION_PENDSV - 1] = PendSV_Handler,
            [EXCEPTION_SYSTICK - 1] = SysTick_Handler,
            [EXCEPTION_IRQ0 - 1 ... EXCEPTION_IRQ0 + PLATFORM_NPU_IRQ - 2] = Default_Handler,
            [EXCEPTION_IRQ0 + PLATFORM_NPU_IRQ - 1] = ETHOSU_IRQHandler,
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

// Not inlined: Reset_Handler() must not use floating-point registers.
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

__attribute__((noreturn)) void Reset_Handler(void) {
    stack_set_limit();
    // The FPU and Helium unit stays powered: switching it on again takes longer than most pauses.
    PWRMODCTL->CPDLPSTATE = (PWRMODCTL->CPDLPSTATE & ~(PWRMODCTL_CPDLPSTATE_CLPSTATE_Msk |
                                                       PWRMODCTL_CPDLPSTATE_ELPSTATE_Msk |
                                                       PWRMODCTL_CPDLPSTATE_RLPSTATE_Msk)) |
                            CLOCK_OFF << PWRMODCTL_CPDLPSTATE_ELPSTATE_Pos;
    SCB->CPACR |= CP10_CP11_FULL_ACCESS;
    // Low-overhead loops, which the compiler emits for Helium; Cortex-M85 also predicts branches.
    SCB->CCR |= SCB_CCR_LOB_Msk | SCB_CCR_BP_Msk;
    SCB->VTOR = (uint32_t)(uintptr_t)&vectors;
    SCB->SHCSR |= SCB_SHCSR_MEMFAULTENA_Msk | SCB_SHCSR_BUSFAULTENA_Msk |
                  SCB_SHCSR_USGFAULTENA_Msk | SCB_SHCSR_SECUREFAULTENA_Msk;
    __DSB();
    __ISB();
    run();
}
