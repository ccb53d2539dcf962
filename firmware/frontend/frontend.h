// SPDX-License-Identifier: Apache-2.0
/** @file TensorFlow's micro audio front end behind one small class. */
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

/**
 * Logarithmic mel features of a stream of samples. A program has one, since its working memory is
 * the library's fixed arena; no heap is used.
 */
class Frontend {
  public:
    /**
     * Starts over.
     *
     * @param settings of the features.
     * @return false if the settings are impossible or the arena is too small.
     */
    bool configure(const FrontendSettings &settings);

    /**
     * Consumes samples up to the end of a window.
     *
     * @param samples the next of the stream.
     * @param count of the samples.
     * @param consumed set to how many of them were used.
     * @return the features of a window that is complete, one per channel, valid until the next
     * call; null if more samples are needed.
     */
    const uint16_t *process(const int16_t *samples, size_t count, size_t *consumed);
};

} // namespace ethosmith

#endif
