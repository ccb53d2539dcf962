// SPDX-License-Identifier: Apache-2.0
// A picture baked into the image, and its way to the size that a network takes.
#ifndef ETHOSMITH_VISION_IMAGE_H
#define ETHOSMITH_VISION_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { IMAGE_CHANNELS = 3, IMAGE_MAX_SIZE = 8192 };

// Red, green and blue bytes, row by row from the top left.
struct image {
    uint32_t width;
    uint32_t height;
    const uint8_t *rgb;
};

// A part of an image, in whole pixels.
struct rectangle {
    uint32_t left;
    uint32_t top;
    uint32_t width;
    uint32_t height;
};

// Reads a sample of the format `image`: width and height as uint32, little endian, then the
// pixels. Returns false if it is not one, is empty, or a side is longer than IMAGE_MAX_SIZE.
bool image_open(const struct sample *sample, struct image *image);

// The whole image.
struct rectangle image_whole(const struct image *image);

// The largest part in the middle of the image that has the proportions width : height.
struct rectangle image_middle(const struct image *image, uint32_t width, uint32_t height);

// Pixel (x, y) of `part` resized to width x height: the average of the area that it covers,
// rounded half up; pixels at the area's edge count by the share of them that lies inside.
// Where the result is larger than `part`, pixels repeat. Integer arithmetic only, so that every
// machine gets the same bytes.
void image_resized_pixel(const struct image *image, const struct rectangle *part, uint32_t width,
                         uint32_t height, uint32_t x, uint32_t y, uint8_t rgb[IMAGE_CHANNELS]);

#ifdef __cplusplus
}
#endif

#endif
