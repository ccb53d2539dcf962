// SPDX-License-Identifier: Apache-2.0
#include "image.h"

#include <string.h>

enum { HEADER_BYTES = 2 * sizeof(uint32_t) };

// One output pixel along one axis: [start, end) in units of which a source pixel has `unit`.
struct span {
    uint32_t start;
    uint32_t end;
    uint32_t unit;
};

bool image_open(const struct sample *sample, struct image *image) {
    uint32_t size[2];
    if (sample->size_bytes < HEADER_BYTES) {
        return false;
    }
    memcpy(size, sample->data, sizeof size);
    *image = (struct image){size[0], size[1], (const uint8_t *)sample->data + HEADER_BYTES};
    return image->width > 0 && image->width <= IMAGE_MAX_SIZE && image->height > 0 &&
           image->height <= IMAGE_MAX_SIZE &&
           sample->size_bytes - HEADER_BYTES == IMAGE_CHANNELS * image->width * image->height;
}

struct rectangle image_whole(const struct image *image) {
    return (struct rectangle){0, 0, image->width, image->height};
}

static uint32_t at_least_one(uint64_t size) { return size > 0 ? (uint32_t)size : 1; }

struct rectangle image_middle(const struct image *image, uint32_t width, uint32_t height) {
    struct rectangle part = image_whole(image);
    if ((uint64_t)image->width * height > (uint64_t)image->height * width) {
        part.width = at_least_one((uint64_t)image->height * width / height);
    } else {
        part.height = at_least_one((uint64_t)image->width * height / width);
    }
    part.left = (image->width - part.width) / 2;
    part.top = (image->height - part.height) / 2;
    return part;
}

static struct span span_of(uint32_t index, uint32_t source_size, uint32_t size) {
    return (struct span){index * source_size, (index + 1) * source_size, size};
}

// How much of source pixel `index` is in the span.
static uint32_t share(const struct span *span, uint32_t index) {
    uint32_t start = index * span->unit;
    uint32_t end = start + span->unit;
    start = start < span->start ? span->start : start;
    end = end > span->end ? span->end : end;
    return end - start;
}

static void add_row(const uint8_t *row, const struct span *span, uint32_t weight,
                    uint64_t sums[IMAGE_CHANNELS]) {
    uint32_t row_sums[IMAGE_CHANNELS] = {0};
    for (uint32_t i = span->start / span->unit; i * span->unit < span->end; i++) {
        uint32_t inside = share(span, i);
        for (uint32_t channel = 0; channel < IMAGE_CHANNELS; channel++) {
            row_sums[channel] += inside * row[i * IMAGE_CHANNELS + channel];
        }
    }
    for (uint32_t channel = 0; channel < IMAGE_CHANNELS; channel++) {
        sums[channel] += (uint64_t)weight * row_sums[channel];
    }
}

void image_resized_pixel(const struct image *image, const struct rectangle *part, uint32_t width,
                         uint32_t height, uint32_t x, uint32_t y, uint8_t rgb[IMAGE_CHANNELS]) {
    const struct span across = span_of(x, part->width, width);
    const struct span down = span_of(y, part->height, height);
    const uint64_t area = (uint64_t)part->width * part->height;
    uint64_t sums[IMAGE_CHANNELS] = {0};
    for (uint32_t i = down.start / down.unit; i * down.unit < down.end; i++) {
        size_t first = (size_t)(part->top + i) * image->width + part->left;
        add_row(image->rgb + first * IMAGE_CHANNELS, &across, share(&down, i), sums);
    }
    for (uint32_t channel = 0; channel < IMAGE_CHANNELS; channel++) {
        rgb[channel] = (uint8_t)((sums[channel] + area / 2) / area);
    }
}
