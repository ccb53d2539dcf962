// SPDX-License-Identifier: Apache-2.0
// A device header as a vendor's: CMSIS-Core's names, with types and layouts of its own.
#ifndef VENDOR_CORE_H
#define VENDOR_CORE_H

#include <stdint.h>

#define __IOM volatile
#define __IM volatile const
#define __OM volatile

typedef enum { SysTick_IRQn = -1, ETHOSU_IRQn = 56 } IRQn_Type;

typedef struct {
    __IOM uint32_t CTRL, LOAD, VAL;
    __IM uint32_t CALIB;
} SysTick_Type;

typedef struct {
    __IOM uint32_t ISER[16], RESERVED0[16], ICER[16];
} NVIC_Type;

typedef struct {
    __IM uint32_t CPUID;
    __IOM uint32_t ICSR, VTOR, AIRCR, SCR, CCR;
    __IOM uint8_t SHPR[12];
    __IOM uint32_t SHCSR, CFSR, HFSR, DFSR, MMFAR, BFAR, AFSR;
    uint32_t RESERVED0[14];
    __IM uint32_t CLIDR, CTR, CCSIDR;
    __IOM uint32_t CSSELR, CPACR, NSACR;
    uint32_t RESERVED1[21];
    __IOM uint32_t SFSR, SFAR;
    uint32_t RESERVED2[89];
    __OM uint32_t ICIALLU, RESERVED3, ICIMVAU, DCIMVAC, DCISW, DCCMVAU, DCCMVAC, DCCSW;
} SCB_Type;

typedef struct {
    __IM uint32_t TYPE;
    __IOM uint32_t CTRL, RNR, RBAR, RLAR, RBAR_A1, RLAR_A1, RBAR_A2, RLAR_A2, RBAR_A3, RLAR_A3;
    uint32_t RESERVED0;
    __IOM uint32_t MAIR0, MAIR1;
} MPU_Type;

typedef struct {
    __IOM uint32_t CPDLPSTATE, DPDLPSTATE;
} PwrModCtl_Type;

#define SysTick ((SysTick_Type *)0xE000E010UL)
#define NVIC ((NVIC_Type *)0xE000E100UL)
#define SCB ((SCB_Type *)0xE000ED00UL)
#define MPU ((MPU_Type *)0xE000ED90UL)
#define PWRMODCTL ((PwrModCtl_Type *)0xE001E300UL)

#define SysTick_CTRL_ENABLE_Msk (1UL)
#define SysTick_CTRL_TICKINT_Msk (1UL << 1U)
#define SysTick_CTRL_CLKSOURCE_Msk (1UL << 2U)
#define SCB_ICSR_PENDSTCLR_Msk (1UL << 25U)
#define SCB_ICSR_PENDSTSET_Msk (1UL << 26U)
#define SCB_CCR_DC_Msk (1UL << 16U)
#define SCB_CCR_IC_Msk (1UL << 17U)
#define SCB_CCR_BP_Msk (1UL << 18U)
#define SCB_CCR_LOB_Msk (1UL << 19U)
#define SCB_SHCSR_MEMFAULTENA_Msk (1UL << 16U)
#define SCB_SHCSR_BUSFAULTENA_Msk (1UL << 17U)
#define SCB_SHCSR_USGFAULTENA_Msk (1UL << 18U)
#define SCB_SHCSR_SECUREFAULTENA_Msk (1UL << 19U)
#define SCB_CFSR_MSTKERR_Msk (1UL << 4U)
#define SCB_CFSR_PRECISERR_Msk (1UL << 9U)
#define SCB_CFSR_STKERR_Msk (1UL << 12U)
#define SCB_CFSR_BFARVALID_Msk (1UL << 15U)
#define SCB_CFSR_STKOF_Msk (1UL << 20U)
#define MPU_CTRL_ENABLE_Msk (1UL)
#define MPU_CTRL_PRIVDEFENA_Msk (1UL << 2U)
#define MPU_RBAR_BASE_Msk (0x7FFFFFFUL << 5U)
#define MPU_RBAR_AP_Pos 1U
#define MPU_RLAR_LIMIT_Msk (0x7FFFFFFUL << 5U)
#define MPU_RLAR_EN_Msk (1UL)
#define PWRMODCTL_CPDLPSTATE_CLPSTATE_Msk (3UL)
#define PWRMODCTL_CPDLPSTATE_ELPSTATE_Pos 4U
#define PWRMODCTL_CPDLPSTATE_ELPSTATE_Msk (3UL << 4U)
#define PWRMODCTL_CPDLPSTATE_RLPSTATE_Msk (3UL << 8U)

// As macros and functions, whichever a compiler's part of CMSIS has.
#define __DSB() __asm volatile("dsb 0xF" ::: "memory")
#define __ISB() __asm volatile("isb 0xF" ::: "memory")
#define __WFI() __asm volatile("wfi" ::: "memory")
#define __enable_irq() __asm volatile("cpsie i" ::: "memory")

static inline void __disable_irq(void) { __asm volatile("cpsid i" ::: "memory"); }

static inline uint32_t __get_PRIMASK(void) {
    uint32_t result;
    __asm volatile("MRS %0, primask" : "=r"(result)::"memory");
    return result;
}

static inline void __set_PRIMASK(uint32_t mask) {
    __asm volatile("MSR primask, %0" ::"r"(mask) : "memory");
}

static inline uint32_t __get_IPSR(void) {
    uint32_t result;
    __asm volatile("MRS %0, ipsr" : "=r"(result));
    return result;
}

static inline void __set_MSPLIM(uint32_t limit) { __asm volatile("MSR msplim, %0" ::"r"(limit)); }

#endif
