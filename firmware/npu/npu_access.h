// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Access to the NPU's register page.
 *
 * Registers that follow each other are reached several at a time, in one instruction: that is less
 * code, and a simulator that stops at each access stops less often. The order within such an
 * access must not matter, nor that an interrupt may make the CPU repeat it.
 */
#ifndef ETHOSMITH_NPU_NPU_ACCESS_H
#define ETHOSMITH_NPU_NPU_ACCESS_H

#include <stdint.h>

#include "npu.h"

/**
 * @param npu with its setup.
 * @param offset of the register in the page, one of enum npu_register.
 * @return the register's value.
 */
static inline uint32_t npu_read(const struct npu *npu, uint32_t offset) {
    return *(const volatile uint32_t *)(npu->setup->address + offset);
}

/**
 * @param npu with its setup.
 * @param offset of the register in the page, one of enum npu_register.
 * @param value to write.
 */
static inline void npu_write(const struct npu *npu, uint32_t offset, uint32_t value) {
    *(volatile uint32_t *)(npu->setup->address + offset) = value;
}

// Copies as many words as the list has registers, and moves both pointers behind them.
#define NPU_COPY(from, to, registers, ...)                                                         \
    __asm volatile("ldmia %0!, {" registers "}\n\tstmia %1!, {" registers "}"                      \
                   : "+r"(from), "+r"(to)                                                          \
                   :                                                                               \
                   : __VA_ARGS__, "memory")

/**
 * @param from the first word or register.
 * @param to where it goes.
 * @param words a multiple of 4.
 */
static inline void npu_copy(uintptr_t from, uintptr_t to, uint32_t words) {
    for (; words >= 8; words -= 8) {
        NPU_COPY(from, to, "r2-r6, r8-r10", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10");
    }
    if (words != 0) {
        NPU_COPY(from, to, "r2-r5", "r2", "r3", "r4", "r5");
    }
}

/**
 * @param npu with its setup.
 * @param offset of the first register in the page, one of enum npu_register.
 * @param words their values.
 * @param count of the registers, a multiple of 4.
 */
static inline void npu_write_words(const struct npu *npu, uint32_t offset, const uint32_t *words,
                                   uint32_t count) {
    npu_copy((uintptr_t)words, npu->setup->address + offset, count);
}

/**
 * @param npu with its setup.
 * @param offset of the first register in the page, one of enum npu_register.
 * @param words filled with their values.
 * @param count of the registers, a multiple of 4.
 */
static inline void npu_read_words(const struct npu *npu, uint32_t offset, uint32_t *words,
                                  uint32_t count) {
    npu_copy(npu->setup->address + offset, (uintptr_t)words, count);
}

#endif
