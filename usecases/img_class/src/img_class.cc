// SPDX-License-Identifier: Apache-2.0
// Image classification: a picture of any size to the classes that it most likely shows.
//
// The use case's parameters:
//   fit             "crop": the largest part in the middle that has the input's proportions;
//                   "stretch": the whole picture
//   pixel_offset, pixel_divisor
//                   a byte p becomes the network's real input (p - offset) / divisor
// The network has one RGB input of any height and width, and one output per label: logits, which
// go through softmax here, or probabilities.
#include <cstdint>

#include "application.h"
#include "application_parameters.h"
#include "image.h"
#include "labels.h"
#include "portable_math.h"

namespace {

constexpr uint32_t kMaxLabels = 1024;
// exp() of less is 0 as a float; keeps the argument within portable_exp()'s range.
constexpr float kMinExponent = -87.0f;

constexpr bool equal(const char *a, const char *b) {
    return *a == *b && (*a == '\0' || equal(a + 1, b + 1));
}

constexpr bool kCrop = equal(FIT, "crop");
static_assert(kCrop || equal(FIT, "stretch"), "fit must be crop or stretch");
static_assert(PIXEL_DIVISOR > 0, "pixel_divisor must be positive");

float scores[kMaxLabels];

float real_value(uint8_t pixel) {
    return (static_cast<float>(pixel) - static_cast<float>(PIXEL_OFFSET)) /
           static_cast<float>(PIXEL_DIVISOR);
}

// TFLite gives the outputs of SOFTMAX and LOGISTIC this quantisation and no other: 0 to 1.
bool are_probabilities(const struct tensor_info *info) {
    return info->dtype == TENSOR_INT8 && info->scale == 1.0f / 256.0f && info->zero_point == -128;
}

float largest_score(uint32_t count) {
    float largest = scores[0];
    for (uint32_t i = 1; i < count; i++) {
        largest = scores[i] > largest ? scores[i] : largest;
    }
    return largest;
}

void softmax(uint32_t count) {
    const float largest = largest_score(count);
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        const float exponent = scores[i] - largest;
        scores[i] = exponent < kMinExponent ? 0.0f : static_cast<float>(portable_exp(exponent));
        sum += scores[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        scores[i] = static_cast<float>(scores[i] / sum);
    }
}

// Puts a label where it belongs among the best so far; equal scores keep the labels' order.
void rank(uint32_t label, struct answer *answer) {
    uint32_t place = answer->ranked_count;
    while (place > 0 && scores[label] > answer->ranked[place - 1].score) {
        if (place < ANSWER_MAX_RANKED) {
            answer->ranked[place] = answer->ranked[place - 1];
        }
        place--;
    }
    if (place < ANSWER_MAX_RANKED) {
        answer->ranked[place] = {labels[label], scores[label]};
        answer->ranked_count += answer->ranked_count < ANSWER_MAX_RANKED ? 1 : 0;
    }
}

} // namespace

const char *application_preprocess(const struct sample *sample, struct input *input) {
    const struct tensor_info *info = input->info;
    struct image image;
    if (info->rank != 4 || info->shape[3] != IMAGE_CHANNELS) {
        return tensor_mismatch(info, "1 x height x width x 3");
    }
    if (!image_open(sample, &image)) {
        return "the sample is not a picture: width, height and their RGB bytes";
    }
    const uint32_t height = info->shape[1];
    const uint32_t width = info->shape[2];
    const struct rectangle part = kCrop ? image_middle(&image, width, height) : image_whole(&image);
    uint32_t element = 0;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t rgb[IMAGE_CHANNELS];
            image_resized_pixel(&image, &part, width, height, x, y, rgb);
            for (const uint8_t pixel : rgb) {
                input_set(input, element++, real_value(pixel));
            }
        }
    }
    return nullptr;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    if (tensor_element_count(output->info) != label_count || label_count > kMaxLabels ||
        label_count == 0) {
        return tensor_mismatch(output->info, "one score for each label");
    }
    for (uint32_t i = 0; i < label_count; i++) {
        scores[i] = output_get(output, i);
    }
    if (!are_probabilities(output->info)) {
        softmax(label_count);
    }
    for (uint32_t i = 0; i < label_count; i++) {
        rank(i, answer);
    }
    answer->text = answer->ranked[0].text;
    answer->score = answer->ranked[0].score;
    return nullptr;
}
