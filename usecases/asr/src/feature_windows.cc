// SPDX-License-Identifier: Apache-2.0
#include "feature_windows.h"

#include <cstring>

#include "application_settings.h"

namespace asr {
namespace {

constexpr size_t kSamplesPerMs = SAMPLE_RATE_HZ / 1000;
constexpr size_t kWindowSamples = WINDOW_MS * kSamplesPerMs;
constexpr size_t kStepSamples = STEP_MS * kSamplesPerMs;

static_assert(SAMPLE_RATE_HZ % 1000 == 0, "a millisecond must be a whole number of samples");
static_assert(RECEPTIVE_FIELD_FRAMES > STRIDE_FRAMES, "the network has no context");

size_t clip_frames(size_t samples) {
    return samples < kWindowSamples ? 0 : (samples - kWindowSamples) / kStepSamples + 1;
}

size_t rounded_up(size_t amount, size_t unit) { return (amount + unit - 1) / unit; }

} // namespace

uint32_t WindowPlan::count(size_t clip_samples) const {
    const size_t windows =
        rounded_up(rounded_up(clip_frames(clip_samples), STRIDE_FRAMES), steps());
    return windows == 0 ? 1 : static_cast<uint32_t>(windows);
}

bool FrameStream::start(const int16_t *clip, size_t samples) {
    clip_ = clip;
    left_ = samples;
    leading_ = (RECEPTIVE_FIELD_FRAMES - 1) / 2;
    return frontend_.configure(ethosmith::kApplicationSettings);
}

void FrameStream::next(Frame frame) {
    const uint16_t *features = nullptr;
    if (leading_ > 0) {
        leading_--;
    } else {
        features = from_clip();
    }
    if (features != nullptr) {
        std::memcpy(frame, features, sizeof(Frame));
    } else {
        std::memset(frame, 0, sizeof(Frame));
    }
}

// Null when the clip has ended.
const uint16_t *FrameStream::from_clip() {
    while (left_ > 0) {
        size_t consumed = 0;
        const uint16_t *features = frontend_.process(clip_, left_, &consumed);
        clip_ += consumed;
        left_ -= consumed;
        if (features != nullptr) {
            return features;
        }
    }
    return nullptr;
}

bool FeatureWindows::start(const int16_t *clip, size_t samples) {
    windows_.restart();
    return stream_.start(clip, samples);
}

} // namespace asr
