/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ETHOSU_DEVICE_H
#define FAKE_ETHOSU_DEVICE_H

#include "ethosu_driver.h"

enum npu_reg {
    REG_ID = 0x000,
    REG_STATUS = 0x004,
    REG_CMD = 0x008,
    REG_RESET = 0x00C,
    REG_QBASE = 0x010,
    REG_QCONFIG = 0x01C,
    REG_QSIZE = 0x020,
    REG_PROT = 0x024,
    REG_CONFIG = 0x028,
    REG_REGIONCFG = 0x03C,
    REG_AXI_LIMIT0 = 0x040,
    REG_BASEP0 = 0x080,
    REG_PMCR = 0x180,
    REG_PMCNTENSET = 0x184,
    REG_PMCNTENCLR = 0x188,
    REG_PMCCNTR_LO = 0x1A0,
    REG_PMCCNTR_HI = 0x1A4,
    REG_PMEVCNTR0 = 0x300,
    REG_PMEVTYPER0 = 0x380,
};

static inline uint32_t read_reg(const struct ethosu_device *dev, uint32_t offset) {
    return *(const volatile uint32_t *)(dev->reg + offset);
}

static inline void write_reg(const struct ethosu_device *dev, uint32_t offset, uint32_t value) {
    *(volatile uint32_t *)(dev->reg + offset) = value;
}

bool ethosu_dev_init(struct ethosu_device *dev, void *base_address, uint32_t secure_enable,
                     uint32_t privilege_enable);
bool ethosu_dev_soft_reset(struct ethosu_device *dev);
void ethosu_dev_gate(struct ethosu_device *dev, bool gated);
bool ethosu_dev_verify_optimizer_config(struct ethosu_device *dev, uint32_t cfg, uint32_t id);
void ethosu_dev_run_command_stream(struct ethosu_device *dev, const uint8_t *stream, uint32_t bytes,
                                   const uint64_t *base_addr, int num_base_addr);
bool ethosu_dev_handle_interrupt(struct ethosu_device *dev);

#endif
