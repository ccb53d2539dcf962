// SPDX-License-Identifier: Apache-2.0
// The format is that of ethosmith/lib/model_image.py, little-endian as the processor.
#include "model_partition.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "application.h"
#include "model_check.h"
#include "sha256.h"

enum { VERSION = 1, HASH_DIGITS = 2 * SHA256_BYTES };

static const char MAGIC[8] = {'E', 'T', 'H', 'O', 'M', 'O', 'D', 'L'};

struct header {
    char magic[8];
    uint32_t version;
    uint32_t total_bytes;
    uint8_t hash[SHA256_BYTES]; // of everything, with zeros here
    uint32_t name;              // this and the like: offsets from the header
    uint32_t accelerator_config;
    uint32_t memory_mode;
    uint32_t macs;
    uint32_t reset;
    uint32_t command_stream;
    uint32_t command_stream_bytes;
    uint32_t weights;
    uint32_t weights_bytes;
    uint32_t weights_region;
    uint32_t scratch_bytes;
    uint32_t scratch_region;
    uint32_t scratch_fast_bytes;
    uint32_t scratch_fast_region;
    uint32_t inputs;
    uint32_t input_count;
    uint32_t outputs;
    uint32_t output_count;
    uint32_t variables;
    uint32_t variable_count;
};

struct tensor_row {
    uint32_t name;
    uint32_t dtype;
    uint32_t rank;
    uint32_t shape[TENSOR_MAX_RANK];
    uint32_t size_bytes;
    uint32_t region;
    uint32_t offset;
    float scale;
    int32_t zero_point;
};

_Static_assert(sizeof(struct header) == 128, "as in model_image.py");
_Static_assert(sizeof(struct tensor_row) == 56, "as in model_image.py");
_Static_assert(sizeof(struct model_variable) == 20, "as in model_image.py");

static struct model partition_model;
static struct tensor_info inputs[APPLICATION_MAX_TENSORS];
static struct tensor_info outputs[APPLICATION_MAX_TENSORS];
static char digits[HASH_DIGITS + 1];

static bool has(const struct header *header, uint32_t offset, uint64_t size_bytes) {
    return offset <= header->total_bytes && size_bytes <= header->total_bytes - offset;
}

static bool has_rows(const struct header *header, uint32_t offset, uint32_t count, size_t row) {
    return offset % MODEL_ALIGNMENT_BYTES == 0 && has(header, offset, (uint64_t)count * row);
}

static bool has_text(const struct header *header, uint32_t offset) {
    const char *bytes = (const char *)header;
    return has(header, offset, 1) &&
           memchr(bytes + offset, '\0', header->total_bytes - offset) != NULL;
}

static bool is_hash_right(const struct header *header) {
    static const uint8_t ZEROS[SHA256_BYTES];
    const uint8_t *bytes = (const uint8_t *)header;
    uint32_t behind = offsetof(struct header, hash) + SHA256_BYTES;
    uint8_t digest[SHA256_BYTES];
    struct sha256 hash;
    sha256_start(&hash);
    sha256_add(&hash, bytes, offsetof(struct header, hash));
    sha256_add(&hash, ZEROS, sizeof ZEROS);
    sha256_add(&hash, bytes + behind, header->total_bytes - behind);
    sha256_end(&hash, digest);
    return memcmp(digest, header->hash, sizeof digest) == 0;
}

static void write_digits(const uint8_t *hash) {
    static const char DIGITS[] = "0123456789abcdef";
    for (uint32_t i = 0; i < SHA256_BYTES; i++) {
        digits[2 * i] = DIGITS[hash[i] >> 4];
        digits[2 * i + 1] = DIGITS[hash[i] & 15];
    }
}

static const char *check_whole(const struct header *header, uint32_t size_bytes) {
    if (header->version != VERSION) {
        return "model partition: of another version of the format";
    }
    if (header->total_bytes < sizeof *header || header->total_bytes > size_bytes) {
        return "model partition: longer than the partition, or cut";
    }
    return is_hash_right(header) ? NULL
                                 : "model partition: damaged: its hash is not that of its bytes";
}

