// SPDX-License-Identifier: Apache-2.0
#include "armv8m.h"
#include "hal.h"

void hal_interrupt_enable(uint32_t irq) {
    NVIC_ISER(irq / 32) = 1u << (irq % 32);
    barrier();
}
