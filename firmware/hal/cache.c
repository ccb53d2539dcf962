// SPDX-License-Identifier: Apache-2.0
// The caches of Cortex-M55. TCM is not cached; SRAM and DDR are, write-back.
#include "cache.h"

#include "core.h"
#include "hal.h"

enum { LINE_BYTES = 32 };

// Cortex-M55 has no data cache larger than this; above it, walking through the sets is shorter.
enum { WHOLE_CACHE_BYTES = 64 * 1024 };

// CCSIDR: NumSets - 1 in 27:13, Associativity - 1 in 12:3. DCxSW: way at the top, set from bit 5.
static void for_each_set_and_way(volatile uint32_t *operation) {
    SCB->CSSELR = 0; // level 1, data
    __DSB();
    uint32_t last_set = (SCB->CCSIDR >> 13) & 0x7FFF;
    uint32_t last_way = (SCB->CCSIDR >> 3) & 0x3FF;
    uint32_t way_shift = last_way == 0 ? 0 : (uint32_t)__builtin_clz(last_way);
    for (uint32_t set = 0; set <= last_set; set++) {
        for (uint32_t way = 0; way <= last_way; way++) {
            *operation = way << way_shift | set * LINE_BYTES;
        }
    }
    __DSB();
    __ISB();
}

static void for_each_line(volatile uint32_t *operation, const void *start, size_t size_bytes) {
    uintptr_t first = (uintptr_t)start & ~(uintptr_t)(LINE_BYTES - 1);
    uintptr_t end = (uintptr_t)start + size_bytes;
    __DSB();
    for (uintptr_t line = first; line < end; line += LINE_BYTES) {
        *operation = (uint32_t)line;
    }
    __DSB();
    __ISB();
}

void cache_start(void) {
    SCB->ICIALLU = 0;
    for_each_set_and_way(&SCB->DCISW);
    SCB->CCR |= SCB_CCR_IC_Msk | SCB_CCR_DC_Msk;
    __DSB();
    __ISB();
}

void hal_cache_clean(const void *start, size_t size_bytes) {
    if (size_bytes > WHOLE_CACHE_BYTES) {
        for_each_set_and_way(&SCB->DCCSW);
    } else {
        for_each_line(&SCB->DCCMVAC, start, size_bytes);
    }
}

void hal_cache_invalidate(const void *start, size_t size_bytes) {
    for_each_line(&SCB->DCIMVAC, start, size_bytes);
}
