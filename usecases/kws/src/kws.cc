// SPDX-License-Identifier: Apache-2.0
// Keyword spotting: 16-bit PCM of any length to log-mel features to words.
//
// A clip that one input of the network holds is answered by its likeliest label, or by `unsure`: by
// no word of which the network is less sure than detection_threshold. A longer one is scanned, and
// answered by the words in it and their times; see word_detector.h.
//
// The use case's parameters:
//   window_ms, step_ms, channels, lower_hz, upper_hz, log_shift
//                          of TensorFlow's micro front end
//   leading_silence_ms     zeros put before the clip
//   min_signal_remaining   noise reduction: the part of the signal that always stays; 1.0 is off
//   pcan                   per-channel amplitude normalisation
//   feature_multiplier, feature_divisor, feature_rounding, feature_offset, feature_low,
//   feature_high           a feature f becomes the network's real input
//                          (f * multiplier + rounding) / divisor + offset, kept within low..high
//   frames                 in the network's input, `channels` features each; a clip that ends
//                          before is continued by silence
//   hop_ms                 from one input of a longer clip to the next
//   smoothing_ms, detection_threshold, suppression_ms, never_reported
//                          when a word is one
#include <cstddef>
#include <cstdint>

#include "application.h"
#include "application_parameters.h"
#include "clip_features.h"
#include "labels.h"
#include "sliding_windows.h"
#include "word_detector.h"

namespace {

constexpr uint32_t kHopFrames = HOP_MS / STEP_MS;
// After the clip's end, until the last of its probabilities is averaged.
constexpr uint32_t kLateWindows = SMOOTHING_MS / HOP_MS - 1;

static_assert(FEATURE_DIVISOR > 0, "feature_divisor must be positive");
static_assert(FEATURE_LOW < FEATURE_HIGH, "feature_low must be below feature_high");
static_assert(HOP_MS % STEP_MS == 0, "hop_ms must be a multiple of step_ms");
static_assert(kHopFrames > 0 && kHopFrames < FRAMES, "neighbouring inputs must overlap");

constexpr char kUnsure[] = "unsure";
constexpr char kTooManyWords[] =
    "too many labels for the word detector, or more words in the sample than its answer holds";

kws::ClipFeatures features;
ethosmith::SlidingWindows<kws::Frame, FRAMES - kHopFrames> windows;
kws::WordDetector detector;

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

const char *application_window_count(const struct sample *sample, const struct tensor_info *input,
                                     uint32_t *count) {
    if (tensor_element_count(input) != FRAMES * CHANNELS) {
        return tensor_mismatch(input, "frames x channels of the use case's parameters");
    }
    if (sample->size_bytes % sizeof(int16_t) != 0) {
        return "the sample is not 16-bit sound";
    }
    const uint32_t frames = kws::frames_of(sample->size_bytes / sizeof(int16_t));
    const uint32_t hops = frames > FRAMES ? (frames - FRAMES + kHopFrames - 1) / kHopFrames : 0;
    *count = hops == 0 ? 1 : 1 + hops + kLateWindows;
    return nullptr;
}

const char *application_preprocess(const struct sample *sample, struct input *input) {
    if (input->window == 0) {
        const auto *clip = static_cast<const int16_t *>(sample->data);
        windows.restart();
        if (!features.start(clip, sample->size_bytes / sizeof(int16_t))) {
            return "the audio front end rejects its parameters";
        }
    }
    const auto make = [](kws::Frame frame) { features.next(frame); };
    windows.next(FRAMES, kHopFrames, make, [input](uint32_t index, const kws::Frame frame) {
        for (uint32_t channel = 0; channel < CHANNELS; channel++) {
            input_set(input, index * CHANNELS + channel, real_value(frame[channel]));
        }
    });
    return nullptr;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    if (tensor_element_count(output->info) != label_count) {
        return tensor_mismatch(output->info, "one score for each label");
    }
    if (output->window == 0) {
        detector.restart();
        const uint32_t best = index_of_largest(output, label_count);
        answer->score = output_get(output, best);
        const bool sure = answer->score >= DETECTION_THRESHOLD;
        answer->text = sure || !kws::is_word(labels[best]) ? labels[best] : kUnsure;
    }
    if (!detector.push(output, kws::end_of_frame_ms(FRAMES - 1 + output->window * kHopFrames))) {
        return kTooManyWords;
    }
    if (output->window > 0) {
        answer->text = detector.text();
        answer->score = detector.score();
    }
    return nullptr;
}
