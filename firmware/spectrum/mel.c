// SPDX-License-Identifier: Apache-2.0
#include "mel.h"

#include <string.h>

#include "fft.h"
#include "portable_math.h"

enum { MIN_FFT_SIZE = 16, MAX_BINS = MEL_MAX_FFT_SIZE / 2 + 1, NO_BAND = 0xffff };

static const double TURN = 6.28318530717958647693;
// Slaney's scale: 3 mel per 200 Hz up to 1 kHz, then 27 mel per factor of 6.4.
static const double MEL_PER_HZ = 3.0 / 200.0;
static const double KNEE_HZ = 1000.0;
static const double KNEE_MEL = 15.0;
static const double KNEE_RATIO = 6.4;
static const double KNEE_STEPS = 27.0;

static const float FULL_SCALE = 32768.0f;
static const float MIN_POWER = 1e-10f;
static const double DB_PER_NEPER = 4.34294481903251827651; // 10 / ln 10

// A bin's part in the two triangles that overlap there: `rising` in `band`, `falling` in the
// band below it.
struct bin {
    uint16_t band;
    float rising;
    float falling;
};

static uint32_t fft_size;
static uint32_t bands;
static struct bin bins[MAX_BINS];
static float window[MEL_MAX_FFT_SIZE];
static float cosines[MEL_MAX_FFT_SIZE / 2];
static float sines[MEL_MAX_FFT_SIZE / 2];
static float real[MEL_MAX_FFT_SIZE];
static float imaginary[MEL_MAX_FFT_SIZE];

static double mel_of_hz(double hz) {
    if (hz < KNEE_HZ) {
        return hz * MEL_PER_HZ;
    }
    return KNEE_MEL + KNEE_STEPS * portable_log(hz / KNEE_HZ) / portable_log(KNEE_RATIO);
}

static double hz_of_mel(double mel) {
    if (mel < KNEE_MEL) {
        return mel / MEL_PER_HZ;
    }
    return KNEE_HZ * portable_exp((mel - KNEE_MEL) * portable_log(KNEE_RATIO) / KNEE_STEPS);
}

static bool possible(const struct mel_settings *settings) {
    uint32_t size = settings->fft_size;
    return size >= MIN_FFT_SIZE && size <= MEL_MAX_FFT_SIZE && (size & (size - 1)) == 0 &&
           settings->bands >= 1 && settings->bands <= MEL_MAX_BANDS && settings->lower_hz >= 0.0f &&
           settings->lower_hz < settings->upper_hz &&
           2.0f * settings->upper_hz <= (float)settings->sample_rate_hz;
}

// Band i rises from edge i to edge i + 1 and falls from there to edge i + 2.
static void place_edges(const struct mel_settings *settings, double *edges) {
    double first = mel_of_hz((double)settings->lower_hz);
    double last = mel_of_hz((double)settings->upper_hz);
    for (uint32_t i = 0; i < bands + 2; i++) {
        edges[i] = hz_of_mel(first + (last - first) * i / (bands + 1));
    }
}

static struct bin bin_at(double hz, const double *edges) {
    struct bin bin = {.band = NO_BAND};
    for (uint32_t i = 0; i < bands + 1; i++) {
        if (hz < edges[i] || hz >= edges[i + 1]) {
            continue;
        }
        double share = (hz - edges[i]) / (edges[i + 1] - edges[i]);
        bin.band = (uint16_t)i;
        // Divided by half the triangle's base: equal areas.
        bin.rising = i < bands ? (float)(share * 2.0 / (edges[i + 2] - edges[i])) : 0.0f;
        bin.falling = i > 0 ? (float)((1.0 - share) * 2.0 / (edges[i + 1] - edges[i - 1])) : 0.0f;
    }
    return bin;
}

bool mel_configure(const struct mel_settings *settings) {
    static double edges[MEL_MAX_BANDS + 2];
    if (!possible(settings)) {
        return false;
    }
    fft_size = settings->fft_size;
    bands = settings->bands;
    place_edges(settings, edges);
    for (uint32_t i = 0; i <= fft_size / 2; i++) {
        bins[i] = bin_at((double)settings->sample_rate_hz * i / fft_size, edges);
    }
    for (uint32_t i = 0; i < fft_size; i++) {
        window[i] = (float)(0.5 - 0.5 * portable_cos(TURN * i / fft_size)) / FULL_SCALE;
    }
    fft_twiddles(fft_size, cosines, sines);
    return true;
}

void mel_add_frame(const int16_t *samples, float *powers) {
    for (uint32_t i = 0; i < fft_size; i++) {
        real[i] = window[i] * (float)samples[i];
    }
    memset(imaginary, 0, fft_size * sizeof imaginary[0]);
    fft_forward(fft_size, cosines, sines, real, imaginary);
    for (uint32_t i = 0; i <= fft_size / 2; i++) {
        const struct bin *bin = &bins[i];
        float power = real[i] * real[i] + imaginary[i] * imaginary[i];
        if (bin->band < bands) {
            powers[bin->band] += bin->rising * power;
        }
        if (bin->band != NO_BAND && bin->band > 0) {
            powers[bin->band - 1] += bin->falling * power;
        }
    }
}

float mel_level_db(float power) {
    float floored = power > MIN_POWER ? power : MIN_POWER;
    return (float)(DB_PER_NEPER * portable_log((double)floored));
}
