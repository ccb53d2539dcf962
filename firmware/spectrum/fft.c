// SPDX-License-Identifier: Apache-2.0
#include "fft.h"

#include "portable_math.h"

static const double TURN = 6.28318530717958647693;

void fft_twiddles(uint32_t size, float *cosines, float *sines) {
    for (uint32_t i = 0; i < size / 2; i++) {
        double angle = TURN * i / size;
        cosines[i] = (float)portable_cos(angle);
        sines[i] = (float)portable_sin(angle);
    }
}

static void swap(float *a, float *b) {
    float kept = *a;
    *a = *b;
    *b = kept;
}

// Puts every element where its index with the bits reversed points.
static void reorder(uint32_t size, float *real, float *imaginary) {
    uint32_t reversed = 0;
    for (uint32_t i = 0; i < size; i++) {
        if (i < reversed) {
            swap(&real[i], &real[reversed]);
            swap(&imaginary[i], &imaginary[reversed]);
        }
        uint32_t bit = size >> 1;
        for (; bit != 0 && (reversed & bit) != 0; bit >>= 1) {
            reversed ^= bit;
        }
        reversed |= bit;
    }
}

// Combines the elements at 0 and at `distance`, the latter turned back by the twiddle's angle.
static void butterfly(float c, float s, float *real, float *imaginary, uint32_t distance) {
    float turned_real = real[distance] * c + imaginary[distance] * s;
    float turned_imaginary = imaginary[distance] * c - real[distance] * s;
    real[distance] = real[0] - turned_real;
    imaginary[distance] = imaginary[0] - turned_imaginary;
    real[0] += turned_real;
    imaginary[0] += turned_imaginary;
}

void fft_forward(uint32_t size, const float *cosines, const float *sines, float *real,
                 float *imaginary) {
    reorder(size, real, imaginary);
    for (uint32_t half = 1; half < size; half *= 2) {
        for (uint32_t first = 0; first < size; first += 2 * half) {
            for (uint32_t k = 0; k < half; k++) {
                uint32_t twiddle = k * (size / (2 * half));
                butterfly(cosines[twiddle], sines[twiddle], &real[first + k], &imaginary[first + k],
                          half);
            }
        }
    }
}
