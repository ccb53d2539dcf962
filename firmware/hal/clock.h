// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_CLOCK_H
#define ETHOSMITH_HAL_CLOCK_H

/** Starts the time of hal_clock_ms() and hal_clock_cycles() at zero. */
void clock_start(void);

/** Counts a millisecond; in the vector table. */
void SysTick_Handler(void);

#endif
