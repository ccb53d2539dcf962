// SPDX-License-Identifier: Apache-2.0
/** @file Vela's driver payload: the words before and around a command stream. */
#ifndef ETHOSMITH_NPU_NPU_PAYLOAD_H
#define ETHOSMITH_NPU_NPU_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum npu_payload_error {
    NPU_PAYLOAD_OK,
    NPU_PAYLOAD_TOO_SHORT,
    NPU_PAYLOAD_NOT_WORDS,
    NPU_PAYLOAD_BAD_MAGIC,
    NPU_PAYLOAD_TRUNCATED_ACTION,
    NPU_PAYLOAD_UNKNOWN_ACTION,
    NPU_PAYLOAD_NO_CONFIG,
    NPU_PAYLOAD_REPEATED_CONFIG,
    NPU_PAYLOAD_NO_STREAM,
    NPU_PAYLOAD_REPEATED_STREAM,
    NPU_PAYLOAD_EMPTY_STREAM,
    NPU_PAYLOAD_MISALIGNED_STREAM,
};

/** A payload's contents. */
struct npu_payload {
    uint32_t config;       // CONFIG of the NPU that the stream was made for
    uint32_t id;           // its ID: architecture version
    const uint8_t *stream; // inside the payload, aligned as QBASE needs it
    uint32_t stream_bytes;
};

/**
 * Checks a whole payload of any content; reads nothing outside of it.
 *
 * @param data the payload; null counts as empty.
 * @param size_bytes of the payload.
 * @param payload filled in on NPU_PAYLOAD_OK only; it refers to `data`.
 * @return NPU_PAYLOAD_OK, or the first fault.
 */
enum npu_payload_error npu_payload_parse(const uint8_t *data, size_t size_bytes,
                                         struct npu_payload *payload);

/**
 * Describes a payload's fault.
 *
 * @param error from npu_payload_parse().
 * @return a static text that completes the sentence "the command stream ...".
 */
const char *npu_payload_strerror(enum npu_payload_error error);

#ifdef __cplusplus
}
#endif

#endif
