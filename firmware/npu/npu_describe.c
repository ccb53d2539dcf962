// SPDX-License-Identifier: Apache-2.0
// The driver's errors in words.
#include "npu.h"
#include "npu_registers.h"

static const char *channel_name(uint32_t channel) {
    static const char *const NAMES[] = {"commands", "IFM",     "weights", "scales and biases",
                                        "DMA data", "input",   "input",   "input",
                                        "OFM",      "DMA data"};
    return channel < sizeof NAMES / sizeof NAMES[0] ? NAMES[channel] : "an unknown channel";
}

static void describe_hex(struct text *text, const char *before, uint32_t value) {
    text_string(text, before);
    text_string(text, "0x");
    text_hex(text, value, 8);
}

static void describe_bus_error(uint32_t status, struct text *text) {
    enum { FIRST_WRITE_CHANNEL = 8 };
    uint32_t channel = NPU_STATUS_FAULTING_CHANNEL(status);
    text_string(text, "bus error on AXI");
    text_character(text, (status & NPU_STATUS_FAULTING_INTERFACE) != 0 ? '1' : '0');
    text_string(text, channel < FIRST_WRITE_CHANNEL ? " reading " : " writing ");
    text_string(text, channel_name(channel));
}

static void describe_status(uint32_t status, struct text *text) {
    if ((status & NPU_STATUS_BUS_STATUS) != 0) {
        describe_bus_error(status, text);
    } else if ((status & NPU_STATUS_CMD_PARSE_ERROR) != 0) {
        text_string(text, "illegal command");
    } else if ((status & NPU_STATUS_WD_FAULT) != 0) {
        text_string(text, "weight stream cannot be decoded");
    } else if ((status & NPU_STATUS_ECC_FAULT) != 0) {
        text_string(text, "uncorrectable memory error");
    } else {
        text_string(text, "stopped before the end of the command stream");
    }
}

static void describe_place(const struct npu *npu, struct text *text) {
    text_string(text, " at byte ");
    text_unsigned(text, npu->queue_read_bytes);
    text_string(text, " of the command stream");
    describe_hex(text, " (STATUS ", npu->status);
    text_character(text, ')');
}

static void describe_numbers(const struct npu *npu, const char *what, struct text *text) {
    text_string(text, what);
    text_unsigned(text, npu->expected);
    text_string(text, ", this NPU has ");
    text_unsigned(text, npu->found);
}

static void describe_words(const struct npu *npu, const char *what, struct text *text) {
    describe_hex(text, what, npu->expected);
    describe_hex(text, ", this NPU has ", npu->found);
}

static void describe_address(const struct npu *npu, struct text *text) {
    text_string(text, "region ");
    text_unsigned(text, npu->expected);
    describe_hex(text, " cannot begin at ", npu->found);
}

static void describe_timeout(const struct npu *npu, struct text *text) {
    text_string(text, "no interrupt within ");
    text_unsigned(text, npu->setup->timeout_ms);
    text_string(text, " ms");
    describe_place(npu, text);
}

void npu_describe(const struct npu *npu, enum npu_error error, struct text *text) {
    text_string(text, "NPU: ");
    switch (error) {
    case NPU_OK:
        text_string(text, "no error");
        break;
    case NPU_RESET_TIMEOUT:
        text_string(text, "reset does not end");
        break;
    case NPU_ABSENT:
        describe_hex(text, "none answers at ", (uint32_t)npu->setup->address);
        describe_words(npu, ": PROT should be ", text);
        break;
    case NPU_WRONG_MACS:
        describe_numbers(npu, "the model is for MACs per cycle: ", text);
        break;
    case NPU_WRONG_CONFIG:
        describe_words(npu, "the model is for CONFIG ", text);
        break;
    case NPU_WRONG_ARCHITECTURE:
        describe_words(npu, "the model is for ID ", text);
        break;
    case NPU_WRONG_STREAM_VERSION:
        describe_numbers(npu, "the model is for command stream version ", text);
        break;
    case NPU_BAD_ADDRESS:
        describe_address(npu, text);
        break;
    case NPU_TIMEOUT:
        describe_timeout(npu, text);
        break;
    case NPU_FAILED:
        describe_status(npu->status, text);
        describe_place(npu, text);
        break;
    }
}
