// SPDX-License-Identifier: Apache-2.0
// An application whose network returns its input: a sample's signed bytes are its elements.
#include "application.h"
#include "labels.h"

#include <stddef.h>

#ifdef CONTRACT
#include "inference_contract.h"
#endif

// What a test wants to be wrong with the answer.
#ifndef SPOIL
#define SPOIL(answer)
#endif

static const int8_t NUMBERS[] = {-3, 0, 100, 7};
static const int8_t TOO_FEW[] = {1, 2};

const char usecase_name[] = "echo";
const struct sample samples[] = {{"numbers", NUMBERS, sizeof NUMBERS, 0},
                                 {"few", TOO_FEW, SAMPLE_SIZE, "few.csv"}};
const uint32_t sample_count = SAMPLE_COUNT;
const char *const labels[] = {"first", "second", "third", "fourth"};
const uint32_t label_count = 4;

#ifdef RAW_INPUTS
bool application_takes_inputs_as_they_are(void) { return true; }
#endif

const char *application_preprocess(const struct sample *sample, struct input *input) {
    const int8_t *numbers = sample->data;
#ifdef CONTRACT
    const char *problem = inference_contract();
    if (problem != NULL) {
        return problem;
    }
#endif
    for (uint32_t i = 0; i < sample->size_bytes; i++) {
        input_set(input, i, (float)numbers[i]);
    }
    uint32_t expected = tensor_element_count(input->info);
    return sample->size_bytes >= expected
               ? NULL
               : sample_mismatch(sample, "values", expected, sample->size_bytes);
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < tensor_element_count(output->info); i++) {
        best = output_get(output, i) > output_get(output, best) ? i : best;
    }
    *answer = (struct answer){.text = labels[best], .score = output_get(output, best)};
    SPOIL(answer);
    return tensor_element_count(output->info) == label_count
               ? NULL
               : tensor_mismatch(output->info, "one element for each label");
}
