// SPDX-License-Identifier: Apache-2.0
// An application whose samples hold a window of bytes for every four. Its answer names the window
// with the largest element, so it has to see all of them, in order.
#include "application.h"
#include "labels.h"

#include <stddef.h>

enum { WINDOW_ELEMENTS = 4 };

static const int8_t TWO_WINDOWS[] = {-3, 0, 100, 7, 1, 2, 3, 101};
static const int8_t ONE_WINDOW[] = {9, 8, 7, 6};
static const int8_t NO_WINDOW[] = {1, 2, 3};

const char usecase_name[] = "windows";
const struct sample samples[] = {{"two", TWO_WINDOWS, sizeof TWO_WINDOWS, 0},
                                 {"one", ONE_WINDOW, sizeof ONE_WINDOW, 0},
                                 {"none", NO_WINDOW, sizeof NO_WINDOW, "none.csv"}};
const uint32_t sample_count = SAMPLE_COUNT;
const char *const labels[] = {"first", "second", "third"};
const uint32_t label_count = 3;

const char *application_window_count(const struct sample *sample, const struct tensor_info *input,
                                     uint32_t *count) {
    if (tensor_element_count(input) != WINDOW_ELEMENTS) {
        return tensor_mismatch(input, "4");
    }
    *count = sample->size_bytes / WINDOW_ELEMENTS;
    return *count > 0 ? NULL
                      : sample_mismatch(sample, "values", WINDOW_ELEMENTS, sample->size_bytes);
}

const char *application_preprocess(const struct sample *sample, struct input *input) {
    const int8_t *numbers = sample->data;
    for (uint32_t i = 0; i < WINDOW_ELEMENTS; i++) {
        input_set(input, i, (float)numbers[input->window * WINDOW_ELEMENTS + i]);
    }
    return NULL;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    static float largest;
    static uint32_t largest_window;
    static uint32_t seen;
    if (output->window == 0) {
        largest = output_get(output, 0);
        largest_window = 0;
        seen = 0;
    }
    for (uint32_t i = 0; i < WINDOW_ELEMENTS; i++) {
        if (output_get(output, i) > largest) {
            largest = output_get(output, i);
            largest_window = output->window;
        }
    }
    *answer = (struct answer){.text = labels[largest_window], .score = largest};
    return output->window == seen++ ? NULL : "the windows are out of order";
}
