// SPDX-License-Identifier: Apache-2.0
// In place of npu_access.h: register accesses go to the test.
#define ETHOSMITH_NPU_NPU_ACCESS_H

#include "npu.h"

uint32_t fake_read(uint32_t offset);
void fake_write(uint32_t offset, uint32_t value);

static inline uint32_t npu_read(const struct npu *npu, uint32_t offset) {
    (void)npu;
    return fake_read(offset);
}

static inline void npu_write(const struct npu *npu, uint32_t offset, uint32_t value) {
    (void)npu;
    fake_write(offset, value);
}

static inline void npu_write_words(const struct npu *npu, uint32_t offset, const uint32_t *words,
                                   uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        npu_write(npu, offset + 4 * i, words[i]);
    }
}

static inline void npu_read_words(const struct npu *npu, uint32_t offset, uint32_t *words,
                                  uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        words[i] = npu_read(npu, offset + 4 * i);
    }
}
