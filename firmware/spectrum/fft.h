// SPDX-License-Identifier: Apache-2.0
// Fast Fourier transform in single precision, without libm.
#ifndef ETHOSMITH_SPECTRUM_FFT_H
#define ETHOSMITH_SPECTRUM_FFT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// cos and sin of a turn's `size` parts, half a turn of them: `size / 2` values each.
void fft_twiddles(uint32_t size, float *cosines, float *sines);

// Transforms `size` complex values in place: decimation in time, radix 2. `size` is a power of
// two, the twiddles are those of the same size.
void fft_forward(uint32_t size, const float *cosines, const float *sines, float *real,
                 float *imaginary);

#ifdef __cplusplus
}
#endif

#endif
