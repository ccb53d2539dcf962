// SPDX-License-Identifier: Apache-2.0
// Features of the PCM on standard input, one line a window. Compiled twice: with this project's
// front end, and (UPSTREAM) with TensorFlow's as it comes, on the C library's malloc and libm.
#include <cstdio>
#include <cstdlib>
#include <vector>

#ifdef UPSTREAM
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"
#else
#include "frontend.h"
#endif

namespace {

struct Options {
    int channels;
    float lower_hz;
    float upper_hz;
    float min_signal_remaining;
    bool pcan;
};

std::vector<int16_t> read_samples() {
    std::vector<int16_t> samples;
    int16_t sample;
    while (fread(&sample, sizeof sample, 1, stdin) == 1) {
        samples.push_back(sample);
    }
    return samples;
}

void print_row(const uint16_t *features, int channels) {
    for (int i = 0; i < channels; i++) {
        printf(i == 0 ? "%u" : " %u", features[i]);
    }
    puts("");
}

#ifdef UPSTREAM

FrontendState state;

bool configure(const Options &options) {
    FrontendConfig config = {};
    FrontendFillConfigWithDefaults(&config);
    config.window.size_ms = 30;
    config.window.step_size_ms = 20;
    config.filterbank.num_channels = options.channels;
    config.filterbank.lower_band_limit = options.lower_hz;
    config.filterbank.upper_band_limit = options.upper_hz;
    config.noise_reduction.min_signal_remaining = options.min_signal_remaining;
    config.pcan_gain_control.enable_pcan = options.pcan;
    return FrontendPopulateState(&config, &state, 16000) != 0;
}

const uint16_t *process(const int16_t *samples, size_t count, size_t *taken) {
    return FrontendProcessSamples(&state, samples, count, taken).values;
}

#else

ethosmith::Frontend frontend;

bool configure(const Options &options) {
    const ethosmith::FrontendSettings settings = {16000,
                                                  30,
                                                  20,
                                                  options.channels,
                                                  options.lower_hz,
                                                  options.upper_hz,
                                                  options.min_signal_remaining,
                                                  options.pcan,
                                                  6};
    return frontend.configure(settings);
}

const uint16_t *process(const int16_t *samples, size_t count, size_t *taken) {
    return frontend.process(samples, count, taken);
}

#endif

} // namespace

int main(int argc, char *argv[]) {
    if (argc != 6) {
        return EXIT_FAILURE;
    }
    const Options options = {atoi(argv[1]), strtof(argv[2], nullptr), strtof(argv[3], nullptr),
                             strtof(argv[4], nullptr), atoi(argv[5]) != 0};
    if (!configure(options)) {
        puts("not configured");
        return EXIT_SUCCESS;
    }
    const std::vector<int16_t> samples = read_samples();
    size_t at = 0;
    while (at < samples.size()) {
        size_t taken = 0;
        const uint16_t *features = process(samples.data() + at, samples.size() - at, &taken);
        at += taken;
        if (features != nullptr) {
            print_row(features, options.channels);
        }
    }
    return EXIT_SUCCESS;
}
