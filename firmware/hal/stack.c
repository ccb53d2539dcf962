// SPDX-License-Identifier: Apache-2.0
#include "stack.h"

#include "core.h"
#include "hal.h"

// The second is for what stack_paint() itself may have pushed.
enum { FAULT_RESERVE_BYTES = 512, OWN_FRAME_BYTES = 64 };

static const uint32_t PAINT = 0xA5A5A5A5u;

void stack_set_limit(void) {
    const uint32_t *limit = __stack_limit + FAULT_RESERVE_BYTES / sizeof *limit;
    __set_MSPLIM((uint32_t)(uintptr_t)limit);
}

void stack_paint(void) {
    uintptr_t pointer;
    __asm volatile("mov %0, sp" : "=r"(pointer));
    const uint32_t *end = (const uint32_t *)(pointer - OWN_FRAME_BYTES);
    for (volatile uint32_t *word = __stack_limit; word < end; word++) {
        *word = PAINT;
    }
}

uint32_t hal_stack_used_bytes(void) {
    const volatile uint32_t *word = __stack_limit;
    while (word < __stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
