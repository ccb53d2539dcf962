// SPDX-License-Identifier: Apache-2.0
/** @file Mel spectra of sound: short-time Fourier transform and a bank of triangular filters. */
#ifndef ETHOSMITH_SPECTRUM_MEL_H
#define ETHOSMITH_SPECTRUM_MEL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MEL_MAX_FFT_SIZE = 2048, MEL_MAX_BANDS = 128 };

struct mel_settings {
    uint32_t sample_rate_hz;
    uint32_t fft_size; // samples of a frame; a power of two from 16 to MEL_MAX_FFT_SIZE
    uint32_t bands;    // 1 to MEL_MAX_BANDS
    float lower_hz;
    float upper_hz; // at most half the sample rate
};

/**
 * Fills the tables of the program's one filter bank: Slaney's mel scale (linear up to 1 kHz,
 * logarithmic above), triangles of equal area.
 *
 * @param settings of the bank.
 * @return false if the settings are impossible.
 */
bool mel_configure(const struct mel_settings *settings);

/**
 * Adds the power of one frame in every band; the window is a periodic Hann window.
 *
 * @param samples of the frame, as many as the FFT's size.
 * @param powers one for each band, of full scale 1.
 */
void mel_add_frame(const int16_t *samples, float *powers);

/**
 * Converts a power to decibels.
 *
 * @param power of full scale 1.
 * @return 10 log10(power), -100 dB or more.
 */
float mel_level_db(float power);

#ifdef __cplusplus
}
#endif

#endif
