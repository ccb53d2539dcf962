// SPDX-License-Identifier: Apache-2.0
// Any bytes as a picture: what is opened is resized without a read outside of it.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
    if (size_bytes < 4) {
        return 0;
    }
    const uint32_t width = data[0] % 64 + 1u;
    const uint32_t height = data[1] % 64 + 1u;
    size_t sample_bytes = size_bytes - 4;
    void *copy = malloc(sample_bytes + (sample_bytes == 0));
    memcpy(copy, data + 4, sample_bytes);
    // Most samples have a picture's size: one row, or one column.
    if (data[3] % 8 != 0 && sample_bytes >= 8 + IMAGE_CHANNELS) {
        const uint32_t pixels = (uint32_t)(sample_bytes - 8) / IMAGE_CHANNELS;
        const uint32_t rows = data[3] % 4 != 0 && pixels % (data[3] % 4) == 0 ? data[3] % 4 : 1;
        const uint32_t sides[] = {pixels / rows, rows};
        memcpy(copy, sides, sizeof sides);
        sample_bytes = 8 + (size_t)pixels * IMAGE_CHANNELS;
    }
    const struct sample sample = {.name = "s", .data = copy, .size_bytes = (uint32_t)sample_bytes};
    struct image image;
    if (image_open(&sample, &image)) {
        const struct rectangle part =
            data[2] % 2 ? image_whole(&image) : image_middle(&image, width, height);
        if (part.width == 0 || part.height == 0 || part.left + part.width > image.width ||
            part.top + part.height > image.height) {
            abort();
        }
        for (uint32_t y = 0; y < height; y++) {
            for (uint32_t x = 0; x < width; x++) {
                uint8_t pixel[IMAGE_CHANNELS];
                image_resized_pixel(&image, &part, width, height, x, y, pixel);
            }
        }
    }
    free(copy);
    return 0;
}
