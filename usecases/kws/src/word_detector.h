// SPDX-License-Identifier: Apache-2.0
// From the probabilities of window after window to words with their times.
#ifndef ETHOSMITH_KWS_WORD_DETECTOR_H
#define ETHOSMITH_KWS_WORD_DETECTOR_H

#include <cstddef>
#include <cstdint>

#include "application.h"
#include "application_parameters.h"
#include "text.h"

namespace kws {

// Whether `label` is a word to report: NEVER_REPORTED does not name it.
bool is_word(const char *label);

// Averages each label's probability over the latest SMOOTHING_MS; windows before the first count
// as 0. The likeliest label is a word if its average is at least DETECTION_THRESHOLD and
// NEVER_REPORTED does not name it. A word is reported unless it was one within the last
// SUPPRESSION_MS: one that goes on is reported once.
class WordDetector {
  public:
    // Forgets what it has heard.
    void restart();

    // Takes the probabilities of the next window, which ends at `end_ms`. False if there are more
    // labels than it has room for, or more words than the text has.
    bool push(const struct output *output, int32_t end_ms);

    // The words reported up to now, each with the end of the window that made it one:
    // `yes@1.23s no@2.50s`.
    const char *text() const { return text_; }

    // How sure the least sure of them is: the highest average that it has reached; 0 without words.
    float score() const;

  private:
    static constexpr uint32_t kSmoothed = SMOOTHING_MS / HOP_MS;
    static constexpr uint32_t kSuppressed = SUPPRESSION_MS / HOP_MS;
    static constexpr uint32_t kMaxLabels = 64;
    static constexpr size_t kTextBytes = 1024;

    static_assert(SMOOTHING_MS >= HOP_MS, "smoothing_ms must hold a window");
    static_assert(DETECTION_THRESHOLD > 0 && DETECTION_THRESHOLD <= 1,
                  "detection_threshold is a probability above 0");

    float average(uint32_t label) const;
    uint32_t likeliest() const;
    bool report(uint32_t word, int32_t end_ms);
    bool write(uint32_t word, int32_t end_ms);

    float latest_[kSmoothed][kMaxLabels] = {};
    uint32_t suppressed_until_[kMaxLabels] = {}; // window
    uint32_t window_ = 0;
    float lowest_peak_ = 0.0f; // of the words before the latest
    float peak_ = 0.0f;        // of the latest
    uint32_t reported_ = 0;
    char text_[kTextBytes] = {};
    struct text written_ = {};
};

} // namespace kws

#endif
