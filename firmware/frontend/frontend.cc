// SPDX-License-Identifier: Apache-2.0
#include "frontend.h"

#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"

#define ETHOSMITH_FRONTEND_OWN_SOURCE
#include "port.h"

namespace ethosmith {
namespace {

FrontendState state;

// What the settings do not give keeps TensorFlow's default.
FrontendConfig config_of(const FrontendSettings &settings) {
    FrontendConfig config = {};
    FrontendFillConfigWithDefaults(&config);
    config.window.size_ms = settings.window_ms;
    config.window.step_size_ms = settings.step_ms;
    config.filterbank.num_channels = settings.channels;
    config.filterbank.lower_band_limit = settings.lower_hz;
    config.filterbank.upper_band_limit = settings.upper_hz;
    config.noise_reduction.min_signal_remaining = settings.min_signal_remaining;
    config.pcan_gain_control.enable_pcan = settings.pcan ? 1 : 0;
    config.log_scale.enable_log = 1;
    config.log_scale.scale_shift = settings.log_shift;
    return config;
}

} // namespace

bool Frontend::configure(const FrontendSettings &settings) {
    const FrontendConfig config = config_of(settings);
    frontend_arena_reset();
    return FrontendPopulateState(&config, &state, settings.sample_rate_hz) != 0;
}

const uint16_t *Frontend::process(const int16_t *samples, size_t count, size_t *consumed) {
    return FrontendProcessSamples(&state, samples, count, consumed).values;
}

} // namespace ethosmith
