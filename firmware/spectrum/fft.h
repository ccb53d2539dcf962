// SPDX-License-Identifier: Apache-2.0
/** @file Fast Fourier transform in single precision, without libm. */
#ifndef ETHOSMITH_SPECTRUM_FFT_H
#define ETHOSMITH_SPECTRUM_FFT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Computes the twiddle factors: cosine and sine of multiples of 1/size of a turn, up to half a
 * turn.
 *
 * @param size of the transform, a power of two.
 * @param cosines size / 2 values.
 * @param sines size / 2 values.
 */
void fft_twiddles(uint32_t size, float *cosines, float *sines);

/**
 * Transforms complex values in place: decimation in time, radix 2.
 *
 * @param size how many, a power of two.
 * @param cosines from fft_twiddles() for the same size.
 * @param sines from fft_twiddles() for the same size.
 * @param real parts of the values.
 * @param imaginary parts of the values.
 */
void fft_forward(uint32_t size, const float *cosines, const float *sines, float *real,
                 float *imaginary);

#ifdef __cplusplus
}
#endif

#endif
