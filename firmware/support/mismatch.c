// SPDX-License-Identifier: Apache-2.0
// Reasons why an application rejects a sample or a network: what it expects and what it found.
#include "application.h"
#include "text.h"

static char reason[256];

const char *sample_mismatch(const struct sample *sample, const char *what, uint32_t expected,
                            uint32_t found) {
    struct text text = text_in(reason, sizeof reason);
    text_unsigned(&text, expected);
    text_character(&text, ' ');
    text_string(&text, what);
    text_string(&text, " expected, ");
    text_unsigned(&text, found);
    text_string(&text, " found");
    if (sample->file != 0) {
        text_string(&text, " in ");
        text_string(&text, sample->file);
    }
    return reason;
}

const char *tensor_mismatch(const struct tensor_info *info, const char *expected) {
    struct text text = text_in(reason, sizeof reason);
    text_string(&text, "the network's ");
    text_string(&text, info->name);
    text_string(&text, " has ");
    for (uint32_t i = 0; i < info->rank; i++) {
        text_string(&text, i == 0 ? "" : "x");
        text_unsigned(&text, info->shape[i]);
    }
    text_string(&text, ", ");
    text_string(&text, expected);
    text_string(&text, " expected");
    return reason;
}
