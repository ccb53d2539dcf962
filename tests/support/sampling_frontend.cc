// SPDX-License-Identifier: Apache-2.0
// Stands in for the audio front end with features that a test can tell: channel c of a window is
// the window's first sample plus 7 c, modulo 2^16.
#include "frontend.h"

#include <vector>

namespace ethosmith {
namespace {

constexpr size_t kMaxChannels = 64;

std::vector<int16_t> heard;
FrontendSettings settings;
uint16_t features[kMaxChannels];

size_t samples_of(size_t duration_ms) {
    return duration_ms * static_cast<size_t>(settings.sample_rate_hz) / 1000;
}

} // namespace

bool Frontend::configure(const FrontendSettings &given) {
    settings = given;
    heard.clear();
    return true;
}

const uint16_t *Frontend::process(const int16_t *samples, size_t count, size_t *taken) {
    const size_t window = samples_of(settings.window_ms);
    *taken = window - heard.size() < count ? window - heard.size() : count;
    heard.insert(heard.end(), samples, samples + *taken);
    if (heard.size() < window) {
        return nullptr;
    }
    for (int channel = 0; channel < settings.channels; channel++) {
        features[channel] = static_cast<uint16_t>(heard[0] + 7 * channel);
    }
    heard.erase(heard.begin(), heard.begin() + static_cast<long>(samples_of(settings.step_ms)));
    return features;
}

} // namespace ethosmith
