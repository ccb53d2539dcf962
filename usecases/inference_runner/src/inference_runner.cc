// SPDX-License-Identifier: Apache-2.0
// Any network: random inputs from the sample's seed; the answer is where the first output is
// largest. Device and host draw the same bytes, so all outputs can be compared.
#include <cstdint>
#include <cstring>

#include "application.h"
#include "text.h"

namespace {

char answer_text[32];

// SplitMix with 32 bits of state: a counter whose bits are mixed; equal on every machine.
class Random {
  public:
    explicit Random(uint32_t seed) : state_(seed) {}

    uint32_t next() {
        state_ += 0x9e3779b9u;
        uint32_t mixed = state_;
        mixed = (mixed ^ (mixed >> 16)) * 0x21f0aaadu;
        mixed = (mixed ^ (mixed >> 15)) * 0x735a2d97u;
        return mixed ^ (mixed >> 15);
    }

  private:
    uint32_t state_;
};

// Whether every pattern of bytes is a value that the network can meet.
bool takes_any_bytes(enum tensor_dtype dtype) {
    return dtype == TENSOR_INT8 || dtype == TENSOR_UINT8 || dtype == TENSOR_INT16;
}

void fill(const struct input *input, Random *random) {
    uint8_t *bytes = static_cast<uint8_t *>(input->data);
    for (uint32_t i = 0; i < input->info->size_bytes; i++) {
        bytes[i] = static_cast<uint8_t>(random->next());
    }
}

} // namespace

bool application_preprocess(const struct sample *sample, struct input *inputs) {
    uint32_t seed = 0;
    if (sample->size_bytes != sizeof seed) {
        return false;
    }
    memcpy(&seed, sample->data, sizeof seed);
    Random random(seed);
    for (const struct input *input = inputs; input->info != nullptr; input++) {
        if (!takes_any_bytes(input->info->dtype)) {
            return false;
        }
        fill(input, &random);
    }
    return true;
}

bool application_postprocess(const struct output *output, struct answer *answer) {
    const uint32_t count = tensor_element_count(output->info);
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        best = output_get(output, i) > output_get(output, best) ? i : best;
    }
    struct text text = text_in(answer_text, sizeof answer_text);
    text_string(&text, "element ");
    text_unsigned(&text, best);
    answer->text = answer_text;
    answer->score = output_get(output, best);
    return true;
}
