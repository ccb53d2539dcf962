// SPDX-License-Identifier: Apache-2.0
#include "core.h"
#include "hal.h"

void hal_interrupt_enable(uint32_t irq) {
    NVIC->ISER[irq / 32] = 1u << (irq % 32);
    __DSB();
    __ISB();
}
