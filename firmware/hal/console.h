// SPDX-License-Identifier: Apache-2.0
#ifndef ETHOSMITH_HAL_CONSOLE_H
#define ETHOSMITH_HAL_CONSOLE_H

#include <stdint.h>

/** Sets the baud rate and enables the transmitter; may be called again. */
void console_start(void);

/**
 * Sends a byte as it is, after waiting until the UART can take it.
 *
 * @param byte to send.
 */
void console_put(uint8_t byte);

/** Waits until the UART has taken the last byte out of its buffer. */
void console_drain(void);

#endif
