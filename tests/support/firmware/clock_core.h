// SPDX-License-Identifier: Apache-2.0
// In place of a vendor's header: SysTick and SCB as memory that the test sets, no interrupts.
#ifndef CLOCK_CORE_H
#define CLOCK_CORE_H

#include <stdint.h>

struct fake_systick {
    volatile uint32_t CTRL, LOAD, VAL;
};

struct fake_scb {
    volatile uint32_t ICSR;
};

extern struct fake_systick fake_systick;
extern struct fake_scb fake_scb;
extern uint32_t fake_primask;

#define SysTick (&fake_systick)
#define SCB (&fake_scb)

#define SysTick_CTRL_ENABLE_Msk 1u
#define SysTick_CTRL_TICKINT_Msk 2u
#define SysTick_CTRL_CLKSOURCE_Msk 4u
#define SCB_ICSR_PENDSTCLR_Msk (1u << 25)
#define SCB_ICSR_PENDSTSET_Msk (1u << 26)

#define __DSB()
#define __ISB()
#define __WFI()
#define __disable_irq() (fake_primask = 1)
#define __enable_irq() (fake_primask = 0)
#define __get_PRIMASK() fake_primask
#define __set_PRIMASK(value) (fake_primask = (value))

#endif
