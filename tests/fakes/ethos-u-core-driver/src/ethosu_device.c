/* SPDX-License-Identifier: Apache-2.0 */
#include "ethosu_device.h"

#include <cmsis_compiler.h>

#if defined(ETHOSU55)
enum { PRODUCT = 0 };
#elif defined(ETHOSU65)
enum { PRODUCT = 1 };
#else
#error "no product"
#endif

enum { RESET_TRIES = 100000, LIMITS = 4, MAX_BASE_ADDRESSES = 8 };
enum { STATUS_IRQ = 1 << 1, STATUS_RESET = 1 << 3, STATUS_END = 1 << 5 };
enum { STATUS_ERRORS = 1 << 2 | 1 << 4 | 1 << 7 | 1 << 8 };
enum { CMD_RUN = 1 << 0, CMD_CLEAR_IRQ = 1 << 1, CMD_GATE = 3 << 2 };

__WEAK uint64_t ethosu_address_remap(uint64_t address, int index) {
    (void)index;
    return address;
}

__WEAK unsigned int ethosu_config_select(uint64_t address, int index) {
    (void)address;
    return index == -1 ? 2 : index == 0 ? 3 : 0;
}

bool ethosu_dev_init(struct ethosu_device *dev, void *base_address, uint32_t secure_enable,
                     uint32_t privilege_enable) {
    dev->reg = (uintptr_t)base_address;
    dev->secure = secure_enable;
    dev->privileged = privilege_enable;
    bool is_product = read_reg(dev, REG_CONFIG) >> 28 == PRODUCT;
    return is_product && ethosu_dev_soft_reset(dev);
}

bool ethosu_dev_soft_reset(struct ethosu_device *dev) {
    uint32_t wanted = (dev->privileged ? 1u : 0u) | (dev->secure ? 0u : 2u);
    write_reg(dev, REG_RESET, wanted);
    for (int i = 0; (read_reg(dev, REG_STATUS) & STATUS_RESET) != 0; i++) {
        if (i == RESET_TRIES) {
            return false;
        }
    }
    for (uint32_t i = 0; i < LIMITS; i++) {
        write_reg(dev, REG_AXI_LIMIT0 + 4 * i, 31u << 16 | 15u << 24);
    }
    return (read_reg(dev, REG_PROT) & 3u) == wanted;
}

void ethosu_dev_gate(struct ethosu_device *dev, bool gated) {
    write_reg(dev, REG_CMD, gated ? CMD_GATE : 0);
}

bool ethosu_dev_verify_optimizer_config(struct ethosu_device *dev, uint32_t cfg, uint32_t id) {
    bool same_config = ((read_reg(dev, REG_CONFIG) ^ cfg) & 0xF00000FFu) == 0;
    return same_config && read_reg(dev, REG_ID) >> 28 == id >> 28;
}

static void write_address(struct ethosu_device *dev, uint32_t offset, uint64_t address) {
    write_reg(dev, offset, (uint32_t)address);
    write_reg(dev, offset + 4, (uint32_t)(address >> 32));
}

void ethosu_dev_run_command_stream(struct ethosu_device *dev, const uint8_t *stream, uint32_t bytes,
                                   const uint64_t *base_addr, int num_base_addr) {
    uint64_t queue = ethosu_address_remap((uintptr_t)stream, -1);
    uint32_t regions = 0;
    write_address(dev, REG_QBASE, queue);
    write_reg(dev, REG_QSIZE, bytes);
    write_reg(dev, REG_QCONFIG, ethosu_config_select(queue, -1));
    for (int i = 0; i < num_base_addr && i < MAX_BASE_ADDRESSES; i++) {
        uint64_t address = ethosu_address_remap(base_addr[i], i);
        write_address(dev, REG_BASEP0 + 8u * (uint32_t)i, address);
        regions |= ethosu_config_select(address, i) << (2 * i);
    }
    write_reg(dev, REG_REGIONCFG, regions);
    write_reg(dev, REG_CMD, CMD_RUN);
}

bool ethosu_dev_handle_interrupt(struct ethosu_device *dev) {
    uint32_t status = read_reg(dev, REG_STATUS);
    write_reg(dev, REG_CMD, CMD_CLEAR_IRQ);
    while ((read_reg(dev, REG_STATUS) & STATUS_IRQ) != 0) {
    }
    return (status & STATUS_ERRORS) == 0 && (status & STATUS_END) != 0;
}
