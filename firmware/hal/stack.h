// SPDX-License-Identifier: Apache-2.0
// The main stack: its limit, and how deep it has been.
#ifndef ETHOSMITH_HAL_STACK_H
#define ETHOSMITH_HAL_STACK_H

#include <stdint.h>

// From the linker script.
extern uint32_t __stack_limit[];
extern uint32_t __stack_top[];

// Any push below the limit raises a UsageFault. A reserve under it is kept for the fault handler.
void stack_set_limit(void);

// Fills the unused stack with a pattern.
void stack_paint(void);

#endif
