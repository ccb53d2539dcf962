// SPDX-License-Identifier: Apache-2.0
/** @file Access to the NPU's register page. */
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

#endif
