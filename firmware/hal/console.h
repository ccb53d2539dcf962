// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_CONSOLE_H
#define ETHOSMITH_HAL_CONSOLE_H

#include <stdint.h>

void console_start(void);
void console_put(uint8_t byte);

// Waits until the UART has taken the last byte out of its buffer.
void console_drain(void);

#endif
