// SPDX-License-Identifier: Apache-2.0
// Any network: inputs as the sample has them, or random ones from the sample's seed; the answer is
// where the first output is largest. Device and host fill in the same bytes, so all outputs can be
// compared.
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

bool draw(uint32_t seed, struct input *inputs) {
    Random random(seed);
    for (const struct input *input = inputs; input->info != nullptr; input++) {
        if (!takes_any_bytes(input->info->dtype)) {
            return false;
        }
        uint8_t *bytes = static_cast<uint8_t *>(input->data);
        for (uint32_t i = 0; i < input->info->size_bytes; i++) {
            bytes[i] = static_cast<uint8_t>(random.next());
        }
    }
    return true;
}

void copy(const uint8_t *bytes, struct input *inputs) {
    for (const struct input *input = inputs; input->info != nullptr; input++) {
        memcpy(input->data, bytes, input->info->size_bytes);
        bytes += input->info->size_bytes;
    }
}

void quantise(const uint8_t *bytes, struct input *inputs) {
    for (struct input *input = inputs; input->info != nullptr; input++) {
        const uint32_t count = tensor_element_count(input->info);
        for (uint32_t i = 0; i < count; i++, bytes += sizeof(float)) {
            float value;
            memcpy(&value, bytes, sizeof value);
            input_set(input, i, value);
        }
    }
}

} // namespace

bool application_takes_inputs_as_they_are(void) { return true; }

const char *application_preprocess(const struct sample *sample, struct input *inputs) {
    uint32_t size_bytes = 0;
    uint32_t elements = 0;
    for (const struct input *input = inputs; input->info != nullptr; input++) {
        size_bytes += input->info->size_bytes;
        elements += tensor_element_count(input->info);
    }
    const uint8_t *bytes = static_cast<const uint8_t *>(sample->data);
    uint32_t seed = 0;
    if (sample->size_bytes == size_bytes) {
        copy(bytes, inputs);
        return nullptr;
    }
    if (sample->size_bytes == elements * sizeof(float)) {
        quantise(bytes, inputs);
        return nullptr;
    }
    if (sample->size_bytes != sizeof seed) {
        return sample_mismatch(sample, "bytes, or float32 for each element,", size_bytes,
                               sample->size_bytes);
    }
    memcpy(&seed, bytes, sizeof seed);
    return draw(seed, inputs) ? nullptr
                              : "a seed cannot fill a network input of type int32 or float32;"
                                " give samples=FOLDER";
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
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
    return nullptr;
}
