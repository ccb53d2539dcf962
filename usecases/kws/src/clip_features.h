// SPDX-License-Identifier: Apache-2.0
// Features of a clip of any length, frame by frame, by the use case's parameters.
#ifndef ETHOSMITH_KWS_CLIP_FEATURES_H
#define ETHOSMITH_KWS_CLIP_FEATURES_H

#include <cstddef>
#include <cstdint>

#include "application_parameters.h"
#include "frontend.h"

namespace kws {

using Frame = uint16_t[CHANNELS];

// LEADING_SILENCE_MS of silence, a clip, and silence for ever.
class PaddedClip {
  public:
    PaddedClip() = default;
    PaddedClip(const int16_t *clip, size_t samples);

    // The next run of samples, one step's worth at most.
    const int16_t *next(size_t *count) const;
    void consume(size_t count);

  private:
    const int16_t *clip_ = nullptr;
    size_t clip_left_ = 0;
    size_t silence_left_ = 0;
};

// The frames of a padded clip, in order. The front end goes on from frame to frame, and with it
// its estimate of the noise, as it would listen to a microphone.
class ClipFeatures {
  public:
    // False if the front end rejects its settings.
    bool start(const int16_t *clip, size_t samples);
    void next(Frame frame);

  private:
    ethosmith::Frontend frontend_;
    PaddedClip clip_;
};

// Frames that end within a padded clip of `samples`.
uint32_t frames_of(size_t samples);

// The last millisecond of the clip that is in the frame `index`; negative before the clip.
constexpr int32_t end_of_frame_ms(uint32_t index) {
    return static_cast<int32_t>(index) * STEP_MS + WINDOW_MS - LEADING_SILENCE_MS;
}

} // namespace kws

#endif
