// SPDX-License-Identifier: Apache-2.0
// Features of a clip of any length, in overlapping windows of a network without padding.
#ifndef ETHOSMITH_ASR_FEATURE_WINDOWS_H
#define ETHOSMITH_ASR_FEATURE_WINDOWS_H

#include <cstddef>
#include <cstdint>

#include "application_parameters.h"
#include "frontend.h"
#include "sliding_windows.h"

namespace asr {

using Frame = uint16_t[CHANNELS];

// How windows follow each other. An output step sees RECEPTIVE_FIELD_FRAMES frames, the next one
// as many, STRIDE_FRAMES later. Neighbouring windows share the frames that the first step of the
// later one sees before its own, so every step sees what it would see in the whole clip.
class WindowPlan {
  public:
    // For windows of `frames`.
    explicit constexpr WindowPlan(uint32_t frames) : frames_(frames) {}

    constexpr bool possible() const {
        return frames_ >= RECEPTIVE_FIELD_FRAMES &&
               (frames_ - RECEPTIVE_FIELD_FRAMES) % STRIDE_FRAMES == 0;
    }

    constexpr uint32_t frames() const { return frames_; }
    constexpr uint32_t steps() const {
        return (frames_ - RECEPTIVE_FIELD_FRAMES) / STRIDE_FRAMES + 1;
    }
    constexpr uint32_t hop_frames() const { return steps() * STRIDE_FRAMES; }

    // Windows for a clip: an output step for every STRIDE_FRAMES begun, one at least.
    uint32_t count(size_t clip_samples) const;

  private:
    uint32_t frames_;
};

// The frames of a clip, in order: nothing (zeros) for half a receptive field, the clip's, and
// nothing for ever.
class FrameStream {
  public:
    // False if the front end rejects its settings.
    bool start(const int16_t *clip, size_t samples);
    void next(Frame frame);

  private:
    const uint16_t *from_clip();

    ethosmith::Frontend frontend_;
    const int16_t *clip_ = nullptr;
    size_t left_ = 0;
    uint32_t leading_ = 0;
};

// The windows of a clip.
class FeatureWindows {
  public:
    // False if the front end rejects its settings.
    bool start(const int16_t *clip, size_t samples);

    // Gives the next window's frames to `push(index, frame)`.
    template <typename Push> void next(const WindowPlan &plan, Push push) {
        const auto make = [this](Frame frame) { stream_.next(frame); };
        windows_.next(plan.frames(), plan.hop_frames(), make, push);
    }

  private:
    FrameStream stream_;
    ethosmith::SlidingWindows<Frame, RECEPTIVE_FIELD_FRAMES - STRIDE_FRAMES> windows_;
};

} // namespace asr

#endif
