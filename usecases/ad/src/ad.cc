// SPDX-License-Identifier: Apache-2.0
// Anomaly detection: the log-mel spectrogram of a clip goes through an auto-encoder that learnt
// whole machines only; what it cannot reproduce is abnormal.
//
// The use case's parameters:
//   frame_samples, hop_samples
//                      frames of the spectrogram
//   frames_per_row     frames whose mean power makes one row of the input
//   level_offset_db, level_divisor_db
//                      a level in dB becomes the network's real input (level - offset) / divisor
//   threshold          mean squared error, in dB squared, above which a clip is abnormal
// The input is rows x bands x 1; of a longer clip the middle is taken.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "application.h"
#include "application_parameters.h"
#include "mel.h"

namespace {

constexpr uint32_t kMaxElements = 16 * MEL_MAX_BANDS;

static_assert(HOP_SAMPLES > 0 && FRAMES_PER_ROW > 0, "a row needs frames, and frames a hop");

// What the network was given, for comparison with what it made of that.
float given[kMaxElements];
uint32_t given_count;

struct Layout {
    uint32_t rows;
    uint32_t bands;
};

bool layout_of(const struct tensor_info *info, Layout *layout) {
    *layout = {info->shape[1], info->shape[2]};
    return info->rank == 4 && layout->bands <= MEL_MAX_BANDS &&
           tensor_element_count(info) == layout->rows * layout->bands &&
           tensor_element_count(info) <= kMaxElements;
}

bool configure(uint32_t bands) {
    const struct mel_settings settings = {
        .sample_rate_hz = SAMPLE_RATE_HZ,
        .fft_size = FRAME_SAMPLES,
        .bands = bands,
        .lower_hz = 0.0f,
        .upper_hz = SAMPLE_RATE_HZ / 2.0f,
    };
    return mel_configure(&settings);
}

constexpr uint32_t needed_samples(uint32_t rows) {
    return (rows * FRAMES_PER_ROW - 1) * HOP_SAMPLES + FRAME_SAMPLES;
}

// The samples that all rows need, from the middle of a clip that has them.
const int16_t *middle(const struct sample *sample, uint32_t rows) {
    const size_t count = sample->size_bytes / sizeof(int16_t);
    return static_cast<const int16_t *>(sample->data) + (count - needed_samples(rows)) / 2;
}

void fill_row(const int16_t *samples, uint32_t bands, float *row) {
    memset(row, 0, bands * sizeof *row);
    for (uint32_t frame = 0; frame < FRAMES_PER_ROW; frame++) {
        mel_add_frame(samples + frame * HOP_SAMPLES, row);
    }
    for (uint32_t band = 0; band < bands; band++) {
        const float level = mel_level_db(row[band] / FRAMES_PER_ROW);
        row[band] = (level - LEVEL_OFFSET_DB) / LEVEL_DIVISOR_DB;
    }
}

} // namespace

const char *application_preprocess(const struct sample *sample, struct input *input) {
    Layout layout;
    if (!layout_of(input->info, &layout)) {
        return tensor_mismatch(input->info, "1 x rows x bands x 1");
    }
    if (!configure(layout.bands)) {
        return "the spectrum's parameters do not suit the network's bands";
    }
    const auto count = static_cast<uint32_t>(sample->size_bytes / sizeof(int16_t));
    if (sample->size_bytes % sizeof(int16_t) != 0 || count < needed_samples(layout.rows)) {
        return sample_mismatch(sample, "or more samples of sound", needed_samples(layout.rows),
                               count);
    }
    const int16_t *samples = middle(sample, layout.rows);
    given_count = layout.rows * layout.bands;
    for (uint32_t row = 0; row < layout.rows; row++) {
        fill_row(samples + static_cast<size_t>(row) * FRAMES_PER_ROW * HOP_SAMPLES, layout.bands,
                 given + row * layout.bands);
    }
    for (uint32_t i = 0; i < given_count; i++) {
        input_set(input, i, given[i]);
    }
    return nullptr;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    if (given_count == 0 || tensor_element_count(output->info) != given_count) {
        return tensor_mismatch(output->info, "the input's elements");
    }
    double sum = 0.0;
    for (uint32_t i = 0; i < given_count; i++) {
        const float error_db = (output_get(output, i) - given[i]) * LEVEL_DIVISOR_DB;
        sum += static_cast<double>(error_db) * error_db;
    }
    answer->score = static_cast<float>(sum / given_count);
    answer->text = answer->score > THRESHOLD ? "abnormal" : "normal";
    return nullptr;
}
