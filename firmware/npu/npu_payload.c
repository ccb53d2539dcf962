// SPDX-License-Identifier: Apache-2.0
// The format is the one that Vela's driver_actions.py writes: a four-character code, then
// actions whose tag word holds the kind in bits 7:0 and parameters in bits 31:8.
#include "npu_payload.h"

#include <stdbool.h>

enum { WORD_BYTES = 4, STREAM_ALIGNMENT_BYTES = 16 };

enum action {
    ACTION_OPTIMIZER_CONFIG = 1, // followed by CONFIG and ID
    ACTION_COMMAND_STREAM = 2,   // followed by the stream; its words in 31:16 (low) and 15:8 (high)
    ACTION_NOP = 5,
};

static const uint32_t MAGIC = 0x31504F43u; // "COP1"

struct cursor {
    const uint8_t *next;
    size_t remaining_words;
};

static uint32_t word_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t read_word(struct cursor *cursor) {
    uint32_t word = word_at(cursor->next);
    cursor->next += WORD_BYTES;
    cursor->remaining_words--;
    return word;
}

static enum npu_payload_error read_config(struct cursor *cursor, struct npu_payload *payload,
                                          bool *have_config) {
    if (*have_config) {
        return NPU_PAYLOAD_REPEATED_CONFIG;
    }
    if (cursor->remaining_words < 2) {
        return NPU_PAYLOAD_TRUNCATED_ACTION;
    }
    payload->config = read_word(cursor);
    payload->id = read_word(cursor);
    *have_config = true;
    return NPU_PAYLOAD_OK;
}

static enum npu_payload_error read_stream(struct cursor *cursor, uint32_t tag,
                                          struct npu_payload *payload) {
    uint32_t words = (tag >> 16) | ((tag >> 8) & 0xFFu) << 16;
    if (payload->stream != NULL) {
        return NPU_PAYLOAD_REPEATED_STREAM;
    }
    if (words == 0) {
        return NPU_PAYLOAD_EMPTY_STREAM;
    }
    if (words > cursor->remaining_words) {
        return NPU_PAYLOAD_TRUNCATED_ACTION;
    }
    if ((uintptr_t)cursor->next % STREAM_ALIGNMENT_BYTES != 0) {
        return NPU_PAYLOAD_MISALIGNED_STREAM;
    }
    payload->stream = cursor->next;
    payload->stream_bytes = words * WORD_BYTES;
    cursor->next += payload->stream_bytes;
    cursor->remaining_words -= words;
    return NPU_PAYLOAD_OK;
}

static enum npu_payload_error read_action(struct cursor *cursor, struct npu_payload *payload,
                                          bool *have_config) {
    uint32_t tag = read_word(cursor);
    switch (tag & 0xFFu) {
    case ACTION_OPTIMIZER_CONFIG:
        return read_config(cursor, payload, have_config);
    case ACTION_COMMAND_STREAM:
        return read_stream(cursor, tag, payload);
    case ACTION_NOP:
        return NPU_PAYLOAD_OK;
    default:
        return NPU_PAYLOAD_UNKNOWN_ACTION;
    }
}

static enum npu_payload_error read_actions(struct cursor *cursor, struct npu_payload *payload) {
    bool have_config = false;
    while (cursor->remaining_words > 0) {
        enum npu_payload_error error = read_action(cursor, payload, &have_config);
        if (error != NPU_PAYLOAD_OK) {
            return error;
        }
    }
    if (!have_config) {
        return NPU_PAYLOAD_NO_CONFIG;
    }
    return payload->stream == NULL ? NPU_PAYLOAD_NO_STREAM : NPU_PAYLOAD_OK;
}

enum npu_payload_error npu_payload_parse(const uint8_t *data, size_t size_bytes,
                                         struct npu_payload *payload) {
    if (data == NULL || size_bytes < WORD_BYTES) {
        return NPU_PAYLOAD_TOO_SHORT;
    }
    if (size_bytes % WORD_BYTES != 0) {
        return NPU_PAYLOAD_NOT_WORDS;
    }
    struct cursor cursor = {.next = data, .remaining_words = size_bytes / WORD_BYTES};
    if (read_word(&cursor) != MAGIC) {
        return NPU_PAYLOAD_BAD_MAGIC;
    }
    struct npu_payload parsed = {0};
    enum npu_payload_error error = read_actions(&cursor, &parsed);
    if (error == NPU_PAYLOAD_OK) {
        *payload = parsed;
    }
    return error;
}

const char *npu_payload_strerror(enum npu_payload_error error) {
    switch (error) {
    case NPU_PAYLOAD_OK:
        return "no error";
    case NPU_PAYLOAD_TOO_SHORT:
        return "shorter than its four-character code";
    case NPU_PAYLOAD_NOT_WORDS:
        return "not a whole number of words";
    case NPU_PAYLOAD_BAD_MAGIC:
        return "does not begin with COP1";
    case NPU_PAYLOAD_TRUNCATED_ACTION:
        return "ends within an action";
    case NPU_PAYLOAD_UNKNOWN_ACTION:
        return "has an unknown action";
    case NPU_PAYLOAD_NO_CONFIG:
        return "has no OPTIMIZER_CONFIG action";
    case NPU_PAYLOAD_REPEATED_CONFIG:
        return "has two OPTIMIZER_CONFIG actions";
    case NPU_PAYLOAD_NO_STREAM:
        return "has no COMMAND_STREAM action";
    case NPU_PAYLOAD_REPEATED_STREAM:
        return "has two COMMAND_STREAM actions";
    case NPU_PAYLOAD_EMPTY_STREAM:
        return "has an empty COMMAND_STREAM action";
    case NPU_PAYLOAD_MISALIGNED_STREAM:
        return "is not 16-byte aligned";
    }
    return "unknown error";
}
