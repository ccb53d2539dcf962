// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <stddef.h>

enum { NOTE_HEADER_BYTES = 16, BYTE_DIGITS = 2 }; // three words and the name "GNU"

// From the linker script: an ELF note, or nothing if the linker was not asked for it.
extern const uint8_t __build_id_start[];
extern const uint8_t __build_id_end[];

static void describe_image(struct text *line) {
    const uint8_t *digest = __build_id_start + NOTE_HEADER_BYTES;
    ptrdiff_t size_bytes = __build_id_end - __build_id_start;
    if (size_bytes < NOTE_HEADER_BYTES + IDENTITY_DIGITS / BYTE_DIGITS) {
        text_string(line, "none");
        return;
    }
    for (uint32_t i = 0; i < IDENTITY_DIGITS / BYTE_DIGITS; i++) {
        text_hex(line, digest[i], BYTE_DIGITS);
    }
}

static void describe_model(const struct model *m, struct text *line) {
    if (m->hash == NULL) {
        text_string(line, "none");
        return;
    }
    for (uint32_t i = 0; i < IDENTITY_DIGITS && m->hash[i] != '\0'; i++) {
        text_character(line, m->hash[i]);
    }
}

void identity_describe(const struct model *m, struct text *line) {
    text_string(line, "identity: image=");
    describe_image(line);
    text_string(line, " model=");
    describe_model(m, line);
    if (build_options != NULL) {
        text_character(line, ' ');
        text_string(line, build_options);
    }
    text_character(line, '\n');
}
