// SPDX-License-Identifier: Apache-2.0
#include "word_detector.h"

#include <algorithm>
#include <cstring>

#include "labels.h"

namespace kws {
namespace {

// Whether `words`, with a space between two, has `word` at its start.
bool begins_with(const char *words, const char *word) {
    const size_t length = std::strlen(word);
    return std::strncmp(words, word, length) == 0 &&
           (words[length] == ' ' || words[length] == '\0');
}

bool contains(const char *words, const char *word) {
    while (words != nullptr && !begins_with(words, word)) {
        const char *space = std::strchr(words, ' ');
        words = space == nullptr ? nullptr : space + 1;
    }
    return words != nullptr;
}

// Seconds with two digits behind the point.
void write_time(struct text *text, int32_t time_ms) {
    const auto centiseconds = static_cast<uint32_t>(time_ms > 0 ? (time_ms + 5) / 10 : 0);
    text_unsigned(text, centiseconds / 100);
    text_character(text, '.');
    text_unsigned(text, centiseconds / 10 % 10);
    text_unsigned(text, centiseconds % 10);
    text_character(text, 's');
}

} // namespace

bool is_word(const char *label) { return !contains(NEVER_REPORTED, label); }

void WordDetector::restart() {
    std::memset(latest_, 0, sizeof latest_);
    std::memset(suppressed_until_, 0, sizeof suppressed_until_);
    window_ = 0;
    lowest_peak_ = 1.0f;
    peak_ = 1.0f;
    written_ = text_in(text_, sizeof text_);
}

bool WordDetector::push(const struct output *output, int32_t end_ms) {
    if (label_count > kMaxLabels) {
        return false;
    }
    for (uint32_t label = 0; label < label_count; label++) {
        latest_[window_ % kSmoothed][label] = output_get(output, label);
    }
    const uint32_t best = likeliest();
    const bool word = average(best) >= DETECTION_THRESHOLD && is_word(labels[best]);
    const bool fits = !word || report(best, end_ms);
    window_++;
    return fits;
}

float WordDetector::average(uint32_t label) const {
    float sum = 0.0f;
    for (const auto &probabilities : latest_) {
        sum += probabilities[label];
    }
    return sum / static_cast<float>(kSmoothed);
}

uint32_t WordDetector::likeliest() const {
    uint32_t best = 0;
    for (uint32_t label = 1; label < label_count; label++) {
        if (average(label) > average(best)) {
            best = label;
        }
    }
    return best;
}

float WordDetector::score() const {
    return written_.length == 0 ? 0.0f : std::min(lowest_peak_, peak_);
}

bool WordDetector::report(uint32_t word, int32_t end_ms) {
    const bool goes_on = window_ < suppressed_until_[word];
    suppressed_until_[word] = window_ + kSuppressed + 1;
    if (!goes_on) {
        lowest_peak_ = std::min(lowest_peak_, peak_);
        peak_ = average(word);
        reported_ = word;
        return write(word, end_ms);
    }
    if (word == reported_) {
        peak_ = std::max(peak_, average(word));
    }
    return true;
}

bool WordDetector::write(uint32_t word, int32_t end_ms) {
    if (written_.length > 0) {
        text_character(&written_, ' ');
    }
    text_string(&written_, labels[word]);
    text_character(&written_, '@');
    write_time(&written_, end_ms);
    return written_.truncated == 0;
}

} // namespace kws
