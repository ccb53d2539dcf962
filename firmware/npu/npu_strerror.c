// SPDX-License-Identifier: Apache-2.0
// The driver's errors in words, built without the C library.
#include "npu.h"
#include "npu_registers.h"

struct message {
    char *next;
    size_t remaining_bytes; // without the terminator
};

static void append_character(struct message *message, char character) {
    if (message->remaining_bytes > 0) {
        *message->next++ = character;
        *message->next = '\0';
        message->remaining_bytes--;
    }
}

static void append(struct message *message, const char *string) {
    while (*string != '\0') {
        append_character(message, *string++);
    }
}

static void append_unsigned(struct message *message, uint32_t value) {
    char digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        append_character(message, digits[--count]);
    }
}

static void append_hex(struct message *message, uint32_t value) {
    static const char DIGITS[] = "0123456789abcdef";
    append(message, "0x");
    for (int shift = 28; shift >= 0; shift -= 4) {
        append_character(message, DIGITS[(value >> shift) & 0xFu]);
    }
}

static const char *channel_name(uint32_t channel) {
    static const char *const NAMES[] = {"commands", "IFM",     "weights",     "scales and biases",
                                        "DMA data", "IFM",     "DMA indices", "input",
                                        "OFM",      "DMA data"};
    return channel < sizeof NAMES / sizeof NAMES[0] ? NAMES[channel] : "an unknown channel";
}

static void append_bus_error(struct message *message, const struct npu *npu) {
    enum { FIRST_WRITE_CHANNEL = 8 };
    uint32_t channel = NPU_STATUS_FAULTING_CHANNEL(npu->status);
    bool second = (npu->status & NPU_STATUS_FAULTING_INTERFACE) != 0;
    append(message, "bus error on ");
    if (npu->u85) {
        append(message, second ? "EXT" : "SRAM");
    } else {
        append(message, second ? "AXI1" : "AXI0");
    }
    append(message, channel < FIRST_WRITE_CHANNEL ? " reading " : " writing ");
    append(message, channel_name(channel));
}

static void append_status(struct message *message, const struct npu *npu) {
    uint32_t status = npu->status;
    if ((status & NPU_STATUS_BUS_STATUS) != 0) {
        append_bus_error(message, npu);
    } else if ((status & NPU_STATUS_CMD_PARSE_ERROR) != 0) {
        append(message, "illegal command");
    } else if ((status & NPU_STATUS_WD_FAULT) != 0) {
        append(message, "weight stream cannot be decoded");
    } else if ((status & NPU_STATUS_ECC_FAULT) != 0) {
        append(message, "uncorrectable memory error");
    } else if ((status & NPU_STATUS_BRANCH_FAULT) != 0) {
        append(message, "illegal branch");
    } else {
        append(message, "stopped before the end of the command stream");
    }
}

static void append_queue_position(struct message *message, const struct npu *npu) {
    append(message, " at byte ");
    append_unsigned(message, npu->queue_read_bytes);
    append(message, " of the command stream (STATUS ");
    append_hex(message, npu->status);
    append_character(message, ')');
}

static void append_compiled_for(struct message *message, const char *what, const struct npu *npu,
                                void (*append_value)(struct message *, uint32_t),
                                const char *unit) {
    append(message, "model compiled for ");
    append(message, what);
    append_value(message, npu->expected);
    append(message, unit);
    append(message, ", this NPU has ");
    append_value(message, npu->found);
}

static void append_absent(struct message *message, const struct npu *npu) {
    append(message, "no NPU at ");
    append_hex(message, (uint32_t)npu->setup->address);
    append(message, ": PROT reads ");
    append_hex(message, npu->found);
    append(message, ", expected ");
    append_hex(message, npu->expected);
}

static void append_place(struct message *message, const struct npu *npu) {
    if (npu->place == NPU_REGIONS) {
        append(message, "command stream: ");
        return;
    }
    append(message, "region ");
    append_unsigned(message, npu->place);
    append(message, ": ");
}

static void append_bad_address(struct message *message, const struct npu *npu) {
    append_place(message, npu);
    append(message, "base ");
    append_hex(message, npu->found);
    append(message, " is not ");
    append_unsigned(message, npu->expected);
    append(message, "-byte aligned");
}

static void append_bad_axi_limit(struct message *message, const struct npu *npu) {
    append_place(message, npu);
    append(message, "AXI limit counter ");
    append_unsigned(message, npu->found);
    append(message, ", expected 0 to ");
    append_unsigned(message, npu->expected);
}

static void append_timeout(struct message *message, const struct npu *npu) {
    append(message, "no interrupt within ");
    append_unsigned(message, npu->setup->timeout_ms);
    append(message, " ms");
    append_queue_position(message, npu);
}

static void append_mismatch(struct message *message, const struct npu *npu, enum npu_error error) {
    if (error == NPU_WRONG_MACS) {
        append_compiled_for(message, "", npu, append_unsigned, " MACs/cycle");
    } else if (error == NPU_WRONG_STREAM_VERSION) {
        append_compiled_for(message, "command stream version ", npu, append_unsigned, "");
    } else if (error == NPU_WRONG_CONFIG) {
        append_compiled_for(message, "CONFIG ", npu, append_hex, "");
    } else {
        append_compiled_for(message, "ID ", npu, append_hex, "");
    }
}

static void append_error(struct message *message, const struct npu *npu, enum npu_error error) {
    switch (error) {
    case NPU_OK:
        append(message, "no error");
        break;
    case NPU_RESET_TIMEOUT:
        append(message, "reset timed out");
        break;
    case NPU_ABSENT:
        append_absent(message, npu);
        break;
    case NPU_NOT_READY:
        append(message, "the last reset failed");
        break;
    case NPU_WRONG_MACS:
    case NPU_WRONG_CONFIG:
    case NPU_WRONG_ARCHITECTURE:
    case NPU_WRONG_STREAM_VERSION:
        append_mismatch(message, npu, error);
        break;
    case NPU_BAD_ADDRESS:
        append_bad_address(message, npu);
        break;
    case NPU_BAD_AXI_LIMIT:
        append_bad_axi_limit(message, npu);
        break;
    case NPU_NOT_PREPARED:
        append(message, "npu_run() of a job without npu_prepare()");
        break;
    case NPU_TIMEOUT:
        append_timeout(message, npu);
        break;
    case NPU_FAILED:
        append_status(message, npu);
        append_queue_position(message, npu);
        break;
    }
}

// Cold: built for size.
__attribute__((cold)) const char *npu_strerror(const struct npu *npu, enum npu_error error,
                                               char *buffer, size_t size_bytes) {
    struct message message = {.next = buffer, .remaining_bytes = size_bytes - 1};
    buffer[0] = '\0';
    append(&message, "NPU: ");
    append_error(&message, npu, error);
    return buffer;
}
