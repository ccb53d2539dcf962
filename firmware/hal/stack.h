// SPDX-License-Identifier: Apache-2.0
/** @file The main stack: its limit, and how deep it has been. */
#ifndef ETHOSMITH_HAL_STACK_H
#define ETHOSMITH_HAL_STACK_H

#include <stdint.h>

// From the linker script.
extern uint32_t __stack_limit[];
extern uint32_t __stack_top[];

/** Makes a push below the limit a UsageFault; a reserve under it is kept for the handler. */
void stack_set_limit(void);

/** Fills the unused stack with the pattern that hal_stack_used_bytes() looks for. */
void stack_paint(void);

#endif
