// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Samples that the open board's host hands over one after another, while the program stays booted.
 *
 * Whenever the program wants the next one it prints "ready" and calls live_exchange(), where the
 * host stops it, takes the answer, and writes the next sample into `live_window`.
 */
#ifndef ETHOSMITH_LIVE_LIVE_H
#define ETHOSMITH_LIVE_LIVE_H

#include <stdint.h>

#include "sample.h"

/** Memory that both sides know; the generated source says where it is. */
struct live_window {
    struct sample sample;           // of the host
    uint32_t sequence;              // of the host: another one with each sample
    uint8_t *inputs;                // of the host: where the network's inputs are copied to
    uint32_t inputs_capacity_bytes; // of the host
    uint32_t inputs_bytes;          // of all windows of the sample, one after another
};

extern struct live_window live_window;

/** Does nothing; where the host stops the program. */
void live_exchange(void);

#endif
