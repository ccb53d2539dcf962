// SPDX-License-Identifier: Apache-2.0
// One object in each section that the linker script has to place.
#include <stdint.h>

#define IN(name) __attribute__((section(name), used))

IN(".vectors") const uint32_t vectors[4] = {1, 2, 3, 4};
IN(".model.command_stream") const uint8_t command_stream[40] = {1};
IN(".model.weights") const uint8_t weights[100] = {2};
IN(".samples") const uint8_t sample[50] = {3};
IN(".labels") const char label[3] = "no";
IN(".scratch") __attribute__((aligned(16))) uint8_t scratch[777];
IN(".scratch_fast") __attribute__((aligned(16))) uint8_t scratch_fast[33];

uint32_t initialised = 5;
uint32_t zeroed[3];

__attribute__((constructor)) static void construct(void) { zeroed[0] = initialised; }

void Reset_Handler(void) {}
