// SPDX-License-Identifier: Apache-2.0
/** @file What the generated model states about one input or output tensor of the network. */
#ifndef ETHOSMITH_RUNTIME_TENSOR_H
#define ETHOSMITH_RUNTIME_TENSOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TENSOR_MAX_RANK = 6 };

enum tensor_dtype {
    TENSOR_INT8,
    TENSOR_UINT8,
    TENSOR_INT16,
    TENSOR_INT32,
    TENSOR_FLOAT32,
};

struct tensor_info {
    const char *name;
    enum tensor_dtype dtype;
    uint32_t rank;
    uint32_t shape[TENSOR_MAX_RANK]; // the first `rank` entries, outermost first
    uint32_t size_bytes;
    uint32_t region; // NPU region (BASEP index) that holds the tensor
    uint32_t offset; // bytes from that region's base
    float scale;     // real = scale * (stored - zero_point); unused for TENSOR_FLOAT32
    int32_t zero_point;
};

#ifdef __cplusplus
}
#endif

#endif
