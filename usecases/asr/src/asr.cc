// SPDX-License-Identifier: Apache-2.0
// Speech recognition: 16-bit PCM of any length to log-mel features to text.
//
// The use case's parameters:
//   window_ms, step_ms, channels, lower_hz, upper_hz, min_signal_remaining, pcan,
//   log_shift               of TensorFlow's micro front end
//   feature_scale           a feature times this is the network's real input
//   receptive_field_frames, stride_frames
//                           frames that one output step of the network sees, and how far the next
//                           one's lie behind; the network pads nothing
//   alphabet                the network's symbols, in the order of its outputs; the blank follows
//   least_confidence        below it the answer is `unsure`: the mean probability of the symbols
//                           heard, which is the score; nothing heard is no text
#include <cstddef>
#include <cstdint>

#include "application.h"
#include "application_parameters.h"
#include "ctc_decoder.h"
#include "feature_windows.h"

namespace {

constexpr char kUnsure[] = "unsure";
constexpr char kBadFrontEnd[] = "the audio front end rejects its parameters";

asr::FeatureWindows windows;
asr::CtcDecoder decoder(ALPHABET);

uint32_t best_of(const struct output *output, uint32_t first, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (output_get(output, first + i) > output_get(output, first + best)) {
            best = i;
        }
    }
    return best;
}

asr::WindowPlan plan_for(const struct tensor_info *input) {
    return asr::WindowPlan(tensor_element_count(input) / CHANNELS);
}

} // namespace

const char *application_window_count(const struct sample *sample, const struct tensor_info *input,
                                     uint32_t *count) {
    const asr::WindowPlan plan = plan_for(input);
    if (tensor_element_count(input) % CHANNELS != 0 || !plan.possible()) {
        return tensor_mismatch(input,
                               "1 x frames x 1 x channels, more than receptive_field_frames,");
    }
    if (sample->size_bytes % sizeof(int16_t) != 0) {
        return "the sample is not 16-bit sound";
    }
    *count = plan.count(sample->size_bytes / sizeof(int16_t));
    return *count > 0 ? nullptr : "the sample has no sound";
}

const char *application_preprocess(const struct sample *sample, struct input *input) {
    const auto *clip = static_cast<const int16_t *>(sample->data);
    if (input->window == 0 && !windows.start(clip, sample->size_bytes / sizeof(int16_t))) {
        return kBadFrontEnd;
    }
    windows.next(plan_for(input->info), [input](uint32_t index, const asr::Frame frame) {
        for (uint32_t channel = 0; channel < CHANNELS; channel++) {
            const auto feature = static_cast<float>(frame[channel]);
            input_set(input, index * CHANNELS + channel, feature * FEATURE_SCALE);
        }
    });
    return nullptr;
}

const char *application_postprocess(const struct output *output, struct answer *answer) {
    const uint32_t symbols = decoder.symbol_count();
    const uint32_t elements = tensor_element_count(output->info);
    if (elements % symbols != 0) {
        return tensor_mismatch(output->info, "scores of each symbol of the alphabet and the blank");
    }
    if (output->window == 0) {
        decoder.restart();
    }
    for (uint32_t first = 0; first < elements; first += symbols) {
        const uint32_t best = best_of(output, first, symbols);
        if (!decoder.push(best, output_get(output, first + best))) {
            return "the text is longer than the decoder holds";
        }
    }
    answer->score = decoder.score();
    const bool sure = decoder.text()[0] == '\0' || answer->score >= LEAST_CONFIDENCE;
    answer->text = sure ? decoder.text() : kUnsure;
    return nullptr;
}
