// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_CLOCK_H
#define ETHOSMITH_HAL_CLOCK_H

void clock_start(void);
void systick_handler(void);

#endif
