// SPDX-License-Identifier: Apache-2.0
// The system registers of Armv8.1-M and Cortex-M55 that the start-up code uses, by their names
// in the architecture's reference manual.
#ifndef ETHOSMITH_HAL_ARMV8M_H
#define ETHOSMITH_HAL_ARMV8M_H

#include <stdint.h>

#include "registers.h"

// SysTick
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_CSR_ENABLE (1u << 0)
#define SYST_CSR_TICKINT (1u << 1)
#define SYST_CSR_CLKSOURCE (1u << 2)

// Interrupt controller
#define NVIC_ISER(n) REGISTER(0xE000E100u + 4u * (n))

// System control
#define ICSR REGISTER(0xE000ED04u)
#define VTOR REGISTER(0xE000ED08u)
#define CCR REGISTER(0xE000ED14u)
#define SHCSR REGISTER(0xE000ED24u)
#define CFSR REGISTER(0xE000ED28u)
#define HFSR REGISTER(0xE000ED2Cu)
#define MMFAR REGISTER(0xE000ED34u)
#define BFAR REGISTER(0xE000ED38u)
#define CCSIDR REGISTER(0xE000ED80u)
#define CSSELR REGISTER(0xE000ED84u)
#define CPACR REGISTER(0xE000ED88u)
#define MPU_CTRL REGISTER(0xE000ED94u)
#define MPU_RNR REGISTER(0xE000ED98u)
#define MPU_RBAR REGISTER(0xE000ED9Cu)
#define MPU_RLAR REGISTER(0xE000EDA0u)
#define MPU_MAIR0 REGISTER(0xE000EDC0u)
#define SFSR REGISTER(0xE000EDE4u)
#define SFAR REGISTER(0xE000EDE8u)

#define ICSR_PENDSTSET (1u << 26)
#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)
#define CCR_BP (1u << 18)
#define CCR_LOB (1u << 19)
#define SHCSR_MEMFAULTENA (1u << 16)
#define SHCSR_BUSFAULTENA (1u << 17)
#define SHCSR_USGFAULTENA (1u << 18)
#define SHCSR_SECUREFAULTENA (1u << 19)
#define MPU_CTRL_ENABLE (1u << 0)
#define MPU_CTRL_PRIVDEFENA (1u << 2)
#define MPU_ADDRESS_MASK 0xFFFFFFE0u
#define MPU_RBAR_READ_ONLY (3u << 1) // bit 0 is XN
#define MPU_RLAR_ENABLE (1u << 0)
#define CPACR_CP10_CP11_FULL (0xFu << 20)

// CFSR's bits that say that the stacked registers cannot be trusted, or were never written.
#define CFSR_MSTKERR (1u << 4)
#define CFSR_STKERR (1u << 12)
#define CFSR_STKOF (1u << 20)
#define CFSR_MMARVALID (1u << 7)
#define CFSR_BFARVALID (1u << 15)

// Cache maintenance
#define ICIALLU REGISTER(0xE000EF50u)
#define DCIMVAC REGISTER(0xE000EF5Cu)
#define DCISW REGISTER(0xE000EF60u)
#define DCCMVAC REGISTER(0xE000EF68u)
#define DCCSW REGISTER(0xE000EF6Cu)

// Power control of Cortex-M55 and Cortex-M85: the state that each part of the core goes into when
// it has nothing to do (0 on, 1 clock off, 2 retention, 3 off). Reset: off.
#define CPDLPSTATE REGISTER(0xE001E300u)
#define CPDLPSTATE_CORE_EPU_RAM 0x333u
#define CPDLPSTATE_EPU_CLOCK_OFF (1u << 4)

// Numbers of the system exceptions
enum {
    EXCEPTION_NMI = 2,
    EXCEPTION_HARD_FAULT = 3,
    EXCEPTION_MEM_MANAGE = 4,
    EXCEPTION_BUS_FAULT = 5,
    EXCEPTION_USAGE_FAULT = 6,
    EXCEPTION_SECURE_FAULT = 7,
    EXCEPTION_SVCALL = 11,
    EXCEPTION_DEBUG_MONITOR = 12,
    EXCEPTION_PENDSV = 14,
    EXCEPTION_SYSTICK = 15,
    EXCEPTION_IRQ0 = 16,
};

static inline void barrier(void) { __asm volatile("dsb sy\n\tisb sy" ::: "memory"); }

#endif
