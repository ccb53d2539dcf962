// SPDX-License-Identifier: Apache-2.0
// Any bytes as a driver payload: what is accepted refers to the payload alone.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "npu_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
    // Aligned as an image has it, and exactly as large: a read behind it is seen.
    void *copy = NULL;
    if (posix_memalign(&copy, 16, size_bytes + (size_bytes == 0)) != 0) {
        return 0;
    }
    memcpy(copy, data, size_bytes);
    struct npu_payload payload = {0};
    enum npu_payload_error error = npu_payload_parse(copy, size_bytes, &payload);
    if (error == NPU_PAYLOAD_OK) {
        const uint8_t *start = copy;
        if (payload.stream < start || payload.stream_bytes == 0 ||
            payload.stream_bytes > size_bytes ||
            payload.stream + payload.stream_bytes > start + size_bytes ||
            (uintptr_t)payload.stream % 16 != 0) {
            abort();
        }
    } else if (strlen(npu_payload_strerror(error)) == 0) {
        abort();
    }
    free(copy);
    return 0;
}
