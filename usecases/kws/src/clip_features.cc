// SPDX-License-Identifier: Apache-2.0
#include "clip_features.h"

#include <cstring>

#include "application_settings.h"

namespace kws {
namespace {

constexpr size_t kSamplesPerMs = SAMPLE_RATE_HZ / 1000;
constexpr size_t kWindowSamples = WINDOW_MS * kSamplesPerMs;
constexpr size_t kStepSamples = STEP_MS * kSamplesPerMs;
constexpr size_t kLeadingSamples = LEADING_SILENCE_MS * kSamplesPerMs;
constexpr int16_t kSilence[kStepSamples] = {};

static_assert(SAMPLE_RATE_HZ % 1000 == 0, "a millisecond must be a whole number of samples");

size_t at_most_a_step(size_t count) { return count < kStepSamples ? count : kStepSamples; }

} // namespace

PaddedClip::PaddedClip(const int16_t *clip, size_t samples)
    : clip_(clip), clip_left_(samples), silence_left_(kLeadingSamples) {}

const int16_t *PaddedClip::next(size_t *count) const {
    if (silence_left_ > 0) {
        *count = at_most_a_step(silence_left_);
        return kSilence;
    }
    *count = at_most_a_step(clip_left_ > 0 ? clip_left_ : kStepSamples);
    return clip_left_ > 0 ? clip_ : kSilence;
}

void PaddedClip::consume(size_t count) {
    if (silence_left_ > 0) {
        silence_left_ -= count;
    } else if (clip_left_ > 0) {
        clip_ += count;
        clip_left_ -= count;
    }
}

bool ClipFeatures::start(const int16_t *clip, size_t samples) {
    clip_ = PaddedClip(clip, samples);
    return frontend_.configure(ethosmith::kApplicationSettings);
}

void ClipFeatures::next(Frame frame) {
    const uint16_t *features = nullptr;
    while (features == nullptr) {
        size_t count = 0;
        size_t consumed = 0;
        const int16_t *samples = clip_.next(&count);
        features = frontend_.process(samples, count, &consumed);
        clip_.consume(consumed);
    }
    std::memcpy(frame, features, sizeof(Frame));
}

uint32_t frames_of(size_t samples) {
    const size_t padded = kLeadingSamples + samples;
    const size_t frames =
        padded < kWindowSamples ? 0 : (padded - kWindowSamples) / kStepSamples + 1;
    return static_cast<uint32_t>(frames);
}

} // namespace kws