static const char *check_places(const struct header *h) {
    bool fits = has_text(h, h->name) && has_text(h, h->accelerator_config) &&
                has_text(h, h->memory_mode) && has_rows(h, h->weights, h->weights_bytes, 1) &&
                has_rows(h, h->command_stream, h->command_stream_bytes, 1) &&
                has_rows(h, h->inputs, h->input_count, sizeof(struct tensor_row)) &&
                has_rows(h, h->outputs, h->output_count, sizeof(struct tensor_row)) &&
                has_rows(h, h->variables, h->variable_count, sizeof(struct model_variable));
    return fits && h->reset <= MODEL_RESET_NEVER ? NULL
                                                 : "model partition: a part lies outside of it";
}

static const char *check_fit(const struct header *header, const struct model *built_in) {
    if (header->scratch_bytes > built_in->scratch_bytes ||
        header->scratch_fast_bytes > built_in->scratch_fast_bytes) {
        return "model partition: needs more scratch memory than the image has";
    }
    if (header->input_count != built_in->input_count ||
        header->output_count != built_in->output_count) {
        return "model partition: has other inputs or outputs than the image's model";
    }
    return NULL;
}

static bool is_same_shape(const struct tensor_row *row, const struct tensor_info *info) {
    return row->dtype == (uint32_t)info->dtype && row->rank == info->rank &&
           row->size_bytes == info->size_bytes &&
           memcmp(row->shape, info->shape, info->rank * sizeof row->shape[0]) == 0;
}

static const char *read_tensors(const struct header *header, uint32_t rows, uint32_t count,
                                const struct tensor_info *built_in, struct tensor_info *infos) {
    const uint8_t *bytes = (const uint8_t *)header;
    for (uint32_t i = 0; i < count; i++) {
        struct tensor_row row;
        memcpy(&row, bytes + rows + i * sizeof row, sizeof row);
        if (!has_text(header, row.name)) {
            return "model partition: a part lies outside of it";
        }
        if (!is_same_shape(&row, &built_in[i])) {
            return model_reason("model partition: tensor ", built_in[i].name,
                                " has another shape or type than in the image's model");
        }
        infos[i] = built_in[i];
        infos[i].name = (const char *)bytes + row.name;
        infos[i].region = row.region;
        infos[i].offset = row.offset;
        infos[i].scale = row.scale;
        infos[i].zero_point = row.zero_point;
    }
    return NULL;
}

static void fill(const struct header *header, const struct model *built_in) {
    const uint8_t *bytes = (const uint8_t *)header;
    write_digits(header->hash);
    partition_model = (struct model){
        .name = (const char *)bytes + header->name,
        .accelerator_config = (const char *)bytes + header->accelerator_config,
        .macs = header->macs,
        .memory_mode = (const char *)bytes + header->memory_mode,
        .command_stream = bytes + header->command_stream,
        .command_stream_bytes = header->command_stream_bytes,
        .weights = header->weights_bytes != 0 ? bytes + header->weights : NULL,
        .weights_bytes = header->weights_bytes,
        .weights_region = header->weights_region,
        .scratch = built_in->scratch,
        .scratch_bytes = header->scratch_bytes,
        .scratch_region = header->scratch_region,
        .scratch_fast = built_in->scratch_fast,
        .scratch_fast_bytes = header->scratch_fast_bytes,
        .scratch_fast_region = header->scratch_fast_region,
        .inputs = inputs,
        .input_count = header->input_count,
        .outputs = outputs,
        .output_count = header->output_count,
        .variables = (const struct model_variable *)(const void *)(bytes + header->variables),
        .variable_count = header->variable_count,
        .reset = (enum model_reset)header->reset,
        .hash = digits,
    };
}

const char *model_partition_read(const uint8_t *partition, uint32_t size_bytes,
                                 const struct model *built_in, const struct model **found) {
    const struct header *header = (const struct header *)(const void *)partition;
    *found = built_in;
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0) {
        return NULL;
    }
    const char *reason = check_whole(header, size_bytes);
    reason = reason != NULL ? reason : check_places(header);
    reason = reason != NULL ? reason : check_fit(header, built_in);
    if (reason == NULL) {
        reason =
            read_tensors(header, header->inputs, header->input_count, built_in->inputs, inputs);
    }
    if (reason == NULL) {
        reason =
            read_tensors(header, header->outputs, header->output_count, built_in->outputs, outputs);
    }
    if (reason == NULL) {
        fill(header, built_in);
        *found = &partition_model;
    }
    return reason;
}
