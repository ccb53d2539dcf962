/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ETHOSU_TYPES_H
#define FAKE_ETHOSU_TYPES_H

#include <stdint.h>

struct ethosu_id {
    uint32_t version_status, version_minor, version_major, product_major;
    uint32_t arch_patch_rev, arch_minor_rev, arch_major_rev;
};

struct ethosu_config {
    uint32_t macs_per_cc; /* log2 */
    uint32_t cmd_stream_version;
    uint32_t custom_dma;
};

struct ethosu_hw_info {
    struct ethosu_id version;
    struct ethosu_config cfg;
};

#endif
