// SPDX-License-Identifier: Apache-2.0
/** @file A model in memory of its own, which replaces the one in the image without a new image. */
#ifndef ETHOSMITH_RUNTIME_MODEL_PARTITION_H
#define ETHOSMITH_RUNTIME_MODEL_PARTITION_H

#include <stdint.h>

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads a model from a partition and checks it: its hash, version and sizes, and that it has the
 * inputs and outputs of the model in the image. It runs in that one's scratch buffers.
 *
 * @param partition its first byte, aligned as the NPU needs it.
 * @param size_bytes of the partition.
 * @param built_in the model in the image.
 * @param found the partition's model; built_in if the partition does not begin as one with a model.
 *     It refers to the partition.
 * @return null on success, else a reason.
 */
const char *model_partition_read(const uint8_t *partition, uint32_t size_bytes,
                                 const struct model *built_in, const struct model **found);

#ifdef __cplusplus
}
#endif

#endif
