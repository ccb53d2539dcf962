// SPDX-License-Identifier: Apache-2.0
// Keyword spotting: 16-bit PCM to log-mel features to the most likely word.
//
// The use case's parameters:
//   sample_rate_hz, window_ms, step_ms, channels, lower_hz, upper_hz, log_shift
//                          of TensorFlow's micro front end
//   leading_silence_ms     zeros put before the clip
//   min_signal_remaining   noise reduction: the part of the signal that always stays; 1.0 is off
//   pcan                   per-channel amplitude normalisation
//   feature_multiplier, feature_divisor, feature_rounding, feature_offset, feature_low,
//   feature_high           a feature f becomes the network's real input
//                          (f * multiplier + rounding) / divisor + offset, kept within low..high
// Frames: as many as the network's input has room for; a clip that ends before is continued by
// silence.
#include <cstddef>
#include <cstdint>

#include "application.h"
#include "application_parameters.h"
#include "frontend.h"
#include "labels.h"

namespace {

constexpr size_t kSamplesPerMs = SAMPLE_RATE_HZ / 1000;
constexpr size_t kStepSamples = STEP_MS * kSamplesPerMs;

static_assert(SAMPLE_RATE_HZ % 1000 == 0, "a millisecond must be a whole number of samples");
static_assert(FEATURE_DIVISOR > 0, "feature_divisor must be positive");
static_assert(FEATURE_LOW < FEATURE_HIGH, "feature_low must be below feature_high");

constexpr ethosmith::FrontendSettings kSettings = {
    .sample_rate_hz = SAMPLE_RATE_HZ,
    .window_ms = WINDOW_MS,
    .step_ms = STEP_MS,
    .channels = CHANNELS,
    .lower_hz = LOWER_HZ,
    .upper_hz = UPPER_HZ,
    .min_signal_remaining = MIN_SIGNAL_REMAINING,
    .pcan = PCAN != 0,
    .log_shift = LOG_SHIFT,
};

// Silence, the clip, and silence for ever.
class PaddedClip {
  public:
    PaddedClip(const int16_t *clip, size_t clip_samples, size_t silence_samples)
        : clip_(clip), clip_left_(clip_samples), silence_left_(silence_samples) {}

    // The next run of samples, one step's worth at most.
    const int16_t *next(size_t *count) const {
        if (silence_left_ > 0) {
            *count = at_most_a_step(silence_left_);
            return kSilence;
        }
        *count = at_most_a_step(clip_left_ > 0 ? clip_left_ : kStepSamples);
        return clip_left_ > 0 ? clip_ : kSilence;
    }

    void take(size_t count) {
        if (silence_left_ > 0) {
            silence_left_ -= count;
        } else if (clip_left_ > 0) {
            clip_ += count;
            clip_left_ -= count;
        }
    }

  private:
    static size_t at_most_a_step(size_t count) {
        return count < kStepSamples ? count : kStepSamples;
    }

    static constexpr int16_t kSilence[kStepSamples] = {};

    const int16_t *clip_;
    size_t clip_left_;
    size_t silence_left_;
};

const uint16_t *next_frame(ethosmith::Frontend *frontend, PaddedClip *clip) {
    for (;;) {
        size_t count = 0;
        size_t taken = 0;
        const int16_t *samples = clip->next(&count);
        const uint16_t *features = frontend->process(samples, count, &taken);
        clip->take(taken);
        if (features != nullptr) {
            return features;
        }
    }
}

float real_value(uint16_t feature) {
    const int64_t scaled =
        (int64_t{feature} * FEATURE_MULTIPLIER + FEATURE_ROUNDING) / FEATURE_DIVISOR +
        FEATURE_OFFSET;
    const int64_t clipped = scaled < FEATURE_LOW ? int64_t{FEATURE_LOW} : scaled;
    return static_cast<float>(clipped > FEATURE_HIGH ? int64_t{FEATURE_HIGH} : clipped);
}

uint32_t index_of_largest(const struct output *output, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (output_get(output, i) > output_get(output, best)) {
            best = i;
        }
    }
    return best;
}

} // namespace

bool application_preprocess(const struct sample *sample, struct input *input) {
    const uint32_t elements = tensor_element_count(input->info);
    ethosmith::Frontend frontend;
    if (elements % CHANNELS != 0 || sample->size_bytes % sizeof(int16_t) != 0 ||
        !frontend.configure(kSettings)) {
        return false;
    }
    PaddedClip clip(static_cast<const int16_t *>(sample->data),
                    sample->size_bytes / sizeof(int16_t), LEADING_SILENCE_MS * kSamplesPerMs);
    for (uint32_t first = 0; first < elements; first += CHANNELS) {
        const uint16_t *features = next_frame(&frontend, &clip);
        for (uint32_t channel = 0; channel < CHANNELS; channel++) {
            input_set(input, first + channel, real_value(features[channel]));
        }
    }
    return true;
}

bool application_postprocess(const struct output *output, struct answer *answer) {
    if (tensor_element_count(output->info) != label_count) {
        return false;
    }
    const uint32_t best = index_of_largest(output, label_count);
    answer->text = labels[best];
    answer->score = output_get(output, best);
    return true;
}
