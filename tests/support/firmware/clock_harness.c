// SPDX-License-Identifier: Apache-2.0
// Reads pairs of SysTick's counter and what has happened to its interrupt since the pair before:
// 0 nothing, 1 it was handled, 2 it is pending. Prints the time in cycles and milliseconds.
#include <stdio.h>

#include "clock.h"
#include "core.h"
#include "hal.h"

struct fake_systick fake_systick;
struct fake_scb fake_scb;
uint32_t fake_primask;

int main(void) {
    uint32_t pair[2];
    clock_start();
    while (fread(pair, sizeof pair, 1, stdin) == 1) {
        fake_systick.VAL = pair[0];
        if (pair[1] == 1) {
            SysTick_Handler();
        }
        fake_scb.ICSR = pair[1] == 2 ? SCB_ICSR_PENDSTSET_Msk : 0;
        unsigned long long cycles = hal_clock_cycles();
        printf("%llu %u\n", cycles, (unsigned)hal_clock_ms());
    }
    return fake_primask == 0 ? 0 : 1;
}
