// SPDX-License-Identifier: Apache-2.0
// TensorFlow's micro audio front end behind one small class.
#ifndef ETHOSMITH_FRONTEND_FRONTEND_H
#define ETHOSMITH_FRONTEND_FRONTEND_H

#include <cstddef>
#include <cstdint>

namespace ethosmith {

struct FrontendSettings {
    int sample_rate_hz;
    size_t window_ms;
    size_t step_ms;
    int channels;
    float lower_hz;
    float upper_hz;
    // 1 leaves the signal as it is: no noise reduction.
    float min_signal_remaining;
    bool pcan;
    int log_shift;
};

// Logarithmic mel features of a stream of samples. There is one in a program, since its working
// memory is the library's fixed arena; no heap is used.
class Frontend {
  public:
    // Starts over with these settings; false if they are not possible or the arena is too small.
    bool configure(const FrontendSettings &settings);

    // Takes up to `count` samples and tells how many were `taken`. When a window is complete,
    // returns its features, one per channel, valid until the next call; otherwise null.
    const uint16_t *process(const int16_t *samples, size_t count, size_t *taken);
};

} // namespace ethosmith

#endif
