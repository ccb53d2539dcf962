// SPDX-License-Identifier: Apache-2.0
/** @file The front end's settings from the use case's parameters. */
#ifndef ETHOSMITH_FRONTEND_APPLICATION_SETTINGS_H
#define ETHOSMITH_FRONTEND_APPLICATION_SETTINGS_H

#include "application_parameters.h"
#include "frontend.h"

namespace ethosmith {

constexpr FrontendSettings kApplicationSettings = {
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

} // namespace ethosmith

#endif
