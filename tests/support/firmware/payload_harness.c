// SPDX-License-Identifier: Apache-2.0
// Parses payloads from standard input, each after its size in bytes (32 bits), one line for each.
#include <stdio.h>
#include <stdlib.h>

#include "npu_payload.h"

static void parse(const uint8_t *data, uint32_t size_bytes) {
    struct npu_payload payload;
    enum npu_payload_error error = npu_payload_parse(data, size_bytes, &payload);
    if (error != NPU_PAYLOAD_OK) {
        puts(npu_payload_strerror(error));
        return;
    }
    printf("ok %08x %08x %td %u\n", payload.config, payload.id, payload.stream - data,
           payload.stream_bytes);
}

int main(void) {
    uint32_t size_bytes;
    while (fread(&size_bytes, sizeof size_bytes, 1, stdin) == 1) {
        // Exactly as large as the payload: a read behind it is seen.
        void *data = NULL;
        if (posix_memalign(&data, 16, size_bytes) != 0 ||
            fread(data, 1, size_bytes, stdin) != size_bytes) {
            return EXIT_FAILURE;
        }
        parse(data, size_bytes);
        free(data);
    }
    return EXIT_SUCCESS;
}
