// SPDX-License-Identifier: Apache-2.0
/** @file A picture baked into the image, resized to what a network takes. */
#ifndef ETHOSMITH_VISION_IMAGE_H
#define ETHOSMITH_VISION_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { IMAGE_CHANNELS = 3, IMAGE_MAX_SIZE = 8192 };

/** Red, green and blue bytes, row by row from the top left. */
struct image {
    uint32_t width;
    uint32_t height;
    const uint8_t *rgb;
};

/** A part of an image, in whole pixels. */
struct rectangle {
    uint32_t left;
    uint32_t top;
    uint32_t width;
    uint32_t height;
};

/**
 * Reads a sample of the format `image`: width and height as little-endian uint32, then the pixels.
 *
 * @param sample to read.
 * @param image filled in; it refers to the sample's pixels.
 * @return false if the sample has another format, is empty, or a side exceeds IMAGE_MAX_SIZE.
 */
bool image_open(const struct sample *sample, struct image *image);

/**
 * Selects the whole image.
 *
 * @param image from image_open().
 * @return all of it.
 */
struct rectangle image_whole(const struct image *image);

/**
 * Selects the largest part in the middle of the image with the proportions width : height.
 *
 * @param image from image_open().
 * @param width of the proportions.
 * @param height of the proportions.
 * @return the part.
 */
struct rectangle image_middle(const struct image *image, uint32_t width, uint32_t height);

/**
 * Computes one pixel of a resized part: the average of the area that it covers, rounded half up;
 * pixels at the area's edge count by their share inside. Where the result is larger than the part,
 * pixels repeat. Integer arithmetic only, so that every machine gets the same bytes.
 *
 * @param image from image_open().
 * @param part of the image.
 * @param width of the result.
 * @param height of the result.
 * @param x of the pixel in the result.
 * @param y of the pixel in the result.
 * @param rgb filled in with red, green and blue.
 */
void image_resized_pixel(const struct image *image, const struct rectangle *part, uint32_t width,
                         uint32_t height, uint32_t x, uint32_t y, uint8_t rgb[IMAGE_CHANNELS]);

#ifdef __cplusplus
}
#endif

#endif
