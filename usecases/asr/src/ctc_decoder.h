// SPDX-License-Identifier: Apache-2.0
// Greedy decoding of a CTC network's output, step by step.
#ifndef ETHOSMITH_ASR_CTC_DECODER_H
#define ETHOSMITH_ASR_CTC_DECODER_H

#include <cstddef>
#include <cstdint>

namespace asr {

// Merges repeats, drops blanks, and joins the words that remain by single spaces.
class CtcDecoder {
  public:
    // Symbols are places in `alphabet`, which stays the caller's; the place behind its last
    // character is the blank.
    explicit constexpr CtcDecoder(const char *alphabet) : alphabet_(alphabet) {}

    // Forgets what it has seen.
    void restart();

    // Takes the next step: its best symbol and that symbol's probability. False if the alphabet
    // lacks the symbol or the text is full.
    bool push(uint32_t symbol, float probability);

    // What has been said up to now.
    const char *text() const { return text_; }

    // Mean probability of the symbols that made the text; 0 for no symbol.
    float score() const;

    // Of the alphabet, with the blank.
    uint32_t symbol_count() const;

  private:
    bool append(char character);
    bool put(char character);

    static constexpr size_t kCapacityBytes = 128;
    static constexpr uint32_t kNone = UINT32_MAX;

    const char *alphabet_;
    char text_[kCapacityBytes] = {};
    size_t length_ = 0;
    bool space_waits_ = false;
    uint32_t previous_ = kNone;
    uint32_t emitted_ = 0;
    float probabilities_ = 0.0f;
};

} // namespace asr

#endif
